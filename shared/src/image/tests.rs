use std::path::PathBuf;

use proptest::prelude::*;

use super::*;

fn code(media_type: &str, bytes: &[u8]) -> Option<Code> {
    read_header(media_type, bytes).err().map(|p| p.code)
}

fn read(media_type: &str, bytes: &[u8]) -> (u32, u32, Option<u32>) {
    let header = read_header(media_type, bytes).unwrap_or_else(|p| panic!("{media_type}: {p}"));
    assert_eq!(header.kind.media_type(), media_type);
    (header.width, header.height, header.dpi)
}

fn join(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

fn jpeg(width: u16, height: u16) -> Vec<u8> {
    let jfif = [&[0xff, 0xe0, 0, 16][..], b"JFIF\0\x01\x02", &[1], &300u16.to_be_bytes(), &[1, 44, 0, 0]].concat();
    let frame = [&[0xff, 0xc0, 0, 11, 8][..], &height.to_be_bytes(), &width.to_be_bytes(), &[1, 1, 0x11, 0]].concat();
    join(&[&[0xff, 0xd8], &jfif, &[0xff, 0xfe, 0, 4, b'h', b'i'], &[0xff, 0xff], &frame, &[0xff, 0xda, 0, 2]])
}

fn chunk(name: &[u8], body: &[u8]) -> Vec<u8> {
    let size = u32::try_from(body.len()).expect("small");
    join(&[&size.to_be_bytes(), name, body, &[0; 4]])
}

fn png(width: u32, height: u32) -> Vec<u8> {
    let ihdr = chunk(b"IHDR", &join(&[&width.to_be_bytes(), &height.to_be_bytes(), &[8, 0, 0, 0, 0]]));
    let phys = chunk(b"pHYs", &join(&[&19685u32.to_be_bytes(), &19685u32.to_be_bytes(), &[1]]));
    join(&[b"\x89PNG\r\n\x1a\n", &ihdr, &phys, &chunk(b"IDAT", &[1, 2, 3]), &chunk(b"IEND", &[])])
}

fn boxed(name: &[u8], body: &[u8]) -> Vec<u8> {
    let size = u32::try_from(body.len() + 8).expect("small");
    join(&[&size.to_be_bytes(), name, body])
}

fn j2c(width: u32, height: u32) -> Vec<u8> {
    join(&[&[0xff, 0x4f, 0xff, 0x51, 0, 41, 0, 0], &(width + 5).to_be_bytes(), &(height + 7).to_be_bytes(), &[0, 0, 0, 5, 0, 0, 0, 7]])
}

fn jp2_around(width: u32, height: u32, codestream: &[u8]) -> Vec<u8> {
    let ihdr = boxed(b"ihdr", &join(&[&height.to_be_bytes(), &width.to_be_bytes(), &[0, 1, 7, 7, 0, 0]]));
    let resc = boxed(b"resc", &[0x4c, 0xe5, 0, 1, 0x4c, 0xe5, 0, 1, 0, 0]);
    let header = boxed(b"jp2h", &join(&[&ihdr, &boxed(b"res ", &resc)]));
    join(&[&boxed(b"jP  ", b"\r\n\x87\n"), &boxed(b"ftyp", b"jp2 \0\0\0\0jp2 "), &header, &boxed(b"jp2c", codestream)])
}

fn jp2(width: u32, height: u32) -> Vec<u8> {
    jp2_around(width, height, &j2c(width, height))
}

fn wsq(width: u16, height: u16) -> Vec<u8> {
    let comment = b"NIST_COM 9\nPIX_WIDTH 1\nPPI 500\nLOSSY 1\n";
    let length = u16::try_from(comment.len() + 2).expect("small");
    let frame = join(&[&[0xff, 0xa2, 0, 17, 0, 255], &height.to_be_bytes(), &width.to_be_bytes(), &[0; 9]]);
    join(&[&[0xff, 0xa0, 0xff, 0xa8], &length.to_be_bytes(), comment, &frame, &[0xff, 0xa3]])
}

/// A finger record of 2011 with one quality block.
fn finger_2011(compression: u8, width: u16, height: u16, image: &[u8]) -> Vec<u8> {
    let size = u32::try_from(image.len()).expect("small");
    let fields = join(&[
        &[0; 9],
        &[0; 5],
        &[1, 80, 0, 1, 0, 1],
        &[7, 0, 1, 1, 0xf4, 1, 0xf4, 1, 0xf4, 1, 0xf4, 8, compression, 29],
        &width.to_be_bytes(),
        &height.to_be_bytes(),
    ]);
    let body = join(&[&fields, &size.to_be_bytes(), image]);
    let own = u32::try_from(body.len() + 4).expect("small");
    join(&[b"FIR\x00020\0", &(own + 16).to_be_bytes(), &[0, 1, 0, 1], &own.to_be_bytes(), &body])
}

fn finger_2005(compression: u8, width: u16, height: u16, image: &[u8]) -> Vec<u8> {
    let own = u32::try_from(image.len() + 14).expect("small");
    let head = [0, 0, 0, 30, 1, 1, 1, 0xf4, 1, 0xf4, 1, 0xf4, 1, 0xf4, 8, compression, 0, 0];
    let finger = join(&[&own.to_be_bytes(), &[7, 1, 1, 80, 0], &width.to_be_bytes(), &height.to_be_bytes(), &[0]]);
    join(&[b"FIR\x00010\0\0\0", &(own + 32).to_be_bytes(), &head, &finger, image])
}

fn face_2011(slack: usize, kind: u8, width: u16, height: u16, image: &[u8]) -> Vec<u8> {
    let size = u32::try_from(image.len()).expect("small");
    let point = [1; 8];
    let fields = join(&[&[0; 14], &[1, 80, 0, 1, 0, 1], &[0, 1], &[0; 15], &point, &vec![0; slack], &[0, kind], &width.to_be_bytes()]);
    let body = join(&[&fields, &height.to_be_bytes(), &[0, 0, 1, 0, 1], &size.to_be_bytes(), image]);
    let own = u32::try_from(body.len() + 4).expect("small");
    join(&[b"FAC\x00030\0", &(own + 17).to_be_bytes(), &[0, 1, 0, 0, 0], &own.to_be_bytes(), &body])
}

fn face_2005(width: u16, height: u16, image: &[u8]) -> Vec<u8> {
    let body = join(&[&[0, 0], &[0; 14], &[1, 0], &width.to_be_bytes(), &height.to_be_bytes(), &[1, 2, 0, 0, 0, 0], image]);
    let own = u32::try_from(body.len() + 4).expect("small");
    join(&[b"FAC\x00010\0", &(own + 14).to_be_bytes(), &[0, 1], &own.to_be_bytes(), &body])
}

fn iris_2011(format: u8, width: u16, height: u16, image: &[u8]) -> Vec<u8> {
    let size = u32::try_from(image.len()).expect("small");
    let fields = join(&[&[0; 14], &[1, 80, 0, 1, 0, 1], &[0, 1, 1, 3, format, 64], &width.to_be_bytes()]);
    let body = join(&[&fields, &height.to_be_bytes(), &[8], &[0; 18], &size.to_be_bytes(), image]);
    let own = u32::try_from(body.len() + 4).expect("small");
    join(&[b"IIR\x00020\0", &(own + 16).to_be_bytes(), &[0, 1, 0, 1], &own.to_be_bytes(), &body])
}

/// One good file of every kind.
fn good() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("image/jpeg", jpeg(413, 531)),
        ("image/png", png(400, 500)),
        ("image/jp2", jp2(240, 320)),
        ("image/j2c", j2c(240, 320)),
        ("image/wsq", wsq(804, 748)),
        ("image/iso19794-4", finger_2011(2, 280, 448, &wsq(280, 448))),
        ("image/iso19794-4", finger_2011(5, 280, 448, &jp2(280, 448))),
        ("image/iso19794-4", finger_2005(0, 3, 5, &[9; 15])),
        ("image/iso19794-5", face_2011(0, 2, 240, 320, &jp2(240, 320))),
        ("image/iso19794-5", face_2011(4, 2, 240, 320, &jp2(240, 320))),
        ("image/iso19794-5", face_2005(240, 320, &jpeg(240, 320))),
        ("image/iso19794-6", iris_2011(10, 397, 299, &jp2(397, 299))),
        ("image/iso19794-6", iris_2011(2, 4, 4, &[9; 16])),
    ]
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
    assert_eq!(code("image/iso19794-4", &finger_2011(0, 300, 300, &[9; 15])), Some(Code::ImageInvalid), "raw pixels missing");
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
    assert_eq!(code("image/jpeg", &fill), Some(Code::ImageInvalid));
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
        (3, 5, Some(500)),
        (240, 320, Some(500)),
        (240, 320, Some(500)),
        (240, 320, Some(300)),
        (397, 299, Some(500)),
        (4, 4, None),
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

#[test]
fn every_cut_is_refused() {
    for (media_type, bytes) in good() {
        // what stands after the size is not the header's business; the codestream ends with its size here
        let needed = (0..=bytes.len()).find(|n| read_header(media_type, &bytes[..*n]).is_ok()).expect("the whole is fine");
        assert!(needed > 20, "{media_type}");
        if media_type.contains("iso") {
            assert_eq!(needed, bytes.len(), "{media_type}: a record states its own length");
        }
    }
}

proptest! {
    /// Whatever the bytes: an answer, within limits, in no time and without a panic.
    #[test]
    fn any_bytes_get_an_answer(kind in 0..13usize, cut in any::<prop::sample::Index>(), flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12)) {
        let (media_type, mut bytes) = good().swap_remove(kind);
        for (at, value) in flips {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        for bytes in [&bytes[..], &bytes[..cut.index(bytes.len())]] {
            if let Ok(header) = read_header(media_type, bytes) {
                prop_assert!(header.width <= MAX_SIDE && header.height <= MAX_SIDE && header.width > 0 && header.height > 0);
            }
        }
    }

    #[test]
    fn random_bytes_after_any_magic(kind in 0..8usize, tail in prop::collection::vec(any::<u8>(), 0..400)) {
        let kind = ImageKind::ALL[kind];
        let _ = read_header(kind.media_type(), &join(&[kind.magic(), &tail]));
        let _ = read_header(kind.media_type(), &tail);
    }
}

/// The folder of real samples, where there is one.
fn samples() -> Option<PathBuf> {
    let beside = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data"));
    let folder = std::env::var_os("ENROL_TEST_DATA").map_or_else(beside, PathBuf::from).join("biometrics");
    if folder.is_dir() {
        return Some(folder);
    }
    crate::skipped::skip(format_args!("no samples in {}", folder.display()));
    None
}

fn files(folder: &std::path::Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("readable").map(|e| e.expect("readable").path()) {
        if entry.is_dir() { files(&entry, found) } else { found.push(entry) }
    }
}

#[test]
fn real_files_are_read() {
    let Some(folder) = samples() else { return };
    let mut all = Vec::new();
    files(&folder, &mut all);
    let mut read = 0;
    for path in all {
        let name = path.file_name().expect("a file").to_string_lossy().into_owned();
        let media_type = match name.rsplit('.').next().expect("one at least") {
            "png" => "image/png",
            "jpg" => "image/jpeg",
            "jp2" => "image/jp2",
            "wsq" => "image/wsq",
            "iso" if !name.contains(".fmr.") => "image/iso19794-4",
            _ => continue,
        };
        let bytes = std::fs::read(&path).expect("readable");
        if name.starts_with("invalid_") || name.contains("encrypted") {
            assert_eq!(code(media_type, &bytes), Some(Code::ImageInvalid), "{name}");
            continue;
        }
        let media_type = match ImageKind::of(&bytes) {
            Some(kind @ (ImageKind::Face | ImageKind::Iris)) => kind.media_type(),
            _ => media_type,
        };
        let header = read_header(media_type, &bytes).unwrap_or_else(|p| panic!("{}: {p}", path.display()));
        if matches!(header.kind, ImageKind::Finger) || (header.kind == ImageKind::Wsq && header.dpi.is_some()) {
            assert!(matches!(header.dpi, Some(490..=510)), "{name}: {header:?}");
        }
        println!("{name}: {} × {}, {:?} dpi", header.width, header.height, header.dpi);
        read += 1;
    }
    assert!(read > 80, "only {read} files were read");
}
