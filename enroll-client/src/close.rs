//! Close: the day's finished records become signed batches, chained to the one before.
//!
//! 1. Nothing stands against closing: roster, epoch, the centre's last word.
//! 2. Who approves: a supervisor in the roster who enrolled none of it, or nobody where that is allowed or
//!    asked for.
//! 3. Each sealed record is read again and compared with the digest that its agent signed; one that rotted
//!    stays behind and stops no other.
//! 4. The day is split where it passes the limits; a record that no batch may hold any more stays behind, too.
//! 5. Manifests are made, signed, and checked as the centre will check them.
//! 6. All of them enter the vault with the chain's advance.
//!
//! **Invariants:** what is signed names no resident; a batch that the centre would refuse is never closed.

use sha2::{Digest as _, Sha256};
use shared::{
    batch::{Facts, Line, Manifest, RecordLine, WithdrawnLine},
    id::{BatchId, Digest, Member, Number, Place, SealedDigest},
    keys::Signer,
    problem::{Code, Problem},
    roster::{Approval, Crew, TrustedRoster},
    time::{Minute, Second},
    verify::CheckedManifest,
};

use crate::{
    joining,
    vault::{CaptureSession, Vault, members::Unlocked, outbox::ClosedBatch, records::RecordRow, state::State},
};

/// Who stands behind a close.
#[derive(Clone, Copy)]
pub enum Approver<'a> {
    /// A supervisor approves.
    Supervisor(&'a Unlocked),
    /// Nobody approves; a supervisor at hand signs for what was withdrawn.
    Nobody(Option<&'a Unlocked>),
}

/// What a close made.
pub struct Closed {
    /// The new batches: id, place, records, bytes of payload.
    pub batches: Vec<(BatchId, Place, usize, u64)>,
    /// Who approved.
    pub approved: Option<Member>,
    /// The roster demands an approval that is not there: the centre will hold these records.
    pub will_wait: bool,
    /// Records that stay behind because their sealed bytes are not those that were signed.
    pub rotten: Vec<Number>,
    /// Records that stay behind because the roster has lowered its limit below their size since they were finished.
    pub oversize: Vec<Number>,
}

/// Closes everything that waits.
pub fn close(vault: &Vault, session: &CaptureSession, approver: Approver<'_>, now: Second) -> Result<Closed, Problem> {
    // 1. nothing stands against it
    let state = vault.state()?;
    state.standing.may_close()?;
    let roster = vault.demand_roster()?;
    let crew = joining::demand_unit(&roster, &state)?;
    let waiting = vault.unbatched()?;
    if waiting.is_empty() {
        return Err(Code::NothingToDo.into());
    }
    let closed = state.unit_time(now).minute();
    // 2. who approves
    let approved = demand_approver(approver, &roster, crew, &waiting)?;
    // 3. the sealed bytes are those that were signed
    let (sound, rotten) = sound(vault, waiting)?;
    if sound.is_empty() {
        return Err(Problem::new(Code::VaultDamaged, "no waiting record is whole"));
    }
    // 4. within the limits
    let fits = |r: &RecordRow| r.withdrawn.is_some() || r.size <= roster.facts().limits.batch;
    let (fitting, oversize): (Vec<_>, Vec<_>) = sound.into_iter().partition(fits);
    let oversize: Vec<Number> = oversize.iter().map(|r| r.number).collect();
    if let (true, Some(number)) = (fitting.is_empty(), oversize.first()) {
        return Err(Problem::new(Code::RecordTooLarge, format!("record {number} is larger than a batch may be")));
    }
    let heaps = split(fitting, roster.facts().limits.lines, roster.facts().limits.batch);
    // 5. signed and checked
    let unit = vault.unit_keys()?.signer;
    let signing = Signing { vault, state: &state, roster: &roster, unit: &unit, approver, approved: approved.clone(), closed };
    let batches = signing.chain(heaps)?;
    // 6. into the vault, with the chain's advance
    vault.store_closed(session, &batches)?;
    let will_wait = approved.is_none() && demanded(&roster, &batches, closed);
    let batches = batches.iter().map(|b| (b.id, b.place, b.records.len(), b.payload)).collect();
    Ok(Closed { batches, approved, will_wait, rotten, oversize })
}

/// Whether the roster lets a close without approval through: so many hours after the earliest record.
pub fn may_close_unapproved(roster: &TrustedRoster, waiting: &[RecordRow], closed: Minute) -> bool {
    let earliest = waiting.iter().filter(|r| r.withdrawn.is_none()).map(|r| r.finished).min();
    match (roster.facts().approval, earliest) {
        (Approval::None, _) | (_, None) => true,
        (Approval::Required, _) => false,
        (Approval::After { hours }, Some(earliest)) => {
            closed.unix_minutes() - earliest.unix_minutes() >= i64::try_from(hours).unwrap_or(i64::MAX).saturating_mul(60)
        }
    }
}

fn demanded(roster: &TrustedRoster, batches: &[ClosedBatch], closed: Minute) -> bool {
    batches.iter().any(|b| !may_close_unapproved(roster, &b.records, closed))
}

fn demand_approver(approver: Approver<'_>, roster: &TrustedRoster, crew: Crew, waiting: &[RecordRow]) -> Result<Option<Member>, Problem> {
    let listed = |s: &Unlocked| {
        joining::demand_member(roster, &s.name, s.signer.public())?;
        let supervisor = roster.facts().supervisor(&s.name).is_some();
        if supervisor { Ok(()) } else { Err(Problem::new(Code::AgentNotAdmitted, format!("{} is no supervisor in the roster", s.name))) }
    };
    match approver {
        Approver::Supervisor(supervisor) => {
            listed(supervisor)?;
            let own = waiting.iter().filter(|r| r.withdrawn.is_none()).find(|r| r.agent == supervisor.name);
            match own {
                Some(own) if crew != Crew::Alone => Err(Problem::new(Code::SelfApproval, format!("record {}", own.number))),
                _ => Ok(Some(supervisor.name.clone())),
            }
        }
        Approver::Nobody(Some(supervisor)) => listed(supervisor).map(|()| None),
        Approver::Nobody(None) => match waiting.iter().find(|r| r.withdrawn.is_some()) {
            None => Ok(None),
            Some(r) => Err(Problem::new(Code::ReviewNeeded, format!("a supervisor signs that {} was withdrawn", r.number))),
        },
    }
}

/// The records whose sealed bytes are those that their agent signed, and the numbers of the others.
fn sound(vault: &Vault, waiting: Vec<RecordRow>) -> Result<(Vec<RecordRow>, Vec<Number>), Problem> {
    let (mut sound, mut rotten) = (Vec::new(), Vec::new());
    for record in waiting {
        if record.withdrawn.is_some() || is_whole(vault, &record)? {
            sound.push(record);
        } else {
            rotten.push(record.number);
        }
    }
    Ok((sound, rotten))
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
    state: &'a State,
    roster: &'a TrustedRoster,
    unit: &'a Signer,
    approver: Approver<'a>,
    approved: Option<Member>,
    closed: Minute,
}

impl Signing<'_> {
    fn chain(&self, heaps: Vec<Vec<RecordRow>>) -> Result<Vec<ClosedBatch>, Problem> {
        let rosters = self.vault.rosters()?;
        let epoch = self.state.epoch.ok_or(Code::UnitNotAdmitted)?;
        let (mut previous, mut sequence) = (self.state.head, self.state.last_sequence);
        let mut batches = Vec::new();
        for heap in heaps {
            sequence += 1;
            let place = Place::new(epoch, sequence).map_err(|_| Code::EpochNeeded)?;
            let facts = self.facts(place, previous, &heap)?;
            let supervisor = match self.approver {
                Approver::Supervisor(s) | Approver::Nobody(Some(s)) => Some(&s.signer),
                Approver::Nobody(None) => None,
            };
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
            if let Some((reason, _)) = &record.withdrawn {
                lines.push(Line::Withdrawn(self.withdrawn(record, reason)?));
                continue;
            }
            let bytes = self.vault.sealed(record.number)?.ok_or_else(|| gone(record))?;
            hash.update(&bytes);
            size += bytes.len() as u64;
            lines.push(Line::Record(RecordLine::parse(&record.line)?));
        }
        Ok(Facts {
            unit: self.state.unit.clone(),
            place,
            previous,
            roster: self.roster.version(),
            seen: self.state.seen,
            closed: self.closed,
            approved: self.approved.clone(),
            payload_size: size,
            payload: Digest::from_bytes(hash.finalize().into()),
            lines,
        })
    }

    /// The supervisor who closes stands for what was withdrawn, whoever marked it: only they sign here.
    fn withdrawn(&self, record: &RecordRow, reason: &str) -> Result<WithdrawnLine, Problem> {
        let by = match self.approver {
            Approver::Supervisor(s) | Approver::Nobody(Some(s)) => s.name.clone(),
            Approver::Nobody(None) => return Err(Code::ReviewNeeded.into()),
        };
        let reason = reason.parse().map_err(|_| Code::ReasonUnknown)?;
        Ok(WithdrawnLine { number: record.number, record: record.record, reason, by })
    }
}

fn gone(record: &RecordRow) -> Problem {
    Problem::new(Code::VaultDamaged, format!("sealed record {}", record.number))
}
