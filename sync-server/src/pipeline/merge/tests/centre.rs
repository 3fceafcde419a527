//! A centre in a temporary folder and units that really seal: everything but the network.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use shared::{
    batch::{Facts as BatchFacts, Line, LineFacts, Manifest, RecordLine, WithdrawReason, WithdrawnLine},
    form::{FIRST, Form},
    id::{BatchId, Blob, Digest, Number, Place, RecordId, RosterVersion, SealedDigest, Transaction},
    log::Head,
    record::{ClockReading, Consent, Record, Target},
    roster::{Facts, FormRef, RecipientKind, Recipients as RosterRecipients, TrustedRoster},
    sample::{Kind, Sample, Size},
    seal::{Identity, Recipients, seal},
    time::Second,
    verify::{CheckedManifest, PayloadHash, ReceivedBatch, VerifiedBatch},
};
use tempfile::TempDir;
use tokio::sync::watch;

use crate::{
    centre::identity_text,
    durable,
    fixtures::{START, member, program, roster, roster_facts, signer},
    pipeline::{
        Clock, Idle, Proposal, Sequencer, Stores,
        merge::{Merge, Publish},
        opener::{BUDGET, Nursery, Opener},
    },
    registry::{Registry as _, Summary},
    settings::{File, Settings},
    store::{
        Archive, Guard as _, Whole,
        archive_files::ArchiveFiles,
        empty_log,
        guard_file::{GuardFile, Make},
        ledger_sqlite::LedgerSqlite,
        registry_sqlite::RegistrySqlite,
        sqlite::Db,
    },
};

pub(crate) type Files = Stores<ArchiveFiles, GuardFile, LedgerSqlite>;
pub(crate) type FilesMerge = Merge<ArchiveFiles, LedgerSqlite, RegistrySqlite>;

/// Nobody says that this process should end.
pub(crate) fn never_stopped() -> watch::Receiver<bool> {
    watch::channel(false).1
}

pub(crate) fn identity(seed: u8) -> Identity {
    Identity::from_seed(RecipientKind::X25519, &[seed; 32])
}

pub(crate) fn recipients() -> Recipients {
    Recipients::new(identity(1).recipient(), identity(2).recipient()).expect("of one kind")
}

/// The test roster with real recipients and forms.
pub(crate) fn facts(version: u64) -> Facts {
    let mut facts = roster_facts(version);
    let [working, recovery, auditor] = [1, 2, 3].map(|n| (&identity(n).recipient()).into());
    facts.recipients = RosterRecipients { working, recovery, auditors: vec![auditor] };
    facts.forms = FIRST
        .iter()
        .map(|bytes| {
            let form = Form::parse(bytes).expect("one of the first forms");
            FormRef { name: form.name().clone(), size: bytes.len() as u64, blob: Blob::of(bytes) }
        })
        .collect();
    facts.forms.sort_by(|a, b| a.name.cmp(&b.name));
    facts
}

pub(crate) fn form() -> Form {
    FIRST
        .iter()
        .map(|bytes| Form::parse(bytes).expect("one of the first forms"))
        .find(|f| f.name().as_str().starts_with("residence-certificate"))
        .expect("there")
}

pub(crate) struct Centre {
    pub(crate) dir: TempDir,
    pub(crate) clock: Arc<AtomicI64>,
}

impl Centre {
    /// A centre whose log has roster 1.
    pub(crate) async fn founded() -> Self {
        let centre = Self { dir: tempfile::tempdir().expect("a folder"), clock: Arc::new(AtomicI64::new(START)) };
        let stores = centre.stores("centre.db");
        stores.guard.swap(None, empty_log()).await.expect("an empty log");
        for bytes in FIRST {
            stores.archive.put(Blob::of(bytes), Whole::new(bytes)).await.expect("archived");
        }
        centre.publish(facts(1)).await;
        centre.clock.store(START + 40_000, Ordering::SeqCst);
        centre
    }

    pub(crate) async fn publish(&self, facts: Facts) {
        let roster = roster(facts);
        let note = roster.note().as_bytes().to_vec();
        self.stores("centre.db").archive.put(Blob::of(&note), Whole::new(note)).await.expect("archived");
        let proposal = Proposal::Roster(Box::new(TrustedRoster::from_own_log(roster)));
        self.sequencer().await.log(proposal).await.expect("logged");
    }

    pub(crate) fn stores(&self, database: &str) -> Files {
        let root = self.dir.path();
        Stores {
            archive: ArchiveFiles::create(&root.join("archive")).expect("opened"),
            guard: GuardFile::open(&root.join("guard"), Make::Folder).expect("opened"),
            ledger: LedgerSqlite::new(self.db(database)),
        }
    }

    /// Settings of a centre that lies in this folder, with its identity.
    pub(crate) fn settings(&self) -> Settings {
        let file = File::of("registry.example".parse().expect("a name"));
        let settings = Settings { data: self.dir.path().to_owned(), file };
        durable::folder(&settings.keys()).expect("made");
        durable::write(&settings.keys().join("working.identity"), identity_text(&identity(1)).as_bytes()).expect("written");
        settings
    }

    fn db(&self, name: &str) -> Db {
        Db::open(&self.dir.path().join(name)).expect("opened")
    }

    pub(crate) fn now(&self) -> Clock {
        let clock = self.clock.clone();
        Arc::new(move || Second::from_unix(clock.load(Ordering::SeqCst)))
    }

    pub(crate) async fn sequencer(&self) -> Sequencer<LedgerSqlite> {
        let lock = self.dir.path().join("sequencer.lock");
        let key = Arc::new(signer("registry.example/log"));
        Sequencer::start(self.stores("centre.db"), key, lock, self.now(), Idle::Quiet).await.expect("started").0
    }

    /// Everything opened anew, as a new process would; another database than the centre's is made from the log.
    pub(crate) async fn merge(&self, database: &str) -> FilesMerge {
        let db = self.db(database);
        let (ledger, registry) = (LedgerSqlite::new(db.clone()), RegistrySqlite::new(db));
        let stores = Stores { ledger: ledger.clone(), ..self.stores("centre.db") };
        crate::pipeline::catch_up(&stores).await.expect("follows the log");
        let publish = match database {
            "centre.db" => Publish::To(self.sequencer().await, Arc::new(signer("registry.example"))),
            _ => Publish::Nothing,
        };
        let opener = Opener::new(stores.archive.clone(), ledger.clone(), vec![identity(1)], Nursery::of(program()), BUDGET);
        Merge { archive: stores.archive, ledger, registry, opener, publish, clock: self.now() }
    }

    pub(crate) async fn summary(&self, merge: &FilesMerge) -> Summary {
        merge.until_idle(2, &watch::channel(false).1).await.expect("merged");
        merge.registry.summary().await.expect("read")
    }

    /// Logs a batch as intake does.
    pub(crate) async fn log(&self, made: &Made) {
        let batch = self.archived(made).await;
        self.sequencer().await.log_batch(batch).await.expect("logged");
    }

    /// Archives a batch and verifies it.
    pub(crate) async fn archived(&self, made: &Made) -> VerifiedBatch {
        let archive = self.stores("centre.db").archive;
        archive.put(made.manifest.blob(), Whole::new(made.manifest.note().as_bytes())).await.expect("archived");
        archive.put(Blob::of(&made.payload), Whole::new(made.payload.clone())).await.expect("archived");
        let rosters = [TrustedRoster::from_own_log(roster(facts(1)))];
        let checked = CheckedManifest::check(made.manifest.clone(), &rosters[..]).expect("authentic");
        let mut hash = PayloadHash::default();
        hash.update(&made.payload);
        ReceivedBatch::new(checked).verify(hash).expect("what was signed")
    }
}

/// A closed batch.
#[derive(Clone)]
pub(crate) struct Made {
    pub(crate) manifest: Manifest,
    pub(crate) payload: Vec<u8>,
}

impl Made {
    pub(crate) fn id(&self) -> BatchId {
        self.manifest.id()
    }
}

/// A unit that enrols; everything is a function of its name and what it was told.
pub(crate) struct Unit {
    name: &'static str,
    sequence: u64,
    number: u64,
    previous: Option<BatchId>,
    lines: Vec<(Line, Vec<u8>)>,
}

/// A sealed record with its line.
#[derive(Clone)]
pub(crate) struct Enrolled {
    pub(crate) facts: LineFacts,
    pub(crate) sealed: Vec<u8>,
}

impl Enrolled {
    pub(crate) fn replaced(mut self, sealed: Vec<u8>) -> Self {
        self.facts.size = sealed.len() as u64;
        self.facts.digest = SealedDigest::of(&sealed);
        self.sealed = sealed;
        self
    }
}

impl Unit {
    pub(crate) fn new(name: &'static str) -> Self {
        Self { name, sequence: 0, number: 0, previous: None, lines: Vec::new() }
    }

    pub(crate) fn record(&self, id: u64, person: u64, minute: i64, target: Option<Target>) -> Record {
        let form = form();
        let sample = Sample::new(7, Second::from_unix(START), Size::Tiny);
        let transaction = if target.is_some() { Transaction::Correction } else { Transaction::New };
        let mut resident = sample.take(person, id, &form, transaction, Kind::Complete).expect("a resident");
        if let Some(target) = target {
            resident = resident.applying_to(target);
        }
        let (draft, parts) = resident.draft(&form).expect("a draft");
        let finished = Second::from_unix(START + 60 * minute);
        let facts = shared::draft::Facts {
            record_id: self.record_id(id),
            unit: member(self.name),
            agent: member("agent-1"),
            finished,
            clock: ClockReading { raw: finished, boot: "b6f4a3a0-9f43-4a0e-9d3c-7d1f0c5a2b11".into(), boot_ms: 5 },
            slip: Digest::of(b"slip"),
            consent: Consent { text: form.newest_consent().to_owned(), at: finished },
            fix: None,
        };
        draft.finish(&form, facts, parts).expect("complete")
    }

    pub(crate) fn record_id(&self, id: u64) -> RecordId {
        RecordId::from_random(Digest::of(format!("{} {id}", self.name).as_bytes()).as_bytes()[..16].try_into().expect("16"))
    }

    /// Seals; takes the next number.
    pub(crate) fn seal(&mut self, record: &Record) -> Enrolled {
        let sealed = seal(record, &recipients(), form().pad()).expect("sealed");
        self.number += 1;
        let facts = LineFacts {
            number: Number::new(1, self.number).expect("from 1"),
            record: sealed.record_id(),
            size: sealed.as_bytes().len() as u64,
            digest: sealed.digest(),
            plain: sealed.plain(),
            transaction: sealed.transaction(),
            form: sealed.form().clone(),
            roster: RosterVersion(1),
            finished: sealed.finished(),
            seen: 0,
            agent: sealed.agent().clone(),
        };
        Enrolled { facts, sealed: sealed.into_bytes() }
    }

    pub(crate) fn enrol(&mut self, person: u64, minute: i64) -> Enrolled {
        let record = self.record(self.number + 1, person, minute, None);
        let enrolled = self.seal(&record);
        self.put(&enrolled);
        enrolled
    }

    pub(crate) fn correct(&mut self, person: u64, minute: i64, target: Target) -> Enrolled {
        let record = self.record(self.number + 1, person, minute, Some(target));
        let enrolled = self.seal(&record);
        self.put(&enrolled);
        enrolled
    }

    pub(crate) fn put(&mut self, enrolled: &Enrolled) {
        let agent = signer(enrolled.facts.agent.as_str());
        let line = RecordLine::sign(enrolled.facts.clone(), &member(self.name), &agent);
        self.lines.push((Line::Record(line), enrolled.sealed.clone()));
    }

    pub(crate) fn withdraw(&mut self) -> Number {
        self.number += 1;
        let number = Number::new(1, self.number).expect("from 1");
        let record = self.record_id(self.number);
        let line = WithdrawnLine { number, record, reason: WithdrawReason::Other, by: member("supervisor-1") };
        self.lines.push((Line::Withdrawn(line), Vec::new()));
        number
    }

    pub(crate) fn close(&mut self) -> Made {
        self.close_approved(true)
    }

    pub(crate) fn close_approved(&mut self, approved: bool) -> Made {
        self.sequence += 1;
        let mut lines = std::mem::take(&mut self.lines);
        lines.sort_by_key(|(line, _)| line.number());
        let (lines, sealed): (Vec<Line>, Vec<Vec<u8>>) = lines.into_iter().unzip();
        let payload = sealed.concat();
        let facts = BatchFacts {
            unit: member(self.name),
            place: Place::new(1, self.sequence).expect("from 1"),
            previous: self.previous,
            roster: RosterVersion(1),
            seen: Head::EMPTY,
            closed: Second::from_unix(START + 30_000).minute(),
            approved: approved.then(|| member("supervisor-1")),
            payload_size: payload.len() as u64,
            payload: Digest::of(&payload),
            lines,
        };
        let supervisor = signer("supervisor-1");
        let cosigners: Vec<_> = facts.cosigners().iter().map(|_| &supervisor).collect();
        let manifest = Manifest::close(facts, &signer(self.name), &cosigners).expect("canonical");
        self.previous = Some(manifest.id());
        Made { manifest, payload }
    }
}
