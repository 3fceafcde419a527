//! What units say of themselves: announcements, hellos, heads; and what follows from them.

use rusqlite::{Connection, Row, params};
use shared::{
    hello::Known,
    id::{BatchId, Blob, LogIndex, Member, NoteId, Number, Place},
    log::{Body, Entry, HeadEntry},
    problem::Problem,
    time::Second,
};

use super::{
    super::{AnnouncedBatch, HeadWitness, HelloFacts},
    columns::{Column, all, int, maybe, place, put, text},
};

pub(super) fn announce(c: &Connection, batch: &AnnouncedBatch) -> Result<(), Problem> {
    put(
        c,
        "INSERT OR IGNORE INTO announced (id, unit, epoch, sequence, previous) SELECT ?1, ?2, ?3, ?4, ?5
         WHERE NOT EXISTS (SELECT 1 FROM batches WHERE id = ?1)",
        params![
            batch.id.as_bytes(),
            text(&batch.unit),
            batch.place.epoch,
            int(batch.place.sequence),
            batch.previous.as_ref().map(BatchId::as_bytes)
        ],
    )
}

pub(super) fn announced(c: &Connection, unit: &Member) -> Result<Vec<AnnouncedBatch>, Problem> {
    let sql = "SELECT id, epoch, sequence, previous FROM announced WHERE unit = ?1 ORDER BY epoch, sequence, id";
    all(c, sql, [text(unit)], |row| {
        Ok(AnnouncedBatch { id: Column::of(row, 0)?, unit: unit.clone(), place: place(row, 1)?, previous: Option::of(row, 3)? })
    })
}

pub(in crate::store) fn frozen(c: &Connection, unit: &Member, epoch: u32) -> Result<Option<LogIndex>, Problem> {
    maybe(c, "SELECT idx FROM freezes WHERE unit = ?1 AND epoch = ?2", params![text(unit), epoch], |row| LogIndex::of(row, 0))
}

/// Places shown by anything of this unit, with the highest sequence of each epoch.
const SHOWN: &str = "SELECT epoch, max(sequence) FROM (
        SELECT epoch, sequence FROM batches WHERE unit = ?1
        UNION ALL SELECT epoch, sequence FROM announced WHERE unit = ?1
        UNION ALL SELECT head_epoch, head FROM heads WHERE unit = ?1 AND head IS NOT NULL
    ) GROUP BY epoch ORDER BY epoch";

pub(super) fn missing(c: &Connection, unit: &Member, limit: usize) -> Result<Vec<Place>, Problem> {
    let mut found = Vec::new();
    for (epoch, last) in all(c, SHOWN, [text(unit)], |row| Ok((u32::of(row, 0)?, u64::of(row, 1)?)))? {
        let sql = "SELECT DISTINCT sequence FROM batches WHERE unit = ?1 AND epoch = ?2 ORDER BY sequence";
        let logged = all(c, sql, params![text(unit), epoch], |row| u64::of(row, 0))?;
        let mut logged = logged.into_iter().peekable();
        // stops at the limit, however high a sequence somebody claims
        for sequence in 1..=last {
            if found.len() >= limit {
                return Ok(found);
            }
            if logged.next_if_eq(&sequence).is_none() {
                found.extend(Place::new(epoch, sequence));
            }
        }
    }
    Ok(found)
}

pub(super) fn hello(c: &Connection, hello: &HelloFacts) -> Result<Known, Problem> {
    let HelloFacts { sender, epoch, counter, id, head, number, first, note } = hello;
    let known = known(c, hello)?;
    keep_hello(c, sender, *epoch, *counter, id, *first, Some(note))?;
    let contradicts = known.at_head.is_some_and(|other| head.is_some_and(|(_, id)| id != other));
    if known.same_counter.is_none() && !contradicts {
        keep_head(c, sender, *epoch, *counter, *head, *number)?;
    }
    Ok(known)
}

fn known(c: &Connection, hello: &HelloFacts) -> Result<Known, Problem> {
    let (unit, epoch) = (text(&hello.sender), hello.epoch);
    let highest = "SELECT coalesce(max(counter), 0) FROM hellos WHERE unit = ?1 AND epoch = ?2";
    // each of the two reads the last row of an index
    let newest = "SELECT ?2, max(sequence) FROM (
            SELECT max(sequence) AS sequence FROM batches WHERE unit = ?1 AND epoch = ?2
            UNION ALL SELECT max(head) FROM heads WHERE unit = ?1 AND head_epoch = ?2
        ) HAVING max(sequence) IS NOT NULL";
    // Several ids of one counter: the same one first, so that a repeat is seen as one.
    let same = "SELECT id FROM hellos WHERE unit = ?1 AND epoch = ?2 AND counter = ?3 ORDER BY id = ?4 DESC LIMIT 1";
    Ok(Known {
        frozen: frozen(c, &hello.sender, epoch)?.is_some(),
        same_counter: maybe(c, same, params![unit, epoch, int(hello.counter), hello.id.as_bytes()], Column::of_row)?,
        counter: maybe(c, highest, params![unit, epoch], |row| u64::of(row, 0))?.unwrap_or(0),
        at_head: match hello.head {
            Some((place, id)) => at_place(c, &hello.sender, place, id)?,
            None => None,
        },
        newest: maybe(c, newest, params![unit, epoch], |row| place(row, 0))?,
    })
}

/// Which batch is known at a place: logged, announced or named by a hello. Where several are, another one than
/// `claimed` comes first only if `claimed` is not among them.
fn at_place(c: &Connection, unit: &Member, place: Place, claimed: BatchId) -> Result<Option<BatchId>, Problem> {
    let sql = "SELECT id FROM (
            SELECT id, 0 AS rank FROM batches WHERE unit = ?1 AND epoch = ?2 AND sequence = ?3
            UNION ALL SELECT id, 1 FROM announced WHERE unit = ?1 AND epoch = ?2 AND sequence = ?3
            UNION ALL SELECT head_id, 2 FROM heads WHERE unit = ?1 AND head_epoch = ?2 AND head = ?3
        ) ORDER BY id = ?4 DESC, rank LIMIT 1";
    maybe(c, sql, params![text(unit), place.epoch, int(place.sequence), claimed.as_bytes()], Column::of_row)
}

pub(super) fn keep_hello(
    c: &Connection,
    unit: &Member,
    epoch: u32,
    counter: u64,
    id: &NoteId,
    first: Second,
    note: Option<&Vec<u8>>,
) -> Result<(), Problem> {
    put(
        c,
        "INSERT OR IGNORE INTO hellos (unit, epoch, counter, id, first, note) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![text(unit), epoch, int(counter), id.as_bytes(), first.unix(), note],
    )
}

pub(super) fn keep_head(
    c: &Connection,
    unit: &Member,
    epoch: u32,
    counter: u64,
    head: Option<(Place, BatchId)>,
    number: Option<Number>,
) -> Result<(), Problem> {
    put(
        c,
        "INSERT OR IGNORE INTO heads (unit, epoch, counter, head_epoch, head, head_id, number_epoch, number)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            text(unit),
            epoch,
            int(counter),
            head.map(|(place, _)| place.epoch),
            head.map(|(place, _)| int(place.sequence)),
            head.as_ref().map(|(_, id)| id.as_bytes()),
            number.map(|n| n.epoch),
            number.map(|n| int(n.number)),
        ],
    )
}

pub(super) fn logged_head(c: &Connection, unit: &Member, epoch: u32) -> Result<Option<(Second, HeadEntry)>, Problem> {
    let sql = "SELECT e.received, e.leaf FROM heads h JOIN entries e ON e.idx = h.idx
               WHERE h.unit = ?1 AND h.epoch = ?2 ORDER BY h.idx DESC LIMIT 1";
    let found = maybe(c, sql, params![text(unit), epoch], |row| Ok((Second::of(row, 0)?, Vec::of(row, 1)?)))?;
    let Some((received, leaf)) = found else { return Ok(None) };
    match Entry::parse(&leaf)?.body {
        Body::Head(head) => Ok(Some((received, head))),
        _ => Err(super::columns::damaged()),
    }
}

pub(super) fn heads_since(c: &Connection, unit: &Member, since: Second) -> Result<u64, Problem> {
    let sql = "SELECT count(*) FROM heads h JOIN entries e ON e.idx = h.idx WHERE h.unit = ?1 AND e.received >= ?2";
    Ok(maybe(c, sql, params![text(unit), since.unix()], |row| u64::of(row, 0))?.unwrap_or(0))
}

pub(super) fn head_witness(c: &Connection, unit: &Member, place: Place) -> Result<Option<HeadWitness>, Problem> {
    let at = params![text(unit), place.epoch, int(place.sequence)];
    let logged = "SELECT manifest FROM batches WHERE unit = ?1 AND epoch = ?2 AND sequence = ?3 ORDER BY idx LIMIT 1";
    if let Some(manifest) = maybe(c, logged, at, Blob::of_row)? {
        return Ok(Some(HeadWitness::Logged(manifest)));
    }
    let announced = "SELECT id FROM announced WHERE unit = ?1 AND epoch = ?2 AND sequence = ?3 ORDER BY id LIMIT 1";
    if let Some(id) = maybe(c, announced, at, BatchId::of_row)? {
        return Ok(Some(HeadWitness::Announced(id)));
    }
    let said = "SELECT h.note FROM heads d JOIN hellos h ON h.unit = d.unit AND h.epoch = d.epoch AND h.counter = d.counter
                WHERE d.unit = ?1 AND d.head_epoch = ?2 AND d.head = ?3 ORDER BY d.counter, h.note IS NULL LIMIT 1";
    Ok(maybe(c, said, at, |row: &Row<'_>| Option::of(row, 0))?.map(HeadWitness::Hello))
}
