//! Logged batch → merged batch: open, fold, say what became of each record.
//!
//! ```text
//!  claim ─▶ open ─▶ fold ─▶ outcome text changed? ─▶ sign version n+1 ─▶ archive ─▶ log ─▶ settle
//!  └──── workers, two by default ────┘ └──────────── one publisher ──────────────┘
//! ```
//! A batch whose claim did not end (this process died of it, or a record hung) is claimed by other workers, who open each
//! record in a child process of its own; see the opener.
//! The publisher takes all that is due at once, so that outcomes of several batches share a segment of the log, while the
//! workers open the next ones.
//!
//! Several workers open, in any order; the fold goes through the log in its order, within the transaction of whoever has opened what
//! it waited for ([`crate::rules`]).
//!
//! Each step is the same when it is done twice: a claim ends by itself, a fold begins where the last one ended, an outcome is
//! signed only while it differs from the newest logged one, and a signature over the same text is the same bytes. So a
//! crash at any point, and starting again, gives the same registry and no outcome twice.
//!
//! **Trust:** as the opener's and the sequencer's. **Invariants:** one process of a centre merges at a time (a lock
//! beside the database); nothing is published that is not under the guard; one batch that cannot be opened stops the others no longer
//! than some tries take: then it is held unopened, and what opens later has its place in the log there.

#[cfg(test)]
pub(crate) mod tests;

use std::{path::Path, sync::Arc, time::Duration};

use shared::{
    keys::Signer,
    outcome::Outcome,
    problem::{Code, Problem},
    time::Second,
};
use tokio::{
    sync::{Notify, watch},
    task::JoinSet,
};

use super::{
    Clock, Proposal, Published, Sequencer,
    opener::{NotOpened, Opener, Patience},
};
use crate::{
    durable::Lock,
    registry::{Claim, OutcomeDue, Registry, Way},
    rules::Advanced,
    store::{Archive, Ledger, Whole},
};

/// Batches that are opened at the same time, in either way.
pub const WORKERS: usize = 3;
/// A worker that has not come back after so many seconds is taken for dead.
const LEASE: i64 = 15 * 60;
/// The same for one that opens each record alone: a whole batch of poison, three children each, takes hours.
const LONG_LEASE: i64 = 12 * 3600;
/// A batch that could not be opened is tried again after so many seconds, times its attempts.
const RETRY: i64 = 20;
/// After so many tries what the archive does not give is held unopened.
const TRIES: u64 = 3;
/// Outcomes that are logged together, at most.
const TOGETHER: usize = 32;
/// In how many rounds another process may have been first.
const OVERTAKEN: u32 = 100;
/// What cannot be waited for is looked at this often.
const LOOK: Duration = Duration::from_secs(2);

/// Are outcomes published, or only computed?
#[derive(Clone)]
pub enum Publish<L> {
    /// Yes, signed by the centre's key and logged.
    To(Sequencer<L>, Arc<Signer>),
    /// No: `rebuild` compares them with those that are logged.
    Nothing,
}

/// Merges what is logged.
#[derive(Clone)]
pub struct Merge<A, L, R> {
    /// Blobs.
    pub archive: A,
    /// What the log says.
    pub ledger: L,
    /// What is merged.
    pub registry: R,
    /// Opens records.
    pub opener: Opener<A, L>,
    /// Where outcomes go.
    pub publish: Publish<L>,
    /// For leases only: nothing of it is in the registry.
    pub clock: Clock,
}

/// The right to merge: one process of a centre has it at a time.
pub fn lock(path: &Path) -> Result<Lock, Problem> {
    Lock::take(path)
}

impl<A: Archive, L: Ledger, R: Registry> Merge<A, L, R> {
    /// Merges until `stop` says so; woken by each new head. A step that is under way is ended first.
    /// The caller holds the right to merge, so that claims of a process that died need not run out first.
    pub async fn run(&self, workers: usize, heads: watch::Receiver<Published>, stop: watch::Receiver<bool>) {
        if let Err(problem) = self.registry.reclaim().await {
            tracing::warn!("merge: {problem}; what a process that died had begun waits until its claim runs out");
        }
        if let Err(problem) = self.retry_unopened(&stop).await {
            tracing::warn!("merge: {problem}; what is held unopened is tried again at the next start");
        }
        // what is opened alone may take hours; nothing else waits for it
        let broke = Arc::new(Notify::new());
        tokio::join!(
            self.keep(Way::Here, workers, &broke, heads.clone(), stop.clone()),
            self.keep(Way::Alone, workers, &broke, heads, stop)
        );
    }

    async fn keep(
        &self,
        way: Way,
        workers: usize,
        broke: &Arc<Notify>,
        mut heads: watch::Receiver<Published>,
        mut stop: watch::Receiver<bool>,
    ) {
        loop {
            heads.borrow_and_update();
            if let Err(problem) = self.pass(way, workers, broke, &stop).await {
                tracing::warn!("merge: {problem}; it is tried again");
            }
            if *stop.borrow_and_update() {
                return;
            }
            // A lease that ends and a retry that is due wake nobody: the timeout does. A new head brings no broken batch.
            let woken = async {
                tokio::select! {
                    changed = heads.changed(), if way == Way::Here => changed.is_ok(),
                    stopped = stop.changed() => stopped.is_ok(),
                    () = broke.notified(), if way == Way::Alone => true,
                }
            };
            if tokio::time::timeout(LOOK, woken).await == Ok(false) {
                return; // nobody is left who could log or stop
            }
        }
    }

    /// Opens, folds and publishes all that can be now. The first error is returned when all else is done.
    pub async fn until_idle(&self, workers: usize, stop: &watch::Receiver<bool>) -> Result<(), Problem> {
        let broke = Arc::new(Notify::new());
        let here = self.pass(Way::Here, workers, &broke, stop).await;
        here.and(self.pass(Way::Alone, workers, &broke, stop).await)
    }

    /// Opens this way, folds and publishes all that can be now.
    async fn pass(&self, way: Way, workers: usize, broke: &Arc<Notify>, stop: &watch::Receiver<bool>) -> Result<(), Problem> {
        let mut result = self.advance().await;
        let (folded, mut due) = watch::channel(());
        let mut tasks = JoinSet::new();
        for _ in 0..workers.max(1) {
            let (merge, broke, folded, stop) = (self.clone(), broke.clone(), folded.clone(), stop.clone());
            tasks.spawn(async move { merge.work(way, &broke, &folded, &stop).await });
        }
        loop {
            let ended = tokio::select! {
                ended = tasks.join_next() => match ended {
                    Some(worker) => worker.unwrap_or_else(|e| Err(Problem::new(Code::Unopened, format!("a worker broke off: {e}")))),
                    None => break,
                },
                Ok(()) = due.changed() => self.publish_due(stop).await,
            };
            result = result.and(ended);
        }
        result.and(self.publish_due(stop).await)
    }

    /// One worker: batch after batch, each folded before the next is claimed.
    async fn work(&self, way: Way, broke: &Notify, folded: &watch::Sender<()>, stop: &watch::Receiver<bool>) -> Result<(), Problem> {
        let mut result = Ok(());
        while !*stop.borrow() {
            let now = (self.clock)();
            let lease = if way == Way::Here { LEASE } else { LONG_LEASE };
            // A crash after this, before the fold or the release: the next start opens the batch's records alone.
            let Some(claim) = self.registry.claim(way, now, Second::from_unix(now.unix() + lease)).await? else { break };
            match self.merge(claim, way, stop).await {
                Ok(()) => {}
                Err(NotOpened::Broke) => {
                    tracing::warn!(batch = %claim.batch, "a record broke off; each is opened alone now");
                    self.registry.release(claim.batch, Way::Alone, now).await?;
                    broke.notify_one();
                }
                Err(NotOpened::Stopping) => self.registry.release(claim.batch, way, now).await?,
                Err(NotOpened::Later(problem)) => {
                    tracing::warn!(batch = %claim.batch, attempts = claim.attempts + 1, "not opened: {problem}");
                    let wait = RETRY * i64::try_from(claim.attempts.min(30) + 1).expect("at most 31");
                    self.registry.release(claim.batch, way, Second::from_unix(now.unix() + wait)).await?;
                    result = result.and(Err(problem));
                }
            }
            folded.send_replace(());
        }
        result
    }

    async fn merge(&self, claim: Claim, way: Way, stop: &watch::Receiver<bool>) -> Result<(), NotOpened> {
        let unknown = || Problem::new(Code::DatabaseFailed, "a batch of the queue is not in the ledger");
        let batch = self.ledger.batch(claim.batch).await?.ok_or_else(unknown)?;
        // all later batches wait for this one: not for ever
        let patience = if claim.attempts < TRIES { Patience::Waits } else { Patience::Over };
        let opened = self.opener.open_with(&batch, way, patience, stop).await?;
        // A crash before this leaves the batch to be claimed again; after it, it is done.
        match self.registry.fold(opened).await? {
            Advanced::More => Ok(self.advance().await?),
            Advanced::Done | Advanced::Waits => Ok(()),
        }
    }

    /// Folds all that can be folded now.
    async fn advance(&self) -> Result<(), Problem> {
        while self.registry.advance().await? == Advanced::More {}
        Ok(())
    }

    /// What is held unopened is tried once a start: this may be newer software, or a larger machine. What opens now gets an entry,
    /// which is its place in the log.
    pub(crate) async fn retry_unopened(&self, stop: &watch::Receiver<bool>) -> Result<(), Problem> {
        self.advance().await?;
        for id in self.registry.unopened().await? {
            let Some(batch) = self.ledger.batch(id).await? else { continue };
            let opened = match self.opener.open_with(&batch, Way::Alone, Patience::Over, stop).await {
                Ok(opened) => opened,
                Err(NotOpened::Stopping) => return Ok(()),
                Err(NotOpened::Later(problem)) => return Err(problem),
                Err(NotOpened::Broke) => continue,
            };
            self.registry.fold(opened).await?;
        }
        // A crash before this: the next start finds them again.
        if let Publish::To(sequencer, _) = &self.publish {
            for id in self.registry.unsaid().await? {
                if self.ledger.outcome(id).await?.is_some() {
                    sequencer.log(Proposal::Opened(id)).await?;
                }
            }
        }
        self.advance().await
    }

    /// Says what became of records where that is not what was said last. First outcomes are logged in the order of batches.
    async fn publish_due(&self, stop: &watch::Receiver<bool>) -> Result<(), Problem> {
        let Publish::To(sequencer, centre) = &self.publish else { return Ok(()) };
        let mut overtaken = 0;
        while !*stop.borrow() {
            let due = self.registry.outcomes_due(TOGETHER).await?;
            if due.is_empty() {
                return Ok(());
            }
            let mut queued = Vec::with_capacity(due.len());
            for said in self.sign_all(&due, centre).await? {
                queued.push(match said {
                    Some(outcome) => Some(sequencer.queue(Proposal::Outcome(outcome)).await?),
                    None => None,
                });
            }
            let mut result = Ok(());
            for (due, queued) in due.into_iter().zip(queued) {
                let logged = match queued {
                    Some(queued) => queued.logged().await.map(drop),
                    None => Ok(()),
                };
                match logged {
                    // A crash before this leaves the outcome logged and still due: then it no longer differs and is settled.
                    Ok(()) => result = result.and(self.registry.settle(due.batch, due.lines).await),
                    // another process was first: look again, but not for ever
                    Err(p) if p.code == Code::OutcomeInvalid && overtaken < OVERTAKEN => overtaken += 1,
                    Err(problem) => result = result.and(Err(problem)),
                }
            }
            result?;
            // a batch with a record that is held unopened let nobody pass before
            self.advance().await?;
        }
        Ok(())
    }

    /// Signs and archives what is to be said, all at the same time; none where it was said before.
    async fn sign_all(&self, due: &[OutcomeDue], centre: &Arc<Signer>) -> Result<Vec<Option<Outcome>>, Problem> {
        let mut saying = JoinSet::new();
        for (n, due) in due.iter().enumerate() {
            let (archive, centre, due) = (self.archive.clone(), centre.clone(), due.clone());
            saying.spawn(async move { say(&archive, &centre, &due).await.map(|said| (n, said)) });
        }
        let mut said: Vec<Option<Outcome>> = vec![None; due.len()];
        while let Some(one) = saying.join_next().await {
            let (n, outcome) = one.unwrap_or_else(|e| Err(Problem::new(Code::Unopened, format!("the publisher broke off: {e}"))))?;
            said[n] = outcome;
        }
        Ok(said)
    }
}

/// Signs and archives an outcome, unless it was said before.
async fn say(archive: &impl Archive, centre: &Signer, due: &OutcomeDue) -> Result<Option<Outcome>, Problem> {
    let newest = due.published.as_ref();
    if newest.is_some_and(|(_, lines)| *lines == due.lines) {
        return Ok(None);
    }
    let version = newest.map_or(0, |(version, _)| *version) + 1;
    let outcome = Outcome::sign(due.batch, version, due.lines.clone(), centre);
    let note = outcome.note();
    // A crash after this leaves a blob that nobody names; the same one is written again.
    archive.put(note.blob(), Whole::new(note.as_bytes())).await?;
    Ok(Some(outcome))
}
