//! The JSON Schema of a form's person fields: compiled once, offline, with formats asserted.
//!
//! **Invariants:** JSON Schema passes over words that it does not know, so a typo would silently switch a rule off:
//! here an unknown keyword or format is refused. There is no `$ref`, so nothing is ever fetched, and patterns run on
//! an engine that takes linear time.

use std::collections::BTreeMap;

use jsonschema::{PatternOptions, Validator};
use serde_json::{Map, Value};

use super::{Words, date::PartialDate, name::NameScript};
use crate::problem::{Code, Problem};

const KEYWORDS: [&str; 20] = [
    "$schema",
    "type",
    "properties",
    "additionalProperties",
    "required",
    "dependentRequired",
    "enum",
    "const",
    "pattern",
    "minLength",
    "maxLength",
    "format",
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "if",
    "then",
    "else",
    "description",
];
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";
/// A date that may be partial and does not lie in the future.
const PAST_DATE: &str = "past-date";
const MAX_FIELDS: usize = 128;

/// One field of a person.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) label: Words,
    pub(super) rule: Validator,
    pub(super) past_date: bool,
    pub(super) name: Option<NameScript>,
    pub(super) asks: String,
}

/// Checks the schema and compiles it: the whole, and each field by itself.
pub(super) fn compile(schema: &Value, mut labels: BTreeMap<String, Words>) -> Result<(Validator, BTreeMap<String, Field>), Problem> {
    known(schema)?;
    let top = schema.as_object().ok_or_else(|| wrong("schema is no object"))?;
    let properties = top.get("properties").and_then(Value::as_object).ok_or_else(|| wrong("schema without properties"))?;
    if top.get("type") != Some(&"object".into()) || top.get("additionalProperties") != Some(&Value::Bool(false)) {
        return Err(wrong("schema must be a closed object"));
    }
    if top.get("$schema").is_some_and(|dialect| dialect != DIALECT) || properties.len() > MAX_FIELDS {
        return Err(wrong("schema is of another dialect, or has too many fields"));
    }
    let mut fields = BTreeMap::new();
    for (name, rule) in properties {
        let label = labels.remove(name).ok_or_else(|| wrong(&format!("field {name} has no label")))?;
        fields.insert(name.clone(), field(name, rule, label)?);
    }
    match labels.keys().next() {
        Some(name) => Err(wrong(&format!("label of no field: {name}"))),
        None => Ok((validator(schema)?, fields)),
    }
}

fn field(name: &str, rule: &Value, label: Words) -> Result<Field, Problem> {
    if !is_field_name(name) {
        return Err(wrong("a field's name is not [a-z][a-z0-9_]{0,39}"));
    }
    let rule_of = rule.as_object().filter(|r| r.get("type") == Some(&"string".into()));
    let rule_of = rule_of.ok_or_else(|| wrong(&format!("field {name} is no string")))?;
    let format = rule_of.get("format").and_then(Value::as_str);
    let name = NameScript::ALL.into_iter().find(|script| format == Some(script.format()));
    Ok(Field { label, rule: validator(rule)?, past_date: format == Some(PAST_DATE), name, asks: in_words(rule_of) })
}

/// What a field asks for, in words: its own description, else what its keywords say.
fn in_words(rule: &Map<String, Value>) -> String {
    if let Some(own) = rule.get("description").and_then(Value::as_str) {
        return own.to_owned();
    }
    let number = |word: &str| rule.get(word).and_then(Value::as_u64);
    let mut words = Vec::new();
    if let Some(values) = rule.get("enum").and_then(Value::as_array) {
        words.push(format!("one of {}", values.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")));
    }
    match rule.get("format").and_then(Value::as_str) {
        Some(PAST_DATE) => words.push("a date as 1980-05-17, 1980-05 or 1980".to_owned()),
        Some("date") => words.push("a date as 1980-05-17".to_owned()),
        _ => {}
    }
    match (number("minLength"), number("maxLength")) {
        (Some(least), Some(most)) => words.push(format!("{least} to {most} characters")),
        (Some(least), None) => words.push(format!("at least {least} characters")),
        (None, Some(most)) => words.push(format!("at most {most} characters")),
        (None, None) => {}
    }
    if words.is_empty() { "as the form's pattern has it".to_owned() } else { words.join(", ") }
}

/// Names of fields are few and plain, so that a problem may name one.
pub fn is_field_name(name: &str) -> bool {
    (1..=40).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

fn validator(schema: &Value) -> Result<Validator, Problem> {
    let mut options = jsonschema::draft202012::options()
        .should_validate_formats(true)
        .should_ignore_unknown_formats(false)
        .with_format(PAST_DATE, |text: &str| PartialDate::parse(text).is_some())
        .with_pattern_options(PatternOptions::regex());
    for script in NameScript::ALL {
        options = options.with_format(script.format(), move |text: &str| script.fault(text).is_none());
    }
    options.build(schema).map_err(|_| wrong("schema does not compile"))
}

/// Every keyword, at every level, is one that we know.
fn known(schema: &Value) -> Result<(), Problem> {
    let Value::Object(map) = schema else {
        return if schema.is_boolean() { Ok(()) } else { Err(wrong("a schema is no object")) };
    };
    for (word, value) in map {
        if !KEYWORDS.contains(&word.as_str()) {
            return Err(wrong("schema with an unknown keyword"));
        }
        match word.as_str() {
            "properties" => object(value)?.values().try_for_each(known)?,
            "allOf" | "anyOf" | "oneOf" => value.as_array().ok_or_else(|| wrong("schema list"))?.iter().try_for_each(known)?,
            "not" | "if" | "then" | "else" | "additionalProperties" => known(value)?,
            "format" if !is_format(value) => return Err(wrong("schema with an unknown format")),
            _ => {}
        }
    }
    Ok(())
}

fn is_format(word: &Value) -> bool {
    word == PAST_DATE || word == "date" || NameScript::ALL.iter().any(|script| word == script.format())
}

fn object(value: &Value) -> Result<&Map<String, Value>, Problem> {
    value.as_object().ok_or_else(|| wrong("schema properties"))
}

/// The form itself is at fault, not a record.
pub(super) fn wrong(detail: &str) -> Problem {
    Problem::new(Code::FormFileInvalid, detail)
}
