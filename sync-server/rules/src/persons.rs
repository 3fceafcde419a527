//! How many persons a line of a decision needs, by its effect.
//!
//! Two are needed for whatever changes identity or face, takes out what is merged, uses cut or frozen keys, or unsays what two persons
//! said; and always where the roster says `persons two`. Nobody is needed for what stands so already.

use shared::{
    decision::{BatchVerdict, DecisionLine, RecordKey, Said, Subject, Verdict},
    id::{BatchId, LogIndex, NoteId, ResidentRef, Transaction},
    merge::Essence,
    outcome::Fate,
    problem::{Code, Problem},
    roster::Persons,
    rules::Rules,
};

use super::{
    engine::{Batch, Engine, Found, Line, LineState, Mode, Record, Standing},
    force, judge, late,
    people::{self, Asked, Ruling},
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
        Subject::Batch(id, verdict) => Ok(e.batch_decided(*id)?.is_some_and(|decided| match (decided.accepted, lifts(*verdict)) {
            (Some(lifted), Some(code)) => lifted.contains(&code),
            (None, None) => true,
            _ => false,
        })),
    }
}

/// Did two persons decide this about that: does it act since the second one signed?
fn by_two(e: &impl Engine, id: NoteId, about: impl Fn(&Subject) -> bool) -> Result<bool, Problem> {
    let Some(first) = e.decision(id)? else { return Ok(false) };
    let Said::Lines(lines) = first.note.said() else { return Ok(false) };
    let mut states = lines.iter().zip(e.decided(id)?);
    Ok(states.any(|(line, state)| about(&line.subject) && matches!(state, LineState::Acts(at) if at > first.index)))
}

/// Did two persons decide about a record?
pub(super) fn record_by_two(e: &impl Engine, key: &RecordKey, id: NoteId) -> Result<bool, Problem> {
    by_two(e, id, |subject| matches!(subject, Subject::Record(own, _) if own == key))
}

/// Did two persons decide about a batch?
fn batch_by_two(e: &impl Engine, batch: BatchId) -> Result<bool, Problem> {
    match e.batch_decided(batch)? {
        Some(decided) => by_two(e, decided.decision, |subject| matches!(subject, Subject::Batch(own, _) if *own == batch)),
        None => Ok(false),
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
    // what two persons said, one does not unsay
    let by_two = match record.decision {
        Some(id) => record_by_two(e, key, id)?,
        None => record.fate == Fate::Refused(Code::Decided) && batch_by_two(e, record.delivery.0)?,
    };
    if by_two {
        return Ok(true);
    }
    if *verdict == Verdict::Refuse {
        return Ok(false);
    }
    if uses_ended_keys(e, at, &record)? {
        return Ok(true);
    }
    match verdict {
        Verdict::Apply(reference) => changes(e, at, key, reference),
        _ => Ok(false),
    }
}

/// Is a key that signed for it cut or frozen, as far as is known now?
fn uses_ended_keys(e: &impl Engine, at: LogIndex, record: &Record) -> Result<bool, Problem> {
    let (batch, line) = judge::delivery(e, record)?;
    Ok(force::ended(e, &batch, at)? || !force::key_for(e, &line.agent, &batch, at)?.counts())
}

/// Would it change identity, or a face?
fn changes(e: &impl Engine, at: LogIndex, key: &RecordKey, reference: &ResidentRef) -> Result<bool, Problem> {
    let (Some(essence), Some(standing)) = (e.essence(key)?, e.resident(reference)?) else { return Ok(true) };
    Ok(changed(e.rules(at)?, &essence, &standing, applied(&essence)))
}

/// The same of what is part of somebody in this way.
fn changed(rules: Rules, essence: &Essence, standing: &Standing, mode: Mode) -> bool {
    let face = || essence.parts.get(FACE).is_some_and(|new| standing.resident.parts.get(FACE).is_none_or(|(old, _)| old != new));
    match mode {
        Mode::Applied { parts } => compared(rules, essence, standing).changes() || parts && face(),
        Mode::Joined { parts } => parts && face(),
        Mode::Founded | Mode::Same => false,
    }
}

fn batch_needs_two(e: &impl Engine, at: LogIndex, id: BatchId, verdict: BatchVerdict) -> Result<bool, Problem> {
    let batch = e.batch(id)?;
    if batch_by_two(e, id)? {
        return Ok(true);
    }
    match verdict {
        BatchVerdict::Accept(_) => Ok(force::ended(e, &batch, at)? || lines_change(e, at, &batch)?),
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

/// Would a line of a batch that is accepted change the identity or the face of somebody who stands?
fn lines_change(e: &impl Engine, at: LogIndex, batch: &Batch) -> Result<bool, Problem> {
    for line in e.lines(batch.id)?.unwrap_or_default() {
        let Line::Record(line) = line else { continue };
        if line.found != Found::Signed || judge::judged_before(e, &line)?.is_some() || late::waits_for_opening(e, at, batch, &line)? {
            continue;
        }
        let Some(essence) = e.essence(&line.key)? else { continue };
        if let Ruling::Adds(reference, mode) = people::rule(e, &Asked { batch, line: &line, essence: &essence, at })?
            && changed(e.rules(at)?, &essence, &residents::stands(e, &reference)?, mode)
        {
            return Ok(true);
        }
    }
    Ok(false)
}
