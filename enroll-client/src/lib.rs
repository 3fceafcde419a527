//! The unit: enrols residents where there is no network, keeps their records sealed, closes signed
//! batches, and deletes nothing before the centre has proven that it holds it.
//!
//! ```text
//!  capture ──▶ vault: draft ──finish──▶ sealed record ──review, close──▶ batch ──sync──▶ receipt, outcome ──▶ prune
//!              agent's key               agent signs     unit signs,      hello, resume   checked, kept
//!                                                        supervisor too
//! ```
//!
//! Below is `ground`, which both programs stand on. Then the road in its order, then the command line.

#![cfg_attr(test, allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::unwrap_used, reason = "tests set up real files"))]

// ground: each owns one effect on the outside world
pub use ground::{clock, durable, entropy, memory, sabotage, say, streams};
pub mod local;
#[cfg(test)]
#[path = "../../tests/src/skipped.rs"]
mod skipped;

// what the unit keeps
pub mod cards;
pub mod vault;

// the road
pub mod joining;
pub mod rights;
pub mod cbeff;
pub mod capture;
pub mod again;
pub mod close;
pub mod proofs;
pub mod sync;
pub mod alarms;
pub mod status;
pub mod prune;
pub mod doctor;

// the command line
pub mod cli;
