//! What a draft refuses early, what it still lacks, and that nothing is lost when finishing fails.

use std::collections::BTreeMap;

use super::{
    card::{ContactCard, ReviewCard},
    input::Input,
    *,
};
use crate::sample::{Kind, Resident, Sample, Size, forms, tests};

mod pictures;

fn resident(form: &Form, transaction: Transaction, kind: Kind) -> Resident {
    Sample::new(7, tests::now(), Size::Tiny).take(2, 0, form, transaction, kind).expect("sample")
}

fn full(form: &Form, kind: Kind) -> (Draft, Vec<Vec<u8>>) {
    resident(form, Transaction::New, kind).draft(form).expect("a good resident")
}

fn code<T>(result: Result<T, Problem>) -> Option<Code> {
    result.err().map(|p| p.code)
}

#[test]
fn what_is_missing_is_named_in_the_order_of_the_form() {
    let form = &forms()[0];
    let mut draft = Draft::new(form, Transaction::New).expect("known");
    let missing = draft.missing(form).expect("of this form");
    let demands = form.demands(Transaction::New).expect("known");
    assert_eq!(missing.len(), demands.fields.len() + demands.parts.len());
    assert_eq!(missing[0], Missing::Field("given_ar".into()));
    draft.set(form, "given_ar", "إيطو").expect("an Arabic name");
    draft.except(form, "finger-left-ring", ExceptionReason::Missing).expect("allowed");
    let less = draft.missing(form).expect("of this form");
    assert_eq!(less.len(), missing.len() - 2);
    let correction = Draft::new(form, Transaction::Correction).expect("known");
    let missing = correction.missing(form).expect("of this form");
    assert_eq!(missing, [Missing::Target, Missing::Change, Missing::Part("face".into())]);
}

#[test]
fn an_incomplete_draft_comes_back_unharmed() {
    let form = &forms()[0];
    let (mut draft, mut parts) = full(form, Kind::Complete);
    draft.unset("sex");
    let before = draft.clone();
    let unfinished = draft.finish(form, tests::facts(1), parts.clone()).expect_err("incomplete");
    assert_eq!((unfinished.problem.code, unfinished.problem.detail.as_str()), (Code::DraftIncomplete, "field sex"));
    assert_eq!(unfinished.draft, before);
    let mut draft = unfinished.draft;
    draft.set(form, "sex", "f").expect("f or m");
    // bytes that are not those that were attached
    parts[1].push(1);
    let unfinished = draft.finish(form, tests::facts(1), parts.clone()).expect_err("another picture");
    assert_eq!(unfinished.problem.code, Code::PartDigest);
    parts[1].pop();
    assert!(unfinished.draft.finish(form, tests::facts(1), parts).is_ok());
}

#[test]
fn mistakes_are_refused_when_they_are_made() {
    let form = &forms()[0];
    let mut draft = Draft::new(form, Transaction::New).expect("known");
    let before = draft.clone();
    assert_eq!(code(draft.set(form, "shoe_size", "44")), Some(Code::FieldUnknown));
    assert_eq!(code(draft.set(form, "sex", "x")), Some(Code::FieldInvalid));
    assert_eq!(code(draft.clear(form, "phone")), Some(Code::FieldInvalid), "only a correction clears");
    assert_eq!(code(draft.apply_to(Target::NationalNumber { national_number: "A12345".into() })), Some(Code::FieldInvalid));
    assert_eq!(code(draft.except(form, "face", ExceptionReason::Illness)), Some(Code::ExceptionNotAllowed));
    let png = resident(form, Transaction::New, Kind::Complete).part("signature").expect("a part").to_vec();
    let mut attach =
        |position: &str, media_type: &str, bytes: &[u8]| code(draft.attach(form, position, media_type, bytes, Capture::default()));
    assert_eq!(attach("document-passport", "image/png", &png), Some(Code::FormInvalid));
    assert_eq!(attach("signature", "image/gif", &png), Some(Code::FormInvalid));
    assert_eq!(attach("signature", "image/jpeg", &png), Some(Code::ImageInvalid));
    assert_eq!(attach("signature", "image/png", b""), Some(Code::ImageInvalid));
    assert_eq!(attach("signature", "image/png", &vec![0; 1 << 20]), Some(Code::ImageTooLarge));
    assert_eq!(draft, before, "a refused step changes nothing");
    assert_eq!(code(draft.set(&forms()[1], "sex", "f")), Some(Code::FormInvalid), "of another form");
}

#[test]
fn a_new_capture_takes_the_place_of_the_old_one_and_of_an_exception() {
    let form = &forms()[0];
    let (mut draft, _) = full(form, Kind::Fingers);
    let excused = draft.exceptions()[0].position.clone();
    let another = Sample::new(8, tests::now(), Size::Tiny).take(2, 0, form, Transaction::New, Kind::Complete).expect("sample");
    let finger = another.part(&excused).expect("a part");
    let part = draft.attach(form, &excused, "image/png", finger, Capture::default()).expect("a good picture");
    assert_eq!((part.attempt, part.name.to_string()), (1, format!("{excused}.png")));
    assert!(draft.exceptions().iter().all(|e| e.position != excused));
    let again = draft.attach(form, &excused, "image/png", finger, Capture::default()).expect("a good picture");
    assert_eq!(again.attempt, 2);
    assert_eq!(draft.parts().iter().filter(|p| p.position == excused).count(), 1);
    assert_eq!(code(draft.except(form, &excused, ExceptionReason::Injured)), Some(Code::ExceptionNotAllowed), "there is a part");
    assert!(draft.detach(&excused).is_some() && draft.except(form, &excused, ExceptionReason::Injured).is_ok());
}

#[test]
fn a_child_is_excused_in_one_step() {
    let form = &forms()[0];
    let (mut child, parts) = full(form, Kind::Child);
    let positions: Vec<String> = child.exceptions().iter().map(|e| e.position.clone()).collect();
    for position in &positions {
        assert!(child.unexcept(position));
    }
    assert_eq!(child.missing(form).expect("of this form").len(), 11, "ten fingers and a signature");
    child.except_rest(form, ExceptionReason::ChildUnder12).expect("of this form");
    assert!(child.clone().finish(form, tests::facts(1), parts.clone()).is_ok());
    child.set(form, "date_of_birth", "1999").expect("a date");
    let grown = child.finish(form, tests::facts(1), parts).expect_err("no child");
    assert_eq!(grown.problem.code, Code::ExceptionNotAllowed);
}

#[test]
fn a_stored_draft_is_read_back_the_same() {
    let (draft, _) = full(&forms()[1], Kind::Fingers);
    assert_eq!(Draft::parse(&draft.to_json()), Ok(draft.clone()));
    assert!(Draft::parse(b"{}").is_err());
    assert!(!format!("{draft:?}").contains(draft.person()["given_latin"].as_deref().expect("a name")));
}

#[test]
fn a_folder_that_does_not_agree_with_itself_is_refused() {
    let form = &forms()[2];
    let good = resident(form, Transaction::New, Kind::Complete);
    let files = || good.files.iter().cloned().collect::<BTreeMap<_, _>>();
    let draft = |input: Input, files| code(input.into_draft(form, files));
    assert_eq!(draft(good.input.clone(), files()), None);
    let mut fewer = files();
    fewer.pop_first();
    assert_eq!(draft(good.input.clone(), fewer), Some(Code::PartMissing));
    let mut more = files();
    more.insert("other.jpg".parse().expect("name"), vec![1]);
    assert_eq!(draft(good.input.clone(), more), Some(Code::PartExtra));
    let mut twice = good.input.clone();
    twice.parts[1].position = twice.parts[0].position.clone();
    assert_eq!(draft(twice, files()), Some(Code::InputUnreadable));
    let mut other = good.input.clone();
    other.form = "national-id/1".parse().expect("form");
    assert_eq!(draft(other, files()), Some(Code::FormInvalid));
}

#[test]
fn the_first_bytes_say_a_media_type_that_the_description_leaves_open() {
    let form = &forms()[2];
    let good = resident(form, Transaction::New, Kind::Complete);
    let expected = good.clone().draft(form).expect("a good folder");
    let draft = |said: Option<&str>| {
        let mut input = good.input.clone();
        input.parts.iter_mut().for_each(|part| part.media_type = said.map(str::to_owned));
        assert_eq!(Input::parse(&input.to_json()).as_ref(), Ok(&input));
        input.into_draft(form, good.files.iter().cloned().collect())
    };
    for open in [None, Some(""), Some("application/octet-stream"), Some("image/*")] {
        assert_eq!(draft(open).as_ref(), Ok(&expected), "{open:?}");
    }
    assert_eq!(draft(Some("image/png")).map(drop).map_err(|p| p.code), Err(Code::ImageInvalid), "it contradicts");
    let mut files: BTreeMap<_, _> = good.files.iter().cloned().collect();
    for bytes in files.values_mut() {
        *bytes = b"no picture".to_vec();
    }
    let mut input = good.input.clone();
    input.parts[0].media_type = None;
    assert_eq!(input.into_draft(form, files).map(drop).map_err(|p| p.code), Err(Code::FormInvalid));
}

#[test]
fn a_file_is_found_by_its_name_whatever_its_capitals_and_named_in_no_problem() {
    let form = &forms()[2];
    let good = resident(form, Transaction::New, Kind::Complete);
    let renamed = |names: &[&str]| -> BTreeMap<_, _> {
        let mut files: BTreeMap<_, _> = good.files.iter().cloned().collect();
        let bytes = files.remove(&good.input.parts[0].file).expect("there");
        files.extend(names.iter().map(|name| (name.parse().expect("a name"), bytes.clone())));
        files
    };
    let drafted = |said: &str, names: &[&str]| {
        let mut input = good.input.clone();
        input.parts[0].file = said.parse().expect("a name");
        input.into_draft(form, renamed(names)).map(drop)
    };
    assert_eq!(drafted("Example Person.JPG", &["example person.jpg"]), Ok(()));
    assert_eq!(drafted("a.jpg", &["a.jpg", "A.jpg"]).map_err(|p| p.code), Err(Code::PartExtra), "its own name comes first");
    let problem = drafted("Example Person.JPG", &["example person.jpg", "EXAMPLE PERSON.jpg"]).expect_err("one of two");
    assert_eq!((problem.code, problem.detail.as_str()), (Code::PartMissing, "face"));
    assert!(!drafted("a.jpg", &["a.jpg", "Example Person"]).expect_err("too many").detail.contains("Person"));
}

#[test]
fn a_bad_key_is_named_with_its_line_and_a_value_never() {
    let text = |key: &str| format!("{{\n \"format\": \"enroll-input/v1\",\n \"{key}\": \"Example Person\"\n}}");
    let told = |key: &str| Input::parse(text(key).as_bytes()).expect_err("no such key").to_string();
    assert_eq!(told("fom"), "input-unreadable: resident.json: line 3: no key `fom` there");
    // a value is known to be bad only after it was read: the line may be the next one
    for (key, lines) in [("Example Person", &["line 3 "][..]), ("form", &["line 3 ", "line 4 "])] {
        let told = told(key);
        assert!(lines.iter().any(|line| told.starts_with(&format!("input-unreadable: resident.json: {line}column "))), "{told}");
        assert!(!told.contains("Person"), "{told}");
    }
    assert_eq!(Input::parse(b"{\"format\":\"enroll-input/v1\"}").expect_err("short").detail, "resident.json: line 1: `form` is missing");
}

#[test]
fn a_resident_json_of_another_shape_is_refused() {
    let json = resident(&forms()[2], Transaction::New, Kind::Complete).folder().remove(0).1;
    let text = String::from_utf8(json).expect("UTF-8");
    let changed = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        code(Input::parse(text.replacen(from, to, 1).as_bytes()))
    };
    assert_eq!(changed("face.jpg", "face.jpg"), None);
    assert_eq!(changed("face.jpg", "../face.jpg"), Some(Code::InputUnreadable));
    assert_eq!(changed("document-address.jpg", "face.jpg"), Some(Code::InputUnreadable), "a file twice");
    assert_eq!(changed("enroll-input/v1", "enroll-input/v2"), Some(Code::UpgradeNeeded));
    assert_eq!(changed("\"exceptions\"", "\"exception\""), Some(Code::InputUnreadable));
    assert_eq!(changed("\"form\"", "\"form\": \"a/1\", \"form\""), Some(Code::JsonDuplicateKey));
    assert_eq!(changed("{", "["), Some(Code::JsonMalformed));
    assert_eq!(code(Input::parse(&vec![b' '; MAX_JSON + 1])), Some(Code::JsonTooLarge));
}

#[test]
fn cards_show_the_resident_and_nothing_prints_them() {
    let form = &forms()[0];
    let (draft, parts) = full(form, Kind::Fingers);
    let face = parts[0].clone();
    let record = draft.finish(form, tests::facts(1), parts).expect("complete");
    let person = &record.content().person;
    let value = |f: &str| person[f].clone().expect("set");
    let review = ReviewCard::of(&record);
    assert_eq!(review.name_latin, format!("{} {}", value("given_latin"), value("family_latin")));
    assert_eq!(review.portrait.as_ref().map(|p| &p.bytes), Some(&face));
    assert_eq!(review.exceptions.len(), 2);
    assert_eq!(ReviewCard::parse(&review.to_json()), Ok(review.clone()));
    let contact = ContactCard::of(&record);
    assert_eq!((contact.phone.clone(), contact.village.clone()), (value("phone"), value("village")));
    assert_eq!(ContactCard::parse(&contact.to_json()), Ok(contact.clone()));
    let shown = format!("{review:?} {contact:?}");
    assert!(!shown.contains(&value("given_latin")) && !shown.contains(&value("village")), "{shown}");
}

#[test]
fn a_portrait_that_is_too_large_is_left_off_the_card() {
    let form = &forms()[2];
    let large = Sample::new(7, tests::now(), Size::Large).take(2, 0, form, Transaction::New, Kind::Complete).expect("sample");
    let (draft, parts) = large.draft(form).expect("a good resident");
    let record = draft.finish(form, tests::facts(1), parts).expect("complete");
    assert!(ReviewCard::of(&record).portrait.is_none());
}

/// One subject's captures as ISO/IEC 19794 records, where the folder of real samples is at hand.
fn real_captures() -> Option<Vec<(String, &'static str, Vec<u8>)>> {
    let beside = || std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data"));
    let folder = std::env::var_os("ENROL_TEST_DATA").map_or_else(beside, std::path::PathBuf::from);
    let folder = folder.join("biometrics/mosip-mockmds-s1/registration");
    if !folder.is_dir() {
        crate::skipped::skip(format_args!("no samples in {}", folder.display()));
        return None;
    }
    let read = |name: &str| std::fs::read(folder.join(format!("0001{name}.iso"))).expect("readable");
    let mut captures = vec![
        ("face".to_owned(), "image/iso19794-5", read("Face")),
        ("exception-photo".to_owned(), "image/iso19794-5", read("Exception_Photo")),
    ];
    for (hand, side) in [("Left", "left"), ("Right", "right")] {
        captures.push((format!("iris-{side}"), "image/iso19794-6", read(&format!("{hand}_Iris"))));
        for (file, finger) in [("Thumb", "thumb"), ("Index", "index"), ("Middle", "middle"), ("Ring", "ring"), ("Little", "little")] {
            captures.push((format!("finger-{side}-{finger}"), "image/iso19794-4", read(&format!("{hand}_{file}"))));
        }
    }
    Some(captures)
}

#[test]
fn real_captures_make_a_record() {
    let Some(captures) = real_captures() else { return };
    let form = &forms()[0];
    let (mut draft, mut parts) = full(form, Kind::Complete);
    for (position, media_type, bytes) in captures {
        if let Some(at) = draft.parts().iter().position(|p| p.position == position) {
            draft.detach(&position);
            parts.remove(at);
        }
        draft.attach(form, &position, media_type, &bytes, Capture::default()).expect(&position);
        parts.push(bytes);
    }
    let record = draft.finish(form, tests::facts(1), parts).map_err(|unfinished| unfinished.problem).expect("a record");
    assert_eq!(record.content().parts.len(), 15, "face, exception photo, ten fingers, two irises, and the signature drawn");
}
