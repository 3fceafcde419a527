//! Doctor: looks at everything that this laptop can see of itself, and says what to do.

use std::path::Path;

use shared::{
    problem::{Code, Lang, Problem},
    time::Second,
};

use crate::{
    alarms, close, durable,
    rights::{Act, Admission, Rights, WARN_DAYS},
    status,
    vault::{LOW_ROOM, Vault, members::Known, wrap::Cost},
};

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Finding {
    /// As it must be.
    Good,
    /// It works, and should be better.
    Warning,
    /// Something must be done.
    Bad,
}

impl Finding {
    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Warning => "warning",
            Self::Bad => "bad",
        }
    }
}

/// A check, how it ended, and what to do.
pub struct Check {
    /// What was looked at.
    pub what: &'static str,
    /// How it ended.
    pub finding: Finding,
    /// What was seen, and what to do.
    pub said: String,
}

fn check(what: &'static str, finding: Finding, said: impl Into<String>) -> Check {
    Check { what, finding, said: said.into() }
}

/// All checks, in the order in which a person would look. One that fails hides no other.
pub fn examine(vault: &Vault, now: Second) -> Vec<Check> {
    let or_bad = |what, looked: Result<Check, Problem>| looked.unwrap_or_else(|problem| check(what, Finding::Bad, problem.to_string()));
    vec![
        integrity(vault),
        or_bad("sealed records", sealed(vault)),
        or_bad("key file", key_file(vault)),
        keys(vault),
        or_bad("passphrases", passphrases(vault)),
        encryption(&vault.places().data),
        swap(),
        or_bad("disk", space(vault)),
        or_bad("clock", clock(vault, now)),
        or_bad("roster", roster(vault, now)),
        or_bad("admission", admitted(vault, now)),
        or_bad("standing", standing(vault)),
        or_bad("alarms", alarms(vault, now)),
        or_bad("signatures", unsigned(vault)),
        or_bad("outbox", waiting(vault)),
    ]
}

fn integrity(vault: &Vault) -> Check {
    match vault.integrity() {
        Ok(()) => check("vault", Finding::Good, "every page is whole"),
        Err(problem) => check("vault", Finding::Bad, format!("{problem}. Leave the laptop as it is and call the centre")),
    }
}

fn sealed(vault: &Vault) -> Result<Check, Problem> {
    let kept: Vec<_> = vault.records()?.into_iter().filter(|r| r.kept).collect();
    let mut rotten = Vec::new();
    for record in &kept {
        if !close::is_whole(vault, record)? {
            rotten.push(record.number.to_string());
        }
    }
    Ok(if rotten.is_empty() {
        check("sealed records", Finding::Good, format!("{} are as they were signed", kept.len()))
    } else {
        check("sealed records", Finding::Bad, format!("changed on this disk: {}. Call the centre", rotten.join(", ")))
    })
}

fn key_file(vault: &Vault) -> Result<Check, Problem> {
    let (used, damaged) = vault.key_slots()?;
    Ok(match damaged {
        0 => check("key file", Finding::Good, format!("{used} erasable keys")),
        n => check("key file", Finding::Bad, format!("{n} slots are damaged: their drafts or cards do not open any more")),
    })
}

fn keys(vault: &Vault) -> Check {
    let secret = &vault.places().machine;
    match vault.unit_keys() {
        Err(problem) => check("machine secret", Finding::Bad, format!("{problem}. Without it nothing can be signed")),
        Ok(_) if durable::is_open_to_others(secret) => {
            check("machine secret", Finding::Warning, format!("others may read it: chmod 600 {}", secret.display()))
        }
        Ok(_) if secret.starts_with(&vault.places().data) => {
            check("machine secret", Finding::Warning, "it lies beside the vault: whoever copies one has both (--machine-secret)")
        }
        Ok(_) => check("machine secret", Finding::Good, "opens the unit's keys"),
    }
}

fn passphrases(vault: &Vault) -> Result<Check, Problem> {
    let weak = |c: Cost| c.mib < Cost::USUAL.mib || c.passes < Cost::USUAL.passes;
    let names: Vec<String> = vault.members()?.into_iter().filter(|m| weak(m.cost)).map(|m| m.name.to_string()).collect();
    Ok(if names.is_empty() {
        check("passphrases", Finding::Good, "guessing one costs as much as it should")
    } else {
        check("passphrases", Finding::Warning, format!("cheap to guess, by a setting of init: {}", names.join(", ")))
    })
}

/// Memory that is swapped out reaches a disk as it is: a resident who is being enrolled, an unlocked key.
fn swap() -> Check {
    let read = durable::read_at_most(Path::new("/proc/swaps"), 64 << 10).ok().flatten();
    let Some(text) = read.and_then(|bytes| String::from_utf8(bytes).ok()) else {
        return check("swap", Finding::Warning, "cannot tell whether memory may be written to a disk");
    };
    let onto_disk: Vec<&str> = text.lines().skip(1).filter_map(|l| l.split_whitespace().next()).filter(|d| !is_harmless(d)).collect();
    if onto_disk.is_empty() {
        check("swap", Finding::Good, "memory is not written to a disk, or encrypted")
    } else {
        check("swap", Finding::Warning, format!("memory may be written unencrypted to {}: swapoff, or encrypt it", onto_disk.join(", ")))
    }
}

/// Swap that stays in memory (zram), or goes through dm-crypt.
fn is_harmless(device: &str) -> bool {
    let name = device.rsplit('/').next().unwrap_or(device);
    let uuid = durable::read_at_most(Path::new(&format!("/sys/class/block/{name}/dm/uuid")), 4096).ok().flatten();
    name.starts_with("zram") || uuid.is_some_and(|u| u.starts_with(b"CRYPT-"))
}

/// Overwriting a key in place says nothing of old blocks that flash keeps: the disk itself must be encrypted.
fn encryption(data: &Path) -> Check {
    let Some((major, minor)) = durable::device(data) else {
        return check("disk encryption", Finding::Warning, "cannot tell which disk this is");
    };
    let uuid = durable::read_at_most(Path::new(&format!("/sys/dev/block/{major}:{minor}/dm/uuid")), 4096).ok().flatten();
    match uuid {
        Some(uuid) if uuid.starts_with(b"CRYPT-") => check("disk encryption", Finding::Good, "dm-crypt"),
        _ => check("disk encryption", Finding::Warning, "not seen on this disk; flash may keep blocks that held erased keys"),
    }
}

fn space(vault: &Vault) -> Result<Check, Problem> {
    let free = durable::free_space(&vault.places().data)? >> 20;
    if let Err(problem) = vault.may_write() {
        return Ok(check("disk", Finding::Bad, format!("{problem}. {}", problem.row().text(Lang::En).next)));
    }
    let finding = match (vault.room_for(0), vault.room_for(LOW_ROOM)) {
        (Ok(()), Ok(())) => return Ok(check("disk", Finding::Good, format!("{free} MiB free"))),
        (Ok(()), Err(_)) => Finding::Warning,
        (Err(_), _) => Finding::Bad,
    };
    Ok(check("disk", finding, format!("{free} MiB free: close, sync, then prune")))
}

fn clock(vault: &Vault, now: Second) -> Result<Check, Problem> {
    let state = vault.state()?;
    if let Some(told) = state.clock_is_wrong(now) {
        return Ok(check("clock", Finding::Warning, told));
    }
    Ok(match state.log_time {
        None => check("clock", Finding::Warning, format!("{now}; nothing to compare it with before the first sync")),
        Some(log) if now.unix() - log.unix() > 180 * 86400 => {
            check("clock", Finding::Warning, format!("{now} is half a year past the newest log time seen ({log})"))
        }
        Some(_) => check("clock", Finding::Good, now.to_string()),
    })
}

fn roster(vault: &Vault, now: Second) -> Result<Check, Problem> {
    if vault.roster()?.is_none() {
        return Ok(check("roster", Finding::Bad, "none yet: enroll-client sync, or enroll-client roster import FILE"));
    }
    let rights = Rights::of(vault, now)?;
    let (version, end) = (rights.roster().version(), rights.end_of_capture());
    let newer = "take the newest: enroll-client sync, or enroll-client roster import FILE";
    Ok(match rights.days_left() {
        i64::MIN..0 => check("roster", Finding::Bad, format!("version {version}, capture ended {end}; {newer}")),
        _ if rights.in_grace() => {
            check("roster", Finding::Warning, format!("version {version} is past its date, capture possible until {end}; {newer}"))
        }
        0..WARN_DAYS => check("roster", Finding::Warning, format!("version {version}, capture possible until {end}; {newer}")),
        _ if rights.expires_soon() => {
            check("roster", Finding::Warning, format!("version {version} expires {}; {newer}", rights.roster().facts().expires))
        }
        _ => check("roster", Finding::Good, format!("version {version}, capture possible until {end}")),
    })
}

fn admitted(vault: &Vault, now: Second) -> Result<Check, Problem> {
    if vault.roster()?.is_none() {
        return Ok(check("admission", Finding::Bad, "no roster yet"));
    }
    let (rights, members) = (Rights::of(vault, now)?, vault.members()?);
    let too_old = rights.unit(Act::Capture).err().filter(|problem| problem.code == Code::SoftwareTooOld);
    if let Some(problem) = rights.unit(Act::Close).err().or(too_old) {
        // to wait for the centre is no alarm
        let finding = if problem.code == Code::UnitNotAdmitted { Finding::Warning } else { Finding::Bad };
        return Ok(check("admission", finding, format!("{problem}. {}", problem.row().text(Lang::En).next)));
    }
    let stands = |m: &Known| rights.admission_of(m);
    let outside = members.iter().filter(|m| !matches!(stands(m), Admission::Admitted | Admission::KeptUntil(_)));
    let outside: Vec<String> = outside.map(|m| format!("{}: {}", m.name, stands(m))).collect();
    let kept: Vec<String> = rights.kept(&members).iter().map(|(key, until)| format!("{key} counts until {until}")).collect();
    Ok(match (outside.is_empty(), kept.is_empty()) {
        (true, true) => check("admission", Finding::Good, "unit and members stand in the roster"),
        (false, _) => check("admission", Finding::Warning, outside.join("; ")),
        (true, false) => check("admission", Finding::Warning, format!("close and send before then: {}", kept.join("; "))),
    })
}

fn standing(vault: &Vault) -> Result<Check, Problem> {
    let state = vault.state()?;
    let next = state.next.as_ref().map(|key| format!("; the new key waits until the centre admits it: {}", key.fingerprint()));
    let next = next.unwrap_or_default();
    Ok(match state.standing.code() {
        None => check("standing", Finding::Good, format!("the centre knows of nothing against this vault{next}")),
        Some(code) => check("standing", Finding::Bad, format!("{code}: {}{next}", code.row().text(Lang::En).next)),
    })
}

fn alarms(vault: &Vault, now: Second) -> Result<Check, Problem> {
    let open: Vec<String> = alarms::open(vault, now)?.iter().map(|a| format!("{} since {}: {}", a.alarm, a.since, a.seen)).collect();
    Ok(if open.is_empty() {
        check("alarms", Finding::Good, "none stands")
    } else {
        check("alarms", Finding::Bad, format!("{}. See what ends each: enroll-client alarm list", open.join("; ")))
    })
}

fn unsigned(vault: &Vault) -> Result<Check, Problem> {
    let waiting: Vec<String> =
        status::unsigned(vault)?.iter().map(|(agent, n)| format!("{n} records wait: {}", status::waits_for(agent))).collect();
    Ok(if waiting.is_empty() {
        check("signatures", Finding::Good, "no record waits to be signed again")
    } else {
        check("signatures", Finding::Warning, waiting.join("; "))
    })
}

fn waiting(vault: &Vault) -> Result<Check, Problem> {
    let waiting = vault.waiting()?;
    let stuck = waiting.iter().filter_map(|b| b.problem.as_ref().map(|p| format!("{}: {p}", b.place))).collect::<Vec<_>>();
    Ok(if stuck.is_empty() {
        check("outbox", Finding::Good, format!("{} batches wait for a network", waiting.len()))
    } else {
        check("outbox", Finding::Warning, format!("set aside by the centre: {}", stuck.join("; ")))
    })
}
