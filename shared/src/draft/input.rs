//! What `enroll-client enrol PATH` reads: a folder, or a tar, with one resident's `resident.json` and image files.
//!
//! ```text
//! {"format":"enroll-input/v1","form":"national-id/1","transaction":"new","applies_to":null,
//!  "person":{"given_ar":"إيطو","given_latin":"Itto","sex":"f","date_of_birth":"1980-05",…},
//!  "exceptions":[{"position":"finger-left-ring","reason":"missing"}],
//!  "parts":[{"file":"face.jpg","media_type":"image/jpeg","position":"face"},…]}
//! ```
//!
//! `applies_to` is written as in record.json; it and `exceptions` may be left out. A part may have `quality`
//! (`{"by":…,"value":…}`) and `device`. Every file in the folder is named by exactly one part.
//!
//! **Trust:** whoever filled the folder. **Invariants:** file names are names, never paths; at most 64 KiB and 64
//! parts; no unknown or repeated key.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Capture, Draft};
use crate::{
    form::Form,
    id::{FormName, PartName, Transaction},
    problem::{Code, Problem},
    record::{
        Exception, MAX_JSON, MAX_PARTS, Quality, Target,
        json::{only_objects, strict_json},
    },
};

/// Name of the file that describes the others.
pub const FILE: &str = "resident.json";

/// One resident, as laid out in a folder.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct Input {
    /// Format and version.
    pub format: Format,
    /// The form to fill in.
    pub form: FormName,
    /// What the enrolment is for.
    pub transaction: Transaction,
    /// Whom it applies to; none for a new one.
    #[serde(default)]
    pub applies_to: Option<Target>,
    /// The fields, as written. Null clears a field, in a correction only.
    pub person: BTreeMap<String, Option<String>>,
    /// Captures that could not be made, and why.
    #[serde(default)]
    pub exceptions: Vec<Exception>,
    /// The other files.
    pub parts: Vec<InputPart>,
}

/// Format and version of resident.json.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Format {
    /// `enroll-input/v1`
    #[default]
    #[serde(rename = "enroll-input/v1")]
    V1,
}

/// A file beside resident.json.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct InputPart {
    /// Its name in the folder.
    pub file: PartName,
    /// `image/png`
    pub media_type: String,
    /// Where it belongs: `finger-left-ring`.
    pub position: String,
    /// What was measured, when something measured it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quality: Option<Quality>,
    /// What captured it, when that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
}

only_objects!(and written: Input InputPart);

impl Input {
    /// Reads a resident.json.
    pub fn parse(bytes: &[u8]) -> Result<Self, Problem> {
        let any: Version = strict_json(bytes, MAX_JSON).map_err(unreadable)?;
        if any.format.strip_prefix("enroll-input/v").is_some_and(|v| v != "1") {
            return Err(Code::UpgradeNeeded.into());
        }
        let input: Self = strict_json(bytes, MAX_JSON).map_err(unreadable)?;
        if input.parts.len() > MAX_PARTS {
            return Err(Code::PartsTooMany.into());
        }
        let mut files: Vec<&PartName> = input.parts.iter().map(|p| &p.file).collect();
        files.sort();
        if files.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(Problem::new(Code::InputUnreadable, format!("{FILE}: a file twice")));
        }
        Ok(input)
    }

    /// As a resident.json.
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec_pretty(self).expect("no map with other keys than strings, no failing Serialize")
    }

    /// Fills a draft, and gives the parts' bytes in the draft's order. `files` are all others in the folder.
    pub fn into_draft(mut self, form: &Form, mut files: BTreeMap<PartName, Vec<u8>>) -> Result<(Draft, Vec<Vec<u8>>), Problem> {
        if self.form != *form.name() {
            return Err(Problem::new(Code::FormInvalid, format!("{FILE} says {}, the form is {}", self.form, form.name())));
        }
        let mut draft = Draft::new(form, self.transaction)?;
        if let Some(target) = &self.applies_to {
            draft.apply_to(target.clone())?;
        }
        for (field, value) in &self.person {
            match value {
                Some(value) => draft.set(form, field, value)?,
                None => draft.clear(form, field)?,
            }
        }
        let mut parts = Vec::with_capacity(self.parts.len());
        for part in std::mem::take(&mut self.parts) {
            if draft.parts().iter().any(|p| p.position == part.position) {
                return Err(Problem::new(Code::InputUnreadable, format!("{FILE}: two parts at one position")));
            }
            let bytes = files.remove(&part.file).ok_or_else(|| Problem::new(Code::PartMissing, part.file.as_str()))?;
            draft.attach(form, &part.position, &part.media_type, &bytes, Capture { quality: part.quality, device: part.device })?;
            parts.push(bytes);
        }
        if let Some(extra) = files.keys().next() {
            return Err(Problem::new(Code::PartExtra, extra.as_str()));
        }
        self.exceptions.iter().try_for_each(|e| draft.except(form, &e.position, e.reason))?;
        Ok((draft, parts))
    }
}

impl Drop for Input {
    fn drop(&mut self) {
        self.person.values_mut().for_each(zeroize::Zeroize::zeroize);
    }
}

/// The one key that every version has.
#[derive(Deserialize)]
#[serde(remote = "Self")]
struct Version {
    format: String,
}

only_objects!(Version);

fn unreadable(problem: Problem) -> Problem {
    match problem.code {
        Code::ContentInvalid => Problem::new(Code::InputUnreadable, format!("{FILE}: {}", problem.detail)),
        _ => problem,
    }
}

impl std::fmt::Debug for Input {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Input({} {}, {} parts)", self.form, self.transaction, self.parts.len())
    }
}
