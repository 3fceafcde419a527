//! Ingest, sequencing, merge and rebuild: what a proof has left for stays in the log, with all that it names.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Child,
};

use enroll_client::vault::{Places, Vault};
use rustix::process::{Pid, Signal, kill_process};
use shared::{batch::Manifest, id::Blob};
use tests::{
    powercut::{Campaign, CentreRecovery, Disk, Operation, Recorder},
    tracer::is_missing,
    world::{Broken, Plan, Sure, Unit, World, sabotage_is_missing, until},
};

use super::{is_found_out, must_fail, reach, residents, survives};

/// What a centre's campaign is not about: other folders, and files that hold nothing.
pub(super) fn idle(path: &Path) -> bool {
    let ends = |end: &str| path.as_os_str().as_encoded_bytes().ends_with(end.as_bytes());
    !path.starts_with("centre") || path == Path::new("centre/guard/lock") || [".lock", "-shm"].into_iter().any(ends)
}

/// Two units with two batches each that wait, and a centre that does not serve.
fn waiting() -> Sure<World> {
    let mut world = World::with_units(&Plan::default(), 2)?;
    world.unplug()?;
    let sources = residents(&world, 32, 0..6)?;
    for (n, day) in [(0, &sources[..2]), (1, &sources[2..3]), (0, &sources[3..4]), (1, &sources[4..])] {
        world.enrol(n, day)?;
        world.units[n].close()?;
    }
    world.units.iter().try_for_each(Unit::speak_plainly)?;
    Ok(world)
}

/// Serves under the recorder until every record of both units is merged and they know it.
fn served(world: &World, recorder: &mut Recorder) -> Sure<()> {
    served_while(world, recorder, || {
        std::thread::scope(|scope| {
            let units: Vec<_> = world.units.iter().map(|unit| scope.spawn(|| unit.settle())).collect();
            units.into_iter().try_for_each(|unit| unit.join().expect("it does not panic").map(drop))
        })
    })
}

/// Serves under the recorder while the units do their work.
pub(super) fn served_while(world: &World, recorder: &mut Recorder, work: impl FnOnce() -> Sure<()>) -> Sure<()> {
    let wrapper = recorder.wrapper()?;
    let wrapper: Vec<&str> = wrapper.iter().map(String::as_str).collect();
    let mut command = world.centre.program().command_under(&wrapper, &["serve", "--plain-http", "--listen", "127.0.0.1:0"]);
    let (out, err) = (world.path().join("serve.out"), world.path().join("serve.err"));
    let mut child = command.stdout(fs::File::create(&out)?).stderr(fs::File::create(&err)?).spawn()?;
    let worked = plugged(world, &out).and_then(|()| work());
    let stopped = stop(&mut child, recorder.process()?);
    recorder.ended()?;
    let said = fs::read_to_string(&err)?;
    worked.map_err(|e| Broken(format!("{e}\n{said}")))?;
    stopped
}

fn plugged(world: &World, out: &Path) -> Sure<()> {
    let address = until("where it listens", || {
        let said = fs::read_to_string(out)?;
        Ok(said.split_once("http://").and_then(|(_, rest)| rest.split('"').next()?.parse().ok()))
    })?;
    world.units.iter().for_each(|unit| unit.link.plug(address));
    Ok(())
}

fn stop(child: &mut Child, process: u32) -> Sure<()> {
    let process = i32::try_from(process).ok().and_then(Pid::from_raw).ok_or_else(|| Broken("no process id".into()))?;
    kill_process(process, Signal::TERM)?;
    let status = child.wait()?;
    if status.success() { Ok(()) } else { Err(Broken(format!("serve ended with {status}"))) }
}

/// Everything that a centre does to its disk: serving two units, a command that logs, a rebuild.
fn a_day_at_the_centre(switches: &[&str]) -> Sure<(World, Campaign, CentreRecovery)> {
    let mut world = waiting()?;
    world.centre.sabotage(switches)?;
    let before = Disk::of(&world.path(), idle)?;
    let mut recorder = Recorder::new(&world.path())?;
    served(&world, &mut recorder)?;
    for command in [&["log", "time", "confirm", "--yes"][..], &["rebuild"]] {
        recorder.run(world.centre.program(), command)?.ok()?;
    }
    let recovery = CentreRecovery::of(&world.centre)?;
    let campaign = Campaign::new("archive, guard, ledger, registry", before, recorder.operations(), idle);
    let proofs = campaign.operations.iter().filter(|o| matches!(o, Operation::Said(said) if said.contains("tlog-proof")));
    assert!(proofs.count() >= 8, "four receipts and four outcomes at least leave the centre");
    Ok((world, campaign, recovery))
}

/// Promises 2, 4, 6 and 14.
#[test]
fn promise_02_what_left_the_centre_survives_power_cuts_and_without_fsync_it_would_not() -> Sure<()> {
    if is_missing() {
        return Ok(());
    }
    let (_world, campaign, recovery) = a_day_at_the_centre(&[])?;
    survives(&campaign, &recovery, reach(600))?;
    // the database is a view of these two: what it forgets is made again
    for folder in ["centre/archive/blobs", "centre/guard"] {
        let sabotaged = campaign.without_sync(|path| path.starts_with(folder));
        is_found_out(&campaign, &sabotaged, &recovery, 100).map_err(|e| Broken(format!("{folder}: {e}")))?;
    }
    Ok(())
}

/// A process that was killed, or a thread that is not done yet, leaves a folder that has a name and no durable one: whoever
/// puts something into it must make it so.
#[test]
fn folders_that_a_killed_process_made_are_made_durable_by_whoever_uses_them() -> Sure<()> {
    if is_missing() {
        return Ok(());
    }
    let world = waiting()?;
    let before = Disk::of(&world.path(), idle)?;
    let mut operations = Vec::new();
    for (n, [outer, inner]) in folders_to_come(&world)?.into_iter().enumerate() {
        let mut make = |folder: &PathBuf| -> Sure<()> {
            if !world.path().join(folder).is_dir() {
                fs::create_dir(world.path().join(folder))?;
                operations.push(Operation::Folder(folder.clone()));
            }
            Ok(())
        };
        make(&outer)?;
        // half of them got as far as the inner one, which is made when the outer one is durable
        if n % 2 == 0 {
            make(&inner)?;
            let synced = Operation::Sync("centre/archive/blobs".into());
            operations.insert(operations.len() - 1, synced);
        }
    }
    assert!(operations.len() >= 8, "{operations:?}");
    let mut recorder = Recorder::new(&world.path())?;
    served(&world, &mut recorder)?;
    let recovery = CentreRecovery::of(&world.centre)?;
    operations.extend(recorder.operations());
    survives(&Campaign::new("folders of a killed process", before, operations, idle), &recovery, super::short(100))
}

/// Folders of the archive in which manifests and payloads of the batches that wait will lie.
fn folders_to_come(world: &World) -> Sure<Vec<[PathBuf; 2]>> {
    let mut folders = Vec::new();
    for unit in &world.units {
        let vault = Vault::open(&Places { data: unit.data.clone(), machine: unit.data.join("machine.secret") })?;
        for batch in vault.batches()? {
            let manifest = vault.manifest(&batch.id)?;
            let payload = Blob::from_bytes(*Manifest::parse(&manifest)?.facts().payload.as_bytes());
            for blob in [Blob::of(&manifest), payload] {
                let first = Path::new("centre/archive/blobs").join(&blob.hex()[..2]);
                let inner = first.join(&blob.hex()[2..4]);
                folders.push([first, inner]);
            }
        }
    }
    Ok(folders)
}

/// The program itself, told to leave out the fsync of folders: what left it is lost.
#[test]
fn sabotage_no_folder_fsync_of_the_centre_is_found_out() -> Sure<()> {
    if is_missing() || sabotage_is_missing() {
        return Ok(());
    }
    let (_world, campaign, recovery) = a_day_at_the_centre(&["no-folder-fsync"])?;
    must_fail(&campaign, &recovery, 60)
}
