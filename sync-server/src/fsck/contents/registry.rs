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
        (0, entries) => report.open(Code::DatabaseBehind, format!("{entries} entries of the log are not folded yet")),
        (batches, _) => report.open(Code::DatabaseBehind, format!("{batches} batches are not merged yet")),
    }
    let unopened = registry.unopened().await?.len();
    if unopened > 0 {
        report.open(Code::Unopened, format!("{unopened} batches have records that are held unopened"));
    }
    if due > 0 {
        report.open(Code::DatabaseBehind, format!("{due} outcomes are to be published"));
    }
    for batch in registry.outcomes_that_differ(Among::Settled).await? {
        report.off(Code::RegistryWrong, format!("the outcome of {batch} is not what the registry says"));
    }
    report.registry = Some(summary);
    Ok(())
}
