//! States that used to have no way out: each is brought about with the real programs, and left as the texts say.

use std::{
    fs,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
};

use shared::{
    roster::LEAST_RETENTION,
    sample::{Sample, Size},
    time::Second,
};
use tests::{
    skipped::skip,
    world::{
        Broken, Plan, Program, Ran, Source, Sure, World, copy_folder, later, path_text, run_later, seconds_later, until, write_sources,
    },
};

fn residents(world: &World, people: std::ops::Range<u64>) -> Sure<Vec<Source>> {
    let sample = Sample::new(77, Second::from_unix(1_790_000_000), Size::Tiny);
    write_sources(&world.path().join("residents"), &sample, &people.map(|n| (n, 0)).collect::<Vec<_>>())
}

/// Enrols, closes, syncs until everything has an outcome.
fn day(world: &mut World, people: std::ops::Range<u64>) -> Sure<()> {
    let sources = residents(world, people)?;
    world.enrol(0, &sources)?;
    world.units[0].close()?;
    world.serve()?;
    world.units[0].settle()?;
    Ok(())
}

fn open_kinds(world: &World) -> Sure<Vec<String>> {
    let list = world.centre.run(&["open", "list"])?.ok()?;
    Ok(list.of("open").filter_map(|fact| fact["kind"].as_str().map(str::to_owned)).collect())
}

/// The largest blob of the archive: a payload.
fn payload(world: &World) -> Sure<PathBuf> {
    let mut largest: Option<(u64, PathBuf)> = None;
    let mut folders = vec![world.centre.data.join("archive/blobs")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            } else {
                largest = largest.max(Some((entry.metadata()?.len(), entry.path())));
            }
        }
    }
    Ok(largest.expect("blobs are there").1)
}

/// Changes one byte, as a disk would.
fn flip(path: &Path, at: u64) -> Sure<()> {
    let file = fs::OpenOptions::new().read(true).write(true).open(path)?;
    let mut byte = [0];
    file.read_exact_at(&mut byte, at)?;
    file.write_all_at(&[byte[0] ^ 1], at)?;
    Ok(())
}

fn configure(world: &World, line: &str) -> Sure<()> {
    let path = world.centre.data.join("sync-server.toml");
    let text = fs::read_to_string(&path)?;
    fs::write(&path, format!("{line}\n{text}"))?;
    Ok(())
}

#[test]
fn a_manifest_that_staging_lost_is_announced_again() -> Sure<()> {
    for lost in ["gone", "changed"] {
        let mut world = World::with_units(&Plan::default(), 1)?;
        let sources = residents(&world, 0..1)?;
        world.enrol(0, &sources)?;
        world.units[0].close()?;
        world.units[0].link.cut_after(100_000);
        world.units[0].run(&["sync", "--tries", "1"])?;
        world.unplug()?;
        let staging = world.centre.data.join("staging");
        let manifest =
            fs::read_dir(&staging)?.filter_map(|e| e.ok().map(|e| e.path())).find(|p| p.extension().is_some_and(|e| e == "manifest"));
        let Some(manifest) = manifest else {
            assert_eq!(world.units[0].link.cuts(), 0, "a link that broke has left an announced batch");
            continue;
        };
        if lost == "gone" {
            fs::remove_file(&manifest)?;
        } else {
            flip(&manifest, 40)?;
        }
        world.serve()?;
        let stands = world.units[0].settle()?;
        assert!(stands.values().all(|s| s.state == "merged"), "{lost}: {stands:?}");
    }
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
    let restored = world.centre.run(&["archive", "restore", path_text(&stick)?])?.ok()?;
    assert_eq!((restored.number("restored"), restored.number("passed"), restored.number("in_doubt")), (1, 2, 0), "{:?}", restored.lines);
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

/// The centre knows at once what it tells the unit, and still does when its database was made again.
#[test]
fn a_rewound_unit_is_named_at_once_and_after_a_rebuild() -> Sure<()> {
    let mut world = World::with_units(&Plan::default(), 1)?;
    world.unplug()?;
    let (data, older) = (world.units[0].data.clone(), world.path().join("van.monday"));
    copy_folder(&data, &older)?;
    day(&mut world, 0..1)?;
    fs::remove_dir_all(&data)?;
    copy_folder(&older, &data)?;
    world.units[0].sync()?;
    assert!(open_kinds(&world)?.contains(&"unit-rewound".to_owned()), "{:?}", open_kinds(&world)?);
    let alarm = world.units[0].run(&["alarm", "list"])?;
    assert!(alarm.of("alarm").any(|a| a["code"] == "vault-rewound"), "{:?}", alarm.lines);
    world.unplug()?;
    let before = open_kinds(&world)?;
    world.centre.run(&["rebuild"])?.ok()?;
    let mut after = open_kinds(&world)?;
    after.retain(|kind| kind != "database-aside");
    assert_eq!(after, before);
    // the way out that the fact names
    world.units[0].run(&["new-key", "--restored"])?.ok()?;
    let request = world.units[0].data.join("unit.request");
    world.centre.run(&["unit", "admit", path_text(&request)?, "--new-key", "--cut-old"])?.ok()?;
    world.serve()?;
    world.units[0].sync()?;
    assert_eq!(world.units[0].run(&["status"])?.exit, Some(0));
    assert!(open_kinds(&world)?.iter().all(|kind| !kind.starts_with("unit-")), "{:?}", open_kinds(&world)?);
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
    world.units[0].run(&["unit", "set", "--ca", &certificate])?.ok()?;
    assert!(matches!(world.units[0].sync()?.exit, Some(0 | 4)));
    // replaced a second time only by who says so
    assert_eq!(world.centre.run(&["tls", "new"])?.code(), Some("usage"));
    for (address, code) in [("ftp://registry.example", "usage"), ("http://registry.example", "server-untrusted"), ("https://", "usage")] {
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

/// The roster goes to a unit without a network, and too old software is told before anybody sits down.
#[test]
fn a_roster_travels_in_a_file_and_its_lines_have_a_command_each() -> Sure<()> {
    let mut world = World::with_units(&Plan::default(), 1)?;
    let file = world.path().join("roster.bundle");
    let shown = |world: &World, key: &str| -> Sure<String> {
        let text = world.centre.run(&["roster", "show"])?.ok()?.text("note")?;
        Ok(text.lines().find_map(|line| line.strip_prefix(&format!("{key} "))).unwrap_or_default().to_owned())
    };
    let set = [
        ("grace", &["--grace", "86400"][..], "86400"),
        ("retention", &["--retention", "345600"], "345600"),
        ("limit lines", &["--limit-lines", "100"], "100"),
        ("limit batch", &["--limit-batch", "1000000"], "1000000"),
        ("limit record", &["--limit-record", "900000"], "900000"),
        ("software", &["--software", "9.0.0"], "9.0.0"),
    ];
    for (line, options, value) in set {
        world.centre.run(&[&["roster", "set"][..], options].concat())?.ok()?;
        assert_eq!(shown(&world, line)?, value);
    }
    let before = shown(&world, "expires")?;
    world.centre.run(&["roster", "set", "--expires", "30"])?.ok()?;
    assert_ne!(shown(&world, "expires")?, before);
    world.centre.run(&["roster", "set"])?.refused("usage")?;
    assert_eq!(world.centre.run(&["roster", "set", "--retention", "259199"])?.exit, Some(2), "three days at least");
    world.unplug()?;
    // no network: the file
    world.centre.run(&["roster", "export", path_text(&file)?])?.ok()?;
    world.units[0].run(&["roster", "import", path_text(&file)?])?.ok()?;
    let sources = residents(&world, 0..1)?;
    let refused = world.units[0].agent(&["enrol", "--yes", path_text(&sources[0].folder)?])?;
    refused.refused("software-too-old")?;
    let status = world.units[0].run(&["status"])?;
    assert_eq!((status.exit, &status.summary()["capture"]), (Some(1), &"software-too-old".into()));
    world.units[0].run(&["roster", "import", path_text(&file)?])?.refused("nothing-to-do")?;
    let doctor = world.units[0].run(&["doctor"])?;
    assert!(doctor.of("check").any(|c| c["what"] == "admission" && c["finding"] == "bad"), "{:?}", doctor.lines);
    // a unit of which the centre has heard nothing since says how far it has seen the log
    world.centre.run(&["roster", "set", "--software", "0.1.0"])?.ok()?;
    let seen = status.summary()["seen"].to_string();
    world.centre.run(&["roster", "export", path_text(&file)?, "--seen", &seen])?.ok()?;
    world.units[0].run(&["roster", "import", path_text(&file)?])?.ok()?;
    world.enrol(0, &sources)?;
    let cut = fs::read(&file)?;
    fs::write(&file, &cut[..cut.len() / 2])?;
    world.units[0].run(&["roster", "import", path_text(&file)?])?.refused("input-unreadable")?;
    world.centre.run(&["roster", "export", path_text(&file)?, "--seen", "1000000"])?.refused("log-inconsistent")?;
    Ok(())
}

#[test]
fn a_laptop_that_runs_ahead_is_told_at_sync_and_at_capture() -> Sure<()> {
    let Some(wrapper) = seconds_later(7200) else {
        skip("libfaketime is not installed");
        return Ok(());
    };
    let mut world = World::with_units(&Plan::default(), 1)?;
    let ahead = |args: &[&str]| -> Sure<Ran> {
        Program::end(world.units[0].program().command_under(&wrapper.each_ref().map(String::as_str), args), args)
    };
    let told = |ran: &Ran| ran.err.contains("minutes ahead") || ran.lines.iter().any(|line| line.to_string().contains("minutes ahead"));
    let synced = ahead(&["sync"])?;
    assert_eq!(synced.of("clock").count(), 1, "{:?} {}", synced.lines, synced.err);
    let agent = world.units[0].as_agent(&["draft", "new", "residence-certificate/1"])?;
    let draft = ahead(&agent.iter().map(String::as_str).collect::<Vec<_>>())?.ok()?;
    assert!(told(&draft), "{:?} {}", draft.lines, draft.err);
    assert!(ahead(&["status"])?.summary()["notes"].to_string().contains("minutes ahead"));
    // set right, and heard of
    world.units[0].sync()?;
    assert!(!world.units[0].run(&["status"])?.summary()["notes"].to_string().contains("minutes ahead"));
    world.unplug()?;
    Ok(())
}

#[test]
fn a_laptop_that_is_months_behind_is_told_at_sync_at_capture_and_in_status() -> Sure<()> {
    let Some(wrapper) = seconds_later(-90 * 86_400) else {
        skip("libfaketime is not installed");
        return Ok(());
    };
    let mut world = World::with_units(&Plan::default(), 1)?;
    let behind = |args: &[&str]| -> Sure<Ran> {
        Program::end(world.units[0].program().command_under(&wrapper.each_ref().map(String::as_str), args), args)
    };
    let told =
        |ran: &Ran| ran.err.contains("is behind the centre's log") || ran.lines.iter().any(|l| l.to_string().contains("is behind the"));
    let synced = behind(&["sync"])?;
    assert_eq!(synced.of("clock").count(), 1, "{:?} {}", synced.lines, synced.err);
    let agent = world.units[0].as_agent(&["draft", "new", "residence-certificate/1"])?;
    let draft = behind(&agent.iter().map(String::as_str).collect::<Vec<_>>())?.ok()?;
    assert!(told(&draft), "{:?} {}", draft.lines, draft.err);
    assert!(told(&behind(&["status"])?));
    assert!(behind(&["doctor"])?.of("check").any(|c| c["what"] == "clock" && c["finding"] == "warning"));
    // who is enrolled meanwhile is enrolled in the log's time, and merges
    let sources = residents(&world, 0..1)?;
    let folder = path_text(&sources[0].folder)?.to_owned();
    let agent = world.units[0].as_agent(&["enrol", "--yes", &folder])?;
    assert!(told(&behind(&agent.iter().map(String::as_str).collect::<Vec<_>>())?.ok()?));
    // set right
    let status = world.units[0].run(&["status"])?;
    assert!(!told(&status), "{:?} {}", status.lines, status.err);
    world.units[0].close()?;
    world.serve()?;
    assert_eq!(world.units[0].settle()?.values().filter(|stand| stand.state == "merged").count(), 1);
    world.unplug()
}

#[test]
fn a_centre_that_cannot_log_says_so_at_start_and_in_doctor() -> Sure<()> {
    let Some(wrapper) = later(3) else {
        skip("libfaketime is not installed");
        return Ok(());
    };
    let mut world = World::with_units(&Plan::default(), 1)?;
    day(&mut world, 0..1)?;
    world.unplug()?;
    let doctor = run_later(world.centre.program(), 3, &["doctor"])?;
    assert!(doctor.of("check").any(|c| c["about"] == "clock" && c["health"] == "error"), "{:?}", doctor.lines);
    assert!(doctor.of("check").any(|c| c["about"] == "serve" && c["code"] == "clock-jump"), "{:?}", doctor.lines);
    world.serve_under(&wrapper.each_ref().map(String::as_str))?;
    assert!(world.centre.said().contains("clock-jump"), "{}", world.centre.said());
    let open = run_later(world.centre.program(), 3, &["open", "list"])?.ok()?;
    let fact = open.of("open").find(|fact| fact["kind"] == "log-stopped").expect("open").clone();
    assert!(fact["since"].is_string() && fact["next"].as_str().is_some_and(|next| next.contains("log time confirm")), "{fact}");
    // the unit hears why its receipt is late
    let sources = residents(&world, 1..2)?;
    world.enrol(0, &sources)?;
    world.units[0].close()?;
    let waits = world.units[0].run(&["sync", "--tries", "2"])?;
    assert!(waits.lines.iter().any(|line| line.to_string().contains("the centre logs nothing: clock-jump")), "{:?}", waits.lines);
    world.unplug()?;
    let unasked = run_later(world.centre.program(), 3, &["log", "time", "confirm"])?;
    assert_eq!(unasked.code(), Some("usage"), "it is for good: {:?}", unasked.lines);
    run_later(world.centre.program(), 3, &["log", "time", "confirm", "--yes"])?.ok()?;
    let doctor = run_later(world.centre.program(), 3, &["doctor"])?;
    assert!(doctor.of("check").all(|c| c["about"] != "serve"), "{:?}", doctor.lines);
    Ok(())
}

/// What a unit says of itself reaches the centre, and a unit that says nothing is named.
#[test]
fn alarms_travel_and_units_unheard_of_are_named() -> Sure<()> {
    if later(0).is_none() {
        skip("libfaketime is not installed");
        return Ok(());
    }
    let mut world = World::with_units(&Plan::default(), 1)?;
    day(&mut world, 0..1)?;
    assert_eq!(open_kinds(&world)?, [""; 0]);
    let evidence = world.units[0].data.join("evidence");
    fs::create_dir_all(&evidence)?;
    fs::write(evidence.join("log-3-000000000000.txt"), "2026-11-01T00:00:00Z\nseen 3\n")?;
    let status = world.units[0].run(&["status"])?;
    assert_eq!((status.exit, status.summary()["alarms"][0]["code"].as_str()), (Some(7), Some("log-inconsistent")), "{:?}", status.lines);
    assert_eq!(world.units[0].run(&["doctor"])?.exit, Some(7));
    assert_eq!(world.units[0].sync()?.exit, Some(7), "also when all else went well");
    assert_eq!(open_kinds(&world)?, ["unit-alarm"]);
    let units = world.centre.run(&["unit", "list"])?.ok()?;
    assert_eq!(units.of("open").filter(|f| f["unit"] == "van-1" && f["kind"] == "unit-alarm").count(), 1, "{:?}", units.lines);
    // by name, with a reason; pruning stays refused
    assert_ne!(world.units[0].agent(&["alarm", "clear", "log-inconsistent", "--reason", "explained"])?.exit, Some(0), "no agent clears it");
    world.units[0].supervisor(&["alarm", "clear", "log-inconsistent", "--reason", "explained"])?.ok()?;
    assert_eq!(world.units[0].run(&["status"])?.exit, Some(0));
    world.units[0].run(&["prune"])?.refused("log-inconsistent")?;
    let listed = world.units[0].run(&["alarm", "list"])?.ok()?;
    assert!(listed.of("alarm").any(|a| a["cleared"].as_str().is_some_and(|c| c.contains("supervisor-1: explained"))), "{:?}", listed.lines);
    world.units[0].sync()?;
    assert_eq!(open_kinds(&world)?, [""; 0], "the next hello has no alarm");
    // found again, it is an alarm again
    fs::write(evidence.join("log-4-000000000000.txt"), "2027-01-01T00:00:00Z\nseen 4\n")?;
    assert_eq!(world.units[0].run(&["status"])?.exit, Some(7));
    world.unplug()?;
    let open = run_later(world.centre.program(), 15, &["open", "list"])?.ok()?;
    assert!(open.of("open").any(|f| f["kind"] == "unit-unheard" && f["unit"] == "van-1"), "{:?}", open.lines);
    // and a sync of the unit ends it
    let wrapper = later(15).ok_or_else(|| Broken("no libfaketime".into()))?;
    world.serve_under(&wrapper.each_ref().map(String::as_str))?;
    run_later(world.units[0].program(), 15, &["sync"])?;
    let open = run_later(world.centre.program(), 15, &["open", "list"])?.ok()?;
    assert!(open.of("open").all(|f| f["kind"] != "unit-unheard"), "{:?}", open.lines);
    world.unplug()?;
    Ok(())
}
