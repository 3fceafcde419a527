//! Folding everything again from the stored facts, beside the tables: closure after closure, so that a registry of any
//! size takes the memory of its largest closure.
//!
//! Every record belongs to one closure; its first delivered record answers for all of it. That the links, which
//! closures are made of, are all there is checked with each record, against its facts.
//!
//! **Invariants:** reads one state of the database and changes nothing. Compares nothing while something that is
//! logged is not folded: a withdrawn number or a revocation that is on its way would look like damage.

use std::collections::BTreeSet;

use rusqlite::{Connection, params};
use shared::{
    merge::{RecordFact, RecordKey},
    problem::{Code, Problem},
};

use super::{facts, fold, force, force::Judge, read, rows, work};
use crate::store::ledger_sqlite::columns::{Column as _, all, each, maybe, text};

/// Closures up to this size are found again from each of their records; the records of larger ones are remembered.
const SMALL: usize = 16;
/// Most contradictions that are named one by one.
const NAMED: usize = 1000;

/// What differs, and how many rows were compared.
#[derive(Default)]
struct Found {
    off: Vec<Problem>,
    more: u64,
    fates: u64,
    residents: u64,
}

impl Found {
    fn differs(&mut self, what: String) {
        if self.off.len() < NAMED {
            self.off.push(Problem::new(Code::RegistryWrong, what));
        } else {
            self.more += 1;
        }
    }
}

/// Folds everything from the stored facts and compares with the tables.
pub(super) fn check(c: &Connection) -> Result<Vec<Problem>, Problem> {
    if force::unfolded(c)? || work::waiting(c)?.0 > 0 {
        return Ok(Vec::new());
    }
    let (mut found, mut judge, mut large) = (Found::default(), Judge::of(c)?, BTreeSet::new());
    let sql = "SELECT DISTINCT unit, record, sealed FROM deliveries WHERE found <> 'unopened' ORDER BY unit, record, sealed";
    each(c, sql, [], |row| {
        let key = rows::key(row, 0)?;
        if large.contains(&key) {
            return Ok(());
        }
        let closure = facts::closure(c, [key.clone()])?;
        if !answers(c, &key, &closure)? {
            return Ok(());
        }
        compare(c, &closure, &mut judge, &mut found)?;
        if closure.len() > SMALL {
            large.extend(closure);
        }
        Ok(())
    })?;
    strays(c, &mut found)?;
    if found.more > 0 {
        found.off.push(Problem::new(Code::RegistryWrong, format!("and {} more", found.more)));
    }
    Ok(found.off)
}

/// Is this the first delivered record of its closure?
fn answers(c: &Connection, key: &RecordKey, closure: &BTreeSet<RecordKey>) -> Result<bool, Problem> {
    let sql = "SELECT 1 FROM deliveries WHERE unit = ?1 AND record = ?2 AND sealed = ?3 AND found <> 'unopened' LIMIT 1";
    for before in closure.iter().take_while(|before| *before != key) {
        let at = params![text(&before.unit), text(&before.record), before.digest.as_bytes()];
        if maybe(c, sql, at, |_| Ok(()))?.is_some() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// One closure: its links, its fates, its residents.
fn compare(c: &Connection, closure: &BTreeSet<RecordKey>, judge: &mut Judge, found: &mut Found) -> Result<(), Problem> {
    let records = fold::records(c, closure, judge)?;
    for record in &records {
        links(c, record, found)?;
    }
    let expected = fold::folded(c, &records)?;
    for key in closure {
        let stored = read::fate(c, key)?;
        found.fates += u64::from(stored.is_some());
        if stored.as_ref() != expected.fates.get(key) {
            found.differs(format!("record {} {}", key.unit, key.record));
        }
    }
    for reference in fold::possible(closure) {
        let stored = read::resident(c, &reference)?;
        found.residents += u64::from(stored.is_some());
        if stored.as_ref() != expected.residents.get(&reference) {
            found.differs(format!("resident {reference}"));
        }
    }
    Ok(())
}

/// A link too many only makes closures larger; one too few would hide who belongs together.
fn links(c: &Connection, record: &RecordFact, found: &mut Found) -> Result<(), Problem> {
    let key = &record.key;
    let at = params![text(&key.unit), text(&key.record), key.digest.as_bytes()];
    let stored = all(c, facts::LINKS, at, |row| String::of(row, 0))?;
    if record.links().iter().any(|link| !stored.contains(link)) {
        found.differs(format!("links of record {} {}", key.unit, key.record));
    }
    Ok(())
}

/// Rows that stand in no closure: nothing that was opened gives them.
fn strays(c: &Connection, found: &mut Found) -> Result<(), Problem> {
    let rows = |sql: &str| maybe(c, sql, [], u64::of_row).map(Option::unwrap_or_default);
    let (fates, residents) = (rows("SELECT count(*) FROM fates")?, rows("SELECT count(*) FROM residents")?);
    if fates != found.fates {
        found.differs(format!("{fates} records stand in the database, {} were opened", found.fates));
    }
    if residents != found.residents {
        found.differs(format!("{residents} residents stand in the database, {} were enrolled", found.residents));
    }
    Ok(())
}
