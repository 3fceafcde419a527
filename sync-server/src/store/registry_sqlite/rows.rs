//! Rows of the registry's tables as the values that they are: no state is a word outside of this file.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};
use shared::{
    decision::RecordKey,
    id::{LogIndex, Number},
    merge::{Essence, Resident},
    outcome::Fate,
    problem::Problem,
};

use crate::{
    rules::{Found, Mode, Record, engine::LineState},
    store::ledger_sqlite::columns::{Column, Row, damaged, int, maybe, number, parsed, put, text},
};

/// A value that is written as a word, or as a word and one more.
pub(super) trait Word: Sized {
    /// As it is written.
    fn word(&self) -> String;
    /// Read again.
    fn of_word(word: &str) -> Result<Self, Problem>;
}

impl Word for Found {
    fn word(&self) -> String {
        match self {
            Self::Signed => "signed".to_owned(),
            Self::Unopened => "unopened".to_owned(),
            Self::Erased => "erased".to_owned(),
            Self::Refused(code) => format!("refused {code}"),
        }
    }
    fn of_word(word: &str) -> Result<Self, Problem> {
        match word {
            "signed" => Ok(Self::Signed),
            "unopened" => Ok(Self::Unopened),
            "erased" => Ok(Self::Erased),
            other => other.strip_prefix("refused ").and_then(|code| code.parse().ok()).map(Self::Refused).ok_or_else(damaged),
        }
    }
}

impl Word for LineState {
    fn word(&self) -> String {
        match self {
            Self::Waits => "waits".to_owned(),
            Self::Changed => "changed".to_owned(),
            Self::NotInForce => "not-in-force".to_owned(),
            Self::Acts(index) => format!("acts {index}"),
            Self::Rejected(index) => format!("rejected {index}"),
        }
    }
    fn of_word(word: &str) -> Result<Self, Problem> {
        match word {
            "waits" => Ok(Self::Waits),
            "changed" => Ok(Self::Changed),
            "not-in-force" => Ok(Self::NotInForce),
            other => {
                let (word, index) = other.split_once(' ').ok_or_else(damaged)?;
                let index = shared::text::decimal(index).map(LogIndex).ok_or_else(damaged)?;
                match word {
                    "acts" => Ok(Self::Acts(index)),
                    "rejected" => Ok(Self::Rejected(index)),
                    _ => Err(damaged()),
                }
            }
        }
    }
}

/// Unit, record and sealed digest in columns `i` to `i + 2`.
pub(super) fn key(row: &Row<'_>, i: usize) -> Result<RecordKey, Problem> {
    Ok(RecordKey { unit: Column::read(row, i)?, record: Column::read(row, i + 1)?, digest: Column::read(row, i + 2)? })
}

/// A JSON value.
pub(super) fn from_json<T: for<'a> Deserialize<'a>>(row: &Row<'_>, i: usize) -> Result<T, Problem> {
    serde_json::from_str(&String::read(row, i)?).map_err(|_| damaged())
}

/// As JSON.
pub(super) fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("maps and lists of strings")
}

/// Values with the text of the record that each came from.
pub(super) fn named(values: &BTreeMap<String, (String, RecordKey)>) -> BTreeMap<&str, (&str, String)> {
    values.iter().map(|(name, (value, from))| (name.as_str(), (value.as_str(), from.to_string()))).collect()
}

/// Fields, parts and sources in columns `i` to `i + 2`.
pub(super) fn resident(row: &Row<'_>, i: usize) -> Result<Resident, Problem> {
    let source = |text: &str| text.parse::<RecordKey>().map_err(|_| damaged());
    let values = |i: usize| -> Result<BTreeMap<String, (String, RecordKey)>, Problem> {
        let stored: BTreeMap<String, (String, String)> = from_json(row, i)?;
        stored.into_iter().map(|(name, (value, from))| Ok((name, (value, source(&from)?)))).collect()
    };
    let sources: Vec<String> = from_json(row, i + 2)?;
    let sources = sources.iter().map(|s| source(s)).collect::<Result<_, _>>()?;
    Ok(Resident { fields: values(i)?, parts: values(i + 1)?, sources })
}

const RECORD: &str = "SELECT fate, against, place, batch, line, epoch, number, holds_id, holds_number, mode, decision, blind FROM records
                      WHERE unit = ?1 AND record = ?2 AND sealed = ?3";

/// What became of a record.
pub(super) fn record(c: &Connection, key: &RecordKey) -> Result<Option<Record>, Problem> {
    let at = params![text(&key.unit), text(&key.record), key.digest.as_bytes()];
    maybe(c, RECORD, at, |row| {
        let against: Vec<String> = from_json(row, 1)?;
        let mode: Option<String> = Option::read(row, 9)?;
        let number: Number = number(row, 5)?;
        Ok(Record {
            fate: parsed(row, 0)?,
            against: against.iter().map(|a| a.parse()).collect::<Result<_, _>>().map_err(|_| damaged())?,
            place: Option::read(row, 2)?,
            delivery: (Column::read(row, 3)?, u64::read(row, 4)?),
            number,
            holds_id: u64::read(row, 7)? == 1,
            holds_number: u64::read(row, 8)? == 1,
            mode: mode.as_deref().map(Mode::of_word).transpose()?,
            decision: Option::read(row, 10)?,
            blind: u64::read(row, 11)? == 1,
        })
    })
}

/// Writes what became of a record; every batch that delivers it has something new to say.
pub(super) fn set_record(c: &Connection, key: &RecordKey, record: &Record) -> Result<(), Problem> {
    let subject = match &record.fate {
        Fate::Merged(resident) => Some(text(resident)),
        Fate::Held(_, case) => Some(text(case)),
        Fate::Refused(_) => None,
    };
    let against: Vec<String> = record.against.iter().map(ToString::to_string).collect();
    put(
        c,
        "INSERT OR REPLACE INTO records (unit, record, sealed, fate, subject, against, place, batch, line, epoch, number, holds_id,
                                         holds_number, mode, decision, blind)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
        params![
            text(&key.unit),
            text(&key.record),
            key.digest.as_bytes(),
            text(&record.fate),
            subject,
            json(&against),
            record.place.map(|place| int(place.0)),
            record.delivery.0.as_bytes(),
            int(record.delivery.1),
            record.number.epoch,
            int(record.number.number),
            i64::from(record.holds_id),
            i64::from(record.holds_number),
            record.mode.as_ref().map(Word::word),
            record.decision.as_ref().map(shared::id::NoteId::as_bytes),
            i64::from(record.blind),
        ],
    )?;
    let sql = "UPDATE merge_work SET due = 1
               WHERE batch IN (SELECT batch FROM deliveries WHERE unit = ?1 AND record = ?2 AND sealed = ?3) AND due = 0";
    put(c, sql, params![text(&key.unit), text(&key.record), key.digest.as_bytes()])
}

/// What an opened record says.
pub(super) fn essence(c: &Connection, key: &RecordKey) -> Result<Option<Essence>, Problem> {
    let sql = "SELECT essence FROM essences WHERE unit = ?1 AND record = ?2 AND sealed = ?3";
    maybe(c, sql, params![text(&key.unit), text(&key.record), key.digest.as_bytes()], |row| from_json(row, 0))
}
