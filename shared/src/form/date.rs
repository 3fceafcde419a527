//! Partial dates: `1980`, `1980-05`, `1980-05-17`. Real days only; the Gregorian calendar (ISO 8601).

use jiff::civil::{Date, date};

use crate::{text::decimal, time::Second};

/// A date of which the day, or day and month, may not be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartialDate {
    first: Date,
    last: Date,
}

impl PartialDate {
    /// Reads the one spelling of a real date, years 1800 to 2999.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = |part: &str, len: usize| {
            let number = (part.len() == len).then(|| decimal(part.trim_start_matches('0'))).flatten()?;
            part.bytes().all(|b| b.is_ascii_digit()).then_some(number)
        };
        let mut parts = text.split('-');
        let year = i16::try_from(digits(parts.next()?, 4)?).ok().filter(|y| (1800..3000).contains(y))?;
        let month = parts.next().map(|m| digits(m, 2).and_then(|m| i8::try_from(m).ok()));
        let day = parts.next().map(|d| digits(d, 2).and_then(|d| i8::try_from(d).ok()));
        if parts.next().is_some() {
            return None;
        }
        let (first, last) = match (month, day) {
            (None, _) => (date(year, 1, 1), date(year, 12, 31)),
            (Some(month), None) => {
                let first = Date::new(year, month?, 1).ok()?;
                (first, first.last_of_month())
            }
            (Some(month), Some(day)) => {
                let exact = Date::new(year, month?, day?).ok()?;
                (exact, exact)
            }
        };
        Some(Self { first, last })
    }

    /// Does it begin after the day of `now`? A day of grace, because the day may have begun here before it did in UTC.
    pub fn is_future(self, now: Second) -> bool {
        day_of(now).tomorrow().is_ok_and(|tomorrow| self.first > tomorrow)
    }

    /// Is somebody born then certainly younger than `years` at `now`, whatever the unknown day?
    pub fn is_under(self, years: i16, now: Second) -> bool {
        let today = day_of(now);
        // born on 29 February: the birthday falls on 28 February, the earlier of the two usages
        let birthday = Date::new(self.first.year() + years, self.first.month(), self.first.day())
            .unwrap_or_else(|_| date(self.first.year() + years, 2, 28));
        today < birthday
    }

    /// Is every day of it over at `now`?
    pub fn is_past(self, now: Second) -> bool {
        self.last < day_of(now)
    }
}

fn day_of(now: Second) -> Date {
    let time = jiff::Timestamp::from_second(now.unix()).expect("a Second lies between 1970 and 9998");
    jiff::tz::TimeZone::UTC.to_datetime(time).date()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Second {
        "2026-11-20T09:12:33Z".parse().expect("time")
    }

    #[test]
    fn only_real_dates_in_one_spelling() {
        for good in ["1980", "1980-05", "1980-05-17", "2024-02-29", "1900-02-28"] {
            assert!(PartialDate::parse(good).is_some(), "{good}");
        }
        for bad in [
            "",
            "80",
            "1980-5",
            "1980-05-7",
            "1980-13",
            "1980-00",
            "1980-02-30",
            "1900-02-29",
            "1980-05-17-1",
            "1980-",
            "٢٠٢٠",
            "0000",
            "+980",
        ] {
            assert!(PartialDate::parse(bad).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn the_future_begins_after_tomorrow() {
        let future = |text| PartialDate::parse(text).expect("date").is_future(now());
        assert!(!future("2026") && !future("2026-11") && !future("2026-11-21"));
        assert!(future("2027") && future("2026-12") && future("2026-11-22"));
    }

    #[test]
    fn a_partial_date_says_under_twelve_only_when_no_day_of_it_is_older() {
        let child = |text| PartialDate::parse(text).expect("date").is_under(12, now());
        assert!(child("2015") && child("2014-12") && child("2014-11-21"));
        assert!(!child("2014") && !child("2014-11") && !child("2014-11-20"));
    }
}
