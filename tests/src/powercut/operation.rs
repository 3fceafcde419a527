//! What a program does to a disk, one operation after the other, as a recording has it.
//!
//! ```text
//! create van-1/vault.db-wal      a name and an empty file
//! write van-1/vault.db-wal 0 32  bytes at an offset
//! sync van-1/vault.db-wal        data and size are durable
//! sync van-1                     the names in it are durable
//! said {"message_type":"finished",…}
//! ```
//! Paths are relative to the folder that was watched.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

/// One operation.
#[derive(Clone, PartialEq, Eq)]
pub enum Operation {
    /// A new, empty file; nothing when the name is taken.
    Create(PathBuf),
    /// A new folder; nothing when the name is taken.
    Folder(PathBuf),
    /// Bytes at an offset.
    Write {
        /// Where.
        path: PathBuf,
        /// From which byte on.
        at: u64,
        /// What.
        bytes: Arc<[u8]>,
    },
    /// Another size, in bytes.
    Resize {
        /// Which file.
        path: PathBuf,
        /// How many bytes.
        size: u64,
    },
    /// fsync or fdatasync, of a file or of a folder.
    Sync(PathBuf),
    /// Another name for a file, in place of whatever had that name.
    Rename {
        /// The name that goes.
        from: PathBuf,
        /// The name that comes.
        to: PathBuf,
    },
    /// One more name for a file.
    Link {
        /// The name that is there.
        from: PathBuf,
        /// The name that comes.
        to: PathBuf,
    },
    /// A name goes.
    Remove(PathBuf),
    /// Something was acknowledged: from here on it must be there, whatever happens.
    Said(Arc<str>),
}

impl Operation {
    /// The names that it touches.
    pub fn paths(&self) -> Vec<&Path> {
        match self {
            Self::Create(path)
            | Self::Folder(path)
            | Self::Sync(path)
            | Self::Remove(path)
            | Self::Write { path, .. }
            | Self::Resize { path, .. } => vec![path],
            Self::Rename { from, to } | Self::Link { from, to } => vec![from, to],
            Self::Said(_) => Vec::new(),
        }
    }
}

/// Never the bytes.
impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Create(path) => write!(f, "create {}", path.display()),
            Self::Folder(path) => write!(f, "folder {}", path.display()),
            Self::Write { path, at, bytes } => write!(f, "write {} {at} {}", path.display(), bytes.len()),
            Self::Resize { path, size } => write!(f, "resize {} {size}", path.display()),
            Self::Sync(path) => write!(f, "sync {}", path.display()),
            Self::Rename { from, to } => write!(f, "rename {} {}", from.display(), to.display()),
            Self::Link { from, to } => write!(f, "link {} {}", from.display(), to.display()),
            Self::Remove(path) => write!(f, "remove {}", path.display()),
            Self::Said(what) => write!(f, "said {what}"),
        }
    }
}
