//! What is linked in: every package from the default registry or this workspace, under a licence that `deny.toml` lists.

use std::{collections::BTreeSet, path::Path, process::Command};

use serde_json::Value;

fn allowed() -> BTreeSet<String> {
    let deny = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../deny.toml")).expect("deny.toml");
    let list = deny.split_once("\nallow = [").and_then(|(_, rest)| rest.split_once(']')).expect("a list of licences").0;
    list.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

/// An SPDX expression: any of an OR, all of an AND; `/` is the old spelling of OR.
fn permits(expression: &str, allowed: &BTreeSet<String>) -> bool {
    let flat = expression.replace('/', " OR ");
    let mut depth = 0;
    let split = |word: &str| {
        let (mut parts, mut from, mut level) = (Vec::new(), 0, 0_i32);
        for (at, c) in flat.char_indices() {
            level += i32::from(c == '(') - i32::from(c == ')');
            if level == 0 && flat[at..].starts_with(word) {
                parts.push(flat[from..at].trim().to_owned());
                from = at + word.len();
            }
        }
        parts.push(flat[from..].trim().to_owned());
        parts
    };
    for (word, all) in [(" OR ", false), (" AND ", true)] {
        let parts = split(word);
        if parts.len() > 1 {
            return if all { parts.iter().all(|p| permits(p, allowed)) } else { parts.iter().any(|p| permits(p, allowed)) };
        }
    }
    let inner = flat.trim();
    while inner.len() > 2 * depth + 1 && inner[depth..].starts_with('(') && inner[..inner.len() - depth].ends_with(')') {
        depth += 1;
    }
    if depth > 0 {
        return permits(&inner[depth..inner.len() - depth], allowed);
    }
    // an exception only adds permissions
    allowed.contains(inner.split(" WITH ").next().unwrap_or(inner))
}

#[test]
fn expressions_are_read_as_spdx_means_them() {
    let allowed = BTreeSet::from(["MIT".to_owned(), "ISC".to_owned()]);
    for good in ["MIT", "MIT OR GPL-3.0", "GPL-3.0/MIT", "(MIT OR GPL-3.0) AND ISC", "MIT AND ISC", "(MIT)"] {
        assert!(permits(good, &allowed), "{good}");
    }
    for bad in ["GPL-3.0", "MIT AND GPL-3.0", "(MIT OR ISC) AND GPL-3.0", ""] {
        assert!(!permits(bad, &allowed), "{bad}");
    }
}

fn metadata(manifest: &Path) -> Value {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["metadata", "--format-version", "1", "--locked", "--filter-platform", "x86_64-unknown-linux-gnu"]);
    let out = cargo.arg("--manifest-path").arg(manifest).output().expect("cargo");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    serde_json::from_slice(&out.stdout).expect("JSON")
}

/// How many packages a workspace resolves to; each is checked.
fn checked(manifest: &str) -> usize {
    let metadata = metadata(&Path::new(env!("CARGO_MANIFEST_DIR")).join(manifest));
    let resolved: BTreeSet<&str> =
        metadata["resolve"]["nodes"].as_array().expect("nodes").iter().filter_map(|n| n["id"].as_str()).collect();
    let allowed = allowed();
    let mut checked = 0;
    for package in metadata["packages"].as_array().expect("packages") {
        let (name, id) = (package["name"].as_str().expect("a name"), package["id"].as_str().expect("an id"));
        if !resolved.contains(id) {
            continue;
        }
        let source = package["source"].as_str();
        assert!(source.is_none_or(|s| s.starts_with("registry+")), "{name} comes from {source:?}");
        let licence = package["license"].as_str().unwrap_or_default();
        assert!(permits(licence, &allowed), "{name}: {licence:?} is not in deny.toml");
        checked += 1;
    }
    checked
}

#[test]
fn licences_and_sources_are_those_of_deny_toml() {
    let programs = checked("../Cargo.toml");
    assert!(programs > 100, "{programs} packages");
    let tracer = checked("traced/Cargo.toml");
    assert!(tracer > 5, "{tracer} packages");
    // also says when a workspace's own lock file has fallen behind: a fuzzed parser would be built on other versions
    let fuzz = checked("../fuzz/Cargo.toml");
    assert!(fuzz > 100, "{fuzz} packages");
}
