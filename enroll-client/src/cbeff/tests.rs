use std::{fmt::Write as _, path::PathBuf};

use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};

use super::*;

/// What a good file holds.
fn parts(text: &str) -> Vec<CbeffPart> {
    let found = read(text.as_bytes()).expect("valid");
    assert_eq!(found.odd, [""; 0]);
    found.parts
}

/// A finger record (ISO/IEC 19794-4:2005) of 3 × 5 raw pixels.
fn finger() -> Vec<u8> {
    let head = [0, 0, 0, 30, 1, 1, 1, 0xf4, 1, 0xf4, 1, 0xf4, 1, 0xf4, 8, 0, 0, 0];
    let image = [&[0, 0, 0, 29, 7, 1, 1, 80, 0, 0, 3, 0, 5, 0][..], &[0xfb; 15]].concat();
    [&b"FIR\x00010\0\0\0\0\0\0\x3d"[..], &head, &image].concat()
}

/// An iris record (ISO/IEC 19794-6:2011) of 4 × 4 raw pixels.
fn iris() -> Vec<u8> {
    let fields = [&[0; 14][..], &[0], &[0, 1, 1, 3, 2, 64, 0, 4, 0, 4, 8], &[0; 18], &[0, 0, 0, 16], &[9; 16]].concat();
    let own = u32::try_from(fields.len() + 4).expect("small");
    [&b"IIR\x00020\0"[..], &(own + 16).to_be_bytes(), &[0, 1, 0, 1], &own.to_be_bytes(), &fields].concat()
}

fn bir(kind: &str, subtype: &str, block: &str) -> String {
    format!(
        "<BIR><Version><Major>1</Major><Minor>1</Minor></Version><BDBInfo><Format><Organization>Mosip</Organization><Type>7</Type>\
         </Format><Type>{kind}</Type><Subtype>{subtype}</Subtype><Quality><Algorithm><Organization>HMAC</Organization>\
         <Type>SHA-256</Type></Algorithm><Score>80</Score></Quality></BDBInfo><BDB>{block}</BDB></BIR>"
    )
}

fn file(inside: &str) -> String {
    format!("<?xml version=\"1.0\"?>\n<BIR xmlns=\"http://standards.iso.org/iso-iec/19785/-3/ed-2/\">{inside}</BIR>\n")
}

fn good() -> String {
    file(&bir("Finger", "Left IndexFinger", &BASE64_STANDARD.encode(finger())))
}

/// The detail of the refusal.
fn refused(text: &str) -> String {
    let problem = read(text.as_bytes()).err().unwrap_or_else(|| panic!("was taken: {}", &text[..text.len().min(300)]));
    assert_eq!(problem.code, Code::CbeffInvalid);
    problem.detail
}

#[test]
fn a_part_is_kept_byte_for_byte() {
    let parts = parts(&good());
    let [part] = &parts[..] else { panic!("one part") };
    assert_eq!(*part.bytes, finger());
    assert_eq!((part.name.as_str(), part.position, part.modality), ("finger-left-index.iso", "finger-left-index", "finger"));
    assert_eq!((part.media_type, part.version.as_deref(), part.format.as_deref()), ("image/iso19794-4", Some("1.1"), Some("Mosip 7")));
    assert_eq!(part.quality, Some(Quality { by: "HMAC SHA-256".into(), value: 80 }));
}

#[test]
fn every_position_has_its_name() {
    let mut all = String::new();
    for side in ["Left", "Right"] {
        for digit in ["Thumb", "IndexFinger", "MiddleFinger", "RingFinger", "LittleFinger"] {
            let subtype = if side == "Left" { format!("{side} {digit}") } else { format!("{digit} {side}") };
            all += &bir("Finger", &subtype, &BASE64_STANDARD.encode(finger()));
        }
        all += &bir("Iris", side, &BASE64_STANDARD.encode(iris()));
    }
    let parts = parts(&file(&all));
    let names: Vec<&str> = parts.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(
        names[..6].join(" "),
        "finger-left-thumb.iso finger-left-index.iso finger-left-middle.iso finger-left-ring.iso finger-left-little.iso iris-left.iso"
    );
    assert_eq!(names[11], "iris-right.iso");
}

#[test]
fn both_alphabets_line_breaks_and_cdata_are_read() {
    let broken: String = BASE64_STANDARD.encode(finger()).as_bytes().chunks(20).fold(String::new(), |mut text, line| {
        write!(text, "\r\n    {}", std::str::from_utf8(line).expect("ASCII")).expect("a string takes all");
        text
    });
    let cdata = format!("<![CDATA[{}]]>", BASE64_URL_SAFE_NO_PAD.encode(finger()));
    for block in [BASE64_URL_SAFE_NO_PAD.encode(finger()), broken, cdata] {
        let parts = parts(&file(&bir("Finger", "Right Thumb", &block)));
        assert_eq!(*parts[0].bytes, finger());
    }
}

#[test]
fn an_exception_gives_no_part() {
    let exception = bir("Finger", "Left Thumb", "").replace("</BIR>", "<Others><Key>EXCEPTION</Key><Value>true</Value></Others></BIR>");
    let both = exception.clone() + &bir("Finger", "Right Thumb", &BASE64_STANDARD.encode(finger()));
    assert_eq!(parts(&file(&both)).len(), 1);
    assert_eq!(refused(&file(&exception)), "file holds no biometric data");
    assert_eq!(refused(&file(&exception.replace("true", "false"))), "BIR 1: there is no block");
}

#[test]
fn fields_that_are_not_read_may_hold_anything() {
    let others = "<!-- hm --><Others><Key>PAYLOAD</Key><Value>{\"a\":\"&lt;b&gt;\"}</Value></Others><SB>AAAA</SB></BIR>";
    assert_eq!(parts(&good().replacen("</BIR>", others, 1)).len(), 1);
}

#[test]
fn billion_laughs_are_refused() {
    let laughs = "<!DOCTYPE lolz [<!ENTITY lol \"lol\"><!ENTITY lol2 \"&lol;&lol;&lol;&lol;&lol;\">]>";
    let text = good().replace("?>\n", &format!("?>\n{laughs}")).replace("Left IndexFinger", "&lol2;");
    assert!(refused(&text).contains("document type"));
    assert!(refused(&good().replace("Left IndexFinger", "&lol2;")).contains("entity"));
    assert!(refused(&good().replace("<?xml version=\"1.0\"?>", "<!DOCTYPE BIR SYSTEM \"file:///etc/passwd\">")).contains("document type"));
}

#[test]
fn character_references_in_a_field_are_refused() {
    assert!(refused(&good().replace("Left IndexFinger", "Left Index&#70;inger")).contains("which finger"));
    assert!(refused(&good().replace("<BDB>", "<BDB>&#65;")).contains("base64"));
}

#[test]
fn deep_nesting_is_refused() {
    let deep = "<BIR>".repeat(100_000);
    assert!(refused(&deep).contains("too deep"));
    let inside = format!("<BDBInfo>{}", "<a>".repeat(100_000));
    assert!(refused(&file(&inside)).contains("too deep"));
}

#[test]
fn too_many_birs_are_refused() {
    let exception = "<BIR><Others><Key>EXCEPTION</Key><Value>true</Value></Others></BIR>";
    assert_eq!(refused(&file(&exception.repeat(65))), "BIR 65: file has more than 64 BIRs");
}

#[test]
fn a_file_too_large_is_refused() {
    assert!(read(&vec![b' '; MAX_BYTES + 1]).is_err_and(|p| p.detail.contains("16 MiB")));
}

#[test]
fn bad_base64_is_refused() {
    for block in ["!!!!", "RklSA", "RklS=ADAx", "RklSADAxéé"] {
        assert_eq!(refused(&file(&bir("Finger", "Left Thumb", block))), "BIR 1: the block is not base64", "{block}");
    }
}

#[test]
fn a_block_of_another_kind_is_refused() {
    assert!(refused(&file(&bir("Finger", "Left Thumb", "abcd"))).starts_with("BIR 1: finger-left-thumb: "));
    assert!(refused(&file(&bir("Face", "", &BASE64_STANDARD.encode(finger())))).starts_with("BIR 1: face: "));
    let cut = BASE64_STANDARD.encode(&finger()[..50]);
    assert_eq!(refused(&file(&bir("Finger", "Left Thumb", &cut))), "BIR 1: finger-left-thumb: record is cut off");
    assert!(refused(&file(&bir("Iris", "Left", &BASE64_STANDARD.encode(template())))).contains("application/iso19794-2"));
}

/// What is taken of a file, and what is left out.
fn taken(text: &str) -> (Vec<&'static str>, Vec<String>) {
    let found = read(text.as_bytes()).expect("something is taken");
    (found.parts.iter().map(|part| part.position).collect(), found.odd)
}

#[test]
fn one_odd_block_spoils_no_other() {
    let block = BASE64_STANDARD.encode(finger());
    let (thumb, ring) = (bir("Finger", "Right Thumb", &block), bir("Finger", "Left RingFinger", &block));
    for (odd, why) in [
        (bir("Finger", "Left Thumb", &BASE64_STANDARD.encode(&finger()[..50])), "finger-left-thumb: record is cut off"),
        (bir("Finger", "Left Thumb", "!!!!"), "the block is not base64"),
        (bir("Finger", "Left Thumb", ""), "there is no block"),
        (bir("Finger", "UNKNOWN", &block), "which finger is not said"),
        (bir("Voice", "", &block), "type is not Finger, Face or Iris"),
        (bir("Finger", "Right Thumb", &block), "finger-right-thumb is there twice"),
        (bir("Finger", "Left Thumb", &block).replace("<Score>80<", "<Score>101<"), "quality is not a number from 0 to 100"),
        (bir("Finger", "Left Thumb", &block).replace("<BDBInfo>", "<BDBInfo><Encryption>true</Encryption>"), "the block is encrypted"),
        (bir("Finger", "Left Thumb", &block).replace("</Subtype>", "</Subtype><Subtype>x</Subtype>"), "Subtype is there twice"),
        (bir("Finger", "Left Thumb", &block).replace("</BDB>", "</BDB><BDB>AAAA</BDB>"), "two blocks in one BIR"),
        (bir("Finger", &"x".repeat(65), &block), "Subtype is too long"),
    ] {
        let (positions, told) = taken(&file(&(thumb.clone() + &odd + &ring)));
        assert_eq!(positions, ["finger-right-thumb", "finger-left-ring"], "{why}");
        assert_eq!(told, [format!("BIR 2: {why}")]);
    }
    assert_eq!(refused(&file(&(bir("Voice", "", &block).repeat(3)))), "BIR 1: type is not Finger, Face or Iris; 2 more");
}

/// A template of two minutiae (ISO/IEC 19794-2:2005).
fn template() -> Vec<u8> {
    let minutiae = [&[0, 7, 1, 0x18, 1, 0xc0, 0, 197, 0, 197, 1, 0, 7, 0x10, 88, 2][..], &[1; 12], &[0, 0]].concat();
    [&b"FMR\0 20\0\0\0\0"[..], &[u8::try_from(minutiae.len() + 12).expect("small")], &minutiae].concat()
}

#[test]
fn a_template_stands_beside_its_finger() {
    let both = bir("Finger", "Left IndexFinger", &BASE64_STANDARD.encode(finger()))
        + &bir("Finger", "Left IndexFinger", &BASE64_STANDARD.encode(template()));
    let parts = parts(&file(&both));
    let facts: Vec<_> = parts.iter().map(|part| (part.name.as_str(), part.modality, part.media_type)).collect();
    let expected =
        [("finger-left-index.iso", "finger", "image/iso19794-4"), ("minutiae-left-index.iso", "minutiae", "application/iso19794-2")];
    assert_eq!(facts, expected);
}

#[test]
fn a_block_is_what_its_first_bytes_say() {
    let jpeg = [&[0xff, 0xd8, 0xff, 0xc0, 0, 11, 8, 0, 9, 0, 9, 1, 1, 0x11, 0][..], &[0xff, 0xda, 0, 2, 1, 0xff, 0xd9]].concat();
    let parts = parts(&file(&bir("Face", "", &BASE64_STANDARD.encode(jpeg))));
    assert_eq!((parts[0].name.as_str(), parts[0].media_type), ("face.jpg", "image/jpeg"));
}

#[test]
fn no_quality_is_none() {
    for score in [254, 255] {
        assert_eq!(parts(&good().replace("<Score>80<", &format!("<Score>{score}<")))[0].quality, None, "{score}");
    }
}

#[test]
fn a_position_that_is_not_said_is_refused() {
    let block = BASE64_STANDARD.encode(finger());
    assert!(refused(&file(&bir("Finger", "UNKNOWN", &block))).contains("which finger"));
    assert!(refused(&file(&bir("Finger", "Left", &block))).contains("which finger"));
    assert!(refused(&file(&bir("Iris", "", &block))).contains("which eye"));
    assert!(refused(&file(&bir("Voice", "", &block))).contains("type is not"));
    assert!(refused(&good().replace("</Subtype>", "</Subtype><Subtype>Left Thumb</Subtype>")).contains("Subtype is there twice"));
    assert!(refused(&good().replace("</BDB>", "</BDB><BDB>AAAA</BDB>")).contains("two blocks"));
}

#[test]
fn wrong_quality_is_refused() {
    for score in ["101", "-1", "+5", "80.0", "", "9999999999999"] {
        assert!(refused(&good().replace("<Score>80<", &format!("<Score>{score}<"))).contains("quality"), "{score:?}");
    }
}

#[test]
fn encrypted_blocks_are_refused() {
    assert!(refused(&good().replace("<BDBInfo>", "<BDBInfo><Encryption>true</Encryption>")).contains("encrypted"));
}

#[test]
fn what_is_not_one_bir_element_is_refused() {
    let elsewhere = good().replace("BIR", "BIRD");
    let after = good() + "<BIR/>";
    let before = format!("hello {}", good());
    for text in ["", "   ", "{}", elsewhere.as_str(), after.as_str(), before.as_str()] {
        refused(text);
    }
    refused(&good().replace("</BDBInfo>", "</BDBinfo>"));
    assert!(read(b"<BIR>\xff</BIR>").is_err_and(|p| p.code == Code::CbeffInvalid));
}

#[test]
fn every_cut_is_refused_and_no_byte_crashes_it() {
    let text = good();
    let whole = text.trim_end().len();
    for cut in 0..whole {
        refused(&text[..cut]);
    }
    for at in 0..whole {
        for value in [b'<', b'&', b'>', b' ', 0, 0xff] {
            let mut bytes = text.clone().into_bytes();
            bytes[at] = value;
            if let Ok(found) = read(&bytes) {
                assert_eq!(found.parts.len(), 1, "byte {at} as {value}");
            }
        }
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

#[test]
fn a_real_file_of_one_person_is_read() {
    let Some(folder) = samples() else { return };
    let bytes = std::fs::read(folder.join("mosip-cbeff/cbeff-sample.xml")).expect("readable");
    let Cbeff { parts, odd } = read(&bytes).expect("ten fingers, two eyes, a face");
    assert_eq!(odd, [""; 0]);
    let of = |modality: &str| parts.iter().filter(|p| p.modality == modality).count();
    assert_eq!((of("finger"), of("iris"), of("face")), (10, 2, 1));
    assert!(parts.iter().all(|p| p.quality.as_ref().is_some_and(|q| q.value == 80)));
}

#[test]
fn real_defects_are_refused() {
    let Some(folder) = samples() else { return };
    let detail = |name: &str| {
        let bytes = std::fs::read(folder.join("mosip-sdk-cases").join(name)).expect("readable");
        read(&bytes).err().map(|p| p.detail)
    };
    for (name, expected) in [
        ("SDK2003_invalid_face_data.xml", "BIR 1: face: first bytes do not fit the media type"),
        ("SDK2004_no_face_data.xml", "BIR 1: there is no block"),
        ("SDK2005_bad_finger_quality.xml", "BIR 1: which finger is not said"),
        ("SDK2007_invalid_finger_data.xml", "BIR 1: finger-left-index: first bytes do not fit the media type"),
        ("SDK2008_no_finger_data.xml", "BIR 1: there is no block"),
        ("SDK2011_invalid_iris_data.xml", "BIR 1: iris-right: first bytes do not fit the media type"),
        ("SDK2012_no_iris_data.xml", "BIR 1: there is no block"),
    ] {
        assert_eq!(detail(name).as_deref(), Some(expected), "{name}");
    }
    assert_eq!(detail("SDK2006_good_finger_quality.xml"), None);
}
