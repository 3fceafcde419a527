//! Samples are what they say: accepted by their forms, the same for the same seed, sized and grained like real ones.

use std::collections::BTreeSet;

use super::*;
use crate::{
    draft::Facts,
    id::{Digest, RecordId},
    record::{ClockReading, Consent, Record},
};

pub(crate) fn now() -> Second {
    "2026-11-20T09:12:33Z".parse().expect("time")
}

pub(crate) fn facts(n: u8) -> Facts {
    Facts {
        record_id: RecordId::from_random([n; 16]),
        unit: "van-017".parse().expect("name"),
        agent: "agent-007".parse().expect("name"),
        finished: now(),
        clock: ClockReading { raw: now(), boot: "6ec0bd7f-11c0-43da-975e-2a8ad9ebae0b".into(), boot_ms: 5_123_456 },
        slip: Digest::of(b"slip"),
        consent: Consent { text: "1".into(), at: now() },
        fix: None,
    }
}

fn finished(resident: Resident, form: &Form) -> Result<Record, Problem> {
    let (draft, parts) = resident.draft(form)?;
    draft.finish(form, facts(1), parts).map_err(|unfinished| unfinished.problem)
}

#[test]
fn every_form_accepts_its_residents_of_every_transaction() {
    for form in &forms() {
        for transaction in form.transactions() {
            for n in 0..20 {
                let resident = Sample::new(7, now(), Size::Tiny).resident(n, form, transaction).expect("a known transaction");
                let record = finished(resident, form);
                assert!(record.is_ok(), "{} {transaction} {n}: {:?}", form.name(), record.err());
            }
        }
    }
}

#[test]
fn all_first_forms_know_all_transactions() {
    for form in &forms() {
        assert_eq!(form.transactions().collect::<Vec<_>>(), Transaction::ALL);
    }
}

#[test]
fn a_folder_is_read_back_as_the_same_resident() {
    let form = &forms()[0];
    let resident = Sample::new(7, now(), Size::Tiny).resident(5, form, Transaction::New).expect("sample");
    let mut folder = resident.folder();
    let (name, json) = folder.remove(0);
    assert_eq!(name, "resident.json");
    let files = folder.into_iter().map(|(name, bytes)| (name.parse().expect("a part's name"), bytes)).collect();
    let (draft, parts) = Input::parse(&json).and_then(|input| input.into_draft(form, files)).expect("a good folder");
    assert_eq!((draft, parts), resident.draft(form).expect("a good resident"));
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_other_people() {
    let form = &forms()[1];
    let resident = |seed, n| Sample::new(seed, now(), Size::Tiny).resident(n, form, Transaction::New).expect("sample");
    assert_eq!(resident(7, 3).folder(), resident(7, 3).folder());
    let files = |r: Resident| r.files.into_iter().map(|(_, bytes)| bytes).collect::<BTreeSet<_>>();
    let (one, other, seed) = (files(resident(7, 3)), files(resident(7, 4)), files(resident(8, 3)));
    assert!(one.is_disjoint(&other) && one.is_disjoint(&seed), "no two pictures are the same");
    assert_ne!(resident(7, 3).input.person, resident(8, 3).input.person);
}

#[test]
fn another_take_is_the_same_person_with_other_pictures() {
    let form = &forms()[0];
    let take = |t| Sample::new(7, now(), Size::Tiny).take(3, t, form, Transaction::New, Kind::Complete).expect("sample");
    let (one, two) = (take(0), take(1));
    assert_eq!(one.input, two.input);
    assert!(one.files.iter().zip(&two.files).all(|(a, b)| a.0 == b.0 && a.1 != b.1));
}

#[test]
fn no_two_residents_share_what_a_match_is_made_of() {
    let (id, permit) = (&forms()[0], &forms()[1]);
    let key = |n, form, kind| {
        let person = Sample::new(7, now(), Size::Tiny).person(n, form, kind);
        let value = |f: &str| person.get(f).cloned().unwrap_or_default();
        ["given_ar", "family_ar", "given_latin", "family_latin", "sex", "date_of_birth", "place_of_birth", "father_ar", "national_number"]
            .map(value)
    };
    let keys = (0..20_000).flat_map(|n| [key(n, id, Kind::Complete), key(n, id, Kind::Child)]);
    assert_eq!(keys.collect::<BTreeSet<_>>().len(), 40_000);
    // the same person, whatever the form: only what the form adds differs
    assert_eq!(key(5, id, Kind::Child), key(5, permit, Kind::Child));
    let numbers: BTreeSet<String> = (0..20_000).map(|n| person::national_number(7, n)).collect();
    assert_eq!(numbers.len(), 20_000);
}

#[test]
fn sizes_are_about_what_they_say() {
    let form = &forms()[0];
    for (size, low, high) in [(Size::Tiny, 12, 30), (Size::Usual, 220, 400), (Size::Large, 1_500, 2_600)] {
        let resident = Sample::new(7, now(), size).take(0, 0, form, Transaction::New, Kind::Complete).expect("sample");
        let total: usize = resident.folder().iter().map(|(_, bytes)| bytes.len()).sum();
        let list: Vec<_> = resident.files.iter().map(|(name, bytes)| (name.as_str(), bytes.len())).collect();
        assert!((low * 1024..high * 1024).contains(&total), "{size:?}: {total} bytes, {list:?}");
    }
}

#[test]
fn pictures_have_no_runs_and_hardly_compress() {
    for form in &forms() {
        let resident = Sample::new(9, now(), Size::Usual).take(1, 0, form, Transaction::New, Kind::Complete).expect("sample");
        for (name, bytes) in &resident.files {
            let longest = bytes.chunk_by(|a, b| a == b).map(<[u8]>::len).max().unwrap_or(0);
            // a JPEG's own table of chroma steps holds 50 equal bytes
            assert!(longest < 64, "{name}: {longest} equal bytes");
            let packed = zstd::encode_all(bytes.as_slice(), 3).expect("in memory").len();
            assert!(packed * 100 > bytes.len() * 90, "{name}: {} to {packed}", bytes.len());
        }
    }
}

#[test]
fn fingerprints_say_500_ppi_and_have_their_true_size() {
    let form = &forms()[0];
    let resident = Sample::new(7, now(), Size::Usual).take(0, 0, form, Transaction::New, Kind::Complete).expect("sample");
    for position in form.demands(Transaction::New).expect("new").parts.iter().filter(|p| p.starts_with("finger")) {
        let header = crate::image::read("image/png", resident.part(position).expect("a part")).expect("a PNG");
        assert_eq!(header.dpi, Some(500), "{position}");
        assert!((400..420).contains(&header.width) && (500..530).contains(&header.height), "{position}");
    }
    let face = crate::image::read("image/jpeg", resident.part("face").expect("a part")).expect("a JPEG");
    assert_eq!((face.width, face.height), (413, 531));
}

#[test]
fn no_name_repeats_and_scripts_match() {
    let names: Vec<_> = names::WOMEN.iter().chain(&names::MEN).chain(&names::FAMILIES).collect();
    let arabic: BTreeSet<_> = names.iter().map(|n| n.0).collect();
    let latin: BTreeSet<_> = names.iter().map(|n| n.1).collect();
    assert_eq!((arabic.len(), latin.len()), (names.len(), names.len()));
}
