//! Rosters from version 1 on, each trusted by the one before, and their forms.

use shared::{
    form::Form,
    log::Body,
    problem::{Code, Problem},
    roster::{FormRef, Roster, TrustedRoster},
};

use super::{Contents, Log, Rosters};

/// The first to look at the log: reports what of it can't be read.
pub(super) async fn check(log: &Log<'_>, report: &mut Contents) -> Result<Rosters, Problem> {
    let (mut rosters, mut known) = (Rosters::new(), Vec::new());
    for index in 0..log.size {
        let read = log.entry(index).await?;
        let Some(entry) = report.sound(&format!("entry {index}"), read) else { continue };
        let Body::Roster { version, blob } = entry.body else { continue };
        let about = format!("roster {version} (entry {index})");
        let Some(bytes) = log.blob(&about, blob, report).await else { continue };
        let Some(roster) = report.sound(&about, trust(&bytes, rosters.last())) else { continue };
        forms(log, &roster, &mut known, report).await;
        rosters.push(roster);
    }
    Ok(rosters)
}

/// The first is signed by its own signers; whose key that must be, units and auditors know from outside.
fn trust(bytes: &[u8], before: Option<&TrustedRoster>) -> Result<TrustedRoster, Problem> {
    let roster = Roster::parse(bytes)?;
    if let Some(before) = before {
        return roster.trust_after(before);
    }
    let anchor = roster.facts().signers.keys.first().cloned().ok_or(Code::RosterRefused)?;
    roster.trust_anchored(&anchor)
}

/// The forms that a roster names; most are `known` to be sound from the one before.
async fn forms(log: &Log<'_>, roster: &TrustedRoster, known: &mut Vec<FormRef>, report: &mut Contents) {
    for form in &roster.facts().forms {
        if known.contains(form) {
            continue;
        }
        let about = format!("form {} of roster {}", form.name, roster.version());
        let Some(bytes) = log.blob(&about, form.blob, report).await else { continue };
        if report.sound(&about, Form::named(form, &bytes)).is_some() {
            known.push(form.clone());
        }
    }
}
