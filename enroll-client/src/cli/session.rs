//! `session`, `lock`, and `doctor`.
//!
//! A session unlocks one member and takes the same commands without the prefix, from a terminal or a pipe.
//! Its keys go when it has been idle for ten minutes (asleep counts, too), on `lock` (typed, or `enroll-client lock` from
//! elsewhere, through a socket in the data folder), and at its end. `unlock` asks for the passphrase again.

use std::{
    io::{self, IsTerminal as _},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use clap::{Args, Parser};
use serde_json::json;
use shared::problem::{Code, Problem};
use zeroize::Zeroizing;

use super::{App, Command, Exit, app::SessionKeys, ended};
use crate::{
    clock::{self, Awake},
    doctor::{self, Finding},
    local::Knocks,
    rights::Act,
    say::Say,
    streams::{self, Stream},
};

/// `session`
#[derive(Debug, Args)]
pub struct Session {
    /// After so many seconds without a command, the keys go
    #[arg(long, hide = true, value_name = "SECONDS", default_value_t = 600)]
    idle: u64,
}

/// A line of a session.
#[derive(Debug, Parser)]
#[command(name = "", no_binary_name = true, disable_help_subcommand = true)]
struct Line {
    #[command(subcommand)]
    command: Command,
}

/// When the last command came.
type Idle = Arc<Mutex<Awake>>;

impl Session {
    /// Takes commands until the input ends or `exit`.
    pub fn run(&self, app: &App) -> Result<Exit, Problem> {
        if app.is_session() {
            return Err(Problem::new(Code::Usage, "this is a session already"));
        }
        serve(app, Duration::from_secs(self.idle))
    }
}

fn serve(app: &App, patience: Duration) -> Result<Exit, Problem> {
    let vault = app.vault()?;
    let _session = vault.session()?;
    let member = app.unlock(&vault)?;
    // others capture as well while no command runs
    app.show_slips(&vault, &vault.capture()?, &member)?;
    if let Err(problem) = app.rights(&vault).and_then(|rights| rights.unit(Act::Capture).map(drop)) {
        app.say.warning(&problem);
    }
    let keys: SessionKeys = Arc::new(Mutex::new(Some(Arc::new(member))));
    let idle: Idle = Arc::new(Mutex::new(Awake::now()?));
    watch_idle(&keys, &idle, patience, app.say.clone());
    let _knocks = Knocks::listen(&app.settings.places.data, {
        let keys = keys.clone();
        move || {
            forget(&keys);
        }
    })?;
    let inside = app.in_session(keys.clone());
    app.say.note("unlocked; `lock`, `unlock` and `exit` are understood beside the usual commands");
    let mut worst = Exit::Done;
    while let Some(line) = next_line()? {
        // typed after a night with the lid closed: the watcher may not have woken yet
        lock_when_idle(&keys, &idle, patience, &app.say);
        *idle.lock().unwrap_or_else(PoisonError::into_inner) = Awake::now()?;
        match line.trim() {
            "" => {}
            "exit" | "quit" => break,
            "unlock" => match app.unlock(&vault) {
                Ok(member) => *keys.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(member)),
                Err(problem) => worst = ended(&app.say, Err(problem)),
            },
            other => worst = worse(worst, one(&inside, &keys, other)),
        }
    }
    forget(&keys);
    // a person at a terminal has seen each answer; a script wants to know whether all went well
    Ok(if io::stdin().is_terminal() { Exit::Done } else { worst })
}

/// The next line. Standard input is not held on to: a command may read from it, too.
fn next_line() -> Result<Option<Zeroizing<String>>, Problem> {
    if io::stdin().is_terminal() {
        streams::say(Stream::Err, "> ");
    }
    streams::typed_line()
}

fn worse(a: Exit, b: Exit) -> Exit {
    if a == Exit::Done { b } else { a }
}

fn one(app: &App, keys: &SessionKeys, line: &str) -> Exit {
    let Some(words) = words(line) else {
        return ended(&app.say, Err(Problem::new(Code::Usage, "a quote is not closed")));
    };
    match Line::try_parse_from(words) {
        Ok(Line { command: Command::Lock }) => {
            forget(keys);
            app.say.summary(json!({ "locked": true }), "locked");
            Exit::Done
        }
        Ok(line) => ended(&app.say, super::run(app, line.command)),
        Err(e) if !e.use_stderr() => {
            let _ = e.print();
            Exit::Done
        }
        Err(e) => {
            let _ = e.print();
            ended(&app.say, Err(Problem::new(Code::Usage, e.kind().to_string())))
        }
    }
}

/// Lets the keys go; whether there were any.
fn forget(keys: &SessionKeys) -> bool {
    keys.lock().unwrap_or_else(PoisonError::into_inner).take().is_some()
}

/// Lets the keys go when the time without a command is over.
fn lock_when_idle(keys: &SessionKeys, idle: &Idle, patience: Duration, say: &Say) {
    let over = idle.lock().unwrap_or_else(PoisonError::into_inner).elapsed() >= patience;
    if over && forget(keys) {
        say.line("locked", json!({ "idle": patience.as_secs() }), "locked: nothing was typed for a while");
    }
}

/// Looks again and again: a sleep counts only the time in which the laptop is awake, so it must not be a long one.
fn watch_idle(keys: &SessionKeys, idle: &Idle, patience: Duration, say: Say) {
    let (keys, idle) = (keys.clone(), idle.clone());
    let step = (patience / 4).clamp(Duration::from_millis(100), Duration::from_secs(5));
    thread::spawn(move || {
        loop {
            thread::sleep(step);
            lock_when_idle(&keys, &idle, patience, &say);
        }
    });
}

/// Splits a line as a shell would: blanks part words, quotes hold them together.
fn words(line: &str) -> Option<Vec<String>> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None::<char>);
    for c in line.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}

/// `lock`, from outside: the running session forgets its keys.
pub fn lock(app: &App) -> Result<Exit, Problem> {
    app.vault()?;
    if crate::local::knock(&app.settings.places.data)? {
        app.say.summary(json!({ "locked": true }), "locked");
        Ok(Exit::Done)
    } else {
        Err(Problem::new(Code::NothingToDo, "no session is open"))
    }
}

/// `doctor`
pub fn doctor(app: &App) -> Result<Exit, Problem> {
    let vault = app.vault()?;
    let checks = doctor::examine(&vault, clock::now());
    let rows: Vec<_> = checks.iter().map(|c| vec![json!(c.what), json!(c.finding.word()), json!(c.said)]).collect();
    app.say.table("check", &["what", "finding", "said"], &rows);
    let worst = checks.iter().map(|c| c.finding).max().unwrap_or(Finding::Good);
    app.say.summary(json!({ "finding": worst.word() }), "");
    Ok(if worst == Finding::Bad { Exit::Integrity } else { Exit::Done })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_split_as_a_shell_would() {
        let split = |line| words(line).map(|w| w.join("|"));
        assert_eq!(split("  draft set 1 'given_latin=Itto B'  x=\"\" ").as_deref(), Some("draft|set|1|given_latin=Itto B|x="));
        assert_eq!(split("a'b c'd").as_deref(), Some("ab cd"));
        assert_eq!(split("'"), None);
    }
}
