//! A world that is put back to where it was: the same start for every run.

use std::{
    fs,
    path::{Path, PathBuf},
};

use shared::roster::LEAST_RETENTION;

use crate::{
    tracer::Tracing,
    world::{Broken, Plan, Sure, Unit, World, copy_folder},
};

/// A world, a saved copy of its state, and a place for what the tracer writes, outside of both.
pub struct Stage {
    /// The world; its folders are the same in every run.
    pub world: World,
    folder: PathBuf,
}

/// What a run must not find again; the unit's reserve is space, not state.
const RESERVE: &str = "reserve";
/// The folders of the two machines.
const PARTS: [&str; 2] = ["centre", "van-1"];
const ORACLE: &str = "oracle.jsonl";

impl Stage {
    /// A new world with one unit in `folder`; records are pruned as early as any roster allows.
    pub fn new(folder: &Path) -> Sure<Self> {
        fs::create_dir_all(folder)?;
        let mut world = World::kept(&folder.join("live"), &Plan { retention: LEAST_RETENTION, ..Plan::default() })?;
        world.join(1)?;
        world.unplug()?;
        Ok(Self { world, folder: folder.to_owned() })
    }

    /// Centre and unit go by plain HTTP from now on, so that what leaves the centre can be read in a recording.
    pub fn speak_plainly(&mut self) -> Sure<()> {
        self.world.centre.speak_plainly();
        self.world.units.iter().try_for_each(Unit::speak_plainly)
    }

    /// This is where every run begins; nothing may run.
    pub fn save(&self) -> Sure<()> {
        PARTS.iter().try_for_each(|part| copy_folder(&self.live(part), &self.saved(part)))?;
        fs::copy(self.live(ORACLE), self.saved(ORACLE)).map(drop)?;
        Ok(())
    }

    /// Back to there.
    pub fn restore(&mut self) -> Sure<()> {
        self.world.centre.kill()?;
        self.world.units[0].link.unplug();
        for part in PARTS {
            empty(&self.live(part))?;
            copy_folder(&self.saved(part), &self.live(part))?;
        }
        // what was acknowledged in the run before is gone with it
        fs::copy(self.saved(ORACLE), self.live(ORACLE)).map(drop)?;
        Ok(())
    }

    fn live(&self, part: &str) -> PathBuf {
        self.folder.join("live").join(part)
    }
    fn saved(&self, part: &str) -> PathBuf {
        self.folder.join("saved").join(part)
    }

    /// Looks at the unit's folder.
    pub fn at_unit(&self) -> Tracing {
        Tracing::of(&[&self.live("van-1")], &self.events())
    }

    /// Looks at the centre's folder.
    pub fn at_centre(&self) -> Tracing {
        Tracing::of(&[&self.live("centre")], &self.events())
    }

    fn events(&self) -> PathBuf {
        self.folder.join("events")
    }

    /// A folder for what lies beside the world.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

/// Removes what lies in a folder, but for the reserve.
fn empty(folder: &Path) -> Sure<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        } else if entry.file_name() != RESERVE {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = self.world.centre.kill();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// What a step was meant to give.
pub(super) fn text(what: Result<(), Broken>) -> Option<String> {
    what.err().map(|e| e.0)
}
