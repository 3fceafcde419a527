//! What a registry says about persons: closed until the access is on record.
//!
//! **Invariants:** [`Unrecorded`] is opened, and [`Recorded`] made, by `access::answer` alone; neither shows anything in `Debug`.

/// Read, and shown to nobody yet.
pub struct Unrecorded<T>(T);

impl<T> Unrecorded<T> {
    /// What a registry has read.
    pub fn read(answer: T) -> Self {
        Self(answer)
    }
    /// Those that are there, as one answer.
    pub fn all(answers: impl IntoIterator<Item = Unrecorded<Option<T>>>) -> Unrecorded<Vec<T>> {
        Unrecorded(answers.into_iter().filter_map(|answer| answer.0).collect())
    }
    /// Whom the answer shows, for the access record.
    pub(super) fn subjects(&self, of: impl FnOnce(&T) -> Vec<String>) -> Vec<String> {
        of(&self.0)
    }
    /// The access is on record.
    pub(super) fn recorded(self) -> Recorded<T> {
        Recorded(self.0)
    }
}

/// What a person may see: that they look is on record.
pub struct Recorded<T>(T);

impl<T> Recorded<T> {
    /// The same, told otherwise.
    pub fn map<U>(self, told: impl FnOnce(T) -> U) -> Recorded<U> {
        Recorded(told(self.0))
    }
}

impl<T> Recorded<Option<T>> {
    /// Whoever is there.
    pub fn some(self) -> Option<Recorded<T>> {
        self.0.map(Recorded)
    }
}

impl<T> std::ops::Deref for Recorded<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}
