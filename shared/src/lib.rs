//! The bytes that both sides of enrolment agree on: pure, sans-IO.
//!
//! ```text
//!  unit                                                    centre
//!  Draft → Record → SealedRecord → Batch ═══ transfer ═══▶ ReceivedBatch → VerifiedBatch → LoggedBatch → MergedBatch
//!          form      seal          batch     hello                         verify          log           merge
//!                                            ◀════════════════════════════════════════════ receipt ═════ outcome
//! ```
//!
//! Ground first, then one file a stage, in the road's order. `SPEC.md` beside this crate has the bytes.

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests read vectors from files; the crate itself is sans-IO"))]

#[cfg(test)]
#[path = "../../tests/src/skipped.rs"]
mod skipped;

// ground
pub mod text;
pub mod id;
pub mod time;
pub mod keys;
pub mod note;
pub mod slip;
pub mod problem;
pub mod rules;

// the road
pub mod roster;
pub mod force;
#[cfg(feature = "form")]
pub mod form;
#[cfg(feature = "form")]
pub mod draft;
#[cfg(feature = "form")]
pub mod image;
#[cfg(feature = "seal")]
pub mod record;
pub mod seal;
pub mod batch;
pub mod hello;
pub mod verify;
pub mod log;
pub mod receipt;
pub mod outcome;
pub mod decision;
#[cfg(feature = "form")]
pub mod merge;

#[cfg(feature = "sample")]
pub mod sample;
