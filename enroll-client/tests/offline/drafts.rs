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
