//! Slip codes that no screen has shown yet.
//!
//! A code exists nowhere but on the resident's slip; here is only its hash. But a code that is lost between the commit
//! of its record and the screen would leave a resident without a slip, so it waits in a slot of the key file:
//!
//! 1. `finish` puts it there with the keys of the cards, under the key of the agent who enrolled.
//! 2. Once the screen has it, the slot is overwritten. A crash before that leaves it there,
//! 3. and the next command of that agent shows it.
//!
//! **Trust:** whoever holds laptop and agent's passphrase sees such a code, and with it the state of one record, no
//! personal data. **Invariants:** bound to its record; gone once it was shown, at the latest with the sealed record.

use shared::{
    id::{Member, RecordId},
    problem::{Code, Problem},
    slip::SlipCode,
};

use super::{
    CaptureSession, Db as _, Vault,
    keyslots::{Found, Kind, Looked, Slot},
    members::Unlocked,
    records::RecordRow,
    wrap,
};

/// A slip code that was not shown yet.
pub struct Unshown {
    /// Its record.
    pub record: RecordRow,
    /// The code.
    pub code: SlipCode,
    slot: Slot,
}

impl Unshown {
    /// Where it waits.
    pub fn slot(&self) -> Slot {
        self.slot
    }
}

fn place(record: RecordId) -> String {
    format!("enroll-vault/v1 slip of {record}")
}

/// 1. As it lies in its slot.
pub(super) fn wrapped(owner: &Unlocked, record: RecordId, code: &SlipCode) -> Result<Vec<u8>, Problem> {
    wrap::wrap(&owner.wrap, &place(record), code.shown().as_bytes())
}

fn unshown(held: &Looked, owner: &Unlocked, slot: Slot, record: RecordRow) -> Result<Unshown, Problem> {
    let wrapped = held.get(slot, Kind::Slip, &record.record.to_string())?;
    let plain = wrap::unwrap(&owner.wrap, &place(record.record), &wrapped);
    let code = plain.and_then(|p| SlipCode::from_typed(std::str::from_utf8(&p).ok()?).ok());
    let damaged = || Problem::new(Code::KeyFileDamaged, format!("slip code of record {}", record.number));
    Ok(Unshown { code: code.ok_or_else(damaged)?, slot, record })
}

impl Vault {
    /// 2. The screen has shown the code of this record.
    pub fn slip_shown(&self, _: &CaptureSession, record: RecordId, slot: Slot) -> Result<(), Problem> {
        self.keys.hold()?.erase(slot, Kind::Slip, &record.to_string())
    }

    /// The records whose slip code was not shown yet. Needs nobody's key.
    pub fn unshown(&self) -> Result<Vec<RecordRow>, Problem> {
        let held = self.keys.look()?;
        Ok(self.waiting_slips(&held)?.into_iter().map(|(_, record)| record).collect())
    }

    /// 3. The codes of `owner` that were not shown yet, by number; for each that does not open, why.
    pub fn unshown_slips(&self, owner: &Unlocked) -> Result<Vec<Result<Unshown, Problem>>, Problem> {
        let held = self.keys.look()?;
        let theirs = self.waiting_slips(&held)?.into_iter().filter(|(_, r)| r.agent == owner.name);
        Ok(theirs.map(|(slot, record)| unshown(&held, owner, slot, record)).collect())
    }

    /// The slots of the codes of one member, with their records. Needs nobody's key.
    pub(super) fn slips_of(&self, name: &Member) -> Result<Vec<(Slot, RecordId)>, Problem> {
        let held = self.keys.look()?;
        let theirs = self.waiting_slips(&held)?.into_iter().filter(|(_, row)| row.agent == *name);
        Ok(theirs.map(|(slot, row)| (slot, row.record)).collect())
    }

    fn waiting_slips(&self, held: &Looked) -> Result<Vec<(Slot, RecordRow)>, Problem> {
        let mut waiting = Vec::new();
        for (slot, found) in held.others(&self.slots_in_use()?)? {
            if let Found::Used(Kind::Slip, record) = found
                && let Some(row) = self.record_of_id(&record)?
            {
                waiting.push((slot, row));
            }
        }
        waiting.sort_by_key(|(_, row)| row.number);
        Ok(waiting)
    }

    /// Whether a slip code may wait: its record is here, sealed.
    pub(super) fn slip_may_wait(&self, record: &str) -> Result<bool, Problem> {
        let sql = "SELECT EXISTS (SELECT 1 FROM records r JOIN sealed s ON s.epoch = r.epoch AND s.number = r.number WHERE r.record = ?1)";
        self.db.query_row(sql, [record], |r| r.get(0)).db()
    }
}
