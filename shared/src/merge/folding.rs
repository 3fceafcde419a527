//! Folding of names: one table for match keys, identity and search. Two spellings of one name fold to the same letters.
//!
//! 1. Compatibility decomposition (NFKD): `أ` is `ا` and a hamza, `é` is `e` and an accent, presentation forms are letters.
//! 2. Marks go: vowel signs, hamza above and below, madda, accents. Letters that only show a hamza go: `ء ٴ`.
//! 3. Case goes, in full: `ß` is `ss`, `ı` is `i`.
//! 4. A letter of [`ALIKE`] becomes the first of its row. Every other letter stands for itself.
//! 5. Apostrophes go. Spaces, hyphens and dots end a word.
//! 6. An article that stands apart joins the next word: `al X`, `Al-X`, `El X` are `elx`; `ال X` is `الx`. One that is written with its
//!    word stays as it is: `Ali` and `Alami` begin with these letters, too, and `Idrissi` is another name than `El Idrissi`.
//! 7. The words are joined: `عبد الله` is `عبدالله`, `Ben Ali` is `Benali`.
//!
//! **Distinct on purpose:** letters that differ in sound and are no spellings of one another: `ت ث`, `د ذ`, `ح خ`, `ط ظ`, `س ش ص ض`,
//! `ع غ`, and the Urdu and Sindhi letters `ٹ ڈ ڑ`. In Latin script transcriptions of one name (`Mohamed`, `Muhammad`) stay distinct.

use icu_normalizer::DecomposingNormalizerBorrowed;
use icu_properties::{
    CodePointMapData,
    props::{GeneralCategory, GeneralCategoryGroup},
};

use crate::form::{name::is_sign, typed::digit};

/// Letters that are written for one another, after steps 1 to 3; the first of each row is kept.
pub const ALIKE: [&str; 24] = [
    // Arabic: alef, also of wasla and wavy hamza
    "اٱٲٳݳݴࡰࡱࡲࡳࡴࡵࡶࡷࡸࡹࡺࡻࡼࡽࡾࡿࢀࢁࢂ",
    // yeh: with and without dots, barree, of Pashto, Uyghur and Kashmiri
    "يىیےېۍێۑؠؽؾؿݵݶݷݸݹݺݻࢨࢩࢺ",
    // kaf and gaf: a registry writes ك for the g of ݣنون
    "كکڪګڬڭڮگڰڱڲڳڴݢݣݤݿػؼࢰࢴࣈ",
    // heh, with the teh marbuta of the end of a word
    "هہھةەۃۿ",
    "وۄۅۆۇۈۉۊۋۏࢫࢱ",
    // feh and qaf, with the dots of the Maghreb, and for v and g
    "فڡڢڣڤڥڦݠݡࢤࢻ",
    "قٯڧڨࢥࢼ",
    "نں",
    // Persian letters for sounds that Arabic writes with the next one
    "بپ",
    "جچ",
    "زژ",
    // Latin: letters with a stroke or hook
    "aɑ",
    "bƀɓ",
    "dđɖɗ",
    "gɡɠǥ",
    "hħⱨ",
    "kƙĸ",
    "lłƚ",
    "oø",
    "tŧⱦ",
    "yƴ",
    "zƶ",
    // ɛ (ayn), its Greek twins: σ is the small letter of the Σ that stands for Ɛ
    "eɛεσςəǝ",
    // ejective and dotless twins
    "iɩ",
];

/// Letters that are written as several; both are in use.
pub const SEVERAL: [(char, &str); 7] = [('æ', "ae"), ('œ', "oe"), ('þ', "th"), ('ð', "dh"), ('ŋ', "ng"), ('ɣ', "gh"), ('γ', "gh")];

/// Letters that show only a hamza or a vowel, or nothing.
pub const SILENT: [char; 6] = ['ء', 'ٴ', 'ۥ', 'ۦ', 'ࣉ', '\u{640}'];

/// A text, folded.
pub fn fold(text: &str) -> String {
    words(text).concat()
}

/// The words of a text, folded; an article stands with its word. For search: each word occurs in the folded name.
pub fn words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for c in DecomposingNormalizerBorrowed::new_nfkd().normalize_iter(text.chars()) {
        if ends_word(c) {
            words.push(String::new());
        } else if let Some(word) = words.last_mut() {
            push_folded(word, c);
        }
    }
    words.retain(|word| !word.is_empty());
    with_articles(words)
}

/// A number, folded: letters and digits, capitals, digits of any script.
pub fn number(text: &str) -> String {
    let plain = DecomposingNormalizerBorrowed::new_nfkd().normalize_iter(text.chars());
    plain.filter(|c| says_something(*c)).map(|c| digit(c).unwrap_or(c)).flat_map(char::to_uppercase).collect()
}

/// 6.
fn with_articles(words: Vec<String>) -> Vec<String> {
    let mut joined = Vec::with_capacity(words.len());
    let mut article = None;
    for word in words {
        match (article.take(), word.as_str()) {
            (Some(article), _) => joined.push(format!("{article}{word}")),
            (None, "al" | "el") => article = Some("el"),
            (None, "ال") => article = Some("ال"),
            (None, _) => joined.push(word),
        }
    }
    // one that nothing follows is a word
    joined.extend(article.map(str::to_owned));
    joined
}

/// 5.
fn ends_word(c: char) -> bool {
    c.is_whitespace() || matches!(c, '-' | '\u{2010}' | '\u{2011}' | '\u{2013}' | '.' | '·')
}

/// A letter or digit, no mark.
fn says_something(c: char) -> bool {
    let category = CodePointMapData::<GeneralCategory>::new().get(c);
    GeneralCategoryGroup::Letter.contains(category) || GeneralCategoryGroup::Number.contains(category)
}

/// 2. to 4.
fn push_folded(out: &mut String, c: char) {
    if is_sign(c) || SILENT.contains(&c) || !says_something(c) {
        return;
    }
    // twice, because ẞ has a small letter that has two capitals
    for c in c.to_lowercase().flat_map(char::to_uppercase).flat_map(char::to_lowercase).filter(|c| says_something(*c)) {
        let c = digit(c).unwrap_or(c);
        match SEVERAL.iter().find(|(one, _)| *one == c) {
            Some((_, several)) => out.push_str(several),
            None => out.push(ALIKE.iter().find(|row| row.contains(c)).and_then(|row| row.chars().next()).unwrap_or(c)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form::name::{NameScript, Part};

    #[test]
    fn spellings_of_one_name_fold_to_one() {
        for (spellings, folded) in [
            (&["الإدريسي", "الادريسى", "ال إدريسي", "ال-إدريسي", "الإدریسي", "اﻹدريسي"][..], "الادريسي"),
            (&["فَاطِمَة", "فاطمه", "فاطمة", "ﻓﺎﻃﻤﺔ", "فاطمـة"], "فاطمه"),
            (&["عبد الله", "عبدالله", "عبد اللّٰه", "عبد-الله"], "عبدالله"),
            (&["أݣنون", "اكنون", "أگنون", "أڭنون", "اڪنون", "اکنون"], "اكنون"),
            (&["رجاء", "رجا"], "رجا"),
            (&["مؤمن", "مومن"], "مومن"),
            (&["El-Idrissi", "EL IDRISSI", "El Idrissi", "Al-Idrissi", "al idrissi", "Elidrissi", "Él‑Idrïssi"], "elidrissi"),
            (&["Ben Ali", "BENALI", "Ben-Ali", "Ben.Ali"], "benali"),
            (&["Abd el Kader", "Abdelkader", "ʿAbd al-Kader", "ABD EL-KADER", "Abd‘el Kader"], "abdelkader"),
            (&["Ɛli", "εli", "Σli", "eli"], "eli"),
            (&["Yeɣmur", "Yeγmur", "YEƔMUR", "Yeghmur"], "yeghmur"),
            (&["Aḥmed", "Ahmed", "AHMED", "A\u{323}hmed"], "ahmed"),
            (&["Weiß", "WEISS", "WEIẞ"], "weiss"),
            (&["İbrahim", "ıbrahim", "Ibrahim"], "ibrahim"),
        ] {
            for spelling in spellings {
                assert_eq!(fold(spelling), folded, "{spelling}");
            }
        }
    }

    #[test]
    fn names_that_are_not_the_same_stay_apart() {
        for (one, other) in [
            ("الإدريسي", "إدريسي"),
            ("Alami", "Elami"),
            ("Ali", "Eli"),
            ("حسن", "حسين"),
            ("سعيد", "شعيد"),
            ("ثابت", "تابت"),
            ("Mohamed", "Muhammad"),
            ("ⵉⵟⵟⵓ", "ⵉⵜⵜⵓ"),
        ] {
            assert_ne!(fold(one), fold(other), "{one} {other}");
        }
        assert_eq!((fold("Al"), fold("ال")), ("el".to_owned(), "ال".to_owned()), "an article alone is a word");
        assert_eq!(words("Al Idrissi Ben-Ali"), ["elidrissi", "ben", "ali"]);
        assert_eq!((number(" ab-12/3"), number("AB ١٢۳")), ("AB123".to_owned(), "AB123".to_owned()));
    }

    /// Every character that a form admits in a name.
    fn admitted() -> impl Iterator<Item = (char, Part)> {
        ('\0'..=char::MAX).filter_map(|c| NameScript::ALL.into_iter().find_map(|script| script.part(c)).map(|part| (c, part)))
    }

    #[test]
    fn every_character_that_a_form_admits_is_folded_or_stands_for_itself() {
        let (mut letters, mut own) = (0, 0);
        for (c, part) in admitted() {
            let folded = fold(&c.to_string());
            if part != Part::Letter || SILENT.contains(&c) {
                assert_eq!(folded, "", "U+{:04X} is no letter", u32::from(c));
                continue;
            }
            assert!(!folded.is_empty(), "U+{:04X} folds to nothing", u32::from(c));
            assert_eq!(fold(&folded), folded, "U+{:04X} is folded once and for all", u32::from(c));
            letters += 1;
            own += usize::from(folded == c.to_string());
        }
        println!("{letters} letters, {own} of them stand for themselves");
    }

    #[test]
    fn letters_of_one_row_fold_to_one_and_rows_stay_apart() {
        let mut firsts = std::collections::BTreeSet::new();
        for row in ALIKE {
            let first = row.chars().next().expect("a row has letters").to_string();
            assert!(firsts.insert(first.clone()), "a row twice: {first}");
            for c in row.chars() {
                assert_eq!(fold(&c.to_string()), first, "U+{:04X}", u32::from(c));
                assert_eq!(ALIKE.iter().filter(|row| row.contains(c)).count(), 1, "U+{:04X} in two rows", u32::from(c));
                let admitted = NameScript::ALL.into_iter().any(|script| script.part(c).is_some());
                assert!(admitted || c == 'σ' || c == 'ς', "U+{:04X} is in no name", u32::from(c));
            }
        }
    }
}
