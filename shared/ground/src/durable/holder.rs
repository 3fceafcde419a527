//! Who holds a lock, as the kernel tells it: nothing is written for it, so nothing can be stale.
#![allow(clippy::disallowed_methods, reason = "this file looks at locks and processes")]

use std::{
    fs::{self, File},
    io::Read as _,
    os::unix::fs::MetadataExt as _,
    path::Path,
};

use shared::time::Second;

/// Most bytes that are read of a file of the kernel.
const MOST: u64 = 4 << 20;

/// Which kind of lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Of a whole file.
    Whole,
    /// For writing, of the byte by which SQLite's writers take turns (WAL file format, section 2.3.1: `WAL_WRITE_LOCK`).
    WalWriter,
}

/// The byte of SQLite's shared memory that its writer locks.
const WAL_WRITER: u64 = 120;

/// The process that holds a lock on this file, in words; none where the kernel does not say.
pub(super) fn of(path: &Path) -> Option<String> {
    told(path, Way::Whole)
}

/// The process that writes to the database with this shared memory (`-shm`), in words.
pub fn wal_writer(shared_memory: &Path) -> Option<String> {
    told(shared_memory, Way::WalWriter)
}

fn told(path: &Path, way: Way) -> Option<String> {
    let meta = fs::metadata(path).ok()?;
    let (major, minor) = (rustix::fs::major(meta.dev()), rustix::fs::minor(meta.dev()));
    let process = holder(&read("/proc/locks")?, way, (major, minor, meta.ino()))?;
    let name = read(&format!("/proc/{process}/comm")).unwrap_or_default();
    let Some((since, stopped)) = read(&format!("/proc/{process}/stat")).as_deref().and_then(life) else {
        return Some(format!("process {process}"));
    };
    let stopped = if stopped { ", and is stopped" } else { "" };
    Some(format!("process {process} ({}), which runs since {since}{stopped}", name.trim()))
}

fn read(path: &str) -> Option<String> {
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(MOST).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// The process in `1: FLOCK ADVISORY WRITE 1234 fd:01:131 0 EOF`; who waits has `->` after the number.
fn holder(locks: &str, way: Way, (major, minor, inode): (u32, u32, u64)) -> Option<u32> {
    let file = format!("{major:02x}:{minor:02x}:{inode}");
    locks.lines().find_map(|line| {
        let mut words = line.split_whitespace().skip(1);
        let (kind, _, mode, process, of) = (words.next()?, words.next()?, words.next()?, words.next()?, words.next()?);
        let (start, end) = (words.next()?.parse::<u64>().ok()?, words.next()?);
        let covers = start <= WAL_WRITER && end.parse::<u64>().map_or(end == "EOF", |end| end >= WAL_WRITER);
        let process = process.parse().ok().filter(|&process| process != 0);
        let fits = match way {
            Way::Whole => kind == "FLOCK",
            Way::WalWriter => kind == "POSIX" && mode == "WRITE" && covers,
        };
        process.filter(|_| fits && of == file)
    })
}

/// Since when a process runs, and whether somebody has stopped it, from `/proc/PID/stat`.
fn life(stat: &str) -> Option<(Second, bool)> {
    // the name is in brackets and may hold anything
    let mut words = stat.rsplit_once(')')?.1.split_whitespace();
    let state = words.next()?;
    let ticks: u64 = words.nth(18)?.parse().ok()?;
    let boot = read("/proc/stat")?.lines().find_map(|line| line.strip_prefix("btime ")?.trim().parse::<i64>().ok())?;
    let since = boot.checked_add(i64::try_from(ticks / rustix::param::clock_ticks_per_second()).ok()?)?;
    Some((Second::from_unix(since), matches!(state, "T" | "t")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::durable::Lock;

    #[test]
    fn the_holder_is_named_as_long_as_it_holds() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("lock");
        let lock = Lock::try_take(&path).expect("taken").expect("free");
        let told = of(&path).expect("this kernel says");
        assert!(told.starts_with(&format!("process {} (", std::process::id())) && told.contains("which runs since 20"), "{told}");
        assert!(!told.contains("stopped"));
        drop(lock);
        assert_eq!(of(&path), None);
    }

    #[test]
    fn a_waiting_process_and_other_locks_are_not_taken_for_the_holder() {
        let locks = "1: POSIX  ADVISORY  WRITE 11 fd:01:131 0 EOF\n2: FLOCK  ADVISORY  WRITE 12 fd:01:131 0 EOF\n\
                     2: -> FLOCK  ADVISORY  WRITE 13 fd:01:131 0 EOF\n3: FLOCK  ADVISORY  WRITE 0 08:02:7 0 EOF\n";
        assert_eq!(holder(locks, Way::Whole, (0xfd, 1, 131)), Some(12));
        assert_eq!(holder(locks, Way::Whole, (0xfd, 1, 132)), None);
        assert_eq!(holder(locks, Way::Whole, (8, 2, 7)), None, "another name space's");
        assert_eq!(holder(locks, Way::WalWriter, (0xfd, 1, 131)), Some(11));
        let bytes = "1: POSIX  ADVISORY  READ  21 fd:01:9 120 120\n2: POSIX  ADVISORY  WRITE 22 fd:01:9 124 124\n3: POSIX  ADVISORY  WRITE 23 fd:01:9 120 120\n";
        assert_eq!(holder(bytes, Way::WalWriter, (0xfd, 1, 9)), Some(23), "readers and other bytes are not the writer");
        assert_eq!(life("77 (a) b) T 1 2 3"), None);
    }
}
