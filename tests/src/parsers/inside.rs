//! A sealed record, layer by layer: each body puts its bytes under the layers around it and opens the whole.

use std::{io::Read as _, sync::LazyLock};

use shared::{
    batch::RecordLine,
    form::Form,
    problem::{Code, Problem},
    record::{Content, MAX_JSON, MAX_PARTS},
    roster::RecipientKind,
    seal::{self, Expected, Identity, Limits, Opened, Recipients, header, padding, tar as ustar},
};

use super::Verdict;
use crate::defects::vector_identities;

/// The one record of the vectors that must open.
const GOOD: &[u8] = include_bytes!("../../vectors/records/good/sealed.age");

struct Centre {
    identities: [Identity; 2],
    recipients: Recipients,
    line: RecordLine,
    pad: u64,
}

/// The opener that the vectors were made for, and the line of the good one.
static CENTRE: LazyLock<Centre> = LazyLock::new(|| {
    let identities = vector_identities();
    let [working, recovery] = identities.each_ref().map(Identity::recipient);
    Centre {
        recipients: Recipients::new(working, recovery).expect("two of one kind"),
        identities,
        line: RecordLine::parse(include_str!("../../vectors/records/good/line").trim_end()).expect("a line"),
        pad: Form::parse(include_bytes!("../../vectors/form.json")).expect("a form").pad(),
    }
});

impl Centre {
    fn open(&self, sealed: &[u8], plain: u64, pad: u64) -> Result<Opened, Problem> {
        let facts = &self.line.facts;
        let expected = Expected {
            sealed_size: sealed.len() as u64,
            plain,
            pad,
            record_id: facts.record,
            unit: "van-1".parse().expect("a name"),
            agent: facts.agent.clone(),
            transaction: facts.transaction,
            form: facts.form.clone(),
            finished: facts.finished,
        };
        seal::open(sealed, &expected, &self.identities[..1], &Limits::default())
    }
}

/// Every part is the one that record.json lists.
fn whole(opened: &Opened) {
    assert!(opened.parts().all(|(part, bytes)| part.matches(bytes).is_ok()));
    assert_eq!(opened.parts().count(), opened.content().parts.len());
}

/// A sealed record: age admits no second spelling, so what opens is what was sealed.
pub fn sealed(bytes: &[u8]) -> Verdict {
    let centre = &*CENTRE;
    match centre.open(bytes, centre.line.facts.plain, centre.pad) {
        Ok(opened) => {
            assert!(bytes == GOOD, "nobody sealed this");
            assert!(seal::check_header(bytes, RecipientKind::X25519).is_ok(), "intake takes what opens");
            whole(&opened);
            Verdict::Taken
        }
        Err(problem) => {
            assert_ne!(problem.code, Code::IoFailed, "the bytes are all there: that is a verdict");
            Verdict::Refused
        }
    }
}

/// The header of a sealed record: intake and opener read it alike, and age itself reads whatever they take.
pub fn age_header(bytes: &[u8]) -> Verdict {
    let streamed = header::read_header(&mut &bytes[..]);
    for kind in [RecipientKind::Hybrid, RecipientKind::X25519] {
        match (seal::check_header(bytes, kind), &streamed) {
            (Ok(length), Ok((found, header))) => {
                assert_eq!((*found, &header[..]), (kind, &bytes[..length]));
                assert!(length <= header::MAX_HEADER);
                let nonce: &[u8] = &[0; 16];
                assert!(age::Decryptor::new_buffered(header.as_slice().chain(nonce)).is_ok(), "age reads less than we take");
            }
            (Ok(_), Err(problem)) => panic!("intake takes what the opener refuses: {problem}"),
            (Err(_), Ok((found, _))) => assert_ne!(*found, kind, "the opener takes what intake refuses"),
            (Err(_), Err(_)) => {}
        }
    }
    Verdict::when(streamed.is_ok())
}

/// Frame and padding; another reader of zstd agrees about what opens.
pub fn frame(bytes: &[u8]) -> Verdict {
    let centre = &*CENTRE;
    let to = [centre.recipients.working().clone(), centre.recipients.recovery().clone()];
    let Ok(sealed) = seal::age_to(&to, bytes) else { return Verdict::Refused };
    // a line that fits what is inside, where something is
    let inside = zstd::bulk::decompress(bytes, 1 << 20).ok();
    let plain = inside.as_ref().map_or(1 << 20, |tar| padding::plain(tar.len() as u64, 0));
    let opened = centre.open(&sealed, plain, 0);
    let unpacked = opened.as_ref().err().is_none_or(|problem| !AROUND.contains(&problem.code));
    if unpacked {
        assert_eq!(padding::target(frame_length(bytes), 0), bytes.len() as u64, "one size for one content");
        let tar = inside.expect("what we decompress, the library does");
        if let Ok(opened) = &opened {
            rebuilt(&tar, opened);
        }
    }
    Verdict::when(unpacked)
}

/// Refusals that come before the tar is looked at.
const AROUND: [Code; 6] =
    [Code::SealDamaged, Code::ZstdInvalid, Code::ZstdWindow, Code::PaddingWrong, Code::PlainSizeExceeded, Code::PlainSizeWrong];

/// Length of the first frame.
fn frame_length(bytes: &[u8]) -> u64 {
    let length = zstd::zstd_safe::find_frame_compressed_size(bytes).expect("a frame");
    length as u64
}

/// The tar under any name, size and header; what opens is written again as the same bytes.
pub fn tar(bytes: &[u8]) -> Verdict {
    let centre = &*CENTRE;
    let Ok(sealed) = seal::seal_raw(bytes, &centre.recipients, 0) else { return Verdict::Refused };
    match centre.open(&sealed, padding::plain(bytes.len() as u64, 0), 0) {
        Ok(opened) => {
            rebuilt(bytes, &opened);
            Verdict::Taken
        }
        Err(problem) => {
            assert!(!AROUND.contains(&problem.code), "we sealed it ourselves: {problem}");
            Verdict::Refused
        }
    }
}

/// Written again from what was read, it is the same tar.
fn rebuilt(tar: &[u8], opened: &Opened) {
    whole(opened);
    let digits = std::str::from_utf8(&tar[124..135]).expect("octal digits");
    let size = usize::from_str_radix(digits, 8).expect("octal digits");
    let json = &tar[512..512 + size];
    assert_eq!(Content::parse(json).as_ref(), Ok(opened.content()));
    let members = opened.parts().map(|(part, bytes)| (part.name.as_str(), bytes));
    let mut again = Vec::with_capacity(tar.len());
    ustar::write(std::iter::once((ustar::RECORD_JSON, json)).chain(members), &mut again);
    assert!(again == tar, "two tars for one record");
}

/// record.json.
pub fn record_json(bytes: &[u8]) -> Verdict {
    let Ok(content) = Content::parse(bytes) else { return Verdict::Refused };
    assert!(bytes.len() <= MAX_JSON && content.parts.len() <= MAX_PARTS);
    let printed = content.to_json();
    assert!(printed.len() <= bytes.len(), "no spelling is shorter than ours");
    assert_eq!(Content::parse(&printed), Ok(content));
    Verdict::Taken
}
