//! Code lists: what a field takes when it takes one of many known things, such as a commune or a country.
//!
//! ```text
//! "lists":{"place":{"credit":"…","codes":[["01","طنجة-تطوان-الحسيمة","Tanger-Tétouan-Al Hoceima"],["01.511",…],…]},…},
//! "codes":{"place_of_birth":["place","country","unknown"],…}
//! ```
//!
//! A row is a code, its Arabic, its French name and, where that is another, its English one. A code that goes on another one after a
//! dot lies within it: `01.511.01.01` within `01.511`.
//!
//! **Trust:** the form's, of which a list is a part. **Invariants:** a code stands once in its list, and in one list of a field; names
//! are in the one form of typed text; what is found is found under each of its names, folded as names of people are.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{
    schema::{Field, wrong},
    typed,
};
use crate::{
    merge::folding,
    problem::{Code as ProblemCode, Lang, Problem},
    record::json::only_objects,
};

/// Most codes of a form.
const MAX_CODES: usize = 20_000;
/// Longest code and longest name, in bytes.
const MAX_CODE: usize = 32;
const MAX_NAME: usize = 240;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, remote = "Self")]
pub(super) struct FileList {
    credit: String,
    codes: Vec<Vec<String>>,
}

only_objects!(FileList);

/// One code of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    code: String,
    ar: String,
    fr: String,
    en: Option<String>,
}

impl Listed {
    /// What a record holds.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// Its name in a language.
    pub fn say(&self, lang: Lang) -> &str {
        match lang {
            Lang::Ar => &self.ar,
            Lang::Fr => &self.fr,
            Lang::En => self.en.as_ref().unwrap_or(&self.fr),
        }
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        [&self.ar, &self.fr].into_iter().chain(&self.en).map(String::as_str)
    }

    /// Codes within which this one lies, the nearest first.
    fn within(&self) -> impl Iterator<Item = &str> {
        let dots = self.code.rmatch_indices('.');
        dots.map(|(dot, _)| &self.code[..dot])
    }
}

/// A list, by its codes.
#[derive(Debug)]
pub struct CodeList {
    credit: String,
    codes: BTreeMap<String, Listed>,
}

impl CodeList {
    /// Who made what stands in it.
    pub fn credit(&self) -> &str {
        &self.credit
    }

    /// All of it, in the order of the codes.
    pub fn iter(&self) -> impl Iterator<Item = &Listed> {
        self.codes.values()
    }

    fn find(&self, code: &str) -> Option<&Listed> {
        self.codes.get(code)
    }

    /// A name, and that of the nearest code within which it lies.
    fn told(&self, listed: &Listed, lang: Lang) -> String {
        match listed.within().find_map(|code| self.find(code)) {
            Some(around) => format!("{}, {}", listed.say(lang), around.say(lang)),
            None => listed.say(lang).to_owned(),
        }
    }

    fn read(name: &str, file: FileList) -> Result<Self, Problem> {
        let mut codes = BTreeMap::new();
        for row in file.codes {
            let listed = listed(row).ok_or_else(|| wrong(&format!("list {name}: a row that is not code, Arabic, French, English")))?;
            if let Some(twice) = codes.insert(listed.code.clone(), listed) {
                return Err(wrong(&format!("list {name}: {} stands twice", twice.code)));
            }
        }
        if codes.is_empty() { Err(wrong(&format!("list {name} is empty"))) } else { Ok(Self { credit: file.credit, codes }) }
    }
}

/// A row of a list.
fn listed(row: Vec<String>) -> Option<Listed> {
    let is_name = |name: &String| !name.is_empty() && name.len() <= MAX_NAME && typed::fault(name).is_none();
    let mut row = row.into_iter();
    let (code, ar, fr, en) = (row.next()?, row.next()?, row.next()?, row.next());
    let fits = row.next().is_none() && is_code(&code) && [&ar, &fr].into_iter().chain(&en).all(is_name);
    fits.then_some(Listed { code, ar, fr, en })
}

fn is_code(code: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
    (1..=MAX_CODE).contains(&code.len()) && code.starts_with(|c: char| c.is_ascii_alphanumeric()) && code.chars().all(inner)
}

/// The lists of a form, and which fields take a code of which.
#[derive(Debug, Default)]
pub(super) struct Codes {
    lists: BTreeMap<String, CodeList>,
    fields: BTreeMap<String, Vec<String>>,
}

impl Codes {
    pub(super) fn read(
        lists: BTreeMap<String, FileList>,
        fields: BTreeMap<String, Vec<String>>,
        known: &BTreeMap<String, Field>,
    ) -> Result<Self, Problem> {
        if lists.values().map(|list| list.codes.len()).sum::<usize>() > MAX_CODES {
            return Err(wrong(&format!("more than {MAX_CODES} codes")));
        }
        let lists = lists.into_iter().map(|(name, list)| Ok((name.clone(), CodeList::read(&name, list)?)));
        let codes = Self { lists: lists.collect::<Result<_, Problem>>()?, fields };
        codes.agree(known)?;
        Ok(codes)
    }

    fn agree(&self, known: &BTreeMap<String, Field>) -> Result<(), Problem> {
        for (field, names) in &self.fields {
            let lists: Option<Vec<&CodeList>> = names.iter().map(|name| self.lists.get(name)).collect();
            let lists = lists.filter(|lists| !lists.is_empty() && known.contains_key(field));
            let lists = lists.ok_or_else(|| wrong(&format!("codes of {field}: an unknown field, or a list that is not there")))?;
            let (all, mut distinct) = (lists.iter().flat_map(|list| list.codes.keys()), std::collections::BTreeSet::new());
            for code in all {
                if !distinct.insert(code) {
                    return Err(wrong(&format!("codes of {field}: {code} stands in two lists")));
                }
            }
        }
        let used = |name: &String| self.fields.values().flatten().any(|used| used == name);
        match self.lists.keys().find(|name| !used(name)) {
            Some(name) => Err(wrong(&format!("no field takes a code of the list {name}"))),
            None => Ok(()),
        }
    }

    fn of(&self, field: &str) -> Option<impl Iterator<Item = &CodeList>> {
        let names = self.fields.get(field)?;
        Some(names.iter().filter_map(|name| self.lists.get(name)))
    }

    /// Does the field take this value, as far as its lists say?
    pub(super) fn check(&self, field: &str, value: &str) -> Result<(), Problem> {
        let Some(mut lists) = self.of(field) else { return Ok(()) };
        if lists.any(|list| list.find(value).is_some()) {
            return Ok(());
        }
        let names = self.fields[field].join(", ");
        Err(Problem::new(ProblemCode::FieldInvalid, format!("{field}: no code of the lists {names}")))
    }
}

/// What was found for something typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The code.
    pub code: String,
    /// Its name, and within what it lies.
    pub told: String,
}

impl super::Form {
    /// The lists of which a field takes a code, by name; none where it takes other values.
    pub fn lists(&self, field: &str) -> Option<Vec<(&str, &CodeList)>> {
        let names = self.codes.fields.get(field)?;
        Some(names.iter().filter_map(|name| Some((name.as_str(), self.codes.lists.get(name)?))).collect())
    }

    /// Every list of the form, by name.
    pub fn all_lists(&self) -> impl Iterator<Item = (&str, &CodeList)> {
        self.codes.lists.iter().map(|(name, list)| (name.as_str(), list))
    }

    /// Every code that this field takes.
    pub fn all_codes(&self, field: &str, lang: Lang) -> Vec<Found> {
        let found = |list: &CodeList, listed: &Listed| Found { code: listed.code.clone(), told: list.told(listed, lang) };
        self.codes
            .of(field)
            .into_iter()
            .flatten()
            .flat_map(|list| list.iter().map(|listed| found(list, listed)).collect::<Vec<_>>())
            .collect()
    }

    /// What a code of this field is called; none for other values.
    pub fn told(&self, field: &str, value: &str, lang: Lang) -> Option<String> {
        self.codes.of(field)?.find_map(|list| list.find(value).map(|listed| list.told(listed, lang)))
    }

    /// The codes that a text may mean: each of its words begins a word of a name, or of that of a code around it, or it is the
    /// beginning of the code. Whole names come first, then their beginnings.
    pub fn search(&self, field: &str, text: &str, lang: Lang) -> Vec<Found> {
        let (words, whole) = (folding::words(text), folding::fold(text));
        let mut found = Vec::new();
        for list in self.codes.of(field).into_iter().flatten() {
            for listed in list.iter() {
                let around: Vec<&Listed> = listed.within().filter_map(|code| list.find(code)).collect();
                if let Some(rank) = rank(listed, &around, text.trim(), &words, &whole) {
                    found.push((rank, Found { code: listed.code.clone(), told: list.told(listed, lang) }));
                }
            }
        }
        found.sort_by_key(|(rank, _)| *rank);
        found.into_iter().map(|(_, found)| found).collect()
    }

    /// The one code that a text says, by itself or by a whole name that nothing else bears; none where the field takes other values, or
    /// the text says no code or several.
    pub fn code_of(&self, field: &str, text: &str) -> Option<&str> {
        let lists = || self.codes.of(field).into_iter().flatten();
        if let Some(listed) = lists().find_map(|list| list.find(text)) {
            return Some(&listed.code);
        }
        let whole = folding::fold(text);
        let mut named = lists().flat_map(CodeList::iter).filter(|listed| listed.names().any(|name| folding::fold(name) == whole));
        match (named.next(), named.next()) {
            (Some(listed), None) if !whole.is_empty() => Some(&listed.code),
            _ => None,
        }
    }
}

/// 0 a whole name, 1 its beginning, 2 its own words, 3 with words of what is around it, 4 the beginning of the code; none if it is
/// not meant.
fn rank(listed: &Listed, around: &[&Listed], text: &str, words: &[String], whole: &str) -> Option<u8> {
    let names: Vec<String> = listed.names().map(folding::fold).collect();
    if !whole.is_empty() && names.iter().any(|name| name.starts_with(whole)) {
        return Some(u8::from(names.iter().all(|name| name != whole)));
    }
    let own: Vec<String> = listed.names().flat_map(folding::words).collect();
    let begins = |all: &[String], word: &String| all.iter().any(|one| one.starts_with(word));
    if words.iter().all(|word| begins(&own, word)) {
        return Some(2);
    }
    let outer: Vec<String> = around.iter().flat_map(|one| one.names()).flat_map(folding::words).collect();
    if words.iter().any(|word| begins(&own, word)) && words.iter().all(|word| begins(&own, word) || begins(&outer, word)) {
        return Some(3);
    }
    listed.code.to_ascii_lowercase().starts_with(&text.to_ascii_lowercase()).then_some(4)
}

#[cfg(all(test, feature = "sample"))]
mod tests {
    use serde_json::{Value, json};

    use super::super::{FIRST, Form};
    use crate::problem::{Code, Lang};

    fn id() -> Form {
        Form::parse(FIRST[0]).expect("a test parses it")
    }

    fn codes(form: &Form, text: &str) -> Vec<String> {
        form.search("place_of_birth", text, Lang::Fr).into_iter().map(|found| found.code).collect()
    }

    #[test]
    fn a_place_is_found_in_any_script_and_said_with_what_it_lies_in() {
        let form = id();
        for text in ["Assilah", "assil", "ASSÎLAH", "أصيلة", "اصيله", "01.511.01.01"] {
            assert_eq!(codes(&form, text).first().map(String::as_str), Some("01.511.01.01"), "{text}");
        }
        assert_eq!(form.told("place_of_birth", "01.511.01.01", Lang::Fr).as_deref(), Some("Assilah, Tanger-Assilah"));
        assert_eq!(form.told("place_of_birth", "MAR", Lang::En).as_deref(), Some("Morocco"));
        assert_eq!(form.told("given_ar", "MAR", Lang::En), None);
        assert!(codes(&form, "nowhere at all").is_empty());
        // with what it lies in, and the code's beginning
        assert!(codes(&form, "tanger gueznaia").starts_with(&["01.511.01.09".to_owned()]));
        assert!(codes(&form, "01.511").len() > 5);
    }

    #[test]
    fn a_name_that_one_code_bears_says_it_and_a_name_of_several_does_not() {
        let form = id();
        assert_eq!(form.code_of("place_of_birth", "Assilah"), Some("01.511.01.01"));
        assert_eq!(form.code_of("place_of_birth", "المغرب"), Some("MAR"));
        assert_eq!(form.code_of("sex", "féminin"), Some("f"));
        let several = codes(&form, "Sidi Ali");
        assert!(several.len() > 1);
        assert_eq!(form.code_of("place_of_birth", ""), None);
        assert_eq!(form.code_of("address", "Assilah"), None);
        // a city, and the prefecture of the same name
        assert_eq!(form.code_of("place_of_birth", "Rabat"), None, "{:?}", codes(&form, "Rabat"));
    }

    #[test]
    fn what_no_list_has_is_refused() {
        let form = id();
        for (field, value) in
            [("place_of_birth", "04-017"), ("place_of_birth", "Assilah"), ("sex", "x"), ("commune", "MAR"), ("commune", "01.511")]
        {
            assert_eq!(form.check_value(field, value).map_err(|p| p.code), Err(Code::FieldInvalid), "{field} {value}");
        }
        for (field, value) in
            [("place_of_birth", "01.511"), ("place_of_birth", "FRA"), ("place_of_birth", "unknown"), ("commune", "01.511.01.0")]
        {
            assert!(form.check_value(field, value).is_ok(), "{field} {value}");
        }
    }

    #[test]
    fn lists_that_contradict_themselves_are_refused() {
        let file: Value = serde_json::from_slice(FIRST[0]).expect("JSON");
        let with = |change: &dyn Fn(&mut Value)| {
            let mut file = file.clone();
            change(&mut file);
            Form::parse(file.to_string().as_bytes()).map(|_| ()).map_err(|p| p.code)
        };
        assert_eq!(with(&|_| ()), Ok(()));
        let changes: [&dyn Fn(&mut Value); 10] = [
            &|f| f["lists"]["sex"]["codes"] = json!([]),
            &|f| f["lists"]["sex"]["codes"] = json!([["f", "أنثى", "féminin"], ["f", "أنثى", "féminin"]]),
            &|f| f["lists"]["sex"]["codes"] = json!([["f", "أنثى"]]),
            &|f| f["lists"]["sex"]["codes"] = json!([["f", "أنثى", "féminin", "female", "more"]]),
            &|f| f["lists"]["sex"]["codes"] = json!([["f f", "أنثى", "féminin"]]),
            &|f| f["lists"]["sex"]["codes"] = json!([["f", "أنثى", "fe\u{301}minin"]]),
            &|f| f["lists"]["spare"] = json!({"credit": "", "codes": [["a", "أ", "a"]]}),
            &|f| f["codes"]["sex"] = json!(["sex", "none"]),
            &|f| f["codes"]["nobody"] = json!(["sex"]),
            &|f| f["codes"]["sex"] = json!(["sex", "sex"]),
        ];
        for (n, change) in changes.into_iter().enumerate() {
            assert_eq!(with(change), Err(Code::FormFileInvalid), "change {n}");
        }
    }
}
