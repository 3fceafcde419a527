//! Exit codes, the same in both programs.

use std::process::ExitCode;

use super::{Again, Code};

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// It failed.
    Error = 1,
    /// The arguments are wrong.
    Usage = 2,
    /// Done in part.
    Partly = 3,
    /// There was nothing to do.
    Nothing = 4,
    /// Try later.
    Later = 5,
    /// Refused by the other side.
    Refused = 6,
    /// Something is not as it must be.
    Integrity = 7,
    /// No unit or centre here, or no roster yet.
    NotInitialised = 10,
    /// Another process holds the lock.
    Locked = 11,
    /// A passphrase or other credentials: wrong, missing, or too weak to be set.
    Passphrase = 12,
    /// Clock or certificate.
    Clock = 13,
}

impl Exit {
    /// The exit code of a problem.
    pub fn of(code: Code) -> Self {
        match code {
            Code::Usage | Code::ConfigInvalid | Code::AlreadyInitialised => Self::Usage,
            Code::NothingToDo => Self::Nothing,
            Code::RefusedByCentre => Self::Refused,
            Code::VaultDamaged
            | Code::KeyFileDamaged
            | Code::MachineSecretLost
            | Code::KeyUnreadable
            | Code::GuardAhead
            | Code::GuardMissing
            | Code::GuardConflict
            | Code::ArchiveMissing
            | Code::ArchiveDamaged
            | Code::DatabaseDamaged
            | Code::DatabaseDiffers
            | Code::LogInconsistent
            | Code::CheckpointInvalid
            | Code::ProofInvalid
            | Code::ReceiptInvalid
            | Code::OutcomeInvalid
            | Code::SignatureInvalid => Self::Integrity,
            Code::NotInitialised | Code::NoRoster => Self::NotInitialised,
            Code::LockedElsewhere => Self::Locked,
            Code::WrongPassphrase | Code::SessionNeeded | Code::PassphraseWeak | Code::PassphraseReused => Self::Passphrase,
            Code::ClockJump | Code::ClockWrong | Code::ServerUntrusted => Self::Clock,
            other if other.row().again == Again::Later => Self::Later,
            _ => Self::Error,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
