//! What comes in force after its own entry: by a link, a decision, an `opened` entry, or because another delivery of the record is out.

use shared::{
    decision::RecordKey,
    id::LogIndex,
    outcome::Fate,
    problem::{Code, Problem},
};

use super::{
    engine::{Batch, Delivered, Engine, Found, Holder, Line, Record, Withdrawal},
    force, judge,
    residents::{self, held},
};

/// The lines of a batch that are in force now and were not before, in order.
pub(super) fn come_in_force(e: &impl Engine, at: LogIndex, batch: &Batch) -> Result<(), Problem> {
    if let Err(code) = force::batch(e, batch, at)? {
        // its key counts now, and what else it lacks shows
        for line in e.lines(batch.id)?.unwrap_or_default() {
            if let Line::Record(line) = line {
                still_held(e, batch, &line, code)?;
            }
        }
        return Ok(());
    }
    let numbers = judge::numbers(e, batch)?;
    for line in e.lines(batch.id)?.unwrap_or_default() {
        match line {
            Line::Record(line) if line.found == Found::Signed && !waits_for_opening(e, at, batch, &line)? => {
                match force::line(e, batch, &line, at)? {
                    Ok(()) => drop(judge::judge(e, at, batch, &line, numbers)?),
                    Err(code) => still_held(e, batch, &line, code)?,
                }
            }
            Line::Record(_) => {}
            Line::Withdrawn(line) => withdrawal(e, at, batch, &line, Ok(()))?,
        }
    }
    Ok(())
}

/// What had stood against it does no longer, and something else does: it is held for that.
fn still_held(e: &impl Engine, batch: &Batch, line: &Delivered, code: Code) -> Result<(), Problem> {
    match e.record(&line.key)? {
        Some(known)
            if known.place.is_none()
                && known.delivery == (batch.id, line.line)
                && matches!(known.fate, Fate::Held(..))
                && !judge::waits(&known.fate) =>
        {
            e.set_record(&line.key, &Record { fate: held(&line.key, code), ..known })
        }
        _ => Ok(()),
    }
}

/// A withdrawn line takes its number while it is in force, and gives it back when it is not.
pub(super) fn withdrawal(e: &impl Engine, at: LogIndex, batch: &Batch, line: &Withdrawal, stands: Result<(), Code>) -> Result<(), Problem> {
    if stands.is_ok() && force::withdrawal(e, batch, line, at)? { e.withdraw(line, batch.id) } else { e.withdraw_not(line, batch.id) }
}

/// The withdrawn lines of a batch about which something was decided.
pub(super) fn withdrawals(e: &impl Engine, at: LogIndex, batch: &Batch) -> Result<(), Problem> {
    let stands = force::batch(e, batch, at)?;
    for line in e.lines(batch.id)?.unwrap_or_default() {
        if let Line::Withdrawn(line) = line {
            withdrawal(e, at, batch, &line, stands)?;
        }
    }
    Ok(())
}

/// A line that was told to wait for its opening is judged at the entry that says it is open, and at no other.
pub(super) fn waits_for_opening(e: &impl Engine, at: LogIndex, batch: &Batch, line: &Delivered) -> Result<bool, Problem> {
    Ok(was_unopened(e, batch, line)? && e.opened(batch.id)?.is_none_or(|opened| opened > at))
}

pub(super) fn was_unopened(e: &impl Engine, batch: &Batch, line: &Delivered) -> Result<bool, Problem> {
    Ok(e.first(batch.id, line.line)?.as_ref().is_some_and(judge::waits))
}

/// The delivery of a record that counts is out, by a key or a decision. Another one that is in force takes its place, and the record
/// stays what it is; false when there is none.
///
/// Not where the record changed somebody's identity: that rested on who approved it.
pub(super) fn delivered_again(e: &impl Engine, at: LogIndex, key: &RecordKey, record: &Record) -> Result<bool, Problem> {
    if matches!(record.fate, Fate::Refused(_)) || residents::changed_identity(e, key, record)? {
        return Ok(false);
    }
    for (id, position) in e.deliveries(key, at)? {
        let (batch, line) = (e.batch(id)?, judge::line_at(e, id, position)?);
        if !counts(e, at, &batch, &line)? {
            continue;
        }
        let holder = e.number_holder(&key.unit, line.number)?;
        let (free, own) = (holder.is_none(), holder == Some(Holder::Record(key.clone())));
        if free || own || judge::numbers(e, &batch)? == judge::Numbers::Lifted {
            let holds_number = (free || own) && record.holds_id;
            let record = Record { delivery: (id, position), number: line.number, holds_number, ..record.clone() };
            return e.set_record(key, &record).map(|()| true);
        }
    }
    Ok(false)
}

/// Is a delivery in force, with what is known at an entry?
fn counts(e: &impl Engine, at: LogIndex, batch: &Batch, line: &Delivered) -> Result<bool, Problem> {
    Ok(line.found == Found::Signed
        && !waits_for_opening(e, at, batch, line)?
        && force::batch(e, batch, at)?.is_ok()
        && force::line(e, batch, line, at)?.is_ok())
}
