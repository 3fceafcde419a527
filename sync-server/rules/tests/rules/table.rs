//! Each kind of assertion × each way of not being in force: it changes nothing else.

use rules::{Found, Line, Record};
use shared::{
    decision::{Said, Subject, Verdict},
    id::{LogIndex, Transaction},
    problem::Code,
    record::Target,
    roster::Renewals,
};

use crate::{
    drafts::{Draft, Sending, batch, draft, key, member, number_target, record_id, signer},
    log::What,
    world::World,
};

/// Why it is not in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    KeyCut,
    KeyReplaced,
    OtherRole,
    Quarantined,
    NotOpened,
}

const WAYS: [Way; 5] = [Way::KeyCut, Way::KeyReplaced, Way::OtherRole, Way::Quarantined, Way::NotOpened];

/// A world with somebody in it, whose keys agent-2, supervisor-2 and amina are ended as the way says.
fn world(way: Way) -> World {
    let mut world = World::with(|facts| facts.renewals = Renewals::Apply);
    world.send(batch(vec![draft("van-1", 1, "N1"), draft("van-1", 2, "N2")]));
    world.send(batch(vec![draft("van-2", 1, "N3")]));
    world.send(batch(vec![draft("van-2", 2, "N1")]));
    let waits = draft("van-1", 9, "").correction(3, &[("phone", "1")]);
    world.send(batch(vec![waits]));
    let cut = world.log.next();
    for name in ["agent-2", "supervisor-2", "amina"] {
        match way {
            Way::KeyCut => drop(world.cut(&key(name, 1), cut)),
            Way::KeyReplaced => {
                let new = signer(name, 2).public().clone();
                World::admit(&mut world.facts, name, 2, new);
                world.cut(&key(name, 1), cut);
            }
            _ => {}
        }
    }
    world
}

/// A line of agent-2 that claims what somebody has, or what the next one will want.
fn lines() -> Vec<(&'static str, Draft)> {
    let target = |target| draft("van-1", 8, "").only(&[("phone", "9")]).to(Transaction::Renewal, target);
    vec![
        ("a number", draft("van-1", 8, "N8").number(7)),
        ("a record id", draft("van-1", 9, "N8").version(1).number(8)),
        ("a match key", draft("van-1", 8, "N7")),
        ("a target by number", target(number_target("N2"))),
        ("a target by record", target(Target::Record { unit: member("van-1"), record: record_id(2) })),
        ("a target by resident", target(Target::Resident { resident: draft("van-2", 1, "").reference() })),
        ("what another waits for", draft("van-1", 9, "N9")),
    ]
}

/// What comes afterwards and would meet the assertion, if it acted.
fn afterwards(world: &mut World) {
    world.send(batch(vec![draft("van-1", 7, "N7"), draft("van-1", 10, "N10")]));
    world.send(batch(vec![draft("van-2", 7, "N2")]));
}

/// The same log with a line, or without it, differs in the line's own record and nowhere else.
fn changes_nothing_else(with: &World, without: &World, own: Option<&Draft>, what: &str) {
    let (with, without) = (with.memory().state(), without.memory().state());
    let others = |state: &crate::memory::State| -> Vec<(shared::decision::RecordKey, Record)> {
        state.records.clone().into_iter().filter(|(key, _)| own.is_none_or(|own| own.key() != *key)).collect()
    };
    assert_eq!(others(&with), others(&without), "{what}");
    assert_eq!(with.residents, without.residents, "{what}");
    assert_eq!(with.withdrawn, without.withdrawn, "{what}");
    assert_eq!(with.waiting, without.waiting, "{what}");
    if let Some(own) = own {
        let record = &with.records[&own.key()];
        assert!(record.place.is_none() && !record.holds_id && !record.holds_number && record.mode.is_none(), "{what}");
    }
}

/// Sends it as the way says; none where the intake refuses it already.
fn sent(world: &mut World, way: Way, mut sending: Sending) {
    match way {
        // the roster has no such key for this part: the manifest is refused before it is logged
        Way::OtherRole => sending.records.clear(),
        Way::Quarantined => sending = sending.forked(),
        Way::NotOpened => sending.records.iter_mut().for_each(|record| record.broken = true),
        Way::KeyCut | Way::KeyReplaced => {}
    }
    world.send(sending);
}

/// The log without what the batches of this entry and later ones claim.
fn empty(mut world: World, at: LogIndex) -> World {
    let What::Batch(id) = world.log.entries[usize::try_from(at.0).expect("small")].what else { panic!("a batch") };
    world.log.batches.get_mut(&id).expect("logged").lines.retain(|line| matches!(line, Line::Withdrawn(_)));
    world
}

#[test]
fn a_record_line_that_is_not_in_force_changes_nothing_else() {
    for way in WAYS {
        for (claims, line) in lines() {
            let mut with = world(way);
            let at = with.log.next();
            sent(&mut with, way, batch(vec![line.clone().by(key("agent-2", 1))]));
            afterwards(&mut with);
            let own = (way != Way::OtherRole).then_some(&line);
            changes_nothing_else(&with, &empty(with.clone(), at), own, &format!("{claims}, {way:?}"));
        }
    }
}

#[test]
fn a_line_of_wrong_content_changes_nothing_else() {
    for (claims, mut line) in lines() {
        let mut with = world(Way::NotOpened);
        let at = with.log.next();
        line.found = Found::Refused(Code::LineMismatch);
        with.send(batch(vec![line.clone()]));
        afterwards(&mut with);
        changes_nothing_else(&with, &empty(with.clone(), at), Some(&line), claims);
    }
}

#[test]
fn an_approval_that_is_not_in_force_puts_nothing_in_force() {
    for way in [Way::KeyCut, Way::KeyReplaced, Way::Quarantined, Way::NotOpened] {
        for (claims, line) in lines() {
            let mut with = world(way);
            let at = with.log.next();
            sent(&mut with, way, batch(vec![line.clone()]).approver(Some(key("supervisor-2", 1))));
            afterwards(&mut with);
            changes_nothing_else(&with, &empty(with.clone(), at), Some(&line), &format!("{claims}, {way:?}"));
        }
    }
}

#[test]
fn a_withdrawal_that_is_not_in_force_takes_no_number() {
    for way in [Way::KeyCut, Way::KeyReplaced, Way::Quarantined] {
        let send = |withdraws: bool| {
            let mut world = world(way);
            let sending = batch(Vec::new()).at(50, None);
            let sending = if withdraws { sending.withdraws(7, key("supervisor-2", 1)) } else { sending };
            world.deliver(&if way == Way::Quarantined { sending.forked() } else { sending });
            afterwards(&mut world);
            world
        };
        changes_nothing_else(&send(true), &send(false), None, &format!("{way:?}"));
    }
}

#[test]
fn a_head_that_is_not_in_force_links_nothing() {
    // a key that had ended has no heads in the log; of one that ends later, those from the end on count no longer
    for replaced in [false, true] {
        let mut world = World::new();
        let record = draft("van-1", 1, "N1");
        let stick = world.placed(batch(vec![record.clone()]));
        let cut = world.log.next();
        assert!(world.head("van-1", 1, stick.id()).is_some());
        if replaced {
            World::admit(&mut world.facts, "van-1", 2, signer("van-1", 2).public().clone());
        }
        world.cut(&key("van-1", 1), cut);
        assert!(world.head("van-1", 1, stick.id()).is_none(), "nothing more of that key is logged");
        world.deliver(&stick);
        assert_eq!(world.held(&record), Some(Code::Revoked));
    }
}

#[test]
fn a_head_of_another_key_of_the_unit_that_ended_links_nothing() {
    let mut world = World::new();
    World::admit(&mut world.facts, "van-1", 2, signer("van-1", 2).public().clone());
    world.roster(|_| {});
    let record = draft("van-1", 1, "N1");
    let stick = world.placed(batch(vec![record.clone()]));
    let stolen = world.log.next();
    world.head("van-1", 2, stick.id()).expect("logged");
    let cut = world.log.next();
    world.cut(&key("van-1", 2), stolen);
    world.cut(&key("van-1", 1), cut);
    world.deliver(&stick);
    assert_eq!(world.held(&record), Some(Code::Revoked), "the head was the thief's");
}

#[test]
fn a_decision_that_is_not_in_force_changes_nothing() {
    let other = draft("van-2", 2, "N1");
    for way in [Way::KeyCut, Way::KeyReplaced, Way::OtherRole] {
        let mut with = world(way);
        let without = with.clone();
        let line = with.line(Subject::Record(other.key(), Verdict::Found));
        if way == Way::OtherRole {
            continue; // the sequencer asks the roster for an adjudicator's key
        }
        assert_eq!(with.says("amina", 1, Said::Lines(vec![line])), None, "{way:?}: not logged");
        changes_nothing_else(&with, &without, None, &format!("{way:?}"));
    }
    // logged all the same, by a centre that is wrong
    let mut with = world(Way::KeyCut);
    let without = with.clone();
    let line = with.line(Subject::Record(other.key(), Verdict::Found));
    with.force_note("amina", Said::Lines(vec![line]));
    changes_nothing_else(&with, &without, None, "a note of an ended key");
}

#[test]
fn a_confirmation_that_is_not_in_force_changes_nothing() {
    let mut with = world(Way::KeyCut);
    let line = with.line(Subject::Record(draft("van-1", 1, "").key(), Verdict::Refuse));
    let note = with.decide("brahim", vec![line]);
    let without = with.clone();
    for (said, what) in [(Said::Confirm(note), "a second signature"), (Said::Reject(note), "a rejection")] {
        let mut with = without.clone();
        with.force_note("amina", said);
        changes_nothing_else(&with, &without, None, &format!("{what} of an ended key"));
    }
}
