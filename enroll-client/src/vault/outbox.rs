//! Closed batches on their way, and what the centre gave for them: receipts and outcomes.
//!
//! **Trust:** receipts and outcomes are stored after they were checked, and checked again wherever
//! something is deleted because of them. **Invariants:** a batch enters with the advance of the chain in one
//! transaction; the payload is never stored twice: it is read from the sealed records.

use rusqlite::{OptionalExtension as _, params};
use shared::{
    id::{BatchId, Digest, LogIndex, Number, Place},
    log::BatchState,
    outcome::Fate,
    problem::{Code, Problem},
    time::{Minute, Second},
    verify::PayloadHash,
};

use super::{
    CaptureSession, Db as _, Vault,
    columns::{Column as _, Row, all, place},
    int,
    records::{self, Card, RecordRow},
};

/// Bytes that are read of a payload at a time.
const PIECE: usize = 1 << 20;

/// A batch that `close` made.
pub struct ClosedBatch {
    /// Its id.
    pub id: BatchId,
    /// Its place in the chain.
    pub place: Place,
    /// The signed manifest, exact bytes.
    pub manifest: Vec<u8>,
    /// Bytes of payload.
    pub payload: u64,
    /// When it was closed, in unit time.
    pub closed: Minute,
    /// Its records, in the manifest's order, withdrawn ones too.
    pub records: Vec<RecordRow>,
}

/// A batch, as the vault knows it.
#[derive(Debug, Clone)]
pub struct BatchRow {
    /// Its id.
    pub id: BatchId,
    /// Its place in the chain.
    pub place: Place,
    /// Bytes of payload.
    pub payload: u64,
    /// Records in it, withdrawn ones too.
    pub records: u64,
    /// When it was closed, in unit time.
    pub closed: Minute,
    /// The centre knows its manifest.
    pub announced: bool,
    /// Bytes that the centre has, by its last word.
    pub sent: u64,
    /// Why the centre did not take it.
    pub problem: Option<Problem>,
    /// What its receipt says.
    pub receipt: Option<Received>,
    /// Version of the newest outcome.
    pub outcome: Option<u32>,
}

/// What a receipt that was checked says of its batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Received {
    /// Where it stands in the log.
    pub index: LogIndex,
    /// Log time.
    pub at: Second,
    /// Does it count?
    pub state: BatchState,
}

/// What an outcome says of one record.
pub struct Effect<'a> {
    /// Which record.
    pub number: Number,
    /// What became of it.
    pub fate: &'a Fate,
}

/// An outcome and the proof of its log entry, exact bytes.
pub struct StoredOutcome {
    /// Its version.
    pub version: u32,
    /// The signed note.
    pub note: Vec<u8>,
    /// C2SP tlog-proof.
    pub proof: Vec<u8>,
}

const COLUMNS: &str = "b.id, b.epoch, b.sequence, b.payload, b.records, b.closed, b.announced, b.sent, b.problem, b.detail,
    r.log_index, r.received, r.state, (SELECT max(version) FROM outcomes o WHERE o.batch = b.id)
    FROM batches b LEFT JOIN receipts r ON r.batch = b.id";

impl Vault {
    /// Stores what `close` made, advances the chain and destroys the review cards: one transaction, then
    /// the keys of the cards. A crash before the commit leaves everything unclosed; a crash after it
    /// leaves closed batches, and slots that the sweep erases.
    pub fn store_closed(&self, _: &CaptureSession, batches: &[ClosedBatch]) -> Result<(), Problem> {
        let tx = self.begin()?;
        let state = self.state()?;
        // a sync may have heard of it since the close began
        state.standing.demand_ok()?;
        let mut next = state.last_sequence + 1;
        for batch in batches {
            if (Some(batch.place.epoch), batch.place.sequence) != (state.epoch, next) {
                return Err(Problem::new(Code::LockedElsewhere, "the chain moved while the batch was made"));
            }
            next += 1;
            insert(&tx, batch)?;
        }
        let last = batches.last().map_or(state.head, |b| Some(b.id));
        tx.execute("UPDATE state SET head = ?1, last_sequence = ?2", params![last.map(|id| id.to_string()), int(next - 1)]).db()?;
        tx.commit().db()?;
        let records: Vec<RecordRow> = batches.iter().flat_map(|b| b.records.iter().cloned()).collect();
        self.erase_cards(&records, Card::Review)
    }

    /// All batches, in the order of the chain.
    pub fn batches(&self) -> Result<Vec<BatchRow>, Problem> {
        self.batch_rows("", [])
    }
    /// The batches without a receipt, oldest first.
    pub fn waiting(&self) -> Result<Vec<BatchRow>, Problem> {
        self.batch_rows("WHERE r.batch IS NULL", [])
    }
    /// The batch at a place.
    pub fn batch_at(&self, place: Place) -> Result<Option<BatchRow>, Problem> {
        let at = (place.epoch, int(place.sequence));
        Ok(self.batch_rows("WHERE b.epoch = ?1 AND b.sequence = ?2", at)?.pop())
    }
    /// The batch of an id.
    pub fn batch(&self, id: &BatchId) -> Result<BatchRow, Problem> {
        let found = self.batch_rows("WHERE b.id = ?1", [id.to_string()])?.pop();
        found.ok_or_else(|| Problem::new(Code::NotFound, id.to_string()))
    }

    fn batch_rows(&self, which: &str, of: impl rusqlite::Params) -> Result<Vec<BatchRow>, Problem> {
        all(&self.db, &format!("SELECT {COLUMNS} {which} ORDER BY b.epoch, b.sequence"), of, row)
    }

    /// The signed manifest, exact bytes.
    pub fn manifest(&self, id: &BatchId) -> Result<Vec<u8>, Problem> {
        let bytes = self.db.query_row("SELECT manifest FROM batches WHERE id = ?1", [id.to_string()], |r| r.get(0));
        bytes.optional().db()?.ok_or_else(|| Problem::new(Code::NotFound, id.to_string()))
    }

    /// The payload from `from` on: the rest of the sealed record that lies there, at most `most` bytes.
    /// Empty at the end. One record is in memory at a time.
    pub fn payload(&self, id: &BatchId, from: u64, most: usize) -> Result<Vec<u8>, Problem> {
        let sql = "SELECT r.offset, r.size, substr(s.bytes, ?2 - r.offset + 1, ?3)
                   FROM records r LEFT JOIN sealed s ON s.epoch = r.epoch AND s.number = r.number
                   WHERE r.batch = ?1 AND r.withdrawn IS NULL AND r.offset <= ?2 AND ?2 < r.offset + r.size";
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let found = self.db.query_row(sql, params![id.to_string(), int(from), most], |r| r.get::<_, Option<Vec<u8>>>(2));
        match found.optional().db()? {
            None => Ok(Vec::new()),
            Some(Some(bytes)) if !bytes.is_empty() => Ok(bytes),
            Some(_) => Err(Problem::new(Code::VaultDamaged, format!("sealed records of {id} are not here any more"))),
        }
    }

    /// Hands the whole payload of `size` bytes to `take`, piece by piece, and returns its digest. `vault-damaged`: not all of it is
    /// here; what was pruned has left a hole.
    pub fn read_payload(&self, id: &BatchId, size: u64, mut take: impl FnMut(&[u8]) -> Result<(), Problem>) -> Result<Digest, Problem> {
        let (mut hash, mut at) = (PayloadHash::default(), 0);
        while at < size {
            let bytes = self.payload(id, at, PIECE)?;
            if bytes.is_empty() {
                return Err(Problem::new(Code::VaultDamaged, "the payload ends early"));
            }
            at += bytes.len() as u64;
            hash.update(&bytes);
            take(&bytes)?;
        }
        Ok(hash.finish().1)
    }

    /// The centre knows the manifest.
    pub fn announced(&self, id: &BatchId) -> Result<(), Problem> {
        self.db.execute("UPDATE batches SET announced = 1, problem = NULL, detail = NULL WHERE id = ?1", [id.to_string()]).db().map(drop)
    }
    /// The centre has this many bytes of the payload.
    pub fn sent(&self, id: &BatchId, bytes: u64) -> Result<(), Problem> {
        self.db.execute("UPDATE batches SET sent = ?2 WHERE id = ?1", params![id.to_string(), int(bytes)]).db().map(drop)
    }
    /// The centre did not take it, and said why. The batch stays, and the next ones go on.
    pub fn set_aside(&self, id: &BatchId, problem: &Problem) -> Result<(), Problem> {
        let sql = "UPDATE batches SET problem = ?2, detail = ?3 WHERE id = ?1";
        self.db.execute(sql, params![id.to_string(), problem.code.to_string(), problem.detail]).db().map(drop)
    }

    /// Stores a receipt that was checked. The first one of a batch stands.
    pub fn store_receipt(&self, id: &BatchId, proof: &[u8], said: &Received) -> Result<(), Problem> {
        let tx = self.begin()?;
        let sql = "INSERT OR IGNORE INTO receipts (batch, proof, log_index, received, state) VALUES (?1, ?2, ?3, ?4, ?5)";
        tx.execute(sql, params![id.to_string(), proof, int(said.index.0), said.at.unix(), said.state.to_string()]).db()?;
        tx.execute("UPDATE batches SET announced = 1, sent = payload, problem = NULL, detail = NULL WHERE id = ?1", [id.to_string()])
            .db()?;
        tx.commit().db()
    }
    /// The stored receipt, exact bytes.
    pub fn receipt(&self, id: &BatchId) -> Result<Option<Vec<u8>>, Problem> {
        self.db.query_row("SELECT proof FROM receipts WHERE batch = ?1", [id.to_string()], |r| r.get(0)).optional().db()
    }

    /// Stores an outcome that was checked, and what it says of each record, in one transaction; older
    /// versions change nothing. Contact cards of merged records go with it, then their keys; a crash between leaves
    /// slots for the sweep.
    pub fn store_outcome(&self, id: &BatchId, version: u32, note: &[u8], proof: &[u8], effects: &[Effect<'_>]) -> Result<(), Problem> {
        let tx = self.begin()?;
        let sql = "INSERT OR IGNORE INTO outcomes (batch, version, note, proof) VALUES (?1, ?2, ?3, ?4)";
        tx.execute(sql, params![id.to_string(), version, note, proof]).db()?;
        for effect in effects {
            let sql = "INSERT INTO effects (epoch, number, version, fate) VALUES (?1, ?2, ?3, ?4)
                       ON CONFLICT DO UPDATE SET version = ?3, fate = ?4 WHERE version < ?3";
            let number = effect.number;
            tx.execute(sql, params![number.epoch, int(number.number), version, effect.fate.to_string()]).db()?;
        }
        let merged = |r: &RecordRow| matches!(r.fate, Some(Fate::Merged(_)));
        let done: Vec<RecordRow> = self.records_of(id)?.into_iter().filter(merged).collect();
        done.iter().try_for_each(|r| records::forget_contact(&tx, r.number))?;
        tx.commit().db()?;
        self.erase_cards(&done, Card::Contact)
    }
    /// The newest stored outcome and its proof, exact bytes.
    pub fn outcome(&self, id: &BatchId) -> Result<Option<StoredOutcome>, Problem> {
        let sql = "SELECT version, note, proof FROM outcomes WHERE batch = ?1 ORDER BY version DESC LIMIT 1";
        self.db
            .query_row(sql, [id.to_string()], |r| Ok(StoredOutcome { version: r.get(0)?, note: r.get(1)?, proof: r.get(2)? }))
            .optional()
            .db()
    }
}

fn insert(tx: &rusqlite::Transaction<'_>, batch: &ClosedBatch) -> Result<(), Problem> {
    let id = batch.id.to_string();
    tx.execute(
        "INSERT INTO batches (id, epoch, sequence, manifest, payload, records, closed) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            id,
            batch.place.epoch,
            int(batch.place.sequence),
            batch.manifest,
            int(batch.payload),
            int(batch.records.len() as u64),
            batch.closed.unix_minutes()
        ],
    )
    .db()?;
    let mut offset = 0;
    for record in &batch.records {
        let in_payload = record.withdrawn.is_none();
        let sql = "UPDATE records SET batch = ?3, offset = ?4, by = ?5, review = NULL, review_slot = NULL
                   WHERE epoch = ?1 AND number = ?2 AND batch IS NULL AND again = 0";
        let by = record.withdrawn.as_ref().map(|w| w.by.as_str());
        let place = in_payload.then_some(int(offset));
        let row = params![record.number.epoch, int(record.number.number), id, place, by];
        if tx.execute(sql, row).db()? != 1 {
            return Err(Problem::new(Code::LockedElsewhere, "a record moved while the batch was made"));
        }
        offset += if in_payload { record.size } else { 0 };
    }
    Ok(())
}

fn row(r: &Row<'_>) -> Result<BatchRow, Problem> {
    let (code, detail): (Option<Code>, Option<String>) = (Option::read(r, 8)?, Option::read(r, 9)?);
    let index: Option<LogIndex> = Option::read(r, 10)?;
    let received = |index| Ok::<_, Problem>(Received { index, at: Second::read(r, 11)?, state: BatchState::read(r, 12)? });
    Ok(BatchRow {
        id: BatchId::read(r, 0)?,
        place: place(r, 1)?,
        payload: u64::read(r, 3)?,
        records: u64::read(r, 4)?,
        closed: Minute::read(r, 5)?,
        announced: bool::read(r, 6)?,
        sent: u64::read(r, 7)?,
        problem: code.zip(detail).map(|(code, detail)| Problem::new(code, detail)),
        receipt: index.map(received).transpose()?,
        outcome: Option::read(r, 13)?,
    })
}
