//! A record that breaks whatever opens it: it alone is held, unopened; everything else goes on.
//!
//! The poison is in a test build of the server only, where a resident called `Poison` does to the opener what a switch says.
//! Where that build, or a tool, is missing, the tests say so and skip.

use std::{
    collections::BTreeMap,
    path::Path,
    process::Command,
    thread,
    time::{Duration, Instant, SystemTime},
};

use rusqlite::{Connection, OpenFlags};
use serde_json::json;
use shared::{
    id::Transaction,
    sample::{Kind, Sample, Size, forms},
    time::Second,
};
use tests::{
    figures,
    skipped::skip,
    world::{Broken, Plan, Source, Stand, Sure, World, sabotage_is_missing},
};

fn sample(seed: u64) -> Sample {
    Sample::new(seed, Second::from_unix(1_790_000_000), Size::Tiny)
}

/// Residents, the one at `poison` called `Poison`.
fn residents(world: &World, seed: u64, people: std::ops::Range<u64>, poison: Option<u64>) -> Sure<Vec<Source>> {
    let folder = world.path().join(format!("residents-{seed}"));
    let form = &forms()[0];
    let of = |n: u64| {
        let mut resident = sample(seed).take(n, 0, form, Transaction::New, Kind::Complete)?;
        if poison == Some(n) {
            resident.input.person.insert("given_latin".into(), Some("Poison".into()));
        }
        Source::of(&folder.join(n.to_string()), n, &resident)
    };
    people.map(of).collect()
}

/// Two vans that are away from any network: four residents, the second of them poison, and two.
fn two_vans() -> Sure<World> {
    let mut world = World::with_units(&Plan::default(), 2)?;
    world.unplug()?;
    for (unit, people, poison) in [(0, 0..4, Some(1)), (1, 10..12, None)] {
        let sources = residents(&world, 31, people, poison)?;
        world.enrol(unit, &sources)?;
        world.units[unit].close()?;
    }
    Ok(world)
}

/// Every record as its unit sees it, `van-1 1.2` → stand.
fn stands(world: &World) -> Sure<BTreeMap<String, Stand>> {
    let mut all = BTreeMap::new();
    for unit in &world.units {
        all.extend(unit.records()?.into_iter().map(|(number, stand)| (format!("{} {number}", unit.name), stand)));
    }
    Ok(all)
}

/// Serves, and serves again whenever the server dies of what it opens, as a service manager does; until every record
/// has the state that `wanted` says. How often did it die?
fn serve_until(world: &mut World, wanted: impl Fn(&str) -> &'static str, start: impl Fn(&mut World) -> Sure<()>) -> Sure<u32> {
    let begin = Instant::now();
    let mut died = 0;
    start(world)?;
    loop {
        for unit in &world.units {
            unit.run(&["sync", "--tries", "1"])?;
        }
        if world.centre.has_died()? {
            died += 1;
            start(world)?;
        }
        let stands = stands(world)?;
        if stands.iter().all(|(name, stand)| stand.state == wanted(name)) {
            return Ok(died);
        }
        if begin.elapsed() > Duration::from_mins(8) {
            return Err(Broken(format!("waited eight minutes: {stands:?}\n{}", world.centre.said())));
        }
        thread::sleep(Duration::from_millis(100));
    }
}

fn but_poison(name: &str) -> &'static str {
    if name == "van-1 1.2" { "held" } else { "merged" }
}

/// What staff see while a record is held unopened: a case, a warning, an open fact. The log says that it is held, so all is folded, and
/// a rebuild has a digest to compare.
fn staff_are_told(world: &World) -> Sure<()> {
    let cases = world.centre.run(&["case", "list", "--reason", "the opener broke off"])?.ok()?;
    let codes: Vec<_> = cases.of("case").map(|case| case["code"].as_str().unwrap_or_default().to_owned()).collect();
    assert_eq!(codes, ["unopened"]);
    let fsck = world.centre.run(&["fsck"])?.ok()?;
    assert!(fsck.of("open").any(|fact| fact["code"] == "unopened"), "{:?}", fsck.lines);
    assert_eq!(fsck.summary()["open"], 0);
    assert!(fsck.summary()["registry_digest"].is_string(), "{:?}", fsck.lines);
    let doctor = world.centre.run(&["doctor"])?;
    let merge = doctor.of("check").find(|check| check["about"] == "merge").ok_or_else(|| doctor.broken("no word of the merge"))?;
    assert_eq!(merge["health"], "warning", "{merge}");
    Ok(())
}

/// After newer software: all merged, complete, and the same from archive and guard.
fn newer_software_opens_it(world: &mut World) -> Sure<()> {
    world.centre.stop()?;
    world.centre.sabotage(&[])?;
    assert_eq!(serve_until(world, |_| "merged", World::serve)?, 0);
    world.centre.stop()?;
    assert_eq!(world.centre.fsck()?["merged"], 6);
    let rebuilt = world.centre.run(&["rebuild"])?.ok()?;
    assert_eq!((&rebuilt.summary()["agrees"], rebuilt.number("open")), (&true.into(), 0));
    Ok(())
}

#[test]
fn a_record_that_aborts_the_opener_is_held_unopened_and_all_others_merge() -> Sure<()> {
    if sabotage_is_missing() {
        return Ok(());
    }
    let mut world = two_vans()?;
    world.centre.sabotage(&["poison-abort"])?;
    let died = serve_until(&mut world, but_poison, World::serve)?;
    assert_eq!(died, 1, "once, before anybody knew; {}", world.centre.said());
    for unit in &world.units {
        assert_eq!(unit.run(&["receipt", "verify"])?.ok()?.number("missing"), 0);
    }
    staff_are_told(&world)?;
    // it is tried again at a start, and harms nobody
    world.centre.stop()?;
    assert_eq!(serve_until(&mut world, but_poison, World::serve)?, 0, "{}", world.centre.said());
    world.centre.stop()?;
    // a rebuild tries again, knowing which batch it was; the log says that the record is held, so it is complete
    let rebuilt = world.centre.run(&["rebuild"])?;
    assert_eq!((rebuilt.exit, rebuilt.number("open"), rebuilt.number("merged")), (Some(0), 0, 5), "{}", rebuilt.err);
    // and one that knows nothing dies once at most
    for ending in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(world.centre.data.join(format!("centre.db{ending}")));
    }
    let died = world.centre.run(&["rebuild"])?;
    assert_eq!(died.exit, None, "it should have died: {}", died.err);
    let rebuilt = world.centre.run(&["rebuild"])?;
    assert_eq!((rebuilt.exit, rebuilt.number("open"), rebuilt.number("merged")), (Some(0), 0, 5), "{}", rebuilt.err);
    newer_software_opens_it(&mut world)
}

#[test]
fn a_record_that_panics_its_opener_is_held_unopened_without_a_restart() -> Sure<()> {
    if sabotage_is_missing() {
        return Ok(());
    }
    let mut world = two_vans()?;
    world.centre.sabotage(&["poison-panic"])?;
    assert_eq!(serve_until(&mut world, but_poison, World::serve)?, 0, "{}", world.centre.said());
    assert!(!world.centre.said().contains("as a bug would"), "what a panic says may quote a record");
    staff_are_told(&world)?;
    newer_software_opens_it(&mut world)
}

#[test]
fn a_record_that_eats_all_memory_is_held_unopened() -> Sure<()> {
    if sabotage_is_missing() {
        return Ok(());
    }
    if Command::new("prlimit").arg("--version").output().is_err() {
        skip("prlimit is not installed");
        return Ok(());
    }
    let mut world = two_vans()?;
    world.centre.sabotage(&["poison-starve"])?;
    // a server on a machine of 8 GiB: it dies of the record as it would there, without taking this machine along
    let died = serve_until(&mut world, but_poison, |world| world.serve_under(&["prlimit", "--as=8589934592"]))?;
    assert_eq!(died, 1, "{}", world.centre.said());
    staff_are_told(&world)?;
    newer_software_opens_it(&mut world)
}

/// Takes minutes, because a hang is told from slowness by time alone.
#[test]
fn a_record_that_never_ends_is_held_unopened_by_time() -> Sure<()> {
    if sabotage_is_missing() {
        return Ok(());
    }
    if std::env::var("ENROLMENT_FAULTS").as_deref() != Ok("full") {
        skip("minutes long; scripts/test --faults full runs it");
        return Ok(());
    }
    let mut world = two_vans()?;
    world.centre.sabotage(&["poison-spin"])?;
    assert_eq!(serve_until(&mut world, but_poison, World::serve)?, 0, "{}", world.centre.said());
    staff_are_told(&world)?;
    newer_software_opens_it(&mut world)
}

/// Batches that are claimed and not folded, with how often each was claimed so far.
fn claimed(data: &Path) -> Sure<BTreeMap<Vec<u8>, i64>> {
    let database = Connection::open_with_flags(data.join("centre.db"), OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    // 1 is what a start makes of a claim that did not end: nobody is at it again yet
    let mut rows = database.prepare("SELECT batch, attempts FROM merge_work WHERE state = 'open' AND lease > 1")?;
    let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Is a worker opening or folding a batch that this server claimed?
fn somebody_merges(data: &Path, before: &BTreeMap<Vec<u8>, i64>) -> Sure<bool> {
    Ok(claimed(data)?.iter().any(|(batch, attempts)| before.get(batch) < Some(attempts)))
}

/// splitmix64 below `most`; the seed goes on.
fn draw(seed: &mut u64, most: u64) -> u64 {
    *seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (*seed ^ (*seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z ^ (z >> 31)) % most
}

/// What `ENROLMENT_SEED` says, or another one each time; printed, so that a run can be had again.
fn seed() -> Sure<u64> {
    let given = std::env::var("ENROLMENT_SEED").ok().map(|text| text.parse()).transpose()?;
    let clock = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    let seed = given.unwrap_or(u64::from(clock.subsec_nanos()));
    eprintln!("ENROLMENT_SEED={seed}");
    Ok(seed)
}

/// Another day: two batches of `people` residents each, closed while nobody reaches anybody.
fn another_day(world: &mut World, day: u64, people: u64) -> Sure<()> {
    world.unplug()?;
    for unit in 0..2 {
        let first = 1000 * (2 * day + unit);
        let sources = residents(world, 32 + first, first..first + people, None)?;
        let unit = usize::from(unit != 0);
        world.enrol(unit, &sources)?;
        world.units[unit].close()?;
    }
    Ok(())
}

/// Serves and ends the server at some moment after a worker began. Was one still at it?
fn kill_while_merging(world: &mut World, offset: Duration) -> Sure<bool> {
    let data = world.centre.data.clone();
    let before = claimed(&data)?;
    world.serve()?;
    let (units, centre) = (&world.units, &mut world.centre);
    thread::scope(|scope| -> Sure<()> {
        let syncs: Vec<_> = units.iter().map(|unit| scope.spawn(|| unit.run(&["sync", "--tries", "1"]).map(drop))).collect();
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_secs(10) && !somebody_merges(&data, &before)? {
            thread::sleep(Duration::from_millis(1));
        }
        thread::sleep(offset);
        centre.kill()?;
        syncs.into_iter().try_for_each(|sync| sync.join().unwrap_or_else(|_| Err(Broken("a sync broke off".into()))))
    })?;
    somebody_merges(&data, &before)
}

/// As often at most, until three came upon a worker.
const KILLS: u32 = 12;
const PEOPLE: u64 = 12;

#[test]
fn three_kills_of_a_merging_server_hold_nobody() -> Sure<()> {
    let mut world = World::with_units(&Plan::default(), 2)?;
    let first = seed()?;
    let (mut seed, mut day, mut kills, mut missed, mut met) = (first, 0, 0, true, Vec::new());
    while kills < KILLS && met.len() < 3 {
        // what a kill met is met again, so that somebody's record is opened three times; what it missed may all be merged
        if missed {
            another_day(&mut world, day, PEOPLE)?;
            day += 1;
        }
        let offset = Duration::from_millis(draw(&mut seed, 60));
        kills += 1;
        missed = !kill_while_merging(&mut world, offset)?;
        if !missed {
            met.push(offset);
        }
    }
    eprintln!("{} of {kills} kills came while records were opened or folded, after {met:?}", met.len());
    assert!(!met.is_empty(), "none of {kills} kills came upon a worker");
    let died = serve_until(&mut world, |_| "merged", World::serve)?;
    assert_eq!(died, 0, "{}", world.centre.said());
    world.centre.stop()?;
    let fsck = world.centre.fsck()?;
    assert_eq!((&fsck["merged"], &fsck["held"], &fsck["open"]), (&(2 * PEOPLE * day).into(), &0.into(), &0.into()));
    assert_eq!(claimed(&world.centre.data)?, BTreeMap::new(), "no claim is left");
    let line = json!({ "message_type": "poison", "seed": first, "kills": kills, "upon_a_worker": met.len(), "records": 2 * PEOPLE * day, "held": 0 });
    figures::tell("poison", line);
    Ok(())
}
