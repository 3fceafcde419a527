//! The centre's database: one writer thread, a few readers.
//!
//! ```text
//! write(job) ─┐
//! write(job) ─┼─▶ one transaction ─▶ commit (WAL, synchronous=FULL) ─▶ each caller is answered
//! write(job) ─┘
//! ```
//!
//! **Invariants:** a write is answered after the commit that holds it is durable; each job is all or nothing
//! within it (a savepoint). WAL and FULL are asserted at open: with NORMAL an acknowledged row is lost at a
//! power cut. After an I/O error of a commit the writer takes no more work: the next start reads the truth
//! from archive and guard. Several processes may have the file open; each waits for the other's commit.

pub(super) mod schema;
mod writer;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use ground::sqlite::{self, Refused};
use rusqlite::{Connection, ErrorCode};
use shared::problem::{Code, Problem};
use tokio::sync::Semaphore;

#[cfg(test)]
pub(crate) use self::schema::KIND;
use self::writer::Writer;
use super::blocking;
use crate::durable;

/// Reads at the same time.
const READERS: usize = 4;
/// Memory for pages of the connection that writes: a transaction that does not fit writes its pages twice.
const WRITER_KIB: i64 = 16 * 1024;

/// The database. Clones share the writer and the readers.
#[derive(Clone)]
pub struct Db {
    writer: Arc<Writer>,
    readers: Arc<Readers>,
}

struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
    permits: Semaphore,
}

impl Db {
    /// Opens the file, making it when it is not there, and brings its schema up to date.
    pub fn open(path: &Path) -> Result<Self, Problem> {
        let connection = sqlite::open(path, &schema::KIND).map_err(refused)?;
        connection.pragma_update(None, "cache_size", -WRITER_KIB).map_err(failed)?;
        let readers = Readers { path: path.to_owned(), idle: Mutex::new(Vec::new()), permits: Semaphore::new(READERS) };
        Ok(Self { writer: Arc::new(Writer::start(connection)), readers: Arc::new(readers) })
    }

    /// Runs `job` in a transaction; returns when that is durable. An error of the job leaves no trace of it.
    pub async fn write<T, F>(&self, job: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Problem> + Send + 'static,
    {
        self.writer.run(job).await
    }

    /// Looks at every page, as far as SQLite's own quick check goes.
    pub async fn whole(&self) -> Result<(), Problem> {
        self.checked("PRAGMA quick_check(1)").await
    }

    /// Looks at every page, and whether each index has what its table has.
    pub async fn integrity(&self) -> Result<(), Problem> {
        self.checked("PRAGMA integrity_check(1)").await
    }

    async fn checked(&self, sql: &'static str) -> Result<(), Problem> {
        self.read(move |c| {
            let said: String = c.query_row(sql, [], |row| row.get(0)).map_err(failed)?;
            if said == "ok" { Ok(()) } else { Err(Problem::new(Code::DatabaseDamaged, "its pages do not fit together")) }
        })
        .await
    }

    /// Where the file is.
    pub(super) fn path(&self) -> &Path {
        &self.readers.path
    }

    /// Returns when an error of a commit has ended all writing: only a new start reads what is true.
    pub async fn stopped(&self) {
        self.writer.stopped().await;
    }

    /// Runs `job` on one consistent state of the database.
    pub async fn read<T, F>(&self, job: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Problem> + Send + 'static,
    {
        let readers = self.readers.clone();
        let _permit = self.readers.permits.acquire().await.map_err(|_| Problem::new(Code::DatabaseFailed, "closed"))?;
        blocking(move || {
            let connection = readers.take()?;
            let transaction = connection.unchecked_transaction().map_err(failed)?;
            let answer = job(&transaction);
            drop(transaction);
            readers.idle.lock().expect("no reader panics while it holds this").push(connection);
            answer
        })
        .await
    }
}

impl Readers {
    fn take(&self) -> Result<Connection, Problem> {
        if let Some(connection) = self.idle.lock().expect("no reader panics while it holds this").pop() {
            return Ok(connection);
        }
        let connection = sqlite::connect(&self.path, &schema::KIND).map_err(refused)?;
        connection.pragma_update(None, "query_only", true).map_err(failed)?;
        Ok(connection)
    }
}

/// Why a database was not opened, as a problem.
pub(crate) fn refused(why: Refused) -> Problem {
    match why {
        Refused::Sqlite(e) => failed(e),
        Refused::Disk(e) => durable::problem("database")(e),
        Refused::Newer(why) => Problem::new(Code::DatabaseNewer, why),
        Refused::NotDurable(why) => Problem::new(Code::DatabaseFailed, why),
    }
}

/// An error of SQLite as a problem. Its own text is left out: it may quote a value.
#[allow(clippy::needless_pass_by_value, reason = "the shape that map_err asks for")]
pub fn failed(e: rusqlite::Error) -> Problem {
    let code = e.sqlite_error_code();
    let detail = e.sqlite_error().map_or_else(|| e.to_string(), |f| format!("SQLite result {}", f.extended_code));
    match code {
        _ if sqlite::is_full(&e) => Problem::new(Code::DiskFull, "database"),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Problem::new(Code::Busy, "database"),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Problem::new(Code::DatabaseDamaged, detail),
        Some(ErrorCode::ReadOnly) => Problem::new(Code::DiskReadOnly, "database"),
        Some(ErrorCode::CannotOpen) => Problem::new(Code::IoFailed, "database"),
        _ => Problem::new(Code::DatabaseFailed, detail),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn put(n: i64) -> impl FnOnce(&Connection) -> Result<(), Problem> {
        move |c| c.execute("INSERT INTO hashes (idx, hash) VALUES (?1, x'00')", [n]).map(|_| ()).map_err(failed)
    }

    async fn count(db: &Db) -> i64 {
        db.read(|c| c.query_row("SELECT count(*) FROM hashes", [], |r| r.get(0)).map_err(failed)).await.expect("counted")
    }

    #[tokio::test]
    async fn a_failed_job_leaves_no_trace_and_harms_no_other() {
        let dir = tempfile::tempdir().expect("a folder");
        let db = Db::open(&dir.path().join("db")).expect("opened");
        let refused = |c: &Connection| put(1)(c).and(Err::<(), _>(Problem::from(Code::Repeat)));
        let (a, b, c) = tokio::join!(db.write(put(7)), db.write(refused), db.write(put(8)));
        assert!(a.is_ok() && c.is_ok());
        assert_eq!(b.map_err(|p| p.code), Err(Code::Repeat));
        let panics = |_: &Connection| -> Result<(), Problem> { panic!("as a bug would") };
        assert_eq!(db.write(panics).await.map_err(|p| p.code), Err(Code::DatabaseFailed));
        assert!(db.write(put(9)).await.is_ok(), "the writer goes on");
        assert_eq!(count(&db).await, 3);
    }

    #[tokio::test]
    async fn a_full_disk_in_the_middle_of_a_job_is_told_as_one_and_writing_goes_on() {
        let dir = tempfile::tempdir().expect("a folder");
        let db = Db::open(&dir.path().join("db")).expect("opened");
        let limit = |pages: i64| move |c: &Connection| c.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(())).map_err(failed);
        db.write(limit(1)).await.expect("no more pages than there are");
        let large = |c: &Connection| {
            let sql = "INSERT INTO hashes (idx, hash) VALUES (100, zeroblob(1000000))";
            c.execute(sql, []).map(|_| ()).map_err(failed)
        };
        let (beside, full) = tokio::join!(db.write(put(7)), db.write(large));
        assert_eq!(full.map_err(|p| p.code), Err(Code::DiskFull));
        let there = count(&db).await;
        assert_eq!(there, i64::from(beside.is_ok()), "what shared the transaction is there if it was answered");
        db.write(limit(1 << 20)).await.expect("there is room again");
        db.write(large).await.expect("the writer goes on");
        assert_eq!(count(&db).await, there + 1);
    }

    #[tokio::test]
    async fn what_was_answered_is_there_after_reopening() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("db");
        Db::open(&path).expect("opened").write(put(1)).await.expect("written");
        let other = Db::open(&path).expect("opened again");
        let both = Db::open(&path).expect("two at a time");
        both.write(put(2)).await.expect("written");
        assert_eq!(count(&other).await, 2);
    }

    #[tokio::test]
    async fn who_serves_hears_when_writing_has_stopped() {
        let dir = tempfile::tempdir().expect("a folder");
        let db = Db::open(&dir.path().join("db")).expect("opened");
        db.write(put(1)).await.expect("written");
        assert!(tokio::time::timeout(Duration::from_millis(10), db.stopped()).await.is_err(), "not yet");
        // as a commit fails whose transaction is gone
        let gone = |c: &Connection| c.execute_batch("ROLLBACK").map_err(failed);
        assert!(db.write(gone).await.is_err());
        db.stopped().await;
        assert_eq!(db.write(put(2)).await.map_err(|p| p.code), Err(Code::DatabaseFailed));
        assert_eq!(count(&db).await, 1);
    }

    #[test]
    fn a_newer_schema_is_refused() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("db");
        drop(Db::open(&path).expect("opened"));
        let raw = Connection::open(&path).expect("opened");
        raw.pragma_update(None, "user_version", 9999).expect("as newer software would");
        drop(raw);
        assert_eq!(Db::open(&path).err().map(|p| p.code), Some(Code::DatabaseNewer));
    }
}
