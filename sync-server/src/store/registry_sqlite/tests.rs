//! What the registry promises beside a busy log: chains that a link brings back, outcomes that came late, damage that is found, and
//! how much is asked for a line.

use std::sync::Arc;

use shared::{
    id::{BatchId, LogIndex},
    keys::KeyRef,
    outcome::{Fate, Outcome},
    problem::Code,
    roster::Revocation,
};

use crate::{
    fixtures::{head, member, signer},
    pipeline::{
        Proposal,
        merge::tests::centre::{Centre, FilesMerge, Made, Unit, facts},
    },
    registry::{Among, Registry as _},
    store::{Archive as _, Ledger as _, Whole, ledger_sqlite::columns::asked},
};

async fn newest(merge: &FilesMerge, batch: BatchId) -> (u64, Fate) {
    let facts = merge.ledger.outcome(batch).await.expect("read").expect("logged");
    (facts.version, Outcome::parse(&facts.note).expect("ours").lines()[0].fate.clone())
}

async fn cut(centre: &Centre, version: u64, names: &[&str], cut: LogIndex) {
    let mut newer = facts(version);
    newer.revoked = names.iter().map(|name| Revocation { key: KeyRef::from(signer(name).public()), cut, reason: "lost".into() }).collect();
    newer.revoked.sort_by(|a, b| a.key.cmp(&b.key));
    centre.publish(newer).await;
}

#[tokio::test]
async fn an_outcome_that_is_logged_late_is_followed_by_what_holds_now() {
    let centre = Centre::founded().await;
    let mut one = Unit::new("van-1");
    one.enrol(1, 20);
    let made = one.close();
    centre.log(&made).await;
    let merge = centre.merge("centre.db").await;
    centre.summary(&merge).await;
    assert!(matches!(newest(&merge, made.id()).await, (1, Fate::Merged(_))));
    // its agent's key had ended before: a publisher reads what is to be said, and is slow
    cut(&centre, 2, &["agent-1"], LogIndex(1)).await;
    merge.registry.advance().await.expect("folded");
    let slow = merge.registry.outcomes_due(1).await.expect("read").pop().expect("due");
    assert!(matches!(slow.lines[0].fate, Fate::Held(Code::AgentRevoked, _)));
    // meanwhile the unit's key is cut as well; nothing changes, and the slow one comes to its end
    let outcome = Outcome::sign(slow.batch, 2, slow.lines.clone(), &Arc::new(signer("registry.example")));
    merge.archive.put(outcome.note().blob(), Whole::new(outcome.note().as_bytes())).await.expect("archived");
    centre.sequencer().await.log(Proposal::Outcome(outcome)).await.expect("the next version");
    merge.registry.settle(slow.batch, slow.lines).await.expect("settled");
    centre.summary(&merge).await;
    assert!(matches!(newest(&merge, made.id()).await, (2, Fate::Held(Code::AgentRevoked, _))), "what holds is said once");
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

#[tokio::test]
async fn a_batch_that_closes_the_way_to_a_head_brings_back_all_that_it_stands_on() {
    for order in [[0, 1, 2, 3], [3, 2, 1, 0], [1, 0, 3, 2], [2, 0, 3, 1]] {
        let centre = Centre::founded().await;
        let chain = chain();
        let (entry, hello) = head("van-1", 1, Some((chain[2].manifest.facts().place, chain[2].id())));
        centre.stores("centre.db").archive.put(entry.note, Whole::new(hello)).await.expect("archived");
        centre.sequencer().await.log(Proposal::Head(member("van-1"), entry)).await.expect("logged");
        cut(&centre, 2, &["van-1"], LogIndex(2)).await;
        let merge = centre.merge("centre.db").await;
        let mut merged = Vec::new();
        for n in order {
            centre.log(&chain[n]).await;
            merged.push(centre.summary(&merge).await.merged);
            assert_eq!(merge.registry.refold().await, Ok(vec![]), "{order:?} {n}");
        }
        let expected = match order {
            [0, 1, 2, 3] => [0, 0, 3, 3],
            [3, 2, 1, 0] => [0, 1, 2, 3],
            [1, 0, 3, 2] => [0, 0, 0, 3],
            _ => [1, 1, 1, 3],
        };
        assert_eq!(merged, expected, "{order:?}: the fourth is behind the head");
        let again = centre.merge("again.db").await;
        assert_eq!(centre.summary(&again).await, centre.summary(&merge).await, "{order:?}");
    }
}

#[tokio::test]
async fn damage_is_found_wherever_in_the_tables_it_is() {
    for change in [
        "DELETE FROM records WHERE fate LIKE 'held%'",
        "INSERT INTO records SELECT 'van-9', record, sealed, fate, subject, against, place, batch, line, epoch, number, holds_id,
         holds_number, mode, decision, blind FROM records LIMIT 1",
        "UPDATE records SET against = '[]' WHERE fate LIKE 'held%'",
        "DELETE FROM resident_keys WHERE reference = (SELECT min(reference) FROM residents)",
        "INSERT INTO residents SELECT 'f' || substr(reference, 2), fields, parts, sources, documents, identity, founded, captures FROM residents
         WHERE reference < 'f' LIMIT 1",
        "UPDATE essences SET essence = replace(essence, 'parts\":{', 'parts\":{\"x\":\"y\",') WHERE unit = 'van-1'",
        "UPDATE fold SET judged = 1",
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

#[tokio::test]
async fn a_line_asks_a_bounded_number_of_questions_however_large_the_registry_is() {
    let centre = Centre::founded().await;
    let merge = centre.merge("centre.db").await;
    let mut unit = Unit::new("van-1");
    let mut asked_for = Vec::new();
    for round in 0..6_u64 {
        for person in 0..8 {
            unit.enrol(100 * round + person, 10);
        }
        let made = unit.close();
        centre.log(&made).await;
        let batch = merge.ledger.batch(made.id()).await.expect("read").expect("logged");
        let stop = tokio::sync::watch::channel(false).1;
        let opened = merge.opener.open(&batch, crate::registry::Way::Here, &stop).await.expect("opened");
        let count = async || merge.registry.db.write(|_| Ok(asked::count())).await.expect("asked on the thread that writes");
        let before = count().await;
        merge.registry.fold(opened).await.expect("folded");
        asked_for.push(count().await - before);
    }
    // who has no number stands under three keys, not one: each of two more is asked for and written
    let (least, most) = (asked_for.iter().min().expect("some"), asked_for.iter().max().expect("some"));
    assert!(most - least <= 8 * 4, "{asked_for:?}");
    assert!(*most <= 8 * 24 + 40, "{most} statements for eight lines");
}
