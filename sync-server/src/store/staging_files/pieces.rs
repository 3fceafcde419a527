//! What an upload has brought, piece by piece: read again by whoever hashes and keeps it, or taken by the archive as a whole file.
//!
//! **Invariants:** nothing behind the durable end is given. A file is offered whole only while no writer can get it, and
//! only if it ends where what is durable ends.

use std::{
    fs::File,
    io,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use shared::{id::Blob, problem::Problem, verify::PayloadHash};

use super::super::{DurableFile, PIECE, Pieces, blocking};
use crate::durable;

/// What has durably arrived of a payload, from its start.
#[derive(Debug)]
pub struct PayloadPieces {
    file: Option<Arc<File>>,
    taken: Option<DurableFile>,
    at: u64,
    end: u64,
}

impl PayloadPieces {
    /// Opens and hashes the first `end` bytes, and locks the file if no writer has it.
    pub(super) fn open(path: PathBuf, end: u64) -> durable::Result<(PayloadHash, Self)> {
        let Some((file, locked)) = open_to_read(&path)? else {
            return Ok((PayloadHash::default(), Self { file: None, taken: None, at: 0, end: 0 }));
        };
        let hash = hash_of(&file, end)?;
        let pieces = Self::of(Arc::new(file), locked.then_some(path), end, &hash)?;
        Ok((hash, pieces))
    }

    /// What has this hash; `locked` is the name of a file that no writer can get meanwhile.
    pub(super) fn of(file: Arc<File>, locked: Option<PathBuf>, end: u64, hash: &PayloadHash) -> durable::Result<Self> {
        // A file that goes on behind what is durable has another digest, and may lose what makes the difference.
        let whole = end > 0 && file.metadata()?.len() == end;
        let blob = Blob::from_bytes(*hash.clone().finish().1.as_bytes());
        let taken = locked.filter(|_| whole).map(|path| DurableFile { path, handle: file.clone(), blob });
        Ok(Self { file: Some(file), taken, at: 0, end })
    }
}

impl Pieces for PayloadPieces {
    fn durable_file(&self) -> Option<DurableFile> {
        self.taken.clone().filter(|_| self.at == 0)
    }

    async fn next(&mut self) -> Result<Option<Vec<u8>>, Problem> {
        let len = usize::try_from(self.end - self.at).unwrap_or(PIECE).min(PIECE);
        let Some(file) = self.file.clone().filter(|_| len > 0) else { return Ok(None) };
        let at = self.at;
        let read = blocking(move || {
            let mut piece = vec![0; len];
            file.read_exact_at(&mut piece, at)?;
            Ok(piece)
        });
        let piece = read.await.map_err(durable::problem("staging"))?;
        self.at += len as u64;
        Ok(Some(piece))
    }
}

/// Reads and hashes a payload up to `end`.
pub(super) fn hash_of(file: &File, end: u64) -> durable::Result<PayloadHash> {
    let (mut hash, mut at, mut piece) = (PayloadHash::default(), 0, vec![0; PIECE]);
    while at < end {
        let len = usize::try_from(end - at).unwrap_or(PIECE).min(PIECE);
        file.read_exact_at(&mut piece[..len], at)?;
        hash.update(&piece[..len]);
        at += len as u64;
    }
    Ok(hash)
}

/// Opens a payload and says whether it could be locked against writers; `None` when nothing has arrived.
fn open_to_read(path: &Path) -> durable::Result<Option<(File, bool)>> {
    let opened = match durable::take(path, File::options().read(true)) {
        Ok(Some((file, _))) => return Ok(Some((file, true))),
        Ok(None) => File::open(path).map_err(durable::Failed::from),
        Err(e) => Err(e),
    };
    match opened {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        file => file.map(|file| Some((file, false))),
    }
}
