//! A session: unlocked once, the same commands without the prefix, locked on demand.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{ChildStdin, Stdio},
};

use serde_json::Value;

use super::{
    centre::Centre,
    unit::{Unit, ran, resident},
};

#[test]
fn commands_come_without_the_prefix_through_a_pipe() {
    let mut centre = Centre::new();
    let unit = Unit::admitted(&mut centre);
    let folder = unit.resident("one", &resident(1));
    let mut session = unit.command(&["session"]);
    let mut session = session.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let script =
        format!("enrol --yes '{}'\nstatus\nno-such-command\nlock\nreview list\nunlock\nreview list\nexit\nstatus\n", folder.display());
    session.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    let ran = ran(&session.wait_with_output().unwrap());
    let word = |l: &Value| l["message_type"].as_str().unwrap().to_owned() + l["code"].as_str().unwrap_or("");
    let words: Vec<String> = ran.lines.iter().filter(|l| l["message_type"] != "warning").map(word).collect();
    // enrolled · status · unknown command · locked · refused while locked · unlocked: an agent is no supervisor
    assert_eq!(words, ["finished", "summary", "summary", "errorusage", "summary", "errorsession-needed", "errorreview-needed"]);
    assert_eq!(ran.exit, 2, "the first that went wrong");
    assert!(!unit.data().join("session.sock").exists());
}

#[test]
fn a_second_session_is_told_and_everything_else_goes_on() {
    let mut centre = Centre::new();
    let unit = Unit::admitted(&mut centre);
    let mut command = unit.command(&["session"]);
    let mut session = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut input = session.stdin.take().unwrap();
    let mut output = BufReader::new(session.stdout.take().unwrap()).lines();
    let mut ask = |input: &mut ChildStdin, line: &str| -> Value {
        input.write_all(format!("{line}\n").as_bytes()).unwrap();
        serde_json::from_str(&output.next().unwrap().unwrap()).unwrap()
    };
    let draft = ask(&mut input, "draft new residence-certificate/1");
    assert_eq!(draft["message_type"], "summary");
    unit.run(&["session"]).refused("locked-elsewhere", 11);
    assert_eq!(unit.run(&["draft", "list"]).done()["drafts"], 1);
    unit.run(&["status"]).done();
    unit.run(&["lock"]).done();
    assert_eq!(ask(&mut input, &format!("draft show {}", draft["draft"].as_str().unwrap()))["code"], "session-needed");
    // a command may read the rest of the input itself
    input.write_all(format!("unlock\ndraft set {} --stdin\nsex=f\n", draft["draft"].as_str().unwrap()).as_bytes()).unwrap();
    drop(input);
    let saved: Value = serde_json::from_str(&output.next().unwrap().unwrap()).unwrap();
    assert!(saved["missing"].as_array().is_some_and(|m| !m.contains(&"field sex".into()) && !m.is_empty()), "{saved}");
    session.wait().unwrap();
    assert_eq!(unit.run(&["lock"]).exit, 4, "no session any more");
    unit.run(&["draft", "new", "residence-certificate/1"]).done();
}

#[test]
fn keys_go_when_nothing_is_typed_for_a_while() {
    let mut centre = Centre::new();
    let unit = Unit::admitted(&mut centre);
    let mut command = unit.command(&["session", "--idle", "1"]);
    let mut session = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut input = session.stdin.take().unwrap();
    let mut lines = BufReader::new(session.stdout.take().unwrap()).lines();
    let mut next = || -> Value { serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap() };
    assert_eq!(next()["message_type"], "locked", "comes by itself");
    input.write_all(b"draft new national-id/1\n").unwrap();
    assert_eq!(next()["code"], "session-needed");
    drop(input);
    assert_eq!(session.wait().unwrap().code(), Some(12));
}
