//! What of a resident is identity, and whether two writings of it are the same.
//!
//! Identity fields are those that the match key reads ([`IDENTITY`]) and those that a form adds (`identity` in its file). A value
//! is changed when it differs after folding: another spelling of the same name is no change.

use std::collections::{BTreeMap, BTreeSet};

use super::key::{IDENTITY, same};
use crate::rules::Rules;

/// What becomes of the identity of a resident when these fields are set.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Compared {
    /// Identity fields that both have, and that differ.
    pub different: Vec<String>,
    /// Identity fields that both have, and that are the same.
    pub equal: Vec<String>,
    /// Identity fields that the resident has and that are cleared.
    pub cleared: Vec<String>,
    /// Identity fields that the resident lacks.
    pub added: Vec<String>,
}

impl Compared {
    /// Would setting these fields change who the resident is?
    pub fn changes(&self) -> bool {
        !self.different.is_empty() || !self.cleared.is_empty() || !self.added.is_empty()
    }
}

/// Compares the identity fields of a resident with those that a record brings; `added` are those that forms add.
pub fn compare(
    rules: Rules,
    resident: &BTreeMap<String, Option<String>>,
    record: &BTreeMap<String, Option<String>>,
    added: &BTreeSet<String>,
) -> Compared {
    let mut compared = Compared::default();
    let identity = |name: &&String| IDENTITY.contains(&name.as_str()) || added.contains(*name);
    for name in record.keys().filter(identity) {
        let present = resident.get(name).and_then(Option::as_deref);
        let list = match (present, record[name].as_deref()) {
            (Some(before), Some(now)) if same(rules, name, before, now) => &mut compared.equal,
            (Some(_), Some(_)) => &mut compared.different,
            (Some(_), None) => &mut compared.cleared,
            (None, Some(_)) => &mut compared.added,
            (None, None) => continue,
        };
        list.push(name.clone());
    }
    compared
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(pairs: &[(&str, Option<&str>)]) -> BTreeMap<String, Option<String>> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), value.map(str::to_owned))).collect()
    }

    #[test]
    fn spelling_is_no_change_and_everything_else_is() {
        let resident = fields(&[
            ("given_latin", Some("Fāṭima")),
            ("given_ar", Some("فَاطِمَة")),
            ("national_number", Some("AB 123")),
            ("father_ar", Some("أحمد")),
            ("phone", Some("1")),
            ("residence_id", Some("R-1")),
        ]);
        let compared = |record: &[(&str, Option<&str>)], added: &[&str]| {
            compare(Rules::V3, &resident, &fields(record), &added.iter().map(|a| (*a).to_owned()).collect())
        };
        let spelled =
            [("given_latin", Some("fatima")), ("given_ar", Some("فاطمه")), ("national_number", Some("ab-123")), ("phone", Some("2"))];
        let found = compared(&spelled, &[]);
        assert!(!found.changes() && found.equal.len() == 3, "{found:?}");
        assert_eq!(compared(&[("given_latin", Some("Khadija"))], &[]).different, ["given_latin"]);
        assert_eq!(compared(&[("father_ar", None)], &[]).cleared, ["father_ar"]);
        assert_eq!(compared(&[("mother_ar", Some("ايطو"))], &[]).added, ["mother_ar"]);
        assert!(!compared(&[("residence_id", Some("R-2"))], &[]).changes(), "no form says that it is identity");
        assert!(compared(&[("residence_id", Some("R-2"))], &["residence_id"]).changes());
        assert!(!compared(&[("residence_id", Some(" r-1 "))], &["residence_id"]).changes());
        assert!(!compared(&[("place_of_birth", None)], &[]).changes(), "nothing is cleared that is not there");
    }
}
