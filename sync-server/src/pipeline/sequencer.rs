//! The sequencer: one round for all who wait.
//!
//! **Invariants:** one round at a time in this process, and by the lock in all processes of this machine; the log key
//! signs only what a round, or the ledger after one, has shown to be under the guard. A round that breaks off fails
//! those who waited for it and no later one: each begins by reading guard and ledger again.

use std::{collections::HashSet, path::PathBuf, sync::Arc, time::Duration};

use shared::{
    id::LogIndex,
    keys::Signer,
    log::{Head, TlogProof, checkpoint},
    note::Note,
    problem::{Code, Problem},
    verify::VerifiedBatch,
};
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::JoinHandle,
};

use super::{
    Clock, Logged, Proposal, Stores, Subject, belongs_together,
    round::{Ended, Rounds},
};
use crate::store::{Archive, Guard, Ledger, Position};

/// Most proposals in one round: 256 entries of at most 1 KiB make a small segment.
const MOST: usize = 256;
/// An idle log gets a `time` entry when its last one is this old: within the day that the clock may run ahead.
const SILENCE: i64 = 23 * 3600;
/// How often the idle log is looked at.
const LOOK: Duration = Duration::from_mins(10);

/// Does this process keep log time going while nothing happens?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Idle {
    /// Yes: a server.
    KeepTime,
    /// No: a command that ends soon.
    Quiet,
}

/// Where the log stands, and the signed checkpoint that says so.
#[derive(Debug, Clone)]
pub struct Published {
    /// The position of the ledger, which is under the guard.
    pub position: Position,
    /// The checkpoint of its head.
    pub checkpoint: Arc<Note>,
}

impl Published {
    /// Size and root.
    pub fn head(&self) -> Head {
        self.position.line.head
    }
    /// Proof that an entry is in the log that it shows (C2SP tlog-proof).
    pub async fn prove(&self, ledger: &impl Ledger, index: LogIndex) -> Result<TlogProof, Problem> {
        let leaf = ledger.entry(index).await?.ok_or_else(|| Problem::new(Code::DatabaseFailed, format!("entry {index} is not there")))?;
        let hashes = ledger.inclusion(self.head().size, index).await?;
        Ok(TlogProof { leaf, index, hashes, checkpoint: self.checkpoint.as_bytes().to_vec() })
    }
}

struct Waiting {
    proposal: Proposal,
    caller: oneshot::Sender<Result<Logged, Problem>>,
}

/// Something that is on its way into the log.
#[must_use]
pub struct Queued(oneshot::Receiver<Result<Logged, Problem>>);

impl Queued {
    /// Returns when it is under the guard and in the ledger.
    pub async fn logged(self) -> Result<Logged, Problem> {
        self.0.await.map_err(|_| stopped())?
    }
}

fn stopped() -> Problem {
    Problem::new(Code::Busy, "the sequencer has stopped")
}

/// The sequencer of this process. Clones share it; it ends when the last one is dropped.
#[derive(Clone)]
pub struct Sequencer<L> {
    queue: mpsc::Sender<Waiting>,
    ledger: L,
    signer: Arc<Signer>,
    published: watch::Sender<Published>,
}

impl<L: Ledger> Sequencer<L> {
    /// Catches up, then serves. Refuses to start on a log that it cannot bring to the guard's head.
    pub async fn start<A: Archive, G: Guard>(
        stores: Stores<A, G, L>,
        signer: Arc<Signer>,
        lock: PathBuf,
        clock: Clock,
        idle: Idle,
    ) -> Result<(Self, JoinHandle<()>), Problem> {
        let ledger = stores.ledger.clone();
        belongs_together(&stores).await?;
        let rounds = Rounds { stores, lock, clock };
        let position = rounds.run(&[]).await?.position;
        let (queue, waiting) = mpsc::channel(4 * MOST);
        let (published, _) = watch::channel(sign(&signer, position));
        let rounds = Arc::new(rounds);
        let work = Work { rounds, waiting, left: Vec::new(), signer: signer.clone(), published: published.clone(), idle };
        let task = tokio::spawn(work.serve());
        Ok((Self { queue, ledger, signer, published }, task))
    }

    /// Has something logged: returns when it is under the guard and in the ledger. Proposing the same again gives
    /// the entry that is there.
    pub async fn log(&self, proposal: Proposal) -> Result<Logged, Problem> {
        self.queue(proposal).await?.logged().await
    }

    /// Takes its turn: what is queued later is logged later, unless another of its kind is in the way.
    pub async fn queue(&self, proposal: Proposal) -> Result<Queued, Problem> {
        let (caller, answer) = oneshot::channel();
        self.queue.send(Waiting { proposal, caller }).await.map_err(|_| stopped())?;
        Ok(Queued(answer))
    }

    /// Has a batch logged.
    pub async fn log_batch(&self, batch: VerifiedBatch) -> Result<LoggedBatch, Problem> {
        self.log(Proposal::Batch(batch)).await.map(LoggedBatch)
    }

    /// The newest head that may leave the centre, signed; also what another process has logged meanwhile.
    pub async fn published(&self) -> Result<Published, Problem> {
        let position = self.ledger.position().await?;
        publish(&self.published, &self.signer, position);
        Ok(self.published.borrow().clone())
    }

    /// Wakes up whenever the log has grown.
    pub fn subscribe(&self) -> watch::Receiver<Published> {
        self.published.subscribe()
    }
}

/// A batch that is in the log: from here on the centre owns it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedBatch(Logged);

impl LoggedBatch {
    /// Its entry.
    pub fn logged(&self) -> &Logged {
        &self.0
    }
}

fn sign(signer: &Signer, position: Position) -> Published {
    Published { position, checkpoint: Arc::new(checkpoint(position.line.head, signer)) }
}

/// 5. Signs a head that is under the guard, unless a newer one was signed meanwhile.
fn publish(published: &watch::Sender<Published>, signer: &Signer, position: Position) {
    published.send_if_modified(|present| {
        let newer = position.line.head.size > present.head().size;
        if newer {
            *present = sign(signer, position);
        }
        newer
    });
}

struct Work<A, G, L> {
    rounds: Arc<Rounds<A, G, L>>,
    waiting: mpsc::Receiver<Waiting>,
    /// Proposals that had to let another about their subject go first.
    left: Vec<Waiting>,
    signer: Arc<Signer>,
    published: watch::Sender<Published>,
    idle: Idle,
}

impl<A: Archive, G: Guard, L: Ledger> Work<A, G, L> {
    async fn serve(mut self) {
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            if self.left.is_empty() {
                tokio::select! {
                    waiting = self.waiting.recv() => match waiting {
                        Some(waiting) => self.left.push(waiting),
                        None => return,
                    },
                    _ = look.tick(), if self.idle == Idle::KeepTime => {
                        self.keep_time().await;
                        continue;
                    }
                }
            }
            while self.left.len() < 4 * MOST
                && let Ok(waiting) = self.waiting.try_recv()
            {
                self.left.push(waiting);
            }
            let group = self.group();
            self.round(group).await;
        }
    }

    /// As many as can stand in one segment, in the order in which they came.
    fn group(&mut self) -> Vec<Waiting> {
        let (mut group, mut later, mut subjects) = (Vec::new(), Vec::new(), HashSet::new());
        let mut closed = false;
        for waiting in self.left.drain(..) {
            let subject = waiting.proposal.subject();
            let alone = subject == Subject::Everything;
            closed |= group.len() >= MOST || (alone && !group.is_empty());
            // a subject that had to wait once waits on: its proposals keep their order
            if closed || (subject != Subject::Own && !subjects.insert(subject)) {
                later.push(waiting);
            } else {
                group.push(waiting);
                closed |= alone;
            }
        }
        self.left = later;
        group
    }

    async fn round(&self, group: Vec<Waiting>) {
        let (proposals, callers): (Vec<_>, Vec<_>) = group.into_iter().map(|w| (w.proposal, w.caller)).unzip();
        match self.run(proposals).await {
            Ok(Ended { answers, position }) => {
                publish(&self.published, &self.signer, position);
                // 6. Only now does anybody learn of it. A caller that has gone away asks again and gets its entry.
                for (caller, answer) in callers.into_iter().zip(answers) {
                    let _ = caller.send(answer);
                }
            }
            Err(problem) => {
                tracing::warn!("a round of the sequencer failed: {problem}");
                for caller in callers {
                    let _ = caller.send(Err(problem.clone()));
                }
            }
        }
    }

    /// In a task of its own: what breaks off there (a fault of this software) ends no more than the round.
    async fn run(&self, proposals: Vec<Proposal>) -> Result<Ended, Problem> {
        let rounds = self.rounds.clone();
        let round = tokio::spawn(async move { rounds.run(&proposals).await });
        round.await.unwrap_or_else(|_| Err(Problem::new(Code::Busy, "a round of the sequencer broke off")))
    }

    async fn keep_time(&self) {
        let last = match self.run(Vec::new()).await {
            Ok(ended) => ended.position.received,
            Err(problem) => return tracing::warn!("the log cannot go on: {problem}"),
        };
        if (self.rounds.clock)().unix() - last.unix() < SILENCE {
            return;
        }
        match self.run(vec![Proposal::Time]).await {
            Ok(ended) => publish(&self.published, &self.signer, ended.position),
            Err(problem) => tracing::warn!("log time stands still: {problem}"),
        }
    }
}
