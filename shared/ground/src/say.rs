//! What the program says: tables and colour on a terminal, plain lines elsewhere, JSON Lines with `--json`.
//!
//! ```text
//! {"message_type":"unit","name":"van-017","epoch":1,…}
//! {"message_type":"summary","units":1}
//! ```
//!
//! **Invariants:** with `--json` nothing but JSON Lines is on standard output, and the last line is a
//! `summary` or an `error`. Problems go to standard error as well, in the person's language. No secret and
//! no personal data is ever in a problem.
#![allow(clippy::disallowed_methods, reason = "this file asks the environment whether colour is wanted")]

use std::{
    fmt::Display,
    io::{self, IsTerminal as _},
};

use serde::Serialize;
use serde_json::{Map, Value};
use shared::problem::{Lang, Problem, exit::Exit};

use crate::streams::{self, Stream};

/// Where and how to speak.
#[derive(Debug, Clone, Default)]
#[expect(clippy::struct_excessive_bools, reason = "four switches of the command line")]
pub struct Say {
    /// JSON Lines on standard output.
    pub json: bool,
    /// Only results and problems.
    pub quiet: bool,
    /// Also what is usually not worth a line.
    pub verbose: bool,
    /// Language of problem texts.
    pub lang: Lang,
    /// NO_COLOR was set.
    pub no_colour: bool,
}

impl Say {
    /// Standard output is a terminal.
    pub fn terminal(&self) -> bool {
        !self.json && io::stdout().is_terminal()
    }

    /// One result: a JSON object of this type, or a text. False when nobody reads it any more.
    pub fn line(&self, kind: &str, fields: impl Serialize, text: impl Display) -> bool {
        if self.json { line(&object(kind, fields)) } else { plain(text) }
    }

    /// The end of a command that went well.
    pub fn summary(&self, fields: impl Serialize, text: impl Display) {
        if self.json {
            line(&object("summary", fields));
        } else if !self.quiet {
            let text = text.to_string();
            if !text.is_empty() {
                plain(text);
            }
        }
    }

    /// The end of a command whose one result this is: said even with `--quiet`.
    pub fn answer(&self, fields: impl Serialize, text: impl Display) {
        self.line("summary", fields, text);
    }

    /// Something worth knowing, not the result.
    pub fn note(&self, text: impl Display) {
        if !self.quiet {
            aside(text);
        }
    }

    /// Something that only a curious person wants to know.
    pub fn detail(&self, text: impl Display) {
        if self.verbose {
            aside(text);
        }
    }

    /// Rows under headings. With `--json` each row is an object of this type with the headings as keys.
    pub fn table(&self, kind: &str, headings: &[&str], rows: &[Vec<Value>]) {
        if self.json {
            for row in rows {
                let fields = headings.iter().map(|h| h.replace(' ', "_")).zip(row.iter().cloned()).collect::<Map<_, _>>();
                line(&object(kind, Value::Object(fields)));
            }
            return;
        }
        let cells: Vec<Vec<String>> = rows.iter().map(|r| r.iter().map(cell).collect()).collect();
        if self.terminal() {
            plain(aligned(headings, &cells, !self.no_colour));
        } else {
            for row in &cells {
                plain(row.join("\t"));
            }
        }
    }

    /// A problem, as the last word.
    pub fn problem(&self, problem: &Problem, exit: Exit) {
        if self.json {
            let mut error = self.told("error", problem);
            error["exit"] = (exit as u8).into();
            line(&error);
        }
        let told = problem.told(self.lang);
        if io::stderr().is_terminal() && !self.no_colour { aside(format!("\u{1b}[31m{told}\u{1b}[0m")) } else { aside(told) }
    }

    /// A problem that does not end the command: the others go on.
    pub fn warning(&self, problem: &Problem) {
        if self.json {
            line(&self.told("warning", problem));
        }
        aside(problem.told(self.lang));
    }

    fn told(&self, kind: &str, problem: &Problem) -> Value {
        let text = problem.row().text(self.lang);
        let fields = serde_json::json!({
            "code": problem.row().code, "detail": problem.detail, "what": text.what, "next": text.next,
        });
        object(kind, fields)
    }
}

/// Whether the environment asks for no colour (`NO_COLOR`, <https://no-color.org>).
pub fn no_colour() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty())
}

fn object(kind: &str, fields: impl Serialize) -> Value {
    let mut all = Map::new();
    all.insert("message_type".to_owned(), kind.into());
    if let Ok(Value::Object(fields)) = serde_json::to_value(fields) {
        all.extend(fields);
    }
    Value::Object(all)
}

// a reader that went away (`| head`) is no problem of ours: most callers drop what these give
fn line(value: &Value) -> bool {
    plain(value)
}
fn plain(text: impl Display) -> bool {
    streams::say(Stream::Out, &format!("{text}\n"))
}
fn aside(text: impl Display) {
    streams::say(Stream::Err, &format!("{text}\n"));
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(s) => s.clone(),
        other => other.to_string(),
    }
}

fn aligned(headings: &[&str], rows: &[Vec<String>], colour: bool) -> String {
    let width = |i: usize| rows.iter().map(|r| r[i].chars().count()).chain([headings[i].chars().count()]).max().unwrap_or(0);
    let widths: Vec<usize> = (0..headings.len()).map(width).collect();
    let print = |cells: &[String]| {
        let padded = cells.iter().zip(&widths).map(|(c, &w)| format!("{c:<w$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let head = print(&headings.iter().map(|h| h.to_uppercase()).collect::<Vec<_>>());
    let head = if colour { format!("\u{1b}[1m{head}\u{1b}[0m") } else { head };
    [head].into_iter().chain(rows.iter().map(|r| print(r))).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_lines_up() {
        let rows = vec![vec!["1.1".to_owned(), "merged".to_owned()], vec!["1.10".to_owned(), "held".to_owned()]];
        assert_eq!(aligned(&["number", "state"], &rows, false), "NUMBER  STATE\n1.1     merged\n1.10    held");
    }
}
