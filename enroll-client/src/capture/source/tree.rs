//! The one rule by which residents are found, in a folder and in an archive alike.
//!
//! 1. What desktops leave is passed over (`droppings`).
//! 2. A folder with a resident.json, in any case, is a resident: all plain files in it are theirs, and nothing else belongs there.
//! 3. In any other folder: folders are walked, archives are noted, and everything else is left.
//!
//! **Trust:** whoever laid it out. **Invariants:** whatever is neither a resident's nor passed over by rule 1 is named as left;
//! nothing is followed and nothing opened that is not a plain file; one resident is in memory at a time.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
};

use shared::{
    draft::input::{FILE, FileName, Input},
    problem::{Code, Problem, left::Why},
    record::{MAX_PARTS, MAX_PLAIN},
};
use zeroize::Zeroizing;

use super::{Left, Resident, Source, droppings};

/// What a name in a tree stands for.
#[derive(Debug, Clone)]
pub(super) enum Kind<F> {
    /// A folder.
    Folder,
    /// A plain file, and how the tree finds it again.
    File(F),
    /// What cannot be taken, and why.
    Other(Why),
}

/// A name in a folder of a tree.
#[derive(Debug, Clone)]
pub(super) struct Entry<F> {
    pub(super) name: OsString,
    pub(super) kind: Kind<F>,
}

/// Folders and files, wherever they lie.
pub(super) trait Tree {
    /// How it finds a file again.
    type File;
    /// What a folder of it holds.
    fn list(&mut self, folder: &Path) -> Result<Vec<Entry<Self::File>>, Problem>;
    /// Reads a file; refuses one that is too large.
    fn read(&mut self, folder: &Path, file: &Entry<Self::File>) -> Result<Vec<u8>, Problem>;
    /// What a file is that is no resident's.
    fn stray(&mut self, path: &Path) -> Stray;
    /// How a path in it is shown.
    fn shown(&self, inside: &Path) -> PathBuf;
}

/// What a file is that is no resident's.
pub(super) enum Stray {
    /// An archive, to be looked into.
    Archive,
    /// Nothing to take.
    Left(Why),
}

/// What a walk came by: paths in the tree, in its order.
#[derive(Debug, Default)]
pub(super) struct Walked {
    pub(super) residents: Vec<PathBuf>,
    pub(super) archives: Vec<PathBuf>,
}

/// Walks a tree to any depth.
pub(super) fn walk<T: Tree>(tree: &mut T, left: &mut dyn FnMut(Left)) -> Walked {
    let mut walked = Walked::default();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = listed(tree, &folder) else {
            left(Left { path: tree.shown(&folder), why: Why::Unreadable });
            continue;
        };
        // 2.
        if entries.iter().any(|entry| is_description(&entry.name)) {
            walked.residents.push(folder);
            continue;
        }
        // 3.
        let mut below = Vec::new();
        for entry in entries {
            let path = folder.join(&entry.name);
            let why = match entry.kind {
                Kind::Folder => {
                    below.push(path);
                    continue;
                }
                Kind::Other(why) => why,
                Kind::File(_) => match tree.stray(&path) {
                    Stray::Left(why) => why,
                    Stray::Archive => {
                        walked.archives.push(path);
                        continue;
                    }
                },
            };
            left(Left { path: tree.shown(&path), why });
        }
        folders.extend(below.into_iter().rev());
    }
    walked
}

/// 1.
fn listed<T: Tree>(tree: &mut T, folder: &Path) -> Result<Vec<Entry<T::File>>, Problem> {
    let mut entries = tree.list(folder)?;
    entries.retain(|entry| match entry.kind {
        Kind::Folder => !droppings::is_folder(&entry.name),
        Kind::File(_) => !droppings::is_file(&entry.name),
        Kind::Other(_) => true,
    });
    Ok(entries)
}

fn is_description(name: &OsStr) -> bool {
    name.eq_ignore_ascii_case(FILE)
}

/// Reads the resident of a folder.
pub(super) fn resident<T: Tree>(tree: &mut T, folder: &Path) -> Resident {
    let mut left = Vec::new();
    let source = read(tree, folder, &mut left);
    Resident { source, left }
}

fn read<T: Tree>(tree: &mut T, folder: &Path, left: &mut Vec<Left>) -> Result<Source, Problem> {
    let (mut heap, mut fit) = (Heap::default(), Ok(()));
    for entry in listed(tree, folder)? {
        let path = tree.shown(&folder.join(&entry.name));
        // what is hidden may be some program's; what anybody sees there, somebody put there for this resident
        let hidden = entry.name.as_encoded_bytes().starts_with(b".");
        let (problem, why) = match (&entry.kind, entry.name.to_str().map(str::parse::<FileName>)) {
            // of one who does not fit nothing more is read; what else lies there is named all the same
            (Kind::File(_), Some(Ok(_))) if fit.is_err() => continue,
            (Kind::File(_), Some(Ok(name))) => match heap.put(name, || tree.read(folder, &entry)) {
                Ok(()) => continue,
                Err((problem, why)) => (problem, why),
            },
            (Kind::File(_), _) => (stranger(), Some(Why::Name)),
            (Kind::Folder, _) => (stranger(), Some(Why::FolderInside)),
            (Kind::Other(why), _) => (stranger(), Some(*why)),
        };
        let why = why.or(hidden.then_some(Why::Unnamed));
        left.extend(why.map(|why| Left { path, why }));
        if !hidden {
            fit = fit.and(Err(problem));
        }
    }
    fit?;
    let mut source = heap.source()?;
    for name in source.input.unnamed(source.files.keys()) {
        // of what anybody sees, the draft says that it is too much
        if name.as_str().starts_with('.') {
            source.files.remove(&name);
        }
        left.push(Left { path: tree.shown(&folder.join(name.as_str())), why: Why::Unnamed });
    }
    Ok(source)
}

fn stranger() -> Problem {
    Problem::new(Code::InputUnreadable, "a resident's folder holds more than plain files")
}

/// The files of a resident, as they come.
#[derive(Default)]
struct Heap {
    description: Option<Zeroizing<Vec<u8>>>,
    files: BTreeMap<FileName, Vec<u8>>,
    size: u64,
}

/// A problem that names nobody, and what the operator sees beside the path.
type Refused = (Problem, Option<Why>);

impl Heap {
    fn put(&mut self, name: FileName, read: impl FnOnce() -> Result<Vec<u8>, Problem>) -> Result<(), Refused> {
        if self.files.len() >= MAX_PARTS && !is_description(name.as_str().as_ref()) {
            return Err((Code::PartsTooMany.into(), None));
        }
        let bytes = read().map_err(|problem| unread(&problem))?;
        self.size += bytes.len() as u64;
        if self.size > MAX_PLAIN {
            return Err((Code::RecordTooLarge.into(), None));
        }
        let is_first = if is_description(name.as_str().as_ref()) {
            self.description.replace(Zeroizing::new(bytes)).is_none()
        } else {
            self.files.insert(name, bytes).is_none()
        };
        let twice = || (Problem::new(Code::InputUnreadable, "a file lies there twice"), Some(Why::Name));
        if is_first { Ok(()) } else { Err(twice()) }
    }

    fn source(self) -> Result<Source, Problem> {
        let description = self.description.ok_or_else(|| Problem::new(Code::InputUnreadable, format!("no {FILE}")))?;
        Ok(Source { input: Input::parse(&description)?, files: self.files })
    }
}

/// The problem of a reader says where it read: here that may be a person's name.
fn unread(problem: &Problem) -> Refused {
    match problem.code {
        Code::RecordTooLarge => (Problem::new(Code::InputUnreadable, "a file is too large"), Some(Why::TooLarge)),
        code => (Problem::new(code, "a file cannot be read"), Some(Why::Unreadable)),
    }
}
