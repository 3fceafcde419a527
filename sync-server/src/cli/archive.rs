//! `archive restore`: puts back what the archive has lost, from a copy of it or from a unit that still has it.
//!
//! 1. Only what is in doubt is taken: `serve` and `scrub` keep which files are missing or changed.
//! 2. A file is known by its digest, whatever its name. 3. It gets its place durably, then it is in doubt no longer.
//!
//! **Trust:** none; a file of another digest is passed over. **Invariants:** a crash between the two acts of 3. leaves a doubt that the
//! next `scrub` takes away.

use std::{
    collections::BTreeSet,
    io::Read as _,
    path::{Path, PathBuf},
};

use clap::Subcommand;
use serde_json::json;
use shared::{
    id::Blob,
    log::Segment,
    problem::{Code, Problem},
};

use super::{Exit, Global, Out, admit::open};
use crate::{
    centre::Centre,
    clock,
    durable::{self, Given},
    store::{Archive as _, Ledger as _, PIECE, Pieces, archive_files::hash_file},
};

/// Largest file that is read, in bytes: more than any payload.
const MAX_FILE: u64 = 8 << 30;
/// Largest file that may be a segment of the log, in bytes.
const MAX_SEGMENT: u64 = 64 << 20;

/// The archive's files.
#[derive(Debug, Subcommand)]
pub enum Archive {
    /// Put back files that are missing or changed, from a copy or as `enroll-client batch save` wrote them
    Restore {
        /// Files, or folders of them to any depth; the name does not matter
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
}

/// A file, piece by piece.
struct FilePieces(Given);

impl Pieces for FilePieces {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, Problem> {
        let mut bytes = vec![0; PIECE];
        let n = self.0.read(&mut bytes).map_err(|e| Problem::new(Code::InputUnreadable, e.kind().to_string()))?;
        bytes.truncate(n);
        Ok((n > 0).then_some(bytes))
    }
}

impl Archive {
    /// Runs the command.
    pub async fn run(self, global: &Global, out: &Out) -> Result<Exit, Problem> {
        let Self::Restore { files } = self;
        let centre = open(global)?;
        let mut doubts: BTreeSet<Blob> = centre.stores.ledger.doubts().await?.into_iter().map(|(blob, _)| blob).collect();
        let (mut restored, mut passed, mut unread) = (0_u64, 0_u64, 0_u64);
        for file in plain(&files)? {
            // one file that cannot be read stops no other
            let found = Given::open(&file, MAX_FILE).and_then(|given| hash_file(given).map_err(|e| unreadable(&file, &e)));
            let found = found.map(|(blob, size)| doubts.remove(&blob).then_some((blob, size)));
            let Ok(Some((blob, size))) = found else {
                if let Err(problem) = found {
                    unread += 1;
                    out.warning(&problem);
                } else {
                    passed += 1;
                    let human = format!("{}: nothing of this content is in doubt", file.display());
                    out.line("passed", json!({ "file": file }), human);
                }
                continue;
            };
            put(&centre, blob, size, &file).await?;
            centre.stores.ledger.doubt(Vec::new(), vec![blob], clock::now()).await?;
            restored += 1;
            out.line("restored", json!({ "file": file, "blob": blob }), format!("{blob} is back"));
        }
        let value = json!({ "restored": restored, "passed": passed, "unread": unread, "in_doubt": doubts.len() });
        out.summary(value, format!("{restored} files are back, {} are still in doubt", doubts.len()));
        Ok(if doubts.is_empty() && unread == 0 { Exit::Done } else { Exit::Partly })
    }
}

/// The files that were named, and those in the folders that were named. A link within a folder leads elsewhere, and is no file of it.
fn plain(given: &[PathBuf]) -> Result<Vec<PathBuf>, Problem> {
    let (mut files, mut folders) = (Vec::new(), Vec::new());
    for path in given {
        if durable::is_folder(path) { folders.push(path.clone()) } else { files.push(path.clone()) }
    }
    while let Some(folder) = folders.pop() {
        for name in durable::names(&folder).map_err(durable::problem("folder"))? {
            let path = folder.join(name);
            if !durable::is_folder(&path) {
                files.push(path);
            } else if !durable::is_link(&path) {
                folders.push(path);
            }
        }
    }
    Ok(files)
}

fn unreadable(path: &Path, e: &std::io::Error) -> Problem {
    Problem::new(Code::InputUnreadable, format!("{}: {}", path.display(), e.kind()))
}

/// A segment has its place by the size that it leads to, everything else by its digest.
async fn put(centre: &Centre, blob: Blob, size: u64, path: &Path) -> Result<(), Problem> {
    if size <= MAX_SEGMENT {
        let bytes = durable::read_given(path, MAX_SEGMENT)?;
        let leads_to = Segment::parse(&bytes).map(|(segment, _)| segment.new.size);
        if let Ok(size) = leads_to {
            return centre.stores.archive.put_segment(size, bytes).await.map(drop);
        }
    }
    centre.stores.archive.put(blob, FilePieces(Given::open(path, MAX_FILE)?)).await
}
