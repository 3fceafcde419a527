//! Staging in a folder: uploads in progress, three files a batch.
//!
//! ```text
//! staging/2c26b46b….manifest   the announced manifest, as received
//! staging/2c26b46b….payload    what has arrived of the payload, at its place
//! staging/2c26b46b….mark       how much of it is durable
//! ```
//!
//! | file | does |
//! |---|---|
//! | `mark` | keeps an offset |
//! | `upload` | writes a payload, and syncs it on the way |
//! | `pieces` | reads it again, or lets the archive take it |
//!
//! **Invariants:** an offset is answered only when the bytes before it are durable: first `fdatasync` of the
//! payload, then the mark. Until it is asked for, an offset needs no mark, and bytes go to the disk without one. What lies
//! behind the mark after a crash may be anything and is cut off. One writer a batch, in this process or another (a lock
//! on the mark).
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "this file and those below it own the files of uploads")]

mod mark;
mod upload;
mod pieces;

use std::{
    collections::{BTreeSet, HashSet},
    fs::File,
    io,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard},
};

use shared::{
    id::BatchId,
    problem::{Code, Problem},
    verify::PayloadHash,
};

#[cfg(test)]
pub(super) use self::upload::SYNC_BYTES;
pub use self::{pieces::PayloadPieces, upload::UploadFile};
use super::{Staging, Upload as _, blocking};
use crate::durable::{self, Created};

/// Staging in a folder.
#[derive(Debug, Clone)]
pub struct StagingFiles {
    root: Arc<PathBuf>,
    /// Batches whose manifest has a name that this process has made durable.
    named: Arc<Mutex<HashSet<BatchId>>>,
}

impl StagingFiles {
    /// Opens a folder, making it when it is not there: staging holds nothing that the unit does not hold too.
    pub fn open(root: &Path) -> Result<Self, Problem> {
        durable::folder(root).map_err(durable::problem("staging"))?;
        Ok(Self { root: Arc::new(root.to_owned()), named: Arc::default() })
    }

    /// Removes what a crash left unfinished, and payloads whose manifest is gone. For the one server of a centre, before
    /// it takes anything in.
    pub fn sweep(&self) -> Result<(), Problem> {
        durable::sweep(&self.root).and_then(|()| self.sweep_strays()).map_err(durable::problem("staging"))
    }

    fn sweep_strays(&self) -> durable::Result<()> {
        let names: BTreeSet<String> = durable::names(&self.root)?.into_iter().collect();
        for name in &names {
            let stem = name.strip_suffix(".payload").or_else(|| name.strip_suffix(".mark"));
            if stem.is_some_and(|stem| !names.contains(&format!("{stem}.manifest"))) {
                durable::remove(&self.root.join(name))?;
            }
        }
        Ok(())
    }

    /// Gives the manifest of a batch, if it is there, its name anew, once in this process: whoever gave it may have died before
    /// its folder was durable, or the disk failed then, and a second sync would say nothing about it.
    fn name_anew(&self, batch: BatchId) -> durable::Result<()> {
        if self.named().contains(&batch) {
            return Ok(());
        }
        let path = self.path(batch, "manifest");
        let Some(bytes) = durable::read(&path)? else { return Ok(()) };
        durable::write(&path, &bytes)?;
        self.named().insert(batch);
        Ok(())
    }

    fn named(&self) -> MutexGuard<'_, HashSet<BatchId>> {
        self.named.lock().expect("nobody panics while holding it")
    }

    fn path(&self, batch: BatchId, kind: &str) -> PathBuf {
        self.root.join(format!("{}.{kind}", batch.hex()))
    }
}

impl Staging for StagingFiles {
    type Upload = UploadFile;
    type Pieces = PayloadPieces;

    async fn announce(&self, batch: BatchId, manifest: Vec<u8>) -> Result<(), Problem> {
        let (path, this) = (self.path(batch, "manifest"), self.clone());
        let keep = blocking(move || {
            // the first stands
            if durable::is_there(&path) || durable::create(&path, &manifest)? == Created::There {
                return this.name_anew(batch);
            }
            this.named().insert(batch);
            Ok(())
        });
        keep.await.map_err(durable::problem("staging"))
    }

    async fn manifest(&self, batch: BatchId) -> Result<Option<Vec<u8>>, Problem> {
        let path = self.path(batch, "manifest");
        blocking(move || durable::read(&path)).await.map_err(durable::problem("staging"))
    }

    async fn announced(&self) -> Result<Vec<BatchId>, Problem> {
        let root = self.root.clone();
        let names = blocking(move || durable::names(&root)).await.map_err(durable::problem("staging"))?;
        let id = |name: &String| format!("sha256:{}", name.strip_suffix(".manifest")?).parse().ok();
        Ok(names.iter().filter_map(id).collect())
    }

    async fn offset(&self, batch: BatchId) -> Result<u64, Problem> {
        let path = self.path(batch, "mark");
        let read = blocking(move || {
            let file = match File::open(path) {
                Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(0),
                file => file?,
            };
            let offset = mark::read(&file)?;
            // a writer may have put it there a moment ago: it is told when it is durable
            file.sync_data()?;
            Ok(offset)
        });
        read.await.map_err(durable::problem("staging"))
    }

    async fn upload(&self, batch: BatchId, offset: u64) -> Result<UploadFile, Problem> {
        let (mark, payload, this) = (self.path(batch, "mark"), self.path(batch, "payload"), self.clone());
        let open = blocking(move || {
            // what it will answer is worth nothing without the manifest
            this.name_anew(batch)?;
            UploadFile::open(&mark, &payload)
        });
        let upload = open.await.map_err(durable::problem("staging"))?.ok_or(Code::UploadLocked)?;
        if upload.durable() == offset {
            Ok(upload)
        } else {
            Err(Problem::new(Code::OffsetWrong, format!("offset is {}", upload.durable())))
        }
    }

    async fn restart(&self, batch: BatchId) -> Result<(), Problem> {
        let (mark, payload) = (self.path(batch, "mark"), self.path(batch, "payload"));
        let restart = blocking(move || {
            let Some(upload) = UploadFile::open(&mark, &payload)? else { return Ok(false) };
            upload.restart().map(|()| true)
        });
        if restart.await.map_err(durable::problem("staging"))? { Ok(()) } else { Err(Code::UploadLocked.into()) }
    }

    async fn read(&self, batch: BatchId, offset: u64, len: usize) -> Result<Vec<u8>, Problem> {
        let path = self.path(batch, "payload");
        let read = blocking(move || {
            let mut bytes = vec![0; len];
            File::open(path)?.read_exact_at(&mut bytes, offset)?;
            Ok(bytes)
        });
        read.await.map_err(durable::problem("staging"))
    }

    async fn payload(&self, batch: BatchId) -> Result<(PayloadHash, PayloadPieces), Problem> {
        let (path, end) = (self.path(batch, "payload"), self.offset(batch).await?);
        blocking(move || PayloadPieces::open(path, end)).await.map_err(durable::problem("staging"))
    }

    async fn forget(&self, batch: BatchId) -> Result<(), Problem> {
        // Not made durable: what a crash leaves or brings back is a batch that the log has, and is dropped again, or a
        // payload without a manifest, which is swept.
        self.named().remove(&batch);
        let paths = ["payload", "mark", "manifest"].map(|kind| self.path(batch, kind));
        blocking(move || paths.iter().try_for_each(|p| durable::discard(p))).await.map_err(durable::problem("staging"))
    }
}
