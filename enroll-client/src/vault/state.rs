//! What the unit is and how far it has come: one row.

use std::{fmt, str::FromStr};

use rusqlite::Transaction;
use shared::{
    hello::Alarm,
    id::{BatchId, Member},
    keys::VerifierKey,
    log::Head,
    problem::{Code, Problem},
    time::Second,
};

use super::{
    CaptureSession, Db as _, Vault,
    columns::{Column as _, Row, maybe},
    damaged, int,
    machine::WrappedUnitKeys,
    wrap::Cost,
};

/// A clock that is ahead by more seconds than this is told.
const CLOCK_OFF: u64 = 300;

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

/// How the centre sees this vault, by its last word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nothing wrong.
    Ok,
    /// The vault was put back to an older copy: its numbers and places were given twice.
    Rewound,
    /// Two histories of this unit's key are known to the centre.
    Frozen,
    /// The centre takes nothing more under this key.
    EpochNeeded,
}

impl Standing {
    const ALL: [Self; 4] = [Self::Ok, Self::Rewound, Self::Frozen, Self::EpochNeeded];

    /// What is wrong, as a problem; its text has the way out.
    pub const fn code(self) -> Option<Code> {
        match self {
            Self::Ok => None,
            Self::Rewound => Some(Code::VaultRewound),
            Self::Frozen => Some(Code::Frozen),
            Self::EpochNeeded => Some(Code::EpochNeeded),
        }
    }
    /// The same as an alarm.
    pub const fn alarm(self) -> Option<Alarm> {
        match self {
            Self::Ok => None,
            Self::Rewound => Some(Alarm::VaultRewound),
            Self::Frozen => Some(Alarm::Frozen),
            Self::EpochNeeded => Some(Alarm::EpochNeeded),
        }
    }
    /// Under any other word than `ok` this key gives no number and no place.
    pub fn demand_ok(self) -> Result<(), Problem> {
        self.code().map_or(Ok(()), |code| Err(code.into()))
    }
}
impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code().map_or("ok", |code| code.row().code))
    }
}
impl FromStr for Standing {
    type Err = Problem;
    fn from_str(s: &str) -> Result<Self, Problem> {
        Self::ALL.into_iter().find(|standing| standing.to_string() == s).ok_or_else(|| damaged("standing"))
    }
}

/// The row.
#[derive(Debug, Clone)]
pub struct State {
    /// Name of the unit.
    pub unit: Member,
    /// Its key.
    pub key: VerifierKey,
    /// A new key, which takes the place of the other once a roster names it.
    pub next: Option<VerifierKey>,
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
    /// Seconds by which the clock of this laptop was ahead of the centre's at the last hello.
    pub ahead: u64,
    /// Log size up to which all receipts and outcomes are here.
    pub settled: u64,
    /// How the centre sees this vault.
    pub standing: Standing,
    /// Since when, unless that is well.
    pub standing_since: Option<Second>,
}

impl State {
    /// What a person should know of this laptop's clock. What is finished under one that runs ahead bears a time that has not come
    /// yet; under one that is behind, the newest time of the log, whatever the hour.
    pub fn clock_is_wrong(&self, now: Second) -> Option<String> {
        if self.ahead > CLOCK_OFF {
            let minutes = self.ahead / 60;
            return Some(format!(
                "the clock of this laptop was {minutes} minutes ahead of the centre's at the last sync: set it before anybody is enrolled"
            ));
        }
        let log = self.log_time.filter(|log| log.unix() - now.unix() > CLOCK_OFF.cast_signed())?;
        Some(format!(
            "the clock of this laptop says {now} and is behind the centre's log, which was at {log} when it was heard last: set it before anybody is enrolled"
        ))
    }
    /// The unit's time: the clock, raised to the newest log time that was verified when it is behind it.
    pub fn unit_time(&self, now: Second) -> Second {
        self.log_time.map_or(now, |log| log.max(now))
    }
}

const COLUMNS: &str = "unit, unit_key, next_key, server, ca, roster_key, argon_mib, argon_passes, epoch, last_number, last_sequence,
    head, hello, seen_size, seen_root, log_time, settled, standing, standing_since, ahead";

fn row(r: &Row<'_>) -> Result<State, Problem> {
    let seen = format!("{} {}", u64::read(r, 13)?, String::read(r, 14)?);
    Ok(State {
        unit: Member::read(r, 0)?,
        key: VerifierKey::read(r, 1)?,
        next: Option::read(r, 2)?,
        server: String::read(r, 3)?,
        ca: Option::read(r, 4)?,
        roster_key: VerifierKey::read(r, 5)?,
        cost: Cost { mib: u32::read(r, 6)?, passes: u32::read(r, 7)? },
        epoch: Some(u32::read(r, 8)?).filter(|&e| e > 0),
        last_number: u64::read(r, 9)?,
        last_sequence: u64::read(r, 10)?,
        head: Option::read(r, 11)?,
        hello: u64::read(r, 12)?,
        seen: seen.parse().map_err(|_| damaged("log head"))?,
        log_time: Option::read(r, 15)?,
        settled: u64::read(r, 16)?,
        standing: Standing::read(r, 17)?,
        standing_since: Option::read(r, 18)?,
        ahead: u64::read(r, 19)?,
    })
}

impl Vault {
    /// `init` got to its end.
    pub fn is_initialised(&self) -> Result<bool, Problem> {
        self.db.query_row("SELECT EXISTS (SELECT 1 FROM state)", [], |r| r.get(0)).db()
    }

    /// The row of state.
    pub fn state(&self) -> Result<State, Problem> {
        maybe(&self.db, &format!("SELECT {COLUMNS} FROM state"), [], row)?.ok_or_else(|| Code::NotInitialised.into())
    }

    /// The keys under the machine secret, as they lie here.
    pub fn wrapped_unit_keys(&self) -> Result<WrappedUnitKeys, Problem> {
        let sql = "SELECT unit_secret, vault_secret, next_secret FROM state";
        let read = |r: &Row<'_>| Ok(WrappedUnitKeys { unit: Vec::read(r, 0)?, vault: Vec::read(r, 1)?, next: Option::read(r, 2)? });
        maybe(&self.db, sql, [], read)?.ok_or_else(|| Code::NotInitialised.into())
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

    /// Changes the way to the centre: its address, and who vouches for it. What is signed and sealed does not rest on it.
    pub fn set_way(&self, _: &CaptureSession, server: &str, ca: Option<&[u8]>) -> Result<(), Problem> {
        self.db.execute("UPDATE state SET server = ?1, ca = ?2", (server, ca)).db().map(drop)
    }

    /// Begins again under a first key, where the machine secret is lost and with it every key that rested under it. What is
    /// sealed, closed and received stays. One statement: a crash leaves the lost keys or the new ones.
    pub fn found_again(&self, _: &CaptureSession, key: &VerifierKey, wrapped: &WrappedUnitKeys) -> Result<(), Problem> {
        let sql = "UPDATE state SET unit_key = ?1, unit_secret = ?2, vault_secret = ?3, next_key = NULL, next_secret = NULL,
                                    epoch = 0, last_number = 0, last_sequence = 0";
        self.db.execute(sql, (key.to_string(), &wrapped.unit, &wrapped.vault)).db().map(drop)
    }

    /// Raises the hello counter, durably, before the note that carries it leaves; returns the new one.
    pub fn next_hello(&self) -> Result<u64, Problem> {
        // In a transaction of its own: a row that a statement returns comes before its commit, whose error nobody would hear.
        let tx = self.begin()?;
        let hello =
            maybe(&tx, "UPDATE state SET hello = hello + 1 RETURNING hello", [], u64::read_first)?.ok_or_else(|| damaged("the state"))?;
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

    /// Keeps by how much this clock is ahead of the centre's.
    pub fn keep_ahead(&self, seconds: u64) -> Result<(), Problem> {
        self.db.execute("UPDATE state SET ahead = ?1", [int(seconds)]).db().map(drop)
    }

    /// All receipts and outcomes up to this log size are here.
    pub fn settle(&self, size: u64) -> Result<(), Problem> {
        self.db.execute("UPDATE state SET settled = max(settled, ?1)", [int(size)]).db().map(drop)
    }

    /// What the centre said of this vault. Only a new key makes it good again.
    pub fn stand(&self, standing: Standing, now: Second) -> Result<(), Problem> {
        let since = (standing != Standing::Ok).then_some(now.unix());
        let sql = "UPDATE state SET standing = ?1, standing_since = ?2 WHERE standing <> ?1";
        self.db.execute(sql, (standing.to_string(), since)).db().map(drop)
    }
}

pub(super) fn advance(tx: &Transaction<'_>, seen: Head, log_time: Second) -> Result<(), Problem> {
    tx.execute("UPDATE state SET seen_size = ?1, seen_root = ?2 WHERE seen_size < ?1", (int(seen.size), seen.root.to_string())).db()?;
    tx.execute("UPDATE state SET log_time = max(coalesce(log_time, 0), ?1)", [log_time.unix()]).db().map(drop)
}
