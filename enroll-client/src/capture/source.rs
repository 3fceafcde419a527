//! Residents from folders and archives: a `resident.json` and its files (`shared::draft::input`).
//!
//! ```text
//! enrol PATH:  folders to any depth, and archives in them by their first bytes: tar · tar.gz · tar.zst · zip
//! in both, by one rule (`tree`):  a folder with resident.json is a resident · everything else is named as left
//! ```
//!
//! **Trust:** whoever filled the folder or made the archive. **Invariants:** only plain files are read, at most 64 MiB a resident
//! and one resident at a time; nothing is unpacked onto a disk. Whatever is not taken is told with its path, but for what
//! desktops leave (`droppings`).

pub mod droppings;
mod tree;
mod disk;
mod archive;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use shared::{
    draft::input::{FILE, FileName, Input},
    problem::{Code, Problem, left::Why},
};
use zeroize::Zeroizing;

use self::{archive::Packed, disk::Disk, tree::Stray};
use crate::durable;

/// Largest resident.json and largest single file, in bytes.
const FILE_MAX: u64 = 16 << 20;

/// What was not taken. Its path may name a person: it is for the operator's screen, and for nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// Where it lies; in an archive behind the archive's own path.
    pub path: PathBuf,
    /// Why it was not taken.
    pub why: Why,
}

/// Residents, where they lie.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// A resident's folder.
    Folder(PathBuf),
    /// An archive of such folders.
    Archive(PathBuf),
}

impl Place {
    /// What to delete when all of it is finished.
    pub fn path(&self) -> &Path {
        match self {
            Self::Folder(path) | Self::Archive(path) => path,
        }
    }
}

/// One resident, read.
#[derive(Debug)]
pub struct Source {
    /// What resident.json says.
    pub input: Input,
    /// The other files.
    pub files: BTreeMap<FileName, Vec<u8>>,
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

/// A resident that was come by, whether they can be read or not, and what lay with them and is not theirs.
#[derive(Debug)]
pub struct Resident {
    /// The resident.
    pub source: Result<Source, Problem>,
    /// What was not taken.
    pub left: Vec<Left>,
}

/// Finds the residents under a path, and tells what is none. A path that is a link counts for what it leads to: that is what
/// `--remove-source` has to remove.
pub fn find(path: &Path, left: &mut dyn FnMut(Left)) -> Result<Vec<Place>, Problem> {
    if !durable::is_there(path) {
        return Err(Problem::new(Code::InputUnreadable, format!("{}: nothing is there", path.display())));
    }
    // shown as it was given; a link, or a folder given by dots only, as what it is
    let elsewhere = durable::is_link(path) || path.file_name().is_none();
    let root = if elsewhere { durable::real(path) } else { path.to_owned() };
    if !durable::is_folder(&root) {
        return Ok(match disk::stray(&root) {
            Stray::Archive => vec![Place::Archive(root)],
            Stray::Left(why) => {
                left(Left { path: root, why });
                Vec::new()
            }
        });
    }
    let walked = tree::walk(&mut Disk(&root), left);
    let below = |inside: PathBuf| if inside.as_os_str().is_empty() { root.clone() } else { root.join(inside) };
    let archives = walked.archives.into_iter().map(|inside| Place::Archive(below(inside)));
    let mut places: Vec<Place> = walked.residents.into_iter().map(|inside| Place::Folder(below(inside))).chain(archives).collect();
    places.sort_by(|a, b| a.path().cmp(b.path()));
    Ok(places)
}

/// Nobody was found where somebody was expected.
pub fn nobody(path: &Path) -> Problem {
    Problem::new(Code::InputUnreadable, format!("{}: no {FILE} there, in no folder and no archive", path.display()))
}

/// The residents of a place, one after the other: no more than one of them is in memory.
pub struct Residents(In);

enum In {
    Folder(Option<PathBuf>),
    Archive(Box<Packed>),
}

/// Looks at a place. An archive is looked through to its end first, and what in it is nobody's is told.
pub fn read(place: &Place, left: &mut dyn FnMut(Left)) -> Result<Residents, Problem> {
    Ok(Residents(match place {
        Place::Folder(path) => In::Folder(Some(path.clone())),
        Place::Archive(path) => In::Archive(Box::new(Packed::open(path, left)?)),
    }))
}

impl Iterator for Residents {
    type Item = Resident;
    fn next(&mut self) -> Option<Resident> {
        match &mut self.0 {
            In::Folder(path) => path.take().map(|path| tree::resident(&mut Disk(&path), Path::new(""))),
            In::Archive(packed) => packed.next(),
        }
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

    type Named = Vec<(String, Why)>;

    /// Who was read, and what was left: its path below `path`, and why.
    fn all(path: &Path) -> Result<(Vec<Source>, Named), Problem> {
        let (mut sources, mut left) = (Vec::new(), Vec::new());
        for place in find(path, &mut |one| left.push(one))? {
            let residents = read(&place, &mut |one| left.push(one))?;
            for resident in residents {
                left.extend(resident.left);
                sources.push(resident.source?);
            }
        }
        let below = |left: Left| (left.path.strip_prefix(path).unwrap_or(&left.path).to_string_lossy().into_owned(), left.why);
        Ok((sources, left.into_iter().map(below).collect()))
    }

    fn read_all(path: &Path) -> Result<Vec<Source>, Problem> {
        all(path).map(|(sources, _)| sources)
    }

    fn refused(path: &Path) -> Problem {
        read_all(path).map(|found| found.len()).expect_err("refused")
    }

    /// What of one resident is told as left.
    fn left(path: &Path) -> Named {
        let mut left = Vec::new();
        for place in find(path, &mut |one| left.push(one)).expect("there") {
            let residents: Vec<Resident> = read(&place, &mut |one| left.push(one)).expect("looked at").collect();
            left.extend(residents.into_iter().flat_map(|resident| resident.left));
        }
        left.into_iter().map(|one| (one.path.file_name().expect("a name").to_string_lossy().into_owned(), one.why)).collect()
    }

    #[test]
    fn only_plain_files_of_a_folder_are_read() {
        let aside = tempfile::NamedTempFile::new().expect("a file");
        let folder = resident();
        assert_eq!(read_all(folder.path()).map(|found| found.len()).ok(), Some(1));
        let face = folder.path().join("face.jpg");
        symlink(aside.path(), &face).expect("a link");
        assert_eq!(refused(folder.path()).code, Code::InputUnreadable, "what lies elsewhere is nothing of this resident's");
        assert_eq!(left(folder.path()), [("face.jpg".to_owned(), Why::Link)]);
        fs::remove_file(&face).expect("removed");
        fs::create_dir(&face).expect("a folder");
        assert_eq!(refused(folder.path()).code, Code::InputUnreadable);
        assert_eq!(left(folder.path()), [("face.jpg".to_owned(), Why::FolderInside)]);
        fs::remove_dir(&face).expect("removed");
        // nobody writes into it: whoever waited would wait for ever
        mknodat(CWD, &face, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).expect("a pipe");
        assert_eq!(refused(folder.path()).code, Code::InputUnreadable);
        let tars = tempfile::tempdir().expect("a folder");
        mknodat(CWD, tars.path().join("a.tar"), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).expect("a pipe");
        assert_eq!(left(tars.path()), [("a.tar".to_owned(), Why::NotAFile)]);
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
        assert_eq!(read_all(folder.path()).map(|found| found[0].files.len()).ok(), Some(0), "what is hidden is not in the way");
        assert_eq!(left(folder.path()), [(".Example Person".to_owned(), Why::Unnamed)]);
    }

    #[test]
    fn residents_are_found_at_any_depth_and_everything_else_is_named() {
        let root = tempfile::tempdir().expect("a folder");
        let at = |path: &str| root.path().join(path);
        for (folder, file) in [("one", "resident.json"), ("day/1/two", "RESIDENT.JSON"), ("day/2/a/b/c/d/e/three", "Resident.json")] {
            fs::create_dir_all(at(folder)).expect("made");
            fs::write(at(folder).join(file), JSON).expect("written");
        }
        for dropping in [".DS_Store", "day/Thumbs.db", "one/._resident.json", "day/1/two/desktop.ini"] {
            fs::write(at(dropping), b"x").expect("written");
        }
        for dropping in ["lost+found/x", "day/__MACOSX/x", ".Trash-1000/files"] {
            fs::create_dir_all(at(dropping)).expect("made");
            fs::write(at(dropping).join("resident.json"), JSON).expect("written");
        }
        fs::create_dir(at("day/3")).expect("made");
        fs::write(at("day/3/scan.tif"), b"x").expect("written");
        fs::write(at("day/list.7z"), b"7z\xbc\xaf\x27\x1c").expect("written");
        symlink(at("one"), at("day/again")).expect("a link");
        let (found, left) = all(root.path()).expect("read");
        assert_eq!(found.len(), 3);
        let expected = [("day/again", Why::Link), ("day/list.7z", Why::OtherPacking), ("day/3/scan.tif", Why::NoDescription)];
        assert_eq!(left, expected.map(|(path, why)| (path.to_owned(), why)));
    }

    #[test]
    fn any_file_name_is_taken_and_names_that_are_no_text_are_named() {
        use std::os::unix::ffi::OsStrExt as _;
        let folder = resident();
        let part = |file: &str| format!(r#"{{"file":"{file}","position":"face"}}"#);
        let json = |part: &str| String::from_utf8_lossy(JSON).replace("\"parts\":[]", &format!("\"parts\":[{part}]"));
        for (on_disk, said) in [
            ("\u{635}\u{648}\u{631}\u{629} 1.JPG", "\u{635}\u{648}\u{631}\u{629} 1.JPG"),
            ("Face (2).JPEG", "face (2).jpeg"),
            ("e\u{301}.jpg", "\u{e9}.jpg"),
        ] {
            fs::write(folder.path().join(FILE), json(&part(said))).expect("written");
            fs::write(folder.path().join(on_disk), b"x").expect("written");
            let (found, left) = all(folder.path()).expect("read");
            assert_eq!((found[0].files.len(), left.len()), (1, 0), "{on_disk}");
            fs::remove_file(folder.path().join(on_disk)).expect("removed");
        }
        fs::write(folder.path().join(FILE), JSON).expect("written");
        fs::write(folder.path().join(std::ffi::OsStr::from_bytes(b"\xff.jpg")), b"x").expect("written");
        assert_eq!(left(folder.path()), [("\u{fffd}.jpg".to_owned(), Why::Name)]);
        assert_eq!(refused(folder.path()).code, Code::InputUnreadable);
    }

    #[test]
    fn a_file_that_no_part_names_is_named_and_a_large_one_says_so() {
        let folder = resident();
        fs::write(folder.path().join("Example Person.jpg"), b"x").expect("written");
        assert_eq!(left(folder.path()), [("Example Person.jpg".to_owned(), Why::Unnamed)]);
        fs::File::create(folder.path().join("large")).and_then(|file| file.set_len(FILE_MAX + 1)).expect("holes");
        assert_eq!(left(folder.path()), [("large".to_owned(), Why::TooLarge)]);
        assert!(!refused(folder.path()).detail.contains("large.jpg"));
    }
}
