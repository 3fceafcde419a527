//! One zstd frame (RFC 8878): level 3, with its content size and a checksum, no dictionary, window ≤ 2²³.
//!
//! ```text
//! 28 b5 2f fd | a4 | 00 40 06 00 | blocks … | xxh64 (4 bytes)
//! magic         descriptor: size in 4 bytes, one segment, checksum
//! ```
//!
//! **Trust:** none. A frame can claim anything, so the header is read by hand before zstd sees a byte, and the
//! output goes into a buffer of the size that it states, which the signed line has bounded.

use zeroize::Zeroizing;
use zstd::zstd_safe::{self, CParameter, zstd_sys::ZSTD_ErrorCode};

use super::padding;
use crate::problem::{Code, Problem};

/// Largest window that is read, in bytes.
pub const MAX_WINDOW: u64 = 1 << 23;
const LEVEL: i32 = 3;
const MAGIC: [u8; 4] = 0xFD2F_B528_u32.to_le_bytes();

/// Compresses into one frame and pads it: steps 2 and 3.
pub fn pack(plain: &[u8], pad: u64) -> Result<Zeroizing<Vec<u8>>, Problem> {
    // all of it reserved now: a buffer that grows leaves readable bytes behind
    let bound = zstd_safe::compress_bound(plain.len());
    let room = usize::try_from(padding::target(bound as u64, pad)).map_err(|_| Problem::new(Code::RecordTooLarge, "padding"))?;
    let mut packed = Zeroizing::new(Vec::with_capacity(room.max(bound)));
    // 2. zstd
    compress(plain, &mut packed).expect("the buffer holds the worst case");
    // 3. padding
    padding::append(&mut packed, pad)?;
    Ok(packed)
}

fn compress(plain: &[u8], into: &mut Vec<u8>) -> std::io::Result<usize> {
    let mut zstd = zstd::bulk::Compressor::new(LEVEL)?;
    zstd.set_parameter(CParameter::ContentSizeFlag(true))?;
    zstd.set_parameter(CParameter::ChecksumFlag(true))?;
    zstd.compress_to_buffer(plain, into)
}

/// The way back: exactly one frame, its padding, and a content of at most `most` bytes.
pub(super) fn unpack(packed: &[u8], pad: u64, most: u64) -> Result<Zeroizing<Vec<u8>>, Problem> {
    let frame = Frame::parse(packed).ok_or_else(|| Problem::new(Code::ZstdInvalid, "frame header"))?;
    if frame.window > MAX_WINDOW {
        return Err(Problem::new(Code::ZstdWindow, format!("{} bytes, at most {MAX_WINDOW}", frame.window)));
    }
    if frame.content > most {
        return Err(Problem::new(Code::PlainSizeExceeded, format!("{} bytes, at most {most}", frame.content)));
    }
    let invalid = |_| Problem::new(Code::ZstdInvalid, "frame");
    // 3. padding
    let length = zstd_safe::find_frame_compressed_size(packed).map_err(invalid)?;
    padding::check(&packed[length..], length, pad)?;
    // 2. zstd
    decompress(&packed[..length], frame.content)
}

fn decompress(frame: &[u8], content: u64) -> Result<Zeroizing<Vec<u8>>, Problem> {
    let size = usize::try_from(content).map_err(|_| Problem::from(Code::PlainSizeExceeded))?;
    let mut plain = Zeroizing::new(Vec::with_capacity(size));
    let done = zstd_safe::DCtx::create().decompress(&mut *plain, frame);
    match done.map_err(is_too_small) {
        Ok(written) if written == size => Ok(plain),
        // more than the header said
        Err(true) => Err(Problem::new(Code::PlainSizeExceeded, "more than the frame states")),
        _ => Err(Problem::new(Code::ZstdInvalid, "content")),
    }
}

/// zstd's errors are the negated numbers of this enumeration.
fn is_too_small(code: usize) -> bool {
    code.wrapping_neg() == ZSTD_ErrorCode::ZSTD_error_dstSize_tooSmall as usize
}

/// What a frame's header states.
struct Frame {
    window: u64,
    content: u64,
}

impl Frame {
    /// RFC 8878 section 3.1.1.1. None for anything but a frame with a content size, a checksum and no dictionary.
    fn parse(bytes: &[u8]) -> Option<Self> {
        let (&descriptor, mut rest) = bytes.strip_prefix(&MAGIC)?.split_first()?;
        let single_segment = descriptor & 0x20 != 0;
        let (reserved, checksum, dictionary) = (descriptor & 0x08 != 0, descriptor & 0x04 != 0, descriptor & 0x03 != 0);
        if reserved || !checksum || dictionary {
            return None;
        }
        let mut window = None;
        if !single_segment {
            let (&byte, after) = rest.split_first()?;
            let base = 1_u64 << (10 + (byte >> 3));
            window = Some(base + base / 8 * u64::from(byte & 7));
            rest = after;
        }
        let content = match (descriptor >> 6, single_segment) {
            (0, true) => u64::from(*rest.first()?),
            (0, false) => return None,
            (1, _) => u64::from(u16::from_le_bytes(*rest.first_chunk()?)) + 256,
            (2, _) => u64::from(u32::from_le_bytes(*rest.first_chunk()?)),
            _ => u64::from_le_bytes(*rest.first_chunk()?),
        };
        Some(Self { window: window.unwrap_or(content), content })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(packed: &[u8], most: u64) -> Option<Code> {
        unpack(packed, 0, most).err().map(|p| p.code)
    }

    /// `frame`, padded as it must be.
    fn padded(mut frame: Vec<u8>) -> Vec<u8> {
        padding::append(&mut frame, 0).expect("fits");
        frame
    }

    fn foreign(plain: &[u8], set: &[CParameter]) -> Vec<u8> {
        let mut zstd = zstd::bulk::Compressor::new(LEVEL).expect("a context");
        for parameter in [CParameter::ContentSizeFlag(true), CParameter::ChecksumFlag(true)].iter().chain(set) {
            zstd.set_parameter(*parameter).expect("a known parameter");
        }
        padded(zstd.compress(plain).expect("compresses"))
    }

    #[test]
    fn packed_and_unpacked_is_the_same() {
        for length in [0, 1, 255, 256, 65_535 + 256, 1 << 20] {
            let plain: Vec<u8> = (0..length).map(|i: u32| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
            for pad in [0, 500_000] {
                let packed = pack(&plain, pad).expect("packs");
                assert_eq!(*unpack(&packed, pad, u64::from(length)).expect("unpacks"), plain);
            }
        }
    }

    #[test]
    fn a_bomb_is_refused_before_it_goes_off() {
        let bomb = foreign(&vec![0; 1 << 24], &[]);
        assert!(bomb.len() < 4096);
        assert_eq!(code(&bomb, (1 << 24) - 1), Some(Code::PlainSizeExceeded));
        // the same, but its header says 256 + 0 bytes
        let descriptor = bomb[4];
        assert_eq!(descriptor >> 6, 2, "size in 4 bytes");
        let frame = [&MAGIC[..], &[descriptor & 0x3F | 0x40], &bomb[5..6], &[0, 0], &bomb[10..]].concat();
        let length = zstd_safe::find_frame_compressed_size(&frame).expect("a frame");
        assert_eq!(code(&padded(frame[..length].to_vec()), 1 << 20), Some(Code::PlainSizeExceeded));
    }

    #[test]
    fn windows_above_8_mib_are_refused() {
        let small = b"a window is a promise of memory".repeat(1000);
        assert_eq!(code(&foreign(&small, &[CParameter::WindowLog(23)]), 1 << 20), None);
        let mut wide = pack(&small, 0).expect("packs").to_vec();
        let length = zstd_safe::find_frame_compressed_size(&wide).expect("a frame");
        wide.truncate(length);
        assert_eq!(wide[4] & 0xE0, 0x60, "one segment, size in 2 bytes");
        let wide = [&MAGIC[..], &[wide[4] & !0x20, (24 - 10) << 3], &wide[5..]].concat();
        assert_eq!(code(&padded(wide), 1 << 20), Some(Code::ZstdWindow));
    }

    #[test]
    fn other_frames_than_ours_are_refused() {
        let plain = [5; 1000];
        for set in [CParameter::ContentSizeFlag(false), CParameter::ChecksumFlag(false)] {
            assert_eq!(code(&foreign(&plain, &[set]), 1 << 20), Some(Code::ZstdInvalid));
        }
        let good = pack(&plain, 0).expect("packs");
        assert_eq!(code(b"", 1 << 20), Some(Code::ZstdInvalid));
        assert!(code(&good[..good.len() / 2], 1 << 20).is_some());
        let length = zstd_safe::find_frame_compressed_size(&good).expect("a frame");
        let mut two = [&good[..length], &good[..length]].concat();
        assert_eq!(code(&two, 1 << 20), Some(Code::PaddingWrong), "a second frame");
        two.truncate(length);
        two[length - 1] ^= 1;
        assert_eq!(code(&padded(two), 1 << 20), Some(Code::ZstdInvalid), "checksum");
    }

    #[test]
    fn no_change_of_a_byte_passes() {
        let good = pack(&b"record.json and its parts ".repeat(40), 0).expect("packs");
        let plain = unpack(&good, 0, 1 << 20).expect("unpacks");
        for at in 0..good.len() {
            for bit in 0..8 {
                let mut bad = good.to_vec();
                bad[at] ^= 1 << bit;
                // some bits say nothing (the unused one of the descriptor): the content is the same then
                assert!(unpack(&bad, 0, 1 << 20).is_err() || *unpack(&bad, 0, 1 << 20).expect("again") == *plain, "{at}.{bit}");
            }
        }
    }
}
