//! Reads a roster's text. Whatever reads without error prints as the same text again.

use std::collections::BTreeSet;

use super::{
    AgeRecipient, AgentEntry, Approval, Crew, Facts, FormRef, Kept, Limits, Persons, Quorum, Recipients, Renewals, Revocation, StaffEntry,
    SupervisorEntry, UnitEntry, UnknownTargets, print,
};
use crate::{
    id::{KeyName, LogIndex, Member},
    keys::{KeyRef, VerifierKey},
    problem::{Code, Problem},
    text::{Lines, TextError, decimal, plain_word},
};

/// Reads the text of a roster, demanding canonical form and one role a name.
pub(super) fn facts(text: &str) -> Result<Facts, Problem> {
    let facts = read(text)?;
    if print::text(&facts) != text {
        return Err(Code::TextMalformed.into());
    }
    consistent(&facts)?;
    Ok(facts)
}

fn read(text: &str) -> Result<Facts, TextError> {
    let mut lines = Lines::new(text)?;
    lines.header("enroll-roster")?;
    let facts = Facts {
        centre: field(&mut lines, "centre")?,
        version: field(&mut lines, "version")?,
        published: field(&mut lines, "published")?,
        expires: field(&mut lines, "expires")?,
        grace: number(&mut lines, "grace")?,
        retention: number(&mut lines, "retention")?,
        software: field(&mut lines, "software")?,
        recipients: recipients(&mut lines)?,
        log: field(&mut lines, "log")?,
        centre_key: field(&mut lines, "centre-key")?,
        signers: quorum(&mut lines, "signers", "signer")?,
        witnesses: quorum(&mut lines, "witnesses", "witness")?,
        forms: many(&mut lines, "form", form)?,
        limits: Limits {
            lines: number(&mut lines, "limit lines")?,
            batch: number(&mut lines, "limit batch")?,
            record: number(&mut lines, "limit record")?,
        },
        approval: approval(&mut lines)?,
        renewals: choice(&mut lines, "renewals", [("hold", Renewals::Hold), ("apply", Renewals::Apply)])?,
        unknown_targets: choice(&mut lines, "unknown-targets", [("hold", UnknownTargets::Hold), ("found", UnknownTargets::Found)])?,
        amend: number(&mut lines, "amend")?,
        persons: choice(&mut lines, "persons", [("by-effect", Persons::ByEffect), ("two", Persons::Two)])?,
        units: many(&mut lines, "unit", unit)?,
        agents: many(&mut lines, "agent", agent)?,
        supervisors: many(&mut lines, "supervisor", supervisor)?,
        carriers: many(&mut lines, "carrier", staff)?,
        adjudicators: many(&mut lines, "adjudicator", staff)?,
        administrators: many(&mut lines, "administrator", staff)?,
        kept: many(&mut lines, "kept", kept)?,
        revoked: many(&mut lines, "revoked", revoked)?,
    };
    lines.end()?;
    Ok(facts)
}

fn field<T: std::str::FromStr>(lines: &mut Lines<'_>, word: &str) -> Result<T, TextError> {
    let value = lines.field(word)?;
    lines.parse(value)
}

fn number(lines: &mut Lines<'_>, word: &str) -> Result<u64, TextError> {
    let value = lines.field(word)?;
    decimal(value).ok_or_else(|| lines.bad())
}

fn many<'a, T>(lines: &mut Lines<'a>, word: &str, one: fn(&Lines<'a>, &'a str) -> Result<T, TextError>) -> Result<Vec<T>, TextError> {
    let mut found = Vec::new();
    while let Some(value) = lines.optional(word)? {
        found.push(one(lines, value)?);
    }
    Ok(found)
}

fn recipients(lines: &mut Lines<'_>) -> Result<Recipients, TextError> {
    Ok(Recipients {
        working: field(lines, "recipient working")?,
        recovery: field(lines, "recipient recovery")?,
        auditors: many(lines, "recipient auditor", Lines::parse::<AgeRecipient>)?,
    })
}

fn quorum(lines: &mut Lines<'_>, plural: &str, word: &str) -> Result<Quorum, TextError> {
    let value = lines.field(plural)?;
    let [needed, of, count] = lines.words(value)?;
    let number = |text| decimal(text).and_then(|n| usize::try_from(n).ok());
    let (Some(needed), "of", Some(count)) = (number(needed), of, number(count)) else { return Err(lines.bad()) };
    let bad = lines.bad();
    let keys: Vec<VerifierKey> = many(lines, word, Lines::parse)?;
    if keys.len() == count && needed <= count { Ok(Quorum { needed, keys }) } else { Err(bad) }
}

fn form(lines: &Lines<'_>, value: &str) -> Result<FormRef, TextError> {
    let [name, size, blob] = lines.words(value)?;
    Ok(FormRef { name: lines.parse(name)?, size: decimal(size).ok_or_else(|| lines.bad())?, blob: lines.parse(blob)? })
}

fn approval(lines: &mut Lines<'_>) -> Result<Approval, TextError> {
    choice(lines, "approval", [("required", Approval::Required), ("none", Approval::None)])
}

/// One of two words.
fn choice<T: Copy>(lines: &mut Lines<'_>, word: &str, words: [(&str, T); 2]) -> Result<T, TextError> {
    let value = lines.field(word)?;
    words.into_iter().find(|(word, _)| *word == value).map(|(_, meaning)| meaning).ok_or_else(|| lines.bad())
}

fn unit(lines: &Lines<'_>, value: &str) -> Result<UnitEntry, TextError> {
    let (value, crew) = value.strip_suffix(" alone").map_or((value, Crew::Several), |v| (v, Crew::Alone));
    let [name, epoch, key, word, region] = lines.words(value)?;
    let epoch = decimal(epoch).and_then(|e| u32::try_from(e).ok()).filter(|&e| e >= 1).ok_or_else(|| lines.bad())?;
    if word != "region" || !plain_word(region) {
        return Err(lines.bad());
    }
    Ok(UnitEntry { name: lines.parse(name)?, epoch, key: lines.parse(key)?, region: region.to_owned(), crew })
}

fn agent(lines: &Lines<'_>, value: &str) -> Result<AgentEntry, TextError> {
    let (value, unit) = bound(lines, value)?;
    let [name, key] = lines.words(value)?;
    Ok(AgentEntry { name: lines.parse(name)?, key: lines.parse(key)?, unit })
}

fn supervisor(lines: &Lines<'_>, value: &str) -> Result<SupervisorEntry, TextError> {
    let (value, unit) = bound(lines, value)?;
    let [name, key, recipient] = lines.words(value)?;
    Ok(SupervisorEntry { name: lines.parse(name)?, key: lines.parse(key)?, unit, recipient: lines.parse(recipient)? })
}

/// What stands before ` at <unit>`, and the unit.
fn bound<'a>(lines: &Lines<'a>, value: &'a str) -> Result<(&'a str, Option<Member>), TextError> {
    match value.split_once(" at ") {
        Some((value, unit)) => Ok((value, Some(lines.parse(unit)?))),
        None => Ok((value, None)),
    }
}

fn staff(lines: &Lines<'_>, value: &str) -> Result<StaffEntry, TextError> {
    let [name, key] = lines.words(value)?;
    Ok(StaffEntry { name: lines.parse(name)?, key: lines.parse(key)? })
}

fn kept(lines: &Lines<'_>, value: &str) -> Result<Kept, TextError> {
    let [key, word, until] = lines.words(value)?;
    if word == "until" { Ok(Kept { key: lines.parse(key)?, until: lines.parse(until)? }) } else { Err(lines.bad()) }
}

fn revoked(lines: &Lines<'_>, value: &str) -> Result<Revocation, TextError> {
    let [key, word, cut, reason] = lines.words(value)?;
    let cut = decimal(cut).ok_or_else(|| lines.bad())?;
    if word != "cut" || !plain_word(reason) {
        return Err(lines.bad());
    }
    Ok(Revocation { key: lines.parse(key)?, cut: LogIndex(cut), reason: reason.to_owned() })
}

fn ascending<T: Ord>(items: impl IntoIterator<Item = T>) -> bool {
    let items: Vec<T> = items.into_iter().collect();
    items.windows(2).all(|pair| pair[0] < pair[1])
}

/// Sorted, one role a name, each key under its owner's name and nobody else's, one kind of recipient.
fn consistent(facts: &Facts) -> Result<(), Problem> {
    let refuse = |why: &str| Err(Problem::new(Code::RosterRefused, why));
    let staff = |entries: &[StaffEntry]| ascending(entries.iter().map(|e| KeyRef::from(&e.key)));
    let sorted = ascending(facts.units.iter().map(|u| (&u.name, u.epoch)))
        && ascending(facts.agents.iter().map(|a| KeyRef::from(&a.key)))
        && ascending(facts.supervisors.iter().map(|s| KeyRef::from(&s.key)))
        && [&facts.carriers, &facts.adjudicators, &facts.administrators].into_iter().all(|entries| staff(entries))
        && ascending(facts.forms.iter().map(|f| &f.name))
        && ascending(facts.kept.iter().map(|k| &k.key))
        && ascending(facts.revoked.iter().map(|r| &r.key))
        && ascending(facts.signers.keys.iter().map(VerifierKey::name))
        && ascending(facts.witnesses.keys.iter().map(VerifierKey::name));
    if !sorted {
        return refuse("members are not sorted");
    }
    let members = facts.members();
    let roles: BTreeSet<_> = members.iter().map(|m| (m.name, m.role)).collect();
    if roles.iter().zip(roles.iter().skip(1)).any(|(a, b)| a.0 == b.0) {
        return refuse("a name has two roles");
    }
    let own_names = members.iter().all(|m| KeyName::from(m.name) == *m.key.name())
        && *facts.log.name() == facts.centre.log_name()
        && *facts.centre_key.name() == facts.centre.key_name();
    if !own_names {
        return refuse("a key does not bear its owner's name");
    }
    let own = [&facts.log, &facts.centre_key].into_iter().chain(&facts.signers.keys).chain(&facts.witnesses.keys);
    let keys: Vec<&VerifierKey> = members.iter().map(|m| m.key).chain(own).collect();
    if keys.iter().map(|key| key.public_bytes()).collect::<BTreeSet<_>>().len() != keys.len() {
        return refuse("a key bears two names");
    }
    let known: BTreeSet<KeyRef> = members.iter().map(|m| KeyRef::from(m.key)).collect();
    if facts.kept.iter().any(|k| !known.contains(&k.key)) {
        return refuse("a key is kept that is not listed");
    }
    if facts.recipients.working.kind() != facts.recipients.recovery.kind() {
        return refuse("working and recovery recipient are of two kinds");
    }
    if facts.recipients.working == facts.recipients.recovery {
        return refuse("working and recovery recipient are one");
    }
    if facts.signers.needed == 0 || facts.recipients.auditors.is_empty() {
        return refuse("no signer or no auditor");
    }
    let (limits, most) = (facts.limits, Limits::MOST);
    if limits.lines == 0 || limits.lines > most.lines || limits.batch > most.batch || limits.record > most.record {
        return refuse("a limit is larger than this version admits");
    }
    Ok(())
}
