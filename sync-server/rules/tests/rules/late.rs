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
