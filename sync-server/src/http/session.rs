//! Who calls: the token of a hello, and how many requests they have open.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use axum::{
    extract::FromRequestParts,
    http::{header::AUTHORIZATION, request::Parts},
};
use shared::{
    keys::KeyRef,
    problem::{Code, Problem},
};

use super::{Http, problem::Refusal};
use crate::pipeline::intake::Session;

/// A caller with a valid token, for the time of one request.
pub(super) struct Caller {
    /// Who it is.
    pub(super) session: Session,
    _open: OpenRequest,
}

/// Open requests by key. No more keys than rosters have: a key gets here by a valid token only.
#[derive(Default)]
pub(super) struct Callers(Mutex<HashMap<KeyRef, usize>>);

/// Counts as open until dropped.
struct OpenRequest {
    callers: Arc<Callers>,
    key: KeyRef,
}

impl Callers {
    fn open(self: &Arc<Self>, key: &KeyRef, most: usize) -> Result<OpenRequest, Problem> {
        let mut open = self.0.lock().expect("nobody panics while holding it");
        let count = open.entry(key.clone()).or_default();
        if *count >= most {
            return Err(Problem::new(Code::Busy, "requests of this caller"));
        }
        *count += 1;
        Ok(OpenRequest { callers: self.clone(), key: key.clone() })
    }
}

impl Drop for OpenRequest {
    fn drop(&mut self) {
        let mut open = self.callers.0.lock().expect("nobody panics while holding it");
        if let Some(count) = open.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.key);
            }
        }
    }
}

impl FromRequestParts<Arc<Http>> for Caller {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, http: &Arc<Http>) -> Result<Self, Refusal> {
        let header = parts.headers.get(AUTHORIZATION).ok_or(Code::HelloFirst)?;
        let token = header.to_str().ok().and_then(|v| v.strip_prefix("Bearer ")).ok_or(Code::TokenInvalid)?;
        let session = http.road.session(token).await?;
        let open = http.callers.open(&session.key, http.limits.requests_a_caller)?;
        Ok(Self { session, _open: open })
    }
}
