//! The loop: record, strike, go on, judge; side by side.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use super::{
    points::{Point, Strike, plan, points},
    stage::{Stage, text},
    tally::{Tally, Verdict, too_many_missed},
};
use crate::{
    tracer::{Event, Traced, Tracing, Trigger},
    world::{Broken, Sure},
};

/// Most runs of an act in the short form.
pub const BUDGET: usize = 60;
/// Runs at a time: most of a run is waiting for an answer.
const SIDE_BY_SIDE: usize = 2;
/// Runs of a strike that finds nothing to strike, and of a recording that does not show what the act is for: how often a
/// unit asks, and so how much it does, is a matter of time.
const TRIES: usize = 3;
const SEED: u64 = 20_260_722;

/// An act of the programs.
pub trait Act: Sync {
    /// Its name, and those of the parts that are counted by themselves: what each event of a run belongs to.
    fn part(&self, events: &[Event], event: usize) -> &'static str;
    /// Brings a new world to where the act begins; nothing runs afterwards.
    fn set(&self, stage: &mut Stage) -> Sure<()>;
    /// Where the tracer looks.
    fn tracing(&self, stage: &Stage) -> Tracing;
    /// Only what lies on paths that begin so is struck.
    fn within(&self) -> Option<&'static str> {
        None
    }
    /// Most runs of each part in the short form.
    fn budget(&self) -> usize {
        BUDGET
    }
    /// Does the act under the tracer. What was acknowledged is given on.
    fn play(&self, stage: &mut Stage, tracing: &Tracing) -> Sure<Self::Told>;
    /// What was acknowledged while the act was under way.
    type Told;
    /// Is a recording what the act is for? Taken again a few times when it is not: what a run does may be a matter of time.
    fn recorded(&self, _traced: &Traced) -> Sure<()> {
        Ok(())
    }
    /// Goes on without a fault to the end of the road and judges; `Err` when it cannot go on. The registry digest that
    /// every run from this start ends with, or none when each run has its own.
    fn go_on(&self, stage: &mut Stage, told: &Self::Told, traced: &Traced, verdict: &mut Verdict) -> Sure<Option<String>>;
}

/// Runs the campaign of an act: its tallies by part. Fails when anything went wrong.
pub fn campaign<A: Act>(act: &A) -> Sure<BTreeMap<&'static str, Tally>> {
    let full = std::env::var_os("ENROLMENT_FAULTS").is_some_and(|v| v == "full");
    // memory, where there is some: what is tested is the end of a process, not of the power
    let room = Path::new("/dev/shm").is_dir();
    let builder = tempfile::Builder::new().prefix("enrolment-faults-").to_owned();
    let folder = if room { builder.tempdir_in("/dev/shm")? } else { builder.tempdir()? };
    let mut first = Worker::new(act, &folder.path().join("0"))?;
    let events = first.record()?;
    let points = points_within(&events, act.within());
    let mut by_part: BTreeMap<&'static str, Vec<_>> = BTreeMap::new();
    for point in points {
        by_part.entry(act.part(&events, point.event)).or_default().push(point);
    }
    let mut tallies: BTreeMap<&'static str, Tally> = BTreeMap::new();
    let mut strikes = Vec::new();
    for (part, points) in &by_part {
        let tally = tallies.entry(part).or_default();
        (tally.points, tally.durable) = (points.len() as u64, points.iter().filter(|p| p.durable).count() as u64);
        strikes.extend(plan(points, (!full).then(|| act.budget())).into_iter().map(|s| (*part, s)));
    }
    let (next, tallies) = (AtomicUsize::new(0), Mutex::new(tallies));
    let work = |mut worker: Worker<'_, A>| -> Sure<()> {
        while let Some((part, strike)) = strikes.get(next.fetch_add(1, Ordering::SeqCst)) {
            worker.strike(part, strike, &tallies)?;
        }
        Ok(())
    };
    thread::scope(|scope| -> Sure<()> {
        let mut threads = Vec::new();
        for n in 1..SIDE_BY_SIDE.min(strikes.len()) {
            let place = folder.path().join(n.to_string());
            threads.push(scope.spawn(move || -> Sure<()> {
                let mut worker = Worker::new(act, &place)?;
                worker.record()?;
                work(worker)
            }));
        }
        let mut ended = work(first);
        for thread in threads {
            ended = ended.and(thread.join().unwrap_or_else(|_| Err(Broken("a worker broke off".into()))));
        }
        ended
    })?;
    let tallies = tallies.into_inner().unwrap_or_else(PoisonError::into_inner);
    for (part, tally) in &tallies {
        tally.tell(part, SEED)?;
    }
    let mut wrong: Vec<String> = tallies.values().flat_map(|t| t.wrong.iter().cloned()).collect();
    wrong.extend(too_many_missed(tallies.values()));
    if wrong.is_empty() { Ok(tallies) } else { Err(Broken(wrong.join("\n"))) }
}

/// The points on paths that begin so.
fn points_within(events: &[Event], within: Option<&str>) -> Vec<Point> {
    let is_within = |e: &Event| within.is_none_or(|start| e.act.paths().any(|p| p.starts_with(start)));
    let (places, events): (Vec<usize>, Vec<Event>) = events.iter().cloned().enumerate().filter(|(_, e)| is_within(e)).unzip();
    let place = |p: Point| {
        let trigger = Trigger { within: within.map(str::to_owned), ..p.trigger };
        Point { trigger, event: places[p.event], ..p }
    };
    points(&events, SEED).into_iter().map(place).collect()
}

/// One run of an act, struck once, without the comparison to a run without a fault: what went wrong.
pub fn struck<A: Act>(act: &A, strike: &Strike) -> Sure<Vec<String>> {
    let folder = tempfile::Builder::new().prefix("enrolment-faults-").tempdir()?;
    let Ran { mut verdict, ended, .. } = Worker::new(act, &folder.path().join("0"))?.run(strike)?;
    verdict.false_alarms.extend(text(ended.map(drop)));
    Ok(verdict.all().collect())
}

/// A run under a fault; `ended` with a registry digest, or could not go on.
struct Ran {
    traced: Traced,
    verdict: Verdict,
    ended: Sure<Option<String>>,
}

struct Worker<'a, A> {
    act: &'a A,
    stage: Stage,
    digest: Option<String>,
}

impl<'a, A: Act> Worker<'a, A> {
    fn new(act: &'a A, folder: &Path) -> Sure<Self> {
        let mut stage = Stage::new(folder)?;
        act.set(&mut stage)?;
        stage.save()?;
        Ok(Self { act, stage, digest: None })
    }

    /// The act without a fault: what it does, and the registry that every other run must end with.
    fn record(&mut self) -> Sure<Vec<Event>> {
        let mut traced = self.recording()?;
        for _ in 1..TRIES {
            if self.act.recorded(&traced).is_err() {
                self.stage.restore()?;
                traced = self.recording()?;
            }
        }
        self.act.recorded(&traced).map(|()| traced.events)
    }

    fn recording(&mut self) -> Sure<Traced> {
        let tracing = self.act.tracing(&self.stage);
        let told = self.act.play(&mut self.stage, &tracing)?;
        let traced = tracing.traced()?;
        let mut verdict = Verdict::default();
        self.digest = self.act.go_on(&mut self.stage, &told, &traced, &mut verdict)?;
        let wrong: Vec<String> = verdict.all().collect();
        if wrong.is_empty() { Ok(traced) } else { Err(Broken(format!("without a fault: {}", wrong.join("; ")))) }
    }

    fn run(&mut self, strike: &Strike) -> Sure<Ran> {
        self.stage.restore()?;
        let tracing = self.act.tracing(&self.stage).with_fault(strike.point.trigger.clone(), strike.fault);
        let mut verdict = Verdict::default();
        let played = self.act.play(&mut self.stage, &tracing);
        let traced = tracing.traced()?;
        let ended = played.and_then(|told| self.act.go_on(&mut self.stage, &told, &traced, &mut verdict));
        Ok(Ran { traced, verdict, ended })
    }

    fn judged(&mut self, strike: &Strike) -> Sure<(Traced, Verdict)> {
        let Ran { traced, mut verdict, ended } = self.run(strike)?;
        match ended {
            Ok(digest) if digest != self.digest => verdict.lost.push(format!("another registry: {digest:?}, not {:?}", self.digest)),
            ended => verdict.false_alarms.extend(text(ended.map(drop))),
        }
        Ok((traced, verdict))
    }

    fn strike(&mut self, planned: &'static str, strike: &Strike, tallies: &Mutex<BTreeMap<&'static str, Tally>>) -> Sure<()> {
        let (mut traced, mut verdict) = self.judged(strike)?;
        for _ in 1..TRIES {
            if traced.hit().is_none() && verdict == Verdict::default() {
                (traced, verdict) = self.judged(strike)?;
            }
        }
        let hit = traced.events.iter().position(|e| e.injected.is_some());
        // what was hit is where it counts: threads take other turns in another run
        let part = hit.map_or(planned, |n| self.act.part(&traced.events, n));
        let at = hit.map_or_else(|| "nowhere".to_owned(), |n| describe(&traced.events[n], &strike.point.trigger.print(strike.fault)));
        let mut tallies = tallies.lock().unwrap_or_else(PoisonError::into_inner);
        tallies.entry(part).or_default().count(strike.fault, hit.is_some(), &at, &verdict);
        Ok(())
    }
}

fn describe(event: &Event, trigger: &str) -> String {
    let paths: Vec<&str> = event.act.paths().collect();
    format!("before {} {} ({trigger})", event.call, paths.join(" to "))
}
