//! A decision: what a person says about what is held, or what was merged wrongly.
//!
//! ```text
//! enroll-decision/v1
//! centre registry.example
//! record van-017 1b9d6bcd-… sha256:2c26… found replaces none case sha256:5e88… reason different-person
//! record van-017 6ec0bd7f-… sha256:91fe… same 5f0c… replaces none case sha256:… reason same-person
//! record van-018 7a10c9e4-… sha256:77aa… apply 5f0c… replaces sha256:… case sha256:… reason identity-checked
//! record van-018 8b21c9e4-… sha256:12fe… refuse replaces none case sha256:… reason wrong-data
//! batch sha256:04406… accept unapproved replaces none case sha256:… reason work-checked
//! ```
//! A second person confirms a note that was logged, whole:
//!
//! ```text
//! enroll-decision/v1
//! centre registry.example
//! confirm sha256:<id of the first decision>
//! ```
//! or, with `reject` in place of `confirm`, ends what waits in it; the first signer may do that, too.
//! Signature lines: one, the adjudicator's.
//!
//! **Trust:** a [`Decision`] is well-formed; [`Decision::verify`] checks its signature. Whether its signer's word counts, and
//! whether case and `replaces` are still what they were, is judged where it stands in the log. **Invariants:** at most 500 lines;
//! nothing in it names a person: a case is a digest of keys and a code, never of values.

use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::{
    id::{BatchId, Blob, Centre, Digest, IdError, Member, NoteId, RecordId, ResidentRef, SealedDigest},
    keys::{KeyId, Signer, VerifierKey},
    note::{Note, NoteError},
    problem::{Code, Problem},
    text::{Lines, TextError},
};

/// Most lines of a decision.
pub const MAX_LINES: usize = 500;

/// Identity of a record: who delivered which bytes under which id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordKey {
    /// The unit that enrolled.
    pub unit: Member,
    /// The record's id.
    pub record: RecordId,
    /// SHA-256 of the sealed record.
    pub digest: SealedDigest,
}

impl fmt::Display for RecordKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.unit, self.record, self.digest)
    }
}
impl std::str::FromStr for RecordKey {
    type Err = IdError;
    fn from_str(s: &str) -> Result<Self, IdError> {
        let words: Vec<&str> = s.split(' ').collect();
        let [unit, record, digest] = words[..] else { return Err(IdError("record key")) };
        Ok(Self { unit: unit.parse()?, record: record.parse()?, digest: digest.parse()? })
    }
}

/// What becomes of a record.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// It founds a resident of its own.
    Found,
    /// It is one more source of this resident and changes nothing.
    Same(ResidentRef),
    /// It applies to this resident.
    Apply(ResidentRef),
    /// It is out: what it founded goes, what rested on it is held, its keys are free.
    Refuse,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Found => f.write_str("found"),
            Self::Same(resident) => write!(f, "same {resident}"),
            Self::Apply(resident) => write!(f, "apply {resident}"),
            Self::Refuse => f.write_str("refuse"),
        }
    }
}

/// What becomes of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BatchVerdict {
    /// This code of its entry no longer stands against it, nor does `number-reused` against its lines.
    Accept(Code),
    /// Its records are out.
    Refuse,
}

impl fmt::Display for BatchVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accept(code) => write!(f, "accept {code}"),
            Self::Refuse => f.write_str("refuse"),
        }
    }
}

/// Why a person decided so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// They are two persons.
    DifferentPerson,
    /// They are one person.
    SamePerson,
    /// The change of identity was checked against papers.
    IdentityChecked,
    /// Face, prints or papers were compared.
    CaptureChecked,
    /// What the record says is wrong.
    WrongData,
    /// The record was made by deceit.
    Fraud,
    /// The work was checked with those who did it.
    WorkChecked,
    /// An earlier decision was a mistake.
    Mistake,
    /// A court or an authority has ordered it.
    Order,
}

impl Reason {
    /// All of version 1.
    pub const ALL: [Self; 9] = [
        Self::DifferentPerson,
        Self::SamePerson,
        Self::IdentityChecked,
        Self::CaptureChecked,
        Self::WrongData,
        Self::Fraud,
        Self::WorkChecked,
        Self::Mistake,
        Self::Order,
    ];

    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DifferentPerson => "different-person",
            Self::SamePerson => "same-person",
            Self::IdentityChecked => "identity-checked",
            Self::CaptureChecked => "capture-checked",
            Self::WrongData => "wrong-data",
            Self::Fraud => "fraud",
            Self::WorkChecked => "work-checked",
            Self::Mistake => "mistake",
            Self::Order => "order",
        }
    }
}
impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
impl std::str::FromStr for Reason {
    type Err = IdError;
    fn from_str(s: &str) -> Result<Self, IdError> {
        Self::ALL.into_iter().find(|r| r.as_str() == s).ok_or(IdError("reason"))
    }
}

/// What a line is about, and what becomes of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Subject {
    /// A record.
    Record(RecordKey, Verdict),
    /// A batch.
    Batch(BatchId, BatchVerdict),
}

/// One line of a decision.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DecisionLine {
    /// What it is about.
    pub subject: Subject,
    /// The decision in force about the same, which this one replaces.
    pub replaces: Option<NoteId>,
    /// The case as the person saw it: [`case_of_record`] or [`case_of_batch`].
    pub case: Digest,
    /// Why.
    pub reason: Reason,
}

impl fmt::Display for DecisionLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.subject {
            Subject::Record(key, verdict) => write!(f, "record {key} {verdict}")?,
            Subject::Batch(batch, verdict) => write!(f, "batch {batch} {verdict}")?,
        }
        match self.replaces {
            Some(id) => write!(f, " replaces {id}")?,
            None => f.write_str(" replaces none")?,
        }
        write!(f, " case {} reason {}", self.case, self.reason)
    }
}

/// What a note says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// Decisions, each on its own.
    Lines(Vec<DecisionLine>),
    /// The second signature under a note that is logged.
    Confirm(NoteId),
    /// What waits in a note that is logged is not to be.
    Reject(NoteId),
}

/// A well-formed decision with the bytes that it came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    note: Note,
    centre: Centre,
    said: Said,
}

impl Decision {
    /// Signs what a person decides.
    pub fn sign(centre: &Centre, said: Said, signer: &Signer) -> Result<Self, Problem> {
        let text = print(centre, &said);
        if read(&text)? != (centre.clone(), said.clone()) {
            return Err(Code::TextMalformed.into());
        }
        Ok(Self { note: Note::sign(&text, &[signer]), centre: centre.clone(), said })
    }

    /// Reads a signed note. The signature is checked by [`Decision::verify`].
    pub fn parse(bytes: &[u8]) -> Result<Self, Problem> {
        let note = Note::parse(bytes)?;
        let (centre, said) = read(note.text())?;
        if print(&centre, &said) == note.text() { Ok(Self { note, centre, said }) } else { Err(Code::TextMalformed.into()) }
    }

    /// Signed by this key.
    pub fn verify(&self, key: &VerifierKey) -> Result<(), NoteError> {
        self.note.verify(&[key])
    }

    /// Whose signature it claims to carry.
    pub fn claimed_key(&self) -> Option<(Member, KeyId)> {
        let name = self.note.claimed_signers().first()?.parse().ok()?;
        Some((name, self.note.claimed_keys().first().copied()?))
    }

    /// For which centre.
    pub fn centre(&self) -> &Centre {
        &self.centre
    }
    /// What it says.
    pub fn said(&self) -> &Said {
        &self.said
    }
    /// The note.
    pub fn note(&self) -> &Note {
        &self.note
    }
    /// SHA-256 of its text and `by <key>` LF: what `replaces`, `confirm` and `reject` name. Two people who say the same are two decisions.
    pub fn id(&self) -> NoteId {
        let by = self.claimed_key().map(|(name, id)| format!("{name}+{id}")).unwrap_or_default();
        NoteId::of(format!("{}by {by}\n", self.note.text()).as_bytes())
    }
    /// SHA-256 of its bytes.
    pub fn blob(&self) -> Blob {
        self.note.blob()
    }
}

/// Digest of a record's case: its key, its code (`merged` for one that stands), and the keys of those that it is held against.
pub fn case_of_record(key: &RecordKey, code: Option<Code>, against: &[RecordKey]) -> Digest {
    let mut others: Vec<String> = against.iter().map(ToString::to_string).collect();
    others.sort();
    others.dedup();
    let mut hash = Sha256::new_with_prefix("enroll-case/v1\n");
    hash.update(format!("record {key}\ncode {}\n", code.map_or("merged", |code| code.row().code)));
    for other in others {
        hash.update(format!("against {other}\n"));
    }
    Digest::from_bytes(hash.finalize().into())
}

/// Digest of a batch's case: its id, and the code of its entry (`accepted` without one).
pub fn case_of_batch(batch: BatchId, code: Option<Code>) -> Digest {
    let code = code.map_or("accepted", |code| code.row().code);
    Digest::of(format!("enroll-case/v1\nbatch {batch}\ncode {code}\n").as_bytes())
}

fn print(centre: &Centre, said: &Said) -> String {
    let lines = match said {
        Said::Confirm(id) => format!("confirm {id}\n"),
        Said::Reject(id) => format!("reject {id}\n"),
        Said::Lines(lines) => lines.iter().map(|line| line.to_string() + "\n").collect(),
    };
    format!("enroll-decision/v1\ncentre {centre}\n{lines}")
}

fn read(text: &str) -> Result<(Centre, Said), TextError> {
    let mut lines = Lines::new(text)?;
    lines.header("enroll-decision")?;
    let centre = lines.field("centre")?;
    let centre = lines.parse(centre)?;
    for (word, said) in [("confirm", Said::Confirm as fn(NoteId) -> Said), ("reject", Said::Reject)] {
        if let Some(id) = lines.optional(word)? {
            let id = lines.parse(id)?;
            lines.end()?;
            return Ok((centre, said(id)));
        }
    }
    let mut read: Vec<DecisionLine> = Vec::new();
    while lines.peek().is_some() {
        if read.len() == MAX_LINES {
            return Err(lines.bad());
        }
        let found = line(&mut lines)?;
        read.push(found);
    }
    if read.is_empty() { Err(lines.bad()) } else { Ok((centre, Said::Lines(read))) }
}

fn line(lines: &mut Lines<'_>) -> Result<DecisionLine, TextError> {
    if let Some(value) = lines.optional("record")? {
        let mut words = value.split(' ');
        let key = RecordKey { unit: word(lines, &mut words)?, record: word(lines, &mut words)?, digest: word(lines, &mut words)? };
        let verdict = match words.next() {
            Some("found") => Verdict::Found,
            Some("same") => Verdict::Same(word(lines, &mut words)?),
            Some("apply") => Verdict::Apply(word(lines, &mut words)?),
            Some("refuse") => Verdict::Refuse,
            _ => return Err(lines.bad()),
        };
        return rest(lines, words, Subject::Record(key, verdict));
    }
    let value = lines.field("batch")?;
    let mut words = value.split(' ');
    let batch = word(lines, &mut words)?;
    let verdict = match words.next() {
        Some("accept") => BatchVerdict::Accept(word(lines, &mut words)?),
        Some("refuse") => BatchVerdict::Refuse,
        _ => return Err(lines.bad()),
    };
    rest(lines, words, Subject::Batch(batch, verdict))
}

fn word<'a, T: std::str::FromStr>(lines: &Lines<'_>, words: &mut impl Iterator<Item = &'a str>) -> Result<T, TextError> {
    words.next().and_then(|w| w.parse().ok()).ok_or_else(|| lines.bad())
}

fn rest<'a>(lines: &Lines<'_>, words: impl Iterator<Item = &'a str>, subject: Subject) -> Result<DecisionLine, TextError> {
    let words: Vec<&str> = words.collect();
    let ["replaces", replaces, "case", case, "reason", reason] = words[..] else { return Err(lines.bad()) };
    let replaces = if replaces == "none" { None } else { Some(lines.parse(replaces)?) };
    Ok(DecisionLine { subject, replaces, case: lines.parse(case)?, reason: lines.parse(reason)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::roster::tests::signer;

    fn key(n: u8) -> RecordKey {
        RecordKey { unit: "van-1".parse().expect("name"), record: RecordId::from_random([n; 16]), digest: SealedDigest::of(&[n]) }
    }

    fn lines() -> Vec<DecisionLine> {
        let resident = ResidentRef::founded_by(&key(1).unit, key(1).record);
        let line = |subject| DecisionLine {
            case: case_of_record(&key(1), Some(Code::Duplicate), &[key(2)]),
            replaces: None,
            reason: Reason::Mistake,
            subject,
        };
        let record = |verdict| line(Subject::Record(key(1), verdict));
        vec![
            record(Verdict::Found),
            record(Verdict::Same(resident.clone())),
            DecisionLine { replaces: Some(NoteId::of(b"n")), ..record(Verdict::Apply(resident)) },
            record(Verdict::Refuse),
            line(Subject::Batch(BatchId::of(b"b"), BatchVerdict::Accept(Code::Unapproved))),
            line(Subject::Batch(BatchId::of(b"b"), BatchVerdict::Refuse)),
        ]
    }

    #[test]
    fn reads_what_it_prints() {
        let (centre, amina) = ("registry.example".parse().expect("centre"), signer("amina", 1));
        for said in [Said::Lines(lines()), Said::Confirm(NoteId::of(b"n")), Said::Reject(NoteId::of(b"n"))] {
            let signed = Decision::sign(&centre, said.clone(), &amina).expect("canonical");
            let read = Decision::parse(signed.note().as_bytes()).expect("well-formed");
            assert_eq!((&read, read.said()), (&signed, &said));
            assert_eq!(read.claimed_key(), Some(("amina".parse().expect("name"), amina.public().id())));
            assert!(read.verify(amina.public()).is_ok());
            assert!(read.verify(signer("amina", 2).public()).is_err());
        }
    }

    #[test]
    fn nothing_more_and_nothing_less_than_a_decision() {
        let (centre, amina): (Centre, _) = ("registry.example".parse().expect("centre"), signer("amina", 1));
        let text = print(&centre, &Said::Lines(lines()));
        let refused = |text: &str| Decision::parse(Note::sign(text, &[&amina]).as_bytes()).map(drop).map_err(|p| p.code);
        assert_eq!(refused(&text), Ok(()));
        let confirm = format!("confirm {}\n", NoteId::of(b"n"));
        for wrong in [
            format!("enroll-decision/v1\ncentre {centre}\n"),
            format!("{text}{confirm}"),
            format!("enroll-decision/v1\ncentre {centre}\n{confirm}{confirm}"),
            text.replace(" found ", " found found "),
            text.replace(" reason mistake\n", " reason whim\n"),
            text.replace(" replaces none", ""),
            text.replace("accept unapproved", "accept"),
        ] {
            assert_eq!(refused(&wrong), Err(Code::TextMalformed), "{wrong}");
        }
        assert_eq!(refused(&text.replace("/v1", "/v2")), Err(Code::UpgradeNeeded));
        let many = |count| Decision::sign(&centre, Said::Lines(vec![lines()[0].clone(); count]), &amina).map(drop);
        assert!(many(MAX_LINES).is_ok() && many(MAX_LINES + 1).is_err());
    }

    #[test]
    fn a_case_is_its_keys_and_its_code_in_any_order() {
        let case = |code, against: &[RecordKey]| case_of_record(&key(1), code, against);
        let duplicate = case(Some(Code::Duplicate), &[key(2), key(3)]);
        assert_eq!(duplicate, case(Some(Code::Duplicate), &[key(3), key(2), key(3)]));
        assert_ne!(duplicate, case(Some(Code::NumberReused), &[key(2), key(3)]));
        assert_ne!(duplicate, case(Some(Code::Duplicate), &[key(2)]));
        assert_ne!(duplicate, case(None, &[key(2), key(3)]));
        assert_ne!(case_of_batch(BatchId::of(b"b"), None), case_of_batch(BatchId::of(b"b"), Some(Code::Fork)));
    }
}
