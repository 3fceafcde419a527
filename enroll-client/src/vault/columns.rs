//! Our types as columns: each has one spelling in a row, and is read into its type at this border.
//!
//! **Trust:** a row that does not read as what this software writes there was changed by somebody else: `vault-damaged`.

use std::str::FromStr;

use rusqlite::{Connection, OptionalExtension as _, Params, Row};
use shared::{
    batch::{RecordLine, WithdrawReason},
    id::{BatchId, Digest, FormName, LogIndex, Member, Number, Place, RecordId, SealedDigest, Transaction},
    keys::VerifierKey,
    log::BatchState,
    outcome::Fate,
    problem::{Code, Problem},
    time::{Minute, Second},
};

use super::{Db as _, damaged};

/// A type that has one spelling as a column.
pub(super) trait Column: Sized {
    /// Reads column `i`.
    fn read(row: &Row<'_>, i: usize) -> Result<Self, Problem>;
}

macro_rules! plain_columns {
    ($($name:ty)*) => {$(
        impl Column for $name {
            fn read(row: &Row<'_>, i: usize) -> Result<Self, Problem> {
                row.get(i).db()
            }
        }
    )*};
}
plain_columns! { String Vec<u8> bool i64 }

macro_rules! text_columns {
    ($($name:ty)*) => {$(
        impl Column for $name {
            fn read(row: &Row<'_>, i: usize) -> Result<Self, Problem> {
                parsed(row, i)
            }
        }
    )*};
}
text_columns! {
    Member RecordId FormName Transaction SealedDigest Digest BatchId VerifierKey BatchState Fate WithdrawReason Code
    super::state::Standing super::members::Role super::drafts::DraftId super::members::Readers
}

impl Column for u64 {
    fn read(row: &Row<'_>, i: usize) -> Result<Self, Problem> {
        Self::try_from(i64::read(row, i)?).map_err(|_| damaged("a count"))
    }
}
impl Column for u32 {
    fn read(row: &Row<'_>, i: usize) -> Result<Self, Problem> {
        Self::try_from(i64::read(row, i)?).map_err(|_| damaged("a count"))
    }
}
impl Column for LogIndex {
    fn read(row: &Row<'_>, i: usize) -> Result<Self, Problem> {
        u64::read(row, i).map(Self)
    }
}
impl Column for Second {
    fn read(row: &Row<'_>, i: usize) -> Result<Self, Problem> {
        i64::read(row, i).map(Self::from_unix)
    }
}
impl Column for Minute {
    fn read(row: &Row<'_>, i: usize) -> Result<Self, Problem> {
        let minutes = i64::read(row, i)?;
        minutes.checked_mul(60).map(|seconds| Second::from_unix(seconds).minute()).ok_or_else(|| damaged("a time"))
    }
}
impl Column for RecordLine {
    fn read(row: &Row<'_>, i: usize) -> Result<Self, Problem> {
        Self::parse(&String::read(row, i)?).map_err(|_| damaged("a record's line"))
    }
}
impl<T: Column> Column for Option<T> {
    fn read(row: &Row<'_>, i: usize) -> Result<Self, Problem> {
        let null = row.get_ref(i).db()? == rusqlite::types::ValueRef::Null;
        if null { Ok(None) } else { T::read(row, i).map(Some) }
    }
}

fn parsed<T: FromStr>(row: &Row<'_>, i: usize) -> Result<T, Problem> {
    String::read(row, i)?.parse().map_err(|_| damaged("a value of a row"))
}

/// Epoch and number in columns `i` and `i + 1`.
pub(super) fn number(row: &Row<'_>, i: usize) -> Result<Number, Problem> {
    Number::new(u32::read(row, i)?, u64::read(row, i + 1)?).map_err(|_| damaged("a number"))
}

/// Epoch and sequence in columns `i` and `i + 1`.
pub(super) fn place(row: &Row<'_>, i: usize) -> Result<Place, Problem> {
    Place::new(u32::read(row, i)?, u64::read(row, i + 1)?).map_err(|_| damaged("a place"))
}

/// At most one row.
pub(super) fn maybe<T>(
    c: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnOnce(&Row<'_>) -> Result<T, Problem>,
) -> Result<Option<T>, Problem> {
    c.query_row(sql, params, |row| Ok(read(row))).optional().db()?.transpose()
}

/// All rows, in order.
pub(super) fn all<T>(
    c: &Connection,
    sql: &str,
    params: impl Params,
    read: impl Fn(&Row<'_>) -> Result<T, Problem>,
) -> Result<Vec<T>, Problem> {
    let mut statement = c.prepare(sql).db()?;
    let mut rows = statement.query(params).db()?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().db()? {
        found.push(read(row)?);
    }
    Ok(found)
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
