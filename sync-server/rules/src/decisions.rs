//! What a person decided: who counts, whether the case is still the one that was shown, who must confirm, and what it does.
//!
//! What one person says is logged once. Each line is looked at where its note stands: 1. the signer is an adjudicator in force;
//! 2. `replaces` is the newest decision in force about the same, 3. the case is the one that was shown; else the line does nothing.
//! 4. Where its effect needs two persons it waits; a `confirm` of another name makes it act there, if 2. and 3. still hold.
//! 5. A `reject`, also of the first name, ends what waits: it changes nothing else, so one person is enough.
//!
//! **What changes nothing decides nothing:** it stands in for no key that is cut later, and takes nothing with it when its signer's
//! key is. Else one person could shield a merged record from a cut, or have it taken out by a cut.

use shared::{
    decision::{BatchVerdict, DecisionLine, RecordKey, Said, Subject, Verdict, case_of_batch, case_of_record},
    id::{BatchId, Blob, LogIndex, NoteId, ResidentRef},
    keys::KeyRef,
    outcome::Fate,
    problem::{Code, Problem},
};

pub use super::persons::{Needs, needs};
use super::{
    claims::{self, Claims},
    engine::{Batch, BatchDecided, DecisionAt, Delivered, Engine, Found, Line, LineState, Mode, Record},
    force, judge, late,
    persons::{applied, lifts, stands_so},
    residents::{self, held},
};

/// A decision, or a confirmation, is logged at `at`.
pub(super) fn logged(e: &impl Engine, at: LogIndex, blob: Blob) -> Result<(), Problem> {
    let this = e.decision_note(blob)?;
    match this.note.said() {
        Said::Lines(lines) => {
            // the same again decides nothing
            if e.decision(this.note.id())?.is_some_and(|first| first.index < at) {
                return Ok(());
            }
            for (n, line) in lines.iter().enumerate() {
                let state = first_look(e, at, &this, line)?;
                e.set_decided(this.note.id(), n, state)?;
            }
            Ok(())
        }
        Said::Confirm(first) => confirm(e, at, &this, *first),
        Said::Reject(first) => reject(e, at, &this, *first),
    }
}

fn reject(e: &impl Engine, at: LogIndex, this: &DecisionAt, first: NoteId) -> Result<(), Problem> {
    let Some(first) = e.decision(first)?.filter(|first| first.index < at) else { return Ok(()) };
    if !counts(e, &this.key, at, at)? {
        return Ok(());
    }
    turn(e, first.note.id(), LineState::Waits, LineState::Rejected(at))
}

/// Lines of a note that are in one state come into another.
fn turn(e: &impl Engine, id: NoteId, from: LineState, to: LineState) -> Result<(), Problem> {
    for (n, _) in e.decided(id)?.into_iter().enumerate().filter(|(_, state)| *state == from) {
        e.set_decided(id, n, to)?;
    }
    Ok(())
}

fn counts(e: &impl Engine, key: &KeyRef, entry: LogIndex, known: LogIndex) -> Result<bool, Problem> {
    Ok(e.life(key, known)?.counts(entry, None).counts())
}

fn first_look(e: &impl Engine, at: LogIndex, this: &DecisionAt, line: &DecisionLine) -> Result<LineState, Problem> {
    if !counts(e, &this.key, at, at)? {
        return Ok(LineState::NotInForce);
    }
    if !still_holds(e, at, line)? {
        return Ok(LineState::Changed);
    }
    if needs(e, at, line)? == Needs::Two {
        return Ok(LineState::Waits);
    }
    act(e, at, this.note.id(), line)
}

fn confirm(e: &impl Engine, at: LogIndex, this: &DecisionAt, first: NoteId) -> Result<(), Problem> {
    let Some(first) = e.decision(first)?.filter(|first| first.index < at) else { return Ok(()) };
    let Said::Lines(lines) = first.note.said() else { return Ok(()) };
    if first.key.name == this.key.name || !counts(e, &this.key, at, at)? {
        return Ok(());
    }
    let first_counts = counts(e, &first.key, first.index, at)?;
    for (n, (line, state)) in lines.iter().zip(e.decided(first.note.id())?).enumerate() {
        if state != LineState::Waits {
            continue;
        }
        let state = match (first_counts, still_holds(e, at, line)?) {
            (false, _) => LineState::NotInForce,
            (true, false) => LineState::Changed,
            (true, true) => act(e, at, first.note.id(), line)?,
        };
        e.set_decided(first.note.id(), n, state)?;
    }
    Ok(())
}

/// 2. and 3.
pub fn still_holds(e: &impl Engine, at: LogIndex, line: &DecisionLine) -> Result<bool, Problem> {
    match &line.subject {
        Subject::Record(key, verdict) => {
            let Some(record) = e.record(key)? else { return Ok(false) };
            // what the fold says of it, not whether its bytes are at hand: a rebuild may have more of them, or fewer
            let readable = *verdict == Verdict::Refuse || is_read(e, at, &record)?;
            let case = record_case(key, &record).is_some_and(|case| record.blind || case == line.case);
            Ok(there(e, key, verdict)? && readable && record.decision == line.replaces && case)
        }
        Subject::Batch(id, verdict) => {
            let Some(batch) = e.logged(*id)?.filter(|batch| batch.index < at) else { return Ok(false) };
            let code = force::code(e, &batch, at)?;
            let replaces = e.batch_decided(*id)?.map(|decided| decided.decision);
            let fits = match verdict {
                BatchVerdict::Accept(lifted) => code == Some(*lifted),
                BatchVerdict::Refuse => true,
            };
            Ok(fits && replaces == line.replaces && case_of_batch(*id, code) == line.case)
        }
    }
}

/// Was the delivery that counts opened before this entry, as the log tells it?
fn is_read(e: &impl Engine, at: LogIndex, record: &Record) -> Result<bool, Problem> {
    let (batch, line) = judge::delivery(e, record)?;
    Ok(!late::waits_for_opening(e, at, &batch, &line)?)
}

/// Is whom the verdict speaks of there, and nobody in the place where it would found?
fn there(e: &impl Engine, key: &RecordKey, verdict: &Verdict) -> Result<bool, Problem> {
    match verdict {
        Verdict::Same(to) | Verdict::Apply(to) => match e.resident(to)? {
            Some(standing) => Ok(residents::founder(&standing)? != key),
            None => Ok(false),
        },
        // the reference comes from unit and record id: other bytes under the same id may have founded it
        Verdict::Found => match e.resident(&residents::founds(key))? {
            Some(standing) => Ok(residents::founder(&standing)? == key),
            None => Ok(true),
        },
        Verdict::Refuse => Ok(true),
    }
}

/// The case of a record; none where nobody can decide: its own signed content is wrong, or its bytes are gone.
pub fn record_case(key: &RecordKey, record: &Record) -> Option<shared::id::Digest> {
    match &record.fate {
        Fate::Merged(_) => Some(case_of_record(key, None, &[])),
        Fate::Held(code, _) => Some(case_of_record(key, Some(*code), &record.against)),
        Fate::Refused(Code::Decided) => Some(case_of_record(key, Some(Code::Decided), &[])),
        Fate::Refused(_) => None,
    }
}

fn act(e: &impl Engine, at: LogIndex, id: NoteId, line: &DecisionLine) -> Result<LineState, Problem> {
    if stands_so(e, &line.subject)? {
        return Ok(LineState::Acts(at));
    }
    match &line.subject {
        Subject::Record(key, verdict) => decide_record(e, at, id, key, verdict)?,
        Subject::Batch(batch, verdict) => {
            let before = e.batch_decided(*batch)?;
            let refused = before.as_ref().is_some_and(|before| before.accepted.is_none());
            let accepted = lifts(*verdict).map(|code| {
                let mut lifted = before.and_then(|before| before.accepted).unwrap_or_default();
                lifted.push(code);
                lifted
            });
            let accepts = accepted.is_some();
            e.set_batch_decided(*batch, Some(BatchDecided { decision: id, accepted }))?;
            if accepts {
                if refused {
                    readmit(e, *batch)?;
                }
                late::come_in_force(e, at, &e.batch(*batch)?)?;
            } else {
                refuse_batch(e, at, *batch)?;
            }
        }
    }
    Ok(LineState::Acts(at))
}

/// A batch is refused no longer: what only that had put out is to be judged again.
fn readmit(e: &impl Engine, id: BatchId) -> Result<(), Problem> {
    for key in e.records_of(id)? {
        let record = residents::known(e, &key)?;
        if record.decision.is_none() && record.fate == Fate::Refused(Code::Decided) {
            // what could not be opened in its turn still waits for its opening
            let unopened = e.first(id, record.delivery.1)?.filter(judge::waits);
            let fate = unopened.unwrap_or_else(|| held(&key, Code::DecisionRevoked));
            e.set_record(&key, &Record { fate, place: None, ..record })?;
        }
    }
    Ok(())
}

/// Its records are out: those that came in force by it, and those that nothing has put in force.
fn refuse_batch(e: &impl Engine, at: LogIndex, id: BatchId) -> Result<(), Problem> {
    let batch = e.batch(id)?;
    for line in e.lines(id)?.unwrap_or_default() {
        let Line::Record(line) = line else { continue };
        let record = residents::known(e, &line.key)?;
        let its = record.delivery == (id, line.line) || record.place.is_none() && !is_wrong(e, at, &batch, &line)?;
        if !its || record.decision.is_some() || record_case(&line.key, &record).is_none() {
            continue;
        }
        if record.place.is_none() || !late::delivered_again(e, at, &line.key, &record)? {
            residents::remove(e, &line.key, Fate::Refused(Code::Decided), Some(at))?;
            let record = residents::known(e, &line.key)?;
            e.set_record(&line.key, &Record { delivery: (id, line.line), ..record })?;
            judge::waiting(e, at, &line.key)?;
        }
    }
    late::withdrawals(e, at, &batch)
}

/// A line whose own content is wrong says nothing about its record: as the log had told by this entry.
fn is_wrong(e: &impl Engine, at: LogIndex, batch: &Batch, line: &Delivered) -> Result<bool, Problem> {
    let late = matches!(line.found, Found::Refused(_)) && !late::waits_for_opening(e, at, batch, line)?;
    Ok(late || matches!(e.first(batch.id, line.line)?, Some(Fate::Refused(_))))
}

fn decide_record(e: &impl Engine, at: LogIndex, id: NoteId, key: &RecordKey, verdict: &Verdict) -> Result<(), Problem> {
    let before = residents::known(e, key)?;
    residents::take_out(e, key, &before)?;
    decided(e, at, id, key, verdict, before)?;
    // whoever waited for it learns what became of it
    judge::waiting(e, at, key)
}

/// It is part of nobody now.
fn decided(e: &impl Engine, at: LogIndex, id: NoteId, key: &RecordKey, verdict: &Verdict, before: Record) -> Result<(), Problem> {
    let mut record = Record { against: Vec::new(), place: Some(at), mode: None, decision: Some(id), blind: false, ..before };
    let Some(reference) = of_verdict(key, verdict) else {
        (record.holds_id, record.holds_number) = (false, false);
        record.fate = Fate::Refused(Code::Decided);
        return e.set_record(key, &record);
    };
    let (batch, line) = judge::delivery(e, &record)?;
    if !record.holds_id && matches!(claims::look(e, &line)?, Claims::Free) {
        (record.holds_id, record.holds_number) = (true, true);
    }
    if *verdict != Verdict::Found && e.resident(&reference)?.is_none() {
        // what it was to be part of had rested on it
        record.fate = held(key, Code::TargetGone);
        return e.set_record(key, &record);
    }
    let mode = match (e.essence(key)?, verdict) {
        (Some(essence), Verdict::Found) => {
            residents::found(e, key, &essence, batch.received)?;
            Mode::Founded
        }
        (Some(essence), _) => {
            let mode = if matches!(verdict, Verdict::Apply(_)) { applied(&essence) } else { Mode::Same };
            residents::add(e, &reference, key, &essence, mode)?;
            mode
        }
        // erased by a later entry
        (None, _) => {
            residents::shadow(e, &reference, key, batch.received)?;
            if *verdict == Verdict::Found { Mode::Founded } else { Mode::Same }
        }
    };
    (record.fate, record.mode) = (Fate::Merged(reference), Some(mode));
    e.set_record(key, &record)
}

/// Whom the record becomes part of; none when it is out.
fn of_verdict(key: &RecordKey, verdict: &Verdict) -> Option<ResidentRef> {
    match verdict {
        Verdict::Found => Some(residents::founds(key)),
        Verdict::Same(to) | Verdict::Apply(to) => Some(to.clone()),
        Verdict::Refuse => None,
    }
}

/// An adjudicator's key ends at `end`: what it decided from there on is held again.
pub(super) fn cut(e: &impl Engine, at: LogIndex, key: &KeyRef, end: LogIndex) -> Result<(), Problem> {
    for note in e.decisions_signed(key, end, at)? {
        match note.note.said() {
            Said::Lines(_) => undo(e, at, &note, |_| true)?,
            // only what this second signature made act
            Said::Confirm(first) => {
                if let Some(first) = e.decision(*first)? {
                    undo(e, at, &first, |state| state == LineState::Acts(note.index))?;
                }
            }
            // it waits again
            Said::Reject(first) => turn(e, *first, LineState::Rejected(note.index), LineState::Waits)?,
        }
    }
    Ok(())
}

fn undo(e: &impl Engine, at: LogIndex, first: &DecisionAt, which: impl Fn(LineState) -> bool) -> Result<(), Problem> {
    let Said::Lines(lines) = first.note.said() else { return Ok(()) };
    let id = first.note.id();
    // the same once more had decided nothing
    if e.decision(id)?.is_some_and(|logged| logged.index != first.index) {
        return Ok(());
    }
    for (n, (line, state)) in lines.iter().zip(e.decided(id)?).enumerate().filter(|(_, (_, state))| which(*state)) {
        if matches!(state, LineState::Waits | LineState::Acts(_)) {
            e.set_decided(id, n, LineState::NotInForce)?;
        }
        if !matches!(state, LineState::Acts(_)) {
            continue;
        }
        match &line.subject {
            Subject::Record(key, _) => {
                let record = residents::known(e, key)?;
                if record.decision == Some(id) {
                    residents::remove(e, key, held(key, Code::DecisionRevoked), None)?;
                    let record = residents::known(e, key)?;
                    e.set_record(key, &Record { decision: None, ..record })?;
                }
            }
            Subject::Batch(batch, _) => undo_batch(e, at, id, *batch)?,
        }
    }
    Ok(())
}

/// Is this decision among those that say what a batch is now? Each acceptance adds to the ones before, back to a refusal.
fn rests_on(e: &impl Engine, batch: BatchId, id: NoteId) -> Result<bool, Problem> {
    let Some(decided) = e.batch_decided(batch)? else { return Ok(false) };
    if decided.decision == id {
        return Ok(true);
    }
    let mut next = decided.accepted.map(|_| decided.decision);
    while let Some(at) = next {
        let Some(note) = e.decision(at)? else { return Ok(false) };
        let Said::Lines(lines) = note.note.said() else { return Ok(false) };
        let line = lines.iter().find(|line| matches!(&line.subject, Subject::Batch(own, _) if *own == batch));
        let Some(DecisionLine { subject: Subject::Batch(_, BatchVerdict::Accept(_)), replaces, .. }) = line else { return Ok(false) };
        if at == id {
            return Ok(true);
        }
        next = *replaces;
    }
    Ok(false)
}

fn undo_batch(e: &impl Engine, at: LogIndex, id: NoteId, batch: BatchId) -> Result<(), Problem> {
    if !rests_on(e, batch, id)? {
        return Ok(()); // another decision has replaced it
    }
    e.set_batch_decided(batch, None)?;
    for key in e.records_of(batch)? {
        let record = residents::known(e, &key)?;
        let by_it = record.decision.is_none() && !matches!(record.fate, Fate::Refused(code) if code != Code::Decided);
        if by_it && record.place.is_some() && !late::delivered_again(e, at, &key, &record)? {
            residents::remove(e, &key, held(&key, Code::DecisionRevoked), None)?;
        }
    }
    late::withdrawals(e, at, &e.batch(batch)?)
}
