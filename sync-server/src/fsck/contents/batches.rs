//! Manifests against their entries; then chains and numbers over all batches of a unit.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use shared::{
    batch::{Line, Manifest},
    id::{BatchId, Blob, Member, Place},
    log::{BatchEntry, BatchState, Body},
    problem::{Code, Problem},
    verify::CheckedManifest,
};

use super::{Contents, Log, Rosters};

/// Where the sound manifest of each batch lies, and its entry.
pub(super) type Manifests = HashMap<BatchId, (u64, Blob)>;

pub(super) async fn check(log: &Log<'_>, rosters: &Rosters, report: &mut Contents) -> Result<Manifests, Problem> {
    let mut manifests = Manifests::new();
    let mut units: BTreeMap<Member, Unit> = BTreeMap::new();
    for index in 0..log.size {
        let Ok(Body::Batch(batch)) = log.entry(index).await?.map(|entry| entry.body) else { continue };
        report.batches += 1;
        let about = format!("batch {} {} (entry {index})", batch.unit, batch.place);
        let Some(bytes) = log.blob(&about, batch.manifest, report).await else { continue };
        let checked = Manifest::parse(&bytes).and_then(|manifest| CheckedManifest::check(manifest, &rosters[..]));
        let Some(checked) = report.sound(&about, checked) else { continue };
        compare(&about, &batch, &checked, report);
        let manifest = checked.manifest();
        report.records += manifest.facts().records().count() as u64;
        units.entry(batch.unit.clone()).or_default().take(&batch, manifest);
        if manifests.insert(manifest.id(), (index, manifest.blob())).is_some() {
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
    numbers: BTreeMap<u32, Runs>,
}

/// Numbers as runs, first → last: a unit's numbers leave no holes, so however many there are, these are few.
#[derive(Default)]
struct Runs(BTreeMap<u64, u64>);

impl Runs {
    fn insert(&mut self, number: u64) {
        let (mut first, mut last) = (number, number);
        if let Some((&before, &end)) = self.0.range(..=number).next_back() {
            if end >= number {
                return;
            }
            if end + 1 == number {
                first = before;
            }
        }
        if let Some(end) = self.0.remove(&(number + 1)) {
            last = end;
        }
        self.0.insert(first, last);
    }

    /// The first number from 1 on that is missing below the last one, and how many are.
    fn missing(&self) -> Option<(u64, u64)> {
        let (mut next, mut lowest, mut count) = (1, None, 0);
        for (&first, &last) in &self.0 {
            if first > next {
                lowest.get_or_insert(next);
                count += first - next;
            }
            next = last + 1;
        }
        lowest.map(|lowest| (lowest, count))
    }
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
            if let Some((first, count)) = numbers.missing() {
                report.open(Code::Gap, format!("{unit}: number {epoch}.{first} is missing, {count} in all"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_numbers_are_counted_in_any_order() {
        for order in [[1, 2, 3, 5, 9], [9, 5, 3, 2, 1], [3, 1, 9, 2, 5]] {
            let mut runs = Runs::default();
            for number in order.into_iter().chain(order) {
                runs.insert(number);
            }
            assert_eq!(runs.0.len(), 3, "{order:?}");
            assert_eq!(runs.missing(), Some((4, 4)), "{order:?}");
        }
        let mut runs = Runs::default();
        assert_eq!(runs.missing(), None);
        runs.insert((1 << 53) - 1);
        assert_eq!(runs.missing(), Some((1, (1 << 53) - 2)), "however high a claim");
    }
}
