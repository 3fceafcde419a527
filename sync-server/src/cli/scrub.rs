//! `scrub`: reads the whole archive again now, as `serve` does slowly.

use serde_json::json;
use shared::problem::{Code, Problem};

use super::{Exit, Global, Out, admit::open};
use crate::{clock, scrub};

/// Reads everything again; what is wrong stays an open fact, what was put back is one no longer.
pub(super) async fn run(global: &Global, out: &Out) -> Result<Exit, Problem> {
    let centre = open(global)?;
    let mut wrong = 0_u64;
    for step in 0..scrub::STEPS {
        let found = scrub::step(&centre.stores.archive, &centre.stores.ledger, step, clock::now(), None).await?;
        for blob in found.into_iter().flatten() {
            wrong += 1;
            let text = Code::ArchiveDamaged.row().text(out.lang);
            out.line(
                "finding",
                json!({ "code": "archive-damaged", "blob": blob }),
                format!("archive-damaged: {blob}: {}\n  → {}", text.what, text.next),
            );
        }
    }
    out.summary(json!({ "wrong": wrong }), format!("{wrong} files of the archive are missing or changed"));
    Ok(if wrong == 0 { Exit::Done } else { Exit::Integrity })
}
