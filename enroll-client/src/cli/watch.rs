//! `status`, `prune`, `receipt`, `outcome`: what became of everything.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use shared::{
    batch::Manifest,
    id::{Number, Place},
    problem::{Code, Problem},
    slip::SlipCode,
};

use super::{App, Exit};
use crate::{
    clock, durable, joining, proofs,
    prune::{self, Refused},
    status::{self, Stand},
    vault::{Vault, outbox::BatchRow},
};

/// `status`
#[derive(Debug, Args)]
pub struct Status {
    /// A resident's slip code, or a record's number
    slip: Option<String>,
    /// Every record, one a line
    #[arg(long)]
    records: bool,
}

impl Status {
    /// Answers from the vault, with no network and no passphrase.
    pub fn run(&self, app: &App) -> Result<Exit, Problem> {
        let vault = app.vault()?;
        match &self.slip {
            Some(slip) => one(app, &vault, slip),
            None => all(app, &vault, self.records),
        }
    }
}

fn one(app: &App, vault: &Vault, given: &str) -> Result<Exit, Problem> {
    let record = if let Ok(number) = given.parse::<Number>() {
        vault.record(number)?
    } else {
        let code = SlipCode::from_typed(given).map_err(|_| Problem::new(Code::SlipUnknown, "its check symbol does not fit"))?;
        vault.record_of_slip(&code.digest())?
    };
    let batch = record.batch.map(|id| vault.batch(&id)).transpose()?;
    let stand = Stand::of(&record, batch.as_ref());
    let fields = json!({
        "number": record.number, "state": stand.word(), "told": stand.told(), "next": stand.next(),
        "finished": record.finished, "received": batch.as_ref().and_then(|b| b.receipt.as_ref().map(|r| r.1)),
    });
    app.say.summary(fields, format!("{}: {}\n  → {}", record.number, stand.told(), stand.next()));
    Ok(Exit::Done)
}

fn all(app: &App, vault: &Vault, each: bool) -> Result<Exit, Problem> {
    let stands = status::stands(vault)?;
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, stand) in &stands {
        *counts.entry(stand.word()).or_default() += 1;
    }
    if each {
        let row = |(r, s): &(_, Stand)| {
            let r: &crate::vault::records::RecordRow = r;
            vec![json!(r.number), json!(r.finished), json!(r.agent), json!(r.form), json!(s.word()), json!(s.told())]
        };
        app.say.table("record", &["number", "finished", "agent", "form", "state", "told"], &stands.iter().map(row).collect::<Vec<_>>());
    }
    let batches = vault.batches()?;
    let row = |b: &BatchRow| {
        let received = b.receipt.as_ref().map(|(_, at, _)| at);
        vec![json!(b.place), json!(b.closed), json!(b.records), json!(b.payload), json!(b.sent), json!(received), json!(b.problem)]
    };
    app.say.table(
        "batch",
        &["batch", "closed", "records", "bytes", "sent", "received", "problem"],
        &batches.iter().map(row).collect::<Vec<_>>(),
    );
    alarms(app, vault)?;
    let slips = vault.unshown()?;
    for record in &slips {
        app.say.note(format!("the slip code of {} was not shown yet: the next command of {} shows it", record.number, record.agent));
    }
    let drafts = vault.drafts()?.len();
    let standing = standing(vault)?;
    let fields = json!({ "drafts": drafts, "records": counts, "batches": batches.len(), "slips": slips.len(), "unit": standing });
    let told: Vec<String> = counts.iter().map(|(word, n)| format!("{n} {word}")).collect();
    let told = if told.is_empty() { "no records yet".to_owned() } else { told.join(", ") };
    app.say.summary(fields, format!("{drafts} drafts; {told}\nunit: {standing}"));
    Ok(Exit::Done)
}

/// What nobody may overlook, said each time until it is settled.
fn alarms(app: &App, vault: &Vault) -> Result<(), Problem> {
    for file in crate::sync::contradictions(vault.places())? {
        app.say.warning(&Problem::new(Code::LogInconsistent, file.display().to_string()));
    }
    match vault.state()?.standing.may_close() {
        Ok(()) => Ok(()),
        Err(problem) => {
            app.say.warning(&problem);
            Ok(())
        }
    }
}

/// How the unit stands, in a sentence, and early when capture will end.
fn standing(vault: &Vault) -> Result<String, Problem> {
    let state = vault.state()?;
    let Some(roster) = vault.roster()? else {
        return Ok("no roster yet: enroll-client sync, or enroll-client roster import FILE".to_owned());
    };
    let now = state.unit_time(clock::now());
    let days = (joining::end_of_grace(&roster).unix() - now.unix()) / 86400;
    let late = if days < 7 { " — sync soon" } else { "" };
    let standing = joining::unit_standing(&roster, &state).word();
    Ok(format!("{} {standing}, roster {}, capture possible for {days} more days{late}", state.unit, roster.version()))
}

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
        let refused = if self.refused { Refused::Drop } else { Refused::Keep };
        let pruned = if self.dry_run {
            prune::prunable(&vault, refused)?
        } else {
            let session = app.capture(&vault)?;
            if self.refused {
                app.member(&vault)?.supervisor()?;
            }
            vault.make_room()?;
            prune::prune(&vault, &session, refused)?
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
