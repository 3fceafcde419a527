//! `case`: what a person must decide. Each reading is recorded before the answer is printed.
//!
//! | file | does |
//! |---|---|
//! | `list` | pages of cases, two under one key, hints |
//! | `show` | both sides, field by field, and what may be decided |
//! | `decide` | signs what a person said about one case or many |
//! | `lines` | reads a file of decisions |
//! | `confirm` | the second signature, or the end of what waits for it |
//! | `history` | who decided what, when, and what became of it |

pub(super) mod decide;
mod confirm;
mod history;
mod lines;
mod list;
mod show;

use clap::Subcommand;
use shared::{
    id::{CaseRef, NoteId},
    problem::{Code, Problem},
};

use self::confirm::How;
use super::{
    Exit, Global, Out,
    asking::Yes,
    deciding::Signing,
    reading::{Reading, Reason},
};

/// List, show and decide cases.
#[derive(Debug, Subcommand)]
pub enum Case {
    /// List cases, page by page
    List(list::List),
    /// Show a case: what its records say, whom they may concern, and what may be decided
    Show {
        /// Reference: 32 hex digits
        reference: CaseRef,
        #[command(flatten)]
        reason: Reason,
    },
    /// Decide about one case, or about many in one note; each is shown first
    Decide(Box<decide::Decide>),
    /// Be the second person of a decision that waits; all of it is shown first
    Confirm {
        /// Id of the first note: `sha256:…`
        id: NoteId,
        #[command(flatten)]
        signing: Signing,
        #[command(flatten)]
        yes: Yes,
    },
    /// End what waits in a decision: nothing was changed by it, so one person is enough, and it may be who signed first
    Reject {
        /// Id of the first note: `sha256:…`
        id: NoteId,
        #[command(flatten)]
        signing: Signing,
        #[command(flatten)]
        yes: Yes,
    },
    /// Show who decided what about a case, a record, a batch, or by one decision
    History {
        /// Reference of a case, id of a record, `sha256:…` of a batch or of a decision
        about: String,
    },
}

impl Case {
    /// Runs the command.
    pub async fn run(self, global: &Global, out: &Out) -> Result<Exit, Problem> {
        match self {
            Self::List(list) => list.run(global, out).await,
            Self::Show { reference, reason } => show(global, out, &reference, &reason).await,
            Self::Decide(decide) => decide.run(global, out).await,
            Self::Confirm { id, signing, yes } => confirm::second(global, out, id, How::Confirm, &signing, &yes).await,
            Self::Reject { id, signing, yes } => confirm::second(global, out, id, How::Reject, &signing, &yes).await,
            Self::History { about } => history::history(global, out, &about).await,
        }
    }
}

async fn show(global: &Global, out: &Out, reference: &CaseRef, reason: &Reason) -> Result<Exit, Problem> {
    let reading = Reading::open(global, "case show", reason).await?;
    let records = reading.provenance().case(reference).await?;
    if records.is_empty() {
        return Err(Problem::new(Code::ResidentUnknown, reference.to_string()));
    }
    let seen = reading.seen(&records).await?;
    show::print(out, &seen);
    out.summary(serde_json::json!({ "case": reference, "records": seen.len() }), "");
    Ok(Exit::Done)
}
