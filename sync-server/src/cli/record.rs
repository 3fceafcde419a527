//! `record trace`: how a record came, and what became of it. No personal data: names of fields, never their values.
//! `record decide`: what a person says about one that is merged, held, or refused by an earlier decision.

use clap::Subcommand;
use serde_json::json;
use shared::{
    id::{NoteId, RecordId},
    problem::{Code, Problem},
};

use super::{Exit, Global, Out, admit::open, case::decide::DecideRecord, reading::Provenance};
use crate::registry::Trace;

/// Follow records, and decide about them.
#[derive(Debug, Subcommand)]
pub enum Record {
    /// Show every delivery of a record: unit, agent, batch, log entry, outcome
    Trace {
        /// Id of the record (a UUID)
        id: RecordId,
    },
    /// Decide about a record, whatever became of it; it is shown first
    Decide(Box<DecideRecord>),
}

impl Record {
    /// Runs the command.
    pub async fn run(self, global: &Global, out: &Out) -> Result<Exit, Problem> {
        match self {
            Self::Trace { id } => trace(global, out, id).await,
            Self::Decide(decide) => decide.run(global, out).await,
        }
    }
}

async fn trace(global: &Global, out: &Out, id: RecordId) -> Result<Exit, Problem> {
    let traces = Provenance::of(&open(global)?).trace(id).await?;
    if traces.is_empty() {
        return Err(Problem::new(Code::RecordUnknown, id.to_string()));
    }
    for trace in &traces {
        out.line("delivery", value(trace), human(trace));
    }
    out.summary(json!({ "deliveries": traces.len() }), format!("{} deliveries", traces.len()));
    Ok(Exit::Done)
}

fn value(trace: &Trace) -> serde_json::Value {
    let outcomes: Vec<_> = trace.outcomes.iter().map(|(version, index)| json!({ "version": version, "log_index": index.0 })).collect();
    let against: Vec<_> = trace.against.iter().map(|key| json!({ "unit": key.unit, "record": key.record, "digest": key.digest })).collect();
    json!({
        "unit": trace.key.unit, "record": trace.key.record, "digest": trace.key.digest, "number": trace.number,
        "agent": trace.agent_key, "batch": trace.batch, "place": trace.place, "log_index": trace.index.0,
        "received": trace.received, "state": trace.state.to_string(),
        "fate": trace.fate.as_ref().map(ToString::to_string), "outcomes": outcomes, "fields": trace.fields,
        "against": against, "decision": trace.decision, "batch_decision": trace.batch_decision,
    })
}

fn human(trace: &Trace) -> String {
    let fate = trace.fate.as_ref().map_or_else(|| "not opened yet".to_owned(), ToString::to_string);
    let agent = trace.agent_key.to_string();
    let outcomes: Vec<String> = trace.outcomes.iter().map(|(version, index)| format!("{version} (entry {index})")).collect();
    let against = trace.against.iter().map(|key| format!("\n  against {} {}", key.unit, key.record)).collect::<Vec<_>>().concat();
    let decided = |about: &str, note: Option<NoteId>| {
        note.map(|note| format!("\n  {about} decided by {note}: sync-server case history {note}")).unwrap_or_default()
    };
    let decided = decided("record", trace.decision) + &decided("batch", trace.batch_decision);
    format!(
        "{} record {} by {agent}\n  batch {} {}, {}\n  log entry {}, {}\n  {fate}{against}{decided}\n  outcome versions: {}\n  gives: {}",
        trace.key.unit,
        trace.number,
        trace.place,
        trace.batch,
        trace.state,
        trace.index,
        trace.received,
        outcomes.join(", "),
        trace.fields.join(", ")
    )
}
