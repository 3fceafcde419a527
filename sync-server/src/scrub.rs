//! Reading the archive again, slowly and for ever: a byte that a disk has changed is found while a copy of it is still somewhere.
//!
//! ```text
//! pass:  0 the log's segments │ 1 blobs 00… │ 2 blobs 01… │ … │ 256 blobs ff…    each when its share of the time is over
//! ```
//! 1. Every file of the step is read and its digest compared.
//! 2. So is every manifest and payload of a logged batch that should be among them: what is missing is found, too.
//! 3. What is wrong is kept as a doubt, what is right again loses it.
//!
//! A doubt is an open fact, and units are asked to keep the batch (`hold-prune`). **Invariants:** nothing is changed but the doubts; a
//! crash repeats one step; a pass ends in the configured time, or at once after a longer pause.

use std::{collections::BTreeSet, time::Duration};

use shared::{id::Blob, problem::Problem, time::Second};
use tokio::{sync::watch, time::sleep};

use crate::{
    clock::{self, Steady},
    store::{Archive, Ledger},
};

/// Steps of a pass: the segments, then blobs by their first byte.
pub const STEPS: u16 = 257;
/// Shortest and longest pause between two looks at the clock.
const LOOK: [Duration; 2] = [Duration::from_millis(20), Duration::from_mins(1)];

/// Reads the archive again within `seconds`, again and again, until told to stop.
pub async fn run<A: Archive, L: Ledger>(archive: A, ledger: L, seconds: u64, mut stopping: watch::Receiver<bool>) {
    let pause = Duration::from_secs(seconds).div_f64(f64::from(STEPS) * 2.0).clamp(LOOK[0], LOOK[1]);
    loop {
        tokio::select! {
            _ = stopping.wait_for(|stop| *stop) => return,
            () = sleep(pause) => {}
        }
        loop {
            let stopped = stopping.clone();
            match due(&archive, &ledger, seconds, clock::now(), stopped).await {
                Ok(true) if !*stopping.borrow() => {}
                Ok(_) => break,
                Err(problem) => {
                    tracing::warn!("reading the archive again: {problem}");
                    break;
                }
            }
        }
    }
}

/// Does the next step if its time has come.
async fn due<A: Archive, L: Ledger>(
    archive: &A,
    ledger: &L,
    seconds: u64,
    now: Second,
    stopping: watch::Receiver<bool>,
) -> Result<bool, Problem> {
    let length = i64::try_from(seconds).unwrap_or(i64::MAX).max(1);
    let (began, next) = match ledger.scrubbed().await? {
        None => (now, 0),
        // the next pass; after a pause that was longer, it begins now
        Some((began, STEPS..)) if began.unix().saturating_add(length) <= now.unix() => (now, 0),
        Some((_, STEPS..)) => return Ok(false),
        Some((began, next)) => (began, next),
    };
    let share = length.saturating_mul(i64::from(next)) / i64::from(STEPS);
    if began.unix().saturating_add(share) > now.unix() {
        return Ok(false);
    }
    let found = step(archive, ledger, next, now, Some(&stopping)).await?;
    if let Some(found) = found {
        for blob in &found {
            tracing::error!("the archive's {blob} is missing or changed");
        }
        ledger.scrub(began, next + 1).await?;
    }
    Ok(true)
}

/// One step of a pass; what is wrong. None: told to stop in the middle of it.
pub async fn step<A: Archive, L: Ledger>(
    archive: &A,
    ledger: &L,
    step: u16,
    now: Second,
    stopping: Option<&watch::Receiver<bool>>,
) -> Result<Option<Vec<Blob>>, Problem> {
    let doubted: BTreeSet<Blob> = ledger.doubts().await?.into_iter().map(|(blob, _)| blob).collect();
    let (mut wrong, mut right) = (Vec::new(), Vec::new());
    let first = step.checked_sub(1).and_then(|first| u8::try_from(first).ok());
    let mut look = async |blob: Blob, size: Option<u64>| {
        let begun = Steady::now();
        let read = match size {
            Some(size) => archive.segment(size, blob).await.map(drop),
            None => archive.verify(blob).await.map(drop),
        };
        match read {
            Ok(()) => right.extend(doubted.contains(&blob).then_some(blob)),
            Err(_) => wrong.push(blob),
        }
        if stopping.is_some() {
            // half of the time is for others
            sleep(begun.elapsed()).await;
        }
        stopping.is_some_and(|stop| *stop.borrow())
    };
    match first {
        None => {
            for (size, blob) in archive.segments_from(0).await? {
                if look(blob, Some(size)).await {
                    return Ok(None);
                }
            }
        }
        Some(first) => {
            let mut blobs: BTreeSet<Blob> = archive.blobs(first).await?.into_iter().collect();
            blobs.extend(ledger.named_blobs(first).await?);
            for blob in blobs {
                if look(blob, None).await {
                    return Ok(None);
                }
            }
        }
    }
    if !wrong.is_empty() || !right.is_empty() {
        ledger.doubt(wrong.clone(), right, now).await?;
    }
    Ok(Some(wrong))
}
