//! The tar of a record: strict ustar (POSIX.1-1988), one spelling only.
//!
//! ```text
//! 512 bytes  header of record.json      name; mode 0000644, uid, gid, devmajor, devminor 0000000; size and mtime (0)
//! n bytes    record.json, zeros to 512  in 11 octal digits, each ended by NUL; checksum 6 octal digits, NUL, space;
//! 512 bytes  header of face.jp2         type 0; "ustar" NUL "00"; all else NUL
//! …          its bytes, zeros to 512
//! 1,024      zeros
//! ```
//!
//! **Trust:** none when reading: each header is rebuilt from what it must say and compared, all 512 bytes. What
//! differs is then looked at only to name the defect. **Invariants:** the members are `record.json` and exactly the
//! parts that it lists, in its order; nothing is ever extracted by name.

use std::{collections::BTreeSet, ops::Range};

use crate::{
    problem::{Code, Problem},
    record::{Content, MAX_JSON},
};

const BLOCK: usize = 512;
const END: usize = 2 * BLOCK;
/// Name of the first member.
pub const RECORD_JSON: &str = "record.json";

/// The header of a member: 512 bytes. A name longer than 100 bytes is cut; our part names have at most 64.
pub fn header(name: &str, size: u64) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    let mut put = |at: usize, bytes: &[u8]| block[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, &name.as_bytes()[..name.len().min(100)]);
    put(100, b"0000644");
    put(108, b"0000000");
    put(116, b"0000000");
    put(124, format!("{size:011o}").as_bytes().last_chunk::<11>().expect("11 digits or more"));
    put(136, b"00000000000");
    put(148, b"        ");
    put(156, b"0");
    put(257, b"ustar\x0000");
    put(329, b"0000000");
    put(337, b"0000000");
    let sum = checksum(&block);
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block
}

/// The sum of a header's bytes, its checksum field counted as spaces.
fn checksum(block: &[u8; BLOCK]) -> u32 {
    let field = 148..156;
    block.iter().enumerate().map(|(i, &b)| if field.contains(&i) { 32 } else { u32::from(b) }).sum()
}

const fn padded(size: usize) -> usize {
    size.div_ceil(BLOCK) * BLOCK
}

/// The length of the tar with members of these sizes.
pub fn length(sizes: impl IntoIterator<Item = u64>) -> u64 {
    sizes.into_iter().map(|size| BLOCK as u64 + size.div_ceil(BLOCK as u64) * BLOCK as u64).sum::<u64>() + END as u64
}

/// Step 1: appends members and end to `out`, which has room already.
pub fn write<'a>(members: impl IntoIterator<Item = (&'a str, &'a [u8])>, out: &mut Vec<u8>) {
    for (name, bytes) in members {
        out.extend_from_slice(&header(name, bytes.len() as u64));
        out.extend_from_slice(bytes);
        out.resize(padded(out.len()), 0);
    }
    out.resize(out.len() + END, 0);
}

/// The way back: the content, and where each listed part lies.
pub(super) fn read(tar: &[u8]) -> Result<(Content, Vec<Range<usize>>), Problem> {
    let mut cursor = Cursor { tar, at: 0, members: 0, seen: BTreeSet::new(), listed: BTreeSet::new() };
    let json = cursor.member(RECORD_JSON, None)?;
    let content = Content::parse(&tar[json])?;
    cursor.listed = content.parts.iter().map(|p| p.name.as_str()).collect();
    let mut ranges = Vec::with_capacity(content.parts.len());
    for part in &content.parts {
        ranges.push(cursor.member(part.name.as_str(), Some(part.size))?);
    }
    cursor.end()?;
    for (part, range) in content.parts.iter().zip(&ranges) {
        part.matches(&tar[range.clone()])?;
    }
    Ok((content, ranges))
}

struct Cursor<'a> {
    tar: &'a [u8],
    at: usize,
    members: usize,
    seen: BTreeSet<&'a str>,
    listed: BTreeSet<&'a str>,
}

impl<'a> Cursor<'a> {
    /// The member that must come next; its size is what the list says, or for record.json what the header says.
    fn member(&mut self, name: &'a str, size: Option<u64>) -> Result<Range<usize>, Problem> {
        self.members += 1;
        let block = self.tar[self.at..].first_chunk::<BLOCK>().ok_or_else(|| self.problem(Code::TarEnd))?;
        if block.iter().all(|&b| b == 0) {
            return Err(Problem::new(Code::PartMissing, name));
        }
        let size = size.or_else(|| octal(&block[124..135])).ok_or_else(|| self.problem(Code::TarHeader))?;
        if *block != header(name, size) {
            return Err(self.defect(block, Some(name)));
        }
        if name == RECORD_JSON && size > MAX_JSON as u64 {
            return Err(Problem::new(Code::JsonTooLarge, format!("{size} bytes, at most {MAX_JSON}")));
        }
        let size = usize::try_from(size).map_err(|_| self.problem(Code::TarEnd))?;
        let start = self.at + BLOCK;
        let left = self.tar.len() - start;
        if size > left || padded(size) > left {
            return Err(self.problem(Code::TarEnd));
        }
        if self.tar[start + size..start + padded(size)].iter().any(|&b| b != 0) {
            return Err(self.problem(Code::TarHeader));
        }
        self.at = start + padded(size);
        self.seen.insert(name);
        Ok(start..start + size)
    }

    /// Nothing but 1,024 zero bytes may follow.
    fn end(&mut self) -> Result<(), Problem> {
        self.members += 1;
        let rest = &self.tar[self.at..];
        match rest.first_chunk::<BLOCK>() {
            Some(block) if block.iter().any(|&b| b != 0) => Err(self.defect(block, None)),
            _ if rest.len() == END && rest.iter().all(|&b| b == 0) => Ok(()),
            _ => Err(self.problem(Code::TarEnd)),
        }
    }

    fn problem(&self, code: Code) -> Problem {
        Problem::new(code, format!("member {}", self.members))
    }

    /// Names what is wrong with a header that isn't the expected one. Its own name is not repeated: it is hostile.
    fn defect(&self, block: &[u8; BLOCK], expected: Option<&str>) -> Problem {
        let is_header = block[257..262] == *b"ustar" && octal(&block[148..154]) == Some(checksum(block).into());
        let code = if is_header { self.defect_of_type(block, expected) } else { Code::TarHeader };
        match (code, expected) {
            (Code::PartMissing | Code::PartDigest, Some(name)) => Problem::new(code, name),
            _ => self.problem(code),
        }
    }

    fn defect_of_type(&self, block: &[u8; BLOCK], expected: Option<&str>) -> Code {
        match block[156] {
            b'0' => self.defect_of_name(block, expected),
            b'1' | b'2' => Code::TarLink,
            b'3' | b'4' | b'6' => Code::TarDevice,
            b'S' => Code::TarSparse,
            b'x' | b'g' | b'L' | b'K' => Code::TarPax,
            _ => Code::TarHeader,
        }
    }

    fn defect_of_name(&self, block: &[u8; BLOCK], expected: Option<&str>) -> Code {
        let text = |field: &'static [usize; 2]| {
            let bytes = &block[field[0]..field[1]];
            let end = bytes.iter().position(|&b| b == 0).unwrap_or(bytes.len());
            std::str::from_utf8(&bytes[..end]).ok()
        };
        let (Some(name), Some(prefix)) = (text(&[0, 100]), text(&[345, 500])) else { return Code::TarHeader };
        if name.starts_with('/') || prefix.starts_with('/') {
            Code::TarPathAbsolute
        } else if name.split('/').chain(prefix.split('/')).any(|part| part == "..") {
            Code::TarPathParent
        } else if prefix.is_empty() && self.seen.contains(name) {
            Code::TarDuplicate
        } else if prefix.is_empty() && Some(name) == expected {
            // the right member, spelled otherwise: another size than listed, or another field
            let size = octal(&block[124..135]);
            if name != RECORD_JSON && size.is_some_and(|size| header(name, size) == *block) { Code::PartDigest } else { Code::TarHeader }
        } else if expected == Some(RECORD_JSON) || (prefix.is_empty() && self.listed.contains(name)) {
            Code::PartMissing
        } else {
            Code::PartExtra
        }
    }
}

/// Octal digits, nothing else.
fn octal(field: &[u8]) -> Option<u64> {
    field.iter().try_fold(0, |n: u64, &b| (b'0'..=b'7').contains(&b).then(|| n * 8 + u64::from(b - b'0')))
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn a_header_byte_by_byte() {
        let block = header("face.jp2", 40_000);
        let field = |at: usize, length: usize| std::str::from_utf8(&block[at..at + length]).expect("ASCII");
        assert_eq!(field(0, 9), "face.jp2\0");
        assert_eq!(field(100, 24), "0000644\x000000000\x000000000\0");
        assert_eq!(field(124, 24), "00000116100\x0000000000000\0");
        assert_eq!(field(148, 9), format!("{:06o}\0 0", checksum(&block)));
        assert_eq!(field(257, 8), "ustar\x0000");
        assert_eq!(field(329, 16), "0000000\x000000000\0");
        assert_eq!(block.iter().filter(|&&b| b != 0).count(), 8 + 7 * 3 + 11 * 2 + 7 + 1 + 7 + 7 * 2, "all else is NUL");
    }

    #[test]
    fn another_reader_sees_the_same_members() {
        let members: [(&str, &[u8]); 4] = [(RECORD_JSON, b"{}"), ("a.jp2", &[1; 512]), ("b-c.png", &[2; 513]), ("d.jp2", b"")];
        let mut out = Vec::new();
        write(members, &mut out);
        assert_eq!(out.len() as u64, length(members.map(|(_, bytes)| bytes.len() as u64)));
        let mut archive = ::tar::Archive::new(&out[..]);
        let mut read = Vec::new();
        for entry in archive.entries().expect("a tar") {
            let mut entry = entry.expect("an entry");
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).expect("its bytes");
            read.push((entry.path().expect("a path").display().to_string(), bytes));
        }
        assert_eq!(read, members.map(|(name, bytes)| (name.to_owned(), bytes.to_vec())));
    }
}
