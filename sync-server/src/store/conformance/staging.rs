//! What every staging promises.
#![allow(clippy::disallowed_methods, reason = "tests act as disk and operator")]

use std::{fs::File, os::unix::fs::MetadataExt as _, path::Path, sync::Arc};

use shared::{
    id::{BatchId, Blob, Digest},
    problem::Code,
    verify::PayloadHash,
};

use super::code;
use crate::{
    durable,
    skipped::skip,
    store::{
        Archive, DurableFile, PIECE, Pieces, Staging, Upload,
        archive_files::ArchiveFiles,
        staging_files::{SYNC_BYTES, StagingFiles},
    },
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
    assert_eq!(all(staging.payload(batch).await.expect("opened").1).await, b"hello world");
    assert_eq!(staging.read(batch, 4, 3).await.as_deref(), Ok(&b"o w"[..]));
}

/// The same as in the archive: nothing rests on these files yet, but it will.
#[tokio::test]
async fn what_may_have_no_durable_name_is_made_anew() {
    let dir = tempfile::tempdir().expect("a folder");
    let (staging, batch) = (files(dir.path()), BatchId::of(b"b"));
    let files_of = || ["manifest", "mark", "payload"].map(|k| File::open(dir.path().join(format!("{}.{k}", batch.hex()))).expect("there"));
    let begin = async |staging: &StagingFiles| staging.upload(batch, 0).await.expect("the writer").append(b"bytes".to_vec()).await;
    staging.announce(batch, b"manifest".to_vec()).await.expect("announced");
    drop(begin(&staging).await);
    let before = files_of();
    staging.announce(batch, b"another".to_vec()).await.expect("announced");
    assert_eq!(before[0].metadata().expect("open").ino(), files_of()[0].metadata().expect("open").ino(), "its name is durable");
    // another process does not know that, whether it is announced again or only goes on
    let again = files(dir.path());
    again.announce(batch, b"another".to_vec()).await.expect("announced");
    assert_eq!(again.manifest(batch).await.expect("readable").as_deref(), Some(&b"manifest"[..]), "the first stands");
    let announced = files_of();
    assert_ne!(before[0].metadata().expect("open").ino(), announced[0].metadata().expect("open").ino());
    let staging = files(dir.path());
    let upload = begin(&staging).await.expect("written");
    assert_ne!(announced[0].metadata().expect("open").ino(), files_of()[0].metadata().expect("open").ino());
    for (before, now) in before.iter().zip(&files_of()) {
        assert_ne!(before.metadata().expect("open").ino(), now.metadata().expect("open").ino());
    }
    drop(upload.sync().await.expect("durable"));
    let (before, upload) = (files_of(), staging.upload(batch, 5).await.expect("the writer"));
    for (before, now) in before.iter().zip(&files_of()).skip(1) {
        assert_eq!(before.metadata().expect("open").ino(), now.metadata().expect("open").ino(), "an offset rests on it");
    }
    drop(upload);
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
    assert_eq!(all(staging.payload(batch).await.expect("opened").1).await, b"kept");
    let upload = staging.upload(batch, 4).await.expect("the writer");
    let upload = upload.append(b"X".to_vec()).await.expect("written").sync().await.expect("durable");
    assert_eq!(all(staging.payload(batch).await.expect("opened").1).await, b"keptX", "what lay behind is cut off");
    drop(upload);
    // a torn mark: the payload is asked for again from its start
    std::fs::write(dir.path().join(format!("{}.mark", batch.hex())), [1; 9]).expect("torn");
    assert_eq!(files(dir.path()).offset(batch).await, Ok(0));
}

#[tokio::test]
async fn no_offset_counts_before_it_is_asked_for() {
    let dir = tempfile::tempdir().expect("a folder");
    let (staging, batch) = (files(dir.path()), BatchId::of(b"b"));
    let mut upload = staging.upload(batch, 0).await.expect("the writer");
    while upload.written() < 2 * SYNC_BYTES {
        upload = upload.append(vec![7; PIECE]).await.expect("written");
        assert_eq!((upload.durable(), staging.offset(batch).await), (0, Ok(0)), "however much is on the disk");
    }
    let upload = upload.sync().await.expect("durable");
    assert_eq!((upload.durable(), staging.offset(batch).await), (2 * SYNC_BYTES, Ok(2 * SYNC_BYTES)));
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

#[tokio::test]
async fn what_the_archive_has_taken_is_out_of_reach() {
    let dir = tempfile::tempdir().expect("a folder");
    let archive = ArchiveFiles::create(&dir.path().join("archive")).expect("made");
    let (staging, batch, blob) = (files(&dir.path().join("staging")), BatchId::of(b"b"), Blob::of(b"payload"));
    let upload = staging.upload(batch, 0).await.expect("the writer");
    let upload = upload.append(b"payload".to_vec()).await.expect("written").sync().await.expect("durable");
    let other = archive.put(Blob::of(b"another"), staging.payload(batch).await.expect("opened").1);
    assert_eq!(code(other.await), Some(Code::PayloadCorrupt), "not by another name than its digest");
    drop(upload);
    archive.put(blob, staging.payload(batch).await.expect("opened").1).await.expect("taken");
    assert_eq!(names_of(dir.path(), batch), 2, "one file, not a copy");
    let upload = staging.upload(batch, 7).await.expect("the writer");
    assert!(upload.append(b"more".to_vec()).await.is_err(), "nothing is appended to what the archive has");
    staging.restart(batch).await.expect("restarted");
    let upload = staging.upload(batch, 0).await.expect("the writer");
    drop(upload.append(b"changed".to_vec()).await.expect("written").sync().await.expect("durable"));
    assert_eq!(archive.get(blob).await.as_deref(), Ok(&b"payload"[..]));
    // the same with a mark that says less than the archive has taken
    let changed = Blob::of(b"changed");
    archive.put(changed, staging.payload(batch).await.expect("opened").1).await.expect("taken");
    std::fs::write(dir.path().join("staging").join(format!("{}.mark", batch.hex())), [1; 9]).expect("torn");
    drop(staging.upload(batch, 0).await.expect("the writer").append(b"x".to_vec()).await.expect("written"));
    assert_eq!(archive.get(changed).await.as_deref(), Ok(&b"changed"[..]));
}

#[tokio::test]
async fn the_archive_copies_what_a_writer_still_has() {
    let dir = tempfile::tempdir().expect("a folder");
    let archive = ArchiveFiles::create(&dir.path().join("archive")).expect("made");
    let (staging, batch, blob) = (files(&dir.path().join("staging")), BatchId::of(b"b"), Blob::of(b"payload"));
    let upload = staging.upload(batch, 0).await.expect("the writer");
    let upload = upload.append(b"payload".to_vec()).await.expect("written").sync().await.expect("durable");
    archive.put(blob, staging.payload(batch).await.expect("opened").1).await.expect("copied");
    assert_eq!(names_of(dir.path(), batch), 1, "what a handle can still write to stays out of the archive");
    drop(upload.append(b" and more".to_vec()).await.expect("written").sync().await.expect("durable"));
    assert_eq!(archive.get(blob).await.as_deref(), Ok(&b"payload"[..]));
}

#[tokio::test]
async fn nobody_writes_while_the_archive_takes_a_payload() {
    let dir = tempfile::tempdir().expect("a folder");
    let (staging, batch) = (files(dir.path()), BatchId::of(b"b"));
    let upload = staging.upload(batch, 0).await.expect("the writer");
    drop(upload.append(b"payload".to_vec()).await.expect("written").sync().await.expect("durable"));
    let (_, taken) = staging.payload(batch).await.expect("opened");
    assert_eq!(code(staging.upload(batch, 7).await), Some(Code::UploadLocked));
    assert_eq!(code(staging.restart(batch).await), Some(Code::UploadLocked));
    assert_eq!(all(taken).await, b"payload", "nothing was cut off");
    drop(staging.upload(batch, 7).await.expect("free again"));
}

#[tokio::test]
async fn the_archive_links_no_byte_that_is_not_durable() {
    let dir = tempfile::tempdir().expect("a folder");
    let archive = ArchiveFiles::create(&dir.path().join("archive")).expect("made");
    let (staging, batch) = (files(&dir.path().join("staging")), BatchId::of(b"b"));
    let upload = staging.upload(batch, 0).await.expect("the writer");
    let upload = upload.append(b"payload".to_vec()).await.expect("written").sync().await.expect("durable");
    drop(upload.append(b" and more".to_vec()).await.expect("written"));
    let all = archive.put(Blob::of(b"payload and more"), staging.payload(batch).await.expect("opened").1);
    assert_eq!(code(all.await), Some(Code::PayloadCorrupt));
    archive.put(Blob::of(b"payload"), staging.payload(batch).await.expect("opened").1).await.expect("copied");
    assert_eq!(names_of(dir.path(), batch), 1);
}

#[tokio::test]
async fn a_writer_knows_what_it_has_written_or_reads_it_again() {
    let dir = tempfile::tempdir().expect("a folder");
    let archive = ArchiveFiles::create(&dir.path().join("archive")).expect("made");
    let staging = files(&dir.path().join("staging"));
    let digest = |hash: PayloadHash| hash.finish();
    for (batch, pieces) in [(BatchId::of(b"one"), &[&b"payload"[..]][..]), (BatchId::of(b"two"), &[b"pay", b"load, resumed"])] {
        let mut offset = 0;
        let all = pieces.concat();
        for (n, piece) in pieces.iter().enumerate() {
            let upload = staging.upload(batch, offset).await.expect("the writer");
            let upload = upload.append(piece.to_vec()).await.expect("written");
            if n + 1 < pieces.len() {
                offset = upload.sync().await.expect("durable").durable();
                continue;
            }
            let (hash, whole) = upload.whole().await.expect("durable");
            assert_eq!(digest(hash), (all.len() as u64, Digest::of(&all)));
            assert_eq!(staging.offset(batch).await, Ok(all.len() as u64), "and its offset counts");
            assert_eq!(code(staging.upload(batch, all.len() as u64).await), Some(Code::UploadLocked), "nobody else writes");
            archive.put(Blob::of(&all), whole).await.expect("taken");
            assert_eq!(names_of(dir.path(), batch), 2, "one file, not a copy");
        }
    }
}

#[tokio::test]
async fn an_archive_on_another_volume_copies() {
    let dir = tempfile::tempdir().expect("a folder");
    let Ok(other) = tempfile::tempdir_in("/dev/shm") else { return skip("there is no /dev/shm") };
    if other.path().metadata().expect("read").dev() == dir.path().metadata().expect("read").dev() {
        return skip("/dev/shm is no other volume");
    }
    let archive = ArchiveFiles::create(&other.path().join("archive")).expect("made");
    let (staging, batch, blob) = (files(&dir.path().join("staging")), BatchId::of(b"b"), Blob::of(b"payload"));
    let upload = staging.upload(batch, 0).await.expect("the writer");
    drop(upload.append(b"payload".to_vec()).await.expect("written").sync().await.expect("durable"));
    archive.put(blob, staging.payload(batch).await.expect("opened").1).await.expect("copied");
    assert_eq!((names_of(dir.path(), batch), archive.get(blob).await.as_deref()), (1, Ok(&b"payload"[..])));
}

#[test]
fn a_name_that_went_to_another_file_is_not_linked() {
    let dir = tempfile::tempdir().expect("a folder");
    let (name, incoming) = (dir.path().join("payload"), dir.path().join("incoming"));
    std::fs::create_dir(&incoming).expect("made");
    std::fs::write(&name, b"looked at").expect("written");
    let take = || {
        let (file, _) = durable::take(&name, std::fs::File::options().read(true)).expect("opened").expect("free");
        DurableFile { path: name.clone(), handle: Arc::new(file), blob: Blob::of(b"looked at") }
    };
    let taken = take();
    std::fs::remove_file(&name).expect("forgotten");
    assert!(durable::Temporary::link(&incoming, &taken.path, &taken.handle).expect("no error").is_none(), "gone");
    std::fs::write(&name, b"looked at").expect("written");
    let taken = take();
    std::fs::rename(&name, dir.path().join("elsewhere")).expect("forgotten");
    std::fs::write(&name, b"another's").expect("announced again");
    assert!(durable::Temporary::link(&incoming, &taken.path, &taken.handle).expect("no error").is_none(), "another file");
    assert_eq!(std::fs::read_dir(&incoming).expect("listed").count(), 0, "and nothing is left of it");
}

/// How many names the payload of a batch has.
fn names_of(dir: &Path, batch: BatchId) -> u64 {
    dir.join("staging").join(format!("{}.payload", batch.hex())).metadata().expect("read").nlink()
}

#[tokio::test]
async fn payloads_without_a_manifest_are_swept_and_others_are_not() {
    let dir = tempfile::tempdir().expect("a folder");
    let (staging, kept, stray) = (files(dir.path()), BatchId::of(b"kept"), BatchId::of(b"stray"));
    staging.announce(kept, b"manifest".to_vec()).await.expect("announced");
    for batch in [kept, stray] {
        let upload = staging.upload(batch, 0).await.expect("the writer");
        drop(upload.append(b"bytes".to_vec()).await.expect("written").sync().await.expect("durable"));
    }
    staging.sweep().expect("swept");
    assert_eq!((staging.offset(kept).await, staging.offset(stray).await), (Ok(5), Ok(0)));
    assert_eq!(std::fs::read_dir(dir.path()).expect("listed").count(), 3);
}
