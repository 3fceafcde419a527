//! What is in memory stays in memory: no core file, and panics that quote nothing.
//!
//! Keys and opened records are in the memory of `serve`. A core file would put them on a disk; the text of a panic can hold
//! the very string that was being read.

use std::panic;

use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};

/// Called first by every process of this program.
pub fn settle() {
    // either suffices on most machines: the first also where cores go to a program, the second also for what is started
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    panic::set_hook(Box::new(|info| {
        let place = info.location().map_or_else(String::new, |l| format!(" at {}:{}", l.file(), l.line()));
        eprintln!("sync-server: a step broke off{place}; this is a defect of the software, please report it");
    }));
}
