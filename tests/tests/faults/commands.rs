//! Commands of the centre: rebuild, an entry of the log, the admission of a unit.

use std::fs;

use shared::{id::Member, keys::Signer, roster::request::UnitRequest};
use tests::{
    faults::{Act, Stage, Verdict, campaign},
    tracer::{Event, Traced, Tracing, is_missing},
    world::{Ran, Sure, path_text},
};

use super::{judge_command, judge_what_carries, rebuilt_the_same, residents, to_the_end, traced, words};

struct Rebuild;

impl Act for Rebuild {
    type Told = Ran;

    fn part(&self, _: &[Event], _: usize) -> &'static str {
        "rebuild"
    }
    fn set(&self, stage: &mut Stage) -> Sure<()> {
        let sources = residents(stage, 0..2)?;
        stage.world.enrol(0, &sources)?;
        stage.world.units[0].close()?;
        stage.world.serve()?;
        stage.world.units[0].settle()?;
        stage.world.unplug()
    }
    fn tracing(&self, stage: &Stage) -> Tracing {
        stage.at_centre()
    }
    fn play(&self, stage: &mut Stage, tracing: &Tracing) -> Sure<Ran> {
        traced(stage.world.centre.program(), tracing, &words(&["rebuild"]))
    }
    fn go_on(&self, stage: &mut Stage, told: &Ran, traced: &Traced, verdict: &mut Verdict) -> Sure<Option<String>> {
        judge_what_carries(told, traced, verdict, |d| !is_of_the_old(&traced.events, &d.path));
        // each state that it leaves is one that `serve` starts from
        let digest = to_the_end(stage, 2, verdict)?;
        rebuilt_the_same(stage, &digest, verdict)?;
        Ok(Some(digest))
    }
}

/// The old database is only compared with and moved aside: that it can't be read is told, and stops nothing. What became of
/// its write-ahead log is said by its path as long as the new database has none there.
fn is_of_the_old(events: &[Event], path: &str) -> bool {
    let begun = events.iter().position(|e| e.act.paths().any(|p| p.starts_with("centre.db.new") || p.starts_with("centre.db.before")));
    let hit = events.iter().position(|e| e.injected.is_some());
    path.starts_with("centre.db.before") || (path == "centre.db-wal" && hit < begun)
}

#[test]
fn promise_14_rebuild_begins_again_after_each_durable_act() -> Sure<()> {
    if is_missing() { Ok(()) } else { campaign(&Rebuild).map(drop) }
}

/// `log time confirm`: the least that has something logged.
struct Entry;

/// The log index that a command has acknowledged.
fn index(ran: &Ran) -> Option<u64> {
    ran.lines.last().filter(|l| l["message_type"] == "summary").and_then(|l| l["log_index"].as_u64())
}

impl Act for Entry {
    type Told = Ran;

    fn part(&self, _: &[Event], _: usize) -> &'static str {
        "log"
    }
    fn set(&self, _: &mut Stage) -> Sure<()> {
        Ok(())
    }
    fn tracing(&self, stage: &Stage) -> Tracing {
        stage.at_centre()
    }
    fn play(&self, stage: &mut Stage, tracing: &Tracing) -> Sure<Ran> {
        traced(stage.world.centre.program(), tracing, &words(&["log", "time", "confirm", "--yes"]))
    }
    fn go_on(&self, stage: &mut Stage, told: &Ran, traced: &Traced, verdict: &mut Verdict) -> Sure<Option<String>> {
        judge_command(told, traced, verdict);
        let next = stage.world.centre.run(&["log", "time", "confirm", "--yes"])?.ok()?;
        let next = index(&next).ok_or_else(|| next.broken("no index"))?;
        verdict.lost.extend(index(told).filter(|first| *first >= next).map(|first| format!("entry {first}")));
        let entries = stage.world.centre.fsck()?["entries"].as_u64();
        verdict.lost.extend((entries != Some(next + 1)).then(|| format!("{entries:?} entries after {next}")));
        Ok(None)
    }
}

#[test]
fn an_entry_is_logged_once_or_not_at_all_at_each_durable_act_of_sequencing() -> Sure<()> {
    if is_missing() { Ok(()) } else { campaign(&Entry).map(drop) }
}

struct Admit;

impl Admit {
    fn args(stage: &Stage) -> Sure<Vec<String>> {
        Ok(words(&["unit", "admit", path_text(&stage.beside("van-9.request"))?]))
    }
}

impl Act for Admit {
    type Told = Ran;

    fn part(&self, _: &[Event], _: usize) -> &'static str {
        "admit"
    }
    fn set(&self, stage: &mut Stage) -> Sure<()> {
        let name: Member = "van-9".parse()?;
        let note = UnitRequest::sign(&name, &Signer::from_seed((&name).into(), &[7; 32]));
        fs::write(stage.beside("van-9.request"), note.as_bytes())?;
        Ok(())
    }
    fn tracing(&self, stage: &Stage) -> Tracing {
        stage.at_centre()
    }
    fn play(&self, stage: &mut Stage, tracing: &Tracing) -> Sure<Ran> {
        traced(stage.world.centre.program(), tracing, &Self::args(stage)?)
    }
    fn go_on(&self, stage: &mut Stage, told: &Ran, traced: &Traced, verdict: &mut Verdict) -> Sure<Option<String>> {
        judge_command(told, traced, verdict);
        let args = Self::args(stage)?;
        let again = stage.world.centre.run(&args.iter().map(String::as_str).collect::<Vec<_>>())?;
        match again.exit {
            Some(4) => {}
            Some(0) => verdict.lost.extend(index(told).map(|_| "a unit that was called admitted".to_owned())),
            _ => return Err(again.broken("admitting again")),
        }
        let units = stage.world.centre.run(&["unit", "list"])?.ok()?.number("units");
        verdict.double.extend((units > 2).then(|| format!("{units} units of 2")));
        verdict.lost.extend((units < 2).then(|| format!("{units} units of 2")));
        stage.world.centre.fsck()?;
        Ok(None)
    }
}

#[test]
fn a_unit_is_admitted_once_at_each_durable_act() -> Sure<()> {
    if is_missing() { Ok(()) } else { campaign(&Admit).map(drop) }
}
