//! What a roster says, part by part. How it is written: `print.rs` and `read.rs`.

use std::{fmt, str::FromStr};

use crate::{
    id::{Blob, Centre, FormName, IdError, LogIndex, Member, RosterVersion},
    keys::{KeyId, KeyRef, VerifierKey},
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
    /// What becomes of renewals and replacements.
    pub renewals: Renewals,
    /// What becomes of a renewal for a number that nobody bears.
    pub unknown_targets: UnknownTargets,
    /// Seconds of log time after its founding for which a resident's own unit may change identity.
    pub amend: u64,
    /// When must two persons decide?
    pub persons: Persons,
    /// Units, sorted by name, then epoch.
    pub units: Vec<UnitEntry>,
    /// Agents, sorted by name, then key id: a name may have several keys.
    pub agents: Vec<AgentEntry>,
    /// Supervisors, sorted by name, then key id.
    pub supervisors: Vec<SupervisorEntry>,
    /// Carriers, sorted by name, then key id.
    pub carriers: Vec<StaffEntry>,
    /// Who decides cases, sorted by name, then key id.
    pub adjudicators: Vec<StaffEntry>,
    /// Who clears alarms and changes the roster, sorted by name, then key id.
    pub administrators: Vec<StaffEntry>,
    /// Old keys that end at a time, sorted by name, then key id.
    pub kept: Vec<Kept>,
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
    /// Never.
    None,
}

/// What becomes of renewals and replacements whose identity fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renewals {
    /// An adjudicator looks at each: nothing here compares faces or prints.
    Hold,
    /// They apply.
    Apply,
}

/// What becomes of a renewal or replacement for a national number that nobody bears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnknownTargets {
    /// It is held `target-unknown`.
    Hold,
    /// It founds, judged as `new`: most people hold cards that are older than this system.
    Found,
}

/// When must two persons decide?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Persons {
    /// Where the effect of a decision asks for it.
    ByEffect,
    /// Always.
    Two,
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

/// A key of an agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentEntry {
    /// Name.
    pub name: Member,
    /// The key.
    pub key: VerifierKey,
    /// The unit on whose laptop the key lies; without one it counts at every unit.
    pub unit: Option<Member>,
}

/// A key of a carrier, an adjudicator or an administrator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaffEntry {
    /// Name.
    pub name: Member,
    /// The key.
    pub key: VerifierKey,
}

/// A key of a supervisor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SupervisorEntry {
    /// Name.
    pub name: Member,
    /// The key.
    pub key: VerifierKey,
    /// The unit on whose laptop the key lies; without one it counts at every unit.
    pub unit: Option<Member>,
    /// Recipient of review cards (X25519: they never leave the laptop).
    pub recipient: AgeRecipient,
}

/// An old key that goes on for a while beside the new one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Which key.
    pub key: KeyRef,
    /// What is logged later than this log time counts as behind a cut.
    pub until: Second,
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
    /// The key that may sign record lines of this unit under this name: an agent's or a supervisor's.
    pub fn line_key(&self, name: &Member, unit: &Member, id: KeyId) -> Option<&VerifierKey> {
        let agents = self.agents.iter().filter(|a| a.name == *name && counts_at(a.unit.as_ref(), unit)).map(|a| &a.key);
        let supervisors = self.supervisors.iter().filter(|s| s.name == *name && counts_at(s.unit.as_ref(), unit)).map(|s| &s.key);
        agents.chain(supervisors).find(|key| key.id() == id)
    }
    /// The supervisor's key of this id, at this unit.
    pub fn supervisor(&self, name: &Member, unit: &Member, id: KeyId) -> Option<&SupervisorEntry> {
        self.supervisors.iter().find(|s| s.name == *name && counts_at(s.unit.as_ref(), unit) && s.key.id() == id)
    }
    /// Does a supervisor of this name stand here?
    pub fn is_supervisor(&self, name: &Member) -> bool {
        self.supervisors.iter().any(|s| s.name == *name)
    }
    /// Does anybody of this name stand here who may sign record lines?
    pub fn enrols(&self, name: &Member) -> bool {
        self.agents.iter().any(|a| a.name == *name) || self.is_supervisor(name)
    }
    /// A carrier's newest listed keys.
    pub fn carrier(&self, name: &Member) -> Option<&StaffEntry> {
        let ended = |c: &&StaffEntry| self.revocation(&KeyRef::from(&c.key)).is_some();
        let of_name = || self.carriers.iter().filter(|c| c.name == *name);
        of_name().find(|c| !ended(c)).or_else(|| of_name().next())
    }
    /// An adjudicator's key of this id.
    pub fn adjudicator(&self, name: &Member, id: KeyId) -> Option<&StaffEntry> {
        self.adjudicators.iter().find(|a| a.name == *name && a.key.id() == id)
    }
    /// A form in force.
    pub fn form(&self, name: &FormName) -> Option<&FormRef> {
        self.forms.iter().find(|f| f.name == *name)
    }
    /// How a key ended, if it did.
    pub fn revocation(&self, key: &KeyRef) -> Option<&Revocation> {
        self.revoked.iter().find(|r| r.key == *key)
    }
    /// Until when an old key goes on, if it was kept.
    pub fn kept_until(&self, key: &KeyRef) -> Option<Second> {
        self.kept.iter().find(|k| k.key == *key).map(|k| k.until)
    }
    /// Every key of a member, with its role; each once.
    pub fn members(&self) -> Vec<Listed<'_>> {
        let units = self.units.iter().map(|u| Listed { name: &u.name, key: &u.key, role: Role::Unit, unit: None });
        let agents = self.agents.iter().map(|a| Listed { name: &a.name, key: &a.key, role: Role::Agent, unit: a.unit.as_ref() });
        let supervisors =
            self.supervisors.iter().map(|s| Listed { name: &s.name, key: &s.key, role: Role::Supervisor, unit: s.unit.as_ref() });
        let staff = |entries, role| entries_of(entries).map(move |s| Listed { name: &s.name, key: &s.key, role, unit: None });
        let mut members: Vec<Listed<'_>> = units.chain(agents).chain(supervisors).collect();
        members.extend(staff(&self.carriers, Role::Carrier));
        members.extend(staff(&self.adjudicators, Role::Adjudicator));
        members.extend(staff(&self.administrators, Role::Administrator));
        members
    }
    /// Every key of a name, cut or not.
    pub fn keys_of<'a>(&'a self, name: &'a Member) -> impl Iterator<Item = Listed<'a>> {
        self.members().into_iter().filter(move |m| m.name == name)
    }
}

fn entries_of(entries: &[StaffEntry]) -> std::slice::Iter<'_, StaffEntry> {
    entries.iter()
}

/// A key without a unit counts at every unit.
fn counts_at(bound: Option<&Member>, unit: &Member) -> bool {
    bound.is_none_or(|bound| bound == unit)
}

/// What a member may do. A name has one role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// A laptop: signs manifests and hellos.
    Unit,
    /// Enrols residents.
    Agent,
    /// Also reviews, withdraws and approves.
    Supervisor,
    /// Brings what units gave.
    Carrier,
    /// Decides cases.
    Adjudicator,
    /// Clears alarms.
    Administrator,
}

impl Role {
    /// All of version 1.
    pub const ALL: [Self; 6] = [Self::Unit, Self::Agent, Self::Supervisor, Self::Carrier, Self::Adjudicator, Self::Administrator];

    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unit => "unit",
            Self::Agent => "agent",
            Self::Supervisor => "supervisor",
            Self::Carrier => "carrier",
            Self::Adjudicator => "adjudicator",
            Self::Administrator => "administrator",
        }
    }
}
impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
impl FromStr for Role {
    type Err = IdError;
    fn from_str(s: &str) -> Result<Self, IdError> {
        Self::ALL.into_iter().find(|r| r.as_str() == s).ok_or(IdError("role"))
    }
}

/// A key as a roster lists it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listed<'a> {
    /// Whose.
    pub name: &'a Member,
    /// The key.
    pub key: &'a VerifierKey,
    /// What it may do.
    pub role: Role,
    /// The unit on whose laptop it lies, if it is bound to one.
    pub unit: Option<&'a Member>,
}
