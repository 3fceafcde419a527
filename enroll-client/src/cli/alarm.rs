//! `alarm list|clear`: what stands, since when, and who has cleared one by name.

use clap::Subcommand;
use serde_json::json;
use shared::{
    hello::Alarm,
    problem::{Code, Lang, Problem},
    text::plain_word,
};

use super::{App, Exit};
use crate::{alarms, clock};

/// `alarm …`
#[derive(Debug, Subcommand)]
pub enum AlarmCommand {
    /// Every alarm that stands, with what ends it; cleared ones, too
    List,
    /// Clear an alarm by name, as a supervisor; what is sealed is still not pruned
    Clear {
        /// Its code, as `log-inconsistent`
        #[arg(value_parser = alarm)]
        alarm: Alarm,
        /// Why, in one word: `centre-explained`, …
        #[arg(long, value_name = "WORD", value_parser = word)]
        reason: String,
    },
}

fn alarm(text: &str) -> Result<Alarm, String> {
    text.parse().map_err(|_| format!("one of {}", Alarm::ALL.map(|alarm| alarm.to_string()).join(", ")))
}

fn word(text: &str) -> Result<String, String> {
    if plain_word(text) { Ok(text.to_owned()) } else { Err("one word of small letters, digits and dashes".to_owned()) }
}

impl AlarmCommand {
    /// Runs it.
    pub fn run(&self, app: &App) -> Result<Exit, Problem> {
        match self {
            Self::List => list(app),
            Self::Clear { alarm, reason } => clear(app, *alarm, reason),
        }
    }
}

fn list(app: &App) -> Result<Exit, Problem> {
    let vault = app.vault()?;
    let standing = alarms::standing(&vault, clock::now())?;
    let row = |standing: &alarms::Standing| {
        let cleared = standing.cleared.as_ref().map(|c| format!("{} by {}: {}", c.at, c.by, c.reason));
        let next = standing.alarm.code().row().text(Lang::En).next;
        vec![json!(standing.alarm.to_string()), json!(standing.since), json!(standing.seen), json!(cleared), json!(next)]
    };
    app.say.table("alarm", &["code", "since", "seen", "cleared", "next"], &standing.iter().map(row).collect::<Vec<_>>());
    let open: Vec<alarms::Standing> = standing.into_iter().filter(|standing| standing.cleared.is_none()).collect();
    app.say.summary(json!({ "alarms": open.len() }), if open.is_empty() { "no alarm stands" } else { "" });
    Ok(alarms::exit(&open))
}

fn clear(app: &App, alarm: Alarm, reason: &str) -> Result<Exit, Problem> {
    let vault = app.vault()?;
    let session = vault.capture()?;
    let supervisor = app.supervisor(&vault).map_err(|problem| match problem.code {
        Code::ReviewNeeded => Problem::new(Code::Usage, "a supervisor clears an alarm: --as SUPERVISOR"),
        _ => problem,
    })?;
    alarms::clear(&vault, &session, alarm, &supervisor, reason, clock::now())?;
    let text = format!("{alarm} is cleared by {}; nothing is pruned all the same", supervisor.name());
    app.say.summary(json!({ "cleared": alarm.to_string(), "by": supervisor.name(), "reason": reason }), text);
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_one_word() {
        assert_eq!(word("centre-explained").as_deref(), Ok("centre-explained"));
        for wrong in ["", "Two words", &"x".repeat(65)] {
            assert!(word(wrong).is_err(), "{wrong}");
        }
        assert_eq!(alarm("frozen"), Ok(Alarm::Frozen));
        assert_eq!(alarm("slow"), Err(format!("one of {}", Alarm::ALL.map(|a| a.code().row().code).join(", "))));
    }
}
