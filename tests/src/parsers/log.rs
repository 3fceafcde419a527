//! The log's bytes: what a centre's disk, its network or a hostile centre may hand out.

use shared::{
    batch::Manifest,
    keys::Signer,
    log::{self, CheckedHead, Consistency, Entry, GuardLine, Head, MAX_ENTRY, Segment, TlogProof},
    note::Note,
    receipt::Receipt,
};

use super::{Verdict, key, signed_again};

/// The log of the specification's examples: 6 entries.
fn log() -> Signer {
    key("registry.example/log", 2)
}

/// A leaf.
pub fn entry(bytes: &[u8]) -> Verdict {
    let Ok(entry) = Entry::parse(bytes) else { return Verdict::Refused };
    assert!(bytes.len() <= MAX_ENTRY);
    assert_eq!(entry.to_bytes(), bytes);
    Verdict::Taken
}

/// What the sequencer archives.
pub fn segment(bytes: &[u8]) -> Verdict {
    let Ok((segment, entries)) = Segment::parse(bytes) else { return Verdict::Refused };
    assert_eq!(segment.to_bytes(), bytes);
    assert_eq!(segment.new.size - segment.old.size, entries.len() as u64);
    assert!(
        segment.entries.iter().map(Vec::as_slice).eq(entries.iter().map(Entry::to_bytes).collect::<Vec<_>>().iter().map(Vec::as_slice))
    );
    Verdict::Taken
}

/// The guard's line.
pub fn guard_line(bytes: &[u8]) -> Verdict {
    let Ok(text) = std::str::from_utf8(bytes) else { return Verdict::Refused };
    let Ok(line) = text.parse::<GuardLine>() else { return Verdict::Refused };
    assert_eq!(line.to_string(), text);
    assert!(line.head.size < shared::text::MAX_NUMBER);
    Verdict::Taken
}

/// A checkpoint, also when the log itself signs nonsense.
pub fn checkpoint(bytes: &[u8]) -> Verdict {
    let own = signed_again(bytes, &log()).map(|note| note.as_bytes().to_vec());
    let mut verdict = Verdict::Refused;
    for bytes in [Some(bytes.to_vec()), own].into_iter().flatten() {
        let Ok(checked) = CheckedHead::open(&bytes, log().public()) else { continue };
        verdict = Verdict::Taken;
        let note = Note::parse(&bytes).expect("a checkpoint is a note");
        assert_eq!(log::checkpoint(checked.head(), &log()).text(), note.text());
        assert_eq!(note.signed_by([log().public()]).map(|found| found.len()), Ok(1));
    }
    verdict
}

/// A proof that an entry is in the log; a receipt is one.
pub fn tlog_proof(bytes: &[u8]) -> Verdict {
    let Ok(proof) = TlogProof::parse(bytes) else {
        assert!(Receipt::parse(bytes).is_err());
        return Verdict::Refused;
    };
    assert_eq!(proof.to_bytes(), bytes);
    assert!(proof.leaf.len() <= MAX_ENTRY && proof.hashes.len() <= 63);
    receipt(bytes);
    let own = signed_again(&proof.checkpoint, &log()).map(|note| TlogProof { checkpoint: note.as_bytes().to_vec(), ..proof.clone() });
    for proof in std::iter::once(proof).chain(own) {
        let leaf = proof.leaf.clone();
        let Ok(checked) = proof.check(log().public()) else { continue };
        assert!(checked.index().0 < checked.head().head().size);
        assert_eq!(checked.leaf(), leaf);
        assert_eq!(checked.entry().to_bytes(), leaf);
    }
    Verdict::Taken
}

/// A receipt counts for the batch that it was given for, and for no other.
fn receipt(bytes: &[u8]) {
    let other = Manifest::parse(include_bytes!("../../vectors/manifests/good/manifest")).expect("a manifest");
    let receipt = Receipt::parse(bytes).expect("what is a proof reads as a receipt");
    assert!(receipt.check(&other, log().public()).is_err(), "that batch was never logged");
}

/// A consistency proof, against several heads that a unit may have seen.
pub fn consistency(bytes: &[u8]) -> Verdict {
    let Ok(proof) = Consistency::parse(bytes) else { return Verdict::Refused };
    assert_eq!(proof.to_bytes(), bytes);
    assert!(proof.hashes.len() <= 63);
    let own = signed_again(&proof.checkpoint, &log()).map(|note| Consistency { checkpoint: note.as_bytes().to_vec(), ..proof.clone() });
    let example: Head = "5 NaVKRy91dmM4ahoQ6gpfdEOlq6RSEPGARRkNF2v1bBQ=".parse().expect("a head");
    let claimed = proof.hashes.first().map(|&root| Head { size: proof.old, root });
    for proof in std::iter::once(proof).chain(own) {
        for seen in [Some(Head::EMPTY), Some(example), claimed].into_iter().flatten() {
            let Ok(checked) = proof.check(seen, log().public()) else { continue };
            let head = checked.head();
            assert!(head.size >= seen.size, "a log never shrinks");
            assert!(head.size > seen.size || head == seen, "one size, one root");
        }
    }
    Verdict::Taken
}
