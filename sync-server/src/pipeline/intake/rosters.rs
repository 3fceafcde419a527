//! Rosters by version. A logged roster never changes, so each is parsed once, however many are kept, for what anybody may
//! ask of all of them: which form was ever in force, which versions changed the signers.
//!
//! **Trust:** what the ledger gives stands in our own log, and only rosters trusted by the one before get there.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex},
};

use shared::{
    batch::Facts as BatchFacts,
    id::{Blob, RosterVersion},
    problem::{Code, Problem},
    roster::{Quorum, Roster, TrustedRoster},
    verify::Rosters,
};

use crate::store::{Ledger, blocking};

/// Most rosters that are kept parsed: 51 KB of text each in a large programme.
const MOST: usize = 64;

/// The rosters that one manifest names.
pub(super) struct KnownRosters(HashMap<RosterVersion, Arc<TrustedRoster>>);

impl Rosters for KnownRosters {
    fn roster(&self, version: RosterVersion) -> Option<&TrustedRoster> {
        self.0.get(&version).map(Arc::as_ref)
    }
}

/// Parsed rosters.
#[derive(Default)]
pub(crate) struct RosterCache {
    parsed: Mutex<HashMap<RosterVersion, Arc<TrustedRoster>>>,
    history: tokio::sync::Mutex<History>,
}

/// What all rosters up to a version come to.
#[derive(Default)]
struct History {
    until: u64,
    signers: Option<Quorum>,
    changed: Vec<RosterVersion>,
    forms: HashSet<Blob>,
}

impl History {
    fn take(&mut self, roster: &TrustedRoster) {
        let facts = roster.facts();
        if self.signers.as_ref().is_some_and(|before| *before != facts.signers) {
            self.changed.push(facts.version);
        }
        self.signers = Some(facts.signers.clone());
        self.forms.extend(facts.forms.iter().map(|form| form.blob));
        self.until = facts.version.0;
    }
}

impl RosterCache {
    /// The newest roster; `no-roster` before the first.
    pub(crate) async fn newest(&self, ledger: &impl Ledger) -> Result<Arc<TrustedRoster>, Problem> {
        let newest = ledger.newest_roster().await?.ok_or(Code::NoRoster)?;
        match self.cached(newest.version) {
            Some(roster) => Ok(roster),
            None => self.keep(newest.version, newest.note).await,
        }
    }

    /// The roster of a version, if it is logged.
    pub(super) async fn version(&self, ledger: &impl Ledger, version: RosterVersion) -> Result<Option<Arc<TrustedRoster>>, Problem> {
        if let Some(roster) = self.cached(version) {
            return Ok(Some(roster));
        }
        match ledger.roster(version).await? {
            Some(found) => self.keep(version, found.note).await.map(Some),
            None => Ok(None),
        }
    }

    /// Versions between `after` and the newest without which the newest cannot be trusted: those that change the
    /// signers; after 0 also the first.
    pub(crate) async fn links(&self, ledger: &impl Ledger, after: u64, newest: RosterVersion) -> Result<Vec<RosterVersion>, Problem> {
        let history = self.history(ledger, newest).await?;
        let first = (after == 0 && newest.0 > 1).then_some(RosterVersion(1));
        let changed = history.changed.iter().copied().filter(|version| version.0 > after && *version < newest);
        Ok(first.into_iter().chain(changed).collect())
    }

    /// Was this form in force by any roster up to this one?
    pub(super) async fn had_form(&self, ledger: &impl Ledger, form: Blob, newest: RosterVersion) -> Result<bool, Problem> {
        Ok(self.history(ledger, newest).await?.forms.contains(&form))
    }

    async fn history(&self, ledger: &impl Ledger, newest: RosterVersion) -> Result<tokio::sync::MutexGuard<'_, History>, Problem> {
        let mut history = self.history.lock().await;
        while history.until < newest.0 {
            let version = RosterVersion(history.until + 1);
            let roster = self.version(ledger, version).await?;
            history.take(&*roster.ok_or_else(|| Problem::new(Code::DatabaseFailed, format!("roster {version}")))?);
        }
        Ok(history)
    }

    /// The rosters that a manifest and its lines name, as far as they are logged.
    pub(super) async fn of(&self, ledger: &impl Ledger, facts: &BatchFacts) -> Result<KnownRosters, Problem> {
        let named: HashSet<RosterVersion> = facts.records().map(|r| r.facts.roster).chain([facts.roster]).collect();
        let mut known = HashMap::new();
        for version in named {
            if let Some(roster) = self.version(ledger, version).await? {
                known.insert(version, roster);
            }
        }
        Ok(KnownRosters(known))
    }

    fn cached(&self, version: RosterVersion) -> Option<Arc<TrustedRoster>> {
        self.parsed.lock().expect("nobody panics while holding it").get(&version).cloned()
    }

    async fn keep(&self, version: RosterVersion, note: Vec<u8>) -> Result<Arc<TrustedRoster>, Problem> {
        let roster = blocking(move || Roster::parse(&note)).await?;
        let roster = Arc::new(TrustedRoster::from_own_log(roster));
        let mut parsed = self.parsed.lock().expect("nobody panics while holding it");
        if parsed.len() >= MOST {
            parsed.clear();
        }
        parsed.insert(version, roster.clone());
        Ok(roster)
    }
}
