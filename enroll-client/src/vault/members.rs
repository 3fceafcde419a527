//! Agents and supervisors of this laptop, and their keys under their passphrases.
//!
//! ```text
//! secret of a member, under Argon2id(passphrase, salt, vault key):
//!   seed of the signing key (32) ‖ key that wraps the slots of own drafts (32) ‖ age identity of a supervisor
//! ```
//!
//! An agent opens their own drafts; a supervisor also review and contact cards. Nobody on the laptop opens
//! a finished record.

use rusqlite::{OptionalExtension as _, Row};
use shared::{
    id::Member,
    keys::{Signer, VerifierKey},
    problem::{Code, Problem},
};
use zeroize::Zeroizing;

use super::{
    Db as _, Vault, damaged,
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

    /// Only a supervisor may do this.
    pub fn supervisor(&self) -> Result<&cards::Identity, Problem> {
        self.identity.as_ref().ok_or_else(|| Problem::new(Code::ReviewNeeded, format!("{} is not a supervisor", self.name)))
    }
}

fn place(name: &Member, role: Role) -> String {
    format!("enroll-vault/v1 {} {name}", role.word())
}

fn known(r: &Row<'_>) -> rusqlite::Result<(String, String, String, Option<String>, u32, u32)> {
    Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?, r.get(4)?, r.get(5)?))
}

fn parsed((name, role, key, recipient, mib, passes): (String, String, String, Option<String>, u32, u32)) -> Result<Known, Problem> {
    Ok(Known {
        name: name.parse().map_err(|_| damaged("member"))?,
        role: if role == "supervisor" { Role::Supervisor } else { Role::Agent },
        key: key.parse().map_err(|_| damaged("member key"))?,
        recipient,
        cost: Cost { mib, passes },
    })
}

impl Vault {
    /// The last act of `agent add`. A crash before this commit leaves nobody added.
    pub fn add_member(&self, keys: &Unlocked, secret: &[u8], passphrase: &[u8], cost: Cost) -> Result<(), Problem> {
        let salt = entropy::bytes::<16>()?;
        let key = wrap::stretch(passphrase, &salt, &self.unit_keys()?.vault_key, cost)?;
        let wrapped = wrap::wrap(&key, &place(&keys.name, keys.role), secret)?;
        let sql = "INSERT INTO members (name, role, key, recipient, salt, mib, passes, secret) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
                   ON CONFLICT DO NOTHING";
        let recipient = keys.identity.as_ref().map(cards::Identity::recipient);
        let row =
            (keys.name.as_str(), keys.role.word(), keys.signer.public().to_string(), recipient, &salt[..], cost.mib, cost.passes, wrapped);
        match self.db.execute(sql, row).db()? {
            1 => Ok(()),
            _ => Err(Problem::new(Code::AlreadyInitialised, keys.name.to_string())),
        }
    }

    /// Everybody on this laptop, by name.
    pub fn members(&self) -> Result<Vec<Known>, Problem> {
        let sql = "SELECT name, role, key, recipient, mib, passes FROM members ORDER BY name";
        let mut statement = self.db.prepare(sql).db()?;
        let rows = statement.query_map([], known).db()?;
        rows.map(|r| r.db().and_then(parsed)).collect()
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
        let member = self.member(name)?;
        let sql = "SELECT salt, secret FROM members WHERE name = ?1";
        let row = self.db.query_row(sql, [name.as_str()], |r| Ok((r.get::<_, Vec<u8>>(0)?, r.get::<_, Vec<u8>>(1)?)));
        let (salt, secret) = row.optional().db()?.ok_or_else(|| damaged("member"))?;
        let salt: [u8; 16] = salt.try_into().map_err(|_| damaged("salt"))?;
        let key = wrap::stretch(passphrase, &salt, &self.unit_keys()?.vault_key, member.cost)?;
        let wrong = || Problem::new(Code::WrongPassphrase, name.to_string());
        let secret = wrap::unwrap(&key, &place(name, member.role), &secret).ok_or_else(wrong)?;
        Unlocked::of(name, member.role, &secret).ok_or_else(|| damaged("member keys"))
    }
}
