//! Signed notes (C2SP signed-note): a text, an empty line, signature lines. The exact bytes are kept.
//!
//! ```text
//! enroll-batch/v1
//! …
//!
//! — van-017 bh3VxC…
//! — supervisor-003 q1Wv…
//! ```
//!
//! **Trust:** a [`Note`] is well-formed, nothing more; [`Note::verify`] says whether it carries exactly the
//! signatures that it must, in order. **Invariants:** at most 1,000,000 bytes; nothing is re-serialised
//! to check it, and a note with more, other or reordered signature lines does not pass.

use signed_note::Signature;

use crate::{
    id::{Blob, NoteId},
    keys::{KeyId, Signer, VerifierKey},
};

/// Largest note that is read, in bytes.
pub const MAX_NOTE: usize = 1_000_000;

/// Why a note was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Not a signed note, or larger than [`MAX_NOTE`].
    #[error("not a well-formed signed note")]
    Malformed,
    /// Signature lines are more, fewer, of other keys or in another order than demanded.
    #[error("the signature lines are not exactly those demanded")]
    Signatures,
    /// The cosigner that the text names has not signed (yet): the only line missing is theirs.
    #[error("a demanded cosignature is missing")]
    CosignatureMissing,
    /// A signature line has the right name, but is of another key of that name.
    #[error("signed with another key")]
    KeyWrong,
    /// A signature does not verify.
    #[error("a signature does not verify")]
    Invalid,
}

/// A well-formed signed note, with the bytes that it came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    bytes: Vec<u8>,
    text_len: usize,
}

impl Note {
    /// Takes bytes apart; checks no signature.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        if bytes.len() > MAX_NOTE {
            return Err(NoteError::Malformed);
        }
        let note = signed_note::Note::from_bytes(bytes).map_err(|_| NoteError::Malformed)?;
        // what it read must be what is there: no second spelling of a note
        if note.to_bytes() == bytes { Ok(Self { bytes: bytes.to_vec(), text_len: note.text().len() }) } else { Err(NoteError::Malformed) }
    }

    /// Signs `text`, which must be of our own making (ends in LF, no control characters).
    pub fn sign(text: &str, signers: &[&Signer]) -> Self {
        debug_assert!(text.ends_with('\n') && !text.contains("\n\n"));
        let mut bytes = text.as_bytes().to_vec();
        bytes.push(b'\n');
        for signer in signers {
            bytes.extend_from_slice(&signature_line(signer, text.as_bytes()));
        }
        Self { bytes, text_len: text.len() }
    }

    /// Adds one more signature line at the end.
    #[must_use]
    pub fn cosign(mut self, signer: &Signer) -> Self {
        let line = signature_line(signer, self.text().as_bytes());
        self.bytes.extend_from_slice(&line);
        self
    }

    /// The signed text, LF at its end.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.text_len]).expect("checked when parsed or signed")
    }

    /// All bytes, as received or as signed.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// SHA-256 of the text: how one note names another.
    pub fn id(&self) -> NoteId {
        NoteId::of(self.text().as_bytes())
    }

    /// SHA-256 of all bytes: how archive and log name it.
    pub fn blob(&self) -> Blob {
        Blob::of(&self.bytes)
    }

    /// Names in the signature lines, in order. Claims only.
    pub fn claimed_signers(&self) -> Vec<&str> {
        let block = std::str::from_utf8(&self.bytes[self.text_len + 1..]).unwrap_or("");
        block.lines().filter_map(|l| l.strip_prefix("— ")?.split(' ').next()).collect()
    }

    /// Key ids in the signature lines, in order. Claims only.
    pub fn claimed_keys(&self) -> Vec<KeyId> {
        let block = &self.bytes[self.text_len + 1..];
        let lines = block.split(|&b| b == b'\n').filter(|line| !line.is_empty());
        lines.filter_map(|line| Signature::from_bytes(line).ok()).map(|s| KeyId(s.id())).collect()
    }

    /// The signature lines are exactly those of `keys`, in that order, and all of them verify.
    pub fn verify(&self, keys: &[&VerifierKey]) -> Result<(), NoteError> {
        let claimed = self.claimed_signers();
        let names: Vec<&str> = keys.iter().map(|k| k.name().as_str()).collect();
        if claimed.len() < names.len() && !claimed.is_empty() && claimed == names[..claimed.len()] {
            self.verify(&keys[..claimed.len()])?;
            return Err(NoteError::CosignatureMissing);
        }
        if claimed != names {
            return Err(NoteError::Signatures);
        }
        let block = &self.bytes[self.text_len + 1..];
        let mut lines = block.split_inclusive(|&b| b == b'\n');
        for key in keys {
            let line = lines.next().ok_or(NoteError::Signatures)?;
            let line = line.strip_suffix(b"\n").ok_or(NoteError::Signatures)?;
            let signature = Signature::from_bytes(line).map_err(|_| NoteError::Signatures)?;
            if signature.id() != key.id().0 {
                return Err(NoteError::KeyWrong);
            }
            if !key.verify(self.text().as_bytes(), signature.signature()) {
                return Err(NoteError::Invalid);
            }
        }
        Ok(())
    }

    /// Which of `keys` have signed, each line counted once; lines of other keys are passed over.
    /// A known key whose signature does not verify spoils the note.
    pub fn signed_by<'a>(&self, keys: impl IntoIterator<Item = &'a VerifierKey>) -> Result<Vec<&'a VerifierKey>, NoteError> {
        let block = &self.bytes[self.text_len + 1..];
        let mut signatures = Vec::new();
        for line in block.split(|&b| b == b'\n').filter(|l| !l.is_empty()) {
            signatures.push(Signature::from_bytes(line).map_err(|_| NoteError::Malformed)?);
        }
        let mut found = Vec::new();
        for key in keys {
            let mine = |s: &&Signature| s.name() == key.name().as_str() && s.id() == key.id().0;
            for signature in signatures.iter().filter(mine) {
                if !key.verify(self.text().as_bytes(), signature.signature()) {
                    return Err(NoteError::Invalid);
                }
                if !found.contains(&key) {
                    found.push(key);
                }
            }
        }
        Ok(found)
    }
}

fn signature_line(signer: &Signer, text: &[u8]) -> Vec<u8> {
    let key = signer.public();
    Signature::new(key.name().to_string(), key.id().0, signer.sign(text).to_vec()).expect("a KeyName is a valid name").to_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signer(name: &str, seed: u8) -> Signer {
        Signer::from_seed(name.parse().expect("name"), &[seed; 32])
    }

    #[test]
    fn exactly_the_demanded_signatures_in_order() {
        let (a, b) = (signer("a", 1), signer("b", 2));
        let note = Note::sign("x/v1\ny 1\n", &[&a, &b]);
        let parsed = Note::parse(note.as_bytes()).expect("well-formed");
        assert_eq!(parsed, note);
        assert_eq!(parsed.verify(&[a.public(), b.public()]), Ok(()));
        assert_eq!(parsed.verify(&[b.public(), a.public()]), Err(NoteError::Signatures));
        assert_eq!(parsed.verify(&[a.public()]), Err(NoteError::Signatures), "one more than demanded");
        let one = Note::sign("x/v1\ny 1\n", &[&a]);
        assert_eq!(one.verify(&[a.public(), b.public()]), Err(NoteError::CosignatureMissing));
        assert_eq!(one.verify(&[signer("a", 3).public()]), Err(NoteError::KeyWrong), "another key of that name");
        assert_eq!(one.clone().cosign(&b).verify(&[a.public(), b.public()]), Ok(()));
    }

    #[test]
    fn of_some_keys_those_that_signed_are_told_and_others_passed_over() {
        let (a, b, other) = (signer("a", 1), signer("b", 2), signer("a", 3));
        let note = Note::sign("x/v1\ny 1\n", &[&a, &b]);
        assert_eq!(note.claimed_signers(), ["a", "b"]);
        assert_eq!(note.signed_by([a.public()]), Ok(vec![a.public()]));
        assert_eq!(note.signed_by([b.public(), a.public(), b.public()]), Ok(vec![b.public(), a.public()]), "each once");
        assert_eq!(note.signed_by([other.public(), signer("c", 1).public()]), Ok(vec![]), "a name or a key alone is nobody");
        let elsewhere = Note::sign("x/v1\ny 2\n", &[&a]);
        let mut forged = note.text().as_bytes().to_vec();
        forged.extend_from_slice(&elsewhere.as_bytes()[elsewhere.text().len()..]);
        let forged = Note::parse(&forged).expect("well-formed");
        assert_eq!(forged.signed_by([a.public()]), Err(NoteError::Invalid));
        assert_eq!(forged.verify(&[a.public()]), Err(NoteError::Invalid));
        assert_eq!(forged.signed_by([b.public()]), Ok(vec![]));
        assert_ne!((note.id(), note.blob()), (elsewhere.id(), elsewhere.blob()));
        assert_eq!(note.id(), NoteId::of(b"x/v1\ny 1\n"));
        assert_eq!(note.blob(), Blob::of(note.as_bytes()));
    }

    #[test]
    fn a_note_has_a_largest_size() {
        let a = signer("a", 1);
        let rest = Note::sign("\n", &[&a]).as_bytes().len();
        let sized = |size: usize| Note::parse(Note::sign(&format!("{}\n", "x".repeat(size - rest)), &[&a]).as_bytes()).map(drop);
        assert_eq!(sized(MAX_NOTE), Ok(()));
        assert_eq!(sized(MAX_NOTE + 1), Err(NoteError::Malformed));
    }

    #[test]
    fn every_single_byte_change_is_refused() {
        let a = signer("a", 1);
        let note = Note::sign("x/v1\ny 1\n", &[&a]);
        for i in 0..note.as_bytes().len() {
            let mut bytes = note.as_bytes().to_vec();
            bytes[i] ^= 1;
            assert!(Note::parse(&bytes).and_then(|n| n.verify(&[a.public()])).is_err(), "byte {i}");
        }
    }
}
