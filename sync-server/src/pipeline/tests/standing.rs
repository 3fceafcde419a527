//! What the log says of batches: gaps, forks, freezes, cuts.

use shared::{
    batch::Manifest,
    decision::{BatchVerdict, Decision, DecisionLine, Reason, Said, Subject, case_of_batch},
    id::{BatchId, Blob, LogIndex, NoteId},
    log::{BatchState, Body},
    outcome::{Fate, Outcome, OutcomeLine},
    problem::Code,
    roster::{Facts, Revocation, StaffEntry},
};

use super::{
    super::{LoggedBatch, Proposal, Sequencer},
    world::{World, code},
};
use crate::{
    fixtures::{self, manifest, member, payload, roster, roster_facts, signer, trusted},
    store::{Archive as _, Whole, ledger_sqlite::LedgerSqlite},
};

const ACCEPTED: BatchState = BatchState::Accepted;
const FORK: BatchState = BatchState::Quarantined(Code::Fork);

async fn state(world: &World, sequencer: &Sequencer<LedgerSqlite>, manifest: &Manifest, salt: u8, records: u64) -> BatchState {
    let batch = world.archived(manifest, &payload(salt, records)).await;
    let logged = sequencer.log_batch(batch).await.expect("logged, whatever its state");
    match &logged.logged().entry().body {
        Body::Batch(batch) => batch.state,
        other => panic!("{other:?}"),
    }
}

fn chain() -> [Manifest; 4] {
    let one = manifest("van-1", 1, None, 1, 1);
    let two = manifest("van-1", 2, Some(one.id()), 1, 1);
    let three = manifest("van-1", 3, Some(two.id()), 1, 1);
    let four = manifest("van-1", 4, Some(three.id()), 1, 1);
    [one, two, three, four]
}

/// A roster whose note is in the archive.
async fn proposed(world: &World, facts: Facts) -> Proposal {
    let note = roster(facts.clone()).note().as_bytes().to_vec();
    world.stores().archive.put(Blob::of(&note), Whole::new(note.clone())).await.expect("archived");
    Proposal::Roster(Box::new(trusted(facts)))
}

async fn publish(world: &World, sequencer: &Sequencer<LedgerSqlite>, facts: Facts) -> Option<Code> {
    code(sequencer.log(proposed(world, facts).await).await)
}

#[tokio::test]
async fn a_gap_is_no_refusal_in_any_order() {
    for order in [[3, 1, 0, 2], [0, 2, 1, 3], [2, 3, 1, 0]] {
        let world = World::founded().await;
        let sequencer = world.sequencer().await;
        let chain = chain();
        for n in order {
            assert_eq!(state(&world, &sequencer, &chain[n], 1, 1).await, ACCEPTED, "{order:?} {n}");
        }
    }
}

#[tokio::test]
async fn a_fork_is_kept_on_both_sides_and_later_work_is_quarantined() {
    let world = World::founded().await;
    let sequencer = world.sequencer().await;
    let [one, two, three, four] = chain();
    let other = manifest("van-1", 2, Some(one.id()), 2, 2);
    for (manifest, salt, records, expected) in
        [(&one, 1, 1, ACCEPTED), (&two, 1, 1, ACCEPTED), (&other, 2, 2, FORK), (&three, 1, 1, FORK), (&four, 1, 1, FORK)]
    {
        assert_eq!(state(&world, &sequencer, manifest, salt, records).await, expected, "{}", manifest.facts().place);
    }
    let unharmed = manifest("van-2", 1, None, 1, 1);
    assert_eq!(state(&world, &sequencer, &unharmed, 1, 1).await, ACCEPTED, "another unit");
}

#[tokio::test]
async fn a_batch_that_contradicts_its_neighbours_is_a_fork() {
    let [one, two, three, _] = chain();
    let foreign = BatchId::of(b"another chain");
    let before = manifest("van-1", 2, Some(foreign), 2, 1);
    let world = World::founded().await;
    let sequencer = world.sequencer().await;
    assert_eq!(state(&world, &sequencer, &one, 1, 1).await, ACCEPTED);
    assert_eq!(state(&world, &sequencer, &before, 2, 1).await, FORK, "names another predecessor");
    let world = World::founded().await;
    let sequencer = world.sequencer().await;
    assert_eq!(state(&world, &sequencer, &three, 1, 1).await, ACCEPTED);
    assert_eq!(state(&world, &sequencer, &before, 2, 1).await, FORK, "its successor names another");
    assert_eq!(state(&world, &sequencer, &one, 1, 1).await, ACCEPTED, "earlier work is not touched");
    assert_eq!(state(&world, &sequencer, &two, 1, 1).await, FORK, "one of the two at its place was there first");
}

/// A head of van-1 that names this batch, with its hello in the archive.
async fn head(world: &World, sequencer: &Sequencer<LedgerSqlite>, manifest: &Manifest, counter: u64) -> Option<Code> {
    let (entry, note) = fixtures::head("van-1", counter, Some((manifest.facts().place, manifest.id())));
    world.stores().archive.put(entry.note, Whole::new(note)).await.expect("archived");
    code(sequencer.log(Proposal::Head(member("van-1"), entry)).await)
}

fn cut(facts: &mut Facts, name: &str, cut: u64) {
    facts.revoked.push(Revocation { key: signer(name).public().into(), cut: LogIndex(cut), reason: "stolen".into() });
    facts.revoked.sort_by(|a, b| a.key.cmp(&b.key));
}

#[tokio::test]
async fn work_after_a_cut_is_quarantined_unless_a_head_from_before_it_leads_there() {
    let world = World::founded().await;
    let sequencer = world.sequencer().await;
    let [one, two, three, four] = chain();
    assert_eq!(head(&world, &sequencer, &three, 1).await, None);
    let mut facts = roster_facts(2);
    cut(&mut facts, "van-1", 2);
    let mut late = facts.clone();
    late.revoked[0].cut = LogIndex(3);
    assert_eq!(publish(&world, &sequencer, late).await, Some(Code::RosterRefused), "a cut behind its own entry");
    assert_eq!(publish(&world, &sequencer, facts.clone()).await, None);
    assert_eq!(publish(&world, &sequencer, facts.clone()).await, None, "the same again is the same");
    facts.retention += 1;
    assert_eq!(publish(&world, &sequencer, facts).await, Some(Code::RosterRefused), "another roster of that version");
    let revoked = BatchState::Quarantined(Code::Revoked);
    assert_eq!(state(&world, &sequencer, &one, 1, 1).await, revoked, "what would lead here is not logged yet");
    assert_eq!(state(&world, &sequencer, &three, 1, 1).await, ACCEPTED, "the head names it");
    assert_eq!(state(&world, &sequencer, &two, 1, 1).await, ACCEPTED, "a logged batch leads here from the head");
    assert_eq!(state(&world, &sequencer, &four, 1, 1).await, revoked);
    assert_eq!(head(&world, &sequencer, &four, 2).await, Some(Code::Revoked), "the word of an ended key moves no head");
    let other = manifest("van-2", 1, None, 1, 1);
    assert_eq!(state(&world, &sequencer, &other, 1, 1).await, ACCEPTED, "another unit");
}

#[tokio::test]
async fn an_ended_key_freezes_nobody_and_an_ended_approver_approves_nothing() {
    let world = World::founded().await;
    let sequencer = world.sequencer().await;
    let mut facts = roster_facts(2);
    cut(&mut facts, "supervisor-1", 1);
    cut(&mut facts, "van-2", 1);
    assert_eq!(publish(&world, &sequencer, facts).await, None);
    let [one, ..] = chain();
    assert_eq!(state(&world, &sequencer, &one, 1, 1).await, BatchState::Quarantined(Code::ApproverRevoked));
    for bytes in [b"a", b"b"] {
        world.stores().archive.put(Blob::of(bytes), Whole::new(*bytes)).await.expect("archived");
    }
    let key = signer("van-2").public().into();
    let freeze = Proposal::Freeze { unit: member("van-2"), key, first: Blob::of(b"a"), second: Blob::of(b"b") };
    assert_eq!(code(sequencer.log(freeze).await), Some(Code::Revoked));
}

#[tokio::test]
async fn a_roster_that_was_replaced_long_ago_no_longer_allows_what_the_later_one_forbids() {
    let world = World::founded().await;
    let sequencer = world.sequencer().await;
    let mut strict = roster_facts(2);
    strict.limits.lines = 2;
    assert_eq!(publish(&world, &sequencer, strict.clone()).await, None);
    let [one, two, ..] = chain();
    let large = manifest("van-2", 1, None, 1, 2);
    assert_eq!(state(&world, &sequencer, &one, 1, 1).await, ACCEPTED, "two lines");
    assert_eq!(state(&world, &sequencer, &large, 1, 2).await, ACCEPTED, "three, within the grace");
    world.clock.fetch_add(i64::try_from(strict.grace).expect("small") + 1, std::sync::atomic::Ordering::SeqCst);
    sequencer.log(Proposal::TimeConfirmed).await.expect("logged");
    let large = manifest("van-2", 2, Some(large.id()), 2, 2);
    assert_eq!(state(&world, &sequencer, &large, 2, 2).await, BatchState::Quarantined(Code::RosterOld));
    assert_eq!(state(&world, &sequencer, &two, 1, 1).await, ACCEPTED, "what both allow");
}

#[tokio::test]
async fn a_roster_judges_those_who_came_after_it_and_not_those_before() {
    let world = World::founded().await;
    let sequencer = world.sequencer().await;
    let [_, two, three, _] = chain();
    let mut facts = roster_facts(2);
    cut(&mut facts, "van-1", 2);
    let roster = proposed(&world, facts).await;
    let (before, after) = (world.archived(&two, &payload(1, 1)).await, world.archived(&three, &payload(1, 1)).await);
    // all three wait for one round; the cut is the roster's own place, which only stands if it is alone in a segment
    let (before, roster, after) = tokio::join!(sequencer.log_batch(before), sequencer.log(roster), sequencer.log_batch(after));
    assert_eq!(roster.map(|l| l.index()), Ok(LogIndex(2)));
    let state = |batch: &LoggedBatch| match &batch.logged().entry().body {
        Body::Batch(batch) => batch.state,
        other => panic!("{other:?}"),
    };
    assert_eq!(before.as_ref().map(state), Ok(ACCEPTED));
    assert_eq!(after.as_ref().map(state), Ok(BatchState::Quarantined(Code::Revoked)));
}

#[tokio::test]
async fn decisions_are_logged_of_adjudicators_in_force_and_confirmed_by_another() {
    let world = World::founded().await;
    let sequencer = world.sequencer().await;
    let staff = |name: &str| StaffEntry { name: member(name), key: signer(name).public().clone() };
    let mut facts = roster_facts(2);
    facts.adjudicators = vec![staff("amina"), staff("brahim"), staff("carim")];
    cut(&mut facts, "carim", 1);
    assert_eq!(publish(&world, &sequencer, facts).await, None);
    let log = async |said: Said, by: &str| {
        let centre = "registry.example".parse().expect("a centre");
        let decision = Decision::sign(&centre, said, &signer(by)).expect("canonical");
        let archive = world.stores().archive;
        archive.put(decision.blob(), Whole::new(decision.note().as_bytes())).await.expect("archived");
        let id = decision.id();
        (id, code(sequencer.log(Proposal::Decision(Box::new(decision))).await))
    };
    let batch = BatchId::of(b"b");
    let line = DecisionLine {
        subject: Subject::Batch(batch, BatchVerdict::Refuse),
        replaces: None,
        case: case_of_batch(batch, None),
        reason: Reason::Mistake,
    };
    let said = Said::Lines(vec![line]);
    assert_eq!(log(said.clone(), "supervisor-1").await.1, Some(Code::NotAdjudicator));
    assert_eq!(log(said.clone(), "carim").await.1, Some(Code::NotAdjudicator), "cut");
    let (id, logged) = log(said, "amina").await;
    assert_eq!(logged, None);
    assert_eq!(log(Said::Confirm(NoteId::of(b"none")), "brahim").await.1, Some(Code::NotFound));
    assert_eq!(log(Said::Confirm(id), "amina").await.1, Some(Code::SecondSame));
    assert_eq!(log(Said::Confirm(id), "carim").await.1, Some(Code::NotAdjudicator));
    assert_eq!(log(Said::Reject(NoteId::of(b"none")), "brahim").await.1, Some(Code::NotFound));
    assert_eq!(log(Said::Reject(id), "carim").await.1, Some(Code::NotAdjudicator));
    assert_eq!(log(Said::Confirm(id), "brahim").await.1, None);
    assert_eq!(log(Said::Reject(id), "amina").await.1, None, "the first signer may");
}

#[tokio::test]
async fn outcomes_follow_their_batch_one_version_after_the_other() {
    let world = World::founded().await;
    let sequencer = world.sequencer().await;
    let one = manifest("van-1", 1, None, 1, 1);
    let line = one.facts().records().next().expect("one").facts.clone();
    let told = |version: u64, code: Code| {
        let line = OutcomeLine { number: line.number, record: line.record, fate: Fate::Refused(code) };
        Outcome::sign(one.id(), version, vec![line], &signer("registry.example"))
    };
    let log = async |outcome: Outcome| sequencer.log(Proposal::Outcome(outcome)).await;
    let keep = async |outcome: &Outcome| {
        let note = outcome.note().as_bytes().to_vec();
        world.stores().archive.put(Blob::of(&note), Whole::new(note.clone())).await.expect("archived");
    };
    let (first, second) = (told(1, Code::NotAge), told(2, Code::LineMismatch));
    assert_eq!(code(log(first.clone()).await), Some(Code::OutcomeInvalid), "of a batch that is not logged");
    assert_eq!(state(&world, &sequencer, &one, 1, 1).await, ACCEPTED);
    assert_eq!(code(log(first.clone()).await), Some(Code::ArchiveMissing), "kept first");
    for outcome in [&first, &second] {
        keep(outcome).await;
    }
    assert_eq!(code(log(second.clone()).await), Some(Code::OutcomeInvalid), "not the next version");
    let logged = log(first.clone()).await.expect("logged");
    assert_eq!(log(first).await, Ok(logged), "the same again is the same");
    let other = told(1, Code::LineMismatch);
    keep(&other).await;
    assert_eq!(code(log(other).await), Some(Code::OutcomeInvalid), "another of that version");
    assert_eq!(log(second).await.map(|l| l.index()), Ok(LogIndex(3)));
}

#[tokio::test]
async fn a_payload_of_another_size_is_not_logged() {
    let world = World::founded().await;
    let sequencer = world.sequencer().await;
    let one = manifest("van-1", 1, None, 1, 2);
    let batch = world.archived(&one, &payload(1, 2)).await;
    world.damage_blob(Blob::of(&payload(1, 2)), Some(&payload(1, 1)));
    assert_eq!(code(sequencer.log_batch(batch).await), Some(Code::ArchiveDamaged));
}

#[tokio::test]
async fn a_frozen_unit_is_quarantined_from_its_freeze_on() {
    let world = World::founded().await;
    let sequencer = world.sequencer().await;
    let [one, two, three, _] = chain();
    assert_eq!(head(&world, &sequencer, &two, 1).await, None);
    let notes = [Blob::of(b"a"), Blob::of(b"b")];
    let key = signer("van-1").public().into();
    let freeze = Proposal::Freeze { unit: member("van-1"), key, first: notes[0], second: notes[1] };
    assert_eq!(code(sequencer.log(freeze.clone()).await), Some(Code::ArchiveMissing), "both notes are kept first");
    for bytes in [b"a", b"b"] {
        world.stores().archive.put(Blob::of(bytes), Whole::new(*bytes)).await.expect("archived");
    }
    let frozen = sequencer.log(freeze.clone()).await.expect("logged");
    assert_eq!(sequencer.log(freeze).await, Ok(frozen), "the first freeze stands");
    assert_eq!(state(&world, &sequencer, &two, 1, 1).await, ACCEPTED, "a head from before names it");
    assert_eq!(state(&world, &sequencer, &one, 1, 1).await, ACCEPTED, "and leads here");
    assert_eq!(state(&world, &sequencer, &three, 1, 1).await, BatchState::Quarantined(Code::Frozen));
}
