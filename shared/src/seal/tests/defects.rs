//! One defect inside a sealed record, made by hand; each has its own code.

use super::*;
use crate::record::{MAX_JSON, MAX_PARTS};

/// A member of a tar: its header, and what follows it.
type Member = ([u8; 512], Vec<u8>);

fn members() -> Vec<Member> {
    let record = sample(&[1000, 2000]);
    let mut members = vec![regular("record.json", &record.content().to_json())];
    members.extend(record.parts().map(|(part, bytes)| regular(part.name.as_str(), bytes)));
    members
}

fn regular(name: &str, bytes: &[u8]) -> Member {
    (tar::header(name, bytes.len() as u64), bytes.to_vec())
}

/// A header of another type, with a checksum that is right.
fn typed(name: &str, kind: u8, bytes: &[u8]) -> Member {
    let mut header = tar::header(name, bytes.len() as u64);
    header[156] = kind;
    (summed(header), bytes.to_vec())
}

fn summed(mut header: [u8; 512]) -> [u8; 512] {
    header[148..156].fill(b' ');
    let sum: u32 = header.iter().map(|&b| u32::from(b)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    header
}

fn archive(members: &[Member]) -> Vec<u8> {
    let mut out = Vec::new();
    for (header, bytes) in members {
        out.extend_from_slice(header);
        out.extend_from_slice(bytes);
        out.resize(out.len().next_multiple_of(512), 0);
    }
    out.resize(out.len() + 1024, 0);
    out
}

/// Opens a record with this tar inside and a line that agrees with it as far as it can.
fn open_tar(tar: &[u8]) -> Result<Opened, Problem> {
    let record = sample(&[1000, 2000]);
    let honest = seal(&record, &recipients(X25519), 0).expect("seals");
    let packed = frame::pack(tar, 0).expect("packs");
    let to = recipients(X25519);
    let sealed = small::encrypt([to.working().as_age(), to.recovery().as_age()].into_iter(), &packed).expect("encrypts");
    let line = Expected { sealed_size: sealed.len() as u64, plain: padding::plain(tar.len() as u64, 0), ..line(&honest, 0) };
    open(sealed.as_slice(), &line, &identity(X25519, 1), &Limits::default())
}

/// The code for members that were changed like this.
fn code(change: impl FnOnce(&mut Vec<Member>)) -> Code {
    let mut members = members();
    change(&mut members);
    open_tar(&archive(&members)).expect_err("a defect").code
}

/// The code for a record.json that was changed like this.
fn json_code(change: impl FnOnce(&mut Vec<u8>)) -> Code {
    code(|m| {
        let mut json = std::mem::take(&mut m[0].1);
        change(&mut json);
        m[0] = regular("record.json", &json);
    })
}

fn replaced(from: &str, to: &str) -> Code {
    json_code(|json| {
        let text = String::from_utf8(std::mem::take(json)).expect("UTF-8");
        assert!(text.contains(from), "{from}");
        *json = text.replacen(from, to, 1).into_bytes();
    })
}

#[test]
fn without_a_defect_it_opens() {
    assert!(open_tar(&archive(&members())).is_ok());
}

#[test]
fn path_parent() {
    assert_eq!(code(|m| m[1] = regular("../part-0.jp2", b"x")), Code::TarPathParent);
    assert_eq!(code(|m| m.push(regular("a/../b.jp2", b"x"))), Code::TarPathParent);
}

#[test]
fn path_absolute() {
    assert_eq!(code(|m| m[1] = regular("/etc/passwd", b"x")), Code::TarPathAbsolute);
}

#[test]
fn path_in_the_prefix_field() {
    let prefixed = |prefix: &[u8]| {
        let mut header = tar::header("part-0.jp2", 1);
        header[345..345 + prefix.len()].copy_from_slice(prefix);
        (summed(header), vec![0])
    };
    assert_eq!(code(|m| m[1] = prefixed(b"..")), Code::TarPathParent);
    assert_eq!(code(|m| m[1] = prefixed(b"/tmp")), Code::TarPathAbsolute);
    assert_eq!(code(|m| m[1] = prefixed(b"sub")), Code::PartExtra);
}

#[test]
fn link() {
    assert_eq!(code(|m| m[1] = typed("part-0.jp2", b'2', b"")), Code::TarLink);
    assert_eq!(code(|m| m.insert(0, typed("record.json", b'1', b""))), Code::TarLink);
}

#[test]
fn device() {
    for kind in *b"346" {
        assert_eq!(code(|m| m[1] = typed("part-0.jp2", kind, b"")), Code::TarDevice);
    }
}

#[test]
fn sparse() {
    assert_eq!(code(|m| m[2] = typed("part-1.jp2", b'S', b"")), Code::TarSparse);
}

#[test]
fn pax_override() {
    assert_eq!(code(|m| m.insert(1, typed("PaxHeaders/part-0.jp2", b'x', b"18 path=/etc/cron\n"))), Code::TarPax);
    assert_eq!(code(|m| m.insert(0, typed("pax_global_header", b'g', b"12 size=10\n"))), Code::TarPax);
    assert_eq!(code(|m| m.insert(1, typed("././@LongLink", b'L', b"part-0.jp2\0"))), Code::TarPax);
}

#[test]
fn duplicate() {
    assert_eq!(code(|m| m.push(m[1].clone())), Code::TarDuplicate);
    assert_eq!(code(|m| m.insert(2, m[1].clone())), Code::TarDuplicate);
    assert_eq!(code(|m| m.push(m[0].clone())), Code::TarDuplicate, "a second record.json");
}

#[test]
fn headers_in_another_spelling() {
    let changed = |at: usize, byte: u8| {
        code(|m| {
            m[1].0[at] = byte;
            m[1].0 = summed(m[1].0);
        })
    };
    assert_eq!(changed(100 + 6, b'5'), Code::TarHeader, "mode");
    assert_eq!(changed(108 + 6, b'1'), Code::TarHeader, "uid");
    assert_eq!(changed(136 + 10, b'1'), Code::TarHeader, "mtime");
    assert_eq!(changed(156, 0), Code::TarHeader, "type NUL");
    assert_eq!(changed(156, b'5'), Code::TarHeader, "a folder");
    assert_eq!(changed(265, b'r'), Code::TarHeader, "owner");
    assert_eq!(changed(500, b'x'), Code::TarHeader, "after the last field");
    assert_eq!(code(|m| m[1].0[148] = b'7'), Code::TarHeader, "checksum");
    assert_eq!(code(|m| m[0].0[148] = b'7'), Code::TarHeader, "checksum of the first");
    assert_eq!(code(|m| m[0].0[124] = b'8'), Code::TarHeader, "size of the first");
}

#[test]
fn padding_within_the_tar() {
    let mut tar = archive(&members());
    let end_of_json = 512 + members()[0].1.len();
    assert_ne!(end_of_json % 512, 0);
    tar[end_of_json] = 1;
    assert_eq!(open_tar(&tar).expect_err("a defect").code, Code::TarHeader);
}

#[test]
fn end() {
    let good = archive(&members());
    for cut in [0, 1, 511, 512, 600, good.len() - 1024, good.len() - 512, good.len() - 1] {
        assert_eq!(open_tar(&good[..cut]).expect_err("a cut").code, Code::TarEnd, "cut at {cut}");
    }
    assert_eq!(open_tar(&[&good[..], &[0; 512]].concat()).expect_err("longer").code, Code::TarEnd);
    assert_eq!(open_tar(&[&good[..], &[1; 512]].concat()).expect_err("longer").code, Code::TarEnd);
}

#[test]
fn part_missing() {
    assert_eq!(code(|m| drop(m.remove(0))), Code::PartMissing, "record.json");
    assert_eq!(code(|m| drop(m.remove(1))), Code::PartMissing);
    assert_eq!(code(|m| drop(m.pop())), Code::PartMissing);
    assert_eq!(code(|m| m.swap(1, 2)), Code::PartMissing, "not where the list has it");
}

#[test]
fn part_extra() {
    assert_eq!(code(|m| m.push(regular("other.jp2", b"x"))), Code::PartExtra);
    assert_eq!(code(|m| m.insert(1, regular("other.jp2", b"x"))), Code::PartExtra);
}

#[test]
fn part_digest() {
    assert_eq!(code(|m| m[2].1[0] ^= 1), Code::PartDigest);
    assert_eq!(code(|m| m[1] = regular("part-0.jp2", b"another size")), Code::PartDigest);
}

#[test]
fn parts_too_many() {
    let listed = r#"{"name":"x","media_type":"image/jp2","size":1,"sha256":"0","modality":"face","position":"face","quality":null,"device":null,"attempt":1}"#;
    let parts: Vec<String> = (0..=MAX_PARTS)
        .map(|i| listed.replace(r#""x""#, &format!(r#""p{i}.jp2""#)).replace(r#""0""#, &format!("\"{}\"", "0".repeat(64))))
        .collect();
    let list = format!(r#""parts":[{},"#, parts.join(","));
    assert_eq!(replaced(r#""parts":["#, &list), Code::PartsTooMany);
}

#[test]
fn json() {
    assert_eq!(json_code(|j| j.splice(9..9, "[".repeat(17).bytes()).for_each(drop)), Code::JsonTooDeep);
    assert_eq!(json_code(|j| j.resize(MAX_JSON + 1, b' ')), Code::JsonTooLarge);
    assert_eq!(json_code(|j| j.push(b'}')), Code::JsonMalformed);
    assert_eq!(replaced(r#""unit":"#, r#""unit":"van-001","unit":"#), Code::JsonDuplicateKey);
    assert_eq!(replaced(r#""fix":null"#, r#""fix":null,"other":1"#), Code::ContentInvalid);
    assert_eq!(replaced("enroll-content/v1", "enroll-content/v2"), Code::UpgradeNeeded);
    assert_eq!(json_code(|j| *j.iter_mut().find(|b| **b >= 0x80).expect("Arabic") = 0xFF), Code::JsonNotUtf8);
}

#[test]
fn a_header_that_names_others_is_refused_before_any_key_is_tried() {
    let to = recipients(X25519);
    let packed = frame::pack(&archive(&members()), 0).expect("packs");
    let one = small::encrypt(std::iter::once(to.working().as_age()), &packed).expect("encrypts");
    let three = identity(X25519, 3)[0].recipient();
    let more = small::encrypt([to.working(), to.recovery(), &three].map(Recipient::as_age).into_iter(), &packed).expect("encrypts");
    let line = line(&seal(&sample(&[1000, 2000]), &to, 0).expect("seals"), 0);
    for sealed in [one, more] {
        let line = Expected { sealed_size: sealed.len() as u64, ..line.clone() };
        assert_eq!(opened(&sealed, &line, &identity(X25519, 1)).err(), Some(Code::RecipientsWrong));
    }
    let line = Expected { sealed_size: 3, ..line };
    assert_eq!(opened(b"PK\n", &line, &identity(X25519, 1)).err(), Some(Code::NotAge));
}

#[test]
fn details_never_repeat_a_hostile_name() {
    let mut members = members();
    members.push(regular("Fatima.jp2", b"x"));
    let problem = open_tar(&archive(&members)).expect_err("an extra part");
    assert!(!problem.to_string().contains("Fatima"), "{problem}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_change_of_the_tar_is_refused_or_says_the_same(at in 0..6000_usize, byte in any::<u8>()) {
        let good = archive(&members());
        let mut bad = good.clone();
        let at = at % bad.len();
        bad[at] = byte;
        match tar::read(&bad) {
            // only record.json may say the same things in other bytes, and then it is another record, signed as such
            Ok((content, _)) => prop_assert!(bad == good || Content::parse(&content.to_json()) == Ok(content)),
            Err(_) => prop_assert!(bad != good),
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..3000)) {
        prop_assert!(tar::read(&bytes).is_err());
        prop_assert!(frame::unpack(&bytes, 0, 1 << 20).is_err());
    }
}
