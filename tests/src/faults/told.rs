//! What leaves the centre, and what each promise rests on.
//!
//! | told (2xx, over plain HTTP) | rests on |
//! |---|---|
//! | an offset of an upload | staging: manifest, mark and payload by name, the bytes of manifest and mark, those of the payload before the offset |
//! | a proof under a head of so many entries (receipt, outcome, roster, the answer to a hello) | the guard, once it was to hold a head of that size; segments up to it; blobs that these name |
//! | the answer to a hello | the database, too: which hellos came is kept nowhere else. What a later commit failed to add to its write-ahead log is not what the answer rests on |
//!
//! Refusals promise nothing. What an entry beyond the head names may be in doubt: it is logged again. The offset of a unit's
//! answer is that of its batches in staging; the campaigns have one batch at a time on the road.

use std::{collections::BTreeMap, fmt};

use serde_json::Value;
use shared::id::{Blob, Digest};

use super::doubt::Doubtful;
use crate::tracer::{Act, Event};

/// What each proof begins with.
const PROOF: &str = "c2sp.org/tlog-proof@v1\n";
const DATABASE: &str = "centre.db";
const JOURNAL: &str = "centre.db-wal";
const SEGMENT: &str = "enroll-segment/v1\n";

/// Something that may leave only when it is true for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Promise {
    /// So many bytes of an upload are here.
    Offset(u64),
    /// The log has so many entries.
    Log(u64),
    /// The hello of this id was counted.
    Answer([u8; 32]),
}

impl fmt::Display for Promise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Offset(offset) => write!(f, "offset {offset}"),
            Self::Log(size) => write!(f, "a log of {size}"),
            Self::Answer(_) => f.write_str("the answer to a hello"),
        }
    }
}

/// The promises in what goes into a socket.
pub fn promises(event: &Event) -> Vec<Promise> {
    let Act::Tell { to, data, .. } = &event.act else { return Vec::new() };
    let text = String::from_utf8_lossy(data);
    let Some((head, body)) = text.split_once("\r\n\r\n").filter(|(head, _)| to == "socket" && head.starts_with("HTTP/1.1 2")) else {
        return Vec::new();
    };
    let mut promises = Vec::new();
    promises.extend(arrived(head).map(Promise::Offset));
    match serde_json::from_str::<Value>(body) {
        Ok(value) => {
            promises.extend(proofs(&value).into_iter().map(Promise::Log));
            if let Some(answer) = value["answer"].as_str() {
                promises.extend(answer.lines().find_map(hello).map(Promise::Answer));
                promises
                    .extend(answer.lines().filter_map(|l| l.strip_prefix("want ")?.split_once(' ')?.1.parse().ok()).map(Promise::Offset));
            }
        }
        Err(_) => promises.extend(size(body).map(Promise::Log)),
    }
    promises.retain(|p| *p != Promise::Offset(0));
    promises
}

/// The offset in the head of an answer, which has the upload's length, too; a request has not.
fn arrived(head: &str) -> Option<u64> {
    let headers = || head.lines().filter_map(|line| line.split_once(": "));
    let number = |name: &str| headers().find(|(n, _)| n.eq_ignore_ascii_case(name))?.1.parse::<u64>().ok();
    number("upload-length").and(number("upload-offset"))
}

/// Sizes of the heads that proofs lead to.
fn proofs(value: &Value) -> Vec<u64> {
    match value {
        Value::String(text) => size(text).into_iter().collect(),
        Value::Array(all) => all.iter().flat_map(proofs).collect(),
        Value::Object(all) => all.values().flat_map(proofs).collect(),
        _ => Vec::new(),
    }
}

/// `hello 391 sha256:…`: its id.
fn hello(line: &str) -> Option<[u8; 32]> {
    let id: Digest = line.strip_prefix("hello ")?.split(' ').nth(1)?.parse().ok()?;
    Some(*id.as_bytes())
}

/// Of a proof: behind an empty line the checkpoint, which is origin, size, root.
fn size(text: &str) -> Option<u64> {
    text.strip_prefix(PROOF)?.split_once("\n\n")?.1.lines().nth(1)?.parse().ok()
}

/// What the log of so many entries rests on, by path.
#[derive(Default)]
pub struct Foundations {
    since: BTreeMap<String, u64>,
    /// What a segment names, by its digest; one that no guard names is an orphan, on which nothing rests.
    segments: BTreeMap<String, Vec<String>>,
    /// What was last written to be the guard's head: size and segment.
    head: Option<(u64, String)>,
    /// What was written to the database's write-ahead log, and where each write ended.
    journal: Vec<(u64, Vec<u8>)>,
}

impl Foundations {
    /// The next act of the run, which was recorded with its data.
    pub fn meet(&mut self, event: &Event) {
        match &event.act {
            Act::Write { path, data, .. } if path.starts_with("guard/") => self.head = head(&String::from_utf8_lossy(data)),
            Act::Write { path, offset, data, .. } if path == JOURNAL && event.result > 0 => {
                self.journal.push((offset + event.result.unsigned_abs(), data.clone()));
            }
            Act::Write { data, .. } if data.starts_with(SEGMENT.as_bytes()) => {
                let named = String::from_utf8_lossy(data).split_whitespace().filter_map(hex).map(|hex| blob(&hex)).collect();
                self.segments.insert(Blob::of(data).hex(), named);
            }
            // also when it fails: a later head of that size is the same or another one that rests on its own
            Act::Rename { to, .. } if to == "guard/head" => self.head_moves(to, event.result >= 0),
            _ => {}
        }
    }

    fn head_moves(&mut self, guard: &str, done: bool) {
        let Some((size, segment)) = self.head.clone() else { return };
        self.since.insert(guard.to_owned(), size);
        if done {
            let named = self.segments.get(&segment).into_iter().flatten().cloned();
            for path in named.chain([format!("archive/segments/{:08}/{size:012}-{segment}", size / 4096)]) {
                self.since.entry(path).or_insert(size);
            }
        }
    }

    /// Would this promise be broken if that were not there?
    pub fn bear(&self, promise: Promise, doubtful: &Doubtful) -> bool {
        let Doubtful { path, from } = doubtful;
        match promise {
            Promise::Offset(offset) if path.starts_with("staging/") => !path.ends_with(".payload") || from.is_none_or(|from| from < offset),
            Promise::Offset(_) => path == "staging",
            Promise::Log(size) => {
                let below = |p: &str| p.strip_prefix(path.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
                self.since.iter().any(|(p, since)| *since <= size && below(p))
            }
            Promise::Answer(id) if path == JOURNAL && from.is_some() => {
                let kept = |(end, data): &(u64, Vec<u8>)| from.is_some_and(|from| *end <= from) && data.windows(id.len()).any(|w| w == id);
                !self.journal.iter().any(kept)
            }
            Promise::Answer(_) => path == DATABASE || path == JOURNAL,
        }
    }
}

/// `5 root sha256:…`: size and segment.
fn head(line: &str) -> Option<(u64, String)> {
    let mut words = line.split_whitespace();
    Some((words.next()?.parse().ok()?, words.nth(1).and_then(hex)?))
}

fn hex(word: &str) -> Option<String> {
    word.strip_prefix("sha256:")?.get(..64).map(str::to_owned)
}

fn blob(hex: &str) -> String {
    format!("archive/blobs/{}/{}/{hex}", &hex[..2], &hex[2..4])
}
