//! `log`: the signed checkpoint, and the word that the clock is right.

use clap::Subcommand;
use shared::{
    log::checkpoint,
    problem::{Code, Problem},
};

use super::{Exit, Global, Out, admit::open};
use crate::{
    pipeline::{Idle, Proposal},
    store::{Guard as _, Ledger as _},
};

/// Show the log.
#[derive(Debug, Subcommand)]
pub enum Log {
    /// Print the newest checkpoint, signed by the log's key
    Checkpoint,
    /// The centre's clock
    #[command(subcommand)]
    Time(Time),
}

/// The centre's clock.
#[derive(Debug, Subcommand)]
pub enum Time {
    /// Say that the clock is right although it is more than a day ahead of the log
    Confirm,
}

impl Log {
    /// Runs the command.
    pub async fn run(self, global: &Global, out: &Out) -> Result<Exit, Problem> {
        let centre = open(global)?;
        match self {
            Self::Checkpoint => {
                let position = centre.stores.ledger.position().await?;
                // Only a head that the guard holds is ever signed; a running server may be a round ahead of us.
                let guarded = centre.stores.guard.read().await?.ok_or(Code::GuardMissing)?;
                if guarded.head.size < position.line.head.size {
                    return Err(Problem::new(Code::GuardConflict, format!("the guard holds {}", guarded.head)));
                }
                let note = checkpoint(position.line.head, &centre.log_key()?);
                let text = std::str::from_utf8(note.as_bytes()).map_err(|_| Code::NoteMalformed)?;
                let head = position.line.head;
                let value = serde_json::json!({ "size": head.size, "root": head.root.to_string(), "received": position.received, "checkpoint": text });
                out.result(value, text.trim_end());
            }
            Self::Time(Time::Confirm) => {
                let (sequencer, _) = centre.sequencer(Idle::Quiet).await?;
                let logged = sequencer.log(Proposal::TimeConfirmed).await?;
                let (index, received) = (logged.index(), logged.entry().received);
                out.result(
                    serde_json::json!({ "log_index": index.0, "received": received }),
                    format!("log time is {received}, entry {index}"),
                );
            }
        }
        Ok(Exit::Done)
    }
}
