//! A batch: a signed manifest and a payload (sealed records back to back), chained to the unit's batch before.
//!
//! ```text
//! enroll-batch/v1
//! unit van-017
//! epoch 1
//! sequence 42
//! previous sha256:5e88…
//! roster 12
//! seen 20852963 uDPLk…=
//! closed 2026-11-20T16:02Z
//! approved supervisor-003
//! payload 15120384 sha256:9f86…
//! record 1.1207 1b9d6bcd-… 312320 sha256:2c26… plain 409600 new form national-id/1 roster 12 finished 2026-11-20T09:12Z seen 20852963 agent-007 <signature>
//! withdrawn 1.1208 6ec0bd7f-… captured-twice supervisor-003
//! ```
//! Signature lines: unit, approver, other withdrawing supervisors by name.
//!
//! **Trust:** a [`Manifest`] is well-formed and does not contradict itself; `verify.rs` checks who signed it.
//! **Invariants:** nothing in it names a resident; sizes of its record lines add up to the payload's.

mod line;
mod text;

pub use line::{Line, LineFacts, RecordLine, WithdrawReason, WithdrawnLine};

use crate::{
    id::{BatchId, Blob, Digest, Member, Place, RosterVersion},
    keys::Signer,
    log::Head,
    note::{MAX_NOTE, Note, NoteError},
    problem::{Code, Problem},
    time::Minute,
};

/// What a manifest says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Whose batch.
    pub unit: Member,
    /// Epoch and sequence.
    pub place: Place,
    /// Batch id of the one before; for the first of an epoch the last of the former epoch that this laptop holds.
    pub previous: Option<BatchId>,
    /// Roster that its signatures are checked with.
    pub roster: RosterVersion,
    /// Newest log head that the unit had verified: the batch was not closed before it.
    pub seen: Head,
    /// When it was closed, by the unit's clock.
    pub closed: Minute,
    /// The supervisor who approved it.
    pub approved: Option<Member>,
    /// Size of the payload in bytes.
    pub payload_size: u64,
    /// SHA-256 of the payload.
    pub payload: Digest,
    /// Record and withdrawn lines, by number.
    pub lines: Vec<Line>,
}

impl Facts {
    /// The record lines, in order.
    pub fn records(&self) -> impl Iterator<Item = &RecordLine> {
        self.lines.iter().filter_map(|line| match line {
            Line::Record(record) => Some(record),
            Line::Withdrawn(_) => None,
        })
    }
    /// The withdrawn lines, in order.
    pub fn withdrawn(&self) -> impl Iterator<Item = &WithdrawnLine> {
        self.lines.iter().filter_map(|line| match line {
            Line::Withdrawn(line) => Some(line),
            Line::Record(_) => None,
        })
    }
    /// Record lines with the offset of each record in the payload.
    pub fn records_at(&self) -> impl Iterator<Item = (u64, &RecordLine)> {
        self.records().scan(0, |offset, record| {
            let at = *offset;
            *offset += record.facts.size;
            Some((at, record))
        })
    }
    /// Who must sign beside the unit, in order: the approver, then other withdrawing supervisors by name.
    pub fn cosigners(&self) -> Vec<&Member> {
        let mut others: Vec<&Member> = self.withdrawn().map(|line| &line.by).filter(|by| Some(*by) != self.approved.as_ref()).collect();
        others.sort();
        others.dedup();
        self.approved.iter().chain(others).collect()
    }
}

/// A well-formed manifest with the bytes that it came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    note: Note,
    facts: Facts,
}

impl Manifest {
    /// Reads a signed note. Signatures are checked by `verify.rs`.
    pub fn parse(bytes: &[u8]) -> Result<Self, Problem> {
        if bytes.len() > MAX_NOTE {
            return Err(Code::ManifestTooLarge.into());
        }
        let note = Note::parse(bytes)?;
        let facts = text::read(note.text())?;
        Ok(Self { note, facts })
    }

    /// Signs what the unit stands for; `cosigners` are the supervisors that [`Facts::cosigners`] names, in that order.
    pub fn close(facts: Facts, unit: &Signer, cosigners: &[&Signer]) -> Result<Self, Problem> {
        let text = text::print(&facts);
        // what we sign must pass the rules that the centre will hold against it
        if text::read(&text)? != facts {
            return Err(Problem::new(Code::ManifestInvalid, "not in canonical form"));
        }
        let names: Vec<&str> = facts.cosigners().into_iter().map(Member::as_str).collect();
        if names != cosigners.iter().map(|s| s.public().name().as_str()).collect::<Vec<_>>() {
            return Err(NoteError::Signatures.into());
        }
        let signers: Vec<&Signer> = std::iter::once(unit).chain(cosigners.iter().copied()).collect();
        let note = Note::sign(&text, &signers);
        if note.as_bytes().len() > MAX_NOTE {
            return Err(Code::ManifestTooLarge.into());
        }
        Ok(Self { note, facts })
    }

    /// What it says.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }
    /// The note.
    pub fn note(&self) -> &Note {
        &self.note
    }
    /// SHA-256 of its text.
    pub fn id(&self) -> BatchId {
        BatchId::of(self.note.text().as_bytes())
    }
    /// SHA-256 of its bytes.
    pub fn blob(&self) -> Blob {
        self.note.blob()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::{
        id::{Number, RecordId, SealedDigest, Transaction},
        roster::tests::signer,
    };

    pub(crate) fn line(number: u64, sealed: &[u8]) -> RecordLine {
        let facts = LineFacts {
            number: Number::new(1, number).expect("number"),
            record: RecordId::from_random([u8::try_from(number).expect("small"); 16]),
            size: sealed.len() as u64,
            digest: SealedDigest::of(sealed),
            plain: 4096,
            transaction: Transaction::New,
            form: "national-id/1".parse().expect("form"),
            roster: RosterVersion(1),
            finished: "2026-11-20T09:12Z".parse().expect("minute"),
            seen: 0,
            agent: "agent-1".parse().expect("name"),
        };
        RecordLine::sign(facts, &"van-1".parse().expect("name"), &signer("agent-1", 11))
    }

    pub(crate) fn facts(sealed: &[&[u8]]) -> Facts {
        let lines: Vec<Line> = (1..).zip(sealed).map(|(n, bytes)| Line::Record(line(n, bytes))).collect();
        let payload = sealed.concat();
        Facts {
            unit: "van-1".parse().expect("name"),
            place: Place::new(1, 1).expect("place"),
            previous: None,
            roster: RosterVersion(1),
            seen: Head::EMPTY,
            closed: "2026-11-20T16:02Z".parse().expect("minute"),
            approved: Some("supervisor-1".parse().expect("name")),
            payload_size: payload.len() as u64,
            payload: Digest::of(&payload),
            lines,
        }
    }

    pub(crate) fn closed(facts: Facts) -> Manifest {
        Manifest::close(facts, &signer("van-1", 10), &[&signer("supervisor-1", 12)]).expect("canonical")
    }

    #[test]
    fn reads_what_it_prints() {
        let mut facts = facts(&[b"one", b"two!"]);
        let withdrawn = WithdrawnLine {
            number: Number::new(1, 3).expect("number"),
            record: RecordId::from_random([9; 16]),
            reason: WithdrawReason::CapturedTwice,
            by: "supervisor-1".parse().expect("name"),
        };
        facts.lines.push(Line::Withdrawn(withdrawn));
        let manifest = closed(facts);
        assert_eq!(Manifest::parse(manifest.note().as_bytes()), Ok(manifest.clone()));
        assert_eq!(manifest.facts().records_at().map(|(at, _)| at).collect::<Vec<_>>(), [0, 3]);
    }

    #[test]
    fn contradictions_are_refused() {
        let refused = |change: &dyn Fn(&mut Facts)| {
            let mut facts = facts(&[b"one", b"two!"]);
            change(&mut facts);
            Manifest::close(facts, &signer("van-1", 10), &[&signer("supervisor-1", 12)]).map_err(|p| p.code).map(|_| ())
        };
        assert_eq!(refused(&|f| f.payload_size += 1), Err(Code::ManifestInvalid));
        assert_eq!(refused(&|f| f.lines.swap(0, 1)), Err(Code::ManifestInvalid));
        assert_eq!(refused(&|f| f.lines.clear()), Err(Code::ManifestInvalid));
        assert_eq!(
            refused(&|f| {
                let l = f.lines[0].clone();
                f.lines.insert(0, l);
            }),
            Err(Code::ManifestInvalid)
        );
        assert_eq!(refused(&|f| f.approved = None), Err(Code::NoteSignatures));
    }

    #[test]
    fn a_record_line_verifies_as_a_note_of_its_own() {
        let line = line(1, b"sealed");
        let unit: Member = "van-1".parse().expect("name");
        let agent = signer("agent-1", 11);
        assert!(line.verify(&unit, agent.public()).is_ok());
        assert!(line.verify(&"van-2".parse().expect("name"), agent.public()).is_err(), "the unit is signed too");
        assert!(line.verify(&unit, signer("agent-1", 12).public()).is_err());
        let note = Note::parse(line.as_note(&unit).as_bytes()).expect("a note");
        assert_eq!(note.verify(&[agent.public()]), Ok(()));
    }
}
