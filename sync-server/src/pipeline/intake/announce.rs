//! Announcing a batch: its manifest is checked before one byte of its payload is taken.
//!
//! Steps: size → syntax → is it known? → the rosters that it names → signatures, limits, lines (`shared::verify`) →
//! room → durable in staging, then in the ledger.
//!
//! **Invariants:** a gap is never a refusal, nor is a fork: both are facts of the chain that the log states. What failed
//! for good goes into the refused bin; a roster not known yet or a cosignature not there yet is worth another try.
//! 201 means that manifest and announcement are durable.

use shared::{
    batch::Manifest,
    id::BatchId,
    note::MAX_NOTE,
    problem::{Again, Code, Problem},
    verify::CheckedManifest,
};

use super::{Intake, Session};
use crate::store::{AnnouncedBatch, Archive, Ledger, Staging, blocking};

/// Most batches of one key that are announced and not logged: what a key may hold back costs bounded disk, and no other key's room.
const OPEN: usize = 256;

/// Is the batch new here?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// Yes.
    New,
    /// It was announced or logged before.
    Known,
}

/// An announced batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Announced {
    /// Its id, which names its payload and papers.
    pub batch: BatchId,
    /// Is it new here?
    pub news: News,
}

impl<S: Staging, A: Archive, L: Ledger> Intake<S, A, L> {
    /// Takes a manifest in. Whose it is says the manifest; the session only says who brought it.
    pub async fn announce(&self, bytes: Vec<u8>, session: &Session) -> Result<Announced, Problem> {
        let taken = self.take(bytes.clone()).await;
        if let Err(problem) = &taken
            && problem.row().again == Again::Never
        {
            tracing::info!("a manifest brought by {} was refused: {problem}", session.name);
            self.inner.refused.keep(Some(&session.key), problem.code, bytes).await;
        }
        taken
    }

    async fn take(&self, bytes: Vec<u8>) -> Result<Announced, Problem> {
        let parts = &self.inner.parts;
        if bytes.len() > MAX_NOTE {
            return Err(Code::ManifestTooLarge.into());
        }
        let manifest = blocking(move || Manifest::parse(&bytes)).await?;
        let batch = manifest.id();
        // The first bytes of an id stand; a repeat costs no signature check.
        if parts.ledger.batch(batch).await?.is_some() {
            return Ok(Announced { batch, news: News::Known });
        }
        if self.staged(batch).await?.is_some() && self.goes_on(&manifest).await? {
            return Ok(Announced { batch, news: News::Known });
        }
        let checked = self.check(manifest).await?;
        let facts = checked.facts();
        let announced = parts.ledger.announced(&facts.unit).await?;
        if announced.iter().filter(|other| other.place.epoch == facts.place.epoch).count() >= OPEN {
            return Err(Problem::new(Code::Busy, "announced batches of this unit"));
        }
        // A crash after this: the manifest is found at the next start, and announced then.
        parts.staging.announce(batch, checked.manifest().note().as_bytes().to_vec()).await?;
        self.keep_announced(&checked).await?;
        if facts.payload_size == 0 {
            self.finish_later(batch);
        }
        Ok(Announced { batch, news: News::New })
    }

    pub(super) async fn keep_announced(&self, checked: &CheckedManifest) -> Result<(), Problem> {
        let facts = checked.facts();
        let (unit, unit_key) = (facts.unit.clone(), checked.unit_key().clone());
        let batch = AnnouncedBatch { id: checked.manifest().id(), unit, place: facts.place, previous: facts.previous, unit_key };
        self.inner.parts.ledger.announce(batch).await
    }

    /// Signatures, limits and lines, by the rosters that the manifest names.
    pub(super) async fn check(&self, manifest: Manifest) -> Result<CheckedManifest, Problem> {
        let rosters = self.inner.rosters.of(&self.inner.parts.ledger, manifest.facts()).await?;
        blocking(move || CheckedManifest::check(manifest, &rosters)).await
    }
}
