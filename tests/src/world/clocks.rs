//! Clocks that Debian's libfaketime moves.

use std::path::Path;

use super::{Broken, Program, Ran, Sure, World};

const LIBRARIES: [&str; 2] =
    ["/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1", "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1"];

/// What runs a command so many seconds later; none without the library.
pub fn seconds_later(seconds: i64) -> Option<[String; 4]> {
    let library = LIBRARIES.into_iter().find(|l| Path::new(l).exists())?;
    let time = format!("FAKETIME={}{seconds}s", if seconds < 0 { "" } else { "+" });
    Some(["env".into(), format!("LD_PRELOAD={library}"), time, "FAKETIME_DONT_FAKE_MONOTONIC=1".into()])
}

/// The same in days.
pub fn later(days: i64) -> Option<[String; 4]> {
    seconds_later(days * 86_400)
}

/// Runs a command so many days later.
pub fn run_later(program: &Program, days: i64, args: &[&str]) -> Sure<Ran> {
    let wrapper = later(days).ok_or_else(|| Broken("no libfaketime".into()))?;
    Program::end(program.command_under(&wrapper.each_ref().map(String::as_str), args), args)
}

impl World {
    /// Log time goes on by so many days, as after a pause of the centre; it does not serve afterwards.
    pub fn days_pass(&mut self, days: i64) -> Sure<()> {
        self.unplug()?;
        run_later(self.centre.program(), days, &["log", "time", "confirm", "--yes"])?.ok()?;
        Ok(())
    }
}
