//! Match keys: which `new` records speak of the same person.
//!
//! A record has exactly one key: its national number when it has one; else a hash of normalised names, date of
//! birth, sex and place of birth. With a partial date only when both scripts of the name and a parent are there,
//! and then with the parent; else none, and the record stands alone.
//!
//! Normalisation, rules version 2. Arabic: marks and tatweel removed; أ إ آ ٱ → ا, ى ئ → ي, ؤ → و, ة → ه; presentation
//! forms are not folded. Latin: lower case, diacritics removed by table, all but letters and digits removed.
//! Both: runs of white space are one space, none at the ends.

use std::{collections::BTreeMap, fmt};

use sha2::{Digest as _, Sha256};

use crate::text::hex;

/// Version of the rules and tables of this module and of the fold.
pub const RULES: u32 = 2;

/// Fields that a match key may read: who somebody is.
pub const IDENTITY: [&str; 12] = [
    "national_number",
    "given_ar",
    "family_ar",
    "given_latin",
    "family_latin",
    "date_of_birth",
    "sex",
    "place_of_birth",
    "father_ar",
    "father_latin",
    "mother_ar",
    "mother_latin",
];

/// Are two values of a field the same after folding?
pub(super) fn same(field: &str, a: &str, b: &str) -> bool {
    fold_of(field, a) == fold_of(field, b)
}

fn fold_of(field: &str, value: &str) -> String {
    match field {
        "national_number" => folded_number(value),
        _ if field.ends_with("_ar") => arabic(value),
        _ if field.ends_with("_latin") => latin(value),
        _ => spaced(&value.to_lowercase()),
    }
}

fn folded_number(number: &str) -> String {
    number.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect()
}

/// Do these fields hold a national number? Strokes and dots alone are none.
pub fn has_number(person: &BTreeMap<String, Option<String>>) -> bool {
    let number = person.get("national_number").and_then(Option::as_deref);
    number.is_some_and(|n| n.contains(char::is_alphanumeric))
}

/// Which group a `new` record founds or joins.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MatchKey(String);

impl fmt::Display for MatchKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for MatchKey {
    type Err = crate::id::IdError;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let digest = s.strip_prefix("number-").or_else(|| s.strip_prefix("person-")).and_then(crate::text::unhex::<32>);
        if digest.is_some() { Ok(Self(s.to_owned())) } else { Err(crate::id::IdError("match key")) }
    }
}

impl MatchKey {
    /// The key of a national number. Hashed, so that indexes and locks hold no personal data.
    pub fn of_number(number: &str) -> Self {
        Self(format!("number-{}", digest(&["number", &folded_number(number)])))
    }

    /// The key of a new resident's fields.
    pub fn of(person: &BTreeMap<String, Option<String>>) -> Option<Self> {
        let field = |name: &str| person.get(name).and_then(Option::as_deref).filter(|v| !v.trim().is_empty());
        // strokes and dots alone are no number: they would make one person of all who have none
        if let Some(number) = field("national_number").filter(|n| n.contains(char::is_alphanumeric)) {
            return Some(Self::of_number(number));
        }
        let pair = |given: &str, family: &str, fold: fn(&str) -> String| Some(format!("{}|{}", fold(field(given)?), fold(field(family)?)));
        let arabic_name = pair("given_ar", "family_ar", arabic);
        let latin_name = pair("given_latin", "family_latin", latin);
        let (birth, sex, place) = (field("date_of_birth")?, field("sex")?, field("place_of_birth")?);
        let mut parts = vec!["person".to_owned(), birth.to_owned(), sex.to_owned(), place.to_owned()];
        if birth.len() < "1980-05-17".len() {
            let father = field("father_ar").map(arabic).or_else(|| field("father_latin").map(latin));
            let mother = field("mother_ar").map(arabic).or_else(|| field("mother_latin").map(latin));
            if arabic_name.is_none() || latin_name.is_none() {
                return None;
            }
            parts.push(father.or(mother)?);
        }
        // one script is enough with a full date, and then only that one is compared
        parts.push(arabic_name.or(latin_name)?);
        Some(Self(format!("person-{}", digest(&parts.iter().map(String::as_str).collect::<Vec<_>>()))))
    }
}

fn digest(parts: &[&str]) -> String {
    let mut hash = Sha256::new_with_prefix(format!("enroll-match/v1\nrules {RULES}\n"));
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hex(&hash.finalize())
}

/// Folds Arabic script.
pub(super) fn arabic(text: &str) -> String {
    let folded = text.chars().filter_map(|c| match c {
        '\u{610}'..='\u{61a}' | '\u{640}' | '\u{64b}'..='\u{65f}' | '\u{670}' | '\u{6d6}'..='\u{6ed}' => None,
        'أ' | 'إ' | 'آ' | 'ٱ' => Some('ا'),
        'ى' | 'ئ' => Some('ي'),
        'ؤ' => Some('و'),
        'ة' => Some('ه'),
        other => Some(other),
    });
    spaced(&folded.collect::<String>())
}

/// Folds Latin script.
pub(super) fn latin(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars().flat_map(char::to_lowercase) {
        match c {
            'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' | 'ā' | 'ă' => out.push('a'),
            'ç' | 'ć' | 'č' => out.push('c'),
            'ḍ' | 'ď' | 'đ' => out.push('d'),
            'è' | 'é' | 'ê' | 'ë' | 'ē' => out.push('e'),
            'ġ' | 'ğ' => out.push('g'),
            'ḥ' | 'ħ' => out.push('h'),
            'ì' | 'í' | 'î' | 'ï' | 'ī' | 'ı' => out.push('i'),
            'ñ' | 'ń' => out.push('n'),
            'ò' | 'ó' | 'ô' | 'õ' | 'ö' | 'ō' => out.push('o'),
            'ṣ' | 'š' | 'ş' => out.push('s'),
            'ṭ' | 'ţ' => out.push('t'),
            'ù' | 'ú' | 'û' | 'ü' | 'ū' => out.push('u'),
            'ý' | 'ÿ' => out.push('y'),
            'ẓ' | 'ž' | 'ż' => out.push('z'),
            'œ' => out.push_str("oe"),
            'æ' => out.push_str("ae"),
            c if c.is_alphanumeric() => out.push(c),
            c if c.is_whitespace() => out.push(' '),
            _ => {}
        }
    }
    spaced(&out)
}

fn spaced(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(fields: &[(&str, &str)]) -> BTreeMap<String, Option<String>> {
        fields.iter().map(|&(k, v)| (k.to_owned(), Some(v.to_owned()))).collect()
    }

    const FULL: [(&str, &str); 7] = [
        ("given_ar", "فَاطِمَة"),
        ("family_ar", "الإدريسي"),
        ("given_latin", "Fāṭima"),
        ("family_latin", "El-Idrissi"),
        ("date_of_birth", "1980-05-17"),
        ("sex", "f"),
        ("place_of_birth", "04-017"),
    ];

    #[test]
    fn folding_is_pinned() {
        assert_eq!(arabic("  فَاطِمَة   الزهراءـ "), "فاطمه الزهراء");
        assert_eq!(arabic("أحمد إدريس آمنة يحيى"), "احمد ادريس امنه يحيي");
        assert_eq!(latin("El-Idrïssi  O'Çélik"), "elidrissi ocelik");
    }

    #[test]
    fn each_letter_of_the_tables_folds() {
        assert_eq!(arabic("أإآٱ ىئ ؤ ة"), "اااا يي و ه");
        assert_eq!(arabic("ب\u{610}\u{61a}\u{640}\u{64b}\u{65f}\u{670}\u{6d6}\u{6ed}ت"), "بت");
        for (folded, letters) in [
            ("a", "àáâãäåāă"),
            ("c", "çćč"),
            ("d", "ḍďđ"),
            ("e", "èéêëē"),
            ("g", "ġğ"),
            ("h", "ḥħ"),
            ("i", "ìíîïīı"),
            ("n", "ñń"),
            ("o", "òóôõöō"),
            ("s", "ṣšş"),
            ("t", "ṭţ"),
            ("u", "ùúûüū"),
            ("y", "ýÿ"),
            ("z", "ẓžż"),
            ("oe", "œ"),
            ("ae", "æ"),
        ] {
            for letter in letters.chars() {
                assert_eq!(latin(&letter.to_string()), folded, "{letter}");
            }
        }
    }

    #[test]
    fn keys_are_pinned() {
        let number = MatchKey::of(&person(&[("national_number", "ab 12-3")])).expect("a number");
        assert_eq!(number, MatchKey::of_number("AB123"));
        assert_ne!(number, MatchKey::of_number("AB124"));
        assert!(number.to_string().starts_with("number-"), "{number}");
        assert_eq!(MatchKey::of(&person(&[("national_number", "--/--")])), None);
        let spelled = person(&FULL);
        let mut other = FULL;
        other[0].1 = "فاطمه";
        other[1].1 = "الادريسي";
        assert_eq!(MatchKey::of(&spelled), MatchKey::of(&person(&other)), "spelling does not matter");
        other[4].1 = "1980-05-18";
        assert_ne!(MatchKey::of(&spelled), MatchKey::of(&person(&other)));
    }

    #[test]
    fn a_partial_date_needs_both_scripts_and_a_parent() {
        let mut partial = FULL.to_vec();
        partial[4].1 = "1980-05";
        assert_eq!(MatchKey::of(&person(&partial)), None);
        partial.push(("father_ar", "أحمد"));
        let with_father = MatchKey::of(&person(&partial)).expect("a father tells two of one month apart");
        partial[7].1 = "إدريس";
        assert_ne!(MatchKey::of(&person(&partial)), Some(with_father));
        let arabic_only: Vec<_> = partial.iter().copied().filter(|(k, _)| !k.ends_with("latin")).collect();
        assert_eq!(MatchKey::of(&person(&arabic_only)), None);
        assert!(MatchKey::of(&person(&FULL[2..])).is_some(), "one script is enough with a full date");
        let no_place: Vec<_> = FULL.iter().copied().filter(|(k, _)| *k != "place_of_birth").collect();
        assert_eq!(MatchKey::of(&person(&no_place)), None);
    }
}
