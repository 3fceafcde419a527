//! The age recipient type `mlkem768x25519` (C2SP age): ML-KEM-768 with X25519, by HPKE (RFC 9180).
//!
//! ```text
//! age1pq1…              recipient: bech32 of 1,216 bytes, without the 90-character limit of BIP 173
//! AGE-SECRET-KEY-PQ-1…  identity: bech32 of a 32-byte seed
//! -> mlkem768x25519 <base64 of 1,120 bytes>      stanza: encapsulated key
//! <base64 of 32 bytes>                           the sealed file key
//! ```
//!
//! No own cryptography: hpke does it all, except for one refusal that the test vectors ask for and hpke doesn't
//! make, of X25519 shares of small order. **Not audited by anybody.** **Invariants:** secrets are zeroized and
//! have no `Debug`; age refuses to mix these recipients with classical ones in one file.

use std::{collections::HashSet, fmt, str::FromStr};

use age_core::{
    format::{FileKey, Stanza},
    secrecy::ExposeSecret as _,
};
use base64::{Engine as _, prelude::BASE64_STANDARD_NO_PAD};
use bech32::{Hrp, primitives::decode::CheckedHrpstring};
use hpke::{Deserializable as _, Kem as _, OpModeR, OpModeS, Serializable as _, aead::ChaCha20Poly1305, kdf::HkdfSha256, kem::XWing};
use zeroize::Zeroizing;

use crate::id::IdError;

type PublicKey = <XWing as hpke::Kem>::PublicKey;
type PrivateKey = <XWing as hpke::Kem>::PrivateKey;
type EncappedKey = <XWing as hpke::Kem>::EncappedKey;

const TAG: &str = "mlkem768x25519";
const INFO: &[u8] = b"age-encryption.org/mlkem768x25519";
/// ML-KEM-768 ciphertext, then the X25519 share.
const SHARE: usize = 1088;
const ENCAPSULATED: usize = 1120;
/// ML-KEM-768 encapsulation key, then the X25519 point.
const POINT: usize = 1184;
const PUBLIC: usize = 1216;
/// 16-byte file key and 16-byte tag.
const BODY: usize = 32;

const RECIPIENT: Hrp = Hrp::parse_unchecked("age1pq");
const IDENTITY: Hrp = Hrp::parse_unchecked("age-secret-key-pq-");

/// Bech32 (BIP 173) without its limit of 90 characters: a recipient has 1,959.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
enum LongBech32 {}

impl bech32::Checksum for LongBech32 {
    type MidstateRepr = u32;
    const CODE_LENGTH: usize = usize::MAX;
    const CHECKSUM_LENGTH: usize = bech32::Bech32::CHECKSUM_LENGTH;
    const GENERATOR_SH: [u32; 5] = bech32::Bech32::GENERATOR_SH;
    const TARGET_RESIDUE: u32 = bech32::Bech32::TARGET_RESIDUE;
}

fn encode(hrp: Hrp, bytes: &[u8]) -> String {
    bech32::encode_lower::<LongBech32>(hrp, bytes).expect("without a limit of length nothing fails")
}

fn decode(text: &str, hrp: Hrp, error: IdError) -> Result<Zeroizing<Vec<u8>>, IdError> {
    let checked = CheckedHrpstring::new::<LongBech32>(text).map_err(|_| error)?;
    if checked.hrp() == hrp { Ok(Zeroizing::new(checked.byte_iter().collect())) } else { Err(error) }
}

/// A point of small order maps every clamped scalar to zero, so that any fixed scalar finds it.
fn is_small_order(point: &[u8]) -> bool {
    <[u8; 32]>::try_from(point).map_or(true, |point| x25519_dalek::x25519([9; 32], point) == [0; 32])
}

/// Somebody to whom a file can be encrypted.
#[derive(Clone, PartialEq, Eq)]
pub struct Recipient(PublicKey);

/// The secret that opens what was encrypted to its recipient.
pub struct Identity(PrivateKey);

impl Identity {
    /// The identity of a 32-byte seed.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(PrivateKey::from_bytes(seed).expect("any 32 bytes are a seed"))
    }
    /// Its recipient.
    pub fn recipient(&self) -> Recipient {
        Recipient(XWing::sk_to_pk(&self.0))
    }
    /// `AGE-SECRET-KEY-PQ-1…`
    pub fn to_secret(&self) -> Zeroizing<String> {
        let mut seed = Zeroizing::new([0; 32]);
        self.0.write_exact(&mut *seed);
        let lower = Zeroizing::new(encode(IDENTITY, &*seed));
        Zeroizing::new(lower.to_ascii_uppercase())
    }
}

impl FromStr for Identity {
    type Err = IdError;
    fn from_str(s: &str) -> Result<Self, IdError> {
        const BAD: IdError = IdError("age identity");
        let seed = decode(s, IDENTITY, BAD)?;
        let identity = Self::from_seed(seed.as_slice().try_into().map_err(|_| BAD)?);
        if *identity.to_secret() == *s { Ok(identity) } else { Err(BAD) }
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&encode(RECIPIENT, &self.0.to_bytes()))
    }
}

impl FromStr for Recipient {
    type Err = IdError;
    fn from_str(s: &str) -> Result<Self, IdError> {
        const BAD: IdError = IdError("age recipient");
        let bytes = decode(s, RECIPIENT, BAD)?;
        if bytes.len() != PUBLIC || is_small_order(&bytes[POINT..]) {
            return Err(BAD);
        }
        let recipient = Self(PublicKey::from_bytes(&bytes).map_err(|_| BAD)?);
        // one spelling
        if recipient.to_string() == s { Ok(recipient) } else { Err(BAD) }
    }
}

impl age::Recipient for Recipient {
    fn wrap_file_key(&self, file_key: &FileKey) -> Result<(Vec<Stanza>, HashSet<String>), age::EncryptError> {
        let sealed =
            hpke::single_shot_seal::<ChaCha20Poly1305, HkdfSha256, XWing>(&OpModeS::Base, &self.0, INFO, file_key.expose_secret(), b"");
        let (share, body) = sealed.map_err(|e| std::io::Error::other(e.to_string()))?;
        let stanza = Stanza { tag: TAG.into(), args: vec![BASE64_STANDARD_NO_PAD.encode(share.to_bytes())], body };
        Ok((vec![stanza], HashSet::from(["postquantum".into()])))
    }
}

impl age::Identity for Identity {
    fn unwrap_stanza(&self, stanza: &Stanza) -> Option<Result<FileKey, age::DecryptError>> {
        if stanza.tag != TAG {
            return None;
        }
        let Some(share) = encapsulated(stanza) else { return Some(Err(age::DecryptError::InvalidHeader)) };
        let opened =
            hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, XWing>(&OpModeR::Base, &self.0, &share, INFO, &stanza.body, b"");
        // a stanza for somebody else and a damaged one look alike: the next one is tried
        let file_key = Zeroizing::new(opened.ok()?);
        Some(Ok(FileKey::init_with_mut(|key| key.copy_from_slice(&file_key))))
    }
}

/// The encapsulated key of a stanza in its one valid form.
fn encapsulated(stanza: &Stanza) -> Option<EncappedKey> {
    let [argument] = stanza.args.as_slice() else { return None };
    let share = BASE64_STANDARD_NO_PAD.decode(argument).ok()?;
    let valid = share.len() == ENCAPSULATED && stanza.body.len() == BODY && !is_small_order(&share[SHARE..]);
    if valid { EncappedKey::from_bytes(&share).ok() } else { None }
}
