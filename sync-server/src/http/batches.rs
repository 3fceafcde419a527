//! `POST /v1/batches`: a manifest in; 201 when it is new, 200 when it is known. `Location` is where its payload goes.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::State,
    http::{HeaderName, HeaderValue, StatusCode, header::LOCATION},
    response::{IntoResponse as _, Response},
};
use serde::Serialize;
use shared::{id::BatchId, note::MAX_NOTE, problem::Code};

use super::{
    Http,
    limits::{drain, read},
    payload::TUS,
    problem::Refusal,
    session::Caller,
};
use crate::pipeline::intake::News;

#[derive(Serialize)]
struct Reply {
    batch: BatchId,
}

/// The payload's place.
fn location(batch: BatchId) -> [(HeaderName, HeaderValue); 2] {
    let place = HeaderValue::from_str(&format!("/v1/batches/{batch}/payload")).expect("a digest is printable");
    [(LOCATION, place), TUS]
}

pub(super) async fn announce(State(http): State<Arc<Http>>, caller: Result<Caller, Refusal>, body: Body) -> Result<Response, Refusal> {
    let caller = match caller {
        Ok(caller) => caller,
        Err(refusal) => {
            drain(body).await;
            return Err(refusal);
        }
    };
    let bytes = read(body, MAX_NOTE, Code::ManifestTooLarge, &http.limits).await?;
    let announced = http.road.announce(bytes, &caller.session).await?;
    let status = match announced.news {
        News::New => StatusCode::CREATED,
        News::Known => StatusCode::OK,
    };
    Ok((status, location(announced.batch), axum::Json(Reply { batch: announced.batch })).into_response())
}
