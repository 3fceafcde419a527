//! Lists of keys: every one that ever was, what it may do, and how it stands with it.
//!
//! ```text
//! {"message_type":"agent","name":"agent-007","role":"agent","key":"agent-007+…","key_id":"6e1dd5c4","fingerprint":"…","unit":"van-017",
//!  "admitted":{"log_index":4,"time":"…"},"state":"cut","cut":20841,"since":"…","until":null,"reason":"left"}
//! ```

use serde_json::{Value, json};
use shared::{
    problem::Problem,
    roster::{Crew, Role},
};

use super::open;
use crate::{
    cli::{Global, Out},
    facts,
    joining::lives::{self, KeyLife, State},
};

/// Prints all keys of these roles.
pub(super) async fn list(global: &Global, out: &Out, kind: &str, roles: &[Role]) -> Result<(), Problem> {
    let centre = open(global)?;
    let roster = centre.roster().await?;
    let all = lives::all(&centre.stores.ledger, roster.facts(), roles).await?;
    for life in &all {
        out.line(kind, value(life), human(life));
    }
    let mut summary = json!({ "keys": all.len(), "roster": roster.facts().version });
    let mut words = vec![format!("{} keys", all.len())];
    for role in roles {
        let mut names: Vec<_> = all.iter().filter(|life| life.role == *role).map(|life| &life.name).collect();
        names.dedup();
        summary[format!("{role}s")] = json!(names.len());
        words.push(format!("{} {role}s", names.len()));
    }
    out.summary(summary, words.join(", "));
    Ok(())
}

/// What is open about units, unit after unit.
pub(super) async fn open_of_units(global: &Global, out: &Out) -> Result<(), Problem> {
    let mut facts = facts::open(&open(global)?).await?;
    facts.retain(|fact| fact.unit.is_some());
    facts.sort_by(|a, b| (&a.unit, a.kind).cmp(&(&b.unit, b.kind)));
    crate::cli::open::print(out, &facts);
    Ok(())
}

fn value(life: &KeyLife) -> Value {
    let mut value = json!({
        "name": life.name, "role": life.role.as_str(), "key": life.key, "key_id": life.key.id().to_string(),
        "fingerprint": life.key.fingerprint(), "unit": life.unit,
        "admitted": life.admitted.map(|(index, time)| json!({ "log_index": index.0, "time": time })),
        "state": life.state.word(), "until": null, "cut": null, "since": null, "reason": null,
    });
    if let Some((epoch, region, crew)) = &life.laptop {
        value["epoch"] = json!(epoch);
        value["region"] = json!(region);
        value["alone"] = json!(*crew == Crew::Alone);
    }
    match &life.state {
        State::Active => {}
        State::Kept(until) | State::Over(until) => value["until"] = json!(until),
        State::Frozen(at) => value["cut"] = json!(at.0),
        State::Cut { at, since, reason } => {
            value["cut"] = json!(at.0);
            value["since"] = json!(since);
            value["reason"] = json!(reason);
        }
    }
    value
}

fn human(life: &KeyLife) -> String {
    let place = match (&life.laptop, &life.unit) {
        (Some((epoch, region, crew)), _) => {
            format!("epoch {epoch}, region {region}{}", if *crew == Crew::Alone { ", alone" } else { "" })
        }
        (None, Some(unit)) => format!("{}, at {unit}", life.role),
        (None, None) => life.role.to_string(),
    };
    let admitted = life.admitted.map_or_else(|| "not logged yet".to_owned(), |(index, time)| format!("entry {index}, {time}"));
    format!(
        "{:<20} {}  {}\n{:<20} fingerprint {}, admitted at {admitted}\n{:<20} {place}",
        life.name.as_str(),
        life.key.id(),
        life.state,
        "",
        life.key.fingerprint(),
        ""
    )
}
