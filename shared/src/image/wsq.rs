//! WSQ: segments up to the frame header `FFA2`; resolution from the NISTCOM comment that NIST's encoder writes first.

use super::{Found, ImageHeader, ImageKind, bytes::Bytes, dpi};

const MAX_SEGMENTS: usize = 128;

pub(super) fn header(bytes: &[u8]) -> Found {
    let mut rest = Bytes(bytes);
    rest.skip(2)?; // SOI, seen by the caller
    let mut density = None;
    for _ in 0..MAX_SEGMENTS {
        let marker = rest.u16()?;
        if matches!(marker, 0xffa0 | 0xffa1 | 0xffa3) || !(0xffa0..=0xffa8).contains(&marker) {
            return Err("WSQ has no frame header before its data");
        }
        let length = usize::from(rest.u16()?);
        let mut body = Bytes(rest.take(length.checked_sub(2).ok_or("WSQ segment is too short")?)?);
        match marker {
            0xffa2 => {
                body.skip(2)?; // black, white
                let (height, width) = (body.u16()?, body.u16()?);
                return Ok(ImageHeader { kind: ImageKind::Wsq, width: width.into(), height: height.into(), dpi: density });
            }
            0xffa8 => density = density.or(nistcom(body.0)),
            _ => {}
        }
    }
    Err("WSQ has too many segments")
}

/// `NIST_COM 9⏎PIX_WIDTH 804⏎…PPI 500⏎`; encoders write "unknown" as -1, and so, in eight bits, as 255.
fn nistcom(comment: &[u8]) -> Option<u32> {
    let text = std::str::from_utf8(comment).ok().filter(|t| t.starts_with("NIST_COM "))?;
    let ppi: u32 = text.lines().find_map(|line| line.strip_prefix("PPI "))?.trim().parse().ok().filter(|ppi| *ppi != 255)?;
    dpi(ppi.into(), ppi.into(), 1, 1)
}
