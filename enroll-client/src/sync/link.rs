//! The wire: one function a call, bounded in bytes and in time. The only file that knows HTTP.
//!
//! | call | gives |
//! |---|---|
//! | `POST /v1/hello` | [`HelloReply`] |
//! | `POST /v1/batches` | the batch is known there |
//! | `HEAD`, `PATCH /v1/batches/{id}/payload` | the offset that is durable there (tus 1.0) |
//! | `GET /v1/batches/{id}/receipt?size=N` · `/outcome?size=N` | with the proof under the log of `N` entries where that holds the entry, else under the newest |
//! | `GET /v1/roster?after=V&size=N` · `/v1/forms/{digest}` | rosters with their proofs, forms |
//!
//! **Trust:** none. TLS keeps listeners out; what counts is signed, and checked by those who call this.
//! **Invariants:** no answer is read past its limit; a line that is silent for [`STALL`], or slower than [`SLOWEST`], is given up; no
//! redirect is followed; plain HTTP only to this machine itself, and never through a proxy.

use std::{
    error::Error as _,
    fmt::Display,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use reqwest::{Certificate, Client, Method, RequestBuilder, Response, StatusCode, redirect::Policy};
use serde::Deserialize;
use shared::{
    id::{BatchId, Blob, RosterVersion},
    problem::{Again, Code, Problem},
};
use tokio::{sync::mpsc, time::timeout};

use crate::clock::Steady;

/// An idle connection is given up after this: before the centre does (5 s by default), or a request meets its end.
const IDLE: Duration = Duration::from_secs(3);
/// A silence after which a line is given up.
pub const STALL: Duration = Duration::from_mins(1);
/// The slowest line that is waited for, in bytes a second.
const SLOWEST: u64 = 512;
/// The longest Retry-After that is believed.
const LONGEST_WAIT: u64 = 3600;

/// Who is behind a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// This laptop.
    Here,
    /// The way to the centre.
    Way,
    /// The centre said so.
    Centre,
    /// What came does not pass its checks.
    Forged,
}

/// A step that did not succeed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// What happened.
    pub problem: Problem,
    /// Who is behind it.
    pub source: Source,
    /// When the centre wants to be asked again.
    pub after: Option<Duration>,
}

impl Trouble {
    /// A problem with its source.
    pub fn new(source: Source, problem: impl Into<Problem>) -> Self {
        Self { problem: problem.into(), source, after: None }
    }
    /// Something that came does not pass its checks.
    pub fn forged(problem: impl Into<Problem>) -> Self {
        Self::new(Source::Forged, problem)
    }
    fn way(detail: impl Display) -> Self {
        Self::new(Source::Way, Problem::new(Code::ServerUnreachable, detail.to_string()))
    }
    /// The same may succeed later, by itself.
    pub fn is_temporary(&self) -> bool {
        matches!(self.source, Source::Way | Source::Centre) && self.problem.row().again == Again::Later
    }
}

impl From<Problem> for Trouble {
    fn from(problem: Problem) -> Self {
        Self::new(Source::Here, problem)
    }
}

/// After a check that also reads or writes the vault: is it what came, or this laptop?
pub fn blame(problem: Problem) -> Trouble {
    match problem.code {
        Code::DiskFull | Code::IoFailed | Code::DatabaseFailed | Code::VaultDamaged | Code::LockedElsewhere => problem.into(),
        _ => Trouble::forged(problem),
    }
}

/// What a hello gets.
#[derive(Debug, Deserialize)]
pub struct HelloReply {
    /// The signed answer.
    pub answer: String,
    /// Proof of the log's last entry.
    pub proof: String,
    /// Proof that the log goes on from the head that the unit has seen.
    pub consistency: String,
    /// For the calls that follow; none unless all is well.
    pub token: Option<String>,
}

/// An outcome and the proof of its log entry.
#[derive(Debug, Deserialize)]
pub struct OutcomeReply {
    /// The signed outcome.
    pub outcome: String,
    /// The proof.
    pub proof: String,
}

/// A roster and the proof of its log entry.
#[derive(Debug, Deserialize)]
pub struct RosterReply {
    /// The signed roster.
    pub roster: String,
    /// The proof.
    pub proof: String,
}

/// Did the centre know the batch already?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Announced {
    /// No: its payload is wanted from the start.
    New,
    /// Yes.
    Known,
}

/// The way to one centre.
pub struct Link {
    client: Client,
    base: String,
    token: Option<String>,
}

impl Link {
    /// Prepares it; nothing is sent.
    pub fn new(server: &str, ca: Option<&[u8]>) -> Result<Self, Problem> {
        let untrusted = |why: String| Problem::new(Code::ServerUntrusted, why);
        let here = is_loopback(server);
        if !server.starts_with("https://") && !here {
            return Err(untrusted("plain http goes to this machine only".to_owned()));
        }
        // a second call finds it installed: the same provider, so that is as good
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = Client::builder()
            .redirect(Policy::none())
            .connect_timeout(Duration::from_secs(20))
            .user_agent(super::SOFTWARE)
            .http1_only()
            .pool_idle_timeout(IDLE);
        if here {
            // a proxy of the environment would get manifests and token in clear, and take them to another machine
            builder = builder.no_proxy();
        }
        if let Some(pem) = ca {
            let certificates =
                Certificate::from_pem_bundle(pem).map_err(|_| untrusted("what was given with --ca is not PEM".to_owned()))?;
            if certificates.is_empty() {
                return Err(untrusted("what was given with --ca holds no certificate".to_owned()));
            }
            builder = builder.tls_certs_only(certificates);
        }
        let client = builder.build().map_err(|e| untrusted(root_cause(&e)))?;
        Ok(Self { client, base: server.to_owned(), token: None })
    }

    /// Whether the centre has given a token for the calls that follow.
    pub fn has_token(&self) -> bool {
        self.token.is_some()
    }
    /// Takes the token of an answer that was checked.
    pub fn take_token(&mut self, token: Option<String>) {
        // goes into a header: a token with anything else in it is none
        self.token = token.filter(|t| !t.is_empty() && t.len() <= 4096 && t.bytes().all(|b| b.is_ascii_graphic()));
    }

    /// Says hello.
    pub async fn hello(&self, note: &[u8]) -> Result<HelloReply, Trouble> {
        let request = self.request(Method::POST, "hello").body(note.to_vec());
        json(&read(send(request, note.len()).await?, 4 << 20).await?)
    }

    /// Announces a batch.
    pub async fn announce(&self, manifest: &[u8]) -> Result<Announced, Trouble> {
        let request = self.request(Method::POST, "batches").body(manifest.to_vec());
        let response = send(request, manifest.len()).await?;
        let news = if response.status() == StatusCode::CREATED { Announced::New } else { Announced::Known };
        // the page of somebody's network says yes, too
        json::<AnnounceReply>(&read(response, 64 << 10).await?).map(|_| news)
    }

    /// How much of a payload is durable at the centre.
    pub async fn offset(&self, batch: &BatchId) -> Result<u64, Trouble> {
        let request = self.request(Method::HEAD, &format!("batches/{batch}/payload")).header("Tus-Resumable", "1.0.0");
        offset(&send(request, 0).await?)
    }

    /// Sends a payload from an offset on, as the pieces come; gives the offset that is durable then.
    /// The caller watches over the pieces; after the last one the centre has [`STALL`] to answer.
    pub async fn upload(&self, batch: &BatchId, from: u64, to: u64, pieces: mpsc::Receiver<Vec<u8>>) -> Result<u64, Trouble> {
        let request = self
            .request(Method::PATCH, &format!("batches/{batch}/payload"))
            .header("Tus-Resumable", "1.0.0")
            .header("Upload-Offset", from)
            .header("Content-Type", "application/offset+octet-stream")
            .header("Content-Length", to - from)
            .body(reqwest::Body::wrap_stream(Pieces(pieces)));
        let response = request.send().await.map_err(|e| on_the_way(&e))?;
        offset(&accepted(response).await?)
    }

    /// The receipt of a batch; `pending` until it is in the log.
    pub async fn receipt(&self, batch: &BatchId, size: u64) -> Result<Vec<u8>, Trouble> {
        let request = self.request(Method::GET, &format!("batches/{batch}/receipt?size={size}"));
        read(send(request, 0).await?, 64 << 10).await
    }

    /// The newest outcome of a batch; `pending` until there is one.
    pub async fn outcome(&self, batch: &BatchId, size: u64) -> Result<OutcomeReply, Trouble> {
        let request = self.request(Method::GET, &format!("batches/{batch}/outcome?size={size}"));
        json(&read(send(request, 0).await?, 4 << 20).await?)
    }

    /// The rosters that lead from a version to the newest.
    pub async fn rosters(&self, after: Option<RosterVersion>, size: u64) -> Result<Vec<RosterReply>, Trouble> {
        let after = after.map_or(0, |v| v.0);
        let request = self.request(Method::GET, &format!("roster?after={after}&size={size}"));
        json(&read(send(request, 0).await?, 16 << 20).await?)
    }

    /// A form.
    pub async fn form(&self, digest: &Blob, size: u64) -> Result<Vec<u8>, Trouble> {
        let limit = usize::try_from(size.min(1 << 20)).expect("at most 1 MiB");
        read(send(self.request(Method::GET, &format!("forms/{digest}")), 0).await?, limit).await
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("{}/v1/{path}", self.base));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }
}

/// `http://127.0.0.1…`, `https://[::1]…` or `http://localhost…`
pub fn is_loopback(server: &str) -> bool {
    let Some(host) = server.strip_prefix("http://").or_else(|| server.strip_prefix("https://")) else { return false };
    let host = host.split(['/', '?', '#']).next().unwrap_or("");
    let name = match host.strip_prefix('[') {
        Some(six) => six.split(']').next().unwrap_or(""),
        None => host.split(':').next().unwrap_or(""),
    };
    !host.contains('@') && (name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback()))
}

/// The pieces of a payload, as a body.
struct Pieces(mpsc::Receiver<Vec<u8>>);

impl futures_core::Stream for Pieces {
    type Item = Result<Vec<u8>, std::convert::Infallible>;
    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(context).map(|piece| piece.map(Ok))
    }
}

/// Sends a request whose body is in memory, and waits for the head of the answer.
async fn send(request: RequestBuilder, bytes: usize) -> Result<Response, Trouble> {
    let allowed = STALL + Duration::from_secs(bytes as u64 / SLOWEST);
    let response = timeout(allowed, request.send()).await.map_err(|_| Trouble::way("no answer in time"))?;
    accepted(response.map_err(|e| on_the_way(&e))?).await
}

/// Reads an answer, at most `limit` bytes of it.
async fn read(mut response: Response, limit: usize) -> Result<Vec<u8>, Trouble> {
    let (begun, mut bytes) = (Steady::now(), Vec::new());
    loop {
        // a line that drips would hold the run for days without ever being silent
        if begun.elapsed() > STALL + Duration::from_secs(bytes.len() as u64 / SLOWEST) {
            return Err(Trouble::way("an answer that comes too slowly"));
        }
        let piece = timeout(STALL, response.chunk()).await.map_err(|_| Trouble::way("the answer stalled"))?;
        let Some(piece) = piece.map_err(|e| on_the_way(&e))? else { return Ok(bytes) };
        if bytes.len() + piece.len() > limit {
            return Err(Trouble::way("an answer longer than it may be"));
        }
        bytes.extend_from_slice(&piece);
    }
}

fn json<T: for<'a> Deserialize<'a>>(bytes: &[u8]) -> Result<T, Trouble> {
    // a login page of somebody's network, most likely
    serde_json::from_slice(bytes).map_err(|_| Trouble::way("what answered does not speak like the centre"))
}

fn offset(response: &Response) -> Result<u64, Trouble> {
    let value = response.headers().get("Upload-Offset").and_then(|v| v.to_str().ok()).and_then(shared::text::decimal);
    value.ok_or_else(|| Trouble::way("an answer without Upload-Offset"))
}

/// Lets an answer pass that says yes.
async fn accepted(response: Response) -> Result<Response, Trouble> {
    let status = response.status();
    if status.is_success() && status != StatusCode::ACCEPTED {
        return Ok(response);
    }
    let header = |name: &str| response.headers().get(name).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let after = shared::text::decimal(header("Retry-After")).map(|seconds| Duration::from_secs(seconds.min(LONGEST_WAIT)));
    let typed = header("Content-Type").starts_with("application/problem+json");
    let named = header("Enroll-Problem").parse::<Code>().ok().filter(|_| typed);
    let body = if typed { read(response, 64 << 10).await.unwrap_or_default() } else { Vec::new() };
    Err(Trouble { after, ..refusal(status, named, &body) })
}

/// What an announcement is answered with.
#[derive(Deserialize)]
struct AnnounceReply {
    #[serde(rename = "batch")]
    _batch: BatchId,
}

/// RFC 9457, as far as it is needed here.
#[derive(Deserialize)]
struct ProblemBody {
    code: String,
    #[serde(default)]
    detail: String,
}

/// Only the centre's typed word is a verdict: a problem with a code that is known here. Whatever else answered stands on the way, and
/// the same may go through later.
fn refusal(status: StatusCode, named: Option<Code>, body: &[u8]) -> Trouble {
    let told: Option<ProblemBody> = serde_json::from_slice(body).ok();
    let detail = told.as_ref().map(|told| harmless(&told.detail)).unwrap_or_default();
    let word = told.as_ref().map(|told| harmless(&told.code)).unwrap_or_default();
    let Some(code) = named.or_else(|| word.parse().ok()) else {
        return Trouble::way(match (status.is_redirection(), word.as_str()) {
            (true, _) => "redirected: log in to the network first?".to_owned(),
            (false, "") => format!("status {} of a proxy or a login page, not of the centre", status.as_u16()),
            // a newer centre: its code is at least shown
            (false, word) => format!("status {}: {word} {detail}", status.as_u16()),
        });
    };
    // what is wrong inside the centre is no verdict on what was sent: the same may go through later
    if status.is_server_error() && code.row().again != Again::Later {
        return Trouble::new(Source::Centre, Problem::new(Code::Busy, format!("{code}: {detail}")));
    }
    Trouble::new(Source::Centre, Problem::new(code, detail))
}

/// A text of the other side, fit for a terminal and a log.
fn harmless(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(200).collect()
}

/// What a failed request means.
fn on_the_way(e: &reqwest::Error) -> Trouble {
    use rustls::CertificateError as Bad;
    match tls_error(e) {
        Some(rustls::Error::InvalidCertificate(
            why @ (Bad::Expired | Bad::ExpiredContext { .. } | Bad::NotValidYet | Bad::NotValidYetContext { .. }),
        )) => Trouble::new(Source::Way, Problem::new(Code::ClockWrong, why.to_string())),
        Some(why) => Trouble::new(Source::Way, Problem::new(Code::ServerUntrusted, harmless(&why.to_string()))),
        None => Trouble::way(root_cause(e)),
    }
}

/// The TLS error in a chain of causes. I/O errors hide what they wrap from `source`.
fn tls_error<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a rustls::Error> {
    if let Some(tls) = error.downcast_ref() {
        return Some(tls);
    }
    let wrapped = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    let inner: Option<&(dyn std::error::Error + 'static)> = wrapped.map(|w| w as _);
    inner.or_else(|| error.source()).and_then(tls_error)
}

/// The innermost cause: the outer ones only repeat the address.
fn root_cause(e: &reqwest::Error) -> String {
    let mut cause: &(dyn std::error::Error + 'static) = e;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    if e.source().is_none() { "the request failed".to_owned() } else { harmless(&cause.to_string()) }
}

#[cfg(test)]
mod tests;
