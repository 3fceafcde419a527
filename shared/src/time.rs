//! Time as text: `2026-11-20T16:02:44Z` ([`Second`]) and `2026-11-20T16:02Z` ([`Minute`]).
//!
//! The clock is never read here: `now` comes in as a value. **Invariants:** UTC only, years 1970 to 9998,
//! one spelling (jiff parses leniently, so what was parsed is printed again and compared).

use std::{fmt, str::FromStr};

use crate::id::{IdError, serde_as_text};

/// 9998-12-31T23:59:59Z
const MAX: i64 = 253_370_764_799;

/// A second in UTC; seconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Second(i64);

impl Second {
    /// From seconds since the epoch; outside of years 1970 to 9998 it is the nearest end.
    pub fn from_unix(seconds: i64) -> Self {
        Self(seconds.clamp(0, MAX))
    }
    /// Seconds since 1970-01-01T00:00:00Z.
    pub const fn unix(self) -> i64 {
        self.0
    }
    /// The minute that this second lies in.
    pub const fn minute(self) -> Minute {
        Minute(self.0.div_euclid(60))
    }
}

/// A minute in UTC; minutes since 1970-01-01T00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Minute(i64);

impl Minute {
    /// The first second of this minute.
    pub const fn start(self) -> Second {
        Second(self.0 * 60)
    }
    /// Minutes since 1970-01-01T00:00Z.
    pub const fn unix_minutes(self) -> i64 {
        self.0
    }
}

fn parse(text: &str) -> Option<i64> {
    let time: jiff::Timestamp = text.parse().ok()?;
    (time.subsec_nanosecond() == 0).then(|| time.as_second()).filter(|s| (0..=MAX).contains(s))
}

fn print(seconds: i64, format: &str) -> String {
    jiff::Timestamp::from_second(seconds).expect("between 1970 and 9998").strftime(format).to_string()
}

impl fmt::Display for Second {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&print(self.0, "%Y-%m-%dT%H:%M:%SZ"))
    }
}
impl fmt::Display for Minute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&print(self.0 * 60, "%Y-%m-%dT%H:%MZ"))
    }
}
impl fmt::Debug for Second {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl fmt::Debug for Minute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl FromStr for Second {
    type Err = IdError;
    fn from_str(s: &str) -> Result<Self, IdError> {
        parse(s).map(Self).filter(|t| t.to_string() == s).ok_or(IdError("Second"))
    }
}
impl FromStr for Minute {
    type Err = IdError;
    fn from_str(s: &str) -> Result<Self, IdError> {
        let minute = parse(s).map(|t| Self(t.div_euclid(60)));
        minute.filter(|t| t.to_string() == s).ok_or(IdError("Minute"))
    }
}
serde_as_text!(Second);
serde_as_text!(Minute);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_spelling() {
        for good in ["2026-11-20T16:02:44Z", "1970-01-01T00:00:00Z", "9998-12-31T23:59:59Z"] {
            assert_eq!(good.parse::<Second>().map(|t| t.to_string()).as_deref(), Ok(good));
        }
        for bad in [
            "2026-11-20 16:02:44Z",
            "2026-11-20T16:02:44+00:00",
            "2026-11-20T16:02:44.0Z",
            "2026-11-20T16:02Z",
            "1969-12-31T23:59:59Z",
            "2026-11-20t16:02:44z",
            "2026-02-30T00:00:00Z",
            "2016-12-31T23:59:60Z",
        ] {
            assert!(bad.parse::<Second>().is_err(), "{bad:?}");
        }
        assert_eq!("2026-11-20T16:02Z".parse::<Minute>().map(|t| t.to_string()).as_deref(), Ok("2026-11-20T16:02Z"));
        assert!("2026-11-20T16:02:00Z".parse::<Minute>().is_err());
    }
}
