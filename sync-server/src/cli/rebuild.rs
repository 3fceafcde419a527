//! `rebuild`: the database again from archive and guard.

use clap::Args;
use serde_json::json;
use shared::problem::{Code, Problem};

use super::{Exit, Global, Out};
use crate::{
    rebuilding::{Rebuilt, rebuild},
    registry::Summary,
    settings::Settings,
};

/// `rebuild`
#[derive(Debug, Args)]
pub struct Rebuild {}

/// A registry's counts and digest, as commands print them.
pub(super) fn registry(summary: &Summary) -> serde_json::Value {
    json!({
        "registry_digest": if summary.open == 0 { json!(summary.digest) } else { json!(null) },
        "residents": summary.residents, "merged": summary.merged, "held": summary.held, "refused": summary.refused,
        "open": summary.open,
    })
}

impl Rebuild {
    /// Runs the command: exit 7 when something that can be compared differs, 3 when something could not be opened or done.
    pub async fn run(self, global: &Global, out: &Out) -> Result<Exit, Problem> {
        let settings = Settings::load(global.data_dir.as_deref(), global.config.as_deref())?;
        let rebuilt = rebuild(settings).await?;
        for batch in rebuilt.outcomes.iter().filter(|_| rebuilt.at_rest) {
            out.line(
                "outcome-differs",
                json!({ "batch": batch, "code": Code::RegistryWrong.row().code }),
                format!("outcome differs: {batch}"),
            );
        }
        if let Some(problem) = &rebuilt.unopened {
            out.note(format!("not everything could be opened or done: {problem}"));
        }
        let mut value = registry(&rebuilt.now);
        value["before"] = rebuilt.before.as_ref().map_or(json!(null), registry);
        value["outcomes_differ"] = json!(rebuilt.outcomes.len());
        value["at_rest"] = json!(rebuilt.at_rest);
        value["agrees"] = json!(rebuilt.agrees());
        value["old_database"] = json!(rebuilt.aside);
        out.summary(value, human(&rebuilt));
        let partly = rebuilt.unopened.is_some() || rebuilt.now.open > 0;
        Ok(match (rebuilt.agrees(), partly) {
            (true, _) => Exit::Done,
            (false, false) => Exit::Integrity,
            (false, true) => Exit::Partly,
        })
    }
}

fn human(rebuilt: &Rebuilt) -> String {
    let now = &rebuilt.now;
    let digest = if now.open == 0 { now.digest.to_string() } else { format!("incomplete, {} entries of the log are not folded", now.open) };
    let compared = match &rebuilt.before {
        None => "there was no database to compare with",
        Some(before) if before.open > 0 || now.open > 0 => "the old database was incomplete and is not compared",
        Some(before) if before.digest == now.digest => "the old database had the same",
        Some(_) => "THE OLD DATABASE HAD ANOTHER: keep it for the inquiry",
    };
    let outcomes = if rebuilt.at_rest { "differ" } else { "are older than the registry, the next start publishes newer ones" };
    let aside = rebuilt.aside.as_ref().map_or_else(String::new, |path| format!("\nold database: {}", path.display()));
    format!(
        "registry digest {digest}\n{compared}\n{} residents, {} merged, {} held, {} refused; {} outcomes {outcomes}{aside}",
        now.residents,
        now.merged,
        now.held,
        now.refused,
        rebuilt.outcomes.len()
    )
}
