//! What may go wrong soon, and what to do: keys, guard, archive, disks, roster, clock, recovery, records held unopened.
//!
//! **Invariants:** changes nothing but the note that the recovery identity was proven. Red until it was: an identity
//! that nobody has tried is none.
#![allow(clippy::disallowed_methods, reason = "this file looks at disks and at files that must be there")]

use std::{os::unix::fs::MetadataExt as _, path::Path};

use ground::passphrase::Passphrase;
use shared::{
    problem::{Code, Problem},
    roster::{AgeRecipient, TrustedRoster},
    seal::{Recipient, age_open, age_to, passphrase_open},
    time::Second,
};

use crate::{
    centre::{Centre, parse_identity},
    durable, entropy,
    facts::{self, LOW_DISK},
    pipeline::clock_jump,
    registry::{Filter, Page, Registry as _},
    store::{Archive as _, Guard as _, Ledger as _, registry_sqlite::RegistrySqlite},
};

/// A disk with less than this stops intake soon.
const FULL_DISK: u64 = 256 << 20;
/// A roster that expires within this wants a successor.
const ROSTER_SOON: i64 = 14 * 86_400;

/// How it stands with one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// Well.
    Well,
    /// Something should be done.
    Warning,
    /// Something must be done.
    Ill,
}

impl Health {
    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Well => "ok",
            Self::Warning => "warning",
            Self::Ill => "error",
        }
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What.
    pub about: &'static str,
    /// How it stands.
    pub health: Health,
    /// What was seen.
    pub seen: String,
    /// What to do; empty when it is well.
    pub next: &'static str,
}

fn finding(about: &'static str, health: Health, seen: impl Into<String>, next: &'static str) -> Finding {
    Finding { about, health, seen: seen.into(), next: if health == Health::Well { "" } else { next } }
}

fn graded(ill: bool, warning: bool) -> Health {
    match (ill, warning) {
        (true, _) => Health::Ill,
        (false, true) => Health::Warning,
        (false, false) => Health::Well,
    }
}

/// Looks at everything.
pub async fn examine(centre: &Centre, now: Second) -> Vec<Finding> {
    let mut findings = Vec::new();
    match centre.roster().await {
        Err(p) if p.code == Code::NoRoster && is_behind(centre).await => {
            let next = "Start `sync-server serve`, or run `sync-server rebuild`: both make it again from archive and guard.";
            findings.push(finding("database", Health::Warning, "it is new: the log is in archive and guard", next));
        }
        Ok(roster) => {
            findings.extend([keys(centre, &roster), working(centre, &roster), recovery(centre, &roster), roster_age(&roster, now)]);
            findings.push(archive(centre, &roster).await);
        }
        Err(p) => findings.push(finding("roster", Health::Ill, p.to_string(), "Run `sync-server fsck`, then `sync-server rebuild`.")),
    }
    findings.push(roster_key(centre));
    findings.push(guard(centre).await);
    findings.push(guard_volume(centre));
    let or_ill = |about, looked: Result<Finding, Problem>| {
        looked.unwrap_or_else(|p| finding(about, Health::Ill, p.to_string(), "Run `sync-server fsck`, then `sync-server rebuild`."))
    };
    findings.push(or_ill("clock", clock(centre, now).await));
    findings.push(or_ill("merge", merge(centre).await));
    findings.push(or_ill("open facts", open_facts(centre).await));
    let places = [("data", centre.settings.data.clone()), ("archive", centre.settings.archive()), ("guard", centre.settings.guard())];
    findings.extend(places.iter().map(|(name, path)| disk(name, path)));
    findings
}

/// A database that has nothing of the log yet.
async fn is_behind(centre: &Centre) -> bool {
    let guarded = centre.stores.guard.read().await.ok().flatten();
    let database = centre.stores.ledger.position().await.ok();
    guarded.zip(database).is_some_and(|(guard, database)| database.line.head.size == 0 && guard.head.size > 0)
}

/// It may lie on a stick in a safe: without it nothing is lost, and no roster changes.
fn roster_key(centre: &Centre) -> Finding {
    let path = centre.settings.roster_key();
    let next = "Bring it before rosters are to change (`roster_key` in sync-server.toml says where it lies).";
    let (health, seen) = if durable::is_there(&path) { (Health::Well, "is here") } else { (Health::Warning, "is not here") };
    finding("roster key", health, format!("{seen}: {}", path.display()), next)
}

fn keys(centre: &Centre, roster: &TrustedRoster) -> Finding {
    let next = "Put the key files back from the backup of the data folder; without them nothing can be signed.";
    let facts = roster.facts();
    match (centre.log_key(), centre.centre_key()) {
        (Ok(log), Ok(own)) if *log.public() == facts.log && *own.public() == facts.centre_key => {
            finding("keys", Health::Well, "log and centre key are those of the roster", next)
        }
        (Ok(_), Ok(_)) => finding("keys", Health::Ill, "a key is not the one that the roster names", next),
        (Err(p), _) | (_, Err(p)) => finding("keys", Health::Ill, p.to_string(), next),
    }
}

fn working(centre: &Centre, roster: &TrustedRoster) -> Finding {
    let next = "Put keys/working.identity back; until then records wait unopened, nothing is lost.";
    let named = &roster.facts().recipients.working;
    match centre.identities() {
        Ok(all) if all.first().is_some_and(|i| AgeRecipient::from(&i.recipient()) == *named) => {
            finding("working identity", Health::Well, "opens what is sealed today", next)
        }
        Ok(_) => finding("working identity", Health::Ill, "not the one that the roster names", next),
        Err(p) => finding("working identity", Health::Ill, p.to_string(), next),
    }
}

fn tested(centre: &Centre) -> std::path::PathBuf {
    centre.settings.data.join("recovery.tested")
}

fn recovery(centre: &Centre, roster: &TrustedRoster) -> Finding {
    let next = "Run `sync-server doctor --recovery FILE` with the recovery identity's file and passphrase.";
    let wanted = roster.facts().recipients.recovery.to_string();
    match durable::read(&tested(centre)) {
        Ok(Some(text)) if text.strip_suffix(b"\n") == Some(wanted.as_bytes()) => {
            finding("recovery identity", Health::Well, "has opened a test file", next)
        }
        Ok(_) => finding("recovery identity", Health::Ill, "has never opened a test file", next),
        Err(e) => finding("recovery identity", Health::Ill, e.to_string(), next),
    }
}

/// Seals a test file to the roster's recovery recipient and opens it with the identity in `locked`.
pub async fn prove_recovery(centre: &Centre, locked: &[u8], passphrase: &Passphrase) -> Result<(), Problem> {
    let roster = centre.roster().await?;
    let wanted = &roster.facts().recipients.recovery;
    let text = passphrase_open(locked, passphrase.as_str())?;
    let identity = parse_identity(&text).ok_or_else(|| Problem::new(Code::KeyUnreadable, "no age identity in it"))?;
    let challenge = entropy::secret::<32>()?;
    let sealed = age_to(&[Recipient::try_from(wanted)?], challenge.as_slice())?;
    let opened = age_open(&sealed, &[identity])?;
    if opened.as_slice() != challenge.as_slice() {
        return Err(Code::SealDamaged.into());
    }
    durable::write(&tested(centre), format!("{wanted}\n").as_bytes()).map_err(durable::problem("data folder"))
}

fn roster_age(roster: &TrustedRoster, now: Second) -> Finding {
    let next = "Publish a new one: `sync-server roster publish`.";
    let facts = roster.facts();
    let left = facts.expires.unix() - now.unix();
    let seen = format!("version {}, expires {}", facts.version, facts.expires);
    let health = graded(left <= 0, left <= ROSTER_SOON);
    finding("roster", health, seen, next)
}

async fn guard(centre: &Centre) -> Finding {
    let next = "Do not serve. Put the missing archive back, or the guard's volume; `sync-server fsck` says what contradicts.";
    let read = async { Ok::<_, Problem>((centre.stores.guard.read().await?, centre.stores.ledger.position().await?)) };
    match read.await {
        Ok((Some(line), position)) if line.head == position.line.head => {
            finding("guard", Health::Well, format!("holds the database's head, {} entries", line.head.size), next)
        }
        // between a round's steps, or after a crash: the next round catches up
        Ok((Some(line), position)) if line.head.size > position.line.head.size => {
            let seen = format!("{} entries ahead of the database", line.head.size - position.line.head.size);
            finding("guard", Health::Warning, seen, "The next start catches up by itself.")
        }
        Ok((Some(line), position)) => finding("guard", Health::Ill, format!("holds {}, database {}", line.head, position.line.head), next),
        Ok((None, _)) => finding("guard", Health::Ill, "holds no head", next),
        Err(p) => finding("guard", Health::Ill, p.to_string(), next),
    }
}

fn guard_volume(centre: &Centre) -> Finding {
    let next = "Give the guard a volume of its own that no backup and no snapshot contains (`guard` in sync-server.toml).";
    let device = |path: &Path| path.metadata().map(|m| m.dev()).ok();
    let guard = device(&centre.settings.guard());
    let shared = guard == device(&centre.settings.data) || guard == device(&centre.settings.archive());
    let (health, seen) =
        if shared { (Health::Warning, "shares a volume with data or archive") } else { (Health::Well, "has its own volume") };
    finding("guard volume", health, seen, next)
}

async fn archive(centre: &Centre, roster: &TrustedRoster) -> Finding {
    let next = "Run `sync-server fsck`; put the archive back from its copy.";
    let blobs = std::iter::once(roster.note().blob()).chain(roster.facts().forms.iter().map(|f| f.blob));
    for blob in blobs {
        if let Err(p) = centre.stores.archive.verify(blob).await {
            return finding("archive", Health::Ill, p.to_string(), next);
        }
    }
    finding("archive", Health::Well, "the newest roster and its forms are there", next)
}

async fn clock(centre: &Centre, now: Second) -> Result<Finding, Problem> {
    let next = "Nothing is logged while it is more than a day ahead. Set it; if it is right and the centre was off for days, say so: `sync-server log time confirm`.";
    let position = centre.stores.ledger.position().await?;
    if position.line.head.size == 0 {
        return Ok(finding("clock", Health::Well, format!("clock {now}; the database has no log time yet"), next));
    }
    let last = position.received;
    let ahead = now.unix() - last.unix();
    let jumped = clock_jump(&centre.stores.ledger, last, now).await?.is_some();
    let health = graded(ahead < -300 || jumped, ahead > 86_400);
    let behind = "The clock is behind the log: entries are dated by the newest one, and nothing is lost. Set the clock; if the log's time is wrong, it stays so until the clock has come up.";
    Ok(finding("clock", health, format!("clock {now}, log {last}"), if ahead < 0 { behind } else { next }))
}

/// Records that nobody could open are no damage, but somebody waits for them.
async fn merge(centre: &Centre) -> Result<Finding, Problem> {
    let next = "See `sync-server case list`. Each start and `sync-server rebuild` try again, best with newer software; nothing is lost.";
    let registry = RegistrySqlite::new(centre.db.clone());
    let (waiting, _) = registry.waiting().await?;
    let filter = Filter { code: Some(Code::Unopened), ..Filter::default() };
    let (_, unopened) = registry.cases(filter, Page { skip: 0, limit: 0 }).await?;
    let health = graded(false, unopened > 0);
    Ok(finding("merge", health, format!("{waiting} batches wait, {unopened} records are held unopened"), next))
}

/// What is open, as counts: each has its way out in the list.
async fn open_facts(centre: &Centre) -> Result<Finding, Problem> {
    let next = "See what is open, and what closes it: `sync-server open list`.";
    let counts = facts::counts(&facts::open(centre).await?);
    let words: Vec<String> = counts.iter().map(|(kind, count)| format!("{count} {}", kind.as_str())).collect();
    let seen = if words.is_empty() { "none".to_owned() } else { words.join(", ") };
    Ok(finding("open facts", graded(false, !counts.is_empty()), seen, next))
}

fn disk(about: &'static str, path: &Path) -> Finding {
    let next = "Make room or grow the volume; intake answers `busy` before it is full, nothing is lost.";
    if durable::is_read_only(path) {
        let next = "Mount it for writing again: until then nothing is taken in, and nothing is lost.";
        return finding(about, Health::Ill, "can only be read", next);
    }
    match durable::free_space(path) {
        Ok(free) => finding(about, graded(free < FULL_DISK, free < LOW_DISK), format!("{} MiB free", free >> 20), next),
        Err(e) => finding(about, Health::Ill, e.to_string(), next),
    }
}
