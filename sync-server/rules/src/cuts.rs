//! The end of a key acts at its own entry, the roster's: what the key had signed from the cut on is taken out, its keys are free, what
//! rested on it is held, and nobody else is judged again.
//!
//! **Invariants:** touches what an ended key signed from the cut on, by index, and what rests on that; nothing else.

use std::collections::BTreeSet;

use shared::{
    decision::RecordKey,
    force::End,
    id::{LogIndex, RosterVersion},
    keys::KeyRef,
    outcome::Fate,
    problem::{Code, Problem},
    roster::Role,
};

use super::{
    decisions,
    engine::{Batch, Engine, Line, Record},
    force, late, persons,
    residents::{self, held},
};

/// A roster is logged at `at`: every key that it ends earlier than the one before did.
pub(super) fn roster(e: &impl Engine, at: LogIndex, version: RosterVersion) -> Result<(), Problem> {
    let facts = e.roster(version)?.facts;
    let before = match e.newest_roster(at, None)? {
        Some(before) => Some(e.roster(before)?.facts),
        None => None,
    };
    let ended: BTreeSet<&KeyRef> = facts.revoked.iter().map(|r| &r.key).chain(facts.kept.iter().map(|k| &k.key)).collect();
    for key in ended {
        if before.as_ref().is_some_and(|before| End::of(before, key) == End::of(&facts, key)) {
            continue;
        }
        // the first entry that knows of this roster is the next one
        let next = LogIndex(at.0 + 1);
        if let Some(end) = e.life(key, next)?.end.filter(|end| *end < at) {
            cut(e, at, key, end)?;
        }
    }
    Ok(())
}

/// What a key signed from its end on, and before now, counts no longer, unless a head from before the end leads there.
fn cut(e: &impl Engine, at: LogIndex, key: &KeyRef, end: LogIndex) -> Result<(), Problem> {
    for batch in e.batches_signed(key, end, at)? {
        let role = if batch.unit_key == *key { Role::Unit } else { Role::Supervisor };
        if let Some(code) = force::key_for(e, key, &batch, at)?.code(role) {
            whole(e, &batch, code, at)?;
        }
    }
    for (id, line) in e.lines_signed(key, end, at)? {
        if let Some(code) = force::key_for(e, key, &e.batch(id)?, at)?.code(Role::Agent) {
            out(e, at, (id, line.line), &line.key, code)?;
        }
    }
    for (id, line) in e.withdrawals_signed(key, end, at)? {
        if !force::key_for(e, key, &e.batch(id)?, at)?.counts() {
            e.withdraw_not(&line, id)?;
        }
    }
    decisions::cut(e, at, key, end)
}

/// All lines of a batch. Where the approval was not demanded, only what rested on it goes: changes of identity.
fn whole(e: &impl Engine, batch: &Batch, code: Code, known: LogIndex) -> Result<(), Problem> {
    if force::batch(e, batch, known)?.is_ok() {
        return if code == Code::ApproverRevoked { changes(e, known, batch, code) } else { Ok(()) };
    }
    for line in e.lines(batch.id)?.unwrap_or_default() {
        match line {
            Line::Record(line) => out(e, known, (batch.id, line.line), &line.key, code)?,
            Line::Withdrawn(line) => e.withdraw_not(&line, batch.id)?,
        }
    }
    Ok(())
}

/// Records of a batch that changed who somebody is, which only the approver's word allowed.
fn changes(e: &impl Engine, at: LogIndex, batch: &Batch, code: Code) -> Result<(), Problem> {
    for key in e.records_of(batch.id)? {
        let record = residents::known(e, &key)?;
        if residents::changed_identity(e, &key, &record)? {
            out(e, at, record.delivery, &key, code)?;
        }
    }
    Ok(())
}

/// A record whose counting delivery this is.
fn out(e: &impl Engine, at: LogIndex, delivery: (shared::id::BatchId, u64), key: &RecordKey, code: Code) -> Result<(), Problem> {
    let Some(record) = e.record(key)? else { return Ok(()) };
    let in_force = record.place.is_some() && record.delivery == delivery;
    if !in_force || matches!(record.fate, Fate::Refused(_)) {
        return Ok(());
    }
    // two persons' decision stands in for the key; the word of one uses no key that has ended
    if let Some(id) = record.decision
        && persons::record_by_two(e, key, id)?
    {
        return Ok(());
    }
    if late::delivered_again(e, at, key, &record)? {
        return Ok(());
    }
    residents::remove(e, key, held(key, code), None)?;
    let record = residents::known(e, key)?;
    e.set_record(key, &Record { decision: None, ..record })
}
