//! The ledger in SQLite.
//!
//! | file | does |
//! |---|---|
//! | `apply` | follows a segment in one transaction |
//! | `tree` | hashes and proofs |
//! | `batches` | batches, chains, lines |
//! | `papers` | rosters, outcomes, decisions |
//! | `keys` | the lives of keys |
//! | `links` | which batches a head leads to |
//! | `units` | announcements, hellos, heads |
//! | `doubts` | blobs that were found wrong, and how far looking at them has come |
//! | `columns` | our types as columns |
//!
//! **Invariants:** only `apply` moves the position; what it writes is a function of the segment and of the notes
//! that the segment names.

mod apply;
pub(super) mod batches;
pub(super) mod columns;
mod doubts;
pub(super) mod keys;
pub(super) mod links;
pub(super) mod papers;
pub(super) mod tree;
pub(super) mod units;

use shared::{
    force::Life,
    hello::Known,
    id::{BatchId, Blob, LogIndex, Member, NoteId, Number, Place, RecordId, RosterVersion},
    keys::KeyRef,
    log::{Hash, Head, HeadEntry, Segment},
    problem::Problem,
    time::Second,
};

use super::{
    AnnouncedBatch, Application, BatchFacts, DecisionFacts, Extent, Gap, HeadWitness, Heard, HelloFacts, Ledger, LineFacts, OutcomeFacts,
    Position, RosterFacts, sqlite::Db,
};
use crate::rules::force;

/// The ledger in SQLite. The registry shares its database.
#[derive(Clone)]
pub struct LedgerSqlite {
    db: Db,
}

impl LedgerSqlite {
    /// On an open database.
    pub fn new(db: Db) -> Self {
        Self { db }
    }
}

impl Ledger for LedgerSqlite {
    async fn position(&self) -> Result<Position, Problem> {
        self.db.read(tree::position).await
    }
    async fn lead_on(&self, old: Head, entries: Vec<Vec<u8>>) -> Result<Segment, Problem> {
        self.db.read(move |c| apply::lead_on(c, old, entries)).await
    }
    async fn apply(&self, application: Application) -> Result<Position, Problem> {
        self.db.write(move |c| apply::apply(c, &application)).await
    }

    async fn entry(&self, index: LogIndex) -> Result<Option<Vec<u8>>, Problem> {
        self.db.read(move |c| tree::entry(c, index)).await
    }
    async fn hashes(&self, first: u64, limit: usize) -> Result<Vec<Hash>, Problem> {
        self.db.read(move |c| tree::hashes(c, first, limit)).await
    }
    async fn root(&self, size: u64) -> Result<Head, Problem> {
        self.db.read(move |c| tree::root(c, size)).await
    }
    async fn inclusion(&self, size: u64, index: LogIndex) -> Result<Vec<Hash>, Problem> {
        self.db.read(move |c| shared::log::prove_inclusion(size, index.0, &tree::Stored(c))).await
    }
    async fn consistency(&self, old: u64, new: u64) -> Result<Vec<Hash>, Problem> {
        self.db.read(move |c| shared::log::prove_consistency(old, new, &tree::Stored(c))).await
    }

    async fn batch(&self, id: BatchId) -> Result<Option<BatchFacts>, Problem> {
        self.db.read(move |c| batches::one(c, id)).await
    }
    async fn batches_at(&self, unit: &Member, place: Place) -> Result<Vec<BatchFacts>, Problem> {
        let unit = unit.clone();
        self.db.read(move |c| batches::at(c, &unit, place)).await
    }
    async fn batches_from(&self, index: LogIndex, limit: usize) -> Result<Vec<BatchFacts>, Problem> {
        self.db.read(move |c| batches::from(c, index, limit)).await
    }
    async fn quarantined_from(&self, index: LogIndex, limit: usize) -> Result<Vec<BatchFacts>, Problem> {
        self.db.read(move |c| batches::quarantined(c, index, limit)).await
    }
    async fn chain_head(&self, unit: &Member, epoch: u32) -> Result<Option<BatchFacts>, Problem> {
        let unit = unit.clone();
        self.db.read(move |c| batches::chain_head(c, &unit, epoch)).await
    }
    async fn missing(&self, unit: &Member, limit: usize) -> Result<Vec<Gap>, Problem> {
        let unit = unit.clone();
        self.db.read(move |c| units::missing(c, &unit, limit)).await
    }
    async fn forked(&self, unit: &Member, epoch: u32) -> Result<Option<u64>, Problem> {
        let unit = unit.clone();
        self.db.read(move |c| batches::forked(c, &unit, epoch)).await
    }
    async fn frozen(&self, key: &KeyRef) -> Result<Option<LogIndex>, Problem> {
        let key = key.clone();
        self.db.read(move |c| units::frozen(c, &key)).await
    }
    async fn life(&self, key: &KeyRef, received: Second) -> Result<Life, Problem> {
        let key = key.clone();
        self.db.read(move |c| keys::next(c, &key, received)).await
    }
    async fn would_link(&self, batch: BatchId, key: &KeyRef) -> Result<Option<LogIndex>, Problem> {
        let key = key.clone();
        self.db.read(move |c| force::would_link(&links::Marks(c), batch, &key)).await
    }
    async fn contradicted(&self, key: &KeyRef, place: Place, batch: BatchId) -> Result<bool, Problem> {
        let key = key.clone();
        self.db.read(move |c| units::contradicted(c, &key, place, batch)).await
    }
    async fn extent(&self, unit: &Member, epoch: u32) -> Result<Extent, Problem> {
        let unit = unit.clone();
        self.db.read(move |c| batches::extent(c, &unit, epoch)).await
    }

    async fn lines_of_record(&self, unit: Option<&Member>, record: RecordId) -> Result<Vec<LineFacts>, Problem> {
        let unit = unit.cloned();
        self.db.read(move |c| batches::lines_of_record(c, unit.as_ref(), record)).await
    }
    async fn lines_of_number(&self, unit: &Member, number: Number) -> Result<Vec<LineFacts>, Problem> {
        let unit = unit.clone();
        self.db.read(move |c| batches::lines_of_number(c, &unit, number)).await
    }

    async fn newest_roster(&self) -> Result<Option<RosterFacts>, Problem> {
        self.db.read(papers::newest_roster).await
    }
    async fn roster(&self, version: RosterVersion) -> Result<Option<RosterFacts>, Problem> {
        self.db.read(move |c| papers::roster(c, version)).await
    }
    async fn roster_by(&self, by: Second) -> Result<Option<RosterFacts>, Problem> {
        self.db.read(move |c| papers::roster_by(c, by)).await
    }
    async fn decision(&self, id: NoteId) -> Result<Option<DecisionFacts>, Problem> {
        self.db.read(move |c| papers::decision(c, id)).await
    }
    async fn decisions_from(&self, index: LogIndex, limit: usize) -> Result<Vec<DecisionFacts>, Problem> {
        self.db.read(move |c| papers::decisions_from(c, index, limit)).await
    }
    async fn outcome(&self, batch: BatchId) -> Result<Option<OutcomeFacts>, Problem> {
        self.db.read(move |c| papers::outcome(c, batch)).await
    }
    async fn outcomes_since(&self, unit: &Member, index: LogIndex, limit: usize) -> Result<Vec<(Place, u64)>, Problem> {
        let unit = unit.clone();
        self.db.read(move |c| papers::outcomes_since(c, &unit, index, limit)).await
    }

    async fn announce(&self, batch: AnnouncedBatch) -> Result<(), Problem> {
        self.db.write(move |c| units::announce(c, &batch)).await
    }
    async fn announced(&self, unit: &Member) -> Result<Vec<AnnouncedBatch>, Problem> {
        let unit = unit.clone();
        self.db.read(move |c| units::announced(c, &unit)).await
    }

    async fn doubts(&self) -> Result<Vec<(Blob, Second)>, Problem> {
        self.db.read(doubts::all_of_them).await
    }
    async fn doubt(&self, wrong: Vec<Blob>, right: Vec<Blob>, now: Second) -> Result<(), Problem> {
        self.db.write(move |c| doubts::keep(c, &wrong, &right, now)).await
    }
    async fn named_blobs(&self, first: u8) -> Result<Vec<Blob>, Problem> {
        self.db.read(move |c| doubts::named(c, first)).await
    }
    async fn in_doubt(&self, unit: &Member, limit: usize) -> Result<Vec<Place>, Problem> {
        let unit = unit.clone();
        self.db.read(move |c| doubts::of_unit(c, &unit, limit)).await
    }
    async fn scrubbed(&self) -> Result<Option<(Second, u16)>, Problem> {
        self.db.read(doubts::scrubbed).await
    }
    async fn scrub(&self, began: Second, next: u16) -> Result<(), Problem> {
        self.db.write(move |c| doubts::scrub(c, began, next)).await
    }
    async fn unlogged_hellos(&self) -> Result<Vec<Heard>, Problem> {
        self.db.read(units::unlogged_hellos).await
    }
    async fn rewound(&self) -> Result<Vec<(KeyRef, Second)>, Problem> {
        self.db.read(units::rewound).await
    }
    async fn newest_hellos(&self) -> Result<Vec<Heard>, Problem> {
        self.db.read(units::newest_hellos).await
    }
    async fn hello(&self, hello: HelloFacts) -> Result<Known, Problem> {
        self.db.write(move |c| units::hello(c, &hello)).await
    }
    async fn logged_head(&self, key: &KeyRef) -> Result<Option<(Second, HeadEntry)>, Problem> {
        let key = key.clone();
        self.db.read(move |c| units::logged_head(c, &key)).await
    }
    async fn heads_since(&self, key: &KeyRef, since: Second) -> Result<u64, Problem> {
        let key = key.clone();
        self.db.read(move |c| units::heads_since(c, &key, since)).await
    }
    async fn head_witness(&self, key: &KeyRef, unit: &Member, place: Place) -> Result<Option<HeadWitness>, Problem> {
        let (key, unit) = (key.clone(), unit.clone());
        self.db.read(move |c| units::head_witness(c, &key, &unit, place)).await
    }
}
