//! The centre's signing keys at rest.
//!
//! ```text
//! enroll-secret/v1
//! name registry.example/log
//! seed 9d61b19d…              32 bytes, hex
//! ```
//!
//! Log and centre key lie in `keys/` of the data folder, readable by the service's account only: the server
//! starts without a person. The roster key may lie elsewhere and be under a passphrase (an age file of this
//! text). **Invariants:** a key file is never overwritten; seeds are zeroized, never printed.

use std::path::Path;

use shared::{
    id::KeyName,
    keys::Signer,
    problem::{Code, Problem},
    text::{Lines, hex, unhex},
};
use zeroize::Zeroizing;

use crate::{
    durable::{self, Created},
    entropy,
};

/// Makes a key and writes its file, which must not be there yet.
pub fn create(path: &Path, name: KeyName, protect: impl FnOnce(&[u8]) -> Result<Zeroizing<Vec<u8>>, Problem>) -> Result<Signer, Problem> {
    let seed = entropy::secret::<32>()?;
    let text = Zeroizing::new(format!("enroll-secret/v1\nname {name}\nseed {}\n", Zeroizing::new(hex(seed.as_slice())).as_str()));
    let bytes = protect(text.as_bytes())?;
    match durable::create(path, &bytes).map_err(durable::problem("key file"))? {
        Created::New => Ok(Signer::from_seed(name, &seed)),
        Created::There => Err(Problem::new(Code::AlreadyInitialised, format!("{} is there", path.display()))),
    }
}

/// No passphrase: the text as it is.
pub fn plain(text: &[u8]) -> Result<Zeroizing<Vec<u8>>, Problem> {
    Ok(Zeroizing::new(text.to_vec()))
}

/// Reads a key file; `open` takes the passphrase off when there is one.
pub fn read(path: &Path, open: impl FnOnce(&[u8]) -> Result<Zeroizing<Vec<u8>>, Problem>) -> Result<Signer, Problem> {
    let bytes = durable::read(path).map_err(durable::problem("key file"))?.map(Zeroizing::new);
    let bytes = bytes.ok_or_else(|| Problem::new(Code::KeyUnreadable, format!("{} is not there", path.display())))?;
    let text = if bytes.starts_with(b"enroll-secret/") { bytes } else { open(&bytes)? };
    parse(&text).ok_or_else(|| Problem::new(Code::KeyUnreadable, path.display().to_string()))
}

/// Nobody is there to give a passphrase.
pub fn unprotected(_: &[u8]) -> Result<Zeroizing<Vec<u8>>, Problem> {
    Err(Problem::new(Code::KeyUnreadable, "not a plain key file"))
}

/// Whose key a text holds; none when it holds no key.
pub fn name(text: &[u8]) -> Option<KeyName> {
    parse(text).map(|signer| signer.public().name().clone())
}

fn parse(bytes: &[u8]) -> Option<Signer> {
    let mut lines = Lines::new(std::str::from_utf8(bytes).ok()?).ok()?;
    lines.header("enroll-secret").ok()?;
    let name = lines.field("name").ok()?.parse().ok()?;
    let seed = Zeroizing::new(unhex::<32>(lines.field("seed").ok()?)?);
    lines.end().ok()?;
    Some(Signer::from_seed(name, &seed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_again_and_never_overwritten() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("log.key");
        let name: KeyName = "registry.example/log".parse().expect("a name");
        let made = create(&path, name.clone(), plain).expect("made");
        assert_eq!(read(&path, unprotected).expect("read").public(), made.public());
        assert_eq!(create(&path, name, plain).err().map(|p| p.code), Some(Code::AlreadyInitialised));
        assert_eq!(read(&path, unprotected).expect("still there").public(), made.public());
        for damage in [&b"enroll-secret/v1\n"[..], b"", b"enroll-secret/v2\nname a\nseed 00\n"] {
            durable::write(&path, damage).expect("written");
            assert_eq!(read(&path, unprotected).err().map(|p| p.code), Some(Code::KeyUnreadable));
        }
    }
}
