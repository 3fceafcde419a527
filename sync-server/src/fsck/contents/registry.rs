//! The registry: its facts fold to its tables, and what it says is what was published.

use shared::problem::{Code, Problem};

use super::Contents;
use crate::registry::{Among, Registry};

pub(super) async fn check(registry: &impl Registry, report: &mut Contents) -> Result<(), Problem> {
    report.off.extend(registry.refold().await?);
    let summary = registry.summary().await?;
    let (unopened, due) = registry.waiting().await?;
    if summary.open > 0 || unopened > 0 {
        report.open(Code::Pending, format!("{} records of {unopened} batches are not merged yet", summary.open));
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
