//! Record ids and numbers: whoever was first in force holds them, and what contradicts that is held against the holder.

use shared::{
    decision::RecordKey,
    problem::{Code, Problem},
};

use super::{
    engine::{Delivered, Engine, Holder},
    residents,
};

/// What a line finds when it comes in force.
pub(super) enum Claims {
    /// Nobody else holds its id or its number.
    Free,
    /// Somebody does.
    Taken(Code, Vec<RecordKey>),
}

/// Looks; takes nothing.
pub(super) fn look(e: &impl Engine, line: &Delivered) -> Result<Claims, Problem> {
    let RecordKey { unit, record, .. } = &line.key;
    if let Some(holder) = e.id_holder(unit, *record)?.filter(|holder| *holder != line.key) {
        return Ok(Claims::Taken(Code::RecordReused, vec![holder]));
    }
    // a decision may have founded somebody under an id that another record held then
    if let Some(standing) = e.resident(&residents::founds(&line.key))?
        && let founder = residents::founder(&standing)?
        && *founder != line.key
    {
        return Ok(Claims::Taken(Code::RecordReused, vec![founder.clone()]));
    }
    match e.number_holder(unit, line.number)? {
        // never the record itself: whoever holds a number holds its id, too
        Some(Holder::Record(holder)) => Ok(Claims::Taken(Code::NumberReused, vec![holder])),
        Some(Holder::Withdrawn) => Ok(Claims::Taken(Code::NumberReused, Vec::new())),
        None => Ok(Claims::Free),
    }
}
