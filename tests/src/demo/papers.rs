//! Manifests and receipts as files, checked by a process that has the log's public key and nothing else.

use std::path::PathBuf;

use crate::world::{Program, Sure, World, path_text};

/// The papers of a batch.
#[derive(Debug, Clone)]
pub struct Papers {
    /// The signed manifest.
    pub manifest: PathBuf,
    /// The receipt: a C2SP tlog-proof.
    pub receipt: PathBuf,
}

/// Has each unit write the papers of its batches into `papers/`.
pub fn write(world: &World) -> Sure<Vec<Papers>> {
    let folder = world.path().join("papers");
    let mut all = Vec::new();
    for unit in &world.units {
        for batch in unit.batches()? {
            let place = batch["batch"].as_str().unwrap_or_default();
            unit.run(&["receipt", "show", place, "--out", path_text(&folder)?])?.ok()?;
            let file = |end: &str| folder.join(format!("{}-{place}.{end}", unit.name));
            all.push(Papers { manifest: file("manifest"), receipt: file("receipt") });
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
