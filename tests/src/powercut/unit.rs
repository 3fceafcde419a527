//! A unit after a power cut: opened, swept and put to work by the code that `enroll-client` runs, in this process.
//!
//! What was acknowledged are the lines that the program printed: `finished` and the summaries of `finish` and `close`. What
//! was not is wholly there or not at all. Everything that is there must be what the uncut run left in the end, because the
//! states of a run lead up to that.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use enroll_client::{
    capture::Desk,
    clock,
    close::{self, Approver},
    vault::{
        CaptureSession, Places, Vault,
        drafts::DraftRow,
        members::{Supervisor, Unlocked},
        records::{Card, Origin, RecordRow},
    },
};
use serde_json::Value;
use shared::{
    batch::Manifest,
    draft::Draft,
    id::{BatchId, Digest, SealedDigest, Transaction},
    sample::{Kind, Sample, Size, forms},
    time::Second,
    verify::PayloadHash,
};

use super::explore::Recovery;
use crate::world::{Broken, Program, Sure, Unit, copy_folder, path_text};

/// One state of so many is also looked at by the real program.
const REAL: usize = 200;

/// Drafts by id: plain, with the digests of their parts.
pub type Drafts = BTreeMap<String, (Vec<u8>, Vec<Digest>)>;

/// Knows what a unit's vault may hold.
pub struct UnitRecovery {
    /// The vault's folder below the one that was watched.
    name: String,
    agent: Unlocked,
    supervisor: Supervisor,
    /// The supervisor's.
    passphrase: PathBuf,
    /// Bytes that are kept back for a full disk.
    reserve: u64,
    /// By record id, as the uncut run left them.
    records: BTreeMap<String, RecordRow>,
    /// By place, as the uncut run left them.
    manifests: BTreeMap<String, Vec<u8>>,
    /// As they were before the run.
    drafts: Drafts,
    /// Which record a draft became, by the draft's id.
    became: BTreeMap<String, String>,
    next: (Draft, Vec<Vec<u8>>),
}

fn places(data: &Path) -> Places {
    Places { data: data.to_owned(), machine: data.join("machine.secret") }
}

/// What must be so, or why a state is wrong.
pub(super) fn demand(holds: bool, what: impl FnOnce() -> String) -> Sure<()> {
    if holds { Ok(()) } else { Err(Broken(what())) }
}

/// A draft with its parts, opened.
fn opened(vault: &Vault, agent: &Unlocked, row: &DraftRow) -> Sure<(Vec<u8>, Vec<Digest>)> {
    let open = vault.open_draft(agent, &row.id)?;
    let parts = vault.draft_parts(&open)?;
    Ok((open.plain.to_vec(), parts.iter().map(|p| Digest::of(&p.bytes)).collect()))
}

impl UnitRecovery {
    /// What a unit knows before the run that is recorded: its drafts.
    pub fn drafts(unit: &Unit) -> Sure<Drafts> {
        let vault = Vault::open(&places(&unit.data))?;
        let agent = vault.unlock(&unit.agent.parse().map_err(|_| Broken("agent's name".into()))?, unit.passphrase.as_bytes())?;
        vault.drafts()?.iter().map(|row| Ok((row.id.to_string(), opened(&vault, &agent, row)?))).collect()
    }

    /// The unit as the uncut run left it. `became`: which draft which record.
    pub fn of(unit: &Unit, drafts: Drafts, became: BTreeMap<String, String>) -> Sure<Self> {
        let vault = Vault::open(&places(&unit.data))?;
        let member = |name: &str| name.parse().map_err(|_| Broken(format!("{name} is no name")));
        let unlock = |name: &str, passphrase: &str| Ok::<_, Broken>(vault.unlock(&member(name)?, passphrase.as_bytes())?);
        let form = &forms()[2];
        let sample = Sample::new(977, Second::from_unix(1_790_000_000), Size::Tiny);
        let next = sample.take(500, 0, form, Transaction::New, Kind::Complete)?.draft(form)?;
        Ok(Self {
            name: unit.name.clone(),
            agent: unlock(&unit.agent, &unit.passphrase)?,
            supervisor: Arc::new(unlock(&unit.supervisor, &unit.supervisor_passphrase)?).into_supervisor()?,
            passphrase: unit.secret(&unit.supervisor),
            reserve: std::fs::metadata(unit.data.join("reserve"))?.len(),
            records: vault.records()?.into_iter().map(|r| (r.record.to_string(), r)).collect(),
            manifests: vault.batches()?.iter().map(|b| Ok((b.place.to_string(), vault.manifest(&b.id)?))).collect::<Sure<_>>()?,
            drafts,
            became,
            next,
        })
    }

    /// Each record is the one of the uncut run, whole, once, and the numbers have no gap.
    fn whole(&self, vault: &Vault, records: &[RecordRow]) -> Sure<()> {
        for (n, row) in (1..).zip(records) {
            let what = || format!("record {}", row.number);
            let truth = self.records.get(&row.record.to_string()).ok_or_else(|| Broken(format!("{} was never made", what())))?;
            demand(row.number.number == n && row.number == truth.number, || format!("{} should be number {n}", what()))?;
            demand((&row.line, row.digest, row.size) == (&truth.line, truth.digest, truth.size), || format!("{} is another one", what()))?;
            let sealed = vault.sealed(row.number)?.ok_or_else(|| Broken(format!("{} has no sealed bytes", what())))?;
            demand(SealedDigest::of(&sealed) == row.digest, || format!("{}: other sealed bytes", what()))?;
            // review cards live until close
            let review = vault.card(&self.supervisor, row, Card::Review)?;
            demand(review.is_some() == row.batch.is_none(), || format!("{}: review card", what()))?;
            demand(vault.card(&self.supervisor, row, Card::Contact)?.is_some(), || format!("{}: contact card", what()))?;
        }
        let last = vault.state()?.last_number;
        demand(last == records.len() as u64, || format!("{} records, the counter says {last}", records.len()))
    }

    /// Each batch is the one of the uncut run, with its whole payload.
    fn batches(&self, vault: &Vault) -> Sure<Vec<BatchId>> {
        let batches = vault.batches()?;
        for (n, batch) in (1..).zip(&batches) {
            let bytes = vault.manifest(&batch.id)?;
            demand(batch.place.sequence == n, || format!("batch {} should be number {n}", batch.place))?;
            demand(self.manifests.get(&batch.place.to_string()) == Some(&bytes), || format!("batch {} is another one", batch.place))?;
            let facts = Manifest::parse(&bytes)?.facts().clone();
            let (mut hash, mut at) = (PayloadHash::default(), 0);
            while at < facts.payload_size {
                let piece = vault.payload(&batch.id, at, 1 << 20)?;
                demand(!piece.is_empty(), || format!("batch {}: payload ends at {at}", batch.place))?;
                at += piece.len() as u64;
                hash.update(&piece);
            }
            demand(hash.finish() == (facts.payload_size, facts.payload), || format!("batch {}: payload", batch.place))?;
            demand(vault.records_of(&batch.id)?.len() == facts.lines.len(), || format!("batch {}: records", batch.place))?;
        }
        let state = vault.state()?;
        demand(state.last_sequence == batches.len() as u64, || "the chain's counter is not that of its batches".into())?;
        demand(state.head == batches.last().map(|b| b.id), || "the chain's head is not its last batch".into())?;
        Ok(batches.iter().map(|b| b.id).collect())
    }

    /// A draft is a record, or it is still there as it was; never both, never neither.
    fn drafts_stand(&self, vault: &Vault, records: &[RecordRow]) -> Sure<usize> {
        let rows = vault.drafts()?;
        for (id, before) in &self.drafts {
            let row = rows.iter().find(|r| r.id.to_string() == *id);
            let record = self.became.get(id).is_some_and(|b| records.iter().any(|r| r.record.to_string() == *b));
            demand(row.is_some() != record, || format!("draft {id}: there {}, finished {record}", row.is_some()))?;
            if let Some(row) = row {
                demand(opened(vault, &self.agent, row)? == *before, || format!("draft {id} is not as it was"))?;
            }
        }
        Ok(rows.len())
    }

    /// The next finish takes the next number, the next close the next place.
    fn goes_on(&self, vault: &Vault, session: &CaptureSession, records: usize, batches: usize) -> Sure<()> {
        let desk = Desk::open(vault, session, &self.agent)?;
        let (draft, parts) = self.next.clone();
        let done = desk.finish_with(draft, parts, Origin::Source(Digest::of(b"whoever comes next")))?;
        demand(done.number.number == records as u64 + 1, || format!("the next number is {}", done.number))?;
        let closed = close::close(vault, session, Approver::Supervisor(&self.supervisor), clock::now())?;
        demand(closed.left.is_empty(), || format!("left behind: {:?}", closed.left))?;
        let places: Vec<u64> = closed.batches.iter().map(|b| b.1.sequence).collect();
        demand(places == [batches as u64 + 1], || format!("the next batches are {places:?}"))?;
        let left = vault.unbatched()?.len();
        demand(left == 0, || format!("{left} records in no batch"))
    }

    /// The real program on a copy: what was finished is told, and the next close works.
    fn really(&self, data: &Path, said: &[&str]) -> Sure<()> {
        let copy = data.with_extension("copy");
        copy_folder(data, &copy)?;
        let program = Program::new("enroll-client", &["--json", "--data-dir", path_text(&copy)?])?;
        let told = program.run(&["status", "--records"])?.ok()?;
        for line in said.iter().map(|line| serde_json::from_str::<Value>(line)) {
            let line = line?;
            let there = |number: &Value| told.of("record").any(|r| r["number"] == *number);
            demand(line["record"].is_null() || there(&line["number"]), || format!("the program does not tell of {}", line["number"]))?;
        }
        let closed = program.run(&["--as", self.supervisor.name().as_str(), "--passphrase-file", path_text(&self.passphrase)?, "close"])?;
        demand(matches!(closed.exit, Some(0 | 4)), || format!("close ended with {:?}: {}", closed.exit, closed.err))?;
        std::fs::remove_dir_all(&copy)?;
        Ok(())
    }
}

/// What was acknowledged is there.
fn acknowledged(records: &[RecordRow], batches: &[BatchId], said: &[&str]) -> Sure<()> {
    for line in said.iter().map(|line| serde_json::from_str::<Value>(line)) {
        let line = line?;
        if let (Some(number), Some(record)) = (line["number"].as_str(), line["record"].as_str()) {
            let there = records.iter().any(|r| r.number.to_string() == number && r.record.to_string() == record);
            demand(there, || format!("lost: {number} was called finished"))?;
        }
        if let (Some("batch"), Some(batch)) = (line["message_type"].as_str(), line["id"].as_str()) {
            demand(batches.iter().any(|b| b.to_string() == batch), || format!("lost: {batch} was called closed"))?;
        }
    }
    Ok(())
}

impl Recovery for UnitRecovery {
    fn check(&self, folder: &Path, said: &[&str], nth: usize) -> Sure<()> {
        let data = folder.join(&self.name);
        if nth % REAL == REAL / 10 {
            self.really(&data, said)?;
        }
        // holds nothing; made without its bytes, so that no state has to have them allocated
        std::fs::File::create(data.join("reserve"))?.set_len(self.reserve)?;
        let vault = Vault::open(&places(&data))?;
        vault.integrity()?;
        // sweeps what a cut between key slot and commit has left
        let session = vault.capture()?;
        let records = vault.records()?;
        let batches = self.batches(&vault)?;
        acknowledged(&records, &batches, said)?;
        self.whole(&vault, &records)?;
        let drafts = self.drafts_stand(&vault, &records)?;
        // a slip code that nobody was shown waits for a screen
        let waiting = vault.unshown()?;
        let told = |row: &RecordRow| said.iter().any(|line| line.contains(&row.record.to_string()));
        let lost = records.iter().find(|row| !told(row) && !waiting.iter().any(|w| w.record == row.record));
        demand(lost.is_none(), || format!("lost: the slip code of {:?}", lost.map(|r| r.number)))?;
        let named = drafts + records.len() + records.iter().filter(|r| r.batch.is_none()).count() + waiting.len();
        let (used, damaged) = vault.key_slots()?;
        demand((used as usize, damaged) == (named, 0), || format!("{used} keys for {named} rows, {damaged} damaged"))?;
        self.goes_on(&vault, &session, records.len(), batches.len())
    }
}
