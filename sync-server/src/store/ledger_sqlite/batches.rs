//! Batches, their chains, their lines.

use std::collections::HashSet;

use rusqlite::{Connection, Row, params};
use shared::{
    id::{BatchId, LogIndex, Member, Number, Place, RecordId},
    log::BatchState,
    problem::{Code, Problem},
};

use super::{
    super::{BatchFacts, LineFacts},
    columns::{Column as _, all, damaged, int, maybe, number, place, text},
};

const BATCH: &str =
    "SELECT id, idx, received, unit, epoch, sequence, previous, manifest, payload, payload_size, lines, quarantined FROM batches";
const LINE: &str = "SELECT batch, line, unit, epoch, number, record, sealed, start, size FROM lines";

fn batch(row: &Row<'_>) -> Result<BatchFacts, Problem> {
    let quarantined: Option<String> = Option::of(row, 11)?;
    let state = match quarantined {
        None => BatchState::Accepted,
        Some(code) => BatchState::Quarantined(code.parse::<Code>().map_err(|_| damaged())?),
    };
    Ok(BatchFacts {
        id: batch_id(row, 0)?,
        index: LogIndex::of(row, 1)?,
        received: super::columns::Column::of(row, 2)?,
        unit: Member::of(row, 3)?,
        place: place(row, 4)?,
        previous: Option::of(row, 6)?,
        manifest: super::columns::Column::of(row, 7)?,
        payload: super::columns::Column::of(row, 8)?,
        payload_size: u64::of(row, 9)?,
        lines: u64::of(row, 10)?,
        state,
    })
}

fn line(row: &Row<'_>) -> Result<LineFacts, Problem> {
    Ok(LineFacts {
        batch: batch_id(row, 0)?,
        line: u64::of(row, 1)?,
        unit: Member::of(row, 2)?,
        number: number(row, 3)?,
        record: RecordId::of(row, 5)?,
        sealed: Option::of(row, 6)?,
        start: u64::of(row, 7)?,
        size: u64::of(row, 8)?,
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

pub(super) fn chain_head(c: &Connection, unit: &Member, epoch: u32) -> Result<Option<BatchFacts>, Problem> {
    let sql = format!("{BATCH} WHERE unit = ?1 AND epoch = ?2 ORDER BY sequence DESC, idx LIMIT 1");
    maybe(c, &sql, params![text(unit), epoch], batch)
}

pub(super) fn forked(c: &Connection, unit: &Member, epoch: u32) -> Result<Option<u64>, Problem> {
    // the code as it stands in the condition of the index: a parameter would not find it
    let sql = "SELECT sequence FROM batches WHERE unit = ?1 AND epoch = ?2 AND quarantined = 'fork' ORDER BY sequence LIMIT 1";
    maybe(c, sql, params![text(unit), epoch], |row| u64::of(row, 0))
}

/// Goes from the batch to those that name it as `previous`, until one, or a head, was logged before the cut.
pub(in crate::store) fn before_cut(c: &Connection, start: BatchId, cut: LogIndex) -> Result<bool, Problem> {
    walk(c, start, cut, "SELECT id FROM batches WHERE previous = ?1")
}

/// The same, by way of announced batches too. Not for folds: what is announced is no fact of the log.
pub(super) fn before_cut_by_announced(c: &Connection, start: BatchId, cut: LogIndex) -> Result<bool, Problem> {
    walk(c, start, cut, "SELECT id FROM batches WHERE previous = ?1 UNION SELECT id FROM announced WHERE previous = ?1")
}

/// `previous` is a digest, so whoever signed what lies between: it is what the head stands for.
fn walk(c: &Connection, start: BatchId, cut: LogIndex, successors: &str) -> Result<bool, Problem> {
    let logged = "SELECT 1 FROM batches WHERE id = ?1 AND idx < ?2 UNION ALL SELECT 1 FROM heads WHERE head_id = ?1 AND idx < ?2 LIMIT 1";
    let (mut open, mut seen) = (vec![start], HashSet::new());
    while let Some(id) = open.pop() {
        if !seen.insert(id) {
            continue;
        }
        if maybe(c, logged, params![id.as_bytes(), int(cut.0)], |_| Ok(()))?.is_some() {
            return Ok(true);
        }
        open.extend(all(c, successors, [id.as_bytes()], |row| batch_id(row, 0))?);
    }
    Ok(false)
}

/// Hellos that the log doesn't state count for nothing here: a rebuilt ledger doesn't know them.
pub(super) fn contradicted(c: &Connection, unit: &Member, place: Place, batch: BatchId) -> Result<bool, Problem> {
    let sql = "SELECT 1 FROM heads WHERE unit = ?1 AND head_epoch = ?2 AND head = ?3 AND idx IS NOT NULL AND head_id != ?4 LIMIT 1";
    Ok(maybe(c, sql, params![text(unit), place.epoch, int(place.sequence), batch.as_bytes()], |_| Ok(()))?.is_some())
}

pub(super) fn lines_of_record(c: &Connection, unit: Option<&Member>, record: RecordId) -> Result<Vec<LineFacts>, Problem> {
    let sql = format!("{LINE} WHERE record = ?1 AND (?2 IS NULL OR unit = ?2) ORDER BY unit, batch, line");
    all(c, &sql, params![text(&record), unit.map(text)], line)
}

pub(super) fn lines_of_number(c: &Connection, unit: &Member, number: Number) -> Result<Vec<LineFacts>, Problem> {
    let sql = format!("{LINE} WHERE unit = ?1 AND epoch = ?2 AND number = ?3 ORDER BY batch, line");
    all(c, &sql, params![text(unit), number.epoch, int(number.number)], line)
}

/// `BatchId::of` is the digest's own constructor, so the column's has another name here.
fn batch_id(row: &Row<'_>, i: usize) -> Result<BatchId, Problem> {
    super::columns::Column::of(row, i)
}
