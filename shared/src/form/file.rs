//! Reading a form file: its shape, then whether its parts agree with each other.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::{
    Demands, Form, Group, MAX_FORM, Modality, Positions, Words,
    codes::{Codes, FileList},
    schema,
};
use crate::{
    id::{Blob, FormName, Transaction},
    image::ImageKind,
    problem::{Code, Problem},
    record::{
        ExceptionReason,
        json::{only_objects, strict_json},
    },
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields, remote = "Self")]
struct File {
    format: String,
    name: FormName,
    title: Words,
    schema: serde_json::Value,
    labels: BTreeMap<String, Words>,
    layout: Vec<Group>,
    parts: BTreeMap<String, Modality>,
    transactions: BTreeMap<Transaction, Wanted>,
    pad: u64,
    consent: BTreeMap<String, Words>,
    #[serde(default)]
    identity: Vec<String>,
    #[serde(default)]
    codes: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    lists: BTreeMap<String, FileList>,
    #[serde(default)]
    positions: Option<Positions>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, remote = "Self")]
struct Wanted {
    fields: Vec<String>,
    parts: Vec<String>,
    optional: Vec<String>,
    exceptions: BTreeMap<ExceptionReason, Vec<String>>,
}

only_objects!(File Wanted);

impl Form {
    /// Reads a form file. `upgrade-needed` when it is of a later format, `form-file-invalid` when something in it is
    /// unknown or contradicts the rest.
    pub fn parse(bytes: &[u8]) -> Result<Self, Problem> {
        // 1. the format, before anything that a later one may spell otherwise
        let any: serde_json::Value = strict_json(bytes, MAX_FORM)?;
        match any.get("format").and_then(serde_json::Value::as_str) {
            Some("enroll-form/v1") => {}
            Some(other) if other.starts_with("enroll-form/v") => return Err(Code::UpgradeNeeded.into()),
            _ => return Err(schema::wrong("not a form")),
        }
        // 2. the shape: no unknown key, no missing one
        let file: File = strict_json(bytes, MAX_FORM).map_err(|p| Problem::new(Code::FormFileInvalid, p.detail))?;
        debug_assert_eq!(file.format, "enroll-form/v1");
        // 3. the schema: known keywords only, one label a field
        let (whole, fields) = schema::compile(&file.schema, file.labels)?;
        let codes = Codes::read(file.lists, file.codes, &fields)?;
        let form = Self {
            name: file.name,
            blob: Blob::of(bytes),
            size: bytes.len() as u64,
            pad: file.pad,
            title: file.title,
            whole,
            fields,
            layout: file.layout,
            modalities: file.parts,
            transactions: file.transactions.into_iter().map(|(t, wanted)| (t, wanted.into())).collect(),
            consent: file.consent,
            identity: file.identity.into_iter().collect(),
            codes,
            positions: file.positions,
        };
        // 4. what the rest names is there
        form.check_layout()?;
        form.check_modalities()?;
        form.check_transactions()?;
        form.check_limits()?;
        Ok(form)
    }

    /// Each field stands in the layout exactly once.
    fn check_layout(&self) -> Result<(), Problem> {
        let placed: Vec<&String> = self.layout.iter().flat_map(|g| &g.fields).collect();
        let distinct: BTreeSet<&String> = placed.iter().copied().collect();
        let all: BTreeSet<&String> = self.fields.keys().collect();
        demand(placed.len() == distinct.len() && distinct == all, "layout does not place each field once")?;
        demand(self.identity.iter().all(|name| self.fields.contains_key(name)), "identity names an unknown field")
    }

    /// Positions are words, each of one modality; media types are those whose headers can be read.
    fn check_modalities(&self) -> Result<(), Problem> {
        let positions: Vec<&String> = self.modalities.values().flat_map(|m| &m.positions).collect();
        let distinct: BTreeSet<&String> = positions.iter().copied().collect();
        demand(positions.len() == distinct.len(), "a position twice")?;
        demand(positions.iter().all(|p| is_word(p)) && self.modalities.keys().all(|m| is_word(m)), "a position or modality is no word")?;
        let known = |m: &Modality| m.media_types.iter().all(|t| t.starts_with("image/") || ImageKind::of_media_type(t).is_some());
        let typed = self.modalities.values().all(|m| !m.media_types.is_empty() && known(m));
        demand(typed, "a modality without media types, or with one that no image, template or document has")
    }

    fn check_transactions(&self) -> Result<(), Problem> {
        demand(!self.transactions.is_empty(), "no transaction")?;
        for (transaction, demands) in &self.transactions {
            let fields = demands.fields.iter().all(|f| self.fields.contains_key(f));
            demand(fields, &format!("{transaction}: an unknown field"))?;
            let positions: Vec<&String> = demands.parts.iter().chain(&demands.optional).collect();
            let distinct: BTreeSet<&String> = positions.iter().copied().collect();
            demand(positions.iter().all(|p| self.modality(p).is_some()), &format!("{transaction}: an unknown position"))?;
            demand(positions.len() == distinct.len(), &format!("{transaction}: a position twice"))?;
            let excused = demands.exceptions.iter().flat_map(|(_, modalities)| modalities);
            demand(excused.into_iter().all(|m| self.modalities.contains_key(m)), &format!("{transaction}: an unknown modality"))?;
        }
        Ok(())
    }

    /// Padding within what a record may have; consent texts numbered from 1.
    fn check_limits(&self) -> Result<(), Problem> {
        demand(self.pad <= crate::record::MAX_PLAIN, "pad is larger than a record may be")?;
        let numbered = self.consent.keys().all(|v| crate::text::decimal(v).is_some_and(|v| (1..1 << 31).contains(&v)));
        demand(!self.consent.is_empty() && numbered, "consent texts are numbered from 1, one at least")
    }
}

impl From<Wanted> for Demands {
    fn from(wanted: Wanted) -> Self {
        Self { fields: wanted.fields, parts: wanted.parts, optional: wanted.optional, exceptions: wanted.exceptions.into_iter().collect() }
    }
}

/// `finger-left-ring`: what a part's name may begin with.
fn is_word(text: &str) -> bool {
    format!("{text}.jpg").parse::<crate::id::PartName>().is_ok()
}

fn demand(holds: bool, what: &str) -> Result<(), Problem> {
    if holds { Ok(()) } else { Err(schema::wrong(what)) }
}
