//! Prune: deletes sealed records that the centre has for good, and nothing else.
//!
//! A sealed record goes only when all of this holds, checked again from the stored bytes:
//!
//! 1. A receipt proves that its batch is in the log.
//! 2. The newest outcome says `merged`; a refused one goes when a supervisor says so, `held` keeps it, a
//!    withdrawn one has no outcome.
//! 3. The roster's retention, three days at least, has passed, counted in log time between the batch's entry and the newest log
//!    time that this unit has verified: no clock of the laptop can hurry it.
//! 4. The centre's last answer does not ask to keep its batch.
//! 5. Nothing is wrong with the unit (`rights.rs`): under an alarm everything stays.

use std::fmt;

use shared::{
    batch::Manifest,
    id::{Number, Place},
    outcome::{CheckedOutcome, Fate},
    problem::{Problem, exit::Exit},
    roster::{LEAST_RETENTION, TrustedRoster},
    time::Second,
};

use crate::{
    proofs,
    rights::{Act, Rights},
    sabotage,
    vault::{CaptureSession, Vault, members::Supervisor, outbox::BatchRow, records::RecordRow},
};

/// Whether refused records would go as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// They stay.
    Keep,
    /// They go.
    Drop,
}

/// Why a record stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// In no batch.
    NotClosed,
    /// Its batch has no receipt.
    NoReceipt,
    /// Receipt or outcome of its batch do not pass their checks.
    Suspect,
    /// Retention has not passed.
    Retention,
    /// Its batch has no outcome.
    NoOutcome,
    /// The centre holds it.
    Held,
    /// The centre refused it; a supervisor must say that it may go.
    Refused,
    /// The centre asks to keep its batch.
    Asked,
}

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotClosed => "not closed yet",
            Self::NoReceipt => "no receipt yet",
            Self::Suspect => "its proof does not pass its checks",
            Self::Retention => "retention has not passed in log time",
            Self::NoOutcome => "no outcome yet",
            Self::Held => "held at the centre",
            Self::Refused => "refused: a supervisor must say that it may go",
            Self::Asked => "the centre asks to keep it",
        })
    }
}

/// What prune did, or would do.
#[derive(Debug, Default)]
pub struct Pruned {
    /// Records whose sealed bytes went.
    pub records: Vec<RecordRow>,
    /// Bytes that went.
    pub bytes: u64,
    /// Records that stay, and why.
    pub kept: Vec<(Number, Kept)>,
    /// Batches whose stored receipt or outcome does not pass its checks: all of their records stay.
    pub suspect: Vec<(Place, Problem)>,
}

/// Finds what may go.
pub fn prunable(vault: &Vault, refused: Refused, clock: Second) -> Result<Pruned, Problem> {
    // 5.
    let rights = Rights::of(vault, clock)?;
    rights.unit(Act::Prune)?;
    let (roster, log_time) = (rights.roster(), rights.state().log_time);
    let retention = i64::try_from(roster.facts().retention.max(LEAST_RETENTION)).unwrap_or(i64::MAX);
    let holds = vault.holds()?;
    let kept_for = |at: i64| log_time.is_none_or(|t| t.unix() - at < retention);
    let mut found = Pruned::default();
    for batch in vault.batches()? {
        let records: Vec<RecordRow> = vault.records_of(&batch.id)?.into_iter().filter(|r| r.kept).collect();
        if records.is_empty() {
            continue;
        }
        let waits = proven(vault, &batch, roster).or_else(|problem| {
            // one that is rotten keeps no other
            let rotten = Exit::of(problem.code) == Exit::Integrity;
            let suspect = if rotten { Ok(Err(Kept::Suspect)) } else { Err(problem.clone()) };
            found.suspect.extend(rotten.then_some((batch.place, problem)));
            suspect
        })?;
        for record in records {
            let why = match &waits {
                Err(why) => Some(*why),
                Ok(_) if holds.contains(&batch.place) => Some(Kept::Asked),
                Ok(_) if sabotage::on("prune-without-archive") => None,
                Ok((received, _)) if kept_for(*received) => Some(Kept::Retention),
                Ok((_, outcome)) => reason_to_keep(&record, outcome.as_ref(), refused),
            };
            if let Some(why) = why {
                found.kept.push((record.number, why));
            } else {
                found.bytes += record.size;
                found.records.push(record);
            }
        }
    }
    let unbatched = vault.unbatched()?;
    found.kept.extend(unbatched.iter().map(|r| (r.number, Kept::NotClosed)));
    Ok(found)
}

/// Deletes what may go, and refused records where a supervisor says so. Contact cards go with it: retention ends them, too.
pub fn prune(vault: &Vault, session: &CaptureSession, refused_by: Option<&Supervisor>, clock: Second) -> Result<Pruned, Problem> {
    let refused = if refused_by.is_some() { Refused::Drop } else { Refused::Keep };
    let found = prunable(vault, refused, clock)?;
    vault.drop_sealed(session, &found.records)?;
    Ok(found)
}

/// When the batch was received in log time, and its newest outcome; or why it must stay.
type Proven = Result<(i64, Option<CheckedOutcome>), Kept>;

fn proven(vault: &Vault, batch: &BatchRow, roster: &TrustedRoster) -> Result<Proven, Problem> {
    let Some(bytes) = vault.receipt(&batch.id)? else { return Ok(Err(Kept::NoReceipt)) };
    let manifest = Manifest::parse(&vault.manifest(&batch.id)?)?;
    let receipt = proofs::receipt(&bytes, &manifest, roster)?;
    let outcome = match vault.outcome(&batch.id)? {
        None => None,
        Some(o) => Some(proofs::outcome(&o.note, &o.proof, &manifest, roster)?.0),
    };
    Ok(Ok((receipt.received().unix(), outcome)))
}

fn reason_to_keep(record: &RecordRow, outcome: Option<&CheckedOutcome>, refused: Refused) -> Option<Kept> {
    if record.withdrawn.is_some() {
        return None;
    }
    let line = outcome.and_then(|o| o.outcome().lines().iter().find(|l| l.number == record.number && l.record == record.record));
    match (line.map(|l| &l.fate), refused) {
        (None, _) => Some(Kept::NoOutcome),
        (Some(Fate::Held(..)), _) => Some(Kept::Held),
        (Some(Fate::Refused(_)), Refused::Keep) => Some(Kept::Refused),
        (Some(Fate::Merged(_) | Fate::Refused(_)), _) => None,
    }
}
