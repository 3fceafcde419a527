//! The examples of `SPEC.md` are not drawn by hand: one small road with fixed keys makes each of them, and this test
//! demands that the specification shows exactly these bytes.

use shared::{
    batch::{self, Line, LineFacts, Manifest, RecordLine, WithdrawReason, WithdrawnLine},
    decision::{self, BatchVerdict, Decision, DecisionLine, Reason, RecordKey, Said, Subject, Verdict},
    hello::{self, Alarm, Answer, AnswerFacts, Hello, Path, Sender, State, UnitStand},
    id::{
        BatchId, Blob, CaseRef, Digest, KeyName, LogIndex, Member, Number, Place, RecordId, ResidentRef, RosterVersion, SealedDigest,
        Transaction,
    },
    keys::{KeyRef, Signer},
    log::{self, BatchEntry, BatchState, Body, Consistency, Entry, GuardLine, Hash, Head, HeadEntry, Segment, TlogProof},
    outcome::{Fate, Outcome, OutcomeLine},
    problem::Code,
    receipt::Receipt,
    roster::{
        self, Approval, Crew, FormRef, Limits, Persons, Quorum, Recipients, Renewals, Revocation, Roster, SoftwareVersion, TrustedRoster,
        UnknownTargets,
    },
    rules::Rules,
    time::Second,
    verify::CheckedManifest,
};

const SPEC: &str = include_str!("../SPEC.md");

fn key(name: &str, seed: u8) -> Signer {
    Signer::from_seed(name.parse::<KeyName>().expect("a name"), &[seed; 32])
}

fn name(text: &str) -> Member {
    text.parse().expect("a name")
}

fn second(text: &str) -> Second {
    text.parse().expect("a time")
}

/// `SPEC.md` shows this text under this name.
fn shown(example: &str, text: &str) {
    let block = format!("<!-- {example} -->\n```\n{text}```\n");
    assert!(SPEC.contains(&block), "SPEC.md must show:\n{block}");
}

fn unit_key() -> Signer {
    key("van-017", 1)
}

fn roster() -> Roster {
    let public = |n: &str, seed| key(n, seed).public().clone();
    let age = |text: &str| text.parse().expect("a recipient");
    let facts = roster::Facts {
        centre: "registry.example".parse().expect("a centre"),
        version: RosterVersion(12),
        published: second("2026-11-19T08:00:00Z"),
        expires: second("2027-02-17T08:00:00Z"),
        grace: 2_592_000,
        retention: 1_209_600,
        software: SoftwareVersion(0, 1, 0),
        recipients: Recipients {
            working: age("age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"),
            recovery: age("age1lggyhqrw2nlhcxprm67z43rta597azn8gknawjehu9d9dl0jq3yqqvfafg"),
            auditors: vec![age("age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa")],
        },
        log: public("registry.example/log", 2),
        centre_key: public("registry.example", 3),
        signers: Quorum { needed: 1, keys: vec![public("registry.example/roster-1", 4)] },
        witnesses: Quorum { needed: 0, keys: vec![] },
        forms: vec![FormRef { name: "national-id/1".parse().expect("a form"), size: 19_830, blob: Blob::of(b"national-id/1") }],
        limits: Limits::MOST,
        approval: Approval::Required,
        renewals: Renewals::Hold,
        unknown_targets: UnknownTargets::Hold,
        amend: roster::AMEND,
        persons: Persons::ByEffect,
        units: vec![roster::UnitEntry {
            name: name("van-017"),
            epoch: 1,
            key: public("van-017", 1),
            region: "04".into(),
            crew: Crew::Several,
        }],
        agents: {
            let agent = |seed| roster::AgentEntry { name: name("agent-007"), key: public("agent-007", seed), unit: Some(name("van-017")) };
            let mut agents = vec![agent(5), agent(9)];
            agents.sort_by_key(|agent| KeyRef::from(&agent.key));
            agents
        },
        supervisors: vec![roster::SupervisorEntry {
            name: name("supervisor-003"),
            key: public("supervisor-003", 6),
            unit: Some(name("van-017")),
            recipient: age("age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa"),
        }],
        carriers: vec![],
        adjudicators: vec![roster::StaffEntry { name: name("amina"), key: public("amina", 7) }],
        administrators: vec![],
        kept: vec![],
        revoked: vec![Revocation { key: KeyRef::from(key("agent-007", 9).public()), cut: LogIndex(3), reason: "lost-passphrase".into() }],
    };
    Roster::sign(facts, &[&key("registry.example/roster-1", 4)]).expect("canonical")
}

fn trusted() -> TrustedRoster {
    roster().trust_anchored(key("registry.example/roster-1", 4).public()).expect("signed by its own signer")
}

fn record_line() -> RecordLine {
    let facts = LineFacts {
        number: Number::new(1, 1207).expect("a number"),
        record: "1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed".parse().expect("an id"),
        size: 312_320,
        digest: SealedDigest::of(b"the age file"),
        plain: 327_680,
        transaction: Transaction::New,
        form: "national-id/1".parse().expect("a form"),
        roster: RosterVersion(12),
        finished: "2026-11-20T09:12Z".parse().expect("a minute"),
        seen: 4,
        agent: name("agent-007"),
    };
    RecordLine::sign(facts, &name("van-017"), &key("agent-007", 5))
}

/// A log of five `time` entries, which the batch's entry follows.
fn grown() -> (Stored, Vec<Vec<u8>>, Head) {
    let early = |day: u32| Entry { received: second(&format!("2026-11-1{day}T08:00:00Z")), body: Body::Time }.to_bytes();
    let entries: Vec<Vec<u8>> = (4..9).map(early).collect();
    let appended = log::append(0, &entries, &Stored(vec![])).expect("readable");
    (Stored(appended.hashes), entries, appended.head)
}

struct Stored(Vec<Hash>);

impl log::HashReader for Stored {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, tlog_tiles::tlog::Error> {
        Ok(indexes.iter().map(|&i| self.0[usize::try_from(i).expect("small")]).collect())
    }
}

fn manifest() -> Manifest {
    let (_, _, head) = grown();
    let line = record_line();
    let withdrawn = WithdrawnLine {
        number: Number::new(1, 1208).expect("a number"),
        record: "6ec0bd7f-11c0-43da-975e-2a8ad9ebae0b".parse().expect("an id"),
        reason: WithdrawReason::CapturedTwice,
        by: name("supervisor-003"),
    };
    let facts = batch::Facts {
        unit: name("van-017"),
        place: Place::new(1, 42).expect("a place"),
        previous: Some(BatchId::of(b"the manifest of 1.41")),
        roster: RosterVersion(12),
        seen: head,
        closed: "2026-11-20T16:02Z".parse().expect("a minute"),
        approved: Some(name("supervisor-003")),
        payload_size: line.facts.size,
        payload: Digest::of(b"the age file"),
        lines: vec![Line::Record(line), Line::Withdrawn(withdrawn)],
    };
    Manifest::close(facts, &unit_key(), &[&key("supervisor-003", 6)]).expect("consistent")
}

fn entry() -> Entry {
    let manifest = manifest();
    let batch = BatchEntry::of(&manifest, BatchState::Accepted);
    Entry { received: second("2026-11-20T21:30:02Z"), body: Body::Batch(batch) }
}

fn hello() -> Hello {
    let (_, _, seen) = grown();
    let facts = hello::Facts {
        centre: "registry.example".parse().expect("a centre"),
        sender: Sender::Unit(UnitStand {
            unit: name("van-017"),
            epoch: 1,
            head: Some((manifest().facts().place, manifest().id())),
            number: Number::new(1, 1215).ok(),
            waiting: [1, 1, 312_320],
            seen,
            settled: 4,
            alarms: vec![(Alarm::DiskFull, second("2026-11-19T16:02:11Z"))],
        }),
        counter: 391,
        by: Path::Network,
        roster: Some(RosterVersion(12)),
        software: "enroll-client/0.1.0".into(),
        clock: second("2026-11-20T21:30:00Z"),
        free: 81_234_567_890,
    };
    Hello::sign(facts, &unit_key()).expect("canonical")
}

#[test]
fn section_3_record_line() {
    let line = record_line();
    shown("record line", &format!("{line}\n"));
    shown("record line as a note", &line.as_note(&name("van-017")));
    line.verify(&name("van-017"), key("agent-007", 5).public()).expect("signed by the agent");
}

#[test]
fn section_4_manifest() {
    let manifest = manifest();
    shown("manifest", std::str::from_utf8(manifest.note().as_bytes()).expect("UTF-8"));
    let checked = CheckedManifest::check(manifest, &[trusted()][..]).expect("authentic");
    assert_eq!(checked.approval_state(), BatchState::Accepted);
}

#[test]
fn section_5_log_and_section_6_receipt() {
    let (stored, early, old) = grown();
    let leaf = entry().to_bytes();
    shown("log entry", std::str::from_utf8(&leaf).expect("UTF-8"));
    let appended = log::append(old.size, std::slice::from_ref(&leaf), &stored).expect("readable");
    let segment = Segment { old, new: appended.head, entries: vec![leaf.clone()] };
    let bytes = segment.to_bytes();
    shown("segment", std::str::from_utf8(&bytes[..bytes.len() - leaf.len() - 2]).expect("UTF-8"));
    shown("guard", &format!("{}\n", GuardLine { head: appended.head, segment: segment.blob() }));

    let log_key = key("registry.example/log", 2);
    let checkpoint = log::checkpoint(appended.head, &log_key);
    shown("checkpoint", std::str::from_utf8(checkpoint.as_bytes()).expect("UTF-8"));
    let all = Stored([stored.0, appended.hashes].concat());
    let index = LogIndex(early.len() as u64);
    let hashes = log::prove_inclusion(appended.head.size, index.0, &all).expect("in the log");
    let proof = TlogProof { leaf, index, hashes, checkpoint: checkpoint.as_bytes().to_vec() };
    shown("receipt", std::str::from_utf8(&proof.to_bytes()).expect("UTF-8"));
    Receipt::parse(&proof.to_bytes()).and_then(|r| r.check(&manifest(), log_key.public())).expect("a receipt");
    let hashes = log::prove_consistency(old.size, appended.head.size, &all).expect("older");
    let consistency = Consistency { old: old.size, hashes, checkpoint: checkpoint.as_bytes().to_vec() };
    shown("consistency", std::str::from_utf8(&consistency.to_bytes()).expect("UTF-8"));
    consistency.check(old, log_key.public()).expect("consistent");
}

#[test]
fn section_7_hello_and_answer() {
    let hello = hello();
    shown("hello", std::str::from_utf8(hello.note().as_bytes()).expect("UTF-8"));
    let facts = AnswerFacts {
        unit: name("van-017"),
        epoch: 1,
        hello: (391, hello.note().id()),
        state: State::Ok,
        time: second("2026-11-20T21:30:02Z"),
        counter: 391,
        head: Some((Place::new(1, 41).expect("a place"), BatchId::of(b"the manifest of 1.41"))),
        want: vec![(Place::new(1, 40).expect("a place"), 1_048_576)],
        outcomes: vec![(Place::new(1, 39).expect("a place"), 2)],
        hold: vec![Place::new(1, 17).expect("a place")],
        roster: Some(RosterVersion(12)),
    };
    let answer = Answer::sign(facts, &key("registry.example", 3));
    shown("answer", std::str::from_utf8(answer.note().as_bytes()).expect("UTF-8"));
    answer.check(key("registry.example", 3).public(), &hello).expect("an answer to this hello");
}

#[test]
fn section_8_roster() {
    let roster = roster();
    shown("roster", std::str::from_utf8(roster.note().as_bytes()).expect("UTF-8"));
    assert_eq!(Roster::parse(roster.note().as_bytes()), Ok(roster));
}

#[test]
fn section_10_decision() {
    let record = RecordKey { unit: name("van-017"), record: record_line().facts.record, digest: record_line().facts.digest };
    let resident = ResidentRef::founded_by(&name("van-004"), "6ec0bd7f-11c0-43da-975e-2a8ad9ebae0b".parse().expect("an id"));
    let batch = manifest().id();
    let lines = vec![
        DecisionLine {
            case: decision::case_of_record(&record, Some(Code::RenewalHeld), &[]),
            subject: Subject::Record(record, Verdict::Apply(resident)),
            replaces: None,
            reason: Reason::CaptureChecked,
        },
        DecisionLine {
            subject: Subject::Batch(batch, BatchVerdict::Accept(Code::Unapproved)),
            replaces: None,
            case: decision::case_of_batch(batch, Some(Code::Unapproved)),
            reason: Reason::WorkChecked,
        },
    ];
    let centre = "registry.example".parse().expect("a centre");
    let signed = Decision::sign(&centre, Said::Lines(lines), &key("amina", 7)).expect("canonical");
    shown("decision", std::str::from_utf8(signed.note().as_bytes()).expect("UTF-8"));
    let second = Decision::sign(&centre, Said::Confirm(signed.id()), &key("youssef", 8)).expect("canonical");
    shown("confirmation", std::str::from_utf8(second.note().as_bytes()).expect("UTF-8"));
    let head = HeadEntry {
        key: KeyRef::from(unit_key().public()),
        head: Some((manifest().facts().place, manifest().id())),
        number: Number::new(1, 1215).ok(),
        hello: 391,
        note: hello().note().blob(),
    };
    let bodies = [Body::Head(head), Body::Decision(signed.blob()), Body::Opened(batch), Body::Rules(Rules::V3)];
    let text: String = bodies.into_iter().map(body_line).collect();
    shown("other entries", &text);
}

/// The line of an entry that says what it is about.
fn body_line(body: Body) -> String {
    let text = Entry { received: second("2026-11-20T21:30:02Z"), body }.to_string();
    text.lines().skip(2).map(|line| line.to_owned() + "\n").collect()
}

#[test]
fn section_9_outcome() {
    let manifest = manifest();
    let record = &manifest.facts().records().next().expect("one").facts;
    let fate = Fate::Merged(ResidentRef::founded_by(&name("van-017"), record.record));
    let lines = vec![OutcomeLine { number: record.number, record: record.record, fate }];
    let outcome = Outcome::sign(manifest.id(), 1, lines, &key("registry.example", 3));
    shown("outcome", std::str::from_utf8(outcome.note().as_bytes()).expect("UTF-8"));
    outcome.check(&manifest, key("registry.example", 3).public()).expect("an outcome of this batch");
    let other: RecordId = "6ec0bd7f-11c0-43da-975e-2a8ad9ebae0b".parse().expect("an id");
    let held = Fate::Held(Code::Duplicate, CaseRef::holding(&name("van-017"), other));
    shown("other fates", &format!("{held}\n{}\n", Fate::Refused(Code::LineMismatch)));
}
