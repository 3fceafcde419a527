//! Uploads of which bytes go to the disk on the way, one of them broken off: an offset that was answered stands.

use std::path::Path;

use shared::sample::Size;
use tests::{
    powercut::{Campaign, CentreRecovery, Disk, Operation, Reach, Recorder},
    tracer::is_missing,
    world::{Broken, Plan, Sure, Unit, World},
};

use super::{
    centre::{idle, served_while},
    is_found_out, reach, sized, survives,
};

/// Where the second upload breaks, in bytes: behind the first sync on the way, before the end.
const BREAK: u64 = 4_700_000;
/// What a writer lets the disk begin with, in bytes (`sync-server/src/store/staging_files/upload.rs`).
const SYNC_BYTES: u64 = 4 << 20;

/// How fast the rest of it goes, in bytes a second: it takes longer than what arrives may wait for a mark.
const SLOW: &str = "600000";

/// States, whatever is asked for: each lays out and sends again up to 17 MB, and few of its points differ in kind.
const MOST: usize = 2_000;

fn is_payload(path: &Path) -> bool {
    path.starts_with("centre/staging") && path.extension().is_some_and(|e| e == "payload")
}

fn is_mark(path: &Path) -> bool {
    path.starts_with("centre/staging") && path.extension().is_some_and(|e| e == "mark")
}

/// Two units, each with a batch of records from scanners at full depth, and a centre that does not serve.
fn waiting() -> Sure<World> {
    let mut world = World::with_units(&Plan::default(), 2)?;
    world.unplug()?;
    let sources = sized(&world, Size::Large, 34, 0..11)?;
    for (n, day) in [(0, &sources[..7]), (1, &sources[7..])] {
        world.enrol(n, day)?;
        world.units[n].close()?;
    }
    world.units.iter().try_for_each(Unit::speak_plainly)?;
    Ok(world)
}

/// One upload as it should be, then one that breaks, is asked for its offset and goes on slowly, up to its receipt.
fn two_uploads() -> Sure<(World, Campaign, CentreRecovery)> {
    let world = waiting()?;
    let before = Disk::of(&world.path(), idle)?;
    let mut recorder = Recorder::new(&world.path())?;
    served_while(&world, &mut recorder, || {
        let [whole, broken] = &world.units[..] else { return Err(Broken("two units".into())) };
        whole.settle()?;
        broken.link.cut_after(BREAK);
        broken.run(&["sync", "--tries", "1"])?;
        assert_eq!(broken.link.cuts(), 1);
        broken.run(&["sync", "--rate", SLOW])?;
        broken.settle().map(drop)
    })?;
    let recovery = CentreRecovery::of(&world.centre)?;
    let mut campaign = Campaign::new("uploads", before, recorder.operations(), idle);
    up_to_the_last_receipt(&mut campaign.operations);
    Ok((world, campaign, recovery))
}

/// The offset in an answer, and of how many bytes.
fn answered(operation: &Operation) -> Option<(u64, u64)> {
    let Operation::Said(said) = operation else { return None };
    let said: serde_json::Value = serde_json::from_str(said).ok()?;
    Some((said["upload_offset"].as_u64()?, said["upload_length"].as_u64()?))
}

fn in_between(operation: &Operation) -> bool {
    answered(operation).is_some_and(|(offset, length)| (SYNC_BYTES..length).contains(&offset))
}

/// Cut only behind what was answered in mid-payload: that offset rests on payload and mark, and so does the receipt.
fn from_the_answer(campaign: &Campaign) -> Campaign {
    campaign.behind(campaign.operations.iter().position(in_between).expect("an offset between was answered"))
}

/// What comes after it (merging, outcomes) is the day's at the centre.
fn up_to_the_last_receipt(operations: &mut Vec<Operation>) {
    let arrived = operations.iter().rposition(|o| answered(o).is_some()).expect("offsets were answered");
    let proof = operations[arrived..].iter().position(|o| matches!(o, Operation::Said(said) if said.contains("tlog-proof")));
    operations.truncate(arrived + proof.expect("a receipt left") + 1);
}

/// The recording holds what it is for.
fn is_as_meant(campaign: &Campaign) {
    let (mut arrived, mut on_the_way) = (0, 0);
    for (n, operation) in campaign.operations.iter().enumerate() {
        match operation {
            Operation::Write { path, at, bytes } if is_payload(path) => arrived = at + bytes.len() as u64,
            // more is written to the same file before a mark is
            Operation::Sync(path) if is_payload(path) && arrived >= SYNC_BYTES => {
                let next = campaign.operations[n + 1..].iter().find(|o| o.paths().iter().any(|p| *p == path || is_mark(p)));
                on_the_way += usize::from(matches!(next, Some(Operation::Write { path, .. }) if is_payload(path)));
            }
            _ => {}
        }
    }
    assert!(on_the_way >= 1, "no sync on the way");
    let said: Vec<(u64, u64)> = campaign.operations.iter().filter_map(answered).collect();
    assert!(said.iter().any(|(_, length)| *length > 2 * SYNC_BYTES), "{said:?}");
    assert!(campaign.operations.iter().any(in_between), "an offset between: {said:?}");
    let rest = from_the_answer(campaign);
    let marks = rest.operations.iter().filter(|o| matches!(o, Operation::Write { path, .. } if is_mark(path)));
    assert!(marks.count() >= 2, "marks that nobody asked for, and the last one");
    assert!(said.iter().filter(|(offset, length)| offset == length).count() >= 2, "{said:?}");
    let lengths: std::collections::BTreeSet<u64> = said.iter().map(|(_, length)| *length).collect();
    assert_eq!(lengths.len(), 2, "an answer is known by the length of the payload: {said:?}");
}

/// Promise 2, for bytes before there is a receipt.
#[test]
fn promise_02_an_offset_that_was_answered_survives_power_cuts_and_without_fdatasync_it_would_not() -> Sure<()> {
    if is_missing() {
        return Ok(());
    }
    let (_world, campaign, recovery) = two_uploads()?;
    is_as_meant(&campaign);
    let reach = reach(120);
    survives(&campaign, &recovery, Reach { states: reach.states.min(MOST), ..reach })?;
    for (what, forgotten) in [("payload", is_payload as fn(&Path) -> bool), ("mark", is_mark)] {
        let sabotaged = from_the_answer(&campaign.without_sync(forgotten));
        is_found_out(&from_the_answer(&campaign), &sabotaged, &recovery, 30).map_err(|e| Broken(format!("{what}: {e}")))?;
    }
    Ok(())
}
