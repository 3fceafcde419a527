//! Fetching: receipts and outcomes.
//!
//! Each comes with a proof under a signed head of the log. It counts when that head is the one that this
//! unit has verified (`seen`): under a newer one, a hello first proves that the log goes on to there, and
//! the proof is asked for again. So nothing is stored that stands in a history shown to this unit only.
//!
//! **Invariants:** a receipt is stored after it was checked against the unit's own manifest, an outcome
//! after its signature, its lines and its log entry were; each in one transaction. `settled` moves only when
//! all that the answer named is here.

use serde_json::json;
use shared::{
    batch::Manifest,
    id::BatchId,
    log::{CheckedHead, TlogProof},
    outcome::{CheckedOutcome, Fate},
    problem::{Code, Problem},
};

use super::{
    Run,
    link::{Link, Source, Trouble},
};
use crate::{
    proofs,
    vault::outbox::{BatchRow, Effect, Received},
};

/// How often a proof is asked for again when the log has moved on meanwhile.
const MOVES: u32 = 3;
/// Tries for an outcome in one run: merging may take longer than anybody wants to wait.
const OUTCOME_TRIES: u32 = 5;

/// Something with the exact bytes of its proof.
pub(super) type Proven<T> = (T, Vec<u8>);

impl Run<'_> {
    /// Fetches every receipt and outcome that can be had.
    pub(super) async fn fetch_all(&mut self) -> Result<(), Trouble> {
        let mut settled = true;
        let mut tries = u32::MAX;
        for batch in self.vault.waiting()?.into_iter().filter(|b| b.announced && b.sent >= b.payload) {
            if self.deadline.is_over() {
                return Ok(());
            }
            if let Err(trouble) = self.fetch_receipt(&batch, tries).await {
                // in the log under no head up to `seen`: `settled` does not speak of it
                settled &= trouble.problem.code == Code::Pending;
                // the ones behind it are not waited for as well
                tries = 1;
                self.note(trouble)?;
            }
        }
        settled &= self.fetch_outcomes().await?;
        if settled {
            self.vault.settle(self.vault.state()?.seen.size)?;
        }
        Ok(())
    }

    async fn fetch_receipt(&mut self, batch: &BatchRow, tries: u32) -> Result<(), Trouble> {
        let fetch = async |link: &Link, size| link.receipt(&batch.id, size).await.map(|bytes| ((), bytes));
        let ((), proof) = self.linked(tries, fetch).await?;
        let manifest = Manifest::parse(&self.vault.manifest(&batch.id)?)?;
        let receipt = proofs::receipt(&proof, &manifest, &self.roster()?).map_err(Trouble::forged)?;
        // one transaction: before it the batch waits, after it the batch is safe at the centre
        let said = Received { index: receipt.index(), at: receipt.received(), state: receipt.state() };
        self.vault.store_receipt(&batch.id, &proof, &said)?;
        self.report.receipts += 1;
        let fields = json!({ "batch": batch.place, "index": receipt.index().0, "received": receipt.received(), "state": receipt.state().to_string() });
        self.voice.done("receipt", fields, &format!("batch {}: safe at the centre since {}", batch.place, receipt.received()));
        Ok(())
    }

    /// Those that the answer names, and those of batches that have a receipt and none yet. Says whether
    /// all that were named are here.
    async fn fetch_outcomes(&mut self) -> Result<bool, Trouble> {
        let named = self.answer.as_ref().map(|a| a.outcomes.clone()).unwrap_or_default();
        let (mut complete, mut tries) = (true, OUTCOME_TRIES);
        for batch in self.vault.batches()?.into_iter().filter(|b| b.receipt.is_some()) {
            let newest = named.iter().filter(|(place, _)| *place == batch.place).map(|(_, version)| *version).max();
            let stale = newest.is_some_and(|n| batch.outcome.is_none_or(|have| u64::from(have) < n));
            if !stale && batch.outcome.is_some() {
                continue;
            }
            if self.deadline.is_over() {
                return Ok(false);
            }
            if let Err(trouble) = self.fetch_outcome(&batch, tries).await {
                complete &= !stale;
                if trouble.problem.code == Code::Pending {
                    tries = 1;
                    self.voice.detail(&format!("batch {}: no outcome yet", batch.place));
                } else {
                    self.note(trouble)?;
                }
            }
        }
        Ok(complete)
    }

    async fn fetch_outcome(&mut self, batch: &BatchRow, tries: u32) -> Result<(), Trouble> {
        let fetch = async |link: &Link, size| {
            let reply = link.outcome(&batch.id, size).await?;
            Ok((reply.outcome, reply.proof.into_bytes()))
        };
        let (note, proof) = self.linked(tries, fetch).await?;
        let manifest = Manifest::parse(&self.vault.manifest(&batch.id)?)?;
        let (outcome, _) = proofs::outcome(note.as_bytes(), &proof, &manifest, &self.roster()?).map_err(Trouble::forged)?;
        let version = u32::try_from(outcome.outcome().version()).map_err(|_| Trouble::forged(Code::OutcomeInvalid))?;
        if batch.outcome.is_some_and(|have| have >= version) {
            return Ok(());
        }
        self.store(&batch.id, &outcome, version, &proof)?;
        self.report.outcomes += 1;
        let count = |is: fn(&Fate) -> bool| outcome.outcome().lines().iter().filter(|l| is(&l.fate)).count();
        let (merged, held) = (count(|f| matches!(f, Fate::Merged(_))), count(|f| matches!(f, Fate::Held(..))));
        let refused = count(|f| matches!(f, Fate::Refused(_)));
        let fields = json!({ "batch": batch.place, "version": version, "merged": merged, "held": held, "refused": refused });
        self.voice.done("outcome", fields, &format!("batch {}: {merged} merged, {held} held, {refused} refused", batch.place));
        Ok(())
    }

    /// One transaction; the contact cards of merged records are destroyed after it.
    fn store(&self, batch: &BatchId, outcome: &CheckedOutcome, version: u32, proof: &[u8]) -> Result<(), Problem> {
        let effects: Vec<_> = outcome.outcome().lines().iter().map(|l| Effect { number: l.number, fate: &l.fate }).collect();
        self.vault.store_outcome(batch, version, outcome.outcome().note().as_bytes(), proof, &effects)
    }

    /// Fetches something until its proof stands under the head that this unit has verified.
    pub(super) async fn linked<T>(
        &mut self,
        tries: u32,
        fetch: impl AsyncFn(&Link, u64) -> Result<Proven<T>, Trouble>,
    ) -> Result<Proven<T>, Trouble> {
        for _ in 0..MOVES {
            let (seen, log) = (self.vault.state()?.seen, self.roster()?.facts().log.clone());
            let (thing, proof) = self.patiently(tries, async |link| fetch(link, seen.size).await).await?;
            let head = TlogProof::parse(&proof).and_then(|p| CheckedHead::open(&p.checkpoint, &log)).map_err(Trouble::forged)?.head();
            if head == seen {
                return Ok((thing, proof));
            }
            if head.size == seen.size {
                self.keep_evidence(seen, &[&proof])?;
                return Err(Trouble::forged(Problem::new(Code::LogInconsistent, "another root at the size seen")));
            }
            self.greet().await?;
        }
        Err(Trouble::new(Source::Centre, Problem::new(Code::Pending, "its log moves on faster than it proves")))
    }
}
