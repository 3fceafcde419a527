//! The registry is a function of the log: any order of opening, any repetition, any number of workers.

use proptest::{prelude::*, test_runner::TestRunner};
use shared::{id::LogIndex, keys::KeyRef, outcome::Fate, problem::Code, record::Target, roster::Revocation, time::Second};
use tokio::sync::watch;

use super::centre::{Centre, Enrolled, Made, Unit, facts, never_stopped};
use crate::{
    fixtures::{member, signer},
    registry::{Among, Filter, OpenedBatch, Page, Registry as _, Summary, Way},
    rules::Advanced,
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

/// merged: first, second, `other`, the honest one and the impossible 5 (a claimed time decides nothing), two corrections by record, 7;
/// held: the one who comes second under first's name, the second 5, the id used again, the withdrawn 8, the unapproved 9, the number
/// used again.
const TOLD: (u64, u64, u64, u64) = (8, 6, 0, 0);

#[tokio::test(flavor = "multi_thread")]
async fn the_same_log_gives_one_digest_whatever_the_number_of_workers() {
    let story = story();
    let mut digests = Vec::new();
    for workers in [1, 4, 2] {
        let centre = Centre::founded().await;
        for made in story.iter().chain(&story[..2]) {
            centre.log(made).await;
        }
        let merge = centre.merge("centre.db").await;
        merge.until_idle(workers, &watch::channel(false).1).await.expect("merged");
        let summary = merge.registry.summary().await.expect("read");
        assert_eq!(count(&summary), TOLD, "{workers} workers");
        assert_eq!(merge.registry.refold().await, Ok(vec![]));
        assert_eq!(merge.registry.outcomes_that_differ(Among::Settled).await, Ok(vec![]));
        let again = centre.merge("again.db").await;
        assert_eq!(centre.summary(&again).await, summary, "made again");
        digests.push(summary.digest);
    }
    assert!(digests.windows(2).all(|w| w[0] == w[1]), "{digests:?}");
}

#[test]
fn any_order_and_repetition_of_openings_gives_one_digest_also_around_a_revocation() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("threads");
    let (centre, opened, expected) = runtime.block_on(revoked());
    assert_eq!(expected.open, 0);
    let order = prop::collection::vec((0..opened.len(), prop::bool::weighted(0.2)), 0..20);
    let mut runner = TestRunner::new(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() });
    let case = std::cell::Cell::new(0);
    let tried = runner.run(&order, |order| {
        case.set(case.get() + 1);
        let digest = runtime.block_on(async {
            let merge = centre.merge(&format!("case-{}.db", case.get())).await;
            for (n, advance) in order.iter().copied().chain((0..opened.len()).map(|n| (n, false))) {
                merge.registry.fold(opened[n].clone()).await.expect("folded");
                if advance {
                    merge.registry.advance().await.expect("folded");
                }
            }
            while merge.registry.advance().await.expect("folded") == Advanced::More {}
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
async fn who_was_logged_first_stands_whatever_time_another_claims() {
    let centre = Centre::founded().await;
    let (mut one, mut two) = (Unit::new("van-1"), Unit::new("van-2"));
    one.enrol(1, 20);
    let early = two.enrol(1, 10);
    let (first, second) = (one.close(), two.close());
    centre.log(&first).await;
    let merge = centre.merge("centre.db").await;
    centre.summary(&merge).await;
    let fate = async |made: &Made| {
        let facts = merge.ledger.outcome(made.id()).await.expect("read").expect("logged");
        let outcome = shared::outcome::Outcome::parse(&facts.note).expect("ours");
        (facts.version, outcome.lines()[0].fate.clone())
    };
    assert!(matches!(fate(&first).await, (1, Fate::Merged(_))));
    centre.log(&second).await;
    centre.summary(&merge).await;
    assert!(matches!(fate(&first).await, (1, Fate::Merged(_))), "it stays");
    assert!(matches!(fate(&second).await, (1, Fate::Held(Code::Duplicate, _))));
    let (cases, count) = merge.registry.cases(Filter::default(), Page { skip: 0, limit: 10 }).await.expect("read");
    assert_eq!((count, cases[0].code, cases[0].record.record), (1, Code::Duplicate, early.facts.record));
    let against: Vec<_> = cases[0].against.iter().map(|key| key.unit.to_string()).collect();
    assert_eq!(against, ["van-1"], "the case names both");
    let size = merge.ledger.position().await.expect("read").line.head.size;
    centre.summary(&merge).await;
    assert_eq!(merge.ledger.position().await.expect("read").line.head.size, size, "nothing is said twice");
}
