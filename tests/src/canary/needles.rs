//! Readable traces, and the search for them in any heap of bytes.

use std::{
    collections::{BTreeSet, HashMap},
    io::Read,
};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};

use super::Canary;
use crate::world::Sure;

/// By how many bytes a needle is looked up; none is shorter.
const HEAD: usize = 8;
/// Bytes of a piece of an image.
const PIECE: usize = 24;
/// Every so many bytes of an image a piece is taken.
const STRIDE: usize = 256;

/// What was found: whose it is, what, in which encoding.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Trace {
    /// Which person.
    pub canary: u64,
    /// `family_ar`, `face.jpg`
    pub what: String,
    /// `utf-8`, `utf-16le`, `base64+1`, …
    pub encoding: &'static str,
}

/// Everything that is searched for, at once.
pub struct Needles {
    all: Vec<(Trace, Vec<u8>)>,
    by_head: HashMap<u64, Vec<usize>>,
    gate: Vec<bool>,
    longest: usize,
}

impl Needles {
    /// The traces of these people.
    pub fn of<'a>(people: impl IntoIterator<Item = &'a Canary>) -> Self {
        let mut all = Vec::new();
        for person in people {
            for (field, text) in person.texts() {
                all.extend(of_text(text).into_iter().map(|(encoding, bytes)| (trace(person, field, encoding), bytes)));
            }
            for (name, bytes) in &person.resident.files {
                let pieces = bytes.chunks(STRIDE).filter_map(|c| c.get(..PIECE)).filter(|p| is_telling(p));
                let encoded = pieces.flat_map(of_bytes);
                all.extend(encoded.map(|(encoding, bytes)| (trace(person, name.as_str(), encoding), bytes)));
            }
        }
        Self::new(unshared(all))
    }

    fn new(all: Vec<(Trace, Vec<u8>)>) -> Self {
        let mut by_head: HashMap<u64, Vec<usize>> = HashMap::new();
        let mut gate = vec![false; 1 << 16];
        for (n, (_, bytes)) in all.iter().enumerate() {
            let head = head(bytes);
            by_head.entry(head).or_default().push(n);
            gate[slot(head)] = true;
        }
        let longest = all.iter().map(|(_, bytes)| bytes.len()).max().unwrap_or(HEAD);
        Self { all, by_head, gate, longest }
    }

    /// What is searched for.
    pub fn traces(&self) -> BTreeSet<&Trace> {
        self.all.iter().map(|(trace, _)| trace).collect()
    }

    /// The bytes of each trace, to plant them.
    pub fn samples(&self) -> impl Iterator<Item = (&Trace, &[u8])> {
        self.all.iter().map(|(trace, bytes)| (trace, &bytes[..]))
    }

    /// Reads to the end and gives what is there.
    pub fn search(&self, mut source: impl Read) -> Sure<BTreeSet<Trace>> {
        let (mut found, mut heap, mut piece) = (BTreeSet::new(), Vec::new(), vec![0; 1 << 20]);
        loop {
            let read = source.read(&mut piece)?;
            heap.extend_from_slice(&piece[..read]);
            self.look(&heap, &mut found);
            if read == 0 {
                return Ok(found);
            }
            // what may go on in the next piece
            heap.drain(..heap.len().saturating_sub(self.longest));
        }
    }

    fn look(&self, heap: &[u8], found: &mut BTreeSet<Trace>) {
        for (at, window) in heap.windows(HEAD).enumerate() {
            let head = head(window);
            if !self.gate[slot(head)] {
                continue;
            }
            for &n in self.by_head.get(&head).into_iter().flatten() {
                let (trace, bytes) = &self.all[n];
                if heap[at..].starts_with(bytes) {
                    found.insert(trace.clone());
                }
            }
        }
    }
}

fn trace(person: &Canary, what: &str, encoding: &'static str) -> Trace {
    Trace { canary: person.n, what: what.to_owned(), encoding }
}

fn head(bytes: &[u8]) -> u64 {
    bytes.first_chunk::<HEAD>().map_or(0, |head| u64::from_le_bytes(*head))
}

fn slot(head: u64) -> usize {
    usize::try_from(head.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 48).unwrap_or(0)
}

fn of_text(text: &str) -> Vec<(&'static str, Vec<u8>)> {
    let units = || text.encode_utf16();
    let mut all = of_bytes(text.as_bytes());
    all.push(("utf-16le", units().flat_map(u16::to_le_bytes).collect()));
    all.push(("utf-16be", units().flat_map(u16::to_be_bytes).collect()));
    // as JSON may write it
    if !text.is_ascii() {
        all.push(("escaped", units().flat_map(|u| format!("\\u{u:04x}").into_bytes()).collect()));
    }
    all
}

fn of_bytes(bytes: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let hex = |upper: bool| bytes.iter().flat_map(|b| if upper { format!("{b:02X}") } else { format!("{b:02x}") }.into_bytes()).collect();
    let mut all = vec![("as it is", bytes.to_vec()), ("hex", hex(false)), ("HEX", hex(true))];
    for (shift, name) in ["base64", "base64+1", "base64+2"].into_iter().enumerate() {
        let shifted = [&[0; 2][..shift], bytes].concat();
        // the characters that hold bits of these bytes only
        let inside = (shift * 8).div_ceil(6)..shifted.len() * 8 / 6;
        for text in [STANDARD_NO_PAD.encode(&shifted), URL_SAFE_NO_PAD.encode(&shifted)] {
            all.push((name, text.as_bytes()[inside.clone()].to_vec()));
        }
    }
    all
}

/// A piece that is not nearly uniform: zeros and ramps are in every file.
fn is_telling(piece: &[u8]) -> bool {
    piece.iter().collect::<BTreeSet<_>>().len() >= PIECE / 2
}

/// Without what several people have in common: tables of an encoder, the beginning of every image.
fn unshared(all: Vec<(Trace, Vec<u8>)>) -> Vec<(Trace, Vec<u8>)> {
    let mut owners: HashMap<Vec<u8>, BTreeSet<u64>> = HashMap::new();
    for (trace, bytes) in &all {
        owners.entry(bytes.clone()).or_default().insert(trace.canary);
    }
    all.into_iter().filter(|(_, bytes)| bytes.len() >= HEAD && owners[bytes].len() == 1).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn people() -> Sure<Vec<Canary>> {
        Ok((0..3).map(Canary::new).collect::<Result<_, _>>()?)
    }

    /// The positive control of every search: what is planted is found, in each encoding, wherever it lies.
    #[test]
    fn each_trace_is_found_wherever_it_lies() -> Sure<()> {
        let people = people()?;
        let needles = Needles::of(&people);
        let encodings: BTreeSet<&str> = needles.traces().iter().map(|t| t.encoding).collect();
        assert_eq!(encodings.len(), 9, "{encodings:?}");
        for (n, (trace, bytes)) in needles.samples().enumerate() {
            // across the border of two pieces, at odd places, at the very end
            for at in [(1 << 20) - 1 - n % bytes.len(), 4097 + n, (1 << 20) + 5000] {
                let mut heap = vec![0xA5; at];
                heap.extend_from_slice(bytes);
                assert!(needles.search(&heap[..])?.contains(trace), "{trace:?} at {at}");
            }
            if n > 60 {
                break;
            }
        }
        Ok(())
    }

    #[test]
    fn a_file_of_a_person_tells_who_it_is_of_and_nothing_else_does() -> Sure<()> {
        let people = people()?;
        let needles = Needles::of(&people);
        for person in &people {
            let json = needles.search(&person.resident.input.to_json()[..])?;
            assert!(json.iter().all(|t| t.canary == person.n) && json.len() == 7, "{json:?}");
            for (name, bytes) in &person.resident.files {
                let found = needles.search(&bytes[..])?;
                assert!(!found.is_empty() && found.iter().all(|t| t.canary == person.n && t.what == name.as_str()), "{name}: {found:?}");
                let text = STANDARD_NO_PAD.encode(bytes);
                assert!(!needles.search(text.as_bytes())?.is_empty(), "{name} in base64");
            }
        }
        assert!(needles.search(&vec![0; 1 << 16][..])?.is_empty());
        Ok(())
    }
}
