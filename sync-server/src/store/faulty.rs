//! Stores that fail at a chosen act, in each way in which disks, networks and programs do: a wrapper around every seam.
//!
//! An *act* is a call that changes something durable, a *read* is any other. Both are counted by their name, so that
//! a run without faults tells which there are, and the k-th of each can be made to fail in another.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use shared::{
    decision::{DecisionLine, RecordKey},
    force::Life,
    hello::Known,
    id::{BatchId, Blob, CaseRef, LogIndex, Member, NoteId, Number, Place, RecordId, ResidentRef, RosterVersion},
    keys::KeyRef,
    log::{GuardLine, Hash, Head, HeadEntry, Segment},
    merge::Resident,
    outcome::OutcomeLine,
    problem::{Code, Problem},
    time::Second,
    verify::PayloadHash,
};

use super::{
    AnnouncedBatch, Application, Archive, BatchFacts, DecisionFacts, Extent, Gap, Guard, HeadWitness, Heard, HelloFacts, Ledger, LineFacts,
    OutcomeFacts, Pieces, Position, RosterFacts, Staging, Swap, Upload,
};
use crate::{
    access::personal::Unrecorded,
    registry::{
        About, Among, BatchCase, Case, CaseContent, Claim, DecidedLine, Filter, Hint, LateWithdrawal, MissingNumbers, OpenedBatch,
        OutcomeDue, Page, Registry, Search, Shared, Signed, Summary, Trace, Way,
    },
    rules::{Advanced, decisions::Needs},
};

/// How a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// An error, and nothing was done.
    Undone,
    /// An error, but it was done.
    Done,
    /// An error, and a part of it was done: only of acts that are made of parts.
    Cut,
    /// The program breaks off before it.
    Panic,
    /// The program breaks off after it.
    PanicDone,
    /// It is done, late: others act meanwhile.
    Late,
    /// No error, but nothing was done: no disk that a program could live with does this, a check must find it.
    Lie,
}

/// What becomes of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    /// It goes on.
    Lives,
    /// Nothing of it reaches a store any more.
    Dies,
}

/// What is to fail.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    /// `Seam::method`.
    pub(crate) name: &'static str,
    /// Which call of it, from 1.
    pub(crate) call: u64,
    /// How.
    pub(crate) how: How,
    /// And then?
    pub(crate) then: Then,
}

/// What a wanted panic says.
pub(crate) const AS_A_FAULT: &str = "as a fault of the program would";

/// Acts that can be cut.
pub(crate) const PARTS: [&str; 3] = ["Staging::append", "Archive::put", "Archive::put_segment"];

#[derive(Default)]
struct Inner {
    plan: Option<Plan>,
    acts: Mutex<BTreeMap<&'static str, u64>>,
    reads: Mutex<BTreeMap<&'static str, u64>>,
    met: AtomicBool,
    dead: AtomicBool,
}

/// What fails in one run. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Faults(Arc<Inner>);

fn failed() -> Problem {
    Problem::new(Code::IoFailed, "as a failing disk would")
}

impl Faults {
    pub(crate) fn of(plan: Plan) -> Self {
        Self(Arc::new(Inner { plan: Some(plan), ..Inner::default() }))
    }

    /// Was the planned call made?
    pub(crate) fn met(&self) -> bool {
        self.0.met.load(Ordering::SeqCst)
    }

    pub(crate) fn dead(&self) -> bool {
        self.0.dead.load(Ordering::SeqCst)
    }

    /// Acts so far, by name.
    pub(crate) fn acts(&self) -> BTreeMap<&'static str, u64> {
        self.0.acts.lock().expect("nobody panics while holding it").clone()
    }

    /// Reads so far, by name.
    pub(crate) fn reads(&self) -> BTreeMap<&'static str, u64> {
        self.0.reads.lock().expect("nobody panics while holding it").clone()
    }

    /// Counts a call; says how it fails if it is the planned one.
    fn meet(&self, calls: &Mutex<BTreeMap<&'static str, u64>>, name: &'static str) -> Result<Option<Plan>, Problem> {
        if self.dead() {
            return Err(failed());
        }
        let mut calls = calls.lock().expect("nobody panics while holding it");
        let call = calls.entry(name).or_default();
        *call += 1;
        let plan = self.0.plan.filter(|plan| plan.name == name && plan.call == *call);
        if plan.is_some() {
            self.0.met.store(true, Ordering::SeqCst);
        }
        Ok(plan)
    }

    fn end(&self, plan: Plan) -> Problem {
        self.0.dead.store(plan.then == Then::Dies, Ordering::SeqCst);
        assert!(!matches!(plan.how, How::Panic | How::PanicDone), "{AS_A_FAULT}");
        failed()
    }

    async fn around<T>(&self, plan: Option<Plan>, work: impl Future<Output = Result<T, Problem>>) -> Result<T, Problem> {
        let Some(plan) = plan else { return work.await };
        match plan.how {
            How::Undone | How::Cut | How::Lie | How::Panic => Err(self.end(plan)),
            How::Done | How::PanicDone => {
                work.await?;
                Err(self.end(plan))
            }
            How::Late => {
                tokio::time::sleep(Duration::from_millis(4)).await;
                let done = work.await;
                tokio::time::sleep(Duration::from_millis(4)).await;
                done
            }
        }
    }

    async fn act<T>(&self, name: &'static str, work: impl Future<Output = Result<T, Problem>>) -> Result<T, Problem> {
        self.around(self.meet(&self.0.acts, name)?, work).await
    }

    async fn read<T>(&self, name: &'static str, work: impl Future<Output = Result<T, Problem>>) -> Result<T, Problem> {
        self.around(self.meet(&self.0.reads, name)?, work).await
    }
}

/// The planned act, if it is to be cut.
fn cut(plan: Option<Plan>) -> Option<Plan> {
    plan.filter(|plan| plan.how == How::Cut)
}

/// A store that may fail.
#[derive(Clone)]
pub(crate) struct Faulty<T> {
    pub(crate) inner: T,
    pub(crate) faults: Faults,
}

impl<T> Faulty<T> {
    pub(crate) fn new(inner: T, faults: &Faults) -> Self {
        Self { inner, faults: faults.clone() }
    }
}

macro_rules! seam {
    ($seam:literal $($kind:ident $name:ident($($arg:ident: $type:ty),*) -> $out:ty;)*) => {$(
        async fn $name(&self, $($arg: $type),*) -> Result<$out, Problem> {
            self.faults.$kind(concat!($seam, "::", stringify!($name)), self.inner.$name($($arg),*)).await
        }
    )*};
}

impl<S: Staging> Staging for Faulty<S> {
    type Upload = Faulty<S::Upload>;
    type Pieces = S::Pieces;

    async fn upload(&self, batch: BatchId, offset: u64) -> Result<Self::Upload, Problem> {
        let upload = self.faults.act("Staging::upload", self.inner.upload(batch, offset)).await?;
        Ok(Faulty::new(upload, &self.faults))
    }
    seam! { "Staging"
        act announce(batch: BatchId, manifest: Vec<u8>) -> ();
        read manifest(batch: BatchId) -> Option<Vec<u8>>;
        read announced() -> Vec<BatchId>;
        read offset(batch: BatchId) -> u64;
        act restart(batch: BatchId) -> ();
        read read(batch: BatchId, offset: u64, len: usize) -> Vec<u8>;
        read payload(batch: BatchId) -> (PayloadHash, S::Pieces);
        act forget(batch: BatchId) -> ();
    }
}

impl<U: Upload> Upload for Faulty<U> {
    type Pieces = U::Pieces;

    fn durable(&self) -> u64 {
        self.inner.durable()
    }
    fn written(&self) -> u64 {
        self.inner.written()
    }
    async fn append(self, mut piece: Vec<u8>) -> Result<Self, Problem> {
        let Self { inner, faults } = self;
        let plan = faults.meet(&faults.0.acts, "Staging::append")?;
        if let Some(plan) = cut(plan) {
            piece.truncate(piece.len() / 2);
            inner.append(piece).await?.sync().await?;
            return Err(faults.end(plan));
        }
        let inner = faults.around(plan, inner.append(piece)).await?;
        Ok(Self { inner, faults })
    }
    async fn sync(self) -> Result<Self, Problem> {
        let Self { inner, faults } = self;
        let inner = faults.act("Staging::sync", inner.sync()).await?;
        Ok(Self { inner, faults })
    }
    async fn whole(self) -> Result<(PayloadHash, U::Pieces), Problem> {
        let Self { inner, faults } = self;
        faults.act("Staging::whole", inner.whole()).await
    }
}

/// Ends in an error after half of the first piece.
struct Half<P>(Option<P>);

impl<P: Pieces> Pieces for Half<P> {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, Problem> {
        let Some(mut pieces) = self.0.take() else { return Err(failed()) };
        let piece = pieces.next().await?;
        Ok(piece.map(|piece| piece[..piece.len() / 2].to_vec()))
    }
}

impl<A: Archive> Archive for Faulty<A> {
    async fn put<P: Pieces>(&self, blob: Blob, pieces: P) -> Result<(), Problem> {
        let plan = self.faults.meet(&self.faults.0.acts, "Archive::put")?;
        if let Some(plan) = cut(plan) {
            // what is there already is not written again
            let _ = self.inner.put(blob, Half(Some(pieces))).await;
            return Err(self.faults.end(plan));
        }
        self.faults.around(plan, self.inner.put(blob, pieces)).await
    }
    async fn put_segment(&self, size: u64, bytes: Vec<u8>) -> Result<Blob, Problem> {
        let plan = self.faults.meet(&self.faults.0.acts, "Archive::put_segment")?;
        if let Some(plan) = cut(plan) {
            // a segment that nobody can read, where the whole one would have stood
            self.inner.put_segment(size, bytes[..bytes.len() / 2].to_vec()).await?;
            return Err(self.faults.end(plan));
        }
        if plan.is_some_and(|plan| plan.how == How::Lie) {
            return Ok(Blob::of(&bytes));
        }
        self.faults.around(plan, self.inner.put_segment(size, bytes)).await
    }
    seam! { "Archive"
        read size(blob: Blob) -> Option<u64>;
        read get(blob: Blob) -> Vec<u8>;
        read range(blob: Blob, offset: u64, len: usize) -> Vec<u8>;
        read verify(blob: Blob) -> u64;
        read blobs(first: u8) -> Vec<Blob>;
        read segment(size: u64, blob: Blob) -> Vec<u8>;
        read segments_at(size: u64) -> Vec<Blob>;
        read segments_from(size: u64) -> Vec<(u64, Blob)>;
    }
}

impl<G: Guard> Guard for Faulty<G> {
    seam! { "Guard"
        read read() -> Option<GuardLine>;
        act swap(old: Option<GuardLine>, new: GuardLine) -> Swap;
    }
}

impl<L: Ledger> Ledger for Faulty<L> {
    seam! { "Ledger"
        read position() -> Position;
        read lead_on(old: Head, entries: Vec<Vec<u8>>) -> Segment;
        act apply(application: Application) -> Position;
        read entry(index: LogIndex) -> Option<Vec<u8>>;
        read hashes(first: u64, limit: usize) -> Vec<Hash>;
        read root(size: u64) -> Head;
        read inclusion(size: u64, index: LogIndex) -> Vec<Hash>;
        read consistency(old: u64, new: u64) -> Vec<Hash>;
        read batch(id: BatchId) -> Option<BatchFacts>;
        read batches_at(unit: &Member, place: Place) -> Vec<BatchFacts>;
        read batches_from(index: LogIndex, limit: usize) -> Vec<BatchFacts>;
        read quarantined_from(index: LogIndex, limit: usize) -> Vec<BatchFacts>;
        read chain_head(unit: &Member, epoch: u32) -> Option<BatchFacts>;
        read missing(unit: &Member, limit: usize) -> Vec<Gap>;
        read forked(unit: &Member, epoch: u32) -> Option<u64>;
        read frozen(key: &KeyRef) -> Option<LogIndex>;
        read life(key: &KeyRef, received: Second) -> Life;
        read would_link(batch: BatchId, key: &KeyRef) -> Option<LogIndex>;
        read contradicted(key: &KeyRef, place: Place, batch: BatchId) -> bool;
        read extent(unit: &Member, epoch: u32) -> Extent;
        read lines_of_record(unit: Option<&Member>, record: RecordId) -> Vec<LineFacts>;
        read lines_of_number(unit: &Member, number: Number) -> Vec<LineFacts>;
        read newest_roster() -> Option<RosterFacts>;
        read roster(version: RosterVersion) -> Option<RosterFacts>;
        read roster_by(by: Second) -> Option<RosterFacts>;
        read decision(id: NoteId) -> Option<DecisionFacts>;
        read decisions_from(index: LogIndex, limit: usize) -> Vec<DecisionFacts>;
        read outcome(batch: BatchId) -> Option<OutcomeFacts>;
        read outcomes_since(unit: &Member, index: LogIndex, limit: usize) -> Vec<(Place, u64)>;
        act announce(batch: AnnouncedBatch) -> ();
        read announced(unit: &Member) -> Vec<AnnouncedBatch>;
        act hello(hello: HelloFacts) -> Known;
        read doubts() -> Vec<(Blob, Second)>;
        act doubt(wrong: Vec<Blob>, right: Vec<Blob>, now: Second) -> ();
        read named_blobs(first: u8) -> Vec<Blob>;
        read in_doubt(unit: &Member, limit: usize) -> Vec<Place>;
        read scrubbed() -> Option<(Second, u16)>;
        act scrub(began: Second, next: u16) -> ();
        read newest_hellos() -> Vec<Heard>;
        read unlogged_hellos() -> Vec<Heard>;
        read rewound() -> Vec<(KeyRef, Second)>;
        read logged_head(key: &KeyRef) -> Option<(Second, HeadEntry)>;
        read heads_since(key: &KeyRef, since: Second) -> u64;
        read head_witness(key: &KeyRef, unit: &Member, place: Place) -> Option<HeadWitness>;
    }
}

impl<R: Registry> Registry for Faulty<R> {
    seam! { "Registry"
        act claim(way: Way, now: Second, until: Second) -> Option<Claim>;
        act release(batch: BatchId, way: Way, retry: Second) -> ();
        act reclaim() -> ();
        act fold(opened: OpenedBatch) -> Advanced;
        act advance() -> Advanced;
        read unopened() -> Vec<BatchId>;
        read unsaid() -> Vec<BatchId>;
        read outcomes_due(limit: usize) -> Vec<OutcomeDue>;
        act settle(batch: BatchId, lines: Vec<OutcomeLine>) -> ();
        act settle_all() -> ();
        read waiting() -> (u64, u64);
        read summary() -> Summary;
        read refold() -> Vec<Problem>;
        read outcomes_that_differ(among: Among) -> Vec<BatchId>;
        read trace(record: RecordId) -> Vec<Trace>;
        read resident(reference: ResidentRef) -> Unrecorded<Option<Resident>>;
        read find(search: Search, limit: usize) -> Unrecorded<Vec<(ResidentRef, Resident)>>;
        read cases(filter: Filter, page: Page) -> (Vec<Case>, u64);
        read case(reference: CaseRef) -> Vec<RecordKey>;
        read content(record: RecordKey) -> Unrecorded<Option<CaseContent>>;
        read records_of_id(record: RecordId) -> Vec<RecordKey>;
        read batch_case(batch: BatchId) -> BatchCase;
        read needs(line: DecisionLine) -> Option<Needs>;
        read history(of: About) -> Vec<DecidedLine>;
        read shared() -> Vec<Shared>;
        read hints(limit: usize) -> Unrecorded<Vec<Hint>>;
        read signed(key: KeyRef, from: LogIndex) -> Signed;
        read missing_numbers(limit: usize) -> Vec<MissingNumbers>;
        read late_withdrawals(limit: usize) -> Vec<LateWithdrawal>;
    }
}
