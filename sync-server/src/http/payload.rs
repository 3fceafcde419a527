//! `HEAD`, `PATCH /v1/batches/{id}/payload`: tus 1.0 core. Any client that speaks it can resume.
//!
//! ```text
//! HEAD  → 200 Upload-Offset: 4194304, Upload-Length: 15120384
//! PATCH Upload-Offset: 4194304, Content-Type: application/offset+octet-stream → 204 Upload-Offset: 15120384
//! ```
//! 409 wrong offset, or a whole payload that is not the one signed (wanted again, from 0) · 423 another request writes ·
//! 503 busy: what stock clients try again.
//!
//! **Invariants:** an offset in an answer is durable. What arrived is kept however a request ends: by its end, by a
//! break, by the caller being too slow, by this server stopping. The work is a task of its own, so that a caller who
//! goes away takes nothing with them.

use std::{path::PathBuf, sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::State,
    http::{
        HeaderMap, HeaderName, HeaderValue, StatusCode,
        header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE},
    },
    response::{IntoResponse as _, Response},
};
use http_body_util::BodyExt as _;
use shared::{
    id::BatchId,
    problem::{Code, Problem},
    text::decimal,
};
use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{Instant, timeout_at},
};

use super::{
    Http,
    limits::{Limits, Pace, drain},
    problem::{Named, Refusal},
    session::Caller,
};
use crate::{
    pipeline::intake::{Came, Standing},
    store::{PIECE, Upload, blocking},
};

const RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
const OFFSET: HeaderName = HeaderName::from_static("upload-offset");
const LENGTH: HeaderName = HeaderName::from_static("upload-length");
/// The version that is spoken.
pub(super) const TUS: (HeaderName, HeaderValue) = (RESUMABLE, HeaderValue::from_static("1.0.0"));
/// What arrived is made durable at least this often.
const SYNC_EVERY: Duration = Duration::from_secs(1);

fn stand(status: StatusCode, offset: u64, size: u64) -> Response {
    let numbers = [(OFFSET, HeaderValue::from(offset)), (LENGTH, HeaderValue::from(size))];
    (status, [TUS, (CACHE_CONTROL, HeaderValue::from_static("no-store"))], numbers).into_response()
}

/// How much is durable.
pub(super) async fn offset(State(http): State<Arc<Http>>, _caller: Caller, named: Named, headers: HeaderMap) -> Result<Response, Refusal> {
    version(&headers)?;
    let (offset, size) = match http.road.standing(named.batch()?).await? {
        Standing::Wanted { offset, size } => (offset, size),
        Standing::Logged { size } => (size, size),
    };
    Ok(stand(StatusCode::OK, offset, size))
}

/// Takes bytes at an offset.
pub(super) async fn receive(
    State(http): State<Arc<Http>>,
    caller: Result<Caller, Refusal>,
    named: Named,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    let ready = async {
        let caller = caller?;
        let Admitted { batch, offset, size, logged } = admit(&http, &named, &headers).await?;
        let upload = if logged { None } else { Some(http.road.upload(batch, offset).await?) };
        Ok::<_, Refusal>((caller, batch, size, upload))
    };
    let (caller, batch, size, upload) = match ready.await {
        Ok(ready) => ready,
        Err(refusal) => {
            drain(body).await;
            return Err(refusal);
        }
    };
    let Some(upload) = upload else { return Ok(stand(StatusCode::NO_CONTENT, size, size)) };
    let work = async move {
        let _open = caller;
        let upload = take(upload, body, size, &http.limits, http.stop.clone()).await?;
        if upload.written() < size {
            return Ok(upload.durable());
        }
        // If logging has to wait (for disk, for the clock), the caller has done its part all the same: the receipt is pending.
        if let Came::Waits(problem) = http.road.written(batch, upload).await? {
            tracing::warn!("batch {batch} has arrived and is not in the log yet: {problem}");
        }
        Ok::<_, Problem>(size)
    };
    let offset = tokio::spawn(work).await.map_err(|_| Problem::new(Code::IoFailed, "an upload broke off"))??;
    Ok(stand(StatusCode::NO_CONTENT, offset, size))
}

struct Admitted {
    batch: BatchId,
    offset: u64,
    size: u64,
    logged: bool,
}

/// All that can be said before a byte of the body is read.
async fn admit(http: &Http, named: &Named, headers: &HeaderMap) -> Result<Admitted, Problem> {
    version(headers)?;
    if headers.get(CONTENT_TYPE).is_none_or(|v| v != "application/offset+octet-stream") {
        return Err(Problem::new(Code::UploadProtocol, "Content-Type"));
    }
    let batch = named.batch()?;
    let number = |name: &HeaderName| headers.get(name).and_then(|v| v.to_str().ok()).and_then(decimal);
    let offset = number(&OFFSET).ok_or_else(|| Problem::new(Code::UploadProtocol, "Upload-Offset"))?;
    let wrong = |is: u64| Err(Problem::new(Code::OffsetWrong, format!("offset is {is}")));
    let (durable, size, logged) = match http.road.standing(batch).await? {
        Standing::Wanted { offset, size } => (offset, size, false),
        Standing::Logged { size } => (size, size, true),
    };
    if offset != durable {
        return wrong(durable);
    }
    if number(&CONTENT_LENGTH).is_some_and(|more| more > size - offset) {
        return Err(Problem::new(Code::LengthWrong, format!("{} bytes are wanted", size - offset)));
    }
    if !logged {
        room(http, size - offset).await?;
    }
    Ok(Admitted { batch, offset, size, logged })
}

fn version(headers: &HeaderMap) -> Result<(), Problem> {
    if headers.get(RESUMABLE) == Some(&TUS.1) { Ok(()) } else { Err(Problem::new(Code::UploadProtocol, "Tus-Resumable 1.0.0")) }
}

/// The disks take these bytes, once in staging and once in the archive, which may share one, and keep their reserve.
async fn room(http: &Http, bytes: u64) -> Result<(), Problem> {
    let (places, reserve) = (http.places.clone(), http.limits.disk_reserve);
    let free = |path: &PathBuf| rustix::fs::statvfs(path).map(|v| v.f_bavail.saturating_mul(v.f_frsize));
    let free = blocking(move || places.iter().map(free).collect::<Result<Vec<_>, _>>()).await;
    let free = free.map_err(|e| Problem::new(Code::IoFailed, format!("staging or archive: {e}")))?;
    let wanted = reserve.saturating_add(bytes.saturating_mul(2));
    if free.iter().all(|&free| free >= wanted) { Ok(()) } else { Err(Problem::new(Code::Busy, "room on the disk")) }
}

/// Writes what comes, in pieces, until the body ends or something ends it. What arrived is durable when it returns; a payload
/// that is whole is written, and its last bytes become durable together with what is done next.
async fn take<U: Upload>(upload: U, mut body: Body, size: u64, limits: &Limits, mut stop: watch::Receiver<bool>) -> Result<U, Problem> {
    let mut pace = Pace::new(limits, Instant::now());
    let (mut arrived, mut piece) = (upload.written(), Vec::new());
    let mut writer = Writer::Idle(upload);
    let mut due = Instant::now() + SYNC_EVERY;
    let end = loop {
        let next = tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => break Err(Problem::new(Code::Busy, "the server stops")),
            next = timeout_at(due.min(pace.deadline()), body.frame()) => next,
        };
        match next {
            Err(_) if pace.is_over(Instant::now()) => break Err(Code::TooSlow.into()),
            Err(_) => {}
            Ok(None) => break Ok(()),
            Ok(Some(Err(_))) => break Err(Problem::new(Code::PayloadTruncated, "the connection broke")),
            Ok(Some(Ok(frame))) => {
                let Ok(mut data) = frame.into_data() else { continue };
                pace.took(data.len(), Instant::now());
                arrived += data.len() as u64;
                if arrived > size {
                    break Err(Problem::new(Code::LengthWrong, "more than the manifest says"));
                }
                while piece.len() + data.len() >= PIECE {
                    piece.extend_from_slice(&data.split_to(PIECE - piece.len()));
                    writer = writer.append(std::mem::take(&mut piece)).await?;
                }
                piece.extend_from_slice(&data);
            }
        }
        if Instant::now() >= due {
            writer = Writer::Idle(keep(writer.idle().await?, &mut piece).await?);
            due = Instant::now() + SYNC_EVERY;
        }
    };
    let upload = append(writer.idle().await?, &mut piece).await?;
    match end {
        Ok(()) if arrived == size => Ok(upload),
        end => upload.sync().await.and_then(|upload| end.map(|()| upload)),
    }
}

/// Writes a piece while the next one comes in.
enum Writer<U> {
    Idle(U),
    Busy(JoinHandle<Result<U, Problem>>),
}

impl<U: Upload> Writer<U> {
    /// The upload, once what it was given is written.
    async fn idle(self) -> Result<U, Problem> {
        match self {
            Self::Idle(upload) => Ok(upload),
            Self::Busy(writing) => writing.await.map_err(|_| Problem::new(Code::IoFailed, "a write broke off"))?,
        }
    }

    async fn append(self, piece: Vec<u8>) -> Result<Self, Problem> {
        let upload = self.idle().await?;
        Ok(Self::Busy(tokio::spawn(upload.append(piece))))
    }
}

/// Makes durable what has arrived. A crash before this loses at most the last second of it, which is sent again.
async fn keep<U: Upload>(upload: U, piece: &mut Vec<u8>) -> Result<U, Problem> {
    append(upload, piece).await?.sync().await
}

async fn append<U: Upload>(upload: U, piece: &mut Vec<u8>) -> Result<U, Problem> {
    if piece.is_empty() { Ok(upload) } else { upload.append(std::mem::take(piece)).await }
}
