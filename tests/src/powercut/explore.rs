//! Visits the states that cuts leave, recovers from each, and counts.

use std::{
    collections::HashSet,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use super::{
    cut::{Dice, State},
    disk::Disk,
    operation::Operation,
};
use crate::world::{Broken, Sure};

/// Turns in a row that may bring nothing new before a campaign has seen all there is.
const BARREN: usize = 24;

/// So many turns of a point come in another order at each.
const FIRST: usize = 8;

/// What stands on its feet again after a cut, or does not.
pub trait Recovery: Sync {
    /// Recovers from the state in `folder`, in which all of `said` had been acknowledged. An error says what is wrong.
    /// `nth` counts the states, so that what takes long is done on some only.
    fn check(&self, folder: &Path, said: &[&str], nth: usize) -> Sure<()>;
}

/// A recording to be cut.
#[derive(Clone)]
pub struct Campaign {
    /// What it is about, one word.
    pub name: &'static str,
    /// The disk before the first operation.
    pub before: Disk,
    /// What was done.
    pub operations: Vec<Operation>,
}

/// How much to look at.
#[derive(Debug, Clone, Copy)]
pub struct Reach {
    /// Different states at most.
    pub states: usize,
    /// What the choices are drawn from.
    pub seed: u64,
    /// States that are looked at side by side.
    pub threads: usize,
}

/// What was found.
#[derive(Debug, Clone)]
pub struct Figures {
    /// Which campaign.
    pub name: &'static str,
    /// Operations that were recorded.
    pub operations: usize,
    /// Points between them at which the disk differs or something more was acknowledged.
    pub points: usize,
    /// Different states that were recovered from.
    pub states: usize,
    /// What was acknowledged in the course of it.
    pub said: usize,
    /// What was wrong, with the point, the turn and the operation before it.
    pub violations: Vec<String>,
    /// How long it took.
    pub took: Duration,
}

impl Figures {
    /// One line of JSON.
    pub fn line(&self, seed: u64) -> serde_json::Value {
        let (states, seconds) = (self.states, self.took.as_secs_f64());
        serde_json::json!({
            "message_type": "power-cut", "campaign": self.name, "seed": seed, "operations": self.operations, "points": self.points,
            "acknowledged": self.said, "states": states, "violations": self.violations.len(), "seconds": seconds,
            "states_per_second": f64::from(u32::try_from(states).unwrap_or(u32::MAX)) / seconds.max(0.001),
        })
    }
}

/// A moment at which the power may go.
struct Point {
    after: usize,
    said: usize,
    disk: Disk,
}

impl Campaign {
    /// Without what happened to names that `idle` picks: such as hold nothing, or nothing that is meant here.
    pub fn new(name: &'static str, before: Disk, mut operations: Vec<Operation>, idle: fn(&Path) -> bool) -> Self {
        operations.retain(|operation| !operation.paths().iter().any(|path| idle(path)));
        Self { name, before, operations }
    }

    /// The same run on a disk that forgets to sync what `forgotten` picks.
    #[must_use]
    pub fn without_sync(&self, forgotten: impl Fn(&Path) -> bool) -> Self {
        let kept = |operation: &&Operation| !matches!(operation, Operation::Sync(path) if forgotten(path));
        Self { operations: self.operations.iter().filter(kept).cloned().collect(), ..self.clone() }
    }

    /// The same run, cut behind its first `n` operations only; what was acknowledged by then does not count.
    #[must_use]
    pub fn behind(&self, n: usize) -> Self {
        let (first, rest) = self.operations.split_at(n);
        let mut before = self.before.clone();
        for operation in first {
            before.act(operation);
        }
        Self { name: self.name, before, operations: rest.to_vec() }
    }

    /// The disk after each operation that changed it, with what had been acknowledged by then.
    fn points(&self) -> (Vec<Point>, Vec<&str>) {
        let (mut disk, mut said) = (self.before.clone(), Vec::new());
        let mut points = vec![Point { after: 0, said: 0, disk: disk.clone() }];
        for (n, operation) in self.operations.iter().enumerate() {
            disk.act(operation);
            if let Operation::Said(what) = operation {
                said.push(&**what);
            }
            points.push(Point { after: n + 1, said: said.len(), disk: disk.clone() });
        }
        (points, said)
    }

    /// Cuts at each point by turns, until so many different states were seen or nothing new comes.
    pub fn explore(&self, recovery: &dyn Recovery, reach: Reach) -> Sure<Figures> {
        let start = Instant::now();
        let (points, said) = self.points();
        let work =
            Work { campaign: self, points: &points, said: &said, recovery, reach, found: Mutex::default(), next: AtomicUsize::new(0) };
        let folder = tempfile::Builder::new().prefix("power-cut-").tempdir_in(memory())?;
        thread::scope(|scope| -> Sure<()> {
            let workers: Vec<_> = (0..reach.threads.max(1)).map(|n| (folder.path().join(n.to_string()), &work)).collect();
            let workers: Vec<_> = workers.into_iter().map(|(folder, work)| scope.spawn(move || work.run(&folder))).collect();
            workers.into_iter().try_for_each(|worker| worker.join().expect("what may panic is caught"))
        })?;
        let found = work.found.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok(Figures {
            name: self.name,
            operations: self.operations.len(),
            points: points.len(),
            states: found.states,
            said: said.len(),
            violations: found.violations,
            took: start.elapsed(),
        })
    }
}

/// Where states are laid out: in memory, where there is such a place.
fn memory() -> PathBuf {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() }
}

#[derive(Default)]
struct Found {
    seen: HashSet<([u8; 32], usize)>,
    states: usize,
    /// Tries in a row that led to a state that was known.
    barren: usize,
    violations: Vec<String>,
}

struct Work<'a> {
    campaign: &'a Campaign,
    points: &'a [Point],
    said: &'a [&'a str],
    recovery: &'a dyn Recovery,
    reach: Reach,
    found: Mutex<Found>,
    next: AtomicUsize,
}

impl Work<'_> {
    fn run(&self, folder: &Path) -> Sure<()> {
        loop {
            let job = self.next.fetch_add(1, Ordering::Relaxed);
            let (round, n) = (job / self.points.len(), spread(job, self.points.len()));
            let (turn, point) = (self.turn(round, n), &self.points[n]);
            if round > 0 && point.disk.is_settled() {
                if self.barren() {
                    return Ok(());
                }
                continue;
            }
            let mut dice = Dice::new(self.reach.seed, point.after as u64, turn as u64);
            let state = State::after(&point.disk, turn as u64, &mut dice);
            let nth = match self.is_new(&state, point.said) {
                Next::Over => return Ok(()),
                Next::Known => continue,
                Next::New(nth) => nth,
            };
            state.lay_out(folder)?;
            let checked = catch_unwind(AssertUnwindSafe(|| self.recovery.check(folder, &self.said[..point.said], nth)));
            let checked = checked.unwrap_or_else(|_| Err(Broken("recovery panicked".into())));
            if let Err(Broken(why)) = checked {
                self.note(point, turn, &why);
            }
            std::fs::remove_dir_all(folder)?;
        }
    }

    /// A short look has fewer states than the first turns of all points: each point begins with another one, but the
    /// instant after an acknowledgement with the harshest.
    fn turn(&self, round: usize, point: usize) -> usize {
        let acknowledged = point > 0 && matches!(self.campaign.operations[point - 1], Operation::Said(_));
        if round < FIRST && !acknowledged { (round + point) % FIRST } else { round }
    }

    fn barren(&self) -> bool {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        found.barren += 1;
        found.barren > BARREN * self.points.len() || found.states >= self.reach.states
    }

    fn is_new(&self, state: &State, said: usize) -> Next {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if found.states >= self.reach.states || found.barren > BARREN * self.points.len() {
            return Next::Over;
        }
        if !found.seen.insert((state.digest, said)) {
            found.barren += 1;
            return Next::Known;
        }
        found.barren = 0;
        found.states += 1;
        Next::New(found.states)
    }

    fn note(&self, point: &Point, turn: usize, why: &str) {
        let before = point.after.checked_sub(1).map(|n| format!("{:?}", self.campaign.operations[n]));
        let before = before.unwrap_or_else(|| "the start".into());
        let what = format!("{}: point {}, turn {turn}, after {before}: {why}", self.campaign.name, point.after);
        self.found.lock().unwrap_or_else(PoisonError::into_inner).violations.push(what);
    }
}

/// The `job`th point of a round: neighbours come far apart, so that a short look sees all of the run.
fn spread(job: usize, points: usize) -> usize {
    // the golden section, moved on to a stride that meets every point
    let section = points * 618 / 1000;
    let stride = (section.max(1)..=points + 1).find(|&stride| common(stride, points) == 1).expect("points + 1 is one");
    (job % points) * stride % points
}

fn common(a: usize, b: usize) -> usize {
    if b == 0 { a } else { common(b, a % b) }
}

enum Next {
    New(usize),
    Known,
    Over,
}
