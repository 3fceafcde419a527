//! What was opened: deliveries, essences, links; and which records can influence each other.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, params};
use serde::Serialize;
use shared::{
    id::{Member, Transaction},
    merge::{Essence, LineFact, MatchKey, RecordFact, RecordKey, Withdrawn, number_link},
    problem::Problem,
    record::Target,
};

use super::{
    force::Judge,
    rows::{Stored, from_json, key},
};
use crate::{
    registry::{Delivery, Found, OpenedBatch},
    store::ledger_sqlite::columns::{Column, all, damaged, int, maybe, number, parsed, put, text},
};

/// Keeps what a batch opened to. The same again changes nothing.
pub(super) fn keep(c: &Connection, opened: &OpenedBatch) -> Result<(), Problem> {
    let batch = opened.batch.as_bytes();
    for delivery in &opened.deliveries {
        keep_delivery(c, batch, delivery)?;
        if let Found::AsSigned(essence) = &delivery.found {
            keep_essence(c, &delivery.key, essence)?;
        }
    }
    for delivery in &opened.deliveries {
        keep_links(c, &delivery.key)?;
    }
    Ok(())
}

fn keep_delivery(c: &Connection, batch: &[u8; 32], delivery: &Delivery) -> Result<(), Problem> {
    let (found, code) = match &delivery.found {
        Found::AsSigned(_) => ("signed", None),
        Found::Refused(code) => ("refused", Some(text(code))),
        Found::Unopened => ("unopened", None),
    };
    let Delivery { line, key, number, finished, seen, roster, before, agent_key, .. } = delivery;
    put(
        c,
        "INSERT OR REPLACE INTO deliveries (batch, line, unit, record, sealed, epoch, number, finished, seen, roster,
                                            before_seen, before_roster, agent_key, found, code)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
        params![
            batch,
            int(*line),
            text(&key.unit),
            text(&key.record),
            key.digest.as_bytes(),
            number.epoch,
            int(number.number),
            finished.unix_minutes(),
            int(*seen),
            int(roster.0),
            before.map(|(seen, _)| int(seen)),
            before.map(|(_, roster)| int(roster.0)),
            text(agent_key),
            found,
            code,
        ],
    )
}

/// `fields` and `parts` of an essence as JSON objects.
fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("maps of strings")
}

fn keep_essence(c: &Connection, key: &RecordKey, essence: &Essence) -> Result<(), Problem> {
    put(
        c,
        "INSERT OR REPLACE INTO essences (unit, record, sealed, kind, target, fields, parts) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            text(&key.unit),
            text(&key.record),
            key.digest.as_bytes(),
            essence.transaction.as_str(),
            essence.target.as_ref().map(json),
            json(&essence.fields),
            json(&essence.parts),
        ],
    )
}

pub(super) fn essence(c: &Connection, key: &RecordKey) -> Result<Option<Essence>, Problem> {
    let sql = "SELECT kind, target, fields, parts FROM essences WHERE unit = ?1 AND record = ?2 AND sealed = ?3";
    maybe(c, sql, params![text(&key.unit), text(&key.record), key.digest.as_bytes()], |row| {
        let transaction: Transaction = parsed(row, 0)?;
        let target: Option<String> = Option::of(row, 1)?;
        let target: Option<Target> = target.map(|t| serde_json::from_str(&t)).transpose().map_err(|_| damaged())?;
        let fields: BTreeMap<String, Option<String>> = from_json(row, 2)?;
        // computed, not stored: the rules own it
        let match_key = if transaction == Transaction::New { MatchKey::of(&fields) } else { None };
        Ok(Essence { transaction, target, match_key, fields, parts: from_json(row, 3)? })
    })
}

/// Links of a record, by all that is known of it now.
fn keep_links(c: &Connection, key: &RecordKey) -> Result<(), Problem> {
    let Some(fact) = fact(c, key, &mut Judge::blind())? else { return Ok(()) };
    for link in fact.links() {
        put(
            c,
            "INSERT OR IGNORE INTO links (link, unit, record, sealed) VALUES (?1, ?2, ?3, ?4)",
            params![link, text(&key.unit), text(&key.record), key.digest.as_bytes()],
        )?;
    }
    Ok(())
}

/// The links of a record.
pub(super) const LINKS: &str = "SELECT link FROM links WHERE unit = ?1 AND record = ?2 AND sealed = ?3";

/// All records that are reachable over links.
pub(super) fn closure(c: &Connection, seeds: impl IntoIterator<Item = RecordKey>) -> Result<BTreeSet<RecordKey>, Problem> {
    let mut open: Vec<RecordKey> = seeds.into_iter().collect();
    let mut closure: BTreeSet<RecordKey> = open.iter().cloned().collect();
    let mut followed: BTreeSet<String> = BTreeSet::new();
    while let Some(key) = open.pop() {
        let links = all(c, LINKS, params![text(&key.unit), text(&key.record), key.digest.as_bytes()], |row| String::of(row, 0))?;
        for link in links.into_iter().filter(|link| followed.insert(link.clone())).collect::<Vec<_>>() {
            let next = linked(c, &link)?;
            open.extend(next.into_iter().filter(|key| closure.insert(key.clone())));
        }
    }
    Ok(closure)
}

/// Records that share a link.
pub(super) fn linked(c: &Connection, link: &str) -> Result<Vec<RecordKey>, Problem> {
    all(c, "SELECT unit, record, sealed FROM links WHERE link = ?1", [link], |row| key(row, 0))
}

/// Records whose number this batch says was withdrawn.
pub(super) fn withdrawn_by(c: &Connection, batch: &[u8; 32]) -> Result<Vec<RecordKey>, Problem> {
    let sql = "SELECT unit, epoch, number FROM lines WHERE batch = ?1 AND sealed IS NULL";
    let numbers = all(c, sql, [batch], |row| Ok(number_link(&Member::of(row, 0)?, number(row, 1)?)))?;
    let mut keys = Vec::new();
    for link in numbers {
        keys.extend(linked(c, &link)?);
    }
    Ok(keys)
}

/// A record with all lines that deliver it; none when none of them was opened.
pub(super) fn fact(c: &Connection, key: &RecordKey, judge: &mut Judge) -> Result<Option<RecordFact>, Problem> {
    let sql = "SELECT d.epoch, d.number, d.finished, d.seen, d.roster, d.before_seen, d.before_roster, d.agent_key, d.code,
                      b.id, b.idx, b.received, b.unit, b.epoch, b.quarantined, w.unit_key
               FROM deliveries d JOIN batches b ON b.id = d.batch JOIN merge_work w ON w.batch = d.batch
               WHERE d.unit = ?1 AND d.record = ?2 AND d.sealed = ?3 AND d.found <> 'unopened' ORDER BY b.idx, d.line";
    let stored = all(c, sql, params![text(&key.unit), text(&key.record), key.digest.as_bytes()], Stored::of)?;
    let lines = stored.iter().map(|line| judge.line(c, line)).collect::<Result<Vec<LineFact>, Problem>>()?;
    if lines.is_empty() {
        return Ok(None);
    }
    Ok(Some(RecordFact { key: key.clone(), lines, essence: essence(c, key)? }))
}

/// Which of these records' numbers a manifest says were withdrawn.
pub(super) fn withdrawn(c: &Connection, facts: &[RecordFact]) -> Result<Withdrawn, Problem> {
    let sql = "SELECT 1 FROM lines WHERE unit = ?1 AND epoch = ?2 AND number = ?3 AND sealed IS NULL LIMIT 1";
    let mut withdrawn = Withdrawn::new();
    for fact in facts {
        for line in &fact.lines {
            let place = params![text(&fact.key.unit), line.number.epoch, int(line.number.number)];
            if maybe(c, sql, place, |_| Ok(()))?.is_some() {
                withdrawn.insert((fact.key.unit.clone(), line.number));
            }
        }
    }
    Ok(withdrawn)
}
