//! `form lists`: puts code lists from CSV files into a form file, which `roster publish --form` then publishes.
//!
//! ```text
//! code,ar,fr,en
//! 01.511.01.01,أصيلة,Assilah,
//! ```
//!
//! **Trust:** whoever publishes reads what was written. **Invariants:** all else in the form stays byte for byte; what is written is a
//! form that units take.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    path::{Path, PathBuf},
};

use clap::Subcommand;
use serde_json::{Value, json};
use shared::{
    form::{MAX_FORM, typed},
    problem::{Code, Problem},
};

use super::{Exit, Out};
use crate::durable;

/// Largest CSV file that is read, in bytes.
const MAX_CSV: u64 = 4 << 20;

/// Form files.
#[derive(Debug, Subcommand)]
pub enum Form {
    /// Write a form with these code lists in it; lists of the same name are replaced, its `codes` say which fields take them
    Lists {
        /// The form, a JSON file
        form: PathBuf,
        /// A list and a CSV file with columns code, ar, fr and, if names differ, en; several files of one list follow each other
        #[arg(long = "list", required = true, value_name = "NAME=FILE", value_parser = pair)]
        lists: Vec<(String, String)>,
        /// Who made what stands in a list, as its licence asks
        #[arg(long = "credit", value_name = "NAME=TEXT", value_parser = pair)]
        credits: Vec<(String, String)>,
        /// Where the new form goes
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or_else(|| "NAME=…".to_owned())?;
    Ok((name.to_owned(), value.to_owned()))
}

type Row = Vec<String>;
/// A list: its credit, its rows.
type List = (String, Vec<Row>);

impl Form {
    /// Runs the command.
    pub fn run(self, out: &Out) -> Result<Exit, Problem> {
        let Self::Lists { form, lists, credits, out: to } = self;
        let file = durable::read_given(&form, MAX_FORM as u64)?;
        let text = std::str::from_utf8(&file).map_err(|_| Problem::new(Code::InputUnreadable, "the form is not UTF-8"))?;
        let (before, mut all) = taken_apart(text)?;
        let named: BTreeSet<&String> = lists.iter().map(|(name, _)| name).collect();
        all.iter_mut().filter(|(name, _)| named.contains(name)).for_each(|(_, (_, rows))| rows.clear());
        for (name, path) in &lists {
            all.entry(name.clone()).or_default().1.extend(read_csv(Path::new(path))?);
        }
        for (name, credit) in credits {
            all.entry(name).or_default().0 = credit;
        }
        let made = put_together(before, &all);
        let parsed = shared::form::Form::parse(made.as_bytes())?;
        durable::write(&to, made.as_bytes())?;
        let counts: BTreeMap<&str, usize> = all.iter().map(|(name, (_, rows))| (name.as_str(), rows.len())).collect();
        let value = json!({ "form": parsed.name().to_string(), "size": parsed.size(), "digest": parsed.blob(), "codes": counts });
        let human = format!(
            "{} with {} codes is written to {2}\npublish it: sync-server roster publish --form {2}",
            parsed.name(),
            counts.values().sum::<usize>(),
            to.display()
        );
        out.summary(value, human);
        Ok(Exit::Done)
    }
}

/// What stands before the lists, without the brace at the end, and the lists that are there already.
fn taken_apart(text: &str) -> Result<(&str, BTreeMap<String, List>), Problem> {
    let malformed = |why: &str| Problem::new(Code::FormFileInvalid, why);
    let mut whole: Value = serde_json::from_str(text).map_err(|_| malformed("the form is no JSON"))?;
    let object = whole.as_object_mut().ok_or_else(|| malformed("the form is no object"))?;
    let before = match object.remove("lists") {
        None => text.trim_end().strip_suffix('}').map(|before| (before, BTreeMap::new())),
        Some(there) => {
            let lists = there.as_object().map(|lists| lists.iter().map(|(name, list)| Some((name.clone(), list_of(list)?))).collect());
            let cut = text.rfind("\"lists\"").and_then(|at| text[..at].trim_end().strip_suffix(','));
            cut.zip(lists.flatten())
        }
    };
    let (before, lists) = before.ok_or_else(|| malformed("`lists` must be the last key"))?;
    // nothing but the lists is cut off
    let same = serde_json::from_str::<Value>(&format!("{before}}}")).is_ok_and(|rest| rest == whole);
    if same { Ok((before.trim_end(), lists)) } else { Err(malformed("`lists` must be the last key")) }
}

fn list_of(list: &Value) -> Option<List> {
    let credit = list.get("credit")?.as_str()?.to_owned();
    let row = |row: &Value| row.as_array()?.iter().map(|cell| cell.as_str().map(str::to_owned)).collect::<Option<Row>>();
    Some((credit, list.get("codes")?.as_array()?.iter().map(row).collect::<Option<_>>()?))
}

/// One row of a list a line: what a new list changes is seen by comparing lines.
fn put_together(before: &str, lists: &BTreeMap<String, List>) -> String {
    let mut made = format!("{before},\n \"lists\": {{");
    for (n, (name, (credit, rows))) in lists.iter().enumerate() {
        let comma = if n == 0 { "" } else { "," };
        let _ = write!(made, "{comma}\n  {}: {{\"credit\": {}, \"codes\": [", json!(name), json!(credit));
        for (n, row) in rows.iter().enumerate() {
            let _ = write!(made, "{}\n   {}", if n == 0 { "" } else { "," }, json!(row));
        }
        made.push_str("\n  ]}");
    }
    made.push_str("\n }\n}\n");
    made
}

fn read_csv(path: &Path) -> Result<Vec<Row>, Problem> {
    let bytes = durable::read_given(path, MAX_CSV)?;
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let unreadable = |why: &str| Problem::new(Code::InputUnreadable, format!("{}: {why}", path.display()));
    let mut reader = csv::Reader::from_reader(bytes);
    let headers = reader.headers().map_err(|_| unreadable("no line of headings"))?.clone();
    let column = |name: &str| headers.iter().position(|h| h.trim() == name || h.trim().strip_prefix("name_") == Some(name));
    let missing = || unreadable("columns are code, ar, fr and, if names differ, en");
    let (code, ar, fr) = (column("code").ok_or_else(missing)?, column("ar").ok_or_else(missing)?, column("fr").ok_or_else(missing)?);
    let en = column("en");
    let mut rows = Vec::new();
    for (n, record) in reader.records().enumerate() {
        let record = record.map_err(|_| unreadable(&format!("line {}: not as many columns as headings", n + 2)))?;
        let cell = |at: usize| (*typed::normal(record.get(at).unwrap_or_default())).clone();
        let mut row = vec![cell(code), cell(ar), cell(fr)];
        row.extend(en.map(cell).filter(|en| !en.is_empty()));
        rows.push(row);
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn lists(rows: &[(&str, &[&[&str]])]) -> BTreeMap<String, List> {
        let owned = |rows: &[&[&str]]| rows.iter().map(|row| row.iter().map(|&cell| cell.to_owned()).collect()).collect();
        rows.iter().map(|&(name, rows)| (name.to_owned(), (String::new(), owned(rows)))).collect()
    }

    /// What the project ships is what this command makes of the lists that stand beside the forms.
    #[test]
    fn the_first_forms_hold_the_lists_of_their_folder() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/forms/lists");
        for bytes in shared::form::FIRST {
            let text = std::str::from_utf8(bytes).expect("UTF-8");
            let (before, mut all) = taken_apart(text).expect("a form with lists");
            for (name, (_, rows)) in &mut all {
                *rows = read_csv(&folder.join(format!("{name}.csv"))).expect("a list");
            }
            assert!(put_together(before, &all) == text, "{}", &text[..60]);
        }
    }

    #[test]
    fn all_else_in_a_form_stays_as_it_is() {
        let plain = "{\"format\": \"x\",\n  \"pad\": 0\n}\n";
        let (before, none) = taken_apart(plain).expect("taken apart");
        assert!(none.is_empty());
        let with = lists(&[("sex", &[&["f", "أنثى", "féminin", "female"]])]);
        let made = put_together(before, &with);
        assert!(made.starts_with("{\"format\": \"x\",\n  \"pad\": 0,\n \"lists\": {\n"), "{made}");
        assert_eq!(taken_apart(&made).expect("again"), (before, with));
        for wrong in ["", "[]", "{\"lists\":{}, \"pad\":0}", "{\"lists\":{\"a\":{\"codes\":[]}}}"] {
            assert_eq!(taken_apart(wrong).map_err(|p| p.code).err(), Some(Code::FormFileInvalid), "{wrong}");
        }
    }

    #[test]
    fn columns_are_known_by_their_headings_and_names_brought_to_one_form() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("list.csv");
        let read = |text: &str| {
            fs::write(&path, text).expect("written");
            read_csv(&path).map_err(|p| p.code)
        };
        let rows = Ok(vec![vec!["01".to_owned(), "طنجة".to_owned(), "Fès, ville".to_owned()]]);
        assert_eq!(read("\u{feff}code,slug,name_fr,name_ar\n01,fes,\"Fe\u{300}s,  ville\",طـنجة\n"), rows);
        assert_eq!(read("code,ar,fr,en\n01,أ,a,b\n02,أ,a,\n").map(|rows| (rows[0].len(), rows[1].len())), Ok((4, 3)));
        for wrong in ["", "code,ar\n01,أ\n", "code,ar,fr\n01,أ\n"] {
            assert_eq!(read(wrong), Err(Code::InputUnreadable), "{wrong:?}");
        }
    }
}
