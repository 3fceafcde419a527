//! What the log is to say, decided on the ledger as it stands when nobody else can change it.
//!
//! A batch, the first that fits: it is there already → that entry · its key was revoked, or its epoch frozen, and
//! nothing logged before the cut leads to it → quarantined `revoked`, `frozen` · it contradicts the chain, or its
//! unit forked at or before it → quarantined `fork` · no approval where one is demanded → quarantined · accepted.
//!
//! **Invariants:** a gap is never a refusal; both sides of a fork are kept.

use shared::{
    id::{Blob, LogIndex, Place},
    log::{BatchEntry, BatchState, Body, Entry},
    outcome::Outcome,
    problem::{Code, Problem},
    roster::{Roster, TrustedRoster},
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
    proposal: &Proposal,
) -> Result<Decision, Problem> {
    let next = LogIndex(at.line.head.size);
    match proposal {
        Proposal::Batch(batch) => decide_batch(stores, next, batch.checked()).await,
        Proposal::Roster(roster) => decide_roster(stores, next, roster).await,
        Proposal::Outcome(outcome) => decide_outcome(stores, outcome).await,
        Proposal::Access(blob) => {
            durable(&stores.archive, *blob, None).await?;
            Ok(Decision::Entry(Body::Access(*blob)))
        }
        Proposal::Head(head) => Ok(Decision::Entry(Body::Head(head.clone()))),
        Proposal::Freeze { unit, epoch, first, second } => {
            if let Some(index) = stores.ledger.frozen(unit, *epoch).await? {
                return there(&stores.ledger, index).await;
            }
            durable(&stores.archive, *first, None).await?;
            durable(&stores.archive, *second, None).await?;
            Ok(Decision::Entry(Body::Freeze { unit: unit.clone(), epoch: *epoch, first: *first, second: *second }))
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

async fn decide_batch<A: Archive, G: Guard, L: Ledger>(
    stores: &Stores<A, G, L>,
    next: LogIndex,
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
    let state = state(&stores.ledger, next, batch).await?;
    Ok(Decision::Entry(Body::Batch(BatchEntry::of(manifest, state))))
}

async fn state(ledger: &impl Ledger, next: LogIndex, batch: &CheckedManifest) -> Result<BatchState, Problem> {
    let (id, facts) = (batch.manifest().id(), batch.facts());
    let newest = ledger.newest_roster().await?.ok_or(Code::NoRoster)?;
    let newest = Roster::parse(&newest.note)?;
    let revoked = newest.facts().revocation(batch.unit_key()).map(|r| r.cut);
    let frozen = ledger.frozen(&facts.unit, facts.place.epoch).await?;
    for (cut, code) in [(revoked, Code::Revoked), (frozen, Code::Frozen)] {
        if let Some(cut) = cut.filter(|&cut| cut <= next)
            && !ledger.before_cut_by_announced(id, cut).await?
        {
            return Ok(BatchState::Quarantined(code));
        }
    }
    if forked(ledger, batch).await? {
        return Ok(BatchState::Quarantined(Code::Fork));
    }
    Ok(batch.approval_state())
}

/// Does the chain say something else at this place, just before or just after it; or did the unit fork before?
async fn forked(ledger: &impl Ledger, batch: &CheckedManifest) -> Result<bool, Problem> {
    let (id, facts) = (batch.manifest().id(), batch.facts());
    let Place { epoch, sequence } = facts.place;
    if ledger.forked(&facts.unit, epoch).await?.is_some_and(|at| at <= sequence) {
        return Ok(true);
    }
    if !ledger.batches_at(&facts.unit, facts.place).await?.is_empty() {
        return Ok(true); // another id: this one is not logged
    }
    if ledger.contradicted(&facts.unit, facts.place, id).await? {
        return Ok(true); // the unit itself said that another one stands here
    }
    // A neighbour that is a fork itself says nothing about this one.
    let sound = |b: &BatchFacts| b.state != BatchState::Quarantined(Code::Fork);
    if let Ok(after) = Place::new(epoch, sequence + 1)
        && ledger.batches_at(&facts.unit, after).await?.iter().filter(|b| sound(b)).any(|b| b.previous != Some(id))
    {
        return Ok(true);
    }
    let Ok(before) = Place::new(epoch, sequence - 1) else { return Ok(false) }; // the first of an epoch
    let before = ledger.batches_at(&facts.unit, before).await?;
    Ok(before.iter().filter(|b| sound(b)).any(|b| facts.previous != Some(b.id)))
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
