//! An archive of residents' folders, as it comes on a stick: tar, tar.gz, tar.zst or zip, by what is in it, whatever its name.
//!
//! 1. It is looked through once to its end: what lies where. Cut off, it is refused, not read as a shorter one.
//! 2. It is walked as a folder is (`tree`).
//! 3. Each resident is read for itself, in the order in which they lie there.
//!
//! **Trust:** whoever made it. **Invariants:** nothing is unpacked onto a disk; in memory are one resident and at most
//! [`MEMBERS_MAX`] places with [`NAMES_MAX`] bytes of names. At most 1 GiB comes out of it, and a compressed one is unpacked
//! a few times at most, however its members are strewn.

mod bytes;
mod tar;
mod zip;

use std::{
    collections::BTreeMap,
    ffi::OsString,
    path::{Component, Path, PathBuf},
    vec,
};

use shared::problem::{Code, Problem, left::Why};

use self::bytes::Bytes;
use super::{
    FILE_MAX, Left, Resident,
    tree::{self, Entry, Kind, Stray, Tree},
};
use crate::durable::Given;

/// Largest archive, in bytes, packed and unpacked.
const ARCHIVE_MAX: u64 = 1 << 30;
/// Most residents of one archive.
const RESIDENTS_MAX: usize = 1000;
/// Most members, folders and what goes before a member included.
const MEMBERS_MAX: usize = 100_000;
/// Bytes of all names together.
const NAMES_MAX: usize = 8 << 20;
/// Folders one within the other.
const DEPTH_MAX: usize = 32;

/// How an archive is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packing {
    Tar,
    Gzip,
    Zstd,
    Zip,
    /// An archive, but none that is read here.
    Other,
}

impl Packing {
    /// So many of the first bytes tell.
    pub(super) const FIRST: usize = tar::BLOCK;

    /// By the first bytes; a tar that is damaged there, or holds nothing, is known by its name only.
    pub(super) fn of(first: &[u8], path: &Path) -> Option<Self> {
        const OTHERS: [&[u8]; 5] = [b"\xfd7zXZ\0", b"BZh", b"7z\xbc\xaf\x27\x1c", b"Rar!", b"\x04\x22\x4d\x18"];
        match first {
            _ if tar::is_header(first) => Some(Self::Tar),
            [0x1f, 0x8b, ..] => Some(Self::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Self::Zstd),
            [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Some(Self::Zip),
            _ if OTHERS.iter().any(|magic| first.starts_with(magic)) => Some(Self::Other),
            _ => path.extension().is_some_and(|e| e.eq_ignore_ascii_case("tar")).then_some(Self::Tar),
        }
    }
}

/// Where the bytes of a file lie.
#[derive(Debug, Clone, Copy)]
enum Member {
    /// As they are, from an offset on.
    Plain { at: u64, size: u64 },
    /// In a zip, behind a header at an offset.
    Zipped(zip::Zipped),
}

impl Member {
    fn size(&self) -> u64 {
        match self {
            Self::Plain { size, .. } => *size,
            Self::Zipped(zipped) => zipped.size,
        }
    }
    fn at(&self) -> u64 {
        match self {
            Self::Plain { at, .. } => *at,
            Self::Zipped(zipped) => zipped.at,
        }
    }
}

/// What lies where, by folder, in the archive's order.
#[derive(Debug, Default)]
struct Index {
    folders: BTreeMap<PathBuf, Vec<Entry<Member>>>,
    members: usize,
    names: usize,
    /// What is wrong with the archive as a whole, though it can be read.
    left: Vec<(PathBuf, Why)>,
}

impl Index {
    /// Counts a member; false: there are too many.
    fn counts(&mut self, name: usize) -> bool {
        self.members += 1;
        self.names += name;
        self.members <= MEMBERS_MAX && self.names <= NAMES_MAX
    }

    /// Puts a member where its name says, downwards only.
    fn put(&mut self, name: &Path, kind: Kind<Member>) {
        let parts: Vec<Component<'_>> = name.components().filter(|c| !matches!(c, Component::RootDir | Component::CurDir)).collect();
        let why = match parts.iter().all(|c| matches!(c, Component::Normal(_))) {
            false => Some(Why::Name),
            true if parts.len() > DEPTH_MAX => Some(Why::TooDeep),
            true => None,
        };
        if let Some(why) = why {
            return self.left.push((parts.iter().collect(), why));
        }
        let path: PathBuf = parts.iter().collect();
        let Some(last) = path.file_name().map(OsString::from) else { return };
        let above = path.parent().map(Path::to_path_buf).unwrap_or_default();
        match kind {
            Kind::Folder => self.folder(&path),
            kind => {
                self.folder(&above);
                self.folders.entry(above).or_default().push(Entry { name: last, kind });
            }
        }
    }

    /// A folder, and those that it lies in, each named in the one above it once.
    fn folder(&mut self, path: &Path) {
        if self.folders.contains_key(path) {
            return;
        }
        self.folders.insert(path.to_owned(), Vec::new());
        if let (Some(name), Some(above)) = (path.file_name(), path.parent()) {
            self.folder(above);
            self.folders.entry(above.to_owned()).or_default().push(Entry { name: name.to_owned(), kind: Kind::Folder });
        }
    }

    /// Where the first file of a folder lies.
    fn first(&self, folder: &Path) -> u64 {
        let at = |entry: &Entry<Member>| if let Kind::File(member) = &entry.kind { Some(member.at()) } else { None };
        self.folders.get(folder).into_iter().flatten().filter_map(at).min().unwrap_or_default()
    }
}

/// An archive as a tree.
struct Archive {
    bytes: Bytes,
    index: Index,
}

impl Tree for Archive {
    type File = Member;

    fn list(&mut self, folder: &Path) -> Result<Vec<Entry<Member>>, Problem> {
        Ok(self.index.folders.get(folder).cloned().unwrap_or_default())
    }

    fn read(&mut self, _: &Path, file: &Entry<Member>) -> Result<Vec<u8>, Problem> {
        let Kind::File(member) = &file.kind else { return Err(Code::InputUnreadable.into()) };
        let size = usize::try_from(member.size()).ok().filter(|_| member.size() <= FILE_MAX).ok_or(Code::RecordTooLarge)?;
        match member {
            Member::Plain { at, .. } => self.bytes.read_at(*at, size),
            Member::Zipped(zipped) => zipped.read(&mut self.bytes),
        }
    }

    fn stray(&mut self, path: &Path) -> Stray {
        let archives = ["tar", "tgz", "gz", "tzst", "zst", "zip", "txz", "xz", "bz2", "7z", "rar"];
        let is_one = path.extension().is_some_and(|end| archives.iter().any(|known| end.eq_ignore_ascii_case(known)));
        Stray::Left(if is_one { Why::ArchiveInside } else { Why::NoDescription })
    }

    fn shown(&self, inside: &Path) -> PathBuf {
        if inside.as_os_str().is_empty() { self.bytes.path().to_owned() } else { self.bytes.path().join(inside) }
    }
}

/// The residents of an archive, read one after the other.
pub(super) struct Packed {
    archive: Archive,
    residents: vec::IntoIter<PathBuf>,
}

impl Packed {
    /// 1. and 2.
    pub(super) fn open(path: &Path, left: &mut dyn FnMut(Left)) -> Result<Self, Problem> {
        let file = Given::open(path, ARCHIVE_MAX)?;
        let first = file.read_at(0, Packing::FIRST.min(usize::try_from(file.len()).unwrap_or(usize::MAX)))?;
        let packing = Packing::of(&first, path).ok_or_else(|| unreadable(path, "no archive"))?;
        let mut bytes = Bytes::open(file, path, packing)?;
        let mut index = if packing == Packing::Zip { zip::index(&mut bytes)? } else { tar::index(&mut bytes)? };
        if index.folders.is_empty() && index.left.is_empty() {
            return Err(unreadable(path, "empty"));
        }
        let strays = std::mem::take(&mut index.left);
        let mut archive = Archive { bytes, index };
        let mut behind: Vec<Left> = strays.into_iter().map(|(inside, why)| Left { path: archive.shown(&inside), why }).collect();
        let mut residents = tree::walk(&mut archive, &mut |one| behind.push(one)).residents;
        if residents.len() > RESIDENTS_MAX {
            return Err(unreadable(path, "too many residents"));
        }
        if residents.is_empty() {
            behind = vec![Left { path: path.to_owned(), why: Why::NoResident }];
        }
        behind.into_iter().for_each(left);
        residents.sort_by_key(|folder| archive.index.first(folder));
        Ok(Self { archive, residents: residents.into_iter() })
    }
}

impl Iterator for Packed {
    type Item = Resident;
    /// 3.
    fn next(&mut self) -> Option<Resident> {
        let folder = self.residents.next()?;
        Some(tree::resident(&mut self.archive, &folder))
    }
}

fn unreadable(path: &Path, why: &str) -> Problem {
    Problem::new(Code::InputUnreadable, format!("{}: {why}", path.display()))
}

#[cfg(test)]
mod tests;
