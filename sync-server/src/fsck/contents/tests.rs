//! A sound centre is clean; each change is named, also when it hides behind a sound archive.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use shared::{keys::KeyRef, problem::Code, record::Target, roster::Revocation};
use tokio::sync::{Notify, watch};

use super::{Contents, check};
use crate::{
    fixtures::{member, signer},
    fsck,
    pipeline::merge::tests::centre::{Centre, Made, Unit, facts},
    rebuilding::open,
    registry::Registry as _,
    store::Ledger as _,
};

/// Three batches of two units, merged; the second of van-1 is not logged when `gap` says so.
async fn merged(gap: bool) -> (Centre, Vec<Made>) {
    let centre = Centre::founded().await;
    let (mut one, mut two) = (Unit::new("van-1"), Unit::new("van-2"));
    let mut made = Vec::new();
    one.enrol(1, 20);
    one.withdraw();
    made.push(one.close());
    one.enrol(2, 30);
    made.push(one.close());
    one.enrol(3, 40);
    made.push(one.close());
    two.enrol(1, 10);
    made.push(two.close());
    for (_, made) in made.iter().enumerate().filter(|(n, _)| !(gap && *n == 1)) {
        centre.log(made).await;
    }
    let merge = centre.merge("centre.db").await;
    centre.summary(&merge).await;
    (centre, made)
}

async fn contents(centre: &Centre) -> Contents {
    let settings = centre.settings();
    let opened = open(&settings, &settings.database()).expect("opened");
    let stores = fsck::stores(&opened.stores, &settings.sequencer_lock()).await.expect("checked");
    assert!(stores.is_clean(), "{:?}", stores.findings);
    check(&opened).await.expect("checked")
}

fn codes(contents: &Contents) -> Vec<Code> {
    contents.off.iter().map(|p| p.code).collect()
}

fn sql(centre: &Centre, sql: &str) {
    let connection = rusqlite::Connection::open(centre.settings().database()).expect("opened");
    assert_eq!(connection.execute(sql, []).map(|n| n > 0), Ok(true), "{sql}");
}

#[tokio::test]
async fn a_sound_centre_is_clean() {
    let (centre, _) = merged(false).await;
    let found = contents(&centre).await;
    assert_eq!((codes(&found), found.open.len()), (vec![], 0), "{:?}", found.open);
    assert_eq!((found.batches, found.records), (4, 4));
    assert!(found.outcomes >= 4);
    assert!(found.registry.is_some_and(|r| r.merged == 3 && r.held == 1 && r.open == 0));
}

#[tokio::test]
async fn missing_batches_and_numbers_are_named_and_are_no_damage() {
    let (centre, _) = merged(true).await;
    let found = contents(&centre).await;
    assert_eq!(codes(&found), vec![]);
    let settings = centre.settings();
    let facts = crate::facts::open(&open(&settings, &settings.database()).expect("opened")).await.expect("read");
    // these units have only batches here, and never said hello; this machine has no certificate, and a log of long ago
    let of_batches = facts.iter().filter(|fact| fact.kind.as_str().ends_with("-missing"));
    let told: Vec<String> = of_batches.map(|fact| format!("{} {}", fact.kind.as_str(), fact.about)).collect();
    assert_eq!(told, ["batches-missing van-1 1.2", "numbers-missing van-1 1.3"]);
}

#[tokio::test]
async fn a_changed_registry_is_named() {
    for change in [
        "UPDATE residents SET fields = replace(fields, 'given_latin', 'given_lation')",
        "UPDATE records SET fate = 'refused not-age', subject = NULL WHERE fate LIKE 'held%'",
        "DELETE FROM residents",
        "UPDATE records SET against = '[]' WHERE fate LIKE 'held%'",
        "UPDATE firsts SET fate = 'refused not-age' WHERE line = 0",
        "UPDATE deliveries SET found = 'refused not-age' WHERE unit = 'van-2'",
    ] {
        let (centre, _) = merged(false).await;
        sql(&centre, change);
        let found = contents(&centre).await;
        let wrong = codes(&found);
        assert!(!wrong.is_empty(), "{change}");
        assert!(wrong.iter().all(|code| *code == Code::RegistryWrong), "{change}: {wrong:?}");
    }
}

/// Two units that meet each other's people, correct, withdraw, and use an id again.
fn busy() -> Vec<Made> {
    let (mut one, mut two) = (Unit::new("van-1"), Unit::new("van-2"));
    let mut made = Vec::new();
    for day in 0..8 {
        let person = 10 * day;
        let first = one.enrol(person + 1, 100 + 2 * i64::try_from(day).expect("small"));
        if day % 2 == 0 {
            one.withdraw();
        }
        made.push(one.close());
        two.enrol(person + 1, 90); // claimed to be earlier, and held
        two.correct(person + 1, 120, Target::Record { unit: member("van-1"), record: first.facts.record });
        if day % 3 == 2 {
            let record = two.record(2 * day - 1, person + 5, 130, None);
            let again = two.seal(&record);
            two.put(&again);
        }
        made.push(two.close());
    }
    made
}

#[tokio::test(flavor = "multi_thread")]
async fn beside_a_busy_server_nothing_that_is_on_its_way_is_taken_for_damage() {
    let centre = Centre::founded().await;
    let settings = centre.settings();
    let merge = centre.merge("centre.db").await;
    let sequencer = centre.sequencer().await;
    let (stop, stopped) = watch::channel(false);
    let (registry, heads) = (merge.registry.clone(), sequencer.subscribe());
    let made = busy();
    let (first, rest) = made.split_at(3);
    for made in first {
        sequencer.log_batch(centre.archived(made).await).await.expect("logged");
    }
    // merging begins when one check has seen what waits for it
    let begin = Arc::new(Notify::new());
    let merging = tokio::spawn({
        let begin = begin.clone();
        async move {
            begin.notified().await;
            merge.run(2, heads, stopped).await;
        }
    });
    let ended = Arc::new(AtomicBool::new(false));
    let checking = tokio::spawn({
        let ended = ended.clone();
        async move {
            let opened = open(&settings, &settings.database()).expect("opened");
            let (mut runs, mut amid) = (0, 0);
            while !ended.load(Ordering::SeqCst) || runs == 0 {
                let stores = fsck::stores(&opened.stores, &settings.sequencer_lock()).await.expect("checked");
                assert!(stores.is_clean(), "run {runs}: {:?}", stores.findings);
                let contents = check(&opened).await.expect("checked");
                assert!(contents.off.is_empty(), "run {runs}: {:?}", contents.off);
                runs += 1;
                amid += u32::from(contents.registry.is_some_and(|r| r.open > 0));
                begin.notify_one();
            }
            (runs, amid)
        }
    });
    let second = made[3].id();
    for (n, made) in rest.iter().enumerate() {
        let batch = centre.archived(made).await;
        sequencer.log_batch(batch).await.expect("logged");
        if n == 6 {
            // another process ends a key from its second batch on
            let opened = open(&centre.settings(), &centre.settings().database()).expect("opened");
            let cut = opened.stores.ledger.batch(second).await.expect("read");
            let mut newer = facts(2);
            let cut = cut.expect("logged").index;
            newer.revoked = vec![Revocation { key: KeyRef::from(signer("van-2").public()), cut, reason: "lost".into() }];
            centre.publish(newer).await;
        }
    }
    let done = async {
        while registry.waiting().await.expect("read") != (0, 0) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(2), done).await.expect("merged");
    ended.store(true, Ordering::SeqCst);
    let (runs, amid) = checking.await.expect("no false alarm");
    stop.send(true).expect("still running");
    merging.await.expect("ended");
    println!("{runs} runs of fsck beside the server, {amid} while something was open");
    assert!(amid > 0, "some of it was looked at on its way");
}
