//! What `fsck` finds: each damage by its code, and no alarm where a crash has left something.
#![allow(clippy::disallowed_methods, reason = "tests act as disk and operator")]

use shared::{id::Blob, problem::Code};

use super::{super::Proposal, world::World};
use crate::{
    fixtures::{manifest, payload},
    fsck::{Report, stores},
    store::{Archive as _, Guard as _, Whole},
};

async fn codes(world: &World) -> Vec<Code> {
    let report = stores(&world.stores(), &world.lock()).await.expect("ran to its end");
    report.findings.iter().map(|f| f.code).collect()
}

/// A log with rosters, times and a batch; gives the batch's manifest and payload.
async fn worked() -> (World, Blob, Blob) {
    let world = World::founded().await;
    let sequencer = world.sequencer().await;
    let one = manifest("van-1", 1, None, 1, 2);
    sequencer.log_batch(world.archived(&one, &payload(1, 2)).await).await.expect("logged");
    for _ in 0..3 {
        sequencer.log(Proposal::Time).await.expect("logged");
    }
    (world, one.blob(), Blob::of(&payload(1, 2)))
}

#[tokio::test]
async fn a_sound_centre_is_clean_with_what_a_crash_left() {
    let (world, ..) = worked().await;
    let archive = world.stores().archive;
    archive.put_segment(2, b"an orphan".to_vec()).await.expect("stored");
    archive.put(Blob::of(b"nobody names it"), Whole::new(*b"nobody names it")).await.expect("stored");
    let report = stores(&world.stores(), &world.lock()).await.expect("ran");
    assert!(report.is_clean(), "{:?}", report.findings);
    let Report { entries, segments, orphan_segments, blobs, unnamed_blobs, .. } = report;
    assert_eq!((entries, segments, orphan_segments, blobs, unnamed_blobs), (5, 5, 1, 3, 1));
}

#[tokio::test]
async fn a_missing_or_changed_blob_is_named() {
    let (world, manifest, payload) = worked().await;
    world.damage_blob(payload, Some(b"something else"));
    world.damage_blob(manifest, None);
    let report = stores(&world.stores(), &world.lock()).await.expect("ran");
    let named = |code, blob: Blob| report.findings.iter().any(|f| f.code == code && f.detail.contains(&blob.to_string()));
    assert!(named(Code::ArchiveDamaged, payload) && named(Code::ArchiveMissing, manifest), "{:?}", report.findings);
}

#[tokio::test]
async fn a_missing_segment_is_found() {
    let (world, ..) = worked().await;
    world.hide_segments(3);
    assert_eq!(codes(&world).await, [Code::ArchiveMissing]);
}

#[tokio::test]
async fn a_database_that_says_something_else_is_found() {
    let (world, ..) = worked().await;
    world.sql("UPDATE entries SET leaf = x'00' WHERE idx = 2");
    assert_eq!(codes(&world).await, [Code::DatabaseDiffers]);
    let (world, ..) = worked().await;
    world.sql("UPDATE hashes SET hash = zeroblob(32) WHERE idx = 3");
    assert_eq!(codes(&world).await, [Code::DatabaseDiffers]);
}

/// A power cut after the guard moved and before the database knew it; somebody looks before the server is started again.
#[tokio::test]
async fn a_database_that_is_behind_is_an_open_fact() {
    let world = World::founded().await;
    let sequencer = world.sequencer().await;
    sequencer.log(Proposal::Time).await.expect("logged");
    world.keep_database("older");
    sequencer.log(Proposal::Time).await.expect("logged");
    let found = async || {
        let report = stores(&world.stores(), &world.lock()).await.expect("ran to its end");
        (report.findings.len(), report.open.iter().map(|f| f.code).collect::<Vec<_>>())
    };
    assert_eq!(found().await, (0, Vec::new()));
    drop(sequencer);
    world.put_database_back(Some("older"));
    assert_eq!(found().await, (0, vec![Code::DatabaseBehind]));
    world.put_database_back(None);
    assert_eq!(codes(&world).await, [Code::DatabaseDiffers], "one that is lost");
    world.put_database_back(Some("older"));
    drop(world.sequencer().await);
    assert_eq!(found().await, (0, Vec::new()), "a start takes in the rest");
}

/// Behind, and on another way than the one that leads to the guard.
#[tokio::test]
async fn a_database_of_another_history_is_found() {
    let world = World::founded().await;
    let guarded = world.stores().guard.read().await.expect("read").expect("held");
    world.keep_database("older");
    let sequencer = world.sequencer().await;
    sequencer.log(Proposal::Time).await.expect("logged");
    world.keep_database("other");
    drop(sequencer);
    world.put_database_back(Some("older"));
    world.set_guard(Some(&format!("{guarded}\n")));
    let sequencer = world.sequencer().await;
    let one = manifest("van-1", 1, None, 1, 2);
    sequencer.log_batch(world.archived(&one, &payload(1, 2)).await).await.expect("logged");
    sequencer.log(Proposal::Time).await.expect("logged");
    drop(sequencer);
    world.put_database_back(Some("other"));
    let report = stores(&world.stores(), &world.lock()).await.expect("ran to its end");
    assert!(report.open.is_empty(), "{:?}", report.open);
    assert!(report.findings.iter().any(|f| f.code == Code::DatabaseDiffers && f.detail.contains("stands at")), "{:?}", report.findings);
}

#[tokio::test]
async fn a_guard_without_a_head_is_found() {
    let (world, ..) = worked().await;
    world.set_guard(None);
    assert_eq!(codes(&world).await, [Code::GuardMissing]);
}
