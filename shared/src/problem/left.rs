//! Why something that lay with what was given to `enrol` was not taken, in English, French and Arabic.
//!
//! ```text
//! left day/0007/scan.tif: resident.json does not name it
//! {"message_type":"left","path":"day/0007/scan.tif","reason":"unnamed","text":"resident.json does not name it"}
//! ```
//!
//! **Invariants:** a word, once published, keeps its meaning; the path stands beside it on the screen and in no problem.

use std::fmt;

use super::Lang;

macro_rules! reasons {
    ($($name:ident $word:literal $en:literal $fr:literal $ar:literal;)*) => {
        /// Why something was left behind.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Why {$(
            #[doc = $en]
            $name,
        )*}
        impl Why {
            /// Every reason.
            pub const ALL: &[Self] = &[$(Self::$name),*];
            /// Its stable word, `kebab-case`.
            pub const fn word(self) -> &'static str {
                match self {$(Self::$name => $word,)*}
            }
            /// What a person reads.
            pub const fn text(self, lang: Lang) -> &'static str {
                match (self, lang) {$(
                    (Self::$name, Lang::En) => $en,
                    (Self::$name, Lang::Fr) => $fr,
                    (Self::$name, Lang::Ar) => $ar,
                )*}
            }
        }
    };
}

reasons! {
    NoDescription "no-description" "no resident.json lies beside it"
        "aucun resident.json à côté" "لا يوجد resident.json بجانبه";
    Unnamed "unnamed" "resident.json does not name it"
        "resident.json ne le nomme pas" "لا يذكره resident.json";
    FolderInside "folder-inside" "a folder within the folder of a resident"
        "un sous-dossier dans celui d'une personne" "مجلد داخل مجلد شخص";
    Link "link" "a link; links that were found are not followed"
        "un lien ; les liens rencontrés ne sont pas suivis" "رابط، والروابط التي يُعثر عليها لا تُتبع";
    NotAFile "not-a-file" "neither a file nor a folder"
        "ni un fichier ni un dossier" "ليس ملفًا رقميًا ولا مجلدًا";
    NoResident "no-resident" "an archive without any resident.json"
        "une archive sans aucun resident.json" "أرشيف ليس فيه أي resident.json";
    ArchiveInside "archive-inside" "an archive within an archive; unpack the outer one"
        "une archive dans une archive ; extrayez celle de l'extérieur" "أرشيف داخل أرشيف، فُكَّ الخارجي أولًا";
    OtherPacking "other-packing" "packed in a way that is not read here; use tar, tar.gz, tar.zst or zip"
        "un format d'archive qui n'est pas lu ici ; utilisez tar, tar.gz, tar.zst ou zip" "مضغوط بطريقة لا تُقرأ هنا، استعمل tar أو tar.gz أو tar.zst أو zip";
    Encrypted "encrypted" "encrypted; unpack it before"
        "chiffré ; extrayez-le d'abord" "مشفَّر، فُكَّه أولًا";
    Name "name" "a name that no resident.json can give"
        "un nom qu'aucun resident.json ne peut donner" "اسم لا يمكن أن يذكره أي resident.json";
    TooLarge "too-large" "larger than a file of a resident may be"
        "plus grand que ne peut l'être un fichier d'une personne" "أكبر مما يجوز لملف رقمي لشخص";
    TooDeep "too-deep" "in too many folders, one within the other"
        "dans trop de dossiers imbriqués" "داخل مجلدات متداخلة أكثر من اللازم";
    Unreadable "unreadable" "cannot be read"
        "ne peut être lu" "تتعذر قراءته";
    BehindTheEnd "behind-the-end" "this archive goes on behind its end"
        "cette archive continue après sa fin" "يستمر هذا الأرشيف بعد نهايته";
    LeftInside "left-inside" "not removed: something in it was not taken"
        "non supprimé : une partie n'a pas été prise" "لم يُحذف: فيه شيء لم يُؤخذ";
    NotRemoved "not-removed" "not removed: the disk did not allow it"
        "non supprimé : le disque ne l'a pas permis" "لم يُحذف: لم يسمح القرص بذلك";
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_reason_is_told_in_three_languages_and_has_its_own_word() {
        let arabic = |s: &str| s.chars().any(|c| ('\u{600}'..='\u{6ff}').contains(&c));
        for why in Why::ALL {
            let [en, fr, ar] = [Lang::En, Lang::Fr, Lang::Ar].map(|lang| why.text(lang));
            assert!(en.len() > 8 && fr.len() > 8 && en != fr && arabic(ar) && !arabic(en) && !arabic(fr), "{why}");
            assert!(super::super::is_code(why.word()));
        }
        let words: BTreeSet<&str> = Why::ALL.iter().map(|why| why.word()).collect();
        assert_eq!(words.len(), Why::ALL.len());
    }
}
