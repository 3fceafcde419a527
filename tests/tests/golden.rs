//! A vault and an archive of the first version must open in every later one; what is newer than the software is
//! refused and left as it is.

use std::{fs, path::Path, process::Command};

use serde_json::Value;
use tempfile::TempDir;
use tests::world::{Program, Sure, path_text};

fn golden(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden").join(name)
}

struct Golden {
    folder: TempDir,
    facts: Value,
    centre: Program,
    unit: Program,
    supervisor: Program,
}

/// Unpacks the golden world into a folder of its own.
fn unpacked() -> Sure<Golden> {
    let folder = tempfile::tempdir()?;
    let tar = folder.path().join("world.tar");
    fs::write(&tar, zstd::decode_all(fs::read(golden("v1.tar.zst"))?.as_slice())?)?;
    let done = Command::new("tar").args(["-C", path_text(folder.path())?, "-xf", path_text(&tar)?]).status()?;
    assert!(done.success());
    let facts: Value = serde_json::from_slice(&fs::read(golden("v1.json"))?).expect("JSON");
    let at = |name: &str| folder.path().join(name);
    let (centre, van) = (at("centre"), at("van-1"));
    let centre = Program::new("sync-server", &["--json", "--data-dir", path_text(&centre)?])?;
    let as_one_of_them = |which: &str| -> Sure<Program> {
        // of the first version, both had the same
        let passphrase = facts.get(which).unwrap_or(&facts["passphrase"]).as_str().expect("a passphrase");
        fs::write(at(which), passphrase)?;
        Program::new("enroll-client", &["--json", "--data-dir", path_text(&van)?, "--passphrase-file", path_text(&at(which))?])
    };
    let (unit, supervisor) = (as_one_of_them("passphrase")?, as_one_of_them("supervisor_passphrase")?);
    Ok(Golden { folder, facts, centre, unit, supervisor })
}

fn set_schema(database: &Path, version: i64) {
    let db = rusqlite::Connection::open(database).expect("a database");
    db.pragma_update(None, "user_version", version).expect("a pragma");
}

#[test]
fn a_centre_of_the_first_version_opens_and_is_made_again() -> Sure<()> {
    let golden = unpacked()?;
    let fsck = golden.centre.run(&["fsck"])?.ok()?;
    assert_eq!(fsck.summary()["fsck"], "clean");
    assert_eq!(fsck.summary()["registry_digest"], golden.facts["registry_digest"]);
    let rebuilt = golden.centre.run(&["rebuild"])?.ok()?;
    assert_eq!(rebuilt.summary()["registry_digest"], golden.facts["registry_digest"]);
    Ok(())
}

#[test]
fn a_vault_of_the_first_version_opens_and_goes_on() -> Sure<()> {
    let golden = unpacked()?;
    let verified = golden.unit.run(&["receipt", "verify"])?.ok()?;
    assert_eq!(verified.number("verified"), 1);
    let drafts = golden.unit.run(&["--as", "agent-1", "draft", "list"])?.ok()?;
    assert!(drafts.lines.iter().any(|l| l["message_type"] == "draft"), "{:?}", drafts.lines);
    golden.supervisor.run(&["--as", "supervisor-1", "review", "list"])?.ok()?;
    golden.supervisor.run(&["--as", "supervisor-1", "close"])?.ok()?;
    let waiting = golden.unit.run(&["sync", "--dry-run"])?.ok()?;
    assert!(waiting.summary().to_string().contains('2'), "two batches wait: {}", waiting.summary());
    Ok(())
}

#[test]
fn a_newer_vault_is_refused() -> Sure<()> {
    let golden = unpacked()?;
    set_schema(&golden.folder.path().join("van-1/vault.db"), 9_999);
    golden.unit.run(&["status"])?.refused("vault-newer").map(drop)
}

#[test]
fn a_newer_database_is_refused() -> Sure<()> {
    let golden = unpacked()?;
    set_schema(&golden.folder.path().join("centre/centre.db"), 9_999);
    golden.centre.run(&["batch", "list"])?.refused("database-newer").map(drop)
}

#[test]
fn a_newer_archive_is_refused() -> Sure<()> {
    let golden = unpacked()?;
    fs::write(golden.folder.path().join("centre/archive/format"), "enroll-archive/v2\n")?;
    golden.centre.run(&["batch", "list"])?.refused("database-newer").map(drop)
}
