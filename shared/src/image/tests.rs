use proptest::prelude::*;

use self::made::*;
use super::*;

mod ends;
mod made;
mod real;
mod says;

fn code(media_type: &str, bytes: &[u8]) -> Option<Code> {
    super::read(media_type, bytes).err().map(|p| p.code)
}

fn read(media_type: &str, bytes: &[u8]) -> (u32, u32, Option<u32>) {
    let header = super::read(media_type, bytes).unwrap_or_else(|p| panic!("{media_type}: {p}"));
    assert_eq!(header.kind.media_type(), media_type);
    (header.width, header.height, header.dpi)
}

#[test]
fn another_kind_than_promised_is_refused() {
    for (media_type, bytes) in good() {
        for kind in ImageKind::ALL.iter().filter(|k| k.media_type() != media_type) {
            assert_eq!(code(kind.media_type(), &bytes), Some(Code::ImageInvalid), "{media_type} as {kind:?}");
        }
    }
    assert_eq!(code("image/gif", b"GIF89a"), Some(Code::ImageInvalid));
    assert_eq!(code("image/png", b""), Some(Code::ImageInvalid));
}

#[test]
fn too_many_pixels_are_refused() {
    assert_eq!(code("image/png", &png(10_001, 1)), Some(Code::ImageTooLarge), "side");
    assert_eq!(code("image/png", &png(10_000, 6_401)), Some(Code::ImageTooLarge), "pixels");
    assert_eq!(code("image/png", &png(u32::MAX, u32::MAX)), Some(Code::ImageTooLarge));
    assert_eq!(read("image/png", &png(10_000, 6_400)), (10_000, 6_400, Some(500)));
    assert_eq!(code("image/jpeg", &jpeg(65_535, 65_535)), Some(Code::ImageTooLarge));
    assert_eq!(code("image/jp2", &jp2(10_001, 10)), Some(Code::ImageTooLarge));
    assert_eq!(code("image/iso19794-4", &finger_2011(2, 10_001, 9, &wsq(10_001, 9))), Some(Code::ImageTooLarge));
}

#[test]
fn no_pixels_are_refused() {
    for bytes in [jpeg(0, 9), jpeg(9, 0)] {
        assert_eq!(code("image/jpeg", &bytes), Some(Code::ImageInvalid));
    }
    assert_eq!(code("image/png", &png(0, 9)), Some(Code::ImageInvalid));
    assert_eq!(code("image/wsq", &wsq(9, 0)), Some(Code::ImageInvalid));
    assert_eq!(code("image/iso19794-4", &finger_2005(0, 0, 5, &[])), Some(Code::ImageInvalid));
}

#[test]
fn two_sizes_in_one_image_are_refused() {
    assert_eq!(code("image/jp2", &jp2_around(240, 320, &j2c(9_000, 7_000))), Some(Code::ImageInvalid));
    assert_eq!(code("image/iso19794-4", &finger_2011(2, 280, 448, &wsq(281, 448))), Some(Code::ImageInvalid));
    assert_eq!(code("image/iso19794-5", &face_2011(0, 2, 240, 321, &jp2(240, 320))), Some(Code::ImageInvalid));
    assert_eq!(code("image/iso19794-6", &iris_2011(10, 1, 299, &jp2(397, 299))), Some(Code::ImageInvalid));
}

#[test]
fn another_image_inside_than_the_record_names_is_refused() {
    assert_eq!(code("image/iso19794-4", &finger_2011(2, 240, 320, &jp2(240, 320))), Some(Code::ImageInvalid));
    assert_eq!(code("image/iso19794-5", &face_2011(0, 0, 240, 320, &jp2(240, 320))), Some(Code::ImageInvalid));
    let inner = finger_2011(2, 240, 320, &wsq(240, 320));
    assert_eq!(code("image/iso19794-4", &finger_2011(2, 240, 320, &inner)), Some(Code::ImageInvalid), "a record in a record");
    assert_eq!(code("image/iso19794-4", &finger_2011(0, 300, 300, &[9; 15])), Some(Code::ImageCut), "raw pixels missing");
}

#[test]
fn two_images_in_a_record_are_refused() {
    let mut bytes = finger_2011(2, 280, 448, &wsq(280, 448));
    bytes[13] = 2;
    assert_eq!(code("image/iso19794-4", &bytes), Some(Code::ImageInvalid));
}

#[test]
fn endless_segments_boxes_and_chunks_are_refused() {
    let jpeg = join(&[&[0xff, 0xd8], &[0xff, 0xfe, 0, 2].repeat(100_000)]);
    assert_eq!(code("image/jpeg", &jpeg), Some(Code::ImageInvalid));
    let fill = join(&[&[0xff, 0xd8], &vec![0xff; 1_000_000]]);
    assert_eq!(code("image/jpeg", &fill), Some(Code::ImageCut));
    let png = join(&[&png(9, 9)[..33], &chunk(b"tEXt", b"").repeat(100_000)]);
    assert_eq!(code("image/png", &png), Some(Code::ImageInvalid));
    let jp2 = join(&[&jp2(9, 9)[..12], &boxed(b"free", b"").repeat(100_000)]);
    assert_eq!(code("image/jp2", &jp2), Some(Code::ImageInvalid));
    let wsq = join(&[&[0xff, 0xa0], &[0xff, 0xa8, 0, 2].repeat(100_000)]);
    assert_eq!(code("image/wsq", &wsq), Some(Code::ImageInvalid));
}

#[test]
fn sizes_and_resolutions_are_read() {
    let expected = [
        (413, 531, Some(300)),
        (400, 500, Some(500)),
        (240, 320, Some(500)),
        (240, 320, None),
        (804, 748, Some(500)),
        (280, 448, Some(500)),
        (280, 448, Some(500)),
        (280, 448, Some(500)),
        (3, 5, Some(500)),
        (240, 320, Some(500)),
        (240, 320, Some(500)),
        (240, 320, Some(300)),
        (397, 299, Some(500)),
        (4, 4, None),
        (397, 299, Some(500)),
        (4, 4, None),
        (280, 448, Some(500)),
        (280, 448, Some(500)),
        (0, 0, None),
    ];
    for ((media_type, bytes), expected) in good().into_iter().zip(expected) {
        assert_eq!(read(media_type, &bytes), expected, "{media_type}");
    }
}

#[test]
fn absurd_resolutions_are_none() {
    assert_eq!(dpi(0, 500, 1, 1), None);
    assert_eq!(dpi(u64::MAX, u64::MAX, 254, 1), None);
    assert_eq!(dpi(19_685, 19_685, 254, 10_000), Some(500));
    let mut bytes = jp2(240, 320);
    let at = bytes.windows(4).position(|w| w == b"resc").expect("there") + 4;
    bytes[at + 2..at + 4].fill(0); // a denominator of 0
    assert_eq!(read("image/jp2", &bytes), (240, 320, None));
    bytes[at + 8] = 127; // 10 to the 127th
    assert_eq!(read("image/jp2", &bytes), (240, 320, None));
}

#[test]
fn an_unknown_resolution_of_wsq_is_none() {
    let mut bytes = wsq(9, 9);
    let at = bytes.windows(3).position(|w| w == b"500").expect("there");
    bytes[at..at + 3].copy_from_slice(b"255");
    assert_eq!(read("image/wsq", &bytes), (9, 9, None));
    bytes[at..at + 3].copy_from_slice(b"-1 ");
    assert_eq!(read("image/wsq", &bytes), (9, 9, None));
}

proptest! {
    /// Whatever the bytes: an answer, within limits, in no time and without a panic.
    #[test]
    fn any_bytes_get_an_answer(kind in 0..19usize, cut in any::<prop::sample::Index>(), flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12)) {
        let (media_type, mut bytes) = good().swap_remove(kind);
        for (at, value) in flips {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        for bytes in [&bytes[..], &bytes[..cut.index(bytes.len())]] {
            let header = super::read(media_type, bytes).ok().filter(|header| header.kind.has_pixels());
            if let Some(header) = header {
                prop_assert!(header.width <= MAX_SIDE && header.height <= MAX_SIDE && header.width > 0 && header.height > 0);
            }
        }
    }

    #[test]
    fn random_bytes_after_any_magic(kind in 0..10usize, tail in prop::collection::vec(any::<u8>(), 0..400)) {
        let kind = ImageKind::ALL[kind];
        let _ = super::read(kind.media_type(), &join(&[kind.magic(), &tail]));
        let _ = super::read(kind.media_type(), &tail);
    }
}

#[test]
fn a_display_resolution_is_no_capture_resolution() {
    let mut bytes = jp2(240, 320);
    assert_eq!(read("image/jp2", &bytes).2, Some(500));
    let at = bytes.windows(4).position(|w| w == b"resc").expect("there");
    bytes[at + 3] = b'd';
    assert_eq!(read("image/jp2", &bytes).2, None);
}

#[test]
fn kinds_that_are_not_taken_are_refused_by_name() {
    for (bytes, name) in [
        (&b"II*\0\x08\0\0\0"[..], "TIFF"),
        (b"MM\0*\0\0\0\x08", "TIFF"),
        (b"BM\x36\0\0\0", "BMP"),
        (b"P5\n9 9\n255\n", "PGM"),
        (b"GIF89a", "GIF"),
        (b"\0\0\0\x18ftypheic", "HEIC"),
        (b"%PDF-1.4", "application/pdf"),
    ] {
        let problem = super::read("image/png", bytes).expect_err("no PNG");
        assert_eq!(problem.code, Code::ImageInvalid);
        assert!(problem.detail.contains(name) && (problem.detail.contains("save it") || problem.detail.contains("attach it")), "{problem}");
    }
}
