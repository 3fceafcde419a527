//! The administrator's commands, by the real binary: founding, admitting, revoking, publishing, checking.
#![allow(clippy::disallowed_methods, reason = "tests act as shell and disk")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;
use shared::{
    id::Member,
    keys::Signer,
    roster::{
        Role,
        request::{AgentRequest, UnitRequest},
    },
};
use tempfile::TempDir;

const RECOVERY: &str = "quarry lantern eleven oboe thistle";
const AUDITOR: &str = "violet anchor hamster dune sextant";
const ROSTER: &str = "copper meadow sixty tulip harpoon";

struct Centre {
    dir: TempDir,
}

impl Centre {
    fn founded() -> Self {
        let centre = Self { dir: tempfile::tempdir().expect("a folder") };
        centre.choose();
        let made = centre.init("data", &[]);
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        centre
    }

    /// Passphrases that are good enough, in files.
    fn choose(&self) {
        for (file, text) in [("pass", RECOVERY), ("auditor-pass", AUDITOR), ("roster-pass", ROSTER)] {
            fs::write(self.path(file), format!("{text}\n")).expect("written");
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// `init` of a data folder, with its keys beside it under its name.
    fn init(&self, data: &str, more: &[&str]) -> Output {
        let beside = |end: &str| self.path(&format!("{data}-{end}")).display().to_string();
        let (recovery, auditor, key) = (beside("recovery.age"), beside("auditor.age"), beside("roster.key"));
        let secret = |name: &str| self.path(name).display().to_string();
        let mut args = vec!["init", "--centre", "registry.example", "--auditor", &auditor];
        let (own, others) = (secret("pass"), secret("auditor-pass"));
        let secrets = [("--recovery-passphrase-file", &own), ("--auditor-passphrase-file", &others)];
        for (flag, value) in [("--recovery", &recovery), ("--roster-key", &key)].into_iter().chain(secrets) {
            if !more.contains(&flag) {
                args.extend([flag, value]);
            }
        }
        args.extend(more);
        command(&self.path(data), &args).output().expect("ran")
    }

    fn run(&self, args: &[&str]) -> Output {
        command(&self.path("data"), args).output().expect("ran")
    }

    /// Runs a command that succeeds and gives its JSON lines.
    fn json(&self, args: &[&str]) -> Vec<Value> {
        let done = self.run(&[&["--json"], args].concat());
        assert!(done.status.success(), "{args:?}: {}", String::from_utf8_lossy(&done.stdout));
        lines(&done)
    }

    fn unit_request(&self, name: &str, seed: u8) -> String {
        let member: Member = name.parse().expect("a name");
        let note = UnitRequest::sign(&member, &Signer::from_seed((&member).into(), &[seed; 32]));
        let path = self.path(&format!("{name}-{seed}.request"));
        fs::write(&path, note.as_bytes()).expect("written");
        path.display().to_string()
    }

    fn agent_request(&self, name: &str) -> String {
        let member: Member = name.parse().expect("a name");
        let signer = Signer::from_seed((&member).into(), &[9; 32]);
        let request = AgentRequest { role: Role::Agent, name: member.clone(), unit: None, key: signer.public().clone(), recipient: None };
        let note = request.sign(&signer);
        let path = self.path(&format!("{name}.request"));
        fs::write(&path, note.as_bytes()).expect("written");
        path.display().to_string()
    }
}

fn command(data: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sync-server"));
    command.arg("--data-dir").arg(data).args(args).env_remove("SYNC_SERVER_CONFIG").env_remove("SYNC_SERVER_LANG");
    command
}

fn lines(done: &Output) -> Vec<Value> {
    let text = String::from_utf8_lossy(&done.stdout);
    text.lines().map(|l| serde_json::from_str(l).expect("nothing but JSON on standard output")).collect()
}

fn exit(done: &Output) -> Option<i32> {
    done.status.code()
}

#[test]
fn before_init_every_command_says_so() {
    let dir = tempfile::tempdir().expect("a folder");
    for args in [&["roster", "show"][..], &["unit", "list"], &["log", "checkpoint"], &["fsck"], &["doctor"], &["serve"]] {
        let done = command(dir.path(), &[&["--json"], args].concat()).output().expect("ran");
        assert_eq!(exit(&done), Some(10), "{args:?}");
        assert_eq!(lines(&done).last().map(|l| l["code"].clone()), Some("not-initialised".into()), "{args:?}");
        assert_eq!(fs::read_dir(dir.path()).expect("listed").count(), 0, "{args:?}: nothing is made in passing");
    }
}

#[test]
fn wrong_arguments_are_told_as_json_too() {
    let dir = tempfile::tempdir().expect("a folder");
    let done = command(dir.path(), &["--json", "unit", "admit"]).output().expect("ran");
    assert_eq!(exit(&done), Some(2));
    assert_eq!(lines(&done).last().map(|l| l["message_type"].clone()), Some("error".into()));
}

#[test]
fn init_overwrites_nothing_and_keeps_the_recovery_identity_outside() {
    let centre = Centre::founded();
    let before = fs::read(centre.path("data/keys/log.key")).expect("made");
    assert_eq!(exit(&centre.init("data", &[])), Some(2), "there is a centre");
    let inside = centre.path("other/recovery.age").display().to_string();
    let done = centre.init("other", &["--recovery", &inside]);
    assert_eq!(exit(&done), Some(2), "inside the data folder");
    let guard = centre.path("data/guard").display().to_string();
    assert_eq!(exit(&centre.init("third", &["--guard", &guard])), Some(2), "the guard holds a log");
    let archive = centre.path("data/archive").display().to_string();
    assert_eq!(exit(&centre.init("fourth", &["--archive", &archive])), Some(2), "the archive holds a log");
    let key = centre.path("data-roster.key").display().to_string();
    assert_eq!(exit(&centre.init("fifth", &["--roster-key", &key])), Some(2), "a key is never overwritten");
    assert_eq!(fs::read(centre.path("data/keys/log.key")).expect("there"), before);
    assert_eq!(exit(&centre.init("other", &[])), Some(0), "the refused try left nothing in the way");
}

#[test]
fn units_and_agents_are_admitted_revoked_and_listed() {
    let centre = Centre::founded();
    let request = centre.unit_request("van-017", 1);
    assert_eq!(centre.json(&["unit", "admit", &request, "--region", "04"])[0]["roster"], "2");
    assert_eq!(exit(&centre.run(&["unit", "admit", &request])), Some(4), "nothing to do");
    let other = centre.unit_request("van-017", 2);
    assert_eq!(exit(&centre.run(&["unit", "admit", &other])), Some(1), "the name has another key");
    centre.json(&["unit", "admit", &other, "--new-key", "--cut-old"]);
    centre.json(&["agent", "admit", &centre.agent_request("agent-007")]);
    assert_eq!(exit(&centre.run(&["agent", "admit", &centre.agent_request("van-017")])), Some(1), "one role a name");
    assert_eq!(exit(&centre.run(&["agent", "revoke", "van-017"])), Some(1), "not an agent");
    centre.json(&["agent", "revoke", "agent-007", "--reason", "left", "--yes"]);
    assert_eq!(exit(&centre.run(&["agent", "revoke", "agent-007", "--yes"])), Some(4), "revoked before");
    let units = centre.json(&["unit", "list"]);
    assert_eq!((&units[0]["epoch"], &units[1]["epoch"]), (&1.into(), &2.into()));
    assert_eq!(units[1]["region"], "04");
    let agents = centre.json(&["agent", "list"]);
    assert_eq!((&agents[0]["state"], &agents[0]["reason"]), (&"cut".into(), &"left".into()));
    let forged = centre.path("forged.request");
    fs::write(&forged, fs::read_to_string(&request).expect("read").replace("van-017\n", "van-018\n")).expect("written");
    assert_eq!(exit(&centre.run(&["unit", "admit", &forged.display().to_string()])), Some(1));
    assert_eq!(centre.json(&["fsck"]).last().expect("a summary")["fsck"], "clean");
}

#[test]
fn a_fourth_form_is_a_file_that_somebody_publishes() {
    let centre = Centre::founded();
    let form = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/forms/residence-certificate-1.json");
    let text = fs::read_to_string(form).expect("the first forms").replace("residence-certificate/1", "nomad-card/1");
    let path = centre.path("nomad-card.json");
    fs::write(&path, text).expect("written");
    let published = centre.json(&["roster", "publish", "--form", &path.display().to_string(), "--approval", "none"]);
    assert!(published[0]["forms"].as_array().is_some_and(|f| f.len() == 4 && f.contains(&"nomad-card/1".into())));
    let note = centre.json(&["roster", "show"])[0]["note"].as_str().expect("text").to_owned();
    assert!(note.contains("\nform nomad-card/1 ") && note.contains("\napproval none\n"));
    fs::write(&path, "{}").expect("written");
    assert_ne!(exit(&centre.run(&["roster", "publish", "--form", &path.display().to_string()])), Some(0), "not a form");
    assert_eq!(centre.json(&["fsck"]).last().expect("a summary")["fsck"], "clean");
}

#[test]
fn commands_that_sequence_at_the_same_time_all_get_through() {
    let centre = Centre::founded();
    let running: Vec<_> = (0..4)
        .map(|_| {
            command(&centre.path("data"), &["--json", "log", "time", "confirm", "--yes"])
                .stdout(std::process::Stdio::piped())
                .spawn()
                .expect("started")
        })
        .collect();
    let mut indexes: Vec<u64> = running
        .into_iter()
        .map(|child| {
            let done = child.wait_with_output().expect("ended");
            lines(&done).last().and_then(|l| l["log_index"].as_u64()).expect("logged")
        })
        .collect();
    indexes.sort_unstable();
    assert_eq!(indexes, [1, 2, 3, 4]);
    let requests: Vec<String> = (1..=3).map(|n| centre.unit_request(&format!("van-{n}"), n)).collect();
    let running: Vec<_> = requests.iter().map(|r| command(&centre.path("data"), &["unit", "admit", r]).spawn().expect("started")).collect();
    for child in running {
        assert!(child.wait_with_output().expect("ended").status.success(), "nobody overwrites what another has published");
    }
    assert_eq!(centre.json(&["unit", "list"]).len(), 4);
    let checked = centre.json(&["fsck"]).pop().expect("a summary");
    assert_eq!((&checked["fsck"], &checked["entries"]), (&"clean".into(), &8.into()));
}

#[test]
fn a_lost_database_and_a_missing_guard() {
    let centre = Centre::founded();
    let checkpoint = centre.json(&["log", "checkpoint"]);
    for name in ["centre.db", "centre.db-wal", "centre.db-shm"] {
        let _ = fs::remove_file(centre.path("data").join(name));
    }
    assert_eq!(exit(&centre.run(&["fsck"])), Some(7), "the database is lost");
    centre.json(&["log", "time", "confirm", "--yes"]); // whatever sequences catches up first
    assert_ne!(centre.json(&["log", "checkpoint"]), checkpoint);
    assert_eq!(exit(&centre.run(&["log", "time", "confirm"])), Some(2), "permanent, so it asks");
    assert_eq!(centre.json(&["fsck"]).last().expect("a summary")["fsck"], "clean");
    fs::rename(centre.path("data/guard"), centre.path("elsewhere")).expect("not mounted");
    assert_eq!(exit(&centre.run(&["log", "time", "confirm", "--yes"])), Some(7));
    assert!(!centre.path("data/guard").exists(), "never made in passing");
    fs::rename(centre.path("elsewhere"), centre.path("data/guard")).expect("mounted");
    fs::rename(centre.path("data/archive"), centre.path("elsewhere")).expect("not mounted");
    assert_eq!(exit(&centre.run(&["log", "time", "confirm", "--yes"])), Some(7));
}

#[test]
fn doctor_is_red_until_the_recovery_identity_was_tried() {
    let centre = Centre::founded();
    let done = centre.run(&["--json", "doctor"]);
    assert_eq!(exit(&done), Some(1));
    let recovery = lines(&done).into_iter().find(|l| l["about"] == "recovery identity").expect("looked at");
    assert_eq!(recovery["health"], "error");
    let (file, wrong) = (centre.path("data-recovery.age").display().to_string(), centre.path("data-auditor.age").display().to_string());
    let pass = centre.path("pass").display().to_string();
    assert_ne!(exit(&centre.run(&["doctor", "--recovery", &wrong, "--passphrase-file", &pass])), Some(0), "another identity");
    let bad = centre.path("bad");
    fs::write(&bad, "not it\n").expect("written");
    assert_eq!(exit(&centre.run(&["doctor", "--recovery", &file, "--passphrase-file", &bad.display().to_string()])), Some(12));
    let proven = centre.json(&["doctor", "--recovery", &file, "--passphrase-file", &pass]);
    assert_eq!(proven.last().map(|l| l["errors"].clone()), Some(0.into()), "{proven:?}");
    assert!(centre.run(&["doctor"]).status.success(), "and stays proven");
}

#[test]
fn identities_and_keys_get_another_passphrase() {
    let centre = Centre::founded();
    let (recovery, pass) = (centre.path("data-recovery.age").display().to_string(), centre.path("pass").display().to_string());
    let new = centre.path("new-pass").display().to_string();
    let change =
        |file: &str, old: &str| centre.run(&["passphrase", "change", file, "--passphrase-file", old, "--new-passphrase-file", &new]);
    fs::write(&new, "short\n").expect("written");
    assert_eq!(exit(&change(&recovery, &pass)), Some(12), "judged as strictly as at the founding");
    fs::copy(&pass, &new).expect("copied");
    assert_eq!(exit(&change(&recovery, &pass)), Some(4), "the same once more");
    fs::write(&new, "thirteen oxen under a copper moon, once\n").expect("written");
    let before = fs::read(&recovery).expect("there");
    assert_eq!(exit(&change(&recovery, &new)), Some(12), "not the present one");
    assert_eq!(fs::read(&recovery).expect("there"), before);
    assert!(change(&recovery, &pass).status.success());
    assert_eq!(exit(&centre.run(&["doctor", "--recovery", &recovery, "--passphrase-file", &pass])), Some(12), "the old one opens nothing");
    let proven = centre.json(&["doctor", "--recovery", &recovery, "--passphrase-file", &new]);
    assert_eq!(proven.last().map(|l| l["errors"].clone()), Some(0.into()), "{proven:?}");
    let plain = centre.path("data/keys/log.key").display().to_string();
    assert_eq!(exit(&change(&plain, &pass)), Some(7), "under no passphrase");
    // a key of staff, by the measure of people
    let key = centre.path("amina.key").display().to_string();
    centre.json(&["staff", "add", "amina", "--role", "adjudicator", "--key", &key, "--passphrase-file", &pass]);
    fs::write(&new, "a blue ladder, two\n").expect("written");
    assert!(change(&key, &pass).status.success());
    assert_eq!(exit(&change(&key, &pass)), Some(12));
}

#[test]
fn a_protected_roster_key_needs_its_passphrase() {
    let centre = Centre { dir: tempfile::tempdir().expect("a folder") };
    centre.choose();
    let pass = centre.path("roster-pass").display().to_string();
    let protect = ["--protect-roster-key", "--roster-passphrase-file", &pass];
    assert!(centre.init("data", &protect).status.success());
    let request = centre.unit_request("van-017", 1);
    assert_eq!(exit(&centre.run(&["unit", "admit", &request])), Some(2), "no terminal to ask on");
    let bad = centre.path("bad");
    fs::write(&bad, "not it\n").expect("written");
    assert_eq!(exit(&centre.run(&["unit", "admit", &request, "--passphrase-file", &bad.display().to_string()])), Some(12));
    assert!(centre.run(&["unit", "admit", &request, "--passphrase-file", &pass]).status.success());
    let key = fs::read(centre.path("data-roster.key")).expect("made");
    assert!(key.starts_with(b"age-encryption.org/v1"));
}

/// Nothing is made by a command that sets a secret which does not hold.
#[test]
fn secrets_that_are_weak_or_equal_are_refused_before_anything_is_made() {
    let centre = Centre { dir: tempfile::tempdir().expect("a folder") };
    centre.choose();
    let weak = centre.path("weak").display().to_string();
    let file = |name: &str| centre.path(name).display().to_string();
    let (recovery, roster) = (file("pass"), file("roster-pass"));
    let refused = |more: &[&str], code: &str| {
        let done = centre.init("data", &[&["--json"], more].concat());
        let said = lines(&done).pop().expect("an error");
        assert_eq!((exit(&done), said["code"].as_str()), (Some(12), Some(code)), "{more:?}: {said}");
        assert!(!centre.path("data").exists() && !centre.path("data-recovery.age").exists(), "nothing was made");
        said.to_string() + &String::from_utf8_lossy(&done.stderr)
    };
    for text in ["x", "recovery", "passwordpassword1234567890", "four words make one"] {
        fs::write(&weak, format!("{text}\n")).expect("written");
        for flag in ["--recovery-passphrase-file", "--auditor-passphrase-file"] {
            let said = refused(&[flag, &weak], "passphrase-weak");
            assert!(text.len() < 10 || !said.contains(text), "the refusal quotes nothing: {said}");
        }
        refused(&["--protect-roster-key", "--roster-passphrase-file", &weak], "passphrase-weak");
    }
    refused(&["--auditor-passphrase-file", &recovery], "passphrase-reused");
    refused(&["--protect-roster-key", "--roster-passphrase-file", &recovery], "passphrase-reused");
    // one file for all of them is no option any more, nor is a passphrase for a key that is to have none
    for more in [["--passphrase-file", &recovery], ["--roster-passphrase-file", &roster]] {
        assert_eq!(exit(&centre.init("data", &more)), Some(2), "{more:?}");
    }
    assert!(centre.init("data", &[]).status.success());
}

#[test]
fn a_data_folder_that_was_open_to_others_is_closed() {
    use std::os::unix::fs::PermissionsExt as _;
    let centre = Centre { dir: tempfile::tempdir().expect("a folder") };
    centre.choose();
    fs::create_dir(centre.path("data")).expect("made");
    for folder in ["data", "."] {
        fs::set_permissions(centre.path(folder), fs::Permissions::from_mode(0o755)).expect("set");
    }
    assert!(centre.init("data", &[]).status.success());
    let mode = |name: &str| fs::metadata(centre.path(name)).expect("there").permissions().mode() & 0o777;
    assert_eq!((mode("data"), mode("data/keys"), mode("data/archive")), (0o700, 0o700, 0o700));
    assert_eq!((mode("data/centre.db"), mode("data/keys/log.key"), mode("data-recovery.age")), (0o600, 0o600, 0o600));
    assert_eq!(mode("."), 0o755, "the folder that a person named for the identities is theirs");
}

#[test]
fn pages_and_completions_are_made() {
    let dir = tempfile::tempdir().expect("a folder");
    let man = dir.path().join("man").display().to_string();
    assert!(command(dir.path(), &["man", &man]).output().expect("ran").status.success());
    assert!(Path::new(&man).join("sync-server.1").exists());
    let done = command(dir.path(), &["completions", "bash"]).output().expect("ran");
    assert!(String::from_utf8_lossy(&done.stdout).contains("sync-server"));
}
