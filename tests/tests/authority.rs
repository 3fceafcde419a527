//! Whose word counts, acted out on the real programs: a thief with a laptop, a unit with other software, people who were cut off.
//! Each test is named for the attack and says what must come of it.

use shared::{
    hello::State,
    id::{BatchId, Digest, Member, Number, Place, Transaction},
    keys::Signer,
    record::Target,
};
use tests::world::{Broken, Plan, Rogue, Source, Sure, World, path_text, until, write_sources};

/// No approval is demanded: what a unit says is all there is.
const FREE: Plan = Plan { approval: "none", ..Plan::DEFAULT };

/// A centre that serves, with two rogues: one who enrolled an honest resident, and one of another unit.
fn two(plan: &Plan) -> Sure<(World, Rogue, Rogue)> {
    let mut world = World::new(plan)?;
    world.centre.serve()?;
    let honest = Rogue::admitted(&world, "van-1")?;
    let evil = Rogue::admitted(&world, "van-9")?;
    Ok((world, honest, evil))
}

fn by_number(number: &str) -> Target {
    Target::NationalNumber { national_number: number.to_owned() }
}

fn residents(world: &World, seed: u64, people: &[(u64, u64)]) -> Sure<Vec<Source>> {
    let sample = shared::sample::Sample::new(seed, shared::time::Second::from_unix(1_790_000_000), shared::sample::Size::Tiny);
    write_sources(&world.path().join("residents"), &sample, people)
}

/// A supervisor whose passphrase was stolen is cut at the centre; the laptop has not heard of it, and its day is approved with the key.
#[test]
fn promise_11_a_revoked_supervisor_approves_nothing() -> Sure<()> {
    let mut world = World::with_units(&Plan::default(), 1)?;
    world.centre.run(&["supervisor", "revoke", "supervisor-1", "--reason", "stolen", "--since", "now", "--yes"])?.ok()?;
    let sources = residents(&world, 41, &[(0, 0), (1, 0)])?;
    world.enrol(0, &sources)?;
    world.units[0].close()?;
    let stands = world.units[0].settle()?;
    assert!(stands.values().all(|s| s.state == "held" && s.told.contains("approver-revoked")), "{stands:?}");
    let batches = world.centre.run(&["batch", "list"])?.ok()?;
    assert_eq!(batches.of("batch").map(|b| b["state"].to_string()).collect::<Vec<_>>(), ["\"quarantined approver-revoked\""]);
    Ok(())
}

/// The replacement was admitted first; the stolen key is revoked afterwards, and the new one goes on.
#[test]
fn promise_11_a_replaced_key_is_cut_when_the_new_one_is_admitted_and_can_be_revoked_later() -> Sure<()> {
    let mut world = World::with_units(&FREE, 1)?;
    let stolen = world.path().join("stolen");
    tests::world::copy_folder(&world.units[0].data, &stolen)?;
    let run = |args: &[&str]| world.centre.run(args);
    let replacement = Rogue::keys("van-1", "second")?;
    let request = replacement.unit_request(&world)?;
    run(&["unit", "admit", path_text(&request)?])?.refused("key-choice")?;
    run(&["unit", "admit", path_text(&request)?, "--new-key"])?.refused("key-choice")?;
    run(&["unit", "admit", path_text(&request)?, "--new-key", "--keep-old"])?.ok()?;
    // the name has two keys now: revoking asks which
    run(&["unit", "revoke", "van-1", "--reason", "stolen", "--since", "now", "--yes"])?.refused("key-choice")?;
    let old = run(&["unit", "list"])?.ok()?;
    let keys: Vec<String> = old.of("unit").map(|k| k["key"].as_str().unwrap_or_default().to_owned()).collect();
    assert_eq!(keys.len(), 2, "every key that ever was: {keys:?}");
    let first = keys.iter().find(|k| !k.contains(&replacement.id())).ok_or_else(|| Broken("no other key".into()))?;
    let id = first.split('+').nth(1).unwrap_or_default().to_owned();
    run(&["unit", "revoke", "van-1", "--key", &id, "--reason", "stolen", "--since", "now", "--yes"])?.ok()?;
    // the thief works on the stolen laptop
    let sources = residents(&world, 42, &[(0, 0)])?;
    world.enrol(0, &sources)?;
    world.units[0].close()?;
    world.units[0].sync()?;
    let batches = world.centre.run(&["batch", "list"])?.ok()?;
    assert!(batches.of("batch").all(|b| b["state"] == "quarantined revoked"), "{:?}", batches.lines);
    let mut second = replacement.join(&world, 2)?;
    let record = second.workshop.record();
    assert_eq!(second.told(&record, false)?, "merged", "the new key goes on");
    Ok(())
}

/// The thief says one hello with the revoked key, about a batch of the next epoch, and about one of its own.
#[test]
fn promise_16_a_revoked_keys_hello_freezes_nobody_and_moves_no_head() -> Sure<()> {
    let (world, mut thief, _) = two(&FREE)?;
    world.centre.run(&["unit", "revoke", "van-1", "--reason", "stolen", "--since", "now", "--yes"])?.ok()?;
    let replacement = Rogue::keys("van-1", "second")?;
    let request = replacement.unit_request(&world)?;
    world.centre.run(&["unit", "admit", path_text(&request)?, "--new-key", "--cut-old"])?.ok()?;
    let lie = |place: &str| Some((place.parse::<Place>().expect("a place"), BatchId::from_bytes(*Digest::of(b"lie").as_bytes())));
    thief.post("hello", thief.signed_hello(500, lie("2.1"))?)?.refused("head-too-far");
    thief.post("hello", thief.signed_hello(501, lie("1.20000"))?)?.refused("head-too-far");
    thief.say(502, lie("1.3"))?;
    let mut second = replacement.join(&world, 2)?;
    let record = second.workshop.record();
    assert_eq!(second.told(&record, false)?, "merged");
    assert_eq!(second.hello()?.state, State::Ok, "nobody is frozen");
    let open = world.centre.run(&["fsck"])?.ok()?;
    assert!(!open.of("open").any(|l| l["kind"].as_str().is_some_and(|kind| kind.ends_with("-missing"))), "{:?}", open.lines);
    Ok(())
}

/// An agent of another unit renews a resident with another name and face.
#[test]
fn promise_16_a_renewal_by_another_unit_changes_no_identity() -> Sure<()> {
    let (world, mut honest, mut evil) = two(&FREE)?;
    let own = honest.numbered(1);
    let number = honest.national_number(1);
    assert_eq!(honest.told(&own, false)?, "merged");
    for transaction in [Transaction::Renewal, Transaction::Correction, Transaction::Replacement] {
        let attack = evil.workshop.about(3, transaction, Some(by_number(&number)), |person| {
            person.insert("given_latin".into(), Some("Mallory".into()));
            person.insert("national_number".into(), Some(number.clone()));
        });
        assert_eq!(evil.told(&attack, true)?, "held identity-change", "{transaction}");
    }
    let found = world.centre.run(&["resident", "find", "--number", &number, "--reason", "test"])?.ok()?;
    assert_eq!(found.of("resident").count(), 1);
    assert!(!found.lines.iter().any(|l| l.to_string().contains("Mallory")), "{:?}", found.lines);
    Ok(())
}

/// `new` under somebody's number, dated long before; and a correction that takes somebody's number.
#[test]
fn promise_16_who_claims_an_earlier_time_takes_nobodys_place() -> Sure<()> {
    let (_world, mut honest, mut evil) = two(&FREE)?;
    let first = honest.numbered(1);
    let taken = honest.national_number(1);
    assert_eq!(honest.told(&first, false)?, "merged");
    evil.workshop.finished = shared::time::Second::from_unix(evil.workshop.finished.unix() - 40 * 86_400);
    let attack = evil.workshop.about(2, Transaction::New, None, |person| {
        person.insert("national_number".into(), Some(taken.clone()));
    });
    assert_eq!(evil.told(&attack, false)?, "held duplicate");
    // a second way: somebody without a number, who gets hers by a correction that a supervisor apart has approved
    let nobody = evil.workshop.about(5, Transaction::New, None, |person| drop(person.remove("national_number")));
    let id = nobody.content().record_id;
    assert_eq!(evil.told(&nobody, false)?, "merged");
    let target = Some(Target::Record { unit: evil.name.clone(), record: id });
    let correction = evil.workshop.about(5, Transaction::Correction, target, |person| {
        person.clear();
        person.insert("national_number".into(), Some(taken.clone()));
    });
    assert_eq!(evil.told(&correction, true)?, "held duplicate");
    assert_eq!(honest.hello()?.state, State::Ok);
    Ok(())
}

/// A renewal for a number that nobody has yet does not lie in wait for whoever enrols under it.
#[test]
fn promise_16_nobody_lies_in_wait_for_a_number() -> Sure<()> {
    let (_world, mut honest, mut evil) = two(&FREE)?;
    let number = honest.national_number(1);
    let trap = evil.workshop.about(4, Transaction::Renewal, Some(by_number(&number)), |person| {
        person.insert("national_number".into(), Some(number.clone()));
    });
    assert_eq!(evil.told(&trap, true)?, "held target-unknown");
    let record = honest.numbered(1);
    assert_eq!(honest.told(&record, false)?, "merged");
    let manifest = evil.last().ok_or_else(|| Broken("nothing delivered".into()))?;
    assert_eq!(evil.fates(&manifest)?, ["held target-unknown"], "it stays held");
    Ok(())
}

/// Two agents in one batch: what one of them had signed waits, the other's goes on.
#[test]
fn promise_11_two_agents_in_one_batch_and_only_the_lines_of_the_one_who_was_cut_are_held() -> Sure<()> {
    let mut world = World::new(&FREE)?;
    world.centre.serve()?;
    let mut rogue = Rogue::admitted(&world, "van-1")?;
    let colleague: Member = "van-1-colleague".parse().map_err(|_| Broken("a name".into()))?;
    let key = Signer::from_seed((&colleague).into(), &[31; 32]);
    let file = world.path().join("colleague.request");
    std::fs::write(&file, tests::world::person(shared::roster::Role::Agent, &colleague, None, &key).as_bytes())?;
    world.centre.run(&["agent", "admit", path_text(&file)?])?.ok()?;
    rogue.follow(&world)?;
    let (one, two) = (rogue.workshop.record(), rogue.workshop.record_by(&colleague));
    let (one, two) = (rogue.workshop.sealed(&one), rogue.workshop.sealed(&two));
    let lines = vec![one.line(1, &rogue.name, &rogue.agent), two.line(2, &rogue.name, &key)];
    let payload = [one.sealed, two.sealed].concat();
    let manifest = rogue.close_lines(lines, &payload, |facts| facts.approved = None)?;
    world.centre.run(&["agent", "revoke", colleague.as_str(), "--reason", "left", "--since", "now", "--yes"])?.ok()?;
    rogue.deliver(&manifest, &payload)?;
    assert_eq!(rogue.fates(&manifest)?, ["merged", "held agent-revoked"]);
    Ok(())
}

/// What a cut key sends contradicts nobody: honest work that a head from before leads to stays good, and nothing is missing.
#[test]
fn promise_16_a_cut_keys_batches_make_no_fork_and_show_nothing_missing() -> Sure<()> {
    let (world, mut rogue, _) = two(&FREE)?;
    let record = rogue.workshop.record();
    let forged = rogue.workshop.sealed(&record);
    let (said, payload) = rogue.close(&[forged], |facts| facts.approved = None)?;
    rogue.hello()?; // the log has heard of it; it is still on its way
    world.centre.run(&["unit", "revoke", "van-1", "--reason", "stolen", "--since", "now", "--yes"])?.ok()?;
    for (sequence, number) in [(1, 1), (9_000, 900_000)] {
        let other = rogue.workshop.record();
        let other = rogue.workshop.sealed(&other);
        let line = other.line(number, &rogue.name, &rogue.agent);
        let lie = rogue.close_lines(vec![line], &other.sealed, |facts| {
            facts.place = Place::new(1, sequence).expect("a place");
            facts.previous = (sequence > 1).then(|| said.id());
            facts.approved = None;
        })?;
        rogue.deliver(&lie, &other.sealed)?;
        assert_eq!(rogue.fates(&lie)?, ["held revoked"]);
    }
    // and one that it only announces
    let other = rogue.workshop.record();
    let other = rogue.workshop.sealed(&other);
    let line = other.line(5, &rogue.name, &rogue.agent);
    let lie = rogue.close_lines(vec![line], &other.sealed, |facts| {
        facts.place = Place::new(1, 5_000).expect("a place");
        facts.approved = None;
    })?;
    rogue.announce(&lie)?.done();
    rogue.deliver(&said, &payload)?;
    assert_eq!(rogue.fates(&said)?, ["merged"]);
    let open = world.centre.run(&["open", "list"])?;
    assert!(!open.lines.iter().any(|l| l.to_string().contains("missing")), "{:?}", open.lines);
    Ok(())
}

/// A unit that signed a record again under its new key has not lost it when the old key turns out to have been stolen before.
#[test]
fn promise_11_a_record_that_came_under_two_keys_outlives_the_cut_of_one() -> Sure<()> {
    let (world, mut old, _) = two(&FREE)?;
    let before = world.centre.run(&["log", "checkpoint"])?.ok()?.number("size").to_string();
    let record = old.workshop.record();
    let sealed = old.workshop.sealed(&record);
    let (first, payload) = old.close(std::slice::from_ref(&sealed), |facts| facts.approved = None)?;
    old.deliver(&first, &payload)?;
    assert_eq!(old.fates(&first)?, ["merged"]);
    let lone = old.workshop.record();
    assert_eq!(old.told(&lone, false)?, "merged");
    let spare = Rogue::keys("van-1", "second")?;
    let request = spare.unit_request(&world)?;
    world.centre.run(&["unit", "admit", path_text(&request)?, "--new-key", "--keep-old"])?.ok()?;
    let new = spare.join(&world, 2)?;
    let line = sealed.line_of(Number::new(2, 1).map_err(|_| Broken("a number".into()))?, &new.name, &old.agent);
    let second = new.close_lines(vec![line], &sealed.sealed, |facts| facts.approved = None)?;
    new.deliver(&second, &sealed.sealed)?;
    assert_eq!(new.fates(&second)?, ["merged"]);
    let id = old.unit.public().id().to_string();
    world.centre.run(&["unit", "revoke", "van-1", "--key", &id, "--reason", "stolen", "--cut", &before, "--yes"])?.ok()?;
    let alone = old.last().ok_or_else(|| Broken("nothing delivered".into()))?;
    until("what only the old key signed is out", || Ok((new.fates(&alone)? == ["held revoked"]).then_some(())))?;
    assert_eq!(new.fates(&second)?, ["merged"]);
    assert_eq!(new.fates(&first)?, ["merged"], "by the other batch");
    world.centre.fsck().map(drop)
}

/// A cut that reaches back takes out what the key had signed, and what rested on it is held; its number is free again.
#[test]
fn promise_16_a_cut_that_reaches_back_takes_out_what_the_key_signed_and_frees_its_number() -> Sure<()> {
    let (world, mut honest, mut evil) = two(&FREE)?;
    let before = world.centre.run(&["log", "checkpoint"])?.ok()?.number("size");
    let number = honest.national_number(1);
    let squat = evil.workshop.about(2, Transaction::New, None, |person| {
        person.insert("national_number".into(), Some(number.clone()));
    });
    assert_eq!(evil.told(&squat, false)?, "merged");
    let squatted = evil.last().ok_or_else(|| Broken("nothing delivered".into()))?;
    let record = honest.numbered(1);
    assert_eq!(honest.told(&record, false)?, "held duplicate");
    let cut = before.to_string();
    world.centre.run(&["unit", "revoke", "van-9", "--reason", "stolen", "--cut", &cut, "--yes"])?.ok()?;
    until("the squatter is taken out", || Ok((evil.fates(&squatted)? == ["held revoked"]).then_some(())))?;
    let again = honest.numbered(1);
    assert_eq!(honest.told(&again, false)?, "merged", "the number is free");
    Ok(())
}
