//! A resident.json as text, however an editor saved it, and where in it something is wrong.
//!
//! ```text
//! ef bb bf {…   UTF-8 with a mark · ff fe 7b 00 …   UTF-16, little end first · fe ff 00 7b …   big end first · {…   UTF-8
//! resident.json: line 7: no key `exception`
//! ```
//!
//! **Trust:** whoever filled the folder. **Invariants:** a problem names a line, and a key if it is written like one of
//! ours; it never repeats a value, nor a key that might be one.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::FILE;
use crate::{
    form::is_field_name,
    problem::{Code, Problem},
    record::{MAX_JSON, json::checked},
};

/// The text of a resident.json, in UTF-8 without a mark.
pub(super) fn decoded(bytes: &[u8]) -> Result<Zeroizing<Vec<u8>>, Problem> {
    let (rest, pair): (_, fn([u8; 2]) -> u16) = match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => return Ok(Zeroizing::new(rest.to_vec())),
        [0xff, 0xfe, rest @ ..] => (rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => (rest, u16::from_be_bytes),
        _ => return Ok(Zeroizing::new(bytes.to_vec())),
    };
    // no text is longer in UTF-16 than twice as in UTF-8
    if rest.len() > 2 * MAX_JSON {
        return Err(Problem::new(Code::JsonTooLarge, format!("{} bytes, at most {MAX_JSON}", bytes.len())));
    }
    let (pairs, odd) = rest.as_chunks::<2>();
    let mut text = Zeroizing::new(String::with_capacity(3 * pairs.len()));
    for letter in char::decode_utf16(pairs.iter().copied().map(pair)) {
        let Ok(letter) = letter else { return Err(not_text(&text)) };
        text.push(letter);
    }
    if odd.is_empty() { Ok(Zeroizing::new(std::mem::take(&mut *text).into_bytes())) } else { Err(not_text(&text)) }
}

fn not_text(before: &str) -> Problem {
    Problem::new(Code::JsonNotUtf8, format!("line {}", line_at(before.as_bytes(), before.len())))
}

/// Reads a `T` from a text; a problem begins with the line.
pub(super) fn read<T: DeserializeOwned>(text: &[u8]) -> Result<T, Problem> {
    let text = checked(text, MAX_JSON).map_err(|problem| with_line(text, problem))?;
    serde_json::from_str(text).map_err(|e| Problem::new(Code::InputUnreadable, shape(&e)))
}

/// A problem of resident.json says so.
pub(super) fn of_file(problem: &Problem) -> Problem {
    Problem::new(problem.code, format!("{FILE}: {}", problem.detail))
}

/// What is not UTF-8 was told by its byte.
fn with_line(text: &[u8], problem: Problem) -> Problem {
    match std::str::from_utf8(text) {
        Err(e) if problem.code == Code::JsonNotUtf8 => Problem::new(problem.code, format!("line {}", line_at(text, e.valid_up_to()))),
        _ => problem,
    }
}

fn line_at(text: &[u8], at: usize) -> usize {
    text[..at].split(|&b| b == b'\n').count()
}

/// Where the shape is wrong, and by which key. serde's own words would repeat a value.
fn shape(e: &serde_json::Error) -> String {
    let told = e.to_string();
    let quoted = |before: &str| told.strip_prefix(before)?.split('`').next().filter(|key| is_field_name(key));
    let at = format!("line {}", e.line());
    match (quoted("unknown field `"), quoted("missing field `")) {
        (Some(key), _) => format!("{at}: no key `{key}` there"),
        (_, Some(key)) => format!("{at}: `{key}` is missing"),
        _ => format!("{at} column {}", e.column()),
    }
}

/// On which line each key first stands. Keys with escapes, and those that are not written like ours, are left out.
pub(super) fn lines(text: &[u8]) -> BTreeMap<String, usize> {
    let (mut lines, mut line, mut at) = (BTreeMap::new(), 1, 0);
    while at < text.len() {
        line += usize::from(text[at] == b'\n');
        if text[at] == b'"' {
            let string = &text[at + 1..at + 1 + length(&text[at + 1..])];
            at += string.len() + 1;
            let is_key = text[at..].get(1..).is_some_and(|rest| rest.trim_ascii_start().starts_with(b":"));
            let key = std::str::from_utf8(string).ok().filter(|key| is_key && is_field_name(key));
            if let Some(key) = key {
                lines.entry(key.to_owned()).or_insert(line);
            }
        }
        at += 1;
    }
    lines
}

/// Bytes of a string up to its closing quote.
fn length(string: &[u8]) -> usize {
    let mut escaped = false;
    let end = string.iter().position(|&b| {
        let ends = b == b'"' && !escaped;
        escaped = b == b'\\' && !escaped;
        ends
    });
    end.unwrap_or(string.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_the_same_however_it_was_saved() {
        let text = "{\r\n \"a\": \"إيطو 𝄞\"\r\n}";
        let wide =
            |mark: [u8; 2], bytes: fn(u16) -> [u8; 2]| mark.into_iter().chain(text.encode_utf16().flat_map(bytes)).collect::<Vec<u8>>();
        let saved = [
            text.as_bytes().to_vec(),
            [b"\xef\xbb\xbf", text.as_bytes()].concat(),
            wide([0xff, 0xfe], u16::to_le_bytes),
            wide([0xfe, 0xff], u16::to_be_bytes),
        ];
        for bytes in saved {
            assert_eq!(decoded(&bytes).map(|t| t.to_vec()), Ok(text.as_bytes().to_vec()));
        }
        for broken in [&b"\xff\xfe{\0\n\0\x00\xd8"[..], b"\xff\xfe{\0\n\0}"] {
            assert_eq!(decoded(broken).map(drop), Err(Problem::new(Code::JsonNotUtf8, "line 2")));
        }
    }

    #[test]
    fn a_key_is_found_on_its_line() {
        let text = b"{\"a\":\"b\",\n \"c\" : {\n\"b\":\"a\\\\\", \"e\\\"d\":1, \"Fatima\":0}}";
        assert_eq!(lines(text), [("a", 1), ("b", 3), ("c", 2)].map(|(key, line)| (key.to_owned(), line)).into());
        drop(lines(b"\""));
    }
}
