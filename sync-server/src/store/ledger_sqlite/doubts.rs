//! Blobs of the archive that were found missing or wrong, and how far reading all of them again has come. No log says it: after a
//! rebuild the next pass finds them again.

use rusqlite::{Connection, params};
use shared::{
    id::{Blob, Member, Place},
    problem::Problem,
    time::Second,
};

use super::columns::{Column, Row, all, int, maybe, place, put, text};

pub(super) fn all_of_them(c: &Connection) -> Result<Vec<(Blob, Second)>, Problem> {
    all(c, "SELECT blob, since FROM doubts ORDER BY blob", [], |row| Ok((Blob::read(row, 0)?, Second::read(row, 1)?)))
}

pub(super) fn keep(c: &Connection, wrong: &[Blob], right: &[Blob], now: Second) -> Result<(), Problem> {
    for blob in wrong {
        put(c, "INSERT OR IGNORE INTO doubts (blob, since) VALUES (?1, ?2)", params![blob.as_bytes(), now.unix()])?;
    }
    right.iter().try_for_each(|blob| put(c, "DELETE FROM doubts WHERE blob = ?1", [blob.as_bytes()]))
}

pub(super) fn named(c: &Connection, first: u8) -> Result<Vec<Blob>, Problem> {
    // reads all batches, once in a step of a pass that takes weeks
    let sql = "SELECT manifest FROM batches WHERE substr(manifest, 1, 1) = ?1
               UNION SELECT payload FROM batches WHERE payload_size > 0 AND substr(payload, 1, 1) = ?1";
    all(c, sql, [&[first][..]], Blob::read_first)
}

pub(super) fn of_unit(c: &Connection, unit: &Member, limit: usize) -> Result<Vec<Place>, Problem> {
    if maybe(c, "SELECT max(blob) FROM doubts", [], Option::<Blob>::read_first)?.flatten().is_none() {
        return Ok(Vec::new());
    }
    // two at one place are a fork: it is named once
    let sql = "SELECT DISTINCT epoch, sequence FROM batches
               WHERE unit = ?1 AND (EXISTS (SELECT 1 FROM doubts WHERE blob = manifest) OR EXISTS (SELECT 1 FROM doubts WHERE blob = payload))
               ORDER BY epoch, sequence LIMIT ?2";
    all(c, sql, params![text(unit), int(limit as u64)], |row| place(row, 0))
}

pub(super) fn scrubbed(c: &Connection) -> Result<Option<(Second, u16)>, Problem> {
    maybe(c, "SELECT began, next FROM scrub", [], |row: &Row<'_>| {
        let next = u64::read(row, 1)?;
        Ok((Second::read(row, 0)?, u16::try_from(next).map_err(|_| super::columns::damaged())?))
    })
}

pub(super) fn scrub(c: &Connection, began: Second, next: u16) -> Result<(), Problem> {
    put(c, "INSERT OR REPLACE INTO scrub (one, began, next) VALUES (1, ?1, ?2)", params![began.unix(), next])
}
