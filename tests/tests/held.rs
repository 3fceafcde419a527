//! Each code under which a batch or a record is held has its decision, tried to the end with the real programs.
//!
//! Ordinary cases (`duplicate`, `identity-change`, `renewal-held`, `target-unknown`, numbers and ids given twice, `unapproved`, cut keys)
//! are in `decisions.rs`.

use std::{thread, time::Duration};

use shared::{
    hello::State,
    id::{BatchId, Digest, Place, Transaction},
    record::Target,
};
use tests::world::{Broken, Desk, Plan, Sure, becomes, id, reference, until};

/// No approval is demanded.
const FREE: Plan = Plan { approval: "none", ..Plan::DEFAULT };

/// Two batches at one place: both sides are kept, and a person who knows why takes the second in.
#[test]
fn a_fork_is_accepted_by_one_person() -> Sure<()> {
    let mut desk = Desk::of(&FREE)?;
    let (one, two) = (desk.honest.workshop.record(), desk.honest.workshop.record());
    let before = desk.honest.head;
    assert_eq!(desk.honest.told(&one, false)?, "merged");
    desk.honest.head = before;
    assert_eq!(desk.honest.told(&two, false)?, "held fork");
    desk.is_open(&desk.honest, "fork")?;
    desk.one_accepts(&desk.honest, "fork")?;
    becomes(&desk.honest, "merged")?;
    desk.world.centre.fsck().map(drop)
}

/// A key that contradicted itself: what it sends since is taken in by two persons.
#[test]
fn what_a_frozen_key_sent_is_accepted_by_two() -> Sure<()> {
    let mut desk = Desk::of(&FREE)?;
    let first = desk.honest.workshop.record();
    assert_eq!(desk.honest.told(&first, false)?, "merged");
    let lie = Place::new(1, 1).ok().map(|place| (place, BatchId::from_bytes(*Digest::of(b"another").as_bytes())));
    assert_eq!(desk.honest.say(50, lie)?.state, State::Frozen);
    let key = desk.world.centre.run(&["open", "list"])?.ok()?;
    assert!(key.of("open").any(|fact| fact["kind"] == "key-frozen"), "{:?}", key.lines);
    // a colleague's session brings it
    let record = desk.honest.workshop.record();
    let sealed = desk.honest.workshop.sealed(&record);
    let (manifest, payload) = desk.honest.close(&[sealed], |facts| facts.approved = None)?;
    desk.other.deliver(&manifest, &payload)?;
    assert_eq!(desk.other.fates(&manifest)?, ["held frozen"]);
    desk.is_open(&desk.honest, "batch-quarantined")?;
    desk.two_accept(&desk.honest, "frozen")?;
    until("it is merged", || Ok((desk.other.fates(&manifest)? == ["merged"]).then_some(())))?;
    desk.world.centre.fsck().map(drop)
}

/// A batch under a roster that was replaced long before, which the later one forbids; and a line of one that it does not.
#[test]
fn work_under_an_old_roster_is_decided() -> Sure<()> {
    let mut desk = Desk::of(&FREE)?;
    desk.world.centre.run(&["roster", "publish", "--renewals", "apply"])?.ok()?;
    desk.honest.follow(&desk.world)?;
    let person = desk.honest.numbered(1);
    assert_eq!(desk.honest.told(&person, true)?, "merged");
    desk.world.centre.run(&["roster", "publish", "--approval", "required", "--renewals", "hold", "--grace", "1"])?.ok()?;
    thread::sleep(Duration::from_secs(3));
    // the unit still goes by the roster before
    let record = desk.honest.workshop.record();
    assert_eq!(desk.honest.told(&record, false)?, "held roster-old");
    desk.is_open(&desk.honest, "batch-quarantined")?;
    desk.one_accepts(&desk.honest, "roster-old")?;
    becomes(&desk.honest, "merged")?;
    let number = desk.honest.national_number(1);
    let target = Target::NationalNumber { national_number: number };
    let renewal = desk.honest.workshop.about(1, Transaction::Renewal, Some(target), |_| {});
    assert_eq!(desk.honest.told(&renewal, true)?, "held roster-old");
    desk.two(&desk.honest, &renewal, &["apply", &reference(&desk.honest, &person)], "capture-checked")?;
    becomes(&desk.honest, "merged")?;
    desk.world.centre.fsck().map(drop)
}

/// Who enrolled approves for nobody; a person at the centre looks at it instead.
#[test]
fn a_batch_that_its_own_agent_approved_is_accepted_by_one_person() -> Sure<()> {
    let mut desk = Desk::of(&Plan::default())?;
    let supervisor = "van-1-supervisor".parse().map_err(|_| Broken("a name".into()))?;
    let record = desk.honest.workshop.record_by(&supervisor);
    let sealed = desk.honest.workshop.sealed(&record);
    let line = sealed.line(1, &desk.honest.name, &desk.honest.supervisor);
    let manifest = desk.honest.close_lines(vec![line], &sealed.sealed, |_| ())?;
    desk.honest.deliver(&manifest, &sealed.sealed)?;
    assert_eq!(desk.honest.fates(&manifest)?, ["held self-approved"]);
    let batch = manifest.id().to_string();
    let accept = ["batch", "decide", &batch, "accept", "self-approved", "--reason", "work-checked"];
    assert_eq!(desk.amina.run(&desk.world, &accept)?.ok()?.number("acts"), 1);
    until("it is merged", || Ok((desk.honest.fates(&manifest)? == ["merged"]).then_some(())))?;
    desk.world.centre.fsck().map(drop)
}

/// The approver's key had ended: two persons take the batch in.
#[test]
fn what_a_cut_supervisor_approved_is_accepted_by_two() -> Sure<()> {
    let mut desk = Desk::of(&Plan::default())?;
    desk.world.centre.run(&["supervisor", "revoke", "van-1-supervisor", "--reason", "left", "--since", "now", "--yes"])?.ok()?;
    let record = desk.honest.workshop.record();
    assert_eq!(desk.honest.told(&record, true)?, "held approver-revoked");
    desk.is_open(&desk.honest, "batch-quarantined")?;
    desk.two_accept(&desk.honest, "approver-revoked")?;
    becomes(&desk.honest, "merged")?;
    desk.world.centre.fsck().map(drop)
}

/// What rested on a record that two persons took out is held, and decided on its own.
#[test]
fn what_rested_on_a_refused_record_is_decided_on_its_own() -> Sure<()> {
    let mut desk = Desk::of(&FREE)?;
    desk.world.centre.run(&["roster", "publish", "--renewals", "apply"])?.ok()?;
    desk.honest.follow(&desk.world)?;
    let founder = desk.honest.numbered(1);
    assert_eq!(desk.honest.told(&founder, false)?, "merged");
    let target = Target::Record { unit: desk.honest.name.clone(), record: id(&founder) };
    let renewal = desk.honest.workshop.about(1, Transaction::Renewal, Some(target), |_| {});
    assert_eq!(desk.honest.told(&renewal, true)?, "merged");
    let founding = ["record", "decide", &id(&founder).to_string(), "refuse", "--reason", "fraud"];
    let first = desk.amina.run(&desk.world, &founding)?;
    desk.youssef.confirm(&desk.world, &first)?.ok()?;
    becomes(&desk.honest, "held target-gone")?;
    let shown = desk.world.centre.run(&["case", "list", "--reason", "test"])?.ok()?;
    assert!(shown.of("case").any(|case| case["code"] == "target-gone"), "{:?}", shown.lines);
    desk.one(&desk.honest, &renewal, &["found"], "identity-checked")?;
    becomes(&desk.honest, "merged")?;
    desk.world.centre.fsck().map(drop)
}

/// When an adjudicator's key is cut, a batch that she had accepted is held again, and another one accepts it.
#[test]
fn what_a_cut_adjudicator_accepted_is_accepted_again_by_another() -> Sure<()> {
    let mut desk = Desk::of(&Plan::default())?;
    let record = desk.honest.workshop.record();
    assert_eq!(desk.honest.told(&record, false)?, "held unapproved");
    let before = desk.world.centre.run(&["log", "checkpoint"])?.ok()?.number("size").to_string();
    desk.one_accepts(&desk.honest, "unapproved")?;
    becomes(&desk.honest, "merged")?;
    desk.world.centre.run(&["staff", "revoke", "amina", "--cut", &before, "--reason", "stolen", "--yes"])?.ok()?;
    becomes(&desk.honest, "held decision-revoked")?;
    let batch = desk.honest.last().ok_or_else(|| Broken("nothing delivered".into()))?.id().to_string();
    let accept = ["batch", "decide", &batch, "accept", "unapproved", "--reason", "work-checked"];
    assert_eq!(desk.youssef.run(&desk.world, &accept)?.ok()?.number("acts"), 1);
    becomes(&desk.honest, "merged")?;
    desk.world.centre.fsck().map(drop)
}

/// A face that was somebody else's when they were new: one person compares both and says that they are two.
#[test]
fn a_face_of_another_resident_is_decided_by_one_person() -> Sure<()> {
    let mut desk = Desk::of(&FREE)?;
    let first = desk.honest.workshop.record();
    assert_eq!(desk.honest.told(&first, false)?, "merged");
    let face = first.parts().next().map(|(_, bytes)| bytes.to_vec()).ok_or_else(|| Broken("no face".into()))?;
    let (later, forged) = desk.honest.workshop.showing(&face);
    let (manifest, payload) = desk.honest.close(&[forged], |facts| facts.approved = None)?;
    desk.honest.deliver(&manifest, &payload)?;
    assert_eq!(desk.honest.fates(&manifest)?, ["held part-reused"]);
    let shown = desk.world.centre.run(&["case", "list", "--reason", "test"])?.ok()?;
    assert!(shown.of("case").any(|case| case["code"] == "part-reused"), "{:?}", shown.lines);
    desk.one(&desk.honest, &later, &["found"], "different-person")?;
    becomes(&desk.honest, "merged")?;
    desk.world.centre.fsck().map(drop)
}
