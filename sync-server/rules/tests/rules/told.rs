//! What the log says became of a line is followed, whatever today's rules say of it.

use rules::Mode;
use shared::{
    id::{CaseRef, Transaction},
    outcome::Fate,
    problem::Code,
    record::Target,
};

use crate::{
    drafts::{Draft, batch, draft, member, number_target, record_id},
    memory::{Memory, Opening},
    world::World,
};

/// A world where one stands under N1, and a batch of one record whose outcome says `fate`, followed by others.
fn told(record: &Draft, fate: &Fate, later: &[Draft]) -> Memory {
    let mut world = World::new();
    world.send(batch(vec![stands()]));
    let id = world.send(batch(vec![record.clone()]));
    for later in later {
        world.send(batch(vec![later.clone()]));
    }
    let mut told = world.memory().told();
    told.retain(|batch, _| *batch == id);
    told.insert(id, vec![fate.clone()]);
    let memory = Memory::with(world.log.clone(), Opening::InItsTurn, told);
    memory.fold();
    assert_eq!(memory.fate(&record.key()), *fate, "it is followed");
    assert_eq!(memory.differing.borrow().len(), 1, "and named");
    memory
}

fn stands() -> Draft {
    draft("van-2", 9, "N1").sets(&[("place_of_birth", "04")])
}

fn held(record: &Draft, code: Code) -> Fate {
    Fate::Held(code, CaseRef::holding(&record.unit, record.record))
}

fn mode(memory: &Memory, of: &Draft) -> Option<Mode> {
    memory.peek(|state| state.records[&of.key()].mode)
}

#[test]
fn who_was_told_to_found_founds_and_holds_id_and_number() {
    let squat = draft("van-1", 1, "N1");
    let (number, id) = (draft("van-1", 2, "N2").number(1), draft("van-1", 1, "N3").version(1).number(3));
    let memory = told(&squat, &Fate::Merged(squat.reference()), &[number.clone(), id.clone()]);
    assert_eq!(mode(&memory, &squat), Some(Mode::Founded));
    assert!(memory.peek(|state| state.residents.contains_key(&squat.reference())));
    let record = memory.peek(|state| state.records[&squat.key()].clone());
    assert!(record.place.is_some() && record.holds_id && record.holds_number && record.blind);
    assert_eq!(memory.fate(&number.key()), held(&number, Code::NumberReused));
    assert_eq!(memory.fate(&id.key()), held(&id, Code::RecordReused));
}

#[test]
fn who_was_told_to_become_part_of_somebody_does_so_as_its_kind_does() {
    let one = stands().reference();
    let target = || number_target("N1");
    let new = draft("van-1", 1, "N1").sets(&[("place_of_birth", "05"), ("phone", "1")]);
    let correction = draft("van-1", 1, "").only(&[("place_of_birth", "05")]).to(Transaction::Correction, target());
    let renewal = draft("van-1", 1, "").only(&[("phone", "1")]).to(Transaction::Renewal, target());
    for (record, how) in
        [(&new, Mode::Joined { parts: false }), (&correction, Mode::Applied { parts: false }), (&renewal, Mode::Applied { parts: true })]
    {
        let memory = told(record, &Fate::Merged(one.clone()), &[]);
        assert_eq!(mode(&memory, record), Some(how));
        assert_eq!(memory.peek(|state| state.residents[&one].resident.sources.len()), 2);
        assert!(!memory.peek(|state| state.residents.contains_key(&record.reference())), "it founds nobody");
    }
}

#[test]
fn who_was_told_of_somebody_who_is_not_there_says_so_and_changes_nobody() {
    let record = draft("van-1", 1, "N1");
    let memory = told(&record, &Fate::Merged(draft("van-1", 7, "").reference()), &[]);
    assert_eq!((mode(&memory, &record), memory.peek(|state| state.residents.len())), (None, 1));
    let memory = told(&record, &Fate::Refused(Code::LineMismatch), &[]);
    assert_eq!((mode(&memory, &record), memory.peek(|state| state.residents.len())), (None, 1));
}

#[test]
fn who_was_told_to_wait_waits_for_its_record_or_for_nobody() {
    // of another unit: today nobody waits for that
    let elsewhere = Target::Record { unit: member("van-2"), record: record_id(5) };
    let waits = draft("van-1", 1, "").only(&[("phone", "1")]).to(Transaction::Correction, elsewhere);
    let founder = draft("van-1", 5, "N5");
    let memory = told_wait(&waits, &[]);
    assert_eq!(memory.fate(&waits.key()), held(&waits, Code::Waiting));
    let memory = told_wait(&waits, &[founder]);
    assert_eq!(memory.fate(&waits.key()), held(&waits, Code::TargetUnknown), "judged when the record of that id comes");
    let number = draft("van-1", 1, "").only(&[("phone", "1")]).to(Transaction::Correction, number_target("N7"));
    let memory = told(&number, &held(&number, Code::Waiting), &[draft("van-1", 5, "N5")]);
    assert!(memory.peek(|state| state.waiting.values().all(Vec::is_empty)), "nothing it could wait for");
}

fn told_wait(record: &Draft, later: &[Draft]) -> Memory {
    let mut world = World::new();
    let id = world.send(batch(vec![record.clone()]));
    for later in later {
        world.send(batch(vec![later.clone()]));
    }
    let told = [(id, vec![held(record, Code::Waiting)])].into();
    let memory = Memory::with(world.log.clone(), Opening::InItsTurn, told);
    memory.fold();
    memory
}

#[test]
fn who_was_told_to_be_held_is_held() {
    let record = draft("van-1", 1, "N2");
    let memory = told(&record, &held(&record, Code::Duplicate), &[]);
    assert_eq!(memory.peek(|state| state.residents.len()), 1);
}
