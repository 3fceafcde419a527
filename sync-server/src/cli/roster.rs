//! `roster`: show it, publish a new one, change its lines, write it for units without a network.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use shared::{
    form::MAX_FORM,
    id::RosterVersion,
    problem::{Code, Problem},
    roster::{Approval, Facts, LEAST_RETENTION, Limits, Persons, Renewals, Roster as RosterNote, SoftwareVersion, UnknownTargets, bundle},
    time::Second,
};

use super::{
    Exit, Global, Out,
    admit::{open, publish},
    secrets::Unlock,
};
use crate::{
    durable,
    joining::{self, export},
    store::Ledger as _,
};

/// Longest time for which a resident's own unit may change identity: ten years of days.
const MOST_AMEND: u64 = 3650;
/// Below this no record fits: a portrait alone has more.
const LEAST_LIMIT: u64 = 64 << 10;

/// Show the roster, or publish a new one.
#[derive(Debug, Subcommand)]
pub enum Roster {
    /// Show the newest roster
    Show,
    /// Print the key that `enroll-client init --roster-key` asks for
    Key,
    /// Publish a new roster: renewed, with changed lines or with more forms
    Publish {
        /// Put this form in force (a file); may be given several times
        #[arg(long = "form", value_name = "FILE")]
        forms: Vec<PathBuf>,
        #[command(flatten)]
        changes: Changes,
        #[command(flatten)]
        passphrase: Unlock,
    },
    /// Change lines of the roster: limits, expiry, grace, retention, software, rules
    Set {
        #[command(flatten)]
        changes: Changes,
        #[command(flatten)]
        passphrase: Unlock,
    },
    /// Write the newest roster with its proofs and forms into one file, for `enroll-client roster import`
    Export(Export),
}

/// Changes of a roster that are said anew.
#[derive(Debug, Clone, Default, Args)]
pub struct Changes {
    /// Must a supervisor approve each batch? `required` or `none`
    #[arg(long, value_name = "RULE", value_parser = approval)]
    approval: Option<Approval>,
    /// Seconds of log time for which units keep merged records: three days at least
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(LEAST_RETENTION..))]
    retention: Option<u64>,
    /// Seconds for which units go on after the roster has expired
    #[arg(long, value_name = "SECONDS")]
    grace: Option<u64>,
    /// Days from now on after which a newer roster is expected [90, unless said otherwise]
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u16).range(1..))]
    expires: Option<u16>,
    /// Least version of enroll-client that may enrol, as 0.2.0
    #[arg(long, value_name = "VERSION", value_parser = version)]
    software: Option<SoftwareVersion>,
    /// Most record and withdrawn lines of one batch
    #[arg(long = "limit-lines", value_name = "LINES", value_parser = clap::value_parser!(u64).range(1..=Limits::MOST.lines))]
    most_lines: Option<u64>,
    /// Most bytes of one batch's payload
    #[arg(long = "limit-batch", value_name = "BYTES", value_parser = clap::value_parser!(u64).range(LEAST_LIMIT..=Limits::MOST.batch))]
    most_batch: Option<u64>,
    /// Most bytes of one sealed record
    #[arg(long = "limit-record", value_name = "BYTES", value_parser = clap::value_parser!(u64).range(LEAST_LIMIT..=Limits::MOST.record))]
    most_record: Option<u64>,
    #[command(flatten)]
    rules: Rules,
}

impl Changes {
    fn say_nothing(&self) -> bool {
        let numbers = [self.retention, self.grace, self.most_lines, self.most_batch, self.most_record];
        let rest = self.approval.is_none() && self.expires.is_none() && self.software.is_none() && self.rules.say_nothing();
        rest && numbers.iter().all(Option::is_none)
    }

    fn apply(&self, facts: &mut Facts, now: Second) {
        facts.approval = self.approval.unwrap_or(facts.approval);
        facts.retention = self.retention.unwrap_or(facts.retention);
        facts.grace = self.grace.unwrap_or(facts.grace);
        facts.software = self.software.unwrap_or(facts.software);
        if let Some(days) = self.expires {
            facts.expires = Second::from_unix(now.unix() + i64::from(days) * 86_400);
        }
        let limits = &mut facts.limits;
        limits.lines = self.most_lines.unwrap_or(limits.lines);
        limits.batch = self.most_batch.unwrap_or(limits.batch);
        limits.record = self.most_record.unwrap_or(limits.record);
        self.rules.apply(facts);
    }
}

/// `roster export`
#[derive(Debug, Args)]
pub struct Export {
    /// The file; it holds nothing secret
    file: PathBuf,
    /// Also for a unit whose log ends at this size (`enroll-client status` says it); may be given several times. Those that units
    /// have said themselves are in it
    #[arg(long, value_name = "SIZE")]
    seen: Vec<u64>,
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
    fn say_nothing(&self) -> bool {
        self.renewals.is_none() && self.unknown_targets.is_none() && self.amend.is_none() && self.persons.is_none()
    }

    /// Puts what was said into a roster.
    pub fn apply(&self, facts: &mut Facts) {
        facts.renewals = self.renewals.unwrap_or(facts.renewals);
        facts.unknown_targets = self.unknown_targets.unwrap_or(facts.unknown_targets);
        facts.amend = self.amend.map_or(facts.amend, |days| days * 86_400);
        facts.persons = self.persons.unwrap_or(facts.persons);
    }
}

fn version(text: &str) -> Result<SoftwareVersion, String> {
    text.parse().map_err(|_| "three numbers, as 0.2.0".to_owned())
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
            Self::Key => key(global, out).await,
            Self::Publish { forms, changes, passphrase } => change(global, out, &forms, &changes, &passphrase).await,
            Self::Set { changes, .. } if changes.say_nothing() => {
                Err(Problem::new(Code::Usage, "say which line: `sync-server roster set --help`"))
            }
            Self::Set { changes, passphrase } => change(global, out, &[], &changes, &passphrase).await,
            Self::Export(export) => export.run(global, out).await,
        }
    }
}

/// A new unit takes the first roster by this key, and follows the log from there.
async fn key(global: &Global, out: &Out) -> Result<Exit, Problem> {
    let centre = open(global)?;
    let first = centre.stores.ledger.roster(RosterVersion(1)).await?.ok_or(Code::NoRoster)?;
    let first = RosterNote::parse(&first.note)?;
    for key in &first.facts().signers.keys {
        out.line("roster-key", serde_json::json!({ "key": key, "fingerprint": key.fingerprint() }), key);
    }
    out.summary(serde_json::json!({ "keys": first.facts().signers.keys.len() }), "");
    Ok(Exit::Done)
}

async fn change(global: &Global, out: &Out, forms: &[PathBuf], changes: &Changes, passphrase: &Unlock) -> Result<Exit, Problem> {
    let centre = open(global)?;
    let mut refs = Vec::new();
    for path in forms {
        refs.push(joining::store_form(&centre.stores.archive, &durable::read_given(path, MAX_FORM as u64)?).await?);
    }
    let published = publish(global, passphrase, |facts, moment| {
        joining::enforce(facts, refs);
        changes.apply(facts, moment.now);
        Ok(())
    })
    .await?;
    let (facts, index) = (&published.facts, published.logged.index());
    let names: Vec<String> = facts.forms.iter().map(|f| f.name.to_string()).collect();
    let value = serde_json::json!({ "roster": facts.version, "log_index": index.0, "expires": facts.expires, "forms": names });
    out.answer(value, format!("roster {} published, log entry {index}; forms: {}", facts.version, names.join(", ")));
    Ok(Exit::Done)
}

impl Export {
    async fn run(self, global: &Global, out: &Out) -> Result<Exit, Problem> {
        let centre = open(global)?;
        let exported = export::newest(&centre, &self.seen).await?;
        durable::write(&self.file, &bundle::write(&exported.files))?;
        let value =
            serde_json::json!({ "roster": exported.version, "file": self.file, "rosters": exported.rosters, "sizes": exported.sizes });
        let human = format!(
            "roster {} is in {}; on a unit: enroll-client roster import FILE\n  for units that have seen the log up to {}",
            exported.version,
            self.file.display(),
            exported.sizes.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        );
        out.answer(value, human);
        Ok(Exit::Done)
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
