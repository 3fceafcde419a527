//! A unit that has made a new key: old work goes first, the new epoch begins in the same run, whatever the centre thinks of the
//! old key.

use shared::{
    hello::{Hello, Sender, State},
    keys::VerifierKey,
    problem::Code,
    roster::UnitEntry,
};

use super::{
    Centre, Unit, World,
    centre::{place, problem},
    code, exit, idle, joined, publish, roster,
};
use crate::{
    cli::Exit,
    vault::{machine::MachineSecret, machine::UnitKeys, state::Standing},
};

/// Makes a new key, as `new-key` does.
fn renew(unit: &Unit) -> VerifierKey {
    let machine = MachineSecret::open(&unit.vault.places().machine).expect("secret");
    let (signer, wrapped) = UnitKeys::renew(&"van-017".parse().expect("name"), &machine).expect("made");
    let session = unit.vault.capture().expect("free");
    unit.vault.offer_key(&session, signer.public(), &wrapped).expect("offered")
}

/// A roster that names both keys.
fn admit(world: &mut World, version: u64, old: &VerifierKey, new: &VerifierKey) {
    let mut facts = roster(version, Some(old));
    let entry = UnitEntry { epoch: 2, key: new.clone(), ..facts.units[0].clone() };
    facts.units.push(entry);
    publish(world, facts);
}

/// Epoch and head of each hello that the centre heard.
fn hellos(centre: &Centre) -> Vec<(u32, Option<String>)> {
    let stand = |r: &super::centre::Request| match Hello::parse(&r.body).expect("a hello").facts().sender.clone() {
        Sender::Unit(stand) => (stand.epoch, stand.head.map(|(place, _)| place.to_string())),
        Sender::Carrier(_) => panic!("a unit"),
    };
    centre.world().requests.iter().filter(|r| r.is("POST /v1/hello")).map(stand).collect()
}

#[test]
fn old_batches_go_first_and_the_new_epoch_begins_in_the_same_run() {
    let (centre, unit) = joined();
    let old = unit.vault.state().expect("state").key;
    unit.close(&[10]);
    let new = renew(&unit);
    admit(&mut centre.world(), 2, &old, &new);
    let ended = unit.sync();
    assert_eq!((exit(&ended), ended.map(|r| (r.sent_batches, r.receipts, r.rosters))), (Exit::Done, Ok((1, 1, 1))));
    let state = unit.vault.state().expect("state");
    assert_eq!((state.key, state.next, state.epoch, state.last_sequence), (new.clone(), None, Some(2), 0));
    assert_eq!(*unit.vault.unit_keys().expect("keys").signer.public(), new);
    let said = hellos(&centre);
    assert_eq!(said.first(), Some(&(1, Some("1.1".into()))), "the old key hands its work in");
    assert_eq!(said.last(), Some(&(2, Some("1.1".into()))), "then the new one goes on from there");
    assert_eq!(exit(&unit.sync()), Exit::Nothing);
}

#[test]
fn what_the_centre_says_of_the_old_key_keeps_nobody_from_the_new_one() {
    for (state, standing) in [(State::Frozen, Standing::Frozen), (State::VaultRewound, Standing::Rewound)] {
        let (centre, unit) = joined();
        let old = unit.vault.state().expect("state").key;
        centre.world().state = state;
        let _ = unit.sync();
        assert_eq!(unit.vault.state().expect("state").standing, standing);
        let new = renew(&unit);
        admit(&mut centre.world(), 2, &old, &new);
        // only the old key is in that state
        centre.lie(move |world, request| {
            if request.is("POST /v1/hello") {
                let hello = Hello::parse(&request.body).expect("a hello");
                let Sender::Unit(stand) = &hello.facts().sender else { return None };
                world.state = if stand.epoch == 1 { state } else { State::Ok };
            }
            None
        });
        let ended = unit.sync();
        assert_eq!(exit(&ended), Exit::Done, "{ended:?}");
        let now = unit.vault.state().expect("state");
        assert_eq!((now.standing, now.epoch, now.key), (Standing::Ok, Some(2), new));
    }
}

/// The centre does not even hear the old key: the new one says hello itself, to link the roster that names it.
#[test]
fn a_key_that_is_not_heard_any_more_is_followed_by_the_new_one() {
    let (centre, unit) = joined();
    let old = unit.vault.state().expect("state").key;
    centre.lie(|_, request| {
        let hello = request.is("POST /v1/hello").then(|| Hello::parse(&request.body).expect("a hello"))?;
        let Sender::Unit(stand) = &hello.facts().sender else { return None };
        (stand.epoch == 1).then(|| problem("403 Forbidden", "", "epoch-needed"))
    });
    assert_eq!(code(unit.sync()).0, Code::EpochNeeded);
    assert_eq!(unit.vault.state().expect("state").standing, Standing::EpochNeeded, "kept until there is a new key");
    let new = renew(&unit);
    assert_eq!(code(unit.sync()).0, Code::EpochNeeded, "not admitted yet");
    admit(&mut centre.world(), 2, &old, &new);
    // the log has moved on, so only a hello links the roster to what this unit has seen
    idle(&mut centre.world().log, 3);
    let ended = unit.sync();
    assert_eq!(exit(&ended), Exit::Done, "{ended:?}");
    let now = unit.vault.state().expect("state");
    assert_eq!((now.standing, now.epoch, now.key), (Standing::Ok, Some(2), new));
    assert_eq!(unit.seen(), centre.world().log.head());
}

#[test]
fn a_roster_without_the_new_key_changes_nothing() {
    let (centre, unit) = joined();
    let old = unit.vault.state().expect("state").key;
    let new = renew(&unit);
    publish(&mut centre.world(), roster(2, Some(&old)));
    unit.sync().expect("goes on");
    let state = unit.vault.state().expect("state");
    assert_eq!((state.key, state.next, state.epoch), (old, Some(new), Some(1)));
    unit.close(&[10]);
    assert_eq!(unit.sync().map(|r| r.receipts), Ok(1));
    assert!(unit.vault.batch_at(place(1)).expect("read").expect("there").receipt.is_some());
}
