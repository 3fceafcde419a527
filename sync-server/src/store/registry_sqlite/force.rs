//! May a line take effect, and does the log contradict its claims of time? Computed from what the log states, never
//! stored: a newer roster may change it.
//!
//! A key that ended with a *cut* keeps what was logged before it, and what is reachable by `previous` from a head
//! that was logged before it. A unit's key takes its batches out, an agent's key only the lines that it signed.

use std::collections::{BTreeMap, HashMap, HashSet};

use rusqlite::Connection;
use shared::{
    id::{BatchId, LogIndex, RosterVersion},
    keys::KeyRef,
    log::BatchState,
    merge::{Flag, Force, LineFact, Opened, RecordKey, Times},
    problem::{Code, Problem},
    roster::Roster,
    time::Second,
};

use super::rows::{self, Stored};
use crate::store::ledger_sqlite::{
    batches,
    columns::{Column as _, all, int, maybe, put, text},
    papers, units,
};

/// When each key ended.
pub(super) type Cuts = BTreeMap<KeyRef, LogIndex>;

/// Judges lines; remembers what it has read, so use it within one transaction.
pub(super) struct Judge {
    cuts: Cuts,
    reachable: HashMap<(BatchId, LogIndex), bool>,
    received: HashMap<u64, Option<Second>>,
    rosters: HashMap<RosterVersion, Option<Second>>,
    blind: bool,
}

impl Judge {
    /// By the newest logged roster.
    pub(super) fn of(c: &Connection) -> Result<Self, Problem> {
        let newest = papers::newest_roster(c)?.map(|facts| facts.version);
        Ok(Self { cuts: cuts(c, newest)?, blind: false, ..Self::blind() })
    }

    /// Judges nothing: for what does not depend on force and flags.
    pub(super) fn blind() -> Self {
        Self { cuts: Cuts::new(), reachable: HashMap::new(), received: HashMap::new(), rosters: HashMap::new(), blind: true }
    }

    /// What the fold needs of a line.
    pub(super) fn line(&mut self, c: &Connection, line: &Stored) -> Result<LineFact, Problem> {
        let (force, flag) = match line.opened {
            // a refused delivery takes no place, whatever its times
            Opened::AsSigned if !self.blind => (self.force(c, line)?, self.flag(c, line)?),
            _ => (Force::InForce, Flag::Plausible),
        };
        Ok(LineFact { number: line.number, finished: line.finished, force, opened: line.opened, flag })
    }

    fn force(&mut self, c: &Connection, line: &Stored) -> Result<Force, Problem> {
        if line.state != BatchState::Accepted {
            return Ok(line.state.into());
        }
        let unit_cut = line.unit_key.as_ref().and_then(|key| self.cuts.get(key)).copied();
        let frozen = units::frozen(c, &line.unit, line.epoch)?;
        let agent_cut = self.cuts.get(&line.agent_key).copied();
        for (cut, code) in [(unit_cut, Code::Revoked), (frozen, Code::Frozen), (agent_cut, Code::AgentRevoked)] {
            if let Some(cut) = cut
                && !self.good(c, line.batch, line.index, cut)?
            {
                return Ok(Force::Not(code));
            }
        }
        Ok(Force::InForce)
    }

    fn good(&mut self, c: &Connection, batch: BatchId, index: LogIndex, cut: LogIndex) -> Result<bool, Problem> {
        if index < cut {
            return Ok(true);
        }
        if let Some(known) = self.reachable.get(&(batch, cut)) {
            return Ok(*known);
        }
        let good = batches::before_cut(c, batch, cut)?;
        self.reachable.insert((batch, cut), good);
        Ok(good)
    }

    fn flag(&mut self, c: &Connection, line: &Stored) -> Result<Flag, Problem> {
        let seen_received = match line.seen.checked_sub(1) {
            Some(index) => self.received(c, index)?,
            None => None,
        };
        Ok(Flag::judge(&Times {
            finished: line.finished,
            seen: line.seen,
            roster: line.roster,
            index: line.index,
            received: line.received,
            seen_received,
            roster_received: self.roster_received(c, line.roster)?,
            before: line.before,
        }))
    }

    fn received(&mut self, c: &Connection, index: u64) -> Result<Option<Second>, Problem> {
        if let Some(known) = self.received.get(&index) {
            return Ok(*known);
        }
        // an index beyond what SQLite counts is beyond the log
        let found = match i64::try_from(index) {
            Ok(index) => maybe(c, "SELECT received FROM entries WHERE idx = ?1", [index], |row| Second::of(row, 0))?,
            Err(_) => None,
        };
        self.received.insert(index, found);
        Ok(found)
    }

    fn roster_received(&mut self, c: &Connection, version: RosterVersion) -> Result<Option<Second>, Problem> {
        if let Some(known) = self.rosters.get(&version) {
            return Ok(*known);
        }
        let sql = "SELECT e.received FROM rosters r JOIN entries e ON e.idx = r.idx WHERE r.version = ?1";
        let found = maybe(c, sql, [int(version.0)], |row| Second::of(row, 0))?;
        self.rosters.insert(version, found);
        Ok(found)
    }
}

/// Ended keys of a roster.
fn cuts(c: &Connection, version: Option<RosterVersion>) -> Result<Cuts, Problem> {
    let Some(version) = version else { return Ok(Cuts::new()) };
    let Some(facts) = papers::roster(c, version)? else { return Ok(Cuts::new()) };
    let roster = Roster::parse(&facts.note)?;
    Ok(roster.facts().revoked.iter().map(|r| (r.key.clone(), r.cut)).collect())
}

fn folded_roster(c: &Connection) -> Result<Option<RosterVersion>, Problem> {
    maybe(c, "SELECT version FROM merge_roster", [], |row| u64::of(row, 0).map(RosterVersion))
}

/// Is there a newer roster than the one whose revocations are folded?
pub(super) fn behind(c: &Connection) -> Result<bool, Problem> {
    Ok(papers::newest_roster(c)?.map(|facts| facts.version) != folded_roster(c)?)
}

/// Does the newest roster end other keys than the one whose revocations are folded?
pub(super) fn unfolded(c: &Connection) -> Result<bool, Problem> {
    let (newest, folded) = (papers::newest_roster(c)?.map(|facts| facts.version), folded_roster(c)?);
    Ok(newest != folded && cuts(c, newest)? != cuts(c, folded)?)
}

/// Marks the newest roster as folded; gives the records that its revocations touch and the former did not, or did
/// otherwise.
pub(super) fn follow(c: &Connection) -> Result<Vec<RecordKey>, Problem> {
    let Some(newest) = papers::newest_roster(c)?.map(|facts| facts.version) else { return Ok(Vec::new()) };
    let (old, new) = (cuts(c, folded_roster(c)?)?, cuts(c, Some(newest))?);
    put(c, "INSERT OR REPLACE INTO merge_roster (one, version) VALUES (1, ?1)", [int(newest.0)])?;
    let changed = old.keys().chain(new.keys()).filter(|key| old.get(key) != new.get(key));
    let mut touched = Vec::new();
    for key in changed {
        touched.extend(signed_by(c, key)?);
    }
    Ok(touched)
}

/// Records of lines that this key signed, or whose batch it signed.
fn signed_by(c: &Connection, key: &KeyRef) -> Result<Vec<RecordKey>, Problem> {
    let sql = "SELECT unit, record, sealed FROM deliveries WHERE agent_key = ?1
               UNION SELECT d.unit, d.record, d.sealed FROM merge_work w JOIN deliveries d ON d.batch = w.batch WHERE w.unit_key = ?1";
    all(c, sql, [text(key)], |row| rows::key(row, 0))
}

/// A batch that was just taken in can lead earlier ones of its unit to something that was logged before a cut: records
/// of those, when it does. Only what it stands on can be touched, and only if it is reachable itself; the newest batch
/// of a chain, as nearly all are when they come, is found to lead nowhere at once.
pub(super) fn rejoined(c: &Connection, batch: BatchId, judge: &Judge) -> Result<Vec<RecordKey>, Problem> {
    let Some(facts) = batches::one(c, batch)? else { return Ok(Vec::new()) };
    let frozen = units::frozen(c, &facts.unit, facts.place.epoch)?;
    let ends = || judge.cuts.values().copied().chain(frozen);
    let (Some(first), Some(last)) = (ends().min(), ends().max()) else { return Ok(Vec::new()) };
    // what is logged before a later cut is all that is logged before an earlier one, and more
    if !batches::before_cut(c, batch, last)? {
        return Ok(Vec::new());
    }
    let (mut touched, mut before) = (Vec::new(), facts.previous);
    let mut seen = HashSet::from([batch]);
    // an older one that was logged before every cut was good already, and whatever it stands on
    while let Some(at) = before.filter(|at| seen.insert(*at))
        && let Some(older) = batches::one(c, at)?
        && older.index >= first
    {
        let sql = "SELECT unit, record, sealed FROM deliveries WHERE batch = ?1";
        touched.extend(all(c, sql, [at.as_bytes()], |row| rows::key(row, 0))?);
        before = older.previous;
    }
    Ok(touched)
}
