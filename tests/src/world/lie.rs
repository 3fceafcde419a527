//! A dishonest unit: an agent who signs a line that tells something else than the record's inside.
//!
//! This is what a person with the laptop, the vault's code and the agent's passphrase can do between finish and close.

use shared::{
    batch::RecordLine,
    id::Transaction,
    problem::{Code, Problem},
};

use super::{Broken, Finished, Sure, Unit};
use enroll_client::vault::{Places, Vault};

/// Signs the line of a finished record again, with another transaction than the one inside.
pub fn lie_about(unit: &Unit, record: &Finished) -> Sure<()> {
    let vault = Vault::open(&Places { data: unit.data.clone(), machine: unit.data.join("machine.secret") })?;
    let agent = vault.unlock(&unit.agent.parse().map_err(|_| Broken("agent's name".into()))?, unit.passphrase.as_bytes())?;
    let number = record.number.parse().map_err(|_| Broken("record's number".into()))?;
    let row = vault.record(number)?;
    let mut facts = row.line.facts.clone();
    facts.transaction = match facts.transaction {
        Transaction::Renewal => Transaction::Replacement,
        _ => Transaction::Renewal,
    };
    let name = unit.name.parse().map_err(|_| Broken("unit's name".into()))?;
    let line = RecordLine::sign(facts, &name, &agent.signer);
    drop(vault);
    let db = rusqlite::Connection::open(unit.data.join("vault.db"))?;
    let changed = db.execute(
        "UPDATE records SET line = ?1, kind = ?2 WHERE record = ?3 AND batch IS NULL",
        (line.to_string(), line.facts.transaction.as_str(), &record.record),
    )?;
    if changed == 1 { Ok(()) } else { Err(Problem::new(Code::RecordUnknown, "nothing to lie about").into()) }
}
