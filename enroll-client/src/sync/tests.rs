//! Runs against a centre that lies, breaks off and refuses: nothing is written that did not pass its checks,
//! nothing is lost, and the exit code says which.

mod breaks;
mod centre;
mod lies;
mod renewed;

use std::time::Duration;

use shared::{
    batch::{Facts, Line, LineFacts, Manifest, RecordLine},
    id::{Digest, Number, RecordId, RosterVersion, SealedDigest, Transaction},
    keys::VerifierKey,
    log::{Body, Head},
    problem::Code,
    roster::{Approval, Crew, Facts as RosterFacts, Roster, UnitEntry, invented},
    time::Second,
};

use self::centre::{Centre, Log, World, place, signer};
use super::{
    Options, Report, Run,
    link::{Source, Trouble},
    patience::Backoff,
    voice::Voice,
};
use crate::{
    cli::{Exit, exit_of_sync},
    say::Say,
    vault::{
        Vault,
        machine::{MachineSecret, UnitKeys},
        outbox::ClosedBatch,
        state::Founding,
        tests::{finished, places},
        wrap::Cost,
    },
};

struct Unit {
    _folder: tempfile::TempDir,
    vault: Vault,
}

fn roster(version: u64, unit: Option<&VerifierKey>) -> RosterFacts {
    let seed = |name: &str| match name {
        "registry.example/log" => 2,
        "registry.example" => 3,
        _ => 1,
    };
    let entry = |key: &VerifierKey| UnitEntry {
        name: "van-017".parse().expect("name"),
        epoch: 1,
        key: key.clone(),
        region: "04".into(),
        crew: Crew::Several,
    };
    RosterFacts {
        version: RosterVersion(version),
        approval: Approval::None,
        units: unit.map(entry).into_iter().collect(),
        agents: vec![],
        supervisors: vec![],
        ..invented::facts(|name| signer(name, seed(name)).public().clone())
    }
}

impl Unit {
    fn new(server: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let vault = Vault::create(&places(folder.path())).expect("vault");
        let machine = MachineSecret::create(&vault.places().machine).expect("secret");
        let (keys, wrapped) = UnitKeys::generate(&"van-017".parse().expect("name"), &machine).expect("keys");
        let roster = signer("registry.example/roster-1", 1);
        let founding = Founding {
            key: keys.signer.public(),
            wrapped: &wrapped,
            server,
            ca: None,
            roster_key: roster.public(),
            cost: Cost { mib: 1, passes: 1 },
        };
        vault.found(&founding).expect("founded");
        Self { _folder: folder, vault }
    }

    /// Closes a batch of sealed records of these sizes.
    fn close(&self, sizes: &[usize]) {
        let state = self.vault.state().expect("state");
        let first = state.last_number + 1;
        let sealed: Vec<Vec<u8>> = (first..).zip(sizes).map(|(n, &size)| vec![u8::try_from(n).expect("small"); size]).collect();
        let lines: Vec<RecordLine> = (first..).zip(&sealed).map(|(n, bytes)| line(n, bytes)).collect();
        for ((n, line), bytes) in (first..).zip(&lines).zip(&sealed) {
            let whole = Line::Record(line.clone()).to_string();
            finished(&self.vault, n, &line.facts.record.to_string(), &whole, bytes);
        }
        let payload = sealed.concat();
        let facts = Facts {
            unit: "van-017".parse().expect("name"),
            place: place(state.last_sequence + 1),
            previous: state.head,
            roster: RosterVersion(1),
            seen: state.seen,
            closed: Second::from_unix(0).minute(),
            approved: None,
            payload_size: payload.len() as u64,
            payload: Digest::of(&payload),
            lines: lines.into_iter().map(Line::Record).collect(),
        };
        let keys = self.vault.unit_keys().expect("keys");
        let manifest = Manifest::close(facts, &keys.signer, &[]).expect("canonical");
        let batch = ClosedBatch {
            id: manifest.id(),
            place: manifest.facts().place,
            manifest: manifest.note().as_bytes().to_vec(),
            payload: payload.len() as u64,
            closed: manifest.facts().closed,
            records: self.vault.unbatched().expect("records"),
        };
        let session = self.vault.capture().expect("free");
        self.vault.store_closed(&session, &[batch]).expect("closed");
    }

    fn sync(&self) -> Result<Report, Trouble> {
        self.sync_with(&self.options())
    }
    #[expect(clippy::unused_self, reason = "reads like the unit's own")]
    fn options(&self) -> Options {
        Options { backoff: Backoff { first: Duration::ZERO, cap: Duration::ZERO, tries: 4 }, ..Options::default() }
    }
    fn sync_with(&self, options: &Options) -> Result<Report, Trouble> {
        let say = Say { quiet: true, ..Say::default() };
        let voice = Voice::new(&say);
        let session = self.vault.syncing().expect("free");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
        let run = Run::new(&self.vault, &session, options, &voice).expect("prepared");
        runtime.block_on(run.run())
    }
    /// Receipts and outcomes that are here.
    fn papers(&self) -> (usize, usize) {
        let batches = self.vault.batches().expect("batches");
        (batches.iter().filter(|b| b.receipt.is_some()).count(), batches.iter().filter(|b| b.outcome.is_some()).count())
    }
    fn seen(&self) -> Head {
        self.vault.state().expect("state").seen
    }
}

fn line(n: u64, sealed: &[u8]) -> RecordLine {
    let facts = LineFacts {
        number: Number::new(1, n).expect("number"),
        record: RecordId::from_random([u8::try_from(n).expect("small"); 16]),
        size: sealed.len() as u64,
        digest: SealedDigest::of(sealed),
        plain: 4096,
        transaction: Transaction::New,
        form: "national-id/1".parse().expect("form"),
        roster: RosterVersion(1),
        finished: Second::from_unix(0).minute(),
        seen: 0,
        agent: "agent-1".parse().expect("name"),
    };
    RecordLine::sign(facts, &"van-017".parse().expect("name"), &signer("agent-1", 11))
}

fn publish(world: &mut World, facts: RosterFacts) {
    let version = facts.version;
    let roster = Roster::sign(facts, &[&signer("registry.example/roster-1", 1)]).expect("canonical");
    let index = world.log.add(Body::Roster { version, blob: roster.note().blob() });
    world.rosters.push((String::from_utf8_lossy(roster.note().as_bytes()).into_owned(), index));
    world.forms = vec![b"{}\n".to_vec()];
}

/// A centre that has admitted a unit which has its roster and has said hello once.
fn joined() -> (Centre, Unit) {
    let centre = Centre::start();
    let unit = Unit::new(&centre.address);
    let key = unit.vault.state().expect("state").key;
    publish(&mut centre.world(), roster(1, Some(&key)));
    let report = unit.sync().expect("joins");
    assert_eq!((report.rosters, unit.vault.state().expect("state").epoch), (1, Some(1)));
    centre.world().requests.clear();
    (centre, unit)
}

fn code(ended: Result<Report, Trouble>) -> (Code, Source, Exit) {
    let ended = ended.expect_err("stopped");
    (ended.problem.code, ended.source, exit_of_sync(&Err(ended)))
}
fn exit(ended: &Result<Report, Trouble>) -> Exit {
    exit_of_sync(ended)
}

/// Entries that say nothing but the time.
fn idle(log: &mut Log, entries: usize) {
    for _ in 0..entries {
        log.add(Body::Time);
    }
}

#[test]
fn the_whole_road_and_then_nothing() {
    let (centre, unit) = joined();
    unit.close(&[70_000, 1]);
    unit.close(&[300_000]);
    let ended = unit.sync();
    assert_eq!(exit(&ended), Exit::Done);
    let report = ended.expect("done");
    let counts = (report.sent_batches, report.sent_bytes, report.receipts, report.outcomes, report.waiting);
    assert_eq!(counts, (2, 370_001, 2, 2, 0));
    assert_eq!(unit.papers(), (2, 2));
    assert_eq!(unit.seen(), centre.world().log.head());
    assert_eq!(exit(&unit.sync()), Exit::Nothing);
    assert_eq!(unit.vault.state().expect("state").settled, unit.seen().size);
}

#[test]
fn a_unit_that_is_not_admitted_is_told_so_and_joins_later() {
    let centre = Centre::start();
    let unit = Unit::new(&centre.address);
    publish(&mut centre.world(), roster(1, None));
    for _ in 0..2 {
        assert_eq!(code(unit.sync()), (Code::UnitNotAdmitted, Source::Centre, Exit::Refused));
    }
    assert_eq!(centre.asked("POST /v1/hello"), 0, "nothing to say yet");
    let key = unit.vault.state().expect("state").key;
    publish(&mut centre.world(), roster(2, Some(&key)));
    assert_eq!(unit.sync().map(|r| r.rosters), Ok(1));
    assert_eq!(unit.vault.state().expect("state").epoch, Some(1));
    assert_eq!(unit.seen(), centre.world().log.head());
}
