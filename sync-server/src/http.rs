//! HTTP: the calls of units and carriers, all under `/v1`.
//!
//! | call | file |
//! |---|---|
//! | `POST /v1/hello` | `hello` |
//! | `POST /v1/batches` | `batches` |
//! | `HEAD`, `PATCH /v1/batches/{id}/payload` (tus 1.0 core) | `payload` |
//! | `GET /v1/batches/{id}/receipt`, `/outcome` | `receipt` |
//! | `GET /v1/roster?after=N`, `/v1/forms/{digest}` | `roster` |
//! | `GET /v1/log/checkpoint` | `log` |
//!
//! `connections` accepts, `limits` says how long and how large, `session` who calls, `problem` what a refusal looks like.
//!
//! **Trust:** none in what comes in; the road checks it. Rosters, forms and checkpoints are given to anybody: a new
//! unit needs the roster before it can say hello, and nothing in them is secret. **Invariants:** every refusal is a
//! problem with a code; an answer says nothing that is not durable.

mod batches;
mod connections;
mod hello;
mod limits;
mod log;
mod payload;
mod problem;
mod receipt;
mod roster;
mod session;
#[cfg(test)]
mod tests;

use std::{path::PathBuf, sync::Arc};

use axum::{
    Router,
    middleware::from_fn,
    routing::{get, head, post},
};
use tokio::sync::watch;

use self::session::Callers;
pub use self::{
    connections::{Line, serve},
    limits::Limits,
};
use crate::{
    pipeline::intake::Intake,
    store::{archive_files::ArchiveFiles, ledger_sqlite::LedgerSqlite, staging_files::StagingFiles},
};

/// Intake over the stores that this program is built with.
pub type Road = Intake<StagingFiles, ArchiveFiles, LedgerSqlite>;

/// What every call has at hand.
pub struct Http {
    road: Road,
    limits: Limits,
    callers: Arc<Callers>,
    /// Where uploads go first and last: their disks must keep the reserve.
    places: [PathBuf; 2],
    stop: watch::Receiver<bool>,
}

impl Http {
    /// `places` are the folders of staging and archive; `stop` turns true when the server is to end.
    pub fn new(road: Road, limits: Limits, places: [PathBuf; 2], stop: watch::Receiver<bool>) -> Arc<Self> {
        Arc::new(Self { road, limits, callers: Arc::default(), places, stop })
    }
}

/// The calls.
pub fn router(http: Arc<Http>) -> Router {
    Router::new()
        .route("/v1/hello", post(hello::hello))
        .route("/v1/batches", post(batches::announce))
        .route("/v1/batches/{id}/payload", head(payload::offset).patch(payload::receive))
        .route("/v1/batches/{id}/receipt", get(receipt::receipt))
        .route("/v1/batches/{id}/outcome", get(receipt::outcome))
        .route("/v1/roster", get(roster::rosters))
        .route("/v1/forms/{digest}", get(roster::form))
        .route("/v1/log/checkpoint", get(log::checkpoint))
        .fallback(problem::not_found)
        .method_not_allowed_fallback(problem::method_not_allowed)
        .layer(from_fn(problem::say))
        .with_state(http)
}
