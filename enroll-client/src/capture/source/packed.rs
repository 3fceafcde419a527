//! A tar of residents' folders, as it comes on a stick.
//!
//! 1. It is looked through once, headers only, to its end: whose files lie where.
//! 2. Each resident is read for itself, in the order of the folders' names.
//!
//! **Trust:** whoever made the tar. **Invariants:** in memory are one resident and at most [`RESIDENTS_MAX`] lists of
//! places; a tar that is cut off, or holds anything but plain files and folders, gives nobody.

use std::{
    collections::BTreeMap,
    io::{self, Read, Seek},
    path::{Path, PathBuf},
    vec,
};

use shared::{
    problem::{Code, Problem},
    record::MAX_PARTS,
};

use super::{FILE_MAX, Heap, Name, Source};
use crate::durable::Given;

/// Largest tar, in bytes.
const TAR_MAX: u64 = 1 << 30;
/// Most residents of one tar.
const RESIDENTS_MAX: usize = 1000;

/// A file in the tar.
struct Member {
    name: String,
    /// Offset of its first byte in the tar.
    at: u64,
    size: usize,
}

/// The residents of a tar, read one after the other.
pub struct Packed {
    file: Given,
    path: PathBuf,
    left: vec::IntoIter<Vec<Member>>,
}

impl Packed {
    /// Looks through a tar.
    pub fn open(path: &Path) -> Result<Self, Problem> {
        let unreadable = |why: &str| Problem::new(Code::InputUnreadable, format!("{}: {why}", path.display()));
        let residents = look_through(Given::open(path, TAR_MAX)?, &unreadable)?;
        if residents.is_empty() {
            return Err(unreadable("empty"));
        }
        Ok(Self { file: Given::open(path, TAR_MAX)?, path: path.to_owned(), left: residents.into_iter() })
    }
}

impl Iterator for Packed {
    type Item = Result<Source, Problem>;
    fn next(&mut self) -> Option<Self::Item> {
        let members = self.left.next()?;
        let mut heap = Heap::default();
        let added = members.iter().try_for_each(|m| heap.add(Name::of(&m.name)?, self.file.read_at(m.at, m.size)?));
        Some(added.and_then(|()| heap.source(&self.path.display().to_string())))
    }
}

/// 1.
fn look_through(file: Given, unreadable: &impl Fn(&str) -> Problem) -> Result<Vec<Vec<Member>>, Problem> {
    let mut archive = ::tar::Archive::new(Ending { inner: file, reached: false });
    let mut residents: BTreeMap<PathBuf, Vec<Member>> = BTreeMap::new();
    // raw: extensions (long names, links to elsewhere) are entries of their own, and none of them is taken
    for entry in archive.entries_with_seek().map_err(|_| unreadable("not a tar"))?.raw(true) {
        let entry = entry.map_err(|_| unreadable("not a whole tar"))?;
        match entry.header().entry_type() {
            ::tar::EntryType::Directory => continue,
            ::tar::EntryType::Regular => {}
            _ => return Err(unreadable("holds something else than files and folders")),
        }
        let path = entry.path().map_err(|_| unreadable("a name that is no text"))?;
        let name = path.file_name().and_then(|n| n.to_str()).ok_or_else(|| unreadable("a name that is no text"))?.to_owned();
        let size = usize::try_from(entry.size().min(FILE_MAX + 1)).expect("16 MiB fit into memory");
        let members = residents.entry(path.parent().map(Path::to_path_buf).unwrap_or_default()).or_default();
        members.push(Member { name, at: entry.raw_file_position(), size });
        if members.len() > MAX_PARTS + 1 {
            return Err(Code::PartsTooMany.into());
        }
        if size as u64 > FILE_MAX || residents.len() > RESIDENTS_MAX {
            return Err(unreadable("too large"));
        }
    }
    // cut off between two entries, it would look like a shorter one, and the residents behind the cut be forgotten
    if archive.into_inner().reached { Err(unreadable("not a whole tar")) } else { Ok(residents.into_values().collect()) }
}

/// Remembers that the file's end was met: a tar says itself where it ends (POSIX.1-1988: two blocks of zeros), and a
/// reader of a whole one stops there.
struct Ending {
    inner: Given,
    reached: bool,
}

impl Read for Ending {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.reached |= read == 0 && !buffer.is_empty();
        Ok(read)
    }
}

impl Seek for Ending {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(entries: &[(&str, ::tar::EntryType, &[u8])]) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("x.tar");
        let mut builder = ::tar::Builder::new(std::fs::File::create(&path).expect("created"));
        for (name, kind, bytes) in entries {
            let mut header = ::tar::Header::new_ustar();
            header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
            header.set_entry_type(*kind);
            header.set_size(bytes.len() as u64);
            header.set_cksum();
            builder.append(&header, *bytes).expect("appended");
        }
        builder.into_inner().expect("finished");
        (folder, path)
    }

    fn residents(path: &Path) -> Result<Vec<Source>, Problem> {
        Packed::open(path)?.collect()
    }

    fn refused(entries: &[(&str, ::tar::EntryType, &[u8])]) -> Option<Code> {
        let (_folder, path) = packed(entries);
        residents(&path).err().map(|p| p.code)
    }

    #[test]
    fn only_plain_files_with_plain_names_are_read() {
        use ::tar::EntryType::{Char, Link, Regular, Symlink, XHeader};
        for kind in [Link, Symlink, Char, XHeader] {
            assert_eq!(refused(&[("a/face.jpg", kind, b"")]), Some(Code::InputUnreadable), "{kind:?}");
        }
        assert_eq!(refused(&[("a/..", Regular, b"x")]), Some(Code::InputUnreadable));
        assert_eq!(refused(&[("a/FACE.JPG", Regular, b"x")]), Some(Code::InputUnreadable));
        assert_eq!(refused(&[("a/face.jpg", Regular, b"x")]), Some(Code::InputUnreadable), "no resident.json");
        assert_eq!(refused(&[("a/f.jpg", Regular, b"x"), ("a/f.jpg", Regular, b"y")]), Some(Code::InputUnreadable), "twice");
        assert_eq!(refused(&[]), Some(Code::InputUnreadable));
    }

    #[test]
    fn one_that_does_not_fit_stops_no_other_of_its_tar() {
        let json = br#"{"format":"enroll-input/v1","form":"national-id/1","transaction":"new","person":{},"parts":[]}"#;
        let bytes: [&[u8]; 3] = [json, b"{}", json];
        let names = ["a/resident.json", "b/resident.json", "c/resident.json"];
        let entries: Vec<_> = names.into_iter().zip(bytes).map(|(name, b)| (name, ::tar::EntryType::Regular, b)).collect();
        let (_folder, path) = packed(&entries);
        let read: Vec<bool> = Packed::open(&path).expect("a whole tar").map(|one| one.is_ok()).collect();
        assert_eq!(read, [true, false, true]);
    }

    #[test]
    fn files_of_one_folder_may_lie_apart() {
        let json = br#"{"format":"enroll-input/v1","form":"national-id/1","transaction":"new","person":{},"parts":[]}"#;
        let apart: [(&str, ::tar::EntryType, &[u8]); 4] = [
            ("a/face.jpg", ::tar::EntryType::Regular, b"one"),
            ("b/resident.json", ::tar::EntryType::Regular, json),
            ("b/face.jpg", ::tar::EntryType::Regular, b"two"),
            ("a/resident.json", ::tar::EntryType::Regular, json),
        ];
        let (_folder, path) = packed(&apart);
        let read = residents(&path).expect("two residents");
        let faces: Vec<&[u8]> = read.iter().flat_map(|one| one.files.values()).map(Vec::as_slice).collect();
        assert_eq!(faces, [&b"one"[..], b"two"]);
    }

    #[test]
    fn more_files_than_a_record_takes_are_not_even_remembered() {
        let names: Vec<String> = (0..MAX_PARTS + 2).map(|n| format!("a/f{n}.jpg")).collect();
        let entries: Vec<_> = names.iter().map(|n| (n.as_str(), ::tar::EntryType::Regular, &b"x"[..])).collect();
        assert_eq!(refused(&entries), Some(Code::PartsTooMany));
    }

    #[test]
    fn a_tar_that_ends_early_is_refused() {
        let (_folder, path) = packed(&[("a/face.jpg", ::tar::EntryType::Regular, &[7; 3000])]);
        let whole = std::fs::read(&path).expect("read");
        std::fs::write(&path, &whole[..1500]).expect("cut");
        assert_eq!(residents(&path).err().map(|p| p.code), Some(Code::InputUnreadable));
    }

    #[test]
    fn a_tar_cut_off_between_two_residents_is_refused_not_shortened() {
        let json = br#"{"format":"enroll-input/v1","form":"national-id/1","transaction":"new","person":{},"parts":[]}"#;
        let entries = ["a/resident.json", "b/resident.json"].map(|name| (name, ::tar::EntryType::Regular, &json[..]));
        let (_folder, path) = packed(&entries);
        assert_eq!(residents(&path).map(|found| found.len()).ok(), Some(2));
        let whole = std::fs::read(&path).expect("read");
        for blocks in [2, 4] {
            std::fs::write(&path, &whole[..blocks * 512]).expect("cut");
            assert_eq!(residents(&path).err().map(|p| p.code), Some(Code::InputUnreadable), "after {blocks} blocks");
        }
    }
}
