//! The registry: who is enrolled, where each of their fields came from, and what became of each record.
//!
//! ```text
//! claim ─▶ (opener) ─▶ fold, advance ─▶ outcomes_due ─▶ (sign, archive, log) ─▶ settle
//! ```
//! [`Registry`] is the seam; SQLite is its first backend ([`crate::store::registry_sqlite`]).
//!
//! **Trust:** what a [`Delivery`] says was opened under the limits of its signed line and equals it.
//! **Invariants:** the content is a function of the log and of what its batches opened to ([`crate::rules`]). Everything here can be
//! made again from archive and guard. It holds personal data: no type of this file shows any in `Debug`, and what names somebody
//! leaves as [`Unrecorded`].

mod open;

use std::future::Future;

use shared::{
    decision::{DecisionLine, case_of_record},
    id::{BatchId, CaseRef, Digest, LogIndex, Member, NoteId, Number, Place, RecordId, ResidentRef, SealedDigest},
    keys::KeyRef,
    log::BatchState,
    merge::{Essence, RecordKey, Resident},
    outcome::{Fate, OutcomeLine},
    problem::{Code, Problem},
    time::Second,
};

pub use self::open::{LateWithdrawal, MissingNumbers, Signed};
use crate::{
    access::personal::Unrecorded,
    rules::{Advanced, Found, decisions::Needs, engine::LineState},
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
    /// What came out.
    pub came: Came,
}

impl Delivery {
    /// What came out, without what it says.
    pub fn found(&self) -> Found {
        match self.came {
            Came::AsSigned(_) => Found::Signed,
            Came::Refused(code) => Found::Refused(code),
            Came::Unopened => Found::Unopened,
        }
    }
    /// What it says, where it says what was signed.
    pub fn essence(&self) -> Option<&Essence> {
        match &self.came {
            Came::AsSigned(essence) => Some(essence),
            _ => None,
        }
    }
}

/// What came out of a sealed record.
#[derive(Debug, Clone)]
pub enum Came {
    /// It says what its line says.
    AsSigned(Box<Essence>),
    /// Its own signed content is wrong for good.
    Refused(Code),
    /// Opening it broke off again and again: every start tries again.
    Unopened,
}

/// All record lines of one batch, opened.
#[derive(Debug, Clone)]
pub struct OpenedBatch {
    /// Which batch.
    pub batch: BatchId,
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
    /// Logged entries that the fold has to look at and has not passed. Unless 0, the digest is incomplete: compare it with nothing.
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
    pub agent_key: KeyRef,
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
    /// The newest decision in force about the batch.
    pub batch_decision: Option<NoteId>,
    /// What became of it, once it was folded.
    pub fate: Option<Fate>,
    /// Those that it is held against.
    pub against: Vec<RecordKey>,
    /// The newest decision in force about it.
    pub decision: Option<NoteId>,
    /// Versions of the batch's outcome, with their log indexes.
    pub outcomes: Vec<(u64, LogIndex)>,
    /// Names of the resident's fields that come from this record.
    pub fields: Vec<String>,
}

/// A held record: something that a person must decide, or another record will.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// Reference of the case.
    pub reference: CaseRef,
    /// The held record.
    pub record: RecordKey,
    /// Why it is held.
    pub code: Code,
    /// Those that it is held against.
    pub against: Vec<RecordKey>,
    /// Its batch.
    pub batch: BatchId,
    /// When that was logged.
    pub received: Second,
    /// The newest decision in force about it.
    pub decision: Option<NoteId>,
    /// Decisions about it that wait for a second person.
    pub waits: Vec<NoteId>,
}

impl Case {
    /// What a decision about it names: SHA-256 of keys and code.
    pub fn digest(&self) -> Digest {
        case_of_record(&self.record, Some(self.code), &self.against)
    }
}

/// Which cases are wanted.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Held for this reason.
    pub code: Option<Code>,
    /// Of this unit.
    pub unit: Option<Member>,
    /// With a decision that waits for a second person.
    pub waits: bool,
}

/// Which part of a list: so many are passed over, then at most so many come.
#[derive(Debug, Clone, Copy)]
pub struct Page {
    /// Passed over.
    pub skip: u64,
    /// At most.
    pub limit: u64,
}

/// A record as a person sees it beside another.
#[derive(Debug, Clone)]
pub struct Side {
    /// Which record.
    pub record: RecordKey,
    /// What became of it.
    pub fate: Fate,
    /// What it says; none when it could not be read.
    pub essence: Option<Essence>,
    /// Where it came from.
    pub batch: BatchId,
}

/// What a record says, and everybody whom it may concern.
#[derive(Debug, Clone)]
pub struct CaseContent {
    /// The record.
    pub side: Side,
    /// Those that it is held against.
    pub against: Vec<Side>,
    /// Residents that it is held against, is about or is part of.
    pub residents: Vec<(ResidentRef, Resident)>,
    /// What a decision names; none where nobody can decide.
    pub digest: Option<Digest>,
    /// The newest decision in force about it.
    pub decision: Option<NoteId>,
    /// Decisions that wait for a second person.
    pub waits: Vec<NoteId>,
}

/// What became of one line of a logged decision.
#[derive(Debug, Clone)]
pub struct DecidedLine {
    /// The note.
    pub decision: NoteId,
    /// Where it stands in the log.
    pub index: LogIndex,
    /// Who signed it.
    pub by: KeyRef,
    /// Who confirmed it.
    pub confirmed: Option<KeyRef>,
    /// The line.
    pub line: DecisionLine,
    /// What became of it; none before it is folded.
    pub state: Option<LineState>,
}

/// Two or more residents who stand under one match key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shared {
    /// They.
    pub residents: Vec<ResidentRef>,
    /// The records that founded them.
    pub founders: Vec<RecordKey>,
}

/// Likeness that the fold does not judge: never a hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    /// In which way they are alike.
    pub kind: HintKind,
    /// One.
    pub one: ResidentRef,
    /// The other.
    pub other: ResidentRef,
}

/// A way in which two residents are alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HintKind {
    /// One has a national number and the other none; the rest is equal.
    NumberInOneOnly,
    /// Both have names in both scripts, and those of one are equal, with birth and place.
    OneScript,
    /// Given and family name change places.
    SwappedNames,
    /// Day and month of birth change places.
    DayAndMonth,
    /// A partial date of birth fits a full one.
    PartialDate,
    /// The same names, birth and place under two national numbers.
    TwoNumbers,
}

impl HintKind {
    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NumberInOneOnly => "number-in-one-only",
            Self::OneScript => "one-script",
            Self::SwappedNames => "swapped-names",
            Self::DayAndMonth => "day-and-month",
            Self::PartialDate => "partial-date",
            Self::TwoNumbers => "two-numbers",
        }
    }
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
    /// For the one process that may merge, when it starts: whoever held claims has died, so they did not end.
    fn reclaim(&self) -> impl Future<Output = Result<(), Problem>> + Send;
    /// Keeps what a batch opened to, and folds what that makes possible, in one transaction. The same batch again changes nothing.
    fn fold(&self, opened: OpenedBatch) -> impl Future<Output = Result<Advanced, Problem>> + Send;
    /// Folds what is logged and can be judged, in the log's order, some entries in a transaction. Has it come to the end?
    fn advance(&self) -> impl Future<Output = Result<Advanced, Problem>> + Send;
    /// Batches with records that are held unopened.
    fn unopened(&self) -> impl Future<Output = Result<Vec<BatchId>, Problem>> + Send;
    /// Batches with records that are held unopened and are open by now: no entry of the log says so yet.
    fn unsaid(&self) -> impl Future<Output = Result<Vec<BatchId>, Problem>> + Send;

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
    fn resident(&self, reference: ResidentRef) -> impl Future<Output = Result<Unrecorded<Option<Resident>>, Problem>> + Send;
    /// Residents that fit, at most `limit`.
    fn find(&self, search: Search, limit: usize) -> impl Future<Output = Result<Unrecorded<Vec<(ResidentRef, Resident)>>, Problem>> + Send;
    /// Cases that fit, by record; and how many there are in all.
    fn cases(&self, filter: Filter, page: Page) -> impl Future<Output = Result<(Vec<Case>, u64), Problem>> + Send;
    /// Held records of a case.
    fn case(&self, reference: CaseRef) -> impl Future<Output = Result<Vec<RecordKey>, Problem>> + Send;
    /// A record with everybody whom it may concern.
    fn content(&self, record: RecordKey) -> impl Future<Output = Result<Unrecorded<Option<CaseContent>>, Problem>> + Send;
    /// Records with this id.
    fn records_of_id(&self, record: RecordId) -> impl Future<Output = Result<Vec<RecordKey>, Problem>> + Send;
    /// Code and newest decision of a batch, as a person is asked about them.
    fn batch_case(&self, batch: BatchId) -> impl Future<Output = Result<BatchCase, Problem>> + Send;
    /// How many persons a line needs, if it is decided now; none when its case is another.
    fn needs(&self, line: DecisionLine) -> impl Future<Output = Result<Option<Needs>, Problem>> + Send;
    /// All lines of logged decisions that are about one of these, oldest first.
    fn history(&self, of: About) -> impl Future<Output = Result<Vec<DecidedLine>, Problem>> + Send;
    /// Residents who stand under one match key.
    fn shared(&self) -> impl Future<Output = Result<Vec<Shared>, Problem>> + Send;
    /// Likeness that the fold does not judge, at most `limit`.
    fn hints(&self, limit: usize) -> impl Future<Output = Result<Unrecorded<Vec<Hint>>, Problem>> + Send;
    /// What this key has signed that was logged at an entry or later, as far as it is merged. No personal data.
    fn signed(&self, key: KeyRef, from: LogIndex) -> impl Future<Output = Result<Signed, Problem>> + Send;
    /// Numbers that must exist and are not logged, as ranges. No personal data.
    fn missing_numbers(&self, limit: usize) -> impl Future<Output = Result<Vec<MissingNumbers>, Problem>> + Send;
    /// Withdrawn lines that came after their record: they change nothing. No personal data.
    fn late_withdrawals(&self, limit: usize) -> impl Future<Output = Result<Vec<LateWithdrawal>, Problem>> + Send;
}

/// A batch as a person is asked about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchCase {
    /// The first code that stands against it and that nobody has lifted.
    pub code: Option<Code>,
    /// What a decision names.
    pub digest: Digest,
    /// The newest decision in force about it.
    pub decision: Option<NoteId>,
    /// Accepted in spite of these codes; none: refused, or nothing was decided.
    pub accepted: Option<Vec<Code>>,
}

impl BatchCase {
    /// A person has refused it.
    pub fn is_refused(&self) -> bool {
        self.decision.is_some() && self.accepted.is_none()
    }
}

/// What a history is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum About {
    /// A record.
    Record(RecordKey),
    /// A batch.
    Batch(BatchId),
    /// One decision.
    Decision(NoteId),
    /// Whatever waits for a second person.
    Waiting,
}

/// The key of a delivered record.
pub fn record_key(unit: &Member, record: RecordId, digest: SealedDigest) -> RecordKey {
    RecordKey { unit: unit.clone(), record, digest }
}
