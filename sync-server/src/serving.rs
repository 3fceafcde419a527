//! Everything that `serve` runs, in one process: HTTP, intake, sequencer, merge.
//!
//! ```text
//! stop ─▶ no new connections ─▶ open requests end, uploads are cut off durably ─▶ batches that have arrived are logged
//!      ─▶ merge ends its step ─▶ the sequencer ends its round
//! ```
//! **Invariants:** nothing is lost by stopping, nor by being killed instead: starting goes on with what staging holds,
//! and with what the guard says. Plain HTTP is for this machine only, unless somebody says that a proxy in front has TLS.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use shared::{
    problem::{Code, Problem},
    time::Second,
};
use tokio::{
    net::TcpListener,
    sync::watch,
    task::JoinHandle,
    time::{sleep, timeout},
};
use tokio_rustls::TlsAcceptor;

use crate::{
    centre::Centre,
    clock,
    durable::{self, Lock},
    http::{self, Http, Limits, Line, Road},
    pipeline::{
        Idle, Published, Sequencer, belongs_together, clock_jump,
        intake::{Intake, Parts},
        merge::{self, Merge, Publish},
        opener::{self, Nursery, Opener},
    },
    scrub,
    store::{Ledger as _, archive_files::ArchiveFiles, ledger_sqlite::LedgerSqlite, registry_sqlite::RegistrySqlite},
    tls,
};

/// How often staging is looked at for batches that could not be logged when they arrived.
const LOOK: Duration = Duration::from_secs(30);
/// How long the sequencer may take for its last round.
const LAST_ROUND: Duration = Duration::from_secs(30);

/// Who may reach it without TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// Nobody: TLS for all.
    Tls,
    /// This machine.
    PlainHere,
    /// Anybody: a proxy in front has TLS.
    PlainAnywhere,
}

/// How to serve.
#[derive(Debug, Clone)]
pub struct Options {
    /// Address and port; port 0 takes a free one.
    pub listen: String,
    /// TLS or not.
    pub security: Security,
    /// What is admitted.
    pub limits: Limits,
}

/// A running server.
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    /// Where units reach it from this machine.
    pub url: String,
    /// Why nothing can be logged for now, if it cannot.
    pub cannot_log: Option<Problem>,
    stop: watch::Sender<bool>,
    ended: JoinHandle<Result<(), Problem>>,
}

impl Running {
    /// Stops it, and waits until it has ended.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        match self.ended.await {
            Ok(Ok(())) => {}
            Ok(Err(problem)) => tracing::warn!("while stopping: {problem}"),
            Err(e) => tracing::error!("while stopping: {e}"),
        }
    }

    /// Returns only when it has ended without being told to, and says why. A start goes on with what is durable.
    pub async fn broken(&mut self) -> Problem {
        match (&mut self.ended).await {
            Ok(Err(problem)) => problem,
            Ok(Ok(())) => Problem::new(Code::IoFailed, "the server ended by itself"),
            Err(e) => Problem::new(Code::IoFailed, format!("the server broke off: {e}")),
        }
    }
}

/// Merges over the stores of one machine.
pub type Merger = Merge<ArchiveFiles, LedgerSqlite, RegistrySqlite>;

/// Why `serve` would not start over this centre, or could not log; the first thing that it would meet.
pub async fn would_start(centre: &Centre, now: Second) -> Result<(), Problem> {
    for folder in [&centre.settings.data, &centre.settings.archive(), &centre.settings.guard()] {
        if durable::is_read_only(folder) {
            return Err(Problem::new(Code::DiskReadOnly, folder.display().to_string()));
        }
    }
    centre.db.whole().await?;
    centre.log_key()?;
    centre.centre_key()?;
    centre.identities()?;
    line(centre, Security::Tls)?;
    belongs_together(&centre.stores).await?;
    centre.roster().await?;
    let last = centre.stores.ledger.position().await?.received;
    match clock_jump(&centre.stores.ledger, last, now).await? {
        Some(problem) => Err(problem),
        None => Ok(()),
    }
}

/// Brings the log to the guard's head, goes on with what staging holds, and listens.
pub async fn start(centre: Centre, options: Options) -> Result<Running, Problem> {
    let lock = merge::lock(&centre.settings.data.join("merge.lock"))?;
    centre.db.whole().await?;
    centre.staging.sweep()?;
    centre.stores.archive.sweep()?;
    let line = line(&centre, options.security)?;
    let (sequencer, sequencing) = centre.sequencer(Idle::KeepTime).await?;
    let road = road(&centre, sequencer.clone())?;
    let merger = merger(&centre, sequencer.clone(), Nursery::of_this_program())?;
    let (listener, address) = listen(&options).await?;
    let last = sequencer.published().await?.position.received;
    let cannot_log = clock_jump(&centre.stores.ledger, last, clock::now()).await?;
    if let Some(problem) = &cannot_log {
        tracing::error!("nothing can be logged: {problem}");
    }
    let (stop, stopping) = watch::channel(false);
    road.resume_all().await?;
    let scheme = if options.security == Security::Tls { "https" } else { "http" };
    let work = Work { centre, options, road, merger, sequencer, sequencing, lock, line, listener, stopping };
    Ok(Running { address, url: format!("{scheme}://{address}"), cannot_log, stop, ended: tokio::spawn(work.run()) })
}

struct Work {
    centre: Centre,
    options: Options,
    road: Road,
    merger: Merger,
    sequencer: Sequencer<LedgerSqlite>,
    sequencing: JoinHandle<()>,
    lock: Lock,
    line: Line,
    listener: TcpListener,
    stopping: watch::Receiver<bool>,
}

impl Work {
    async fn run(self) -> Result<(), Problem> {
        let Self { centre, options, road, merger, sequencer, mut sequencing, lock, line, listener, stopping } = self;
        let merging = tokio::spawn(merge(merger, lock, sequencer.subscribe(), stopping.clone()));
        let looking = tokio::spawn(look(road.clone(), stopping.clone()));
        let stores = &centre.stores;
        let scrubbing =
            tokio::spawn(scrub::run(stores.archive.clone(), stores.ledger.clone(), centre.settings.file.scrub, stopping.clone()));
        let places = [centre.settings.staging(), centre.settings.archive()];
        let router = http::router(Http::new(road.clone(), options.limits, places, stopping.clone()));
        tokio::select! {
            () = http::serve(listener, line, router, options.limits, stopping) => {}
            // without it every answer would be "later", for ever
            _ = &mut sequencing => return Err(Problem::new(Code::IoFailed, "the sequencer broke off")),
            () = centre.db.stopped() => return Err(Problem::new(Code::DatabaseFailed, "a commit failed: only a new start reads what is true")),
        }
        road.drain().await;
        let _ = merging.await;
        let _ = looking.await;
        let _ = scrubbing.await;
        // The sequencer ends when nobody is left who could ask it for anything.
        drop((road, sequencer));
        if timeout(LAST_ROUND, sequencing).await.is_err() {
            tracing::warn!("the sequencer did not end in time; what it has committed is found at the next start");
        }
        Ok(())
    }
}

/// Merges until told to stop. What breaks it off is a defect of ours; merging begins again, because nobody else would.
async fn merge(merger: Merger, _lock: Lock, heads: watch::Receiver<Published>, mut stopping: watch::Receiver<bool>) {
    loop {
        let (merger, heads, stop) = (merger.clone(), heads.clone(), stopping.clone());
        let Err(e) = tokio::spawn(async move { merger.run(merge::WORKERS, heads, stop).await }).await else { return };
        tracing::error!("merging broke off and begins again: {e}");
        if timeout(LOOK, stopping.wait_for(|stop| *stop)).await.is_ok() {
            return;
        }
    }
}

/// Goes on, from time to time, with batches that have arrived and could not be logged.
async fn look(road: Road, mut stopping: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            _ = stopping.wait_for(|stop| *stop) => return,
            () = sleep(LOOK) => {}
        }
        if let Err(problem) = road.resume_all().await {
            tracing::warn!("staging: {problem}");
        }
    }
}

/// The way in: staging, checks, archive, sequencer.
pub fn road(centre: &Centre, sequencer: Sequencer<LedgerSqlite>) -> Result<Road, Problem> {
    let parts = Parts {
        centre: centre.settings.file.centre.clone(),
        staging: centre.staging.clone(),
        archive: centre.stores.archive.clone(),
        ledger: centre.stores.ledger.clone(),
        sequencer,
        signer: Arc::new(centre.centre_key()?),
        log: Arc::new(centre.log_key()?),
        clock: Arc::new(clock::now),
    };
    Intake::open(parts, &centre.settings.data)
}

/// The merge of a centre that publishes; `nursery` says which program opens what broke off.
pub fn merger(centre: &Centre, sequencer: Sequencer<LedgerSqlite>, nursery: Nursery) -> Result<Merger, Problem> {
    let (archive, ledger) = (centre.stores.archive.clone(), centre.stores.ledger.clone());
    Ok(Merge {
        opener: Opener::new(archive.clone(), ledger.clone(), centre.identities()?, nursery, opener::BUDGET),
        archive,
        ledger,
        registry: RegistrySqlite::new(centre.db.clone()),
        publish: Publish::To(sequencer, Arc::new(centre.centre_key()?)),
        clock: Arc::new(clock::now),
    })
}

async fn listen(options: &Options) -> Result<(TcpListener, SocketAddr), Problem> {
    let failed = |e: std::io::Error| Problem::new(Code::ConfigInvalid, format!("listen {}: {e}", options.listen));
    let listener = TcpListener::bind(&options.listen).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    if options.security == Security::PlainHere && !address.ip().is_loopback() {
        return Err(Problem::new(Code::ConfigInvalid, format!("plain HTTP on {address}, which others can reach")));
    }
    Ok((listener, address))
}

fn line(centre: &Centre, security: Security) -> Result<Line, Problem> {
    if security != Security::Tls {
        return Ok(Line::Plain);
    }
    let config = tls::config(&centre.settings)?;
    Ok(Line::Tls(TlsAcceptor::from(Arc::new(config))))
}
