//! Section 14 of the specification names tests: each row has some, and each of them exists.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

const SPEC: &str = include_str!("../../shared/SPEC.md");
const PROMISES: usize = 16;

/// The names between backticks of a cell, by the file that was named before them.
fn named(cell: &str) -> BTreeMap<&str, Vec<&str>> {
    let mut files: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut file = None;
    for name in cell.split('`').skip(1).step_by(2) {
        if Path::new(name).extension().is_some_and(|e| e == "rs") {
            file = Some(name);
            files.entry(name).or_default();
        } else {
            let file = file.unwrap_or_else(|| panic!("{name} is in no file"));
            files.entry(file).or_default().push(name);
        }
    }
    files
}

/// Where no folder of the project is named, a file is one of this folder.
fn place(file: &str) -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let own = here.join("tests").join(file);
    if own.is_file() { own } else { here.join("..").join(file) }
}

/// The text of a file, and of those in the folder beside it that are its parts.
fn with_parts(file: &Path) -> Option<String> {
    let mut text = fs::read_to_string(file).ok()?;
    for part in fs::read_dir(file.with_extension("")).into_iter().flatten().flatten() {
        text += &fs::read_to_string(part.path()).unwrap_or_default();
    }
    Some(text)
}

#[test]
fn each_promise_has_tests_and_each_of_them_exists() {
    let (_, section) = SPEC.split_once("\n## 14. ").expect("section 14");
    let rows: Vec<_> = section.lines().filter(|l| l.starts_with("| ") && !l.starts_with("| promise")).collect();
    assert_eq!(rows.len(), PROMISES);
    for (number, row) in (1..).zip(rows) {
        let cells: Vec<_> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let [promise, tests] = cells[..] else { panic!("two cells: {row}") };
        assert!(promise.starts_with(&format!("{number} ")), "row {number}: {promise}");
        let files = named(tests);
        assert!(files.values().any(|names| !names.is_empty()), "promise {number} names no test");
        for (file, names) in files {
            let text = with_parts(&place(file)).unwrap_or_else(|| panic!("promise {number}: there is no {file}"));
            for name in names {
                assert!(text.contains(&format!("fn {name}(")), "promise {number}: there is no test {name} in {file}");
            }
        }
    }
}
