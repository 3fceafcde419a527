//! Files: the only place that opens, writes, locks and removes them (the database aside).
//!
//! A file that must be there after a power cut is written in four steps: a temporary name, fsync of the
//! file, rename, fsync of the folder. Leaving out any of them lost files in trials with a cut at every
//! operation. **Invariants:** problems name the kind of failure and never hold what was read.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "this file owns the file system")]

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, FileExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use rustix::fs::OFlags;
use shared::problem::{Code, Problem};

use crate::streams::Typed;

/// Who may read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Only the account that runs the program.
    Private,
    /// Anybody on this machine.
    Public,
}

impl Mode {
    const fn bits(self) -> u32 {
        match self {
            Self::Private => 0o600,
            Self::Public => 0o644,
        }
    }
}

/// The problem of a failed file operation.
pub fn failed(path: &Path, e: &io::Error) -> Problem {
    let code = match e.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Code::DiskFull,
        _ => Code::IoFailed,
    };
    Problem::new(code, format!("{}: {}", path.display(), e.kind()))
}

/// Writes a file whole, in the four steps, over an older one of that name.
pub fn write(path: &Path, bytes: &[u8], mode: Mode) -> Result<(), Problem> {
    let temporary = beside(path, ".new");
    // a crash up to the rename leaves the old file, and a temporary one that the next write replaces
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(mode.bits()).open(&temporary);
    let file = file.as_mut().map_err(|e| failed(&temporary, e))?;
    file.write_all(bytes).map_err(|e| failed(&temporary, &e))?;
    file.sync_all().map_err(|e| failed(&temporary, &e))?;
    fs::rename(&temporary, path).map_err(|e| failed(path, &e))?;
    // a crash before the folder is durable leaves the old file or the new one, both whole
    sync_folder(path)
}

/// Writes a new file; `None` when one of that name is there already.
pub fn create(path: &Path, bytes: &[u8], mode: Mode) -> Result<Option<()>, Problem> {
    // a name of this process alone: another one that creates the same file must not write into the one linked here
    let temporary = beside(path, &format!(".{}.new", std::process::id()));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(mode.bits()).open(&temporary);
    let file = file.as_mut().map_err(|e| failed(&temporary, e))?;
    file.write_all(bytes).map_err(|e| failed(&temporary, &e))?;
    file.sync_all().map_err(|e| failed(&temporary, &e))?;
    // link fails when the name is taken: two that start at once do not overwrite each other
    let linked = fs::hard_link(&temporary, path);
    fs::remove_file(&temporary).map_err(|e| failed(&temporary, &e))?;
    match linked {
        Ok(()) => sync_folder(path).map(Some),
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(None),
        Err(e) => Err(failed(path, &e)),
    }
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

/// Makes the name of a file durable.
pub fn sync_folder(of: &Path) -> Result<(), Problem> {
    sync_above(of).map_err(|e| failed(above(of), &e))
}

fn sync_above(path: &Path) -> io::Result<()> {
    File::open(above(path)).and_then(|f| f.sync_all())
}

fn above(path: &Path) -> &Path {
    path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Makes a folder that only this account may enter, and those above it.
pub fn folder(path: &Path) -> Result<(), Problem> {
    if path.is_dir() {
        // whoever made it may have died before its name was durable; who may not look into the one above has made none in it
        return match sync_above(path) {
            Err(e) if e.kind() != io::ErrorKind::PermissionDenied => Err(failed(above(path), &e)),
            _ => Ok(()),
        };
    }
    // each name in its own parent: a power cut must not take the folders above with everything in them
    folder(above(path))?;
    match fs::DirBuilder::new().mode(0o700).create(path) {
        // another process was quicker
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => {}
        made => made.map_err(|e| failed(path, &e))?,
    }
    // goes again when the disk fails, so that the next try gives the name anew: a second sync would say nothing about it
    sync_folder(path).inspect_err(|_| {
        let _ = fs::remove_dir(path);
    })
}

/// Reads a file of at most `limit` bytes; `None` when there is none.
pub fn read(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, Problem> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(failed(path, &e)),
    };
    bounded(file, limit, path).map(Some)
}

/// Reads what a person named on the command line; `-` is standard input.
pub fn read_given(path: &Path, limit: u64) -> Result<Vec<u8>, Problem> {
    if path == Path::new("-") {
        return bounded(Typed, limit, path);
    }
    let unreadable = |e: io::Error| Problem::new(Code::InputUnreadable, format!("{}: {}", path.display(), e.kind()));
    bounded(File::open(path).map_err(unreadable)?, limit, path)
}

/// Reads a plain file that lies in a folder which a person named. Nobody looked at the folder: a link in it would lead to any
/// other file, and a pipe would never end.
pub fn read_found(path: &Path, limit: u64) -> Result<Vec<u8>, Problem> {
    plain(path, OFlags::NOFOLLOW).and_then(|(file, _)| bounded(file, limit, path))
}

/// Opens a plain file and says how long it is, without waiting for somebody at the other end of a pipe.
fn plain(path: &Path, flags: OFlags) -> Result<(File, u64), Problem> {
    let unreadable = |why: &str| Problem::new(Code::InputUnreadable, format!("{}: {why}", path.display()));
    let kind = |e: io::Error| unreadable(&e.kind().to_string());
    let flags = i32::try_from((flags | OFlags::NONBLOCK).bits()).expect("flags of open(2) are those of an int");
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path).map_err(kind)?;
    let found = file.metadata().map_err(kind)?;
    if found.is_file() { Ok((file, found.len())) } else { Err(unreadable("not a plain file")) }
}

/// A large file that a person named, read here and there, so that it is never in memory as a whole.
#[derive(Debug)]
pub struct Given {
    file: File,
    path: PathBuf,
}

impl Given {
    /// Opens a plain file of at most `limit` bytes.
    pub fn open(path: &Path, limit: u64) -> Result<Self, Problem> {
        let (file, len) = plain(path, OFlags::empty())?;
        if len > limit {
            return Err(Problem::new(Code::InputUnreadable, format!("{}: more than {limit} bytes", path.display())));
        }
        Ok(Self { file, path: path.to_owned() })
    }
    /// Reads so many bytes from an offset on.
    pub fn read_at(&self, offset: u64, size: usize) -> Result<Vec<u8>, Problem> {
        let mut bytes = vec![0; size];
        self.file.read_exact_at(&mut bytes, offset).map_err(|e| failed(&self.path, &e))?;
        Ok(bytes)
    }
}

impl io::Read for Given {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read(buffer)
    }
}

impl io::Seek for Given {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

fn bounded(source: impl io::Read, limit: u64, path: &Path) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    source.take(limit + 1).read_to_end(&mut bytes).map_err(|e| failed(path, &e))?;
    if bytes.len() as u64 > limit {
        return Err(Problem::new(Code::InputUnreadable, format!("{}: more than {limit} bytes", path.display())));
    }
    Ok(bytes)
}

/// A file of whom anybody but its owner could read a byte.
pub fn is_open_to_others(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|m| m.permissions().mode() & 0o077 != 0)
}

/// Whether something of that name is there.
pub fn is_there(path: &Path) -> bool {
    path.exists()
}

/// Whether it is a folder.
pub fn is_folder(path: &Path) -> bool {
    path.is_dir()
}

/// Names in a folder, sorted.
pub fn list(path: &Path) -> Result<Vec<PathBuf>, Problem> {
    let entries = fs::read_dir(path).map_err(|e| failed(path, &e))?;
    let mut names = entries.map(|e| e.map(|e| e.path())).collect::<Result<Vec<_>, _>>().map_err(|e| failed(path, &e))?;
    names.sort();
    Ok(names)
}

/// Removes a file or a folder with all that is in it, durably.
pub fn remove(path: &Path) -> Result<(), Problem> {
    let gone = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match gone {
        Ok(()) => sync_folder(path),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(e) => Err(failed(path, &e)),
    }
}

/// Free bytes for this account on the disk that holds `path`.
pub fn free_space(path: &Path) -> Result<u64, Problem> {
    let stat = rustix::fs::statvfs(path).map_err(|e| failed(path, &e.into()))?;
    Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
}

/// Whether `path` lies on a disk that keeps its content when the power goes (not tmpfs or ramfs).
pub fn is_persistent(path: &Path) -> bool {
    const TMPFS: u64 = 0x0102_1994;
    const RAMFS: u64 = 0x8584_58f6;
    rustix::fs::statfs(path).is_ok_and(|s| !matches!(u64::try_from(s.f_type), Ok(TMPFS | RAMFS)))
}

/// Device number (major, minor) of the disk that holds `path`.
pub fn device(path: &Path) -> Option<(u32, u32)> {
    let stat = rustix::fs::stat(path).ok()?;
    Some((rustix::fs::major(stat.st_dev), rustix::fs::minor(stat.st_dev)))
}

/// An exclusive lock on a file, held as long as this value lives; the kernel frees it when the process dies.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "held open for its lock")] File);

impl Lock {
    /// Takes the lock, or says [`Code::LockedElsewhere`] when another process has it.
    pub fn take(path: &Path) -> Result<Self, Problem> {
        let file = lock_file(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(Problem::new(Code::LockedElsewhere, path.display().to_string())),
            Err(TryLockError::Error(e)) => Err(failed(path, &e)),
        }
    }
    /// Waits until the lock is free. Only for locks that are held for moments.
    pub fn wait(path: &Path) -> Result<Self, Problem> {
        let file = lock_file(path)?;
        file.lock().map_err(|e| failed(path, &e))?;
        Ok(Self(file))
    }
}

fn lock_file(path: &Path) -> Result<File, Problem> {
    let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path);
    opened.map_err(|e| failed(path, &e))
}

/// A file of fixed slots that are overwritten in place.
#[derive(Debug)]
pub struct InPlace {
    file: File,
    path: PathBuf,
}

impl InPlace {
    /// Opens it, or makes an empty one. For one process at a time, as a lock elsewhere sees to.
    pub fn open(path: &Path) -> Result<Self, Problem> {
        // Empty: made by a process that ended before its name was durable, or could not make it so. Nothing rests on it, so
        // it is made anew: a second sync would say nothing about the name. One that can't be looked at may hold everything.
        let empty = match fs::metadata(path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => true,
            found => found.map_err(|e| failed(path, &e))?.len() == 0,
        };
        if empty {
            write(path, b"", Mode::Private)?;
        }
        Ok(Self { file: lock_file(path)?, path: path.to_owned() })
    }
    /// Its length in bytes.
    pub fn len(&self) -> Result<u64, Problem> {
        Ok(self.file.metadata().map_err(|e| failed(&self.path, &e))?.len())
    }
    /// Whether it holds nothing.
    pub fn is_empty(&self) -> Result<bool, Problem> {
        Ok(self.len()? == 0)
    }
    /// Reads exactly as many bytes as `into` takes.
    pub fn read_at(&self, offset: u64, into: &mut [u8]) -> Result<(), Problem> {
        self.file.read_exact_at(into, offset).map_err(|e| failed(&self.path, &e))
    }
    /// Overwrites each place, then makes all of it durable at once before it returns.
    pub fn write_at<'a>(&self, pieces: impl IntoIterator<Item = (u64, &'a [u8])>) -> Result<(), Problem> {
        let mut any = false;
        for (offset, bytes) in pieces {
            self.file.write_all_at(bytes, offset).map_err(|e| failed(&self.path, &e))?;
            any = true;
        }
        if any { self.file.sync_data().map_err(|e| failed(&self.path, &e)) } else { Ok(()) }
    }
}

/// Keeps `bytes` of real, allocated space in a file, to be given back when the disk is full.
pub fn reserve(path: &Path, bytes: u64) -> Result<(), Problem> {
    if fs::metadata(path).is_ok_and(|m| m.len() == bytes) {
        return Ok(());
    }
    let file = lock_file(path)?;
    let flags = rustix::fs::FallocateFlags::empty();
    rustix::fs::fallocate(&file, flags, 0, bytes).map_err(|e| failed(path, &e.into()))?;
    file.sync_all().map_err(|e| failed(path, &e))?;
    sync_folder(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_that_cannot_be_looked_at_are_not_made_anew() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("keys");
        std::os::unix::fs::symlink(&path, &path).expect("a link to itself");
        assert!(InPlace::open(&path).is_err());
        assert!(path.is_symlink(), "nothing took its place");
        fs::remove_file(&path).expect("removed");
        InPlace::open(&path).and_then(|file| file.write_at([(0, &b"a slot"[..])])).expect("made");
        assert_eq!(InPlace::open(&path).and_then(|file| file.len()), Ok(6), "one with slots stays");
    }

    #[test]
    fn created_once_and_replaced_whole() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("x");
        assert_eq!(read(&path, 10), Ok(None));
        assert_eq!(create(&path, b"one", Mode::Private), Ok(Some(())));
        assert_eq!(create(&path, b"two", Mode::Private), Ok(None));
        assert_eq!(read(&path, 10), Ok(Some(b"one".to_vec())));
        assert!(!is_open_to_others(&path));
        write(&path, b"three", Mode::Public).expect("written");
        assert_eq!(read(&path, 10), Ok(Some(b"three".to_vec())));
        assert_eq!(read(&path, 4).map_err(|p| p.code), Err(Code::InputUnreadable));
        assert_eq!(list(folder.path()).map(|l| l.len()), Ok(1), "no temporary file stays");
        remove(&path).expect("removed");
        remove(&path).expect("removing twice is the same");
    }

    #[test]
    fn a_second_lock_is_told_so() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("lock");
        let first = Lock::take(&path).expect("free");
        assert_eq!(Lock::take(&path).map(|_| ()).map_err(|p| p.code), Err(Code::LockedElsewhere));
        drop(first);
        assert!(Lock::take(&path).is_ok());
    }
}
