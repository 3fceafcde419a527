//! `finish` and `enrol`.

use std::{
    io::{self, IsTerminal as _},
    path::PathBuf,
};

use clap::Args;
use serde_json::json;
use shared::{
    draft::Draft,
    form::Form,
    problem::{Code, Problem},
    slip,
};

use super::{App, Exit, draft::shown};
use crate::{
    capture::{
        Desk, Done,
        source::{self, Place, Source},
    },
    clock, durable,
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
fn confirm(app: &App, draft: &Draft, form: &Form) -> Result<(), Problem> {
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
fn told(app: &App, desk: &Desk<'_>, done: &Done, kind: &str) -> Result<(), Problem> {
    let slip = done.slip.shown();
    let fields = json!({ "number": done.number, "record": done.record, "slip": *slip, "bytes": done.size });
    let said = app.say.line(kind, fields, format!("finished {}  slip {}", done.number, *slip));
    if said { desk.shown(done) } else { Ok(()) }
}

/// `enrol`
#[derive(Debug, Args)]
pub struct Enrol {
    /// A resident's folder or tar, or a folder of them
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Delete each source once its residents are finished
    #[arg(long)]
    remove_source: bool,
    /// The residents have seen everything and agree; without it the terminal is asked for each, and without a terminal nothing is enrolled
    #[arg(long, short)]
    yes: bool,
}

/// What became of the residents of a run.
#[derive(Default)]
struct Tally {
    finished: usize,
    known: usize,
    failed: Vec<Problem>,
}

impl Enrol {
    /// Enrols each resident; one that cannot be enrolled stops no other.
    pub fn run(&self, app: &App) -> Result<Exit, Problem> {
        let vault = app.vault()?;
        // before a passphrase is typed, and before the resident sits down
        app.rights(&vault)?.unit(Act::Capture)?;
        let session = vault.capture()?;
        let agent = app.member(&vault)?;
        app.show_slips(&vault, &session, &agent)?;
        if let Some(told) = vault.state()?.clock_is_wrong(clock::now()) {
            app.say.note(told);
        }
        let desk = Desk::open(&vault, &session, &agent)?;
        if !self.yes && !io::stdin().is_terminal() {
            return Err(Code::NotConfirmed.into());
        }
        let mut places = Vec::new();
        for path in &self.paths {
            places.extend(source::find(path)?);
        }
        self.warn(app, &places);
        let mut tally = Tally::default();
        for place in &places {
            match self.place(app, &desk, place, &mut tally) {
                Ok(()) => {}
                Err(problem) if stops_all(&problem) => return Err(problem),
                Err(problem) => tally.fail(app, place, 1, problem),
            }
        }
        tally.end(app)
    }

    fn warn(&self, app: &App, places: &[Place]) {
        if !self.remove_source && places.iter().any(|p| durable::is_persistent(p.path())) {
            app.say.note(
                "warning: the source lies unencrypted on a disk that keeps it. Capture into memory (a tmpfs), \
                 or give --remove-source; what a disk has held can often be read again",
            );
        }
    }

    fn place(&self, app: &App, desk: &Desk<'_>, place: &Place, tally: &mut Tally) -> Result<(), Problem> {
        let before = tally.failed.len();
        for (n, one) in source::read(place)?.enumerate() {
            match one.and_then(|one| self.one(app, desk, one, tally)) {
                Ok(()) => {}
                Err(problem) if stops_all(&problem) => return Err(problem),
                Err(problem) => tally.fail(app, place, n + 1, problem),
            }
        }
        // a crash before this leaves the source; given again, it is known and only deleted
        let all = tally.failed.len() == before;
        if self.remove_source && all { Ok(durable::remove(place.path())?) } else { Ok(()) }
    }

    fn one(&self, app: &App, desk: &Desk<'_>, one: Source, tally: &mut Tally) -> Result<(), Problem> {
        let salt = desk.vault.unit_keys()?.vault_key;
        let digest = slip::salted(&salt, &one.identity());
        if let Some(known) = desk.vault.record_of_source(&digest)? {
            tally.known += 1;
            app.say.line("known", json!({ "number": known.number }), format!("enrolled before as {}", known.number));
            return Ok(());
        }
        let form = desk.form(&one.input.form)?;
        let (draft, parts) = one.input.into_draft(&form, one.files)?;
        desk.would_finish(&draft, &parts)?;
        if !self.yes {
            confirm(app, &draft, &form)?;
        }
        let done = desk.finish_with(draft, parts, Origin::Source(digest))?;
        tally.finished += 1;
        told(app, desk, &done, "finished")
    }
}

/// Problems of the laptop rather than of one resident.
fn stops_all(problem: &Problem) -> bool {
    matches!(
        problem.code,
        Code::DiskFull
            | Code::DatabaseFailed
            | Code::VaultDamaged
            | Code::KeyFileDamaged
            | Code::LockedElsewhere
            | Code::RosterExpired
            | Code::Revoked
            | Code::Frozen
            | Code::VaultRewound
            | Code::EpochNeeded
            | Code::NotConfirmed
            | Code::SessionNeeded
    )
}

impl Tally {
    /// Notes a resident of a place, counted from 1, who could not be enrolled: the others go on.
    fn fail(&mut self, app: &App, place: &Place, n: usize, problem: Problem) {
        let which = match place {
            Place::Folder(path) => path.display().to_string(),
            Place::Tar(path) => format!("{}, resident {n}", path.display()),
        };
        app.say.warning(&Problem::new(problem.code, format!("{which}: {}", problem.detail)));
        self.failed.push(problem);
    }

    fn end(mut self, app: &App) -> Result<Exit, Problem> {
        let (finished, known, failed) = (self.finished, self.known, self.failed.len());
        if finished + known == 0
            && let Some(first) = self.failed.drain(..).next()
        {
            return Err(first);
        }
        let text = format!("{finished} finished, {known} known before, {failed} not enrolled");
        app.say.summary(json!({ "finished": finished, "known": known, "failed": failed }), &text);
        Ok(if failed == 0 { Exit::Done } else { Exit::Partly })
    }
}
