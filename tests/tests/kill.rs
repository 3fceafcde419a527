//! kill -9 at each durable act, of the client and of the server: nothing lost, nothing twice.
//!
//! `strace` ends a process just before its k-th fsync, fdatasync, rename or unlink; then everything is started again.
//! The points after one act are the points before the next. Where strace is missing, the tests say so and skip.

use std::{collections::BTreeSet, fs, process::Command};

use shared::{
    id::Transaction,
    sample::{Kind, Sample, Size, forms},
    time::Second,
};
use tests::world::{Broken, Finished, Plan, Program, Ran, Source, Sure, Unit, World, path_text, until, write_sources};

/// What makes things durable.
const DURABLE: &str = "fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat";

fn strace_is_missing() -> bool {
    let missing = Command::new("strace").arg("-V").output().is_err();
    if missing {
        eprintln!("skipped: strace is not installed");
    }
    missing
}

/// The arguments of strace that end what they run before its `k`th durable act. The tracer is the grandchild: the
/// process that is started is the program itself, ended by its own id like any other.
fn before(k: usize, acts: &str) -> Vec<String> {
    let inject = format!("inject={acts}:signal=KILL:when={k}");
    ["strace", "-D", "-f", "-q", "-o", "/dev/null", "-e", &format!("trace={acts}"), "-e", &inject].map(str::to_owned).to_vec()
}

/// Runs a command of a unit that is ended before its `k`th durable act.
fn ended_before(unit: &Unit, k: usize, args: &[String]) -> Sure<Ran> {
    let (wrapper, args) = (before(k, DURABLE), args.iter().map(String::as_str).collect::<Vec<_>>());
    let wrapper: Vec<&str> = wrapper.iter().map(String::as_str).collect();
    Program::end(unit.program().command_under(&wrapper, &args), &args)
}

/// A matrix without points proves nothing.
fn enough(points: usize, least: usize) {
    eprintln!("ended at {points} points");
    assert!(points >= least, "only {points} durable acts: strace injects nothing?");
}

fn residents(world: &World, seed: u64, people: std::ops::Range<u64>) -> Sure<Vec<Source>> {
    let sample = Sample::new(seed, Second::from_unix(1_790_000_000), Size::Tiny);
    write_sources(&world.path().join("residents"), &sample, &people.map(|n| (n, 0)).collect::<Vec<_>>())
}

/// Every record that was acknowledged is merged, once, and the centre is sound.
fn all_merged(world: &World) -> Sure<()> {
    let acknowledged: BTreeSet<(String, String)> = world.oracle.all()?.into_iter().map(|f| (f.unit, f.number)).collect();
    let mut references = BTreeSet::new();
    for unit in &world.units {
        for (number, stand) in unit.settle()? {
            assert!(acknowledged.contains(&(unit.name.clone(), number.clone())), "{number} was never acknowledged");
            assert_eq!(stand.state, "merged", "{number}: {}", stand.told);
            assert!(references.insert(stand.told.clone()), "{number}: two records in one resident: {}", stand.told);
        }
        let verified = unit.run(&["receipt", "verify"])?.ok()?;
        assert_eq!(verified.number("missing"), 0);
    }
    assert_eq!(references.len(), acknowledged.len(), "lost");
    assert_eq!(world.centre.fsck()?["merged"], acknowledged.len());
    Ok(())
}

/// Promise 1: what the screen called finished survives the end of the process at any instant after that.
#[test]
fn promise_01_a_finished_record_survives_kill_9_at_each_durable_act_of_finish() -> Sure<()> {
    if strace_is_missing() {
        return Ok(());
    }
    let mut world = World::with_units(&Plan::default(), 1)?;
    let sources = residents(&world, 11, 0..40)?;
    let mut points = 0;
    for (k, source) in sources.iter().enumerate() {
        let unit = &world.units[0];
        let args = unit.as_agent(&["enrol", "--yes", path_text(&source.folder)?])?;
        let ran = ended_before(unit, k + 1, &args)?;
        let acknowledged: Vec<Finished> = ran.of("finished").map(|l| unit.finished(l, Some(source.resident))).collect::<Sure<_>>()?;
        // the same again: known, when it was finished, whatever the screen could still say
        let again = unit.run(&args.iter().map(String::as_str).collect::<Vec<_>>())?.ok()?;
        let ended: Vec<&serde_json::Value> = again.of("finished").chain(again.of("known")).collect();
        assert_eq!(ended.len(), 1, "ended before act {}", k + 1);
        if let Some(first) = acknowledged.first() {
            assert_eq!(ended[0]["number"], first.number.as_str(), "what the screen called finished is there, under its number");
            assert_eq!(again.of("known").count(), 1);
        }
        note_all(&world)?;
        if ran.exit == Some(0) {
            break;
        }
        points += 1;
    }
    enough(points, 4);
    let unit = &world.units[0];
    unit.run(&["doctor"])?;
    unit.close()?;
    world.serve()?;
    all_merged(&world)
}

/// The same at the keyboard: a draft is finished, or it is still there, whole.
#[test]
fn promise_01_a_draft_is_finished_or_still_there_at_each_durable_act_of_finish() -> Sure<()> {
    if strace_is_missing() {
        return Ok(());
    }
    let mut world = World::with_units(&Plan::default(), 1)?;
    world.unplug()?;
    let mut points = 0;
    for k in 1..40 {
        let unit = &world.units[0];
        let draft = draft(&world, k)?;
        let ran = ended_before(unit, usize::try_from(k)?, &unit.as_agent(&["finish", &draft, "--yes"])?)?;
        if unit.records()?.len() < usize::try_from(k)? {
            assert!(ran.of("summary").next().is_none(), "nothing was called finished");
            unit.agent(&["finish", &draft, "--yes"])?.ok()?;
        } else {
            unit.agent(&["finish", &draft, "--yes"])?.refused("draft-unknown")?;
        }
        assert_eq!(unit.run(&["draft", "list"])?.number("drafts"), 0);
        assert_eq!(unit.records()?.len(), usize::try_from(k)?, "once");
        note_all(&world)?;
        if ran.exit == Some(0) {
            break;
        }
        points += 1;
    }
    enough(points, 4);
    world.units[0].close()?;
    world.serve()?;
    all_merged(&world)
}

/// A complete draft of resident `n`.
fn draft(world: &World, n: u64) -> Sure<String> {
    let (unit, form) = (&world.units[0], &forms()[2]);
    let sample = Sample::new(15, Second::from_unix(1_790_000_000), Size::Tiny);
    let resident = sample.take(n, 0, form, Transaction::New, Kind::Complete)?;
    let draft = unit.agent(&["draft", "new", form.name().as_str()])?.ok()?.text("draft")?;
    let set: Vec<String> =
        resident.input.person.iter().map(|(field, value)| format!("{field}={}", value.as_deref().unwrap_or_default())).collect();
    unit.agent(&["draft", "set", &draft].into_iter().chain(set.iter().map(String::as_str)).collect::<Vec<_>>())?.ok()?;
    for (name, bytes) in &resident.files {
        let file = world.path().join(name.as_str());
        fs::write(&file, bytes)?;
        let position = name.as_str().split('.').next().unwrap_or_default();
        unit.agent(&["draft", "attach", &draft, position, path_text(&file)?])?.ok()?;
    }
    Ok(draft)
}

/// Writes down every record that the unit has, once.
fn note_all(world: &World) -> Sure<()> {
    let known: BTreeSet<String> = world.oracle.all()?.into_iter().map(|f| f.number).collect();
    let unit = &world.units[0];
    let new = unit.records()?.into_keys().filter(|n| !known.contains(n));
    let finished = |number: String| Finished {
        unit: unit.name.clone(),
        record: format!("record {number}"),
        number,
        resident: None,
        slip: String::new(),
    };
    world.oracle.note(&new.map(finished).collect::<Vec<_>>())
}

#[test]
fn close_is_done_or_not_begun_at_each_durable_act() -> Sure<()> {
    if strace_is_missing() {
        return Ok(());
    }
    let mut world = World::with_units(&Plan::default(), 1)?;
    let sources = residents(&world, 12, 0..40)?;
    let mut points = 0;
    for (k, source) in sources.iter().enumerate() {
        world.enrol(0, std::slice::from_ref(source))?;
        let unit = &world.units[0];
        let ran = ended_before(unit, k + 1, &unit.as_supervisor(&["close"])?)?;
        let closed = unit.supervisor(&["close"])?;
        assert!(matches!(closed.exit, Some(0 | 4)), "ended before act {}: {:?} {}", k + 1, closed.exit, closed.err);
        assert!(unit.records()?.values().all(|s| s.state == "closed"), "each record is in a batch");
        let in_batches: u64 = unit.batches()?.iter().filter_map(|b| b["records"].as_u64()).sum();
        assert_eq!(in_batches, k as u64 + 1, "and in one only");
        if ran.exit == Some(0) {
            break;
        }
        points += 1;
    }
    enough(points, 2);
    world.serve()?;
    all_merged(&world)
}

#[test]
fn sync_goes_on_after_kill_9_at_each_durable_act() -> Sure<()> {
    if strace_is_missing() {
        return Ok(());
    }
    let mut world = World::with_units(&Plan::default(), 1)?;
    let sources = residents(&world, 13, 0..40)?;
    let (mut points, mut source) = (0, sources.iter());
    for k in 1.. {
        // a sync that has nothing to do has fewer acts: each point has a batch of its own
        world.enrol(0, std::slice::from_ref(source.next().ok_or_else(|| Broken("more durable acts than residents".into()))?))?;
        let unit = &world.units[0];
        unit.close()?;
        let ran = ended_before(unit, k, &["sync".to_owned()])?;
        if ran.exit.is_some() {
            break;
        }
        points += 1;
    }
    enough(points, 3);
    all_merged(&world)
}

/// Promises 2 and 4: whatever act the server is ended before, a receipt that a unit holds stays true, and nothing
/// takes effect twice.
#[test]
fn promise_02_a_receipt_outlives_kill_9_of_ingest_sequencing_and_merge() -> Sure<()> {
    if strace_is_missing() {
        return Ok(());
    }
    let mut world = World::with_units(&Plan::default(), 1)?;
    let sources = residents(&world, 14, 0..90)?;
    world.centre.stop()?;
    let (mut points, mut source) = (0, sources.iter());
    // strace counts for each thread: each kind of act by itself gives other points than all together
    for acts in [DURABLE, "fsync", "fdatasync", "rename,renameat,renameat2", "unlink,unlinkat"] {
        for k in 1..16 {
            world.enrol(0, std::slice::from_ref(source.next().ok_or_else(|| Broken("more points than residents".into()))?))?;
            world.units[0].close()?;
            if !survives(&mut world, k, acts)? {
                break;
            }
            points += 1;
        }
    }
    enough(points, 20);
    world.serve()?;
    all_merged(&world)?;
    world.centre.stop()?;
    let left = fs::read_dir(world.centre.data.join("archive/incoming"))?.count();
    assert_eq!(left, 0, "what the kills left half written is swept");
    let before = world.centre.fsck()?;
    let rebuilt = world.centre.run(&["rebuild"])?.ok()?;
    assert_eq!(before["registry_digest"], rebuilt.summary()["registry_digest"]);
    Ok(())
}

/// One point: the server ends before its `k`th act, starts again, and the unit sees one history. Whether it did end.
fn survives(world: &mut World, k: usize, acts: &str) -> Sure<bool> {
    let died = under_fire(world, k, acts)?;
    world.centre.kill()?;
    world.serve()?;
    // a head that the unit has seen must still be in the log: else this ends with 7
    let ran = world.units[0].run(&["sync", "--tries", "3"])?;
    assert!(matches!(ran.exit, Some(0 | 3 | 4 | 5)), "ended before {acts} {k}: {:?} {}", ran.exit, ran.err);
    world.centre.stop()?;
    Ok(died)
}

/// Serves until the `k`th act while the unit syncs; whether the server died of it.
fn under_fire(world: &mut World, k: usize, acts: &str) -> Sure<bool> {
    let wrapper = before(k, acts);
    let wrapper: Vec<&str> = wrapper.iter().map(String::as_str).collect();
    if world.centre.serve_under(&wrapper).is_err() {
        return Ok(true); // while it started
    }
    let unit = &world.units[0];
    unit.link.plug(world.centre.address()?);
    let mut dead = false;
    let mut last = String::new();
    let ended = until("the server's end, or an outcome", || {
        dead = world.centre.has_died()?;
        if dead {
            return Ok(Some(()));
        }
        let ran = world.units[0].run(&["sync", "--tries", "1"])?;
        dead = world.centre.has_died()?;
        let settled = ran.exit == Some(4) && world.units[0].records()?.values().all(|s| s.state == "merged");
        last = format!("{:?} {:?} {}", ran.exit, ran.lines, ran.err);
        Ok((dead || settled).then_some(()))
    });
    ended.map_err(|e| Broken(format!("{acts} {k}: {e}\n{last}\n{:?}\n{}", world.units[0].records(), world.centre.said())))?;
    Ok(dead)
}
