//! Files that a person names, and files in a folder that a person names.
//!
//! **Trust:** none: a path may lead to a pipe, a device that never ends, a folder, or to a secret by a link.
//! **Invariants:** never more is read than the thing may have; nothing waits for the other end of a pipe that was found.
#![allow(clippy::disallowed_methods, reason = "this file reads what a person names")]

use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _},
    os::unix::fs::{FileExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use rustix::fs::OFlags;
use shared::problem::{Code, Problem};

use super::failed;
use crate::streams::Typed;

/// Reads what a person named on the command line; `-` is standard input.
pub fn read_given(path: &Path, limit: u64) -> Result<Vec<u8>, Problem> {
    let read = if path == Path::new("-") { bounded(Typed, limit) } else { File::open(path).and_then(|f| bounded(f, limit)) };
    read.map_err(|e| unreadable(path, &e, limit))
}

/// Reads a plain file that lies in a folder which a person named. Nobody looked at the folder: a link in it would lead to any
/// other file, and a pipe would never end.
pub fn read_found(path: &Path, limit: u64) -> Result<Vec<u8>, Problem> {
    plain(path, OFlags::NOFOLLOW).and_then(|(file, _)| bounded(file, limit).map_err(|e| unreadable(path, &e, limit)))
}

fn unreadable(path: &Path, e: &io::Error, limit: u64) -> Problem {
    let why = if e.kind() == io::ErrorKind::FileTooLarge { format!("more than {limit} bytes") } else { e.kind().to_string() };
    Problem::new(Code::InputUnreadable, format!("{}: {why}", path.display()))
}

/// Reads to the end, which comes after `limit` bytes at the latest.
pub(super) fn bounded(source: impl io::Read, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(bytes) }
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
    len: u64,
}

impl Given {
    /// Opens a plain file of at most `limit` bytes.
    pub fn open(path: &Path, limit: u64) -> Result<Self, Problem> {
        let (file, len) = plain(path, OFlags::empty())?;
        if len > limit {
            return Err(unreadable(path, &io::ErrorKind::FileTooLarge.into(), limit));
        }
        Ok(Self { file, path: path.to_owned(), len })
    }
    /// Its length in bytes, when it was opened.
    pub fn len(&self) -> u64 {
        self.len
    }
    /// Whether it held nothing.
    pub fn is_empty(&self) -> bool {
        self.len == 0
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
