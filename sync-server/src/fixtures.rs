//! What tests need again and again: keys, a roster, manifests, entries. Deterministic.

use shared::{
    batch::{Facts as BatchFacts, Line, LineFacts, Manifest, RecordLine, WithdrawReason, WithdrawnLine},
    hello::{Facts as HelloFacts, Hello, Path, Sender, UnitStand},
    id::{BatchId, Digest, KeyName, Member, Number, Place, RecordId, RosterVersion, SealedDigest, Transaction},
    keys::{KeyRef, Signer},
    log::{BatchEntry, BatchState, Body, Entry, HashReader, Head, HeadEntry, Segment, append},
    roster::{Crew, Facts, Roster, TrustedRoster, UnitEntry, invented},
    time::Second,
    verify::{CheckedManifest, PayloadHash, ReceivedBatch, VerifiedBatch},
};

/// 2026-09-21T14:13:20Z
pub const START: i64 = 1_790_000_000;

/// The program itself, for what it does in a process of its own. Built beside the tests.
pub fn program() -> std::path::PathBuf {
    let own = std::env::current_exe().expect("this test is a file");
    let built = own.ancestors().skip(1).take(2).map(|folder| folder.join("sync-server")).find(|path| crate::durable::is_there(path));
    built.expect("sync-server is built: cargo build --release --workspace --bins")
}

/// A key made from its name.
pub fn signer(name: &str) -> Signer {
    let name: KeyName = name.parse().expect("a key name");
    Signer::from_seed(name.clone(), Digest::of(name.as_str().as_bytes()).as_bytes())
}

/// A name.
pub fn member(name: &str) -> Member {
    name.parse().expect("a member's name")
}

/// What the test roster says: units van-1 and van-2, agent agent-1, supervisor supervisor-1.
pub fn roster_facts(version: u64) -> Facts {
    let key = |name: &str| signer(name).public().clone();
    let unit = |name: &str| UnitEntry { name: member(name), epoch: 1, key: key(name), region: "04".into(), crew: Crew::Several };
    Facts {
        version: RosterVersion(version),
        published: Second::from_unix(START),
        expires: Second::from_unix(START + 90 * 86_400),
        forms: vec![],
        units: vec![unit("van-1"), unit("van-2")],
        ..invented::facts(key)
    }
}

/// A signed roster.
pub fn roster(facts: Facts) -> Roster {
    Roster::sign(facts, &[&signer("registry.example/roster-1")]).expect("canonical")
}

/// A payload of `records` sealed records of 100 bytes each; intake never looks inside.
pub fn payload(salt: u8, records: u64) -> Vec<u8> {
    (0..records).flat_map(|n| vec![salt ^ u8::try_from(n).expect("few"); 100]).collect()
}

/// A manifest with `records` record lines over [`payload`] and one withdrawn number.
pub fn manifest(unit: &str, sequence: u64, previous: Option<BatchId>, salt: u8, records: u64) -> Manifest {
    let payload = payload(salt, records);
    let (unit_key, agent, supervisor) = (signer(unit), signer("agent-1"), signer("supervisor-1"));
    let finished = Second::from_unix(START).minute();
    let first = sequence * 100 + u64::from(salt) * 10;
    let id = |n: u64| RecordId::from_random(Digest::of(format!("{unit} {n}").as_bytes()).as_bytes()[..16].try_into().expect("16"));
    let record = |n: u64| {
        let at = usize::try_from(n * 100).expect("small");
        let facts = LineFacts {
            number: Number::new(1, first + n).expect("from 1"),
            record: id(first + n),
            size: 100,
            digest: SealedDigest::of(&payload[at..at + 100]),
            plain: 4096,
            transaction: Transaction::New,
            form: "national-id/1".parse().expect("form"),
            roster: RosterVersion(1),
            finished,
            seen: 0,
            agent: member("agent-1"),
        };
        Line::Record(RecordLine::sign(facts, &member(unit), &agent))
    };
    let withdrawn = WithdrawnLine {
        number: Number::new(1, first + records).expect("from 1"),
        record: id(first + records),
        reason: WithdrawReason::CapturedTwice,
        by: member("supervisor-1"),
    };
    let facts = BatchFacts {
        unit: member(unit),
        place: Place::new(1, sequence).expect("from 1"),
        previous,
        roster: RosterVersion(1),
        seen: Head::EMPTY,
        closed: finished,
        approved: Some(member("supervisor-1")),
        payload_size: payload.len() as u64,
        payload: Digest::of(&payload),
        lines: (0..records).map(record).chain([Line::Withdrawn(withdrawn)]).collect(),
    };
    Manifest::close(facts, &unit_key, &[&supervisor]).expect("canonical")
}

/// A head entry of a unit's key, and the bytes of the hello that it names.
pub fn head(unit: &str, counter: u64, head: Option<(Place, BatchId)>) -> (HeadEntry, Vec<u8>) {
    let stand = UnitStand {
        unit: member(unit),
        epoch: 1,
        head,
        number: Number::new(1, 9).ok(),
        waiting: [0; 3],
        seen: Head::EMPTY,
        settled: 0,
        alarms: Vec::new(),
    };
    let facts = HelloFacts {
        centre: "registry.example".parse().expect("a centre"),
        sender: Sender::Unit(stand),
        counter,
        by: Path::Network,
        roster: Some(RosterVersion(1)),
        software: "enroll-client/0.1.0".into(),
        clock: Second::from_unix(START),
        free: 1,
    };
    let hello = Hello::sign(facts, &signer(unit)).expect("canonical");
    let key = KeyRef::from(signer(unit).public());
    let entry = HeadEntry { key, head, number: Number::new(1, 9).ok(), hello: counter, note: hello.note().blob() };
    (entry, hello.note().as_bytes().to_vec())
}

/// The entry of a manifest's batch.
pub fn batch_body(manifest: &Manifest, state: BatchState) -> Body {
    Body::Batch(BatchEntry::of(manifest, state))
}

/// An entry so many seconds after [`START`].
pub fn entry(seconds: i64, body: Body) -> Entry {
    Entry { received: Second::from_unix(START + seconds), body }
}

/// A segment that leads on from `old`.
pub fn segment(old: Head, entries: &[Entry], stored: &impl HashReader) -> Segment {
    let entries: Vec<Vec<u8>> = entries.iter().map(Entry::to_bytes).collect();
    let appended = append(old.size, &entries, stored).expect("hashes are there");
    Segment { old, new: appended.head, entries }
}

/// A trusted roster.
pub fn trusted(facts: Facts) -> TrustedRoster {
    TrustedRoster::from_own_log(roster(facts))
}

/// A batch that has passed verification under roster 1: the fixture [`manifest`] over its [`payload`].
pub fn verified(manifest: Manifest, payload: &[u8]) -> VerifiedBatch {
    let rosters = [trusted(roster_facts(1))];
    let checked = CheckedManifest::check(manifest, &rosters[..]).expect("authentic");
    let mut hash = PayloadHash::default();
    hash.update(payload);
    ReceivedBatch::new(checked).verify(hash).expect("the payload that was signed")
}
