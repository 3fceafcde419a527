//! A unit that sees no network for months, by real clocks that Debian's libfaketime moves.

use serde_json::Value;
use shared::time::Second;
use tests::{
    skipped::skip,
    world::{Broken, Plan, Ran, Source, Sure, World, later, run_later, write_sources},
};

const DAY: i64 = 86_400;

fn as_agent(world: &World, days: i64, args: &[&str]) -> Sure<Ran> {
    let args = world.units[0].as_agent(args)?;
    run_later(world.units[0].program(), days, &args.iter().map(String::as_str).collect::<Vec<_>>())
}

fn enrol(world: &World, days: i64, source: &Source) -> Sure<Ran> {
    as_agent(world, days, &["enrol", "--yes", tests::world::path_text(&source.folder)?])
}

fn notes(world: &World, days: i64) -> Sure<Value> {
    Ok(run_later(world.units[0].program(), days, &["status"])?.ok()?.summary()["notes"].clone())
}

/// Promise 13: the day before the roster expires, in its grace, and after; then the way out that the message names.
#[test]
fn promise_13_a_unit_works_for_the_grace_warns_before_its_end_and_says_the_way_out() -> Sure<()> {
    if later(0).is_none() {
        skip("libfaketime is not installed");
        return Ok(());
    }
    let mut world = World::with_units(&Plan::default(), 1)?;
    let roster = shared::roster::Roster::parse(world.centre.run(&["roster", "show"])?.ok()?.text("note")?.as_bytes())?;
    let facts = roster.facts();
    let expires = (facts.expires.unix() - facts.published.unix()) / DAY;
    let grace = i64::try_from(facts.grace).map_err(|_| Broken("a grace".into()))? / DAY;
    let sample = shared::sample::Sample::new(13, Second::from_unix(1_790_000_000), shared::sample::Size::Tiny);
    let sources = write_sources(&world.path().join("residents"), &sample, &[(0, 0), (1, 0), (2, 0), (4, 0)])?;
    world.unplug()?;
    // 1. long before: nothing to say
    assert_eq!(notes(&world, expires - 10)?, serde_json::json!([]));
    enrol(&world, expires - 10, &sources[0])?.ok()?;
    // 2. soon: said while there is time
    assert!(notes(&world, expires - 2)?.to_string().contains("the roster expires"));
    // 3. within the grace: the work goes on
    assert!(notes(&world, expires + grace - 2)?.to_string().contains("past its date"));
    enrol(&world, expires + grace - 2, &sources[1])?.ok()?;
    // 4. after: refused before anything is captured, and what was finished stays
    let after = expires + grace + 2;
    let refused = enrol(&world, after, &sources[2])?;
    refused.refused("roster-expired")?;
    let status = run_later(world.units[0].program(), after, &["status", "--records"])?;
    let told = (status.exit, status.of("record").count(), &status.summary()["capture"]);
    assert_eq!(told, (Some(1), 2, &serde_json::json!("roster-expired")));
    // 5. the way out: the centre renews its roster, one sync, and the queue moves again
    let centre = |args: &[&str]| run_later(world.centre.program(), after, args);
    centre(&["log", "time", "confirm", "--yes"])?.ok()?;
    centre(&["roster", "publish"])?.ok()?;
    let wrapper = later(after).ok_or_else(|| Broken("no libfaketime".into()))?;
    world.serve_under(&wrapper.each_ref().map(String::as_str))?;
    run_later(world.units[0].program(), after, &["sync"])?.ok()?;
    enrol(&world, after, &sources[3])?.ok()?;
    assert_eq!(notes(&world, after)?, serde_json::json!([]));
    Ok(())
}
