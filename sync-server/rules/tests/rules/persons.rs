//! How many persons a decision needs, and what a refused batch takes with it.

use rules::{Found, Mode, decisions::Needs, engine::LineState};
use shared::{
    decision::{BatchVerdict, Said, Subject, Verdict},
    id::{BatchId, LogIndex, Transaction},
    outcome::Fate,
    problem::Code,
    roster::{Approval, Renewals},
};

use crate::{
    drafts::{Draft, batch, draft, key, number_target},
    examples::{decide, line_state, of, two},
    world::World,
};

fn needs(world: &World, subject: Subject) -> Needs {
    rules::decisions::needs(&world.memory(), world.log.next(), &world.line(subject)).expect("known")
}

fn accept(id: BatchId, code: Code) -> Subject {
    Subject::Batch(id, BatchVerdict::Accept(code))
}

/// Without parts.
fn faceless(mut draft: Draft) -> Draft {
    draft.says.parts.clear();
    draft
}

#[test]
fn what_is_held_needs_one_unless_it_changes_identity_or_face() {
    let mut world = World::new();
    let (person, same) = (draft("van-1", 1, "N1").sets(&[("place_of_birth", "04")]), draft("van-2", 2, "N1"));
    let unknown = |n: u8| draft("van-2", n, "").to(Transaction::Correction, number_target("N7"));
    let (phone, moved) = (unknown(3).only(&[("phone", "1")]), unknown(4).only(&[("place_of_birth", "05")]));
    let renewal = |n: u8| draft("van-2", n, "").only(&[("phone", "2")]).to(Transaction::Renewal, number_target("N7"));
    let (face, no_face) = (renewal(5), faceless(renewal(6)));
    world.send(batch(vec![person.clone()]));
    world.send(batch([&same, &phone, &moved, &face, &no_face].map(Clone::clone).to_vec()));
    let to = || Verdict::Apply(person.reference());
    for (draft, verdict, needed) in [
        (&same, Verdict::Found, Needs::One),
        (&same, Verdict::Same(person.reference()), Needs::One),
        (&same, Verdict::Refuse, Needs::One),
        (&phone, to(), Needs::One),
        (&moved, to(), Needs::Two),
        (&face, to(), Needs::Two),
        (&no_face, to(), Needs::One),
    ] {
        assert_eq!(needs(&world, of(draft, verdict.clone())), needed, "{} {verdict}", draft.record);
    }
}

#[test]
fn keys_that_have_ended_need_two_and_refusing_needs_one() {
    for (ended, code) in [("agent-1", Code::AgentRevoked), ("van-1", Code::Revoked), ("supervisor-1", Code::ApproverRevoked)] {
        let mut world = World::new();
        let record = draft("van-1", 1, "N1");
        world.cut(&key(ended, 1), LogIndex(1));
        world.send(batch(vec![record.clone()]));
        assert_eq!(world.held(&record), Some(code));
        assert_eq!(needs(&world, of(&record, Verdict::Found)), Needs::Two, "{ended}");
        assert_eq!(needs(&world, of(&record, Verdict::Refuse)), Needs::One, "{ended}");
    }
}

#[test]
fn what_is_merged_needs_two_but_for_more_of_itself() {
    let born = [("date_of_birth", "1980-05-17"), ("sex", "f"), ("place_of_birth", "04")];
    let mut world = World::new();
    let (card, other) = (draft("van-1", 1, "N1").sets(&born), draft("van-1", 2, "N2"));
    let residence = |n, parts: bool| {
        let draft = draft("van-2", n, "N1").sets(&born).sets(&[("residence_id", "R")]).form("residence/1");
        if parts { draft } else { faceless(draft) }
    };
    let joined = residence(3, false);
    world.send(batch(vec![card.clone(), other.clone()]));
    world.send(batch(vec![joined.clone()]));
    assert!(world.is_merged(&joined, &card));
    for (verdict, needed) in [
        (Verdict::Apply(card.reference()), Needs::One),
        (Verdict::Apply(other.reference()), Needs::Two),
        (Verdict::Same(card.reference()), Needs::Two),
        (Verdict::Found, Needs::Two),
        (Verdict::Refuse, Needs::Two),
    ] {
        assert_eq!(needs(&world, of(&joined, verdict.clone())), needed, "{verdict}");
    }
    decide(&mut world, "amina", of(&joined, Verdict::Apply(card.reference())));
    assert_eq!(world.memory().peek(|state| state.records[&joined.key()].mode), Some(Mode::Applied { parts: true }));
    assert_eq!(needs(&world, of(&joined, Verdict::Apply(card.reference()))), Needs::Nobody);
    assert_eq!(needs(&world, of(&joined, Verdict::Apply(other.reference()))), Needs::Two, "of another resident it is no more of itself");
    // a face comes with it
    let mut world = World::new();
    let joined = residence(3, true);
    world.send(batch(vec![card.clone()]));
    world.send(batch(vec![joined.clone()]));
    assert_eq!(needs(&world, of(&joined, Verdict::Apply(card.reference()))), Needs::Two);
}

#[test]
fn what_one_refused_one_takes_back() {
    let mut world = World::new();
    let (stands, same) = (draft("van-1", 1, "N1"), draft("van-2", 2, "N1"));
    world.send(batch(vec![stands]));
    world.send(batch(vec![same.clone()]));
    decide(&mut world, "amina", of(&same, Verdict::Refuse));
    assert_eq!(needs(&world, of(&same, Verdict::Found)), Needs::One);
}

#[test]
fn an_acceptance_or_a_refusal_once_more_needs_nobody() {
    let mut world = World::new();
    let id = world.send(batch(vec![draft("van-1", 1, "N1")]).approver(None));
    assert_eq!(needs(&world, accept(id, Code::Unapproved)), Needs::One);
    decide(&mut world, "amina", accept(id, Code::Unapproved));
    assert_eq!(needs(&world, accept(id, Code::Unapproved)), Needs::Nobody);
    assert_eq!(needs(&world, Subject::Batch(id, BatchVerdict::Refuse)), Needs::Two, "it takes out what is merged");
    two(&mut world, Subject::Batch(id, BatchVerdict::Refuse));
    assert_eq!(needs(&world, Subject::Batch(id, BatchVerdict::Refuse)), Needs::Nobody);
    assert_eq!(needs(&world, accept(id, Code::Unapproved)), Needs::Two, "two persons said otherwise");
}

#[test]
fn accepting_needs_one_for_lines_that_change_nobody() {
    let born = [("date_of_birth", "1980-05-17"), ("sex", "f"), ("place_of_birth", "04")];
    let person = draft("van-1", 1, "N1").sets(&born);
    let face = |n| draft("van-2", n, "").only(&[]).to(Transaction::Renewal, number_target("N1"));
    let residence = draft("van-2", 3, "N1").sets(&born).form("residence/1");
    let evidence = draft("van-2", 4, "").only(&[("phone", "1")]).to(Transaction::Correction, number_target("N1"));
    let wrong = Draft { found: Found::Refused(Code::LineMismatch), ..face(5) };
    for (renewals, record, needed) in [
        (Renewals::Apply, face(2), Needs::Two),
        (Renewals::Hold, face(2), Needs::One),
        (Renewals::Apply, residence.clone(), Needs::Two),
        (Renewals::Hold, residence, Needs::One),
        (Renewals::Apply, evidence, Needs::One),
        (Renewals::Apply, wrong, Needs::One),
        (Renewals::Apply, face(6).broken(), Needs::One),
    ] {
        let mut world = World::with(|facts| facts.renewals = renewals);
        world.send(batch(vec![person.clone()]));
        let id = world.send(batch(vec![record.clone()]).approver(None));
        assert_eq!(needs(&world, accept(id, Code::Unapproved)), needed, "{renewals:?} {:?}", record.says);
    }
    // in force by another delivery already
    let mut world = World::with(|facts| facts.renewals = Renewals::Apply);
    world.send(batch(vec![person]));
    world.send(batch(vec![face(2)]));
    let id = world.send(batch(vec![face(2)]).approver(None));
    assert_eq!(needs(&world, accept(id, Code::Unapproved)), Needs::One);
    // also where another renewal has changed the face since
    world.send(batch(vec![face(7)]));
    let id = world.send(batch(vec![face(2)]).approver(None));
    assert_eq!(needs(&world, accept(id, Code::Unapproved)), Needs::One);
}

#[test]
fn what_is_held_in_a_batch_that_two_accepted_needs_one_and_so_does_what_one_refused_with_its_batch() {
    let mut world = World::new();
    let person = draft("van-1", 1, "N1").sets(&[("place_of_birth", "04")]);
    world.send(batch(vec![person.clone(), draft("van-1", 2, "N2")]));
    let (moved, held) = (person.correction(3, &[("place_of_birth", "05")]), draft("van-1", 4, "N2"));
    let id = world.send(batch(vec![moved.clone(), held.clone()]).forked());
    assert_eq!(needs(&world, accept(id, Code::Fork)), Needs::Two);
    two(&mut world, accept(id, Code::Fork));
    assert_eq!((world.is_merged(&moved, &person), world.held(&held)), (true, Some(Code::Duplicate)));
    assert_eq!(needs(&world, of(&held, Verdict::Found)), Needs::One);
    // and the other way round
    let lone = draft("van-1", 5, "N5");
    let id = world.send(batch(vec![lone.clone()]).approver(None));
    decide(&mut world, "amina", Subject::Batch(id, BatchVerdict::Refuse));
    assert_eq!(world.fate(&lone), Fate::Refused(Code::Decided));
    assert_eq!(needs(&world, of(&lone, Verdict::Found)), Needs::One);
}

#[test]
fn what_is_said_again_changes_nothing_of_what_it_did() {
    let mut world = World::new();
    let (stands, same) = (draft("van-1", 1, "N1"), draft("van-2", 2, "N1"));
    world.send(batch(vec![stands]));
    world.send(batch(vec![same.clone()]));
    let line = world.line(of(&same, Verdict::Found));
    let note = world.decide("amina", vec![line.clone()]);
    let acts = line_state(&world, note);
    assert!(matches!(acts, LineState::Acts(_)));
    world.force_note("amina", Said::Lines(vec![line]));
    assert_eq!(line_state(&world, note), acts);
}

#[test]
fn a_refused_batch_takes_what_is_its_own_and_gives_only_that_back() {
    let mut world = World::with(|facts| facts.approval = Approval::None);
    let [own, decided, elsewhere, held_elsewhere, unopened] = [1, 2, 3, 4, 5].map(|n| draft("van-1", n, &format!("N{n}")));
    let wrong = Draft { found: Found::Refused(Code::LineMismatch), ..draft("van-1", 6, "N6") };
    let held_by_wrong = draft("van-1", 7, "N7");
    // delivered before: one in force, two under an agent whose key has ended
    world.cut(&key("agent-2", 1), LogIndex(1));
    let first = world.send(batch(vec![
        elsewhere.clone(),
        held_elsewhere.clone().by(key("agent-2", 1)),
        held_by_wrong.clone().by(key("agent-2", 1)),
    ]));
    let agent_1_ended = key("agent-3", 1);
    world.cut(&agent_1_ended, LogIndex(1));
    let id = world.send(batch(vec![
        own.clone(),
        decided.clone(),
        elsewhere.clone(),
        held_elsewhere.clone().by(agent_1_ended.clone()),
        unopened.clone().broken(),
        wrong.clone(),
        Draft { found: Found::Refused(Code::LineMismatch), ..held_by_wrong.clone() },
    ]));
    two(&mut world, of(&decided, Verdict::Refuse));
    let fates = |world: &World| {
        [&own, &decided, &elsewhere, &held_elsewhere, &unopened, &wrong, &held_by_wrong].map(|draft| match world.fate(draft) {
            Fate::Merged(_) => "merged".to_owned(),
            Fate::Held(code, _) => code.row().code.to_owned(),
            Fate::Refused(code) => format!("refused {}", code.row().code),
        })
    };
    let before = ["merged", "refused decided", "merged", "agent-revoked", "unopened", "refused line-mismatch", "agent-revoked"];
    assert_eq!(fates(&world), before);
    two(&mut world, Subject::Batch(id, BatchVerdict::Refuse));
    let refused = "refused decided";
    assert_eq!(fates(&world), [refused, refused, "merged", refused, refused, "refused line-mismatch", "agent-revoked"]);
    let delivery = |draft: &Draft| world.memory().peek(|state| state.records[&draft.key()].delivery.0);
    assert_eq!((delivery(&elsewhere), delivery(&held_elsewhere), delivery(&held_by_wrong)), (first, id, first));
}

#[test]
fn a_batch_that_is_accepted_after_all_gives_back_what_only_the_refusal_had_put_out() {
    let mut world = World::new();
    let [own, decided, unopened] = [1, 2, 3].map(|n| draft("van-1", n, &format!("N{n}")));
    let wrong = Draft { found: Found::Refused(Code::LineMismatch), ..draft("van-1", 4, "N4") };
    let lines = vec![own.clone(), decided.clone(), unopened.clone().broken(), wrong.clone()];
    let id = world.send(batch(lines).approver(None));
    decide(&mut world, "amina", of(&decided, Verdict::Refuse));
    decide(&mut world, "amina", Subject::Batch(id, BatchVerdict::Refuse));
    decide(&mut world, "amina", accept(id, Code::Unapproved));
    assert!(world.is_merged(&own, &own));
    assert_eq!(world.fate(&decided), Fate::Refused(Code::Decided), "a decision of its own");
    assert_eq!(world.held(&unopened), Some(Code::Unopened));
    assert_eq!(world.fate(&wrong), Fate::Refused(Code::LineMismatch));
    world.opened(id);
    assert!(world.is_merged(&unopened, &unopened));
}
