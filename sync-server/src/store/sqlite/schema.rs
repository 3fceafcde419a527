//! The schema in numbered steps, which [`ground::sqlite`] takes; a step, once released, never changes.
//!
//! **Invariants:** everything in this database can be made again from archive and guard, except which hellos
//! came since a unit's last `head` entry.

use ground::sqlite::{Kind, Plans};

/// The database of a centre. `ENRL` says whose file it is.
pub(crate) const KIND: Kind = Kind {
    application: 0x454e_524c,
    unmarked: 0,
    steps: &[
        include_str!("schema/1_ledger.sql"),
        include_str!("schema/2_registry.sql"),
        include_str!("schema/3_rare.sql"),
        include_str!("schema/4_rows.sql"),
    ],
    // more than there are, so that none is parsed again and again
    statements: 256,
    plans: Plans::Stable,
};

#[cfg(test)]
mod tests {
    use ground::sqlite::step_up;
    use rusqlite::Connection;

    use super::*;

    /// A row of 5 KB, as a resident's is: every field names its source.
    const ROW: &str =
        "INSERT INTO residents SELECT lower(hex(randomblob(16))), hex(randomblob(1200)), hex(randomblob(1250)), 'sources', NULL
        FROM (WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 300) SELECT n FROM n)";

    #[test]
    fn residents_of_an_older_database_stay_and_lie_close_together() {
        let mut db = Connection::open_in_memory().expect("opened");
        db.pragma_update(None, "page_size", 16384).expect("as both are opened");
        KIND.steps[..3].iter().for_each(|step| db.execute_batch(step).expect("an older schema"));
        db.pragma_update(None, "user_version", 3).expect("of this version");
        db.pragma_update(None, "application_id", KIND.application).expect("and ours");
        db.execute_batch(ROW).expect("written");
        let all = "SELECT group_concat(reference || fields || parts || sources) FROM (SELECT * FROM residents ORDER BY reference)";
        let content = |db: &Connection| db.query_row(all, [], |row| row.get::<_, String>(0)).expect("read");
        let before = content(&db);
        step_up(&mut db, &KIND).expect("brought up");
        assert_eq!(content(&db), before);
        db.execute_batch("VACUUM").expect("what is free goes");
        let pages: i64 = db.pragma_query_value(None, "page_count", |row| row.get(0)).expect("counted");
        assert!(pages < 200, "{pages} pages for 300 residents");
        step_up(&mut db, &KIND).expect("nothing to do");
        assert_eq!(content(&db), before);
    }
}
