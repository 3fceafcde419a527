//! An initialised centre, opened: its stores and keys, chosen once at start.
//!
//! ```text
//! DATA/sync-server.toml        settings; written last by `init`: its presence says that `init` ended
//! DATA/keys/log.key            signs checkpoints
//! DATA/keys/centre.key         signs answers and outcomes
//! DATA/keys/working.identity   opens records (age); retired ones stay beside it as retired-*.identity
//! DATA/keys/tls.crt, tls.key   unless others are configured
//! DATA/centre.db               the view: ledger and registry
//! DATA/archive, staging, guard unless configured elsewhere
//! ```
//! **Trust:** keys are checked against the newest roster by `doctor`. **Invariants:** opening never makes what is not
//! there: an archive or a guard whose volume is not mounted is refused, not replaced by an empty one.

use std::{path::Path, sync::Arc};

use shared::{
    keys::Signer,
    problem::{Code, Problem},
    roster::{Roster, TrustedRoster},
    seal::Identity,
};
use tokio::task::JoinHandle;
use zeroize::Zeroizing;

use crate::{
    clock, durable, keys,
    pipeline::{Idle, Sequencer, Stores},
    settings::Settings,
    store::{
        Ledger as _,
        archive_files::ArchiveFiles,
        guard_file::{GuardFile, Make},
        ledger_sqlite::LedgerSqlite,
        sqlite::Db,
        staging_files::StagingFiles,
    },
};

/// The stores of the embedded default: files and SQLite.
pub type Embedded = Stores<ArchiveFiles, GuardFile, LedgerSqlite>;

/// An initialised centre.
#[derive(Clone)]
pub struct Centre {
    /// What it is configured to.
    pub settings: Settings,
    /// Archive, guard, ledger.
    pub stores: Embedded,
    /// Uploads in progress.
    pub staging: StagingFiles,
    /// The database that ledger and registry share.
    pub db: Db,
}

impl Centre {
    /// Opens what `init` has made.
    pub fn open(settings: Settings) -> Result<Self, Problem> {
        let archive = archive(&settings)?;
        let guard = GuardFile::open(&settings.guard(), Make::Nothing)?;
        Self::with(settings, archive, guard)
    }

    /// With archive and guard that are open already.
    pub fn with(settings: Settings, archive: ArchiveFiles, guard: GuardFile) -> Result<Self, Problem> {
        for folder in [&settings.data, &settings.keys(), &settings.archive(), &settings.guard()] {
            durable::tighten(folder).map_err(durable::problem("data folder"))?;
        }
        let db = Db::open(&settings.database())?;
        let staging = StagingFiles::open(&settings.staging())?;
        let stores = Stores { archive, guard, ledger: LedgerSqlite::new(db.clone()) };
        Ok(Self { settings, stores, staging, db })
    }

    /// The key that signs checkpoints.
    pub fn log_key(&self) -> Result<Signer, Problem> {
        keys::read(&self.settings.keys().join("log.key"), keys::unprotected)
    }

    /// The key that signs answers and outcomes.
    pub fn centre_key(&self) -> Result<Signer, Problem> {
        keys::read(&self.settings.keys().join("centre.key"), keys::unprotected)
    }

    /// The identities that open records: the working one first, then retired ones.
    pub fn identities(&self) -> Result<Vec<Identity>, Problem> {
        let folder = self.settings.keys();
        let mut identities = vec![read_identity(&folder.join("working.identity"))?];
        for name in durable::names(&folder).map_err(durable::problem("keys"))? {
            if name.starts_with("retired-") && name.ends_with(".identity") {
                identities.push(read_identity(&folder.join(name))?);
            }
        }
        Ok(identities)
    }

    /// Starts sequencing in this process. Any number of processes of this machine may: each round holds a lock.
    pub async fn sequencer(&self, idle: Idle) -> Result<(Sequencer<LedgerSqlite>, JoinHandle<()>), Problem> {
        let signer = Arc::new(self.log_key()?);
        Sequencer::start(self.stores.clone(), signer, self.settings.sequencer_lock(), Arc::new(clock::now), idle).await
    }

    /// The newest roster that this centre has logged.
    pub async fn roster(&self) -> Result<TrustedRoster, Problem> {
        let newest = self.stores.ledger.newest_roster().await?.ok_or(Code::NoRoster)?;
        Roster::parse(&newest.note).map(TrustedRoster::from_own_log)
    }
}

/// The archive of a centre that was initialised: one that is not there is missing.
pub(crate) fn archive(settings: &Settings) -> Result<ArchiveFiles, Problem> {
    ArchiveFiles::open(&settings.archive()).map_err(|p| match p.code {
        Code::NotInitialised => Problem::new(Code::ArchiveMissing, "its folder is not there: is its volume mounted?"),
        _ => p,
    })
}

/// An age identity file: comment lines, then one `AGE-SECRET-KEY-…`.
pub fn read_identity(path: &Path) -> Result<Identity, Problem> {
    let bytes = durable::read(path).map_err(durable::problem("identity"))?.map(Zeroizing::new);
    let damaged = || Problem::new(Code::KeyUnreadable, path.display().to_string());
    parse_identity(&bytes.ok_or_else(damaged)?).ok_or_else(damaged)
}

/// Reads the text of an identity file.
pub fn parse_identity(bytes: &[u8]) -> Option<Identity> {
    let text = std::str::from_utf8(bytes).ok()?;
    let mut secrets = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let identity = secrets.next()?.parse().ok()?;
    secrets.next().is_none().then_some(identity)
}

/// The text of an identity file, as `age-keygen` writes it.
pub fn identity_text(identity: &Identity) -> Zeroizing<String> {
    Zeroizing::new(format!("# public key: {}\n{}\n", identity.recipient(), identity.to_secret().as_str()))
}
