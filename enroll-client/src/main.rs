//! The program of the unit. Everything is in the library, so that tests can reach it.

use std::{alloc::System, process::ExitCode};

use zeroizing_alloc::ZeroAlloc;

/// Wipes every piece of memory that is given back: what was read, typed or decoded of a resident is gone with the
/// last value that held it, in whatever library that was.
#[global_allocator]
static MEMORY: ZeroAlloc<System> = ZeroAlloc(System);

fn main() -> ExitCode {
    enroll_client::memory::wipe_what_is_freed();
    enroll_client::memory::settle("enroll-client");
    enroll_client::sabotage::warn();
    enroll_client::cli::main()
}
