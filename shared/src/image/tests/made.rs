//! Whole images of each kind, as small as they can be: pixels that no decoder would take, in the right frames.

pub(super) fn join(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

/// Two scans with a table between them, a restart and a coded FF in the data, and a thumbnail that ends inside its segment.
pub(super) fn jpeg(width: u16, height: u16) -> Vec<u8> {
    jpeg_of(height.to_be_bytes(), width, &[])
}

/// The same with a height, and something between the scans.
pub(super) fn jpeg_of(height: [u8; 2], width: u16, between: &[u8]) -> Vec<u8> {
    let jfif = [&[0xff, 0xe0, 0, 16][..], b"JFIF\0\x01\x02", &[1], &300u16.to_be_bytes(), &[1, 44, 0, 0]].concat();
    let thumbnail = [&[0xff, 0xe1, 0, 12][..], b"Exif\0\0", &[0xff, 0xd8, 0xff, 0xd9]].concat();
    let frame = [&[0xff, 0xc2, 0, 11, 8][..], &height, &width.to_be_bytes(), &[1, 1, 0x11, 0]].concat();
    let scan = [0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0, 1, 2, 0xff, 0, 3, 0xff, 0xd0, 4, 0xff, 0xd7, 5, 6, 7];
    let table = [0xff, 0xc4, 0, 4, 0xff, 0xd9];
    let parts: [&[u8]; 10] = [&[0xff, 0xd8], &jfif, &thumbnail, &[0xff, 0xff], &frame, &scan, between, &table, &scan, &[0xff, 0xff, 0xd9]];
    join(&parts)
}

pub(super) fn chunk(name: &[u8], body: &[u8]) -> Vec<u8> {
    let size = u32::try_from(body.len()).expect("small");
    join(&[&size.to_be_bytes(), name, body, &crc(&join(&[name, body])).to_be_bytes()])
}

/// One bit after the other, as the standard defines it.
fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { 0xedb8_8320 ^ (crc >> 1) } else { crc >> 1 })
    })
}

pub(super) fn png(width: u32, height: u32) -> Vec<u8> {
    let ihdr = chunk(b"IHDR", &join(&[&width.to_be_bytes(), &height.to_be_bytes(), &[8, 0, 0, 0, 0]]));
    let phys = chunk(b"pHYs", &join(&[&19685u32.to_be_bytes(), &19685u32.to_be_bytes(), &[1]]));
    join(&[b"\x89PNG\r\n\x1a\n", &ihdr, &phys, &chunk(b"IDAT", &[1, 2, 3]), &chunk(b"IEND", &[])])
}

pub(super) fn boxed(name: &[u8], body: &[u8]) -> Vec<u8> {
    let size = u32::try_from(body.len() + 8).expect("small");
    join(&[&size.to_be_bytes(), name, body])
}

/// Two tile-parts, the first of a stated length.
pub(super) fn j2c(width: u32, height: u32) -> Vec<u8> {
    let part = [&[0xff, 0x90, 0, 10, 0, 0, 0, 0, 0, 17, 0, 2, 0xff, 0x93][..], &[1, 2, 3]].concat();
    join(&[&j2c_head(width, height), &part, &open_part(), &[0xff, 0xd9]])
}

/// A last tile-part, up to the end.
pub(super) fn open_part() -> Vec<u8> {
    vec![0xff, 0x90, 0, 10, 0, 0, 0, 0, 0, 0, 1, 2, 0xff, 0x93, 7, 8, 9]
}

/// The main header.
pub(super) fn j2c_head(width: u32, height: u32) -> Vec<u8> {
    let (right, bottom) = (width.saturating_add(5).to_be_bytes(), height.saturating_add(7).to_be_bytes());
    let size = join(&[&[0, 0], &right, &bottom, &[0, 0, 0, 5, 0, 0, 0, 7], &[0; 16], &[0, 1, 7, 1, 1]]);
    join(&[&[0xff, 0x4f, 0xff, 0x51, 0, 41], &size, &[0xff, 0x52, 0, 4, 0xff, 0xd9], &[0xff, 0x64, 0, 3, 9]])
}

pub(super) fn jp2_around(width: u32, height: u32, codestream: &[u8]) -> Vec<u8> {
    let ihdr = boxed(b"ihdr", &join(&[&height.to_be_bytes(), &width.to_be_bytes(), &[0, 1, 7, 7, 0, 0]]));
    let resc = boxed(b"resc", &[0x4c, 0xe5, 0, 1, 0x4c, 0xe5, 0, 1, 0, 0]);
    let header = boxed(b"jp2h", &join(&[&ihdr, &boxed(b"res ", &resc)]));
    join(&[&boxed(b"jP  ", b"\r\n\x87\n"), &boxed(b"ftyp", b"jp2 \0\0\0\0jp2 "), &header, &boxed(b"jp2c", codestream)])
}

pub(super) fn jp2(width: u32, height: u32) -> Vec<u8> {
    jp2_around(width, height, &j2c(width, height))
}

pub(super) fn wsq(width: u16, height: u16) -> Vec<u8> {
    let comment = b"NIST_COM 9\nPIX_WIDTH 1\nPPI 500\nLOSSY 1\n";
    let length = u16::try_from(comment.len() + 2).expect("small");
    let frame = join(&[&[0xff, 0xa2, 0, 17, 0, 255], &height.to_be_bytes(), &width.to_be_bytes(), &[0; 9]]);
    join(&[
        &[0xff, 0xa0, 0xff, 0xa8],
        &length.to_be_bytes(),
        comment,
        &frame,
        &[0xff, 0xa3, 0, 3, 0, 1, 0xff, 0, 2],
        &[0xff, 0xa6, 0, 3, 0],
        &[0xff, 0xa3, 0, 3, 1, 3, 4],
        &[0xff, 0xa1],
    ])
}

/// A finger record of 2011 with one quality block.
pub(super) fn finger_2011(compression: u8, width: u16, height: u16, image: &[u8]) -> Vec<u8> {
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

pub(super) fn finger_2005(compression: u8, width: u16, height: u16, image: &[u8]) -> Vec<u8> {
    let own = u32::try_from(image.len() + 14).expect("small");
    let head = [0, 0, 0, 30, 1, 1, 1, 0xf4, 1, 0xf4, 1, 0xf4, 1, 0xf4, 8, compression, 0, 0];
    let finger = join(&[&own.to_be_bytes(), &[7, 1, 1, 80, 0], &width.to_be_bytes(), &height.to_be_bytes(), &[0]]);
    join(&[b"FIR\x00010\0\0\0", &(own + 32).to_be_bytes(), &head, &finger, image])
}

pub(super) fn face_2011(slack: usize, kind: u8, width: u16, height: u16, image: &[u8]) -> Vec<u8> {
    let size = u32::try_from(image.len()).expect("small");
    let point = [1; 8];
    let fields = join(&[&[0; 14], &[1, 80, 0, 1, 0, 1], &[0, 1], &[0; 15], &point, &vec![0; slack], &[0, kind], &width.to_be_bytes()]);
    let body = join(&[&fields, &height.to_be_bytes(), &[0, 0, 1, 0, 1], &size.to_be_bytes(), image]);
    let own = u32::try_from(body.len() + 4).expect("small");
    join(&[b"FAC\x00030\0", &(own + 17).to_be_bytes(), &[0, 1, 0, 0, 0], &own.to_be_bytes(), &body])
}

pub(super) fn face_2005(width: u16, height: u16, image: &[u8]) -> Vec<u8> {
    let body = join(&[&[0, 0], &[0; 14], &[1, 0], &width.to_be_bytes(), &height.to_be_bytes(), &[1, 2, 0, 0, 0, 0], image]);
    let own = u32::try_from(body.len() + 4).expect("small");
    join(&[b"FAC\x00010\0", &(own + 14).to_be_bytes(), &[0, 1], &own.to_be_bytes(), &body])
}

pub(super) fn iris_2011(format: u8, width: u16, height: u16, image: &[u8]) -> Vec<u8> {
    let size = u32::try_from(image.len()).expect("small");
    let fields = join(&[&[0; 14], &[1, 80, 0, 1, 0, 1], &[0, 1, 1, 3, format, 64], &width.to_be_bytes()]);
    let body = join(&[&fields, &height.to_be_bytes(), &[8], &[0; 18], &size.to_be_bytes(), image]);
    let own = u32::try_from(body.len() + 4).expect("small");
    join(&[b"IIR\x00020\0", &(own + 16).to_be_bytes(), &[0, 1, 0, 1], &own.to_be_bytes(), &body])
}

pub(super) fn iris_2005(format: u8, width: u16, height: u16, image: &[u8]) -> Vec<u8> {
    let size = u32::try_from(image.len()).expect("small");
    let head = join(&[&[0, 7, 1, 0, 45, 0, 0, 0, 0, 0, format], &width.to_be_bytes(), &height.to_be_bytes(), &[8, 0], &[0; 16]]);
    let body = join(&[&head, &[1, 0, 1], &[0, 1, 77, 0, 0, 0, 0], &size.to_be_bytes(), image]);
    join(&[b"IIR\x00010\0", &(u32::try_from(body.len()).expect("small") + 12).to_be_bytes(), &body])
}

/// A template of two minutiae, and three bytes that its maker added.
pub(super) fn minutiae_2005(position: u8) -> Vec<u8> {
    let head = [0, 7, 1, 0x18, 1, 0xc0, 0, 197, 0, 197, 1, 0, position, 0x10, 88, 2];
    let body = join(&[&head, &[1; 12], &[0, 3, 9, 9, 9]]);
    join(&[b"FMR\0 20\0", &(u32::try_from(body.len()).expect("small") + 12).to_be_bytes(), &body])
}

pub(super) fn minutiae_2011(position: u8) -> Vec<u8> {
    let body = join(&[
        &[0; 10],
        &[0, 7, 0, 9],
        &[1, 255, 0, 1, 0, 1],
        &[position, 0, 0, 197, 0, 197, 0, 1, 0x18, 1, 0xc0, 0x50, 2],
        &[1; 10],
        &[0, 0],
    ]);
    let own = u32::try_from(body.len() + 4).expect("small");
    join(&[b"FMR\x00030\0", &(own + 15).to_be_bytes(), &[0, 1, 0], &own.to_be_bytes(), &body])
}

/// Saved for the web: the first `%%EOF` stands behind the first page.
pub(super) fn pdf() -> Vec<u8> {
    let first = b"%PDF-1.4\n%\xe2\xe3\n1 0 obj <<>> endobj\nxref\ntrailer <<>>\nstartxref\n0\n%%EOF\n";
    join(&[first, b"2 0 obj <<>> endobj\nxref\n0 0\ntrailer <<>>\nstartxref\n36\n%%EOF\n"])
}

/// One good file of every kind.
pub(super) fn good() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("image/jpeg", jpeg(413, 531)),
        ("image/png", png(400, 500)),
        ("image/jp2", jp2(240, 320)),
        ("image/j2c", j2c(240, 320)),
        ("image/wsq", wsq(804, 748)),
        ("image/iso19794-4", finger_2011(2, 280, 448, &wsq(280, 448))),
        ("image/iso19794-4", finger_2011(5, 280, 448, &jp2(280, 448))),
        ("image/iso19794-4", finger_2005(3, 280, 448, &jpeg(280, 448))),
        ("image/iso19794-4", finger_2005(0, 3, 5, &[9; 15])),
        ("image/iso19794-5", face_2011(0, 2, 240, 320, &jp2(240, 320))),
        ("image/iso19794-5", face_2011(4, 2, 240, 320, &jp2(240, 320))),
        ("image/iso19794-5", face_2005(240, 320, &jpeg(240, 320))),
        ("image/iso19794-6", iris_2011(10, 397, 299, &jp2(397, 299))),
        ("image/iso19794-6", iris_2011(2, 4, 4, &[9; 16])),
        ("image/iso19794-6", iris_2005(14, 397, 299, &jp2(397, 299))),
        ("image/iso19794-6", iris_2005(2, 4, 4, &[9; 16])),
        ("application/iso19794-2", minutiae_2005(7)),
        ("application/iso19794-2", minutiae_2011(7)),
        ("application/pdf", pdf()),
    ]
}
