//! PNG: `IHDR`, which is always first, `pHYs`, which stands before the data, and all chunks up to `IEND`, each with its CRC.

use super::{Fault, ImageHeader, ImageKind, Walk, bytes::Bytes, dpi};

/// Most chunks beside those of the pixels, which an encoder may cut as small as it likes.
const MAX_CHUNKS: usize = 512;

pub(super) fn walk(bytes: &[u8]) -> Result<Walk, Fault> {
    let mut rest = Bytes::whole(bytes);
    rest.skip(8)?; // the signature, seen by the caller
    let (name, mut ihdr) = chunk(&mut rest)?;
    if name != b"IHDR" || ihdr.left.len() != 13 {
        return Err("PNG does not begin with IHDR".into());
    }
    let (width, height) = (ihdr.u32()?, ihdr.u32()?);
    let mut header = ImageHeader::new(ImageKind::Png, width, height, None);
    let (mut others, mut pixels) = (0, false);
    while others < MAX_CHUNKS {
        let (name, body) = chunk(&mut rest)?;
        match name {
            b"IDAT" => {
                pixels = true;
                continue;
            }
            b"pHYs" if !pixels => header.dpi = density(body)?,
            b"IHDR" => return Err("PNG has IHDR twice".into()),
            b"IEND" if !pixels => return Err("PNG has no data".into()),
            b"IEND" => return Ok(Walk { header, end: bytes.len() - rest.left.len() }),
            _ => {}
        }
        others += 1;
    }
    Err("PNG has too many chunks".into())
}

fn density(mut body: Bytes) -> Result<Option<u32>, Fault> {
    if body.left.len() != 9 {
        return Err("PNG has a wrong pHYs".into());
    }
    let (x, y, unit) = (body.u32()?, body.u32()?, body.u8()?);
    Ok(if unit == 1 { dpi(x.into(), y.into(), 254, 10_000) } else { None })
}

/// Name and body of a chunk whose CRC fits.
fn chunk<'a>(rest: &mut Bytes<'a>) -> Result<(&'a [u8; 4], Bytes<'a>), Fault> {
    let size = rest.size()?;
    let summed = rest.left;
    let name: &[u8] = rest.take(4)?;
    let body = rest.take(size)?;
    if rest.u32()? != crc(&summed[..4 + size]) {
        return Err("PNG has a chunk that does not fit its CRC".into());
    }
    Ok((name.try_into().map_err(|_| "PNG chunk has no name")?, Bytes::counted(body)))
}

/// `TABLES[n][b]`: the CRC of byte `b` with `n` zero bytes behind it (PNG annex D), so that eight bytes are taken at once.
static TABLES: [[u32; 256]; 8] = tables();

#[allow(clippy::cast_possible_truncation, reason = "a byte")]
const fn tables() -> [[u32; 256]; 8] {
    let mut tables = [[0; 256]; 8];
    let mut at = 0;
    while at < 256 * 8 {
        let (n, byte) = (at / 256, at % 256);
        tables[n][byte] = if n == 0 {
            bits(byte as u32)
        } else {
            let before = tables[n - 1][byte];
            (before >> 8) ^ tables[0][(before & 0xff) as usize]
        };
        at += 1;
    }
    tables
}

const fn bits(mut crc: u32) -> u32 {
    let mut bit = 0;
    while bit < 8 {
        crc = if crc & 1 == 1 { 0xedb8_8320 ^ (crc >> 1) } else { crc >> 1 };
        bit += 1;
    }
    crc
}

fn crc(bytes: &[u8]) -> u32 {
    let at = |table: usize, value: u32, shift: u32| TABLES[table][((value >> shift) & 0xff) as usize];
    let (eights, tail) = bytes.as_chunks::<8>();
    let crc = eights.iter().fold(u32::MAX, |crc, &[a, b, c, d, e, f, g, h]| {
        let (low, high) = (crc ^ u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h]));
        let first = at(7, low, 0) ^ at(6, low, 8) ^ at(5, low, 16) ^ at(4, low, 24);
        first ^ at(3, high, 0) ^ at(2, high, 8) ^ at(1, high, 16) ^ at(0, high, 24)
    });
    !tail.iter().fold(crc, |crc, byte| at(0, crc ^ u32::from(*byte), 0) ^ (crc >> 8))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_crc_is_that_of_the_standard() {
        assert_eq!(crc(b""), 0);
        assert_eq!(crc(b"IEND"), 0xae42_6082);
        assert_eq!(crc(b"123456789"), 0xcbf4_3926);
        assert_eq!(crc(b"The quick brown fox jumps over the lazy dog"), 0x414f_a339);
    }
}
