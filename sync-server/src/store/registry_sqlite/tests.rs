//! What the registry promises beside a busy log: cuts, rejoined chains, outcomes that came late, damage that is found.

use std::sync::Arc;

use shared::{
    id::BatchId,
    keys::KeyRef,
    outcome::{Fate, Outcome},
    problem::Code,
    roster::Revocation,
};

use crate::{
    fixtures::{member, signer},
    pipeline::{
        Proposal,
        merge::tests::centre::{Centre, FilesMerge, Made, Unit, facts, never_stopped},
    },
    registry::{Among, Registry as _, Way},
    store::{AnnouncedBatch, Archive as _, Ledger as _, Whole},
};

/// Opens and folds the next batch, and publishes nothing.
async fn fold_next(merge: &FilesMerge) {
    let now = (merge.clock)();
    let until = shared::time::Second::from_unix(now.unix() + 900);
    let claim = merge.registry.claim(Way::Here, now, until).await.expect("read").expect("one waits");
    let batch = merge.ledger.batch(claim.batch).await.expect("read").expect("logged");
    let opened = merge.opener.open(&batch, Way::Here, &never_stopped()).await.expect("opened");
    merge.registry.fold(opened).await.expect("folded");
}

async fn newest(merge: &FilesMerge, batch: BatchId) -> (u64, Fate) {
    let facts = merge.ledger.outcome(batch).await.expect("read").expect("logged");
    (facts.version, Outcome::parse(&facts.note).expect("ours").lines()[0].fate.clone())
}

#[tokio::test]
async fn an_outcome_that_is_logged_late_is_followed_by_what_holds_now() {
    let centre = Centre::founded().await;
    let (mut one, mut two) = (Unit::new("van-1"), Unit::new("van-2"));
    one.enrol(1, 20);
    let late = one.close();
    centre.log(&late).await;
    let merge = centre.merge("centre.db").await;
    centre.summary(&merge).await;
    assert!(matches!(newest(&merge, late.id()).await, (1, Fate::Merged(_))));
    // the same person, earlier: a publisher reads what is to be said, and is slow
    two.enrol(1, 10);
    centre.log(&two.close()).await;
    fold_next(&merge).await;
    let slow = merge.registry.outcomes_due(1).await.expect("read").pop().expect("due");
    assert_eq!(slow.batch, late.id());
    // its id is used again: nobody knows which of the two is meant, and the first one stands as before
    let record = two.record(1, 8, 30, None);
    let again = two.seal(&record);
    two.put(&again);
    centre.log(&two.close()).await;
    fold_next(&merge).await;
    let quick = merge.registry.outcomes_due(1).await.expect("read").pop().expect("due");
    assert_eq!(quick.published.map(|(_, lines)| lines), Some(quick.lines.clone()));
    merge.registry.settle(quick.batch, quick.lines).await.expect("settled");
    // now the slow one comes to its end
    let outcome = Outcome::sign(slow.batch, 2, slow.lines.clone(), &Arc::new(signer("registry.example")));
    merge.archive.put(outcome.note().blob(), Whole::new(outcome.note().as_bytes())).await.expect("archived");
    centre.sequencer().await.log(Proposal::Outcome(outcome)).await.expect("the next version");
    merge.registry.settle(slow.batch, slow.lines).await.expect("nothing is settled");
    centre.summary(&merge).await;
    assert!(matches!(newest(&merge, late.id()).await, (3, Fate::Merged(_))), "what holds is said");
    assert_eq!(merge.registry.outcomes_that_differ(Among::Settled).await, Ok(vec![]));
    assert_eq!(merge.registry.waiting().await, Ok((0, 0)));
}

/// Four batches of van-1, chained.
fn chain() -> [Made; 4] {
    let mut one = Unit::new("van-1");
    [1, 2, 3, 4].map(|n| {
        one.enrol(n, 10 * i64::try_from(n).expect("small"));
        one.close()
    })
}

fn announced(made: &Made) -> AnnouncedBatch {
    let facts = made.manifest.facts();
    AnnouncedBatch { id: made.id(), unit: member("van-1"), place: facts.place, previous: facts.previous }
}

#[tokio::test]
async fn a_batch_that_closes_the_way_to_before_a_cut_brings_back_all_that_it_stands_on() {
    for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2], [1, 2, 0]] {
        let centre = Centre::founded().await;
        let chain = chain();
        centre.log(&chain[3]).await;
        let merge = centre.merge("centre.db").await;
        centre.summary(&merge).await;
        let mut newer = facts(2);
        let cut = merge.ledger.position().await.expect("read").line.head.size;
        newer.revoked =
            vec![Revocation { key: KeyRef::from(signer("van-1").public()), cut: shared::id::LogIndex(cut), reason: "lost".into() }];
        centre.publish(newer).await;
        for made in &chain[..3] {
            merge.ledger.announce(announced(made)).await.expect("kept");
        }
        let mut merged = Vec::new();
        for n in order {
            centre.log(&chain[n]).await;
            merged.push(centre.summary(&merge).await.merged);
            assert_eq!(merge.registry.refold().await, Ok(vec![]), "{order:?} {n}");
        }
        let expected = match order {
            [0, 1, 2] | [1, 0, 2] => [1, 1, 4],
            [2, 1, 0] => [2, 3, 4],
            _ => [1, 3, 4],
        };
        assert_eq!(merged, expected, "{order:?}");
        let again = centre.merge("again.db").await;
        assert_eq!(centre.summary(&again).await, centre.summary(&merge).await, "{order:?}");
    }
}

#[tokio::test]
async fn damage_is_found_wherever_in_the_tables_it_is() {
    for change in [
        "DELETE FROM links WHERE link LIKE 'match %'",
        "DELETE FROM fates WHERE fate LIKE 'held%'",
        "INSERT INTO fates SELECT 'van-9', record, sealed, fate, subject FROM fates LIMIT 1",
        "INSERT INTO residents SELECT 'f' || substr(reference, 2), fields, parts, sources, NULL FROM residents WHERE reference < 'f' LIMIT 1",
        "UPDATE essences SET parts = '{}' WHERE unit = 'van-1'",
    ] {
        let centre = Centre::founded().await;
        let (mut one, mut two) = (Unit::new("van-1"), Unit::new("van-2"));
        one.enrol(1, 20);
        one.enrol(2, 30);
        two.enrol(1, 10);
        centre.log(&one.close()).await;
        centre.log(&two.close()).await;
        let merge = centre.merge("centre.db").await;
        centre.summary(&merge).await;
        assert_eq!(merge.registry.refold().await, Ok(vec![]));
        let path = centre.dir.path().join("centre.db");
        let changed = rusqlite::Connection::open(path).expect("opened").execute(change, []).expect("changed");
        assert!(changed > 0, "{change}");
        let found = merge.registry.refold().await.expect("read");
        assert!(!found.is_empty() && found.iter().all(|p| p.code == Code::RegistryWrong), "{change}: {found:?}");
    }
}
