//! Whom a record is about: it founds a resident, joins one, changes one, waits, or is held against somebody.
//!
//! **Identity** fields are those that the match key reads and those that a form adds; *changed* means after folding
//! ([`shared::merge::compare`]).
//!
//! | transaction | and then | becomes |
//! |---|---|---|
//! | `new` | nobody stands under its match key, or it has none | founds |
//! | | somebody does, alone, of another document, same number, equal identity | joins: fields that were not there |
//! | | otherwise | held `duplicate` |
//! | | a face, finger or eye of it is byte for byte one of another resident's `new` record | held `part-reused` |
//! | others | the target is a record of the same unit that is not judged yet | held `waiting` |
//! | | nobody, or more than one, stands there | held `target-unknown`; or founds, where the roster says so |
//! | | identity changes: not the founding unit, no supervisor apart, or too late | held `identity-change` |
//! | | its number would be somebody else's | held `duplicate` |
//! | renewal, replacement | the roster says `renewals hold` | held `renewal-held` |
//! | | otherwise | applies |
//!
//! A line is judged by the roster that it names and, where that was replaced at least `grace` before its batch was logged, by the
//! later one too: what only the second forbids is held `roster-old`.

use std::collections::{BTreeMap, BTreeSet};

use shared::{
    decision::RecordKey,
    form::check::normal,
    id::{ResidentRef, Transaction},
    merge::{Essence, MatchKey, has_number, keys},
    problem::{Code, Problem},
    record::Target,
    roster::{Facts as RosterFacts, Renewals, UnknownTargets},
    rules::Rules,
};

use super::{
    engine::{Batch, Delivered, Engine, Mode, Standing},
    force,
    residents::{compared, founder, met, stands, under as under_keys},
};

/// What a record in force is to become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ruling {
    /// It founds.
    Founds,
    /// It becomes part of a resident.
    Adds(ResidentRef, Mode),
    /// It waits for a record of its unit.
    Waits(shared::id::RecordId),
    /// It is held against these.
    Held(Code, Vec<RecordKey>),
}

/// What is asked about.
pub(super) struct Asked<'a> {
    pub(super) batch: &'a Batch,
    pub(super) line: &'a Delivered,
    pub(super) essence: &'a Essence,
    /// The entry at which it is judged.
    pub(super) at: shared::id::LogIndex,
}

/// Rules on a record in force that holds its id and number.
pub(super) fn rule(e: &impl Engine, asked: &Asked<'_>) -> Result<Ruling, Problem> {
    let named = e.roster(asked.line.roster)?;
    let later = force::replaced(e, &named, asked.batch)?;
    let first = under(e, asked, &named.facts)?;
    let (Some(later), false) = (later, matches!(first, Ruling::Held(..) | Ruling::Waits(_))) else { return Ok(first) };
    let second = if later.facts.form(&asked.essence.form).is_none() {
        Ruling::Held(Code::RosterOld, Vec::new())
    } else {
        under(e, asked, &later.facts)?
    };
    Ok(match second {
        Ruling::Held(_, against) => Ruling::Held(Code::RosterOld, against),
        _ => first,
    })
}

fn under(e: &impl Engine, asked: &Asked<'_>, roster: &RosterFacts) -> Result<Ruling, Problem> {
    let rules = e.rules(asked.at)?;
    // what only these rules refuse is kept, and a person decides
    if rules >= Rules::V3 && normal(&asked.essence.fields).is_err() {
        return Ok(Ruling::Held(Code::FieldInvalid, Vec::new()));
    }
    match asked.essence.transaction {
        Transaction::New => new(e, rules, asked.essence, &asked.essence.keys(rules), roster),
        _ => dependent(e, rules, asked, roster),
    }
}

/// Held against those who founded these residents.
fn against<'r>(e: &impl Engine, code: Code, residents: impl IntoIterator<Item = &'r ResidentRef>) -> Result<Ruling, Problem> {
    let mut keys = Vec::new();
    for reference in residents {
        keys.push(founder(&stands(e, reference)?)?.clone());
    }
    Ok(Ruling::Held(code, keys))
}

fn new(e: &impl Engine, rules: Rules, essence: &Essence, keys: &BTreeSet<MatchKey>, roster: &RosterFacts) -> Result<Ruling, Problem> {
    let there = met(e, keys)?;
    let one = match (there.len(), there.first()) {
        (_, None) => None,
        (1, Some(one)) if joins(rules, essence, &stands(e, one)?) => Some(one),
        _ => return against(e, Code::Duplicate, &there),
    };
    let others = captured_of_others(e, rules, essence, one)?;
    if !others.is_empty() {
        return against(e, Code::PartReused, &others);
    }
    Ok(one.map_or(Ruling::Founds, |one| Ruling::Adds(one.clone(), Mode::Joined { parts: roster.renewals == Renewals::Apply })))
}

/// Who else was new with a part of these bytes: two captures are never equal, so that one of the two is not of this person.
fn captured_of_others(
    e: &impl Engine,
    rules: Rules,
    essence: &Essence,
    own: Option<&ResidentRef>,
) -> Result<BTreeSet<ResidentRef>, Problem> {
    let mut others = BTreeSet::new();
    for part in essence.captured().filter(|_| rules >= Rules::V3) {
        others.extend(e.captured(part)?.into_iter().filter(|other| Some(other) != own));
    }
    Ok(others)
}

/// A second document of the same person: the number is the same, and whatever both say of identity.
fn joins(rules: Rules, essence: &Essence, standing: &Standing) -> bool {
    let compared = compared(rules, essence, standing);
    let both = |name: &str| compared.equal.iter().any(|equal| equal == name);
    let a_name = ["ar", "latin"].iter().any(|script| both(&format!("given_{script}")) && both(&format!("family_{script}")));
    !standing.documents.contains(essence.document())
        && has_number(&essence.fields)
        && both("national_number")
        && both("date_of_birth")
        && a_name
        && compared.different.is_empty()
        && compared.cleared.is_empty()
}

/// Renewal, replacement, correction.
fn dependent(e: &impl Engine, rules: Rules, asked: &Asked<'_>, roster: &RosterFacts) -> Result<Ruling, Problem> {
    let unknown = Ruling::Held(Code::TargetUnknown, Vec::new());
    let reference = match asked.essence.target.as_ref() {
        None => return Ok(unknown),
        Some(Target::Resident { resident }) => e.resident(resident)?.map(|_| resident.clone()),
        Some(Target::Record { unit, record }) => {
            let reference = ResidentRef::founded_by(unit, *record);
            // nobody waits for itself
            let other = *unit == asked.batch.unit && *record != asked.line.key.record;
            if other && e.resident(&reference)?.is_none() && still_comes(e, asked, *record)? {
                return Ok(Ruling::Waits(*record));
            }
            e.resident(&reference)?.map(|_| reference)
        }
        Some(Target::NationalNumber { national_number }) => {
            let key = MatchKey::of_number(rules, national_number);
            let there = e.standing(&key)?;
            match &there[..] {
                [] => return older_card(e, rules, asked.essence, key, roster),
                [one] => Some(one.clone()),
                some => return against(e, Code::TargetUnknown, some),
            }
        }
    };
    match reference {
        Some(reference) => change(e, rules, asked, reference, roster),
        None => Ok(unknown),
    }
}

/// A record of the same unit that is not judged yet: it has not come, or is not in force.
fn still_comes(e: &impl Engine, asked: &Asked<'_>, record: shared::id::RecordId) -> Result<bool, Problem> {
    Ok(e.any_of_id(&asked.batch.unit, record)?.is_none())
}

/// Nobody bears the number: most people's cards are older than this system.
fn older_card(e: &impl Engine, rules: Rules, essence: &Essence, key: MatchKey, roster: &RosterFacts) -> Result<Ruling, Problem> {
    let fits = !has_number(&essence.fields) || keys(rules, &essence.fields).contains(&key);
    let founds = roster.unknown_targets == UnknownTargets::Found && essence.transaction != Transaction::Correction && fits;
    if !founds {
        return Ok(Ruling::Held(Code::TargetUnknown, Vec::new()));
    }
    new(e, rules, essence, &[key].into(), roster)
}

/// It would change a resident who stands, alone.
fn change(e: &impl Engine, rules: Rules, asked: &Asked<'_>, reference: ResidentRef, roster: &RosterFacts) -> Result<Ruling, Problem> {
    let standing = stands(e, &reference)?;
    let first = founder(&standing)?.clone();
    if compared(rules, asked.essence, &standing).changes() && !may_change_identity(e, asked, &standing, &first, roster)? {
        return Ok(Ruling::Held(Code::IdentityChange, vec![first]));
    }
    // whom the resident meets already is a case of its own
    let before = standing.keys.get(&rules).map_or_else(|| Ok(BTreeSet::new()), |keys| met(e, keys))?;
    let mut others = met(e, &keys_after(e, rules, asked.essence, &standing)?)?;
    others.retain(|other| *other != reference && !before.contains(other));
    if !others.is_empty() {
        return against(e, Code::Duplicate, &others);
    }
    match asked.essence.transaction {
        // its parts are evidence
        Transaction::Correction => Ok(Ruling::Adds(reference, Mode::Applied { parts: false })),
        _ if roster.renewals == Renewals::Hold => Ok(Ruling::Held(Code::RenewalHeld, vec![first])),
        _ => Ok(Ruling::Adds(reference, Mode::Applied { parts: true })),
    }
}

/// Under what the resident would stand.
fn keys_after(e: &impl Engine, rules: Rules, essence: &Essence, standing: &Standing) -> Result<BTreeSet<MatchKey>, Problem> {
    let mut values: BTreeMap<String, Option<String>> = standing.resident.values();
    values.extend(essence.fields.iter().map(|(name, value)| (name.clone(), value.clone())));
    Ok(under_keys(rules, &values, e.essence(founder(standing)?)?.as_ref()))
}

/// The resident's own unit, a supervisor who enrolled nobody of the batch, and soon after the founding.
fn may_change_identity(
    e: &impl Engine,
    asked: &Asked<'_>,
    standing: &Standing,
    first: &RecordKey,
    roster: &RosterFacts,
) -> Result<bool, Problem> {
    let batch = asked.batch;
    let Some(approver) = &batch.approver else { return Ok(false) };
    let since = batch.received.unix().saturating_sub(standing.founded.unix());
    let soon = since <= i64::try_from(roster.amend).unwrap_or(i64::MAX);
    let apart = || e.enrolled_by(batch.id, approver.name.as_str()).map(|own| !own);
    Ok(first.unit == batch.unit && soon && force::key_for(e, approver, batch, asked.at)?.counts() && apart()?)
}
