//! What is installed can't be told to break a promise: the switches exist in the test build alone. Each of them has a
//! campaign that finds it out; CONTRIBUTING says which, and is held to it.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use tests::world::{Broken, Sure, bins, sabotage_is_missing, sabotaged_bins};

const VARIABLE: &str = "ENROLMENT_SABOTAGE";
const PROGRAMS: [&str; 2] = ["enroll-client", "sync-server"];

fn holds(program: &Path, word: &str) -> Sure<bool> {
    let bytes = fs::read(program).map_err(|e| Broken(format!("{}: {e}", program.display())))?;
    Ok(bytes.windows(word.len()).any(|w| w == word.as_bytes()))
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace")
}

/// The rows of the table of switches: switch, names of tests.
fn table() -> Sure<Vec<(String, Vec<String>)>> {
    let text = fs::read_to_string(root().join("CONTRIBUTING.md"))?;
    let rows = text.lines().filter(|line| line.starts_with("| `")).map(|row| {
        let mut names = row.split('`').skip(1).step_by(2).map(str::to_owned);
        (names.next().unwrap_or_default(), names.collect())
    });
    Ok(rows.collect())
}

/// All source files below a folder.
fn sources(folder: &Path, into: &mut Vec<PathBuf>) -> Sure<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            sources(&path, into)?;
        } else if path.extension().is_some_and(|e| e == "rs") {
            into.push(path);
        }
    }
    Ok(())
}

fn text_below(folders: &[&str]) -> Sure<String> {
    let mut files = Vec::new();
    folders.iter().try_for_each(|folder| sources(&root().join(folder), &mut files))?;
    Ok(files.iter().map(fs::read_to_string).collect::<Result<_, _>>()?)
}

#[test]
fn the_switches_are_in_the_test_build_and_not_in_the_programs() -> Sure<()> {
    let switches: Vec<String> = table()?.into_iter().map(|(switch, _)| switch).collect();
    for name in PROGRAMS {
        let program = bins()?.join(name);
        assert!(!holds(&program, VARIABLE)?, "{name} can be told to break a promise");
        for switch in &switches {
            assert!(!holds(&program, switch)?, "{name} knows of {switch}");
        }
    }
    if sabotage_is_missing() {
        return Ok(());
    }
    let folder = sabotaged_bins().ok_or_else(|| Broken("just there".into()))?;
    for name in PROGRAMS {
        assert!(holds(&folder.join(name), VARIABLE)?, "{name}: no switch in the test build, so the check above finds nothing either");
    }
    Ok(())
}

/// No switch without a campaign: a check that cannot fail is a defect.
#[test]
fn each_switch_has_a_row_that_names_tests_that_are_there() -> Sure<()> {
    let programs = text_below(&["shared/ground/src", "enroll-client/src", "sync-server/src"])?;
    let named = programs.split("sabotage::on(\"").skip(1).filter_map(|rest| rest.split('"').next());
    // what poison does is in a file of its own
    let switches: BTreeSet<&str> = named.filter(|switch| !switch.starts_with("poison-")).collect();
    let (table, tests) = (table()?, text_below(&["tests/tests"])?);
    let rows: BTreeSet<&str> = table.iter().map(|(switch, _)| switch.as_str()).collect();
    assert_eq!(rows, switches);
    for (switch, names) in &table {
        assert!(!names.is_empty(), "{switch}: no test");
        for name in names {
            assert!(tests.contains(&format!("fn {name}(")), "{switch}: there is no test {name}");
        }
    }
    Ok(())
}
