//! The registry in SQLite, in the ledger's database, so that a fold reads the log's facts in its own transaction.
//!
//! | file | does |
//! |---|---|
//! | `work` | which batches are to be opened, by whom; what they opened to |
//! | `rows` | rows as values: no state is a word outside of it |
//! | `engine` | answers the small questions of the rules |
//! | `outcomes` | which outcomes are due, and what they say |
//! | `read` | digest, trace, residents |
//! | `cases` | what a person must decide, and what was decided |
//! | `hints` | likeness that nobody judges |
//! | `open` | what a key has signed; numbers that are missing; withdrawals that came late |
//! | `check` | folds everything again and compares |
//!
//! **Invariants:** what the fold writes and its position are one transaction: a crash before the commit leaves none of it, after it all
//! of it. What is folded is written by the rules only.

mod work;
mod rows;
mod engine;
mod outcomes;
mod read;
mod cases;
mod hints;
mod open;
mod check;
#[cfg(test)]
mod tests;

use rusqlite::Connection;
use shared::{
    decision::{DecisionLine, RecordKey},
    id::{BatchId, CaseRef, LogIndex, RecordId, ResidentRef},
    keys::KeyRef,
    merge::Resident,
    outcome::OutcomeLine,
    problem::{Code, Problem},
    time::Second,
};

use self::engine::{Place, Rosters, Sql};
use super::sqlite::Db;
use crate::{
    access::personal::Unrecorded,
    registry::{
        About, Among, BatchCase, Case, CaseContent, Claim, DecidedLine, Filter, Hint, LateWithdrawal, MissingNumbers, OpenedBatch,
        OutcomeDue, Page, Registry, Search, Shared, Signed, Summary, Trace, Way,
    },
    rules::{self, Advanced, decisions::Needs},
    sabotage,
};

/// Entries that are folded in one transaction: so long nobody else writes.
const TOGETHER: usize = 64;

/// The registry in SQLite.
#[derive(Clone)]
pub struct RegistrySqlite {
    db: Db,
    rosters: Rosters,
}

impl RegistrySqlite {
    /// On an open database, which it shares with the ledger.
    pub fn new(db: Db) -> Self {
        Self { db, rosters: Rosters::default() }
    }

    /// Batches that broke off here: a claim did not end, or a record is held unopened.
    pub async fn broken(&self) -> Result<Vec<BatchId>, Problem> {
        let mut broken = self.db.read(work::broken).await?;
        broken.extend(self.db.read(work::unopened).await?);
        Ok(broken)
    }

    /// These batches, of those that are not opened yet, are for [`Way::Alone`].
    pub async fn warn_of(&self, broken: Vec<BatchId>) -> Result<(), Problem> {
        self.db.write(move |c| work::warn_of(c, &broken)).await
    }

    /// Broken on purpose: what is written was judged in another transaction, before others wrote what they had judged.
    async fn advance_without_locks(&self) -> Result<Advanced, Problem> {
        let (rosters, again) = (self.rosters.clone(), self.rosters.clone());
        let (tell, told) = std::sync::mpsc::channel();
        // judged, and taken back
        let judge = move |c: &Connection| {
            let judged = rules::advance(&Sql::of(c, Place::Within, &rosters), 1).and_then(|_| engine::dump(c));
            tell.send(judged).map_err(|_| Code::Busy.into()).and(Err(Code::Busy.into()))
        };
        let _: Result<(), Problem> = self.db.write(judge).await;
        let judged = told.recv().map_err(|_| Code::DatabaseFailed)??;
        tokio::time::sleep(std::time::Duration::from_secs(3)).await;
        self.db
            .write(move |c| {
                let advanced = rules::advance(&Sql::of(c, Place::Within, &again), 1)?;
                engine::load(c, &judged).map(|()| advanced)
            })
            .await
    }
}

/// Some entries, in the transaction of the caller.
fn advance(c: &Connection, rosters: &Rosters) -> Result<Advanced, Problem> {
    let engine = Sql::of(c, Place::Within, rosters);
    let advanced = rules::advance(&engine, TOGETHER)?;
    for problem in engine.differing.take() {
        tracing::warn!("{problem}; the log is followed");
    }
    Ok(advanced)
}

impl Registry for RegistrySqlite {
    async fn claim(&self, way: Way, now: Second, until: Second) -> Result<Option<Claim>, Problem> {
        self.db.write(move |c| work::claim(c, way, now, until)).await
    }
    async fn reclaim(&self) -> Result<(), Problem> {
        self.db.write(work::reclaim).await
    }
    async fn release(&self, batch: BatchId, way: Way, retry: Second) -> Result<(), Problem> {
        self.db.write(move |c| work::release(c, batch, way, retry)).await
    }
    async fn fold(&self, opened: OpenedBatch) -> Result<Advanced, Problem> {
        if sabotage::on("fold-without-locks") {
            self.db.write(move |c| work::keep(c, &opened)).await?;
            return self.advance_without_locks().await;
        }
        let rosters = self.rosters.clone();
        self.db.write(move |c| work::keep(c, &opened).and_then(|()| advance(c, &rosters))).await
    }
    async fn advance(&self) -> Result<Advanced, Problem> {
        if sabotage::on("fold-without-locks") {
            return self.advance_without_locks().await;
        }
        let rosters = self.rosters.clone();
        // nothing is written when nothing is left
        if self.db.read(work::unfolded).await? == 0 {
            return Ok(Advanced::Done);
        }
        self.db.write(move |c| advance(c, &rosters)).await
    }
    async fn unopened(&self) -> Result<Vec<BatchId>, Problem> {
        self.db.read(work::unopened).await
    }
    async fn unsaid(&self) -> Result<Vec<BatchId>, Problem> {
        self.db.read(work::unsaid).await
    }

    async fn outcomes_due(&self, limit: usize) -> Result<Vec<OutcomeDue>, Problem> {
        self.db.read(move |c| outcomes::due(c, limit)).await
    }
    async fn settle(&self, batch: BatchId, lines: Vec<OutcomeLine>) -> Result<(), Problem> {
        self.db.write(move |c| outcomes::settle(c, batch, &lines)).await
    }
    async fn settle_all(&self) -> Result<(), Problem> {
        self.db.write(outcomes::settle_all).await
    }
    async fn waiting(&self) -> Result<(u64, u64), Problem> {
        self.db.read(work::waiting).await
    }

    async fn summary(&self) -> Result<Summary, Problem> {
        self.db.read(read::summary).await
    }
    async fn refold(&self) -> Result<Vec<Problem>, Problem> {
        let (path, rosters) = (self.db.path().to_owned(), self.rosters.clone());
        super::blocking(move || check::check(&path, &rosters)).await
    }
    async fn outcomes_that_differ(&self, among: Among) -> Result<Vec<BatchId>, Problem> {
        self.db.read(move |c| outcomes::differing(c, among)).await
    }

    async fn trace(&self, record: RecordId) -> Result<Vec<Trace>, Problem> {
        self.db.read(move |c| read::trace(c, record)).await
    }
    async fn resident(&self, reference: ResidentRef) -> Result<Unrecorded<Option<Resident>>, Problem> {
        self.db.read(move |c| read::resident(c, &reference)).await.map(Unrecorded::read)
    }
    async fn find(&self, search: Search, limit: usize) -> Result<Unrecorded<Vec<(ResidentRef, Resident)>>, Problem> {
        self.db.read(move |c| read::find(c, &search, limit)).await.map(Unrecorded::read)
    }

    async fn cases(&self, filter: Filter, page: Page) -> Result<(Vec<Case>, u64), Problem> {
        let rosters = self.rosters.clone();
        self.db.read(move |c| cases::cases(c, &rosters, &filter, page)).await
    }
    async fn case(&self, reference: CaseRef) -> Result<Vec<RecordKey>, Problem> {
        self.db.read(move |c| cases::case(c, &reference)).await
    }
    async fn content(&self, record: RecordKey) -> Result<Unrecorded<Option<CaseContent>>, Problem> {
        let rosters = self.rosters.clone();
        self.db.read(move |c| cases::content(c, &rosters, &record)).await.map(Unrecorded::read)
    }
    async fn records_of_id(&self, record: RecordId) -> Result<Vec<RecordKey>, Problem> {
        self.db.read(move |c| cases::records_of_id(c, record)).await
    }
    async fn batch_case(&self, batch: BatchId) -> Result<BatchCase, Problem> {
        let rosters = self.rosters.clone();
        self.db.read(move |c| cases::batch_case(c, &rosters, batch)).await
    }
    async fn needs(&self, line: DecisionLine) -> Result<Option<Needs>, Problem> {
        let rosters = self.rosters.clone();
        self.db.read(move |c| cases::needed(c, &rosters, &line)).await
    }
    async fn history(&self, of: About) -> Result<Vec<DecidedLine>, Problem> {
        let rosters = self.rosters.clone();
        self.db.read(move |c| cases::history(c, &rosters, &of)).await
    }
    async fn shared(&self) -> Result<Vec<Shared>, Problem> {
        self.db.read(cases::shared).await
    }
    async fn hints(&self, limit: usize) -> Result<Unrecorded<Vec<Hint>>, Problem> {
        self.db.read(move |c| hints::hints(c, limit)).await.map(Unrecorded::read)
    }
    async fn signed(&self, key: KeyRef, from: LogIndex) -> Result<Signed, Problem> {
        let rosters = self.rosters.clone();
        self.db.read(move |c| open::signed(c, &rosters, &key, from)).await
    }
    async fn missing_numbers(&self, limit: usize) -> Result<Vec<MissingNumbers>, Problem> {
        self.db.read(move |c| open::missing_numbers(c, limit)).await
    }
    async fn late_withdrawals(&self, limit: usize) -> Result<Vec<LateWithdrawal>, Problem> {
        let rosters = self.rosters.clone();
        self.db.read(move |c| open::late_withdrawals(c, &rosters, limit)).await
    }
}
