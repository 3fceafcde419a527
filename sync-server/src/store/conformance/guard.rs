//! What every guard promises.
#![allow(clippy::disallowed_methods, reason = "tests act as disk and operator")]

use std::path::Path;

use shared::{
    id::Blob,
    log::{GuardLine, Hash, Head},
    problem::Code,
};

use super::code;
use crate::store::{
    Guard, Swap, empty_log,
    guard_file::{GuardFile, Make},
};

fn files(root: &Path) -> GuardFile {
    GuardFile::open(root, Make::Folder).expect("opened")
}

fn line(size: u64) -> GuardLine {
    let bytes = [u8::try_from(size).expect("small"); 32];
    GuardLine { head: Head { size, root: Hash(bytes) }, segment: Blob::of(&bytes) }
}

#[tokio::test]
async fn the_value_changes_only_from_the_one_expected() {
    let dir = tempfile::tempdir().expect("a folder");
    let guard = files(dir.path());
    assert_eq!(guard.read().await, Ok(None));
    assert_eq!(guard.swap(Some(empty_log()), line(1)).await, Ok(Swap::Other(None)), "nothing to swap yet");
    assert_eq!(guard.swap(None, empty_log()).await, Ok(Swap::Done));
    assert_eq!(guard.swap(None, line(1)).await, Ok(Swap::Other(Some(empty_log()))), "there is one already");
    assert_eq!(guard.swap(Some(empty_log()), line(1)).await, Ok(Swap::Done));
    assert_eq!(guard.swap(Some(empty_log()), line(1)).await, Ok(Swap::Done), "the same call twice is the same as once");
    assert_eq!(guard.swap(Some(line(1)), line(1)).await, Ok(Swap::Done), "making sure changes nothing");
    assert_eq!(guard.swap(Some(empty_log()), line(2)).await, Ok(Swap::Other(Some(line(1)))));
    assert_eq!(files(dir.path()).read().await, Ok(Some(line(1))), "reopened");
}

#[tokio::test]
async fn of_many_who_swap_at_once_one_wins() {
    let dir = tempfile::tempdir().expect("a folder");
    files(dir.path()).swap(None, empty_log()).await.expect("set");
    let swaps: Vec<_> = (1..=16)
        .map(|n| {
            let guard = files(dir.path()); // as 16 processes would
            tokio::spawn(async move { guard.swap(Some(empty_log()), line(n)).await })
        })
        .collect();
    let mut won = Vec::new();
    for (n, swap) in (1..).zip(swaps) {
        if swap.await.expect("ran") == Ok(Swap::Done) {
            won.push(line(n));
        }
    }
    assert_eq!(won.len(), 1);
    assert_eq!(files(dir.path()).read().await, Ok(Some(won[0])));
}

#[tokio::test]
async fn a_value_that_cannot_be_read_is_never_overwritten() {
    let dir = tempfile::tempdir().expect("a folder");
    let guard = files(dir.path());
    for damage in ["", "1 x", "1 uDPLk= sha256:00\n", "\n"] {
        std::fs::write(dir.path().join("head"), damage).expect("damaged");
        assert_eq!(code(guard.read().await), Some(Code::GuardConflict), "{damage:?}");
        assert_eq!(code(guard.swap(None, line(1)).await), Some(Code::GuardConflict), "{damage:?}");
    }
}

#[test]
fn a_volume_that_is_not_mounted_is_no_empty_guard() {
    let dir = tempfile::tempdir().expect("a folder");
    let missing = dir.path().join("guard");
    assert_eq!(code(GuardFile::open(&missing, Make::Nothing)), Some(Code::GuardMissing));
    assert!(!missing.exists());
}
