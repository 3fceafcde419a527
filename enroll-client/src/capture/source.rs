//! Residents from folders and tars: a `resident.json` and its files (`shared::draft::input`).
//!
//! ```text
//! enrol PATH:  a folder with resident.json · a tar of one or more such folders · a folder of any of these
//! ```
//!
//! **Trust:** whoever filled the folder or made the tar. **Invariants:** only plain files with plain names are
//! read, at most 64 MiB a resident and one resident at a time, and nothing is unpacked onto a disk.

mod packed;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use shared::{
    draft::input::{FILE, Input},
    id::PartName,
    problem::{Code, Problem},
    record::{MAX_PARTS, MAX_PLAIN},
};
use zeroize::Zeroizing;

pub use self::packed::Packed;
use crate::durable;

/// Largest resident.json and largest single file, in bytes.
const FILE_MAX: u64 = 16 << 20;

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

/// Finds the residents under a path. A link counts for what it leads to: that is what `--remove-source` has to remove.
pub fn find(path: &Path) -> Result<Vec<Place>, Problem> {
    let nothing = || Problem::new(Code::InputUnreadable, format!("{}: no {FILE} and no tar there", path.display()));
    if !durable::is_folder(path) {
        return if durable::is_there(path) { Ok(vec![Place::Tar(durable::real(path))]) } else { Err(nothing()) };
    }
    if durable::is_there(&path.join(FILE)) {
        return Ok(vec![Place::Folder(durable::real(path))]);
    }
    let mut found = Vec::new();
    for entry in durable::list(path)? {
        if durable::is_folder(&entry) && durable::is_there(&entry.join(FILE)) {
            found.push(Place::Folder(durable::real(&entry)));
        } else if entry.extension().is_some_and(|e| e == "tar") {
            found.push(Place::Tar(durable::real(&entry)));
        }
    }
    if found.is_empty() { Err(nothing()) } else { Ok(found) }
}

/// The residents of a place, one after the other: no more than one of them is in memory.
pub enum Residents {
    /// The one of a folder.
    Folder(Option<PathBuf>),
    /// Those of a tar.
    Tar(Packed),
}

/// Looks at a place. A tar is looked through to its end first: cut off, it is refused, not read as a shorter one.
pub fn read(place: &Place) -> Result<Residents, Problem> {
    match place {
        Place::Folder(path) => Ok(Residents::Folder(Some(path.clone()))),
        Place::Tar(path) => Packed::open(path).map(Residents::Tar),
    }
}

impl Iterator for Residents {
    type Item = Result<Source, Problem>;
    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Folder(path) => path.take().map(|p| folder(&p)),
            Self::Tar(packed) => packed.next(),
        }
    }
}

fn folder(path: &Path) -> Result<Source, Problem> {
    let mut heap = Heap::default();
    for entry in durable::list(path)? {
        let name = entry.file_name().and_then(|n| n.to_str()).unwrap_or("").to_owned();
        // what file managers leave
        if name.starts_with('.') {
            continue;
        }
        // before it is read: of a file that does not belong here, whoever it is named for, an error says nothing
        let name = Name::of(&name)?;
        heap.add(name, durable::read_found(&entry, FILE_MAX)?)?;
    }
    heap.source(&path.display().to_string())
}

/// What a file of a resident's folder may be called.
enum Name {
    Description,
    Part(PartName),
}

impl Name {
    fn of(name: &str) -> Result<Self, Problem> {
        let part = || name.parse().map_err(|_| Problem::new(Code::InputUnreadable, "a file's name is not that of a part"));
        if name == FILE { Ok(Self::Description) } else { part().map(Self::Part) }
    }
}

#[derive(Default)]
struct Heap {
    description: Option<Zeroizing<Vec<u8>>>,
    files: BTreeMap<PartName, Vec<u8>>,
    size: u64,
}

impl Heap {
    fn add(&mut self, name: Name, bytes: Vec<u8>) -> Result<(), Problem> {
        self.size += bytes.len() as u64;
        if self.size > MAX_PLAIN {
            return Err(Code::RecordTooLarge.into());
        }
        let Name::Part(name) = name else {
            let twice = self.description.replace(Zeroizing::new(bytes)).is_some();
            return if twice { Err(Problem::new(Code::InputUnreadable, format!("{FILE} twice"))) } else { Ok(()) };
        };
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
    use std::{fs, os::unix::fs::symlink};

    use rustix::fs::{CWD, FileType, Mode, mknodat};

    use super::*;

    const JSON: &[u8] = br#"{"format":"enroll-input/v1","form":"national-id/1","transaction":"new","person":{},"parts":[]}"#;

    fn resident() -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join(FILE), JSON).expect("written");
        folder
    }

    fn read_all(path: &Path) -> Result<Vec<Source>, Problem> {
        find(path)?.iter().map(read).collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect()
    }

    fn refused(path: &Path) -> Problem {
        read_all(path).map(|found| found.len()).expect_err("refused")
    }

    #[test]
    fn only_plain_files_of_a_folder_are_read() {
        let aside = tempfile::NamedTempFile::new().expect("a file");
        let folder = resident();
        assert_eq!(read_all(folder.path()).map(|found| found.len()).ok(), Some(1));
        let face = folder.path().join("face.jpg");
        symlink(aside.path(), &face).expect("a link");
        assert_eq!(refused(folder.path()).code, Code::InputUnreadable, "what lies elsewhere is nothing of this resident's");
        fs::remove_file(&face).expect("removed");
        fs::create_dir(&face).expect("a folder");
        assert_eq!(refused(folder.path()).code, Code::InputUnreadable);
        fs::remove_dir(&face).expect("removed");
        // nobody writes into it: whoever waited would wait for ever
        mknodat(CWD, &face, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).expect("a pipe");
        assert_eq!(refused(folder.path()).code, Code::InputUnreadable);
        let tars = tempfile::tempdir().expect("a folder");
        mknodat(CWD, tars.path().join("a.tar"), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).expect("a pipe");
        assert_eq!(refused(tars.path()).code, Code::InputUnreadable);
    }

    #[test]
    fn an_error_does_not_say_whom_a_stray_file_is_named_for() {
        let folder = resident();
        fs::create_dir(folder.path().join("Example Person")).expect("a folder");
        let problem = refused(folder.path());
        assert_eq!(problem.code, Code::InputUnreadable);
        assert!(!problem.detail.contains("Example"), "{}", problem.detail);
        fs::remove_dir(folder.path().join("Example Person")).expect("removed");
        fs::write(folder.path().join(".Example Person"), b"x").expect("written");
        assert_eq!(read_all(folder.path()).map(|found| found[0].files.len()).ok(), Some(0), "what file managers leave is passed over");
    }
}
