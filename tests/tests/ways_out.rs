//! States that used to have no way out: each is brought about with the real programs, and left as the texts say.

#[path = "ways_out/clocks.rs"]
mod clocks;
#[path = "ways_out/lost.rs"]
mod lost;

use std::{fs, os::unix::fs::FileExt as _, path::Path};

use shared::{
    form::FIRST,
    sample::{Sample, Size},
    time::Second,
};
use tests::world::{Plan, Source, Sure, World, copy_folder, path_text, write_sources};

fn residents(world: &World, people: std::ops::Range<u64>) -> Sure<Vec<Source>> {
    let sample = Sample::new(77, Second::from_unix(1_790_000_000), Size::Tiny);
    write_sources(&world.path().join("residents"), &sample, &people.map(|n| (n, 0)).collect::<Vec<_>>())
}

/// Enrols, closes, syncs until everything has an outcome.
fn day(world: &mut World, people: std::ops::Range<u64>) -> Sure<()> {
    let sources = residents(world, people)?;
    world.enrol(0, &sources)?;
    world.units[0].close()?;
    world.serve()?;
    world.units[0].settle()?;
    Ok(())
}

fn open_kinds(world: &World) -> Sure<Vec<String>> {
    let list = world.centre.run(&["open", "list"])?.ok()?;
    Ok(list.of("open").filter_map(|fact| fact["kind"].as_str().map(str::to_owned)).collect())
}

/// Changes one byte, as a disk would.
fn flip(path: &Path, at: u64) -> Sure<()> {
    let file = fs::OpenOptions::new().read(true).write(true).open(path)?;
    let mut byte = [0];
    file.read_exact_at(&mut byte, at)?;
    file.write_all_at(&[byte[0] ^ 1], at)?;
    Ok(())
}

#[test]
fn a_manifest_that_staging_lost_is_announced_again() -> Sure<()> {
    for lost in ["gone", "changed"] {
        let mut world = World::with_units(&Plan::default(), 1)?;
        let sources = residents(&world, 0..1)?;
        world.enrol(0, &sources)?;
        world.units[0].close()?;
        world.units[0].link.cut_after(100_000);
        world.units[0].run(&["sync", "--tries", "1"])?;
        world.unplug()?;
        let staging = world.centre.data.join("staging");
        let manifest =
            fs::read_dir(&staging)?.filter_map(|e| e.ok().map(|e| e.path())).find(|p| p.extension().is_some_and(|e| e == "manifest"));
        let Some(manifest) = manifest else {
            assert_eq!(world.units[0].link.cuts(), 0, "a link that broke has left an announced batch");
            continue;
        };
        if lost == "gone" {
            fs::remove_file(&manifest)?;
        } else {
            flip(&manifest, 40)?;
        }
        world.serve()?;
        let stands = world.units[0].settle()?;
        assert!(stands.values().all(|s| s.state == "merged"), "{lost}: {stands:?}");
    }
    Ok(())
}

/// The centre knows at once what it tells the unit, and still does when its database was made again.
#[test]
fn a_rewound_unit_is_named_at_once_and_after_a_rebuild() -> Sure<()> {
    let mut world = World::with_units(&Plan::default(), 1)?;
    world.unplug()?;
    let (data, older) = (world.units[0].data.clone(), world.path().join("van.monday"));
    copy_folder(&data, &older)?;
    day(&mut world, 0..1)?;
    fs::remove_dir_all(&data)?;
    copy_folder(&older, &data)?;
    world.units[0].sync()?;
    assert!(open_kinds(&world)?.contains(&"unit-rewound".to_owned()), "{:?}", open_kinds(&world)?);
    let alarm = world.units[0].run(&["alarm", "list"])?;
    assert!(alarm.of("alarm").any(|a| a["code"] == "vault-rewound"), "{:?}", alarm.lines);
    world.unplug()?;
    let before = open_kinds(&world)?;
    world.centre.run(&["rebuild"])?.ok()?;
    let mut after = open_kinds(&world)?;
    after.retain(|kind| kind != "database-aside");
    assert_eq!(after, before);
    // the way out that the fact names
    world.units[0].run(&["new-key", "--restored"])?.ok()?;
    let request = world.units[0].data.join("unit.request");
    world.centre.run(&["unit", "admit", path_text(&request)?, "--new-key", "--cut-old"])?.ok()?;
    world.serve()?;
    world.units[0].sync()?;
    assert_eq!(world.units[0].run(&["status"])?.exit, Some(0));
    assert!(open_kinds(&world)?.iter().all(|kind| !kind.starts_with("unit-")), "{:?}", open_kinds(&world)?);
    Ok(())
}

/// The roster goes to a unit without a network, and too old software is told before anybody sits down.
#[test]
fn a_roster_travels_in_a_file_and_its_lines_have_a_command_each() -> Sure<()> {
    let mut world = World::with_units(&Plan::default(), 1)?;
    let file = world.path().join("roster.bundle");
    let shown = |world: &World, key: &str| -> Sure<String> {
        let text = world.centre.run(&["roster", "show"])?.ok()?.text("note")?;
        Ok(text.lines().find_map(|line| line.strip_prefix(&format!("{key} "))).unwrap_or_default().to_owned())
    };
    let set = [
        ("grace", &["--grace", "86400"][..], "86400"),
        ("retention", &["--retention", "345600"], "345600"),
        ("limit lines", &["--limit-lines", "100"], "100"),
        ("limit batch", &["--limit-batch", "1000000"], "1000000"),
        ("limit record", &["--limit-record", "900000"], "900000"),
        ("software", &["--software", "9.0.0"], "9.0.0"),
    ];
    for (line, options, value) in set {
        world.centre.run(&[&["roster", "set"][..], options].concat())?.ok()?;
        assert_eq!(shown(&world, line)?, value);
    }
    let before = shown(&world, "expires")?;
    world.centre.run(&["roster", "set", "--expires", "30"])?.ok()?;
    assert_ne!(shown(&world, "expires")?, before);
    world.centre.run(&["roster", "set"])?.refused("usage")?;
    assert_eq!(world.centre.run(&["roster", "set", "--retention", "259199"])?.exit, Some(2), "three days at least");
    world.unplug()?;
    // no network: the file
    world.centre.run(&["roster", "export", path_text(&file)?])?.ok()?;
    world.units[0].run(&["roster", "import", path_text(&file)?])?.ok()?;
    let sources = residents(&world, 0..1)?;
    let refused = world.units[0].agent(&["enrol", "--yes", path_text(&sources[0].folder)?])?;
    refused.refused("software-too-old")?;
    let status = world.units[0].run(&["status"])?;
    assert_eq!((status.exit, &status.summary()["capture"]), (Some(1), &"software-too-old".into()));
    world.units[0].run(&["roster", "import", path_text(&file)?])?.refused("nothing-to-do")?;
    let doctor = world.units[0].run(&["doctor"])?;
    assert!(doctor.of("check").any(|c| c["what"] == "admission" && c["finding"] == "bad"), "{:?}", doctor.lines);
    // a unit of which the centre has heard nothing since says how far it has seen the log
    world.centre.run(&["roster", "set", "--software", "0.1.0"])?.ok()?;
    let seen = status.summary()["seen"].to_string();
    world.centre.run(&["roster", "export", path_text(&file)?, "--seen", &seen])?.ok()?;
    world.units[0].run(&["roster", "import", path_text(&file)?])?.ok()?;
    world.enrol(0, &sources)?;
    let cut = fs::read(&file)?;
    fs::write(&file, &cut[..cut.len() / 2])?;
    world.units[0].run(&["roster", "import", path_text(&file)?])?.refused("input-unreadable")?;
    world.centre.run(&["roster", "export", path_text(&file)?, "--seen", "1000000"])?.refused("log-inconsistent")?;
    Ok(())
}

/// What `form lists` prints as the next step, to its end: the new code is taken by a unit, by its name.
#[test]
fn a_new_code_list_is_published_with_its_form() -> Sure<()> {
    let mut world = World::with_units(&Plan::default(), 1)?;
    let (form, list, made) = (world.path().join("form.json"), world.path().join("sex.csv"), world.path().join("made.json"));
    fs::write(&form, FIRST[0])?;
    fs::write(&list, "code,ar,fr,en\nf,أنثى,féminin,female\nm,ذكر,masculin,male\nx,غير محدد,non précisé,unspecified\n")?;
    let lists = format!("sex={}", path_text(&list)?);
    world.centre.run(&["form", "lists", path_text(&form)?, "--list", &lists, "--out", path_text(&made)?])?.ok()?;
    world.centre.run(&["roster", "publish", "--form", path_text(&made)?])?.ok()?;
    let unit = &world.units[0];
    unit.sync()?;
    let draft = unit.agent(&["draft", "new", "national-id/1"])?.ok()?.text("draft")?;
    unit.agent(&["draft", "set", &draft, "sex=Non-précisé"])?.ok()?;
    let shown = unit.agent(&["draft", "show", &draft])?.ok()?;
    assert!(shown.of("content").any(|row| row["value"] == "unspecified (x)"), "{:?}", shown.lines);
    world.unplug()
}
