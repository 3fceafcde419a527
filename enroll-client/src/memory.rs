//! What this process leaves behind in memory: nothing of a resident.
//!
//! 1. Memory that Rust code gives back is wiped by the program's allocator (`main.rs`).
//! 2. So is what C code gives back (zstd's working space): glibc does it when the environment said so at its start, so
//!    the program starts itself again, once, with that word added.
//! 3. No core dump is written, and no other process of this account may look into this one.
//!
//! **Invariants:** where the system refuses one of these, work goes on: each is one line of several.
#![allow(clippy::disallowed_methods, reason = "glibc takes this setting from the environment only")]

use std::{env, os::unix::process::CommandExt as _, process::Command};

use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};

const TUNABLES: &str = "GLIBC_TUNABLES";
/// Freed memory is filled with this byte.
const WIPE: &str = "glibc.malloc.perturb=165";

/// Steps 2 and 3, before anything else is done.
pub fn protect() {
    let given = env::var(TUNABLES).unwrap_or_default();
    if !given.contains("glibc.malloc.perturb") {
        let tunables = if given.is_empty() { WIPE.to_owned() } else { format!("{given}:{WIPE}") };
        if let Ok(program) = env::current_exe() {
            // the same process goes on as the same program; what comes back is the reason why it could not
            let _ = Command::new(program).args(env::args_os().skip(1)).env(TUNABLES, tunables).exec();
        }
    }
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
}
