//! What several questions read from a row.

use rusqlite::Row;
use serde::Deserialize;
use shared::{
    id::{BatchId, LogIndex, Member, Number, RosterVersion},
    keys::KeyRef,
    log::BatchState,
    merge::{Opened, RecordKey},
    problem::Problem,
    time::{Minute, Second},
};

use crate::store::ledger_sqlite::columns::{Column, damaged, number, parsed};

/// Unit, record and sealed digest in columns `i` to `i + 2`.
pub(super) fn key(row: &Row<'_>, i: usize) -> Result<RecordKey, Problem> {
    Ok(RecordKey { unit: Member::of(row, i)?, record: Column::of(row, i + 1)?, digest: Column::of(row, i + 2)? })
}

/// A JSON object.
pub(super) fn from_json<T: for<'a> Deserialize<'a>>(row: &Row<'_>, i: usize) -> Result<T, Problem> {
    serde_json::from_str(&String::of(row, i)?).map_err(|_| damaged())
}

/// A delivery with what the log says of its batch.
pub(super) struct Stored {
    pub(super) number: Number,
    pub(super) finished: Minute,
    pub(super) seen: u64,
    pub(super) roster: RosterVersion,
    pub(super) before: Option<(u64, RosterVersion)>,
    pub(super) agent_key: KeyRef,
    pub(super) opened: Opened,
    pub(super) batch: BatchId,
    pub(super) index: LogIndex,
    pub(super) received: Second,
    pub(super) unit: Member,
    pub(super) epoch: u32,
    pub(super) state: BatchState,
    pub(super) unit_key: Option<KeyRef>,
}

impl Stored {
    pub(super) fn of(row: &Row<'_>) -> Result<Self, Problem> {
        let before: (Option<u64>, Option<u64>) = (Option::of(row, 5)?, Option::of(row, 6)?);
        let refused: Option<String> = Option::of(row, 8)?;
        let quarantined: Option<String> = Option::of(row, 14)?;
        let unit_key: Option<String> = Option::of(row, 15)?;
        Ok(Self {
            number: number(row, 0)?,
            finished: Second::from_unix(row.get::<_, i64>(2).map_err(crate::store::sqlite::failed)?.saturating_mul(60)).minute(),
            seen: u64::of(row, 3)?,
            roster: RosterVersion(u64::of(row, 4)?),
            before: before.0.zip(before.1.map(RosterVersion)),
            agent_key: parsed(row, 7)?,
            opened: refused.map_or(Ok(Opened::AsSigned), |code| code.parse().map(Opened::Refused)).map_err(|_| damaged())?,
            batch: Column::of(row, 9)?,
            index: Column::of(row, 10)?,
            received: Column::of(row, 11)?,
            unit: Column::of(row, 12)?,
            epoch: u32::of(row, 13)?,
            state: quarantined.map_or(Ok(BatchState::Accepted), |code| code.parse().map(BatchState::Quarantined)).map_err(|_| damaged())?,
            unit_key: unit_key.map(|key| key.parse()).transpose().map_err(|_| damaged())?,
        })
    }
}
