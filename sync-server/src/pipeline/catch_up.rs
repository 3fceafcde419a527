//! Bringing the ledger to the guard's head. Starting, and going on after a crash, are the same code.
//!
//! 1. Read the guard, and make sure that what it shows is durable.
//! 2. Walk back from its segment by old heads until one starts where the ledger stands. Where several segments lead to
//!    one head (a crash between archive and guard), the one whose old heads lead to the ledger's position is taken; the
//!    others are orphans.
//! 3. Follow the segments forward.
//!
//! **Invariants:** a log shorter than the guard's head never serves: what is missing or contradicts is refused,
//! with the next step, and nothing is changed.

use std::collections::HashMap;

use shared::{
    id::Blob,
    log::{Body, Entry, GuardLine, Head, Segment},
    problem::{Code, Problem},
};

use super::Stores;
use crate::store::{Application, Archive, Guard, Ledger, Position, Swap};

/// Brings the ledger to the guard's head, and says where that is.
pub async fn catch_up<A: Archive, G: Guard, L: Ledger>(stores: &Stores<A, G, L>) -> Result<Position, Problem> {
    let Some(guarded) = stores.guard.read().await? else {
        return Err(Problem::new(Code::GuardMissing, "the guard holds no head"));
    };
    let position = stores.ledger.position().await?;
    if position.line.head == guarded.head {
        return Ok(Position { line: guarded, ..position });
    }
    // Whoever moved the guard may have ended, or failed, before that was durable: nothing is built on it before it is.
    match stores.guard.swap(Some(guarded), guarded).await? {
        Swap::Done => follow(stores, position, guarded).await,
        Swap::Other(_) => Err(Problem::new(Code::Busy, "another process moved the guard")),
    }
}

async fn follow<A: Archive, G: Guard, L: Ledger>(
    stores: &Stores<A, G, L>,
    mut position: Position,
    guarded: GuardLine,
) -> Result<Position, Problem> {
    for (size, blob) in walk_back(&stores.archive, position.line.head, guarded).await? {
        let bytes = stores.archive.segment(size, blob).await?;
        position = stores.ledger.apply(application(&stores.archive, &bytes).await?).await?;
    }
    Ok(position)
}

/// Refuses a guard whose own segment is not in the archive, and one that was put back to an older copy. A segment that starts beyond
/// its head was built on one that it had held; the last segment alone may be one of a crash between archive and guard, and shows
/// nothing.
pub async fn belongs_together<A: Archive, G: Guard, L: Ledger>(stores: &Stores<A, G, L>) -> Result<(), Problem> {
    // first: the guard never stands behind a database that follows it
    let followed = stores.ledger.position().await?.line.head;
    let Some(before) = stores.guard.read().await? else { return Ok(()) };
    if followed.size > before.head.size {
        let detail = format!(
            "the guard holds {}, the database stands at {followed}: the guard was put back. Where the newer one is lost for good, move the \
             database aside by hand, then `sync-server rebuild`",
            before.head
        );
        return Err(Problem::new(Code::GuardConflict, detail));
    }
    let listed = stores.archive.segments_from(before.head.size + 2).await?;
    // whoever sequences meanwhile has moved the guard before another segment could start there
    let Some(line) = stores.guard.read().await? else { return Ok(()) };
    let guarded = line.head;
    if guarded != Head::EMPTY {
        own_segment(&stores.archive, line).await?;
    }
    for (size, blob) in listed.into_iter().filter(|(size, _)| *size > guarded.size + 1) {
        let starts = stores.archive.segment(size, blob).await.and_then(|bytes| Ok(Segment::parse(&bytes)?.0.old));
        // one that is damaged shows nothing, and `fsck` names it
        if let Ok(starts) = starts
            && starts.size > guarded.size
        {
            let detail =
                format!("the guard holds {guarded}, and segment {blob} of the archive goes on from {starts}: the guard was put back");
            return Err(Problem::new(Code::GuardConflict, detail));
        }
    }
    Ok(())
}

/// The segment that leads to the guard's head.
async fn own_segment(archive: &impl Archive, guarded: GuardLine) -> Result<Vec<u8>, Problem> {
    archive.segment(guarded.head.size, guarded.segment).await.map_err(|p| match p.code {
        Code::ArchiveMissing => {
            Problem::new(Code::GuardAhead, format!("the archive lacks segment {} to {}", guarded.segment, guarded.head))
        }
        _ => p,
    })
}

/// The segments that lead from `position` to the guard, in the order in which they are followed.
pub(crate) async fn walk_back(archive: &impl Archive, position: Head, guarded: GuardLine) -> Result<Vec<(u64, Blob)>, Problem> {
    if guarded.head.size <= position.size {
        let detail = format!("the guard holds {}, the database stands at {position}", guarded.head);
        return Err(Problem::new(Code::GuardConflict, detail));
    }
    let newest = Segment::parse(&own_segment(archive, guarded).await?)?.0;
    if newest.new != guarded.head {
        return Err(Problem::new(Code::GuardConflict, "the guard's segment leads to another head"));
    }
    // Depth first: each step has its segment and the alternatives that were not tried.
    let mut path = vec![(guarded.head.size, guarded.segment)];
    let mut open: Vec<Vec<(Blob, Head)>> = Vec::new();
    let mut at = newest.old;
    let mut lowest = at;
    while at != position {
        let mut before = if at.size > position.size { leading_to(archive, at).await? } else { Vec::new() };
        let next = before.pop();
        if next.is_some() {
            open.push(before);
        }
        let Some((size, (blob, old))) = next.map(|n| (at.size, n)).or_else(|| retreat(&mut path, &mut open)) else {
            return Err(Problem::new(Code::ArchiveMissing, format!("no segment leads on from {position} to {lowest}")));
        };
        path.push((size, blob));
        at = old;
        if at.size < lowest.size {
            lowest = at;
        }
    }
    path.reverse();
    Ok(path)
}

/// A dead end: back to the last step that has an alternative.
fn retreat(path: &mut Vec<(u64, Blob)>, open: &mut Vec<Vec<(Blob, Head)>>) -> Option<(u64, (Blob, Head))> {
    while let Some(mut others) = open.pop() {
        let (size, _) = path.pop()?;
        if let Some(next) = others.pop() {
            open.push(others);
            return Some((size, next));
        }
    }
    None
}

/// Segments whose new head is `head`, with the old head of each. Damaged and unreadable ones are no way.
async fn leading_to(archive: &impl Archive, head: Head) -> Result<Vec<(Blob, Head)>, Problem> {
    let mut found = Vec::new();
    for blob in archive.segments_at(head.size).await? {
        let bytes = match archive.segment(head.size, blob).await {
            Err(p) if p.code == Code::ArchiveDamaged => continue, // `fsck` names it
            read => read?,
        };
        if let Ok((segment, _)) = Segment::parse(&bytes)
            && segment.new == head
        {
            found.push((blob, segment.old));
        }
    }
    Ok(found)
}

/// A segment's bytes with the notes that its entries name.
pub(super) async fn application(archive: &impl Archive, bytes: &[u8]) -> Result<Application, Problem> {
    let (segment, entries) = Segment::parse(bytes)?;
    let mut notes = HashMap::new();
    for blob in entries.iter().filter_map(named) {
        notes.insert(blob, archive.get(blob).await?);
    }
    Ok(Application { blob: Blob::of(bytes), segment, entries, notes })
}

/// The note that following an entry needs.
fn named(entry: &Entry) -> Option<Blob> {
    match &entry.body {
        Body::Batch(batch) => Some(batch.manifest),
        Body::Roster { blob, .. } | Body::Outcome { blob, .. } | Body::Decision(blob) => Some(*blob),
        Body::Head(head) => Some(head.note),
        Body::Time | Body::Access(_) | Body::Rules(_) | Body::Freeze { .. } | Body::Opened(_) | Body::Erase { .. } => None,
    }
}
