//! Files that a command names.
#![allow(clippy::disallowed_methods, reason = "this file reads what arguments name")]

use std::{fs::File, io::Read as _, path::Path};

use shared::problem::{Code, Problem};

/// Reads a whole file of at most `most` bytes; `what` says what it should be. A device that never ends is too large.
pub(super) fn read(path: &Path, most: u64, what: &str) -> Result<Vec<u8>, Problem> {
    let unreadable = |e: std::io::Error| Problem::new(Code::InputUnreadable, format!("{}: {}", path.display(), e.kind()));
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(most + 1).read_to_end(&mut bytes)).map_err(unreadable)?;
    if bytes.len() as u64 > most {
        return Err(Problem::new(Code::InputUnreadable, format!("{}: not {what}: too large", path.display())));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_read_than_the_thing_may_have() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("a");
        crate::durable::write(&path, b"12345").expect("written");
        assert_eq!(read(&path, 5, "a number"), Ok(b"12345".to_vec()));
        for (path, most) in [(path.as_path(), 4), (Path::new("/dev/zero"), 1 << 20), (dir.path(), 5), (Path::new("/nowhere"), 5)] {
            assert_eq!(read(path, most, "a number").map_err(|p| p.code), Err(Code::InputUnreadable), "{}", path.display());
        }
    }
}
