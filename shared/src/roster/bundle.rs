//! A bundle: the newest roster with what a unit without a network needs to take it, in one file.
//!
//! ```text
//! enroll-bundle/v1
//! file 5321
//! <5321 bytes><LF>
//! file 982
//! <982 bytes><LF>
//! ```
//! The files are rosters, proofs of their log entries, consistency proofs and forms, in any order, known by how they begin.
//!
//! **Trust:** anybody may have made it; each file is checked for what it is. **Invariants:** at most [`MAX_FILES`] files of at most
//! [`MAX_FILE`] bytes; one spelling.

use crate::{
    problem::{Code, Problem},
    text::decimal,
};

/// How a bundle begins.
const HEADER: &[u8] = b"enroll-bundle/v1\n";
/// Most files of a bundle.
pub const MAX_FILES: usize = 8192;
/// Largest file in one, in bytes.
pub const MAX_FILE: usize = 1 << 20;
/// Largest bundle, in bytes.
pub const MAX_BUNDLE: usize = 256 << 20;

/// Whether these bytes begin as a bundle does.
pub fn is_bundle(bytes: &[u8]) -> bool {
    bytes.starts_with(HEADER)
}

/// Writes files as a bundle.
pub fn write(files: &[Vec<u8>]) -> Vec<u8> {
    let mut out = HEADER.to_vec();
    for file in files {
        out.extend_from_slice(format!("file {}\n", file.len()).as_bytes());
        out.extend_from_slice(file);
        out.push(b'\n');
    }
    out
}

/// Reads the files of a bundle; an error names the file that is wrong, counted from 1.
pub fn read(bytes: &[u8]) -> Result<Vec<&[u8]>, Problem> {
    let wrong = |n: usize| Problem::new(Code::InputUnreadable, format!("the bundle is cut off or changed at file {n}"));
    if bytes.len() > MAX_BUNDLE {
        return Err(Code::BodyTooLarge.into());
    }
    let mut rest = bytes.strip_prefix(HEADER).ok_or_else(|| wrong(0))?;
    let mut files = Vec::new();
    while !rest.is_empty() {
        let n = files.len() + 1;
        let (file, after) = next(rest).ok_or_else(|| wrong(n))?;
        if n > MAX_FILES {
            return Err(wrong(n));
        }
        files.push(file);
        rest = after;
    }
    Ok(files)
}

fn next(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = bytes.strip_prefix(b"file ")?;
    let end = rest.iter().take(8).position(|b| *b == b'\n')?;
    let size = decimal(std::str::from_utf8(&rest[..end]).ok()?)?;
    let size = usize::try_from(size).ok().filter(|size| *size <= MAX_FILE)?;
    let (file, rest) = rest[end + 1..].split_at_checked(size)?;
    Some((file, rest.strip_prefix(b"\n")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        let files = [b"enroll-roster/v1\n".to_vec(), Vec::new(), vec![b'\n'; 70_000]];
        let bundle = write(&files);
        assert!(is_bundle(&bundle));
        assert_eq!(read(&bundle), Ok(files.iter().map(Vec::as_slice).collect()));
        assert_eq!(read(HEADER), Ok(Vec::new()));
    }

    #[test]
    fn what_is_cut_off_changed_or_too_large_is_refused() {
        let bundle = write(&[b"one".to_vec(), b"two".to_vec()]);
        for cut in HEADER.len() + 1..bundle.len() {
            let whole = bundle[..cut].ends_with(b"one\n");
            assert_eq!(read(&bundle[..cut]).is_ok(), whole, "{cut}");
        }
        for wrong in
            ["enroll-bundle/v2\n", "enroll-bundle/v1\nfile 03\none\n", "enroll-bundle/v1\nfile 1048577\n", "enroll-bundle/v1\nfile -1\n"]
        {
            assert!(read(wrong.as_bytes()).is_err(), "{wrong}");
        }
        let many = write(&vec![Vec::new(); MAX_FILES + 1]);
        assert!(read(&many).is_err_and(|p| p.detail.contains("file 8193")));
        assert!(read(&write(&vec![Vec::new(); MAX_FILES])).is_ok());
    }
}
