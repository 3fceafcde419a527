//! Which batches are to be opened, and who is at it; and what they opened to. A lease ends by itself: a worker that died is not
//! waited for.
//!
//! | `lease` of an open batch | says |
//! |---|---|
//! | 0 | nobody has tried |
//! | negative | the last claim was given back; to be opened here from that second on |
//! | positive | claimed until that second; then the claim did not end, and the batch is opened alone |
//!
//! So the mark that a batch is being opened is durable before its first record is read, at no cost of its own.

use rusqlite::{Connection, params};
use shared::{
    id::BatchId,
    problem::{Code, Problem},
    time::Second,
};

use super::rows::{Word as _, json};
use crate::{
    registry::{Claim, OpenedBatch, Way},
    rules::Found,
    store::ledger_sqlite::columns::{Column, all, int, maybe, put, text},
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
    let found = maybe(c, sql, [now.unix()], |row| Ok(Claim { batch: Column::read(row, 0)?, attempts: u64::read(row, 1)? }))?;
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

/// Keeps what a batch opened to, if it is still to be opened. The same again changes nothing.
pub(super) fn keep(c: &Connection, opened: &OpenedBatch) -> Result<(), Problem> {
    let batch = opened.batch.as_bytes();
    enqueue(c)?;
    if maybe(c, "SELECT 1 FROM merge_work WHERE batch = ?1 AND state = 'open'", [batch], |_| Ok(()))?.is_none() {
        return keep_late(c, opened);
    }
    put(c, "UPDATE merge_work SET state = 'opened', lease = 0 WHERE batch = ?1", [batch])?;
    for delivery in &opened.deliveries {
        let key = &delivery.key;
        put(
            c,
            "INSERT OR REPLACE INTO deliveries (batch, line, unit, record, sealed, found) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![batch, int(delivery.line), text(&key.unit), text(&key.record), key.digest.as_bytes(), delivery.found().word()],
        )?;
        keep_essence(c, delivery)?;
    }
    Ok(())
}

/// Of a batch that is folded, only what had been held unopened can still open.
fn keep_late(c: &Connection, opened: &OpenedBatch) -> Result<(), Problem> {
    for delivery in &opened.deliveries {
        let sql = "UPDATE deliveries SET found = ?3 WHERE batch = ?1 AND line = ?2 AND found IN ('unopened', 'refused upgrade-needed')";
        put(c, sql, params![opened.batch.as_bytes(), int(delivery.line), delivery.found().word()])?;
        keep_essence(c, delivery)?;
    }
    Ok(())
}

fn keep_essence(c: &Connection, delivery: &crate::registry::Delivery) -> Result<(), Problem> {
    let Some(essence) = delivery.essence() else { return Ok(()) };
    let key = &delivery.key;
    let sql = "INSERT OR IGNORE INTO essences (unit, record, sealed, essence) VALUES (?1, ?2, ?3, ?4)";
    put(c, sql, params![text(&key.unit), text(&key.record), key.digest.as_bytes(), json(essence)])
}

/// No claim is held, and nothing waits for its retry.
pub(super) fn reclaim(c: &Connection) -> Result<(), Problem> {
    put(c, "UPDATE merge_work SET lease = lease > 0 WHERE state = 'open'", [])
}

/// Batches whose last claim did not end.
pub(super) fn broken(c: &Connection) -> Result<Vec<BatchId>, Problem> {
    all(c, "SELECT batch FROM merge_work WHERE state = 'open' AND lease > 0", [], |row| Column::read(row, 0))
}

/// Batches with a record that is held unopened, in the log's order.
pub(super) fn unopened(c: &Connection) -> Result<Vec<BatchId>, Problem> {
    let words = [Found::Unopened, Found::Refused(Code::UpgradeNeeded)].map(|found| found.word());
    debug_assert_eq!(words, ["unopened", "refused upgrade-needed"]);
    let sql = "SELECT DISTINCT d.batch FROM deliveries d JOIN merge_work w ON w.batch = d.batch
               WHERE d.found IN ('unopened', 'refused upgrade-needed') ORDER BY w.idx";
    all(c, sql, [], |row| Column::read(row, 0))
}

/// Batches with a record that is held unopened though all lines of the batch are open, in the log's order: one entry opens all of them,
/// so that a rebuild, which may open them at once, judges them there too.
pub(super) fn unsaid(c: &Connection) -> Result<Vec<BatchId>, Problem> {
    let sql = "SELECT DISTINCT r.batch FROM records r JOIN deliveries d ON d.batch = r.batch AND d.line = r.line
               JOIN merge_work w ON w.batch = r.batch
               WHERE r.fate GLOB 'held *' AND (r.fate GLOB 'held unopened *' OR r.fate GLOB 'held upgrade-needed *')
                     AND NOT EXISTS (SELECT 1 FROM deliveries o WHERE o.batch = r.batch AND o.found IN ('unopened', 'refused upgrade-needed'))
               ORDER BY w.idx";
    all(c, sql, [], |row| Column::read(row, 0))
}

pub(super) fn warn_of(c: &Connection, batches: &[BatchId]) -> Result<(), Problem> {
    enqueue(c)?;
    let sql = "UPDATE merge_work SET lease = 1 WHERE batch = ?1 AND state = 'open'";
    batches.iter().try_for_each(|batch| put(c, sql, [batch.as_bytes()]))
}

/// Batches that are not folded (also those that nobody has looked at), and batches whose outcome is due.
pub(super) fn waiting(c: &Connection) -> Result<(u64, u64), Problem> {
    let sql = "SELECT (SELECT count(*) FROM batches) - (SELECT count(*) FROM merge_work WHERE state = 'folded'),
                      (SELECT count(*) FROM merge_work WHERE due = 1 AND state = 'folded')";
    maybe(c, sql, [], |row| Ok((u64::read(row, 0)?, u64::read(row, 1)?))).map(Option::unwrap_or_default)
}

/// Entries that the fold has to look at and has not passed; where there is no record yet, a roster changes nothing.
pub(super) fn unfolded(c: &Connection) -> Result<u64, Problem> {
    let sql = "SELECT count(*) FROM events WHERE idx >= (SELECT next FROM fold)
               AND (EXISTS (SELECT 1 FROM records) OR idx NOT IN (SELECT idx FROM rosters))";
    maybe(c, sql, [], u64::read_first).map(Option::unwrap_or_default)
}
