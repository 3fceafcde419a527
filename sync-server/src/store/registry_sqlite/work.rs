//! Which batches are to be opened, and who is at it. A lease ends by itself: a worker that died is not waited for.

use rusqlite::{Connection, params};
use shared::{id::BatchId, problem::Problem, time::Second};

use crate::{
    registry::Claim,
    store::ledger_sqlite::columns::{Column, maybe, put},
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

pub(super) fn claim(c: &Connection, now: Second, until: Second) -> Result<Option<Claim>, Problem> {
    enqueue(c)?;
    let sql = "SELECT batch, attempts FROM merge_work WHERE state = 'open' AND lease <= ?1 ORDER BY idx LIMIT 1";
    let found = maybe(c, sql, [now.unix()], |row| Ok(Claim { batch: Column::of(row, 0)?, attempts: u64::of(row, 1)? }))?;
    if let Some(claim) = &found {
        let sql = "UPDATE merge_work SET lease = ?2, attempts = attempts + 1 WHERE batch = ?1";
        put(c, sql, params![claim.batch.as_bytes(), until.unix()])?;
    }
    Ok(found)
}

pub(super) fn release(c: &Connection, batch: BatchId, retry: Second) -> Result<(), Problem> {
    put(c, "UPDATE merge_work SET lease = ?2 WHERE batch = ?1 AND state = 'open'", params![batch.as_bytes(), retry.unix()])
}

pub(super) fn reclaim(c: &Connection) -> Result<(), Problem> {
    put(c, "UPDATE merge_work SET lease = 0 WHERE state = 'open'", [])
}

/// Batches that are not opened (also those that nobody has looked at), and batches whose outcome is due.
pub(super) fn waiting(c: &Connection) -> Result<(u64, u64), Problem> {
    let sql = "SELECT (SELECT count(*) FROM batches) - (SELECT count(*) FROM merge_work WHERE state = 'done'),
                      (SELECT count(*) FROM merge_work WHERE due = 1 AND state = 'done')";
    maybe(c, sql, [], |row| Ok((u64::of(row, 0)?, u64::of(row, 1)?))).map(Option::unwrap_or_default)
}
