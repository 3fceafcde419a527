//! One round: the six steps from proposals to answers, under a lock that one process holds at a time.

use std::path::PathBuf;

use shared::{
    id::LogIndex,
    log::{Entry, GuardLine},
    problem::{Code, Problem},
    time::Second,
};

use super::{
    Clock, Logged, Proposal, Stores,
    catch_up::{application, catch_up},
    standing::{Decision, decide},
};
use crate::{
    durable::{self, Lock},
    sabotage,
    store::{Archive, Guard, Ledger, Position, Swap, blocking},
};

/// The clock may run this far ahead of the log.
const LONGEST_SILENCE: i64 = 86_400;

/// What rounds need.
pub(super) struct Rounds<A, G, L> {
    pub(super) stores: Stores<A, G, L>,
    pub(super) lock: PathBuf,
    pub(super) clock: Clock,
}

/// What a round gave: an answer to each proposal, and where the log stands.
pub(super) struct Ended {
    pub(super) answers: Vec<Result<Logged, Problem>>,
    pub(super) position: Position,
}

/// When the clock is more than a day past the last entry, nothing is logged until a person says that the clock is right. A log
/// without a batch has nothing that a wrong clock could harm.
pub async fn clock_jump(ledger: &impl Ledger, last: Second, now: Second) -> Result<Option<Problem>, Problem> {
    let jumped = now.unix() - last.unix() > LONGEST_SILENCE && !ledger.batches_from(LogIndex(0), 1).await?.is_empty();
    Ok(jumped.then(|| Problem::new(Code::ClockJump, format!("clock {now}, log {last}"))))
}

impl<A: Archive, G: Guard, L: Ledger> Rounds<A, G, L> {
    /// Logs what can be logged. An error means that nothing of it is known to be in the log; what is in it all the
    /// same (a crash after the commit) is found by the next round, and proposing it again gives its entry.
    pub(super) async fn run(&self, proposals: &[Proposal]) -> Result<Ended, Problem> {
        let path = self.lock.clone();
        // who only looks at a disk that can only be read is in nobody's way
        let looks = proposals.is_empty() && path.parent().is_some_and(durable::is_read_only);
        let _lock = if looks { None } else { Some(blocking(move || Lock::wait(&path)).await?) };
        if sabotage::on("receipt-before-guard") {
            swap_late(&self.stores).await?;
        }
        let position = catch_up(&self.stores).await?;
        if proposals.is_empty() {
            return Ok(Ended { answers: Vec::new(), position });
        }
        let received = self.received(&position, proposals).await?;
        // 1. What each names is durable; decide what the log will say.
        let mut decisions = Vec::with_capacity(proposals.len());
        for proposal in proposals {
            decisions.push(decide(&self.stores, &position, received, proposal).await);
        }
        let mut entries = Vec::new();
        let mut answers = Vec::with_capacity(decisions.len());
        for decision in decisions {
            answers.push(decision.map(|decision| match decision {
                Decision::There(logged) => logged,
                Decision::Entry(body) => {
                    let index = LogIndex(position.line.head.size + entries.len() as u64);
                    let entry = Entry { received, body };
                    entries.push(entry.to_bytes());
                    Logged { index, entry }
                }
            }));
        }
        let position = if entries.is_empty() { position } else { self.commit(position, entries).await? };
        Ok(Ended { answers, position })
    }

    /// Log time never goes back.
    async fn received(&self, position: &Position, proposals: &[Proposal]) -> Result<Second, Problem> {
        let now = (self.clock)();
        let confirmed = proposals.iter().all(|p| matches!(p, Proposal::TimeConfirmed));
        match clock_jump(&self.stores.ledger, position.received, now).await? {
            Some(problem) if !confirmed => Err(problem),
            _ => Ok(now.max(position.received)),
        }
    }

    async fn commit(&self, position: Position, entries: Vec<Vec<u8>>) -> Result<Position, Problem> {
        let Stores { archive, guard, ledger } = &self.stores;
        let segment = ledger.lead_on(position.line.head, entries).await?;
        let (size, bytes) = (segment.new.size, segment.to_bytes());
        let application = application(archive, &bytes).await?;
        // 2. A crash after this leaves an orphan that nobody follows.
        let blob = archive.put_segment(size, bytes).await?;
        // 3. The commit point. A crash before it: nothing happened. After it: the next `catch_up` follows the segment.
        if !sabotage::on("receipt-before-guard") {
            swap(guard, position.line, GuardLine { head: segment.new, segment: blob }).await?;
        }
        // 4. A crash within leaves the old position, after it the new one.
        ledger.apply(application).await
        // 5. and 6. are the caller's: sign what the guard holds, then answer.
    }
}

/// Broken on purpose: the guard learns of the last round when the next one begins; receipts have left meanwhile.
async fn swap_late<A: Archive, G: Guard, L: Ledger>(stores: &Stores<A, G, L>) -> Result<(), Problem> {
    let position = stores.ledger.position().await?;
    match stores.guard.read().await? {
        Some(behind) if behind.head != position.line.head => {
            tokio::time::sleep(std::time::Duration::from_secs(2)).await;
            swap(&stores.guard, behind, position.line).await
        }
        _ => Ok(()),
    }
}

async fn swap(guard: &impl Guard, old: GuardLine, new: GuardLine) -> Result<(), Problem> {
    let found = match guard.swap(Some(old), new).await {
        Ok(Swap::Done) => return Ok(()),
        Ok(Swap::Other(found)) => found,
        // The answer is unknown. Nothing happened, or what a read shows may not be durable: only a swap says so.
        Err(unknown) => match guard.read().await? {
            Some(same) if same == old => return Err(unknown),
            Some(mine) if mine == new => match guard.swap(Some(old), new).await? {
                Swap::Done => return Ok(()),
                Swap::Other(found) => found,
            },
            found => found,
        },
    };
    let found = found.map_or_else(|| "nothing".to_owned(), |line| line.head.to_string());
    Err(Problem::new(Code::GuardConflict, format!("the guard holds {found}, expected {}", old.head)))
}
