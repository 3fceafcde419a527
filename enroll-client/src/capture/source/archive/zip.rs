//! The members of a zip, from its central directory (PKWARE APPNOTE 6.3, sections 4.3 and 4.4).
//!
//! ```text
//! PK\3\4 header, data … · PK\1\2 name, sizes, offset of the header … · (PK\6\6 … PK\6\7 …) · PK\5\6 how many, where
//! ```
//!
//! **Trust:** whoever made the zip. **Invariants:** what the directory names is all that counts, and it is read whole or not at all;
//! a file comes out with the size and the checksum that it says, or not; all together are no more than an archive may be.

use std::{
    ffi::OsStr,
    io::Read as _,
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
};

use flate2::{Crc, bufread::DeflateDecoder};
use shared::problem::{Problem, left::Why};

use super::{ARCHIVE_MAX, FILE_MAX, Index, Kind, MEMBERS_MAX, Member, NAMES_MAX, bytes::Bytes, unreadable};

/// Bytes of the end, without its comment.
const END: usize = 22;
/// Bytes of the locator before it, in large zips.
const LOCATOR: u64 = 20;
/// Bytes of the larger end.
const LARGE_END: usize = 56;
/// Bytes of an entry, without name, extras and comment.
const ENTRY: usize = 46;
/// Bytes of a header before the data, without name and extras.
const LOCAL: usize = 30;

/// How a file is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Method {
    Stored,
    Deflated,
}

/// Where a file lies, and what it shall be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Zipped {
    /// Offset of its header.
    pub(super) at: u64,
    /// Bytes, unpacked.
    pub(super) size: u64,
    packed: u64,
    crc: u32,
    method: Method,
}

impl Zipped {
    /// Reads it.
    pub(super) fn read(&self, bytes: &mut Bytes) -> Result<Vec<u8>, Problem> {
        let local = bytes.read_at(self.at, LOCAL)?;
        // deflate adds five bytes for each 64 KiB at most
        if !local.starts_with(b"PK\x03\x04") || self.packed > FILE_MAX + (FILE_MAX >> 8) {
            return Err(bytes.broken());
        }
        let data = self.at + LOCAL as u64 + u64::from(u16_at(&local, 26)) + u64::from(u16_at(&local, 28));
        let packed = bytes.read_at(data, usize::try_from(self.packed).unwrap_or(usize::MAX))?;
        let mut plain = Vec::new();
        match self.method {
            Method::Stored => plain = packed,
            Method::Deflated => {
                let inflated = DeflateDecoder::new(&packed[..]).take(self.size + 1).read_to_end(&mut plain);
                inflated.map_err(|_| bytes.broken())?;
            }
        }
        let mut crc = Crc::new();
        crc.update(&plain);
        if plain.len() as u64 == self.size && crc.sum() == self.crc { Ok(plain) } else { Err(bytes.broken()) }
    }
}

/// Reads the central directory.
pub(super) fn index(bytes: &mut Bytes) -> Result<Index, Problem> {
    let (count, at, size) = end(bytes)?;
    if count > MEMBERS_MAX as u64 || size > (NAMES_MAX + ENTRY * MEMBERS_MAX) as u64 {
        return Err(unreadable(bytes.path(), "too many members"));
    }
    let directory = bytes.read_at(at, usize::try_from(size).unwrap_or(usize::MAX))?;
    let (mut index, mut rest, mut total) = (Index::default(), &directory[..], 0_u64);
    for _ in 0..count {
        let (entry, behind) = Entry::read(rest).ok_or_else(|| bytes.broken())?;
        rest = behind;
        if !index.counts(entry.name.len()) {
            return Err(unreadable(bytes.path(), "too many members"));
        }
        let kind = entry.kind().ok_or_else(|| bytes.broken())?;
        if let Kind::File(member) = &kind {
            total = total.saturating_add(member.size());
        }
        index.put(&path(entry.name), kind);
    }
    if total > ARCHIVE_MAX {
        return Err(unreadable(bytes.path(), "too large"));
    }
    if rest.is_empty() { Ok(index) } else { Err(bytes.broken()) }
}

/// How many entries the directory has, where it lies and how long it is.
fn end(bytes: &mut Bytes) -> Result<(u64, u64, u64), Problem> {
    let len = bytes.len();
    let from = len.saturating_sub(END as u64 + u64::from(u16::MAX));
    let tail = bytes.read_at(from, usize::try_from(len - from).unwrap_or(usize::MAX))?;
    let is_end = |n: &usize| tail[*n..].starts_with(b"PK\x05\x06") && n + END + usize::from(u16_at(&tail, n + 20)) == tail.len();
    let found = (0..=tail.len().saturating_sub(END)).rev().filter(|n| n + END <= tail.len()).find(is_end);
    let n = found.ok_or_else(|| bytes.broken())?;
    let (count, size, at) = (u16_at(&tail, n + 10), u32_at(&tail, n + 12), u32_at(&tail, n + 16));
    if count < u16::MAX && size < u32::MAX && at < u32::MAX {
        return Ok((count.into(), at.into(), size.into()));
    }
    let locator = (from + n as u64).checked_sub(LOCATOR).ok_or_else(|| bytes.broken())?;
    let locator = bytes.read_at(locator, 20)?;
    let large = bytes.read_at(u64_at(&locator, 8), LARGE_END)?;
    if locator.starts_with(b"PK\x06\x07") && large.starts_with(b"PK\x06\x06") {
        Ok((u64_at(&large, 32), u64_at(&large, 48), u64_at(&large, 40)))
    } else {
        Err(bytes.broken())
    }
}

/// An entry of the central directory.
struct Entry<'a> {
    fixed: &'a [u8],
    name: &'a [u8],
    extra: &'a [u8],
}

impl<'a> Entry<'a> {
    fn read(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (fixed, rest) = bytes.split_at_checked(ENTRY)?;
        let (name, rest) = rest.split_at_checked(u16_at(fixed, 28).into())?;
        let (extra, rest) = rest.split_at_checked(u16_at(fixed, 30).into())?;
        let (_, rest) = rest.split_at_checked(u16_at(fixed, 32).into())?;
        fixed.starts_with(b"PK\x01\x02").then_some((Self { fixed, name, extra }, rest))
    }

    /// None: it contradicts itself.
    fn kind(&self) -> Option<Kind<Member>> {
        let (flags, method) = (u16_at(self.fixed, 8), u16_at(self.fixed, 10));
        let unix = matches!(self.fixed[5], 3 | 19);
        let mode = if unix { u32_at(self.fixed, 38) >> 16 } else { 0 };
        match mode & 0o170_000 {
            0o120_000 => return Some(Kind::Other(Why::Link)),
            0o040_000 => return Some(Kind::Folder),
            0 | 0o100_000 => {}
            _ => return Some(Kind::Other(Why::NotAFile)),
        }
        if self.name.ends_with(b"/") || self.name.ends_with(b"\\") {
            return Some(Kind::Folder);
        }
        // bit 0: encrypted; bit 13: its entry too; 99: by AES
        if flags & 0x2001 != 0 || method == 99 {
            return Some(Kind::Other(Why::Encrypted));
        }
        let method = match method {
            0 => Method::Stored,
            8 => Method::Deflated,
            _ => return Some(Kind::Other(Why::OtherPacking)),
        };
        let [size, packed, at] = self.places()?;
        Some(Kind::File(Member::Zipped(Zipped { at, size, packed, crc: u32_at(self.fixed, 16), method })))
    }

    /// Size, packed size and offset: in the extra of large zips where they do not fit.
    fn places(&self) -> Option<[u64; 3]> {
        let mut large = self.large();
        let mut places = [24, 20, 42].map(|at| u64::from(u32_at(self.fixed, at)));
        for place in &mut places {
            if *place == u64::from(u32::MAX) {
                let (own, rest) = large.split_at_checked(8)?;
                (*place, large) = (u64_at(own, 0), rest);
            }
        }
        Some(places)
    }

    fn large(&self) -> &'a [u8] {
        let mut rest = self.extra;
        while let Some((head, behind)) = rest.split_at_checked(4) {
            let Some((own, behind)) = behind.split_at_checked(u16_at(head, 2).into()) else { break };
            if u16_at(head, 0) == 1 {
                return own;
            }
            rest = behind;
        }
        &[]
    }
}

/// A name as it stands there; some programs write it as their own system does.
fn path(name: &[u8]) -> PathBuf {
    let foreign = name.contains(&b'\\') && !name.contains(&b'/');
    let name: Vec<u8> = name.iter().map(|&b| if foreign && b == b'\\' { b'/' } else { b }).collect();
    Path::new(OsStr::from_bytes(&name)).to_owned()
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    bytes[at..].first_chunk().map_or(0, |b| u16::from_le_bytes(*b))
}
fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes[at..].first_chunk().map_or(0, |b| u32::from_le_bytes(*b))
}
fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes[at..].first_chunk().map_or(0, |b| u64::from_le_bytes(*b))
}
