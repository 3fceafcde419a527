//! The writer of a payload: bytes to their place, bytes to the disk on the way, the mark when they are durable.
//!
//! ```text
//! append … append ── so many bytes: fdatasync begins on a thread ── append … sync: fdatasync, names, mark
//! ```
//!
//! **Invariants:** the mark speaks only of bytes that an fdatasync has covered, and of files whose names are durable. After
//! an error of `fdatasync` this writer is done: the next one starts again from the mark. What the archive has taken under
//! a second name is never written to.

use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::Arc,
    thread::{self, JoinHandle},
};

use shared::{
    problem::{Code, Problem},
    verify::PayloadHash,
};

use super::{
    super::{PIECE, Upload, blocking},
    mark,
    pieces::{PayloadPieces, hash_of},
};
use crate::durable::{self, Folder};

/// A writer has the disk begin with what so many bytes brought, so that little is left for [`Upload::sync`].
pub const SYNC_BYTES: u64 = 4 << 20;

/// The one writer of a batch's payload.
pub struct UploadFile {
    mark: File,
    payload: Arc<File>,
    path: PathBuf,
    /// Of all that was written, when this writer began at the start.
    hash: Option<PayloadHash>,
    shared: bool,
    /// What the mark says.
    durable: u64,
    /// What is on the disk, with a mark or without.
    synced: u64,
    written: u64,
    /// A sync on its way, and what it covers.
    syncing: Option<(u64, JoinHandle<io::Result<()>>)>,
    /// The folder, until the names in it are durable.
    unnamed: Option<Folder>,
}

impl UploadFile {
    /// Takes the lock; `None` when another writer has it. Cuts off what is not known to be durable.
    pub(super) fn open(mark: &Path, payload: &Path) -> durable::Result<Option<Self>> {
        let folder = Folder::above(mark)?;
        let options = || File::options().read(true).write(true).mode(0o600).clone();
        let Some((held, _)) = durable::take(mark, options().create(true).truncate(false))? else { return Ok(None) };
        let marked = mark::read(&held)?;
        // Files on which nothing rests are made anew: whoever named them may have died before the names were durable, or the
        // disk failed then, and a second sync of the folder would say nothing about them.
        let mark_file = if marked > 0 {
            held
        } else {
            durable::discard(payload)?;
            durable::discard(mark)?;
            match durable::take(mark, options().create_new(true)) {
                Ok(Some((anew, _))) => anew,
                Ok(None) => return Ok(None),
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => return Ok(None),
                Err(e) => return Err(e),
            }
        };
        let Some(Payload { file, len: durable, shared }) = open_payload(payload, marked)? else { return Ok(None) };
        // Both names are durable before the first offset is answered.
        let unnamed = (durable == 0).then_some(folder);
        let hash = (durable == 0).then(PayloadHash::default);
        let (path, payload) = (payload.to_owned(), Arc::new(file));
        let mut this =
            Self { mark: mark_file, payload, path, hash, shared, durable, synced: durable, written: durable, syncing: None, unnamed };
        if durable < marked {
            // The file that the mark spoke of is gone: of the new one it would say too much.
            this.write_mark(durable)?;
        }
        Ok(Some(this))
    }

    /// Throws away what was written.
    pub(super) fn restart(mut self) -> durable::Result<()> {
        // The mark goes first: a crash between the two leaves bytes behind it, which `open` cuts off.
        self.write_mark(0)?;
        if self.shared { durable::discard(&self.path) } else { Ok(self.payload.set_len(0)?) }
    }

    fn write_mark(&mut self, offset: u64) -> durable::Result<()> {
        if let Err(e) = mark::write(&self.mark, offset) {
            // what the next one reads is what was durable; nothing rests on how this ends
            let _ = mark::put(&self.mark, self.durable);
            return Err(e.into());
        }
        self.durable = offset;
        Ok(())
    }

    /// Has the disk begin with what was written, while more is being written.
    fn begin_sync(&mut self) -> durable::Result<()> {
        self.end_sync()?;
        let payload = self.payload.clone();
        self.syncing = Some((self.written, thread::Builder::new().spawn(move || payload.sync_data())?));
        Ok(())
    }

    /// Waits for what was begun. Its error is this upload's: no later sync would tell it again.
    fn end_sync(&mut self) -> durable::Result<()> {
        if let Some((covered, syncing)) = self.syncing.take() {
            syncing.join().unwrap_or_else(|_| Err(io::Error::other("a thread broke off")))?;
            self.synced = covered;
        }
        Ok(())
    }

    /// Brings to the disk what was written. A crash after it and before the mark leaves bytes that are sent again.
    fn sync_payload(&mut self) -> durable::Result<()> {
        self.end_sync()?;
        if self.synced < self.written {
            match self.unnamed.take() {
                None => self.payload.sync_data()?,
                Some(folder) => durable::both(|| self.payload.sync_data(), || Ok(folder.sync()?))?,
            }
            self.synced = self.written;
        }
        // all of it may have been brought there on the way
        self.unnamed.take().map_or(Ok(()), |folder| folder.sync())
    }

    fn make_durable(&mut self) -> durable::Result<()> {
        if self.durable < self.written {
            self.sync_payload()?;
            self.write_mark(self.written)?;
        }
        Ok(())
    }

    /// What no sync that was begun covers.
    fn pending(&self) -> u64 {
        self.written - self.syncing.as_ref().map_or(self.synced, |(covered, _)| *covered)
    }
}

impl Drop for UploadFile {
    fn drop(&mut self) {
        // it holds the lock as well; nothing rests on how it ends
        let _ = self.end_sync();
        // Closing is not enough: a child that is being started has copies of all handles until it is another program.
        let _ = self.mark.unlock();
        // whoever has its pieces keeps the payload locked
        let _ = Arc::get_mut(&mut self.payload).map(|payload| payload.unlock());
    }
}

impl Upload for UploadFile {
    type Pieces = PayloadPieces;

    fn durable(&self) -> u64 {
        self.durable
    }

    fn written(&self) -> u64 {
        self.written
    }

    async fn append(self, piece: Vec<u8>) -> Result<Self, Problem> {
        if piece.len() > PIECE {
            return Err(Problem::new(Code::BodyTooLarge, "piece of an upload"));
        }
        let mut this = self;
        let write = blocking(move || {
            if this.shared {
                return Err(io::Error::other("the archive has this payload").into());
            }
            this.payload.write_all_at(&piece, this.written)?;
            this.written += piece.len() as u64;
            if let Some(hash) = &mut this.hash {
                hash.update(&piece);
            }
            if this.pending() >= SYNC_BYTES {
                this.begin_sync()?;
            }
            Ok(this)
        });
        write.await.map_err(durable::problem("staging"))
    }

    async fn sync(self) -> Result<Self, Problem> {
        let mut this = self;
        blocking(move || this.make_durable().map(|()| this)).await.map_err(durable::problem("staging"))
    }

    async fn whole(self) -> Result<(PayloadHash, PayloadPieces), Problem> {
        let this = self.sync().await?;
        let end = blocking(move || {
            let hash = this.hash.clone().map_or_else(|| hash_of(&this.payload, this.durable), Ok)?;
            let pieces = PayloadPieces::of(this.payload.clone(), Some(this.path.clone()), this.durable, &hash)?;
            Ok((hash, pieces))
        });
        end.await.map_err(durable::problem("staging"))
    }
}

/// Opens a payload for writing, cut off after `keep` bytes, and says how many there are; `None` when another has it. One
/// that the archive has taken under a second name is left to the archive, and if it would have to be cut off, a new one is
/// begun. The archive takes a payload only under the lock that the handle holds: what has one name now keeps it alone.
fn open_payload(path: &Path, keep: u64) -> durable::Result<Option<Payload>> {
    let take = || durable::take(path, OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600));
    let Some((file, meta)) = take()? else { return Ok(None) };
    let shared = meta.nlink() > 1;
    if meta.len() <= keep {
        return Ok(Some(Payload { file, len: meta.len(), shared }));
    }
    if shared {
        durable::discard(path)?;
        return Ok(take()?.map(|(file, _)| Payload { file, len: 0, shared: false }));
    }
    file.set_len(keep)?;
    Ok(Some(Payload { file, len: keep, shared }))
}

/// A payload that is open for writing, and locked.
struct Payload {
    file: File,
    len: u64,
    /// The archive has it, too: no byte of it changes any more.
    shared: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_writer_that_is_gone_is_in_nobodys_way() {
        let dir = tempfile::tempdir().expect("a folder");
        let (mark, payload) = (dir.path().join("b.mark"), dir.path().join("b.payload"));
        let writer = || UploadFile::open(&mark, &payload).expect("opened");
        let first = writer().expect("free");
        let copies = (first.mark.try_clone(), first.payload.try_clone());
        assert!(copies.0.is_ok() && copies.1.is_ok(), "as a child that is being started has them");
        assert!(writer().is_none(), "one writer a batch");
        drop(first);
        assert!(writer().is_some());
    }
}
