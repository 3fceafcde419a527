//! What the log is to say, decided on the ledger as it stands when nobody else can change it.
//!
//! A batch, the first that fits: it is there already → that entry · its key had ended, or is frozen, and no head from before that leads
//! to it over logged batches → quarantined `revoked`, `frozen` · it contradicts the chain, or its unit forked at or before it → `fork` ·
//! an approval is demanded and the approver's key had ended likewise → `approver-revoked` · no approval where one is demanded →
//! `unapproved`, `self-approved` · its roster was replaced at least `grace` before, and the later one forbids it → `roster-old` ·
//! accepted.
//!
//! **Invariants:** a gap is never a refusal; both sides of a fork are kept; whether a key counts is one function
//! (`shared::force`).

use shared::{
    decision::Said,
    id::{Blob, LogIndex, Place, RosterVersion},
    keys::KeyRef,
    log::{BatchEntry, BatchState, Body, Entry},
    outcome::Outcome,
    problem::{Code, Problem},
    roster::{Approval, Roster, TrustedRoster},
    time::Second,
    verify::CheckedManifest,
};

use super::{Logged, Proposal, Stores};
use crate::{
    sabotage,
    store::{Archive, BatchFacts, Guard, Ledger, Position},
};

/// What becomes of a proposal.
pub(super) enum Decision {
    /// It is in the log already.
    There(Logged),
    /// This is what the log will say.
    Entry(Body),
}

/// Decides one proposal; an error refuses this one and no other.
pub(super) async fn decide<A: Archive, G: Guard, L: Ledger>(
    stores: &Stores<A, G, L>,
    at: &Position,
    received: Second,
    proposal: &Proposal,
) -> Result<Decision, Problem> {
    let next = LogIndex(at.line.head.size);
    match proposal {
        Proposal::Batch(batch) => decide_batch(stores, next, received, batch.checked()).await,
        Proposal::Roster(roster) => decide_roster(stores, next, roster).await,
        Proposal::Outcome(outcome) => decide_outcome(stores, outcome).await,
        Proposal::Access(blob) => {
            durable(&stores.archive, *blob, None).await?;
            Ok(Decision::Entry(Body::Access(*blob)))
        }
        Proposal::Decision(decision) => decide_decision(stores, next, received, decision).await,
        Proposal::Opened(batch) => match stores.ledger.batch(*batch).await? {
            Some(_) => Ok(Decision::Entry(Body::Opened(*batch))),
            None => Err(Problem::new(Code::NotFound, "batch")),
        },
        Proposal::Head(_, head) => {
            counts(&stores.ledger, &head.key, next, received).await?;
            durable(&stores.archive, head.note, None).await?;
            Ok(Decision::Entry(Body::Head(head.clone())))
        }
        Proposal::Freeze { key, first, second, .. } => {
            if let Some(index) = stores.ledger.frozen(key).await? {
                return there(&stores.ledger, index).await;
            }
            // a key that has ended meanwhile freezes nobody
            counts(&stores.ledger, key, next, received).await?;
            durable(&stores.archive, *first, None).await?;
            durable(&stores.archive, *second, None).await?;
            Ok(Decision::Entry(Body::Freeze { key: key.clone(), first: *first, second: *second }))
        }
        Proposal::Time | Proposal::TimeConfirmed => Ok(Decision::Entry(Body::Time)),
    }
}

async fn there(ledger: &impl Ledger, index: LogIndex) -> Result<Decision, Problem> {
    let leaf = ledger.entry(index).await?.ok_or_else(|| Problem::new(Code::DatabaseFailed, format!("entry {index} is not there")))?;
    Ok(Decision::There(Logged { index, entry: Entry::parse(&leaf)? }))
}

/// Whatever an entry names is in the archive before the entry is sequenced.
async fn durable(archive: &impl Archive, blob: Blob, size: Option<u64>) -> Result<(), Problem> {
    match archive.size(blob).await? {
        Some(found) if size.is_none_or(|s| s == found) => Ok(()),
        Some(_) => Err(Problem::new(Code::ArchiveDamaged, blob.to_string())),
        None => Err(Problem::new(Code::ArchiveMissing, blob.to_string())),
    }
}

/// The word of this key counts for what is logged next.
async fn counts(ledger: &impl Ledger, key: &KeyRef, next: LogIndex, received: Second) -> Result<(), Problem> {
    let standing = ledger.life(key, received).await?.counts(next, None);
    if standing.counts() { Ok(()) } else { Err(Problem::new(Code::Revoked, key.to_string())) }
}

async fn decide_batch<A: Archive, G: Guard, L: Ledger>(
    stores: &Stores<A, G, L>,
    next: LogIndex,
    received: Second,
    batch: &CheckedManifest,
) -> Result<Decision, Problem> {
    let (manifest, facts) = (batch.manifest(), batch.facts());
    // the first logged bytes of an id stand
    if let Some(known) = stores.ledger.batch(manifest.id()).await? {
        return there(&stores.ledger, known.index).await;
    }
    if sabotage::on("dedup-by-sequence")
        && let Some(known) = stores.ledger.batches_at(&facts.unit, facts.place).await?.first()
    {
        return there(&stores.ledger, known.index).await;
    }
    durable(&stores.archive, manifest.blob(), None).await?;
    durable(&stores.archive, Blob::from_bytes(*facts.payload.as_bytes()), Some(facts.payload_size)).await?;
    let state = state(&stores.ledger, next, received, batch).await?;
    Ok(Decision::Entry(Body::Batch(BatchEntry::of(manifest, state))))
}

async fn state(ledger: &impl Ledger, next: LogIndex, received: Second, batch: &CheckedManifest) -> Result<BatchState, Problem> {
    let quarantined = |code| Ok(BatchState::Quarantined(code));
    let linked = ledger.would_link(batch.manifest().id(), batch.unit_key()).await?;
    if !ledger.life(batch.unit_key(), received).await?.counts(next, linked).counts() {
        return quarantined(Code::Revoked);
    }
    if let Some(frozen) = ledger.frozen(batch.unit_key()).await?
        && linked.is_none_or(|head| head >= frozen)
    {
        return quarantined(Code::Frozen);
    }
    if forked(ledger, batch).await? {
        return quarantined(Code::Fork);
    }
    let named = roster(ledger, batch.facts().roster).await?;
    if batch.facts().approved.is_some()
        && named.facts().approval == Approval::Required
        && let Some(approver) = batch.cosigners().first()
        && !ledger.life(approver, received).await?.counts(next, linked).counts()
    {
        return quarantined(Code::ApproverRevoked);
    }
    if batch.approval_state() != BatchState::Accepted {
        return Ok(batch.approval_state());
    }
    match replaced(ledger, received, &named).await? {
        Some(later) if batch.forbidden_by(&later) => quarantined(Code::RosterOld),
        _ => Ok(BatchState::Accepted),
    }
}

async fn roster(ledger: &impl Ledger, version: RosterVersion) -> Result<TrustedRoster, Problem> {
    let found = ledger.roster(version).await?.ok_or_else(|| Problem::new(Code::RosterUnknown, format!("roster {version}")))?;
    Ok(TrustedRoster::from_own_log(Roster::parse(&found.note)?))
}

/// The newest roster that had been logged for as long as `grace`, where that is a later one than the named.
async fn replaced(ledger: &impl Ledger, received: Second, named: &TrustedRoster) -> Result<Option<TrustedRoster>, Problem> {
    let newest = ledger.newest_roster().await?.ok_or(Code::NoRoster)?;
    if newest.version == named.version() {
        return Ok(None);
    }
    let grace = i64::try_from(Roster::parse(&newest.note)?.facts().grace).unwrap_or(i64::MAX);
    let by = Second::from_unix(received.unix().saturating_sub(grace));
    match ledger.roster_by(by).await? {
        Some(later) if later.version > named.version() => Ok(Some(TrustedRoster::from_own_log(Roster::parse(&later.note)?))),
        _ => Ok(None),
    }
}

/// Does the chain say something else at this place, just before or just after it; or did the unit fork before?
async fn forked(ledger: &impl Ledger, batch: &CheckedManifest) -> Result<bool, Problem> {
    let (id, facts) = (batch.manifest().id(), batch.facts());
    let Place { epoch, sequence } = facts.place;
    if ledger.forked(&facts.unit, epoch).await?.is_some_and(|at| at <= sequence) {
        return Ok(true);
    }
    // another id: this one is not logged. A key that had ended contradicts nobody
    let ended = |b: &BatchFacts| matches!(b.state, BatchState::Quarantined(Code::Revoked | Code::Frozen));
    if !ledger.batches_at(&facts.unit, facts.place).await?.iter().all(ended) {
        return Ok(true);
    }
    if ledger.contradicted(batch.unit_key(), facts.place, id).await? {
        return Ok(true); // the key itself said that another one stands here
    }
    // A neighbour whose word does not count says nothing about this one: nor does one that is a fork itself.
    let sound = |b: &BatchFacts| b.state == BatchState::Accepted;
    if let Ok(after) = Place::new(epoch, sequence + 1)
        && ledger.batches_at(&facts.unit, after).await?.iter().filter(|b| sound(b)).any(|b| b.previous != Some(id))
    {
        return Ok(true);
    }
    let Ok(before) = Place::new(epoch, sequence - 1) else { return Ok(false) }; // the first of an epoch
    let before = ledger.batches_at(&facts.unit, before).await?;
    Ok(before.iter().filter(|b| sound(b)).any(|b| facts.previous != Some(b.id)))
}

/// A decision by an adjudicator in force; a confirmation of one that is logged, by another name; or its rejection.
async fn decide_decision<A: Archive, G: Guard, L: Ledger>(
    stores: &Stores<A, G, L>,
    next: LogIndex,
    received: Second,
    decision: &shared::decision::Decision,
) -> Result<Decision, Problem> {
    let refused = || Problem::from(Code::NotAdjudicator);
    let (name, id) = decision.claimed_key().ok_or_else(refused)?;
    let newest = stores.ledger.newest_roster().await?.ok_or(Code::NoRoster)?;
    let newest = Roster::parse(&newest.note)?;
    if *decision.centre() != newest.facts().centre {
        return Err(Code::CentreWrong.into());
    }
    let entry = newest.facts().adjudicator(&name, id).ok_or_else(refused)?;
    decision.verify(&entry.key)?;
    let key = KeyRef::from(&entry.key);
    if !stores.ledger.life(&key, received).await?.counts(next, None).counts() {
        return Err(Problem::new(Code::NotAdjudicator, key.to_string()));
    }
    match decision.said() {
        Said::Confirm(first) | Said::Reject(first) => {
            let logged = stores.ledger.decision(*first).await?.ok_or_else(|| Problem::new(Code::NotFound, "decision"))?;
            if matches!(decision.said(), Said::Confirm(_)) && logged.key.name == key.name {
                return Err(Code::SecondSame.into());
            }
        }
        Said::Lines(_) => {
            if let Some(known) = stores.ledger.decision(decision.id()).await? {
                return there(&stores.ledger, known.index).await;
            }
        }
    }
    durable(&stores.archive, decision.blob(), None).await?;
    Ok(Decision::Entry(Body::Decision(decision.blob())))
}

async fn decide_roster<A: Archive, G: Guard, L: Ledger>(
    stores: &Stores<A, G, L>,
    next: LogIndex,
    roster: &TrustedRoster,
) -> Result<Decision, Problem> {
    let refused = |why: &str| Err(Problem::new(Code::RosterRefused, why));
    let (version, blob) = (roster.version(), roster.note().blob());
    if let Some(known) = stores.ledger.roster(version).await? {
        let same = Blob::of(&known.note) == blob;
        return if same { there(&stores.ledger, known.index).await } else { refused("another roster of this version is logged") };
    }
    let newest = stores.ledger.newest_roster().await?;
    if version.0 != newest.as_ref().map_or(0, |r| r.version.0) + 1 {
        return refused("not the next version");
    }
    if let Some(newest) = newest {
        let newest = TrustedRoster::from_own_log(Roster::parse(&newest.note)?);
        Roster::parse(roster.note().as_bytes())?.trust_after(&newest)?;
    }
    if roster.facts().revoked.iter().any(|r| r.cut > next) {
        return refused("a cut lies behind the roster's own entry");
    }
    durable(&stores.archive, blob, None).await?;
    for form in &roster.facts().forms {
        durable(&stores.archive, form.blob, Some(form.size)).await?;
    }
    Ok(Decision::Entry(Body::Roster { version, blob }))
}

async fn decide_outcome<A: Archive, G: Guard, L: Ledger>(stores: &Stores<A, G, L>, outcome: &Outcome) -> Result<Decision, Problem> {
    let (batch, version, blob) = (outcome.batch(), outcome.version(), outcome.note().blob());
    let refused = |why: &str| Err(Problem::new(Code::OutcomeInvalid, why));
    if stores.ledger.batch(batch).await?.is_none() {
        return refused("of a batch that is not logged");
    }
    let newest = stores.ledger.outcome(batch).await?;
    if let Some(known) = newest.as_ref().filter(|o| Blob::of(&o.note) == blob) {
        return there(&stores.ledger, known.index).await;
    }
    if version != newest.map_or(0, |o| o.version) + 1 {
        return refused("not the next version");
    }
    durable(&stores.archive, blob, None).await?;
    Ok(Decision::Entry(Body::Outcome { batch, version, blob }))
}
