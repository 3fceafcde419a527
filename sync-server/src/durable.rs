//! Files that are there after a power cut, or not there at all: write a temporary name, fsync, rename,
//! fsync the folder.
//!
//! **Invariants:** every file that this crate must find again is written here (uploads in progress and the
//! database have their own rules in [`crate::store`]). An error of fsync is never followed by a second try
//! on the same file: the kernel may have dropped the pages that it could not write. Nor is a name that was there
//! already durable for that: whom it matters to gives it anew ([`write`], [`Temporary::replace`]). Files are
//! readable by their owner only.
#![allow(clippy::disallowed_methods, reason = "this file owns files")]

use std::{
    ffi::OsStr,
    fs::{self, File, Metadata, OpenOptions, TryLockError},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use rustix::fs::{CWD, RenameFlags};
use shared::{
    problem::{Code, Problem},
    text::hex,
};

use crate::{entropy, sabotage, store::DurableFile};

/// What stands first in the name of every file that is not finished yet.
pub const TEMPORARY: &str = ".tmp-";

/// What [`create`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Created {
    /// The file is new.
    New,
    /// A file of that name was there already and was left as it is.
    There,
}

/// Turns an error of the operating system into a problem. `what` names a place, never a person.
pub fn problem(what: &str) -> impl FnOnce(io::Error) -> Problem + '_ {
    move |e| {
        let full = matches!(e.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
        Problem::new(if full { Code::DiskFull } else { Code::IoFailed }, format!("{what}: {e}"))
    }
}

/// Replaces the file at `path` by `bytes`, all or nothing; durable when it returns.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write_from(parent(path), path, bytes)
}

/// Like [`write`], with the unfinished file in `folder`: where much is written, leftovers lie in one place.
pub fn write_from(folder: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = Temporary::new(folder)?;
    temporary.append(bytes)?;
    temporary.replace(path)
}

/// Makes the file at `path`, all or nothing, unless there is one; durable when it returns [`Created::New`].
pub fn create(path: &Path, bytes: &[u8]) -> io::Result<Created> {
    let temporary = Temporary::new(parent(path))?;
    temporary.append(bytes)?;
    temporary.file.sync_all()?;
    temporary.name(path)
}

/// A file that gets its name only when all of it is durable. Dropped before that, it is gone.
pub struct Temporary {
    path: PathBuf,
    file: File,
}

impl Temporary {
    /// An empty file in `folder`, which is on the volume where it will get its name.
    pub fn new(folder: &Path) -> io::Result<Self> {
        let path = Self::place(folder);
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        file.lock()?; // `sweep`, perhaps of another process, leaves it alone
        Ok(Self { path, file })
    }

    /// A durable file of another folder, under a second name in `folder`. `None`: not on the same volume, or not where links
    /// are possible, or the name has gone to another file.
    pub fn link(folder: &Path, durable: &DurableFile) -> io::Result<Option<Self>> {
        use io::ErrorKind::{CrossesDevices, NotFound, PermissionDenied, TooManyLinks, Unsupported};
        let path = Self::place(folder);
        match fs::hard_link(&durable.path, &path) {
            Ok(()) => {}
            Err(e) if matches!(e.kind(), CrossesDevices | NotFound | PermissionDenied | TooManyLinks | Unsupported) => return Ok(None),
            Err(e) => return Err(e),
        }
        let this = Self { path, file: durable.handle.try_clone()? };
        // A name can go to another file at any time, a handle cannot.
        Ok((inode(&this.path.symlink_metadata()?) == inode(&this.file.metadata()?)).then_some(this))
    }

    fn place(folder: &Path) -> PathBuf {
        folder.join(format!("{TEMPORARY}{}", hex(entropy::random::<8>().as_slice())))
    }

    /// Adds bytes at the end.
    pub fn append(&self, bytes: &[u8]) -> io::Result<()> {
        (&self.file).write_all(bytes)
    }

    /// Gives the file its name, also when it is taken; durable when it returns. For names that tell what is in a file: one that
    /// is there has the same bytes, but whoever gave the name may have died before it was durable, or the disk failed then,
    /// and a second sync of the folder would say nothing about it.
    pub fn replace(self, path: &Path) -> io::Result<()> {
        self.file.sync_all()?;
        // A crash before this leaves a `.tmp-` that nobody reads; after it the whole file under its name.
        fs::rename(&self.path, path)?;
        sync_folder(parent(path))
    }

    /// Gives a file that is durable its name, unless the name is taken; durable when it returns [`Created::New`].
    pub fn name(self, path: &Path) -> io::Result<Created> {
        // A crash before this leaves a `.tmp-` that nobody reads; after it the whole file under its name.
        match rustix::fs::renameat_with(CWD, &self.path, CWD, path, RenameFlags::NOREPLACE) {
            Ok(()) => sync_folder(parent(path)).map(|()| Created::New),
            Err(rustix::io::Errno::EXIST) => {
                // Whoever made it may have crashed before its folder was durable.
                sync_folder(parent(path)).map(|()| Created::There)
            }
            Err(e) => Err(e.into()),
        }
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // After a rename there is nothing under this name. A leftover is harmless: nobody reads `.tmp-`.
        let _ = fs::remove_file(&self.path);
    }
}

/// Reads a whole file; `None` when there is none.
pub fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e),
    }
}

/// Is there a file of this name?
pub fn there(path: &Path) -> bool {
    path.exists()
}

/// Moves a file within its volume, if it is there; durable when it returns. Was it there?
pub fn rename(from: &Path, to: &Path) -> io::Result<bool> {
    match fs::rename(from, to) {
        Ok(()) => sync_folder(parent(to)).map(|()| true),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(e) => Err(e),
    }
}

/// Removes a file if it is there; durable when it returns.
pub fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Ok(()) => sync_folder(parent(path)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(e) => Err(e),
    }
}

/// Removes a file if it is there. What a power cut brings back must be harmless.
pub fn discard(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}

/// Two acts that do not need each other, at the same time: a disk makes two fsyncs durable as fast as one.
pub fn both(one: impl FnOnce() -> io::Result<()> + Send, other: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
    std::thread::scope(|scope| {
        let one = std::thread::Builder::new().spawn_scoped(scope, one)?;
        let other = other();
        one.join().unwrap_or_else(|_| Err(io::Error::other("a thread broke off"))).and(other)
    })
}

/// Opens a file and locks it, until the handle is dropped, and says what it was then. `None`: another handle has the lock,
/// or the name has just gone to another file or to none.
pub fn take(path: &Path, options: &OpenOptions) -> io::Result<Option<(File, Metadata)>> {
    let file = options.open(path)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(None),
        Err(TryLockError::Error(e)) => return Err(e),
    }
    // Looked at before the name is: so this name is among those that were counted.
    let opened = file.metadata()?;
    match fs::symlink_metadata(path) {
        Ok(named) => Ok((inode(&named) == inode(&opened)).then_some((file, opened))),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e),
    }
}

/// Which file it is, whatever its names.
fn inode(meta: &Metadata) -> (u64, u64) {
    (meta.dev(), meta.ino())
}

/// Makes a folder and those above it that are missing, each durable in the one above it.
pub fn folder(path: &Path) -> io::Result<()> {
    let Some(name) = path.file_name() else { return Ok(()) };
    let above = parent(path);
    if !path.is_dir() {
        folder(above)?;
        return folder_in(above, name);
    }
    match sync_folder(above) {
        // who may not look into it has not just made one in it
        Err(e) if e.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        synced => synced,
    }
}

/// Makes a folder within one that is there, and makes its name durable: also one that is there already, because whoever
/// has just made it may not have come further, or may have died. When the disk fails then, an empty one goes again, so that
/// the next try gives the name anew: a second sync would say nothing about it. One that is not empty had a durable name
/// before something was put in it. Not for two threads at once.
pub fn folder_in(above: &Path, name: &OsStr) -> io::Result<()> {
    let path = above.join(name);
    match fs::DirBuilder::new().mode(0o700).create(&path) {
        Err(e) if e.kind() != io::ErrorKind::AlreadyExists => return Err(e),
        _ => {}
    }
    sync_folder(above).inspect_err(|_| {
        let _ = fs::remove_dir(&path);
    })
}

/// Makes durable which names a folder holds.
pub fn sync_folder(path: &Path) -> io::Result<()> {
    if sabotage::on("no-folder-fsync") {
        return Ok(());
    }
    File::open(path)?.sync_all()
}

/// Names in a folder, sorted, without those of unfinished files; none when there is no such folder.
pub fn names(path: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(e),
    };
    let mut names = Vec::new();
    for entry in entries {
        if let Ok(name) = entry?.file_name().into_string()
            && !name.starts_with(TEMPORARY)
        {
            names.push(name);
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// Removes what a crash left unfinished in a folder. What some process is writing just now is left alone.
pub fn sweep(path: &Path) -> io::Result<()> {
    let entries = match fs::read_dir(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        if !entry.file_name().to_string_lossy().starts_with(TEMPORARY) {
            continue;
        }
        match File::open(entry.path()) {
            Ok(file) if file.try_lock().is_ok() => fs::remove_file(entry.path())?,
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
    }
    Ok(())
}

/// A file that stands for a right: whoever holds its lock may act. The kernel frees it when its holder dies.
pub struct Lock(File);

impl Lock {
    /// Waits until the lock is free.
    pub fn wait(path: &Path) -> io::Result<Self> {
        let file = Self::open(path)?;
        file.lock()?;
        Ok(Self(file))
    }

    /// Takes the lock if it is free.
    pub fn try_take(path: &Path) -> io::Result<Option<Self>> {
        let file = Self::open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self(file))),
            Err(fs::TryLockError::WouldBlock) => Ok(None),
            Err(fs::TryLockError::Error(e)) => Err(e),
        }
    }

    fn open(path: &Path) -> io::Result<File> {
        OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing is not enough: a child that is being started has copies of all handles until it is another program.
        let _ = self.0.unlock();
    }
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn create_never_replaces() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("a");
        assert_eq!(create(&path, b"one").expect("created"), Created::New);
        assert_eq!(create(&path, b"two").expect("left alone"), Created::There);
        assert_eq!(read(&path).expect("readable").as_deref(), Some(&b"one"[..]));
        write(&path, b"three").expect("replaced");
        assert_eq!(read(&path).expect("readable").as_deref(), Some(&b"three"[..]));
        assert_eq!(fs::read_dir(dir.path()).expect("listed").count(), 1, "nothing unfinished is left");
    }

    #[test]
    fn unfinished_files_are_neither_named_nor_kept() {
        let dir = tempfile::tempdir().expect("a folder");
        let temporary = Temporary::new(dir.path()).expect("a temporary file");
        temporary.append(b"half").expect("written");
        assert!(names(dir.path()).expect("listed").is_empty());
        sweep(dir.path()).expect("swept");
        assert_eq!(fs::read_dir(dir.path()).expect("listed").count(), 1, "somebody is writing it");
        let (left, path) = (dir.path().join(".tmp-crashed"), dir.path().join("a"));
        fs::write(&left, b"half").expect("as a crash leaves it");
        sweep(dir.path()).expect("swept");
        assert!(!left.exists());
        temporary.replace(&path).expect("whole");
        assert_eq!(read(&path).expect("readable").as_deref(), Some(&b"half"[..]));
    }

    /// A second sync of a folder says nothing about a name that the first one could not keep.
    #[test]
    fn names_that_are_there_are_given_anew() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("a");
        // held, so that its number goes to no other
        let mut before: Option<File> = None;
        for _ in 0..3 {
            write_from(dir.path(), &path, b"the same").expect("written");
            let now = File::open(&path).expect("there");
            let number = |file: &File| inode(&file.metadata().expect("open"));
            assert!(before.is_none_or(|before| number(&before) != number(&now)), "another file each time");
            before = Some(now);
        }
    }

    #[test]
    fn a_lock_has_one_holder() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("lock");
        let held = Lock::try_take(&path).expect("no error");
        assert!(held.is_some());
        assert!(Lock::try_take(&path).expect("no error").is_none());
        drop(held);
        let held = Lock::try_take(&path).expect("no error").expect("free");
        let _copy = held.0.try_clone().expect("as a child that is being started has it");
        drop(held);
        assert!(Lock::try_take(&path).expect("no error").is_some(), "free when it is dropped");
    }

    #[test]
    fn folders_are_made_with_those_above() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("a/b/c");
        folder(&path).expect("made");
        folder(&path).expect("the same call twice is the same as once");
        assert!(path.is_dir());
        folder_in(&path, "d".as_ref()).expect("made");
        folder_in(&path, "d".as_ref()).expect("the same call twice is the same as once");
        assert!(path.join("d").is_dir());
        assert!(read(&path.join("x")).expect("no error").is_none());
        remove(&path.join("x")).expect("nothing to remove is fine");
    }
}
