//! Residents from folders and tars: a `resident.json` and its files (`shared::draft::input`).
//!
//! ```text
//! enrol PATH:  a folder with resident.json · a tar of one or more such folders · a folder of any of these
//! ```
//!
//! **Trust:** whoever filled the folder or made the tar. **Invariants:** only plain files with plain names are
//! read, at most 64 MiB a resident, and nothing is unpacked onto a disk.

use std::{
    collections::BTreeMap,
    io::{self, Read},
    path::{Path, PathBuf},
};

use shared::{
    draft::input::{FILE, Input},
    id::PartName,
    problem::{Code, Problem},
    record::{MAX_PARTS, MAX_PLAIN},
};
use zeroize::Zeroizing;

use crate::durable;

/// Largest resident.json and largest single file, in bytes.
const FILE_MAX: u64 = 16 << 20;
/// Largest tar, in bytes.
const TAR_MAX: u64 = 1 << 30;
/// Most residents of one tar.
const RESIDENTS_MAX: usize = 1000;

/// One resident, where they lie.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// A folder.
    Folder(PathBuf),
    /// A tar.
    Tar(PathBuf),
}

impl Place {
    /// What to delete when all of it is finished.
    pub fn path(&self) -> &Path {
        match self {
            Self::Folder(path) | Self::Tar(path) => path,
        }
    }
}

/// One resident, read.
pub struct Source {
    /// What resident.json says.
    pub input: Input,
    /// The other files.
    pub files: BTreeMap<PartName, Vec<u8>>,
}

impl Source {
    /// Bytes that tell this source from others: the same files give the same bytes.
    pub fn identity(&self) -> Zeroizing<Vec<u8>> {
        let mut all = Zeroizing::new(self.input.to_json());
        for (name, bytes) in &self.files {
            all.extend_from_slice(name.as_str().as_bytes());
            all.extend_from_slice(shared::id::Digest::of(bytes).as_bytes());
        }
        all
    }
}

/// Finds the residents under a path.
pub fn find(path: &Path) -> Result<Vec<Place>, Problem> {
    let nothing = || Problem::new(Code::InputUnreadable, format!("{}: no {FILE} and no tar there", path.display()));
    if !durable::is_folder(path) {
        return if durable::is_there(path) { Ok(vec![Place::Tar(path.to_owned())]) } else { Err(nothing()) };
    }
    if durable::is_there(&path.join(FILE)) {
        return Ok(vec![Place::Folder(path.to_owned())]);
    }
    let mut found = Vec::new();
    for entry in durable::list(path)? {
        if durable::is_folder(&entry) && durable::is_there(&entry.join(FILE)) {
            found.push(Place::Folder(entry));
        } else if entry.extension().is_some_and(|e| e == "tar") {
            found.push(Place::Tar(entry));
        }
    }
    if found.is_empty() { Err(nothing()) } else { Ok(found) }
}

/// Reads the residents of a place.
pub fn read(place: &Place) -> Result<Vec<Source>, Problem> {
    match place {
        Place::Folder(path) => Ok(vec![folder(path)?]),
        Place::Tar(path) => tar(path),
    }
}

fn folder(path: &Path) -> Result<Source, Problem> {
    let mut heap = Heap::default();
    for entry in durable::list(path)? {
        let name = entry.file_name().and_then(|n| n.to_str()).unwrap_or("").to_owned();
        // what file managers leave
        if !name.starts_with('.') {
            heap.add(&name, durable::read_given(&entry, FILE_MAX)?)?;
        }
    }
    heap.source(&path.display().to_string())
}

fn tar(path: &Path) -> Result<Vec<Source>, Problem> {
    let unreadable = |why: &str| Problem::new(Code::InputUnreadable, format!("{}: {why}", path.display()));
    let mut archive = ::tar::Archive::new(Ending { inner: durable::reader(path, TAR_MAX)?, reached: false });
    let mut heaps: BTreeMap<PathBuf, Heap> = BTreeMap::new();
    // raw: extensions (long names, links to elsewhere) are entries of their own, and none of them is taken
    for entry in archive.entries().map_err(|_| unreadable("not a tar"))?.raw(true) {
        let entry = entry.map_err(|_| unreadable("not a whole tar"))?;
        match entry.header().entry_type() {
            ::tar::EntryType::Directory => continue,
            ::tar::EntryType::Regular => {}
            _ => return Err(unreadable("holds something else than files and folders")),
        }
        let name = entry.path().map_err(|_| unreadable("a name that is no text"))?.into_owned();
        let (parent, file) = (name.parent().map(Path::to_path_buf).unwrap_or_default(), name.file_name().and_then(|n| n.to_str()));
        let file = file.ok_or_else(|| unreadable("a name that is no text"))?.to_owned();
        let mut bytes = Vec::new();
        entry.take(FILE_MAX + 1).read_to_end(&mut bytes).map_err(|_| unreadable("not a whole tar"))?;
        if bytes.len() as u64 > FILE_MAX || heaps.len() > RESIDENTS_MAX {
            return Err(unreadable("too large"));
        }
        heaps.entry(parent).or_default().add(&file, bytes)?;
    }
    // cut off between two entries, it would look like a shorter one, and the residents behind the cut be forgotten
    if archive.into_inner().reached {
        return Err(unreadable("not a whole tar"));
    }
    let found = heaps.into_values().map(|heap| heap.source(&path.display().to_string())).collect::<Result<Vec<_>, _>>()?;
    if found.is_empty() { Err(unreadable("empty")) } else { Ok(found) }
}

/// Remembers that the file's end was met: a tar says itself where it ends (POSIX.1-1988: two blocks of zeros), and a
/// reader of a whole one stops there.
struct Ending<R> {
    inner: R,
    reached: bool,
}

impl<R: Read> Read for Ending<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.reached |= read == 0 && !buffer.is_empty();
        Ok(read)
    }
}

#[derive(Default)]
struct Heap {
    description: Option<Zeroizing<Vec<u8>>>,
    files: BTreeMap<PartName, Vec<u8>>,
    size: u64,
}

impl Heap {
    fn add(&mut self, name: &str, bytes: Vec<u8>) -> Result<(), Problem> {
        self.size += bytes.len() as u64;
        if self.size > MAX_PLAIN {
            return Err(Code::RecordTooLarge.into());
        }
        if name == FILE {
            let twice = self.description.replace(Zeroizing::new(bytes)).is_some();
            return if twice { Err(Problem::new(Code::InputUnreadable, format!("{FILE} twice"))) } else { Ok(()) };
        }
        let name: PartName = name.parse().map_err(|_| Problem::new(Code::InputUnreadable, "a file's name is not that of a part"))?;
        if self.files.len() >= MAX_PARTS {
            return Err(Code::PartsTooMany.into());
        }
        match self.files.insert(name.clone(), bytes) {
            None => Ok(()),
            Some(_) => Err(Problem::new(Code::InputUnreadable, format!("{name} twice"))),
        }
    }

    fn source(self, shown: &str) -> Result<Source, Problem> {
        let description = self.description.ok_or_else(|| Problem::new(Code::InputUnreadable, format!("{shown}: no {FILE}")))?;
        Ok(Source { input: Input::parse(&description)?, files: self.files })
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

    fn refused(entries: &[(&str, ::tar::EntryType, &[u8])]) -> Option<Code> {
        let (_folder, path) = packed(entries);
        tar(&path).err().map(|p| p.code)
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
    fn a_tar_that_ends_early_is_refused() {
        let (_folder, path) = packed(&[("a/face.jpg", ::tar::EntryType::Regular, &[7; 3000])]);
        let whole = std::fs::read(&path).expect("read");
        std::fs::write(&path, &whole[..1500]).expect("cut");
        assert_eq!(tar(&path).err().map(|p| p.code), Some(Code::InputUnreadable));
    }

    #[test]
    fn a_tar_cut_off_between_two_residents_is_refused_not_shortened() {
        let json = br#"{"format":"enroll-input/v1","form":"national-id/1","transaction":"new","person":{},"parts":[]}"#;
        let entries = ["a/resident.json", "b/resident.json"].map(|name| (name, ::tar::EntryType::Regular, &json[..]));
        let (_folder, path) = packed(&entries);
        assert_eq!(tar(&path).map(|found| found.len()).ok(), Some(2));
        let whole = std::fs::read(&path).expect("read");
        for blocks in [2, 4] {
            std::fs::write(&path, &whole[..blocks * 512]).expect("cut");
            assert_eq!(tar(&path).err().map(|p| p.code), Some(Code::InputUnreadable), "after {blocks} blocks");
        }
    }
}
