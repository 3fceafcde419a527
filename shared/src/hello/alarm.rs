//! Alarms that a unit reports: a closed list.

use std::{fmt, str::FromStr};

use crate::{id::IdError, problem::Code};

/// What a unit says is wrong with it. It names nobody, and the centre does nothing by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Alarm {
    /// Two histories of the log were shown to it.
    LogInconsistent,
    /// It was put back to an older copy.
    VaultRewound,
    /// Two notes of its key contradict each other.
    Frozen,
    /// Its key is to be followed by a new one.
    EpochNeeded,
    /// Its roster is past its date and its grace.
    RosterExpired,
    /// Keys of drafts or cards do not open any more.
    KeyFileDamaged,
    /// Its disk is full or nearly so.
    DiskFull,
}

impl Alarm {
    /// All, in the order in which a hello has them.
    pub const ALL: [Self; 7] = [
        Self::LogInconsistent,
        Self::VaultRewound,
        Self::Frozen,
        Self::EpochNeeded,
        Self::RosterExpired,
        Self::KeyFileDamaged,
        Self::DiskFull,
    ];

    /// Its code, whose text says the way out.
    pub const fn code(self) -> Code {
        match self {
            Self::LogInconsistent => Code::LogInconsistent,
            Self::VaultRewound => Code::VaultRewound,
            Self::Frozen => Code::Frozen,
            Self::EpochNeeded => Code::EpochNeeded,
            Self::RosterExpired => Code::RosterExpired,
            Self::KeyFileDamaged => Code::KeyFileDamaged,
            Self::DiskFull => Code::DiskFull,
        }
    }
}

impl fmt::Display for Alarm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code().row().code)
    }
}
impl FromStr for Alarm {
    type Err = IdError;
    fn from_str(s: &str) -> Result<Self, IdError> {
        Self::ALL.into_iter().find(|alarm| alarm.code().row().code == s).ok_or(IdError("alarm"))
    }
}
