//! What the log says of batches: gaps, forks, freezes, cuts.

use shared::{
    batch::Manifest,
    id::{BatchId, Blob, LogIndex},
    log::{BatchState, Body},
    outcome::{Fate, Outcome, OutcomeLine},
    problem::Code,
    roster::{Facts, Revocation},
};

use super::{
    super::{LoggedBatch, Proposal, Sequencer},
    world::{World, code},
};
use crate::{
    fixtures::{manifest, member, payload, roster, roster_facts, signer, trusted},
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

#[tokio::test]
async fn work_after_a_cut_is_quarantined_unless_something_before_it_leads_there() {
    let world = World::founded().await;
    let sequencer = world.sequencer().await;
    let [one, two, three, four] = chain();
    assert_eq!(state(&world, &sequencer, &three, 1, 1).await, ACCEPTED);
    let mut facts = roster_facts(2);
    let key = signer("van-1").public().into();
    facts.revoked = vec![Revocation { key, cut: LogIndex(2), reason: "stolen".into() }];
    let mut late = facts.clone();
    late.revoked[0].cut = LogIndex(3);
    assert_eq!(publish(&world, &sequencer, late).await, Some(Code::RosterRefused), "a cut behind its own entry");
    assert_eq!(publish(&world, &sequencer, facts.clone()).await, None);
    assert_eq!(publish(&world, &sequencer, facts.clone()).await, None, "the same again is the same");
    facts.retention += 1;
    assert_eq!(publish(&world, &sequencer, facts).await, Some(Code::RosterRefused), "another roster of that version");
    assert_eq!(state(&world, &sequencer, &two, 1, 1).await, ACCEPTED, "a head logged before the cut leads to it");
    assert_eq!(state(&world, &sequencer, &one, 1, 1).await, ACCEPTED);
    assert_eq!(state(&world, &sequencer, &four, 1, 1).await, BatchState::Quarantined(Code::Revoked));
    let other = manifest("van-2", 1, None, 1, 1);
    assert_eq!(state(&world, &sequencer, &other, 1, 1).await, ACCEPTED, "another unit");
}

#[tokio::test]
async fn a_roster_judges_those_who_came_after_it_and_not_those_before() {
    let world = World::founded().await;
    let sequencer = world.sequencer().await;
    let [one, two, three, _] = chain();
    let mut facts = roster_facts(2);
    facts.revoked = vec![Revocation { key: signer("van-1").public().into(), cut: LogIndex(2), reason: "stolen".into() }];
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
    assert_eq!(self::state(&world, &sequencer, &one, 1, 1).await, ACCEPTED, "a head from before the cut leads to it");
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
    assert_eq!(state(&world, &sequencer, &two, 1, 1).await, ACCEPTED);
    let notes = [Blob::of(b"a"), Blob::of(b"b")];
    let freeze = Proposal::Freeze { unit: member("van-1"), epoch: 1, first: notes[0], second: notes[1] };
    assert_eq!(code(sequencer.log(freeze.clone()).await), Some(Code::ArchiveMissing), "both notes are kept first");
    for bytes in [b"a", b"b"] {
        world.stores().archive.put(Blob::of(bytes), Whole::new(*bytes)).await.expect("archived");
    }
    let frozen = sequencer.log(freeze.clone()).await.expect("logged");
    assert_eq!(sequencer.log(freeze).await, Ok(frozen), "the first freeze stands");
    assert_eq!(state(&world, &sequencer, &one, 1, 1).await, ACCEPTED, "reachable from before");
    assert_eq!(state(&world, &sequencer, &three, 1, 1).await, BatchState::Quarantined(Code::Frozen));
}
