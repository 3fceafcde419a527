//! A day in a van, with the network unplugged: drafts, finished records, review, close.

use std::{io::Write as _, process::Stdio};

use shared::{
    form::{FIRST, Form},
    id::{Digest, Transaction},
    roster::Approval,
    sample::{Kind, Sample, Size},
    time::Second,
};

use super::{
    centre::Centre,
    unit::{Unit, ran, resident, write_folder},
};

#[test]
fn a_draft_becomes_a_record_that_only_the_centre_opens() {
    let mut centre = Centre::new();
    let unit = Unit::admitted(&mut centre);
    let draft = unit.run(&["draft", "new", "residence-certificate/1"]).done()["draft"].as_str().unwrap().to_owned();
    let one = resident(1);
    let fields = one.input.person.iter().map(|(f, v)| format!("{f}={}\n", v.as_deref().unwrap())).collect::<Vec<_>>().concat();
    let mut set = unit
        .command(&["draft", "set", &draft, "--stdin"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    set.stdin.take().unwrap().write_all(fields.as_bytes()).unwrap();
    ran(&set.wait_with_output().unwrap()).done();
    let folder = unit.resident("r", &one);
    for part in &one.input.parts {
        unit.run(&["draft", "attach", &draft, &part.position, folder.join(part.file.as_str()).to_str().unwrap()]).done();
    }
    let shown = unit.run(&["draft", "show", &draft]);
    assert!(shown.of("content").iter().any(|l| l["value"] == one.input.person["given_latin"].as_deref().unwrap()));
    let done = unit.run(&["finish", &draft, "--yes"]).done();
    assert_eq!(done["number"], "1.1");
    unit.run(&["draft", "show", &draft]).refused("draft-unknown", 1);
    let status = unit.run(&["status", done["slip"].as_str().unwrap()]).done();
    assert_eq!((&status["state"], &status["number"]), (&"finished".into(), &"1.1".into()));
    unit.run_as("supervisor-003", &["close"]).done();
    let (manifest, payload) = unit.batches().remove(0);
    assert_eq!((manifest.facts().payload_size, manifest.facts().payload), (payload.len() as u64, Digest::of(&payload)));
    let opened = centre.open(&manifest, &payload);
    assert_eq!(opened[0].content().person["given_latin"], one.input.person["given_latin"]);
}

#[test]
fn a_source_is_never_enrolled_twice_and_goes_only_after_finish() {
    let mut centre = Centre::new();
    let unit = Unit::admitted(&mut centre);
    assert_eq!(unit.enrol(1).done()["finished"], 1);
    assert_eq!(unit.enrol(1).done()["known"], 1);
    let residents = unit.folder.path().join("tars");
    std::fs::create_dir_all(&residents).unwrap();
    let mut tar = tar::Builder::new(std::fs::File::create(residents.join("two.tar")).unwrap());
    for (name, bytes) in resident(2).folder() {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o600);
        tar.append_data(&mut header, format!("two/{name}"), bytes.as_slice()).unwrap();
    }
    tar.into_inner().unwrap();
    write_folder(&residents.join("one"), &resident(1));
    let done = unit.run(&["enrol", "--yes", "--remove-source", residents.to_str().unwrap()]).done();
    assert_eq!((&done["finished"], &done["known"]), (&1.into(), &1.into()));
    assert_eq!(std::fs::read_dir(&residents).unwrap().count(), 0, "both sources are gone");
    assert_eq!(unit.run(&["status"]).done()["records"]["finished"], 2);
}

/// Empty and relative variables are as unset.
#[test]
fn the_data_folder_is_never_below_where_somebody_stands() {
    let home = tempfile::tempdir().unwrap();
    for (data_home, expected) in [("", ".local/share/enroll-client"), ("here", ".local/share/enroll-client")] {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_enroll-client"));
        command.env_clear().env("HOME", home.path()).env("XDG_DATA_HOME", data_home).current_dir(home.path());
        let out = command.args(["--json", "status"]).output().unwrap();
        let told = String::from_utf8_lossy(&out.stdout).into_owned();
        assert!(told.contains(home.path().join(expected).to_str().unwrap()), "{data_home:?}: {told}");
    }
}

/// A full stick, and a pipe that nobody reads.
#[test]
fn lost_output_is_an_error_and_a_closed_pipe_is_none() {
    let mut centre = Centre::new();
    let unit = Unit::admitted(&mut centre);
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let out = unit.command(&["roster", "show"]).stdout(full).stderr(Stdio::piped()).output().unwrap();
    let told = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(out.status.code() == Some(1) && told.contains("output-lost"), "{told}");
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let out = unit.command(&["roster", "show"]).stdout(writer).stderr(Stdio::piped()).output().unwrap();
    assert_eq!((out.status.code(), out.stderr.len()), (Some(0), 0), "{}", String::from_utf8_lossy(&out.stderr));
}

/// Nobody reads the screen when the record is finished: its code waits, for its agent only, and is shown once.
#[test]
fn a_slip_code_that_was_not_shown_comes_with_the_agents_next_command() {
    let mut centre = Centre::new();
    let unit = Unit::admitted(&mut centre);
    let folder = unit.resident("r", &resident(1));
    let folder = folder.to_str().unwrap();
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let ended = unit.command(&["enrol", "--yes", folder]).stdout(full).stderr(Stdio::null()).status().unwrap();
    assert_eq!(ended.code(), Some(1), "finished all the same, and told that its lines are lost");
    assert!(unit.run(&["status"]).stderr.contains("slip code of 1.1"));
    let other = unit.run_as("supervisor-003", &["draft", "new", "residence-certificate/1"]);
    assert!(other.of("slip").is_empty(), "somebody else's");
    let again = unit.run(&["enrol", "--yes", folder]);
    assert_eq!((again.of("slip").len(), again.of("known").len()), (1, 1), "{:?}", again.lines);
    let slip = again.of("slip")[0]["slip"].as_str().unwrap();
    assert_eq!(unit.run(&["status", slip]).done()["number"], "1.1");
    assert!(unit.run(&["draft", "new", "residence-certificate/1"]).of("slip").is_empty(), "once");
    assert!(!unit.run(&["status"]).stderr.contains("slip code"));
}

#[test]
fn one_resident_of_a_tar_stops_no_other_and_keeps_the_tar() {
    let mut centre = Centre::new();
    let unit = Unit::admitted(&mut centre);
    let path = unit.folder.path().join("three.tar");
    let mut tar = tar::Builder::new(std::fs::File::create(&path).unwrap());
    for n in 1..=3 {
        for (name, bytes) in resident(n).folder() {
            if n == 2 && name != "resident.json" {
                continue;
            }
            let mut header = tar::Header::new_ustar();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o600);
            tar.append_data(&mut header, format!("{n}/{name}"), bytes.as_slice()).unwrap();
        }
    }
    tar.into_inner().unwrap();
    let ran = unit.run(&["enrol", "--yes", "--remove-source", path.to_str().unwrap()]);
    assert_eq!((ran.exit, &ran.last()["finished"], &ran.last()["failed"]), (3, &2.into(), &1.into()), "{:?}", ran.lines);
    assert!(ran.of("warning")[0]["detail"].as_str().unwrap().contains("resident 2"));
    assert!(path.exists(), "one of them is nowhere else");
}

#[test]
fn review_withdraw_and_close_say_what_happened() {
    let mut centre = Centre::new();
    let unit = Unit::admitted(&mut centre);
    (1..=3).for_each(|n| drop(unit.enrol(n).done()));
    unit.run(&["close"]).refused("review-needed", 1);
    unit.run(&["review", "list"]).refused("review-needed", 1);
    let list = unit.run_as("supervisor-003", &["review", "list"]);
    assert_eq!(list.of("review").len(), 3);
    let name = resident(2).input.person["given_latin"].clone().unwrap();
    assert!(list.of("review")[1]["name"].as_str().unwrap().contains(&name), "{:?}", list.lines);
    unit.run_as("supervisor-003", &["review", "withdraw", "1.2", "--reason", "because"]).refused("reason-unknown", 1);
    unit.run_as("supervisor-003", &["review", "withdraw", "1.9", "--reason", "other"]).refused("record-unknown", 1);
    unit.run_as("supervisor-003", &["review", "withdraw", "1.2", "--reason", "captured-twice"]).done();
    let done = unit.run_as("supervisor-003", &["close"]).done();
    assert_eq!((&done["batches"], &done["records"], &done["approved"]), (&1.into(), &3.into(), &"supervisor-003".into()));
    unit.run_as("supervisor-003", &["close"]).refused("nothing-to-do", 4);
    unit.run_as("supervisor-003", &["review", "withdraw", "1.1", "--reason", "other"]).refused("record-unknown", 1);
    let (manifest, payload) = unit.batches().remove(0);
    assert_eq!(manifest.facts().withdrawn().map(|w| w.number.to_string()).collect::<Vec<_>>(), ["1.2"]);
    assert_eq!(centre.open(&manifest, &payload).len(), 2);
    let card = unit.run_as("supervisor-003", &["review", "show", "1.1"]);
    assert!(card.of("card").iter().all(|l| l["what"] != "name"), "the review card is destroyed, the contact card stays");
    assert!(card.of("card").iter().any(|l| l["what"] == "phone"));
    unit.run(&["prune"]).refused_nothing();
}

#[test]
fn a_supervisor_does_not_approve_their_own_records() {
    let mut centre = Centre::new();
    let unit = Unit::admitted(&mut centre);
    let folder = unit.resident("own", &resident(1));
    unit.run_as("supervisor-003", &["enrol", "--yes", folder.to_str().unwrap()]).done();
    unit.run_as("supervisor-003", &["close"]).refused("self-approval", 1);
    let done = unit.run(&["close", "--unreviewed"]).done();
    assert_eq!((&done["approved"], &done["will_wait"]), (&serde_json::Value::Null, &true.into()));
    assert_eq!(unit.batches()[0].0.facts().approved, None);
}

#[test]
fn what_the_approver_enrolled_stays_behind_and_the_rest_of_the_day_is_closed() {
    let mut centre = Centre::new();
    let unit = Unit::admitted(&mut centre);
    unit.run(&["agent", "add", "supervisor-004", "--supervisor"]).done();
    centre.admit(&std::fs::read(unit.data().join("supervisor-004.request")).unwrap());
    unit.take_roster(&mut centre);
    let own = unit.resident("own", &resident(1));
    unit.run_as("supervisor-003", &["enrol", "--yes", own.to_str().unwrap()]).done();
    let twice = unit.resident("twice", &resident(2));
    unit.run_as("supervisor-003", &["enrol", "--yes", twice.to_str().unwrap()]).done();
    unit.run_as("supervisor-003", &["review", "withdraw", "1.2", "--reason", "captured-twice"]).done();
    unit.enrol(3).done();
    let closed = unit.run_as("supervisor-003", &["close"]);
    assert_eq!((closed.exit, &closed.last()["records"]), (3, &2.into()), "{:?}", closed.lines);
    assert_eq!(closed.last()["own"], serde_json::json!(["1.1"]));
    let told = closed.of("warning");
    assert_eq!((&told[0]["code"], &told[0]["detail"]), (&"self-approval".into(), &"record 1.1 waits for another supervisor".into()));
    unit.run_as("supervisor-003", &["close"]).refused("self-approval", 1);
    // the way out
    assert_eq!(unit.run_as("supervisor-004", &["close"]).done()["approved"], "supervisor-004");
    let lines = |(m, _): &(shared::batch::Manifest, _)| m.facts().lines.iter().map(|l| l.number().to_string()).collect::<Vec<_>>();
    assert_eq!(unit.batches().iter().map(lines).collect::<Vec<_>>(), [vec!["1.2", "1.3"], vec!["1.1"]]);
}

#[test]
fn whoever_works_alone_approves_what_they_enrolled() {
    let mut centre = Centre::new();
    let unit = Unit::admitted(&mut centre);
    centre.facts.units[0].crew = shared::roster::Crew::Alone;
    unit.take_roster(&mut centre);
    let own = unit.resident("own", &resident(1));
    unit.run_as("supervisor-003", &["enrol", "--yes", own.to_str().unwrap()]).done();
    assert_eq!(unit.run_as("supervisor-003", &["close"]).done()["records"], 1);
}

#[test]
fn a_day_over_the_limits_closes_into_several_chained_batches() {
    let mut centre = Centre::new();
    centre.facts.limits.lines = 2;
    centre.facts.approval = Approval::None;
    let unit = Unit::admitted(&mut centre);
    (1..=5).for_each(|n| drop(unit.enrol(n).done()));
    let done = unit.run(&["close"]).done();
    assert_eq!((&done["batches"], &done["records"], &done["will_wait"]), (&3.into(), &5.into(), &false.into()));
    drop(unit.enrol(6).done());
    unit.run(&["close"]).done();
    let all = unit.batches();
    assert_eq!(all.iter().map(|(m, _)| m.facts().place.to_string()).collect::<Vec<_>>(), ["1.1", "1.2", "1.3", "1.4"]);
    let mut previous = None;
    for (manifest, payload) in &all {
        assert_eq!(manifest.facts().previous, previous);
        previous = Some(manifest.id());
        centre.open(manifest, payload);
    }
    let numbers: Vec<String> = all.iter().flat_map(|(m, _)| m.facts().lines.iter().map(|l| l.number().to_string())).collect();
    assert_eq!(numbers, ["1.1", "1.2", "1.3", "1.4", "1.5", "1.6"], "every number is covered");
}

#[test]
fn a_rotten_record_stays_behind_and_stops_no_other() {
    let mut centre = Centre::new();
    let unit = Unit::admitted(&mut centre);
    (1..=2).for_each(|n| drop(unit.enrol(n).done()));
    let db = rusqlite::Connection::open(unit.data().join("vault.db")).unwrap();
    db.execute("UPDATE sealed SET bytes = zeroblob(length(bytes)) WHERE number = 1", []).unwrap();
    let closed = unit.run_as("supervisor-003", &["close"]);
    assert_eq!((closed.exit, &closed.last()["records"], &closed.last()["rotten"][0]), (3, &1.into(), &"1.1".into()));
    assert_eq!(unit.run(&["status"]).done()["records"]["finished"], 1);
}

/// The roster has lowered its limits since: what does not fit any more stops no other.
#[test]
fn a_record_that_no_batch_may_hold_stays_behind_and_stops_no_other() {
    let mut centre = Centre::new();
    let unit = Unit::admitted(&mut centre);
    unit.enrol(1).done();
    let form = Form::parse(FIRST[2]).unwrap();
    let large = Sample::new(7, Second::from_unix(1_790_000_000), Size::Usual).take(2, 0, &form, Transaction::New, Kind::Complete).unwrap();
    let folder = unit.resident("large", &large);
    unit.run(&["enrol", "--yes", folder.to_str().unwrap()]).done();
    let small = unit.vault().unbatched().unwrap()[0].size;
    let mut limit = |bytes: u64| {
        (centre.facts.limits.batch, centre.facts.limits.record) = (bytes, bytes);
        unit.take_roster(&mut centre);
    };
    limit(small);
    let closed = unit.run_as("supervisor-003", &["close"]);
    assert_eq!((closed.exit, &closed.last()["records"], &closed.last()["oversize"][0]), (3, &1.into(), &"1.2".into()));
    unit.run_as("supervisor-003", &["close"]).refused("record-too-large", 1);
    limit(1000);
    let keys = || std::fs::read(unit.data().join("vault.keys")).unwrap().chunks(4096).filter(|slot| slot.iter().any(|b| *b != 0)).count();
    let before = keys();
    unit.enrol(3).refused("record-too-large", 1);
    assert_eq!(keys(), before, "what was refused leaves no key");
}

#[test]
fn no_name_reaches_a_file() {
    let mut centre = Centre::new();
    let unit = Unit::admitted(&mut centre);
    unit.enrol(1).done();
    let one = resident(1);
    let person = &one.input.person;
    let holds = |bytes: &[u8], canary: &str| bytes.windows(canary.len()).any(|w| w == canary.as_bytes());
    // some families bear the name of a place, and places stand in the forms
    let in_a_form = |canary: &str| shared::form::FIRST.iter().any(|form| holds(form, canary));
    let fields = ["family_latin", "family_ar", "given_latin", "given_ar", "address", "phone"];
    let canaries: Vec<&str> =
        fields.iter().filter_map(|f| person.get(*f)?.as_deref()).filter(|canary| canary.len() > 6 && !in_a_form(canary)).collect();
    assert!(canaries.len() > 2, "names that stand in no form");
    let source = std::fs::read(unit.folder.path().join("resident-1/resident.json")).unwrap();
    assert!(canaries.iter().all(|c| holds(&source, c)), "control");
    for file in std::fs::read_dir(unit.data()).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_none_or(|e| e != "sock") && !path.ends_with("reserve") {
            let bytes = std::fs::read(&path).unwrap();
            assert!(canaries.iter().all(|c| !holds(&bytes, c)), "{}", path.display());
        }
    }
}
