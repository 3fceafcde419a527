//! Opening SQLite: WAL with synchronous=FULL, both asserted; the schema in numbered steps.
//!
//! 1. Make the file, durable, if it is not there: 0600, and SQLite makes what it keeps beside it alike.
//! 2. Connect. 3. Set what durability rests on, and read it back. 4. The write-ahead log is there, and its name durable.
//! 5. Take the steps of the schema that are missing.
//!
//! On a disk that can only be read it is opened as it lies there, its write-ahead log included: nobody else can write there, so
//! neither locks nor shared memory are needed.
//!
//! **Invariants:** with synchronous=NORMAL acknowledged rows were lost in trials. What SQLite puts aside for a moment stays in
//! memory. A step, once released, never changes; all that are missing are one transaction, so a crash leaves the old schema
//! or the new one. A file with more steps than this software knows is refused untouched. No error quotes a value.

pub mod rows;

use std::{
    ffi::OsStr,
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior, config::DbConfig, ffi};

use crate::{
    durable::{self, Failed, tighten},
    sabotage,
};

/// How long one process waits for the commit of another.
const PATIENCE: Duration = Duration::from_secs(20);
/// Bytes of a page; counts only before the first page is written.
pub const PAGE: u32 = 16 * 1024;
/// How SQLite says that pages are given back when asked for.
const INCREMENTAL: u64 = 2;
/// What SQLite keeps beside its file.
const BESIDE: [&str; 2] = ["-wal", "-shm"];

/// Whose database it is, and how it is used.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    /// Says whose file this is (`PRAGMA application_id`).
    pub application: i64,
    /// So many steps were released before files said whose they are.
    pub unmarked: usize,
    /// Step n brings version n to version n + 1 (`PRAGMA user_version`).
    pub steps: &'static [&'static str],
    /// Statements that a connection keeps prepared.
    pub statements: usize,
    /// How statements are planned.
    pub plans: Plans,
    /// What becomes of pages that are free.
    pub pages: Pages,
}

/// What becomes of pages of a file that hold nothing any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pages {
    /// They stay, for what comes later.
    Stay,
    /// [`shrink`] gives them back to the disk.
    Return,
}

/// How statements are planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plans {
    /// With what is bound to them in view.
    Bound,
    /// One plan per statement, whatever is bound to it (QPSG): else those that a partial index might serve are parsed anew
    /// each time.
    Stable,
}

/// Why a database was not opened.
#[derive(Debug)]
pub enum Refused {
    /// SQLite said so.
    Sqlite(rusqlite::Error),
    /// The disk, beside SQLite.
    Disk(Failed),
    /// Another program's, or newer software's: what it says, and what this software knows.
    Newer(String),
    /// It cannot be made durable, and how not.
    NotDurable(String),
}

impl From<rusqlite::Error> for Refused {
    fn from(e: rusqlite::Error) -> Self {
        Self::Sqlite(e)
    }
}
impl From<Failed> for Refused {
    fn from(e: Failed) -> Self {
        Self::Disk(e)
    }
}

/// Opens the database at `path`, making it when it is not there, and brings its schema up to date.
pub fn open(path: &Path, kind: &Kind) -> Result<Connection, Refused> {
    if durable::is_read_only(path) {
        let db = connect(path, kind)?;
        return if done(&db, kind)? == Done::All { Ok(db) } else { Err(Refused::NotDurable("a disk that can only be read".into())) };
    }
    // 1.
    if durable::is_there(path) {
        // made by another program, or put back from a copy
        [path.to_owned()].into_iter().chain(BESIDE.map(|end| beside(path, end))).try_for_each(|file| tighten(&file))?;
    } else {
        durable::create(path, b"")?;
    }
    // 2.
    let mut db = connect(path, kind)?;
    // 3.
    settle(&db, kind)?;
    // 4.
    journal_is_there(&db, path)?;
    // 5.
    step_up(&mut db, kind)?;
    Ok(db)
}

/// A further connection, with the settings that all of them have.
pub fn connect(path: &Path, kind: &Kind) -> Result<Connection, Refused> {
    connect_with(path, kind, OpenFlags::empty())
}

/// The same, opened with `more` flags than the usual ones.
pub fn connect_with(path: &Path, kind: &Kind, more: OpenFlags) -> Result<Connection, Refused> {
    let more = OpenFlags::SQLITE_OPEN_NO_MUTEX | more;
    let db = if durable::is_read_only(path) {
        reading(path, more)?
    } else {
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | more)?
    };
    db.busy_timeout(PATIENCE)?;
    // pages put aside for a moment show personal data, too: not into /var/tmp
    db.pragma_update(None, "temp_store", "memory")?;
    db.pragma_update(None, "foreign_keys", true)?;
    db.pragma_update(None, "trusted_schema", false)?;
    db.set_prepared_statement_cache_capacity(kind.statements);
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, kind.plans == Plans::Stable)?;
    Ok(db)
}

/// A connection to a file on a disk that can only be read.
fn reading(path: &Path, more: OpenFlags) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | more;
    let db = Connection::open_with_flags(uri(path), flags | OpenFlags::SQLITE_OPEN_URI)?;
    db.pragma_update(None, "locking_mode", "exclusive")?;
    Ok(db)
}

/// The path as a URI for who only reads (SQLite, "Uniform Resource Identifiers"). On a disk that can only be read what the write-ahead
/// log holds is found in memory, as only somebody does who is alone: such a connection has `locking_mode` exclusive.
pub fn uri(path: &Path) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/-_.~".contains(byte);
    let encoded =
        path.as_os_str().as_bytes().iter().map(|byte| if plain(byte) { char::from(*byte).to_string() } else { format!("%{byte:02X}") });
    let how = match (durable::is_read_only(path), durable::holds_something(&beside(path, BESIDE[0]))) {
        (false, _) => "mode=ro",
        (true, true) => "mode=ro&vfs=unix-none",
        (true, false) => "immutable=1",
    };
    format!("file:{}?{how}", encoded.collect::<String>())
}

/// Does the error say that the disk is full? SQLite calls a lack of room for its shared memory an I/O error.
pub fn is_full(e: &rusqlite::Error) -> bool {
    e.sqlite_error().is_some_and(|said| said.code == ErrorCode::DiskFull || said.extended_code == ffi::SQLITE_IOERR_SHMSIZE)
}

/// Gives pages that are free back to the disk, all but `spare`, in pieces: what moves is written to the journal first, and on a full
/// disk there is no room for much of it. Returns how many went.
pub fn shrink(db: &Connection, spare: u64) -> rusqlite::Result<u64> {
    const PIECE: u64 = 256;
    let mut gone = 0;
    loop {
        let free = count(db, "freelist_count")?;
        let piece = free.saturating_sub(spare).min(PIECE);
        if piece == 0 {
            return Ok(gone);
        }
        let mut statement = db.prepare(&format!("PRAGMA incremental_vacuum({piece})"))?;
        let mut rows = statement.query([])?;
        while rows.next()?.is_some() {}
        db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        let left = count(db, "freelist_count")?;
        if left >= free {
            return Ok(gone);
        }
        gone += free - left;
    }
}

/// Bytes of pages that are free within the file.
pub fn free_within(db: &Connection) -> rusqlite::Result<u64> {
    Ok(count(db, "freelist_count")? * count(db, "page_size")?)
}

fn count(db: &Connection, pragma: &str) -> rusqlite::Result<u64> {
    let count: i64 = db.pragma_query_value(None, pragma, |row| row.get(0))?;
    Ok(u64::try_from(count).unwrap_or(0))
}

/// Sets what durability rests on, and reads it back.
fn settle(db: &Connection, kind: &Kind) -> Result<(), Refused> {
    db.pragma_update(None, "page_size", PAGE)?;
    // counts only before the first page is written; said again it would wait for whoever writes
    if kind.pages == Pages::Return && count(db, "auto_vacuum")? != INCREMENTAL {
        db.pragma_update(None, "auto_vacuum", "incremental")?;
    }
    let journal: String = db.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
    let (level, number) = if sabotage::on("synchronous-normal") { ("normal", 1) } else { ("full", 2) };
    db.pragma_update(None, "synchronous", level)?;
    let synchronous: i64 = db.pragma_query_value(None, "synchronous", |row| row.get(0))?;
    if journal == "wal" && synchronous == number {
        Ok(())
    } else {
        Err(Refused::NotDurable(format!("journal_mode {journal}, synchronous {synchronous}")))
    }
}

/// The write-ahead log is really in use, and its name durable.
fn journal_is_there(db: &Connection, path: &Path) -> Result<(), Refused> {
    // The first read opens it. SQLite says `wal` before the change of mode is committed, and goes on saying so when that
    // failed: the file itself tells.
    db.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    let journal = beside(path, BESIDE[0]);
    if !durable::is_there(&journal) {
        return Err(Refused::NotDurable("no write-ahead log".into()));
    }
    // SQLite syncs its name with the first commit, but takes no notice when that fails: a power cut would then take every
    // commit since, with the whole file.
    Ok(durable::sync_name(&journal)?)
}

/// Takes the steps that are still missing.
pub fn step_up(db: &mut Connection, kind: &Kind) -> Result<(), Refused> {
    if done(db, kind)? == Done::All {
        return Ok(());
    }
    // Two processes may start together: the second waits here and then finds the work done.
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if let Done::Steps(taken) = done(&transaction, kind)? {
        kind.steps[taken..].iter().try_for_each(|step| transaction.execute_batch(step))?;
        transaction.pragma_update(None, "user_version", i64::try_from(kind.steps.len()).expect("few steps"))?;
        transaction.pragma_update(None, "application_id", kind.application)?;
        transaction.commit()?;
    }
    Ok(())
}

#[derive(Debug, PartialEq, Eq)]
enum Done {
    /// Every step, and the file says whose it is.
    All,
    /// So many steps; whose file it is may be missing.
    Steps(usize),
}

fn done(db: &Connection, kind: &Kind) -> Result<Done, Refused> {
    let version: i64 = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let application: i64 = db.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let ours = |taken: usize| taken == 0 || application == kind.application || (application == 0 && taken <= kind.unmarked);
    match usize::try_from(version).ok().filter(|&taken| taken <= kind.steps.len() && ours(taken)) {
        Some(taken) if taken == kind.steps.len() && application == kind.application => Ok(Done::All),
        Some(taken) => Ok(Done::Steps(taken)),
        None => Err(Refused::Newer(format!("schema {version}, this software knows {}", kind.steps.len()))),
    }
}

fn beside(path: &Path, end: impl AsRef<OsStr>) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

/// The process that writes to the database at `path` just now, in words: whoever waits for its turn may name it.
pub fn writer(path: &Path) -> Option<String> {
    durable::wal_writer(&beside(path, "-shm"))
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use super::*;

    const KIND: Kind = Kind {
        application: 77,
        unmarked: 1,
        steps: &["CREATE TABLE a (x)", "CREATE TABLE b (x)"],
        statements: 16,
        plans: Plans::Stable,
        pages: Pages::Return,
    };

    fn ask(db: &Connection, what: &str) -> rusqlite::types::Value {
        db.pragma_query_value(None, what, |row| row.get(0)).expect("asked")
    }

    #[test]
    fn durability_is_asserted_not_hoped_for() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("db");
        let db = open(&path, &KIND).expect("opened");
        assert_eq!(ask(&db, "journal_mode"), rusqlite::types::Value::Text("wal".into()));
        for (what, value) in [("synchronous", 2), ("page_size", 16 * 1024), ("application_id", 77), ("user_version", 2), ("temp_store", 2)]
        {
            assert_eq!(ask(&db, what), rusqlite::types::Value::Integer(value), "{what}");
        }
        db.pragma_update(None, "journal_mode", "delete").expect("somebody changes it");
        db.pragma_update(None, "synchronous", "normal").expect("somebody changes it");
        settle(&db, &KIND).expect("set again");
        assert_eq!(ask(&db, "synchronous"), rusqlite::types::Value::Integer(2));
        let memory = Connection::open_in_memory().expect("opened");
        assert!(matches!(settle(&memory, &KIND), Err(Refused::NotDurable(_))), "a database that cannot do WAL is refused");
    }

    #[test]
    fn files_are_their_owners_alone_also_old_ones() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("db");
        let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
        let files = [path.clone(), beside(&path, "-wal"), beside(&path, "-shm")];
        let modes = || files.iter().map(|file| mode(file)).collect::<Vec<_>>();
        let first = open(&path, &KIND).expect("opened");
        assert_eq!(modes(), [0o600; 3]);
        for file in &files {
            fs::set_permissions(file, fs::Permissions::from_mode(0o644)).expect("set");
        }
        first.execute_batch("BEGIN IMMEDIATE; INSERT INTO a VALUES (1)").expect("begun");
        let second = open(&path, &KIND).expect("opened");
        assert_eq!(modes(), [0o600; 3]);
        second.busy_timeout(Duration::ZERO).expect("set");
        assert!(second.execute("INSERT INTO a VALUES (2)", []).is_err(), "the first still has its lock");
        let told = writer(&path).expect("this kernel says");
        assert!(told.starts_with(&format!("process {} (", std::process::id())), "{told}");
        first.execute_batch("ROLLBACK").expect("ended");
        assert_eq!(writer(&path), None);
    }

    #[test]
    fn steps_are_taken_once_and_foreign_files_left_alone() {
        let mut db = Connection::open_in_memory().expect("opened");
        db.execute_batch(KIND.steps[0]).expect("an older schema");
        db.pragma_update(None, "user_version", 1).expect("from before files were marked");
        step_up(&mut db, &KIND).expect("brought up");
        step_up(&mut db, &KIND).expect("twice is the same as once");
        assert_eq!((ask(&db, "user_version"), ask(&db, "application_id")), (2.into(), 77.into()));
        for (what, value) in [("user_version", 99), ("application_id", 5), ("application_id", 0)] {
            let mut db = Connection::open_in_memory().expect("opened");
            step_up(&mut db, &KIND).expect("brought up");
            db.pragma_update(None, what, value).expect("as another program would");
            assert!(matches!(step_up(&mut db, &KIND), Err(Refused::Newer(_))), "{what} {value}");
            assert_eq!(ask(&db, what), rusqlite::types::Value::Integer(value), "untouched");
        }
        let mut torn = Connection::open_in_memory().expect("opened");
        let bad = Kind { steps: &["CREATE TABLE a (x)", "not SQL"], ..KIND };
        assert!(step_up(&mut torn, &bad).is_err());
        assert_eq!(ask(&torn, "user_version"), 0.into(), "all of it or nothing");
    }
}
