//! The public age vectors (C2SP CCTV), where they are at hand: each file says what must come of it.
//!
//! ```text
//! expect: no match          or success, header failure, payload failure, (armor failure)
//! payload: <sha256>
//! identity: AGE-SECRET-KEY-…
//! passphrase: …
//! compressed: zlib
//!
//! age-encryption.org/v1 …
//! ```
//!
//! The folder is `ENROL_TEST_DATA`, or `../shared/data` beside the workspace. Without it the tests say so and pass.

use std::path::PathBuf;

use super::*;
use crate::id::Digest;

/// Stanzas whose body has no last line: age 0.11 still reads them, our own check of the header doesn't.
const READ_BY_AGE_ONLY: [&str; 2] = ["stanza_missing_final_line", "stanza_missing_body"];

struct Vector {
    name: String,
    fields: Vec<(String, String)>,
    file: Vec<u8>,
}

impl Vector {
    fn parse(name: &str, bytes: &[u8]) -> Self {
        let end = bytes.windows(2).position(|w| w == b"\n\n").expect("an empty line");
        let head = std::str::from_utf8(&bytes[..end]).expect("text");
        let fields = head.lines().filter_map(|l| l.split_once(": ")).map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
        let mut vector = Self { name: name.rsplit('/').next().expect("a name").into(), fields, file: bytes[end + 2..].to_vec() };
        if vector.one("compressed") == Some("zlib") {
            let mut file = Vec::new();
            flate2::read::ZlibDecoder::new(&vector.file[..]).read_to_end(&mut file).expect("zlib");
            vector.file = file;
        }
        vector
    }
    fn all<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        self.fields.iter().filter(move |(k, _)| k == key).map(|(_, v)| v.as_str())
    }
    fn one(&self, key: &str) -> Option<&str> {
        self.fields.iter().find(|(k, _)| k == key).map(|(_, v)| v.as_str())
    }
    fn open(&self) -> Result<Vec<u8>, Code> {
        let identities: Vec<Identity> = self.all("identity").map(|i| i.parse().expect("an identity")).collect();
        let opened = match self.one("passphrase") {
            Some(passphrase) if identities.is_empty() => passphrase_open(&self.file, passphrase),
            _ => age_open(&self.file, &identities),
        };
        opened.map(|plain| plain.to_vec()).map_err(|p| p.code)
    }
    fn check(&self) {
        let name = &self.name;
        if READ_BY_AGE_ONLY.contains(&name.as_str()) {
            assert_eq!(header::read_header(&mut self.file.as_slice()).err().map(|p| p.code), Some(Code::NotAge), "{name}");
            return;
        }
        match (self.one("expect").expect("what to expect"), self.open()) {
            ("success", Ok(plain)) => assert_eq!(Some(Digest::of(&plain).hex().as_str()), self.one("payload"), "{name}"),
            ("no match", Err(Code::RecipientUnknown | Code::WrongPassphrase)) | ("header failure" | "payload failure", Err(_)) => {}
            (expected, got) => panic!("{name}: expected {expected}, got {got:?}"),
        }
    }
}

/// The vectors of an archive; none, and a word about it, where the data isn't there.
fn vectors(archive: &str) -> Option<Vec<Vector>> {
    let beside = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data"));
    let path = std::env::var_os("ENROL_TEST_DATA").map_or_else(beside, PathBuf::from).join("vectors").join(archive);
    let Ok(file) = std::fs::File::open(&path) else {
        crate::skipped::skip(format_args!("{} is not there", path.display()));
        return None;
    };
    let mut zip = zip::ZipArchive::new(file).expect("a zip archive");
    let members = zip.len();
    let read = |i| {
        let mut member = zip.by_index(i).expect("a member");
        let mut bytes = Vec::new();
        member.read_to_end(&mut bytes).expect("readable");
        Vector::parse(&member.name().expect("a name"), &bytes)
    };
    Some((0..members).map(read).collect())
}

fn check(archive: &str) {
    let Some(all) = vectors(archive) else { return };
    // we write and read no ASCII armour
    let (armoured, ours): (Vec<_>, Vec<_>) = all.iter().partition(|v| v.one("armored").is_some());
    for vector in &ours {
        vector.check();
    }
    assert!(!ours.is_empty(), "{archive} holds vectors");
    eprintln!("{archive}: {} checked, {} are about ASCII armour", ours.len(), armoured.len());
}

#[test]
fn age_testkit() {
    check("age-testkit.zip");
}

#[test]
fn age_testkit_hybrid() {
    check("age-testkit-hybrid.zip");
}
