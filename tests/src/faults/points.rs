//! From a recording to the list of runs.

use crate::tracer::{Event, Fault, Trigger};

/// A place in a run where a fault can strike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Point {
    /// How the tracer finds it again.
    pub trigger: Trigger,
    /// The event of the recording.
    pub event: usize,
    /// Is it a durable act itself, not a write between two?
    pub durable: bool,
}

/// A fault at a point: one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Strike {
    /// Where.
    pub point: Point,
    /// What.
    pub fault: Fault,
}

/// Each durable act, and one write of those between two of them, drawn by `seed`.
pub fn points(events: &[Event], seed: u64) -> Vec<Point> {
    let (mut points, mut writes, mut after) = (Vec::new(), Vec::new(), 0);
    let drawn = |writes: &[usize], after: u64| {
        let n = draw(seed, after, writes.len())?;
        Some(Point { trigger: Trigger { after, write: Some(n as u64), ..Trigger::default() }, event: writes[n], durable: false })
    };
    for (event, e) in events.iter().enumerate() {
        if e.act.is_write() {
            writes.push(event);
        } else if e.act.is_durable() {
            points.extend(drawn(&writes, after));
            points.push(Point { trigger: Trigger { after, ..Trigger::default() }, event, durable: true });
            after += 1;
            writes.clear();
        }
    }
    points.extend(drawn(&writes, after));
    points
}

/// One of `len`, none of nothing. SplitMix64: the same seed draws the same.
fn draw(seed: u64, at: u64, len: usize) -> Option<usize> {
    let mut z = seed.wrapping_add(at.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    let n = (z ^ (z >> 31)).checked_rem(len as u64)?;
    usize::try_from(n).ok()
}

/// The runs over some points: all of them, or `budget` of them, the kills at durable acts first, the others spread evenly.
pub fn plan(points: &[Point], budget: Option<usize>) -> Vec<Strike> {
    let all = points.iter().flat_map(|p| Fault::ALL.map(|fault| Strike { point: p.clone(), fault }));
    let (kills, mut others): (Vec<_>, Vec<_>) = all.partition(|s| s.point.durable && s.fault == Fault::Kill);
    // fault by fault, so that a spread has as many of each
    others.sort_by_key(|s| s.fault);
    let budget = budget.unwrap_or(usize::MAX);
    // they leave a third for the others: a long act has more durable acts than the budget
    let first = spread(kills, budget - budget / 3);
    let left = budget - first.len().min(budget);
    first.into_iter().chain(spread(others, left)).collect()
}

fn spread(strikes: Vec<Strike>, most: usize) -> Vec<Strike> {
    let len = strikes.len();
    if len <= most {
        return strikes;
    }
    // the middle of each share
    (0..most).map(|i| strikes[(2 * i + 1) * len / (2 * most)].clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tracer::Act;

    fn run() -> Vec<Event> {
        let write = || Act::Write { path: "a".into(), offset: 0, len: 1, data: Vec::new() };
        let sync = || Act::Sync { path: "a".into() };
        let acts = [write(), write(), sync(), sync(), write(), sync(), write()];
        let event = |(n, act)| Event { n, thread: 1, call: String::new(), act, result: 0, injected: None };
        (1..).zip(acts).map(event).collect()
    }

    #[test]
    fn each_durable_act_and_one_write_between() {
        let points = points(&run(), 7);
        let kinds: Vec<bool> = points.iter().map(|p| p.durable).collect();
        assert_eq!(kinds, [false, true, true, false, true, false]);
        assert!(points.iter().all(|p| p.durable == run()[p.event].act.is_durable()));
        assert_eq!(points, super::points(&run(), 7), "the same seed draws the same");
    }

    #[test]
    fn a_budget_keeps_the_kills_at_durable_acts() {
        let points = points(&run(), 7);
        assert_eq!(plan(&points, None).len(), 18);
        let few = plan(&points, Some(7));
        assert_eq!(few.len(), 7);
        assert_eq!(few.iter().filter(|s| s.point.durable && s.fault == Fault::Kill).count(), 3);
        assert!(Fault::ALL.iter().all(|f| few.iter().any(|s| s.fault == *f)), "{few:?}");
    }
}
