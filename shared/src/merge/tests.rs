//! The fold by example; as properties in `properties`.

mod properties;

use super::*;
use crate::outcome::Fate;

fn key(unit: u8, record: u8, digest: u8) -> RecordKey {
    RecordKey {
        unit: format!("van-{unit}").parse().expect("name"),
        record: RecordId::from_random([record; 16]),
        digest: SealedDigest::of(&[unit, record, digest]),
    }
}

fn line(number: u64, minute: i64) -> LineFact {
    LineFact {
        number: Number::new(1, number).expect("number"),
        finished: Second::from_unix(minute * 60).minute(),
        force: Force::InForce,
        opened: Opened::AsSigned,
        flag: Flag::Plausible,
    }
}

fn fields(pairs: &[(&str, Option<&str>)]) -> BTreeMap<String, Option<String>> {
    pairs.iter().map(|(k, v)| ((*k).to_owned(), v.map(str::to_owned))).collect()
}

fn new(key: RecordKey, number: u64, minute: i64, person: &str) -> RecordFact {
    let fields = fields(&[("national_number", Some(person)), ("phone", Some("1"))]);
    let essence = Essence { transaction: Transaction::New, target: None, match_key: MatchKey::of(&fields), fields, parts: BTreeMap::new() };
    RecordFact { key, lines: vec![line(number, minute)], essence: Some(essence) }
}

fn correction(key: RecordKey, number: u64, minute: i64, target: Target, phone: Option<&str>) -> RecordFact {
    let fields = fields(&[("phone", phone)]);
    let essence = Essence { transaction: Transaction::Correction, target: Some(target), match_key: None, fields, parts: BTreeMap::new() };
    RecordFact { key, lines: vec![line(number, minute)], essence: Some(essence) }
}

fn to(record: &RecordFact) -> Target {
    Target::Record { unit: record.key.unit.clone(), record: record.key.record }
}

fn code(folded: &Folded, key: &RecordKey) -> &'static str {
    match &folded.fates[key] {
        Fate::Merged(_) => "merged",
        Fate::Held(code, _) | Fate::Refused(code) => code.row().code,
    }
}

fn phone(folded: &Folded, founder: &RecordFact) -> Option<String> {
    folded.residents[&founder.founds()].fields.get("phone").map(|(value, _)| value.clone())
}

#[test]
fn the_first_by_unit_time_stands_whoever_arrives_first() {
    let (a, b) = (new(key(1, 1, 0), 1, 20, "X"), new(key(2, 2, 0), 1, 10, "X"));
    let folded = fold(&[a.clone(), b.clone()], &Withdrawn::new());
    assert_eq!((code(&folded, &a.key), code(&folded, &b.key)), ("duplicate", "merged"));
}

#[test]
fn a_flagged_record_stands_only_alone() {
    let mut flagged = new(key(1, 1, 0), 1, 10, "X");
    flagged.lines[0].flag = Flag::Clock;
    let alone = fold(std::slice::from_ref(&flagged), &Withdrawn::new());
    assert_eq!(code(&alone, &flagged.key), "merged");
    let mut half = flagged.clone();
    half.lines.push(line(1, 10));
    assert_eq!((flagged.flag(), half.flag(), new(key(2, 2, 0), 1, 20, "X").flag()), (Flag::Clock, Flag::Clock, Flag::Plausible));
    let honest = new(key(2, 2, 0), 1, 20, "X");
    let both = fold(&[flagged.clone(), honest.clone()], &Withdrawn::new());
    assert_eq!((code(&both, &flagged.key), code(&both, &honest.key)), ("duplicate", "merged"));
    let mut second = new(key(3, 3, 0), 1, 20, "X");
    second.lines[0].flag = Flag::Clock;
    let nobody = fold(&[flagged.clone(), second.clone()], &Withdrawn::new());
    assert_eq!((code(&nobody, &flagged.key), code(&nobody, &second.key)), ("clock", "clock"));
}

#[test]
fn re_used_ids_and_numbers_hold_all_of_them() {
    let (a, b) = (new(key(1, 1, 0), 1, 10, "X"), new(key(1, 1, 9), 2, 10, "Y"));
    let folded = fold(&[a.clone(), b.clone()], &Withdrawn::new());
    assert_eq!((code(&folded, &a.key), code(&folded, &b.key)), ("record-reused", "record-reused"));
    let (a, b) = (new(key(1, 1, 0), 1, 10, "X"), new(key(1, 2, 0), 1, 10, "Y"));
    let folded = fold(&[a.clone(), b.clone()], &Withdrawn::new());
    assert_eq!((code(&folded, &a.key), code(&folded, &b.key)), ("number-reused", "number-reused"));
    let withdrawn = Withdrawn::from([(a.key.unit.clone(), a.lines[0].number)]);
    let folded = fold(std::slice::from_ref(&a), &withdrawn);
    assert_eq!(code(&folded, &a.key), "number-reused");
}

#[test]
fn a_refused_delivery_takes_no_place() {
    let honest = new(key(1, 1, 0), 1, 10, "X");
    let mut twice = honest.clone();
    let mut lie = line(2, 5);
    lie.opened = Opened::Refused(Code::LineMismatch);
    twice.lines.push(lie);
    let folded = fold(std::slice::from_ref(&twice), &Withdrawn::new());
    assert_eq!(code(&folded, &twice.key), "merged");
    let mut other = new(key(1, 1, 9), 1, 10, "X");
    other.lines[0].opened = Opened::Refused(Code::NotAge);
    other.essence = None;
    let folded = fold(&[honest.clone(), other.clone()], &Withdrawn::new());
    assert_eq!((code(&folded, &honest.key), code(&folded, &other.key)), ("merged", "not-age"));
}

#[test]
fn a_later_version_is_held_for_newer_software_never_refused() {
    let mut later = new(key(1, 1, 0), 1, 10, "X");
    later.lines[0].opened = Opened::Refused(Code::UpgradeNeeded);
    later.essence = None;
    let folded = fold(std::slice::from_ref(&later), &Withdrawn::new());
    assert!(matches!(folded.fates[&later.key], Fate::Held(Code::UpgradeNeeded, _)));
    // also when another delivery of it says something else that is wrong
    for at in [0, 1] {
        let mut lie = line(2, 10);
        lie.opened = Opened::Refused(Code::LineMismatch);
        let mut twice = later.clone();
        twice.lines.insert(at, lie);
        let folded = fold(std::slice::from_ref(&twice), &Withdrawn::new());
        assert!(matches!(folded.fates[&later.key], Fate::Held(Code::UpgradeNeeded, _)), "{at}");
    }
}

#[test]
fn what_is_not_in_force_is_held_until_any_line_of_it_is() {
    let mut record = new(key(1, 1, 0), 1, 10, "X");
    record.lines[0].force = Force::Not(Code::Revoked);
    assert_eq!(code(&fold(std::slice::from_ref(&record), &Withdrawn::new()), &record.key), "revoked");
    record.lines.push(line(1, 10));
    assert_eq!(code(&fold(std::slice::from_ref(&record), &Withdrawn::new()), &record.key), "merged");
    assert_eq!(Force::from(BatchState::Accepted), Force::InForce);
    assert_eq!(Force::from(BatchState::Quarantined(Code::Fork)), Force::Not(Code::Fork));
}

#[test]
fn without_a_key_two_records_are_two_residents() {
    let [a, b] = [1, 2].map(|n| {
        let mut record = new(key(n, n, 0), 1, 10, "--");
        record.essence.as_mut().expect("opened").match_key = None;
        record
    });
    let folded = fold(&[a.clone(), b.clone()], &Withdrawn::new());
    assert_eq!((code(&folded, &a.key), code(&folded, &b.key), folded.residents.len()), ("merged", "merged", 2));
}

#[test]
fn of_images_too_the_last_stands_and_a_flagged_one_sets_only_what_is_not_there() {
    let part = |record: &mut RecordFact, name: &str, sha256: &str| {
        record.essence.as_mut().expect("opened").parts.insert(name.to_owned(), sha256.to_owned());
    };
    let mut founder = new(key(1, 1, 0), 1, 10, "X");
    part(&mut founder, "portrait", "aa");
    let mut newer = correction(key(2, 2, 0), 1, 30, to(&founder), None);
    part(&mut newer, "portrait", "bb");
    let mut flagged = correction(key(3, 3, 0), 1, 40, to(&founder), None);
    flagged.lines[0].flag = Flag::Clock;
    part(&mut flagged, "portrait", "cc");
    part(&mut flagged, "signature", "dd");
    let folded = fold(&[flagged.clone(), newer.clone(), founder.clone()], &Withdrawn::new());
    let resident = &folded.residents[&founder.founds()];
    assert_eq!(resident.parts["portrait"], ("bb".to_owned(), newer.key.clone()));
    assert_eq!(resident.parts["signature"], ("dd".to_owned(), flagged.key.clone()), "and each names its record");
    assert_eq!(resident.sources, [founder.key, newer.key, flagged.key]);
}

#[test]
fn who_is_new_has_a_key_and_who_is_there_names_a_target() {
    let mut content = crate::record::tests::example();
    let essence = |content: &serde_json::Value| {
        let bytes = serde_json::to_vec(content).expect("JSON");
        Essence::of(&Content::parse(&bytes).expect("valid"))
    };
    content["person"]["national_number"] = "AB 123".into();
    let new = essence(&content);
    assert_eq!((new.match_key, new.target), (Some(MatchKey::of_number("ab123")), None));
    assert_eq!(new.fields["given_latin"].as_deref(), Some("Itto"));
    assert_eq!(new.parts["face.jp2"], "cd".repeat(32));
    content["transaction"] = "correction".into();
    content["applies_to"] = serde_json::json!({"national_number": "AB123"});
    let correction = essence(&content);
    assert_eq!(correction.match_key, None, "it joins no group");
    assert!(matches!(correction.target, Some(Target::NationalNumber { .. })));
}

#[test]
fn a_resident_is_named_by_reference_as_well() {
    let founder = new(key(1, 1, 0), 1, 10, "X");
    let correction = correction(key(2, 2, 0), 1, 20, Target::Resident { resident: founder.founds() }, Some("2"));
    let folded = fold(&[founder.clone(), correction.clone()], &Withdrawn::new());
    assert_eq!((code(&folded, &correction.key), phone(&folded, &founder).as_deref()), ("merged", Some("2")));
}

#[test]
fn records_share_a_link_if_and_only_if_one_can_influence_the_other() {
    let apart = |a: &RecordFact, b: &RecordFact| a.links().is_disjoint(&b.links());
    let one = new(key(1, 1, 0), 1, 10, "X");
    assert!(apart(&one, &new(key(2, 2, 0), 1, 10, "Y")), "two people");
    assert!(!apart(&one, &new(key(2, 2, 0), 1, 10, "X")), "one person");
    assert!(!apart(&one, &new(key(1, 2, 0), 1, 10, "Y")), "one number");
    assert!(!apart(&one, &new(key(1, 1, 9), 2, 10, "Y")), "one id");
    let named = |target| correction(key(2, 2, 0), 1, 20, target, None);
    for target in [to(&one), Target::Resident { resident: one.founds() }, Target::NationalNumber { national_number: "x".into() }] {
        assert!(!apart(&one, &named(target)), "who is named");
    }
    let other = new(key(3, 3, 0), 1, 10, "Z");
    assert!(apart(&one, &named(to(&other))), "somebody else is named");
    assert!(apart(&named(to(&one)), &correction(key(3, 3, 0), 1, 20, to(&other), None)));
    let mut refused = one.clone();
    refused.lines[0].opened = Opened::Refused(Code::LineMismatch);
    assert!(refused.links().is_empty(), "it takes no place");
}

#[test]
fn a_record_is_shown_without_what_it_says_of_a_person() {
    let record = new(key(1, 1, 0), 1, 10, "AB123");
    let folded = fold(std::slice::from_ref(&record), &Withdrawn::new());
    let shown = format!("{:?} {:?}", record.essence.expect("opened"), folded.residents.values().next().expect("one"));
    assert!(shown.contains("national_number") && shown.contains("van-1") && !shown.contains("AB123"), "{shown}");
}

#[test]
fn the_last_value_wins_null_clears_and_flagged_values_never_override() {
    let founder = new(key(1, 1, 0), 1, 10, "X");
    let late = correction(key(2, 2, 0), 1, 30, to(&founder), Some("3"));
    let early = correction(key(3, 3, 0), 1, 20, to(&founder), Some("2"));
    let folded = fold(&[late.clone(), early.clone(), founder.clone()], &Withdrawn::new());
    assert_eq!(phone(&folded, &founder).as_deref(), Some("3"));
    let clear = correction(key(4, 4, 0), 1, 40, to(&founder), None);
    let folded = fold(&[clear.clone(), late.clone(), founder.clone()], &Withdrawn::new());
    assert_eq!(phone(&folded, &founder), None);
    let mut flagged = correction(key(5, 5, 0), 1, 50, to(&founder), Some("9"));
    flagged.lines[0].flag = Flag::Clock;
    let folded = fold(&[flagged.clone(), clear, founder.clone()], &Withdrawn::new());
    assert_eq!(phone(&folded, &founder), None, "a cleared field was set by somebody");
    let folded = fold(&[flagged, early, founder.clone()], &Withdrawn::new());
    assert_eq!(phone(&folded, &founder).as_deref(), Some("2"));
}

#[test]
fn a_correction_waits_for_what_it_names_even_before_the_founding_time() {
    let founder = new(key(1, 1, 0), 1, 10, "X");
    let correction = correction(key(2, 2, 0), 1, 5, to(&founder), Some("2"));
    let folded = fold(std::slice::from_ref(&correction), &Withdrawn::new());
    assert_eq!(code(&folded, &correction.key), "waiting");
    let folded = fold(&[correction, founder.clone()], &Withdrawn::new());
    assert_eq!(phone(&folded, &founder).as_deref(), Some("2"), "after the founding record whatever its time");
}

#[test]
fn who_stands_under_a_national_number_is_found_by_it() {
    let founder = new(key(1, 1, 0), 1, 10, "AB 123");
    let target = Target::NationalNumber { national_number: "ab123".into() };
    let correction = correction(key(2, 2, 0), 1, 20, target, Some("2"));
    let folded = fold(&[founder.clone(), correction.clone()], &Withdrawn::new());
    assert_eq!((code(&folded, &correction.key), phone(&folded, &founder).as_deref()), ("merged", Some("2")));
}

#[test]
fn times_that_the_log_contradicts_are_flagged() {
    let second = |text: &str| text.parse::<Second>().expect("time");
    let fine = Times {
        finished: "2026-11-20T09:12Z".parse().expect("minute"),
        seen: 5,
        roster: RosterVersion(2),
        index: LogIndex(9),
        received: second("2026-11-20T09:12:00Z"),
        seen_received: Some(second("2026-11-20T09:12:59Z")),
        roster_received: Some(second("2026-11-19T00:00:00Z")),
        before: Some((5, RosterVersion(2))),
    };
    assert_eq!(Flag::judge(&fine), Flag::Plausible);
    assert_eq!(Flag::judge(&Times { seen: 9, ..fine }), Flag::Plausible, "all before its own batch may have been seen");
    assert_eq!(Flag::judge(&Times { finished: "2026-11-20T09:13Z".parse().expect("minute"), ..fine }), Flag::Clock);
    assert_eq!(Flag::judge(&Times { seen_received: Some(second("2026-11-20T09:13:00Z")), ..fine }), Flag::Clock);
    assert_eq!(Flag::judge(&Times { roster_received: Some(second("2026-11-20T09:13:00Z")), ..fine }), Flag::Clock);
    assert_eq!(Flag::judge(&Times { roster_received: None, ..fine }), Flag::Clock);
    assert_eq!(Flag::judge(&Times { seen: 10, seen_received: None, ..fine }), Flag::Clock);
    assert_eq!(Flag::judge(&Times { before: Some((6, RosterVersion(2))), ..fine }), Flag::Clock);
    assert_eq!(Flag::judge(&Times { before: Some((5, RosterVersion(3))), ..fine }), Flag::Clock);
}

#[test]
fn the_digest_is_pinned() {
    let founder = new(key(1, 1, 0), 1, 10, "X\u{7}\"é");
    let folded = fold(std::slice::from_ref(&founder), &Withdrawn::new());
    let (reference, resident) = folded.residents.first_key_value().expect("one");
    let line = digest::resident_line(reference, resident);
    assert!(line.contains(r#"{"fields":{"national_number":"X\u0007\"é","phone":"1"},"parts":{},"sources":["van-1 "#), "{line}");
    let mut refused = new(key(3, 3, 0), 1, 10, "Z");
    (refused.lines[0].opened, refused.essence) = (Opened::Refused(Code::NotAge), None);
    let mut held = new(key(4, 4, 0), 1, 10, "V");
    held.lines[0].force = Force::Not(Code::Revoked);
    let folded = fold(&[founder.clone(), refused.clone(), held.clone()], &Withdrawn::new());
    let of = |fact: &RecordFact| format!("record {} {} {}", fact.key.unit, fact.key.record, fact.key.digest);
    let records = format!("{} merged {reference}\n{} refused not-age\n{} held revoked\n", of(&founder), of(&refused), of(&held));
    let whole = format!("enroll-registry/v1\nrules 1\n{records}{line}\n");
    assert_eq!(registry_digest(&folded), crate::id::Digest::of(whole.as_bytes()));
    assert_eq!(registry_digest(&Folded::default()), crate::id::Digest::of(b"enroll-registry/v1\nrules 1\n"));
}

#[test]
fn lines_out_of_order_have_no_digest() {
    let mut lines = digest::Lines::default();
    assert_eq!(lines.add("record b".to_owned()), Ok(()));
    assert_eq!(lines.add("record c".to_owned()), Ok(()));
    assert_eq!(lines.add("record a".to_owned()), Err(digest::OutOfOrder));
}
