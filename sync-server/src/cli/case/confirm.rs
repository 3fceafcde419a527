//! `case confirm` and `case reject`: the second signature under a logged note, or the end of what waits in it. All of that is shown first.

use serde_json::json;
use shared::{
    decision::{RecordKey, Said, Subject},
    id::NoteId,
    problem::{Code, Problem},
};

use super::show;
use crate::{
    cli::{
        Exit, Global, Out,
        admit::open,
        asking::Yes,
        deciding::{self, Signing, decide},
        reading::Reading,
    },
    registry::{About, DecidedLine},
    rules::engine::LineState,
    store::Ledger as _,
};

/// What the second note does with the lines that wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    /// Signs them too.
    Confirm,
    /// Ends them.
    Reject,
}

/// Shows the first note with both sides of each line that waits, asks, and signs.
pub(super) async fn second(global: &Global, out: &Out, id: NoteId, how: How, signing: &Signing, yes: &Yes) -> Result<Exit, Problem> {
    let (said, command, verb) = match how {
        How::Confirm => (Said::Confirm(id), "case confirm", "confirm"),
        How::Reject => (Said::Reject(id), "case reject", "reject"),
    };
    let centre = open(global)?;
    let signer = signing.adjudicator(&centre).await?;
    let first = centre.stores.ledger.decision(id).await?.filter(|first| matches!(first.note.said(), Said::Lines(_)));
    let first = first.ok_or_else(|| Problem::new(Code::NotFound, format!("no decision {id}")))?;
    if how == How::Confirm && first.key.name == *signer.public().name() {
        return Err(Problem::new(Code::SecondSame, first.key.to_string()));
    }
    let reading = Reading::of(centre, command, format!("to {verb} {id}")).await?;
    let provenance = reading.provenance();
    let lines = provenance.history(About::Decision(id)).await?;
    let waiting: Vec<_> = lines.iter().filter(|line| line.state == Some(LineState::Waits)).collect();
    let records: Vec<RecordKey> = waiting
        .iter()
        .filter_map(|line| match &line.line.subject {
            Subject::Record(key, _) => Some(key.clone()),
            Subject::Batch(..) => None,
        })
        .collect();
    let seen = reading.seen(&records).await?;
    show::print(out, &seen);
    let overtaken = print(out, &lines);
    if waiting.is_empty() {
        let ended = lines.iter().any(|line| line.state == Some(LineState::NotInForce));
        return Err(match overtaken {
            0 if ended => Problem::new(Code::NotAdjudicator, format!("the key of the first signature, {}", first.key)),
            0 => Problem::new(Code::NothingToDo, "no line of this decision waits for a second person"),
            lines => Problem::new(Code::CaseChanged, format!("all {lines} lines that waited")),
        });
    }
    yes.or_ask(&format!("Do you {verb} the decision of {} as {}?", first.key.name, signer.public().name()))?;
    decide(&reading, out, said, &signer).await
}

/// The lines of the first note; how many of them another decision has overtaken.
fn print(out: &Out, lines: &[DecidedLine]) -> usize {
    let mut overtaken = 0;
    for line in lines {
        let (what, (state, _)) = (deciding::subject(&line.line.subject), deciding::state(line));
        let human = format!("{what} ({}) by {}, entry {}: {state}", line.line.reason, line.by, line.index);
        out.line("line", deciding::value(line), human);
        if line.state == Some(LineState::Changed) {
            overtaken += 1;
            let problem = Problem::new(Code::CaseChanged, what);
            out.line("case-changed", json!({ "code": problem.row().code, "detail": problem.detail }), problem.told(out.lang));
        }
    }
    overtaken
}
