//! Which options name the passphrase of what. Reading and judging it is [`ground::passphrase`].

use std::path::PathBuf;

use clap::Args;
use ground::passphrase::{self, Chosen, Passphrase, Role, Source};
use shared::problem::{Code, Problem};

/// The one secret that a command uses. It exists already.
#[derive(Debug, Clone, Args)]
pub struct Unlock {
    /// Read the passphrase from the first line of this file
    #[arg(long, value_name = "FILE", env = "SYNC_SERVER_PASSPHRASE_FILE")]
    passphrase_file: Option<PathBuf>,
    /// Read the passphrase from this file descriptor
    #[arg(long, value_name = "N")]
    passphrase_fd: Option<u32>,
}

impl Unlock {
    /// Reads it: descriptor, file, systemd credential `passphrase`, else the terminal.
    pub fn read(&self, whose: &str) -> Result<Passphrase, Problem> {
        let (fd, file) = (self.passphrase_fd, self.passphrase_file.clone());
        let nobody = (Code::Usage, "--passphrase-file or --passphrase-fd");
        Source { fd, file, credential: passphrase::credential("passphrase"), nobody }.read(whose)
    }

    /// One that is set now, for a key that decides about residents; `name` is what a guesser would try.
    pub fn choose(&self, whose: &str, name: &str) -> Result<Chosen, Problem> {
        let (fd, file) = (self.passphrase_fd, self.passphrase_file.clone());
        let nobody = (Code::Usage, "--passphrase-file or --passphrase-fd");
        Source { fd, file, credential: passphrase::credential("passphrase"), nobody }.choose(whose, Role::Supervisor, &[name])
    }
}

/// The secrets that `init` sets: each has options of its own, for no two may be equal.
#[derive(Debug, Clone, Args)]
pub struct Secrets {
    /// Read the recovery identity's passphrase from the first line of this file
    #[arg(long, value_name = "FILE", env = "SYNC_SERVER_RECOVERY_PASSPHRASE_FILE")]
    recovery_passphrase_file: Option<PathBuf>,
    /// Read the recovery identity's passphrase from this file descriptor
    #[arg(long, value_name = "N")]
    recovery_passphrase_fd: Option<u32>,
    /// Read the auditors' passphrase from the first line of this file
    #[arg(long, value_name = "FILE", env = "SYNC_SERVER_AUDITOR_PASSPHRASE_FILE")]
    auditor_passphrase_file: Option<PathBuf>,
    /// Read the auditors' passphrase from this file descriptor
    #[arg(long, value_name = "N")]
    auditor_passphrase_fd: Option<u32>,
    /// Put the roster key under a passphrase too
    #[arg(long)]
    protect_roster_key: bool,
    /// Read the roster key's passphrase from the first line of this file
    #[arg(long, value_name = "FILE", env = "SYNC_SERVER_ROSTER_PASSPHRASE_FILE", requires = "protect_roster_key")]
    roster_passphrase_file: Option<PathBuf>,
    /// Read the roster key's passphrase from this file descriptor
    #[arg(long, value_name = "N", requires = "protect_roster_key")]
    roster_passphrase_fd: Option<u32>,
}

/// What was chosen.
pub struct Secret {
    /// The recovery identity's passphrase.
    pub recovery: Chosen,
    /// The auditor identity's passphrase.
    pub auditor: Chosen,
    /// The roster key's passphrase, if it is to have one.
    pub roster: Option<Chosen>,
}

impl Secrets {
    /// Reads and judges each: descriptor, file, systemd credential (`recovery-passphrase` and so on), else the terminal.
    /// `centre` is a name that a guesser would try.
    pub fn choose(&self, centre: &str) -> Result<Secret, Problem> {
        let one = |fd, file: &Option<PathBuf>, credential, options| {
            let credential = passphrase::credential(credential);
            Source { fd, file: file.clone(), credential, nobody: (Code::Usage, options) }
        };
        let options = "--recovery-passphrase-file or --recovery-passphrase-fd";
        let recovery = one(self.recovery_passphrase_fd, &self.recovery_passphrase_file, "recovery-passphrase", options);
        let recovery = recovery.choose("the recovery identity", Role::Recovery, &[centre])?;
        let options = "--auditor-passphrase-file or --auditor-passphrase-fd";
        let auditor = one(self.auditor_passphrase_fd, &self.auditor_passphrase_file, "auditor-passphrase", options);
        let auditor = auditor.choose("the auditors' identity", Role::Auditor, &[centre])?;
        passphrase::all_different(&[("recovery identity", &recovery), ("auditors' identity", &auditor)])?;
        if !self.protect_roster_key {
            return Ok(Secret { recovery, auditor, roster: None });
        }
        let options = "--roster-passphrase-file or --roster-passphrase-fd";
        let roster = one(self.roster_passphrase_fd, &self.roster_passphrase_file, "roster-passphrase", options);
        let roster = roster.choose("the roster key", Role::RosterKey, &[centre])?;
        passphrase::all_different(&[("recovery identity", &recovery), ("auditors' identity", &auditor), ("roster key", &roster)])?;
        Ok(Secret { recovery, auditor, roster: Some(roster) })
    }
}
