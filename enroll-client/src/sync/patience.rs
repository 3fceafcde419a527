//! How long to wait before trying again, how fast to send, and when to send at all.
//!
//! | what | rule |
//! |---|---|
//! | pause before try *n* | a random part of min(cap, first · 2ⁿ) (full jitter), never less than the centre's Retry-After |
//! | rate | after `n` bytes at least `n / rate` seconds have gone by |
//! | window | `20:00-06:00` in the laptop's own time zone; may go over midnight |
//!
//! Full jitter, because hundreds of units come back into reach at the same hour of the evening.
//! **Invariants:** pure but for [`Deadline`], which counts on the steady clock.

use std::{str::FromStr, time::Duration};

use jiff::{Timestamp, civil::Time, tz::TimeZone};
use shared::time::Second;

use crate::clock::Steady;

/// When to try again, and when to give up for this run.
#[derive(Debug, Clone, Copy)]
pub struct Backoff {
    /// Upper end of the first pause.
    pub first: Duration,
    /// Upper end of every pause.
    pub cap: Duration,
    /// Tries of one thing in one run.
    pub tries: u32,
}

impl Backoff {
    /// What suits a mobile network.
    pub const USUAL: Self = Self { first: Duration::from_secs(1), cap: Duration::from_mins(1), tries: 8 };

    /// The pause after the `n`th failure (from 0); `draw` is uniformly random; `after` is the centre's Retry-After.
    pub fn pause(&self, n: u32, draw: u32, after: Option<Duration>) -> Duration {
        let most = self.first.saturating_mul(1 << n.min(20)).min(self.cap);
        let jitter = most.mul_f64(f64::from(draw) / f64::from(u32::MAX));
        // spread over what the centre asked for too: it says the same to everybody
        after.map_or(jitter, |after| after + jitter.min(after))
    }
}

/// The pause that keeps `sent` bytes within `rate` bytes a second, `gone` after the first of them.
pub fn pause_for_rate(sent: u64, gone: Duration, rate: Option<u64>) -> Duration {
    let Some(rate) = rate.filter(|&r| r > 0) else { return Duration::ZERO };
    let due = Duration::from_millis(sent.saturating_mul(1000) / rate);
    due.saturating_sub(gone)
}

/// Bytes to send at a time: small under a small rate, so that the line is never silent for long.
pub fn piece(rate: Option<u64>) -> usize {
    const MOST: u64 = 256 << 10;
    let wanted = rate.map_or(MOST, |r| (r / 4).clamp(512, MOST));
    usize::try_from(wanted).expect("at most 256 KiB")
}

/// A time of day at which sending is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    from: Time,
    to: Time,
}

impl FromStr for Window {
    type Err = String;
    fn from_str(s: &str) -> Result<Self, String> {
        let time = |t: &str| match t.as_bytes() {
            [_, _, b':', _, _] => Time::strptime("%H:%M", t).ok(),
            _ => None,
        };
        let (from, to) = s.split_once('-').ok_or("a window is written 20:00-06:00")?;
        match (time(from), time(to)) {
            (Some(from), Some(to)) if from != to => Ok(Self { from, to }),
            _ => Err("a window is written 20:00-06:00".to_owned()),
        }
    }
}

impl std::fmt::Display for Window {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.from.strftime("%H:%M"), self.to.strftime("%H:%M"))
    }
}

impl Window {
    /// How long it stays open; `None` when it is closed.
    pub fn open_for(&self, now: Second, zone: &TimeZone) -> Option<Duration> {
        let here = Timestamp::from_second(now.unix()).ok()?.to_zoned(zone.clone()).time();
        let seconds = |t: Time| i64::from(t.hour()) * 3600 + i64::from(t.minute()) * 60 + i64::from(t.second());
        let (now, from, to) = (seconds(here), seconds(self.from), seconds(self.to));
        let open = if from < to { (from..to).contains(&now) } else { now >= from || now < to };
        let left = (to - now).rem_euclid(86_400);
        open.then(|| Duration::from_secs(u64::try_from(left).unwrap_or(0)))
    }
}

/// The end of a run.
#[derive(Debug, Clone, Copy)]
pub struct Deadline {
    begun: Steady,
    allowed: Duration,
}

impl Deadline {
    /// So much from now on.
    pub fn of(allowed: Duration) -> Self {
        Self { begun: Steady::now(), allowed }
    }
    /// What is left.
    pub fn left(&self) -> Duration {
        self.allowed.saturating_sub(self.begun.elapsed())
    }
    /// Nothing is left.
    pub fn is_over(&self) -> bool {
        self.left().is_zero()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_the_cap_and_are_spread() {
        let backoff = Backoff { first: Duration::from_secs(1), cap: Duration::from_mins(1), tries: 8 };
        let longest = |n| backoff.pause(n, u32::MAX, None).as_secs();
        assert_eq!([longest(0), longest(1), longest(5), longest(6), longest(31)], [1, 2, 32, 60, 60]);
        assert_eq!(backoff.pause(6, 0, None), Duration::ZERO, "any part of it");
        assert_eq!(backoff.pause(6, u32::MAX / 2, None).as_secs(), 29);
    }

    #[test]
    fn the_centres_word_is_the_least_and_spread_too() {
        let backoff = Backoff::USUAL;
        let after = Some(Duration::from_secs(30));
        assert_eq!(backoff.pause(0, 0, after).as_secs(), 30);
        assert_eq!(backoff.pause(9, u32::MAX, after).as_secs(), 60, "at most twice of what was asked");
    }

    #[test]
    fn the_rate_counts_from_the_first_byte() {
        let pause = |sent, gone| pause_for_rate(sent, Duration::from_millis(gone), Some(1000)).as_millis();
        assert_eq!([pause(500, 0), pause(500, 200), pause(500, 900)], [500, 300, 0]);
        assert_eq!(pause_for_rate(u64::MAX, Duration::ZERO, None), Duration::ZERO);
        assert_eq!([piece(None), piece(Some(8000)), piece(Some(1)), piece(Some(u64::MAX))], [256 << 10, 2000, 512, 256 << 10]);
    }

    #[test]
    fn a_window_may_go_over_midnight() {
        let at = |text: &str| text.parse::<Second>().expect("a time");
        let open = |window: &str, now: &str, zone: &TimeZone| {
            window.parse::<Window>().expect("a window").open_for(at(now), zone).map(|d| d.as_secs() / 60)
        };
        let utc = TimeZone::UTC;
        assert_eq!(open("20:00-06:00", "2026-11-20T21:00:00Z", &utc), Some(540));
        assert_eq!(open("20:00-06:00", "2026-11-20T05:59:00Z", &utc), Some(1));
        assert_eq!(open("20:00-06:00", "2026-11-20T06:00:00Z", &utc), None);
        assert_eq!(open("20:00-06:00", "2026-11-20T19:59:59Z", &utc), None);
        assert_eq!(open("08:00-18:00", "2026-11-20T12:00:00Z", &utc), Some(360));
        assert_eq!(open("08:00-18:00", "2026-11-20T07:00:00Z", &utc), None);
        let east = TimeZone::fixed(jiff::tz::offset(1));
        assert_eq!(open("08:00-18:00", "2026-11-20T07:00:00Z", &east), Some(600), "in the laptop's own zone");
        for bad in ["", "20:00", "20:00-20:00", "8:00-18:00", "25:00-06:00", "20:00-06:00x"] {
            assert!(bad.parse::<Window>().is_err(), "{bad:?}");
        }
    }
}
