//! What a resident consists of: a founding record, then others in the order in which they came in force.
//!
//! **Invariants:** what a resident shows is what its sources give, played one after the other; so when one of them goes, the rest is
//! played again and nothing else is asked. Who stands under a match key follows from the fields.

use std::collections::{BTreeMap, BTreeSet};

use shared::{
    decision::RecordKey,
    id::{CaseRef, LogIndex, ResidentRef, Transaction},
    merge::{Compared, Essence, MatchKey, Resident, compare, has_number, keys},
    outcome::Fate,
    problem::{Code, Problem},
    record::Target,
    rules::Rules,
    time::Second,
};

use super::engine::{Engine, Mode, Record, Standing};

/// The fate of a held record.
pub(super) fn held(key: &RecordKey, code: Code) -> Fate {
    Fate::Held(code, CaseRef::holding(&key.unit, key.record))
}

/// The reference of the resident that a record founds.
pub(super) fn founds(key: &RecordKey) -> ResidentRef {
    ResidentRef::founded_by(&key.unit, key.record)
}

/// The record that founded a resident.
pub(super) fn founder(standing: &Standing) -> Result<&RecordKey, Problem> {
    standing.resident.sources.first().ok_or_else(|| Problem::new(Code::RegistryWrong, "a resident without a source"))
}

/// The number that somebody bears by an older card: what their founding record names, where it brings none itself.
pub(super) fn borne(rules: Rules, founding: &Essence) -> Option<MatchKey> {
    match &founding.target {
        Some(Target::NationalNumber { national_number }) if founding.transaction != Transaction::Correction => {
            Some(MatchKey::of_number(rules, national_number))
        }
        _ => None,
    }
}

/// Under what somebody stands: the number that the fields have, the number that is borne, or what the other fields give.
pub(super) fn under(rules: Rules, values: &BTreeMap<String, Option<String>>, founding: Option<&Essence>) -> BTreeSet<MatchKey> {
    let borne = founding.filter(|_| !has_number(values)).and_then(|founding| borne(rules, founding));
    borne.map_or_else(|| keys(rules, values), |key| [key].into())
}

/// Writes under what somebody stands, by each version of the rules from the log's first on. Where the fields give nothing any more,
/// the former keys stay.
fn set_keys(e: &impl Engine, standing: &mut Standing, founding: Option<&Essence>) -> Result<(), Problem> {
    let values = standing.resident.values();
    let first = e.rules(LogIndex(0))?;
    for rules in Rules::ALL.into_iter().filter(|rules| *rules >= first) {
        let now = under(rules, &values, founding);
        if !now.is_empty() {
            standing.keys.insert(rules, now);
        }
    }
    Ok(())
}

/// Who stands where somebody would stand under these keys, or where the two meet.
pub(super) fn met(e: &impl Engine, keys: &BTreeSet<MatchKey>) -> Result<BTreeSet<ResidentRef>, Problem> {
    let mut there = BTreeSet::new();
    for key in keys.iter().flat_map(MatchKey::meets) {
        there.extend(e.standing(&key)?);
    }
    Ok(there)
}

/// A record founds a resident.
pub(super) fn found(e: &impl Engine, key: &RecordKey, essence: &Essence, founded: Second) -> Result<(), Problem> {
    let mut standing = Standing {
        resident: Resident { fields: BTreeMap::new(), parts: BTreeMap::new(), sources: Vec::new() },
        documents: std::iter::once(essence.document().to_owned()).collect(),
        identity: essence.identity.clone(),
        captures: BTreeSet::new(),
        founded,
        keys: BTreeMap::new(),
    };
    play(&mut standing, key, essence, Mode::Founded);
    set_keys(e, &mut standing, Some(essence))?;
    e.set_resident(&founds(key), &standing)
}

/// Of a record that cannot be read any more only this is left: that it was part of this resident, or founded it.
pub(super) fn shadow(e: &impl Engine, reference: &ResidentRef, key: &RecordKey, founded: Second) -> Result<(), Problem> {
    let standing = match e.resident(reference)? {
        Some(mut standing) => {
            standing.resident.sources.push(key.clone());
            standing
        }
        None => Standing {
            resident: Resident { fields: BTreeMap::new(), parts: BTreeMap::new(), sources: vec![key.clone()] },
            documents: BTreeSet::new(),
            identity: BTreeSet::new(),
            captures: BTreeSet::new(),
            founded,
            keys: BTreeMap::new(),
        },
    };
    e.set_resident(reference, &standing)
}

/// A record becomes part of a resident.
pub(super) fn add(e: &impl Engine, reference: &ResidentRef, key: &RecordKey, essence: &Essence, mode: Mode) -> Result<(), Problem> {
    let mut standing = stands(e, reference)?;
    play(&mut standing, key, essence, mode);
    let founding = e.essence(founder(&standing)?)?;
    set_keys(e, &mut standing, founding.as_ref())?;
    e.set_resident(reference, &standing)
}

/// Whoever stands under a reference; an error when nobody does.
pub(super) fn stands(e: &impl Engine, reference: &ResidentRef) -> Result<Standing, Problem> {
    e.resident(reference)?.ok_or_else(|| Problem::new(Code::RegistryWrong, format!("resident {reference} is not there")))
}

/// What a record does to whom it is part of.
fn play(standing: &mut Standing, key: &RecordKey, essence: &Essence, mode: Mode) {
    let Resident { fields, parts, sources } = &mut standing.resident;
    sources.push(key.clone());
    standing.captures.extend(essence.captured().cloned());
    let (sets, replaces) = match mode {
        Mode::Founded => (true, true),
        Mode::Applied { parts } => (true, parts),
        Mode::Joined { parts } => (false, parts),
        Mode::Same => return,
    };
    for (name, value) in &essence.fields {
        match value {
            Some(value) if sets || !fields.contains_key(name) => drop(fields.insert(name.clone(), (value.clone(), key.clone()))),
            None if sets => drop(fields.remove(name)),
            _ => {}
        }
    }
    if replaces {
        for (position, sha256) in &essence.parts {
            parts.insert(position.clone(), (sha256.clone(), key.clone()));
        }
    }
    standing.documents.insert(essence.document().to_owned());
    standing.identity.extend(essence.identity.iter().cloned());
}

/// Takes a merged record out of its resident. When it had founded it, the resident goes, and what rested on it is held.
///
/// Writes nothing about the record itself.
pub(super) fn take_out(e: &impl Engine, key: &RecordKey, record: &Record) -> Result<(), Problem> {
    let Fate::Merged(reference) = &record.fate else { return Ok(()) };
    let standing = stands(e, reference)?;
    if founder(&standing)? == key {
        e.remove_resident(reference)?;
        return standing.resident.sources.iter().skip(1).try_for_each(|other| rested(e, other, key));
    }
    let mut left = played(e, &standing, standing.resident.sources.iter().filter(|source| *source != key))?;
    let founding = e.essence(founder(&left)?)?;
    set_keys(e, &mut left, founding.as_ref())?;
    e.set_resident(reference, &left)
}

/// What some of its sources give.
fn played<'s>(e: &impl Engine, of: &Standing, sources: impl Iterator<Item = &'s RecordKey>) -> Result<Standing, Problem> {
    let mut standing = Standing {
        resident: Resident { fields: BTreeMap::new(), parts: BTreeMap::new(), sources: Vec::new() },
        documents: BTreeSet::new(),
        identity: BTreeSet::new(),
        captures: BTreeSet::new(),
        ..of.clone()
    };
    for source in sources {
        let mode = known(e, source)?.mode.unwrap_or(Mode::Same);
        match e.essence(source)? {
            Some(essence) => play(&mut standing, source, &essence, mode),
            // erased since: nothing of it is left but that it was here
            None => standing.resident.sources.push(source.clone()),
        }
    }
    Ok(standing)
}

/// Did a record change who somebody is when it was applied?
pub(super) fn changed_identity(e: &impl Engine, key: &RecordKey, record: &Record) -> Result<bool, Problem> {
    let (Fate::Merged(reference), Some(Mode::Applied { .. }), Some(place)) = (&record.fate, record.mode, record.place) else {
        return Ok(false);
    };
    let (standing, Some(essence)) = (stands(e, reference)?, e.essence(key)?) else { return Ok(false) };
    let before = played(e, &standing, standing.resident.sources.iter().take_while(|source| *source != key))?;
    Ok(compared(e.rules(place)?, &essence, &before).changes())
}

/// What a record would change of somebody.
pub(super) fn compared(rules: Rules, essence: &Essence, standing: &Standing) -> Compared {
    let added = standing.identity.union(&essence.identity).cloned().collect();
    compare(rules, &standing.resident.values(), &essence.fields, &added)
}

/// What rested on a record that went is held against it.
fn rested(e: &impl Engine, key: &RecordKey, gone: &RecordKey) -> Result<(), Problem> {
    let record = known(e, key)?;
    e.set_record(key, &Record { fate: held(key, Code::TargetGone), against: vec![gone.clone()], mode: None, ..record })
}

/// What became of a record that must be known.
pub(super) fn known(e: &impl Engine, key: &RecordKey) -> Result<Record, Problem> {
    e.record(key)?.ok_or_else(|| Problem::new(Code::RegistryWrong, format!("record {key} is not known")))
}

/// A record goes: out of its resident, its id and number are free.
pub(super) fn remove(e: &impl Engine, key: &RecordKey, fate: Fate, place: Option<LogIndex>) -> Result<(), Problem> {
    let record = known(e, key)?;
    take_out(e, key, &record)?;
    // what it founded may have held others, but not itself
    e.set_record(key, &Record { fate, against: Vec::new(), place, holds_id: false, holds_number: false, mode: None, ..record })
}
