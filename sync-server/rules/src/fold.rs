//! One entry after the other, in the log's order; what each line is told first.
//!
//! 1. The batch of an entry: its lines are judged when all of them are opened. What broke off again and again is told `held
//!    unopened`; then the fold goes on only when the outcome that says so is logged, so that a rebuild passes it at the same point.
//! 2. What the batch has linked to a head comes in force now, oldest batch first.
//! 3. A roster: what ended keys had signed is taken out. 4. A decision acts. 5. What was unopened is judged. 6. Bytes are gone.
//!
//! **Verdicts are facts:** where the first outcome of a batch is logged, it is followed, and nothing is judged anew; so what was
//! once said stays said when the bytes are gone or the software has changed. `fsck` judges again and names differences.

use shared::{
    decision::RecordKey,
    id::LogIndex,
    outcome::Fate,
    problem::{Code, Problem},
};

use super::{
    cuts, decisions,
    engine::{Batch, Delivered, Engine, Event, Found, Kind, Line, Mode, Record},
    force, judge, late,
    residents::{self, held},
};

/// How far a fold went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Advanced {
    /// Nothing that is logged is left.
    Done,
    /// The batch at its position is not opened, or its first outcome is not logged.
    Waits,
    /// There is more: the bound of this call was reached.
    More,
}

/// Folds what is logged and can be judged, at most `most` entries.
pub fn advance(e: &impl Engine, most: usize) -> Result<Advanced, Problem> {
    advance_to(e, u64::MAX, most)
}

/// The same, and no entry from `until` on.
pub fn advance_to(e: &impl Engine, until: u64, most: usize) -> Result<Advanced, Problem> {
    for _ in 0..most {
        match e.next()? {
            None => return Ok(Advanced::Done),
            Some(event) if event.index.0 >= until => return Ok(Advanced::Done),
            Some(event) if !step(e, &event)? => return Ok(Advanced::Waits),
            Some(event) => e.passed(event.index)?,
        }
    }
    Ok(Advanced::More)
}

/// One entry. False: it has to wait.
fn step(e: &impl Engine, event: &Event) -> Result<bool, Problem> {
    let at = event.index;
    match &event.kind {
        Kind::Batch(id) => return whole_batch(e, at, &e.batch(*id)?),
        Kind::Roster(version) => cuts::roster(e, at, *version)?,
        Kind::Decision(blob) => decisions::logged(e, at, *blob)?,
        Kind::Opened(id) => opened(e, at, &e.batch(*id)?)?,
        Kind::Erase(key) => erase(e, at, key)?,
    }
    Ok(true)
}

/// 1. and 2.
fn whole_batch(e: &impl Engine, at: LogIndex, batch: &Batch) -> Result<bool, Problem> {
    let said = e.first_outcome(batch.id)?;
    if e.judged()? {
        return Ok(said.is_some());
    }
    let Some(lines) = e.lines(batch.id)? else { return Ok(false) };
    // what a link brings back stands in the log before this batch
    for linked in e.linked_by(at)? {
        late::come_in_force(e, at, &e.batch(linked)?)?;
    }
    let stands = force::batch(e, batch, at)?;
    let mut told = said.iter().flatten();
    let mut unopened = false;
    for line in &lines {
        match line {
            Line::Record(line) => {
                let fate = record_line(e, at, batch, line, stands, told.next())?;
                unopened |= judge::waits(&fate);
                e.set_first(batch.id, line.line, &fate)?;
            }
            Line::Withdrawn(line) => late::withdrawal(e, at, batch, line, stands)?,
        }
    }
    if unopened && said.is_none() {
        e.set_judged()?;
        return Ok(false);
    }
    Ok(true)
}

/// A record line at its own batch's entry: what it is told first.
fn record_line(
    e: &impl Engine,
    at: LogIndex,
    batch: &Batch,
    line: &Delivered,
    stands: Result<(), Code>,
    told: Option<&Fate>,
) -> Result<Fate, Problem> {
    // of a line that was told `held unopened`, what came out later is for a later entry
    match told {
        Some(Fate::Held(code, _)) if told.is_some_and(judge::waits) => return not_opened(e, batch, line, *code),
        Some(_) => {}
        None => {
            if let Some(code) = line.found.waits() {
                return not_opened(e, batch, line, code);
            }
        }
    }
    if let Found::Refused(code) = line.found {
        return refused(e, batch, line, code);
    }
    if let Err(code) = stands {
        return not_in_force(e, batch, line, code);
    }
    if let Err(code) = force::line(e, batch, line, at)? {
        return not_in_force(e, batch, line, code);
    }
    match told {
        told if line.found != Found::Signed => gone(e, at, batch, line, told),
        Some(told) => judge::followed(e, at, batch, line, told),
        None => judge::judge(e, at, batch, line, judge::Numbers::Count),
    }
}

/// Nobody could open it in its turn. The line is told so, whatever became of the record by another delivery: by that the entry which
/// opens the batch finds it, and before that entry it stands in for no other delivery.
fn not_opened(e: &impl Engine, batch: &Batch, line: &Delivered, code: Code) -> Result<Fate, Problem> {
    let fate = held(&line.key, code);
    if judge::judged_before(e, line)?.is_none() && e.record(&line.key)?.is_none_or(|known| matches!(known.fate, Fate::Refused(_))) {
        e.set_record(&line.key, &judge::fresh(batch, line, fate.clone()))?;
    }
    Ok(fate)
}

/// Held, and that is all.
fn not_in_force(e: &impl Engine, batch: &Batch, line: &Delivered, code: Code) -> Result<Fate, Problem> {
    let fate = judge::not_counting(line, code);
    match e.record(&line.key)? {
        // another delivery of it is in force, or was decided about
        Some(known) if known.place.is_some() => Ok(known.fate),
        // the first that says why stands; the line is told its own
        Some(known) if !matches!(known.fate, Fate::Refused(_)) => Ok(fate),
        _ => e.set_record(&line.key, &judge::fresh(batch, line, fate.clone())).map(|()| fate),
    }
}

/// Its signed content is wrong for good: this delivery takes nothing, and nobody who waits learns of it; the same bytes under their
/// true line still count.
fn refused(e: &impl Engine, batch: &Batch, line: &Delivered, code: Code) -> Result<Fate, Problem> {
    let fate = Fate::Refused(code);
    if e.record(&line.key)?.is_none() {
        e.set_record(&line.key, &judge::fresh(batch, line, fate.clone()))?;
    }
    Ok(fate)
}

/// What it says cannot be read any more: what was said of it stands, until the entry that erased it.
fn gone(e: &impl Engine, at: LogIndex, batch: &Batch, line: &Delivered, told: Option<&Fate>) -> Result<Fate, Problem> {
    let fate = told.cloned().unwrap_or(Fate::Refused(Code::Erased));
    if e.record(&line.key)?.is_some() {
        return Ok(fate);
    }
    if let Fate::Merged(reference) = &fate {
        residents::shadow(e, reference, &line.key, batch.received)?;
    }
    let mode = matches!(fate, Fate::Merged(_)).then(|| match &fate {
        Fate::Merged(reference) if *reference == residents::founds(&line.key) => Mode::Founded,
        _ => Mode::Same,
    });
    e.set_record(&line.key, &Record { place: Some(at), blind: true, mode, ..judge::fresh(batch, line, fate.clone()) })?;
    judge::waiting(e, at, &line.key)?;
    Ok(fate)
}

/// 5. What of a batch was held unopened is open.
fn opened(e: &impl Engine, at: LogIndex, batch: &Batch) -> Result<(), Problem> {
    for line in e.lines(batch.id)?.unwrap_or_default() {
        let Line::Record(line) = line else { continue };
        // erased by a later entry, which finds it as it is
        if line.found.waits().is_some() || line.found == Found::Erased || !late::was_unopened(e, batch, &line)? {
            continue;
        }
        let known = residents::known(e, &line.key)?;
        if known.place.is_some() {
            continue;
        }
        match readable(e, at, batch, &line)? {
            Ok(()) => drop(judge::judge(e, at, batch, &line, judge::numbers(e, batch)?)?),
            // another delivery says why the record is held
            Err(_) if known.delivery != (batch.id, line.line) => {}
            Err(fate) => e.set_record(&line.key, &Record { fate, ..known })?,
        }
    }
    Ok(())
}

/// What an opened line is told when it is not in force.
fn readable(e: &impl Engine, at: LogIndex, batch: &Batch, line: &Delivered) -> Result<Result<(), Fate>, Problem> {
    if let Found::Refused(code) = line.found {
        return Ok(Err(Fate::Refused(code)));
    }
    let stands = match force::batch(e, batch, at)? {
        Ok(()) => force::line(e, batch, line, at)?,
        refused => refused,
    };
    Ok(stands.map_err(|code| judge::not_counting(line, code)))
}

/// 6. A record's bytes are gone: it goes, and so does what it says.
fn erase(e: &impl Engine, at: LogIndex, key: &RecordKey) -> Result<(), Problem> {
    if e.record(key)?.is_some() {
        residents::remove(e, key, Fate::Refused(Code::Erased), Some(at))?;
        judge::waiting(e, at, key)?;
    }
    e.erase(key)
}
