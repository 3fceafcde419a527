//! From received to verified: who signed a manifest, under which roster, and whether the payload is the one signed.
//! Nothing is decrypted here.
//!
//! Steps, in this order (nothing to the right runs when a left one failed): size → syntax (`batch.rs`) → the rosters
//! named are known → 1. signature lines → 2. limits → 3. record lines → 4. approval → payload digest.
//!
//! Keys are looked up by the id that a signature line gives: a name may have several, each on another laptop.
//!
//! **Trust:** a [`CheckedManifest`] is authentic; a [`VerifiedBatch`] has exactly the payload that was signed.
//! Single records are judged by the opener, so that one bad record never stops another.

use sha2::{Digest as _, Sha256};

use crate::{
    batch::{Facts, Manifest},
    id::{Digest, Member, RosterVersion},
    keys::KeyRef,
    log::BatchState,
    note::NoteError,
    problem::{Code, Problem},
    roster::{Approval, Crew, TrustedRoster},
};

/// A manifest whose signatures are those that its roster demands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedManifest {
    manifest: Manifest,
    unit_key: KeyRef,
    cosigners: Vec<KeyRef>,
    state: BatchState,
}

/// Gives the roster of a version, if it is known here.
pub trait Rosters {
    /// The roster of this version.
    fn roster(&self, version: RosterVersion) -> Option<&TrustedRoster>;
}

impl Rosters for [TrustedRoster] {
    fn roster(&self, version: RosterVersion) -> Option<&TrustedRoster> {
        self.iter().find(|r| r.version() == version)
    }
}

impl CheckedManifest {
    /// Checks a manifest against the rosters that it names.
    pub fn check(manifest: Manifest, rosters: &(impl Rosters + ?Sized)) -> Result<Self, Problem> {
        let facts = manifest.facts();
        let unknown = |version: RosterVersion| Problem::new(Code::RosterUnknown, format!("roster {version}"));
        let roster = rosters.roster(facts.roster).ok_or_else(|| unknown(facts.roster))?;
        if let Some(line) = facts.records().find(|line| rosters.roster(line.facts.roster).is_none()) {
            return Err(unknown(line.facts.roster));
        }
        let (unit_key, cosigners) = signatures(&manifest, roster)?;
        limits(facts, roster)?;
        for line in facts.records() {
            // 3. each line with the key that its own roster gives the agent
            let of_line = rosters.roster(line.facts.roster).ok_or_else(|| unknown(line.facts.roster))?;
            let name = &line.facts.agent;
            let key = of_line.facts().line_key(name, &facts.unit, line.key_id()).ok_or_else(|| {
                let code = if of_line.facts().enrols(name) { Code::RecordSignature } else { Code::KeyUnknown };
                Problem::new(code, format!("agent of record {}", line.facts.number))
            })?;
            line.verify(&facts.unit, key)?;
        }
        let state = approval(facts, roster);
        Ok(Self { manifest, unit_key, cosigners, state })
    }

    /// The manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }
    /// What it says.
    pub fn facts(&self) -> &Facts {
        self.manifest.facts()
    }
    /// The unit's key that signed it.
    pub fn unit_key(&self) -> &KeyRef {
        &self.unit_key
    }
    /// The supervisors' keys that signed it: the approver's first, where somebody approved, then those who withdrew.
    pub fn cosigners(&self) -> &[KeyRef] {
        &self.cosigners
    }
    /// Accepted, or quarantined for want of an approval. Chain and keys are the centre's to judge.
    pub fn approval_state(&self) -> BatchState {
        self.state
    }
    /// Does a later roster forbid what the one that it names allows?
    pub fn forbidden_by(&self, later: &TrustedRoster) -> bool {
        let forbidden = limits(self.facts(), later).is_err() || approval(self.facts(), later) != BatchState::Accepted;
        self.state == BatchState::Accepted && forbidden
    }
}

/// 1. The unit's key of the manifest's epoch, the approver's, then those of other withdrawing supervisors by name.
fn signatures(manifest: &Manifest, roster: &TrustedRoster) -> Result<(KeyRef, Vec<KeyRef>), Problem> {
    let facts = manifest.facts();
    let roster = roster.facts();
    if roster.newest_epoch(&facts.unit).is_none() {
        return Err(Problem::new(Code::KeyUnknown, "unit"));
    }
    let unit = roster.unit(&facts.unit, facts.place.epoch).ok_or(Code::EpochUnknown)?;
    let mut keys = vec![&unit.key];
    let mut claimed = manifest.note().claimed_keys().into_iter().skip(1);
    let mut foreign = false;
    for name in facts.cosigners() {
        let id = claimed.next();
        let named = id.and_then(|id| roster.supervisor(name, &facts.unit, id)).map(|s| &s.key);
        foreign |= id.is_some() && named.is_none();
        // what is wrong with a signature line is told by the name's first key, which must not let it pass
        let first = || roster.supervisors.iter().find(|s| s.name == *name).map(|s| &s.key);
        keys.push(named.or_else(first).ok_or_else(|| Problem::new(Code::KeyUnknown, "supervisor"))?);
    }
    match manifest.note().verify(&keys) {
        Ok(()) if foreign => Err(Code::KeyWrong.into()),
        Ok(()) => Ok((KeyRef::from(keys[0]), keys[1..].iter().map(|key| KeyRef::from(*key)).collect())),
        // a note that somebody else signed in place of the unit
        Err(NoteError::Signatures) if manifest.note().claimed_signers().first() != Some(&unit.key.name().as_str()) => {
            Err(Code::KeyUnknown.into())
        }
        Err(e) => Err(e.into()),
    }
}

/// 2. Lines and bytes that the roster admits.
///
/// The size of a single record is the opener's to judge: one that is too large must not take its batch along.
fn limits(facts: &Facts, roster: &TrustedRoster) -> Result<(), Problem> {
    let limits = roster.facts().limits;
    if facts.lines.len() as u64 > limits.lines {
        return Err(Code::LinesTooMany.into());
    }
    if facts.payload_size > limits.batch {
        return Err(Code::BatchTooLarge.into());
    }
    Ok(())
}

/// 4. `approved none` is always taken; where the roster demands an approval it only keeps the batch from merging.
fn approval(facts: &Facts, roster: &TrustedRoster) -> BatchState {
    if facts.records().next().is_none() {
        return BatchState::Accepted;
    }
    let Some(approver) = &facts.approved else {
        let demanded = roster.facts().approval == Approval::Required;
        return if demanded { BatchState::Quarantined(Code::Unapproved) } else { BatchState::Accepted };
    };
    let alone = roster.facts().unit(&facts.unit, facts.place.epoch).is_some_and(|u| u.crew == Crew::Alone);
    let own = |agent: &Member| agent == approver;
    if !alone && facts.records().any(|r| own(&r.facts.agent)) {
        return BatchState::Quarantined(Code::SelfApproved);
    }
    BatchState::Accepted
}

/// A batch all of whose bytes have arrived and are durable.
#[derive(Debug)]
pub struct ReceivedBatch(CheckedManifest);

/// A batch whose payload is the one that its manifest signs.
#[derive(Debug, Clone)]
pub struct VerifiedBatch(CheckedManifest);

/// Hashes a payload while it is read.
#[derive(Clone)]
pub struct PayloadHash {
    hash: Sha256,
    size: u64,
}

impl Default for PayloadHash {
    fn default() -> Self {
        Self { hash: Sha256::new(), size: 0 }
    }
}

impl PayloadHash {
    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.hash.update(bytes);
        self.size += bytes.len() as u64;
    }
    /// Size and digest.
    pub fn finish(self) -> (u64, Digest) {
        (self.size, Digest::from_bytes(self.hash.finalize().into()))
    }
}

impl ReceivedBatch {
    /// All bytes are durable in staging: the caller's word, which the digest then checks.
    pub fn new(manifest: CheckedManifest) -> Self {
        Self(manifest)
    }

    /// The payload that was read from staging is the one signed. A wrong one stays wanted, from offset 0.
    pub fn verify(self, payload: PayloadHash) -> Result<VerifiedBatch, Problem> {
        let (size, digest) = payload.finish();
        let facts = self.0.facts();
        if size < facts.payload_size {
            return Err(Code::PayloadTruncated.into());
        }
        if size != facts.payload_size || digest != facts.payload {
            return Err(Code::PayloadCorrupt.into());
        }
        Ok(VerifiedBatch(self.0))
    }
}

impl VerifiedBatch {
    /// Its manifest.
    pub fn checked(&self) -> &CheckedManifest {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        batch::{
            Line, RecordLine,
            tests::{closed, facts, line},
        },
        note::Note,
        roster::{Roster, tests as rosters, tests::signer},
    };

    fn roster(change: impl FnOnce(&mut crate::roster::Facts)) -> Vec<TrustedRoster> {
        let one = signer("registry.example/roster-1", 1);
        let mut facts = rosters::facts();
        change(&mut facts);
        vec![Roster::sign(facts, &[&one]).and_then(|r| r.trust_anchored(one.public())).expect("roster")]
    }

    fn check(manifest: Manifest, rosters: &[TrustedRoster]) -> Result<CheckedManifest, Code> {
        CheckedManifest::check(manifest, rosters).map_err(|p| p.code)
    }

    #[test]
    fn authentic_manifest_passes_and_every_byte_counts() {
        let rosters = roster(|_| ());
        let manifest = closed(facts(&[b"one", b"two!"]));
        assert_eq!(check(manifest.clone(), &rosters).map(|c| c.approval_state()), Ok(BatchState::Accepted));
        for at in 0..manifest.note().as_bytes().len() {
            let mut bytes = manifest.note().as_bytes().to_vec();
            bytes[at] ^= 1;
            let passed = Manifest::parse(&bytes).map_err(|p| p.code).and_then(|m| check(m, &rosters));
            assert!(passed.is_err(), "byte {at}");
        }
    }

    #[test]
    fn wrong_unknown_and_missing_signers_have_codes_of_their_own() {
        let rosters = roster(|_| ());
        let text = closed(facts(&[b"one"])).note().text().to_owned();
        let signed =
            |keys: &[&crate::keys::Signer]| check(Manifest::parse(Note::sign(&text, keys).as_bytes()).expect("note"), &rosters).map(|_| ());
        let (van, supervisor) = (signer("van-1", 10), signer("supervisor-1", 12));
        assert_eq!(signed(&[&van, &supervisor]), Ok(()));
        assert_eq!(signed(&[&van]), Err(Code::CosignatureMissing));
        assert_eq!(signed(&[&signer("van-1", 77), &supervisor]), Err(Code::KeyWrong));
        assert_eq!(signed(&[&signer("van-9", 10), &supervisor]), Err(Code::KeyUnknown));
        assert_eq!(signed(&[&supervisor, &van]), Err(Code::KeyUnknown));
        assert_eq!(signed(&[&van, &supervisor, &van]), Err(Code::NoteSignatures));
        let gone = roster(|f| f.units.clear());
        assert_eq!(check(closed(facts(&[b"one"])), &gone), Err(Code::KeyUnknown));
        let epoch = roster(|f| f.units[0].epoch = 2);
        assert_eq!(check(closed(facts(&[b"one"])), &epoch), Err(Code::EpochUnknown));
        assert_eq!(check(closed(facts(&[b"one"])), &[]), Err(Code::RosterUnknown));
    }

    #[test]
    fn a_roster_that_is_not_known_is_no_verdict_whatever_else_is_wrong() {
        // its lines are of roster 1, which is not here, and the unit's signature is another's
        let mut facts = facts(&[b"one"]);
        facts.roster = RosterVersion(2);
        let forged = Note::sign(closed(facts).note().text(), &[&signer("van-1", 77), &signer("supervisor-1", 12)]);
        let second = roster(|f| f.version = RosterVersion(2));
        assert_eq!(check(Manifest::parse(forged.as_bytes()).expect("note"), &second), Err(Code::RosterUnknown));
    }

    #[test]
    fn a_colleague_cannot_sign_in_an_agents_name() {
        let rosters = roster(|_| ());
        let mut forged = facts(&[b"one"]);
        let unit: Member = "van-1".parse().expect("name");
        forged.lines[0] = Line::Record(RecordLine::sign(line(1, b"one").facts, &unit, &signer("agent-1", 99)));
        assert_eq!(check(closed(forged), &rosters), Err(Code::RecordSignature));
    }

    #[test]
    fn approval_is_a_matter_of_the_roster() {
        let state = |change: fn(&mut crate::roster::Facts), approver: Option<&str>, agent: &str| {
            let rosters = roster(change);
            let mut facts = facts(&[b"one"]);
            facts.approved = approver.map(|a| a.parse().expect("name"));
            let mut line_facts = line(1, b"one").facts;
            line_facts.agent = agent.parse().expect("name");
            let key = if agent == "agent-1" { signer(agent, 11) } else { signer(agent, 12) };
            facts.lines[0] = Line::Record(RecordLine::sign(line_facts, &facts.unit, &key));
            let supervisor = signer("supervisor-1", 12);
            let cosigners: &[&crate::keys::Signer] = if approver.is_some() { &[&supervisor] } else { &[] };
            let manifest = Manifest::close(facts, &signer("van-1", 10), cosigners).expect("canonical");
            check(manifest, &rosters).expect("authentic").approval_state()
        };
        let (unapproved, own) = (BatchState::Quarantined(Code::Unapproved), BatchState::Quarantined(Code::SelfApproved));
        assert_eq!(state(|_| (), None, "agent-1"), unapproved);
        assert_eq!(state(|f| f.approval = Approval::None, None, "agent-1"), BatchState::Accepted);
        assert_eq!(state(|_| (), Some("supervisor-1"), "supervisor-1"), own);
        assert_eq!(state(|f| f.units[0].crew = Crew::Alone, Some("supervisor-1"), "supervisor-1"), BatchState::Accepted);
    }

    #[test]
    fn a_later_roster_forbids_what_the_named_one_allowed() {
        let free = roster(|f| f.approval = Approval::None);
        let mut unapproved = facts(&[b"one", b"two!"]);
        unapproved.approved = None;
        let manifest = Manifest::close(unapproved, &signer("van-1", 10), &[]).expect("canonical");
        let checked = check(manifest, &free).expect("authentic");
        let forbids = |change: fn(&mut crate::roster::Facts)| checked.forbidden_by(&roster(change)[0]);
        assert!(!forbids(|f| f.approval = Approval::None));
        assert!(forbids(|_| ()), "an approval is demanded now");
        assert!(forbids(|f| (f.approval, f.limits.lines) = (Approval::None, 1)));
        let approved = check(closed(facts(&[b"one"])), &roster(|_| ())).expect("authentic");
        assert_eq!(approved.cosigners(), [KeyRef::from(signer("supervisor-1", 12).public())]);
        assert!(!approved.forbidden_by(&roster(|_| ())[0]));
    }

    #[test]
    fn a_key_that_is_bound_to_a_laptop_signs_for_no_other() {
        let at = |unit: &str| {
            let unit: Member = unit.parse().expect("name");
            check(closed(facts(&[b"one"])), &roster(|f| f.agents[0].unit = Some(unit.clone()))).map(drop)
        };
        assert_eq!((at("van-1"), at("van-2")), (Ok(()), Err(Code::RecordSignature)));
        let supervisor = |unit: &str| {
            let unit: Member = unit.parse().expect("name");
            check(closed(facts(&[b"one"])), &roster(|f| f.supervisors[0].unit = Some(unit.clone()))).map(drop)
        };
        assert_eq!((supervisor("van-1"), supervisor("van-2")), (Ok(()), Err(Code::KeyWrong)));
    }

    #[test]
    fn limits_of_the_roster_hold() {
        let limited = |change: fn(&mut crate::roster::Facts)| check(closed(facts(&[b"one", b"two!"])), &roster(change)).map(|_| ());
        assert_eq!(limited(|f| (f.limits.lines, f.limits.batch) = (2, 7)), Ok(()), "just so many are admitted");
        assert_eq!(limited(|f| f.limits.lines = 1), Err(Code::LinesTooMany));
        assert_eq!(limited(|f| f.limits.batch = 6), Err(Code::BatchTooLarge));
        assert_eq!(limited(|f| f.limits.record = 3), Ok(()), "the opener refuses that one record");
    }

    #[test]
    fn a_damaged_payload_stays_wanted() {
        let checked = CheckedManifest::check(closed(facts(&[b"one"])), &roster(|_| ())[..]).expect("authentic");
        let verdict = |bytes: &[u8]| {
            let mut hash = PayloadHash::default();
            hash.update(bytes);
            ReceivedBatch::new(checked.clone()).verify(hash).map(|_| ()).map_err(|p| p.code)
        };
        assert_eq!(verdict(b"one"), Ok(()));
        assert_eq!(verdict(b"onE"), Err(Code::PayloadCorrupt));
        assert_eq!(verdict(b"on"), Err(Code::PayloadTruncated));
        assert_eq!(verdict(b"one!"), Err(Code::PayloadCorrupt));
    }
}
