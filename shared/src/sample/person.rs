//! The text side of a sample resident. Two residents of one seed never share a match key: the day and the place of
//! birth are a one-to-one picture of the resident's index.

use std::collections::BTreeMap;

use super::{
    dice::Dice,
    names::{COUNTRIES, FAMILIES, MEN, Name, VILLAGES, WOMEN},
};

pub(super) type Fields = BTreeMap<String, String>;

/// Days of birth in a year: twelve months of 28.
const YEAR: u64 = 12 * 28;
/// Adults are born 18 to 77 years before the year.
const ADULT_DAYS: u64 = 60 * YEAR;
/// Children are born two to nine years before, so that they stay under twelve all through the year.
const CHILD_DAYS: u64 = 8 * YEAR;
/// The places of the first forms, of which residents are born in communes.
const PLACES: &str = include_str!("../../forms/lists/place.csv");
/// Communes that places of birth spread over.
const COMMUNES: u64 = 1500;

const REASONS: [&str; 5] = ["school", "work", "marriage", "bank", "other"];
const PURPOSES: [&str; 6] = ["work", "study", "family", "retirement", "asylum", "other"];

/// How old the resident is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Age {
    Adult,
    Child,
}

/// Everything that is known of resident `n`; a form takes what it asks for.
pub(super) fn fields(seed: u64, n: u64, year: i64, age: Age, foreign: bool) -> Fields {
    let mut dice = Dice::new(seed, n, "person");
    let woman = dice.chance(50);
    let given = *dice.pick(if woman { &WOMEN } else { &MEN });
    let (family, mothers) = (*dice.pick(&FAMILIES), *dice.pick(&FAMILIES));
    let (father, mother) = (*dice.pick(&MEN), *dice.pick(&WOMEN));
    let place = place_of_birth(seed, n, age);
    let mut fields = Fields::new();
    let mut put = |name: &str, value: &str| fields.insert(name.to_owned(), value.to_owned());
    put("given_ar", given.0);
    put("given_latin", given.1);
    put("family_ar", family.0);
    put("family_latin", family.1);
    put("sex", if woman { "f" } else { "m" });
    put("date_of_birth", &date_of_birth(seed, n, year, age, &mut dice));
    put("place_of_birth", &place);
    let full = |a: Name, b: Name| (format!("{} {}", a.0, b.0), format!("{} {}", a.1, b.1));
    for (who, (ar, latin)) in [("father", full(father, family)), ("mother", full(mother, mothers))] {
        put(&format!("{who}_ar"), &ar);
        put(&format!("{who}_latin"), &latin);
    }
    let village = *dice.pick(&VILLAGES);
    put("village", village);
    put("address", &format!("{} {village}", 1 + dice.below(180)));
    put("commune", &place);
    put("phone", &format!("+2126{:08}", dice.below(100_000_000)));
    put("resident_since", &format!("{}", year - 1 - i64::from(dice.below(15))));
    put("reason", dice.pick::<&str>(&REASONS));
    if foreign {
        stay(&mut dice, n, year, &mut put);
    } else if age == Age::Adult && dice.chance(45) {
        put("national_number", &national_number(seed, n));
    }
    fields
}

/// What a foreign national brings: a passport and a purpose.
fn stay(dice: &mut Dice, n: u64, year: i64, put: &mut impl FnMut(&str, &str) -> Option<String>) {
    let country = *dice.pick(&COUNTRIES);
    put("nationality", country);
    put("passport_country", country);
    put("passport_number", &format!("P{:08}", (u64::from(dice.below(100)) * 1_000_000 + n) % 100_000_000));
    put("passport_expires", &format!("{}-{:02}-{:02}", year + 2 + i64::from(dice.below(7)), 1 + dice.below(12), 1 + dice.below(28)));
    put("entered_on", &format!("{}-{:02}", year - 1 - i64::from(dice.below(6)), 1 + dice.below(12)));
    put("purpose", dice.pick::<&str>(&PURPOSES));
}

/// Another number for every index below 15 million, and another series for every seed.
pub(super) fn national_number(seed: u64, n: u64) -> String {
    let letter = |i: u64| char::from(b'A' + u8::try_from(i % 26).expect("below 26"));
    let serial = (n * 7_919 + seed % 1_000_000) % 1_000_000;
    format!("{}{}{serial:06}", letter(n / 1_000_000 + seed), letter(seed / 26))
}

/// How the index is spread: over days first, then over places.
fn spread(n: u64, age: Age) -> (u64, u64) {
    let days = if age == Age::Adult { ADULT_DAYS } else { CHILD_DAYS };
    // 7,919 is prime and no factor of either number of days, so that each index of a round has its own day
    (n % days * 7_919 % days, n / days)
}

/// `YYYY-MM-DD`; of adults one in ten knows the month only, one in ten the year only.
fn date_of_birth(seed: u64, n: u64, year: i64, age: Age, dice: &mut Dice) -> String {
    let (days, _) = spread(n, age);
    let days = (days + seed % 97) % if age == Age::Adult { ADULT_DAYS } else { CHILD_DAYS };
    let youngest = if age == Age::Adult { 18 } else { 2 };
    let born = year - youngest - i64::try_from(days / YEAR).expect("below 60");
    let (month, day) = (days % YEAR / 28 + 1, days % 28 + 1);
    match dice.below(10) {
        0 if age == Age::Adult => format!("{born}"),
        1 if age == Age::Adult => format!("{born}-{month:02}"),
        _ => format!("{born}-{month:02}-{day:02}"),
    }
}

/// A commune: its code has four numbers.
fn place_of_birth(seed: u64, n: u64, age: Age) -> String {
    let (_, round) = spread(n, age);
    let place = (round * 2 + u64::from(age == Age::Child) + seed) % COMMUNES;
    let codes = PLACES.lines().filter_map(|line| line.split(',').next());
    let commune = codes.filter(|code| code.split('.').count() == 4).nth(usize::try_from(place).expect("below 1500"));
    commune.expect("there are so many").to_owned()
}
