//! What needs both sides or a real process: a workshop for bad records, a world of real processes, the demo.

pub mod skipped;
pub mod figures;
pub mod defects;
pub mod world;
pub mod demo;
pub mod canary;
pub mod parsers;
pub mod seeds;
pub mod tracer;
pub mod faults;
pub mod powercut;
pub mod bench;
