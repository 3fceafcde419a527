//! The road as a model, explored exhaustively: three batches of a unit, the link, the centre with staging, archive, guard and
//! database, crashes of the centre at every point, two backups of the database, taken at any time and put back at any time, any
//! number of times. The true protocol holds all properties in every state. Each sabotage is one rule broken on purpose: the
//! property that it breaks must be found, and the shortest road to the breach is printed.
//!
//! | act of the model | code that it stands for |
//! |---|---|
//! | `Close` | finish and close, one transaction each: `Vault::finish`, `Vault::store_closed` |
//! | `Arrive` | `enroll-client/src/sync/send.rs`, `Intake::announce`, `Intake::upload`: into staging, unless `Ledger::batch` knows the id |
//! | `Archive` | `Intake::received`, once the digest was checked: `Archive::put` of payload and manifest |
//! | `Segment` | `Rounds::commit`, step 2: `Archive::put_segment` |
//! | `Swap` | step 3: `Guard::swap`, the commit point |
//! | `Apply` | step 4, and `catch_up` at the next start: `Ledger::apply`, one segment a transaction; then `Staging::forget` |
//! | `Fold`, `Mark` | `Registry::fold`, `Registry::advance`: in the log's order, what a batch does to the registry and that it is done, in one transaction |
//! | `Receipt` | `Intake::receipt` out of the ledger; `Receipt::check` and `Vault::store_receipt` |
//! | `Outcome` | `Intake::outcome` out of the ledger; `Outcome::check` and `Vault::store_outcome` |
//! | `Prune` | `prune::prunable`: a receipt, and a newest outcome that says `merged` |
//! | `CentreDies` | kill -9: what the centre had in memory is gone |
//! | `Backup`, `Restore` | a copy of `centre.db`, and nothing else, is made and put back; the process starts again |
//!
//! The link loses, repeats and reorders: a closed batch may arrive at any time, also long after, again, or never; an answer that is
//! lost is one that was not given. A unit's acts are one transaction each, so a unit that dies is one that does nothing.
//!
//! Left out, and why that is no gap: several batches in one segment (a larger step of the same kind), outcomes as log entries
//! (they go the way of batch entries), sessions and hellos (they say who may speak, not what is kept), retention (it only delays
//! pruning), an archive that loses a blob (`fsck` names it; nothing in the protocol makes it again). Every fold counts as an
//! effect, though the code's fold replaces what it finds: the model asks for more than the code needs.

#[path = "model/road.rs"]
mod road;
#[path = "model/state.rs"]
mod state;

use road::{EXACTLY_ONCE, GUARD, IN_ORDER, LOST, PRUNE, RECEIPT, Road, SAFE_IN_CALM, Sabotage};
use stateright::{Checker, HasDiscoveries, Model as _};

/// Explores everything that can happen.
fn holds(road: Road) {
    let name = format!("{road:?}");
    let checker = road.checker().threads(2).spawn_bfs().join();
    checker.assert_properties();
    assert!(checker.is_done(), "all of it was seen");
    println!("{} states, {} steps deep: {name}", checker.unique_state_count(), checker.max_depth());
}

/// Looks for the shortest road to a breach of this property: step by step deeper, until there is one.
fn breaks(road: Road, property: &'static str) {
    let found = (2..40).find_map(|depth| {
        let wanted = HasDiscoveries::AllOf([property].into());
        let checker = road.checker().target_max_depth(depth).finish_when(wanted).spawn_bfs().join();
        checker.discovery(property)
    });
    let path = found.unwrap_or_else(|| panic!("{road:?} does not break: {property}"));
    println!("{:?}, not: {property}: {:?}", road.sabotage, path.into_actions());
}

#[test]
fn the_true_protocol_holds_over_every_crash_and_restore() {
    holds(Road::TRUE);
}

#[test]
fn the_true_protocol_holds_over_a_fork_as_well() {
    holds(Road { sequences: [1, 2, 2], ..Road::TRUE });
}

#[test]
fn a_receipt_before_the_guard_is_found() {
    breaks(Road::with(Sabotage::ReceiptBeforeGuard), RECEIPT);
}

#[test]
fn a_fold_and_its_done_mark_in_two_transactions_are_found() {
    breaks(Road::with(Sabotage::FoldAndMarkApart), EXACTLY_ONCE);
}

#[test]
fn a_fold_in_the_order_of_opening_is_found() {
    breaks(Road::with(Sabotage::FoldAsOpened), IN_ORDER);
}

#[test]
fn pruning_on_a_plain_receipt_is_found() {
    breaks(Road::with(Sabotage::PruneOnReceipt), PRUNE);
}

#[test]
fn pruning_on_a_plain_receipt_without_an_archive_is_found() {
    breaks(Road::with(Sabotage::PruneWithoutArchive), LOST);
}

#[test]
fn pruning_on_what_is_in_the_latest_backup_is_found() {
    breaks(Road::with(Sabotage::PruneOnLatestBackup), LOST);
}

#[test]
fn a_guard_inside_the_backup_is_found() {
    breaks(Road::with(Sabotage::GuardInBackup), GUARD);
    breaks(Road::with(Sabotage::GuardInBackup), RECEIPT);
}

#[test]
fn telling_batches_by_sequence_without_digest_is_found() {
    breaks(Road { sequences: [1, 2, 2], ..Road::with(Sabotage::DedupBySequence) }, SAFE_IN_CALM);
}
