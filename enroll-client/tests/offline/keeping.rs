//! What is kept, what goes, and what a thief finds.

use std::sync::Arc;

use shared::{
    id::{CaseRef, LogIndex, ResidentRef},
    log::{BatchState, Head},
    outcome::Fate,
    problem::Code,
    time::Second,
};

use enroll_client::vault::{
    keyslots::KeyFile,
    members::Unlocked,
    outbox::{Effect, Received},
    records::{Card, RecordRow},
    rosters::Taken,
    wrap,
};

use super::{
    centre::Centre,
    unit::{PASSPHRASE, Unit},
};

const RECEIVED: i64 = 1_795_000_000;
/// A roster may ask for less; three days are the least.
const DAY: i64 = 86_400;

fn said() -> Received {
    Received { index: LogIndex(2), at: Second::from_unix(RECEIVED), state: BatchState::Accepted }
}

fn pruned(unit: &Unit) -> i64 {
    let ran = unit.run(&["prune"]);
    assert!([0, 4].contains(&ran.exit), "{:?}", ran.lines);
    ran.last()["pruned"].as_i64().unwrap()
}

fn log_time(unit: &Unit, seconds: i64) {
    unit.vault().advance_seen(Head::EMPTY, Second::from_unix(seconds)).unwrap();
}

#[test]
fn a_sealed_record_goes_only_with_receipt_merged_outcome_and_retention() {
    let mut centre = Centre::new();
    let unit = Unit::admitted(&mut centre);
    (1..=4).for_each(|n| drop(unit.enrol(n).done()));
    unit.run_as("supervisor-003", &["review", "withdraw", "1.4", "--reason", "other"]).done();
    assert_eq!(pruned(&unit), 0, "not closed");
    unit.run_as("supervisor-003", &["close"]).done();
    assert_eq!(pruned(&unit), 0, "no receipt");
    let (manifest, _) = unit.batches().remove(0);
    let id = manifest.id();
    let receipt = centre.receive(&manifest, RECEIVED);
    unit.vault().store_receipt(&id, &receipt, &said()).unwrap();
    assert_eq!(unit.run(&["status", "1.1"]).done()["state"], "safe");
    log_time(&unit, RECEIVED + 3 * DAY - 1);
    assert_eq!(pruned(&unit), 0, "neither outcome nor retention");
    let facts = manifest.facts();
    let records: Vec<_> = facts.records().map(|r| r.facts.record).collect();
    let fates = [
        Fate::Merged(ResidentRef::founded_by(&facts.unit, records[0])),
        Fate::Held(Code::Duplicate, CaseRef::holding(&facts.unit, records[1])),
        Fate::Refused(Code::LineMismatch),
    ];
    let (note, proof) = centre.conclude(&manifest, 1, RECEIVED + 60, &fates);
    let numbers: Vec<_> = facts.records().map(|r| r.facts.number).collect();
    let effects: Vec<_> = numbers.iter().zip(&fates).map(|(n, fate)| Effect { number: *n, fate }).collect();
    unit.vault().store_outcome(&id, 1, &note, &proof, &effects).unwrap();
    assert_eq!(pruned(&unit), 0, "retention has not passed");
    log_time(&unit, RECEIVED + 3 * DAY);
    let going = |r: &RecordRow| r.withdrawn.is_some() || r.number == numbers[0];
    let bytes: u64 = unit.vault().records_of(&id).unwrap().iter().filter(|r| going(r)).map(|r| r.size).sum();
    let plan = unit.run(&["prune", "--dry-run"]);
    assert_eq!((&plan.last()["pruned"], &plan.last()["bytes"]), (&2.into(), &bytes.into()));
    assert_eq!(pruned(&unit), 2, "the merged one and the withdrawn one; held and refused stay");
    unit.run(&["prune", "--refused"]).refused("review-needed", 1);
    assert_eq!(unit.run_as("supervisor-003", &["prune", "--refused"]).done()["pruned"], 1);
    assert_eq!(pruned(&unit), 0, "held stays");
    assert_eq!(unit.run(&["status"]).done()["records"], serde_json::json!({"merged": 1, "held": 1, "refused": 1, "withdrawn": 1}));
}

#[test]
fn a_receipt_that_does_not_prove_this_batch_deletes_nothing() {
    let mut centre = Centre::new();
    centre.facts.approval = shared::roster::Approval::None;
    let unit = Unit::admitted(&mut centre);
    unit.enrol(1).done();
    unit.run(&["close"]).done();
    unit.enrol(2).done();
    unit.run(&["close"]).done();
    let batches = unit.batches();
    let receipt = centre.receive(&batches[0].0, RECEIVED);
    unit.vault().store_receipt(&batches[1].0.id(), &receipt, &said()).unwrap();
    log_time(&unit, RECEIVED + 9 * DAY);
    let told =
        |ran: super::unit::Ran| (ran.exit, ran.of("warning").iter().map(|w| w["code"].as_str().unwrap().to_owned()).collect::<Vec<_>>());
    assert_eq!(told(unit.run(&["prune"])), (7, vec!["receipt-invalid".to_owned()]));
    assert_eq!(told(unit.run(&["receipt", "verify"])), (7, vec!["receipt-invalid".to_owned()]));
    // nor does it keep another batch
    unit.vault().store_receipt(&batches[0].0.id(), &receipt, &said()).unwrap();
    let line = batches[0].0.facts().records().next().unwrap().facts.clone();
    let fate = Fate::Merged(ResidentRef::founded_by(&batches[0].0.facts().unit, line.record));
    let (note, proof) = centre.conclude(&batches[0].0, 1, RECEIVED + 60, std::slice::from_ref(&fate));
    let effects = [Effect { number: line.number, fate: &fate }];
    unit.vault().store_outcome(&batches[0].0.id(), 1, &note, &proof, &effects).unwrap();
    let ran = unit.run(&["prune"]);
    assert_eq!((ran.exit, &ran.last()["pruned"], &ran.last()["kept"]), (7, &1.into(), &1.into()));
    let verified = unit.run(&["receipt", "verify"]);
    assert_eq!((&verified.last()["verified"], &verified.last()["failed"]), (&1.into(), &1.into()));
}

/// `sync` and `roster import` may take the same roster at once: the later one must not begin the epoch again.
#[test]
fn a_roster_is_taken_once() {
    let mut centre = Centre::new();
    let unit = Unit::admitted(&mut centre);
    unit.enrol(1).done();
    let (vault, now) = (unit.vault(), Second::from_unix(RECEIVED));
    let roster = vault.roster().unwrap().unwrap();
    let taken = [Taken { roster: &roster, proof: b"checked by another process" }];
    let again = vault.take_rosters(&taken, &[], (Head::EMPTY, now), now);
    assert_eq!(again.map_err(|p| p.code), Err(Code::LockedElsewhere));
    assert_eq!(vault.state().unwrap().last_number, 1);
}

/// Opens whatever the keys of agent and supervisor open in a key file.
fn opened(unit: &Unit, members: &[Unlocked], key_file: &std::path::Path) -> usize {
    let held = KeyFile::new(key_file.to_owned()).look().unwrap();
    let mut count = 0;
    for (slot, found) in held.all().unwrap() {
        let enroll_client::vault::keyslots::Found::Used(kind, row) = found else { continue };
        let wrapped = held.get(slot, kind, &row).unwrap();
        let draft = |m: &Unlocked| wrap::unwrap_key(&m.wrap, &format!("enroll-vault/v1 key of draft {row}"), &wrapped).is_some();
        let card = |m: &Unlocked| m.identity.as_ref().is_some_and(|i| i.open(&wrapped).is_some());
        count += usize::from(members.iter().any(|m| draft(m) || card(m)));
    }
    assert!(unit.data().exists());
    count
}

#[test]
fn a_thief_with_all_passphrases_opens_no_closed_record() {
    let mut centre = Centre::new();
    let unit = Unit::admitted(&mut centre);
    unit.enrol(1).done();
    unit.run(&["draft", "new", "national-id/1"]).done();
    let unlock = |name: &str| unit.vault().unlock(&name.parse().unwrap(), PASSPHRASE.as_bytes()).unwrap();
    let people = [unlock("agent-007"), unlock("supervisor-003")];
    let supervisor = Arc::new(unlock("supervisor-003")).into_supervisor().unwrap();
    let keys = unit.data().join("vault.keys");
    assert_eq!(opened(&unit, &people, &keys), 3, "control: a draft, a review card and a contact card");
    let before = unit.folder.path().join("stolen-before");
    std::fs::create_dir(&before).unwrap();
    unit.vault().integrity().unwrap();
    for name in ["vault.db", "vault.db-wal", "machine.secret"] {
        let _ = std::fs::copy(unit.data().join(name), before.join(name));
    }
    unit.run_as("supervisor-003", &["close"]).done();
    assert_eq!(opened(&unit, &people, &keys), 2, "the review card is gone");
    // old pages of the database are no help: the key that they name is not in the key file any more
    std::fs::copy(&keys, before.join("vault.keys")).unwrap();
    let places = enroll_client::vault::Places { data: before.clone(), machine: before.join("machine.secret") };
    let old = enroll_client::vault::Vault::open(&places).unwrap();
    let record = old.unbatched().unwrap().remove(0);
    assert_eq!(old.card(&supervisor, &record, Card::Review).map_err(|p| p.code), Err(Code::KeyFileDamaged));
    assert!(old.card(&supervisor, &record, Card::Contact).unwrap().is_some(), "control: the contact card lives until merged");
}
