//! Folders: made durable in the one above, tightened, listed, swept.
#![allow(clippy::disallowed_methods, reason = "this file owns folders")]

use std::{
    ffi::{OsStr, OsString},
    fs::{self, File},
    io,
    os::{
        fd::{AsFd, BorrowedFd},
        unix::fs::DirBuilderExt as _,
    },
    path::{Path, PathBuf},
};

use super::{Failed, Result, TEMPORARY, above, discard, tighten};
use crate::sabotage;

/// A folder that is open: what is named in it from now on can be made durable, wherever it is moved.
#[derive(Debug)]
pub struct Folder {
    file: File,
    path: PathBuf,
}

impl Folder {
    /// Opens it. To be done before a name is given in it.
    pub fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(Failed::at(path))?;
        Ok(Self { file, path: path.to_owned() })
    }

    /// Opens the folder that a path lies in.
    pub fn above(path: &Path) -> Result<Self> {
        Self::open(above(path))
    }

    /// Makes durable which names it holds.
    pub fn sync(&self) -> Result<()> {
        if sabotage::on("no-folder-fsync") {
            return Ok(());
        }
        self.file.sync_all().map_err(Failed::at(&self.path))
    }
}

impl AsFd for Folder {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

/// Makes a folder of ours and those above it that are missing, each durable in the one above it. One that is there
/// already is closed to others.
pub fn folder(path: &Path) -> Result<()> {
    folder_given(path)?;
    tighten(path)
}

/// The same for a folder that a person named: one that is there keeps its mode.
pub fn folder_given(path: &Path) -> Result<()> {
    let Some(name) = path.file_name() else { return Ok(()) };
    let above = above(path);
    if !path.is_dir() {
        // each name in its own parent: a power cut must not take the folders above with everything in them
        folder_given(above)?;
        return folder_in(above, name);
    }
    // whoever made it may have died before its name was durable
    match Folder::open(above).and_then(|above| above.sync()) {
        // who may not look into the folder above has not just made one in it
        Err(e) if e.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        synced => synced,
    }
}

/// Makes a folder within one that is there, and makes its name durable: also one that is there already, because whoever
/// has just made it may not have come further, or may have died. When the disk fails then, an empty one is removed, so that
/// the next try gives the name anew: a second sync would say nothing about it. One that is not empty had a durable name
/// before something was put in it. Not for two threads at once.
pub fn folder_in(above: &Path, name: &OsStr) -> Result<()> {
    let path = above.join(name);
    let above = Folder::open(above)?;
    match fs::DirBuilder::new().mode(0o700).create(&path) {
        Err(e) if e.kind() != io::ErrorKind::AlreadyExists || !path.is_dir() => return Err(Failed::at(&path)(e)),
        _ => {}
    }
    above.sync().inspect_err(|_| {
        let _ = fs::remove_dir(&path);
    })
}

/// Everything in a folder, sorted.
pub fn list(path: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(path).and_then(|entries| entries.map(|e| e.map(|e| e.path())).collect::<io::Result<Vec<_>>>());
    let mut names = entries.map_err(Failed::at(path))?;
    names.sort();
    Ok(names)
}

/// What lies under a name, links not followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lies {
    /// A folder.
    Folder,
    /// A plain file.
    File,
    /// A link, wherever it leads.
    Link,
    /// A pipe, a socket, a device.
    Other,
}

/// Everything in a folder that a person named, sorted, with what it is.
pub fn found(path: &Path) -> Result<Vec<(OsString, Lies)>> {
    let lies = |kind: fs::FileType| match kind {
        _ if kind.is_symlink() => Lies::Link,
        _ if kind.is_dir() => Lies::Folder,
        _ if kind.is_file() => Lies::File,
        _ => Lies::Other,
    };
    let entry = |entry: io::Result<fs::DirEntry>| entry.and_then(|e| Ok((e.file_name(), lies(e.file_type()?))));
    let mut all = fs::read_dir(path).and_then(|entries| entries.map(entry).collect::<io::Result<Vec<_>>>()).map_err(Failed::at(path))?;
    all.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(all)
}

/// Names in a folder of ours, sorted, without those of unfinished files; none when there is no such folder.
pub fn names(path: &Path) -> Result<Vec<String>> {
    let entries = match list(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let names = entries.iter().filter_map(|entry| entry.file_name()?.to_str());
    Ok(names.filter(|name| !name.starts_with(TEMPORARY)).map(str::to_owned).collect())
}

/// Removes what a crash left unfinished in a folder. What some process is writing just now is left alone.
pub fn sweep(path: &Path) -> Result<()> {
    let entries = match list(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        if !entry.file_name().unwrap_or_default().to_string_lossy().starts_with(TEMPORARY) {
            continue;
        }
        match File::open(&entry) {
            // under its lock, so that nobody begins to write it meanwhile; by then it may have got its name
            Ok(file) if file.try_lock().is_ok() => discard(&entry)?,
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(Failed::at(&entry)(e)),
            _ => {}
        }
    }
    Ok(())
}
