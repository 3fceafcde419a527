//! Where a fold stops, and what it does at one entry and not at another.

use rules::{Advanced, Found, Mode, Record};
use shared::{
    decision::{BatchVerdict, Subject, Verdict},
    id::{BatchId, LogIndex},
    outcome::Fate,
    problem::Code,
};

use crate::{
    drafts::{Draft, batch, draft, key},
    examples::{decide, of, two},
    memory::{Memory, Opening},
    world::World,
};

fn record(memory: &Memory, of: &Draft) -> Record {
    memory.peek(|state| state.records[&of.key()].clone())
}

fn wrong(draft: Draft) -> Draft {
    Draft { found: Found::Refused(Code::LineMismatch), ..draft }
}

fn accept(id: BatchId) -> Subject {
    Subject::Batch(id, BatchVerdict::Accept(Code::Unapproved))
}

#[test]
fn a_fold_goes_to_the_entry_that_it_is_told_and_no_further() {
    let mut world = World::new();
    for n in 1..4 {
        world.send(batch(vec![draft("van-1", n, &format!("N{n}"))]));
    }
    let memory = Memory::of(world.log);
    assert_eq!(rules::advance_to(&memory, 3, 100), Ok(Advanced::Done));
    assert_eq!((memory.position(), memory.peek(|state| state.residents.len())), (3, 2));
}

#[test]
fn a_batch_with_an_unopened_line_waits_for_its_outcome_wherever_the_line_stands() {
    for first in [true, false] {
        let mut world = World::new();
        let (open, broken) = (draft("van-1", 1, "N1"), draft("van-1", 2, "N2").broken());
        let lines = if first { vec![broken, open] } else { vec![open, broken] };
        world.send(batch(lines));
        world.send(batch(vec![draft("van-1", 3, "N3")]));
        let memory = Memory::of(world.log);
        assert_eq!(rules::advance(&memory, 100), Ok(Advanced::Waits), "the broken one first: {first}");
        assert_eq!((memory.position(), memory.peek(|state| state.residents.len())), (1, 1));
    }
}

#[test]
fn each_delivery_that_is_not_in_force_is_told_its_own_code() {
    let mut world = World::new();
    let held = draft("van-1", 1, "N1");
    let refused = draft("van-1", 2, "N2");
    let first = world.send(batch(vec![held.clone().by(key("agent-2", 1)), wrong(refused.clone())]));
    world.cut(&key("agent-2", 1), LogIndex(1));
    world.cut(&key("van-1", 1), world.log.next());
    let second = world.send(batch(vec![held.clone(), refused.clone()]));
    let told = world.memory().told();
    let codes =
        |id: BatchId| told[&id].iter().map(|fate| fate.to_string().split(' ').take(2).collect::<Vec<_>>().join(" ")).collect::<Vec<_>>();
    assert_eq!(codes(second), ["held revoked", "held revoked"]);
    assert_eq!(world.held(&held), Some(Code::AgentRevoked), "the first that says why stands");
    assert_eq!(world.held(&refused), Some(Code::Revoked), "but wrong content says nothing of the record");
    assert_eq!(record(&world.memory(), &held).delivery.0, first);
}

/// Folded again without the bytes of what was erased later, up to the entry before.
fn without_bytes(mut world: World, erased: &Draft) -> Memory {
    let until = world.erase(&erased.key());
    let first = world.memory();
    let memory = Memory::with(world.log, Opening::Again, first.told());
    assert_eq!(rules::advance_to(&memory, until.0, 100), Ok(Advanced::Done));
    memory
}

#[test]
fn what_is_erased_later_is_part_of_whom_it_was_until_then() {
    let born = [("date_of_birth", "1980-05-17"), ("sex", "f"), ("place_of_birth", "04")];
    let card = draft("van-1", 1, "N1").sets(&born);
    let residence = draft("van-2", 2, "N1").sets(&born).form("residence/1");
    let world = || {
        let mut world = World::new();
        world.send(batch(vec![card.clone()]));
        world.send(batch(vec![residence.clone()]));
        world
    };
    for (erased, mode) in [(&card, Mode::Founded), (&residence, Mode::Same)] {
        let memory = without_bytes(world(), erased);
        let found = record(&memory, erased);
        assert_eq!((found.fate.clone(), found.mode), (Fate::Merged(card.reference()), Some(mode)));
        assert!(found.place.is_some() && found.blind);
        assert_eq!(memory.peek(|state| state.residents[&card.reference()].resident.sources.len()), 2);
    }
}

#[test]
fn what_was_decided_and_is_erased_later_is_part_of_whom_it_was_until_then() {
    for (verdict, mode) in [(None, Mode::Founded), (Some(()), Mode::Same)] {
        let (stands, same) = (draft("van-1", 1, "N1"), draft("van-2", 2, "N1"));
        let mut world = World::new();
        world.send(batch(vec![stands.clone()]));
        world.send(batch(vec![same.clone()]));
        let verdict = verdict.map_or(Verdict::Found, |()| Verdict::Same(stands.reference()));
        decide(&mut world, "amina", of(&same, verdict));
        let memory = without_bytes(world, &same);
        assert_eq!(record(&memory, &same).mode, Some(mode));
    }
}

#[test]
fn an_opening_judges_what_waited_for_it_and_nothing_else() {
    // what its batch's acceptance had brought in, and a cut adjudicator took along, stays held
    let mut world = World::new();
    let (accepted, broken) = (draft("van-1", 1, "N1"), draft("van-1", 2, "N2").broken());
    let id = world.send(batch(vec![accepted.clone(), broken.clone()]));
    let note = world.line(of(&accepted, Verdict::Refuse));
    let note = world.decide("amina", vec![note]);
    world.confirm("brahim", note);
    world.cut(&key("brahim", 1), LogIndex(1));
    assert_eq!(world.held(&accepted), Some(Code::DecisionRevoked));
    world.opened(id);
    assert_eq!(world.held(&accepted), Some(Code::DecisionRevoked));
    assert!(world.is_merged(&broken, &broken));
    // bytes that are gone by now are no reason to fail
    let until = world.erase(&broken.key());
    let memory = Memory::with(world.log.clone(), Opening::Again, world.memory().told());
    assert_eq!(rules::advance_to(&memory, until.0 + 1, 100), Ok(Advanced::Done));
    assert_eq!(record(&memory, &broken).fate, Fate::Refused(Code::Erased));
}

#[test]
fn what_opens_and_is_wrong_says_so_unless_another_delivery_says_why() {
    let mut world = World::new();
    let (alone, elsewhere) = (draft("van-1", 1, "N1"), draft("van-1", 2, "N2"));
    world.cut(&key("agent-2", 1), LogIndex(1));
    world.send(batch(vec![elsewhere.clone().by(key("agent-2", 1))]));
    let id = world.send(batch(vec![wrong(alone.clone()).broken(), wrong(elsewhere.clone()).broken()]));
    assert_eq!((world.held(&alone), world.held(&elsewhere)), (Some(Code::Unopened), Some(Code::AgentRevoked)));
    world.opened(id);
    assert_eq!(world.fate(&alone), Fate::Refused(Code::LineMismatch));
    assert_eq!(world.held(&elsewhere), Some(Code::AgentRevoked));
}

#[test]
fn whether_a_record_was_read_is_asked_of_its_own_line() {
    for unread_first in [true, false] {
        let mut world = World::new();
        let (read, unread) = (draft("van-1", 1, "N1"), draft("van-1", 2, "N2").broken());
        world.send(batch(if unread_first { vec![unread.clone(), read.clone()] } else { vec![read.clone(), unread.clone()] }));
        decide(&mut world, "amina", of(&unread, Verdict::Found));
        assert_eq!(world.held(&unread), Some(Code::Unopened), "the unread one first: {unread_first}");
        two(&mut world, of(&read, Verdict::Refuse));
        two(&mut world, of(&read, Verdict::Found));
        assert!(world.is_merged(&read, &read), "the unread one first: {unread_first}");
    }
}

#[test]
fn a_decided_record_is_held_against_nobody_and_holds_what_is_free() {
    let mut world = World::new();
    let (holder, other) = (draft("van-1", 1, "N1"), draft("van-1", 1, "N2").version(1).number(2));
    let stands = draft("van-2", 9, "N1");
    world.send(batch(vec![stands]));
    world.send(batch(vec![holder.clone(), other.clone()]));
    assert_eq!((world.held(&holder), world.held(&other)), (Some(Code::Duplicate), Some(Code::RecordReused)));
    decide(&mut world, "amina", of(&other, Verdict::Found));
    let found = record(&world.memory(), &other);
    assert!(found.against.is_empty() && !found.holds_id && !found.holds_number, "another record holds its id");
    let mut world = World::new();
    world.send(batch(vec![draft("van-2", 9, "N1")]));
    world.send(batch(vec![holder.clone(), other.clone()]));
    decide(&mut world, "amina", of(&holder, Verdict::Refuse));
    decide(&mut world, "amina", of(&other, Verdict::Found));
    let found = record(&world.memory(), &other);
    assert!(found.against.is_empty() && found.holds_id && found.holds_number, "nobody holds it any more");
}

#[test]
fn a_decision_about_what_the_log_told_otherwise_makes_it_known_again() {
    let mut world = World::new();
    world.send(batch(vec![draft("van-2", 9, "N1")]));
    let squat = draft("van-1", 1, "N1");
    let id = world.send(batch(vec![squat.clone()]));
    let mut told = world.memory().told();
    told.retain(|batch, _| *batch == id);
    told.insert(id, vec![Fate::Held(Code::IdentityChange, shared::id::CaseRef::holding(&squat.unit, squat.record))]);
    decide(&mut world, "amina", of(&squat, Verdict::Found));
    let memory = Memory::with(world.log.clone(), Opening::InItsTurn, told);
    memory.fold();
    let found = record(&memory, &squat);
    assert!(matches!(found.fate, Fate::Merged(_)) && !found.blind, "{found:?}");
}

#[test]
fn an_acceptance_that_is_taken_back_takes_what_came_in_by_it() {
    let mut world = World::new();
    let [by_it, decided, elsewhere] = [1, 2, 3].map(|n| draft("van-1", n, &format!("N{n}")));
    let mismatch = wrong(draft("van-1", 4, "N4"));
    let revoked = draft("van-1", 5, "N5").by(key("agent-2", 1));
    world.cut(&key("agent-2", 1), LogIndex(1));
    world.send(batch(vec![elsewhere.clone()]));
    let lines = vec![by_it.clone(), decided.clone(), elsewhere.clone(), mismatch.clone(), revoked.clone()];
    let id = world.send(batch(lines).approver(None));
    decide(&mut world, "amina", accept(id));
    assert!(world.is_merged(&by_it, &by_it) && world.is_merged(&decided, &decided));
    let note = decide(&mut world, "brahim", of(&decided, Verdict::Refuse));
    world.confirm("chadi", note);
    world.cut(&key("amina", 1), LogIndex(1));
    assert_eq!(world.held(&by_it), Some(Code::DecisionRevoked));
    assert_eq!(world.fate(&decided), Fate::Refused(Code::Decided), "two others said so");
    assert!(world.is_merged(&elsewhere, &elsewhere));
    assert_eq!(world.fate(&mismatch), Fate::Refused(Code::LineMismatch));
    assert_eq!(world.held(&revoked), Some(Code::AgentRevoked));
}

#[test]
fn a_refusal_takes_a_line_that_waits_for_its_opening_and_not_one_that_opened_wrong() {
    for opened in [false, true] {
        let mut world = World::new();
        let elsewhere = draft("van-1", 2, "N2");
        world.cut(&key("agent-2", 1), LogIndex(1));
        world.send(batch(vec![elsewhere.clone().by(key("agent-2", 1))]));
        let id = world.send(batch(vec![wrong(elsewhere.clone()).broken()]));
        if opened {
            world.opened(id);
        }
        decide(&mut world, "amina", Subject::Batch(id, BatchVerdict::Refuse));
        let first = world.memory();
        let again = Memory::with(world.log.clone(), Opening::Again, first.told());
        again.fold();
        for memory in [first, again] {
            let fate = record(&memory, &elsewhere).fate;
            let stays = matches!(fate, Fate::Held(Code::AgentRevoked, _));
            assert!(if opened { stays } else { fate == Fate::Refused(Code::Decided) }, "opened: {opened}, {fate}");
        }
    }
}
