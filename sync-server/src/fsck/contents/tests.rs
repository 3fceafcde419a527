//! A sound centre is clean; each change is named, also when it hides behind a sound archive.

use shared::problem::Code;

use super::{Contents, check};
use crate::{
    fsck,
    pipeline::merge::tests::centre::{Centre, Made, Unit},
    rebuilding::open,
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
    for (n, made) in made.iter().enumerate().filter(|(n, _)| !(gap && *n == 1)) {
        let _ = n;
        centre.log(made).await;
    }
    let merge = centre.merge("centre.db").await;
    centre.summary(&merge).await;
    (centre, made)
}

async fn contents(centre: &Centre) -> Contents {
    let settings = centre.settings();
    let opened = open(&settings, &settings.database()).expect("opened");
    let stores = fsck::stores(&opened.stores).await.expect("checked");
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
    let (centre, made) = merged(true).await;
    let found = contents(&centre).await;
    assert_eq!(codes(&found), vec![]);
    assert!(found.open.iter().all(|p| p.code == Code::Gap), "{:?}", found.open);
    let told: Vec<&str> = found.open.iter().map(|p| p.detail.as_str()).collect();
    assert!(told.iter().any(|t| t.contains(&made[1].id().to_string())), "{told:?}");
    assert!(told.iter().any(|t| t.contains("number 1.3 is missing")), "{told:?}");
}

#[tokio::test]
async fn a_changed_registry_is_named() {
    for change in [
        "UPDATE residents SET fields = replace(fields, 'given_latin', 'given_lation')",
        "UPDATE fates SET fate = 'refused not-age', subject = NULL WHERE fate LIKE 'held%'",
        "DELETE FROM residents",
        "UPDATE deliveries SET finished = finished + 1 WHERE line = 0",
        "UPDATE deliveries SET found = 'refused', code = 'not-age' WHERE unit = 'van-2'",
    ] {
        let (centre, _) = merged(false).await;
        sql(&centre, change);
        let found = contents(&centre).await;
        let wrong = codes(&found);
        let quiet = change.contains("finished"); // the same order: the same registry
        assert_eq!(wrong.is_empty(), quiet, "{change}: {wrong:?}");
        assert!(wrong.iter().all(|code| *code == Code::RegistryWrong), "{change}: {wrong:?}");
    }
}
