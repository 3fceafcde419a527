//! A log in which the version of the rules changes: what was judged stays, what comes after its entry is judged by the new one.

use shared::{merge::MatchKey, outcome::Fate, problem::Code, rules::Rules};

use crate::{
    drafts::{Draft, batch, draft},
    memory::{Memory, Opening},
    world::World,
};

/// A log that begins under rules 2.
fn world() -> World {
    let mut world = World::new();
    world.log.first_rules = Some(Rules::V2);
    world
}

/// A person of one unit without a number: an Arabic name and a Latin one, each may be empty.
fn named(n: u8, arabic: &str, latin: &str) -> Draft {
    let given = |name: &'static str, there: &str| if there.is_empty() { "" } else { name };
    draft("van-1", n, "").sets(&[
        ("given_ar", given("فاطمة", arabic)),
        ("family_ar", arabic),
        ("given_latin", given("Fatima", latin)),
        ("family_latin", latin),
        ("date_of_birth", "1980-05-17"),
        ("sex", "f"),
        ("place_of_birth", "04-017"),
    ])
}

/// Do these two meet, by what the newest rules say of them?
fn meet(world: &World, one: &Draft, other: &Draft) -> bool {
    world.memory().peek(|state| {
        let keys = |draft: &Draft| &state.residents[&draft.reference()].keys[&Rules::V3];
        keys(one).iter().flat_map(MatchKey::meets).any(|key| keys(other).contains(&key))
    })
}

#[test]
fn those_who_stand_stay_and_who_comes_later_meets_them_by_the_new_rules() {
    let mut world = world();
    let (apart, joined) = (named(1, "", "El Idrissi"), named(2, "", "Elidrissi"));
    world.send(batch(vec![apart.clone(), joined.clone()]));
    assert!(world.is_merged(&apart, &apart) && world.is_merged(&joined, &joined), "two by rules 2");
    world.rules(Rules::V3);
    assert!(world.is_merged(&apart, &apart) && world.is_merged(&joined, &joined), "and they stay");
    assert!(meet(&world, &apart, &joined), "but they are a case");
    let third = named(3, "", "AL-IDRISSI");
    world.send(batch(vec![third.clone()]));
    assert_eq!(world.held(&third), Some(Code::Duplicate));
    let against = world.memory().peek(|state| state.records[&third.key()].against.clone());
    assert_eq!(against.len(), 2, "one who stood before the new rules is found by them");
    // what changes nobody's name is no business of the case
    let phone = apart.correction(4, &[("phone", "1")]);
    world.send(batch(vec![phone.clone()]));
    assert!(world.is_merged(&phone, &apart));
}

#[test]
fn two_whom_rules_2_take_for_one_are_two_after_the_change() {
    let (first, other) = (named(1, "الإدريسي", "Elidrissi"), named(2, "الإدريسي", "Amrani"));
    let mut before = world();
    before.send(batch(vec![first.clone(), other.clone()]));
    assert_eq!(before.held(&other), Some(Code::Duplicate), "one Arabic spelling is enough for rules 2");
    before.rules(Rules::V3);
    assert_eq!(before.held(&other), Some(Code::Duplicate), "judged once, at its place");
    let mut after = world();
    after.send(batch(vec![first.clone()]));
    after.rules(Rules::V3);
    after.send(batch(vec![other.clone()]));
    assert!(after.is_merged(&other, &other));
    // one who has no Latin name meets both
    let arabic = named(3, "الادريسى", "");
    after.send(batch(vec![arabic.clone()]));
    assert_eq!(after.held(&arabic), Some(Code::Duplicate));
    assert_eq!(after.memory().peek(|state| state.records[&arabic.key()].against.len()), 2);
}

#[test]
fn what_only_the_new_rules_refuse_is_held() {
    let typed = |n| named(n, "", "Ben  Ali");
    let mut world = world();
    world.send(batch(vec![typed(1)]));
    assert!(world.is_merged(&typed(1), &typed(1)));
    world.rules(Rules::V3);
    assert!(world.is_merged(&typed(1), &typed(1)));
    let later = typed(2).sets(&[("date_of_birth", "1981-05-17")]);
    world.send(batch(vec![later.clone()]));
    assert_eq!(world.held(&later), Some(Code::FieldInvalid));
}

#[test]
fn a_line_is_judged_by_the_rules_at_its_place() {
    let (first, other) = (named(1, "الإدريسي", "Elidrissi"), named(2, "الإدريسي", "Amrani"));
    let mut world = world();
    world.send(batch(vec![first]));
    let id = world.send(batch(vec![other.clone().broken()]));
    world.rules(Rules::V3);
    world.opened(id);
    assert!(world.is_merged(&other, &other), "its place is the entry that opens it");
}

#[test]
fn a_version_never_goes_back() {
    let mut world = world();
    world.rules(Rules::V3);
    world.rules(Rules::V2);
    world.send(batch(vec![named(1, "الإدريسي", "Elidrissi")]));
    let other = named(2, "الإدريسي", "Amrani");
    world.send(batch(vec![other.clone()]));
    assert!(world.is_merged(&other, &other));
}

#[test]
fn a_rebuild_over_the_change_gives_the_same() {
    let mut world = world();
    world.send(batch(vec![named(1, "الإدريسي", "El Idrissi"), named(2, "الإدريسي", "Amrani"), named(3, "", "Elidrissi")]));
    world.rules(Rules::V3);
    world.send(batch(vec![named(4, "الادريسي", "ELIDRISSI"), named(5, "الإدريسي", "Alaoui")]));
    let first = world.memory();
    let again = Memory::with(world.log.clone(), Opening::Again, first.told());
    again.fold();
    assert_eq!((again.digest(), again.differing.borrow().len()), (first.digest(), 0));
    let merged = |fate: &Fate| matches!(fate, Fate::Merged(_));
    let fates: Vec<bool> = (1..=5).map(|n| merged(&first.fate(&named(n, "", "").key()))).collect();
    assert_eq!(fates, [true, false, true, false, true]);
}
