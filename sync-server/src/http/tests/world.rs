//! A founded centre, a running server, and units that speak to it.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use reqwest::{Method, RequestBuilder, Response, StatusCode};
use shared::{
    batch::{Facts as BatchFacts, Line, LineFacts, Manifest, RecordLine},
    hello::{Answer, AnswerFacts, Facts, Hello, Path, Sender, State, UnitStand},
    id::{BatchId, Blob, Digest, Number, Place, RecordId, RosterVersion, SealedDigest, Transaction},
    keys::Signer,
    log::{CheckedHead, Consistency, Entry, Head, TlogProof},
    problem::Code,
    receipt::{CheckedReceipt, Receipt},
    roster::{Facts as RosterFacts, RecipientKind},
    seal::Identity,
    text::hex,
    time::Second,
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use super::super::Limits;
use crate::{
    centre::{Centre, identity_text},
    durable,
    fixtures::{member, roster, roster_facts, signer, trusted},
    pipeline::{Idle, Proposal},
    serving::{self, Options, Running, Security},
    settings::{File, Settings},
    store::{
        Archive as _, Guard as _, Ledger as _, Staging as _, Upload as _, Whole,
        archive_files::ArchiveFiles,
        empty_log,
        guard_file::{GuardFile, Make},
    },
};

/// Nothing in a test takes longer, unless it hangs.
const BOUND: Duration = Duration::from_mins(1);

/// A centre in a folder, and the server while it runs.
pub(super) struct World {
    dir: TempDir,
    pub(super) limits: Limits,
    running: Option<Running>,
    pub(super) client: reqwest::Client,
}

impl World {
    /// Founded with roster 1, and served.
    pub(super) async fn new() -> Self {
        Self::with(Limits { disk_reserve: 0, ..Limits::default() }).await
    }

    pub(super) async fn with(limits: Limits) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let dir = tempfile::tempdir().expect("a folder");
        let client = reqwest::Client::builder().build().expect("a client");
        let mut world = Self { dir, limits, running: None, client };
        world.found().await;
        world.publish(roster_facts(1)).await;
        world.start().await;
        world
    }

    fn settings(&self) -> Settings {
        Settings { data: self.dir.path().to_owned(), file: File::of("registry.example".parse().expect("a name")) }
    }

    async fn found(&self) {
        let settings = self.settings();
        ArchiveFiles::create(&settings.archive()).expect("an archive");
        let guard = GuardFile::open(&settings.guard(), Make::Folder).expect("a guard");
        guard.swap(None, empty_log()).await.expect("an empty log");
        durable::folder(&settings.keys()).expect("a folder");
        for (file, name) in [("log.key", "registry.example/log"), ("centre.key", "registry.example")] {
            let text = format!("enroll-secret/v1\nname {name}\nseed {}\n", hex(Digest::of(name.as_bytes()).as_bytes()));
            durable::write(&settings.keys().join(file), text.as_bytes()).expect("written");
        }
        let identity = Identity::from_seed(RecipientKind::X25519, &[7; 32]);
        durable::write(&settings.keys().join("working.identity"), identity_text(&identity).as_bytes()).expect("written");
    }

    pub(super) fn centre(&self) -> Centre {
        Centre::open(self.settings()).expect("opened")
    }

    /// Logs a roster, as a command in another process would while the server runs.
    pub(super) async fn publish(&self, facts: RosterFacts) {
        let centre = self.centre();
        let paper = roster(facts.clone());
        let note = paper.note().as_bytes().to_vec();
        centre.stores.archive.put(Blob::of(&note), Whole::new(note.clone())).await.expect("archived");
        let (sequencer, _) = centre.sequencer(Idle::Quiet).await.expect("started");
        sequencer.log(Proposal::Roster(Box::new(trusted(facts)))).await.expect("logged");
    }

    pub(super) async fn start(&mut self) {
        let options = Options { listen: "127.0.0.1:0".into(), security: Security::PlainHere, limits: self.limits };
        self.running = Some(serving::start(self.centre(), options).await.expect("started"));
    }

    pub(super) async fn stop(&mut self) {
        self.running.take().expect("running").stop().await;
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.running.as_ref().expect("running").address
    }

    pub(super) fn staging_folder(&self) -> PathBuf {
        self.settings().staging()
    }

    pub(super) fn refused(&self, source: &str) -> Vec<String> {
        durable::names(&self.dir.path().join("refused").join(source)).expect("listed")
    }

    pub(super) async fn request(&self, request: RequestBuilder) -> Response {
        timeout(BOUND, request.send()).await.expect("answered in time").expect("answered")
    }

    pub(super) fn call(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("http://{}/v1/{path}", self.address()))
    }

    pub(super) async fn log_size(&self) -> u64 {
        self.centre().stores.ledger.position().await.expect("read").line.head.size
    }

    pub(super) async fn entries(&self) -> Vec<Entry> {
        let ledger = self.centre().stores.ledger;
        let mut entries = Vec::new();
        while let Some(leaf) = ledger.entry(shared::id::LogIndex(entries.len() as u64)).await.expect("read") {
            entries.push(Entry::parse(&leaf).expect("our own"));
        }
        entries
    }

    /// Puts bytes into staging behind the server's back, as a process that died before logging has left them.
    pub(super) async fn stage(&self, manifest: &Manifest, payload: &[u8]) {
        let staging = self.centre().staging;
        staging.announce(manifest.id(), manifest.note().as_bytes().to_vec()).await.expect("announced");
        let upload = staging.upload(manifest.id(), 0).await.expect("locked");
        upload.append(payload.to_vec()).await.expect("written").sync().await.expect("durable");
    }

    /// A connection of one's own.
    pub(super) async fn raw(&self) -> TcpStream {
        TcpStream::connect(self.address()).await.expect("connected")
    }

    /// Waits until the condition holds.
    pub(super) async fn until<F: Future<Output = bool>>(&self, condition: impl Fn() -> F) {
        let wait = async {
            while !condition().await {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(BOUND, wait).await.expect("the condition holds in time");
    }
}

/// Reads until the other side closes.
pub(super) async fn read_all(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    // a reset after the answer is as good as an end
    let _ = timeout(BOUND, stream.read_to_end(&mut bytes)).await.expect("closed in time");
    String::from_utf8_lossy(&bytes).into_owned()
}

pub(super) async fn write(stream: &mut TcpStream, bytes: impl AsRef<[u8]>) {
    // the other side may have closed already
    let _ = stream.write_all(bytes.as_ref()).await;
}

/// The code of a refusal, whose form is checked on the way.
pub(super) async fn refusal(response: Response) -> (StatusCode, Code) {
    let status = response.status();
    assert!(response.headers().get("upload-offset").is_none(), "no offset on an error");
    assert_eq!(
        response.headers().get("content-type").map(reqwest::header::HeaderValue::as_bytes),
        Some(&b"application/problem+json"[..]),
        "{status}"
    );
    let later = [StatusCode::SERVICE_UNAVAILABLE, StatusCode::LOCKED, StatusCode::ACCEPTED].contains(&status);
    assert_eq!(response.headers().contains_key("retry-after"), later, "{status}");
    let body: serde_json::Value = response.json().await.expect("JSON");
    assert_eq!(body["status"], status.as_u16());
    let code = body["code"].as_str().expect("a code");
    assert_eq!(body["type"], format!("urn:enroll:problem:{code}"));
    assert!(body["title"].as_str().is_some_and(|t| !t.is_empty()) && body["next"].as_str().is_some_and(|t| !t.is_empty()));
    (status, code.parse().expect("a known code"))
}

/// A unit.
pub(super) struct Van<'a> {
    pub(super) world: &'a World,
    pub(super) name: &'static str,
    pub(super) signer: Signer,
    pub(super) counter: u64,
    pub(super) seen: Head,
    pub(super) head: Option<(Place, BatchId)>,
    pub(super) token: Option<String>,
}

impl<'a> Van<'a> {
    pub(super) fn new(world: &'a World, name: &'static str) -> Self {
        Self { world, name, signer: signer(name), counter: 0, seen: Head::EMPTY, head: None, token: None }
    }

    /// One that has said hello.
    pub(super) async fn greeted(world: &'a World, name: &'static str) -> Self {
        let mut van = Self::new(world, name);
        assert_eq!(van.hello().await.state, State::Ok);
        van
    }

    pub(super) fn facts(&self) -> Facts {
        Facts {
            centre: "registry.example".parse().expect("a name"),
            sender: Sender::Unit(UnitStand {
                unit: member(self.name),
                epoch: 1,
                head: self.head,
                number: None,
                waiting: [0, 0, 0],
                seen: self.seen,
                settled: 0,
                alarms: Vec::new(),
            }),
            counter: self.counter,
            by: Path::Network,
            roster: Some(RosterVersion(1)),
            software: "enroll-client/0.1.0".into(),
            clock: Second::from_unix(1_790_000_000),
            free: 1,
        }
    }

    pub(super) fn sign(&self, change: impl FnOnce(&mut Facts)) -> Hello {
        let mut facts = self.facts();
        change(&mut facts);
        Hello::sign(facts, &self.signer).expect("canonical")
    }

    /// Says the next hello and checks all of the answer, as a unit does.
    pub(super) async fn hello(&mut self) -> AnswerFacts {
        self.counter += 1;
        let hello = self.sign(|_| ());
        self.say(&hello).await
    }

    pub(super) async fn say(&mut self, hello: &Hello) -> AnswerFacts {
        let response = self.post(hello.note().as_bytes()).await;
        assert_eq!(response.status(), StatusCode::OK);
        let body: serde_json::Value = response.json().await.expect("JSON");
        let text = |key: &str| body[key].as_str().expect("text").as_bytes().to_vec();
        let (centre, log) = (signer("registry.example"), signer("registry.example/log"));
        let answer = Answer::parse(&text("answer")).and_then(|a| a.check(centre.public(), hello)).expect("answers this hello");
        let seen = match &hello.facts().sender {
            Sender::Unit(said) => said.seen,
            Sender::Carrier(_) => Head::EMPTY,
        };
        let head = Consistency::parse(&text("consistency")).and_then(|c| c.check(seen, log.public())).expect("one history");
        let last = TlogProof::parse(&text("proof")).and_then(|p| p.check(log.public())).expect("in the log");
        assert_eq!((last.head(), last.index().0 + 1), (head, head.head().size), "the last entry of the same head");
        self.seen = head.head();
        self.token = body["token"].as_str().map(str::to_owned);
        let by_network = hello.facts().by == Path::Network;
        assert_eq!(self.token.is_some(), answer.state == State::Ok && by_network, "a token only for ok, by network");
        answer
    }

    pub(super) async fn post(&self, note: &[u8]) -> Response {
        self.world.request(self.world.call(Method::POST, "hello").body(note.to_vec())).await
    }

    pub(super) fn call(&self, method: Method, path: &str) -> RequestBuilder {
        self.world.call(method, path).bearer_auth(self.token.as_deref().expect("greeted"))
    }

    pub(super) async fn announce(&self, manifest: &Manifest) -> Response {
        self.world.request(self.call(Method::POST, "batches").body(manifest.note().as_bytes().to_vec())).await
    }

    pub(super) fn patch(&self, batch: BatchId, offset: u64) -> RequestBuilder {
        self.call(Method::PATCH, &format!("batches/{batch}/payload"))
            .header("Tus-Resumable", "1.0.0")
            .header("Upload-Offset", offset)
            .header("Content-Type", "application/offset+octet-stream")
    }

    /// Sends bytes; gives the offset that is durable then.
    pub(super) async fn send(&self, batch: BatchId, offset: u64, bytes: &[u8]) -> Result<u64, (StatusCode, Code)> {
        let response = self.world.request(self.patch(batch, offset).body(bytes.to_vec())).await;
        if response.status() == StatusCode::NO_CONTENT { Ok(offset_of(&response).0) } else { Err(refusal(response).await) }
    }

    /// What the server says is durable, and of how much.
    pub(super) async fn offset(&self, batch: BatchId) -> (u64, u64) {
        let head = self.call(Method::HEAD, &format!("batches/{batch}/payload")).header("Tus-Resumable", "1.0.0");
        let response = self.world.request(head).await;
        assert_eq!(response.status(), StatusCode::OK);
        offset_of(&response)
    }

    pub(super) async fn paper(&self, batch: BatchId, kind: &str) -> Response {
        self.world.request(self.call(Method::GET, &format!("batches/{batch}/{kind}"))).await
    }

    /// Waits for the receipt and checks it, as a unit does.
    pub(super) async fn receipt(&self, manifest: &Manifest) -> CheckedReceipt {
        let ready = || async { self.paper(manifest.id(), "receipt").await.status() == StatusCode::OK };
        self.world.until(ready).await;
        let bytes = self.paper(manifest.id(), "receipt").await.bytes().await.expect("read");
        let log = signer("registry.example/log");
        let receipt = Receipt::parse(&bytes).and_then(|r| r.check(manifest, log.public())).expect("a receipt of this batch");
        let Head { size, .. } = CheckedHead::head(&receipt.head());
        assert!(size > receipt.index().0);
        receipt
    }

    /// Announces, sends and gets the receipt.
    pub(super) async fn deliver(&self, manifest: &Manifest, payload: &[u8]) -> CheckedReceipt {
        assert_eq!(self.announce(manifest).await.status(), StatusCode::CREATED);
        if !payload.is_empty() {
            assert_eq!(self.send(manifest.id(), 0, payload).await, Ok(payload.len() as u64));
        }
        self.receipt(manifest).await
    }
}

fn offset_of(response: &Response) -> (u64, u64) {
    assert_eq!(response.headers()["tus-resumable"], "1.0.0");
    let number = |name: &str| response.headers()[name].to_str().expect("text").parse().expect("a number");
    (number("upload-offset"), number("upload-length"))
}

/// Bytes that no two places of which are alike.
pub(super) fn noise(size: usize) -> Vec<u8> {
    (0_u64..).flat_map(|n| *Digest::of(&n.to_be_bytes()).as_bytes()).take(size).collect()
}

/// A manifest of one record over these bytes.
pub(super) fn over(unit: &str, sequence: u64, previous: Option<BatchId>, payload: &[u8]) -> Manifest {
    changed(unit, sequence, previous, payload, |_| (), |_| ())
}

pub(super) fn changed(
    unit: &str,
    sequence: u64,
    previous: Option<BatchId>,
    payload: &[u8],
    line: impl FnOnce(&mut LineFacts),
    batch: impl FnOnce(&mut BatchFacts),
) -> Manifest {
    let finished = Second::from_unix(crate::fixtures::START).minute();
    let mut facts = LineFacts {
        number: Number::new(1, sequence).expect("from 1"),
        record: RecordId::from_random(Digest::of(payload).as_bytes()[..16].try_into().expect("16")),
        size: payload.len() as u64,
        digest: SealedDigest::of(payload),
        plain: 4096,
        transaction: Transaction::New,
        form: "national-id/1".parse().expect("a form"),
        roster: RosterVersion(1),
        finished,
        seen: 0,
        agent: member("agent-1"),
    };
    line(&mut facts);
    let mut facts = BatchFacts {
        unit: member(unit),
        place: Place::new(1, sequence).expect("from 1"),
        previous,
        roster: facts.roster,
        seen: Head::EMPTY,
        closed: finished,
        approved: Some(member("supervisor-1")),
        payload_size: payload.len() as u64,
        payload: Digest::of(payload),
        lines: vec![Line::Record(RecordLine::sign(facts, &member(unit), &signer("agent-1")))],
    };
    batch(&mut facts);
    let supervisor = signer("supervisor-1");
    let cosigners: Vec<&Signer> = facts.approved.iter().map(|_| &supervisor).collect();
    Manifest::close(facts, &signer(unit), &cosigners).expect("canonical")
}
