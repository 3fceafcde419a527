//! What commands that decide share: who signs, with which key; logging a note; what became of each of its lines.
//!
//! ```text
//! show ─▶ ask ─▶ sign ─▶ archive ─▶ log ─▶ wait until it is folded ─▶ say what became of each line
//! ```
//! **Invariants:** a line is signed only for what this command has shown before; a key that may not decide is refused before anything
//! is shown. A crash after the log's entry loses nothing: `case history` says what became of it.

use std::{path::PathBuf, time::Duration};

use clap::Args;
use serde_json::json;
use shared::{
    decision::{Decision, DecisionLine, Said, Subject},
    id::{KeyName, Member, NoteId},
    keys::{KeyRef, Signer},
    problem::{Code, Problem},
    seal::passphrase_open,
};
use tokio::time::{sleep, timeout};

use super::{
    Exit, Out,
    reading::{Provenance, Reading},
    secrets::Unlock,
};
use crate::{
    centre::Centre,
    keys,
    pipeline::{Proposal, merge},
    registry::{About, DecidedLine},
    rules::{decisions::Needs, engine::LineState},
    store::{Archive as _, Ledger as _, Whole},
};

/// How long a command waits until a running server has folded what was decided.
const WAIT: Duration = Duration::from_secs(10);
/// How often it looks.
const LOOK: Duration = Duration::from_millis(100);

/// Who decides.
#[derive(Debug, Clone, Args)]
pub struct Signing {
    /// Your name in the roster
    #[arg(long = "as", env = "SYNC_SERVER_AS", value_name = "NAME")]
    name: Member,
    /// Your own key, as `staff add` has made it
    #[arg(long, env = "SYNC_SERVER_KEY", value_name = "FILE")]
    key: PathBuf,
    #[command(flatten)]
    passphrase: Unlock,
}

impl Signing {
    /// Reads the key, and refuses one that may not decide.
    pub async fn adjudicator(&self, centre: &Centre) -> Result<Signer, Problem> {
        let open = |locked: &[u8]| passphrase_open(locked, self.passphrase.read("your key")?.as_str());
        let signer = keys::read(&self.key, open)?;
        if *signer.public().name() != KeyName::from(&self.name) {
            return Err(Problem::new(Code::KeyWrong, format!("the key in {} is not one of {}", self.key.display(), self.name)));
        }
        let roster = centre.roster().await?;
        let key = KeyRef::from(signer.public());
        let position = centre.stores.ledger.position().await?;
        let listed = roster.facts().adjudicator(&self.name, key.id).is_some_and(|entry| entry.key == *signer.public());
        let next = shared::id::LogIndex(position.line.head.size);
        let counts = centre.stores.ledger.life(&key, position.received).await?.counts(next, None).counts();
        if listed && counts { Ok(signer) } else { Err(Problem::new(Code::NotAdjudicator, key.to_string())) }
    }
}

/// Says what each line would do now. An error names the first whose case is another, or that would change nothing; nobody signs then.
pub async fn announce(out: &Out, provenance: &Provenance, lines: &[DecisionLine]) -> Result<(), Problem> {
    for line in lines {
        let what = subject(&line.subject);
        let (persons, effect) = match provenance.needs(line).await? {
            None => return Err(Problem::new(Code::CaseChanged, what)),
            Some(Needs::Nobody) => return Err(Problem::new(Code::NothingToDo, format!("{what}: it stands so already"))),
            Some(Needs::One) => (1, "acts at once"),
            Some(Needs::Two) => (2, "will wait for a second person"),
        };
        let human = format!("{what} ({}): {effect}", line.reason);
        out.line("would", json!({ "line": line.to_string(), "persons": persons }), human);
    }
    Ok(())
}

/// What a line is about and what it says, as people read it.
pub fn subject(subject: &Subject) -> String {
    match subject {
        Subject::Record(key, verdict) => format!("record {} {} {verdict}", key.unit, key.record),
        Subject::Batch(batch, verdict) => format!("batch {batch} {verdict}"),
    }
}

/// Signs, archives and logs what a person said; then waits until it is folded, and says what became of each line.
pub async fn decide(reading: &Reading, out: &Out, said: Said, signer: &Signer) -> Result<Exit, Problem> {
    let centre = reading.centre();
    let decision = Decision::sign(&centre.settings.file.centre, said, signer)?;
    let (id, note) = (decision.id(), decision.note());
    let rejects = matches!(decision.said(), Said::Reject(_));
    let first = match decision.said() {
        Said::Lines(_) => id,
        Said::Confirm(first) | Said::Reject(first) => *first,
    };
    // A crash after this leaves a blob that nobody names; the same note is written again.
    centre.stores.archive.put(note.blob(), Whole::new(note.as_bytes())).await?;
    // what confirms or rejects leaves nothing waiting once it is folded
    let ends = first != id;
    let logged = reading.sequencer().log(Proposal::Decision(Box::new(decision))).await?;
    let lines = folded(centre, &reading.provenance(), first, ends).await?;
    for line in &lines {
        told(out, line);
    }
    let of = |wanted: fn(&Option<LineState>) -> bool| lines.iter().filter(|line| wanted(&line.state)).count();
    let (acts, waits) = (of(|s| matches!(s, Some(LineState::Acts(_)))), of(|s| matches!(s, Some(LineState::Waits))));
    let later = of(Option::is_none) + if ends { waits } else { 0 };
    if later > 0 {
        out.note("logged; it takes effect when `sync-server serve` or `sync-server rebuild` folds next");
    }
    let value =
        json!({ "decision": first, "log_index": logged.index().0, "lines": lines.len(), "acts": acts, "waits": waits, "later": later });
    out.answer(value, format!("decision {first}, log entry {}: {acts} of {} lines act", logged.index(), lines.len()));
    Ok(if (rejects && later == 0) || acts == lines.len() { Exit::Done } else { Exit::Partly })
}

/// Waits, in bounds, until the lines of a note are folded: here if nobody else merges, else by whoever does.
async fn folded(centre: &Centre, provenance: &Provenance, id: NoteId, ends: bool) -> Result<Vec<DecidedLine>, Problem> {
    match merge::lock(&centre.settings.data.join("merge.lock")) {
        Ok(_lock) => {
            provenance.fold().await?;
            return provenance.history(About::Decision(id)).await;
        }
        Err(problem) if problem.code == Code::LockedElsewhere => {}
        Err(problem) => return Err(problem),
    }
    let open = |line: &DecidedLine| line.state.is_none() || (ends && line.state == Some(LineState::Waits));
    let look = async {
        loop {
            let lines = provenance.history(About::Decision(id)).await?;
            if !lines.iter().any(open) {
                return Ok(lines);
            }
            sleep(LOOK).await;
        }
    };
    match timeout(WAIT, look).await {
        Ok(lines) => lines,
        Err(_) => provenance.history(About::Decision(id)).await,
    }
}

/// The state of a line as machines read it, and the code that a person looks up.
pub fn state(line: &DecidedLine) -> (&'static str, Option<Code>) {
    match line.state {
        Some(LineState::Acts(_)) => ("acts", None),
        Some(LineState::Waits) => ("waits", Some(Code::SecondNeeded)),
        Some(LineState::Changed) => ("changed", Some(Code::CaseChanged)),
        Some(LineState::NotInForce) => ("not-in-force", Some(Code::NotAdjudicator)),
        Some(LineState::Rejected(_)) => ("rejected", None),
        None => ("logged", None),
    }
}

/// A line of a decision as machines read it.
pub fn value(line: &DecidedLine) -> serde_json::Value {
    let (state, code) = state(line);
    let at = match line.state {
        Some(LineState::Acts(at)) => Some(at.0),
        _ => None,
    };
    let mut value = json!({
        "decision": line.decision, "log_index": line.index.0, "by": line.by, "confirmed": line.confirmed, "state": state,
        "acts_at": at, "code": code.map(|c| c.row().code), "reason": line.line.reason.as_str(), "replaces": line.line.replaces,
    });
    match &line.line.subject {
        Subject::Record(key, verdict) => {
            value["record"] = json!({ "unit": key.unit, "record": key.record, "digest": key.digest });
            value["verdict"] = json!(verdict.to_string());
        }
        Subject::Batch(batch, verdict) => {
            value["batch"] = json!(batch);
            value["verdict"] = json!(verdict.to_string());
        }
    }
    value
}

/// Says what became of a line.
fn told(out: &Out, line: &DecidedLine) {
    let what = subject(&line.line.subject);
    let human = match line.state {
        Some(LineState::Acts(at)) => format!("{what}: acts since entry {at}"),
        Some(LineState::Waits) => {
            let text = Code::SecondNeeded.row().text(out.lang);
            format!(
                "second-needed: {what}: {}\n  → sync-server case confirm {1} --as NAME --key FILE, or case reject {1}",
                text.what, line.decision
            )
        }
        Some(LineState::Changed) => Problem::new(Code::CaseChanged, what).told(out.lang),
        Some(LineState::NotInForce) => Problem::new(Code::NotAdjudicator, what).told(out.lang),
        Some(LineState::Rejected(at)) => format!("{what}: rejected by entry {at}, nothing was changed"),
        None => format!("{what}: logged"),
    };
    out.line("decided", value(line), human);
}
