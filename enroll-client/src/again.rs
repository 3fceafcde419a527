//! Signing again: the lines of records that a vault had not closed when it was put back to an older copy.
//!
//! Such a vault gave its numbers twice. Under its next key each of these records gets a fresh number, and its own agent signs the
//! line that says so; the sealed record stays as it is, byte by byte.
//!
//! 1. The old line was signed by a key of this agent that its roster lists for this unit. Without this check whoever can write to
//!    the vault could have an agent sign for bytes that they never saw.
//! 2. The new line says what the old one said, under the fresh number. Roster and log size stay with it where the roster
//!    of the old line lists the key that signs now; else they are those of today, for a line is checked by its own roster.
//!
//! **Invariants:** all records of an agent in one transaction; those of others wait for them.

use shared::{
    batch::{LineFacts, RecordLine},
    id::Number,
    problem::{Code, Problem},
    roster::TrustedRoster,
    verify::Rosters as _,
};

use crate::{
    rights::{Act, Rights},
    vault::{CaptureSession, Vault, members::Unlocked, records::RecordRow},
};

/// Signs what waits for this agent; old and new number of each record.
pub fn sign(vault: &Vault, session: &CaptureSession, agent: &Unlocked, rights: &Rights) -> Result<Vec<(Number, Number)>, Problem> {
    let entry = rights.unit(Act::Capture)?;
    rights.member(&agent.name, agent.signer.public(), agent.role.into())?;
    let rosters = vault.rosters()?;
    vault.sign_again(session, &agent.name, |row, number| {
        // a sync may have taken a roster with a new epoch meanwhile
        if number.epoch != entry.epoch {
            return Err(Problem::new(Code::LockedElsewhere, "a new roster came in meanwhile"));
        }
        line(row, number, agent, rights, &rosters)
    })
}

fn line(row: &RecordRow, number: Number, agent: &Unlocked, rights: &Rights, rosters: &[TrustedRoster]) -> Result<RecordLine, Problem> {
    let (old, unit) = (&row.line, &rights.state().unit);
    let forged = || Problem::new(Code::VaultDamaged, format!("the line of record {} is not {}'s", row.number, agent.name));
    // 1.
    let its_roster = rosters.roster(old.facts.roster).ok_or_else(forged)?.facts();
    let signed_by = its_roster.line_key(&agent.name, unit, old.key_id()).ok_or_else(forged)?;
    old.verify(unit, signed_by).map_err(|_| forged())?;
    if (old.facts.record, old.facts.digest) != (row.record, row.digest) || old.facts.agent != agent.name {
        return Err(forged());
    }
    // 2.
    let key = agent.signer.public();
    let listed_then = its_roster.line_key(&agent.name, unit, key.id()) == Some(key);
    let (roster, seen) =
        if listed_then { (old.facts.roster, old.facts.seen) } else { (rights.roster().version(), rights.state().seen.size) };
    Ok(RecordLine::sign(LineFacts { number, roster, seen, ..old.facts.clone() }, unit, &agent.signer))
}
