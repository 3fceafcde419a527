//! The bytes of an archive, read here and there, unpacked on the way when it is compressed.
//!
//! **Trust:** whoever made the archive. **Invariants:** at most [`ARCHIVE_MAX`] bytes come out of it, at most [`STARTS_MAX`]
//! times; what is unpacked is nowhere but in memory, a piece at a time.

use std::{
    io::{self, BufReader, Read},
    path::{Path, PathBuf},
};

use flate2::bufread::MultiGzDecoder;
use shared::problem::Problem;

use super::{ARCHIVE_MAX, Packing, unreadable};
use crate::durable::{self, Given};

/// So often a compressed archive is unpacked from its beginning: for the index, for the residents, and where members lie apart.
const STARTS_MAX: u32 = 16;
/// Bytes that are looked at together.
const PIECE: u64 = 64 << 10;
/// Largest window of zstd, as `zstd -d` takes it: 128 MiB.
const WINDOW_LOG_MAX: u32 = 27;

/// What lies behind the end that an archive says it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rest {
    /// Nothing but zeros.
    Zeros,
    /// Something.
    More,
}

/// An archive's bytes.
pub(super) struct Bytes {
    path: PathBuf,
    packed: Packed,
}

enum Packed {
    No(Given),
    Yes(Unpacking),
}

/// A compressed archive, unpacked up to some offset.
struct Unpacking {
    packing: Packing,
    stream: Box<dyn Read>,
    at: u64,
    starts: u32,
}

impl Unpacking {
    fn start(file: Given, packing: Packing) -> io::Result<Box<dyn Read>> {
        if packing == Packing::Gzip {
            return Ok(Box::new(MultiGzDecoder::new(BufReader::with_capacity(1 << 16, file))));
        }
        let mut stream = zstd::stream::read::Decoder::new(file)?;
        stream.window_log_max(WINDOW_LOG_MAX)?;
        Ok(Box::new(stream))
    }
}

impl Bytes {
    pub(super) fn open(file: Given, path: &Path, packing: Packing) -> Result<Self, Problem> {
        let packed = match packing {
            Packing::Other => return Err(unreadable(path, "packed in a way that is not read here")),
            Packing::Tar | Packing::Zip => Packed::No(file),
            Packing::Gzip | Packing::Zstd => {
                let stream = Unpacking::start(file, packing).map_err(|e| durable::failed(path, &e))?;
                Packed::Yes(Unpacking { packing, stream, at: 0, starts: 1 })
            }
        };
        Ok(Self { path: path.to_owned(), packed })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Its length as it lies on the disk.
    pub(super) fn len(&self) -> u64 {
        if let Packed::No(file) = &self.packed { file.len() } else { 0 }
    }

    /// The archive is not what it says of itself.
    pub(super) fn broken(&self) -> Problem {
        unreadable(&self.path, "not a whole archive")
    }

    /// Reads so many bytes from an offset on. Of a compressed archive whose offset lies behind, all is unpacked again.
    pub(super) fn read_at(&mut self, at: u64, size: usize) -> Result<Vec<u8>, Problem> {
        let end = at.checked_add(size as u64).ok_or_else(|| self.broken())?;
        if let Packed::No(file) = &self.packed {
            return if end <= file.len() { file.read_at(at, size) } else { Err(self.broken()) };
        }
        if end > ARCHIVE_MAX {
            return Err(unreadable(&self.path, "too large"));
        }
        self.forward(at)?;
        let Packed::Yes(unpacking) = &mut self.packed else { return Err(self.broken()) };
        let mut bytes = vec![0; size];
        let read = unpacking.stream.read_exact(&mut bytes);
        unpacking.at = end;
        read.map_err(|e| self.failed(&e))?;
        Ok(bytes)
    }

    /// What lies from an offset to the end; of a compressed archive, its own checks are done then.
    pub(super) fn rest(&mut self, from: u64) -> Result<Rest, Problem> {
        let mut at = from;
        loop {
            let piece = self.piece(at)?;
            if piece.iter().any(|&b| b != 0) {
                return Ok(Rest::More);
            }
            if piece.is_empty() {
                return Ok(Rest::Zeros);
            }
            at += piece.len() as u64;
        }
    }

    /// The next bytes; none at the end.
    fn piece(&mut self, at: u64) -> Result<Vec<u8>, Problem> {
        if let Packed::No(file) = &self.packed {
            let size = usize::try_from(file.len().saturating_sub(at).min(PIECE)).unwrap_or_default();
            return file.read_at(at, size);
        }
        if at > ARCHIVE_MAX {
            return Err(unreadable(&self.path, "too large"));
        }
        self.forward(at)?;
        let Packed::Yes(unpacking) = &mut self.packed else { return Err(self.broken()) };
        let mut bytes = Vec::new();
        let read = unpacking.stream.by_ref().take(PIECE).read_to_end(&mut bytes);
        unpacking.at += bytes.len() as u64;
        read.map_err(|e| self.failed(&e))?;
        Ok(bytes)
    }

    /// Unpacks up to an offset.
    fn forward(&mut self, to: u64) -> Result<(), Problem> {
        let broken = self.broken();
        let Packed::Yes(unpacking) = &mut self.packed else { return Ok(()) };
        if to < unpacking.at {
            if unpacking.starts >= STARTS_MAX {
                return Err(unreadable(&self.path, "the files of its residents lie too far apart; pack it again"));
            }
            let file = Given::open(&self.path, ARCHIVE_MAX)?;
            unpacking.stream = Unpacking::start(file, unpacking.packing).map_err(|e| durable::failed(&self.path, &e))?;
            unpacking.starts += 1;
            unpacking.at = 0;
        }
        let ahead = to - unpacking.at;
        let skipped = io::copy(&mut unpacking.stream.by_ref().take(ahead), &mut io::sink());
        unpacking.at = to;
        match skipped {
            Ok(skipped) if skipped == ahead => Ok(()),
            Ok(_) => Err(broken),
            Err(e) => Err(self.failed(&e)),
        }
    }

    /// The disk failed, or what it holds cannot be unpacked.
    fn failed(&self, e: &io::Error) -> Problem {
        if e.raw_os_error().is_some() { durable::failed(&self.path, e) } else { self.broken() }
    }
}
