//! What the header of an image says: its kind, its size in pixels, its resolution. Never a pixel.
//!
//! ```text
//!  image/jpeg        FF D8 … FF C0 len 08 HHHH WWWW             ITU-T T.81, JFIF density
//!  image/png         89 PNG… IHDR WWWWWWWW HHHHHHHH … pHYs      PNG (W3C), third edition
//!  image/jp2         jP␠␠ box, jp2h(ihdr, res), jp2c            ISO/IEC 15444-1 annex I
//!  image/j2c         FF 4F FF 51 SIZ                            ISO/IEC 15444-1 annex A
//!  image/wsq         FF A0 … FF A2 len bb ww HHHH WWWW          IAFIS-IC-0110 (WSQ 3.1)
//!  image/iso19794-4  FIR␀ 010␀ or 020␀, around one of the above ISO/IEC 19794-4:2005, :2011
//!  image/iso19794-5  FAC␀ 010␀ or 030␀, likewise                ISO/IEC 19794-5:2005, :2011
//!  image/iso19794-6  IIR␀ 020␀, likewise                        ISO/IEC 19794-6:2011
//! ```
//!
//! **Trust:** the bytes are anybody's: a camera's, a stick's, an attacker's. **Invariants:** no loop without a bound, no
//! memory that grows with what the bytes claim; the kind must be the one that the media type promises; where two headers
//! of one image state its size, they must agree. Deliberately absent: decoders, which are what hostile images are made for.

use crate::problem::{Code, Problem};

mod bytes;
mod iso;
mod jp2;
mod jpeg;
mod png;
mod wsq;
#[cfg(test)]
mod tests;

/// Longest side, in pixels.
pub const MAX_SIDE: u32 = 10_000;
/// Most pixels: 64 million.
pub const MAX_PIXELS: u64 = 64_000_000;

/// A kind of image that a record may carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ImageKind {
    /// JPEG (ITU-T T.81), lossless JPEG among them.
    Jpeg,
    /// PNG.
    Png,
    /// JPEG 2000 in its file format.
    Jp2,
    /// JPEG 2000, the bare codestream.
    J2c,
    /// Wavelet scalar quantisation, the format of fingerprint cards.
    Wsq,
    /// A finger record, ISO/IEC 19794-4.
    Finger,
    /// A face record, ISO/IEC 19794-5.
    Face,
    /// An iris record, ISO/IEC 19794-6.
    Iris,
}

impl ImageKind {
    const ALL: [Self; 8] = [Self::Jpeg, Self::Png, Self::Jp2, Self::J2c, Self::Wsq, Self::Finger, Self::Face, Self::Iris];

    /// Its media type: `image/jp2`.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Jp2 => "image/jp2",
            Self::J2c => "image/j2c",
            Self::Wsq => "image/wsq",
            Self::Finger => "image/iso19794-4",
            Self::Face => "image/iso19794-5",
            Self::Iris => "image/iso19794-6",
        }
    }

    const fn magic(self) -> &'static [u8] {
        match self {
            Self::Jpeg => &[0xff, 0xd8, 0xff],
            Self::Png => b"\x89PNG\r\n\x1a\n",
            Self::Jp2 => b"\0\0\0\x0cjP  \r\n\x87\n",
            Self::J2c => &[0xff, 0x4f, 0xff, 0x51],
            Self::Wsq => &[0xff, 0xa0, 0xff],
            Self::Finger => b"FIR\0",
            Self::Face => b"FAC\0",
            Self::Iris => b"IIR\0",
        }
    }

    /// The kind that the first bytes belong to.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| bytes.starts_with(kind.magic()))
    }
}

/// What an image's header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageHeader {
    /// Its kind.
    pub kind: ImageKind,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// Pixels an inch, where the header says so; the smaller one when they differ.
    pub dpi: Option<u32>,
}

/// A header, or what is wrong with it in a few words.
type Found = Result<ImageHeader, &'static str>;

/// Reads the header of an image that is said to be of `media_type`.
///
/// # Errors
/// `image-invalid`: another kind than promised, damaged, cut off or contradictory; `image-too-large`: over
/// [`MAX_SIDE`] or [`MAX_PIXELS`]. Details name the fault, never bytes.
pub fn read_header(media_type: &str, bytes: &[u8]) -> Result<ImageHeader, Problem> {
    let invalid = |why: &str| Problem::new(Code::ImageInvalid, why);
    // 1. the media type is one that we know, and the first bytes are of that kind
    let promised = ImageKind::ALL.into_iter().find(|kind| kind.media_type() == media_type);
    let promised = promised.ok_or_else(|| invalid("media type is not known"))?;
    if !bytes.starts_with(promised.magic()) {
        return Err(invalid(if bytes.is_empty() { "empty" } else { "first bytes do not fit the media type" }));
    }
    // 2. what the header says
    let header = header_of(promised, bytes).map_err(invalid)?;
    // 3. within limits
    within_limits(&header)?;
    Ok(header)
}

fn header_of(kind: ImageKind, bytes: &[u8]) -> Found {
    match kind {
        ImageKind::Finger => iso::finger(bytes),
        ImageKind::Face => iso::face(bytes),
        ImageKind::Iris => iso::iris(bytes),
        plain => plain_header(plain, bytes),
    }
}

/// Header of an image that is not wrapped in a record: all that may stand inside one.
fn plain_header(kind: ImageKind, bytes: &[u8]) -> Found {
    match kind {
        ImageKind::Jpeg => jpeg::header(bytes),
        ImageKind::Png => png::header(bytes),
        ImageKind::Jp2 => jp2::header(bytes),
        ImageKind::J2c => jp2::codestream(bytes),
        ImageKind::Wsq => wsq::header(bytes),
        ImageKind::Finger | ImageKind::Face | ImageKind::Iris => Err("a record inside a record"),
    }
}

fn within_limits(header: &ImageHeader) -> Result<(), Problem> {
    let (width, height) = (header.width, header.height);
    if width == 0 || height == 0 {
        return Err(Problem::new(Code::ImageInvalid, "no pixels"));
    }
    if width > MAX_SIDE || height > MAX_SIDE || u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(Problem::new(Code::ImageTooLarge, format!("{width} × {height} pixels")));
    }
    Ok(())
}

/// Dots an inch from a density and its unit in dots a metre × `numerator` / `denominator`; none when unset or absurd.
fn dpi(x: u64, y: u64, numerator: u64, denominator: u64) -> Option<u32> {
    let rounded = (u128::from(x.min(y)) * u128::from(numerator) + u128::from(denominator) / 2) / u128::from(denominator.max(1));
    u32::try_from(rounded).ok().filter(|dpi| (1..=100_000).contains(dpi))
}
