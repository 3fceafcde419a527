//! A unit goes on under a new key: what is sealed and not closed keeps its lines, unless its numbers were given twice.

use enroll_client::vault::state::Standing;
use shared::{problem::Code, roster::request::UnitRequest, time::Second, verify::CheckedManifest};

use super::{
    centre::Centre,
    unit::{Unit, resident, take_roster},
};

/// The centre admits what lies in `unit.request`, and the unit hears of it.
fn admitted_anew(unit: &Unit, centre: &mut Centre) {
    centre.admit_unit(&unit.handed("unit.request"));
    unit.take_roster(centre);
}

/// Sealed bytes and record ids of what is not closed, whatever its numbers.
fn sealed(unit: &Unit) -> Vec<(String, Vec<u8>)> {
    let vault = unit.vault();
    let mut all: Vec<_> =
        vault.unbatched().unwrap().into_iter().map(|r| (r.record.to_string(), vault.sealed(r.number).unwrap().unwrap())).collect();
    all.sort();
    all
}

#[test]
fn a_unit_that_was_never_admitted_still_has_its_first_key_to_offer() {
    let unit = Unit::new(&Centre::new());
    let first = unit.handed("unit.request");
    std::fs::remove_file(unit.data().join("unit.request")).unwrap();
    unit.run(&["new-key"]).done();
    assert_eq!(UnitRequest::parse(&unit.handed("unit.request")).unwrap().key, UnitRequest::parse(&first).unwrap().key);
}

/// All keys of the laptop rested under its secret; what was finished rests under nobody's.
#[test]
fn a_lost_machine_secret_costs_every_key_and_no_finished_record() {
    let mut centre = Centre::new();
    let unit = Unit::admitted(&mut centre);
    unit.enrol(1).done();
    unit.run_as("supervisor-003", &["close"]).done();
    unit.enrol(2).done();
    unit.run(&["draft", "new", "residence-certificate/1"]).done();
    unit.run(&["new-key", "--machine-secret-lost"]).refused("usage", 2);
    std::fs::remove_file(unit.data().join("machine.secret")).unwrap();
    unit.run(&["new-key"]).refused("machine-secret-lost", 7);
    let asked = unit.run(&["new-key", "--machine-secret-lost"]);
    assert_eq!((&asked.of("lost")[0]["drafts"], &asked.of("lost")[0]["members"]), (&1.into(), &2.into()));
    asked.refused("not-confirmed", 1);
    assert!(!unit.data().join("machine.secret").exists(), "nothing was done");
    let old = ["agent-007", "supervisor-003"].map(|name| unit.member_key(name));
    unit.run(&["new-key", "--machine-secret-lost", "--yes"]).done();
    unit.run(&["draft", "new", "residence-certificate/1"]).refused("unit-not-admitted", 1);
    for name in ["agent-007", "supervisor-003"] {
        unit.run(&["agent", "add", name, "--new-key", "--yes"]).done();
        centre.admit(&unit.handed(&format!("{name}.request")));
    }
    for key in &old {
        centre.keep(key, 4_000_000_000);
    }
    admitted_anew(&unit, &mut centre);
    unit.enrol(3).done();
    unit.run_as("supervisor-003", &["close"]).done();
    assert_eq!(unit.lines(), [vec!["1.1"], vec!["1.2", "2.1"]]);
    let batches = unit.batches();
    assert_eq!(batches[1].0.facts().previous, Some(batches[0].0.id()));
    centre.open(&batches[1].0, &batches[1].1);
    assert!(unit.vault().drafts().unwrap().is_empty());
}

#[test]
fn under_a_new_key_what_is_not_closed_keeps_its_lines() {
    let mut centre = Centre::new();
    let unit = Unit::admitted(&mut centre);
    unit.enrol(1).done();
    unit.run_as("supervisor-003", &["close"]).done();
    unit.enrol(2).done();
    let (old, before) = (unit.key(), sealed(&unit));
    let made = unit.run(&["new-key"]).done();
    let request = UnitRequest::parse(&unit.handed("unit.request")).unwrap();
    assert_eq!(
        (made["key"].as_str().unwrap(), made["fingerprint"].as_str().unwrap()),
        (&*request.key.to_string(), &*request.key.fingerprint())
    );
    assert_eq!(unit.key(), old, "the old key goes on until the centre has admitted the new one");
    unit.enrol(3).done();
    admitted_anew(&unit, &mut centre);
    assert_eq!(unit.key(), request.key);
    let state = unit.vault().state().unwrap();
    assert_eq!((state.epoch, state.last_number, state.last_sequence, state.next), (Some(2), 0, 0, None));
    unit.enrol(4).done();
    assert_eq!(sealed(&unit).len(), before.len() + 2);
    unit.run(&["resign"]).refused("nothing-to-do", 4);
    unit.run_as("supervisor-003", &["close"]).done();
    assert_eq!(unit.lines(), [vec!["1.1"], vec!["1.2", "1.3", "2.1"]]);
    let batches = unit.batches();
    assert_eq!(batches[1].0.facts().place.to_string(), "2.1");
    assert_eq!(batches[1].0.facts().previous, Some(batches[0].0.id()), "chained to the last one of the older epoch");
    centre.open(&batches[1].0, &batches[1].1);
}

#[test]
fn a_new_key_whose_request_was_not_written_is_offered_again() {
    let mut centre = Centre::new();
    let unit = Unit::admitted(&mut centre);
    unit.run(&["new-key"]).done();
    let first = UnitRequest::parse(&unit.handed("unit.request")).unwrap().key;
    // as after a kill between the vault and the file
    std::fs::remove_file(unit.data().join("unit.request")).unwrap();
    unit.enrol(1).done();
    unit.run(&["new-key"]).done();
    assert_eq!(UnitRequest::parse(&unit.handed("unit.request")).unwrap().key, first, "the same key");
    // and where the file cannot be written, neither key is lost
    std::fs::remove_file(unit.data().join("unit.request")).unwrap();
    std::fs::create_dir(unit.data().join("unit.request")).unwrap();
    assert_eq!(unit.run(&["new-key"]).exit, 1);
    unit.enrol(2).done();
    std::fs::remove_dir(unit.data().join("unit.request")).unwrap();
    unit.run(&["new-key"]).done();
    admitted_anew(&unit, &mut centre);
    assert_eq!(unit.key(), first);
    unit.run_as("supervisor-003", &["close"]).done();
    assert_eq!(unit.lines(), [["1.1", "1.2"]]);
}

/// The vault was put back to an older copy: each agent signs what they had finished again, under fresh numbers.
#[test]
fn a_rewound_vault_has_its_open_records_signed_again_by_their_agents() {
    let mut centre = Centre::new();
    let unit = Unit::admitted(&mut centre);
    unit.hire(&mut centre, "agent-008", &[]);
    for (who, n) in [("agent-007", 1), ("agent-008", 2), ("agent-007", 3), ("agent-007", 4)] {
        unit.enrol_as(who, n).done();
    }
    unit.run_as("supervisor-003", &["review", "withdraw", "1.4", "--reason", "captured-twice"]).done();
    let before = sealed(&unit);
    unit.vault().stand(Standing::Rewound, Second::from_unix(1_790_000_000)).unwrap();
    let made = unit.run(&["new-key"]).done();
    assert_eq!(made["sign_again"], true);
    unit.run_as("agent-007", &["resign"]).refused("vault-rewound", 1);
    admitted_anew(&unit, &mut centre);
    let status = unit.run(&["status"]).done();
    assert_eq!(status["unsigned"], serde_json::json!({"agent-007": 2, "agent-008": 1}));
    assert!(status["notes"].to_string().contains("--as agent-008 resign"));
    let first = unit.run_as("agent-007", &["resign"]);
    assert_eq!((first.exit, &first.last()["signed"], &first.last()["waiting"]), (3, &2.into(), &serde_json::json!({"agent-008": 1})));
    assert_eq!(unit.run_as("agent-007", &["resign"]).exit, 4, "nothing of theirs waits any more");
    let doctor = unit.run(&["doctor"]);
    assert!(doctor.of("check").iter().any(|c| c["what"] == "signatures" && c["finding"] == "warning"));
    let closed = unit.run_as("supervisor-003", &["close"]);
    assert_eq!((closed.exit, &closed.last()["records"]), (3, &3.into()), "{:?}", closed.lines);
    assert_eq!(closed.last()["unsigned"], serde_json::json!([{"number": "1.2", "agent": "agent-008"}]));
    assert_eq!(closed.of("warning")[0]["code"], "session-needed");
    unit.run_as("supervisor-003", &["close"]).refused("session-needed", 12);
    unit.run_as("agent-008", &["resign"]).done();
    unit.run_as("supervisor-003", &["close"]).done();
    // the withdrawn one got its number first, at once; nothing bears a number of the older epoch
    assert_eq!(unit.lines(), [vec!["2.1 withdrawn", "2.2", "2.3"], vec!["2.4"]]);
    let rosters = unit.vault().rosters().unwrap();
    for (manifest, payload) in unit.batches() {
        centre.open(&manifest, &payload);
        CheckedManifest::check(manifest, rosters.as_slice()).unwrap();
    }
    let ids: Vec<String> = before.into_iter().map(|(id, _)| id).collect();
    assert!(unit.vault().records().unwrap().iter().all(|r| ids.contains(&r.record.to_string())), "the same records");
}

/// Whoever knows that a copy was put back says so before the centre does.
#[test]
fn a_copy_that_was_put_back_is_said_by_hand() {
    let mut centre = Centre::new();
    let unit = Unit::admitted(&mut centre);
    unit.enrol(1).done();
    unit.run(&["new-key", "--restored"]).done();
    unit.enrol(2).refused("vault-rewound", 1);
    admitted_anew(&unit, &mut centre);
    assert_eq!(unit.run_as("supervisor-003", &["close"]).exit, 12, "its number may have been given twice");
    unit.run(&["resign"]).done();
    unit.run_as("supervisor-003", &["close"]).done();
    assert_eq!(unit.lines(), [["2.1"]]);
}

/// A supervisor may withdraw a record whose agent does not come any more: nobody else has to sign that.
#[test]
fn what_waits_for_an_agent_who_left_is_withdrawn() {
    let mut centre = Centre::new();
    let unit = Unit::admitted(&mut centre);
    for n in 1..=3 {
        unit.enrol(n).done();
    }
    unit.run(&["new-key", "--restored"]).done();
    admitted_anew(&unit, &mut centre);
    unit.run_as("agent-007", &["review", "withdraw", "1.1", "--reason", "other"]).refused("review-needed", 1);
    assert_eq!(
        unit.run_as("supervisor-003", &["review", "withdraw", "1.1", "--reason", "other"]).done()["withdrawn"],
        serde_json::json!(["2.1"])
    );
    // all of them by the command that status, doctor and close name
    let command = "review withdraw --unsigned-of agent-007 --reason other";
    assert!(unit.run(&["status"]).last()["notes"].to_string().contains(command));
    assert!(unit.run(&["doctor"]).of("check").iter().any(|c| c["said"].to_string().contains(command)));
    let closed = unit.run_as("supervisor-003", &["close"]);
    assert!(closed.of("warning").len() == 1 && closed.of("warning")[0]["detail"].to_string().contains(command), "{:?}", closed.lines);
    let all: Vec<&str> = command.split(' ').collect();
    assert_eq!(unit.run_as("supervisor-003", &all).done()["withdrawn"], serde_json::json!(["2.2", "2.3"]));
    unit.run_as("supervisor-003", &all).refused("nothing-to-do", 4);
    unit.run_as("supervisor-003", &["close"]).done();
    assert_eq!(unit.lines().concat(), ["2.1 withdrawn", "2.2 withdrawn", "2.3 withdrawn"]);
}

/// Somebody who can write to the vault has an agent sign for bytes that they never saw.
#[test]
fn an_agent_signs_only_again_what_they_had_signed() {
    let mut centre = Centre::new();
    let unit = Unit::admitted(&mut centre);
    unit.hire(&mut centre, "agent-008", &[]);
    unit.enrol_as("agent-007", 1).done();
    unit.enrol_as("agent-008", 2).done();
    unit.run(&["new-key", "--restored"]).done();
    admitted_anew(&unit, &mut centre);
    let db = rusqlite::Connection::open(unit.data().join("vault.db")).unwrap();
    db.execute("UPDATE records SET agent = 'agent-007' WHERE agent = 'agent-008'", []).unwrap();
    unit.run_as("agent-007", &["resign"]).refused("vault-damaged", 7);
    assert_eq!(unit.vault().to_sign_again().unwrap().len(), 2, "all or nothing");
}

#[test]
fn the_same_name_on_new_hardware_begins_its_own_epoch() {
    let mut centre = Centre::new();
    let old = Unit::admitted(&mut centre);
    old.enrol(1).done();
    old.run_as("supervisor-003", &["close"]).done();
    let new = Unit::new(&centre);
    take_roster(&mut centre, &[&old, &new]);
    new.run(&["draft", "new", "residence-certificate/1"]).refused("unit-not-admitted", 1);
    centre.admit_unit(&new.handed("unit.request"));
    centre.cut(&old.key());
    for name in ["agent-007", "supervisor-003"] {
        centre.admit(&new.handed(&format!("{name}.request")));
    }
    take_roster(&mut centre, &[&old, &new]);
    new.enrol(1).done();
    new.run_as("supervisor-003", &["close"]).done();
    let (manifest, payload) = new.batches().remove(0);
    assert_eq!((manifest.facts().place.to_string(), manifest.facts().previous), ("2.1".to_owned(), None));
    assert_eq!(new.lines(), [["2.1"]]);
    centre.open(&manifest, &payload);
    // the old laptop keeps its own epoch, and knows that it has ended
    assert_eq!(old.vault().state().unwrap().epoch, Some(1));
    old.enrol(2).refused("revoked", 1);
}

#[test]
fn a_closed_batch_of_the_older_epoch_still_goes_first() {
    let mut centre = Centre::new();
    let unit = Unit::admitted(&mut centre);
    unit.enrol(1).done();
    unit.run_as("supervisor-003", &["close"]).done();
    unit.run(&["new-key"]).done();
    admitted_anew(&unit, &mut centre);
    unit.enrol(2).done();
    unit.run_as("supervisor-003", &["close"]).done();
    let waiting: Vec<String> = unit.vault().waiting().unwrap().iter().map(|b| b.place.to_string()).collect();
    assert_eq!(waiting, ["1.1", "2.1"]);
}

/// A second agent's key on another laptop bears the same name, and is not taken here.
#[test]
fn a_key_that_lies_on_another_laptop_is_not_admitted_here() {
    let mut centre = Centre::new();
    let unit = Unit::admitted(&mut centre);
    unit.enrol(1).done();
    let van: shared::id::Member = "van-018".parse().unwrap();
    centre.facts.agents[0].unit = Some(van);
    unit.take_roster(&mut centre);
    let folder = unit.resident("r", &resident(2));
    let refused = unit.run(&["enrol", "--yes", folder.to_str().unwrap()]);
    assert!(refused.last()["detail"].as_str().unwrap().contains("van-018 only"), "{:?}", refused.lines);
    refused.refused(Code::AgentNotAdmitted.row().code, 1);
}
