//! The guard: the newest log head in a compare-and-swap store of its own.

use std::future::Future;

use shared::{
    id::Blob,
    log::{GuardLine, Head},
    problem::Problem,
};

/// One value, the newest log head with its segment, compared and swapped. Never part of a backup.
pub trait Guard: Clone + Send + Sync + 'static {
    /// The value; `None` when there has never been one.
    fn read(&self) -> impl Future<Output = Result<Option<GuardLine>, Problem>> + Send;
    /// Puts `new` in place of `old`, if it is `old` that is there; says what was there. Durable when it says `Done`, also
    /// when `new` was there already. After an error the answer is unknown, and what a read shows may not be durable: swap
    /// again.
    fn swap(&self, old: Option<GuardLine>, new: GuardLine) -> impl Future<Output = Result<Swap, Problem>> + Send;
}

/// What a swap found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Swap {
    /// The new value is in place.
    Done,
    /// Another value was there; it still is.
    Other(Option<GuardLine>),
}

/// The guard of a log without entries: no segment led there, so it names the digest of nothing.
pub fn empty_log() -> GuardLine {
    GuardLine { head: Head::EMPTY, segment: Blob::of(b"") }
}
