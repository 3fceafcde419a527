//! `prune`, `receipt`, `outcome`: what became of everything.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use shared::{
    batch::Manifest,
    id::Place,
    problem::{Code, Problem},
};

use super::{App, Exit};
use crate::{
    clock, durable, proofs,
    prune::{self, Refused},
    rights::Act,
    vault::{Vault, outbox::BatchRow},
};

/// `prune`
#[derive(Debug, Args)]
pub struct Prune {
    /// Also records that the centre refused (a supervisor must say so)
    #[arg(long)]
    refused: bool,
    /// Only say what would go
    #[arg(long)]
    dry_run: bool,
}

impl Prune {
    /// Deletes what the centre has for good.
    pub fn run(&self, app: &App) -> Result<Exit, Problem> {
        let vault = app.vault()?;
        let pruned = if self.dry_run {
            let refused = if self.refused { Refused::Drop } else { Refused::Keep };
            prune::prunable(&vault, refused, clock::now())?
        } else {
            // under an alarm everything stays; said before a passphrase is typed
            app.rights(&vault)?.unit(Act::Prune)?;
            let session = vault.capture()?;
            let refused_by = self.refused.then(|| app.supervisor(&vault)).transpose()?;
            vault.make_room()?;
            let pruned = prune::prune(&vault, &session, refused_by.as_ref(), clock::now())?;
            vault.shrink(&session)?;
            pruned
        };
        for (number, why) in &pruned.kept {
            app.say.detail(format!("{number} stays: {why}"));
        }
        for (place, problem) in &pruned.suspect {
            app.say.warning(&Problem::new(problem.code, format!("batch {place}: {}", problem.detail)));
        }
        let (gone, kept) = (pruned.records.len(), pruned.kept.len());
        let fields = json!({ "pruned": gone, "bytes": pruned.bytes, "kept": kept, "dry_run": self.dry_run });
        let verb = if self.dry_run { "would go" } else { "are gone" };
        app.say.summary(fields, format!("{gone} sealed records ({} bytes) {verb}, {kept} stay", pruned.bytes));
        Ok(match (pruned.suspect.is_empty(), gone) {
            (false, _) => Exit::Integrity,
            (true, 0) => Exit::Nothing,
            (true, _) => Exit::Done,
        })
    }
}

/// `receipt …`
#[derive(Debug, Subcommand)]
pub enum ReceiptCommand {
    /// The receipt of a batch, exact bytes (a C2SP tlog-proof)
    Show {
        /// Its place, as 1.42
        #[arg(value_parser = place)]
        batch: Place,
        /// Write manifest, receipt and outcome into this folder, for `enroll-verify`
        #[arg(long, value_name = "FOLDER")]
        out: Option<PathBuf>,
    },
    /// Check stored receipts again: all, or one
    Verify {
        /// Its place, as 1.42
        #[arg(value_parser = place)]
        batch: Option<Place>,
    },
}

/// `outcome …`
#[derive(Debug, Subcommand)]
pub enum OutcomeCommand {
    /// The newest outcome of a batch
    Show {
        /// Its place, as 1.42
        #[arg(value_parser = place)]
        batch: Place,
    },
}

fn place(text: &str) -> Result<Place, String> {
    text.parse().map_err(|_| "a batch's place is written epoch.sequence, as 1.42".to_owned())
}

fn batch_at(vault: &Vault, place: Place) -> Result<BatchRow, Problem> {
    vault.batch_at(place)?.ok_or_else(|| Problem::new(Code::NotFound, format!("batch {place}")))
}

impl ReceiptCommand {
    /// Runs it.
    pub fn run(&self, app: &App) -> Result<Exit, Problem> {
        let vault = app.vault()?;
        match self {
            Self::Show { batch, out: Some(folder) } => export(app, &vault, *batch, folder),
            Self::Show { batch, out: None } => {
                let row = batch_at(&vault, *batch)?;
                let bytes = vault.receipt(&row.id)?.ok_or_else(|| Problem::new(Code::Pending, format!("receipt of batch {batch}")))?;
                let text = String::from_utf8_lossy(&bytes).into_owned();
                app.say.line("receipt", json!({ "batch": batch, "proof": text }), text.trim_end());
                app.say.summary(json!({ "batch": batch }), "");
                Ok(Exit::Done)
            }
            Self::Verify { batch } => verify(app, &vault, *batch),
        }
    }
}

/// Writes what somebody needs who trusts neither this laptop nor the centre, and says how to check it.
fn export(app: &App, vault: &Vault, place: Place, folder: &Path) -> Result<Exit, Problem> {
    let row = batch_at(vault, place)?;
    let receipt = vault.receipt(&row.id)?.ok_or_else(|| Problem::new(Code::Pending, format!("receipt of batch {place}")))?;
    let facts = vault.demand_roster()?.facts().clone();
    let unit = vault.state()?.unit;
    let file = |end: &str| folder.join(format!("{unit}-{place}.{end}"));
    let (manifest, proof) = (file("manifest"), file("receipt"));
    durable::folder_given(folder)?;
    durable::write(&manifest, &vault.manifest(&row.id)?)?;
    durable::write(&proof, &receipt)?;
    let check = |what: &str| format!("enroll-verify {what} --log-key {} --manifest {}", facts.log, manifest.display());
    let mut checks = vec![format!("{} --receipt {}", check("receipt"), proof.display())];
    if let Some(stored) = vault.outcome(&row.id)? {
        let (outcome, named_in) = (file("outcome"), file("outcome-proof"));
        durable::write(&outcome, &stored.note)?;
        durable::write(&named_in, &stored.proof)?;
        let paths = format!("--outcome {} --proof {}", outcome.display(), named_in.display());
        checks.push(format!("{} --centre-key {} {paths}", check("outcome"), facts.centre_key));
    }
    for line in &checks {
        app.say.line("check", json!({ "command": line }), line);
    }
    app.say.summary(json!({ "batch": place, "folder": folder, "checks": checks.len() }), "");
    Ok(Exit::Done)
}

fn verify(app: &App, vault: &Vault, only: Option<Place>) -> Result<Exit, Problem> {
    let roster = vault.demand_roster()?;
    let batches: Vec<BatchRow> = match only {
        Some(place) => vec![batch_at(vault, place)?],
        None => vault.batches()?,
    };
    let (mut verified, mut missing, mut failed) = (0, 0, 0);
    for batch in &batches {
        let Some(bytes) = vault.receipt(&batch.id)? else {
            missing += 1;
            continue;
        };
        let manifest = vault.manifest(&batch.id)?;
        let checked = match Manifest::parse(&manifest).and_then(|m| proofs::receipt(&bytes, &m, &roster)) {
            Ok(checked) => checked,
            // the others are looked at all the same
            Err(problem) => {
                app.say.warning(&Problem::new(problem.code, format!("batch {}: {}", batch.place, problem.detail)));
                failed += 1;
                continue;
            }
        };
        let fields = json!({ "batch": batch.place, "index": checked.index().0, "received": checked.received(), "state": checked.state().to_string() });
        app.say.line(
            "receipt",
            fields,
            format!("batch {}: in the log at {}, received {}", batch.place, checked.index(), checked.received()),
        );
        verified += 1;
    }
    if failed == 0 && verified == 0 && only.is_some() {
        return Err(Code::Pending.into());
    }
    let text = match failed {
        0 => format!("{verified} receipts verified, {missing} not here yet"),
        n => format!("{verified} receipts verified, {missing} not here yet, {n} do not pass their checks: their records are kept"),
    };
    app.say.summary(json!({ "verified": verified, "missing": missing, "failed": failed }), &text);
    Ok(match (failed, verified) {
        (0, 0) => Exit::Nothing,
        (0, _) => Exit::Done,
        _ => Exit::Integrity,
    })
}

impl OutcomeCommand {
    /// Runs it.
    pub fn run(&self, app: &App) -> Result<Exit, Problem> {
        let Self::Show { batch } = self;
        let vault = app.vault()?;
        let row = batch_at(&vault, *batch)?;
        let roster = vault.demand_roster()?;
        let stored = vault.outcome(&row.id)?.ok_or_else(|| Problem::new(Code::Pending, format!("outcome of batch {batch}")))?;
        let (checked, _) = proofs::outcome(&stored.note, &stored.proof, &Manifest::parse(&vault.manifest(&row.id)?)?, &roster)?;
        let line = |l: &shared::outcome::OutcomeLine| -> Vec<Value> {
            let fate = l.fate.to_string();
            let (state, what) = fate.split_once(' ').unwrap_or((&fate, ""));
            vec![json!(l.number), json!(l.record), json!(state), json!(what)]
        };
        app.say.table("outcome", &["number", "record", "state", "what"], &checked.outcome().lines().iter().map(line).collect::<Vec<_>>());
        app.say.summary(json!({ "batch": batch, "version": stored.version }), format!("version {}", stored.version));
        Ok(Exit::Done)
    }
}
