//! The mark of an upload: how much of its payload is durable.
//!
//! ```text
//! offset (8 bytes, big-endian), SHA-256 of these (first 8 bytes)
//! ```
//!
//! **Invariants:** it is written over in place, and read as the old one, the new one or 0, whatever a crash does.

use std::{fs::File, io, os::unix::fs::FileExt as _};

use sha2::{Digest as _, Sha256};

/// A mark that is empty or torn counts as 0: the unit sends the payload again.
pub(super) fn read(file: &File) -> io::Result<u64> {
    let mut bytes = [0; 16];
    match file.read_exact_at(&mut bytes, 0) {
        Ok(()) => {}
        Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => return Ok(0),
        Err(e) => return Err(e),
    }
    let offset = u64::from_be_bytes(bytes[..8].try_into().expect("8 bytes"));
    Ok(if bytes_of(offset) == bytes { offset } else { 0 })
}

/// Durable when it returns.
pub(super) fn write(file: &File, offset: u64) -> io::Result<()> {
    put(file, offset)?;
    file.sync_data()
}

/// Not durable yet. 16 bytes within one sector: after a crash the old mark or the new one.
pub(super) fn put(file: &File, offset: u64) -> io::Result<()> {
    file.write_all_at(&bytes_of(offset), 0)
}

fn bytes_of(offset: u64) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&offset.to_be_bytes());
    let check = Sha256::digest(&bytes[..8]);
    bytes[8..].copy_from_slice(&check[..8]);
    bytes
}
