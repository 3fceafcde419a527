//! The version of the rules: match keys, form checks and limits.
//!
//! A log says by an entry `rules N` which version holds for what is judged after it. Before any such entry [`Rules::FIRST`] holds. A
//! version never goes back: the newest that the log has named is in force. **Invariants:** what a version says never changes; a change
//! is a new version, and the old one stays readable here.

/// A version of the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rules {
    /// Folding by a short table; one name key.
    V2,
    /// Folding of all that forms admit; both scripts agree; text in its one form.
    V3,
}

impl Rules {
    /// What holds in a log that names none. No log was ever judged by version 2 outside of tests; it is kept so that a change is one.
    pub const FIRST: Self = Self::V3;
    /// The newest.
    pub const NEWEST: Self = Self::V3;
    /// All of them.
    pub const ALL: [Self; 2] = [Self::V2, Self::V3];

    /// Its number.
    pub const fn number(self) -> u64 {
        match self {
            Self::V2 => 2,
            Self::V3 => 3,
        }
    }

    /// The version of this number; none that this software does not know.
    pub fn of_number(number: u64) -> Option<Self> {
        Self::ALL.into_iter().find(|rules| rules.number() == number)
    }
}

impl std::fmt::Display for Rules {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.number())
    }
}
