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
use crate::registry::{Case as Held, CaseContent, Filter, Page, Registry as _};

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
    json!({ "reference": case.reference, "code": case.code.row().code, "unit": case.record.unit, "record": case.record.record })
}

fn human(case: &Held) -> String {
    format!("{}  {:<16} {} {}", case.reference, case.code.row().code, case.record.unit, case.record.record)
}

async fn list(global: &Global, out: &Out, reason: &Reason) -> Result<Exit, Problem> {
    let reading = Reading::open(global, reason).await?;
    let (cases, _) = reading.registry.cases(Filter::default(), Page { skip: 0, limit: 1000 }).await?;
    reading.record("case list", cases.iter().map(|case| case.reference.to_string()).collect()).await?;
    for case in &cases {
        out.line("case", value(case), human(case));
    }
    out.summary(json!({ "cases": cases.len() }), format!("{} cases", cases.len()));
    Ok(Exit::Done)
}

async fn show(global: &Global, out: &Out, reference: &CaseRef, reason: &Reason) -> Result<Exit, Problem> {
    let reading = Reading::open(global, reason).await?;
    let held = reading.registry.case(reference.clone()).await?.into_iter().next().ok_or(Code::ResidentUnknown)?;
    let content = reading.registry.content(held).await?.ok_or(Code::ResidentUnknown)?;
    let subjects = std::iter::once(reference.to_string()).chain(content.residents.iter().map(|(reference, _)| reference.to_string()));
    reading.record("case show", subjects.collect()).await?;
    print(out, &content);
    Ok(Exit::Done)
}

fn print(out: &Out, content: &CaseContent) {
    for side in std::iter::once(&content.side).chain(&content.against) {
        let key = &side.record;
        out.line("record", json!({ "unit": key.unit, "record": key.record }), format!("{} {}", key.unit, key.record));
    }
    out.summary(json!({ "residents": content.residents.len() }), "");
}
