//! The spine: what is logged, once; starting from whatever is left; and under faults of every store (`matrix`).

mod fsck;
mod matrix;
mod plans;
mod recovery;
mod standing;
mod world;

use std::sync::{Arc, atomic::Ordering};

use shared::{
    log::{Body, Head, Segment},
    problem::Code,
    time::Second,
};

use self::world::{World, code};
use super::{Clock, Idle, Proposal, Published, Sequencer, catch_up};
use crate::{
    fixtures::{START, manifest, payload},
    store::{Archive as _, Guard as _, Ledger as _, empty_log},
};

#[tokio::test]
async fn a_batch_is_logged_once_however_often_it_is_proposed() {
    let world = World::founded().await;
    let sequencer = world.sequencer().await;
    let one = manifest("van-1", 1, None, 1, 2);
    let batch = world.archived(&one, &payload(1, 2)).await;
    let (a, b) = tokio::join!(sequencer.log_batch(batch.clone()), sequencer.log_batch(batch.clone()));
    let (a, b) = (a.expect("logged"), b.expect("the same entry"));
    assert_eq!(a, b);
    assert_eq!(world.stores().ledger.position().await.map(|p| p.line.head.size), Ok(2), "roster and batch");
    let restarted = world.sequencer().await;
    assert_eq!(restarted.log_batch(batch).await, Ok(a));
}

#[tokio::test]
async fn what_is_not_in_the_archive_is_not_logged_and_harms_no_other() {
    let world = World::founded().await;
    let sequencer = world.sequencer().await;
    let one = manifest("van-1", 1, None, 1, 2);
    let two = manifest("van-2", 1, None, 1, 1);
    let absent = crate::fixtures::verified(one, &payload(1, 2));
    let there = world.archived(&two, &payload(1, 1)).await;
    let (a, b) = tokio::join!(sequencer.log_batch(absent), sequencer.log_batch(there));
    assert_eq!(code(a), Some(Code::ArchiveMissing));
    assert!(b.is_ok());
}

#[tokio::test]
async fn many_who_wait_share_a_segment_and_the_head_is_signed() {
    let world = World::founded().await;
    let sequencer = world.sequencer().await;
    let logged: Vec<_> = (0..50).map(|_| sequencer.log(Proposal::Time)).collect();
    for logged in futures_all(logged).await {
        logged.expect("logged");
    }
    let published = sequencer.published().await.expect("signed");
    assert_eq!(published.head(), world.stores().guard.read().await.expect("read").expect("held").head);
    let key = crate::fixtures::signer("registry.example/log");
    let opened = shared::log::CheckedHead::open(published.checkpoint.as_bytes(), key.public()).expect("signed by the log's key");
    assert_eq!(opened.head().size, 51);
    assert!(world.stores().archive.segments_from(0).await.expect("listed").len() < 51, "group commit");
}

#[tokio::test]
async fn a_segment_has_at_most_256_entries_and_each_caller_gets_its_own() {
    let world = World::founded().await;
    let sequencer = world.sequencer().await;
    let logged = futures_all((0..600).map(|_| sequencer.log(Proposal::Time)).collect()).await;
    let mut indexes: Vec<u64> = logged.into_iter().map(|l| l.expect("logged").index().0).collect();
    indexes.sort_unstable();
    assert_eq!(indexes, (1..=600).collect::<Vec<_>>());
    let archive = world.stores().archive;
    let mut lengths = Vec::new();
    for (size, blob) in archive.segments_from(0).await.expect("listed") {
        lengths.push(Segment::parse(&archive.segment(size, blob).await.expect("read")).expect("well-formed").1.len());
    }
    assert_eq!(lengths.iter().sum::<usize>(), 601, "the roster, then all who waited: {lengths:?}");
    assert!(lengths.len() < 20 && lengths.iter().all(|entries| *entries <= 256), "{lengths:?}");
}

#[tokio::test]
async fn who_follows_the_log_is_woken_by_growth_alone() {
    let world = World::founded().await;
    let sequencer = world.sequencer().await;
    let grown = |heads: &tokio::sync::watch::Receiver<Published>| heads.has_changed().expect("still serving");
    let mut heads = sequencer.subscribe();
    heads.mark_unchanged();
    sequencer.published().await.expect("signed");
    assert!(!grown(&heads), "asking is no growth");
    let other = world.sequencer().await;
    other.log(Proposal::Time).await.expect("logged");
    assert!(!grown(&heads), "another process logged it");
    assert_eq!(sequencer.published().await.expect("signed").head().size, 2);
    assert!(grown(&heads));
}

async fn futures_all<T: Send + 'static>(futures: Vec<impl Future<Output = T> + Send>) -> Vec<T> {
    let mut answers = Vec::new();
    let mut pinned: Vec<_> = futures.into_iter().map(Box::pin).collect();
    std::future::poll_fn(|context| {
        pinned.retain_mut(|f| match f.as_mut().poll(context) {
            std::task::Poll::Ready(answer) => {
                answers.push(answer);
                false
            }
            std::task::Poll::Pending => true,
        });
        if pinned.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    answers
}

#[tokio::test]
async fn a_lost_or_older_database_is_made_again_from_archive_and_guard() {
    let world = World::founded().await;
    let sequencer = world.sequencer().await;
    let one = manifest("van-1", 1, None, 1, 2);
    let logged = sequencer.log_batch(world.archived(&one, &payload(1, 2)).await).await.expect("logged");
    world.keep_database("older");
    for _ in 0..5 {
        sequencer.log(Proposal::Time).await.expect("logged");
    }
    let head = world.stores().ledger.position().await.expect("read");
    drop(sequencer);
    for old in [Some("older"), None] {
        world.put_database_back(old);
        let stores = world.stores();
        assert_eq!(catch_up(&stores).await.map(|p| p.line), Ok(head.line), "{old:?}");
        assert_eq!(stores.ledger.batch(one.id()).await.map(|b| b.map(|b| b.index)), Ok(Some(logged.logged().index())));
    }
}

#[tokio::test]
async fn a_log_that_is_shorter_than_the_guard_never_serves() {
    let world = World::founded().await;
    let sequencer = world.sequencer().await;
    sequencer.log(Proposal::Time).await.expect("logged");
    world.keep_database("older");
    sequencer.log(Proposal::Time).await.expect("logged");
    sequencer.log(Proposal::Time).await.expect("logged");
    drop(sequencer);
    let guarded = world.stores().guard.read().await.expect("read").expect("held");
    world.put_database_back(Some("older"));
    world.hide_segments(guarded.head.size);
    assert_eq!(code(world.try_sequencer().await), Some(Code::GuardAhead));
    world.show_segments();
    world.hide_segments(guarded.head.size - 1);
    assert_eq!(code(world.try_sequencer().await), Some(Code::ArchiveMissing));
    world.show_segments();
    assert!(world.try_sequencer().await.is_ok(), "back from a better backup");
    world.set_guard(Some(&format!("{}\n", empty_log())));
    assert_eq!(code(world.try_sequencer().await), Some(Code::GuardConflict), "an old guard was put back");
    world.set_guard(None);
    assert_eq!(code(world.try_sequencer().await), Some(Code::GuardMissing));
}

#[tokio::test]
async fn of_several_segments_to_one_head_the_one_that_leads_back_is_taken() {
    let world = World::founded().await;
    let sequencer = world.sequencer().await;
    world.keep_database("older");
    let at = world.stores().ledger.position().await.expect("read").line.head;
    sequencer.log(Proposal::Time).await.expect("logged");
    let middle = world.stores().ledger.position().await.expect("read").line.head;
    sequencer.log(Proposal::Time).await.expect("logged");
    let end = world.stores().ledger.position().await.expect("read").line.head;
    drop(sequencer);
    // orphans: other old heads that lead to the same new ones, as a crash and a second try leave them
    let entries = world.leaves(at.size..end.size).await;
    let strange = Head { size: middle.size - 1, root: shared::log::Hash([7; 32]) };
    let orphan = shared::log::Segment { old: strange, new: middle, entries: entries[..1].to_vec() };
    world.stores().archive.put_segment(middle.size, orphan.to_bytes()).await.expect("stored");
    let other =
        shared::log::Segment { old: Head { size: at.size - 1, root: shared::log::Hash([9; 32]) }, new: middle, entries: entries.clone() };
    world.stores().archive.put_segment(middle.size, other.to_bytes()).await.expect("stored");
    world.put_database_back(Some("older"));
    assert_eq!(catch_up(&world.stores()).await.map(|p| p.line.head), Ok(end));
}

#[tokio::test]
async fn log_time_never_goes_back_and_a_clock_jump_stops_the_log() {
    let world = World::founded().await;
    let sequencer = world.sequencer().await;
    let clock = |seconds: i64| world.clock.store(START + seconds, Ordering::SeqCst);
    clock(500);
    assert_eq!(sequencer.log(Proposal::Time).await.map(|l| l.entry().received.unix()), Ok(START + 500));
    clock(-9000);
    assert_eq!(sequencer.log(Proposal::Time).await.map(|l| l.entry().received.unix()), Ok(START + 500));
    clock(10 * 86_400);
    assert!(sequencer.log(Proposal::Time).await.is_ok(), "nothing is in the log that a wrong clock could harm");
    let one = manifest("van-1", 1, None, 1, 1);
    sequencer.log_batch(world.archived(&one, &payload(1, 1)).await).await.expect("logged");
    clock(11 * 86_400 + 1);
    assert_eq!(code(sequencer.log(Proposal::Time).await), Some(Code::ClockJump));
    clock(11 * 86_400);
    assert!(sequencer.log(Proposal::Time).await.is_ok(), "a day is no jump");
    clock(12 * 86_400 + 1);
    assert_eq!(code(sequencer.log(Proposal::Time).await), Some(Code::ClockJump));
    assert_eq!(sequencer.log(Proposal::TimeConfirmed).await.map(|l| l.entry().body.clone()), Ok(Body::Time));
    assert!(sequencer.log(Proposal::Time).await.is_ok());
}

#[tokio::test]
async fn an_idle_log_gets_a_time_entry() {
    let world = World::founded().await;
    world.clock.store(START + 23 * 3600, Ordering::SeqCst);
    let stores = world.stores();
    let started = world.start(stores, Idle::KeepTime).await.expect("started");
    let mut heads = started.subscribe();
    // the log is looked at on start; waits for the entry, not for a time
    while heads.borrow_and_update().head().size < 2 {
        heads.changed().await.expect("still serving");
    }
}

#[tokio::test]
async fn a_log_that_is_not_idle_for_long_gets_no_time_entry() {
    let world = World::founded().await;
    let (looked, mut looks) = tokio::sync::watch::channel(());
    let clock: Clock = Arc::new(move || {
        looked.send_replace(());
        Second::from_unix(START + 23 * 3600 - 1)
    });
    let key = Arc::new(crate::fixtures::signer("registry.example/log"));
    let (sequencer, _) = Sequencer::start(world.stores(), key, world.lock(), clock, Idle::KeepTime).await.expect("started");
    // who comes while the log is looked at waits for the end of that
    looks.changed().await.expect("the log is looked at on start");
    assert_eq!(sequencer.log(Proposal::Time).await.map(|l| l.index().0), Ok(1));
}
