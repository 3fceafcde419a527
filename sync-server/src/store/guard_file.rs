//! The guard in a folder of its own, meant for its own volume.
//!
//! ```text
//! guard/head   20852963 uDPLk…= sha256:2c26…
//! guard/lock   held while the value is compared and swapped
//! ```
//!
//! **Invariants:** `head` is whole at any instant (temporary name, fsync, rename, fsync the folder); two
//! swaps never overlap, in one process or several. The folder is in no backup: an old guard would let a
//! shortened log serve.
#![allow(clippy::disallowed_methods, reason = "this file owns the guard's folder")]

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use shared::{
    log::GuardLine,
    problem::{Code, Problem},
};

use super::{Guard, Swap, blocking};
use crate::durable::{self, Lock};

/// A guard in a folder.
#[derive(Debug, Clone)]
pub struct GuardFile {
    root: Arc<PathBuf>,
}

impl GuardFile {
    /// Opens a guard's folder. With `make`, a missing folder is made; it holds no value yet.
    pub fn open(root: &Path, make: Make) -> Result<Self, Problem> {
        match make {
            Make::Folder => durable::folder(root).map_err(durable::problem("guard"))?,
            Make::Nothing if root.is_dir() => {}
            Make::Nothing => return Err(Problem::new(Code::GuardMissing, "its folder is not there: is its volume mounted?")),
        }
        Ok(Self { root: Arc::new(root.to_owned()) })
    }
}

/// May a missing folder be made? Only for a new log: otherwise a volume that is not mounted would pass for a
/// guard without a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Make {
    /// Yes.
    Folder,
    /// No.
    Nothing,
}

fn value(root: &Path) -> durable::Result<Result<Option<GuardLine>, Problem>> {
    let Some(bytes) = durable::read(&root.join("head"))? else { return Ok(Ok(None)) };
    let text = std::str::from_utf8(&bytes).ok().and_then(|t| t.strip_suffix('\n'));
    Ok(text.unwrap_or("").parse().map(Some).map_err(|_| Problem::new(Code::GuardConflict, "its value cannot be read")))
}

impl Guard for GuardFile {
    async fn read(&self) -> Result<Option<GuardLine>, Problem> {
        let root = self.root.clone();
        blocking(move || value(&root)).await.map_err(durable::problem("guard"))?
    }

    async fn swap(&self, old: Option<GuardLine>, new: GuardLine) -> Result<Swap, Problem> {
        let root = self.root.clone();
        let swap = blocking(move || {
            let _lock = match Lock::wait(&root.join("lock")) {
                Ok(lock) => lock,
                Err(problem) => return Ok(Err(problem)),
            };
            let present = match value(&root)? {
                Ok(present) => present,
                Err(unreadable) => return Ok(Err(unreadable)),
            };
            // The same swap again, after an answer that was lost or an error: what a read shows may not be durable, so
            // it is written anew; a sync that failed is not tried again.
            if present != old && present != Some(new) {
                return Ok(Ok(Swap::Other(present)));
            }
            durable::sweep(&root)?;
            // A crash before the rename leaves `old`, after it `new`; the next start reads which.
            durable::write(&root.join("head"), format!("{new}\n").as_bytes())?;
            Ok(Ok(Swap::Done))
        });
        swap.await.map_err(durable::problem("guard"))?
    }
}
