//! What a power cut leaves of a disk: one of many states, chosen by a seed.
//!
//! | turn | names that are not durable | writes that are not durable |
//! |---|---|---|
//! | 0 | lost | lost |
//! | 1 | kept | kept |
//! | 2 | kept | lost |
//! | 3 | lost | kept |
//! | 4… | the first so many, or any of them, in order | each file: all, none, the first so many with the last one torn, or any of them |
//!
//! A torn write keeps its first so many sectors of 512 bytes, or any of them. A write that is lost may still have made the
//! file longer: the size is on its way to the disk apart from the bytes, and what is between is zeros.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use sha2::{Digest as _, Sha256};

use super::disk::{Change, Disk, Entry, File, Node, overwrite, position};

const SECTOR: u64 = 512;

/// Draws choices, the same for the same seed (splitmix64).
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// Of three numbers: a seed, a point and a turn.
    pub fn new(seed: u64, point: u64, turn: u64) -> Self {
        let mut dice = Self(seed);
        for part in [point, turn] {
            dice.0 = dice.next() ^ part.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        }
        dice
    }
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
    /// Less than `n`, which is at least 1.
    pub fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() % n as u64).expect("less than a usize")
    }
    fn coin(&mut self) -> bool {
        self.below(2) == 0
    }
}

/// What is on the disk when the power is back.
#[derive(Debug, Clone)]
pub struct State {
    folders: Vec<PathBuf>,
    files: Vec<Named>,
    /// SHA-256 over names and bytes.
    pub digest: [u8; 32],
}

/// A name and what stands behind it; two names of one file have its number in common.
#[derive(Debug, Clone)]
struct Named {
    path: PathBuf,
    file: usize,
    bytes: Arc<Vec<u8>>,
}

/// What becomes of the pending parts of one kind.
#[derive(Clone, Copy)]
enum Fate {
    Lost,
    Kept,
    Chance,
}

impl State {
    /// What a cut leaves of `disk`, on its `turn`th choice.
    pub fn after(disk: &Disk, turn: u64, dice: &mut Dice) -> Self {
        let (names, data) = match turn {
            0 => (Fate::Lost, Fate::Lost),
            1 => (Fate::Kept, Fate::Kept),
            2 => (Fate::Kept, Fate::Lost),
            3 => (Fate::Lost, Fate::Kept),
            _ => (Fate::Chance, Fate::Chance),
        };
        let mut state = Self { folders: Vec::new(), files: Vec::new(), digest: [0; 32] };
        let (names, mut hash) = (kept_names(disk, names, dice), Sha256::new());
        let mut met: BTreeMap<usize, (Arc<Vec<u8>>, [u8; 32])> = BTreeMap::new();
        for (path, node) in &names {
            // a name whose folder was lost is lost with it
            let found = path.ancestors().skip(1).all(|p| p == Path::new("") || names.get(p) == Some(&Node::Folder));
            if !found {
                continue;
            }
            hash.update(path.as_os_str().as_encoded_bytes());
            match node {
                Node::Folder => {
                    hash.update([0, 0]);
                    state.folders.push(path.clone());
                }
                Node::File(n) => {
                    // a file with two names has one content
                    let (bytes, digest) = met.entry(*n).or_insert_with(|| kept_bytes(&disk.files[*n], data, dice)).clone();
                    hash.update([0, 1]);
                    hash.update(digest);
                    state.files.push(Named { path: path.clone(), file: *n, bytes });
                }
            }
        }
        state.digest = hash.finalize().into();
        state
    }

    /// Lays the state out in a folder that is empty or not there.
    pub fn lay_out(&self, root: &Path) -> io::Result<()> {
        fs::create_dir_all(root)?;
        for folder in &self.folders {
            fs::create_dir(root.join(folder))?;
        }
        let mut laid: BTreeMap<usize, &Path> = BTreeMap::new();
        for Named { path, file, bytes } in &self.files {
            match laid.get(file) {
                Some(other) => fs::hard_link(root.join(other), root.join(path))?,
                None => fs::write(root.join(path), bytes.as_slice())?,
            }
            laid.entry(*file).or_insert(path);
        }
        Ok(())
    }

    /// The bytes of a file, if it is there.
    pub fn file(&self, path: &str) -> Option<&[u8]> {
        self.files.iter().find(|f| f.path == Path::new(path)).map(|f| f.bytes.as_slice())
    }
}

fn kept_names(disk: &Disk, fate: Fate, dice: &mut Dice) -> BTreeMap<PathBuf, Node> {
    let mut names = disk.durable.clone();
    let entries = &disk.entries;
    let chosen: Vec<&Entry> = match fate {
        Fate::Lost => Vec::new(),
        Fate::Kept => entries.iter().collect(),
        Fate::Chance if dice.coin() => entries.iter().take(dice.below(entries.len() + 1)).collect(),
        Fate::Chance => entries.iter().filter(|_| dice.coin()).collect(),
    };
    for entry in chosen {
        entry.apply(&mut names);
    }
    names
}

fn kept_bytes(file: &File, fate: Fate, dice: &mut Dice) -> (Arc<Vec<u8>>, [u8; 32]) {
    if file.pending.is_empty() || matches!(fate, Fate::Lost) {
        return (file.durable.clone(), file.digest());
    }
    let mut bytes = file.durable.as_ref().clone();
    match (fate, dice.below(4)) {
        (Fate::Chance, 0) => {}
        (Fate::Chance, 1) => {
            let (whole, torn) = file.pending.split_at(dice.below(file.pending.len()));
            for change in whole {
                change.apply(&mut bytes);
            }
            tear(&torn[0], &mut bytes, dice);
        }
        (Fate::Chance, 2) => {
            for change in &file.pending {
                match dice.below(3) {
                    0 => change.apply(&mut bytes),
                    1 => tear(change, &mut bytes, dice),
                    _ => lose(change, &mut bytes, dice),
                }
            }
        }
        _ => {
            for change in &file.pending {
                change.apply(&mut bytes);
            }
        }
    }
    let digest = Sha256::digest(&bytes).into();
    (Arc::new(bytes), digest)
}

/// The bytes are lost; the size that came with them may not be.
fn lose(change: &Change, file: &mut Vec<u8>, dice: &mut Dice) {
    if let Change::Write { at, bytes } = change
        && dice.coin()
    {
        let end = position(*at) + bytes.len();
        file.resize(file.len().max(end), 0);
    }
}

/// Some sectors of a write reach the disk.
fn tear(change: &Change, file: &mut Vec<u8>, dice: &mut Dice) {
    let Change::Write { at, bytes } = change else { return };
    let sectors = pieces(*at, bytes.len() as u64);
    let (first, any) = (dice.below(sectors.len() + 1), dice.coin());
    for (n, (from, to)) in sectors.into_iter().enumerate() {
        if if any { dice.coin() } else { n < first } {
            overwrite(file, at + from, &bytes[position(from)..position(to)]);
        }
    }
    lose(change, file, dice);
}

/// The parts of a write that lie in one sector each, counted from its start.
fn pieces(at: u64, len: u64) -> Vec<(u64, u64)> {
    let mut pieces = Vec::new();
    let mut from = 0;
    while from < len {
        let to = (from + SECTOR - (at + from) % SECTOR).min(len);
        pieces.push((from, to));
        from = to;
    }
    pieces
}
