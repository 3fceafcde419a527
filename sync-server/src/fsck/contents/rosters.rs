//! Rosters from version 1 on, each trusted by the one before, and their forms.

use shared::{
    log::{Body, Entry},
    problem::{Code, Problem},
    roster::{Roster, TrustedRoster},
};

use super::{Contents, Rosters, blob};
use crate::centre::Centre;

pub(super) async fn check(centre: &Centre, entries: &[(u64, Entry)], report: &mut Contents) -> Result<Rosters, Problem> {
    let mut rosters = Rosters::new();
    for (index, entry) in entries {
        let Body::Roster { version, blob: named } = &entry.body else { continue };
        let about = format!("roster {version} (entry {index})");
        let Some(bytes) = blob(centre, &about, *named, report).await else { continue };
        let Some(roster) = report.sound(&about, trust(&bytes, rosters.last())) else { continue };
        forms(centre, &roster, report).await;
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

async fn forms(centre: &Centre, roster: &TrustedRoster, report: &mut Contents) {
    for form in &roster.facts().forms {
        let about = format!("form {} of roster {}", form.name, roster.version());
        if let Some(bytes) = blob(centre, &about, form.blob, report).await {
            report.sound(&about, shared::form::Form::named(form, &bytes));
        }
    }
}
