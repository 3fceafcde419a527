//! Slip codes, and salted digests of what could be guessed.
//!
//! A resident's slip carries 100 random bits as 20 Crockford base32 characters, shown in groups with the
//! Crockford check symbol as the 21st. record.json and the centre hold only the SHA-256 of the 20 characters.

use sha2::{Digest as _, Sha256};

use crate::id::{Digest, IdError};

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const CHECK: &[u8; 37] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ*~$=U";

/// A slip code: 100 random bits. Secret: it goes onto the resident's slip and nowhere else.
pub struct SlipCode(zeroize::Zeroizing<String>);

impl SlipCode {
    /// Makes the code of 100 of these 128 random bits.
    pub fn from_random(bytes: [u8; 16]) -> Self {
        let mut bits = u128::from_be_bytes(bytes);
        let mut code = zeroize::Zeroizing::new(String::with_capacity(20));
        for _ in 0..20 {
            code.push(char::from(ALPHABET[(bits & 31) as usize]));
            bits >>= 5;
        }
        Self(code)
    }
    /// Reads what a person typed: case, spaces and dashes do not matter, O is 0, I and L are 1.
    /// The check symbol must be there and right.
    pub fn from_typed(text: &str) -> Result<Self, IdError> {
        let mut code = zeroize::Zeroizing::new(String::with_capacity(21));
        for c in text.chars().filter(|c| !matches!(c, ' ' | '-' | '\n' | '\r')) {
            code.push(match c.to_ascii_uppercase() {
                'O' => '0',
                'I' | 'L' => '1',
                other => other,
            });
        }
        let check = code.pop().ok_or(IdError("slip code"))?;
        let valid = code.len() == 20 && code.bytes().all(|b| ALPHABET.contains(&b));
        if valid && symbol(&code) == check { Ok(Self(code)) } else { Err(IdError("slip code")) }
    }
    /// In groups, with the check symbol as the 21st character: `XXXX-XXXX-XXXX-XXXX-XXXX-C`.
    pub fn shown(&self) -> zeroize::Zeroizing<String> {
        let mut out = zeroize::Zeroizing::new(String::with_capacity(26));
        for (i, c) in self.0.chars().enumerate() {
            if i > 0 && i % 4 == 0 {
                out.push('-');
            }
            out.push(c);
        }
        out.push('-');
        out.push(symbol(&self.0));
        out
    }
    /// What record.json and the centre hold: SHA-256 of the 20 characters.
    pub fn digest(&self) -> Digest {
        Digest::of(self.0.as_bytes())
    }
}

/// Crockford's check symbol: the value modulo 37.
fn symbol(code: &str) -> char {
    let value = |b: u8| ALPHABET.iter().position(|&a| a == b).unwrap_or(0);
    let rest = code.bytes().fold(0, |rest, b| (rest * 32 + value(b)) % 37);
    char::from(CHECK[rest])
}

/// Digest with a 32-byte salt of something that could be guessed: SHA-256(salt ‖ bytes).
pub fn salted(salt: &[u8; 32], bytes: &[u8]) -> Digest {
    Digest::from_bytes(Sha256::new().chain_update(salt).chain_update(bytes).finalize().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_survives_typing_and_finds_typing_errors() {
        let code = SlipCode::from_random([0xA5; 16]);
        let shown = code.shown();
        let typed = shown.to_lowercase().replace('-', " ");
        assert_eq!(SlipCode::from_typed(&typed).map(|c| c.digest()), Ok(code.digest()));
        let mut wrong = shown.to_string();
        let first = wrong.remove(0);
        wrong.insert(0, if first == '7' { '8' } else { '7' });
        assert!(SlipCode::from_typed(&wrong).is_err());
    }
}
