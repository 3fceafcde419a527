//! Sending: each batch without a receipt, oldest first, from the offset that is durable at the centre.
//!
//! 1. announce (again, unless the answer wants its payload: announcing twice is the same as once; what is not there after all is
//!    announced again)
//! 2. ask for the offset 3. stream the payload from there, record by record, out of the vault
//! 4. only the offset that the centre answers counts; after a break go on at 2
//!
//! **Invariants:** never more than one record and four pieces of a payload in memory; a batch that the
//! centre refuses is set aside with the code, and the next one goes.

use std::time::Duration;

use shared::{
    batch::Manifest,
    problem::{Code, Problem},
};
use tokio::{pin, select, sync::mpsc, time::timeout};

use super::{
    Run, is_final, is_stale,
    link::{Announced, STALL, Source, Trouble},
    patience::{pause_for_rate, piece},
};
use crate::{clock::Steady, vault::outbox::BatchRow};

/// How often a payload starts again from nothing in one run.
const RESTARTS: u32 = 2;

/// How long a run whose time is over waits for the centre to say what arrived.
const LAST_WORD: Duration = Duration::from_secs(5);

/// Why no more pieces were handed over.
enum Fed {
    /// All of them were, or the other side has its answer already.
    All,
    /// The line took none for too long, or the run is over.
    Stopped,
}

/// What kept a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// Something about it, or a busy centre.
    OfThisBatch,
    /// The way to the centre.
    OnTheWay,
}

impl Run<'_> {
    /// Sends what waits.
    pub(super) async fn send_all(&mut self) -> Result<(), Trouble> {
        for batch in self.vault.waiting()? {
            if self.deadline.is_over() {
                break;
            }
            if !self.options.again && is_refused_for_good(&batch) {
                self.report.refused += 1;
                if let Some(problem) = &batch.problem {
                    self.voice.aside(batch.place, problem);
                }
                continue;
            }
            let Err(mut trouble) = self.send(&batch).await else { continue };
            if is_stale(&trouble) {
                self.greet().await?;
                let Err(again) = self.send(&batch).await else { continue };
                trouble = again;
            }
            if self.set_aside(&batch, trouble)? == Fault::OnTheWay && !self.deadline.is_over() {
                // is it the way to the centre, or only this batch? A hello tells
                self.greet().await?;
            }
        }
        Ok(())
    }

    /// Notes what kept a batch.
    fn set_aside(&mut self, batch: &BatchRow, mut trouble: Trouble) -> Result<Fault, Trouble> {
        if trouble.source == Source::Centre && speaks_of_bytes(trouble.problem.code) && self.is_whole(batch)? {
            // what came there is not what left here: the way changed it, and the same goes again by itself
            let detail = format!("{}: the centre got other bytes than those that were signed here", trouble.problem.code);
            trouble = Trouble::new(Source::Way, Problem::new(Code::ServerUnreachable, detail));
        }
        let fault = if trouble.source == Source::Way { Fault::OnTheWay } else { Fault::OfThisBatch };
        if trouble.source == Source::Centre && !trouble.is_temporary() {
            self.vault.set_aside(&batch.id, &trouble.problem)?;
            self.report.refused += 1;
            self.voice.aside(batch.place, &trouble.problem);
        }
        if trouble.source == Source::Here && trouble.problem.code == Code::VaultDamaged {
            // this one batch is rotten here; the others are not
            self.vault.set_aside(&batch.id, &trouble.problem)?;
            trouble.source = Source::Forged;
        }
        let detail = std::mem::take(&mut trouble.problem.detail);
        trouble.problem.detail =
            if detail.is_empty() { format!("batch {}", batch.place) } else { format!("batch {}: {detail}", batch.place) };
        self.note(trouble)?;
        Ok(fault)
    }

    async fn send(&mut self, batch: &BatchRow) -> Result<(), Trouble> {
        let wanted = self.answer.as_ref().is_some_and(|a| a.want.iter().any(|(place, _)| *place == batch.place));
        if wanted {
            match self.send_announced(batch, true).await {
                // known by name, gone in fact
                Err(trouble) if trouble.source == Source::Centre && trouble.problem.code == Code::NotFound => {}
                other => return other,
            }
        }
        self.send_announced(batch, false).await
    }

    async fn send_announced(&mut self, batch: &BatchRow, announced: bool) -> Result<(), Trouble> {
        // 1.
        let mut fresh = false;
        if !announced {
            let manifest = self.vault.manifest(&batch.id)?;
            let announced = self.patiently(u32::MAX, async |link| link.announce(&manifest).await).await?;
            fresh = announced == Announced::New;
        }
        self.vault.announced(&batch.id)?;
        if batch.payload == 0 {
            return Ok(());
        }
        let from = if fresh { 0 } else { self.offset(batch).await? };
        self.vault.sent(&batch.id, from)?;
        if from >= batch.payload {
            return Ok(()); // arrived in an earlier run
        }
        self.send_payload(batch, from).await
    }

    /// 2. What the centre has; it counts here too from now on.
    async fn offset(&self, batch: &BatchRow) -> Result<u64, Trouble> {
        let offset = self.patiently(u32::MAX, async |link| link.offset(&batch.id).await).await?;
        if offset > batch.payload {
            return Err(Trouble::new(Source::Centre, Problem::new(Code::OffsetWrong, "beyond the end")));
        }
        Ok(offset)
    }

    async fn send_payload(&mut self, batch: &BatchRow, mut from: u64) -> Result<(), Trouble> {
        let (mut failures, mut restarts) = (0, 0);
        loop {
            self.voice.sending(batch.place, from, batch.payload);
            // 3.
            let failed = match self.upload(batch, from).await {
                Ok(offset) => {
                    from = self.count(batch, from, offset)?;
                    if from >= batch.payload {
                        self.report.sent_batches += 1;
                        self.voice.batch(batch.place, "sent", from, batch.payload);
                        return Ok(());
                    }
                    Trouble::new(Source::Way, Problem::new(Code::ServerUnreachable, "the upload ended early"))
                }
                Err(failed) if failed.is_temporary() && !is_stale(&failed) => failed,
                Err(refused) => return Err(refused),
            };
            if failed.problem.code == Code::PayloadCorrupt {
                restarts += 1;
                self.own_copy_is_whole(batch)?;
                if restarts > RESTARTS {
                    return Err(failed);
                }
            }
            if self.deadline.is_over() {
                // what arrived in this run is told; nobody waits long for it
                if let Ok(Ok(durable)) = timeout(LAST_WORD, self.link.offset(&batch.id)).await {
                    self.count(batch, from, durable)?;
                }
                return Err(failed);
            }
            self.pause(&mut failures, u32::MAX, failed).await?;
            // 4.
            let durable = self.offset(batch).await?;
            if durable > from {
                failures = 0; // slow is not stuck
            }
            from = self.count(batch, from, durable)?;
            if from >= batch.payload {
                self.report.sent_batches += 1;
                return Ok(());
            }
        }
    }

    fn count(&mut self, batch: &BatchRow, before: u64, durable: u64) -> Result<u64, Trouble> {
        if durable > batch.payload {
            return Err(Trouble::new(Source::Centre, Problem::new(Code::OffsetWrong, "beyond the end")));
        }
        self.vault.sent(&batch.id, durable)?;
        self.report.sent_bytes += durable.saturating_sub(before);
        Ok(durable)
    }

    /// One PATCH, fed from the vault as fast as line and rate allow.
    async fn upload(&self, batch: &BatchRow, from: u64) -> Result<u64, Trouble> {
        let (sender, pieces) = mpsc::channel(4);
        let request = self.link.upload(&batch.id, from, batch.payload, pieces);
        pin!(request);
        let fed = select! {
            biased;
            answered = &mut request => return answered,
            fed = self.feed(batch, from, sender) => fed?,
        };
        let over = self.deadline.is_over();
        let why = if over { "the time of this run is over: the next one goes on from there" } else { "the upload stalled" };
        let slow = || Trouble::new(Source::Way, Problem::new(Code::TooSlow, why));
        match fed {
            Fed::All => timeout(STALL, request).await.map_err(|_| slow())?,
            // dropping the request closes the line; the centre keeps what arrived
            Fed::Stopped => Err(slow()),
        }
    }

    async fn feed(&self, batch: &BatchRow, from: u64, sender: mpsc::Sender<Vec<u8>>) -> Result<Fed, Problem> {
        let (begun, mut at) = (Steady::now(), from);
        while at < batch.payload {
            let bytes = self.vault.payload(&batch.id, at, piece(self.options.rate))?;
            if bytes.is_empty() {
                return Err(Problem::new(Code::VaultDamaged, "the payload ends early"));
            }
            at += bytes.len() as u64;
            match timeout(STALL.min(self.deadline.left()), sender.send(bytes)).await {
                Err(_) => return Ok(Fed::Stopped),
                Ok(_) if self.deadline.is_over() => return Ok(Fed::Stopped),
                Ok(Err(_)) => return Ok(Fed::All),
                Ok(Ok(())) => self.voice.gone(at),
            }
            let pause = pause_for_rate(at - from, begun.elapsed(), self.options.rate);
            tokio::time::sleep(pause.min(self.deadline.left())).await;
        }
        Ok(Fed::All)
    }

    /// Are manifest and payload those that this unit has signed? A batch of an older key counts by its digests.
    fn is_whole(&self, batch: &BatchRow) -> Result<bool, Problem> {
        let manifest = Manifest::parse(&self.vault.manifest(&batch.id)?)?;
        let state = self.vault.state()?;
        let own = Some(manifest.facts().place.epoch) == state.epoch;
        let signed = !own || manifest.note().signed_by([&state.key]).is_ok_and(|by| !by.is_empty());
        Ok(signed && manifest.id() == batch.id && self.payload_is_whole(batch, &manifest)?)
    }

    fn payload_is_whole(&self, batch: &BatchRow, manifest: &Manifest) -> Result<bool, Problem> {
        match self.vault.read_payload(&batch.id, batch.payload, |_| Ok(())) {
            Ok(digest) => Ok(digest == manifest.facts().payload),
            Err(problem) if problem.code == Code::VaultDamaged => Ok(false),
            Err(problem) => Err(problem),
        }
    }

    /// After the centre found other bytes than the manifest signs: is it this disk, or the way?
    fn own_copy_is_whole(&self, batch: &BatchRow) -> Result<(), Trouble> {
        let manifest = Manifest::parse(&self.vault.manifest(&batch.id)?)?;
        if self.payload_is_whole(batch, &manifest)? {
            return Ok(());
        }
        Err(Problem::new(Code::VaultDamaged, "the payload is not the one that was signed").into())
    }
}

/// Refusals that say that what came is not what somebody signed.
fn speaks_of_bytes(code: Code) -> bool {
    matches!(
        code,
        Code::SignatureInvalid
            | Code::RecordSignature
            | Code::NoteMalformed
            | Code::TextMalformed
            | Code::ManifestInvalid
            | Code::PayloadCorrupt
            | Code::LengthWrong
    )
}

/// Refused for good before, and nothing has changed since: the same bytes get the same answer.
fn is_refused_for_good(batch: &BatchRow) -> bool {
    // what is not there can be announced again
    let for_good = |problem: &Problem| problem.code == Code::VaultDamaged || (is_final(problem) && problem.code != Code::NotFound);
    batch.problem.as_ref().is_some_and(for_good)
}
