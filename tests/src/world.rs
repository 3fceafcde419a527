//! A world of real processes over real files: one centre, its units, the links between them.
//!
//! ```text
//! World::new ── centre/ ── `sync-server serve` (a child, restarted and killed by its own id)
//!               safe/       recovery and auditor identity, roster key: what leaves the centre's machine
//!               van-1/ …    units, each behind its own Link (a proxy that can be unplugged or cut)
//!               oracle.jsonl  every record that a screen called finished
//! ```
//!
//! **Trust:** nothing is taken from inside the programs; what they print with `--json` is what a person would see.
//! **Invariants:** loopback only; every child is ended by its own id when its owner is dropped; the folder goes with the
//! world unless it was given.

mod centre;
mod clocks;
mod desk;
mod founding;
mod lie;
mod link;
mod oracle;
mod program;
mod rogue;
mod sources;
mod staff;
mod unit;

use std::path::{Path, PathBuf};

pub use self::{
    centre::{AUDITOR, Centre, RECOVERY, Serving, text as path_text},
    clocks::{later, run_later, seconds_later},
    desk::{Desk, becomes, id, reference},
    founding::Plan,
    lie::lie_about,
    link::Link,
    oracle::{Finished, Oracle},
    program::{Broken, Program, Ran, Sure, bins, sabotage_is_missing, sabotaged_bins, until},
    rogue::{Reply, Rogue, Spare, person},
    sources::{Source, write_sources},
    staff::Adjudicator,
    unit::{Stand, Unit},
};

/// Copies a folder, as a backup would: nobody works in it meanwhile.
pub fn copy_folder(from: &Path, to: &Path) -> Sure<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() { copy_folder(&entry.path(), &target)? } else { std::fs::copy(entry.path(), target).map(drop)? }
    }
    Ok(())
}

/// A centre and its units in one folder.
pub struct World {
    /// The units.
    pub units: Vec<Unit>,
    /// The centre.
    pub centre: Centre,
    /// What was acknowledged.
    pub oracle: Oracle,
    folder: Folder,
}

enum Folder {
    Passing(tempfile::TempDir),
    Kept(PathBuf),
}

impl World {
    /// In a temporary folder that goes with it; the centre is founded and serves, nobody is admitted.
    pub fn new(plan: &Plan) -> Sure<Self> {
        let folder = tempfile::Builder::new().prefix("enrolment-").tempdir()?;
        Self::found(Folder::Passing(folder), plan)
    }

    /// In a folder that stays.
    pub fn kept(folder: &Path, plan: &Plan) -> Sure<Self> {
        Self::found(Folder::Kept(folder.to_owned()), plan)
    }

    /// A centre that is there already, in a folder that stays, without its units.
    pub fn again(folder: &Path, centre: Centre) -> Sure<Self> {
        let oracle = Oracle::open(&folder.join("oracle.jsonl"))?;
        Ok(Self { units: Vec::new(), centre, oracle, folder: Folder::Kept(folder.to_owned()) })
    }

    fn found(folder: Folder, plan: &Plan) -> Sure<Self> {
        let path = match &folder {
            Folder::Passing(dir) => dir.path().to_owned(),
            Folder::Kept(path) => path.clone(),
        };
        let centre = Centre::found(&path, plan)?;
        let oracle = Oracle::open(&path.join("oracle.jsonl"))?;
        Ok(Self { units: Vec::new(), centre, oracle, folder })
    }

    /// A world with `units` admitted units, `van-1` and so on, each with an agent, a supervisor and the roster.
    pub fn with_units(plan: &Plan, units: usize) -> Sure<Self> {
        let mut world = Self::new(plan)?;
        world.join(units)?;
        Ok(world)
    }

    /// Makes units, admits them and their people, and lets each take the roster.
    pub fn join(&mut self, units: usize) -> Sure<()> {
        self.centre.serve()?;
        let first = self.units.len();
        for n in first + 1..=first + units {
            let unit = Unit::found(&self.path(), &format!("van-{n}"), &self.centre)?;
            self.units.push(unit);
        }
        for unit in &self.units[first..] {
            self.centre.admit(unit)?;
        }
        for unit in &self.units[first..] {
            unit.link.plug(self.centre.address()?);
            unit.sync()?.demand("the first sync, for the roster")?;
        }
        Ok(())
    }

    /// Starts the centre again and puts every link through to it.
    pub fn serve(&mut self) -> Sure<()> {
        self.centre.serve()?;
        self.plug()
    }

    /// The same with the server under another program.
    pub fn serve_under(&mut self, wrapper: &[&str]) -> Sure<()> {
        self.centre.serve_under(wrapper)?;
        self.plug()
    }

    fn plug(&self) -> Sure<()> {
        let address = self.centre.address()?;
        self.units.iter().for_each(|u| u.link.plug(address));
        Ok(())
    }

    /// Nobody reaches anybody, and no server runs.
    pub fn unplug(&mut self) -> Sure<()> {
        self.units.iter().for_each(|u| u.link.unplug());
        self.centre.stop()
    }

    /// Enrols what lies in `sources` at a unit and writes down what its screen called finished.
    pub fn enrol(&mut self, unit: usize, sources: &[Source]) -> Sure<Vec<Finished>> {
        let unit = &self.units[unit];
        let finished = unit.enrol(sources)?;
        self.oracle.note(&finished)?;
        Ok(finished)
    }

    /// Where everything lies.
    pub fn path(&self) -> PathBuf {
        match &self.folder {
            Folder::Passing(dir) => dir.path().to_owned(),
            Folder::Kept(path) => path.clone(),
        }
    }
}
