//! sync, from the unit's side: the centre serves without a fault.

use tests::{
    faults::{Act, Stage, Verdict, campaign},
    tracer::{Event, Traced, Tracing, is_missing},
    world::{Ran, Sure},
};

use super::{judge_command, residents, to_the_end, traced, words};

struct Sync;

impl Act for Sync {
    type Told = Ran;

    fn part(&self, _: &[Event], _: usize) -> &'static str {
        "sync"
    }
    fn set(&self, stage: &mut Stage) -> Sure<()> {
        let sources = residents(stage, 0..2)?;
        stage.world.enrol(0, &sources)?;
        stage.world.units[0].close().map(drop)
    }
    fn tracing(&self, stage: &Stage) -> Tracing {
        stage.at_unit()
    }
    fn play(&self, stage: &mut Stage, tracing: &Tracing) -> Sure<Ran> {
        stage.world.serve()?;
        traced(stage.world.units[0].program(), tracing, &words(&["sync", "--tries", "3"]))
    }
    fn go_on(&self, stage: &mut Stage, told: &Ran, traced: &Traced, verdict: &mut Verdict) -> Sure<Option<String>> {
        judge_command(told, traced, verdict);
        let unit = &stage.world.units[0];
        let kept = unit.run(&["receipt", "verify"])?.number("verified");
        let said = told.number("receipts");
        verdict.lost.extend((told.exit == Some(0) && kept < said).then(|| format!("{kept} of {said} receipts")));
        to_the_end(stage, 2, verdict).map(Some)
    }
}

#[test]
fn sync_goes_on_after_kill_9_at_each_durable_act() -> Sure<()> {
    if is_missing() { Ok(()) } else { campaign(&Sync).map(drop) }
}
