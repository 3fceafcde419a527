//! Passphrases: by prompt, file, file descriptor or systemd credential. Never an argument, never the environment.
#![allow(clippy::disallowed_methods, reason = "this file reads passphrases where the flags say")]

use std::{
    fs::File,
    io::{self, IsTerminal as _, Read as _},
    path::{Path, PathBuf},
};

use clap::Args;
use shared::problem::{Code, Problem};
use zeroize::Zeroizing;

/// Longest passphrase that is read, in bytes.
const LONGEST: usize = 1024;
/// What is read to find its end.
const ROOM: usize = LONGEST + 2;

/// Where a passphrase comes from.
#[derive(Debug, Clone, Args)]
pub struct Passphrase {
    /// Read the passphrase from the first line of this file
    #[arg(long, value_name = "FILE", conflicts_with = "passphrase_fd")]
    passphrase_file: Option<PathBuf>,
    /// Read the passphrase from this file descriptor
    #[arg(long, value_name = "N")]
    passphrase_fd: Option<u32>,
}

/// Is the passphrase a new one (asked for twice) or one that exists?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// To be chosen now.
    New,
    /// Chosen before.
    Known,
}

impl Passphrase {
    /// Reads it: file, descriptor, systemd credential `passphrase`, else the terminal.
    pub fn read(&self, what: &str, ask: Ask) -> Result<Zeroizing<String>, Problem> {
        let credential = std::env::var_os("CREDENTIALS_DIRECTORY").map(|d| Path::new(&d).join("passphrase"));
        let text = match (&self.passphrase_file, self.passphrase_fd, credential.filter(|c| c.exists())) {
            (Some(path), ..) => first_line(path)?,
            (_, Some(fd), _) => first_line(Path::new(&format!("/proc/self/fd/{fd}")))?,
            (_, _, Some(path)) => first_line(&path)?,
            _ => prompt(what, ask)?,
        };
        if text.is_empty() { Err(Problem::new(Code::WrongPassphrase, "empty")) } else { Ok(text) }
    }
}

#[allow(clippy::needless_pass_by_value, reason = "the shape that map_err asks for")]
fn unreadable(e: io::Error) -> Problem {
    Problem::new(Code::InputUnreadable, format!("passphrase: {}", e.kind()))
}

fn first_line(path: &Path) -> Result<Zeroizing<String>, Problem> {
    // room for all of it: a text that grows leaves copies behind
    let mut text = Zeroizing::new(String::with_capacity(2 * ROOM));
    File::open(path).and_then(|f| f.take(ROOM as u64).read_to_string(&mut text)).map_err(unreadable)?;
    let line = Zeroizing::new(text.lines().next().unwrap_or("").to_owned());
    if line.len() > LONGEST {
        return Err(Problem::new(Code::InputUnreadable, format!("passphrase: more than {LONGEST} bytes")));
    }
    Ok(line)
}

fn prompt(what: &str, ask: Ask) -> Result<Zeroizing<String>, Problem> {
    if !io::stdin().is_terminal() {
        return Err(Problem::new(Code::Usage, "no terminal to ask on: give --passphrase-file or --passphrase-fd"));
    }
    let first = Zeroizing::new(rpassword::prompt_password(format!("Passphrase for {what}: ")).map_err(unreadable)?);
    if ask == Ask::New {
        let again = Zeroizing::new(rpassword::prompt_password("The same again: ").map_err(unreadable)?);
        if first != again {
            return Err(Problem::new(Code::WrongPassphrase, "the two differ"));
        }
    }
    Ok(first)
}
