//! Review and contact cards: what supervisors may still see of a finished record, and for how long.
//!
//! A card is JSON, encrypted under its own key (`vault/keyslots.rs`); that key lies in its slot as an age
//! file to the supervisors of this laptop (X25519: it never leaves the laptop). Overwriting the slot
//! destroys the card for everybody, whoever knows which passphrase.

use std::io::{Read as _, Write as _};

use age::{
    Decryptor, Encryptor,
    secrecy::{ExposeSecret as _, SecretString},
    x25519,
};
use shared::problem::{Code, Problem};
use zeroize::Zeroizing;

use crate::vault::wrap::Key;

/// Opens the slots of cards; a supervisor's.
pub struct Identity(x25519::Identity);

impl Identity {
    /// Makes a new one. age takes its randomness from the kernel itself.
    pub fn generate() -> Self {
        Self(x25519::Identity::generate())
    }
    /// Reads `AGE-SECRET-KEY-1…`.
    pub fn parse(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }
    /// `AGE-SECRET-KEY-1…`
    pub fn secret(&self) -> Zeroizing<String> {
        let secret: SecretString = self.0.to_string();
        Zeroizing::new(secret.expose_secret().to_owned())
    }
    /// `age1…`
    pub fn recipient(&self) -> String {
        self.0.to_public().to_string()
    }
    /// Opens the key of a card.
    pub fn open(&self, sealed: &[u8]) -> Option<Key> {
        let decryptor = Decryptor::new_buffered(sealed).ok()?;
        let mut reader = decryptor.decrypt(std::iter::once(&self.0 as &dyn age::Identity)).ok()?;
        let mut key = Key::default();
        reader.read_exact(key.as_mut()).ok()?;
        Some(key)
    }
}

/// Encrypts the key of a card to these supervisors.
pub fn seal_key(key: &Key, supervisors: &[String]) -> Result<Vec<u8>, Problem> {
    let parse = |r: &String| r.parse::<x25519::Recipient>().map_err(|_| Problem::new(Code::VaultDamaged, "recipient of a supervisor"));
    let recipients = supervisors.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
    let none = || Problem::new(Code::AgentNotAdmitted, "no supervisor of this laptop stands in the roster");
    let encryptor = Encryptor::with_recipients(recipients.iter().map(|r| r as &dyn age::Recipient)).map_err(|_| none())?;
    let mut sealed = Vec::new();
    let written = encryptor.wrap_output(&mut sealed).and_then(|mut w| {
        w.write_all(key.as_ref())?;
        w.finish()
    });
    written.expect("writing to memory does not fail");
    Ok(sealed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_of_the_supervisors_opens_it_and_nobody_else() {
        let people = [Identity::generate(), Identity::generate(), Identity::generate()];
        let key = Zeroizing::new([7; 32]);
        let sealed = seal_key(&key, &[people[0].recipient(), people[1].recipient()]).expect("sealed");
        assert_eq!(people[0].open(&sealed).as_ref(), Some(&key));
        assert_eq!(people[1].open(&sealed).as_ref(), Some(&key));
        assert!(people[2].open(&sealed).is_none());
        assert!(seal_key(&key, &[]).is_err());
        assert_eq!(Identity::parse(&people[0].secret()).map(|i| i.recipient()), Some(people[0].recipient()));
    }
}
