//! A roster is read as printed, trusted as signed, and consistent.

use super::*;
use crate::{
    id::LogIndex,
    keys::{KeyRef, Signer},
};

pub(crate) fn signer(name: &str, seed: u8) -> Signer {
    Signer::from_seed(name.parse().expect("name"), &[seed; 32])
}

/// The invented roster, and one agent's key that ended.
pub(crate) fn facts() -> Facts {
    let seed = |name: &str| match name {
        "registry.example/log" => 2,
        "registry.example" => 3,
        "registry.example/roster-1" => 1,
        "van-1" => 10,
        "agent-1" => 11,
        _ => 12,
    };
    let ended = KeyRef::from(signer("agent-1", 13).public());
    Facts {
        revoked: vec![Revocation { key: ended, cut: LogIndex(7), reason: "left".into() }],
        ..invented::facts(|name| signer(name, seed(name)).public().clone())
    }
}

#[test]
fn reads_what_it_prints_and_trusts_only_the_anchor() {
    let one = signer("registry.example/roster-1", 1);
    let roster = Roster::sign(facts(), &[&one]).expect("canonical");
    let read = Roster::parse(roster.note().as_bytes()).expect("well-formed");
    assert_eq!(read, roster);
    assert!(read.clone().trust_anchored(signer("registry.example/roster-1", 9).public()).is_err());
    assert!(read.trust_anchored(one.public()).is_ok());
}

#[test]
fn newer_only_and_both_sets_when_signers_change() {
    let (one, two) = (signer("registry.example/roster-1", 1), signer("registry.example/roster-2", 22));
    let first = Roster::sign(facts(), &[&one]).and_then(|r| r.trust_anchored(one.public())).expect("first");
    let again = Roster::sign(facts(), &[&one]).expect("canonical");
    assert_eq!(again.trust_after(&first).map_err(|p| p.code), Err(Code::RosterRefused));
    let mut changed = facts();
    changed.version = RosterVersion(2);
    changed.signers.keys = vec![two.public().clone()];
    let signed = |keys: &[&Signer]| Roster::sign(changed.clone(), keys).expect("canonical").trust_after(&first).map_err(|p| p.code);
    assert_eq!(signed(&[&one]), Err(Code::RosterRefused));
    assert_eq!(signed(&[&two]), Err(Code::RosterRefused));
    assert_eq!(signed(&[&two, &one]), Err(Code::NoteSignatures), "not sorted by name");
    assert!(signed(&[&one, &two]).is_ok());
}

#[test]
fn a_later_roster_drops_no_key_and_moves_no_cut_to_later() {
    let one = signer("registry.example/roster-1", 1);
    let second = signer("agent-1", 21);
    let kept = Kept { key: KeyRef::from(signer("agent-1", 11).public()), until: crate::time::Second::from_unix(1_790_500_000) };
    let mut first = facts();
    first.agents.push(AgentEntry { name: "agent-1".parse().expect("name"), key: second.public().clone(), unit: None });
    first.agents.sort_by_key(|a| KeyRef::from(&a.key));
    first.kept.push(kept);
    let trusted = Roster::sign(first.clone(), &[&one]).and_then(|r| r.trust_anchored(one.public())).expect("first");
    let next = |change: &dyn Fn(&mut Facts)| {
        let mut facts = Facts { version: RosterVersion(2), ..first.clone() };
        change(&mut facts);
        Roster::sign(facts, &[&one]).and_then(|roster| roster.trust_after(&trusted)).map(drop).map_err(|p| p.code)
    };
    assert_eq!(next(&|_| ()), Ok(()));
    assert_eq!(next(&|f| f.revoked[0].cut = LogIndex(6)), Ok(()), "earlier is possible");
    assert_eq!(next(&|f| f.kept[0].until = crate::time::Second::from_unix(1)), Ok(()));
    for (what, change) in [
        ("a cut moved", Box::new(|f: &mut Facts| f.revoked[0].cut = LogIndex(8)) as Box<dyn Fn(&mut Facts)>),
        ("a cut gone", Box::new(|f: &mut Facts| f.revoked.clear())),
        ("kept longer", Box::new(|f: &mut Facts| f.kept[0].until = crate::time::Second::from_unix(1_790_500_001))),
        ("kept for ever", Box::new(|f: &mut Facts| f.kept.clear())),
        ("an agent's key gone", Box::new(|f: &mut Facts| f.agents.retain(|a| a.key != *second.public()))),
        ("a unit's key gone", Box::new(|f: &mut Facts| f.units.clear())),
    ] {
        assert_eq!(next(&change), Err(Code::RosterRefused), "{what}");
    }
}

#[test]
fn one_name_a_key() {
    let one = signer("registry.example/roster-1", 1);
    let mut borrowed = facts();
    // the same secret under another name
    borrowed.agents.push(AgentEntry { name: "agent-2".parse().expect("name"), key: signer("agent-2", 12).public().clone(), unit: None });
    assert!(Roster::sign(borrowed, &[&one]).is_err(), "it is supervisor-1's");
    let mut own = facts();
    own.agents.push(AgentEntry { name: "agent-2".parse().expect("name"), key: signer("agent-2", 33).public().clone(), unit: None });
    assert!(Roster::sign(own, &[&one]).is_ok());
}

#[test]
fn what_is_sealed_is_sealed_to_two() {
    let mut same = facts();
    same.recipients.recovery = same.recipients.working.clone();
    let refused = Roster::sign(same, &[&signer("registry.example/roster-1", 1)]).map(|_| ()).map_err(|p| p.code);
    assert_eq!(refused, Err(Code::RosterRefused));
}

#[test]
fn one_role_a_name_and_sorted() {
    let one = signer("registry.example/roster-1", 1);
    let mut twice = facts();
    twice.agents.push(AgentEntry { name: "van-1".parse().expect("name"), key: signer("van-1", 20).public().clone(), unit: None });
    assert!(Roster::sign(twice, &[&one]).is_err());
    let mut unsorted = facts();
    unsorted.agents.push(AgentEntry { name: "agent-0".parse().expect("name"), key: signer("agent-0", 20).public().clone(), unit: None });
    assert!(Roster::sign(unsorted, &[&one]).is_err());
    let mut other_name = facts();
    other_name.agents[0].key = signer("agent-2", 20).public().clone();
    assert!(Roster::sign(other_name, &[&one]).is_err(), "a member's key bears the member's name");
}
