//! Rosters and outcomes.

use rusqlite::{Connection, Row, params};
use shared::{
    id::{BatchId, LogIndex, Member, Place, RosterVersion},
    problem::Problem,
};

use super::{
    super::{OutcomeFacts, RosterFacts},
    columns::{Column as _, all, int, maybe, place, text},
};

fn facts(row: &Row<'_>) -> Result<RosterFacts, Problem> {
    Ok(RosterFacts { version: RosterVersion(u64::of(row, 0)?), index: LogIndex::of(row, 1)?, note: Vec::of(row, 2)? })
}

pub(in crate::store) fn newest_roster(c: &Connection) -> Result<Option<RosterFacts>, Problem> {
    maybe(c, "SELECT version, idx, note FROM rosters ORDER BY version DESC LIMIT 1", [], facts)
}

pub(in crate::store) fn roster(c: &Connection, version: RosterVersion) -> Result<Option<RosterFacts>, Problem> {
    maybe(c, "SELECT version, idx, note FROM rosters WHERE version = ?1", [int(version.0)], facts)
}

pub(in crate::store) fn outcome(c: &Connection, batch: BatchId) -> Result<Option<OutcomeFacts>, Problem> {
    let sql = "SELECT version, idx, note FROM outcomes WHERE batch = ?1 ORDER BY version DESC LIMIT 1";
    maybe(c, sql, [batch.as_bytes()], |row| {
        Ok(OutcomeFacts { batch, version: u64::of(row, 0)?, index: LogIndex::of(row, 1)?, note: Vec::of(row, 2)? })
    })
}

pub(in crate::store) fn outcomes_since(c: &Connection, unit: &Member, index: LogIndex, limit: usize) -> Result<Vec<(Place, u64)>, Problem> {
    let sql = "SELECT b.epoch, b.sequence, max(o.version) FROM outcomes o JOIN batches b ON b.id = o.batch
               WHERE b.unit = ?1 AND o.idx >= ?2 GROUP BY b.id ORDER BY b.epoch, b.sequence LIMIT ?3";
    all(c, sql, params![text(unit), int(index.0), int(limit as u64)], |row| Ok((place(row, 0)?, u64::of(row, 2)?)))
}
