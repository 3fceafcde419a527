//! A centre on a loopback socket that keeps a real log and signs with real keys, and can be told to lie,
//! break off or refuse. One connection, one request, one answer.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex, MutexGuard},
    thread,
};

use shared::{
    batch::Manifest,
    hello::{Answer, AnswerFacts, Hello, Sender, State},
    id::{Digest, LogIndex, NoteId, Place, ResidentRef},
    keys::Signer,
    log::{
        BatchEntry, BatchState, Body, Consistency, Entry, Hash, HashReader, Head, TlogProof, append, checkpoint, prove_consistency,
        prove_inclusion,
    },
    outcome::{Fate, Outcome, OutcomeLine},
    time::Second,
};

pub fn signer(name: &str, seed: u8) -> Signer {
    Signer::from_seed(name.parse().expect("name"), &[seed; 32])
}

struct Stored<'a>(&'a [Hash]);
impl HashReader for Stored<'_> {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, tlog_tiles::tlog::Error> {
        Ok(indexes.iter().map(|&i| self.0[usize::try_from(i).expect("small")]).collect())
    }
}
/// A log in memory.
#[derive(Clone, Default)]
pub struct Log {
    entries: Vec<Vec<u8>>,
    hashes: Vec<Hash>,
    heads: Vec<Head>,
}

impl Log {
    pub fn add(&mut self, body: Body) -> LogIndex {
        let received = Second::from_unix(1_790_000_000 + i64::try_from(self.entries.len()).expect("small"));
        let entry = Entry { received, body }.to_bytes();
        let grown = append(self.entries.len() as u64, std::slice::from_ref(&entry), &Stored(&self.hashes)).expect("in memory");
        self.hashes.extend(grown.hashes);
        self.entries.push(entry);
        self.heads.push(grown.head);
        LogIndex(self.entries.len() as u64 - 1)
    }
    pub fn head(&self) -> Head {
        self.heads.last().copied().unwrap_or(Head::EMPTY)
    }
    /// Proof of an entry under the log of `size` entries where that holds it, else under the newest.
    pub fn prove(&self, index: LogIndex, size: u64, key: &Signer) -> String {
        let held = size > index.0 && size <= self.head().size;
        let head = if held { self.heads[usize::try_from(size).expect("small") - 1] } else { self.head() };
        let hashes = prove_inclusion(head.size, index.0, &Stored(&self.hashes)).expect("in the log");
        let leaf = self.entries[usize::try_from(index.0).expect("small")].clone();
        let checkpoint = checkpoint(head, key).as_bytes().to_vec();
        String::from_utf8(TlogProof { leaf, index, hashes, checkpoint }.to_bytes()).expect("text")
    }
    pub fn consistency(&self, old: u64, key: &Signer) -> String {
        let hashes = prove_consistency(old, self.head().size, &Stored(&self.hashes)).expect("older");
        let checkpoint = checkpoint(self.head(), key).as_bytes().to_vec();
        String::from_utf8(Consistency { old, hashes, checkpoint }.to_bytes()).expect("text")
    }
}

/// What a unit has announced.
pub struct Upload {
    pub manifest: Manifest,
    pub payload: Vec<u8>,
    pub index: Option<LogIndex>,
    pub outcome: Option<(String, LogIndex)>,
}

/// What came in.
#[derive(Debug, Clone)]
pub struct Request {
    pub line: String,
    pub offset: u64,
    pub body: Vec<u8>,
}

impl Request {
    pub fn is(&self, start: &str) -> bool {
        self.line.starts_with(start)
    }
}

/// Says something else than the truth, or nothing (an empty answer closes the line); `None` lets the truth through.
pub type Script = Box<dyn FnMut(&mut World, &Request) -> Option<Vec<u8>> + Send>;

/// All that the centre knows.
pub struct World {
    pub log: Log,
    pub rosters: Vec<(String, LogIndex)>,
    pub forms: Vec<Vec<u8>>,
    pub uploads: Vec<Upload>,
    pub requests: Vec<Request>,
    pub state: State,
    pub keys: [Signer; 2],
    pub counter: u64,
    pub hellos: Vec<NoteId>,
    pub hold: Vec<Place>,
}

pub struct Centre {
    pub address: String,
    world: Arc<Mutex<World>>,
    script: Arc<Mutex<Option<Script>>>,
}

impl Centre {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("bound"));
        let keys = [signer("registry.example", 3), signer("registry.example/log", 2)];
        let world = World {
            log: Log::default(),
            rosters: vec![],
            forms: vec![],
            uploads: vec![],
            requests: vec![],
            state: State::Ok,
            keys,
            counter: 0,
            hellos: vec![],
            hold: vec![],
        };
        let (world, script) = (Arc::new(Mutex::new(world)), Arc::new(Mutex::new(None)));
        let (at, told) = (world.clone(), script.clone());
        // ends with the process of the tests
        thread::spawn(move || listener.incoming().flatten().for_each(|line| serve(&line, &at, &told)));
        Self { address, world, script }
    }
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
    pub fn lie(&self, script: impl FnMut(&mut World, &Request) -> Option<Vec<u8>> + Send + 'static) {
        *self.script.lock().unwrap() = Some(Box::new(script));
    }
    pub fn honest(&self) {
        *self.script.lock().unwrap() = None;
    }
    pub fn asked(&self, start: &str) -> usize {
        self.world().requests.iter().filter(|r| r.is(start)).count()
    }
}

fn serve(stream: &TcpStream, world: &Mutex<World>, script: &Mutex<Option<Script>>) {
    let Some(request) = read(stream) else { return };
    let mut world = world.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    world.requests.push(request.clone());
    let told = script.lock().unwrap().as_mut().and_then(|script| script(&mut world, &request));
    let answer = told.unwrap_or_else(|| truth(&mut world, &request));
    let _ = (&mut &*stream).write_all(&answer);
}

fn read(stream: &TcpStream) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let (mut line, mut length, mut offset) = (String::new(), 0, 0);
    reader.read_line(&mut line).ok()?;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let Some((name, value)) = header.trim_end().split_once(": ") else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().ok()?,
            "upload-offset" => offset = value.parse().ok()?,
            _ => {}
        }
    }
    let mut body = Vec::new();
    reader.take(length).read_to_end(&mut body).ok()?;
    Some(Request { line: line.trim_end().to_owned(), offset, body })
}

pub fn reply(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let mut out = format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n", body.len()).into_bytes();
    out.extend_from_slice(body);
    out
}
pub fn problem(status: &str, headers: &str, code: &str) -> Vec<u8> {
    let headers = format!("{headers}Content-Type: application/problem+json\r\nEnroll-Problem: {code}\r\n");
    reply(status, &headers, serde_json::json!({ "code": code, "detail": "" }).to_string().as_bytes())
}
fn at(status: &str, offset: usize) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\nConnection: close\r\nUpload-Offset: {offset}\r\n\r\n").into_bytes()
}

/// What an honest centre answers.
pub fn truth(world: &mut World, request: &Request) -> Vec<u8> {
    let mut words = request.line.split(' ');
    let (method, path) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let number = |key: &str| query.split('&').find_map(|p| p.strip_prefix(key)?.strip_prefix('=')?.parse().ok()).unwrap_or(0);
    let parts: Vec<&str> = path.trim_start_matches("/v1/").split('/').collect();
    match (method, &parts[..]) {
        ("POST", ["hello"]) => hello(world, &request.body),
        ("POST", ["batches"]) => announce(world, &request.body),
        ("GET", ["roster"]) => {
            let list: Vec<_> = world.rosters.iter().skip(usize::try_from(number("after")).expect("small")).collect();
            let list: Vec<_> = list
                .iter()
                .map(|(roster, index)| serde_json::json!({ "roster": roster, "proof": world.log.prove(*index, number("size"), &world.keys[1]) }))
                .collect();
            reply("200 OK", "", serde_json::Value::from(list).to_string().as_bytes())
        }
        ("GET", ["forms", digest]) => {
            let form = world.forms.iter().find(|f| shared::id::Blob::of(f).to_string() == **digest).cloned();
            form.map_or_else(|| problem("404 Not Found", "", "not-found"), |f| reply("200 OK", "", &f))
        }
        (method, ["batches", id, what]) => {
            let Some(n) = world.uploads.iter().position(|u| u.manifest.id().to_string() == **id) else {
                return problem("404 Not Found", "", "not-found");
            };
            match (method, *what) {
                ("HEAD", "payload") => at("200 OK", world.uploads[n].payload.len()),
                ("PATCH", "payload") => patch(world, n, request),
                ("GET", "receipt") => paper(world, n, number("size"), false),
                _ => paper(world, n, number("size"), true),
            }
        }
        _ => problem("404 Not Found", "", "not-found"),
    }
}

fn hello(world: &mut World, body: &[u8]) -> Vec<u8> {
    let hello = Hello::parse(body).expect("a hello");
    let Sender::Unit(stand) = &hello.facts().sender else { panic!("a unit") };
    world.hellos.push(hello.note().id());
    world.counter = world.counter.max(hello.facts().counter);
    let wanted = |u: &&Upload| u.index.is_none();
    let outcomes = world.uploads.iter().filter(|u| u.outcome.as_ref().is_some_and(|(_, i)| i.0 >= stand.settled));
    let facts = AnswerFacts {
        unit: stand.unit.clone(),
        epoch: stand.epoch,
        hello: (hello.facts().counter, hello.note().id()),
        state: world.state,
        time: Second::from_unix(0),
        counter: world.counter,
        head: None,
        want: world.uploads.iter().filter(wanted).map(|u| (u.manifest.facts().place, u.payload.len() as u64)).collect(),
        outcomes: outcomes.map(|u| (u.manifest.facts().place, 1)).collect(),
        hold: world.hold.clone(),
        roster: Some(shared::id::RosterVersion(world.rosters.len() as u64)),
    };
    hello_reply(world, Answer::sign(facts, &world.keys[0]).note().as_bytes(), stand.seen.size)
}

/// An answer with the proofs of the log as it is.
pub fn hello_reply(world: &World, answer: &[u8], seen: u64) -> Vec<u8> {
    let last = LogIndex(world.log.head().size - 1);
    let token = (world.state == State::Ok).then_some("token");
    let json = serde_json::json!({
        "answer": String::from_utf8_lossy(answer), "proof": world.log.prove(last, 0, &world.keys[1]),
        "consistency": world.log.consistency(seen, &world.keys[1]), "token": token,
    });
    reply("200 OK", "", json.to_string().as_bytes())
}

fn announce(world: &mut World, body: &[u8]) -> Vec<u8> {
    let manifest = Manifest::parse(body).expect("a manifest");
    let told = serde_json::json!({ "batch": manifest.id() }).to_string();
    if world.uploads.iter().any(|u| u.manifest.id() == manifest.id()) {
        return reply("200 OK", "", told.as_bytes());
    }
    world.uploads.push(Upload { manifest, payload: vec![], index: None, outcome: None });
    reply("201 Created", "", told.as_bytes())
}

fn patch(world: &mut World, n: usize, request: &Request) -> Vec<u8> {
    if request.offset != world.uploads[n].payload.len() as u64 {
        return problem("409 Conflict", "", "offset-wrong");
    }
    world.uploads[n].payload.extend_from_slice(&request.body);
    let facts = world.uploads[n].manifest.facts().clone();
    let have = world.uploads[n].payload.len();
    if have as u64 == facts.payload_size {
        if Digest::of(&world.uploads[n].payload) != facts.payload {
            world.uploads[n].payload.clear();
            return problem("409 Conflict", "", "payload-corrupt");
        }
        take(world, n);
    }
    at("204 No Content", have)
}

/// Logs a whole batch, and merges it at once.
pub fn take(world: &mut World, n: usize) {
    let manifest = world.uploads[n].manifest.clone();
    let facts = manifest.facts();
    let entry = BatchEntry::of(&manifest, BatchState::Accepted);
    world.uploads[n].index = Some(world.log.add(Body::Batch(entry)));
    let fate = |r: &shared::batch::RecordLine| OutcomeLine {
        number: r.facts.number,
        record: r.facts.record,
        fate: Fate::Merged(ResidentRef::founded_by(&facts.unit, r.facts.record)),
    };
    let outcome = Outcome::sign(manifest.id(), 1, facts.records().map(fate).collect(), &world.keys[0]);
    let body = Body::Outcome { batch: manifest.id(), version: 1, blob: outcome.note().blob() };
    let index = world.log.add(body);
    world.uploads[n].outcome = Some((String::from_utf8_lossy(outcome.note().as_bytes()).into_owned(), index));
}

fn paper(world: &World, n: usize, size: u64, outcome: bool) -> Vec<u8> {
    let upload = &world.uploads[n];
    match (upload.index, &upload.outcome, outcome) {
        (Some(index), _, false) => reply("200 OK", "", world.log.prove(index, size, &world.keys[1]).as_bytes()),
        (_, Some((note, index)), true) => {
            let json = serde_json::json!({ "outcome": note, "proof": world.log.prove(*index, size, &world.keys[1]) });
            reply("200 OK", "", json.to_string().as_bytes())
        }
        _ => problem("202 Accepted", "Retry-After: 0\r\n", "pending"),
    }
}

pub fn place(sequence: u64) -> Place {
    Place::new(1, sequence).expect("place")
}
