//! What a roster says, part by part. How it is written: `print.rs` and `read.rs`.

use std::{fmt, str::FromStr};

use crate::{
    id::{Blob, Centre, FormName, IdError, LogIndex, Member, RosterVersion},
    keys::{KeyRef, VerifierKey},
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
    pub(super) fn member_names(&self) -> Vec<&Member> {
        let mut units: Vec<&Member> = self.units.iter().map(|u| &u.name).collect();
        units.dedup();
        let agents = self.agents.iter().chain(&self.carriers).map(|a| &a.name);
        units.into_iter().chain(agents).chain(self.supervisors.iter().map(|s| &s.name)).collect()
    }
}
