//! `case list`: references and codes, never values; on record all the same, because it says who is held.

use clap::Args;
use serde_json::{Value, json};
use shared::{
    decision::RecordKey,
    id::Member,
    problem::{Code, Problem},
    time::Second,
};

use crate::{
    access::personal::Recorded,
    cli::{
        Exit, Global, Out, deciding,
        reading::{Listing, Reading, Reason},
    },
    clock,
    registry::{Case, Filter, Page},
    store::Ledger as _,
};

/// Most hints that are shown.
const HINTS: usize = 1000;

/// Which cases.
#[derive(Debug, Args)]
pub struct List {
    /// Held for this reason: `duplicate`, `identity-change`, …
    #[arg(long)]
    code: Option<Code>,
    /// Records of this unit
    #[arg(long)]
    unit: Option<Member>,
    /// Only those about which a decision waits for a second person
    #[arg(long)]
    waits: bool,
    /// Instead of cases: residents who are alike in a way that holds nothing
    #[arg(long, conflicts_with_all = ["code", "unit", "waits", "page"])]
    hints: bool,
    /// Which page, from 1
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    page: u64,
    /// How many on a page
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..=1000))]
    limit: u64,
    #[command(flatten)]
    reason: Reason,
}

impl List {
    /// Prints the page.
    pub async fn run(self, global: &Global, out: &Out) -> Result<Exit, Problem> {
        let reading = Reading::open(global, "case list", &self.reason).await?;
        if self.hints {
            return hints(&reading, out).await;
        }
        let now = clock::now().max(reading.centre().stores.ledger.position().await?.received);
        let filter = Filter { code: self.code, unit: self.unit, waits: self.waits };
        let listing = reading.cases(filter, Page { skip: (self.page - 1) * self.limit, limit: self.limit }).await?;
        print(out, &listing, now);
        let pages = listing.total.div_ceil(self.limit).max(1);
        let value = json!({ "cases": listing.total, "shown": listing.cases.len(), "page": self.page, "pages": pages,
            "shared": listing.shared.len(), "batches": listing.batches.len() });
        out.summary(value, format!("{} cases, page {} of {pages}", listing.total, self.page));
        Ok(Exit::Done)
    }
}

fn print(out: &Out, listing: &Recorded<Listing>, now: Second) {
    for case in &listing.cases {
        out.line("case", value(case, now), human(case, now));
    }
    for shared in &listing.shared {
        let residents: Vec<String> = shared.residents.iter().map(ToString::to_string).collect();
        let founders: Vec<Value> = shared.founders.iter().map(key).collect();
        let ids: Vec<String> = shared.founders.iter().map(|f| f.record.to_string()).collect();
        let human = format!(
            "two under one key: residents {}\n    decide about one of the records {}: sync-server record decide ID …",
            residents.join(", "),
            ids.join(", ")
        );
        out.line("shared-key", json!({ "residents": residents, "founders": founders }), human);
    }
    for line in &listing.batches {
        let human = format!(
            "{0}: waits for a second person: sync-server case confirm {1} --as NAME --key FILE, or case reject {1}",
            deciding::subject(&line.line.subject),
            line.decision
        );
        out.line("batch-waits", deciding::value(line), human);
    }
}

fn key(key: &RecordKey) -> Value {
    json!({ "unit": key.unit, "record": key.record, "digest": key.digest })
}

fn value(case: &Case, now: Second) -> Value {
    let against: Vec<Value> = case.against.iter().map(key).collect();
    json!({
        "reference": case.reference, "code": case.code.row().code, "unit": case.record.unit, "record": case.record.record,
        "digest": case.record.digest, "batch": case.batch, "received": case.received, "age": now.unix() - case.received.unix(),
        "against": against, "decision": case.decision, "waits": case.waits,
    })
}

fn human(case: &Case, now: Second) -> String {
    let mut text = vec![format!(
        "{}  {:<16} {:>9}  {} {}  batch {}",
        case.reference,
        case.code.row().code,
        age(case.received, now),
        case.record.unit,
        case.record.record,
        case.batch
    )];
    for other in &case.against {
        text.push(format!("    against {} {}", other.unit, other.record));
    }
    for note in &case.waits {
        text.push(format!("    waits for a second person: sync-server case confirm {note} --as NAME --key FILE, or case reject {note}"));
    }
    text.join("\n")
}

/// How long something has waited.
pub(super) fn age(since: Second, now: Second) -> String {
    let seconds = (now.unix() - since.unix()).max(0);
    match seconds {
        0..3600 => format!("{} min", seconds / 60),
        3600..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

async fn hints(reading: &Reading, out: &Out) -> Result<Exit, Problem> {
    let hints = reading.hints(HINTS).await?;
    for hint in hints.iter() {
        let kind = hint.kind.as_str();
        out.line("hint", json!({ "kind": kind, "one": hint.one, "other": hint.other }), format!("{kind:<20} {} {}", hint.one, hint.other));
    }
    out.summary(json!({ "hints": hints.len() }), format!("{} hints; nobody is held for one", hints.len()));
    Ok(Exit::Done)
}
