//! One defect a record: each gets its own code, everything beside it merges.

use shared::{
    log::{Body, Entry},
    outcome::{Fate, Outcome},
    problem::Code,
    record::Record,
    seal::{age_to, padding, seal, seal_raw, tar},
};

use super::centre::{Centre, Enrolled, FilesMerge, Made, Unit, facts, form, identity, never_stopped, recipients};
use crate::{
    fixtures::program,
    pipeline::opener::{Nursery, Opener},
    registry::{Came, Registry as _, Way},
    store::Ledger as _,
};

/// Seals bytes that no unit of ours would make: the record's tar with another record.json.
fn resealed(unit: &mut Unit, record: &Record, change: impl Fn(&mut serde_json::Value)) -> Enrolled {
    let mut json: serde_json::Value = serde_json::from_slice(&record.content().to_json()).expect("JSON");
    change(&mut json);
    let json = serde_json::to_vec(&json).expect("JSON");
    let mut archive = Vec::new();
    let parts = record.parts().map(|(part, bytes)| (part.name.as_str(), bytes));
    tar::write(std::iter::once((tar::RECORD_JSON, json.as_slice())).chain(parts), &mut archive);
    let sealed = seal_raw(&archive, &recipients(), form().pad()).expect("sealed");
    let mut enrolled = unit.seal(record).replaced(sealed);
    enrolled.facts.plain = padding::plain(archive.len() as u64, form().pad());
    enrolled
}

#[tokio::test]
async fn each_defect_is_refused_with_its_code_and_all_others_merge() {
    let centre = Centre::founded().await;
    let mut unit = Unit::new("van-1");
    let mut expected = Vec::new();
    for (person, defect) in (1..).zip(["digest", "age", "one", "others", "form", "line", "plain", "field", "parts", "bytes"]) {
        unit.enrol(100 + person, 10);
        expected.push(None);
        let number = 2 * person;
        let record = unit.record(number, person, 10, None);
        let good = unit.seal(&record);
        let (bad, code) = match defect {
            "digest" => {
                let mut bad = good.clone();
                bad.sealed[200] ^= 1;
                (bad, Code::RecordDigest)
            }
            "age" => (good.replaced(vec![7; 3000]), Code::NotAge),
            "one" => (good.replaced(age_to(&[identity(1).recipient()], b"x").expect("sealed")), Code::RecipientsWrong),
            "others" => {
                let others = [identity(8).recipient(), identity(9).recipient()];
                (good.replaced(age_to(&others, b"x").expect("sealed")), Code::RecipientUnknown)
            }
            "form" => {
                let mut bad = good;
                bad.facts.form = "fishing-licence/1".parse().expect("a form's name");
                (bad, Code::FormUnknown)
            }
            "line" => {
                let mut bad = good;
                bad.facts.finished = shared::time::Second::from_unix(bad.facts.finished.start().unix() + 60).minute();
                (bad, Code::LineMismatch)
            }
            "plain" => {
                let mut bad = good;
                bad.facts.plain += 4096;
                (bad, Code::PlainSizeWrong)
            }
            "field" => {
                // the number was taken by `good`; the line below takes the next one
                (resealed(&mut unit, &record, |json| json["person"]["sex"] = "x".into()), Code::FieldInvalid)
            }
            "parts" => (resealed(&mut unit, &record, |json| drop(json["parts"].as_array_mut().expect("a list").pop())), Code::PartExtra),
            _ => {
                let sealed = seal(&record, &recipients(), form().pad()).expect("sealed").into_bytes();
                (good.replaced(sealed[..sealed.len() - 1].to_vec()), Code::SealDamaged)
            }
        };
        unit.put(&bad);
        expected.push(Some(code));
    }
    let made = unit.close();
    centre.log(&made).await;
    let merge = centre.merge("centre.db").await;
    let summary = centre.summary(&merge).await;
    assert_eq!((summary.merged, summary.refused, summary.held, summary.open), (10, 10, 0, 0));
    let logged = merge.ledger.outcome(made.id()).await.expect("read").expect("logged");
    let outcome = Outcome::parse(&logged.note).expect("ours");
    let found: Vec<Option<Code>> = outcome
        .lines()
        .iter()
        .map(|line| match line.fate {
            Fate::Refused(code) => Some(code),
            _ => None,
        })
        .collect();
    assert_eq!(found, expected);
    let key = facts(1).centre_key;
    outcome.check(&made.manifest, &key).expect("signed, and one line for each record line");
    same_alone(&merge, &made).await;
}

/// A child process finds in each record what this process finds.
async fn same_alone(merge: &FilesMerge, made: &Made) {
    let batch = merge.ledger.batch(made.id()).await.expect("read").expect("logged");
    let here = merge.opener.open(&batch, Way::Here, &never_stopped()).await.expect("opened");
    let alone = merge.opener.open(&batch, Way::Alone, &never_stopped()).await.expect("opened");
    assert_eq!(here.deliveries.len(), alone.deliveries.len());
    for pair in here.deliveries.iter().zip(&alone.deliveries) {
        match (&pair.0.came, &pair.1.came) {
            (Came::AsSigned(here), Came::AsSigned(alone)) => assert_eq!(here, alone),
            (Came::Refused(here), Came::Refused(alone)) => assert_eq!(here, alone),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn what_may_be_the_centres_own_fault_is_no_verdict() {
    let centre = Centre::founded().await;
    let mut unit = Unit::new("van-1");
    unit.enrol(1, 10);
    let made = unit.close();
    centre.log(&made).await;
    let path = {
        let hex = shared::id::Digest::of(&made.payload).hex();
        centre.dir.path().join("archive/blobs").join(&hex[..2]).join(&hex[2..4]).join(hex)
    };
    let good = std::fs::read(&path).expect("read");
    let mut rotten = good.clone();
    rotten[500] ^= 1;
    std::fs::write(&path, &rotten).expect("written");
    let merge = centre.merge("centre.db").await;
    let never = tokio::sync::watch::channel(false).1;
    let failed = merge.until_idle(1, &never).await;
    assert_eq!(failed.map_err(|p| p.code), Err(Code::ArchiveDamaged));
    let summary = merge.registry.summary().await.expect("read");
    assert_eq!((summary.refused, summary.open), (0, 1), "nothing was decided");
    // another identity than the roster's
    let mut strange = centre.merge("other.db").await;
    let nursery = Nursery::of(program());
    strange.opener = Opener::new(strange.archive.clone(), strange.ledger.clone(), vec![identity(5)], nursery, 1 << 20);
    std::fs::write(&path, &good).expect("written");
    let failed = strange.until_idle(1, &never).await;
    assert_eq!(failed.map_err(|p| p.code), Err(Code::KeyUnreadable));
    // the archive is whole again, and the retry is due
    centre.clock.fetch_add(3600, std::sync::atomic::Ordering::SeqCst);
    let summary = centre.summary(&merge).await;
    assert_eq!((summary.merged, summary.open), (1, 0));
}

#[tokio::test]
async fn what_the_archive_does_not_give_is_held_unopened_and_opens_at_an_entry_of_its_own() {
    let centre = Centre::founded().await;
    let (mut one, mut two) = (Unit::new("van-1"), Unit::new("van-2"));
    one.enrol(1, 10);
    two.enrol(2, 10);
    let (first, second) = (one.close(), two.close());
    centre.log(&first).await;
    centre.log(&second).await;
    let hex = shared::id::Digest::of(&first.payload).hex();
    let path = centre.dir.path().join("archive/blobs").join(&hex[..2]).join(&hex[2..4]).join(hex);
    let bytes = std::fs::read(&path).expect("read");
    std::fs::remove_file(&path).expect("removed");
    let merge = centre.merge("centre.db").await;
    let never = tokio::sync::watch::channel(false).1;
    let tries = async |merge: &FilesMerge| {
        centre.clock.fetch_add(3600, std::sync::atomic::Ordering::SeqCst);
        merge.until_idle(1, &never).await.map_err(|p| p.code)
    };
    assert_eq!(tries(&merge).await, Err(Code::ArchiveMissing));
    assert!(merge.ledger.outcome(second.id()).await.expect("read").is_none(), "the log's order");
    for _ in 0..2 {
        assert_eq!(tries(&merge).await, Err(Code::ArchiveMissing));
    }
    assert_eq!(tries(&merge).await, Ok(()), "nobody waits for ever");
    let told = async |id| Outcome::parse(&merge.ledger.outcome(id).await.expect("read").expect("logged").note).expect("ours");
    assert!(matches!(told(first.id()).await.lines()[0].fate, Fate::Held(Code::Unopened, _)));
    assert!(matches!(told(second.id()).await.lines()[0].fate, Fate::Merged(_)));
    let summary = merge.registry.summary().await.expect("read");
    assert_eq!((summary.merged, summary.held, summary.open), (1, 1, 0));
    // somebody puts it back, and the server is started again
    std::fs::write(&path, bytes).expect("written");
    merge.retry_unopened(&never).await.expect("opened");
    let summary = centre.summary(&merge).await;
    assert_eq!((summary.merged, summary.held, summary.open), (2, 0, 0));
    assert_eq!(told(first.id()).await.version(), 2);
    let last = merge.ledger.position().await.expect("read").line.head.size - 2;
    let leaf = merge.ledger.entry(shared::id::LogIndex(last)).await.expect("read").expect("logged");
    assert_eq!(Entry::parse(&leaf).map(|entry| entry.body), Ok(Body::Opened(first.id())), "its place");
    assert_eq!(merge.registry.refold().await, Ok(vec![]));
    let again = centre.merge("again.db").await;
    assert_eq!(centre.summary(&again).await, summary, "made again from the log");
}
