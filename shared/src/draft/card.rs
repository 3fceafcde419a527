//! Two cards that stay at the unit when a record is sealed: the laptop can't open the record again.
//!
//! | card | for | lives until |
//! |---|---|---|
//! | [`ReviewCard`] | the supervisor who reviews the day | the batch is closed |
//! | [`ContactCard`] | calling back a resident whose record was refused | the outcome is `merged`, or retention ends |
//!
//! ```text
//! {"name_ar":"…","name_latin":"…","form":"national-id/1","transaction":"new","exceptions":[…],
//!  "quality":[["finger-left-ring",61]],"parts":12,"portrait":{"media_type":"image/jpeg","base64":"…"}}
//! {"name_ar":"…","name_latin":"…","phone":"…","village":"…"}
//! ```
//!
//! **Trust:** made of a [`Record`], so it has passed its form. **Invariants:** personal data: the caller encrypts it
//! under its own erasable key; no pixel is decoded, so a portrait above 64 KiB is left out.

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use zeroize::{Zeroize as _, Zeroizing};

use crate::{
    id::{FormName, Transaction},
    problem::Problem,
    record::{
        Exception, Record,
        json::{only_objects, strict_json},
    },
};

/// Largest portrait that a review card carries, in bytes.
const MAX_PORTRAIT: usize = 64 * 1024;
/// Largest card that is read, in bytes.
const MAX_CARD: usize = 128 * 1024;

/// What a supervisor sees of a finished record.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct ReviewCard {
    /// Name in Arabic; empty in a correction that leaves it alone.
    pub name_ar: String,
    /// Name in Latin script.
    pub name_latin: String,
    /// The form.
    pub form: FormName,
    /// What the record is for.
    pub transaction: Transaction,
    /// What could not be captured, and why.
    pub exceptions: Vec<Exception>,
    /// Position and measured quality, where something measured it.
    pub quality: Vec<(String, u8)>,
    /// How many parts the record has.
    pub parts: usize,
    /// The portrait, when it is small enough.
    pub portrait: Option<Portrait>,
}

/// The portrait's own bytes.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct Portrait {
    /// `image/jpeg`
    pub media_type: String,
    /// The image file.
    #[serde(rename = "base64", with = "base64_text")]
    pub bytes: Vec<u8>,
}

/// How a resident can be reached.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct ContactCard {
    /// Name in Arabic.
    pub name_ar: String,
    /// Name in Latin script.
    pub name_latin: String,
    /// Telephone; empty when there is none.
    pub phone: String,
    /// Village; empty when it was not asked for.
    pub village: String,
}

only_objects!(and written: ReviewCard Portrait ContactCard);

impl ReviewCard {
    /// The card of a record.
    pub fn of(record: &Record) -> Self {
        let content = record.content();
        let small = |(part, bytes): &(&crate::record::Part, &[u8])| part.position == "face" && bytes.len() <= MAX_PORTRAIT;
        let portrait = record.parts().find(small).map(|(part, b)| Portrait { media_type: part.media_type.clone(), bytes: b.to_vec() });
        let measured = content.parts.iter().filter_map(|p| Some((p.position.clone(), p.quality.as_ref()?.value)));
        Self {
            name_ar: name(record, "ar"),
            name_latin: name(record, "latin"),
            form: content.form.clone(),
            transaction: content.transaction,
            exceptions: content.exceptions.clone(),
            quality: measured.collect(),
            parts: content.parts.len(),
            portrait,
        }
    }
    /// As JSON, to be encrypted.
    pub fn to_json(&self) -> Zeroizing<Vec<u8>> {
        print(self)
    }
    /// Reads what [`ReviewCard::to_json`] wrote.
    pub fn parse(bytes: &[u8]) -> Result<Self, Problem> {
        read(bytes)
    }
}

impl ContactCard {
    /// The card of a record.
    pub fn of(record: &Record) -> Self {
        let (phone, village) = (field(record, "phone").to_owned(), field(record, "village").to_owned());
        Self { name_ar: name(record, "ar"), name_latin: name(record, "latin"), phone, village }
    }
    /// As JSON, to be encrypted.
    pub fn to_json(&self) -> Zeroizing<Vec<u8>> {
        print(self)
    }
    /// Reads what [`ContactCard::to_json`] wrote.
    pub fn parse(bytes: &[u8]) -> Result<Self, Problem> {
        read(bytes)
    }
}

fn field<'a>(record: &'a Record, name: &str) -> &'a str {
    record.content().person.get(name).and_then(Option::as_deref).unwrap_or("")
}

/// Given and family name in one script.
fn name(record: &Record, script: &str) -> String {
    let words = ["given", "family"].map(|which| field(record, &format!("{which}_{script}")));
    words.into_iter().filter(|w| !w.is_empty()).collect::<Vec<_>>().join(" ")
}

fn print(card: &impl Serialize) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(serde_json::to_vec(card).expect("no map with other keys than strings, no failing Serialize"))
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    strict_json(bytes, MAX_CARD)
}

impl Drop for ReviewCard {
    fn drop(&mut self) {
        self.name_ar.zeroize();
        self.name_latin.zeroize();
        self.portrait.iter_mut().for_each(|p| p.bytes.zeroize());
    }
}
impl Drop for ContactCard {
    fn drop(&mut self) {
        for text in [&mut self.name_ar, &mut self.name_latin, &mut self.phone, &mut self.village] {
            text.zeroize();
        }
    }
}

/// Names of residents stay out of logs, whoever prints a card.
impl std::fmt::Debug for ReviewCard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ReviewCard({} {})", self.form, self.transaction)
    }
}
impl std::fmt::Debug for ContactCard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ContactCard(…)")
    }
}

mod base64_text {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    use serde::{Deserialize as _, de::Error as _};

    pub(super) fn serialize<S: serde::Serializer>(bytes: &[u8], s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&STANDARD.encode(bytes))
    }
    pub(super) fn deserialize<'de, D: serde::Deserializer<'de>>(d: D) -> Result<Vec<u8>, D::Error> {
        STANDARD.decode(String::deserialize(d)?).map_err(|_| D::Error::custom("not base64"))
    }
}
