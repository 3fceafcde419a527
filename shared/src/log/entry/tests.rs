//! Entries of all kinds, and of later versions.

use super::*;
use crate::id::{RecordId, SealedDigest};

fn some() -> Vec<Body> {
    let unit: Member = "van-017".parse().expect("name");
    let key: KeyRef = "van-017+6e1dd5c4".parse().expect("a key");
    let batch = BatchId::of(b"b");
    vec![
        Body::Time,
        Body::Roster { version: RosterVersion(3), blob: Blob::of(b"r") },
        Body::Outcome { batch, version: 2, blob: Blob::of(b"o") },
        Body::Decision(Blob::of(b"d")),
        Body::Access(Blob::of(b"a")),
        Body::Opened(batch),
        Body::Rules(Rules::V3),
        Body::Erase {
            record: RecordKey { unit: unit.clone(), record: RecordId::from_random([1; 16]), digest: SealedDigest::of(b"s") },
            decision: Blob::of(b"d"),
        },
        Body::Head(HeadEntry { key: key.clone(), head: None, number: None, hello: 1, note: Blob::of(b"h") }),
        Body::Head(HeadEntry {
            key: key.clone(),
            head: Some((Place::new(1, 4).expect("place"), batch)),
            number: Number::new(1, 9).ok(),
            hello: 7,
            note: Blob::of(b"h"),
        }),
        Body::Freeze { key, first: Blob::of(b"1"), second: Blob::of(b"2") },
        Body::Batch(BatchEntry {
            batch,
            manifest: Blob::of(b"m"),
            unit,
            place: Place::new(1, 4).expect("place"),
            previous: None,
            payload_size: 0,
            payload: Digest::of(b""),
            state: BatchState::Quarantined(Code::Fork),
        }),
    ]
}

#[test]
fn every_kind_reads_as_printed_and_no_line_may_be_added() {
    for body in some() {
        let entry = Entry { received: Second::from_unix(1_790_000_000), body };
        let bytes = entry.to_bytes();
        assert_eq!(Entry::parse(&bytes), Ok(entry));
        assert!(Entry::parse(&[&bytes[..], b"time\n"].concat()).is_err());
        assert!(Entry::parse(&bytes[..bytes.len() - 1]).is_err());
    }
}

#[test]
fn kinds_of_later_versions_ask_for_an_upgrade() {
    let rules = |word: &str| {
        Entry::parse(format!("enroll-log/v1\nreceived 2026-11-20T21:30:02Z\nrules {word}\n").as_bytes()).map(drop).map_err(|p| p.code)
    };
    assert_eq!((rules("3"), rules("4"), rules("03")), (Ok(()), Err(Code::UpgradeNeeded), Err(Code::TextMalformed)));
    let batch = some().pop().map(|body| Entry { received: Second::from_unix(1_790_000_000), body }.to_string()).expect("a batch");
    let read = |state: &str| Entry::parse(batch.replace("quarantined fork", state).as_bytes()).map(|_| ()).map_err(|p| p.code);
    assert_eq!(read("quarantined of-2031"), Err(Code::UpgradeNeeded));
    assert_eq!((read("quarantined"), read("quarantined Of")), (Err(Code::TextMalformed), Err(Code::TextMalformed)));
}
