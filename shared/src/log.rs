//! The log: what the centre took, in an order that nobody can change unseen.
//!
//! C2SP tlog-tiles and tlog-checkpoint over RFC 6962 hashes; the origin is the name of the log's key.
//!
//! | file | has |
//! |---|---|
//! | `entry` | the bytes of a leaf |
//! | `segment` | what the sequencer writes before it commits: old head, new head, entries; and the guard's line |
//! | `tree` | appending and proving over stored hashes |
//! | `proof` | checkpoints, inclusion (C2SP tlog-proof), consistency (body of C2SP add-checkpoint) |
//!
//! **Trust:** a [`Head`] is only numbers; a [`CheckedHead`] was signed by the log's key.

mod entry;
mod proof;
mod segment;
mod tree;

use std::{fmt, str::FromStr};

pub use entry::{BatchEntry, BatchState, Body, Entry, HeadEntry, MAX_ENTRY};
pub use proof::{CheckedEntry, CheckedHead, Consistency, TlogProof, checkpoint};
pub use segment::{GuardLine, Segment};
pub use tlog_tiles::tlog::{Hash, HashReader};
pub use tree::{Appended, append, prove_consistency, prove_inclusion, root_of};

use crate::{id::IdError, text::decimal};

/// Size and root of the log at one moment. Written `<size> <root in base64>`.
#[derive(Clone, Copy, PartialEq)]
pub struct Head {
    /// Number of entries.
    pub size: u64,
    /// RFC 6962 root.
    pub root: Hash,
}

// the library's hash is only PartialEq; equality of 32 bytes is total
impl Eq for Head {}

impl Head {
    /// The empty log (RFC 6962 section 2.1: SHA-256 of nothing).
    pub const EMPTY: Self = Self { size: 0, root: tlog_tiles::tlog::EMPTY_HASH };
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.size, self.root)
    }
}
impl fmt::Debug for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl FromStr for Head {
    type Err = IdError;
    fn from_str(s: &str) -> Result<Self, IdError> {
        let (size, root) = s.split_once(' ').ok_or(IdError("log head"))?;
        let size = decimal(size).ok_or(IdError("log head"))?;
        let head = Self { size, root: parse_hash(root).ok_or(IdError("log head"))? };
        if size == 0 && head != Self::EMPTY { Err(IdError("log head")) } else { Ok(head) }
    }
}

/// Base64 of 32 bytes in its one spelling.
pub(crate) fn parse_hash(text: &str) -> Option<Hash> {
    Hash::parse_hash(text).ok().filter(|h| h.to_string() == text)
}
