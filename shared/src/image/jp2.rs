//! JPEG 2000: the boxes `jp2h` (`ihdr`, `res `) and the codestream's own `SIZ`, which must agree.

use super::{Found, ImageHeader, ImageKind, bytes::Bytes, dpi};

const MAX_BOXES: usize = 128;

/// The file format: boxes (annex I).
pub(super) fn header(bytes: &[u8]) -> Found {
    let mut rest = Bytes(bytes);
    let mut stated = None;
    for _ in 0..MAX_BOXES {
        let (name, body) = next_box(&mut rest)?;
        match name {
            b"jp2h" if stated.is_none() => stated = Some(image_header(body)?),
            b"jp2h" => return Err("JP2 has two headers"),
            b"jp2c" => {
                let header: ImageHeader = stated.ok_or("JP2 has no header before its data")?;
                let inner = codestream(body.0)?;
                if (inner.width, inner.height) != (header.width, header.height) {
                    return Err("JP2 header and codestream differ in size");
                }
                return Ok(header);
            }
            _ => {}
        }
    }
    Err("JP2 has too many boxes")
}

/// The bare codestream (annex A.5.1): SOC, then SIZ.
pub(super) fn codestream(bytes: &[u8]) -> Found {
    let mut rest = Bytes(bytes);
    if rest.take(4)? != [0xff, 0x4f, 0xff, 0x51] {
        return Err("JPEG 2000 codestream does not begin with SIZ");
    }
    rest.skip(4)?; // Lsiz, Rsiz
    let (right, bottom, left, top) = (rest.u32()?, rest.u32()?, rest.u32()?, rest.u32()?);
    let width = right.checked_sub(left).ok_or("JPEG 2000 has a negative size")?;
    let height = bottom.checked_sub(top).ok_or("JPEG 2000 has a negative size")?;
    Ok(ImageHeader { kind: ImageKind::J2c, width, height, dpi: None })
}

/// `ihdr` is the first box of `jp2h`; a resolution may follow.
fn image_header(mut rest: Bytes) -> Found {
    let (name, mut ihdr) = next_box(&mut rest)?;
    if name != b"ihdr" || ihdr.0.len() != 14 {
        return Err("JP2 header does not begin with ihdr");
    }
    let (height, width) = (ihdr.u32()?, ihdr.u32()?);
    let mut header = ImageHeader { kind: ImageKind::Jp2, width, height, dpi: None };
    for _ in 0..MAX_BOXES {
        if rest.0.is_empty() {
            return Ok(header);
        }
        let (name, body) = next_box(&mut rest)?;
        if name == b"res " {
            header.dpi = resolution(body);
        }
    }
    Err("JP2 has too many boxes")
}

/// The capture resolution, or else the display resolution: `VRcN VRcD HRcN HRcD VRcE HRcE`, in dots a metre.
fn resolution(mut rest: Bytes) -> Option<u32> {
    let mut found = None;
    for _ in 0..2 {
        let Ok((name, mut body)) = next_box(&mut rest) else { break };
        let mut read = || -> Result<Option<u32>, &'static str> {
            let (vn, vd, hn, hd) = (body.u16()?, body.u16()?, body.u16()?, body.u16()?);
            let (ve, he) = (body.u8()?.cast_signed(), body.u8()?.cast_signed());
            Ok(dots_a_metre(vn, vd, ve).zip(dots_a_metre(hn, hd, he)).and_then(|(v, h)| dpi(v, h, 254, 10_000)))
        };
        match name {
            b"resc" => return read().ok().flatten(),
            b"resd" => found = read().ok().flatten(),
            _ => {}
        }
    }
    found
}

fn dots_a_metre(numerator: u16, denominator: u16, exponent: i8) -> Option<u64> {
    let ten = 10u128.checked_pow(u32::from(exponent.unsigned_abs())).filter(|t| *t <= 1_000_000_000_000)?;
    let (n, d) = (u128::from(numerator), u128::from(denominator));
    let (n, d) = if exponent >= 0 { (n * ten, d) } else { (n, d * ten) };
    u64::try_from(n.checked_div(d)?).ok()
}

/// Name and body of a box: 4 bytes length, 4 bytes name; length 0 = to the end, 1 = 8 more bytes of length.
fn next_box<'a>(rest: &mut Bytes<'a>) -> Result<(&'a [u8; 4], Bytes<'a>), &'static str> {
    const WRONG: &str = "JP2 box has a wrong length";
    let length = rest.size()?;
    let name = rest.take(4)?.try_into().expect("four bytes were taken");
    let body = match length {
        0 => rest.0.len(),
        1 => {
            if rest.u32()? != 0 {
                return Err(WRONG); // over 4 GiB
            }
            rest.size()?.checked_sub(16).ok_or(WRONG)?
        }
        n => n.checked_sub(8).ok_or(WRONG)?,
    };
    Ok((name, Bytes(rest.take(body)?)))
}
