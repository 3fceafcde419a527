//! What units say of themselves: announcements, hellos, heads; and what follows from them.

use rusqlite::{Connection, params};
use shared::{
    hello::{Known, State},
    id::{BatchId, Blob, LogIndex, Member, NoteId, Number, Place},
    keys::KeyRef,
    log::{Body, Entry, HeadEntry},
    problem::Problem,
    time::Second,
};

use super::{
    super::{AnnouncedBatch, Gap, HeadWitness, Heard, HelloFacts, Word},
    columns::{Column, Row, all, damaged, int, maybe, parsed, place, put, text},
};

pub(super) fn announce(c: &Connection, batch: &AnnouncedBatch) -> Result<(), Problem> {
    put(
        c,
        "INSERT OR IGNORE INTO announced (id, unit, epoch, sequence, previous, unit_key) SELECT ?1, ?2, ?3, ?4, ?5, ?6
         WHERE NOT EXISTS (SELECT 1 FROM batches WHERE id = ?1)",
        params![
            batch.id.as_bytes(),
            text(&batch.unit),
            batch.place.epoch,
            int(batch.place.sequence),
            batch.previous.as_ref().map(BatchId::as_bytes),
            text(&batch.unit_key)
        ],
    )
}

pub(super) fn announced(c: &Connection, unit: &Member) -> Result<Vec<AnnouncedBatch>, Problem> {
    let sql = "SELECT id, epoch, sequence, previous, unit_key FROM announced WHERE unit = ?1 ORDER BY epoch, sequence, id";
    all(c, sql, [text(unit)], |row| {
        let (id, previous, unit_key) = (Column::read(row, 0)?, Option::read(row, 3)?, Column::read(row, 4)?);
        Ok(AnnouncedBatch { id, unit: unit.clone(), place: place(row, 1)?, previous, unit_key })
    })
}

pub(in crate::store) fn frozen(c: &Connection, key: &KeyRef) -> Result<Option<LogIndex>, Problem> {
    maybe(c, "SELECT idx FROM freezes WHERE key = ?1", [text(key)], LogIndex::read_first)
}

/// Hellos that the log doesn't state count for nothing here: a rebuilt ledger doesn't know them.
pub(super) fn contradicted(c: &Connection, key: &KeyRef, place: Place, batch: BatchId) -> Result<bool, Problem> {
    let sql = "SELECT 1 FROM heads WHERE key = ?1 AND idx IS NOT NULL AND head_epoch = ?2 AND head = ?3 AND head_id != ?4 LIMIT 1";
    Ok(maybe(c, sql, params![text(key), place.epoch, int(place.sequence), batch.as_bytes()], |_| Ok(()))?.is_some())
}

/// Places shown by anything of this unit whose word counts, with the highest sequence of each epoch.
const SHOWN: &str = "SELECT epoch, max(sequence) FROM (
        SELECT epoch, sequence FROM batches WHERE unit = ?1 AND coalesce(quarantined, '') NOT IN ('revoked', 'frozen')
        UNION ALL SELECT a.epoch, a.sequence FROM announced a WHERE a.unit = ?1
                  AND NOT EXISTS (SELECT 1 FROM ends e WHERE e.key = a.unit_key AND e.cut IS NOT NULL)
                  AND NOT EXISTS (SELECT 1 FROM freezes f WHERE f.key = a.unit_key)
        UNION ALL SELECT h.head_epoch, h.head FROM heads h
                  WHERE h.unit = ?1 AND h.head IS NOT NULL AND (h.idx IS NULL OR h.idx < coalesce(
                      (SELECT e.cut FROM ends e WHERE e.key = h.key ORDER BY e.idx DESC LIMIT 1), 9007199254740992))
    ) GROUP BY epoch ORDER BY epoch";

pub(super) fn missing(c: &Connection, unit: &Member, limit: usize) -> Result<Vec<Gap>, Problem> {
    let mut gaps: Vec<Gap> = Vec::new();
    let mut room = limit as u64;
    for (epoch, last) in all(c, SHOWN, [text(unit)], |row| Ok((u32::read(row, 0)?, u64::read(row, 1)?)))? {
        let sql = "SELECT DISTINCT sequence FROM batches WHERE unit = ?1 AND epoch = ?2 ORDER BY sequence";
        let mut next = 1;
        for logged in all(c, sql, params![text(unit), epoch], |row| u64::read(row, 0))?.into_iter().chain([last + 1]) {
            // stops at the limit, however high a sequence somebody claims
            let end = logged.min(last + 1).min(next + room);
            if next < end {
                room -= end - next;
                let at = |sequence| Place::new(epoch, sequence).map_err(|_| damaged());
                let (first, last) = (at(next)?, at(end - 1)?);
                gaps.push(Gap { first, last, since: shown_since(c, unit, last)? });
            }
            next = logged + 1;
        }
    }
    Ok(gaps)
}

/// When a row `h` of `heads` came: its hello first, else its entry.
pub(in crate::store) const SAID_AT: &str = "coalesce((SELECT min(o.first) FROM hellos o WHERE o.key = h.key AND o.counter = h.counter),
    (SELECT e.received FROM entries e WHERE e.idx = h.idx))";

/// When a later batch came, or a hello that names this one or a later one.
fn shown_since(c: &Connection, unit: &Member, place: Place) -> Result<Option<Second>, Problem> {
    let sql = format!(
        "SELECT min(shown) FROM (
            SELECT min(received) AS shown FROM batches WHERE unit = ?1 AND epoch = ?2 AND sequence > ?3
            UNION ALL SELECT {SAID_AT} FROM heads h WHERE h.unit = ?1 AND h.head_epoch = ?2 AND h.head >= ?3)"
    );
    Ok(maybe(c, &sql, params![text(unit), place.epoch, int(place.sequence)], |row| Option::<Second>::read(row, 0))?.flatten())
}

pub(super) fn hello(c: &Connection, hello: &HelloFacts) -> Result<Known, Problem> {
    let HelloFacts { sender, key, counter, id, head, number, first, note, word, .. } = hello;
    let known = known(c, hello)?;
    // a carrier has no state
    let state = if hello.epoch == 0 { State::Ok } else { State::of_unit(*counter, *id, *head, &known) };
    keep_hello(c, key, *counter, id, (*first, state), note)?;
    let contradicts = known.at_head.is_some_and(|other| head.is_some_and(|(_, id)| id != other));
    if *word == Word::Counts && known.same_counter.is_none() && !contradicts {
        keep_head(c, key, sender, *counter, *head, *number)?;
    }
    Ok(known)
}

fn known(c: &Connection, hello: &HelloFacts) -> Result<Known, Problem> {
    let (unit, epoch, key) = (text(&hello.sender), hello.epoch, text(&hello.key));
    let highest = "SELECT coalesce(max(counter), 0) FROM hellos WHERE key = ?1";
    // each of the two reads the last row of an index
    let newest = "SELECT ?2, max(sequence) FROM (
            SELECT max(sequence) AS sequence FROM batches WHERE unit = ?1 AND epoch = ?2
            UNION ALL SELECT max(head) FROM heads WHERE unit = ?1 AND head_epoch = ?2 AND key = ?3
        ) HAVING max(sequence) IS NOT NULL";
    // Several ids of one counter: the same one first, so that a repeat is seen as one.
    let same = "SELECT id FROM hellos WHERE key = ?1 AND counter = ?2 ORDER BY id = ?3 DESC LIMIT 1";
    Ok(Known {
        frozen: frozen(c, &hello.key)?.is_some(),
        same_counter: maybe(c, same, params![key, int(hello.counter), hello.id.as_bytes()], Column::read_first)?,
        counter: maybe(c, highest, [&key], |row| u64::read(row, 0))?.unwrap_or(0),
        at_head: match hello.head {
            Some((place, id)) => at_place(c, hello, place, id)?,
            None => None,
        },
        newest: maybe(c, newest, params![unit, epoch, key], |row| place(row, 0))?,
    })
}

/// Which batch this key has shown at a place: logged or announced, where the place is of its own epoch, or named by its hellos. Where
/// several are, another one than `claimed` comes first only if `claimed` is not among them.
fn at_place(c: &Connection, hello: &HelloFacts, place: Place, claimed: BatchId) -> Result<Option<BatchId>, Problem> {
    let sql = "SELECT id FROM (
            SELECT id, 0 AS rank FROM batches WHERE unit = ?1 AND epoch = ?2 AND sequence = ?3 AND epoch = ?6
            UNION ALL SELECT id, 1 FROM announced WHERE unit = ?1 AND epoch = ?2 AND sequence = ?3 AND epoch = ?6
            UNION ALL SELECT head_id, 2 FROM heads WHERE unit = ?1 AND head_epoch = ?2 AND head = ?3 AND key = ?5
        ) ORDER BY id = ?4 DESC, rank LIMIT 1";
    let at = params![text(&hello.sender), place.epoch, int(place.sequence), claimed.as_bytes(), text(&hello.key), hello.epoch];
    maybe(c, sql, at, Column::read_first)
}

fn heard(row: &Row<'_>) -> Result<Heard, Problem> {
    Ok(Heard { key: parsed(row, 0)?, first: Second::read(row, 1)?, note: Vec::read(row, 2)? })
}

pub(super) fn unlogged_hellos(c: &Connection) -> Result<Vec<Heard>, Problem> {
    let sql = "SELECT key, first, note FROM hellos h
               WHERE state <> 'ok' OR counter > coalesce((SELECT max(d.counter) FROM heads d WHERE d.key = h.key AND d.idx IS NOT NULL), 0)
               ORDER BY first, key, counter";
    all(c, sql, [], heard)
}

pub(super) fn rewound(c: &Connection) -> Result<Vec<(KeyRef, Second)>, Problem> {
    let sql = "SELECT key, min(first) FROM hellos WHERE state = 'vault-rewound' GROUP BY key ORDER BY key";
    all(c, sql, [], |row| Ok((parsed(row, 0)?, Second::read(row, 1)?)))
}

pub(super) fn newest_hellos(c: &Connection) -> Result<Vec<Heard>, Problem> {
    let sql = "SELECT key, first, note, max(counter) FROM hellos GROUP BY key ORDER BY key";
    all(c, sql, [], heard)
}

pub(super) fn keep_hello(
    c: &Connection,
    key: &KeyRef,
    counter: u64,
    id: &NoteId,
    heard: (Second, State),
    note: &[u8],
) -> Result<(), Problem> {
    put(
        c,
        "INSERT OR IGNORE INTO hellos (key, counter, id, first, state, note) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![text(key), int(counter), id.as_bytes(), heard.0.unix(), heard.1.as_str(), note],
    )
}

pub(super) fn keep_head(
    c: &Connection,
    key: &KeyRef,
    unit: &Member,
    counter: u64,
    head: Option<(Place, BatchId)>,
    number: Option<Number>,
) -> Result<(), Problem> {
    put(
        c,
        "INSERT OR IGNORE INTO heads (key, counter, unit, head_epoch, head, head_id, number_epoch, number)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            text(key),
            int(counter),
            text(unit),
            head.map(|(place, _)| place.epoch),
            head.map(|(place, _)| int(place.sequence)),
            head.as_ref().map(|(_, id)| id.as_bytes()),
            number.map(|n| n.epoch),
            number.map(|n| int(n.number)),
        ],
    )
}

pub(super) fn logged_head(c: &Connection, key: &KeyRef) -> Result<Option<(Second, HeadEntry)>, Problem> {
    let sql = "SELECT e.received, e.leaf FROM heads h JOIN entries e ON e.idx = h.idx
               WHERE h.key = ?1 AND h.idx IS NOT NULL ORDER BY h.idx DESC LIMIT 1";
    let found = maybe(c, sql, [text(key)], |row| Ok((Second::read(row, 0)?, Vec::read(row, 1)?)))?;
    let Some((received, leaf)) = found else { return Ok(None) };
    match Entry::parse(&leaf)?.body {
        Body::Head(head) => Ok(Some((received, head))),
        _ => Err(super::columns::damaged()),
    }
}

pub(super) fn heads_since(c: &Connection, key: &KeyRef, since: Second) -> Result<u64, Problem> {
    let sql = "SELECT count(*) FROM heads h JOIN entries e ON e.idx = h.idx WHERE h.key = ?1 AND h.idx IS NOT NULL AND e.received >= ?2";
    Ok(maybe(c, sql, params![text(key), since.unix()], |row| u64::read(row, 0))?.unwrap_or(0))
}

pub(super) fn head_witness(c: &Connection, key: &KeyRef, unit: &Member, place: Place) -> Result<Option<HeadWitness>, Problem> {
    let at = params![text(unit), place.epoch, int(place.sequence), text(key)];
    let logged = "SELECT manifest FROM batches WHERE unit = ?1 AND epoch = ?2 AND sequence = ?3 AND unit_key = ?4 ORDER BY idx LIMIT 1";
    if let Some(manifest) = maybe(c, logged, at, Blob::read_first)? {
        return Ok(Some(HeadWitness::Logged(manifest)));
    }
    let announced = "SELECT id FROM announced WHERE unit = ?1 AND epoch = ?2 AND sequence = ?3 ORDER BY id LIMIT 1";
    if let Some(id) = maybe(c, announced, params![text(unit), place.epoch, int(place.sequence)], BatchId::read_first)? {
        return Ok(Some(HeadWitness::Announced(id)));
    }
    let said = "SELECT h.note FROM heads d JOIN hellos h ON h.key = d.key AND h.counter = d.counter
                WHERE d.unit = ?1 AND d.head_epoch = ?2 AND d.head = ?3 AND d.key = ?4 ORDER BY d.counter LIMIT 1";
    Ok(maybe(c, said, at, |row: &Row<'_>| Vec::read(row, 0))?.map(HeadWitness::Hello))
}
