//! A draft: a resident being enrolled, complete or not. The road starts here.
//!
//! ```text
//! Draft::new → set, attach, except, … → missing: nothing → finish → Record
//! ```
//!
//! Saved after every step ([`Draft::to_json`]), encrypted by whoever stores it. The bytes of parts are kept beside
//! it, not in it, and come in again when it is finished; the draft remembers their sizes and digests.
//!
//! **Trust:** the agent at the keyboard. What can be checked early is refused early: an unknown field, a value that
//! its field does not take, an image that is none. Whether the whole fits its form is said by [`Draft::finish`].
//! **Invariants:** at most one part or exception a position; finishing consumes the draft and gives it back when
//! something is missing; no detail of a problem repeats a value.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use zeroize::{Zeroize as _, Zeroizing};

use crate::{
    form::{Form, check::check_repeated, typed},
    id::{Digest, FormName, Member, PartName, RecordId, Transaction},
    image::ImageHeader,
    problem::{Code, Problem},
    record::{
        ClockReading, Consent, Content, Exception, ExceptionReason, Fix, Format, MAX_JSON, MAX_PARTS, Part, Quality, Record, Target,
        json::{only_objects, strict_json},
    },
    time::Second,
};

pub mod card;
pub mod input;
#[cfg(all(test, feature = "sample"))]
mod tests;

/// A resident being enrolled.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct Draft {
    form: FormName,
    transaction: Transaction,
    applies_to: Option<Target>,
    person: BTreeMap<String, Option<String>>,
    exceptions: Vec<Exception>,
    parts: Vec<Part>,
}

only_objects!(and written: Draft);

/// What a device says about a capture.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Capture {
    /// What was measured, when something measured it.
    pub quality: Option<Quality>,
    /// What captured it, when that is known.
    pub device: Option<String>,
}

impl Capture {
    /// What nobody claims, the image may say of itself. 254 and 255 are no quality: the capture failed, or nobody measured.
    fn or(self, header: &ImageHeader) -> Self {
        let inside = || header.says.quality.map(|value| Quality { by: header.kind.media_type().into(), value });
        let claimed = self.quality.filter(|quality| quality.value < 254);
        Self { quality: claimed.or_else(inside), device: self.device.or_else(|| header.says.device_words()) }
    }
}

/// Something that a draft still lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Missing {
    /// A field that the transaction demands.
    Field(String),
    /// A position that the transaction demands a part or an exception at.
    Part(String),
    /// Whom it applies to.
    Target,
    /// A correction without a changed field.
    Change,
}

impl std::fmt::Display for Missing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Field(name) => write!(f, "field {name}"),
            Self::Part(position) => write!(f, "part {position}"),
            Self::Target => f.write_str("applies-to"),
            Self::Change => f.write_str("a changed field"),
        }
    }
}

/// What is known only at the moment of finishing.
#[derive(Debug, Clone)]
pub struct Facts {
    /// Id of the record, random.
    pub record_id: RecordId,
    /// The unit.
    pub unit: Member,
    /// Who finishes.
    pub agent: Member,
    /// The finishing time, raised to the newest verified log time when the clock is behind it.
    pub finished: Second,
    /// What the clocks showed.
    pub clock: ClockReading,
    /// Digest of the slip's code.
    pub slip: Digest,
    /// What the resident agreed to, and when.
    pub consent: Consent,
    /// Where, when the laptop knows.
    pub fix: Option<Fix>,
}

/// The draft could not be finished: here it is again, with the reason.
#[derive(Debug)]
pub struct Unfinished {
    /// As it was.
    pub draft: Draft,
    /// What is missing or wrong.
    pub problem: Problem,
}

impl Draft {
    /// An empty draft; the form must know the transaction.
    pub fn new(form: &Form, transaction: Transaction) -> Result<Self, Problem> {
        form.demands(transaction)?;
        Ok(Self {
            form: form.name().clone(),
            transaction,
            applies_to: None,
            person: BTreeMap::new(),
            exceptions: Vec::new(),
            parts: Vec::new(),
        })
    }

    /// Reads what [`Draft::to_json`] wrote.
    pub fn parse(bytes: &[u8]) -> Result<Self, Problem> {
        strict_json(bytes, MAX_JSON)
    }

    /// As JSON, to be stored encrypted.
    pub fn to_json(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(serde_json::to_vec(self).expect("no map with other keys than strings, no failing Serialize"))
    }

    /// The form that it is filled in by.
    pub const fn form(&self) -> &FormName {
        &self.form
    }
    /// What it is for.
    pub const fn transaction(&self) -> Transaction {
        self.transaction
    }
    /// Whom it applies to.
    pub const fn applies_to(&self) -> Option<&Target> {
        self.applies_to.as_ref()
    }
    /// The fields so far; null clears one.
    pub const fn person(&self) -> &BTreeMap<String, Option<String>> {
        &self.person
    }
    /// The parts so far, in the order in which finishing wants their bytes.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }
    /// The exceptions so far.
    pub fn exceptions(&self) -> &[Exception] {
        &self.exceptions
    }

    /// Writes a field, in the one form of what was typed; a name that one code of its lists bears is that code.
    pub fn set(&mut self, form: &Form, field: &str, value: &str) -> Result<(), Problem> {
        self.is_of(form)?;
        let mut value = typed::normal(value);
        // what a list calls by this name, where one code alone bears it
        if let Some(code) = form.code_of(field, &value) {
            value = Zeroizing::new(code.to_owned());
        }
        form.check_value(field, &value)?;
        self.put(field, Some(std::mem::take(&mut *value)));
        Ok(())
    }

    /// Says that a field is to be cleared in the registry: a correction only.
    pub fn clear(&mut self, form: &Form, field: &str) -> Result<(), Problem> {
        self.is_of(form)?;
        if self.transaction != Transaction::Correction || form.label(field).is_none() {
            return Err(Problem::new(Code::FieldInvalid, format!("{}: only a correction clears a field", shown(field))));
        }
        self.put(field, None);
        Ok(())
    }

    /// Forgets a field.
    pub fn unset(&mut self, field: &str) {
        if let Some(Some(mut old)) = self.person.remove(field) {
            old.zeroize();
        }
    }

    fn put(&mut self, field: &str, value: Option<String>) {
        if let Some(Some(mut old)) = self.person.insert(field.to_owned(), value) {
            old.zeroize();
        }
    }

    /// Says whom it applies to; a new enrolment applies to nobody.
    pub fn apply_to(&mut self, target: Target) -> Result<(), Problem> {
        if self.transaction == Transaction::New {
            return Err(Problem::new(Code::FieldInvalid, "applies-to: a new enrolment applies to nobody"));
        }
        self.applies_to = Some(match target {
            Target::NationalNumber { national_number } => {
                Target::NationalNumber { national_number: std::mem::take(&mut *typed::normal(&Zeroizing::new(national_number))) }
            }
            other => other,
        });
        Ok(())
    }

    /// Takes a part at a position, in place of an earlier one or of an exception. The caller keeps the bytes. Where the form lets an
    /// image say where it belongs, the part's position is that one.
    pub fn attach(&mut self, form: &Form, position: &str, media_type: &str, bytes: &[u8], capture: Capture) -> Result<Part, Problem> {
        self.is_of(form)?;
        form.place(position, form.demands(self.transaction)?)?;
        form.check_claim(position, media_type, bytes.len() as u64)?;
        let header = form.check_image(position, media_type, bytes)?;
        let part = self.part(form, form.settle(position, &header)?, media_type, bytes, capture.or(&header))?;
        let moved = part.position != position;
        if moved && self.parts.iter().any(|p| p.position == part.position) {
            let told = format!("{position}: the image says that it is {}, where there is a part", part.position);
            return Err(Problem::new(Code::PositionMismatch, told));
        }
        let mut parts: Vec<Part> = self.parts.iter().filter(|p| p.position != part.position).cloned().collect();
        parts.push(part.clone());
        check_repeated(&parts)?;
        if parts.len() > MAX_PARTS {
            return Err(Code::PartsTooMany.into());
        }
        self.parts = parts;
        self.exceptions.retain(|e| e.position != part.position);
        Ok(part)
    }

    fn part(&self, form: &Form, position: &str, media_type: &str, bytes: &[u8], capture: Capture) -> Result<Part, Problem> {
        let (modality, _) = form.place(position, form.demands(self.transaction)?)?;
        let former = self.parts.iter().find(|p| p.position == position);
        Ok(Part {
            name: part_name(position, media_type)?,
            media_type: media_type.to_owned(),
            size: bytes.len() as u64,
            sha256: Digest::of(bytes),
            modality: modality.to_owned(),
            position: position.to_owned(),
            quality: capture.quality,
            device: capture.device,
            attempt: former.map_or(1, |p| p.attempt.saturating_add(1)),
        })
    }

    /// Forgets the part at a position.
    pub fn detach(&mut self, position: &str) -> Option<Part> {
        let at = self.parts.iter().position(|p| p.position == position)?;
        Some(self.parts.remove(at))
    }

    /// Says why no part can be captured at a position.
    pub fn except(&mut self, form: &Form, position: &str, reason: ExceptionReason) -> Result<(), Problem> {
        self.is_of(form)?;
        let exception = Exception { position: position.to_owned(), reason };
        form.check_exception(&exception, form.demands(self.transaction)?)?;
        if self.parts.iter().any(|p| p.position == position) {
            return Err(Problem::new(Code::ExceptionNotAllowed, format!("{position}: there is a part")));
        }
        self.exceptions.retain(|e| e.position != position);
        self.exceptions.push(exception);
        Ok(())
    }

    /// Excuses every demanded position that is still empty and that the reason may excuse: a child, somebody ill.
    pub fn except_rest(&mut self, form: &Form, reason: ExceptionReason) -> Result<(), Problem> {
        self.is_of(form)?;
        let demands = form.demands(self.transaction)?;
        let empty = demands.parts.iter().filter(|p| !self.is_settled(p));
        let excused = empty.map(|position| Exception { position: position.clone(), reason });
        let excused: Vec<Exception> = excused.filter(|e| form.check_exception(e, demands).is_ok()).collect();
        self.exceptions.extend(excused);
        Ok(())
    }

    /// Takes an exception back; false when there was none.
    pub fn unexcept(&mut self, position: &str) -> bool {
        let before = self.exceptions.len();
        self.exceptions.retain(|e| e.position != position);
        self.exceptions.len() < before
    }

    /// What is still to do, in the order of the form.
    pub fn missing(&self, form: &Form) -> Result<Vec<Missing>, Problem> {
        self.is_of(form)?;
        let demands = form.demands(self.transaction)?;
        let mut missing = Vec::new();
        if self.transaction != Transaction::New && self.applies_to.is_none() {
            missing.push(Missing::Target);
        }
        if self.transaction == Transaction::Correction && self.person.is_empty() {
            missing.push(Missing::Change);
        }
        let empty = |f: &&String| !matches!(self.person.get(*f), Some(Some(_)));
        missing.extend(demands.fields.iter().filter(empty).cloned().map(Missing::Field));
        missing.extend(demands.parts.iter().filter(|p| !self.is_settled(p)).cloned().map(Missing::Part));
        Ok(missing)
    }

    fn is_settled(&self, position: &str) -> bool {
        self.parts.iter().any(|p| p.position == position) || self.exceptions.iter().any(|e| e.position == position)
    }

    /// Finishes: all demanded is there, all of it fits the form, `parts` are the bytes in the order of
    /// [`Draft::parts`]. When not, the draft comes back unharmed.
    pub fn finish(self, form: &Form, facts: Facts, mut parts: Vec<Vec<u8>>) -> Result<Record, Box<Unfinished>> {
        let made = match self.incomplete(form) {
            None => form.record(self.content(facts), parts),
            Some(problem) => {
                parts.zeroize();
                Err(problem)
            }
        };
        made.map_err(|problem| Box::new(Unfinished { draft: self, problem }))
    }

    /// Would [`Draft::finish`] make a record of this? Asked before the resident is: after their yes nothing may be missing.
    pub fn check<P: AsRef<[u8]>>(&self, form: &Form, facts: Facts, parts: &[P]) -> Result<(), Problem> {
        if let Some(problem) = self.incomplete(form) {
            return Err(problem);
        }
        let mut content = self.content(facts);
        let fits = form.check(&content, parts);
        content.person.values_mut().for_each(zeroize::Zeroize::zeroize);
        fits
    }

    /// What the day makes wrong of what is there so far: a date in the future, an exception for a child who is none.
    pub fn check_day(&self, form: &Form, day: Second) -> Result<(), Problem> {
        self.is_of(form)?;
        form.check_day(&self.person, &self.exceptions, day)
    }

    fn incomplete(&self, form: &Form) -> Option<Problem> {
        let missing = match self.missing(form) {
            Ok(missing) => missing,
            Err(problem) => return Some(problem),
        };
        let list: Vec<String> = missing.iter().map(ToString::to_string).collect();
        (!list.is_empty()).then(|| Problem::new(Code::DraftIncomplete, list.join(", ")))
    }

    fn content(&self, facts: Facts) -> Content {
        Content {
            format: Format::V1,
            record_id: facts.record_id,
            unit: facts.unit,
            agent: facts.agent,
            transaction: self.transaction,
            form: self.form.clone(),
            finished: facts.finished,
            clock: facts.clock,
            slip: facts.slip,
            applies_to: self.applies_to.clone(),
            person: self.person.clone(),
            consent: facts.consent,
            exceptions: self.exceptions.clone(),
            fix: facts.fix,
            parts: self.parts.clone(),
        }
    }

    fn is_of(&self, form: &Form) -> Result<(), Problem> {
        if self.form == *form.name() {
            return Ok(());
        }
        Err(Problem::new(Code::FormInvalid, format!("the draft is of {}, the form is {}", self.form, form.name())))
    }
}

/// `finger-left-ring.png`: the position, and an ending that says what it is.
///
/// # Errors
/// `form-invalid`: a position or media type that makes no name.
pub fn part_name(position: &str, media_type: &str) -> Result<PartName, Problem> {
    let ending = match media_type.split_once('/').map_or(media_type, |(_, kind)| kind) {
        "jpeg" => "jpg",
        ending if ending.starts_with("iso") => "iso",
        ending => ending,
    };
    format!("{position}.{ending}").parse().map_err(|_| Problem::new(Code::FormInvalid, format!("the media type at {position}")))
}

/// A field's name, unless it may be a value in the wrong place.
fn shown(field: &str) -> &str {
    if crate::form::is_field_name(field) { field } else { "" }
}

/// Names, numbers and dates of residents stay out of logs, whoever prints a draft.
impl std::fmt::Debug for Draft {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Draft({} {}, {} fields, {} parts)", self.form, self.transaction, self.person.len(), self.parts.len())
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        self.person.values_mut().for_each(zeroize::Zeroize::zeroize);
    }
}
