//! The registry in SQLite, in the ledger's database, so that a fold reads the log's facts in its own transaction.
//!
//! | file | does |
//! |---|---|
//! | `work` | which batches are to be opened, by whom |
//! | `rows` | what several questions read from a row |
//! | `facts` | what was opened: deliveries, essences, links; closures |
//! | `force` | may a line take effect? revocations, freezes, flags |
//! | `fold` | folds a closure and writes what changed |
//! | `outcomes` | which outcomes are due, and what they say |
//! | `read` | digest, trace, residents, cases |
//! | `check` | folds everything again and compares |
//!
//! **Invariants:** a fold, its done-mark and the outcomes that it makes due are one transaction: a crash before the
//! commit leaves none of it, after it all of it. Residents and fates are written by `fold` only.

mod work;
mod rows;
mod facts;
mod force;
mod fold;
mod outcomes;
mod read;
mod check;
#[cfg(test)]
mod tests;

use rusqlite::Connection;
use shared::{
    id::{BatchId, CaseRef, RecordId, ResidentRef},
    merge::Resident,
    outcome::OutcomeLine,
    problem::{Code, Problem},
    time::Second,
};

use super::sqlite::Db;
use crate::{
    registry::{Among, Case, CaseContent, Claim, OpenedBatch, OutcomeDue, Registry, Search, Summary, Trace, Way},
    sabotage,
};

/// The registry in SQLite.
#[derive(Clone)]
pub struct RegistrySqlite {
    db: Db,
}

impl RegistrySqlite {
    /// On an open database, which it shares with the ledger.
    pub fn new(db: Db) -> Self {
        Self { db }
    }

    /// Batches that broke off here: a claim did not end, or a record is held unopened.
    pub async fn broken(&self) -> Result<Vec<BatchId>, Problem> {
        let mut broken = self.db.read(work::broken).await?;
        broken.extend(self.db.read(work::unopened).await?);
        Ok(broken)
    }

    /// Broken on purpose: what is written was planned in another transaction, before others wrote what they had planned.
    async fn fold_without_locks(&self, opened: OpenedBatch) -> Result<(), Problem> {
        let (tell, told) = std::sync::mpsc::channel();
        let again = opened.clone();
        // planned, and taken back
        let plan = move |c: &Connection| tell.send(fold::plan(c, &opened)).map_err(|_| Code::Busy.into()).and(Err(Code::Busy.into()));
        let _: Result<(), Problem> = self.db.write(plan).await;
        let planned = told.recv().map_err(|_| Code::DatabaseFailed)??;
        tokio::time::sleep(std::time::Duration::from_secs(3)).await;
        self.db.write(move |c| fold::plan(c, &again).and_then(|_| planned.write(c))).await
    }

    /// These batches, of those that are not opened yet, are for [`Way::Alone`].
    pub async fn warn_of(&self, broken: Vec<BatchId>) -> Result<(), Problem> {
        self.db.write(move |c| work::warn_of(c, &broken)).await
    }
}

impl Registry for RegistrySqlite {
    async fn claim(&self, way: Way, now: Second, until: Second) -> Result<Option<Claim>, Problem> {
        self.db.write(move |c| work::claim(c, way, now, until)).await
    }
    async fn reclaim(&self) -> Result<(), Problem> {
        // it is a long look at a large registry, and nobody else may write meanwhile
        let unopened = self.db.read(work::unopened).await?;
        self.db.write(move |c| work::reclaim(c).and_then(|()| work::reopen(c, &unopened))).await
    }
    async fn release(&self, batch: BatchId, way: Way, retry: Second) -> Result<(), Problem> {
        self.db.write(move |c| work::release(c, batch, way, retry)).await
    }
    async fn fold(&self, opened: OpenedBatch) -> Result<(), Problem> {
        if sabotage::on("fold-without-locks") {
            return self.fold_without_locks(opened).await;
        }
        self.db.write(move |c| fold::batch(c, &opened)).await
    }
    async fn follow_roster(&self) -> Result<bool, Problem> {
        if !self.db.read(force::behind).await? {
            return Ok(false);
        }
        self.db.write(fold::roster).await
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
        self.db.read(check::check).await
    }
    async fn outcomes_that_differ(&self, among: Among) -> Result<Vec<BatchId>, Problem> {
        self.db.read(move |c| outcomes::differing(c, among)).await
    }

    async fn trace(&self, record: RecordId) -> Result<Vec<Trace>, Problem> {
        self.db.read(move |c| read::trace(c, record)).await
    }
    async fn resident(&self, reference: ResidentRef) -> Result<Option<Resident>, Problem> {
        self.db.read(move |c| read::resident(c, &reference)).await
    }
    async fn find(&self, search: Search, limit: usize) -> Result<Vec<(ResidentRef, Resident)>, Problem> {
        self.db.read(move |c| read::find(c, &search, limit)).await
    }
    async fn cases(&self) -> Result<Vec<Case>, Problem> {
        self.db.read(read::cases).await
    }
    async fn case(&self, reference: CaseRef) -> Result<Option<CaseContent>, Problem> {
        self.db.read(move |c| read::case(c, &reference)).await
    }
}
