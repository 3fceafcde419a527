//! Likeness that the fold does not judge: a hint for staff, never a hold.
//!
//! Every resident is read once, and gives a digest for each way in which somebody else could be alike; two that share one are a hint.
//! Nothing of it is kept on disk.

use std::collections::{BTreeMap, HashMap};

use rusqlite::Connection;
use shared::{
    id::ResidentRef,
    merge::{Likeness, likenesses},
    problem::Problem,
};

use super::rows;
use crate::{
    registry::{Hint, HintKind},
    store::ledger_sqlite::columns::{each, parsed},
};

/// Hints between residents, at most `limit`.
pub(super) fn hints(c: &Connection, limit: usize) -> Result<Vec<Hint>, Problem> {
    let mut first: HashMap<[u8; 16], Vec<(ResidentRef, Likeness)>> = HashMap::new();
    let mut found: BTreeMap<(String, String), Hint> = BTreeMap::new();
    each(c, "SELECT reference, fields, parts, sources FROM residents ORDER BY reference", [], |row| {
        let reference: ResidentRef = parsed(row, 0)?;
        let values = rows::resident(row, 1)?.values();
        for (digest, likeness) in likenesses(&values) {
            let others = first.entry(digest).or_default();
            for (other, how) in others.iter() {
                let Some(kind) = kind(likeness, *how) else { continue };
                if *other != reference && found.len() < limit {
                    let pair = (other.to_string(), reference.to_string());
                    found.entry(pair).or_insert(Hint { kind, one: other.clone(), other: reference.clone() });
                }
            }
            others.push((reference.clone(), likeness));
        }
        Ok(())
    })?;
    Ok(found.into_values().collect())
}

/// Two that share a digest, each in its own way.
fn kind(one: Likeness, other: Likeness) -> Option<HintKind> {
    use Likeness::{DayAndMonth, NoNumber, Number, OneScript, Partial, Plain, Swapped};
    Some(match (one, other) {
        (Number, NoNumber) | (NoNumber, Number) => HintKind::NumberInOneOnly,
        (OneScript, OneScript) => HintKind::OneScript,
        (Number, Number) => HintKind::TwoNumbers,
        (Plain, Swapped) | (Swapped, Plain) => HintKind::SwappedNames,
        (Plain, DayAndMonth) | (DayAndMonth, Plain) => HintKind::DayAndMonth,
        (Partial, _) | (_, Partial) => HintKind::PartialDate,
        _ => return None,
    })
}
