//! Power cuts at every point of what unit and centre do to their disks (`tests::powercut` has the model).
//!
//! Short by default: 2,280 states, 2,120 of them in three campaigns that `ENROLMENT_FAULTS=full` makes a hundred times as large (large uploads
//! up to 2,000) and that share `ENROLMENT_STATES`, 160 in two that are always the same. Where programs can't be traced nothing is recorded: the
//! tests say so and skip.

#[path = "powercut/centre.rs"]
mod centre;
#[path = "powercut/model.rs"]
mod model;
#[path = "powercut/unit.rs"]
mod unit;
#[path = "powercut/uploads.rs"]
mod uploads;

use std::collections::BTreeSet;

use shared::{
    sample::{Sample, Size},
    time::Second,
};
use tests::{
    powercut::{Campaign, Figures, Reach, Recovery},
    world::{Source, Sure, World, write_sources},
};

const SEED: u64 = 20_261_122;
/// States by default: 1,400 of a unit, 600 of a day at the centre, 120 of large uploads, whose disks take longer to lay out.
const SHORT: usize = 2_120;

/// A setting of the environment, as a number.
fn number<T: std::str::FromStr>(name: &str) -> Option<T> {
    std::env::var(name).ok()?.parse().ok()
}

/// The share of a campaign: so many states of [`SHORT`].
fn reach(share: usize) -> Reach {
    let full = std::env::var("ENROLMENT_FAULTS").is_ok_and(|v| v == "full");
    let all = number("ENROLMENT_STATES").unwrap_or(if full { 100 * SHORT } else { SHORT });
    Reach { states: all * share / SHORT, seed: number("ENROLMENT_SEED").unwrap_or(SEED), threads: 2 }
}

/// So many states, whatever is asked for: for what has few.
fn short(states: usize) -> Reach {
    Reach { states, seed: SEED, threads: 2 }
}

/// Looks at the states, tells and keeps the figures.
fn figures(to: &str, campaign: &Campaign, recovery: &dyn Recovery, reach: Reach) -> Sure<Figures> {
    let figures = campaign.explore(recovery, reach)?;
    tests::figures::tell(to, figures.line(reach.seed));
    Ok(figures)
}

/// Nothing may be wrong, and there must have been something to look at.
fn survives(campaign: &Campaign, recovery: &dyn Recovery, reach: Reach) -> Sure<()> {
    let figures = figures("powercut", campaign, recovery, reach)?;
    let first: Vec<&String> = figures.violations.iter().take(5).collect();
    assert!(figures.violations.is_empty(), "{} violations of {} states: {first:#?}", figures.violations.len(), figures.states);
    assert!(figures.states >= reach.states, "only {} states: {figures:?}", figures.states);
    Ok(())
}

/// A disk that forgets must be found out; the operations differ by what it forgets.
fn is_found_out(campaign: &Campaign, sabotaged: &Campaign, recovery: &dyn Recovery, states: usize) -> Sure<()> {
    assert!(sabotaged.operations.len() < campaign.operations.len(), "nothing was taken away");
    must_fail(sabotaged, recovery, states)
}

/// Something must be found wrong.
fn must_fail(sabotaged: &Campaign, recovery: &dyn Recovery, states: usize) -> Sure<()> {
    // a file of its own: nobody takes what must go wrong for figures of what must not
    let figures = figures("powercut-controls", sabotaged, recovery, short(states))?;
    let kinds: BTreeSet<&str> = figures.violations.iter().filter_map(|v| v.rsplit(": ").next()).collect();
    eprintln!("found out in {} of {} states: {:?}", figures.violations.len(), figures.states, kinds.iter().take(6).collect::<Vec<_>>());
    assert!(!figures.violations.is_empty(), "the explorer can't fail: {figures:?}");
    Ok(())
}

fn residents(world: &World, seed: u64, people: std::ops::Range<u64>) -> Sure<Vec<Source>> {
    sized(world, Size::Tiny, seed, people)
}

fn sized(world: &World, size: Size, seed: u64, people: std::ops::Range<u64>) -> Sure<Vec<Source>> {
    let sample = Sample::new(seed, Second::from_unix(1_790_000_000), size);
    write_sources(&world.path().join("residents"), &sample, &people.map(|n| (n, 0)).collect::<Vec<_>>())
}
