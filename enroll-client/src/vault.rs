//! The vault: everything that the unit keeps, and the only place with SQL.
//!
//! ```text
//! <data>/vault.db         SQLite, WAL, synchronous=FULL, pages of 16 KiB
//! <data>/vault.keys       one erasable key a slot (`vault/keyslots.rs`), slip codes not shown yet (`vault/slips.rs`)
//! <data>/machine.secret   unless it lies elsewhere (`vault/machine.rs`)
//! <data>/capture.lock     held by whoever captures, while a command runs
//! <data>/session.lock     held by the one session
//! <data>/sync.lock        held by the one sync
//! <data>/reserve          space that is given back when the disk is full
//! ```
//!
//! **Trust:** whoever holds the laptop may have changed any byte; what matters is signed, and checked
//! where it is used. **Invariants:** WAL with synchronous=FULL, asserted at each opening: with NORMAL
//! acknowledged rows were lost in trials. Transactions are short, and none is open while the network is
//! used. Plain personal data never comes here: drafts and cards are encrypted before they do.

mod columns;
pub mod keyslots;
pub mod machine;
pub mod wrap;
mod schema;

pub mod alarms;
pub mod members;
pub mod reset;
pub mod state;
pub mod rosters;
pub mod drafts;
pub mod records;
pub mod epoch;
pub mod slips;
pub mod outbox;

use std::{collections::BTreeSet, path::PathBuf};

use ground::sqlite;
pub(crate) use ground::sqlite::rows::int;
use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior};
use shared::problem::{Code, Problem};

use self::{
    columns::Column as _,
    keyslots::{Found, KeyFile, Kind, Slot},
    machine::{MachineSecret, UnitKeys},
};
use crate::durable::{self, Lock};

/// Space kept back for the moment when the disk is full: enough to finish what is under way and to close.
const RESERVE: u64 = 32 << 20;
/// Capture is refused when less than this is free besides.
const FREE_MIN: u64 = 64 << 20;
/// With less than this besides what capture needs, people are told: 64 MiB.
pub const LOW_ROOM: u64 = 64 << 20;
/// With less than this free not even reading works: SQLite needs memory that it shares through a file.
const OPENING: u64 = 4 << 20;
/// Free pages that stay in the vault for the next records: 16 MiB.
const SPARE_PAGES: u64 = 1024;

/// How the detail of what SQLite refused begins.
const BY_SQLITE: &str = "SQLite";

/// Turns what the database said into a problem.
pub(crate) trait Db<T> {
    fn db(self) -> Result<T, Problem>;
}

impl<T> Db<T> for rusqlite::Result<T> {
    fn db(self) -> Result<T, Problem> {
        self.map_err(|e| failed(&e))
    }
}

fn failed(e: &rusqlite::Error) -> Problem {
    let code = match e.sqlite_error_code() {
        _ if sqlite::is_full(e) => Code::DiskFull,
        Some(ErrorCode::ReadOnly) => Code::DiskReadOnly,
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Code::VaultDamaged,
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Code::LockedElsewhere,
        _ => Code::DatabaseFailed,
    };
    // the text of an error may quote a value; its kind does not
    let detail = e.sqlite_error().map_or_else(|| "unexpected row".to_owned(), |s| format!("{BY_SQLITE} {}", s.extended_code));
    Problem::new(code, detail)
}

impl<T> Db<T> for Result<T, sqlite::Refused> {
    fn db(self) -> Result<T, Problem> {
        self.or_else(|refused| match refused {
            sqlite::Refused::Sqlite(e) => Err(e).db(),
            sqlite::Refused::Disk(e) => Err(e.into()),
            sqlite::Refused::Newer(why) => Err(Problem::new(Code::VaultNewer, why)),
            sqlite::Refused::NotDurable(why) => Err(Problem::new(Code::DatabaseFailed, why)),
        })
    }
}

/// A value in the vault that is not what this software writes there.
pub(crate) fn damaged(what: &str) -> Problem {
    Problem::new(Code::VaultDamaged, what)
}

/// A key file that has held keys, beside no vault: whoever made a new one there would erase the keys of what the old one holds.
fn lost(places: &Places) -> Option<Problem> {
    let detail = "vault.db is gone from a folder that had one: put it back; if it is lost for good, set the laptop up in another folder";
    durable::holds_something(&places.file("vault.keys")).then(|| Problem::new(Code::VaultDamaged, detail))
}

/// Where the parts of a vault lie.
#[derive(Debug, Clone)]
pub struct Places {
    /// The data folder.
    pub data: PathBuf,
    /// The machine secret.
    pub machine: PathBuf,
}

impl Places {
    fn file(&self, name: &str) -> PathBuf {
        self.data.join(name)
    }

    /// A wait for the vault that came to nothing, with the process that writes to it.
    pub fn with_writer(&self, problem: Problem) -> Problem {
        let waited = problem.code == Code::LockedElsewhere && problem.detail.starts_with(BY_SQLITE);
        match sqlite::writer(&self.file("vault.db")).filter(|_| waited) {
            Some(writer) => Problem::new(problem.code, format!("the vault is written to by {writer}")),
            None => problem,
        }
    }
}

/// An open vault.
pub struct Vault {
    db: Connection,
    keys: KeyFile,
    places: Places,
}

impl Vault {
    /// Opens the vault, or makes an empty one (`init` then fills it).
    pub fn create(places: &Places) -> Result<Self, Problem> {
        durable::folder(&places.data)?;
        let there = durable::is_there(&places.file("vault.db"));
        match lost(places) {
            Some(problem) if !there => Err(problem),
            Some(problem) => Self::connect(places).and_then(|vault| if vault.is_initialised()? { Ok(vault) } else { Err(problem) }),
            None => Self::connect(places),
        }
    }

    /// Opens the vault of a unit that has been initialised.
    pub fn open(places: &Places) -> Result<Self, Problem> {
        let none = || lost(places).unwrap_or_else(|| Problem::new(Code::NotInitialised, places.data.display().to_string()));
        if !durable::is_there(&places.file("vault.db")) {
            return Err(none());
        }
        let vault = Self::connect(places)?;
        if vault.is_initialised()? { Ok(vault) } else { Err(none()) }
    }

    fn connect(places: &Places) -> Result<Self, Problem> {
        durable::tighten(&places.data)?;
        if !durable::is_read_only(&places.data) && durable::free_space(&places.data)? < OPENING {
            durable::remove(&places.file("reserve"))?;
        }
        let db = sqlite::open(&places.file("vault.db"), &schema::KIND).db()?;
        Ok(Self { db, keys: KeyFile::new(places.file("vault.keys")), places: places.clone() })
    }

    /// Where its parts lie.
    pub fn places(&self) -> &Places {
        &self.places
    }

    /// The keys under the machine secret.
    pub fn unit_keys(&self) -> Result<UnitKeys, Problem> {
        UnitKeys::open(&self.state()?.unit, &self.wrapped_unit_keys()?, &MachineSecret::open(&self.places.machine)?)
    }

    /// Becomes the one that captures, and clears away what an earlier one left half done.
    pub fn capture(&self) -> Result<CaptureSession, Problem> {
        let lock = Lock::take(&self.places.file("capture.lock"))?;
        durable::sweep(&self.places.data)?;
        self.sweep()?;
        self.keep_reserve()?;
        Ok(CaptureSession(lock))
    }

    /// Becomes the one session.
    pub fn session(&self) -> Result<Session, Problem> {
        Ok(Session(Lock::take(&self.places.file("session.lock"))?))
    }

    /// Becomes the one sync.
    pub fn syncing(&self) -> Result<SyncSession, Problem> {
        Ok(SyncSession(Lock::take(&self.places.file("sync.lock"))?))
    }

    /// Erases the slots that no row names: what a crash between a slot and its commit, or between a
    /// commit and its erasing, left behind. Those of slip codes are named by nothing but themselves.
    fn sweep(&self) -> Result<usize, Problem> {
        let held = self.keys.hold()?;
        held.sweep(&self.slots_in_use()?, |found| match found {
            Found::Used(Kind::Slip, record) => self.slip_may_wait(record),
            _ => Ok(false),
        })
    }

    /// The slots that rows name.
    fn slots_in_use(&self) -> Result<BTreeSet<Slot>, Problem> {
        let slots = columns::all(&self.db, NAMED, [], |row| Ok(Slot(u32::read(row, 0)?)))?;
        Ok(slots.into_iter().collect())
    }

    /// Keeps the reserve file, as long as there is room for it.
    fn keep_reserve(&self) -> Result<(), Problem> {
        if durable::free_space(&self.places.data)? > RESERVE + FREE_MIN {
            durable::reserve(&self.places.file("reserve"), RESERVE)?;
        }
        Ok(())
    }

    /// Refuses work that would need space when there is hardly any left, before anything is lost.
    pub fn room_for(&self, bytes: u64) -> Result<(), Problem> {
        let (free, within) = (durable::free_space(&self.places.data)?, sqlite::free_within(&self.db).db()?);
        // a record is written to the journal and to the database, where pages may be free
        let wanted = FREE_MIN + bytes + bytes.saturating_sub(within);
        if free >= wanted { Ok(()) } else { Err(Problem::new(Code::DiskFull, format!("{free} bytes free"))) }
    }

    /// Gives pages of the vault that are free back to the disk, but for some that the next records fill; returns how many bytes.
    pub fn shrink(&self, _: &CaptureSession) -> Result<u64, Problem> {
        Ok(sqlite::shrink(&self.db, SPARE_PAGES).db()? * u64::from(sqlite::PAGE))
    }

    /// Refuses where the disk can only be read.
    pub fn may_write(&self) -> Result<(), Problem> {
        if durable::is_read_only(&self.places.data) { Err(Code::DiskReadOnly.into()) } else { Ok(()) }
    }

    /// Gives the reserve back when space runs out: closing, sending and pruning must still work on a full disk,
    /// for that is how it gets empty again.
    pub fn make_room(&self) -> Result<(), Problem> {
        if self.room_for(0).is_ok() { Ok(()) } else { Ok(durable::remove(&self.places.file("reserve"))?) }
    }

    /// Begins a transaction that will write: it waits for its turn at once, not at its first write.
    fn begin(&self) -> Result<Transaction<'_>, Problem> {
        Transaction::new_unchecked(&self.db, TransactionBehavior::Immediate).db()
    }

    /// SQLite's own check of every page, and the checks across tables.
    pub fn integrity(&self) -> Result<(), Problem> {
        let said: String = self.db.query_row("PRAGMA integrity_check(1)", [], |r| r.get(0)).db()?;
        let strays: i64 = self.db.query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |r| r.get(0)).db()?;
        if said == "ok" && strays == 0 { Ok(()) } else { Err(damaged("integrity check")) }
    }

    /// How many slots of the key file are in use, and how many of those that rows name are damaged.
    pub fn key_slots(&self) -> Result<(u32, u32), Problem> {
        let all = self.keys.look()?.all()?;
        let used = all.iter().filter(|(_, found)| matches!(found, Found::Used(..))).count();
        let found: BTreeSet<(Slot, Found)> = all.into_iter().collect();
        let named = self.named_slots()?.into_iter().map(|(slot, kind, row)| (slot, Found::Used(kind, row)));
        let damaged = named.filter(|named| !found.contains(named)).count();
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Ok((count(used), count(damaged)))
    }

    /// Every slot that a row names.
    fn named_slots(&self) -> Result<Vec<(Slot, Kind, String)>, Problem> {
        let sql = "SELECT slot, 1, id FROM drafts UNION ALL SELECT review_slot, 2, record FROM records WHERE review_slot IS NOT NULL
                   UNION ALL SELECT contact_slot, 3, record FROM records WHERE contact_slot IS NOT NULL";
        let kind = |n: u32| match n {
            1 => Kind::Draft,
            2 => Kind::Review,
            _ => Kind::Contact,
        };
        columns::all(&self.db, sql, [], |row| Ok((Slot(u32::read(row, 0)?), kind(u32::read(row, 1)?), String::read(row, 2)?)))
    }
}

/// The slots that rows name; each part has an index of its own.
const NAMED: &str = "SELECT slot FROM drafts UNION ALL SELECT review_slot FROM records WHERE review_slot IS NOT NULL
    UNION ALL SELECT contact_slot FROM records WHERE contact_slot IS NOT NULL";

/// Shows that this process is the one that captures.
#[derive(Debug)]
pub struct CaptureSession(#[expect(dead_code, reason = "held for its lock")] Lock);
/// Shows that this process is the one session.
#[derive(Debug)]
pub struct Session(#[expect(dead_code, reason = "held for its lock")] Lock);
/// Shows that this process is the one that syncs.
#[derive(Debug)]
pub struct SyncSession(#[expect(dead_code, reason = "held for its lock")] Lock);

#[cfg(test)]
pub(crate) mod tests {
    use std::path::Path;

    use shared::{id::Member, keys::Signer};

    use super::{state::Founding, wrap::Cost, *};

    pub(crate) fn places(folder: &Path) -> Places {
        Places { data: folder.to_owned(), machine: folder.join("machine.secret") }
    }

    /// A founded vault in a folder of its own.
    pub(crate) fn unit() -> (tempfile::TempDir, Vault) {
        let folder = tempfile::tempdir().expect("a folder");
        let name: Member = "van-017".parse().expect("name");
        let vault = Vault::create(&places(folder.path())).expect("vault");
        let machine = MachineSecret::create(&vault.places.machine).expect("secret");
        let (keys, wrapped) = UnitKeys::generate(&name, &machine).expect("keys");
        let roster = Signer::from_seed("registry.example/roster-1".parse().expect("name"), &[1; 32]);
        let founding = Founding {
            key: keys.signer.public(),
            wrapped: &wrapped,
            server: "https://registry.example",
            ca: None,
            roster_key: roster.public(),
            cost: Cost { mib: 1, passes: 1 },
        };
        vault.found(&founding).expect("founded");
        (folder, vault)
    }

    /// A finished record, as it would lie in the vault, under this number.
    pub(crate) fn finished(vault: &Vault, number: u64, record: &str, line: &str, sealed: &[u8]) {
        let digest = shared::id::SealedDigest::of(sealed).to_string();
        let slip = shared::id::Digest::of(record.as_bytes()).to_string();
        let sql = "INSERT INTO records (epoch, number, record, agent, form, kind, finished, size, digest, line, slip)
                   VALUES (1, ?1, ?2, 'agent-1', 'national-id/1', 'new', 0, ?3, ?4, ?5, ?6)";
        vault.db.execute(sql, (int(number), record, int(sealed.len() as u64), digest, line, slip)).expect("a row");
        vault.db.execute("INSERT INTO sealed (epoch, number, bytes) VALUES (1, ?1, ?2)", (int(number), sealed)).expect("a row");
        vault.db.execute("UPDATE state SET last_number = ?1", [int(number)]).expect("a row");
    }

    #[test]
    fn not_initialised_until_the_last_act_of_init() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = places(folder.path());
        assert_eq!(Vault::open(&at).map(|_| ()).map_err(|p| p.code), Err(Code::NotInitialised));
        Vault::create(&at).expect("an empty vault");
        assert_eq!(Vault::open(&at).map(|_| ()).map_err(|p| p.code), Err(Code::NotInitialised));
    }

    #[test]
    fn one_capture_and_one_sync_at_a_time_both_together() {
        let (_folder, vault) = unit();
        let other = Vault::open(&vault.places).expect("open");
        let capture = vault.capture().expect("free");
        let _sync = vault.syncing().expect("free");
        assert_eq!(other.capture().map(|_| ()).map_err(|p| p.code), Err(Code::LockedElsewhere));
        assert_eq!(other.syncing().map(|_| ()).map_err(|p| p.code), Err(Code::LockedElsewhere));
        drop(capture);
        assert!(other.capture().is_ok());
    }

    #[test]
    fn opened_with_wal_and_full() {
        let (_folder, vault) = unit();
        let ask = |what: &str| vault.db.pragma_query_value(None, what, |r| r.get::<_, rusqlite::types::Value>(0)).expect("asked");
        assert_eq!(ask("journal_mode"), rusqlite::types::Value::Text("wal".into()));
        assert_eq!(ask("synchronous"), rusqlite::types::Value::Integer(2));
        assert_eq!(ask("page_size"), rusqlite::types::Value::Integer(16384));
    }

    #[test]
    fn pages_that_are_free_count_as_room_and_go_back_to_the_disk() {
        let (folder, vault) = unit();
        let session = vault.capture().expect("free");
        let sealed = vec![7; 4 << 20];
        for n in 1..=20 {
            finished(&vault, n, &format!("record-{n}"), &format!("line-{n}"), &sealed);
        }
        let size = || std::fs::metadata(folder.path().join("vault.db")).expect("there").len();
        vault.db.execute("DELETE FROM sealed", []).expect("as prune does");
        vault.db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).expect("written");
        let (before, within) = (size(), sqlite::free_within(&vault.db).expect("asked"));
        assert!(before > 80 << 20 && within > 76 << 20, "{before} {within}");
        let gone = vault.shrink(&session).expect("returned");
        // with them goes a page now and then that only said where others are
        assert!((before - 8 * u64::from(sqlite::PAGE)..=before).contains(&(size() + gone)), "{before} {gone} {}", size());
        assert_eq!(sqlite::free_within(&vault.db).expect("asked"), SPARE_PAGES * u64::from(sqlite::PAGE), "for the next records");
        assert_eq!(vault.shrink(&session), Ok(0));
        vault.integrity().expect("whole");
    }

    #[test]
    fn counters_only_rise() {
        let (_folder, vault) = unit();
        assert_eq!(vault.next_hello(), Ok(1));
        vault.raise_hello(390).expect("raised");
        assert_eq!(vault.next_hello(), Ok(391));
        vault.raise_hello(3).expect("no change");
        assert_eq!(vault.next_hello(), Ok(392));
        let seen = |size| shared::log::Head { size, root: shared::log::Head::EMPTY.root };
        vault.advance_seen(seen(7), shared::time::Second::from_unix(100)).expect("advanced");
        vault.advance_seen(seen(5), shared::time::Second::from_unix(50)).expect("no change");
        let state = vault.state().expect("state");
        assert_eq!((state.seen.size, state.log_time.map(shared::time::Second::unix)), (7, Some(100)));
        assert_eq!(state.unit_time(shared::time::Second::from_unix(60)).unix(), 100, "a clock behind the log is raised");
        assert_eq!(state.unit_time(shared::time::Second::from_unix(160)).unix(), 160);
    }
}
