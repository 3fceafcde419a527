//! Padding: from the length of a sealed record nobody learns whether it holds one finger more or less.
//!
//! ```text
//! zstd frame of 100,000 bytes ‖ 50 2a 4d 18 ‖ 58 01 00 00 ‖ 344 zeros = 100,352 bytes = Padmé(100,000)
//! ```
//!
//! A skippable frame (RFC 8878 section 3.1.2) is passed over by any zstd. Padmé: "Reducing Metadata Leakage from
//! Encrypted Files and Communication with PURBs", section 4: at most 12 % more, and O(log log n) bits leak.

use crate::problem::{Code, Problem};

const MAGIC: [u8; 4] = 0x184D_2A50_u32.to_le_bytes();
/// Bytes of a skippable frame's magic number and size.
const HEADER: u64 = 8;

/// Padmé: `length` rounded up so that only its leading bits tell something.
///
/// With E = ⌊log₂ length⌋ and S = ⌊log₂ E⌋ + 1: up to a multiple of 2^(E−S).
pub const fn padme(length: u64) -> u64 {
    if length < 2 {
        return length;
    }
    let e = length.ilog2();
    let s = e.ilog2() + 1;
    let mask = (1_u64 << (e - s)) - 1;
    (length + mask) & !mask
}

/// Up to how many bytes a zstd frame of `length` is padded, for a form that pads to `pad` bytes.
///
/// A gap of 1 to 7 bytes cannot hold a skippable frame: then it is the next step of Padmé.
pub const fn target(length: u64, pad: u64) -> u64 {
    let padded = padme(length);
    let mut target = if padded > pad { padded } else { pad };
    while target > length && target - length < HEADER {
        target = padme(target + 1);
    }
    target
}

/// `plain` of a record's line: what is said in the open about the size of a tar of `length` bytes.
pub const fn plain(length: u64, pad: u64) -> u64 {
    let padded = padme(length);
    if padded > pad { padded } else { pad }
}

/// Appends the skippable frame that brings a zstd frame to its target; nothing when it is there already.
pub(super) fn append(packed: &mut Vec<u8>, pad: u64) -> Result<(), Problem> {
    let length = packed.len() as u64;
    let gap = target(length, pad) - length;
    if gap == 0 {
        return Ok(());
    }
    let too_large = || Problem::new(Code::RecordTooLarge, "padding");
    let zeros = u32::try_from(gap - HEADER).map_err(|_| too_large())?;
    packed.extend_from_slice(&MAGIC);
    packed.extend_from_slice(&zeros.to_le_bytes());
    packed.resize(packed.len() + zeros as usize, 0);
    Ok(())
}

/// What follows a zstd frame of `length` bytes is exactly what [`append`] would have written.
pub(super) fn check(rest: &[u8], length: usize, pad: u64) -> Result<(), Problem> {
    let wrong = |detail| Err(Problem::new(Code::PaddingWrong, detail));
    let gap = target(length as u64, pad) - length as u64;
    if rest.len() as u64 != gap {
        return wrong("not up to the target");
    }
    let Some((head, zeros)) = rest.split_first_chunk::<8>() else { return Ok(()) };
    let size = u32::from_le_bytes([head[4], head[5], head[6], head[7]]);
    if head[..4] != MAGIC || u64::from(size) != zeros.len() as u64 {
        return wrong("not one skippable frame");
    }
    if zeros.iter().any(|&b| b != 0) { wrong("not zeros") } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn padme_of_known_lengths() {
        for (length, padded) in [(0, 0), (1, 1), (2, 2), (7, 7), (8, 8), (9, 10), (100, 104), (100_000, 100_352), (1 << 20, 1 << 20)] {
            assert_eq!(padme(length), padded, "{length}");
        }
    }

    #[test]
    fn targets_of_the_specification() {
        let rows = include_str!("../../SPEC.md").lines().skip_while(|l| !l.contains("| `pad` | target |")).skip(2);
        let rows = rows
            .map_while(|l| l.trim().strip_prefix("| "))
            .map(|l| l.split('|').filter_map(|n| n.trim().parse().ok()).collect::<Vec<u64>>());
        let rows: Vec<_> = rows.collect();
        assert_eq!(rows.len(), 5);
        for row in rows {
            assert_eq!(target(row[0], row[1]), row[2], "{row:?}");
        }
    }

    #[test]
    fn a_gap_too_small_for_a_frame_takes_the_next_step() {
        assert_eq!(target(100_352, 0), 100_352);
        assert_eq!(target(100_351, 0), 102_400);
        assert_eq!(target(100_344, 0), 100_352);
        assert_eq!(target(1, 5), 9 + 1, "steps of 1 and 2 until a frame fits: 5, 6, 7, 8, 10");
        assert_eq!(target(1000, 500_000), 500_000);
        assert_eq!(plain(1000, 500_000), 500_000);
    }

    proptest! {
        #[test]
        fn padding_is_at_its_target_and_checks(length in 1..300_000_usize, pad in 0..400_000_u64) {
            let mut packed = vec![1; length];
            append(&mut packed, pad).expect("fits");
            prop_assert_eq!(packed.len() as u64, target(length as u64, pad));
            prop_assert!(packed.len() as u64 >= pad && padme(length as u64) <= packed.len() as u64);
            prop_assert_eq!(check(&packed[length..], length, pad), Ok(()));
            packed.push(0);
            prop_assert!(check(&packed[length..], length, pad).is_err());
        }

        #[test]
        fn padme_costs_at_most_an_eighth(length in 9..u64::from(u32::MAX)) {
            prop_assert!(padme(length) >= length && padme(length) - length <= length / 8 + 1);
            prop_assert_eq!(padme(padme(length)), padme(length));
        }
    }
}
