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
    let mut found: Vec<DecidedLine> = Vec::new();
    for about in meant(&centre, &provenance, about).await? {
        found.extend(provenance.history(about).await?);
    }
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

/// What a text names: a case, a record id, a decision or a batch.
async fn meant(centre: &Centre, provenance: &Provenance, about: &str) -> Result<Vec<About>, Problem> {
    let unknown = || Problem::new(Code::NotFound, about.to_owned());
    if let Ok(case) = about.parse::<CaseRef>() {
        let records = of_case(centre, provenance, &case).await?;
        return if records.is_empty() { Err(unknown()) } else { Ok(records.into_iter().map(About::Record).collect()) };
    }
    if let Ok(id) = about.parse::<RecordId>() {
        let records = provenance.records_of_id(id).await?;
        return if records.is_empty() { Err(unknown()) } else { Ok(records.into_iter().map(About::Record).collect()) };
    }
    if let Ok(id) = about.parse::<NoteId>()
        && centre.stores.ledger.decision(id).await?.is_some()
    {
        return Ok(vec![About::Decision(id)]);
    }
    let batch = about.parse::<BatchId>().map_err(|_| unknown())?;
    centre.stores.ledger.batch(batch).await?.map(|_| vec![About::Batch(batch)]).ok_or_else(unknown)
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
