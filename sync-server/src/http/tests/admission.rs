//! Connections and headers: too many, too long, too slow; problems in the caller's language.

use reqwest::{Method, StatusCode};
use shared::{
    hello::State,
    problem::{Code, Lang},
};

use super::{
    super::Limits,
    world::{Van, World, read_all, refusal, write},
};

#[tokio::test]
async fn a_header_that_is_too_long_is_refused() {
    let world = World::new().await;
    let mut raw = world.raw().await;
    write(&mut raw, format!("GET /v1/roster HTTP/1.1\r\nhost: x\r\nx: {}\r\n\r\n", "y".repeat(17 << 10))).await;
    let answer = read_all(&mut raw).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
    assert_eq!(Van::new(&world, "van-1").hello().await.state, State::Ok);
}

#[tokio::test]
async fn a_header_that_does_not_end_is_given_up() {
    let world = World::with(Limits { header_seconds: 1, disk_reserve: 0, ..Limits::default() }).await;
    let mut raw = world.raw().await;
    write(&mut raw, "GET /v1/roster HTTP/1.1\r\nhost: x\r\n").await;
    assert!(!read_all(&mut raw).await.starts_with("HTTP/1.1 200"), "closed");
}

#[tokio::test]
async fn one_connection_too_many_is_told_to_come_back() {
    let world = World::with(Limits { connections: 3, header_seconds: 60, disk_reserve: 0, ..Limits::default() }).await;
    let mut open = Vec::new();
    for _ in 0..3 {
        let mut raw = world.raw().await;
        // an answer on it shows that it has its place
        write(&mut raw, "GET /v1/nowhere HTTP/1.1\r\nhost: x\r\n\r\n").await;
        let mut first = [0];
        tokio::io::AsyncReadExt::read_exact(&mut raw, &mut first).await.expect("answered");
        open.push(raw);
    }
    let mut fourth = world.raw().await;
    let answer = read_all(&mut fourth).await;
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("retry-after:") && answer.contains("\"code\":\"busy\""), "{answer}");
    open.pop();
    world.until(|| a_place_is_free(&world)).await;
}

async fn a_place_is_free(world: &World) -> bool {
    let mut raw = world.raw().await;
    write(&mut raw, "GET /v1/nowhere HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    read_all(&mut raw).await.starts_with("HTTP/1.1 404")
}

#[tokio::test]
async fn by_default_512_hold_a_place_and_the_next_is_told_to_come_back() {
    // both ends of each connection are in this process
    let mut files = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    files.current = files.maximum;
    rustix::process::setrlimit(rustix::process::Resource::Nofile, files).expect("up to the maximum");
    let world = World::with(Limits { header_seconds: 60, disk_reserve: 0, ..Limits::default() }).await;
    assert_eq!(world.limits.connections, 512);
    let mut open = Vec::new();
    for _ in 0..512 {
        let mut raw = world.raw().await;
        write(&mut raw, "GET /v1/nowhere HTTP/1.1\r\nhost: x\r\n\r\n").await;
        let mut first = [0; 12];
        tokio::io::AsyncReadExt::read_exact(&mut raw, &mut first).await.expect("answered");
        assert_eq!(&first, b"HTTP/1.1 404");
        open.push(raw);
    }
    let answer = read_all(&mut world.raw().await).await;
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    open.truncate(511);
    world.until(|| a_place_is_free(&world)).await;
}

#[tokio::test]
async fn a_query_or_a_path_that_cannot_be_read_is_a_problem_too() {
    let world = World::new().await;
    let van = Van::greeted(&world, "van-1").await;
    let id = shared::id::BatchId::of(b"x");
    for path in ["roster?after=-1".to_owned(), "roster?size=x".to_owned(), format!("batches/{id}/receipt?size=1e3")] {
        let response = world.request(van.call(Method::GET, &path)).await;
        assert_eq!(refusal(response).await, (StatusCode::BAD_REQUEST, Code::TextMalformed), "{path}");
    }
    for path in ["forms/%ff%fe", "batches/%ff/receipt"] {
        let response = world.request(van.call(Method::GET, path)).await;
        assert_eq!(refusal(response).await, (StatusCode::NOT_FOUND, Code::NotFound), "{path}");
    }
}

#[tokio::test]
async fn who_does_not_read_the_answers_loses_the_place() {
    let world = World::with(Limits { connections: 1, answer_seconds: 1, header_seconds: 60, disk_reserve: 0, ..Limits::default() }).await;
    let mut idler = world.raw().await;
    let flood = async {
        loop {
            // ends when the server gives the connection up
            if tokio::io::AsyncWriteExt::write_all(&mut idler, b"GET /v1/roster?after=0 HTTP/1.1\r\nhost: x\r\n\r\n").await.is_err() {
                return;
            }
        }
    };
    let free = || async {
        let mut raw = world.raw().await;
        write(&mut raw, "GET /v1/nowhere HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
        read_all(&mut raw).await.starts_with("HTTP/1.1 404")
    };
    tokio::join!(flood, world.until(free));
}

#[tokio::test]
async fn nonsense_harms_nobody() {
    let world = World::new().await;
    for nonsense in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
        b"\0\0\0\0\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /v1/hello HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
    ] {
        let mut raw = world.raw().await;
        write(&mut raw, nonsense).await;
        tokio::io::AsyncWriteExt::shutdown(&mut raw).await.expect("half closed");
        assert!(!read_all(&mut raw).await.starts_with("HTTP/1.1 200"));
    }
    assert_eq!(Van::new(&world, "van-1").hello().await.state, State::Ok);
}

#[tokio::test]
async fn problems_speak_the_callers_language() {
    let world = World::new().await;
    for (wanted, lang, tag) in [("ar", Lang::Ar, "ar"), ("fr-FR, en;q=0.1", Lang::Fr, "fr"), ("xx", Lang::En, "en")] {
        let response = world.request(world.call(Method::GET, "nowhere").header("Accept-Language", wanted)).await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
        assert_eq!(response.headers()["content-language"], tag);
        let body: serde_json::Value = response.json().await.expect("JSON");
        let text = Code::NotFound.row().text(lang);
        assert_eq!((body["title"].as_str(), body["next"].as_str()), (Some(text.what), Some(text.next)));
    }
}
