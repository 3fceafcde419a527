//! Centres with many residents, kept in a folder of their own, because they take long to make.
//!
//! ```text
//! target/bench/1000000-5d41402abc4b2a76/small/      a world whose centre has 10,000 residents
//!                                       large.db    its database, multiplied
//!                                       ready.json  keys that the centre was founded with; written last
//! ```
//! The first 10,000 go through the real ledger and registry: signed manifests, logged, folded, outcomes published; only
//! their payloads are bytes that nobody opens. The digest in the name is of the schema and of what fills it.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use rusqlite::Connection;
use serde_json::{Value, json};
use shared::{
    batch::{LineFacts, RecordLine},
    form::Form,
    id::{Digest, Number, RecordId, SealedDigest, Transaction},
    merge::Essence,
    sample::{Kind, Sample, Size, forms},
    time::Second,
};
use sync_server::{
    pipeline::Clock,
    registry::{Came, Delivery, OpenedBatch, Registry as _, Way, record_key},
    store::sqlite::Db,
};

use super::{
    super::{centre::Inside, client::Parcel, seal::now},
    copy,
};
use crate::world::{Broken, Centre, Plan, Rogue, Sure, World, copy_folder};

/// Residents of the small registry.
const SMALL: u64 = 10_000;
/// Records of a batch that fills it.
const FILL: u64 = 500;
/// The unit that has enrolled them.
const FILLER: &str = "van-1";
/// The unit whose work is measured; it has said hello once.
const MEASURED: &str = "van-2";

/// A folder with both registries.
pub struct Filled {
    folder: PathBuf,
    keys: [String; 2],
}

impl Filled {
    /// What is kept below `cache`, made now if it is not there yet.
    pub fn kept(cache: &Path, residents: u64) -> Sure<Self> {
        let times = residents / SMALL;
        if times < 2 {
            return Err(Broken(format!("the large registry has at least {} residents", 2 * SMALL)));
        }
        fs::create_dir_all(cache)?;
        let folder = cache.join(format!("{}-{}", times * SMALL, contents(cache)?));
        let ready = folder.join("ready.json");
        if !ready.exists() {
            if folder.exists() {
                fs::remove_dir_all(&folder)?; // broken off
            }
            let start = Instant::now();
            let keys = make(&folder, times)?;
            fs::write(&ready, json!(keys).to_string())?;
            eprintln!("{} residents made in {} s, kept in {}", times * SMALL, start.elapsed().as_secs(), folder.display());
        }
        let keys: Value = serde_json::from_slice(&fs::read(&ready)?)?;
        let key = |n: usize| keys[n].as_str().map(str::to_owned).ok_or_else(|| Broken(format!("no keys in {}", ready.display())));
        Ok(Self { keys: [key(0)?, key(1)?], folder })
    }

    /// A copy of the small one.
    pub fn copy(&self, folder: &Path) -> Sure<World> {
        copy_folder(&self.folder.join("small"), folder)?;
        let [roster_key, log_key] = self.keys.clone();
        World::again(folder, Centre::again(folder, roster_key, log_key)?)
    }

    /// The unit whose work is measured.
    pub fn unit(world: &World) -> Sure<Rogue> {
        Rogue::again(world, MEASURED, 1)
    }

    /// Gives a copy of the small one's data the large database; what was logged since follows from the archive.
    pub fn enlarge(&self, data: &Path) -> Sure<()> {
        for journal in ["centre.db-wal", "centre.db-shm"] {
            match fs::remove_file(data.join(journal)) {
                Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(e.into()),
                _ => {}
            }
        }
        fs::copy(self.folder.join("large.db"), data.join("centre.db"))?;
        Ok(())
    }
}

/// Digest of the schema, and of the code that fills it.
fn contents(cache: &Path) -> Sure<String> {
    let folder = tempfile::tempdir_in(cache)?;
    let path = folder.path().join("empty.db");
    drop(Db::open(&path)?);
    let db = Connection::open(&path)?;
    let mut statement = db.prepare("SELECT coalesce(sql, '') FROM sqlite_schema ORDER BY name")?;
    let schema = statement.query_map([], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?.join("\n");
    Ok(Digest::of([&schema, include_str!("filled.rs"), include_str!("copy.rs")].concat().as_bytes()).hex()[..16].to_owned())
}

/// Makes both; gives the keys of roster and log.
fn make(folder: &Path, times: u64) -> Sure<[String; 2]> {
    let mut world = World::kept(&folder.join("small"), &Plan::default())?;
    world.centre.serve()?;
    Rogue::admitted(&world, MEASURED)?;
    let mut filler = Rogue::admitted(&world, FILLER)?; // last: it goes by the newest roster
    world.centre.stop()?;
    fill(&world, &mut filler)?;
    let (db, large) = (world.centre.data.join("centre.db"), folder.join("large.db"));
    Connection::open(&db)?.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")?;
    fs::copy(db, &large)?;
    copy::grow(&large, SMALL, times)?;
    Ok([world.centre.roster_key.clone(), world.centre.log_key.clone()])
}

/// Brings the first residents into ledger and registry.
fn fill(world: &World, rogue: &mut Rogue) -> Sure<()> {
    let inside = Inside::open(&world.centre.data)?;
    let [form, ..] = forms();
    let sample = Sample::new(9, now(), Size::Tiny);
    let clock: Clock = Arc::new(now);
    let finished = now();
    for batch in 0..SMALL / FILL {
        let (parcel, numbers) = lines(rogue, &form, batch, finished)?;
        inside.log(&parcel)?;
        let opened = opened(rogue, &parcel, &numbers, &form, &sample)?;
        inside.runtime.block_on(async {
            let at = clock();
            inside.registry.claim(Way::Here, at, Second::from_unix(at.unix() + 900)).await?;
            inside.registry.fold(opened).await
        })?;
        inside.merge()?;
    }
    Ok(())
}

/// A batch of record lines over a payload that nobody opens, and their numbers.
fn lines(rogue: &mut Rogue, form: &Form, batch: u64, finished: Second) -> Sure<(Parcel, Vec<u64>)> {
    let numbers: Vec<u64> = (batch * FILL + 1..=(batch + 1) * FILL).collect();
    let line = |&n: &u64| {
        let random = Digest::of(format!("scale {n}").as_bytes());
        let facts = LineFacts {
            number: Number::new(1, n)?,
            record: RecordId::from_random(random.as_bytes()[..16].try_into()?),
            size: 1,
            digest: SealedDigest::of(random.as_bytes()),
            plain: 4096,
            transaction: Transaction::New,
            form: form.name().clone(),
            roster: rogue.workshop.roster,
            finished: finished.minute(),
            seen: 0,
            agent: rogue.workshop.agent.clone(),
        };
        Ok(RecordLine::sign(facts, &rogue.name, &rogue.agent))
    };
    let lines = numbers.iter().map(line).collect::<Sure<Vec<_>>>()?;
    let payload = vec![0; usize::try_from(FILL)?];
    let manifest = rogue.close_lines(lines, &payload, |_| {})?;
    rogue.advance(&manifest, numbers.last().copied().unwrap_or(0));
    Ok((Parcel { manifest, payload }, numbers))
}

/// What opening this batch would have brought to light.
fn opened(rogue: &Rogue, parcel: &Parcel, numbers: &[u64], form: &Form, sample: &Sample) -> Sure<OpenedBatch> {
    let mut deliveries = Vec::new();
    for (line, (record, &n)) in (0..).zip(parcel.manifest.facts().records().zip(numbers)) {
        let facts = &record.facts;
        deliveries.push(Delivery {
            line,
            key: record_key(&rogue.name, facts.record, facts.digest),
            came: Came::AsSigned(Box::new(essence(n, form, sample)?)),
        });
    }
    Ok(OpenedBatch { batch: parcel.id(), deliveries })
}

/// What the record of resident `n` says. A family name of their own keeps two who are alike apart.
fn essence(n: u64, form: &Form, sample: &Sample) -> Sure<Essence> {
    let resident = sample.take(n, 0, form, Transaction::New, Kind::Complete)?;
    let parts: std::collections::BTreeMap<String, String> =
        resident.files.iter().map(|(name, bytes)| (name.to_string(), Digest::of(bytes).hex())).collect();
    let captures = parts.keys().filter(|name| name.starts_with("face") || name.starts_with("finger")).cloned().collect();
    let mut fields = resident.input.person.clone();
    for name in ["family_latin", "family_ar"] {
        if let Some(Some(family)) = fields.get_mut(name) {
            *family = format!("{family} {}", letters(n));
        }
    }
    let (form, identity) = (form.name().clone(), form.identity().clone());
    Ok(Essence { transaction: Transaction::New, form, identity, target: None, fields, parts, captures })
}

/// A number as letters: names have no digits.
fn letters(n: u64) -> String {
    n.to_string().bytes().map(|digit| char::from(digit - b'0' + b'a')).collect()
}
