//! The members of a tar, from its headers: POSIX ustar and pax, GNU, and the oldest ones.
//!
//! ```text
//! header (512 bytes) · data, filled up to 512 · … · zeros (512) · zeros to the end
//! types: 0 \0 7 files · 5 D folders · 1 2 links · 3 4 6 devices, pipes · x g L K words about the next · V a label
//! ```
//!
//! Of words about the next member only its name and size count; times, owners and comments say nothing about a resident.
//!
//! **Trust:** whoever made the tar. **Invariants:** a tar without its end is refused; what lies behind the end is told.

use std::{
    ffi::OsStr,
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
};

use ::tar::{EntryType, Header, PaxExtensions};
use shared::problem::{Problem, left::Why};

use super::{
    Index, Kind, Member,
    bytes::{Bytes, Rest},
    unreadable,
};

pub(super) const BLOCK: usize = 512;
/// Largest words about a member: a name, and what programs note besides.
const WORDS_MAX: u64 = 1 << 20;

/// Whether this is a header of a tar: by its checksum, which all have, or its magic.
pub(super) fn is_header(block: &[u8]) -> bool {
    block.get(257..262) == Some(b"ustar") || block.get(..BLOCK).is_some_and(|block| !is_zero(block) && sums_up(block))
}

fn is_zero(block: &[u8]) -> bool {
    block.iter().all(|&b| b == 0)
}

fn sums_up(block: &[u8]) -> bool {
    let sum: u32 = block.iter().enumerate().map(|(n, &b)| u32::from(if (148..156).contains(&n) { b' ' } else { b })).sum();
    Header::from_byte_slice(block).cksum().is_ok_and(|said| said == sum)
}

/// What was said about the next member.
#[derive(Default)]
struct Words {
    name: Option<Vec<u8>>,
    size: Option<u64>,
    sparse: bool,
}

impl Words {
    /// pax: `18 path=0001/face\n`. None: they are damaged.
    fn pax(&mut self, words: &[u8]) -> Option<()> {
        for word in PaxExtensions::new(words) {
            let word = word.ok()?;
            match word.key_bytes() {
                b"path" => self.name = Some(word.value_bytes().to_vec()),
                b"size" => self.size = Some(word.value().ok()?.parse().ok()?),
                key => self.sparse |= key.starts_with(b"GNU.sparse."),
            }
        }
        Some(())
    }
}

/// Looks through a tar to its end.
pub(super) fn index(bytes: &mut Bytes) -> Result<Index, Problem> {
    let mut index = Index::default();
    let (mut at, mut words) = (0, Words::default());
    loop {
        let block = bytes.read_at(at, BLOCK)?;
        at += BLOCK as u64;
        if is_zero(&block) {
            break;
        }
        let header = Header::from_byte_slice(&block);
        let size = header.entry_size().ok().filter(|_| sums_up(&block)).ok_or_else(|| bytes.broken())?;
        let kind = header.entry_type();
        let size = if has_data(kind) { size } else { 0 };
        let name = words.name.as_ref().map_or_else(|| header.path_bytes().into_owned(), Clone::clone);
        if !index.counts(name.len()) {
            return Err(unreadable(bytes.path(), "too many members"));
        }
        match kind {
            EntryType::XHeader | EntryType::GNULongName => {
                let said = bytes.read_at(at, usize::try_from(size.min(WORDS_MAX)).unwrap_or_default())?;
                said_of_next(kind, &said, &mut words).filter(|()| size <= WORDS_MAX).ok_or_else(|| bytes.broken())?;
            }
            EntryType::XGlobalHeader | EntryType::GNULongLink => {}
            // a label of the whole
            kind if kind.as_byte() == b'V' => {}
            kind => {
                let words = std::mem::take(&mut words);
                if words.size.is_some_and(|said| said != size) {
                    return Err(bytes.broken());
                }
                let kind = if words.sparse { Kind::Other(Why::OtherPacking) } else { member(kind, &name, at, size) };
                index.put(&path(&name), kind);
            }
        }
        at = size.checked_next_multiple_of(BLOCK as u64).and_then(|size| at.checked_add(size)).ok_or_else(|| bytes.broken())?;
    }
    if bytes.rest(at)? == Rest::More {
        index.left.push((PathBuf::new(), Why::BehindTheEnd));
    }
    Ok(index)
}

/// Folders, links and devices have none, whatever size they say.
fn has_data(kind: EntryType) -> bool {
    use EntryType::{Block, Char, Directory, Fifo, Link, Symlink};
    !matches!(kind, Link | Symlink | Char | Block | Directory | Fifo)
}

fn said_of_next(kind: EntryType, said: &[u8], words: &mut Words) -> Option<()> {
    if kind == EntryType::XHeader {
        return words.pax(said);
    }
    let end = said.iter().position(|&b| b == 0).unwrap_or(said.len());
    words.name = Some(said[..end].to_vec());
    Some(())
}

fn member(kind: EntryType, name: &[u8], at: u64, size: u64) -> Kind<Member> {
    match kind {
        EntryType::Directory => Kind::Folder,
        // a folder with a list of what was in it
        kind if kind.as_byte() == b'D' => Kind::Folder,
        // the oldest write folders so
        EntryType::Regular if name.ends_with(b"/") => Kind::Folder,
        EntryType::Regular | EntryType::Continuous => Kind::File(Member::Plain { at, size }),
        EntryType::Link | EntryType::Symlink => Kind::Other(Why::Link),
        EntryType::Char | EntryType::Block | EntryType::Fifo => Kind::Other(Why::NotAFile),
        _ => Kind::Other(Why::OtherPacking),
    }
}

fn path(name: &[u8]) -> PathBuf {
    Path::new(OsStr::from_bytes(name)).to_owned()
}
