//! What happens, step by step.

use std::{
    fs,
    path::Path,
    thread,
    time::{SystemTime, UNIX_EPOCH},
};

use shared::{
    sample::{Sample, Size},
    time::Second,
};

use super::{Wishes, count::Tally, papers, tell::Tell};
use crate::world::{Broken, Finished, Plan, Source, Sure, Unit, World, lie_about, write_sources};

/// Units of the story.
pub const UNITS: usize = 3;
/// The unit whose agent lies.
const DISHONEST: usize = 2;
/// The unit whose link breaks.
const CUT_OFF: usize = 1;

/// The story while it runs.
pub struct Story<'a> {
    /// Everybody.
    pub world: World,
    tell: &'a Tell,
    wishes: Wishes,
}

impl<'a> Story<'a> {
    /// The centre is founded, the units have joined and taken their roster.
    pub fn begin(folder: &Path, wishes: &Wishes, tell: &'a Tell) -> Sure<Self> {
        tell.folder(folder);
        let mut world = World::kept(folder, &Plan::default())?;
        world.join(UNITS)?;
        tell.joined(&world);
        Ok(Self { world, tell, wishes: *wishes })
    }

    /// No server runs: everybody is enrolled, and two days are closed into batches.
    pub fn enrol_offline(&mut self) -> Sure<()> {
        self.world.unplug()?;
        let sources = self.sources()?;
        self.tell.drawn(&sources);
        let units = &self.world.units;
        let work = |(n, unit): (usize, &Unit)| days(unit, &sources[n], n == DISHONEST);
        let enrolled: Vec<Sure<Vec<Finished>>> = thread::scope(|scope| {
            let handles: Vec<_> = units.iter().enumerate().map(|one| scope.spawn(move || work(one))).collect();
            handles.into_iter().map(|h| h.join().unwrap_or_else(|_| Err(Broken("a unit's day broke off".into())))).collect()
        });
        for (unit, finished) in self.world.units.iter().zip(enrolled) {
            let finished = finished?;
            self.world.oracle.note(&finished)?;
            self.tell.enrolled(unit, &finished, &unit.batches()?);
        }
        // what lies here was captured for the story only, and `enrol --remove-source` has emptied it
        let _ = fs::remove_dir_all(self.world.path().join("residents"));
        Ok(())
    }

    /// The residents of each unit. D is one of van-1's first three who lacks nothing, and comes to van-2 as well.
    fn sources(&self) -> Sure<[Vec<Source>; UNITS]> {
        let Wishes { seed, residents, .. } = self.wishes;
        let lacks_something = |n: u64| matches!((n + seed) % 10, 3 | 5 | 8);
        let twice = (0..3).find(|&n| !lacks_something(n)).ok_or_else(|| Broken("nobody lacks nothing".into()))?;
        let of_unit = |unit: u64| (0..residents).filter(move |n| n / 3 % 3 == unit).map(|n| (n, 0));
        let mut wanted: Vec<Vec<(u64, u64)>> = (0..3).map(|unit| of_unit(unit).collect()).collect();
        wanted[CUT_OFF].push((twice, 1));
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(|_| Broken("the clock is before 1970".into()))?;
        let now = Second::from_unix(i64::try_from(now.as_secs())?);
        let sample = Sample::new(seed, now, Size::Usual);
        let folder = self.world.path().join("residents");
        let mut all = write_sources(&folder, &sample, &wanted.concat())?.into_iter();
        let mut take = |n: usize| all.by_ref().take(n).collect::<Vec<_>>();
        Ok([take(wanted[0].len()), take(wanted[1].len()), take(wanted[2].len())])
    }

    /// The server comes; the units sync with nobody at the keyboard; one link breaks in mid-upload.
    pub fn send(&mut self) -> Sure<()> {
        self.world.serve()?;
        let link = &self.world.units[CUT_OFF].link;
        let payload: u64 = self.payloads(CUT_OFF)?.iter().sum();
        link.cut_after(self.payloads(CUT_OFF)?[0] / 2);
        let settled: Vec<Sure<()>> = thread::scope(|scope| {
            let handles: Vec<_> = self.world.units.iter().map(|unit| scope.spawn(|| unit.settle().map(drop))).collect();
            handles.into_iter().map(|h| h.join().unwrap_or_else(|_| Err(Broken("a sync broke off".into())))).collect()
        });
        settled.into_iter().collect::<Sure<()>>()?;
        let (cuts, carried) = (link.cuts(), link.carried());
        // from the beginning again it would be half a batch more
        if cuts != 1 || carried >= payload + self.payloads(CUT_OFF)?[0] / 4 {
            return Err(Broken(format!("{cuts} breaks, {carried} bytes for a payload of {payload}: it did not resume")));
        }
        self.tell.resumed(&self.world.units[CUT_OFF], carried, payload);
        Ok(())
    }

    fn payloads(&self, unit: usize) -> Sure<Vec<u64>> {
        Ok(self.world.units[unit].batches()?.iter().filter_map(|b| b["bytes"].as_u64()).collect())
    }

    /// Everything checked again by others, and counted.
    pub fn end(&mut self) -> Sure<Tally> {
        self.world.unplug()?;
        let papers = papers::write(&self.world)?;
        let verified = papers::verify(&papers, &self.world.centre.log_key)?;
        self.tell.verified(verified);
        let tally = Tally::count(&self.world, verified)?;
        Ok(tally)
    }
}

/// Two days of a unit, each closed into its batch; a dishonest agent signs a false line on the first.
fn days(unit: &Unit, sources: &[Source], dishonest: bool) -> Sure<Vec<Finished>> {
    let mut all = Vec::new();
    let (first, second) = sources.split_at(sources.len() / 2);
    for (day, sources) in [first, second].into_iter().enumerate().filter(|(_, s)| !s.is_empty()) {
        let finished = unit.enrol(sources)?;
        if dishonest && (day == 0 || first.is_empty()) {
            lie_about(unit, &finished[0])?;
        }
        unit.close()?;
        all.extend(finished);
    }
    Ok(all)
}
