//! A finished record, as its row says it.

use rusqlite::{Connection, Params};
use shared::{
    batch::{RecordLine, WithdrawReason},
    id::{BatchId, FormName, Member, Number, RecordId, SealedDigest, Transaction},
    outcome::Fate,
    problem::Problem,
    time::Minute,
};

use super::super::{
    columns::{self, Column, Own, Row},
    keyslots::Slot,
};

/// A finished record, as the vault knows it.
#[derive(Debug, Clone)]
pub struct RecordRow {
    /// Its number.
    pub number: Number,
    /// Its id.
    pub record: RecordId,
    /// Who enrolled.
    pub agent: Member,
    /// By which form.
    pub form: FormName,
    /// What for.
    pub transaction: Transaction,
    /// When, in unit time.
    pub finished: Minute,
    /// Bytes, sealed.
    pub size: u64,
    /// Digest of the sealed bytes.
    pub digest: SealedDigest,
    /// The line that the agent signed.
    pub line: RecordLine,
    /// Whether its line may go into a batch.
    pub numbering: Numbering,
    /// Why it was taken out, and by whom.
    pub withdrawn: Option<Withdrawn>,
    /// The batch that it went into.
    pub batch: Option<BatchId>,
    /// What the newest outcome says.
    pub fate: Option<Fate>,
    /// The sealed bytes are still here.
    pub kept: bool,
    pub(in crate::vault) review_slot: Option<Slot>,
    pub(in crate::vault) contact_slot: Option<Slot>,
}

/// Was the number of a record given to it alone?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Numbering {
    /// As far as this vault knows.
    Once,
    /// Perhaps not: the vault was put back to an older copy. Its agent signs it again under a fresh number.
    Twice,
}

/// A record that a supervisor took out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withdrawn {
    /// Why.
    pub reason: WithdrawReason,
    /// Which supervisor.
    pub by: Member,
}

const COLUMNS: &str = "r.epoch, r.number, r.record, r.agent, r.form, r.kind, r.finished, r.size, r.digest, r.line, r.again,
    r.withdrawn, r.by, r.batch, e.fate, r.review_slot, r.contact_slot,
    EXISTS (SELECT 1 FROM sealed s WHERE s.epoch = r.epoch AND s.number = r.number)
    FROM records r LEFT JOIN effects e ON e.epoch = r.epoch AND e.number = r.number";

impl Column<Own> for Numbering {
    fn read(row: &Row<'_>, i: usize) -> Result<Self, Problem> {
        bool::read(row, i).map(|again| if again { Self::Twice } else { Self::Once })
    }
}
impl Column<Own> for Slot {
    fn read(row: &Row<'_>, i: usize) -> Result<Self, Problem> {
        u32::read(row, i).map(Self)
    }
}

/// The rows of records that `which` names.
pub(in crate::vault) fn rows(c: &Connection, which: &str, of: impl Params) -> Result<Vec<RecordRow>, Problem> {
    columns::all(c, &format!("SELECT {COLUMNS} {which}"), of, row)
}

fn row(r: &Row<'_>) -> Result<RecordRow, Problem> {
    let (reason, by): (Option<WithdrawReason>, Option<Member>) = (Option::read(r, 11)?, Option::read(r, 12)?);
    Ok(RecordRow {
        number: columns::number(r, 0)?,
        record: RecordId::read(r, 2)?,
        agent: Member::read(r, 3)?,
        form: FormName::read(r, 4)?,
        transaction: Transaction::read(r, 5)?,
        finished: Minute::read(r, 6)?,
        size: u64::read(r, 7)?,
        digest: SealedDigest::read(r, 8)?,
        line: RecordLine::read(r, 9)?,
        numbering: Numbering::read(r, 10)?,
        withdrawn: reason.zip(by).map(|(reason, by)| Withdrawn { reason, by }),
        batch: Option::read(r, 13)?,
        fate: Option::read(r, 14)?,
        review_slot: Option::read(r, 15)?,
        contact_slot: Option::read(r, 16)?,
        kept: bool::read(r, 17)?,
    })
}
