//! `log`: the signed checkpoint, and the word that the clock is right.

use clap::Subcommand;
use shared::problem::{Code, Problem};

use super::{Exit, Global, Out, admit::open, asking::Yes};
use crate::{
    clock,
    pipeline::{Idle, Proposal},
    store::Ledger as _,
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
    /// Say that the clock is right although it is more than a day ahead of the log; log time never goes back after that
    Confirm {
        #[command(flatten)]
        yes: Yes,
    },
}

impl Log {
    /// Runs the command.
    pub async fn run(self, global: &Global, out: &Out) -> Result<Exit, Problem> {
        let centre = open(global)?;
        match self {
            Self::Checkpoint => {
                // Starting catches up with the guard, and nothing but a head that it holds is ever signed.
                let (sequencer, _) = centre.sequencer(Idle::Quiet).await?;
                let published = sequencer.published().await?;
                let text = std::str::from_utf8(published.checkpoint.as_bytes()).map_err(|_| Code::NoteMalformed)?;
                let (head, received) = (published.head(), published.position.received);
                let value =
                    serde_json::json!({ "size": head.size, "root": head.root.to_string(), "received": received, "checkpoint": text });
                out.answer(value, text.trim_end());
            }
            Self::Time(Time::Confirm { yes }) => {
                let log = centre.stores.ledger.position().await?.received;
                if clock::now() < log {
                    return Err(Problem::new(Code::NothingToDo, format!("the clock is behind the log's {log}, which never goes back")));
                }
                out.note(format!("this server's clock says {}, the newest entry of the log {log}. What is logged from now on is dated by the clock, for good", clock::now()));
                yes.or_ask("Is the clock right?")?;
                let (sequencer, _) = centre.sequencer(Idle::Quiet).await?;
                let logged = sequencer.log(Proposal::TimeConfirmed).await?;
                let (index, received) = (logged.index(), logged.entry().received);
                out.answer(
                    serde_json::json!({ "log_index": index.0, "received": received }),
                    format!("log time is {received}, entry {index}"),
                );
            }
        }
        Ok(Exit::Done)
    }
}
