//! The demonstration: three units, one centre, real processes in a temporary folder; everything counted, nothing assumed.
//!
//! ```text
//! join ▸ draw the residents ▸ unplug, no server runs ▸ enrol and close ▸ serve, sync, one link breaks ▸ outcomes
//!      ▸ receipts checked by a process with public keys only ▸ fsck ▸ rebuild ▸ count
//! ```
//!
//! The story, whatever the seed: person D is enrolled by van-1 and by van-2, so one of the two records is held; an agent of
//! van-3 signs a line that contradicts its record's inside, which the centre refuses; van-2's link breaks in mid-upload.

mod count;
mod papers;
mod story;
mod tell;

use std::path::PathBuf;

use self::{count::Tally, story::Story, tell::Tell};
use crate::world::{Broken, Sure};

/// What the person at the keyboard asked for.
#[derive(Debug, Clone, Copy)]
pub struct Wishes {
    /// Gives people and bytes.
    pub seed: u64,
    /// How many people.
    pub residents: u64,
    /// JSON Lines instead of a text.
    pub json: bool,
}

/// Runs it; whether all was as it must be.
pub fn run(wishes: &Wishes) -> bool {
    let tell = Tell::new(wishes.json);
    match told(wishes, &tell) {
        Ok(tally) => tally.is_right(wishes.residents),
        Err(broken) => {
            tell.broken(&broken);
            false
        }
    }
}

fn told(wishes: &Wishes, tell: &Tell) -> Sure<Tally> {
    let folder = folder()?;
    let mut story = Story::begin(&folder, wishes, tell)?;
    story.enrol_offline()?;
    story.send()?;
    let tally = story.end()?;
    tell.end(&tally, &story, wishes.residents)?;
    Ok(tally)
}

fn folder() -> Sure<PathBuf> {
    let folder = tempfile::Builder::new().prefix("enrolment-demo-").tempdir().map_err(|e| Broken(format!("temporary folder: {e}")))?;
    Ok(folder.keep())
}
