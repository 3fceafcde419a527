//! An outcome: what became of each record of a batch, signed by the centre's key.
//!
//! ```text
//! enroll-outcome/v1
//! batch sha256:…
//! version 2
//! record 1.1207 1b9d6bcd-… merged 5f0c…
//! record 1.1208 6ec0bd7f-… held duplicate 91aa…
//! record 1.1209 7a10c9e4-… refused line-mismatch
//! ```
//! One line for each record line, in the manifest's order. It counts only with its log entry; the newest version
//! counts. Nothing in it names a person.
//!
//! **Trust:** [`Outcome::check`] demands the centre's signature and that every line answers a line of this manifest.

use std::{fmt, fmt::Write as _};

use crate::{
    batch::Manifest,
    id::{BatchId, CaseRef, Number, RecordId, ResidentRef},
    keys::{Signer, VerifierKey},
    note::Note,
    problem::{Code, Problem, is_code},
    text::{Lines, TextError, decimal},
};

/// What became of a record.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Fate {
    /// In the registry, as part of this resident.
    Merged(ResidentRef),
    /// Waiting for a person or for another record.
    Held(Code, CaseRef),
    /// Its own signed content is wrong for good.
    Refused(Code),
}

impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Merged(resident) => write!(f, "merged {resident}"),
            Self::Held(code, case) => write!(f, "held {code} {case}"),
            Self::Refused(code) => write!(f, "refused {code}"),
        }
    }
}

impl std::str::FromStr for Fate {
    type Err = crate::id::IdError;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let words: Vec<&str> = s.split(' ').collect();
        match words[..] {
            ["merged", resident] => resident.parse().map(Self::Merged),
            ["held", code, case] => Ok(Self::Held(code.parse()?, case.parse()?)),
            ["refused", code] => code.parse().map(Self::Refused),
            _ => Err(crate::id::IdError("outcome")),
        }
    }
}

/// A line of an outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutcomeLine {
    /// The record's number.
    pub number: Number,
    /// The record's id.
    pub record: RecordId,
    /// What became of it.
    pub fate: Fate,
}

/// A well-formed outcome with the bytes that it came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    note: Note,
    batch: BatchId,
    version: u64,
    lines: Vec<OutcomeLine>,
}

/// An outcome that the centre signed about this batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedOutcome(Outcome);

impl Outcome {
    /// Signs what became of a batch's records.
    pub fn sign(batch: BatchId, version: u64, lines: Vec<OutcomeLine>, centre: &Signer) -> Self {
        Self { note: Note::sign(&print(batch, version, &lines), &[centre]), batch, version, lines }
    }

    /// Reads a signed note; the signature is not checked.
    pub fn parse(bytes: &[u8]) -> Result<Self, Problem> {
        let note = Note::parse(bytes)?;
        let (batch, version, lines) = read(note.text())?;
        if print(batch, version, &lines) == note.text() {
            Ok(Self { note, batch, version, lines })
        } else {
            Err(Code::TextMalformed.into())
        }
    }

    /// 1. Signed by the centre's key. 2. One line for each record line of the manifest, in its order.
    pub fn check(self, manifest: &Manifest, centre: &VerifierKey) -> Result<CheckedOutcome, Problem> {
        self.note.verify(&[centre])?;
        let own = self.lines.iter().map(|line| (line.number, line.record));
        let demanded = manifest.facts().records().map(|r| (r.facts.number, r.facts.record));
        if self.batch == manifest.id() && own.eq(demanded) {
            Ok(CheckedOutcome(self))
        } else {
            Err(Problem::new(Code::OutcomeInvalid, "speaks of another batch"))
        }
    }

    /// The note.
    pub fn note(&self) -> &Note {
        &self.note
    }
    /// Of which batch.
    pub fn batch(&self) -> BatchId {
        self.batch
    }
    /// From 1; the newest counts.
    pub fn version(&self) -> u64 {
        self.version
    }
    /// One line for each record line.
    pub fn lines(&self) -> &[OutcomeLine] {
        &self.lines
    }
}

impl CheckedOutcome {
    /// The outcome.
    pub fn outcome(&self) -> &Outcome {
        &self.0
    }
}

fn print(batch: BatchId, version: u64, lines: &[OutcomeLine]) -> String {
    let mut text = format!("enroll-outcome/v1\nbatch {batch}\nversion {version}\n");
    for line in lines {
        writeln!(text, "record {} {} {}", line.number, line.record, line.fate).expect("writing to a String does not fail");
    }
    text
}

fn read(text: &str) -> Result<(BatchId, u64, Vec<OutcomeLine>), TextError> {
    let mut lines = Lines::new(text)?;
    lines.header("enroll-outcome")?;
    let batch = lines.field("batch")?;
    let batch = lines.parse(batch)?;
    let version = lines.field("version")?;
    let version = decimal(version).filter(|&v| v >= 1).ok_or_else(|| lines.bad())?;
    let mut found = Vec::new();
    while let Some(value) = lines.optional("record")? {
        let mut words = value.splitn(3, ' ');
        let mut next = || words.next().ok_or_else(|| lines.bad());
        found.push(OutcomeLine { number: lines.parse(next()?)?, record: lines.parse(next()?)?, fate: fate(&lines, next()?)? });
    }
    lines.end()?;
    Ok((batch, version, found))
}

/// A code that is not in our table is one of newer software: the unit that stayed away for weeks must not call it damage.
fn fate(lines: &Lines<'_>, text: &str) -> Result<Fate, TextError> {
    let words: Vec<&str> = text.split(' ').collect();
    lines.parse(text).map_err(|malformed| match words[..] {
        ["held", code, case] if is_code(code) && case.parse::<CaseRef>().is_ok() => TextError::UpgradeNeeded,
        ["refused", code] if is_code(code) => TextError::UpgradeNeeded,
        _ => malformed,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        batch::tests::{closed, facts},
        roster::tests::signer,
    };

    #[test]
    fn answers_exactly_the_lines_of_its_batch() {
        let centre = signer("registry.example", 3);
        let manifest = closed(facts(&[b"one", b"two!"]));
        let line = |n: usize, fate| {
            let record = &manifest.facts().records().nth(n).expect("line").facts;
            OutcomeLine { number: record.number, record: record.record, fate }
        };
        let unit = &manifest.facts().unit;
        let held = Fate::Held(Code::Duplicate, CaseRef::holding(unit, line(1, Fate::Refused(Code::Fork)).record));
        let lines = vec![line(0, Fate::Refused(Code::LineMismatch)), line(1, held)];
        let check = |lines: Vec<OutcomeLine>, key: &Signer| {
            let outcome = Outcome::sign(manifest.id(), 2, lines.clone(), key);
            let read = Outcome::parse(outcome.note().as_bytes()).expect("well-formed");
            assert_eq!(read, outcome);
            assert_eq!((read.batch(), read.version(), read.lines()), (manifest.id(), 2, &lines[..]));
            read.check(&manifest, centre.public()).map(|_| ()).map_err(|p| p.code)
        };
        assert_eq!(check(lines.clone(), &centre), Ok(()));
        assert_eq!(check(lines.clone(), &signer("registry.example", 4)), Err(Code::KeyWrong));
        assert_eq!(check(lines[..1].to_vec(), &centre), Err(Code::OutcomeInvalid));
        assert_eq!(check(lines.into_iter().rev().collect(), &centre), Err(Code::OutcomeInvalid));
    }

    #[test]
    fn a_code_of_newer_software_is_upgrade_needed_not_malformed() {
        let batch = BatchId::of(b"b");
        let read = |fate: &str| {
            let text = format!("enroll-outcome/v1\nbatch {batch}\nversion 1\nrecord 1.1 1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed {fate}\n");
            Outcome::parse(Note::sign(&text, &[&signer("registry.example", 3)]).as_bytes()).map(|_| ()).map_err(|p| p.code)
        };
        let case = "c9d07828cf75499190f55dbbdac768da";
        assert_eq!(read(&format!("held duplicate {case}")), Ok(()));
        assert_eq!(read("merged 5f0c0000000000000000000000000000"), Ok(()));
        assert_eq!(read(&format!("held of-2031 {case}")), Err(Code::UpgradeNeeded));
        assert_eq!(read("refused of-2031"), Err(Code::UpgradeNeeded));
        for bad in ["refused Of-2031", "refused -", "held of-2031 x", "held of-2031", "vanished of-2031", "merged of-2031"] {
            assert_eq!(read(bad), Err(Code::TextMalformed), "{bad}");
        }
    }
}
