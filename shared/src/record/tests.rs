//! What record.json accepts and refuses.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// A record with parts of these sizes, filled so that no two are alike and nothing compresses to nothing.
pub(crate) fn sample(sizes: &[usize]) -> Record {
    let mut content = Content::parse(&serde_json::to_vec(&example()).expect("JSON")).expect("the example is valid");
    let mut state = 0x9E37_79B9_u32;
    let parts: Vec<Vec<u8>> = sizes.iter().map(|&size| std::iter::repeat_with(|| noise(&mut state)).take(size).collect()).collect();
    let template = content.parts.remove(0);
    content.parts = parts.iter().enumerate().map(|(i, bytes)| listed(&template, i, bytes)).collect();
    Record::checked(content, parts).expect("parts are those listed")
}

fn noise(state: &mut u32) -> u8 {
    *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
    (*state >> 24) as u8
}

fn listed(template: &Part, index: usize, bytes: &[u8]) -> Part {
    let name = format!("part-{index}.jp2").parse().expect("a part's name");
    Part { name, size: bytes.len() as u64, sha256: Digest::of(bytes), ..template.clone() }
}

/// A valid record.json.
pub(crate) fn example() -> Value {
    json!({
        "format": "enroll-content/v1",
        "record_id": "1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed",
        "unit": "van-017",
        "agent": "agent-007",
        "transaction": "new",
        "form": "national-id/3",
        "finished": "2026-11-20T09:12:33Z",
        "clock": {"raw": "2026-11-20T09:12:33Z", "boot": "6ec0bd7f-11c0-43da-975e-2a8ad9ebae0b", "boot_ms": 5_123_456},
        "slip": format!("sha256:{}", "ab".repeat(32)),
        "applies_to": null,
        "person": {"given_latin": "Itto", "given_ar": "إيطو", "date_of_birth": "1980-05"},
        "consent": {"text": "1", "at": "2026-11-20T09:11:00Z"},
        "exceptions": [{"position": "finger-left-ring", "reason": "missing"}],
        "fix": null,
        "parts": [{"name": "face.jp2", "media_type": "image/jp2", "size": 40000, "sha256": "cd".repeat(32), "modality": "face",
            "position": "face", "quality": {"by": "ofiq/1.0", "value": 80}, "device": "cam-1", "attempt": 1}],
    })
}

fn code(value: &Value) -> Result<(), Code> {
    Content::parse(&serde_json::to_vec(value).expect("JSON")).map(drop).map_err(|p| p.code)
}

fn changed(pointer: &str, value: Value) -> Value {
    let mut content = example();
    let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
    match content.pointer_mut(parent).expect("is there") {
        Value::Object(map) => drop(map.insert(key.into(), value)),
        Value::Array(list) => list[key.parse::<usize>().expect("an index")] = value,
        _ => unreachable!("a pointer into the example"),
    }
    content
}

#[test]
fn the_example_is_read_and_written_the_same() {
    let content = Content::parse(&serde_json::to_vec(&example()).expect("JSON")).expect("valid");
    assert_eq!(content.transaction, Transaction::New);
    assert_eq!(content.person["given_ar"].as_deref(), Some("إيطو"));
    assert_eq!(serde_json::from_slice::<Value>(&content.to_json()).expect("JSON"), example());
    assert!(content.to_json().starts_with(br#"{"format":"enroll-content/v1","record_id":"#));
}

#[test]
fn the_example_of_the_specification_is_valid() {
    let (_, rest) = include_str!("../../SPEC.md").split_once("```json\n").expect("the section's example");
    let (example, _) = rest.split_once("```").expect("its end");
    let content = Content::parse(example.as_bytes()).expect("valid");
    assert_eq!(serde_json::from_slice::<Value>(&content.to_json()).ok(), serde_json::from_str(example).ok());
}

#[test]
fn every_key_is_demanded_and_no_other_taken() {
    let objects = ["", "/clock", "/consent", "/exceptions/0", "/parts/0", "/parts/0/quality"];
    for pointer in objects {
        let mut keys: Vec<String> = example().pointer(pointer).and_then(Value::as_object).expect("object").keys().cloned().collect();
        for key in keys.drain(..) {
            let mut content = example();
            content.pointer_mut(pointer).and_then(Value::as_object_mut).expect("object").remove(&key);
            assert_eq!(code(&content), Err(Code::ContentInvalid), "without {pointer}/{key}");
        }
        assert_eq!(code(&changed(&format!("{pointer}/other"), json!(1))), Err(Code::ContentInvalid), "{pointer}/other");
    }
}

/// What serde takes by itself: the values of a struct, in its order, without their names.
#[test]
fn an_object_is_never_a_bare_list_of_its_values() {
    let listed = |pointer: &str, keys: &[&str]| {
        let content = example();
        let object = content.pointer(pointer).and_then(Value::as_object).expect("an object").clone();
        assert_eq!(object.len(), keys.len(), "{pointer}");
        let list: Vec<Value> = keys.iter().map(|&key| object[key].clone()).collect();
        code(&changed(pointer, json!(list)))
    };
    let part = ["name", "media_type", "size", "sha256", "modality", "position", "quality", "device", "attempt"];
    let objects: [(&str, &[&str]); 5] = [
        ("/clock", &["raw", "boot", "boot_ms"]),
        ("/consent", &["text", "at"]),
        ("/exceptions/0", &["position", "reason"]),
        ("/parts/0", &part),
        ("/parts/0/quality", &["by", "value"]),
    ];
    for (pointer, keys) in objects {
        assert_eq!(listed(pointer, keys), Err(Code::ContentInvalid), "{pointer}");
    }
    assert_eq!(code(&changed("/fix", json!({"lat": "31.5", "lon": "-7", "accuracy_m": "5"}))), Ok(()));
    assert_eq!(code(&changed("/fix", json!(["31.5", "-7", "5"]))), Err(Code::ContentInvalid));
    let mut renewal = changed("/transaction", json!("renewal"));
    renewal["applies_to"] = json!({"national_number": "A123"});
    assert_eq!(code(&renewal), Ok(()));
    renewal["applies_to"] = json!(["A123"]);
    assert_eq!(code(&renewal), Err(Code::ContentInvalid));
    assert_eq!(Content::parse(b"[\"enroll-content/v1\"]").map_err(|p| p.code).err(), Some(Code::ContentInvalid));
}

#[test]
fn wrong_values_are_refused_without_being_repeated() {
    let wrong = [
        ("/format", json!("other/v1")),
        ("/record_id", json!("1B9D6BCD-BBFD-4B2D-9B5D-AB8DFBBD4BED")),
        ("/finished", json!("2026-11-20T09:12Z")),
        ("/transaction", json!("deletion")),
        ("/clock/boot", json!("6EC0BD7F-11C0-43DA-975E-2A8AD9EBAE0B")),
        ("/clock/boot_ms", json!(-1)),
        ("/clock/boot_ms", json!(1.5)),
        ("/slip", json!("ab".repeat(32))),
        ("/applies_to", json!({"national_number": "A123"})),
        ("/person/given_latin", json!(null)),
        ("/person/given_latin", json!("Itto\u{0}")),
        ("/person/given_latin", json!(7)),
        ("/person/Given", json!("Itto")),
        ("/consent/text", json!("")),
        ("/exceptions/0/reason", json!("tired")),
        ("/exceptions/0/position", json!("finger left")),
        ("/fix", json!({"lat": "91.5", "lon": "0", "accuracy_m": "5"})),
        ("/fix", json!({"lat": "31.5", "lon": "1e1", "accuracy_m": "5"})),
        ("/fix", json!({"lat": "31.5", "lon": "-7", "accuracy_m": "-5"})),
        ("/parts/0/name", json!("../face.jp2")),
        ("/parts/0/name", json!("record.json")),
        ("/parts/0/media_type", json!("image/jp2; q=1")),
        ("/parts/0/size", json!(0)),
        ("/parts/0/size", json!(MAX_PLAIN + 1)),
        ("/parts/0/sha256", json!(format!("sha256:{}", "cd".repeat(32)))),
        ("/parts/0/sha256", json!("CD".repeat(32))),
        ("/parts/0/quality/value", json!(101)),
        ("/parts/0/attempt", json!(0)),
    ];
    for (pointer, value) in wrong {
        let bytes = serde_json::to_vec(&changed(pointer, value.clone())).expect("JSON");
        let problem = Content::parse(&bytes).expect_err(pointer);
        assert_eq!(problem.code, Code::ContentInvalid, "{pointer} {value}");
        assert!(!problem.detail.contains("Itto") && !problem.detail.contains("A123"), "{problem}");
    }
}

#[test]
fn another_version_is_for_newer_software() {
    assert_eq!(code(&json!({"format": "enroll-content/v2", "anything": []})), Err(Code::UpgradeNeeded));
    assert_eq!(code(&json!({"format": "enroll-content/v02"})), Err(Code::ContentInvalid));
    assert_eq!(code(&json!([])), Err(Code::ContentInvalid));
}

#[test]
fn parts_are_at_most_64_and_named_once() {
    let part = |i: usize| {
        let mut part = example()["parts"][0].clone();
        part["name"] = json!(format!("p{i}.jp2"));
        part
    };
    let with = |names: Vec<usize>| changed("/parts", names.into_iter().map(part).collect());
    assert_eq!(code(&with((0..64).collect())), Ok(()));
    assert_eq!(code(&with((0..65).collect())), Err(Code::PartsTooMany));
    assert_eq!(code(&with(vec![1, 2, 1])), Err(Code::ContentInvalid));
}

#[test]
fn limits_of_the_whole_text() {
    assert_eq!(code(&changed("/person/note", json!("x".repeat(MAX_JSON)))), Err(Code::JsonTooLarge));
    let twice = serde_json::to_string(&example()).expect("JSON").replacen("\"person\":{", "\"person\":{\"given_latin\":\"A\",", 1);
    assert_eq!(Content::parse(twice.as_bytes()).map_err(|p| p.code).err(), Some(Code::JsonDuplicateKey));
}

#[test]
fn what_is_not_new_applies_to_something() {
    let mut content = changed("/transaction", json!("correction"));
    assert_eq!(code(&content), Err(Code::ContentInvalid));
    for target in [
        json!({"resident": "0123456789abcdef0123456789abcdef"}),
        json!({"unit": "van-017", "record": "1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed"}),
        json!({"national_number": "A123"}),
    ] {
        content["applies_to"] = target;
        content["person"]["given_latin"] = json!(null);
        assert_eq!(code(&content), Ok(()), "a correction may clear a field");
    }
    content["applies_to"] = json!({"national_number": "A123", "unit": "van-017"});
    assert_eq!(code(&content), Err(Code::ContentInvalid));
    content["applies_to"] = json!({"national_number": "A123"});
    content["transaction"] = json!("renewal");
    assert_eq!(code(&content), Err(Code::ContentInvalid), "a renewal clears nothing");
}

#[test]
fn a_record_has_exactly_the_parts_that_it_lists() {
    let record = sample(&[10, 20]);
    let parts = || record.parts.clone();
    let check = |parts| Record::checked(record.content.clone(), parts).map(drop).map_err(|p| p.code);
    assert_eq!(check(parts()), Ok(()));
    assert_eq!(check(parts().into_iter().rev().collect()), Err(Code::PartDigest));
    assert_eq!(check(parts()[..1].to_vec()), Err(Code::PartMissing));
    assert_eq!(check([parts(), parts()].concat()), Err(Code::PartExtra));
    let mut other = parts();
    other[1][0] ^= 1;
    assert_eq!(check(other), Err(Code::PartDigest));
}

#[test]
fn nothing_of_a_person_is_printed() {
    let record = sample(&[1]);
    let shown = format!("{:?} {:?} {:?}", record, record.content(), Target::NationalNumber { national_number: "A123".into() });
    assert!(!shown.contains("Itto") && !shown.contains("A123"), "{shown}");
}

prop_compose! {
    fn contents()(
        id in any::<[u8; 16]>(),
        kind in 0..4_usize,
        seconds in 0..4_000_000_000_i64,
        boot_ms in any::<u64>(),
        slip in any::<[u8; 32]>(),
        person in prop::collection::btree_map("[a-z]{1,9}(_[a-z0-9]{1,5})?", "\\PC{0,30}", 0..9),
        sizes in prop::collection::vec(1..=MAX_PLAIN, 0..6),
        quality in prop::option::of(0..=100_u8),
        device in prop::option::of("[ -~]{1,128}"),
        fix in prop::option::of((-89..90_i32, -179..180_i32, 0..10_u32)),
        injured in any::<bool>(),
    ) -> Content {
        let mut content = Content::parse(&serde_json::to_vec(&example()).expect("JSON")).expect("valid");
        let part = content.parts[0].clone();
        content.record_id = RecordId::from_random(id);
        content.transaction = Transaction::ALL[kind];
        content.applies_to = (kind > 0).then(|| Target::Record { unit: content.unit.clone(), record: content.record_id });
        content.finished = Second::from_unix(seconds);
        content.clock.boot_ms = boot_ms;
        content.slip = Digest::from_bytes(slip);
        let clears = content.transaction == Transaction::Correction;
        content.person = person.into_iter().map(|(k, v)| (k, (!clears || !v.is_empty()).then_some(v))).collect::<BTreeMap<_, _>>();
        content.fix = fix.map(|(lat, lon, m)| Fix { lat: format!("{lat}.25"), lon: lon.to_string(), accuracy_m: m.to_string() });
        content.exceptions[0].reason = if injured { ExceptionReason::Injured } else { ExceptionReason::ChildUnder12 };
        content.parts = sizes.iter().enumerate().map(|(i, &size)| Part {
            name: format!("p{i}.jp2").parse().expect("a part's name"),
            size,
            quality: quality.map(|value| Quality { by: "nfiq/2".into(), value }),
            device: device.clone(),
            ..part.clone()
        }).collect();
        content
    }
}

proptest! {
    #[test]
    fn parse_is_the_inverse_of_print(content in contents()) {
        let bytes = content.to_json();
        let read = Content::parse(&bytes);
        prop_assert_eq!(read.as_ref().map(Content::to_json), Ok(bytes));
        prop_assert!(read == Ok(content));
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        drop(Content::parse(&bytes));
    }

    #[test]
    fn any_change_of_a_byte_is_read_or_refused(at in 0..900_usize, byte in any::<u8>()) {
        let mut bytes = serde_json::to_vec(&example()).expect("JSON");
        if let Some(b) = bytes.get_mut(at) {
            *b = byte;
        }
        if let Ok(content) = Content::parse(&bytes) {
            prop_assert!(Content::parse(&content.to_json()) == Ok(content));
        }
    }
}
