//! `batch save`: a closed batch as files, for a centre whose archive has lost its own.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::json;
use shared::{
    batch::Manifest,
    id::{BatchId, Digest, Place},
    problem::{Code, Problem},
};

use super::{App, Exit};
use crate::{durable, vault::Vault};

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
fn save(vault: &Vault, id: &BatchId, size: u64, digest: Digest, path: &Path) -> Result<(), Problem> {
    let temporary = durable::Temporary::new(path.parent().unwrap_or(path))?;
    match vault.read_payload(id, size, |bytes| Ok(temporary.append(bytes)?)) {
        Ok(whole) if whole == digest => Ok(temporary.replace(path)?),
        Err(problem) if problem.code != Code::VaultDamaged => Err(problem),
        _ => Err(Problem::new(Code::NotFound, "what the batch held is not on this laptop any more")),
    }
}
