//! A segment: what the sequencer archives before it commits; and the guard's line that commits it.
//!
//! ```text
//! enroll-segment/v1
//! old 20841 uDPLk…=
//! new 20843 9sKq…=
//!
//! <entries 20841 and 20842 as a C2SP entry bundle: big-endian uint16 length, bytes>
//! ```
//! Guard: `<size> <root> <segment sha256>` of the newest committed segment, compared and swapped as one string.
//!
//! **Invariants:** `new.size − old.size` is the number of entries, at least one. That the entries lead from the
//! old root to the new is checked by who applies it, over the stored hashes.

use std::{fmt, str::FromStr};

use super::{Entry, Head, MAX_ENTRY};
use crate::{
    id::{Blob, IdError},
    problem::{Code, Problem},
    text::Lines,
};

/// Entries that lead from one head of the log to the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// The head before.
    pub old: Head,
    /// The head after.
    pub new: Head,
    /// Exact bytes of the entries.
    pub entries: Vec<Vec<u8>>,
}

impl Segment {
    /// The bytes that are archived.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = format!("enroll-segment/v1\nold {}\nnew {}\n\n", self.old, self.new).into_bytes();
        for entry in &self.entries {
            let len = u16::try_from(entry.len()).expect("an entry has at most 1 KiB");
            out.extend_from_slice(&len.to_be_bytes());
            out.extend_from_slice(entry);
        }
        out
    }

    /// SHA-256 of the bytes that are archived.
    pub fn blob(&self) -> Blob {
        Blob::of(&self.to_bytes())
    }

    /// Reads a segment and each of its entries.
    pub fn parse(bytes: &[u8]) -> Result<(Self, Vec<Entry>), Problem> {
        let damaged = || Problem::new(Code::ArchiveDamaged, "segment");
        let end = bytes.windows(2).take(512).position(|w| w == b"\n\n").ok_or_else(damaged)?;
        let text = std::str::from_utf8(&bytes[..=end]).map_err(|_| damaged())?;
        let mut lines = Lines::new(text)?;
        lines.header("enroll-segment")?;
        let old = lines.field("old")?;
        let old: Head = lines.parse(old)?;
        let new = lines.field("new")?;
        let new: Head = lines.parse(new)?;
        lines.end()?;
        let entries = bundle(&bytes[end + 2..]).ok_or_else(damaged)?;
        if entries.is_empty() || old.size + entries.len() as u64 != new.size {
            return Err(damaged());
        }
        let read = entries.iter().map(|e| Entry::parse(e)).collect::<Result<_, _>>()?;
        let segment = Self { old, new, entries };
        if segment.to_bytes() == bytes { Ok((segment, read)) } else { Err(damaged()) }
    }
}

/// Takes a C2SP entry bundle apart.
fn bundle(mut bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut entries = Vec::new();
    while !bytes.is_empty() {
        let (len, rest) = bytes.split_first_chunk::<2>()?;
        let len = usize::from(u16::from_be_bytes(*len));
        if len == 0 || len > MAX_ENTRY || rest.len() < len {
            return None;
        }
        entries.push(rest[..len].to_vec());
        bytes = &rest[len..];
    }
    Some(entries)
}

/// What the guard holds: the newest committed head and the segment that led to it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct GuardLine {
    /// The newest committed head.
    pub head: Head,
    /// The segment that led to it.
    pub segment: Blob,
}

impl fmt::Display for GuardLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.head, self.segment)
    }
}
impl fmt::Debug for GuardLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl FromStr for GuardLine {
    type Err = IdError;
    fn from_str(s: &str) -> Result<Self, IdError> {
        let (head, segment) = s.rsplit_once(' ').ok_or(IdError("guard line"))?;
        Ok(Self { head: head.parse()?, segment: segment.parse()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{log::Body, time::Second};

    #[test]
    fn a_segment_reads_as_written_and_counts_its_entries() {
        let entry = Entry { received: Second::from_unix(1), body: Body::Time }.to_bytes();
        let new = Head { size: 2, root: tlog_tiles::tlog::record_hash(b"x") };
        let segment = Segment { old: Head::EMPTY, new, entries: vec![entry.clone(), entry] };
        let bytes = segment.to_bytes();
        assert_eq!(Segment::parse(&bytes).map(|(s, _)| s), Ok(segment));
        for cut in 0..bytes.len() {
            assert!(Segment::parse(&bytes[..cut]).is_err(), "cut at {cut}");
        }
        let line = GuardLine { head: new, segment: Blob::of(&bytes) };
        assert_eq!(line.to_string().parse(), Ok(line));
    }
}
