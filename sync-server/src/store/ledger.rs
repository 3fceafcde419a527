//! The ledger: what the log says, ready to be asked. A view of archive and guard that can be made again.

use std::{collections::HashMap, future::Future};

use shared::{
    decision::Decision,
    force::Life,
    hello::Known,
    id::{BatchId, Blob, Digest, LogIndex, Member, NoteId, Number, Place, RecordId, RosterVersion, SealedDigest},
    keys::KeyRef,
    log::{BatchState, Entry, GuardLine, Hash, Head, HeadEntry, Segment},
    problem::Problem,
    time::Second,
};

/// Up to where the ledger has followed the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The head, and the segment that led to it.
    pub line: GuardLine,
    /// Log time of the last entry; 1970 for an empty log.
    pub received: Second,
}

/// A segment with all that following it needs.
#[derive(Debug, Clone)]
pub struct Application {
    /// The segment.
    pub segment: Segment,
    /// Its entries, parsed.
    pub entries: Vec<Entry>,
    /// Its digest.
    pub blob: Blob,
    /// The notes that its entries name: manifests, rosters, outcomes, decisions, hellos.
    pub notes: HashMap<Blob, Vec<u8>>,
}

/// A logged batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchFacts {
    /// SHA-256 of the manifest's text.
    pub id: BatchId,
    /// Where it stands in the log.
    pub index: LogIndex,
    /// When it was logged.
    pub received: Second,
    /// Whose.
    pub unit: Member,
    /// Epoch and sequence.
    pub place: Place,
    /// The batch before.
    pub previous: Option<BatchId>,
    /// The manifest in the archive.
    pub manifest: Blob,
    /// The payload in the archive.
    pub payload: Digest,
    /// Size of the payload in bytes.
    pub payload_size: u64,
    /// Record and withdrawn lines.
    pub lines: u64,
    /// May it merge?
    pub state: BatchState,
    /// Under which roster it was closed.
    pub roster: RosterVersion,
    /// The unit's key that signed it.
    pub unit_key: KeyRef,
    /// The key of the supervisor who approved it.
    pub approver: Option<KeyRef>,
}

/// A line of a logged manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineFacts {
    /// Of which batch.
    pub batch: BatchId,
    /// Position in the manifest, from 0, withdrawn lines counted.
    pub line: u64,
    /// Whose.
    pub unit: Member,
    /// The unit's number of the record.
    pub number: Number,
    /// Id of the record.
    pub record: RecordId,
    /// Digest of the sealed record; `None` when the number was withdrawn.
    pub sealed: Option<SealedDigest>,
    /// Where it starts in the payload.
    pub start: u64,
    /// Its size in bytes.
    pub size: u64,
    /// The key that signed it: the agent's, or of a withdrawn number the supervisor's.
    pub key: KeyRef,
}

/// A logged roster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RosterFacts {
    /// Its version.
    pub version: RosterVersion,
    /// Where it stands in the log.
    pub index: LogIndex,
    /// When it was logged.
    pub received: Second,
    /// The note's bytes.
    pub note: Vec<u8>,
}

/// A logged decision, or the second signature under one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecisionFacts {
    /// Where it stands in the log.
    pub index: LogIndex,
    /// The key that signed it.
    pub key: KeyRef,
    /// The note.
    pub note: Decision,
}

/// A logged outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutcomeFacts {
    /// Of which batch.
    pub batch: BatchId,
    /// From 1.
    pub version: u64,
    /// Where it stands in the log.
    pub index: LogIndex,
    /// The note's bytes.
    pub note: Vec<u8>,
}

/// A batch that is announced and not logged yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnnouncedBatch {
    /// SHA-256 of the manifest's text.
    pub id: BatchId,
    /// Whose.
    pub unit: Member,
    /// Epoch and sequence.
    pub place: Place,
    /// The batch before.
    pub previous: Option<BatchId>,
    /// The unit's key that signed it.
    pub unit_key: KeyRef,
}

/// Does the word of whoever says hello count?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Word {
    /// Its key is in force.
    Counts,
    /// It is heard, and moves nothing.
    Heard,
}

/// A hello that has just come and was signed by this key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HelloFacts {
    /// From whom: a unit or a carrier.
    pub sender: Member,
    /// Which of their keys signed it.
    pub key: KeyRef,
    /// The unit's epoch; 0 for a carrier.
    pub epoch: u32,
    /// Does its word count?
    pub word: Word,
    /// Its counter.
    pub counter: u64,
    /// SHA-256 of its text.
    pub id: NoteId,
    /// What it says is the unit's newest batch.
    pub head: Option<(Place, BatchId)>,
    /// What it says is the unit's newest record number.
    pub number: Option<Number>,
    /// When it came.
    pub first: Second,
    /// The note's bytes.
    pub note: Vec<u8>,
}

/// Places in a row that must exist and are not logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// The first of them.
    pub first: Place,
    /// The last of them, of the same epoch.
    pub last: Place,
    /// When something first showed that the last of them exists; none where only an announcement does.
    pub since: Option<Second>,
}

/// A hello that was heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// Whose.
    pub key: KeyRef,
    /// When it came.
    pub first: Second,
    /// The note's bytes.
    pub note: Vec<u8>,
}

/// What shows that a key's unit had a batch at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeadWitness {
    /// It is logged: its manifest in the archive.
    Logged(Blob),
    /// It is announced: its manifest is in staging.
    Announced(BatchId),
    /// A hello of the same key said so: the note's bytes.
    Hello(Vec<u8>),
}

/// How much of a unit's epoch the log has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Extent {
    /// Highest sequence, 0 for none.
    pub sequence: u64,
    /// Highest number, 0 for none.
    pub number: u64,
}

/// What the log says, ready to be asked.
pub trait Ledger: Clone + Send + Sync + 'static {
    /// Up to where it has followed the log.
    fn position(&self) -> impl Future<Output = Result<Position, Problem>> + Send;
    /// The segment that these entries make, leading on from `old`, which must be the position. Changes nothing.
    fn lead_on(&self, old: Head, entries: Vec<Vec<u8>>) -> impl Future<Output = Result<Segment, Problem>> + Send;
    /// Follows one segment: entries, tile hashes, batches, chain heads, rosters, outcomes, position, in one
    /// transaction. It must start at the position and lead to its own new root: else `log-inconsistent`. One
    /// that was followed before changes nothing.
    fn apply(&self, application: Application) -> impl Future<Output = Result<Position, Problem>> + Send;

    /// The bytes of a leaf.
    fn entry(&self, index: LogIndex) -> impl Future<Output = Result<Option<Vec<u8>>, Problem>> + Send;
    /// Stored hashes from an index on, in the dense order of C2SP tlog-tiles.
    fn hashes(&self, first: u64, limit: usize) -> impl Future<Output = Result<Vec<Hash>, Problem>> + Send;
    /// The root of the log's first `size` entries.
    fn root(&self, size: u64) -> impl Future<Output = Result<Head, Problem>> + Send;
    /// Proof that an entry is in the log of `size` entries. Reads O(log n) hashes.
    fn inclusion(&self, size: u64, index: LogIndex) -> impl Future<Output = Result<Vec<Hash>, Problem>> + Send;
    /// Proof that the log of `new` entries begins with that of `old`. Reads O(log n) hashes.
    fn consistency(&self, old: u64, new: u64) -> impl Future<Output = Result<Vec<Hash>, Problem>> + Send;

    /// A logged batch.
    fn batch(&self, id: BatchId) -> impl Future<Output = Result<Option<BatchFacts>, Problem>> + Send;
    /// Logged batches at a place: one, more when the unit forked.
    fn batches_at(&self, unit: &Member, place: Place) -> impl Future<Output = Result<Vec<BatchFacts>, Problem>> + Send;
    /// Logged batches from an index on, in the log's order.
    fn batches_from(&self, index: LogIndex, limit: usize) -> impl Future<Output = Result<Vec<BatchFacts>, Problem>> + Send;
    /// The same, those that their entries quarantine.
    fn quarantined_from(&self, index: LogIndex, limit: usize) -> impl Future<Output = Result<Vec<BatchFacts>, Problem>> + Send;
    /// The batch of the highest sequence of a unit's epoch: the chain's head.
    fn chain_head(&self, unit: &Member, epoch: u32) -> impl Future<Output = Result<Option<BatchFacts>, Problem>> + Send;
    /// Places that must exist (a later batch, an announcement or a hello shows it) and are not logged, in rows; oldest first. At
    /// most `limit` places.
    fn missing(&self, unit: &Member, limit: usize) -> impl Future<Output = Result<Vec<Gap>, Problem>> + Send;
    /// Lowest sequence of this epoch at which the unit was seen to fork.
    fn forked(&self, unit: &Member, epoch: u32) -> impl Future<Output = Result<Option<u64>, Problem>> + Send;
    /// The index from which on the work of this key is quarantined, if it is frozen.
    fn frozen(&self, key: &KeyRef) -> impl Future<Output = Result<Option<LogIndex>, Problem>> + Send;
    /// The life of a key, for what is logged next at this log time.
    fn life(&self, key: &KeyRef, received: Second) -> impl Future<Output = Result<Life, Problem>> + Send;
    /// The lowest index of a head of this key, which signed the batch, that would lead to it over logged batches, if it were logged next.
    fn would_link(&self, batch: BatchId, key: &KeyRef) -> impl Future<Output = Result<Option<LogIndex>, Problem>> + Send;
    /// Did a logged head of this key say that another batch than this one stands at this place?
    fn contradicted(&self, key: &KeyRef, place: Place, batch: BatchId) -> impl Future<Output = Result<bool, Problem>> + Send;
    /// How much of a unit's epoch the log has.
    fn extent(&self, unit: &Member, epoch: u32) -> impl Future<Output = Result<Extent, Problem>> + Send;

    /// Lines of logged manifests that carry this record id, of one unit or of all.
    fn lines_of_record(&self, unit: Option<&Member>, record: RecordId) -> impl Future<Output = Result<Vec<LineFacts>, Problem>> + Send;
    /// Lines of logged manifests that carry this number.
    fn lines_of_number(&self, unit: &Member, number: Number) -> impl Future<Output = Result<Vec<LineFacts>, Problem>> + Send;

    /// The newest roster; `None` before the first is logged.
    fn newest_roster(&self) -> impl Future<Output = Result<Option<RosterFacts>, Problem>> + Send;
    /// The roster of a version.
    fn roster(&self, version: RosterVersion) -> impl Future<Output = Result<Option<RosterFacts>, Problem>> + Send;
    /// The newest roster that was logged at or before a log time.
    fn roster_by(&self, by: Second) -> impl Future<Output = Result<Option<RosterFacts>, Problem>> + Send;
    /// A logged decision by its id: the first that was logged.
    fn decision(&self, id: NoteId) -> impl Future<Output = Result<Option<DecisionFacts>, Problem>> + Send;
    /// Logged decisions from an index on, in order.
    fn decisions_from(&self, index: LogIndex, limit: usize) -> impl Future<Output = Result<Vec<DecisionFacts>, Problem>> + Send;
    /// The newest outcome of a batch.
    fn outcome(&self, batch: BatchId) -> impl Future<Output = Result<Option<OutcomeFacts>, Problem>> + Send;
    /// Newest outcomes of a unit's batches that were logged at or after an index; oldest batch first.
    fn outcomes_since(
        &self,
        unit: &Member,
        index: LogIndex,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<(Place, u64)>, Problem>> + Send;

    /// Keeps that a batch is announced.
    fn announce(&self, batch: AnnouncedBatch) -> impl Future<Output = Result<(), Problem>> + Send;
    /// Announced batches of a unit that are not logged, oldest first.
    fn announced(&self, unit: &Member) -> impl Future<Output = Result<Vec<AnnouncedBatch>, Problem>> + Send;

    /// Keeps a hello and says what was known before it came. The first of a counter stands.
    fn hello(&self, hello: HelloFacts) -> impl Future<Output = Result<Known, Problem>> + Send;
    /// Blobs of the archive that were missing or wrong when they were read last, with since when.
    fn doubts(&self) -> impl Future<Output = Result<Vec<(Blob, Second)>, Problem>> + Send;
    /// Keeps what reading blobs of the archive gave: those that are missing or wrong, and those that are right again.
    fn doubt(&self, wrong: Vec<Blob>, right: Vec<Blob>, now: Second) -> impl Future<Output = Result<(), Problem>> + Send;
    /// Manifests and payloads of logged batches whose digest begins with this byte.
    fn named_blobs(&self, first: u8) -> impl Future<Output = Result<Vec<Blob>, Problem>> + Send;
    /// Places of a unit whose manifest or payload is in doubt, oldest first.
    fn in_doubt(&self, unit: &Member, limit: usize) -> impl Future<Output = Result<Vec<Place>, Problem>> + Send;
    /// How far reading everything again has come: when this pass began, and the first byte of the blobs that come next.
    fn scrubbed(&self) -> impl Future<Output = Result<Option<(Second, u16)>, Problem>> + Send;
    /// Keeps how far it has come.
    fn scrub(&self, began: Second, next: u16) -> impl Future<Output = Result<(), Problem>> + Send;

    /// The newest hello of each key that came, with when it came.
    fn newest_hellos(&self) -> impl Future<Output = Result<Vec<Heard>, Problem>> + Send;
    /// Hellos that no entry of the log names: each key's since its last `head` entry, and those that were not answered `ok`. Oldest first.
    fn unlogged_hellos(&self) -> impl Future<Output = Result<Vec<Heard>, Problem>> + Send;
    /// Keys of which a hello showed that the vault had been put back, with when the first such came.
    fn rewound(&self) -> impl Future<Output = Result<Vec<(KeyRef, Second)>, Problem>> + Send;
    /// The last `head` entry of a key: when it was logged, and what it said.
    fn logged_head(&self, key: &KeyRef) -> impl Future<Output = Result<Option<(Second, HeadEntry)>, Problem>> + Send;
    /// How many `head` entries of this key were logged since a log time.
    fn heads_since(&self, key: &KeyRef, since: Second) -> impl Future<Output = Result<u64, Problem>> + Send;
    /// What shows that this key's unit had a batch at this place.
    fn head_witness(&self, key: &KeyRef, unit: &Member, place: Place) -> impl Future<Output = Result<Option<HeadWitness>, Problem>> + Send;
}
