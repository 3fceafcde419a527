//! `finish`.

use std::io::{self, IsTerminal as _};

use clap::Args;
use serde_json::json;
use shared::{
    draft::Draft,
    form::Form,
    problem::{Code, Problem},
};

use super::{App, Exit, draft::shown};
use crate::{
    capture::{Desk, Done},
    rights::Act,
    streams::{self, Stream},
    vault::{drafts::DraftId, records::Origin},
};

/// `finish`
#[derive(Debug, Args)]
pub struct Finish {
    /// Which draft
    draft: DraftId,
    /// The resident has seen everything and agrees
    #[arg(long, short)]
    yes: bool,
}

impl Finish {
    /// Shows everything, asks, finishes.
    pub fn run(&self, app: &App) -> Result<Exit, Problem> {
        let vault = app.vault()?;
        // before a passphrase is typed, and before the resident sits down
        app.rights(&vault)?.unit(Act::Capture)?;
        let session = vault.capture()?;
        let agent = app.member(&vault)?;
        app.show_slips(&vault, &session, &agent)?;
        let desk = Desk::open(&vault, &session, &agent)?;
        let open = vault.open_draft(&agent, &self.draft)?;
        let draft = Draft::parse(&open.plain)?;
        let form = desk.form(draft.form())?;
        let mut parts = desk.parts(&open, &draft)?;
        desk.would_finish(&draft, &parts)?;
        if !self.yes {
            confirm(app, &draft, &form)?;
        }
        let done = desk.finish_with(draft, std::mem::take(&mut *parts), Origin::Draft(&open))?;
        told(app, &desk, &done, "summary")?;
        Ok(Exit::Done)
    }
}

/// Shows what will be sealed and the text that the resident agrees to, and waits for a yes.
pub(super) fn confirm(app: &App, draft: &Draft, form: &Form) -> Result<(), Problem> {
    shown(app, draft, form);
    let consent = form.consent(form.newest_consent()).map(|words| words.say(app.say.lang));
    app.say.note(consent.unwrap_or_default());
    if !io::stdin().is_terminal() {
        return Err(Code::NotConfirmed.into());
    }
    streams::say(Stream::Err, "Does the resident agree, and is all of this right? [yes/no] ");
    match streams::typed_line()?.as_deref().map(|answer| answer.trim()) {
        Some("yes" | "y" | "oui" | "نعم") => Ok(()),
        _ => Err(Code::NotConfirmed.into()),
    }
}

/// Says what is finished. The slip code is kept until it was said: when nobody reads any more, the next run says it.
pub(super) fn told(app: &App, desk: &Desk<'_>, done: &Done, kind: &str) -> Result<(), Problem> {
    let slip = done.slip.shown();
    let fields = json!({ "number": done.number, "record": done.record, "slip": *slip, "bytes": done.size });
    let said = app.say.line(kind, fields, format!("finished {}  slip {}", done.number, *slip));
    if said { desk.shown(done) } else { Ok(()) }
}
