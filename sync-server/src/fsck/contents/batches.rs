//! Manifests against their entries.

use std::collections::HashMap;

use shared::{
    batch::Manifest,
    id::{BatchId, Blob},
    log::{BatchEntry, BatchState, Body},
    problem::{Code, Problem},
    verify::CheckedManifest,
};

use super::{Contents, Log, Rosters};

/// Where the sound manifest of each batch lies, and its entry.
pub(super) type Manifests = HashMap<BatchId, (u64, Blob)>;

pub(super) async fn check(log: &Log<'_>, rosters: &Rosters, report: &mut Contents) -> Result<Manifests, Problem> {
    let mut manifests = Manifests::new();
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
        if manifests.insert(manifest.id(), (index, manifest.blob())).is_some() {
            report.off(Code::LogInconsistent, format!("{about}: logged twice"));
        }
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
