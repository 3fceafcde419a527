//! `case`: what a person must decide. Read only; each reading is recorded before the answer is printed.

use clap::Subcommand;
use serde_json::json;
use shared::{
    id::CaseRef,
    problem::{Code, Problem},
};

use super::{
    Exit, Global, Out,
    reading::{Reading, Reason},
};
use crate::registry::{Case as Held, CaseContent, Registry as _};

/// List and show cases.
#[derive(Debug, Subcommand)]
pub enum Case {
    /// List all cases
    List {
        #[command(flatten)]
        reason: Reason,
    },
    /// Show a case: what its records say, and whom they may concern
    Show {
        /// Reference: 32 hex digits
        reference: CaseRef,
        #[command(flatten)]
        reason: Reason,
    },
}

impl Case {
    /// Runs the command.
    pub async fn run(self, global: &Global, out: &Out) -> Result<Exit, Problem> {
        match self {
            Self::List { reason } => list(global, out, &reason).await,
            Self::Show { reference, reason } => show(global, out, &reference, &reason).await,
        }
    }
}

fn value(case: &Held) -> serde_json::Value {
    let records: Vec<_> = case.records.iter().map(|r| json!({ "unit": r.unit, "record": r.record, "digest": r.digest })).collect();
    json!({ "reference": case.reference, "code": case.code.row().code, "records": records })
}

fn human(case: &Held) -> String {
    let records: Vec<String> = case.records.iter().map(|r| format!("{} {}", r.unit, r.record)).collect();
    format!("{}  {:<16} {}", case.reference, case.code.row().code, records.join(", "))
}

async fn list(global: &Global, out: &Out, reason: &Reason) -> Result<Exit, Problem> {
    let reading = Reading::open(global, reason).await?;
    let cases = reading.registry.cases().await?;
    reading.record("case list", cases.iter().map(|case| case.reference.to_string()).collect()).await?;
    for case in &cases {
        out.line("case", value(case), human(case));
    }
    out.summary(json!({ "cases": cases.len() }), format!("{} cases", cases.len()));
    Ok(Exit::Done)
}

async fn show(global: &Global, out: &Out, reference: &CaseRef, reason: &Reason) -> Result<Exit, Problem> {
    let reading = Reading::open(global, reason).await?;
    let content = reading.registry.case(reference.clone()).await?.ok_or(Code::ResidentUnknown)?;
    let subjects = std::iter::once(reference.to_string()).chain(content.related.iter().map(ToString::to_string));
    reading.record("case show", subjects.collect()).await?;
    print(out, &content);
    Ok(Exit::Done)
}

fn print(out: &Out, content: &CaseContent) {
    out.line("case", value(&content.case), human(&content.case));
    for (key, essence) in &content.essences {
        let fields: Vec<String> =
            essence.fields.iter().map(|(k, v)| format!("  {k:<22} {}", v.as_deref().unwrap_or("(cleared)"))).collect();
        let value = json!({
            "unit": key.unit, "record": key.record, "transaction": essence.transaction, "fields": essence.fields, "parts": essence.parts,
        });
        out.line("record", value, format!("{} {} {}\n{}", key.unit, key.record, essence.transaction, fields.join("\n")));
    }
    for resident in &content.related {
        out.line("related", json!({ "reference": resident }), format!("may concern resident {resident}"));
    }
    out.summary(json!({ "records": content.essences.len(), "related": content.related.len() }), "");
}
