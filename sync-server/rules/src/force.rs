//! In force: every key that had to sign was admitted before the entry and is not cut there; the entry names no code that stands
//! against it; the line opened as it was signed.
//!
//! Which keys: the unit's, the agent's and, where the roster demands an approval, the approver's. The codes of an ended or frozen key
//! (`revoked`, `frozen`, `approver-revoked`) are asked of the key each time, so that a batch which links an earlier one to a head
//! brings it back; what else it lacks is asked then. Every other code of an entry stands until a person lifts it.
//!
//! **Links.** A batch is *linked* by the lowest index of a head from which `previous` leads to it over logged batches. It is
//! marked once, when the entry that makes the link is followed, with that entry; so whoever asks what was known earlier gets what
//! was known earlier. Heads have rising indexes: a mark is only ever replaced when a gap is filled.

use shared::{
    force::Standing,
    id::{BatchId, LogIndex},
    keys::KeyRef,
    log::BatchState,
    problem::{Code, Problem},
    roster::{Approval, Crew, Facts as RosterFacts, Role},
    time::Second,
};

use super::engine::{Batch, BatchDecided, Delivered, Engine, Line, RosterAt, Withdrawal};

/// Why something is not in force.
pub type NotInForce = Code;

/// How a key stands for a batch, with what is known once the entry `at` is taken in: what it says of keys, and what it links.
///
/// Never with a link that a later entry makes: a fold that is behind would give more than one that is not.
pub(super) fn key_for(e: &impl Engine, key: &KeyRef, batch: &Batch, at: LogIndex) -> Result<Standing, Problem> {
    let life = e.life(key, LogIndex(at.0 + 1))?;
    match life.counts(batch.index, None) {
        // the link is asked for only where it matters
        Standing::Cut(_) => Ok(life.counts(batch.index, e.linked(batch.id, at)?)),
        standing => Ok(standing),
    }
}

/// Is the batch in force, with what was known at an entry? Its lines are judged apart.
pub(super) fn batch(e: &impl Engine, batch: &Batch, at: LogIndex) -> Result<Result<(), NotInForce>, Problem> {
    match e.batch_decided(batch.id)? {
        Some(BatchDecided { accepted: None, .. }) => Ok(Err(Code::Decided)),
        _ => Ok(code(e, batch, at)?.map_or(Ok(()), Err)),
    }
}

/// The first code that stands against a batch at an entry and that nobody has lifted: what a person is asked about.
pub fn code(e: &impl Engine, of: &Batch, at: LogIndex) -> Result<Option<Code>, Problem> {
    let lifted = e.batch_decided(of.id)?.and_then(|decided| decided.accepted).unwrap_or_default();
    let stands = |code: Option<Code>| code.filter(|code| !lifted.contains(code));
    if let BatchState::Quarantined(code) = of.state
        && !matches!(code, Code::Revoked | Code::Frozen | Code::ApproverRevoked)
        && let Some(code) = stands(Some(code))
    {
        return Ok(Some(code));
    }
    if let Some(code) = stands(key_for(e, &of.unit_key, of, at)?.code(Role::Unit)) {
        return Ok(Some(code));
    }
    if let Some(code) = stands(frozen(e, of, at)?.then_some(Code::Frozen)) {
        return Ok(Some(code));
    }
    let named = e.roster(of.roster)?;
    // an entry names one code, and says nothing of what else the batch lacks
    if of.state != BatchState::Accepted
        && let Some(code) = stands(lacks(e, of, &named)?)
    {
        return Ok(Some(code));
    }
    match &of.approver {
        Some(approver) if named.facts.approval == Approval::Required => Ok(stands(key_for(e, approver, of, at)?.code(Role::Supervisor))),
        _ => Ok(None),
    }
}

/// Its entry says that its unit's key is frozen, and no head from before leads to it.
fn frozen(e: &impl Engine, of: &Batch, at: LogIndex) -> Result<bool, Problem> {
    if of.state != BatchState::Quarantined(Code::Frozen) {
        return Ok(false);
    }
    let since = e.frozen(&of.unit_key)?;
    Ok(e.linked(of.id, at)?.is_none_or(|head| since.is_none_or(|since| head >= since)))
}

/// What a batch lacks under the roster that it names, and under the later one that counts too.
fn lacks(e: &impl Engine, of: &Batch, named: &RosterAt) -> Result<Option<Code>, Problem> {
    if let Some(code) = approval(e, of, &named.facts)? {
        return Ok(Some(code));
    }
    match replaced(e, named, of)? {
        Some(later) => Ok(approval(e, of, &later.facts)?.map(|_| Code::RosterOld)),
        None => Ok(None),
    }
}

/// `unapproved` and `self-approved`, as the sequencer tells them of a batch whose keys count.
fn approval(e: &impl Engine, of: &Batch, roster: &RosterFacts) -> Result<Option<Code>, Problem> {
    let Some(approver) = &of.approver else {
        let enrols = e.lines(of.id)?.is_none_or(|lines| lines.iter().any(|line| matches!(line, Line::Record(_))));
        return Ok((enrols && roster.approval == Approval::Required).then_some(Code::Unapproved));
    };
    let alone = roster.unit(&of.unit, of.place.epoch).is_some_and(|unit| unit.crew == Crew::Alone);
    Ok((!alone && e.enrolled_by(of.id, approver.name.as_str())?).then_some(Code::SelfApproved))
}

/// The roster that counts too, because the named one was replaced long before.
pub(super) fn replaced(e: &impl Engine, named: &RosterAt, batch: &Batch) -> Result<Option<RosterAt>, Problem> {
    let Some(newest) = e.newest_roster(batch.index, None)? else { return Ok(None) };
    let grace = i64::try_from(e.roster(newest)?.facts.grace).unwrap_or(i64::MAX);
    let by = Second::from_unix(batch.received.unix().saturating_sub(grace));
    match e.newest_roster(batch.index, Some(by))? {
        Some(version) if version > named.facts.version => e.roster(version).map(Some),
        _ => Ok(None),
    }
}

/// Is a key that a batch had to have ended or frozen, whatever else stands against it?
pub(super) fn ended(e: &impl Engine, of: &Batch, at: LogIndex) -> Result<bool, Problem> {
    let ended = |key| key_for(e, key, of, at).map(|standing| !standing.counts());
    let demanded = e.roster(of.roster)?.facts.approval == Approval::Required;
    Ok(frozen(e, of, at)? || ended(&of.unit_key)? || demanded && of.approver.as_ref().map_or(Ok(false), ended)?)
}

/// Does the agent's key count for a record line? Its batch is in force.
pub(super) fn line(e: &impl Engine, batch: &Batch, line: &Delivered, at: LogIndex) -> Result<Result<(), NotInForce>, Problem> {
    Ok(match key_for(e, &line.agent, batch, at)?.code(Role::Agent) {
        None => Ok(()),
        Some(code) => Err(code),
    })
}

/// Is a withdrawn line in force, and its batch?
pub fn withdraws(e: &impl Engine, of: &Batch, line: &Withdrawal, at: LogIndex) -> Result<bool, Problem> {
    Ok(batch(e, of, at)?.is_ok() && withdrawal(e, of, line, at)?)
}

/// Is a withdrawn line in force? Its batch is.
pub(super) fn withdrawal(e: &impl Engine, batch: &Batch, line: &Withdrawal, at: LogIndex) -> Result<bool, Problem> {
    Ok(key_for(e, &line.by, batch, at)?.counts())
}

/// What marking links needs of a ledger. A link never leads from one key of a unit to another: the head of a key that ends counts no
/// longer, and it ends what the key signed with it; of another key's batches it would still say that they were there in time.
pub trait Links {
    /// The lowest index of a head of this key that names this batch.
    fn named_by(&self, batch: BatchId, key: &KeyRef) -> Result<Option<LogIndex>, Problem>;
    /// The mark of a batch.
    fn mark(&self, batch: BatchId) -> Result<Option<LogIndex>, Problem>;
    /// Marks it; `since` is the entry that makes the link.
    fn set_mark(&self, batch: BatchId, head: LogIndex, since: LogIndex) -> Result<(), Problem>;
    /// Logged batches that this key signed and that name this one as their previous.
    fn after(&self, batch: BatchId, key: &KeyRef) -> Result<Vec<BatchId>, Problem>;
    /// The logged batch of the same key that this logged one names as its previous.
    fn before(&self, batch: BatchId) -> Result<Option<BatchId>, Problem>;
}

/// A batch that this key signed was logged at `since`: heads that name it and batches that stand on it link it, and it links what it stands on.
pub fn link_batch(l: &impl Links, batch: BatchId, key: &KeyRef, since: LogIndex) -> Result<(), Problem> {
    match would_link(l, batch, key)? {
        Some(head) => mark_down(l, batch, head, since),
        None => Ok(()),
    }
}

/// A head of the key that signed this batch, and that names it, was logged at `since`.
pub fn link_head(l: &impl Links, batch: BatchId, since: LogIndex) -> Result<(), Problem> {
    mark_down(l, batch, since, since)
}

/// What a linked batch would be marked with, if it were logged now.
pub fn would_link(l: &impl Links, batch: BatchId, key: &KeyRef) -> Result<Option<LogIndex>, Problem> {
    let mut least = l.named_by(batch, key)?;
    for after in l.after(batch, key)? {
        least = least.into_iter().chain(l.mark(after)?).min();
    }
    Ok(least)
}

fn mark_down(l: &impl Links, batch: BatchId, head: LogIndex, since: LogIndex) -> Result<(), Problem> {
    let mut next = Some(batch);
    // stops where an older head has led before: all behind it is marked at least as low
    while let Some(at) = next {
        if l.mark(at)?.is_some_and(|before| before <= head) {
            return Ok(());
        }
        l.set_mark(at, head, since)?;
        next = l.before(at)?;
    }
    Ok(())
}
