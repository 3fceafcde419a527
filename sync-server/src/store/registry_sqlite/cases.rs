//! Cases: what a person must decide, with both sides, what was decided, and likeness that nobody judges.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, params};
use shared::{
    decision::{DecisionLine, RecordKey, Said, Subject, case_of_batch},
    id::{BatchId, CaseRef, LogIndex, NoteId, RecordId, ResidentRef},
    merge::{MatchKey, Resident},
    outcome::Fate,
    problem::{Code, Problem},
    record::Target,
};

use super::{
    engine::{Place, Rosters, Sql, rules},
    read, rows,
    rows::Word as _,
};
use crate::{
    registry::{About, BatchCase, Case, CaseContent, DecidedLine, Filter, Page, Shared, Side},
    rules::{
        Engine as _,
        decisions::{Needs, needs, record_case, still_holds},
        engine::LineState,
        force,
    },
    store::ledger_sqlite::{
        columns::{Column, all, damaged, each, int, maybe, parsed, text},
        papers, tree,
    },
};

const HELD: &str = "FROM records r JOIN batches b ON b.id = r.batch WHERE r.fate GLOB 'held *'";

/// What a filter adds to the condition; its parameters are ?1 (code) and ?2 (unit).
fn condition(filter: &Filter) -> &'static str {
    match (filter.code.is_some(), filter.unit.is_some()) {
        (false, false) => " AND ?1 = '' AND ?2 = ''",
        (true, false) => " AND r.fate GLOB 'held ' || ?1 || ' *' AND ?2 = ''",
        (false, true) => " AND ?1 = '' AND r.unit = ?2",
        (true, true) => " AND r.fate GLOB 'held ' || ?1 || ' *' AND r.unit = ?2",
    }
}

pub(super) fn cases(c: &Connection, rosters: &Rosters, filter: &Filter, page: Page) -> Result<(Vec<Case>, u64), Problem> {
    let waiting = waiting_records(c, rosters)?;
    let (code, unit) = (filter.code.map(|code| text(&code)).unwrap_or_default(), filter.unit.as_ref().map(text).unwrap_or_default());
    let wanted = condition(filter);
    if filter.waits {
        let mut found = Vec::new();
        for key in waiting.keys() {
            found.extend(case_of(c, key, &waiting)?);
        }
        let total = found.len() as u64;
        let skip = usize::try_from(page.skip).unwrap_or(usize::MAX);
        return Ok((found.into_iter().skip(skip).take(usize::try_from(page.limit).unwrap_or(usize::MAX)).collect(), total));
    }
    // what is merged or out, and about which a decision waits, comes before all that is held
    let mut cases = Vec::new();
    if filter.code.is_none() && filter.unit.is_none() {
        for key in waiting.keys() {
            cases.extend(case_of(c, key, &waiting)?.filter(|case| case.code == Code::SecondNeeded));
        }
    }
    let before = cases.len() as u64;
    let total = before + maybe(c, &format!("SELECT count(*) {HELD}{wanted}"), [&code, &unit], u64::read_first)?.unwrap_or(0);
    cases.drain(..usize::try_from(page.skip.min(before)).expect("no more than there are"));
    cases.truncate(usize::try_from(page.limit).unwrap_or(usize::MAX));
    let (limit, skip) = (page.limit - cases.len() as u64, page.skip.saturating_sub(before));
    let sql = format!("SELECT r.unit, r.record, r.sealed {HELD}{wanted} ORDER BY r.unit, r.record, r.sealed LIMIT ?3 OFFSET ?4");
    let keys = all(c, &sql, params![code, unit, int(limit), int(skip)], |row| rows::key(row, 0))?;
    for key in keys {
        cases.extend(case_of(c, &key, &waiting)?);
    }
    Ok((cases, total))
}

fn case_of(c: &Connection, key: &RecordKey, waiting: &BTreeMap<RecordKey, Vec<NoteId>>) -> Result<Option<Case>, Problem> {
    let Some(record) = rows::record(c, key)? else { return Ok(None) };
    let (code, reference) = match record.fate {
        Fate::Held(code, reference) => (code, reference),
        // something that stands or is out, about which a decision waits for a second person
        Fate::Merged(_) | Fate::Refused(_) if waiting.contains_key(key) => (Code::SecondNeeded, CaseRef::holding(&key.unit, key.record)),
        _ => return Ok(None),
    };
    let batch = crate::store::ledger_sqlite::batches::one(c, record.delivery.0)?.ok_or_else(damaged)?;
    Ok(Some(Case {
        reference,
        record: key.clone(),
        code,
        against: record.against,
        batch: batch.id,
        received: batch.received,
        decision: record.decision,
        waits: waiting.get(key).cloned().unwrap_or_default(),
    }))
}

/// Records about which a decision waits for a second person.
fn waiting_records(c: &Connection, rosters: &Rosters) -> Result<BTreeMap<RecordKey, Vec<NoteId>>, Problem> {
    let mut waiting: BTreeMap<RecordKey, Vec<NoteId>> = BTreeMap::new();
    for decided in history(c, rosters, &About::Waiting)? {
        if let Subject::Record(key, _) = decided.line.subject {
            waiting.entry(key).or_default().push(decided.decision);
        }
    }
    Ok(waiting)
}

pub(super) fn case(c: &Connection, reference: &CaseRef) -> Result<Vec<RecordKey>, Problem> {
    let sql = "SELECT unit, record, sealed FROM records WHERE subject = ?1 AND fate GLOB 'held *' ORDER BY unit, record, sealed";
    all(c, sql, [text(reference)], |row| rows::key(row, 0))
}

pub(super) fn records_of_id(c: &Connection, record: RecordId) -> Result<Vec<RecordKey>, Problem> {
    // by the lines' index, which begins with the id
    let sql = "SELECT DISTINCT r.unit, r.record, r.sealed FROM lines l
               JOIN records r ON r.unit = l.unit AND r.record = l.record AND r.sealed = l.sealed WHERE l.record = ?1 ORDER BY 1, 3";
    all(c, sql, [text(&record)], |row| rows::key(row, 0))
}

fn side(c: &Connection, key: &RecordKey) -> Result<Option<Side>, Problem> {
    let Some(record) = rows::record(c, key)? else { return Ok(None) };
    Ok(Some(Side { record: key.clone(), fate: record.fate, essence: rows::essence(c, key)?, batch: record.delivery.0 }))
}

pub(super) fn content(c: &Connection, rosters: &Rosters, key: &RecordKey) -> Result<Option<CaseContent>, Problem> {
    let (Some(record), Some(own)) = (rows::record(c, key)?, side(c, key)?) else { return Ok(None) };
    let mut against = Vec::new();
    for other in &record.against {
        against.extend(side(c, other)?);
    }
    let mut concerned: BTreeSet<ResidentRef> = BTreeSet::new();
    for fate in std::iter::once(&own.fate).chain(against.iter().map(|side| &side.fate)) {
        if let Fate::Merged(resident) = fate {
            concerned.insert(resident.clone());
        }
    }
    concerned.extend(targets(c, rosters, &own)?);
    let mut residents: Vec<(ResidentRef, Resident)> = Vec::new();
    for reference in concerned {
        residents.extend(read::resident(c, &reference)?.map(|resident| (reference, resident)));
    }
    let waits = waiting_records(c, rosters)?.remove(key).unwrap_or_default();
    Ok(Some(CaseContent { side: own, against, residents, digest: record_case(key, &record), decision: record.decision, waits }))
}

/// Residents that a record names, or whom it meets by its match keys.
fn targets(c: &Connection, rosters: &Rosters, side: &Side) -> Result<Vec<ResidentRef>, Problem> {
    let Some(essence) = &side.essence else { return Ok(Vec::new()) };
    let rules = rules(c, next(c)?)?;
    let keys = match &essence.target {
        Some(Target::Resident { resident }) => return Ok(vec![resident.clone()]),
        Some(Target::Record { unit, record }) => return Ok(vec![ResidentRef::founded_by(unit, *record)]),
        Some(Target::NationalNumber { national_number }) => [MatchKey::of_number(rules, national_number)].into(),
        None => essence.keys(rules),
    };
    let engine = Sql::of(c, Place::Within, rosters);
    let mut met = Vec::new();
    for key in keys.iter().flat_map(MatchKey::meets) {
        met.extend(engine.standing(&key)?);
    }
    Ok(met)
}

/// The entry that would be logged next.
fn next(c: &Connection) -> Result<LogIndex, Problem> {
    Ok(LogIndex(tree::position(c)?.line.head.size))
}

pub(super) fn batch_case(c: &Connection, rosters: &Rosters, id: BatchId) -> Result<BatchCase, Problem> {
    let engine = Sql::of(c, Place::Within, rosters);
    let batch = crate::store::ledger_sqlite::batches::one(c, id)?.ok_or_else(|| Problem::new(Code::NotFound, "batch"))?;
    let code = force::code(&engine, &engine.batch(batch.id)?, next(c)?)?;
    let decided = engine.batch_decided(id)?;
    Ok(BatchCase {
        code,
        digest: case_of_batch(id, code),
        decision: decided.as_ref().map(|decided| decided.decision),
        accepted: decided.and_then(|decided| decided.accepted),
    })
}

pub(super) fn needed(c: &Connection, rosters: &Rosters, line: &DecisionLine) -> Result<Option<Needs>, Problem> {
    let engine = Sql::of(c, Place::Within, rosters);
    let at = next(c)?;
    if !still_holds(&engine, at, line)? {
        return Ok(None);
    }
    needs(&engine, at, line).map(Some)
}

pub(super) fn history(c: &Connection, rosters: &Rosters, of: &About) -> Result<Vec<DecidedLine>, Problem> {
    let mut found = Vec::new();
    let mut confirmed: BTreeMap<NoteId, shared::keys::KeyRef> = BTreeMap::new();
    let sql = match of {
        About::Waiting => "SELECT blob FROM decisions WHERE id IN (SELECT id FROM decided WHERE state = 'waits') ORDER BY idx",
        _ => "SELECT blob FROM decisions ORDER BY idx",
    };
    for blob in all(c, sql, [], |row| Column::read(row, 0))? {
        let facts = papers::decision_at(c, blob)?.ok_or_else(damaged)?;
        let id = facts.note.id();
        let lines = match facts.note.said() {
            Said::Confirm(first) => {
                confirmed.entry(*first).or_insert(facts.key);
                continue;
            }
            Said::Reject(_) => continue,
            Said::Lines(lines) => lines,
        };
        for (n, line) in lines.iter().enumerate() {
            let state = match state(c, id, n)? {
                // nobody can confirm what another decision has overtaken
                Some(LineState::Waits) if needed(c, rosters, line)?.is_none() => Some(LineState::Changed),
                state => state,
            };
            let about = match of {
                About::Record(key) => matches!(&line.subject, Subject::Record(own, _) if own == key),
                About::Batch(batch) => matches!(&line.subject, Subject::Batch(own, _) if own == batch),
                About::Decision(wanted) => *wanted == id,
                About::Waiting => state == Some(LineState::Waits),
            };
            if about {
                let line = line.clone();
                found.push(DecidedLine { decision: id, index: facts.index, by: facts.key.clone(), confirmed: None, line, state });
            }
        }
    }
    for line in &mut found {
        line.confirmed = confirmed.get(&line.decision).cloned();
    }
    Ok(found)
}

fn state(c: &Connection, id: NoteId, line: usize) -> Result<Option<LineState>, Problem> {
    let sql = "SELECT state FROM decided WHERE id = ?1 AND line = ?2";
    maybe(c, sql, params![id.as_bytes(), int(line as u64)], |row| LineState::of_word(&String::read(row, 0)?))
}

pub(super) fn shared(c: &Connection) -> Result<Vec<Shared>, Problem> {
    // several under one key, or one of a single script beside those who have that and another; `also` does not meet `also`
    let sql = "SELECT key FROM resident_keys WHERE rules = ?1 AND key NOT GLOB 'also-*' GROUP BY key HAVING count(*) > 1
               UNION SELECT o.key FROM resident_keys o WHERE o.rules = ?1 AND o.key GLOB 'one-*'
               AND EXISTS (SELECT 1 FROM resident_keys a WHERE a.key = 'also-' || substr(o.key, 5))
               ORDER BY 1";
    let mut found = Vec::new();
    let keys: Vec<MatchKey> = all(c, sql, [int(rules(c, next(c)?)?.number())], |row| parsed(row, 0))?;
    for key in keys {
        let mut one = Shared { residents: Vec::new(), founders: Vec::new() };
        let sql = "SELECT reference, sources FROM residents WHERE reference IN (SELECT reference FROM resident_keys WHERE key IN (?1, ?2))
                   ORDER BY reference";
        let meets = key.meets();
        each(c, sql, params![meets.first().map(text), meets.last().map(text)], |row| {
            let sources: Vec<String> = rows::from_json(row, 1)?;
            one.residents.push(parsed(row, 0)?);
            one.founders.push(sources.first().and_then(|source| source.parse().ok()).ok_or_else(damaged)?);
            Ok(())
        })?;
        found.push(one);
    }
    Ok(found)
}
