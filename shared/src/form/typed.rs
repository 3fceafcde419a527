//! Text as people type it, brought to the one form in which it is signed: what looks the same is the same bytes.
//!
//! | typed | kept |
//! |---|---|
//! | characters that show nothing (bidi controls, joiners, soft hyphens, variation selectors) | nothing |
//! | tatweel, U+0640 | nothing: it stretches a word and spells none |
//! | `٠`–`٩`, `۰`–`۹` | `0`–`9` |
//! | presentation forms of Arabic letters, Latin ligatures | the letters that they show |
//! | letters and marks apart | composed: NFC (UAX 15) |
//! | any space, several, at the ends | one U+0020 between words, none at the ends |
//!
//! **Trust:** none; a clipboard or a file may hold anything. **Invariants:** what is normal stays as it is; control characters and line
//! breaks stay, and are refused.

use std::fmt;

use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};
use icu_properties::{
    CodePointMapData, CodePointSetData,
    props::{DefaultIgnorableCodePoint, GeneralCategory},
};
use zeroize::Zeroizing;

/// What is wrong with a text, and where, without the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// The character at fault and its place, from 1; none where no single one is.
    pub at: Option<(usize, char)>,
    /// What is asked for.
    pub rule: &'static str,
}

impl Fault {
    /// No single character is at fault.
    pub(super) const fn whole(rule: &'static str) -> Self {
        Self { at: None, rule }
    }

    /// The character with this index is at fault.
    pub(super) const fn at(index: usize, character: char, rule: &'static str) -> Self {
        Self { at: Some((index + 1, character)), rule }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at {
            Some((place, character)) => write!(f, "character {place} (U+{:04X}): {}", u32::from(character), self.rule),
            None => f.write_str(self.rule),
        }
    }
}

/// The one form of a text.
pub fn normal(text: &str) -> Zeroizing<String> {
    // 1. to 4. characters that show nothing, tatweel, digits, presentation forms
    let mut plain = Zeroizing::new(String::with_capacity(text.len()));
    for c in text.chars() {
        match digit(c) {
            Some(digit) => plain.push(digit),
            None if c == TATWEEL || is_invisible(c) => {}
            None if is_presentation(c) => push_shown(&mut plain, c),
            None => plain.push(c),
        }
    }
    // 5. composed
    let composed = Zeroizing::new(ComposingNormalizerBorrowed::new_nfc().normalize(&plain).into_owned());
    // 6. spaces
    let mut out = Zeroizing::new(String::with_capacity(composed.len()));
    for word in composed.split(is_space).filter(|word| !word.is_empty()) {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

/// Why a text is not in its one form; none when it is.
pub fn fault(text: &str) -> Option<Fault> {
    let normal = normal(text);
    if *normal == text {
        return None;
    }
    let own = |(n, c): (usize, char)| rule_of(c).map(|rule| Fault::at(n, c, rule));
    if let Some(fault) = text.chars().enumerate().find_map(own) {
        return Some(fault);
    }
    let differs = text.chars().enumerate().zip(normal.chars()).find(|((_, typed), kept)| typed != kept);
    Some(match differs {
        Some(((n, ' '), _)) => Fault::at(n, ' ', SPACES),
        Some(((n, c), _)) => Fault::at(n, c, "letters and marks are composed (NFC)"),
        None => Fault::whole(SPACES),
    })
}

/// The first control character or line break of a text.
pub(super) fn control(text: &str) -> Option<Fault> {
    let breaks = |(_, c): &(usize, char)| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    text.chars().enumerate().find(breaks).map(|(n, c)| Fault::at(n, c, "one line without control characters"))
}

const TATWEEL: char = '\u{640}';
const SPACES: &str = "one plain space between words, none at the ends";

fn rule_of(c: char) -> Option<&'static str> {
    match c {
        TATWEEL => Some("no tatweel"),
        ' ' => None,
        c if digit(c).is_some() => Some("digits are 0 to 9"),
        c if is_invisible(c) => Some("no character that shows nothing"),
        c if is_presentation(c) => Some("plain letters, no presentation forms"),
        c if is_space(c) => Some(SPACES),
        _ => None,
    }
}

/// The ASCII digit that a digit of Arabic texts means.
pub(crate) fn digit(c: char) -> Option<char> {
    let value = match c {
        '\u{660}'..='\u{669}' => u32::from(c) - 0x660,
        '\u{6f0}'..='\u{6f9}' => u32::from(c) - 0x6f0,
        _ => return None,
    };
    char::from_digit(value, 10)
}

fn is_invisible(c: char) -> bool {
    // interlinear annotation shows nothing either, and the property leaves it out
    CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c) || matches!(c, '\u{fff9}'..='\u{fffb}')
}

fn is_space(c: char) -> bool {
    CodePointMapData::<GeneralCategory>::new().get(c) == GeneralCategory::SpaceSeparator
}

/// Arabic Presentation Forms A and B, Latin ligatures: shapes of letters, as copied from a printed page.
pub(super) const fn is_presentation(c: char) -> bool {
    matches!(c, '\u{fb00}'..='\u{fb06}' | '\u{fb50}'..='\u{fdfc}' | '\u{fe70}'..='\u{fefc}')
}

fn push_shown(out: &mut String, c: char) {
    let mut shown = DecomposingNormalizerBorrowed::new_nfkd().normalize_iter(std::iter::once(c)).peekable();
    // a mark by itself is shown on a space, or on a tatweel
    let alone = matches!(shown.peek(), Some(' '));
    out.extend(shown.filter(|c| *c != TATWEEL && !(alone && *c == ' ')));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_row_of_the_table_is_kept() {
        for (typed, kept) in [
            ("\u{202b}ف\u{200d}اطمة\u{202c}\u{feff}", "فاطمة"),
            ("محمـــد", "محمد"),
            ("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹", "01234567890123456789"),
            ("ﻣﺤﻤﺪ ﻻ ﬁ", "محمد لا fi"),
            ("ب\u{fe70}\u{fe71}", "ب\u{64b}\u{64b}"),
            ("e\u{301} ا\u{654}", "é أ"),
            ("\u{a0} Ben\u{2003}\u{202f} Ali \u{3000}", "Ben Ali"),
            (" ", ""),
            ("\u{34f}e\u{34f}\u{301}", "é"),
        ] {
            assert_eq!(*normal(typed), kept, "{typed:?}");
            assert!(fault(typed).is_some() && fault(kept).is_none(), "{typed:?}");
        }
    }

    #[test]
    fn a_fault_is_named_by_place_and_code_point() {
        for (typed, said) in [
            ("Ali\u{200f}", "character 4 (U+200F): no character that shows nothing"),
            ("Ben  Ali", "character 5 (U+0020): one plain space between words, none at the ends"),
            ("Ali ", "one plain space between words, none at the ends"),
            (" Ali", "character 1 (U+0020): one plain space between words, none at the ends"),
            ("Ben\u{a0}Ali", "character 4 (U+00A0): one plain space between words, none at the ends"),
            ("Rene\u{301}", "character 4 (U+0065): letters and marks are composed (NFC)"),
            ("١٢", "character 1 (U+0661): digits are 0 to 9"),
        ] {
            assert_eq!(fault(typed).map(|fault| fault.to_string()).as_deref(), Some(said), "{typed:?}");
        }
        assert_eq!(control("a\u{2028}").map(|fault| fault.at), Some(Some((2, '\u{2028}'))));
        assert_eq!(*normal("a\tb\n"), "a\tb\n", "refused, not mended");
    }

    proptest::proptest! {
        #[test]
        fn what_is_normal_stays(text in "\\PC{0,12}|[\u{600}-\u{6ff}\u{200b}-\u{200f} \u{fb50}-\u{fdff}\u{fe70}-\u{fefc}]{0,12}") {
            let once = normal(&text);
            proptest::prop_assert_eq!(&*normal(&once), &*once);
            proptest::prop_assert!(fault(&once).is_none());
        }
    }
}
