//! A centre in this process: its real stores, sequencer and merge, without HTTP, so that merging can be timed alone.

use std::{path::Path, sync::Arc};

use shared::{
    batch::Manifest,
    id::Blob,
    keys::Signer,
    roster::TrustedRoster,
    seal::Identity,
    verify::{CheckedManifest, PayloadHash, ReceivedBatch},
};
use sync_server::{
    centre::Centre,
    clock,
    pipeline::{
        Idle, Sequencer,
        merge::{Merge, Publish, WORKERS},
        opener::{BUDGET, Nursery, Opener},
    },
    settings::Settings,
    store::{Archive as _, Whole, archive_files::ArchiveFiles, ledger_sqlite::LedgerSqlite, registry_sqlite::RegistrySqlite},
};
use tokio::{runtime::Runtime, sync::watch};

use super::client::Parcel;
use crate::world::{Sure, bins};

/// An open centre.
pub struct Inside {
    /// Its stores.
    pub centre: Centre,
    /// Does async work.
    pub runtime: Runtime,
    /// What is merged.
    pub registry: RegistrySqlite,
    sequencer: Sequencer<LedgerSqlite>,
    merge: Merge<ArchiveFiles, LedgerSqlite, RegistrySqlite>,
    rosters: Vec<TrustedRoster>,
}

impl Inside {
    /// Opens the centre of a data folder that nobody serves just now.
    pub fn open(data: &Path) -> Sure<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let centre = Centre::open(Settings::load(Some(data), None)?)?;
        let (sequencer, _) = runtime.block_on(centre.sequencer(Idle::Quiet))?;
        let signer: Arc<Signer> = Arc::new(centre.centre_key()?);
        let registry = RegistrySqlite::new(centre.db.clone());
        let (archive, ledger) = (centre.stores.archive.clone(), centre.stores.ledger.clone());
        let merge = Merge {
            opener: Opener::new(archive.clone(), ledger.clone(), centre.identities()?, Nursery::of(bins()?.join("sync-server")), BUDGET),
            archive,
            ledger,
            registry: registry.clone(),
            publish: Publish::To(sequencer.clone(), signer),
            clock: Arc::new(clock::now),
        };
        let rosters = vec![runtime.block_on(centre.roster())?];
        Ok(Self { centre, runtime, registry, sequencer, merge, rosters })
    }

    /// The identities that open records.
    pub fn identities(&self) -> Sure<Vec<Identity>> {
        Ok(self.centre.identities()?)
    }

    /// Brings a batch into archive and log.
    pub fn log(&self, parcel: &Parcel) -> Sure<()> {
        let manifest = Manifest::parse(parcel.manifest.note().as_bytes())?;
        let checked = CheckedManifest::check(manifest, self.rosters.as_slice())?;
        let mut hash = PayloadHash::default();
        hash.update(&parcel.payload);
        let verified = ReceivedBatch::new(checked).verify(hash)?;
        self.runtime.block_on(async {
            let archive = &self.centre.stores.archive;
            archive.put(Blob::of(&parcel.payload), Whole::new(parcel.payload.clone())).await?;
            archive.put(parcel.manifest.blob(), Whole::new(parcel.manifest.note().as_bytes())).await?;
            self.sequencer.log_batch(verified).await.map(drop)
        })?;
        Ok(())
    }

    /// Opens, folds and publishes all that waits.
    pub fn merge(&self) -> Sure<()> {
        let (_stop, stopping) = watch::channel(false);
        Ok(self.runtime.block_on(self.merge.until_idle(WORKERS, &stopping))?)
    }
}
