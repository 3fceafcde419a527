//! `enrol`: whoever lies under the paths that were given, and nothing passed over in silence.
//!
//! ```text
//! left day/0007/scan.tif: resident.json does not name it
//! finished 1.42  slip XXXX-XXXX-XXXX-XXXX-XXXX-C
//! 2 finished, 0 known before, 0 not enrolled, 1 left, 0 not removed
//! ```
//!
//! 1. Each path is walked, and what is no resident's is named. 2. Each resident is enrolled; who cannot be stops no other.
//! 3. With `--remove-source` a folder or archive goes when all of it was taken, and only then.
//!
//! **Invariants:** exit code 0 only when everybody is enrolled, nothing was left and nothing kept. What was left is shown on the
//! operator's screen and stands in no problem: its name may be a person's.

use std::{
    collections::BTreeSet,
    io::{self, IsTerminal as _},
    path::{Path, PathBuf},
};

use clap::Args;
use serde_json::json;
use shared::{
    problem::{Code, Problem, left::Why},
    slip,
};

use super::{
    App, Exit,
    finish::{confirm, told},
};
use crate::{
    capture::{
        Desk,
        source::{self, Left, Place, Source},
    },
    clock, durable,
    rights::Act,
    vault::records::Origin,
};

/// `enrol`
#[derive(Debug, Args)]
pub struct Enrol {
    /// Residents' folders, at any depth, and archives of them: tar, tar.gz, tar.zst or zip, whatever their names. What is not taken
    /// is named, and the exit code is 3
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Delete each folder or archive once all that is in it was taken
    #[arg(long)]
    remove_source: bool,
    /// The residents have seen everything and agree; without it the terminal is asked for each, and without a terminal nothing is enrolled
    #[arg(long, short)]
    yes: bool,
}

/// What became of a run.
#[derive(Default)]
struct Tally {
    finished: usize,
    known: usize,
    failed: Vec<Problem>,
    left: usize,
    kept: usize,
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
        let mut tally = Tally::default();
        // 1.
        let places = self.places(app, &mut tally)?;
        self.warn(app, &places);
        // 2.
        for place in &places {
            match self.place(app, &desk, place, &mut tally) {
                Ok(()) => {}
                Err(problem) if stops_all(&problem) => return Err(problem),
                Err(problem) => tally.fail(app, place, 1, problem),
            }
        }
        tally.end(app, &self.paths[0])
    }

    fn places(&self, app: &App, tally: &mut Tally) -> Result<Vec<Place>, Problem> {
        let mut places = Vec::new();
        for path in &self.paths {
            // a slash at the end of a link would hide that it is one
            let path = &path.components().collect::<PathBuf>();
            if durable::is_link(path) {
                let (link, real) = (path.display().to_string(), durable::real(path).display().to_string());
                app.say.line("link", json!({ "path": link, "to": real }), format!("link {} → {}", plain(&link), plain(&real)));
            }
            places.extend(source::find(path, &mut |one| tally.left(app, &one))?);
        }
        // given twice, or below another that was given
        let mut seen = BTreeSet::new();
        places.retain(|place: &Place| seen.insert(place.clone()));
        Ok(places)
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
        let (failed, left) = (tally.failed.len(), tally.left);
        let residents = source::read(place, &mut |one| tally.left(app, &one))?;
        let mut count = 0;
        for one in residents {
            count += 1;
            one.left.iter().for_each(|one| tally.left(app, one));
            match one.source.and_then(|one| self.one(app, desk, one, tally)) {
                Ok(()) => {}
                Err(problem) if stops_all(&problem) => return Err(problem),
                Err(problem) => tally.fail(app, place, count, problem),
            }
        }
        // 3. a crash before this leaves the source; given again, it is known and only deleted
        if !self.remove_source || tally.failed.len() > failed || count == 0 {
            return Ok(());
        }
        if tally.left > left {
            tally.keep(app, place, Why::LeftInside);
        } else if let Err(refused) = durable::remove(place.path()) {
            app.say.warning(&refused.into());
            tally.keep(app, place, Why::NotRemoved);
        }
        Ok(())
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
    /// Names what was not taken.
    fn left(&mut self, app: &App, left: &Left) {
        self.left += 1;
        said(app, "left", &left.path, left.why);
    }

    /// Names a source whose residents are all enrolled, and which is there still.
    fn keep(&mut self, app: &App, place: &Place, why: Why) {
        self.kept += 1;
        said(app, "kept", place.path(), why);
    }

    /// Notes a resident of a place, counted from 1, who could not be enrolled: the others go on.
    fn fail(&mut self, app: &App, place: &Place, n: usize, problem: Problem) {
        let which = match place {
            Place::Folder(path) => path.display().to_string(),
            Place::Archive(path) => format!("{}, resident {n}", path.display()),
        };
        app.say.warning(&Problem::new(problem.code, format!("{which}: {}", problem.detail)));
        self.failed.push(problem);
    }

    fn end(mut self, app: &App, path: &Path) -> Result<Exit, Problem> {
        let (finished, known, failed) = (self.finished, self.known, self.failed.len());
        if finished + known == 0 {
            return Err(self.failed.drain(..).next().unwrap_or_else(|| source::nobody(path)));
        }
        let (left, kept) = (self.left, self.kept);
        let text = format!("{finished} finished, {known} known before, {failed} not enrolled, {left} left, {kept} not removed");
        app.say.summary(json!({ "finished": finished, "known": known, "failed": failed, "left": left, "kept": kept }), &text);
        Ok(if failed + left + kept == 0 { Exit::Done } else { Exit::Partly })
    }
}

/// A path on the operator's screen, and why it stands there.
fn said(app: &App, kind: &str, path: &Path, why: Why) {
    let (path, text) = (path.display().to_string(), why.text(app.say.lang));
    let fields = json!({ "path": path, "reason": why.word(), "text": text });
    app.say.line(kind, fields, format!("{kind} {}: {text}", plain(&path)));
}

/// Fit for a terminal: whoever named a file chose its letters.
fn plain(path: &str) -> String {
    path.chars()
        .map(|c| if c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') { '\u{fffd}' } else { c })
        .collect()
}
