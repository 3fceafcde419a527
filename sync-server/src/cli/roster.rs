//! `roster`: show it, or publish a new one.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use shared::{
    form::MAX_FORM,
    problem::{Code, Problem},
    roster::{Approval, Facts, Persons, Renewals, UnknownTargets},
};

use super::{
    Exit, Global, Out,
    admit::{open, publish},
    secrets::Unlock,
};
use crate::{durable, joining};

/// Longest time for which a resident's own unit may change identity: ten years of days.
const MOST_AMEND: u64 = 3650;

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
        rules: Rules,
        #[command(flatten)]
        passphrase: Unlock,
    },
}

/// What a roster says of changes to residents and of decisions.
#[derive(Debug, Clone, Default, Args)]
pub struct Rules {
    /// Renewals and replacements whose identity fits: `hold` them for an adjudicator, or `apply` them
    #[arg(long, value_name = "RULE", value_parser = renewals)]
    renewals: Option<Renewals>,
    /// A renewal for a number that nobody bears: `hold` it, or it has `found` a resident
    #[arg(long, value_name = "RULE", value_parser = unknown_targets)]
    unknown_targets: Option<UnknownTargets>,
    /// Days after its founding for which a resident's own unit may change identity
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u64).range(..=MOST_AMEND))]
    amend: Option<u64>,
    /// Decisions that need two persons: those whose effect asks for it (`by-effect`), or all (`two`)
    #[arg(long, value_name = "RULE", value_parser = persons)]
    persons: Option<Persons>,
}

impl Rules {
    /// Puts what was said into a roster.
    pub fn apply(&self, facts: &mut Facts) {
        facts.renewals = self.renewals.unwrap_or(facts.renewals);
        facts.unknown_targets = self.unknown_targets.unwrap_or(facts.unknown_targets);
        facts.amend = self.amend.map_or(facts.amend, |days| days * 86_400);
        facts.persons = self.persons.unwrap_or(facts.persons);
    }
}

/// Reads an approval rule.
pub(super) fn approval(text: &str) -> Result<Approval, String> {
    one_of(text, [("required", Approval::Required), ("none", Approval::None)])
}

fn renewals(text: &str) -> Result<Renewals, String> {
    one_of(text, [("hold", Renewals::Hold), ("apply", Renewals::Apply)])
}

fn unknown_targets(text: &str) -> Result<UnknownTargets, String> {
    one_of(text, [("hold", UnknownTargets::Hold), ("found", UnknownTargets::Found)])
}

fn persons(text: &str) -> Result<Persons, String> {
    one_of(text, [("by-effect", Persons::ByEffect), ("two", Persons::Two)])
}

fn one_of<T: Copy>(text: &str, words: [(&str, T); 2]) -> Result<T, String> {
    let found = words.iter().find(|(word, _)| *word == text).map(|(_, meaning)| *meaning);
    found.ok_or_else(|| format!("{} or {}", words[0].0, words[1].0))
}

impl Roster {
    /// Runs the command.
    pub async fn run(self, global: &Global, out: &Out) -> Result<Exit, Problem> {
        match self {
            Self::Show => show(global, out).await,
            Self::Publish { forms, approval, retention, grace, rules, passphrase } => {
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
                    rules.apply(facts);
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
