//! Sample residents for demo, tests and benchmarks: invented people with drawn pictures, the same for the same seed.
//!
//! ```text
//! Sample::new(7, now, Size::Usual).resident(0, &form, Transaction::New)      a resident with all that the form demands
//!                                 .folder() → resident.json, face.jpg, finger-left-ring.png, …
//! ```
//!
//! Of ten residents, one is a child under twelve (face only), one lacks or hurt a finger, one is ill; where the form
//! allows it. Pictures have the true sizes and headers (portraits 413 × 531 pixels, fingerprints about 400 × 500 at
//! 500 ppi) and grain everywhere, so that they compress like real ones: hardly.
//!
//! **Trust:** none needed. **Invariants:** no real person's data; the bytes depend on seed, index, take, size and the
//! year of `now` only (and on the floating point of the machine). Two indexes never share a match key.

use std::collections::BTreeMap;

use crate::{
    draft::{
        Draft,
        input::{self, FileName, Input, InputPart},
    },
    form::{Demands, Form},
    id::Transaction,
    problem::Problem,
    record::{Exception, ExceptionReason, Target},
    time::Second,
};

mod dice;
mod names;
mod person;
mod pictures;
mod ridges;

use dice::Dice;
use person::{Age, Fields};

/// How large a whole record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// About 20 KB: thumbnails, for tests that make many.
    Tiny,
    /// About 300 KB: what a unit sends.
    Usual,
    /// About 2 MB: what scanners at full depth give.
    Large,
}

/// What sets a resident apart from one who brings everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Everything can be captured.
    Complete,
    /// A child under twelve: the face only.
    Child,
    /// One finger is missing, another injured.
    Fingers,
    /// Too ill for fingerprints and signature.
    Ill,
}

/// A source of residents.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    seed: u64,
    year: i64,
    size: Size,
}

/// An invented resident, ready to be enrolled.
#[derive(Debug, Clone)]
pub struct Resident {
    /// What resident.json says.
    pub input: Input,
    /// The files beside it, in the order of its parts.
    pub files: Vec<(FileName, Vec<u8>)>,
}

impl Sample {
    /// Residents of this seed, of fitting ages at `now`.
    pub fn new(seed: u64, now: Second, size: Size) -> Self {
        let year = now.to_string().get(..4).and_then(|y| y.parse().ok()).expect("a Second prints its year first");
        Self { seed, year, size }
    }

    /// Resident `n` with all that the form demands; of ten, one is a child, one lacks fingers, one is ill.
    pub fn resident(&self, n: u64, form: &Form, transaction: Transaction) -> Result<Resident, Problem> {
        let kind = match (n + self.seed) % 10 {
            3 => Kind::Child,
            5 => Kind::Fingers,
            8 => Kind::Ill,
            _ => Kind::Complete,
        };
        let allowed = form.demands(transaction)?.exceptions.iter().any(|(reason, _)| kind.reasons().contains(reason));
        self.take(n, 0, form, transaction, if allowed { kind } else { Kind::Complete })
    }

    /// Resident `n` as captured the `take`th time: the same person, other pictures of them.
    pub fn take(&self, n: u64, take: u64, form: &Form, transaction: Transaction, kind: Kind) -> Result<Resident, Problem> {
        let demands = form.demands(transaction)?;
        let known = self.person(n, form, kind);
        let sex = known["sex"].clone();
        let person = match transaction {
            Transaction::Correction => self.correction(n, form, &known),
            _ => known.into_iter().filter(|(name, _)| form.label(name).is_some()).map(|(name, value)| (name, Some(value))).collect(),
        };
        let exceptions = self.exceptions(n, form, demands, kind);
        let wanted = demands.parts.iter().filter(|p| exceptions.iter().all(|e| e.position != **p));
        let woman = sex == "f";
        let (parts, files) = wanted.map(|position| self.part(n, take, position, woman)).unzip();
        let applies_to =
            (transaction != Transaction::New).then(|| Target::NationalNumber { national_number: person::national_number(self.seed, n) });
        let (format, lines) = (input::Format::V1, input::Lines::default());
        let input = Input { format, form: form.name().clone(), transaction, applies_to, person, exceptions, parts, lines };
        Ok(Resident { input, files })
    }

    fn person(&self, n: u64, form: &Form, kind: Kind) -> Fields {
        let age = if kind == Kind::Child { Age::Child } else { Age::Adult };
        person::fields(self.seed, n, self.year, age, form.label("passport_number").is_some())
    }

    /// Another telephone and village; one in four drops the telephone.
    fn correction(&self, n: u64, form: &Form, known: &Fields) -> BTreeMap<String, Option<String>> {
        let mut dice = Dice::new(self.seed, n, "correction");
        let village = (*dice.pick(&names::VILLAGES)).to_owned();
        let phone = (!dice.chance(25)).then(|| format!("+2127{:08}", dice.below(100_000_000)));
        let changes = [("village", Some(village)), ("phone", phone)];
        let changed: BTreeMap<_, _> =
            changes.into_iter().filter(|(f, _)| form.label(f).is_some()).map(|(f, v)| (f.to_owned(), v)).collect();
        if !changed.is_empty() {
            return changed;
        }
        // a form that asks for neither: write again what is known
        known.iter().find(|(f, _)| form.label(f).is_some()).map(|(f, v)| (f.clone(), Some(v.clone()))).into_iter().collect()
    }

    fn exceptions(&self, n: u64, form: &Form, demands: &Demands, kind: Kind) -> Vec<Exception> {
        let may = |position: &&String, reason| form.modality(position).is_some_and(|(modality, _)| demands.allows(reason, modality));
        let all = |reason| demands.parts.iter().filter(move |p| may(p, reason)).map(move |p| Exception { position: p.clone(), reason });
        match kind {
            Kind::Complete => Vec::new(),
            Kind::Child => all(ExceptionReason::ChildUnder12).collect(),
            Kind::Ill => all(ExceptionReason::Illness).collect(),
            Kind::Fingers => {
                let mut dice = Dice::new(self.seed, n, "fingers");
                let mut missing: Vec<Exception> = all(ExceptionReason::Missing).collect();
                let mut lost = Vec::new();
                for reason in kind.reasons() {
                    if let Some(last) = u32::try_from(missing.len()).ok().filter(|&len| len > 0) {
                        let position = missing.remove(dice.below(last) as usize).position;
                        lost.push(Exception { position, reason: *reason });
                    }
                }
                lost
            }
        }
    }

    /// A picture for a position, by the beginning of its name.
    fn part(&self, n: u64, take: u64, position: &str, woman: bool) -> (InputPart, (FileName, Vec<u8>)) {
        // the shape is the resident's; the grain is the take's
        let mut shape = Dice::new(self.seed, n, position);
        let mut dice = Dice::new(self.seed, n, &format!("{position} {take}"));
        let (media_type, ending, bytes) = match position.split('-').next() {
            Some("face") => ("image/jpeg", "jpg", pictures::portrait(&mut shape, &mut dice, woman, self.size)),
            Some("document") => ("image/jpeg", "jpg", pictures::page(&mut dice, self.size)),
            Some("signature") => ("image/png", "png", pictures::signature(&mut dice, self.size)),
            _ => ("image/png", "png", ridges::fingerprint(&mut shape, &mut dice, self.size)),
        };
        let file: FileName = format!("{position}.{ending}").parse().expect("a position with an ending is a name");
        let part =
            InputPart { file: file.clone(), media_type: Some(media_type.into()), position: position.into(), quality: None, device: None };
        (part, (file, bytes))
    }
}

impl Kind {
    fn reasons(self) -> &'static [ExceptionReason] {
        match self {
            Self::Complete => &[],
            Self::Child => &[ExceptionReason::ChildUnder12],
            Self::Fingers => &[ExceptionReason::Missing, ExceptionReason::Injured],
            Self::Ill => &[ExceptionReason::Illness],
        }
    }
}

impl Resident {
    /// The same resident, with a transaction that applies to somebody else.
    #[must_use]
    pub fn applying_to(mut self, target: Target) -> Self {
        self.input.applies_to = Some(target);
        self
    }

    /// Names and bytes of all files of the folder that `enroll-client enrol` reads, resident.json first.
    pub fn folder(&self) -> Vec<(String, Vec<u8>)> {
        let mut folder = vec![(input::FILE.to_owned(), self.input.to_json())];
        folder.extend(self.files.iter().map(|(name, bytes)| (name.to_string(), bytes.clone())));
        folder
    }

    /// The bytes of the part at a position.
    pub fn part(&self, position: &str) -> Option<&[u8]> {
        let part = self.input.parts.iter().find(|p| p.position == position)?;
        self.files.iter().find(|(name, _)| *name == part.file).map(|(_, bytes)| bytes.as_slice())
    }

    /// A draft with everything in it, and the parts' bytes in its order.
    pub fn draft(self, form: &Form) -> Result<(Draft, Vec<Vec<u8>>), Problem> {
        self.input.into_draft(form, self.files.into_iter().collect())
    }
}

/// The three forms that a centre starts with.
pub fn forms() -> [Form; 3] {
    crate::form::FIRST.map(|bytes| Form::parse(bytes).expect("a test parses them"))
}

#[cfg(test)]
pub(crate) mod tests;
