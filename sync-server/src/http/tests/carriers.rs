//! Carriers: people who bring what units gave them. Theirs is the session, never the batch.

use reqwest::StatusCode;
use shared::{
    hello::{Hello, Sender, State},
    id::{LogIndex, RosterVersion},
    keys::KeyRef,
    log::{BatchState, Body},
    problem::Code,
    roster::{Facts, Revocation, StaffEntry},
};

use super::world::{Van, World, over, refusal};
use crate::fixtures::{member, roster_facts, signer};

const OFFICE: &str = "office-04";

fn with_carrier(version: u64) -> Facts {
    let carrier = StaffEntry { name: member(OFFICE), key: signer(OFFICE).public().clone() };
    Facts { carriers: vec![carrier], ..roster_facts(version) }
}

fn hello(of: &Van<'_>, counter: u64) -> Hello {
    of.sign(|f| {
        f.sender = Sender::Carrier(member(OFFICE));
        f.counter = counter;
        f.roster = Some(RosterVersion(2));
    })
}

/// The token of the answer, if one came.
async fn token(of: &Van<'_>, hello: &Hello) -> Option<String> {
    let response = of.post(hello.note().as_bytes()).await;
    assert_eq!(response.status(), StatusCode::OK);
    let body: serde_json::Value = response.json().await.expect("JSON");
    body["token"].as_str().map(str::to_owned)
}

#[tokio::test]
async fn a_carrier_hands_in_what_units_gave_them() {
    let world = World::new().await;
    let mut office = Van::new(&world, OFFICE);
    assert_eq!(refusal(office.post(hello(&office, 1).note().as_bytes()).await).await, (StatusCode::FORBIDDEN, Code::KeyUnknown));
    world.publish(with_carrier(2)).await;
    let first = hello(&office, 1);
    let answer = office.say(&first).await;
    assert_eq!((answer.state, &answer.unit, answer.head), (State::Ok, &member(OFFICE), None));
    assert!(answer.want.is_empty() && answer.outcomes.is_empty(), "a carrier has no batches");
    for (unit, bytes) in [("van-1", &b"of one unit"[..]), ("van-2", b"of another")] {
        let batch = over(unit, 1, None, bytes);
        assert_eq!(office.deliver(&batch, bytes).await.state(), BatchState::Accepted);
    }
    let heads = world.entries().await.iter().filter(|e| matches!(e.body, Body::Head(_) | Body::Freeze { .. })).count();
    assert_eq!(heads, 0, "nothing is said of units that said nothing");
}

#[tokio::test]
async fn a_carriers_counter_is_good_for_one_token() {
    let world = World::new().await;
    world.publish(with_carrier(2)).await;
    let office = Van::new(&world, OFFICE);
    let fifth = hello(&office, 5);
    assert!(token(&office, &fifth).await.is_some());
    assert_eq!(token(&office, &fifth).await, None, "the same again");
    assert_eq!(token(&office, &hello(&office, 4)).await, None, "an older one");
    assert!(token(&office, &hello(&office, 6)).await.is_some());
}

#[tokio::test]
async fn a_carrier_whose_key_ended_is_heard() {
    let world = World::new().await;
    world.publish(with_carrier(2)).await;
    let mut office = Van::new(&world, OFFICE);
    office.say(&hello(&office, 1)).await;
    let batch = over("van-1", 1, None, b"sealed");
    let revoked = Revocation { key: KeyRef::from(signer(OFFICE).public()), cut: LogIndex(1), reason: "left".into() };
    world.publish(Facts { revoked: vec![revoked], ..with_carrier(3) }).await;
    // heard, as a unit is whose key ended: the batches that they bring prove themselves
    office.say(&hello(&office, 2)).await;
    assert_eq!(office.deliver(&batch, b"sealed").await.state(), BatchState::Accepted);
}
