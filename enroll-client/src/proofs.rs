//! What the centre gave is checked here, before it is stored and again before anything is deleted for it.

use shared::{
    batch::Manifest,
    log::{Body, CheckedEntry, TlogProof},
    outcome::{CheckedOutcome, Outcome},
    problem::{Code, Problem},
    receipt::{CheckedReceipt, Receipt},
    roster::TrustedRoster,
};

/// A receipt of this manifest, proven under the log of the roster in force.
pub fn receipt(bytes: &[u8], manifest: &Manifest, roster: &TrustedRoster) -> Result<CheckedReceipt, Problem> {
    Receipt::parse(bytes)?.check(manifest, &roster.facts().log)
}

/// An outcome of this manifest, signed by the centre, with the proof of its own log entry.
pub fn outcome(note: &[u8], proof: &[u8], manifest: &Manifest, roster: &TrustedRoster) -> Result<(CheckedOutcome, CheckedEntry), Problem> {
    let outcome = Outcome::parse(note)?.check(manifest, &roster.facts().centre_key)?;
    let entry = TlogProof::parse(proof)?.check(&roster.facts().log)?;
    let said = outcome.outcome();
    let mine = Body::Outcome { batch: said.batch(), version: said.version(), blob: said.note().blob() };
    if entry.entry().body == mine { Ok((outcome, entry)) } else { Err(Problem::new(Code::OutcomeInvalid, "its proof is of another entry")) }
}
