//! Rosters by version. A logged roster never changes, so each is parsed once.
//!
//! **Trust:** what the ledger gives stands in our own log, and only rosters trusted by the one before get there.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex},
};

use shared::{
    batch::Facts as BatchFacts,
    id::RosterVersion,
    problem::{Code, Problem},
    roster::{Roster, TrustedRoster},
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
pub(super) struct RosterCache {
    parsed: Mutex<HashMap<RosterVersion, Arc<TrustedRoster>>>,
}

impl RosterCache {
    /// The newest roster; `no-roster` before the first.
    pub(super) async fn newest(&self, ledger: &impl Ledger) -> Result<Arc<TrustedRoster>, Problem> {
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
