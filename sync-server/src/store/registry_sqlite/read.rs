//! Reading the registry: digest, trace, residents. Who may see what they give is decided by the caller.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};
use shared::{
    id::{RecordId, ResidentRef},
    log::BatchState,
    merge::{MatchKey, RecordKey, Resident, digest, folding},
    outcome::Fate,
    problem::Problem,
    rules::Rules,
};

use super::{rows, work};
use crate::{
    registry::{Search, Summary, Trace},
    store::ledger_sqlite::columns::{Column, Row, all, damaged, each, int, maybe, number, parsed, place, text},
};

const RESIDENT: &str = "SELECT reference, fields, parts, sources FROM residents";

fn read_resident(row: &Row<'_>) -> Result<(ResidentRef, Resident), Problem> {
    Ok((parsed(row, 0)?, rows::resident(row, 1)?))
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
    each(c, "SELECT unit, record, sealed, fate FROM records ORDER BY unit, record, sealed", [], |row| {
        let (key, fate) = (rows::key(row, 0)?, parsed(row, 3)?);
        match fate {
            Fate::Merged(_) => merged += 1,
            Fate::Held(..) => held += 1,
            Fate::Refused(_) => refused += 1,
        }
        lines.add(digest::record_line(&key, &fate)).map_err(|_| damaged())
    })?;
    each(c, &format!("{RESIDENT} ORDER BY reference"), [], |row| {
        let (reference, resident) = read_resident(&Row::of(row))?;
        residents += 1;
        lines.add(digest::resident_line(&reference, &resident)).map_err(|_| damaged())
    })?;
    let open = work::unfolded(c)?;
    Ok(Summary { digest: lines.digest(), residents, merged, held, refused, open })
}

pub(super) fn trace(c: &Connection, record: RecordId) -> Result<Vec<Trace>, Problem> {
    let sql = "SELECT l.unit, l.record, l.sealed, l.epoch, l.number, l.key, b.id, b.epoch, b.sequence, b.idx, b.received,
                      b.quarantined, d.decision
               FROM lines l JOIN batches b ON b.id = l.batch LEFT JOIN batches_decided d ON d.batch = b.id
               WHERE l.record = ?1 AND l.sealed IS NOT NULL ORDER BY b.idx, l.line";
    all(c, sql, [text(&record)], |row| {
        let quarantined: Option<String> = Option::read(row, 11)?;
        let state = quarantined.map_or(Ok(BatchState::Accepted), |q| q.parse().map(BatchState::Quarantined)).map_err(|_| damaged())?;
        let key = rows::key(row, 0)?;
        let batch = Column::read(row, 6)?;
        let known = rows::record(c, &key)?;
        let fields = match known.as_ref().map(|known| &known.fate) {
            Some(Fate::Merged(reference)) => fields_from(c, reference, &key)?,
            _ => Vec::new(),
        };
        Ok(Trace {
            number: number(row, 3)?,
            agent_key: parsed(row, 5)?,
            batch,
            place: place(row, 7)?,
            index: Column::read(row, 9)?,
            received: Column::read(row, 10)?,
            state,
            batch_decision: Option::read(row, 12)?,
            decision: known.as_ref().and_then(|known| known.decision),
            against: known.as_ref().map(|known| known.against.clone()).unwrap_or_default(),
            fate: known.map(|known| known.fate),
            outcomes: outcomes(c, batch)?,
            fields,
            key,
        })
    })
}

fn outcomes(c: &Connection, batch: shared::id::BatchId) -> Result<Vec<(u64, shared::id::LogIndex)>, Problem> {
    let sql = "SELECT version, idx FROM outcomes WHERE batch = ?1 ORDER BY version";
    all(c, sql, [batch.as_bytes()], |row| Ok((u64::read(row, 0)?, Column::read(row, 1)?)))
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
            let sql =
                format!("{RESIDENT} WHERE reference IN (SELECT reference FROM resident_keys WHERE key = ?1) ORDER BY reference LIMIT ?2");
            all(c, &sql, params![MatchKey::of_number(Rules::NEWEST, number).to_string(), int(limit as u64)], read_resident)
        }
        Search::Name(name) => by_name(c, name, limit),
    }
}

/// Residents in whose names every word of `name` occurs, both folded as for the match key. Reads them all: nothing that a disk would keep of a name
/// is made for this.
fn by_name(c: &Connection, name: &str, limit: usize) -> Result<Vec<(ResidentRef, Resident)>, Problem> {
    let words = folding::words(name);
    let fits = |resident: &Resident| {
        let names = ["given_ar", "family_ar", "given_latin", "family_latin"].map(|f| resident.fields.get(f));
        let names = names.into_iter().flatten().map(|(value, _)| folding::fold(value)).collect::<Vec<_>>().join(" ");
        !words.is_empty() && words.iter().all(|word| names.contains(word.as_str()))
    };
    let mut found = Vec::new();
    let mut statement = c.prepare_cached(&format!("{RESIDENT} ORDER BY reference")).map_err(crate::store::sqlite::failed)?;
    let mut rows = statement.query([]).map_err(crate::store::sqlite::failed)?;
    while let Some(row) = rows.next().map_err(crate::store::sqlite::failed)? {
        let (reference, resident) = read_resident(&Row::of(row))?;
        if fits(&resident) {
            found.push((reference, resident));
        }
        if found.len() == limit {
            break;
        }
    }
    Ok(found)
}
