//! Keys and their lives.

use serde_json::Value;
use shared::{keys::KeyRef, roster::Role};

use super::{
    centre::{Centre, signer},
    van::Van,
};

fn id(name: &str, seed: u8) -> String {
    signer(name, seed).public().id().to_string()
}

fn state<'a>(lines: &[&'a Value], key: &str) -> &'a Value {
    lines.iter().find(|line| line["key_id"] == key).map(|line| &line["state"]).expect("listed")
}

#[test]
fn a_request_for_another_role_is_refused_by_each_command() {
    let centre = Centre::founded();
    let size = centre.log_size();
    let van = centre.unit_request("van-1", 1);
    let agent = centre.person_request(Role::Agent, "agent-1", 1, Some("van-1"));
    let supervisor = centre.person_request(Role::Supervisor, "supervisor-1", 1, Some("van-1"));
    let adjudicator = centre.person_request(Role::Adjudicator, "amina", 1, None);
    for args in [
        &["unit", "admit", &agent][..],
        &["agent", "admit", &van],
        &["agent", "admit", &supervisor],
        &["agent", "admit", &adjudicator],
        &["supervisor", "admit", &agent],
        &["staff", "admit", &agent, "--role", "adjudicator"],
        &["staff", "admit", &adjudicator, "--role", "administrator"],
        &["staff", "admit", &van, "--role", "carrier"],
    ] {
        centre.refused("role-wrong", args);
    }
    assert_eq!(centre.log_size(), size, "nothing was published");
    centre.ok(&["unit", "admit", &van]);
    centre.refused("role-wrong", &["agent", "admit", &centre.person_request(Role::Agent, "van-1", 9, None)]);
    let admitted = centre.ok(&["staff", "admit", &adjudicator, "--role", "adjudicator"]);
    assert_eq!(admitted.last()["fingerprint"], signer("amina", 1).public().fingerprint());
}

#[test]
fn a_new_key_says_what_becomes_of_the_old_one() {
    let centre = Centre::founded();
    centre.ok(&["unit", "admit", &centre.unit_request("van-1", 1), "--region", "04", "--alone"]);
    let second = centre.unit_request("van-1", 2);
    let refused = centre.refused("key-choice", &["unit", "admit", &second]);
    assert!(refused.last()["detail"].as_str().is_some_and(|d| d.contains(&id("van-1", 1))), "{:?}", refused.last());
    centre.refused("key-choice", &["unit", "admit", &second, "--new-key"]);
    centre.refused("key-choice", &["unit", "admit", &second, "--new-key", "--cut-old", "--keep-old"]);
    assert_eq!(centre.ask(&["unit", "admit", &second, "--cut-old"]).exit, Some(2), "for a new key only");
    let cut = centre.ok(&["unit", "admit", &second, "--new-key", "--cut-old"]);
    assert_eq!((&cut.last()["epoch"], &cut.last()["cut"][0]), (&2.into(), &KeyRef::from(signer("van-1", 1).public()).to_string().into()));
    centre.refused("nothing-to-do", &["unit", "admit", &second]);
    centre.refused("revoked", &["unit", "admit", &centre.unit_request("van-1", 1), "--new-key", "--cut-old"]);
    let kept = centre.ok(&["unit", "admit", &centre.unit_request("van-1", 3), "--new-key", "--keep-old"]);
    assert_eq!(kept.last()["kept"].as_array().map(Vec::len), Some(1), "what is cut is not kept");
    let others: Vec<_> = kept.last()["others"].as_array().into_iter().flatten().map(|other| other["state"].clone()).collect();
    assert_eq!(others, ["cut", "kept"], "whoever admits sees whom the name has had");
    let list = centre.ok(&["unit", "list"]);
    let units = list.of("unit");
    assert_eq!(units.len(), 3, "every key that ever was");
    for (seed, expected) in [(1, "cut"), (2, "kept"), (3, "active")] {
        assert_eq!(state(&units, &id("van-1", seed)), expected, "key {seed}");
    }
    let newest = units.iter().find(|u| u["epoch"] == 3).expect("the newest");
    assert_eq!((&newest["region"], &newest["alone"]), (&"04".into(), &true.into()), "they go over to the new epoch");
    let first = units.iter().find(|u| u["epoch"] == 1).expect("the first");
    assert_eq!((&first["reason"], &first["fingerprint"]), (&"replaced".into(), &signer("van-1", 1).public().fingerprint().into()));
    assert!(first["admitted"]["time"].is_string() && first["since"].is_string(), "{first}");
}

#[test]
fn one_name_a_key_on_each_laptop_and_one_key_one_name() {
    let centre = Centre::founded();
    centre.peopled();
    let at = |seed, van| centre.person_request(Role::Agent, "agent-7", seed, Some(van));
    centre.ok(&["agent", "admit", &at(1, "van-1")]);
    let second = centre.ok(&["agent", "admit", &at(2, "van-2")]);
    let others = &second.last()["others"];
    assert_eq!((&others[0]["unit"], &others[0]["state"]), (&"van-1".into(), &"active".into()), "a key of hers goes on elsewhere");
    centre.refused("key-choice", &["agent", "admit", &at(3, "van-1")]);
    let replaced = centre.ok(&["agent", "admit", &at(3, "van-1"), "--new-key", "--cut-old"]);
    assert_eq!(replaced.last()["cut"].as_array().map(Vec::len), Some(1));
    let list = centre.ok(&["agent", "list"]);
    let agents = list.of("agent");
    for (seed, expected, van) in [(1, "cut", "van-1"), (2, "active", "van-2"), (3, "active", "van-1")] {
        let line = agents.iter().find(|line| line["key_id"] == id("agent-7", seed)).expect("listed");
        assert_eq!((&line["state"], &line["unit"]), (&expected.into(), &van.into()), "key {seed}");
    }
    // the same secret under another name
    let borrowed = shared::keys::Signer::from_seed("agent-8".parse().expect("name"), shared::id::Digest::of(b"agent-7 2").as_bytes());
    let request = shared::roster::request::AgentRequest {
        role: Role::Agent,
        name: super::centre::member("agent-8"),
        unit: None,
        key: borrowed.public().clone(),
        recipient: None,
    };
    let path = centre.path("borrowed.request");
    std::fs::write(&path, request.sign(&borrowed).as_bytes()).expect("written");
    let refused = centre.refused("key-wrong", &["agent", "admit", &path.display().to_string()]);
    assert!(refused.last()["detail"].as_str().is_some_and(|d| d.contains("agent-7")));
}

#[test]
fn who_has_had_several_keys_is_revoked_by_key_or_whole() {
    let centre = Centre::founded();
    centre.peopled();
    centre.ok(&["unit", "admit", &centre.unit_request("van-1", 2), "--new-key", "--keep-old"]);
    let refused = centre.refused("key-choice", &["unit", "revoke", "van-1"]);
    let listed: Vec<_> = refused.of("key").iter().map(|line| line["key_id"].as_str().expect("an id").to_owned()).collect();
    assert_eq!(listed.len(), 2);
    assert!(listed.contains(&id("van-1", 1)) && listed.contains(&id("van-1", 2)));
    centre.refused("not-found", &["unit", "revoke", "van-1", "--key", "00000000"]);
    centre.refused("not-found", &["agent", "revoke", "van-1", "--all"]);
    centre.refused("not-found", &["agent", "revoke", "supervisor-1"]);
    // the old one can be ended after its replacement was admitted
    let ended = centre.ok(&["unit", "revoke", "van-1", "--key", &id("van-1", 1), "--reason", "stolen", "--yes"]);
    assert_eq!(ended.last()["keys"].as_array().map(Vec::len), Some(1));
    let list = centre.ok(&["unit", "list"]);
    assert_eq!(state(&list.of("unit"), &id("van-1", 2)), "active");
    let all = centre.ok(&["unit", "revoke", "van-1", "--all", "--yes"]);
    assert_eq!(all.last()["keys"].as_array().map(Vec::len), Some(1), "the other was ended before");
    centre.refused("nothing-to-do", &["unit", "revoke", "van-1", "--all", "--yes"]);
    assert_eq!(centre.ok(&["fsck"]).last()["fsck"], "clean");
}

#[test]
fn a_cut_moves_to_earlier_and_never_to_later() {
    let centre = Centre::founded();
    centre.peopled();
    let past = centre.ok(&["unit", "list"]).of("unit")[0]["admitted"]["time"].as_str().expect("a time").to_owned();
    let size = centre.log_size();
    let first = centre.ask(&["agent", "revoke", "agent-1", "--yes"]);
    assert_eq!(first.exit, Some(0));
    assert!(first.told.contains("from now on"), "without a terminal it says what it takes: {}", first.told);
    assert_eq!(first.last()["cut"], size);
    centre.refused("nothing-to-do", &["agent", "revoke", "agent-1", "--cut", &size.to_string(), "--yes"]);
    centre.refused("nothing-to-do", &["agent", "revoke", "agent-1", "--since", "now", "--yes"]);
    centre.refused("usage", &["agent", "revoke", "agent-1", "--since", "2999-01-01T00:00:00Z"]);
    assert_eq!(centre.ask(&["agent", "revoke", "agent-1", "--since", "yesterday"]).exit, Some(2));
    let earlier = centre.ok(&["agent", "revoke", "agent-1", "--since", &past, "--reason", "stolen", "--yes"]);
    assert!(earlier.last()["cut"].as_u64() < Some(size));
    let list = centre.ok(&["agent", "list"]);
    let agent = list.of("agent").into_iter().find(|line| line["name"] == "agent-1").expect("listed").clone();
    assert_eq!((&agent["state"], &agent["reason"]), (&"cut".into(), &"stolen".into()));
}

#[test]
fn what_a_key_has_merged_since_is_shown_before_it_ends() {
    let centre = Centre::founded();
    centre.peopled();
    let mut van = Van::new("van-1", centre.roster());
    van.enrol(1, None);
    van.enrol(2, None);
    let since = centre.log_size();
    centre.log(&[van.close()]);
    centre.merge();
    let revoked = centre.ok(&["unit", "revoke", "van-1", "--cut", &since.to_string(), "--reason", "stolen", "--yes"]);
    let signed = revoked.of("signed")[0];
    assert_eq!(signed["merged"][0], serde_json::json!({ "unit": "van-1", "batches": 1, "records": 2 }), "{signed}");
    centre.merge();
    assert_eq!(centre.ok(&["fsck"]).last()["merged"], 0, "it was taken out");
}

#[test]
fn a_laptop_moves_and_works_alone() {
    let centre = Centre::founded();
    centre.peopled();
    centre.refused("not-found", &["unit", "move", "agent-1", "--region", "07"]);
    assert_eq!(centre.ask(&["unit", "move", "van-1", "--region", "No Such"]).exit, Some(2));
    centre.ok(&["unit", "move", "van-1", "--region", "07"]);
    centre.refused("nothing-to-do", &["unit", "move", "van-1", "--region", "07"]);
    centre.ok(&["unit", "alone", "van-1", "yes"]);
    let list = centre.ok(&["unit", "list"]);
    let van = list.of("unit")[0];
    assert_eq!((&van["region"], &van["alone"], &van["epoch"]), (&"07".into(), &true.into(), &1.into()));
}

#[test]
fn rules_are_published_and_said() {
    let centre = Centre::founded();
    let rules = ["--renewals", "apply", "--unknown-targets", "found", "--amend", "7", "--persons", "two", "--approval", "none"];
    centre.ok(&[&["roster", "publish"][..], &rules].concat());
    let note = centre.ok(&["roster", "show"]).last()["note"].as_str().expect("text").to_owned();
    for line in ["approval none", "renewals apply", "unknown-targets found", "amend 604800", "persons two"] {
        assert!(note.contains(&format!("\n{line}\n")), "{line}");
    }
    assert_eq!(centre.ask(&["roster", "publish", "--approval", "24h"]).exit, Some(2));
    assert_eq!(centre.ask(&["roster", "publish", "--persons", "three"]).exit, Some(2));
}

#[test]
fn staff_make_their_own_keys() {
    let centre = Centre::founded();
    let (key, pass) = (centre.text("amina.key"), centre.text("staff-pass"));
    let add = ["staff", "add", "amina", "--role", "adjudicator", "--key", &key, "--passphrase-file", &pass];
    let made = centre.ok(&add);
    assert!(std::fs::read(centre.path("amina.key")).expect("made").starts_with(b"age-encryption.org/v1"), "under its passphrase");
    centre.refused("already-initialised", &add);
    let weak = centre.path("weak");
    std::fs::write(&weak, "short\n").expect("written");
    let weak = weak.display().to_string();
    let other = centre.text("other.key");
    centre.refused("passphrase-weak", &["staff", "add", "other", "--role", "adjudicator", "--key", &other, "--passphrase-file", &weak]);
    assert!(!centre.path("other.key").exists() && !centre.path("other.request").exists());
    let request = made.last()["request"].as_str().expect("a file").to_owned();
    let admitted = centre.ok(&["staff", "admit", &request, "--role", "adjudicator"]);
    assert_eq!(admitted.last()["fingerprint"], made.last()["fingerprint"], "what two people compare by phone");
    let list = centre.ok(&["staff", "list"]);
    assert_eq!((&list.of("staff")[0]["role"], &list.of("staff")[0]["state"]), (&"adjudicator".into(), &"active".into()));
    // a second key of hers: its request has a name of its own
    let again = ["staff", "add", "amina", "--role", "adjudicator", "--key", &centre.text("second.key"), "--passphrase-file", &pass];
    let again = centre.ok(&again).last()["request"].as_str().expect("a file").to_owned();
    assert_ne!(again, request);
    centre.refused("key-choice", &["staff", "admit", &again, "--role", "adjudicator"]);
    centre.ok(&["staff", "admit", &again, "--role", "adjudicator", "--new-key", "--cut-old"]);
    centre.ok(&["staff", "revoke", "amina", "--all", "--reason", "left", "--yes"]);
    let list = centre.ok(&["staff", "list"]);
    assert!(list.of("staff").iter().all(|key| key["state"] == "cut"), "{:?}", list.lines);
}
