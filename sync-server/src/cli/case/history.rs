//! `case history`: who decided what, when, confirmed by whom, and what became of each line. It names nobody but those who decided.

use std::collections::BTreeSet;

use serde_json::json;
use shared::{
    decision::{RecordKey, Said, Subject},
    id::{BatchId, CaseRef, LogIndex, NoteId, RecordId},
    problem::{Code, Problem},
};

use crate::{
    centre::Centre,
    cli::{Exit, Global, Out, admit::open, deciding, reading::Provenance},
    registry::{About, DecidedLine},
    store::Ledger as _,
};

/// Decisions that are read at a time.
const PAGE: usize = 500;

/// Prints all lines about what `about` names.
pub(super) async fn history(global: &Global, out: &Out, about: &str) -> Result<Exit, Problem> {
    let centre = open(global)?;
    let provenance = Provenance::of(&centre);
    let found = lines(&centre, &provenance, about).await?;
    for line in &found {
        let (state, _) = deciding::state(line);
        let second = line.confirmed.as_ref().map(|second| format!(", confirmed by {second}")).unwrap_or_default();
        let what = deciding::subject(&line.line.subject);
        let human =
            format!("entry {:<8} {what}\n  {} by {}{second}: {state}\n  decision {}", line.index, line.line.reason, line.by, line.decision);
        out.line("decision", deciding::value(line), human);
    }
    out.summary(json!({ "lines": found.len() }), format!("{} lines", found.len()));
    Ok(Exit::Done)
}

/// Lines about what a text names: a case or a record id, with the batches that deliver it; a decision; a batch.
async fn lines(centre: &Centre, provenance: &Provenance, about: &str) -> Result<Vec<DecidedLine>, Problem> {
    let unknown = || Problem::new(Code::NotFound, about.to_owned());
    let records = if let Ok(case) = about.parse::<CaseRef>() {
        of_case(centre, provenance, &case).await?
    } else if let Ok(id) = about.parse::<RecordId>() {
        provenance.records_of_id(id).await?.into_iter().collect()
    } else if let Ok(id) = about.parse::<NoteId>()
        && centre.stores.ledger.decision(id).await?.is_some()
    {
        return provenance.history(About::Decision(id)).await;
    } else {
        let batch = about.parse::<BatchId>().map_err(|_| unknown())?;
        centre.stores.ledger.batch(batch).await?.ok_or_else(unknown)?;
        return provenance.history(About::Batch(batch)).await;
    };
    if records.is_empty() {
        return Err(unknown());
    }
    let mut found = Vec::new();
    for record in &records {
        found.extend(provenance.decided(record).await?);
    }
    Ok(found)
}

/// Records that a case holds, or held: what was decided is not held any more.
async fn of_case(centre: &Centre, provenance: &Provenance, case: &CaseRef) -> Result<BTreeSet<RecordKey>, Problem> {
    let mut records: BTreeSet<RecordKey> = provenance.case(case).await?.into_iter().collect();
    let mut next = LogIndex(0);
    loop {
        let page = centre.stores.ledger.decisions_from(next, PAGE).await?;
        let Some(last) = page.last() else { return Ok(records) };
        next = LogIndex(last.index.0 + 1);
        for decision in &page {
            let Said::Lines(lines) = decision.note.said() else { continue };
            for line in lines {
                if let Subject::Record(key, _) = &line.subject
                    && CaseRef::holding(&key.unit, key.record) == *case
                {
                    records.insert(key.clone());
                }
            }
        }
    }
}
