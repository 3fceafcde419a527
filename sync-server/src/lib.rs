//! The centre: takes batches in, verifies, logs, merges, answers with receipts and outcomes.
//!
//! ```text
//!  unit ══▶ Staging ──▶ verify ──▶ Archive ──▶ segment ──▶ Guard (commit point) ──▶ Ledger ──▶ receipt
//!           ReceivedBatch          VerifiedBatch           LoggedBatch                        merge ──▶ outcome
//! ```
//!
//! Below is `ground`, which both programs stand on. Then the road in its order, then what people type.

// ground: each owns one effect on the outside world
pub use ground::{clock, durable, entropy, sabotage};
pub mod settings;
pub mod keys;
pub mod tls;

#[cfg(test)]
mod fixtures;
#[cfg(test)]
#[path = "../../tests/src/skipped.rs"]
mod skipped;
#[cfg(test)]
#[path = "../../tests/src/figures.rs"]
mod figures;

// where things are kept
pub mod store;

// what is merged, and by which rules
pub mod registry;
pub use ::rules;

// the road
pub mod pipeline;
pub mod centre;
pub mod joining;
pub mod founding;
pub mod fsck;
pub mod facts;
pub mod doctor;
pub mod access;
pub mod rebuilding;
pub mod scrub;

// the front door
pub mod http;
pub mod serving;

// what people type
pub mod cli;
