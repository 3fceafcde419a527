//! What the rules ask of a store. Each question is small and indexed; all are asked inside one transaction, which the store ends
//! after [`super::advance`].
//!
//! **Invariants:** what the log says up to an entry is asked with that entry (`known`), so that a fold which is behind gives the
//! same as one which is not.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use shared::{
    decision::{Decision, RecordKey},
    force::Life,
    id::{BatchId, Blob, LogIndex, Member, NoteId, Number, Place, RecordId, ResidentRef, RosterVersion},
    keys::KeyRef,
    log::BatchState,
    merge::{Essence, MatchKey, Resident},
    outcome::Fate,
    problem::{Code, Problem},
    roster::Facts as RosterFacts,
    rules::Rules,
    time::Second,
};

/// An entry that the fold looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Where it stands in the log.
    pub index: LogIndex,
    /// When it was logged.
    pub received: Second,
    /// What it is.
    pub kind: Kind,
}

/// What an entry is, as far as the fold is concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A batch.
    Batch(BatchId),
    /// A roster.
    Roster(RosterVersion),
    /// A decision, or the second signature under one.
    Decision(Blob),
    /// What of a batch was held unopened is open.
    Opened(BatchId),
    /// A record's bytes are gone.
    Erase(RecordKey),
}

/// A logged batch, as the rules see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
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
    /// What its entry says.
    pub state: BatchState,
    /// Under which roster it was closed.
    pub roster: RosterVersion,
    /// The unit's key that signed it.
    pub unit_key: KeyRef,
    /// The key of the supervisor who approved it.
    pub approver: Option<KeyRef>,
}

/// What came out of a sealed record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Found {
    /// It says what its line says.
    Signed,
    /// Its own signed content is wrong for good.
    Refused(Code),
    /// Opening it broke off again and again.
    Unopened,
    /// Its bytes were erased before it could be opened again.
    Erased,
}

impl Found {
    /// Why it waits for an entry that says that it is open: it could not be opened, or only newer software reads it.
    pub fn waits(self) -> Option<Code> {
        match self {
            Self::Unopened => Some(Code::Unopened),
            Self::Refused(Code::UpgradeNeeded) => Some(Code::UpgradeNeeded),
            Self::Signed | Self::Refused(_) | Self::Erased => None,
        }
    }
}

/// A record line of a logged batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    /// Position in the manifest, from 0, withdrawn lines counted.
    pub line: u64,
    /// Which record.
    pub key: RecordKey,
    /// Under which number.
    pub number: Number,
    /// Under which roster it was finished.
    pub roster: RosterVersion,
    /// The agent's key that signed the line.
    pub agent: KeyRef,
    /// What came out.
    pub found: Found,
}

/// A withdrawn line of a logged batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withdrawal {
    /// Whose number.
    pub unit: Member,
    /// Which number.
    pub number: Number,
    /// The supervisor's key that signed for it.
    pub by: KeyRef,
}

/// A line of a logged batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// A record.
    Record(Delivered),
    /// A withdrawn number.
    Withdrawn(Withdrawal),
}

/// How a record became part of a resident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// It founded it.
    Founded,
    /// It changed fields, and parts where it says so.
    Applied {
        /// Did its parts replace those at their positions?
        parts: bool,
    },
    /// It added fields that were not there, and parts where it says so.
    Joined {
        /// Did its parts replace those at their positions?
        parts: bool,
    },
    /// A person said that it is the same: it changes nothing.
    Same,
}

/// What became of a record, and what it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// What became of it.
    pub fate: Fate,
    /// Those that it is held against.
    pub against: Vec<RecordKey>,
    /// Where it came in force; none when it never did, or was taken out by a cut.
    pub place: Option<LogIndex>,
    /// The delivery that counts: its batch and line.
    pub delivery: (BatchId, u64),
    /// Its number.
    pub number: Number,
    /// Does it hold its record id?
    pub holds_id: bool,
    /// Does it hold its number?
    pub holds_number: bool,
    /// How it became part of the resident of its fate.
    pub mode: Option<Mode>,
    /// The newest decision in force about it; where there is one, there is a place.
    pub decision: Option<NoteId>,
    /// The log says what became of it, and today's rules say otherwise: against whom it is held is not known any more.
    pub blind: bool,
}

/// Who holds a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holder {
    /// A record.
    Record(RecordKey),
    /// A supervisor's withdrawal.
    Withdrawn,
}

/// A resident with what the rules need beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Fields, parts, sources; the first source founded it.
    pub resident: Resident,
    /// Names of forms, without version, under which it has records.
    pub documents: BTreeSet<String>,
    /// Fields that its forms add to those of identity.
    pub identity: BTreeSet<String>,
    /// SHA-256, in hex, of faces, fingers and eyes of its `new` records: nobody else has them.
    pub captures: BTreeSet<String>,
    /// When its founding record came in force.
    pub founded: Second,
    /// Under what it stands, by each version of the rules: a later one finds who came before it.
    pub keys: BTreeMap<Rules, BTreeSet<MatchKey>>,
}

/// A roster with its entry.
#[derive(Debug, Clone)]
pub struct RosterAt {
    /// Where it stands in the log.
    pub index: LogIndex,
    /// When it was logged.
    pub received: Second,
    /// What it says.
    pub facts: Arc<RosterFacts>,
}

/// What the log has of a decision note.
#[derive(Debug, Clone)]
pub struct DecisionAt {
    /// Where it stands in the log.
    pub index: LogIndex,
    /// The key that signed it.
    pub key: KeyRef,
    /// The note.
    pub note: Arc<Decision>,
}

/// What became of one line of a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LineState {
    /// It acts, since this entry.
    Acts(LogIndex),
    /// It waits for a second person.
    Waits,
    /// The case, or the decision that it replaces, was another by then.
    Changed,
    /// It waited, and somebody ended that by this entry.
    Rejected(LogIndex),
    /// The key of its signer did not count, or ended before.
    NotInForce,
}

/// What was decided about a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchDecided {
    /// The newest decision.
    pub decision: NoteId,
    /// Accepted in spite of these codes, each lifted by a decision of its own; none: refused.
    pub accepted: Option<Vec<Code>>,
}

/// The questions, and what the rules write.
pub trait Engine {
    // the log

    /// The next entry that the fold has to look at, if the log has one.
    fn next(&self) -> Result<Option<Event>, Problem>;
    /// The fold has passed this entry.
    fn passed(&self, index: LogIndex) -> Result<(), Problem>;
    /// The batch at the fold's position is judged and waits for its first outcome to be logged.
    fn judged(&self) -> Result<bool, Problem>;
    /// Says so.
    fn set_judged(&self) -> Result<(), Problem>;
    /// The version of the rules that holds for what is judged at this entry: the newest that entries before it name.
    fn rules(&self, at: LogIndex) -> Result<Rules, Problem>;
    /// A batch, if the log has it: a decision may name anything.
    fn logged(&self, id: BatchId) -> Result<Option<Batch>, Problem>;
    /// A logged batch.
    fn batch(&self, id: BatchId) -> Result<Batch, Problem> {
        self.logged(id)?.ok_or_else(|| Problem::new(Code::RegistryWrong, format!("batch {id} is not logged")))
    }
    /// Its lines in order; none while it is not opened.
    fn lines(&self, id: BatchId) -> Result<Option<Vec<Line>>, Problem>;
    /// What the first logged outcome of a batch says, line by line.
    fn first_outcome(&self, id: BatchId) -> Result<Option<Vec<Fate>>, Problem>;
    /// Today's rules judge a line otherwise than the log says; the log is followed.
    fn differs(&self, key: &RecordKey, told: &Fate, judged: &Fate);
    /// What a line was first told by this fold.
    fn first(&self, batch: BatchId, line: u64) -> Result<Option<Fate>, Problem>;
    /// The first `opened` entry of a batch.
    fn opened(&self, batch: BatchId) -> Result<Option<LogIndex>, Problem>;
    /// Keeps what a line was first told.
    fn set_first(&self, batch: BatchId, line: u64, fate: &Fate) -> Result<(), Problem>;
    /// The life of a key, as the entries before `known` tell it.
    fn life(&self, key: &KeyRef, known: LogIndex) -> Result<Life, Problem>;
    /// The lowest index of a head from which `previous` led to this batch over batches that were logged up to `known`.
    fn linked(&self, batch: BatchId, known: LogIndex) -> Result<Option<LogIndex>, Problem>;
    /// The entry that froze a key.
    fn frozen(&self, key: &KeyRef) -> Result<Option<LogIndex>, Problem>;
    /// Other batches that the batch of this entry has linked, in the log's order.
    fn linked_by(&self, index: LogIndex) -> Result<Vec<BatchId>, Problem>;
    /// A roster.
    fn roster(&self, version: RosterVersion) -> Result<RosterAt, Problem>;
    /// The newest roster that was logged before this entry and, if a time is given, not later than that.
    fn newest_roster(&self, before: LogIndex, by: Option<Second>) -> Result<Option<RosterVersion>, Problem>;
    /// Batches with an index from `from` on and before `to` that this key signed as unit or approver.
    fn batches_signed(&self, key: &KeyRef, from: LogIndex, to: LogIndex) -> Result<Vec<Batch>, Problem>;
    /// Record lines that this key signed, of batches likewise.
    fn lines_signed(&self, key: &KeyRef, from: LogIndex, to: LogIndex) -> Result<Vec<(BatchId, Delivered)>, Problem>;
    /// Withdrawn lines that this key signed for, of batches likewise.
    fn withdrawals_signed(&self, key: &KeyRef, from: LogIndex, to: LogIndex) -> Result<Vec<(BatchId, Withdrawal)>, Problem>;
    /// Record lines that deliver this record, of batches with an index before `to`, in order.
    fn deliveries(&self, key: &RecordKey, to: LogIndex) -> Result<Vec<(BatchId, u64)>, Problem>;
    /// Does any record line of this batch bear this name as its agent's?
    fn enrolled_by(&self, batch: BatchId, name: &str) -> Result<bool, Problem>;

    // records

    /// What became of a record.
    fn record(&self, key: &RecordKey) -> Result<Option<Record>, Problem>;
    /// Writes it; the outcomes of all batches that deliver it are due.
    fn set_record(&self, key: &RecordKey, record: &Record) -> Result<(), Problem>;
    /// What it says.
    fn essence(&self, key: &RecordKey) -> Result<Option<Essence>, Problem>;
    /// Forgets what it says.
    fn erase(&self, key: &RecordKey) -> Result<(), Problem>;
    /// Who holds a record id.
    fn id_holder(&self, unit: &Member, record: RecordId) -> Result<Option<RecordKey>, Problem>;
    /// Who holds a number.
    fn number_holder(&self, unit: &Member, number: Number) -> Result<Option<Holder>, Problem>;
    /// A supervisor's withdrawal takes a number.
    fn withdraw(&self, withdrawal: &Withdrawal, batch: BatchId) -> Result<(), Problem>;
    /// It gives it back.
    fn withdraw_not(&self, withdrawal: &Withdrawal, batch: BatchId) -> Result<(), Problem>;
    /// A record that came in force under this id, or was decided about, whatever became of it since.
    fn any_of_id(&self, unit: &Member, record: RecordId) -> Result<Option<RecordKey>, Problem>;
    /// A record waits for another of its unit.
    fn wait(&self, target: (&Member, RecordId), key: &RecordKey) -> Result<(), Problem>;
    /// Those that wait for it, in the order in which they came; they wait no longer.
    fn take_waiting(&self, target: (&Member, RecordId)) -> Result<Vec<RecordKey>, Problem>;

    // residents

    /// A resident.
    fn resident(&self, reference: &ResidentRef) -> Result<Option<Standing>, Problem>;
    /// Writes it, and under what it stands.
    fn set_resident(&self, reference: &ResidentRef, standing: &Standing) -> Result<(), Problem>;
    /// Removes it.
    fn remove_resident(&self, reference: &ResidentRef) -> Result<(), Problem>;
    /// Who stands under a match key, by whatever version of the rules.
    fn standing(&self, key: &MatchKey) -> Result<Vec<ResidentRef>, Problem>;
    /// Of whom a part of these bytes was captured when they were new, by its SHA-256 in hex.
    fn captured(&self, part: &str) -> Result<Vec<ResidentRef>, Problem>;

    // decisions

    /// A decision note that the log names, by its blob.
    fn decision_note(&self, blob: Blob) -> Result<DecisionAt, Problem>;
    /// A decision note by its id; the first that was logged.
    fn decision(&self, id: NoteId) -> Result<Option<DecisionAt>, Problem>;
    /// Decision notes that this key signed, logged from `from` on and before `to`, in order.
    fn decisions_signed(&self, key: &KeyRef, from: LogIndex, to: LogIndex) -> Result<Vec<DecisionAt>, Problem>;
    /// What became of its lines.
    fn decided(&self, id: NoteId) -> Result<Vec<LineState>, Problem>;
    /// Writes what became of one of them.
    fn set_decided(&self, id: NoteId, line: usize, state: LineState) -> Result<(), Problem>;
    /// What was decided about a batch.
    fn batch_decided(&self, batch: BatchId) -> Result<Option<BatchDecided>, Problem>;
    /// Writes it.
    fn set_batch_decided(&self, batch: BatchId, decided: Option<BatchDecided>) -> Result<(), Problem>;
    /// Records of which a delivery of this batch is the one that counts.
    fn records_of(&self, batch: BatchId) -> Result<Vec<RecordKey>, Problem>;
}
