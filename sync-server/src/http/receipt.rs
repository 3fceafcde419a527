//! `GET /v1/batches/{id}/receipt` and `/outcome`: 202 with Retry-After while pending.
//!
//! With `?size=N` the proof leads to the log of N entries, where that holds the entry: the head that a unit has checked.

use std::sync::Arc;

use axum::{
    extract::State,
    http::header::{CACHE_CONTROL, CONTENT_TYPE},
    response::{IntoResponse as _, Response},
};
use serde::{Deserialize, Serialize};

use super::{
    Http,
    hello::text,
    problem::{Asked, Named, Refusal, json},
    session::Caller,
};

/// Under which head.
#[derive(Deserialize)]
pub(super) struct Under {
    size: Option<u64>,
}

/// The tlog-proof of the batch's entry.
pub(super) async fn receipt(
    State(http): State<Arc<Http>>,
    _caller: Caller,
    named: Named,
    Asked(under): Asked<Under>,
) -> Result<Response, Refusal> {
    let receipt = http.road.receipt(named.batch()?, under.size).await?;
    Ok(([(CONTENT_TYPE, "text/plain; charset=utf-8"), (CACHE_CONTROL, "no-store")], receipt).into_response())
}

#[derive(Serialize)]
struct Outcome {
    outcome: String,
    proof: String,
}

/// The newest outcome, signed, with the proof of its entry.
pub(super) async fn outcome(
    State(http): State<Arc<Http>>,
    _caller: Caller,
    named: Named,
    Asked(under): Asked<Under>,
) -> Result<Response, Refusal> {
    let proven = http.road.outcome(named.batch()?, under.size).await?;
    Ok(json(&Outcome { outcome: text(proven.note)?, proof: text(proven.proof)? }))
}
