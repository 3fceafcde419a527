//! Records of ISO/IEC 19794: finger (-4), face (-5), iris (-6): a header, then one image of another kind, or raw pixels.
//!
//! One image a record: a part of an enrolment is one finger, one face, one eye. A record ends where its own length says, and the
//! image inside is whole before that. What devices in the field really write is taken as it is where no harm is in it: zeros after
//! the record (one device pads an iris to 300 KiB), and up to [`SLACK`] bytes more before the image than the standard has (one face
//! encoder writes four). Raw pixels have no end of their own: zeros among them are black.

use super::{
    Fault, ImageHeader, ImageKind, Walk,
    bytes::Bytes,
    dpi, plain,
    says::{Says, eye, finger as finger_of, percent},
};

/// So many bytes may stand between the fields and the image beyond what the standard lists.
const SLACK: usize = 16;

/// Finger image record: `FIR␀`, `010␀` (2005) or `020␀` (2011).
pub(super) fn finger(bytes: &[u8]) -> Result<Walk, Fault> {
    let mut rest = Bytes::whole(bytes);
    rest.skip(4)?;
    let read = match rest.take(4)? {
        // six bytes of length: over 4 GiB is nowhere
        b"010\0" if rest.u16()? != 0 => return Err(Fault::Cut("record is cut off")),
        b"010\0" => finger_2005,
        b"020\0" => finger_2011,
        _ => return Err("finger record of an unknown version".into()),
    };
    let (fields, end) = record(bytes, rest)?;
    Ok(Walk { header: read(fields)?, end })
}

fn finger_2005(mut rest: Bytes) -> Result<ImageHeader, Fault> {
    let device = rest.u16()?;
    rest.skip(2)?; // acquisition level
    one(rest.u8()?.into())?;
    let unit = rest.u8()?;
    rest.skip(4)?; // scan resolution
    let (x, y) = (rest.u16()?, rest.u16()?);
    let (depth, compression) = (rest.u8()?, rest.u8()?);
    rest.skip(2)?;
    // the finger's own header
    let own = rest.size()?;
    if own.checked_sub(4).is_none_or(|own| own > rest.left.len()) {
        return Err(Fault::Cut("record is shorter than its finger"));
    }
    let position = finger_of(rest.u8()?);
    one(rest.u8()?.into())?;
    rest.skip(1)?; // view
    let (quality, impression) = (percent(rest.u8()?), rest.u8()?);
    let (width, height) = (rest.u16()?, rest.u16()?);
    rest.skip(1)?;
    let says = Says { position, quality, impression: Some(impression), device: Some((0, device)) };
    let stated = ImageHeader { says, ..ImageHeader::new(ImageKind::Finger, width.into(), height.into(), scale(unit, x, y)) };
    match compression {
        0 | 1 => raw(stated, depth, 1, rest.left.len()),
        2 => inside(stated, rest, &[ImageKind::Wsq]),
        3 => inside(stated, rest, &[ImageKind::Jpeg]),
        4 => inside(stated, rest, &[ImageKind::Jp2, ImageKind::J2c]),
        5 => inside(stated, rest, &[ImageKind::Png]),
        _ => Err("finger record has an unknown compression".into()),
    }
}

fn finger_2011(mut rest: Bytes) -> Result<ImageHeader, Fault> {
    one(rest.u16()?)?;
    let certified = rest.u8()? != 0;
    rest.skip(1)?; // positions
    let mut says = representation(&mut rest)?;
    if certified {
        let blocks = usize::from(rest.u8()?);
        rest.skip(blocks * 3)?;
    }
    says.position = finger_of(rest.u8()?);
    rest.skip(1)?; // representation number
    let unit = rest.u8()?;
    rest.skip(4)?; // scan resolution
    let (x, y) = (rest.u16()?, rest.u16()?);
    let (depth, compression) = (rest.u8()?, rest.u8()?);
    says.impression = Some(rest.u8()?);
    let (width, height) = (rest.u16()?, rest.u16()?);
    let stated = ImageHeader { says, ..ImageHeader::new(ImageKind::Finger, width.into(), height.into(), scale(unit, x, y)) };
    let image = sized(rest);
    match compression {
        0 | 1 => raw(stated, depth, 1, image?.left.len()),
        2 => inside(stated, image?, &[ImageKind::Wsq]),
        3 => inside(stated, image?, &[ImageKind::Jpeg]),
        4 | 5 => inside(stated, image?, &[ImageKind::Jp2, ImageKind::J2c]),
        6 => inside(stated, image?, &[ImageKind::Png]),
        _ => Err("finger record has an unknown compression".into()),
    }
}

/// Face image record: `FAC␀`, `010␀` (2005) or `030␀` (2011).
pub(super) fn face(bytes: &[u8]) -> Result<Walk, Fault> {
    let mut rest = Bytes::whole(bytes);
    rest.skip(4)?;
    let read = match rest.take(4)? {
        b"010\0" => face_2005,
        b"030\0" => face_2011,
        _ => return Err("face record of an unknown version".into()),
    };
    let (fields, end) = record(bytes, rest)?;
    Ok(Walk { header: read(fields)?, end })
}

fn face_2005(mut rest: Bytes) -> Result<ImageHeader, Fault> {
    one(rest.u16()?)?;
    rest.skip(4)?; // block length
    let points = usize::from(rest.u16()?);
    rest.skip(14 + points * 8)?;
    rest.skip(1)?; // kind of portrait
    let compression = rest.u8()?;
    let (width, height) = (rest.u16()?, rest.u16()?);
    rest.skip(2)?; // colour space, source
    let device = rest.u16()?;
    rest.skip(2)?; // quality, of no stated scale
    let says = Says { device: Some((0, device)), ..Says::default() };
    let stated = ImageHeader { says, ..ImageHeader::new(ImageKind::Face, width.into(), height.into(), None) };
    match compression {
        0 => inside(stated, rest, &[ImageKind::Jpeg]),
        1 => inside(stated, rest, &[ImageKind::Jp2, ImageKind::J2c]),
        _ => Err("face record has an unknown compression".into()),
    }
}

fn face_2011(mut rest: Bytes) -> Result<ImageHeader, Fault> {
    one(rest.u16()?)?;
    rest.skip(3)?; // certification flag, temporal semantics
    let says = representation(&mut rest)?;
    let points = usize::from(rest.u16()?);
    rest.skip(15 + points * 8)?;
    // from here on the one encoder is four bytes off: the fields are found from where the image begins
    let found = (0..=SLACK).find_map(|slack| face_image(rest, slack));
    let (stated, image, kinds) = found.ok_or("face record holds no image of a known kind")?;
    inside(ImageHeader { says, ..stated }, image, kinds)
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
    let stated = ImageHeader::new(ImageKind::Face, width.into(), height.into(), None);
    kinds.iter().any(|k| ImageKind::of(image.left) == Some(*k)).then_some((stated, image, kinds))
}

/// Iris image record: `IIR␀`, `010␀` (2005) or `020␀` (2011).
pub(super) fn iris(bytes: &[u8]) -> Result<Walk, Fault> {
    let mut rest = Bytes::whole(bytes);
    rest.skip(4)?;
    let read = match rest.take(4)? {
        b"010\0" => iris_2005,
        b"020\0" => iris_2011,
        _ => return Err("iris record of an unknown version".into()),
    };
    let (fields, end) = record(bytes, rest)?;
    Ok(Walk { header: read(fields)?, end })
}

/// A header of 45 bytes, one of 3 for the eye, one of 11 for the image.
fn iris_2005(mut rest: Bytes) -> Result<ImageHeader, Fault> {
    let device = rest.u16()?;
    one(rest.u8()?.into())?;
    rest.skip(6)?; // header length, properties, diameter
    let format = rest.u16()?;
    let (width, height) = (rest.u16()?, rest.u16()?);
    let depth = rest.u8()?;
    rest.skip(17)?; // transformation, the device's own number
    let position = eye(rest.u8()?);
    one(rest.u16()?)?;
    rest.skip(2)?; // image number
    let quality = percent(rest.u8()?);
    rest.skip(4)?; // rotation
    let says = Says { position, quality, impression: None, device: Some((0, device)) };
    let stated = ImageHeader { says, ..ImageHeader::new(ImageKind::Iris, width.into(), height.into(), None) };
    let image = sized(rest)?;
    match format {
        2 => raw(stated, depth, 1, image.left.len()),
        4 => raw(stated, depth, 3, image.left.len()),
        6 | 8 => inside(stated, image, &[ImageKind::Jpeg]),
        14 | 16 => inside(stated, image, &[ImageKind::Jp2, ImageKind::J2c]),
        _ => Err("iris record has an unknown format".into()),
    }
}

fn iris_2011(mut rest: Bytes) -> Result<ImageHeader, Fault> {
    one(rest.u16()?)?;
    rest.skip(2)?; // certification flag, number of eyes
    let mut says = representation(&mut rest)?;
    rest.skip(2)?; // representation number
    says.position = eye(rest.u8()?);
    rest.skip(1)?; // kind of picture
    let format = rest.u8()?;
    rest.skip(1)?; // orientation and compression history
    let (width, height) = (rest.u16()?, rest.u16()?);
    let depth = rest.u8()?;
    rest.skip(18)?; // range, roll, centre, diameter
    let stated = ImageHeader { says, ..ImageHeader::new(ImageKind::Iris, width.into(), height.into(), None) };
    let image = sized(rest)?;
    match format {
        0x02 => raw(stated, depth, 1, image.left.len()),
        0x0a => inside(stated, image, &[ImageKind::Jp2, ImageKind::J2c]),
        0x0e => inside(stated, image, &[ImageKind::Png]),
        _ => Err("iris record has an unknown format".into()),
    }
}

/// What stands behind the record's length, up to the end that it states, and that end.
pub(super) fn record<'a>(bytes: &'a [u8], mut rest: Bytes<'a>) -> Result<(Bytes<'a>, usize), Fault> {
    let end = rest.size()?;
    let read = bytes.len() - rest.left.len();
    let fields = bytes.get(..end).ok_or(Fault::Cut("record is cut off"))?;
    Ok((Bytes::record(fields.get(read..).ok_or("record is shorter than its header")?), end))
}

/// The head that the representations of 2011 share: length, date, device, quality blocks.
pub(super) fn representation(rest: &mut Bytes) -> Result<Says, Fault> {
    if rest.size()?.checked_sub(4).is_none_or(|own| own > rest.left.len()) {
        return Err(Fault::Cut("record is shorter than its representation"));
    }
    rest.skip(9 + 1)?; // date, technology
    let device = (rest.u16()?, rest.u16()?);
    let mut says = Says { device: Some(device), ..Says::default() };
    for _ in 0..rest.u8()? {
        let quality = percent(rest.u8()?);
        rest.skip(4)?; // who measured it, how
        says.quality = says.quality.or(quality);
    }
    Ok(says)
}

fn one(count: u16) -> Result<(), Fault> {
    if count == 1 { Ok(()) } else { Err("record does not hold exactly one image".into()) }
}

/// The image that a length stands before.
fn sized(mut rest: Bytes<'_>) -> Result<Bytes<'_>, Fault> {
    let size = rest.size()?;
    rest.take(size).map(Bytes::record)
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
fn raw(stated: ImageHeader, depth: u8, colours: u64, present: usize) -> Result<ImageHeader, Fault> {
    let bits = u64::from(stated.width) * u64::from(stated.height) * u64::from(depth) * colours;
    if depth == 0 {
        return Err("raw image has no depth".into());
    }
    if bits.div_ceil(8) > present as u64 { Err(Fault::Cut("raw image is cut off")) } else { Ok(stated) }
}

/// The image inside: whole, of a kind that the record names, and of the size that it states.
fn inside(stated: ImageHeader, image: Bytes, kinds: &[ImageKind]) -> Result<ImageHeader, Fault> {
    let kind = ImageKind::of(image.left).filter(|k| kinds.contains(k)).ok_or("image inside the record is of another kind")?;
    let inner = plain(kind, image.left)?.header;
    if (inner.width, inner.height) != (stated.width, stated.height) {
        return Err("record and the image inside differ in size".into());
    }
    Ok(ImageHeader { dpi: stated.dpi.or(inner.dpi), ..stated })
}
