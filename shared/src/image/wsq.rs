//! WSQ: segments and blocks up to `EOI` (IAFIS-IC-0110); resolution from the NISTCOM comment that NIST's encoder writes first.

use super::{Fault, ImageHeader, ImageKind, Walk, bytes::Bytes, dpi};

const MAX_SEGMENTS: usize = 128;

pub(super) fn walk(bytes: &[u8]) -> Result<Walk, Fault> {
    let mut rest = Bytes::whole(bytes);
    rest.skip(2)?; // SOI, seen by the caller
    let mut density = None;
    let mut size = None;
    let mut blocks = 0;
    for _ in 0..MAX_SEGMENTS {
        let marker = rest.u16()?;
        if marker == 0xffa1 {
            let (width, height) = size.filter(|_| blocks > 0).ok_or("WSQ has no data")?;
            let header = ImageHeader::new(ImageKind::Wsq, width, height, density);
            return Ok(Walk { header, end: bytes.len() - rest.left.len() });
        }
        if !(0xffa2..=0xffa8).contains(&marker) {
            return Err("WSQ marker is missing, or stands where it may not".into());
        }
        let length = usize::from(rest.u16()?);
        let mut body = Bytes::counted(rest.take(length.checked_sub(2).ok_or("WSQ segment is too short")?)?);
        match marker {
            0xffa2 if size.is_some() => return Err("WSQ has two frame headers".into()),
            0xffa2 => {
                body.skip(2)?; // black, white
                let (height, width) = (body.u16()?, body.u16()?);
                size = Some((width.into(), height.into()));
            }
            0xffa3 if size.is_none() => return Err("WSQ has no frame header before its data".into()),
            0xffa3 => {
                rest.coded(0xb0..=0xb7)?;
                blocks += 1;
            }
            0xffa8 => density = density.or(nistcom(body.left)),
            _ => {}
        }
    }
    Err("WSQ has too many segments".into())
}

/// `NIST_COM 9⏎PIX_WIDTH 804⏎…PPI 500⏎`; encoders write "unknown" as -1, and so, in eight bits, as 255.
fn nistcom(comment: &[u8]) -> Option<u32> {
    let text = std::str::from_utf8(comment).ok().filter(|t| t.starts_with("NIST_COM "))?;
    let ppi: u32 = text.lines().find_map(|line| line.strip_prefix("PPI "))?.trim().parse().ok().filter(|ppi| *ppi != 255)?;
    dpi(ppi.into(), ppi.into(), 1, 1)
}
