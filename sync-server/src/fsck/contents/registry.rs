//! The registry: its facts fold to its tables, and what it says is what was published.

use shared::problem::{Code, Problem};

use super::Contents;
use crate::registry::{Among, Registry};

pub(super) async fn check(registry: &impl Registry, report: &mut Contents) -> Result<(), Problem> {
    report.off.extend(registry.refold().await?);
    let summary = registry.summary().await?;
    let (waiting, due) = registry.waiting().await?;
    match (waiting, summary.open) {
        (0, 0) => {}
        (0, records) => report.open(Code::Unopened, format!("{records} records are held unopened, or a newer roster is not folded")),
        (batches, records) => report.open(Code::Pending, format!("{records} records of {batches} batches are not merged yet")),
    }
    if due > 0 {
        report.open(Code::Pending, format!("{due} outcomes are to be published"));
    }
    for batch in registry.outcomes_that_differ(Among::Settled).await? {
        report.off(Code::RegistryWrong, format!("the outcome of {batch} is not what the registry says"));
    }
    report.registry = Some(summary);
    Ok(())
}
