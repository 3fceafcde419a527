//! Sessions: a hello in state `ok` gives a token for a day.
//!
//! ```text
//! van-017.1.1790086400.5f0c…      name, epoch (0 for a carrier), expiry, HMAC-SHA-256 in hex
//! ```
//!
//! **Trust:** the MAC says that this centre gave the token; the newest roster, asked at each use, says whether its
//! holder still stands there. **Invariants:** the key never leaves the data folder and is never printed.

use std::path::Path;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use shared::{
    id::{Centre, Member},
    keys::KeyRef,
    problem::{Code, Problem},
    roster::Facts,
    text::{decimal, hex, unhex},
    time::Second,
};
use zeroize::Zeroizing;

use crate::{durable, entropy};

/// How long a token is good for, in seconds.
const LIFE: i64 = 24 * 3600;

/// Does the caller's key still stand, or did it end?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stand {
    /// It stands in the newest roster.
    Good,
    /// It was revoked: heard and answered, its later work quarantined.
    Revoked,
}

/// Who calls. Says nothing about whose batches they bring.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// A unit or a carrier.
    pub name: Member,
    /// The unit's epoch; 0 for a carrier.
    pub epoch: u32,
    /// Does its key still stand?
    pub stand: Stand,
}

/// How the newest roster sees a unit's key of an epoch (a carrier's for epoch 0); `None`: it never stood there.
pub(super) fn stand(name: &Member, epoch: u32, newest: &Facts) -> Option<Stand> {
    let key = if epoch == 0 { &newest.carrier(name)?.key } else { &newest.unit(name, epoch)?.key };
    Some(if newest.revocation(&KeyRef::from(key)).is_some() { Stand::Revoked } else { Stand::Good })
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
        let key = <[u8; 32]>::try_from(bytes.as_slice()).map_err(|_| Problem::new(Code::KeyFileDamaged, path.display().to_string()))?;
        Ok(Self { key: Zeroizing::new(key), centre: centre.clone() })
    }

    /// A token for a day.
    pub(super) fn give(&self, name: &Member, epoch: u32, now: Second) -> String {
        let body = format!("{name}.{epoch}.{}", now.unix() + LIFE);
        let mac = hex(&self.mac(&body).finalize().into_bytes());
        format!("{body}.{mac}")
    }

    /// Ours, not expired, and its holder stands in the newest roster.
    pub(super) fn check(&self, token: &str, now: Second, newest: &Facts) -> Result<Session, Problem> {
        let invalid = |why: &str| Problem::new(Code::TokenInvalid, why);
        let (body, mac) = token.rsplit_once('.').ok_or_else(|| invalid("not a token"))?;
        let mac = unhex::<32>(mac).ok_or_else(|| invalid("not a token"))?;
        self.mac(body).verify_slice(&mac).map_err(|_| invalid("not given here"))?;
        let mut parts = body.split('.');
        let mut part = || parts.next().ok_or_else(|| invalid("not a token"));
        let name: Member = part()?.parse().map_err(|_| invalid("not a token"))?;
        let epoch = decimal(part()?).and_then(|e| u32::try_from(e).ok()).ok_or_else(|| invalid("not a token"))?;
        let expiry = decimal(part()?).and_then(|e| i64::try_from(e).ok()).ok_or_else(|| invalid("not a token"))?;
        // A clock that was set back must not make old tokens live for ever: one from the future is as bad.
        if !(now.unix()..=now.unix() + LIFE).contains(&expiry) {
            return Err(invalid("expired"));
        }
        let stand = stand(&name, epoch, newest).ok_or_else(|| Problem::new(Code::TokenInvalid, "not in the newest roster"))?;
        Ok(Session { name, epoch, stand })
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
    use crate::fixtures::{member, roster_facts, signer};
    use shared::{id::LogIndex, roster::Revocation};

    #[test]
    fn a_token_is_good_for_its_unit_its_day_and_this_centre() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("keys/token.key");
        let centre: Centre = "registry.example".parse().expect("a name");
        let tokens = Tokens::open(&path, &centre).expect("made");
        let (now, roster) = (Second::from_unix(1_790_000_000), roster_facts(1));
        let token = tokens.give(&member("van-1"), 1, now);
        let check = |token: &str, seconds: i64, roster: &Facts| {
            tokens.check(token, Second::from_unix(now.unix() + seconds), roster).map_err(|p| p.code)
        };
        let session = Session { name: member("van-1"), epoch: 1, stand: Stand::Good };
        assert_eq!(check(&token, 0, &roster), Ok(session.clone()));
        assert_eq!(check(&token, LIFE, &roster), Ok(session.clone()));
        assert_eq!(check(&token, LIFE + 1, &roster), Err(Code::TokenInvalid));
        assert_eq!(check(&token, -1, &roster), Err(Code::TokenInvalid), "from the future");
        for other in ["", ".", "van-1", &token.replace("van-1", "van-2"), &token.replacen(".1.", ".2.", 1), &token[..token.len() - 1]] {
            assert_eq!(check(other, 0, &roster), Err(Code::TokenInvalid), "{other}");
        }
        let again = Tokens::open(&path, &centre).expect("read");
        assert_eq!(again.check(&token, now, &roster), Ok(session.clone()), "after a restart");
        let elsewhere = Tokens::open(&path, &"other.example".parse().expect("a name")).expect("read");
        assert_eq!(elsewhere.check(&token, now, &roster).map_err(|p| p.code), Err(Code::TokenInvalid));
        let mut gone = roster_facts(2);
        gone.units.clear();
        assert_eq!(check(&token, 0, &gone), Err(Code::TokenInvalid), "each use asks the newest roster");
        let mut revoked = roster_facts(2);
        let key = KeyRef::from(signer("van-1").public());
        revoked.revoked.push(Revocation { key, cut: LogIndex(1), reason: "stolen".into() });
        assert_eq!(check(&token, 0, &revoked), Ok(Session { stand: Stand::Revoked, ..session }));
    }
}
