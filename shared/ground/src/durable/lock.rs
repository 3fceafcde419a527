//! Locks: files that stand for a right.
#![allow(clippy::disallowed_methods, reason = "this file owns locks")]

use std::{
    fs::{File, OpenOptions, TryLockError},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use shared::problem::{Code, Problem};

use super::{Failed, Result, tighten};

/// A file that stands for a right: whoever holds its lock may act. The kernel frees it when its holder dies.
#[derive(Debug)]
pub struct Lock(pub(super) File);

impl Lock {
    /// Waits until the lock is free. Only for locks that are held for moments.
    pub fn wait(path: &Path) -> Result<Self> {
        let file = open(path)?;
        file.lock().map_err(Failed::at(path))?;
        Ok(Self(file))
    }

    /// Takes the lock if it is free.
    pub fn try_take(path: &Path) -> Result<Option<Self>> {
        let file = open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(e)) => Err(Failed::at(path)(e)),
        }
    }

    /// Takes the lock, or says [`Code::LockedElsewhere`] when another process has it.
    pub fn take(path: &Path) -> std::result::Result<Self, Problem> {
        Self::try_take(path)?.ok_or_else(|| Problem::new(Code::LockedElsewhere, path.display().to_string()))
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing is not enough: a child that is being started has copies of all handles until it is another program.
        let _ = self.0.unlock();
    }
}

/// Opens a file that is changed in place, or makes an empty one.
pub(super) fn open(path: &Path) -> Result<File> {
    let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path);
    let file = opened.map_err(Failed::at(path))?;
    tighten(path).map(|()| file)
}
