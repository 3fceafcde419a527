//! The list of open facts.

use super::{centre::Centre, van::Van};

fn kinds(centre: &Centre) -> Vec<(String, String)> {
    let list = centre.ok(&["open", "list"]);
    let word = |fact: &serde_json::Value, name: &str| fact[name].as_str().unwrap_or_default().to_owned();
    list.of("open").into_iter().map(|fact| (word(fact, "kind"), word(fact, "about"))).collect()
}

#[test]
fn nothing_is_open_at_first_and_a_kept_key_is() {
    let centre = Centre::founded();
    centre.peopled();
    assert_eq!(kinds(&centre), []);
    centre.ok(&["unit", "admit", &centre.unit_request("van-1", 2), "--new-key", "--keep-old"]);
    let list = centre.ok(&["open", "list"]);
    let fact = list.of("open")[0];
    assert_eq!(fact["kind"], "key-kept");
    // the way out that it names works
    let next = fact["next"].as_str().expect("a way out");
    let command: Vec<&str> = next.split('`').nth(1).expect("a command").split(' ').skip(1).collect();
    centre.ok(&[&command[..], &["--yes"]].concat());
    assert_eq!(kinds(&centre), []);
}

#[test]
fn what_is_missing_is_named_until_it_comes() {
    let centre = Centre::founded();
    centre.peopled();
    let mut van = Van::new("van-1", centre.roster());
    van.enrol(1, None);
    let first = van.close();
    van.enrol(2, None);
    van.enrol(3, None);
    let second = van.close();
    van.enrol(4, None);
    let third = van.close();
    centre.log(&[first, third]);
    centre.merge();
    let expected = [("batches-missing", "van-1 1.2"), ("numbers-missing", "van-1 1.2–1.3")].map(|(k, a)| (k.to_owned(), a.to_owned()));
    assert_eq!(kinds(&centre), expected);
    let doctor = centre.ask(&["doctor"]);
    let line = doctor.lines.iter().find(|line| line["about"] == "open facts").expect("looked at").clone();
    assert_eq!((&line["health"], &line["seen"]), (&"warning".into(), &"1 batches-missing, 1 numbers-missing".into()));
    centre.log(&[second]);
    centre.merge();
    assert_eq!(kinds(&centre), []);
}

#[test]
fn a_withdrawal_after_its_record_is_an_open_fact() {
    let centre = Centre::founded();
    centre.peopled();
    let mut van = Van::new("van-1", centre.roster());
    let number = van.enrol(1, None);
    let first = van.close();
    van.withdraw(number);
    let second = van.close();
    centre.log(&[first, second]);
    centre.merge();
    assert_eq!(kinds(&centre), [("withdrawn-late".to_owned(), "van-1 1.1".to_owned())]);
    assert_eq!(centre.ok(&["fsck"]).last()["merged"], 1, "it changes nothing");
    // the withdrawal was wrong: the second way out that the fact names
    centre.adjudicator("amina");
    let next = centre.ok(&["open", "list"]).of("open")[0]["next"].as_str().expect("a way out").to_owned();
    let command = next.split('`').find(|part| part.starts_with("sync-server batch decide")).expect("a command");
    let words: Vec<&str> = command.split(' ').skip(1).take_while(|word| *word != "--as").collect();
    let signed = centre.signed_by("amina", &[&words[..], &["--yes"]].concat());
    centre.ok(&signed.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(kinds(&centre), []);
    assert_eq!(centre.ok(&["fsck"]).last()["merged"], 1);
}

#[test]
fn a_withdrawal_that_is_not_in_force_is_nobodys_business() {
    let centre = Centre::founded();
    centre.peopled();
    let mut van = Van::new("van-1", centre.roster());
    let number = van.enrol(1, None);
    let first = van.close();
    centre.log(&[first]);
    centre.ok(&["supervisor", "revoke", "supervisor-1", "--reason", "left", "--since", "now", "--yes"]);
    van.withdraw(number);
    centre.log(&[van.close()]);
    centre.merge();
    // its approval is not in force either
    let kinds: Vec<String> = kinds(&centre).into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(kinds, ["batch-quarantined"]);
}

#[test]
fn a_fork_is_open_until_somebody_decides() {
    let centre = Centre::founded();
    centre.peopled();
    let roster = centre.roster();
    let (mut van, mut copy) = (Van::new("van-1", roster.clone()), Van::new("van-1", roster));
    van.enrol(1, None);
    copy.skip_number();
    copy.enrol(2, None);
    centre.log(&[van.close(), copy.close()]);
    centre.merge();
    assert!(kinds(&centre).iter().any(|(kind, _)| kind == "fork"), "{:?}", kinds(&centre));
}
