//! A large registry out of a small one: every row about a resident again and again under new random keys. The same tables,
//! the same indexes, keys spread as digests and random ids spread them; what the rows say of each other (the match key
//! inside of a link, say) is not recomputed, because no query that is timed reads it. Entries of the log, their hashes and
//! outcomes are not multiplied: they grow at their end.
//!
//! It goes in layers, each sorted by key through the whole of a table: so nearly no page is written twice a layer, and yet
//! pages are as full as random arrival leaves them, not packed.

use std::path::Path;

use rusqlite::Connection;

use crate::world::{Broken, Sure};

/// How often all tables are gone through.
const LAYERS: i64 = 4;

/// Nothing here needs to survive a crash: what is broken off is made again.
const START: &str = "
    PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -2000000;
    CREATE TEMP TABLE first_records AS SELECT unit, record, sealed FROM deliveries;
    CREATE TEMP TABLE first_batches AS SELECT id FROM batches;
    CREATE TEMP TABLE turns (turn INTEGER PRIMARY KEY);
    CREATE TEMP TABLE record_keys (record TEXT, turn INTEGER, unit TEXT, sealed BLOB, fresh TEXT, fresh_sealed BLOB, reference TEXT,
        PRIMARY KEY (record, turn)) WITHOUT ROWID;
    CREATE TEMP TABLE batch_keys (id BLOB, turn INTEGER, fresh BLOB, PRIMARY KEY (id, turn)) WITHOUT ROWID;";

/// New keys for every record and batch of the first filling, for each turn of a layer.
const KEYS: &str = "
    DELETE FROM temp.record_keys; DELETE FROM temp.batch_keys;
    INSERT INTO temp.record_keys SELECT record, turn, unit, sealed, lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' ||
        substr(hex(randomblob(2)), 2) || '-8' || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6))), randomblob(32),
        lower(hex(randomblob(16))) FROM temp.first_records, temp.turns;
    INSERT INTO temp.batch_keys SELECT id, turn, randomblob(32) FROM temp.first_batches, temp.turns;";

/// Rows of one layer. Numbers and sequences are moved by so many turns, so that none is there twice, and log indexes to below
/// those of the first filling: those above are for what comes.
const COPIES: &str = "
    INSERT INTO batches SELECT k.fresh, b.idx - k.turn * 1000000, b.received, b.unit, b.epoch, b.sequence + k.turn * 1000,
        CASE WHEN b.previous IS NOT NULL THEN randomblob(32) END, b.manifest, b.payload, b.payload_size, b.lines, b.quarantined, b.roster,
        b.unit_key, b.approver
        FROM temp.batch_keys k JOIN batches b ON b.id = k.id ORDER BY k.fresh;
    INSERT INTO merge_work SELECT k.fresh, w.idx - k.turn * 1000000, w.state, w.lease, w.attempts, w.due
        FROM temp.batch_keys k JOIN merge_work w ON k.id = w.batch ORDER BY k.fresh;
    INSERT INTO lines SELECT k.fresh, l.line, l.unit, l.epoch, l.number + k.turn * 1000000, r.fresh, r.fresh_sealed, l.start, l.size, l.roster, l.key,
        l.idx - k.turn * 1000000
        FROM temp.batch_keys k JOIN lines l ON l.batch = k.id JOIN temp.record_keys r ON r.record = l.record AND r.turn = k.turn
        ORDER BY k.fresh, l.line;
    INSERT INTO deliveries SELECT k.fresh, d.line, d.unit, r.fresh, r.fresh_sealed, d.found
        FROM temp.batch_keys k JOIN deliveries d ON d.batch = k.id JOIN temp.record_keys r ON r.record = d.record AND r.turn = k.turn
        ORDER BY k.fresh, d.line;
    INSERT INTO firsts SELECT k.fresh, f.line, f.fate FROM temp.batch_keys k JOIN firsts f ON f.batch = k.id ORDER BY k.fresh, f.line;
    INSERT INTO essences SELECT e.unit, r.fresh, r.fresh_sealed, e.essence
        FROM temp.record_keys r JOIN essences e ON e.unit = r.unit AND e.record = r.record AND e.sealed = r.sealed
        ORDER BY e.unit, r.fresh;
    INSERT INTO records SELECT f.unit, r.fresh, r.fresh_sealed, 'merged ' || r.reference, r.reference, f.against, f.place, k.fresh, f.line,
        f.epoch, f.number + r.turn * 1000000, f.holds_id, f.holds_number, f.mode, f.decision, f.blind
        FROM temp.record_keys r JOIN records f ON f.unit = r.unit AND f.record = r.record AND f.sealed = r.sealed
        JOIN temp.batch_keys k ON k.id = f.batch AND k.turn = r.turn ORDER BY f.unit, r.fresh;
    INSERT INTO residents SELECT r.reference, e.fields, e.parts, e.sources, e.documents, e.identity, e.founded
        FROM temp.record_keys r JOIN records f ON f.unit = r.unit AND f.record = r.record AND f.sealed = r.sealed
        JOIN residents e ON e.reference = f.subject;
    INSERT INTO resident_keys SELECT substr(k.key, 1, instr(k.key, '-')) || lower(hex(randomblob(32))), r.reference, k.rules
        FROM temp.record_keys r JOIN records f ON f.unit = r.unit AND f.record = r.record AND f.sealed = r.sealed
        JOIN resident_keys k ON k.reference = f.subject;";

/// Until `first` residents are `times` as many.
pub fn grow(path: &Path, first: u64, times: u64) -> Sure<()> {
    let mut db = Connection::open(path)?;
    db.execute_batch(START)?;
    let residents = |db: &Connection| db.query_row("SELECT count(*) FROM residents", [], |r| r.get::<_, i64>(0));
    let before = residents(&db)?;
    let (first, times) = (i64::try_from(first)?, i64::try_from(times)?);
    for layer in 0..LAYERS {
        let tx = db.transaction()?;
        tx.execute("DELETE FROM temp.turns", [])?;
        for turn in (1..times).filter(|turn| turn % LAYERS == layer) {
            tx.execute("INSERT INTO temp.turns VALUES (?1)", [turn])?;
        }
        tx.execute_batch(KEYS)?;
        tx.execute_batch(COPIES)?;
        tx.commit()?;
    }
    let grown = residents(&db)?;
    let told = || Broken(format!("{grown} residents out of {before}"));
    if (before, grown) == (first, first * times) { Ok(()) } else { Err(told()) }
}
