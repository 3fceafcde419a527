//! Following a segment: one transaction from the old head to the new.

use rusqlite::{Connection, params};
use shared::{
    batch::{Line, Manifest},
    decision::Decision,
    hello::{Hello, Sender, State},
    id::{BatchId, Blob, LogIndex, Member, RosterVersion, SealedDigest},
    keys::KeyRef,
    log::{BatchEntry, BatchState, Body, Entry, GuardLine, Head, HeadEntry, Segment, append},
    outcome::Outcome,
    problem::{Code, Problem},
    roster::Roster,
    time::Second,
};

use super::{
    super::{Application, Position},
    columns::{int, put, text},
    keys,
    links::Marks,
    tree::{Stored, position},
};
use crate::rules::force::{link_batch, link_head};

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
    match &entry.body {
        Body::Batch(batch) => {
            let manifest = Manifest::parse(note(&batch.manifest)?)?;
            if manifest.id() != batch.batch || manifest.facts().unit != batch.unit || manifest.facts().place != batch.place {
                return Err(damaged(index));
            }
            follow_batch(c, index, entry.received, batch, &manifest)
        }
        Body::Roster { version, blob } => follow_roster(c, index, entry.received, *version, note(blob)?),
        Body::Outcome { batch, version, blob } => follow_outcome(c, index, *batch, *version, note(blob)?),
        Body::Head(head) => {
            let hello = Hello::parse(note(&head.note)?)?;
            let said = match &hello.facts().sender {
                Sender::Unit(stand) => (&stand.unit, stand.head, stand.number),
                Sender::Carrier(_) => return Err(damaged(index)),
            };
            if said != (said.0, head.head, head.number) || hello.facts().counter != head.hello {
                return Err(damaged(index));
            }
            follow_head(c, index, entry.received, head, said.0, &hello)
        }
        Body::Freeze { key, .. } => {
            // an earlier freeze of this key stands: its cut is the lower one
            put(c, "INSERT OR IGNORE INTO freezes (key, idx) VALUES (?1, ?2)", params![text(key), int(index.0)])
        }
        Body::Decision(blob) => follow_decision(c, index, *blob, note(blob)?),
        Body::Opened(batch) => {
            put(c, "INSERT INTO opened (batch, idx) VALUES (?1, ?2)", params![batch.as_bytes(), int(index.0)])?;
            event(c, index)
        }
        Body::Rules(rules) => put(c, "INSERT INTO rules (idx, version) VALUES (?1, ?2)", params![int(index.0), int(rules.number())]),
        Body::Erase { .. } => event(c, index),
        Body::Time | Body::Access(_) => Ok(()),
    }
}

fn damaged(index: LogIndex) -> Problem {
    Problem::new(Code::ArchiveDamaged, format!("entry {index} does not speak of its note"))
}

/// The fold has to look at this entry.
fn event(c: &Connection, index: LogIndex) -> Result<(), Problem> {
    put(c, "INSERT INTO events (idx) VALUES (?1)", [int(index.0)])
}

fn follow_roster(c: &Connection, index: LogIndex, received: Second, version: RosterVersion, note: &[u8]) -> Result<(), Problem> {
    let roster = Roster::parse(note)?;
    if roster.facts().version != version {
        return Err(damaged(index));
    }
    keys::follow(c, index, roster.facts())?;
    event(c, index)?;
    let sql = "INSERT INTO rosters (version, idx, received, note) VALUES (?1, ?2, ?3, ?4)";
    put(c, sql, params![int(version.0), int(index.0), received.unix(), note])
}

fn follow_outcome(c: &Connection, index: LogIndex, batch: BatchId, version: u64, note: &[u8]) -> Result<(), Problem> {
    let outcome = Outcome::parse(note)?;
    if outcome.batch() != batch || outcome.version() != version {
        return Err(damaged(index));
    }
    let sql = "INSERT INTO outcomes (batch, version, idx, note) VALUES (?1, ?2, ?3, ?4)";
    put(c, sql, params![batch.as_bytes(), int(version), int(index.0), note])?;
    // The registry may have changed since this was decided, and may have been settled with what was said
    // before: is it still what the registry says?
    put(c, "UPDATE merge_work SET due = 1 WHERE batch = ?1", [batch.as_bytes()])
}

fn follow_decision(c: &Connection, index: LogIndex, blob: Blob, note: &[u8]) -> Result<(), Problem> {
    let decision = Decision::parse(note)?;
    let (name, id) = decision.claimed_key().ok_or_else(|| damaged(index))?;
    let key = KeyRef { name: (&name).into(), id };
    event(c, index)?;
    put(
        c,
        "INSERT INTO decisions (idx, id, blob, key, note) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![int(index.0), decision.id().as_bytes(), blob.as_bytes(), text(&key), decision.note().as_bytes()],
    )
}

fn follow_batch(c: &Connection, index: LogIndex, received: Second, batch: &BatchEntry, manifest: &Manifest) -> Result<(), Problem> {
    let signed = signers(manifest);
    let quarantined = match batch.state {
        BatchState::Accepted => None,
        BatchState::Quarantined(code) => Some(text(&code)),
    };
    put(
        c,
        "INSERT INTO batches (id, idx, received, unit, epoch, sequence, previous, manifest, payload, payload_size, lines, quarantined,
                              roster, unit_key, approver)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
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
            int(manifest.facts().roster.0),
            text(signed.first().ok_or_else(super::columns::damaged)?),
            manifest.facts().approved.as_ref().and(signed.get(1)).map(text),
        ],
    )?;
    put(c, "DELETE FROM announced WHERE id = ?1", [batch.batch.as_bytes()])?;
    event(c, index)?;
    link_batch(&Marks(c), batch.batch, signed.first().ok_or_else(super::columns::damaged)?, index)?;
    follow_lines(c, index, batch, manifest, &signed)
}

/// The keys under a manifest, the unit's first: it was checked before it was logged.
fn signers(manifest: &Manifest) -> Vec<KeyRef> {
    let facts = manifest.facts();
    let names = std::iter::once(&facts.unit).chain(facts.cosigners());
    names.zip(manifest.note().claimed_keys()).map(|(name, id)| KeyRef { name: name.into(), id }).collect()
}

fn follow_lines(c: &Connection, index: LogIndex, batch: &BatchEntry, manifest: &Manifest, signed: &[KeyRef]) -> Result<(), Problem> {
    let mut start = 0;
    let facts = manifest.facts();
    for (n, line) in (0_u64..).zip(&facts.lines) {
        let (record, sealed, size, roster, key) = match line {
            Line::Record(line) => {
                let key = KeyRef { name: (&line.facts.agent).into(), id: line.key_id() };
                (line.facts.record, Some(line.facts.digest), line.facts.size, line.facts.roster, key)
            }
            Line::Withdrawn(line) => {
                let by = signed.iter().skip(1).find(|key| key.name == (&line.by).into());
                (line.record, None, 0, facts.roster, by.ok_or_else(super::columns::damaged)?.clone())
            }
        };
        let number = line.number();
        put(
            c,
            "INSERT INTO lines (batch, line, unit, epoch, number, record, sealed, start, size, roster, key, idx)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
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
                int(roster.0),
                text(&key),
                int(index.0),
            ],
        )?;
        start += size;
    }
    Ok(())
}

/// What a key in force said of its unit, by the hello that the log names.
fn follow_head(c: &Connection, index: LogIndex, received: Second, head: &HeadEntry, unit: &Member, hello: &Hello) -> Result<(), Problem> {
    // only heads that are well are logged
    super::units::keep_hello(c, &head.key, head.hello, &hello.note().id(), (received, State::Ok), hello.note().as_bytes())?;
    super::units::keep_head(c, &head.key, unit, head.hello, head.head, head.number)?;
    let sql = "UPDATE heads SET idx = ?3 WHERE key = ?1 AND counter = ?2 AND idx IS NULL";
    put(c, sql, params![text(&head.key), int(head.hello), int(index.0)])?;
    match head.head {
        Some((_, batch)) if super::batches::one(c, batch)?.is_some_and(|facts| facts.unit_key == head.key) => {
            link_head(&Marks(c), batch, index)
        }
        _ => Ok(()),
    }
}
