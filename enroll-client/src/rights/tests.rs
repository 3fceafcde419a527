//! A table of states: what each forbids, and that the refusal comes with its code.

use shared::{
    keys::Signer,
    log::Head,
    roster::{AgentEntry, Facts, Kept, Revocation, Roster, UnitEntry, invented},
};

use super::*;
use crate::vault::{state::Standing, wrap::Cost};

fn signer(name: &str, seed: u8) -> Signer {
    Signer::from_seed(name.parse().expect("name"), &[seed; 32])
}
fn key(name: &str, seed: u8) -> VerifierKey {
    signer(name, seed).public().clone()
}

const NOW: i64 = 1_795_000_000;

/// Van 1 with key 10 in epoch 1, which has seen 40 entries.
fn rights(change: impl FnOnce(&mut Facts, &mut State)) -> Rights {
    let seed = |name: &str| match name {
        "registry.example/log" => 2,
        "registry.example" => 3,
        "van-1" => 10,
        "agent-1" => 11,
        "supervisor-1" => 15,
        _ => 1,
    };
    let mut facts = invented::facts(|name| key(name, seed(name)));
    let mut state = State {
        unit: "van-1".parse().expect("name"),
        key: key("van-1", 10),
        next: None,
        server: String::new(),
        ca: None,
        roster_key: key("registry.example/roster-1", 1),
        cost: Cost { mib: 1, passes: 1 },
        epoch: Some(1),
        last_number: 0,
        last_sequence: 0,
        head: None,
        hello: 0,
        seen: Head { size: 40, root: Head::EMPTY.root },
        log_time: None,
        ahead: 0,
        settled: 0,
        standing: Standing::Ok,
        standing_since: None,
    };
    change(&mut facts, &mut state);
    let one = signer("registry.example/roster-1", 1);
    let roster = Roster::sign(facts, &[&one]).and_then(|r| r.trust_anchored(one.public())).expect("a roster");
    Rights { roster, state, now: Second::from_unix(NOW), contradicted: false }
}

fn cut(name: &str, seed: u8, cut: u64) -> Revocation {
    Revocation { key: KeyRef::from(&key(name, seed)), cut: LogIndex(cut), reason: "stolen".into() }
}
fn kept(name: &str, seed: u8, until: i64) -> Kept {
    Kept { key: KeyRef::from(&key(name, seed)), until: Second::from_unix(until) }
}
fn second_key(facts: &mut Facts) {
    let entry = UnitEntry { epoch: 2, key: key("van-1", 20), ..facts.units[0].clone() };
    facts.units.push(entry);
}

type Change = fn(&mut Facts, &mut State);

fn answers(rights: &Rights) -> [Option<Code>; 3] {
    [Act::Capture, Act::Close, Act::Prune].map(|act| rights.unit(act).err().map(|p| p.code))
}

#[test]
fn each_state_of_the_unit_forbids_what_it_must() {
    let all = |code| [Some(code); 3];
    let table: [(&str, Change, [Option<Code>; 3]); 13] = [
        ("nothing wrong", |_, _| (), [None; 3]),
        ("revoked", |f, _| f.revoked.push(cut("van-1", 10, 30)), all(Code::Revoked)),
        ("rewound", |_, s| s.standing = Standing::Rewound, all(Code::VaultRewound)),
        ("frozen", |_, s| s.standing = Standing::Frozen, all(Code::Frozen)),
        ("nothing more under this key", |_, s| s.standing = Standing::EpochNeeded, all(Code::EpochNeeded)),
        ("in another epoch than the vault", |f, _| f.units[0].epoch = 3, all(Code::EpochNeeded)),
        ("another laptop of this name", |_, s| s.key = key("van-1", 77), all(Code::UnitNotAdmitted)),
        ("never admitted", |f, _| f.units.clear(), all(Code::UnitNotAdmitted)),
        ("replaced elsewhere, kept", |f, _| (second_key(f), f.kept.push(kept("van-1", 10, NOW))).1, [None; 3]),
        ("replaced elsewhere, kept till before", |f, _| f.kept.push(kept("van-1", 10, NOW - 1)), all(Code::Revoked)),
        ("a newer key on another laptop", |f, _| second_key(f), [None; 3]),
        ("in grace", |f, _| f.expires = Second::from_unix(NOW - 86_400), [None; 3]),
        (
            "past its grace",
            |f, _| f.expires = Second::from_unix(NOW - 86_401),
            [Some(Code::RosterExpired), None, Some(Code::RosterExpired)],
        ),
    ];
    for (what, change, expected) in table {
        assert_eq!(answers(&rights(change)), expected, "{what}");
    }
    let shown = Rights { contradicted: true, ..rights(|_, _| ()) };
    assert_eq!(answers(&shown), [None, None, Some(Code::LogInconsistent)]);
}

#[test]
fn the_epoch_is_that_of_our_own_key() {
    let moved = rights(|f, s| {
        second_key(f);
        (s.key, s.epoch) = (key("van-1", 20), Some(2));
        f.revoked.push(cut("van-1", 10, 5));
    });
    assert_eq!(moved.unit(Act::Capture).map(|e| e.epoch), Ok(2), "the cut is the old key's");
}

#[test]
fn capture_ends_with_the_roster_or_with_a_key_that_was_replaced() {
    let expiring = |f: &mut Facts, _: &mut State| (f.expires, f.grace) = (Second::from_unix(NOW + 9 * 86_400), 86_400);
    assert_eq!(rights(expiring).days_left(), 10);
    let replaced = rights(|f, s| {
        (f.expires, f.grace) = (Second::from_unix(NOW + 9 * 86_400), 86_400);
        second_key(f);
        f.kept.push(kept("van-1", 10, NOW + 3 * 86_400));
        s.epoch = Some(1);
    });
    assert_eq!((replaced.days_left(), replaced.end_of_capture()), (3, Second::from_unix(NOW + 3 * 86_400)));
}

#[test]
fn a_new_key_under_way_is_named() {
    let frozen = rights(|_, s| (s.standing, s.next) = (Standing::Frozen, Some(key("van-1", 20))));
    let problem = frozen.unit(Act::Capture).map(|_| ()).expect_err("frozen");
    assert!(problem.code == Code::Frozen && problem.detail.contains("waits until the centre admits it"), "{problem}");
}

#[test]
fn a_member_stands_by_their_own_key_on_this_laptop() {
    let name: Member = "agent-1".parse().expect("name");
    let stands = |change: fn(&mut Facts, &mut State), seed, role| {
        rights(change).admission(&name, &key("agent-1", seed), role, Second::from_unix(NOW))
    };
    let two: fn(&mut Facts, &mut State) = |f, _| {
        let on = |van: &str, seed| AgentEntry {
            name: "agent-1".parse().expect("name"),
            key: key("agent-1", seed),
            unit: Some(van.parse().expect("name")),
        };
        f.agents = vec![on("van-1", 11), on("van-2", 12)];
        f.agents.sort_by_key(|a| a.key.id());
    };
    assert_eq!(stands(two, 11, Role::Agent), Admission::Admitted);
    assert_eq!(stands(two, 12, Role::Agent), Admission::AnotherUnit("van-2".parse().expect("name")));
    assert_eq!(stands(two, 13, Role::Agent), Admission::AnotherKey);
    assert_eq!(stands(two, 11, Role::Supervisor), Admission::AnotherRole(Role::Agent));
    assert_eq!(stands(|f, _| f.agents.clear(), 11, Role::Agent), Admission::NotListed);
    assert_eq!(stands(|f, _| f.revoked.push(cut("agent-1", 11, 39)), 11, Role::Agent), Admission::Revoked);
    assert_eq!(stands(|f, _| f.kept.push(kept("agent-1", 11, NOW)), 11, Role::Agent), Admission::KeptUntil(Second::from_unix(NOW)));
    assert_eq!(stands(|f, _| f.kept.push(kept("agent-1", 11, NOW - 1)), 11, Role::Agent), Admission::Revoked);
    let code = |change: fn(&mut Facts, &mut State)| rights(change).member(&name, &key("agent-1", 11), Role::Agent).map_err(|p| p.code);
    assert_eq!(code(|_, _| ()), Ok(()));
    assert_eq!(code(|f, _| f.revoked.push(cut("agent-1", 11, 1))), Err(Code::AgentRevoked));
    assert_eq!(code(|f, _| f.agents.clear()), Err(Code::AgentNotAdmitted));
}
