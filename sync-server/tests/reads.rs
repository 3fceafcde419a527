//! The commands that read, as a person types them: nothing personal without a reason, and nothing before it is on record.
#![allow(clippy::disallowed_methods, reason = "a test sets up real files")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use tempfile::TempDir;

struct Centre {
    dir: TempDir,
}

impl Centre {
    fn made() -> Self {
        let centre = Self { dir: tempfile::tempdir().expect("a folder") };
        let path = |name: &str| centre.dir.path().join(name).display().to_string();
        let (own, others) = (path("recovery.passphrase"), path("auditor.passphrase"));
        fs::write(&own, "quarry lantern eleven oboe thistle\n").expect("written");
        fs::write(&others, "violet anchor hamster dune sextant\n").expect("written");
        let (recovery, auditor, roster_key) = (path("recovery.age"), path("auditor.age"), path("roster.key"));
        let secrets = ["--recovery-passphrase-file", &own, "--auditor-passphrase-file", &others];
        let who = [&["init", "--centre", "registry.example"][..], &secrets].concat();
        let outside = ["--recovery", &recovery, "--auditor", &auditor, "--roster-key", &roster_key];
        let made = centre.run(&[&who[..], &outside[..]].concat());
        assert_eq!(made.status.code(), Some(0), "{}", String::from_utf8_lossy(&made.stderr));
        centre
    }

    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sync-server"));
        command.arg("--data-dir").arg(self.data()).arg("--json").args(arguments);
        command.output().expect("started")
    }

    /// Exit code and the last line.
    fn ask(&self, arguments: &[&str]) -> (Option<i32>, serde_json::Value) {
        let output = self.run(arguments);
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        let last = text.lines().last().map_or(serde_json::Value::Null, |line| serde_json::from_str(line).expect("JSON"));
        (output.status.code(), last)
    }

    fn log_size(&self) -> u64 {
        self.ask(&["log", "checkpoint"]).1["size"].as_u64().expect("a size")
    }
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("listed").map(|e| e.expect("read").path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[test]
fn nothing_personal_without_a_reason_and_nothing_before_it_is_on_record() {
    let centre = Centre::made();
    let before = centre.log_size();
    assert_eq!(centre.ask(&["resident", "find", "--name", "nobody"]).0, Some(2));
    assert_eq!(centre.ask(&["resident", "find", "--name", "nobody", "--reason", "  "]).0, Some(2));
    assert_eq!(centre.log_size(), before, "nothing was read");
    let reason = "asked-by-phone-4711";
    let (exit, last) = centre.ask(&["resident", "find", "--number", "AB 123", "--reason", reason]);
    assert_eq!((exit, last["code"].as_str()), (Some(1), Some("resident-unknown")));
    assert_eq!(centre.log_size(), before + 1, "that somebody was looked for is on record");
    let (exit, last) = centre.ask(&["case", "list", "--reason", reason]);
    assert_eq!((exit, last["cases"].as_u64()), (Some(0), Some(0)));
    assert_eq!(centre.log_size(), before + 2);
    for file in files(&centre.data()) {
        let bytes = fs::read(&file).expect("read");
        assert!(!bytes.windows(reason.len()).any(|w| w == reason.as_bytes()), "{} has the reason in the open", file.display());
    }
    // what can't be recorded is not answered
    fs::rename(centre.data().join("archive"), centre.dir.path().join("unmounted")).expect("moved");
    let output = centre.run(&["case", "list", "--reason", reason]);
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert_eq!(output.status.code(), Some(7));
    assert_eq!(text.lines().count(), 1, "the error and nothing else: {text}");
    fs::rename(centre.dir.path().join("unmounted"), centre.data().join("archive")).expect("moved back");
    assert_eq!(centre.log_size(), before + 2);
}

#[test]
fn rebuild_and_fsck_of_a_new_centre_agree() {
    let centre = Centre::made();
    let (exit, fsck) = centre.ask(&["fsck"]);
    assert_eq!((exit, fsck["fsck"].as_str()), (Some(0), Some("clean")), "{fsck}");
    let (exit, rebuilt) = centre.ask(&["rebuild"]);
    assert_eq!((exit, rebuilt["agrees"].as_bool()), (Some(0), Some(true)), "{rebuilt}");
    assert_eq!(rebuilt["registry_digest"], fsck["registry_digest"]);
    assert_eq!(centre.ask(&["record", "trace", "1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed"]).0, Some(1));
}
