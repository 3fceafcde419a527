//! A file of decisions, one a line, plain or JSON; at most 500.
//!
//! ```text
//! # CASE verb [REFERENCE] reason
//! 5f0c…  found different-person
//! 91aa…  same 77b1… same-person
//! {"case":"5f0c…","verdict":"same","reference":"77b1…","reason":"same-person"}
//! ```

use serde::Deserialize;
use shared::{
    decision::{MAX_LINES, Reason},
    id::{CaseRef, ResidentRef},
    problem::{Code, Problem},
};

use super::decide::Verb;

/// What a person wants of one case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wish {
    /// Which case.
    pub(super) case: CaseRef,
    /// What becomes of it.
    pub(super) verb: Verb,
    /// Of whom, where that is needed.
    pub(super) reference: Option<ResidentRef>,
    /// Why.
    pub(super) reason: Reason,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Json {
    case: String,
    verdict: String,
    #[serde(default)]
    reference: Option<String>,
    reason: String,
}

/// Reads them all; an error names the line.
pub(super) fn parse(bytes: &[u8]) -> Result<Vec<Wish>, Problem> {
    let text = std::str::from_utf8(bytes).map_err(|_| Problem::new(Code::InputUnreadable, "decisions: not UTF-8"))?;
    let mut wishes: Vec<Wish> = Vec::new();
    for (n, line) in (1..).zip(text.trim_start_matches('\u{feff}').lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let wish = one(line).ok_or_else(|| Problem::new(Code::Usage, format!("line {n}: not a case, a verdict and a reason")))?;
        if wishes.iter().any(|before| before.case == wish.case) {
            return Err(Problem::new(Code::Usage, format!("line {n}: the case {} comes twice", wish.case)));
        }
        wishes.push(wish);
        if wishes.len() > MAX_LINES {
            return Err(Problem::new(Code::Usage, format!("more than {MAX_LINES} decisions: give them in several files")));
        }
    }
    if wishes.is_empty() { Err(Problem::new(Code::NothingToDo, "the file has no decision")) } else { Ok(wishes) }
}

fn one(line: &str) -> Option<Wish> {
    let (case, verb, reference, reason) = if line.starts_with('{') {
        let json: Json = serde_json::from_str(line).ok()?;
        (json.case, json.verdict, json.reference, json.reason)
    } else {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        match &words[..] {
            [case, verb, reason] => (case.clone(), verb.clone(), None, reason.clone()),
            [case, verb, reference, reason] => (case.clone(), verb.clone(), Some(reference.clone()), reason.clone()),
            _ => return None,
        }
    };
    let verb = Verb::of(&verb)?;
    let reference = reference.map(|reference| reference.parse()).transpose().ok()?;
    if reference.is_some() != verb.wants_reference() {
        return None;
    }
    Some(Wish { case: case.parse().ok()?, verb, reference, reason: reason.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CASE: &str = "5f0c0000000000000000000000000000";
    const OTHER: &str = "77b10000000000000000000000000000";

    #[test]
    fn both_ways_of_writing_say_the_same() {
        let plain = format!("# today\n\n{CASE} same {OTHER} same-person\n{OTHER}  found different-person\n");
        let json = format!(
            "{{\"case\":\"{CASE}\",\"verdict\":\"same\",\"reference\":\"{OTHER}\",\"reason\":\"same-person\"}}\n{{\"case\":\"{OTHER}\",\
             \"verdict\":\"found\",\"reason\":\"different-person\"}}"
        );
        let read = parse(plain.as_bytes()).expect("read");
        assert_eq!(parse(json.as_bytes()), Ok(read.clone()));
        assert_eq!((read.len(), read[0].verb, read[1].reason), (2, Verb::Same, Reason::DifferentPerson));
    }

    #[test]
    fn what_is_not_said_whole_is_refused_with_its_line() {
        for (line, why) in [
            ("5f0c found mistake", "not a reference"),
            (&format!("{CASE} same same-person"), "same as whom"),
            (&format!("{CASE} found {OTHER} mistake"), "found needs nobody"),
            (&format!("{CASE} found whim"), "no such reason"),
            (&format!("{CASE} keep mistake"), "no such verdict"),
            ("{\"case\":1}", "not JSON of ours"),
            (&format!("{CASE} found mistake\n{CASE} refuse mistake"), "twice"),
        ] {
            let refused = parse(format!("# x\n{line}\n").as_bytes()).map_err(|p| (p.code, p.detail.contains("line ")));
            assert_eq!(refused, Err((Code::Usage, true)), "{why}");
        }
        assert_eq!(parse(b"# nothing\n").map_err(|p| p.code), Err(Code::NothingToDo));
        let many = (0..=MAX_LINES).map(|n| format!("{n:032x} found mistake\n")).collect::<Vec<_>>().concat();
        assert_eq!(parse(many.as_bytes()).map_err(|p| p.code), Err(Code::Usage));
    }
}
