//! `POST /v1/hello`: a signed note in, the signed answer with its proofs out.
//!
//! ```text
//! 200 {"answer":"enroll-answer/v1\n…","proof":"c2sp.org/tlog-proof@v1\n…","consistency":"old 20841\n…","token":"…"}
//! ```

use std::sync::Arc;

use axum::{body::Body, extract::State, response::Response};
use serde::Serialize;
use shared::problem::{Code, Problem};

use super::{
    Http,
    limits::read,
    problem::{Refusal, json},
};

#[derive(Serialize)]
struct Reply {
    answer: String,
    proof: String,
    consistency: String,
    token: Option<String>,
}

/// Our own notes and proofs are text.
pub(super) fn text(bytes: Vec<u8>) -> Result<String, Problem> {
    String::from_utf8(bytes).map_err(|_| Problem::new(Code::ArchiveDamaged, "a note that is not text"))
}

/// No session yet: the note's signature says who it is.
pub(super) async fn hello(State(http): State<Arc<Http>>, body: Body) -> Result<Response, Refusal> {
    let bytes = read(body, http.limits.body_bytes, Code::BodyTooLarge, &http.limits).await?;
    let reply = http.road.hello(bytes).await?;
    Ok(json(&Reply { answer: text(reply.answer)?, proof: text(reply.proof)?, consistency: text(reply.consistency)?, token: reply.token }))
}
