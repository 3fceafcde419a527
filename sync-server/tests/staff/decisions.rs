//! Decisions: who may, what is shown, what acts at once, what waits for a second person.

use shared::{id::CaseRef, record::Target};

use super::{
    centre::{Answer, Centre, member},
    van::Van,
};

/// van-1 founds a resident, van-2 enrols the same person: held `duplicate`. Amina and Brahim decide.
struct World {
    centre: Centre,
    one: Van,
    two: Van,
}

impl World {
    fn made() -> Self {
        let centre = Centre::founded();
        centre.peopled();
        centre.adjudicator("amina");
        centre.adjudicator("brahim");
        let roster = centre.roster();
        let (mut one, mut two) = (Van::new("van-1", roster.clone()), Van::new("van-2", roster));
        one.enrol(1, None);
        two.enrol(1, None);
        centre.log(&[one.close(), two.close()]);
        centre.merge();
        Self { centre, one, two }
    }

    /// The case of the record of van-2.
    fn case(&self) -> String {
        CaseRef::holding(&member("van-2"), self.two.record_id(1)).to_string()
    }

    fn ask(&self, who: &str, args: &[&str]) -> Answer {
        let args = self.centre.signed_by(who, args);
        self.centre.ask(&args.iter().map(String::as_str).collect::<Vec<_>>())
    }

    fn refused(&self, code: &str, who: &str, args: &[&str]) -> Answer {
        let answer = self.ask(who, args);
        assert_eq!(answer.code(), Some(code), "{args:?}: {} {:?}", answer.told, answer.lines);
        answer
    }

    fn fate(&self, id: &str) -> String {
        let trace = self.centre.ok(&["record", "trace", id]);
        trace.of("delivery")[0]["fate"].as_str().expect("judged").to_owned()
    }
}

#[test]
fn who_may_not_decide_is_shown_nothing() {
    let world = World::made();
    let case = world.case();
    let (centre, size) = (&world.centre, world.centre.log_size());
    // a key that nobody has admitted
    let (key, pass) = (centre.text("eve.key"), centre.text("staff-pass"));
    centre.ok(&["staff", "add", "eve", "--role", "adjudicator", "--key", &key, "--passphrase-file", &pass]);
    let decide = ["case", "decide", &case, "found", "--reason", "different-person", "--yes"];
    let refused = world.refused("not-adjudicator", "eve", &decide);
    assert_eq!(refused.lines.len(), 1, "nothing but the error: {:?}", refused.lines);
    let (key, pass) = (centre.text("amina.key"), centre.text("staff-pass"));
    let borrowed = [&decide[..], &["--as", "brahim", "--key", &key, "--passphrase-file", &pass]].concat();
    centre.refused("key-wrong", &borrowed);
    let pass = centre.text("pass");
    centre.refused("wrong-passphrase", &[&decide[..], &["--as", "amina", "--key", &key, "--passphrase-file", &pass]].concat());
    assert_eq!(centre.log_size(), size, "nobody looked and nobody decided");
    centre.ok(&["staff", "revoke", "amina", "--yes"]);
    assert_eq!(world.refused("not-adjudicator", "amina", &decide).lines.len(), 1);
}

#[test]
fn nothing_is_signed_without_a_yes_and_everything_is_shown_first() {
    let world = World::made();
    let case = world.case();
    let size = world.centre.log_size();
    let decide = ["case", "decide", &case, "found", "--reason", "different-person"];
    let refused = world.refused("usage", "amina", &decide);
    assert!(!refused.of("field").is_empty() && !refused.of("record").is_empty(), "it was shown");
    assert_eq!(world.centre.log_size(), size + 1, "that she looked is on record, and nothing else");
    let only = world.ask("amina", &[&decide[..], &["--note-only"]].concat());
    assert_eq!(only.exit, Some(0));
    assert!(
        only.last()["note"].as_str().is_some_and(|note| note.starts_with("enroll-decision/v1\n") && note.contains(" found replaces none "))
    );
    assert_eq!(world.centre.log_size(), size + 2);
    for wrong in
        [&["case", "decide", &case, "found", "--reason", "whim", "--yes"][..], &["case", "decide", &case, "keep", "--reason", "mistake"]]
    {
        assert_eq!(world.ask("amina", wrong).exit, Some(2), "{wrong:?}");
    }
    world.refused("usage", "amina", &["case", "decide", &case, "same", "--reason", "same-person", "--yes"]);
    let nobody = "00000000000000000000000000000000";
    world.refused("resident-unknown", "amina", &["case", "decide", nobody, "found", "--reason", "mistake", "--yes"]);
    world.refused("resident-unknown", "amina", &["case", "decide", &case, "same", nobody, "--reason", "same-person", "--yes"]);
    let own = world.two.founds(1).to_string();
    world.refused("usage", "amina", &["case", "decide", &case, "same", &own, "--reason", "same-person", "--yes"]);
}

#[test]
fn cases_are_listed_page_by_page() {
    let world = World::made();
    let (case, why) = (world.case(), ["--reason", "a test"]);
    let list = world.centre.ok(&[&["case", "list"][..], &why].concat());
    let line = list.of("case")[0];
    assert_eq!((&line["reference"], &line["code"], &line["unit"]), (&case.clone().into(), &"duplicate".into(), &"van-2".into()));
    assert_eq!(line["against"][0]["unit"], "van-1");
    for (filter, count) in
        [(&["--code", "duplicate"][..], 1), (&["--code", "identity-change"], 0), (&["--unit", "van-1"], 0), (&["--waits"], 0)]
    {
        let list = world.centre.ok(&[&["case", "list"][..], filter, &why].concat());
        assert_eq!(list.last()["cases"], count, "{filter:?}");
    }
    let second = world.centre.ok(&[&["case", "list", "--page", "2", "--limit", "1"][..], &why].concat());
    assert_eq!((&second.last()["cases"], &second.last()["shown"]), (&1.into(), &0.into()));
    world.centre.ok(&[&["case", "list", "--hints"][..], &why].concat());
    assert_eq!(world.centre.ask(&["case", "list"]).exit, Some(2), "nothing without a reason");
}

#[test]
fn a_case_is_shown_and_decided_by_one() {
    let world = World::made();
    let (case, why) = (world.case(), ["--reason", "a test"]);
    let shown = world.centre.ok(&[&["case", "show", &case][..], &why].concat());
    assert_eq!(shown.of("record").len(), 2, "both sides");
    assert_eq!(shown.of("resident")[0]["reference"], world.one.founds(1).to_string());
    assert!(shown.of("field").iter().any(|f| f["name"] == "family_latin" && f["values"]["record"] == f["values"]["against 1"]));
    assert!(shown.of("part").iter().all(|p| p["values"]["record"].as_str().is_some_and(|digest| digest.len() == 64)));
    let record = shown.of("record")[0];
    assert!(
        record["agent"].as_str().is_some_and(|a| a.starts_with("agent-1+"))
            && record["log_index"].is_u64()
            && record["received"].is_string()
    );
    let ways: Vec<&str> = shown.of("may").iter().map(|w| w["command"].as_str().expect("a command")).collect();
    assert!(ways.iter().any(|w| w.starts_with(&format!("sync-server case decide {case} found --reason "))), "{ways:?}");
    let one = world.one.founds(1).to_string();
    let decided = world.ask("amina", &["case", "decide", &case, "same", &one, "--reason", "same-person", "--yes"]);
    assert_eq!(decided.exit, Some(0), "{} {:?}", decided.told, decided.lines);
    assert_eq!(decided.of("would")[0]["persons"], 1);
    assert_eq!(decided.of("decided")[0]["state"], "acts");
    assert_eq!(world.fate(&world.two.record_id(1).to_string()), format!("merged {one}"));
    for about in [case.as_str(), &world.two.record_id(1).to_string(), decided.last()["decision"].as_str().expect("an id")] {
        let history = world.centre.ok(&["case", "history", about]);
        let line = history.of("decision")[0];
        assert!(line["by"].as_str().is_some_and(|by| by.starts_with("amina+")) && line["state"] == "acts", "{about}: {line}");
    }
    world.centre.refused("not-found", &["case", "history", "nothing"]);
    world.refused("resident-unknown", "amina", &["case", "decide", &case, "found", "--reason", "mistake", "--yes"]);
}

#[test]
fn what_takes_out_a_merged_record_waits_for_a_second_person() {
    let world = World::made();
    let record = world.one.record_id(1).to_string();
    let first = world.ask("amina", &["record", "decide", &record, "refuse", "--reason", "fraud", "--yes"]);
    assert_eq!(first.exit, Some(3), "{} {:?}", first.told, first.lines);
    let line = first.of("decided")[0];
    assert_eq!((&line["state"], &line["code"]), (&"waits".into(), &"second-needed".into()));
    let id = first.last()["decision"].as_str().expect("an id").to_owned();
    assert!(world.fate(&record).starts_with("merged "), "nothing is changed yet");
    let listed = world.centre.ok(&["case", "list", "--waits", "--reason", "a test"]);
    assert_eq!((&listed.last()["cases"], &listed.of("case")[0]["waits"]), (&1.into(), &serde_json::json!([id])));
    let open = world.centre.ok(&["open", "list"]);
    assert!(open.of("open").iter().any(|f| f["kind"] == "decision-waits" && f["next"].as_str().is_some_and(|n| n.contains(&id))));
    world.refused("second-same", "amina", &["case", "confirm", &id, "--yes"]);
    let unasked = world.refused("usage", "brahim", &["case", "confirm", &id]);
    assert!(!unasked.of("field").is_empty(), "both sides are shown before anybody asks");
    let second = world.ask("brahim", &["case", "confirm", &id, "--yes"]);
    assert_eq!(second.exit, Some(0), "{} {:?}", second.told, second.lines);
    assert_eq!(second.of("decided")[0]["state"], "acts");
    assert_eq!(world.fate(&record), "refused decided");
    world.refused("nothing-to-do", "brahim", &["case", "confirm", &id, "--yes"]);
    let none = format!("sha256:{}", "0".repeat(64));
    world.refused("not-found", "brahim", &["case", "confirm", &none, "--yes"]);
    let history = world.centre.ok(&["case", "history", &id]);
    let line = history.of("decision")[0];
    assert!(line["confirmed"].as_str().is_some_and(|by| by.starts_with("brahim+")), "{line}");
    // and a mistake has a way back, by two persons, too
    let back = world.ask("brahim", &["record", "decide", &record, "found", "--reason", "mistake", "--yes"]);
    assert_eq!(back.exit, Some(3), "{} {:?}", back.told, back.lines);
    let back = back.last()["decision"].as_str().expect("an id").to_owned();
    assert_eq!(world.ask("amina", &["case", "confirm", &back, "--yes"]).exit, Some(0));
    assert!(world.fate(&record).starts_with("merged "));
    world.centre.merge();
    assert_eq!(world.centre.ok(&["fsck"]).last()["fsck"], "clean");
}

#[test]
fn a_case_that_changed_meanwhile_is_told_and_nothing_is_signed() {
    let world = World::made();
    let (case, record) = (world.case(), world.one.record_id(1).to_string());
    let first = world.ask("amina", &["record", "decide", &record, "refuse", "--reason", "fraud", "--yes"]);
    let id = first.last()["decision"].as_str().expect("an id").to_owned();
    world.refused("nothing-to-do", "amina", &["record", "decide", &record, "found", "--reason", "mistake", "--yes"]);
    let other = world.ask("amina", &["record", "decide", &record, "refuse", "--reason", "mistake", "--yes"]);
    let other = other.last()["decision"].as_str().expect("an id").to_owned();
    let listed = world.centre.ok(&["case", "list", "--waits", "--reason", "a test"]);
    assert_eq!(listed.of("case")[0]["waits"], serde_json::json!([id, other]), "both that wait");
    assert_eq!(world.ask("brahim", &["case", "confirm", &other, "--yes"]).exit, Some(0));
    let size = world.centre.log_size();
    let changed = world.refused("case-changed", "brahim", &["case", "confirm", &id, "--yes"]);
    assert_eq!(changed.of("case-changed").len(), 1);
    assert_eq!(world.centre.log_size(), size + 1, "he looked; no signature was logged");
    assert_eq!(world.fate(&world.two.record_id(1).to_string()), format!("held duplicate {case}"));
}

#[test]
fn a_first_signature_whose_key_has_ended_is_told_to_the_second() {
    let world = World::made();
    let record = world.one.record_id(1).to_string();
    let size = world.centre.log_size().to_string();
    let first = world.ask("amina", &["record", "decide", &record, "refuse", "--reason", "fraud", "--yes"]);
    let id = first.last()["decision"].as_str().expect("an id").to_owned();
    world.centre.ok(&["staff", "revoke", "amina", "--cut", &size, "--yes"]);
    world.centre.merge();
    let told = world.refused("not-adjudicator", "brahim", &["case", "confirm", &id, "--yes"]);
    assert!(told.told.contains("amina+"), "{}", told.told);
    assert!(world.centre.ok(&["case", "list", "--waits", "--reason", "a test"]).of("case").is_empty());
    assert!(world.fate(&record).starts_with("merged "));
}

#[test]
fn another_face_or_name_needs_two() {
    let mut world = World::made();
    let target = Target::Resident { resident: world.one.founds(1) };
    let number = world.two.enrol(2, Some(target));
    world.centre.log(&[world.two.close()]);
    world.centre.merge();
    let case = CaseRef::holding(&member("van-2"), world.two.record_id(number)).to_string();
    let shown = world.centre.ok(&["case", "show", &case, "--reason", "a test"]);
    assert!(shown.of("field").iter().any(|f| f["changed"] == true), "what it would change is marked");
    let one = world.one.founds(1).to_string();
    let first = world.ask("amina", &["case", "decide", &case, "apply", &one, "--reason", "identity-checked", "--yes"]);
    assert_eq!((first.exit, &first.of("would")[0]["persons"]), (Some(3), &2.into()), "{} {:?}", first.told, first.lines);
    let id = first.last()["decision"].as_str().expect("an id").to_owned();
    let second = world.ask("brahim", &["case", "confirm", &id, "--yes"]);
    assert_eq!(second.exit, Some(0), "{} {:?}", second.told, second.lines);
    assert_eq!(world.fate(&world.two.record_id(number).to_string()), format!("merged {one}"));
}

#[test]
fn many_cases_in_one_note() {
    let mut world = World::made();
    let mut cases = vec![world.case()];
    for person in 2..=3 {
        world.one.enrol(person, None);
        let number = world.two.enrol(person, None);
        cases.push(CaseRef::holding(&member("van-2"), world.two.record_id(number)).to_string());
    }
    world.centre.log(&[world.one.close(), world.two.close()]);
    world.centre.merge();
    let file = world.centre.path("decisions");
    let text = format!(
        "# two people who look alike\n{} found different-person\n{} refuse wrong-data\n{{\"case\":\"{}\",\"verdict\":\"same\",\
         \"reference\":\"{}\",\"reason\":\"same-person\"}}\n",
        cases[0],
        cases[1],
        cases[2],
        world.one.founds(3)
    );
    std::fs::write(&file, text).expect("written");
    let file = file.display().to_string();
    let decided = world.ask("amina", &["case", "decide", "--file", &file, "--yes"]);
    assert_eq!(decided.exit, Some(0), "{} {:?}", decided.told, decided.lines);
    assert_eq!((&decided.last()["lines"], &decided.last()["acts"]), (&3.into(), &3.into()));
    assert!(decided.of("record").len() >= 6, "each was shown");
    // found beside somebody of the same number: two stand under one key, and that is a case
    let list = world.centre.ok(&["case", "list", "--reason", "a test"]);
    assert_eq!(list.of("shared-key")[0]["residents"].as_array().map(Vec::len), Some(2));
    let open = world.centre.ok(&["open", "list"]);
    assert_eq!(open.last()["kinds"]["two-under-one-key"], 1);
    std::fs::write(&file, format!("{} keep whim\n", cases[0])).expect("written");
    world.refused("usage", "amina", &["case", "decide", "--file", &file, "--yes"]);
}

#[test]
fn a_batch_without_its_approval_is_accepted_or_refused() {
    let mut world = World::made();
    let number = world.one.enrol(9, None);
    let made = world.one.close_approved(false);
    let id = made.manifest.id().to_string();
    world.centre.log(&[made]);
    world.centre.merge();
    let open = world.centre.ok(&["open", "list"]);
    let fact = open.of("open").into_iter().find(|f| f["kind"] == "batch-quarantined").expect("open").clone();
    assert!(fact["next"].as_str().is_some_and(|next| next.contains(&format!("batch decide {id} accept unapproved"))), "{fact}");
    let shown = world.centre.ok(&["batch", "show", &id]);
    assert_eq!(shown.last()["code"], "unapproved");
    let told = |world: &World| {
        let list = world.centre.ok(&["batch", "list"]);
        let batch = list.of("batch").into_iter().find(|batch| batch["id"] == id.as_str()).expect("listed").clone();
        batch["decided"].clone()
    };
    assert_eq!(told(&world), serde_json::Value::Null);
    world.refused("case-changed", "amina", &["batch", "decide", &id, "accept", "fork", "--reason", "work-checked", "--yes"]);
    world.refused("usage", "amina", &["batch", "decide", &id, "accept", "--reason", "work-checked", "--yes"]);
    let decided = world.ask("amina", &["batch", "decide", &id, "accept", "unapproved", "--reason", "work-checked", "--yes"]);
    assert_eq!(decided.exit, Some(0), "{} {:?}", decided.told, decided.lines);
    assert!(world.fate(&world.one.record_id(number).to_string()).starts_with("merged "));
    assert_eq!(told(&world), "accepted");
    assert!(world.centre.ok(&["open", "list"]).of("open").iter().all(|f| f["kind"] != "batch-quarantined"), "closed");
    let record = world.one.record_id(number).to_string();
    let note = decided.last()["decision"].clone();
    assert_eq!(world.centre.ok(&["record", "trace", &record]).of("delivery")[0]["batch_decision"], note);
    let history = world.centre.ok(&["case", "history", &record]);
    assert_eq!((history.of("decision").len(), &history.of("decision")[0]["decision"]), (1, &note), "by which it is merged");
    // refusing it again takes out what is merged: two persons
    let refused = world.ask("amina", &["batch", "decide", &id, "refuse", "--reason", "fraud", "--yes"]);
    assert_eq!(
        (refused.exit, &refused.of("decided")[0]["code"]),
        (Some(3), &"second-needed".into()),
        "{} {:?}",
        refused.told,
        refused.lines
    );
    let note = refused.last()["decision"].as_str().expect("an id").to_owned();
    let listed = world.centre.ok(&["case", "list", "--reason", "a test"]);
    assert_eq!(listed.of("batch-waits").len(), 1);
    // who signed it takes it back; then it is decided for another reason
    assert!(
        world
            .centre
            .ok(&["open", "list"])
            .of("open")
            .iter()
            .any(|f| f["kind"] == "decision-waits" && f["next"].as_str().is_some_and(|next| next.contains(&format!("case reject {note}"))))
    );
    let taken_back = world.ask("amina", &["case", "reject", &note, "--yes"]);
    assert_eq!((taken_back.exit, &taken_back.of("decided")[0]["state"]), (Some(0), &"rejected".into()), "{}", taken_back.told);
    assert!(world.centre.ok(&["open", "list"]).of("open").iter().all(|f| f["kind"] != "decision-waits"));
    world.refused("nothing-to-do", "brahim", &["case", "confirm", &note, "--yes"]);
    world.refused("nothing-to-do", "brahim", &["case", "reject", &note, "--yes"]);
    assert!(world.fate(&world.one.record_id(number).to_string()).starts_with("merged "));
    let refused = world.ask("amina", &["batch", "decide", &id, "refuse", "--reason", "order", "--yes"]);
    let note = refused.last()["decision"].as_str().expect("an id").to_owned();
    assert_eq!(world.ask("brahim", &["case", "confirm", &note, "--yes"]).exit, Some(0));
    assert_eq!(world.fate(&world.one.record_id(number).to_string()), "refused decided");
    assert_eq!(world.centre.ok(&["case", "history", &id]).of("decision").len(), 3);
}

#[test]
fn while_a_server_runs_it_folds_and_the_command_waits_for_it() {
    let world = World::made();
    let mut serve = world.centre.command(&["serve", "--listen", "127.0.0.1:0"]);
    let mut serve = serve.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::null()).spawn().expect("started");
    let mut first = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(serve.stdout.as_mut().expect("piped")), &mut first).expect("listening");
    assert!(first.contains("listening"), "{first}");
    let decided = world.ask("amina", &["case", "decide", &world.case(), "found", "--reason", "different-person", "--yes"]);
    serve.kill().and_then(|()| serve.wait()).expect("ended");
    assert_eq!(decided.exit, Some(0), "{} {:?}", decided.told, decided.lines);
    assert_eq!(decided.of("decided")[0]["state"], "acts");
}
