//! What other systems made: packets, encrypted blocks, cut-off templates, JSON of other standards. Our parsers refuse all of
//! it with a code; no byte of it stops them.
//!
//! `ENROL_TEST_DATA`, or `../shared/data` beside the workspace, holds such files, many of them malformed on purpose. Without it the
//! test says so and passes. Some are of real people, so a failure names the file and never shows its bytes.

use std::{
    fs,
    panic::{self, AssertUnwindSafe},
    path::{Path, PathBuf},
};

use tests::parsers::{self, Verdict};

/// Whole folders, and the folders of captures that hold malformed files.
const FOLDERS: [&str; 6] = [
    "packets",
    "biometrics/fvc-templates",
    "biometrics/mosip-misc",
    "biometrics/mosip-sdk-cases",
    "vectors/jcs/input",
    "vectors/structured-fields",
];
/// What is no record, document or paper of ours, but may be taken as what it is.
const CAPTURES: [&str; 2] = ["image", "cbeff"];
/// These read one word a line, and any file may have a line that is a word.
const WORDS: [&str; 5] = ["ids", "keys", "slip", "times", "words"];

fn data() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let folder = std::env::var_os("ENROL_TEST_DATA").map_or_else(beside, PathBuf::from);
    if folder.is_dir() {
        return Some(folder);
    }
    tests::skipped::skip(format_args!("no files of other systems in {}", folder.display()));
    None
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

#[test]
fn what_others_made_is_refused_by_every_parser_of_ours() {
    let Some(data) = data() else { return };
    let mut found = Vec::new();
    FOLDERS.map(|folder| data.join(folder)).iter().filter(|f| f.is_dir()).for_each(|f| files(f, &mut found));
    let mut captures = 0;
    for path in &found {
        let (bytes, shown) = (fs::read(path).expect("a file"), path.display());
        for (name, body) in parsers::ALL {
            let verdict = panic::catch_unwind(AssertUnwindSafe(|| body(&bytes))).unwrap_or_else(|_| panic!("{name} breaks over {shown}"));
            if CAPTURES.contains(&name) {
                captures += usize::from(verdict == Verdict::Taken);
            } else if !WORDS.contains(&name) {
                assert_eq!(verdict, Verdict::Refused, "{name} takes {shown}");
            }
        }
    }
    println!("{} files, {captures} of them are captures", found.len());
    assert!(found.len() > 40 && (1..found.len() / 2).contains(&captures), "{} files, {captures} captures", found.len());
}

/// Each of these is broken in its own way, and named for it.
#[test]
fn broken_captures_are_refused() {
    let Some(data) = data() else { return };
    let broken = [
        "biometrics/fvc-templates/invalid_101_1_truncate_1_byte.iso",
        "biometrics/fvc-templates/invalid_101_1_truncate_2_bytes.iso",
        "biometrics/fvc-templates/invalid_101_1_truncate_3_bytes.iso",
        "biometrics/mosip-misc/info_encrypted.iso",
        "packets/encrypted_packet_v1.2_193KB.bin",
    ];
    for name in broken {
        let bytes = fs::read(data.join(name)).expect("a file of the manifest");
        assert_eq!(parsers::image(&bytes), Verdict::Refused, "{name}");
        assert_eq!(parsers::cbeff(&bytes), Verdict::Refused, "{name}");
    }
}
