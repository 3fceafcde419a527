//! Record → [`SealedRecord`]: after this, the laptop and its people cannot read it any more.
//!
//! **Trust:** the record has passed its form. **Invariants:** in memory only; the facts beside the bytes are what
//! the record's line states about them, taken from the same content that went into the tar.

use std::{
    io::{self, Write},
    panic::resume_unwind,
    sync::mpsc,
    thread,
};

use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::{Recipients, frame, padding, small::Envelope, tar};
use crate::{
    id::{FormName, Member, RecordId, SealedDigest, Transaction},
    problem::{Code, Problem},
    record::{MAX_PLAIN, Record},
    time::Minute,
};

/// Largest sealed record, in bytes.
pub const MAX_SEALED: u64 = crate::roster::Limits::MOST.record;

/// A record that only the registry's opener can read, and what its line says about it.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedRecord {
    bytes: Vec<u8>,
    digest: SealedDigest,
    plain: u64,
    record_id: RecordId,
    unit: Member,
    agent: Member,
    transaction: Transaction,
    form: FormName,
    finished: Minute,
}

/// Seals a record to the registry's two recipients, padded for its form's `pad`.
///
/// `record-too-large` beyond 64 MiB plain or 16 MiB sealed.
pub fn seal(record: &Record, recipients: &Recipients, pad: u64) -> Result<SealedRecord, Problem> {
    let content = record.content();
    let json = Zeroizing::new(content.to_json());
    let sizes = std::iter::once(json.len() as u64).chain(content.parts.iter().map(|p| p.size));
    let length = tar::length(sizes);
    let plain = padding::plain(length, pad);
    if plain > MAX_PLAIN {
        return Err(Problem::new(Code::RecordTooLarge, format!("{plain} bytes plain, at most {MAX_PLAIN}")));
    }
    // 1. tar
    let room = usize::try_from(length).expect("at most 64 MiB");
    let mut archive = Zeroizing::new(Vec::with_capacity(room));
    let parts = record.parts().map(|(part, bytes)| (part.name.as_str(), bytes));
    tar::write(std::iter::once((tar::RECORD_JSON, json.as_slice())).chain(parts), &mut archive);
    debug_assert_eq!(archive.len(), room, "length and write count alike");
    // 2. zstd, 3. padding, 4. age, 5. digest
    let (bytes, digest) = enclose(&archive, recipients, pad, plain)?;
    if bytes.len() as u64 > MAX_SEALED {
        return Err(Problem::new(Code::RecordTooLarge, format!("{} bytes sealed, at most {MAX_SEALED}", bytes.len())));
    }
    Ok(SealedRecord {
        digest,
        bytes,
        plain,
        record_id: content.record_id,
        unit: content.unit.clone(),
        agent: content.agent.clone(),
        transaction: content.transaction,
        form: content.form.clone(),
        finished: content.finished.minute(),
    })
}

/// Steps 2 to 5 on two threads, because the laptop's agent waits: one packs while the other encapsulates the file key twice,
/// and hashes what the other encrypts.
fn enclose(archive: &[u8], recipients: &Recipients, pad: u64, padded: u64) -> Result<(Vec<u8>, SealedDigest), Problem> {
    let room = Envelope::<Hashed>::room(usize::try_from(padded).expect("at most 64 MiB"));
    let (give, packed) = mpsc::channel();
    let (pieces, written) = mpsc::channel::<Vec<u8>>();
    thread::scope(|scope| {
        let beside = scope.spawn(move || {
            drop(give.send(frame::pack(archive, pad)));
            let hash = written.iter().fold(Sha256::new(), Sha256::chain_update);
            SealedDigest::from_bytes(hash.finalize().into())
        });
        let hashed = Hashed { bytes: Vec::with_capacity(room), pieces };
        let bytes = Envelope::to(both(recipients), hashed).and_then(|envelope| match packed.recv() {
            Ok(packed) => Ok(envelope.close(&packed?).bytes),
            Err(_) => Ok(Vec::new()), // packing broke off, and so does this
        });
        let digest = beside.join().unwrap_or_else(|panic| resume_unwind(panic));
        Ok((bytes?, digest))
    })
}

/// Keeps what is written, and gives a copy to whoever hashes it.
struct Hashed {
    bytes: Vec<u8>,
    pieces: mpsc::Sender<Vec<u8>>,
}

impl Write for Hashed {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        self.bytes.extend_from_slice(piece);
        self.pieces.send(piece.to_vec()).map_err(io::Error::other)?;
        Ok(piece.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Working first, because opening with the second costs one more try.
fn both(recipients: &Recipients) -> impl Iterator<Item = &dyn age::Recipient> {
    [recipients.working().as_age(), recipients.recovery().as_age()].into_iter()
}

/// Steps 2 to 4 over any bytes instead of a record's tar: for vectors with a defect inside.
#[cfg(feature = "sample")]
pub fn seal_raw(tar: &[u8], recipients: &Recipients, pad: u64) -> Result<Vec<u8>, Problem> {
    super::small::encrypt(both(recipients), &frame::pack(tar, pad)?)
}

impl SealedRecord {
    /// The age file, as it is stored and travels.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }
    /// The age file, moved out.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
    /// SHA-256 of the age file.
    pub const fn digest(&self) -> SealedDigest {
        self.digest
    }
    /// `plain` of the line: what is said in the open about the size of the content.
    pub const fn plain(&self) -> u64 {
        self.plain
    }
    /// Id of the record.
    pub const fn record_id(&self) -> RecordId {
        self.record_id
    }
    /// The unit that enrolled.
    pub const fn unit(&self) -> &Member {
        &self.unit
    }
    /// The agent who enrolled.
    pub const fn agent(&self) -> &Member {
        &self.agent
    }
    /// What the record is for.
    pub const fn transaction(&self) -> Transaction {
        self.transaction
    }
    /// The form that it was filled in by.
    pub const fn form(&self) -> &FormName {
        &self.form
    }
    /// The minute in which it was finished.
    pub const fn finished(&self) -> Minute {
        self.finished
    }
}

impl std::fmt::Debug for SealedRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SealedRecord({} {} {})", self.unit, self.record_id, self.digest)
    }
}
