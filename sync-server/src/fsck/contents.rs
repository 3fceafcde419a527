//! Checking what papers say: rosters, manifests, outcomes, the registry. That their bytes are whole is checked before.
//!
//! | file | checks |
//! |---|---|
//! | `rosters` | each signed as the one before demands, with its forms |
//! | `batches` | manifests, signatures, states |
//! | `words` | hellos of heads and freezes, decisions: whose signature they carry |
//! | `outcomes` | outcomes: signature, lines, versions, log entry; first ones in the order of batches |
//! | `registry` | the registry folds to what its tables say, and to what was published |
//!
//! What is *off* contradicts something that was signed or logged. What is *open* is a fact that a person should know
//! and that harms nothing: what is not folded or published yet, a record that could not be opened. What units owe and what waits
//! for a person is one list, of `facts`, which `fsck` shows after this.
//!
//! **Trust:** the log's entries, under the guard's head; everything else is checked against them. **Invariants:**
//! nothing is changed; one finding never hides another. Of manifests, outcomes and the registry one at a time is held.

mod batches;
mod outcomes;
mod registry;
mod rosters;
mod words;
#[cfg(test)]
mod tests;

use shared::{
    id::Blob,
    log::Entry,
    problem::{Code, Problem},
    roster::TrustedRoster,
};

use crate::{
    centre::Centre,
    registry::Summary,
    store::{Archive as _, Ledger as _, registry_sqlite::RegistrySqlite},
};

/// What was found.
#[derive(Debug, Default)]
pub struct Contents {
    /// Contradictions.
    pub off: Vec<Problem>,
    /// Open facts.
    pub open: Vec<Problem>,
    /// Batches that were checked.
    pub batches: u64,
    /// Record lines that were checked.
    pub records: u64,
    /// Outcomes that were checked.
    pub outcomes: u64,
    /// The registry's counts and digest.
    pub registry: Option<Summary>,
}

impl Contents {
    /// Keeps a contradiction.
    pub fn off(&mut self, code: Code, detail: impl Into<String>) {
        self.off.push(Problem::new(code, detail));
    }

    /// Keeps an open fact.
    pub fn open(&mut self, code: Code, detail: impl Into<String>) {
        self.open.push(Problem::new(code, detail));
    }

    /// Keeps a problem as a contradiction, naming what it is about; gives what there is when there is none.
    fn sound<T>(&mut self, about: &str, result: Result<T, Problem>) -> Option<T> {
        result.map_err(|p| self.off(p.code, format!("{about}: {}", p.detail))).ok()
    }
}

/// Checks what log, archive and registry say against each other. An error says that checking itself was not possible.
pub async fn check(centre: &Centre) -> Result<Contents, Problem> {
    let mut report = Contents::default();
    let log = Log { centre, size: centre.stores.ledger.position().await?.line.head.size };
    let rosters = rosters::check(&log, &mut report).await?;
    let manifests = batches::check(&log, &rosters, &mut report).await?;
    words::check(&log, &rosters, &mut report).await?;
    outcomes::check(&log, &rosters, &manifests, &mut report).await?;
    registry::check(&RegistrySqlite::new(centre.db.clone()), &mut report).await?;
    Ok(report)
}

/// The log up to where the ledger stood, read entry after entry by each check: it may be of any length.
struct Log<'a> {
    centre: &'a Centre,
    size: u64,
}

impl Log<'_> {
    /// An entry; an inner error says that it isn't there or can't be read.
    async fn entry(&self, index: u64) -> Result<Result<Entry, Problem>, Problem> {
        let leaf = self.centre.stores.ledger.entry(shared::id::LogIndex(index)).await?;
        let leaf = leaf.ok_or_else(|| Problem::new(Code::LogInconsistent, "not in the database"));
        Ok(leaf.and_then(|leaf| Entry::parse(&leaf)))
    }

    /// A blob that an entry names, its digest checked.
    async fn blob(&self, about: &str, blob: Blob, report: &mut Contents) -> Option<Vec<u8>> {
        let read = self.centre.stores.archive.get(blob).await;
        report.sound(about, read)
    }
}

/// Rosters by version, and whatever asks for one.
type Rosters = Vec<TrustedRoster>;
