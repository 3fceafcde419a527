//! Minutiae of a finger: `FMR␀`, ` 20␀` (ISO/IEC 19794-2:2005) or `030␀` (2011), to the end of their own counts.
//!
//! A template helps who compares; it replaces no picture. One finger a template, as with pictures.

use super::{
    Fault, ImageHeader, ImageKind, Walk,
    bytes::Bytes,
    iso::{record, representation},
    says::{Says, finger, percent},
};

pub(super) fn walk(bytes: &[u8]) -> Result<Walk, Fault> {
    let mut rest = Bytes::whole(bytes);
    rest.skip(4)?;
    let read = match rest.take(4)? {
        b" 20\0" => template_2005,
        b"030\0" => template_2011,
        _ => return Err("minutiae of an unknown version".into()),
    };
    let (fields, end) = record(bytes, rest)?;
    Ok(Walk { header: read(fields)?, end })
}

fn template_2005(mut rest: Bytes) -> Result<ImageHeader, Fault> {
    let device = rest.u16()? & 0x0fff; // four bits are certificates
    let (width, height) = (rest.u16()?, rest.u16()?);
    let (x, y) = (rest.u16()?, rest.u16()?);
    one(rest.u8()?.into())?;
    rest.skip(1)?;
    let position = finger(rest.u8()?);
    let impression = rest.u8()? & 0x0f; // and four bits of view
    let quality = percent(rest.u8()?);
    points(&mut rest, 6)?;
    let says = Says { position, quality, impression: Some(impression), device: Some((0, device)) };
    // dots a centimetre
    let dpi = super::dpi(x.into(), y.into(), 254, 100);
    Ok(ImageHeader { says, ..ImageHeader::new(ImageKind::Minutiae, width.into(), height.into(), dpi) })
}

fn template_2011(mut rest: Bytes) -> Result<ImageHeader, Fault> {
    one(rest.u16()?)?;
    let certified = rest.u8()? != 0;
    let mut says = representation(&mut rest)?;
    if certified {
        let blocks = usize::from(rest.u8()?);
        rest.skip(blocks * 3)?;
    }
    says.position = finger(rest.u8()?);
    rest.skip(1)?; // representation number
    let (x, y) = (rest.u16()?, rest.u16()?);
    says.impression = Some(rest.u8()?);
    let (width, height) = (rest.u16()?, rest.u16()?);
    let length = usize::from(rest.u8()? >> 4); // and how ridges end
    if !(5..=6).contains(&length) {
        return Err("minutiae are of an unknown length".into());
    }
    points(&mut rest, length)?;
    let dpi = super::dpi(x.into(), y.into(), 254, 100);
    Ok(ImageHeader { says, ..ImageHeader::new(ImageKind::Minutiae, width.into(), height.into(), dpi) })
}

/// So many minutiae, and the data that makers add.
fn points(rest: &mut Bytes, length: usize) -> Result<(), Fault> {
    let count = usize::from(rest.u8()?);
    rest.skip(count * length)?;
    let extended = usize::from(rest.u16()?);
    rest.skip(extended)?;
    if rest.left.is_empty() { Ok(()) } else { Err("template is longer than its counts".into()) }
}

fn one(count: u16) -> Result<(), Fault> {
    if count == 1 { Ok(()) } else { Err("template does not hold exactly one finger".into()) }
}
