use shared::{
    id::{Digest, KeyName, LogIndex},
    keys::Signer,
};

use super::*;
use crate::{
    fixtures::{START, member, roster_facts, signer},
    joining::signed,
};

fn key(name: &str, seed: u8) -> Signer {
    let name: KeyName = name.parse().expect("a key name");
    Signer::from_seed(name, &[seed; 32])
}

fn unit(name: &str, key: &Signer) -> Request {
    Request::Unit(UnitRequest { unit: member(name), key: key.public().clone() })
}

fn agent(name: &str, at: Option<&str>, key: &Signer) -> Request {
    let unit = at.map(member);
    Request::Person(AgentRequest { role: Role::Agent, name: member(name), unit, key: key.public().clone(), recipient: None })
}

fn moment() -> Moment {
    Moment { next: LogIndex(20), now: Second::from_unix(START) }
}

fn take(facts: &mut Facts, request: &Request, older: Older) -> Result<Admitted, Problem> {
    admit(facts, request, request.role(), older, &UnitTraits::default(), moment())
}

fn code<T>(result: Result<T, Problem>) -> Option<Code> {
    result.err().map(|p| p.code)
}

#[test]
fn a_units_new_key_opens_the_next_epoch_and_says_what_becomes_of_the_old() {
    let mut facts = roster_facts(1);
    assert_eq!(code(take(&mut facts, &unit("van-1", &signer("van-1")), Older::Cut)), Some(Code::NothingToDo));
    let second = unit("van-1", &key("van-1", 9));
    assert_eq!(code(take(&mut facts, &second, Older::Unsaid)), Some(Code::KeyChoice));
    let admitted = take(&mut facts, &second, Older::Cut).expect("said");
    let old = KeyRef::from(signer("van-1").public());
    assert_eq!((admitted.epoch, &admitted.cut[..]), (Some(2), &[old.clone()][..]));
    assert_eq!(facts.revocation(&old).map(|r| r.cut), Some(LogIndex(20)));
    assert_eq!(facts.newest_epoch(&member("van-1")).map(|u| u.region.as_str()), Some("04"), "the region goes over");
    let third = take(&mut facts, &unit("van-1", &key("van-1", 10)), Older::Keep).expect("said");
    let until = Second::from_unix(START + i64::try_from(facts.grace).expect("small"));
    assert_eq!(third.kept, [(KeyRef::from(key("van-1", 9).public()), until)], "a key that is cut is not kept");
    assert_eq!(code(take(&mut facts, &unit("van-1", &signer("van-1")), Older::Cut)), Some(Code::Revoked), "it never comes back");
    signed(facts, &signer("registry.example/roster-1")).expect("in canonical order");
}

#[test]
fn one_name_may_have_a_key_on_each_of_two_laptops() {
    let mut facts = roster_facts(1);
    take(&mut facts, &agent("agent-9", Some("van-1"), &key("agent-9", 1)), Older::Unsaid).expect("new");
    let other = take(&mut facts, &agent("agent-9", Some("van-2"), &key("agent-9", 2)), Older::Unsaid).expect("another laptop");
    assert!(other.cut.is_empty() && other.kept.is_empty());
    assert_eq!(code(take(&mut facts, &agent("agent-9", Some("van-1"), &key("agent-9", 3)), Older::Unsaid)), Some(Code::KeyChoice));
    let third = take(&mut facts, &agent("agent-9", Some("van-1"), &key("agent-9", 3)), Older::Cut).expect("said");
    assert_eq!(third.cut, [KeyRef::from(key("agent-9", 1).public())], "the key at van-2 is left alone");
    assert_eq!(
        code(take(&mut facts, &agent("agent-9", None, &key("agent-9", 4)), Older::Unsaid)),
        Some(Code::KeyChoice),
        "counts anywhere"
    );
    signed(facts, &signer("registry.example/roster-1")).expect("in canonical order");
}

#[test]
fn one_key_one_name_one_role() {
    let mut facts = roster_facts(1);
    let borrowed = Signer::from_seed("agent-9".parse().expect("name"), Digest::of(b"van-1").as_bytes());
    assert_eq!(code(take(&mut facts, &agent("agent-9", None, &borrowed), Older::Unsaid)), Some(Code::KeyWrong));
    assert_eq!(code(take(&mut facts, &agent("van-1", None, &key("van-1", 9)), Older::Unsaid)), Some(Code::RoleWrong));
    let asks = agent("agent-9", None, &key("agent-9", 9));
    let expected = admit(&mut facts, &asks, Role::Supervisor, Older::Unsaid, &UnitTraits::default(), moment());
    assert_eq!(code(expected), Some(Code::RoleWrong));
    assert_eq!(code(change_unit(&mut facts, &member("agent-1"), &UnitTraits::default())), Some(Code::NotFound));
}
