//! The kill and error matrix on the real programs: ended, or failed by the disk, at each durable act and at a write between
//! two; then started again. Nothing lost, nothing twice, nothing acknowledged that was not durable, `fsck` clean.
//!
//! `tests::faults` tells how; `ENROLMENT_FAULTS=full` (`scripts/test --faults full`) strikes every point with every fault.
//! Where programs cannot be traced, the tests say so and skip.

#[path = "faults/capture.rs"]
mod capture;
#[path = "faults/carry.rs"]
mod carry;
#[path = "faults/commands.rs"]
mod commands;
#[path = "faults/counting.rs"]
mod counting;
#[path = "faults/serving.rs"]
mod serving;

use std::collections::BTreeSet;

use shared::{
    sample::{Sample, Size},
    time::Second,
};
use tests::{
    faults::{Doubtful, Stage, Verdict, broken_by_command},
    tracer::{Traced, Tracing},
    world::{Program, Ran, Source, Sure, write_sources},
};

/// Residents of about 20 KB each.
fn residents(stage: &Stage, people: std::ops::Range<u64>) -> Sure<Vec<Source>> {
    sized(stage, people, Size::Tiny)
}

fn sized(stage: &Stage, people: std::ops::Range<u64>, size: Size) -> Sure<Vec<Source>> {
    let sample = Sample::new(11, Second::from_unix(1_790_000_000), size);
    write_sources(&stage.beside("people"), &sample, &people.map(|n| (n, 0)).collect::<Vec<_>>())
}

/// A program under the tracer, with what it says.
fn traced(program: &Program, tracing: &Tracing, args: &[String]) -> Sure<Ran> {
    let wrapper = tracing.clone().with_data().wrapper()?;
    let (wrapper, args): (Vec<&str>, Vec<&str>) = (wrapper.iter().map(String::as_str).collect(), args.iter().map(String::as_str).collect());
    Program::end(program.command_under(&wrapper, &args), &args)
}

fn words(args: &[&str]) -> Vec<String> {
    args.iter().map(|&a| a.to_owned()).collect()
}

/// What a command may not do when the disk failed it: succeed, or say that something is done, while something is in doubt.
fn judge_command(ran: &Ran, traced: &Traced, verdict: &mut Verdict) {
    judge_what_carries(ran, traced, verdict, |_| true);
}

/// The same; `carries` leaves out what nothing rests on.
fn judge_what_carries(ran: &Ran, traced: &Traced, verdict: &mut Verdict, carries: impl Fn(&Doubtful) -> bool) {
    verdict.undetected.extend(broken_by_command(&traced.events, matches!(ran.exit, Some(0 | 4)), carries));
    if ran.exit == Some(7) {
        verdict.false_alarms.push(format!("an alarm: {}", ran.err));
    }
}

/// On to the end of the road, with `records` in all: each merged, once, under a receipt, and the centre is sound.
/// The registry's digest.
fn to_the_end(stage: &mut Stage, records: usize, verdict: &mut Verdict) -> Sure<String> {
    let world = &mut stage.world;
    let acknowledged: BTreeSet<String> = world.oracle.all()?.into_iter().map(|f| f.number).collect();
    world.serve()?;
    let unit = &world.units[0];
    let stands = unit.settle()?;
    let mut references = BTreeSet::new();
    for (number, stand) in &stands {
        if stand.state != "merged" {
            verdict.lost.push(format!("{number} is {}: {}", stand.state, stand.told));
        } else if !references.insert(stand.told.clone()) {
            verdict.double.push(format!("{number}: two records in one resident"));
        }
    }
    let gone = acknowledged.iter().filter(|n| !stands.contains_key(*n));
    verdict.lost.extend(gone.map(|n| format!("{n} was called finished and is not there")));
    if unit.run(&["receipt", "verify"])?.ok()?.number("missing") > 0 {
        verdict.lost.push("a receipt".into());
    }
    world.centre.stop()?;
    let fsck = world.centre.fsck()?;
    let merged = usize::try_from(fsck["merged"].as_u64().unwrap_or(0))?;
    verdict.lost.extend((merged < records).then(|| format!("{merged} of {records} are merged")));
    verdict.double.extend((merged > records).then(|| format!("{merged} are merged, {records} were made")));
    let left = std::fs::read_dir(world.centre.data.join("archive/incoming"))?.count();
    verdict.false_alarms.extend((left > 0).then(|| format!("{left} half written files are not swept")));
    Ok(fsck["registry_digest"].as_str().unwrap_or_default().to_owned())
}

/// The registry made again from archive and guard is the same.
fn rebuilt_the_same(stage: &Stage, digest: &str, verdict: &mut Verdict) -> Sure<()> {
    let rebuilt = stage.world.centre.run(&["rebuild"])?.ok()?;
    let same = rebuilt.summary()["registry_digest"] == digest;
    verdict.lost.extend((!same).then(|| "rebuild gives another registry".to_owned()));
    Ok(())
}
