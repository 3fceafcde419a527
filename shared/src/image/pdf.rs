//! PDF: `%PDF-` … `startxref`, the offset of a table before it, `%%EOF` (ISO 32000-1, 7.5).
//!
//! A file that was saved for the web has a first `%%EOF` behind its first page, under `startxref 0`: that one is no end.

use super::{Fault, ImageHeader, ImageKind, Walk};

const END: &[u8] = b"%%EOF";
const TABLE: &[u8] = b"startxref";
/// So far before `%%EOF` stands `startxref`: the word, two line ends and a number.
const NEAR: usize = 64;
/// Most places that are looked at: each save adds one.
const MAX_ENDS: usize = 256;

pub(super) fn walk(bytes: &[u8]) -> Result<Walk, Fault> {
    let mut searched = bytes;
    for _ in 0..MAX_ENDS {
        let Some(at) = searched.windows(END.len()).rposition(|w| w == END) else { break };
        if table(&bytes[at.saturating_sub(NEAR)..at]).is_some_and(|table| table > 0 && table < at) {
            return Ok(Walk { header: ImageHeader::new(ImageKind::Pdf, 0, 0, None), end: at + END.len() });
        }
        searched = &bytes[..at];
    }
    Err(Fault::Cut("no %%EOF behind a table"))
}

/// The offset between `startxref` and here.
fn table(before: &[u8]) -> Option<usize> {
    let at = before.windows(TABLE.len()).rposition(|w| w == TABLE)?;
    std::str::from_utf8(&before[at + TABLE.len()..]).ok()?.trim().parse().ok()
}
