//! What this unit and its people may do now. One place, asked before a resident sits down, by `status` and by `doctor`.
//!
//! | act | refused when |
//! |---|---|
//! | capture | the unit's key is not in force, the centre's last word is not `ok`, the roster is past its grace or asks for newer software |
//! | close | the key and the centre's word only: what was finished in time may still be closed |
//! | prune | any of these, or the centre has shown two histories |
//!
//! Whether a key counts is [`Life::counts`], for whatever would be logged next: the roster held admits the key, and ends
//! it. A time at which a key ends is held against unit time, for a laptop knows no better.
//!
//! **Trust:** the roster held was checked; the clock of the laptop was not. **Invariants:** each refusal has a code whose text
//! says the way out; a key that is listed for another laptop, in another role or under another name does not count here.

use std::fmt;

use shared::{
    force::{End, Life, Standing as Force},
    id::{LogIndex, Member},
    keys::{KeyRef, VerifierKey},
    problem::{Code, Problem},
    roster::{Crew, Listed, Role, SoftwareVersion, TrustedRoster, UnitEntry},
    time::Second,
};

use crate::{
    sync,
    vault::{Vault, members::Known, state::State},
};

/// Days before an end from which on people are warned.
pub const WARN_DAYS: i64 = 7;

/// What somebody wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Begin, fill in and finish records, or sign them again.
    Capture,
    /// Close the day.
    Close,
    /// Delete what the centre has.
    Prune,
}

/// How somebody with a key stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    /// Their key counts.
    Admitted,
    /// Their key was replaced, and counts until this log time.
    KeptUntil(Second),
    /// Their key has ended.
    Revoked,
    /// Their key is listed for another laptop.
    AnotherUnit(Member),
    /// Their key is listed in another role.
    AnotherRole(Role),
    /// Their name is listed, with other keys only.
    AnotherKey,
    /// Nothing of them is listed.
    NotListed,
}

impl fmt::Display for Admission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Admitted => f.write_str("admitted"),
            Self::KeptUntil(until) => write!(f, "admitted until {until}"),
            Self::Revoked => f.write_str("revoked"),
            Self::AnotherUnit(unit) => write!(f, "admitted for {unit} only"),
            Self::AnotherRole(role) => write!(f, "admitted as {role}"),
            Self::AnotherKey => f.write_str("admitted with another key"),
            Self::NotListed => f.write_str("not admitted"),
        }
    }
}

/// The roster held, how far this unit has come, and what time it is here.
#[derive(Debug, Clone)]
pub struct Rights {
    roster: TrustedRoster,
    state: State,
    /// Unit time.
    now: Second,
    contradicted: bool,
}

impl Rights {
    /// Reads what they follow from.
    pub fn of(vault: &Vault, clock: Second) -> Result<Self, Problem> {
        let (roster, state) = (vault.demand_roster()?, vault.state()?);
        let contradicted = sync::evidence(vault.places(), clock)?.is_some();
        Ok(Self { now: state.unit_time(clock), roster, state, contradicted })
    }

    /// The roster that they follow from.
    pub fn roster(&self) -> &TrustedRoster {
        &self.roster
    }
    /// How far the unit had come.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The roster's entry of this unit's own key, when the unit may do this; else why not, with the way out.
    pub fn unit(&self, act: Act) -> Result<&UnitEntry, Problem> {
        self.unit_at(act, self.now)
    }

    /// The same at a later unit time: a desk may have been open for long.
    pub fn unit_at(&self, act: Act, now: Second) -> Result<&UnitEntry, Problem> {
        let name = &self.state.unit;
        match self.admission(name, &self.state.key, Role::Unit, now) {
            Admission::Admitted | Admission::KeptUntil(_) => {}
            Admission::Revoked => return Err(self.told(Code::Revoked)),
            other => return Err(Problem::new(Code::UnitNotAdmitted, format!("{name}: {other}"))),
        }
        if let Some(code) = self.state.standing.code() {
            return Err(self.told(code));
        }
        let entry = self.own_entry().filter(|e| Some(e.epoch) == self.state.epoch);
        let entry = entry.ok_or_else(|| self.told(Code::EpochNeeded))?;
        match act {
            Act::Close => {}
            Act::Prune if self.contradicted => return Err(Code::LogInconsistent.into()),
            Act::Prune => self.in_force(now)?,
            Act::Capture => {
                self.in_force(now)?;
                self.new_enough()?;
            }
        }
        Ok(entry)
    }

    /// Refuses under a roster that is past its date and its grace.
    fn in_force(&self, now: Second) -> Result<(), Problem> {
        let end = self.end_of_grace();
        if now <= end { Ok(()) } else { Err(Problem::new(Code::RosterExpired, format!("ended {end}"))) }
    }

    /// Refuses under a roster that asks for a newer version of this software.
    fn new_enough(&self) -> Result<(), Problem> {
        let (least, own) = (self.roster.facts().software, env!("CARGO_PKG_VERSION"));
        match own.parse::<SoftwareVersion>() {
            Ok(version) if version >= least => Ok(()),
            _ => Err(Problem::new(Code::SoftwareTooOld, format!("it asks for {least}, this is {own}"))),
        }
    }

    /// Until when records may be finished under the roster held, by unit time.
    pub fn end_of_grace(&self) -> Second {
        let facts = self.roster.facts();
        Second::from_unix(facts.expires.unix().saturating_add(i64::try_from(facts.grace).unwrap_or(i64::MAX)))
    }
    /// When capture ends by what is known today: with the roster's grace, or with the time of a key that was replaced.
    pub fn end_of_capture(&self) -> Second {
        match self.admission_of_unit() {
            Admission::KeptUntil(until) => until.min(self.end_of_grace()),
            _ => self.end_of_grace(),
        }
    }
    /// Whole days until capture ends; below zero when it has ended.
    pub fn days_left(&self) -> i64 {
        (self.end_of_capture().unix() - self.now.unix()).div_euclid(86_400)
    }
    /// The roster and its grace are over.
    pub fn is_expired(&self) -> bool {
        self.now > self.end_of_grace()
    }
    /// The roster is past its date: only its grace is left.
    pub fn in_grace(&self) -> bool {
        self.now > self.roster.facts().expires
    }

    /// The roster expires within a week.
    pub fn expires_soon(&self) -> bool {
        self.now.unix() > self.roster.facts().expires.unix().saturating_sub(WARN_DAYS * 86_400)
    }

    /// With a new key under way, what is missing is its admission.
    fn told(&self, code: Code) -> Problem {
        let detail = self.state.next.as_ref().map(|key| format!("the new key {} waits until the centre admits it", KeyRef::from(key)));
        Problem::new(code, detail.unwrap_or_else(|| self.state.unit.to_string()))
    }

    fn own_entry(&self) -> Option<&UnitEntry> {
        self.roster.facts().units.iter().find(|u| u.name == self.state.unit && u.key == self.state.key)
    }

    /// Whether several people work here.
    pub fn crew(&self) -> Crew {
        self.own_entry().map_or(Crew::Several, |e| e.crew)
    }

    /// How the unit's own key stands.
    pub fn admission_of_unit(&self) -> Admission {
        self.admission(&self.state.unit, &self.state.key, Role::Unit, self.now)
    }
    /// How a member of this laptop stands, by their own key.
    pub fn admission_of(&self, member: &Known) -> Admission {
        self.admission(&member.name, &member.key, member.role.into(), self.now)
    }

    /// Refuses the work of a member whose key does not count here.
    pub fn member(&self, name: &Member, key: &VerifierKey, role: Role) -> Result<(), Problem> {
        match self.admission(name, key, role, self.now) {
            Admission::Admitted | Admission::KeptUntil(_) => Ok(()),
            Admission::Revoked => Err(Problem::new(Code::AgentRevoked, name.to_string())),
            other => Err(Problem::new(Code::AgentNotAdmitted, format!("{name}: {other}"))),
        }
    }

    fn admission(&self, name: &Member, key: &VerifierKey, role: Role, now: Second) -> Admission {
        let members = self.roster.facts().members();
        let mine = |m: &&Listed<'_>| m.name == name && m.key == key;
        let Some(listed) = members.iter().find(mine) else {
            let known = members.iter().any(|m| m.name == name);
            return if known { Admission::AnotherKey } else { Admission::NotListed };
        };
        if listed.role != role {
            return Admission::AnotherRole(listed.role);
        }
        if let Some(unit) = listed.unit.filter(|unit| **unit != self.state.unit) {
            return Admission::AnotherUnit(unit.clone());
        }
        match (self.force(key, now), self.roster.facts().kept_until(&KeyRef::from(key))) {
            (Force::InForce, None) => Admission::Admitted,
            (Force::InForce, Some(until)) => Admission::KeptUntil(until),
            (Force::NotAdmitted, _) => Admission::NotListed,
            (Force::Cut(_), _) => Admission::Revoked,
        }
    }

    /// How a listed key stands for what would be logged next.
    fn force(&self, key: &VerifierKey, now: Second) -> Force {
        // the roster held is among what this unit has seen of the log
        let next = LogIndex(self.state.seen.size.max(1));
        let admitted = Some(LogIndex(next.0 - 1));
        let after = |until| Ok::<_, std::convert::Infallible>((now > until).then_some(next));
        let end = End::of(self.roster.facts(), &KeyRef::from(key)).index(after);
        Life { admitted, end: end.unwrap_or_default() }.counts(next, None)
    }

    /// Old keys of this unit and of its people that go on until a log time: work under them has to be at the centre by then.
    pub fn kept(&self, members: &[Known]) -> Vec<(KeyRef, Second)> {
        let here = |key: &KeyRef| {
            let is = |name: &Member| key.name.as_str() == name.as_str();
            is(&self.state.unit) || members.iter().any(|m| is(&m.name))
        };
        let facts = self.roster.facts();
        let members = facts.members();
        let elsewhere = |key: &KeyRef| {
            let listed = members.iter().find(|m| KeyRef::from(m.key) == *key);
            listed.and_then(|m| m.unit).is_some_and(|unit| *unit != self.state.unit)
        };
        // one that was cut meanwhile, or whose time is over, goes on no longer
        let goes_on = |key: &KeyRef, until: Second| until >= self.now && facts.revocation(key).is_none();
        let kept = facts.kept.iter().filter(|k| here(&k.key) && goes_on(&k.key, k.until) && !elsewhere(&k.key));
        kept.map(|k| (k.key.clone(), k.until)).collect()
    }
}

#[cfg(test)]
mod tests;
