//! Ids, names, digests, positions: a value that exists is well-formed, and no two kinds can be swapped.
//!
//! | type | written as |
//! |---|---|
//! | [`Digest`] and its kinds | `sha256:<64 lower-case hex digits>` |
//! | [`Member`] | `van-017`: `[a-z][a-z0-9-]{0,31}` |
//! | [`Centre`] | `registry.example`: a DNS name in lower case |
//! | [`RecordId`] | a random UUIDv4 in lower case |
//! | [`Place`], [`Number`] | `1.42`: epoch, then sequence or number, both from 1 |
//! | [`FormName`] | `national-id/3` |
//! | [`ResidentRef`], [`CaseRef`] | 32 lower-case hex digits |

use std::{fmt, str::FromStr};

use sha2::{Digest as _, Sha256};

use crate::text::{MAX_NUMBER, decimal, hex, unhex};

/// The text is not an id of the kind asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a well-formed {0}")]
pub struct IdError(pub &'static str);

macro_rules! serde_as_text {
    ($name:ident) => {
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(d)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}
pub(crate) use serde_as_text;

macro_rules! digests {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 32]);

        impl $name {
            /// SHA-256 of `bytes`.
            pub fn of(bytes: &[u8]) -> Self {
                Self(Sha256::digest(bytes).into())
            }
            /// Takes 32 bytes that are known to be such a digest.
            pub const fn from_bytes(bytes: [u8; 32]) -> Self {
                Self(bytes)
            }
            /// The 32 bytes.
            pub const fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }
            /// 64 lower-case hex digits, without `sha256:`.
            pub fn hex(&self) -> String {
                hex(&self.0)
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "sha256:{}", self.hex())
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
        impl FromStr for $name {
            type Err = IdError;
            fn from_str(s: &str) -> Result<Self, IdError> {
                s.strip_prefix("sha256:").and_then(unhex).map(Self).ok_or(IdError(stringify!($name)))
            }
        }
        serde_as_text!($name);
    )*};
}

digests! {
    /// A SHA-256 digest of no special kind (a part, a payload, a slip).
    Digest;
    /// *Id* of a manifest: SHA-256 of its text. What `previous` and `Location` name.
    BatchId;
    /// *Id* of any other note: SHA-256 of its text.
    NoteId;
    /// SHA-256 of all bytes of a blob in the archive.
    Blob;
    /// SHA-256 of a sealed record (the age file).
    SealedDigest;
}

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident $valid:path;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl FromStr for $name {
            type Err = IdError;
            fn from_str(s: &str) -> Result<Self, IdError> {
                if $valid(s) { Ok(Self(s.to_owned())) } else { Err(IdError(stringify!($name))) }
            }
        }
        serde_as_text!($name);
    )*};
}

names! {
    /// Name of a unit, agent, supervisor or carrier.
    Member is_member;
    /// Name of the centre: a DNS name.
    Centre is_dns;
    /// Name of a signing key as it stands in a signed note (C2SP signed-note: no space, no plus).
    KeyName is_key_name;
    /// Name and version of a form, `national-id/3`.
    FormName is_form;
    /// Reference of a resident in the registry.
    ResidentRef is_reference;
    /// Reference of a case: something that a person must decide.
    CaseRef is_reference;
    /// Name of a part of a record, `finger-left-index.wsq`; at most 64 bytes.
    PartName is_part;
}

fn is_member(s: &str) -> bool {
    s.len() <= 32
        && s.starts_with(|c: char| c.is_ascii_lowercase())
        && s.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

fn is_dns(s: &str) -> bool {
    let label = |l: &str| {
        (1..=63).contains(&l.len())
            && l.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !l.starts_with('-')
            && !l.ends_with('-')
    };
    s.len() <= 200 && s.split('.').all(label)
}

fn is_key_name(s: &str) -> bool {
    (1..=255).contains(&s.len()) && s.bytes().all(|b| b.is_ascii_graphic() && b != b'+')
}

fn is_form(s: &str) -> bool {
    s.split_once('/')
        .is_some_and(|(name, version)| is_member(name) && decimal(version).is_some_and(|v| (1..=u64::from(u32::MAX)).contains(&v)))
}

fn is_reference(s: &str) -> bool {
    unhex::<16>(s).is_some()
}

fn is_part(s: &str) -> bool {
    let word = |w: &str| !w.is_empty() && w.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    s.len() <= 64
        && s != "record.json"
        && s.split_once('.').is_some_and(|(stem, end)| stem.split('-').all(word) && word(end) && (2..=4).contains(&end.len()))
}

impl Centre {
    /// Name of the centre's own key.
    pub fn key_name(&self) -> KeyName {
        KeyName(self.0.clone())
    }
    /// Name of the log's key, which is the log's origin.
    pub fn log_name(&self) -> KeyName {
        KeyName(format!("{}/log", self.0))
    }
    /// Name of the `n`th roster key.
    pub fn roster_name(&self, n: u32) -> KeyName {
        KeyName(format!("{}/roster-{n}", self.0))
    }
}

impl From<&Member> for KeyName {
    fn from(member: &Member) -> Self {
        KeyName(member.0.clone())
    }
}

/// Id of a record: a random UUIDv4.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId(uuid::Uuid);

impl RecordId {
    /// Makes an id from 16 random bytes (RFC 9562 section 5.4).
    pub fn from_random(bytes: [u8; 16]) -> Self {
        Self(uuid::Builder::from_random_bytes(bytes).into_uuid())
    }
}
impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0.hyphenated(), f)
    }
}
impl fmt::Debug for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl FromStr for RecordId {
    type Err = IdError;
    fn from_str(s: &str) -> Result<Self, IdError> {
        let id = uuid::Uuid::try_parse(s).map_err(|_| IdError("RecordId"))?;
        // try_parse also takes upper case, braces and urn:uuid: — one spelling only
        if id.get_version_num() == 4 && id.get_variant() == uuid::Variant::RFC4122 && id.hyphenated().to_string() == s {
            Ok(Self(id))
        } else {
            Err(IdError("RecordId"))
        }
    }
}
serde_as_text!(RecordId);

macro_rules! positions {
    ($($(#[$doc:meta])* $name:ident $count:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name {
            /// Epoch of the unit's key, from 1.
            pub epoch: u32,
            /// Position within the epoch, from 1.
            pub $count: u64,
        }
        impl $name {
            /// Both from 1; the second below 2^53, as every number in a text.
            pub fn new(epoch: u32, $count: u64) -> Result<Self, IdError> {
                let valid = epoch >= 1 && (1..MAX_NUMBER).contains(&$count);
                if valid { Ok(Self { epoch, $count }) } else { Err(IdError(stringify!($name))) }
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}.{}", self.epoch, self.$count)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
        impl FromStr for $name {
            type Err = IdError;
            fn from_str(s: &str) -> Result<Self, IdError> {
                let (epoch, count) = s.split_once('.').ok_or(IdError(stringify!($name)))?;
                let epoch = decimal(epoch).and_then(|e| u32::try_from(e).ok()).ok_or(IdError(stringify!($name)))?;
                Self::new(epoch, decimal(count).ok_or(IdError(stringify!($name)))?)
            }
        }
        serde_as_text!($name);
    )*};
}

positions! {
    /// Where a batch stands in its unit's chain: epoch and sequence.
    Place sequence;
    /// Where a record stands among its unit's records: epoch and number.
    Number number;
}

/// Version of a roster, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RosterVersion(pub u64);

impl fmt::Display for RosterVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}
impl FromStr for RosterVersion {
    type Err = IdError;
    fn from_str(s: &str) -> Result<Self, IdError> {
        decimal(s).filter(|&v| v >= 1).map(Self).ok_or(IdError("RosterVersion"))
    }
}
serde_as_text!(RosterVersion);

/// Index of an entry in the log, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogIndex(pub u64);

impl fmt::Display for LogIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// First 32 hex digits of SHA-256(`<kind>\n<unit> <record id>\n`).
fn reference(kind: &str, unit: &Member, record: RecordId) -> String {
    let digest = Sha256::digest(format!("{kind}\n{unit} {record}\n"));
    hex(&digest[..16])
}

impl ResidentRef {
    /// The reference of the resident that this record founds.
    pub fn founded_by(unit: &Member, record: RecordId) -> Self {
        Self(reference("enroll-resident/v1", unit, record))
    }
}

impl CaseRef {
    /// The case that holds this record.
    pub fn holding(unit: &Member, record: RecordId) -> Self {
        Self(reference("enroll-case/v1", unit, record))
    }
}

/// What a record does to the registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transaction {
    /// Founds a resident.
    New,
    /// A new document for a known resident: the last value of each field wins.
    Renewal,
    /// A document lost or damaged.
    Replacement,
    /// Changes only the fields that it carries; null clears one.
    Correction,
}

impl Transaction {
    /// All of version 1.
    pub const ALL: [Self; 4] = [Self::New, Self::Renewal, Self::Replacement, Self::Correction];

    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Renewal => "renewal",
            Self::Replacement => "replacement",
            Self::Correction => "correction",
        }
    }
}
impl fmt::Display for Transaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
impl FromStr for Transaction {
    type Err = IdError;
    fn from_str(s: &str) -> Result<Self, IdError> {
        Self::ALL.into_iter().find(|t| t.as_str() == s).ok_or(IdError("transaction"))
    }
}
serde_as_text!(Transaction);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_spelling_parses() {
        assert!("van-017".parse::<Member>().is_ok());
        for bad in ["", "Van", "7van", "van_1", "van 1", "-van", &"a".repeat(33)] {
            assert!(bad.parse::<Member>().is_err(), "{bad:?}");
        }
        assert!("1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed".parse::<RecordId>().is_ok());
        for bad in ["1B9D6BCD-BBFD-4B2D-9B5D-AB8DFBBD4BED", "1b9d6bcdbbfd4b2d9b5dab8dfbbd4bed", "1b9d6bcd-bbfd-1b2d-9b5d-ab8dfbbd4bed"] {
            assert!(bad.parse::<RecordId>().is_err(), "{bad:?}");
        }
        for bad in ["1", "0.1", "1.0", "01.1", "1.01", "1.1.1", "1."] {
            assert!(bad.parse::<Place>().is_err(), "{bad:?}");
        }
        assert_eq!("1.42".parse::<Place>().map(|p| p.to_string()).as_deref(), Ok("1.42"));
        for bad in ["record.json", "../x.png", "a.b.c", "a--b.png", "A.png", "face", "face.j", "face.jpeg2"] {
            assert!(bad.parse::<PartName>().is_err(), "{bad:?}");
        }
        for bad in ["", ".", "a..b", "-a.b", "A.b", "a_b"] {
            assert!(bad.parse::<Centre>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn references_of_resident_and_case_differ() {
        let unit: Member = "van-017".parse().expect("valid");
        let record = RecordId::from_random([7; 16]);
        assert_ne!(ResidentRef::founded_by(&unit, record).as_str(), CaseRef::holding(&unit, record).as_str());
    }
}
