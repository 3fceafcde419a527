//! Stopping between any two steps and starting again: nothing lost, nothing twice, the same registry.

use std::sync::atomic::Ordering;

use shared::{
    id::LogIndex,
    keys::KeyRef,
    outcome::{Fate, Outcome},
    problem::Code,
    roster::Revocation,
    time::Second,
};
use tokio::sync::watch;

use super::centre::{Centre, FilesMerge, Made, Unit, facts, never_stopped};
use crate::{
    fixtures::signer,
    pipeline::{Proposal, merge::lock},
    registry::{Among, Came, Filter, OpenedBatch, Page, Registry as _, Way},
    store::{Archive as _, Ledger as _, Whole},
};

/// Steps of a merge after which a process can die.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Died {
    Claiming,
    Opening,
    Folding,
    ArchivingTheOutcome,
    LoggingTheOutcome,
    Settling,
}

const ALL: [Died; 6] = [Died::Claiming, Died::Opening, Died::Folding, Died::ArchivingTheOutcome, Died::LoggingTheOutcome, Died::Settling];

#[tokio::test]
async fn dying_after_any_step_changes_nothing_in_the_end() {
    let mut unit = Unit::new("van-1");
    unit.enrol(1, 10);
    unit.enrol(2, 20);
    let made = unit.close();
    let mut ends = Vec::new();
    for died in ALL {
        let centre = Centre::founded().await;
        centre.log(&made).await;
        until(&centre, died).await;
        // the lease of the one who died ends
        centre.clock.fetch_add(3600, Ordering::SeqCst);
        let merge = centre.merge("centre.db").await;
        let summary = centre.summary(&merge).await;
        assert_eq!((summary.merged, summary.open), (2, 0), "{died:?}");
        assert_eq!(merge.registry.waiting().await, Ok((0, 0)), "{died:?}");
        let log = merge.ledger.position().await.expect("read").line.head.size;
        assert_eq!(log, 3, "roster, batch, one outcome, after {died:?}");
        ends.push(summary.digest);
    }
    assert!(ends.windows(2).all(|w| w[0] == w[1]));
}

/// Does what a merge does, up to a step; then drops everything.
async fn until(centre: &Centre, died: Died) {
    let merge = centre.merge("centre.db").await;
    let now = (merge.clock)();
    let claim = merge.registry.claim(Way::Here, now, Second::from_unix(now.unix() + 900)).await.expect("read").expect("one waits");
    assert_eq!(merge.registry.claim(Way::Here, now, now).await, Ok(None), "nobody else gets it");
    if died == Died::Claiming {
        return;
    }
    let batch = merge.ledger.batch(claim.batch).await.expect("read").expect("logged");
    let opened = merge.opener.open(&batch, Way::Here, &never_stopped()).await.expect("opened");
    if died == Died::Opening {
        return;
    }
    merge.registry.fold(opened).await.expect("folded");
    if died == Died::Folding {
        return;
    }
    let due = merge.registry.outcomes_due(1).await.expect("read").pop().expect("due");
    let centre_key = crate::fixtures::signer("registry.example");
    let outcome = shared::outcome::Outcome::sign(due.batch, 1, due.lines.clone(), &centre_key);
    merge.archive.put(outcome.note().blob(), Whole::new(outcome.note().as_bytes())).await.expect("archived");
    if died == Died::ArchivingTheOutcome {
        return;
    }
    centre.sequencer().await.log(Proposal::Outcome(outcome)).await.expect("logged");
    if died == Died::LoggingTheOutcome {
        return;
    }
    merge.registry.settle(due.batch, due.lines).await.expect("settled");
}

#[tokio::test]
async fn a_lost_database_is_made_again_and_nothing_is_published_twice() {
    let centre = Centre::founded().await;
    let (mut one, mut two) = (Unit::new("van-1"), Unit::new("van-2"));
    one.enrol(1, 20);
    one.enrol(2, 30);
    two.enrol(1, 10);
    centre.log(&one.close()).await;
    let merge = centre.merge("centre.db").await;
    centre.summary(&merge).await; // published: both merged
    centre.log(&two.close()).await;
    let mut newer = facts(2);
    newer.revoked = vec![Revocation { key: KeyRef::from(signer("van-1").public()), cut: LogIndex(1), reason: "lost".into() }];
    centre.publish(newer).await;
    let before = centre.summary(&merge).await; // published again: both are held now
    assert_eq!((before.merged, before.held), (0, 3), "the duplicate stays held");
    let size = merge.ledger.position().await.expect("read").line.head.size;
    drop(merge);
    for name in ["centre.db", "centre.db-wal", "centre.db-shm"] {
        let _ = std::fs::remove_file(centre.dir.path().join(name));
    }
    let merge = centre.merge("centre.db").await;
    // half of it first: what the first batch would say now was said, and unsaid, long ago
    let half = merge.ledger.batches_from(LogIndex(0), 1).await.expect("read").remove(0);
    merge.registry.claim(Way::Here, (merge.clock)(), Second::from_unix(0)).await.expect("claimed");
    merge.registry.fold(merge.opener.open(&half, Way::Here, &never_stopped()).await.expect("opened")).await.expect("folded");
    assert!(merge.registry.outcomes_due(1).await.expect("read").is_empty(), "waits for what was logged before the outcome");
    assert_eq!(centre.summary(&merge).await, before);
    assert_eq!(merge.ledger.position().await.expect("read").line.head.size, size, "nothing was published again");
    assert_eq!(merge.registry.outcomes_that_differ(Among::Settled).await, Ok(vec![]));
}

#[tokio::test]
async fn one_process_merges_at_a_time_and_stops_when_told() {
    let centre = Centre::founded().await;
    let path = centre.dir.path().join("merge.lock");
    let held = lock(&path).expect("free");
    assert_eq!(lock(&path).err().map(|p| p.code), Some(Code::LockedElsewhere));
    drop(held);
    assert!(lock(&path).is_ok());
    let mut unit = Unit::new("van-1");
    unit.enrol(1, 10);
    centre.log(&unit.close()).await;
    let merge = centre.merge("centre.db").await;
    let sequencer = centre.sequencer().await;
    let (stop, stopped) = watch::channel(false);
    let registry = merge.registry.clone();
    let running = tokio::spawn(async move { merge.run(2, sequencer.subscribe(), stopped).await });
    while registry.waiting().await.expect("read") != (0, 0) || registry.summary().await.expect("read").merged == 0 {
        tokio::task::yield_now().await;
    }
    stop.send(true).expect("still running");
    running.await.expect("ended");
}

/// A batch of two records that is claimed, with what it opens to.
struct Claimed {
    centre: Centre,
    made: Made,
    merge: FilesMerge,
    opened: OpenedBatch,
}

async fn claimed() -> Claimed {
    let centre = Centre::founded().await;
    let mut unit = Unit::new("van-1");
    unit.enrol(1, 10);
    unit.enrol(2, 20);
    let made = unit.close();
    centre.log(&made).await;
    let merge = centre.merge("centre.db").await;
    let batch = merge.ledger.batch(made.id()).await.expect("read").expect("logged");
    let opened = merge.opener.open(&batch, Way::Here, &never_stopped()).await.expect("opened");
    merge.registry.claim(Way::Here, (merge.clock)(), Second::from_unix(0)).await.expect("claimed");
    Claimed { centre, made, merge, opened }
}

#[tokio::test]
async fn a_record_whose_opening_breaks_off_is_held_until_an_entry_says_that_it_is_open() {
    let Claimed { centre, made, merge, opened } = claimed().await;
    let mut broken = opened.clone();
    broken.deliveries[0].came = Came::Unopened;
    merge.registry.fold(broken).await.expect("folded");
    let summary = centre.summary(&merge).await;
    assert_eq!((summary.merged, summary.held, summary.open), (1, 1, 0), "the other one merges");
    let cases = async || {
        let (cases, count) = merge.registry.cases(Filter::default(), Page { skip: 0, limit: 10 }).await.expect("read");
        assert_eq!(count, cases.len() as u64);
        cases.iter().map(|case| case.code).collect::<Vec<_>>()
    };
    assert_eq!(cases().await, [Code::Unopened]);
    let said = async || {
        let outcome = merge.ledger.outcome(made.id()).await.expect("read").expect("logged");
        (outcome.version, Outcome::parse(&outcome.note).expect("ours").lines()[0].fate.clone())
    };
    assert!(matches!(said().await, (1, Fate::Held(Code::Unopened, _))));
    // newer software opens it
    merge.registry.fold(opened).await.expect("kept");
    assert_eq!(centre.summary(&merge).await, summary, "not before the log says so");
    // the process ended before it could say so: the next one does
    assert_eq!(merge.registry.unsaid().await, Ok(vec![made.id()]));
    let merge = centre.merge("centre.db").await;
    merge.retry_unopened(&watch::channel(false).1).await.expect("said");
    assert_eq!(merge.registry.unsaid().await, Ok(vec![]));
    let summary = centre.summary(&merge).await;
    assert_eq!((summary.merged, summary.open), (2, 0));
    assert!(matches!(said().await, (2, Fate::Merged(_))));
    assert_eq!(cases().await, []);
}

/// A rebuild may open all of a batch at once: so one entry says it of the whole batch, and of what only newer software reads, too.
#[tokio::test]
async fn an_entry_opens_a_batch_when_all_of_it_is_open() {
    let Claimed { centre, made, merge, opened } = claimed().await;
    let (mut none, mut one) = (opened.clone(), opened.clone());
    (none.deliveries[0].came, none.deliveries[1].came) = (Came::Unopened, Came::Refused(Code::UpgradeNeeded));
    one.deliveries[1].came = Came::Refused(Code::UpgradeNeeded);
    merge.registry.fold(none).await.expect("folded");
    let summary = centre.summary(&merge).await;
    assert_eq!((summary.merged, summary.held, summary.open), (0, 2, 0));
    let outcome = merge.ledger.outcome(made.id()).await.expect("read").expect("logged");
    let told: Vec<String> = Outcome::parse(&outcome.note).expect("ours").lines().iter().map(|line| line.fate.to_string()).collect();
    assert!(told[0].starts_with("held unopened") && told[1].starts_with("held upgrade-needed"), "{told:?}");
    assert_eq!(merge.registry.unopened().await, Ok(vec![made.id()]));
    merge.registry.fold(one).await.expect("kept");
    assert_eq!(merge.registry.unsaid().await, Ok(vec![]), "half of it");
    merge.registry.fold(opened).await.expect("kept");
    assert_eq!(merge.registry.unsaid().await, Ok(vec![made.id()]));
    merge.retry_unopened(&watch::channel(false).1).await.expect("said");
    let summary = centre.summary(&merge).await;
    assert_eq!((summary.merged, summary.held, summary.open), (2, 0, 0));
    let again = centre.merge("again.db").await;
    assert_eq!(centre.summary(&again).await, summary, "made again from the log");
}
