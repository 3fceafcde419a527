//! What the header of an image says, and whether the image is there to its end. Never a pixel.
//!
//! ```text
//!  image/jpeg             FF D8 … FF C0 len 08 HHHH WWWW … FF D9      ITU-T T.81, JFIF density
//!  image/png              89 PNG… IHDR WWWWWWWW HHHHHHHH … IEND       PNG (W3C), third edition
//!  image/jp2              jP␠␠ box, jp2h(ihdr, res), jp2c(… FF D9)    ISO/IEC 15444-1 annex I
//!  image/j2c              FF 4F FF 51 SIZ … FF D9                     ISO/IEC 15444-1 annex A
//!  image/wsq              FF A0 … FF A2 len bb ww HHHH WWWW … FF A1   IAFIS-IC-0110 (WSQ 3.1)
//!  image/iso19794-4       FIR␀ 010␀ or 020␀, around one of the above  ISO/IEC 19794-4:2005, :2011
//!  image/iso19794-5       FAC␀ 010␀ or 030␀, likewise                 ISO/IEC 19794-5:2005, :2011
//!  image/iso19794-6       IIR␀ 010␀ or 020␀, likewise                 ISO/IEC 19794-6:2005, :2011
//!  application/iso19794-2 FMR␀ ␠20␀ or 030␀, minutiae                 ISO/IEC 19794-2:2005, :2011
//!  application/pdf        %PDF- … startxref … %%EOF                   ISO 32000-1
//! ```
//!
//! An image that stops before its end is `image-cut`, and so is one whose tail is zeros: a full card or a pulled stick leaves both.
//! Behind the end may stand what phones append, [`MAX_BEHIND`] bytes, and any number of zeros.
//!
//! **Trust:** the bytes are anybody's: a camera's, a stick's, an attacker's. **Invariants:** no loop without a bound, no
//! memory that grows with what the bytes claim; the kind must be the one that the media type promises; where two headers
//! of one image state its size, they must agree. Deliberately absent: decoders, which are what hostile images are made for.

use crate::problem::{Code, Problem};

mod bytes;
mod iso;
mod jp2;
mod jpeg;
mod minutiae;
mod others;
mod pdf;
mod png;
mod says;
mod wsq;
#[cfg(test)]
mod tests;

pub use says::Says;

/// Longest side, in pixels.
pub const MAX_SIDE: u32 = 10_000;
/// Most pixels: 64 million.
pub const MAX_PIXELS: u64 = 64_000_000;
/// So much may stand behind the end of an image, zeros not counted: what phones append.
pub const MAX_BEHIND: usize = 64 << 10;
/// So many zeros at the end of a faulty file are a tail that was never written.
const ZEROS: usize = 16;

/// A kind of part that a record may carry.
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
    /// A template of minutiae, ISO/IEC 19794-2.
    Minutiae,
    /// A scanned document as PDF.
    Pdf,
}

impl ImageKind {
    /// All of them.
    pub const ALL: [Self; 10] =
        [Self::Jpeg, Self::Png, Self::Jp2, Self::J2c, Self::Wsq, Self::Finger, Self::Face, Self::Iris, Self::Minutiae, Self::Pdf];

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
            Self::Minutiae => "application/iso19794-2",
            Self::Pdf => "application/pdf",
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
            Self::Minutiae => b"FMR\0",
            Self::Pdf => b"%PDF-",
        }
    }

    /// The kind that the first bytes belong to.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| bytes.starts_with(kind.magic()))
    }

    /// The kind of a media type.
    pub fn of_media_type(media_type: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.media_type() == media_type)
    }

    /// A size in pixels is stated and counts.
    const fn has_pixels(self) -> bool {
        !matches!(self, Self::Minutiae | Self::Pdf)
    }
}

/// What an image's header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageHeader {
    /// Its kind.
    pub kind: ImageKind,
    /// Pixels across; 0 for a document.
    pub width: u32,
    /// Pixels down; 0 for a document.
    pub height: u32,
    /// Pixels an inch at capture, where the header says so; the smaller one when they differ.
    pub dpi: Option<u32>,
    /// What it says of itself.
    pub says: Says,
}

impl ImageHeader {
    fn new(kind: ImageKind, width: u32, height: u32, dpi: Option<u32>) -> Self {
        Self { kind, width, height, dpi, says: Says::default() }
    }

    fn is_empty(&self) -> bool {
        self.kind.has_pixels() && (self.width == 0 || self.height == 0)
    }
}

/// An image that was walked through: what its header says, and where it ends.
struct Walk {
    header: ImageHeader,
    end: usize,
}

/// What is wrong, in a few words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// Damaged, contradictory, or of another kind.
    Invalid(&'static str),
    /// Its end is not there.
    Cut(&'static str),
}

impl From<&'static str> for Fault {
    fn from(why: &'static str) -> Self {
        Self::Invalid(why)
    }
}

/// Reads what an image that is said to be of `media_type` says, and looks for its end.
///
/// # Errors
/// `image-invalid`: another kind than promised, damaged or contradictory; `image-cut`: it ends before its end; `image-too-large`:
/// over [`MAX_SIDE`] or [`MAX_PIXELS`]. Details name the fault, never bytes.
pub fn read(media_type: &str, bytes: &[u8]) -> Result<ImageHeader, Problem> {
    let invalid = |why: &str| Problem::new(Code::ImageInvalid, why);
    // 1. the media type is one that we know, and the first bytes are of that kind
    let promised = ImageKind::of_media_type(media_type).ok_or_else(|| invalid("media type is not known"))?;
    if !bytes.starts_with(promised.magic()) {
        return Err(Problem::new(Code::ImageInvalid, others::instead_of(bytes)));
    }
    // 2. what the header says, and all that follows up to the end
    let walked = walk(promised, bytes).and_then(|walk| if walk.header.is_empty() { Err("no pixels".into()) } else { Ok(walk) });
    let Walk { header, end } = walked.map_err(|fault| told(fault, bytes))?;
    // 3. what stands behind the end
    if bytes[end..].iter().skip(MAX_BEHIND).any(|byte| *byte != 0) {
        return Err(invalid("over 64 KiB stand behind its end, as in a motion photo: save it as a still picture"));
    }
    // 4. within limits
    within_limits(&header)?;
    Ok(header)
}

/// A file that is wrong somewhere and ends in zeros was not written to its end.
fn told(fault: Fault, bytes: &[u8]) -> Problem {
    let zeros = bytes.iter().rev().take_while(|byte| **byte == 0).count();
    match fault {
        _ if zeros >= ZEROS => Problem::new(Code::ImageCut, format!("the last {zeros} bytes are zeros")),
        Fault::Cut(why) => Problem::new(Code::ImageCut, why),
        Fault::Invalid(why) => Problem::new(Code::ImageInvalid, why),
    }
}

fn walk(kind: ImageKind, bytes: &[u8]) -> Result<Walk, Fault> {
    match kind {
        ImageKind::Finger => iso::finger(bytes),
        ImageKind::Face => iso::face(bytes),
        ImageKind::Iris => iso::iris(bytes),
        ImageKind::Minutiae => minutiae::walk(bytes),
        ImageKind::Pdf => pdf::walk(bytes),
        inner => plain(inner, bytes),
    }
}

/// An image that is not wrapped in a record: all that may stand inside one.
fn plain(kind: ImageKind, bytes: &[u8]) -> Result<Walk, Fault> {
    match kind {
        ImageKind::Jpeg => jpeg::walk(bytes),
        ImageKind::Png => png::walk(bytes),
        ImageKind::Jp2 => jp2::walk(bytes),
        ImageKind::J2c => jp2::codestream(bytes),
        ImageKind::Wsq => wsq::walk(bytes),
        _ => Err("a record inside a record".into()),
    }
}

fn within_limits(header: &ImageHeader) -> Result<(), Problem> {
    let (width, height) = (header.width, header.height);
    if !header.kind.has_pixels() {
        return Ok(());
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
