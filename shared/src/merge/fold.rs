//! The fold itself: a closed set of records in, residents and fates out.

use std::collections::{BTreeMap, BTreeSet};

use super::{Essence, Flag, Force, MatchKey, Opened, OrderKey, RecordFact, RecordKey, Withdrawn};
use crate::{
    id::{CaseRef, Member, Number, ResidentRef, Transaction},
    outcome::Fate,
    problem::Code,
    record::Target,
};

/// A resident of the registry.
#[derive(Clone, PartialEq, Eq)]
pub struct Resident {
    /// Field → value as written, with the record that it came from.
    pub fields: BTreeMap<String, (String, RecordKey)>,
    /// Part name → SHA-256 in hex, with the record that it came from.
    pub parts: BTreeMap<String, (String, RecordKey)>,
    /// All records that are part of it, by order key.
    pub sources: Vec<RecordKey>,
}

impl std::fmt::Debug for Resident {
    // where it comes from, never whose it is
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Resident of {:?}", self.sources)
    }
}

/// What a set of records folds to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Folded {
    /// Everybody who stands.
    pub residents: BTreeMap<ResidentRef, Resident>,
    /// What became of each record.
    pub fates: BTreeMap<RecordKey, Fate>,
}

/// Folds a set that is closed under links (or the whole registry). The order of `records` does not matter.
pub fn fold(records: &[RecordFact], withdrawn: &Withdrawn) -> Folded {
    let mut folded = Folded::default();
    let reused = reused(records, withdrawn);
    let mut groups: BTreeMap<&MatchKey, Vec<Candidate<'_>>> = BTreeMap::new();
    let mut founders: BTreeMap<ResidentRef, Candidate<'_>> = BTreeMap::new();
    let mut dependents: Vec<Candidate<'_>> = Vec::new();
    for record in records {
        let candidate = match standing(record, &reused) {
            Ok(candidate) => candidate,
            Err(fate) => {
                folded.fates.insert(record.key.clone(), fate);
                continue;
            }
        };
        match (candidate.essence.transaction, &candidate.essence.match_key) {
            (Transaction::New, Some(key)) => groups.entry(key).or_default().push(candidate),
            // without a key nobody can be the same person: it stands alone
            (Transaction::New, None) => drop(founders.insert(record.founds(), candidate)),
            _ => dependents.push(candidate),
        }
    }
    let mut by_key = BTreeMap::new();
    for (key, group) in groups {
        if let Some(first) = resolve(group, &mut folded.fates) {
            by_key.insert(key, first.record.founds());
            founders.insert(first.record.founds(), first);
        }
    }
    let mut applied: BTreeMap<ResidentRef, Vec<Candidate<'_>>> = BTreeMap::new();
    for dependent in dependents {
        match named(dependent.essence, &by_key).filter(|resident| founders.contains_key(resident)) {
            Some(resident) => applied.entry(resident).or_default().push(dependent),
            None => drop(folded.fates.insert(dependent.record.key.clone(), held(dependent.record, Code::Waiting))),
        }
    }
    for (reference, founder) in founders {
        let resident = resident(founder, applied.remove(&reference).unwrap_or_default());
        for source in &resident.sources {
            folded.fates.insert(source.clone(), Fate::Merged(reference.clone()));
        }
        folded.residents.insert(reference, resident);
    }
    folded
}

/// A record that may take effect.
struct Candidate<'a> {
    record: &'a RecordFact,
    essence: &'a Essence,
    order: OrderKey,
    flag: Flag,
}

fn held(record: &RecordFact, code: Code) -> Fate {
    Fate::Held(code, CaseRef::holding(&record.key.unit, record.key.record))
}

/// What two records may not share, and who shares it.
struct Reused {
    ids: BTreeSet<(Member, crate::id::RecordId)>,
    numbers: BTreeSet<(Member, Number)>,
}

/// 2. Record ids with two digests; numbers with two records or withdrawn as well.
fn reused(records: &[RecordFact], withdrawn: &Withdrawn) -> Reused {
    let mut by_id: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    let mut by_number: BTreeMap<(Member, Number), BTreeSet<_>> = BTreeMap::new();
    for record in records {
        let RecordKey { unit, record: id, digest } = &record.key;
        for line in record.honest() {
            by_id.entry((unit.clone(), *id)).or_default().insert(digest);
            by_number.entry((unit.clone(), line.number)).or_default().insert((id, digest));
        }
    }
    let numbers = by_number.into_iter().filter(|(place, records)| records.len() > 1 || withdrawn.contains(place));
    Reused {
        ids: by_id.into_iter().filter(|(_, digests)| digests.len() > 1).map(|(id, _)| id).collect(),
        numbers: numbers.map(|(n, _)| n).collect(),
    }
}

/// 1. and 2. for one record: it may take effect, or its fate is known.
fn standing<'a>(record: &'a RecordFact, reused: &Reused) -> Result<Candidate<'a>, Fate> {
    let refusals = record.lines.iter().filter_map(|line| match line.opened {
        Opened::Refused(code) => Some(code),
        Opened::AsSigned => None,
    });
    let (Some(order), Some(essence)) = (record.order_key(), &record.essence) else {
        // what newer software may read comes first; else the least code, so that the order of lines does not matter
        let code = refusals.min_by_key(|code| (*code != Code::UpgradeNeeded, code.row().code)).unwrap_or(Code::Unopened);
        return Err(Fate::unreadable(code, &record.key.unit, record.key.record));
    };
    let unit = &record.key.unit;
    if reused.ids.contains(&(unit.clone(), record.key.record)) {
        return Err(held(record, Code::RecordReused));
    }
    if record.honest().any(|line| reused.numbers.contains(&(unit.clone(), line.number))) {
        return Err(held(record, Code::NumberReused));
    }
    let kept = record.honest().map(|line| match line.force {
        Force::InForce => None,
        Force::Not(code) => Some(code),
    });
    // in force if any line is; else the least code
    match kept.min_by_key(|code| code.map(|c| c.row().code)) {
        Some(Some(code)) => Err(held(record, code)),
        _ => Ok(Candidate { record, essence, order, flag: record.flag() }),
    }
}

/// 3. The first by order key among the unflagged stands; alone, a flagged one stands; of several flagged nobody does.
fn resolve<'a>(mut group: Vec<Candidate<'a>>, fates: &mut BTreeMap<RecordKey, Fate>) -> Option<Candidate<'a>> {
    group.sort_by(|a, b| (a.flag == Flag::Clock, &a.order).cmp(&(b.flag == Flag::Clock, &b.order)));
    let nobody = group.len() > 1 && group[0].flag == Flag::Clock;
    let code = if nobody { Code::Clock } else { Code::Duplicate };
    let mut group = group.into_iter();
    let first = if nobody { None } else { group.next() };
    for other in group {
        fates.insert(other.record.key.clone(), held(other.record, code));
    }
    first
}

/// 4. Whom a renewal, replacement or correction names.
fn named(essence: &Essence, by_key: &BTreeMap<&MatchKey, ResidentRef>) -> Option<ResidentRef> {
    match essence.target.as_ref()? {
        Target::Resident { resident } => Some(resident.clone()),
        Target::Record { unit, record } => Some(ResidentRef::founded_by(unit, *record)),
        Target::NationalNumber { national_number } => by_key.get(&MatchKey::of_number(national_number)).cloned(),
    }
}

/// Founding record first, then the others by order key: the last value wins, null clears. A flagged one comes after
/// all others and sets only what nobody has set or cleared.
fn resident(founder: Candidate<'_>, mut others: Vec<Candidate<'_>>) -> Resident {
    others.sort_by(|a, b| (a.flag == Flag::Clock, &a.order).cmp(&(b.flag == Flag::Clock, &b.order)));
    let (mut fields, mut parts) = (BTreeMap::new(), BTreeMap::new());
    let mut sources: Vec<(OrderKey, RecordKey)> = Vec::new();
    for (at, candidate) in std::iter::once(founder).chain(others).enumerate() {
        let from = &candidate.record.key;
        let may_override = at == 0 || candidate.flag == Flag::Plausible;
        for (field, value) in &candidate.essence.fields {
            if may_override || !fields.contains_key(field) {
                fields.insert(field.clone(), value.clone().map(|v| (v, from.clone())));
            }
        }
        for (name, sha256) in &candidate.essence.parts {
            if may_override || !parts.contains_key(name) {
                parts.insert(name.clone(), (sha256.clone(), from.clone()));
            }
        }
        sources.push((candidate.order, from.clone()));
    }
    sources.sort();
    let fields = fields.into_iter().filter_map(|(field, value)| value.map(|v| (field, v))).collect();
    Resident { fields, parts, sources: sources.into_iter().map(|(_, key)| key).collect() }
}
