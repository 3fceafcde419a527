//! A roster's text, in the order that FORMATS fixes.

use std::fmt::Write as _;

use super::{Approval, Crew, Facts, Persons, Quorum, Renewals, UnknownTargets};
use crate::id::Member;

/// Prints the text that is signed.
pub(super) fn text(facts: &Facts) -> String {
    let mut out = String::from("enroll-roster/v1\n");
    write(facts, &mut out).expect("writing to a String does not fail");
    out
}

fn write(facts: &Facts, out: &mut String) -> std::fmt::Result {
    writeln!(out, "centre {}\nversion {}", facts.centre, facts.version)?;
    writeln!(out, "published {}\nexpires {}", facts.published, facts.expires)?;
    writeln!(out, "grace {}\nretention {}\nsoftware {}", facts.grace, facts.retention, facts.software)?;
    writeln!(out, "recipient working {}\nrecipient recovery {}", facts.recipients.working, facts.recipients.recovery)?;
    for auditor in &facts.recipients.auditors {
        writeln!(out, "recipient auditor {auditor}")?;
    }
    writeln!(out, "log {}\ncentre-key {}", facts.log, facts.centre_key)?;
    quorum(out, "signer", &facts.signers)?;
    quorum(out, "witness", &facts.witnesses)?;
    for form in &facts.forms {
        writeln!(out, "form {} {} {}", form.name, form.size, form.blob)?;
    }
    writeln!(out, "limit lines {}\nlimit batch {}\nlimit record {}", facts.limits.lines, facts.limits.batch, facts.limits.record)?;
    match facts.approval {
        Approval::Required => writeln!(out, "approval required")?,
        Approval::None => writeln!(out, "approval none")?,
    }
    writeln!(out, "renewals {}", if facts.renewals == Renewals::Apply { "apply" } else { "hold" })?;
    writeln!(out, "unknown-targets {}", if facts.unknown_targets == UnknownTargets::Found { "found" } else { "hold" })?;
    writeln!(out, "amend {}", facts.amend)?;
    writeln!(out, "persons {}", if facts.persons == Persons::Two { "two" } else { "by-effect" })?;
    members(facts, out)
}

fn quorum(out: &mut String, word: &str, quorum: &Quorum) -> std::fmt::Result {
    let plural = if word == "witness" { "witnesses" } else { "signers" };
    writeln!(out, "{plural} {} of {}", quorum.needed, quorum.keys.len())?;
    quorum.keys.iter().try_for_each(|key| writeln!(out, "{word} {key}"))
}

fn members(facts: &Facts, out: &mut String) -> std::fmt::Result {
    for unit in &facts.units {
        let alone = if unit.crew == Crew::Alone { " alone" } else { "" };
        writeln!(out, "unit {} {} {} region {}{alone}", unit.name, unit.epoch, unit.key, unit.region)?;
    }
    for agent in &facts.agents {
        writeln!(out, "agent {} {}{}", agent.name, agent.key, at(agent.unit.as_ref()))?;
    }
    for supervisor in &facts.supervisors {
        let at = at(supervisor.unit.as_ref());
        writeln!(out, "supervisor {} {} {}{at}", supervisor.name, supervisor.key, supervisor.recipient)?;
    }
    for (word, entries) in [("carrier", &facts.carriers), ("adjudicator", &facts.adjudicators), ("administrator", &facts.administrators)] {
        for entry in entries {
            writeln!(out, "{word} {} {}", entry.name, entry.key)?;
        }
    }
    for kept in &facts.kept {
        writeln!(out, "kept {} until {}", kept.key, kept.until)?;
    }
    for ended in &facts.revoked {
        writeln!(out, "revoked {} cut {} {}", ended.key, ended.cut, ended.reason)?;
    }
    Ok(())
}

fn at(unit: Option<&Member>) -> String {
    unit.map(|unit| format!(" at {unit}")).unwrap_or_default()
}
