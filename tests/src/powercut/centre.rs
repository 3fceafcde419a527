//! A centre after a power cut: started again by the steps of `serve`, in this process, without its front door.
//!
//! ```text
//! sweep ─▶ catch up with the guard ─▶ go on with staging ─▶ what was acknowledged is there ─▶ the rest is delivered again
//!       ─▶ merge ─▶ fsck ─▶ the registry's digest is that of a run without a cut
//! ```
//! What was acknowledged: proofs that left by HTTP (receipts, outcomes, rosters), each an entry with the signed head that it
//! leads to, and what commands printed (`log_index`). An entry stands for its blobs: `fsck` finds one that lacks them. And
//! offsets of uploads, by answers to units: staging holds so many bytes, or the batch is in the log.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use serde_json::Value;
use shared::{
    id::{BatchId, LogIndex},
    keys::VerifierKey,
    log::{CheckedHead, TlogProof},
};
use sync_server::{
    centre::Centre as Opened,
    fsck,
    pipeline::{Idle, merge, opener::Nursery},
    registry::Registry as _,
    serving,
    settings::Settings,
    store::{Archive as _, Ledger as _, Staging as _, Upload as _},
};
use tokio::{runtime, sync::watch};

use super::{disk::position, explore::Recovery, unit::demand};
use crate::world::{Broken, Centre, Program, Sure, bins, copy_folder, path_text, until};

/// One state of so many is also made again from archive and guard alone, by the real program.
const REBUILT: usize = 16;
/// One state of so many is also looked at by the real program.
const REAL: usize = 200;
const PIECE: usize = 256 << 10;

/// Knows what a centre may hold.
pub struct CentreRecovery {
    /// The data folder's name below the one that was watched.
    name: String,
    log: VerifierKey,
    /// Every batch of the uncut run: id, manifest, payload.
    batches: Vec<(BatchId, Vec<u8>, Vec<u8>)>,
    /// The registry's digest after all of them.
    digest: String,
}

impl CentreRecovery {
    /// The centre as the uncut run left it; nobody works in it.
    pub fn of(centre: &Centre) -> Sure<Self> {
        let digest = centre.fsck()?["registry_digest"].as_str().map(str::to_owned);
        let name = centre.data.file_name().and_then(|n| n.to_str()).ok_or_else(|| Broken("a folder without a name".into()))?;
        let batches = runtime()?.block_on(async {
            let opened = Opened::open(Settings::load(Some(&centre.data), None)?)?;
            let mut batches = Vec::new();
            for batch in opened.stores.ledger.batches_from(LogIndex(0), 1000).await? {
                let manifest = opened.stores.archive.get(batch.manifest).await?;
                let payload = shared::id::Blob::from_bytes(*batch.payload.as_bytes());
                batches.push((batch.id, manifest, opened.stores.archive.get(payload).await?));
            }
            Ok::<_, Broken>(batches)
        })?;
        Ok(Self {
            name: name.to_owned(),
            log: centre.log_key.parse().map_err(|_| Broken("the log's key".into()))?,
            batches,
            digest: digest.ok_or_else(|| Broken("the registry is not complete".into()))?,
        })
    }

    /// What was acknowledged is in the log, and every head that left is a part of it.
    async fn acknowledged(&self, centre: &Opened, said: &[&str]) -> Sure<()> {
        let ledger = &centre.stores.ledger;
        let size = ledger.position().await?.line.head.size;
        for line in said {
            let line: Value = serde_json::from_str(line)?;
            if let Some(index) = line["log_index"].as_u64() {
                demand(index < size, || format!("lost: entry {index} was acknowledged, the log has {size}"))?;
            }
            if let Some(proof) = line["proof"].as_str() {
                let proof = TlogProof::parse(proof.as_bytes())?;
                let head = CheckedHead::open(&proof.checkpoint, &self.log)?.head();
                demand(head.size <= size, || format!("lost: a proof under {} entries left, the log has {size}", head.size))?;
                demand(ledger.root(head.size).await? == head, || format!("the log is another one than at {}", head.size))?;
                demand(ledger.entry(proof.index).await?.as_ref() == Some(&proof.leaf), || format!("entry {} is another one", proof.index))?;
            }
            if let (Some(offset), Some(length)) = (line["upload_offset"].as_u64(), line["upload_length"].as_u64()) {
                self.arrived(centre, offset, length).await?;
            }
        }
        Ok(())
    }

    /// What was answered to have arrived of a payload is there. The answer names no batch: where several are of this length, one
    /// of them must hold so much.
    async fn arrived(&self, centre: &Opened, offset: u64, length: u64) -> Sure<()> {
        let mut most = 0;
        for (id, _, payload) in self.batches.iter().filter(|(.., payload)| payload.len() as u64 == length) {
            if centre.stores.ledger.batch(*id).await?.is_some() {
                return Ok(());
            }
            let held = centre.staging.offset(*id).await?;
            let bytes = centre.staging.read(*id, 0, position(held)).await;
            let as_sent = bytes.is_ok_and(|bytes| payload.starts_with(&bytes));
            demand(held == 0 || as_sent, || format!("staging claims {held} bytes of {length}, and they are not what was sent"))?;
            most = most.max(held);
        }
        demand(most >= offset, || format!("lost: {offset} bytes of {length} were acknowledged, staging has {most}"))
    }

    /// Lays what is not logged into staging, from the durable offset on, as a unit that sends it again would.
    async fn deliver(&self, centre: &Opened) -> Sure<()> {
        for (id, manifest, payload) in &self.batches {
            if centre.stores.ledger.batch(*id).await?.is_some() {
                continue;
            }
            centre.staging.announce(*id, manifest.clone()).await?;
            let offset = centre.staging.offset(*id).await?;
            let rest = usize::try_from(offset).ok().and_then(|at| payload.get(at..));
            let rest = rest.ok_or_else(|| Broken(format!("staging claims {offset} bytes of {}", payload.len())))?;
            let mut upload = centre.staging.upload(*id, offset).await?;
            for piece in rest.chunks(PIECE) {
                upload = upload.append(piece.to_vec()).await?;
            }
            upload.sync().await?;
        }
        Ok(())
    }

    async fn recover(&self, settings: Settings, said: &[&str]) -> Sure<()> {
        let _lock = merge::lock(&settings.data.join("merge.lock"))?;
        let centre = Opened::open(settings)?;
        centre.staging.sweep()?;
        centre.stores.archive.sweep()?;
        let (sequencer, sequencing) = centre.sequencer(Idle::Quiet).await?;
        let road = serving::road(&centre, sequencer.clone())?;
        road.resume_all().await?;
        road.drain().await;
        self.acknowledged(&centre, said).await?;
        self.deliver(&centre).await?;
        road.resume_all().await?;
        road.drain().await;
        for (id, ..) in &self.batches {
            demand(centre.stores.ledger.batch(*id).await?.is_some(), || format!("batch {id} can't be logged any more"))?;
        }
        let left = centre.staging.announced().await?;
        demand(left.is_empty(), || format!("{} batches stay in staging", left.len()))?;
        // records of a batch whose opening did not end are opened in children: of the real program, this one is a test
        let nursery = Nursery::of(bins()?.join("sync-server"));
        let merger = serving::merger(&centre, sequencer, nursery)?;
        merger.registry.reclaim().await?;
        merger.until_idle(1, &watch::channel(false).1).await?;
        let report = fsck::stores(&centre.stores, &centre.settings.sequencer_lock()).await?;
        demand(report.is_clean(), || format!("fsck: {:?}", report.findings))?;
        let contents = fsck::contents(&centre).await?;
        demand(contents.off.is_empty(), || format!("fsck: {:?}", contents.off))?;
        let now = merger.registry.summary().await?;
        demand(now.open == 0, || format!("{} records stay unopened", now.open))?;
        demand(now.digest.to_string() == self.digest, || format!("registry digest {}, should be {}", now.digest, self.digest))?;
        let waiting = merger.registry.waiting().await?;
        demand(waiting == (0, 0), || format!("still waiting: {waiting:?}"))?;
        drop((road, merger, centre));
        Ok(sequencing.await?)
    }

    /// The real program on a copy: it serves until all is merged, it makes the database again, and all is sound.
    fn really(data: &Path) -> Sure<()> {
        let copy = data.with_extension("copy");
        copy_folder(data, &copy)?;
        let program = Program::new("sync-server", &["--json", "--data-dir", path_text(&copy)?])?;
        // staff who look first see what waits, and no damage
        let found = program.run(&["fsck"])?;
        demand(found.exit != Some(7), || format!("before it is started, the program says: {:?}", found.lines))?;
        let mut server = program.command(&["serve", "--plain-http", "--listen", "127.0.0.1:0"]).stderr(Stdio::null()).spawn()?;
        let merged = listens(&mut server).and_then(|()| {
            until("all to be merged", || {
                let found = program.run(&["fsck"])?;
                demand(found.exit != Some(7), || format!("the program says: {:?}", found.lines))?;
                // what units owe and what waits for a person is open, too, and stays so
                let behind = found.of("open").any(|fact| fact["code"] == "database-behind");
                Ok((found.exit == Some(0) && found.number("open") == 0 && !behind).then_some(()))
            })
        });
        server.kill()?;
        server.wait()?;
        merged?;
        program.run(&["rebuild"])?.ok()?;
        let found = program.run(&["fsck"])?.ok()?;
        demand(found.summary()["fsck"] == "clean", || format!("the program says: {}", found.summary()))?;
        std::fs::remove_dir_all(&copy)?;
        Ok(())
    }
}

/// Waits until a server says where it listens: by then it has followed the log, or has ended because it could not.
fn listens(server: &mut Child) -> Sure<()> {
    let out = server.stdout.take().ok_or_else(|| Broken("no standard output".into()))?;
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(out).lines().map_while(Result::ok) {
            // nobody hears the second one
            let _ = tell.send(line);
        }
    });
    told.recv_timeout(Duration::from_mins(1)).map(drop).map_err(|_| Broken("serve ended, or does not listen".into()))
}

fn runtime() -> Sure<runtime::Runtime> {
    Ok(runtime::Builder::new_current_thread().enable_all().build()?)
}

impl Recovery for CentreRecovery {
    fn check(&self, folder: &Path, said: &[&str], nth: usize) -> Sure<()> {
        let data = folder.join(&self.name);
        if nth % REAL == REAL / 10 {
            Self::really(&data)?;
        }
        runtime()?.block_on(self.recover(Settings::load(Some(&data), None)?, said))?;
        if nth % REBUILT == 1 {
            // by the program: what a rebuild that died has left is opened in children of it
            let rebuilt = Program::new("sync-server", &["--json", "--data-dir", path_text(&data)?])?.run(&["rebuild"])?.ok()?;
            demand(rebuilt.summary()["registry_digest"] == *self.digest, || format!("rebuild: {}", rebuilt.summary()))?;
        }
        Ok(())
    }
}
