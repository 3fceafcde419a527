//! Every key that a roster ever listed, with what became of it: for lists, and for whoever asks which keys still act.

use shared::{
    id::{LogIndex, Member},
    keys::{KeyRef, VerifierKey},
    log::Entry,
    problem::Problem,
    roster::{Crew, Facts, Role},
    time::Second,
};

use crate::store::Ledger;

/// How it stands with a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Its word counts.
    Active,
    /// An older key that goes on until this log time.
    Kept(Second),
    /// An older key whose time is over: what is logged since then does not count.
    Over(Second),
    /// Cut.
    Cut {
        /// What it signed is good when logged before this entry.
        at: LogIndex,
        /// Log time of that entry; none when nothing was logged there yet.
        since: Option<Second>,
        /// Why.
        reason: String,
    },
    /// It contradicted itself.
    Frozen(LogIndex),
}

impl State {
    /// As machines read it.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Kept(_) => "kept",
            Self::Over(_) => "over",
            Self::Cut { .. } => "cut",
            Self::Frozen(_) => "frozen",
        }
    }
}

impl std::fmt::Display for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Active => f.write_str("active"),
            Self::Kept(until) => write!(f, "kept until {until}"),
            Self::Over(until) => write!(f, "was kept until {until}, ended"),
            Self::Cut { at, since: Some(since), reason } => write!(f, "cut at entry {at}, since {since}: {reason}"),
            Self::Cut { at, since: None, reason } => write!(f, "cut at entry {at}: {reason}"),
            Self::Frozen(at) => write!(f, "frozen at entry {at}"),
        }
    }
}

/// A key and its life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyLife {
    /// Whose.
    pub name: Member,
    /// What it may do.
    pub role: Role,
    /// The key.
    pub key: VerifierKey,
    /// The unit on whose laptop it lies, if it is bound to one.
    pub unit: Option<Member>,
    /// Of a unit's key: epoch, region, crew.
    pub laptop: Option<(u32, String, Crew)>,
    /// The entry that admitted it, and when that was logged.
    pub admitted: Option<(LogIndex, Second)>,
    /// How it stands with it.
    pub state: State,
}

impl KeyLife {
    /// Name and key id.
    pub fn key_ref(&self) -> KeyRef {
        KeyRef::from(&self.key)
    }
}

/// Log time of an entry.
pub async fn logged_at(ledger: &impl Ledger, index: LogIndex) -> Result<Option<Second>, Problem> {
    ledger.entry(index).await?.map(|leaf| Entry::parse(&leaf).map(|entry| entry.received)).transpose()
}

/// The first entry that was logged at or after a log time; the next one when there is none. Log time never goes back.
pub async fn first_since(ledger: &impl Ledger, since: Second) -> Result<LogIndex, Problem> {
    let (mut low, mut high) = (0, ledger.position().await?.line.head.size);
    while low < high {
        let middle = low + (high - low) / 2;
        let before = logged_at(ledger, LogIndex(middle)).await?.is_some_and(|received| received < since);
        if before { low = middle + 1 } else { high = middle }
    }
    Ok(LogIndex(low))
}

/// All keys of these roles, in the roster's order.
pub async fn all(ledger: &impl Ledger, facts: &Facts, roles: &[Role]) -> Result<Vec<KeyLife>, Problem> {
    let received = ledger.position().await?.received;
    let mut lives = Vec::new();
    for listed in facts.members().into_iter().filter(|listed| roles.contains(&listed.role)) {
        let key = KeyRef::from(listed.key);
        let life = ledger.life(&key, received).await?;
        let admitted = match life.admitted {
            Some(index) => logged_at(ledger, index).await?.map(|received| (index, received)),
            None => None,
        };
        let unit = facts.units.iter().find(|u| u.key == *listed.key);
        lives.push(KeyLife {
            name: listed.name.clone(),
            role: listed.role,
            key: listed.key.clone(),
            unit: listed.unit.cloned(),
            laptop: unit.map(|u| (u.epoch, u.region.clone(), u.crew)),
            admitted,
            state: state(ledger, facts, &key, received).await?,
        });
    }
    Ok(lives)
}

async fn state(ledger: &impl Ledger, facts: &Facts, key: &KeyRef, received: Second) -> Result<State, Problem> {
    if let Some(cut) = facts.revocation(key) {
        let since = logged_at(ledger, cut.cut).await?;
        return Ok(State::Cut { at: cut.cut, since, reason: cut.reason.clone() });
    }
    if let Some(at) = ledger.frozen(key).await? {
        return Ok(State::Frozen(at));
    }
    Ok(match facts.kept_until(key) {
        Some(until) if until < received => State::Over(until),
        Some(until) => State::Kept(until),
        None => State::Active,
    })
}
