//! What the registry consists of: residents and records, and what two that speak of the same have in common.
//!
//! The rules by which records become residents are the centre's (`sync-server/rules/src/lib.rs`); here stands what anybody who holds two
//! registries, or a record and a registry, needs to compare them.
//!
//! **Trust:** contents come from the opener, which compared them with their signed lines. **Invariants:** the rules' version stands
//! in match keys and in the digest; no type of this module shows a value in `Debug`.

pub mod folding;
mod folding_v2;
mod key;
mod identity;
mod likeness;
pub mod digest;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

pub use digest::registry_digest;
pub use identity::{Compared, compare};
pub use key::{IDENTITY, MatchKey, has_number, keys};
pub use likeness::{Likeness, likenesses};

pub use crate::decision::RecordKey;
use crate::{
    form::Form,
    id::{FormName, ResidentRef, Transaction},
    record::{Content, Target},
    rules::Rules,
};

/// What the rules need of an opened record.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Essence {
    /// What it does.
    pub transaction: Transaction,
    /// Under which form.
    pub form: FormName,
    /// Fields that its form adds to those of identity.
    pub identity: BTreeSet<String>,
    /// To whom; none for `new`.
    pub target: Option<Target>,
    /// Fields as written; null clears.
    pub fields: BTreeMap<String, Option<String>>,
    /// Position → SHA-256 of the part in hex.
    pub parts: BTreeMap<String, String>,
    /// Positions among these of faces, fingers and eyes: of two persons they are never equal byte for byte.
    #[serde(default)]
    pub captures: BTreeSet<String>,
}

impl Essence {
    /// Takes what the rules need from an opened, valid record.
    pub fn of(content: &Content, form: &Form) -> Self {
        Self {
            transaction: content.transaction,
            form: content.form.clone(),
            identity: form.identity().clone(),
            target: content.applies_to.clone(),
            fields: content.person.clone(),
            parts: content.parts.iter().map(|p| (p.position.clone(), p.sha256.hex())).collect(),
            captures: content.parts.iter().filter(|p| p.is_biometric()).map(|p| p.position.clone()).collect(),
        }
    }

    /// What was captured of somebody new, by digest: none of it is anybody else's.
    pub fn captured(&self) -> impl Iterator<Item = &String> {
        let new = self.transaction == Transaction::New;
        self.captures.iter().filter(move |_| new).filter_map(|position| self.parts.get(position))
    }

    /// Under what the person stands of whom it speaks; for `new` only.
    pub fn keys(&self, rules: Rules) -> BTreeSet<MatchKey> {
        if self.transaction == Transaction::New { keys(rules, &self.fields) } else { BTreeSet::new() }
    }

    /// Name of the form without its version: two versions of a form are one kind of document.
    pub fn document(&self) -> &str {
        document(&self.form)
    }
}

/// Name of a form without its version.
pub fn document(form: &FormName) -> &str {
    form.as_str().split('/').next().unwrap_or_default()
}

impl std::fmt::Debug for Essence {
    // names of fields, never values
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let fields: Vec<&str> = self.fields.keys().map(String::as_str).collect();
        write!(f, "{} {} {fields:?}", self.transaction, self.form)
    }
}

/// A resident of the registry.
#[derive(Clone, PartialEq, Eq)]
pub struct Resident {
    /// Field → value as written, with the record that it came from.
    pub fields: BTreeMap<String, (String, RecordKey)>,
    /// Position → SHA-256 of the part in hex, with the record that it came from.
    pub parts: BTreeMap<String, (String, RecordKey)>,
    /// All records that are part of it, in the order in which they came in force.
    pub sources: Vec<RecordKey>,
}

impl Resident {
    /// The values of its fields.
    pub fn values(&self) -> BTreeMap<String, Option<String>> {
        self.fields.iter().map(|(name, (value, _))| (name.clone(), Some(value.clone()))).collect()
    }
}

impl std::fmt::Debug for Resident {
    // where it comes from, never whose it is
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Resident of {:?}", self.sources)
    }
}

/// Who stands, and what became of each record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Registry {
    /// Everybody who stands.
    pub residents: BTreeMap<ResidentRef, Resident>,
    /// What became of each record.
    pub fates: BTreeMap<RecordKey, crate::outcome::Fate>,
}
