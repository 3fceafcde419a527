//! Refusals: each with its code, its exit code and nothing changed.

use super::{
    centre::Centre,
    unit::{Unit, resident},
};

#[test]
fn nothing_works_before_init() {
    let unit = Unit::empty();
    for command in [&["status"][..], &["draft", "list"], &["close"], &["doctor"], &["agent", "add", "agent-007"]] {
        unit.run(command).refused("not-initialised", 10);
    }
}

#[test]
fn init_is_given_once() {
    let centre = Centre::new();
    let unit = Unit::new(&centre);
    let before = std::fs::read(unit.data().join("unit.request")).unwrap();
    unit.run(&["init", "--server", "https://registry.example", "--unit", "van-018", "--roster-key", &centre.roster_key()])
        .refused("already-initialised", 2);
    assert_eq!(std::fs::read(unit.data().join("unit.request")).unwrap(), before);
    unit.run(&["agent", "add", "agent-007"]).refused("already-initialised", 2);
}

/// Of several at once one founds the unit, and the request is the one for its key.
#[test]
fn of_several_inits_at_once_one_founds_the_unit() {
    let centre = Centre::new();
    let unit = Unit::empty();
    let key = centre.roster_key();
    let init = ["init", "--server", "https://registry.example", "--unit", "van-017", "--roster-key", &key];
    let exits: Vec<i32> = std::thread::scope(|scope| {
        let runs: Vec<_> = (0..6).map(|_| scope.spawn(|| unit.run(&init).exit)).collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    assert_eq!(exits.iter().filter(|e| **e == 0).count(), 1, "{exits:?}");
    assert!(exits.iter().all(|e| [0, 2, 11].contains(e)), "{exits:?}");
    let request = std::fs::read(unit.data().join("unit.request")).unwrap();
    let request = shared::roster::request::UnitRequest::parse(&request).unwrap();
    assert_eq!(unit.vault().unit_keys().unwrap().signer.public(), &request.key);
}

#[test]
fn wrong_arguments_are_told_in_json_too() {
    let unit = Unit::empty();
    let ran = unit.run(&["draft", "show", "xyz"]);
    assert_eq!((ran.exit, ran.last()["code"].as_str()), (2, Some("usage")));
}

#[test]
fn capture_without_a_roster_says_what_to_do() {
    let unit = Unit::new(&Centre::new());
    let folder = unit.resident("one", &resident(1));
    for command in
        [&["draft", "new", "national-id/1"][..], &["enrol", "--yes", folder.to_str().unwrap()], &["finish", "00000000"], &["close"]]
    {
        let ran = unit.run(command);
        assert!(ran.last()["next"].as_str().is_some_and(|next| next.contains("roster import")), "{:?}", ran.lines);
        ran.refused("no-roster", 10);
    }
}

#[test]
fn who_is_not_admitted_captures_nothing() {
    let mut centre = Centre::new();
    let unit = Unit::new(&centre);
    unit.take_roster(&mut centre);
    unit.run(&["draft", "new", "national-id/1"]).refused("unit-not-admitted", 1);
    centre.admit_unit(&std::fs::read(unit.data().join("unit.request")).unwrap());
    unit.take_roster(&mut centre);
    unit.run(&["draft", "new", "national-id/1"]).refused("agent-not-admitted", 1);
}

#[test]
fn a_roster_by_another_key_or_without_proof_is_refused() {
    let (mut centre, other) = (Centre::new(), Unit::new(&Centre::new()));
    let bundle = other.folder.path().join("bundle");
    centre.publish(&bundle);
    std::fs::remove_file(bundle.join("roster.proof")).unwrap();
    other.run(&["roster", "import", bundle.to_str().unwrap()]).refused("proof-invalid", 7);
    let stranger = Unit::empty();
    let key = shared::keys::Signer::from_seed("registry.example/roster-1".parse().unwrap(), &[9; 32]).public().to_string();
    stranger.run(&["init", "--server", "https://registry.example", "--unit", "van-1", "--argon2-mib", "1", "--roster-key", &key]).done();
    centre.publish(&bundle);
    assert_ne!(stranger.run(&["roster", "import", bundle.to_str().unwrap()]).exit, 0);
    stranger.run(&["roster", "show"]).refused("no-roster", 10);
}

#[test]
fn a_later_roster_needs_a_proof_that_the_log_goes_on() {
    let mut centre = Centre::new();
    let unit = Unit::admitted(&mut centre);
    let bundle = unit.folder.path().join("bundle");
    centre.publish(&bundle);
    std::fs::remove_file(bundle.join("log.consistency")).unwrap();
    unit.run(&["roster", "import", bundle.to_str().unwrap()]).refused("roster-refused", 1);
    centre.publish(&bundle);
    // this one proves that it follows the one that was never taken
    unit.run(&["roster", "import", bundle.to_str().unwrap()]).refused("roster-refused", 1);
}

/// A passphrase is judged when it is set, and never when it is used.
#[test]
fn a_weak_passphrase_is_refused_before_keys_are_made() {
    let mut centre = Centre::new();
    let unit = Unit::admitted(&mut centre);
    let file = unit.folder.path().join("passphrase");
    for weak in ["x", "passwordpassword", "agent-2 agent-2"] {
        std::fs::write(&file, weak).unwrap();
        for more in [&["agent", "add", "agent-2"][..], &["agent", "add", "agent-2", "--supervisor"]] {
            unit.run(more).refused("passphrase-weak", 12);
        }
        assert!(!unit.data().join("agent-2.request").exists(), "{weak}");
    }
    std::fs::write(&file, super::unit::PASSPHRASE).unwrap();
    unit.run(&["agent", "add", "agent-2"]).done();
}

/// Whoever made the data folder by hand: it is closed to others by the next command.
#[test]
fn what_was_open_to_others_is_closed() {
    use std::os::unix::fs::PermissionsExt as _;
    let mut centre = Centre::new();
    let unit = Unit::admitted(&mut centre);
    let at = |name: &str| unit.data().join(name);
    for (name, mode) in [("", 0o755), ("vault.db", 0o644), ("capture.lock", 0o664)] {
        std::fs::set_permissions(at(name), std::fs::Permissions::from_mode(mode)).unwrap();
    }
    unit.enrol(1).done();
    let modes = ["", "vault.db", "capture.lock", "vault.keys"].map(|name| at(name).metadata().unwrap().permissions().mode() & 0o777);
    assert_eq!(modes, [0o700, 0o600, 0o600, 0o600]);
}

#[test]
fn a_wrong_passphrase_opens_nothing() {
    let mut centre = Centre::new();
    let unit = Unit::admitted(&mut centre);
    std::fs::write(unit.folder.path().join("passphrase"), "another passphrase").unwrap();
    unit.run(&["draft", "new", "national-id/1"]).refused("wrong-passphrase", 12);
    unit.run_as("nobody", &["draft", "new", "national-id/1"]).refused("wrong-passphrase", 12);
    std::fs::write(unit.data().join("machine.secret"), [7; 32]).unwrap();
    std::fs::write(unit.folder.path().join("passphrase"), super::unit::PASSPHRASE).unwrap();
    unit.run(&["draft", "new", "national-id/1"]).refused("machine-secret-lost", 7);
}

#[test]
fn without_a_terminal_or_a_passphrase_a_session_is_needed() {
    let mut centre = Centre::new();
    let unit = Unit::admitted(&mut centre);
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_enroll-client"));
    command.env_clear().args(["--json", "--data-dir"]).arg(unit.data()).args(["draft", "new", "national-id/1"]);
    command.stdin(std::process::Stdio::null());
    super::unit::ran(&command.output().unwrap()).refused("session-needed", 12);
}

#[test]
fn an_incomplete_draft_is_named_and_kept() {
    let mut centre = Centre::new();
    let unit = Unit::admitted(&mut centre);
    let draft = unit.run(&["draft", "new", "residence-certificate/1"]).done()["draft"].as_str().unwrap().to_owned();
    unit.run(&["draft", "set", &draft, "no_such_field=1"]).refused("field-unknown", 1);
    unit.run(&["draft", "set", &draft, "sex=x"]).refused("field-invalid", 1);
    unit.run(&["finish", &draft, "--yes"]).refused("draft-incomplete", 1);
    // before anybody is asked whether they agree
    unit.run(&["finish", &draft]).refused("draft-incomplete", 1);
    assert_eq!(unit.run(&["draft", "list"]).of("draft").len(), 1);
    unit.run_as("supervisor-003", &["draft", "show", &draft]).refused("draft-unknown", 1);
    unit.run_as("supervisor-003", &["draft", "discard", &draft, "--yes"]).refused("draft-unknown", 1);
    unit.run(&["draft", "discard", &draft]).refused("not-confirmed", 1);
    unit.run(&["draft", "discard", &draft, "--yes"]).done();
    unit.run(&["draft", "show", &draft]).refused("draft-unknown", 1);
}

#[test]
fn a_source_that_does_not_fit_stops_no_other() {
    let mut centre = Centre::new();
    let unit = Unit::admitted(&mut centre);
    let residents = unit.folder.path().join("residents");
    for n in 0..3 {
        super::unit::write_folder(&residents.join(format!("r{n}")), &resident(n));
    }
    std::fs::write(residents.join("r1/stray.jpg"), b"not named by a part").unwrap();
    let ran = unit.run(&["enrol", "--yes", residents.to_str().unwrap()]);
    assert_eq!((ran.exit, &ran.last()["finished"], &ran.last()["failed"]), (3, &2.into(), &1.into()), "{:?}", ran.lines);
    assert_eq!(ran.of("warning")[0]["code"], "part-extra");
}

#[test]
fn nobody_is_enrolled_who_was_not_asked() {
    let mut centre = Centre::new();
    let unit = Unit::admitted(&mut centre);
    let folder = unit.resident("one", &resident(1));
    unit.run(&["enrol", "--remove-source", folder.to_str().unwrap()]).refused("not-confirmed", 1);
    assert!(folder.join("resident.json").exists() && unit.vault().records().unwrap().is_empty());
    unit.run(&["enrol", "--yes", folder.to_str().unwrap()]).done();
}

#[test]
fn a_newer_vault_is_refused_untouched() {
    let unit = Unit::new(&Centre::new());
    let path = unit.data().join("vault.db");
    rusqlite::Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    unit.run(&["status"]).refused("vault-newer", 1);
}

#[test]
fn problems_are_told_in_the_persons_language() {
    let unit = Unit::empty();
    let told = ["ar", "fr", "en"].map(|lang| {
        let ran = unit.run(&["--lang", lang, "status"]);
        let what = ran.last()["what"].as_str().unwrap().to_owned();
        assert!(ran.stderr.contains(&what), "{lang}");
        what
    });
    assert!(told[0].chars().any(|c| ('\u{600}'..='\u{6ff}').contains(&c)));
    assert!(told[1] != told[2]);
}

#[test]
fn flags_win_over_environment_over_file() {
    let unit = Unit::new(&Centre::new());
    let elsewhere = unit.folder.path().join("elsewhere");
    let config = unit.folder.path().join("config.toml");
    let run = |flags: &[&str], env: Option<&std::path::Path>| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_enroll-client"));
        command.env_clear().args(["--json", "--config"]).arg(&config).args(flags).arg("status");
        command.envs(env.map(|e| ("ENROLL_CLIENT_DATA_DIR", e)));
        super::unit::ran(&command.output().unwrap())
    };
    std::fs::write(&config, format!("data-dir = {:?}\n", unit.data())).unwrap();
    run(&[], None).done();
    run(&[], Some(&elsewhere)).refused("not-initialised", 10);
    run(&["--data-dir", unit.data().to_str().unwrap()], Some(&elsewhere)).done();
    std::fs::write(&config, "data-folder = 1\n").unwrap();
    run(&[], None).refused("config-invalid", 2);
}

#[test]
fn completions_and_manual_pages_are_made_from_the_commands() {
    let unit = Unit::empty();
    let man = unit.folder.path().join("man");
    assert_eq!(unit.command(&["man", man.to_str().unwrap()]).status().unwrap().code(), Some(0));
    assert!(man.join("enroll-client-close.1").exists());
    let bash = unit.command(&["completions", "bash"]).output().unwrap().stdout;
    assert!(String::from_utf8(bash).unwrap().contains("enroll-client"));
}
