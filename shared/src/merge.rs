//! The merge: what the registry contains is a pure function of the *set* of logged records, with the facts that the
//! log states about them, never of the order in which they arrived.
//!
//! 1. A *record* is (unit, record id, sealed digest). Each logged line that delivers it is judged on its own
//!    ([`LineFact`]): opened or refused, in force or not, flagged or not.
//! 2. Same unit and record id with another digest, or the same number: all of them are held.
//! 3. `new` records with the same *match key* are a group: the first by order key among the unflagged stands.
//! 4. The others apply to who stands, by order key; if nobody is there yet, they wait.
//!
//! Records that can influence each other share a *link* ([`RecordFact::links`]). A set that is closed under links
//! folds to the same as the whole registry does, so a merge needs to read only the newcomer's closure.
//!
//! **Trust:** contents come from the opener, which compared them with their signed lines.
//! **Invariants:** nothing that arrival gives (log index, batch, received) is in the result, and the rules' version
//! stands in the digest.

pub mod digest;
mod fold;
mod key;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

pub use digest::registry_digest;
pub use fold::{Folded, Resident, fold};
pub use key::{MatchKey, RULES};

use crate::{
    id::{LogIndex, Member, Number, RecordId, ResidentRef, RosterVersion, SealedDigest, Transaction},
    log::BatchState,
    problem::Code,
    record::{Content, Target},
    time::{Minute, Second},
};

/// Identity of a record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordKey {
    /// The unit that enrolled.
    pub unit: Member,
    /// The record's id.
    pub record: RecordId,
    /// SHA-256 of the sealed record.
    pub digest: SealedDigest,
}

/// May a line take effect?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Force {
    /// Yes.
    InForce,
    /// No: its batch is quarantined, or a key of it was revoked before it was logged.
    Not(Code),
}

impl From<BatchState> for Force {
    fn from(state: BatchState) -> Self {
        match state {
            BatchState::Accepted => Self::InForce,
            BatchState::Quarantined(code) => Self::Not(code),
        }
    }
}

/// Did the sealed record say what this line says?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Opened {
    /// Yes.
    AsSigned,
    /// No, for good.
    Refused(Code),
}

/// A logged line that delivers a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineFact {
    /// The number under which it was delivered.
    pub number: Number,
    /// Claimed finishing minute.
    pub finished: Minute,
    /// May it take effect?
    pub force: Force,
    /// Did the record say what the line says?
    pub opened: Opened,
    /// Does what the log states contradict the claimed time?
    pub flag: Flag,
}

/// Does what the log states contradict a line's claims of time?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Flag {
    /// No.
    Plausible,
    /// Yes: a flagged record never overrides another's value.
    Clock,
}

/// What the log states around a line, for [`Flag::judge`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// Claimed finishing minute.
    pub finished: Minute,
    /// Size of the log head that the unit claims to have verified.
    pub seen: u64,
    /// Roster under which it says it was finished.
    pub roster: RosterVersion,
    /// Index of its batch's entry.
    pub index: LogIndex,
    /// `received` of its batch's entry.
    pub received: Second,
    /// `received` of entry `seen − 1`; none for `seen 0`, and when there is no such entry.
    pub seen_received: Option<Second>,
    /// `received` of its roster's entry; none when there is no such entry.
    pub roster_received: Option<Second>,
    /// `seen` and roster of the record line before it in the same manifest.
    pub before: Option<(u64, RosterVersion)>,
}

impl Flag {
    /// Computes the flag; it is never stored with the record.
    pub fn judge(times: &Times) -> Self {
        let late = times.finished > times.received.minute();
        // a head of the log that did not exist before this batch was logged can't have been seen
        let invented = times.seen > times.index.0 || times.roster_received.is_none();
        let early = |bound: Option<Second>| bound.is_some_and(|b| times.finished < b.minute());
        let backwards = times.before.is_some_and(|(seen, roster)| times.seen < seen || times.roster < roster);
        if late || invented || early(times.seen_received) || early(times.roster_received) || backwards {
            Self::Clock
        } else {
            Self::Plausible
        }
    }
}

/// What the fold needs of an opened record.
#[derive(Clone, PartialEq, Eq)]
pub struct Essence {
    /// What it does.
    pub transaction: Transaction,
    /// To whom; none for `new`.
    pub target: Option<Target>,
    /// Which group it founds or joins; for `new` only.
    pub match_key: Option<MatchKey>,
    /// Fields as written; null clears.
    pub fields: BTreeMap<String, Option<String>>,
    /// Part name → SHA-256 in hex.
    pub parts: BTreeMap<String, String>,
}

impl Essence {
    /// Takes what the fold needs from an opened, valid record.
    pub fn of(content: &Content) -> Self {
        let match_key = if content.transaction == Transaction::New { MatchKey::of(&content.person) } else { None };
        Self {
            transaction: content.transaction,
            target: content.applies_to.clone(),
            match_key,
            fields: content.person.clone(),
            parts: content.parts.iter().map(|p| (p.name.to_string(), p.sha256.hex())).collect(),
        }
    }
}

impl std::fmt::Debug for Essence {
    // names of fields, never values
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let fields: Vec<&str> = self.fields.keys().map(String::as_str).collect();
        write!(f, "{} {:?} {fields:?}", self.transaction, self.match_key)
    }
}

/// A record with all logged lines that deliver it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordFact {
    /// Which record.
    pub key: RecordKey,
    /// All logged lines that deliver it; at least one.
    pub lines: Vec<LineFact>,
    /// What it says; none when every line was refused.
    pub essence: Option<Essence>,
}

/// Numbers that a manifest says were withdrawn.
pub type Withdrawn = BTreeSet<(Member, Number)>;

/// Position of a record among others: (unit time, unit, epoch and number, digest).
pub type OrderKey = (Minute, Member, Number, SealedDigest);

impl RecordFact {
    /// Lines whose record says what they say: the others take no place.
    fn honest(&self) -> impl Iterator<Item = &LineFact> {
        self.lines.iter().filter(|line| line.opened == Opened::AsSigned)
    }

    /// Least of the order keys of its honest lines.
    pub fn order_key(&self) -> Option<OrderKey> {
        let key = |line: &LineFact| (line.finished, self.key.unit.clone(), line.number, self.key.digest);
        self.honest().map(key).min()
    }

    /// Flagged if any honest line is.
    pub fn flag(&self) -> Flag {
        if self.honest().any(|line| line.flag == Flag::Clock) { Flag::Clock } else { Flag::Plausible }
    }

    /// The reference of the resident that it founds, if it stands.
    pub fn founds(&self) -> ResidentRef {
        ResidentRef::founded_by(&self.key.unit, self.key.record)
    }

    /// Records that share one of these can influence each other. Sorted; also the keys to lock.
    pub fn links(&self) -> BTreeSet<String> {
        let RecordKey { unit, record, .. } = &self.key;
        let mut links: BTreeSet<String> = self.honest().map(|line| number_link(unit, line.number)).collect();
        let Some(essence) = self.essence.as_ref().filter(|_| !links.is_empty()) else { return links };
        links.insert(format!("record {unit} {record}"));
        if essence.transaction == Transaction::New {
            links.insert(format!("resident {}", self.founds()));
            links.extend(essence.match_key.as_ref().map(|key| format!("match {key}")));
        }
        links.extend(essence.target.as_ref().map(target_link));
        links
    }
}

/// The link of a number: two records with the same one are held, and a withdrawn one holds its record.
pub fn number_link(unit: &Member, number: Number) -> String {
    format!("number {unit} {number}")
}

/// The link that leads to who is named.
fn target_link(target: &Target) -> String {
    match target {
        Target::Resident { resident } => format!("resident {resident}"),
        Target::Record { unit, record } => format!("resident {}", ResidentRef::founded_by(unit, *record)),
        Target::NationalNumber { national_number } => format!("match {}", MatchKey::of_number(national_number)),
    }
}
