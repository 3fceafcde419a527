//! Every parser of foreign bytes, over its committed seeds and over thousands of mutations of them.
//!
//! The bodies are those that libFuzzer runs in `fuzz/`; here they are ordinary tests, the same run on every machine.
//! A body that panics prints the input as hex: put it into `tests/corpus/<name>/`, then mend the parser.

#[path = "parsers/mutate.rs"]
mod mutate;

use std::{
    fs,
    panic::{self, AssertUnwindSafe},
    path::{Path, PathBuf},
};

use mutate::Mutator;
use tests::parsers::{self, Verdict};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The committed seeds of a parser, by name.
fn corpus(name: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = root().join("corpus").join(name);
    let entries = fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|e| e.expect("an entry").path()).collect();
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), fs::read(&path).expect("a file"))).collect()
}

/// Runs a body; when it panics, says on what.
fn run(body: parsers::Body, bytes: &[u8], what: &str) -> Verdict {
    panic::catch_unwind(AssertUnwindSafe(|| body(bytes)))
        .unwrap_or_else(|_| panic!("{what}, {} bytes: {}", bytes.len(), shared::text::hex(bytes)))
}

/// Seeds, then `count` mutations of them: the same on every machine. `least` of them must be taken, so that one knows
/// that they get past the first line; none can where a checksum or a key stands around everything.
fn parser(body: parsers::Body, name: &str, count: u64, least: u64) {
    let seeds = corpus(name);
    let taken = seeds.iter().filter(|(path, bytes)| run(body, bytes, &path.display().to_string()) == Verdict::Taken).count();
    assert!(taken > 0, "no seed of {name} is taken");
    run(body, &[], "nothing");
    let seeds: Vec<Vec<u8>> = seeds.into_iter().map(|(_, bytes)| bytes).collect();
    let mut mutator = Mutator::new(name);
    let verdicts = (0..count).map(|n| run(body, &mutator.mutate(&seeds), &format!("mutation {n} of {name}")));
    let taken = verdicts.filter(|verdict| *verdict == Verdict::Taken).count() as u64;
    println!("{name}: {taken} of {count} mutations taken");
    assert!((least..count).contains(&taken), "{name}: {taken} of {count} mutations taken, at least {least} expected");
}

macro_rules! parsers {
    ($($name:ident $count:literal $least:literal;)*) => {
        $(#[test]
        fn $name() {
            parser(parsers::$name, stringify!($name), $count, $least);
        })*

        const NAMES: &[&str] = &[$(stringify!($name)),*];
    };
}

parsers! {
    age_header 20_000 2_000;
    agent_request 4_000 100;
    answer 10_000 400;
    cbeff 10_000 400;
    checkpoint 4_000 200;
    consistency 4_000 1_000;
    decision 10_000 400;
    entry 20_000 600;
    form 1_000 30;
    frame 1_500 0;
    guard_line 20_000 1_000;
    hello 10_000 400;
    http_answer 2_000 100;
    http_call 1_000 15;
    ids 20_000 8_000;
    image 20_000 2_000;
    keys 5_000 1_000;
    manifest 4_000 100;
    note 10_000 1_000;
    outcome 10_000 500;
    record_json 10_000 400;
    record_line 10_000 400;
    resident_folder 2_000 20;
    resident_json 5_000 200;
    resident_packed 3_000 10;
    resident_tar 3_000 10;
    resident_zip 3_000 10;
    roster 4_000 100;
    roster_bundle 10_000 200;
    sealed 1_500 0;
    segment 10_000 300;
    slip 20_000 200;
    tar 1_000 0;
    times 20_000 8_000;
    tlog_proof 4_000 400;
    unit_request 4_000 90;
    words 20_000 8_000;
}

#[test]
fn every_parser_has_its_test_its_seeds_and_its_fuzz_target() {
    let listed: Vec<&str> = parsers::ALL.iter().map(|(name, _)| *name).collect();
    assert_eq!(listed, NAMES);
    let fuzz = root().join("../fuzz");
    let manifest = fs::read_to_string(fuzz.join("Cargo.toml")).expect("a manifest");
    for name in NAMES {
        let target = fs::read_to_string(fuzz.join(format!("fuzz_targets/{name}.rs"))).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert!(target.contains(&format!("parsers::{name}(bytes)")), "{name}");
        assert!(manifest.contains(&format!("name = \"{name}\"\n")), "{name} is not in fuzz/Cargo.toml");
    }
    assert_eq!(fs::read_dir(fuzz.join("fuzz_targets")).expect("a folder").count(), NAMES.len());
    assert_eq!(fs::read_dir(root().join("corpus")).expect("a folder").count(), NAMES.len());
}
