//! Names of files as people, cameras and scanners give them: `صورة 1.JPG`, `IMG_0007.jpeg`.
//!
//! **Trust:** whoever filled the folder. **Invariants:** a name, never a path; it stands in no record and in no problem,
//! because a file may be called after a person. A part's own name comes from its position (`draft`).

use std::{fmt, str::FromStr};

use icu_normalizer::ComposingNormalizerBorrowed;

use crate::id::{IdError, PartName, serde_as_text};

/// Longest name, in bytes: what file systems take.
const MAX: usize = 255;

/// Name of a file beside resident.json, in NFC: some file systems take letters and their marks apart.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileName(String);

impl FileName {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
    /// The same but for capitals: some file systems do not keep them.
    pub(super) fn is_alike(&self, other: &Self) -> bool {
        self.0.to_lowercase() == other.0.to_lowercase()
    }
}

impl FromStr for FileName {
    type Err = IdError;
    fn from_str(s: &str) -> Result<Self, IdError> {
        if s.len() > MAX {
            return Err(IdError("FileName"));
        }
        let name = ComposingNormalizerBorrowed::new_nfc().normalize(s);
        let is_name = !matches!(&*name, "" | "." | "..") && !name.contains(['/', '\0']) && name.len() <= MAX;
        if is_name { Ok(Self(name.into_owned())) } else { Err(IdError("FileName")) }
    }
}
impl From<PartName> for FileName {
    fn from(name: PartName) -> Self {
        Self(name.as_str().to_owned())
    }
}
impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
/// What is called after a person stays out of logs.
impl fmt::Debug for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FileName({} bytes)", self.0.len())
    }
}
serde_as_text!(FileName);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_name_is_one_and_no_path_is() {
        for good in ["face.jpg", "FACE.JPG", "صورة الوجه 1.jpg", "a b (2).jpeg", ".hidden", "...", "\\", "a\nb", &"x".repeat(255)]
        {
            assert!(good.parse::<FileName>().is_ok(), "{good:?}");
        }
        for bad in ["", ".", "..", "/", "../face.jpg", "a/b", "a\0b", &"x".repeat(256)] {
            assert!(bad.parse::<FileName>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn letters_with_marks_are_one_name_however_they_are_written() {
        let [apart, together] = ["e\u{301}te\u{301}.jpg", "\u{e9}t\u{e9}.jpg"].map(|name| name.parse::<FileName>().expect("a name"));
        assert_eq!(apart, together);
        assert!("\u{c9}T\u{c9}.JPG".parse::<FileName>().expect("a name").is_alike(&together));
    }
}
