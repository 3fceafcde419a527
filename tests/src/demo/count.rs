//! What came of it, counted from what the programs say: the oracle file, the outcomes, fsck, rebuild.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::story::UNITS;
use crate::world::{Sure, World};

/// The count.
#[derive(Debug)]
pub struct Tally {
    /// Records that a screen called finished.
    pub enrolled: usize,
    /// By state: merged, held, refused, withdrawn.
    pub states: BTreeMap<String, usize>,
    /// Why records are held or refused, with their record ids.
    pub troubles: Vec<(String, String)>,
    /// Enrolled without an end.
    pub lost: usize,
    /// Records with more than one effect.
    pub double: usize,
    /// Batches of all units.
    pub batches: usize,
    /// Bytes of their payloads.
    pub bytes: u64,
    /// Receipts that hold.
    pub receipts_verified: usize,
    /// Registry digest, and the one after `rebuild`.
    pub digest: String,
    /// After `rebuild`.
    pub digest_rebuilt: String,
    /// What fsck says after it.
    pub fsck: String,
    /// Case references with their codes.
    pub cases: Vec<(String, String)>,
    /// Everything that is not as it must be.
    pub off: Vec<String>,
}

impl Tally {
    /// Counts; no server runs.
    pub fn count(world: &World, receipts_verified: usize) -> Sure<Self> {
        let enrolled = world.oracle.records()?;
        let ends = Ends::of(world)?;
        let before = world.centre.fsck()?;
        let rebuilt = world.centre.run(&["rebuild"])?.ok()?;
        let after = world.centre.fsck()?;
        let batches = world.units.iter().map(crate::world::Unit::batches).collect::<Sure<Vec<_>>>()?.concat();
        let cases = world.centre.run(&["case", "list", "--reason", "the demonstration's count"])?.ok()?;
        let text = |v: &Value, key: &str| v[key].as_str().unwrap_or_default().to_owned();
        let mut tally = Self {
            enrolled: enrolled.len(),
            troubles: ends.troubles(),
            lost: enrolled.iter().filter(|r| !ends.of.contains_key(*r)).count(),
            double: ends.of.values().filter(|e| e.len() > 1).count(),
            batches: batches.len(),
            bytes: batches.iter().filter_map(|b| b["bytes"].as_u64()).sum(),
            receipts_verified,
            digest: text(&before, "registry_digest"),
            digest_rebuilt: text(rebuilt.summary(), "registry_digest"),
            fsck: text(&after, "fsck"),
            cases: cases.of("case").map(|c| (text(c, "reference"), text(c, "code"))).collect(),
            states: ends.states(),
            off: Vec::new(),
        };
        tally.compare(&enrolled, &ends, &[&before, rebuilt.summary(), &after]);
        Ok(tally)
    }

    /// What units were told must be what the registry holds.
    fn compare(&mut self, enrolled: &BTreeSet<String>, ends: &Ends, registries: &[&Value]) {
        let mut off = Vec::new();
        if self.digest.is_empty() || registries.iter().any(|r| r["registry_digest"] != *self.digest) {
            off.push("the registry digest is not the same before and after rebuild".to_owned());
        }
        for state in ["merged", "held", "refused"] {
            let told = self.state(state) as u64;
            for registry in registries.iter().filter(|r| r[state].as_u64() != Some(told)) {
                off.push(format!("units were told {told} {state}, the registry holds {}", registry[state]));
            }
        }
        // everybody is new: as many residents as merged records, or two people became one
        if registries.iter().any(|r| r["residents"] != r["merged"]) {
            off.push("merged records and residents differ in number".to_owned());
        }
        if ends.of.keys().any(|r| !enrolled.contains(r)) {
            off.push("an outcome names a record that no screen called finished".to_owned());
        }
        self.off = off;
    }

    /// How many are in a state.
    pub fn state(&self, state: &str) -> usize {
        self.states.get(state).copied().unwrap_or(0)
    }

    /// Whether the story ended as it is told.
    pub fn is_right(&self, residents: u64) -> bool {
        self.wrong(residents).is_empty()
    }

    /// What is not as the story tells it.
    pub fn wrong(&self, residents: u64) -> Vec<String> {
        let mut wrong = self.off.clone();
        let mut demand = |what: &str, found: usize, expected: u64| {
            if found as u64 != expected {
                wrong.push(format!("{what}: {found} instead of {expected}"));
            }
        };
        demand("enrolled", self.enrolled, residents + 1);
        demand("merged", self.state("merged"), residents - 1);
        demand("held", self.state("held"), 1);
        demand("refused", self.state("refused"), 1);
        demand("withdrawn", self.state("withdrawn"), 0);
        demand("lost", self.lost, 0);
        demand("double", self.double, 0);
        demand("receipts verified", self.receipts_verified, self.batches as u64);
        demand("cases", self.cases.len(), 1);
        let codes: BTreeSet<&str> = self.troubles.iter().map(|(_, code)| code.as_str()).collect();
        if codes != BTreeSet::from(["held duplicate", "refused line-mismatch"]) {
            wrong.push(format!("held and refused for other reasons: {codes:?}"));
        }
        if self.fsck != "clean" {
            wrong.push(format!("fsck: {}", self.fsck));
        }
        wrong
    }

    /// The last line of `--json`.
    pub fn summary(&self, folder: &str) -> Value {
        serde_json::json!({
            "message_type": "summary", "units": UNITS, "enrolled": self.enrolled, "merged": self.state("merged"),
            "held": self.state("held"), "refused": self.state("refused"), "withdrawn": self.state("withdrawn"),
            "lost": self.lost, "double": self.double, "receipts_verified": self.receipts_verified,
            "registry_digest": self.digest, "fsck": self.fsck, "folder": folder,
        })
    }
}

/// How each record ended, by record id, as the units know it.
struct Ends {
    of: BTreeMap<String, Vec<String>>,
}

impl Ends {
    fn of(world: &World) -> Sure<Self> {
        let mut of: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let acknowledged = world.oracle.all()?;
        for unit in &world.units {
            for batch in unit.batches()? {
                let place = batch["batch"].as_str().unwrap_or_default();
                for line in unit.run(&["outcome", "show", place])?.ok()?.of("outcome") {
                    let text = |key: &str| line[key].as_str().unwrap_or_default();
                    of.entry(text("record").to_owned()).or_default().push(format!("{} {}", text("state"), text("what")));
                }
            }
            // withdrawn records have no outcome: the manifest says all there is
            let stands = unit.records()?;
            let is_withdrawn = |number: &str| stands.get(number).is_some_and(|s| s.state == "withdrawn");
            for record in acknowledged.iter().filter(|f| f.unit == unit.name && is_withdrawn(&f.number)) {
                of.entry(record.record.clone()).or_default().push("withdrawn".to_owned());
            }
        }
        Ok(Self { of })
    }

    fn each(&self) -> impl Iterator<Item = (&String, &String)> {
        self.of.iter().flat_map(|(record, ends)| ends.iter().map(move |end| (record, end)))
    }

    fn states(&self) -> BTreeMap<String, usize> {
        let mut states = BTreeMap::new();
        for (_, end) in self.each() {
            *states.entry(end.split(' ').next().unwrap_or_default().to_owned()).or_default() += 1;
        }
        states
    }

    fn troubles(&self) -> Vec<(String, String)> {
        let trouble = |end: &str| {
            let mut words = end.split(' ');
            let (state, code) = (words.next()?, words.next()?);
            matches!(state, "held" | "refused").then(|| format!("{state} {code}"))
        };
        self.each().filter_map(|(record, end)| Some((record.clone(), trouble(end)?))).collect()
    }
}
