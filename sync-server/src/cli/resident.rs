//! `resident`: find and show. Each reading is recorded, durably, before the answer is printed.

use clap::{Args, Subcommand};
use serde_json::json;
use shared::{
    id::ResidentRef,
    merge::{RecordKey, Resident as Standing},
    problem::{Code, Problem},
};

use super::{
    Exit, Global, Out,
    reading::{Reading, Reason},
};
use crate::registry::{Search, Trace};

/// Most residents that one search shows.
const MOST: usize = 50;

/// Find and show residents.
#[derive(Debug, Subcommand)]
pub enum Resident {
    /// Find residents by national number or by words of a name
    Find(Find),
    /// Show a resident: each field with the record, batch, agent, unit and log entry that it came from
    Show {
        /// Reference: 32 hex digits
        reference: ResidentRef,
        #[command(flatten)]
        reason: Reason,
    },
}

/// `resident find`
#[derive(Debug, Args)]
pub struct Find {
    #[command(flatten)]
    what: What,
    #[command(flatten)]
    reason: Reason,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct What {
    /// National number, spaces and dashes as you like
    #[arg(long, value_name = "NUMBER")]
    number: Option<String>,
    /// Words of a name, in either script
    #[arg(long, value_name = "WORDS")]
    name: Option<String>,
}

impl Resident {
    /// Runs the command.
    pub async fn run(self, global: &Global, out: &Out) -> Result<Exit, Problem> {
        match self {
            Self::Find(find) => find.run(global, out).await,
            Self::Show { reference, reason } => show(global, out, &reference, &reason).await,
        }
    }
}

impl Find {
    async fn run(self, global: &Global, out: &Out) -> Result<Exit, Problem> {
        let reading = Reading::open(global, "resident find", &self.reason).await?;
        let search = match (self.what.number, self.what.name) {
            (Some(number), _) => Search::Number(number),
            (None, name) => Search::Name(name.unwrap_or_default()),
        };
        let found = reading.find(search, MOST).await?;
        for (reference, resident) in found.iter() {
            let value = |field: &str| resident.fields.get(field).map_or("", |(value, _)| value.as_str());
            let names = ["given_latin", "family_latin", "given_ar", "family_ar", "date_of_birth"].map(value);
            let fields: serde_json::Map<_, _> = resident.fields.iter().map(|(k, (v, _))| (k.clone(), json!(v))).collect();
            out.line("resident", json!({ "reference": reference, "fields": fields }), format!("{reference}  {}", names.join(" ")));
        }
        out.summary(json!({ "found": found.len() }), format!("{} found", found.len()));
        if found.is_empty() { Err(Code::ResidentUnknown.into()) } else { Ok(Exit::Done) }
    }
}

async fn show(global: &Global, out: &Out, reference: &ResidentRef, reason: &Reason) -> Result<Exit, Problem> {
    let reading = Reading::open(global, "resident show", reason).await?;
    let known = reading.resident(reference).await?.ok_or(Code::ResidentUnknown)?;
    print(out, reference, &known.resident, &known.traces);
    Ok(Exit::Done)
}

fn print(out: &Out, reference: &ResidentRef, resident: &Standing, traces: &[Trace]) {
    let values = resident.fields.iter().chain(&resident.parts);
    for (name, (value, from)) in values {
        let (origin, human) = origin(from, traces);
        out.line("field", json!({ "name": name, "value": value, "from": origin }), format!("{name:<24} {value}\n{:<24}   ← {human}", ""));
    }
    let sources: Vec<String> = resident.sources.iter().map(|s| format!("{} {}", s.unit, s.record)).collect();
    out.summary(json!({ "reference": reference, "sources": sources }), format!("{reference}: {} records", sources.len()));
}

/// Where a value came from: record, batch, agent, unit, log index.
fn origin(from: &RecordKey, traces: &[Trace]) -> (serde_json::Value, String) {
    let Some(trace) = traces.iter().find(|t| t.key == *from) else {
        return (json!({ "unit": from.unit, "record": from.record }), format!("{} {}", from.unit, from.record));
    };
    let agent = trace.agent_key.to_string();
    let value = json!({
        "unit": from.unit, "record": from.record, "number": trace.number, "agent": agent, "batch": trace.batch,
        "place": trace.place, "log_index": trace.index.0, "decision": trace.decision,
    });
    let decided = trace.decision.map(|note| format!(", decided by {note}")).unwrap_or_default();
    (
        value,
        format!(
            "{} record {} ({}) by {agent}, batch {}, log entry {}{decided}",
            from.unit, trace.number, from.record, trace.place, trace.index
        ),
    )
}
