//! A reader over borrowed bytes that can only run out: big-endian, as every format here is.

/// What is left to read. Reading past the end is `cut off`, never a panic.
#[derive(Clone, Copy)]
pub(super) struct Bytes<'a>(pub &'a [u8]);

const CUT: &str = "header is cut off";

impl<'a> Bytes<'a> {
    pub fn take(&mut self, n: usize) -> Result<&'a [u8], &'static str> {
        let (taken, left) = self.0.split_at_checked(n).ok_or(CUT)?;
        self.0 = left;
        Ok(taken)
    }
    pub fn skip(&mut self, n: usize) -> Result<(), &'static str> {
        self.take(n).map(drop)
    }
    pub fn u8(&mut self) -> Result<u8, &'static str> {
        self.take(1).map(|b| b[0])
    }
    pub fn u16(&mut self) -> Result<u16, &'static str> {
        self.take(2).map(|b| u16::from_be_bytes([b[0], b[1]]))
    }
    pub fn u32(&mut self) -> Result<u32, &'static str> {
        self.take(4).map(|b| u32::from_be_bytes([b[0], b[1], b[2], b[3]]))
    }
    /// A length field; on a machine where it does not fit, nothing that long can be there either.
    pub fn size(&mut self) -> Result<usize, &'static str> {
        usize::try_from(self.u32()?).map_err(|_| CUT)
    }
}
