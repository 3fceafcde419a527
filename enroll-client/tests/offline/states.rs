//! Every state in which a unit or its people may not capture: said early, with its code, and with a way out that works.

use enroll_client::vault::state::Standing;
use shared::time::Second;

use super::{
    centre::Centre,
    unit::{Unit, resident},
};

/// Commands that begin, fill in or end a capture, or sign for one.
fn capturing(unit: &Unit, draft: &str) -> Vec<Vec<String>> {
    let folder = unit.resident("waiting", &resident(9)).display().to_string();
    [
        &["draft", "new", "residence-certificate/1"][..],
        &["draft", "set", draft, "sex=f"],
        &["enrol", "--yes", &folder],
        &["finish", draft, "--yes"],
        &["resign"],
    ]
    .map(|c| c.iter().map(|w| (*w).to_owned()).collect())
    .to_vec()
}

/// Each capturing command is refused with this code before a passphrase is asked for, and its text names the way out.
fn refuses_early(unit: &Unit, draft: &str, code: &str, way_out: &str) {
    let passphrase = unit.folder.path().join("passphrase");
    let right = std::fs::read(&passphrase).unwrap();
    std::fs::write(&passphrase, "not the passphrase of anybody").unwrap();
    for command in capturing(unit, draft) {
        let ran = unit.run(&command.iter().map(String::as_str).collect::<Vec<_>>());
        assert!(ran.last()["next"].as_str().is_some_and(|next| next.contains(way_out)), "{command:?} {:?}", ran.lines);
        ran.refused(code, 1);
    }
    std::fs::write(&passphrase, right).unwrap();
}

fn draft(unit: &Unit) -> String {
    unit.run(&["draft", "new", "residence-certificate/1"]).done()["draft"].as_str().unwrap().to_owned()
}

#[test]
fn a_revoked_unit_captures_nothing_until_it_has_a_new_key() {
    let mut centre = Centre::new();
    let unit = Unit::admitted(&mut centre);
    let draft = draft(&unit);
    unit.enrol(1).done();
    centre.cut(&unit.key());
    unit.take_roster(&mut centre);
    refuses_early(&unit, &draft, "revoked", "enroll-client new-key");
    unit.run_as("supervisor-003", &["close"]).refused("revoked", 1);
    unit.run(&["prune"]).refused("revoked", 1);
    let status = unit.run(&["status"]);
    assert!(status.of("warning").iter().any(|w| w["code"] == "revoked"), "{:?}", status.lines);
    assert_eq!((status.exit, &status.last()["capture"]), (1, &"revoked".into()));
    assert_eq!(unit.run(&["doctor"]).exit, 7);
    // reading goes on, and a draft may still be thrown away
    unit.run(&["draft", "show", &draft]).done();
    unit.run(&["new-key"]).done();
    centre.admit_unit(&unit.handed("unit.request"));
    unit.take_roster(&mut centre);
    unit.run(&["draft", "set", &draft, "sex=f"]).done();
    unit.enrol(2).done();
    unit.run_as("supervisor-003", &["close"]).done();
    assert_eq!(unit.lines(), [["1.1", "2.1"]]);
}

#[test]
fn what_the_centre_says_of_the_key_stops_capture_until_there_is_another() {
    for (standing, code) in [(Standing::Frozen, "frozen"), (Standing::Rewound, "vault-rewound"), (Standing::EpochNeeded, "epoch-needed")] {
        let mut centre = Centre::new();
        let unit = Unit::admitted(&mut centre);
        let draft = draft(&unit);
        unit.vault().stand(standing, Second::from_unix(1_790_000_000)).unwrap();
        refuses_early(&unit, &draft, code, "enroll-client new-key");
        unit.run_as("supervisor-003", &["close"]).refused(code, 1);
        unit.run(&["prune"]).refused(code, 1);
        let status = unit.run(&["status"]);
        assert!(status.of("warning").iter().any(|w| w["code"] == code), "{:?}", status.lines);
        unit.run(&["new-key"]).done();
        unit.run(&["draft", "new", "residence-certificate/1"]).refused(code, 1);
        assert!(unit.run(&["status"]).last()["notes"].to_string().contains("a new key waits"), "{code}");
        centre.admit_unit(&unit.handed("unit.request"));
        unit.take_roster(&mut centre);
        unit.run(&["draft", "set", &draft, "sex=f"]).done();
        assert_eq!(unit.run(&["status"]).done()["capture"], "ok");
    }
}

#[test]
fn an_expired_roster_stops_capture_and_a_newer_one_is_the_way_out() {
    let mut centre = Centre::new();
    let unit = Unit::admitted(&mut centre);
    let draft = draft(&unit);
    unit.enrol(1).done();
    let mut expire = |days: i64| {
        centre.facts.expires = Second::from_unix(enroll_client::clock::now().unix() + days * 86_400);
        centre.facts.grace = 10 * 86_400;
        unit.take_roster(&mut centre);
        let status = unit.run(&["status"]).last().clone();
        let doctor = unit.run(&["doctor"]);
        let roster = doctor.of("check").into_iter().find(|c| c["what"] == "roster").unwrap().clone();
        (status["notes"].to_string(), status["capture"].clone(), roster["finding"].clone())
    };
    assert_eq!(expire(8), ("[]".to_owned(), "ok".into(), "good".into()));
    let (notes, capture, finding) = expire(6);
    assert!(notes.contains("the roster expires") && notes.contains("roster import"), "{notes}");
    assert_eq!((capture, finding), ("ok".into(), "warning".into()));
    let (notes, capture, finding) = expire(-2);
    assert!(notes.contains("past its date"), "{notes}");
    assert_eq!((capture, finding), ("ok".into(), "warning".into()));
    assert_eq!(expire(-11).1, "roster-expired");
    refuses_early(&unit, &draft, "roster-expired", "enroll-client roster import FILE");
    unit.run(&["prune"]).refused("roster-expired", 1);
    assert_eq!(unit.run(&["doctor"]).exit, 7);
    assert_eq!(unit.run_as("supervisor-003", &["close"]).done()["records"], 1, "what was finished in time is closed");
    assert_eq!(expire(90).1, "ok");
    unit.run(&["draft", "set", &draft, "sex=f"]).done();
}

#[test]
fn a_revoked_agent_captures_nothing_and_others_go_on() {
    let mut centre = Centre::new();
    let unit = Unit::admitted(&mut centre);
    unit.hire(&mut centre, "agent-008", &[]);
    unit.enrol_as("agent-007", 1).done();
    centre.cut(&unit.member_key("agent-007"));
    unit.take_roster(&mut centre);
    unit.run_as("agent-007", &["draft", "new", "residence-certificate/1"]).refused("agent-revoked", 1);
    unit.enrol_as("agent-007", 2).refused("agent-revoked", 1);
    unit.enrol_as("agent-008", 3).done();
    let list = unit.run(&["agent", "list"]);
    assert_eq!(list.of("member").iter().map(|m| m["roster"].as_str().unwrap()).collect::<Vec<_>>(), ["revoked", "admitted", "admitted"]);
    unit.run_as("supervisor-003", &["close"]).done();
    assert_eq!(unit.lines(), [["1.1", "1.2"]], "their finished work is handed in; the centre decides");
    centre.cut(&unit.member_key("supervisor-003"));
    unit.take_roster(&mut centre);
    unit.enrol_as("agent-008", 4).done();
    unit.run_as("supervisor-003", &["close"]).refused("agent-revoked", 1);
}

#[test]
fn a_key_that_was_replaced_goes_on_until_its_time_and_everybody_is_told() {
    let mut centre = Centre::new();
    let unit = Unit::admitted(&mut centre);
    let now = enroll_client::clock::now().unix();
    // the same name on another laptop; this one is still on the road
    let other = Unit::new(&centre);
    centre.admit_unit(&other.handed("unit.request"));
    centre.keep(&unit.key(), now + 86_400);
    unit.take_roster(&mut centre);
    unit.enrol(1).done();
    let status = unit.run(&["status"]).done();
    assert!(status["notes"].to_string().contains("goes on until"), "{status}");
    assert_eq!(status["kept"].as_array().unwrap().len(), 1);
    let doctor = unit.run(&["doctor"]);
    assert!(doctor.of("check").iter().any(|c| c["what"] == "admission" && c["finding"] == "warning"), "{:?}", doctor.lines);
    centre.facts.kept[0].until = Second::from_unix(now - 1);
    unit.take_roster(&mut centre);
    unit.enrol(2).refused("revoked", 1);
    unit.run_as("supervisor-003", &["close"]).refused("revoked", 1);
}

#[test]
fn a_laptop_that_moves_to_another_region_goes_on() {
    let mut centre = Centre::new();
    let unit = Unit::admitted(&mut centre);
    unit.enrol(1).done();
    centre.facts.units[0].region = "07".into();
    unit.take_roster(&mut centre);
    unit.enrol(2).done();
    unit.run_as("supervisor-003", &["close"]).done();
    assert_eq!(unit.lines(), [["1.1", "1.2"]]);
}
