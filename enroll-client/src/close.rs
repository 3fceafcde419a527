//! Close: the day's finished records become signed batches, chained to the one before.
//!
//! 1. Nothing stands against closing: roster, key, epoch, the centre's last word (`rights.rs`).
//! 2. What may go: a record that waits until its agent signs it again stays behind, and so does what the approver enrolled
//!    themselves, unless they work alone.
//! 3. Who approves: a supervisor whose key counts here, or nobody where that is allowed or asked for.
//! 4. Each sealed record is read again and compared with the digest that its agent signed; one that rotted
//!    stays behind and stops no other.
//! 5. The day is split where it passes the limits; a record that no batch may hold any more stays behind, too.
//! 6. Manifests are made, signed, and checked as the centre will check them.
//! 7. All of them enter the vault with the chain's advance.
//!
//! **Invariants:** what is signed names no resident; a batch that the centre would refuse is never closed.

use sha2::{Digest as _, Sha256};
use shared::{
    batch::{Facts, Line, Manifest, WithdrawnLine},
    id::{BatchId, Digest, Member, Number, Place, SealedDigest},
    keys::Signer,
    problem::{Code, Problem},
    roster::{Approval, Crew, TrustedRoster},
    time::{Minute, Second},
    verify::CheckedManifest,
};

use crate::{
    rights::{Act, Rights},
    vault::{
        CaptureSession, Vault,
        members::Supervisor,
        outbox::ClosedBatch,
        records::{Numbering, RecordRow, Withdrawn},
    },
};

/// Who stands behind a close.
#[derive(Clone, Copy)]
pub enum Approver<'a> {
    /// A supervisor approves.
    Supervisor(&'a Supervisor),
    /// Nobody approves; a supervisor at hand signs for what was withdrawn.
    Nobody(Option<&'a Supervisor>),
}

impl<'a> Approver<'a> {
    /// Whoever signs beside the unit.
    fn at_hand(self) -> Option<&'a Supervisor> {
        match self {
            Self::Supervisor(supervisor) => Some(supervisor),
            Self::Nobody(supervisor) => supervisor,
        }
    }
}

/// Records that stay behind, each heap with its reason.
#[derive(Debug, Default)]
pub struct Left {
    /// Their sealed bytes are not those that were signed.
    pub rotten: Vec<Number>,
    /// The roster has lowered its limit below their size since they were finished.
    pub oversize: Vec<Number>,
    /// The approver enrolled them: another supervisor approves them.
    pub own: Vec<Number>,
    /// Their agents sign them again first.
    pub unsigned: Vec<(Number, Member)>,
}

impl Left {
    /// Everything went.
    pub fn is_empty(&self) -> bool {
        self.rotten.is_empty() && self.oversize.is_empty() && self.own.is_empty() && self.unsigned.is_empty()
    }
}

/// What a close made.
pub struct Closed {
    /// The new batches: id, place, records, bytes of payload.
    pub batches: Vec<(BatchId, Place, usize, u64)>,
    /// Who approved.
    pub approved: Option<Member>,
    /// The roster demands an approval that is not there: the centre will hold these records.
    pub will_wait: bool,
    /// What stays behind.
    pub left: Left,
}

/// Closes everything that waits and may go.
pub fn close(vault: &Vault, session: &CaptureSession, approver: Approver<'_>, clock: Second) -> Result<Closed, Problem> {
    // 1. nothing stands against it
    let rights = Rights::of(vault, clock)?;
    let crew = rights.unit(Act::Close)?.crew;
    let waiting = vault.unbatched()?;
    if waiting.is_empty() {
        return Err(Code::NothingToDo.into());
    }
    // 2. what may go
    let mut left = Left::default();
    let going = going(waiting, approver, crew, &mut left)?;
    // 3. who approves
    let approved = demand_approver(approver, &rights, &going)?;
    // 4. and 5.
    let limits = rights.roster().facts().limits;
    let fitting = fitting(vault, going, limits.batch, &mut left)?;
    let heaps = split(fitting, limits.lines, limits.batch);
    // 6. signed and checked
    let unit = vault.unit_keys()?.signer;
    let closed = rights.state().unit_time(clock).minute();
    let signing = Signing { vault, rights: &rights, unit: &unit, approver, approved: approved.clone(), closed };
    let batches = signing.chain(heaps)?;
    // 7. into the vault, with the chain's advance
    vault.store_closed(session, &batches)?;
    let will_wait = approved.is_none() && batches.iter().any(|b| !may_close_unapproved(rights.roster(), &b.records));
    let batches = batches.iter().map(|b| (b.id, b.place, b.records.len(), b.payload)).collect();
    Ok(Closed { batches, approved, will_wait, left })
}

/// Whether the roster lets these through without an approval.
pub fn may_close_unapproved(roster: &TrustedRoster, records: &[RecordRow]) -> bool {
    roster.facts().approval == Approval::None || records.iter().all(|r| r.withdrawn.is_some())
}

/// The records that may go, as far as people are concerned; when none may, why.
fn going(waiting: Vec<RecordRow>, approver: Approver<'_>, crew: Crew, left: &mut Left) -> Result<Vec<RecordRow>, Problem> {
    let (unsigned, signed): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|r| r.numbering == Numbering::Twice);
    left.unsigned = unsigned.into_iter().map(|r| (r.number, r.agent)).collect();
    let is_own = |r: &RecordRow| match approver {
        Approver::Supervisor(s) => crew == Crew::Several && r.withdrawn.is_none() && r.agent == *s.name(),
        Approver::Nobody(_) => false,
    };
    let (own, going): (Vec<_>, Vec<_>) = signed.into_iter().partition(is_own);
    left.own = own.into_iter().map(|r| r.number).collect();
    match (going.is_empty(), left.own.first(), left.unsigned.first()) {
        (false, ..) => Ok(going),
        (true, Some(own), _) => Err(Problem::new(Code::SelfApproval, format!("record {own} waits for another supervisor"))),
        (true, None, unsigned) => {
            let named = unsigned.map(|(number, agent)| format!("record {number} waits for {agent}: enroll-client --as {agent} resign"));
            Err(Problem::new(Code::SessionNeeded, named.unwrap_or_default()))
        }
    }
}

fn demand_approver(approver: Approver<'_>, rights: &Rights, going: &[RecordRow]) -> Result<Option<Member>, Problem> {
    if let Some(supervisor) = approver.at_hand() {
        rights.member(supervisor.name(), supervisor.signer().public(), shared::roster::Role::Supervisor)?;
    }
    match approver {
        Approver::Supervisor(supervisor) => Ok(Some(supervisor.name().clone())),
        Approver::Nobody(Some(_)) => Ok(None),
        Approver::Nobody(None) => match going.iter().find(|r| r.withdrawn.is_some()) {
            None => Ok(None),
            Some(r) => Err(Problem::new(Code::ReviewNeeded, format!("a supervisor signs that {} was withdrawn", r.number))),
        },
    }
}

/// The records that are whole and that a batch may hold; the numbers of the others go to `left`.
fn fitting(vault: &Vault, going: Vec<RecordRow>, most: u64, left: &mut Left) -> Result<Vec<RecordRow>, Problem> {
    let sound = sound(vault, going, &mut left.rotten)?;
    if sound.is_empty() {
        return Err(Problem::new(Code::VaultDamaged, "no waiting record is whole"));
    }
    let fits = |r: &RecordRow| r.withdrawn.is_some() || r.size <= most;
    let (fitting, oversize): (Vec<_>, Vec<_>) = sound.into_iter().partition(fits);
    left.oversize = oversize.iter().map(|r| r.number).collect();
    match left.oversize.first() {
        Some(number) if fitting.is_empty() => {
            Err(Problem::new(Code::RecordTooLarge, format!("record {number} is larger than a batch may be")))
        }
        _ => Ok(fitting),
    }
}

/// The records whose sealed bytes are those that their agent signed.
fn sound(vault: &Vault, going: Vec<RecordRow>, rotten: &mut Vec<Number>) -> Result<Vec<RecordRow>, Problem> {
    let mut sound = Vec::new();
    for record in going {
        if record.withdrawn.is_some() || is_whole(vault, &record)? {
            sound.push(record);
        } else {
            rotten.push(record.number);
        }
    }
    Ok(sound)
}

/// Whether the sealed bytes of a record are here and are those that its line names.
pub fn is_whole(vault: &Vault, record: &RecordRow) -> Result<bool, Problem> {
    let bytes = vault.sealed(record.number)?;
    Ok(bytes.is_some_and(|b| b.len() as u64 == record.size && SealedDigest::of(&b) == record.digest))
}

/// Heaps in order, none over the limits; no record is larger than a batch may be.
fn split(records: Vec<RecordRow>, lines: u64, bytes: u64) -> Vec<Vec<RecordRow>> {
    let mut heaps: Vec<Vec<RecordRow>> = Vec::new();
    let mut size = 0;
    for record in records {
        let adds = if record.withdrawn.is_some() { 0 } else { record.size };
        match heaps.last_mut() {
            Some(heap) if (heap.len() as u64) < lines && size + adds <= bytes => {
                size += adds;
                heap.push(record);
            }
            _ => {
                size = adds;
                heaps.push(vec![record]);
            }
        }
    }
    heaps
}

struct Signing<'a> {
    vault: &'a Vault,
    rights: &'a Rights,
    unit: &'a Signer,
    approver: Approver<'a>,
    approved: Option<Member>,
    closed: Minute,
}

impl Signing<'_> {
    fn chain(&self, heaps: Vec<Vec<RecordRow>>) -> Result<Vec<ClosedBatch>, Problem> {
        let (rosters, state) = (self.vault.rosters()?, self.rights.state());
        let epoch = state.epoch.ok_or(Code::UnitNotAdmitted)?;
        let (mut previous, mut sequence) = (state.head, state.last_sequence);
        let mut batches = Vec::new();
        for heap in heaps {
            sequence += 1;
            let place = Place::new(epoch, sequence).map_err(|_| Code::EpochNeeded)?;
            let facts = self.facts(place, previous, &heap)?;
            let supervisor = self.approver.at_hand().map(Supervisor::signer);
            let cosigners: &[&Signer] = match (&supervisor, facts.cosigners().is_empty()) {
                (Some(s), false) => &[s],
                _ => &[],
            };
            let payload = facts.payload_size;
            let manifest = Manifest::close(facts, self.unit, cosigners)?;
            let (id, bytes) = (manifest.id(), manifest.note().as_bytes().to_vec());
            CheckedManifest::check(manifest, rosters.as_slice())?;
            batches.push(ClosedBatch { id, place, manifest: bytes, payload, closed: self.closed, records: heap });
            previous = Some(id);
        }
        Ok(batches)
    }

    fn facts(&self, place: Place, previous: Option<BatchId>, heap: &[RecordRow]) -> Result<Facts, Problem> {
        let (mut hash, mut size) = (Sha256::new(), 0);
        let mut lines = Vec::with_capacity(heap.len());
        for record in heap {
            if let Some(withdrawn) = &record.withdrawn {
                lines.push(Line::Withdrawn(self.withdrawn(record, withdrawn)?));
                continue;
            }
            let bytes = self.vault.sealed(record.number)?.ok_or_else(|| gone(record))?;
            hash.update(&bytes);
            size += bytes.len() as u64;
            lines.push(Line::Record(record.line.clone()));
        }
        let state = self.rights.state();
        Ok(Facts {
            unit: state.unit.clone(),
            place,
            previous,
            roster: self.rights.roster().version(),
            seen: state.seen,
            closed: self.closed,
            approved: self.approved.clone(),
            payload_size: size,
            payload: Digest::from_bytes(hash.finalize().into()),
            lines,
        })
    }

    /// The supervisor who closes stands for what was withdrawn, whoever marked it: only they sign here.
    fn withdrawn(&self, record: &RecordRow, withdrawn: &Withdrawn) -> Result<WithdrawnLine, Problem> {
        let by = self.approver.at_hand().ok_or(Code::ReviewNeeded)?.name().clone();
        Ok(WithdrawnLine { number: record.number, record: record.record, reason: withdrawn.reason, by })
    }
}

fn gone(record: &RecordRow) -> Problem {
    Problem::new(Code::VaultDamaged, format!("sealed record {}", record.number))
}
