//! The newest roster for units that have no network: with those that it cannot be trusted without, their proofs, their forms, and
//! proofs that the log goes on from where units have seen it.
//!
//! **Trust:** all of it is signed or proven; the file holds nothing that the road does not tell anybody. **Invariants:** all proofs are
//! under one checkpoint.

use std::collections::BTreeSet;

use shared::{
    hello::{Hello, Sender},
    id::{LogIndex, RosterVersion},
    log::{Consistency, Entry, TlogProof},
    problem::{Code, Problem},
    roster::{Roster, TrustedRoster},
    time::Second,
};

use crate::{
    centre::Centre,
    pipeline::{Idle, Published},
    store::{Archive as _, Ledger as _, RosterFacts},
};

/// Seconds after a hello within which its answer may have left.
const ANSWERED: i64 = 60;
/// Most heads that are thought of as answered to one hello.
const HEADS: usize = 16;

/// What was exported.
#[derive(Debug)]
pub struct Exported {
    /// The newest roster.
    pub version: RosterVersion,
    /// How many rosters are in it.
    pub rosters: usize,
    /// For units that have seen the log up to one of these sizes.
    pub sizes: BTreeSet<u64>,
    /// Rosters, proofs and forms.
    pub files: Vec<Vec<u8>>,
}

/// The newest roster of a centre, for units that have seen its log up to these sizes, and up to those that they have said.
pub async fn newest(centre: &Centre, seen: &[u64]) -> Result<Exported, Problem> {
    let (sequencer, _) = centre.sequencer(Idle::Quiet).await?;
    let published = sequencer.published().await?;
    let size = published.head().size;
    let mut sizes: BTreeSet<u64> = seen.iter().copied().collect();
    if let Some(beyond) = sizes.iter().find(|seen| **seen > size) {
        return Err(Problem::new(Code::LogInconsistent, format!("seen {beyond}, this log has {size}")));
    }
    sizes.extend(said(centre, size).await?);
    sizes.retain(|seen| *seen > 0 && *seen < size);
    let rosters = needed(centre).await?;
    let newest = rosters.last().ok_or(Code::NoRoster)?;
    let mut files = Vec::new();
    for (roster, _) in &rosters {
        files.push(roster.note.clone());
        files.push(proof(centre, &published, roster.index).await?);
    }
    for form in &newest.1.facts().forms {
        files.push(centre.stores.archive.get(form.blob).await?);
    }
    for old in &sizes {
        let hashes = centre.stores.ledger.consistency(*old, size).await?;
        files.push(Consistency { old: *old, hashes, checkpoint: published.checkpoint.as_bytes().to_vec() }.to_bytes());
    }
    Ok(Exported { version: newest.1.version(), rosters: rosters.len(), sizes, files })
}

/// The first roster, those that change who signs, and the newest: without them nobody could trust that one.
async fn needed(centre: &Centre) -> Result<Vec<(RosterFacts, TrustedRoster)>, Problem> {
    let ledger = &centre.stores.ledger;
    let newest = ledger.newest_roster().await?.ok_or(Code::NoRoster)?.version;
    let mut needed: Vec<(RosterFacts, TrustedRoster)> = Vec::new();
    for version in 1..=newest.0 {
        let roster = ledger.roster(RosterVersion(version)).await?;
        let roster = roster.ok_or_else(|| Problem::new(Code::DatabaseFailed, format!("roster {version}")))?;
        let trusted = Roster::parse(&roster.note).map(TrustedRoster::from_own_log)?;
        let changes = needed.last().is_none_or(|(_, before)| before.facts().signers != trusted.facts().signers);
        if changes || version == newest.0 {
            needed.push((roster, trusted));
        }
    }
    Ok(needed)
}

async fn proof(centre: &Centre, published: &Published, index: LogIndex) -> Result<Vec<u8>, Problem> {
    let ledger = &centre.stores.ledger;
    let leaf = ledger.entry(index).await?.ok_or_else(|| Problem::new(Code::DatabaseFailed, format!("entry {index}")))?;
    let hashes = ledger.inclusion(published.head().size, index).await?;
    Ok(TlogProof { leaf, index, hashes, checkpoint: published.checkpoint.as_bytes().to_vec() }.to_bytes())
}

/// Sizes up to which units have seen the log: what their newest hellos say, and the heads that may have been answered to them.
async fn said(centre: &Centre, size: u64) -> Result<BTreeSet<u64>, Problem> {
    let hellos = centre.stores.ledger.newest_hellos().await?;
    let mut heads: Vec<u64> = centre.stores.archive.segments_from(0).await?.into_iter().map(|(leads_to, _)| leads_to).collect();
    heads.sort_unstable();
    heads.dedup();
    let mut sizes = BTreeSet::new();
    for heard in hellos {
        let Sender::Unit(stand) = Hello::parse(&heard.note)?.facts().sender.clone() else { continue };
        if stand.seen.size <= size {
            sizes.insert(stand.seen.size);
        }
        let since = before(centre, &heads, heard.first).await?;
        for head in heads.iter().skip(since).take(HEADS) {
            if *head > size || logged(centre, *head).await?.is_none_or(|at| at.unix() > heard.first.unix() + ANSWERED) {
                break;
            }
            sizes.insert(*head);
        }
    }
    Ok(sizes)
}

/// The place of the last head that was there before this time.
async fn before(centre: &Centre, heads: &[u64], time: Second) -> Result<usize, Problem> {
    let (mut low, mut high) = (0, heads.len());
    while low < high {
        let middle = low + (high - low) / 2;
        if logged(centre, heads[middle]).await?.is_some_and(|at| at < time) { low = middle + 1 } else { high = middle }
    }
    Ok(low.saturating_sub(1))
}

/// When the last entry under a head was logged.
async fn logged(centre: &Centre, size: u64) -> Result<Option<Second>, Problem> {
    let Some(last) = size.checked_sub(1) else { return Ok(None) };
    let leaf = centre.stores.ledger.entry(LogIndex(last)).await?;
    leaf.map(|leaf| Entry::parse(&leaf).map(|entry| entry.received)).transpose()
}
