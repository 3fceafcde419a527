//! A disk with a cache that forgets: what a program sees, and what a power cut can't take.
//!
//! | volatile | until |
//! |---|---|
//! | a write, a size | the file is synced |
//! | a name that came, went or changed | the folder that holds it is synced; syncing the file is not enough |
//!
//! A rename is one act: before its folder is durable the old name is there or the new one. Where it leads from one folder
//! into another, syncing the new one makes the new name durable and leaves the old one to chance; syncing the old one takes
//! both, because a name that went for good without the other having come would be a file system's fault, not a program's.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use sha2::{Digest as _, Sha256};

use super::operation::Operation;

/// What stands behind a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Node {
    Folder,
    /// Position in [`Disk::files`].
    File(usize),
}

/// A change of a file that is not durable yet.
#[derive(Debug, Clone)]
pub(super) enum Change {
    Write { at: u64, bytes: Arc<[u8]> },
    Resize(u64),
}

/// A change of names that is not durable yet.
#[derive(Debug, Clone)]
pub(super) enum Entry {
    Add(PathBuf, Node),
    Remove(PathBuf),
    Move { from: PathBuf, to: PathBuf, node: Node },
}

/// A file: its durable bytes, and what was done to it since.
#[derive(Debug, Clone, Default)]
pub(super) struct File {
    pub(super) durable: Arc<Vec<u8>>,
    pub(super) pending: Vec<Change>,
    digest: Arc<OnceLock<[u8; 32]>>,
}

/// A disk.
#[derive(Debug, Clone, Default)]
pub struct Disk {
    pub(super) files: Vec<File>,
    pub(super) durable: BTreeMap<PathBuf, Node>,
    pub(super) entries: Vec<Entry>,
    seen: BTreeMap<PathBuf, Node>,
}

fn parent(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new(""))
}

impl File {
    /// SHA-256 of the durable bytes.
    pub(super) fn digest(&self) -> [u8; 32] {
        *self.digest.get_or_init(|| Sha256::digest(self.durable.as_slice()).into())
    }
    fn settle(&mut self) {
        if !self.pending.is_empty() {
            let bytes = Arc::make_mut(&mut self.durable);
            for change in self.pending.drain(..) {
                change.apply(bytes);
            }
            self.digest = Arc::default();
        }
    }
}

impl Change {
    pub(super) fn apply(&self, file: &mut Vec<u8>) {
        match self {
            Self::Write { at, bytes } => overwrite(file, *at, bytes),
            Self::Resize(size) => file.resize(position(*size), 0),
        }
    }
}

/// Sizes here fit into memory: they were in a process before.
pub(super) fn position(at: u64) -> usize {
    usize::try_from(at).expect("a size that fits into memory")
}

/// Writes over and behind the end; a hole is zeros.
pub(super) fn overwrite(file: &mut Vec<u8>, at: u64, bytes: &[u8]) {
    let (start, end) = (position(at), position(at) + bytes.len());
    if file.len() < end {
        file.resize(end, 0);
    }
    file[start..end].copy_from_slice(bytes);
}

impl Disk {
    /// A folder as it lies there, all of it durable, without the names that `idle` picks.
    pub fn of(folder: &Path, idle: fn(&Path) -> bool) -> io::Result<Self> {
        let mut disk = Self::default();
        disk.take(folder, Path::new(""), idle)?;
        disk.seen = disk.durable.clone();
        Ok(disk)
    }

    fn take(&mut self, root: &Path, below: &Path, idle: fn(&Path) -> bool) -> io::Result<()> {
        for entry in fs::read_dir(root.join(below))? {
            let entry = entry?;
            let path = below.join(entry.file_name());
            if idle(&path) {
                continue;
            }
            if entry.file_type()?.is_dir() {
                self.durable.insert(path.clone(), Node::Folder);
                self.take(root, &path, idle)?;
            } else {
                let node = self.file(fs::read(entry.path())?);
                self.durable.insert(path, node);
            }
        }
        Ok(())
    }

    fn file(&mut self, bytes: Vec<u8>) -> Node {
        self.files.push(File { durable: Arc::new(bytes), ..File::default() });
        Node::File(self.files.len() - 1)
    }

    /// Does one operation; what it leaves out of account (a write to a file that has lost its name) reaches no disk.
    pub fn act(&mut self, operation: &Operation) {
        match operation {
            Operation::Create(path) => self.add(path, None),
            Operation::Folder(path) => self.add(path, Some(Node::Folder)),
            Operation::Write { path, at, bytes } => self.change(path, Change::Write { at: *at, bytes: bytes.clone() }),
            Operation::Resize { path, size } => self.change(path, Change::Resize(*size)),
            Operation::Sync(path) => self.sync(path),
            Operation::Rename { from, to } => {
                if let Some(node) = self.seen.remove(from) {
                    self.seen.insert(to.clone(), node);
                    self.entries.push(Entry::Move { from: from.clone(), to: to.clone(), node });
                }
            }
            Operation::Link { from, to } => {
                if let Some(&node) = self.seen.get(from) {
                    self.add(to, Some(node));
                }
            }
            Operation::Remove(path) => {
                if self.seen.remove(path).is_some() {
                    self.entries.push(Entry::Remove(path.clone()));
                }
            }
            Operation::Said(_) => {}
        }
    }

    fn add(&mut self, path: &Path, node: Option<Node>) {
        if !self.seen.contains_key(path) {
            let node = node.unwrap_or_else(|| self.file(Vec::new()));
            self.seen.insert(path.to_owned(), node);
            self.entries.push(Entry::Add(path.to_owned(), node));
        }
    }

    fn change(&mut self, path: &Path, change: Change) {
        if let Some(&Node::File(n)) = self.seen.get(path) {
            self.files[n].pending.push(change);
        }
    }

    fn sync(&mut self, path: &Path) {
        match self.seen.get(path) {
            Some(&Node::File(n)) => self.files[n].settle(),
            Some(Node::Folder) => self.sync_names(path),
            None if path == Path::new("") => self.sync_names(path),
            None => {}
        }
    }

    fn sync_names(&mut self, folder: &Path) {
        let here = |path: &Path| parent(path) == folder;
        for entry in std::mem::take(&mut self.entries) {
            match entry {
                Entry::Move { from, to, node } if here(&to) && !here(&from) => {
                    self.durable.insert(to, node);
                    self.entries.push(Entry::Remove(from));
                }
                Entry::Move { ref from, ref to, .. } if here(from) || here(to) => entry.apply(&mut self.durable),
                Entry::Add(ref path, _) | Entry::Remove(ref path) if here(path) => entry.apply(&mut self.durable),
                later => self.entries.push(later),
            }
        }
    }

    /// Whether a cut here leaves one state only.
    pub fn is_settled(&self) -> bool {
        self.entries.is_empty() && self.files.iter().all(|f| f.pending.is_empty())
    }
}

impl Entry {
    pub(super) fn apply(&self, names: &mut BTreeMap<PathBuf, Node>) {
        match self {
            Self::Add(path, node) => drop(names.insert(path.clone(), *node)),
            Self::Remove(path) => drop(names.remove(path)),
            Self::Move { from, to, node } => {
                names.remove(from);
                names.insert(to.clone(), *node);
            }
        }
    }
}
