//! The only reader of the clock. Everything else takes `now` as a value.
//!
//! **Trust:** none. A laptop's clock may be years off, or set back by its user; a server's may be wrong as well. A unit
//! records it and takes order from numbers and chain; the centre lets only log time bound anything. The boot id and the
//! milliseconds since boot let staff see afterwards that a clock was moved.
#![allow(clippy::disallowed_methods, reason = "this file owns the clock")]

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use shared::{
    problem::{Code, Problem},
    time::Second,
};

/// What the clocks of a machine say at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// The wall clock, as it is.
    pub raw: Second,
    /// Random id of this boot, a UUID.
    pub boot: String,
    /// Milliseconds since then, sleep included.
    pub boot_ms: u64,
}

/// The second that the wall clock shows. A clock before 1970 shows 1970.
pub fn now() -> Second {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Second::from_unix(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}

/// The wall clock together with the boot's own clock.
pub fn reading() -> Result<Reading, Problem> {
    let boot = kernel("/proc/sys/kernel/random/boot_id")?.trim().to_owned();
    Ok(Reading { raw: now(), boot, boot_ms: since_boot()? })
}

fn kernel(path: &str) -> Result<String, Problem> {
    std::fs::read_to_string(path).map_err(|e| Problem::new(Code::IoFailed, format!("{path}: {}", e.kind())))
}

/// Milliseconds since the boot, sleep included.
fn since_boot() -> Result<u64, Problem> {
    let uptime = kernel("/proc/uptime")?;
    milliseconds(uptime.split(' ').next().unwrap_or("")).ok_or_else(|| Problem::new(Code::IoFailed, "/proc/uptime"))
}

/// `5123.45` → 5123450
fn milliseconds(seconds: &str) -> Option<u64> {
    let (whole, hundredths) = seconds.split_once('.')?;
    Some(whole.parse::<u64>().ok()? * 1000 + hundredths.parse::<u64>().ok()? * 10)
}

/// A point of time from which idle minutes count, those of a closed lid too.
#[derive(Debug, Clone, Copy)]
pub struct Awake(u64);

impl Awake {
    /// This moment.
    pub fn now() -> Result<Self, Problem> {
        since_boot().map(Self)
    }
    /// How long ago it was; for ever when the kernel does not tell.
    pub fn elapsed(self) -> Duration {
        since_boot().map_or(Duration::MAX, |now| Duration::from_millis(now.saturating_sub(self.0)))
    }
}

/// A point of time that only ever goes forward, for pauses, rates and the end of a run.
#[derive(Debug, Clone, Copy)]
pub struct Steady(Instant);

impl Steady {
    /// This moment.
    pub fn now() -> Self {
        Self(Instant::now())
    }
    /// How long ago it was.
    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_tells_boot_and_uptime() {
        let reading = reading().expect("a Linux kernel");
        assert_eq!(reading.boot.len(), 36);
        assert!(reading.boot_ms > 0);
        assert_eq!(milliseconds("5123.45"), Some(5_123_450));
        assert_eq!(milliseconds("x"), None);
    }
}
