//! `scale/…`: what ingest and merge cost with a large registry behind them, against one of 10,000 residents.
//!
//! | centre | its registry |
//! |---|---|
//! | small | 10,000 residents through the real ledger and registry (`scale/filled.rs`) |
//! | large | a copy of it, in which SQL has multiplied every row about a resident (`scale/copy.rs`) |
//!
//! Both are kept and used again; what is measured works on copies. The same batches go to both by turns.

mod copy;
mod filled;

use std::{path::Path, time::Instant};

use enroll_client::sync::link::Link;
use shared::sample::Size;

use self::filled::Filled;
use super::{
    Row, Wishes, by_turns,
    centre::Inside,
    client::{Parcel, deliver},
    ingest::{BATCH, merged, parcel},
    people::People,
    rss,
    seal::now,
};
use crate::world::{Rogue, Sure, World, copy_folder};

/// Batches a run.
const BATCHES: usize = 12;

/// Ingest and merge.
pub fn rows(wishes: &Wishes, folder: &Path) -> Sure<Vec<Row>> {
    let filled = Filled::kept(&wishes.cache, wishes.residents)?;
    let mut world = filled.copy(&folder.join("small"))?;
    // Before the copy: what the unit says it has seen must be in the log of both.
    world.centre.serve()?;
    let mut rogue = Filled::unit(&world)?;
    world.centre.stop()?;
    let (small, large) = (world.centre.data.clone(), folder.join("large"));
    copy_folder(&small, &large)?;
    filled.enlarge(&large)?;
    let mut people = People::new(7, now(), Size::Tiny)?;
    let count = wishes.share(BATCHES);
    Ok(vec![ingest(&mut world, &mut rogue, &mut people, &large, count)?, merge(&mut rogue, &mut people, [&small, &large], count)?])
}

fn ingest(world: &mut World, rogue: &mut Rogue, people: &mut People, large: &Path, count: usize) -> Sure<Row> {
    world.centre.serve_plain()?;
    let mut other = world.centre.elsewhere(large)?;
    other.serve_plain()?;
    let link = |address: std::net::SocketAddr| -> Sure<Link> {
        let mut link = Link::new(&format!("http://{address}"), None)?;
        link.take_token(rogue.token().map(str::to_owned));
        Ok(link)
    };
    let links = [link(other.address()?)?, link(world.centre.address()?)?];
    let mut parcels = Vec::new();
    for _ in 0..super::RUNS {
        parcels.push((0..count).map(|_| parcel(rogue, people)).collect::<Sure<Vec<_>>>()?);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let send = |link: &Link, parcels: &[Parcel]| -> Sure<f64> {
        let mut seconds = 0.0;
        for parcel in parcels {
            let start = Instant::now();
            runtime.block_on(deliver(link, parcel))?;
            seconds += start.elapsed().as_secs_f64();
            merged(&runtime, link, parcel)?;
        }
        Ok((count * BATCH) as f64 / seconds)
    };
    let runs = by_turns(|run| send(&links[0], &parcels[run]), |run| send(&links[1], &parcels[run]), super::RUNS)?;
    let peak_rss = rss::peak(other.pid()?);
    other.stop()?;
    world.centre.stop()?;
    Ok(Row { name: "scale/ingest/20KB".into(), unit: "records/s", runs, peak_rss })
}

fn merge(rogue: &mut Rogue, people: &mut People, [small, large]: [&Path; 2], count: usize) -> Sure<Row> {
    let (small, large) = (Inside::open(small)?, Inside::open(large)?);
    let mut runs = Vec::new();
    let (pid, mut peak) = (std::process::id(), 0);
    for _ in 0..super::RUNS {
        for _ in 0..count {
            let next = parcel(rogue, people)?;
            large.log(&next)?;
            small.log(&next)?;
        }
        let timed = |inside: &Inside| -> Sure<f64> {
            let start = Instant::now();
            inside.merge()?;
            Ok((count * BATCH) as f64 / start.elapsed().as_secs_f64())
        };
        rss::reset(pid);
        runs.extend(by_turns(|_| timed(&large), |_| timed(&small), 1)?);
        peak = peak.max(rss::peak(pid));
    }
    Ok(Row { name: "scale/merge/20KB".into(), unit: "records/s", runs, peak_rss: peak })
}
