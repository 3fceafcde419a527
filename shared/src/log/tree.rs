//! Appending to the tree and proving over its stored hashes (RFC 6962; the numbering of stored hashes is that of
//! Go's `sumdb/tlog`). A proof reads O(log n) hashes, never all leaves.

use tlog_tiles::tlog::{self, Error, Hash, HashReader};

use super::Head;
use crate::{
    problem::{Code, Problem},
    text::MAX_NUMBER,
};

/// What appending gave: the hashes to store from `first` on, and the new head.
#[derive(Debug, Clone, PartialEq)]
pub struct Appended {
    /// Index of the first of `hashes`.
    pub first: u64,
    /// Hashes to store, in order.
    pub hashes: Vec<Hash>,
    /// The head after.
    pub head: Head,
}

/// Stored hashes, and behind them those that are being added.
struct Growing<'a, R> {
    stored: &'a R,
    first: u64,
    added: Vec<Hash>,
}

impl<R: HashReader> HashReader for Growing<'_, R> {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, Error> {
        let old: Vec<u64> = indexes.iter().copied().filter(|&i| i < self.first).collect();
        let mut old = if old.is_empty() { Vec::new() } else { self.stored.read_hashes(&old)? }.into_iter();
        let mut out = Vec::with_capacity(indexes.len());
        for &index in indexes {
            let added = || usize::try_from(index - self.first).ok().and_then(|i| self.added.get(i).copied());
            let hash = if index < self.first { old.next() } else { added() };
            out.push(hash.ok_or(Error::IndexesNotInTree)?);
        }
        Ok(out)
    }
}

/// Appends entries to a log of `size` entries whose hashes `stored` reads.
pub fn append(size: u64, entries: &[Vec<u8>], stored: &impl HashReader) -> Result<Appended, Problem> {
    let new_size = size + entries.len() as u64;
    if new_size >= MAX_NUMBER {
        return Err(Problem::new(Code::ArchiveDamaged, "log size"));
    }
    let first = if size == 0 { 0 } else { tlog::stored_hash_count(size) };
    let mut growing = Growing { stored, first, added: Vec::new() };
    for (n, entry) in (size..).zip(entries) {
        let hashes = tlog::stored_hashes(n, entry, &growing).map_err(|_| unreadable())?;
        growing.added.extend(hashes);
    }
    let root = tree_root(new_size, &growing)?;
    Ok(Appended { first, hashes: growing.added, head: Head { size: new_size, root } })
}

/// Root of the first `size` entries.
pub fn root_of(size: u64, stored: &impl HashReader) -> Result<Hash, Problem> {
    tree_root(size, stored)
}

fn tree_root(size: u64, stored: &impl HashReader) -> Result<Hash, Problem> {
    if size == 0 { Ok(tlog::EMPTY_HASH) } else { tlog::tree_hash(size, stored).map_err(|_| unreadable()) }
}

/// Proves that entry `index` is in the log of `size` entries.
pub fn prove_inclusion(size: u64, index: u64, stored: &impl HashReader) -> Result<Vec<Hash>, Problem> {
    if index >= size {
        return Err(Problem::new(Code::ProofInvalid, "index beyond the log"));
    }
    tlog::prove_record(size, index, stored).map_err(|_| unreadable())
}

/// Proves that the log of `new` entries begins with that of `old` entries. Empty for 0 and for equal sizes.
pub fn prove_consistency(old: u64, new: u64, stored: &impl HashReader) -> Result<Vec<Hash>, Problem> {
    if old > new {
        return Err(Problem::new(Code::ProofInvalid, "older than asked for"));
    }
    if old == 0 || old == new {
        return Ok(Vec::new());
    }
    tlog::prove_tree(new, old, stored).map_err(|_| unreadable())
}

fn unreadable() -> Problem {
    Problem::new(Code::DatabaseFailed, "stored hashes of the log")
}
