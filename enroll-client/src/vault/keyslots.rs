//! The key file: one erasable key for each draft, review card and contact card, outside of SQLite; and the slip
//! codes that no screen has shown yet.
//!
//! SQLite and its journal keep old pages, so deleting a row erases nothing. What must be erasable is
//! encrypted under its own random key; that key lies, wrapped, in its own 4 KiB-aligned slot of this file
//! and is overwritten in place when its time is over.
//!
//! ```text
//! offset  bytes
//!      0  "ENRSLOT1"          (a free slot is all zeros)
//!      8  kind: 1 draft, 2 review card, 3 contact card, 4 slip code (itself, not a key: it is short)
//!      9  length of the row's name, then the name (at most 48 bytes)
//!     64  length of the wrapped key (u16, big endian), then the wrapped key
//!   4064  SHA-256 of the 4064 bytes before
//! ```
//!
//! The file grows by 64 slots at a time; those not in use yet are free.
//!
//! 1. To put: under the lock of the key file write the slot, fsync.
//! 2. Still under it, commit the row that names the slot (or, for a slip code, the record). A crash between the two leaves a slot without a
//!    row, which the sweep erases.
//! 3. To erase: commit that the row is gone or no longer names the slot.
//! 4. Then overwrite the slot, fsync. A crash between the two again leaves a slot without a row.
//!
//! **Invariants:** the lock of the key file is taken before any lock of the database, never after. Only
//! the capture process sweeps, so a slot whose row is about to be committed is never swept. A slot that a row names is
//! not looked at by sweeps: a unit that was away for long has thousands, and each command that captures would wait for them.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::Duration,
};

use sha2::{Digest as _, Sha256};
use shared::problem::{Code, Problem};

use crate::durable::{InPlace, Lock};

const SLOT: usize = 4096;
const SUM: usize = SLOT - 32;
const MAGIC: &[u8; 8] = b"ENRSLOT1";
const NAME_MAX: usize = 48;
const WRAPPED: usize = 64;
/// Slots that are read at a time in search of free ones.
const TOGETHER: usize = 16;
/// The file grows by so many slots, so that a key seldom waits for more than its own bytes.
const GROWTH: u32 = 64;
/// So often a reader looks at a slot that seems damaged: it may be written just then.
const LOOKS: u32 = 4;
/// And waits so long between.
const WRITING: Duration = Duration::from_millis(5);

/// What a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A draft and its parts.
    Draft,
    /// A review card.
    Review,
    /// A contact card.
    Contact,
    /// A slip code that was not shown yet.
    Slip,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Draft, Self::Review, Self::Contact, Self::Slip];
    const fn byte(self) -> u8 {
        match self {
            Self::Draft => 1,
            Self::Review => 2,
            Self::Contact => 3,
            Self::Slip => 4,
        }
    }
    /// Its word, as it stands in associated data.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Review => "review",
            Self::Contact => "contact",
            Self::Slip => "slip",
        }
    }
}

/// Position of a slot in the key file, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Slot(pub u32);

/// What a slot says of itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Found {
    /// Nothing in it.
    Free,
    /// A key of this row.
    Used(Kind, String),
    /// Neither: torn, or rotten.
    Damaged,
}

/// The key file.
#[derive(Debug)]
pub struct KeyFile {
    path: PathBuf,
    /// No slot before it is free, as far as this process knows.
    searched: Arc<AtomicU32>,
}

/// The key file while its lock is held.
#[derive(Debug)]
pub struct Held {
    file: InPlace,
    searched: Arc<AtomicU32>,
    _lock: Lock,
}

impl KeyFile {
    /// The key file of this path; it is made when first used.
    pub fn new(path: PathBuf) -> Self {
        Self { path, searched: Arc::default() }
    }
    /// Looks at it without its lock, and without making it: whoever reads waits for nobody.
    pub fn look(&self) -> Result<Looked, Problem> {
        Ok(Looked(InPlace::reading(&self.path)?))
    }
    /// Waits for its lock, which is only ever held for moments.
    pub fn hold(&self) -> Result<Held, Problem> {
        let mut lock = self.path.as_os_str().to_owned();
        lock.push(".lock");
        let lock = Lock::wait(Path::new(&lock))?;
        Ok(Held { file: InPlace::open(&self.path)?, searched: self.searched.clone(), _lock: lock })
    }
}

/// The key file as a reader finds it. A slot that is written just then is looked at again.
#[derive(Debug)]
pub struct Looked(Option<InPlace>);

impl Looked {
    /// The wrapped key of this row.
    pub fn get(&self, slot: Slot, kind: Kind, row: &str) -> Result<Vec<u8>, Problem> {
        let damaged = || Problem::new(Code::KeyFileDamaged, format!("slot {} of {} {row}", slot.0, kind.word()));
        let (bytes, found) = self.read(slot).map_err(|_| damaged())?;
        if found != Found::Used(kind, row.to_owned()) {
            return Err(damaged());
        }
        let length = usize::from(u16::from_be_bytes([bytes[WRAPPED], bytes[WRAPPED + 1]]));
        bytes.get(WRAPPED + 2..WRAPPED + 2 + length).map(<[u8]>::to_vec).ok_or_else(damaged)
    }

    /// Every slot and what it says of itself.
    pub fn all(&self) -> Result<Vec<(Slot, Found)>, Problem> {
        let count = self.0.as_ref().map_or(Ok(0), count)?;
        (0..count).map(|n| Ok((Slot(n), self.read(Slot(n))?.1))).collect()
    }

    /// The same, but for the slots that rows name.
    pub fn others(&self, named: &BTreeSet<Slot>) -> Result<Vec<(Slot, Found)>, Problem> {
        let count = self.0.as_ref().map_or(Ok(0), count)?;
        (0..count).map(Slot).filter(|slot| !named.contains(slot)).map(|slot| Ok((slot, self.read(slot)?.1))).collect()
    }

    fn read(&self, slot: Slot) -> Result<([u8; SLOT], Found), Problem> {
        let Some(file) = &self.0 else { return Ok(([0; SLOT], Found::Free)) };
        for _ in 1..LOOKS {
            let bytes = read(file, slot)?;
            match found(&bytes) {
                Found::Damaged => thread::sleep(WRITING),
                found => return Ok((bytes, found)),
            }
        }
        let bytes = read(file, slot)?;
        Ok((bytes, found(&bytes)))
    }
}

impl Held {
    /// Writes a wrapped key into a free slot; durable when it returns. The caller commits the row before
    /// the lock is let go.
    pub fn put(&self, kind: Kind, row: &str, wrapped: &[u8]) -> Result<Slot, Problem> {
        Ok(self.put_all(row, &[(kind, wrapped)])?[0])
    }

    /// The same for several keys of one row, made durable at once; their slots, in the same order.
    pub fn put_all(&self, row: &str, keys: &[(Kind, &[u8])]) -> Result<Vec<Slot>, Problem> {
        let free = self.free(keys.len())?;
        let filled = keys.iter().map(|(kind, wrapped)| filled(*kind, row, wrapped)).collect::<Result<Vec<_>, _>>()?;
        let end = free.last().map_or(0, |last| last.0 + 1);
        let spare = if end > self.count()? { end..end.next_multiple_of(GROWTH) } else { end..end };
        let spare = spare.map(|n| (offset(Slot(n)), &[0; SLOT][..]));
        let filled = free.iter().zip(&filled).map(|(slot, bytes)| (offset(*slot), &bytes[..]));
        self.file.write_at(filled.chain(spare))?;
        self.searched.fetch_max(end, Ordering::Relaxed);
        Ok(free)
    }

    /// Overwrites the slot, unless it has become another row's; durable when it returns.
    pub fn erase(&self, slot: Slot, kind: Kind, row: &str) -> Result<(), Problem> {
        self.erase_all(&[(slot, kind, row.to_owned())])
    }

    /// The same for many slots, made durable at once.
    pub fn erase_all(&self, slots: &[(Slot, Kind, String)]) -> Result<(), Problem> {
        let count = self.count()?;
        let mut theirs = Vec::new();
        for (slot, kind, row) in slots.iter().filter(|(slot, ..)| slot.0 < count) {
            match found(&self.read(*slot)?) {
                Found::Free => {}
                Found::Used(k, r) if (k, &r) != (*kind, row) => {}
                Found::Used(..) | Found::Damaged => theirs.push(*slot),
            }
        }
        self.overwrite(&theirs)
    }

    /// Erases every slot that no row names and for which `wanted` says no; returns how many.
    pub fn sweep(&self, named: &BTreeSet<Slot>, mut wanted: impl FnMut(&Found) -> Result<bool, Problem>) -> Result<usize, Problem> {
        let (count, mut unwanted, mut free) = (self.count()?, Vec::new(), None);
        for slot in (0..count).map(Slot).filter(|slot| !named.contains(slot)) {
            match found(&self.read(slot)?) {
                Found::Free => free = free.or(Some(slot.0)),
                found if !wanted(&found)? => unwanted.push(slot),
                _ => {}
            }
        }
        self.searched.store(free.unwrap_or(count), Ordering::Relaxed);
        self.overwrite(&unwanted)?;
        Ok(unwanted.len())
    }

    fn overwrite(&self, slots: &[Slot]) -> Result<(), Problem> {
        if let Some(first) = slots.iter().min() {
            self.searched.fetch_min(first.0, Ordering::Relaxed);
        }
        Ok(self.file.write_at(slots.iter().map(|slot| (offset(*slot), &[0; SLOT][..])))?)
    }

    fn count(&self) -> Result<u32, Problem> {
        count(&self.file)
    }

    /// So many free slots: holes first, then beyond the end. Read many at a time, and from where the last search ended,
    /// because a unit that was away for weeks has thousands. Holes that another process makes are found by the next one.
    fn free(&self, wanted: usize) -> Result<Vec<Slot>, Problem> {
        let (len, count) = (self.file.len()?, self.count()?);
        let mut free = Vec::with_capacity(wanted);
        let mut bytes = vec![0; TOGETHER * SLOT];
        for first in (self.searched.load(Ordering::Relaxed)..count).step_by(TOGETHER) {
            let there = usize::try_from(len - offset(Slot(first))).unwrap_or(usize::MAX);
            let piece = &mut bytes[..there.min(TOGETHER * SLOT)];
            self.file.read_at(offset(Slot(first)), piece)?;
            let holes = (first..).zip(piece.chunks(SLOT)).filter(|(_, slot)| is_zero(slot));
            free.extend(holes.map(|(n, _)| Slot(n)).take(wanted - free.len()));
            if free.len() == wanted {
                return Ok(free);
            }
        }
        free.extend((count..).map(Slot).take(wanted - free.len()));
        Ok(free)
    }

    fn read(&self, slot: Slot) -> Result<[u8; SLOT], Problem> {
        read(&self.file, slot)
    }
}

fn count(file: &InPlace) -> Result<u32, Problem> {
    // a torn append counts as a slot: it is read as damaged and erased whole
    let slots = file.len()?.div_ceil(SLOT as u64);
    u32::try_from(slots).map_err(|_| Problem::new(Code::KeyFileDamaged, "length"))
}

fn read(file: &InPlace, slot: Slot) -> Result<[u8; SLOT], Problem> {
    let mut bytes = [0; SLOT];
    let there = file.len()?.saturating_sub(offset(slot));
    let there = usize::try_from(there).unwrap_or(SLOT).min(SLOT);
    file.read_at(offset(slot), &mut bytes[..there])?;
    Ok(bytes)
}

fn offset(slot: Slot) -> u64 {
    u64::from(slot.0) * SLOT as u64
}

fn filled(kind: Kind, row: &str, wrapped: &[u8]) -> Result<[u8; SLOT], Problem> {
    let too_long = || Problem::new(Code::KeyFileDamaged, format!("key of {} {row} does not fit its slot", kind.word()));
    let (name, length) = (u8::try_from(row.len()).map_err(|_| too_long())?, u16::try_from(wrapped.len()).map_err(|_| too_long())?);
    if row.len() > NAME_MAX || wrapped.len() > SUM - WRAPPED - 2 {
        return Err(too_long());
    }
    let mut bytes = [0; SLOT];
    bytes[..8].copy_from_slice(MAGIC);
    bytes[8] = kind.byte();
    bytes[9] = name;
    bytes[10..10 + row.len()].copy_from_slice(row.as_bytes());
    bytes[WRAPPED..WRAPPED + 2].copy_from_slice(&length.to_be_bytes());
    bytes[WRAPPED + 2..WRAPPED + 2 + wrapped.len()].copy_from_slice(wrapped);
    let sum = Sha256::digest(&bytes[..SUM]);
    bytes[SUM..].copy_from_slice(&sum);
    Ok(bytes)
}

fn is_zero(bytes: &[u8]) -> bool {
    bytes.iter().all(|&b| b == 0)
}

fn found(bytes: &[u8; SLOT]) -> Found {
    if is_zero(bytes) {
        return Found::Free;
    }
    let name = bytes.get(10..10 + usize::from(bytes[9])).filter(|n| n.len() <= NAME_MAX);
    let name = name.and_then(|n| std::str::from_utf8(n).ok());
    let kind = Kind::ALL.into_iter().find(|k| k.byte() == bytes[8]);
    let sound = bytes.starts_with(MAGIC) && Sha256::digest(&bytes[..SUM])[..] == bytes[SUM..];
    match (kind, name) {
        (Some(kind), Some(name)) if sound => Found::Used(kind, name.to_owned()),
        _ => Found::Damaged,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key_file() -> (tempfile::TempDir, KeyFile) {
        let folder = tempfile::tempdir().expect("a folder");
        let file = KeyFile::new(folder.path().join("keys"));
        (folder, file)
    }

    #[test]
    fn a_key_opens_only_for_its_row() {
        let (_folder, keys) = key_file();
        let held = keys.hold().expect("held");
        let slot = held.put(Kind::Draft, "a", b"wrapped").expect("put");
        assert_eq!(keys.look().expect("there").get(slot, Kind::Draft, "a"), Ok(b"wrapped".to_vec()));
        for (kind, row) in [(Kind::Draft, "b"), (Kind::Review, "a")] {
            assert_eq!(keys.look().expect("there").get(slot, kind, row).map_err(|p| p.code), Err(Code::KeyFileDamaged));
        }
        assert_eq!(keys.look().expect("there").get(Slot(9), Kind::Draft, "a").map_err(|p| p.code), Err(Code::KeyFileDamaged));
    }

    #[test]
    fn erased_slots_hold_nothing_and_are_used_again() {
        let (folder, keys) = key_file();
        let held = keys.hold().expect("held");
        let first = held.put(Kind::Draft, "a", b"SECRET-ONE").expect("put");
        let second = held.put(Kind::Draft, "b", b"SECRET-TWO").expect("put");
        held.erase(first, Kind::Draft, "a").expect("erased");
        let bytes = std::fs::read(folder.path().join("keys")).expect("the file");
        assert!(!bytes.windows(10).any(|w| w == b"SECRET-ONE"));
        assert!(bytes.windows(10).any(|w| w == b"SECRET-TWO"), "control");
        assert_eq!(held.put(Kind::Review, "c", b"x"), Ok(first), "reused");
        held.erase(first, Kind::Draft, "a").expect("late");
        assert_eq!(
            keys.look().expect("there").get(first, Kind::Review, "c"),
            Ok(b"x".to_vec()),
            "a late eraser does not touch a reused slot"
        );
        assert_eq!(keys.look().expect("there").get(second, Kind::Draft, "b"), Ok(b"SECRET-TWO".to_vec()));
    }

    #[test]
    fn a_torn_slot_is_damaged_for_its_row_only_and_swept_without_one() {
        let (folder, keys) = key_file();
        let slots = {
            let held = keys.hold().expect("held");
            [held.put(Kind::Draft, "a", &[7; 600]).expect("put"), held.put(Kind::Draft, "b", &[8; 600]).expect("put")]
        };
        let path = folder.path().join("keys");
        let whole = std::fs::read(&path).expect("read");
        for cut in [SLOT + 1, SLOT + 64, SLOT + 512, 2 * SLOT - 1] {
            std::fs::write(&path, &whole[..cut]).expect("torn");
            let held = keys.hold().expect("held");
            assert_eq!(keys.look().expect("there").get(slots[1], Kind::Draft, "b").map_err(|p| p.code), Err(Code::KeyFileDamaged), "{cut}");
            assert_eq!(keys.look().expect("there").get(slots[0], Kind::Draft, "a"), Ok(vec![7; 600]));
            assert_eq!(held.sweep(&BTreeSet::new(), |found| Ok(matches!(found, Found::Used(..)))), Ok(1));
            assert_eq!(held.put(Kind::Draft, "b", &[8; 600]), Ok(slots[1]));
        }
    }

    #[test]
    fn many_are_put_into_holes_first_and_then_beyond_the_end() {
        let (_folder, keys) = key_file();
        let held = keys.hold().expect("held");
        let all: Vec<Vec<u8>> = (0..200_u8).map(|n| vec![n; 60]).collect();
        let all: Vec<(Kind, &[u8])> = all.iter().map(|key| (Kind::Review, key.as_slice())).collect();
        let slots = held.put_all("a", &all).expect("put");
        assert_eq!(slots, (0..200).map(Slot).collect::<Vec<_>>());
        for (slot, (kind, key)) in slots.iter().zip(&all) {
            assert_eq!(keys.look().expect("there").get(*slot, *kind, "a").as_deref(), Ok(*key));
        }
        held.erase_all(&[3, 63, 130, 131].map(|n| (Slot(n), Kind::Review, "a".into()))).expect("erased");
        assert_eq!(held.put_all("b", &all[..6]), Ok([3, 63, 130, 131, 200, 201].map(Slot).to_vec()));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let (_folder, keys) = key_file();
        let held = keys.hold().expect("held");
        assert!(held.put(Kind::Draft, &"x".repeat(49), b"").is_err());
        assert!(held.put(Kind::Draft, "a", &[0; SLOT]).is_err());
    }
}
