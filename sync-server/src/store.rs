//! The seams: where the centre keeps things, and what each place promises.
//!
//! | seam | holds | truth? |
//! |---|---|---|
//! | [`Staging`] | uploads in progress | no: the unit has it all |
//! | [`Archive`] | blobs and log segments, written once | **yes** |
//! | [`Guard`] | the newest log head, one compare-and-swap value | **yes** |
//! | [`Ledger`] | entries, tile hashes, batches, rosters, outcomes | no: a view of archive and guard |
//!
//! Each act is durable when it returns, all or nothing, and the same call twice is the same as once, unless
//! its own words say otherwise. Backends are chosen once, at start; one suite of tests runs over all of a kind.

pub mod archive_files;
pub mod guard_file;
pub mod ledger_sqlite;
pub mod registry_sqlite;
pub mod sqlite;
pub mod staging_files;
#[cfg(test)]
mod conformance;
#[cfg(test)]
pub(crate) mod faulty;
#[cfg(test)]
pub(crate) use self::ledger_sqlite::columns::asked;
mod guard;
mod ledger;

use std::{fs::File, future::Future, path::PathBuf, sync::Arc};

use shared::{
    id::{BatchId, Blob},
    problem::Problem,
    verify::PayloadHash,
};

pub use self::{
    guard::{Guard, Swap, empty_log},
    ledger::{
        AnnouncedBatch, Application, BatchFacts, DecisionFacts, Extent, Gap, HeadWitness, Heard, HelloFacts, Ledger, LineFacts,
        OutcomeFacts, Position, RosterFacts, Word,
    },
};

/// Bytes that move at a time, at most.
pub const PIECE: usize = 256 * 1024;

/// Bytes that come piece by piece, each at most [`PIECE`] long.
pub trait Pieces: Send {
    /// The next piece; `None` at the end.
    fn next(&mut self) -> impl Future<Output = Result<Option<Vec<u8>>, Problem>> + Send;
    /// A file of which these are all bytes, if there is one that nobody writes to.
    fn durable_file(&self) -> Option<DurableFile> {
        None
    }
}

/// A file with all its bytes durable. While the handle lives nobody writes to it, and nobody does as soon as it has a second
/// name.
#[derive(Debug, Clone)]
pub struct DurableFile {
    /// Its name.
    pub path: PathBuf,
    /// It itself, locked: the name may have gone to another file meanwhile.
    pub handle: Arc<File>,
    /// What was read under this lock.
    pub blob: Blob,
}

/// Bytes that are in memory already.
pub struct Whole(Option<Vec<u8>>);

impl Whole {
    /// All of them in one piece.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(Some(bytes.into()))
    }
}

impl Pieces for Whole {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, Problem> {
        Ok(self.0.take())
    }
}

/// Uploads in progress, by batch and offset. The only place from which things are deleted as a matter of course.
pub trait Staging: Clone + Send + Sync + 'static {
    /// The one writer of a payload.
    type Upload: Upload<Pieces = Self::Pieces>;
    /// What has arrived of a payload.
    type Pieces: Pieces;

    /// Keeps the manifest of a batch that is wanted. The first bytes of an id stand.
    fn announce(&self, batch: BatchId, manifest: Vec<u8>) -> impl Future<Output = Result<(), Problem>> + Send;
    /// The announced manifest.
    fn manifest(&self, batch: BatchId) -> impl Future<Output = Result<Option<Vec<u8>>, Problem>> + Send;
    /// Batches that are announced.
    fn announced(&self) -> impl Future<Output = Result<Vec<BatchId>, Problem>> + Send;
    /// How much of the payload is durable; 0 for one that nothing has arrived of.
    fn offset(&self, batch: BatchId) -> impl Future<Output = Result<u64, Problem>> + Send;
    /// Takes the right to write at `offset`, which must be the durable one: else `offset-wrong`; while another
    /// writer has it, `upload-locked`.
    fn upload(&self, batch: BatchId, offset: u64) -> impl Future<Output = Result<Self::Upload, Problem>> + Send;
    /// Throws away what arrived of the payload; the batch stays wanted, from offset 0.
    fn restart(&self, batch: BatchId) -> impl Future<Output = Result<(), Problem>> + Send;
    /// Reads a range of what has arrived.
    fn read(&self, batch: BatchId, offset: u64, len: usize) -> impl Future<Output = Result<Vec<u8>, Problem>> + Send;
    /// All that has durably arrived, and its hash. Unless a writer has it, none gets it before the pieces are dropped.
    fn payload(&self, batch: BatchId) -> impl Future<Output = Result<(PayloadHash, Self::Pieces), Problem>> + Send;
    /// Drops manifest and payload: the batch is in the archive and in the log, or was refused. Need not be durable when it
    /// returns: what a crash brings back is found to be logged, and dropped again.
    fn forget(&self, batch: BatchId) -> impl Future<Output = Result<(), Problem>> + Send;
}

/// The one writer of a payload. An error takes it away: the next one starts from the durable offset.
pub trait Upload: Sized + Send + 'static {
    /// What was written.
    type Pieces: Pieces;

    /// How much is durable: the only offset that may be answered.
    fn durable(&self) -> u64;
    /// How much has been written, durable or not.
    fn written(&self) -> u64;
    /// Adds a piece of at most [`PIECE`] bytes. Not durable when it returns: [`Upload::durable`] says what is.
    fn append(self, piece: Vec<u8>) -> impl Future<Output = Result<Self, Problem>> + Send;
    /// Makes durable all that was written. Due every second, and when the request ends early or breaks.
    fn sync(self) -> impl Future<Output = Result<Self, Problem>> + Send;
    /// Ends writing: all that was written, durable, and its hash. No other writer gets it before the pieces are dropped.
    fn whole(self) -> impl Future<Output = Result<(PayloadHash, Self::Pieces), Problem>> + Send;
}

/// Write-once blobs by digest, and the log's segments. No bytes are changed or removed; to put again what is there may give
/// its name anew.
pub trait Archive: Clone + Send + Sync + 'static {
    /// Stores a blob. Bytes that don't have this digest are `payload-corrupt` and leave no trace.
    fn put<P: Pieces>(&self, blob: Blob, pieces: P) -> impl Future<Output = Result<(), Problem>> + Send;
    /// Size of a blob, if it is there.
    fn size(&self, blob: Blob) -> impl Future<Output = Result<Option<u64>, Problem>> + Send;
    /// A whole blob, its digest checked: `archive-missing`, `archive-damaged`. For what fits into memory.
    fn get(&self, blob: Blob) -> impl Future<Output = Result<Vec<u8>, Problem>> + Send;
    /// A part of a blob; its digest is for the caller to check.
    fn range(&self, blob: Blob, offset: u64, len: usize) -> impl Future<Output = Result<Vec<u8>, Problem>> + Send;
    /// Hashes a blob again, piece by piece, and gives its size: `archive-missing`, `archive-damaged`.
    fn verify(&self, blob: Blob) -> impl Future<Output = Result<u64, Problem>> + Send;
    /// All blobs whose digest starts with this byte.
    fn blobs(&self, first: u8) -> impl Future<Output = Result<Vec<Blob>, Problem>> + Send;
    /// Stores a segment that leads to a log of `size` entries.
    fn put_segment(&self, size: u64, bytes: Vec<u8>) -> impl Future<Output = Result<Blob, Problem>> + Send;
    /// A segment, its digest checked.
    fn segment(&self, size: u64, blob: Blob) -> impl Future<Output = Result<Vec<u8>, Problem>> + Send;
    /// Segments that lead to this size: usually one, more after a crash.
    fn segments_at(&self, size: u64) -> impl Future<Output = Result<Vec<Blob>, Problem>> + Send;
    /// All segments that lead to this size or to a larger one.
    fn segments_from(&self, size: u64) -> impl Future<Output = Result<Vec<(u64, Blob)>, Problem>> + Send;
}

/// Runs work that blocks (files, SQL, hashing) away from the threads that serve requests.
pub async fn blocking<T, F>(work: F) -> T
where
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
{
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => value,
        Err(e) => match e.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime is shutting down: nobody waits for this any more.
            Err(_) => std::future::pending().await,
        },
    }
}
