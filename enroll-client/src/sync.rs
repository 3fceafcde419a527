//! Sync: everything that goes to the centre and comes back from it, over the network.
//!
//! ```text
//! hello ──▶ answer: the log goes on from what we have seen (checked, then written)
//! batches, oldest first: announce ──▶ resume at the offset that is durable there ──▶ receipt
//! outcomes ──▶ rosters and their forms ──▶ once more from the hello, when a roster has put a new key of this unit in force
//! ```
//! | file | step |
//! |---|---|
//! | `link` | HTTP, its limits and timeouts |
//! | `patience` | pauses, rate, window, the end of the run |
//! | `greet` | hello and answer, consistency of the log, evidence when it has none |
//! | `send` | announcing, and payloads piece by piece from the vault |
//! | `fetch` | receipts and outcomes, each proven under the head that was checked |
//! | `rosters` | rosters and forms |
//! | `voice` | what a person and a script see of it |
//!
//! **Trust:** the centre is believed in nothing that it can prove: answers are signed for this very hello,
//! receipts and outcomes stand in a log that extends the one seen before. **Invariants:** nothing is
//! written before it was checked; a batch that is stuck or refused never blocks the next; nothing is ever
//! deleted here but contact cards of merged records; needs the machine secret and nobody's passphrase.

pub mod link;
pub mod patience;
pub mod voice;
mod fetch;
mod greet;
mod rosters;
mod send;
#[cfg(test)]
mod tests;

use std::time::Duration;

use serde_json::json;
use shared::{
    hello::AnswerFacts,
    problem::{Again, Code, Problem},
    roster::TrustedRoster,
};

pub use self::greet::evidence;
use self::{
    link::{Link, Source, Trouble},
    patience::{Backoff, Deadline},
    voice::Voice,
};
use crate::{
    entropy,
    vault::{SyncSession, Vault, machine::UnitKeys},
};

/// How this software names itself to the centre.
pub const SOFTWARE: &str = concat!("enroll-client/", env!("CARGO_PKG_VERSION"));

/// How a run behaves.
#[derive(Debug, Clone)]
pub struct Options {
    /// Most bytes a second that are sent.
    pub rate: Option<u64>,
    /// How long the run may last.
    pub lasting: Duration,
    /// How to try again.
    pub backoff: Backoff,
    /// Offers batches again that the centre has refused for good.
    pub again: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { rate: None, lasting: Duration::from_mins(10), backoff: Backoff::USUAL, again: false }
    }
}

/// What a run did, counted.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Report {
    /// Batches whose last byte was taken in this run.
    pub sent_batches: u64,
    /// Bytes that became durable at the centre.
    pub sent_bytes: u64,
    /// Receipts stored.
    pub receipts: u64,
    /// Outcomes stored.
    pub outcomes: u64,
    /// Rosters stored.
    pub rosters: u64,
    /// Batches that the centre does not take.
    pub refused: u64,
    /// Batches without a receipt.
    pub waiting: u64,
    /// What went wrong on the way, and did not stop the rest.
    pub troubles: Vec<Trouble>,
}

impl Report {
    /// Something came or went.
    pub fn did_something(&self) -> bool {
        self.sent_bytes + self.sent_batches + self.receipts + self.outcomes + self.rosters > 0
    }
    /// The gravest of the troubles: what does not pass its checks, then what is refused, then the rest.
    pub fn gravest(&self) -> Option<&Trouble> {
        let weight = |t: &&Trouble| match t.source {
            Source::Forged => 3,
            Source::Here => 2,
            _ if !t.is_temporary() => 1,
            _ => 0,
        };
        self.troubles.iter().rev().max_by_key(weight)
    }
}

/// Which key of this unit says hello before a roster that is here names it.
#[derive(Debug, Clone, Copy)]
struct Joining {
    epoch: u32,
    key: Which,
}

/// The present key or the one that is to follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Which {
    Present,
    Next,
}

/// A run under way.
pub struct Run<'a> {
    vault: &'a Vault,
    keys: UnitKeys,
    options: &'a Options,
    voice: &'a Voice<'a>,
    deadline: Deadline,
    link: Link,
    answer: Option<AnswerFacts>,
    /// The epoch that a roster offered gives a key of this unit, before one that is here does.
    joining: Option<Joining>,
    report: Report,
}

impl<'a> Run<'a> {
    /// Prepares a run; only one at a time, so it takes the session.
    pub fn new(vault: &'a Vault, _: &'a SyncSession, options: &'a Options, voice: &'a Voice<'a>) -> Result<Self, Problem> {
        let (state, keys) = (vault.state()?, vault.unit_keys()?);
        let link = Link::new(&state.server, state.ca.as_deref())?;
        let deadline = Deadline::of(options.lasting);
        Ok(Self { vault, keys, options, voice, deadline, link, answer: None, joining: None, report: Report::default() })
    }

    /// Does all that can be done now. An error means that nothing could be: what was done before it is
    /// stored all the same, and a second run goes on from there.
    pub async fn run(mut self) -> Result<Report, Trouble> {
        self.join().await?;
        match self.greet().await {
            Ok(()) => self.exchange().await?,
            // what the centre says of the old key is no reason not to hear of the new one
            Err(trouble) if self.keys.next.is_some() && trouble.source == Source::Centre && !trouble.is_temporary() => {
                self.look_for_newer_rosters().await?;
                if self.vault.state()?.next.is_some() {
                    return Err(trouble);
                }
            }
            Err(trouble) => return Err(trouble),
        }
        if self.has_new_key()? {
            self.greet().await?;
            self.exchange().await?;
        }
        self.report.waiting = self.vault.waiting()?.len() as u64;
        Ok(self.report)
    }

    /// What follows a hello.
    async fn exchange(&mut self) -> Result<(), Trouble> {
        if self.link.has_token()
            && let Err(trouble) = self.send_all().await
        {
            self.note(trouble)?;
        }
        if self.link.has_token()
            && let Err(trouble) = self.fetch_all().await
        {
            self.note(trouble)?;
        }
        if let Err(trouble) = self.take_newer_rosters().await {
            self.note(trouble)?;
        }
        Ok(())
    }

    /// Takes the new key up when a roster that came in this run has put it in force.
    fn has_new_key(&mut self) -> Result<bool, Problem> {
        if *self.keys.signer.public() == self.vault.state()?.key {
            return Ok(false);
        }
        self.keys = self.vault.unit_keys()?;
        self.joining = None;
        // these spoke of the old one
        self.report.troubles.retain(|t| !matches!(t.problem.code, Code::Frozen | Code::VaultRewound | Code::EpochNeeded | Code::Revoked));
        self.link.take_token(None);
        self.voice.done(
            "key",
            json!({ "key": self.keys.signer.public(), "fingerprint": self.keys.signer.public().fingerprint() }),
            "the new key of this unit is in force",
        );
        Ok(true)
    }

    fn roster(&self) -> Result<TrustedRoster, Trouble> {
        Ok(self.vault.demand_roster()?)
    }

    /// Notes a trouble that stops one thing, not the rest. What stops everything is handed on.
    fn note(&mut self, trouble: Trouble) -> Result<(), Trouble> {
        let grave = trouble.source == Source::Here || trouble.problem.code == Code::LogInconsistent;
        if grave {
            return Err(trouble);
        }
        self.voice.trouble(&trouble);
        self.report.troubles.push(trouble);
        Ok(())
    }

    /// Does one thing until it succeeds, is refused, or the patience of this run is at its end.
    async fn patiently<T>(&self, tries: u32, act: impl AsyncFn(&Link) -> Result<T, Trouble>) -> Result<T, Trouble> {
        let mut n = 0;
        loop {
            match act(&self.link).await {
                Err(trouble) if trouble.is_temporary() && !is_stale(&trouble) => self.pause(&mut n, tries, trouble).await?,
                other => return other,
            }
        }
    }

    /// Waits before try `n + 1`; hands the trouble back when there is none.
    async fn pause(&self, n: &mut u32, tries: u32, trouble: Trouble) -> Result<(), Trouble> {
        let draw = u32::from_le_bytes(entropy::bytes()?);
        let pause = self.options.backoff.pause(*n, draw, trouble.after);
        *n += 1;
        if *n >= tries.min(self.options.backoff.tries) || pause >= self.deadline.left() {
            return Err(trouble);
        }
        self.voice.detail(&format!("{}; again in {} s", trouble.problem, pause.as_secs()));
        tokio::time::sleep(pause).await;
        Ok(())
    }
}

/// The session with the centre is over: only a new hello helps.
fn is_stale(trouble: &Trouble) -> bool {
    matches!(trouble.problem.code, Code::TokenInvalid | Code::HelloFirst)
}

/// The centre will never take these bytes.
fn is_final(problem: &Problem) -> bool {
    problem.row().again == Again::Never
}
