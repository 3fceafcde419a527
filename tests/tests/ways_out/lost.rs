//! What a disk lost, changed or put back: the archive, the guard, the database, the certificate.

use std::{fs, os::unix::fs::FileExt as _, path::PathBuf};

use shared::roster::LEAST_RETENTION;
use tests::{
    skipped::skip,
    world::{Broken, Plan, Sure, World, copy_folder, later, path_text, until},
};

use super::{day, flip, open_kinds};

/// The largest payload of the archive: a row of age files.
fn payload(world: &World) -> Sure<PathBuf> {
    let mut largest: Option<(u64, PathBuf)> = None;
    let mut folders = vec![world.centre.data.join("archive/blobs")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            } else if fs::read(entry.path())?.starts_with(b"age-encryption.org/") {
                largest = largest.max(Some((entry.metadata()?.len(), entry.path())));
            }
        }
    }
    Ok(largest.expect("blobs are there").1)
}

fn configure(world: &World, line: &str) -> Sure<()> {
    let path = world.centre.data.join("sync-server.toml");
    let text = fs::read_to_string(&path)?;
    fs::write(&path, format!("{line}\n{text}"))?;
    Ok(())
}

#[test]
fn a_byte_that_the_archive_lost_is_found_told_to_units_and_mended() -> Sure<()> {
    if later(0).is_none() {
        skip("libfaketime is not installed");
        return Ok(());
    }
    let mut world = World::with_units(&Plan { retention: LEAST_RETENTION, ..Plan::default() }, 1)?;
    day(&mut world, 0..2)?;
    world.days_pass(4)?;
    // the server itself, which reads everything within two seconds here
    configure(&world, "scrub = 2")?;
    let file = payload(&world)?;
    flip(&file, 99)?;
    world.serve()?;
    until("the byte is found", || Ok(open_kinds(&world)?.contains(&"archive-damaged".to_owned()).then_some(())))?;
    assert_eq!(world.centre.run(&["doctor"])?.of("check").filter(|c| c["about"] == "open facts" && c["health"] == "warning").count(), 1);
    world.units[0].sync()?;
    let notes = world.units[0].run(&["status"])?.summary()["notes"].to_string();
    assert!(notes.contains("asks to keep the batches 1.1"), "status says why prune passes over it: {notes}");
    let kept = world.units[0].run(&["prune"])?;
    assert_eq!((kept.exit, kept.number("kept")), (Some(4), 2), "{:?}", kept.lines);
    assert_eq!(world.centre.run(&["scrub"])?.exit, Some(7));
    // the way out: put back from the unit, which still has it, or from a copy
    let stick = world.path().join("stick");
    world.units[0].run(&["batch", "save", "1.9", path_text(&stick)?])?.refused("not-found")?;
    world.units[0].run(&["batch", "save", "1.1", path_text(&stick)?])?.ok()?;
    fs::write(stick.join("notes.txt"), "something else")?;
    let open = world.centre.run(&["open", "list"])?.ok()?;
    let fact = open.of("open").find(|fact| fact["kind"] == "archive-damaged").expect("open").clone();
    assert!(fact["next"].as_str().is_some_and(|next| next.contains("archive restore FILE") && next.contains("van-1 1.1")), "{fact}");
    // a file that cannot be read keeps no other from its place, and a folder is read to any depth
    let (deep, nothing) = (world.path().join("deep"), world.path().join("nothing"));
    copy_folder(&stick, &deep.join("a/b"))?;
    let restored = world.centre.run(&["archive", "restore", path_text(&nothing)?, path_text(&deep)?])?;
    let counts = ["restored", "passed", "unread", "in_doubt"].map(|name| restored.number(name));
    assert_eq!((restored.exit, counts), (Some(3), [1, 2, 1, 0]), "{:?} {}", restored.lines, restored.err);
    world.centre.run(&["scrub"])?.ok()?;
    assert_eq!(world.centre.fsck()?["fsck"], "clean");
    assert!(!open_kinds(&world)?.contains(&"archive-damaged".to_owned()));
    world.units[0].sync()?;
    assert_eq!(world.units[0].run(&["prune"])?.ok()?.number("pruned"), 2);
    // and a file that is gone is found as well; nothing is made again from an archive that lacks it
    fs::remove_file(&file)?;
    assert_eq!(world.centre.run(&["scrub"])?.exit, Some(7));
    world.unplug()?;
    world.centre.run(&["rebuild"])?.refused("archive-missing")?;
    assert!(open_kinds(&world)?.contains(&"archive-damaged".to_owned()));
    assert_eq!(world.centre.run(&["resident", "find", "--name", "e", "--reason", "a test"])?.exit, Some(0), "the whole database stays");
    // what a unit has pruned it cannot give
    world.units[0].run(&["batch", "save", "1.1", path_text(&stick.join("late"))?])?.refused("not-found")?;
    world.centre.run(&["archive", "restore", path_text(&stick)?])?.ok()?;
    assert_eq!(open_kinds(&world)?.iter().filter(|kind| *kind == "archive-damaged").count(), 0);
    world.centre.run(&["rebuild"])?.ok()?;
    Ok(())
}

#[test]
fn a_damaged_database_is_told_and_made_again() -> Sure<()> {
    let mut world = World::with_units(&Plan::default(), 1)?;
    day(&mut world, 0..2)?;
    world.unplug()?;
    let digest = world.centre.fsck()?["registry_digest"].clone();
    let database = world.centre.data.join("centre.db");
    let size = fs::metadata(&database)?.len();
    let file = fs::OpenOptions::new().write(true).open(&database)?;
    let mut at = 16 * 1024;
    while at + 4096 < size {
        file.write_all_at(&[0xa5; 4096], at)?;
        at += 16 * 1024;
    }
    let refused = world.centre.serve_refused()?;
    assert_eq!((refused.exit, refused.code()), (Some(7), Some("database-damaged")), "{:?}", refused.lines);
    let doctor = world.centre.run(&["doctor"])?;
    assert_eq!(doctor.exit, Some(7));
    assert!(doctor.of("check").any(|c| c["code"] == "database-damaged"), "{:?}", doctor.lines);
    // the way out
    let rebuilt = world.centre.run(&["rebuild"])?;
    assert!(matches!(rebuilt.exit, Some(0 | 3)), "{:?}", rebuilt.lines);
    let fsck = world.centre.run(&["fsck"])?.ok()?;
    assert_eq!(fsck.summary()["registry_digest"], digest);
    // what was set aside is named until it is destroyed
    assert_eq!(open_kinds(&world)?, ["database-aside"]);
    // also one that a rebuild had begun
    let begun = world.centre.data.join("centre.db.new");
    fs::write(&begun, b"half of it")?;
    assert_eq!(open_kinds(&world)?, ["database-aside"; 2]);
    fs::remove_file(begun)?;
    let doctor = world.centre.run(&["doctor"])?;
    assert!(doctor.of("check").any(|c| c["about"] == "open facts" && c["health"] == "warning"), "{:?}", doctor.lines);
    for entry in fs::read_dir(&world.centre.data)? {
        let path = entry?.path();
        if path.to_string_lossy().contains(".before-") {
            fs::remove_file(path)?;
        }
    }
    assert_eq!(open_kinds(&world)?, [""; 0]);
    world.serve()?;
    assert!(world.units[0].sync()?.exit.is_some_and(|exit| exit == 4 || exit == 0));
    Ok(())
}

/// Guard and archive are put back, the database is the newest: it is kept, and they are named.
#[test]
fn a_database_that_is_newer_than_guard_and_archive_is_not_made_again_from_them() -> Sure<()> {
    let mut world = World::with_units(&Plan::default(), 1)?;
    world.unplug()?;
    let parts = ["guard", "archive"];
    let aside = |world: &World, name: &str, of: &str| world.path().join(format!("{name}.{of}"));
    for name in parts {
        copy_folder(&world.centre.data.join(name), &aside(&world, name, "monday"))?;
    }
    day(&mut world, 0..2)?;
    world.unplug()?;
    let before = world.centre.fsck()?;
    for name in parts {
        fs::rename(world.centre.data.join(name), aside(&world, name, "newest"))?;
        copy_folder(&aside(&world, name, "monday"), &world.centre.data.join(name))?;
    }
    world.centre.serve_refused()?.refused("guard-conflict")?;
    world.centre.run(&["rebuild"])?.refused("guard-conflict")?;
    let doctor = world.centre.run(&["doctor"])?;
    assert_eq!(doctor.exit, Some(7));
    assert!(doctor.of("check").any(|c| c["about"] == "serve" && c["code"] == "guard-conflict"), "{:?}", doctor.lines);
    // where the newer ones are lost for good: without the database, what is left is made again
    let database = world.centre.data.join("centre.db");
    let files = ["", "-wal", "-shm"].map(|end| PathBuf::from(format!("{}{end}", database.display())));
    for file in files.iter().filter(|file| file.exists()) {
        fs::rename(file, aside(&world, "database", &file.file_name().unwrap_or_default().to_string_lossy()))?;
    }
    assert_eq!(world.centre.run(&["rebuild"])?.ok()?.number("merged"), 0);
    // and what the text says first: the newest ones in their place
    for name in parts {
        fs::remove_dir_all(world.centre.data.join(name))?;
        fs::rename(aside(&world, name, "newest"), world.centre.data.join(name))?;
    }
    world.centre.run(&["rebuild"])?.ok()?;
    assert_eq!(world.centre.fsck()?["registry_digest"], before["registry_digest"]);
    Ok(())
}

#[test]
fn the_guards_own_segment_is_looked_at_before_anything_serves() -> Sure<()> {
    let mut world = World::with_units(&Plan::default(), 1)?;
    world.unplug()?;
    let guard = fs::read_to_string(world.centre.data.join("guard/head"))?;
    let hex = guard.trim().rsplit(':').next().unwrap_or_default().to_owned();
    let mut found = None;
    for folder in fs::read_dir(world.centre.data.join("archive/segments"))? {
        for segment in fs::read_dir(folder?.path())? {
            let path = segment?.path();
            found = found.or(path.to_string_lossy().ends_with(&hex).then_some(path));
        }
    }
    let (segment, aside) = (found.expect("the guard's segment"), world.path().join("segment"));
    fs::rename(&segment, &aside)?;
    let refused = world.centre.serve_refused()?;
    assert_eq!((refused.exit, refused.code()), (Some(7), Some("guard-ahead")), "{:?}", refused.lines);
    assert_eq!(world.centre.run(&["doctor"])?.exit, Some(7));
    fs::rename(&aside, &segment)?;
    world.serve()?;
    Ok(())
}

/// A byte of a value, on a page that SQLite's quick check has nothing against.
#[test]
fn a_changed_value_of_the_database_is_found_by_fsck_and_made_again() -> Sure<()> {
    let mut world = World::with_units(&Plan::default(), 1)?;
    day(&mut world, 0..2)?;
    world.unplug()?;
    let digest = world.centre.fsck()?["registry_digest"].clone();
    let database = world.centre.data.join("centre.db");
    let pages = fs::read(&database)?;
    let (mut changed, needle) = (0, b"\"given_latin\"");
    for at in (0..pages.len() - needle.len()).filter(|&at| pages[at..].starts_with(needle)) {
        flip(&database, at as u64)?;
        changed += 1;
    }
    assert!(changed > 0, "fields are there as text");
    let fsck = world.centre.run(&["fsck"])?;
    assert_eq!((fsck.exit, fsck.summary()["fsck"].as_str()), (Some(7), Some("damaged")), "{:?} {}", fsck.lines, fsck.err);
    let next = fsck.of("finding").next().and_then(|f| f["next"].as_str()).unwrap_or_default().to_owned();
    assert!(next.contains("sync-server rebuild"), "{next}");
    let rebuilt = world.centre.run(&["rebuild"])?;
    assert!(matches!(rebuilt.exit, Some(0 | 3 | 7)), "{:?}", rebuilt.lines);
    assert_eq!(world.centre.fsck()?["registry_digest"], digest);
    Ok(())
}

/// Both files are lost and there is no copy: new ones are made, and each unit is given the certificate.
#[test]
fn a_lost_certificate_is_made_anew_and_given_to_the_units() -> Sure<()> {
    let mut world = World::with_units(&Plan::default(), 1)?;
    day(&mut world, 0..1)?;
    world.unplug()?;
    for name in ["tls.crt", "tls.key"] {
        fs::remove_file(world.centre.data.join("keys").join(name))?;
    }
    let refused = world.centre.serve_refused()?;
    let next = refused.summary()["next"].as_str().unwrap_or_default().to_owned();
    assert!(next.contains("sync-server tls new") && next.contains("enroll-client unit set --ca FILE"), "{:?}", refused.lines);
    refused.refused("tls-unusable")?;
    assert_eq!(open_kinds(&world)?, ["certificate-ends"]);
    let certificate = world.centre.run(&["tls", "new"])?.ok()?.text("certificate")?;
    assert_eq!(open_kinds(&world)?, [""; 0]);
    world.serve()?;
    let untrusted = world.units[0].sync()?;
    assert!(untrusted.lines.iter().any(|line| line["code"] == "server-untrusted"), "{:?}", untrusted.lines);
    world.units[0].run(&["unit", "set", "--ca", path_text(&world.centre.safe)?])?.refused("input-unreadable")?;
    world.units[0].run(&["unit", "set", "--ca", "/dev/null"])?.refused("server-untrusted")?;
    world.units[0].run(&["unit", "set", "--ca", &certificate])?.ok()?;
    assert!(matches!(world.units[0].sync()?.exit, Some(0 | 4)));
    // replaced a second time only by who says so
    assert_eq!(world.centre.run(&["tls", "new"])?.code(), Some("usage"));
    for (address, code) in [("ftp://registry.example", "usage"), ("http://registry.example", "usage"), ("https://", "usage")] {
        world.units[0].run(&["unit", "set", "--server", address])?.refused(code)?;
    }
    world.units[0].run(&["unit", "set"])?.refused("usage")?;
    world.unplug()
}

#[test]
fn a_certificate_that_has_ended_is_an_open_fact() -> Sure<()> {
    let world = World::with_units(&Plan::default(), 1)?;
    let mut params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).map_err(|e| Broken(e.to_string()))?;
    params.not_after = rcgen::date_time_ymd(2020, 1, 1);
    let key = rcgen::KeyPair::generate().map_err(|e| Broken(e.to_string()))?;
    let made = params.self_signed(&key).map_err(|e| Broken(e.to_string()))?;
    fs::write(world.centre.data.join("keys/tls.crt"), made.pem())?;
    fs::write(world.centre.data.join("keys/tls.key"), key.serialize_pem())?;
    let open = world.centre.run(&["open", "list"])?.ok()?;
    let fact = open.of("open").find(|fact| fact["kind"] == "certificate-ends").expect("open").clone();
    assert!(
        fact["seen"] == "ended 2020-01-01T00:00:00Z" && fact["next"].as_str().is_some_and(|next| next.contains("unit set --ca")),
        "{fact}"
    );
    world.centre.run(&["tls", "new", "--yes"])?.ok()?;
    assert_eq!(open_kinds(&world)?, [""; 0]);
    // a file of somebody else's is not made here
    configure(&world, "tls_cert = \"/etc/registry/tls.crt\"")?;
    world.centre.run(&["tls", "new", "--yes"])?.refused("config-invalid")?;
    Ok(())
}

#[test]
fn a_missing_certificate_or_roster_key_is_told_by_doctor_as_serve_would() -> Sure<()> {
    let mut world = World::with_units(&Plan::default(), 1)?;
    world.unplug()?;
    let (certificate, aside) = (world.centre.data.join("keys/tls.crt"), world.path().join("aside"));
    fs::rename(&certificate, &aside)?;
    let doctor = world.centre.run(&["doctor"])?;
    assert!(doctor.of("check").any(|c| c["about"] == "serve" && c["code"] == "tls-unusable"), "{:?}", doctor.lines);
    world.centre.serve_refused()?.refused("tls-unusable")?;
    fs::rename(&aside, &certificate)?;
    world.serve()?;
    world.unplug()?;
    let key = world.path().join("safe/roster.key");
    let key = if key.exists() { key } else { world.centre.data.join("keys/roster.key") };
    if key.exists() {
        fs::rename(&key, &aside)?;
        let doctor = world.centre.run(&["doctor"])?;
        assert!(doctor.of("check").any(|c| c["about"] == "roster key" && c["health"] == "warning"), "{:?}", doctor.lines);
        fs::rename(&aside, &key)?;
    }
    Ok(())
}
