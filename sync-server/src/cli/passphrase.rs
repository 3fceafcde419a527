//! `passphrase change`: identities and keys of people, under another passphrase. It needs no centre.
//!
//! **Invariants:** the file is replaced all or nothing, so a crash leaves it under the old passphrase or under the new one; what lies in
//! it is never on a disk in clear. Copies of the old file still open with the old passphrase, and the command says so.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use ground::passphrase::{Role, Source};
use serde_json::json;
use shared::{
    id::Member,
    problem::{Code, Problem},
    seal::{passphrase_lock, passphrase_open},
};
use zeroize::Zeroizing;

use super::{Exit, Out, secrets::Unlock};
use crate::{durable, keys, store::blocking};

/// Largest identity or key file that is read, in bytes.
const LARGEST: u64 = 64 << 10;

/// Passphrases of identities and keys.
#[derive(Debug, Subcommand)]
pub enum Passphrase {
    /// Put an identity (recovery, auditors), the roster key or a key of staff under another passphrase
    Change(Change),
}

/// `passphrase change`
#[derive(Debug, Args)]
pub struct Change {
    /// The file that is under the passphrase
    file: PathBuf,
    #[command(flatten)]
    present: Unlock,
    /// Read the new passphrase from the first line of this file
    #[arg(long, value_name = "FILE")]
    new_passphrase_file: Option<PathBuf>,
    /// Read the new passphrase from this file descriptor
    #[arg(long, value_name = "N")]
    new_passphrase_fd: Option<u32>,
}

impl Passphrase {
    /// Runs the command.
    pub async fn run(self, out: &Out) -> Result<Exit, Problem> {
        let Self::Change(change) = self;
        change.run(out).await
    }
}

/// What a file holds, and how its passphrase is judged.
enum Holds {
    Identity,
    RosterKey(String),
    StaffKey(Member),
}

impl Holds {
    /// An identity is written as `age-keygen` writes it; names of staff are names on the road, the roster key's is not.
    fn of(text: &[u8]) -> Option<Self> {
        if text.split(|&b| b == b'\n').any(|line| line.starts_with(b"AGE-SECRET-KEY-")) {
            return Some(Self::Identity);
        }
        let name = keys::name(text)?;
        Some(match name.as_str().parse() {
            Ok(member) => Self::StaffKey(member),
            Err(_) => Self::RosterKey(name.to_string()),
        })
    }
    const fn measure(&self) -> Role {
        match self {
            Self::Identity => Role::Recovery,
            Self::RosterKey(_) => Role::RosterKey,
            Self::StaffKey(_) => Role::Supervisor,
        }
    }
    fn whose(&self) -> &str {
        match self {
            Self::Identity => "the identity",
            Self::RosterKey(name) => name,
            Self::StaffKey(name) => name.as_str(),
        }
    }
}

impl Change {
    /// Asks for the present one, then for the new one.
    async fn run(self, out: &Out) -> Result<Exit, Problem> {
        let unreadable = |why: &str| Problem::new(Code::KeyUnreadable, format!("{}: {why}", self.file.display()));
        let locked = durable::read_given(&self.file, LARGEST)?;
        if !locked.starts_with(b"age-encryption.org/v1\n") {
            return Err(unreadable("not under a passphrase"));
        }
        let present = self.present.read("what lies in this file")?;
        let opened = present.clone();
        // a passphrase costs about a second of work: not on a thread that others wait for
        let text = blocking(move || passphrase_open(&locked, opened.as_str())).await?;
        let holds = Holds::of(&text).ok_or_else(|| unreadable("neither an identity nor a key"))?;
        let nobody = (Code::Usage, "--new-passphrase-file or --new-passphrase-fd");
        let new = Source { fd: self.new_passphrase_fd, file: self.new_passphrase_file.clone(), credential: None, nobody };
        let chosen = new.choose(holds.whose(), holds.measure(), &[holds.whose()])?;
        if chosen.passphrase().as_bytes() == present.as_bytes() {
            return Err(Problem::new(Code::NothingToDo, "the new passphrase is the present one"));
        }
        let again = blocking(move || passphrase_lock(&text, chosen.passphrase().as_str()).map(Zeroizing::new)).await?;
        durable::write(&self.file, &again).map_err(durable::problem("key file"))?;
        let (file, whose) = (self.file.display(), holds.whose());
        out.answer(
            json!({ "changed": self.file, "of": whose }),
            format!("{file} ({whose}) is under another passphrase. Copies of the old file open with the old one: replace them"),
        );
        Ok(Exit::Done)
    }
}
