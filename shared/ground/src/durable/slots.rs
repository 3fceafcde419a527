//! Files of fixed slots that are overwritten in place.
#![allow(clippy::disallowed_methods, reason = "this file owns files that change in place")]

use std::{
    fs::{self, File},
    io,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
};

use super::{Failed, Result, lock, write};

/// A file of fixed slots that are overwritten in place.
#[derive(Debug)]
pub struct InPlace {
    file: File,
    path: PathBuf,
}

impl InPlace {
    /// Opens it, or makes an empty one. For one process at a time, as a lock elsewhere sees to.
    pub fn open(path: &Path) -> Result<Self> {
        // Empty: made by a process that ended before its name was durable, or could not make it so. Nothing rests on it, so
        // it is made anew: a second sync would say nothing about the name. One that can't be looked at may hold everything.
        let empty = match fs::metadata(path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => true,
            found => found.map_err(Failed::at(path))?.len() == 0,
        };
        if empty {
            write(path, b"")?;
        }
        Ok(Self { file: lock::open(path)?, path: path.to_owned() })
    }
    /// Opens it to look at it, if it is there: nothing is made, and no lock is needed.
    pub fn reading(path: &Path) -> Result<Option<Self>> {
        match File::open(path) {
            Ok(file) => Ok(Some(Self { file, path: path.to_owned() })),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(Failed::at(path)(e)),
        }
    }
    /// Its length in bytes.
    pub fn len(&self) -> Result<u64> {
        Ok(self.file.metadata().map_err(Failed::at(&self.path))?.len())
    }
    /// Whether it holds nothing.
    pub fn is_empty(&self) -> Result<bool> {
        Ok(self.len()? == 0)
    }
    /// Reads exactly as many bytes as `into` takes.
    pub fn read_at(&self, offset: u64, into: &mut [u8]) -> Result<()> {
        self.file.read_exact_at(into, offset).map_err(Failed::at(&self.path))
    }
    /// Overwrites each place, then makes all of it durable at once before it returns.
    pub fn write_at<'a>(&self, pieces: impl IntoIterator<Item = (u64, &'a [u8])>) -> Result<()> {
        let mut any = false;
        for (offset, bytes) in pieces {
            self.file.write_all_at(bytes, offset).map_err(Failed::at(&self.path))?;
            any = true;
        }
        if any { self.file.sync_data().map_err(Failed::at(&self.path)) } else { Ok(()) }
    }
}
