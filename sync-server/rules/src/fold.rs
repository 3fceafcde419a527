//! One entry after the other, in the log's order; each line once, at its place.
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
    id::{BatchId, LogIndex},
    outcome::Fate,
    problem::{Code, Problem},
    record::Target,
};

use super::{
    claims::{self, Claims},
    cuts, decisions,
    engine::{Batch, Delivered, Engine, Event, Found, Holder, Kind, Line, Mode, Record, Withdrawal},
    force,
    people::{self, Asked, Ruling},
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
        come_in_force(e, at, &e.batch(linked)?)?;
    }
    let stands = force::batch(e, batch, at)?;
    let mut told = said.iter().flatten();
    let mut unopened = false;
    for line in &lines {
        match line {
            Line::Record(line) => {
                let fate = record_line(e, at, batch, line, stands, told.next())?;
                unopened |= waits(&fate);
                e.set_first(batch.id, line.line, &fate)?;
            }
            Line::Withdrawn(line) => withdrawal(e, at, batch, line, stands)?,
        }
    }
    if unopened && said.is_none() {
        e.set_judged()?;
        return Ok(false);
    }
    Ok(true)
}

/// A withdrawn line takes its number while it is in force, and gives it back when it is not.
fn withdrawal(e: &impl Engine, at: LogIndex, batch: &Batch, line: &Withdrawal, stands: Result<(), Code>) -> Result<(), Problem> {
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
        Some(Fate::Held(code, _)) if told.is_some_and(waits) => return not_opened(e, batch, line, *code),
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
        Some(told) => followed(e, at, batch, line, told),
        None => judge(e, at, batch, line, Numbers::Count),
    }
}

/// A record that nobody has heard of yet, with what its delivery says.
fn fresh(batch: &Batch, line: &Delivered, fate: Fate) -> Record {
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

/// Was it told to wait for an entry that says that it is open?
fn waits(fate: &Fate) -> bool {
    matches!(fate, Fate::Held(Code::Unopened | Code::UpgradeNeeded, _))
}

/// Nobody could open it in its turn. The line is told so, whatever became of the record by another delivery: by that the entry which
/// opens the batch finds it, and before that entry it stands in for no other delivery.
fn not_opened(e: &impl Engine, batch: &Batch, line: &Delivered, code: Code) -> Result<Fate, Problem> {
    let fate = held(&line.key, code);
    if judged_before(e, line)?.is_none() && e.record(&line.key)?.is_none_or(|known| matches!(known.fate, Fate::Refused(_))) {
        e.set_record(&line.key, &fresh(batch, line, fate.clone()))?;
    }
    Ok(fate)
}

/// Held, and that is all.
fn not_in_force(e: &impl Engine, batch: &Batch, line: &Delivered, code: Code) -> Result<Fate, Problem> {
    let fate = not_counting(line, code);
    match e.record(&line.key)? {
        // another delivery of it is in force, or was decided about
        Some(known) if known.place.is_some() || known.decision.is_some() => Ok(known.fate),
        // the first that says why stands; the line is told its own
        Some(known) if !matches!(known.fate, Fate::Refused(_)) => Ok(fate),
        _ => e.set_record(&line.key, &fresh(batch, line, fate.clone())).map(|()| fate),
    }
}

/// Its signed content is wrong for good: this delivery takes nothing, and nobody who waits learns of it; the same bytes under their
/// true line still count.
fn refused(e: &impl Engine, batch: &Batch, line: &Delivered, code: Code) -> Result<Fate, Problem> {
    let fate = Fate::Refused(code);
    if e.record(&line.key)?.is_none() {
        e.set_record(&line.key, &fresh(batch, line, fate.clone()))?;
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
    e.set_record(&line.key, &Record { place: Some(at), blind: true, mode, ..fresh(batch, line, fate.clone()) })?;
    waiting(e, at, &line.key)?;
    Ok(fate)
}

/// Does a number that is taken stand against a line?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Numbers {
    /// Yes.
    Count,
    /// No: a person has accepted its batch.
    Lifted,
}

/// Judges a line in force that is not judged yet.
fn judge(e: &impl Engine, at: LogIndex, batch: &Batch, line: &Delivered, numbers: Numbers) -> Result<Fate, Problem> {
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

fn judged_before(e: &impl Engine, line: &Delivered) -> Result<Option<Fate>, Problem> {
    let known = e.record(&line.key)?;
    Ok(known.filter(|known| known.place.is_some() || known.decision.is_some()).map(|known| known.fate))
}

fn essence(e: &impl Engine, key: &RecordKey) -> Result<shared::merge::Essence, Problem> {
    e.essence(key)?.ok_or_else(|| Problem::new(Code::RegistryWrong, format!("record {key} was opened and says nothing")))
}

/// Writes what a record becomes.
fn settle(
    e: &impl Engine,
    key: &RecordKey,
    essence: &shared::merge::Essence,
    mut record: Record,
    ruling: Ruling,
    batch: &Batch,
) -> Result<(), Problem> {
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

/// The delivery that counts of a record.
pub(super) fn delivery(e: &impl Engine, record: &Record) -> Result<(Batch, Delivered), Problem> {
    let (id, position) = record.delivery;
    Ok((e.batch(id)?, line_at(e, id, position)?))
}

fn line_at(e: &impl Engine, id: BatchId, position: u64) -> Result<Delivered, Problem> {
    let lines = e.lines(id)?.unwrap_or_default();
    let found = lines.into_iter().find_map(|line| match line {
        Line::Record(line) if line.line == position => Some(line),
        _ => None,
    });
    found.ok_or_else(|| Problem::new(Code::RegistryWrong, format!("line {position} of batch {id} is not there")))
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
        let (batch, line) = (e.batch(id)?, line_at(e, id, position)?);
        if (id, position) == record.delivery || !counts(e, at, &batch, &line)? {
            continue;
        }
        let holder = e.number_holder(&key.unit, line.number)?;
        let (free, own) = (holder.is_none(), holder == Some(Holder::Record(key.clone())));
        if free || own || numbers(e, &batch)? == Numbers::Lifted {
            let holds_number = (free || own) && record.holds_id;
            let record = Record { place: Some(at), delivery: (id, position), number: line.number, holds_number, ..record.clone() };
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

/// Does what was said of a line, whatever today's rules say.
fn followed(e: &impl Engine, at: LogIndex, batch: &Batch, line: &Delivered, told: &Fate) -> Result<Fate, Problem> {
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
fn mode_of(essence: &shared::merge::Essence) -> Mode {
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
    let numbers = numbers(e, batch)?;
    for line in e.lines(batch.id)?.unwrap_or_default() {
        match line {
            Line::Record(line) if line.found == Found::Signed && !waits_for_opening(e, at, batch, &line)? => {
                match force::line(e, batch, &line, at)? {
                    Ok(()) => drop(judge(e, at, batch, &line, numbers)?),
                    Err(code) => still_held(e, batch, &line, code)?,
                }
            }
            Line::Record(_) => {}
            Line::Withdrawn(line) => withdrawal(e, at, batch, &line, Ok(()))?,
        }
    }
    Ok(())
}

fn numbers(e: &impl Engine, batch: &Batch) -> Result<Numbers, Problem> {
    Ok(if e.batch_decided(batch.id)?.is_some() { Numbers::Lifted } else { Numbers::Count })
}

/// What had stood against it does no longer, and something else does: it is held for that.
fn still_held(e: &impl Engine, batch: &Batch, line: &Delivered, code: Code) -> Result<(), Problem> {
    match e.record(&line.key)? {
        Some(known)
            if known.place.is_none()
                && known.decision.is_none()
                && known.delivery == (batch.id, line.line)
                && matches!(known.fate, Fate::Held(..))
                && !waits(&known.fate) =>
        {
            e.set_record(&line.key, &Record { fate: held(&line.key, code), ..known })
        }
        _ => Ok(()),
    }
}

/// A line that was told to wait for its opening is judged at the entry that says it is open, and at no other.
pub(super) fn waits_for_opening(e: &impl Engine, at: LogIndex, batch: &Batch, line: &Delivered) -> Result<bool, Problem> {
    Ok(was_unopened(e, batch, line)? && e.opened(batch.id)?.is_none_or(|opened| opened > at))
}

fn was_unopened(e: &impl Engine, batch: &Batch, line: &Delivered) -> Result<bool, Problem> {
    Ok(e.first(batch.id, line.line)?.as_ref().is_some_and(waits))
}

/// 5. What of a batch was held unopened is open.
fn opened(e: &impl Engine, at: LogIndex, batch: &Batch) -> Result<(), Problem> {
    for line in e.lines(batch.id)?.unwrap_or_default() {
        let Line::Record(line) = line else { continue };
        // erased by a later entry, which finds it as it is
        if line.found.waits().is_some() || line.found == Found::Erased || !was_unopened(e, batch, &line)? {
            continue;
        }
        let known = residents::known(e, &line.key)?;
        if known.place.is_some() || known.decision.is_some() {
            continue;
        }
        match readable(e, at, batch, &line)? {
            Ok(()) => drop(judge(e, at, batch, &line, numbers(e, batch)?)?),
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
    Ok(stands.map_err(|code| not_counting(line, code)))
}

/// The fate of a line that is not in force.
fn not_counting(line: &Delivered, code: Code) -> Fate {
    if code == Code::Decided { Fate::Refused(code) } else { held(&line.key, code) }
}

/// 6. A record's bytes are gone: it goes, and so does what it says.
fn erase(e: &impl Engine, at: LogIndex, key: &RecordKey) -> Result<(), Problem> {
    if e.record(key)?.is_some() {
        residents::remove(e, key, Fate::Refused(Code::Erased), Some(at))?;
        waiting(e, at, key)?;
    }
    e.erase(key)
}
