//! Joining the road: taking rosters with their proofs and forms. What follows from the one held: `rights.rs`.
//!
//! A bundle is any heap of files, known by how they begin: `enroll-roster/v1` a roster,
//! `c2sp.org/tlog-proof@v1` the proof of a roster's log entry, `old ` a consistency proof, `{` a form; `enroll-bundle/v1` all of it in one
//! file, as `sync-server roster export` writes it.
//!
//! 1. Rosters are taken in order of version; the first by the key given at `init`, each next by the signers
//!    of the one before. 2. Each is proven to be in the log. 3. The log is the one that this unit has seen:
//!    a first roster begins the unit's memory of it, later ones need a consistency proof from there.
//! 4. All forms of the last one are here.
//!
//! **Trust:** files may come from anybody; nothing is stored before all four steps are through.

use std::path::Path;

use shared::{
    id::RosterVersion,
    keys::VerifierKey,
    log::{Body, CheckedHead, Consistency, Head, TlogProof},
    problem::{Code, Problem},
    roster::{Roster, TrustedRoster, bundle},
    time::Second,
};

use crate::{
    durable,
    vault::{Vault, rosters::Taken},
};

/// Files as they came.
#[derive(Debug, Default)]
pub struct Bundle {
    /// Signed rosters.
    pub rosters: Vec<Vec<u8>>,
    /// Proofs of log entries.
    pub proofs: Vec<Vec<u8>>,
    /// Consistency proofs.
    pub consistency: Vec<Vec<u8>>,
    /// Forms.
    pub forms: Vec<Vec<u8>>,
}

impl Bundle {
    /// Adds a file, or the files in a folder and its folders.
    pub fn read(&mut self, path: &Path) -> Result<(), Problem> {
        if durable::is_folder(path) {
            return durable::list(path)?.iter().try_for_each(|p| self.read(p));
        }
        let bytes = durable::read_given(path, bundle::MAX_BUNDLE as u64)?;
        let unknown = |()| Problem::new(Code::InputUnreadable, format!("{}: neither roster, proof nor form", path.display()));
        if bundle::is_bundle(&bytes) {
            return bundle::read(&bytes)?.into_iter().try_for_each(|file| self.add(file.to_vec())).map_err(unknown);
        }
        if bytes.len() > bundle::MAX_FILE {
            return Err(Problem::new(Code::InputUnreadable, format!("{}: too large", path.display())));
        }
        self.add(bytes).map_err(unknown)
    }

    fn add(&mut self, bytes: Vec<u8>) -> Result<(), ()> {
        let heap = match &bytes[..] {
            b if b.starts_with(b"enroll-roster/") => &mut self.rosters,
            b if b.starts_with(b"c2sp.org/tlog-proof@v1\n") => &mut self.proofs,
            b if b.starts_with(b"old ") => &mut self.consistency,
            b if b.trim_ascii_start().starts_with(b"{") => &mut self.forms,
            _ => return Err(()),
        };
        heap.push(bytes);
        Ok(())
    }
}

/// What `import` did.
#[derive(Debug)]
pub struct Imported {
    /// The roster that is in force now.
    pub version: RosterVersion,
    /// How many rosters were taken.
    pub count: usize,
    /// What a person should know: changes of recipients and keys.
    pub changes: Vec<String>,
}

/// Takes what is new in a bundle.
pub fn import(vault: &Vault, bundle: &Bundle, now: Second) -> Result<Imported, Problem> {
    let before = vault.roster()?;
    let mut rosters = bundle.rosters.iter().map(|b| Roster::parse(b)).collect::<Result<Vec<_>, _>>()?;
    rosters.sort_by_key(|r| r.facts().version);
    rosters.dedup_by_key(|r| r.facts().version);
    let newer = |r: &Roster| before.as_ref().is_none_or(|b| r.facts().version > b.version());
    // 1. the chain of signers
    let mut trusted: Vec<TrustedRoster> = Vec::new();
    for roster in rosters.into_iter().filter(newer) {
        trusted.push(vault.trust(roster, trusted.last().or(before.as_ref()))?);
    }
    let Some(last) = trusted.last() else { return Err(Code::NothingToDo.into()) };
    // 2. each in the log
    let proofs = bundle.proofs.iter().map(|b| TlogProof::parse(b).map(|p| (p, b))).collect::<Result<Vec<_>, _>>()?;
    let mut taken = Vec::new();
    let mut newest: Option<(CheckedHead, Second)> = None;
    for roster in &trusted {
        let (head, received, proof) = in_log(roster, last, &proofs)?;
        newest = newest.filter(|(h, _)| h.head().size > head.head().size).or(Some((head, received)));
        taken.push(Taken { roster, proof });
    }
    // 3. the log that this unit has seen
    let (head, received) = newest.ok_or(Code::ProofInvalid)?;
    let consistency = bundle.consistency.iter().map(|b| Consistency::parse(b)).collect::<Result<Vec<_>, _>>()?;
    continues(vault.state()?.seen, head, &consistency, &last.facts().log)?;
    // 4. the forms; then all at once: a crash leaves nothing of it, or everything
    vault.take_rosters(&taken, &bundle.forms, (head.head(), received), now)?;
    Ok(Imported { version: last.version(), count: taken.len(), changes: changes(before.as_ref(), last) })
}

/// The proof of this roster's own log entry, under the log's key of the last one.
fn in_log<'a>(
    roster: &TrustedRoster,
    last: &TrustedRoster,
    proofs: &[(TlogProof, &'a Vec<u8>)],
) -> Result<(CheckedHead, Second, &'a [u8]), Problem> {
    let mine = Body::Roster { version: roster.version(), blob: roster.note().blob() };
    for (proof, bytes) in proofs {
        // a proof of something else in the heap is no reason to refuse
        if let Ok(checked) = proof.clone().check(&last.facts().log)
            && checked.entry().body == mine
        {
            return Ok((checked.head(), checked.entry().received, bytes));
        }
    }
    Err(Problem::new(Code::ProofInvalid, format!("no proof that roster {} is in the log", roster.version())))
}

fn continues(seen: Head, new: CheckedHead, proofs: &[Consistency], log: &VerifierKey) -> Result<(), Problem> {
    let head = new.head();
    if seen == Head::EMPTY || seen == head {
        return Ok(());
    }
    if seen.size == head.size {
        return Err(Problem::new(Code::LogInconsistent, "another root at the size seen"));
    }
    let leads_there = |p: &&Consistency| p.old == seen.size && CheckedHead::open(&p.checkpoint, log) == Ok(new);
    if let Some(proof) = proofs.iter().find(leads_there) {
        return proof.check(seen, log).map(drop);
    }
    let why = format!(
        "no proof that its log goes on from size {0}, which this unit has seen: take it with `enroll-client sync`, or have it exported with \
         `sync-server roster export FILE --seen {0}`",
        seen.size
    );
    Err(Problem::new(Code::RosterRefused, why))
}

/// What changed that a person should know.
pub fn changes(before: Option<&TrustedRoster>, after: &TrustedRoster) -> Vec<String> {
    let Some(before) = before.map(TrustedRoster::facts) else { return Vec::new() };
    let after = after.facts();
    let mut changes = Vec::new();
    let mut note = |changed: bool, what: &str| {
        if changed {
            changes.push(format!("the centre changed {what}"));
        }
    };
    note(before.recipients != after.recipients, "whom records are sealed to");
    note(before.log != after.log, "the key of its log");
    note(before.centre_key != after.centre_key, "its own key");
    note(before.signers != after.signers, "who signs rosters");
    note(before.approval != after.approval, "whether a supervisor must approve");
    changes
}
