//! Ed25519 keys (RFC 8032) under the names that they have in signed notes (C2SP signed-note, type 0x01).
//!
//! ```text
//! van-017+6e1dd5c4+AVjXb3…   verifier key: name, key id (4 bytes hex), base64(0x01 ‖ public key)
//! ```
//!
//! **Invariants:** signatures are checked with `verify_strict`, so small-order keys and mixed signatures
//! never pass; a secret is zeroized when dropped and has no `Debug` that shows it.

use std::{fmt, str::FromStr};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::Digest as _;

use crate::{
    id::{IdError, KeyName, serde_as_text},
    text::unhex,
};

const ED25519: u8 = 0x01;

/// Short id of a key: first 4 bytes of SHA-256(name ‖ LF ‖ type ‖ public key).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub u32);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}
impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl FromStr for KeyId {
    type Err = IdError;
    fn from_str(s: &str) -> Result<Self, IdError> {
        unhex::<4>(s).map(u32::from_be_bytes).map(Self).ok_or(IdError("KeyId"))
    }
}

/// A public key with its name.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct VerifierKey {
    name: KeyName,
    id: KeyId,
    key: VerifyingKey,
}

impl VerifierKey {
    fn new(name: KeyName, key: VerifyingKey) -> Self {
        let id = signed_note::key_id(name.as_str(), &[&[ED25519][..], key.as_bytes()].concat());
        Self { name, id: KeyId(id), key }
    }
    /// The name that stands in signature lines.
    pub fn name(&self) -> &KeyName {
        &self.name
    }
    /// The short id that stands in signature lines.
    pub fn id(&self) -> KeyId {
        self.id
    }
    /// The 32 bytes of the public key, whatever name it bears.
    pub fn public_bytes(&self) -> &[u8; 32] {
        self.key.as_bytes()
    }
    /// The fingerprint that two people compare by phone: the first 20 hex digits of SHA-256 of the verifier key's text,
    /// in groups of four.
    pub fn fingerprint(&self) -> String {
        let digest = crate::text::hex(&sha2::Sha256::digest(self.to_string()));
        let groups: Vec<&str> = (0..5).map(|n| &digest[4 * n..4 * n + 4]).collect();
        groups.join(" ")
    }
    /// Checks 64 bytes of signature over `message`.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        Signature::from_slice(signature).is_ok_and(|s| self.key.verify_strict(message, &s).is_ok())
    }
}

impl signed_note::Verifier for VerifierKey {
    fn name(&self) -> &str {
        self.name.as_str()
    }
    fn key_id(&self) -> u32 {
        self.id.0
    }
    fn verify(&self, msg: &[u8], sig: &[u8]) -> bool {
        VerifierKey::verify(self, msg, sig)
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = BASE64_STANDARD.encode([&[ED25519][..], self.key.as_bytes()].concat());
        write!(f, "{}+{}+{key}", self.name, self.id)
    }
}
impl fmt::Debug for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl FromStr for VerifierKey {
    type Err = IdError;
    fn from_str(s: &str) -> Result<Self, IdError> {
        const BAD: IdError = IdError("verifier key");
        let mut fields = s.splitn(3, '+');
        let mut field = || fields.next().ok_or(BAD);
        let (name, _id, key) = (field()?, field()?, field()?);
        let bytes = BASE64_STANDARD.decode(key).map_err(|_| BAD)?;
        let (&ED25519, public) = bytes.split_first().ok_or(BAD)? else { return Err(BAD) };
        let public: &[u8; 32] = public.try_into().map_err(|_| BAD)?;
        let key = VerifyingKey::from_bytes(public).map_err(|_| BAD)?;
        let parsed = Self::new(name.parse()?, key);
        // one spelling, the right key id, and no key of small order
        if parsed.to_string() == s && !key.is_weak() { Ok(parsed) } else { Err(BAD) }
    }
}
serde_as_text!(VerifierKey);

/// A secret key with its name. Zeroized when dropped.
pub struct Signer {
    public: VerifierKey,
    secret: SigningKey,
}

impl Signer {
    /// Makes the key pair of a 32-byte seed (RFC 8032 section 5.1.5).
    pub fn from_seed(name: KeyName, seed: &[u8; 32]) -> Self {
        let secret = SigningKey::from_bytes(seed);
        Self { public: VerifierKey::new(name, secret.verifying_key()), secret }
    }
    /// The public half.
    pub fn public(&self) -> &VerifierKey {
        &self.public
    }
    /// 64 bytes of signature over `message`.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.secret.sign(message).to_bytes()
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({})", self.public.name)
    }
}

/// `<name>+<key id>`: names one key of somebody who may have had several.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyRef {
    /// Whose key.
    pub name: KeyName,
    /// Which of their keys.
    pub id: KeyId,
}

impl From<&VerifierKey> for KeyRef {
    fn from(key: &VerifierKey) -> Self {
        Self { name: key.name.clone(), id: key.id }
    }
}
impl fmt::Display for KeyRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}+{}", self.name, self.id)
    }
}
impl fmt::Debug for KeyRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl FromStr for KeyRef {
    type Err = IdError;
    fn from_str(s: &str) -> Result<Self, IdError> {
        let (name, id) = s.split_once('+').ok_or(IdError("key reference"))?;
        Ok(Self { name: name.parse()?, id: id.parse()? })
    }
}
serde_as_text!(KeyRef);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verifier_key_has_one_spelling() {
        let signer = Signer::from_seed("van-017".parse().expect("name"), &[1; 32]);
        let text = signer.public().to_string();
        assert_eq!(text.parse::<VerifierKey>().as_ref(), Ok(signer.public()));
        assert!(text.replace('+', "++").parse::<VerifierKey>().is_err());
        assert!(text.replacen("van", "vam", 1).parse::<VerifierKey>().is_err(), "the key id covers the name");
    }

    #[test]
    fn weak_keys_are_refused() {
        let weak = VerifyingKey::from_bytes(&[0; 32])
            .or_else(|_| {
                VerifyingKey::from_bytes(&{
                    let mut one = [0; 32];
                    one[0] = 1;
                    one
                })
            })
            .expect("a point of small order");
        let text = VerifierKey::new("x".parse().expect("name"), weak).to_string();
        assert!(text.parse::<VerifierKey>().is_err());
    }
}
