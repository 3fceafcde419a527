//! The registry: who is enrolled, where each of their fields came from, and what became of each record.
//!
//! ```text
//! claim ─▶ (opener) ─▶ fold ─▶ outcomes_due ─▶ (sign, archive, log) ─▶ settle
//! ```
//! [`Registry`] is the seam; SQLite is its first backend ([`crate::store::registry_sqlite`]).
//!
//! **Trust:** what a [`Delivery`] says was opened under the limits of its signed line and equals it.
//! **Invariants:** the content is a function of the logged batches, of what they opened to and of the log's facts;
//! nothing that arrival gives is in it. Everything here can be made again from archive and guard. It holds personal
//! data: no type of this file shows any in `Debug`.

use std::future::Future;

use shared::{
    id::{BatchId, CaseRef, Digest, LogIndex, Member, Number, Place, RecordId, ResidentRef, RosterVersion, SealedDigest},
    keys::KeyRef,
    log::BatchState,
    merge::{Essence, RecordKey, Resident},
    outcome::{Fate, OutcomeLine},
    problem::{Code, Problem},
    time::{Minute, Second},
};

/// A logged batch whose records one worker is to open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// Which batch.
    pub batch: BatchId,
    /// Attempts that ended without a result, this one not counted.
    pub attempts: u64,
}

/// How the records of a batch are opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// In this process.
    Here,
    /// Each in a child process of its own: an attempt to open them here did not end.
    Alone,
}

/// What opening one record line of a logged batch gave.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// Position in the manifest, from 0, withdrawn lines counted.
    pub line: u64,
    /// Which record the line delivers.
    pub key: RecordKey,
    /// Under which number.
    pub number: Number,
    /// Claimed finishing minute.
    pub finished: Minute,
    /// Size of the log head that the unit claims to have verified.
    pub seen: u64,
    /// Roster under which it says it was finished.
    pub roster: RosterVersion,
    /// `seen` and roster of the record line before it.
    pub before: Option<(u64, RosterVersion)>,
    /// The key that signed the line.
    pub agent_key: KeyRef,
    /// What came out.
    pub found: Found,
}

/// What came out of a sealed record.
#[derive(Debug, Clone)]
pub enum Found {
    /// It says what its line says.
    AsSigned(Box<Essence>),
    /// Its own signed content is wrong for good.
    Refused(Code),
    /// Opening it broke off again and again. No fact of the fold: the next rebuild tries again.
    Unopened,
}

/// All record lines of one batch, opened.
#[derive(Debug, Clone)]
pub struct OpenedBatch {
    /// Which batch.
    pub batch: BatchId,
    /// The unit's key that signed the manifest.
    pub unit_key: KeyRef,
    /// One for each record line, in order.
    pub deliveries: Vec<Delivery>,
}

/// A batch whose outcome may have to be said (again).
#[derive(Debug, Clone)]
pub struct OutcomeDue {
    /// Which batch.
    pub batch: BatchId,
    /// What it would say now.
    pub lines: Vec<OutcomeLine>,
    /// Version and lines of the newest one that is logged.
    pub published: Option<(u64, Vec<OutcomeLine>)>,
}

/// How far the registry is, and its digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// SHA-256 of the registry's text.
    pub digest: Digest,
    /// Residents that stand.
    pub residents: u64,
    /// Records merged.
    pub merged: u64,
    /// Records held.
    pub held: u64,
    /// Records refused.
    pub refused: u64,
    /// Record lines of logged batches that are not opened yet, and one more while a newer roster's revocations are not
    /// folded. Unless 0, the digest is incomplete: compare it with nothing.
    pub open: u64,
}

/// One delivery of a record, for `record trace`. No personal data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// Which record.
    pub key: RecordKey,
    /// Under which number.
    pub number: Number,
    /// Whose key signed the line.
    pub agent_key: Option<KeyRef>,
    /// Its batch.
    pub batch: BatchId,
    /// Where that stands in the unit's chain.
    pub place: Place,
    /// Where that stands in the log.
    pub index: LogIndex,
    /// When it was logged.
    pub received: Second,
    /// May the batch merge?
    pub state: BatchState,
    /// What became of it, once it was opened.
    pub fate: Option<Fate>,
    /// Versions of the batch's outcome, with their log indexes.
    pub outcomes: Vec<(u64, LogIndex)>,
    /// Names of the resident's fields that come from this record.
    pub fields: Vec<String>,
}

/// A record that waits for a person or for another record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// Reference of the case.
    pub reference: CaseRef,
    /// Why it is held.
    pub code: Code,
    /// Records under this case.
    pub records: Vec<RecordKey>,
}

/// What a held record says, and whom it may concern.
#[derive(Debug, Clone)]
pub struct CaseContent {
    /// The case.
    pub case: Case,
    /// What each of its records says.
    pub essences: Vec<(RecordKey, Essence)>,
    /// Residents that share a link with it.
    pub related: Vec<ResidentRef>,
}

/// Which batches are compared with their outcomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Among {
    /// All that are opened: nothing is published meanwhile, and of some nothing may have been said yet.
    Opened,
    /// Those that are said to be published as they are: each has an outcome.
    Settled,
}

/// What a person looks for.
#[derive(Clone)]
pub enum Search {
    /// A national number, as written or otherwise.
    Number(String),
    /// Words of a name, in either script.
    Name(String),
}

/// Residents, provenance, cases; and the work that leads there.
pub trait Registry: Clone + Send + Sync + 'static {
    /// Takes the oldest logged batch that is to be opened this way and that nobody holds; it is the caller's until
    /// `until`. A claim that is neither folded nor released by then did not end: from then on the batch is for [`Way::Alone`].
    fn claim(&self, way: Way, now: Second, until: Second) -> impl Future<Output = Result<Option<Claim>, Problem>> + Send;
    /// Gives a claim back; the batch is tried again from `retry` on.
    fn release(&self, batch: BatchId, way: Way, retry: Second) -> impl Future<Output = Result<(), Problem>> + Send;
    /// For the one process that may merge, when it starts: whoever held claims has died, so they did not end. And what
    /// was held unopened is tried again, because this may be newer software, or a larger machine.
    fn reclaim(&self) -> impl Future<Output = Result<(), Problem>> + Send;
    /// Takes in what a batch opened to and folds all that it can influence, in one transaction. The same batch again
    /// changes nothing.
    fn fold(&self, opened: OpenedBatch) -> impl Future<Output = Result<(), Problem>> + Send;
    /// Folds again what the revocations of a newer roster touch. Did anything have to be done?
    fn follow_roster(&self) -> impl Future<Output = Result<bool, Problem>> + Send;

    /// Batches whose outcome must be looked at, the first ones logged, at most `limit`: all their lines are opened.
    fn outcomes_due(&self, limit: usize) -> impl Future<Output = Result<Vec<OutcomeDue>, Problem>> + Send;
    /// The log's newest outcome of this batch says what these lines say: unless something changed since, none is due.
    fn settle(&self, batch: BatchId, lines: Vec<OutcomeLine>) -> impl Future<Output = Result<(), Problem>> + Send;
    /// None is due any more for batches whose newest logged outcome says what the registry says.
    fn settle_all(&self) -> impl Future<Output = Result<(), Problem>> + Send;
    /// Batches that wait for being opened, and batches whose outcome is due.
    fn waiting(&self) -> impl Future<Output = Result<(u64, u64), Problem>> + Send;

    /// Counts and digest of all that is there.
    fn summary(&self) -> impl Future<Output = Result<Summary, Problem>> + Send;
    /// Folds everything from the stored facts, beside the tables: what differs, by name. Compares nothing while
    /// something that is logged is not folded.
    fn refold(&self) -> impl Future<Output = Result<Vec<Problem>, Problem>> + Send;
    /// Batches whose newest logged outcome is not what the registry says now.
    fn outcomes_that_differ(&self, among: Among) -> impl Future<Output = Result<Vec<BatchId>, Problem>> + Send;

    /// Every delivery of a record id. No personal data.
    fn trace(&self, record: RecordId) -> impl Future<Output = Result<Vec<Trace>, Problem>> + Send;
    /// A resident.
    fn resident(&self, reference: ResidentRef) -> impl Future<Output = Result<Option<Resident>, Problem>> + Send;
    /// Residents that fit, at most `limit`.
    fn find(&self, search: Search, limit: usize) -> impl Future<Output = Result<Vec<(ResidentRef, Resident)>, Problem>> + Send;
    /// All cases, by reference.
    fn cases(&self) -> impl Future<Output = Result<Vec<Case>, Problem>> + Send;
    /// One case with what its records say.
    fn case(&self, reference: CaseRef) -> impl Future<Output = Result<Option<CaseContent>, Problem>> + Send;
}

/// The key of a delivered record.
pub fn record_key(unit: &Member, record: RecordId, digest: SealedDigest) -> RecordKey {
    RecordKey { unit: unit.clone(), record, digest }
}
