//! Records of ISO/IEC 19794: finger (-4), face (-5), iris (-6): a header, then one image of another kind, or raw pixels.
//!
//! One image a record: a part of an enrolment is one finger, one face, one eye. What devices in the field really write is
//! taken as it is where no harm is in it: bytes after the record (one device pads an iris to 300 KiB), and up to
//! [`SLACK`] bytes more before the image than the standard has (one face encoder writes four).

use super::{Found, ImageHeader, ImageKind, bytes::Bytes, dpi, plain_header};

/// So many bytes may stand between the fields and the image beyond what the standard lists.
const SLACK: usize = 16;

/// Finger image record: `FIR␀`, `010␀` (2005) or `020␀` (2011).
pub(super) fn finger(bytes: &[u8]) -> Found {
    let mut rest = Bytes(bytes);
    rest.skip(4)?;
    match rest.take(4)? {
        b"010\0" => finger_2005(bytes.len(), rest),
        b"020\0" => finger_2011(bytes.len(), rest),
        _ => Err("finger record of an unknown version"),
    }
}

fn finger_2005(whole: usize, mut rest: Bytes) -> Found {
    if rest.u16()? != 0 {
        return Err("record is cut off"); // six bytes of length: over 4 GiB
    }
    fits(rest.size()?, whole)?;
    rest.skip(4)?; // device, acquisition level
    one(rest.u8()?.into())?;
    let unit = rest.u8()?;
    rest.skip(4)?; // scan resolution
    let (x, y) = (rest.u16()?, rest.u16()?);
    let (depth, compression) = (rest.u8()?, rest.u8()?);
    rest.skip(2)?;
    // the finger's own header
    rest.skip(4)?; // its length
    rest.skip(1)?; // position
    one(rest.u8()?.into())?;
    rest.skip(3)?; // view, quality, impression
    let (width, height) = (rest.u16()?, rest.u16()?);
    rest.skip(1)?;
    let stated = ImageHeader { kind: ImageKind::Finger, width: width.into(), height: height.into(), dpi: scale(unit, x, y) };
    match compression {
        0 | 1 => raw(stated, depth, rest.0.len()),
        2 => inside(stated, rest, &[ImageKind::Wsq]),
        3 => inside(stated, rest, &[ImageKind::Jpeg]),
        4 => inside(stated, rest, &[ImageKind::Jp2, ImageKind::J2c]),
        5 => inside(stated, rest, &[ImageKind::Png]),
        _ => Err("finger record has an unknown compression"),
    }
}

fn finger_2011(whole: usize, mut rest: Bytes) -> Found {
    fits(rest.size()?, whole)?;
    one(rest.u16()?)?;
    let certified = rest.u8()? != 0;
    rest.skip(1)?; // positions
    representation(&mut rest)?;
    if certified {
        let blocks = usize::from(rest.u8()?);
        rest.skip(blocks * 3)?;
    }
    rest.skip(2)?; // position, representation number
    let unit = rest.u8()?;
    rest.skip(4)?; // scan resolution
    let (x, y) = (rest.u16()?, rest.u16()?);
    let (depth, compression) = (rest.u8()?, rest.u8()?);
    rest.skip(1)?; // impression
    let (width, height) = (rest.u16()?, rest.u16()?);
    let stated = ImageHeader { kind: ImageKind::Finger, width: width.into(), height: height.into(), dpi: scale(unit, x, y) };
    let image = sized(rest);
    match compression {
        0 | 1 => raw(stated, depth, image?.0.len()),
        2 => inside(stated, image?, &[ImageKind::Wsq]),
        3 => inside(stated, image?, &[ImageKind::Jpeg]),
        4 | 5 => inside(stated, image?, &[ImageKind::Jp2, ImageKind::J2c]),
        6 => inside(stated, image?, &[ImageKind::Png]),
        _ => Err("finger record has an unknown compression"),
    }
}

/// Face image record: `FAC␀`, `010␀` (2005) or `030␀` (2011).
pub(super) fn face(bytes: &[u8]) -> Found {
    let mut rest = Bytes(bytes);
    rest.skip(4)?;
    match rest.take(4)? {
        b"010\0" => face_2005(bytes.len(), rest),
        b"030\0" => face_2011(bytes.len(), rest),
        _ => Err("face record of an unknown version"),
    }
}

fn face_2005(whole: usize, mut rest: Bytes) -> Found {
    fits(rest.size()?, whole)?;
    one(rest.u16()?)?;
    rest.skip(4)?; // block length
    let points = usize::from(rest.u16()?);
    rest.skip(14 + points * 8)?;
    rest.skip(1)?; // kind of portrait
    let compression = rest.u8()?;
    let (width, height) = (rest.u16()?, rest.u16()?);
    rest.skip(6)?; // colour space, source, device, quality
    let stated = ImageHeader { kind: ImageKind::Face, width: width.into(), height: height.into(), dpi: None };
    match compression {
        0 => inside(stated, rest, &[ImageKind::Jpeg]),
        1 => inside(stated, rest, &[ImageKind::Jp2, ImageKind::J2c]),
        _ => Err("face record has an unknown compression"),
    }
}

fn face_2011(whole: usize, mut rest: Bytes) -> Found {
    fits(rest.size()?, whole)?;
    one(rest.u16()?)?;
    rest.skip(3)?; // certification flag, temporal semantics
    representation(&mut rest)?;
    let points = usize::from(rest.u16()?);
    rest.skip(15 + points * 8)?;
    // from here on the one encoder is four bytes off: the fields are found from where the image begins
    let at = (0..=SLACK).find(|slack| face_image(rest, *slack).is_some()).ok_or("face record holds no image of a known kind")?;
    let (stated, image, kinds) = face_image(rest, at).expect("just found there");
    inside(stated, image, kinds)
}

/// The fields before the image and the image, if they stand `slack` bytes further on.
fn face_image(mut rest: Bytes, slack: usize) -> Option<(ImageHeader, Bytes, &'static [ImageKind])> {
    rest.skip(slack + 1).ok()?; // kind of portrait
    let kinds: &[ImageKind] = match rest.u8().ok()? {
        0 => &[ImageKind::Jpeg],
        1 | 2 => &[ImageKind::Jp2, ImageKind::J2c],
        3 => &[ImageKind::Png],
        _ => return None,
    };
    let (width, height) = (rest.u16().ok()?, rest.u16().ok()?);
    rest.skip(5).ok()?; // sampling rate, processing, cross reference, colour space
    let image = sized(rest).ok()?;
    let stated = ImageHeader { kind: ImageKind::Face, width: width.into(), height: height.into(), dpi: None };
    kinds.iter().any(|k| ImageKind::of(image.0) == Some(*k)).then_some((stated, image, kinds))
}

/// Iris image record: `IIR␀`, `020␀` (2011).
pub(super) fn iris(bytes: &[u8]) -> Found {
    let mut rest = Bytes(bytes);
    rest.skip(4)?;
    if rest.take(4)? != b"020\0" {
        return Err("iris record of an unknown version");
    }
    fits(rest.size()?, bytes.len())?;
    one(rest.u16()?)?;
    rest.skip(2)?; // certification flag, number of eyes
    representation(&mut rest)?;
    rest.skip(4)?; // representation number, eye, kind of picture
    let format = rest.u8()?;
    rest.skip(1)?; // orientation and compression history
    let (width, height) = (rest.u16()?, rest.u16()?);
    let depth = rest.u8()?;
    rest.skip(18)?; // range, roll, centre, diameter
    let stated = ImageHeader { kind: ImageKind::Iris, width: width.into(), height: height.into(), dpi: None };
    let image = sized(rest)?;
    match format {
        0x02 => raw(stated, depth, image.0.len()),
        0x0a => inside(stated, image, &[ImageKind::Jp2, ImageKind::J2c]),
        0x0e => inside(stated, image, &[ImageKind::Png]),
        _ => Err("iris record has an unknown format"),
    }
}

/// The head that the representations of 2011 share: length, date, device, quality blocks.
fn representation(rest: &mut Bytes) -> Result<(), &'static str> {
    rest.skip(4 + 9 + 5)?;
    let blocks = usize::from(rest.u8()?);
    rest.skip(blocks * 5)
}

fn fits(stated: usize, whole: usize) -> Result<(), &'static str> {
    if stated <= whole { Ok(()) } else { Err("record is cut off") }
}

fn one(count: u16) -> Result<(), &'static str> {
    if count == 1 { Ok(()) } else { Err("record does not hold exactly one image") }
}

/// The image that a length stands before.
fn sized(mut rest: Bytes) -> Result<Bytes, &'static str> {
    let size = rest.size()?;
    rest.take(size).map(Bytes).map_err(|_| "record is cut off")
}

/// Samples a unit: 1 = an inch, 2 = a centimetre.
fn scale(unit: u8, x: u16, y: u16) -> Option<u32> {
    match unit {
        1 => dpi(x.into(), y.into(), 1, 1),
        2 => dpi(x.into(), y.into(), 254, 100),
        _ => None,
    }
}

/// Raw pixels: there must be as many as the header says.
fn raw(stated: ImageHeader, depth: u8, present: usize) -> Found {
    let bits = u64::from(stated.width) * u64::from(stated.height) * u64::from(depth);
    if depth == 0 || bits.div_ceil(8) > present as u64 {
        return Err("raw image is cut off");
    }
    Ok(stated)
}

/// The image inside: of a kind that the record names, and of the size that it states.
fn inside(stated: ImageHeader, image: Bytes, kinds: &[ImageKind]) -> Found {
    let kind = ImageKind::of(image.0).filter(|k| kinds.contains(k)).ok_or("image inside the record is of another kind")?;
    let inner = plain_header(kind, image.0)?;
    if (inner.width, inner.height) != (stated.width, stated.height) {
        return Err("record and the image inside differ in size");
    }
    Ok(ImageHeader { dpi: stated.dpi.or(inner.dpi), ..stated })
}
