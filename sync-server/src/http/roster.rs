//! `GET /v1/roster?after=N` and `/v1/forms/{digest}`: for anybody, because a new unit needs them before its first hello.
//!
//! ```text
//! 200 [{"roster":"enroll-roster/v1\n…","proof":"c2sp.org/tlog-proof@v1\n…"}]     links, then the newest
//! ```

use std::sync::Arc;

use axum::{
    extract::State,
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH},
    },
    response::{IntoResponse as _, Response},
};
use serde::{Deserialize, Serialize};
use shared::{
    id::Blob,
    problem::{Code, Problem},
};

use super::{
    Http,
    hello::text,
    problem::{Asked, Named, Refusal, json},
};

/// After which version, under which head.
#[derive(Deserialize)]
pub(super) struct After {
    #[serde(default)]
    after: u64,
    size: Option<u64>,
}

#[derive(Serialize)]
struct Roster {
    roster: String,
    proof: String,
}

/// What leads from one roster to the newest.
pub(super) async fn rosters(State(http): State<Arc<Http>>, Asked(query): Asked<After>, headers: HeaderMap) -> Result<Response, Refusal> {
    let papers = http.road.rosters_after(query.after, query.size).await?;
    let tag = HeaderValue::from_str(&format!("\"{}-{}\"", query.after, papers.newest)).expect("digits");
    if headers.get(IF_NONE_MATCH) == Some(&tag) {
        return Ok((StatusCode::NOT_MODIFIED, [(ETAG, tag)]).into_response());
    }
    let mut list = Vec::with_capacity(papers.rosters.len());
    for proven in papers.rosters {
        list.push(Roster { roster: text(proven.note)?, proof: text(proven.proof)? });
    }
    let mut response = json(&list);
    response.headers_mut().insert(ETAG, tag);
    Ok(response)
}

/// A form's file, by its digest: it never changes.
pub(super) async fn form(State(http): State<Arc<Http>>, Named(digest): Named) -> Result<Response, Refusal> {
    let blob: Blob = digest.parse().map_err(|_| Problem::new(Code::NotFound, "not a digest"))?;
    let form = http.road.form(blob).await?;
    let headers = [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "public, max-age=31536000, immutable")];
    Ok((headers, form).into_response())
}
