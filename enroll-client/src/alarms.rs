//! Alarms of this unit: states, shown by every screen until what raised them is resolved.
//!
//! | alarm | raised by | what ends it |
//! |---|---|---|
//! | `log-inconsistent` | two histories of the log were shown | a supervisor clears it by name; what is sealed stays for ever |
//! | `vault-rewound`, `frozen`, `epoch-needed` | the centre's last word | a new key that a roster admits |
//! | `roster-expired` | unit time is past date and grace | a newer roster |
//! | `key-file-damaged` | keys that rows name do not open | the drafts discarded, the cards' batch closed and merged |
//! | `disk-full` | less room than capture needs | room |
//!
//! **Invariants:** an alarm is computed from what is here, so no screen can miss it and nothing can be stale; only its time and its
//! clearing are kept. Clearing one by name changes what is shown, and never what may be pruned (`rights.rs`).

use shared::{
    hello::Alarm,
    problem::{Code, Problem, exit::Exit},
    time::Second,
};

use crate::{
    rights::Rights,
    sync,
    vault::{CaptureSession, Vault, alarms::Cleared, members::Supervisor},
};

/// An alarm that stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Which.
    pub alarm: Alarm,
    /// Since when.
    pub since: Second,
    /// What is known of it.
    pub seen: String,
    /// Who cleared it, where somebody did.
    pub cleared: Option<Cleared>,
}

impl Standing {
    /// As a problem, whose text has the way out.
    pub fn problem(&self) -> Problem {
        Problem::new(self.alarm.code(), format!("since {}: {}", self.since, self.seen))
    }
}

/// Every alarm that stands, cleared or not.
pub fn standing(vault: &Vault, now: Second) -> Result<Vec<Standing>, Problem> {
    let (noticed, cleared) = (vault.noticed()?, vault.cleared()?);
    let mut all = own(vault, now)?;
    all.extend(observed(vault)?.into_iter().map(|(alarm, seen)| (alarm, now, seen)));
    all.sort();
    let standing = |(alarm, last, seen): (Alarm, Second, String)| {
        let since = noticed.iter().find(|(known, _)| *known == alarm).map_or(last, |(_, since)| *since);
        let cleared = cleared.iter().rfind(|c| c.alarm == alarm && c.at > last).cloned();
        Standing { alarm, since, seen, cleared }
    };
    Ok(all.into_iter().map(standing).collect())
}

/// What nobody has cleared.
pub fn open(vault: &Vault, now: Second) -> Result<Vec<Standing>, Problem> {
    Ok(standing(vault, now)?.into_iter().filter(|alarm| alarm.cleared.is_none()).collect())
}

/// The exit code of a command that shows these: the gravest.
pub fn exit(open: &[Standing]) -> Exit {
    let codes = open.iter().map(|alarm| Exit::of(alarm.alarm.code()));
    codes.max_by_key(|exit| *exit == Exit::Integrity).unwrap_or(Exit::Done)
}

/// Alarms that have a time of their own: when they were raised last.
fn own(vault: &Vault, now: Second) -> Result<Vec<(Alarm, Second, String)>, Problem> {
    let state = vault.state()?;
    let mut all = Vec::new();
    if let Some((last, files)) = sync::evidence(vault.places(), now)? {
        all.push((Alarm::LogInconsistent, last, format!("both histories are kept: {}", files.join(", "))));
    }
    if let (Some(alarm), since) = (state.standing.alarm(), state.standing_since) {
        all.push((alarm, since.unwrap_or(now), "the centre's last word on the key of this unit".to_owned()));
    }
    if vault.roster()?.is_some() {
        let rights = Rights::of(vault, now)?;
        if rights.is_expired() {
            let end = rights.end_of_grace();
            all.push((Alarm::RosterExpired, end, format!("roster {} and its grace have ended", rights.roster().version())));
        }
    }
    Ok(all)
}

/// Alarms that are seen by looking.
fn observed(vault: &Vault) -> Result<Vec<(Alarm, String)>, Problem> {
    let mut all = Vec::new();
    let (_, lost) = vault.key_slots()?;
    if lost > 0 {
        all.push((Alarm::KeyFileDamaged, format!("{lost} drafts or cards do not open any more")));
    }
    match vault.room_for(0) {
        Err(problem) if problem.code == Code::DiskFull => all.push((Alarm::DiskFull, problem.detail)),
        other => other?,
    }
    Ok(all)
}

/// Keeps since when the alarms stand of which nothing else says it. For commands that write anyway.
pub fn notice(vault: &Vault, now: Second) -> Result<(), Problem> {
    let mut seen: Vec<Alarm> = observed(vault)?.into_iter().map(|(alarm, _)| alarm).collect();
    seen.extend(sync::evidence(vault.places(), now)?.map(|_| Alarm::LogInconsistent));
    // as the vault has them
    seen.sort_by_key(ToString::to_string);
    vault.notice(&seen, now)
}

/// A supervisor clears an alarm by name. Only the one that nothing else ends: the others have their way out.
pub fn clear(vault: &Vault, session: &CaptureSession, alarm: Alarm, by: &Supervisor, reason: &str, now: Second) -> Result<(), Problem> {
    let stands = open(vault, now)?.into_iter().find(|standing| standing.alarm == alarm);
    let stands = stands.ok_or_else(|| Problem::new(Code::NothingToDo, format!("no alarm {alarm} stands")))?;
    if alarm != Alarm::LogInconsistent {
        // nobody is helped by a screen that is silent about it
        return Err(stands.problem());
    }
    // what is found again from this moment on raises it anew
    let last = sync::evidence(vault.places(), now)?.map_or(now, |(last, _)| last);
    vault.clear(session, alarm, by, reason, now.max(Second::from_unix(last.unix() + 1)))
}
