//! Where everything stands: draft → finished → in batch N → sent → safe at the centre → merged, held or refused.
//!
//! Answered from the vault alone, with no network and no passphrase; nothing in it names a resident.

use std::collections::{BTreeMap, HashMap};

use shared::{
    batch::WithdrawReason,
    id::{BatchId, Member, Place, ResidentRef},
    log::BatchState,
    outcome::Fate,
    problem::{Code, Problem},
};

use crate::vault::{
    Vault,
    outbox::BatchRow,
    records::{Numbering, RecordRow},
};

/// Where a record stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stand {
    /// Sealed, in no batch.
    Finished,
    /// Sealed, in no batch: this agent signs it again first.
    Unsigned(Member),
    /// A supervisor took it out.
    Withdrawn(WithdrawReason),
    /// In a closed batch of which the centre has nothing.
    InBatch(Place),
    /// The centre has so many bytes of the payload, of so many.
    Sent(Place, u64, u64),
    /// A receipt is here.
    Safe(Place),
    /// The centre put the batch aside until a person decides.
    Quarantined(Code),
    /// In the registry.
    Merged(ResidentRef),
    /// Waiting at the centre.
    Held(Code),
    /// Its content is wrong for good.
    Refused(Code),
}

impl Stand {
    /// From what the vault has.
    pub fn of(record: &RecordRow, batch: Option<&BatchRow>) -> Self {
        if let Some(withdrawn) = &record.withdrawn {
            return Self::Withdrawn(withdrawn.reason);
        }
        let Some(batch) = batch else {
            return if record.numbering == Numbering::Twice { Self::Unsigned(record.agent.clone()) } else { Self::Finished };
        };
        match (&record.fate, batch.receipt.map(|r| r.state)) {
            (Some(Fate::Merged(resident)), _) => Self::Merged(resident.clone()),
            (Some(Fate::Held(code, _)), _) => Self::Held(*code),
            (Some(Fate::Refused(code)), _) => Self::Refused(*code),
            (None, Some(BatchState::Quarantined(code))) => Self::Quarantined(code),
            (None, Some(BatchState::Accepted)) => Self::Safe(batch.place),
            (None, None) if batch.sent > 0 => Self::Sent(batch.place, batch.sent, batch.payload),
            (None, None) => Self::InBatch(batch.place),
        }
    }

    /// One word for machines.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::Unsigned(_) => "unsigned",
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
            Self::Unsigned(agent) => format!("finished and sealed on this laptop; {agent} signs it again"),
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
            Self::Unsigned(_) => "the agent who enrolled signs again: enroll-client resign",
            Self::InBatch(_) | Self::Sent(..) => "send it when there is a network: enroll-client sync",
            Self::Safe(_) => "wait for the outcome: enroll-client sync",
            Self::Quarantined(_) | Self::Held(_) => "a person at the centre decides; nothing to do here",
            Self::Merged(_) => "nothing: it is done",
            Self::Withdrawn(_) => "enrol the resident again if that was the reason",
            Self::Refused(Code::Decided) => "nothing here: a person at the centre decided so, and the centre knows why",
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

/// How many records wait until their agents sign them again, by agent.
pub fn unsigned(vault: &Vault) -> Result<BTreeMap<Member, usize>, Problem> {
    let mut waiting = BTreeMap::new();
    for record in vault.to_sign_again()? {
        *waiting.entry(record.agent).or_default() += 1;
    }
    Ok(waiting)
}

/// Whom records wait for that are to be signed again, and what to do when that agent never comes back.
pub fn waits_for(agent: &Member) -> String {
    format!(
        "{agent} signs them again: `enroll-client --as {agent} resign`. If {agent} has left, a supervisor takes them out, and the residents are called back: \
         `enroll-client review withdraw --unsigned-of {agent} --reason other`"
    )
}
