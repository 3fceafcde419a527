//! PNG: `IHDR`, which is always first, and `pHYs`, which stands before the data.

use super::{Found, ImageHeader, ImageKind, bytes::Bytes, dpi};

const MAX_CHUNKS: usize = 512;

pub(super) fn header(bytes: &[u8]) -> Found {
    let mut rest = Bytes(bytes);
    rest.skip(8)?; // the signature, seen by the caller
    let (name, mut ihdr) = chunk(&mut rest)?;
    if name != b"IHDR" || ihdr.0.len() != 13 {
        return Err("PNG does not begin with IHDR");
    }
    let (width, height) = (ihdr.u32()?, ihdr.u32()?);
    let mut header = ImageHeader { kind: ImageKind::Png, width, height, dpi: None };
    for _ in 0..MAX_CHUNKS {
        let (name, mut body) = chunk(&mut rest)?;
        match name {
            b"pHYs" if body.0.len() == 9 => {
                let (x, y, unit) = (body.u32()?, body.u32()?, body.u8()?);
                if unit == 1 {
                    header.dpi = dpi(x.into(), y.into(), 254, 10_000);
                }
            }
            b"pHYs" => return Err("PNG has a wrong pHYs"),
            b"IHDR" => return Err("PNG has IHDR twice"),
            b"IDAT" => return Ok(header),
            b"IEND" => return Err("PNG has no data"),
            _ => {}
        }
    }
    Err("PNG has too many chunks")
}

/// Name and body of a chunk; its CRC is stepped over: damage inside is the decoder's to find.
fn chunk<'a>(rest: &mut Bytes<'a>) -> Result<(&'a [u8; 4], Bytes<'a>), &'static str> {
    let size = rest.size()?;
    let name = rest.take(4)?.try_into().expect("four bytes were taken");
    let body = rest.take(size)?;
    rest.skip(4)?;
    Ok((name, Bytes(body)))
}
