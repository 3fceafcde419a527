//! Manifests and receipts as files, checked by a process that has the log's public key and nothing else.

use std::{fs, path::PathBuf};

use enroll_client::vault::{Places, Vault};

use crate::world::{Program, Sure, World, path_text};

/// The papers of a batch.
#[derive(Debug, Clone)]
pub struct Papers {
    /// The signed manifest.
    pub manifest: PathBuf,
    /// The receipt: a C2SP tlog-proof.
    pub receipt: PathBuf,
}

/// Writes the papers of every batch of every unit into `papers/`.
pub fn write(world: &World) -> Sure<Vec<Papers>> {
    let mut all = Vec::new();
    for unit in &world.units {
        let folder = world.path().join("papers").join(&unit.name);
        fs::create_dir_all(&folder)?;
        let vault = Vault::open(&Places { data: unit.data.clone(), machine: unit.data.join("machine.secret") })?;
        for batch in vault.batches()? {
            let papers = Papers {
                manifest: folder.join(format!("{}.manifest", batch.place)),
                receipt: folder.join(format!("{}.receipt", batch.place)),
            };
            fs::write(&papers.manifest, vault.manifest(&batch.id)?)?;
            if let Some(receipt) = vault.receipt(&batch.id)? {
                fs::write(&papers.receipt, receipt)?;
                all.push(papers);
            }
        }
    }
    Ok(all)
}

/// How many receipts hold.
pub fn verify(papers: &[Papers], log_key: &str) -> Sure<usize> {
    let verifier = Program::new("enroll-verify", &[])?;
    let mut verified = 0;
    for paper in papers {
        let (manifest, receipt) = (path_text(&paper.manifest)?, path_text(&paper.receipt)?);
        let out = verifier.command(&["receipt", "--log-key", log_key, "--manifest", manifest, "--receipt", receipt]).output()?;
        verified += usize::from(out.status.success());
    }
    Ok(verified)
}
