//! The table of problems: one stable code each, whose fault, whether to send again, what to do now,
//! in English, French and Arabic. On the wire a problem is RFC 9457 `application/problem+json`.
//!
//! **Invariants:** a code, once published, keeps its meaning; no text and no detail names a person.

pub mod exit;
pub mod left;

use std::{fmt, str::FromStr};

/// Who has to act for the problem to go away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The unit: its laptop, its keys, its data.
    Unit,
    /// The person at the keyboard.
    Person,
    /// The centre.
    Centre,
    /// What lies between: network, disk, stick.
    Medium,
}

/// Is it worth sending the same thing again?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// Never: the same bytes get the same answer.
    Never,
    /// Later, by itself: nothing needs to be changed.
    Later,
    /// After what the next step says was done.
    AfterStep,
}

/// A language of problem texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lang {
    /// العربية
    Ar,
    /// Français
    Fr,
    /// English
    #[default]
    En,
}

impl FromStr for Lang {
    type Err = crate::id::IdError;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        match s {
            "ar" => Ok(Self::Ar),
            "fr" => Ok(Self::Fr),
            "en" => Ok(Self::En),
            _ => Err(crate::id::IdError("language")),
        }
    }
}

/// What happened and what to do now, in one language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text {
    /// What happened, and whether anything is lost.
    pub what: &'static str,
    /// What to do now.
    pub next: &'static str,
}

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// The stable code, `kebab-case`.
    pub code: &'static str,
    /// Who has to act.
    pub fault: Fault,
    /// Is it worth sending again?
    pub again: Again,
    en: Text,
    fr: Text,
    ar: Text,
}

impl Row {
    /// The text in a language.
    pub const fn text(&self, lang: Lang) -> Text {
        match lang {
            Lang::En => self.en,
            Lang::Fr => self.fr,
            Lang::Ar => self.ar,
        }
    }
}

/// A problem that reached somebody: its code, and a detail that holds no personal data.
#[derive(Clone, PartialEq, Eq)]
pub struct Problem {
    /// Which problem.
    pub code: Code,
    /// Where exactly: a number, a line, a name of a part. Never a person's data.
    pub detail: String,
}

impl Problem {
    /// A problem with a detail.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into() }
    }
    /// The row of the table.
    pub const fn row(&self) -> &'static Row {
        self.code.row()
    }
    /// `what happened. detail. → next step` in a language, with the code.
    pub fn told(&self, lang: Lang) -> String {
        let text = self.row().text(lang);
        let detail = if self.detail.is_empty() { String::new() } else { format!(" ({})", self.detail) };
        format!("{}: {}{detail}\n  → {}", self.row().code, text.what, text.next)
    }
}

impl From<Code> for Problem {
    fn from(code: Code) -> Self {
        Self { code, detail: String::new() }
    }
}
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.row().code)?;
        if self.detail.is_empty() { Ok(()) } else { write!(f, ": {}", self.detail) }
    }
}
impl fmt::Debug for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl std::error::Error for Problem {}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.row().code)
    }
}
impl FromStr for Code {
    type Err = crate::id::IdError;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Self::ALL.iter().copied().find(|c| c.row().code == s).ok_or(crate::id::IdError("problem code"))
    }
}

/// Written as a code is, `[a-z0-9]+(-[a-z0-9]+)*`: where it is not in the table, newer software knows it.
pub(crate) fn is_code(text: &str) -> bool {
    let word = |w: &str| !w.is_empty() && w.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    text.len() <= 64 && text.split('-').all(word)
}

impl From<crate::text::TextError> for Code {
    fn from(e: crate::text::TextError) -> Self {
        match e {
            crate::text::TextError::UpgradeNeeded => Self::UpgradeNeeded,
            crate::text::TextError::Malformed { .. } => Self::TextMalformed,
        }
    }
}
impl From<crate::text::TextError> for Problem {
    fn from(e: crate::text::TextError) -> Self {
        match e {
            crate::text::TextError::UpgradeNeeded => Code::UpgradeNeeded.into(),
            crate::text::TextError::Malformed { line } => Problem::new(Code::TextMalformed, format!("line {line}")),
        }
    }
}
impl From<crate::note::NoteError> for Problem {
    fn from(e: crate::note::NoteError) -> Self {
        use crate::note::NoteError;
        match e {
            NoteError::Malformed => Code::NoteMalformed,
            NoteError::Signatures => Code::NoteSignatures,
            NoteError::CosignatureMissing => Code::CosignatureMissing,
            NoteError::KeyWrong => Code::KeyWrong,
            NoteError::Invalid => Code::SignatureInvalid,
        }
        .into()
    }
}

macro_rules! problems {
    ($($name:ident $code:literal $fault:ident $again:ident
        $ewhat:literal $enext:literal
        $fwhat:literal $fnext:literal
        $awhat:literal $anext:literal;)*) => {
        /// A stable problem code.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {$(
            #[doc = $ewhat]
            $name,
        )*}
        impl Code {
            /// Every code.
            pub const ALL: &[Code] = &[$(Code::$name),*];
            /// Its row of the table.
            pub const fn row(self) -> &'static Row {
                match self {$(
                    Code::$name => &Row {
                        code: $code,
                        fault: Fault::$fault,
                        again: Again::$again,
                        en: Text { what: $ewhat, next: $enext },
                        fr: Text { what: $fwhat, next: $fnext },
                        ar: Text { what: $awhat, next: $anext },
                    },
                )*}
            }
        }
    };
}

include!("problem/table.rs");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_problem_answers_in_three_languages() {
        for &code in Code::ALL {
            let row = code.row();
            for lang in [Lang::En, Lang::Fr, Lang::Ar] {
                let text = row.text(lang);
                assert!(text.what.len() > 8 && text.next.len() > 8, "{} {lang:?}", row.code);
            }
            let arabic = |s: &str| s.chars().any(|c| ('\u{600}'..='\u{6ff}').contains(&c));
            assert!(arabic(row.text(Lang::Ar).what) && arabic(row.text(Lang::Ar).next), "{}", row.code);
            assert!(!arabic(row.text(Lang::Fr).what), "{}", row.code);
            assert_eq!(row.code.parse(), Ok(code), "codes are unique");
        }
    }

    /// What stands between backquotes: commands and their options.
    fn quoted(text: &str) -> Vec<&str> {
        let mut found: Vec<&str> = text.split('`').skip(1).step_by(2).collect();
        found.sort_unstable();
        found
    }

    #[test]
    fn the_three_languages_name_the_same_commands() {
        for code in Code::ALL {
            let row = code.row();
            let [en, fr, ar] = [Lang::En, Lang::Fr, Lang::Ar].map(|lang| row.text(lang));
            for text in [en, fr, ar] {
                assert!(!text.what.contains('…') && text.next.matches('`').count() % 2 == 0, "{}", row.code);
            }
            assert_eq!(quoted(en.next), quoted(fr.next), "{}", row.code);
            assert_eq!(quoted(en.next), quoted(ar.next), "{}", row.code);
        }
    }

    #[test]
    fn next_steps_name_commands_that_exist() {
        const UNIT: &str = "init, form list, roster import, roster show, draft attach, draft detach, draft discard, draft except, draft unexcept, draft import-cbeff, draft list, draft set, \
            draft show, alarm list, alarm clear, finish, session, review list, review withdraw, close, sync, status, receipt verify, outcome show, prune, doctor, new-key, resign, agent add, passphrase change, unit set, batch save";
        const CENTRE: &str = "init, serve, tls new, archive restore, unit admit, unit list, agent admit, agent list, roster publish, roster set, roster export, roster show, scrub, batch list, \
            batch show, batch decide, case decide, case confirm, case reject, case history, record decide, unit move, unit revoke, agent revoke, supervisor admit, supervisor revoke, staff add, staff admit, staff list, staff revoke, open list, record trace, case list, case show, log checkpoint, log time confirm, fsck, rebuild, doctor";
        for code in Code::ALL {
            for command in quoted(code.row().text(Lang::En).next) {
                let known = match command.split_once(' ') {
                    Some(("enroll-client", rest)) => Some((UNIT, rest)),
                    Some(("sync-server", rest)) => Some((CENTRE, rest)),
                    _ => None, // an option, a file, a program alone
                };
                let named = |(known, rest): (&str, &str)| {
                    let words = rest.split(' ').take_while(|w| w.starts_with(|c: char| c.is_ascii_lowercase())).collect::<Vec<_>>();
                    known.split(", ").any(|k| k.trim() == words.join(" "))
                };
                assert!(known.is_none_or(named), "{code}: {command}");
            }
        }
    }
}
