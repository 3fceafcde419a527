//! What `enroll-client enrol PATH` reads: folders and archives with a resident's `resident.json` and image files.
//!
//! ```text
//! {"format":"enroll-input/v1","form":"national-id/1","transaction":"new","applies_to":null,
//!  "person":{"given_ar":"إيطو","given_latin":"Itto","sex":"f","date_of_birth":"1980-05",…},
//!  "exceptions":[{"position":"finger-left-ring","reason":"missing"}],
//!  "parts":[{"file":"face.jpg","media_type":"image/jpeg","position":"face"},…]}
//! ```
//!
//! `applies_to` is written as in record.json; it and `exceptions` may be left out. A part may have `quality`
//! (`{"by":…,"value":…}`) and `device`. Every file in the folder is named by exactly one part. The media type may be left out,
//! or be one that says nothing (`application/octet-stream`): then the first bytes say it.
//!
//! **Trust:** whoever filled the folder. **Invariants:** file names are names, never paths, and in no problem; at most 64 KiB and
//! 64 parts; no unknown or repeated key. What earlier software wrote is printed as it was: the print tells sources apart.

mod name;
mod text;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Capture, Draft};
use crate::{
    form::Form,
    id::{FormName, PartName, Transaction},
    image::ImageKind,
    problem::{Code, Problem},
    record::{Exception, MAX_PARTS, Quality, Target, json::only_objects},
};
pub use name::FileName;

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
    /// On which lines the fields stood.
    #[serde(skip)]
    pub lines: Lines,
}

/// On which line of a resident.json each field stood. Two that differ in nothing else are the same.
#[derive(Debug, Clone, Default)]
pub struct Lines(BTreeMap<String, usize>);

impl PartialEq for Lines {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
impl Eq for Lines {}

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
    pub file: FileName,
    /// `image/png`; none: what the first bytes say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
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
    /// Reads a resident.json, however an editor saved it.
    pub fn parse(bytes: &[u8]) -> Result<Self, Problem> {
        text::decoded(bytes).and_then(|text| Self::read(&text)).map_err(|problem| text::of_file(&problem))
    }

    fn read(json: &[u8]) -> Result<Self, Problem> {
        let any: Version = text::read(json)?;
        if any.format.strip_prefix("enroll-input/v").is_some_and(|v| v != "1") {
            return Err(Code::UpgradeNeeded.into());
        }
        let mut input: Self = text::read(json)?;
        if input.parts.len() > MAX_PARTS {
            return Err(Code::PartsTooMany.into());
        }
        let mut files: Vec<&FileName> = input.parts.iter().map(|p| &p.file).collect();
        files.sort();
        if files.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(Problem::new(Code::InputUnreadable, "a file twice"));
        }
        input.lines = Lines(text::lines(json));
        Ok(input)
    }

    /// As a resident.json.
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec_pretty(self).expect("no map with other keys than strings, no failing Serialize")
    }

    /// Fills a draft, and gives the parts' bytes in the draft's order. `files` are all others in the folder.
    pub fn into_draft(mut self, form: &Form, mut files: BTreeMap<FileName, Vec<u8>>) -> Result<(Draft, Vec<Vec<u8>>), Problem> {
        if self.form != *form.name() {
            return Err(Problem::new(Code::FormInvalid, format!("{FILE} says {}, the form is {}", self.form, form.name())));
        }
        let mut draft = Draft::new(form, self.transaction)?;
        if let Some(target) = &self.applies_to {
            draft.apply_to(target.clone())?;
        }
        self.fill(form, &mut draft)?;
        let mut parts = Vec::with_capacity(self.parts.len());
        for part in std::mem::take(&mut self.parts) {
            if draft.parts().iter().any(|p| p.position == part.position) {
                return Err(Problem::new(Code::InputUnreadable, format!("{FILE}: two parts at one position")));
            }
            let bytes = taken(&mut files, &part.file).ok_or_else(|| Problem::new(Code::PartMissing, part.shown()))?;
            let capture = Capture { quality: part.quality.clone(), device: part.device.clone() };
            draft.attach(form, &part.position, part.media_type(&bytes), &bytes, capture)?;
            parts.push(bytes);
        }
        if !files.is_empty() {
            return Err(Problem::new(Code::PartExtra, format!("{FILE} names {} files fewer than lie beside it", files.len())));
        }
        self.exceptions.iter().try_for_each(|e| draft.except(form, &e.position, e.reason))?;
        Ok((draft, parts))
    }

    fn fill(&self, form: &Form, draft: &mut Draft) -> Result<(), Problem> {
        for (field, value) in &self.person {
            let put = match value {
                Some(value) => draft.set(form, field, value),
                None => draft.clear(form, field),
            };
            let line = self.lines.0.get(field).map_or_else(String::new, |line| format!("line {line}: "));
            put.map_err(|problem| Problem::new(problem.code, format!("{FILE}: {line}{}", problem.detail)))?;
        }
        Ok(())
    }

    /// Which of these files no part names.
    pub fn unnamed<'a>(&self, files: impl IntoIterator<Item = &'a FileName>) -> Vec<FileName> {
        let mut files: BTreeMap<FileName, Vec<u8>> = files.into_iter().map(|name| (name.clone(), Vec::new())).collect();
        self.parts.iter().for_each(|part| drop(taken(&mut files, &part.file)));
        files.into_keys().collect()
    }
}

/// The file of this name; or else the one whose name differs in capitals only.
fn taken(files: &mut BTreeMap<FileName, Vec<u8>>, name: &FileName) -> Option<Vec<u8>> {
    files.remove(name).or_else(|| {
        let mut alike = files.keys().filter(|file| file.is_alike(name)).cloned();
        let (only, more) = (alike.next()?, alike.next());
        if more.is_none() { files.remove(&only) } else { None }
    })
}

/// What programs write that do not know a file's media type, or not its name.
const SAYS_NOTHING: [&str; 6] = ["", "application/octet-stream", "binary/octet-stream", "image", "image/*", "image/jpg"];

impl InputPart {
    /// What resident.json says, or else the first bytes.
    fn media_type(&self, bytes: &[u8]) -> &str {
        let said = self.media_type.as_deref().unwrap_or_default();
        let seen = ImageKind::of(bytes).map(ImageKind::media_type);
        if SAYS_NOTHING.contains(&said) { seen.unwrap_or("application/octet-stream") } else { said }
    }

    /// A name that is a part's; of any other, which may be a person's, the position.
    fn shown(&self) -> &str {
        let words = |text: &str| text.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
        let plain = self.file.as_str().parse::<PartName>().is_ok();
        if plain { self.file.as_str() } else { Some(&*self.position).filter(|p| words(p)).unwrap_or_default() }
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

impl std::fmt::Debug for Input {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Input({} {}, {} parts)", self.form, self.transaction, self.parts.len())
    }
}
