//! Logged batch → what its records say: the only stage that reads personal data.
//!
//! For each record line, in this order; the first that fails decides, and only for this line:
//!
//! 1. the line's size is within what one record may cost;
//! 2. its slice of the archived payload has the signed digest (`record-digest`);
//! 3. the age header names two recipients of the kind that the line's roster demands (`not-age`, `recipients-wrong`);
//! 4. the line's roster has the form (`form-unknown`);
//! 5. [`shared::seal::open`] within the signed limits: decrypt, unpack, parse, inside = line;
//! 6. the form holds for the content and for the headers of its images (`form-invalid`, `image-invalid`, …).
//!
//! While steps 3 to 6 of one record run in this process, 1 and 2 of the next one do.
//!
//! Steps 3 to 6 run in this process ([`Way::Here`]) until a batch's attempt does not end: a record broke this process, or
//! hung in it. Then each record of that batch is opened in a child process of its own ([`Way::Alone`]), where only the
//! one that is to blame dies. A child that died while this process lived counts; after [`TRIES`] of them the record is
//! unopened, and all others of the batch go on.
//!
//! **Trust:** manifest and payload come from the archive of this centre's own log; their signer may be hostile.
//! **Invariants:** a verdict rests on signed bytes only. What may be this centre's own fault (a rotten archive, a
//! missing identity or form file) is an error and tried again, never a verdict, because a verdict is final. Opening
//! takes its memory from one budget; what was readable is wiped before the next record is opened.

mod known;
mod record;
mod wire;
mod alone;
pub mod child;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use shared::{
    batch::{Manifest, RecordLine},
    form::Form,
    id::{Blob, SealedDigest},
    merge::Essence,
    problem::{Code, Problem},
    roster::TrustedRoster,
    seal::{Expected, Identity, Limits},
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::{sleep, timeout},
};
use zeroize::Zeroizing;

pub use self::alone::Nursery;
use self::{
    alone::Child,
    known::Known,
    record::{Job, Stop},
};
use crate::{
    registry::{Came, Delivery, OpenedBatch, Way, record_key},
    store::{Archive, BatchFacts, Ledger, blocking},
};

/// Memory for opening, in bytes, when nothing else is configured.
pub const BUDGET: u64 = 256 << 20;
/// Children that may die of a record before it counts as unopened.
const TRIES: u32 = 3;
/// Between two of them, times the number of the try: what the machine lacked for a moment may be there again.
const PAUSE: Duration = Duration::from_secs(1);
/// How long a record may be at work in this process.
const PATIENCE: Duration = Duration::from_mins(1);
/// The budget is counted in these.
const UNIT: u64 = 1024;

/// What the archive may lack: other batches do not wait for it for ever, as they do for an identity that is not here.
const ARCHIVES: [Code; 3] = [Code::ArchiveMissing, Code::ArchiveDamaged, Code::IoFailed];

/// Does anybody wait for what the archive does not give now?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// Yes: it is tried again.
    Waits,
    /// No: it is held unopened, and tried again at each start.
    Over,
}

/// Opens the records of logged batches. Clones share the budget.
#[derive(Clone)]
pub struct Opener<A, L> {
    archive: A,
    known: Known<A, L>,
    identities: Arc<Vec<Identity>>,
    nursery: Nursery,
    budget: Arc<Semaphore>,
    units: u32,
    /// A record hangs in this process, and a thread can't be ended: nothing more is opened here.
    hung: Arc<AtomicBool>,
}

/// Why nothing was decided of a batch.
#[derive(Debug)]
pub enum NotOpened {
    /// A record broke off or hung: each must be opened alone.
    Broke,
    /// Something is missing or busy here; try again later.
    Later(Problem),
    /// The process is told to stop.
    Stopping,
}

impl From<Problem> for NotOpened {
    fn from(problem: Problem) -> Self {
        Self::Later(problem)
    }
}

/// A record, ready to be opened; with the right to so much memory.
struct Ready {
    sealed: Zeroizing<Vec<u8>>,
    job: Job,
    permit: OwnedSemaphorePermit,
}

impl<A: Archive, L: Ledger> Opener<A, L> {
    /// With the working identity and those retired; `budget` in bytes.
    pub fn new(archive: A, ledger: L, identities: Vec<Identity>, nursery: Nursery, budget: u64) -> Self {
        let units = u32::try_from(budget.div_ceil(UNIT)).unwrap_or(u32::MAX / 2).max(1);
        let known = Known::new(archive.clone(), ledger, identities.iter().map(|identity| identity.recipient().to_string()).collect());
        let (identities, budget) = (Arc::new(identities), Arc::new(Semaphore::new(units as usize)));
        Self { archive, known, identities, nursery, budget, units, hung: Arc::default() }
    }

    /// Opens every record line of a batch, or decides nothing.
    pub async fn open(&self, batch: &BatchFacts, way: Way, stop: &watch::Receiver<bool>) -> Result<OpenedBatch, NotOpened> {
        self.open_with(batch, way, Patience::Waits, stop).await
    }

    /// The same; when there is no more patience, what the archive does not give is unopened: nobody waits for it any longer.
    pub async fn open_with(
        &self,
        batch: &BatchFacts,
        way: Way,
        patience: Patience,
        stop: &watch::Receiver<bool>,
    ) -> Result<OpenedBatch, NotOpened> {
        let manifest = Manifest::parse(&self.archive.get(batch.manifest).await?)?;
        let facts = manifest.facts();
        let mut deliveries: Vec<Delivery> = Vec::with_capacity(facts.lines.len());
        let lines = (0_u64..).zip(&facts.lines).filter_map(|(n, line)| match line {
            shared::batch::Line::Record(record) => Some((n, record)),
            shared::batch::Line::Withdrawn(_) => None,
        });
        let lines: Vec<_> = lines.zip(facts.records_at()).map(|((position, line), (start, _))| (position, line, start)).collect();
        let mut read = None;
        for (n, &(position, line, start)) in lines.iter().enumerate() {
            if *stop.borrow() {
                return Err(NotOpened::Stopping);
            }
            let ready = match read.take() {
                Some(ready) => ready,
                None => self.ready(batch, line, start).await,
            };
            // The next record is read while this one is opened, but not while it may keep children busy for a minute: what is
            // ready holds its share of the memory.
            let ahead = async {
                Ok(match lines.get(n + 1) {
                    Some(&(_, line, start)) if way == Way::Here => Some(self.ready(batch, line, start).await),
                    _ => None,
                })
            };
            let judged = async { given_up(patience, self.judge(batch, line, ready, way, stop).await) };
            // an error does not wait for the next one's memory, which a record that hangs may have
            let (found, next) = tokio::try_join!(judged, ahead)?;
            deliveries.push(delivery(batch, position, line, found));
            read = next;
        }
        Ok(OpenedBatch { batch: batch.id, deliveries })
    }

    /// Steps 3 to 6.
    async fn judge(
        &self,
        batch: &BatchFacts,
        line: &RecordLine,
        ready: Result<Ready, Stop>,
        way: Way,
        stop: &watch::Receiver<bool>,
    ) -> Result<Came, NotOpened> {
        let ready = match ready {
            Ok(ready) => ready,
            Err(stop) => return found(Err(stop)),
        };
        match way {
            Way::Here => found(self.here(ready).await?),
            Way::Alone => match self.alone(batch, line, ready, stop).await? {
                Some(came) => found(came),
                None => Ok(Came::Unopened),
            },
        }
    }

    /// Steps 1 and 2, and what the others need.
    async fn ready(&self, batch: &BatchFacts, line: &RecordLine, start: u64) -> Result<Ready, Stop> {
        let roster = self.known.roster(line.facts.roster).await.map_err(Stop::Failed)?;
        // 1. size
        let limits = Limits::default();
        if line.facts.size > limits.sealed || line.facts.plain > limits.plain {
            return Err(Stop::Refused(Code::RecordTooLarge));
        }
        // sealed, what age gives, what zstd gives
        let cost = 2 * line.facts.size + line.facts.plain;
        let units = u32::try_from(cost.div_ceil(UNIT)).unwrap_or(self.units).min(self.units);
        let permit = self.budget.clone().acquire_many_owned(units).await;
        let permit = permit.map_err(|_| Stop::Failed(Problem::new(Code::Busy, "the opener is closing")))?;
        // 2. digest
        let sealed = Zeroizing::new(self.slice(batch, line, start).await?);
        let form = self.form(line, &roster).await;
        let kind = roster.facts().recipients.working.kind();
        let logged = self.known.logged(line.facts.roster).await.map_err(Stop::Failed)?;
        let day = [logged, batch.received];
        Ok(Ready { sealed, job: Job { kind, expected: expected(batch, line), form, day }, permit })
    }

    /// The form that a line names, where what is sealed under this roster can be opened.
    async fn form(&self, line: &RecordLine, roster: &TrustedRoster) -> Result<Option<Arc<Form>>, Problem> {
        let form = match roster.facts().form(&line.facts.form) {
            Some(named) => Some(self.known.form(named).await?),
            None => return Ok(None), // a verdict that no identity is needed for
        };
        self.known.can_open(roster).map(|()| form)
    }

    /// Steps 3 to 6 in this process. A panic, or a record that takes for ever, decides nothing yet.
    async fn here(&self, ready: Ready) -> Result<Result<Essence, Stop>, NotOpened> {
        if self.hung.load(Ordering::Relaxed) {
            return Err(NotOpened::Broke);
        }
        let identities = self.identities.clone();
        let work = tokio::task::spawn_blocking(move || {
            let done = record::open(&ready.sealed, &ready.job, &identities);
            drop(ready.permit);
            done
        });
        match timeout(PATIENCE, work).await {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(_panic)) => Err(NotOpened::Broke),
            Err(_) => {
                tracing::error!("opening a record does not end; from now on each is opened in a process of its own, until the next start");
                self.hung.store(true, Ordering::Relaxed);
                Err(NotOpened::Broke)
            }
        }
    }

    /// Steps 3 to 6 in a child process; none when as many children as may have died of it.
    async fn alone(
        &self,
        batch: &BatchFacts,
        line: &RecordLine,
        ready: Ready,
        stop: &watch::Receiver<bool>,
    ) -> Result<Option<Result<Essence, Stop>>, NotOpened> {
        let Ready { sealed, job, permit } = ready;
        let file = match &job.form {
            Ok(Some(form)) => self.archive.get(form.blob()).await?,
            _ => Vec::new(),
        };
        let messages = Arc::new(wire::ask(sealed, &job, file, &self.identities));
        for n in 1..=TRIES {
            let (nursery, messages) = (self.nursery.clone(), messages.clone());
            match blocking(move || nursery.open(&messages)).await {
                Child::Back(came) => return Ok(Some(told(came, &job))),
                Child::ToNothing(problem) => return Err(NotOpened::Later(problem)),
                Child::ToDeath(how) => {
                    tracing::warn!(batch = %batch.id, number = %line.facts.number, "opening a record, try {n} of {TRIES}: {how}");
                }
            }
            if *stop.borrow() {
                return Err(NotOpened::Stopping);
            }
            if n < TRIES {
                sleep(PAUSE * n).await;
            }
        }
        drop(permit);
        let (unit, record) = (&batch.unit, line.facts.record);
        tracing::error!(%unit, %record, number = %line.facts.number, "held unopened: opening this record broke off {TRIES} times");
        Ok(None)
    }

    /// Reads the line's slice. Wrong bytes are the unit's only if the payload as a whole is still the one it signed.
    async fn slice(&self, batch: &BatchFacts, line: &RecordLine, start: u64) -> Result<Vec<u8>, Stop> {
        let payload = Blob::from_bytes(*batch.payload.as_bytes());
        let size = usize::try_from(line.facts.size).expect("at most 16 MiB");
        let sealed = self.archive.range(payload, start, size).await.map_err(Stop::Failed)?;
        if SealedDigest::of(&sealed) == line.facts.digest {
            return Ok(sealed);
        }
        self.archive.verify(payload).await.map_err(Stop::Failed)?;
        Err(Stop::Refused(Code::RecordDigest))
    }
}

/// What the archive does not give, and nobody waits for any more, is unopened.
fn given_up(patience: Patience, judged: Result<Came, NotOpened>) -> Result<Came, NotOpened> {
    match judged {
        Err(NotOpened::Later(problem)) if patience == Patience::Over && ARCHIVES.contains(&problem.code) => {
            tracing::error!("held unopened: {problem}");
            Ok(Came::Unopened)
        }
        judged => judged,
    }
}

/// A child that lacked something says its code only.
fn told(came: Result<Essence, Stop>, job: &Job) -> Result<Essence, Stop> {
    match (came, &job.form) {
        (Err(Stop::Failed(_)), Err(lacks)) => Err(Stop::Failed(lacks.clone())),
        (came, _) => came,
    }
}

fn found(came: Result<Essence, Stop>) -> Result<Came, NotOpened> {
    match came {
        Ok(essence) => Ok(Came::AsSigned(Box::new(essence))),
        Err(Stop::Refused(code)) => Ok(Came::Refused(code)),
        Err(Stop::Failed(problem)) => Err(NotOpened::Later(problem)),
    }
}

/// What the line states. The form adds its padding.
fn expected(batch: &BatchFacts, line: &RecordLine) -> Expected {
    let facts = &line.facts;
    Expected {
        sealed_size: facts.size,
        plain: facts.plain,
        pad: 0,
        record_id: facts.record,
        unit: batch.unit.clone(),
        agent: facts.agent.clone(),
        transaction: facts.transaction,
        form: facts.form.clone(),
        finished: facts.finished,
    }
}

fn delivery(batch: &BatchFacts, position: u64, line: &RecordLine, came: Came) -> Delivery {
    Delivery { line: position, key: record_key(&batch.unit, line.facts.record, line.facts.digest), came }
}
