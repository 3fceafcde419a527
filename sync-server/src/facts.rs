//! Open facts: what a person should know, until something or somebody closes it. One list, for `open list` and `doctor`.
//!
//! ```text
//! batches-missing   van-017 1.3–1.5    since 2026-11-20T08:00:00Z   → Bring what the unit still holds: …
//! ```
//! **Trust:** what the ledger and the registry say. **Invariants:** names nobody but those who sign; a fact is a state, not an event: it is
//! there as long as it is true, and names a way out.

mod machines;

use std::collections::BTreeMap;

use shared::{
    decision::Subject,
    id::{LogIndex, Member},
    keys::KeyRef,
    problem::{Code, Problem},
    roster::{Facts as RosterFacts, Role},
    time::Second,
};

use crate::{
    centre::Centre,
    clock,
    joining::lives,
    registry::{About, Registry as _},
    store::{BatchFacts, Gap, Ledger as _, registry_sqlite::RegistrySqlite},
};

pub use self::machines::LOW_DISK;

/// Most facts of one kind.
pub const MOST: usize = 1000;
/// Batches that are read at a time.
const PAGE: usize = 500;

/// Which kind of fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// An older key goes on beside a new one.
    KeyKept,
    /// A key contradicted itself.
    KeyFrozen,
    /// Two batches stand at one place.
    Fork,
    /// Batches that must exist are not here.
    BatchesMissing,
    /// Numbers that must exist are not here.
    NumbersMissing,
    /// A number was withdrawn when its record stood already.
    WithdrawnLate,
    /// A batch is quarantined, and nobody has decided.
    BatchQuarantined,
    /// A decision waits for a second person.
    DecisionWaits,
    /// Two residents stand under one key.
    TwoUnderOneKey,
    /// A unit was put back to an older copy.
    UnitRewound,
    /// An alarm that a unit reports.
    UnitAlarm,
    /// Nothing was heard of a unit for long.
    UnitUnheard,
    /// A file of the archive is missing or changed.
    ArchiveDamaged,
    /// A disk is nearly full.
    DiskLow,
    /// A database that `rebuild` has set aside is still there.
    DatabaseAside,
    /// The database's pages do not fit together.
    DatabaseDamaged,
    /// Nothing is logged until a person looks at the clock.
    LogStopped,
    /// The certificate with which the server answers ends soon, or cannot be used.
    CertificateEnds,
}

impl Kind {
    /// All.
    pub const ALL: [Self; 18] = [
        Self::KeyKept,
        Self::KeyFrozen,
        Self::Fork,
        Self::BatchesMissing,
        Self::NumbersMissing,
        Self::WithdrawnLate,
        Self::BatchQuarantined,
        Self::DecisionWaits,
        Self::TwoUnderOneKey,
        Self::UnitRewound,
        Self::UnitAlarm,
        Self::UnitUnheard,
        Self::ArchiveDamaged,
        Self::DiskLow,
        Self::DatabaseAside,
        Self::DatabaseDamaged,
        Self::LogStopped,
        Self::CertificateEnds,
    ];

    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::KeyKept => "key-kept",
            Self::KeyFrozen => "key-frozen",
            Self::Fork => "fork",
            Self::BatchesMissing => "batches-missing",
            Self::NumbersMissing => "numbers-missing",
            Self::WithdrawnLate => "withdrawn-late",
            Self::BatchQuarantined => "batch-quarantined",
            Self::DecisionWaits => "decision-waits",
            Self::TwoUnderOneKey => "two-under-one-key",
            Self::UnitRewound => "unit-rewound",
            Self::UnitAlarm => "unit-alarm",
            Self::UnitUnheard => "unit-unheard",
            Self::ArchiveDamaged => "archive-damaged",
            Self::DiskLow => "disk-low",
            Self::DatabaseAside => "database-aside",
            Self::DatabaseDamaged => "database-damaged",
            Self::LogStopped => "log-stopped",
            Self::CertificateEnds => "certificate-ends",
        }
    }
}

/// Something that is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenFact {
    /// Which kind.
    pub kind: Kind,
    /// Which unit, key, batch, number or decision.
    pub about: String,
    /// The unit that it is of, where it is of one.
    pub unit: Option<Member>,
    /// Since when, where that is known.
    pub since: Option<Second>,
    /// What is known of it.
    pub seen: String,
    /// What closes it.
    pub next: String,
}

/// All open facts, kind after kind.
pub async fn open(centre: &Centre) -> Result<Vec<OpenFact>, Problem> {
    let now = clock::now();
    let roster = centre.roster().await?;
    let registry = RegistrySqlite::new(centre.db.clone());
    let mut facts = kept(centre, roster.facts()).await?;
    facts.extend(frozen(centre, roster.facts()).await?);
    facts.extend(batches(centre, &registry).await?);
    facts.extend(missing_batches(centre, roster.facts()).await?);
    facts.extend(missing_numbers(&registry).await?);
    facts.extend(late(&registry).await?);
    facts.extend(waiting(centre, &registry).await?);
    facts.extend(shared_keys(&registry).await?);
    facts.extend(machines::units(centre, roster.facts()).await?);
    facts.extend(machines::doubts(centre, roster.facts()).await?);
    facts.extend(machines::disks(centre));
    facts.extend(machines::aside(centre)?);
    facts.extend(machines::damaged(centre).await?);
    facts.extend(machines::stopped(centre, now).await?);
    facts.extend(machines::certificate(centre, now));
    facts.sort_by(|a, b| (a.kind, &a.about).cmp(&(b.kind, &b.about)));
    Ok(facts)
}

/// How many of each kind.
pub fn counts(facts: &[OpenFact]) -> BTreeMap<Kind, usize> {
    let mut counts = BTreeMap::new();
    for fact in facts {
        *counts.entry(fact.kind).or_insert(0) += 1;
    }
    counts
}

/// The command that ends keys of this role.
fn revoke(role: Role) -> &'static str {
    match role {
        Role::Unit => "unit revoke",
        Role::Agent => "agent revoke",
        Role::Supervisor => "supervisor revoke",
        Role::Carrier | Role::Adjudicator | Role::Administrator => "staff revoke",
    }
}

async fn kept(centre: &Centre, roster: &RosterFacts) -> Result<Vec<OpenFact>, Problem> {
    let received = centre.stores.ledger.position().await?.received;
    let still = roster.kept.iter().filter(|kept| kept.until >= received && roster.revocation(&kept.key).is_none());
    let members = roster.members();
    let fact = |kept: &shared::roster::Kept| {
        let role = members.iter().find(|m| KeyRef::from(m.key) == kept.key).map_or(Role::Unit, |m| m.role);
        OpenFact {
            kind: Kind::KeyKept,
            about: kept.key.to_string(),
            unit: kept.key.name.to_string().parse().ok().filter(|_| role == Role::Unit),
            since: None,
            seen: format!("an older {role} key that goes on until {}", kept.until),
            next: format!(
                "Its work is here: `sync-server {} {} --key {}`. Else it ends by itself.",
                revoke(role),
                kept.key.name,
                kept.key.id
            ),
        }
    };
    Ok(still.map(fact).collect())
}

async fn frozen(centre: &Centre, roster: &RosterFacts) -> Result<Vec<OpenFact>, Problem> {
    let mut facts = Vec::new();
    for unit in &roster.units {
        let key = KeyRef::from(&unit.key);
        let Some(at) = centre.stores.ledger.frozen(&key).await?.filter(|_| roster.revocation(&key).is_none()) else { continue };
        facts.push(OpenFact {
            kind: Kind::KeyFrozen,
            about: key.to_string(),
            unit: Some(unit.name.clone()),
            since: lives::logged_at(&centre.stores.ledger, at).await?,
            seen: format!("two notes of this key contradict each other, entry {at}"),
            next: format!(
                "Ask what happened to the laptop of {0}; then `sync-server unit admit FILE --new-key --cut-old`, or `sync-server unit revoke {0} --key {1}`.",
                unit.name, key.id
            ),
        });
    }
    Ok(facts)
}

/// Batches that their entry quarantines, and against which a code still stands that nobody has lifted; a fork is told as such.
async fn batches(centre: &Centre, registry: &RegistrySqlite) -> Result<Vec<OpenFact>, Problem> {
    let (mut next, mut facts) = (LogIndex(0), Vec::new());
    loop {
        let page = centre.stores.ledger.quarantined_from(next, PAGE).await?;
        let Some(last) = page.last() else { return Ok(facts) };
        next = LogIndex(last.index.0 + 1);
        for batch in &page {
            let case = registry.batch_case(batch.id).await?;
            if let Some(code) = case.code.filter(|_| !case.is_refused()) {
                facts.push(quarantined(batch, code));
            }
            if facts.len() == MOST {
                return Ok(facts);
            }
        }
    }
}

fn quarantined(batch: &BatchFacts, code: Code) -> OpenFact {
    let kind = if code == Code::Fork { Kind::Fork } else { Kind::BatchQuarantined };
    OpenFact {
        kind,
        about: batch.id.to_string(),
        unit: Some(batch.unit.clone()),
        since: Some(batch.received),
        seen: format!("batch {} of {}, {} lines: {code}", batch.place, batch.unit, batch.lines),
        next: format!(
            "`sync-server batch show {0}`, then `sync-server batch decide {0} accept {code} --reason WORD --as NAME --key FILE`, or `refuse` in place of `accept {code}`.",
            batch.id
        ),
    }
}

/// Places that must exist, as ranges.
async fn missing_batches(centre: &Centre, roster: &RosterFacts) -> Result<Vec<OpenFact>, Problem> {
    let mut names: Vec<_> = roster.units.iter().map(|unit| &unit.name).collect();
    names.dedup();
    let mut facts = Vec::new();
    for unit in names {
        facts.extend(centre.stores.ledger.missing(unit, MOST).await?.into_iter().map(|Gap { first, last, since }| OpenFact {
            kind: Kind::BatchesMissing,
            about: format!("{unit} {}", range(&first, &last)),
            unit: Some(unit.clone()),
            since,
            seen: format!("{unit} owes {} batches", last.sequence - first.sequence + 1),
            next: format!("Bring what {unit} still holds: `enroll-client sync` on the unit."),
        }));
    }
    Ok(facts)
}

fn range(first: &impl std::fmt::Display, last: &impl std::fmt::Display) -> String {
    let (first, last) = (first.to_string(), last.to_string());
    if first == last { first } else { format!("{first}–{last}") }
}

async fn missing_numbers(registry: &RegistrySqlite) -> Result<Vec<OpenFact>, Problem> {
    let fact = |missing: crate::registry::MissingNumbers| OpenFact {
        kind: Kind::NumbersMissing,
        about: format!("{} {}", missing.unit, range(&missing.first, &missing.last)),
        unit: Some(missing.unit.clone()),
        since: missing.since,
        seen: format!("{} owes {} numbers", missing.unit, missing.last.number - missing.first.number + 1),
        next: format!("Bring what {} still holds: `enroll-client sync` on the unit.", missing.unit),
    };
    Ok(registry.missing_numbers(MOST).await?.into_iter().map(fact).collect())
}

async fn late(registry: &RegistrySqlite) -> Result<Vec<OpenFact>, Problem> {
    let fact = |late: crate::registry::LateWithdrawal| OpenFact {
        kind: Kind::WithdrawnLate,
        about: format!("{} {}", late.record.unit, late.number),
        unit: Some(late.record.unit.clone()),
        since: Some(late.received),
        seen: format!("batch {} withdraws a number whose record {} stands", late.batch, late.record.record),
        next: format!(
            "Ask the supervisor. If the record is to go: `sync-server record decide {} refuse --reason WORD --as NAME --key FILE`; if the withdrawal was wrong: `sync-server batch decide {} refuse --reason mistake --as NAME --key FILE`.",
            late.record.record, late.batch
        ),
    };
    Ok(registry.late_withdrawals(MOST).await?.into_iter().map(fact).collect())
}

async fn waiting(centre: &Centre, registry: &RegistrySqlite) -> Result<Vec<OpenFact>, Problem> {
    let mut facts = Vec::new();
    for line in registry.history(About::Waiting).await?.into_iter().take(MOST) {
        let about = match &line.line.subject {
            Subject::Record(key, _) => format!("record {} {}", key.unit, key.record),
            Subject::Batch(batch, _) => format!("batch {batch}"),
        };
        facts.push(OpenFact {
            kind: Kind::DecisionWaits,
            about,
            unit: None,
            since: lives::logged_at(&centre.stores.ledger, line.index).await?,
            seen: format!("decision {} by {} waits for a second person", line.decision, line.by),
            next: format!(
                "Another adjudicator: `sync-server case confirm {0} --as NAME --key FILE`. If it is not to be, any adjudicator: `sync-server case reject {0} --as NAME --key FILE`.",
                line.decision
            ),
        });
    }
    Ok(facts)
}

async fn shared_keys(registry: &RegistrySqlite) -> Result<Vec<OpenFact>, Problem> {
    let fact = |shared: crate::registry::Shared| {
        let residents: Vec<String> = shared.residents.iter().map(ToString::to_string).collect();
        let founders: Vec<String> = shared.founders.iter().map(|founder| founder.record.to_string()).collect();
        OpenFact {
            kind: Kind::TwoUnderOneKey,
            about: residents.join(", "),
            unit: None,
            since: None,
            seen: format!("{} residents stand under one key, founded by the records {}", residents.len(), founders.join(", ")),
            next: format!(
                "An adjudicator decides about one of them: `sync-server record decide {} refuse --reason WORD --as NAME --key FILE`, or `same` and the other's reference.",
                founders.last().map_or("ID", |id| id)
            ),
        }
    };
    Ok(registry.shared().await?.into_iter().take(MOST).map(fact).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_its_own_word() {
        let words: std::collections::BTreeSet<&str> = Kind::ALL.into_iter().map(Kind::as_str).collect();
        assert_eq!(words.len(), Kind::ALL.len());
    }
}
