//! What a test leaves out, said where somebody reads it.
//!
//! Runners keep to themselves what a test prints that passes. So a line goes to the file that `ENROLMENT_SKIPPED` names,
//! too; `scripts/test` names one, and ends with what is in it. The tests of the other crates, which can't depend on this
//! one, take this file by its path.
#![allow(clippy::disallowed_methods, reason = "of tests only, which may do this")]

use std::{env, fmt::Display, fs::File, io::Write as _, thread};

/// Says that the test that is running is skipped, or a part of it, and why.
pub fn skip(why: impl Display) {
    println!("skipped: {why}");
    let Some(list) = env::var_os("ENROLMENT_SKIPPED") else { return };
    let why = why.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
    let line = format!("{}: {why}\n", thread::current().name().unwrap_or("a test"));
    // one write at the end of the file: many processes do this at once
    let list = File::options().create(true).append(true).open(list);
    list.and_then(|mut list| list.write_all(line.as_bytes())).expect("the list of what was skipped can be written");
}
