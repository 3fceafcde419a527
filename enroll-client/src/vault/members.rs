//! Agents and supervisors of this laptop, and their keys under their passphrases.
//!
//! ```text
//! secret of a member, under Argon2id(passphrase, salt, vault key):
//!   seed of the signing key (32) ‖ key that wraps the slots of own drafts (32) ‖ age identity of a supervisor
//! ```
//!
//! An agent opens their own drafts; a supervisor also review and contact cards. Nobody on the laptop opens
//! a finished record.
//!
//! **Invariants:** a [`Supervisor`] comes from a member who gave their passphrase, has the role and has the identity that opens
//! cards; what only supervisors may do takes one. A changed passphrase leaves the keys as they are; new keys leave nothing
//! that only the old ones opened (`vault/reset.rs`).

use std::{fmt, str::FromStr, sync::Arc};

use shared::{
    id::Member,
    keys::{KeyRef, Signer, VerifierKey},
    problem::{Code, Problem},
};
use zeroize::Zeroizing;

use super::{
    Db as _, Vault,
    columns::{Column as _, Row, all, maybe},
    damaged,
    wrap::{self, Cost, Key},
};
use crate::{cards, entropy};

/// What a member may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Enrols residents.
    Agent,
    /// Also reviews, withdraws and approves.
    Supervisor,
}

impl Role {
    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Supervisor => "supervisor",
        }
    }
}
impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
impl FromStr for Role {
    type Err = Problem;
    fn from_str(s: &str) -> Result<Self, Problem> {
        [Self::Agent, Self::Supervisor].into_iter().find(|r| r.word() == s).ok_or_else(|| damaged("role"))
    }
}
impl From<Role> for shared::roster::Role {
    fn from(role: Role) -> Self {
        match role {
            Role::Agent => Self::Agent,
            Role::Supervisor => Self::Supervisor,
        }
    }
}

/// The keys of the supervisors who open the cards of a record, as `name+id`, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Readers(pub Vec<KeyRef>);

impl fmt::Display for Readers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<String> = self.0.iter().map(KeyRef::to_string).collect();
        f.write_str(&keys.join(" "))
    }
}
impl FromStr for Readers {
    type Err = Problem;
    fn from_str(s: &str) -> Result<Self, Problem> {
        s.split(' ')
            .filter(|k| !k.is_empty())
            .map(|k| k.parse().map_err(|_| damaged("readers of a card")))
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

/// A member of this laptop, as the vault knows them.
#[derive(Debug, Clone)]
pub struct Known {
    /// Their name.
    pub name: Member,
    /// What they may do.
    pub role: Role,
    /// Their key.
    pub key: VerifierKey,
    /// Age recipient of a supervisor.
    pub recipient: Option<String>,
    /// What guessing their passphrase costs.
    pub cost: Cost,
}

/// The keys of a member who has given their passphrase. Wiped when dropped.
pub struct Unlocked {
    /// Their name.
    pub name: Member,
    /// What they may do.
    pub role: Role,
    /// Signs record lines and manifests.
    pub signer: Signer,
    /// Wraps the slots of their drafts.
    pub wrap: Key,
    /// Opens review and contact cards; supervisors only.
    pub identity: Option<cards::Identity>,
}

impl std::fmt::Debug for Unlocked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Unlocked({})", self.name)
    }
}

impl Unlocked {
    /// Makes the keys of a new member.
    pub fn generate(name: &Member, role: Role) -> Result<(Self, Zeroizing<Vec<u8>>), Problem> {
        let (seed, wrap) = (entropy::secret::<32>()?, entropy::secret::<32>()?);
        let mut secret = Zeroizing::new(Vec::with_capacity(256));
        secret.extend_from_slice(seed.as_ref());
        secret.extend_from_slice(wrap.as_ref());
        if role == Role::Supervisor {
            secret.extend_from_slice(cards::Identity::generate().secret().as_bytes());
        }
        let keys = Self::of(name, role, &secret).ok_or_else(|| damaged("new keys"))?;
        Ok((keys, secret))
    }

    fn of(name: &Member, role: Role, secret: &[u8]) -> Option<Self> {
        let (seed, rest) = secret.split_first_chunk::<32>()?;
        let (wrap, identity) = rest.split_first_chunk::<32>()?;
        let identity = if identity.is_empty() { None } else { Some(cards::Identity::parse(std::str::from_utf8(identity).ok()?)?) };
        let signer = Signer::from_seed(name.into(), seed);
        Some(Self { name: name.clone(), role, signer, wrap: Zeroizing::new(*wrap), identity })
    }

    /// The one way to a [`Supervisor`].
    pub fn into_supervisor(self: Arc<Self>) -> Result<Supervisor, Problem> {
        if self.role == Role::Supervisor && self.identity.is_some() {
            Ok(Supervisor { member: self })
        } else {
            Err(Problem::new(Code::ReviewNeeded, format!("{} is not a supervisor", self.name)))
        }
    }
}

/// A supervisor who has given their passphrase: reviews, withdraws, approves, lets refused records go.
#[derive(Debug, Clone)]
pub struct Supervisor {
    member: Arc<Unlocked>,
}

impl Supervisor {
    /// Their name.
    pub fn name(&self) -> &Member {
        &self.member.name
    }
    /// Signs manifests.
    pub fn signer(&self) -> &Signer {
        &self.member.signer
    }
    /// Opens review and contact cards.
    pub fn identity(&self) -> &cards::Identity {
        self.member.identity.as_ref().expect("the one constructor demands it")
    }
}

fn place(name: &Member, role: Role) -> String {
    format!("enroll-vault/v1 {} {name}", role.word())
}

fn known(r: &Row<'_>) -> Result<Known, Problem> {
    Ok(Known {
        name: Member::read(r, 0)?,
        role: Role::read(r, 1)?,
        key: VerifierKey::read(r, 2)?,
        recipient: Option::read(r, 3)?,
        cost: Cost { mib: u32::read(r, 4)?, passes: u32::read(r, 5)? },
    })
}

/// A member, with their secret as it lies in the vault and opened.
struct Opened {
    member: Known,
    wrapped: Vec<u8>,
    secret: Zeroizing<Vec<u8>>,
}

/// The secret of a member as it lies in the vault.
pub(super) struct Wrapped {
    pub(super) salt: [u8; 16],
    pub(super) secret: Vec<u8>,
}

impl Vault {
    /// Puts a member's secret under a passphrase.
    pub(super) fn wrapped(&self, who: (&Member, Role), secret: &[u8], passphrase: &[u8], cost: Cost) -> Result<Wrapped, Problem> {
        let salt = entropy::bytes::<16>()?;
        let key = wrap::stretch(passphrase, &salt, &self.unit_keys()?.vault_key, cost)?;
        Ok(Wrapped { salt, secret: wrap::wrap(&key, &place(who.0, who.1), secret)? })
    }

    /// The last act of `agent add`. A crash before this commit leaves nobody added.
    pub fn add_member(&self, keys: &Unlocked, secret: &[u8], passphrase: &[u8], cost: Cost) -> Result<(), Problem> {
        let wrapped = self.wrapped((&keys.name, keys.role), secret, passphrase, cost)?;
        let sql = "INSERT INTO members (name, role, key, recipient, salt, mib, passes, secret) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
                   ON CONFLICT DO NOTHING";
        let recipient = keys.identity.as_ref().map(cards::Identity::recipient);
        let key = keys.signer.public().to_string();
        let row = (keys.name.as_str(), keys.role.word(), key, recipient, &wrapped.salt[..], cost.mib, cost.passes, wrapped.secret);
        match self.db.execute(sql, row).db()? {
            1 => Ok(()),
            _ => Err(Problem::new(Code::AlreadyInitialised, keys.name.to_string())),
        }
    }

    /// Everybody on this laptop, by name.
    pub fn members(&self) -> Result<Vec<Known>, Problem> {
        all(&self.db, "SELECT name, role, key, recipient, mib, passes FROM members ORDER BY name", [], known)
    }

    /// One of them.
    pub fn member(&self, name: &Member) -> Result<Known, Problem> {
        self.members()?.into_iter().find(|m| m.name == *name).ok_or_else(|| {
            // the same answer as for a wrong passphrase, with the name that was asked for
            Problem::new(Code::WrongPassphrase, format!("nobody is called {name} on this laptop"))
        })
    }

    /// Opens a member's keys with their passphrase.
    pub fn unlock(&self, name: &Member, passphrase: &[u8]) -> Result<Unlocked, Problem> {
        let opened = self.secret(name, passphrase)?;
        Unlocked::of(name, opened.member.role, &opened.secret).ok_or_else(|| damaged("member keys"))
    }

    fn secret(&self, name: &Member, passphrase: &[u8]) -> Result<Opened, Problem> {
        let member = self.member(name)?;
        let row = |r: &Row<'_>| Ok((Vec::<u8>::read(r, 0)?, Vec::<u8>::read(r, 1)?));
        let found = maybe(&self.db, "SELECT salt, secret FROM members WHERE name = ?1", [name.as_str()], row)?;
        let (salt, wrapped) = found.ok_or_else(|| damaged("member"))?;
        let salt: [u8; 16] = salt.try_into().map_err(|_| damaged("salt"))?;
        let key = wrap::stretch(passphrase, &salt, &self.unit_keys()?.vault_key, member.cost)?;
        let wrong = || Problem::new(Code::WrongPassphrase, name.to_string());
        let secret = wrap::unwrap(&key, &place(name, member.role), &wrapped).ok_or_else(wrong)?;
        Ok(Opened { member, wrapped, secret })
    }

    /// Puts a member's keys under another passphrase. The keys stay as they are, so drafts and cards open as before. One
    /// statement: a crash leaves the old passphrase or the new one.
    pub fn change_passphrase(&self, name: &Member, old: &[u8], new: &[u8]) -> Result<(), Problem> {
        let cost = self.state()?.cost;
        let before = self.secret(name, old)?;
        let wrapped = self.wrapped((name, before.member.role), &before.secret, new, cost)?;
        let sql = "UPDATE members SET salt = ?2, mib = ?3, passes = ?4, secret = ?5 WHERE name = ?1 AND secret = ?6";
        let row = (name.as_str(), &wrapped.salt[..], cost.mib, cost.passes, wrapped.secret, before.wrapped);
        match self.db.execute(sql, row).db()? {
            1 => Ok(()),
            _ => Err(Problem::new(Code::LockedElsewhere, "another process changed this member meanwhile")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::tests::unit;

    fn added(vault: &Vault, name: &str, role: Role) -> Unlocked {
        let name = name.parse().expect("name");
        let (keys, secret) = Unlocked::generate(&name, role).expect("keys");
        vault.add_member(&keys, &secret, b"the old passphrase", Cost { mib: 1, passes: 1 }).expect("added");
        keys
    }

    #[test]
    fn only_role_and_identity_together_make_a_supervisor() {
        let name: Member = "somebody".parse().expect("name");
        let made = |role| Arc::new(Unlocked::generate(&name, role).expect("keys").0);
        assert!(made(Role::Supervisor).into_supervisor().is_ok());
        assert_eq!(made(Role::Agent).into_supervisor().map(drop).map_err(|p| p.code), Err(Code::ReviewNeeded));
        let (mut renamed, mut blind) = (Unlocked::generate(&name, Role::Agent).expect("keys").0, made(Role::Supervisor));
        renamed.role = Role::Supervisor;
        assert!(Arc::new(renamed).into_supervisor().is_err(), "the role without the identity");
        Arc::get_mut(&mut blind).expect("alone").role = Role::Agent;
        assert!(blind.into_supervisor().is_err(), "the identity without the role");
    }

    #[test]
    fn a_changed_passphrase_opens_the_same_keys_and_the_old_one_nothing() {
        let (_folder, vault) = unit();
        let keys = added(&vault, "supervisor-1", Role::Supervisor);
        let change = |old: &[u8], new: &[u8]| vault.change_passphrase(&keys.name, old, new).map_err(|p| p.code);
        assert_eq!(change(b"a guess", b"the new passphrase"), Err(Code::WrongPassphrase));
        assert_eq!(change(b"the old passphrase", b"the new passphrase"), Ok(()));
        assert_eq!(vault.unlock(&keys.name, b"the old passphrase").map(drop).map_err(|p| p.code), Err(Code::WrongPassphrase));
        let again = vault.unlock(&keys.name, b"the new passphrase").expect("opens");
        assert_eq!((again.signer.public(), &again.wrap), (keys.signer.public(), &keys.wrap));
        assert_eq!(again.identity.map(|i| i.recipient()), keys.identity.map(|i| i.recipient()));
    }
}
