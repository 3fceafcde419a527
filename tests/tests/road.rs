//! The road, end to end, through the real programs.

use std::{fs, path::Path};

use shared::{
    form::FIRST,
    id::Transaction,
    sample::{Kind, Resident, Sample, Size, forms},
    time::Second,
};
use tests::world::{Broken, Plan, Source, Sure, World, path_text, write_sources};

fn sample(seed: u64) -> Sample {
    Sample::new(seed, Second::from_unix(1_790_000_000), Size::Tiny)
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
    assert_eq!(unit.run(&["receipt", "verify"])?.ok()?.number("verified"), 1);
    world.centre.stop()?;
    assert_eq!(world.centre.fsck()?["merged"], 1);
    Ok(())
}

/// Everything but sync works with no server in reach, step by step at the keyboard; then sync does, with nobody there.
#[test]
fn a_unit_needs_no_server_but_to_sync_and_nobody_to_sync() -> Sure<()> {
    let mut world = World::with_units(&Plan::default(), 1)?;
    world.unplug()?;
    let form = &forms()[0];
    let resident = sample(2).take(7, 0, form, Transaction::New, Kind::Complete)?;
    let slip = by_hand(&world, form.name().as_str(), &resident)?;
    let unit = &world.units[0];
    assert_eq!(unit.run(&["status", &slip])?.ok()?.text("state")?, "finished");
    assert_eq!(unit.supervisor(&["review", "list"])?.ok()?.number("waiting"), 1);
    unit.supervisor(&["review", "show", "1.1"])?.ok()?;
    unit.close()?;
    for offline in [&["status"][..], &["roster", "show"], &["sync", "--dry-run"], &["draft", "list"], &["agent", "list"]] {
        unit.run(offline)?.ok()?;
    }
    assert_eq!(unit.run(&["receipt", "verify"])?.exit, Some(4), "nothing yet");
    assert_eq!(unit.run(&["prune"])?.exit, Some(4));
    assert_eq!(unit.run(&["sync", "--tries", "1"])?.exit, Some(5), "later");
    assert_eq!(unit.run(&["status", &slip])?.ok()?.text("state")?, "closed");
    world.serve()?;
    let unit = &world.units[0];
    // no terminal, no passphrase: `Unit::sync` gives neither
    unit.settle()?;
    assert_eq!(unit.run(&["status", &slip])?.ok()?.text("state")?, "merged");
    assert_eq!(unit.run(&["prune"])?.exit, Some(4), "kept for the roster's retention");
    Ok(())
}

/// Fills in a draft at the keyboard and finishes it; gives the slip code.
fn by_hand(world: &World, form: &str, resident: &Resident) -> Sure<String> {
    let unit = &world.units[0];
    let draft = unit.agent(&["draft", "new", form])?.ok()?.text("draft")?;
    let fields: Vec<String> =
        resident.input.person.iter().map(|(field, value)| format!("{field}={}", value.as_deref().unwrap_or_default())).collect();
    let set: Vec<&str> = ["draft", "set", &draft].into_iter().chain(fields.iter().map(String::as_str)).collect();
    unit.agent(&set)?.ok()?;
    assert_eq!(unit.agent(&["finish", &draft, "--yes"])?.exit, Some(1), "the pictures are missing");
    for (name, bytes) in &resident.files {
        let file = world.path().join(name.as_str());
        fs::write(&file, bytes)?;
        let position = name.as_str().split('.').next().unwrap_or_default();
        unit.agent(&["draft", "attach", &draft, position, path_text(&file)?])?.ok()?;
        fs::remove_file(file)?;
    }
    unit.agent(&["draft", "show", &draft])?.ok()?;
    unit.agent(&["finish", &draft, "--yes"])?.ok()?.text("slip")
}

#[test]
fn an_upload_that_broke_goes_on_from_there() -> Sure<()> {
    let mut world = World::with_units(&Plan::default(), 1)?;
    let sample = Sample::new(3, Second::from_unix(1_790_000_000), Size::Usual);
    let sources = write_sources(&world.path().join("residents"), &sample, &[(0, 0), (1, 0), (3, 0), (4, 0), (6, 0), (7, 0)])?;
    world.enrol(0, &sources)?;
    let unit = &world.units[0];
    unit.close()?;
    let payload = unit.batches()?[0]["bytes"].as_u64().unwrap_or_default();
    unit.link.cut_after(payload / 2);
    let stands = unit.settle()?;
    assert!(stands.values().all(|s| s.state == "merged"), "{stands:?}");
    assert_eq!(unit.link.cuts(), 1);
    let carried = unit.link.carried();
    assert!(carried < payload + payload / 4, "{carried} bytes went over the line for {payload}: from the beginning again");
    Ok(())
}

/// Another document is a file that an administrator publishes: no code changes.
#[test]
fn a_fourth_form_is_a_file() -> Sure<()> {
    let mut world = World::with_units(&Plan::default(), 1)?;
    let mut form: serde_json::Value = serde_json::from_slice(FIRST[2])?;
    form["name"] = "fisher-card/1".into();
    form["title"] = serde_json::json!({ "ar": "بطاقة الصياد", "fr": "Carte de pêcheur", "en": "Fisher's card" });
    form["schema"]["properties"]["harbour"] = serde_json::json!({ "type": "string", "enum": ["larache", "safi", "agadir"] });
    form["labels"]["harbour"] = serde_json::json!({ "ar": "الميناء", "fr": "Port", "en": "Harbour" });
    let fields = form["transactions"]["new"]["fields"].as_array_mut().ok_or_else(|| Broken("no fields".into()))?;
    fields.push("harbour".into());
    let group = form["layout"][2]["fields"].as_array_mut().ok_or_else(|| Broken("no layout".into()))?;
    group.push("harbour".into());
    let file = world.path().join("fisher-card.json");
    fs::write(&file, form.to_string())?;
    world.centre.run(&["roster", "publish", "--form", path_text(&file)?])?.ok()?;
    world.units[0].sync()?.ok()?;
    let parsed = shared::form::Form::parse(&fs::read(&file)?)?;
    let mut fisher = sample(4).take(2, 0, &parsed, Transaction::New, Kind::Complete)?;
    fisher.input.person.insert("harbour".into(), Some("safi".into()));
    let place = world.path().join("residents/fisher");
    let finished = world.enrol(0, &[Source::of(&place, 2, &fisher)?])?;
    world.units[0].close()?;
    let stand = world.units[0].settle()?[&finished[0].number].clone();
    assert_eq!(stand.state, "merged", "{}", stand.told);
    let shown = show(&world, stand.told.rsplit(' ').next().unwrap_or_default())?;
    assert!(shown.iter().any(|f| f["name"] == "harbour" && f["value"] == "safi"), "its own field is in the registry");
    Ok(())
}

fn show(world: &World, reference: &str) -> Sure<Vec<serde_json::Value>> {
    let ran = world.centre.run(&["resident", "show", reference, "--reason", "a test of the road"])?.ok()?;
    Ok(ran.of("field").cloned().collect())
}

/// What stands before admission: each step that is missing is named, with what to do.
#[test]
fn before_admission_nothing_is_enrolled() -> Sure<()> {
    let mut world = World::new(&Plan::default())?;
    world.centre.serve()?;
    let unit = tests::world::Unit::found(&world.path(), "van-1", &world.centre)?;
    unit.link.plug(world.centre.address()?);
    let sources = write_sources(&world.path().join("residents"), &sample(5), &[(1, 0)])?;
    let folder: &Path = &sources[0].folder;
    let refused = unit.agent(&["enrol", "--yes", path_text(folder)?])?.refused("no-roster")?;
    assert_eq!(refused.exit, Some(10));
    assert!(!refused.summary()["next"].as_str().unwrap_or_default().is_empty());
    let ran = unit.run(&["sync", "--tries", "1"])?;
    assert_ne!(ran.exit, Some(0), "the centre does not know it");
    assert!(folder.exists(), "and the source is still there");
    Ok(())
}
