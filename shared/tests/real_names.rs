//! Names and places as registries, encyclopaedias and the census have them, through the form's rules and the match keys.
//!
//! They lie in `ENROL_TEST_DATA`, or `../shared/data` beside the workspace; without that folder the tests say so. The list of pairs
//! is the project's own.
#![cfg(feature = "form")]
#![allow(clippy::disallowed_methods, reason = "reads lists that are not in the project")]

#[path = "../../tests/src/skipped.rs"]
mod skipped;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
};

use shared::{
    form::{FIRST, Form, name::NameScript, typed::normal},
    merge::{Likeness, MatchKey, keys, likenesses},
    problem::Lang,
    rules::Rules,
};

/// A published list, if it is at hand.
fn list(path: &str) -> Option<String> {
    let beside = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data"));
    let path = std::env::var_os("ENROL_TEST_DATA").map_or_else(beside, PathBuf::from).join(path);
    let text = fs::read_to_string(&path).ok();
    if text.is_none() {
        skipped::skip(format_args!("{} is not there", path.display()));
    }
    text
}

/// Cells of a line; those of these lists hold no quoted comma that matters here.
fn cells(line: &str, by: char) -> Vec<&str> {
    line.trim_start_matches('\u{feff}').split(by).map(|cell| cell.trim_matches('"')).collect()
}

/// Every name of the lists, with the script of its column; none where the column has several.
fn names() -> Option<BTreeSet<(Option<&'static str>, String)>> {
    let mut all = BTreeSet::new();
    let mut take = |script, name: &str| {
        all.insert((script, name.to_owned()));
    };
    for (file, script) in [("faker_ar_AA", "ar"), ("faker_ar_DZ", "ar"), ("faker_fr_DZ", "latin")] {
        list(&format!("names/{file}.tsv"))?.lines().skip(1).for_each(|line| take(Some(script), cells(line, '\t')[1]));
    }
    for line in list("names/wikidata_name_groups_ar_latn.tsv")?.lines().skip(1) {
        let cells = cells(line, '\t');
        cells[1].split('|').for_each(|name| take(Some("ar"), name));
        cells[2].split('|').for_each(|name| take(Some("latin"), name));
    }
    for line in list("names/google_ar2en-train.txt")?.lines() {
        let cells = cells(line, '\t');
        take(Some("ar"), cells[0]);
        take(Some("latin"), cells[1]);
    }
    for (file, columns) in [("common-forenames-by-country", [10, 11]), ("common-surnames-by-country", [4, 5])] {
        for line in list(&format!("names/{file}.csv"))?.lines().skip(1) {
            columns.iter().filter_map(|column| cells(line, ',').get(*column).copied()).for_each(|name| take(None, name));
        }
    }
    Some(all)
}

/// The script of a name: that of its column, else the one that its last letter has; none where no form takes it.
fn script_of(column: Option<&str>, name: &str) -> Option<NameScript> {
    match column {
        Some("ar") => Some(NameScript::Arabic),
        Some(_) => Some(NameScript::Latin),
        None => {
            let last = name.chars().rfind(|c| c.is_alphabetic())?;
            NameScript::ALL.into_iter().find(|script| script.part(last).is_some())
        }
    }
}

#[test]
fn real_names_are_names() {
    let Some(names) = names() else { return };
    let (mut taken, mut refused) = (0, BTreeMap::new());
    for (column, name) in &names {
        let Some(script) = script_of(*column, name) else { continue };
        let name = normal(name);
        match script.fault(&name) {
            None => taken += 1,
            Some(fault) => drop(refused.insert((*name).clone(), fault)),
        }
    }
    for (name, fault) in &refused {
        println!("refused: {name}: {fault}");
    }
    println!("{taken} names are taken, {} are refused", refused.len());
    assert!(taken > 40_000, "{taken}");
    assert_eq!(refused.len(), REFUSED);
}

/// Entries that are no names of one script: commas, brackets and underscores; Latin names with a Cyrillic `а`; both scripts in one.
const REFUSED: usize = 22;

#[test]
fn real_places_are_places() {
    let form = Form::parse(FIRST[0]).expect("a good form");
    let mut taken = 0;
    for (file, columns) in
        [("communes", [3, 4]), ("provinces", [2, 3]), ("regions", [2, 3]), ("cercles", [2, 3]), ("arrondissements", [2, 3])]
    {
        let Some(text) = list(&format!("geo/hcp_{file}.csv")) else { return };
        for line in text.lines().skip(1) {
            for place in columns.map(|column| cells(line, ',')[column].to_owned()) {
                let problem = form.check_value("village", &normal(&place)).err();
                assert_eq!(problem, None, "{place}");
                taken += 1;
            }
            // regions, provinces and communes stand in the forms' list, under these names
            if ["communes", "provinces", "regions"].contains(&file) {
                let row = cells(line, ',');
                for (column, lang) in columns.into_iter().zip([Lang::Fr, Lang::Ar]) {
                    let told = form.told("place_of_birth", row[0], lang).unwrap_or_default();
                    let name = normal(row[column]).replace('\u{2019}', "'");
                    assert_eq!(told.split(", ").next(), Some(name.as_str()), "{}", row[0]);
                }
            }
        }
    }
    println!("{taken} places");
}

/// One of a pair; `-` is a script that is not there.
fn person(names: &[&str]) -> BTreeMap<String, Option<String>> {
    let fields = ["given_ar", "family_ar", "given_latin", "family_latin"];
    let named = fields.iter().zip(names).filter(|(_, name)| **name != "-").map(|(field, name)| (*field, *name));
    let rest = [("date_of_birth", "1980-05-17"), ("sex", "f"), ("place_of_birth", "04-017")];
    named.chain(rest).map(|(field, value)| (field.to_owned(), Some(value.to_owned()))).collect()
}

fn meet(rules: Rules, one: &[&str], other: &[&str]) -> bool {
    let there = keys(rules, &person(other));
    keys(rules, &person(one)).iter().flat_map(MatchKey::meets).any(|key| there.contains(&key))
}

/// Are they a hint, because the names of one script agree?
fn hinted(one: &[&str], other: &[&str]) -> bool {
    let there = likenesses(&person(other));
    likenesses(&person(one)).iter().any(|like| like.1 == Likeness::OneScript && there.contains(like))
}

/// Pairs that are one person: found, not found but a hint, missed. Pairs that are two: wrongly held, rightly not.
#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    found: usize,
    hinted: usize,
    missed: usize,
    wrong: usize,
    right: usize,
}

impl Counts {
    /// `same`: they are one person. Hints of this kind came with rules 3.
    fn take(&mut self, rules: Rules, same: bool, one: &[&str], other: &[&str]) {
        let count = match (same, meet(rules, one, other)) {
            (true, true) => &mut self.found,
            (true, false) if rules == Rules::V3 && hinted(one, other) => &mut self.hinted,
            (true, false) => &mut self.missed,
            (false, true) => &mut self.wrong,
            (false, false) => &mut self.right,
        };
        *count += 1;
    }
}

#[test]
fn pairs_are_told_apart_as_counted() {
    let pairs = include_str!("names/pairs.tsv").lines().filter(|line| !line.starts_with('#')).map(|line| cells(line, '\t'));
    let pairs: Vec<Vec<&str>> = pairs.collect();
    let [before, after] = Rules::ALL.map(|rules| {
        let mut counts = Counts::default();
        for pair in &pairs {
            counts.take(rules, pair[0] == "same", &pair[1..5], &pair[5..9]);
        }
        counts
    });
    println!("before {before:?}\nafter {after:?}");
    assert_eq!(before, Counts { found: 15, hinted: 0, missed: 19, wrong: 9, right: 9 });
    assert_eq!(after, Counts { found: 30, hinted: 4, missed: 0, wrong: 0, right: 18 });
}

/// Groups of spellings of one name: two spellings of a group are one person, who bears the other name in both scripts; two groups with
/// an Arabic spelling in common and no Latin one are two.
#[test]
fn groups_of_spellings_are_told_apart_as_counted() {
    let Some(text) = list("names/wikidata_name_groups_ar_latn.tsv") else { return };
    let split = |cell: &str| cell.split('|').map(str::to_owned).collect::<Vec<_>>();
    let groups: Vec<(Vec<String>, Vec<String>)> =
        text.lines().skip(1).map(|line| cells(line, '\t')).map(|cells| (split(cells[1]), split(cells[2]))).collect();
    let mut by_arabic: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (n, (arabic, _)) in groups.iter().enumerate() {
        for name in arabic {
            by_arabic.entry(name).or_default().push(n);
        }
    }
    let [before, after] = Rules::ALL.map(|rules| {
        let mut counts = Counts::default();
        for (arabic, latin) in &groups {
            for other in &arabic[1..] {
                counts.take(rules, true, &[&arabic[0], "العلوي", &latin[0], "Alaoui"], &[other, "العلوي", &latin[0], "Alaoui"]);
            }
            for other in &latin[1..] {
                counts.take(rules, true, &["مريم", "العلوي", &latin[0], "Alaoui"], &["مريم", "العلوي", other, "Alaoui"]);
            }
        }
        for (name, there) in &by_arabic {
            for pair in there.windows(2) {
                let [one, other] = [&groups[pair[0]].1, &groups[pair[1]].1];
                if one.iter().all(|name| !other.contains(name)) {
                    counts.take(rules, false, &[name, "العلوي", &one[0], "Alaoui"], &[name, "العلوي", &other[0], "Alaoui"]);
                }
            }
        }
        counts
    });
    println!("before {before:?}\nafter {after:?}");
    assert!(after.wrong * 20 < before.wrong, "one Arabic spelling makes nobody the same");
}
