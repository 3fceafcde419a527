//! JPEG: segments and scans up to `EOI` (ITU-T T.81 annex B), density from JFIF's APP0.
//!
//! A thumbnail's own `EOI` stands inside APP1 and ends nothing. Progressive images have many scans, with tables between them.

use super::{Fault, ImageHeader, ImageKind, Walk, bytes::Bytes, dpi};

/// More segments than any camera writes, the tables of many scans among them.
const MAX_SEGMENTS: usize = 4_096;
const NO_FRAME: &str = "JPEG has no frame header before its data";

pub(super) fn walk(bytes: &[u8]) -> Result<Walk, Fault> {
    let mut rest = Bytes::whole(bytes);
    rest.skip(2)?; // SOI, seen by the caller
    let mut density = None;
    let mut frame: Option<Frame> = None;
    for _ in 0..MAX_SEGMENTS {
        let (marker, body) = segment(&mut rest)?;
        match marker {
            // SOF0 to SOF15 but DHT, JPG and DAC, which share the range
            0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf if frame.is_some() => return Err("JPEG has two frame headers".into()),
            0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf => frame = Some(Frame::read(body)?),
            0xe0 => density = density.or(jfif(body)),
            0xda => {
                frame.as_mut().ok_or(NO_FRAME)?.scanned = true;
                rest.coded(0xd0..=0xd7)?;
            }
            0xdc => frame.as_mut().ok_or(NO_FRAME)?.lines(body)?,
            0xd9 => {
                let frame = frame.filter(|frame| frame.scanned).ok_or("JPEG has no data")?;
                let header = ImageHeader::new(ImageKind::Jpeg, frame.width.into(), frame.height.into(), density);
                return Ok(Walk { header, end: bytes.len() - rest.left.len() });
            }
            _ => {}
        }
    }
    Err("JPEG has too many segments".into())
}

struct Frame {
    width: u16,
    height: u16,
    scanned: bool,
}

impl Frame {
    fn read(mut body: Bytes) -> Result<Self, Fault> {
        body.skip(1)?;
        let (height, width) = (body.u16()?, body.u16()?);
        Ok(Self { width, height, scanned: false })
    }

    /// `DNL`: a height that was not known when the frame header was written (B.2.5).
    fn lines(&mut self, mut body: Bytes) -> Result<(), Fault> {
        let lines = body.u16()?;
        if !self.scanned || (self.height != 0 && self.height != lines) {
            return Err("JPEG states two heights".into());
        }
        self.height = lines;
        Ok(())
    }
}

/// A marker and what its segment holds; fill bytes (FF) may stand before the marker.
fn segment<'a>(rest: &mut Bytes<'a>) -> Result<(u8, Bytes<'a>), Fault> {
    if rest.u8()? != 0xff {
        return Err("JPEG marker is missing".into());
    }
    let fill = rest.left.iter().take_while(|&&b| b == 0xff).count();
    rest.skip(fill)?;
    let marker = rest.u8()?;
    if marker == 0x01 || (0xd0..=0xd8).contains(&marker) || marker == 0 {
        return Err("JPEG marker stands where it may not".into());
    }
    if marker == 0xd9 {
        return Ok((marker, Bytes::counted(&[])));
    }
    let length = usize::from(rest.u16()?);
    let body = rest.take(length.checked_sub(2).ok_or("JPEG segment is too short")?)?;
    Ok((marker, Bytes::counted(body)))
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
