//! Manifests against their entries; then chains and numbers over all batches of a unit.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use shared::{
    batch::{Line, Manifest},
    id::{BatchId, Member, Place},
    log::{BatchEntry, BatchState, Body, Entry},
    problem::{Code, Problem},
    verify::CheckedManifest,
};

use super::{Contents, Rosters, blob};
use crate::centre::Centre;

/// Manifests by batch.
pub(super) type Manifests = HashMap<BatchId, Manifest>;

pub(super) async fn check(
    centre: &Centre,
    rosters: &Rosters,
    entries: &[(u64, Entry)],
    report: &mut Contents,
) -> Result<Manifests, Problem> {
    let mut manifests = Manifests::new();
    let mut units: BTreeMap<Member, Unit> = BTreeMap::new();
    for (index, entry) in entries {
        let Body::Batch(batch) = &entry.body else { continue };
        report.batches += 1;
        let about = format!("batch {} {} (entry {index})", batch.unit, batch.place);
        let Some(bytes) = blob(centre, &about, batch.manifest, report).await else { continue };
        let checked = Manifest::parse(&bytes).and_then(|manifest| CheckedManifest::check(manifest, &rosters[..]));
        let Some(checked) = report.sound(&about, checked) else { continue };
        compare(&about, batch, &checked, report);
        let manifest = checked.manifest().clone();
        report.records += manifest.facts().records().count() as u64;
        units.entry(batch.unit.clone()).or_default().take(batch, &manifest);
        if manifests.insert(manifest.id(), manifest).is_some() {
            report.off(Code::LogInconsistent, format!("{about}: logged twice"));
        }
    }
    for (unit, seen) in &units {
        seen.report(unit, report);
    }
    Ok(manifests)
}

/// The entry says what the manifest says, and a batch that no rule lets merge is not accepted.
fn compare(about: &str, entry: &BatchEntry, checked: &CheckedManifest, report: &mut Contents) {
    let facts = checked.facts();
    let same = entry.batch == checked.manifest().id()
        && (&entry.unit, entry.place, entry.previous) == (&facts.unit, facts.place, facts.previous)
        && (entry.payload_size, entry.payload) == (facts.payload_size, facts.payload);
    if !same {
        report.off(Code::LogInconsistent, format!("{about}: the entry is not the manifest's"));
    }
    if entry.state == BatchState::Accepted && checked.approval_state() != BatchState::Accepted {
        report.off(Code::LogInconsistent, format!("{about}: accepted without its approval"));
    }
}

/// What a unit's batches cover.
#[derive(Default)]
struct Unit {
    places: BTreeMap<Place, BTreeSet<BatchId>>,
    named: Vec<(Place, BatchId)>,
    numbers: BTreeMap<u32, BTreeSet<u64>>,
}

impl Unit {
    fn take(&mut self, batch: &BatchEntry, manifest: &Manifest) {
        self.places.entry(batch.place).or_default().insert(batch.batch);
        self.named.extend(batch.previous.map(|previous| (batch.place, previous)));
        let numbers = manifest.facts().lines.iter().map(Line::number);
        for number in numbers {
            self.numbers.entry(number.epoch).or_default().insert(number.number);
        }
    }

    /// Open facts: batches and numbers that are missing, forks.
    fn report(&self, unit: &Member, report: &mut Contents) {
        for (place, ids) in self.places.iter().filter(|(_, ids)| ids.len() > 1) {
            report.open(Code::Fork, format!("{unit}: {} batches at {place}", ids.len()));
        }
        let known: BTreeSet<BatchId> = self.places.values().flatten().copied().collect();
        for (place, previous) in self.named.iter().filter(|(_, previous)| !known.contains(previous)) {
            report.open(Code::Gap, format!("{unit}: the batch before {place} is missing: {previous}"));
        }
        for (epoch, numbers) in &self.numbers {
            let last = numbers.last().copied().unwrap_or(0);
            let missing: Vec<u64> = (1..=last).filter(|n| !numbers.contains(n)).take(100).collect();
            if let Some(first) = missing.first() {
                report.open(Code::Gap, format!("{unit}: number {epoch}.{first} is missing, {} in all", missing.len()));
            }
        }
    }
}
