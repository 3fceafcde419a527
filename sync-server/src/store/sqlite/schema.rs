//! The schema in numbered steps (`PRAGMA user_version`); a step, once released, never changes.
//!
//! **Invariants:** everything in this database can be made again from archive and guard, except which hellos
//! came since a unit's last `head` entry.

use rusqlite::{Connection, TransactionBehavior};
use shared::problem::{Code, Problem};

use super::failed;

/// `ENRL`: says whose file this is.
const APPLICATION: i64 = 0x454e_524c;

/// Step n brings version n to version n + 1.
const STEPS: &[&str] = &[
    include_str!("schema/1_ledger.sql"),
    include_str!("schema/2_registry.sql"),
    include_str!("schema/3_rare.sql"),
    include_str!("schema/4_rows.sql"),
];

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

    /// A row of 5 KB, as a resident's is: every field names its source.
    const ROW: &str =
        "INSERT INTO residents SELECT lower(hex(randomblob(16))), hex(randomblob(1200)), hex(randomblob(1250)), 'sources', NULL
        FROM (WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 300) SELECT n FROM n)";

    #[test]
    fn residents_of_an_older_database_stay_and_lie_close_together() {
        let mut db = Connection::open_in_memory().expect("opened");
        db.pragma_update(None, "page_size", 16384).expect("as both are opened");
        STEPS[..3].iter().for_each(|step| db.execute_batch(step).expect("an older schema"));
        db.pragma_update(None, "user_version", 3).expect("of this version");
        db.pragma_update(None, "application_id", APPLICATION).expect("and ours");
        db.execute_batch(ROW).expect("written");
        let all = "SELECT group_concat(reference || fields || parts || sources) FROM (SELECT * FROM residents ORDER BY reference)";
        let content = |db: &Connection| db.query_row(all, [], |row| row.get::<_, String>(0)).expect("read");
        let before = content(&db);
        step_up(&mut db).expect("brought up");
        assert_eq!(content(&db), before);
        db.execute_batch("VACUUM").expect("what is free goes");
        let pages: i64 = db.pragma_query_value(None, "page_count", |row| row.get(0)).expect("counted");
        assert!(pages < 200, "{pages} pages for 300 residents");
        step_up(&mut db).expect("nothing to do");
        assert_eq!(content(&db), before);
    }
}
