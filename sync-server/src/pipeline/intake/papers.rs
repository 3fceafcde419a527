//! What a unit takes home: receipts, outcomes, rosters and forms, with their proofs.
//!
//! **Invariants:** every proof leads to a head that is under the guard. What is pending is `pending`, what was never
//! announced here `not-found`.

use shared::{
    id::{BatchId, Blob, LogIndex, RosterVersion},
    problem::{Code, Problem},
};

use super::Intake;
use crate::{
    pipeline::clock_jump,
    store::{Archive, Ledger, RosterFacts, Staging},
};

/// A signed note and the proof that the log names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proven {
    /// The note's bytes.
    pub note: Vec<u8>,
    /// tlog-proof of its entry.
    pub proof: Vec<u8>,
}

/// Rosters that lead from one version to the newest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RosterPapers {
    /// The newest version.
    pub newest: RosterVersion,
    /// Links, then the newest; empty when there is none newer.
    pub rosters: Vec<Proven>,
}

impl<S: Staging, A: Archive, L: Ledger> Intake<S, A, L> {
    /// A batch's receipt: the tlog-proof of its entry, under the log of `size` entries if that holds it.
    pub async fn receipt(&self, batch: BatchId, size: Option<u64>) -> Result<Vec<u8>, Problem> {
        match self.inner.parts.ledger.batch(batch).await? {
            Some(logged) => self.proof_of(logged.index, size).await,
            None => Err(self.pending(batch).await?),
        }
    }

    /// A batch's newest outcome.
    pub async fn outcome(&self, batch: BatchId, size: Option<u64>) -> Result<Proven, Problem> {
        let ledger = &self.inner.parts.ledger;
        if let Some(outcome) = ledger.outcome(batch).await? {
            return Ok(Proven { proof: self.proof_of(outcome.index, size).await?, note: outcome.note });
        }
        if ledger.batch(batch).await?.is_some() {
            return Err(Problem::new(Code::Pending, "outcome"));
        }
        Err(self.pending(batch).await?)
    }

    /// Rosters after a version: those that change the signers, then the newest. After 0 the first one stands before
    /// them, because a new unit knows only the key that signed it.
    pub async fn rosters_after(&self, after: u64, size: Option<u64>) -> Result<RosterPapers, Problem> {
        let ledger = &self.inner.parts.ledger;
        let newest = ledger.newest_roster().await?.ok_or(Code::NoRoster)?;
        let mut rosters = Vec::new();
        if newest.version.0 > after {
            for version in self.inner.rosters.links(ledger, after, newest.version).await? {
                let link = ledger.roster(version).await?.ok_or_else(|| Problem::new(Code::DatabaseFailed, format!("roster {version}")))?;
                rosters.push(self.proven(link, size).await?);
            }
            rosters.push(self.proven(newest.clone(), size).await?);
        }
        Ok(RosterPapers { newest: newest.version, rosters })
    }

    /// A form in force by the newest roster, or by any before it: named by its digest, so never another one.
    pub async fn form(&self, form: Blob) -> Result<Vec<u8>, Problem> {
        let ledger = &self.inner.parts.ledger;
        let newest = ledger.newest_roster().await?.ok_or(Code::NoRoster)?;
        if self.inner.rosters.had_form(ledger, form, newest.version).await? {
            return self.inner.parts.archive.get(form).await;
        }
        // The archive holds more than forms: nothing else is handed out by its digest.
        Err(Problem::new(Code::NotFound, "form"))
    }

    async fn proven(&self, roster: RosterFacts, size: Option<u64>) -> Result<Proven, Problem> {
        Ok(Proven { proof: self.proof_of(roster.index, size).await?, note: roster.note })
    }

    async fn proof_of(&self, index: LogIndex, size: Option<u64>) -> Result<Vec<u8>, Problem> {
        // Asked for after the entry was found, so the head covers it.
        let published = self.head_with(index, size).await?;
        Ok(published.prove(&self.inner.parts.ledger, index).await?.to_bytes())
    }

    /// Announced but not logged, or never heard of.
    async fn pending(&self, batch: BatchId) -> Result<Problem, Problem> {
        self.standing(batch).await?;
        let parts = &self.inner.parts;
        let last = parts.ledger.position().await?.received;
        Ok(match clock_jump(&parts.ledger, last, (parts.clock)()).await? {
            Some(stopped) => Problem::new(Code::Pending, format!("receipt; the centre logs nothing: {stopped}")),
            None => Problem::new(Code::Pending, "receipt"),
        })
    }
}
