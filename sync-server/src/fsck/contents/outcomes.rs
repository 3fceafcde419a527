//! Outcomes: signed by the centre's key, one line for each record line, versions without a gap, as their entry says; first ones in the order
//! of batches.

use std::collections::HashMap;

use shared::{
    batch::Manifest,
    id::BatchId,
    log::Body,
    outcome::Outcome,
    problem::{Code, Problem},
};

use super::{Contents, Log, Rosters, batches::Manifests};
use crate::store::Ledger as _;

pub(super) async fn check(log: &Log<'_>, rosters: &Rosters, manifests: &Manifests, report: &mut Contents) -> Result<(), Problem> {
    let mut versions: HashMap<BatchId, u64> = HashMap::new();
    let mut latest = 0;
    for index in 0..log.size {
        let Ok(Body::Outcome { batch, version, blob }) = log.entry(index).await?.map(|entry| entry.body) else { continue };
        report.outcomes += 1;
        let about = format!("outcome {version} of {batch} (entry {index})");
        let Some(bytes) = log.blob(&about, blob, report).await else { continue };
        let before = versions.insert(batch, version).unwrap_or(0);
        if version != before + 1 {
            report.off(Code::OutcomeInvalid, format!("{about}: follows version {before}"));
        }
        let Some(&(at, manifest)) = manifests.get(&batch) else {
            report.off(Code::OutcomeInvalid, format!("{about}: of a batch that is not there"));
            continue;
        };
        if version == 1 {
            if at < latest {
                report.off(Code::OutcomeInvalid, format!("{about}: a later batch had its first outcome before it"));
            }
            latest = latest.max(at);
        }
        let Some(manifest) = log.blob(&about, manifest, report).await else { continue };
        let read = Outcome::parse(&bytes).and_then(|outcome| Manifest::parse(&manifest).map(|manifest| (outcome, manifest)));
        let Some((outcome, manifest)) = report.sound(&about, read) else { continue };
        if (outcome.batch(), outcome.version()) != (batch, version) {
            report.off(Code::OutcomeInvalid, format!("{about}: the note speaks of another"));
        }
        // any roster's key: an outcome may be older than the newest key
        let signed = rosters.iter().rev().map(|roster| outcome.clone().check(&manifest, &roster.facts().centre_key));
        let refused = signed.map(Result::err).take_while(Option::is_some).flatten().collect::<Vec<_>>();
        if refused.len() == rosters.len() {
            report.off(Code::OutcomeInvalid, format!("{about}: {}", refused.first().map_or("no roster", |p| p.row().code)));
        }
    }
    for (batch, version) in versions {
        let kept = log.centre.stores.ledger.outcome(batch).await?.map(|o| o.version);
        // a newer one was logged while this ran
        if kept < Some(version) {
            report.off(Code::LogInconsistent, format!("the database has outcome {kept:?} of {batch}, the log {version}"));
        }
    }
    Ok(())
}
