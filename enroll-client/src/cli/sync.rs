//! `sync`: sends what waits, takes what is new. Needs nobody at the keyboard.

use std::time::Duration;

use clap::Args;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use shared::problem::{Code, Problem};

use super::{App, Exit};
use crate::{
    alarms, clock,
    sync::{
        Options, Report, Run,
        link::{Source, Trouble},
        patience::{Backoff, Window},
        voice::Voice,
    },
    vault::{Vault, outbox::BatchRow},
};

/// `sync`
#[derive(Debug, Args)]
pub struct Sync {
    /// Only show what would be sent
    #[arg(long)]
    dry_run: bool,
    /// Most bytes a second that are sent
    #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(u64).range(1..))]
    rate: Option<u64>,
    /// Only at this time of day, in the time zone of this laptop
    #[arg(long, value_name = "20:00-06:00")]
    window: Option<Window>,
    /// Stop after so many minutes; the next run goes on from there [default: 10]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=10_080))]
    max_minutes: Option<u64>,
    /// Try each call so often before this run gives up on it
    #[arg(long, value_name = "N", default_value_t = Backoff::USUAL.tries, value_parser = clap::value_parser!(u32).range(1..=100))]
    tries: u32,
    /// Offer batches again that the centre has refused for good
    #[arg(long)]
    again: bool,
}

impl Sync {
    /// Runs it.
    pub fn run(&self, app: &App) -> Result<Exit, Problem> {
        let vault = app.vault()?;
        if self.dry_run {
            return dry_run(app, &vault);
        }
        let options = self.options(app)?;
        let session = vault.syncing()?;
        vault.make_room()?;
        let voice = Voice::new(&app.say);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|e| Problem::new(Code::IoFailed, e.kind().to_string()))?;
        let run = Run::new(&vault, &session, &options, &voice)?;
        let ended = runtime.block_on(run.run());
        drop(voice);
        let open = alarms::open(&vault, clock::now())?;
        let mut exit = exit_of_sync(&ended);
        if matches!(exit, Exit::Done | Exit::Nothing) && !open.is_empty() {
            for alarm in &open {
                app.say.warning(&alarm.problem());
            }
            exit = alarms::exit(&open);
        }
        match ended {
            Ok(report) => summed_up(app, &report, exit),
            Err(trouble) => app.say.problem(&trouble.problem, exit),
        }
        Ok(exit)
    }

    fn options(&self, app: &App) -> Result<Options, Problem> {
        let file = &app.settings.sync;
        let minutes = self.max_minutes.or(file.max_minutes).unwrap_or(10).clamp(1, 10_080);
        let mut lasting = Duration::from_mins(minutes);
        let invalid = |why| Problem::new(Code::ConfigInvalid, format!("sync.window: {why}"));
        let window = match self.window {
            Some(window) => Some(window),
            None => file.window.as_ref().map(|text| text.parse::<Window>().map_err(invalid)).transpose()?,
        };
        if let Some(window) = window {
            let open = window.open_for(clock::now(), &TimeZone::system());
            let open = open.ok_or_else(|| Problem::new(Code::OutsideWindow, window.to_string()))?;
            lasting = lasting.min(open);
        }
        let rate = self.rate.or(file.rate);
        let backoff = Backoff { tries: self.tries, ..Backoff::USUAL };
        Ok(Options { rate, lasting, backoff, again: self.again })
    }
}

fn dry_run(app: &App, vault: &Vault) -> Result<Exit, Problem> {
    let waiting = vault.waiting()?;
    let rows: Vec<Vec<Value>> = waiting
        .iter()
        .map(|b| vec![json!(b.place), json!(b.records), json!(b.payload), json!(b.payload.saturating_sub(b.sent)), json!(told(b))])
        .collect();
    app.say.table("waiting", &["batch", "records", "bytes", "to send", "problem"], &rows);
    let left: u64 = waiting.iter().map(|b| b.payload.saturating_sub(b.sent)).sum();
    let fields = json!({ "dry_run": true, "waiting": waiting.len(), "bytes": left });
    app.say.summary(fields, format!("{} batches with {left} bytes would be sent", waiting.len()));
    Ok(if waiting.is_empty() { Exit::Nothing } else { Exit::Done })
}

/// Why the centre did not take a batch, if it did not.
fn told(batch: &BatchRow) -> Option<String> {
    batch.problem.as_ref().map(ToString::to_string)
}

fn summed_up(app: &App, report: &Report, exit: Exit) {
    let fields = json!({
        "sent_batches": report.sent_batches, "sent_bytes": report.sent_bytes, "receipts": report.receipts,
        "outcomes": report.outcomes, "rosters": report.rosters, "refused": report.refused, "waiting": report.waiting,
        "exit": exit as u8,
    });
    let text = match exit {
        Exit::Nothing => "nothing to send, nothing new".to_owned(),
        Exit::Done if report.sent_batches + report.receipts + report.outcomes == 0 => {
            "nothing to send; the newest roster is here".to_owned()
        }
        _ => format!(
            "{} batches sent ({} bytes), {} receipts, {} outcomes; {} batches wait{}",
            report.sent_batches,
            report.sent_bytes,
            report.receipts,
            report.outcomes,
            report.waiting,
            if report.waiting == 0 { "" } else { ", safe on this laptop: `enroll-client status` says why" }
        ),
    };
    app.say.summary(fields, &text);
}

/// How the end of a run is to be seen.
pub fn exit_of_sync(ended: &Result<Report, Trouble>) -> Exit {
    match ended {
        Ok(report) => exit_of_report(report),
        Err(trouble) => exit_of(trouble),
    }
}

fn exit_of_report(report: &Report) -> Exit {
    let partly = |otherwise: Exit| if report.did_something() { Exit::Partly } else { otherwise };
    match report.gravest() {
        Some(trouble) if trouble.source == Source::Forged => Exit::Integrity,
        Some(trouble) => partly(exit_of(trouble)),
        None if report.refused > 0 => partly(Exit::Refused),
        None if report.waiting > 0 => partly(Exit::Later),
        None if report.did_something() => Exit::Done,
        None => Exit::Nothing,
    }
}

fn exit_of(trouble: &Trouble) -> Exit {
    match (trouble.source, Exit::of(trouble.problem.code)) {
        (Source::Forged, _) => Exit::Integrity,
        (Source::Centre, Exit::Error) => Exit::Refused,
        (_, exit) => exit,
    }
}
