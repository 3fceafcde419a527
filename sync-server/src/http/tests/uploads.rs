//! Uploads: wrong offsets, breaks, damage, locks, slowness, restarts. What was durable stays.

use reqwest::{Method, StatusCode};
use shared::{id::BatchId, log::BatchState, problem::Code};
use tokio::net::TcpStream;

use super::{
    super::Limits,
    world::{Van, World, noise, over, read_all, refusal, write},
};
use crate::store::PIECE;

/// The start of a PATCH whose body follows by hand.
async fn start(van: &Van<'_>, batch: BatchId, offset: u64, length: usize) -> TcpStream {
    let token = van.token.as_deref().expect("greeted");
    let mut raw = van.world.raw().await;
    let head = format!(
        "PATCH /v1/batches/{batch}/payload HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\ntus-resumable: 1.0.0\r\n\
         upload-offset: {offset}\r\ncontent-type: application/offset+octet-stream\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
    );
    write(&mut raw, head).await;
    raw
}

#[tokio::test]
async fn what_does_not_fit_is_refused_without_an_offset() {
    let world = World::new().await;
    let van = Van::greeted(&world, "van-1").await;
    let batch = over("van-1", 1, None, b"sealed");
    let id = batch.id();
    assert_eq!(van.send(id, 0, b"sealed").await, Err((StatusCode::NOT_FOUND, Code::NotFound)), "not announced");
    van.announce(&batch).await;
    assert_eq!(van.send(id, 1, b"ealed").await, Err((StatusCode::CONFLICT, Code::OffsetWrong)));
    assert_eq!(van.send(id, 0, b"sealed!").await, Err((StatusCode::BAD_REQUEST, Code::LengthWrong)));
    let protocol: Result<(), _> = Err((StatusCode::PRECONDITION_FAILED, Code::UploadProtocol));
    let path = format!("batches/{id}/payload");
    let send = |request: reqwest::RequestBuilder| async {
        let response = world.request(request.body("sealed")).await;
        if response.status().is_success() { Ok(()) } else { Err(refusal(response).await) }
    };
    let call = || van.call(Method::PATCH, &path);
    let kind = "application/offset+octet-stream";
    assert_eq!(send(call().header("Upload-Offset", 0).header("Content-Type", kind)).await, protocol);
    assert_eq!(send(call().header("Tus-Resumable", "0.2.2").header("Upload-Offset", 0).header("Content-Type", kind)).await, protocol);
    assert_eq!(send(call().header("Tus-Resumable", "1.0.0").header("Upload-Offset", 0)).await, protocol);
    assert_eq!(send(call().header("Tus-Resumable", "1.0.0").header("Upload-Offset", "-1").header("Content-Type", kind)).await, protocol);
    assert_eq!(van.send(BatchId::of(b"other"), 0, b"x").await, Err((StatusCode::NOT_FOUND, Code::NotFound)));
    let nonsense = world.request(van.call(Method::GET, "batches/nonsense/receipt")).await;
    assert_eq!(refusal(nonsense).await, (StatusCode::NOT_FOUND, Code::NotFound));
    let method = world.request(van.call(Method::DELETE, &path)).await;
    assert_eq!(refusal(method).await, (StatusCode::METHOD_NOT_ALLOWED, Code::MethodNotAllowed));
    assert_eq!(van.offset(id).await, (0, 6), "nothing was taken");
    assert_eq!(van.send(id, 0, b"sealed").await, Ok(6));
}

#[tokio::test]
async fn goes_on_from_the_offset_and_ends_in_a_receipt() {
    let world = World::new().await;
    let mut van = Van::greeted(&world, "van-1").await;
    let bytes = noise(3 * PIECE + 12_345);
    let batch = over("van-1", 1, None, &bytes);
    van.announce(&batch).await;
    let pending = van.paper(batch.id(), "receipt").await;
    assert_eq!(refusal(pending).await, (StatusCode::ACCEPTED, Code::Pending));
    assert_eq!(van.send(batch.id(), 0, &bytes[..100_000]).await, Ok(100_000));
    assert_eq!(van.offset(batch.id()).await, (100_000, bytes.len() as u64));
    assert_eq!(van.hello().await.want, vec![(batch.facts().place, 100_000)], "the answer says what is wanted");
    assert_eq!(van.send(batch.id(), 0, &bytes).await, Err((StatusCode::CONFLICT, Code::OffsetWrong)));
    assert_eq!(van.send(batch.id(), 100_000, &bytes[100_000..]).await, Ok(bytes.len() as u64));
    assert_eq!(van.receipt(&batch).await.state(), BatchState::Accepted);
    assert_eq!(van.send(batch.id(), bytes.len() as u64, b"").await, Ok(bytes.len() as u64), "the same again is the same as once");
    van.head = Some((batch.facts().place, batch.id()));
    let answer = van.hello().await;
    assert_eq!((answer.want, answer.head), (vec![], van.head));
    assert!(crate::durable::names(&world.staging_folder()).expect("listed").is_empty(), "staging is dropped once it is logged");
}

#[tokio::test]
async fn what_arrived_before_a_break_stays() {
    let world = World::new().await;
    let van = Van::greeted(&world, "van-1").await;
    let bytes = noise(2 * PIECE);
    let batch = over("van-1", 1, None, &bytes);
    van.announce(&batch).await;
    let mut raw = start(&van, batch.id(), 0, bytes.len()).await;
    write(&mut raw, &bytes[..300_000]).await;
    drop(raw);
    world.until(|| async { van.offset(batch.id()).await.0 == 300_000 }).await;
    // whoever kept it may still be on its way out
    let rest = || async {
        match van.send(batch.id(), 300_000, &bytes[300_000..]).await {
            Err((StatusCode::LOCKED, Code::UploadLocked)) => false,
            sent => sent == Ok(bytes.len() as u64) || panic!("{sent:?}"),
        }
    };
    world.until(rest).await;
    van.receipt(&batch).await;
}

#[tokio::test]
async fn a_damaged_payload_is_wanted_again_from_the_start() {
    let world = World::new().await;
    let van = Van::greeted(&world, "van-1").await;
    let bytes = noise(1000);
    let batch = over("van-1", 1, None, &bytes);
    van.announce(&batch).await;
    let mut damaged = bytes.clone();
    damaged[500] ^= 1;
    assert_eq!(van.send(batch.id(), 0, &damaged).await, Err((StatusCode::CONFLICT, Code::PayloadCorrupt)));
    assert_eq!(van.offset(batch.id()).await, (0, 1000));
    assert_eq!(refusal(van.paper(batch.id(), "receipt").await).await, (StatusCode::ACCEPTED, Code::Pending));
    assert_eq!(world.log_size().await, 1, "nothing was logged");
    assert_eq!(van.send(batch.id(), 0, &bytes).await, Ok(1000));
    van.receipt(&batch).await;
}

#[tokio::test]
async fn a_caller_who_is_refused_reads_why_even_in_the_middle_of_a_body() {
    let world = World::new().await;
    let van = Van { token: Some("ran out".into()), ..Van::new(&world, "van-1") };
    let bytes = noise(2 << 20);
    let mut raw = start(&van, BatchId::of(b"x"), 0, bytes.len()).await;
    write(&mut raw, &bytes).await;
    let answer = read_all(&mut raw).await;
    assert!(answer.starts_with("HTTP/1.1 401") && answer.contains("\"code\":\"token-invalid\""), "{answer}");
}

#[tokio::test]
async fn one_writer_a_payload() {
    let world = World::new().await;
    let van = Van::greeted(&world, "van-1").await;
    let other = Van::greeted(&world, "van-2").await;
    let bytes = noise(100_000);
    let batch = over("van-1", 1, None, &bytes);
    van.announce(&batch).await;
    let mut raw = start(&van, batch.id(), 0, bytes.len()).await;
    write(&mut raw, &bytes[..50_000]).await;
    world.until(|| async { van.offset(batch.id()).await.0 == 50_000 }).await; // made durable while it is open
    assert_eq!(other.send(batch.id(), 50_000, &bytes[50_000..]).await, Err((StatusCode::LOCKED, Code::UploadLocked)));
    write(&mut raw, &bytes[50_000..]).await;
    assert!(read_all(&mut raw).await.starts_with("HTTP/1.1 204"));
    van.receipt(&batch).await;
}

#[tokio::test]
async fn a_body_that_trickles_is_cut_off_and_kept() {
    let world = World::with(Limits { patience_seconds: 1, disk_reserve: 0, ..Limits::default() }).await;
    let van = Van::greeted(&world, "van-1").await;
    let bytes = noise(100_000);
    let batch = over("van-1", 1, None, &bytes);
    van.announce(&batch).await;
    let mut raw = start(&van, batch.id(), 0, bytes.len()).await;
    write(&mut raw, &bytes[..777]).await; // and then silence
    let answer = read_all(&mut raw).await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(answer.contains("\"code\":\"too-slow\"") && !answer.to_lowercase().contains("upload-offset:"), "{answer}");
    assert_eq!(van.offset(batch.id()).await.0, 777);
}

#[tokio::test]
async fn stopping_in_mid_upload_keeps_what_arrived_and_a_restart_goes_on() {
    let mut world = World::new().await;
    let bytes = noise(2 * PIECE);
    let batch = over("van-1", 1, None, &bytes);
    let token = {
        let van = Van::greeted(&world, "van-1").await;
        van.announce(&batch).await;
        let mut raw = start(&van, batch.id(), 0, bytes.len()).await;
        write(&mut raw, &bytes[..123_456]).await;
        world.until(|| async { van.offset(batch.id()).await.0 == 123_456 }).await;
        let token = van.token.clone();
        let answer = tokio::spawn(async move { read_all(&mut raw).await });
        world.stop().await;
        let answer = answer.await.expect("read");
        assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
        token
    };
    world.start().await;
    let van = Van { token, ..Van::new(&world, "van-1") };
    assert_eq!(van.offset(batch.id()).await, (123_456, bytes.len() as u64), "with the token of before");
    assert_eq!(van.send(batch.id(), 123_456, &bytes[123_456..]).await, Ok(bytes.len() as u64));
    van.receipt(&batch).await;
}

#[tokio::test]
async fn a_start_goes_on_with_what_a_crash_left_in_staging() {
    let mut world = World::new().await;
    world.stop().await;
    let whole = over("van-1", 1, None, b"whole");
    let half = over("van-1", 2, Some(whole.id()), b"half of it");
    world.stage(&whole, b"whole").await; // all there, never logged
    world.stage(&half, b"half").await;
    world.start().await;
    let mut van = Van::greeted(&world, "van-1").await;
    van.receipt(&whole).await;
    van.head = Some((half.facts().place, half.id()));
    assert_eq!(van.hello().await.want, vec![(half.facts().place, 4)]);
    assert_eq!(van.send(half.id(), 4, b" of it").await, Ok(10));
    van.receipt(&half).await;
}

#[tokio::test]
async fn a_full_disk_says_come_back_before_anything_is_taken() {
    let world = World::with(Limits { disk_reserve: u64::MAX / 2, ..Limits::default() }).await;
    let van = Van::greeted(&world, "van-1").await;
    let batch = over("van-1", 1, None, b"sealed");
    assert_eq!(van.announce(&batch).await.status(), StatusCode::CREATED);
    assert_eq!(van.send(batch.id(), 0, b"sealed").await, Err((StatusCode::SERVICE_UNAVAILABLE, Code::Busy)));
    assert_eq!(van.offset(batch.id()).await, (0, 6));
}

#[tokio::test]
async fn one_request_too_many_of_one_caller_is_told_to_come_back() {
    let world = World::with(Limits { requests_a_caller: 1, disk_reserve: 0, patience_seconds: 60, ..Limits::default() }).await;
    let van = Van::greeted(&world, "van-1").await;
    let bytes = noise(1000);
    let batch = over("van-1", 1, None, &bytes);
    van.announce(&batch).await;
    let mut raw = start(&van, batch.id(), 0, 1000).await;
    write(&mut raw, &bytes[..10]).await;
    let other = Van::greeted(&world, "van-2").await;
    world.until(|| async { other.offset(batch.id()).await == (10, 1000) }).await; // nobody else is kept waiting
    assert_eq!(refusal(van.paper(batch.id(), "receipt").await).await, (StatusCode::SERVICE_UNAVAILABLE, Code::Busy));
    write(&mut raw, &bytes[10..]).await;
    assert!(read_all(&mut raw).await.starts_with("HTTP/1.1 204"));
    van.receipt(&batch).await;
}
