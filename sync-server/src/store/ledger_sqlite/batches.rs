//! Batches, their chains, their lines.

use rusqlite::{Connection, params};
use shared::{
    id::{BatchId, LogIndex, Member, Number, Place, RecordId, RosterVersion},
    keys::KeyRef,
    log::BatchState,
    problem::{Code, Problem},
};

use super::{
    super::{BatchFacts, Extent, LineFacts},
    columns::{Column, Row, all, damaged, int, maybe, number, parsed, place, text},
};

const BATCH: &str =
    "SELECT id, idx, received, unit, epoch, sequence, previous, manifest, payload, payload_size, lines, quarantined, roster, unit_key, approver
     FROM batches";
const LINE: &str = "SELECT batch, line, unit, epoch, number, record, sealed, start, size, key FROM lines";

fn batch(row: &Row<'_>) -> Result<BatchFacts, Problem> {
    let quarantined: Option<String> = Option::read(row, 11)?;
    let state = match quarantined {
        None => BatchState::Accepted,
        Some(code) => BatchState::Quarantined(code.parse::<Code>().map_err(|_| damaged())?),
    };
    Ok(BatchFacts {
        id: BatchId::read(row, 0)?,
        index: LogIndex::read(row, 1)?,
        received: Column::read(row, 2)?,
        unit: Member::read(row, 3)?,
        place: place(row, 4)?,
        previous: Option::read(row, 6)?,
        manifest: Column::read(row, 7)?,
        payload: Column::read(row, 8)?,
        payload_size: u64::read(row, 9)?,
        lines: u64::read(row, 10)?,
        state,
        roster: RosterVersion(u64::read(row, 12)?),
        unit_key: parsed(row, 13)?,
        approver: Option::read(row, 14)?,
    })
}

fn line(row: &Row<'_>) -> Result<LineFacts, Problem> {
    Ok(LineFacts {
        batch: BatchId::read(row, 0)?,
        line: u64::read(row, 1)?,
        unit: Member::read(row, 2)?,
        number: number(row, 3)?,
        record: RecordId::read(row, 5)?,
        sealed: Option::read(row, 6)?,
        start: u64::read(row, 7)?,
        size: u64::read(row, 8)?,
        key: parsed(row, 9)?,
    })
}

pub(in crate::store) fn one(c: &Connection, id: BatchId) -> Result<Option<BatchFacts>, Problem> {
    maybe(c, &format!("{BATCH} WHERE id = ?1"), [id.as_bytes()], batch)
}

pub(super) fn at(c: &Connection, unit: &Member, place: Place) -> Result<Vec<BatchFacts>, Problem> {
    let sql = format!("{BATCH} WHERE unit = ?1 AND epoch = ?2 AND sequence = ?3 ORDER BY idx");
    all(c, &sql, params![text(unit), place.epoch, int(place.sequence)], batch)
}

pub(in crate::store) fn from(c: &Connection, index: LogIndex, limit: usize) -> Result<Vec<BatchFacts>, Problem> {
    all(c, &format!("{BATCH} WHERE idx >= ?1 ORDER BY idx LIMIT ?2"), params![int(index.0), int(limit as u64)], batch)
}

pub(super) fn quarantined(c: &Connection, index: LogIndex, limit: usize) -> Result<Vec<BatchFacts>, Problem> {
    let sql = format!("{BATCH} WHERE quarantined IS NOT NULL AND idx >= ?1 ORDER BY idx LIMIT ?2");
    all(c, &sql, params![int(index.0), int(limit as u64)], batch)
}

pub(super) fn chain_head(c: &Connection, unit: &Member, epoch: u32) -> Result<Option<BatchFacts>, Problem> {
    let sql = format!("{BATCH} WHERE unit = ?1 AND epoch = ?2 ORDER BY sequence DESC, idx LIMIT 1");
    maybe(c, &sql, params![text(unit), epoch], batch)
}

pub(super) fn forked(c: &Connection, unit: &Member, epoch: u32) -> Result<Option<u64>, Problem> {
    // the code as it stands in the condition of the index: a parameter would not find it
    let sql = "SELECT sequence FROM batches WHERE unit = ?1 AND epoch = ?2 AND quarantined = 'fork' ORDER BY sequence LIMIT 1";
    maybe(c, sql, params![text(unit), epoch], |row| u64::read(row, 0))
}

/// Highest sequence and number that the log has of a unit's epoch, signed by a key that had not ended.
pub(super) fn extent(c: &Connection, unit: &Member, epoch: u32) -> Result<Extent, Problem> {
    let highest =
        |sql: &str| maybe(c, sql, params![text(unit), epoch], |row| Option::<u64>::read(row, 0)).map(|n| n.flatten().unwrap_or(0));
    Ok(Extent {
        sequence: highest(
            "SELECT sequence FROM batches
             WHERE unit = ?1 AND epoch = ?2 AND coalesce(quarantined, '') NOT IN ('revoked', 'frozen') ORDER BY sequence DESC LIMIT 1",
        )?,
        number: highest(
            "SELECT l.number FROM lines l JOIN batches b ON b.id = l.batch
             WHERE l.unit = ?1 AND l.epoch = ?2 AND coalesce(b.quarantined, '') NOT IN ('revoked', 'frozen')
             ORDER BY l.number DESC LIMIT 1",
        )?,
    })
}

/// Batches that this key signed as unit or approver, logged from `from` on and before `to`.
pub(in crate::store) fn signed(c: &Connection, key: &KeyRef, from: LogIndex, to: LogIndex) -> Result<Vec<BatchFacts>, Problem> {
    let mut signed = Vec::new();
    for column in ["unit_key", "approver"] {
        let sql = format!("{BATCH} WHERE {column} = ?1 AND idx >= ?2 AND idx < ?3 ORDER BY idx");
        signed.extend(all(c, &sql, params![text(key), int(from.0), int(to.0)], batch)?);
    }
    Ok(signed)
}

pub(super) fn lines_of_record(c: &Connection, unit: Option<&Member>, record: RecordId) -> Result<Vec<LineFacts>, Problem> {
    let sql = format!("{LINE} WHERE record = ?1 AND (?2 IS NULL OR unit = ?2) ORDER BY unit, batch, line");
    all(c, &sql, params![text(&record), unit.map(text)], line)
}

pub(super) fn lines_of_number(c: &Connection, unit: &Member, number: Number) -> Result<Vec<LineFacts>, Problem> {
    let sql = format!("{LINE} WHERE unit = ?1 AND epoch = ?2 AND number = ?3 ORDER BY batch, line");
    all(c, &sql, params![text(unit), number.epoch, int(number.number)], line)
}
