//! Announcing: each refusal with its code, and everything that is no refusal.

use reqwest::{Method, StatusCode};
use shared::{
    batch::{Line, RecordLine},
    id::{BatchId, LogIndex, RosterVersion},
    keys::KeyRef,
    log::{BatchState, Body},
    note::Note,
    problem::Code,
    roster::Revocation,
};

use super::world::{Van, World, changed, over, refusal};
use crate::fixtures::{manifest, member, payload, roster_facts, signer};

async fn refused(van: &Van<'_>, bytes: Vec<u8>) -> (StatusCode, Code) {
    refusal(van.world.request(van.call(Method::POST, "batches").body(bytes)).await).await
}

#[tokio::test]
async fn each_defect_has_its_code_and_everything_else_goes_on() {
    let world = World::new().await;
    let van = Van::greeted(&world, "van-1").await;
    let good = over("van-1", 1, None, b"sealed");
    let text = good.note().text().to_owned();
    let signed = |names: &[&str]| {
        let keys: Vec<_> = names.iter().map(|n| signer(n)).collect();
        Note::sign(&text, &keys.iter().collect::<Vec<_>>()).as_bytes().to_vec()
    };
    let mut altered = good.note().as_bytes().to_vec();
    let at = altered.windows(7).position(|w| w == b"closed ").expect("there");
    altered[at + 10] ^= 1;
    let unprocessable = StatusCode::UNPROCESSABLE_ENTITY;
    assert_eq!(refused(&van, altered).await, (StatusCode::FORBIDDEN, Code::SignatureInvalid));
    assert_eq!(refused(&van, signed(&["van-1"])).await, (unprocessable, Code::CosignatureMissing));
    assert_eq!(refused(&van, signed(&["van-1", "supervisor-1", "agent-1"])).await, (unprocessable, Code::NoteSignatures));
    assert_eq!(refused(&van, signed(&["van-2", "supervisor-1"])).await, (StatusCode::FORBIDDEN, Code::KeyUnknown));
    let stranger = over("van-9", 1, None, b"sealed");
    assert_eq!(refused(&van, stranger.note().as_bytes().to_vec()).await, (StatusCode::FORBIDDEN, Code::KeyUnknown));
    assert_eq!(refused(&van, vec![b'x'; 1_000_001]).await, (StatusCode::PAYLOAD_TOO_LARGE, Code::ManifestTooLarge));
    assert_eq!(refused(&van, b"nonsense".to_vec()).await, (StatusCode::BAD_REQUEST, Code::NoteMalformed));
    let newer = Note::sign(&text.replacen("enroll-batch/v1", "enroll-batch/v2", 1), &[&signer("van-1")]).as_bytes().to_vec();
    assert_eq!(refused(&van, newer).await, (unprocessable, Code::UpgradeNeeded));
    let colleague = changed(
        "van-1",
        1,
        None,
        b"sealed",
        |_| (),
        |facts| {
            let Line::Record(line) = &facts.lines[0] else { panic!("a record line") };
            facts.lines[0] = Line::Record(RecordLine::sign(line.facts.clone(), &facts.unit, &signer("agent-9")));
        },
    );
    assert_eq!(refused(&van, colleague.note().as_bytes().to_vec()).await, (unprocessable, Code::RecordSignature));
    let large = changed("van-1", 1, None, b"sealed", |line| line.size = 600 << 20, |facts| facts.payload_size = 600 << 20);
    assert_eq!(refused(&van, large.note().as_bytes().to_vec()).await, (StatusCode::PAYLOAD_TOO_LARGE, Code::BatchTooLarge));
    let future = changed("van-1", 1, None, b"sealed", |line| line.roster = RosterVersion(9), |_| ());
    assert_eq!(refused(&van, future.note().as_bytes().to_vec()).await, (StatusCode::SERVICE_UNAVAILABLE, Code::RosterUnknown));
    // for staff: what was refused for good, by who brought it; nothing of what only has to wait
    let kept = world.refused(&KeyRef::from(signer("van-1").public()).to_string());
    assert!(kept.iter().any(|n| n.contains("-record-signature-")), "{kept:?}");
    assert!(!kept.iter().any(|n| n.contains("roster-unknown") || n.contains("cosignature-missing")), "{kept:?}");
    assert_eq!(world.log_size().await, 1);
    assert_eq!(van.deliver(&good, b"sealed").await.state(), BatchState::Accepted, "and the good one goes its way");
}

#[tokio::test]
async fn announcing_twice_is_the_same_as_once() {
    let world = World::new().await;
    let van = Van::greeted(&world, "van-1").await;
    let batch = over("van-1", 1, None, b"sealed");
    let first = van.announce(&batch).await;
    assert_eq!(first.status(), StatusCode::CREATED);
    assert_eq!(first.headers()["location"], format!("/v1/batches/{}/payload", batch.id()));
    let again = van.announce(&batch).await;
    assert_eq!(again.status(), StatusCode::OK);
    assert_eq!(again.headers()["location"], format!("/v1/batches/{}/payload", batch.id()));
    assert_eq!(van.send(batch.id(), 0, b"sealed").await, Ok(6));
    van.receipt(&batch).await;
    assert_eq!(van.announce(&batch).await.status(), StatusCode::OK, "logged long ago");
    assert_eq!(van.offset(batch.id()).await, (6, 6));
    assert_eq!(world.entries().await.iter().filter(|e| matches!(e.body, Body::Batch(_))).count(), 1);
}

#[tokio::test]
async fn a_gap_is_never_a_refusal_and_closes_when_the_late_one_comes() {
    let world = World::new().await;
    let van = Van::greeted(&world, "van-1").await;
    let first = over("van-1", 1, None, b"one");
    let second = over("van-1", 2, Some(first.id()), b"two");
    let third = over("van-1", 3, Some(second.id()), b"three");
    for (batch, bytes) in [(&third, &b"three"[..]), (&first, b"one"), (&second, b"two")] {
        assert_eq!(van.deliver(batch, bytes).await.state(), BatchState::Accepted);
    }
}

#[tokio::test]
async fn of_a_fork_both_are_kept_and_later_work_is_quarantined() {
    let world = World::new().await;
    let van = Van::greeted(&world, "van-1").await;
    let first = over("van-1", 1, None, b"one");
    let (left, right) = (over("van-1", 2, Some(first.id()), b"left"), over("van-1", 2, Some(first.id()), b"right"));
    let later = over("van-1", 3, Some(left.id()), b"later");
    assert_eq!(van.deliver(&first, b"one").await.state(), BatchState::Accepted);
    assert_eq!(van.deliver(&left, b"left").await.state(), BatchState::Accepted);
    assert_eq!(van.deliver(&right, b"right").await.state(), BatchState::Quarantined(Code::Fork));
    assert_eq!(van.deliver(&later, b"later").await.state(), BatchState::Quarantined(Code::Fork));
    let other = Van::greeted(&world, "van-2").await;
    assert_eq!(other.deliver(&over("van-2", 1, None, b"x"), b"x").await.state(), BatchState::Accepted);
}

#[tokio::test]
async fn missing_approval_is_logged_and_receipted() {
    let world = World::new().await;
    let van = Van::greeted(&world, "van-1").await;
    let batch = changed("van-1", 1, None, b"sealed", |_| (), |facts| facts.approved = None);
    assert_eq!(van.deliver(&batch, b"sealed").await.state(), BatchState::Quarantined(Code::Unapproved));
}

#[tokio::test]
async fn a_batch_without_payload_goes_straight_on() {
    let world = World::new().await;
    let van = Van::greeted(&world, "van-1").await;
    let batch = manifest("van-1", 1, None, 1, 0); // its only line is withdrawn
    assert!(payload(1, 0).is_empty());
    assert_eq!(van.deliver(&batch, b"").await.state(), BatchState::Accepted);
}

#[tokio::test]
async fn any_session_may_bring_any_authentic_batch() {
    let world = World::new().await;
    let colleague = Van::greeted(&world, "van-2").await;
    let batch = over("van-1", 1, None, b"sealed");
    assert_eq!(colleague.deliver(&batch, b"sealed").await.state(), BatchState::Accepted);
    assert!(matches!(&world.entries().await[1].body, Body::Batch(b) if b.unit == member("van-1")));
}

#[tokio::test]
async fn work_before_the_cut_counts_once_a_head_from_before_leads_to_it() {
    let world = World::new().await;
    let mut van = Van::greeted(&world, "van-1").await;
    let first = over("van-1", 1, None, b"one");
    let second = over("van-1", 2, Some(first.id()), b"two");
    let third = over("van-1", 3, Some(second.id()), b"three");
    van.head = Some((third.facts().place, third.id()));
    van.hello().await; // the log has heard of the third; nothing has been sent yet
    let mut facts = roster_facts(2);
    let cut = LogIndex(world.log_size().await);
    facts.revoked.push(Revocation { key: KeyRef::from(signer("van-1").public()), cut, reason: "stolen".into() });
    world.publish(facts).await;
    for batch in [&first, &second, &third] {
        assert_eq!(van.announce(batch).await.status(), StatusCode::CREATED);
    }
    // over logged batches only: the first is linked when those between it and the head have come
    let after = BatchState::Quarantined(Code::Revoked);
    for (batch, bytes, state) in
        [(&first, &b"one"[..], after), (&third, b"three", BatchState::Accepted), (&second, b"two", BatchState::Accepted)]
    {
        assert_eq!(van.send(batch.id(), 0, bytes).await, Ok(bytes.len() as u64));
        assert_eq!(van.receipt(batch).await.state(), state);
    }
    let (key, centre) = (KeyRef::from(signer("van-1").public()), world.centre());
    let ledger = &centre.stores.ledger;
    assert!(
        crate::store::Ledger::would_link(ledger, first.id(), &key).await.is_ok_and(|head| head.is_some_and(|head| head < cut)),
        "in force by now"
    );
}

#[tokio::test]
async fn a_batch_where_the_log_has_heard_of_another_is_a_fork() {
    let world = World::new().await;
    let mut van = Van::greeted(&world, "van-1").await;
    let (said, sent) = (over("van-1", 1, None, b"said"), over("van-1", 1, None, b"sent"));
    van.head = Some((said.facts().place, said.id()));
    van.hello().await;
    assert_eq!(van.deliver(&sent, b"sent").await.state(), BatchState::Quarantined(Code::Fork));
}

#[tokio::test]
async fn a_revoked_unit_is_heard_and_what_comes_after_the_cut_is_quarantined() {
    let world = World::new().await;
    let mut van = Van::greeted(&world, "van-1").await;
    let before = over("van-1", 1, None, b"before");
    assert_eq!(van.deliver(&before, b"before").await.state(), BatchState::Accepted);
    let promised = over("van-1", 2, Some(before.id()), b"promised");
    van.head = Some((promised.facts().place, promised.id()));
    van.hello().await; // the log has heard of the second one
    let mut facts = roster_facts(2);
    let cut = LogIndex(world.log_size().await);
    facts.revoked.push(Revocation { key: KeyRef::from(signer("van-1").public()), cut, reason: "stolen".into() });
    world.publish(facts).await;
    let size = world.log_size().await;
    let after = over("van-1", 3, Some(promised.id()), b"after");
    van.head = Some((after.facts().place, after.id()));
    van.hello().await;
    assert!(van.token.is_some(), "it is heard");
    assert_eq!(world.log_size().await, size, "but its word is not logged any more");
    assert_eq!(van.deliver(&promised, b"promised").await.state(), BatchState::Accepted, "work before the cut stays valid");
    assert_eq!(van.deliver(&after, b"after").await.state(), BatchState::Quarantined(Code::Revoked));
    van.head = Some((after.facts().place, BatchId::of(b"a thief's")));
    van.hello().await;
    assert!(!world.entries().await.iter().any(|e| matches!(e.body, Body::Freeze { .. })), "a revoked key freezes nothing");
}
