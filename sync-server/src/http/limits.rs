//! How large and how slow a request may be.
//!
//! **Invariants:** nothing is read without a limit on its size and its pace.

use std::time::Duration;

use axum::body::Body;
use http_body_util::BodyExt as _;
use serde::{Deserialize, Serialize};
use shared::problem::{Code, Problem};
use tokio::time::{Instant, timeout, timeout_at};

/// Most bytes that are read and thrown away so that a refused caller gets to read the refusal.
const DRAIN: usize = 4 << 20;
/// Longest time for that.
const DRAIN_TIME: Duration = Duration::from_secs(2);

/// What is admitted. The defaults are meant for units on bad lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Connections at a time.
    pub connections: usize,
    /// Requests of one unit or carrier at a time.
    pub requests_a_caller: usize,
    /// Bytes of a request's header.
    pub header_bytes: usize,
    /// Seconds within which a header, or a TLS handshake, must be complete.
    pub header_seconds: u64,
    /// Bytes a second below which a body is cut off.
    pub slowest: u64,
    /// Seconds for which a body may be slower than that.
    pub patience_seconds: u64,
    /// Seconds for which a caller may take nothing of an answer.
    pub answer_seconds: u32,
    /// Bytes of a body other than a manifest or a payload.
    pub body_bytes: usize,
    /// Bytes of the disk that uploads leave free.
    pub disk_reserve: u64,
    /// Seconds that open requests have to end when the server stops.
    pub stop_seconds: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 512,
            requests_a_caller: 2,
            header_bytes: 16 << 10,
            header_seconds: 5,
            slowest: 512,
            patience_seconds: 10,
            answer_seconds: 30,
            body_bytes: 64 << 10,
            disk_reserve: 256 << 20,
            stop_seconds: 10,
        }
    }
}

/// A body's pace: a credit of time that arriving bytes fill up and waiting uses.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    deadline: Instant,
    patience: Duration,
    slowest: u64,
}

impl Pace {
    /// Starts with all of the patience.
    pub(super) fn new(limits: &Limits, now: Instant) -> Self {
        let patience = Duration::from_secs(limits.patience_seconds);
        Self { deadline: now + patience, patience, slowest: limits.slowest.max(1) }
    }
    /// Until when the next bytes must come.
    pub(super) fn deadline(&self) -> Instant {
        self.deadline
    }
    /// No more patience?
    pub(super) fn is_over(&self, now: Instant) -> bool {
        now >= self.deadline
    }
    /// Bytes came: they buy the time that they may take at the slowest pace, up to the whole patience.
    pub(super) fn took(&mut self, bytes: usize, now: Instant) {
        let bought = Duration::from_millis((bytes as u64).saturating_mul(1000) / self.slowest);
        self.deadline = (self.deadline + bought.min(self.patience)).min(now + self.patience);
    }
}

/// Reads a body that fits into memory.
pub(super) async fn read(mut body: Body, most: usize, too_large: Code, limits: &Limits) -> Result<Vec<u8>, Problem> {
    let mut pace = Pace::new(limits, Instant::now());
    let mut bytes = Vec::new();
    loop {
        let frame = timeout_at(pace.deadline(), body.frame()).await.map_err(|_| Code::TooSlow)?;
        let Some(frame) = frame else { return Ok(bytes) };
        let frame = frame.map_err(|_| Problem::new(Code::PayloadTruncated, "the connection broke"))?;
        let Ok(data) = frame.into_data() else { continue };
        pace.took(data.len(), Instant::now());
        if bytes.len() + data.len() > most {
            drain(body).await;
            return Err(too_large.into());
        }
        bytes.extend_from_slice(&data);
    }
}

/// Reads on for a moment without keeping anything: a connection that is closed on unread bytes takes the answer with it.
pub(super) async fn drain(mut body: Body) {
    let mut left = DRAIN;
    let _ = timeout(DRAIN_TIME, async {
        while let Some(Ok(frame)) = body.frame().await {
            let Some(rest) = left.checked_sub(frame.data_ref().map_or(0, axum::body::Bytes::len)) else { return };
            left = rest;
        }
    })
    .await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trickle_uses_up_its_credit_and_a_fast_body_saves_none() {
        let limits = Limits { slowest: 512, patience_seconds: 10, ..Limits::default() };
        let start = Instant::now();
        let second = |n: u64| start + Duration::from_secs(n);
        let (mut steady, mut trickle, mut fast) = (Pace::new(&limits, start), Pace::new(&limits, start), Pace::new(&limits, start));
        for n in 1..=60 {
            steady.took(512, second(n));
            trickle.took(100, second(n));
        }
        assert!(!steady.is_over(second(60)));
        assert!(trickle.is_over(second(60)));
        fast.took(512 << 20, start);
        assert!(fast.is_over(second(10)), "what was fast before does not excuse a silence");
    }
}
