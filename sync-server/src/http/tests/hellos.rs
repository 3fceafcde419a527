//! Hello: refusals, states, what the log says of them.

use reqwest::{Method, StatusCode};
use shared::{
    hello::{Path, State},
    id::{BatchId, Place},
    keys::KeyRef,
    log::{Body, Head},
    problem::Code,
};

use super::world::{Van, World, over, read_all, refusal, write};
use crate::fixtures::signer;

#[tokio::test]
async fn a_hello_that_proves_nothing_moves_nothing() {
    let world = World::new().await;
    let mut van = Van::new(&world, "van-1");
    van.counter = 1;
    let refused = |bytes: Vec<u8>| {
        let van = &van;
        async move { refusal(van.post(&bytes).await).await }
    };
    assert_eq!(refused(b"hello".to_vec()).await, (StatusCode::BAD_REQUEST, Code::NoteMalformed));
    assert_eq!(refused(Vec::new()).await, (StatusCode::BAD_REQUEST, Code::NoteMalformed));
    assert_eq!(refused(vec![b'x'; 65 << 10]).await, (StatusCode::PAYLOAD_TOO_LARGE, Code::BodyTooLarge));
    let elsewhere = van.sign(|f| f.centre = "other.example".parse().expect("a name"));
    assert_eq!(refused(elsewhere.note().as_bytes().to_vec()).await, (StatusCode::FORBIDDEN, Code::CentreWrong));
    let mut altered = van.sign(|_| ()).note().as_bytes().to_vec();
    let at = altered.windows(6).position(|w| w == b"free 1").expect("there");
    altered[at + 5] = b'2';
    assert_eq!(refused(altered).await, (StatusCode::FORBIDDEN, Code::SignatureInvalid));
    let stranger = Van { name: "van-9", signer: signer("van-9"), ..Van::new(&world, "van-9") }.sign(|f| f.counter = 1);
    assert_eq!(refused(stranger.note().as_bytes().to_vec()).await, (StatusCode::FORBIDDEN, Code::KeyUnknown));
    let thief = Van { signer: signer("van-2"), ..Van::new(&world, "van-1") }.sign(|f| f.counter = 1);
    assert_ne!(refused(thief.note().as_bytes().to_vec()).await.0, StatusCode::OK);
    assert_eq!(world.log_size().await, 1, "nothing was logged");
    assert_eq!(van.say(&van.sign(|_| ())).await.state, State::Ok, "and counter 1 is still free");
}

#[tokio::test]
async fn repeat_late_and_rewound_get_no_token() {
    let world = World::new().await;
    let mut van = Van::new(&world, "van-1");
    van.counter = 1;
    let first = van.sign(|_| ());
    assert_eq!(van.say(&first).await.state, State::Ok);
    assert_eq!(van.say(&first).await.state, State::Repeat);
    van.counter = 5;
    let fifth = van.sign(|_| ());
    assert_eq!(van.say(&fifth).await.state, State::Ok);
    van.counter = 3;
    let third = van.sign(|_| ());
    let answer = van.say(&third).await;
    assert_eq!((answer.state, answer.counter), (State::Late, 5));
    van.counter = 5;
    let other = van.sign(|f| f.free = 2);
    assert_eq!(van.say(&other).await.state, State::VaultRewound, "another hello under a known counter");
    van.counter = 6;
    let stick = van.sign(|f| f.by = Path::Stick);
    assert_eq!(van.say(&stick).await.state, State::Ok, "a stick's hello is answered, without a token");
}

#[tokio::test]
async fn a_vault_that_forgot_its_batches_is_rewound() {
    let world = World::new().await;
    let mut van = Van::greeted(&world, "van-1").await;
    let manifest = over("van-1", 1, None, b"sealed");
    van.deliver(&manifest, b"sealed").await;
    let answer = van.hello().await; // says head none
    assert_eq!((answer.state, answer.head), (State::VaultRewound, Some((manifest.facts().place, manifest.id()))));
}

#[tokio::test]
async fn heads_are_logged_when_they_change() {
    let world = World::new().await;
    let mut van = Van::greeted(&world, "van-1").await;
    van.hello().await;
    assert_eq!(world.log_size().await, 1, "a unit without anything is no news");
    van.head = Some((Place::new(1, 7).expect("from 1"), BatchId::of(b"seven")));
    van.hello().await;
    van.hello().await;
    let entries = world.entries().await;
    assert_eq!(entries.len(), 2, "once, not twice");
    assert!(
        matches!(&entries[1].body, Body::Head(h) if h.key == KeyRef::from(signer("van-1").public()) && h.head == van.head && h.hello == 3)
    );
}

#[tokio::test]
async fn only_a_contradiction_freezes_and_both_notes_are_kept() {
    let world = World::new().await;
    let mut van = Van::greeted(&world, "van-1").await;
    van.head = Some((Place::new(1, 7).expect("from 1"), BatchId::of(b"seven")));
    assert_eq!(van.hello().await.state, State::Ok);
    van.head = Some((Place::new(1, 7).expect("from 1"), BatchId::of(b"another seven")));
    assert_eq!(van.hello().await.state, State::Frozen);
    assert_eq!(van.hello().await.state, State::Frozen);
    let entries = world.entries().await;
    let freezes: Vec<_> = entries
        .iter()
        .filter_map(|e| if let Body::Freeze { key, first, second } = &e.body { Some((key, first, second)) } else { None })
        .collect();
    assert_eq!(freezes.len(), 1);
    let (key, first, second) = freezes[0];
    assert_eq!(*key, KeyRef::from(signer("van-1").public()));
    let archive = world.centre().stores.archive;
    for (blob, head) in [(first, "seven"), (second, "another seven")] {
        let note = crate::store::Archive::get(&archive, *blob).await.expect("archived");
        let hello = shared::hello::Hello::parse(&note).expect("a hello");
        let shared::hello::Sender::Unit(stand) = &hello.facts().sender else { panic!("a unit's") };
        assert_eq!(stand.head.map(|(_, id)| id), Some(BatchId::of(head.as_bytes())));
    }
    let other = Van::greeted(&world, "van-2").await;
    assert!(other.token.is_some(), "another unit is not touched");
}

#[tokio::test]
async fn a_unit_that_has_seen_more_than_there_is_hears_so() {
    let world = World::new().await;
    let mut van = Van::new(&world, "van-1");
    van.counter = 1;
    van.seen = Head { size: 1 << 40, root: Head::EMPTY.root };
    let hello = van.sign(|_| ());
    assert_eq!(refusal(van.post(hello.note().as_bytes()).await).await, (StatusCode::CONFLICT, Code::LogInconsistent));
}

#[tokio::test]
async fn calls_without_a_session_are_refused() {
    let world = World::new().await;
    let id = BatchId::of(b"some");
    for (method, path) in [
        (Method::POST, "batches".to_owned()),
        (Method::PATCH, format!("batches/{id}/payload")),
        (Method::GET, format!("batches/{id}/receipt")),
        (Method::GET, format!("batches/{id}/outcome")),
    ] {
        let none = world.request(world.call(method.clone(), &path)).await;
        assert_eq!(refusal(none).await, (StatusCode::UNAUTHORIZED, Code::HelloFirst), "{path}");
        let forged = world.request(world.call(method, &path).bearer_auth("van-1.1.99999999999.00")).await;
        assert_eq!(refusal(forged).await, (StatusCode::UNAUTHORIZED, Code::TokenInvalid), "{path}");
    }
    let mut raw = world.raw().await;
    write(&mut raw, format!("HEAD /v1/batches/{id}/payload HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")).await;
    assert!(read_all(&mut raw).await.starts_with("HTTP/1.1 401"));
}
