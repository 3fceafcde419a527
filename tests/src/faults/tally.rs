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
    struck: BTreeMap<Fault, u64>,
    /// Runs that ended before their fault could strike; they show nothing.
    pub missed: u64,
    counts: BTreeMap<&'static str, u64>,
    /// Each wrong thing, and where.
    pub wrong: Vec<String>,
}

impl Tally {
    /// Counts a run, and whether its fault struck.
    pub fn count(&mut self, fault: Fault, struck: bool, at: &str, verdict: &Verdict) {
        *self.struck.entry(fault).or_default() += u64::from(struck);
        self.missed += u64::from(!struck);
        for (kind, found) in verdict.kinds() {
            *self.counts.entry(kind).or_default() += found.len() as u64;
        }
        self.wrong.extend(verdict.all().map(|found| format!("{fault} {at}: {found}")));
    }

    /// Runs in which a fault struck.
    pub fn struck(&self) -> u64 {
        self.struck.values().sum()
    }

    /// One line.
    pub fn line(&self, act: &str, seed: u64) -> Value {
        let struck = |f: Fault| self.struck.get(&f).copied().unwrap_or(0);
        let count = |kind: &str| self.counts.get(kind).copied().unwrap_or(0);
        json!({
            "message_type": "act", "act": act, "seed": seed, "points": self.points, "durable": self.durable, "struck": self.struck(),
            "kill": struck(Fault::Kill), "eio": struck(Fault::Eio), "enospc": struck(Fault::Enospc), "missed": self.missed,
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

/// Nothing was struck, or too many runs missed: what an act shows would be less than it says. A few may: a fault is set for so many
/// durable acts of all threads, and when another thread is first, or a commit takes two changes at once, a run ends sooner.
pub fn too_many_missed<'t>(tallies: impl Iterator<Item = &'t Tally>) -> Option<String> {
    let (struck, missed) = tallies.fold((0, 0), |(struck, missed), t| (struck + t.struck(), missed + t.missed));
    (struck == 0 || missed > 1 && missed * MISSED > struck + missed)
        .then(|| format!("{missed} of {} faults struck nothing", struck + missed))
}

/// One run of so many may miss.
const MISSED: u64 = 40;

fn write(path: &Path, line: &Value) -> Sure<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    writeln!(File::create(path)?, "{line}")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(struck: u64, missed: u64) -> Tally {
        let mut tally = Tally::default();
        (0..struck + missed).for_each(|n| tally.count(Fault::Eio, n < struck, "", &Verdict::default()));
        tally
    }

    #[test]
    fn what_missed_is_no_run_and_few_may_miss() {
        assert_eq!((tally(3, 1).struck(), tally(3, 1).missed), (3, 1));
        assert_eq!(tally(0, 4).struck(), 0);
        assert!(too_many_missed([tally(10, 0), tally(0, 1)].iter()).is_none());
        assert!(too_many_missed([tally(78, 1), tally(0, 1)].iter()).is_none());
        assert!(too_many_missed([tally(77, 1), tally(0, 1)].iter()).is_some());
        assert!(too_many_missed([tally(0, 2)].iter()).is_some());
    }
}
