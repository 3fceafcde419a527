//! Small changes to good bytes, the same for the same name: what a fuzzer does, without one.

const MOST: usize = 128 << 10;
/// What parsers trip over.
const TOKENS: [&[u8]; 22] = [
    b"none",
    b"0",
    b"01",
    b"-1",
    b"18446744073709551615",
    b"9007199254740992",
    b"4294967296",
    b"\n",
    b"\n\n",
    b"\r",
    b"\t",
    b" ",
    b"\0",
    b"\xff",
    "\u{2014} ".as_bytes(),
    "\u{0661}".as_bytes(),
    b"=",
    b"..",
    b"null",
    b"[[[[[[[[[[[[[[[[[",
    b"/v2\n",
    b"sha256:",
];
const BYTES: [u8; 10] = [0, 1, 0x0a, 0x20, 0x30, 0x7f, 0x80, 0xfe, 0xff, 0x2d];

/// A source of mutations.
pub struct Mutator(u64);

impl Mutator {
    /// Another series for another name.
    pub fn new(name: &str) -> Self {
        // FNV-1a
        Self(name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, b| (hash ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3)))
    }

    /// splitmix64
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() % (n.max(1) as u64)).expect("below a usize")
    }

    fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[0]
    }

    /// A start and an end, more often near than far.
    fn range(&mut self, len: usize) -> std::ops::Range<usize> {
        let start = self.below(len + 1);
        let most = if self.below(4) == 0 { len } else { 40 };
        start..(start + self.below(most + 1)).min(len)
    }

    /// One of the seeds with one to four changes.
    pub fn mutate(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = seeds[self.below(seeds.len())].clone();
        for _ in 0..=self.below(4) {
            self.change(&mut bytes, seeds);
        }
        bytes.truncate(MOST);
        bytes
    }

    fn change(&mut self, bytes: &mut Vec<u8>, seeds: &[Vec<u8>]) {
        let at = self.below(bytes.len());
        match self.below(12) {
            0..=2 => self.replace(bytes, at),
            3 => bytes.truncate(at),
            4 => drop(bytes.drain(self.range(bytes.len()))),
            5 => {
                let copy = bytes[self.range(bytes.len())].to_vec();
                insert(bytes, at, &copy);
            }
            6 => {
                let other = &seeds[self.below(seeds.len())];
                let piece = other[self.range(other.len())].to_vec();
                let over = self.range(bytes.len());
                bytes.splice(over, piece);
            }
            7 => insert(bytes, at, TOKENS[self.below(TOKENS.len())]),
            8 => {
                let over = self.range(bytes.len());
                bytes.splice(over, TOKENS[self.below(TOKENS.len())].iter().copied());
            }
            9 | 10 => self.digit(bytes),
            _ => self.line(bytes),
        }
    }

    fn replace(&mut self, bytes: &mut [u8], at: usize) {
        let new = if self.below(2) == 0 { BYTES[self.below(BYTES.len())] } else { self.byte() };
        let bit = 1_u8 << self.below(8);
        if let Some(byte) = bytes.get_mut(at) {
            *byte = if bit < 16 { *byte ^ bit } else { new };
        }
    }

    /// Another digit for a digit: numbers, dates and hex stay what they are, and say something else.
    fn digit(&mut self, bytes: &mut [u8]) {
        let digits: Vec<usize> = (0..bytes.len()).filter(|&i| bytes[i].is_ascii_digit()).take(4096).collect();
        if let Some(&at) = digits.get(self.below(digits.len())) {
            bytes[at] = b'0' + self.byte() % 10;
        }
    }

    /// A line goes away, comes twice, or changes places with the next.
    fn line(&mut self, bytes: &mut Vec<u8>) {
        let mut lines: Vec<Vec<u8>> = bytes.split_inclusive(|&b| b == b'\n').map(<[u8]>::to_vec).collect();
        let at = self.below(lines.len());
        match self.below(3) {
            _ if lines.is_empty() => {}
            0 => drop(lines.remove(at)),
            1 => lines.insert(at, lines[at].clone()),
            _ => {
                let other = self.below(lines.len());
                lines.swap(at, other);
            }
        }
        *bytes = lines.concat();
    }
}

fn insert(bytes: &mut Vec<u8>, at: usize, piece: &[u8]) {
    let at = at.min(bytes.len());
    bytes.splice(at..at, piece.iter().copied());
}
