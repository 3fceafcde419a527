//! The real binary, with no network in reach: refusals first, then a day from draft to closed batch.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::unwrap_used, reason = "tests set up real files and processes")]

#[path = "offline/centre.rs"]
mod centre;
#[path = "offline/day.rs"]
mod day;
#[path = "offline/drafts.rs"]
mod drafts;
#[path = "offline/keeping.rs"]
mod keeping;
#[path = "offline/keys.rs"]
mod keys;
#[path = "offline/members.rs"]
mod members;
#[path = "offline/proxies.rs"]
mod proxies;
#[path = "offline/refusals.rs"]
mod refusals;
#[path = "offline/session.rs"]
mod session;
#[path = "../../tests/src/skipped.rs"]
mod skipped;
#[path = "offline/sources.rs"]
mod sources;
#[path = "offline/states.rs"]
mod states;
#[path = "offline/unit.rs"]
mod unit;
#[path = "offline/ways_out.rs"]
mod ways_out;
