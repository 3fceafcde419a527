//! `batch save`: a closed batch as files, for a centre whose archive has lost its own.

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use shared::{
    batch::Manifest,
    id::{Digest, Place},
    problem::{Code, Problem},
};

use super::{App, Exit};
use crate::{durable, vault::Vault};

/// Bytes that are read of a payload at a time.
const PIECE: usize = 1 << 20;

/// `batch …`
#[derive(Debug, Subcommand)]
pub enum BatchCommand {
    /// Write a batch's manifest and payload into a folder, as the centre had them; `sync-server archive restore` takes them back
    Save {
        /// Its place, as 1.4
        #[arg(value_parser = place)]
        batch: Place,
        /// A folder, on a stick for instance
        folder: PathBuf,
    },
}

fn place(text: &str) -> Result<Place, String> {
    text.parse().map_err(|_| "a batch is written epoch.sequence, as 1.4".to_owned())
}

impl BatchCommand {
    /// Runs it.
    pub fn run(&self, app: &App) -> Result<Exit, Problem> {
        let Self::Save { batch, folder } = self;
        let vault = app.vault()?;
        let row = vault.batches()?.into_iter().find(|row| row.place == *batch);
        let row = row.ok_or_else(|| Problem::new(Code::NotFound, format!("no batch {batch} on this laptop")))?;
        let note = vault.manifest(&row.id)?;
        let (manifest, payload) = (folder.join(format!("batch-{batch}.manifest")), folder.join(format!("batch-{batch}.payload")));
        durable::folder_given(folder)?;
        durable::write(&manifest, &note)?;
        if row.payload > 0 {
            save(&vault, &row.id, row.payload, Manifest::parse(&note)?.facts().payload, &payload)?;
        }
        let fields = json!({ "batch": batch, "manifest": manifest, "payload": payload, "bytes": row.payload });
        app.say.summary(fields, format!("batch {batch} lies in {}: sync-server archive restore {0}", folder.display()));
        Ok(Exit::Done)
    }
}

/// Writes the payload, and refuses where the vault does not have all of it any more.
fn save(vault: &Vault, id: &shared::id::BatchId, size: u64, digest: Digest, path: &std::path::Path) -> Result<(), Problem> {
    let gone = || Problem::new(Code::NotFound, "what the batch held is not on this laptop any more");
    let temporary = durable::Temporary::new(path.parent().unwrap_or(path))?;
    let (mut at, mut hash) = (0, Sha256::new());
    while at < size {
        // pruned records leave a hole
        let bytes = vault.payload(id, at, PIECE).map_err(|problem| if problem.code == Code::VaultDamaged { gone() } else { problem })?;
        if bytes.is_empty() {
            return Err(gone());
        }
        at += bytes.len() as u64;
        hash.update(&bytes);
        temporary.append(&bytes)?;
    }
    if Digest::from_bytes(hash.finalize().into()) != digest {
        return Err(gone());
    }
    Ok(temporary.replace(path)?)
}
