//! Passphrases: by file descriptor, file or systemd credential, else asked for on the terminal. Never an
//! argument, never the environment.

use std::{
    io::{self, IsTerminal as _},
    path::{Path, PathBuf},
};

use shared::{
    id::Member,
    problem::{Code, Problem},
};
use zeroize::Zeroizing;

use crate::durable;

/// Shortest passphrase that is taken for a new member, in characters.
const SHORTEST: usize = 8;
/// Longest that is read, in bytes.
const LONGEST: u64 = 1024;

/// Where a passphrase comes from.
#[derive(Debug, Clone, Default)]
pub struct Source {
    /// A file descriptor.
    pub fd: Option<u32>,
    /// A file.
    pub file: Option<PathBuf>,
    /// The folder of systemd credentials; `passphrase` in it counts.
    pub credentials: Option<PathBuf>,
}

impl Source {
    /// The passphrase of a member.
    pub fn read(&self, name: &Member) -> Result<Zeroizing<String>, Problem> {
        match self.given()? {
            Some(text) => Ok(text),
            None => prompt(name),
        }
    }

    /// A passphrase that is chosen now; asked for twice.
    pub fn choose(&self, name: &Member) -> Result<Zeroizing<String>, Problem> {
        let text = if let Some(text) = self.given()? { text } else { twice(name)? };
        if text.chars().count() < SHORTEST {
            return Err(Problem::new(Code::Usage, format!("a passphrase has at least {SHORTEST} characters")));
        }
        Ok(text)
    }

    fn given(&self) -> Result<Option<Zeroizing<String>>, Problem> {
        let credential = self.credentials.as_ref().map(|d| d.join("passphrase")).filter(|c| durable::is_there(c));
        let fd = self.fd.map(|n| PathBuf::from(format!("/proc/self/fd/{n}")));
        fd.as_ref().or(self.file.as_ref()).or(credential.as_ref()).map(|p| first_line(p)).transpose()
    }
}

fn first_line(path: &Path) -> Result<Zeroizing<String>, Problem> {
    let bytes = Zeroizing::new(durable::read_given(path, LONGEST)?);
    let line = bytes.split(|&b| b == b'\n').next().unwrap_or(&[]);
    let text = std::str::from_utf8(line).map_err(|_| Problem::new(Code::InputUnreadable, "the passphrase is not UTF-8"))?;
    let text = text.strip_suffix('\r').unwrap_or(text);
    if text.is_empty() { Err(Problem::new(Code::WrongPassphrase, "empty")) } else { Ok(Zeroizing::new(text.to_owned())) }
}

fn twice(name: &Member) -> Result<Zeroizing<String>, Problem> {
    let first = prompt(name)?;
    let again = Zeroizing::new(rpassword::prompt_password("The same again: ").map_err(|e| unreadable(&e))?);
    if first == again { Ok(first) } else { Err(Problem::new(Code::WrongPassphrase, "the two differ")) }
}

fn prompt(name: &Member) -> Result<Zeroizing<String>, Problem> {
    if !io::stdin().is_terminal() {
        return Err(Problem::new(Code::SessionNeeded, "no terminal to ask on: give --passphrase-file or --passphrase-fd"));
    }
    rpassword::prompt_password(format!("Passphrase of {name}: ")).map(Zeroizing::new).map_err(|e| unreadable(&e))
}

fn unreadable(e: &io::Error) -> Problem {
    Problem::new(Code::InputUnreadable, format!("passphrase: {}", e.kind()))
}
