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
//! unit van-017 1 van-017+6e1d…+AQ… region 04
//! agent agent-007 agent-007+…
//! supervisor supervisor-003 supervisor-003+… age1…
//! carrier office-04 office-04+…
//! revoked agent-007+6e1dd5c4 cut 20841 left
//! ```
//!
//! **Trust:** a [`Roster`] is well-formed; a [`TrustedRoster`] is signed as the one before it demands. That it
//! stands in the log is checked with its inclusion proof (`log.rs`). **Invariants:** one role a name, sorted,
//! one spelling (what was read is printed again and compared); there are no validity dates of keys.

mod print;
mod read;
pub mod request;

use std::{fmt, str::FromStr};

use crate::{
    id::{Blob, Centre, FormName, IdError, LogIndex, Member, RosterVersion},
    keys::{KeyRef, VerifierKey},
    note::Note,
    problem::{Code, Problem},
    time::Second,
};

/// What a roster says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Name of the centre.
    pub centre: Centre,
    /// From 1, one more with each roster.
    pub version: RosterVersion,
    /// When it was made.
    pub published: Second,
    /// From when on a newer one is expected.
    pub expires: Second,
    /// Seconds after `expires` for which capture goes on.
    pub grace: u64,
    /// Seconds of log time that a unit keeps a merged record.
    pub retention: u64,
    /// Least version of the software.
    pub software: SoftwareVersion,
    /// To whom records are sealed.
    pub recipients: Recipients,
    /// The log's key; its name is the log's origin.
    pub log: VerifierKey,
    /// The key that signs answers and outcomes.
    pub centre_key: VerifierKey,
    /// Who signs rosters, sorted by name, and how many of them must.
    pub signers: Quorum,
    /// Who cosigns checkpoints, and how many of them must.
    pub witnesses: Quorum,
    /// Forms in force, sorted by name.
    pub forms: Vec<FormRef>,
    /// Sizes that are admitted.
    pub limits: Limits,
    /// Must a supervisor approve a batch?
    pub approval: Approval,
    /// Units, sorted by name, then epoch.
    pub units: Vec<UnitEntry>,
    /// Agents, sorted by name.
    pub agents: Vec<AgentEntry>,
    /// Supervisors, sorted by name.
    pub supervisors: Vec<SupervisorEntry>,
    /// Carriers, sorted by name.
    pub carriers: Vec<AgentEntry>,
    /// Ended keys, sorted by name, then key id.
    pub revoked: Vec<Revocation>,
}

/// Age recipients, as text; `seal` gives them a meaning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipients {
    /// The opener's identity.
    pub working: AgeRecipient,
    /// The offline recovery identity, of the same kind.
    pub recovery: AgeRecipient,
    /// Who can read access records.
    pub auditors: Vec<AgeRecipient>,
}

/// `k` of the keys must sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quorum {
    /// How many must.
    pub needed: usize,
    /// Who may, sorted by name.
    pub keys: Vec<VerifierKey>,
}

/// A form in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormRef {
    /// Name and version.
    pub name: FormName,
    /// Size of the file in bytes.
    pub size: u64,
    /// SHA-256 of the file.
    pub blob: Blob,
}

/// Sizes that are admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Record and withdrawn lines of one batch.
    pub lines: u64,
    /// Bytes of one payload.
    pub batch: u64,
    /// Bytes of one sealed record.
    pub record: u64,
}

impl Limits {
    /// What this version of the software admits at most.
    pub const MOST: Self = Self { lines: 500, batch: 512 << 20, record: 16 << 20 };
    /// Bytes of one record before sealing.
    pub const PLAIN: u64 = 64 << 20;
}

/// Must a supervisor approve a batch?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Approval {
    /// Always.
    Required,
    /// Only within so many hours from the earliest `finished` to `closed`.
    After {
        /// Hours.
        hours: u64,
    },
    /// Never.
    None,
}

/// May the supervisor of this unit approve their own records?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Crew {
    /// Several people: nobody approves what they enrolled themselves.
    Several,
    /// A one-person unit.
    Alone,
}

/// A unit's key of one epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitEntry {
    /// Name of the unit.
    pub name: Member,
    /// Epoch that this key opened.
    pub epoch: u32,
    /// The key.
    pub key: VerifierKey,
    /// Region code.
    pub region: String,
    /// One person or several.
    pub crew: Crew,
}

/// An agent or a carrier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentEntry {
    /// Name.
    pub name: Member,
    /// The key.
    pub key: VerifierKey,
}

/// A supervisor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SupervisorEntry {
    /// Name.
    pub name: Member,
    /// The key.
    pub key: VerifierKey,
    /// Recipient of review cards (X25519: they never leave the laptop).
    pub recipient: AgeRecipient,
}

/// A key that ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revocation {
    /// Which key.
    pub key: KeyRef,
    /// What it signed is good when logged before this index.
    pub cut: LogIndex,
    /// Why: one word, `[a-z-]+`.
    pub reason: String,
}

/// Which kind of age recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RecipientKind {
    /// `mlkem768x25519`
    Hybrid,
    /// `X25519`
    X25519,
}

/// An age recipient as text, `age1…`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AgeRecipient(String);

impl AgeRecipient {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
    /// Which kind it claims to be.
    pub fn kind(&self) -> RecipientKind {
        if self.0.starts_with("age1pq1") { RecipientKind::Hybrid } else { RecipientKind::X25519 }
    }
}
impl fmt::Display for AgeRecipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl fmt::Debug for AgeRecipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0[..self.0.len().min(16)])
    }
}
impl FromStr for AgeRecipient {
    type Err = IdError;
    fn from_str(s: &str) -> Result<Self, IdError> {
        let valid =
            s.starts_with("age1") && (60..=2100).contains(&s.len()) && s.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        if valid { Ok(Self(s.to_owned())) } else { Err(IdError("age recipient")) }
    }
}

/// `major.minor.patch`
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SoftwareVersion(pub u32, pub u32, pub u32);

impl fmt::Display for SoftwareVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}
impl FromStr for SoftwareVersion {
    type Err = IdError;
    fn from_str(s: &str) -> Result<Self, IdError> {
        let parts: Vec<u32> = s
            .split('.')
            .map(|p| crate::text::decimal(p).and_then(|v| u32::try_from(v).ok()))
            .collect::<Option<_>>()
            .ok_or(IdError("version"))?;
        match parts[..] {
            [major, minor, patch] => Ok(Self(major, minor, patch)),
            _ => Err(IdError("version")),
        }
    }
}

impl Facts {
    /// The unit's key of an epoch.
    pub fn unit(&self, name: &Member, epoch: u32) -> Option<&UnitEntry> {
        self.units.iter().find(|u| u.name == *name && u.epoch == epoch)
    }
    /// The unit's newest epoch.
    pub fn newest_epoch(&self, name: &Member) -> Option<&UnitEntry> {
        self.units.iter().filter(|u| u.name == *name).max_by_key(|u| u.epoch)
    }
    /// The key that may sign record lines under this name: an agent's or a supervisor's.
    pub fn line_key(&self, name: &Member) -> Option<&VerifierKey> {
        let agent = self.agents.iter().find(|a| a.name == *name).map(|a| &a.key);
        agent.or_else(|| self.supervisor(name).map(|s| &s.key))
    }
    /// A supervisor.
    pub fn supervisor(&self, name: &Member) -> Option<&SupervisorEntry> {
        self.supervisors.iter().find(|s| s.name == *name)
    }
    /// A carrier.
    pub fn carrier(&self, name: &Member) -> Option<&AgentEntry> {
        self.carriers.iter().find(|c| c.name == *name)
    }
    /// A form in force.
    pub fn form(&self, name: &FormName) -> Option<&FormRef> {
        self.forms.iter().find(|f| f.name == *name)
    }
    /// How a key ended, if it did.
    pub fn revocation(&self, key: &KeyRef) -> Option<&Revocation> {
        self.revoked.iter().find(|r| r.key == *key)
    }
    /// Every name that stands for a member, to keep one role a name.
    fn member_names(&self) -> Vec<&Member> {
        let mut units: Vec<&Member> = self.units.iter().map(|u| &u.name).collect();
        units.dedup();
        let agents = self.agents.iter().chain(&self.carriers).map(|a| &a.name);
        units.into_iter().chain(agents).chain(self.supervisors.iter().map(|s| &s.name)).collect()
    }
}

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

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::keys::Signer;

    pub(crate) fn signer(name: &str, seed: u8) -> Signer {
        Signer::from_seed(name.parse().expect("name"), &[seed; 32])
    }

    pub(crate) fn facts() -> Facts {
        let age = |c: char| format!("age1{}", c.to_string().repeat(58)).parse::<AgeRecipient>().expect("age");
        let key = |n: &str, s| signer(n, s).public().clone();
        Facts {
            centre: "registry.example".parse().expect("centre"),
            version: RosterVersion(1),
            published: Second::from_unix(1_790_000_000),
            expires: Second::from_unix(1_800_000_000),
            grace: 86400,
            retention: 3600,
            software: SoftwareVersion(0, 1, 0),
            recipients: Recipients { working: age('q'), recovery: age('p'), auditors: vec![age('z')] },
            log: key("registry.example/log", 2),
            centre_key: key("registry.example", 3),
            signers: Quorum { needed: 1, keys: vec![key("registry.example/roster-1", 1)] },
            witnesses: Quorum { needed: 0, keys: vec![] },
            forms: vec![FormRef { name: "national-id/1".parse().expect("form"), size: 3, blob: Blob::of(b"{}\n") }],
            limits: Limits::MOST,
            approval: Approval::Required,
            units: vec![UnitEntry {
                name: "van-1".parse().expect("name"),
                epoch: 1,
                key: key("van-1", 10),
                region: "04".into(),
                crew: Crew::Several,
            }],
            agents: vec![AgentEntry { name: "agent-1".parse().expect("name"), key: key("agent-1", 11) }],
            supervisors: vec![SupervisorEntry {
                name: "supervisor-1".parse().expect("name"),
                key: key("supervisor-1", 12),
                recipient: age('y'),
            }],
            carriers: vec![],
            revoked: vec![Revocation { key: KeyRef::from(&key("agent-1", 13)), cut: LogIndex(7), reason: "left".into() }],
        }
    }

    #[test]
    fn reads_what_it_prints_and_trusts_only_the_anchor() {
        let one = signer("registry.example/roster-1", 1);
        let roster = Roster::sign(facts(), &[&one]).expect("canonical");
        let read = Roster::parse(roster.note().as_bytes()).expect("well-formed");
        assert_eq!(read, roster);
        assert!(read.clone().trust_anchored(signer("registry.example/roster-1", 9).public()).is_err());
        assert!(read.trust_anchored(one.public()).is_ok());
    }

    #[test]
    fn newer_only_and_both_sets_when_signers_change() {
        let (one, two) = (signer("registry.example/roster-1", 1), signer("registry.example/roster-2", 2));
        let first = Roster::sign(facts(), &[&one]).and_then(|r| r.trust_anchored(one.public())).expect("first");
        let again = Roster::sign(facts(), &[&one]).expect("canonical");
        assert_eq!(again.trust_after(&first).map_err(|p| p.code), Err(Code::RosterRefused));
        let mut changed = facts();
        changed.version = RosterVersion(2);
        changed.signers.keys = vec![two.public().clone()];
        let signed = |keys: &[&Signer]| Roster::sign(changed.clone(), keys).expect("canonical").trust_after(&first).map_err(|p| p.code);
        assert_eq!(signed(&[&one]), Err(Code::RosterRefused));
        assert_eq!(signed(&[&two]), Err(Code::RosterRefused));
        assert_eq!(signed(&[&two, &one]), Err(Code::NoteSignatures), "not sorted by name");
        assert!(signed(&[&one, &two]).is_ok());
    }

    #[test]
    fn one_role_a_name_and_sorted() {
        let one = signer("registry.example/roster-1", 1);
        let mut twice = facts();
        twice.agents.push(AgentEntry { name: "van-1".parse().expect("name"), key: signer("van-1", 20).public().clone() });
        assert!(Roster::sign(twice, &[&one]).is_err());
        let mut unsorted = facts();
        unsorted.agents.push(AgentEntry { name: "agent-0".parse().expect("name"), key: signer("agent-0", 20).public().clone() });
        assert!(Roster::sign(unsorted, &[&one]).is_err());
        let mut other_name = facts();
        other_name.agents[0].key = signer("agent-2", 20).public().clone();
        assert!(Roster::sign(other_name, &[&one]).is_err(), "a member's key bears the member's name");
    }
}
