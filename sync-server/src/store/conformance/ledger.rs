//! What every ledger promises.

use std::{collections::HashMap, path::Path};

use shared::{
    batch::Manifest,
    force::Life,
    hello::Known,
    id::{BatchId, Blob, LogIndex, NoteId, Place, RosterVersion},
    keys::KeyRef,
    log::{BatchState, Body, Consistency, Entry, Hash, HashReader, Head, TlogProof, checkpoint},
    outcome::Outcome,
    problem::Code,
    roster::{Kept, Revocation},
    time::Second,
};

use super::code;
use crate::{
    fixtures::{START, batch_body, entry, head, manifest, member, roster, roster_facts, segment, signer},
    store::{AnnouncedBatch, Application, Gap, HeadWitness, HelloFacts, Ledger, Word, ledger_sqlite::LedgerSqlite, sqlite::Db},
};

fn sqlite(root: &Path) -> LedgerSqlite {
    LedgerSqlite::new(Db::open(&root.join("centre.db")).expect("opened"))
}

/// A reference log in memory, that segments for the ledger are made from.
#[derive(Default)]
struct Reference {
    hashes: Vec<Hash>,
    heads: Vec<Head>,
}

impl HashReader for Reference {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, tlog_tiles::tlog::Error> {
        Ok(indexes.iter().map(|&i| self.hashes[usize::try_from(i).expect("small")]).collect())
    }
}

impl Reference {
    fn head(&self) -> Head {
        self.heads.last().copied().unwrap_or(Head::EMPTY)
    }
    fn grow(&mut self, entries: Vec<Entry>, notes: &[&[u8]]) -> Application {
        let segment = segment(self.head(), &entries, self);
        let appended = shared::log::append(segment.old.size, &segment.entries, self).expect("in memory");
        self.hashes.extend(appended.hashes);
        self.heads.push(segment.new);
        let notes: HashMap<Blob, Vec<u8>> = notes.iter().map(|n| (Blob::of(n), n.to_vec())).collect();
        Application { blob: segment.blob(), segment, entries, notes }
    }
}

fn place(sequence: u64) -> Place {
    Place::new(1, sequence).expect("from 1")
}

fn batch(seconds: i64, manifest: &Manifest, state: BatchState) -> Entry {
    entry(seconds, batch_body(manifest, state))
}

#[tokio::test]
async fn segments_are_followed_once_and_only_from_where_they_start() {
    let dir = tempfile::tempdir().expect("a folder");
    let (ledger, mut log) = (sqlite(dir.path()), Reference::default());
    let first = log.grow(vec![entry(0, Body::Time)], &[]);
    let second = log.grow(vec![entry(1, Body::Time), entry(1, Body::Time)], &[]);
    assert_eq!(code(ledger.apply(second.clone()).await), Some(Code::LogInconsistent), "not from the position");
    let at = ledger.apply(first.clone()).await.expect("followed");
    assert_eq!(ledger.apply(first.clone()).await, Ok(at), "followed before: nothing changes");
    let mut forged = second.clone();
    forged.segment.new.root = Hash([7; 32]);
    assert_eq!(code(ledger.apply(forged).await), Some(Code::LogInconsistent), "leads to another root");
    let mut back = Reference::default();
    let [a, b] = [entry(0, Body::Time), entry(-1, Body::Time)].map(|e| back.grow(vec![e], &[]));
    let other = tempfile::tempdir().expect("a folder");
    let turned = sqlite(other.path());
    turned.apply(a).await.expect("followed");
    assert_eq!(code(turned.apply(b).await), Some(Code::LogInconsistent), "log time never goes back");
    let at = ledger.apply(second).await.expect("followed");
    assert_eq!(ledger.apply(first).await, Ok(at), "followed before the last one: nothing changes");
    drop(ledger);
    let position = sqlite(dir.path()).position().await.expect("reopened");
    assert_eq!((position.line.head, position.received), (log.head(), Second::from_unix(START + 1)));
}

#[tokio::test]
async fn a_segment_whose_note_is_missing_or_wrong_leaves_no_trace() {
    let dir = tempfile::tempdir().expect("a folder");
    let (ledger, mut log) = (sqlite(dir.path()), Reference::default());
    let (one, two) = (manifest("van-1", 1, None, 1, 2), manifest("van-1", 1, None, 2, 2));
    let missing = log.grow(vec![batch(0, &one, BatchState::Accepted)], &[]);
    assert_eq!(code(ledger.apply(missing.clone()).await), Some(Code::ArchiveMissing));
    let mut wrong = missing;
    wrong.notes = HashMap::from([(one.blob(), two.note().as_bytes().to_vec())]);
    assert_eq!(code(ledger.apply(wrong).await), Some(Code::ArchiveDamaged));
    assert_eq!(ledger.position().await.map(|p| p.line.head), Ok(Head::EMPTY));
    assert_eq!(ledger.entry(LogIndex(0)).await, Ok(None));
}

#[tokio::test]
async fn proofs_hold_for_every_entry_and_head() {
    let dir = tempfile::tempdir().expect("a folder");
    let (ledger, mut log) = (sqlite(dir.path()), Reference::default());
    for run in [1, 2, 5, 1, 13] {
        let entries = (0..run).map(|_| entry(0, Body::Time)).collect();
        ledger.apply(log.grow(entries, &[])).await.expect("followed");
    }
    let (head, key) = (log.head(), signer("registry.example/log"));
    let signed = checkpoint(head, &key).as_bytes().to_vec();
    for index in (0..head.size).map(LogIndex) {
        let leaf = ledger.entry(index).await.expect("read").expect("there");
        let hashes = ledger.inclusion(head.size, index).await.expect("proven");
        assert!(TlogProof { leaf, index, hashes, checkpoint: signed.clone() }.check(key.public()).is_ok(), "{index}");
    }
    for old in &log.heads {
        assert_eq!(ledger.root(old.size).await, Ok(*old));
        let hashes = ledger.consistency(old.size, head.size).await.expect("proven");
        assert!(Consistency { old: old.size, hashes, checkpoint: signed.clone() }.check(*old, key.public()).is_ok(), "{old}");
    }
    assert_eq!(code(ledger.inclusion(head.size, LogIndex(head.size)).await), Some(Code::ProofInvalid));
    assert_eq!(code(ledger.root(head.size + 1).await), Some(Code::ProofInvalid));
}

#[tokio::test]
async fn batches_lines_chains_and_gaps() {
    let dir = tempfile::tempdir().expect("a folder");
    let (ledger, mut log) = (sqlite(dir.path()), Reference::default());
    let one = manifest("van-1", 1, None, 1, 2);
    let two = manifest("van-1", 2, Some(one.id()), 1, 1);
    let three = manifest("van-1", 3, Some(two.id()), 1, 3);
    let van = member("van-1");
    let entries = vec![batch(0, &one, BatchState::Accepted), batch(5, &three, BatchState::Quarantined(Code::Unapproved))];
    ledger.apply(log.grow(entries, &[one.note().as_bytes(), three.note().as_bytes()])).await.expect("followed");
    let gap = Gap { first: place(2), last: place(2), since: Some(Second::from_unix(START + 5)) };
    assert_eq!(ledger.missing(&van, 64).await, Ok(vec![gap]), "a gap is an open fact");
    let found = ledger.batch(three.id()).await.expect("read").expect("there");
    assert_eq!((found.index, found.lines, found.state), (LogIndex(1), 4, BatchState::Quarantined(Code::Unapproved)));
    assert_eq!(ledger.batches_at(&van, place(3)).await, Ok(vec![found.clone()]));
    assert_eq!(ledger.chain_head(&van, 1).await, Ok(Some(found)));
    assert_eq!(ledger.batch(two.id()).await, Ok(None));
    let record = three.facts().records().nth(2).expect("three records");
    let by_id = ledger.lines_of_record(None, record.facts.record).await.expect("read");
    assert_eq!(ledger.lines_of_number(&van, record.facts.number).await, Ok(by_id.clone()));
    assert_eq!((by_id[0].batch, by_id[0].start, by_id[0].size, by_id[0].sealed), (three.id(), 200, 100, Some(record.facts.digest)));
    assert_eq!(ledger.lines_of_record(Some(&member("van-2")), record.facts.record).await, Ok(vec![]));
    let withdrawn = three.facts().withdrawn().next().expect("one");
    assert_eq!(ledger.lines_of_number(&van, withdrawn.number).await.map(|l| l[0].sealed), Ok(None));
    ledger.apply(log.grow(vec![batch(9, &two, BatchState::Accepted)], &[two.note().as_bytes()])).await.expect("the gap closes");
    assert_eq!(ledger.missing(&van, 64).await, Ok(vec![]));
    assert_eq!(ledger.batches_from(LogIndex(1), 1).await.map(|b| b[0].id), Ok(three.id()));
    let quarantined = ledger.quarantined_from(LogIndex(0), 100).await.expect("read");
    assert_eq!(quarantined.iter().map(|batch| batch.id).collect::<Vec<_>>(), [three.id()]);
}

#[tokio::test]
async fn heads_link_batches_over_logged_ones_only() {
    let dir = tempfile::tempdir().expect("a folder");
    let (ledger, mut log) = (sqlite(dir.path()), Reference::default());
    let one = manifest("van-1", 1, None, 1, 1);
    let two = manifest("van-1", 2, Some(one.id()), 1, 1);
    let three = manifest("van-1", 3, Some(two.id()), 1, 1);
    let (head, hello) = head("van-1", 4, Some((place(3), three.id())));
    let key = head.key.clone();
    ledger.apply(log.grow(vec![batch(0, &one, BatchState::Accepted)], &[one.note().as_bytes()])).await.expect("followed");
    assert_eq!(ledger.would_link(three.id(), &key).await, Ok(None));
    ledger.apply(log.grow(vec![entry(1, Body::Head(head.clone()))], &[&hello])).await.expect("followed");
    assert_eq!(ledger.would_link(three.id(), &key).await, Ok(Some(LogIndex(1))), "the head names it");
    assert_eq!(ledger.would_link(two.id(), &key).await, Ok(None), "what leads here is not logged");
    ledger.apply(log.grow(vec![batch(2, &three, BatchState::Accepted)], &[three.note().as_bytes()])).await.expect("followed");
    assert_eq!(ledger.would_link(two.id(), &key).await, Ok(Some(LogIndex(1))));
    ledger.apply(log.grow(vec![batch(3, &two, BatchState::Accepted)], &[two.note().as_bytes()])).await.expect("followed");
    assert_eq!(ledger.would_link(one.id(), &key).await, Ok(Some(LogIndex(1))), "all the way down, when the gap closed");
    assert_eq!(ledger.logged_head(&key).await, Ok(Some((Second::from_unix(START + 1), head))));
    assert_eq!(ledger.heads_since(&key, Second::from_unix(START)).await, Ok(1));
    assert_eq!(ledger.missing(&member("van-1"), 64).await, Ok(vec![]));
    assert_eq!(ledger.extent(&member("van-1"), 1).await.map(|e| e.sequence), Ok(3));
}

#[tokio::test]
async fn a_head_says_what_its_hello_says() {
    let dir = tempfile::tempdir().expect("a folder");
    let (ledger, mut log) = (sqlite(dir.path()), Reference::default());
    let (mut lie, hello) = head("van-1", 4, Some((place(3), BatchId::of(b"3"))));
    lie.hello = 5;
    assert_eq!(code(ledger.apply(log.grow(vec![entry(1, Body::Head(lie))], &[&hello])).await), Some(Code::ArchiveDamaged));
}

#[tokio::test]
async fn keys_live_from_the_entry_that_lists_them_to_the_one_that_ends_them() {
    let dir = tempfile::tempdir().expect("a folder");
    let (ledger, mut log) = (sqlite(dir.path()), Reference::default());
    let key = |name: &str| KeyRef::from(signer(name).public());
    let (van, agent) = (key("van-1"), key("agent-1"));
    let life = async |key: &KeyRef, seconds: i64| ledger.life(key, Second::from_unix(START + seconds)).await.expect("read");
    assert_eq!(life(&van, 0).await, Life::default());
    let publish = |version: u64, facts: shared::roster::Facts| {
        let paper = roster(facts);
        (Body::Roster { version: RosterVersion(version), blob: paper.note().blob() }, paper.note().as_bytes().to_vec())
    };
    let (first, note) = publish(1, roster_facts(1));
    ledger.apply(log.grow(vec![entry(0, Body::Time), entry(1, first)], &[&note])).await.expect("followed");
    assert_eq!(life(&van, 2).await, Life { admitted: Some(LogIndex(1)), end: None });
    let mut ending = roster_facts(2);
    ending.kept = vec![Kept { key: agent.clone(), until: Second::from_unix(START + 10) }];
    ending.revoked = vec![Revocation { key: van.clone(), cut: LogIndex(1), reason: "stolen".into() }];
    let (second, note) = publish(2, ending);
    ledger.apply(log.grow(vec![entry(2, second)], &[&note])).await.expect("followed");
    assert_eq!(life(&van, 2).await.end, Some(LogIndex(1)), "the cut, though the roster came later");
    assert_eq!(life(&agent, 10).await.end, None, "until then");
    assert_eq!(life(&agent, 11).await.end, Some(LogIndex(3)), "what is logged next comes too late");
    ledger.apply(log.grow(vec![entry(11, Body::Time), entry(12, Body::Time)], &[])).await.expect("followed");
    assert_eq!(life(&agent, 12).await.end, Some(LogIndex(3)), "the first entry behind that time");
}

#[tokio::test]
async fn rosters_outcomes_freezes_and_forks() {
    let dir = tempfile::tempdir().expect("a folder");
    let (ledger, mut log) = (sqlite(dir.path()), Reference::default());
    let before = Some(BatchId::of(b"1.1"));
    let (paper, one, fork) = (roster(roster_facts(1)), manifest("van-1", 2, before, 1, 1), manifest("van-1", 2, before, 2, 1));
    let outcome = |version| Outcome::sign(one.id(), version, vec![], &signer("registry.example"));
    let logged = |o: &Outcome| Body::Outcome { batch: one.id(), version: o.version(), blob: o.note().blob() };
    let (first, second) = (outcome(1), outcome(2));
    assert_eq!(ledger.newest_roster().await, Ok(None));
    let (key, other) = (KeyRef::from(signer("van-2").public()), KeyRef::from(signer("van-1").public()));
    let freeze = Body::Freeze { key: key.clone(), first: Blob::of(b"a"), second: Blob::of(b"b") };
    let entries = vec![
        entry(0, Body::Roster { version: RosterVersion(1), blob: paper.note().blob() }),
        batch(0, &one, BatchState::Accepted),
        entry(1, logged(&first)),
        batch(2, &fork, BatchState::Quarantined(Code::Fork)),
        entry(3, logged(&second)),
        entry(4, freeze.clone()),
        entry(5, freeze),
    ];
    let notes = [paper.note().as_bytes(), one.note().as_bytes(), fork.note().as_bytes(), first.note().as_bytes(), second.note().as_bytes()];
    ledger.apply(log.grow(entries, &notes)).await.expect("followed");
    let van = member("van-1");
    assert_eq!(ledger.newest_roster().await.map(|r| r.map(|r| r.index)), Ok(Some(LogIndex(0))));
    assert_eq!(ledger.roster(RosterVersion(2)).await, Ok(None));
    assert_eq!(ledger.outcome(one.id()).await.map(|o| o.map(|o| (o.version, o.index))), Ok(Some((2, LogIndex(4)))));
    assert_eq!(ledger.outcomes_since(&van, LogIndex(3), 64).await, Ok(vec![(place(2), 2)]));
    assert_eq!(ledger.outcomes_since(&van, LogIndex(5), 64).await, Ok(vec![]));
    assert_eq!(ledger.forked(&van, 1).await, Ok(Some(2)));
    assert_eq!(ledger.batches_at(&van, place(2)).await.map(|b| b.len()), Ok(2), "both are kept");
    assert_eq!(ledger.frozen(&key).await, Ok(Some(LogIndex(5))), "the first freeze is the cut");
    assert_eq!(ledger.frozen(&other).await, Ok(None));
}

fn hello(counter: u64, text: &str, head: Option<(Place, BatchId)>) -> HelloFacts {
    let id = NoteId::of(text.as_bytes());
    let first = Second::from_unix(START);
    let key = KeyRef::from(signer("van-1").public());
    let note = text.as_bytes().to_vec();
    HelloFacts { sender: member("van-1"), key, epoch: 1, word: Word::Counts, counter, id, head, number: None, first, note }
}

#[tokio::test]
async fn hellos_say_what_was_known_before_them() {
    let dir = tempfile::tempdir().expect("a folder");
    let ledger = sqlite(dir.path());
    let (a, b) = (BatchId::of(b"a"), BatchId::of(b"b"));
    let known = |k: Result<Known, _>| k.map(|k: Known| (k.counter, k.same_counter, k.at_head, k.newest)).expect("kept");
    assert_eq!(known(ledger.hello(hello(1, "1", None)).await), (0, None, None, None));
    assert_eq!(known(ledger.hello(hello(3, "3", Some((place(2), a)))).await), (1, None, None, None));
    let repeat = (3, Some(NoteId::of(b"3")), Some(a), Some(place(2)));
    assert_eq!(known(ledger.hello(hello(3, "3", Some((place(2), a)))).await), repeat);
    assert_eq!(known(ledger.hello(hello(3, "other", Some((place(2), a)))).await), repeat, "another note of that counter");
    let ledger = sqlite(dir.path());
    assert_eq!(known(ledger.hello(hello(4, "4", Some((place(2), b)))).await), (3, None, Some(a), Some(place(2))), "contradiction");
    let van = KeyRef::from(signer("van-1").public());
    assert_eq!(ledger.head_witness(&van, &member("van-1"), place(2)).await, Ok(Some(HeadWitness::Hello(b"3".to_vec()))));
    let gap = |last| vec![Gap { first: place(1), last: place(last), since: Some(Second::from_unix(START)) }];
    assert_eq!(ledger.missing(&member("van-1"), 1).await, Ok(gap(1)));
    assert_eq!(ledger.missing(&member("van-1"), 64).await, Ok(gap(2)), "in a row");
    let huge = Place::new(1, (1 << 53) - 1).expect("largest");
    ledger.hello(hello(5, "5", Some((huge, b)))).await.expect("kept");
    assert_eq!(ledger.missing(&member("van-1"), 3).await, Ok(gap(3)), "however high a claim");
}

#[tokio::test]
async fn what_an_ended_key_says_is_kept_and_shows_nothing() {
    let dir = tempfile::tempdir().expect("a folder");
    let ledger = sqlite(dir.path());
    let heard = HelloFacts { word: Word::Heard, ..hello(7, "7", Some((place(5), BatchId::of(b"5")))) };
    ledger.hello(heard.clone()).await.expect("kept");
    assert_eq!(ledger.missing(&member("van-1"), 64).await, Ok(vec![]), "no batch is missed");
    assert_eq!(ledger.hello(heard).await.map(|known| known.counter), Ok(7), "its counter is");
    let other = HelloFacts { key: "van-1+00000001".parse().expect("a key"), epoch: 2, ..hello(1, "1", None) };
    assert_eq!(ledger.hello(other).await.map(|known| known.counter), Ok(0), "each key has its own");
}

#[tokio::test]
async fn announcements_are_forgotten_when_logged() {
    let dir = tempfile::tempdir().expect("a folder");
    let (ledger, mut log) = (sqlite(dir.path()), Reference::default());
    let one = manifest("van-1", 1, None, 1, 1);
    let unit_key = KeyRef::from(signer("van-1").public());
    let announced = AnnouncedBatch { id: one.id(), unit: member("van-1"), place: place(1), previous: None, unit_key };
    ledger.announce(announced.clone()).await.expect("kept");
    ledger.announce(announced.clone()).await.expect("the same call twice is the same as once");
    assert_eq!(ledger.announced(&member("van-1")).await, Ok(vec![announced.clone()]));
    assert_eq!(
        ledger.head_witness(&KeyRef::from(signer("van-1").public()), &member("van-1"), place(1)).await,
        Ok(Some(HeadWitness::Announced(one.id())))
    );
    ledger.apply(log.grow(vec![batch(0, &one, BatchState::Accepted)], &[one.note().as_bytes()])).await.expect("followed");
    assert_eq!(ledger.announced(&member("van-1")).await, Ok(vec![]));
    ledger.announce(announced).await.expect("too late");
    assert_eq!(ledger.announced(&member("van-1")).await, Ok(vec![]));
    assert_eq!(
        ledger.head_witness(&KeyRef::from(signer("van-1").public()), &member("van-1"), place(1)).await,
        Ok(Some(HeadWitness::Logged(one.blob())))
    );
}
