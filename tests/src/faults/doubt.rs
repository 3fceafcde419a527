//! What nobody can know to be on the disk once it has failed: bytes and names in doubt.
//!
//! After a sync that failed, the kernel may have dropped the pages and call them clean; a second sync then succeeds and
//! says nothing about them. So bytes whose sync failed are in doubt until they are written again and synced, the file goes,
//! or, in a write-ahead log, an earlier frame is written (its checksums run on, so that everything behind is void). They
//! are the file's, by whatever name: a link shares them, and one name that goes leaves the other. It is the same with a
//! folder: names whose sync failed are in doubt until each is given anew and synced, or taken. What a write, a rename or a
//! link that failed was to put there is in doubt as well.
//!
//! Never in doubt: names that are swept at every start (`.tmp-`) or hold nothing (`.lock`, `-shm`). Not yet in doubt: what a
//! checkpoint could not bring into a database, while its write-ahead log is there and has it still.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use crate::tracer::{Act, Event, Fault};

type Ranges = Vec<(u64, u64)>;

/// Something that may not be there after a power cut.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Doubtful {
    /// Relative to the root.
    pub path: String,
    /// The first byte that is in doubt; none when it is the name.
    pub from: Option<u64>,
}

impl fmt::Display for Doubtful {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.from {
            None => write!(f, "the name {}", self.path),
            Some(from) => write!(f, "{} from byte {from}", self.path),
        }
    }
}

/// Follows a run.
#[derive(Default)]
pub struct Doubt {
    files: Vec<File>,
    /// Which of them a name leads to.
    named: BTreeMap<String, usize>,
    folders: BTreeMap<String, Folder>,
    /// Write-ahead logs that are there.
    journals: BTreeSet<String>,
}

#[derive(Default)]
struct File {
    /// Where the last write ended.
    at: u64,
    unsynced: Ranges,
    failed: Ranges,
}

/// The names that were given in it, by their whole paths.
#[derive(Default)]
struct Folder {
    unsynced: BTreeSet<String>,
    failed: BTreeSet<String>,
}

impl Doubt {
    /// All that is in doubt now.
    pub fn all(&self) -> impl Iterator<Item = Doubtful> {
        let names = self.folders.values().flat_map(|f| &f.failed).map(|path| Doubtful { path: path.clone(), from: None });
        let rests = |path: &str| !is_passing(path) && !self.journals.contains(&format!("{path}-wal"));
        let bytes = self.named.iter().filter(move |(path, _)| rests(path)).filter_map(|(path, file)| {
            let from = self.files[*file].failed.iter().map(|r| r.0).min()?;
            Some(Doubtful { path: path.clone(), from: Some(from) })
        });
        names.chain(bytes)
    }

    /// The next act of the run.
    pub fn meet(&mut self, event: &Event) {
        if event.injected == Some(Fault::Kill) {
            // it did not happen, and nothing will
        } else if event.result >= 0 {
            self.follow_journals(&event.act);
            self.took_effect(&event.act, event.result.unsigned_abs());
        } else if DISK.contains(&event.result) {
            self.failed(&event.act);
        }
    }

    fn took_effect(&mut self, act: &Act, result: u64) {
        match act {
            Act::Write { path, offset, .. } => self.file(path).write(*offset, result, is_journal(path)),
            Act::Length { path, length } => self.file(path).cut(*length),
            Act::Sync { path } => {
                self.file(path).synced();
                self.folders.entry(path.clone()).or_default().synced();
            }
            Act::Create { path } => {
                self.leave(path);
                self.give(path);
            }
            Act::Folder { path } => self.give(path),
            Act::Link { from, to } => {
                let file = self.index(from);
                self.named.insert(to.clone(), file);
                self.give(to);
            }
            Act::Rename { from, to, exchange } => {
                let (moved, other) = (self.index(from), self.index(to));
                self.named.remove(from);
                self.take(from);
                self.named.insert(to.clone(), moved);
                if *exchange {
                    self.named.insert(from.clone(), other);
                    self.give(from);
                }
                self.give(to);
            }
            Act::Unlink { path } | Act::RemoveFolder { path } => self.take(path),
            Act::Allocate { .. } | Act::Tell { .. } => {}
        }
    }

    fn failed(&mut self, act: &Act) {
        match act {
            Act::Write { path, offset, len, .. } => self.file(path).lose(*offset, *len),
            Act::Sync { path } => {
                self.file(path).not_synced();
                self.folders.entry(path.clone()).or_default().not_synced();
            }
            Act::Link { to, .. } | Act::Rename { to, .. } if !is_passing(to) => {
                self.folders.entry(folder_of(to).to_owned()).or_default().failed.insert(to.clone());
            }
            // a name that stays is swept again
            _ => {}
        }
    }

    fn follow_journals(&mut self, act: &Act) {
        match act {
            Act::Create { path } | Act::Write { path, .. } if is_journal(path) => drop(self.journals.insert(path.clone())),
            Act::Unlink { path } => drop(self.journals.remove(path)),
            Act::Rename { from, to, .. } if self.journals.remove(from) => drop(self.journals.insert(to.clone())),
            _ => {}
        }
    }

    fn give(&mut self, path: &str) {
        if !is_passing(path) {
            self.folders.entry(folder_of(path).to_owned()).or_default().unsynced.insert(path.to_owned());
        }
    }

    fn take(&mut self, path: &str) {
        self.leave(path);
        if let Some(folder) = self.folders.get_mut(folder_of(path)) {
            folder.unsynced.remove(path);
            folder.failed.remove(path);
        }
    }

    /// The name leads to no file any more. A write-ahead log that goes takes nothing back of what it could not keep: only
    /// writing it again does.
    fn leave(&mut self, path: &str) {
        let file = self.named.remove(path);
        if let Some(file) = file.filter(|f| is_journal(path) && !self.files[*f].failed.is_empty()) {
            self.named.insert(path.to_owned(), file);
        }
    }

    fn file(&mut self, path: &str) -> &mut File {
        let file = self.index(path);
        &mut self.files[file]
    }

    fn index(&mut self, path: &str) -> usize {
        *self.named.entry(path.to_owned()).or_insert_with(|| {
            self.files.push(File::default());
            self.files.len() - 1
        })
    }
}

/// EIO and ENOSPC: other errors say how things are, as that a name is taken.
const DISK: [i64; 2] = [-5, -28];

impl File {
    fn write(&mut self, offset: u64, len: u64, journal: bool) {
        self.at = offset + len;
        if journal {
            self.failed = without(&self.failed, (offset, u64::MAX));
        }
        self.unsynced.push((offset, self.at));
    }

    fn lose(&mut self, offset: u64, len: u64) {
        // where a write at the file's position would have gone is not known when it failed
        let from = if offset == u64::MAX { self.at } else { offset };
        self.failed.push((from, from.saturating_add(len)));
    }

    fn cut(&mut self, length: u64) {
        self.at = self.at.min(length);
        for ranges in [&mut self.unsynced, &mut self.failed] {
            *ranges = without(ranges, (length, u64::MAX));
        }
    }

    fn synced(&mut self) {
        for range in std::mem::take(&mut self.unsynced) {
            self.failed = without(&self.failed, range);
        }
    }

    fn not_synced(&mut self) {
        self.failed.append(&mut self.unsynced);
    }
}

fn without(ranges: &Ranges, (from, to): (u64, u64)) -> Ranges {
    ranges.iter().flat_map(|&(a, b)| [(a, b.min(from)), (a.max(to), b)]).filter(|(a, b)| a < b).collect()
}

impl Folder {
    fn synced(&mut self) {
        for name in std::mem::take(&mut self.unsynced) {
            self.failed.remove(&name);
        }
    }

    fn not_synced(&mut self) {
        self.failed.append(&mut self.unsynced);
    }
}

fn is_journal(path: &str) -> bool {
    path.ends_with("-wal")
}

fn is_passing(path: &str) -> bool {
    [".lock", "-shm"].iter().any(|end| path.ends_with(end)) || path.contains(".tmp-")
}

fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or(".", |(folder, _)| folder)
}

#[cfg(test)]
mod tests;
