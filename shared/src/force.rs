//! Whose word counts: one function over a key and a place in the log.
//!
//! ```text
//! entry   5 ............ 20 ........ 26 ........ 31 ....... 40
//!         roster 3                   head 1.9                roster 4: `revoked agent-1+… cut 30`
//!         admits the key                         batch 1.9
//! ```
//! The key is in force for whatever was logged behind entry 5 and before entry 30. Batch 1.9 was logged behind the cut; a head
//! of its unit that was logged before the cut leads to it, so it is in force all the same.
//!
//! 1. *Admitted*: a roster that was logged before the entry lists the key.
//! 2. *Cut*: a roster ends it at an index at or before the entry, and no head leads from before that index to the entry.
//!
//! Standing, approval, withdrawal, numbers, record ids, heads, sessions, the fold and `enroll-verify` ask [`Life::counts`] and
//! nothing else.
//!
//! **Trust:** the rosters that a [`Life`] is read from are trusted and stand in the log at these indexes. **Invariants:** a claimed
//! time decides nothing; what ends a key by time is log time.

use std::collections::BTreeMap;

use crate::{
    id::LogIndex,
    keys::KeyRef,
    problem::Code,
    roster::{Facts, Role},
    time::Second,
};

/// The life of a key, as far as the log had told it at some place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Life {
    /// The entry of the roster that first listed the key.
    pub admitted: Option<LogIndex>,
    /// The first entry that the key is not in force for any more.
    pub end: Option<LogIndex>,
}

/// How a key stands for an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Standing {
    /// It counts.
    InForce,
    /// No roster that was logged before lists it.
    NotAdmitted,
    /// It ended at this index.
    Cut(LogIndex),
}

impl Standing {
    /// Does the key's word count?
    pub fn counts(self) -> bool {
        self == Self::InForce
    }

    /// The code under which the work of a key is held that does not count.
    pub fn code(self, role: Role) -> Option<Code> {
        match (self, role) {
            (Self::InForce, _) => None,
            (_, Role::Agent) => Some(Code::AgentRevoked),
            (_, Role::Supervisor) => Some(Code::ApproverRevoked),
            (_, Role::Adjudicator | Role::Administrator) => Some(Code::DecisionRevoked),
            (_, Role::Unit | Role::Carrier) => Some(Code::Revoked),
        }
    }
}

impl Life {
    /// Is the key in force for what was logged at `entry`? `linked` is the lowest index of a head in force from which `previous`
    /// leads to it over logged batches.
    pub fn counts(&self, entry: LogIndex, linked: Option<LogIndex>) -> Standing {
        if self.admitted.is_none_or(|admitted| admitted >= entry) {
            return Standing::NotAdmitted;
        }
        match self.end {
            Some(end) if end <= entry && linked.is_none_or(|head| head >= end) => Standing::Cut(end),
            _ => Standing::InForce,
        }
    }
}

/// How a roster ends a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct End {
    /// At this index.
    pub cut: Option<LogIndex>,
    /// For what is logged later than this log time.
    pub until: Option<Second>,
}

impl End {
    /// What a roster says of a key.
    pub fn of(roster: &Facts, key: &KeyRef) -> Self {
        Self { cut: roster.revocation(key).map(|r| r.cut), until: roster.kept_until(key) }
    }

    /// The first entry behind the end; `after` gives the first entry that was logged later than a log time.
    pub fn index<E>(self, after: impl FnOnce(Second) -> Result<Option<LogIndex>, E>) -> Result<Option<LogIndex>, E> {
        let timed = match self.until {
            Some(until) => after(until)?,
            None => None,
        };
        Ok([self.cut, timed].into_iter().flatten().min())
    }
}

/// The lives of all keys, read from rosters with the indexes of their entries: for whoever has no ledger.
#[derive(Debug, Clone, Default)]
pub struct Lives {
    admitted: BTreeMap<KeyRef, LogIndex>,
    ends: BTreeMap<KeyRef, End>,
}

impl Lives {
    /// Takes the next roster of the log in.
    pub fn follow(&mut self, index: LogIndex, roster: &Facts) {
        for member in roster.members() {
            self.admitted.entry(KeyRef::from(member.key)).or_insert(index);
        }
        let ended = roster.revoked.iter().map(|r| &r.key).chain(roster.kept.iter().map(|k| &k.key));
        self.ends = ended.map(|key| (key.clone(), End::of(roster, key))).collect();
    }

    /// The life of a key as the newest roster tells it; `after` as for [`End::index`].
    pub fn of(&self, key: &KeyRef, after: impl FnOnce(Second) -> Option<LogIndex>) -> Life {
        let end = self.ends.get(key).copied().unwrap_or_default();
        let end: Result<_, std::convert::Infallible> = end.index(|until| Ok(after(until)));
        Life { admitted: self.admitted.get(key).copied(), end: end.unwrap_or_default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::roster::{Kept, Revocation, tests as rosters, tests::signer};

    const I: fn(u64) -> LogIndex = LogIndex;

    #[test]
    fn a_key_counts_between_its_admission_and_its_end() {
        let life = Life { admitted: Some(I(5)), end: Some(I(30)) };
        let counts = |entry, linked: Option<u64>| life.counts(I(entry), linked.map(I));
        for (entry, linked, expected) in [
            (4, None, Standing::NotAdmitted),
            (5, None, Standing::NotAdmitted),
            (6, None, Standing::InForce),
            (29, None, Standing::InForce),
            (30, None, Standing::Cut(I(30))),
            (40, None, Standing::Cut(I(30))),
            (40, Some(29), Standing::InForce),
            (40, Some(30), Standing::Cut(I(30))),
            (5, Some(1), Standing::NotAdmitted),
        ] {
            assert_eq!(counts(entry, linked), expected, "entry {entry}, linked {linked:?}");
        }
        assert_eq!(Life::default().counts(I(9), Some(I(1))), Standing::NotAdmitted);
        assert_eq!(Life { end: None, ..life }.counts(I(1 << 40), None), Standing::InForce);
    }

    #[test]
    fn the_earlier_of_two_ends_counts() {
        let after = |second: Second| Ok::<_, ()>((second == Second::from_unix(7)).then_some(I(12)));
        let end = |cut: Option<u64>, until: Option<i64>| End { cut: cut.map(I), until: until.map(Second::from_unix) }.index(after);
        assert_eq!(end(None, None), Ok(None));
        assert_eq!(end(Some(20), None), Ok(Some(I(20))));
        assert_eq!(end(Some(20), Some(7)), Ok(Some(I(12))));
        assert_eq!(end(Some(3), Some(7)), Ok(Some(I(3))));
        assert_eq!(end(Some(20), Some(8)), Ok(Some(I(20))), "that time has not come");
    }

    #[test]
    fn lives_are_read_from_rosters_in_the_logs_order() {
        let (agent, second) = (signer("agent-1", 11), signer("agent-1", 21));
        let mut lives = Lives::default();
        let mut roster = rosters::facts();
        lives.follow(I(2), &roster);
        roster.agents.push(crate::roster::AgentEntry { name: "agent-1".parse().expect("name"), key: second.public().clone(), unit: None });
        roster.kept.push(Kept { key: KeyRef::from(agent.public()), until: Second::from_unix(100) });
        lives.follow(I(8), &roster);
        let after = |_| Some(I(15));
        assert_eq!(lives.of(&KeyRef::from(agent.public()), after), Life { admitted: Some(I(2)), end: Some(I(15)) });
        assert_eq!(lives.of(&KeyRef::from(second.public()), after), Life { admitted: Some(I(8)), end: None });
        roster.revoked.push(Revocation { key: KeyRef::from(agent.public()), cut: I(9), reason: "stolen".into() });
        lives.follow(I(20), &roster);
        assert_eq!(lives.of(&KeyRef::from(agent.public()), after).end, Some(I(9)));
        assert_eq!(lives.of(&KeyRef::from(signer("agent-9", 9).public()), after), Life::default());
    }
}
