//! Likeness that no rule judges: a number in one only, swapped names, day and month, partial dates. Hints for staff, never a hold.
//!
//! What is known of a resident gives some digests, each with the way in which it was made. Two residents who share a digest are alike
//! in the way that the two labels say together.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use super::{
    folding::fold,
    key::{has_number, is_whole},
};

/// How a digest was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Likeness {
    /// Of names, birth, sex and place of somebody who has a national number.
    Number,
    /// The same of somebody who has none.
    NoNumber,
    /// As it is written.
    Plain,
    /// Of names in one script, birth, sex and place of somebody who has both scripts and no number.
    OneScript,
    /// With given and family name in each other's place.
    Swapped,
    /// With day and month of birth in each other's place.
    DayAndMonth,
    /// Of a date of birth of which only the year, or year and month, is known; 1 January counts as its year.
    Partial,
}

/// The digests of what is known of somebody.
pub fn likenesses(person: &BTreeMap<String, Option<String>>) -> Vec<([u8; 16], Likeness)> {
    let field = |name: &str| person.get(name).and_then(Option::as_deref).filter(|v| !v.trim().is_empty());
    let Some(birth) = field("date_of_birth") else { return Vec::new() };
    let (sex, place) = (field("sex").unwrap_or_default(), field("place_of_birth").unwrap_or_default());
    let mut found = Vec::new();
    let has_both = ["given_ar", "family_ar", "given_latin", "family_latin"].iter().all(|name| field(name).is_some());
    for script in ["ar", "latin"] {
        let (Some(given), Some(family)) = (field(&format!("given_{script}")), field(&format!("family_{script}"))) else { continue };
        let (given, family) = (fold(given), fold(family));
        let numbered = if has_number(person) { Likeness::Number } else { Likeness::NoNumber };
        found.push((digest(&["person", script, &given, &family, birth, sex, place]), numbered));
        if has_both && numbered == Likeness::NoNumber {
            found.push((digest(&["one script", script, &given, &family, birth, sex, place]), Likeness::OneScript));
        }
        let plain = |given: &str, family: &str, birth: &str| digest(&["plain", script, given, family, birth, sex]);
        found.push((plain(&given, &family, birth), Likeness::Plain));
        if given != family {
            found.push((plain(&family, &given, birth), Likeness::Swapped));
        }
        if let Some(turned) = turned(birth) {
            found.push((plain(&given, &family, &turned), Likeness::DayAndMonth));
        }
        let year: String = birth.chars().take(4).collect();
        found.push((
            digest(&["year", script, &given, &family, &year, sex]),
            if is_whole(birth) { Likeness::Plain } else { Likeness::Partial },
        ));
    }
    found
}

/// A date with day and month in each other's place, where that is another date.
fn turned(date: &str) -> Option<String> {
    let [year, month, day] = date.split('-').collect::<Vec<_>>()[..] else { return None };
    let other = month != day && day.parse::<u8>().is_ok_and(|day| (1..=12).contains(&day));
    other.then(|| format!("{year}-{day}-{month}"))
}

fn digest(parts: &[&str]) -> [u8; 16] {
    let mut hash = Sha256::new_with_prefix("enroll-likeness/v1\n");
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize()[..16].try_into().expect("32 bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(pairs: &[(&str, &str)]) -> BTreeMap<String, Option<String>> {
        let mut person: BTreeMap<String, Option<String>> =
            [("given_latin", "Itto"), ("family_latin", "Haddad"), ("date_of_birth", "1980-05-07"), ("sex", "f"), ("place_of_birth", "04")]
                .map(|(k, v)| (k.to_owned(), Some(v.to_owned())))
                .into();
        person.extend(pairs.iter().map(|&(k, v)| (k.to_owned(), Some(v.to_owned()))));
        person
    }

    /// In which ways two are alike.
    fn alike(one: &[(&str, &str)], other: &[(&str, &str)]) -> Vec<(Likeness, Likeness)> {
        let (one, other) = (likenesses(&person(one)), likenesses(&person(other)));
        one.iter().flat_map(|(a, how)| other.iter().filter(move |(b, _)| a == b).map(move |(_, other)| (*how, *other))).collect()
    }

    #[test]
    fn each_way_of_being_alike_is_seen() {
        use Likeness::{DayAndMonth, NoNumber, Number, OneScript, Partial, Plain, Swapped};
        assert!(alike(&[("national_number", "A1")], &[]).contains(&(Number, NoNumber)));
        assert!(alike(&[("national_number", "A1")], &[("national_number", "A2")]).contains(&(Number, Number)));
        assert!(alike(&[], &[("given_latin", "Haddad"), ("family_latin", "ITTO")]).contains(&(Plain, Swapped)));
        assert!(alike(&[], &[("date_of_birth", "1980-07-05")]).contains(&(Plain, DayAndMonth)));
        assert!(alike(&[], &[("date_of_birth", "1980")]).contains(&(Plain, Partial)));
        assert!(alike(&[], &[("date_of_birth", "1980-05")]).contains(&(Plain, Partial)));
        assert!(alike(&[], &[("date_of_birth", "1980-01-01")]).contains(&(Plain, Partial)));
        let arabic = |given| [("given_ar", given), ("family_ar", "حداد")];
        assert!(alike(&arabic("إيطو"), &arabic("فاطمة")).contains(&(OneScript, OneScript)));
        assert_eq!(alike(&[], &[("given_latin", "Fatima")]), vec![]);
        assert_eq!(alike(&[], &[("date_of_birth", "1981-05-07")]), vec![]);
    }
}
