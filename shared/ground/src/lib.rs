//! What both programs stand on. Each effect on the outside world has one file here, and one owner.
//!
//! ```text
//!  enroll-client    sync-server
//!        └──── ground ────┘        files, locks, clock, entropy, passphrases, SQLite, terminal
//!                │
//!              shared              the bytes that both sides agree on; no effects
//! ```
//!
//! **Invariants:** nothing here knows units, batches or records. What only one program does stays in that program.

#![cfg_attr(test, allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests set up real files"))]

// what comes from the machine
pub mod clock;
pub mod entropy;
pub mod memory;
pub mod sabotage;

// what is kept
pub mod durable;
pub mod sqlite;

// what a person types and reads
pub mod streams;
pub mod say;
pub mod pages;
pub mod passphrase;
