//! Sessions: a hello in state `ok` gives a token for a day.
//!
//! ```text
//! van-017+6e1dd5c4.1.1790086400.5f0c…      key, epoch (0 for a carrier), expiry, HMAC-SHA-256 in hex
//! ```
//!
//! **Trust:** the MAC says that this centre gave the token; the log, asked at each use, says whether the word of its holder's key
//! still counts. **Invariants:** the key never leaves the data folder and is never printed.

use std::path::Path;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use shared::{
    id::{Centre, Member},
    keys::KeyRef,
    problem::{Code, Problem},
    text::{decimal, hex, unhex},
    time::Second,
};
use zeroize::Zeroizing;

use crate::{durable, entropy, store::Word};

/// How long a token is good for, in seconds.
const LIFE: i64 = 24 * 3600;

/// Who calls. Says nothing about whose batches they bring.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// A unit or a carrier.
    pub name: Member,
    /// The key that said hello: what a caller uses up is counted by key.
    pub key: KeyRef,
    /// The unit's epoch; 0 for a carrier.
    pub epoch: u32,
    /// Does its word count? An ended key may hand in what it holds, and moves nothing.
    pub word: Word,
}

/// A token that this centre has given and that has not expired.
pub(super) struct Given {
    pub(super) name: Member,
    pub(super) key: KeyRef,
    pub(super) epoch: u32,
}

/// Gives and checks tokens.
pub(super) struct Tokens {
    key: Zeroizing<[u8; 32]>,
    centre: Centre,
}

impl Tokens {
    /// Reads the key, making it at the first start. A lost key costs one hello a unit, nothing else.
    pub(super) fn open(path: &Path, centre: &Centre) -> Result<Self, Problem> {
        let failed = || durable::problem("token key");
        durable::folder(path.parent().expect("in the folder of keys")).map_err(failed())?;
        // Of two processes that start together one makes it; both then read the same.
        durable::create(path, entropy::secret::<32>()?.as_slice()).map_err(failed())?;
        let bytes = Zeroizing::new(durable::read(path).map_err(failed())?.unwrap_or_default());
        let key = <[u8; 32]>::try_from(bytes.as_slice()).map_err(|_| Problem::new(Code::KeyUnreadable, path.display().to_string()))?;
        Ok(Self { key: Zeroizing::new(key), centre: centre.clone() })
    }

    /// A token for a day.
    pub(super) fn give(&self, key: &KeyRef, epoch: u32, now: Second) -> String {
        let body = format!("{key}.{epoch}.{}", now.unix() + LIFE);
        let mac = hex(&self.mac(&body).finalize().into_bytes());
        format!("{body}.{mac}")
    }

    /// Ours, and not expired.
    pub(super) fn check(&self, token: &str, now: Second) -> Result<Given, Problem> {
        let invalid = |why: &str| Problem::new(Code::TokenInvalid, why);
        let (body, mac) = token.rsplit_once('.').ok_or_else(|| invalid("not a token"))?;
        let mac = unhex::<32>(mac).ok_or_else(|| invalid("not a token"))?;
        self.mac(body).verify_slice(&mac).map_err(|_| invalid("not given here"))?;
        let mut parts = body.split('.');
        let mut part = || parts.next().ok_or_else(|| invalid("not a token"));
        let key: KeyRef = part()?.parse().map_err(|_| invalid("not a token"))?;
        let epoch = decimal(part()?).and_then(|e| u32::try_from(e).ok()).ok_or_else(|| invalid("not a token"))?;
        let expiry = decimal(part()?).and_then(|e| i64::try_from(e).ok()).ok_or_else(|| invalid("not a token"))?;
        // A clock that was set back must not make old tokens live for ever: one from the future is as bad.
        if !(now.unix()..=now.unix() + LIFE).contains(&expiry) {
            return Err(invalid("expired"));
        }
        let name = key.name.as_str().parse().map_err(|_| invalid("not a member's"))?;
        Ok(Given { name, key, epoch })
    }

    fn mac(&self, body: &str) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.key.as_slice()).expect("HMAC takes keys of any length");
        mac.update(format!("enroll-token/v1\n{}\n{body}\n", self.centre).as_bytes());
        mac
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::signer;

    #[test]
    fn a_token_is_good_for_its_key_its_day_and_this_centre() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("keys/token.key");
        let centre: Centre = "registry.example".parse().expect("a name");
        let tokens = Tokens::open(&path, &centre).expect("made");
        let (now, key) = (Second::from_unix(1_790_000_000), KeyRef::from(signer("van-1").public()));
        let token = tokens.give(&key, 1, now);
        let check = |tokens: &Tokens, token: &str, seconds: i64| {
            let given = tokens.check(token, Second::from_unix(now.unix() + seconds)).map_err(|p| p.code);
            given.map(|given| (given.name.to_string(), given.key, given.epoch))
        };
        let good = Ok(("van-1".to_owned(), key.clone(), 1));
        assert_eq!(check(&tokens, &token, 0), good);
        assert_eq!(check(&tokens, &token, LIFE), good);
        assert_eq!(check(&tokens, &token, LIFE + 1), Err(Code::TokenInvalid));
        assert_eq!(check(&tokens, &token, -1), Err(Code::TokenInvalid), "from the future");
        for other in ["", ".", "van-1", &token.replace("van-1", "van-2"), &token.replacen(".1.", ".2.", 1), &token[..token.len() - 1]] {
            assert_eq!(check(&tokens, other, 0), Err(Code::TokenInvalid), "{other}");
        }
        let again = Tokens::open(&path, &centre).expect("read");
        assert_eq!(check(&again, &token, 0), good, "after a restart");
        let elsewhere = Tokens::open(&path, &"other.example".parse().expect("a name")).expect("read");
        assert_eq!(check(&elsewhere, &token, 0), Err(Code::TokenInvalid));
    }
}
