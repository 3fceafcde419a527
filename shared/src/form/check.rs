//! Does a content fit its form? The same steps run at the unit, before a record exists, and at the centre, after it
//! was opened. A problem's detail names a field or a position, never a value.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};
use zeroize::Zeroize;

use super::{
    Demands, Form, Positions,
    date::PartialDate,
    schema::is_field_name,
    typed::{self, Fault},
};
use crate::{
    id::{Digest, Transaction},
    image::{self, ImageHeader},
    problem::{Code, Problem},
    record::{Content, Exception, ExceptionReason, Part, Record},
    time::Second,
};

/// The exception for children ends at this age, in years.
const CHILD_UNDER: i16 = 12;

impl Form {
    /// Checks a content and its parts; `parts` are the bytes in the order of the content's list. The claimed day counts, and every
    /// text is in its one form.
    pub fn check<P: AsRef<[u8]>>(&self, content: &Content, parts: &[P]) -> Result<(), Problem> {
        self.check_on(content, parts, content.finished)?;
        normal(&content.person)
    }

    /// The same, where a rule needs a day, on this one: the centre knows between which log times the record was made. Whether the
    /// texts are in their one form is a matter of the rules in force where the record is judged.
    pub fn check_on<P: AsRef<[u8]>>(&self, content: &Content, parts: &[P], day: Second) -> Result<(), Problem> {
        // 1. it is this form's, and the form knows the transaction
        if content.form != self.name {
            return Err(Problem::new(Code::FormInvalid, format!("the record says {}, the form is {}", content.form, self.name)));
        }
        let demands = self.demands(content.transaction)?;
        // 2. to 4. fields
        self.check_fields(content, demands, day)?;
        // 5. what the resident agreed to is a text of this form
        if self.consent(&content.consent.text).is_none() {
            return Err(invalid("consent"));
        }
        // 6. parts stand where they may, once
        let mut filled = BTreeSet::new();
        for part in &content.parts {
            self.check_part(part, demands)?;
            if !filled.insert(part.position.as_str()) {
                return Err(invalid(&format!("two parts at {}", part.position)));
            }
        }
        // 7. exceptions are allowed, and contradict no part
        let excused = self.check_exceptions(content, demands, &filled, day)?;
        // 8. each demanded position has a part or an exception
        if let Some(position) = demands.parts.iter().find(|p| !filled.contains(p.as_str()) && !excused.contains(p.as_str())) {
            return Err(invalid(&format!("no part at {position}")));
        }
        // 9. the images are what they claim to be, by their headers, and there to their end; no pixel is decoded
        if parts.len() != content.parts.len() {
            return Err(if parts.len() < content.parts.len() { Code::PartMissing } else { Code::PartExtra }.into());
        }
        for (part, bytes) in content.parts.iter().zip(parts) {
            let header = self.check_image(&part.position, &part.media_type, bytes.as_ref())?;
            if self.positions != Some(Positions::Label) {
                is_of(&header, &part.position)?;
            }
        }
        // 10. no two faces, fingers or eyes are equal
        check_repeated(&content.parts)
    }

    /// The only way to a [`Record`]: the content has passed [`Form::check`], the bytes are those that it lists.
    pub fn record(&self, mut content: Content, mut parts: Vec<Vec<u8>>) -> Result<Record, Problem> {
        match self.check(&content, &parts) {
            Ok(()) => Record::checked(content, parts),
            Err(problem) => {
                // a Record wipes itself when dropped; what did not become one is wiped here
                parts.zeroize();
                content.person.values_mut().for_each(Zeroize::zeroize);
                Err(problem)
            }
        }
    }

    fn check_fields(&self, content: &Content, demands: &Demands, day: Second) -> Result<(), Problem> {
        // 2. known fields; null only where it clears something
        let mut person = Map::new();
        for (name, value) in &content.person {
            self.field_is_known(name)?;
            match value {
                Some(value) => drop(person.insert(name.clone(), Value::from(value.as_str()))),
                None if content.transaction == Transaction::Correction => {}
                None => return Err(Problem::new(Code::FieldInvalid, name.as_str())),
            }
        }
        if content.transaction == Transaction::Correction && content.person.is_empty() {
            return Err(invalid("a correction of nothing"));
        }
        if let Some(name) = demands.fields.iter().find(|f| !person.contains_key(*f)) {
            return Err(invalid(&format!("no {name}")));
        }
        // 3. each value is what its field takes, and no date lies in the future
        for (name, value) in content.person.iter().filter_map(|(n, v)| Some((n, v.as_ref()?))) {
            self.check_value(name, value)?;
            self.check_time(name, value, day)?;
        }
        // 4. rules between fields; a correction holds some fields only
        let whole = Value::Object(person);
        let fits = content.transaction == Transaction::Correction || self.whole.is_valid(&whole);
        let Value::Object(mut person) = whole else { unreachable!("made an object above") };
        for value in person.values_mut() {
            wipe(value);
        }
        if fits { Ok(()) } else { Err(invalid("the fields contradict each other")) }
    }

    fn field_is_known(&self, name: &str) -> Result<(), Problem> {
        if self.fields.contains_key(name) {
            return Ok(());
        }
        // a name that no form could have may be a value in the wrong place
        Err(Problem::new(Code::FieldUnknown, if is_field_name(name) { name } else { "" }))
    }

    /// One value of one field, without regard to the others.
    pub fn check_value(&self, name: &str, value: &str) -> Result<(), Problem> {
        self.field_is_known(name)?;
        if let Some(fault) = typed::control(value).or_else(|| self.fields[name].name.and_then(|script| script.fault(value))) {
            return Err(at_fault(name, fault));
        }
        let mut json = Value::from(value);
        let valid = self.fields[name].rule.is_valid(&json);
        wipe(&mut json);
        if !valid {
            return Err(Problem::new(Code::FieldInvalid, format!("{name}: {}", self.fields[name].asks)));
        }
        self.codes.check(name, value)
    }

    /// What the day makes wrong, of a person and exceptions that need not be complete.
    pub(crate) fn check_day(
        &self,
        person: &BTreeMap<String, Option<String>>,
        exceptions: &[Exception],
        day: Second,
    ) -> Result<(), Problem> {
        for (name, value) in person.iter().filter_map(|(name, value)| Some((name, value.as_ref()?))) {
            self.check_time(name, value, day)?;
        }
        let born = person.get("date_of_birth").and_then(Option::as_deref);
        match exceptions.iter().find(|e| e.reason == ExceptionReason::ChildUnder12) {
            Some(exception) if born.is_some() && !is_child(born, day) => Err(no_child(&exception.position)),
            _ => Ok(()),
        }
    }

    fn check_time(&self, name: &str, value: &str, day: Second) -> Result<(), Problem> {
        let future = || PartialDate::parse(value).is_none_or(|date| date.is_future(day));
        if self.fields[name].past_date && future() {
            return Err(Problem::new(Code::FieldInvalid, format!("{name}: the date lies in the future")));
        }
        Ok(())
    }

    fn check_part(&self, part: &Part, demands: &Demands) -> Result<(), Problem> {
        let (modality, _) = self.place(&part.position, demands)?;
        if part.modality != modality {
            return Err(invalid(&format!("the part at {} is of another modality", part.position)));
        }
        self.check_claim(&part.position, &part.media_type, part.size)
    }

    /// The modality of a position where this transaction takes a part.
    pub(crate) fn place(&self, position: &str, demands: &Demands) -> Result<(&str, &super::Modality), Problem> {
        let found = self.modality(position).ok_or_else(|| invalid("a part at a position that the form does not know"))?;
        let taken = demands.parts.iter().chain(&demands.optional).any(|p| p == position);
        if taken { Ok(found) } else { Err(invalid(&format!("this transaction takes no part at {position}"))) }
    }

    /// Media type and size are taken at this position.
    pub(crate) fn check_claim(&self, position: &str, media_type: &str, size: u64) -> Result<(), Problem> {
        let (_, limits) = self.modality(position).ok_or_else(|| invalid("a part at a position that the form does not know"))?;
        if !limits.media_types.iter().any(|t| t == media_type) {
            return Err(invalid(&format!("the media type at {position}")));
        }
        if size > limits.max_bytes {
            return Err(Problem::new(Code::ImageTooLarge, format!("{position}: {size} bytes, at most {}", limits.max_bytes)));
        }
        Ok(())
    }

    /// The image's header says what the media type claims, within the limits of the position, and its end is there.
    pub(crate) fn check_image(&self, position: &str, media_type: &str, bytes: &[u8]) -> Result<ImageHeader, Problem> {
        let named = |p: Problem| Problem::new(p.code, format!("{position}: {}", p.detail));
        let header = image::read(media_type, bytes).map_err(named)?;
        let least = self.modality(position).and_then(|(_, limits)| limits.min_dpi);
        match (least, header.dpi) {
            (Some(least), Some(dpi)) if dpi < least => {
                Err(Problem::new(Code::ImageInvalid, format!("{position}: {dpi} dpi, at least {least}")))
            }
            _ => Ok(header),
        }
    }

    /// Where an image is attached: at the position that is claimed, or where it says that it belongs.
    pub(crate) fn settle<'a>(&self, claimed: &'a str, header: &ImageHeader) -> Result<&'a str, Problem> {
        match (self.positions, header.says.other_than(claimed)) {
            (_, None) | (Some(Positions::Label), _) => Ok(claimed),
            (Some(Positions::Inside), Some(said)) if self.modality(said).is_some() => Ok(said),
            _ => is_of(header, claimed).map(|()| claimed),
        }
    }

    /// Positions that are excused.
    fn check_exceptions<'a>(
        &self,
        content: &'a Content,
        demands: &Demands,
        filled: &BTreeSet<&str>,
        day: Second,
    ) -> Result<BTreeSet<&'a str>, Problem> {
        let mut excused = BTreeSet::new();
        let born = content.person.get("date_of_birth").and_then(Option::as_deref);
        for exception in &content.exceptions {
            self.check_exception(exception, demands)?;
            let position = exception.position.as_str();
            if filled.contains(position) || !excused.insert(position) {
                return Err(not_allowed(&format!("{position}: there is a part or another exception")));
            }
            if exception.reason == ExceptionReason::ChildUnder12 && !is_child(born, day) {
                return Err(no_child(position));
            }
        }
        Ok(excused)
    }

    /// The transaction demands a part there, and the reason may excuse it.
    pub(crate) fn check_exception(&self, exception: &Exception, demands: &Demands) -> Result<(), Problem> {
        let (modality, _) = self.modality(&exception.position).ok_or_else(|| not_allowed("a position that the form does not know"))?;
        let demanded = demands.parts.contains(&exception.position);
        if demanded && demands.allows(exception.reason, modality) { Ok(()) } else { Err(not_allowed(&exception.position)) }
    }
}

/// The image says nothing of another finger or eye than this position is for.
fn is_of(header: &ImageHeader, position: &str) -> Result<(), Problem> {
    match header.says.other_than(position) {
        Some(said) => Err(Problem::new(Code::PositionMismatch, format!("{position}: the image says that it is {said}"))),
        None => Ok(()),
    }
}

/// Of faces, fingers and eyes, no two have the same bytes; documents may: two residents of one booklet, two pages of one scan.
pub(crate) fn check_repeated(parts: &[Part]) -> Result<(), Problem> {
    let mut seen: BTreeMap<Digest, &str> = BTreeMap::new();
    for part in parts.iter().filter(|part| part.is_biometric()) {
        if let Some(first) = seen.insert(part.sha256, &part.position) {
            return Err(Problem::new(Code::PartRepeated, format!("{} has the bytes of {first}", part.position)));
        }
    }
    Ok(())
}

/// Is every field in the one form of typed text? The first that is not, by name.
pub fn normal(person: &BTreeMap<String, Option<String>>) -> Result<(), Problem> {
    let fault = |(name, value): (&String, &Option<String>)| Some(at_fault(name, typed::fault(value.as_deref()?)?));
    person.iter().find_map(fault).map_or(Ok(()), Err)
}

fn at_fault(name: &str, fault: Fault) -> Problem {
    Problem::new(Code::FieldInvalid, format!("{name}: {fault}"))
}

/// Only a date that says so for certain counts.
pub(crate) fn is_child(born: Option<&str>, now: Second) -> bool {
    born.and_then(PartialDate::parse).is_some_and(|date| !date.is_future(now) && date.is_under(CHILD_UNDER, now))
}

fn wipe(value: &mut Value) {
    if let Value::String(text) = value {
        text.zeroize();
    }
}

fn invalid(detail: &str) -> Problem {
    Problem::new(Code::FormInvalid, detail)
}

fn no_child(position: &str) -> Problem {
    not_allowed(&format!("{position}: the date of birth does not say under {CHILD_UNDER}"))
}

fn not_allowed(detail: &str) -> Problem {
    Problem::new(Code::ExceptionNotAllowed, detail)
}
