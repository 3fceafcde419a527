//! Which outcomes are due, and what they say.
//!
//! The first outcome of a batch says what each line was told first, at its place; later ones say what is. First outcomes are due in
//! the log's order. One that was published is replaced only when everything that was logged before it is folded: while a database is
//! made again, the registry passes through states that were true once.

use rusqlite::{Connection, params};
use shared::{
    id::{BatchId, CaseRef, RecordId},
    outcome::{Fate, Outcome, OutcomeLine},
    problem::Problem,
};

use super::rows::{self, Word as _};
use crate::{
    registry::{Among, OutcomeDue},
    rules::Found,
    store::ledger_sqlite::{
        columns::{Column, Row, all, damaged, int, maybe, number, put},
        papers,
    },
};

/// The first entry that is not folded.
const FIRST_UNFOLDED: &str = "SELECT min(idx) FROM events WHERE idx >= (SELECT next FROM fold)";

pub(super) fn due(c: &Connection, limit: usize) -> Result<Vec<OutcomeDue>, Problem> {
    let first: Option<u64> = maybe(c, FIRST_UNFOLDED, [], |row| Option::read(row, 0))?.flatten();
    let sql = "SELECT w.batch FROM merge_work w WHERE w.due = 1 AND w.state = 'folded'
               AND (?1 IS NULL OR coalesce((SELECT max(o.idx) FROM outcomes o WHERE o.batch = w.batch), -1) < ?1)
               ORDER BY w.idx LIMIT ?2";
    let batches = all(c, sql, params![first.map(int), int(limit as u64)], batch_id)?;
    batches
        .into_iter()
        .map(|batch| {
            let published = published(c, batch)?;
            let lines = if published.is_some() { lines(c, batch)? } else { first_lines(c, batch)? };
            Ok(OutcomeDue { batch, lines, published })
        })
        .collect()
}

const SETTLED: &str = "UPDATE merge_work SET due = 0 WHERE batch = ?1";

fn batch_id(row: &Row<'_>) -> Result<BatchId, Problem> {
    Column::read(row, 0)
}

fn published(c: &Connection, batch: BatchId) -> Result<Option<(u64, Vec<OutcomeLine>)>, Problem> {
    let Some(facts) = papers::outcome(c, batch)? else { return Ok(None) };
    let outcome = Outcome::parse(&facts.note)?;
    Ok(Some((facts.version, outcome.lines().to_vec())))
}

const LINES: &str = "SELECT l.epoch, l.number, d.unit, d.record, d.sealed, d.found, f.fate, d.line
                     FROM deliveries d JOIN lines l ON l.batch = d.batch AND l.line = d.line
                     LEFT JOIN firsts f ON f.batch = d.batch AND f.line = d.line WHERE d.batch = ?1 ORDER BY d.line";

/// What each line was told first, in the manifest's order.
fn first_lines(c: &Connection, batch: BatchId) -> Result<Vec<OutcomeLine>, Problem> {
    all(c, LINES, [batch.as_bytes()], |row| {
        let first: String = Column::read(row, 6)?;
        let record: RecordId = Column::read(row, 3)?;
        Ok(OutcomeLine { number: number(row, 0)?, record, fate: first.parse().map_err(|_| damaged())? })
    })
}

/// What the outcome of a folded batch says now, in the manifest's order.
fn lines(c: &Connection, batch: BatchId) -> Result<Vec<OutcomeLine>, Problem> {
    let stored = all(c, LINES, [batch.as_bytes()], |row| {
        Ok((number(row, 0)?, rows::key(row, 2)?, Found::of_word(&String::read(row, 5)?)?, u64::read(row, 7)?))
    })?;
    let mut lines = Vec::with_capacity(stored.len());
    for (number, key, found, line) in stored {
        let record = rows::record(c, &key)?.ok_or_else(damaged)?;
        let fate = match found {
            // the record may have come under its true line as well
            Found::Refused(code) if record.delivery != (batch, line) => match found.waits() {
                Some(code) => Fate::Held(code, CaseRef::holding(&key.unit, key.record)),
                None => Fate::Refused(code),
            },
            _ => record.fate,
        };
        lines.push(OutcomeLine { number, record: key.record, fate });
    }
    Ok(lines)
}

/// Nothing is due any more, if the log's newest outcome says these lines and they are what is.
pub(super) fn settle(c: &Connection, batch: BatchId, said: &[OutcomeLine]) -> Result<(), Problem> {
    let logged = published(c, batch)?.is_some_and(|(_, lines)| lines == said);
    if logged && lines(c, batch)? == said {
        put(c, SETTLED, [batch.as_bytes()])?;
    }
    Ok(())
}

/// Settles every batch of which the log already says what the registry says.
pub(super) fn settle_all(c: &Connection) -> Result<(), Problem> {
    for batch in all(c, "SELECT batch FROM merge_work WHERE state = 'folded' AND due = 1", [], batch_id)? {
        let said = published(c, batch)?.map(|(_, lines)| lines);
        if said == Some(lines(c, batch)?) {
            put(c, SETTLED, [batch.as_bytes()])?;
        }
    }
    Ok(())
}

/// Folded batches whose newest logged outcome says something else. A settled one must have an outcome; of others nothing
/// may have been said yet.
pub(super) fn differing(c: &Connection, among: Among) -> Result<Vec<BatchId>, Problem> {
    let mut differing = Vec::new();
    let sql = "SELECT batch FROM merge_work WHERE state = 'folded' AND due <= ?1 ORDER BY idx";
    for batch in all(c, sql, [i64::from(among == Among::Opened)], batch_id)? {
        let differs = match published(c, batch)? {
            Some((_, said)) => said != lines(c, batch)?,
            None => among == Among::Settled,
        };
        if differs {
            differing.push(batch);
        }
    }
    Ok(differing)
}
