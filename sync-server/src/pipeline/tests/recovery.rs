//! Going on after a crash, a failing guard, and on an archive with things in it that lead nowhere.

use shared::{
    log::{GuardLine, Hash, Head, Segment},
    problem::Code,
};

use super::{
    super::{Idle, Proposal, Stores, catch_up},
    world::{World, code},
};
use crate::store::{
    Archive as _, Guard as _, Ledger as _,
    faulty::{Faults, Faulty, How, Plan, Then},
};

/// A log of three entries whose database stands at the first; gives its last head but one, and where the guard stands.
async fn behind() -> (World, Head, GuardLine) {
    let world = World::founded().await;
    let sequencer = world.sequencer().await;
    world.keep_database("older");
    sequencer.log(Proposal::Time).await.expect("logged");
    let middle = world.stores().ledger.position().await.expect("read").line.head;
    sequencer.log(Proposal::Time).await.expect("logged");
    drop(sequencer);
    let guarded = world.stores().guard.read().await.expect("read").expect("held");
    world.put_database_back(Some("older"));
    (world, middle, guarded)
}

/// The segment that leads to a size.
async fn leading_to(world: &World, size: u64) -> Segment {
    let archive = world.stores().archive;
    let blob = archive.segments_at(size).await.expect("listed").remove(0);
    Segment::parse(&archive.segment(size, blob).await.expect("read")).expect("well-formed").0
}

#[tokio::test]
async fn after_a_failed_swap_only_another_swap_tells_what_is_durable() {
    for (how, swaps, expected) in [(How::Undone, 1, Some(Code::IoFailed)), (How::Done, 2, None)] {
        let world = World::founded().await;
        let faults = Faults::of(Plan { name: "Guard::swap", call: 1, how, then: Then::Lives });
        let Stores { archive, guard, ledger } = world.stores();
        let stores = Stores { archive, guard: Faulty::new(guard, &faults), ledger };
        let sequencer = world.start(stores, Idle::Quiet).await.expect("started");
        assert_eq!(code(sequencer.log(Proposal::Time).await), expected, "{how:?}");
        assert_eq!(faults.acts()["Guard::swap"], swaps, "{how:?}");
        assert_eq!(sequencer.log(Proposal::Time).await.map(|l| l.index().0), Ok(swaps), "it goes on after {how:?}");
    }
}

#[tokio::test]
async fn rotten_segments_are_no_way_and_unreadable_ones_stop() {
    let (world, middle, guarded) = behind().await;
    world.strange_segment(middle.size, Some(b"rotten"));
    assert_eq!(catch_up(&world.stores()).await.map(|p| p.line), Ok(guarded));
    world.put_database_back(Some("older"));
    world.strange_segment(middle.size, None);
    assert_eq!(code(catch_up(&world.stores()).await), Some(Code::IoFailed), "the disk may have the way");
}

#[tokio::test]
async fn every_way_back_is_tried() {
    // whatever their digests, and so their order: two more heads that the newest segment could have started from
    let (world, middle, guarded) = behind().await;
    let entries = leading_to(&world, middle.size).await.entries;
    for salt in 0..4 {
        let strange = Head { size: middle.size - 1, root: Hash([salt; 32]) };
        let orphan = Segment { old: strange, new: middle, entries: entries.clone() };
        world.stores().archive.put_segment(middle.size, orphan.to_bytes()).await.expect("stored");
    }
    assert_eq!(catch_up(&world.stores()).await.map(|p| p.line), Ok(guarded));
}

#[tokio::test]
async fn a_guard_whose_segment_leads_elsewhere_never_serves() {
    let (world, middle, guarded) = behind().await;
    let elsewhere = Head { size: guarded.head.size, root: Hash([7; 32]) };
    let other = Segment { old: middle, new: elsewhere, entries: leading_to(&world, guarded.head.size).await.entries };
    let segment = world.stores().archive.put_segment(elsewhere.size, other.to_bytes()).await.expect("stored");
    world.set_guard(Some(&format!("{}\n", GuardLine { head: guarded.head, segment })));
    assert_eq!(code(catch_up(&world.stores()).await), Some(Code::GuardConflict));
}

#[tokio::test]
async fn of_two_segments_to_the_head_the_guards_word_counts() {
    let (world, middle, guarded) = behind().await;
    let stores = world.stores();
    catch_up(&stores).await.expect("up to the guard");
    // both steps at once: other bytes, the same head
    let (first, second) = (leading_to(&world, middle.size).await, leading_to(&world, guarded.head.size).await);
    let orphan = Segment { old: first.old, new: guarded.head, entries: [first.entries, second.entries].concat() };
    let segment = stores.archive.put_segment(guarded.head.size, orphan.to_bytes()).await.expect("stored");
    world.set_guard(Some(&format!("{}\n", GuardLine { head: guarded.head, segment })));
    assert_eq!(world.sequencer().await.log(Proposal::Time).await.map(|l| l.index().0), Ok(3), "a swap starts from what it holds");
}

#[tokio::test]
async fn an_operator_is_told_up_to_where_the_archive_has_the_way() {
    let world = World::founded().await;
    let sequencer = world.sequencer().await;
    world.keep_database("older");
    let mut heads = Vec::new();
    for _ in 0..4 {
        sequencer.log(Proposal::Time).await.expect("logged");
        heads.push(sequencer.published().await.expect("signed").head());
    }
    drop(sequencer);
    world.put_database_back(Some("older"));
    world.hide_segments(heads[1].size);
    let refused = catch_up(&world.stores()).await.expect_err("a gap");
    assert_eq!(refused.code, Code::ArchiveMissing);
    assert!(refused.to_string().ends_with(&format!("to {}", heads[1])), "{refused}");
}
