//! JPEG 2000: boxes (ISO/IEC 15444-1 annex I) around a codestream (annex A), which ends with `EOC`.
//!
//! The size stands in `ihdr` and in `SIZ`, which must agree. Only a capture resolution (`resc`) counts: at what resolution an image
//! is to be displayed (`resd`) says nothing of how it was captured.

use super::{Fault, ImageHeader, ImageKind, Walk, bytes::Bytes, dpi};

const MAX_BOXES: usize = 128;
/// Marker segments of the main header: a component has at most three of its own.
const MAX_SEGMENTS: usize = 4_096;
/// Tile-parts: 65,535 tiles of 255 parts each are allowed, and no capture has them.
const MAX_TILE_PARTS: usize = 65_536;

/// The file format.
pub(super) fn walk(bytes: &[u8]) -> Result<Walk, Fault> {
    let mut rest = Bytes::whole(bytes);
    let mut stated: Option<ImageHeader> = None;
    for _ in 0..MAX_BOXES {
        let (name, body) = next_box(&mut rest)?;
        match name {
            b"jp2h" if stated.is_none() => stated = Some(image_header(Bytes::counted(body.left))?),
            b"jp2h" => return Err("JP2 has two headers".into()),
            b"jp2c" => {
                let header = stated.ok_or("JP2 has no header before its data")?;
                let inner = codestream(body.left)?;
                if (inner.header.width, inner.header.height) != (header.width, header.height) {
                    return Err("JP2 header and codestream differ in size".into());
                }
                // a last box may be open-ended: then the codestream says where it ends
                let open = rest.left.is_empty();
                let left = if open { body.left.len() - inner.end } else { trailing(rest) };
                return Ok(Walk { header, end: bytes.len() - left });
            }
            _ => {}
        }
    }
    Err("JP2 has too many boxes".into())
}

/// How many bytes are left behind the last box: metadata may follow the data.
fn trailing(mut rest: Bytes) -> usize {
    for _ in 0..MAX_BOXES {
        let mut next = rest;
        match next_box(&mut next) {
            Ok((b"xml " | b"uuid" | b"uinf" | b"jp2i" | b"free", _)) => rest = next,
            _ => break,
        }
    }
    rest.left.len()
}

/// The bare codestream: `SOC`, `SIZ`, the main header, tile-parts of a stated length, `EOC`.
pub(super) fn codestream(bytes: &[u8]) -> Result<Walk, Fault> {
    let mut rest = Bytes::whole(bytes);
    let header = size(&mut rest)?;
    let mut marker = rest.u16()?;
    for _ in 0..MAX_SEGMENTS {
        if matches!(marker, 0xff90 | 0xffd9) {
            break;
        }
        if !(0xff50..=0xff6f).contains(&marker) {
            return Err("JPEG 2000 marker is missing, or stands where it may not".into());
        }
        let length = usize::from(rest.u16()?);
        rest.skip(length.checked_sub(2).ok_or("JPEG 2000 segment is too short")?)?;
        marker = rest.u16()?;
    }
    for parts in 0..MAX_TILE_PARTS {
        match marker {
            0xff90 => tile_part(&mut rest)?,
            0xffd9 if parts > 0 => return Ok(Walk { header, end: bytes.len() - rest.left.len() }),
            _ => return Err("JPEG 2000 tile-part is missing".into()),
        }
        marker = rest.u16()?;
    }
    Err("JPEG 2000 has too many tile-parts".into())
}

/// SOC and SIZ (A.5.1).
fn size(rest: &mut Bytes) -> Result<ImageHeader, Fault> {
    if rest.take(4)? != [0xff, 0x4f, 0xff, 0x51] {
        return Err("JPEG 2000 codestream does not begin with SIZ".into());
    }
    let length = usize::from(rest.u16()?);
    let mut siz = Bytes::counted(rest.take(length.checked_sub(2).ok_or("JPEG 2000 segment is too short")?)?);
    siz.skip(2)?; // Rsiz
    let (right, bottom, left, top) = (siz.u32()?, siz.u32()?, siz.u32()?, siz.u32()?);
    let width = right.checked_sub(left).ok_or("JPEG 2000 has a negative size")?;
    let height = bottom.checked_sub(top).ok_or("JPEG 2000 has a negative size")?;
    Ok(ImageHeader::new(ImageKind::J2c, width, height, None))
}

/// `SOT Lsot Isot Psot …`: Psot counts from the marker; 0 is a last one, up to `EOC` (A.4.2). No packet holds a code over FF 8F.
fn tile_part(rest: &mut Bytes) -> Result<(), Fault> {
    const HEAD: usize = 12;
    let mut head = Bytes::counted(rest.take(HEAD - 2)?);
    head.skip(4)?; // Lsot, Isot
    match head.size()? {
        0 => {
            let end = rest.left.windows(2).position(|w| w == [0xff, 0xd9]);
            rest.skip(end.unwrap_or(rest.left.len()))
        }
        stated => rest.skip(stated.checked_sub(HEAD).ok_or("JPEG 2000 tile-part is too short")?),
    }
}

/// `ihdr` is the first box of `jp2h`; a resolution may follow.
fn image_header(mut rest: Bytes) -> Result<ImageHeader, Fault> {
    let (name, mut ihdr) = next_box(&mut rest)?;
    if name != b"ihdr" || ihdr.left.len() != 14 {
        return Err("JP2 header does not begin with ihdr".into());
    }
    let (height, width) = (ihdr.u32()?, ihdr.u32()?);
    let mut header = ImageHeader::new(ImageKind::Jp2, width, height, None);
    for _ in 0..MAX_BOXES {
        if rest.left.is_empty() {
            return Ok(header);
        }
        let (name, body) = next_box(&mut rest)?;
        if name == b"res " {
            header.dpi = resolution(body);
        }
    }
    Err("JP2 has too many boxes".into())
}

/// The capture resolution: `VRcN VRcD HRcN HRcD VRcE HRcE`, in dots a metre (I.5.3.7).
fn resolution(mut rest: Bytes) -> Option<u32> {
    for _ in 0..2 {
        let (name, mut body) = next_box(&mut rest).ok()?;
        if name == b"resc" {
            let (vn, vd, hn, hd) = (body.u16().ok()?, body.u16().ok()?, body.u16().ok()?, body.u16().ok()?);
            let (ve, he) = (body.u8().ok()?.cast_signed(), body.u8().ok()?.cast_signed());
            return dpi(dots_a_metre(vn, vd, ve)?, dots_a_metre(hn, hd, he)?, 254, 10_000);
        }
    }
    None
}

fn dots_a_metre(numerator: u16, denominator: u16, exponent: i8) -> Option<u64> {
    let ten = 10u128.checked_pow(u32::from(exponent.unsigned_abs())).filter(|t| *t <= 1_000_000_000_000)?;
    let (n, d) = (u128::from(numerator), u128::from(denominator));
    let (n, d) = if exponent >= 0 { (n * ten, d) } else { (n, d * ten) };
    u64::try_from(n.checked_div(d)?).ok()
}

/// Name and body of a box: 4 bytes length, 4 bytes name; length 0 = to the end, 1 = 8 more bytes of length.
fn next_box<'a>(rest: &mut Bytes<'a>) -> Result<(&'a [u8; 4], Bytes<'a>), Fault> {
    const WRONG: &str = "JP2 box has a wrong length";
    let length = rest.size()?;
    let name = rest.take(4)?.try_into().map_err(|_| WRONG)?;
    let body = match length {
        0 => rest.left.len(),
        1 => {
            if rest.u32()? != 0 {
                return Err(WRONG.into()); // over 4 GiB
            }
            rest.size()?.checked_sub(16).ok_or(WRONG)?
        }
        n => n.checked_sub(8).ok_or(WRONG)?,
    };
    Ok((name, Bytes::counted(rest.take(body)?)))
}
