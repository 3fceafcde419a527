//! Which batches a head leads to, over logged batches: the marks of `rules/force.rs`.

use rusqlite::{Connection, params};
use shared::{
    id::{BatchId, LogIndex},
    keys::KeyRef,
    problem::Problem,
};

use super::columns::{Column as _, all, int, maybe, put, text};
use crate::rules::force::Links;

/// The marks of this database.
pub(super) struct Marks<'c>(pub(super) &'c Connection);

impl Links for Marks<'_> {
    fn named_by(&self, batch: BatchId, key: &KeyRef) -> Result<Option<LogIndex>, Problem> {
        let sql = "SELECT idx FROM heads WHERE head_id = ?1 AND key = ?2 AND idx IS NOT NULL ORDER BY idx LIMIT 1";
        maybe(self.0, sql, params![batch.as_bytes(), text(key)], LogIndex::read_first)
    }
    fn mark(&self, batch: BatchId) -> Result<Option<LogIndex>, Problem> {
        let sql = "SELECT head FROM links WHERE batch = ?1 ORDER BY since DESC LIMIT 1";
        maybe(self.0, sql, [batch.as_bytes()], LogIndex::read_first)
    }
    fn set_mark(&self, batch: BatchId, head: LogIndex, since: LogIndex) -> Result<(), Problem> {
        let sql = "INSERT OR REPLACE INTO links (batch, since, head) VALUES (?1, ?2, ?3)";
        put(self.0, sql, params![batch.as_bytes(), int(since.0), int(head.0)])
    }
    fn after(&self, batch: BatchId, key: &KeyRef) -> Result<Vec<BatchId>, Problem> {
        let sql = "SELECT id FROM batches WHERE previous = ?1 AND unit_key = ?2 ORDER BY idx";
        all(self.0, sql, params![batch.as_bytes(), text(key)], BatchId::read_first)
    }
    fn before(&self, batch: BatchId) -> Result<Option<BatchId>, Problem> {
        let sql = "SELECT p.id FROM batches b JOIN batches p ON p.id = b.previous AND p.unit_key = b.unit_key WHERE b.id = ?1";
        maybe(self.0, sql, [batch.as_bytes()], BatchId::read_first)
    }
}

/// The mark of a batch as it was known at an entry.
pub(in crate::store) fn known(c: &Connection, batch: BatchId, at: LogIndex) -> Result<Option<LogIndex>, Problem> {
    let sql = "SELECT head FROM links WHERE batch = ?1 AND since <= ?2 ORDER BY since DESC LIMIT 1";
    maybe(c, sql, params![batch.as_bytes(), int(at.0)], LogIndex::read_first)
}

/// Other batches that the batch of this entry has linked, in the log's order.
pub(in crate::store) fn made_by(c: &Connection, index: LogIndex) -> Result<Vec<BatchId>, Problem> {
    let sql = "SELECT l.batch FROM links l JOIN batches b ON b.id = l.batch WHERE l.since = ?1 AND b.idx < ?1 ORDER BY b.idx";
    all(c, sql, [int(index.0)], BatchId::read_first)
}

/// The first `opened` entry of a batch.
pub(in crate::store) fn opened(c: &Connection, batch: BatchId) -> Result<Option<LogIndex>, Problem> {
    maybe(c, "SELECT idx FROM opened WHERE batch = ?1 ORDER BY idx LIMIT 1", [batch.as_bytes()], LogIndex::read_first)
}
