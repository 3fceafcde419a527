//! How SQLite answers what a centre asks while it works: by a key or an index, so that a record costs the same among a
//! million residents as among ten.

use std::path::Path;

use super::matrix::told;
use crate::store::{
    asked,
    sqlite::{self, Db},
};

/// Read from one end, and only so far as what is asked for: what waits, and the newest of a few.
const FROM_AN_END: &[&str] = &[
    "merge_work USING INDEX merge_open",
    "w USING INDEX merge_due",
    "deliveries USING INDEX deliveries_unopened",
    "deliveries USING COVERING INDEX deliveries_unopened",
    "rosters",
    "d USING COVERING INDEX deliveries_unopened",
    // one row
    "fold",
];

/// Questions about everything, each asked by a command and never for a batch or a record.
const OF_ALL: &[&str] = &[
    // fsck, rebuild: all batches that were opened
    "SELECT batch FROM merge_work WHERE state = 'folded'",
    "SELECT (SELECT count(*) FROM batches)",
    // `case list`: all that waits for a person
    "SELECT unit, record, sealed, fate FROM records WHERE fate GLOB 'held *'",
    // digest and refold: every record and resident, in the order of its key
    "SELECT unit, record, sealed, fate FROM records ORDER BY unit, record, sealed",
    "SELECT reference, fields, parts, sources FROM residents ORDER BY reference",
    "SELECT (SELECT count(*) FROM lines",
    "SELECT count(*) FROM records",
    "SELECT count(*) FROM residents",
    "SELECT count(*) FROM events",
    // reading the archive again: what is in doubt, and once in a step of a pass that takes weeks all that batches name
    "SELECT blob, since FROM doubts",
    "SELECT manifest FROM batches WHERE substr(manifest, 1, 1)",
    // each start: what is held unopened
    "SELECT DISTINCT r.batch FROM records r JOIN deliveries d",
];

/// `fsck` folds into a database beside the centre's and compares all of both.
fn compares(sql: &str) -> bool {
    sql.contains("ATTACH") || sql.contains("centre.")
}

#[test]
fn no_question_that_is_asked_for_a_record_or_a_batch_reads_a_whole_table() {
    drop(told());
    let dir = tempfile::tempdir().expect("a folder");
    let db = connected(dir.path());
    let asked = asked::all();
    assert!(asked.len() > 60, "the story asks most of what there is: {}", asked.len());
    let mut whole = Vec::new();
    for sql in asked.iter().filter(|sql| !compares(sql) && !OF_ALL.iter().any(|of_all| sql.starts_with(of_all))) {
        for step in plan(&db, sql) {
            // a subquery's own rows are few; a table's, and an index's from end to end, are all of them
            let table = step.strip_prefix("SCAN ").filter(|table| !table.starts_with('(') && *table != "CONSTANT ROW");
            if table.is_some_and(|table| !FROM_AN_END.contains(&table) && !["position", "merge_roster"].contains(&table)) {
                whole.push(format!("{step}\n    {sql}"));
            }
        }
    }
    assert!(whole.is_empty(), "{}", whole.join("\n"));
}

#[test]
fn a_question_is_parsed_once_whatever_is_bound_to_it() {
    drop(told());
    let dir = tempfile::tempdir().expect("a folder");
    let db = connected(dir.path());
    let mut again = Vec::new();
    for sql in asked::all().into_iter().filter(|sql| !compares(sql)) {
        let mut statement = db.prepare(&sql).expect(&sql);
        if !statement.readonly() {
            continue;
        }
        for value in 1..4 {
            let values = vec![value; statement.parameter_count()];
            let mut rows = statement.query(rusqlite::params_from_iter(values)).expect(&sql);
            while rows.next().expect(&sql).is_some() {}
        }
        if statement.get_status(rusqlite::StatementStatus::RePrepare) > 0 {
            again.push(sql);
        }
    }
    assert!(again.is_empty(), "{}", again.join("\n"));
}

/// A new database, asked with the settings of the connections that ask: they decide about plans, too.
fn connected(folder: &Path) -> rusqlite::Connection {
    drop(Db::open(&folder.join("db")).expect("the schema"));
    ground::sqlite::connect(&folder.join("db"), &sqlite::KIND).expect("opened")
}

fn plan(db: &rusqlite::Connection, sql: &str) -> Vec<String> {
    let mut statement = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).expect(sql);
    let nulls = vec![rusqlite::types::Null; statement.parameter_count()];
    let steps = statement.query_map(rusqlite::params_from_iter(nulls), |row| row.get(3)).expect("explained");
    steps.map(|step| step.expect("read")).collect()
}
