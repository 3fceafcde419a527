//! The roster: who may sign what, which forms and recipients hold, how much is admitted.
//!
//! ```text
//! enroll-roster/v1
//! centre registry.example
//! version 12
//! published 2026-11-20T08:00:00Z
//! expires 2027-02-20T08:00:00Z
//! grace 2592000
//! retention 1209600
//! software 0.1.0
//! recipient working age1pq1…
//! recipient recovery age1pq1…
//! recipient auditor age1…
//! log registry.example/log+5d1f…+AQ…
//! centre-key registry.example+0c77…+AQ…
//! signers 1 of 1
//! signer registry.example/roster-1+91aa…+AQ…
//! witnesses 0 of 0
//! form national-id/1 20123 sha256:…
//! limit lines 500
//! limit batch 536870912
//! limit record 16777216
//! approval required
//! renewals hold
//! unknown-targets hold
//! amend 2592000
//! persons by-effect
//! unit van-017 1 van-017+6e1d…+AQ… region 04
//! agent agent-007 agent-007+… at van-017
//! supervisor supervisor-003 supervisor-003+… age1… at van-017
//! carrier office-04 office-04+…
//! adjudicator amina amina+…
//! administrator youssef youssef+…
//! kept agent-007+91aa20c4 until 2026-12-24T08:00:00Z
//! revoked agent-007+6e1dd5c4 cut 20841 left
//! ```
//!
//! **Trust:** a [`Roster`] is well-formed; a [`TrustedRoster`] is signed as the one before it demands. That it
//! stands in the log is checked with its inclusion proof (`log.rs`). **Invariants:** one role a name, one name a key, sorted,
//! one spelling (what was read is printed again and compared). A roster lists every key that ever was: a later one drops
//! none, and moves no cut to later.

pub mod bundle;
mod facts;
#[cfg(any(test, feature = "sample"))]
pub mod invented;
mod print;
mod read;
pub mod request;
#[cfg(test)]
pub(crate) mod tests;

pub use facts::{
    AgeRecipient, AgentEntry, Approval, Crew, Facts, FormRef, Kept, Limits, Listed, Persons, Quorum, RecipientKind, Recipients, Renewals,
    Revocation, Role, SoftwareVersion, StaffEntry, SupervisorEntry, UnitEntry, UnknownTargets,
};

/// Least seconds of log time for which units keep merged records, whatever a roster says: three days.
pub const LEAST_RETENTION: u64 = 3 * 86_400;
/// Seconds for which a resident's own unit may change identity, unless the roster says otherwise: 30 days.
pub const AMEND: u64 = 30 * 86_400;

use std::collections::HashSet;

use crate::{
    id::RosterVersion,
    keys::{KeyRef, VerifierKey},
    note::Note,
    problem::{Code, Problem},
};

/// A well-formed roster with the bytes that it came in; its signatures are not checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roster {
    note: Note,
    facts: Facts,
}

/// A roster that is signed as it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedRoster(Roster);

impl Roster {
    /// Reads a signed note. Signatures are checked by the `trust_` functions.
    pub fn parse(bytes: &[u8]) -> Result<Self, Problem> {
        let note = Note::parse(bytes)?;
        let facts = read::facts(note.text())?;
        Ok(Self { note, facts })
    }

    /// Signs what a roster is to say; `signers` in the order of their names.
    pub fn sign(facts: Facts, signers: &[&crate::keys::Signer]) -> Result<Self, Problem> {
        let text = print::text(&facts);
        // whatever we print must be readable by the rules that we demand of others
        if read::facts(&text)? != facts {
            return Err(Problem::new(Code::RosterRefused, "not in canonical order"));
        }
        Ok(Self { note: Note::sign(&text, signers), facts })
    }

    /// What it says (not yet trusted).
    pub fn facts(&self) -> &Facts {
        &self.facts
    }
    /// The note.
    pub fn note(&self) -> &Note {
        &self.note
    }

    /// The first roster that anybody takes: signed by its own k of n, `anchor` among them.
    pub fn trust_anchored(self, anchor: &VerifierKey) -> Result<TrustedRoster, Problem> {
        let present = self.signatures(&[&self.facts.signers])?;
        if !present.contains(anchor) {
            return Err(Problem::new(Code::RosterRefused, "not signed by the key given at init"));
        }
        enough(&present, &self.facts.signers)?;
        Ok(TrustedRoster(self))
    }

    /// A newer roster: signed by k of n of the present one's signers, and of its own where these changed.
    pub fn trust_after(self, present: &TrustedRoster) -> Result<TrustedRoster, Problem> {
        let old = present.facts();
        if self.facts.centre != old.centre {
            return Err(Code::CentreWrong.into());
        }
        if self.facts.version <= old.version {
            return Err(Problem::new(Code::RosterRefused, "older than the present roster"));
        }
        keeps(old, &self.facts)?;
        let signed = self.signatures(&[&old.signers, &self.facts.signers])?;
        enough(&signed, &old.signers)?;
        if self.facts.signers != old.signers {
            enough(&signed, &self.facts.signers)?;
        }
        Ok(TrustedRoster(self))
    }

    /// The signature lines are of signers only, sorted by name, and verify.
    fn signatures(&self, sets: &[&Quorum]) -> Result<Vec<VerifierKey>, Problem> {
        let claimed = self.note.claimed_signers();
        if claimed.windows(2).any(|w| w[0] >= w[1]) {
            return Err(Code::NoteSignatures.into());
        }
        let known = |name: &&str| sets.iter().flat_map(|s| &s.keys).find(|k| k.name().as_str() == *name);
        let keys: Vec<&VerifierKey> = claimed.iter().map(known).collect::<Option<_>>().ok_or(Code::NoteSignatures)?;
        self.note.verify(&keys)?;
        Ok(keys.into_iter().cloned().collect())
    }
}

/// A later roster lists every key of the earlier one in the same role, and moves no end of one to later.
fn keeps(old: &Facts, new: &Facts) -> Result<(), Problem> {
    let refuse = |why: String| Err(Problem::new(Code::RosterRefused, why));
    let listed: HashSet<(&VerifierKey, Role)> = new.members().iter().map(|m| (m.key, m.role)).collect();
    if let Some(gone) = old.members().iter().find(|m| !listed.contains(&(m.key, m.role))) {
        return refuse(format!("it drops the key {}", KeyRef::from(gone.key)));
    }
    let later = |r: &&Revocation| new.revocation(&r.key).is_none_or(|now| now.cut > r.cut);
    if let Some(ended) = old.revoked.iter().find(later) {
        return refuse(format!("it moves the cut of {} to later", ended.key));
    }
    let longer = |k: &&Kept| new.kept_until(&k.key).is_none_or(|until| until > k.until);
    match old.kept.iter().find(longer) {
        Some(kept) => refuse(format!("it lets {} go on for longer", kept.key)),
        None => Ok(()),
    }
}

fn enough(signed: &[VerifierKey], quorum: &Quorum) -> Result<(), Problem> {
    let count = quorum.keys.iter().filter(|k| signed.contains(k)).count();
    if count >= quorum.needed {
        Ok(())
    } else {
        Err(Problem::new(Code::RosterRefused, format!("{count} of {} needed signers", quorum.needed)))
    }
}

impl TrustedRoster {
    /// A roster that this centre itself has logged: its entry in the log is what makes it trusted.
    /// `fsck` checks the chain of signatures again from version 1.
    pub fn from_own_log(roster: Roster) -> Self {
        Self(roster)
    }
    /// What it says.
    pub fn facts(&self) -> &Facts {
        &self.0.facts
    }
    /// Its version.
    pub fn version(&self) -> RosterVersion {
        self.0.facts.version
    }
    /// The note.
    pub fn note(&self) -> &Note {
        &self.0.note
    }
}
