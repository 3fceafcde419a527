//! A tracer of durable acts: every system call of a program that changes files under some folders, in the order in which
//! it took effect, counted over all its threads and processes; any one of them can be made to fail, or to be the last.
//!
//! ```text
//! test ── traced ── program           traced: `tests/traced`, one process a run, over ptrace and seccomp
//!                └─ its threads and children
//! traced --root FOLDER --out FILE [--data] [--fault kill,after=3,write=1,within=db,from=staging/] -- PROGRAM [ARGUMENT…]
//! ```
//!
//! A seccomp filter stops the program at the calls of `traced/src/calls.rs` only, so all else runs at full speed. One call at a
//! time is let through: while it is between entry and exit, the others wait at their entry, so that the list of events is
//! a true order of effects. Calls made without a library are seen like any other.
//!
//! The events (`--out`) are JSON Lines, each with the bytes that it names behind it, then a line feed:
//!
//! ```text
//! {"act":"write","bytes":32,"call":"pwrite64","len":32,"n":1,"offset":0,"path":"vault.db-wal","result":32,"thread":12}
//! …32 bytes…
//! ```
//!
//! **Trust:** none is needed: paths, data and results are read from the kernel.
//! **Invariants:** one event a call, written when its result is known; paths are relative to the root (with several roots:
//! to the one that holds them) and are those of the moment. Data acts on a file that has no name any more are left out:
//! nothing of them would be left after a power cut. What maps a file and writes to memory is not seen (SQLite's `-shm`).
//! A call that changes files and that the tracer cannot tell ends the run with an error. Linux on x86-64 only; elsewhere
//! [`is_missing`] says so.

mod events;
mod faults;
mod run;

pub use self::{
    events::{Act, Event, read},
    faults::{Fault, Trigger},
    run::{Traced, Tracing, is_missing},
};
