//! Drafts that change their mind, and drafts that nobody will finish.

use super::{centre::Centre, unit::Unit};

fn begin(unit: &Unit, arguments: &[&str]) -> String {
    unit.run(&[&["draft", "new"][..], arguments].concat()).done()["draft"].as_str().unwrap().to_owned()
}

#[test]
fn what_a_draft_says_is_taken_back() {
    let mut centre = Centre::new();
    let unit = Unit::admitted(&mut centre);
    let draft = begin(&unit, &["national-id/1"]);
    let ring = "finger-left-ring";
    unit.run(&["draft", "except", &draft, "missing", ring]).done();
    unit.run(&["draft", "except", &draft, "injured", ring]).done();
    let shown = unit.run(&["draft", "show", &draft]);
    let said: Vec<_> = shown.of("content").into_iter().filter(|row| row["what"] == ring).map(|row| row["value"].clone()).collect();
    assert_eq!(said, ["injured"], "the last reason counts");
    unit.run(&["draft", "unexcept", &draft, ring]).done();
    unit.run(&["draft", "unexcept", &draft, ring]).refused("nothing-to-do", 4);
    let document = begin(&unit, &["residence-certificate/1"]);
    let one = super::unit::resident(1);
    let (folder, part) = (unit.resident("r", &one), &one.input.parts[0]);
    let file = folder.join(part.file.as_str());
    unit.run(&["draft", "attach", &document, &part.position, file.to_str().unwrap()]).done();
    let missing = unit.run(&["draft", "detach", &document, &part.position]).done()["missing"].to_string();
    assert!(missing.contains(part.position.as_str()), "{missing}");
    unit.run(&["draft", "detach", &document, &part.position]).refused("nothing-to-do", 4);
    unit.run(&["draft", "attach", &document, &part.position, file.to_str().unwrap()]).done();
}

#[test]
fn whom_a_draft_applies_to_may_be_said_later() {
    let mut centre = Centre::new();
    let unit = Unit::admitted(&mut centre);
    let renewal = begin(&unit, &["national-id/1", "--transaction", "renewal"]);
    let count = |missing: &serde_json::Value| missing["missing"].as_array().unwrap().len();
    let before = count(&unit.run(&["draft", "show", &renewal]).done());
    let set = unit.run(&["draft", "set", &renewal, "--applies-to", "national-number:AB123456"]).done();
    assert_eq!(count(&set) + 1, before, "one thing less is missing");
    let new = begin(&unit, &["national-id/1"]);
    unit.run(&["draft", "set", &new, "--applies-to", "national-number:AB123456"]).refused("field-invalid", 1);
}

#[test]
fn a_supervisor_discards_the_draft_of_somebody_who_left() {
    let mut centre = Centre::new();
    let unit = Unit::admitted(&mut centre);
    let draft = begin(&unit, &["residence-certificate/1"]);
    let discard = ["draft", "discard", &draft, "--yes"];
    unit.run_as("supervisor-003", &discard).refused("draft-unknown", 1);
    centre.cut(&unit.member_key("agent-007"));
    unit.take_roster(&mut centre);
    unit.run_as("supervisor-003", &discard).done();
    assert!(unit.vault().drafts().unwrap().is_empty());
}

#[test]
fn a_draft_whose_key_is_gone_is_discarded() {
    let mut centre = Centre::new();
    let unit = Unit::admitted(&mut centre);
    let draft = begin(&unit, &["residence-certificate/1"]);
    let keys = unit.data().join("vault.keys");
    let length = std::fs::metadata(&keys).unwrap().len();
    std::fs::write(&keys, vec![0; usize::try_from(length).unwrap()]).unwrap();
    unit.run(&["draft", "show", &draft]).refused("key-file-damaged", 7);
    unit.run(&["draft", "discard", &draft, "--yes"]).done();
    assert!(unit.vault().drafts().unwrap().is_empty());
}

#[test]
fn one_bad_field_of_eight_keeps_the_other_seven() {
    let mut centre = Centre::new();
    let unit = Unit::admitted(&mut centre);
    let draft = begin(&unit, &["national-id/1"]);
    let fields = [
        "given_ar=إيطو",
        "family_ar=أمزيل",
        "given_latin=Itto",
        "family_latin=Amz1l",
        "sex=féminin",
        "date_of_birth=١٩٨٠-٠٥-١٧",
        "place_of_birth=Assilah",
        "address=Rue 4",
    ];
    let set = unit.run(&[&["draft", "set", &draft][..], &fields].concat());
    assert_eq!(set.exit, 3, "{:?} {}", set.lines, set.stderr);
    let warned: Vec<_> = set.of("warning").into_iter().map(|w| (w["code"].clone(), w["detail"].as_str().unwrap().to_owned())).collect();
    assert_eq!(warned.len(), 1, "{:?}", set.lines);
    assert!(warned[0].0 == "field-invalid" && warned[0].1.starts_with("family_latin: character 4 (U+0031)"), "{warned:?}");
    let shown = unit.run(&["draft", "show", &draft]);
    let values: Vec<_> = shown.of("content").into_iter().map(|row| row["value"].as_str().unwrap_or_default().to_owned()).collect();
    for value in ["إيطو", "Itto", "female (f)", "1980-05-17", "Assilah, Tanger-Assilah (01.511.01.01)", "Rue 4"] {
        assert!(values.iter().any(|v| v == value), "{value}: {values:?}");
    }
    assert!(values.iter().all(|v| !v.contains("Amz")));
    // alone it is an error, and says what it may have meant
    let one = unit.run(&["draft", "set", &draft, "place_of_birth=Rabat"]);
    assert!(one.stderr.contains("form codes national-id/1 place_of_birth") && one.stderr.contains("Rabat-Salé-Kénitra"), "{}", one.stderr);
    one.refused("field-invalid", 1);
    let kept = unit.run(&["draft", "show", &draft]);
    assert!(kept.of("content").iter().any(|row| row["value"] == "Assilah, Tanger-Assilah (01.511.01.01)"), "what was there stays");
}

#[test]
fn a_form_says_what_it_asks_for_and_codes_are_found_in_any_script() {
    let mut centre = Centre::new();
    let unit = Unit::admitted(&mut centre);
    assert_eq!(unit.run(&["form", "list"]).done()["forms"], 3);
    let shown = unit.run(&["form", "show", "residence-permit/1"]);
    let of = |kind: &str, key: &str, value: &str| shown.of(kind).into_iter().find(|row| row[key] == value).cloned().unwrap();
    assert_eq!(of("field", "field", "nationality")["asks"], "a code of country, unknown");
    assert!(of("field", "field", "nationality")["demanded_by"].as_str().unwrap().contains("new"));
    assert!(of("position", "position", "face")["demanded_by"].as_str().unwrap().contains("new"));
    assert!(of("list", "list", "place")["credit"].as_str().unwrap().contains("Haut-Commissariat au Plan"));
    assert!(!shown.of("exception").is_empty());
    let codes = |text: &[&str]| {
        let ran = unit.run(&[&["form", "codes", "national-id/1", "place_of_birth"][..], text].concat());
        ran.of("code").into_iter().map(|row| row["code"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    for text in [&["assilah"][..], &["أصيلة"], &["tanger", "assilah"], &["01.511.01.01"]] {
        assert!(codes(text).contains(&"01.511.01.01".to_owned()), "{text:?}");
    }
    assert!(codes(&[]).len() > 1_800);
    unit.run(&["form", "codes", "national-id/1", "address", "x"]).refused_nothing();
    unit.run(&["form", "codes", "national-id/1", "no_such_field", "x"]).refused("field-unknown", 1);
    unit.run(&["form", "show", "no-such-form/1"]).refused("form-unknown", 1);
}
