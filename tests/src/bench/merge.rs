//! `merge/…`: logged batches of 40 records, from the claim to the outcomes in the log.
//!
//! The bare side reads each payload from the archive and opens the same records with as many threads as there are workers,
//! and inserts the rows that merging
//! made, copied from the registry, in one transaction a batch into a database of the same schema, WAL and FULL. It
//! validates no form, folds nothing, looks nothing up, publishes nothing.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Instant,
};

use rusqlite::{Connection, params_from_iter, types::Value};
use shared::{
    batch::{Manifest, RecordLine},
    id::BatchId,
    sample::Size,
    seal::{Expected, Identity, Limits, open},
};
use sync_server::{pipeline::merge::WORKERS, store::sqlite::Db};

use super::{
    Row, Wishes, by_turns,
    centre::Inside,
    ingest::{BATCH, parcel},
    people::People,
    rss,
    seal::now,
};
use crate::world::{Broken, Plan, Rogue, Sure, World};

fn batches(size: Size) -> usize {
    match size {
        Size::Tiny | Size::Usual => 12,
        Size::Large => 3,
    }
}

/// What merging wrote about one batch, by table.
const TABLES: [(&str, &str); 6] = [
    ("deliveries", "SELECT d.* FROM deliveries d WHERE d.batch = ?1"),
    ("essences", "SELECT t.* FROM deliveries d JOIN essences t USING (unit, record, sealed) WHERE d.batch = ?1"),
    ("firsts", "SELECT t.* FROM firsts t WHERE t.batch = ?1"),
    ("records", "SELECT t.* FROM deliveries d JOIN records t USING (unit, record, sealed) WHERE d.batch = ?1"),
    (
        "residents",
        "SELECT t.* FROM deliveries d JOIN records f USING (unit, record, sealed) JOIN residents t ON t.reference = f.subject
         WHERE d.batch = ?1",
    ),
    ("merge_work", "SELECT w.* FROM merge_work w WHERE w.batch = ?1"),
];

/// Of one size.
pub fn row(wishes: &Wishes, folder: &Path, word: &str, size: Size) -> Sure<Row> {
    let mut world = World::kept(folder, &Plan::default())?;
    world.centre.serve()?;
    let mut rogue = Rogue::admitted(&world, "van-1")?;
    world.centre.stop()?;
    let inside = Inside::open(&world.centre.data)?;
    let mut people = People::new(3, now(), size)?;
    let pad = people.form.pad();
    let blobs = world.centre.data.join("archive").join("blobs");
    let bare = Bare::make(&folder.join("bare.db"), blobs, inside.identities()?, pad)?;
    let reader = Connection::open(inside.centre.settings.database())?;
    let count = wishes.share(batches(size));
    let (pid, mut peak) = (std::process::id(), 0);
    let mut merged: Vec<Manifest> = Vec::new();
    let mut runs = Vec::new();
    for _ in 0..super::RUNS {
        merged.clear();
        for _ in 0..count {
            let next = parcel(&mut rogue, &mut people)?;
            inside.log(&next)?;
            merged.push(next.manifest);
        }
        let pairs = by_turns(
            |_| {
                rss::reset(pid);
                let start = Instant::now();
                inside.merge()?;
                let rate = (count * BATCH) as f64 / start.elapsed().as_secs_f64();
                peak = peak.max(rss::peak(pid));
                Ok(rate)
            },
            |_| bare.run(&reader, &merged),
            1,
        )?;
        runs.extend(pairs);
    }
    Ok(Row { name: format!("merge/{word}"), unit: "records/s", runs, peak_rss: peak })
}

type Rows = Vec<(String, Vec<Vec<Value>>)>;

fn rows_of(db: &Connection, batch: BatchId) -> Sure<Rows> {
    let mut all = Vec::new();
    for (table, sql) in TABLES {
        let mut statement = db.prepare(sql)?;
        let width = statement.column_count();
        let rows = statement.query_map([batch.as_bytes()], |row| (0..width).map(|i| row.get::<_, Value>(i)).collect())?;
        let rows = rows.collect::<Result<Vec<Vec<Value>>, _>>()?;
        if rows.is_empty() {
            return Err(Broken(format!("nothing of a merged batch in {table}")));
        }
        let marks = vec!["?"; width].join(", ");
        all.push((format!("INSERT INTO {table} VALUES ({marks})"), rows));
    }
    Ok(all)
}

struct Bare {
    db: Mutex<Connection>,
    blobs: PathBuf,
    identities: Vec<Identity>,
    pad: u64,
}

impl Bare {
    fn make(path: &Path, blobs: PathBuf, identities: Vec<Identity>, pad: u64) -> Sure<Self> {
        drop(Db::open(path)?);
        let db = Connection::open(path)?;
        db.pragma_update(None, "synchronous", "FULL")?;
        Ok(Self { db: Mutex::new(db), blobs, identities, pad })
    }

    fn run(&self, reader: &Connection, batches: &[Manifest]) -> Sure<f64> {
        let rows = batches.iter().map(|p| rows_of(reader, p.id())).collect::<Sure<Vec<_>>>()?;
        let next = AtomicUsize::new(0);
        let work = || -> Sure<()> {
            loop {
                let turn = next.fetch_add(1, Ordering::Relaxed);
                let (Some(batch), Some(rows)) = (batches.get(turn), rows.get(turn)) else { return Ok(()) };
                self.open(batch)?;
                self.insert(rows)?;
            }
        };
        let start = Instant::now();
        thread::scope(|scope| -> Sure<()> {
            let workers: Vec<_> = (0..WORKERS).map(|_| scope.spawn(work)).collect();
            for worker in workers {
                worker.join().unwrap_or_else(|_| Err(Broken("the bare side broke off".into())))?;
            }
            Ok(())
        })?;
        Ok((batches.len() * BATCH) as f64 / start.elapsed().as_secs_f64())
    }

    fn open(&self, batch: &Manifest) -> Sure<()> {
        let facts = batch.facts();
        let hex = facts.payload.hex();
        let payload = fs::read(self.blobs.join(&hex[..2]).join(&hex[2..4]).join(&hex))?;
        for (start, line) in facts.records_at() {
            let (from, size) = (usize::try_from(start)?, usize::try_from(line.facts.size)?);
            let opened = open(&payload[from..from + size], &self.expected(line, &facts.unit), &self.identities, &Limits::default())?;
            std::hint::black_box(opened);
        }
        Ok(())
    }

    fn expected(&self, line: &RecordLine, unit: &shared::id::Member) -> Expected {
        let facts = &line.facts;
        Expected {
            sealed_size: facts.size,
            plain: facts.plain,
            pad: self.pad,
            record_id: facts.record,
            unit: unit.clone(),
            agent: facts.agent.clone(),
            transaction: facts.transaction,
            form: facts.form.clone(),
            finished: facts.finished,
        }
    }

    fn insert(&self, tables: &Rows) -> Sure<()> {
        let mut db = self.db.lock().map_err(|_| Broken("a worker broke off".into()))?;
        let tx = db.transaction()?;
        for (sql, rows) in tables {
            let mut statement = tx.prepare_cached(sql)?;
            for row in rows {
                statement.execute(params_from_iter(row))?;
            }
        }
        Ok(tx.commit()?)
    }
}
