//! The header of a sealed record, read without a key (C2SP age, section "Header").
//!
//! ```text
//! age-encryption.org/v1
//! -> mlkem768x25519 <1,494 characters of base64>     working
//! <43 characters>                                     the wrapped file key
//! -> mlkem768x25519 <1,494 characters>                recovery
//! <43 characters>
//! -> 8F0-grease x7 ab                                 any number up to 8, anywhere: age writes one
//! <base64 in lines of 64, the last one shorter>
//! --- <43 characters>                                 the header's MAC; the payload follows its LF
//! ```
//!
//! **Trust:** none; this is what intake runs on bytes from the network. **Invariants:** no key, no allocation
//! that grows with the input; at most 16 KiB are looked at; stricter than age itself, which still reads bodies
//! whose last line is missing, so that two readers never disagree about who can open a record.

use std::io::{BufRead, Read as _};

use base64::{Engine as _, prelude::BASE64_STANDARD_NO_PAD};

use crate::{
    problem::{Code, Problem},
    roster::RecipientKind,
};

/// Longest header that is read, in bytes. Ours have 3,500; age parses a header anew at each of its lines, so that
/// one of 64 KiB would cost the opener a tenth of a second.
pub const MAX_HEADER: usize = 16 * 1024;
/// Most stanzas that only keep readers honest. age itself writes one.
pub const MAX_GREASE: usize = 8;

const VERSION: &str = "age-encryption.org/v1\n";
/// Bytes of a wrapped file key: 16, and a tag of 16.
const WRAPPED: usize = 32;
const COLUMNS: usize = 64;

/// Intake's check: an age file whose header names exactly two recipients, both of `kind`, and nobody else.
///
/// Give it the first [`MAX_HEADER`] bytes of a sealed record, or all of it. Returns the length of the header in bytes.
pub fn check_header(first_bytes: &[u8], kind: RecipientKind) -> Result<usize, Problem> {
    let (found, length) = parse(first_bytes)?;
    if found == kind { Ok(length) } else { Err(Problem::new(Code::RecipientsWrong, "another kind than the roster's")) }
}

/// Reads the header from a stream, up to and with the LF of its last line, and checks it likewise for any one kind.
pub fn read_header(input: &mut impl BufRead) -> Result<(RecipientKind, Vec<u8>), Problem> {
    let mut header = Vec::new();
    loop {
        let start = header.len();
        let left = (MAX_HEADER - start) as u64;
        let read = input.by_ref().take(left).read_until(b'\n', &mut header);
        read.map_err(|e| Problem::new(Code::IoFailed, e.kind().to_string()))?;
        if header.len() == start || header[start..].starts_with(b"---") {
            break;
        }
    }
    let (kind, length) = parse(&header)?;
    debug_assert_eq!(length, header.len(), "parse ends at the first line that starts with ---");
    Ok((kind, header))
}

fn parse(bytes: &[u8]) -> Result<(RecipientKind, usize), Problem> {
    let mut lines = Lines { rest: &bytes[..bytes.len().min(MAX_HEADER)], taken: 0 };
    if lines.take() != Some(VERSION.trim_end()) {
        return Err(Problem::new(Code::NotAge, "first line"));
    }
    let (mut kinds, mut count, mut grease) = ([RecipientKind::Hybrid; 2], 0_usize, 0_usize);
    loop {
        let line = lines.take().ok_or_else(|| not_age(&lines))?;
        if let Some(mac) = line.strip_prefix("--- ") {
            decoded(mac).filter(|mac| mac.len() == 32).ok_or_else(|| not_age(&lines))?;
            break;
        }
        let stanza = line.strip_prefix("-> ").ok_or_else(|| not_age(&lines))?;
        let body_len = lines.body()?;
        let (tag, arguments) = stanza.split_once(' ').unwrap_or((stanza, ""));
        let words = stanza.split(' ').all(|w| !w.is_empty() && w.bytes().all(|b| b.is_ascii_graphic()));
        if !words {
            return Err(not_age(&lines));
        }
        if tag.ends_with("-grease") {
            grease += 1;
        } else {
            let kind = recipient(tag, arguments, body_len).ok_or_else(|| wrong("a stanza of no known kind"))?;
            *kinds.get_mut(count).ok_or_else(|| wrong("more than two"))? = kind;
            count += 1;
        }
        if grease > MAX_GREASE {
            return Err(wrong("too much grease"));
        }
    }
    match (count, kinds) {
        (2, [working, recovery]) if working == recovery => Ok((working, lines.taken)),
        (2, _) => Err(wrong("two kinds")),
        _ => Err(wrong("fewer than two")),
    }
}

fn wrong(detail: &str) -> Problem {
    Problem::new(Code::RecipientsWrong, detail)
}

fn not_age(lines: &Lines) -> Problem {
    Problem::new(Code::NotAge, format!("header, before byte {}", lines.taken))
}

/// The kind of a stanza that is well-formed for its tag.
fn recipient(tag: &str, argument: &str, body_len: usize) -> Option<RecipientKind> {
    let (kind, share) = match tag {
        "mlkem768x25519" => (RecipientKind::Hybrid, 1120),
        "X25519" => (RecipientKind::X25519, 32),
        _ => return None,
    };
    (body_len == WRAPPED && decoded(argument)?.len() == share).then_some(kind)
}

/// Canonical base64 without padding. Only ever called on one line of at most 16 KiB.
fn decoded(text: &str) -> Option<Vec<u8>> {
    BASE64_STANDARD_NO_PAD.decode(text).ok()
}

struct Lines<'a> {
    rest: &'a [u8],
    taken: usize,
}

impl<'a> Lines<'a> {
    /// The next line without its LF; none when it isn't complete or not ASCII.
    fn take(&mut self) -> Option<&'a str> {
        let end = self.rest.iter().position(|&b| b == b'\n')?;
        let line = std::str::from_utf8(&self.rest[..end]).ok().filter(|l| l.is_ascii())?;
        self.rest = &self.rest[end + 1..];
        self.taken += end + 1;
        Some(line)
    }

    /// A stanza's body: full lines of 64 columns and a shorter one, which may be empty. Returns its length in bytes.
    fn body(&mut self) -> Result<usize, Problem> {
        let mut length = 0;
        loop {
            let line = self.take().ok_or_else(|| not_age(self))?;
            if line.len() > COLUMNS {
                return Err(not_age(self));
            }
            length += decoded(line).ok_or_else(|| not_age(self))?.len();
            if line.len() < COLUMNS {
                return Ok(length);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stanza(tag: &str, share: usize) -> String {
        format!("-> {tag} {}\n{}\n", BASE64_STANDARD_NO_PAD.encode(vec![7; share]), BASE64_STANDARD_NO_PAD.encode([7; 32]))
    }
    fn file(stanzas: &[String]) -> Vec<u8> {
        format!("{VERSION}{}--- {}\npayload", stanzas.concat(), BASE64_STANDARD_NO_PAD.encode([7; 32])).into_bytes()
    }
    fn hybrid() -> String {
        stanza("mlkem768x25519", 1120)
    }
    fn x25519() -> String {
        stanza("X25519", 32)
    }
    fn code(file: &[u8], kind: RecipientKind) -> Result<usize, Code> {
        check_header(file, kind).map_err(|p| p.code)
    }

    #[test]
    fn two_of_the_demanded_kind_and_grease_pass() {
        let grease = format!("-> g-grease a b\n{}\n\n", "A".repeat(64));
        for (two, kind) in [(hybrid(), RecipientKind::Hybrid), (x25519(), RecipientKind::X25519)] {
            let bytes = file(&[grease.clone(), two.clone(), "-> -grease\n\n".into(), two]);
            let length = code(&bytes, kind).expect("valid");
            assert_eq!(&bytes[length..], b"payload");
            let (found, header) = read_header(&mut &bytes[..]).expect("valid");
            assert_eq!((found, header.len()), (kind, length));
        }
    }

    #[test]
    fn anybody_else_is_refused() {
        let wrong = Err(Code::RecipientsWrong);
        let kind = RecipientKind::Hybrid;
        assert_eq!(code(&file(&[]), kind), wrong);
        assert_eq!(code(&file(&[hybrid()]), kind), wrong);
        assert_eq!(code(&file(&[hybrid(), hybrid(), hybrid()]), kind), wrong);
        assert_eq!(code(&file(&[hybrid(), x25519()]), kind), wrong);
        assert_eq!(code(&file(&[x25519(), x25519()]), kind), wrong, "weaker than the roster demands");
        assert_eq!(code(&file(&[hybrid(), hybrid(), "-> scrypt AAAA 10\n\n".into()]), kind), wrong);
        assert_eq!(code(&file(&[hybrid(), hybrid(), "-> X25519-greasy\n\n".into()]), kind), wrong);
        assert_eq!(code(&file(&[hybrid(), stanza("mlkem768x25519", 1119)]), kind), wrong);
        let mut many = vec![hybrid(), hybrid()];
        many.extend(std::iter::repeat_n("-> -grease\n\n".to_owned(), MAX_GREASE + 1));
        assert_eq!(code(&file(&many), kind), wrong);
    }

    #[test]
    fn what_is_not_an_age_header_is_refused() {
        let kind = RecipientKind::X25519;
        let good = String::from_utf8(file(&[x25519(), x25519()])).expect("ASCII");
        for bad in [
            String::new(),
            "age-encryption.org/v2\n".into(),
            good.replace("\n-> ", "\r\n-> "),
            good.replace("-> X25519 ", "-> X25519  "),
            good.replace("--- ", "---"),
            good.replacen("\n-> ", "\n\n-> ", 1),
            good.replace("BwcHBwc\n", "BwcHBwd\n"), // bits left over that are not zero
            good.split("---").next().unwrap_or("").into(),
            format!("{VERSION}-> a-grease\n{}", format!("{}\n", "A".repeat(64)).repeat(2000)),
            format!("{VERSION}{}", "A".repeat(100_000)),
        ] {
            assert_eq!(code(bad.as_bytes(), kind), Err(Code::NotAge), "{:?}", &bad[..bad.len().min(200)]);
            assert!(read_header(&mut bad.as_bytes()).is_err());
        }
    }

    #[test]
    fn every_cut_is_refused() {
        let good = file(&[x25519(), x25519()]);
        let length = code(&good, RecipientKind::X25519).expect("valid");
        for cut in 0..length {
            assert_eq!(code(&good[..cut], RecipientKind::X25519), Err(Code::NotAge), "cut at {cut}");
        }
    }
}
