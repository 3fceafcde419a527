//! What came of a campaign.

use std::{
    collections::BTreeMap,
    fs::File,
    io::Write as _,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use crate::{tracer::Fault, world::Sure};

/// What one run did wrong; empty when it did nothing wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// What had been acknowledged and is not there.
    pub lost: Vec<String>,
    /// What is there more than once.
    pub double: Vec<String>,
    /// An error of the disk that was answered with success, or a sync that was tried again and believed.
    pub undetected: Vec<String>,
    /// What is called damaged and is not, or cannot go on.
    pub false_alarms: Vec<String>,
}

impl Verdict {
    fn kinds(&self) -> [(&'static str, &[String]); 4] {
        [("lost", &self.lost), ("double", &self.double), ("undetected", &self.undetected), ("false_alarms", &self.false_alarms)]
    }

    /// All that it found.
    pub fn all(&self) -> impl Iterator<Item = String> {
        self.kinds().into_iter().flat_map(|(kind, found)| found.iter().map(move |f| format!("{kind}: {f}")))
    }
}

/// Counts of an act.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Points of the recording.
    pub points: u64,
    /// Durable acts among them.
    pub durable: u64,
    runs: BTreeMap<Fault, u64>,
    /// Runs that ended before the fault could strike.
    pub missed: u64,
    counts: BTreeMap<&'static str, u64>,
    /// Each wrong thing, and where.
    pub wrong: Vec<String>,
}

impl Tally {
    /// Counts a run.
    pub fn count(&mut self, fault: Fault, struck: bool, at: &str, verdict: &Verdict) {
        *self.runs.entry(fault).or_default() += 1;
        self.missed += u64::from(!struck);
        for (kind, found) in verdict.kinds() {
            *self.counts.entry(kind).or_default() += found.len() as u64;
        }
        self.wrong.extend(verdict.all().map(|found| format!("{fault} {at}: {found}")));
    }

    /// Runs with every fault.
    pub fn runs(&self) -> u64 {
        self.runs.values().sum()
    }

    /// One line.
    pub fn line(&self, act: &str, seed: u64) -> Value {
        let runs = |f: Fault| self.runs.get(&f).copied().unwrap_or(0);
        let count = |kind: &str| self.counts.get(kind).copied().unwrap_or(0);
        json!({
            "message_type": "act", "act": act, "seed": seed, "points": self.points, "durable": self.durable, "runs": self.runs(),
            "kill": runs(Fault::Kill), "eio": runs(Fault::Eio), "enospc": runs(Fault::Enospc), "missed": self.missed,
            "lost": count("lost"), "double": count("double"), "undetected": count("undetected"),
            "false_alarms": count("false_alarms"),
        })
    }

    /// Prints it, and writes it into the folder of `ENROLMENT_FAULTS_OUT`.
    pub fn tell(&self, act: &str, seed: u64) -> Sure<()> {
        let line = self.line(act, seed);
        println!("{line}");
        self.wrong.iter().for_each(|w| println!("  {w}"));
        let Some(folder) = std::env::var_os("ENROLMENT_FAULTS_OUT").map(PathBuf::from) else { return Ok(()) };
        write(&folder.join(format!("faults-{act}.jsonl")), &line)
    }
}

fn write(path: &Path, line: &Value) -> Sure<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    writeln!(File::create(path)?, "{line}")?;
    Ok(())
}
