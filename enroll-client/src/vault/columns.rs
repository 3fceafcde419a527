//! Our types as columns of the vault: digests and names are text.
//!
//! **Trust:** a row that does not read as what this software writes there was changed by somebody else: `vault-damaged`.

use ground::sqlite::rows::{self, Store};
pub(super) use ground::sqlite::rows::{Column, number, place};
use rusqlite::{Connection, Params};
use shared::{
    batch::{RecordLine, WithdrawReason},
    id::{BatchId, Digest, FormName, Member, RecordId, SealedDigest, Transaction},
    keys::VerifierKey,
    log::BatchState,
    outcome::Fate,
    problem::{Code, Problem},
    time::{Minute, Second},
};

use super::{damaged, failed};

/// The vault's rows.
pub(super) struct Own;

impl Store for Own {
    fn failed(e: rusqlite::Error) -> Problem {
        failed(&e)
    }
    fn damaged(what: &'static str) -> Problem {
        damaged(what)
    }
}

/// A row of the vault.
pub(super) type Row<'r> = rows::Row<'r, Own>;

macro_rules! text_columns {
    ($($name:ty)*) => {$(
        impl Column<Own> for $name {
            fn read(row: &Row<'_>, i: usize) -> Result<Self, Problem> {
                rows::parsed(row, i)
            }
        }
    )*};
}
text_columns! {
    Member RecordId FormName Transaction SealedDigest Digest BatchId VerifierKey BatchState Fate WithdrawReason Code
    super::state::Standing super::members::Role super::drafts::DraftId super::members::Readers
}

impl Column<Own> for Minute {
    fn read(row: &Row<'_>, i: usize) -> Result<Self, Problem> {
        let minutes = i64::read(row, i)?;
        minutes.checked_mul(60).map(|seconds| Second::from_unix(seconds).minute()).ok_or_else(|| damaged("a time"))
    }
}
impl Column<Own> for RecordLine {
    fn read(row: &Row<'_>, i: usize) -> Result<Self, Problem> {
        Self::parse(&String::read(row, i)?).map_err(|_| damaged("a record's line"))
    }
}

/// At most one row.
pub(super) fn maybe<T>(
    c: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnOnce(&Row<'_>) -> Result<T, Problem>,
) -> Result<Option<T>, Problem> {
    rows::maybe(c, sql, params, read)
}

/// All rows, in order.
pub(super) fn all<T>(
    c: &Connection,
    sql: &str,
    params: impl Params,
    read: impl Fn(&Row<'_>) -> Result<T, Problem>,
) -> Result<Vec<T>, Problem> {
    rows::all(c, sql, params, read)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_reads_only_as_what_is_written_there() {
        let db = Connection::open_in_memory().expect("db");
        let read = |value: &str, of: fn(&Row<'_>) -> Result<String, Problem>| {
            maybe(&db, &format!("SELECT {value}"), [], of).map(|found| found.expect("a row")).map_err(|p| p.code)
        };
        let fate = |row: &Row<'_>| Fate::read(row, 0).map(|f| f.to_string());
        assert_eq!(read("'refused line-mismatch'", fate).as_deref(), Ok("refused line-mismatch"));
        for bad in ["'merged'", "'held duplicate'", "'refused no-such-code'", "7", "NULL", "''"] {
            assert!(read(bad, fate).is_err(), "{bad}");
        }
        let role = |row: &Row<'_>| super::super::members::Role::read(row, 0).map(|r| r.to_string());
        assert_eq!(read("'supervisor'", role).as_deref(), Ok("supervisor"));
        assert_eq!(read("'Supervisor'", role), Err(Code::VaultDamaged), "no other spelling becomes an agent");
        let count = |row: &Row<'_>| u64::read(row, 0).map(|n| n.to_string());
        assert_eq!((read("7", count).as_deref(), read("-7", count)), (Ok("7"), Err(Code::VaultDamaged)));
        let state = |row: &Row<'_>| Option::<BatchState>::read(row, 0).map(|s| format!("{s:?}"));
        assert_eq!(read("NULL", state).as_deref(), Ok("None"));
        assert_eq!(read("'quarantined unapproved'", state).as_deref(), Ok("Some(Quarantined(Unapproved))"));
    }
}
