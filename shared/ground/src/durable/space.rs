//! The disk below: how much room it has, which one it is, whether it forgets.
#![allow(clippy::disallowed_methods, reason = "this file looks at disks")]

use std::{fs, path::Path};

use super::{Failed, Folder, Result, lock};

/// Free bytes for this account on the disk that holds `path`.
pub fn free_space(path: &Path) -> Result<u64> {
    let stat = rustix::fs::statvfs(path).map_err(|e| Failed::at(path)(e.into()))?;
    Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
}

/// Whether the disk that holds `path` can only be read just now: nobody writes to it then.
pub fn is_read_only(path: &Path) -> bool {
    rustix::fs::statvfs(path).is_ok_and(|stat| stat.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY))
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

/// Keeps `bytes` of real, allocated space in a file, to be given back when the disk is full.
pub fn reserve(path: &Path, bytes: u64) -> Result<()> {
    if fs::metadata(path).is_ok_and(|m| m.len() == bytes) {
        return Ok(());
    }
    let folder = Folder::above(path)?;
    let file = lock::open(path)?;
    let flags = rustix::fs::FallocateFlags::empty();
    rustix::fs::fallocate(&file, flags, 0, bytes).map_err(|e| Failed::at(path)(e.into()))?;
    file.sync_all().map_err(Failed::at(path))?;
    folder.sync()
}
