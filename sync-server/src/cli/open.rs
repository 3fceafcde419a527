//! `open`: what is open, until something or somebody closes it.

use clap::Subcommand;
use serde_json::json;
use shared::problem::Problem;

use super::{Exit, Global, Out, admit::open};
use crate::facts::{self, OpenFact};

/// What is open.
#[derive(Debug, Subcommand)]
pub enum Open {
    /// List open facts: what is missing, quarantined, kept, frozen, alarming or waits for a person, and what closes it
    List,
}

/// A line for each fact, also of `fsck`.
pub(super) fn print(out: &Out, facts: &[OpenFact]) {
    for fact in facts {
        let kind = fact.kind.as_str();
        let value =
            json!({ "kind": kind, "about": fact.about, "unit": fact.unit, "since": fact.since, "seen": fact.seen, "next": fact.next });
        let since = fact.since.map(|since| format!(", since {since}")).unwrap_or_default();
        out.line("open", value, format!("{kind:<18} {}{since}\n  {}\n  → {}", fact.about, fact.seen, fact.next));
    }
}

impl Open {
    /// Runs the command.
    pub async fn run(self, global: &Global, out: &Out) -> Result<Exit, Problem> {
        let Self::List = self;
        let facts = facts::open(&open(global)?).await?;
        print(out, &facts);
        let counts: serde_json::Map<_, _> =
            facts::counts(&facts).into_iter().map(|(kind, count)| (kind.as_str().to_owned(), json!(count))).collect();
        out.summary(json!({ "open": facts.len(), "kinds": counts }), format!("{} open facts", facts.len()));
        Ok(Exit::Done)
    }
}
