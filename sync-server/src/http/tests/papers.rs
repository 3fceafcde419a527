//! Receipts, outcomes, rosters, forms, checkpoint.

use reqwest::{Method, StatusCode};
use shared::{
    id::{BatchId, Blob, RosterVersion},
    keys::Signer,
    log::{Body, CheckedHead, TlogProof},
    outcome::Outcome,
    problem::Code,
    roster::Roster,
};

use super::world::{Van, World, over, refusal};
use crate::fixtures::{roster_facts, signer};

fn log() -> Signer {
    signer("registry.example/log")
}

#[tokio::test]
async fn unknown_papers_are_not_found() {
    let world = World::new().await;
    let van = Van::greeted(&world, "van-1").await;
    for kind in ["receipt", "outcome"] {
        let response = van.paper(BatchId::of(b"never announced"), kind).await;
        assert_eq!(refusal(response).await, (StatusCode::NOT_FOUND, Code::NotFound));
    }
    for digest in [Blob::of(b"no form").to_string(), "nonsense".to_owned()] {
        let response = world.request(world.call(Method::GET, &format!("forms/{digest}"))).await;
        assert_eq!(refusal(response).await, (StatusCode::NOT_FOUND, Code::NotFound));
    }
}

#[tokio::test]
async fn only_forms_are_given_out_by_digest() {
    let world = World::new().await;
    let van = Van::greeted(&world, "van-1").await;
    let batch = over("van-1", 1, None, b"sealed");
    van.deliver(&batch, b"sealed").await;
    for blob in [Blob::of(b"sealed"), batch.blob()] {
        let response = world.request(world.call(Method::GET, &format!("forms/{blob}"))).await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "the archive has it, and keeps it");
    }
}

#[tokio::test]
async fn an_outcome_comes_with_its_proof() {
    let world = World::new().await;
    let van = Van::greeted(&world, "van-1").await;
    let batch = over("van-1", 1, None, b"not an age file");
    van.deliver(&batch, b"not an age file").await;
    world.until(|| async { van.paper(batch.id(), "outcome").await.status() == StatusCode::OK }).await;
    let body: serde_json::Value = van.paper(batch.id(), "outcome").await.json().await.expect("JSON");
    let text = |key: &str| body[key].as_str().expect("text").as_bytes().to_vec();
    let outcome =
        Outcome::parse(&text("outcome")).and_then(|o| o.check(&batch, signer("registry.example").public())).expect("about this batch");
    let entry = TlogProof::parse(&text("proof")).and_then(|p| p.check(log().public())).expect("in the log");
    let blob = outcome.outcome().note().blob();
    assert!(matches!(entry.entry().body, Body::Outcome { batch: b, blob: n, .. } if b == batch.id() && n == blob));
}

#[tokio::test]
async fn a_proof_leads_to_the_head_that_was_asked_for() {
    let world = World::new().await;
    let van = Van::greeted(&world, "van-1").await;
    let first = over("van-1", 1, None, b"one");
    let second = over("van-1", 2, Some(first.id()), b"two");
    let receipt = van.deliver(&first, b"one").await;
    van.deliver(&second, b"two").await;
    let size = receipt.index().0 + 1;
    let response = van.world.request(van.call(Method::GET, &format!("batches/{}/receipt?size={size}", first.id()))).await;
    let proof = TlogProof::parse(&response.bytes().await.expect("read")).and_then(|p| p.check(log().public())).expect("in the log");
    assert_eq!(proof.head().head().size, size);
    for other in [0, receipt.index().0, u64::MAX / 2] {
        let response = van.world.request(van.call(Method::GET, &format!("batches/{}/receipt?size={other}", first.id()))).await;
        let proof = TlogProof::parse(&response.bytes().await.expect("read")).and_then(|p| p.check(log().public())).expect("in the log");
        assert!(proof.head().head().size > size, "else the newest");
    }
}

#[tokio::test]
async fn rosters_lead_from_what_a_unit_holds_to_the_newest() {
    let world = World::new().await;
    let mut second = roster_facts(2);
    second.retention += 1;
    world.publish(second.clone()).await;
    let third = shared::roster::Facts { version: RosterVersion(3), ..second };
    world.publish(third).await;
    let get = |after: u64| world.request(world.call(Method::GET, &format!("roster?after={after}")));
    let versions = |body: &serde_json::Value| {
        let list = body.as_array().expect("a list").clone();
        list.iter().map(|item| {
            let note = item["roster"].as_str().expect("text").as_bytes();
            let proof = TlogProof::parse(item["proof"].as_str().expect("text").as_bytes()).and_then(|p| p.check(log().public())).expect("in the log");
            let roster = Roster::parse(note).expect("a roster");
            assert!(matches!(proof.entry().body, Body::Roster { version, blob } if version == roster.facts().version && blob == Blob::of(note)));
            roster.facts().version.0
        }).collect::<Vec<_>>()
    };
    for (after, expected) in [(0, vec![1, 3]), (1, vec![3]), (2, vec![3]), (3, vec![]), (99, vec![])] {
        let response = get(after).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(versions(&response.json().await.expect("JSON")), expected, "after {after}");
    }
    let tag = get(1).await.headers()["etag"].clone();
    let same = world.request(world.call(Method::GET, "roster?after=1").header("If-None-Match", tag)).await;
    assert_eq!(same.status(), StatusCode::NOT_MODIFIED);
}

#[tokio::test]
async fn the_checkpoint_is_for_anybody() {
    let world = World::new().await;
    let response = world.request(world.call(Method::GET, "log/checkpoint")).await;
    let head = CheckedHead::open(&response.bytes().await.expect("read"), log().public()).expect("signed by the log");
    assert_eq!(head.head().size, world.log_size().await);
}
