//! `GET /v1/log/checkpoint` (C2SP tlog-checkpoint): for anybody.

use std::sync::Arc;

use axum::{
    extract::State,
    http::header::{CACHE_CONTROL, CONTENT_TYPE},
    response::{IntoResponse as _, Response},
};

use super::{Http, problem::Refusal};

pub(super) async fn checkpoint(State(http): State<Arc<Http>>) -> Result<Response, Refusal> {
    let published = http.road.published().await?;
    let headers = [(CONTENT_TYPE, "text/plain; charset=utf-8"), (CACHE_CONTROL, "no-cache")];
    Ok((headers, published.checkpoint.as_bytes().to_vec()).into_response())
}
