//! A hello's text. Whatever reads without error prints as the same text again.

use std::fmt::Write as _;

use super::{Alarm, Facts, Path, Sender, UnitStand};
use crate::{
    id::{BatchId, Place},
    problem::{Code, Problem},
    text::{Lines, TextError, decimal},
    time::Second,
};

/// Prints the text that is signed.
pub(super) fn print(facts: &Facts) -> String {
    let mut out = String::from("enroll-hello/v1\n");
    write(facts, &mut out).expect("writing to a String does not fail");
    out
}

fn write(facts: &Facts, out: &mut String) -> std::fmt::Result {
    writeln!(out, "centre {}", facts.centre)?;
    match &facts.sender {
        Sender::Unit(stand) => writeln!(out, "unit {}\nepoch {}", stand.unit, stand.epoch)?,
        Sender::Carrier(name) => writeln!(out, "carrier {name}")?,
    }
    let by = if facts.by == Path::Network { "network" } else { "stick" };
    writeln!(out, "counter {}\nby {by}", facts.counter)?;
    if let Sender::Unit(stand) = &facts.sender {
        writeln!(out, "head {}\nnumber {}", shown_head(stand.head), shown(stand.number))?;
        let [batches, records, bytes] = stand.waiting;
        writeln!(out, "waiting {batches} {records} {bytes}\nseen {}\nsettled {}", stand.seen, stand.settled)?;
        stand.alarms.iter().try_for_each(|(alarm, since)| writeln!(out, "alarm {alarm} {since}"))?;
    }
    writeln!(out, "roster {}\nsoftware {}\nclock {}\nfree {}", shown(facts.roster), facts.software, facts.clock, facts.free)
}

/// A value, or `none`.
pub(super) fn shown<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(|| "none".to_owned(), |v| v.to_string())
}

/// A head, or `none`.
pub(super) fn shown_head(head: Option<(Place, BatchId)>) -> String {
    shown(head.map(|(place, id)| format!("{place} {id}")))
}

/// Reads a hello's text.
pub(super) fn read(text: &str) -> Result<Facts, Problem> {
    let facts = read_lines(text)?;
    if print(&facts) == text { Ok(facts) } else { Err(Code::TextMalformed.into()) }
}

fn read_lines(text: &str) -> Result<Facts, TextError> {
    let mut lines = Lines::new(text)?;
    lines.header("enroll-hello")?;
    let centre = lines.field("centre")?;
    let centre = lines.parse(centre)?;
    let carrier = lines.optional("carrier")?;
    let carrier = carrier.map(|name| lines.parse(name)).transpose()?;
    let mut unit = None;
    if carrier.is_none() {
        let name = lines.field("unit")?;
        unit = Some((lines.parse(name)?, epoch(&mut lines)?));
    }
    let counter = number(&mut lines, "counter")?;
    let by = match lines.field("by")? {
        "network" => Path::Network,
        "stick" => Path::Stick,
        _ => return Err(lines.bad()),
    };
    let sender = match (carrier, unit) {
        (Some(name), _) => Sender::Carrier(name),
        (None, Some((unit, epoch))) => Sender::Unit(stand(&mut lines, unit, epoch)?),
        (None, None) => return Err(lines.bad()),
    };
    let roster = lines.field("roster")?;
    let roster = none_or(&lines, roster)?;
    let software = lines.field("software")?.to_owned();
    let plain = software.len() <= 64 && software.bytes().all(|b| b.is_ascii_graphic());
    if counter == 0 || !plain {
        return Err(lines.bad());
    }
    let clock = lines.field("clock")?;
    let clock = lines.parse(clock)?;
    let free = number(&mut lines, "free")?;
    lines.end()?;
    Ok(Facts { centre, sender, counter, by, roster, software, clock, free })
}

fn stand(lines: &mut Lines<'_>, unit: crate::id::Member, epoch: u32) -> Result<UnitStand, TextError> {
    let head = head(lines)?;
    let value = lines.field("number")?;
    let newest = none_or(lines, value)?;
    let waiting = lines.field("waiting")?;
    let [batches, records, bytes] = lines.words(waiting)?.map(decimal);
    let (Some(batches), Some(records), Some(bytes)) = (batches, records, bytes) else { return Err(lines.bad()) };
    let seen = lines.field("seen")?;
    let seen = lines.parse(seen)?;
    let settled = number(lines, "settled")?;
    let mut alarms: Vec<(Alarm, Second)> = Vec::new();
    while let Some(value) = lines.optional("alarm")? {
        let [alarm, since] = lines.words(value)?;
        let alarm = lines.parse(alarm)?;
        if alarms.last().is_some_and(|(last, _)| *last >= alarm) {
            return Err(lines.bad());
        }
        alarms.push((alarm, lines.parse(since)?));
    }
    Ok(UnitStand { unit, epoch, head, number: newest, waiting: [batches, records, bytes], seen, settled, alarms })
}

/// Reads an `epoch` line.
pub(super) fn epoch(lines: &mut Lines<'_>) -> Result<u32, TextError> {
    let value = number(lines, "epoch")?;
    u32::try_from(value).ok().filter(|&e| e >= 1).ok_or_else(|| lines.bad())
}

/// Reads a line with one number.
pub(super) fn number(lines: &mut Lines<'_>, word: &str) -> Result<u64, TextError> {
    let value = lines.field(word)?;
    decimal(value).ok_or_else(|| lines.bad())
}

/// Reads a `head` line.
pub(super) fn head(lines: &mut Lines<'_>) -> Result<Option<(Place, BatchId)>, TextError> {
    match lines.field("head")? {
        "none" => Ok(None),
        value => {
            let [place, id] = lines.words(value)?;
            Ok(Some((lines.parse(place)?, lines.parse(id)?)))
        }
    }
}

/// Parses a value, or `none`.
pub(super) fn none_or<T: std::str::FromStr>(lines: &Lines<'_>, value: &str) -> Result<Option<T>, TextError> {
    if value == "none" { Ok(None) } else { lines.parse(value).map(Some) }
}
