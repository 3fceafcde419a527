//! Sealing and opening together: the round trip, and one defect at a time.

use std::io::{self, BufReader, Read};

use proptest::prelude::*;

use super::*;
use crate::{
    id::{FormName, Member, RecordId, Transaction},
    problem::{Code, Problem},
    record::{Content, Record, tests::sample},
    roster::RecipientKind,
};

mod defects;
mod vectors;

const HYBRID: RecipientKind = RecipientKind::Hybrid;
const X25519: RecipientKind = RecipientKind::X25519;

fn identity(kind: RecipientKind, seed: u8) -> [Identity; 1] {
    [Identity::from_seed(kind, &[seed; 32])]
}

/// Sealed to the identities of seeds 1 and 2.
fn recipients(kind: RecipientKind) -> Recipients {
    Recipients::new(identity(kind, 1)[0].recipient(), identity(kind, 2)[0].recipient()).expect("two of a kind")
}

/// The line that an honest unit signs.
fn line(sealed: &SealedRecord, pad: u64) -> Expected {
    Expected {
        sealed_size: sealed.as_bytes().len() as u64,
        plain: sealed.plain(),
        pad,
        record_id: sealed.record_id(),
        unit: sealed.unit().clone(),
        agent: sealed.agent().clone(),
        transaction: sealed.transaction(),
        form: sealed.form().clone(),
        finished: sealed.finished(),
    }
}

fn opened(sealed: &[u8], line: &Expected, identity: &[Identity]) -> Result<Opened, Code> {
    open(sealed, line, identity, &Limits::default()).map_err(|p| p.code)
}

fn same(record: &Record, opened: &Opened) -> bool {
    record.content() == opened.content() && record.parts().eq(opened.parts())
}

#[test]
fn both_identities_open_what_was_sealed() {
    for kind in [HYBRID, X25519] {
        for pad in [0, 200_000] {
            let record = sample(&[40_000, 1, 512, 70_000]);
            let sealed = seal(&record, &recipients(kind), pad).expect("seals");
            check_header(sealed.as_bytes(), kind).expect("intake takes it");
            let line = line(&sealed, pad);
            for seed in [1, 2] {
                let opened = opened(sealed.as_bytes(), &line, &identity(kind, seed)).expect("opens");
                assert!(same(&record, &opened));
            }
            assert_eq!(opened(sealed.as_bytes(), &line, &identity(kind, 3)).err(), Some(Code::RecipientUnknown));
        }
    }
}

#[test]
fn what_the_line_says_in_the_open() {
    let sealed = seal(&sample(&[40_000]), &recipients(X25519), 0).expect("seals");
    assert_eq!(sealed.plain(), 45_056, "Padmé of 512 + 1,024 + 512 + 40,448 + 1,024 bytes");
    assert_eq!(seal(&sample(&[41_400]), &recipients(X25519), 0).expect("seals").plain(), 45_056, "some hundred bytes more look the same");
    assert_eq!(seal(&sample(&[40_000]), &recipients(X25519), 409_600).expect("seals").plain(), 409_600);
    assert_eq!(sealed.digest(), crate::id::SealedDigest::of(sealed.as_bytes()));
}

#[test]
fn sealing_twice_gives_other_bytes() {
    let (record, to) = (sample(&[100]), recipients(X25519));
    assert_ne!(seal(&record, &to, 0).expect("seals").digest(), seal(&record, &to, 0).expect("seals").digest());
}

#[test]
fn a_record_above_the_limits_is_not_sealed() {
    let seal = |sizes: &[usize], pad| seal(&sample(sizes), &recipients(X25519), pad).map(drop).map_err(|p| p.code);
    assert_eq!(seal(&[17 << 20], 0), Err(Code::RecordTooLarge), "more than 16 MiB sealed");
    assert_eq!(seal(&[1], (64 << 20) + 1), Err(Code::RecordTooLarge), "more than 64 MiB plain");
    assert_eq!(seal(&[1], u64::MAX), Err(Code::RecordTooLarge));
}

#[test]
fn the_line_contradicts_the_inside() {
    let sealed = seal(&sample(&[100]), &recipients(X25519), 0).expect("seals");
    let good = line(&sealed, 0);
    let other = |change: &dyn Fn(&mut Expected)| {
        let mut line = good.clone();
        change(&mut line);
        let problem = open(sealed.as_bytes(), &line, &identity(X25519, 1), &Limits::default()).expect_err("contradicts");
        (problem.code, problem.detail)
    };
    let mismatch = |field: &str| (Code::LineMismatch, field.to_owned());
    let member = |name: &str| name.parse::<Member>().expect("a name");
    assert_eq!(other(&|l| l.unit = member("van-018")), mismatch("unit"));
    assert_eq!(other(&|l| l.record_id = RecordId::from_random([9; 16])), mismatch("record id"));
    assert_eq!(other(&|l| l.transaction = Transaction::Renewal), mismatch("transaction"));
    assert_eq!(other(&|l| l.form = "national-id/4".parse::<FormName>().expect("a form")), mismatch("form"));
    assert_eq!(other(&|l| l.finished = "2026-11-20T09:13Z".parse().expect("a minute")), mismatch("finished"));
    assert_eq!(other(&|l| l.agent = member("agent-008")).0, Code::RecordResigned);
    assert_eq!(other(&|l| l.plain += 512).0, Code::PlainSizeWrong);
    assert_eq!(other(&|l| l.plain -= 512).0, Code::PlainSizeExceeded);
    assert_eq!(other(&|l| l.pad = 100_000).0, Code::PaddingWrong);
    assert_eq!(other(&|l| l.plain = (64 << 20) + 1).0, Code::RecordTooLarge);
    assert_eq!(other(&|l| l.sealed_size = (16 << 20) + 1).0, Code::RecordTooLarge);
    assert_eq!(other(&|l| l.sealed_size -= 1).0, Code::SealDamaged, "the line names fewer bytes than the file has");
}

#[test]
fn a_reader_that_fails_is_no_verdict_on_the_record() {
    struct Failing<'a>(&'a [u8]);
    impl Read for Failing<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.0.is_empty() { Err(io::Error::other("disk")) } else { self.0.read(buffer) }
        }
    }
    let sealed = seal(&sample(&[100_000]), &recipients(X25519), 0).expect("seals");
    let (bytes, line) = (sealed.as_bytes(), line(&sealed, 0));
    for kept in [0, 1, 100, 500, 60_000, bytes.len() - 1] {
        let failing = BufReader::new(Failing(&bytes[..kept]));
        let problem = open(failing, &line, &identity(X25519, 1), &Limits::default()).expect_err("fails");
        assert_eq!(problem.code, Code::IoFailed, "after {kept}");
        assert_eq!(opened(&bytes[..kept], &line, &identity(X25519, 1)).err(), Some(Code::IoFailed), "ends after {kept}");
    }
    let longer = [bytes, b"the next record"].concat();
    assert!(opened(&longer, &line, &identity(X25519, 1)).is_ok(), "what follows in the payload isn't read");
}

#[test]
fn no_change_of_a_byte_opens() {
    let record = sample(&[3000]);
    for kind in [HYBRID, X25519] {
        let sealed = seal(&record, &recipients(kind), 0).expect("seals");
        let line = line(&sealed, 0);
        let mut bytes = sealed.as_bytes().to_vec();
        for at in 0..bytes.len() {
            bytes[at] ^= 1 << (at % 8);
            let opened = opened(&bytes, &line, &identity(kind, 1));
            assert!(opened.is_err(), "byte {at}");
            bytes[at] ^= 1 << (at % 8);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn opening_is_the_inverse_of_sealing(sizes in prop::collection::vec(1..5000_usize, 0..12), pad in 0..100_000_u64) {
        let record = sample(&sizes);
        let sealed = seal(&record, &recipients(X25519), pad).expect("seals");
        let opened = opened(sealed.as_bytes(), &line(&sealed, pad), &identity(X25519, 1)).expect("opens");
        prop_assert!(same(&record, &opened));
    }
}
