//! Kinds of file that are brought and not taken: each by its name, with what to do.

use super::ImageKind;

/// First bytes, name, and what to do.
const KNOWN: [(&[u8], &str); 8] = [
    (b"II*\0", "TIFF, which is not taken: save it as PNG, a fingerprint as WSQ or PNG, a document as PDF"),
    (b"MM\0*", "TIFF, which is not taken: save it as PNG, a fingerprint as WSQ or PNG, a document as PDF"),
    (b"BM", "BMP, which is not taken: save it as PNG"),
    (b"P5", "PGM, which is not taken: save it as PNG"),
    (b"P2", "PGM, which is not taken: save it as PNG"),
    (b"P6", "PPM, which is not taken: save it as PNG"),
    (b"GIF8", "GIF, which is not taken: save it as PNG"),
    (b"RIFF", "WebP, which is not taken: save it as JPEG or PNG"),
];

/// Why bytes that do not begin as their media type promises are refused.
pub(super) fn instead_of(bytes: &[u8]) -> String {
    if bytes.is_empty() {
        return "empty".into();
    }
    if let Some(kind) = ImageKind::of(bytes) {
        return format!("the file is of media type {}: attach it as that", kind.media_type());
    }
    if bytes.get(4..8) == Some(b"ftyp") {
        return "the file is HEIC or a film, which is not taken: save it as JPEG".into();
    }
    match KNOWN.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        Some((_, name)) => format!("the file is {name}"),
        None => "first bytes do not fit the media type".into(),
    }
}
