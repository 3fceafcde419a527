//! Folding in one transaction: what a closure folds to replaces what stood there; outcomes that change become due.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, params};
use shared::{
    id::ResidentRef,
    merge::{Folded, MatchKey, RecordFact, RecordKey, Resident, fold},
    outcome::Fate,
    problem::{Code, Problem},
};

use super::{facts, force, force::Judge, read};
use crate::{
    registry::OpenedBatch,
    store::ledger_sqlite::columns::{put, text},
};

/// Takes in an opened batch, folds what it can influence, marks it done: all of it or, after a crash, none.
pub(super) fn batch(c: &Connection, opened: &OpenedBatch) -> Result<(), Problem> {
    let planned = plan(c, opened)?;
    planned.write(c)
}

/// What a fold is to write.
pub(super) struct Planned {
    closure: BTreeSet<RecordKey>,
    folded: Folded,
}

impl Planned {
    /// Writes it, in the transaction in which it was planned.
    pub(super) fn write(&self, c: &Connection) -> Result<(), Problem> {
        write_fates(c, &self.closure, &self.folded.fates)?;
        write_residents(c, &self.closure, &self.folded.residents)
    }
}

/// Takes in an opened batch, marks it done, and folds what it can influence.
pub(super) fn plan(c: &Connection, opened: &OpenedBatch) -> Result<Planned, Problem> {
    let id = opened.batch.as_bytes();
    put(
        c,
        "UPDATE merge_work SET state = 'done', lease = 0, due = 1, unit_key = ?2 WHERE batch = ?1",
        params![id, text(&opened.unit_key)],
    )?;
    facts::keep(c, opened)?;
    let mut seeds: BTreeSet<RecordKey> = opened.deliveries.iter().map(|d| d.key.clone()).collect();
    seeds.extend(facts::withdrawn_by(c, id)?);
    let mut judge = Judge::of(c)?;
    seeds.extend(force::rejoined(c, opened.batch, &judge)?);
    plan_of(c, seeds, &mut judge)
}

/// Folds again what the newest roster's revocations touch.
pub(super) fn roster(c: &Connection) -> Result<bool, Problem> {
    let touched = force::follow(c)?;
    plan_of(c, touched, &mut Judge::of(c)?)?.write(c).map(|()| true)
}

fn plan_of(c: &Connection, seeds: impl IntoIterator<Item = RecordKey>, judge: &mut Judge) -> Result<Planned, Problem> {
    let closure = facts::closure(c, seeds)?;
    let folded = folded(c, &records(c, &closure, judge)?)?;
    Ok(Planned { closure, folded })
}

/// What is known of the records of a closure.
pub(super) fn records(c: &Connection, closure: &BTreeSet<RecordKey>, judge: &mut Judge) -> Result<Vec<RecordFact>, Problem> {
    let mut records = Vec::with_capacity(closure.len());
    for key in closure {
        records.extend(facts::fact(c, key, judge)?);
    }
    Ok(records)
}

/// What a closure folds to.
pub(super) fn folded(c: &Connection, records: &[RecordFact]) -> Result<Folded, Problem> {
    let withdrawn = facts::withdrawn(c, records)?;
    Ok(fold(records, &withdrawn))
}

fn write_fates(c: &Connection, closure: &BTreeSet<RecordKey>, fates: &BTreeMap<RecordKey, Fate>) -> Result<(), Problem> {
    for key in closure {
        let at = params![text(&key.unit), text(&key.record), key.digest.as_bytes()];
        let before = read::fate(c, key)?;
        let now = fates.get(key);
        if before.as_ref() == now {
            continue;
        }
        match now {
            Some(fate) => {
                let sql = "INSERT OR REPLACE INTO fates (unit, record, sealed, fate, subject) VALUES (?1, ?2, ?3, ?4, ?5)";
                let (unit, record, sealed) = (text(&key.unit), text(&key.record), key.digest.as_bytes());
                put(c, sql, params![unit, record, sealed, fate.to_string(), subject(fate)])?;
            }
            None => put(c, "DELETE FROM fates WHERE unit = ?1 AND record = ?2 AND sealed = ?3", at)?,
        }
        if let Some(Fate::Merged(_)) = before {
            displaced(key, now);
        }
        let due = "UPDATE merge_work SET due = 1 WHERE batch IN
                   (SELECT batch FROM deliveries WHERE unit = ?1 AND record = ?2 AND sealed = ?3)";
        put(c, due, params![text(&key.unit), text(&key.record), key.digest.as_bytes()])?;
    }
    Ok(())
}

/// Staff must hear of it: a document may have been made from what no longer stands.
fn displaced(key: &RecordKey, now: Option<&Fate>) {
    let now = now.map_or_else(|| "gone".to_owned(), ToString::to_string);
    tracing::warn!("{}", Problem::new(Code::Displaced, format!("{} {} is {now}", key.unit, key.record)));
}

fn subject(fate: &Fate) -> Option<String> {
    match fate {
        Fate::Merged(resident) => Some(resident.to_string()),
        Fate::Held(_, case) => Some(case.to_string()),
        Fate::Refused(_) => None,
    }
}

/// A resident is founded by one record of the closure, so who stood or stands is known from the closure.
pub(super) fn possible(closure: &BTreeSet<RecordKey>) -> BTreeSet<ResidentRef> {
    closure.iter().map(|key| ResidentRef::founded_by(&key.unit, key.record)).collect()
}

fn write_residents(c: &Connection, closure: &BTreeSet<RecordKey>, now: &BTreeMap<ResidentRef, Resident>) -> Result<(), Problem> {
    for reference in possible(closure) {
        match now.get(&reference) {
            None => put(c, "DELETE FROM residents WHERE reference = ?1", [text(&reference)])?,
            Some(resident) => write_resident(c, &reference, resident)?,
        }
    }
    Ok(())
}

fn write_resident(c: &Connection, reference: &ResidentRef, resident: &Resident) -> Result<(), Problem> {
    let number = resident.fields.get("national_number").map(|(value, _)| MatchKey::of_number(value).to_string());
    let [fields, parts] = [&resident.fields, &resident.parts].map(|values| {
        let values: BTreeMap<&str, (&str, String)> =
            values.iter().map(|(name, (value, from))| (name.as_str(), (value.as_str(), read::source_text(from)))).collect();
        serde_json::to_string(&values).expect("maps of strings")
    });
    let sources: Vec<String> = resident.sources.iter().map(read::source_text).collect();
    let sources = serde_json::to_string(&sources).expect("strings");
    put(
        c,
        "INSERT OR REPLACE INTO residents (reference, fields, parts, sources, number) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![text(reference), fields, parts, sources, number],
    )
}
