//! As much of a centre as signs and logs rosters, and opens what was sealed to it. No network, no server.

use std::path::Path;

use shared::{
    batch::Manifest,
    form::{FIRST, Form},
    id::{Blob, LogIndex, RosterVersion},
    keys::{Signer, VerifierKey},
    log::{
        BatchEntry, BatchState, Body, Consistency, Entry, Hash, HashReader, Head, TlogProof, append, checkpoint, prove_consistency,
        prove_inclusion,
    },
    outcome::{Fate, Outcome, OutcomeLine},
    roster::{
        AgentEntry, Crew, Facts, FormRef, Kept, RecipientKind, Recipients, Revocation, Roster, SupervisorEntry, UnitEntry, invented,
        request::{AgentRequest, UnitRequest},
    },
    seal::{self, Expected, Identity, Opened},
    time::Second,
};
use tlog_tiles::tlog::Error;

/// When the first roster was logged: before any clock that runs these tests.
const BEGAN: i64 = 1_790_000_000;

#[derive(Default)]
struct Stored(Vec<Hash>);

impl HashReader for Stored {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, Error> {
        Ok(indexes.iter().map(|&i| self.0[usize::try_from(i).unwrap()]).collect())
    }
}

/// The centre.
pub struct Centre {
    pub facts: Facts,
    pub working: Identity,
    roster_key: Signer,
    log_key: Signer,
    stored: Stored,
    heads: Vec<Head>,
}

fn signer(name: &str, seed: u8) -> Signer {
    Signer::from_seed(name.parse().unwrap(), &[seed; 32])
}

impl Centre {
    pub fn new() -> Self {
        let (roster_key, log_key) = (signer("registry.example/roster-1", 1), signer("registry.example/log", 2));
        let identity = |seed: u8| Identity::from_seed(RecipientKind::Hybrid, &[seed; 32]);
        let (working, recovery) = (identity(4), identity(5));
        let listed = |b: &&[u8]| FormRef { name: Form::parse(b).unwrap().name().clone(), size: b.len() as u64, blob: Blob::of(b) };
        let mut forms: Vec<FormRef> = FIRST.iter().map(listed).collect();
        forms.sort_by(|a, b| a.name.cmp(&b.name));
        let seed = |name: &str| match name {
            "registry.example/log" => 2,
            "registry.example" => 3,
            _ => 1,
        };
        let facts = Facts {
            published: Second::from_unix(BEGAN),
            expires: Second::from_unix(4_000_000_000),
            recipients: Recipients {
                working: (&working.recipient()).into(),
                recovery: (&recovery.recipient()).into(),
                auditors: vec![(&identity(6).recipient()).into()],
            },
            forms,
            units: vec![],
            agents: vec![],
            supervisors: vec![],
            ..invented::facts(|name| signer(name, seed(name)).public().clone())
        };
        Self { facts, working, roster_key, log_key, stored: Stored::default(), heads: vec![Head::EMPTY] }
    }

    pub fn roster_key(&self) -> String {
        self.roster_key.public().to_string()
    }

    /// Admits a unit's key, as the next epoch of its name.
    pub fn admit_unit(&mut self, request: &[u8]) {
        let request = UnitRequest::parse(request).unwrap();
        let epoch = 1 + self.facts.newest_epoch(&request.unit).map_or(0, |e| e.epoch);
        let entry = UnitEntry { name: request.unit, epoch, key: request.key, region: "04".into(), crew: Crew::Several };
        self.facts.units.push(entry);
        self.facts.units.sort_by_key(|u| (u.name.clone(), u.epoch));
    }

    /// Admits a key of an agent or supervisor beside those that the name has.
    pub fn admit(&mut self, request: &[u8]) {
        let AgentRequest { name, key, unit, recipient, .. } = AgentRequest::parse(request).unwrap();
        assert!(unit.is_some(), "a key on a laptop says which");
        match recipient {
            None => self.facts.agents.push(AgentEntry { name, key, unit }),
            Some(recipient) => self.facts.supervisors.push(SupervisorEntry { name, key, unit, recipient }),
        }
        self.facts.agents.sort_by_key(|a| (a.name.clone(), a.key.id()));
        self.facts.supervisors.sort_by_key(|s| (s.name.clone(), s.key.id()));
    }

    /// Ends a key from the next entry of the log on.
    pub fn cut(&mut self, key: &VerifierKey) {
        let cut = LogIndex(self.heads.last().unwrap().size);
        self.facts.revoked.push(Revocation { key: key.into(), cut, reason: "stolen".into() });
        self.facts.revoked.sort_by(|a, b| a.key.cmp(&b.key));
    }

    /// Lets an old key go on until a log time.
    pub fn keep(&mut self, key: &VerifierKey, until: i64) {
        self.facts.kept.push(Kept { key: key.into(), until: Second::from_unix(until) });
        self.facts.kept.sort_by(|a, b| a.key.cmp(&b.key));
    }

    /// Appends an entry; its proof under the head after it.
    fn log(&mut self, received: i64, body: Body) -> TlogProof {
        let before = *self.heads.last().unwrap();
        let leaf = Entry { received: Second::from_unix(received), body }.to_bytes();
        let appended = append(before.size, std::slice::from_ref(&leaf), &self.stored).unwrap();
        self.stored.0.extend(appended.hashes);
        self.heads.push(appended.head);
        let hashes = prove_inclusion(appended.head.size, before.size, &self.stored).unwrap();
        TlogProof { leaf, index: LogIndex(before.size), hashes, checkpoint: checkpoint(appended.head, &self.log_key).as_bytes().to_vec() }
    }

    /// Signs and logs the roster as it is now, and writes it with proofs and forms into a folder.
    pub fn publish(&mut self, folder: &Path) {
        let roster = Roster::sign(self.facts.clone(), &[&self.roster_key]).unwrap();
        let before = *self.heads.last().unwrap();
        let body = Body::Roster { version: self.facts.version, blob: roster.note().blob() };
        let proof = self.log(BEGAN + i64::try_from(before.size).unwrap(), body);
        let old = if before.size == 0 { vec![] } else { prove_consistency(before.size, before.size + 1, &self.stored).unwrap() };
        let consistency = Consistency { old: before.size, hashes: old, checkpoint: proof.checkpoint.clone() };
        std::fs::create_dir_all(folder).unwrap();
        std::fs::write(folder.join("roster.note"), roster.note().as_bytes()).unwrap();
        std::fs::write(folder.join("roster.proof"), proof.to_bytes()).unwrap();
        std::fs::write(folder.join("log.consistency"), consistency.to_bytes()).unwrap();
        for (n, form) in FIRST.iter().enumerate() {
            std::fs::write(folder.join(format!("form-{n}.json")), form).unwrap();
        }
        self.facts.version = RosterVersion(self.facts.version.0 + 1);
    }

    /// Logs a batch at a log time; its receipt.
    pub fn receive(&mut self, manifest: &Manifest, received: i64) -> Vec<u8> {
        let entry = BatchEntry::of(manifest, BatchState::Accepted);
        self.log(received, Body::Batch(entry)).to_bytes()
    }

    /// Signs and logs an outcome; the note and its proof.
    pub fn conclude(&mut self, manifest: &Manifest, version: u64, received: i64, fates: &[Fate]) -> (Vec<u8>, Vec<u8>) {
        let line = |(r, fate): (&shared::batch::RecordLine, &Fate)| OutcomeLine {
            number: r.facts.number,
            record: r.facts.record,
            fate: fate.clone(),
        };
        let lines = manifest.facts().records().zip(fates).map(line).collect();
        let outcome = Outcome::sign(manifest.id(), version, lines, &signer("registry.example", 3));
        let body = Body::Outcome { batch: manifest.id(), version, blob: outcome.note().blob() };
        (outcome.note().as_bytes().to_vec(), self.log(received, body).to_bytes())
    }

    /// Opens the records of a closed batch, as the opener would.
    pub fn open(&self, manifest: &Manifest, payload: &[u8]) -> Vec<Opened> {
        let facts = manifest.facts();
        let one = |(at, line): (u64, &shared::batch::RecordLine)| {
            let line = &line.facts;
            let form = FIRST.iter().map(|b| Form::parse(b).unwrap()).find(|f| *f.name() == line.form).unwrap();
            let expected = Expected {
                sealed_size: line.size,
                plain: line.plain,
                pad: form.pad(),
                record_id: line.record,
                unit: facts.unit.clone(),
                agent: line.agent.clone(),
                transaction: line.transaction,
                form: line.form.clone(),
                finished: line.finished,
            };
            let at = usize::try_from(at).unwrap();
            let sealed = &payload[at..at + usize::try_from(line.size).unwrap()];
            seal::open(sealed, &expected, std::slice::from_ref(&self.working), &seal::Limits::default()).unwrap()
        };
        facts.records_at().map(one).collect()
    }
}
