//! What is held has a way out, and what was merged wrongly, too: decided by real staff with the real programs, tried to the end.

use shared::{
    id::{ResidentRef, Transaction},
    record::{Record, Target},
};
use tests::world::{Adjudicator, Broken, Desk, Plan, Rogue, Source, Sure, World, becomes, id, reference, until};

/// No approval is demanded: what a unit says is all there is.
const FREE: Plan = Plan { approval: "none", ..Plan::DEFAULT };

fn by_number(number: &str) -> Target {
    Target::NationalNumber { national_number: number.to_owned() }
}

/// Somebody under a number that another bears.
fn squat(rogue: &mut Rogue, person: u64, number: &str) -> Record {
    rogue.workshop.about(person, Transaction::New, None, |fields| {
        fields.insert("national_number".into(), Some(number.to_owned()));
    })
}

/// An ordinary duplicate: one person says that it is the same resident, or another one.
#[test]
fn a_duplicate_is_somebody_known_or_somebody_else_by_one_persons_word() -> Sure<()> {
    let mut desk = Desk::of(&FREE)?;
    let first = desk.honest.numbered(1);
    assert_eq!(desk.honest.told(&first, false)?, "merged");
    let number = desk.honest.national_number(1);
    let resident = reference(&desk.honest, &first);
    let same = squat(&mut desk.other, 2, &number);
    assert_eq!(desk.other.told(&same, false)?, "held duplicate");
    desk.one(&desk.other, &same, &["same", &resident], "same-person")?;
    becomes(&desk.other, "merged")?;
    let another = squat(&mut desk.other, 3, &number);
    assert_eq!(desk.other.told(&another, false)?, "held duplicate");
    desk.one(&desk.other, &another, &["found"], "different-person")?;
    becomes(&desk.other, "merged")?;
    // two who so come to stand under one key are a case, which names the way out
    let cases = desk.world.centre.run(&["case", "list", "--reason", "test"])?.ok()?;
    assert_eq!((cases.of("case").count(), cases.of("shared-key").count()), (0, 1), "{:?}", cases.lines);
    desk.world.centre.fsck().map(drop)
}

/// Identity and face are changed by two persons only.
#[test]
fn what_changes_identity_or_face_takes_two_persons() -> Sure<()> {
    let mut desk = Desk::of(&FREE)?;
    let first = desk.honest.numbered(1);
    assert_eq!(desk.honest.told(&first, false)?, "merged");
    let (number, resident) = (desk.honest.national_number(1), reference(&desk.honest, &first));
    let renamed = desk.other.workshop.about(1, Transaction::Correction, Some(by_number(&number)), |person| {
        person.clear();
        person.insert("given_latin".into(), Some("Zineb".into()));
    });
    assert_eq!(desk.other.told(&renamed, true)?, "held identity-change");
    desk.two(&desk.other, &renamed, &["apply", &resident], "identity-checked")?;
    becomes(&desk.other, "merged")?;
    let shown = desk.world.centre.run(&["resident", "show", &resident, "--reason", "test"])?.ok()?;
    assert!(shown.of("field").any(|f| f["value"] == "Zineb"), "{:?}", shown.lines);
    // the same person's renewal, from where they were enrolled: prints and face are what two persons look at
    let renewal = desk.honest.workshop.about(1, Transaction::Renewal, Some(by_number(&number)), |person| {
        person.insert("given_latin".into(), Some("Zineb".into()));
    });
    assert_eq!(desk.honest.told(&renewal, true)?, "held renewal-held");
    desk.two(&desk.honest, &renewal, &["apply", &resident], "capture-checked")?;
    becomes(&desk.honest, "merged")?;
    desk.world.centre.fsck().map(drop)
}

/// Promise 7: who decided stands beside what it changed.
#[test]
fn promise_07_a_decision_is_named_beside_what_it_changed() -> Sure<()> {
    let mut desk = Desk::of(&FREE)?;
    let first = desk.honest.numbered(1);
    desk.honest.told(&first, false)?;
    let number = desk.honest.national_number(1);
    let held = squat(&mut desk.other, 2, &number);
    assert_eq!(desk.other.told(&held, false)?, "held duplicate");
    desk.one(&desk.other, &held, &["found"], "different-person")?;
    let traced = desk.world.centre.run(&["record", "trace", &id(&held).to_string()])?.ok()?;
    let note = traced.of("delivery").next().and_then(|d| d["decision"].as_str()).map(str::to_owned);
    let note = note.ok_or_else(|| Broken(format!("{:?}", traced.lines)))?;
    let shown = desk.world.centre.run(&["resident", "show", &reference(&desk.other, &held), "--reason", "test"])?.ok()?;
    assert!(shown.of("field").all(|f| f["from"]["decision"] == note.as_str()), "{:?}", shown.lines);
    for about in [note.as_str(), &id(&held).to_string()] {
        let history = desk.world.centre.run(&["case", "history", about])?.ok()?;
        let lines: Vec<_> = history.of("decision").collect();
        assert!(lines.len() == 1 && lines[0]["by"].as_str().is_some_and(|by| by.starts_with("amina")), "{lines:?}");
    }
    Ok(())
}

/// A target that nobody bears, a number given twice, an id given twice: each has its decision.
#[test]
fn unknown_targets_and_numbers_and_ids_given_twice_are_decided() -> Sure<()> {
    let mut desk = Desk::of(&FREE)?;
    let old_card = desk.other.workshop.about(4, Transaction::Renewal, Some(by_number("AB654321")), |person| {
        person.insert("national_number".into(), Some("AB654321".into()));
    });
    assert_eq!(desk.other.told(&old_card, true)?, "held target-unknown");
    desk.one(&desk.other, &old_card, &["found"], "identity-checked")?;
    becomes(&desk.other, "merged")?;
    // a number of the unit that was given twice
    let (one, two) = (desk.honest.workshop.record(), desk.honest.workshop.record());
    assert_eq!(desk.honest.told(&one, false)?, "merged");
    let forged = desk.honest.workshop.sealed(&two);
    let line = forged.line(1, &desk.honest.name, &desk.honest.agent);
    let manifest = desk.honest.close_lines(vec![line], &forged.sealed, |facts| facts.approved = None)?;
    desk.honest.deliver(&manifest, &forged.sealed)?;
    assert_eq!(desk.honest.fates(&manifest)?, ["held number-reused"]);
    desk.one(&desk.honest, &two, &["found"], "mistake")?;
    until("it is merged", || Ok((desk.honest.fates(&manifest)? == ["merged"]).then_some(())))?;
    desk.honest.advance(&manifest, 1);
    // other bytes under the id of a record that stands
    let [first, second] = desk.honest.workshop.sealed_twice();
    let lines = [(2, &first), (3, &second)].map(|(n, f)| f.line(n, &desk.honest.name, &desk.honest.agent));
    let payload = [first.sealed.clone(), second.sealed.clone()].concat();
    let manifest = desk.honest.close_lines(lines.to_vec(), &payload, |facts| facts.approved = None)?;
    desk.honest.deliver(&manifest, &payload)?;
    assert_eq!(desk.honest.fates(&manifest)?, ["merged", "held record-reused"]);
    let digest = second.facts.digest.to_string();
    let out = desk
        .amina
        .run(&desk.world, &["record", "decide", &second.facts.record.to_string(), "refuse", "--digest", &digest, "--reason", "mistake"])?;
    assert_eq!(out.ok()?.number("acts"), 1);
    until("it is refused", || Ok((desk.honest.fates(&manifest)? == ["merged", "refused decided"]).then_some(())))?;
    desk.world.centre.fsck().map(drop)
}

/// A merged record goes by two persons, what rested on it is held, and its number is free again.
#[test]
fn a_merged_record_is_refused_by_two_and_its_number_is_free() -> Sure<()> {
    let mut desk = Desk::of(&FREE)?;
    let number = desk.honest.national_number(1);
    let wrong = squat(&mut desk.other, 2, &number);
    assert_eq!(desk.other.told(&wrong, false)?, "merged");
    let squatted = desk.other.last().ok_or_else(|| Broken("nothing delivered".into()))?;
    let right = desk.honest.numbered(1);
    assert_eq!(desk.honest.told(&right, false)?, "held duplicate");
    let first = desk.amina.run(&desk.world, &["record", "decide", &id(&wrong).to_string(), "refuse", "--reason", "fraud"])?;
    assert_eq!((first.number("acts"), first.number("waits")), (0, 1), "{first:?}");
    let waits = desk.world.centre.run(&["case", "list", "--reason", "test"])?.ok()?;
    let note = &first.summary()["decision"];
    assert!(
        waits.of("case").any(|case| case["waits"] == serde_json::json!([note]) && case["code"] == "second-needed"),
        "{:?}",
        waits.lines
    );
    assert_eq!(desk.other.fates(&squatted)?, ["merged"], "it stands until another has confirmed");
    desk.youssef.confirm(&desk.world, &first)?.ok()?;
    until("it is out", || Ok((desk.other.fates(&squatted)? == ["refused decided"]).then_some(())))?;
    // nobody else was judged again: the other still waits for a person
    becomes(&desk.honest, "held duplicate")?;
    desk.one(&desk.honest, &right, &["found"], "identity-checked")?;
    becomes(&desk.honest, "merged")?;
    let found = desk.world.centre.run(&["resident", "find", "--number", &number, "--reason", "test"])?.ok()?;
    assert_eq!(found.of("resident").count(), 1);
    let fsck = desk.world.centre.fsck()?;
    let rebuilt = {
        desk.world.centre.stop()?;
        desk.world.centre.run(&["rebuild"])?.ok()?
    };
    assert_eq!(rebuilt.summary()["registry_digest"], fsck["registry_digest"]);
    Ok(())
}

/// A batch without the approval that the roster demands is safe at the centre, and one person accepts it.
#[test]
fn a_batch_without_approval_is_accepted_by_one_person() -> Sure<()> {
    let mut desk = Desk::of(&Plan::default())?;
    let record = desk.honest.workshop.record();
    assert_eq!(desk.honest.told(&record, false)?, "held unapproved");
    let batch = desk.honest.last().ok_or_else(|| Broken("nothing delivered".into()))?.id().to_string();
    let done = desk.amina.run(&desk.world, &["batch", "decide", &batch, "accept", "unapproved", "--reason", "work-checked"])?.ok()?;
    assert_eq!(done.number("acts"), 1);
    becomes(&desk.honest, "merged")
}

/// Work under keys that were cut: two persons take it in.
#[test]
fn work_under_cut_keys_is_taken_in_by_two_persons() -> Sure<()> {
    let mut desk = Desk::of(&FREE)?;
    desk.world.centre.run(&["agent", "revoke", "van-1-agent", "--reason", "left", "--since", "now", "--yes"])?.ok()?;
    let record = desk.honest.workshop.record();
    assert_eq!(desk.honest.told(&record, false)?, "held agent-revoked");
    desk.two(&desk.honest, &record, &["found"], "work-checked")?;
    becomes(&desk.honest, "merged")?;
    desk.world.centre.run(&["unit", "revoke", "van-9", "--reason", "stolen", "--since", "now", "--yes"])?.ok()?;
    let record = desk.other.workshop.record();
    assert_eq!(desk.other.told(&record, false)?, "held revoked");
    desk.two(&desk.other, &record, &["found"], "work-checked")?;
    becomes(&desk.other, "merged")?;
    desk.world.centre.fsck().map(drop)
}

/// When an adjudicator's key is cut, what she decided is held again, and the same words of another count.
#[test]
fn the_same_words_of_another_adjudicator_are_another_decision() -> Sure<()> {
    let mut desk = Desk::of(&FREE)?;
    let first = desk.honest.numbered(1);
    assert_eq!(desk.honest.told(&first, false)?, "merged");
    let held = squat(&mut desk.other, 2, &desk.honest.national_number(1));
    assert_eq!(desk.other.told(&held, false)?, "held duplicate");
    let before = desk.world.centre.run(&["log", "checkpoint"])?.ok()?.number("size").to_string();
    desk.one(&desk.other, &held, &["found"], "different-person")?;
    becomes(&desk.other, "merged")?;
    desk.world.centre.run(&["staff", "revoke", "amina", "--cut", &before, "--reason", "stolen", "--yes"])?.ok()?;
    becomes(&desk.other, "held decision-revoked")?;
    let again = desk.youssef.decide(&desk.world, &desk.other.name, id(&held), &["found"], "different-person")?.ok()?;
    assert_eq!(again.number("acts"), 1, "{:?}", again.lines);
    becomes(&desk.other, "merged")
}

/// Many cases in one note; a case that is another by then does nothing, and says so.
#[test]
fn many_cases_are_one_note_and_a_case_that_changed_does_nothing() -> Sure<()> {
    let mut desk = Desk::of(&FREE)?;
    let first = desk.honest.numbered(1);
    desk.honest.told(&first, false)?;
    let (number, resident) = (desk.honest.national_number(1), reference(&desk.honest, &first));
    let mut lines = Vec::new();
    for person in 2..5 {
        let held = squat(&mut desk.other, person, &number);
        assert_eq!(desk.other.told(&held, false)?, "held duplicate");
        let case = shared::id::CaseRef::holding(&desk.other.name, id(&held));
        lines.push(format!("{case} same {resident} same-person\n"));
    }
    let path = desk.world.path().join("decisions");
    std::fs::write(&path, lines.concat())?;
    let done = desk.amina.run(&desk.world, &["case", "decide", "--file", tests::world::path_text(&path)?])?.ok()?;
    assert_eq!((done.number("lines"), done.number("acts")), (3, 3), "{:?}", done.lines);
    assert_eq!(desk.world.centre.run(&["case", "list", "--reason", "test"])?.ok()?.number("cases"), 0);
    // two first persons about one merged record: when one is confirmed, the other's case is another
    let word =
        |who: &Adjudicator, why: &str| who.run(&desk.world, &["record", "decide", &id(&first).to_string(), "refuse", "--reason", why]);
    let (mine, yours) = (word(&desk.amina, "fraud")?, word(&desk.youssef, "mistake")?);
    desk.youssef.confirm(&desk.world, &mine)?.ok()?;
    let late = desk.amina.confirm(&desk.world, &yours)?;
    assert!(matches!(late.code(), Some("case-changed" | "nothing-to-do")), "{late:?}");
    Ok(())
}

/// The unit and the resident's slip see what was decided.
#[test]
fn the_unit_and_the_slip_see_what_was_decided() -> Sure<()> {
    let mut world = World::with_units(&Plan::default(), 2)?;
    let amina = Adjudicator::admitted(&world, "amina")?;
    let sample = shared::sample::Sample::new(51, shared::time::Second::from_unix(1_790_000_000), shared::sample::Size::Tiny);
    let mut all = Vec::new();
    for unit in 0..2_u64 {
        let form = &shared::sample::forms()[0];
        let resident = sample.take(1, unit, form, Transaction::New, shared::sample::Kind::Complete)?;
        let source = Source::of(&world.path().join(format!("resident-{unit}")), 1, &resident)?;
        let index = usize::from(unit == 1);
        all.push(world.enrol(index, &[source])?.remove(0));
        world.units[index].close()?;
        world.units[index].settle()?;
    }
    let slip = |world: &World| Ok::<_, Broken>(world.units[1].run(&["status", &all[1].slip])?.ok()?.summary()["state"].clone());
    assert_eq!(slip(&world)?, "held");
    let known = ResidentRef::founded_by(
        &"van-1".parse().map_err(|_| Broken("a name".into()))?,
        all[0].record.parse().map_err(|_| Broken("an id".into()))?,
    );
    let unit = "van-2".parse().map_err(|_| Broken("a name".into()))?;
    let record = all[1].record.parse().map_err(|_| Broken("an id".into()))?;
    amina.decide(&world, &unit, record, &["same", &known.to_string()], "same-person")?.ok()?;
    until("the unit hears of it", || {
        world.units[1].sync()?;
        Ok((slip(&world)? == "merged").then_some(()))
    })
}
