//! Forms: what a record of a kind of document must hold, as a file that an administrator publishes.
//!
//! ```text
//! {"format":"enroll-form/v1","name":"national-id/1","title":{"ar":…,"fr":…,"en":…},
//!  "schema":{"type":"object","additionalProperties":false,"properties":{"given_ar":{"type":"string","pattern":…},…}},
//!  "labels":{"given_ar":{"ar":…,"fr":…,"en":…},…},
//!  "layout":[{"group":"person","title":{…},"fields":["given_ar",…]},…],
//!  "parts":{"finger":{"positions":["finger-right-thumb",…],"media_types":["image/png",…],"max_bytes":1048576,"min_dpi":490},…},
//!  "transactions":{"new":{"fields":["given_ar",…],"parts":["face",…],"optional":["iris-right",…],
//!                         "exceptions":{"missing":["finger"],"child-under-12":["finger","signature"]}},…},
//!  "identity":["residence_id"],"positions":"label","pad":0,"consent":{"1":{"ar":…,"fr":…,"en":…}},
//!  "codes":{"sex":["sex"],…},"lists":{"sex":{"credit":"…","codes":[["f","أنثى","féminin","female"],…]},…}}
//! ```
//!
//! `schema` is JSON Schema 2020-12 of the person's fields, all of them strings; of its keywords only those that need
//! no other document may stand there ([`schema`]). A field of format `past-date` may be partial (`1980`, `1980-05`); one of format
//! `name-arabic`, `name-latin` or `name-tifinagh` is a name of that script ([`name`]). What is typed is brought to one form ([`typed`]).
//! `codes` names fields that take a code of one of the form's `lists` ([`codes`]); both may be left out.
//! `optional` parts may be attached, others may not. `exceptions` say for which reason which kinds of demanded parts
//! may be absent. A correction carries the changed fields, one at least. `identity`, which may be left out, names fields that say who
//! somebody is, beside those that the match key reads. `positions`, which may be left out, says who wins where an image names another
//! finger or eye than the one it was attached for: the image (`inside`) or the agent (`label`). Without it such an image is refused.
//!
//! **Trust:** the file's digest stands in the roster, so its author is known; it is checked all the same, because a
//! slip in it would refuse residents in the field. **Invariants:** at most 256 KiB; no unknown keyword anywhere; each
//! field has a label and one place in the layout; each position that a transaction names exists. The same
//! [`Form::check`] runs at the unit before a record exists and at the centre after it was opened.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::Deserialize;

use crate::{
    id::{Blob, FormName, Transaction},
    problem::{Code, Lang, Problem},
    record::{ExceptionReason, json::only_objects},
    roster::FormRef,
};

pub mod typed;
pub mod name;
pub mod codes;
pub mod date;
pub mod schema;
pub mod file;
pub mod check;
#[cfg(all(test, feature = "sample"))]
mod tests;

use schema::Field;
pub use schema::is_field_name;

/// Largest form that is read, in bytes.
pub const MAX_FORM: usize = 256 * 1024;

/// The files that a centre starts with: national identity card, residence permit, residence certificate.
pub const FIRST: [&[u8]; 3] = [
    include_bytes!("../forms/national-id-1.json"),
    include_bytes!("../forms/residence-permit-1.json"),
    include_bytes!("../forms/residence-certificate-1.json"),
];

/// A text in the three languages.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct Words {
    ar: String,
    fr: String,
    en: String,
}

impl Words {
    /// The text in a language.
    pub fn say(&self, lang: Lang) -> &str {
        match lang {
            Lang::Ar => &self.ar,
            Lang::Fr => &self.fr,
            Lang::En => &self.en,
        }
    }
}

/// Fields that stand together on the screen, in order.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct Group {
    /// Its name within the form.
    pub group: String,
    /// What stands above it.
    pub title: Words,
    /// Names of its fields.
    pub fields: Vec<String>,
}

/// A kind of part: which positions it has, and what may be attached there.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct Modality {
    /// Positions, such as `finger-left-ring`.
    pub positions: Vec<String>,
    /// Media types that are taken.
    pub media_types: Vec<String>,
    /// Largest part, in bytes.
    pub max_bytes: u64,
    /// Least resolution, where the image states one, in dots per inch.
    #[serde(default)]
    pub min_dpi: Option<u32>,
}

only_objects!(Words Group Modality);

/// Who wins where an image names another finger or eye than the one it was attached for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Positions {
    /// The image: it is attached where it says that it belongs.
    Inside,
    /// The agent: devices of this programme are known to name the wrong one.
    Label,
}

/// What one transaction demands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demands {
    /// Fields that must be there.
    pub fields: Vec<String>,
    /// Positions at which a part, or an exception, must be there.
    pub parts: Vec<String>,
    /// Positions at which a part may be there.
    pub optional: Vec<String>,
    /// Reasons for which demanded parts of these modalities may be absent.
    pub exceptions: Vec<(ExceptionReason, Vec<String>)>,
}

impl Demands {
    /// May a demanded part of this modality be absent for this reason?
    pub fn allows(&self, reason: ExceptionReason, modality: &str) -> bool {
        self.exceptions.iter().any(|(r, modalities)| *r == reason && modalities.iter().any(|m| m == modality))
    }
}

/// A form that is consistent in itself.
#[derive(Debug)]
pub struct Form {
    name: FormName,
    blob: Blob,
    size: u64,
    pad: u64,
    title: Words,
    whole: jsonschema::Validator,
    fields: BTreeMap<String, Field>,
    layout: Vec<Group>,
    modalities: BTreeMap<String, Modality>,
    transactions: BTreeMap<Transaction, Demands>,
    consent: BTreeMap<String, Words>,
    identity: BTreeSet<String>,
    codes: codes::Codes,
    positions: Option<Positions>,
}

impl Form {
    /// Reads the file that the roster names, and no other.
    pub fn named(wanted: &FormRef, bytes: &[u8]) -> Result<Self, Problem> {
        if bytes.len() as u64 != wanted.size || Blob::of(bytes) != wanted.blob {
            return Err(Problem::new(Code::FormMismatch, wanted.name.to_string()));
        }
        let form = Self::parse(bytes)?;
        if form.name == wanted.name { Ok(form) } else { Err(Problem::new(Code::FormMismatch, wanted.name.to_string())) }
    }

    /// Name and version.
    pub const fn name(&self) -> &FormName {
        &self.name
    }
    /// SHA-256 of the file, as the roster names it.
    pub const fn blob(&self) -> Blob {
        self.blob
    }
    /// Size of the file in bytes, as the roster names it.
    pub const fn size(&self) -> u64 {
        self.size
    }
    /// Least size to which a record of this form is padded, in bytes.
    pub const fn pad(&self) -> u64 {
        self.pad
    }
    /// What the document is called.
    pub const fn title(&self) -> &Words {
        &self.title
    }
    /// Fields in the groups and the order in which they are asked for.
    pub fn layout(&self) -> &[Group] {
        &self.layout
    }
    /// What stands beside a field.
    pub fn label(&self, field: &str) -> Option<&Words> {
        self.fields.get(field).map(|f| &f.label)
    }
    /// What a field asks for, in words.
    pub fn asks(&self, field: &str) -> Option<&str> {
        self.fields.get(field).map(|f| f.asks.as_str())
    }
    /// Every position, with the kind of part that belongs there.
    pub fn all_positions(&self) -> impl Iterator<Item = (&str, &Modality)> {
        self.modalities.values().flat_map(|modality| modality.positions.iter().map(move |position| (position.as_str(), modality)))
    }
    /// The kind of part that belongs at a position, and its limits.
    pub fn modality(&self, position: &str) -> Option<(&str, &Modality)> {
        self.modalities.iter().find(|(_, m)| m.positions.iter().any(|p| p == position)).map(|(name, m)| (name.as_str(), m))
    }
    /// What a transaction demands.
    pub fn demands(&self, transaction: Transaction) -> Result<&Demands, Problem> {
        self.transactions
            .get(&transaction)
            .ok_or_else(|| Problem::new(Code::FormInvalid, format!("{} has no transaction {transaction}", self.name)))
    }
    /// Transactions that the form knows.
    pub fn transactions(&self) -> impl Iterator<Item = Transaction> {
        self.transactions.keys().copied()
    }
    /// Fields that say who somebody is, beside those that the match key reads.
    pub const fn identity(&self) -> &BTreeSet<String> {
        &self.identity
    }
    /// Who wins where an image names another finger or eye; nobody, where such an image is refused.
    pub const fn positions(&self) -> Option<Positions> {
        self.positions
    }
    /// The text that a resident agrees to.
    pub fn consent(&self, version: &str) -> Option<&Words> {
        self.consent.get(version)
    }
    /// Version of the newest consent text.
    pub fn newest_consent(&self) -> &str {
        let newest = self.consent.keys().max_by_key(|v| v.parse::<u32>().unwrap_or(0));
        newest.map(String::as_str).expect("a form without a consent text is refused when parsed")
    }
}

/// Forms by name and digest: a name alone may have had other bytes under another roster.
#[derive(Debug, Clone, Default)]
pub struct FormSet(BTreeMap<(FormName, Blob), Arc<Form>>);

impl FormSet {
    /// Adds a form; the same bytes twice are there once.
    pub fn insert(&mut self, form: Form) -> Arc<Form> {
        let key = (form.name.clone(), form.blob);
        Arc::clone(self.0.entry(key).or_insert_with(|| Arc::new(form)))
    }

    /// The form of this name with exactly these bytes.
    pub fn find(&self, name: &FormName, blob: Blob) -> Result<&Arc<Form>, Problem> {
        self.0.get(&(name.clone(), blob)).ok_or_else(|| Problem::new(Code::FormUnknown, name.to_string()))
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Form>> {
        self.0.values()
    }
}
