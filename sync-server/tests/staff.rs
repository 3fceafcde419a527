//! Keys and decisions at the centre, by the real binary: who is admitted, who ends, who decides, and what is open.
#![allow(clippy::disallowed_methods, reason = "tests act as shell and disk")]

#[path = "staff/centre.rs"]
mod centre;
#[path = "staff/decisions.rs"]
mod decisions;
#[path = "staff/keys.rs"]
mod keys;
#[path = "staff/open.rs"]
mod open;
#[path = "staff/van.rs"]
mod van;
