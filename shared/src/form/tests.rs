//! What forms refuse: every requirement, one at a time; and what a form file must not be.

use serde_json::{Value, json};

use super::*;
use crate::{
    draft::Draft,
    record::{Content, Exception},
    sample::{Kind, Sample, Size, forms, tests},
};

/// A content and its parts that the form accepts.
fn good(form: &Form, transaction: Transaction, kind: Kind) -> (Content, Vec<Vec<u8>>) {
    let resident = Sample::new(7, tests::now(), Size::Tiny).take(1, 0, form, transaction, kind).expect("sample");
    let (draft, parts) = resident.draft(form).expect("a good resident");
    let record = draft.finish(form, tests::facts(1), parts).expect("complete");
    (record.content().clone(), record.parts().map(|(_, bytes)| bytes.to_vec()).collect())
}

fn code(form: &Form, content: &Content, parts: &[Vec<u8>]) -> Result<(), Code> {
    form.check(content, parts).map_err(|p| p.code)
}

/// What a change of a good content leads to.
fn changed(form: &Form, transaction: Transaction, kind: Kind, change: impl FnOnce(&mut Content)) -> Result<(), Code> {
    let (mut content, parts) = good(form, transaction, kind);
    change(&mut content);
    code(form, &content, &parts)
}

#[test]
fn each_demanded_field_is_demanded() {
    for form in &forms() {
        for transaction in form.transactions() {
            for field in &form.demands(transaction).expect("known").fields {
                let without = changed(form, transaction, Kind::Complete, |c| drop(c.person.remove(field)));
                assert_eq!(without, Err(Code::FormInvalid), "{} {transaction} {field}", form.name());
            }
        }
    }
}

#[test]
fn each_demanded_part_is_demanded() {
    for form in &forms() {
        for transaction in form.transactions() {
            for position in &form.demands(transaction).expect("known").parts {
                let (mut content, mut parts) = good(form, transaction, Kind::Complete);
                let at = content.parts.iter().position(|p| p.position == *position).expect("is there");
                content.parts.remove(at);
                parts.remove(at);
                assert_eq!(code(form, &content, &parts), Err(Code::FormInvalid), "{} {transaction} {position}", form.name());
            }
        }
    }
}

#[test]
fn each_kind_of_resident_is_accepted_where_the_form_allows_it() {
    let [id, permit, certificate] = &forms();
    for kind in [Kind::Complete, Kind::Child, Kind::Fingers, Kind::Ill] {
        for form in [id, permit] {
            let (content, parts) = good(form, Transaction::New, kind);
            assert_eq!(code(form, &content, &parts), Ok(()), "{} {kind:?}", form.name());
            assert_eq!(content.exceptions.is_empty(), kind == Kind::Complete);
        }
        assert!(good(certificate, Transaction::New, kind).0.exceptions.is_empty(), "nothing to be excused from");
    }
    let (child, _) = good(id, Transaction::New, Kind::Child);
    assert_eq!(child.parts.iter().map(|p| p.position.as_str()).collect::<Vec<_>>(), ["face"]);
}

#[test]
fn exceptions_are_for_allowed_reasons_at_demanded_positions_without_a_part() {
    let [id, _, certificate] = &forms();
    let except = |position: &str, reason| {
        let exception = Exception { position: position.into(), reason };
        move |c: &mut Content| c.exceptions.push(exception)
    };
    let new = |form, kind, change: &mut dyn FnMut(&mut Content)| changed(form, Transaction::New, kind, |c| change(c));
    let cases: [(&str, ExceptionReason); 5] = [
        ("face", ExceptionReason::Illness),
        ("signature", ExceptionReason::Missing),
        ("iris-left", ExceptionReason::Missing),
        ("finger-left-sixth", ExceptionReason::Missing),
        ("finger-left-ring", ExceptionReason::Missing),
    ];
    for (position, reason) in cases {
        let refused = changed(id, Transaction::New, Kind::Complete, except(position, reason));
        assert_eq!(refused, Err(Code::ExceptionNotAllowed), "{position}");
    }
    let refused = changed(certificate, Transaction::New, Kind::Complete, except("document-identity", ExceptionReason::Missing));
    assert_eq!(refused, Err(Code::ExceptionNotAllowed));
    let twice = new(id, Kind::Fingers, &mut |c| c.exceptions.push(c.exceptions[0].clone()));
    assert_eq!(twice, Err(Code::ExceptionNotAllowed));
    let refused = changed(id, Transaction::Correction, Kind::Complete, except("finger-left-ring", ExceptionReason::Missing));
    assert_eq!(refused, Err(Code::ExceptionNotAllowed), "a correction demands no finger");
}

#[test]
fn the_date_of_birth_must_say_that_a_child_is_one() {
    let form = &forms()[0];
    let born = |date: Option<&str>| {
        changed(form, Transaction::New, Kind::Child, |c| match date {
            Some(date) => drop(c.person.insert("date_of_birth".into(), Some(date.into()))),
            None => drop(c.person.remove("date_of_birth")),
        })
    };
    assert_eq!(born(Some("2014-11-21")), Ok(()), "twelve tomorrow");
    assert_eq!(born(Some("2015")), Ok(()));
    for date in ["2014-11-20", "2014-11", "2014", "1980-05-17"] {
        assert_eq!(born(Some(date)), Err(Code::ExceptionNotAllowed), "{date}");
    }
    assert_eq!(born(None), Err(Code::FormInvalid));
}

#[test]
fn values_are_what_their_fields_take() {
    let form = &forms()[1];
    let wrong = [
        ("given_ar", "Itto"),
        ("given_ar", ""),
        ("given_latin", "إيطو"),
        ("given_latin", "Itto\u{7}"),
        ("family_latin", "<b>"),
        ("sex", "unknown"),
        ("date_of_birth", "2026-11-22"),
        ("date_of_birth", "1980-02-30"),
        ("date_of_birth", "17/05/1980"),
        ("place_of_birth", "Midelt"),
        ("nationality", "SN"),
        ("passport_number", "p 1"),
        ("passport_expires", "2030-02-30"),
        ("passport_expires", "2030"),
        ("phone", "none"),
    ];
    for (field, value) in wrong {
        let (mut content, parts) = good(form, Transaction::New, Kind::Complete);
        content.person.insert(field.into(), Some(value.into()));
        let problem = form.check(&content, &parts).expect_err(field);
        assert_eq!(problem.code, Code::FieldInvalid, "{field} {value:?}");
        assert!(problem.detail.starts_with(&format!("{field}: ")) && (value.is_empty() || !problem.detail.contains(value)), "{problem}");
    }
    let said = |field: &str, value: &str| form.check_value(field, value).map_err(|p| p.detail);
    for (field, value, detail) in [
        ("given_latin", "Itto7", "given_latin: character 5 (U+0037): Latin letters, spaces, hyphens, apostrophes and dots"),
        ("given_ar", " ", "given_ar: at least one letter"),
        ("given_latin", "a\tb", "given_latin: character 2 (U+0009): one line without control characters"),
        ("sex", "x", "sex: no code of the lists sex"),
        ("date_of_birth", "17/05/1980", "date_of_birth: a date as 1980-05-17, 1980-05 or 1980"),
        ("passport_expires", "2030", "passport_expires: a date as 1980-05-17"),
        ("nationality", "SN", "nationality: no code of the lists country, unknown"),
        ("village", "", "village: 1 to 80 characters"),
    ] {
        assert_eq!(said(field, value), Err(detail.to_owned()));
    }
    let unknown = |name: &str| changed(form, Transaction::New, Kind::Complete, |c| drop(c.person.insert(name.into(), Some("1".into()))));
    assert_eq!(unknown("shoe_size"), Err(Code::FieldUnknown));
    let null = changed(form, Transaction::New, Kind::Complete, |c| drop(c.person.insert("phone".into(), None)));
    assert_eq!(null, Err(Code::FieldInvalid), "only a correction clears");
}

#[test]
fn a_record_holds_text_in_its_one_form() {
    let form = &forms()[1];
    let typed = |value: &str| {
        let (mut content, parts) = good(form, Transaction::New, Kind::Complete);
        content.person.insert("given_latin".into(), Some(value.into()));
        let day = content.finished;
        (form.check(&content, &parts).map_err(|p| p.detail), form.check_on(&content, &parts, day).map_err(|p| p.code))
    };
    assert_eq!(typed("Ben Ali"), (Ok(()), Ok(())));
    let spaced = "given_latin: character 5 (U+0020): one plain space between words, none at the ends";
    assert_eq!(typed("Ben  Ali"), (Err(spaced.to_owned()), Ok(())), "the centre asks it of the rules in force");
    let mut draft = Draft::new(form, Transaction::New).expect("known");
    draft.set(form, "given_latin", " Ben\u{a0} Ali\u{200f} ").expect("a name");
    draft.set(form, "phone", "٠٦١٢٣٤٥٦٧٨").expect("a number");
    let kept = |field: &str| draft.person()[field].clone();
    assert_eq!((kept("given_latin").as_deref(), kept("phone").as_deref()), (Some("Ben Ali"), Some("0612345678")));
}

#[test]
fn a_correction_changes_something_and_may_clear() {
    let form = &forms()[0];
    let with = |person: &[(&str, Option<&str>)]| {
        let person = person.iter().map(|(k, v)| ((*k).to_owned(), v.map(str::to_owned))).collect();
        changed(form, Transaction::Correction, Kind::Complete, |c| c.person = person)
    };
    assert_eq!(with(&[("phone", None)]), Ok(()));
    assert_eq!(with(&[("given_latin", Some("Touda"))]), Ok(()));
    assert_eq!(with(&[]), Err(Code::FormInvalid));
    assert_eq!(with(&[("shoe_size", None)]), Err(Code::FieldUnknown));
    assert_eq!(with(&[("given_latin", Some("إيطو"))]), Err(Code::FieldInvalid));
}

#[test]
fn parts_stand_where_they_may_and_are_what_they_say() {
    let form = &forms()[0];
    let part = |change: fn(&mut crate::record::Part)| changed(form, Transaction::New, Kind::Complete, |c| change(&mut c.parts[0]));
    assert_eq!(part(|p| p.position = "document-passport".into()), Err(Code::FormInvalid), "no such position in this form");
    assert_eq!(part(|p| p.position = "finger-left-ring".into()), Err(Code::FormInvalid), "of another modality");
    assert_eq!(part(|p| p.modality = "finger".into()), Err(Code::FormInvalid));
    assert_eq!(part(|p| p.media_type = "image/gif".into()), Err(Code::FormInvalid), "a media type that the form does not take");
    assert_eq!(part(|p| p.media_type = "image/png".into()), Err(Code::ImageInvalid), "a JPEG is no PNG");
    assert_eq!(part(|p| p.size = 1 << 30), Err(Code::ImageTooLarge));
    let twice = changed(form, Transaction::New, Kind::Complete, |c| c.parts.push(c.parts[0].clone()));
    assert_eq!(twice, Err(Code::FormInvalid));
    let (content, mut parts) = good(form, Transaction::New, Kind::Complete);
    parts[0].truncate(3);
    assert_eq!(code(form, &content, &parts), Err(Code::ImageCut));
    parts.pop();
    assert_eq!(code(form, &content, &parts), Err(Code::PartMissing));
    let iris = changed(&forms()[2], Transaction::New, Kind::Complete, |c| c.parts[0].position = "iris-left".into());
    assert_eq!(iris, Err(Code::FormInvalid), "no biometrics in a certificate");
}

#[test]
fn a_finger_of_too_low_a_resolution_is_refused() {
    let form = &forms()[0];
    let (mut content, mut parts) = good(form, Transaction::New, Kind::Complete);
    let at = content.parts.iter().position(|p| p.modality == "finger").expect("a finger");
    let phys = parts[at].windows(4).position(|w| w == b"pHYs").expect("says its resolution") + 4;
    // 200 dpi, with the chunk's checksum made again: CRC-32 of type and data (PNG section 5.5)
    for axis in [0, 4] {
        parts[at][phys + axis..phys + axis + 4].copy_from_slice(&7_874_u32.to_be_bytes());
    }
    let crc = parts[at][phys - 4..phys + 9]
        .iter()
        .fold(u32::MAX, |crc, &b| (0..8).fold(crc ^ u32::from(b), |c, _| if c & 1 == 1 { 0xEDB8_8320 ^ (c >> 1) } else { c >> 1 }));
    parts[at][phys + 9..phys + 13].copy_from_slice(&(!crc).to_be_bytes());
    content.parts[at].size = parts[at].len() as u64;
    assert_eq!(code(form, &content, &parts), Err(Code::ImageInvalid));
}

#[test]
fn consent_and_form_are_those_of_this_form() {
    let [id, permit, _] = &forms();
    assert_eq!(changed(id, Transaction::New, Kind::Complete, |c| c.consent.text = "9".into()), Err(Code::FormInvalid));
    let (content, parts) = good(permit, Transaction::New, Kind::Complete);
    assert_eq!(code(id, &content, &parts), Err(Code::FormInvalid));
}

#[test]
fn iris_parts_are_optional_where_biometrics_are_taken() {
    for form in &forms()[..2] {
        for transaction in form.transactions() {
            let (mut content, mut parts) = good(form, transaction, Kind::Complete);
            let mut part = content.parts[0].clone();
            (part.position, part.modality, part.name) = ("iris-left".into(), "iris".into(), "iris-left.jpg".parse().expect("name"));
            part.sha256 = crate::id::Digest::of(b"an eye");
            content.parts.push(part);
            parts.push(parts[0].clone());
            assert_eq!(code(form, &content, &parts), Ok(()), "{} {transaction}", form.name());
        }
    }
}

#[test]
fn a_fourth_form_is_only_a_file() {
    let form = Form::parse(include_bytes!("fourth.json")).expect("a good form");
    assert_eq!(form.name().as_str(), "driving-licence/2");
    assert_eq!(form.title().say(Lang::Fr), "Permis de conduire");
    assert_eq!(form.transactions().collect::<Vec<_>>(), [Transaction::New, Transaction::Correction]);
    let (content, parts) = good(&form, Transaction::New, Kind::Complete);
    assert_eq!(code(&form, &content, &parts), Ok(()));
    // its own rule between fields: who has category C has a medical certificate
    let with = |person: &[(&str, &str)]| {
        changed(&form, Transaction::New, Kind::Complete, |c| {
            c.person.extend(person.iter().map(|(k, v)| ((*k).to_owned(), Some((*v).to_owned()))));
        })
    };
    assert_eq!(with(&[("category", "C")]), Err(Code::FormInvalid));
    assert_eq!(with(&[("category", "C"), ("medical_until", "2027-03-01")]), Ok(()));
    assert_eq!(form.demands(Transaction::Renewal).map_err(|p| p.code), Err(Code::FormInvalid));
    let mut set = FormSet::default();
    let blob = form.blob();
    set.insert(form);
    let name: FormName = "driving-licence/2".parse().expect("name");
    assert!(set.find(&name, blob).is_ok());
    assert_eq!(set.find(&name, Blob::of(b"")).map(|_| ()).map_err(|p| p.code), Err(Code::FormUnknown));
}

fn file() -> Value {
    serde_json::from_slice(FIRST[0]).expect("JSON")
}

fn parsed(file: &Value) -> Result<(), Code> {
    Form::parse(&serde_json::to_vec(file).expect("JSON")).map(drop).map_err(|p| p.code)
}

#[test]
fn the_examples_of_the_specification_fit_together() {
    let example = |heading: &str| {
        let section = include_str!("../../SPEC.md").split_once(heading).expect("the section").1;
        section.split_once("```json\n").and_then(|(_, rest)| rest.split_once("```")).expect("its example").0.as_bytes()
    };
    let form = Form::parse(example("\n## 11. Form\n")).expect("a good form");
    let input = crate::draft::input::Input::parse(example("\n## 12. A resident's folder\n")).expect("a good resident.json");
    let face = Sample::new(7, tests::now(), Size::Tiny).resident(0, &forms()[2], Transaction::New).expect("sample");
    let files = [("face.jpg".parse().expect("name"), face.part("face").expect("a portrait").to_vec())].into();
    let (draft, parts) = input.into_draft(&form, files).expect("a good folder");
    assert!(draft.finish(&form, tests::facts(1), parts).is_ok());
}

proptest::proptest! {
    #[test]
    fn any_change_of_a_byte_of_a_form_is_read_or_refused(at in 0..FIRST[0].len(), byte in proptest::prelude::any::<u8>()) {
        let mut bytes = FIRST[0].to_vec();
        bytes[at] = byte;
        drop(Form::parse(&bytes));
    }
}

#[test]
fn everything_on_the_screen_is_there_in_three_languages() {
    let arabic = |s: &str| s.chars().any(|c| ('\u{600}'..='\u{6ff}').contains(&c));
    for form in &forms() {
        let labels = form.layout().iter().flat_map(|g| &g.fields).map(|f| form.label(f).expect("a label"));
        let groups = form.layout().iter().map(|g| &g.title);
        let consent = form.consent(form.newest_consent()).expect("a text");
        for words in labels.chain(groups).chain([form.title(), consent]) {
            let [ar, fr, en] = [Lang::Ar, Lang::Fr, Lang::En].map(|lang| words.say(lang));
            assert!(arabic(ar) && !arabic(fr) && !arabic(en) && fr.len() > 3 && en.len() > 2, "{words:?}");
        }
    }
}

#[test]
fn a_form_file_with_a_slip_is_refused() {
    let slips: [(&str, Value); 21] = [
        ("/colour", json!("green")),
        ("/transactions/new/field", json!([])),
        ("/schema/property", json!({})),
        ("/schema/additionalProperties", json!(true)),
        ("/schema/type", json!("array")),
        ("/schema/$ref", json!("https://registry.example/schema")),
        ("/schema/properties/sex/enums", json!(["f"])),
        ("/schema/properties/sex/type", json!("integer")),
        ("/schema/properties/sex/pattern", json!("([")),
        ("/schema/properties/sex/format", json!("gender")),
        ("/schema/properties/shoe", json!({"type": "string"})),
        ("/schema/allOf", json!([{"requires": ["sex"]}])),
        ("/labels/shoe", json!({"ar": "س", "fr": "s", "en": "s"})),
        ("/labels/sex", json!({"ar": "س", "fr": "s"})),
        ("/layout/0/fields", json!([])),
        ("/transactions/new/fields", json!(["shoe"])),
        ("/transactions/new/parts", json!(["face", "face"])),
        ("/transactions/new/exceptions", json!({"tired": ["finger"]})),
        ("/consent", json!({})),
        ("/positions", json!("both")),
        ("/parts/face/media_types", json!(["application/zip"])),
    ];
    assert_eq!(parsed(&file()), Ok(()));
    for (pointer, value) in slips {
        let mut file = file();
        let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
        file.pointer_mut(parent).and_then(Value::as_object_mut).expect("is there").insert(key.into(), value);
        assert_eq!(parsed(&file), Err(Code::FormFileInvalid), "{pointer}");
    }
    let mut later = file();
    later["format"] = json!("enroll-form/v2");
    assert_eq!(parsed(&later), Err(Code::UpgradeNeeded));
}

/// A record that a faulty unit made: the centre asks the same as the unit had to.
#[test]
fn cut_repeated_and_mistaken_images_are_refused_in_a_record() {
    let form = &forms()[0];
    let (content, parts) = good(form, Transaction::New, Kind::Complete);
    let at = |position: &str| content.parts.iter().position(|p| p.position == position).expect("is there");
    let (index, ring) = (at("finger-left-index"), at("finger-left-ring"));
    let with = |form: &Form, changed: usize, media_type: &str, bytes: &[u8]| {
        let (mut content, mut parts) = (content.clone(), parts.clone());
        parts[changed] = bytes.to_vec();
        let part = &mut content.parts[changed];
        (part.media_type, part.size, part.sha256) = (media_type.to_owned(), bytes.len() as u64, crate::id::Digest::of(bytes));
        form.check_on(&content, &parts, content.finished).map_err(|p| p.code)
    };
    assert_eq!(with(form, index, "image/png", &parts[index]), Ok(()));
    assert_eq!(with(form, index, "image/png", &parts[index][..parts[index].len() / 2]), Err(Code::ImageCut));
    assert_eq!(with(form, index, "image/png", &parts[ring]), Err(Code::PartRepeated));
    let head = [0, 0, 0, 30, 1, 1, 1, 0xf4, 1, 0xf4, 1, 0xf4, 1, 0xf4, 8, 0, 0, 0];
    let image = [&[0, 0, 0, 29, 9, 1, 1, 80, 0, 0, 3, 0, 5, 0][..], &[9; 15]].concat();
    let ring_finger = [&b"FIR\x00010\0\0\0\0\0\0\x3d"[..], &head, &image].concat();
    assert_eq!(with(form, ring, "image/iso19794-4", &ring_finger), Ok(()));
    assert_eq!(with(form, index, "image/iso19794-4", &ring_finger), Err(Code::PositionMismatch));
    for (positions, expected) in [("inside", Err(Code::PositionMismatch)), ("label", Ok(()))] {
        let mut file: Value = serde_json::from_slice(FIRST[0]).expect("JSON");
        file["positions"] = json!(positions);
        let form = Form::parse(file.to_string().as_bytes()).expect("a form");
        assert_eq!(with(&form, index, "image/iso19794-4", &ring_finger), expected, "{positions}");
    }
}

#[test]
fn a_form_file_of_hostile_shape_is_refused() {
    let code = |bytes: &[u8]| Form::parse(bytes).map(drop).map_err(|p| p.code);
    assert_eq!(code(b"[]"), Err(Code::FormFileInvalid));
    assert_eq!(code(b"{"), Err(Code::JsonMalformed));
    assert_eq!(code("[".repeat(100).as_bytes()), Err(Code::JsonTooDeep));
    assert_eq!(code(&vec![b' '; MAX_FORM + 1]), Err(Code::JsonTooLarge));
    let twice = String::from_utf8(FIRST[0].to_vec()).expect("UTF-8").replacen("\"pad\"", "\"pad\": 0, \"pad\"", 1);
    assert_eq!(code(twice.as_bytes()), Err(Code::JsonDuplicateKey));
}

#[test]
fn a_form_is_the_one_that_the_roster_names_or_none() {
    let form = &forms()[0];
    let wanted = FormRef { name: form.name().clone(), size: form.size(), blob: form.blob() };
    assert!(Form::named(&wanted, FIRST[0]).is_ok());
    assert_eq!(Form::named(&wanted, FIRST[1]).map(drop).map_err(|p| p.code), Err(Code::FormMismatch));
    let renamed = FormRef { name: "national-id/2".parse().expect("name"), ..wanted };
    assert_eq!(Form::named(&renamed, FIRST[0]).map(drop).map_err(|p| p.code), Err(Code::FormMismatch));
}
