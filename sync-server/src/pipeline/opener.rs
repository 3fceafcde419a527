//! Logged batch → what its records say: the only stage that reads personal data.
//!
//! For each record line, in this order; the first that fails decides, and only for this line:
//!
//! 1. the line's size is within what one record may cost;
//! 2. its slice of the archived payload has the signed digest (`record-digest`);
//! 3. the age header names two recipients of the kind that the line's roster demands (`not-age`, `recipients-wrong`);
//! 4. the line's roster has the form (`form-unknown`);
//! 5. [`shared::seal::open`] within the signed limits: decrypt, unpack, parse, inside = line;
//! 6. the form holds for the content and for the headers of its images (`form-invalid`, `image-invalid`, …).
//!
//! **Trust:** manifest and payload come from the archive of this centre's own log; their signer may be hostile.
//! **Invariants:** a verdict rests on signed bytes only. What may be this centre's own fault (a rotten archive, a
//! missing identity or form file) is an error and tried again, never a verdict, because a verdict is final. Opening
//! takes its memory from one budget; what was readable is wiped before the next record is read.

mod known;

use std::sync::Arc;

use shared::{
    batch::{Manifest, RecordLine},
    form::Form,
    id::{Blob, RosterVersion, SealedDigest},
    keys::{KeyId, KeyRef},
    merge::Essence,
    problem::{Code, Problem},
    roster::TrustedRoster,
    seal::{self, Expected, Identity, Limits},
};
use tokio::sync::Semaphore;

use self::known::Known;
use crate::{
    registry::{Delivery, Found, OpenedBatch, record_key},
    store::{Archive, BatchFacts, Ledger},
};

/// Memory for opening, in bytes, when nothing else is configured.
pub const BUDGET: u64 = 256 << 20;
/// Attempts that may break off before a record counts as unopened.
pub const ATTEMPTS: u64 = 3;
/// The budget is counted in these.
const UNIT: u64 = 1024;

/// Opens the records of logged batches. Clones share the budget.
#[derive(Clone)]
pub struct Opener<A, L> {
    archive: A,
    known: Known<A, L>,
    identities: Arc<Vec<Identity>>,
    budget: Arc<Semaphore>,
    units: u32,
}

/// A line with what opening it needs.
struct Job {
    expected: Expected,
    form: Arc<Form>,
}

/// Refused for good by what was signed, or not decided because of something here.
enum Stop {
    Refused(Code),
    Failed(Problem),
}

impl<A: Archive, L: Ledger> Opener<A, L> {
    /// With the working identity and those retired; `budget` in bytes.
    pub fn new(archive: A, ledger: L, identities: Vec<Identity>, budget: u64) -> Self {
        let units = u32::try_from(budget.div_ceil(UNIT)).unwrap_or(u32::MAX / 2).max(1);
        let known = Known::new(archive.clone(), ledger, identities.iter().map(Identity::recipient).collect());
        Self { archive, known, identities: Arc::new(identities), budget: Arc::new(Semaphore::new(units as usize)), units }
    }

    /// Opens every record line of a batch. An error says that nothing was decided: try again later.
    pub async fn open(&self, batch: &BatchFacts, attempts: u64) -> Result<OpenedBatch, Problem> {
        let manifest = Manifest::parse(&self.archive.get(batch.manifest).await?)?;
        let facts = manifest.facts();
        let roster = self.known.roster(facts.roster).await?;
        let unit = roster.facts().unit(&facts.unit, facts.place.epoch).ok_or(Code::EpochUnknown)?;
        let mut deliveries: Vec<Delivery> = Vec::with_capacity(facts.lines.len());
        let lines = (0_u64..).zip(&facts.lines).filter_map(|(n, line)| match line {
            shared::batch::Line::Record(record) => Some((n, record)),
            shared::batch::Line::Withdrawn(_) => None,
        });
        let mut before = None;
        for ((position, line), (start, _)) in lines.zip(facts.records_at()) {
            let found = match self.line(batch, line, start).await {
                Ok(essence) => Found::AsSigned(Box::new(essence)),
                Err(Stop::Refused(code)) => Found::Refused(code),
                Err(Stop::Failed(problem)) if problem.code == Code::Unopened && attempts + 1 >= ATTEMPTS => {
                    tracing::error!(batch = %batch.id, number = %line.facts.number, "a record breaks off whenever it is opened");
                    Found::Unopened
                }
                Err(Stop::Failed(problem)) => return Err(problem),
            };
            deliveries.push(delivery(batch, position, line, before, found));
            before = Some((line.facts.seen, line.facts.roster));
        }
        Ok(OpenedBatch { batch: batch.id, unit_key: KeyRef::from(&unit.key), deliveries })
    }

    async fn line(&self, batch: &BatchFacts, line: &RecordLine, start: u64) -> Result<Essence, Stop> {
        let roster = self.known.roster(line.facts.roster).await.map_err(Stop::Failed)?;
        // 1. size
        let limits = Limits::default();
        if line.facts.size > limits.sealed || line.facts.plain > limits.plain {
            return Err(Stop::Refused(Code::RecordTooLarge));
        }
        // sealed, what age gives, what zstd gives
        let cost = 2 * line.facts.size + line.facts.plain;
        let units = u32::try_from(cost.div_ceil(UNIT)).unwrap_or(self.units).min(self.units);
        let permit = self.budget.clone().acquire_many_owned(units).await;
        let permit = permit.map_err(|_| Stop::Failed(Problem::new(Code::Busy, "the opener is closing")))?;
        // 2. digest, 3. header: before the form, so that a code does not depend on what this centre knows
        let sealed = self.slice(batch, line, start).await?;
        let kind = roster.facts().recipients.working.kind();
        seal::check_header(&sealed[..sealed.len().min(seal::header::MAX_HEADER)], kind).map_err(|p| Stop::Refused(p.code))?;
        // 4. form
        let form = self.form(line, &roster).await?;
        self.known.can_open(&roster).map_err(Stop::Failed)?;
        let job = Job { expected: expected(batch, line, form.pad()), form };
        let identities = self.identities.clone();
        // 5. open, 6. form; a panic there is this software's fault and decides nothing yet
        let work = tokio::task::spawn_blocking(move || {
            let done = essence(&sealed, &job, &identities, &limits);
            drop(permit);
            done
        });
        work.await.unwrap_or_else(|_| Err(Stop::Failed(Problem::new(Code::Unopened, line.facts.number.to_string()))))
    }

    /// Reads the line's slice. Wrong bytes are the unit's only if the payload as a whole is still the one it signed.
    async fn slice(&self, batch: &BatchFacts, line: &RecordLine, start: u64) -> Result<Vec<u8>, Stop> {
        let payload = Blob::from_bytes(*batch.payload.as_bytes());
        let size = usize::try_from(line.facts.size).expect("at most 16 MiB");
        let sealed = self.archive.range(payload, start, size).await.map_err(Stop::Failed)?;
        if SealedDigest::of(&sealed) == line.facts.digest {
            return Ok(sealed);
        }
        self.archive.verify(payload).await.map_err(Stop::Failed)?;
        Err(Stop::Refused(Code::RecordDigest))
    }

    async fn form(&self, line: &RecordLine, roster: &TrustedRoster) -> Result<Arc<Form>, Stop> {
        let named = roster.facts().form(&line.facts.form).ok_or(Stop::Refused(Code::FormUnknown))?;
        self.known.form(named).await.map_err(Stop::Failed)
    }
}

fn expected(batch: &BatchFacts, line: &RecordLine, pad: u64) -> Expected {
    let facts = &line.facts;
    Expected {
        sealed_size: facts.size,
        plain: facts.plain,
        pad,
        record_id: facts.record,
        unit: batch.unit.clone(),
        agent: facts.agent.clone(),
        transaction: facts.transaction,
        form: facts.form.clone(),
        finished: facts.finished,
    }
}

fn delivery(batch: &BatchFacts, position: u64, line: &RecordLine, before: Option<(u64, RosterVersion)>, found: Found) -> Delivery {
    let facts = &line.facts;
    let id: KeyId = line.key_id();
    Delivery {
        line: position,
        key: record_key(&batch.unit, facts.record, facts.digest),
        number: facts.number,
        finished: facts.finished,
        seen: facts.seen,
        roster: facts.roster,
        before,
        agent_key: KeyRef { name: (&facts.agent).into(), id },
        found,
    }
}

fn essence(sealed: &[u8], job: &Job, identities: &[Identity], limits: &Limits) -> Result<Essence, Stop> {
    let judged = |problem: Problem| match problem.code {
        // nothing here reads a file: this can't be a verdict on the record
        Code::IoFailed => Stop::Failed(problem),
        code => Stop::Refused(code),
    };
    let opened = seal::open(sealed, &job.expected, identities, limits).map_err(judged)?;
    let parts: Vec<&[u8]> = opened.parts().map(|(_, bytes)| bytes).collect();
    job.form.check(opened.content(), &parts).map_err(judged)?;
    Ok(Essence::of(opened.content()))
}
