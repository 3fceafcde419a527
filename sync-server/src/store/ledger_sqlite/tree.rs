//! Leaves, hashes and roots.

use rusqlite::{Connection, params};
use shared::{
    id::LogIndex,
    log::{Hash, HashReader, Head},
    problem::{Code, Problem},
};
use tlog_tiles::tlog::Error;

use super::columns::{Column as _, all, int, maybe};

/// Reads stored hashes by index: what proofs and appending need.
pub(super) struct Stored<'a>(pub(super) &'a Connection);

impl HashReader for Stored<'_> {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, Error> {
        let one = |&index: &u64| {
            let read = maybe(self.0, "SELECT hash FROM hashes WHERE idx = ?1", [int(index)], |row| <[u8; 32]>::of(row, 0));
            read.map_err(|p| Error::InvalidInput(p.to_string()))?.map(Hash).ok_or(Error::IndexesNotInTree)
        };
        indexes.iter().map(one).collect()
    }
}

pub(super) fn entry(c: &Connection, index: LogIndex) -> Result<Option<Vec<u8>>, Problem> {
    maybe(c, "SELECT leaf FROM entries WHERE idx = ?1", params![int(index.0)], |row| Vec::of(row, 0))
}

pub(super) fn hashes(c: &Connection, first: u64, limit: usize) -> Result<Vec<Hash>, Problem> {
    let sql = "SELECT hash FROM hashes WHERE idx >= ?1 ORDER BY idx LIMIT ?2";
    all(c, sql, params![int(first), int(limit as u64)], |row| <[u8; 32]>::of(row, 0).map(Hash))
}

pub(super) fn root(c: &Connection, size: u64) -> Result<Head, Problem> {
    if size > super::apply::position(c)?.line.head.size {
        return Err(Problem::new(Code::ProofInvalid, "beyond the log"));
    }
    shared::log::root_of(size, &Stored(c)).map(|root| Head { size, root })
}
