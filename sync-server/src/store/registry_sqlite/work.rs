//! Which batches are to be opened, and who is at it. A lease ends by itself: a worker that died is not waited for.
//!
//! | `lease` of an open batch | says |
//! |---|---|
//! | 0 | nobody has tried |
//! | negative | the last claim was given back; to be opened here from that second on |
//! | positive | claimed until that second; then the claim did not end, and the batch is opened alone |
//!
//! So the mark that a batch is being opened is durable before its first record is read, at no cost of its own.

use rusqlite::{Connection, params};
use shared::{id::BatchId, problem::Problem, time::Second};

use crate::{
    registry::{Claim, Way},
    store::ledger_sqlite::columns::{Column, all, maybe, put},
};

/// Takes in batches that the ledger has followed since.
fn enqueue(c: &Connection) -> Result<(), Problem> {
    put(
        c,
        "INSERT INTO merge_work (batch, idx, state, lease, attempts, due)
         SELECT id, idx, 'open', 0, 0, 0 FROM batches WHERE idx > coalesce((SELECT max(idx) FROM merge_work), -1)",
        [],
    )
}

pub(super) fn claim(c: &Connection, way: Way, now: Second, until: Second) -> Result<Option<Claim>, Problem> {
    enqueue(c)?;
    let sql = match way {
        Way::Here => "SELECT batch, attempts FROM merge_work WHERE state = 'open' AND lease <= 0 AND -lease <= ?1 ORDER BY idx LIMIT 1",
        Way::Alone => "SELECT batch, attempts FROM merge_work WHERE state = 'open' AND lease > 0 AND lease <= ?1 ORDER BY idx LIMIT 1",
    };
    let found = maybe(c, sql, [now.unix()], |row| Ok(Claim { batch: Column::of(row, 0)?, attempts: u64::of(row, 1)? }))?;
    if let Some(claim) = &found {
        let sql = "UPDATE merge_work SET lease = max(?2, 1), attempts = attempts + 1 WHERE batch = ?1";
        put(c, sql, params![claim.batch.as_bytes(), until.unix()])?;
    }
    Ok(found)
}

pub(super) fn release(c: &Connection, batch: BatchId, way: Way, retry: Second) -> Result<(), Problem> {
    let from = match way {
        Way::Here => -retry.unix().max(0),
        Way::Alone => retry.unix().max(1),
    };
    put(c, "UPDATE merge_work SET lease = ?2 WHERE batch = ?1 AND state = 'open'", params![batch.as_bytes(), from])
}

/// No claim is held, and nothing waits for its retry.
pub(super) fn reclaim(c: &Connection) -> Result<(), Problem> {
    put(c, "UPDATE merge_work SET lease = lease > 0 WHERE state = 'open'", [])
}

/// Batches whose last claim did not end.
pub(super) fn broken(c: &Connection) -> Result<Vec<BatchId>, Problem> {
    all(c, "SELECT batch FROM merge_work WHERE state = 'open' AND lease > 0", [], |row| Column::of(row, 0))
}

/// Batches with a record that is held unopened.
pub(super) fn unopened(c: &Connection) -> Result<Vec<BatchId>, Problem> {
    all(c, "SELECT DISTINCT batch FROM deliveries WHERE found = 'unopened'", [], |row| Column::of(row, 0))
}

/// Opens these batches once more; what they opened to stands until then.
pub(super) fn reopen(c: &Connection, batches: &[BatchId]) -> Result<(), Problem> {
    let sql = "UPDATE merge_work SET state = 'open', lease = 1 WHERE batch = ?1";
    batches.iter().try_for_each(|batch| put(c, sql, [batch.as_bytes()]))
}

pub(super) fn warn_of(c: &Connection, batches: &[BatchId]) -> Result<(), Problem> {
    enqueue(c)?;
    let sql = "UPDATE merge_work SET lease = 1 WHERE batch = ?1 AND state = 'open'";
    batches.iter().try_for_each(|batch| put(c, sql, [batch.as_bytes()]))
}

/// Batches that are not opened (also those that nobody has looked at), and batches whose outcome is due.
pub(super) fn waiting(c: &Connection) -> Result<(u64, u64), Problem> {
    let sql = "SELECT (SELECT count(*) FROM batches) - (SELECT count(*) FROM merge_work WHERE state = 'done'),
                      (SELECT count(*) FROM merge_work WHERE due = 1 AND state = 'done')";
    maybe(c, sql, [], |row| Ok((u64::of(row, 0)?, u64::of(row, 1)?))).map(Option::unwrap_or_default)
}
