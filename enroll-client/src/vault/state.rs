//! What the unit is and how far it has come: one row.

use rusqlite::{OptionalExtension as _, Row, Transaction};
use shared::{
    id::{BatchId, Member},
    keys::VerifierKey,
    log::Head,
    problem::{Code, Problem},
    time::Second,
};

use super::{Db as _, Vault, damaged, int, machine::WrappedUnitKeys, uint, wrap::Cost};

/// What `init` is told.
pub struct Founding<'a> {
    /// The unit's key, with its name.
    pub key: &'a VerifierKey,
    /// The keys under the machine secret.
    pub wrapped: &'a WrappedUnitKeys,
    /// Where the centre is.
    pub server: &'a str,
    /// Certificate authority of the centre (PEM).
    pub ca: Option<&'a [u8]>,
    /// The key that signs the first roster.
    pub roster_key: &'a VerifierKey,
    /// What guessing a passphrase of this vault shall cost.
    pub cost: Cost,
}

/// How the centre sees this vault, by its last answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nothing wrong.
    Ok,
    /// The vault was put back to an older copy: it closes no more batches in this epoch.
    Rewound,
    /// Two histories of this unit are known to the centre.
    Frozen,
}

impl Standing {
    const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Rewound => "vault-rewound",
            Self::Frozen => "frozen",
        }
    }
    pub(super) fn from_word(word: &str) -> Result<Self, Problem> {
        [Self::Ok, Self::Rewound, Self::Frozen].into_iter().find(|s| s.word() == word).ok_or_else(|| damaged("standing"))
    }
    /// Refuses to close when the centre has said that it must not.
    pub fn may_close(self) -> Result<(), Problem> {
        match self {
            Self::Ok => Ok(()),
            Self::Rewound => Err(Code::VaultRewound.into()),
            Self::Frozen => Err(Code::Frozen.into()),
        }
    }
}

/// The row.
#[derive(Debug, Clone)]
pub struct State {
    /// Name of the unit.
    pub unit: Member,
    /// Its key.
    pub key: VerifierKey,
    /// Where the centre is.
    pub server: String,
    /// Certificate authority of the centre (PEM).
    pub ca: Option<Vec<u8>>,
    /// The key that signs the first roster.
    pub roster_key: VerifierKey,
    /// What guessing a passphrase costs.
    pub cost: Cost,
    /// Epoch of the unit's key; none until a roster names it.
    pub epoch: Option<u32>,
    /// Last record number given in this epoch (0: none).
    pub last_number: u64,
    /// Last sequence given in this epoch (0: none).
    pub last_sequence: u64,
    /// Id of the newest batch of any epoch.
    pub head: Option<BatchId>,
    /// Highest hello counter that may have left this laptop.
    pub hello: u64,
    /// Newest log head verified.
    pub seen: Head,
    /// Newest log time verified.
    pub log_time: Option<Second>,
    /// Log size up to which all receipts and outcomes are here.
    pub settled: u64,
    /// How the centre sees this vault.
    pub standing: Standing,
}

impl State {
    /// The unit's time: the clock, raised to the newest log time that was verified when it is behind it.
    pub fn unit_time(&self, now: Second) -> Second {
        self.log_time.map_or(now, |log| log.max(now))
    }
}

type Raw = (
    (String, String, String, Option<Vec<u8>>, String, i64, i64, i64),
    (i64, i64, Option<String>, i64, i64, String, Option<i64>, i64, String),
);

fn raw(r: &Row<'_>) -> rusqlite::Result<Raw> {
    Ok((
        (r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?, r.get(4)?, r.get(5)?, r.get(6)?, r.get(7)?),
        (r.get(8)?, r.get(9)?, r.get(10)?, r.get(11)?, r.get(12)?, r.get(13)?, r.get(14)?, r.get(15)?, r.get(16)?),
    ))
}

fn parsed(raw: Raw) -> Result<State, Problem> {
    let ((unit, key, server, ca, roster_key, mib, passes, epoch), rest) = raw;
    let (last_number, last_sequence, head, hello, size, root, log_time, settled, standing) = rest;
    let small = |n: i64| u32::try_from(n).map_err(|_| damaged("state"));
    Ok(State {
        unit: unit.parse().map_err(|_| damaged("unit"))?,
        key: key.parse().map_err(|_| damaged("unit key"))?,
        server,
        ca,
        roster_key: roster_key.parse().map_err(|_| damaged("roster key"))?,
        cost: Cost { mib: small(mib)?, passes: small(passes)? },
        epoch: Some(small(epoch)?).filter(|&e| e > 0),
        last_number: uint(last_number),
        last_sequence: uint(last_sequence),
        head: head.map(|h| h.parse()).transpose().map_err(|_| damaged("head"))?,
        hello: uint(hello),
        seen: format!("{size} {root}").parse().map_err(|_| damaged("log head"))?,
        log_time: log_time.map(Second::from_unix),
        settled: uint(settled),
        standing: Standing::from_word(&standing)?,
    })
}

impl Vault {
    /// `init` got to its end.
    pub fn is_initialised(&self) -> Result<bool, Problem> {
        self.db.query_row("SELECT EXISTS (SELECT 1 FROM state)", [], |r| r.get(0)).db()
    }

    /// The row of state.
    pub fn state(&self) -> Result<State, Problem> {
        let sql = "SELECT unit, unit_key, server, ca, roster_key, argon_mib, argon_passes, epoch, last_number, last_sequence,
                          head, hello, seen_size, seen_root, log_time, settled, standing FROM state";
        let row = self.db.query_row(sql, [], raw).optional().db()?;
        parsed(row.ok_or(Code::NotInitialised)?)
    }

    /// The keys under the machine secret, as they lie here.
    pub fn wrapped_unit_keys(&self) -> Result<WrappedUnitKeys, Problem> {
        let sql = "SELECT unit_secret, vault_secret FROM state";
        self.db.query_row(sql, [], |r| Ok(WrappedUnitKeys { unit: r.get(0)?, vault: r.get(1)? })).db()
    }

    /// The last act of `init`. A crash before this commit leaves no unit; `init` then starts again.
    pub fn found(&self, founding: &Founding<'_>) -> Result<(), Problem> {
        if self.is_initialised()? {
            return Err(Code::AlreadyInitialised.into());
        }
        let sql = "INSERT INTO state (one, unit, unit_key, unit_secret, vault_secret, server, ca, roster_key, argon_mib, argon_passes,
                                      seen_root)
                   VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
        let key = founding.key;
        let row = (
            key.name().as_str(),
            key.to_string(),
            &founding.wrapped.unit,
            &founding.wrapped.vault,
            founding.server,
            founding.ca,
            founding.roster_key.to_string(),
            founding.cost.mib,
            founding.cost.passes,
            Head::EMPTY.root.to_string(),
        );
        self.db.execute(sql, row).db()?;
        Ok(())
    }

    /// Raises the hello counter, durably, before the note that carries it leaves; returns the new one.
    pub fn next_hello(&self) -> Result<u64, Problem> {
        // In a transaction of its own: a row that a statement returns comes before its commit, whose error nobody would hear.
        let tx = self.begin()?;
        let hello = tx.query_row("UPDATE state SET hello = hello + 1 RETURNING hello", [], |r| r.get(0)).map(uint).db()?;
        tx.commit().db()?;
        Ok(hello)
    }

    /// After an answer that knows a higher counter than this vault: go on above it.
    pub fn raise_hello(&self, at_least: u64) -> Result<(), Problem> {
        self.db.execute("UPDATE state SET hello = max(hello, ?1)", [int(at_least)]).db().map(drop)
    }

    /// Stores a log head that was checked to extend the one before, with the newest log time under it.
    /// Neither ever goes back.
    pub fn advance_seen(&self, seen: Head, log_time: Second) -> Result<(), Problem> {
        let tx = self.begin()?;
        advance(&tx, seen, log_time)?;
        tx.commit().db()
    }

    /// All receipts and outcomes up to this log size are here.
    pub fn settle(&self, size: u64) -> Result<(), Problem> {
        self.db.execute("UPDATE state SET settled = max(settled, ?1)", [int(size)]).db().map(drop)
    }

    /// What the centre's answer said of this vault.
    pub fn stand(&self, standing: Standing) -> Result<(), Problem> {
        self.db.execute("UPDATE state SET standing = ?1", [standing.word()]).db().map(drop)
    }
}

pub(super) fn advance(tx: &Transaction<'_>, seen: Head, log_time: Second) -> Result<(), Problem> {
    tx.execute("UPDATE state SET seen_size = ?1, seen_root = ?2 WHERE seen_size < ?1", (int(seen.size), seen.root.to_string())).db()?;
    tx.execute("UPDATE state SET log_time = max(coalesce(log_time, 0), ?1)", [log_time.unix()]).db().map(drop)
}
