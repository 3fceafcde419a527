//! A state of the whole road: what is durable where, what is in memory, what is under way.

/// A set of batches, one bit each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Batches(u8);

/// Batches on the road.
pub const COUNT: u8 = 3;

impl Batches {
    pub fn has(self, batch: u8) -> bool {
        self.0 & (1 << batch) != 0
    }
    #[must_use]
    pub fn with(self, batch: u8) -> Self {
        Self(self.0 | 1 << batch)
    }
    #[must_use]
    pub fn without(self, batch: u8) -> Self {
        Self(self.0 & !(1 << batch))
    }
    pub fn within(self, others: Self) -> bool {
        self.0 & !others.0 == 0
    }
    pub fn each(self) -> impl Iterator<Item = u8> {
        (0..COUNT).filter(move |&batch| self.has(batch))
    }
}

/// Entries of the log, in order; each is a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Log {
    entries: [u8; COUNT as usize],
    size: u8,
}

impl Log {
    pub fn entries(&self) -> &[u8] {
        &self.entries[..usize::from(self.size)]
    }
    pub fn has(self, batch: u8) -> bool {
        self.entries().contains(&batch)
    }
    pub fn push(&mut self, batch: u8) {
        self.entries[usize::from(self.size)] = batch;
        self.size += 1;
    }
    pub fn begins_with(self, other: Self) -> bool {
        self.entries().starts_with(other.entries())
    }
    pub fn len(self) -> usize {
        usize::from(self.size)
    }
}

/// The database: what a backup copies and a restore puts back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Database {
    /// Entries that were applied.
    pub log: Log,
    /// Batches whose fold is marked as done.
    pub done: Batches,
    /// How often each batch took effect.
    pub effects: [u8; COUNT as usize],
    /// Payloads that lie in it: none, unless there is no archive.
    pub payloads: Batches,
}

/// A copy of the database, and of the guard where that is in the backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Copy {
    pub db: Database,
    pub guard: Option<Log>,
}

/// What a unit keeps durably.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Unit {
    /// Finished and closed.
    pub closed: Batches,
    /// Sealed records that were pruned.
    pub pruned: Batches,
    /// Checked receipts.
    pub receipts: Batches,
    /// Outcomes that say `merged`.
    pub merged: Batches,
}

/// The centre beside its database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Centre {
    /// Whole payloads in staging, durable.
    pub staged: Batches,
    /// Payloads and manifests in the archive.
    pub archived: Batches,
    /// The log of the guard's head; its segments are in the archive.
    pub guard: Log,
    /// In memory: the batch whose segment is in the archive and not yet under the guard.
    pub segment: Option<u8>,
    /// In memory: a fold whose done-mark is still to come (a sabotage only).
    pub unmarked: Option<u8>,
}

/// Everything.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct State {
    pub unit: Unit,
    pub centre: Centre,
    pub db: Database,
    /// Copies of the database, oldest first.
    pub copies: Vec<Copy>,
    /// For the properties only: the longest log that the guard ever held.
    pub longest: Log,
    /// For the properties only: was a copy put back?
    pub restored: bool,
}
