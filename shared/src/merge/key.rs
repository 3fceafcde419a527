//! Match keys: which `new` records speak of the same person.
//!
//! | kind | of | meets |
//! |---|---|---|
//! | `number` | the national number | itself |
//! | `both` | the names of both scripts | itself |
//! | `one` | the name of the only script that is there | `one`, `also` |
//! | `also` | the name of one script, where the other one is there, too | `one` |
//! | `person` | rules 2: the Arabic name, else the Latin one | itself |
//!
//! A record with a national number stands under that and nothing else. Any other stands under its names, each with date of birth, sex and
//! place of birth. Two who have both scripts meet when both agree; two of whom one has a single script meet in that one. So there are up
//! to three keys, and `also` never meets `also`.
//!
//! A date that is not whole says little, and 1 January is what registries write when only the year is known: it counts as its year. Then
//! both scripts and a parent must be there, and the parent is part of the key. A name of one letter, or of one letter over and over,
//! is a placeholder: its script counts as not there. Somebody without a key stands alone.
//!
//! **Invariants:** the rules' version stands in each digest; keys are hashed, so that indexes and locks hold no personal data.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use sha2::{Digest as _, Sha256};

use super::{folding, folding_v2};
use crate::{rules::Rules, text::hex};

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

const KINDS: [&str; 5] = ["number", "both", "one", "also", "person"];

/// Are two values of a field the same after folding?
pub(super) fn same(rules: Rules, field: &str, a: &str, b: &str) -> bool {
    fold_of(rules, field, a) == fold_of(rules, field, b)
}

fn fold_of(rules: Rules, field: &str, value: &str) -> String {
    match (rules, field) {
        (_, "national_number") => folded_number(rules, value),
        (Rules::V2, _) if field.ends_with("_ar") => folding_v2::arabic(value),
        (Rules::V2, _) if field.ends_with("_latin") => folding_v2::latin(value),
        (Rules::V3, _) if ["_ar", "_latin", "_tifinagh"].iter().any(|script| field.ends_with(script)) => folding::fold(value),
        _ => folding_v2::spaced(&value.to_lowercase()),
    }
}

fn folded_number(rules: Rules, number: &str) -> String {
    match rules {
        Rules::V2 => folding_v2::number(number),
        Rules::V3 => folding::number(number),
    }
}

type Fields = BTreeMap<String, Option<String>>;

fn field<'a>(person: &'a Fields, name: &str) -> Option<&'a str> {
    person.get(name).and_then(Option::as_deref).filter(|v| !v.trim().is_empty())
}

/// Do these fields hold a national number? Strokes and dots alone are none: they would make one person of all who have none.
pub fn has_number(person: &Fields) -> bool {
    field(person, "national_number").is_some_and(|n| n.contains(char::is_alphanumeric))
}

/// Something under which somebody stands.
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
        let known = s.split_once('-').filter(|(kind, _)| KINDS.contains(kind));
        let digest = known.and_then(|(_, digest)| crate::text::unhex::<32>(digest));
        if digest.is_some() { Ok(Self(s.to_owned())) } else { Err(crate::id::IdError("match key")) }
    }
}

impl MatchKey {
    /// The key of a national number.
    pub fn of_number(rules: Rules, number: &str) -> Self {
        Self::of("number", rules, &["number", &folded_number(rules, number)])
    }

    fn of(kind: &str, rules: Rules, parts: &[&str]) -> Self {
        let mut hash = Sha256::new_with_prefix(format!("enroll-match/v1\nrules {rules}\n"));
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        Self(format!("{kind}-{}", hex(&hash.finalize())))
    }

    /// Under which keys those stand whom one who stands under this meets.
    pub fn meets(&self) -> Vec<Self> {
        let other = |kind: &str, digest: &str| Self(format!("{kind}-{digest}"));
        match self.0.split_once('-') {
            Some(("one", digest)) => vec![self.clone(), other("also", digest)],
            Some(("also", digest)) => vec![other("one", digest)],
            _ => vec![self.clone()],
        }
    }
}

/// Under what a person of these fields stands.
pub fn keys(rules: Rules, person: &Fields) -> BTreeSet<MatchKey> {
    if has_number(person) {
        return field(person, "national_number").map(|number| MatchKey::of_number(rules, number)).into_iter().collect();
    }
    let keys = match rules {
        Rules::V2 => person_v2(person).map(|key| vec![key]),
        Rules::V3 => by_names(person),
    };
    keys.unwrap_or_default().into_iter().collect()
}

fn by_names(person: &Fields) -> Option<Vec<MatchKey>> {
    let rules = Rules::V3;
    let (birth, sex, place) = (field(person, "date_of_birth")?, field(person, "sex")?, field(person, "place_of_birth")?);
    let key = |kind: &str, what: &str, names: &[&str]| MatchKey::of(kind, rules, &[&[what, birth_of(birth), sex, place], names].concat());
    let (arabic, latin) = (name_in(person, "ar"), name_in(person, "latin"));
    Some(match (&arabic, &latin, is_whole(birth)) {
        (Some(arabic), Some(latin), true) => {
            vec![key("both", "both", &[arabic, latin]), key("also", "ar", &[arabic]), key("also", "latin", &[latin])]
        }
        (Some(arabic), Some(latin), false) => vec![key("both", "parent", &[arabic, latin, &parent(person)?])],
        (Some(arabic), None, true) => vec![key("one", "ar", &[arabic])],
        (None, Some(latin), true) => vec![key("one", "latin", &[latin])],
        _ => return None,
    })
}

/// Given and family name in a script, folded; none where one is not there, or is a placeholder.
fn name_in(person: &Fields, script: &str) -> Option<String> {
    let part = |name: &str| field(person, &format!("{name}_{script}")).map(folding::fold).filter(|folded| says_something(folded));
    Some(format!("{}|{}", part("given")?, part("family")?))
}

/// More than one letter, and not the same over and over.
fn says_something(folded: &str) -> bool {
    folded.chars().any(|c| !folded.starts_with(c))
}

fn parent(person: &Fields) -> Option<String> {
    let names = ["father_ar", "father_latin", "mother_ar", "mother_latin"];
    names.iter().find_map(|name| field(person, name).map(folding::fold).filter(|folded| says_something(folded)))
}

/// Is the day known? 1 January is what is written when it is not.
pub(super) fn is_whole(birth: &str) -> bool {
    birth.len() == "1980-05-17".len() && !birth.ends_with("-01-01")
}

fn birth_of(birth: &str) -> &str {
    birth.strip_suffix("-01-01").unwrap_or(birth)
}

/// With a partial date only when both scripts of the name and a parent are there, and then with the parent.
fn person_v2(person: &Fields) -> Option<MatchKey> {
    use folding_v2::{arabic, latin};
    let field = |name: &str| field(person, name);
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
    Some(MatchKey::of("person", Rules::V2, &parts.iter().map(String::as_str).collect::<Vec<_>>()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(fields: &[(&str, &str)]) -> Fields {
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

    /// The same person with other values; an empty one goes.
    fn with(changes: &[(&str, &str)]) -> Fields {
        let mut fields = person(&FULL);
        for (name, value) in changes {
            fields.insert((*name).to_owned(), (!value.is_empty()).then(|| (*value).to_owned()));
        }
        fields
    }

    /// Do two meet?
    fn meet(rules: Rules, one: &Fields, other: &Fields) -> bool {
        let meets = |one, other| keys(rules, one).iter().flat_map(MatchKey::meets).any(|key| keys(rules, other).contains(&key));
        assert_eq!(meets(one, other), meets(other, one), "whoever comes second");
        meets(one, other)
    }

    const NO_ARABIC: [(&str, &str); 2] = [("given_ar", ""), ("family_ar", "")];
    const NO_LATIN: [(&str, &str); 2] = [("given_latin", ""), ("family_latin", "")];

    #[test]
    fn numbers_are_keys() {
        for rules in Rules::ALL {
            let number = keys(rules, &person(&[("national_number", "ab 12-3")]));
            assert_eq!(number, [MatchKey::of_number(rules, "AB123")].into());
            assert_ne!(number, [MatchKey::of_number(rules, "AB124")].into());
            assert_eq!(keys(rules, &person(&[("national_number", "--/--")])), BTreeSet::new());
        }
        assert_eq!(MatchKey::of_number(Rules::V3, "AB١٢٣"), MatchKey::of_number(Rules::V3, "AB123"));
    }

    #[test]
    fn keys_read_as_printed() {
        for key in Rules::ALL.into_iter().flat_map(|rules| keys(rules, &with(&[]))) {
            assert_eq!(key.to_string().parse(), Ok(key));
        }
        for bad in ["", "both", "other-00", "one-00", &format!("two-{}", "0".repeat(64))] {
            assert!(bad.parse::<MatchKey>().is_err(), "{bad}");
        }
    }

    #[test]
    fn two_with_both_scripts_meet_when_both_agree() {
        let rules = Rules::V3;
        assert!(meet(rules, &with(&[]), &with(&[("given_ar", "فاطمه"), ("family_ar", "ال ادريسى"), ("family_latin", "AL IDRISSI")])));
        let other_latin = with(&[("given_latin", "Khadija"), ("family_latin", "Amrani")]);
        assert!(!meet(rules, &with(&[]), &other_latin), "one Arabic spelling, other Latin names");
        assert!(meet(Rules::V2, &with(&[]), &other_latin), "which rules 2 took for one");
        for changed in [("date_of_birth", "1980-05-18"), ("sex", "m"), ("place_of_birth", "04-018")] {
            assert!(!meet(rules, &with(&[]), &with(&[changed])));
        }
    }

    #[test]
    fn one_with_a_single_script_meets_in_that_one() {
        let rules = Rules::V3;
        let (both, arabic, latin) = (with(&[]), with(&NO_LATIN), with(&NO_ARABIC));
        assert!(meet(rules, &both, &arabic) && meet(rules, &both, &latin));
        assert!(meet(rules, &arabic, &arabic) && meet(rules, &latin, &latin));
        assert!(!meet(rules, &arabic, &latin), "they share nothing that could agree");
        assert!(!meet(Rules::V2, &both, &latin), "which rules 2 missed");
    }

    #[test]
    fn a_partial_date_needs_both_scripts_and_a_parent() {
        for partial in ["1980-05", "1980", "1980-01-01"] {
            let born = |changes: &[(&str, &str)]| with(&[&[("date_of_birth", partial)], changes].concat());
            let father = ("father_ar", "أحمد");
            assert_eq!(keys(Rules::V3, &born(&[])), BTreeSet::new());
            assert!(meet(Rules::V3, &born(&[father]), &born(&[("father_ar", "احمد")])));
            assert!(!meet(Rules::V3, &born(&[father]), &born(&[("father_ar", "إدريس")])), "a father tells two of one month apart");
            assert_eq!(keys(Rules::V3, &born(&[&NO_LATIN[..], &[father]].concat())), BTreeSet::new());
        }
        let born = |date| with(&[("date_of_birth", date), ("mother_latin", "Itto")]);
        assert!(meet(Rules::V3, &born("1980"), &born("1980-01-01")), "1 January is its year");
        assert!(!meet(Rules::V3, &born("1980"), &born("1980-01")));
    }

    #[test]
    fn placeholders_make_no_key() {
        for (name, value) in [("family_latin", "X"), ("given_latin", "."), ("family_latin", "XXX"), ("given_latin", "A'")] {
            let placed = with(&[(name, value)]);
            assert_eq!(keys(Rules::V3, &placed), keys(Rules::V3, &with(&NO_LATIN)), "{value}: as if the script was not there");
            let alone = with(&[&NO_ARABIC[..], &[(name, value)]].concat());
            assert_eq!(keys(Rules::V3, &alone), BTreeSet::new(), "{value}");
        }
        assert_eq!(keys(Rules::V3, &with(&[("place_of_birth", "")])), BTreeSet::new());
    }

    #[test]
    fn rules_2_are_frozen() {
        let key = |changes: &[(&str, &str)]| keys(Rules::V2, &with(changes)).pop_first().map(|key| key.to_string());
        assert_eq!(key(&[]).as_deref(), Some("person-b32a0e78435cb7d4187867babf0d3a9048a6344a0a2119a53cf91f0544f31d70"));
        assert_eq!(key(&[]), key(&[("given_ar", "فاطمه"), ("family_ar", "الادريسي")]), "spelling does not matter");
        assert_eq!(key(&[("date_of_birth", "1980-05")]), None);
        assert!(key(&[("date_of_birth", "1980-05"), ("father_ar", "أحمد")]).is_some());
    }
}
