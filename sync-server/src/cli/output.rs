//! What a command prints: lines for people, JSON Lines for machines, never personal data.
//!
//! ```text
//! {"message_type":"unit","name":"van-017","epoch":1,…}
//! {"message_type":"summary","units":1}
//! ```
//!
//! **Invariants:** with `--json`, standard output holds nothing but JSON objects, the last a `summary` or an
//! `error`; everything else goes to standard error.

use std::{
    fmt::Display,
    io::{IsTerminal as _, Write as _, stderr, stdout},
};

use serde::Serialize;
use shared::problem::{Lang, Problem};

use super::Global;

/// Where a command's results go.
#[derive(Debug, Clone)]
pub struct Out {
    json: bool,
    quiet: bool,
    lang: Lang,
}

impl Out {
    /// As the flags demand.
    pub fn new(global: &Global) -> Self {
        Self { json: global.json, quiet: global.quiet, lang: global.lang.unwrap_or_default() }
    }

    /// JSON Lines, before flags could be read.
    pub(super) fn json() -> Self {
        Self { json: true, quiet: false, lang: Lang::En }
    }

    /// One result: a JSON object for machines, a line for people.
    pub fn line(&self, message_type: &str, value: impl Serialize, human: impl Display) {
        if self.json {
            self.object(message_type, value);
        } else {
            print(&human.to_string());
        }
    }

    /// The last line of a command that did what it was asked for.
    pub fn summary(&self, value: impl Serialize, human: impl Display) {
        if self.json {
            self.object("summary", value);
        } else if !self.quiet {
            print(&human.to_string());
        }
    }

    /// The last line of a command whose one result this is: printed even with `--quiet`.
    pub fn result(&self, value: impl Serialize, human: impl Display) {
        self.line("summary", value, human);
    }

    /// The language that was asked for.
    pub const fn lang(&self) -> Lang {
        self.lang
    }

    /// The last line of a command that failed.
    pub fn problem(&self, problem: &Problem) {
        let row = problem.row();
        let text = row.text(self.lang);
        if self.json {
            let value = serde_json::json!({ "code": row.code, "detail": problem.detail, "what": text.what, "next": text.next });
            self.object("error", value);
        } else {
            let _ = writeln!(stderr(), "{}", problem.told(self.lang));
        }
    }

    /// A remark for the person at the keyboard.
    pub fn remark(&self, text: impl Display) {
        if !self.quiet {
            let _ = writeln!(stderr(), "{text}");
        }
    }

    fn object(&self, message_type: &str, value: impl Serialize) {
        debug_assert!(self.json);
        let mut object = serde_json::Map::new();
        object.insert("message_type".into(), message_type.into());
        if let Ok(serde_json::Value::Object(fields)) = serde_json::to_value(value) {
            object.extend(fields);
        }
        print(&serde_json::Value::Object(object).to_string());
    }
}

/// A reader that has gone away (`| head`) is no error of ours.
fn print(line: &str) {
    let _ = writeln!(stdout(), "{line}");
}

/// Sends the program's own log to standard error: JSON when asked for, else lines.
pub(super) fn log_to_stderr(global: &Global) {
    let level = match (global.quiet, global.verbose) {
        (true, _) => "error",
        (_, 0) => "warn,sync_server=info",
        (_, 1) => "info,sync_server=debug",
        _ => "debug,sync_server=trace",
    };
    let log = tracing_subscriber::fmt().with_writer(stderr).with_env_filter(level).with_target(false);
    if global.json {
        log.json().init();
    } else {
        log.with_ansi(stderr().is_terminal() && no_color_is_unset()).init();
    }
}

fn no_color_is_unset() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty())
}
