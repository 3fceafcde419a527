//! Short runs, written by hand, and what is in doubt behind them.

use super::*;
use crate::faults::script::{EIO, run};

fn doubted(script: &str) -> Vec<String> {
    let mut doubt = Doubt::default();
    for event in run(script) {
        doubt.meet(&event);
    }
    doubt.all().map(|d| d.to_string()).collect()
}

#[test]
fn bytes_whose_sync_failed_are_in_doubt_until_they_are_written_again_and_synced() {
    assert_eq!(doubted("write a 0 8; sync a"), [""; 0]);
    assert_eq!(doubted("write a 0 8; sync a EIO"), ["a from byte 0"]);
    assert_eq!(doubted("write a 0 8; sync a EIO; sync a"), ["a from byte 0"], "a second sync says nothing");
    assert_eq!(doubted("write a 0 8; sync a EIO; write a 0 8"), ["a from byte 0"], "not synced");
    assert_eq!(doubted("write a 0 8; sync a EIO; write a 0 8; sync a"), [""; 0]);
    assert_eq!(doubted("write a 0 8; sync a EIO; write a 0 4; sync a"), ["a from byte 4"], "half of it");
    assert_eq!(doubted("write a 0 8; sync a; write a 8 8; sync a EIO"), ["a from byte 8"], "the first 8 were synced");
    assert_eq!(doubted("write a 0 8; sync a EIO; length a 4"), ["a from byte 0"]);
    assert_eq!(doubted("write a 0 8; sync a EIO; length a 0"), [""; 0], "cut off");
    assert_eq!(doubted("write a 0 8; sync a EIO; unlink a; sync a"), [""; 0], "gone");
    assert_eq!(doubted("sync a EIO"), [""; 0], "nothing waited for it");
}

#[test]
fn bytes_are_the_files_by_whatever_name() {
    let linked = "write s 0 8; sync s EIO; link s .tmp-1; rename .tmp-1 b";
    assert_eq!(doubted(linked), ["b from byte 0", "s from byte 0"]);
    assert_eq!(doubted(&format!("{linked}; unlink s")), ["b from byte 0"], "one name goes, the other is left");
    assert_eq!(doubted(&format!("{linked}; unlink s; write s 0 8; sync s")), ["b from byte 0"], "another file of that name");
    assert_eq!(doubted(&format!("{linked}; unlink s; write b 0 8; sync b")), [""; 0]);
    assert_eq!(doubted("write .tmp-1 0 8; sync .tmp-1 EIO"), [""; 0], "it is swept");
    assert_eq!(doubted("write .tmp-1 0 8; sync .tmp-1 EIO; rename .tmp-1 b"), ["b from byte 0"]);
    assert_eq!(doubted("write b 0 8; sync b EIO; write .tmp-1 0 8; sync .tmp-1; rename .tmp-1 b"), [""; 0], "replaced");
}

#[test]
fn names_are_in_doubt_until_they_are_given_anew_and_synced_or_taken() {
    let failed = "create f/a; sync f EIO";
    assert_eq!(doubted("create f/a; sync f"), [""; 0]);
    assert_eq!(doubted(failed), ["the name f/a"]);
    assert_eq!(doubted(&format!("{failed}; sync f")), ["the name f/a"]);
    assert_eq!(doubted(&format!("{failed}; create f/b; sync f")), ["the name f/a"], "one that was for others says nothing");
    assert_eq!(doubted(&format!("{failed}; rename f/.tmp-1 f/a")), ["the name f/a"], "given anew, not synced");
    assert_eq!(doubted(&format!("{failed}; rename f/.tmp-1 f/a; sync f")), [""; 0]);
    assert_eq!(doubted(&format!("{failed}; unlink f/a")), [""; 0]);
    assert_eq!(doubted(&format!("{failed}; rename f/a g/a; sync f")), [""; 0], "moved away");
    assert_eq!(doubted("folder f/d; sync f EIO"), ["the name f/d"]);
    assert_eq!(doubted("folder f/d; sync f EIO; remove f/d"), [""; 0]);
    assert_eq!(doubted("create f/.tmp-1; create f/x.lock; create f/db-shm; sync f EIO"), [""; 0], "nothing rests on these");
}

#[test]
fn what_did_not_happen_is_in_doubt() {
    assert_eq!(doubted("write a 0 8; write a 8 8 EIO"), ["a from byte 8"]);
    assert_eq!(doubted("write a 0 8; write a at 8 EIO"), ["a from byte 8"], "at the file's position");
    assert_eq!(doubted("write a 0 8 EIO; write a 0 8; sync a"), [""; 0]);
    assert_eq!(doubted("rename f/.tmp-1 f/a EIO"), ["the name f/a"]);
    assert_eq!(doubted("rename f/.tmp-1 f/a EIO; rename f/.tmp-2 f/a; sync f"), [""; 0]);
    assert_eq!(doubted("link f/a f/b EIO"), ["the name f/b"]);
    assert_eq!(doubted("link f/a f/.tmp-1 EIO; unlink f/a EIO"), [""; 0], "it is swept");
    let mut taken = run("rename f/.tmp-1 f/a EIO");
    taken[0].result = -17;
    let mut doubt = Doubt::default();
    doubt.meet(&taken[0]);
    assert_eq!(doubt.all().count(), 0, "the name is taken: no error of the disk");
    assert_ne!(EIO, -17);
}

#[test]
fn a_journal_is_void_behind_what_is_written_again_and_keeps_what_a_checkpoint_could_not_write() {
    assert_eq!(doubted("write d-wal 0 8; sync d-wal EIO"), ["d-wal from byte 0"]);
    assert_eq!(doubted("write d-wal 0 8; write d-wal 8 8; sync d-wal EIO; write d-wal 0 4; sync d-wal"), [""; 0]);
    assert_eq!(doubted("write d-wal 0 8; sync d-wal EIO; unlink d-wal"), ["d-wal from byte 0"], "not kept anywhere else");
    assert_eq!(doubted("write d-wal 0 8; sync d-wal EIO; unlink d-wal; create d-wal; write d-wal 0 8; sync d-wal"), [""; 0]);
    let checkpoint = "write d-wal 0 8; sync d-wal; write d 0 8; sync d EIO";
    assert_eq!(doubted(checkpoint), [""; 0]);
    assert_eq!(doubted("write d-wal 0 8; sync d-wal; write d 0 8 EIO"), [""; 0]);
    assert_eq!(doubted(&format!("{checkpoint}; unlink d-wal")), ["d from byte 0"], "the log went too early");
    assert_eq!(doubted(&format!("{checkpoint}; sync d; unlink d-wal")), ["d from byte 0"], "a second sync says nothing");
    assert_eq!(doubted(&format!("{checkpoint}; write d 0 8; sync d; unlink d-wal")), [""; 0]);
    assert_eq!(doubted("write d 0 8; sync d EIO"), ["d from byte 0"]);
}
