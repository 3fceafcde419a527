//! The schema in numbered steps (`PRAGMA user_version`); a step, once released, never changes.
//!
//! **Invariants:** everything in this database can be made again from archive and guard, except which hellos
//! came since a unit's last `head` entry.

use rusqlite::{Connection, TransactionBehavior};
use shared::problem::{Code, Problem};

use super::failed;

/// `ENRL`: says whose file this is.
const APPLICATION: i64 = 0x454e_524c;

/// What the log folds to.
pub(in crate::store) const FOLD: &str = include_str!("schema/3_fold.sql");

/// Step n brings version n to version n + 1.
const STEPS: &[&str] = &[include_str!("schema/1_ledger.sql"), include_str!("schema/2_opened.sql"), FOLD];

/// Brings the schema up to date; a newer one than this software knows is refused.
pub(super) fn step_up(connection: &mut Connection) -> Result<(), Problem> {
    // Two processes may start together: the second waits here and then finds the work done.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    let version: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(failed)?;
    let application: i64 = transaction.pragma_query_value(None, "application_id", |row| row.get(0)).map_err(failed)?;
    let known = usize::try_from(version).ok().filter(|&v| v <= STEPS.len());
    let Some(done) = known.filter(|&v| v == 0 || application == APPLICATION) else {
        return Err(Problem::new(Code::DatabaseNewer, format!("schema {version}, this software knows {}", STEPS.len())));
    };
    for step in &STEPS[done..] {
        transaction.execute_batch(step).map_err(failed)?;
    }
    transaction.pragma_update(None, "user_version", i64::try_from(STEPS.len()).expect("few steps")).map_err(failed)?;
    transaction.pragma_update(None, "application_id", APPLICATION).map_err(failed)?;
    transaction.commit().map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_or_foreign_database_is_refused_and_ours_is_brought_up_once() {
        let refused = |version: i64, application: i64| {
            let mut db = Connection::open_in_memory().expect("opened");
            db.pragma_update(None, "user_version", version).expect("set");
            db.pragma_update(None, "application_id", application).expect("set");
            step_up(&mut db).map_err(|p| p.code)
        };
        let known = i64::try_from(STEPS.len()).expect("few");
        assert_eq!(refused(known + 1, APPLICATION), Err(Code::DatabaseNewer));
        assert_eq!(refused(known, 7), Err(Code::DatabaseNewer));
        let mut db = Connection::open_in_memory().expect("opened");
        step_up(&mut db).and_then(|()| step_up(&mut db)).expect("made once");
    }
}
