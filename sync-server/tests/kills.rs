//! Killed, or failed by the disk, at every durable system call of a command that logs something; then started again.
//!
//! Needs strace; without it the tests say so and pass nothing off as done.
#![allow(clippy::disallowed_methods, reason = "tests act as shell and disk")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use serde_json::Value;
use shared::{id::Member, keys::Signer, roster::request::UnitRequest};
use tempfile::TempDir;

/// What makes something durable, or visible. Each is a series of its own, because strace counts calls by thread: its
/// `when=k` is the k-th such call of whichever thread gets there first.
const CALLS: [&str; 5] = ["fsync", "fdatasync", "rename", "renameat2", "unlink"];
/// More calls of one kind than any thread of these commands makes.
const MOST: u32 = 40;

const SERVER: &str = env!("CARGO_BIN_EXE_sync-server");

fn strace_is_there() -> bool {
    let there = Command::new("strace").arg("-V").stdout(Stdio::null()).status().is_ok_and(|s| s.success());
    if !there {
        println!("skipped: strace is not installed");
    }
    there
}

fn founded() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().expect("a folder");
    let beside = |name: &str| dir.path().join(name).display().to_string();
    fs::write(beside("pass"), "a long passphrase\n").expect("written");
    let data = dir.path().join("data");
    let (pass, recovery, auditor, key) = (beside("pass"), beside("recovery.age"), beside("auditor.age"), beside("roster.key"));
    let args = ["init", "--centre", "registry.example", "--passphrase-file", &pass, "--recovery", &recovery];
    let more = ["--auditor", &auditor, "--roster-key", &key];
    assert!(run(&data, &[&args[..], &more].concat()).status.success());
    (dir, data)
}

fn run(data: &Path, args: &[&str]) -> Output {
    Command::new(SERVER).args(["--json", "--data-dir"]).arg(data).args(args).output().expect("ran")
}

/// Runs a command under a fault at the `k`th call of a kind.
fn run_faulty(data: &Path, args: &[&str], call: &str, fault: &str, k: u32) -> Output {
    let inject = format!("inject={call}:{fault}:when={k}");
    let trace = ["-f", "-qq", "-o", "/dev/null", "-e", &inject, SERVER, "--json", "--data-dir"];
    Command::new("strace").args(trace).arg(data).args(args).output().expect("ran")
}

fn last(done: &Output) -> Option<Value> {
    String::from_utf8_lossy(&done.stdout).lines().last().and_then(|line| serde_json::from_str(line).ok())
}

/// The log index that a command has acknowledged.
fn acknowledged(done: &Output) -> Option<u64> {
    last(done).filter(|line| line["message_type"] == "summary").and_then(|line| line["log_index"].as_u64())
}

fn entries_when_clean(data: &Path) -> u64 {
    let done = run(data, &["fsck"]);
    let summary = last(&done).expect("a summary");
    assert_eq!(summary["fsck"], "clean", "{}", String::from_utf8_lossy(&done.stdout));
    summary["entries"].as_u64().expect("a number")
}

/// After a fault the next command works, follows the last acknowledged entry, and everything checks.
fn goes_on(data: &Path, acknowledged_so_far: u64, what: &str) -> u64 {
    let done = run(data, &["log", "time", "confirm"]);
    let index = acknowledged(&done).unwrap_or_else(|| panic!("{what}: {}", String::from_utf8_lossy(&done.stdout)));
    assert!(index > acknowledged_so_far, "{what}: an acknowledged entry is gone");
    assert_eq!(entries_when_clean(data), index + 1, "{what}");
    index
}

#[test]
fn killed_at_every_durable_call_while_sequencing() {
    if !strace_is_there() {
        return;
    }
    let (_dir, data) = founded();
    let (mut seen, mut points) = (0, 0);
    for call in CALLS {
        for k in 1..=MOST {
            let done = run_faulty(&data, &["log", "time", "confirm"], call, "signal=KILL", k);
            if done.status.success() {
                break; // fewer calls than that
            }
            points += 1;
            seen = acknowledged(&done).unwrap_or(seen).max(seen);
            seen = goes_on(&data, seen, &format!("killed at {call} {k}"));
        }
    }
    println!("{points} points");
    // calls are counted per thread, so how many there are differs from run to run
    assert!(points >= 4, "{points}: segment, guard and commit have a call each at least");
}

#[test]
fn no_acknowledgement_after_an_error_of_the_disk() {
    if !strace_is_there() {
        return;
    }
    let (_dir, data) = founded();
    let (mut seen, mut refused) = (0, 0);
    for (call, error) in CALLS.iter().flat_map(|c| [(c, "error=EIO"), (c, "error=ENOSPC")]) {
        for k in 1..=MOST {
            let what = format!("{call} {k} {error}");
            let before = entries_when_clean(&data);
            let done = run_faulty(&data, &["log", "time", "confirm"], call, error, k);
            if let Some(index) = acknowledged(&done) {
                // met after the answer was durable (closing the database), or never
                assert_eq!(index, before, "{what}");
                break;
            }
            assert!(!done.status.success(), "{what}");
            refused += 1;
            seen = goes_on(&data, seen, &what);
        }
    }
    println!("{refused} refused");
    assert!(refused >= 4, "only {refused} refused");
}

#[test]
fn a_unit_is_admitted_once_wherever_the_command_is_killed() {
    if !strace_is_there() {
        return;
    }
    let (dir, data) = founded();
    let mut admitted = 0_usize;
    for (call, k) in CALLS.iter().flat_map(|call| (1..=3).map(move |k| (call, k))) {
        let what = format!("killed at {call} {k}");
        let name: Member = format!("van-{call}-{k}").parse().expect("a name");
        let path = dir.path().join("unit.request");
        let note = UnitRequest::sign(&name, &Signer::from_seed((&name).into(), &[7; 32]));
        fs::write(&path, note.as_bytes()).expect("written");
        let args = ["unit", "admit", &path.display().to_string()];
        let done = run_faulty(&data, &args, call, "signal=KILL", k);
        let again = run(&data, &args);
        let nothing_to_do = again.status.code() == Some(4);
        assert!(again.status.success() || nothing_to_do, "{what}: {}", String::from_utf8_lossy(&again.stdout));
        if acknowledged(&done).is_some() {
            assert!(nothing_to_do, "{what}: what was acknowledged is there");
        }
        admitted += 1;
        let listed = run(&data, &["unit", "list"]);
        assert_eq!(last(&listed).and_then(|l| l["units"].as_u64()), Some(admitted as u64), "{what}");
    }
    entries_when_clean(&data);
}
