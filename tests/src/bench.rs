//! Benchmarks: what the road costs, as a ratio to a bare loop that moves the same bytes over the same disk.
//!
//! ```text
//! {"message_type":"row","name":"seal/300KB","value":98.1,"unit":"records/s","baseline":120.4,"ratio":0.81,"runs":[[…,…],…],"peak_rss":61865984}
//! {"message_type":"summary","rows":9,"quick":false}
//! ```
//! Ours and the baseline run by turns, so that what else the machine does falls on both; value and baseline are the
//! medians of their runs, the ratio is one by the other, `runs` has every pair. `peak_rss` is in bytes and of the
//! process that does the work. Nothing here is a test: no figure passes or fails.
#![allow(clippy::cast_precision_loss, reason = "rates and megabytes are told to three figures")]

mod centre;
mod client;
mod disk;
mod ingest;
mod many;
mod memory;
mod merge;
mod people;
mod report;
mod rss;
mod scale;
mod seal;
pub mod sink;

use std::path::{Path, PathBuf};

pub use self::report::{Report, Row};
use crate::world::Sure;
use shared::sample::Size;

/// Runs of each side.
const RUNS: usize = 5;

/// What the person at the keyboard asked for.
#[derive(Debug, Clone)]
pub struct Wishes {
    /// JSON Lines instead of a table.
    pub json: bool,
    /// A third of the work a run: to see that it runs.
    pub quick: bool,
    /// Against a registry of a million residents, too.
    pub scale: bool,
    /// Only rows whose names contain this.
    pub only: Option<String>,
    /// Residents of the large registry.
    pub residents: u64,
    /// Where large registries are kept from one run to the next.
    pub cache: PathBuf,
}

impl Wishes {
    fn wants(&self, name: &str) -> bool {
        self.only.as_ref().is_none_or(|only| name.contains(only.as_str()))
    }
    /// How many of `n` a run takes.
    fn share(&self, n: usize) -> usize {
        if self.quick { n.div_ceil(3) } else { n }
    }
}

/// The sizes, by the names of rows.
const SIZES: [(&str, Size); 3] = [("20KB", Size::Tiny), ("300KB", Size::Usual), ("2MB", Size::Large)];

/// Runs what is wished for, below `folder`.
pub fn run(wishes: &Wishes, folder: &Path) -> Sure<()> {
    let mut report = Report::new(wishes.json);
    for (word, size) in SIZES {
        if wishes.wants(&format!("seal/{word}")) {
            report.row(&seal::row(wishes, &folder.join(format!("seal-{word}")), word, size)?);
        }
    }
    for (word, size) in SIZES {
        if wishes.wants(&format!("ingest/{word}")) {
            report.row(&ingest::row(wishes, &folder.join(format!("ingest-{word}")), word, size)?);
        }
    }
    for (word, size) in SIZES {
        if wishes.wants(&format!("merge/{word}")) {
            report.row(&merge::row(wishes, &folder.join(format!("merge-{word}")), word, size)?);
        }
    }
    if wishes.wants("enrol/") || wishes.wants("start/") {
        many::rows(wishes, &folder.join("many"))?.iter().for_each(|row| report.row(row));
    }
    if wishes.wants("memory/") {
        memory::rows(wishes, &folder.join("memory"))?.iter().for_each(|row| report.row(row));
    }
    if wishes.scale && wishes.wants("scale/") {
        scale::rows(wishes, &folder.join("scale"))?.iter().for_each(|row| report.row(row));
    }
    report.end(wishes);
    Ok(())
}

/// Ours and the baseline by turns; each gives records a second.
fn by_turns(mut ours: impl FnMut(usize) -> Sure<f64>, mut baseline: impl FnMut(usize) -> Sure<f64>, runs: usize) -> Sure<Vec<(f64, f64)>> {
    (0..runs).map(|run| Ok((ours(run)?, baseline(run)?))).collect()
}
