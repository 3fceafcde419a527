//! The road, end to end, through the real programs: each promise has a test with its number in its name.

use shared::{
    sample::{Sample, Size},
    time::Second,
};
use tests::world::{Plan, Sure, World, write_sources};

/// Sample residents are of fitting ages at this time.
const NOW: i64 = 1_790_000_000;

fn sample(seed: u64) -> Sample {
    Sample::new(seed, Second::from_unix(NOW), Size::Tiny)
}

#[test]
fn one_resident_from_enrol_to_merged() -> Sure<()> {
    let mut world = World::with_units(&Plan::default(), 1)?;
    let sources = write_sources(&world.path().join("residents"), &sample(1), &[(1, 0)])?;
    let finished = world.enrol(0, &sources)?;
    let unit = &world.units[0];
    assert_eq!(unit.records()?[&finished[0].number].state, "finished");
    unit.close()?;
    let stands = unit.settle()?;
    assert_eq!(stands[&finished[0].number].state, "merged", "{stands:?}\n{}", world.centre.said());
    let verified = unit.run(&["receipt", "verify"])?.ok()?;
    assert_eq!(verified.number("verified"), 1);
    Ok(())
}
