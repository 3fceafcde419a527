//! Locks: files that stand for a right. Nobody waits for one without a bound.
#![allow(clippy::disallowed_methods, reason = "this file owns locks")]

use std::{
    fs::{File, OpenOptions, TryLockError},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
    thread,
    time::Duration,
};

use shared::problem::{Code, Problem};

use super::{Failed, Result, holder, problem, tighten};

/// How long a process waits for a lock that others hold for moments: one that is stopped never lets go.
const PATIENCE: Duration = Duration::from_secs(20);
/// Longest pause between two looks.
const LOOK: Duration = Duration::from_millis(16);

/// A file that stands for a right: whoever holds its lock may act. The kernel frees it when its holder dies.
#[derive(Debug)]
pub struct Lock(pub(super) File);

impl Lock {
    /// Waits until the lock is free, in bounds; [`Code::LockedElsewhere`] says who has it. Only for locks that are held for moments.
    pub fn wait(path: &Path) -> std::result::Result<Self, Problem> {
        Self::wait_for(path, PATIENCE).map_err(problem("lock"))?.ok_or_else(|| elsewhere(path))
    }

    fn wait_for(path: &Path, patience: Duration) -> Result<Option<Self>> {
        let file = open(path)?;
        let (mut pause, mut waited) = (Duration::from_micros(250), Duration::ZERO);
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Some(Self(file))),
                Err(TryLockError::WouldBlock) if waited < patience => thread::sleep(pause),
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(e)) => return Err(Failed::at(path)(e)),
            }
            waited += pause;
            pause = (pause * 2).min(LOOK);
        }
    }

    /// Takes the lock if it is free.
    pub fn try_take(path: &Path) -> Result<Option<Self>> {
        Self::wait_for(path, Duration::ZERO)
    }

    /// Takes the lock, or says [`Code::LockedElsewhere`] and who has it.
    pub fn take(path: &Path) -> std::result::Result<Self, Problem> {
        Self::try_take(path)?.ok_or_else(|| elsewhere(path))
    }
}

fn elsewhere(path: &Path) -> Problem {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let detail = holder::of(path).map_or_else(|| name.clone(), |holder| format!("{name} is held by {holder}"));
    Problem::new(Code::LockedElsewhere, detail)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_wait_is_without_a_bound() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("lock");
        let held = Lock::take(&path).expect("free");
        assert!(Lock::wait_for(&path, Duration::from_millis(30)).expect("looked").is_none());
        let told = Lock::take(&path).map(drop).expect_err("held");
        assert!(told.code == Code::LockedElsewhere && told.detail.contains("held by process"), "{told}");
        drop(held);
        assert!(Lock::wait(&path).is_ok());
    }
}
