//! The lives of keys: which roster listed one first, and how one ended it. What they mean: `shared::force`.

use rusqlite::{Connection, params};
use shared::{
    force::{End, Life},
    id::LogIndex,
    keys::KeyRef,
    problem::Problem,
    roster::Facts as RosterFacts,
    time::Second,
};

use super::columns::{Column as _, Row, int, maybe, put, text};

/// Takes a logged roster in: keys that it lists, keys that it ends.
pub(super) fn follow(c: &Connection, index: LogIndex, roster: &RosterFacts) -> Result<(), Problem> {
    for member in roster.members() {
        put(
            c,
            "INSERT OR IGNORE INTO keys (key, name, role, admitted) VALUES (?1, ?2, ?3, ?4)",
            params![text(&KeyRef::from(member.key)), text(member.name), member.role.as_str(), int(index.0)],
        )?;
    }
    for key in roster.revoked.iter().map(|r| &r.key).chain(roster.kept.iter().map(|k| &k.key)) {
        let end = End::of(roster, key);
        if last_end(c, key, None)? != Some(end) {
            let (cut, until) = (end.cut.map(|cut| int(cut.0)), end.until.map(Second::unix));
            // a key that is both kept and revoked comes twice
            put(
                c,
                "INSERT OR REPLACE INTO ends (key, idx, cut, until) VALUES (?1, ?2, ?3, ?4)",
                params![text(key), int(index.0), cut, until],
            )?;
        }
    }
    Ok(())
}

fn end(row: &Row<'_>) -> Result<End, Problem> {
    Ok(End { cut: Option::read(row, 0)?, until: Option::read(row, 1)? })
}

/// How the last roster before an entry ended a key.
fn last_end(c: &Connection, key: &KeyRef, known: Option<LogIndex>) -> Result<Option<End>, Problem> {
    let sql = "SELECT cut, until FROM ends WHERE key = ?1 AND idx < ?2 ORDER BY idx DESC LIMIT 1";
    maybe(c, sql, params![text(key), known.map_or(i64::MAX, |known| int(known.0))], end)
}

/// The first entry that was logged later than a log time.
fn first_after(c: &Connection, until: Second) -> Result<Option<LogIndex>, Problem> {
    let sql = "SELECT idx FROM entries WHERE received > ?1 ORDER BY received, idx LIMIT 1";
    maybe(c, sql, [until.unix()], LogIndex::read_first)
}

/// The life of a key as the entries before `known` tell it.
pub(in crate::store) fn life(c: &Connection, key: &KeyRef, known: LogIndex) -> Result<Life, Problem> {
    let sql = "SELECT admitted FROM keys WHERE key = ?1 AND admitted < ?2";
    let admitted = maybe(c, sql, params![text(key), int(known.0)], LogIndex::read_first)?;
    let end = match last_end(c, key, Some(known))? {
        Some(end) => end.index(|until| first_after(c, until))?,
        None => None,
    };
    Ok(Life { admitted, end })
}

/// The life of a key, for what is logged next at this log time.
pub(super) fn next(c: &Connection, key: &KeyRef, received: Second) -> Result<Life, Problem> {
    let next = super::tree::position(c)?.line.head.size;
    let known = life(c, key, LogIndex(next))?;
    let over = last_end(c, key, None)?.and_then(|end| end.until).is_some_and(|until| until < received);
    let end = known.end.or_else(|| over.then_some(LogIndex(next)));
    Ok(Life { end, ..known })
}
