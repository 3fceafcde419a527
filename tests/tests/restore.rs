//! The database lost, the database behind, the archive behind, history rewritten.

use std::{fs, path::Path};

use serde_json::Value;
use shared::{
    sample::{Sample, Size},
    time::Second,
};
use tests::world::{Plan, Source, Sure, World, copy_folder, sabotage_is_missing, write_sources};

fn residents(world: &World, seed: u64, people: std::ops::Range<u64>) -> Sure<Vec<Source>> {
    let sample = Sample::new(seed, Second::from_unix(1_790_000_000), Size::Tiny);
    write_sources(&world.path().join("residents"), &sample, &people.map(|n| (n, 0)).collect::<Vec<_>>())
}

/// A centre with three records merged; it does not serve.
fn three_merged(seed: u64) -> Sure<World> {
    let mut world = World::with_units(&Plan::default(), 1)?;
    day(&mut world, seed, 0..3)?;
    world.centre.stop()?;
    Ok(world)
}

/// Enrols, closes, syncs until everything has an outcome.
fn day(world: &mut World, seed: u64, people: std::ops::Range<u64>) -> Sure<()> {
    let sources = residents(world, seed, people)?;
    world.enrol(0, &sources)?;
    world.units[0].close()?;
    world.serve()?;
    let stands = world.units[0].settle()?;
    assert!(stands.values().all(|s| s.state == "merged"), "{stands:?}");
    Ok(())
}

fn drop_database(world: &World) -> Sure<()> {
    for name in ["centre.db", "centre.db-wal", "centre.db-shm"] {
        let path = world.centre.data.join(name);
        if path.exists() {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

fn digest(fsck: &Value) -> &str {
    fsck["registry_digest"].as_str().unwrap_or_default()
}

#[test]
fn promise_14_a_deleted_database_comes_back_by_starting() -> Sure<()> {
    let mut world = three_merged(21)?;
    let before = world.centre.fsck()?;
    assert_eq!((before["merged"].as_u64(), digest(&before).is_empty()), (Some(3), false));
    drop_database(&world)?;
    world.serve()?;
    let (unit, stands) = (&world.units[0], world.units[0].settle()?);
    assert!(stands.values().all(|s| s.state == "merged"));
    assert!(matches!(unit.sync()?.exit, Some(0 | 4)), "the unit sees one history");
    world.centre.stop()?;
    assert_eq!(digest(&world.centre.fsck()?), digest(&before));
    Ok(())
}

#[test]
fn promise_14_a_deleted_database_comes_back_by_rebuild() -> Sure<()> {
    let world = three_merged(22)?;
    let before = world.centre.fsck()?;
    drop_database(&world)?;
    // lost is damage; broken off between the two names of a rebuild is none
    assert_eq!(world.centre.run(&["fsck"])?.exit, Some(7));
    let begun = world.centre.data.join("centre.db.new");
    fs::write(&begun, b"")?;
    let fsck = world.centre.run(&["fsck"])?.ok()?;
    assert!(fsck.of("open").any(|fact| fact["code"] == "database-behind"), "{:?}", fsck.lines);
    fs::remove_file(&begun)?;
    let doctor = world.centre.run(&["doctor"])?;
    let lost = doctor.of("check").find(|c| c["about"] == "database").and_then(|c| c["next"].as_str()).unwrap_or_default().to_owned();
    assert!(lost.contains("sync-server rebuild") && !doctor.lines.iter().any(|l| l.to_string().contains("1970")), "{:?}", doctor.lines);
    drop_database(&world)?;
    let rebuilt = world.centre.run(&["rebuild"])?.ok()?;
    assert_eq!(digest(rebuilt.summary()), digest(&before));
    assert_eq!(rebuilt.number("outcomes_differ"), 0);
    assert_eq!(digest(&world.centre.fsck()?), digest(&before));
    Ok(())
}

#[test]
fn promise_14_an_older_copy_of_the_database_catches_up() -> Sure<()> {
    let mut world = three_merged(23)?;
    let copy = world.path().join("centre.db.monday");
    fs::copy(world.centre.data.join("centre.db"), &copy)?;
    day(&mut world, 23, 3..6)?;
    world.centre.stop()?;
    let before = world.centre.fsck()?;
    assert_eq!(before["merged"], 6);
    drop_database(&world)?;
    fs::copy(&copy, world.centre.data.join("centre.db"))?;
    day(&mut world, 23, 6..7)?;
    world.centre.stop()?;
    let after = world.centre.fsck()?;
    assert_eq!(after["merged"], 7, "Tuesday's records are back, and Wednesday's came on top");
    let rebuilt = world.centre.run(&["rebuild"])?.ok()?;
    assert_eq!(digest(rebuilt.summary()), digest(&after));
    Ok(())
}

/// The guard's head is newer than what the archive holds: an archive put back from a backup.
#[test]
fn promise_14_a_guard_ahead_of_the_archive_never_serves_and_says_what_to_do() -> Sure<()> {
    let world = three_merged(24)?;
    let newest = newest_segment(&world.centre.data.join("archive/segments"))?;
    let aside = world.path().join("segment");
    fs::rename(&newest, &aside)?;
    drop_database(&world)?;
    let refused = world.centre.serve_refused()?.refused("guard-ahead")?;
    let next = refused.summary()["next"].as_str().unwrap_or_default();
    assert!(!next.is_empty(), "and says what to do now");
    fs::rename(&aside, &newest)?;
    drop_database(&world)?;
    world.centre.run(&["rebuild"])?.ok()?;
    world.centre.fsck().map(drop)
}

/// Archive and database are put back from the morning's backup: what the centre then serves as if nothing had been.
fn served_from_an_older_backup(world: &mut World, seed: u64) -> Sure<Vec<String>> {
    let (archive, database) = (world.centre.data.join("archive"), world.centre.data.join("centre.db"));
    let [archive_then, database_then] = ["archive.morning", "centre.db.morning"].map(|name| world.path().join(name));
    copy_folder(&archive, &archive_then)?;
    fs::copy(&database, &database_then)?;
    day(world, seed, 3..5)?;
    world.centre.stop()?;
    let before = world.centre.fsck()?;
    drop_database(world)?;
    fs::remove_dir_all(&archive)?;
    copy_folder(&archive_then, &archive)?;
    fs::copy(&database_then, &database)?;
    if world.centre.serve().is_err() {
        world.centre.run(&["rebuild"])?.refused("guard-ahead")?;
        return Ok(Vec::new());
    }
    world.centre.stop()?;
    let after = world.centre.fsck()?;
    let number = |fsck: &Value, key: &str| fsck[key].as_u64().unwrap_or(0);
    let told = |key: &str| format!("{} of {} {key}", number(&after, key), number(&before, key));
    Ok(vec![format!("it serves {} and {}", told("entries"), told("merged"))])
}

/// Promise 14: a log shorter than what was promised never serves.
#[test]
fn promise_14_an_older_backup_of_archive_and_database_never_serves() -> Sure<()> {
    assert_eq!(served_from_an_older_backup(&mut three_merged(27)?, 27)?, [""; 0]);
    Ok(())
}

/// The guard alone is put back: with the database or without it, nothing serves, nothing is made again, and everybody names it.
#[test]
fn promise_14_a_guard_that_was_put_back_is_named_and_nothing_is_dropped() -> Sure<()> {
    let mut world = World::with_units(&Plan::default(), 1)?;
    world.centre.stop()?;
    let (guard, older, newer) = (world.centre.data.join("guard"), world.path().join("guard.monday"), world.path().join("guard.newest"));
    copy_folder(&guard, &older)?;
    day(&mut world, 29, 0..2)?;
    world.centre.stop()?;
    let before = world.centre.fsck()?;
    copy_folder(&guard, &newer)?;
    let put = |from: &Path| -> Sure<()> {
        fs::remove_dir_all(&guard)?;
        copy_folder(from, &guard)
    };
    put(&older)?;
    for lost in [false, true] {
        if lost {
            drop_database(&world)?;
        }
        let fsck = world.centre.run(&["fsck"])?;
        assert_eq!(fsck.exit, Some(7), "{:?}", fsck.lines);
        assert!(fsck.of("finding").any(|f| f["code"] == "guard-conflict"), "{:?}", fsck.lines);
        for command in [&["rebuild"][..], &["serve", "--plain-http", "--listen", "127.0.0.1:0"]] {
            let refused = world.centre.run(command)?;
            assert_eq!((refused.exit, refused.code()), (Some(7), Some("guard-conflict")), "{command:?} {lost}");
        }
    }
    // the way out that the text names
    put(&newer)?;
    world.centre.run(&["rebuild"])?.ok()?;
    assert_eq!(digest(&world.centre.fsck()?), digest(&before));
    Ok(())
}

#[test]
fn sabotage_guard_in_backup_is_found_out() -> Sure<()> {
    if sabotage_is_missing() {
        return Ok(());
    }
    let mut world = three_merged(28)?;
    // where this build looks for it
    fs::rename(world.centre.data.join("guard"), world.centre.data.join("archive/guard"))?;
    world.centre.sabotage(&["guard-in-backup"])?;
    let served = served_from_an_older_backup(&mut world, 28)?;
    assert_eq!(served.len(), 1, "the log went back unseen: {served:?}");
    Ok(())
}

fn newest_segment(folder: &Path) -> Sure<std::path::PathBuf> {
    let mut all = Vec::new();
    for group in fs::read_dir(folder)? {
        for segment in fs::read_dir(group?.path())? {
            all.push(segment?.path());
        }
    }
    all.sort();
    all.pop().ok_or_else(|| tests::world::Broken("no segments".into()))
}

/// Promise 9: the centre is put back as a whole, guard included, and goes on in another way. Units notice.
#[test]
fn promise_09_rewritten_history_is_refused_by_a_unit_that_saw_the_other() -> Sure<()> {
    let mut world = World::with_units(&Plan::default(), 2)?;
    world.centre.stop()?;
    let copy = world.path().join("centre.monday");
    copy_folder(&world.centre.data, &copy)?;
    day(&mut world, 25, 0..2)?;
    world.centre.stop()?;
    fs::remove_dir_all(&world.centre.data)?;
    copy_folder(&copy, &world.centre.data)?;
    // the other unit's work makes the log as long again, with other entries
    let sources = residents(&world, 25, 10..16)?;
    world.serve()?;
    for source in sources.chunks(2) {
        world.enrol(1, source)?;
        world.units[1].close()?;
        world.units[1].settle()?;
    }
    let ran = world.units[0].sync()?;
    assert_eq!(ran.exit, Some(7), "{}", ran.err);
    assert_eq!(ran.code(), Some("log-inconsistent"), "{}", ran.err);
    let stands = world.units[0].records()?;
    assert!(stands.values().all(|s| s.state == "merged"), "and nothing that it holds is touched");
    Ok(())
}

/// Promise 6: the same batches, delivered in another order to a twin of the centre, give the same registry.
#[test]
fn promise_06_the_same_log_gives_the_same_registry() -> Sure<()> {
    let mut world = World::with_units(&Plan::default(), 2)?;
    world.unplug()?;
    let sample = Sample::new(26, Second::from_unix(1_790_000_000), Size::Tiny);
    let people = world.path().join("residents");
    let first = write_sources(&people, &sample, &[(0, 1), (1, 0), (2, 0)])?;
    // resident 0 comes to the other unit as well
    let second = write_sources(&people, &sample, &[(0, 2), (4, 0)])?;
    world.enrol(0, &first)?;
    world.enrol(1, &second)?;
    world.units.iter().try_for_each(|u| u.close().map(drop))?;
    let (twin, vaults) = (world.path().join("twin"), world.path().join("vaults"));
    copy_folder(&world.centre.data, &twin)?;
    world.units.iter().try_for_each(|u| copy_folder(&u.data, &vaults.join(&u.name)))?;
    let forth = in_order(&mut world, [0, 1])?;
    assert_eq!(rebuilt_otherwise(&world)?, [""; 0], "the same log gives the same registry");
    // as it was, and the other way round
    fs::remove_dir_all(&world.centre.data)?;
    fs::rename(&twin, &world.centre.data)?;
    for unit in &world.units {
        fs::remove_dir_all(&unit.data)?;
        fs::rename(vaults.join(&unit.name), &unit.data)?;
    }
    let back = in_order(&mut world, [1, 0])?;
    assert_eq!(rebuilt_otherwise(&world)?, [""; 0]);
    // whoever is logged first stands, so the order of the log is part of what is told; who comes second is held either way
    for end in [&forth, &back] {
        assert_eq!((end["merged"].as_u64(), end["held"].as_u64()), (Some(4), Some(1)));
        assert!(!digest(end).is_empty());
    }
    Ok(())
}

fn in_order(world: &mut World, order: [usize; 2]) -> Sure<Value> {
    world.serve()?;
    for unit in order {
        world.units[unit].settle()?;
    }
    world.unplug()?;
    world.centre.fsck()
}

/// The registry made again, by as many workers as a centre has, is the one that is there.
fn rebuilt_otherwise(world: &World) -> Sure<Vec<String>> {
    let before = world.centre.fsck()?;
    let rebuilt = world.centre.run(&["rebuild"])?;
    let merged = (before["merged"].as_u64().unwrap_or(0), rebuilt.number("merged"));
    let same = digest(rebuilt.summary()) == digest(&before) && merged.0 == merged.1;
    Ok((!same).then(|| format!("another registry: {} merged, not {}", merged.1, merged.0)).into_iter().collect())
}

/// Two batches with the same person, folded by two workers that do not see each other.
#[test]
fn sabotage_fold_without_locks_is_found_out() -> Sure<()> {
    if sabotage_is_missing() {
        return Ok(());
    }
    let mut world = World::with_units(&Plan::default(), 2)?;
    let sample = Sample::new(29, Second::from_unix(1_790_000_000), Size::Tiny);
    for (unit, person) in [(0, (0, 1)), (1, (0, 2))] {
        let source = write_sources(&world.path().join("residents"), &sample, &[person])?;
        world.enrol(unit, &source)?;
        world.units[unit].close()?;
        world.units[unit].settle()?;
    }
    world.unplug()?;
    assert_eq!(rebuilt_otherwise(&world)?, [""; 0], "without a switch");
    world.centre.sabotage(&["fold-without-locks"])?;
    let other = rebuilt_otherwise(&world)?;
    assert_eq!(other.len(), 1, "one person, twice in the registry: {other:?}");
    Ok(())
}
