use std::{
    fs,
    io::{Cursor, Write as _},
};

use ::tar::EntryType::{self, Char, Directory, GNULongName, Link, Regular, Symlink, XGlobalHeader, XHeader};
use shared::record::MAX_PARTS;

use super::*;

const JSON: &[u8] = br#"{"format":"enroll-input/v1","form":"national-id/1","transaction":"new","person":{},"parts":[]}"#;

type Members<'a> = [(&'a str, EntryType, &'a [u8])];

fn tar(entries: &Members<'_>) -> Vec<u8> {
    let mut builder = ::tar::Builder::new(Vec::new());
    for (name, kind, bytes) in entries {
        let mut header = ::tar::Header::new_ustar();
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(*kind);
        header.set_size(bytes.len() as u64);
        header.set_cksum();
        builder.append(&header, *bytes).expect("appended");
    }
    builder.into_inner().expect("finished")
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("compressed");
    encoder.finish().expect("finished")
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    ::zstd::encode_all(bytes, 1).expect("compressed")
}

fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ::zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (n, (name, bytes)) in members.iter().enumerate() {
        let method = if n % 2 == 0 { ::zip::CompressionMethod::Deflated } else { ::zip::CompressionMethod::Stored };
        let options = ::zip::write::SimpleFileOptions::default().compression_method(method);
        if name.ends_with('/') {
            writer.add_directory(*name, options).expect("added");
        } else {
            writer.start_file(*name, options).expect("begun");
            writer.write_all(bytes).expect("written");
        }
    }
    writer.finish().expect("finished").into_inner()
}

struct Read {
    residents: Vec<Result<Vec<Vec<u8>>, Code>>,
    left: Vec<(String, Why)>,
}

/// The files of each resident of an archive, and what was left.
fn read(bytes: &[u8]) -> Result<Read, Problem> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("archive");
    fs::write(&path, bytes).expect("written");
    let mut left = Vec::new();
    let packed = Packed::open(&path, &mut |one| left.push(one))?;
    let mut residents = Vec::new();
    for resident in packed {
        left.extend(resident.left);
        residents.push(resident.source.map(|source| source.files.into_values().collect()).map_err(|p| p.code));
    }
    let left = left.into_iter().map(|one| {
        let inside = one.path.strip_prefix(&path).expect("below the archive");
        (inside.to_string_lossy().into_owned(), one.why)
    });
    Ok(Read { residents, left: left.collect() })
}

fn one(entries: &Members<'_>) -> (usize, Option<Code>, Vec<(String, Why)>) {
    let read = read(&tar(entries)).expect("a whole tar");
    let first = read.residents.iter().find_map(|resident| resident.as_ref().err().copied());
    (read.residents.len(), first, read.left)
}

fn left(path: &str, why: Why) -> Vec<(String, Why)> {
    vec![(path.to_owned(), why)]
}

#[test]
fn only_plain_files_are_read_and_what_else_lies_with_a_resident_is_named() {
    for (kind, why) in [(Link, Why::Link), (Symlink, Why::Link), (Char, Why::NotAFile)] {
        let found = one(&[("a/resident.json", Regular, JSON), ("a/face.jpg", kind, b"")]);
        assert_eq!(found, (1, Some(Code::InputUnreadable), left("a/face.jpg", why)), "{kind:?}");
        let found = one(&[("a/resident.json", Regular, JSON), ("face.jpg", kind, b"")]);
        assert_eq!(found, (1, None, left("face.jpg", why)), "beside a resident it is in nobody's way");
    }
    let found = one(&[("a/resident.json", Regular, JSON), ("a/b/face.jpg", Regular, b"x")]);
    assert_eq!(found, (1, Some(Code::InputUnreadable), left("a/b", Why::FolderInside)));
    let found = one(&[("a/resident.json", Regular, JSON), ("a/f.jpg", Regular, b"x"), ("a/f.jpg", Regular, b"y")]);
    assert_eq!(found, (1, Some(Code::InputUnreadable), left("a/f.jpg", Why::Name)), "twice");
    let found = one(&[("a/resident.json", Regular, JSON), ("a/../b", Regular, b"x")]);
    assert_eq!(found, (1, None, left("a/../b", Why::Name)));
    assert_eq!(one(&[("a/face.jpg", Regular, b"x")]), (0, None, left("", Why::NoResident)));
    assert_eq!(read(&tar(&[])).map(drop).map_err(|p| p.code), Err(Code::InputUnreadable), "no archive, or an empty one");
}

#[test]
fn one_rule_for_every_packing() {
    let members = [
        ("./day/", &b""[..]),
        ("day/1/Resident.JSON", JSON),
        ("day/1/FACE 1.JPG", b"one"),
        ("day/1/.DS_Store", b"x"),
        ("__MACOSX/day/1/._FACE 1.JPG", b"x"),
        ("day/2/a/b/c/resident.json", JSON),
        ("day/notes.txt", b"x"),
        ("day/more.zip", b"x"),
    ];
    let entries: Vec<_> =
        members.iter().map(|(name, bytes)| (*name, if name.ends_with('/') { Directory } else { Regular }, *bytes)).collect();
    let plain = tar(&entries);
    for (how, bytes) in [
        ("tar", plain.clone()),
        ("gz", gzip(&plain)),
        ("two gz", [gzip(&plain[..700]), gzip(&plain[700..])].concat()),
        ("zst", zstd(&plain)),
        ("zip", zip(&members)),
    ] {
        let read = read(&bytes).unwrap_or_else(|p| panic!("{how}: {p}"));
        assert_eq!(read.residents, [Ok(vec![b"one".to_vec()]), Ok(vec![])], "{how}");
        let mut found = read.left;
        found.sort();
        let expected = [("day/1/FACE 1.JPG", Why::Unnamed), ("day/more.zip", Why::ArchiveInside), ("day/notes.txt", Why::NoDescription)];
        assert_eq!(found, expected.map(|(path, why)| (path.to_owned(), why)), "{how}");
        // cut off, it is refused: nobody behind a cut is forgotten
        for cut in [bytes.len() / 2, bytes.len() - 1].into_iter().filter(|_| how != "tar") {
            assert_eq!(super::tests::read(&bytes[..cut]).map(drop).map_err(|p| p.code), Err(Code::InputUnreadable), "{how}, {cut} bytes");
        }
    }
}

#[test]
fn one_that_does_not_fit_stops_no_other_of_its_archive() {
    let members: [(&str, &[u8]); 3] = [("a/resident.json", JSON), ("b/resident.json", b"{}"), ("c/resident.json", JSON)];
    let entries = members.map(|(name, bytes)| (name, Regular, bytes));
    for bytes in [tar(&entries), zip(&members)] {
        let read: Vec<bool> = read(&bytes).expect("whole").residents.iter().map(Result::is_ok).collect();
        assert_eq!(read, [true, false, true]);
    }
}

#[test]
fn files_of_one_folder_may_lie_apart() {
    let apart: [(&str, EntryType, &[u8]); 4] = [
        ("a/face.jpg", Regular, b"one"),
        ("b/resident.json", Regular, JSON),
        ("b/face.jpg", Regular, b"two"),
        ("a/resident.json", Regular, JSON),
    ];
    for bytes in [tar(&apart), gzip(&tar(&apart)), zstd(&tar(&apart))] {
        let faces = read(&bytes).expect("two residents").residents;
        assert_eq!(faces, [Ok(vec![b"one".to_vec()]), Ok(vec![b"two".to_vec()])]);
    }
}

#[test]
fn a_compressed_tar_is_unpacked_a_few_times_only() {
    let (mut names, last) = (Vec::new(), 40);
    (0..last).for_each(|n| names.push(format!("{n:02}/a")));
    (0..last).rev().for_each(|n| names.push(format!("{n:02}/resident.json")));
    let entries: Vec<_> = names.iter().map(|name| (name.as_str(), Regular, if name.ends_with('a') { &b"x"[..] } else { JSON })).collect();
    let plain = tar(&entries);
    let good = |bytes: &[u8]| read(bytes).expect("whole").residents.iter().filter(|resident| resident.is_ok()).count();
    assert_eq!(good(&plain), last);
    assert!((5..last).contains(&good(&zstd(&plain))), "the others are refused, not forgotten");
}

#[test]
fn words_about_a_member_give_its_name_and_nothing_else() {
    let word = |key: &str, value: &str| {
        let rest = format!(" {key}={value}\n");
        let length = (1..200).find(|n: &usize| n.to_string().len() + rest.len() == *n).expect("short");
        format!("{length}{rest}")
    };
    let long = format!("{}/resident.json", "x".repeat(150));
    let times = word("mtime", "1790000000.123456789") + &word("LIBARCHIVE.creationtime", "1790000000");
    let named = word("path", &long) + &times;
    let found = one(&[
        ("pax_global_header", XGlobalHeader, word("comment", "by nobody").as_bytes()),
        ("PaxHeaders/0", XHeader, times.as_bytes()),
        ("a/resident.json", Regular, JSON),
        ("PaxHeaders/1", XHeader, named.as_bytes()),
        ("short", Regular, JSON),
        ("././@LongLink", GNULongName, format!("y{long}\0").as_bytes()),
        ("short", Regular, JSON),
        ("label", EntryType::new(b'V'), b""),
        ("PaxHeaders/2", XHeader, word("GNU.sparse.major", "1").as_bytes()),
        ("holes", Regular, b"x"),
    ]);
    assert_eq!(found, (3, None, left("holes", Why::OtherPacking)));
    for damaged in ["13 path=a\n", "path=a\n", "17 size=17179869184\n"] {
        let bytes = tar(&[("PaxHeaders/0", XHeader, damaged.as_bytes()), ("a/resident.json", Regular, JSON)]);
        assert_eq!(read(&bytes).map(drop).map_err(|p| p.code), Err(Code::InputUnreadable), "{damaged:?}");
    }
}

#[test]
fn more_than_a_record_takes_is_refused() {
    let mut names: Vec<String> = (0..=MAX_PARTS).map(|n| format!("a/f{n}.jpg")).collect();
    names.push("a/resident.json".to_owned());
    let entries: Vec<_> = names.iter().map(|n| (n.as_str(), Regular, &b"x"[..])).collect();
    assert_eq!(one(&entries).1, Some(Code::PartsTooMany));
    let large = vec![0; usize::try_from(FILE_MAX).expect("fits") + 1];
    let found = one(&[("a/resident.json", Regular, JSON), ("a/scan", Regular, &large)]);
    assert_eq!(found, (1, Some(Code::InputUnreadable), left("a/scan", Why::TooLarge)));
    let names: Vec<String> = (0..=RESIDENTS_MAX).map(|n| format!("{n}/resident.json")).collect();
    let entries: Vec<_> = names.iter().map(|n| (n.as_str(), Regular, JSON)).collect();
    assert_eq!(read(&tar(&entries)).map(drop).map_err(|p| p.code), Err(Code::InputUnreadable));
    let deep = format!("{}resident.json", "a/".repeat(DEPTH_MAX));
    assert_eq!(one(&[("b/resident.json", Regular, JSON), (&deep, Regular, JSON)]), (1, None, left(&deep, Why::TooDeep)));
}

#[test]
fn a_bomb_is_refused() {
    let mut tarred = tar(&[("a/resident.json", Regular, JSON)]);
    tarred.truncate(1024);
    // zeros as they compress best: a member that would be larger than all that may come out
    let mut header = ::tar::Header::new_ustar();
    header.as_mut_bytes()[..5].copy_from_slice(b"b/big");
    header.set_size(ARCHIVE_MAX + 1);
    header.set_cksum();
    tarred.extend_from_slice(header.as_bytes());
    for bytes in [gzip(&tarred), zstd(&tarred), tarred.clone()] {
        assert_eq!(read(&bytes).map(drop).map_err(|p| p.code), Err(Code::InputUnreadable));
    }
    // a zip that says less than comes out
    let mut lying = zip(&[("a/resident.json", JSON), ("a/x", b"x")]);
    let at = lying.windows(4).position(|w| w == b"PK\x01\x02").expect("its directory");
    lying[at + 24..at + 28].copy_from_slice(&5_u32.to_le_bytes());
    assert_eq!(read(&lying).expect("whole").residents, [Err(Code::InputUnreadable)]);
    // and one whose files would be more than an archive may be
    lying[at + 24..at + 28].copy_from_slice(&u32::try_from(ARCHIVE_MAX).expect("fits").to_le_bytes());
    assert_eq!(read(&lying).map(drop).map_err(|p| p.code), Err(Code::InputUnreadable));
}

#[test]
fn an_encrypted_or_strange_file_of_a_zip_is_named() {
    let good = zip(&[("a/resident.json", JSON), ("b", b"x")]);
    let at = good.windows(4).rposition(|w| w == b"PK\x01\x02").expect("its directory");
    for (offset, value, why) in [(8, 1, Why::Encrypted), (10, 99, Why::Encrypted), (10, 14, Why::OtherPacking)] {
        let mut bytes = good.clone();
        bytes[at + offset] = value;
        let read = read(&bytes).expect("whole");
        assert_eq!((read.residents, read.left), (vec![Ok(vec![])], left("b", why)));
    }
    let link = {
        let mut bytes = good.clone();
        (bytes[at + 5], bytes[at + 41]) = (3, 0xa1);
        bytes
    };
    assert_eq!(read(&link).expect("whole").left, left("b", Why::Link));
}

#[test]
fn names_of_other_systems_are_paths() {
    let read = read(&zip(&[("day\\1\\resident.json", JSON), ("day\\1\\face.jpg", b"x")])).expect("whole");
    assert_eq!(read.residents, [Ok(vec![b"x".to_vec()])]);
}

#[test]
fn a_tar_that_ends_early_is_refused_not_shortened() {
    let whole = tar(&["a/resident.json", "b/resident.json"].map(|name| (name, Regular, JSON)));
    assert_eq!(read(&whole).expect("whole").residents.len(), 2);
    for blocks in [2, 4] {
        for bytes in [whole[..blocks * 512].to_vec(), gzip(&whole[..blocks * 512])] {
            assert_eq!(read(&bytes).map(drop).map_err(|p| p.code), Err(Code::InputUnreadable), "after {blocks} blocks");
        }
    }
}

#[test]
fn what_lies_behind_the_end_is_told() {
    let two = [tar(&[("a/resident.json", Regular, JSON)]), tar(&[("b/resident.json", Regular, JSON)])].concat();
    for bytes in [two.clone(), gzip(&two)] {
        let read = read(&bytes).expect("whole up to its end");
        assert_eq!((read.residents.len(), read.left), (1, left("", Why::BehindTheEnd)));
    }
}
