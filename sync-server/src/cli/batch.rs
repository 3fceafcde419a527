//! `batch`: list, show, decide. No personal data: manifests name no resident.

use clap::{Args, Subcommand, ValueEnum};
use shared::{
    batch::{Line, Manifest},
    decision::{BatchVerdict, DecisionLine, Reason, Said, Subject},
    id::{BatchId, LogIndex},
    log::BatchState,
    problem::{Code, Problem},
};

use super::{
    Exit, Global, Out,
    admit::open,
    asking::Yes,
    case::decide::reason,
    deciding::{Signing, announce, decide},
    reading::{Provenance, Reading},
};
use crate::{
    centre::Centre,
    registry::BatchCase,
    store::{Archive as _, BatchFacts, Ledger as _},
};

/// How many are read at a time.
const PAGE: usize = 500;

/// List, show and decide batches.
#[derive(Debug, Subcommand)]
pub enum Batch {
    /// List logged batches in the log's order
    List {
        /// Only those of this unit
        #[arg(long)]
        unit: Option<shared::id::Member>,
    },
    /// Show one batch and its lines
    Show {
        /// `sha256:…`
        id: BatchId,
    },
    /// Accept a batch in spite of its code, or refuse it
    Decide(Box<Decide>),
}

/// `batch decide`
#[derive(Debug, Args)]
pub struct Decide {
    /// `sha256:…`
    id: BatchId,
    /// What becomes of it
    verdict: Verb,
    /// The code that no longer stands against it, for `accept`
    code: Option<Code>,
    /// Why: work-checked, fraud, wrong-data, mistake, order, …
    #[arg(long, value_name = "WORD", value_parser = reason)]
    reason: Reason,
    #[command(flatten)]
    yes: Yes,
    #[command(flatten)]
    signing: Signing,
}

/// What becomes of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Verb {
    /// This code no longer stands against it
    Accept,
    /// Its records are out
    Refuse,
}

impl Batch {
    /// Runs the command.
    pub async fn run(self, global: &Global, out: &Out) -> Result<Exit, Problem> {
        let centre = open(global)?;
        match self {
            Self::Decide(decide) => decide.run(centre, out).await,
            Self::List { unit } => list(&centre, out, unit.as_ref()).await,
            Self::Show { id } => show(&centre, out, id).await,
        }
    }
}

fn value(batch: &BatchFacts) -> serde_json::Value {
    serde_json::json!({
        "id": batch.id, "unit": batch.unit, "place": batch.place, "log_index": batch.index.0, "received": batch.received,
        "lines": batch.lines, "payload_size": batch.payload_size, "state": batch.state.to_string(), "manifest": batch.manifest,
    })
}

/// What persons have decided about a batch, where no code stands against it any more.
fn decided(case: &BatchCase) -> Option<&'static str> {
    if case.is_refused() {
        return Some("refused");
    }
    (case.decision.is_some() && case.code.is_none()).then_some("accepted")
}

async fn list(centre: &Centre, out: &Out, unit: Option<&shared::id::Member>) -> Result<Exit, Problem> {
    let (mut next, mut count) = (LogIndex(0), 0_u64);
    let provenance = Provenance::of(centre);
    loop {
        let page = centre.stores.ledger.batches_from(next, PAGE).await?;
        let Some(last) = page.last() else { break };
        next = LogIndex(last.index.0 + 1);
        for batch in page.iter().filter(|b| unit.is_none_or(|u| b.unit == *u)) {
            count += 1;
            let decided = match batch.state {
                BatchState::Accepted => None,
                BatchState::Quarantined(_) => decided(&provenance.batch_case(batch.id).await?),
            };
            let human = format!(
                "{:<12} {:<8} entry {:<8} {} {:>4} lines {:>12} bytes  {}  {}",
                batch.unit.as_str(),
                batch.place,
                batch.index,
                batch.received,
                batch.lines,
                batch.payload_size,
                decided.map_or_else(|| batch.state.to_string(), |decided| format!("{} ({decided} by decision)", batch.state)),
                batch.id
            );
            let mut value = value(batch);
            value["decided"] = serde_json::json!(decided);
            out.line("batch", value, human);
        }
    }
    out.summary(serde_json::json!({ "batches": count }), format!("{count} batches"));
    Ok(Exit::Done)
}

async fn show(centre: &Centre, out: &Out, id: BatchId) -> Result<Exit, Problem> {
    let batch = centre.stores.ledger.batch(id).await?.ok_or_else(|| Problem::new(Code::NotFound, id.to_string()))?;
    let manifest = Manifest::parse(&centre.stores.archive.get(batch.manifest).await?)?;
    for line in &manifest.facts().lines {
        let (kind, record, what) = match line {
            Line::Record(line) => {
                ("record", line.facts.record, format!("{} {} by {}", line.facts.transaction, line.facts.form, line.facts.agent))
            }
            Line::Withdrawn(line) => ("withdrawn", line.record, format!("{} by {}", line.reason, line.by)),
        };
        let number = line.number();
        let value = serde_json::json!({ "kind": kind, "number": number, "record": record, "what": what });
        out.line("line", value, format!("{number:<10} {record} {kind:<9} {what}"));
    }
    let outcome = centre.stores.ledger.outcome(id).await?;
    let mut summary = value(&batch);
    summary["outcome"] = outcome.as_ref().map_or(serde_json::Value::Null, |o| o.version.into());
    let outcome = outcome.map_or_else(|| "no outcome yet".to_owned(), |o| format!("outcome version {}", o.version));
    let case = Provenance::of(centre).batch_case(id).await?;
    let state = match (batch.state, decided(&case)) {
        (BatchState::Accepted, _) => "accepted".to_owned(),
        (BatchState::Quarantined(code), Some(decided)) => format!("quarantined {code}, {decided} by decision"),
        (BatchState::Quarantined(code), None) => format!("quarantined {code}: {}", code.row().text(out.lang).next),
    };
    let about = format!("batch {} of {}, log entry {} at {}", batch.place, batch.unit, batch.index, batch.received);
    let mut human = vec![format!("{about}: {state}; {outcome}")];
    summary["code"] = serde_json::json!(case.code.map(|c| c.row().code));
    summary["decision"] = serde_json::json!(case.decision);
    let lifted: Vec<_> = case.accepted.iter().flatten().map(|code| code.row().code).collect();
    summary["accepted"] = serde_json::json!(lifted);
    summary["refused"] = serde_json::json!(case.is_refused());
    if let Some(decision) = case.decision {
        human.push(format!("decided: sync-server case history {decision}"));
    }
    if let Some(code) = case.code {
        human.push(format!("may be decided: sync-server batch decide {id} accept {code} --reason work-checked --as NAME --key FILE"));
        if !case.is_refused() {
            human.push(format!("may be decided: sync-server batch decide {id} refuse --reason fraud --as NAME --key FILE"));
        }
    }
    out.summary(summary, human.join("\n"));
    Ok(Exit::Done)
}

impl Decide {
    async fn run(self, centre: Centre, out: &Out) -> Result<Exit, Problem> {
        let signer = self.signing.adjudicator(&centre).await?;
        let facts = centre.stores.ledger.batch(self.id).await?.ok_or_else(|| Problem::new(Code::NotFound, self.id.to_string()))?;
        let case = Provenance::of(&centre).batch_case(self.id).await?;
        let verdict = self.verdict(&case)?;
        let stands = case.code.map_or_else(|| "accepted".to_owned(), |code| format!("{code} stands against it"));
        let human = format!(
            "batch {} of {}, entry {} at {}, {} lines: {stands}",
            facts.place, facts.unit, facts.index, facts.received, facts.lines
        );
        out.line("batch", value(&facts), human);
        let subject = Subject::Batch(self.id, verdict);
        let lines = vec![DecisionLine { subject, replaces: case.decision, case: case.digest, reason: self.reason }];
        let reading = Reading::of(centre, "batch decide", format!("to decide: {}", self.reason)).await?;
        announce(out, &reading.provenance(), &lines).await?;
        self.yes.or_ask(&format!("Sign this as {}?", signer.public().name()))?;
        let done = decide(&reading, out, Said::Lines(lines), &signer).await?;
        // an acceptance lifts one code: whoever decides hears of the next
        let now = reading.provenance().batch_case(self.id).await?;
        if let Some(code) = now.code.filter(|code| matches!(verdict, BatchVerdict::Accept(lifted) if lifted != *code)) {
            out.note(format!("{code} still stands against this batch: sync-server batch show {}", self.id));
        }
        Ok(done)
    }

    fn verdict(&self, case: &BatchCase) -> Result<BatchVerdict, Problem> {
        match (self.verdict, self.code, case.code) {
            (Verb::Refuse, None, _) => Ok(BatchVerdict::Refuse),
            (Verb::Refuse, Some(_), _) => Err(Problem::new(Code::Usage, "no code is needed to refuse")),
            (Verb::Accept, None, _) => Err(Problem::new(Code::Usage, "accept in spite of which code?")),
            (Verb::Accept, Some(_), None) => Err(Problem::new(Code::NothingToDo, "no code stands against this batch")),
            (Verb::Accept, Some(said), Some(stands)) if said == stands => Ok(BatchVerdict::Accept(said)),
            (Verb::Accept, Some(_), Some(stands)) => Err(Problem::new(Code::CaseChanged, format!("{stands} stands against this batch"))),
        }
    }
}
