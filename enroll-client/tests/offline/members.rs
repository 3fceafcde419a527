//! Passphrases that are changed and forgotten, and what only a supervisor may do.

use shared::roster::request::AgentRequest;

use super::{
    centre::Centre,
    unit::{PASSPHRASE, Unit, resident},
};

const OTHER: &str = "quite another passphrase";

fn with_passphrase(unit: &Unit, text: &str) {
    std::fs::write(unit.folder.path().join("passphrase"), text).unwrap();
}

#[test]
fn only_a_supervisor_reviews_withdraws_approves_and_lets_refused_records_go() {
    let mut centre = Centre::new();
    let unit = Unit::admitted(&mut centre);
    unit.enrol(1).done();
    for command in [
        &["review", "list"][..],
        &["review", "show", "1.1"],
        &["review", "withdraw", "1.1", "--reason", "other"],
        &["close"],
        &["prune", "--refused"],
    ] {
        unit.run_as("agent-007", command).refused("review-needed", 1);
    }
    assert!(unit.vault().unbatched().unwrap()[0].withdrawn.is_none());
    // the role that the vault says, without the keys that belong to it, opens nothing
    let db = rusqlite::Connection::open(unit.data().join("vault.db")).unwrap();
    db.execute("UPDATE members SET role = 'supervisor' WHERE name = 'agent-007'", []).unwrap();
    unit.run_as("agent-007", &["review", "list"]).refused("wrong-passphrase", 12);
    assert!(db.execute("UPDATE members SET role = 'Agent' WHERE name = 'agent-007'", []).is_err(), "one spelling");
}

#[test]
fn a_changed_passphrase_leaves_drafts_and_cards_readable() {
    let mut centre = Centre::new();
    let unit = Unit::admitted(&mut centre);
    let draft = unit.run(&["draft", "new", "residence-certificate/1"]).done()["draft"].as_str().unwrap().to_owned();
    unit.enrol(1).done();
    let new = unit.folder.path().join("new-passphrase");
    let change = |name: &str| unit.run(&["passphrase", "change", name, "--new-passphrase-file", new.to_str().unwrap()]);
    std::fs::write(&new, "short").unwrap();
    change("agent-007").refused("passphrase-weak", 12);
    change("agent-099").refused("wrong-passphrase", 12);
    std::fs::write(&new, OTHER).unwrap();
    with_passphrase(&unit, "a guess at it");
    change("agent-007").refused("wrong-passphrase", 12);
    with_passphrase(&unit, PASSPHRASE);
    unit.run(&["passphrase", "change", "agent-007"]).refused("session-needed", 12);
    let key = unit.member_key("agent-007");
    std::fs::write(&new, PASSPHRASE).unwrap();
    change("agent-007").refused("nothing-to-do", 4);
    std::fs::write(&new, OTHER).unwrap();
    change("agent-007").done();
    change("supervisor-003").done();
    unit.run(&["draft", "show", &draft]).refused("wrong-passphrase", 12);
    with_passphrase(&unit, OTHER);
    unit.run(&["draft", "show", &draft]).done();
    assert_eq!(unit.member_key("agent-007"), key, "the same keys: the centre has nothing to admit");
    let card = unit.run_as("supervisor-003", &["review", "show", "1.1"]);
    assert!(card.of("card").iter().any(|l| l["what"] == "name"), "{:?}", card.lines);
    unit.enrol(2).done();
    unit.run_as("supervisor-003", &["close"]).done();
}

#[test]
fn a_forgotten_passphrase_costs_drafts_and_never_a_finished_record() {
    let mut centre = Centre::new();
    let unit = Unit::admitted(&mut centre);
    unit.enrol(1).done();
    let drafts = [(); 2].map(|()| unit.run(&["draft", "new", "residence-certificate/1"]).done()["draft"].as_str().unwrap().to_owned());
    let old = unit.member_key("agent-007");
    with_passphrase(&unit, OTHER);
    unit.run(&["agent", "add", "agent-099", "--new-key"]).refused("wrong-passphrase", 12);
    let asked = unit.run(&["agent", "add", "agent-007", "--new-key"]);
    assert_eq!((&asked.of("lost")[0]["drafts"], &asked.of("lost")[0]["cards"]), (&2.into(), &0.into()), "named before");
    asked.refused("not-confirmed", 1);
    assert_eq!((unit.member_key("agent-007"), unit.vault().drafts().unwrap().len()), (old.clone(), 2), "nothing changed");
    let done = unit.run(&["agent", "add", "agent-007", "--new-key", "--yes"]).done();
    assert_eq!(done["fingerprint"], unit.member_key("agent-007").fingerprint());
    assert_ne!(unit.member_key("agent-007"), old);
    assert!(unit.vault().drafts().unwrap().is_empty());
    unit.run(&["draft", "show", &drafts[0]]).refused("draft-unknown", 1);
    unit.enrol(2).refused("agent-not-admitted", 1);
    let list = unit.run(&["agent", "list"]);
    assert_eq!(list.of("member")[0]["roster"], "admitted with another key");
    // what was finished under the old key is closed all the same
    with_passphrase(&unit, PASSPHRASE);
    unit.run_as("supervisor-003", &["close"]).done();
    assert_eq!(unit.batches()[0].0.facts().records().next().unwrap().key_id(), old.id());
    with_passphrase(&unit, OTHER);
    let request = AgentRequest::parse(&unit.handed("agent-007.request")).unwrap();
    assert_eq!(request.unit.map(|u| u.to_string()).as_deref(), Some("van-017"));
    centre.admit(&unit.handed("agent-007.request"));
    centre.keep(&old, 4_000_000_000);
    unit.take_roster(&mut centre);
    unit.enrol(2).done();
    assert!(unit.run(&["status"]).done()["notes"].to_string().contains(&format!("the old key agent-007+{}", old.id())));
}

#[test]
fn the_cards_that_a_forgetful_supervisor_alone_opened_are_named() {
    let mut centre = Centre::new();
    let unit = Unit::admitted(&mut centre);
    unit.enrol(1).done();
    unit.hire(&mut centre, "supervisor-004", &["--supervisor"]);
    unit.enrol(2).done();
    let lost = |name: &str| {
        let asked = unit.run(&["agent", "add", name, "--new-key"]);
        (asked.of("lost")[0]["cards"].clone(), asked.exit)
    };
    assert_eq!((lost("supervisor-003"), lost("supervisor-004")), ((1.into(), 1), (0.into(), 1)));
    unit.run(&["agent", "add", "supervisor-003", "--new-key", "--yes"]).done();
    let review = unit.run_as("supervisor-004", &["review", "list"]);
    let named: Vec<bool> = review.of("review").iter().map(|r| !r["name"].is_null()).collect();
    assert_eq!(named, [false, true], "one can only be looked at by its number now");
    assert_eq!(lost("supervisor-004").0, 1, "now they alone open the second");
    let closed = unit.run_as("supervisor-004", &["close"]).done();
    assert_eq!((&closed["records"], &closed["unseen"]), (&2.into(), &serde_json::json!(["1.1"])), "she is told what she could not look at");
}

/// A slip code that no screen has shown rests under the key of its agent: it is named, and does not haunt later commands.
#[test]
fn an_unshown_slip_code_goes_with_the_keys() {
    let mut centre = Centre::new();
    let unit = Unit::admitted(&mut centre);
    let folder = unit.resident("r", &resident(1));
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let enrol = ["enrol", "--yes", folder.to_str().unwrap()];
    unit.command(&enrol).stdout(full).stderr(std::process::Stdio::null()).status().unwrap();
    let done = unit.run(&["agent", "add", "agent-007", "--new-key", "--yes"]);
    assert_eq!(done.of("lost")[0]["slips"], 1);
    done.done();
    assert!(!unit.run(&["status"]).stderr.contains("slip code"));
    centre.admit(&unit.handed("agent-007.request"));
    unit.take_roster(&mut centre);
    let next = unit.run(&["draft", "new", "residence-certificate/1"]);
    assert!(next.of("warning").is_empty() && next.of("slip").is_empty(), "{:?}", next.lines);
}

#[test]
fn fingerprints_are_printed_to_compare_by_phone() {
    let centre = Centre::new();
    let unit = Unit::new(&centre);
    let list = unit.run(&["agent", "list"]);
    for member in list.of("member") {
        let key: shared::keys::VerifierKey = member["key"].as_str().unwrap().parse().unwrap();
        assert_eq!(member["fingerprint"], key.fingerprint());
    }
    assert_eq!(unit.run(&["status"]).done()["fingerprint"], unit.key().fingerprint());
    let mut plain = std::process::Command::new(env!("CARGO_BIN_EXE_enroll-client"));
    let told = plain.env_clear().arg("--data-dir").arg(unit.data()).arg("status").output().unwrap();
    assert!(String::from_utf8(told.stdout).unwrap().contains(&unit.key().fingerprint()));
}
