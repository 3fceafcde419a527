//! Making the database again from archive and guard, and comparing it with the one that was there.
//!
//! ```text
//! centre.db.new ◀── catch up ◀── archive, guard          1 follow the log from nothing
//!       │  open and fold everything                      2 merge, publishing nothing
//!       ▼                                                3 compare digests and outcomes
//! centre.db  (the old one: centre.db.before-<time>)      4 put it in place
//! ```
//! `serve` does 1 and 2 by itself when it finds no database.
//!
//! **Invariants:** nothing of archive, guard or log changes; the old database is moved aside, never deleted. A crash at
//! any point leaves the old database, or none, or the new one: each is a state that `serve` starts from. A digest with
//! a record unopened is incomplete and compared with nothing.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use shared::{
    hello::{Hello, Sender},
    id::{BatchId, LogIndex},
    keys::KeyRef,
    problem::{Code, Problem},
    time::Second,
};
use tokio::sync::watch;

use crate::{
    centre::Centre,
    clock, durable,
    pipeline::{
        Clock, Stores, belongs_together, catch_up,
        merge::{self, Merge, Publish},
        opener::{self, Nursery, Opener},
    },
    registry::{Among, Registry, Summary},
    scrub,
    settings::Settings,
    store::{
        Archive, Guard, HelloFacts, Ledger, Word,
        guard_file::{GuardFile, Make},
        ledger_sqlite::LedgerSqlite,
        registry_sqlite::RegistrySqlite,
        sqlite::Db,
        staging_files::StagingFiles,
    },
};

/// What a rebuild found.
#[derive(Debug, Clone)]
pub struct Rebuilt {
    /// The registry as archive and guard give it.
    pub now: Summary,
    /// The registry of the database that was there; none when there was none that could be read.
    pub before: Option<Summary>,
    /// Batches whose newest published outcome is not what the registry says.
    pub outcomes: Vec<BatchId>,
    /// All outcomes had been published when the centre stopped: as the old database says or, without one, as far as the log
    /// shows it. If not, an outcome may be older than the registry, and the next start publishes the newer one.
    pub at_rest: bool,
    /// Where the old database is.
    pub aside: Option<PathBuf>,
    /// Why something could not be opened, or another step of the merge be done, when one could not.
    pub unopened: Option<Problem>,
}

impl Rebuilt {
    /// Everything was done and opened, and nothing that can be compared differs.
    pub fn agrees(&self) -> bool {
        let same = self.before.as_ref().is_none_or(|before| before.open > 0 || before.digest == self.now.digest);
        self.unopened.is_none() && self.now.open == 0 && same && (self.outcomes.is_empty() || !self.at_rest)
    }
}

/// Makes the database again. Refused while another process merges.
pub async fn rebuild(settings: Settings) -> Result<Rebuilt, Problem> {
    let _lock = merge::lock(&settings.data.join("merge.lock"))?;
    let path = settings.database();
    not_newer(&settings).await?;
    let (before, waiting) = if durable::is_there(&path) { old(&settings).await } else { None }.unzip();
    let fresh = beside(&path, "new");
    // what broke off before, in the old database or in a rebuild that did not end, must not break this one
    let mut broken = broken(&path).await;
    broken.extend(self::broken(&fresh).await);
    for leftover in files(&fresh) {
        durable::remove(&leftover).map_err(durable::problem("database"))?;
    }
    let Filled { now, outcomes, unsaid, unopened } = fill(&settings, &fresh, broken).await?;
    if let (Some(problem), Some(Summary { open: 0, .. })) = (&unopened, &before) {
        // a database that is whole is more than an archive that is not
        for file in files(&fresh) {
            durable::remove(&file).map_err(durable::problem("database"))?;
        }
        return Err(problem.clone());
    }
    carry_over(&settings, &fresh).await?;
    let at_rest = waiting.map_or(unsaid == 0, |waiting| waiting == (0, 0));
    let aside = put_in_place(&fresh, &path)?;
    Ok(Rebuilt { now, before, outcomes, at_rest, aside, unopened })
}

/// Archive and guard with a database; closed when it is dropped.
pub(crate) fn open(settings: &Settings, database: &Path) -> Result<Centre, Problem> {
    let db = Db::open(database)?;
    let archive = crate::centre::archive(settings)?;
    let guard = GuardFile::open(&settings.guard(), Make::Nothing)?;
    let stores = Stores { archive, guard, ledger: LedgerSqlite::new(db.clone()) };
    Ok(Centre { settings: settings.clone(), stores, staging: StagingFiles::open(&settings.staging())?, db })
}

/// The registry of the database that is there and what waits in it; none when it can't be brought to the log's end.
async fn old(settings: &Settings) -> Option<(Summary, (u64, u64))> {
    let read = async {
        let centre = open(settings, &settings.database())?;
        catch_up(&centre.stores).await?;
        let registry = RegistrySqlite::new(centre.db.clone());
        Ok((registry.summary().await?, registry.waiting().await?))
    };
    let read: Result<_, Problem> = read.await;
    read.inspect_err(|problem| tracing::warn!("the old database can't be compared: {problem}")).ok()
}

/// Refuses when the database has followed the log further than the guard: guard and archive were put back, and a database made again
/// from them would drop what was acknowledged. One that can't be read says nothing.
async fn not_newer(settings: &Settings) -> Result<(), Problem> {
    if !durable::is_there(&settings.database()) {
        return Ok(());
    }
    let Ok(centre) = open(settings, &settings.database()) else { return Ok(()) };
    match belongs_together(&centre.stores).await {
        Err(problem) if problem.code == Code::GuardConflict => Err(problem),
        _ => Ok(()),
    }
}

/// What no log says goes over from the old database: which blobs are in doubt, and what units said last. Hellos are checked again.
async fn carry_over(settings: &Settings, fresh: &Path) -> Result<(), Problem> {
    if !durable::is_there(&settings.database()) {
        return Ok(());
    }
    let read = async {
        let old = open(settings, &settings.database())?.stores.ledger;
        Ok((old.doubts().await?, old.unlogged_hellos().await?))
    };
    let read: Result<_, Problem> = read.await;
    let (doubts, hellos) = match read {
        Ok(read) => read,
        Err(problem) => {
            tracing::warn!("what units said last, and what is in doubt, is not taken over from the old database: {problem}");
            return Ok(());
        }
    };
    let new = open(settings, fresh)?;
    let ledger = &new.stores.ledger;
    for (blob, since) in doubts {
        ledger.doubt(vec![blob], Vec::new(), since).await?;
    }
    let (roster, position) = (new.roster().await?, ledger.position().await?);
    for heard in hellos {
        // one that does not read was changed by somebody
        let Ok(hello) = Hello::parse(&heard.note) else { continue };
        let Sender::Unit(stand) = &hello.facts().sender else { continue };
        let Some(unit) = roster.facts().unit(&stand.unit, stand.epoch).filter(|unit| hello.verify(&unit.key).is_ok()) else { continue };
        let key = KeyRef::from(&unit.key);
        let counts = ledger.life(&key, position.received).await?.counts(LogIndex(position.line.head.size), None).counts();
        let facts = HelloFacts {
            sender: stand.unit.clone(),
            key,
            epoch: stand.epoch,
            word: if counts { Word::Counts } else { Word::Heard },
            counter: hello.facts().counter,
            id: hello.note().id(),
            head: stand.head,
            number: stand.number,
            first: heard.first,
            note: heard.note.clone(),
        };
        ledger.hello(facts).await?;
    }
    Ok(())
}

/// Batches whose opening broke off, as a database says; none when it can't be read.
async fn broken(database: &Path) -> Vec<BatchId> {
    if !durable::is_there(database) {
        return Vec::new();
    }
    let read = async { RegistrySqlite::new(Db::open(database)?).broken().await };
    let read: Result<Vec<BatchId>, Problem> = read.await;
    read.inspect_err(|problem| tracing::warn!("{}: {problem}", database.display())).unwrap_or_default()
}

/// What a new database says.
pub(crate) struct Filled {
    pub now: Summary,
    /// Batches whose newest published outcome differs.
    pub outcomes: Vec<BatchId>,
    /// How many opened batches have no published outcome.
    pub unsaid: usize,
    /// What could not be opened.
    pub unopened: Option<Problem>,
}

/// Steps 1 to 3 into a new file.
async fn fill(settings: &Settings, fresh: &Path, broken: Vec<BatchId>) -> Result<Filled, Problem> {
    let centre = open(settings, fresh)?;
    let registry = RegistrySqlite::new(centre.db.clone());
    let (stores, identities) = (centre.stores.clone(), centre.identities()?);
    belongs_together(&stores).await?;
    catch_up(&stores).await?;
    registry.warn_of(broken).await?;
    let opener = Opener::new(stores.archive.clone(), stores.ledger.clone(), identities, Nursery::of_this_program(), opener::BUDGET);
    let filled = follow(&stores, registry, opener, Arc::new(clock::now)).await?;
    if filled.unopened.is_some() {
        // units keep what the archive may have lost
        for step in 1..scrub::STEPS {
            scrub::step(&stores.archive, &stores.ledger, step, clock::now(), None).await?;
        }
    }
    Ok(filled)
}

/// Steps 1 to 3 on whatever stores.
pub(crate) async fn follow<A: Archive, G: Guard, L: Ledger, R: Registry>(
    stores: &Stores<A, G, L>,
    registry: R,
    opener: Opener<A, L>,
    clock: Clock,
) -> Result<Filled, Problem> {
    // 1. as a start does it
    belongs_together(stores).await?;
    catch_up(stores).await?;
    // 2. as a running centre does it, but nothing leaves
    let (archive, ledger) = (stores.archive.clone(), stores.ledger.clone());
    let merge = Merge { archive, ledger, registry, opener, publish: Publish::Nothing, clock };
    let unopened = merge.until_idle(merge::WORKERS, &watch::channel(false).1).await.err();
    // 3.
    let now = merge.registry.summary().await?;
    let outcomes = if now.open == 0 { merge.registry.outcomes_that_differ(Among::Opened).await? } else { Vec::new() };
    merge.registry.settle_all().await?;
    let (_, due) = merge.registry.waiting().await?;
    let unsaid = usize::try_from(due).unwrap_or(usize::MAX).saturating_sub(outcomes.len());
    Ok(Filled { now, outcomes, unsaid, unopened })
}

/// 4. A crash between the two moves leaves no database: the next start makes one.
fn put_in_place(fresh: &Path, path: &Path) -> Result<Option<PathBuf>, Problem> {
    let aside = beside(path, &format!("before-{}", clock::now().unix()));
    let mut moved = None;
    // The database first: a log without its database is thrown away by SQLite, but a database without its log can be
    // half of one. All three are gone before the new one comes.
    for (from, to) in files(path).into_iter().zip(files(&aside)) {
        if durable::rename(&from, &to).map_err(durable::problem("database"))? {
            moved = Some(aside.clone());
        }
    }
    // the other way round: the new database is never found without its log
    for (from, to) in files(fresh).into_iter().zip(files(path)).rev() {
        durable::rename(&from, &to).map_err(durable::problem("database"))?;
    }
    Ok(moved)
}

/// Is there a database that a rebuild had begun, and not put in its place?
pub fn is_broken_off(settings: &Settings) -> bool {
    durable::is_there(&beside(&settings.database(), "new"))
}

/// Databases that rebuilds have set aside, or begun and not ended, and nobody has destroyed, the write-ahead logs not counted.
pub fn set_aside(settings: &Settings) -> Result<Vec<PathBuf>, Problem> {
    let database = settings.database();
    let start = format!("{}.before-", database.file_name().unwrap_or_default().to_string_lossy());
    let names = durable::names(database.parent().unwrap_or(Path::new("."))).map_err(durable::problem("data folder"))?;
    // also one that a rebuild had begun when it was ended
    let begun = format!("{}.new", database.file_name().unwrap_or_default().to_string_lossy());
    let of_rebuild =
        |name: &&String| **name == begun || name.strip_prefix(&start).is_some_and(|end| end.bytes().all(|b| b.is_ascii_digit()));
    Ok(names.iter().filter(of_rebuild).map(|name| database.with_file_name(name)).collect())
}

/// When a database was set aside, as its name says.
pub fn set_aside_at(path: &Path) -> Option<Second> {
    let seconds = path.file_name()?.to_str()?.rsplit_once(".before-")?.1.parse().ok()?;
    Some(Second::from_unix(seconds))
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{ending}"));
    path.with_file_name(name)
}

/// A database and what SQLite keeps beside it.
fn files(path: &Path) -> [PathBuf; 3] {
    ["", "-wal", "-shm"].map(|ending| {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(ending);
        path.with_file_name(name)
    })
}

#[cfg(test)]
mod tests {
    use shared::id::Digest;

    use super::*;
    use crate::pipeline::merge::tests::centre::{Centre as World, Unit};

    /// A centre with two merged batches, and its settings.
    async fn merged() -> (World, Settings, Digest) {
        let world = World::founded().await;
        let (mut one, mut two) = (Unit::new("van-1"), Unit::new("van-2"));
        one.enrol(1, 20);
        two.enrol(1, 10);
        let made = [one.close(), two.close()];
        for made in &made {
            world.log(made).await;
        }
        let merge = world.merge("centre.db").await;
        world.summary(&merge).await;
        let settings = world.settings();
        (world, settings, Digest::of(&made[0].payload))
    }

    fn sql(settings: &Settings, sql: &str) {
        rusqlite::Connection::open(settings.database()).expect("opened").execute_batch(sql).expect("done");
    }

    #[tokio::test]
    async fn the_same_registry_comes_again_with_or_without_a_database() {
        let (world, settings, _) = merged().await;
        let rebuilt = rebuild(settings.clone()).await.expect("rebuilt");
        assert!(rebuilt.agrees(), "{rebuilt:?}");
        assert_eq!(rebuilt.before, Some(rebuilt.now));
        let aside = rebuilt.aside.expect("moved aside");
        assert!(durable::is_there(&aside) && durable::is_there(&settings.database()));
        for file in files(&settings.database()) {
            durable::remove(&file).expect("removed");
        }
        let again = rebuild(settings.clone()).await.expect("rebuilt");
        assert!(again.agrees() && again.before.is_none() && again.aside.is_none());
        assert_eq!(again.now, rebuilt.now);
        // and a centre that serves from it publishes nothing again
        let merge = world.merge("centre.db").await;
        assert_eq!(merge.registry.waiting().await, Ok((0, 0)));
        let size = crate::store::Ledger::position(&merge.ledger).await.expect("read").line.head.size;
        assert_eq!(world.summary(&merge).await, rebuilt.now);
        assert_eq!(crate::store::Ledger::position(&merge.ledger).await.expect("read").line.head.size, size);
    }

    #[tokio::test]
    async fn what_was_not_published_before_a_power_cut_contradicts_nothing() {
        let world = World::founded().await;
        let (mut one, mut two) = (Unit::new("van-1"), Unit::new("van-2"));
        one.enrol(1, 20);
        world.log(&one.close()).await;
        world.summary(&world.merge("centre.db").await).await;
        two.enrol(1, 10); // the same resident: held
        world.log(&two.close()).await; // the power goes before it is merged
        let settings = world.settings();
        let rebuilt = rebuild(settings.clone()).await.expect("rebuilt");
        assert!(rebuilt.agrees() && !rebuilt.at_rest, "{rebuilt:?}");
        assert_eq!(rebuilt.outcomes.len(), 0, "nobody's outcome has changed");
        for file in files(&settings.database()) {
            durable::remove(&file).expect("removed");
        }
        let rebuilt = rebuild(settings.clone()).await.expect("rebuilt without a database");
        assert!(rebuilt.agrees() && !rebuilt.at_rest, "{rebuilt:?}");
        let merge = world.merge("centre.db").await;
        assert_eq!(merge.registry.waiting().await, Ok((0, 1)), "the later outcome is due");
        world.summary(&merge).await;
        let rebuilt = rebuild(settings).await.expect("rebuilt");
        assert!(rebuilt.agrees() && rebuilt.at_rest && rebuilt.outcomes.is_empty(), "{rebuilt:?}");
    }

    #[tokio::test]
    async fn a_database_that_was_changed_is_found_out_and_kept() {
        let (_world, settings, _) = merged().await;
        sql(&settings, "UPDATE residents SET fields = replace(fields, '\"f\"', '\"m\"'); DELETE FROM records WHERE fate LIKE 'held%'");
        let rebuilt = rebuild(settings.clone()).await.expect("rebuilt");
        assert!(!rebuilt.agrees());
        assert!(rebuilt.before.is_some_and(|before| before.digest != rebuilt.now.digest));
        assert!(rebuilt.aside.is_some_and(|aside| durable::is_there(&aside)));
        assert!(rebuild(settings).await.expect("rebuilt").agrees(), "the new one is right");
    }

    #[tokio::test]
    async fn a_crash_while_the_old_database_is_moved_leaves_nothing_that_is_taken_for_it() {
        let (world, settings, _) = merged().await;
        let path = settings.database();
        let digest = rebuild(settings.clone()).await.expect("rebuilt").now.digest;
        // somebody has it open: what was written last is in its log only
        let held = rusqlite::Connection::open(&path).expect("opened");
        held.execute_batch("PRAGMA wal_autocheckpoint = 0; DELETE FROM residents; DELETE FROM records").expect("written");
        let [database, log, _] = files(&path);
        assert!(durable::read(&log).expect("read").is_some_and(|bytes| !bytes.is_empty()));
        assert!(durable::rename(&database, &beside(&path, "before-crash")).expect("moved, and then the power went"));
        let merge = world.merge("centre.db").await;
        assert_eq!(world.summary(&merge).await.digest, digest, "made again from nothing, not from a log that was left");
    }

    #[tokio::test]
    async fn a_database_that_cannot_be_read_does_not_stop_it() {
        let (_world, settings, _) = merged().await;
        durable::write(&settings.database(), b"not a database, and long enough to look at").expect("written");
        let rebuilt = rebuild(settings).await.expect("rebuilt");
        assert!(rebuilt.agrees() && rebuilt.before.is_none() && rebuilt.aside.is_some());
    }

    #[tokio::test]
    async fn what_the_archive_lacks_makes_the_digest_incomplete_and_is_compared_with_nothing() {
        let (world, settings, payload) = merged().await;
        let hex = payload.hex();
        let path = world.dir.path().join("archive/blobs").join(&hex[..2]).join(&hex[2..4]).join(hex);
        durable::remove(&path).expect("removed");
        // the database that is there is whole: it stays
        assert_eq!(rebuild(settings.clone()).await.err().map(|p| p.code), Some(Code::ArchiveMissing));
        assert!(durable::is_there(&settings.database()) && !durable::is_there(&beside(&settings.database(), "new")));
        for file in files(&settings.database()) {
            durable::remove(&file).expect("removed");
        }
        let rebuilt = rebuild(settings.clone()).await.expect("rebuilt");
        assert_eq!(open(&settings, &settings.database()).expect("opened").stores.ledger.doubts().await.expect("read").len(), 1);
        assert_eq!((rebuilt.now.open, rebuilt.outcomes.len()), (2, 0), "what comes later waits its turn");
        assert_eq!(rebuilt.unopened.as_ref().map(|p| p.code), Some(Code::ArchiveMissing));
        assert!(!rebuilt.agrees());
    }

    #[tokio::test]
    async fn it_waits_for_no_running_server() {
        let (_world, settings, _) = merged().await;
        let _running = merge::lock(&settings.data.join("merge.lock")).expect("free");
        assert_eq!(rebuild(settings).await.err().map(|p| p.code), Some(Code::LockedElsewhere));
    }
}
