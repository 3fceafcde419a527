//! One example for each rule, named by what it says.

use rules::{Found, engine::LineState};
use shared::{
    decision::{Subject, Verdict},
    id::{LogIndex, Transaction},
    outcome::Fate,
    problem::Code,
    roster::{Kept, Renewals, UnknownTargets},
    time::Second,
};

use crate::{
    drafts::{Draft, Sending, batch, draft, fields, key, member, number_target, signer},
    world::World,
};

pub fn decide(world: &mut World, who: &str, subject: Subject) -> shared::id::NoteId {
    let line = world.line(subject);
    world.decide(who, vec![line])
}

/// Two persons say so.
pub fn two(world: &mut World, subject: Subject) -> shared::id::NoteId {
    let note = decide(world, "amina", subject);
    world.confirm("brahim", note);
    note
}

pub fn of(draft: &Draft, verdict: Verdict) -> Subject {
    Subject::Record(draft.key(), verdict)
}

pub fn value(world: &World, of: &Draft, field: &str) -> Option<String> {
    world.memory().peek(|state| state.residents[&of.reference()].resident.fields.get(field).map(|(value, _)| value.clone()))
}

fn face(world: &World, of: &Draft) -> Option<shared::decision::RecordKey> {
    world.memory().peek(|state| state.residents[&of.reference()].resident.parts.get("face").map(|(_, from)| from.clone()))
}

pub fn line_state(world: &World, note: shared::id::NoteId) -> LineState {
    world.memory().peek(|state| state.decided[&note][&0])
}

#[test]
fn the_first_in_force_stands_and_the_later_is_held_against_it() {
    let mut world = World::new();
    let (one, two) = (draft("van-1", 1, "N1"), draft("van-2", 2, "N1"));
    world.send(batch(vec![one.clone()]));
    world.send(batch(vec![two.clone()]));
    assert!(world.is_merged(&one, &one));
    assert_eq!(world.held(&two), Some(Code::Duplicate));
    assert_eq!(world.memory().peek(|state| state.records[&two.key()].against.clone()), [one.key()], "the case names both");
}

#[test]
fn a_number_and_an_id_belong_to_the_first() {
    let mut world = World::new();
    let (one, number, id) = (draft("van-1", 1, "N1"), draft("van-1", 2, "N2").number(1), draft("van-1", 1, "N3").version(1));
    world.send(batch(vec![one.clone(), number.clone(), id.clone()]));
    assert_eq!((world.held(&number), world.held(&id)), (Some(Code::NumberReused), Some(Code::RecordReused)));
    assert_eq!(world.memory().peek(|state| state.records[&id.key()].against.clone()), [one.key()]);
}

/// A founding record, and a correction of its name by a batch that is changed before it is sent.
fn amended(change: impl FnOnce(&mut World, Sending) -> Sending) -> Option<Code> {
    let mut world = World::new();
    let first = draft("van-1", 1, "N1");
    world.send(batch(vec![first.clone()]));
    let correction = first.correction(2, &[("given_latin", "Tudert")]);
    let sending = change(&mut world, batch(vec![correction.clone()]));
    let correction = sending.records[0].clone();
    world.send(sending);
    world.held(&correction)
}

#[test]
fn identity_changes_by_the_own_unit_with_a_supervisor_apart_and_soon() {
    assert_eq!(amended(|_, sending| sending), None);
    let held = Some(Code::IdentityChange);
    let by_supervisor = |mut sending: Sending| {
        sending.records.push(draft("van-1", 3, "N3").by(key("supervisor-1", 1)));
        sending
    };
    assert_eq!(amended(|_, sending| by_supervisor(sending)), held, "the supervisor enrolled somebody of the batch");
    let late = |world: &mut World, sending| {
        world.wait(31 * 86_400);
        sending
    };
    assert_eq!(amended(late), held, "too late");
    let other_unit = |_: &mut World, mut sending: Sending| {
        (sending.unit, sending.records[0].unit) = (member("van-2"), member("van-2"));
        sending
    };
    assert_eq!(amended(other_unit), held, "another unit");
    let unapproved = |world: &mut World, sending: Sending| {
        world.roster(|facts| facts.approval = shared::roster::Approval::None);
        sending.approver(None)
    };
    assert_eq!(amended(unapproved), held, "nobody approved");
    assert_eq!(
        amended(|_, mut sending| {
            sending.records[0].says.fields = fields(&[("given_latin", "ÍTTO"), ("phone", "2")]);
            sending.approver(Some(key("supervisor-2", 1)))
        }),
        None,
        "another spelling is no change"
    );
}

#[test]
fn renewals_are_held_or_apply_as_the_roster_says() {
    for renewals in [Renewals::Hold, Renewals::Apply] {
        let mut world = World::with(|facts| facts.renewals = renewals);
        let first = draft("van-1", 1, "N1");
        let renewal = draft("van-2", 2, "").only(&[]).to(Transaction::Renewal, number_target("n1"));
        world.send(batch(vec![first.clone()]));
        world.send(batch(vec![renewal.clone()]));
        if renewals == Renewals::Hold {
            assert_eq!((world.held(&renewal), face(&world, &first)), (Some(Code::RenewalHeld), Some(first.key())));
        } else {
            assert!(world.is_merged(&renewal, &first));
            assert_eq!(face(&world, &first), Some(renewal.key()));
        }
    }
}

#[test]
fn an_unknown_number_is_held_or_founds_as_the_roster_says() {
    let renewal = |n| draft("van-1", n, "").only(&[("given_latin", "Itto")]).to(Transaction::Renewal, number_target("N9"));
    let mut world = World::new();
    world.send(batch(vec![renewal(1)]));
    assert_eq!(world.held(&renewal(1)), Some(Code::TargetUnknown));
    let mut world = World::with(|facts| (facts.unknown_targets, facts.renewals) = (UnknownTargets::Found, Renewals::Apply));
    let born = [("family_latin", "Haddad"), ("date_of_birth", "1980-05-17"), ("sex", "f"), ("place_of_birth", "04")];
    let (first, second, new) = (renewal(1).sets(&born), renewal(2).only(&[]), draft("van-2", 3, "N9"));
    world.send(batch(vec![first.clone(), second.clone()]));
    world.send(batch(vec![new.clone()]));
    assert!(world.is_merged(&first, &first));
    assert!(world.is_merged(&second, &first), "the number that the card bears is theirs, though no field says it");
    assert_eq!(world.held(&new), Some(Code::Duplicate));
    let another = draft("van-1", 6, "N6").to(Transaction::Renewal, number_target("N8"));
    world.send(batch(vec![another.clone()]));
    assert_eq!(world.held(&another), Some(Code::TargetUnknown), "it bears another number than the one it names");
    let own = draft("van-1", 7, "N7").to(Transaction::Renewal, number_target("N7"));
    world.send(batch(vec![own.clone()]));
    assert!(world.is_merged(&own, &own));
    // a change of the other fields does not take the number away
    let moved = first.correction(4, &[("place_of_birth", "05")]);
    world.send(batch(vec![moved.clone()]));
    assert!(world.is_merged(&moved, &first));
    let third = renewal(5).only(&[]);
    world.send(batch(vec![third.clone()]));
    assert!(world.is_merged(&third, &first));
}

const BORN: [(&str, &str); 3] = [("date_of_birth", "1980-05-17"), ("sex", "f"), ("place_of_birth", "04")];

#[test]
fn two_documents_of_one_person_are_one_resident() {
    let mut world = World::new();
    let card = draft("van-1", 1, "N1").sets(&BORN);
    let residence = draft("van-2", 2, "N1").sets(&BORN).sets(&[("residence_id", "R-1"), ("given_latin", "itto")]).form("residence/1");
    world.send(batch(vec![card.clone()]));
    world.send(batch(vec![residence.clone()]));
    assert!(world.is_merged(&residence, &card));
    assert_eq!(value(&world, &card, "residence_id").as_deref(), Some("R-1"));
    assert_eq!(value(&world, &card, "given_latin").as_deref(), Some("Itto"), "nothing is replaced");
    assert_eq!(face(&world, &card), Some(card.key()), "its parts are held as a renewal's");
    let number = [("national_number", "N1"), ("residence_id", "R-1")];
    let without_birth = [&number[..], &[("given_latin", "Itto"), ("family_latin", "Haddad")]].concat();
    let without_family = [&number[..], &[("given_latin", "Itto")], &BORN].concat();
    for other in [
        residence.clone().sets(&[("sex", "m")]),
        residence.clone().form("national-id/2"),
        residence.clone().sets(&[("given_latin", "")]),
        residence.clone().only(&without_birth),
        residence.clone().only(&without_family),
    ] {
        let mut world = World::new();
        world.send(batch(vec![card.clone()]));
        world.send(batch(vec![other.clone()]));
        assert_eq!(world.held(&other), Some(Code::Duplicate), "{:?}", other.says);
    }
}

#[test]
fn a_number_that_two_bear_names_nobody() {
    let mut world = World::with(|facts| facts.renewals = Renewals::Apply);
    let (one, other) = (draft("van-1", 1, "N1"), draft("van-2", 2, "N1"));
    world.send(batch(vec![one.clone()]));
    world.send(batch(vec![other.clone()]));
    decide(&mut world, "amina", of(&other, Verdict::Found));
    assert!(world.is_merged(&other, &other));
    let renewal = draft("van-1", 3, "").only(&[]).to(Transaction::Renewal, number_target("N1"));
    world.send(batch(vec![renewal.clone()]));
    assert_eq!(world.held(&renewal), Some(Code::TargetUnknown));
    assert_eq!(world.memory().peek(|state| state.records[&renewal.key()].against.len()), 2);
}

#[test]
fn a_record_waits_for_one_of_its_unit_and_is_judged_after_it() {
    for (target, fate) in [(draft("van-1", 1, "N1"), None), (draft("van-1", 1, "N2"), Some(Code::TargetUnknown))] {
        let mut world = World::new();
        world.send(batch(vec![draft("van-2", 9, "N2")]));
        let behind = world.placed(batch(vec![target.clone()]));
        let correction = target.correction(2, &[("phone", "1")]);
        world.send(batch(vec![correction.clone()]));
        assert_eq!(world.held(&correction), Some(Code::Waiting));
        world.deliver(&behind);
        assert_eq!(world.held(&correction), fate, "unless it founds, who waited is held");
    }
}

#[test]
fn who_waits_learns_what_is_decided_about_the_other() {
    for (verdict, fate) in [(Verdict::Found, None), (Verdict::Refuse, Some(Code::TargetUnknown))] {
        let mut world = World::new();
        let target = draft("van-1", 1, "N1");
        world.send(batch(vec![target.clone()]).approver(None));
        let correction = target.correction(2, &[("phone", "1")]);
        world.send(batch(vec![correction.clone()]));
        assert_eq!(world.held(&correction), Some(Code::Waiting));
        decide(&mut world, "amina", of(&target, verdict));
        assert_eq!(world.held(&correction), fate);
    }
    let mut world = World::new();
    let (target, other) = (draft("van-1", 1, "N1").number(7), draft("van-1", 7, "N7"));
    let correction = target.correction(2, &[("phone", "1")]);
    world.send(batch(vec![other, correction.clone(), target.clone()]));
    assert_eq!((world.held(&target), world.held(&correction)), (Some(Code::NumberReused), Some(Code::TargetUnknown)));
    let mut world = World::new();
    world.send(batch(vec![target.clone()]).approver(None));
    world.send(batch(vec![correction.clone()]));
    world.erase(&target.key());
    assert_eq!(world.held(&correction), Some(Code::TargetUnknown));
}

#[test]
fn who_waits_learns_nothing_from_a_line_that_is_not_in_force() {
    let mut world = World::new();
    let target = draft("van-1", 1, "N1");
    let correction = target.correction(2, &[("phone", "1")]);
    world.send(batch(vec![correction.clone()]));
    let mut wrong = target.clone();
    wrong.found = Found::Refused(Code::LineMismatch);
    world.send(batch(vec![wrong]).forked());
    assert_eq!(world.held(&correction), Some(Code::Waiting));
    world.send(batch(vec![target.clone()]));
    assert!(world.is_merged(&correction, &target), "the same bytes under their true line");
}

#[test]
fn nobody_waits_for_itself() {
    let mut world = World::new();
    let own = draft("van-1", 1, "").correction(1, &[("phone", "1")]);
    world.send(batch(vec![own.clone()]));
    assert_eq!(world.held(&own), Some(Code::TargetUnknown));
    assert_eq!(world.memory().told().into_values().flatten().collect::<Vec<_>>(), [world.fate(&own)]);
}

#[test]
fn a_corrected_number_joins_its_new_group_and_frees_the_old() {
    let mut world = World::new();
    let (one, two) = (draft("van-1", 1, "N1"), draft("van-1", 2, "N2"));
    let (taken, moved) = (one.correction(3, &[("national_number", "N2")]), one.correction(4, &[("national_number", "N3")]));
    let (held, now) = (draft("van-2", 5, "N1"), draft("van-2", 6, "N1"));
    world.send(batch(vec![one.clone(), two, taken.clone()]));
    world.send(batch(vec![held.clone()]));
    assert_eq!((world.held(&taken), world.held(&held)), (Some(Code::Duplicate), Some(Code::Duplicate)));
    world.send(batch(vec![moved.clone()]));
    world.send(batch(vec![now.clone()]));
    assert!(world.is_merged(&moved, &one) && world.is_merged(&now, &now));
    assert_eq!(world.held(&held), Some(Code::Duplicate), "what was held stays held");
}

#[test]
fn an_earlier_roster_forbids_nothing_however_old_it_is() {
    let mut world = World::with(|facts| facts.renewals = Renewals::Hold);
    world.wait(i64::try_from(world.facts.grace).expect("small") + 1);
    world.roster(|facts| facts.renewals = Renewals::Apply);
    let person = draft("van-1", 1, "N1");
    let renewal = draft("van-1", 2, "N1").to(Transaction::Renewal, number_target("N1"));
    world.send(batch(vec![person.clone(), renewal.clone()]));
    assert!(world.is_merged(&renewal, &person));
}

#[test]
fn what_only_the_later_roster_forbids_is_roster_old() {
    let mut world = World::with(|facts| facts.renewals = Renewals::Apply);
    let first = draft("van-1", 1, "N1");
    world.send(batch(vec![first.clone()]));
    world.roster(|facts| facts.renewals = Renewals::Hold);
    let old = Some(shared::id::RosterVersion(1));
    let (soon, late) = (first.renewal(2), first.renewal(3));
    world.send(Sending { roster: old, ..batch(vec![soon.clone()]) });
    world.wait(2 * 86_400);
    world.send(Sending { roster: old, ..batch(vec![late.clone()]) });
    assert!(world.is_merged(&soon, &first), "within the grace");
    assert_eq!(world.held(&late), Some(Code::RosterOld));
}

#[test]
fn a_cut_takes_out_what_the_key_signed_and_what_rested_on_it() {
    let mut world = World::with(|facts| facts.renewals = Renewals::Apply);
    let before = draft("van-2", 9, "N9");
    world.send(batch(vec![before.clone()]));
    let (theirs, rests) = (draft("van-1", 1, "N1").by(key("agent-2", 1)), draft("van-2", 2, ""));
    let rests = rests.only(&[("phone", "1")]).to(Transaction::Renewal, number_target("N1"));
    let cut = world.log.next();
    world.send(batch(vec![theirs.clone()]));
    world.send(batch(vec![rests.clone()]));
    assert!(world.is_merged(&rests, &theirs));
    world.cut(&key("agent-2", 1), cut);
    assert_eq!((world.held(&theirs), world.held(&rests)), (Some(Code::AgentRevoked), Some(Code::TargetGone)));
    assert!(world.is_merged(&before, &before));
    let (number, person) = (draft("van-1", 3, "N3").number(1), draft("van-2", 4, "N1"));
    world.send(batch(vec![number.clone()]));
    world.send(batch(vec![person.clone()]));
    assert!(world.is_merged(&number, &number) && world.is_merged(&person, &person), "its keys are free");
}

/// A unit's agent is cut between a head and what the head vouches for.
fn linked_late(between: impl FnOnce(&mut World)) -> (World, Draft, LogIndex) {
    let mut world = World::new();
    let record = draft("van-1", 1, "N1").by(key("agent-2", 1));
    let stick = world.placed(batch(vec![record.clone()]));
    let last = world.placed(batch(vec![draft("van-1", 2, "N2")]));
    world.head("van-1", 1, last.id()).expect("logged");
    let cut = world.log.next();
    world.deliver(&stick);
    world.cut(&key("agent-2", 1), cut);
    between(&mut world);
    assert_eq!(world.held(&record), Some(Code::AgentRevoked));
    let at = world.log.next();
    world.deliver(&last);
    (world, record, at)
}

#[test]
fn a_later_link_brings_back_what_was_cut_and_it_is_judged_there() {
    let (world, record, at) = linked_late(|_| {});
    assert!(world.is_merged(&record, &record));
    assert_eq!(world.memory().peek(|state| state.records[&record.key()].place), Some(at));
    let (world, record, _) = linked_late(|world| _ = world.send(batch(vec![draft("van-2", 3, "N1")])));
    assert_eq!(world.held(&record), Some(Code::Duplicate), "by what stands there");
}

#[test]
fn a_cut_does_not_know_the_link_that_the_next_entry_makes() {
    // with the whole log at hand, the fold takes the record out and brings it back, as one did that was never behind
    let (world, record, at) = linked_late(|_| {});
    let cut = LogIndex(at.0 - 1);
    assert!(matches!(world.log.entries[usize::try_from(cut.0).expect("small")].what, crate::log::What::Roster(_)));
    assert_eq!(world.memory().peek(|state| state.records[&record.key()].place), Some(at), "not where it stood before");
}

#[test]
fn a_kept_key_counts_until_its_time() {
    let mut world = World::new();
    let until = Second::from_unix(world.now + 10);
    world.roster(|facts| {
        facts.kept.push(Kept { key: key("agent-2", 1), until });
        World::admit(facts, "agent-2", 2, signer("agent-2", 2).public().clone());
    });
    let record = |n, nth| draft("van-1", n, &format!("N{n}")).by(key("agent-2", nth));
    world.send(batch(vec![record(1, 1), record(2, 2)]));
    world.wait(20);
    world.send(batch(vec![record(3, 1), record(4, 2)]));
    let held: Vec<Option<Code>> = [record(1, 1), record(2, 2), record(3, 1), record(4, 2)].iter().map(|r| world.held(r)).collect();
    assert_eq!(held, [None, None, Some(Code::AgentRevoked), None]);
}

#[test]
fn what_opens_later_is_judged_at_the_entry_that_says_so() {
    let mut world = World::new();
    let (late, between) = (draft("van-1", 1, "N1").broken(), draft("van-2", 2, "N1"));
    let id = world.send(batch(vec![late.clone()]));
    world.send(batch(vec![between.clone()]));
    let nothing = decide(&mut world, "amina", of(&late, Verdict::Found));
    assert_eq!(line_state(&world, nothing), LineState::Changed, "nobody has read it");
    assert_eq!(world.held(&late), Some(Code::Unopened));
    world.opened(id);
    assert!(world.is_merged(&between, &between));
    assert_eq!(world.held(&late), Some(Code::Duplicate), "the first in force stands");
}

#[test]
fn a_line_that_opens_later_is_judged_though_another_delivery_holds_its_record() {
    let mut world = World::new();
    let record = draft("van-1", 1, "N1");
    world.send(batch(vec![record.clone()]).forked());
    let id = world.send(batch(vec![record.clone().broken()]));
    assert_eq!(world.held(&record), Some(Code::Fork));
    world.opened(id);
    assert!(world.is_merged(&record, &record));
}

#[test]
fn what_is_delivered_again_is_merged_once() {
    let mut world = World::new();
    let record = draft("van-1", 1, "N1");
    let id = world.send(batch(vec![record.clone(), record.clone()]));
    world.send_again(id, &key("agent-3", 1));
    assert_eq!(world.memory().peek(|state| state.residents[&record.reference()].resident.sources.clone()), [record.key()]);
    two(&mut world, of(&record, Verdict::Refuse));
    world.send_again(id, &key("agent-2", 1));
    assert_eq!(world.fate(&record), Fate::Refused(Code::Decided), "what a person refused stays refused");
}
