//! Promises of the road, each with its number: what a person relies on, shown by the real programs.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;
use shared::{
    form::FIRST,
    roster::LEAST_RETENTION,
    sample::{Sample, Size},
    seal::{Identity, age_open, passphrase_open},
    time::Second,
};
use tests::{
    skipped::skip,
    world::{
        AUDITOR, Broken, Plan, Program, Source, Stand, Sure, World, copy_folder, later, lie_about, path_text, sabotage_is_missing,
        write_sources,
    },
};

fn residents(world: &World, seed: u64, people: &[(u64, u64)]) -> Sure<Vec<Source>> {
    let sample = Sample::new(seed, Second::from_unix(1_790_000_000), Size::Tiny);
    write_sources(&world.path().join("residents"), &sample, people)
}

/// Enrols, closes, and waits for outcomes.
fn day(world: &mut World, unit: usize, seed: u64, people: &[(u64, u64)]) -> Sure<Vec<Stand>> {
    let sources = residents(world, seed, people)?;
    let finished = world.enrol(unit, &sources)?;
    world.units[unit].close()?;
    let stands = world.units[unit].settle()?;
    Ok(finished.iter().map(|f| stands[&f.number].clone()).collect())
}

/// Promise 3: the unit deletes only what is merged, after retention; held stays; refused needs a supervisor's word.
#[test]
fn promise_03_only_what_is_merged_is_pruned_and_only_after_retention() -> Sure<()> {
    if later(0).is_none() {
        skip("libfaketime is not installed");
        return Ok(());
    }
    let mut world = World::with_units(&Plan { retention: LEAST_RETENTION, ..Plan::default() }, 2)?;
    assert_eq!(day(&mut world, 0, 31, &[(0, 1)])?[0].state, "merged");
    // of the other unit: the same person again, a good one, and one whose line lies
    let sources = residents(&world, 31, &[(0, 2), (1, 0), (2, 0)])?;
    let finished = world.enrol(1, &sources)?;
    lie_about(&world.units[1], &finished[2])?;
    assert_eq!(world.units[1].run(&["prune"])?.exit, Some(4), "nothing is pruned before there is a receipt");
    world.units[1].close()?;
    assert_eq!(world.units[1].run(&["prune"])?.exit, Some(4));
    let stands = world.units[1].settle()?;
    let states: Vec<&str> = finished.iter().map(|f| stands[&f.number].state.as_str()).collect();
    assert_eq!(states, ["held", "merged", "refused"], "{stands:?}");
    for (days, pruned) in [(2, 0), (4, 1)] {
        world.days_pass(days)?;
        world.serve()?;
        world.units[1].sync()?;
        let ran = world.units[1].run(&["prune"])?;
        assert_eq!(
            (ran.exit, ran.number("pruned")),
            (Some(if pruned == 0 { 4 } else { 0 }), pruned),
            "after {days} days, the merged one only"
        );
    }
    let unit = &world.units[1];
    assert_eq!(unit.run(&["prune"])?.exit, Some(4), "held and refused stay");
    assert_ne!(unit.agent(&["prune", "--refused"])?.exit, Some(0), "an agent's word is not enough");
    assert_eq!(unit.supervisor(&["prune", "--refused"])?.ok()?.number("pruned"), 1);
    assert_eq!(unit.run(&["prune"])?.number("kept"), 1, "the held one is kept whatever is said");
    Ok(())
}

/// With the usual retention of two weeks, merged is not enough.
#[test]
fn promise_03_nothing_is_pruned_before_retention_is_over() -> Sure<()> {
    let mut world = World::with_units(&Plan::default(), 1)?;
    assert_eq!(day(&mut world, 0, 32, &[(0, 0)])?[0].state, "merged");
    assert_eq!(day(&mut world, 0, 32, &[(1, 0)])?[0].state, "merged");
    assert_eq!(world.units[0].run(&["prune"])?.exit, Some(4));
    Ok(())
}

/// A unit prunes as early as it can, and the centre is put back as it was in the morning: who has no copy left?
fn lost_with_the_centre(seed: u64, switches: &[&str]) -> Sure<Vec<String>> {
    let mut world = World::with_units(&Plan::default(), 1)?;
    world.unplug()?;
    let morning = world.path().join("centre.morning");
    copy_folder(&world.centre.data, &morning)?;
    world.units[0].sabotage(switches)?;
    world.serve()?;
    assert_eq!(day(&mut world, 0, seed, &[(0, 0)])?[0].state, "merged");
    let unit = &world.units[0];
    let kept = unit.records()?.len() as u64 - unit.run(&["prune"])?.number("pruned");
    world.unplug()?;
    fs::remove_dir_all(&world.centre.data)?;
    copy_folder(&morning, &world.centre.data)?;
    let (made, there) = (world.oracle.all()?.len() as u64, world.centre.fsck()?["merged"].as_u64().unwrap_or(0));
    Ok((made > kept + there).then(|| format!("{made} were finished; the unit keeps {kept}, the centre has {there}")).into_iter().collect())
}

/// Promise 3: while retention lasts, a centre put back from a copy of the morning costs nobody a record.
#[test]
fn promise_03_what_the_centre_forgets_the_unit_still_has() -> Sure<()> {
    assert_eq!(lost_with_the_centre(36, &[])?, [""; 0]);
    Ok(())
}

#[test]
fn sabotage_prune_without_archive_is_found_out() -> Sure<()> {
    if sabotage_is_missing() {
        return Ok(());
    }
    let lost = lost_with_the_centre(37, &["prune-without-archive"])?;
    assert_eq!(lost.len(), 1, "a record that nobody has: {lost:?}");
    Ok(())
}

/// Promise 7: each field says which record it came from, by whom, through which batch and log entry.
#[test]
fn promise_07_every_field_names_where_it_came_from() -> Sure<()> {
    let mut world = World::with_units(&Plan::default(), 1)?;
    let stands = day(&mut world, 0, 33, &[(0, 0), (1, 0), (2, 0)])?;
    let receipt = world.units[0].run(&["receipt", "verify"])?.ok()?;
    let index = receipt.of("receipt").next().map(|l| l["index"].clone()).ok_or_else(|| Broken("no receipt".into()))?;
    for (finished, stand) in world.oracle.all()?.iter().zip(&stands) {
        let reference = stand.told.rsplit(' ').next().unwrap_or_default();
        let shown = world.centre.run(&["resident", "show", reference, "--reason", "provenance"])?.ok()?;
        let fields: Vec<&Value> = shown.of("field").collect();
        assert!(fields.len() > 10, "fields and parts");
        for field in fields {
            let from = &field["from"];
            assert_eq!(from["unit"], "van-1");
            assert_eq!(from["record"], finished.record.as_str(), "{field}");
            assert_eq!(from["number"], finished.number.as_str());
            assert!(from["agent"].as_str().is_some_and(|a| a.starts_with("agent-1+")), "{field}");
            assert_eq!((&from["place"], &from["log_index"]), (&"1.1".into(), &index));
            assert!(from["batch"].as_str().is_some_and(|b| b.starts_with("sha256:")));
        }
        let trace = world.centre.run(&["record", "trace", &finished.record])?.ok()?;
        assert_eq!(trace.of("delivery").count(), 1);
    }
    Ok(())
}

/// Promise 10: whoever has the laptop, the passphrases, or the disks of intake and archive finds nobody.
#[test]
fn promise_10_no_file_of_unit_or_archive_holds_what_was_enrolled() -> Sure<()> {
    let mut world = World::with_units(&Plan::default(), 1)?;
    let sources = residents(&world, 34, &[(0, 0), (1, 0), (2, 0), (4, 0)])?;
    let secrets = sources.iter().map(|s| canaries(&s.folder)).collect::<Sure<Vec<_>>>()?.concat();
    assert!(secrets.len() > 40);
    assert!(found(&secrets, &world.path().join("residents"))? > 40, "the control: where they lie, they are found");
    world.enrol(0, &sources)?;
    let unit = &world.units[0];
    let clean = |when: &str| -> Sure<()> {
        assert_eq!(found(&secrets, &unit.data)?, 0, "{when}");
        assert_eq!(found(&secrets, &world.centre.data.join("archive"))?, 0, "{when}");
        assert_eq!(found(&secrets, &world.centre.data.join("staging"))?, 0, "{when}");
        Ok(())
    };
    clean("finished")?;
    unit.supervisor(&["review", "show", "1.1"])?.ok()?;
    unit.agent(&["review", "show", "1.1"])?.refused("review-needed")?;
    unit.close()?;
    clean("closed")?;
    unit.settle()?;
    clean("merged")?;
    unit.supervisor(&["review", "show", "1.1"])?.refused("record-unknown")?;
    Ok(())
}

/// Words and picture pieces of a resident that cannot be anywhere by chance.
fn canaries(folder: &Path) -> Sure<Vec<Vec<u8>>> {
    let described: Value = serde_json::from_slice(&fs::read(folder.join("resident.json"))?)?;
    let person = described["person"].as_object().ok_or_else(|| Broken("no person".into()))?;
    // the names and codes of places stand in the forms
    let in_a_form = |word: &str| FIRST.iter().any(|form| form.windows(word.len()).any(|w| w == word.as_bytes()));
    let words = person.values().filter_map(Value::as_str);
    let words = words.filter(|v| v.len() >= 8 && !v.chars().all(|c| c.is_ascii_digit() || c == '-') && !in_a_form(v));
    let mut all: Vec<Vec<u8>> = words.map(|w| w.as_bytes().to_vec()).collect();
    for entry in fs::read_dir(folder)? {
        let bytes = fs::read(entry?.path())?;
        let middle = bytes.len() / 2;
        all.push(bytes[middle..middle + 32].to_vec());
    }
    Ok(all)
}

/// How many of the secrets lie anywhere in a folder's files.
fn found(secrets: &[Vec<u8>], folder: &Path) -> Sure<usize> {
    // most places are passed over by their first two bytes
    let mut begins = vec![false; 1 << 16];
    let first = |bytes: &[u8]| usize::from(bytes[0]) << 8 | usize::from(bytes[1]);
    for secret in secrets {
        begins[first(secret)] = true;
    }
    let mut there = BTreeSet::new();
    for file in files(folder)? {
        let bytes = fs::read(file)?;
        let places = bytes.windows(2).enumerate().filter(|(_, w)| begins[first(w)]);
        there.extend(places.flat_map(|(at, _)| secrets.iter().filter(|s| bytes[at..].starts_with(s)).cloned().collect::<Vec<_>>()));
    }
    Ok(there.len())
}

fn files(folder: &Path) -> Sure<Vec<PathBuf>> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() { all.extend(files(&path)?) } else { all.push(path) }
    }
    Ok(all)
}

/// Promise 11: a stolen unit is stopped from the cut on; its work before it stays; what comes after is put aside, not lost.
#[test]
fn promise_11_a_revoked_unit_is_stopped_and_its_earlier_work_stays() -> Sure<()> {
    let mut world = World::with_units(&Plan::default(), 2)?;
    assert_eq!(day(&mut world, 0, 35, &[(0, 0)])?[0].state, "merged");
    // finished and closed before it hears of it
    let sources = residents(&world, 35, &[(1, 0)])?;
    world.enrol(0, &sources)?;
    world.units[0].close()?;
    world.centre.run(&["unit", "revoke", "van-1", "--reason", "stolen", "--since", "now", "--yes"])?.ok()?;
    let unit = &world.units[0];
    unit.sync()?;
    let stands = unit.records()?;
    assert_eq!(stands["1.1"].state, "merged", "work before the cut stays");
    let after = &stands["1.2"];
    // held, once the outcome is here too
    assert!(matches!(after.state.as_str(), "quarantined" | "held") && after.told.contains("revoked"), "kept, not merged: {after:?}");
    let more = residents(&world, 35, &[(2, 0)])?;
    unit.agent(&["enrol", "--yes", path_text(&more[0].folder)?])?.refused("revoked")?;
    assert_eq!(day(&mut world, 1, 35, &[(3, 0)])?[0].state, "merged", "nobody else is harmed");
    world.centre.stop()?;
    let fsck = world.centre.fsck()?;
    assert_eq!(fsck["merged"], 2);
    Ok(())
}

/// For an agent only the lines of that key are held; the batch itself and the colleagues' lines go on.
#[test]
fn promise_11_of_a_revoked_agent_only_their_own_lines_are_held() -> Sure<()> {
    let mut world = World::with_units(&Plan::default(), 1)?;
    assert_eq!(day(&mut world, 0, 36, &[(0, 0)])?[0].state, "merged");
    let sources = residents(&world, 36, &[(1, 0)])?;
    let finished = world.enrol(0, &sources)?;
    world.units[0].close()?;
    world.centre.run(&["agent", "revoke", "agent-1", "--reason", "left", "--since", "now", "--yes"])?.ok()?;
    let stands = world.units[0].settle()?;
    assert_eq!(stands["1.1"].state, "merged");
    assert_eq!(stands[&finished[0].number].state, "held", "{stands:?}");
    world.centre.stop()?;
    world.centre.fsck().map(drop)
}

/// Promise 15: who reads is on record before they see anything; where it cannot be recorded, they see nothing.
#[test]
fn promise_15_no_answer_before_the_access_is_on_record() -> Sure<()> {
    let mut world = World::with_units(&Plan::default(), 1)?;
    let stand = day(&mut world, 0, 37, &[(0, 0)])?.remove(0);
    let reference = stand.told.rsplit(' ').next().unwrap_or_default().to_owned();
    world.centre.stop()?;
    let entries = world.centre.fsck()?["entries"].as_u64();
    let blobs = || files(&world.centre.data.join("archive/blobs")).map(BTreeSet::from_iter);
    let before = blobs()?;
    let ask = ["resident", "show", &reference, "--reason", "her own request"];
    assert!(world.centre.run(&ask)?.ok()?.of("field").count() > 5);
    assert_eq!(world.centre.fsck()?["entries"].as_u64(), entries.map(|e| e + 1), "one entry");
    let new: Vec<PathBuf> = blobs()?.difference(&before).cloned().collect();
    let said = new.iter().map(|p| read_as_auditor(&world, p)).collect::<Sure<Vec<_>>>()?.concat();
    for word in ["enroll-access/v1", "resident show", "her own request"] {
        assert!(said.contains(word), "the auditors read {word}: {said}");
    }
    assert!(world.centre.run(&["resident", "show", &reference])?.exit == Some(2), "no reading without a reason");
    if Command::new("strace").arg("-V").output().is_err() {
        tests::skipped::skip("in part: strace is not installed");
        return Ok(());
    }
    let fails = ["strace", "-D", "-f", "-q", "-o", "/dev/null", "-e", "trace=fsync,fdatasync", "-e", "inject=fsync,fdatasync:error=EIO"];
    let ran = Program::end(world.centre.program().command_under(&fails, &ask), &ask)?;
    assert_ne!(ran.exit, Some(0));
    assert_eq!(ran.of("field").count(), 0, "the disk did not take the record: nothing is shown");
    Ok(())
}

/// What the auditors' identity opens in a blob; nothing where it is not for them.
fn read_as_auditor(world: &World, blob: &Path) -> Sure<String> {
    let text = passphrase_open(&fs::read(world.centre.safe.join("auditor.identity"))?, AUDITOR)?;
    let text = String::from_utf8_lossy(&text).into_owned();
    let secret = text.lines().find(|l| l.starts_with("AGE-")).ok_or_else(|| Broken("no identity in its file".into()))?;
    let identity: Identity = secret.parse().map_err(|_| Broken("not an identity".into()))?;
    Ok(age_open(&fs::read(blob)?, &[identity]).map(|b| String::from_utf8_lossy(&b).into_owned()).unwrap_or_default())
}
