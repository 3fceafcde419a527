//! Questions behind open facts and revocations: what a key has signed, numbers that are missing, withdrawals that came late.
//!
//! **Invariants:** keys, numbers and digests only, never what a record says.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, params};
use shared::{
    decision::RecordKey,
    id::{BatchId, LogIndex, Member, Number},
    keys::KeyRef,
    outcome::Fate,
    problem::Problem,
    time::Second,
};

use super::{
    engine::{Place, Rosters, Sql, position},
    rows,
};
use crate::{
    registry::{LateWithdrawal, MissingNumbers, Signed},
    rules::{Engine as _, Withdrawal, force},
    store::ledger_sqlite::{
        columns::{Column, all, int, maybe, number, parsed, text},
        tree,
        units::SAID_AT,
    },
};

/// As unit, as approver, as agent or as adjudicator.
pub(super) fn signed(c: &Connection, rosters: &Rosters, key: &KeyRef, from: LogIndex) -> Result<Signed, Problem> {
    let engine = Sql::of(c, Place::Within, rosters);
    let to = LogIndex(tree::position(c)?.line.head.size);
    let mut records: BTreeSet<(Member, BatchId, RecordKey)> = BTreeSet::new();
    for batch in engine.batches_signed(key, from, to)? {
        records.extend(engine.records_of(batch.id)?.into_iter().map(|record| (batch.unit.clone(), batch.id, record)));
    }
    for (batch, line) in engine.lines_signed(key, from, to)? {
        records.insert((line.key.unit.clone(), batch, line.key));
    }
    let mut of_unit: BTreeMap<Member, (BTreeSet<BatchId>, u64)> = BTreeMap::new();
    for (unit, batch, record) in records {
        if engine.record(&record)?.is_some_and(|record| matches!(record.fate, Fate::Merged(_))) {
            let (batches, merged) = of_unit.entry(unit).or_default();
            batches.insert(batch);
            *merged += 1;
        }
    }
    let merged = of_unit.into_iter().map(|(unit, (batches, records))| (unit, (batches.len() as u64, records))).collect();
    Ok(Signed { merged, decisions: engine.decisions_signed(key, from, to)?.len() as u64 })
}

/// Holes between the numbers that lines bear, and those that only a head of a key that is not cut before showed. A batch of a key
/// that had ended fills holes, and shows none.
const MISSING: &str = "
    SELECT unit, epoch, before + 1, number - 1 FROM (
        SELECT unit, epoch, number, max(shows) AS shows,
               lag(number, 1, 0) OVER (PARTITION BY unit, epoch ORDER BY number) AS before FROM (
            SELECT l.unit, l.epoch, l.number, coalesce(b.quarantined, '') NOT IN ('revoked', 'frozen') AS shows
                  FROM lines l JOIN batches b ON b.id = l.batch
            UNION ALL SELECT h.unit, h.number_epoch, h.number + 1, 1 FROM heads h
                  WHERE h.number IS NOT NULL AND (h.idx IS NULL OR h.idx < coalesce(
                      (SELECT e.cut FROM ends e WHERE e.key = h.key ORDER BY e.idx DESC LIMIT 1), 9007199254740992))
                    AND h.number > coalesce(
                      (SELECT max(l.number) FROM lines l WHERE l.unit = h.unit AND l.epoch = h.number_epoch), 0)
                    AND h.number = (SELECT max(m.number) FROM heads m WHERE m.unit = h.unit AND m.number_epoch = h.number_epoch)
        ) GROUP BY unit, epoch, number
    ) WHERE number > before + 1 AND shows ORDER BY unit, epoch, number LIMIT ?1";

pub(super) fn missing_numbers(c: &Connection, limit: usize) -> Result<Vec<MissingNumbers>, Problem> {
    let mut missing = all(c, MISSING, [int(limit as u64)], |row| {
        let epoch = u32::read(row, 1)?;
        let of = |n| Number::new(epoch, n).map_err(|_| crate::store::ledger_sqlite::columns::damaged());
        Ok(MissingNumbers { unit: parsed(row, 0)?, first: of(u64::read(row, 2)?)?, last: of(u64::read(row, 3)?)?, since: None })
    })?;
    for one in &mut missing {
        one.since = shown_since(c, &one.unit, one.last)?;
    }
    Ok(missing)
}

/// When a line with a higher number came, or a hello that names this one or a higher one.
fn shown_since(c: &Connection, unit: &Member, last: Number) -> Result<Option<Second>, Problem> {
    let sql = format!(
        "SELECT min(shown) FROM (
            SELECT min(b.received) AS shown FROM lines l JOIN batches b ON b.id = l.batch
                   WHERE l.unit = ?1 AND l.epoch = ?2 AND l.number > ?3
            UNION ALL SELECT {SAID_AT} FROM heads h WHERE h.unit = ?1 AND h.number_epoch = ?2 AND h.number >= ?3)"
    );
    let of = params![text(unit), last.epoch, int(last.number)];
    Ok(maybe(c, &sql, of, |row| Option::<Second>::read(row, 0))?.flatten())
}

/// Withdrawals in force that came after their record.
pub(super) fn late_withdrawals(c: &Connection, rosters: &Rosters, limit: usize) -> Result<Vec<LateWithdrawal>, Problem> {
    let sql = "SELECT r.unit, r.record, r.sealed, r.epoch, r.number, w.batch, b.received, w.key
               FROM lines w
               JOIN records r ON r.unit = w.unit AND r.epoch = w.epoch AND r.number = w.number AND r.holds_number = 1
               JOIN batches b ON b.id = w.batch
               WHERE w.sealed IS NULL AND b.idx < (SELECT next FROM fold) ORDER BY w.idx, w.line";
    let found = all(c, sql, [], |row| {
        let record = rows::key(row, 0)?;
        let line = Withdrawal { unit: record.unit.clone(), number: number(row, 3)?, by: parsed(row, 7)? };
        let (batch, received) = (Column::read(row, 5)?, Column::read(row, 6)?);
        Ok((LateWithdrawal { record, number: line.number, batch, received }, line))
    })?;
    let engine = Sql::of(c, Place::Within, rosters);
    let at = position(c)?;
    let mut late = Vec::new();
    for (withdrawal, line) in found {
        // those that are not in force must not crowd the others out
        if late.len() < limit && force::withdraws(&engine, &engine.batch(withdrawal.batch)?, &line, at)? {
            late.push(withdrawal);
        }
    }
    Ok(late)
}
