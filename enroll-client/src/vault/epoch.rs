//! A new key of the unit, and the epoch that begins with it.
//!
//! ```text
//! new-key ─▶ next_key waits beside unit_key ─▶ a roster names it ─▶ it is unit_key: numbers and places begin again at 1
//! ```
//! 1. [`Vault::offer_key`] keeps the new key; the old one goes on. One statement: a crash leaves the old key alone, or both.
//! 2. [`adopt`] runs in the transaction that takes the roster, so a crash leaves the old key in use, or the new one.
//! 3. What is sealed and not closed keeps its line, and with it a number of the older epoch.
//! 4. Not so in a vault that was put back to an older copy: it gave its numbers twice. What it has not closed waits until
//!    its agents sign it again under fresh numbers ([`Vault::sign_again`]). What was withdrawn gets its fresh number at once,
//!    for no agent signs that.
//!
//! **Invariants:** sealed bytes never change; a number is given in the transaction that stores what bears it.

use rusqlite::Transaction;
use shared::{
    batch::RecordLine,
    id::{Member, Number},
    keys::VerifierKey,
    problem::{Code, Problem},
    roster::Facts,
};

use super::{
    CaptureSession, Db as _, Vault,
    columns::{Column as _, Row, maybe},
    damaged, int,
    records::{self, RecordRow},
    state::{Standing, State},
};

/// Takes the key that the roster names for this unit: the new one where it is named, else the present one.
pub(super) fn adopt(tx: &Transaction<'_>, state: &State, roster: &Facts) -> Result<(), Problem> {
    let listed = |key: &VerifierKey| roster.units.iter().find(|u| u.name == state.unit && u.key == *key).map(|u| u.epoch);
    // 2. the entry with our key counts, not the newest of our name: that one may lie on another laptop
    let (epoch, new) = match (state.next.as_ref().and_then(listed), listed(&state.key)) {
        (Some(epoch), _) => (epoch, "unit_key = next_key, unit_secret = next_secret, next_key = NULL, next_secret = NULL,"),
        (None, Some(epoch)) if state.epoch != Some(epoch) => (epoch, ""),
        _ => return Ok(()),
    };
    tx.execute(
        &format!("UPDATE state SET {new} epoch = ?1, last_number = 0, last_sequence = 0, standing = 'ok', standing_since = NULL"),
        [epoch],
    )
    .db()?;
    if state.standing != Standing::Rewound {
        return Ok(()); // 3.
    }
    // 4.
    tx.execute("UPDATE records SET again = 1 WHERE batch IS NULL AND withdrawn IS NULL", []).db()?;
    for row in records::rows(tx, "WHERE r.batch IS NULL AND r.withdrawn IS NOT NULL ORDER BY r.epoch, r.number", [])? {
        renumber(tx, &row, next_number(tx)?, None)?;
    }
    Ok(())
}

/// Gives the next number of the epoch. The caller stores what bears it before it commits.
pub(super) fn next_number(tx: &Transaction<'_>) -> Result<Number, Problem> {
    let read = |r: &Row<'_>| Ok((u32::read(r, 0)?, u64::read(r, 1)?, Standing::read(r, 2)?));
    let (epoch, last, standing) = maybe(tx, "SELECT epoch, last_number, standing FROM state", [], read)?.ok_or(Code::NotInitialised)?;
    // a sync may have heard of it since the command began
    standing.demand_ok()?;
    let number = Number::new(epoch, last + 1).map_err(|_| Code::UnitNotAdmitted)?;
    tx.execute("UPDATE state SET last_number = ?1", [int(number.number)]).db()?;
    Ok(number)
}

/// Puts a record that is in no batch under another number, with the line that says so.
pub(super) fn renumber(tx: &Transaction<'_>, row: &RecordRow, new: Number, line: Option<&RecordLine>) -> Result<(), Problem> {
    let old = (row.number.epoch, int(row.number.number));
    let sql = "UPDATE sealed SET epoch = ?3, number = ?4 WHERE epoch = ?1 AND number = ?2";
    tx.execute(sql, (old.0, old.1, new.epoch, int(new.number))).db()?;
    let sql = "UPDATE records SET epoch = ?3, number = ?4, line = coalesce(?5, line), again = 0
               WHERE epoch = ?1 AND number = ?2 AND batch IS NULL";
    let line = line.map(ToString::to_string);
    match tx.execute(sql, (old.0, old.1, new.epoch, int(new.number), line)).db()? {
        1 => Ok(()),
        _ => Err(damaged("a record that was to be numbered again")),
    }
}

impl Vault {
    /// 1. Keeps a new key of the unit; one that waits already stays. The key that waits now.
    pub fn offer_key(&self, _: &CaptureSession, key: &VerifierKey, wrapped: &[u8]) -> Result<VerifierKey, Problem> {
        let sql = "UPDATE state SET next_key = ?1, next_secret = ?2 WHERE next_key IS NULL";
        self.db.execute(sql, (key.to_string(), wrapped)).db()?;
        self.state()?.next.ok_or_else(|| damaged("the new key"))
    }

    /// The records that wait until their agents sign them again, in order of number.
    pub fn to_sign_again(&self) -> Result<Vec<RecordRow>, Problem> {
        records::rows(&self.db, "WHERE r.batch IS NULL AND r.again = 1 ORDER BY r.epoch, r.number", [])
    }

    /// Step 4: gives the records of one agent that wait for it fresh numbers, with the lines that `sign` makes, in one
    /// transaction. Gives old and new number of each.
    pub fn sign_again(
        &self,
        _: &CaptureSession,
        agent: &Member,
        sign: impl Fn(&RecordRow, Number) -> Result<RecordLine, Problem>,
    ) -> Result<Vec<(Number, Number)>, Problem> {
        let tx = self.begin()?;
        let mut signed = Vec::new();
        for row in self.to_sign_again()?.iter().filter(|r| r.agent == *agent) {
            let number = next_number(&tx)?;
            renumber(&tx, row, number, Some(&sign(row, number)?))?;
            signed.push((row.number, number));
        }
        tx.commit().db()?;
        Ok(signed)
    }
}
