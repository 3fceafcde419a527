//! Lines of a manifest: a record that the agent signed, or a number that a supervisor withdrew.

use std::{fmt, str::FromStr};

use base64::{Engine as _, prelude::BASE64_STANDARD};

use crate::{
    id::{FormName, IdError, Member, Number, RecordId, RosterVersion, SealedDigest, Transaction},
    keys::{Signer, VerifierKey},
    problem::{Code, Problem},
    text::{Lines, TextError, decimal},
    time::Minute,
};

/// A line of a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// A sealed record.
    Record(RecordLine),
    /// A number that was taken out before the batch was closed.
    Withdrawn(WithdrawnLine),
}

impl Line {
    /// Its number.
    pub fn number(&self) -> Number {
        match self {
            Self::Record(line) => line.facts.number,
            Self::Withdrawn(line) => line.number,
        }
    }
}
impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Record(line) => line.fmt(f),
            Self::Withdrawn(line) => line.fmt(f),
        }
    }
}

/// What the agent signs about a sealed record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineFacts {
    /// The unit's number of this record.
    pub number: Number,
    /// Id of the record.
    pub record: RecordId,
    /// Size of the age file in bytes.
    pub size: u64,
    /// SHA-256 of the age file.
    pub digest: SealedDigest,
    /// Most bytes that opening may give: max(Padmé(tar's size), the form's `pad`).
    pub plain: u64,
    /// What it does to the registry.
    pub transaction: Transaction,
    /// Under which form.
    pub form: FormName,
    /// Under which roster it was finished.
    pub roster: RosterVersion,
    /// When it was finished, in unit time.
    pub finished: Minute,
    /// Size of the newest log head that the unit had verified then.
    pub seen: u64,
    /// Who enrolled: an agent, or a supervisor.
    pub agent: Member,
}

impl fmt::Display for LineFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { number, record, size, digest, plain, transaction, form, roster, finished, seen, agent } = self;
        write!(
            f,
            "record {number} {record} {size} {digest} plain {plain} {transaction} form {form} roster {roster} finished {finished} seen {seen} {agent}"
        )
    }
}

/// A record line: facts and the agent's signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordLine {
    /// What the agent signed.
    pub facts: LineFacts,
    /// Key id and signature, as in a signature line of a note.
    signature: [u8; 68],
}

impl RecordLine {
    /// Signs the facts for a unit.
    pub fn sign(facts: LineFacts, unit: &Member, agent: &Signer) -> Self {
        let text = signed_text(&facts, unit);
        let mut signature = [0; 68];
        signature[..4].copy_from_slice(&agent.public().id().0.to_be_bytes());
        signature[4..].copy_from_slice(&agent.sign(text.as_bytes()));
        Self { facts, signature }
    }

    /// The agent's key made the signature, for this unit.
    pub fn verify(&self, unit: &Member, key: &VerifierKey) -> Result<(), Problem> {
        let (id, signature) = self.signature.split_at(4);
        let own = id == key.id().0.to_be_bytes() && key.name().as_str() == self.facts.agent.as_str();
        if own && key.verify(signed_text(&self.facts, unit).as_bytes(), signature) {
            Ok(())
        } else {
            Err(Problem::new(Code::RecordSignature, format!("record {}", self.facts.number)))
        }
    }

    /// The short id of the key that is said to have signed.
    pub fn key_id(&self) -> crate::keys::KeyId {
        crate::keys::KeyId(u32::from_be_bytes(self.signature[..4].try_into().expect("four bytes")))
    }

    /// The line as a signed note of its own, for any note tool.
    pub fn as_note(&self, unit: &Member) -> String {
        format!("{}\n— {} {}\n", signed_text(&self.facts, unit), self.facts.agent, BASE64_STANDARD.encode(self.signature))
    }

    /// Reads the value of a `record` line.
    pub(super) fn read(lines: &Lines<'_>, value: &str) -> Result<Self, TextError> {
        let words: [&str; 16] = split(value).ok_or_else(|| lines.bad())?;
        let [number, record, size, digest, w1, plain, transaction, w2, form, w3, roster, w4, finished, w5, seen, agent_and_signature] =
            words;
        let (agent, signature) = agent_and_signature.split_once(' ').ok_or_else(|| lines.bad())?;
        if [w1, w2, w3, w4, w5] != ["plain", "form", "roster", "finished", "seen"] {
            return Err(lines.bad());
        }
        let bytes = BASE64_STANDARD.decode(signature).ok().and_then(|b| <[u8; 68]>::try_from(b).ok());
        let count = |text: &str| decimal(text).ok_or_else(|| lines.bad());
        let facts = LineFacts {
            number: lines.parse(number)?,
            record: lines.parse(record)?,
            size: count(size)?,
            digest: lines.parse(digest)?,
            plain: count(plain)?,
            transaction: lines.parse(transaction)?,
            form: lines.parse(form)?,
            roster: lines.parse(roster)?,
            finished: lines.parse(finished)?,
            seen: count(seen)?,
            agent: lines.parse(agent)?,
        };
        Ok(Self { facts, signature: bytes.ok_or_else(|| lines.bad())? })
    }

    /// Reads a whole record line, as a unit keeps it until the batch is closed.
    pub fn parse(line: &str) -> Result<Self, Problem> {
        let text = format!("{line}\n");
        let mut lines = Lines::new(&text)?;
        let value = lines.field("record")?;
        let read = Self::read(&lines, value)?;
        if read.to_string() == line { Ok(read) } else { Err(Code::TextMalformed.into()) }
    }
}

impl fmt::Display for RecordLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.facts, BASE64_STANDARD.encode(self.signature))
    }
}

/// 15 words, and what is left: the agent and the signature.
fn split(value: &str) -> Option<[&str; 16]> {
    let mut words = value.splitn(16, ' ');
    let mut out = [""; 16];
    for slot in &mut out {
        *slot = words.next()?;
    }
    Some(out)
}

fn signed_text(facts: &LineFacts, unit: &Member) -> String {
    format!("enroll-record/v1\nunit {unit}\n{facts}\n")
}

/// Why a supervisor took a finished record out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WithdrawReason {
    /// The same person twice.
    CapturedTwice,
    /// Not the person whose data it has.
    WrongPerson,
    /// The person took consent back.
    ConsentWithdrawn,
    /// Not usable.
    BadCapture,
    /// Something else.
    Other,
}

impl WithdrawReason {
    /// All of version 1.
    pub const ALL: [Self; 5] = [Self::CapturedTwice, Self::WrongPerson, Self::ConsentWithdrawn, Self::BadCapture, Self::Other];

    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CapturedTwice => "captured-twice",
            Self::WrongPerson => "wrong-person",
            Self::ConsentWithdrawn => "consent-withdrawn",
            Self::BadCapture => "bad-capture",
            Self::Other => "other",
        }
    }
}
impl fmt::Display for WithdrawReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
impl FromStr for WithdrawReason {
    type Err = IdError;
    fn from_str(s: &str) -> Result<Self, IdError> {
        Self::ALL.into_iter().find(|r| r.as_str() == s).ok_or(IdError("reason"))
    }
}

/// A number that was taken out before the batch was closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WithdrawnLine {
    /// The number.
    pub number: Number,
    /// Id of the record that had it.
    pub record: RecordId,
    /// Why.
    pub reason: WithdrawReason,
    /// Which supervisor.
    pub by: Member,
}

impl WithdrawnLine {
    pub(super) fn read(lines: &Lines<'_>, value: &str) -> Result<Self, TextError> {
        let mut words = value.split(' ');
        let mut next = || words.next().ok_or_else(|| lines.bad());
        let line =
            Self { number: lines.parse(next()?)?, record: lines.parse(next()?)?, reason: lines.parse(next()?)?, by: lines.parse(next()?)? };
        if words.next().is_none() { Ok(line) } else { Err(lines.bad()) }
    }
}
impl fmt::Display for WithdrawnLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "withdrawn {} {} {} {}", self.number, self.record, self.reason, self.by)
    }
}
