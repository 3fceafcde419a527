//! Our types as columns: digests are 32-byte blobs, counts are integers below 2^53, names are text.

use std::{fmt::Display, str::FromStr};

use rusqlite::{CachedStatement, Connection, OptionalExtension as _, Params, Row};
use shared::{
    id::{BatchId, Blob, Digest, LogIndex, Member, NoteId, Number, Place, RecordId, SealedDigest},
    keys::KeyRef,
    problem::{Code, Problem},
    time::Second,
};

use super::super::sqlite::failed;

/// A type that has one spelling as a column.
pub(in crate::store) trait Column: Sized {
    /// Reads column `i`.
    fn of(row: &Row<'_>, i: usize) -> Result<Self, Problem>;
    /// Reads the first column.
    fn of_row(row: &Row<'_>) -> Result<Self, Problem> {
        Self::of(row, 0)
    }
}

/// A row that does not read as what was written: the file was changed by somebody else.
pub(in crate::store) fn damaged() -> Problem {
    Problem::new(Code::DatabaseFailed, "a row of the database cannot be read")
}

/// A count as SQLite keeps it.
pub(in crate::store) fn int(n: u64) -> i64 {
    i64::try_from(n).expect("counts stay below 2^53")
}

impl Column for u64 {
    fn of(row: &Row<'_>, i: usize) -> Result<Self, Problem> {
        u64::try_from(row.get::<_, i64>(i).map_err(failed)?).map_err(|_| damaged())
    }
}
impl Column for u32 {
    fn of(row: &Row<'_>, i: usize) -> Result<Self, Problem> {
        u32::try_from(row.get::<_, i64>(i).map_err(failed)?).map_err(|_| damaged())
    }
}
impl Column for String {
    fn of(row: &Row<'_>, i: usize) -> Result<Self, Problem> {
        row.get(i).map_err(failed)
    }
}
impl Column for Vec<u8> {
    fn of(row: &Row<'_>, i: usize) -> Result<Self, Problem> {
        row.get(i).map_err(failed)
    }
}
impl Column for [u8; 32] {
    fn of(row: &Row<'_>, i: usize) -> Result<Self, Problem> {
        row.get(i).map_err(failed)
    }
}
impl Column for LogIndex {
    fn of(row: &Row<'_>, i: usize) -> Result<Self, Problem> {
        u64::of(row, i).map(Self)
    }
}
impl Column for Second {
    fn of(row: &Row<'_>, i: usize) -> Result<Self, Problem> {
        row.get(i).map(Self::from_unix).map_err(failed)
    }
}
impl<T: Column> Column for Option<T> {
    fn of(row: &Row<'_>, i: usize) -> Result<Self, Problem> {
        let null = row.get_ref(i).map_err(failed)? == rusqlite::types::ValueRef::Null;
        if null { Ok(None) } else { T::of(row, i).map(Some) }
    }
}

macro_rules! digest_columns {
    ($($name:ident)*) => {$(
        impl Column for $name {
            fn of(row: &Row<'_>, i: usize) -> Result<Self, Problem> {
                <[u8; 32]>::of(row, i).map(Self::from_bytes)
            }
        }
    )*};
}
digest_columns! { BatchId Blob Digest NoteId SealedDigest }

macro_rules! text_columns {
    ($($name:ident)*) => {$(
        impl Column for $name {
            fn of(row: &Row<'_>, i: usize) -> Result<Self, Problem> {
                parsed(row, i)
            }
        }
    )*};
}
text_columns! { KeyRef Member RecordId }

/// A text column that parses.
pub(in crate::store) fn parsed<T: FromStr>(row: &Row<'_>, i: usize) -> Result<T, Problem> {
    String::of(row, i)?.parse().map_err(|_| damaged())
}

/// Epoch and sequence in columns `i` and `i + 1`.
pub(in crate::store) fn place(row: &Row<'_>, i: usize) -> Result<Place, Problem> {
    Place::new(u32::of(row, i)?, u64::of(row, i + 1)?).map_err(|_| damaged())
}

/// Epoch and number in columns `i` and `i + 1`.
pub(in crate::store) fn number(row: &Row<'_>, i: usize) -> Result<Number, Problem> {
    Number::new(u32::of(row, i)?, u64::of(row, i + 1)?).map_err(|_| damaged())
}

/// A name as a parameter.
pub(in crate::store) fn text(name: &impl Display) -> String {
    name.to_string()
}

/// At most one row.
pub(in crate::store) fn maybe<T>(
    c: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnOnce(&Row<'_>) -> Result<T, Problem>,
) -> Result<Option<T>, Problem> {
    let mut statement = prepare(c, sql)?;
    statement.query_row(params, |row| Ok(read(row))).optional().map_err(failed)?.transpose()
}

/// All rows, in order.
pub(in crate::store) fn all<T>(
    c: &Connection,
    sql: &str,
    params: impl Params,
    read: impl Fn(&Row<'_>) -> Result<T, Problem>,
) -> Result<Vec<T>, Problem> {
    let mut found = Vec::new();
    each(c, sql, params, |row| read(row).map(|row| found.push(row)))?;
    Ok(found)
}

/// Looks at each row, in order, and holds none: for what grows with the number of residents.
pub(in crate::store) fn each(
    c: &Connection,
    sql: &str,
    params: impl Params,
    mut look: impl FnMut(&Row<'_>) -> Result<(), Problem>,
) -> Result<(), Problem> {
    let mut statement = prepare(c, sql)?;
    let mut rows = statement.query(params).map_err(failed)?;
    while let Some(row) = rows.next().map_err(failed)? {
        look(row)?;
    }
    Ok(())
}

/// Changes rows.
pub(in crate::store) fn put(c: &Connection, sql: &str, params: impl Params) -> Result<(), Problem> {
    prepare(c, sql)?.execute(params).map(|_| ()).map_err(failed)
}

fn prepare<'c>(c: &'c Connection, sql: &str) -> Result<CachedStatement<'c>, Problem> {
    #[cfg(test)]
    asked::keep(sql);
    c.prepare_cached(sql).map_err(failed)
}

/// Every query that tests of this process have asked, so that one of them can look at how SQLite answers them.
#[cfg(test)]
pub(crate) mod asked {
    use std::{collections::BTreeSet, sync::Mutex};

    static ASKED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

    std::thread_local! {
        /// Statements that this thread has asked: a database writes on one thread of its own.
        static COUNT: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
    }

    /// How many statements this thread has asked so far.
    pub(crate) fn count() -> u64 {
        COUNT.get()
    }

    pub(super) fn keep(sql: &str) {
        COUNT.set(COUNT.get() + 1);
        let mut asked = ASKED.lock().expect("nobody panics while holding it");
        if !asked.contains(sql) {
            asked.insert(sql.to_owned());
        }
    }

    pub(crate) fn all() -> Vec<String> {
        ASKED.lock().expect("nobody panics while holding it").iter().cloned().collect()
    }
}
