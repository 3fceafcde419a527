//! Checking everything again from nothing. This file: log, guard, archive, tile hashes; `contents`: what papers say.
//!
//! 1. From the guard back to nothing: every segment is there, undamaged, and leads from head to head.
//! 2. The tree is made again from the leaves; every segment's new head is its root; log time never goes back.
//! 3. Every blob that an entry names is there and has its digest.
//! 4. The database has these leaves and these hashes.
//!
//! Segments that nobody follows and blobs that nobody names are counted, no alarm: a crash leaves them. Nor is it one that
//! the database is behind the guard, on the way that leads there: a crash leaves that, or an old copy of the database, and
//! the next start of the server goes on from there.
//!
//! **Trust:** nothing, not even the database: it is compared, never asked. **Invariants:** changes nothing. Runs beside
//! a server: guard and database are read between two of its rounds, and what is logged later is not looked at. Holds of
//! the log its right edge and one small row for each blob, whatever its length.

mod contents;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    path::Path,
};

use shared::{
    batch::Manifest,
    id::{Blob, LogIndex},
    log::{Appended, Body, Entry, GuardLine, Hash, HashReader, Head, Segment, append},
    problem::{Code, Problem},
    roster::Roster,
    time::Second,
};
use tlog_tiles::tlog::{Error, stored_hash_index};

pub use self::contents::{Contents, check as contents};
use crate::{
    durable::{self, Lock},
    pipeline::{Stores, belongs_together, walk_back},
    store::{Archive, Guard, Ledger, Position, blocking},
};

/// What was found.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Entries of the log.
    pub entries: u64,
    /// Segments that were followed.
    pub segments: u64,
    /// Segments that lead nowhere.
    pub orphan_segments: u64,
    /// Blobs that entries name.
    pub blobs: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Blobs that no entry names.
    pub unnamed_blobs: u64,
    /// What is not as it must be.
    pub findings: Vec<Problem>,
    /// What a person should know and harms nothing.
    pub open: Vec<Problem>,
}

impl Report {
    /// Nothing was found.
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }
    /// Notes what is not as it must be.
    pub fn find(&mut self, code: Code, detail: impl Into<String>) {
        self.findings.push(Problem::new(code, detail));
    }
    /// Keeps the value, or notes why there is none.
    fn keep<T>(&mut self, result: Result<T, Problem>) -> Option<T> {
        result.map_err(|p| self.findings.push(p)).ok()
    }
}

/// Hashes of the complete subtrees at the right edge of the tree: all that growing it reads.
#[derive(Default)]
struct Edge(BTreeMap<u64, Hash>);

impl Edge {
    /// Takes hashes in, from `first` on, and drops what a tree of `size` leaves has no use for.
    fn grow(&mut self, first: u64, hashes: &[Hash], size: u64) {
        self.0.extend((first..).zip(hashes.iter().copied()));
        let levels = (0..u64::BITS).filter(|level| (size >> level) & 1 == 1);
        // the subtree of a set bit is the last complete one of its level
        let edge = levels.map(|level| stored_hash_index(u8::try_from(level).expect("below 64"), (size >> level) - 1));
        let edge: HashSet<u64> = edge.collect();
        self.0.retain(|index, _| edge.contains(index));
    }
}

impl HashReader for Edge {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, Error> {
        indexes.iter().map(|index| self.0.get(index).copied().ok_or(Error::IndexesNotInTree)).collect()
    }
}

/// Guard and database as they stand between two rounds of whoever is sequencing; `lock` is the sequencer's. Within
/// one the database is behind the guard for a moment.
async fn standing<A: Archive, G: Guard, L: Ledger>(
    stores: &Stores<A, G, L>,
    lock: &Path,
) -> Result<(Option<GuardLine>, Position), Problem> {
    let path = lock.to_owned();
    // nobody writes to a disk that can only be read
    let _between = blocking(move || (!path.parent().is_some_and(durable::is_read_only)).then(|| Lock::wait(&path)).transpose()).await?;
    Ok((stores.guard.read().await?, stores.ledger.position().await?))
}

/// Checks log, guard, archive and tile hashes.
pub async fn stores<A: Archive, G: Guard, L: Ledger>(stores: &Stores<A, G, L>, lock: &Path) -> Result<Report, Problem> {
    let mut report = Report::default();
    let (guarded, position) = standing(stores, lock).await?;
    let Some(guarded) = guarded else {
        report.find(Code::GuardMissing, "the guard holds no head");
        return Ok(report);
    };
    let at = position.line.head;
    report.keep(belongs_together(stores).await);
    let Some(path) = way_back(&stores.archive, guarded, &mut report).await else { return Ok(report) };
    let (mut edge, mut named, mut last) = (Edge::default(), HashMap::new(), Second::from_unix(0));
    let mut head = Head::EMPTY;
    // an empty one is no crash's: it is lost
    let mut on_the_way = false;
    for (size, blob) in &path {
        let read = stores.archive.segment(*size, *blob).await.and_then(|bytes| Segment::parse(&bytes));
        let Some((segment, entries)) = report.keep(read) else { return Ok(report) };
        if segment.old != head {
            report.find(Code::LogInconsistent, format!("segment {blob} starts at {}, not at {head}", segment.old));
            return Ok(report);
        }
        let appended = follow(&segment, &entries, &mut edge, &mut last, &mut report)?;
        on_the_way |= segment.new == at;
        if segment.new.size <= at.size {
            database(&stores.ledger, &segment, &appended, &mut report).await?;
        }
        for (index, entry) in (segment.old.size..).zip(&entries) {
            names(&stores.archive, LogIndex(index), entry, &mut named, &mut report).await;
        }
        head = segment.new;
        report.segments += 1;
        report.entries = head.size;
    }
    if at.size < guarded.head.size {
        let stand = format!("the database stands at {at}, the guard at {}", guarded.head);
        if on_the_way { report.open.push(Problem::new(Code::DatabaseBehind, stand)) } else { report.find(Code::DatabaseDiffers, stand) }
    }
    blobs(&stores.archive, &named, &mut report).await?;
    orphans(&stores.archive, &path, &named, &mut report).await?;
    Ok(report)
}

async fn way_back(archive: &impl Archive, guarded: GuardLine, report: &mut Report) -> Option<Vec<(u64, Blob)>> {
    if guarded.head == Head::EMPTY {
        return Some(Vec::new());
    }
    report.keep(walk_back(archive, Head::EMPTY, guarded).await)
}

fn follow(segment: &Segment, entries: &[Entry], edge: &mut Edge, last: &mut Second, report: &mut Report) -> Result<Appended, Problem> {
    let appended = append(segment.old.size, &segment.entries, edge)?;
    if appended.head != segment.new {
        report.find(Code::LogInconsistent, format!("the leaves lead to {}, the segment says {}", appended.head, segment.new));
    }
    edge.grow(appended.first, &appended.hashes, segment.new.size);
    for (index, entry) in (segment.old.size..).zip(entries) {
        if entry.received < *last {
            report.find(Code::LogInconsistent, format!("log time goes back at entry {index}"));
        }
        *last = entry.received;
    }
    Ok(appended)
}

/// The database has this segment's leaves and hashes.
async fn database(ledger: &impl Ledger, segment: &Segment, appended: &Appended, report: &mut Report) -> Result<(), Problem> {
    for (index, leaf) in (segment.old.size..).zip(&segment.entries) {
        match ledger.entry(LogIndex(index)).await? {
            Some(found) if found == *leaf => {}
            Some(_) => report.find(Code::DatabaseDiffers, format!("entry {index} is another one in the database")),
            None => report.find(Code::DatabaseDiffers, format!("entry {index} is not in the database")),
        }
    }
    if ledger.hashes(appended.first, appended.hashes.len()).await? != appended.hashes {
        report.find(Code::DatabaseDiffers, format!("tile hashes from {} on", appended.first));
    }
    Ok(())
}

/// Every blob that this entry names, with its size where the entry says it, and the entry that named it first.
async fn names(
    archive: &impl Archive,
    index: LogIndex,
    entry: &Entry,
    named: &mut HashMap<Blob, (LogIndex, Option<u64>)>,
    report: &mut Report,
) {
    let mut name = |blob: Blob, size: Option<u64>| {
        let known = named.entry(blob).or_insert((index, size));
        known.1 = known.1.or(size);
    };
    match &entry.body {
        Body::Batch(batch) => {
            name(batch.manifest, None);
            name(Blob::from_bytes(*batch.payload.as_bytes()), Some(batch.payload_size));
            let manifest = archive.get(batch.manifest).await.and_then(|bytes| Manifest::parse(&bytes));
            if let Ok(manifest) = manifest
                && (manifest.id() != batch.batch || manifest.facts().place != batch.place || manifest.facts().unit != batch.unit)
            {
                report.find(Code::ArchiveDamaged, format!("entry {index} does not speak of its manifest"));
            }
        }
        Body::Roster { blob, version } => {
            name(*blob, None);
            if let Ok(roster) = archive.get(*blob).await.and_then(|bytes| Roster::parse(&bytes)) {
                roster.facts().forms.iter().for_each(|form| name(form.blob, Some(form.size)));
                if roster.facts().version != *version {
                    report.find(Code::ArchiveDamaged, format!("entry {index} does not speak of its roster"));
                }
            }
        }
        Body::Outcome { blob, .. } | Body::Decision(blob) | Body::Access(blob) => name(*blob, None),
        Body::Freeze { first, second, .. } => {
            name(*first, None);
            name(*second, None);
        }
        Body::Head(head) => name(head.note, None),
        Body::Erase { decision, .. } => name(*decision, None),
        Body::Time | Body::Opened(_) | Body::Rules(_) => {}
    }
}

async fn blobs(archive: &impl Archive, named: &HashMap<Blob, (LogIndex, Option<u64>)>, report: &mut Report) -> Result<(), Problem> {
    for (blob, (index, size)) in named {
        match archive.verify(*blob).await {
            Ok(found) => {
                report.blobs += 1;
                report.bytes += found;
                if size.is_some_and(|size| size != found) {
                    report.find(Code::ArchiveDamaged, format!("{blob}, named by entry {index}, has another size"));
                }
            }
            Err(p) if matches!(p.code, Code::ArchiveMissing | Code::ArchiveDamaged) => {
                report.find(p.code, format!("{blob}, named by entry {index}"));
            }
            Err(p) => return Err(p),
        }
    }
    Ok(())
}

async fn orphans(
    archive: &impl Archive,
    path: &[(u64, Blob)],
    named: &HashMap<Blob, (LogIndex, Option<u64>)>,
    report: &mut Report,
) -> Result<(), Problem> {
    let followed: HashSet<&(u64, Blob)> = path.iter().collect();
    // What lies behind the head that was read first was logged while this ran.
    let until = path.last().map_or(0, |(size, _)| *size);
    let all = archive.segments_from(0).await?;
    report.orphan_segments = all.iter().filter(|s| s.0 <= until && !followed.contains(s)).count() as u64;
    for first in 0..=u8::MAX {
        report.unnamed_blobs += archive.blobs(first).await?.iter().filter(|b| !named.contains_key(b)).count() as u64;
    }
    Ok(())
}
