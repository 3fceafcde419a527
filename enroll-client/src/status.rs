//! Where everything stands: draft → finished → in batch N → sent → safe at the centre → merged, held or refused.
//!
//! Answered from the vault alone, with no network and no passphrase; nothing in it names a resident.

use std::collections::HashMap;

use shared::{id::BatchId, problem::Problem};

use crate::vault::{Vault, outbox::BatchRow, records::RecordRow};

/// Where a record stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stand {
    /// Sealed, in no batch.
    Finished,
    /// A supervisor took it out.
    Withdrawn(String),
    /// In a closed batch of which the centre has nothing.
    InBatch(String),
    /// The centre has a part of the payload.
    Sent(String, u64, u64),
    /// A receipt is here.
    Safe(String),
    /// The centre put the batch aside until a person decides.
    Quarantined(String),
    /// In the registry.
    Merged(String),
    /// Waiting at the centre.
    Held(String),
    /// Its content is wrong for good.
    Refused(String),
}

impl Stand {
    /// From what the vault has.
    pub fn of(record: &RecordRow, batch: Option<&BatchRow>) -> Self {
        if let Some((reason, _)) = &record.withdrawn {
            return Self::Withdrawn(reason.clone());
        }
        let Some(batch) = batch else { return Self::Finished };
        let place = batch.place.to_string();
        match (&record.effect, &batch.receipt) {
            (Some((state, what)), _) if state == "merged" => Self::Merged(what.clone()),
            (Some((state, what)), _) if state == "held" => Self::Held(what.clone()),
            (Some((_, what)), _) => Self::Refused(what.clone()),
            (None, Some((_, _, state))) if state != "accepted" => Self::Quarantined(state.replace("quarantined ", "")),
            (None, Some(_)) => Self::Safe(place),
            (None, None) if batch.sent > 0 => Self::Sent(place, batch.sent, batch.payload),
            (None, None) => Self::InBatch(place),
        }
    }

    /// One word for machines.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::Withdrawn(_) => "withdrawn",
            Self::InBatch(_) => "closed",
            Self::Sent(..) => "sent",
            Self::Safe(_) => "safe",
            Self::Quarantined(_) => "quarantined",
            Self::Merged(_) => "merged",
            Self::Held(_) => "held",
            Self::Refused(_) => "refused",
        }
    }

    /// What it means.
    pub fn told(&self) -> String {
        match self {
            Self::Finished => "finished and sealed on this laptop".to_owned(),
            Self::Withdrawn(reason) => format!("withdrawn by a supervisor: {reason}"),
            Self::InBatch(place) => format!("in batch {place}, waiting to be sent"),
            Self::Sent(place, sent, of) => format!("batch {place} is on its way: {sent} of {of} bytes"),
            Self::Safe(place) => format!("safe at the centre (receipt of batch {place})"),
            Self::Quarantined(why) => format!("safe at the centre, put aside there: {why}"),
            Self::Merged(reference) => format!("in the registry as {reference}"),
            Self::Held(why) => format!("held at the centre: {why}"),
            Self::Refused(why) => format!("refused by the centre: {why}"),
        }
    }

    /// What to do now.
    pub fn next(&self) -> &'static str {
        match self {
            Self::Finished => "the supervisor reviews and closes: enroll-client review list, enroll-client close",
            Self::InBatch(_) | Self::Sent(..) => "send it when there is a network: enroll-client sync",
            Self::Safe(_) => "wait for the outcome: enroll-client sync",
            Self::Quarantined(_) | Self::Held(_) => "a person at the centre decides; nothing to do here",
            Self::Merged(_) => "nothing: it is done",
            Self::Withdrawn(_) => "enrol the resident again if that was the reason",
            Self::Refused(_) => "call the resident back and enrol again: enroll-client review show NUMBER has the contact",
        }
    }
}

/// All records with where they stand.
pub fn stands(vault: &Vault) -> Result<Vec<(RecordRow, Stand)>, Problem> {
    let batches: HashMap<BatchId, BatchRow> = vault.batches()?.into_iter().map(|b| (b.id, b)).collect();
    let of = |r: &RecordRow| r.batch.and_then(|id| batches.get(&id));
    Ok(vault
        .records()?
        .into_iter()
        .map(|r| {
            let stand = Stand::of(&r, of(&r));
            (r, stand)
        })
        .collect())
}
