//! What a centre goes through, in small: hellos, uploads, one of them spoilt on its way, merges, a record that comes too late
//! for its number, a revocation that reaches back, a freeze, a rebuild. Told again from its beginning, it finds what is done to be done.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
};

use shared::{
    hello::{Facts as Said, Hello, Path as By, Sender, UnitStand},
    id::{BatchId, Blob, Digest, LogIndex, Place, RosterVersion},
    keys::KeyRef,
    log::{Body, Entry, Head, TlogProof},
    outcome::Outcome,
    problem::{Code, Problem},
    record::Target,
    roster::{Revocation, TrustedRoster},
    time::Second,
};
use tempfile::TempDir;
use tokio::{sync::watch, task::JoinHandle};

use crate::{
    fixtures::{START, member, program, roster, signer},
    fsck,
    pipeline::{
        Clock, Idle, Proposal, Sequencer, Stores,
        intake::{Came, Intake, News, Parts, Session, Standing},
        merge::{
            Merge, Publish,
            tests::centre::{Centre, Made, Unit, facts, identity},
        },
        opener::{BUDGET, Nursery, Opener},
    },
    rebuilding,
    registry::{Among, Registry as _},
    scrub,
    settings::{File, Settings},
    store::{
        Archive as _, Guard as _, Ledger as _, Staging as _, Upload as _, Whole, Word,
        archive_files::ArchiveFiles,
        faulty::{Faults, Faulty},
        guard_file::{GuardFile, Make},
        ledger_sqlite::LedgerSqlite,
        registry_sqlite::RegistrySqlite,
        sqlite::Db,
        staging_files::StagingFiles,
    },
};

type Archived = Faulty<ArchiveFiles>;
type Guarded = Faulty<GuardFile>;
type Ledgered = Faulty<LedgerSqlite>;
type Staged = Faulty<StagingFiles>;
type Registered = Faulty<RegistrySqlite>;

/// A founded centre, to be copied, and the batches that units will bring.
pub(super) struct Story {
    base: TempDir,
    one: [Made; 3],
    two: [Made; 2],
}

/// The folder of one run, its clock, and what units were told there.
pub(super) struct Site {
    dir: TempDir,
    clock: Arc<AtomicI64>,
    counter: AtomicU64,
    spoilt: AtomicBool,
    receipts: Mutex<BTreeMap<BatchId, LogIndex>>,
}

/// A centre that runs on stores that may fail.
pub(super) struct Process {
    stores: Stores<Archived, Guarded, Ledgered>,
    staging: Staged,
    registry: Registered,
    faults: Faults,
    sequencer: Sequencer<Ledgered>,
    sequencing: JoinHandle<()>,
    intake: Intake<Staged, Archived, Ledgered>,
    clock: Clock,
}

fn never() -> watch::Receiver<bool> {
    watch::channel(false).1
}

/// Where syncing costs nothing: what is tried here is what the program does, not what the disk does.
fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.expect("a folder")
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("made");
    for entry in fs::read_dir(from).expect("listed") {
        let entry = entry.expect("read");
        let to = to.join(entry.file_name());
        if entry.file_type().expect("read").is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).expect("copied");
        }
    }
}

impl Site {
    fn now(&self) -> Clock {
        let clock = self.clock.clone();
        Arc::new(move || Second::from_unix(clock.load(Ordering::SeqCst)))
    }

    /// Every lease and every wait is over.
    pub(super) fn later(&self) {
        self.clock.fetch_add(1200, Ordering::SeqCst);
    }

    fn stores(&self, database: &str, faults: &Faults) -> Result<(Stores<Archived, Guarded, Ledgered>, Registered), Problem> {
        let root = self.dir.path();
        let db = Db::open(&root.join(database))?;
        let archive = ArchiveFiles::open(&root.join("archive"))?;
        archive.sweep()?;
        let stores = Stores {
            archive: Faulty::new(archive, faults),
            guard: Faulty::new(GuardFile::open(&root.join("guard"), Make::Nothing)?, faults),
            ledger: Faulty::new(LedgerSqlite::new(db.clone()), faults),
        };
        Ok((stores, Faulty::new(RegistrySqlite::new(db), faults)))
    }

    fn hello(&self, head: &Made) -> Vec<u8> {
        let place = head.manifest.facts().place;
        self.say(place, head.id())
    }

    fn say(&self, place: Place, head: BatchId) -> Vec<u8> {
        let facts = Said {
            centre: "registry.example".parse().expect("a name"),
            sender: Sender::Unit(UnitStand {
                unit: member("van-1"),
                epoch: 1,
                head: Some((place, head)),
                number: None,
                waiting: [0, 0, 0],
                seen: Head::EMPTY,
                settled: 0,
                alarms: Vec::new(),
            }),
            counter: self.counter.fetch_add(1, Ordering::SeqCst) + 1,
            by: By::Network,
            roster: Some(RosterVersion(1)),
            software: "enroll-client/0.1.0".into(),
            clock: Second::from_unix(START),
            free: 1,
        };
        Hello::sign(facts, &signer("van-1")).expect("canonical").note().as_bytes().to_vec()
    }

    /// A unit has this receipt: what it says is durable now, and stays.
    async fn acknowledged(&self, made: &Made, receipt: &[u8]) {
        let proof = TlogProof::parse(receipt).and_then(|p| p.check(signer("registry.example/log").public())).expect("proven");
        let guard = GuardFile::open(&self.dir.path().join("guard"), Make::Nothing).expect("opened");
        let guarded = guard.read().await.expect("read").expect("held");
        assert!(guarded.head.size >= proof.head().head().size, "a receipt under a head that the guard does not hold");
        let archive = ArchiveFiles::open(&self.dir.path().join("archive")).expect("opened");
        for blob in [made.manifest.blob(), Blob::of(&made.payload)] {
            assert!(archive.verify(blob).await.is_ok(), "a receipt for what is not archived");
        }
        let before = self.receipts.lock().expect("free").insert(made.id(), proof.index());
        assert!(before.is_none_or(|before| before == proof.index()), "another receipt than before");
    }
}

impl Process {
    /// As `serve` does.
    pub(super) async fn start(site: Arc<Site>, faults: Faults) -> Result<Self, Problem> {
        let root = site.dir.path();
        let (stores, registry) = site.stores("centre.db", &faults)?;
        let staging = StagingFiles::open(&root.join("staging"))?;
        staging.sweep()?;
        let staging = Faulty::new(staging, &faults);
        let (log, centre) = (Arc::new(signer("registry.example/log")), Arc::new(signer("registry.example")));
        let lock = root.join("sequencer.lock");
        let (sequencer, sequencing) = Sequencer::start(stores.clone(), log.clone(), lock, site.now(), Idle::Quiet).await?;
        let parts = Parts {
            centre: "registry.example".parse().expect("a name"),
            staging: staging.clone(),
            archive: stores.archive.clone(),
            ledger: stores.ledger.clone(),
            sequencer: sequencer.clone(),
            signer: centre,
            log,
            clock: site.now(),
        };
        let intake = Intake::open(parts, root)?;
        intake.resume_all().await?;
        intake.drain().await;
        registry.reclaim().await?;
        Ok(Self { stores, staging, registry, faults, sequencer, sequencing, intake, clock: site.now() })
    }

    /// Ends when nothing of it runs any more.
    pub(super) async fn end(self: Arc<Self>) {
        let process = Arc::into_inner(self).expect("nobody else has it");
        process.intake.drain().await;
        let sequencing = process.sequencing;
        drop((process.intake, process.sequencer));
        let _ = sequencing.await;
    }

    fn opener(&self, ledger: &Ledgered) -> Opener<Archived, Ledgered> {
        Opener::new(self.stores.archive.clone(), ledger.clone(), vec![identity(1)], Nursery::of(program()), BUDGET)
    }

    /// A blob that was in doubt is read again, and how far that has come is kept.
    async fn look_again(&self, blob: Blob) -> Result<(), Problem> {
        let (Stores { archive, ledger, .. }, now) = (&self.stores, (self.clock)());
        ledger.doubt(vec![blob], Vec::new(), now).await?;
        scrub::step(archive, ledger, u16::from(blob.as_bytes()[0]) + 1, now, None).await?;
        ledger.scrub(now, 1).await
    }

    async fn merge(&self) -> Result<(), Problem> {
        self.merge_until(self.clock.clone(), never()).await
    }

    /// Told to stop with a batch in hand, which is given back: the clock is read right before it is claimed.
    async fn merge_stopped(&self) -> Result<(), Problem> {
        let (stop, stopped) = watch::channel(false);
        let clock = self.clock.clone();
        let stopping = move || {
            stop.send_replace(true);
            clock()
        };
        self.merge_until(Arc::new(stopping), stopped).await
    }

    async fn merge_until(&self, clock: Clock, stop: watch::Receiver<bool>) -> Result<(), Problem> {
        let merge = Merge {
            archive: self.stores.archive.clone(),
            ledger: self.stores.ledger.clone(),
            registry: self.registry.clone(),
            opener: self.opener(&self.stores.ledger),
            publish: Publish::To(self.sequencer.clone(), Arc::new(signer("registry.example"))),
            clock,
        };
        merge.until_idle(1, &stop).await
    }
}

impl Story {
    pub(super) async fn new() -> Self {
        let Centre { dir, .. } = Centre::founded().await;
        let (mut one, mut two) = (Unit::new("van-1"), Unit::new("van-2"));
        one.enrol(1, 20);
        one.enrol(2, 30);
        one.withdraw();
        let first = one.close();
        let third = one.enrol(3, 40);
        one.correct(3, 45, Target::Record { unit: member("van-1"), record: third.facts.record });
        let second = one.close();
        one.enrol(5, 50);
        let last = one.close();
        two.enrol(4, 10);
        let other = two.close();
        two.enrol(1, 15); // the same person as van-1's first, claimed to be earlier
        let earlier = two.close();
        Self { base: dir, one: [first, second, last], two: [other, earlier] }
    }

    /// Bytes of the first manifest.
    pub(super) fn manifest_length(&self) -> usize {
        self.one[0].manifest.note().as_bytes().len()
    }

    pub(super) fn site(&self) -> Site {
        let dir = folder();
        copy(self.base.path(), dir.path());
        Site {
            dir,
            clock: Arc::new(AtomicI64::new(START + 40_000)),
            counter: AtomicU64::new(0),
            spoilt: AtomicBool::new(false),
            receipts: Mutex::default(),
        }
    }

    /// From the beginning to the end; `together` lets the units and the merge act at the same time.
    pub(super) async fn live(self: Arc<Self>, site: Arc<Site>, process: Arc<Process>, together: bool) -> Result<(), Problem> {
        let ([first, second, last], [other, earlier]) = (&self.one, &self.two);
        process.intake.hello(site.hello(second)).await?;
        if together {
            let one = async { ingest(&site, &process, first).await.and(ingest(&site, &process, second).await) };
            let two = async { ingest(&site, &process, other).await };
            let (one, two, merged) = tokio::join!(one, two, process.merge());
            one.and(two).and(merged)?;
        } else {
            for made in [first, other, second] {
                ingest(&site, &process, made).await?;
            }
            process.merge_stopped().await?;
            process.merge().await?;
        }
        // which of the two comes first decides who stands
        ingest(&site, &process, earlier).await?;
        process.merge().await?;
        self.revoke(&process).await?;
        process.merge().await?;
        ingest(&site, &process, last).await?;
        process.merge().await?;
        process.intake.hello(site.hello(last)).await?;
        // its copy says that another batch stands there
        process.intake.hello(site.say(last.manifest.facts().place, BatchId::of(b"another"))).await?;
        process.look_again(first.manifest.note().blob()).await?;
        rebuild(&site, &process).await
    }

    /// The disk changes a byte of an announced manifest, so far from its end; its unit announces it again.
    pub(super) async fn rot(&self, site: &Site, process: &Process, from_end: usize) {
        let (made, session) = (&self.one[0], session());
        let note = made.manifest.note().as_bytes().to_vec();
        let announce = async || process.intake.announce(note.clone(), &session).await.map(|announced| announced.news);
        assert_eq!(announce().await, Ok(News::New));
        assert_eq!(announce().await, Ok(News::Known));
        let path = site.dir.path().join("staging").join(format!("{}.manifest", made.id().hex()));
        let mut bytes = fs::read(&path).expect("there");
        let at = bytes.len() - from_end;
        bytes[at] ^= 1;
        fs::write(&path, bytes).expect("written");
        assert_eq!(announce().await, Ok(News::New), "taken again, and never held against the unit");
        ingest(site, process, made).await.expect("and brought");
    }

    /// van-2's key ended before its first batch was logged.
    async fn revoke(&self, process: &Process) -> Result<(), Problem> {
        let batch = process.stores.ledger.batch(self.two[0].id()).await?;
        let cut = batch.expect("its receipt was given").index;
        let mut newer = facts(2);
        newer.revoked = vec![Revocation { key: KeyRef::from(signer("van-2").public()), cut, reason: "stolen".into() }];
        let roster = roster(newer);
        let note = roster.note().as_bytes().to_vec();
        process.stores.archive.put(Blob::of(&note), Whole::new(note)).await?;
        let proposal = Proposal::Roster(Box::new(TrustedRoster::from_own_log(roster)));
        process.sequencer.log(proposal).await.map(|_| ())
    }

    /// Looks at what a run has left, by a new process on stores that don't fail.
    pub(super) async fn check(self: &Arc<Self>, site: &Arc<Site>) -> Digest {
        let process = Process::start(site.clone(), Faults::default()).await.expect("starts");
        process.merge().await.expect("nothing is left to do, or it can be done");
        assert_eq!(process.staging.announced().await, Ok(vec![]), "staging is empty");
        let receipts = site.receipts.lock().expect("free").clone();
        assert_eq!(receipts.len(), 5);
        for (batch, index) in receipts {
            let logged = process.stores.ledger.batch(batch).await.expect("read");
            assert_eq!(logged.map(|b| b.index), Some(index), "what a receipt says");
        }
        assert_eq!(process.registry.waiting().await, Ok((0, 0)));
        assert_eq!(process.registry.outcomes_that_differ(Among::Settled).await, Ok(vec![]));
        let summary = process.registry.summary().await.expect("read");
        assert_eq!((summary.merged, summary.held, summary.open), (5, 2, 0));
        said_once(&process).await;
        Arc::new(process).end().await;
        let settings = Settings { data: site.dir.path().to_owned(), file: File::of("registry.example".parse().expect("a name")) };
        let opened = rebuilding::open(&settings, &settings.database()).expect("opened");
        let stores = fsck::stores(&opened.stores, &settings.sequencer_lock()).await.expect("checked");
        assert!(stores.is_clean(), "{:?}", stores.findings);
        let contents = fsck::contents(&opened).await.expect("checked");
        assert!(contents.off.is_empty() && contents.open.is_empty(), "{:?} {:?}", contents.off, contents.open);
        assert_eq!(contents.batches, 5, "each once");
        summary.digest
    }
}

fn session() -> Session {
    Session { name: member("van-1"), key: KeyRef::from(signer("van-1").public()), epoch: 1, word: Word::Counts }
}

/// Brings one batch until its receipt is there.
async fn ingest(site: &Site, process: &Process, made: &Made) -> Result<(), Problem> {
    let session = session();
    let batch = process.intake.announce(made.manifest.note().as_bytes().to_vec(), &session).await?.batch;
    while let Standing::Wanted { offset, .. } = process.intake.standing(batch).await? {
        let mut rest = made.payload[usize::try_from(offset).expect("small")..].to_vec();
        if !site.spoilt.swap(true, Ordering::SeqCst) {
            rest[7] ^= 1; // the first upload of all is spoilt on its way
        }
        let upload = process.intake.upload(batch, offset).await?;
        let (first, last) = rest.split_at(rest.len() / 2);
        let upload = upload.append(first.to_vec()).await?.sync().await?.append(last.to_vec()).await?;
        match process.intake.written(batch, upload).await {
            Err(problem) if problem.code == Code::PayloadCorrupt => {}
            came => match came? {
                Came::Logged => {}
                Came::Waits(problem) => return Err(problem),
            },
        }
    }
    let receipt = process.intake.receipt(batch, None).await?;
    site.acknowledged(made, &receipt).await;
    Ok(())
}

/// The same registry again from archive and guard; what an earlier try has left of it is gone on with.
async fn rebuild(site: &Site, process: &Process) -> Result<(), Problem> {
    let (stores, registry) = site.stores("again.db", &process.faults)?;
    let opener = process.opener(&stores.ledger);
    let again = rebuilding::follow(&stores, registry, opener, process.clock.clone()).await?;
    again.unopened.map_or(Ok(()), Err)?;
    let live = process.registry.summary().await?;
    assert_eq!((again.now, again.outcomes, again.unsaid), (live, vec![], 0), "the database made again");
    Ok(())
}

/// No outcome says what the one before it said.
async fn said_once(process: &Process) {
    let mut said: BTreeMap<BatchId, Vec<_>> = BTreeMap::new();
    let size = process.stores.ledger.position().await.expect("read").line.head.size;
    for index in (0..size).map(LogIndex) {
        let leaf = process.stores.ledger.entry(index).await.expect("read").expect("there");
        let Body::Outcome { batch, blob, .. } = Entry::parse(&leaf).expect("ours").body else { continue };
        let note = process.stores.archive.get(blob).await.expect("archived");
        let lines = Outcome::parse(&note).expect("ours").lines().to_vec();
        let before = said.insert(batch, lines.clone());
        assert_ne!(before, Some(lines), "entry {index} says again what was said");
    }
}
