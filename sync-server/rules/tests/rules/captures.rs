//! A face, finger or eye that was somebody else's before.

use shared::{decision::Verdict, id::Transaction, problem::Code, roster::Renewals, rules::Rules};

use crate::{
    drafts::{batch, draft, key, number_target},
    examples::{decide, of, two},
    world::World,
};

#[test]
fn the_later_of_two_with_equal_bytes_is_held_against_the_first() {
    let mut world = World::new();
    let first = draft("van-1", 1, "N1").shows("finger-left-ring", 1).shows("face", 2);
    let later = draft("van-2", 2, "N2").shows("finger-right-ring", 1).shows("face", 3);
    let other = draft("van-2", 3, "N3").shows("face", 4);
    world.send(batch(vec![first.clone()]));
    world.send(batch(vec![later.clone(), other.clone()]));
    assert!(world.is_merged(&first, &first) && world.is_merged(&other, &other));
    assert_eq!(world.held(&later), Some(Code::PartReused), "at whatever position");
    assert_eq!(world.memory().peek(|state| state.records[&later.key()].against.clone()), [first.key()], "the case names both");
}

#[test]
fn equal_parts_that_are_no_captures_are_nobodys() {
    let mut world = World::new();
    let (one, mut other) = (draft("van-1", 1, "N1"), draft("van-2", 2, "N2"));
    other.says.parts = one.says.parts.clone();
    world.send(batch(vec![one]));
    world.send(batch(vec![other.clone()]));
    assert!(world.is_merged(&other, &other), "a document");
}

#[test]
fn a_person_decides_that_they_are_two_and_a_third_is_held_against_both() {
    let mut world = World::new();
    let people = [1, 2, 3].map(|n| draft("van-1", n, &format!("N{n}")).shows("face", 7));
    let [first, later, third] = &people;
    world.send(batch(vec![first.clone(), later.clone()]));
    decide(&mut world, "amina", of(later, Verdict::Found));
    assert!(world.is_merged(later, later));
    world.send(batch(vec![third.clone()]));
    assert_eq!(world.held(third), Some(Code::PartReused));
    let against = world.memory().peek(|state| state.records[&third.key()].against.clone());
    assert_eq!(against.len(), 2);
    assert!(against.contains(&first.key()) && against.contains(&later.key()));
}

#[test]
fn a_person_decides_that_they_are_one() {
    let mut world = World::new();
    let (first, again) = (draft("van-1", 1, "N1").shows("face", 7), draft("van-1", 2, "N2").shows("face", 7));
    world.send(batch(vec![first.clone(), again.clone()]));
    decide(&mut world, "amina", of(&again, Verdict::Same(first.reference())));
    assert!(world.is_merged(&again, &first));
}

#[test]
fn renewals_and_corrections_may_bring_what_is_known() {
    let mut world = World::with(|facts| facts.renewals = Renewals::Apply);
    let first = draft("van-1", 1, "N1").shows("face", 7);
    world.send(batch(vec![first.clone()]));
    let renewal = draft("van-1", 2, "").only(&[("phone", "1")]).shows("face", 7).to(Transaction::Renewal, number_target("N1"));
    world.send(batch(vec![renewal.clone()]));
    assert!(world.is_merged(&renewal, &first));
}

#[test]
fn a_second_document_of_the_same_person_may_bring_the_same_portrait() {
    let mut world = World::new();
    let born = [("date_of_birth", "1980-05-17"), ("sex", "f"), ("place_of_birth", "04")];
    let card = draft("van-1", 1, "N1").sets(&born).shows("face", 7);
    let permit = draft("van-1", 2, "N1").sets(&born).form("residence/1").shows("face", 7);
    let other = draft("van-1", 3, "N3").shows("face", 9);
    let taken = draft("van-1", 4, "N1").sets(&born).form("residence/1").shows("face", 9);
    world.send(batch(vec![card.clone(), permit.clone()]));
    assert!(world.is_merged(&permit, &card));
    let mut world = World::new();
    world.send(batch(vec![card.clone(), other.clone(), taken.clone()]));
    assert_eq!(world.held(&taken), Some(Code::PartReused), "the same person, and a face of another");
}

#[test]
fn what_was_taken_out_is_nobodys_any_more() {
    let mut world = World::new();
    let (first, later) = (draft("van-1", 1, "N1").shows("face", 7), draft("van-2", 2, "N2").shows("face", 7));
    world.send(batch(vec![first.clone()]));
    two(&mut world, of(&first, Verdict::Refuse));
    world.send(batch(vec![later.clone()]));
    assert!(world.is_merged(&later, &later));
    let mut world = World::new();
    let cut = world.log.next();
    world.send(batch(vec![first]));
    world.cut(&key("van-1", 1), cut);
    world.send(batch(vec![later.clone()]));
    assert!(world.is_merged(&later, &later), "as if it had never been there");
}

#[test]
fn rules_2_did_not_ask() {
    let mut world = World::new();
    world.log.first_rules = Some(Rules::V2);
    let people = [1, 2, 3].map(|n| draft("van-1", n, &format!("N{n}")).shows("face", 7));
    world.send(batch(people[..2].to_vec()));
    assert!(world.is_merged(&people[1], &people[1]));
    world.rules(Rules::V3);
    world.send(batch(vec![people[2].clone()]));
    assert_eq!(world.held(&people[2]), Some(Code::PartReused), "who stood before counts");
}
