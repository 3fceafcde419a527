//! A reader over borrowed bytes that can only run out: big-endian, as every format here is.

use super::Fault;

/// What is left to read. Reading past the end is a fault, never a panic.
#[derive(Clone, Copy)]
pub(super) struct Bytes<'a> {
    pub left: &'a [u8],
    short: Fault,
}

impl<'a> Bytes<'a> {
    /// All of a file or image: who reads past it has found a cut one.
    pub const fn whole(left: &'a [u8]) -> Self {
        Self { left, short: Fault::Cut("it ends before its end") }
    }

    /// A record up to the end that it states: it has to hold what it counts.
    pub const fn record(left: &'a [u8]) -> Self {
        Self { left, short: Fault::Cut("record is shorter than its counts") }
    }

    /// What a length counts: who reads past it has found a wrong length.
    pub const fn counted(left: &'a [u8]) -> Self {
        Self { left, short: Fault::Invalid("a length is too small for what it counts") }
    }

    pub fn take(&mut self, n: usize) -> Result<&'a [u8], Fault> {
        let (taken, left) = self.left.split_at_checked(n).ok_or(self.short)?;
        self.left = left;
        Ok(taken)
    }
    pub fn skip(&mut self, n: usize) -> Result<(), Fault> {
        self.take(n).map(drop)
    }
    pub fn u8(&mut self) -> Result<u8, Fault> {
        self.take(1).map(|b| b[0])
    }
    pub fn u16(&mut self) -> Result<u16, Fault> {
        self.take(2).map(|b| u16::from_be_bytes([b[0], b[1]]))
    }
    pub fn u32(&mut self) -> Result<u32, Fault> {
        self.take(4).map(|b| u32::from_be_bytes([b[0], b[1], b[2], b[3]]))
    }
    /// A length field; on a machine where it does not fit, nothing that long can be there either.
    pub fn size(&mut self) -> Result<usize, Fault> {
        usize::try_from(self.u32()?).map_err(|_| self.short)
    }

    /// Steps over entropy-coded data, up to the marker that ends it. `FF 00` is a coded FF, `restart` markers stand inside it, and
    /// a marker may have fill bytes before it (ITU-T T.81 B.1.1.2, B.1.1.5).
    pub fn coded(&mut self, restart: std::ops::RangeInclusive<u8>) -> Result<(), Fault> {
        let mut at = 0;
        loop {
            at += self.left[at..].iter().position(|b| *b == 0xff).ok_or(self.short)?;
            match self.left.get(at + 1) {
                None => return Err(self.short),
                Some(0xff) => at += 1,
                Some(next) if *next == 0 || restart.contains(next) => at += 2,
                Some(_) => return self.skip(at),
            }
        }
    }
}
