//! Locks that somebody holds, a key file or a machine secret that is gone, sources of records that are no more, alarms.

use std::{
    fs::File,
    io::Write as _,
    process::{Command, Stdio},
};

use enroll_client::vault::state::Standing;
use shared::time::Second;

use super::{
    centre::Centre,
    unit::{Unit, ran, resident},
};

/// Commands that only read.
const READING: [&[&str]; 6] = [&["status"], &["doctor"], &["draft", "list"], &["roster", "show"], &["agent", "list"], &["alarm", "list"]];

fn begin(unit: &Unit) -> String {
    unit.run(&["draft", "new", "residence-certificate/1"]).done()["draft"].as_str().unwrap().to_owned()
}

/// Holds a lock of the data folder, as a process that was stopped in the middle of its work does.
fn hold(unit: &Unit, name: &str) -> File {
    let file = File::options().create(true).truncate(false).write(true).open(unit.data().join(name)).unwrap();
    file.lock().unwrap();
    file
}

#[test]
fn whoever_reads_waits_for_nobody_and_whoever_writes_is_told_who_holds_what() {
    let mut centre = Centre::new();
    let unit = Unit::admitted(&mut centre);
    let draft = begin(&unit);
    unit.enrol(1).done();
    let locks = ["capture.lock", "sync.lock", "vault.keys.lock", "session.lock"].map(|name| hold(&unit, name));
    for command in READING {
        assert!(matches!(unit.run(command).exit, 0 | 7), "{command:?}");
    }
    unit.run(&["draft", "show", &draft]).done();
    unit.run_as("supervisor-003", &["review", "list"]).done();
    let told = unit.run(&["draft", "new", "residence-certificate/1"]);
    let detail = told.last()["detail"].as_str().unwrap().to_owned();
    assert!(
        detail.contains(&format!("capture.lock is held by process {} (", std::process::id())) && detail.contains("which runs since 20"),
        "{detail}"
    );
    told.refused("locked-elsewhere", 11);
    drop(locks);
    begin(&unit);
}

#[test]
fn whoever_writes_to_the_vault_for_too_long_is_named() {
    let mut centre = Centre::new();
    let unit = Unit::admitted(&mut centre);
    let writer = rusqlite::Connection::open(unit.data().join("vault.db")).unwrap();
    writer.execute_batch("BEGIN IMMEDIATE").unwrap();
    unit.run(&["status"]).done();
    let told = unit.run(&["draft", "new", "residence-certificate/1"]);
    let detail = told.last()["detail"].as_str().unwrap().to_owned();
    let named = format!("the vault is written to by process {} (", std::process::id());
    assert!(detail.contains(&named) && detail.contains("which runs since 20"), "{detail}");
    told.refused("locked-elsewhere", 11);
    writer.execute_batch("ROLLBACK").unwrap();
    begin(&unit);
}

#[test]
fn a_session_that_waits_for_its_agent_keeps_nobody_from_capturing() {
    let mut centre = Centre::new();
    let unit = Unit::admitted(&mut centre);
    let mut session: std::process::Child = {
        let mut command: Command = unit.command(&["session"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let typed = session.stdin.as_mut().unwrap();
    typed.write_all(b"draft new residence-certificate/1\n").unwrap();
    typed.flush().unwrap();
    // once its draft is there it waits for the next line
    while unit.run(&["draft", "list"]).of("draft").is_empty() {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let mut enrolled = unit.enrol(1);
    while enrolled.exit == 11 {
        enrolled = unit.enrol(1); // the session's command was still ending
    }
    enrolled.done();
    unit.run(&["session"]).refused("locked-elsewhere", 11);
    session.stdin.as_mut().unwrap().write_all(b"status\nexit\n").unwrap();
    let ended = session.wait_with_output().unwrap();
    assert_eq!(ran(&ended).exit, 0, "{}", String::from_utf8_lossy(&ended.stderr));
}

/// Whoever tells it to lock waits in bounds, and hears what to do.
#[test]
fn a_session_that_was_stopped_is_told_to_whoever_would_lock_it() {
    let mut centre = Centre::new();
    let unit = Unit::admitted(&mut centre);
    let mut command = unit.command(&["session"]);
    let mut session = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while !unit.data().join("session.sock").exists() {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    assert!(Command::new("kill").args(["-STOP", &session.id().to_string()]).status().unwrap().success());
    unit.run(&["status"]).done();
    unit.run(&["lock"]).refused("locked-elsewhere", 11);
    session.kill().unwrap();
    session.wait().unwrap();
    unit.run(&["lock"]).refused("nothing-to-do", 4);
    unit.enrol(1).done();
}

#[test]
fn a_key_file_that_is_lost_older_or_anothers_is_counted_and_stops_no_list() {
    let mut centre = Centre::new();
    let (unit, other) = (Unit::admitted(&mut centre), Unit::admitted(&mut Centre::new()));
    other.enrol(1).done();
    let keys = unit.data().join("vault.keys");
    let older = std::fs::read(&keys).unwrap_or_default();
    let draft = begin(&unit);
    unit.enrol(1).done();
    let whole = std::fs::read(&keys).unwrap();
    let cases =
        [("lost", None), ("older", Some(older)), ("cut", Some(whole[..4096].to_vec())), ("anothers", Some(other.handed("vault.keys")))];
    for (case, bytes) in cases {
        match bytes {
            Some(bytes) => std::fs::write(&keys, bytes).unwrap(),
            None => std::fs::remove_file(&keys).unwrap(),
        }
        let doctor = unit.run(&["doctor"]);
        let said = doctor.of("check").into_iter().find(|c| c["what"] == "key file").unwrap()["said"].as_str().unwrap().to_owned();
        // a draft, a review card and a contact card; of a file that was cut the first is left
        let lost = if case == "cut" { "2 slots" } else { "3 slots" };
        assert!(said.starts_with(lost), "{case}: {said}");
        assert_eq!(unit.run(&["status"]).exit, 7, "{case}: an alarm");
        let listed = unit.run_as("supervisor-003", &["review", "list"]);
        let card = listed.of("review")[0]["card"].clone();
        listed.done();
        assert_eq!(card, "key-file-damaged", "{case}");
        unit.run_as("supervisor-003", &["review", "show", "1.1"]).refused("key-file-damaged", 7);
    }
    std::fs::remove_file(&keys).unwrap();
    // the way out: the draft is discarded, what is sealed is closed
    unit.run(&["draft", "discard", &draft, "--yes"]).done();
    unit.run_as("supervisor-003", &["close"]).done();
    unit.enrol(2).done();
    assert_eq!(unit.lines(), [["1.1"]]);
}

#[test]
fn a_machine_secret_that_is_lost_or_anothers_is_told_as_that() {
    let mut centre = Centre::new();
    let unit = Unit::admitted(&mut centre);
    let (secret, aside) = (unit.data().join("machine.secret"), unit.folder.path().join("aside"));
    std::fs::rename(&secret, &aside).unwrap();
    for anothers in [false, true] {
        if anothers {
            std::fs::write(&secret, [7; 32]).unwrap();
        }
        unit.enrol(1).refused("machine-secret-lost", 7);
        let status = unit.run(&["status"]);
        assert_eq!((status.exit, &status.last()["capture"]), (7, &"machine-secret-lost".into()));
        let doctor = unit.run(&["doctor"]);
        let said = doctor.of("check").into_iter().find(|c| c["what"] == "machine secret").unwrap();
        assert!(said["said"].as_str().unwrap().contains("machine-secret-lost"), "{said}");
    }
    std::fs::rename(&aside, &secret).unwrap();
    unit.enrol(1).done();
}

#[test]
fn the_source_of_a_record_that_was_withdrawn_is_enrolled_again() {
    let mut centre = Centre::new();
    let unit = Unit::admitted(&mut centre);
    let folder = unit.resident("somebody", &resident(3));
    let folder = folder.to_str().unwrap();
    let count = |done: &serde_json::Value| (done["finished"].as_u64().unwrap(), done["known"].as_u64().unwrap());
    assert_eq!(count(&unit.run(&["enrol", "--yes", folder]).done()), (1, 0));
    assert_eq!(count(&unit.run(&["enrol", "--yes", folder]).done()), (0, 1));
    unit.run_as("supervisor-003", &["review", "withdraw", "1.1", "--reason", "bad-capture"]).done();
    assert_eq!(count(&unit.run(&["enrol", "--yes", folder]).done()), (1, 0), "nobody has this resident any more");
    assert_eq!(count(&unit.run(&["enrol", "--yes", "--remove-source", folder]).done()), (0, 1));
    assert!(!std::path::Path::new(folder).exists(), "a live record holds it");
    // a link leads to what has to go
    let (folder, link) = (unit.resident("somebody-else", &resident(4)), unit.folder.path().join("link"));
    std::os::unix::fs::symlink(&folder, &link).unwrap();
    unit.run(&["enrol", "--yes", "--remove-source", link.to_str().unwrap()]).done();
    assert!(!folder.exists());
}

#[test]
fn an_alarm_is_cleared_by_what_resolves_it_or_by_name() {
    let mut centre = Centre::new();
    let unit = Unit::admitted(&mut centre);
    unit.run(&["alarm", "list"]).done();
    unit.run_as("supervisor-003", &["alarm", "clear", "log-inconsistent", "--reason", "explained"]).refused_nothing();
    unit.vault().stand(Standing::Frozen, Second::from_unix(1_790_000_000)).unwrap();
    let listed = unit.run(&["alarm", "list"]);
    let alarm = listed.of("alarm")[0];
    assert_eq!((&alarm["code"], &alarm["since"]), (&"frozen".into(), &"2026-09-21T14:13:20Z".into()));
    assert!(alarm["next"].as_str().unwrap().contains("enroll-client new-key"));
    assert_eq!(listed.exit, 1);
    // nobody is helped by a screen that is silent about it
    unit.run_as("supervisor-003", &["alarm", "clear", "frozen", "--reason", "explained"]).refused("frozen", 1);
    unit.run(&["new-key"]).done();
    centre.admit_unit(&unit.handed("unit.request"));
    unit.take_roster(&mut centre);
    assert_eq!(unit.run(&["alarm", "list"]).exit, 0, "the new key resolves it");
}

#[test]
fn a_vault_that_is_gone_is_no_folder_to_set_up() {
    let mut centre = Centre::new();
    let unit = Unit::admitted(&mut centre);
    let draft = begin(&unit);
    let (vault, aside) = (unit.data().join("vault.db"), unit.folder.path().join("aside"));
    std::fs::rename(&vault, &aside).unwrap();
    let key = centre.roster_key();
    let init = ["init", "--server", "https://registry.example", "--unit", "van-018", "--roster-key", &key];
    for empty in [false, true] {
        if empty {
            std::fs::write(&vault, b"").unwrap();
        }
        for command in [&["status"][..], &["doctor"], &["draft", "list"], &init] {
            unit.run(command).refused("vault-damaged", 7);
        }
    }
    // put back, it is as it was: no key was erased
    for end in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{end}", vault.display()));
    }
    std::fs::rename(&aside, &vault).unwrap();
    unit.run(&["draft", "show", &draft]).done();
}
