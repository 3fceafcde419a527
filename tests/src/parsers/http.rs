//! HTTP: what anybody sends to the centre, and what anybody answers to a unit, over a real connection on this machine.

use std::{
    cell::RefCell,
    io::{ErrorKind, Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    panic,
    sync::{
        Arc, LazyLock, Mutex, Once, PoisonError,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use enroll_client::sync::link::{Announced, Link, Source, Trouble};
use shared::{
    hello::{Facts, Hello, Path, Sender, UnitStand},
    id::{BatchId, Blob, Digest, RosterVersion},
    log::Head,
    problem::Code,
    roster::{Facts as RosterFacts, RecipientKind, Roster},
    seal::Identity,
    text::hex,
    time::Second,
};
use sync_server::{
    centre::{Centre, identity_text},
    durable,
    http::Limits,
    joining,
    pipeline::{Idle, Proposal},
    serving::{self, Options, Security},
    settings::{File, Settings},
    store::{
        Archive as _, Guard as _, Whole,
        archive_files::ArchiveFiles,
        empty_log,
        guard_file::{GuardFile, Make},
    },
};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

use super::{Verdict, key};
use crate::defects::manifests;

/// Stands for the token of a unit that has said hello.
const TOKEN: &[u8] = b"TOKEN";
/// A request behind the bytes, after whose answer the centre closes.
const LAST: &[u8] = b"GET /v1/nowhere HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
/// After this, the centre waits for the rest of a request, most likely.
const SILENCE: Duration = Duration::from_millis(20);
/// Nothing takes longer, unless it hangs.
const BOUND: Duration = Duration::from_secs(30);

thread_local! {
    /// A centre that serves in this process, until the thread ends.
    static SERVED: RefCell<Option<Served>> = const { RefCell::new(None) };
}

/// Threads of a served centre.
const CENTRE: &str = "centre";
/// How often one of them panicked.
static BROKEN_OFF: AtomicUsize = AtomicUsize::new(0);

/// Counts from now on.
fn watch() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if thread::current().name() == Some(CENTRE) {
                BROKEN_OFF.fetch_add(1, Ordering::SeqCst);
            }
            before(info);
        }));
    });
}

/// A served centre that knows the unit `van-1` of the vectors.
struct Served {
    _folder: TempDir,
    address: SocketAddr,
    token: String,
}

impl Served {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let settings = Settings { data: folder.path().to_owned(), file: File::of("registry.example".parse().expect("a name")) };
        let (ready, served) = mpsc::channel();
        watch();
        // its own thread, never joined: the server ends with the process
        let serve = thread::Builder::new().name(CENTRE.into());
        let spawned = serve.spawn(move || {
            let runtime = Builder::new_current_thread().thread_name(CENTRE).enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let options = Options {
                    listen: "127.0.0.1:0".into(),
                    security: Security::PlainHere,
                    limits: Limits { disk_reserve: 0, ..Limits::default() },
                };
                let running = serving::start(found(settings).await, options).await.expect("started");
                ready.send(running.address).expect("somebody waits");
                std::future::pending::<()>().await;
            });
        });
        spawned.expect("a thread");
        let address = served.recv().expect("it starts");
        let token = greet(address);
        Self { _folder: folder, address, token }
    }

    /// What comes back for the bytes.
    fn ask(&self, bytes: &[u8]) -> Vec<u8> {
        let mut line = TcpStream::connect(self.address).expect("it listens");
        // it may close before it has read all
        let _ = line.write_all(bytes).and_then(|()| line.write_all(LAST));
        let mut answer = Vec::new();
        // after a whole request the last one ends the connection; of half a one it is a part, and the end must be told
        for wait in [SILENCE, BOUND] {
            line.set_read_timeout(Some(wait)).expect("not zero");
            match line.read_to_end(&mut answer).map_err(|e| e.kind()) {
                Err(ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    assert!(wait < BOUND, "no end of the answer in time");
                    let _ = line.shutdown(Shutdown::Write);
                }
                // a reset after the answer is as good as an end
                Ok(_) | Err(_) => break,
            }
        }
        answer
    }
}

/// Founds a centre as `init` does, with keys and roster of the vectors.
async fn found(settings: Settings) -> Centre {
    let archive = ArchiveFiles::create(&settings.archive()).expect("an archive");
    let guard = GuardFile::open(&settings.guard(), Make::Folder).expect("a guard");
    guard.swap(None, empty_log()).await.expect("an empty log");
    durable::folder(&settings.keys()).expect("a folder");
    for (file, name, seed) in [("log.key", "registry.example/log", 2), ("centre.key", "registry.example", 3)] {
        let text = format!("enroll-secret/v1\nname {name}\nseed {}\n", hex(&[seed; 32]));
        durable::write(&settings.keys().join(file), text.as_bytes()).expect("written");
    }
    let identity = Identity::from_seed(RecipientKind::X25519, &[7; 32]);
    durable::write(&settings.keys().join("working.identity"), identity_text(&identity).as_bytes()).expect("written");
    let centre = Centre::with(settings, archive, guard).expect("opened");
    let mut forms = Vec::new();
    for form in shared::form::FIRST {
        forms.push(joining::store_form(&centre.stores.archive, form).await.expect("archived"));
    }
    forms.sort_by(|a, b| a.name.cmp(&b.name));
    let facts = RosterFacts { forms, expires: Second::from_unix(4_000_000_000), ..manifests::roster().facts().clone() };
    let roster = Roster::sign(facts, &[&manifests::anchor()]).expect("canonical");
    let roster = roster.trust_anchored(manifests::anchor().public()).expect("signed by its own signer");
    let note = roster.note().as_bytes().to_vec();
    centre.stores.archive.put(Blob::of(&note), Whole::new(note)).await.expect("archived");
    let (sequencer, _) = centre.sequencer(Idle::Quiet).await.expect("started");
    sequencer.log(Proposal::Roster(Box::new(roster))).await.expect("logged");
    centre
}

/// Says hello as `van-1`; gives the token.
fn greet(address: SocketAddr) -> String {
    let stand = UnitStand {
        unit: "van-1".parse().expect("a name"),
        epoch: 1,
        head: None,
        number: None,
        waiting: [0; 3],
        seen: Head::EMPTY,
        settled: 0,
        alarms: Vec::new(),
    };
    let facts = Facts {
        centre: "registry.example".parse().expect("a name"),
        sender: Sender::Unit(stand),
        counter: 1,
        by: Path::Network,
        roster: Some(RosterVersion(1)),
        software: "enroll-client/0.1.0".into(),
        clock: Second::from_unix(1_790_000_000),
        free: 1,
    };
    let hello = Hello::sign(facts, &key("van-1", 10)).expect("canonical");
    let link = Link::new(&format!("http://{address}"), None).expect("this machine");
    let reply = RUNTIME.block_on(link.hello(hello.note().as_bytes())).expect("answered");
    reply.token.expect("all is well")
}

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime"));

/// Anything that a connection may bring to the centre.
pub fn http_call(bytes: &[u8]) -> Verdict {
    call(bytes, || ())
}

fn call(bytes: &[u8], meanwhile: impl FnOnce()) -> Verdict {
    SERVED.with_borrow_mut(|served| {
        let served = served.get_or_insert_with(Served::new);
        let before = BROKEN_OFF.load(Ordering::SeqCst);
        let answer = served.ask(&filled_in(bytes, served.token.as_bytes()));
        meanwhile();
        // the connection of whatever broke off just ends, as that of half a request does
        assert_eq!(BROKEN_OFF.load(Ordering::SeqCst), before, "the centre broke off");
        // anything but a defect of ours; and it serves on
        let status = status(&answer);
        assert!(!matches!(status, Some(500..=502 | 504..)), "{}", String::from_utf8_lossy(&answer));
        if let Some(body) = problem_of(&answer) {
            let told: serde_json::Value = serde_json::from_slice(body).expect("a problem is JSON");
            assert!(told["code"].as_str().is_some_and(|code| code.parse::<Code>().is_ok()), "{told}");
        }
        Verdict::when(status.is_some_and(|status| (200..300).contains(&status)))
    })
}

/// The bytes with the token where it belongs.
fn filled_in(bytes: &[u8], token: &[u8]) -> Vec<u8> {
    let Some(at) = bytes.windows(TOKEN.len()).position(|w| w == TOKEN) else { return bytes.to_vec() };
    [&bytes[..at], token, &bytes[at + TOKEN.len()..]].concat()
}

/// The status of the first answer.
fn status(answer: &[u8]) -> Option<u16> {
    let line = answer.strip_prefix(b"HTTP/1.1 ").or_else(|| answer.strip_prefix(b"HTTP/1.0 "));
    let Some(line) = line else {
        assert!(answer.is_empty(), "no HTTP: {}", String::from_utf8_lossy(answer));
        return None;
    };
    Some(std::str::from_utf8(&line[..3]).expect("digits").parse().expect("a number"))
}

/// The body of the first answer, when it is a problem; an answer to HEAD has none.
fn problem_of(answer: &[u8]) -> Option<&[u8]> {
    let end = answer.windows(4).position(|w| w == b"\r\n\r\n")?;
    let (head, body) = (std::str::from_utf8(&answer[..end]).ok()?, &answer[end + 4..]);
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "))?.parse().ok()?;
    (head.contains("application/problem+json") && body.len() >= length && body.starts_with(b"{")).then(|| &body[..length])
}

/// Whatever answers where the centre should be: the first byte says to which call, the rest is the answer.
pub fn http_answer(bytes: &[u8]) -> Verdict {
    let Some((call, answer)) = bytes.split_first() else { return Verdict::Refused };
    let stranger = &*STRANGER;
    *stranger.answer.lock().unwrap_or_else(PoisonError::into_inner) = answer.to_vec();
    let (link, batch) = (&stranger.link, BatchId::of(b"batch"));
    let got = RUNTIME.block_on(async {
        Ok::<_, Trouble>(match call % 7 {
            0 => link.hello(b"hello").await.map(|reply| reply.answer.len() + reply.proof.len() + reply.consistency.len())?,
            1 => link.announce(b"manifest").await.map(|known| usize::from(known == Announced::Known))?,
            2 => link.offset(&batch).await.map(|_| 0)?,
            3 => link.receipt(&batch, 1).await.map(|receipt| receipt.len())?,
            4 => link.outcome(&batch, 1).await.map(|reply| reply.outcome.len() + reply.proof.len())?,
            5 => link.rosters(None, 1).await.map(|rosters| rosters.len())?,
            _ => link.form(&Blob::from_bytes(*Digest::of(b"form").as_bytes()), 4096).await.map(|form| form.len())?,
        })
    });
    match got {
        // what is read is not longer than what came
        Ok(read) => assert!(read <= answer.len() + 1),
        Err(trouble) => {
            assert!(matches!(trouble.source, Source::Way | Source::Centre), "{trouble:?}");
            assert!(trouble.after.is_none_or(|after| after <= Duration::from_hours(1)));
            // fit for a terminal
            let detail = &trouble.problem.detail;
            assert!(detail.chars().count() <= 500 && !detail.contains(char::is_control), "{detail:?}");
            return Verdict::Refused;
        }
    }
    Verdict::Taken
}

static STRANGER: LazyLock<Stranger> = LazyLock::new(Stranger::new);

/// Somebody who answers every connection with the same bytes.
struct Stranger {
    answer: Arc<Mutex<Vec<u8>>>,
    link: Link,
}

impl Stranger {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let link = Link::new(&format!("http://{}", listener.local_addr().expect("bound")), None).expect("this machine");
        let answer = Arc::new(Mutex::<Vec<u8>>::default());
        let says = Arc::clone(&answer);
        // never joined: it ends with the process
        thread::spawn(move || {
            for line in listener.incoming().map_while(Result::ok) {
                let bytes = says.lock().unwrap_or_else(PoisonError::into_inner).clone();
                // the other side may be gone before it has read all
                let _ = Self::say(line, &bytes);
            }
        });
        Self { answer, link }
    }

    fn say(mut line: TcpStream, bytes: &[u8]) -> std::io::Result<()> {
        line.set_read_timeout(Some(BOUND))?;
        let mut request = [0; 4096];
        let mut read = 0;
        while !request[..read].windows(4).any(|w| w == b"\r\n\r\n") {
            match line.read(&mut request[read..])? {
                0 => return Ok(()),
                n => read += n,
            }
        }
        line.write_all(bytes)?;
        line.shutdown(Shutdown::Write)?;
        // closed with something unread, the answer might be lost on its way
        std::io::copy(&mut line, &mut std::io::sink()).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_centre_that_breaks_off_is_seen_although_its_connection_just_ends() {
        let get = b"GET /v1/roster?after=0 HTTP/1.1\r\nhost: x\r\n\r\n";
        assert_eq!(call(get, || ()), Verdict::Taken);
        let break_off = || {
            let handler = thread::Builder::new().name(CENTRE.into());
            assert!(handler.spawn(|| panic!("a control")).expect("a thread").join().is_err());
        };
        assert!(panic::catch_unwind(|| call(get, break_off)).is_err());
    }
}
