//! A centre in a temporary folder that tests can open, close and break.
#![allow(clippy::disallowed_methods, reason = "tests act as disk and operator")]

use std::{
    fs,
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use shared::{
    batch::Manifest,
    id::{Blob, LogIndex},
    problem::{Code, Problem},
    time::Second,
    verify::VerifiedBatch,
};
use tempfile::TempDir;

use super::super::{Idle, Proposal, Sequencer, Stores};
use crate::{
    fixtures::{START, roster, roster_facts, signer, trusted, verified},
    store::{
        Archive, Guard, Ledger, Whole,
        archive_files::ArchiveFiles,
        empty_log,
        guard_file::{GuardFile, Make},
        ledger_sqlite::LedgerSqlite,
        sqlite::Db,
    },
};

pub(super) type Files = Stores<ArchiveFiles, GuardFile, LedgerSqlite>;

pub(super) struct World {
    dir: TempDir,
    pub(super) clock: Arc<AtomicI64>,
}

/// The code of a refusal.
pub(super) fn code<T>(result: Result<T, Problem>) -> Option<Code> {
    result.err().map(|p| p.code)
}

impl World {
    /// A centre whose log has roster 1.
    pub(super) async fn founded() -> Self {
        let world = Self { dir: tempfile::tempdir().expect("a folder"), clock: Arc::new(AtomicI64::new(START)) };
        let stores = world.stores();
        stores.guard.swap(None, empty_log()).await.expect("an empty log");
        let paper = roster(roster_facts(1));
        let note = paper.note().as_bytes().to_vec();
        stores.archive.put(Blob::of(&note), Whole::new(note.clone())).await.expect("archived");
        let sequencer = world.sequencer().await;
        sequencer.log(Proposal::Roster(Box::new(trusted(roster_facts(1))))).await.expect("logged");
        world
    }

    /// Opens everything again, as a new process would.
    pub(super) fn stores(&self) -> Files {
        let root = self.dir.path();
        Stores {
            archive: ArchiveFiles::create(&root.join("archive")).expect("opened"),
            guard: GuardFile::open(&root.join("guard"), Make::Folder).expect("opened"),
            ledger: LedgerSqlite::new(Db::open(&root.join("centre.db")).expect("opened")),
        }
    }

    pub(super) async fn start<A: Archive, G: Guard, L: Ledger>(
        &self,
        stores: Stores<A, G, L>,
        idle: Idle,
    ) -> Result<Sequencer<L>, Problem> {
        let clock = self.clock.clone();
        let clock = Arc::new(move || Second::from_unix(clock.load(Ordering::SeqCst)));
        let signer = Arc::new(signer("registry.example/log"));
        Ok(Sequencer::start(stores, signer, self.lock(), clock, idle).await?.0)
    }

    pub(super) fn lock(&self) -> std::path::PathBuf {
        self.dir.path().join("sequencer.lock")
    }

    pub(super) async fn try_sequencer(&self) -> Result<Sequencer<LedgerSqlite>, Problem> {
        self.start(self.stores(), Idle::Quiet).await
    }

    pub(super) async fn sequencer(&self) -> Sequencer<LedgerSqlite> {
        self.try_sequencer().await.expect("started")
    }

    /// Puts manifest and payload into the archive, as intake does, and verifies the batch.
    pub(super) async fn archived(&self, manifest: &Manifest, payload: &[u8]) -> VerifiedBatch {
        let archive = self.stores().archive;
        let note = manifest.note().as_bytes().to_vec();
        archive.put(manifest.blob(), Whole::new(note)).await.expect("archived");
        archive.put(Blob::of(payload), Whole::new(payload)).await.expect("archived");
        verified(manifest.clone(), payload)
    }

    pub(super) async fn leaves(&self, range: Range<u64>) -> Vec<Vec<u8>> {
        let ledger = self.stores().ledger;
        let mut leaves = Vec::new();
        for index in range {
            leaves.push(ledger.entry(LogIndex(index)).await.expect("read").expect("there"));
        }
        leaves
    }

    pub(super) fn keep_database(&self, name: &str) {
        let from = rusqlite::Connection::open(self.dir.path().join("centre.db")).expect("opened");
        from.execute("VACUUM INTO ?1", [self.dir.path().join(name).to_str().expect("UTF-8")]).expect("copied");
    }

    pub(super) fn put_database_back(&self, name: Option<&str>) {
        for old in ["centre.db", "centre.db-wal", "centre.db-shm"] {
            let _ = fs::remove_file(self.dir.path().join(old));
        }
        if let Some(name) = name {
            fs::copy(self.dir.path().join(name), self.dir.path().join("centre.db")).expect("copied");
        }
    }

    pub(super) fn set_guard(&self, value: Option<&str>) {
        let path = self.dir.path().join("guard/head");
        match value {
            Some(value) => fs::write(path, value).expect("written"),
            None => fs::remove_file(path).expect("removed"),
        }
    }

    pub(super) fn hide_segments(&self, size: u64) {
        let folder = self.dir.path().join("archive/segments/00000000");
        let hidden = self.dir.path().join("hidden");
        fs::create_dir_all(&hidden).expect("made");
        for entry in fs::read_dir(folder).expect("listed") {
            let path = entry.expect("read").path();
            let name = path.file_name().expect("a name").to_owned();
            if name.to_string_lossy().starts_with(&format!("{size:012}-")) {
                fs::rename(path, hidden.join(name)).expect("moved");
            }
        }
    }

    pub(super) fn show_segments(&self) {
        for entry in fs::read_dir(self.dir.path().join("hidden")).expect("listed") {
            let path = entry.expect("read").path();
            let name = path.file_name().expect("a name").to_owned();
            fs::rename(path, self.dir.path().join("archive/segments/00000000").join(name)).expect("moved back");
        }
    }

    /// Something else under the name of a segment: a file, or a folder, which nobody can read as one.
    pub(super) fn strange_segment(&self, size: u64, bytes: Option<&[u8]>) {
        let folder = self.dir.path().join("archive/segments/00000000");
        match bytes {
            Some(bytes) => fs::write(folder.join(format!("{size:012}-{}", "f".repeat(64))), bytes).expect("written"),
            None => fs::create_dir(folder.join(format!("{size:012}-{}", "e".repeat(64)))).expect("made"),
        }
    }

    pub(super) fn damage_blob(&self, blob: Blob, bytes: Option<&[u8]>) {
        let hex = blob.hex();
        let path = self.dir.path().join("archive/blobs").join(&hex[..2]).join(&hex[2..4]).join(&hex);
        match bytes {
            Some(bytes) => fs::write(path, bytes).expect("written"),
            None => fs::remove_file(path).expect("removed"),
        }
    }

    pub(super) fn sql(&self, text: &str) {
        let database = rusqlite::Connection::open(self.dir.path().join("centre.db")).expect("opened");
        assert_eq!(database.execute(text, []).expect("changed"), 1);
    }
}
