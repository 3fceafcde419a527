//! Reading the registry: digest, trace, residents, cases. Who may see what they give is decided by the caller.

use std::collections::BTreeMap;

use rusqlite::{Connection, Row, params};
use shared::{
    id::{CaseRef, RecordId, ResidentRef},
    log::BatchState,
    merge::{MatchKey, RecordKey, Resident, digest},
    outcome::{Fate, Outcome, OutcomeLine},
    problem::{Code, Problem},
};

use super::{facts, force, rows};
use crate::{
    registry::{Case, CaseContent, Search, Summary, Trace},
    store::ledger_sqlite::columns::{Column, all, damaged, each, int, maybe, number, parsed, place, text},
};

/// How a record is named within the tables and in the digest: `<unit> <record id> <digest>`.
pub(super) fn source_text(key: &RecordKey) -> String {
    format!("{} {} {}", key.unit, key.record, key.digest)
}

fn source(text: &str) -> Result<RecordKey, Problem> {
    let words: Vec<&str> = text.split(' ').collect();
    let [unit, record, sealed] = words[..] else { return Err(damaged()) };
    let key = (unit.parse().ok(), record.parse().ok(), sealed.parse().ok());
    let (Some(unit), Some(record), Some(digest)) = key else { return Err(damaged()) };
    Ok(RecordKey { unit, record, digest })
}

pub(super) fn fate(c: &Connection, key: &RecordKey) -> Result<Option<Fate>, Problem> {
    let sql = "SELECT fate FROM fates WHERE unit = ?1 AND record = ?2 AND sealed = ?3";
    maybe(c, sql, params![text(&key.unit), text(&key.record), key.digest.as_bytes()], |row| parsed(row, 0))
}

const RESIDENT: &str = "SELECT reference, fields, parts, sources FROM residents";

fn read_resident(row: &Row<'_>) -> Result<(ResidentRef, Resident), Problem> {
    let values = |i: usize| -> Result<BTreeMap<String, (String, RecordKey)>, Problem> {
        let stored: BTreeMap<String, (String, String)> = rows::from_json(row, i)?;
        stored.into_iter().map(|(name, (value, from))| Ok((name, (value, source(&from)?)))).collect()
    };
    let sources: Vec<String> = rows::from_json(row, 3)?;
    let sources = sources.iter().map(|s| source(s)).collect::<Result<_, _>>()?;
    Ok((parsed(row, 0)?, Resident { fields: values(1)?, parts: values(2)?, sources }))
}

pub(super) fn resident(c: &Connection, reference: &ResidentRef) -> Result<Option<Resident>, Problem> {
    let found = maybe(c, &format!("{RESIDENT} WHERE reference = ?1"), [text(reference)], read_resident)?;
    Ok(found.map(|(_, resident)| resident))
}

/// Counts and digest, reading row after row: the primary keys sort as the digest's lines do, `record` before
/// `resident`, because every character of a name sorts behind the space that ends it.
pub(super) fn summary(c: &Connection) -> Result<Summary, Problem> {
    let mut lines = digest::Lines::default();
    let (mut residents, mut merged, mut held, mut refused) = (0, 0, 0, 0);
    each(c, "SELECT unit, record, sealed, fate FROM fates ORDER BY unit, record, sealed", [], |row| {
        let (key, fate) = (rows::key(row, 0)?, parsed(row, 3)?);
        match fate {
            Fate::Merged(_) => merged += 1,
            Fate::Held(..) => held += 1,
            Fate::Refused(_) => refused += 1,
        }
        lines.add(digest::record_line(&key, &fate)).map_err(|_| damaged())
    })?;
    each(c, &format!("{RESIDENT} ORDER BY reference"), [], |row| {
        let (reference, resident) = read_resident(row)?;
        residents += 1;
        lines.add(digest::resident_line(&reference, &resident)).map_err(|_| damaged())
    })?;
    let sql = "SELECT (SELECT count(*) FROM lines WHERE sealed IS NOT NULL) - (SELECT count(*) FROM deliveries WHERE found <> 'unopened')";
    let unopened = maybe(c, sql, [], u64::of_row)?.unwrap_or(0);
    let open = unopened + u64::from(force::unfolded(c)?);
    Ok(Summary { digest: lines.digest(), residents, merged, held, refused, open })
}

pub(super) fn trace(c: &Connection, record: RecordId) -> Result<Vec<Trace>, Problem> {
    let sql = "SELECT l.unit, l.record, l.sealed, l.epoch, l.number, d.agent_key, b.id, b.epoch, b.sequence, b.idx, b.received,
                      b.quarantined, d.found, d.code
               FROM lines l JOIN batches b ON b.id = l.batch LEFT JOIN deliveries d ON d.batch = l.batch AND d.line = l.line
               WHERE l.record = ?1 AND l.sealed IS NOT NULL ORDER BY b.idx, l.line";
    all(c, sql, [text(&record)], |row| {
        let quarantined: Option<String> = Option::of(row, 11)?;
        let state = quarantined.map_or(Ok(BatchState::Accepted), |q| q.parse().map(BatchState::Quarantined)).map_err(|_| damaged())?;
        let agent_key: Option<String> = Option::of(row, 5)?;
        let key = rows::key(row, 0)?;
        let batch = Column::of(row, 6)?;
        let fate = traced_fate(c, row, &key)?;
        let fields = match &fate {
            Some(Fate::Merged(reference)) => fields_from(c, reference, &key)?,
            _ => Vec::new(),
        };
        Ok(Trace {
            number: number(row, 3)?,
            agent_key: agent_key.map(|k| k.parse()).transpose().map_err(|_| damaged())?,
            batch,
            place: place(row, 7)?,
            index: Column::of(row, 9)?,
            received: Column::of(row, 10)?,
            state,
            fate,
            outcomes: outcomes(c, batch)?,
            fields,
            key,
        })
    })
}

fn traced_fate(c: &Connection, row: &Row<'_>, key: &RecordKey) -> Result<Option<Fate>, Problem> {
    let (found, code): (Option<String>, Option<String>) = (Option::of(row, 12)?, Option::of(row, 13)?);
    Ok(match (found.as_deref(), code) {
        (None, _) => None,
        (Some("refused"), Some(code)) => Some(Fate::unreadable(code.parse().map_err(|_| damaged())?, &key.unit, key.record)),
        (Some("unopened"), _) => Some(Fate::Held(Code::Unopened, CaseRef::holding(&key.unit, key.record))),
        _ => fate(c, key)?,
    })
}

fn outcomes(c: &Connection, batch: shared::id::BatchId) -> Result<Vec<(u64, shared::id::LogIndex)>, Problem> {
    let sql = "SELECT version, idx FROM outcomes WHERE batch = ?1 ORDER BY version";
    all(c, sql, [batch.as_bytes()], |row| Ok((u64::of(row, 0)?, Column::of(row, 1)?)))
}

/// Names of the fields and parts that a resident has from a record.
fn fields_from(c: &Connection, reference: &ResidentRef, key: &RecordKey) -> Result<Vec<String>, Problem> {
    let Some(resident) = resident(c, reference)? else { return Ok(Vec::new()) };
    let own = |values: &BTreeMap<String, (String, RecordKey)>| {
        values.iter().filter(|(_, (_, from))| from == key).map(|(name, _)| name.clone()).collect::<Vec<_>>()
    };
    Ok([own(&resident.fields), own(&resident.parts)].concat())
}

pub(super) fn find(c: &Connection, search: &Search, limit: usize) -> Result<Vec<(ResidentRef, Resident)>, Problem> {
    match search {
        Search::Number(number) => {
            let sql = format!("{RESIDENT} WHERE number = ?1 ORDER BY reference LIMIT ?2");
            all(c, &sql, params![MatchKey::of_number(number).to_string(), int(limit as u64)], read_resident)
        }
        Search::Name(name) => by_name(c, name, limit),
    }
}

/// Residents in whose names every word of `name` occurs. Reads them all: nothing that a disk would keep of a name
/// is made for this.
fn by_name(c: &Connection, name: &str, limit: usize) -> Result<Vec<(ResidentRef, Resident)>, Problem> {
    let words: Vec<String> = name.split_whitespace().map(str::to_lowercase).collect();
    let fits = |resident: &Resident| {
        let names = ["given_ar", "family_ar", "given_latin", "family_latin"].map(|f| resident.fields.get(f));
        let names = names.into_iter().flatten().map(|(value, _)| value.to_lowercase()).collect::<Vec<_>>().join(" ");
        !words.is_empty() && words.iter().all(|word| names.contains(word.as_str()))
    };
    let mut found = Vec::new();
    let mut statement = c.prepare_cached(&format!("{RESIDENT} ORDER BY reference")).map_err(crate::store::sqlite::failed)?;
    let mut rows = statement.query([]).map_err(crate::store::sqlite::failed)?;
    while let Some(row) = rows.next().map_err(crate::store::sqlite::failed)? {
        let (reference, resident) = read_resident(row)?;
        if fits(&resident) {
            found.push((reference, resident));
        }
        if found.len() == limit {
            break;
        }
    }
    Ok(found)
}

pub(super) fn cases(c: &Connection) -> Result<Vec<Case>, Problem> {
    let mut cases: BTreeMap<String, Case> = BTreeMap::new();
    each(c, "SELECT unit, record, sealed, fate FROM fates WHERE fate GLOB 'held *'", [], |row| {
        let key = rows::key(row, 0)?;
        let Fate::Held(code, reference) = parsed(row, 3)? else { return Err(damaged()) };
        // arrival is no matter of the fold, so only here: staff must know whom a document may have been made for
        let code = if code == Code::Duplicate && stood(c, &key)? { Code::Displaced } else { code };
        let case = cases.entry(reference.to_string()).or_insert(Case { reference, code, records: Vec::new() });
        case.records.push(key);
        Ok(())
    })?;
    let unopened = all(c, "SELECT unit, record, sealed FROM deliveries WHERE found = 'unopened'", [], |row| rows::key(row, 0))?;
    for key in unopened {
        let reference = CaseRef::holding(&key.unit, key.record);
        let case = Case { reference: reference.clone(), code: Code::Unopened, records: Vec::new() };
        cases.entry(reference.to_string()).or_insert(case).records.push(key);
    }
    Ok(cases.into_values().collect())
}

/// Did any published outcome say that this record was merged?
fn stood(c: &Connection, key: &RecordKey) -> Result<bool, Problem> {
    let sql = "SELECT o.note FROM deliveries d JOIN outcomes o ON o.batch = d.batch WHERE d.unit = ?1 AND d.record = ?2 AND d.sealed = ?3";
    let notes = all(c, sql, params![text(&key.unit), text(&key.record), key.digest.as_bytes()], |row| Vec::<u8>::of(row, 0))?;
    for note in notes {
        let merged = |line: &OutcomeLine| line.record == key.record && matches!(line.fate, Fate::Merged(_));
        if Outcome::parse(&note)?.lines().iter().any(merged) {
            return Ok(true);
        }
    }
    Ok(false)
}

pub(super) fn case(c: &Connection, reference: &CaseRef) -> Result<Option<CaseContent>, Problem> {
    let Some(case) = cases(c)?.into_iter().find(|case| case.reference == *reference) else { return Ok(None) };
    let mut essences = Vec::new();
    for key in &case.records {
        essences.extend(facts::essence(c, key)?.map(|essence| (key.clone(), essence)));
    }
    let mut related = Vec::new();
    for key in facts::closure(c, case.records.iter().cloned())? {
        if let Some(Fate::Merged(resident)) = fate(c, &key)? {
            related.push(resident);
        }
    }
    related.sort();
    related.dedup();
    Ok(Some(CaseContent { case, essences, related }))
}
