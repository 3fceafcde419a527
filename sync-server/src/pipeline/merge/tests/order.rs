//! The registry is a function of the set of logged records: any order, any repetition, any number of workers.

use proptest::{prelude::*, test_runner::TestRunner};
use shared::{id::LogIndex, keys::KeyRef, outcome::Fate, problem::Code, record::Target, roster::Revocation, time::Second};
use tokio::sync::watch;

use super::centre::{Centre, Enrolled, Made, Unit, facts, never_stopped};
use crate::{
    fixtures::{member, signer},
    registry::{Among, OpenedBatch, Registry as _, Summary, Way},
    store::Ledger as _,
};

fn to(unit: &str, enrolled: &Enrolled) -> Target {
    Target::Record { unit: member(unit), record: enrolled.facts.record }
}

/// Two units and what can happen between records: the same person twice, corrections before what they name, an id and
/// numbers used again, a withdrawn number, a repeat, a lie, an impossible time, a batch without its approval.
fn story() -> Vec<Made> {
    let (mut one, mut two) = (Unit::new("van-1"), Unit::new("van-2"));
    let mut made = Vec::new();
    let first = one.enrol(1, 20);
    let second = one.enrol(2, 30);
    made.push(one.close());
    two.enrol(1, 10); // the same person as `first`, earlier; held when its id is used again below
    let other = two.enrol(3, 40);
    two.correct(1, 50, to("van-1", &first));
    made.push(two.close());
    let record = one.record(3, 4, 60, None);
    let honest = one.seal(&record);
    let mut lie = honest.clone();
    lie.facts.finished = Second::from_unix(lie.facts.finished.start().unix() + 600).minute();
    one.put(&lie);
    made.push(one.close());
    one.put(&honest); // the same bytes under their true line
    one.correct(3, 70, to("van-2", &other));
    one.enrol(5, 60 * 24 * 30); // finished long after it was received
    made.push(one.close());
    one.put(&first); // delivered again
    made.push(one.close());
    let record = two.record(1, 6, 80, None); // an id that was used before
    let reused = two.seal(&record);
    two.put(&reused);
    two.enrol(5, 90);
    made.push(two.close());
    let withdrawn = two.withdraw();
    two.enrol(7, 95);
    made.push(two.close());
    let record = two.record(77, 8, 97, None);
    let mut again = two.seal(&record);
    again.facts.number = withdrawn;
    two.put(&again);
    made.push(two.close());
    one.enrol(9, 99);
    made.push(one.close_approved(false));
    let record = one.record(78, 10, 100, None);
    let mut same_number = one.seal(&record);
    same_number.facts.number = second.facts.number;
    one.put(&same_number);
    made.push(one.close());
    made
}

fn count(summary: &Summary) -> (u64, u64, u64, u64) {
    (summary.merged, summary.held, summary.refused, summary.open)
}

/// merged: first, its correction, `other`, its correction, the honest one, the plausible 5, 7; held: the two of one id,
/// the impossible 5, the withdrawn 8, the unapproved 9, the two of one number.
const TOLD: (u64, u64, u64, u64) = (7, 7, 0, 0);

#[tokio::test(flavor = "multi_thread")]
async fn any_order_of_the_log_and_any_number_of_workers_give_one_digest() {
    let story = story();
    let mut digests = Vec::new();
    for (turn, workers) in [(0, 1), (3, 4), (7, 2)] {
        let centre = Centre::founded().await;
        let mut order = story.clone();
        order.rotate_left(turn);
        if turn == 7 {
            order.reverse();
        }
        for made in order.iter().chain(&story[..2]) {
            centre.log(made).await;
        }
        let merge = centre.merge("centre.db").await;
        merge.until_idle(workers, &watch::channel(false).1).await.expect("merged");
        let summary = merge.registry.summary().await.expect("read");
        assert_eq!(count(&summary), TOLD, "order {turn}");
        assert_eq!(merge.registry.refold().await, Ok(vec![]));
        assert_eq!(merge.registry.outcomes_that_differ(Among::Settled).await, Ok(vec![]));
        digests.push(summary.digest);
    }
    assert!(digests.windows(2).all(|w| w[0] == w[1]), "{digests:?}");
}

#[test]
fn any_order_and_repetition_of_folds_give_one_digest_also_around_a_revocation() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("threads");
    let (centre, opened, expected) = runtime.block_on(revoked());
    assert_eq!((expected.held, expected.open), (8, 0), "5 and 7 of van-2 are held, so the impossible 5 stands alone");
    let order = prop::collection::vec((0..opened.len(), prop::bool::weighted(0.2)), 0..20);
    let mut runner = TestRunner::new(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() });
    let case = std::cell::Cell::new(0);
    let tried = runner.run(&order, |order| {
        case.set(case.get() + 1);
        let digest = runtime.block_on(async {
            let merge = centre.merge(&format!("case-{}.db", case.get())).await;
            merge.registry.claim(Way::Here, Second::from_unix(0), Second::from_unix(0)).await.expect("enqueued");
            for (n, follow) in order.iter().copied().chain((0..opened.len()).map(|n| (n, false))) {
                merge.registry.fold(opened[n].clone()).await.expect("folded");
                if follow {
                    merge.registry.follow_roster().await.expect("followed");
                }
            }
            merge.registry.follow_roster().await.expect("followed");
            let off = merge.registry.refold().await.expect("read");
            assert!(off.is_empty(), "{off:?}");
            merge.registry.summary().await.expect("read")
        });
        prop_assert_eq!(digest, expected);
        Ok(())
    });
    assert!(tried.is_ok(), "{tried:?}");
}

/// The story with van-2's key ended before its second batch; what each batch opens to; the merged registry.
async fn revoked() -> (Centre, Vec<OpenedBatch>, Summary) {
    let (centre, story) = (Centre::founded().await, story());
    for made in &story {
        centre.log(made).await;
    }
    let merge = centre.merge("centre.db").await;
    let before = centre.summary(&merge).await;
    assert_eq!(count(&before), TOLD);
    let cut = merge.ledger.batch(story[5].id()).await.expect("read").expect("logged").index;
    let mut newer = facts(2);
    newer.revoked = vec![Revocation { key: KeyRef::from(signer("van-2").public()), cut, reason: "lost".into() }];
    centre.publish(newer).await;
    let after = centre.summary(&merge).await;
    assert_ne!(after.digest, before.digest);
    let mut opened = Vec::new();
    for batch in merge.ledger.batches_from(LogIndex(0), 100).await.expect("read") {
        opened.push(merge.opener.open(&batch, Way::Here, &never_stopped()).await.expect("opened"));
    }
    (centre, opened, after)
}

#[tokio::test]
async fn a_record_displaced_by_an_earlier_one_gets_a_newer_outcome() {
    let centre = Centre::founded().await;
    let (mut one, mut two) = (Unit::new("van-1"), Unit::new("van-2"));
    one.enrol(1, 20);
    two.enrol(1, 10);
    let (late, early) = (one.close(), two.close());
    centre.log(&late).await;
    let merge = centre.merge("centre.db").await;
    centre.summary(&merge).await;
    let fate = async |made: &Made| {
        let facts = merge.ledger.outcome(made.id()).await.expect("read").expect("logged");
        let outcome = shared::outcome::Outcome::parse(&facts.note).expect("ours");
        (facts.version, outcome.lines()[0].fate.clone())
    };
    assert!(matches!(fate(&late).await, (1, Fate::Merged(_))));
    centre.log(&early).await;
    centre.summary(&merge).await;
    assert!(matches!(fate(&late).await, (2, Fate::Held(Code::Duplicate, _))));
    assert!(matches!(fate(&early).await, (1, Fate::Merged(_))));
    let codes = async || merge.registry.cases().await.expect("read").iter().map(|case| case.code).collect::<Vec<_>>();
    assert_eq!(codes().await, [Code::Displaced], "staff see that it stood");
    one.enrol(1, 30);
    centre.log(&one.close()).await;
    centre.summary(&merge).await;
    let mut cases = codes().await;
    cases.sort_unstable();
    assert_eq!(cases, [Code::Duplicate, Code::Displaced], "this one never stood");
    let size = merge.ledger.position().await.expect("read").line.head.size;
    centre.summary(&merge).await;
    assert_eq!(merge.ledger.position().await.expect("read").line.head.size, size, "nothing is said twice");
}
