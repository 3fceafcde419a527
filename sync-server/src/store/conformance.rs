//! One suite a seam: what its words promise, tried on every backend.
//!
//! "Reopened" stands for a restart: the value is dropped at that step and opened again from what is on disk.

mod archive;
mod guard;
mod ledger;
mod staging;

use shared::problem::{Code, Problem};

/// The code of a refusal.
fn code<T>(result: Result<T, Problem>) -> Option<Code> {
    result.err().map(|p| p.code)
}
