//! `memory/…`: peak resident memory of the real programs with a batch of 200 records of 2 MB, against 150 MB.

use std::path::Path;

use shared::sample::{Sample, Size};

use super::{Row, Wishes, rss, seal::now};
use crate::world::{Plan, Program, Source, Sure, World, write_sources};

/// What both programs stay under, in bytes.
const LIMIT: f64 = 150e6;

/// One row a program and act.
pub fn rows(wishes: &Wishes, folder: &Path) -> Sure<Vec<Row>> {
    let mut world = World::kept(folder, &Plan::default())?;
    world.join(1)?;
    let sources = sources(folder, wishes.share(200))?;
    let server = world.centre.pid()?;
    rss::reset(server);
    let unit = &world.units[0];
    let mut rows = Vec::new();
    let mut told = |name: &str, peak: u64| {
        let runs = vec![(peak as f64, LIMIT)];
        rows.push(Row { name: format!("memory/{name}"), unit: "bytes", runs, peak_rss: peak });
    };
    let mut enrol = vec!["enrol", "--yes"];
    for source in &sources {
        enrol.push(crate::world::path_text(&source.folder)?);
    }
    let run = |program: &Program, args: &[String], what: &str| {
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        rss::of_command(program.command(&args), what)
    };
    let owned = |args: &[&str]| args.iter().map(|&a| a.to_owned()).collect::<Vec<_>>();
    told("enroll-client enrol", run(unit.program(), &unit.as_agent(&enrol)?, "enrol")?);
    told("enroll-client close", run(unit.program(), &unit.as_supervisor(&["close"])?, "close")?);
    told("enroll-client sync", run(unit.program(), &owned(&["sync"]), "sync")?);
    unit.settle()?;
    told("sync-server serve", rss::peak(server));
    world.unplug()?;
    for act in ["fsck", "rebuild"] {
        told(&format!("sync-server {act}"), run(world.centre.program(), &owned(&[act]), act)?);
    }
    Ok(rows)
}

/// Folders of residents under the form of national cards, who lack nothing.
fn sources(folder: &Path, count: usize) -> Sure<Vec<Source>> {
    let wanted: Vec<(u64, u64)> = (0..count as u64).map(|n| (3 * n, 1)).collect();
    write_sources(&folder.join("residents"), &Sample::new(4, now(), Size::Large), &wanted)
}
