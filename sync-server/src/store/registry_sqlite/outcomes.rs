//! Which outcomes are due, and what they say.
//!
//! While the registry catches up (a rebuild), what a batch would say may be older than what was published: a batch that
//! has an outcome gets a newer one only when everything that was logged before that outcome is opened. A batch without
//! one waits for nothing.

use rusqlite::{Connection, Row, params};
use shared::{
    id::{BatchId, CaseRef, Number, RecordId},
    outcome::{Fate, Outcome, OutcomeLine},
    problem::Problem,
};

use super::{read, rows};
use crate::{
    registry::{Among, OutcomeDue},
    store::ledger_sqlite::{
        columns::{Column, all, damaged, int, maybe, number, put},
        papers,
    },
};

/// Least log index of a batch that is not opened.
const FIRST_OPEN: &str = "SELECT min(idx) FROM (SELECT min(idx) AS idx FROM merge_work WHERE state = 'open'
                          UNION ALL SELECT min(idx) FROM batches WHERE idx > coalesce((SELECT max(idx) FROM merge_work), -1))";

pub(super) fn due(c: &Connection, limit: usize) -> Result<Vec<OutcomeDue>, Problem> {
    let first_open: Option<u64> = maybe(c, FIRST_OPEN, [], |row| Option::of(row, 0))?.flatten();
    let sql = "SELECT w.batch FROM merge_work w WHERE w.due = 1 AND w.state = 'done'
               AND (?1 IS NULL OR coalesce((SELECT max(o.idx) FROM outcomes o WHERE o.batch = w.batch), -1) < ?1)
               ORDER BY w.idx LIMIT ?2";
    let batches = all(c, sql, params![first_open.map(int), int(limit as u64)], batch_id)?;
    batches.into_iter().map(|batch| Ok(OutcomeDue { batch, lines: lines(c, batch)?, published: published(c, batch)? })).collect()
}

const SETTLED: &str = "UPDATE merge_work SET due = 0 WHERE batch = ?1";

fn batch_id(row: &Row<'_>) -> Result<BatchId, Problem> {
    Column::of(row, 0)
}

fn published(c: &Connection, batch: BatchId) -> Result<Option<(u64, Vec<OutcomeLine>)>, Problem> {
    let Some(facts) = papers::outcome(c, batch)? else { return Ok(None) };
    let outcome = Outcome::parse(&facts.note)?;
    Ok(Some((facts.version, outcome.lines().to_vec())))
}

/// What the outcome of an opened batch says now, in the manifest's order.
fn lines(c: &Connection, batch: BatchId) -> Result<Vec<OutcomeLine>, Problem> {
    let sql = "SELECT epoch, number, unit, record, sealed, found, code FROM deliveries WHERE batch = ?1 ORDER BY line";
    let stored = all(c, sql, [batch.as_bytes()], |row| {
        let code: Option<String> = Option::of(row, 6)?;
        Ok((number(row, 0)?, rows::key(row, 2)?, String::of(row, 5)?, code))
    })?;
    let mut lines = Vec::with_capacity(stored.len());
    for (number, key, found, code) in stored {
        let fate = match (found.as_str(), code) {
            ("refused", Some(code)) => Fate::unreadable(code.parse().map_err(|_| damaged())?, &key.unit, key.record),
            ("unopened", _) => Fate::Held(shared::problem::Code::Unopened, CaseRef::holding(&key.unit, key.record)),
            _ => read::fate(c, &key)?.ok_or_else(damaged)?,
        };
        lines.push(line(number, key.record, fate));
    }
    Ok(lines)
}

fn line(number: Number, record: RecordId, fate: Fate) -> OutcomeLine {
    OutcomeLine { number, record, fate }
}

/// Nothing is due any more, if the registry still says these lines and the log's newest outcome does as well.
pub(super) fn settle(c: &Connection, batch: BatchId, said: &[OutcomeLine]) -> Result<(), Problem> {
    let logged = published(c, batch)?.is_some_and(|(_, lines)| lines == said);
    if logged && lines(c, batch)? == said {
        put(c, SETTLED, [batch.as_bytes()])?;
    }
    Ok(())
}

/// Settles every batch of which the log already says what the registry says.
pub(super) fn settle_all(c: &Connection) -> Result<(), Problem> {
    for batch in all(c, "SELECT batch FROM merge_work WHERE state = 'done' AND due = 1", [], batch_id)? {
        let said = published(c, batch)?.map(|(_, lines)| lines);
        if said == Some(lines(c, batch)?) {
            put(c, SETTLED, [batch.as_bytes()])?;
        }
    }
    Ok(())
}

/// Opened batches whose newest logged outcome says something else. A settled one must have an outcome; of others nothing
/// may have been said yet.
pub(super) fn differing(c: &Connection, among: Among) -> Result<Vec<BatchId>, Problem> {
    let mut differing = Vec::new();
    let sql = "SELECT batch FROM merge_work WHERE state = 'done' AND due <= ?1 ORDER BY idx";
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
