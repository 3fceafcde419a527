//! Clocks that are wrong, and what nobody has heard for long.

use std::fs;

use tests::{
    skipped::skip,
    world::{Broken, Plan, Program, Ran, Sure, World, later, path_text, run_later, seconds_later},
};

use super::{day, open_kinds, residents};

#[test]
fn a_laptop_that_runs_ahead_is_told_at_sync_and_at_capture() -> Sure<()> {
    let Some(wrapper) = seconds_later(7200) else {
        skip("libfaketime is not installed");
        return Ok(());
    };
    let mut world = World::with_units(&Plan::default(), 1)?;
    let ahead = |args: &[&str]| -> Sure<Ran> {
        Program::end(world.units[0].program().command_under(&wrapper.each_ref().map(String::as_str), args), args)
    };
    let told = |ran: &Ran| ran.err.contains("minutes ahead") || ran.lines.iter().any(|line| line.to_string().contains("minutes ahead"));
    let synced = ahead(&["sync"])?;
    assert_eq!(synced.of("clock").count(), 1, "{:?} {}", synced.lines, synced.err);
    let agent = world.units[0].as_agent(&["draft", "new", "residence-certificate/1"])?;
    let draft = ahead(&agent.iter().map(String::as_str).collect::<Vec<_>>())?.ok()?;
    assert!(told(&draft), "{:?} {}", draft.lines, draft.err);
    assert!(ahead(&["status"])?.summary()["notes"].to_string().contains("minutes ahead"));
    // set right, and heard of
    world.units[0].sync()?;
    assert!(!world.units[0].run(&["status"])?.summary()["notes"].to_string().contains("minutes ahead"));
    world.unplug()?;
    Ok(())
}

#[test]
fn a_laptop_that_is_months_behind_is_told_at_sync_at_capture_and_in_status() -> Sure<()> {
    let Some(wrapper) = seconds_later(-90 * 86_400) else {
        skip("libfaketime is not installed");
        return Ok(());
    };
    let mut world = World::with_units(&Plan::default(), 1)?;
    let behind = |args: &[&str]| -> Sure<Ran> {
        Program::end(world.units[0].program().command_under(&wrapper.each_ref().map(String::as_str), args), args)
    };
    let told =
        |ran: &Ran| ran.err.contains("is behind the centre's log") || ran.lines.iter().any(|l| l.to_string().contains("is behind the"));
    let synced = behind(&["sync"])?;
    assert_eq!(synced.of("clock").count(), 1, "{:?} {}", synced.lines, synced.err);
    let agent = world.units[0].as_agent(&["draft", "new", "residence-certificate/1"])?;
    let draft = behind(&agent.iter().map(String::as_str).collect::<Vec<_>>())?.ok()?;
    assert!(told(&draft), "{:?} {}", draft.lines, draft.err);
    assert!(told(&behind(&["status"])?));
    assert!(behind(&["doctor"])?.of("check").any(|c| c["what"] == "clock" && c["finding"] == "warning"));
    // who is enrolled meanwhile is enrolled in the log's time, and merges
    let sources = residents(&world, 0..1)?;
    let folder = path_text(&sources[0].folder)?.to_owned();
    let agent = world.units[0].as_agent(&["enrol", "--yes", &folder])?;
    assert!(told(&behind(&agent.iter().map(String::as_str).collect::<Vec<_>>())?.ok()?));
    // set right
    let status = world.units[0].run(&["status"])?;
    assert!(!told(&status), "{:?} {}", status.lines, status.err);
    world.units[0].close()?;
    world.serve()?;
    assert_eq!(world.units[0].settle()?.values().filter(|stand| stand.state == "merged").count(), 1);
    world.unplug()
}

#[test]
fn a_centre_that_cannot_log_says_so_at_start_and_in_doctor() -> Sure<()> {
    let Some(wrapper) = later(3) else {
        skip("libfaketime is not installed");
        return Ok(());
    };
    let mut world = World::with_units(&Plan::default(), 1)?;
    day(&mut world, 0..1)?;
    world.unplug()?;
    let doctor = run_later(world.centre.program(), 3, &["doctor"])?;
    assert!(doctor.of("check").any(|c| c["about"] == "clock" && c["health"] == "error"), "{:?}", doctor.lines);
    assert!(doctor.of("check").any(|c| c["about"] == "serve" && c["code"] == "clock-jump"), "{:?}", doctor.lines);
    world.serve_under(&wrapper.each_ref().map(String::as_str))?;
    assert!(world.centre.said().contains("clock-jump"), "{}", world.centre.said());
    let open = run_later(world.centre.program(), 3, &["open", "list"])?.ok()?;
    let fact = open.of("open").find(|fact| fact["kind"] == "log-stopped").expect("open").clone();
    assert!(fact["since"].is_string() && fact["next"].as_str().is_some_and(|next| next.contains("log time confirm")), "{fact}");
    // the unit hears why its receipt is late
    let sources = residents(&world, 1..2)?;
    world.enrol(0, &sources)?;
    world.units[0].close()?;
    let waits = world.units[0].run(&["sync", "--tries", "2"])?;
    assert!(waits.lines.iter().any(|line| line.to_string().contains("the centre logs nothing: clock-jump")), "{:?}", waits.lines);
    world.unplug()?;
    let unasked = run_later(world.centre.program(), 3, &["log", "time", "confirm"])?;
    assert_eq!(unasked.code(), Some("usage"), "it is for good: {:?}", unasked.lines);
    run_later(world.centre.program(), 3, &["log", "time", "confirm", "--yes"])?.ok()?;
    let doctor = run_later(world.centre.program(), 3, &["doctor"])?;
    assert!(doctor.of("check").all(|c| c["about"] != "serve"), "{:?}", doctor.lines);
    Ok(())
}

/// What a unit says of itself reaches the centre, and a unit that says nothing is named.
#[test]
fn alarms_travel_and_units_unheard_of_are_named() -> Sure<()> {
    if later(0).is_none() {
        skip("libfaketime is not installed");
        return Ok(());
    }
    let mut world = World::with_units(&Plan::default(), 1)?;
    day(&mut world, 0..1)?;
    assert_eq!(open_kinds(&world)?, [""; 0]);
    let evidence = world.units[0].data.join("evidence");
    fs::create_dir_all(&evidence)?;
    fs::write(evidence.join("log-3-000000000000.txt"), "2026-11-01T00:00:00Z\nseen 3\n")?;
    let status = world.units[0].run(&["status"])?;
    assert_eq!((status.exit, status.summary()["alarms"][0]["code"].as_str()), (Some(7), Some("log-inconsistent")), "{:?}", status.lines);
    assert_eq!(world.units[0].run(&["doctor"])?.exit, Some(7));
    assert_eq!(world.units[0].sync()?.exit, Some(7), "also when all else went well");
    assert_eq!(open_kinds(&world)?, ["unit-alarm"]);
    let units = world.centre.run(&["unit", "list"])?.ok()?;
    assert_eq!(units.of("open").filter(|f| f["unit"] == "van-1" && f["kind"] == "unit-alarm").count(), 1, "{:?}", units.lines);
    // by name, with a reason; pruning stays refused
    // no agent clears it
    world.units[0].agent(&["alarm", "clear", "log-inconsistent", "--reason", "explained"])?.refused("usage")?;
    world.units[0].supervisor(&["alarm", "clear", "log-inconsistent", "--reason", "explained"])?.ok()?;
    assert_eq!(world.units[0].run(&["status"])?.exit, Some(0));
    world.units[0].run(&["prune"])?.refused("log-inconsistent")?;
    let listed = world.units[0].run(&["alarm", "list"])?.ok()?;
    assert!(listed.of("alarm").any(|a| a["cleared"].as_str().is_some_and(|c| c.contains("supervisor-1: explained"))), "{:?}", listed.lines);
    world.units[0].sync()?;
    assert_eq!(open_kinds(&world)?, [""; 0], "the next hello has no alarm");
    // found again, it is an alarm again
    fs::write(evidence.join("log-4-000000000000.txt"), "2027-01-01T00:00:00Z\nseen 4\n")?;
    assert_eq!(world.units[0].run(&["status"])?.exit, Some(7));
    world.unplug()?;
    let open = run_later(world.centre.program(), 15, &["open", "list"])?.ok()?;
    assert!(open.of("open").any(|f| f["kind"] == "unit-unheard" && f["unit"] == "van-1"), "{:?}", open.lines);
    // and a sync of the unit ends it
    let wrapper = later(15).ok_or_else(|| Broken("no libfaketime".into()))?;
    world.serve_under(&wrapper.each_ref().map(String::as_str))?;
    run_later(world.units[0].program(), 15, &["sync"])?;
    let open = run_later(world.centre.program(), 15, &["open", "list"])?.ok()?;
    assert!(open.of("open").all(|f| f["kind"] != "unit-unheard"), "{:?}", open.lines);
    world.unplug()?;
    Ok(())
}
