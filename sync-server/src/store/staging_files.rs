//! Staging in a folder: uploads in progress, three files a batch.
//!
//! ```text
//! staging/2c26b46b….manifest   the announced manifest, as received
//! staging/2c26b46b….payload    what has arrived of the payload, at its place
//! staging/2c26b46b….mark       how much of it is durable: offset (8 bytes, big-endian), SHA-256 of these (8 bytes)
//! ```
//!
//! **Invariants:** an offset is answered only when the bytes before it are durable: first `fdatasync` of the
//! payload, then the mark. Until it is asked for, an offset needs no mark, and bytes go to the disk without one. What lies behind the mark after a crash may be anything and is cut off. One writer
//! a batch, in this process or another (a lock on the mark). After an error of `fdatasync` the writer is
//! done: the next one starts again from the mark.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "this file owns the files of uploads")]

use std::{
    collections::BTreeSet,
    fs::{File, OpenOptions, TryLockError},
    io,
    os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::Arc,
    thread::{self, JoinHandle},
};

use sha2::{Digest as _, Sha256};
use shared::{
    id::{BatchId, Blob},
    problem::{Code, Problem},
    verify::PayloadHash,
};

use super::{DurableFile, PIECE, Pieces, Staging, Upload, blocking};
use crate::durable;

/// A writer has the disk begin with what so many bytes brought, so that little is left for [`Upload::sync`].
pub const SYNC_BYTES: u64 = 4 << 20;

/// Staging in a folder.
#[derive(Debug, Clone)]
pub struct StagingFiles {
    root: Arc<PathBuf>,
}

impl StagingFiles {
    /// Opens a folder, making it when it is not there: staging holds nothing that the unit does not hold too.
    pub fn open(root: &Path) -> Result<Self, Problem> {
        durable::folder(root).map_err(durable::problem("staging"))?;
        Ok(Self { root: Arc::new(root.to_owned()) })
    }

    /// Removes what a crash left unfinished, and payloads whose manifest is gone. For the one server of a centre, before
    /// it takes anything in.
    pub fn sweep(&self) -> Result<(), Problem> {
        durable::sweep(&self.root).and_then(|()| self.sweep_strays()).map_err(durable::problem("staging"))
    }

    fn sweep_strays(&self) -> io::Result<()> {
        let names: BTreeSet<String> = durable::names(&self.root)?.into_iter().collect();
        for name in &names {
            let stem = name.strip_suffix(".payload").or_else(|| name.strip_suffix(".mark"));
            if stem.is_some_and(|stem| !names.contains(&format!("{stem}.manifest"))) {
                durable::remove(&self.root.join(name))?;
            }
        }
        Ok(())
    }

    fn path(&self, batch: BatchId, kind: &str) -> PathBuf {
        self.root.join(format!("{}.{kind}", batch.hex()))
    }
}

impl Staging for StagingFiles {
    type Upload = UploadFile;
    type Pieces = PayloadPieces;

    async fn announce(&self, batch: BatchId, manifest: Vec<u8>) -> Result<(), Problem> {
        let path = self.path(batch, "manifest");
        blocking(move || durable::create(&path, &manifest)).await.map(|_| ()).map_err(durable::problem("staging"))
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
        let read = blocking(move || match File::open(path) {
            Ok(file) => read_mark(&file),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(0),
            Err(e) => Err(e),
        });
        read.await.map_err(durable::problem("staging"))
    }

    async fn upload(&self, batch: BatchId, offset: u64) -> Result<UploadFile, Problem> {
        let (mark, payload) = (self.path(batch, "mark"), self.path(batch, "payload"));
        let upload = blocking(move || UploadFile::open(&mark, &payload)).await.map_err(durable::problem("staging"))?;
        let upload = upload.ok_or(Code::UploadLocked)?;
        if upload.durable == offset { Ok(upload) } else { Err(Problem::new(Code::OffsetWrong, format!("offset is {}", upload.durable))) }
    }

    async fn restart(&self, batch: BatchId) -> Result<(), Problem> {
        let (mark, payload) = (self.path(batch, "mark"), self.path(batch, "payload"));
        let restart = blocking(move || {
            let Some(mut upload) = UploadFile::open(&mark, &payload)? else { return Ok(false) };
            // The mark goes first: a crash between the two leaves bytes behind it, which `open` cuts off.
            upload.write_mark(0)?;
            if upload.shared { durable::discard(&payload) } else { upload.payload.set_len(0) }.map(|()| true)
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
        let read = blocking(move || {
            let Some((file, locked)) = open_to_read(&path)? else { return Ok((PayloadHash::default(), PayloadPieces::none())) };
            let hash = hash_of(&file, end)?;
            let pieces = PayloadPieces::of(Arc::new(file), locked.then_some(path), end, &hash)?;
            Ok((hash, pieces))
        });
        read.await.map_err(durable::problem("staging"))
    }

    async fn forget(&self, batch: BatchId) -> Result<(), Problem> {
        // Not made durable: what a crash leaves or brings back is a batch that the log has, and is dropped again, or a
        // payload without a manifest, which is swept.
        let paths = ["payload", "mark", "manifest"].map(|kind| self.path(batch, kind));
        blocking(move || paths.iter().try_for_each(|p| durable::discard(p))).await.map_err(durable::problem("staging"))
    }
}

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
    unnamed: Option<PathBuf>,
}

/// Opens a payload for writing, cut off after `keep` bytes, and says how many there are; `None` when another has it. One
/// that the archive has taken under a second name is left to the archive, and if it would have to be cut off, a new one is
/// begun. The archive takes a payload only under the lock that the handle holds: what has one name now keeps it alone.
fn open_payload(path: &Path, keep: u64) -> io::Result<Option<Payload>> {
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

impl UploadFile {
    /// Takes the lock; `None` when another writer has it. Cuts off what is not known to be durable.
    fn open(mark: &Path, payload: &Path) -> io::Result<Option<Self>> {
        let mark_file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(mark)?;
        match mark_file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(e)) => return Err(e),
        }
        let marked = read_mark(&mark_file)?;
        let Some(Payload { file, len: durable, shared }) = open_payload(payload, marked)? else { return Ok(None) };
        // Both names are durable before the first offset is answered.
        let unnamed = (durable == 0).then(|| mark.parent().expect("in the staging folder").to_owned());
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

    fn write_mark(&mut self, offset: u64) -> io::Result<()> {
        // 16 bytes within one sector: after a crash the old mark or the new one.
        self.mark.write_all_at(&mark_bytes(offset), 0)?;
        self.mark.sync_data()?;
        self.durable = offset;
        Ok(())
    }

    /// Has the disk begin with what was written, while more is being written.
    fn begin_sync(&mut self) -> io::Result<()> {
        self.end_sync()?;
        let payload = self.payload.clone();
        self.syncing = Some((self.written, thread::Builder::new().spawn(move || payload.sync_data())?));
        Ok(())
    }

    /// Waits for what was begun. Its error is this upload's: no later sync would tell it again.
    fn end_sync(&mut self) -> io::Result<()> {
        if let Some((covered, syncing)) = self.syncing.take() {
            syncing.join().unwrap_or_else(|_| Err(io::Error::other("a thread broke off")))?;
            self.synced = covered;
        }
        Ok(())
    }

    /// Brings to the disk what was written. A crash after it and before the mark leaves bytes that are sent again.
    fn sync_payload(&mut self) -> io::Result<()> {
        self.end_sync()?;
        if self.synced < self.written {
            match self.unnamed.take() {
                None => self.payload.sync_data()?,
                Some(folder) => durable::both(|| self.payload.sync_data(), || durable::sync_folder(&folder))?,
            }
            self.synced = self.written;
        }
        // all of it may have been brought there on the way
        self.unnamed.take().map_or(Ok(()), |folder| durable::sync_folder(&folder))
    }

    fn make_durable(&mut self) -> io::Result<()> {
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
                return Err(io::Error::other("the archive has this payload"));
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

/// Reads and hashes a payload up to `end`.
fn hash_of(file: &File, end: u64) -> io::Result<PayloadHash> {
    let (mut hash, mut at, mut piece) = (PayloadHash::default(), 0, vec![0; PIECE]);
    while at < end {
        let len = usize::try_from(end - at).unwrap_or(PIECE).min(PIECE);
        file.read_exact_at(&mut piece[..len], at)?;
        hash.update(&piece[..len]);
        at += len as u64;
    }
    Ok(hash)
}

/// Opens a payload and says whether it could be locked against writers; `None` when nothing has arrived.
fn open_to_read(path: &Path) -> io::Result<Option<(File, bool)>> {
    let opened = match durable::take(path, File::options().read(true)) {
        Ok(Some((file, _))) => return Ok(Some((file, true))),
        Ok(None) => File::open(path),
        Err(e) => Err(e),
    };
    match opened {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        file => file.map(|file| Some((file, false))),
    }
}

/// What has durably arrived of a payload, from its start.
#[derive(Debug)]
pub struct PayloadPieces {
    file: Option<Arc<File>>,
    taken: Option<DurableFile>,
    at: u64,
    end: u64,
}

impl PayloadPieces {
    fn none() -> Self {
        Self { file: None, taken: None, at: 0, end: 0 }
    }

    /// What has this hash; `locked` is the name of a file that no writer can get meanwhile.
    fn of(file: Arc<File>, locked: Option<PathBuf>, end: u64, hash: &PayloadHash) -> io::Result<Self> {
        // A file that goes on behind what is durable has another digest, and may lose what makes the difference.
        let whole = end > 0 && file.metadata()?.len() == end;
        let blob = Blob::from_bytes(*hash.clone().finish().1.as_bytes());
        let taken = locked.filter(|_| whole).map(|path| DurableFile { path, handle: file.clone(), blob });
        Ok(Self { file: Some(file), taken, at: 0, end })
    }
}

impl Pieces for PayloadPieces {
    fn durable_file(&self) -> Option<DurableFile> {
        self.taken.clone().filter(|_| self.at == 0)
    }

    async fn next(&mut self) -> Result<Option<Vec<u8>>, Problem> {
        let len = usize::try_from(self.end - self.at).unwrap_or(PIECE).min(PIECE);
        let Some(file) = self.file.clone().filter(|_| len > 0) else { return Ok(None) };
        let at = self.at;
        let read = blocking(move || {
            let mut piece = vec![0; len];
            file.read_exact_at(&mut piece, at)?;
            Ok(piece)
        });
        let piece = read.await.map_err(durable::problem("staging"))?;
        self.at += len as u64;
        Ok(Some(piece))
    }
}

fn mark_bytes(offset: u64) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&offset.to_be_bytes());
    let check = Sha256::digest(&bytes[..8]);
    bytes[8..].copy_from_slice(&check[..8]);
    bytes
}

/// A mark that is empty or torn counts as 0: the unit sends the payload again.
fn read_mark(file: &File) -> io::Result<u64> {
    let mut bytes = [0; 16];
    match file.read_exact_at(&mut bytes, 0) {
        Ok(()) => {}
        Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => return Ok(0),
        Err(e) => return Err(e),
    }
    let offset = u64::from_be_bytes(bytes[..8].try_into().expect("8 bytes"));
    Ok(if mark_bytes(offset) == bytes { offset } else { 0 })
}
