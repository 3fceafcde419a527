//! To whom is sealed, and who can open: age recipients and identities of both kinds.
//!
//! | kind | recipient | identity |
//! |---|---|---|
//! | hybrid | `age1pq1…` | `AGE-SECRET-KEY-PQ-1…` |
//! | X25519 | `age1…` | `AGE-SECRET-KEY-1…` |
//!
//! **Invariants:** one spelling a value; an identity is never printed by `Debug`, and its text is zeroized.

use std::{fmt, str::FromStr};

use age_core::secrecy::ExposeSecret as _;
use bech32::Hrp;
use zeroize::Zeroizing;

use super::hybrid;
use crate::{
    id::IdError,
    problem::{Code, Problem},
    roster::{self, RecipientKind},
};

/// Somebody to whom something can be encrypted.
#[derive(Clone, PartialEq, Eq)]
pub enum Recipient {
    /// `mlkem768x25519`
    Hybrid(Box<hybrid::Recipient>),
    /// `X25519`
    X25519(age::x25519::Recipient),
}

/// A secret that opens what was encrypted to its recipient.
pub enum Identity {
    /// `mlkem768x25519`
    Hybrid(Box<hybrid::Identity>),
    /// `X25519`
    X25519(age::x25519::Identity),
}

impl Recipient {
    /// Which kind.
    pub const fn kind(&self) -> RecipientKind {
        match self {
            Self::Hybrid(_) => RecipientKind::Hybrid,
            Self::X25519(_) => RecipientKind::X25519,
        }
    }
    pub(super) fn as_age(&self) -> &dyn age::Recipient {
        match self {
            Self::Hybrid(r) => &**r,
            Self::X25519(r) => r,
        }
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hybrid(r) => r.fmt(f),
            Self::X25519(r) => r.fmt(f),
        }
    }
}
impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.to_string();
        write!(f, "{}…", &text[..16])
    }
}
impl FromStr for Recipient {
    type Err = IdError;
    fn from_str(s: &str) -> Result<Self, IdError> {
        const BAD: IdError = IdError("age recipient");
        if s.starts_with("age1pq1") {
            return s.parse().map(Box::new).map(Self::Hybrid);
        }
        let recipient: age::x25519::Recipient = s.parse().map_err(|_| BAD)?;
        if recipient.to_string() == s { Ok(Self::X25519(recipient)) } else { Err(BAD) }
    }
}

/// The roster keeps recipients as text, because it is also read by software without age.
impl TryFrom<&roster::AgeRecipient> for Recipient {
    type Error = Problem;
    fn try_from(text: &roster::AgeRecipient) -> Result<Self, Problem> {
        text.as_str().parse().map_err(|_| Problem::new(Code::RecipientsWrong, "a recipient of the roster"))
    }
}
/// What the roster says about it.
impl From<&Recipient> for roster::AgeRecipient {
    fn from(recipient: &Recipient) -> Self {
        recipient.to_string().parse().expect("an age recipient is one for the roster")
    }
}

impl Identity {
    /// The identity of 32 random bytes.
    pub fn from_seed(kind: RecipientKind, seed: &[u8; 32]) -> Self {
        match kind {
            RecipientKind::Hybrid => Self::Hybrid(Box::new(hybrid::Identity::from_seed(seed))),
            RecipientKind::X25519 => Self::X25519(x25519_from_seed(seed)),
        }
    }
    /// Its recipient.
    pub fn recipient(&self) -> Recipient {
        match self {
            Self::Hybrid(i) => Recipient::Hybrid(Box::new(i.recipient())),
            Self::X25519(i) => Recipient::X25519(i.to_public()),
        }
    }
    /// As age writes it, `AGE-SECRET-KEY-…`. Secret.
    pub fn to_secret(&self) -> Zeroizing<String> {
        match self {
            Self::Hybrid(i) => i.to_secret(),
            Self::X25519(i) => Zeroizing::new(i.to_string().expose_secret().to_owned()),
        }
    }
    pub(super) fn as_age(&self) -> &dyn age::Identity {
        match self {
            Self::Hybrid(i) => &**i,
            Self::X25519(i) => i,
        }
    }
}

/// age reads an X25519 secret only from its text.
fn x25519_from_seed(seed: &[u8; 32]) -> age::x25519::Identity {
    const HRP: Hrp = Hrp::parse_unchecked("age-secret-key-");
    let text = Zeroizing::new(bech32::encode_upper::<bech32::Bech32>(HRP, seed).expect("74 characters are within bech32's limit"));
    text.parse().expect("this is how age writes it")
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({:?})", self.recipient())
    }
}
impl FromStr for Identity {
    type Err = IdError;
    fn from_str(s: &str) -> Result<Self, IdError> {
        const BAD: IdError = IdError("age identity");
        if s.starts_with("AGE-SECRET-KEY-PQ-1") {
            return s.parse().map(Box::new).map(Self::Hybrid);
        }
        let identity: age::x25519::Identity = s.parse().map_err(|_| BAD)?;
        let identity = Self::X25519(identity);
        if *identity.to_secret() == *s { Ok(identity) } else { Err(BAD) }
    }
}

/// The registry's two recipients: records are sealed to both, and to nobody else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipients {
    working: Recipient,
    recovery: Recipient,
}

impl Recipients {
    /// Both must be of one kind, and two.
    pub fn new(working: Recipient, recovery: Recipient) -> Result<Self, Problem> {
        if working.kind() != recovery.kind() {
            return Err(Problem::new(Code::RecipientsWrong, "two kinds"));
        }
        if working == recovery {
            return Err(Problem::new(Code::RecipientsWrong, "the same twice"));
        }
        Ok(Self { working, recovery })
    }
    /// Of which kind both are.
    pub const fn kind(&self) -> RecipientKind {
        self.working.kind()
    }
    /// The opener's.
    pub const fn working(&self) -> &Recipient {
        &self.working
    }
    /// The offline one.
    pub const fn recovery(&self) -> &Recipient {
        &self.recovery
    }
}

impl TryFrom<&roster::Recipients> for Recipients {
    type Error = Problem;
    fn try_from(roster: &roster::Recipients) -> Result<Self, Problem> {
        Self::new(Recipient::try_from(&roster.working)?, Recipient::try_from(&roster.recovery)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_are_read_as_they_are_written() {
        for kind in [RecipientKind::Hybrid, RecipientKind::X25519] {
            let identity = Identity::from_seed(kind, &[7; 32]);
            let (secret, recipient) = (identity.to_secret(), identity.recipient());
            let again: Identity = secret.parse().expect("as written");
            assert_eq!((again.recipient(), recipient.kind()), (recipient.clone(), kind));
            assert_eq!(recipient.to_string().parse(), Ok(recipient.clone()));
            assert_eq!(Recipient::try_from(&roster::AgeRecipient::from(&recipient)), Ok(recipient.clone()));
            assert!(recipient.to_string().to_uppercase().parse::<Recipient>().is_err(), "one spelling");
            assert!(secret.to_lowercase().parse::<Identity>().is_err(), "one spelling");
            assert!(!format!("{identity:?}").contains(&secret[19..30]));
            let mut typo = recipient.to_string();
            typo.replace_range(20..21, if &typo[20..21] == "q" { "p" } else { "q" });
            assert!(typo.parse::<Recipient>().is_err());
        }
    }

    #[test]
    fn two_recipients_of_one_kind() {
        let recipient = |kind, seed| Identity::from_seed(kind, &[seed; 32]).recipient();
        let (hybrid, classic) = (|seed| recipient(RecipientKind::Hybrid, seed), |seed| recipient(RecipientKind::X25519, seed));
        assert!(Recipients::new(hybrid(1), hybrid(2)).is_ok());
        assert!(Recipients::new(classic(1), classic(2)).is_ok());
        assert!(Recipients::new(hybrid(1), hybrid(1)).is_err());
        assert!(Recipients::new(hybrid(1), classic(2)).is_err());
    }
}
