//! Small things under age: review and contact cards, access records, and an identity under a passphrase.
//!
//! **Trust:** whoever encrypted them is not known from them. **Invariants:** what is opened takes no more memory
//! than what it was opened from; a passphrase costs about a second of work (scrypt, N = 2¹⁸), and a file that demands
//! more than four times that is refused.

use std::io::{Read as _, Write};

use age_core::secrecy::SecretString;
use zeroize::Zeroizing;

use super::{Identity, Recipient};
use crate::problem::{Code, Problem};

const WORK: u8 = 18;
const MOST_WORK: u8 = 20;

/// Encrypts to all of `recipients`, which must be of one kind: any of them can open it.
pub fn age_to(recipients: &[Recipient], plain: &[u8]) -> Result<Vec<u8>, Problem> {
    encrypt(recipients.iter().map(Recipient::as_age), plain)
}

/// Opens what was encrypted to one of `identities`.
pub fn age_open(sealed: &[u8], identities: &[Identity]) -> Result<Zeroizing<Vec<u8>>, Problem> {
    let opened = decrypt(sealed, identities.iter().map(Identity::as_age));
    opened.map_err(|e| if matches!(e, age::DecryptError::NoMatchingKeys) { Code::RecipientUnknown } else { Code::SealDamaged }.into())
}

/// Encrypts under a passphrase, as `age -p` does.
pub fn passphrase_lock(plain: &[u8], passphrase: &str) -> Result<Vec<u8>, Problem> {
    let mut recipient = age::scrypt::Recipient::new(SecretString::from(passphrase.to_owned()));
    recipient.set_work_factor(WORK);
    encrypt(std::iter::once(&recipient as &dyn age::Recipient), plain)
}

/// Opens what was encrypted under a passphrase.
pub fn passphrase_open(sealed: &[u8], passphrase: &str) -> Result<Zeroizing<Vec<u8>>, Problem> {
    let mut identity = age::scrypt::Identity::new(SecretString::from(passphrase.to_owned()));
    identity.set_max_work_factor(MOST_WORK);
    decrypt(sealed, std::iter::once(&identity as &dyn age::Identity)).map_err(|e| match e {
        age::DecryptError::DecryptionFailed | age::DecryptError::KeyDecryptionFailed => Code::WrongPassphrase.into(),
        age::DecryptError::NoMatchingKeys => Problem::new(Code::RecipientUnknown, "not under a passphrase"),
        _ => Code::SealDamaged.into(),
    })
}

/// One age file to these recipients.
pub(super) fn encrypt<'a>(recipients: impl Iterator<Item = &'a dyn age::Recipient>, plain: &[u8]) -> Result<Vec<u8>, Problem> {
    let envelope = Envelope::to(recipients, Vec::with_capacity(Envelope::<Vec<u8>>::room(plain.len())))?;
    Ok(envelope.close(plain))
}

/// An age file whose header is there: it says to whom, and what it holds can still come. `W` takes every write.
pub(super) struct Envelope<W: Write>(age::stream::StreamWriter<W>);

impl<W: Write> Envelope<W> {
    /// Bytes of an age file with so many in it, at most.
    pub(super) const fn room(plain: usize) -> usize {
        const TAG: usize = 16;
        const CHUNK: usize = 64 * 1024;
        plain + (plain / CHUNK + 1) * TAG + 4096
    }

    /// Writes the header.
    pub(super) fn to<'a>(recipients: impl Iterator<Item = &'a dyn age::Recipient>, into: W) -> Result<Self, Problem> {
        let refused = |_| Problem::new(Code::RecipientsWrong, "none, or of two kinds");
        let encryptor = age::Encryptor::with_recipients(recipients).map_err(refused)?;
        Ok(Self(encryptor.wrap_output(into).expect("it takes every write")))
    }

    /// Writes the content, all of it.
    pub(super) fn close(mut self, plain: &[u8]) -> W {
        self.0.write_all(plain).expect("it takes every write");
        self.0.finish().expect("it takes every write")
    }
}

fn decrypt<'a>(sealed: &[u8], identities: impl Iterator<Item = &'a dyn age::Identity>) -> Result<Zeroizing<Vec<u8>>, age::DecryptError> {
    let mut reader = age::Decryptor::new_buffered(sealed)?.decrypt(identities)?;
    // enough from the start: a buffer that grows leaves readable bytes behind
    let mut plain = Zeroizing::new(Vec::with_capacity(sealed.len()));
    reader.read_to_end(&mut plain)?;
    Ok(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::roster::RecipientKind;

    fn code<T>(result: Result<T, Problem>) -> Option<Code> {
        result.err().map(|p| p.code)
    }

    #[test]
    fn any_of_the_recipients_opens_and_nobody_else() {
        for kind in [RecipientKind::Hybrid, RecipientKind::X25519] {
            let [a, b, c] = [1, 2, 3].map(|seed| Identity::from_seed(kind, &[seed; 32]));
            let sealed = age_to(&[a.recipient(), b.recipient()], b"a card").expect("seals");
            for identity in [a, b] {
                assert_eq!(*age_open(&sealed, &[identity]).expect("opens"), b"a card");
            }
            assert_eq!(code(age_open(&sealed, &[c])), Some(Code::RecipientUnknown));
        }
    }

    #[test]
    fn nobody_and_two_kinds_are_refused() {
        let [a, b] = [RecipientKind::Hybrid, RecipientKind::X25519].map(|kind| Identity::from_seed(kind, &[1; 32]).recipient());
        assert_eq!(code(age_to(&[], b"x")), Some(Code::RecipientsWrong));
        assert_eq!(code(age_to(&[a, b], b"x")), Some(Code::RecipientsWrong));
    }

    #[test]
    fn a_changed_byte_is_refused() {
        let identity = [Identity::from_seed(RecipientKind::X25519, &[1; 32])];
        let sealed = age_to(&[identity[0].recipient()], b"a card").expect("seals");
        for at in 0..sealed.len() {
            let mut bad = sealed.clone();
            bad[at] ^= 1;
            assert!(age_open(&bad, &identity).is_err(), "byte {at}");
            assert!(age_open(&sealed[..at], &identity).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn a_passphrase_opens_what_it_locked() {
        let locked = passphrase_lock(b"AGE-SECRET-KEY-PQ-1", "correct horse").expect("locks");
        assert_eq!(*passphrase_open(&locked, "correct horse").expect("opens"), b"AGE-SECRET-KEY-PQ-1");
        assert_eq!(code(passphrase_open(&locked, "wrong horse")), Some(Code::WrongPassphrase));
        let text = String::from_utf8_lossy(&locked[..120]).replacen(" 18\n", " 21\n", 1);
        assert_eq!(code(passphrase_open(&[text.as_bytes(), &locked[120..]].concat(), "correct horse")), Some(Code::SealDamaged));
    }
}
