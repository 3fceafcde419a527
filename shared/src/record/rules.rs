//! The rules of record.json that hold for every form.
//!
//! **Invariants:** a problem's detail names a key or a place, never a value.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::{Content, MAX_PARTS, MAX_PLAIN, Part, Target, json};
use crate::{
    id::{PartName, Transaction},
    problem::{Code, Problem},
};

/// Another version of our format is for newer software; another format is wrong.
pub(super) fn known_version(text: &str) -> Result<(), Problem> {
    #[derive(Deserialize)]
    #[serde(remote = "Self")]
    struct Head {
        format: String,
    }
    json::only_objects!(Head);
    let head: Head = json::shape(text)?;
    match head.format.strip_prefix("enroll-content/v").and_then(crate::text::decimal) {
        Some(1) => Ok(()),
        Some(_) => Err(Problem::new(Code::UpgradeNeeded, "format of record.json")),
        None => Err(Problem::new(Code::ContentInvalid, "format")),
    }
}

impl Content {
    /// The rules that hold for every form. Details name keys and places, never values.
    pub fn check(&self) -> Result<(), Problem> {
        if self.parts.len() > MAX_PARTS {
            return Err(Problem::new(Code::PartsTooMany, format!("{}, at most {MAX_PARTS}", self.parts.len())));
        }
        let new = self.transaction == Transaction::New;
        demand(new == self.applies_to.is_none(), "applies_to")?;
        demand(is_boot(&self.clock.boot), "clock")?;
        demand(is_short_text(&self.consent.text, 32), "consent")?;
        if let Some(Target::NationalNumber { national_number }) = &self.applies_to {
            demand(is_short_text(national_number, 64), "applies_to")?;
        }
        if let Some(fix) = &self.fix {
            let valid = is_degrees(&fix.lat, 90) && is_degrees(&fix.lon, 180) && is_degrees(&fix.accuracy_m, 10_000_000);
            demand(valid && !fix.accuracy_m.starts_with('-'), "fix")?;
        }
        self.check_person()?;
        let positions: BTreeSet<&str> = self.exceptions.iter().map(|e| e.position.as_str()).collect();
        demand(positions.len() == self.exceptions.len() && positions.into_iter().all(is_word), "exceptions")?;
        let names: BTreeSet<&PartName> = self.parts.iter().map(|p| &p.name).collect();
        demand(names.len() == self.parts.len(), "parts: a name twice")?;
        self.parts.iter().enumerate().try_for_each(|(i, p)| demand(p.is_valid(), &format!("part {}", i + 1)))
    }

    fn check_person(&self) -> Result<(), Problem> {
        // a key that is wrong is not named: somebody may have put a value there
        demand(self.person.keys().all(|key| is_key(key)), "person: a key")?;
        for (key, value) in &self.person {
            let valid = match value {
                // NUL does not survive PostgreSQL, and no field of a form has a use for the others
                Some(value) => !value.chars().any(char::is_control),
                None => self.transaction == Transaction::Correction,
            };
            demand(valid, &format!("person: {key}"))?;
        }
        Ok(())
    }
}

impl Part {
    /// A face, finger or eye, by the modality that its form gives it.
    pub fn is_biometric(&self) -> bool {
        ["face", "finger", "iris"].contains(&self.modality.as_str())
    }

    fn is_valid(&self) -> bool {
        let words = is_word(&self.modality) && is_word(&self.position) && is_media_type(&self.media_type);
        let device = self.device.as_deref().is_none_or(|d| is_short_text(d, 128));
        let quality = self.quality.as_ref().is_none_or(|q| q.value <= 100 && is_short_text(&q.by, 64));
        words && device && quality && self.attempt >= 1 && (1..=MAX_PLAIN).contains(&self.size)
    }
}

fn demand(holds: bool, what: &str) -> Result<(), Problem> {
    if holds { Ok(()) } else { Err(Problem::new(Code::ContentInvalid, what)) }
}

fn is_boot(text: &str) -> bool {
    uuid::Uuid::try_parse(text).is_ok_and(|id| id.hyphenated().to_string() == text)
}

fn is_short_text(text: &str, max: usize) -> bool {
    (1..=max).contains(&text.len()) && !text.chars().any(char::is_control)
}

/// `finger-left-ring`
fn is_word(text: &str) -> bool {
    let word = |w: &str| !w.is_empty() && w.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    text.len() <= 64 && text.split('-').all(word)
}

/// `given_latin`
fn is_key(text: &str) -> bool {
    let word = |w: &str| !w.is_empty() && w.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    text.len() <= 64 && text.starts_with(|c: char| c.is_ascii_lowercase()) && text.split('_').all(word)
}

/// `image/jp2`, in lower case and without parameters (RFC 6838 section 4.2).
fn is_media_type(text: &str) -> bool {
    let word = |w: &str| {
        w.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
            && w.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"!#$&-^_.+".contains(&b))
    };
    text.len() <= 64 && text.split_once('/').is_some_and(|(a, b)| word(a) && word(b))
}

/// A decimal number between -`max` and `max`: no exponent, no plus, no leading zero, at most 9 decimals.
fn is_degrees(text: &str, max: u64) -> bool {
    let text = text.strip_prefix('-').unwrap_or(text);
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let digits = (1..=9).contains(&decimals.len()) && decimals.bytes().all(|b| b.is_ascii_digit());
    let zero = decimals.bytes().all(|b| b == b'0');
    digits && crate::text::decimal(whole).is_some_and(|w| w < max || (w == max && zero))
}
