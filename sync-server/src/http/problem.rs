//! What a refusal looks like: RFC 9457 problem details with our stable code. The only file with status codes of
//! refusals.
//!
//! ```text
//! HTTP/1.1 409 Conflict
//! content-type: application/problem+json
//!
//! {"type":"urn:enroll:problem:offset-wrong","title":"…","status":409,"detail":"offset is 4194304","code":"offset-wrong","next":"…"}
//! ```
//! `title` (what happened) and `next` (what to do now) are in the language of `Accept-Language`: en, fr or ar.
//!
//! **Invariants:** what is wrong inside the centre is told to its log, not to the caller; no `Upload-Offset` on an error.

use axum::{
    Json,
    body::Body,
    extract::{FromRequestParts, Path, Query, Request},
    http::{
        HeaderMap, HeaderName, HeaderValue, StatusCode,
        header::{ACCEPT_LANGUAGE, CONTENT_LANGUAGE, CONTENT_TYPE, RETRY_AFTER},
        request::Parts,
    },
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde::{Serialize, de::DeserializeOwned};
use shared::{
    id::BatchId,
    problem::{Again, Code, Fault, Lang, Problem},
};

use crate::entropy;

/// The code of a problem, for callers who see no body.
pub(super) const PROBLEM: HeaderName = HeaderName::from_static("enroll-problem");

/// A problem on its way to the caller.
#[derive(Debug, Clone)]
pub(super) struct Refusal(Problem);

impl<P: Into<Problem>> From<P> for Refusal {
    fn from(problem: P) -> Self {
        Self(problem.into())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = status(self.0.code).into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Each code that a caller can meet has its status here; others follow from whose fault it is.
pub(super) fn status(code: Code) -> StatusCode {
    match code {
        Code::Pending => StatusCode::ACCEPTED,
        Code::LengthWrong | Code::TextMalformed | Code::NoteMalformed => StatusCode::BAD_REQUEST,
        Code::HelloFirst | Code::TokenInvalid => StatusCode::UNAUTHORIZED,
        Code::KeyUnknown | Code::KeyWrong | Code::EpochUnknown | Code::SignatureInvalid | Code::CentreWrong => StatusCode::FORBIDDEN,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        Code::TooSlow => StatusCode::REQUEST_TIMEOUT,
        // stock tus clients ask for the offset again and go on from there
        Code::OffsetWrong | Code::PayloadCorrupt | Code::PayloadTruncated | Code::LogInconsistent => StatusCode::CONFLICT,
        Code::UploadProtocol => StatusCode::PRECONDITION_FAILED,
        Code::BodyTooLarge | Code::ManifestTooLarge | Code::BatchTooLarge | Code::LinesTooMany | Code::RecordTooLarge => {
            StatusCode::PAYLOAD_TOO_LARGE
        }
        Code::UploadLocked => StatusCode::LOCKED,
        Code::DiskFull | Code::ClockJump | Code::NoRoster => StatusCode::SERVICE_UNAVAILABLE,
        other => match (other.row().fault, other.row().again) {
            (_, Again::Later) => StatusCode::SERVICE_UNAVAILABLE,
            (Fault::Centre | Fault::Medium, _) => StatusCode::INTERNAL_SERVER_ERROR,
            (Fault::Unit | Fault::Person, _) => StatusCode::UNPROCESSABLE_ENTITY,
        },
    }
}

/// After how many seconds to ask again, spread so that many units don't come back at once.
fn retry_after(status: StatusCode) -> Option<u64> {
    let (least, spread) = match status {
        StatusCode::ACCEPTED => (1, 2),
        StatusCode::LOCKED => (2, 4),
        StatusCode::SERVICE_UNAVAILABLE => (5, 20),
        _ => return None,
    };
    Some(least + u64::from(entropy::bytes::<1>().map_or(0, |[byte]| byte)) % spread)
}

#[derive(Serialize)]
struct Details<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    code: &'a str,
    next: &'a str,
}

/// The body of a problem, as bytes.
pub(super) fn details(problem: &Problem, lang: Lang) -> Vec<u8> {
    let (row, status) = (problem.row(), status(problem.code));
    let text = row.text(lang);
    let details = Details {
        r#type: format!("urn:enroll:problem:{}", row.code),
        title: text.what,
        status: status.as_u16(),
        detail: if status.is_server_error() && row.again != Again::Later { "" } else { &problem.detail },
        code: row.code,
        next: text.next,
    };
    serde_json::to_vec(&details).expect("strings and a number")
}

/// Gives every refusal its body, in the caller's language.
pub(super) async fn say(request: Request, next: Next) -> Response {
    let lang = language(request.headers());
    let path = request.uri().path().to_owned();
    let mut response = next.run(request).await;
    let Some(Refusal(problem)) = response.extensions_mut().remove::<Refusal>() else { return response };
    if response.status().is_server_error() {
        tracing::warn!("{path}: {problem}");
    } else {
        tracing::debug!("{path}: {problem}");
    }
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    // an answer to HEAD has no body
    headers.insert(PROBLEM, HeaderValue::from_static(problem.row().code));
    headers.insert(CONTENT_LANGUAGE, HeaderValue::from_static(tag(lang)));
    if let Some(seconds) = retry_after(status(problem.code)) {
        headers.insert(RETRY_AFTER, seconds.into());
    }
    *response.body_mut() = Body::from(details(&problem, lang));
    response
}

const fn tag(lang: Lang) -> &'static str {
    match lang {
        Lang::Ar => "ar",
        Lang::Fr => "fr",
        Lang::En => "en",
    }
}

/// The first language of `Accept-Language` (RFC 9110 section 12.5.4) that we have, by weight.
fn language(headers: &HeaderMap) -> Lang {
    let wanted = headers.get(ACCEPT_LANGUAGE).and_then(|v| v.to_str().ok()).unwrap_or("");
    let mut best: Option<(f32, Lang)> = None;
    for part in wanted.split(',').take(16) {
        let mut fields = part.trim().split(';');
        let primary = fields.next().unwrap_or("").split('-').next().unwrap_or("").to_ascii_lowercase();
        let weight = fields.find_map(|f| f.trim().strip_prefix("q=")?.parse::<f32>().ok()).unwrap_or(1.0);
        if let Ok(lang) = primary.parse::<Lang>()
            && weight > best.map_or(0.0, |(w, _)| w)
        {
            best = Some((weight, lang));
        }
    }
    best.map_or(Lang::En, |(_, lang)| lang)
}

/// What a query asks for; one that can't be read is refused like everything else.
pub(super) struct Asked<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Asked<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let asked = Query::from_request_parts(parts, state).await;
        asked.map(|Query(asked)| Self(asked)).map_err(|_| Problem::new(Code::TextMalformed, "query").into())
    }
}

/// The one variable part of a path.
pub(super) struct Named(pub(super) String);

impl Named {
    /// As a batch's id.
    pub(super) fn batch(&self) -> Result<BatchId, Problem> {
        self.0.parse().map_err(|_| Problem::new(Code::NotFound, "not a batch id"))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let named = Path::from_request_parts(parts, state).await;
        named.map(|Path(name)| Self(name)).map_err(|_| Problem::new(Code::NotFound, "not a name").into())
    }
}

/// No such place.
pub(super) async fn not_found() -> Refusal {
    Code::NotFound.into()
}

/// The place is there, the method isn't.
pub(super) async fn method_not_allowed() -> Refusal {
    Code::MethodNotAllowed.into()
}

/// A JSON answer that no cache keeps.
pub(super) fn json(value: &impl Serialize) -> Response {
    ([(axum::http::header::CACHE_CONTROL, "no-store")], Json(value)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_callers_language_by_weight() {
        let of = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_LANGUAGE, HeaderValue::from_static(value));
            language(&headers)
        };
        assert_eq!(of("ar"), Lang::Ar);
        assert_eq!(of("de, fr-BE;q=0.5, en;q=0.1"), Lang::Fr);
        assert_eq!(of("en;q=0.2, AR-iq;q=0.9"), Lang::Ar);
        assert_eq!(of("fr;q=0, *;q=x"), Lang::En);
        assert_eq!(of(";;;,,,"), Lang::En);
    }

    #[test]
    fn no_refusal_looks_like_a_success() {
        for &code in Code::ALL {
            let status = status(code);
            assert!(!status.is_success() || code == Code::Pending, "{code}");
            assert!(!status.is_redirection() && !status.is_informational(), "{code}");
        }
    }
}
