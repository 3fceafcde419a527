//! Our types as columns of the centre's database: digests are 32-byte blobs, counts are integers below 2^53, names are text.

use ground::sqlite::rows::{self, Store};
pub(in crate::store) use ground::sqlite::rows::{Column, int, number, parsed, place, text};
use rusqlite::{Connection, Params};
use shared::{
    id::{BatchId, Blob, Digest, Member, NoteId, RecordId, SealedDigest},
    keys::KeyRef,
    problem::{Code, Problem},
};

use super::super::sqlite::failed;

/// The rows of the centre's database.
pub(in crate::store) struct Own;

impl Store for Own {
    fn failed(e: rusqlite::Error) -> Problem {
        failed(e)
    }
    fn damaged(_: &'static str) -> Problem {
        damaged()
    }
    #[cfg(test)]
    fn asks(sql: &str) {
        asked::keep(sql);
    }
}

/// A row of the centre's database.
pub(in crate::store) type Row<'r> = rows::Row<'r, Own>;

/// A row that does not read as what was written: the file was changed by somebody else.
pub(in crate::store) fn damaged() -> Problem {
    Problem::new(Code::DatabaseFailed, "a row of the database cannot be read")
}

macro_rules! digest_columns {
    ($($name:ident)*) => {$(
        impl Column<Own> for $name {
            fn read(row: &Row<'_>, i: usize) -> Result<Self, Problem> {
                <[u8; 32]>::read(row, i).map(Self::from_bytes)
            }
        }
    )*};
}
digest_columns! { BatchId Blob Digest NoteId SealedDigest }

macro_rules! text_columns {
    ($($name:ident)*) => {$(
        impl Column<Own> for $name {
            fn read(row: &Row<'_>, i: usize) -> Result<Self, Problem> {
                parsed(row, i)
            }
        }
    )*};
}
text_columns! { KeyRef Member RecordId }

/// At most one row.
pub(in crate::store) fn maybe<T>(
    c: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnOnce(&Row<'_>) -> Result<T, Problem>,
) -> Result<Option<T>, Problem> {
    rows::maybe(c, sql, params, read)
}

/// All rows, in order.
pub(in crate::store) fn all<T>(
    c: &Connection,
    sql: &str,
    params: impl Params,
    read: impl Fn(&Row<'_>) -> Result<T, Problem>,
) -> Result<Vec<T>, Problem> {
    rows::all(c, sql, params, read)
}

/// Looks at each row, in order, and holds none: for what grows with the number of residents.
pub(in crate::store) fn each(
    c: &Connection,
    sql: &str,
    params: impl Params,
    look: impl FnMut(&Row<'_>) -> Result<(), Problem>,
) -> Result<(), Problem> {
    rows::each(c, sql, params, look)
}

/// Changes rows.
pub(in crate::store) fn put(c: &Connection, sql: &str, params: impl Params) -> Result<(), Problem> {
    rows::put::<Own>(c, sql, params)
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
