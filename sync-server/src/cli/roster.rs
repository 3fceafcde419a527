//! `roster`: show it, or publish a new one.

use std::path::PathBuf;

use clap::Subcommand;
use shared::{
    form::MAX_FORM,
    problem::{Code, Problem},
    roster::Approval,
};

use super::{
    Exit, Global, Out,
    admit::{open, publish},
    secrets::Unlock,
};
use crate::{durable, joining};

/// Show the roster, or publish a new one.
#[derive(Debug, Subcommand)]
pub enum Roster {
    /// Show the newest roster
    Show,
    /// Publish a new roster: renewed, with changed rules or with more forms
    Publish {
        /// Put this form in force (a file); may be given several times
        #[arg(long = "form", value_name = "FILE")]
        forms: Vec<PathBuf>,
        /// Must a supervisor approve each batch? `required` or `none`
        #[arg(long, value_name = "RULE", value_parser = approval)]
        approval: Option<Approval>,
        /// Seconds of log time for which units keep merged records
        #[arg(long, value_name = "SECONDS")]
        retention: Option<u64>,
        /// Seconds for which units go on after the roster has expired
        #[arg(long, value_name = "SECONDS")]
        grace: Option<u64>,
        #[command(flatten)]
        passphrase: Unlock,
    },
}

/// Reads an approval rule.
pub(super) fn approval(text: &str) -> Result<Approval, String> {
    match text {
        "required" => Ok(Approval::Required),
        "none" => Ok(Approval::None),
        _ => Err("required or none".to_owned()),
    }
}

impl Roster {
    /// Runs the command.
    pub async fn run(self, global: &Global, out: &Out) -> Result<Exit, Problem> {
        match self {
            Self::Show => show(global, out).await,
            Self::Publish { forms, approval, retention, grace, passphrase } => {
                let centre = open(global)?;
                let mut refs = Vec::new();
                for path in &forms {
                    refs.push(joining::store_form(&centre.stores.archive, &durable::read_given(path, MAX_FORM as u64)?).await?);
                }
                let published = publish(global, &passphrase, |facts, _| {
                    joining::enforce(facts, refs);
                    facts.approval = approval.unwrap_or(facts.approval);
                    facts.retention = retention.unwrap_or(facts.retention);
                    facts.grace = grace.unwrap_or(facts.grace);
                    Ok(())
                })
                .await?;
                let (facts, index) = (&published.facts, published.logged.index());
                let names: Vec<String> = facts.forms.iter().map(|f| f.name.to_string()).collect();
                let value = serde_json::json!({ "roster": facts.version, "log_index": index.0, "expires": facts.expires, "forms": names });
                out.answer(value, format!("roster {} published, log entry {index}; forms: {}", facts.version, names.join(", ")));
                Ok(Exit::Done)
            }
        }
    }
}

async fn show(global: &Global, out: &Out) -> Result<Exit, Problem> {
    let roster = open(global)?.roster().await?;
    let facts = roster.facts();
    let note = std::str::from_utf8(roster.note().as_bytes()).map_err(|_| Code::NoteMalformed)?;
    let value = serde_json::json!({
        "version": facts.version, "published": facts.published, "expires": facts.expires, "units": facts.units.len(),
        "agents": facts.agents.len(), "supervisors": facts.supervisors.len(), "forms": facts.forms.len(), "note": note,
    });
    out.answer(value, note.trim_end());
    Ok(Exit::Done)
}
