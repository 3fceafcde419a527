//! Prune: deletes sealed records that the centre has for good, and nothing else.
//!
//! A sealed record goes only when all of this holds, checked again from the stored bytes:
//!
//! 1. A receipt proves that its batch is in the log.
//! 2. The newest outcome says `merged`; a refused one goes when a supervisor says so, `held` keeps it, a
//!    withdrawn one has no outcome.
//! 3. The roster's retention has passed, counted in log time between the batch's entry and the newest log
//!    time that this unit has verified: no clock of the laptop can hurry it.

use shared::{
    batch::Manifest,
    id::Number,
    outcome::{CheckedOutcome, Fate},
    problem::Problem,
    roster::TrustedRoster,
};

use crate::{
    proofs,
    vault::{CaptureSession, Vault, outbox::BatchRow, records::RecordRow},
};

/// Whether refused records may go as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// They stay.
    Keep,
    /// A supervisor said that they may go.
    Drop,
}

/// What prune did, or would do.
#[derive(Debug, Default)]
pub struct Pruned {
    /// Records whose sealed bytes went.
    pub numbers: Vec<Number>,
    /// Bytes that went.
    pub bytes: u64,
    /// Records that stay, and why.
    pub kept: Vec<(Number, &'static str)>,
}

/// Finds what may go.
pub fn prunable(vault: &Vault, refused: Refused) -> Result<Pruned, Problem> {
    let roster = vault.demand_roster()?;
    let log_time = vault.state()?.log_time;
    let mut found = Pruned::default();
    for batch in vault.batches()? {
        let records = vault.records_of(&batch.id)?;
        let waits = proven(vault, &batch, &roster)?;
        let kept_for = |at: i64| log_time.is_none_or(|t| t.unix() - at < i64::try_from(roster.facts().retention).unwrap_or(i64::MAX));
        for record in records.into_iter().filter(|r| r.kept) {
            let why = match &waits {
                Err(why) => Some(*why),
                Ok((received, _)) if kept_for(*received) => Some("retention has not passed in log time"),
                Ok((_, outcome)) => reason_to_keep(&record, outcome.as_ref(), refused),
            };
            if let Some(why) = why {
                found.kept.push((record.number, why));
            } else {
                found.numbers.push(record.number);
                found.bytes += record.size;
            }
        }
    }
    let unbatched = vault.unbatched()?;
    found.kept.extend(unbatched.iter().map(|r| (r.number, "not closed yet")));
    Ok(found)
}

/// Deletes what may go. Contact cards go with it: retention ends them, too.
pub fn prune(vault: &Vault, session: &CaptureSession, refused: Refused) -> Result<Pruned, Problem> {
    let found = prunable(vault, refused)?;
    let rows = found.numbers.iter().map(|&n| vault.record(n)).collect::<Result<Vec<_>, _>>()?;
    vault.drop_sealed(session, &found.numbers)?;
    vault.forget_contacts(&rows)?;
    Ok(found)
}

/// When the batch was received in log time, and its newest outcome; or why it must stay.
type Proven = Result<(i64, Option<CheckedOutcome>), &'static str>;

fn proven(vault: &Vault, batch: &BatchRow, roster: &TrustedRoster) -> Result<Proven, Problem> {
    let manifest = Manifest::parse(&vault.manifest(&batch.id)?)?;
    let Some(bytes) = vault.receipt(&batch.id)? else { return Ok(Err("no receipt yet")) };
    let receipt = proofs::receipt(&bytes, &manifest, roster)?;
    let outcome = match vault.outcome(&batch.id)? {
        None => None,
        Some(o) => Some(proofs::outcome(&o.note, &o.proof, &manifest, roster)?.0),
    };
    Ok(Ok((receipt.received().unix(), outcome)))
}

fn reason_to_keep(record: &RecordRow, outcome: Option<&CheckedOutcome>, refused: Refused) -> Option<&'static str> {
    if record.withdrawn.is_some() {
        return None;
    }
    let line = outcome.and_then(|o| o.outcome().lines().iter().find(|l| l.number == record.number && l.record == record.record));
    match line.map(|l| &l.fate) {
        None => Some("no outcome yet"),
        Some(Fate::Held(..)) => Some("held at the centre"),
        Some(Fate::Refused(_)) if refused == Refused::Keep => Some("refused: a supervisor must say that it may go"),
        Some(Fate::Merged(_) | Fate::Refused(_)) => None,
    }
}
