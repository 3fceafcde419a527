//! The only source of randomness: the kernel's generator.
//!
//! **Invariants:** there is no fallback; a machine that gives no randomness makes no key.
#![allow(clippy::disallowed_methods, reason = "this file owns randomness")]

use zeroize::Zeroizing;

/// `N` random bytes, zeroized when dropped.
pub fn random<const N: usize>() -> Zeroizing<[u8; N]> {
    let mut bytes = Zeroizing::new([0; N]);
    getrandom::fill(bytes.as_mut()).expect("the kernel's generator always answers once the machine is up");
    bytes
}
