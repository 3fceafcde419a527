//! The archive in a folder: one file a blob, named by its digest, written once.
//!
//! ```text
//! archive/format                                      enroll-archive/v1
//! archive/blobs/2c/26/2c26b46b68ffc68f…               manifests, payloads, rosters, forms, outcomes
//! archive/segments/00000000/000000000042-2c26b46b…    log segments, by the size that they lead to
//! archive/incoming/                                   what is being written; what a crash left of it is swept
//! ```
//!
//! **Trust:** the disk may lie; whole blobs are hashed again when they are read, ranges by whoever asked.
//! **Invariants:** nothing here is ever changed or removed; a name that may not be durable is given anew, to the same
//! bytes. A name stands for whole, durable bytes: they get it only after fsync, and the folder is fsynced before `put`
//! returns.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "this file owns the archive's files")]

use std::{
    collections::{HashSet, VecDeque},
    fs::File,
    io,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard},
};

use sha2::{Digest as _, Sha256};
use shared::{
    id::Blob,
    problem::{Code, Problem},
};

use super::{Archive, PIECE, Pieces, blocking};
use crate::durable::{self, Created, Temporary};

const FORMAT: &[u8] = b"enroll-archive/v1\n";
/// So many of the blobs that were put last are known to be durable.
const RECENT: usize = 4096;
/// Segments of so many log sizes share a folder.
const SEGMENTS_A_FOLDER: u64 = 4096;

/// An archive in a folder.
#[derive(Debug, Clone)]
pub struct ArchiveFiles {
    root: Arc<PathBuf>,
    /// Folders that this process has made durable, with those above them.
    folders: Arc<Mutex<HashSet<PathBuf>>>,
    /// Blobs that this process has put: what waits for something else, such as a clock, is put again and again.
    recent: Arc<Mutex<Recent>>,
}

/// The newest of what was added.
#[derive(Debug, Default)]
struct Recent {
    blobs: HashSet<Blob>,
    order: VecDeque<Blob>,
}

impl Recent {
    fn has(&self, blob: &Blob) -> bool {
        self.blobs.contains(blob)
    }

    fn add(&mut self, blob: Blob) {
        if !self.blobs.insert(blob) {
            return;
        }
        self.order.push_back(blob);
        if self.order.len() > RECENT
            && let Some(oldest) = self.order.pop_front()
        {
            self.blobs.remove(&oldest);
        }
    }
}

impl ArchiveFiles {
    /// Removes what a crash left unfinished.
    pub fn sweep(&self) -> Result<(), Problem> {
        durable::sweep(&self.incoming()).map_err(durable::problem("archive"))
    }

    fn incoming(&self) -> PathBuf {
        self.root.join("incoming")
    }

    /// Makes the archive's folder, or leaves the one that is there.
    pub fn create(root: &Path) -> Result<Self, Problem> {
        durable::folder(root).map_err(durable::problem("archive"))?;
        // A crash before this leaves an empty folder, which `open` refuses and the next `create` completes.
        durable::create(&root.join("format"), FORMAT).map_err(durable::problem("archive format"))?;
        Self::open(root)
    }

    /// Opens an archive; one of a newer, unknown format is refused.
    pub fn open(root: &Path) -> Result<Self, Problem> {
        match durable::read(&root.join("format")).map_err(durable::problem("archive format"))?.as_deref() {
            Some(FORMAT) => {
                durable::folder(&root.join("incoming")).map_err(durable::problem("archive"))?;
                Ok(Self { root: Arc::new(root.to_owned()), folders: Arc::default(), recent: Arc::default() })
            }
            Some(_) => Err(Problem::new(Code::DatabaseNewer, "archive format")),
            None => Err(Problem::new(Code::NotInitialised, "no archive there")),
        }
    }

    /// Makes a folder and those above it, below the root, durable; each once in this process: another may have made it and not
    /// come so far.
    fn folder(&self, path: &Path) -> durable::Result<()> {
        let mut folders = self.folders.lock().expect("nobody panics while holding it");
        let mut above = self.root.to_path_buf();
        for name in path.strip_prefix(&*self.root).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))? {
            let folder = above.join(name);
            if !folders.contains(&folder) {
                durable::folder_in(&above, name)?;
                folders.insert(folder.clone());
            }
            above = folder;
        }
        Ok(())
    }

    fn recent(&self) -> MutexGuard<'_, Recent> {
        self.recent.lock().expect("nobody panics while holding it")
    }

    fn blob_path(&self, blob: &Blob) -> PathBuf {
        let hex = blob.hex();
        self.root.join("blobs").join(&hex[..2]).join(&hex[2..4]).join(hex)
    }

    fn segment_folder(&self, size: u64) -> PathBuf {
        self.root.join("segments").join(format!("{:08}", size / SEGMENTS_A_FOLDER))
    }

    fn segment_path(&self, size: u64, blob: &Blob) -> PathBuf {
        self.segment_folder(size).join(format!("{size:012}-{}", blob.hex()))
    }
}

impl Archive for ArchiveFiles {
    async fn put<P: Pieces>(&self, blob: Blob, mut pieces: P) -> Result<(), Problem> {
        let path = self.blob_path(&blob);
        let (target, incoming, archive) = (path.clone(), self.incoming(), self.clone());
        let durable = pieces.durable_file().filter(|file| file.blob == blob);
        let place = blocking(move || {
            if archive.recent().has(&blob) && target.try_exists()? {
                return Ok(None);
            }
            archive.folder(target.parent().expect("below blobs/"))?;
            // Taken under a second name, nothing is written twice; a crash before it has its name here leaves one that is swept.
            // A name that is there already may not be durable: then the bytes are written, and it is given anew.
            if let Some(file) = durable
                && !target.try_exists()?
                && let Some(linked) = Temporary::link(&incoming, &file.path, &file.handle)?
                && linked.name(&target)? == Created::New
            {
                archive.recent().add(blob);
                return Ok(None);
            }
            Temporary::new(&incoming).map(Some)
        })
        .await
        .map_err(durable::problem("archive"))?;
        let Some(mut temporary) = place else { return Ok(()) };
        let mut hash = Sha256::new();
        while let Some(piece) = pieces.next().await? {
            (temporary, hash) = blocking(move || {
                hash.update(&piece);
                temporary.append(&piece).map(|()| (temporary, hash))
            })
            .await
            .map_err(durable::problem("archive"))?;
        }
        if Blob::from_bytes(hash.finalize().into()) != blob {
            // dropped without a name: as if it had never been here
            return Err(Problem::new(Code::PayloadCorrupt, "not the bytes that the digest names"));
        }
        blocking(move || temporary.replace(&path)).await.map_err(durable::problem("archive"))?;
        self.recent().add(blob);
        Ok(())
    }

    async fn size(&self, blob: Blob) -> Result<Option<u64>, Problem> {
        let path = self.blob_path(&blob);
        let found = blocking(move || match path.metadata() {
            Ok(meta) => Ok(Some(meta.len())),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e.into()),
        });
        found.await.map_err(durable::problem("archive"))
    }

    async fn get(&self, blob: Blob) -> Result<Vec<u8>, Problem> {
        let path = self.blob_path(&blob);
        checked(blob, blocking(move || durable::read(&path)).await)
    }

    async fn range(&self, blob: Blob, offset: u64, len: usize) -> Result<Vec<u8>, Problem> {
        let path = self.blob_path(&blob);
        let read = blocking(move || {
            let mut bytes = vec![0; len];
            File::open(path)?.read_exact_at(&mut bytes, offset)?;
            Ok(bytes)
        });
        read.await.map_err(|e: durable::Failed| match e.kind() {
            io::ErrorKind::NotFound => Problem::new(Code::ArchiveMissing, blob.to_string()),
            io::ErrorKind::UnexpectedEof => Problem::new(Code::ArchiveDamaged, format!("{blob} is shorter than it was")),
            _ => durable::problem("archive")(e),
        })
    }

    async fn verify(&self, blob: Blob) -> Result<u64, Problem> {
        let path = self.blob_path(&blob);
        let read = blocking(move || match File::open(path) {
            Ok(file) => Ok(Some(hash_file(file)?)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e.into()),
        });
        match read.await.map_err(durable::problem("archive"))? {
            None => Err(Problem::new(Code::ArchiveMissing, blob.to_string())),
            Some((found, size)) if found == blob => Ok(size),
            Some(_) => Err(Problem::new(Code::ArchiveDamaged, blob.to_string())),
        }
    }

    async fn blobs(&self, first: u8) -> Result<Vec<Blob>, Problem> {
        let folder = self.root.join("blobs").join(format!("{first:02x}"));
        let list = blocking(move || {
            let mut blobs = Vec::new();
            for second in durable::names(&folder)? {
                let names = durable::names(&folder.join(second))?;
                blobs.extend(names.iter().filter_map(|n| format!("sha256:{n}").parse::<Blob>().ok()));
            }
            Ok(blobs)
        });
        list.await.map_err(durable::problem("archive"))
    }

    async fn put_segment(&self, size: u64, bytes: Vec<u8>) -> Result<Blob, Problem> {
        let blob = Blob::of(&bytes);
        let (path, incoming, archive) = (self.segment_path(size, &blob), self.incoming(), self.clone());
        let write = blocking(move || {
            archive.folder(path.parent().expect("below segments/"))?;
            durable::write_from(&incoming, &path, &bytes)
        });
        write.await.map(|()| blob).map_err(durable::problem("archive segment"))
    }

    async fn segment(&self, size: u64, blob: Blob) -> Result<Vec<u8>, Problem> {
        let path = self.segment_path(size, &blob);
        checked(blob, blocking(move || durable::read(&path)).await)
    }

    async fn segments_at(&self, size: u64) -> Result<Vec<Blob>, Problem> {
        let folder = self.segment_folder(size);
        let list = blocking(move || segments_in(&folder));
        let found = list.await.map_err(durable::problem("archive segments"))?;
        Ok(found.into_iter().filter(|(s, _)| *s == size).map(|(_, blob)| blob).collect())
    }

    async fn segments_from(&self, size: u64) -> Result<Vec<(u64, Blob)>, Problem> {
        let root = self.root.join("segments");
        let first = size / SEGMENTS_A_FOLDER;
        let list = blocking(move || {
            let mut all = Vec::new();
            for folder in durable::names(&root)?.iter().filter(|name| name.parse::<u64>().is_ok_and(|n| n >= first)) {
                all.extend(segments_in(&root.join(folder))?.into_iter().filter(|(leads_to, _)| *leads_to >= size));
            }
            Ok(all)
        });
        list.await.map_err(durable::problem("archive segments"))
    }
}

fn segments_in(folder: &Path) -> durable::Result<Vec<(u64, Blob)>> {
    let parse = |name: &String| {
        let (size, hex) = name.split_once('-')?;
        Some((size.parse().ok()?, format!("sha256:{hex}").parse().ok()?))
    };
    Ok(durable::names(folder)?.iter().filter_map(parse).collect())
}

fn checked(blob: Blob, read: durable::Result<Option<Vec<u8>>>) -> Result<Vec<u8>, Problem> {
    let bytes = read.map_err(durable::problem("archive"))?.ok_or_else(|| Problem::new(Code::ArchiveMissing, blob.to_string()))?;
    if Blob::of(&bytes) == blob { Ok(bytes) } else { Err(Problem::new(Code::ArchiveDamaged, blob.to_string())) }
}

/// Digest and size of a file, read to its end.
pub fn hash_file(mut file: impl io::Read) -> io::Result<(Blob, u64)> {
    let (mut hash, mut size, mut buffer) = (Sha256::new(), 0, vec![0; PIECE]);
    loop {
        let n = file.read(&mut buffer)?;
        if n == 0 {
            return Ok((Blob::from_bytes(hash.finalize().into()), size));
        }
        hash.update(&buffer[..n]);
        size += n as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_blobs_are_remembered_than_were_put_last() {
        let mut recent = Recent::default();
        let blob = |n: usize| Blob::of(&n.to_be_bytes());
        (0..=RECENT).for_each(|n| recent.add(blob(n)));
        recent.add(blob(1));
        assert_eq!((recent.blobs.len(), recent.order.len()), (RECENT, RECENT));
        assert!(!recent.has(&blob(0)) && recent.has(&blob(1)) && recent.has(&blob(RECENT)));
    }
}
