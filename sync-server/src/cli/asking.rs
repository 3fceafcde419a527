//! Questions to the person at the terminal. Without a terminal nothing is asked: each command says what it does then.
#![allow(clippy::disallowed_methods, reason = "this file reads answers from the terminal")]

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use clap::Args;
use shared::problem::{Code, Problem};

/// Longest answer that is read, in bytes.
const LONGEST: u64 = 1024;

/// Says yes beforehand.
#[derive(Debug, Clone, Args)]
pub struct Yes {
    /// Do it without asking; what it is about is printed all the same
    #[arg(long, short = 'y')]
    yes: bool,
}

/// Is somebody there to ask?
pub fn terminal() -> bool {
    io::stdin().is_terminal()
}

/// Asks for one line.
pub fn line(question: &str) -> Result<String, Problem> {
    let failed = |e: io::Error| Problem::new(Code::InputUnreadable, format!("terminal: {}", e.kind()));
    let mut stderr = io::stderr();
    write!(stderr, "{question} ").and_then(|()| stderr.flush()).map_err(failed)?;
    let mut text = String::new();
    io::Read::take(io::stdin().lock(), LONGEST).read_line(&mut text).map_err(failed)?;
    Ok(text.trim().to_owned())
}

impl Yes {
    /// Asks; anything but yes ends the command, and nothing was done.
    pub fn or_ask(&self, question: &str) -> Result<(), Problem> {
        if self.yes {
            return Ok(());
        }
        if !terminal() {
            return Err(Problem::new(Code::Usage, "no terminal to ask on: give --yes"));
        }
        let answer = line(&format!("{question} [y/N]"))?;
        if matches!(answer.to_lowercase().as_str(), "y" | "yes" | "o" | "oui" | "نعم") {
            return Ok(());
        }
        Err(Problem::new(Code::NothingToDo, "not confirmed"))
    }
}
