//! What every archive promises.
#![allow(clippy::disallowed_methods, reason = "tests act as disk and operator")]

use std::{collections::BTreeSet, fs::File, os::unix::fs::MetadataExt as _, path::Path};

use shared::{
    id::Blob,
    problem::{Code, Problem},
};

use super::code;
use crate::store::{Archive, PIECE, Pieces, Whole, archive_files::ArchiveFiles};

fn files(root: &Path) -> ArchiveFiles {
    ArchiveFiles::create(root).expect("made or opened")
}

/// Breaks off after some pieces, as a cut connection does.
struct Broken(u32);

impl Pieces for Broken {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, Problem> {
        self.0 = self.0.checked_sub(1).ok_or(Code::IoFailed)?;
        Ok(Some(vec![7; PIECE]))
    }
}

#[tokio::test]
async fn a_blob_is_whole_or_absent() {
    let dir = tempfile::tempdir().expect("a folder");
    let archive = files(dir.path());
    let blob = Blob::of(b"one");
    assert_eq!(code(archive.get(blob).await), Some(Code::ArchiveMissing));
    assert_eq!(code(archive.put(blob, Whole::new(*b"two")).await), Some(Code::PayloadCorrupt));
    assert_eq!(code(archive.put(blob, Broken(3)).await), Some(Code::IoFailed));
    assert_eq!(archive.size(blob).await, Ok(None), "neither try left a trace");
    archive.put(blob, Whole::new(*b"one")).await.expect("stored");
    archive.put(blob, Whole::new(*b"one")).await.expect("the same call twice is the same as once");
    let archive = files(dir.path());
    assert_eq!(archive.get(blob).await.as_deref(), Ok(&b"one"[..]));
    assert_eq!(archive.verify(blob).await, Ok(3));
    assert_eq!(archive.blobs(blob.as_bytes()[0]).await, Ok(vec![blob]));
}

/// Whoever gave a name may have died before it was durable, or the disk failed then: nothing is told on the strength of a second sync.
#[tokio::test]
async fn what_is_put_again_is_another_file() {
    let dir = tempfile::tempdir().expect("a folder");
    let blob = Blob::of(b"one");
    let hex = blob.hex();
    let path = dir.path().join("blobs").join(&hex[..2]).join(&hex[2..4]).join(&hex);
    let mut seen: Vec<File> = Vec::new(); // held, so that their numbers go to no others
    for _ in 0..2 {
        files(dir.path()).put(blob, Whole::new(*b"one")).await.expect("stored");
        let segment = files(dir.path()).put_segment(3, b"entry".to_vec()).await.expect("stored");
        let segment = dir.path().join("segments/00000000").join(format!("000000000003-{}", segment.hex()));
        seen.extend([&path, &segment].map(|p| File::open(p).expect("there")));
    }
    let again = files(dir.path());
    let number = || path.metadata().expect("there").ino();
    again.put(blob, Whole::new(*b"one")).await.expect("stored");
    let before = number();
    again.put(blob, Whole::new(*b"one")).await.expect("stored");
    assert_eq!(before, number(), "what has just been put is not written at each try");
    std::fs::remove_file(&path).expect("as an operator does");
    again.put(blob, Whole::new(*b"one")).await.expect("stored");
    assert_eq!(again.get(blob).await.as_deref(), Ok(&b"one"[..]), "what is not there is put");
    let numbers: BTreeSet<u64> = seen.iter().map(|file| file.metadata().expect("open").ino()).collect();
    assert_eq!(numbers.len(), 4);
    assert_eq!(files(dir.path()).get(blob).await.as_deref(), Ok(&b"one"[..]));
}

#[tokio::test]
async fn ranges_and_the_empty_blob() {
    let dir = tempfile::tempdir().expect("a folder");
    let archive = files(dir.path());
    let bytes: Vec<u8> = (0..=255).cycle().take(3 * PIECE + 5).collect();
    let blob = Blob::of(&bytes);
    archive.put(blob, Whole::new(bytes.clone())).await.expect("stored");
    let (from, len) = (PIECE - 3, 9);
    assert_eq!(archive.range(blob, from as u64, len).await.as_deref(), Ok(&bytes[from..from + len]));
    assert_eq!(code(archive.range(blob, bytes.len() as u64 - 1, 2).await), Some(Code::ArchiveDamaged));
    archive.put(Blob::of(b""), Whole::new(*b"")).await.expect("an empty payload is a payload");
    assert_eq!(archive.size(Blob::of(b"")).await, Ok(Some(0)));
}

#[tokio::test]
async fn segments_are_found_by_the_size_that_they_lead_to() {
    let dir = tempfile::tempdir().expect("a folder");
    let archive = files(dir.path());
    let a = archive.put_segment(7, b"a".to_vec()).await.expect("stored");
    let b = archive.put_segment(7, b"b".to_vec()).await.expect("another one after a crash");
    let c = archive.put_segment(70_000, b"c".to_vec()).await.expect("stored");
    assert_eq!(archive.put_segment(7, b"a".to_vec()).await, Ok(a));
    let archive = files(dir.path());
    let mut at = archive.segments_at(7).await.expect("listed");
    at.sort_unstable();
    let mut both = vec![a, b];
    both.sort_unstable();
    assert_eq!(at, both);
    assert_eq!(archive.segments_at(8).await, Ok(vec![]));
    assert_eq!(archive.segment(70_000, c).await.as_deref(), Ok(&b"c"[..]));
    assert_eq!(code(archive.segment(8, a).await), Some(Code::ArchiveMissing));
    assert_eq!(archive.segments_from(0).await.map(|s| s.len()), Ok(3));
    for (size, there) in [(7, 3), (8, 1), (5_000, 1), (1_000_000, 0)] {
        assert_eq!(archive.segments_from(size).await.map(|s| s.len()), Ok(there), "from {size} on");
    }
}

#[tokio::test]
async fn a_changed_byte_is_noticed() {
    let dir = tempfile::tempdir().expect("a folder");
    let archive = files(dir.path());
    let blob = Blob::of(b"one");
    archive.put(blob, Whole::new(*b"one")).await.expect("stored");
    let hex = blob.hex();
    std::fs::write(dir.path().join("blobs").join(&hex[..2]).join(&hex[2..4]).join(&hex), b"onf").expect("a flipped bit");
    assert_eq!(code(archive.get(blob).await), Some(Code::ArchiveDamaged));
    assert_eq!(code(archive.verify(blob).await), Some(Code::ArchiveDamaged));
}

#[test]
fn another_format_is_refused() {
    let dir = tempfile::tempdir().expect("a folder");
    assert_eq!(code(ArchiveFiles::open(dir.path())), Some(Code::NotInitialised), "never made in passing");
    drop(files(dir.path()));
    std::fs::write(dir.path().join("format"), "enroll-archive/v2\n").expect("as newer software would");
    assert_eq!(code(ArchiveFiles::open(dir.path())), Some(Code::DatabaseNewer));
}
