//! Every parser of bytes that come from somebody else, each with what must hold whatever the bytes are.
//!
//! ```text
//! tests/corpus/manifest/*  ──▶ manifest(bytes) ──▶ refused, or: printed again it is the same, within its limits
//!   and thousands of mutations in `tests/parsers.rs`; without end by libFuzzer in `fuzz/`
//! ```
//!
//! A body panics when a promise does not hold, and else tells whether the bytes were taken. **Trust:** none. Bodies that stand behind a
//! signature or a seal also sign or seal the hostile bytes themselves, so that what lies behind is reached: whoever
//! holds an admitted key can do the same. **Invariants:** keys here are those of the specification's examples and of
//! the committed vectors; no body reads a clock, or randomness but age's own; some write temporary files, because what they
//! drive reads some. Those of `http` speak over connections of this machine with the real ends, which do have a clock.

mod capture;
mod folder;
mod http;
mod inside;
mod log;
mod notes;
mod words;

pub use capture::{cbeff, form, image, resident_json, resident_packed, resident_tar, resident_zip};
pub use folder::resident_folder;
pub use http::{http_answer, http_call};
pub use inside::{age_header, frame, record_json, sealed, tar};
pub use log::{checkpoint, consistency, entry, guard_line, segment, tlog_proof};
pub use notes::{agent_request, answer, decision, hello, manifest, note, outcome, record_line, roster, roster_bundle, unit_request};
pub use words::{ids, keys, slip, times, words};

use shared::{keys::Signer, note::Note};

/// What must hold for any bytes.
pub type Body = fn(&[u8]) -> Verdict;

/// What a parser made of the bytes: a test whose bytes are never taken, or always, would show nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// They were read.
    Taken,
    /// They were refused.
    Refused,
}

impl Verdict {
    const fn when(taken: bool) -> Self {
        if taken { Self::Taken } else { Self::Refused }
    }
}

/// All of them, by the name of their folder in `tests/corpus` and of their target in `fuzz/fuzz_targets`.
pub const ALL: [(&str, Body); 37] = [
    ("age_header", age_header),
    ("agent_request", agent_request),
    ("answer", answer),
    ("cbeff", cbeff),
    ("checkpoint", checkpoint),
    ("consistency", consistency),
    ("decision", decision),
    ("entry", entry),
    ("form", form),
    ("frame", frame),
    ("guard_line", guard_line),
    ("hello", hello),
    ("http_answer", http_answer),
    ("http_call", http_call),
    ("ids", ids),
    ("image", image),
    ("keys", keys),
    ("manifest", manifest),
    ("note", note),
    ("outcome", outcome),
    ("record_json", record_json),
    ("record_line", record_line),
    ("resident_folder", resident_folder),
    ("resident_json", resident_json),
    ("resident_packed", resident_packed),
    ("resident_tar", resident_tar),
    ("resident_zip", resident_zip),
    ("roster", roster),
    ("roster_bundle", roster_bundle),
    ("sealed", sealed),
    ("segment", segment),
    ("slip", slip),
    ("tar", tar),
    ("times", times),
    ("tlog_proof", tlog_proof),
    ("unit_request", unit_request),
    ("words", words),
];

/// A key of the specification's examples.
fn key(name: &str, seed: u8) -> Signer {
    Signer::from_seed(name.parse().expect("a name"), &[seed; 32])
}

/// The text of a note, signed by `signer` instead of by whoever did: what a hostile holder of that key could send.
fn signed_again(bytes: &[u8], signer: &Signer) -> Option<Note> {
    let note = Note::parse(bytes).ok()?;
    // no note of ours has an empty line in its text, and signing refuses one
    (!note.text().contains("\n\n")).then(|| Note::sign(note.text(), &[signer]))
}
