//! What commands that show personal data share: who asks, the centre opened, the access recorded before the answer.
//!
//! **Invariants:** of this folder only this file reads residents, cases and what records say; it gives them away as [`Recorded`],
//! which nothing makes but writing the access record. What names nobody comes from [`Provenance`].

use std::collections::BTreeSet;

use clap::Args;
use shared::{
    decision::{DecisionLine, RecordKey},
    id::{BatchId, CaseRef, LogIndex, RecordId, ResidentRef},
    keys::KeyRef,
    merge::Resident,
    problem::Problem,
};

use super::{Global, admit::open};
use crate::{
    access::{
        self, Access,
        personal::{Recorded, Unrecorded},
    },
    centre::Centre,
    clock, durable,
    pipeline::{Idle, Sequencer},
    registry::{About, BatchCase, Case, CaseContent, DecidedLine, Filter, Hint, Page, Registry as _, Search, Shared, Signed, Trace},
    rules::{Advanced, decisions::Needs},
    store::{ledger_sqlite::LedgerSqlite, registry_sqlite::RegistrySqlite},
};

/// Why somebody looks.
#[derive(Debug, Clone, Args)]
pub struct Reason {
    /// Why you look: kept for the auditors, encrypted, before anything is shown
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

/// What the registry says that names nobody: keys, digests, codes, references.
#[derive(Clone)]
pub struct Provenance(RegistrySqlite);

impl Provenance {
    /// Of a centre.
    pub fn of(centre: &Centre) -> Self {
        Self(RegistrySqlite::new(centre.db.clone()))
    }
    /// Every delivery of a record id.
    pub async fn trace(&self, record: RecordId) -> Result<Vec<Trace>, Problem> {
        self.0.trace(record).await
    }
    /// Held records of a case, and one about which a decision waits.
    pub async fn case(&self, reference: &CaseRef) -> Result<Vec<RecordKey>, Problem> {
        let held = self.0.case(reference.clone()).await?;
        if !held.is_empty() {
            return Ok(held);
        }
        let (waiting, _) = self.0.cases(Filter { waits: true, ..Filter::default() }, Page { skip: 0, limit: u64::from(u32::MAX) }).await?;
        Ok(waiting.into_iter().filter(|case| case.reference == *reference).map(|case| case.record).collect())
    }
    /// Records with this id.
    pub async fn records_of_id(&self, record: RecordId) -> Result<Vec<RecordKey>, Problem> {
        self.0.records_of_id(record).await
    }
    /// A batch as a person is asked about it.
    pub async fn batch_case(&self, batch: BatchId) -> Result<BatchCase, Problem> {
        self.0.batch_case(batch).await
    }
    /// How many persons a line needs.
    pub async fn needs(&self, line: &DecisionLine) -> Result<Option<Needs>, Problem> {
        self.0.needs(line.clone()).await
    }
    /// Lines of logged decisions.
    pub async fn history(&self, of: About) -> Result<Vec<DecidedLine>, Problem> {
        self.0.history(of).await
    }
    /// Lines of logged decisions about a record, and about the batches that deliver it; oldest first.
    pub async fn decided(&self, record: &RecordKey) -> Result<Vec<DecidedLine>, Problem> {
        let traces = self.0.trace(record.record).await?;
        let batches: BTreeSet<BatchId> = traces.into_iter().filter(|trace| trace.key == *record).map(|trace| trace.batch).collect();
        let mut found = self.0.history(About::Record(record.clone())).await?;
        for batch in batches {
            found.extend(self.0.history(About::Batch(batch)).await?);
        }
        found.sort_by_key(|line| line.index);
        Ok(found)
    }
    /// What a key has signed from an entry on, as far as it is merged.
    pub async fn signed(&self, key: &KeyRef, from: LogIndex) -> Result<Signed, Problem> {
        self.0.signed(key.clone(), from).await
    }
    /// Folds what is logged and can be judged. The caller has the right to merge.
    pub async fn fold(&self) -> Result<Advanced, Problem> {
        loop {
            match self.0.advance().await? {
                Advanced::More => {}
                ended => return Ok(ended),
            }
        }
    }
}

/// A record with everybody whom it may concern, where it all came from, and what was decided.
pub struct Seen {
    /// Both sides.
    pub content: CaseContent,
    /// Deliveries of each side.
    pub traces: Vec<Trace>,
    /// Decisions about the record and its batches.
    pub decided: Vec<DecidedLine>,
}

/// A page of cases.
pub struct Listing {
    /// They.
    pub cases: Vec<Case>,
    /// How many fit in all.
    pub total: u64,
    /// Residents who stand under one match key.
    pub shared: Vec<Shared>,
    /// Decisions about batches that wait for a second person.
    pub batches: Vec<DecidedLine>,
}

/// A resident with the deliveries that it consists of.
pub struct Known {
    /// It.
    pub resident: Resident,
    /// Deliveries of its sources.
    pub traces: Vec<Trace>,
}

/// A centre whose registry is read by a person.
pub struct Reading {
    centre: Centre,
    sequencer: Sequencer<LedgerSqlite>,
    command: &'static str,
    reason: String,
    registry: RegistrySqlite,
}

impl Reading {
    /// Opens the centre and brings it to the guard's head: what can't be recorded is not read.
    pub async fn open(global: &Global, command: &'static str, reason: &Reason) -> Result<Self, Problem> {
        let reason = access::reason(&reason.reason)?;
        Self::of(open(global)?, command, reason).await
    }

    /// The same of a centre that is open, for a reason that the command itself gives.
    pub async fn of(centre: Centre, command: &'static str, reason: String) -> Result<Self, Problem> {
        let (sequencer, _) = centre.sequencer(Idle::Quiet).await?;
        let registry = RegistrySqlite::new(centre.db.clone());
        Ok(Self { centre, sequencer, command, reason, registry })
    }

    /// The centre.
    pub fn centre(&self) -> &Centre {
        &self.centre
    }
    /// Logs what is decided.
    pub fn sequencer(&self) -> &Sequencer<LedgerSqlite> {
        &self.sequencer
    }
    /// What names nobody.
    pub fn provenance(&self) -> Provenance {
        Provenance(self.registry.clone())
    }

    /// Residents that fit; also a search that finds nobody is on record.
    pub async fn find(&self, search: Search, most: usize) -> Result<Recorded<Vec<(ResidentRef, Resident)>>, Problem> {
        let found = self.registry.find(search, most).await?;
        self.recorded(found, |found| found.iter().map(|(reference, _)| reference.to_string()).collect()).await
    }

    /// A resident, if there is one.
    pub async fn resident(&self, reference: &ResidentRef) -> Result<Option<Recorded<Known>>, Problem> {
        let found = self.registry.resident(reference.clone()).await?;
        let found = self.recorded(found, |_| vec![reference.to_string()]).await?;
        let mut traces = Vec::new();
        for source in found.iter().flat_map(|resident| &resident.sources) {
            let of_source = self.registry.trace(source.record).await?;
            traces.extend(of_source.into_iter().find(|t| t.key == *source && is_merged(t)));
        }
        Ok(found.some().map(|resident| resident.map(|resident| Known { resident, traces })))
    }

    /// Cases that fit.
    pub async fn cases(&self, filter: Filter, page: Page) -> Result<Recorded<Listing>, Problem> {
        let whole = filter.code.is_none() && filter.unit.is_none() && page.skip == 0;
        let (cases, total) = self.registry.cases(filter, page).await?;
        let shared = if whole { self.registry.shared().await? } else { Vec::new() };
        let mut batches = if whole { self.registry.history(About::Waiting).await? } else { Vec::new() };
        batches.retain(|line| matches!(line.line.subject, shared::decision::Subject::Batch(..)));
        let subjects = |listing: &Listing| {
            let residents = listing.shared.iter().flat_map(|shared| &shared.residents).map(ToString::to_string);
            listing.cases.iter().map(|case| case.reference.to_string()).chain(residents).collect()
        };
        self.recorded(Unrecorded::read(Listing { cases, total, shared, batches }), subjects).await
    }

    /// Likeness that the fold does not judge.
    pub async fn hints(&self, most: usize) -> Result<Recorded<Vec<Hint>>, Problem> {
        let hints = self.registry.hints(most).await?;
        self.recorded(hints, |hints| hints.iter().flat_map(|h| [h.one.to_string(), h.other.to_string()]).collect()).await
    }

    /// Records with both sides, in one access record. One that is not known is left out.
    pub async fn seen(&self, records: &[RecordKey]) -> Result<Recorded<Vec<Seen>>, Problem> {
        let mut contents = Vec::with_capacity(records.len());
        for key in records {
            contents.push(self.registry.content(key.clone()).await?);
        }
        let contents = self.recorded(Unrecorded::all(contents), |contents| subjects(contents)).await?;
        let mut beside = Vec::with_capacity(contents.len());
        for content in contents.iter() {
            let mut traces = Vec::new();
            for side in std::iter::once(&content.side).chain(&content.against) {
                traces.extend(self.registry.trace(side.record.record).await?.into_iter().filter(|t| t.key == side.record));
            }
            beside.push((traces, self.provenance().decided(&content.side.record).await?));
        }
        let seen = |(content, (traces, decided))| Seen { content, traces, decided };
        Ok(contents.map(|contents| contents.into_iter().zip(beside).map(seen).collect()))
    }

    /// Records who is about to be shown, and only then gives it away.
    async fn recorded<T>(&self, read: Unrecorded<T>, subjects: impl FnOnce(&T) -> Vec<String>) -> Result<Recorded<T>, Problem> {
        let uid = rustix::process::getuid().as_raw();
        let (account, at, reason) = (account(uid), clock::now(), self.reason.clone());
        let access = Access { account, uid, at, command: self.command, reason, subjects: Vec::new() };
        let roster = self.centre.roster().await?;
        access::answer(&self.centre.stores.archive, &self.sequencer, roster.facts(), access, read, subjects).await
    }
}

fn is_merged(trace: &Trace) -> bool {
    matches!(trace.fate, Some(shared::outcome::Fate::Merged(_)))
}

/// Cases and residents whom the answer shows.
fn subjects(contents: &[CaseContent]) -> Vec<String> {
    let of_one = |content: &CaseContent| {
        let sides = std::iter::once(&content.side).chain(&content.against);
        let cases = sides.map(|side| CaseRef::holding(&side.record.unit, side.record.record).to_string());
        cases.chain(content.residents.iter().map(|(reference, _)| reference.to_string())).collect::<Vec<_>>()
    };
    let mut all: Vec<String> = contents.iter().flat_map(of_one).collect();
    all.sort();
    all.dedup();
    all
}

/// The account's name, as the operating system's own list has it.
fn account(uid: u32) -> String {
    let list = durable::read(std::path::Path::new("/etc/passwd")).ok().flatten().unwrap_or_default();
    let list = String::from_utf8_lossy(&list);
    let named = list.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, _, number) = (fields.next()?, fields.next()?, fields.next()?);
        (number.parse() == Ok(uid)).then(|| name.to_owned())
    });
    named.unwrap_or_else(|| format!("uid-{uid}"))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    /// No other command may read the registry past the access record.
    #[test]
    fn only_this_file_reads_what_names_somebody() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cli");
        let mut folders = vec![folder];
        let mut seen = 0;
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).expect("the source is here") {
                let path = entry.expect("read").path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                seen += 1;
                let text = std::fs::read_to_string(&path).expect("text");
                let may = path.ends_with("cli/reading.rs");
                assert!(may || !text.contains("RegistrySqlite"), "{} reads the registry by itself", path.display());
            }
        }
        assert!(seen > 10);
    }
}
