//! The child's side: this program, started again to open one record and end.
//!
//! **Invariants:** memory and time are limited before the first byte is read; what is said
//! on standard output is an answer or nothing.

use std::{
    io::{self, Write as _},
    process::ExitCode,
};

use rustix::process::{Resource, Rlimit, setrlimit};

use super::{record, wire};

/// Address space of a child, in bytes: some four times what the largest record that is taken needs.
const MEMORY: u64 = 512 << 20;
/// Processor time of a child, in seconds: some hundred times what the largest record that is taken needs. Not time on the
/// wall: a machine that stood still holds nobody's record.
const SECONDS: u64 = 20;

/// Opens the record that standard input brings. Success only with an answer.
pub fn main() -> ExitCode {
    match run() {
        Some(()) => ExitCode::SUCCESS,
        None => ExitCode::FAILURE,
    }
}

fn run() -> Option<()> {
    limit(Resource::As, MEMORY)?;
    limit(Resource::Cpu, SECONDS)?;
    let parcel = wire::asked(&mut io::stdin().lock())?;
    let answer = wire::answer(record::open(&parcel.sealed, &parcel.job, &parcel.identities));
    let mut out = io::stdout().lock();
    out.write_all(&answer).and_then(|()| out.flush()).ok()
}

/// At most so much; less when this process may use less already.
fn limit(resource: Resource, most: u64) -> Option<()> {
    let now = rustix::process::getrlimit(resource);
    let most = [now.current, now.maximum].into_iter().flatten().fold(most, u64::min);
    setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) }).ok()
}
