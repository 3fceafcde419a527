//! Stores that fail once at a chosen act, with or without having done it.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use shared::{
    hello::Known,
    id::{BatchId, Blob, LogIndex, Member, Number, Place, RecordId, RosterVersion},
    log::{GuardLine, Hash, Head, HeadEntry, Segment},
    problem::{Code, Problem},
    time::Second,
};

use super::{
    super::{Idle, Stores, catch_up},
    world::{Files, World},
};
use crate::{
    fixtures::{manifest, payload},
    store::{
        AnnouncedBatch, Application, Archive, BatchFacts, Guard, HeadWitness, HelloFacts, Ledger, LineFacts, OutcomeFacts, Pieces,
        Position, RosterFacts, Swap,
    },
};

/// Which durable act of a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Segment,
    Swap,
    Apply,
}

/// Was the failed act done all the same?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kept {
    Yes,
    No,
}

/// Fails once.
#[derive(Clone)]
struct Fault {
    act: Act,
    kept: Kept,
    armed: Arc<AtomicBool>,
}

impl Fault {
    async fn around<T>(&self, act: Act, work: impl Future<Output = Result<T, Problem>>) -> Result<T, Problem> {
        let hit = self.act == act && self.armed.swap(false, Ordering::SeqCst);
        if !hit {
            return work.await;
        }
        if self.kept == Kept::Yes {
            work.await?;
        }
        Err(Problem::new(Code::IoFailed, "as a failing disk would"))
    }
}

#[derive(Clone)]
struct Faulty<T> {
    inner: T,
    fault: Fault,
}

impl<A: Archive> Archive for Faulty<A> {
    async fn put<P: Pieces>(&self, blob: Blob, pieces: P) -> Result<(), Problem> {
        self.inner.put(blob, pieces).await
    }
    async fn size(&self, blob: Blob) -> Result<Option<u64>, Problem> {
        self.inner.size(blob).await
    }
    async fn get(&self, blob: Blob) -> Result<Vec<u8>, Problem> {
        self.inner.get(blob).await
    }
    async fn range(&self, blob: Blob, offset: u64, len: usize) -> Result<Vec<u8>, Problem> {
        self.inner.range(blob, offset, len).await
    }
    async fn verify(&self, blob: Blob) -> Result<u64, Problem> {
        self.inner.verify(blob).await
    }
    async fn blobs(&self, first: u8) -> Result<Vec<Blob>, Problem> {
        self.inner.blobs(first).await
    }
    async fn put_segment(&self, size: u64, bytes: Vec<u8>) -> Result<Blob, Problem> {
        self.fault.around(Act::Segment, self.inner.put_segment(size, bytes)).await
    }
    async fn segment(&self, size: u64, blob: Blob) -> Result<Vec<u8>, Problem> {
        self.inner.segment(size, blob).await
    }
    async fn segments_at(&self, size: u64) -> Result<Vec<Blob>, Problem> {
        self.inner.segments_at(size).await
    }
    async fn segments(&self) -> Result<Vec<(u64, Blob)>, Problem> {
        self.inner.segments().await
    }
}

impl<G: Guard> Guard for Faulty<G> {
    async fn read(&self) -> Result<Option<GuardLine>, Problem> {
        self.inner.read().await
    }
    async fn swap(&self, old: Option<GuardLine>, new: GuardLine) -> Result<Swap, Problem> {
        self.fault.around(Act::Swap, self.inner.swap(old, new)).await
    }
}

macro_rules! pass_on {
    ($($name:ident($($arg:ident: $kind:ty),*) -> $out:ty;)*) => {$(
        async fn $name(&self, $($arg: $kind),*) -> Result<$out, Problem> {
            self.inner.$name($($arg),*).await
        }
    )*};
}

impl<L: Ledger> Ledger for Faulty<L> {
    async fn apply(&self, application: Application) -> Result<Position, Problem> {
        self.fault.around(Act::Apply, self.inner.apply(application)).await
    }
    pass_on! {
        position() -> Position;
        lead_on(old: Head, entries: Vec<Vec<u8>>) -> Segment;
        entry(index: LogIndex) -> Option<Vec<u8>>;
        hashes(first: u64, limit: usize) -> Vec<Hash>;
        root(size: u64) -> Head;
        inclusion(size: u64, index: LogIndex) -> Vec<Hash>;
        consistency(old: u64, new: u64) -> Vec<Hash>;
        batch(id: BatchId) -> Option<BatchFacts>;
        batches_at(unit: &Member, place: Place) -> Vec<BatchFacts>;
        batches_from(index: LogIndex, limit: usize) -> Vec<BatchFacts>;
        chain_head(unit: &Member, epoch: u32) -> Option<BatchFacts>;
        missing(unit: &Member, limit: usize) -> Vec<Place>;
        forked(unit: &Member, epoch: u32) -> Option<u64>;
        frozen(unit: &Member, epoch: u32) -> Option<LogIndex>;
        before_cut(batch: BatchId, cut: LogIndex) -> bool;
        before_cut_by_announced(batch: BatchId, cut: LogIndex) -> bool;
        contradicted(unit: &Member, place: Place, batch: BatchId) -> bool;
        lines_of_record(unit: Option<&Member>, record: RecordId) -> Vec<LineFacts>;
        lines_of_number(unit: &Member, number: Number) -> Vec<LineFacts>;
        newest_roster() -> Option<RosterFacts>;
        roster(version: RosterVersion) -> Option<RosterFacts>;
        outcome(batch: BatchId) -> Option<OutcomeFacts>;
        outcomes_since(unit: &Member, index: LogIndex, limit: usize) -> Vec<(Place, u64)>;
        announce(batch: AnnouncedBatch) -> ();
        announced(unit: &Member) -> Vec<AnnouncedBatch>;
        forget_announced(batch: BatchId) -> ();
        hello(hello: HelloFacts) -> Known;
        logged_head(unit: &Member, epoch: u32) -> Option<(Second, HeadEntry)>;
        heads_since(unit: &Member, since: Second) -> u64;
        head_witness(unit: &Member, place: Place) -> Option<HeadWitness>;
    }
}

fn faulty(
    files: Files,
    fault: &Fault,
) -> Stores<
    Faulty<crate::store::archive_files::ArchiveFiles>,
    Faulty<crate::store::guard_file::GuardFile>,
    Faulty<crate::store::ledger_sqlite::LedgerSqlite>,
> {
    Stores {
        archive: Faulty { inner: files.archive, fault: fault.clone() },
        guard: Faulty { inner: files.guard, fault: fault.clone() },
        ledger: Faulty { inner: files.ledger, fault: fault.clone() },
    }
}

#[tokio::test]
async fn after_every_fault_the_batch_is_logged_once_or_not_at_all() {
    for act in [Act::Segment, Act::Swap, Act::Apply] {
        for kept in [Kept::No, Kept::Yes] {
            let world = World::founded().await;
            let fault = Fault { act, kept, armed: Arc::new(AtomicBool::new(false)) };
            let sequencer = world.start(faulty(world.stores(), &fault), Idle::Quiet).await.expect("started");
            let one = manifest("van-1", 1, None, 1, 2);
            let batch = world.archived(&one, &payload(1, 2)).await;
            fault.armed.store(true, Ordering::SeqCst);
            let answer = sequencer.log_batch(batch.clone()).await;
            assert!(!fault.armed.load(Ordering::SeqCst), "{act:?} {kept:?}: the fault was met");
            // only an unknown answer of the guard that turns out to be ours is a success
            assert_eq!(answer.is_ok(), act == Act::Swap && kept == Kept::Yes, "{act:?} {kept:?}");
            let committed = act == Act::Apply || (act == Act::Swap && kept == Kept::Yes);
            drop(sequencer);
            let stores = world.stores(); // a restart
            let position = catch_up(&stores).await.expect("the same code as ever");
            let found = stores.ledger.batch(one.id()).await.expect("read");
            assert_eq!(found.is_some(), committed, "{act:?} {kept:?}");
            assert_eq!(stores.guard.read().await, Ok(Some(position.line)), "{act:?} {kept:?}");
            let again = world.sequencer().await.log_batch(batch).await.expect("sent again");
            if let Ok(answer) = answer {
                assert_eq!(again, answer);
            }
            assert_eq!(world.stores().ledger.position().await.map(|p| p.line.head.size), Ok(2), "{act:?} {kept:?}: once");
        }
    }
}

#[tokio::test]
async fn the_running_sequencer_goes_on_after_a_fault() {
    for act in [Act::Segment, Act::Swap, Act::Apply] {
        for kept in [Kept::No, Kept::Yes] {
            let world = World::founded().await;
            let fault = Fault { act, kept, armed: Arc::new(AtomicBool::new(true)) };
            let sequencer = world.start(faulty(world.stores(), &fault), Idle::Quiet).await.expect("started");
            let one = manifest("van-1", 1, None, 1, 2);
            let batch = world.archived(&one, &payload(1, 2)).await;
            let _ = sequencer.log_batch(batch.clone()).await;
            let logged = sequencer.log_batch(batch).await.expect("logged");
            let published = sequencer.published().await.expect("signed");
            assert!(published.head().size > logged.logged().index().0, "{act:?} {kept:?}");
            assert_eq!(world.stores().guard.read().await.map(|g| g.map(|g| g.head)), Ok(Some(published.head())));
        }
    }
}
