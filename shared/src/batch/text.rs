//! A manifest's text. Whatever reads without error prints as the same text again and does not contradict itself.

use std::fmt::Write as _;

use super::{Facts, Line, RecordLine, WithdrawnLine};
use crate::{
    id::{Member, Place},
    problem::{Code, Problem},
    roster::Limits,
    text::{Lines, TextError, decimal},
};

/// Prints the text that is signed.
pub(super) fn print(facts: &Facts) -> String {
    let mut out = String::from("enroll-batch/v1\n");
    write(facts, &mut out).expect("writing to a String does not fail");
    out
}

fn write(facts: &Facts, out: &mut String) -> std::fmt::Result {
    let none = || "none".to_owned();
    writeln!(out, "unit {}\nepoch {}\nsequence {}", facts.unit, facts.place.epoch, facts.place.sequence)?;
    writeln!(out, "previous {}", facts.previous.map_or_else(none, |id| id.to_string()))?;
    writeln!(out, "roster {}\nseen {}\nclosed {}", facts.roster, facts.seen, facts.closed)?;
    writeln!(out, "approved {}", facts.approved.as_ref().map_or_else(none, Member::to_string))?;
    writeln!(out, "payload {} {}", facts.payload_size, facts.payload)?;
    facts.lines.iter().try_for_each(|line| writeln!(out, "{line}"))
}

/// Reads a manifest's text.
pub(super) fn read(text: &str) -> Result<Facts, Problem> {
    let facts = read_lines(text)?;
    if print(&facts) != text {
        return Err(Code::TextMalformed.into());
    }
    consistent(&facts)?;
    Ok(facts)
}

fn read_lines(text: &str) -> Result<Facts, TextError> {
    let mut lines = Lines::new(text)?;
    lines.header("enroll-batch")?;
    let unit = lines.field("unit")?;
    let unit = lines.parse(unit)?;
    let epoch = lines.field("epoch")?;
    let epoch = decimal(epoch).and_then(|e| u32::try_from(e).ok()).ok_or_else(|| lines.bad())?;
    let sequence = lines.field("sequence")?;
    let place = decimal(sequence).and_then(|s| Place::new(epoch, s).ok()).ok_or_else(|| lines.bad())?;
    let previous = lines.field("previous")?;
    let previous = none_or(&lines, previous)?;
    let roster = lines.field("roster")?;
    let roster = lines.parse(roster)?;
    let seen = lines.field("seen")?;
    let seen = lines.parse(seen)?;
    let closed = lines.field("closed")?;
    let closed = lines.parse(closed)?;
    let approved = lines.field("approved")?;
    let approved = none_or(&lines, approved)?;
    let payload = lines.field("payload")?;
    let [size, digest] = lines.words(payload)?;
    let payload_size = decimal(size).ok_or_else(|| lines.bad())?;
    let payload = lines.parse(digest)?;
    let lines = record_lines(lines)?;
    Ok(Facts { unit, place, previous, roster, seen, closed, approved, payload_size, payload, lines })
}

fn none_or<T: std::str::FromStr>(lines: &Lines<'_>, value: &str) -> Result<Option<T>, TextError> {
    if value == "none" { Ok(None) } else { lines.parse(value).map(Some) }
}

fn record_lines(mut lines: Lines<'_>) -> Result<Vec<Line>, TextError> {
    let mut found = Vec::new();
    loop {
        if let Some(value) = lines.optional("record")? {
            found.push(Line::Record(RecordLine::read(&lines, value)?));
        } else if let Some(value) = lines.optional("withdrawn")? {
            found.push(Line::Withdrawn(WithdrawnLine::read(&lines, value)?));
        } else {
            lines.end()?;
            return Ok(found);
        }
    }
}

/// What no manifest may say, whoever signed it.
fn consistent(facts: &Facts) -> Result<(), Problem> {
    let invalid = |why: &str| Err(Problem::new(Code::ManifestInvalid, why));
    if facts.lines.is_empty() {
        return invalid("no lines");
    }
    let follows = match (facts.place.epoch, facts.place.sequence) {
        (1, 1) => facts.previous.is_none(),
        // of a later epoch: the last of the former one, if this laptop holds it
        (_, 1) => true,
        _ => facts.previous.is_some(),
    };
    if !follows {
        return invalid("what it follows does not fit its place");
    }
    if facts.lines.len() as u64 > Limits::MOST.lines {
        return Err(Code::LinesTooMany.into());
    }
    if facts.lines.windows(2).any(|pair| pair[0].number() >= pair[1].number()) {
        return invalid("lines are not in order of number");
    }
    if facts.records().try_fold(0_u64, |sum, record| sum.checked_add(record.facts.size)) != Some(facts.payload_size) {
        return invalid("sizes do not add up to the payload");
    }
    if facts
        .records()
        .any(|record| record.facts.size == 0 || record.facts.roster > facts.roster || record.facts.number.epoch > facts.place.epoch)
    {
        return invalid("a line is newer than its manifest, or empty");
    }
    if facts.withdrawn().any(|line| line.number.epoch > facts.place.epoch) {
        return invalid("a number of a later epoch is withdrawn");
    }
    Ok(())
}
