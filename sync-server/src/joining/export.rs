//! The newest roster for units that have no network: with those that it cannot be trusted without, their proofs, their forms, and
//! proofs that the log goes on from where units have seen it.
//!
//! **Trust:** all of it is signed or proven; the file holds nothing that the road does not tell anybody. **Invariants:** all proofs are
//! under one checkpoint.

use std::collections::BTreeSet;

use shared::{
    hello::{Hello, Sender},
    id::RosterVersion,
    log::Consistency,
    problem::{Code, Problem},
    time::Second,
};

use super::lives;
use crate::{
    centre::Centre,
    pipeline::{Idle, RosterCache},
    store::{Archive as _, Ledger as _},
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
    let (ledger, cache) = (&centre.stores.ledger, RosterCache::default());
    let newest = cache.newest(ledger).await?;
    // those without which nobody could trust it go first
    let mut versions = cache.links(ledger, 0, newest.version()).await?;
    versions.push(newest.version());
    let mut files = Vec::new();
    for version in &versions {
        let roster = ledger.roster(*version).await?.ok_or_else(|| Problem::new(Code::DatabaseFailed, format!("roster {version}")))?;
        files.push(roster.note);
        files.push(published.prove(ledger, roster.index).await?.to_bytes());
    }
    for form in &newest.facts().forms {
        files.push(centre.stores.archive.get(form.blob).await?);
    }
    for old in &sizes {
        let hashes = ledger.consistency(*old, size).await?;
        files.push(Consistency { old: *old, hashes, checkpoint: published.checkpoint.as_bytes().to_vec() }.to_bytes());
    }
    Ok(Exported { version: newest.version(), rosters: versions.len(), sizes, files })
}

/// Sizes up to which units have seen the log: what their newest hellos say, and the heads that may have been answered to them.
async fn said(centre: &Centre, size: u64) -> Result<BTreeSet<u64>, Problem> {
    let ledger = &centre.stores.ledger;
    let listed = centre.stores.archive.segments_from(0).await?;
    let heads: BTreeSet<u64> = listed.into_iter().map(|(leads_to, _)| leads_to).filter(|head| *head <= size).collect();
    let mut sizes = BTreeSet::new();
    for heard in ledger.newest_hellos().await? {
        let Sender::Unit(stand) = Hello::parse(&heard.note)?.facts().sender.clone() else { continue };
        if stand.seen.size <= size {
            sizes.insert(stand.seen.size);
        }
        let before = lives::first_since(ledger, heard.first).await?.0;
        let after = lives::first_since(ledger, Second::from_unix(heard.first.unix() + ANSWERED)).await?.0;
        sizes.extend(heads.range(..=before).next_back());
        sizes.extend(heads.range(before + 1..=after.max(before + 1)).take(HEADS));
    }
    Ok(sizes)
}
