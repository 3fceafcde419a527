//! `ingest/…`: batches of 40 records from the announcement to the receipt, over plain HTTP on this machine, against the
//! real server in its own process. What it merges afterwards is waited for, outside of the time.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    time::Instant,
};

use enroll_client::sync::link::Link;
use shared::sample::Size;

use super::{
    Row, Wishes, by_turns,
    client::{Parcel, deliver},
    people::People,
    rss,
    seal::now,
};
use crate::world::{Broken, Plan, Rogue, Sure, World, until};

/// Records of a batch.
pub const BATCH: usize = 40;

/// Batches a run.
pub fn batches(size: Size) -> usize {
    match size {
        Size::Tiny | Size::Usual => 6,
        Size::Large => 2,
    }
}

/// The next batch of a unit with keys of its own.
pub fn parcel(rogue: &mut Rogue, people: &mut People) -> Sure<Parcel> {
    let (unit, agent) = (rogue.name.clone(), rogue.workshop.agent.clone());
    let (to, roster) = (rogue.workshop.recipients.clone(), rogue.workshop.roster);
    let records = (0..BATCH).map(|_| people.sealed(&unit, &agent, now(), &to, roster)).collect::<Sure<Vec<_>>>()?;
    let (manifest, payload) = rogue.close(&records, |_| {})?;
    Ok(Parcel { manifest, payload })
}

/// Of one size.
pub fn row(wishes: &Wishes, folder: &Path, word: &str, size: Size) -> Sure<Row> {
    let mut world = World::kept(folder, &Plan::default())?;
    world.centre.serve()?;
    let mut rogue = Rogue::admitted(&world, "van-1")?;
    world.centre.stop()?;
    world.centre.serve_plain()?;
    let mut link = Link::new(&format!("http://{}", world.centre.address()?), None)?;
    link.take_token(rogue.token().map(str::to_owned));
    let bare = Sink::start(&folder.join("sink"))?;
    let bare_link = Link::new(&bare.url, None)?;
    let mut people = People::new(2, now(), size)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let count = wishes.share(batches(size));
    let server = world.centre.pid()?;
    let mut parcels = Vec::new();
    for _ in 0..super::RUNS {
        parcels.push((0..count).map(|_| parcel(&mut rogue, &mut people)).collect::<Sure<Vec<_>>>()?);
    }
    rss::reset(server);
    let records = (count * BATCH) as f64;
    let runs = by_turns(
        |run| {
            let mut seconds = 0.0;
            for parcel in &parcels[run] {
                let start = Instant::now();
                runtime.block_on(deliver(&link, parcel))?;
                seconds += start.elapsed().as_secs_f64();
                merged(&runtime, &link, parcel)?;
            }
            Ok(records / seconds)
        },
        |run| {
            let mut seconds = 0.0;
            for parcel in &parcels[run] {
                let start = Instant::now();
                runtime.block_on(deliver(&bare_link, parcel))?;
                seconds += start.elapsed().as_secs_f64();
            }
            Ok(records / seconds)
        },
        super::RUNS,
    )?;
    let peak_rss = rss::peak(server);
    world.centre.stop()?;
    Ok(Row { name: format!("ingest/{word}"), unit: "records/s", runs, peak_rss })
}

/// Waits until the server has nothing to do any more for this batch.
pub fn merged(runtime: &tokio::runtime::Runtime, link: &Link, parcel: &Parcel) -> Sure<()> {
    until("the outcome of a batch", || match runtime.block_on(link.outcome(&parcel.id(), 0)) {
        Ok(_) => Ok(Some(())),
        Err(trouble) if trouble.is_temporary() => Ok(None),
        Err(trouble) => Err(Broken(format!("outcome: {}", trouble.problem))),
    })
}

/// The bare server, a process of its own.
struct Sink {
    child: Child,
    url: String,
}

impl Sink {
    fn start(folder: &Path) -> Sure<Self> {
        fs::create_dir(folder)?;
        let mut child = Command::new(std::env::current_exe()?).arg("--sink").arg(folder).stdout(Stdio::piped()).spawn()?;
        let out = child.stdout.take().ok_or_else(|| Broken("no standard output".into()))?;
        let mut url = String::new();
        BufReader::new(out).read_line(&mut url)?;
        Ok(Self { child, url: url.trim().to_owned() })
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
