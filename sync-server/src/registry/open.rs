//! What is asked of the registry about keys and numbers: it names nobody but those who sign.

use std::collections::BTreeMap;

use shared::{
    decision::RecordKey,
    id::{BatchId, Member, Number},
    time::Second,
};

/// What a key has signed from an entry on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Signed {
    /// For each unit: batches with a merged record that it signed for, and such records.
    pub merged: BTreeMap<Member, (u64, u64)>,
    /// Decisions and second signatures.
    pub decisions: u64,
}

/// Numbers of a unit's epoch that something logged or said shows, and that are not logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingNumbers {
    /// Whose.
    pub unit: Member,
    /// The first of them.
    pub first: Number,
    /// The last of them.
    pub last: Number,
    /// When something first showed that the last of them exists.
    pub since: Option<Second>,
}

/// A number that was withdrawn when its record stood already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LateWithdrawal {
    /// The record that holds the number.
    pub record: RecordKey,
    /// The number.
    pub number: Number,
    /// The batch that withdraws it.
    pub batch: BatchId,
    /// When that was logged.
    pub received: Second,
}
