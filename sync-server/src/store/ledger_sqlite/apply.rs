//! Following a segment: one transaction from the old head to the new.

use rusqlite::{Connection, params};
use shared::{
    batch::{Line, Manifest},
    id::{BatchId, LogIndex, SealedDigest},
    log::{BatchEntry, BatchState, Body, Entry, GuardLine, Head, HeadEntry, Segment, append},
    outcome::Outcome,
    problem::{Code, Problem},
    roster::Roster,
    time::Second,
};

use super::{
    super::{Application, Position},
    columns::{Column as _, int, maybe, put, text},
    tree::{Stored, position},
};

pub(super) fn lead_on(c: &Connection, old: Head, entries: Vec<Vec<u8>>) -> Result<Segment, Problem> {
    let at = position(c)?.line.head;
    if at != old {
        return Err(Problem::new(Code::LogInconsistent, format!("database stands at {at}, not at {old}")));
    }
    let new = append(old.size, &entries, &Stored(c))?.head;
    Ok(Segment { old, new, entries })
}

pub(super) fn apply(c: &Connection, application: &Application) -> Result<Position, Problem> {
    let Application { segment, entries, blob, .. } = application;
    let before = position(c)?;
    if segment.new.size <= before.line.head.size && super::tree::root(c, segment.new.size)? == segment.new {
        return Ok(before); // followed before, perhaps by another process
    }
    if before.line.head != segment.old {
        return Err(Problem::new(
            Code::LogInconsistent,
            format!("segment starts at {}, database stands at {}", segment.old, before.line.head),
        ));
    }
    let appended = append(segment.old.size, &segment.entries, &Stored(c))?;
    if appended.head != segment.new {
        return Err(Problem::new(Code::LogInconsistent, format!("segment to {} leads to another root", segment.new)));
    }
    for (index, hash) in (appended.first..).zip(&appended.hashes) {
        put(c, "INSERT INTO hashes (idx, hash) VALUES (?1, ?2)", params![int(index), hash.0])?;
    }
    let mut received = before.received;
    for ((index, leaf), entry) in (segment.old.size..).zip(&segment.entries).zip(entries) {
        if entry.received < received {
            return Err(Problem::new(Code::LogInconsistent, format!("log time goes back at entry {index}")));
        }
        received = entry.received;
        put(c, "INSERT INTO entries (idx, received, leaf) VALUES (?1, ?2, ?3)", params![int(index), received.unix(), leaf])?;
        follow(c, application, LogIndex(index), entry)?;
    }
    let after = Position { line: GuardLine { head: segment.new, segment: *blob }, received };
    put(
        c,
        "INSERT OR REPLACE INTO position (one, size, root, segment, received) VALUES (1, ?1, ?2, ?3, ?4)",
        params![int(segment.new.size), segment.new.root.0, blob.as_bytes(), received.unix()],
    )?;
    Ok(after)
}

/// What one entry changes. Entries about things that the database does not keep change nothing.
fn follow(c: &Connection, application: &Application, index: LogIndex, entry: &Entry) -> Result<(), Problem> {
    let note = |blob| application.notes.get(blob).ok_or_else(|| Problem::new(Code::ArchiveMissing, format!("{blob}, entry {index}")));
    let damaged = || Problem::new(Code::ArchiveDamaged, format!("entry {index} does not speak of its note"));
    match &entry.body {
        Body::Batch(batch) => {
            let manifest = Manifest::parse(note(&batch.manifest)?)?;
            if manifest.id() != batch.batch || manifest.facts().unit != batch.unit || manifest.facts().place != batch.place {
                return Err(damaged());
            }
            follow_batch(c, index, entry.received, batch, &manifest)
        }
        Body::Roster { version, blob } => {
            let bytes = note(blob)?;
            if Roster::parse(bytes)?.facts().version != *version {
                return Err(damaged());
            }
            put(c, "INSERT INTO rosters (version, idx, note) VALUES (?1, ?2, ?3)", params![int(version.0), int(index.0), bytes])
        }
        Body::Outcome { batch, version, blob } => {
            let bytes = note(blob)?;
            let outcome = Outcome::parse(bytes)?;
            if outcome.batch() != *batch || outcome.version() != *version {
                return Err(damaged());
            }
            let sql = "INSERT INTO outcomes (batch, version, idx, note) VALUES (?1, ?2, ?3, ?4)";
            put(c, sql, params![batch.as_bytes(), int(*version), int(index.0), bytes])?;
            // The registry may have changed since this was decided, and may have been settled with what was said
            // before: is it still what the registry says?
            put(c, "UPDATE merge_work SET due = 1 WHERE batch = ?1", [batch.as_bytes()])
        }
        Body::Head(head) => follow_head(c, index, entry.received, head),
        Body::Freeze { unit, epoch, .. } => {
            // an earlier freeze of this epoch stands: its cut is the lower one
            put(c, "INSERT OR IGNORE INTO freezes (unit, epoch, idx) VALUES (?1, ?2, ?3)", params![text(unit), epoch, int(index.0)])
        }
        Body::Time | Body::Decision(_) | Body::Access(_) => Ok(()),
    }
}

fn follow_batch(c: &Connection, index: LogIndex, received: Second, batch: &BatchEntry, manifest: &Manifest) -> Result<(), Problem> {
    let quarantined = match batch.state {
        BatchState::Accepted => None,
        BatchState::Quarantined(code) => Some(text(&code)),
    };
    put(
        c,
        "INSERT INTO batches (id, idx, received, unit, epoch, sequence, previous, manifest, payload, payload_size, lines, quarantined)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        params![
            batch.batch.as_bytes(),
            int(index.0),
            received.unix(),
            text(&batch.unit),
            batch.place.epoch,
            int(batch.place.sequence),
            batch.previous.as_ref().map(BatchId::as_bytes),
            batch.manifest.as_bytes(),
            batch.payload.as_bytes(),
            int(batch.payload_size),
            int(manifest.facts().lines.len() as u64),
            quarantined,
        ],
    )?;
    put(c, "DELETE FROM announced WHERE id = ?1", [batch.batch.as_bytes()])?;
    follow_lines(c, batch, manifest)
}

fn follow_lines(c: &Connection, batch: &BatchEntry, manifest: &Manifest) -> Result<(), Problem> {
    let mut start = 0;
    for (n, line) in (0_u64..).zip(&manifest.facts().lines) {
        let (record, sealed, size) = match line {
            Line::Record(line) => (line.facts.record, Some(line.facts.digest), line.facts.size),
            Line::Withdrawn(line) => (line.record, None, 0),
        };
        let number = line.number();
        put(
            c,
            "INSERT INTO lines (batch, line, unit, epoch, number, record, sealed, start, size)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            params![
                batch.batch.as_bytes(),
                int(n),
                text(&batch.unit),
                number.epoch,
                int(number.number),
                text(&record),
                sealed.as_ref().map(SealedDigest::as_bytes),
                int(start),
                int(size),
            ],
        )?;
        start += size;
    }
    Ok(())
}

/// The log's word of a hello: after a rebuild it stands for the hello itself, whose bytes are gone.
fn follow_head(c: &Connection, index: LogIndex, received: Second, head: &HeadEntry) -> Result<(), Problem> {
    let epoch = epoch_of(c, head)?;
    super::units::keep_hello(c, &head.unit, epoch, head.hello, &head.hello_id, received, None)?;
    super::units::keep_head(c, &head.unit, epoch, head.hello, head.head, head.number)?;
    put(
        c,
        "UPDATE heads SET idx = ?4 WHERE unit = ?1 AND epoch = ?2 AND counter = ?3 AND idx IS NULL",
        params![text(&head.unit), epoch, int(head.hello), int(index.0)],
    )
}

/// The epoch of the hello that a head was in. The log doesn't say it: without the hello itself (after a rebuild) it is
/// the first, from that of what it names on, in which no other logged head has this counter. Counters begin again
/// with each epoch, and no head may take the place of another: cuts are judged by them.
fn epoch_of(c: &Connection, head: &HeadEntry) -> Result<u32, Problem> {
    let named = head.head.map(|(place, _)| place.epoch).max(head.number.map(|n| n.epoch)).unwrap_or(1);
    let last = maybe(c, "SELECT max(epoch) FROM hellos WHERE unit = ?1", [text(&head.unit)], |row| Option::<u32>::of(row, 0))?;
    let last = last.flatten().unwrap_or(0);
    let hello = "SELECT 1 FROM hellos WHERE unit = ?1 AND epoch = ?2 AND counter = ?3 AND id = ?4";
    for epoch in named..=last {
        let at = params![text(&head.unit), epoch, int(head.hello), head.hello_id.as_bytes()];
        if maybe(c, hello, at, |_| Ok(()))?.is_some() {
            return Ok(epoch);
        }
    }
    let taken = "SELECT 1 FROM heads WHERE unit = ?1 AND epoch = ?2 AND counter = ?3 AND idx IS NOT NULL";
    let mut epoch = named;
    while maybe(c, taken, params![text(&head.unit), epoch, int(head.hello)], |_| Ok(()))?.is_some() {
        epoch += 1;
    }
    Ok(epoch)
}
