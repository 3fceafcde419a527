//! A small centre that logs what it is told: two units, agents, supervisors and adjudicators, whose keys may be replaced and cut.

use std::{collections::BTreeMap, sync::Arc};

use rules::{Batch, Delivered, Found, Line, Withdrawal, force};
use shared::{
    decision::{Decision, DecisionLine, Reason, RecordKey, Said, Subject, case_of_batch, case_of_record},
    id::{BatchId, Digest, LogIndex, Member, NoteId, Number, Place, RosterVersion},
    keys::{KeyRef, VerifierKey},
    log::BatchState,
    outcome::Fate,
    problem::Code,
    roster::{Approval, Facts, Revocation, StaffEntry, UnitEntry, invented},
    rules::Rules,
    time::Second,
};

use crate::{
    drafts::{Draft, Sending, batch, draft, key, member, signer},
    log::{Entry, Log, Sent, What},
    memory::Memory,
};

/// The centre.
#[derive(Clone)]
pub struct World {
    pub log: Log,
    pub facts: Facts,
    pub now: i64,
    sequences: BTreeMap<(Member, u32), (u64, Option<BatchId>)>,
}

/// Log time of the first entry.
const START: i64 = 1_790_000_000;

impl World {
    pub fn new() -> Self {
        Self::with(|_| {})
    }

    /// With another first roster.
    pub fn with(change: impl FnOnce(&mut Facts)) -> Self {
        let mut facts = invented::facts(|name| signer(name, 1).public().clone());
        facts.version = RosterVersion(0);
        facts.forms.push(shared::roster::FormRef { name: "residence/1".parse().expect("a form"), ..facts.forms[0].clone() });
        let van_2 = UnitEntry { name: member("van-2"), key: signer("van-2", 1).public().clone(), ..facts.units[0].clone() };
        facts.units.push(van_2);
        for name in ["agent-2", "agent-3"] {
            facts.agents.push(shared::roster::AgentEntry { name: member(name), key: signer(name, 1).public().clone(), unit: None });
        }
        let second = facts.supervisors[0].clone();
        facts.supervisors.push(shared::roster::SupervisorEntry {
            name: member("supervisor-2"),
            key: signer("supervisor-2", 1).public().clone(),
            ..second
        });
        for name in ["amina", "brahim", "chadi"] {
            facts.adjudicators.push(StaffEntry { name: member(name), key: signer(name, 1).public().clone() });
        }
        let mut world = Self { log: Log::default(), facts, now: START, sequences: BTreeMap::new() };
        world.roster(change);
        world
    }

    fn push(&mut self, what: What) -> LogIndex {
        self.now += 1;
        self.log.push(Entry { received: Second::from_unix(self.now), what })
    }

    pub fn wait(&mut self, seconds: i64) {
        self.now += seconds;
        self.push(What::Time);
    }

    /// The next roster.
    pub fn roster(&mut self, change: impl FnOnce(&mut Facts)) -> LogIndex {
        change(&mut self.facts);
        self.facts.version = RosterVersion(self.facts.version.0 + 1);
        self.push(What::Roster(Arc::new(self.facts.clone())))
    }

    /// The next roster cuts a key; never to later than an earlier one did.
    pub fn cut(&mut self, cut_key: &KeyRef, cut: LogIndex) -> LogIndex {
        self.roster(|facts| {
            let before = facts.revocation(cut_key).map_or(cut, |before| before.cut);
            facts.revoked.retain(|revoked| revoked.key != *cut_key);
            facts.revoked.push(Revocation { key: cut_key.clone(), cut: cut.min(before), reason: "stolen".into() });
        })
    }

    /// Sends a batch into the next place of its epoch, unless it names one.
    pub fn send(&mut self, mut sending: Sending) -> BatchId {
        let place = self.sequences.entry((sending.unit.clone(), sending.epoch)).or_default();
        if sending.sequence == 0 {
            (sending.sequence, sending.previous) = (place.0 + 1, place.1);
        }
        let id = sending.id();
        if sending.sequence > place.0 {
            *place = (sending.sequence, Some(id));
        }
        self.deliver(&sending)
    }

    /// Logs a batch as it is; the same again is the same once.
    pub fn deliver(&mut self, sending: &Sending) -> BatchId {
        let id = sending.id();
        if self.log.batches.contains_key(&id) {
            return id;
        }
        let roster = sending.roster.unwrap_or(self.facts.version);
        let mut lines = Vec::new();
        let mut broken = Vec::new();
        for record in &sending.records {
            let line = lines.len() as u64;
            self.log.says.entry(record.key()).or_insert_with(|| record.says.clone());
            if record.broken {
                broken.push(line);
                self.log.broken.insert(record.key());
            }
            let number = Number::new(sending.epoch, record.number).expect("a number");
            lines.push(Line::Record(Delivered {
                line,
                key: record.key(),
                number,
                roster,
                agent: record.agent.clone(),
                found: record.found,
            }));
        }
        for (number, by) in &sending.withdrawn {
            let number = Number::new(sending.epoch, *number).expect("a number");
            lines.push(Line::Withdrawn(Withdrawal { unit: sending.unit.clone(), number, by: by.clone() }));
        }
        let unit_key = key(sending.unit.as_str(), u8::try_from(sending.epoch).expect("small"));
        let batch = Batch {
            id,
            index: self.log.next(),
            received: Second::from_unix(self.now + 1),
            unit: sending.unit.clone(),
            place: Place::new(sending.epoch, sending.sequence).expect("a place"),
            state: BatchState::Accepted,
            roster,
            unit_key,
            approver: sending.approver.clone(),
        };
        self.log.batches.insert(id, Sent { batch, previous: sending.previous, lines, broken });
        let state = self.state(id, sending.fork);
        self.log.batches.get_mut(&id).expect("just put in").batch.state = state;
        self.push(What::Batch(id));
        id
    }

    /// As the sequencer says it: the first that fits.
    fn state(&self, id: BatchId, fork: bool) -> BatchState {
        let Sent { batch, .. } = &self.log.batches[&id];
        let next = self.log.next();
        let linked = force::would_link(&self.log, id, &batch.unit_key).expect("marked");
        let counts = |key: &KeyRef| self.life(key).counts(next, linked).counts();
        let required = self.log.roster(batch.roster).expect("logged").facts.approval == Approval::Required;
        match () {
            () if !counts(&batch.unit_key) => BatchState::Quarantined(Code::Revoked),
            () if self.log.frozen(&batch.unit_key).is_some_and(|at| linked.is_none_or(|head| head >= at)) => {
                BatchState::Quarantined(Code::Frozen)
            }
            () if fork => BatchState::Quarantined(Code::Fork),
            () if required && batch.approver.as_ref().is_some_and(|key| !counts(key)) => BatchState::Quarantined(Code::ApproverRevoked),
            () if required && batch.approver.is_none() => BatchState::Quarantined(Code::Unapproved),
            () => BatchState::Accepted,
        }
    }

    /// For what is logged next.
    fn life(&self, key: &KeyRef) -> shared::force::Life {
        let mut life = self.log.life(key, self.log.next());
        if life.end.is_none() && self.facts.kept_until(key).is_some_and(|until| until.unix() < self.now + 1) {
            life.end = Some(self.log.next());
        }
        life
    }

    /// Logs a head, if its key counts.
    pub fn head(&mut self, unit: &str, epoch: u8, id: BatchId) -> Option<LogIndex> {
        let by = key(unit, epoch);
        self.life(&by).counts(self.log.next(), None).counts().then(|| self.push(What::Head(by, id)))
    }

    /// From here on this version of the rules holds.
    pub fn rules(&mut self, rules: Rules) -> LogIndex {
        self.push(What::Rules(rules))
    }

    pub fn freeze(&mut self, key: &KeyRef) {
        self.push(What::Freeze(key.clone()));
    }

    pub fn opened(&mut self, id: BatchId) -> LogIndex {
        self.push(What::Opened(id))
    }

    pub fn erase(&mut self, record: &RecordKey) -> LogIndex {
        self.push(What::Erase(record.clone()))
    }

    /// Logs a decision, if its signer counts and its text is new.
    pub fn says(&mut self, who: &str, nth: u8, said: Said) -> Option<NoteId> {
        let (by, note) = (key(who, nth), Decision::sign(&self.facts.centre, said, &signer(who, nth)).expect("canonical"));
        let again = matches!(note.said(), Said::Lines(_)) && self.log.decisions().any(|(_, _, other)| other.id() == note.id());
        if again || !self.life(&by).counts(self.log.next(), None).counts() {
            return None;
        }
        let id = note.id();
        self.push(What::Decision(by, Arc::new(note)));
        Some(id)
    }

    /// Logs a note whoever signed it.
    pub fn force_note(&mut self, who: &str, said: Said) {
        let note = Decision::sign(&self.facts.centre, said, &signer(who, 1)).expect("canonical");
        self.push(What::Decision(key(who, 1), Arc::new(note)));
    }

    pub fn decide(&mut self, who: &str, lines: Vec<DecisionLine>) -> NoteId {
        self.says(who, 1, Said::Lines(lines)).expect("logged")
    }

    pub fn confirm(&mut self, who: &str, first: NoteId) {
        self.says(who, 1, Said::Confirm(first)).expect("logged");
    }

    pub fn memory(&self) -> Memory {
        let memory = Memory::of(self.log.clone());
        memory.fold();
        memory
    }

    /// A decision about this subject as somebody writes it who sees everything as it is now.
    pub fn line(&self, subject: Subject) -> DecisionLine {
        line_in(&self.memory(), subject)
    }

    pub fn fate(&self, draft: &Draft) -> Fate {
        self.memory().fate(&draft.key())
    }

    /// The code under which a record is held; none when it is not.
    pub fn held(&self, draft: &Draft) -> Option<Code> {
        match self.fate(draft) {
            Fate::Held(code, _) => Some(code),
            _ => None,
        }
    }

    pub fn is_merged(&self, draft: &Draft, into: &Draft) -> bool {
        self.fate(draft) == Fate::Merged(into.reference())
    }
}

/// The same, of what an engine shows.
pub fn line_in(memory: &Memory, subject: Subject) -> DecisionLine {
    let (replaces, case) = match &subject {
        Subject::Record(key, _) => memory.peek(|state| match state.records.get(key) {
            None => (None, Digest::of(b"")),
            Some(record) => {
                let code = match &record.fate {
                    Fate::Merged(_) => None,
                    Fate::Held(code, _) | Fate::Refused(code) => Some(*code),
                };
                (record.decision, case_of_record(key, code, &record.against))
            }
        }),
        Subject::Batch(id, _) => {
            let code = match memory.log.batches.get(id) {
                Some(sent) if sent.batch.index < memory.log.next() => force::code(memory, &sent.batch, memory.log.next()).expect("known"),
                _ => None,
            };
            (memory.peek(|state| state.batches_decided.get(id).map(|(decision, _)| *decision)), case_of_batch(*id, code))
        }
    };
    DecisionLine { subject, replaces, case, reason: Reason::Mistake }
}

impl World {
    /// A batch takes its place and stays on its stick.
    pub fn placed(&mut self, mut sending: Sending) -> Sending {
        let place = self.sequences.entry((sending.unit.clone(), sending.epoch)).or_default();
        (sending.sequence, sending.previous) = (place.0 + 1, place.1);
        *place = (sending.sequence, Some(sending.id()));
        sending
    }

    /// The newest batch of an epoch, logged or not.
    pub fn newest_place(&self, unit: &str, epoch: u32) -> Option<BatchId> {
        self.sequences.get(&(member(unit), epoch))?.1
    }

    /// The records of a batch in the unit's next place, of another agent.
    pub fn send_again(&mut self, id: BatchId, agent: &KeyRef) -> BatchId {
        let Sent { batch: first, lines, .. } = self.log.batches[&id].clone();
        let again = |line: &Line| match line {
            Line::Record(line) => Some(Draft {
                unit: line.key.unit.clone(),
                record: line.key.record,
                version: u8::from(draft(line.key.unit.as_str(), 1, "").with_id(line.key.record).key() != line.key),
                number: line.number.number,
                agent: agent.clone(),
                says: self.log.says[&line.key].clone(),
                found: Found::Signed,
                broken: false,
            }),
            Line::Withdrawn(_) => None,
        };
        let records = lines.iter().filter_map(again).collect();
        self.send(Sending { unit: first.unit, epoch: first.place.epoch, approver: first.approver, ..batch(records) })
    }

    /// Lists a new key of a name.
    pub fn admit(facts: &mut Facts, name: &str, nth: u8, key: VerifierKey) {
        if let Some(old) = facts.units.iter().find(|unit| unit.name.as_str() == name).cloned() {
            facts.units.push(UnitEntry { epoch: u32::from(nth), key, ..old });
        } else if let Some(old) = facts.agents.iter().find(|agent| agent.name.as_str() == name).cloned() {
            facts.agents.push(shared::roster::AgentEntry { key, ..old });
        } else if let Some(old) = facts.supervisors.iter().find(|supervisor| supervisor.name.as_str() == name).cloned() {
            facts.supervisors.push(shared::roster::SupervisorEntry { key, ..old });
        }
    }
}
