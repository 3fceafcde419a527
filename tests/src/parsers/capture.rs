//! What comes to a unit from cameras, scanners, sticks and administrators.

use std::{collections::BTreeMap, fmt::Write as _, fs, sync::LazyLock};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use enroll_client::{
    capture::source::{self, Place, Source},
    cbeff::{self as bir, Cbeff, CbeffPart},
};
use shared::{
    draft::{
        Draft,
        input::{FILE, FileName, Input},
    },
    form::Form,
    id::{Blob, Transaction},
    image::{self, ImageHeader, ImageKind, MAX_PIXELS, MAX_SIDE},
    problem::Code,
    record::{MAX_JSON, MAX_PARTS, MAX_PLAIN},
    sample::{Kind, Sample, Size, forms},
    seal::tar as ustar,
    time::Second,
};

use super::Verdict;

/// An image, under every media type that it could claim.
pub fn image(bytes: &[u8]) -> Verdict {
    let mut taken = 0;
    for kind in ImageKind::ALL {
        match image::read(kind.media_type(), bytes) {
            Ok(header) => {
                assert_eq!((header.kind, ImageKind::of(bytes)), (kind, Some(kind)));
                whole(&header, bytes);
                taken += 1;
            }
            Err(problem) => {
                assert!(matches!(problem.code, Code::ImageInvalid | Code::ImageTooLarge | Code::ImageCut), "{problem}");
                assert!(problem.detail.len() <= 200, "a detail names a fault, it does not quote");
            }
        }
    }
    assert!(taken <= 1, "an image of two kinds");
    Verdict::when(taken == 1)
}

/// What holds of an image that was taken.
fn whole(header: &ImageHeader, bytes: &[u8]) {
    if !matches!(header.kind, ImageKind::Pdf | ImageKind::Minutiae) {
        assert!((1..=MAX_SIDE).contains(&header.width) && (1..=MAX_SIDE).contains(&header.height));
        assert!(u64::from(header.width) * u64::from(header.height) <= MAX_PIXELS);
    }
    assert!(header.dpi.is_none_or(|dpi| (1..=100_000).contains(&dpi)));
    assert!(header.says.quality.is_none_or(|quality| quality <= 100));
    // it has an end: zeros behind it change nothing, and so little of it is not all of it
    let padded = [bytes, &[0; 100]].concat();
    assert_eq!(image::read(header.kind.media_type(), &padded).as_ref(), Ok(header));
    assert!(image::read(header.kind.media_type(), &bytes[..8.min(bytes.len())]).is_err());
}

/// CBEFF XML; what is taken of it, written plainly again, gives the same parts.
pub fn cbeff(bytes: &[u8]) -> Verdict {
    let Cbeff { parts, odd } = match bir::read(bytes) {
        Ok(found) => found,
        Err(problem) => {
            assert_eq!(problem.code, Code::CbeffInvalid);
            assert!(problem.detail.len() <= 200, "a detail names a fault, it does not quote");
            return Verdict::Refused;
        }
    };
    assert!(!parts.is_empty() && parts.len() + odd.len() <= bir::MAX_BIRS && bytes.len() <= bir::MAX_BYTES);
    assert!(odd.iter().all(|why| why.len() <= 200 && why.starts_with("BIR ")));
    assert!(parts.iter().all(|part| image::read(part.media_type, &part.bytes).is_ok()));
    let xml: String = parts.iter().map(leaf).collect();
    let again = bir::read(format!("<BIR>{xml}</BIR>").as_bytes()).expect("plainly written");
    let facts = |part: &CbeffPart| (part.name.clone(), part.position, part.modality, part.quality.as_ref().map(|q| q.value));
    assert!(again.odd.is_empty() && again.parts.iter().map(facts).eq(parts.iter().map(facts)));
    assert!(again.parts.iter().map(|part| &part.bytes).eq(parts.iter().map(|part| &part.bytes)));
    Verdict::Taken
}

fn leaf(part: &CbeffPart) -> String {
    let (kind, subtype) = match part.position {
        "face" => ("Face", String::new()),
        "exception-photo" => ("ExceptionPhoto", String::new()),
        "iris-left" => ("Iris", "Left".to_owned()),
        "iris-right" => ("Iris", "Right".to_owned()),
        finger => ("Finger", fingers(finger)),
    };
    let score = part.quality.as_ref().map_or_else(String::new, |q| format!("<Quality><Score>{}</Score></Quality>", q.value));
    let mut xml = format!("<BIR><BDBInfo><Type>{kind}</Type><Subtype>{subtype}</Subtype>{score}</BDBInfo>");
    write!(xml, "<BDB>{}</BDB></BIR>", BASE64_STANDARD.encode(&part.bytes[..])).expect("a string takes all");
    xml
}

/// `finger-left-index` → `Left IndexFinger`
fn fingers(position: &str) -> String {
    let words: Vec<&str> = position.split('-').collect();
    let capital = |word: &str| format!("{}{}", word[..1].to_uppercase(), &word[1..]);
    let digit = if words[2] == "thumb" { "Thumb".to_owned() } else { format!("{}Finger", capital(words[2])) };
    format!("{} {digit}", capital(words[1]))
}

/// A form file; what is taken can be filled in without surprises.
pub fn form(bytes: &[u8]) -> Verdict {
    let Ok(form) = Form::parse(bytes) else { return Verdict::Refused };
    assert_eq!((form.blob(), form.size()), (Blob::of(bytes), bytes.len() as u64));
    assert!(form.pad() <= MAX_PLAIN);
    assert!(form.consent(form.newest_consent()).is_some());
    for transaction in form.transactions() {
        let draft = Draft::new(&form, transaction).expect("the form names it");
        let missing = draft.missing(&form).expect("the form names it");
        assert!(missing.len() < bytes.len());
    }
    for field in form.layout().iter().flat_map(|group| &group.fields) {
        assert!(form.label(field).is_some());
        for value in ["", "x", "2001-02-29", "\u{0625}\u{064a}\u{0637}\u{0648}"] {
            // any answer but a panic
            drop(form.check_value(field, value));
        }
    }
    Verdict::Taken
}

/// A resident's folder of the sample generator, which hostile descriptions are tried on.
static FOLDER: LazyLock<(Form, BTreeMap<FileName, Vec<u8>>)> = LazyLock::new(|| {
    let [_, _, certificate] = forms();
    let sample = Sample::new(11, Second::from_unix(1_790_000_000), Size::Tiny);
    let resident = sample.take(1, 0, &certificate, Transaction::New, Kind::Complete).expect("the form has new");
    let files = resident.folder().into_iter().skip(1).map(|(name, bytes)| (name.parse().expect("a name"), bytes)).collect();
    (certificate, files)
});

/// resident.json, alone and with the files of a folder.
pub fn resident_json(bytes: &[u8]) -> Verdict {
    let Ok(input) = Input::parse(bytes) else { return Verdict::Refused };
    assert!(bytes.len() <= MAX_JSON && input.parts.len() <= MAX_PARTS);
    let printed = input.to_json();
    // ours is laid out for people: longer than what a machine wrote
    if printed.len() <= MAX_JSON {
        assert_eq!(Input::parse(&printed).as_ref(), Ok(&input));
    }
    let (form, files) = &*FOLDER;
    // taken as a description, whatever the form says of it
    let Ok((draft, parts)) = input.into_draft(form, files.clone()) else { return Verdict::Taken };
    assert_eq!(draft.parts().len(), parts.len());
    assert!(draft.parts().iter().zip(&parts).all(|(part, bytes)| part.matches(bytes).is_ok()));
    assert!(Draft::parse(&draft.to_json()).is_ok_and(|again| again == draft), "a saved draft is the same draft");
    drop(draft.missing(form));
    Verdict::Taken
}

/// A tar of residents' folders, as `enrol` takes it from a stick. Compressed it is the same; packed again it holds the same
/// residents, and cut off at the end it is refused: nobody behind a cut is forgotten.
pub fn resident_tar(bytes: &[u8]) -> Verdict {
    let found = unpacked(bytes);
    let compressed = zstd::encode_all(bytes, 1).expect("compressed");
    if let (Some(one), Some(other)) = (&found, unpacked(&compressed)) {
        assert!(one.iter().map(Source::identity).eq(other.iter().map(Source::identity)));
    }
    let Some(residents) = found else { return Verdict::Refused };
    let held: usize = residents.iter().flat_map(|resident| resident.files.values()).map(Vec::len).sum();
    assert!(held <= bytes.len());
    again(&residents)
}

/// The same in a zip.
pub fn resident_zip(bytes: &[u8]) -> Verdict {
    // what begins otherwise is another reader's
    if !bytes.starts_with(b"PK") {
        return Verdict::Refused;
    }
    unpacked(bytes).map_or(Verdict::Refused, |residents| again(&residents))
}

/// The same in a tar that somebody compressed, with gzip or zstd.
pub fn resident_packed(bytes: &[u8]) -> Verdict {
    if !(bytes.starts_with(b"\x1f\x8b") || bytes.starts_with(b"\x28\xb5\x2f\xfd")) {
        return Verdict::Refused;
    }
    unpacked(bytes).map_or(Verdict::Refused, |residents| again(&residents))
}

/// Packed again, there are the same residents, and none without its end.
fn again(residents: &[Source]) -> Verdict {
    let mut again = Vec::new();
    for (n, resident) in residents.iter().enumerate() {
        let json = resident.input.to_json();
        // a header of ours takes short names only
        if json.len() > MAX_JSON || resident.files.keys().any(|name| name.as_str().len() > 80) {
            return Verdict::Taken;
        }
        let files = resident.files.iter().map(|(name, bytes)| (name.as_str(), &bytes[..]));
        let members: Vec<_> = std::iter::once((FILE, &json[..])).chain(files).map(|(name, b)| (format!("{n:04}/{name}"), b)).collect();
        ustar::write(members.iter().map(|(name, bytes)| (name.as_str(), *bytes)), &mut again);
        // one end for all of them
        again.truncate(again.len() - 1024);
    }
    assert!(unpacked(&again).is_none(), "a tar without its end");
    again.resize(again.len() + 1024, 0);
    let again = unpacked(&again).expect("packed as we would");
    assert!(again.iter().map(Source::identity).eq(residents.iter().map(Source::identity)));
    Verdict::Taken
}

/// The residents of an archive; none where one of them does not fit.
fn unpacked(bytes: &[u8]) -> Option<Vec<Source>> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("residents.tar");
    fs::write(&path, bytes).expect("written");
    let residents = source::read(&Place::Archive(path), &mut |_| {}).ok()?;
    let sources = residents.map(|resident| resident.source.ok()).collect::<Option<Vec<_>>>()?;
    Some(sources).filter(|sources| !sources.is_empty())
}
