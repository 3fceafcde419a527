//! The spine: what happens to a batch at the centre, with no SQL and no HTTP in it.
//!
//! ```text
//!            1 blobs durable   2 segment archived   3 guard swapped   4 followed   5 signed   6 released
//! VerifiedBatch ──────────▶ ─────────────────▶ ═══ COMMIT ═══ ──▶ ─────────▶ ────────▶ receipt, answers, merge
//! ```
//! Before 3 nothing has happened; after 3 nothing can make it not have happened: the next start follows the segment.
//!
//! | file | does |
//! |---|---|
//! | `catch_up` | brings the ledger to the guard's head: at start, and before every round |
//! | `standing` | decides what the log says of a batch, on the ledger as it stands |
//! | `round` | the six steps |
//! | `intake` | takes in what units send, up to batches that may be logged |
//! | `sequencer` | one round for all who wait; log time while nobody does |
//! | `opener` | opens what is logged, within limits |
//! | `merge` | folds what was opened, and says what became of it |
//!
//! **Invariants:** only a round writes segments, swaps the guard or moves the ledger; nothing leaves the centre under a
//! head that the guard does not hold.

pub mod intake;
mod catch_up;
mod round;
mod sequencer;
mod standing;
pub mod opener;
pub mod merge;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use shared::{
    decision::Decision,
    id::{BatchId, Blob, LogIndex, Member},
    keys::KeyRef,
    log::{Entry, HeadEntry},
    outcome::Outcome,
    roster::TrustedRoster,
    time::Second,
    verify::VerifiedBatch,
};

pub use self::{
    catch_up::catch_up,
    sequencer::{Idle, LoggedBatch, Published, Queued, Sequencer},
};
pub(crate) use self::{
    catch_up::{belongs_together, walk_back},
    intake::RosterCache,
    round::clock_jump,
};

/// Where the truth lies, and the view of it.
#[derive(Clone)]
pub struct Stores<A, G, L> {
    /// Blobs and segments.
    pub archive: A,
    /// The newest head.
    pub guard: G,
    /// What the log says.
    pub ledger: L,
}

/// Reads the clock: the program's own, or a test's.
pub type Clock = Arc<dyn Fn() -> Second + Send + Sync>;

/// What somebody wants to have logged. Every blob that it names is durable in the archive already.
#[derive(Debug, Clone)]
pub enum Proposal {
    /// A batch. Its state (accepted, quarantined and why) is decided here, on the log as it stands.
    Batch(VerifiedBatch),
    /// A new roster, trusted by the one before.
    Roster(Box<TrustedRoster>),
    /// What became of a batch.
    Outcome(Outcome),
    /// Somebody is about to read personal data.
    Access(Blob),
    /// What a person decided, or confirmed.
    Decision(Box<Decision>),
    /// What of a batch was held unopened could be opened.
    Opened(BatchId),
    /// Where a key in force said that its unit stands.
    Head(Member, HeadEntry),
    /// A key contradicted itself.
    Freeze {
        /// Of which unit.
        unit: Member,
        /// Which key.
        key: KeyRef,
        /// One of the two notes.
        first: Blob,
        /// The other.
        second: Blob,
    },
    /// Time passed and nothing happened.
    Time,
    /// A person says that the clock is right although it went more than a day ahead of the log.
    TimeConfirmed,
}

/// Something that is in the log, under the guard and in the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logged {
    index: LogIndex,
    entry: Entry,
}

impl Logged {
    /// Where it stands.
    pub fn index(&self) -> LogIndex {
        self.index
    }
    /// What the log says.
    pub fn entry(&self) -> &Entry {
        &self.entry
    }
}

/// Two proposals about one subject never stand in one segment: each is decided on what the log says of the other.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Subject {
    /// A unit: its chain, its heads, its freeze.
    Unit(Member),
    /// The outcomes of a batch.
    Outcome(BatchId),
    /// Rosters judge everything else: alone in a segment.
    Everything,
    /// Independent of all others.
    Own,
}

impl Proposal {
    fn subject(&self) -> Subject {
        match self {
            Self::Batch(batch) => Subject::Unit(batch.checked().facts().unit.clone()),
            Self::Head(unit, _) | Self::Freeze { unit, .. } => Subject::Unit(unit.clone()),
            Self::Outcome(outcome) => Subject::Outcome(outcome.batch()),
            Self::Roster(_) | Self::TimeConfirmed => Subject::Everything,
            Self::Opened(batch) => Subject::Outcome(*batch),
            Self::Access(_) | Self::Time | Self::Decision(_) => Subject::Own,
        }
    }
}
