//! What comes in force late, or goes on by another delivery.

use rules::{Found, decisions::Needs, force};
use shared::{
    decision::{BatchVerdict, Subject},
    id::{BatchId, LogIndex, Number, Transaction},
    keys::KeyRef,
    problem::Code,
    roster::{Approval, Kept},
    time::Second,
};

use crate::{
    drafts::{Draft, batch, draft, key, number_target, signer},
    examples::{decide, two},
    memory::{Memory, Opening},
    world::World,
};

/// A second key of the unit beside the first, which goes on for a day.
fn second_key(world: &mut World) {
    let until = Second::from_unix(world.now + 86_400);
    world.roster(|facts| {
        facts.kept.push(Kept { key: key("van-1", 1), until });
        World::admit(facts, "van-1", 2, signer("van-1", 2).public().clone());
    });
}

/// The same record under both keys of its unit; under the second one it bears number 5.
fn sent_twice(world: &mut World, record: &Draft) -> (BatchId, BatchId) {
    let first = world.send(batch(vec![record.clone()]));
    second_key(world);
    let again = crate::drafts::Sending { epoch: 2, ..batch(vec![record.clone().number(5)]) };
    (first, world.send(again))
}

fn delivery(world: &World, record: &Draft) -> (BatchId, u64, Number) {
    world.memory().peek(|state| {
        let record = &state.records[&record.key()];
        (record.delivery.0, record.delivery.1, record.number)
    })
}

#[test]
fn a_record_that_came_twice_outlives_the_cut_of_its_first_key() {
    let mut world = World::new();
    let record = draft("van-1", 1, "N1");
    let (first, second) = sent_twice(&mut world, &record);
    assert_eq!(delivery(&world, &record), (first, 0, Number::new(1, 1).expect("a number")));
    world.cut(&key("van-1", 1), LogIndex(1));
    assert!(world.is_merged(&record, &record), "the second delivery is in force");
    assert_eq!(delivery(&world, &record), (second, 0, Number::new(2, 5).expect("a number")));
    world.cut(&key("van-1", 2), LogIndex(1));
    assert_eq!(world.held(&record), Some(Code::Revoked));
}

#[test]
fn a_second_delivery_under_a_number_that_is_taken_does_not_stand_in() {
    let mut world = World::new();
    let record = draft("van-1", 1, "N1");
    world.send(batch(vec![record.clone()]));
    second_key(&mut world);
    world.send(crate::drafts::Sending { epoch: 2, ..batch(vec![draft("van-1", 2, "N2").number(5)]) });
    world.send(crate::drafts::Sending { epoch: 2, ..batch(vec![record.clone().number(5)]) });
    world.cut(&key("van-1", 1), LogIndex(1));
    assert_eq!(world.held(&record), Some(Code::Revoked));
}

#[test]
fn a_batch_that_is_refused_leaves_what_another_one_brought() {
    let mut world = World::new();
    let (record, alone) = (draft("van-1", 1, "N1"), draft("van-1", 2, "N2"));
    let first = world.send(batch(vec![record.clone(), alone.clone()]));
    second_key(&mut world);
    let second = world.send(crate::drafts::Sending { epoch: 2, ..batch(vec![record.clone().number(5)]) });
    two(&mut world, Subject::Batch(first, BatchVerdict::Refuse));
    assert!(world.is_merged(&record, &record));
    assert_eq!(delivery(&world, &record).0, second);
    assert_eq!(world.fate(&alone), shared::outcome::Fate::Refused(Code::Decided));
}

/// Two batches of a chain whose head was logged before both arrive, the first one without an approval if so wished.
fn arrives_late(approver: Option<KeyRef>, ends: impl FnOnce(&mut World)) -> (World, Draft, BatchId) {
    let mut world = World::new();
    let record = draft("van-1", 1, "N1");
    let first = world.placed(batch(vec![record.clone()]).approver(approver));
    let second = world.placed(batch(vec![draft("van-1", 2, "N2")]));
    world.head("van-1", 1, second.id()).expect("logged");
    ends(&mut world);
    let id = world.deliver(&first);
    assert!(world.held(&record).is_some(), "nothing leads to it yet");
    world.deliver(&second);
    (world, record, id)
}

fn code(world: &World, id: BatchId) -> Option<Code> {
    let memory = world.memory();
    force::code(&memory, &memory.log.batches[&id].batch, memory.log.next()).expect("known")
}

#[test]
fn a_frozen_keys_earlier_batch_comes_back_by_a_link() {
    let (world, record, id) = arrives_late(Some(key("supervisor-1", 1)), |world| world.freeze(&key("van-1", 1)));
    assert!(world.is_merged(&record, &record));
    assert_eq!(code(&world, id), None);
    let mut world = World::new();
    let first = world.placed(batch(vec![record.clone()]));
    world.freeze(&key("van-1", 1));
    let id = world.deliver(&first);
    assert_eq!((world.held(&record), code(&world, id)), (Some(Code::Frozen), Some(Code::Frozen)), "no head from before");
}

#[test]
fn what_a_link_brings_back_still_lacks_what_it_lacks() {
    let cut = |world: &mut World| _ = world.cut(&key("van-1", 1), world.log.next());
    let freeze = |world: &mut World| world.freeze(&key("van-1", 1));
    for (ends, approver, lacks) in [
        (&cut as &dyn Fn(&mut World), None, Code::Unapproved),
        (&freeze, None, Code::Unapproved),
        (&cut, Some(key("agent-1", 1)), Code::SelfApproved),
    ] {
        let (mut world, record, id) = arrives_late(approver, ends);
        assert_eq!((world.held(&record), code(&world, id)), (Some(lacks), Some(lacks)));
        // its key counts, so that one person is enough
        decide(&mut world, "amina", Subject::Batch(id, BatchVerdict::Accept(lacks)));
        assert!(world.is_merged(&record, &record), "{lacks}");
    }
}

#[test]
fn what_a_link_brings_back_may_be_forbidden_by_a_later_roster() {
    let (world, record, id) = {
        let mut world = World::with(|facts| facts.approval = Approval::None);
        let record = draft("van-1", 1, "N1");
        let first = world.placed(batch(vec![record.clone()]).approver(None).under(world.facts.version));
        let second = world.placed(batch(vec![draft("van-1", 2, "N2")]).under(world.facts.version));
        world.head("van-1", 1, second.id()).expect("logged");
        world.roster(|facts| facts.approval = Approval::Required);
        world.wait(i64::try_from(world.facts.grace).expect("small") + 1);
        world.cut(&key("van-1", 1), world.log.next());
        let id = world.deliver(&first);
        world.deliver(&second);
        (world, record, id)
    };
    assert_eq!((world.held(&record), code(&world, id)), (Some(Code::RosterOld), Some(Code::RosterOld)));
}

#[test]
fn what_only_newer_software_reads_has_its_place_where_it_is_opened() {
    let mut world = World::new();
    let newer = Draft { found: Found::Refused(Code::UpgradeNeeded), ..draft("van-1", 1, "N1") };
    let id = world.send(batch(vec![newer.clone()]));
    world.send(batch(vec![draft("van-2", 2, "N1")]));
    assert_eq!(world.held(&newer), Some(Code::UpgradeNeeded));
    let told = world.memory().told();
    world.opened(id);
    assert_eq!(world.held(&newer), Some(Code::Duplicate), "somebody stands there by now");
    // newer software from the start follows what the log says
    let ahead = Memory::with(world.log.clone(), Opening::Ahead, told);
    assert_eq!(ahead.fold().fates(), world.memory().fates());
}

#[test]
fn where_no_approval_is_demanded_a_cut_approver_takes_out_changes_of_identity_only() {
    let mut world = World::with(|facts| (facts.approval, facts.renewals) = (Approval::None, shared::roster::Renewals::Apply));
    let person = draft("van-1", 1, "N1").sets(&[("place_of_birth", "04")]);
    world.send(batch(vec![person.clone()]).approver(None));
    // names what it does not change
    let renewal = draft("van-1", 2, "N1").sets(&[("place_of_birth", "04"), ("phone", "2")]).to(Transaction::Renewal, number_target("N1"));
    let moved = person.correction(3, &[("place_of_birth", "05")]);
    world.send(batch(vec![renewal.clone(), moved.clone()]));
    assert!(world.is_merged(&renewal, &person) && world.is_merged(&moved, &person));
    world.cut(&key("supervisor-1", 1), LogIndex(1));
    assert!(world.is_merged(&renewal, &person), "it changed nobody's identity");
    assert_eq!(world.held(&moved), Some(Code::ApproverRevoked));
}

#[test]
fn a_frozen_keys_batch_needs_two_until_a_link_leads_to_it() {
    let mut world = World::new();
    let first = world.placed(batch(vec![draft("van-1", 1, "N1")]));
    world.freeze(&key("van-1", 1));
    let id = world.deliver(&first);
    let line = world.line(Subject::Batch(id, BatchVerdict::Accept(Code::Frozen)));
    assert_eq!(needs(&world, &line), Ok(Needs::Two));
}

/// Two batches of a chain, on a stick.
fn chain(world: &mut World) -> [crate::drafts::Sending; 2] {
    let first = world.placed(batch(vec![draft("van-1", 1, "N1")]));
    let second = world.placed(batch(vec![draft("van-1", 2, "N2")]));
    [first, second]
}

#[test]
fn a_head_that_came_after_its_batch_leads_to_what_comes_later_still() {
    let mut world = World::new();
    let [first, second] = chain(&mut world);
    world.deliver(&second);
    world.head("van-1", 1, second.id()).expect("logged");
    world.cut(&key("van-1", 1), world.log.next());
    world.deliver(&first);
    assert!(world.is_merged(&draft("van-1", 1, "N1"), &draft("van-1", 1, "N1")), "it was there in time, by its successor's head");
}

#[test]
fn the_first_head_that_leads_to_a_batch_counts() {
    let mut world = World::new();
    let [first, second] = chain(&mut world);
    world.head("van-1", 1, second.id()).expect("logged");
    let cut = world.log.next();
    world.deliver(&second);
    world.head("van-1", 1, second.id()).expect("logged once more");
    world.cut(&key("van-1", 1), cut);
    world.deliver(&first);
    assert!(world.is_merged(&draft("van-1", 1, "N1"), &draft("van-1", 1, "N1")));
}

#[test]
fn an_approver_who_ended_asks_for_two_only_where_an_approval_is_demanded() {
    for (approval, needed) in [(Approval::Required, Needs::Two), (Approval::None, Needs::One)] {
        let mut world = World::with(|facts| facts.approval = approval);
        let id = world.send(batch(vec![draft("van-1", 1, "N1")]).forked());
        world.cut(&key("supervisor-1", 1), LogIndex(1));
        let line = world.line(Subject::Batch(id, BatchVerdict::Accept(Code::Fork)));
        assert_eq!(needs(&world, &line), Ok(needed), "{approval:?}");
    }
}

fn needs(world: &World, line: &shared::decision::DecisionLine) -> Result<Needs, shared::problem::Problem> {
    rules::decisions::needs(&world.memory(), world.log.next(), line)
}

#[test]
fn an_id_whose_record_a_person_made_a_resident_of_is_taken_though_nobody_holds_it() {
    let mut world = World::new();
    let (stands, one, other) = (draft("van-2", 9, "N1"), draft("van-1", 1, "N1"), draft("van-1", 1, "N2").version(1).number(2));
    world.send(batch(vec![stands.clone()]));
    world.send(batch(vec![one.clone(), other.clone()]));
    assert_eq!((world.held(&one), world.held(&other)), (Some(Code::Duplicate), Some(Code::RecordReused)));
    decide(&mut world, "amina", Subject::Record(other.key(), shared::decision::Verdict::Found));
    assert!(world.is_merged(&other, &other));
    decide(&mut world, "amina", Subject::Record(one.key(), shared::decision::Verdict::Refuse));
    let third = draft("van-1", 1, "N3").version(2).number(3);
    world.send(batch(vec![third.clone()]));
    assert_eq!(world.held(&third), Some(Code::RecordReused));
    assert!(world.is_merged(&other, &other));
}

#[test]
fn an_acceptance_lifts_one_code_and_the_next_one_stands() {
    for (sending, codes) in [
        (batch(vec![draft("van-1", 1, "N1")]).approver(None).forked(), [Code::Fork, Code::Unapproved]),
        (batch(vec![draft("van-1", 1, "N1")]).approver(Some(key("agent-1", 1))).forked(), [Code::Fork, Code::SelfApproved]),
    ] {
        let record = draft("van-1", 1, "N1");
        let mut world = World::new();
        let id = world.send(sending);
        decide(&mut world, "amina", Subject::Batch(id, BatchVerdict::Accept(codes[0])));
        assert_eq!((world.held(&record), code(&world, id)), (Some(codes[1]), Some(codes[1])));
        decide(&mut world, "brahim", Subject::Batch(id, BatchVerdict::Accept(codes[1])));
        assert!(world.is_merged(&record, &record));
        // whoever lifted the first of them is cut: the whole acceptance falls
        world.cut(&key("amina", 1), LogIndex(1));
        assert_eq!(world.held(&record), Some(Code::DecisionRevoked));
        assert_eq!(code(&world, id), Some(codes[0]));
    }
}

#[test]
fn accepting_what_changes_a_face_or_an_identity_needs_two() {
    let mut world = World::with(|facts| facts.renewals = shared::roster::Renewals::Apply);
    let person = draft("van-1", 1, "N1").sets(&[("place_of_birth", "04")]);
    world.send(batch(vec![person.clone()]));
    let renewal = draft("van-2", 2, "").only(&[]).to(Transaction::Renewal, number_target("N1"));
    let moved = person.correction(3, &[("place_of_birth", "05")]);
    let phone = person.correction(4, &[("phone", "1")]);
    for (sending, stands, needed) in [
        (batch(vec![renewal]).approver(None), Code::Unapproved, Needs::Two),
        (batch(vec![moved]).forked(), Code::Fork, Needs::Two),
        (batch(vec![phone]).forked(), Code::Fork, Needs::One),
    ] {
        let id = world.send(sending);
        let line = world.line(Subject::Batch(id, BatchVerdict::Accept(stands)));
        assert_eq!(needs(&world, &line), Ok(needed), "{stands}");
    }
}

#[test]
fn one_persons_word_carries_nothing_over_a_cut_and_two_persons_does() {
    for both in [false, true] {
        let mut world = World::new();
        let (stands, squat) = (draft("van-2", 9, "N1"), draft("van-1", 1, "N1"));
        world.send(batch(vec![stands.clone()]));
        world.send(batch(vec![squat.clone()]));
        if both {
            world.roster(|facts| facts.persons = shared::roster::Persons::Two);
        }
        let note = decide(&mut world, "amina", Subject::Record(squat.key(), shared::decision::Verdict::Found));
        if both {
            world.confirm("brahim", note);
        }
        assert!(world.is_merged(&squat, &squat));
        world.cut(&key("van-1", 1), LogIndex(2));
        assert_eq!(world.held(&squat), (!both).then_some(Code::Revoked));
    }
}

#[test]
fn a_batch_that_is_accepted_after_all_is_judged_again() {
    let mut world = World::new();
    let record = draft("van-1", 1, "N1");
    let id = world.send(batch(vec![record.clone()]).approver(None));
    decide(&mut world, "amina", Subject::Batch(id, BatchVerdict::Refuse));
    assert_eq!(world.fate(&record), shared::outcome::Fate::Refused(Code::Decided));
    decide(&mut world, "amina", Subject::Batch(id, BatchVerdict::Accept(Code::Unapproved)));
    assert!(world.is_merged(&record, &record));
}

#[test]
fn what_two_persons_said_one_does_not_unsay() {
    let mut world = World::new();
    let (record, other) = (draft("van-1", 1, "N1"), draft("van-1", 2, "N2"));
    world.send(batch(vec![record.clone()]));
    two(&mut world, Subject::Record(record.key(), shared::decision::Verdict::Refuse));
    let line = world.line(Subject::Record(record.key(), shared::decision::Verdict::Found));
    assert_eq!(needs(&world, &line), Ok(Needs::Two));
    let id = world.send(batch(vec![other.clone()]));
    two(&mut world, Subject::Batch(id, BatchVerdict::Refuse));
    let line = world.line(Subject::Record(other.key(), shared::decision::Verdict::Found));
    assert_eq!(needs(&world, &line), Ok(Needs::Two));
}

#[test]
fn a_correction_that_a_person_made_a_resident_of_bears_no_number() {
    let mut world = World::new();
    let correction = draft("van-1", 1, "").only(&[("phone", "1")]).to(Transaction::Correction, number_target("N5"));
    world.send(batch(vec![correction.clone()]));
    assert_eq!(world.held(&correction), Some(Code::TargetUnknown));
    decide(&mut world, "amina", Subject::Record(correction.key(), shared::decision::Verdict::Found));
    let other = draft("van-2", 2, "N5");
    world.send(batch(vec![other.clone()]));
    assert!(world.is_merged(&other, &other), "the number is its own");
}

#[test]
fn what_was_merged_and_erased_is_folded_again_without_its_bytes() {
    let mut world = World::new();
    let (record, other) = (draft("van-1", 1, "N1"), draft("van-2", 2, "N2"));
    world.send(batch(vec![record.clone()]));
    world.send(batch(vec![other.clone()]));
    world.erase(&record.key());
    let first = world.memory();
    let again = Memory::with(world.log.clone(), Opening::Again, first.told());
    assert_eq!(again.fold().digest(), first.digest());
    assert_eq!(first.fate(&record.key()), shared::outcome::Fate::Refused(Code::Erased));
}

#[test]
fn a_field_is_cleared_by_a_correction_and_not_by_a_second_document() {
    let born = [("date_of_birth", "1980-05-17"), ("sex", "f"), ("place_of_birth", "04")];
    let mut world = World::new();
    let card = draft("van-1", 1, "N1").sets(&born).sets(&[("phone", "1")]);
    let residence = draft("van-2", 2, "N1").sets(&born).sets(&[("residence_id", "R"), ("phone", "")]).form("residence/1");
    world.send(batch(vec![card.clone()]));
    world.send(batch(vec![residence.clone()]));
    assert!(world.is_merged(&residence, &card));
    assert_eq!(crate::examples::value(&world, &card, "phone").as_deref(), Some("1"));
    let clears = card.correction(3, &[("phone", "")]);
    world.send(batch(vec![clears.clone()]));
    assert!(world.is_merged(&clears, &card));
    assert_eq!(crate::examples::value(&world, &card, "phone"), None);
}

#[test]
fn a_link_judges_what_was_signed_and_leaves_wrong_content_and_other_deliveries_as_they_are() {
    for approved in [true, false] {
        let mut world = World::new();
        let wrong = Draft { found: Found::Refused(Code::LineMismatch), ..draft("van-1", 3, "N3") };
        let (unopened, elsewhere) = (draft("van-1", 4, "N4").broken(), draft("van-1", 5, "N5").by(key("agent-2", 1)));
        let lines = vec![draft("van-1", 1, "N1"), wrong.clone(), unopened.clone(), elsewhere.clone()];
        let first = world.placed(batch(lines).approver(approved.then(|| key("supervisor-1", 1))));
        let second = world.placed(batch(vec![draft("van-1", 2, "N2")]));
        world.head("van-1", 1, second.id()).expect("logged");
        world.cut(&key("agent-2", 1), LogIndex(1));
        // the same record in a batch of the other unit's key never counts: it is held for its agent first
        let held_first = world.send(crate::drafts::Sending { epoch: 1, ..batch(vec![elsewhere.clone()]).at(9, None) });
        world.cut(&key("van-1", 1), world.log.next());
        world.deliver(&first);
        world.deliver(&second);
        let now = if approved { None } else { Some(Code::Unapproved) };
        assert_eq!(world.held(&draft("van-1", 1, "N1")), now);
        assert_eq!(world.fate(&wrong), shared::outcome::Fate::Refused(Code::LineMismatch));
        assert_eq!(world.held(&unopened), Some(Code::Unopened));
        assert_eq!((world.held(&elsewhere), delivery(&world, &elsewhere).0), (Some(Code::AgentRevoked), held_first));
    }
}

#[test]
fn what_changed_an_identity_goes_though_it_was_delivered_again() {
    let mut world = World::new();
    let person = draft("van-1", 1, "N1").sets(&[("place_of_birth", "04")]);
    let moved = person.correction(2, &[("place_of_birth", "05")]);
    world.send(batch(vec![person.clone()]));
    world.send(batch(vec![moved.clone()]));
    world.send(batch(vec![moved.clone().by(key("agent-2", 1))]));
    assert!(world.is_merged(&moved, &person));
    world.cut(&key("agent-1", 1), LogIndex(2));
    assert_eq!(world.held(&moved), Some(Code::AgentRevoked), "it rested on who had approved it then");
}

#[test]
fn a_delivery_that_stands_in_brings_its_number() {
    let holds = |world: &World, draft: &Draft| {
        world.memory().peek(|state| (state.records[&draft.key()].holds_id, state.records[&draft.key()].holds_number))
    };
    let record = draft("van-1", 1, "N1");
    // the same number
    let mut world = World::new();
    world.send(batch(vec![record.clone()]));
    world.send(batch(vec![record.clone().by(key("agent-2", 1))]));
    world.cut(&key("agent-1", 1), LogIndex(1));
    assert!(world.is_merged(&record, &record));
    assert_eq!(holds(&world, &record), (true, true));
    // another one: the old one is free, the new one is taken
    let mut world = World::new();
    sent_twice(&mut world, &record);
    world.cut(&key("van-1", 1), LogIndex(1));
    let new = draft("van-1", 7, "N7").number(5);
    world.send(crate::drafts::Sending { epoch: 2, ..batch(vec![new.clone()]) });
    assert_eq!((world.held(&new), holds(&world, &record)), (Some(Code::NumberReused), (true, true)));
    // a number that another record holds, lifted with the batch: it stays the other's
    let mut world = World::new();
    let (other, agent) = (draft("van-1", 2, "N2").by(key("agent-2", 1)), key("agent-2", 1));
    world.send(batch(vec![record.clone(), other.clone()]));
    let id = world.send(batch(vec![record.clone().by(agent).number(2)]).forked());
    let line = world.line(Subject::Batch(id, BatchVerdict::Accept(Code::Fork)));
    world.decide("amina", vec![line]);
    world.cut(&key("agent-1", 1), LogIndex(1));
    assert!(world.is_merged(&record, &record));
    assert_eq!((delivery(&world, &record).0, holds(&world, &record), holds(&world, &other)), (id, (true, false), (true, true)));
}

#[test]
fn a_withdrawal_of_a_cut_supervisor_gives_its_number_back_and_another_keeps_it() {
    for (from, stands) in [(1, None), (2, Some(Code::NumberReused))] {
        let mut world = World::new();
        let other = draft("van-1", 9, "N9");
        world.send(batch(vec![other]).approver(Some(key("supervisor-1", 1))).withdraws(1, key("supervisor-2", 1)));
        world.cut(&key("supervisor-2", 1), LogIndex(from));
        let record = draft("van-1", 1, "N1");
        world.send(batch(vec![record.clone()]));
        assert_eq!(world.held(&record), stands, "from {from} on");
    }
}

#[test]
fn what_one_person_found_and_a_cut_took_out_comes_in_by_a_later_delivery() {
    let mut world = World::new();
    let (stands, squat) = (draft("van-2", 9, "N1"), draft("van-1", 1, "N1"));
    world.send(batch(vec![stands.clone()]));
    world.send(batch(vec![squat.clone()]));
    decide(&mut world, "amina", Subject::Record(squat.key(), shared::decision::Verdict::Found));
    world.cut(&key("agent-1", 1), LogIndex(2));
    assert_eq!(world.held(&squat), Some(Code::AgentRevoked));
    assert!(world.memory().peek(|state| state.records[&squat.key()].against.is_empty()), "nobody it is held against any more");
    world.send(batch(vec![squat.clone().by(key("agent-2", 1))]));
    assert_eq!(world.held(&squat), Some(Code::Duplicate), "judged anew, as if nobody had spoken of it");
}

#[test]
fn what_stands_so_needs_nobody() {
    use shared::decision::Verdict;
    let mut world = World::with(|facts| facts.renewals = shared::roster::Renewals::Apply);
    let (one, other, same) = (draft("van-1", 1, "N1"), draft("van-1", 2, "N2"), draft("van-2", 3, "N1"));
    let renewal = draft("van-1", 4, "").only(&[("phone", "1")]).to(Transaction::Renewal, number_target("N1"));
    world.send(batch(vec![one.clone(), other.clone(), renewal.clone()]));
    world.send(batch(vec![same.clone()]));
    decide(&mut world, "amina", Subject::Record(same.key(), Verdict::Same(one.reference())));
    two(&mut world, Subject::Record(other.key(), Verdict::Refuse));
    for (record, verdict) in [
        (&one, Verdict::Found),
        (&same, Verdict::Same(one.reference())),
        (&renewal, Verdict::Apply(one.reference())),
        (&other, Verdict::Refuse),
    ] {
        let line = world.line(Subject::Record(record.key(), verdict));
        assert_eq!(needs(&world, &line), Ok(Needs::Nobody), "{line}");
    }
}

#[test]
fn a_document_that_is_taken_out_leaves_no_trace_of_its_form() {
    let born = [("date_of_birth", "1980-05-17"), ("sex", "f"), ("place_of_birth", "04")];
    let mut world = World::new();
    let card = draft("van-1", 1, "N1").sets(&born);
    let mut residence = draft("van-2", 2, "N1").sets(&born).sets(&[("residence_id", "R")]).form("residence/1");
    residence.says.identity = ["residence_id".to_owned()].into();
    world.send(batch(vec![card.clone()]));
    world.send(batch(vec![residence.clone()]));
    assert!(world.is_merged(&residence, &card));
    two(&mut world, Subject::Record(residence.key(), shared::decision::Verdict::Refuse));
    world.memory().peek(|state| {
        let standing = &state.residents[&card.reference()];
        assert_eq!((standing.documents.len(), standing.identity.len()), (1, 0));
    });
    let again = draft("van-2", 3, "N1").sets(&born).form("residence/1");
    world.send(batch(vec![again.clone()]));
    assert!(world.is_merged(&again, &card), "the resident lacks that form again");
}

#[test]
fn what_rested_on_a_record_names_it() {
    let mut world = World::new();
    let person = draft("van-1", 1, "N1");
    let phone = person.correction(2, &[("phone", "1")]);
    world.send(batch(vec![person.clone()]));
    world.send(batch(vec![phone.clone()]));
    two(&mut world, Subject::Record(person.key(), shared::decision::Verdict::Refuse));
    assert_eq!(world.held(&phone), Some(Code::TargetGone));
    assert_eq!(world.memory().peek(|state| state.records[&phone.key()].against.clone()), [person.key()]);
}

#[test]
fn an_acceptance_does_not_rest_on_the_refusal_that_it_replaced() {
    let mut world = World::new();
    let record = draft("van-1", 1, "N1");
    let id = world.send(batch(vec![record.clone()]).approver(None));
    decide(&mut world, "amina", Subject::Batch(id, BatchVerdict::Refuse));
    decide(&mut world, "brahim", Subject::Batch(id, BatchVerdict::Accept(Code::Unapproved)));
    world.cut(&key("amina", 1), LogIndex(1));
    assert!(world.is_merged(&record, &record));
    world.cut(&key("brahim", 1), LogIndex(1));
    assert_eq!(world.held(&record), Some(Code::DecisionRevoked));
}

#[test]
fn who_waits_and_was_refused_meanwhile_is_judged_no_more() {
    let mut world = World::new();
    let founder = draft("van-1", 1, "N1");
    let waits = founder.correction(2, &[("phone", "1")]);
    world.send(batch(vec![waits.clone()]));
    assert_eq!(world.held(&waits), Some(Code::Waiting));
    decide(&mut world, "amina", Subject::Record(waits.key(), shared::decision::Verdict::Refuse));
    world.send(batch(vec![founder]));
    assert_eq!(world.fate(&waits), shared::outcome::Fate::Refused(Code::Decided));
}

#[test]
fn a_held_record_that_a_cut_takes_out_is_held_against_nobody_and_takes_nothing() {
    let mut world = World::new();
    let (stands, same) = (draft("van-2", 9, "N1"), draft("van-1", 1, "N1"));
    let reused = draft("van-1", 1, "N2").version(1).number(2);
    world.send(batch(vec![stands]));
    world.send(batch(vec![same.clone(), reused.clone()]));
    assert_eq!((world.held(&same), world.held(&reused)), (Some(Code::Duplicate), Some(Code::RecordReused)));
    world.send(batch(vec![reused.clone().by(key("agent-2", 1))]));
    world.cut(&key("agent-1", 1), LogIndex(2));
    world.memory().peek(|state| {
        let (same, reused) = (&state.records[&same.key()], &state.records[&reused.key()]);
        assert!(same.against.is_empty() && same.place.is_none());
        assert_eq!(
            (reused.place.is_some(), reused.holds_id, reused.holds_number),
            (true, false, false),
            "held still, by its other delivery"
        );
    });
    assert_eq!((world.held(&same), world.held(&reused)), (Some(Code::AgentRevoked), Some(Code::RecordReused)));
}

#[test]
fn a_withdrawal_counts_with_its_batch_and_its_supervisor() {
    for (approver, cut, counts) in [(Some("supervisor-1"), false, true), (Some("supervisor-1"), true, false), (None, false, false)] {
        let mut world = World::new();
        let sending = batch(vec![draft("van-1", 9, "N9")]).approver(approver.map(|name| key(name, 1)));
        let id = world.send(sending.withdraws(1, key("supervisor-2", 1)));
        if cut {
            world.cut(&key("supervisor-2", 1), LogIndex(1));
        }
        let memory = world.memory();
        let sent = memory.log.batches[&id].clone();
        let line = sent.lines.iter().find_map(|line| match line {
            rules::Line::Withdrawn(line) => Some(line.clone()),
            rules::Line::Record(_) => None,
        });
        let found = force::withdraws(&memory, &sent.batch, &line.expect("a withdrawn line"), memory.log.next());
        assert_eq!(found, Ok(counts), "{approver:?} {cut}");
    }
}
