//! Judging one line at its place: it takes its id and number, and becomes part of somebody, waits or is held; whoever waited for it is
//! judged after it. What the log has told of a line is followed.

use shared::{
    decision::RecordKey,
    id::{BatchId, LogIndex},
    merge::Essence,
    outcome::Fate,
    problem::{Code, Problem},
    record::Target,
};

use super::{
    claims::{self, Claims},
    engine::{Batch, Delivered, Engine, Line, Mode, Record},
    people::{self, Asked, Ruling},
    residents::{self, held},
};

/// Does a number that is taken stand against a line?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Numbers {
    /// Yes.
    Count,
    /// No: a person has accepted its batch.
    Lifted,
}

/// Judges a line in force that is not judged yet.
pub(super) fn judge(e: &impl Engine, at: LogIndex, batch: &Batch, line: &Delivered, numbers: Numbers) -> Result<Fate, Problem> {
    if let Some(known) = judged_before(e, line)? {
        return Ok(known);
    }
    let mut record = Record { place: Some(at), ..fresh(batch, line, held(&line.key, Code::Waiting)) };
    match claims::look(e, line)? {
        Claims::Taken(Code::NumberReused, _) if numbers == Numbers::Lifted => record.holds_id = true,
        Claims::Taken(code, against) => {
            (record.fate, record.against) = (held(&line.key, code), against);
            e.set_record(&line.key, &record)?;
            waiting(e, at, &line.key)?;
            return Ok(record.fate);
        }
        Claims::Free => (record.holds_id, record.holds_number) = (true, true),
    }
    let essence = essence(e, &line.key)?;
    let ruling = people::rule(e, &Asked { batch, line, essence: &essence, at })?;
    settle(e, &line.key, &essence, record, ruling, batch)?;
    waiting(e, at, &line.key)?;
    residents::known(e, &line.key).map(|record| record.fate)
}

pub(super) fn judged_before(e: &impl Engine, line: &Delivered) -> Result<Option<Fate>, Problem> {
    let known = e.record(&line.key)?;
    Ok(known.filter(|known| known.place.is_some()).map(|known| known.fate))
}

fn essence(e: &impl Engine, key: &RecordKey) -> Result<Essence, Problem> {
    e.essence(key)?.ok_or_else(|| Problem::new(Code::RegistryWrong, format!("record {key} was opened and says nothing")))
}

/// Writes what a record becomes.
fn settle(e: &impl Engine, key: &RecordKey, essence: &Essence, mut record: Record, ruling: Ruling, batch: &Batch) -> Result<(), Problem> {
    match ruling {
        Ruling::Founds => {
            residents::found(e, key, essence, batch.received)?;
            (record.fate, record.mode) = (Fate::Merged(residents::founds(key)), Some(Mode::Founded));
        }
        Ruling::Adds(reference, mode) => {
            residents::add(e, &reference, key, essence, mode)?;
            (record.fate, record.mode) = (Fate::Merged(reference), Some(mode));
        }
        Ruling::Waits(target) => e.wait((&batch.unit, target), key)?,
        Ruling::Held(code, against) => (record.fate, record.against) = (held(key, code), against),
    }
    e.set_record(key, &record)
}

/// Whoever waited for this record is judged now that it is.
pub(super) fn waiting(e: &impl Engine, at: LogIndex, target: &RecordKey) -> Result<(), Problem> {
    for key in e.take_waiting((&target.unit, target.record))? {
        let record = residents::known(e, &key)?;
        // taken out or decided about meanwhile: it waits no longer
        if record.place.is_none() || !matches!(record.fate, Fate::Held(Code::Waiting, _)) {
            continue;
        }
        let (batch, line) = delivery(e, &record)?;
        // erased by a later entry, which finds it as it is
        let Some(essence) = e.essence(&key)? else { continue };
        let ruling = people::rule(e, &Asked { batch: &batch, line: &line, essence: &essence, at })?;
        settle(e, &key, &essence, record, ruling, &batch)?;
    }
    Ok(())
}

/// Does what was said of a line, whatever today's rules say.
pub(super) fn followed(e: &impl Engine, at: LogIndex, batch: &Batch, line: &Delivered, told: &Fate) -> Result<Fate, Problem> {
    let judged = would_be(e, at, batch, line)?;
    if judged == *told {
        return judge(e, at, batch, line, Numbers::Count);
    }
    if judged_before(e, line)?.is_some() {
        return Ok(told.clone());
    }
    e.differs(&line.key, told, &judged);
    let free = matches!(claims::look(e, line)?, Claims::Free);
    let record = Record { place: Some(at), holds_id: free, holds_number: free, blind: true, ..fresh(batch, line, told.clone()) };
    let essence = essence(e, &line.key)?;
    let ruling = match told {
        Fate::Merged(reference) if *reference == residents::founds(&line.key) => Ruling::Founds,
        Fate::Merged(reference) if e.resident(reference)?.is_some() => Ruling::Adds(reference.clone(), mode_of(&essence)),
        Fate::Held(Code::Waiting, _) => match &essence.target {
            Some(Target::Record { record, .. }) => Ruling::Waits(*record),
            _ => Ruling::Held(Code::Waiting, Vec::new()),
        },
        Fate::Held(code, _) => Ruling::Held(*code, Vec::new()),
        Fate::Merged(_) | Fate::Refused(_) => {
            e.set_record(&line.key, &record)?;
            return Ok(told.clone());
        }
    };
    settle(e, &line.key, &essence, record, ruling, batch)?;
    waiting(e, at, &line.key)?;
    Ok(told.clone())
}

/// How a record of this kind becomes part of somebody when nothing else is known.
pub(super) fn mode_of(essence: &Essence) -> Mode {
    match essence.transaction {
        shared::id::Transaction::New => Mode::Joined { parts: false },
        shared::id::Transaction::Correction => Mode::Applied { parts: false },
        _ => Mode::Applied { parts: true },
    }
}

/// What a line in force would become, writing nothing.
fn would_be(e: &impl Engine, at: LogIndex, batch: &Batch, line: &Delivered) -> Result<Fate, Problem> {
    if let Some(known) = judged_before(e, line)? {
        return Ok(known);
    }
    if let Claims::Taken(code, _) = claims::look(e, line)? {
        return Ok(held(&line.key, code));
    }
    let essence = essence(e, &line.key)?;
    Ok(match people::rule(e, &Asked { batch, line, essence: &essence, at })? {
        Ruling::Founds => Fate::Merged(residents::founds(&line.key)),
        Ruling::Adds(reference, _) => Fate::Merged(reference),
        Ruling::Waits(_) => held(&line.key, Code::Waiting),
        Ruling::Held(code, _) => held(&line.key, code),
    })
}

pub(super) fn numbers(e: &impl Engine, batch: &Batch) -> Result<Numbers, Problem> {
    Ok(if e.batch_decided(batch.id)?.is_some() { Numbers::Lifted } else { Numbers::Count })
}

/// A record that nobody has heard of yet, with what its delivery says.
pub(super) fn fresh(batch: &Batch, line: &Delivered, fate: Fate) -> Record {
    Record {
        fate,
        against: Vec::new(),
        place: None,
        delivery: (batch.id, line.line),
        number: line.number,
        holds_id: false,
        holds_number: false,
        mode: None,
        decision: None,
        blind: false,
    }
}

/// The fate of a line that is not in force.
pub(super) fn not_counting(line: &Delivered, code: Code) -> Fate {
    if code == Code::Decided { Fate::Refused(code) } else { held(&line.key, code) }
}

/// Was it told to wait for an entry that says that it is open?
pub(super) fn waits(fate: &Fate) -> bool {
    matches!(fate, Fate::Held(Code::Unopened | Code::UpgradeNeeded, _))
}

/// The delivery that counts of a record.
pub(super) fn delivery(e: &impl Engine, record: &Record) -> Result<(Batch, Delivered), Problem> {
    let (id, position) = record.delivery;
    Ok((e.batch(id)?, line_at(e, id, position)?))
}

pub(super) fn line_at(e: &impl Engine, id: BatchId, position: u64) -> Result<Delivered, Problem> {
    let lines = e.lines(id)?.unwrap_or_default();
    let found = lines.into_iter().find_map(|line| match line {
        Line::Record(line) if line.line == position => Some(line),
        _ => None,
    });
    found.ok_or_else(|| Problem::new(Code::RegistryWrong, format!("line {position} of batch {id} is not there")))
}
