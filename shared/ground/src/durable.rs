//! Files that are there after a power cut, or not there at all.
//!
//! 1. Write under a temporary name. 2. Sync the file. 3. Open its folder. 4. Rename within that folder. 5. Sync the folder.
//!
//! The folder is opened before the rename: after the rename nothing may fail but the sync that makes it durable.
//! **Invariants:** a sync that failed is never tried again on the same file, because the kernel may have dropped the pages
//! that it could not write. A name that is there already may not be durable: it is given anew ([`write`],
//! [`Temporary::replace`]). Files are 0600 and folders 0700, also when they were there before with other modes. A folder
//! that a person named keeps its mode. Errors name a place and a kind of failure, never what was read.
#![allow(clippy::disallowed_methods, reason = "this file owns files")]

mod folder;
mod given;
mod holder;
mod lock;
mod slots;
mod space;
mod temporary;

use std::{
    fmt,
    fs::{self, File, Metadata, OpenOptions, TryLockError},
    io,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use shared::problem::{Code, Problem};

pub use self::{
    folder::{Folder, Lies, folder, folder_given, folder_in, found, list, names, sweep},
    given::{Given, read_found, read_given},
    holder::wal_writer,
    lock::Lock,
    slots::InPlace,
    space::{device, free_space, is_persistent, is_read_only, reserve},
    temporary::{Created, TEMPORARY, Temporary},
};

/// What the operating system refused, and where as far as that is known.
#[derive(Debug)]
pub struct Failed {
    path: Option<PathBuf>,
    error: io::Error,
}

/// What an act on files gives.
pub type Result<T> = std::result::Result<T, Failed>;

impl Failed {
    /// An error of something at `path`.
    pub fn at(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        move |error| Self { path: Some(path.to_owned()), error }
    }
    /// What kind of failure it is.
    pub fn kind(&self) -> io::ErrorKind {
        self.error.kind()
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(path) = &self.path {
            write!(f, "{}: ", path.display())?;
        }
        write!(f, "{}", self.error.kind())
    }
}
impl std::error::Error for Failed {}

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Self {
        Self { path: None, error }
    }
}
impl From<Failed> for io::Error {
    fn from(failed: Failed) -> Self {
        failed.error
    }
}
impl From<Failed> for Problem {
    fn from(failed: Failed) -> Self {
        Self::new(code(&failed.error), failed.to_string())
    }
}

/// An error of the operating system as a problem with its path, for who works at this machine.
pub fn failed(path: &Path, e: &io::Error) -> Problem {
    Problem::new(code(e), format!("{}: {}", path.display(), e.kind()))
}

/// An error of the operating system as a problem for who may be far away: `what` names a place, no path and no person.
pub fn problem(what: &str) -> impl FnOnce(Failed) -> Problem + '_ {
    move |Failed { error, .. }| Problem::new(code(&error), format!("{what}: {error}"))
}

fn code(e: &io::Error) -> Code {
    match e.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Code::DiskFull,
        io::ErrorKind::ReadOnlyFilesystem => Code::DiskReadOnly,
        io::ErrorKind::FileTooLarge => Code::InputUnreadable,
        _ => Code::IoFailed,
    }
}

/// Replaces the file at `path` by `bytes`, all or nothing; durable when it returns.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    write_from(above(path), path, bytes)
}

/// Like [`write`], with the unfinished file in `folder`: where much is written, leftovers lie in one place.
pub fn write_from(folder: &Path, path: &Path, bytes: &[u8]) -> Result<()> {
    let temporary = Temporary::new(folder)?;
    temporary.append(bytes)?;
    temporary.replace(path)
}

/// Makes the file at `path`, all or nothing, unless there is one; durable when it returns.
pub fn create(path: &Path, bytes: &[u8]) -> Result<Created> {
    let temporary = Temporary::new(above(path))?;
    temporary.append(bytes)?;
    temporary.create(path)
}

/// Reads a whole file of ours; `None` when there is none.
pub fn read(path: &Path) -> Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(Failed::at(path)(e)),
    }
}

/// Reads a file of at most `limit` bytes; `None` when there is none.
pub fn read_at_most(path: &Path, limit: u64) -> Result<Option<Vec<u8>>> {
    match File::open(path) {
        Ok(file) => given::bounded(file, limit).map(Some).map_err(Failed::at(path)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(Failed::at(path)(e)),
    }
}

/// Whether something of that name is there.
pub fn is_there(path: &Path) -> bool {
    path.exists()
}

/// Whether a file is there and holds a byte.
pub fn holds_something(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|m| m.len() > 0)
}

/// How long a file is that was found; nothing of a link or of what is not there.
pub fn length(path: &Path) -> Option<u64> {
    fs::symlink_metadata(path).ok().filter(Metadata::is_file).map(|m| m.len())
}

/// Where a path leads to, links followed; itself where that cannot be told.
pub fn real(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

/// Whether it is a link itself, wherever it leads.
pub fn is_link(path: &Path) -> bool {
    path.is_symlink()
}

/// Whether it is a folder.
pub fn is_folder(path: &Path) -> bool {
    path.is_dir()
}

/// A file of which somebody else than its owner could read a byte.
pub fn is_open_to_others(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|m| m.permissions().mode() & OTHERS != 0)
}

/// Moves a file within its volume, if it is there; durable when it returns. Was it there?
pub fn rename(from: &Path, to: &Path) -> Result<bool> {
    let folder = Folder::above(to)?;
    match fs::rename(from, to) {
        Ok(()) => folder.sync().map(|()| true),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(e) => Err(Failed::at(to)(e)),
    }
}

/// Removes a file, or a folder with all that is in it, if it is there; durable when it returns.
pub fn remove(path: &Path) -> Result<()> {
    let folder = match Folder::above(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        folder => folder?,
    };
    let is_folder = fs::symlink_metadata(path).is_ok_and(|m| m.is_dir());
    let gone = if is_folder { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match gone {
        Ok(()) => folder.sync(),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(e) => Err(Failed::at(path)(e)),
    }
}

/// Removes a file if it is there. What a power cut brings back must be harmless.
pub fn discard(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(Failed::at(path)(e)),
        _ => Ok(()),
    }
}

/// Makes the name of a file or folder durable.
pub fn sync_name(of: &Path) -> Result<()> {
    Folder::above(of)?.sync()
}

/// Two acts that do not need each other, at the same time: a disk makes two syncs durable as fast as one.
pub fn both(one: impl FnOnce() -> io::Result<()> + Send, other: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
    std::thread::scope(|scope| {
        let one = std::thread::Builder::new().spawn_scoped(scope, one)?;
        let other = other();
        one.join().unwrap_or_else(|_| Err(io::Error::other("a thread broke off"))).and(other)
    })
}

/// Opens a file and locks it, until the handle is dropped, and says what it was then. `None`: another handle has the lock,
/// or the name has just gone to another file or to none.
pub fn take(path: &Path, options: &OpenOptions) -> Result<Option<(File, Metadata)>> {
    let at = || Failed::at(path);
    let file = options.open(path).map_err(at())?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(None),
        Err(TryLockError::Error(e)) => return Err(at()(e)),
    }
    // Looked at before the name is: so this name is among those that were counted.
    let opened = file.metadata().map_err(at())?;
    match fs::symlink_metadata(path) {
        Ok(named) => Ok((inode(&named) == inode(&opened)).then_some((file, opened))),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(at()(e)),
    }
}

/// Which file it is, whatever its names.
fn inode(meta: &Metadata) -> (u64, u64) {
    (meta.dev(), meta.ino())
}

/// The bits of a mode that let anybody in but the owner.
const OTHERS: u32 = 0o077;

/// Closes a file or folder of ours to others, if it is there and open to them. Never opens it: to close a handle of a
/// database would free the locks that this process has on it.
pub fn tighten(path: &Path) -> Result<()> {
    let mode = match fs::metadata(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        meta => meta.map_err(Failed::at(path))?.permissions().mode() & 0o7777,
    };
    if mode & OTHERS == 0 {
        return Ok(());
    }
    match fs::set_permissions(path, fs::Permissions::from_mode(mode & 0o700)) {
        // another account's, as the root of a volume may be: its owner chose its mode
        Err(e) if matches!(e.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem) => Ok(()),
        set => set.map_err(Failed::at(path)),
    }
}

fn above(path: &Path) -> &Path {
    path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests;
