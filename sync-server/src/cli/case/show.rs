//! A case on the screen: both sides field by field, parts by position, where each came from, and what may be decided.
//!
//! ```text
//! field                 record           against 1        resident 1
//! ! family_latin        El Fassi         Fassi            Fassi
//!   phone               …                …                …
//! ```
//! `!` marks a field of identity that the record would change. **Invariants:** takes nothing but what is [`Recorded`].

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use shared::{
    decision::{Reason, RecordKey},
    id::{CaseRef, ResidentRef},
    merge::compare,
    outcome::Fate,
    rules::Rules,
};

use crate::{
    access::personal::Recorded,
    cli::{Out, deciding, reading::Seen},
    registry::{Side, Trace},
};

/// Column after column: title, then values by name.
struct Table {
    titles: Vec<String>,
    columns: Vec<BTreeMap<String, String>>,
}

/// Prints each record with both sides.
pub(super) fn print(out: &Out, all: &Recorded<Vec<Seen>>) {
    for seen in all.iter() {
        sides(out, seen);
        fields(out, seen);
        parts(out, seen);
        for line in &seen.decided {
            let by = line.confirmed.as_ref().map(|second| format!(" and {second}")).unwrap_or_default();
            let (state, _) = deciding::state(line);
            let what = deciding::subject(&line.line.subject);
            let human = format!("decided: {what} by {}{by}, entry {}, {}: {state}", line.by, line.index, line.line.reason);
            out.line("decision", deciding::value(line), human);
        }
        for way in ways(seen) {
            out.line("may", json!({ "command": way }), format!("may be decided: {way}"));
        }
    }
}

fn sides(out: &Out, seen: &Seen) {
    let content = &seen.content;
    side(out, seen, &content.side, "record");
    for (n, other) in content.against.iter().enumerate() {
        side(out, seen, other, &format!("against {}", n + 1));
    }
    for (n, (reference, resident)) in content.residents.iter().enumerate() {
        let sources: Vec<String> = resident.sources.iter().map(|s| format!("{} {}", s.unit, s.record)).collect();
        let value = json!({ "reference": reference, "sources": sources });
        out.line("resident", value, format!("{:<11} {reference}, of {}", format!("resident {}", n + 1), sources.join(", ")));
    }
}

/// A record and where it came from.
fn side(out: &Out, seen: &Seen, side: &Side, title: &str) {
    let trace = seen.traces.iter().find(|t| t.key == side.record && t.batch == side.batch);
    let case = CaseRef::holding(&side.record.unit, side.record.record);
    let RecordKey { unit, record, digest } = &side.record;
    let mut value = json!({ "side": title, "case": case, "unit": unit, "record": record, "digest": digest, "fate": side.fate.to_string(),
        "batch": side.batch, "readable": side.essence.is_some() });
    if let Some(essence) = &side.essence {
        value["transaction"] = json!(essence.transaction.to_string());
        value["form"] = json!(essence.form);
    }
    let kind = side.essence.as_ref().map(|e| format!(", {} under {}", e.transaction, e.form)).unwrap_or_default();
    let from = trace.map_or_else(String::new, |trace| origin(trace, &mut value));
    out.line("record", value, format!("{title:<11} {unit} {record} {digest}\n{:<11} {}{kind}{from}", "", side.fate));
}

fn origin(trace: &Trace, value: &mut Value) -> String {
    value["agent"] = json!(trace.agent_key);
    value["number"] = json!(trace.number);
    value["place"] = json!(trace.place);
    value["log_index"] = json!(trace.index.0);
    value["received"] = json!(trace.received);
    value["state"] = json!(trace.state.to_string());
    format!(
        "\n{:<11} number {}, by {}, batch {} {}, entry {}, {}, {}",
        "", trace.number, trace.agent_key, trace.place, trace.batch, trace.index, trace.received, trace.state
    )
}

/// Fields of identity that the record would change, of any resident whom it may concern.
fn changed(seen: &Seen) -> BTreeSet<String> {
    let Some(essence) = &seen.content.side.essence else { return BTreeSet::new() };
    let mut changed = BTreeSet::new();
    for (_, resident) in &seen.content.residents {
        let compared = compare(Rules::NEWEST, &resident.values(), &essence.fields, &essence.identity);
        changed.extend([compared.different, compared.cleared, compared.added].concat());
    }
    changed
}

/// All columns of a case; `of` gives what a record has, `known` what a resident has.
fn table(
    seen: &Seen,
    of: impl Fn(&shared::merge::Essence) -> BTreeMap<String, String>,
    known: impl Fn(&shared::merge::Resident) -> BTreeMap<String, String>,
) -> Table {
    let content = &seen.content;
    let mut table = Table { titles: Vec::new(), columns: Vec::new() };
    let mut add = |title: String, column: BTreeMap<String, String>| {
        table.titles.push(title);
        table.columns.push(column);
    };
    add("record".to_owned(), content.side.essence.as_ref().map(&of).unwrap_or_default());
    for (n, other) in content.against.iter().enumerate() {
        add(format!("against {}", n + 1), other.essence.as_ref().map(&of).unwrap_or_default());
    }
    for (n, (_, resident)) in content.residents.iter().enumerate() {
        add(format!("resident {}", n + 1), known(resident));
    }
    table
}

fn fields(out: &Out, seen: &Seen) {
    let table = table(
        seen,
        |essence| essence.fields.iter().map(|(n, v)| (n.clone(), v.clone().unwrap_or_else(|| "(cleared)".into()))).collect(),
        |resident| resident.fields.iter().map(|(n, (v, _))| (n.clone(), v.clone())).collect(),
    );
    let changed = changed(seen);
    rows(out, &table, "field", &changed);
}

fn parts(out: &Out, seen: &Seen) {
    let table =
        table(seen, |essence| essence.parts.clone(), |resident| resident.parts.iter().map(|(n, (v, _))| (n.clone(), v.clone())).collect());
    let own = table.columns.first().cloned().unwrap_or_default();
    let differs = |position: &String| table.columns.iter().skip(1).any(|c| c.get(position).is_some_and(|v| Some(v) != own.get(position)));
    let changed = own.keys().filter(|position| differs(position)).cloned().collect();
    rows(out, &table, "part", &changed);
}

fn rows(out: &Out, table: &Table, kind: &str, marked: &BTreeSet<String>) {
    let names: BTreeSet<&String> = table.columns.iter().flat_map(BTreeMap::keys).collect();
    if names.is_empty() {
        return;
    }
    let width = |n: usize| {
        let longest = table.columns[n].values().map(|v| v.chars().count()).max().unwrap_or(0);
        longest.max(table.titles[n].len()).min(64)
    };
    let widths: Vec<usize> = (0..table.columns.len()).map(width).collect();
    let line = |first: String, cells: Vec<String>| {
        let cells: Vec<String> = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        format!("{first:<24}{}", cells.join("  ")).trim_end().to_owned()
    };
    let mut heading = Some(line(format!("  {kind}"), table.titles.clone()));
    for name in names {
        let cells: Vec<String> = table.columns.iter().map(|c| c.get(name).cloned().unwrap_or_else(|| "—".into())).collect();
        let values: serde_json::Map<String, Value> =
            table.titles.iter().zip(&table.columns).map(|(title, column)| (title.clone(), json!(column.get(name)))).collect();
        let mark = if marked.contains(name) { '!' } else { ' ' };
        let human = [heading.take(), Some(line(format!("{mark} {name}"), cells))].into_iter().flatten().collect::<Vec<_>>().join("\n");
        out.line(kind, json!({ "name": name, "changed": marked.contains(name), "values": values }), human);
    }
}

/// What may be decided about a record, as commands.
fn ways(seen: &Seen) -> Vec<String> {
    let content = &seen.content;
    if content.digest.is_none() {
        return Vec::new();
    }
    let key = &content.side.record;
    let subject = match content.side.fate {
        Fate::Held(_, ref case) => format!("case decide {case}"),
        _ => format!("record decide {}", key.record),
    };
    let way = |verdict: &str, reason: Reason| format!("sync-server {subject} {verdict} --reason {reason} --as NAME --key FILE");
    let mut ways = Vec::new();
    let own = ResidentRef::founded_by(&key.unit, key.record);
    if content.side.essence.is_some() {
        let founded = matches!(&content.side.fate, Fate::Merged(reference) if *reference == own);
        if !founded {
            ways.push(way("found", Reason::DifferentPerson));
        }
        for (reference, _) in content.residents.iter().filter(|(reference, _)| *reference != own) {
            ways.push(way(&format!("same {reference}"), Reason::SamePerson));
            ways.push(way(&format!("apply {reference}"), Reason::IdentityChecked));
        }
    }
    if content.side.fate != Fate::Refused(shared::problem::Code::Decided) {
        ways.push(way("refuse", Reason::WrongData));
    }
    ways
}
