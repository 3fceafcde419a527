//! A file that gets its name only when all of it is durable.
#![allow(clippy::disallowed_methods, reason = "this file owns unfinished files")]

use std::{
    ffi::OsStr,
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use rustix::fs::{CWD, RenameFlags, renameat, renameat_with};
use shared::text::hex;

use super::{Failed, Folder, Result, inode};
use crate::entropy;

/// What stands first in the name of every file that is not finished yet; random letters follow.
pub const TEMPORARY: &str = ".tmp-";

/// What [`super::create`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Created {
    /// The file is new.
    New,
    /// A file of that name was there already and was left as it is.
    There,
}

/// A file that gets its name only when all of it is durable. Dropped before that, it is gone.
pub struct Temporary {
    path: PathBuf,
    file: File,
}

impl Temporary {
    /// An empty file in `folder`, which is on the volume where it will get its name.
    pub fn new(folder: &Path) -> Result<Self> {
        loop {
            let path = Self::place(folder)?;
            let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).map_err(Failed::at(&path))?;
            let this = Self { path, file };
            // `sweep`, perhaps of another process, leaves it alone from here on; it may have been quicker
            this.file.lock().map_err(this.failed())?;
            if this.path.try_exists().map_err(this.failed())? {
                return Ok(this);
            }
        }
    }

    /// A second name in `folder` for a durable file that is open as `handle`. `None`: not on the same volume, or not where
    /// links are possible, or its name has gone to another file.
    pub fn link(folder: &Path, name: &Path, handle: &File) -> Result<Option<Self>> {
        use io::ErrorKind::{CrossesDevices, NotFound, PermissionDenied, TooManyLinks, Unsupported};
        let path = Self::place(folder)?;
        match fs::hard_link(name, &path) {
            Ok(()) => {}
            Err(e) if matches!(e.kind(), CrossesDevices | NotFound | PermissionDenied | TooManyLinks | Unsupported) => return Ok(None),
            Err(e) => return Err(Failed::at(&path)(e)),
        }
        let this = Self { file: handle.try_clone().map_err(Failed::at(name))?, path };
        // A name can go to another file at any time, a handle cannot.
        let named = this.path.symlink_metadata().map_err(this.failed())?;
        Ok((inode(&named) == inode(&this.file.metadata().map_err(this.failed())?)).then_some(this))
    }

    fn place(folder: &Path) -> Result<PathBuf> {
        let random = entropy::bytes::<8>().map_err(|p| Failed::at(folder)(io::Error::other(p)))?;
        Ok(folder.join(format!("{TEMPORARY}{}", hex(&random))))
    }

    fn failed(&self) -> impl FnOnce(io::Error) -> Failed {
        Failed::at(&self.path)
    }

    /// Adds bytes at the end.
    pub fn append(&self, bytes: &[u8]) -> Result<()> {
        (&self.file).write_all(bytes).map_err(self.failed())
    }

    /// Gives the file its name, also when it is taken; durable when it returns. For names that tell what is in a file: one that
    /// is there has the same bytes, but whoever gave the name may have died before it was durable, or the disk failed then,
    /// and a second sync of the folder would say nothing about it.
    pub fn replace(self, path: &Path) -> Result<()> {
        let name = name_of(path)?;
        self.file.sync_all().map_err(self.failed())?;
        let folder = Folder::above(path)?;
        self.rename(&folder, name, path)?;
        folder.sync()
    }

    /// The rename of [`Self::replace`]: within the folder that was opened, wherever that has been moved since.
    pub(super) fn rename(&self, folder: &Folder, name: &OsStr, path: &Path) -> Result<()> {
        // A crash before this leaves a `.tmp-` that nobody reads; after it the whole file under its name.
        renameat(CWD, &self.path, folder, name).map_err(|e| Failed::at(path)(e.into()))
    }

    /// Makes the file durable and gives it its name, unless the name is taken; durable when it returns.
    pub fn create(self, path: &Path) -> Result<Created> {
        self.file.sync_all().map_err(self.failed())?;
        self.name(path)
    }

    /// Gives a file that is durable its name, unless the name is taken; durable when it returns.
    pub fn name(self, path: &Path) -> Result<Created> {
        let (name, folder) = (name_of(path)?, Folder::above(path)?);
        // A crash before this leaves a `.tmp-` that nobody reads; after it the whole file under its name.
        match renameat_with(CWD, &self.path, &folder, name, RenameFlags::NOREPLACE) {
            Ok(()) => folder.sync().map(|()| Created::New),
            // Whoever made it may have crashed before its folder was durable.
            Err(rustix::io::Errno::EXIST) => folder.sync().map(|()| Created::There),
            Err(e) => Err(Failed::at(path)(e.into())),
        }
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // After a rename there is nothing under this name. A leftover is harmless: nobody reads `.tmp-`.
        let _ = fs::remove_file(&self.path);
    }
}

fn name_of(path: &Path) -> Result<&OsStr> {
    path.file_name().ok_or_else(|| Failed::at(path)(io::ErrorKind::InvalidFilename.into()))
}
