//! What a process leaves behind of what was in its memory: no core file, no panic that quotes, nothing in freed memory.
//!
//! 1. No core dump is written, and no other process of this account may look into this one.
//! 2. A panic says where it happened. Its text is left out: it can hold the very string that was being read.
//! 3. Memory that C code gives back (zstd's working space) is wiped. glibc does it when the environment said so at its
//!    start, so the program starts itself again, once, with that word added. Only the unit pays for this.
//!
//! What Rust code gives back is wiped by the allocator that a program chooses in its `main.rs`.
//! **Invariants:** where the system refuses one of these, work goes on: each is one line of several.
#![allow(clippy::disallowed_methods, reason = "glibc takes this setting from the environment only")]

use std::{env, os::unix::process::CommandExt as _, panic, process::Command};

use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};

const TUNABLES: &str = "GLIBC_TUNABLES";
/// Freed memory is filled with this byte.
const WIPE: &str = "glibc.malloc.perturb=165";

/// Steps 1 and 2: called first by every process of `program`.
pub fn settle(program: &'static str) {
    // either suffices on most machines: the first also where cores go to a program, the second also for what is started
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    panic::set_hook(Box::new(move |info| {
        let place = info.location().map_or_else(String::new, |l| format!(" at {}:{}", l.file(), l.line()));
        eprintln!("{program}: a step broke off{place}; this is a defect of the software, please report it");
    }));
}

/// Step 3, before anything else is done.
pub fn wipe_what_is_freed() {
    let given = env::var(TUNABLES).unwrap_or_default();
    if given.contains("glibc.malloc.perturb") {
        return;
    }
    let tunables = if given.is_empty() { WIPE.to_owned() } else { format!("{given}:{WIPE}") };
    if let Ok(program) = env::current_exe() {
        // the same process goes on as the same program; what comes back is the reason why it could not
        let _ = Command::new(program).args(env::args_os().skip(1)).env(TUNABLES, tunables).exec();
    }
}
