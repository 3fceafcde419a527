//! Rows as types: each type has one spelling as a column, and is read into its type at this border.
//!
//! **Trust:** a row that does not read as what was written there was changed by somebody else. Which code that has, and which a
//! statement that fails, says the [`Store`].

use std::{fmt::Display, marker::PhantomData, ops::Deref, str::FromStr};

use rusqlite::{CachedStatement, Connection, OptionalExtension as _, Params};
use shared::{
    id::{LogIndex, Number, Place},
    problem::Problem,
    time::Second,
};

/// Whose rows they are.
pub trait Store: Sized {
    /// A statement failed.
    fn failed(e: rusqlite::Error) -> Problem;
    /// A row does not read as what was written there.
    fn damaged(what: &'static str) -> Problem;
    /// A statement is about to be asked: for tests that look at all of them.
    fn asks(_sql: &str) {}
}

/// A row of a store.
pub struct Row<'r, S> {
    row: &'r rusqlite::Row<'r>,
    of: PhantomData<S>,
}

impl<'r, S> Row<'r, S> {
    /// A row that a statement of this store has given.
    pub fn of(row: &'r rusqlite::Row<'r>) -> Self {
        Self { row, of: PhantomData }
    }
}

impl<'r, S> Deref for Row<'r, S> {
    type Target = rusqlite::Row<'r>;
    fn deref(&self) -> &Self::Target {
        self.row
    }
}

/// A type that has one spelling as a column of a store.
pub trait Column<S: Store>: Sized {
    /// Reads column `i`.
    fn read(row: &Row<'_, S>, i: usize) -> Result<Self, Problem>;
    /// Reads the first column.
    fn read_first(row: &Row<'_, S>) -> Result<Self, Problem> {
        Self::read(row, 0)
    }
}

macro_rules! plain_columns {
    ($($name:ty)*) => {$(
        impl<S: Store> Column<S> for $name {
            fn read(row: &Row<'_, S>, i: usize) -> Result<Self, Problem> {
                row.get(i).map_err(S::failed)
            }
        }
    )*};
}
plain_columns! { String Vec<u8> [u8; 32] bool i64 }

impl<S: Store> Column<S> for u64 {
    fn read(row: &Row<'_, S>, i: usize) -> Result<Self, Problem> {
        Self::try_from(i64::read(row, i)?).map_err(|_| S::damaged("a count"))
    }
}
impl<S: Store> Column<S> for u32 {
    fn read(row: &Row<'_, S>, i: usize) -> Result<Self, Problem> {
        Self::try_from(i64::read(row, i)?).map_err(|_| S::damaged("a count"))
    }
}
impl<S: Store> Column<S> for LogIndex {
    fn read(row: &Row<'_, S>, i: usize) -> Result<Self, Problem> {
        u64::read(row, i).map(Self)
    }
}
impl<S: Store> Column<S> for Second {
    fn read(row: &Row<'_, S>, i: usize) -> Result<Self, Problem> {
        i64::read(row, i).map(Self::from_unix)
    }
}
impl<S: Store, T: Column<S>> Column<S> for Option<T> {
    fn read(row: &Row<'_, S>, i: usize) -> Result<Self, Problem> {
        let null = row.get_ref(i).map_err(S::failed)? == rusqlite::types::ValueRef::Null;
        if null { Ok(None) } else { T::read(row, i).map(Some) }
    }
}

/// A text column that parses.
pub fn parsed<S: Store, T: FromStr>(row: &Row<'_, S>, i: usize) -> Result<T, Problem> {
    String::read(row, i)?.parse().map_err(|_| S::damaged("a value of a row"))
}

/// Epoch and number in columns `i` and `i + 1`.
pub fn number<S: Store>(row: &Row<'_, S>, i: usize) -> Result<Number, Problem> {
    Number::new(u32::read(row, i)?, u64::read(row, i + 1)?).map_err(|_| S::damaged("a number"))
}

/// Epoch and sequence in columns `i` and `i + 1`.
pub fn place<S: Store>(row: &Row<'_, S>, i: usize) -> Result<Place, Problem> {
    Place::new(u32::read(row, i)?, u64::read(row, i + 1)?).map_err(|_| S::damaged("a place"))
}

/// A name as a parameter.
pub fn text(name: &impl Display) -> String {
    name.to_string()
}

/// A count as SQLite keeps it.
pub fn int(n: u64) -> i64 {
    i64::try_from(n).expect("counts stay below 2^53")
}

/// At most one row.
pub fn maybe<S: Store, T>(
    c: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnOnce(&Row<'_, S>) -> Result<T, Problem>,
) -> Result<Option<T>, Problem> {
    let mut statement = prepare::<S>(c, sql)?;
    statement.query_row(params, |row| Ok(read(&Row::of(row)))).optional().map_err(S::failed)?.transpose()
}

/// All rows, in order.
pub fn all<S: Store, T>(
    c: &Connection,
    sql: &str,
    params: impl Params,
    read: impl Fn(&Row<'_, S>) -> Result<T, Problem>,
) -> Result<Vec<T>, Problem> {
    let mut found = Vec::new();
    each::<S>(c, sql, params, |row| read(row).map(|row| found.push(row)))?;
    Ok(found)
}

/// Looks at each row, in order, and holds none: for what grows with the number of residents.
pub fn each<S: Store>(
    c: &Connection,
    sql: &str,
    params: impl Params,
    mut look: impl FnMut(&Row<'_, S>) -> Result<(), Problem>,
) -> Result<(), Problem> {
    let mut statement = prepare::<S>(c, sql)?;
    let mut rows = statement.query(params).map_err(S::failed)?;
    while let Some(row) = rows.next().map_err(S::failed)? {
        look(&Row::of(row))?;
    }
    Ok(())
}

/// Changes rows.
pub fn put<S: Store>(c: &Connection, sql: &str, params: impl Params) -> Result<(), Problem> {
    prepare::<S>(c, sql)?.execute(params).map(|_| ()).map_err(S::failed)
}

fn prepare<'c, S: Store>(c: &'c Connection, sql: &str) -> Result<CachedStatement<'c>, Problem> {
    S::asks(sql);
    c.prepare_cached(sql).map_err(S::failed)
}
