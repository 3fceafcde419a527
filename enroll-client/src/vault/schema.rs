//! The numbered steps of the vault's schema. `PRAGMA user_version` says how many have been taken.
//!
//! **Invariants:** a step, once released, never changes; each is one transaction with its number, so a
//! crash leaves either the old schema or the new one. A vault with more steps than this software knows is
//! refused untouched.

use rusqlite::{Connection, TransactionBehavior};
use shared::problem::{Code, Problem};

use super::Db as _;

const STEPS: &[&str] = &[include_str!("schema/1.sql")];

/// Takes the steps that are still missing.
pub fn upgrade(db: &mut Connection) -> Result<(), Problem> {
    let known = i64::try_from(STEPS.len()).expect("few steps");
    loop {
        let taken = version(db)?;
        if taken > known {
            return Err(Problem::new(Code::VaultNewer, format!("schema {taken}, this software knows {known}")));
        }
        let Some(step) = usize::try_from(taken).ok().and_then(|n| STEPS.get(n)) else { return Ok(()) };
        let tx = db.transaction_with_behavior(TransactionBehavior::Immediate).db()?;
        // another process may have taken the step while this one waited
        if version(&tx)? == taken {
            tx.execute_batch(step).db()?;
            tx.pragma_update(None, "user_version", taken + 1).db()?;
            tx.commit().db()?;
        }
    }
}

fn version(db: &Connection) -> Result<i64, Problem> {
    db.pragma_query_value(None, "user_version", |r| r.get(0)).db()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_vault_is_refused_untouched() {
        let mut db = Connection::open_in_memory().expect("db");
        upgrade(&mut db).expect("upgraded");
        upgrade(&mut db).expect("twice is the same as once");
        db.pragma_update(None, "user_version", 99).expect("set");
        assert_eq!(upgrade(&mut db).map_err(|p| p.code), Err(Code::VaultNewer));
        assert_eq!(version(&db), Ok(99));
    }
}
