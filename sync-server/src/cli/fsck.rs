//! `fsck`: checks everything again from nothing. Exit 7 when anything is off.

use clap::Args;
use shared::problem::Problem;

use super::{Exit, Global, Out, admit::open};
use crate::fsck;

/// Check everything again from nothing.
#[derive(Debug, Args)]
pub struct Fsck {}

impl Fsck {
    /// Runs the checks and prints what they found.
    pub async fn run(self, global: &Global, out: &Out) -> Result<Exit, Problem> {
        let centre = open(global)?;
        let report = fsck::stores(&centre.stores).await?;
        for finding in &report.findings {
            let row = finding.row();
            let value = serde_json::json!({ "code": row.code, "detail": finding.detail, "next": row.text(out.lang()).next });
            out.line("finding", value, finding.told(out.lang()));
        }
        let clean = report.is_clean();
        let word = if clean { "clean" } else { "damaged" };
        let value = serde_json::json!({
            "fsck": word, "findings": report.findings.len(), "entries": report.entries, "segments": report.segments,
            "orphan_segments": report.orphan_segments, "blobs": report.blobs, "bytes": report.bytes,
            "unnamed_blobs": report.unnamed_blobs,
        });
        let human = format!(
            "fsck: {word}; {} entries in {} segments, {} blobs of {} bytes ({} segments and {} blobs that nothing names: no alarm)",
            report.entries, report.segments, report.blobs, report.bytes, report.orphan_segments, report.unnamed_blobs
        );
        out.result(value, human);
        Ok(if clean { Exit::Done } else { Exit::Integrity })
    }
}
