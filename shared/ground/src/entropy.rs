//! The only source of randomness: the kernel's generator.
//!
//! **Invariants:** there is no fallback. A machine that gives no randomness makes no key, and the error says so.
#![allow(clippy::disallowed_methods, reason = "this file owns randomness")]

use shared::problem::{Code, Problem};
use zeroize::Zeroizing;

/// `N` random bytes that are no secret (a record id, a nonce).
pub fn bytes<const N: usize>() -> Result<[u8; N], Problem> {
    let mut out = [0; N];
    getrandom::fill(&mut out).map_err(|_| Problem::new(Code::IoFailed, "random numbers of the kernel"))?;
    Ok(out)
}

/// `N` random bytes of a key; zeroized when dropped.
pub fn secret<const N: usize>() -> Result<Zeroizing<[u8; N]>, Problem> {
    let mut out = Zeroizing::new([0; N]);
    getrandom::fill(out.as_mut()).map_err(|_| Problem::new(Code::IoFailed, "random numbers of the kernel"))?;
    Ok(out)
}
