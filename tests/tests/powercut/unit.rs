//! Finish and close: a finished record, and a closed batch, outlive the power.

use std::{collections::BTreeMap, fs, path::Path};

use shared::{
    id::Transaction,
    sample::{Kind, Sample, Size, forms},
    time::Second,
};
use tests::{
    powercut::{Campaign, Disk, Recorder, UnitRecovery},
    tracer::is_missing,
    world::{Broken, Plan, Sure, Unit, World, path_text, sabotage_is_missing},
};

use super::{is_found_out, must_fail, reach, residents, survives};

/// What a unit's campaign is not about: other folders, and files that hold nothing.
fn idle(path: &Path) -> bool {
    let ends = |end: &str| path.as_os_str().as_encoded_bytes().ends_with(end.as_bytes());
    !path.starts_with("van-1") || [".lock", "-shm", "reserve"].into_iter().any(ends)
}

/// A complete draft of resident `n`.
fn draft(world: &World, n: u64) -> Sure<String> {
    let (unit, form) = (&world.units[0], &forms()[2]);
    let sample = Sample::new(15, Second::from_unix(1_790_000_000), Size::Tiny);
    let resident = sample.take(n, 0, form, Transaction::New, Kind::Complete)?;
    let draft = unit.agent(&["draft", "new", form.name().as_str()])?.ok()?.text("draft")?;
    let fields = resident.input.person.iter().map(|(field, value)| format!("{field}={}", value.as_deref().unwrap_or_default()));
    let set: Vec<String> = ["draft", "set", &draft].map(str::to_owned).into_iter().chain(fields).collect();
    unit.agent(&set.iter().map(String::as_str).collect::<Vec<_>>())?.ok()?;
    for (name, bytes) in &resident.files {
        let file = world.path().join(name.as_str());
        fs::write(&file, bytes)?;
        let position = name.as_str().split('.').next().unwrap_or_default();
        unit.agent(&["draft", "attach", &draft, position, path_text(&file)?])?.ok()?;
    }
    Ok(draft)
}

fn recorded(recorder: &mut Recorder, unit: &Unit, args: &[String]) -> Sure<tests::world::Ran> {
    recorder.run(unit.program(), &args.iter().map(String::as_str).collect::<Vec<_>>())?.ok()
}

/// Two days: residents' folders, a draft, a close; and again.
fn two_days() -> Sure<(World, Campaign, UnitRecovery)> {
    let mut world = World::with_units(&Plan::default(), 1)?;
    world.unplug()?;
    let sources = residents(&world, 31, 0..4)?;
    let drafts = [draft(&world, 20)?, draft(&world, 21)?];
    let unit = &world.units[0];
    let (before, known) = (Disk::of(&world.path(), idle)?, UnitRecovery::drafts(unit)?);
    let (mut recorder, mut became) = (Recorder::new(&world.path())?, BTreeMap::new());
    for (day, draft) in sources.chunks(2).zip(drafts) {
        let mut folders = vec!["enrol", "--yes"];
        for source in day {
            folders.push(path_text(&source.folder)?);
        }
        let ran = recorded(&mut recorder, unit, &unit.as_agent(&folders)?)?;
        assert_eq!(ran.of("finished").count(), 2);
        let ran = recorded(&mut recorder, unit, &unit.as_agent(&["finish", &draft, "--yes"])?)?;
        became.insert(draft, ran.text("record")?);
        recorded(&mut recorder, unit, &unit.as_supervisor(&["close"])?)?;
    }
    let recovery = UnitRecovery::of(unit, known, became)?;
    let campaign = Campaign::new("finish and close", before, recorder.operations(), idle);
    Ok((world, campaign, recovery))
}

/// Promise 1.
#[test]
fn promise_01_finish_and_close_survive_power_cuts_and_without_fsync_they_would_not() -> Sure<()> {
    if is_missing() {
        return Ok(());
    }
    let (_world, campaign, recovery) = two_days()?;
    survives(&campaign, &recovery, reach(1400))?;
    let forgets = |file: &'static str| campaign.without_sync(move |path| path == Path::new(file));
    for file in ["van-1/vault.db-wal", "van-1/vault.keys"] {
        is_found_out(&campaign, &forgets(file), &recovery, 150).map_err(|e| Broken(format!("{file}: {e}")))?;
    }
    Ok(())
}

/// The first record of a new unit, whose key file is made with it.
fn first_record(switches: &[&str]) -> Sure<(World, Campaign, UnitRecovery)> {
    let mut world = World::with_units(&Plan::default(), 1)?;
    world.unplug()?;
    let source = residents(&world, 33, 0..1)?;
    world.units[0].sabotage(switches)?;
    let unit = &world.units[0];
    // nothing is in it yet: it is to be made in the recording
    let keys = unit.data.join("vault.keys");
    assert_eq!(fs::metadata(&keys)?.len(), 0, "a unit without cards");
    fs::remove_file(&keys)?;
    let (before, mut recorder) = (Disk::of(&world.path(), idle)?, Recorder::new(&world.path())?);
    recorded(&mut recorder, unit, &unit.as_agent(&["enrol", "--yes", path_text(&source[0].folder)?])?)?;
    let recovery = UnitRecovery::of(unit, BTreeMap::new(), BTreeMap::new())?;
    let campaign = Campaign::new("first record", before, recorder.operations(), idle);
    Ok((world, campaign, recovery))
}

#[test]
fn promise_01_the_first_record_of_a_unit_survives_power_cuts() -> Sure<()> {
    if is_missing() {
        return Ok(());
    }
    let (_world, campaign, recovery) = first_record(&[])?;
    survives(&campaign, &recovery, super::short(60))
}

/// The program itself, told not to sync its commits: finished records are lost.
#[test]
fn sabotage_synchronous_normal_is_found_out() -> Sure<()> {
    if is_missing() || sabotage_is_missing() {
        return Ok(());
    }
    let (_world, campaign, recovery) = first_record(&["synchronous-normal"])?;
    must_fail(&campaign, &recovery, 60)
}
