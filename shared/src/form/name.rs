//! Names of people: letters of one script, by Unicode property, with the marks and signs that names have.
//!
//! | format | letters | marks |
//! |---|---|---|
//! | `name-arabic` | Script=Arabic, also `ݣ گ ڭ` | vowel signs and the like of the Arabic blocks |
//! | `name-latin` | Script=Latin, also `ḥ ṣ ɛ ɣ`; `ε γ Σ Γ`, which many keyboards give for these | combining diacritics |
//! | `name-tifinagh` | Script=Tifinagh | its joiner |
//!
//! All take spaces, hyphens, apostrophes and dots. **Invariants:** at least one letter; a mark stands on a letter. A name of one letter
//! is a name; that it says too little to know somebody by is a matter of the match key.

use icu_properties::{
    CodePointMapData,
    props::{GeneralCategory, GeneralCategoryGroup, Script},
};

use super::typed::{Fault, is_presentation};

/// The script in which a name is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameScript {
    /// `name-arabic`
    Arabic,
    /// `name-latin`
    Latin,
    /// `name-tifinagh`
    Tifinagh,
}

/// What a character is in a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// A letter.
    Letter,
    /// A mark on the letter before.
    Mark,
    /// A space, hyphen, apostrophe or dot.
    Sign,
}

impl NameScript {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Arabic, Self::Latin, Self::Tifinagh];

    /// The word for it in a schema's `format`.
    pub const fn format(self) -> &'static str {
        match self {
            Self::Arabic => "name-arabic",
            Self::Latin => "name-latin",
            Self::Tifinagh => "name-tifinagh",
        }
    }

    const fn rule(self) -> &'static str {
        match self {
            Self::Arabic => "Arabic letters, spaces, hyphens, apostrophes and dots",
            Self::Latin => "Latin letters, spaces, hyphens, apostrophes and dots",
            Self::Tifinagh => "Tifinagh letters, spaces, hyphens, apostrophes and dots",
        }
    }

    /// What a character is in a name of this script; none: it has no place there.
    pub fn part(self, c: char) -> Option<Part> {
        if is_sign(c) {
            return Some(Part::Sign);
        }
        // shapes of letters are letters once they are in the one form of typed text
        if is_presentation(c) {
            return None;
        }
        let script = CodePointMapData::<Script>::new().get(c);
        let category = CodePointMapData::<GeneralCategory>::new().get(c);
        let letter = GeneralCategoryGroup::Letter.contains(category);
        match self {
            Self::Arabic if category == GeneralCategory::OtherLetter && script == Script::Arabic => Some(Part::Letter),
            Self::Arabic if is_arabic_mark(c, category) => Some(Part::Mark),
            Self::Latin if letter && script == Script::Latin || is_greek_for_latin(c) => Some(Part::Letter),
            Self::Latin if matches!(c, '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1ace}' | '\u{1dc0}'..='\u{1dff}') => Some(Part::Mark),
            Self::Tifinagh if letter && script == Script::Tifinagh => Some(Part::Letter),
            Self::Tifinagh if c == '\u{2d7f}' => Some(Part::Mark),
            _ => None,
        }
    }

    /// Why a text is no name of this script; none when it is one.
    pub fn fault(self, name: &str) -> Option<Fault> {
        let mut before = None;
        let mut letters = false;
        for (n, c) in name.chars().enumerate() {
            let Some(part) = self.part(c) else { return Some(Fault::at(n, c, self.rule())) };
            if part == Part::Mark && !matches!(before, Some(Part::Letter | Part::Mark)) {
                return Some(Fault::at(n, c, "a mark stands on a letter"));
            }
            letters |= part == Part::Letter;
            before = Some(part);
        }
        (!letters).then_some(Fault::whole("at least one letter"))
    }
}

/// Spaces, and hyphens, apostrophes and dots of all usual kinds.
pub const fn is_sign(c: char) -> bool {
    matches!(
        c,
        ' ' | '-' | '\u{2010}' | '\u{2011}' | '\u{2013}' // hyphens
        | '\'' | '’' | '‘' | '‛' | 'ʼ' | 'ʻ' | 'ʽ' | 'ʾ' | 'ʿ' | 'ʹ' | '`' | '´' | '′' // apostrophes, hamza, ayn
        | '.' | '·'
    )
}

fn is_arabic_mark(c: char, category: GeneralCategory) -> bool {
    let marks = matches!(category, GeneralCategory::NonspacingMark | GeneralCategory::ModifierLetter);
    marks && c != '\u{640}' && matches!(c, '\u{610}'..='\u{6ed}' | '\u{870}'..='\u{8ff}')
}

/// Letters that stand for ɛ and ɣ where the keyboard has only the Greek ones.
const fn is_greek_for_latin(c: char) -> bool {
    matches!(c, 'ε' | 'γ' | 'Σ' | 'Γ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_as_people_write_them_are_names() {
        for (script, names) in [
            (NameScript::Arabic, &["إيطو", "ݣنون", "أݣادير", "أگادير", "أڭادير", "عبد الرحمٰن", "فَاطِمَة", "بن-علي", "ٱلحسن", "م. علي"][..]),
            (NameScript::Latin, &["Itto", "Aḥmed", "Ɛli", "Σli", "Yeɣmur", "Aït-Baha", "O’Brien", "N'Aït", "ʿAlī", "Z"]),
            (NameScript::Tifinagh, &["ⵉⵟⵟⵓ", "ⴰⵢⵜ ⵄⵍⵉ", "ⴰⵎⵖⵏⴰⵙ"]),
        ] {
            for name in names {
                assert_eq!(script.fault(name), None, "{name}");
            }
        }
    }

    #[test]
    fn what_is_no_name_is_refused_by_place() {
        for (script, text, said) in [
            (NameScript::Latin, " ", "at least one letter"),
            (NameScript::Latin, "-", "at least one letter"),
            (NameScript::Arabic, "'", "at least one letter"),
            (NameScript::Arabic, "", "at least one letter"),
            (NameScript::Latin, "Ali7", "character 4 (U+0037): Latin letters, spaces, hyphens, apostrophes and dots"),
            (NameScript::Latin, "Aлi", "character 2 (U+043B): Latin letters, spaces, hyphens, apostrophes and dots"),
            (NameScript::Arabic, "علي،", "character 4 (U+060C): Arabic letters, spaces, hyphens, apostrophes and dots"),
            (NameScript::Arabic, "Ali", "character 1 (U+0041): Arabic letters, spaces, hyphens, apostrophes and dots"),
            (NameScript::Latin, "\u{301}a", "character 1 (U+0301): a mark stands on a letter"),
        ] {
            assert_eq!(script.fault(text).map(|fault| fault.to_string()).as_deref(), Some(said), "{text:?}");
        }
        assert_eq!(NameScript::Tifinagh.fault("Itto").and_then(|fault| fault.at), Some((1, 'I')));
    }
}
