//! The bare side of a finished record: compress, encrypt, hash, one new file, one fsync.

use std::{fs::File, io::Write as _, path::Path};

use shared::{
    id::SealedDigest,
    seal::{Recipient, age_to},
};

use crate::world::Sure;

/// zstd at our level, age to the same recipients, SHA-256, a new file with an fsync. The file's *name* is not made
/// durable (no fsync of the folder): what is compared with promises more, not less.
pub fn bare_seal(plain: &[u8], to: &[Recipient], file: &Path) -> Sure<SealedDigest> {
    let packed = zstd::bulk::compress(plain, 3)?;
    let sealed = age_to(to, &packed)?;
    let digest = SealedDigest::of(&sealed);
    let mut file = File::create_new(file)?;
    file.write_all(&sealed)?;
    file.sync_all()?;
    Ok(digest)
}
