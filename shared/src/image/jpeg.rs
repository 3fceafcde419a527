//! JPEG: segments up to the frame header (ITU-T T.81 annex B), density from JFIF's APP0.

use super::{Found, ImageHeader, ImageKind, bytes::Bytes, dpi};

/// More segments than any camera writes before its frame header.
const MAX_SEGMENTS: usize = 512;

pub(super) fn header(bytes: &[u8]) -> Found {
    let mut rest = Bytes(bytes);
    rest.skip(2)?; // SOI, seen by the caller
    let mut density = None;
    for _ in 0..MAX_SEGMENTS {
        let (marker, mut body) = segment(&mut rest)?;
        match marker {
            // SOF0 to SOF15 but DHT, JPG and DAC, which share the range
            0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf => {
                body.skip(1)?;
                let (height, width) = (body.u16()?, body.u16()?);
                return Ok(ImageHeader { kind: ImageKind::Jpeg, width: width.into(), height: height.into(), dpi: density });
            }
            0xe0 => density = density.or(jfif(body)),
            0xd9 | 0xda => return Err("JPEG has no frame header before its data"),
            _ => {}
        }
    }
    Err("JPEG has too many segments")
}

/// A marker and what its segment holds; fill bytes (FF) may stand before the marker.
fn segment<'a>(rest: &mut Bytes<'a>) -> Result<(u8, Bytes<'a>), &'static str> {
    if rest.u8()? != 0xff {
        return Err("JPEG marker is missing");
    }
    let fill = rest.0.iter().take_while(|&&b| b == 0xff).count();
    rest.skip(fill)?;
    let marker = rest.u8()?;
    if marker == 0x01 || (0xd0..=0xd8).contains(&marker) || marker == 0 {
        return Err("JPEG marker stands where it may not");
    }
    if marker == 0xd9 {
        return Ok((marker, Bytes(&[])));
    }
    let length = usize::from(rest.u16()?);
    let body = rest.take(length.checked_sub(2).ok_or("JPEG segment is too short")?)?;
    Ok((marker, Bytes(body)))
}

fn jfif(mut body: Bytes) -> Option<u32> {
    if body.take(5).ok()? != b"JFIF\0" {
        return None;
    }
    body.skip(2).ok()?;
    let (unit, x, y) = (body.u8().ok()?, body.u16().ok()?, body.u16().ok()?);
    match unit {
        1 => dpi(x.into(), y.into(), 1, 1),
        2 => dpi(x.into(), y.into(), 254, 100),
        _ => None,
    }
}
