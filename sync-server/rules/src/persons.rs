//! How many persons a line of a decision needs, by its effect.
//!
//! Two are needed for whatever changes identity or face, takes out what is merged, or uses cut or frozen keys; and always where the
//! roster says `persons two`. Nobody is needed for what stands so already.

use shared::{
    decision::{BatchVerdict, DecisionLine, RecordKey, Subject, Verdict},
    id::{BatchId, LogIndex, ResidentRef, Transaction},
    merge::Essence,
    outcome::Fate,
    problem::{Code, Problem},
    roster::Persons,
};

use super::{
    engine::{Engine, Mode, Record},
    force, judge,
    residents::{self, compared},
};

/// The position at which faces stand.
const FACE: &str = "face";

/// How many persons a line needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Nobody: it stands so already.
    Nobody,
    /// The one who signed it.
    One,
    /// A second one.
    Two,
}

/// 4. By effect.
pub fn needs(e: &impl Engine, at: LogIndex, line: &DecisionLine) -> Result<Needs, Problem> {
    if stands_so(e, &line.subject)? {
        return Ok(Needs::Nobody);
    }
    let newest = e.newest_roster(at, None)?;
    if let Some(newest) = newest
        && e.roster(newest)?.facts.persons == Persons::Two
    {
        return Ok(Needs::Two);
    }
    let two = match &line.subject {
        Subject::Record(key, verdict) => record_needs_two(e, at, key, verdict)?,
        Subject::Batch(id, verdict) => batch_needs_two(e, at, *id, *verdict)?,
    };
    Ok(if two { Needs::Two } else { Needs::One })
}

/// Is it what the registry says already?
pub(super) fn stands_so(e: &impl Engine, subject: &Subject) -> Result<bool, Problem> {
    match subject {
        Subject::Record(key, verdict) => {
            let record = residents::known(e, key)?;
            Ok(match (&record.fate, verdict) {
                (Fate::Merged(_), Verdict::Found) => record.mode == Some(Mode::Founded),
                (Fate::Merged(at), Verdict::Same(to)) => at == to && record.mode == Some(Mode::Same),
                (Fate::Merged(at), Verdict::Apply(to)) => {
                    at == to && e.essence(key)?.is_some_and(|essence| record.mode == Some(applied(&essence)))
                }
                (Fate::Refused(Code::Decided), Verdict::Refuse) => record.decision.is_some(),
                _ => false,
            })
        }
        Subject::Batch(id, verdict) => Ok(e.batch_decided(*id)?.is_some_and(|decided| decided.accepted == lifts(*verdict))),
    }
}

/// The code that a verdict lifts; none where it refuses.
pub(super) fn lifts(verdict: BatchVerdict) -> Option<Code> {
    match verdict {
        BatchVerdict::Accept(code) => Some(code),
        BatchVerdict::Refuse => None,
    }
}

/// As what a record counts that a person applies.
pub(super) fn applied(essence: &Essence) -> Mode {
    Mode::Applied { parts: essence.transaction != Transaction::Correction }
}

fn record_needs_two(e: &impl Engine, at: LogIndex, key: &RecordKey, verdict: &Verdict) -> Result<bool, Problem> {
    let record = residents::known(e, key)?;
    // only more of itself may be added to whom it is part of; anything else takes out what is merged
    if let Fate::Merged(reference) = &record.fate
        && !matches!(verdict, Verdict::Apply(to) if to == reference)
    {
        return Ok(true);
    }
    if *verdict == Verdict::Refuse {
        return Ok(false);
    }
    if uses_ended_keys(e, at, &record)? {
        return Ok(true);
    }
    match verdict {
        Verdict::Apply(reference) => changes(e, key, reference),
        _ => Ok(false),
    }
}

/// Is a key that signed for it cut or frozen, as far as is known now?
fn uses_ended_keys(e: &impl Engine, at: LogIndex, record: &Record) -> Result<bool, Problem> {
    let (batch, line) = judge::delivery(e, record)?;
    Ok(force::ended(e, &batch, at)? || !force::key_for(e, &line.agent, &batch, at)?.counts())
}

/// Would it change identity, or a face?
fn changes(e: &impl Engine, key: &RecordKey, reference: &ResidentRef) -> Result<bool, Problem> {
    let (Some(essence), Some(standing)) = (e.essence(key)?, e.resident(reference)?) else { return Ok(true) };
    let face = essence.parts.get(FACE).is_some_and(|new| standing.resident.parts.get(FACE).is_none_or(|(old, _)| old != new));
    Ok(compared(&essence, &standing).changes() || face && essence.transaction != Transaction::Correction)
}

fn batch_needs_two(e: &impl Engine, at: LogIndex, id: BatchId, verdict: BatchVerdict) -> Result<bool, Problem> {
    let ended = force::ended(e, &e.batch(id)?, at)?;
    match verdict {
        BatchVerdict::Accept(_) => Ok(ended),
        BatchVerdict::Refuse => {
            for key in e.records_of(id)? {
                if matches!(residents::known(e, &key)?.fate, Fate::Merged(_)) {
                    return Ok(true);
                }
            }
            Ok(false)
        }
    }
}
