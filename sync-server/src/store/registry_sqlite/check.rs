//! Folding everything again from the stored facts, into a file beside the database, and comparing table with table: a registry of any
//! size takes the memory of one entry.
//!
//! The file has the tables of the fold only; the centre's database is attached to read from. So every statement of the rules finds
//! what it writes in the one and what it reads of the log in the other.
//!
//! **Invariants:** reads one state of the database and changes nothing of it; the file is removed whatever happens, and a file that an
//! earlier run has left goes first.

use std::path::{Path, PathBuf};

use ground::sqlite::{connect_with, uri};
use rusqlite::{Connection, OpenFlags};
use shared::problem::{Code, Problem};

use super::engine::{Place, Rosters, Sql, position};
use crate::{
    durable,
    rules::{self, Advanced},
    store::{
        ledger_sqlite::columns::{Column as _, all, maybe, put},
        sqlite::{
            failed, refused,
            schema::{FOLD, KIND},
        },
    },
};

/// Most contradictions that are named one by one, of each table.
const NAMED: u64 = 1000;
/// Entries folded at a time.
const STEP: usize = 256;

/// Tables of the fold, with what names a row of each.
const TABLES: [(&str, &str); 10] = [
    ("records", "'record ' || unit || ' ' || record"),
    ("residents", "'resident ' || reference"),
    ("resident_keys", "'a match key of resident ' || reference"),
    ("resident_parts", "'a part of resident ' || reference"),
    ("firsts", "'first fate of a line of batch ' || lower(hex(batch))"),
    ("withdrawn", "'withdrawn number ' || unit || ' ' || epoch || '.' || number"),
    ("waiting", "'what waits for ' || unit || ' ' || target"),
    ("decided", "'a line of decision ' || lower(hex(id))"),
    ("batches_decided", "'what was decided of batch ' || lower(hex(batch))"),
    ("fold", "'the position of the fold'"),
];

/// The file, which goes when the check ends.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        remove(&self.0);
    }
}

fn remove(path: &Path) {
    for end in ["", "-journal", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(end);
        // what cannot be removed is looked at again by the next check, which says so
        let _gone = durable::remove(Path::new(&name));
    }
}

/// Folds everything beside the database and compares.
pub(super) fn check(database: &Path, rosters: &Rosters) -> Result<Vec<Problem>, Problem> {
    let path = database.with_extension("check");
    if durable::is_read_only(database) {
        // nothing can be made beside it, and nobody else writes to it
        let c = connect_with(Path::new(":memory:"), &KIND, OpenFlags::SQLITE_OPEN_URI).map_err(refused)?;
        c.pragma_update(None, "locking_mode", "exclusive").map_err(failed)?;
        return within(&c, database, rosters);
    }
    remove(&path);
    durable::create(&path, b"").map_err(durable::problem("file of the check"))?;
    let scratch = Scratch(path);
    let c = connect_with(&scratch.0, &KIND, OpenFlags::SQLITE_OPEN_URI).map_err(refused)?;
    within(&c, database, rosters)
}

fn within(c: &Connection, database: &Path, rosters: &Rosters) -> Result<Vec<Problem>, Problem> {
    // nothing here has to survive anything
    c.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;").map_err(failed)?;
    c.execute_batch(FOLD).map_err(failed)?;
    put(c, "ATTACH ?1 AS centre", [uri(database)])?;
    c.execute_batch("BEGIN").map_err(failed)?;
    let found = compare(c, rosters);
    c.execute_batch("ROLLBACK").map_err(failed)?;
    found
}

fn compare(c: &Connection, rosters: &Rosters) -> Result<Vec<Problem>, Problem> {
    let copied = "CREATE TABLE main.merge_work AS SELECT batch, idx, replace(state, 'folded', 'opened') AS state, 0 AS due
                  FROM centre.merge_work; CREATE UNIQUE INDEX main.copied_batch ON merge_work (batch);
                  CREATE UNIQUE INDEX main.copied_idx ON merge_work (idx);";
    c.execute_batch(copied).map_err(failed)?;
    let until = maybe(c, "SELECT next FROM centre.fold", [], u64::read_first)?.unwrap_or(0);
    let engine = Sql::of(c, Place::Beside, rosters);
    while position(c)?.0 < until {
        match rules::advance_to(&engine, until, STEP)? {
            Advanced::More => {}
            Advanced::Done | Advanced::Waits => break,
        }
    }
    // a batch that is judged and waits for its outcome stands at the position
    if maybe(c, "SELECT judged FROM centre.fold", [], u64::read_first)? == Some(1) {
        rules::advance(&engine, 1)?;
    }
    let mut off = engine.differing.take();
    for (table, name) in TABLES {
        differences(c, table, name, &mut off)?;
    }
    Ok(off)
}

/// Rows that one of the two has and the other has not.
fn differences(c: &Connection, table: &str, name: &str, off: &mut Vec<Problem>) -> Result<(), Problem> {
    for (one, other) in [("centre", "main"), ("main", "centre")] {
        let sql = format!("SELECT DISTINCT {name} FROM (SELECT * FROM {one}.{table} EXCEPT SELECT * FROM {other}.{table}) LIMIT {NAMED}");
        for what in all(c, &sql, [], |row| String::read(row, 0))? {
            if !off.iter().any(|known| known.detail == what) {
                off.push(Problem::new(Code::RegistryWrong, what));
            }
        }
    }
    Ok(())
}
