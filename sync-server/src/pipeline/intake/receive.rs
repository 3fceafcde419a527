//! Receiving: payloads into staging, whole ones into the archive and the log.
//!
//! ```text
//! announced ──upload──▶ all bytes durable in staging ──▶ ReceivedBatch ──hash──▶ VerifiedBatch ──▶ archive ──▶ log
//!     ▲                                                        │ payload-corrupt
//!     └──────────── wanted again, from offset 0 ◀──────────────┘
//! ```
//!
//! **Invariants:** staging is dropped only when the batch's entry is in the log, under the guard, in the ledger. A
//! payload with the wrong digest refuses nothing for good: only what the unit signed can be. Finishing twice, or after
//! a crash at any point, is the same as once.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
};

use shared::{
    batch::Manifest,
    id::{BatchId, Blob},
    problem::{Again, Code, Problem},
    verify::{CheckedManifest, PayloadHash, ReceivedBatch},
};

use super::{super::Logged, Intake};
use crate::store::{Archive, Ledger, Staging, Upload as _, Whole, blocking};

/// How far a batch has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Its payload is wanted.
    Wanted {
        /// How much of it is durable.
        offset: u64,
        /// How large it is.
        size: u64,
    },
    /// It is in the log.
    Logged {
        /// How large its payload is.
        size: u64,
    },
}

/// What became of a payload whose last byte has come. It is durable.
#[derive(Debug)]
pub enum Came {
    /// Its batch is in the log.
    Logged,
    /// Its batch is not in the log yet.
    Waits(Problem),
}

/// A payload as staging has it, and its manifest, checked.
struct Brought<P> {
    payload: (PayloadHash, P),
    manifest: Result<CheckedManifest, Problem>,
}

impl<S: Staging, A: Archive, L: Ledger> Intake<S, A, L> {
    /// How far a batch has come; `not-found` for one that was never announced.
    pub async fn standing(&self, batch: BatchId) -> Result<Standing, Problem> {
        let parts = &self.inner.parts;
        if let Some(logged) = parts.ledger.batch(batch).await? {
            return Ok(Standing::Logged { size: logged.payload_size });
        }
        if let Some(manifest) = self.staged(batch).await? {
            let offset = parts.staging.offset(batch).await?;
            return Ok(Standing::Wanted { offset, size: manifest.facts().payload_size });
        }
        // logged between the two questions?
        match parts.ledger.batch(batch).await? {
            Some(logged) => Ok(Standing::Logged { size: logged.payload_size }),
            None => Err(Problem::new(Code::NotFound, "batch")),
        }
    }

    /// The right to write a batch's payload from `offset` on.
    pub async fn upload(&self, batch: BatchId, offset: u64) -> Result<S::Upload, Problem> {
        self.inner.parts.staging.upload(batch, offset).await
    }

    /// A writer has brought the last byte of a payload: makes it durable, and brings the batch into the log. An error: it is
    /// not known to be durable, or not what was signed.
    pub async fn written(&self, batch: BatchId, upload: S::Upload) -> Result<Came, Problem> {
        // The manifest is checked while the disk takes the last bytes.
        let (payload, manifest) = tokio::join!(upload.whole(), self.checked(batch));
        let brought = Brought { payload: payload?, manifest };
        match self.received(batch, Some(brought)).await {
            Err(problem) if problem.code == Code::PayloadCorrupt || problem.row().again == Again::Never => Err(problem),
            Err(problem) => Ok(Came::Waits(problem)),
            Ok(()) => Ok(Came::Logged),
        }
    }

    /// All bytes of a payload are durable in staging: brings the batch into the log. What is at hand need not be read again.
    async fn received(&self, batch: BatchId, brought: Option<Brought<S::Pieces>>) -> Result<(), Problem> {
        // One at a time: the second finds the work of the first.
        let _one = self.inner.finishing[usize::from(batch.as_bytes()[0]) % super::SHARDS].lock().await;
        let parts = &self.inner.parts;
        if parts.ledger.batch(batch).await?.is_none() {
            let logged = self.log(batch, brought).await?;
            tracing::debug!("batch {batch} is entry {} of the log", logged.index());
        }
        // A crash before this leaves files that the next start finds to be logged, and drops.
        parts.staging.forget(batch).await
    }

    /// [`Intake::received`] in the background, unless that is under way; whoever waits for the receipt learns of it.
    pub(super) fn finish_later(&self, batch: BatchId) {
        let Some(turn) = Turn::of(&self.inner.turns, batch) else { return };
        let this = self.clone();
        let task = self.inner.tasks.clone().try_acquire_owned();
        tokio::spawn(async move {
            let _counted = (task, turn);
            if let Err(problem) = this.received(batch, None).await {
                tracing::warn!("batch {batch} is not in the log yet: {problem}");
            }
        });
    }

    async fn log(&self, batch: BatchId, brought: Option<Brought<S::Pieces>>) -> Result<Logged, Problem> {
        let parts = &self.inner.parts;
        let Brought { payload: (hash, payload), manifest } = match brought {
            Some(brought) => brought,
            None => Brought { manifest: Ok(self.checked(batch).await?), payload: parts.staging.payload(batch).await? },
        };
        let verified = match ReceivedBatch::new(manifest?).verify(hash) {
            Err(problem) if problem.code == Code::PayloadCorrupt => {
                drop(payload); // nobody writes while it is held
                parts.staging.restart(batch).await?;
                return Err(problem);
            }
            verified => verified?,
        };
        let facts = verified.checked().facts();
        // Everything that the entry names is durable in the archive before the entry is sequenced.
        let manifest = verified.checked().manifest();
        // At the same time: neither needs the other. When one fails the other is not left to itself.
        let (payload, manifest) = tokio::join!(
            parts.archive.put(Blob::from_bytes(*facts.payload.as_bytes()), payload),
            parts.archive.put(manifest.blob(), Whole::new(manifest.note().as_bytes())),
        );
        payload.and(manifest)?;
        parts.sequencer.log_batch(verified).await.map(|logged| logged.logged().clone())
    }

    /// The announced manifest, checked again: staging may lie on a disk that lies.
    async fn checked(&self, batch: BatchId) -> Result<CheckedManifest, Problem> {
        let manifest = self.staged(batch).await?.ok_or_else(|| Problem::new(Code::NotFound, "batch"))?;
        self.check(manifest).await
    }

    /// The announced manifest. One that the disk has changed counts for nothing: the unit, which has it all, is told
    /// that it is not here and announces it again.
    pub(super) async fn staged(&self, batch: BatchId) -> Result<Option<Manifest>, Problem> {
        let staging = &self.inner.parts.staging;
        let Some(bytes) = staging.manifest(batch).await? else { return Ok(None) };
        match blocking(move || Manifest::parse(&bytes)).await {
            Ok(manifest) if manifest.id() == batch => Ok(Some(manifest)),
            _ => {
                tracing::error!("staging has changed the manifest of batch {batch}: it is wanted again");
                staging.forget(batch).await?;
                Ok(None)
            }
        }
    }

    /// Goes on with what staging has of an announced batch, and makes sure that it keeps the manifest. False when that is not
    /// what was announced any more: it was checked when it came, so the disk has changed it, and what the unit brings now is
    /// looked at instead.
    pub(super) async fn goes_on(&self, manifest: &Manifest) -> Result<bool, Problem> {
        let batch = manifest.id();
        self.inner.parts.staging.announce(batch, manifest.note().as_bytes().to_vec()).await?;
        match self.resume(batch).await {
            Err(problem) if problem.row().again == Again::Never => {
                tracing::error!("staging has changed the manifest of batch {batch}: {problem}");
                self.inner.parts.staging.forget(batch).await.map(|()| false)
            }
            resumed => resumed.map(|()| true),
        }
    }

    /// Goes on with everything that lies in staging: at start, and from time to time (a disk that was full, a clock
    /// that had jumped).
    pub async fn resume_all(&self) -> Result<(), Problem> {
        for batch in self.inner.parts.staging.announced().await? {
            if let Err(problem) = self.resume(batch).await {
                tracing::warn!("batch {batch} in staging: {problem}");
            }
        }
        Ok(())
    }

    /// Goes on with an announced batch from whatever a crash has left of it.
    pub(super) async fn resume(&self, batch: BatchId) -> Result<(), Problem> {
        let parts = &self.inner.parts;
        if parts.ledger.batch(batch).await?.is_some() {
            self.finish_later(batch);
            return Ok(());
        }
        let Some(manifest) = self.staged(batch).await? else { return Ok(()) };
        let size = manifest.facts().payload_size;
        let checked = self.check(manifest).await?;
        self.keep_announced(&checked).await?;
        if parts.staging.offset(batch).await? == size {
            self.finish_later(batch);
        }
        Ok(())
    }
}

/// Batches that are being finished in the background. One that takes longer than it is looked after must not be begun again
/// and again.
pub(super) type Turns = Arc<Mutex<HashSet<BatchId>>>;

struct Turn(Turns, BatchId);

impl Turn {
    /// `None` while another has it.
    fn of(turns: &Turns, batch: BatchId) -> Option<Self> {
        turns.lock().expect("nobody panics while holding it").insert(batch).then(|| Self(turns.clone(), batch))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.lock().expect("nobody panics while holding it").remove(&self.1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_finished_once_at_a_time() {
        let (turns, batch) = (Turns::default(), BatchId::of(b"b"));
        let turn = Turn::of(&turns, batch);
        assert!(turn.is_some() && Turn::of(&turns, batch).is_none());
        assert!(Turn::of(&turns, BatchId::of(b"c")).is_some(), "another does not wait");
        drop(turn);
        assert!(Turn::of(&turns, batch).is_some());
    }
}
