//! A record: what one resident's enrolment says, complete. It exists in memory only.
//!
//! ```text
//! {"format":"enroll-content/v1","record_id":"1b9d6bcd-…","unit":"van-017","agent":"agent-007","transaction":"new",
//!  "form":"national-id/3","finished":"2026-11-20T09:12:33Z","clock":{"raw":"…","boot":"<uuid>","boot_ms":5123456},
//!  "slip":"sha256:…","applies_to":null,"person":{"given_latin":"…","date_of_birth":"1980-05"},
//!  "consent":{"text":"1","at":"…"},"exceptions":[{"position":"finger-left-ring","reason":"missing"}],"fix":null,
//!  "parts":[{"name":"face.jp2","media_type":"image/jp2","size":40000,"sha256":"<hex>","modality":"face",
//!            "position":"face","quality":{"by":"…","value":80},"device":"…","attempt":1}]}
//! ```
//!
//! **Trust:** a parsed [`Content`] keeps the rules of this page, whoever wrote it; whether it keeps those of its
//! form, only the form can say. A [`Record`] has passed its form, and its parts are those that it lists.
//! **Invariants:** at most 64 KiB, depth 16, 64 parts; every key is there, no other, none twice; values of
//! `person` stay as written; no problem's detail repeats one of them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    id::{Digest, FormName, Member, PartName, RecordId, ResidentRef, Transaction},
    problem::{Code, Problem},
    time::Second,
};

pub mod json;
mod rules;
#[cfg(test)]
pub(crate) mod tests;

use json::only_objects;

/// Largest record.json, in bytes.
pub const MAX_JSON: usize = 64 * 1024;
/// Most parts of a record.
pub const MAX_PARTS: usize = 64;
/// Largest record, in bytes before sealing.
pub const MAX_PLAIN: u64 = crate::roster::Limits::PLAIN;

/// What record.json says. Public fields: [`Content::parse`] and [`Record`] stand for their meaning.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct Content {
    /// Format and version.
    pub format: Format,
    /// Id of the record, random.
    pub record_id: RecordId,
    /// The unit that enrolled.
    pub unit: Member,
    /// The agent (or supervisor) who enrolled, and whose key signs the record's line.
    pub agent: Member,
    /// What the record is for.
    pub transaction: Transaction,
    /// The form that it was filled in by.
    pub form: FormName,
    /// When it was finished: the laptop's clock, raised to the newest verified log time when it is behind.
    pub finished: Second,
    /// What the laptop's clocks showed.
    pub clock: ClockReading,
    /// Digest of the code on the resident's slip.
    pub slip: Digest,
    /// What the record changes; none for a new one.
    #[serde(deserialize_with = "present")]
    pub applies_to: Option<Target>,
    /// The fields, as written. Null clears a field, in a correction only.
    pub person: BTreeMap<String, Option<String>>,
    /// What the resident agreed to.
    pub consent: Consent,
    /// Captures that could not be made, and why.
    pub exceptions: Vec<Exception>,
    /// Where it was, when the laptop knew.
    #[serde(deserialize_with = "present")]
    pub fix: Option<Fix>,
    /// The parts that follow, in this order.
    pub parts: Vec<Part>,
}

/// Format and version of record.json.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Format {
    /// `enroll-content/v1`
    #[default]
    #[serde(rename = "enroll-content/v1")]
    V1,
}

/// What the laptop's clocks showed when the record was finished. Recorded, never trusted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct ClockReading {
    /// The wall clock, unraised.
    pub raw: Second,
    /// Id of this boot of the laptop: a UUID in lower case.
    pub boot: String,
    /// Milliseconds since that boot.
    pub boot_ms: u64,
}

/// What a renewal, a replacement or a correction applies to.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields, remote = "Self")]
pub enum Target {
    /// A resident of the registry.
    Resident {
        /// Its reference.
        resident: ResidentRef,
    },
    /// Whoever was founded by a record that was enrolled earlier.
    Record {
        /// The unit that enrolled it.
        unit: Member,
        /// Its id.
        record: RecordId,
    },
    /// Whoever stands under a national number.
    NationalNumber {
        /// The number, as written.
        national_number: String,
    },
}

/// What the resident agreed to, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct Consent {
    /// Version of the text that was shown.
    pub text: String,
    /// When.
    pub at: Second,
}

/// A capture that could not be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct Exception {
    /// Which: `finger-left-ring`.
    pub position: String,
    /// Why.
    pub reason: ExceptionReason,
}

/// Why a capture could not be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ExceptionReason {
    /// The finger (hand, eye) is not there.
    #[serde(rename = "missing")]
    Missing,
    /// It is there but hurt or bandaged.
    #[serde(rename = "injured")]
    Injured,
    /// The resident is too ill.
    #[serde(rename = "illness")]
    Illness,
    /// A child under 12: the face only.
    #[serde(rename = "child-under-12")]
    ChildUnder12,
}

/// Where the laptop was. Decimal numbers as text, so that no reader rounds them.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct Fix {
    /// Latitude in degrees (WGS 84).
    pub lat: String,
    /// Longitude in degrees (WGS 84).
    pub lon: String,
    /// Radius of the error in metres.
    pub accuracy_m: String,
}

/// A part of a record: an image or a document, kept as the device made it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct Part {
    /// Its name within the record: `face.jp2`.
    pub name: PartName,
    /// `image/jp2`
    pub media_type: String,
    /// Bytes.
    pub size: u64,
    /// SHA-256 of the bytes; in the JSON 64 hex digits.
    #[serde(with = "bare_hex")]
    pub sha256: Digest,
    /// `face`, `finger`, `iris`, `document`, `signature`, …
    pub modality: String,
    /// Which of these: `finger-left-ring`, `face`, `front`.
    pub position: String,
    /// What was measured, when something measured it.
    #[serde(deserialize_with = "present")]
    pub quality: Option<Quality>,
    /// What captured it, when that is known.
    #[serde(deserialize_with = "present")]
    pub device: Option<String>,
    /// Which attempt was kept, from 1.
    pub attempt: u32,
}

/// A measured quality.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct Quality {
    /// The measure, with its version.
    pub by: String,
    /// 0 to 100 (ISO/IEC 29794-1).
    pub value: u8,
}

only_objects!(and written: Content ClockReading Target Consent Exception Fix Part Quality);

/// A key with `null` is something else than a missing key: without this, serde takes both.
fn present<'de, D: serde::Deserializer<'de>, T: Deserialize<'de>>(d: D) -> Result<Option<T>, D::Error> {
    Option::deserialize(d)
}

mod bare_hex {
    use serde::{Deserialize as _, de::Error as _};

    use crate::{id::Digest, text::unhex};

    pub(super) fn serialize<S: serde::Serializer>(digest: &Digest, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&digest.hex())
    }
    pub(super) fn deserialize<'de, D: serde::Deserializer<'de>>(d: D) -> Result<Digest, D::Error> {
        let text = String::deserialize(d)?;
        unhex(&text).map(Digest::from_bytes).ok_or_else(|| D::Error::custom("not 64 hex digits"))
    }
}

impl Content {
    /// Reads record.json. Checks run left to right and the first that fails decides: size, UTF-8, depth, syntax,
    /// duplicate keys, version, shape, rules.
    pub fn parse(bytes: &[u8]) -> Result<Self, Problem> {
        let text = json::checked(bytes, MAX_JSON)?;
        rules::known_version(text)?;
        let content: Self = json::shape(text)?;
        content.check()?;
        Ok(content)
    }

    /// record.json, keys in the order of the example. Its size is checked by [`Record`], not here.
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("no map with other keys than strings, no failing Serialize")
    }
}

/// Names, numbers and dates of residents stay out of logs, whoever prints a content.
impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Content({} {} {})", self.unit, self.record_id, self.transaction)
    }
}
impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Resident { .. } => "Target::Resident(…)",
            Self::Record { .. } => "Target::Record(…)",
            Self::NationalNumber { .. } => "Target::NationalNumber(…)",
        })
    }
}
impl std::fmt::Debug for Fix {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Fix(…)")
    }
}

/// A complete record: its content has passed its form, its parts are exactly those listed. Zeroized when dropped.
pub struct Record {
    content: Content,
    parts: Vec<Vec<u8>>,
}

impl Record {
    /// What the form's check calls last: sizes and digests of `parts` equal the list, and everything is within limits.
    #[cfg_attr(not(feature = "form"), allow(dead_code, reason = "only a form's check makes records"))]
    pub(crate) fn checked(content: Content, parts: Vec<Vec<u8>>) -> Result<Self, Problem> {
        // made first, so that the bytes are wiped on every way out
        let record = Self { content, parts };
        record.content.check()?;
        let json = zeroize::Zeroizing::new(record.content.to_json());
        if json.len() > MAX_JSON {
            return Err(Problem::new(Code::JsonTooLarge, format!("{} bytes, at most {MAX_JSON}", json.len())));
        }
        if record.parts.len() != record.content.parts.len() {
            let code = if record.parts.len() < record.content.parts.len() { Code::PartMissing } else { Code::PartExtra };
            return Err(code.into());
        }
        for (listed, bytes) in record.content.parts.iter().zip(&record.parts) {
            listed.matches(bytes)?;
        }
        Ok(record)
    }
    /// What record.json says.
    pub fn content(&self) -> &Content {
        &self.content
    }
    /// The parts, in the order of the list.
    pub fn parts(&self) -> impl Iterator<Item = (&Part, &[u8])> {
        self.content.parts.iter().zip(self.parts.iter().map(Vec::as_slice))
    }
}

impl Part {
    /// Size and digest of `bytes` are those that the list states.
    pub fn matches(&self, bytes: &[u8]) -> Result<(), Problem> {
        let same = self.size == bytes.len() as u64 && self.sha256 == Digest::of(bytes);
        if same { Ok(()) } else { Err(Problem::new(Code::PartDigest, self.name.as_str())) }
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        self.parts.iter_mut().for_each(zeroize::Zeroize::zeroize);
        self.content.person.values_mut().for_each(zeroize::Zeroize::zeroize);
    }
}

impl std::fmt::Debug for Record {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Record({} {})", self.content.unit, self.content.record_id)
    }
}
