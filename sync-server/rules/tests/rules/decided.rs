//! Examples of what persons decide.

use rules::engine::LineState;
use shared::{
    decision::{BatchVerdict, Said, Subject, Verdict},
    id::Number,
    outcome::Fate,
    problem::Code,
};

use crate::{
    drafts::{batch, draft, key, member},
    examples::{decide, line_state, of, two, value},
    world::World,
};

#[test]
fn an_unapproved_batch_comes_in_force_when_it_is_accepted() {
    let mut world = World::new();
    let record = draft("van-1", 1, "N1");
    let id = world.send(batch(vec![record.clone()]).approver(None).withdraws(5, key("supervisor-1", 1)));
    assert_eq!(world.held(&record), Some(Code::Unapproved));
    let wrong = Subject::Batch(id, BatchVerdict::Accept(Code::Fork));
    let nothing = decide(&mut world, "amina", wrong);
    assert_eq!(line_state(&world, nothing), LineState::Changed, "another code");
    decide(&mut world, "amina", Subject::Batch(id, BatchVerdict::Accept(Code::Unapproved)));
    assert!(world.is_merged(&record, &record));
    let withdrawn = draft("van-1", 5, "N5");
    world.send(batch(vec![withdrawn.clone()]));
    assert_eq!(world.held(&withdrawn), Some(Code::NumberReused));
}

#[test]
fn acceptance_lifts_a_number_that_is_taken_also_where_the_line_opens_later() {
    let mut world = World::new();
    world.send(batch(vec![draft("van-1", 1, "N1"), draft("van-1", 2, "N2")]));
    let (open, broken) = (draft("van-1", 3, "N3").number(1), draft("van-1", 4, "N4").number(2).broken());
    let id = world.send(batch(vec![open.clone(), broken.clone()]).approver(None));
    decide(&mut world, "amina", Subject::Batch(id, BatchVerdict::Accept(Code::Unapproved)));
    assert!(world.is_merged(&open, &open));
    assert_eq!(world.held(&broken), Some(Code::Unopened));
    world.opened(id);
    assert!(world.is_merged(&broken, &broken));
}

#[test]
fn whoever_accepts_cut_or_frozen_keys_needs_a_second_person() {
    for how in 0..3 {
        let mut world = World::new();
        let (unit, record) = (key("van-1", 1), draft("van-1", 1, "N1"));
        let (cut, mut sending) = (world.log.next(), batch(vec![record.clone()]));
        if how == 0 {
            world.cut(&unit, cut);
        } else if how == 1 {
            world.freeze(&unit);
        } else {
            sending = sending.approver(None);
        }
        let id = world.send(sending);
        if how == 2 {
            // the entry says `unapproved`, and the unit's key has ended as well
            world.cut(&unit, cut);
        }
        let code = [Code::Revoked, Code::Frozen, Code::Unapproved][how];
        let note = decide(&mut world, "amina", Subject::Batch(id, BatchVerdict::Accept(code)));
        assert_eq!((line_state(&world, note), world.held(&record)), (LineState::Waits, Some(code)));
        world.says("amina", 1, Said::Confirm(note));
        assert_eq!(line_state(&world, note), LineState::Waits, "the same name is no second person");
        world.confirm("brahim", note);
        if how == 2 {
            // each acceptance lifts one code
            assert_eq!(world.held(&record), Some(Code::Revoked));
            two(&mut world, Subject::Batch(id, BatchVerdict::Accept(Code::Revoked)));
        }
        assert!(world.is_merged(&record, &record), "{code}");
    }
}

#[test]
fn refusing_a_merged_record_needs_two_and_frees_its_keys() {
    let mut world = World::new();
    let (record, rests) = (draft("van-1", 1, "N1"), draft("van-1", 1, "N1").correction(2, &[("phone", "1")]));
    world.send(batch(vec![record.clone(), rests.clone()]));
    let note = decide(&mut world, "amina", of(&record, Verdict::Refuse));
    assert!(world.is_merged(&record, &record));
    world.confirm("brahim", note);
    assert_eq!((world.fate(&record), world.held(&rests)), (Fate::Refused(Code::Decided), Some(Code::TargetGone)));
    let (number, id) = (draft("van-1", 3, "N1").number(1), draft("van-1", 1, "N4").version(1).number(4));
    world.send(batch(vec![number.clone(), id.clone()]));
    assert!(world.is_merged(&number, &number) && world.is_merged(&id, &id));
}

#[test]
fn a_line_whose_case_has_changed_does_nothing() {
    let mut world = World::new();
    let (one, other) = (draft("van-1", 1, "N1"), draft("van-2", 2, "N1"));
    world.send(batch(vec![one.clone()]));
    world.send(batch(vec![other.clone()]));
    let (found, refuse) = (world.line(of(&other, Verdict::Found)), world.line(of(&other, Verdict::Refuse)));
    world.decide("amina", vec![found]);
    let late = world.decide("brahim", vec![refuse]);
    assert_eq!(line_state(&world, late), LineState::Changed);
    assert!(world.is_merged(&other, &other));
}

#[test]
fn a_decision_about_what_the_log_does_not_have_does_nothing() {
    let mut world = World::new();
    let record = draft("van-1", 1, "N1");
    let later = world.placed(batch(vec![record.clone()]));
    let note = decide(&mut world, "amina", Subject::Batch(later.id(), BatchVerdict::Refuse));
    world.deliver(&later);
    assert_eq!(line_state(&world, note), LineState::Changed, "also when the batch is logged by now");
    assert!(world.is_merged(&record, &record));
}

#[test]
fn two_records_of_one_id_found_one_resident_at_most() {
    let mut world = World::new();
    let (one, other) = (draft("van-1", 1, "N1"), draft("van-1", 1, "N2").version(1).number(2));
    world.send(batch(vec![one.clone(), other.clone()]));
    let note = decide(&mut world, "amina", of(&other, Verdict::Found));
    assert_eq!(line_state(&world, note), LineState::Changed, "the reference is taken");
    decide(&mut world, "amina", of(&other, Verdict::Same(one.reference())));
    assert!(world.is_merged(&one, &one) && world.is_merged(&other, &one));
}

#[test]
fn taking_back_what_a_record_changed_needs_two() {
    let mut world = World::new();
    let first = draft("van-1", 1, "N1");
    let changed = first.correction(2, &[("given_latin", "Tudert")]);
    world.send(batch(vec![first.clone(), changed.clone()]));
    let note = decide(&mut world, "amina", of(&changed, Verdict::Same(first.reference())));
    assert_eq!(line_state(&world, note), LineState::Waits);
    assert_eq!(value(&world, &first, "given_latin").as_deref(), Some("Tudert"));
}

#[test]
fn what_waits_is_rejected_by_one_person_until_her_key_is_cut() {
    for who in ["amina", "brahim"] {
        let mut world = World::new();
        let first = draft("van-1", 1, "N1");
        world.send(batch(vec![first.clone()]));
        let note = decide(&mut world, "amina", of(&first, Verdict::Refuse));
        assert_eq!(line_state(&world, note), LineState::Waits);
        let cut = world.log.next();
        world.says(who, 1, Said::Reject(note));
        assert_eq!(line_state(&world, note), LineState::Rejected(cut));
        world.confirm("brahim", note);
        assert!(line_state(&world, note) == LineState::Rejected(cut) && world.is_merged(&first, &first), "{who}: nothing waits");
        world.cut(&key(who, 1), cut);
        assert_eq!(line_state(&world, note), LineState::Waits, "{who}: it waits again");
    }
    // what acts is not rejected
    let mut world = World::new();
    let (one, other) = (draft("van-1", 1, "N1"), draft("van-2", 2, "N1"));
    world.send(batch(vec![one]));
    world.send(batch(vec![other.clone()]));
    let note = decide(&mut world, "amina", of(&other, Verdict::Found));
    world.says("brahim", 1, Said::Reject(note));
    assert!(matches!(line_state(&world, note), LineState::Acts(_)) && world.is_merged(&other, &other));
}

#[test]
fn what_a_cut_adjudicator_decided_is_held_again() {
    let mut world = World::new();
    let (one, other) = (draft("van-1", 1, "N1"), draft("van-2", 2, "N1"));
    world.send(batch(vec![one.clone()]));
    world.send(batch(vec![other.clone()]));
    let cut = world.log.next();
    let note = decide(&mut world, "amina", of(&other, Verdict::Found));
    world.cut(&key("amina", 1), cut);
    assert_eq!((line_state(&world, note), world.held(&other)), (LineState::NotInForce, Some(Code::DecisionRevoked)));
    decide(&mut world, "brahim", of(&other, Verdict::Same(one.reference())));
    assert!(world.is_merged(&other, &one));
}

/// One person can neither have a merged record taken out by the cut of her key, nor shield it from the cut of another's.
#[test]
fn a_decision_that_changes_nothing_takes_nothing_out_and_shields_nothing() {
    let mut world = World::new();
    let (stands, bad) = (draft("van-1", 1, "N1"), draft("van-1", 2, "N2").by(key("agent-2", 1)));
    let cut = world.log.next();
    world.send(batch(vec![stands.clone(), bad.clone()]));
    for record in [&stands, &bad] {
        let note = decide(&mut world, "amina", of(record, Verdict::Found));
        assert!(matches!(line_state(&world, note), LineState::Acts(_)));
    }
    world.cut(&key("agent-2", 1), cut);
    assert_eq!(world.held(&bad), Some(Code::AgentRevoked), "nobody had decided about it");
    world.cut(&key("amina", 1), cut);
    assert!(world.is_merged(&stands, &stands), "nor about this one");
}

/// What another adjudicator says once more leaves the decision that stands.
#[test]
fn a_decision_said_again_falls_with_the_first_and_not_with_the_second() {
    let mut world = World::new();
    let record = draft("van-1", 1, "N1");
    let id = world.send(batch(vec![record.clone()]).approver(None));
    let accept = Subject::Batch(id, BatchVerdict::Accept(Code::Unapproved));
    let first = world.log.next();
    decide(&mut world, "amina", accept.clone());
    let again = world.log.next();
    decide(&mut world, "brahim", accept);
    world.cut(&key("brahim", 1), again);
    assert!(world.is_merged(&record, &record), "amina's stands");
    world.cut(&key("amina", 1), first);
    assert_eq!(world.held(&record), Some(Code::DecisionRevoked));
}

#[test]
fn a_second_signature_that_did_nothing_takes_nothing_back() {
    let mut world = World::new();
    let (one, other) = (draft("van-1", 1, "N1"), draft("van-2", 2, "N1"));
    world.send(batch(vec![one]));
    world.send(batch(vec![other.clone()]));
    let note = decide(&mut world, "amina", of(&other, Verdict::Found));
    let cut = world.log.next();
    world.confirm("chadi", note);
    world.cut(&key("chadi", 1), cut);
    assert!(world.is_merged(&other, &other), "one person was enough");
}

#[test]
fn a_refused_or_unaccepted_batch_gives_its_withdrawn_numbers_back() {
    let number = |n| Number::new(1, n).expect("a number");
    let mut world = World::new();
    let id = world.send(batch(vec![draft("van-1", 1, "N1")]).withdraws(5, key("supervisor-1", 1)));
    let takes = |world: &World| world.memory().peek(|state| state.withdrawn.contains(&(member("van-1"), number(5), id)));
    assert!(takes(&world));
    let cut = world.log.next();
    two(&mut world, Subject::Batch(id, BatchVerdict::Refuse));
    assert!(!takes(&world));
    world.cut(&key("brahim", 1), cut);
    assert!(takes(&world), "the refusal counts no longer");
    let mut world = World::new();
    let id = world.send(batch(vec![draft("van-1", 1, "N1")]).approver(None).withdraws(5, key("supervisor-1", 1)));
    let cut = world.log.next();
    decide(&mut world, "amina", Subject::Batch(id, BatchVerdict::Accept(Code::Unapproved)));
    world.cut(&key("amina", 1), cut);
    assert!(world.memory().peek(|state| state.withdrawn.is_empty()));
}
