//! `batch`: list and show. No personal data: manifests name no resident.

use clap::Subcommand;
use shared::{
    batch::{Line, Manifest},
    id::{BatchId, LogIndex},
    log::BatchState,
    problem::{Code, Problem},
};

use super::{Exit, Global, Out, admit::open};
use crate::{
    centre::Centre,
    store::{Archive as _, BatchFacts, Ledger as _},
};

/// How many are read at a time.
const PAGE: usize = 500;

/// List and show batches.
#[derive(Debug, Subcommand)]
pub enum Batch {
    /// List logged batches in the log's order
    List {
        /// Only those of this unit
        #[arg(long)]
        unit: Option<shared::id::Member>,
    },
    /// Show one batch and its lines
    Show {
        /// `sha256:…`
        id: BatchId,
    },
}

impl Batch {
    /// Runs the command.
    pub async fn run(self, global: &Global, out: &Out) -> Result<Exit, Problem> {
        let centre = open(global)?;
        match self {
            Self::List { unit } => list(&centre, out, unit.as_ref()).await,
            Self::Show { id } => show(&centre, out, id).await,
        }
    }
}

fn value(batch: &BatchFacts) -> serde_json::Value {
    serde_json::json!({
        "id": batch.id, "unit": batch.unit, "place": batch.place, "log_index": batch.index.0, "received": batch.received,
        "lines": batch.lines, "payload_size": batch.payload_size, "state": batch.state.to_string(), "manifest": batch.manifest,
    })
}

async fn list(centre: &Centre, out: &Out, unit: Option<&shared::id::Member>) -> Result<Exit, Problem> {
    let (mut next, mut count) = (LogIndex(0), 0_u64);
    loop {
        let page = centre.stores.ledger.batches_from(next, PAGE).await?;
        let Some(last) = page.last() else { break };
        next = LogIndex(last.index.0 + 1);
        for batch in page.iter().filter(|b| unit.is_none_or(|u| b.unit == *u)) {
            count += 1;
            let human = format!(
                "{:<12} {:<8} entry {:<8} {} {:>4} lines {:>12} bytes  {}  {}",
                batch.unit.as_str(),
                batch.place,
                batch.index,
                batch.received,
                batch.lines,
                batch.payload_size,
                batch.state,
                batch.id
            );
            out.line("batch", value(batch), human);
        }
    }
    out.summary(serde_json::json!({ "batches": count }), format!("{count} batches"));
    Ok(Exit::Done)
}

async fn show(centre: &Centre, out: &Out, id: BatchId) -> Result<Exit, Problem> {
    let batch = centre.stores.ledger.batch(id).await?.ok_or_else(|| Problem::new(Code::NotFound, id.to_string()))?;
    let manifest = Manifest::parse(&centre.stores.archive.get(batch.manifest).await?)?;
    for line in &manifest.facts().lines {
        let (kind, record, what) = match line {
            Line::Record(line) => {
                ("record", line.facts.record, format!("{} {} by {}", line.facts.transaction, line.facts.form, line.facts.agent))
            }
            Line::Withdrawn(line) => ("withdrawn", line.record, format!("{} by {}", line.reason, line.by)),
        };
        let number = line.number();
        let value = serde_json::json!({ "kind": kind, "number": number, "record": record, "what": what });
        out.line("line", value, format!("{number:<10} {record} {kind:<9} {what}"));
    }
    let outcome = centre.stores.ledger.outcome(id).await?;
    let mut summary = value(&batch);
    summary["outcome"] = outcome.as_ref().map_or(serde_json::Value::Null, |o| o.version.into());
    let outcome = outcome.map_or_else(|| "no outcome yet".to_owned(), |o| format!("outcome version {}", o.version));
    let state = match batch.state {
        BatchState::Accepted => "accepted".to_owned(),
        BatchState::Quarantined(code) => format!("quarantined {code}: {}", code.row().text(out.lang).next),
    };
    let human = format!("batch {} of {}, log entry {} at {}: {state}; {outcome}", batch.place, batch.unit, batch.index, batch.received);
    out.summary(summary, human);
    Ok(Exit::Done)
}
