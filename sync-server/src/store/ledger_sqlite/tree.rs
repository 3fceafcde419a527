//! Leaves, hashes and roots, and up to where they go.

use rusqlite::{Connection, params};
use shared::{
    id::LogIndex,
    log::{GuardLine, Hash, HashReader, Head},
    problem::{Code, Problem},
    time::Second,
};
use tlog_tiles::tlog::Error;

use super::{
    super::{Position, empty_log},
    columns::{Column, all, int, maybe},
};

/// Reads stored hashes by index: what proofs and appending need.
pub(super) struct Stored<'a>(pub(super) &'a Connection);

impl HashReader for Stored<'_> {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, Error> {
        let one = |&index: &u64| {
            let read = maybe(self.0, "SELECT hash FROM hashes WHERE idx = ?1", [int(index)], |row| <[u8; 32]>::read(row, 0));
            read.map_err(|p| Error::InvalidInput(p.to_string()))?.map(Hash).ok_or(Error::IndexesNotInTree)
        };
        indexes.iter().map(one).collect()
    }
}

/// Where this database stands in the log.
pub(in crate::store) fn position(c: &Connection) -> Result<Position, Problem> {
    let found = maybe(c, "SELECT size, root, segment, received FROM position", [], |row| {
        let head = Head { size: u64::read(row, 0)?, root: Hash(<[u8; 32]>::read(row, 1)?) };
        let segment = Column::read(row, 2)?;
        Ok(Position { line: GuardLine { head, segment }, received: Second::read(row, 3)? })
    })?;
    Ok(found.unwrap_or(Position { line: empty_log(), received: Second::from_unix(0) }))
}

pub(super) fn entry(c: &Connection, index: LogIndex) -> Result<Option<Vec<u8>>, Problem> {
    maybe(c, "SELECT leaf FROM entries WHERE idx = ?1", params![int(index.0)], |row| Vec::read(row, 0))
}

pub(super) fn hashes(c: &Connection, first: u64, limit: usize) -> Result<Vec<Hash>, Problem> {
    let sql = "SELECT hash FROM hashes WHERE idx >= ?1 ORDER BY idx LIMIT ?2";
    all(c, sql, params![int(first), int(limit as u64)], |row| <[u8; 32]>::read(row, 0).map(Hash))
}

pub(super) fn root(c: &Connection, size: u64) -> Result<Head, Problem> {
    if size > position(c)?.line.head.size {
        return Err(Problem::new(Code::ProofInvalid, "beyond the log"));
    }
    shared::log::root_of(size, &Stored(c)).map(|root| Head { size, root })
}
