//! finish and close: on the laptop, with no network.

use std::fs;

use shared::{
    id::Transaction,
    sample::{Kind, Sample, Size, forms},
    time::Second,
};
use tests::{
    faults::{Act, Stage, Verdict, campaign},
    skipped::skip,
    tracer::{Event, Traced, Tracing, is_missing},
    world::{Ran, Source, Sure, later, path_text},
};

use super::{judge_command, rebuilt_the_same, residents, to_the_end, traced, words};

/// `enrol` of a resident's folder.
#[derive(Default)]
struct Finish;

fn source(stage: &Stage) -> Sure<Vec<String>> {
    let folder = stage.beside("people").join("resident-000-0");
    stage.world.units[0].as_agent(&["enrol", "--yes", path_text(&folder)?])
}

impl Act for Finish {
    type Told = Ran;

    fn part(&self, _: &[Event], _: usize) -> &'static str {
        "finish"
    }
    fn set(&self, stage: &mut Stage) -> Sure<()> {
        residents(stage, 0..1).map(drop)
    }
    fn tracing(&self, stage: &Stage) -> Tracing {
        stage.at_unit()
    }
    fn play(&self, stage: &mut Stage, tracing: &Tracing) -> Sure<Ran> {
        traced(stage.world.units[0].program(), tracing, &source(stage)?)
    }
    fn go_on(&self, stage: &mut Stage, told: &Ran, traced: &Traced, verdict: &mut Verdict) -> Sure<Option<String>> {
        judge_command(told, traced, verdict);
        let unit = &stage.world.units[0];
        let first = told.of("finished").map(|l| unit.finished(l, None)).collect::<Sure<Vec<_>>>()?;
        stage.world.oracle.note(&first)?;
        // the same again: known, when it was finished, whatever the screen could still say
        let again = unit.run(&source(stage)?.iter().map(String::as_str).collect::<Vec<_>>())?.ok()?;
        let anew = again.of("finished").map(|l| unit.finished(l, None)).collect::<Sure<Vec<_>>>()?;
        let known = again.of("known").count();
        if first.len() + anew.len() > 1 {
            verdict.double.push("finished twice".into());
        }
        if !first.is_empty() && known != 1 {
            verdict.lost.push("what the screen called finished is not known".into());
        }
        stage.world.oracle.note(&anew)?;
        end_of_capture(stage, verdict)
    }
}

/// Closes the day with its one record and goes on; each run has a record of its own, so its registry is compared with
/// the one that is made again.
fn end_of_capture(stage: &mut Stage, verdict: &mut Verdict) -> Sure<Option<String>> {
    let unit = &stage.world.units[0];
    let records = unit.records()?.len();
    verdict.double.extend((records > 1).then(|| format!("{records} records of one resident")));
    verdict.lost.extend((records < 1).then(|| "no record".to_owned()));
    unit.run(&["doctor"])?;
    unit.close()?;
    let digest = to_the_end(stage, 1, verdict)?;
    rebuilt_the_same(stage, &digest, verdict)?;
    Ok(None)
}

/// Promise 1: what the screen called finished survives the end of the process at any instant after that.
#[test]
fn promise_01_a_finished_record_survives_kill_9_at_each_durable_act_of_finish() -> Sure<()> {
    if is_missing() { Ok(()) } else { campaign(&Finish).map(drop) }
}

/// `finish` of a draft.
struct FinishDraft;

impl FinishDraft {
    fn args(stage: &Stage) -> Sure<Vec<String>> {
        let draft = fs::read_to_string(stage.beside("draft"))?;
        stage.world.units[0].as_agent(&["finish", &draft, "--yes"])
    }
}

impl Act for FinishDraft {
    type Told = Ran;

    fn part(&self, _: &[Event], _: usize) -> &'static str {
        "finish-draft"
    }
    fn set(&self, stage: &mut Stage) -> Sure<()> {
        fs::write(stage.beside("draft"), draft(stage)?)?;
        Ok(())
    }
    fn tracing(&self, stage: &Stage) -> Tracing {
        stage.at_unit()
    }
    fn play(&self, stage: &mut Stage, tracing: &Tracing) -> Sure<Ran> {
        traced(stage.world.units[0].program(), tracing, &Self::args(stage)?)
    }
    fn go_on(&self, stage: &mut Stage, told: &Ran, traced: &Traced, verdict: &mut Verdict) -> Sure<Option<String>> {
        judge_command(told, traced, verdict);
        let unit = &stage.world.units[0];
        let acknowledged = told.exit == Some(0) || told.of("summary").next().is_some();
        let args = Self::args(stage)?;
        let again = unit.run(&args.iter().map(String::as_str).collect::<Vec<_>>())?;
        // finished or still there, whole
        if again.exit == Some(0) {
            verdict.double.extend(acknowledged.then(|| "finished twice".to_owned()));
        } else {
            again.refused("draft-unknown")?;
        }
        let left = unit.run(&["draft", "list"])?.number("drafts");
        verdict.double.extend((left > 0).then(|| format!("{left} drafts are left")));
        end_of_capture(stage, verdict)
    }
}

/// A complete draft.
fn draft(stage: &Stage) -> Sure<String> {
    let (unit, form) = (&stage.world.units[0], &forms()[2]);
    let sample = Sample::new(15, Second::from_unix(1_790_000_000), Size::Tiny);
    let resident = sample.take(1, 0, form, Transaction::New, Kind::Complete)?;
    let draft = unit.agent(&["draft", "new", form.name().as_str()])?.ok()?.text("draft")?;
    let set: Vec<String> =
        resident.input.person.iter().map(|(field, value)| format!("{field}={}", value.as_deref().unwrap_or_default())).collect();
    unit.agent(&["draft", "set", &draft].into_iter().chain(set.iter().map(String::as_str)).collect::<Vec<_>>())?.ok()?;
    for (name, bytes) in &resident.files {
        let file = stage.beside(name.as_str());
        fs::write(&file, bytes)?;
        let position = name.as_str().split('.').next().unwrap_or_default();
        unit.agent(&["draft", "attach", &draft, position, path_text(&file)?])?.ok()?;
    }
    Ok(draft)
}

/// The same at the keyboard: a draft is finished, or it is still there, whole.
#[test]
fn promise_01_a_draft_is_finished_or_still_there_at_each_durable_act_of_finish() -> Sure<()> {
    if is_missing() { Ok(()) } else { campaign(&FinishDraft).map(drop) }
}

/// `close` of a day with two records.
struct Close;

impl Act for Close {
    type Told = Ran;

    fn part(&self, _: &[Event], _: usize) -> &'static str {
        "close"
    }
    fn set(&self, stage: &mut Stage) -> Sure<()> {
        let sources: Vec<Source> = residents(stage, 0..2)?;
        stage.world.enrol(0, &sources).map(drop)
    }
    fn tracing(&self, stage: &Stage) -> Tracing {
        stage.at_unit()
    }
    fn play(&self, stage: &mut Stage, tracing: &Tracing) -> Sure<Ran> {
        let unit = &stage.world.units[0];
        traced(unit.program(), tracing, &unit.as_supervisor(&["close"])?)
    }
    fn go_on(&self, stage: &mut Stage, told: &Ran, traced: &Traced, verdict: &mut Verdict) -> Sure<Option<String>> {
        judge_command(told, traced, verdict);
        let unit = &stage.world.units[0];
        let again = unit.supervisor(&["close"])?;
        match again.exit {
            Some(4) => {}
            Some(0) => verdict.lost.extend((told.exit == Some(0)).then(|| "a batch that was called closed".to_owned())),
            _ => return Err(again.broken("closing again")),
        }
        let in_batches: u64 = unit.batches()?.iter().filter_map(|b| b["records"].as_u64()).sum();
        verdict.double.extend((in_batches > 2).then(|| "a record in two batches".to_owned()));
        verdict.lost.extend((in_batches < 2).then(|| "a record in no batch".to_owned()));
        to_the_end(stage, 2, verdict).map(Some)
    }
}

#[test]
fn close_is_done_or_not_begun_at_each_durable_act() -> Sure<()> {
    if is_missing() { Ok(()) } else { campaign(&Close).map(drop) }
}

/// `prune` of a record that is merged, beside one that is not closed yet.
struct Prune;

impl Act for Prune {
    type Told = Ran;

    fn part(&self, _: &[Event], _: usize) -> &'static str {
        "prune"
    }
    fn set(&self, stage: &mut Stage) -> Sure<()> {
        let sources = residents(stage, 0..2)?;
        stage.world.enrol(0, &sources[..1])?;
        stage.world.units[0].close()?;
        stage.world.serve()?;
        stage.world.units[0].settle()?;
        // retention is counted in log time
        stage.world.days_pass(4)?;
        stage.world.serve()?;
        stage.world.units[0].sync()?;
        stage.world.unplug()?;
        stage.world.enrol(0, &sources[1..]).map(drop)
    }
    fn tracing(&self, stage: &Stage) -> Tracing {
        stage.at_unit()
    }
    fn play(&self, stage: &mut Stage, tracing: &Tracing) -> Sure<Ran> {
        traced(stage.world.units[0].program(), tracing, &words(&["prune"]))
    }
    fn go_on(&self, stage: &mut Stage, told: &Ran, traced: &Traced, verdict: &mut Verdict) -> Sure<Option<String>> {
        judge_command(told, traced, verdict);
        let unit = &stage.world.units[0];
        let again = unit.run(&["prune"])?;
        if !matches!(again.exit, Some(0 | 4)) {
            return Err(again.broken("pruning again"));
        }
        let third = unit.run(&["prune"])?;
        verdict.double.extend((third.number("pruned") > 0).then(|| "pruned again and again".to_owned()));
        unit.close()?;
        to_the_end(stage, 2, verdict).map(Some)
    }
}

/// Promise 3 under fire: only what the centre has for good goes, wherever pruning ends.
#[test]
fn promise_03_prune_takes_only_what_is_merged_at_each_durable_act() -> Sure<()> {
    if later(0).is_none() {
        skip("libfaketime is not installed");
        return Ok(());
    }
    if is_missing() { Ok(()) } else { campaign(&Prune).map(drop) }
}
