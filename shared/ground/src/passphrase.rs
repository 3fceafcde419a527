//! Passphrases: where they come from, and which are taken.
//!
//! ```text
//! Source ── read ──▶ Passphrase     opens what exists: any text
//!    └───── choose ─▶ Chosen        protects something new: judged by `policy.rs`
//! ```
//!
//! A descriptor, a file, a systemd credential, else the terminal; never an argument, never the environment.
//! **Invariants:** the policy is applied when a passphrase is set, never when it is used: a stricter one locks nobody out.
//! What was typed is wiped when it is dropped, and nothing prints it.
#![allow(clippy::disallowed_methods, reason = "this file asks the environment where systemd put credentials")]

mod policy;

use std::{
    env, fmt,
    io::{self, IsTerminal as _},
    path::{Path, PathBuf},
};

use shared::problem::{Code, Problem};
use zeroize::Zeroizing;

pub use self::policy::Role;
use crate::durable;

/// Longest that is read, in bytes.
const LONGEST: u64 = 1024;

/// A passphrase; wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Passphrase(Zeroizing<String>);

impl Passphrase {
    /// Its text, for what makes a key of it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
    /// Its bytes, for what makes a key of it.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase")
    }
}

/// A passphrase that is good enough for its role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen(Passphrase);

impl Chosen {
    /// Judges a passphrase that is set now. `about` is what a guesser would try first: names that belong to it.
    pub fn judged(passphrase: Passphrase, role: Role, about: &[&str]) -> Result<Self, Problem> {
        policy::judge(passphrase.as_str(), role, about)?;
        Ok(Self(passphrase))
    }
    /// The passphrase.
    pub fn passphrase(&self) -> &Passphrase {
        &self.0
    }
}

/// Whoever learns one of several secrets must not have the others with it.
pub fn all_different(chosen: &[(&str, &Chosen)]) -> Result<(), Problem> {
    for (n, (whose, one)) in chosen.iter().enumerate() {
        if let Some((other, _)) = chosen[..n].iter().find(|(_, other)| other == one) {
            return Err(Problem::new(Code::PassphraseReused, format!("{other}, {whose}")));
        }
    }
    Ok(())
}

/// Where a passphrase comes from: the first of these that is given.
#[derive(Debug, Clone)]
pub struct Source {
    /// A file descriptor.
    pub fd: Option<u32>,
    /// A file.
    pub file: Option<PathBuf>,
    /// A systemd credential, if it is there.
    pub credential: Option<PathBuf>,
    /// What to say where nobody can be asked: the code, and the options that would have given it.
    pub nobody: (Code, &'static str),
}

impl Source {
    /// The passphrase that was set before.
    pub fn read(&self, whose: &str) -> Result<Passphrase, Problem> {
        match self.given()? {
            Some(text) => Ok(text),
            None => self.prompt(whose),
        }
    }

    /// A passphrase that is set now; a person is asked for it twice.
    pub fn choose(&self, whose: &str, role: Role, about: &[&str]) -> Result<Chosen, Problem> {
        if let Some(text) = self.given()? {
            return Chosen::judged(text, role, about);
        }
        let first = self.prompt(whose)?;
        // before it is typed again
        let chosen = Chosen::judged(first, role, about)?;
        let again = typed("The same again: ")?;
        if *chosen.passphrase() == again { Ok(chosen) } else { Err(Problem::new(Code::WrongPassphrase, "the two differ")) }
    }

    fn given(&self) -> Result<Option<Passphrase>, Problem> {
        let credential = self.credential.as_ref().filter(|c| durable::is_there(c));
        let fd = self.fd.map(|n| PathBuf::from(format!("/proc/self/fd/{n}")));
        fd.as_ref().or(self.file.as_ref()).or(credential).map(|p| first_line(p)).transpose()
    }

    fn prompt(&self, whose: &str) -> Result<Passphrase, Problem> {
        if !io::stdin().is_terminal() {
            let (code, options) = self.nobody;
            return Err(Problem::new(code, format!("no terminal to ask on: give {options}")));
        }
        typed(&format!("Passphrase of {whose}: "))
    }
}

/// The folder of systemd credentials.
pub fn credentials() -> Option<PathBuf> {
    env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from)
}

/// The place of a systemd credential.
pub fn credential(name: &str) -> Option<PathBuf> {
    credentials().map(|folder| folder.join(name))
}

fn first_line(path: &Path) -> Result<Passphrase, Problem> {
    let bytes = Zeroizing::new(durable::read_given(path, LONGEST)?);
    let line = bytes.split(|&b| b == b'\n').next().unwrap_or(&[]);
    let text = std::str::from_utf8(line).map_err(|_| Problem::new(Code::InputUnreadable, "the passphrase is not UTF-8"))?;
    let text = text.strip_suffix('\r').unwrap_or(text);
    if text.is_empty() { Err(Problem::new(Code::WrongPassphrase, "empty")) } else { Ok(Passphrase(Zeroizing::new(text.to_owned()))) }
}

fn typed(prompt: &str) -> Result<Passphrase, Problem> {
    let unreadable = |e: io::Error| Problem::new(Code::InputUnreadable, format!("passphrase: {}", e.kind()));
    let text = Zeroizing::new(rpassword::prompt_password(prompt).map_err(unreadable)?);
    if text.is_empty() { Err(Problem::new(Code::WrongPassphrase, "empty")) } else { Ok(Passphrase(text)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(file: &Path) -> Source {
        Source { fd: None, file: Some(file.to_owned()), credential: None, nobody: (Code::Usage, "--passphrase-file") }
    }

    #[test]
    fn judged_when_it_is_set_and_never_when_it_is_used() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("passphrase");
        std::fs::write(&path, "x\r\nnot this line\n").expect("written");
        assert_eq!(from(&path).read("agent-1").expect("any text").as_str(), "x");
        for role in Role::ALL {
            assert_eq!(from(&path).choose("agent-1", role, &[]).map_err(|p| p.code), Err(Code::PassphraseWeak));
        }
        std::fs::write(&path, "\n").expect("written");
        assert_eq!(from(&path).read("agent-1").map_err(|p| p.code), Err(Code::WrongPassphrase));
        std::fs::write(&path, [b'x'; 1025]).expect("written");
        assert_eq!(from(&path).read("agent-1").map_err(|p| p.code), Err(Code::InputUnreadable));
        let nobody = Source { file: None, credential: Some(dir.path().join("nothing")), ..from(&path) };
        if !io::stdin().is_terminal() {
            assert_eq!(nobody.read("agent-1").map_err(|p| p.code), Err(Code::Usage));
        }
        std::fs::write(dir.path().join("nothing"), "there now").expect("written");
        assert_eq!(nobody.read("agent-1").expect("the credential").as_bytes(), b"there now");
    }

    #[test]
    fn equal_ones_are_refused_and_nothing_prints_them() {
        let one = |text: &str| {
            let text = Passphrase(Zeroizing::new(text.to_owned()));
            Chosen::judged(text, Role::Recovery, &[]).expect("good")
        };
        let (a, b) = (one("quarry lantern eleven oboe thistle"), one("violet anchor hamster dune sextant"));
        assert_eq!(all_different(&[("recovery", &a), ("auditor", &b)]), Ok(()));
        let reused = all_different(&[("recovery", &a), ("auditor", &b), ("roster key", &a)]).expect_err("equal");
        assert_eq!((reused.code, reused.detail.as_str()), (Code::PassphraseReused, "recovery, roster key"));
        assert!(!format!("{a:?}{reused}").contains("quarry"));
    }
}
