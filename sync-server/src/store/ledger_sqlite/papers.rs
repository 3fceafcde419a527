//! Rosters, outcomes, decisions.

use rusqlite::{Connection, params};
use shared::{
    decision::Decision,
    id::{BatchId, Blob, LogIndex, Member, NoteId, Place, RosterVersion},
    keys::KeyRef,
    problem::Problem,
    time::Second,
};

use super::{
    super::{DecisionFacts, OutcomeFacts, RosterFacts},
    columns::{Column as _, Row, all, int, maybe, parsed, place, text},
};

fn facts(row: &Row<'_>) -> Result<RosterFacts, Problem> {
    Ok(RosterFacts {
        version: RosterVersion(u64::read(row, 0)?),
        index: LogIndex::read(row, 1)?,
        received: Second::read(row, 2)?,
        note: Vec::read(row, 3)?,
    })
}

const ROSTER: &str = "SELECT version, idx, received, note FROM rosters";

pub(in crate::store) fn newest_roster(c: &Connection) -> Result<Option<RosterFacts>, Problem> {
    maybe(c, &format!("{ROSTER} ORDER BY version DESC LIMIT 1"), [], facts)
}

pub(in crate::store) fn roster(c: &Connection, version: RosterVersion) -> Result<Option<RosterFacts>, Problem> {
    maybe(c, &format!("{ROSTER} WHERE version = ?1"), [int(version.0)], facts)
}

pub(super) fn roster_by(c: &Connection, by: Second) -> Result<Option<RosterFacts>, Problem> {
    maybe(c, &format!("{ROSTER} WHERE received <= ?1 ORDER BY version DESC LIMIT 1"), [by.unix()], facts)
}

/// Version of the newest roster before an entry and, if a time is given, not later than that.
pub(in crate::store) fn newest_before(c: &Connection, index: LogIndex, by: Option<Second>) -> Result<Option<RosterVersion>, Problem> {
    let sql = "SELECT version FROM rosters WHERE idx < ?1 AND received <= ?2 ORDER BY version DESC LIMIT 1";
    let by = by.map_or(i64::MAX, Second::unix);
    maybe(c, sql, params![int(index.0), by], |row| u64::read(row, 0).map(RosterVersion))
}

const DECISION: &str = "SELECT idx, key, note FROM decisions";

fn decision_facts(row: &Row<'_>) -> Result<DecisionFacts, Problem> {
    let note = Decision::parse(&Vec::<u8>::read(row, 2)?)?;
    Ok(DecisionFacts { index: LogIndex::read(row, 0)?, key: parsed(row, 1)?, note })
}

pub(in crate::store) fn decision(c: &Connection, id: NoteId) -> Result<Option<DecisionFacts>, Problem> {
    maybe(c, &format!("{DECISION} WHERE id = ?1 ORDER BY idx LIMIT 1"), [id.as_bytes()], decision_facts)
}

pub(in crate::store) fn decision_at(c: &Connection, blob: Blob) -> Result<Option<DecisionFacts>, Problem> {
    maybe(c, &format!("{DECISION} WHERE blob = ?1 ORDER BY idx LIMIT 1"), [blob.as_bytes()], decision_facts)
}

pub(super) fn decisions_from(c: &Connection, index: LogIndex, limit: usize) -> Result<Vec<DecisionFacts>, Problem> {
    all(c, &format!("{DECISION} WHERE idx >= ?1 ORDER BY idx LIMIT ?2"), params![int(index.0), int(limit as u64)], decision_facts)
}

pub(in crate::store) fn decisions_signed(
    c: &Connection,
    key: &KeyRef,
    from: LogIndex,
    to: LogIndex,
) -> Result<Vec<DecisionFacts>, Problem> {
    let sql = format!("{DECISION} WHERE key = ?1 AND idx >= ?2 AND idx < ?3 ORDER BY idx");
    all(c, &sql, params![text(key), int(from.0), int(to.0)], decision_facts)
}

/// The first outcome of a batch.
pub(in crate::store) fn first_outcome(c: &Connection, batch: BatchId) -> Result<Option<Vec<u8>>, Problem> {
    maybe(c, "SELECT note FROM outcomes WHERE batch = ?1 AND version = 1", [batch.as_bytes()], |row| Vec::read(row, 0))
}

pub(in crate::store) fn outcome(c: &Connection, batch: BatchId) -> Result<Option<OutcomeFacts>, Problem> {
    let sql = "SELECT version, idx, note FROM outcomes WHERE batch = ?1 ORDER BY version DESC LIMIT 1";
    maybe(c, sql, [batch.as_bytes()], |row| {
        Ok(OutcomeFacts { batch, version: u64::read(row, 0)?, index: LogIndex::read(row, 1)?, note: Vec::read(row, 2)? })
    })
}

pub(in crate::store) fn outcomes_since(c: &Connection, unit: &Member, index: LogIndex, limit: usize) -> Result<Vec<(Place, u64)>, Problem> {
    let sql = "SELECT b.epoch, b.sequence, max(o.version) FROM outcomes o JOIN batches b ON b.id = o.batch
               WHERE b.unit = ?1 AND o.idx >= ?2 GROUP BY b.id ORDER BY b.epoch, b.sequence LIMIT ?3";
    all(c, sql, params![text(unit), int(index.0), int(limit as u64)], |row| Ok((place(row, 0)?, u64::read(row, 2)?)))
}
