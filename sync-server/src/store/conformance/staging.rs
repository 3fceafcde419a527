//! What every staging promises.
#![allow(clippy::disallowed_methods, reason = "tests act as disk and operator")]

use std::path::Path;

use shared::{id::BatchId, problem::Code};

use super::code;
use crate::store::{
    PIECE, Pieces, Staging, Upload,
    staging_files::{SYNC_BYTES, StagingFiles},
};

fn files(root: &Path) -> StagingFiles {
    StagingFiles::open(root).expect("opened")
}

async fn all(mut pieces: impl Pieces) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let Some(piece) = pieces.next().await.expect("readable") {
        bytes.extend(piece);
    }
    bytes
}

#[tokio::test]
async fn an_upload_goes_on_where_it_was_durable() {
    let dir = tempfile::tempdir().expect("a folder");
    let (staging, batch) = (files(dir.path()), BatchId::of(b"b"));
    assert_eq!(staging.offset(batch).await, Ok(0));
    let upload = staging.upload(batch, 0).await.expect("the writer");
    let upload = upload.append(b"hello ".to_vec()).await.expect("written").sync().await.expect("durable");
    assert_eq!(upload.durable(), 6);
    drop(upload);
    let staging = files(dir.path());
    assert_eq!(staging.offset(batch).await, Ok(6));
    assert_eq!(code(staging.upload(batch, 5).await), Some(Code::OffsetWrong));
    assert_eq!(code(staging.upload(batch, 7).await), Some(Code::OffsetWrong));
    let upload = staging.upload(batch, 6).await.expect("the writer");
    drop(upload.append(b"world".to_vec()).await.expect("written").sync().await.expect("durable"));
    assert_eq!(all(staging.payload(batch).await.expect("opened")).await, b"hello world");
    assert_eq!(staging.read(batch, 4, 3).await.as_deref(), Ok(&b"o w"[..]));
}

#[tokio::test]
async fn bytes_that_are_not_durable_are_never_counted() {
    let dir = tempfile::tempdir().expect("a folder");
    let (staging, batch) = (files(dir.path()), BatchId::of(b"b"));
    let upload = staging.upload(batch, 0).await.expect("the writer");
    let upload = upload.append(b"kept".to_vec()).await.expect("written").sync().await.expect("durable");
    let upload = upload.append(b"lost".to_vec()).await.expect("written");
    assert_eq!((upload.durable(), upload.written()), (4, 8));
    drop(upload); // without sync: a crash
    let staging = files(dir.path());
    assert_eq!(staging.offset(batch).await, Ok(4));
    assert_eq!(all(staging.payload(batch).await.expect("opened")).await, b"kept");
    let upload = staging.upload(batch, 4).await.expect("the writer");
    let upload = upload.append(b"X".to_vec()).await.expect("written").sync().await.expect("durable");
    assert_eq!(all(staging.payload(batch).await.expect("opened")).await, b"keptX", "what lay behind is cut off");
    drop(upload);
    // a torn mark: the payload is asked for again from its start
    std::fs::write(dir.path().join(format!("{}.mark", batch.hex())), [1; 9]).expect("torn");
    assert_eq!(files(dir.path()).offset(batch).await, Ok(0));
}

#[tokio::test]
async fn much_is_made_durable_on_the_way() {
    let dir = tempfile::tempdir().expect("a folder");
    let (staging, batch) = (files(dir.path()), BatchId::of(b"b"));
    let mut upload = staging.upload(batch, 0).await.expect("the writer");
    while upload.written() < SYNC_BYTES {
        assert_eq!(upload.durable(), 0);
        upload = upload.append(vec![7; PIECE]).await.expect("written");
    }
    assert_eq!(upload.durable(), SYNC_BYTES);
    assert_eq!(code(upload.append(vec![7; PIECE + 1]).await), Some(Code::BodyTooLarge));
}

#[tokio::test]
async fn one_writer_a_batch() {
    let dir = tempfile::tempdir().expect("a folder");
    let (staging, batch) = (files(dir.path()), BatchId::of(b"b"));
    let upload = staging.upload(batch, 0).await.expect("the writer");
    assert_eq!(code(files(dir.path()).upload(batch, 0).await), Some(Code::UploadLocked));
    assert_eq!(code(staging.restart(batch).await), Some(Code::UploadLocked));
    drop(staging.upload(BatchId::of(b"c"), 0).await.expect("another batch is free"));
    drop(upload);
    drop(staging.upload(batch, 0).await.expect("free again"));
}

#[tokio::test]
async fn a_corrupt_payload_starts_again_and_a_settled_batch_is_forgotten() {
    let dir = tempfile::tempdir().expect("a folder");
    let (staging, batch) = (files(dir.path()), BatchId::of(b"b"));
    staging.announce(batch, b"manifest".to_vec()).await.expect("announced");
    staging.announce(batch, b"other bytes of that id".to_vec()).await.expect("the first stand");
    let upload = staging.upload(batch, 0).await.expect("the writer");
    drop(upload.append(b"bad".to_vec()).await.expect("written").sync().await.expect("durable"));
    staging.restart(batch).await.expect("restarted");
    let staging = files(dir.path());
    assert_eq!(staging.offset(batch).await, Ok(0));
    assert_eq!(staging.manifest(batch).await, Ok(Some(b"manifest".to_vec())), "it stays wanted");
    assert_eq!(staging.announced().await, Ok(vec![batch]));
    staging.forget(batch).await.expect("forgotten");
    staging.forget(batch).await.expect("the same call twice is the same as once");
    assert_eq!(staging.announced().await, Ok(vec![]));
    assert_eq!(std::fs::read_dir(dir.path()).expect("listed").count(), 0);
}
