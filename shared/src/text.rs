//! Reading our signed texts line by line: one spelling a value, fixed order, nothing left over.
//!
//! ```text
//! enroll-batch/v1          header: format and version
//! unit van-017             field: one word, one space, the value
//! ```
//!
//! **Trust:** none; the bytes may come from anybody. **Invariants:** no tab, no CR, no empty value, no
//! unknown or repeated line gets through, because every line is asked for by name, in order.

/// Why a text could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// The format is ours, the version is one this software does not know: never final.
    #[error("format version not known to this software")]
    UpgradeNeeded,
    /// Line `line` (from 1) is not what the format demands there.
    #[error("line {line} is not in the form that the format demands")]
    Malformed {
        /// Number of the offending line, from 1.
        line: usize,
    },
}

/// A cursor over the lines of a text.
#[derive(Debug, Clone)]
pub struct Lines<'a> {
    rest: &'a str,
    line: usize,
}

impl<'a> Lines<'a> {
    /// Starts at the first line. The text must end in LF and hold no control character but LF.
    pub fn new(text: &'a str) -> Result<Self, TextError> {
        let clean = text.ends_with('\n') && !text.chars().any(|c| c.is_control() && c != '\n');
        if clean { Ok(Self { rest: text, line: 0 }) } else { Err(TextError::Malformed { line: 0 }) }
    }

    /// Reads the first line, `<format>/v1`. Another version of the same format is `UpgradeNeeded`.
    pub fn header(&mut self, format: &str) -> Result<(), TextError> {
        let line = self.take()?;
        let version = line.strip_prefix(format).and_then(|v| v.strip_prefix("/v")).ok_or_else(|| self.bad())?;
        if version == "1" {
            return Ok(());
        }
        version.parse::<u32>().ok().filter(|v| v.to_string() == version).ok_or_else(|| self.bad())?;
        Err(TextError::UpgradeNeeded)
    }

    /// Reads the next line, which must be `<word> <value>`, and returns the value.
    pub fn field(&mut self, word: &str) -> Result<&'a str, TextError> {
        self.optional(word)?.ok_or(TextError::Malformed { line: self.line + 1 })
    }

    /// Like [`Lines::field`], but leaves the cursor where it is when the next line has another word.
    pub fn optional(&mut self, word: &str) -> Result<Option<&'a str>, TextError> {
        let Some(value) = self.peek().and_then(|l| l.strip_prefix(word)).and_then(|v| v.strip_prefix(' ')) else {
            return Ok(None);
        };
        self.take()?;
        if value.is_empty() { Err(self.bad()) } else { Ok(Some(value)) }
    }

    /// The next line without its LF, if there is one; the cursor stays.
    pub fn peek(&self) -> Option<&'a str> {
        self.rest.split_once('\n').map(|(line, _)| line)
    }

    /// Reads the next line as it is.
    pub fn take(&mut self) -> Result<&'a str, TextError> {
        let (line, rest) = self.rest.split_once('\n').ok_or(TextError::Malformed { line: self.line + 1 })?;
        self.rest = rest;
        self.line += 1;
        Ok(line)
    }

    /// Nothing may be left.
    pub fn end(&self) -> Result<(), TextError> {
        if self.rest.is_empty() { Ok(()) } else { Err(TextError::Malformed { line: self.line + 1 }) }
    }

    /// The error for the line that was read last.
    pub fn bad(&self) -> TextError {
        TextError::Malformed { line: self.line }
    }

    /// Parses a value of the line that was read last.
    pub fn parse<T: std::str::FromStr>(&self, value: &str) -> Result<T, TextError> {
        value.parse().map_err(|_| self.bad())
    }

    /// Splits the value of the line that was read last into exactly `N` words.
    pub fn words<const N: usize>(&self, value: &'a str) -> Result<[&'a str; N], TextError> {
        let mut words = value.split(' ');
        let out = std::array::from_fn(|_| words.next().unwrap_or(""));
        if words.next().is_some() || out.iter().any(|w| w.is_empty()) { Err(self.bad()) } else { Ok(out) }
    }
}

/// Every number in a text stays below this, so that any reader keeps it and no sum of two overflows.
pub const MAX_NUMBER: u64 = 1 << 53;

/// One word as people give it for a reason or a region: small letters, digits and dashes, at most 64.
pub fn plain_word(word: &str) -> bool {
    (1..=64).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// A decimal number in its one spelling: no sign, no leading zero, below [`MAX_NUMBER`].
pub fn decimal(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let number = if digits && (text == "0" || !text.starts_with('0')) { text.parse().ok() } else { None };
    number.filter(|&n| n < MAX_NUMBER)
}

/// Lower-case hex of `N` bytes, in its one spelling.
pub fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let nibble = |b: u8| match b {
        b'0'..=b'9' => Some(b - b'0'),
        b'a'..=b'f' => Some(b - b'a' + 10),
        _ => None,
    };
    let bytes = text.as_bytes();
    if bytes.len() != 2 * N {
        return None;
    }
    let mut out = [0; N];
    for (byte, pair) in out.iter_mut().zip(bytes.chunks_exact(2)) {
        *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
    }
    Some(out)
}

/// Lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut out, b| {
        write!(out, "{b:02x}").expect("writing to a String does not fail");
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_spelling_a_value() {
        assert_eq!((decimal("0"), decimal("9007199254740991")), (Some(0), Some(MAX_NUMBER - 1)));
        for bad in ["", "00", "01", "+1", "-1", " 1", "1 ", "9007199254740992", "18446744073709551616", "٣"] {
            assert_eq!(decimal(bad), None, "{bad:?}");
        }
        assert_eq!(unhex::<2>("0aFf"), None);
        assert_eq!(unhex::<2>("0aff"), Some([10, 255]));
    }

    #[test]
    fn control_characters_and_missing_lf_are_malformed() {
        for bad in ["", "a", "a\r\n", "a\tb\n", "a\u{0}\n"] {
            assert!(Lines::new(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn newer_version_is_upgrade_needed_not_malformed() {
        assert_eq!(Lines::new("f/v2\n").and_then(|mut l| l.header("f")), Err(TextError::UpgradeNeeded));
        assert_eq!(Lines::new("f/v01\n").and_then(|mut l| l.header("f")), Err(TextError::Malformed { line: 1 }));
    }
}
