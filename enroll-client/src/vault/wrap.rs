//! Wrapping of keys and drafts: ChaCha20-Poly1305 (RFC 8439) under a 32-byte key, and passphrases made
//! into such keys by Argon2id (RFC 9106).
//!
//! ```text
//! nonce (12 random bytes) ‖ ciphertext ‖ tag (16 bytes); what it belongs to is the associated data
//! ```
//!
//! **Invariants:** a wrapped value opens only in its own place (the associated data names kind and row),
//! so swapping rows in the vault is found. Keys and what was unwrapped are zeroized when dropped.

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::{
    ChaCha20Poly1305, KeyInit as _, Nonce,
    aead::{Aead as _, Payload},
};
use shared::problem::{Code, Problem};
use zeroize::Zeroizing;

use crate::entropy;

/// A 32-byte key that is wiped when dropped.
pub type Key = Zeroizing<[u8; 32]>;

/// Wraps `plain` under `key`, bound to `place`.
pub fn wrap(key: &[u8; 32], place: &str, plain: &[u8]) -> Result<Vec<u8>, Problem> {
    let nonce = entropy::bytes::<12>()?;
    let payload = Payload { msg: plain, aad: place.as_bytes() };
    let sealed = ChaCha20Poly1305::new(key.into()).encrypt(&Nonce::from(nonce), payload).expect("shorter than 256 GiB");
    Ok([&nonce[..], &sealed].concat())
}

/// Opens what [`wrap`] made; `None` when key, place or bytes are not those.
pub fn unwrap(key: &[u8; 32], place: &str, wrapped: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, sealed) = wrapped.split_first_chunk::<12>()?;
    let payload = Payload { msg: sealed, aad: place.as_bytes() };
    ChaCha20Poly1305::new(key.into()).decrypt(&Nonce::from(*nonce), payload).ok().map(Zeroizing::new)
}

/// Opens a wrapped 32-byte key.
pub fn unwrap_key(key: &[u8; 32], place: &str, wrapped: &[u8]) -> Option<Key> {
    let plain = unwrap(key, place, wrapped)?;
    let bytes: &[u8; 32] = plain.as_slice().try_into().ok()?;
    Some(Zeroizing::new(*bytes))
}

/// What guessing a passphrase costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// Memory in MiB.
    pub mib: u32,
    /// Passes over it.
    pub passes: u32,
}

impl Cost {
    /// 64 MiB, three passes: about a sixth of a second on a laptop.
    pub const USUAL: Self = Self { mib: 64, passes: 3 };
}

/// Makes a key of a passphrase. `pepper` is the vault key, so that a copied vault without the machine
/// secret gives a guesser nothing to try against.
pub fn stretch(passphrase: &[u8], salt: &[u8; 16], pepper: &[u8; 32], cost: Cost) -> Result<Key, Problem> {
    let damaged = |_| Problem::new(Code::VaultDamaged, "cost of a passphrase");
    let params = Params::new(cost.mib.saturating_mul(1024), cost.passes, 1, Some(32)).map_err(damaged)?;
    let argon = Argon2::new_with_secret(pepper, Algorithm::Argon2id, Version::V0x13, params).map_err(damaged)?;
    let mut key = Key::default();
    argon.hash_password_into(passphrase, salt, key.as_mut()).map_err(damaged)?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_only_with_its_key_in_its_place() {
        let wrapped = wrap(&[1; 32], "draft 1", b"hello").expect("wrapped");
        assert!(unwrap(&[2; 32], "draft 1", &wrapped).is_none());
        assert!(unwrap(&[1; 32], "draft 2", &wrapped).is_none());
        for i in 0..wrapped.len() {
            let mut bytes = wrapped.clone();
            bytes[i] ^= 1;
            assert!(unwrap(&[1; 32], "draft 1", &bytes).is_none(), "byte {i}");
        }
        assert_eq!(unwrap(&[1; 32], "draft 1", &wrapped).as_deref().map(Vec::as_slice), Some(&b"hello"[..]));
    }

    #[test]
    fn salt_pepper_and_cost_all_count() {
        let cost = Cost { mib: 1, passes: 1 };
        let key = stretch(b"a passphrase", &[1; 16], &[2; 32], cost).expect("key");
        let others = [
            stretch(b"a passphrasf", &[1; 16], &[2; 32], cost),
            stretch(b"a passphrase", &[0; 16], &[2; 32], cost),
            stretch(b"a passphrase", &[1; 16], &[0; 32], cost),
            stretch(b"a passphrase", &[1; 16], &[2; 32], Cost { mib: 1, passes: 2 }),
        ];
        assert!(others.iter().all(|o| o.as_ref().expect("key") != &key));
    }
}
