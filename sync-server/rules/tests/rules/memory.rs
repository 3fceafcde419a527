//! An engine in memory: a log, and what the rules wrote, in plain maps.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use rules::{
    Advanced, Batch, Delivered, Engine, Event, Found, Holder, Kind, Line, Record, Standing, Withdrawal, advance,
    engine::{BatchDecided, DecisionAt, LineState, RosterAt},
};
use shared::{
    decision::RecordKey,
    force::Life,
    id::{BatchId, Blob, Digest, LogIndex, Member, NoteId, Number, RecordId, ResidentRef, RosterVersion},
    keys::KeyRef,
    merge::{Essence, MatchKey, Registry, registry_digest},
    outcome::Fate,
    problem::{Code, Problem},
    rules::Rules,
    time::Second,
};

use crate::log::{Log, What};

/// What the rules wrote.
#[derive(Clone, Default, PartialEq, Debug)]
pub struct State {
    pub records: BTreeMap<RecordKey, Record>,
    pub residents: BTreeMap<ResidentRef, Standing>,
    pub waiting: BTreeMap<(Member, RecordId), Vec<RecordKey>>,
    pub withdrawn: BTreeSet<(Member, Number, BatchId)>,
    pub decided: BTreeMap<NoteId, BTreeMap<usize, LineState>>,
    pub batches_decided: BTreeMap<BatchId, (NoteId, Option<Vec<Code>>)>,
    pub erased: BTreeSet<RecordKey>,
    ids: BTreeMap<(Member, RecordId), BTreeSet<RecordKey>>,
    numbers: BTreeMap<(Member, Number), BTreeSet<RecordKey>>,
    by_match: BTreeMap<MatchKey, BTreeSet<ResidentRef>>,
    by_part: BTreeMap<String, BTreeSet<ResidentRef>>,
    of_batch: BTreeMap<BatchId, BTreeSet<(u64, RecordKey)>>,
    of_id: BTreeMap<(Member, RecordId), BTreeSet<RecordKey>>,
}

/// What came out of bytes that this engine was given.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Opening {
    /// A line that broke opens with its `opened` entry.
    InItsTurn,
    /// Everything that was ever opened is open from the start.
    Ahead,
    /// The same, and bytes that were erased at any time are not there.
    Again,
}

/// The engine.
pub struct Memory {
    pub log: Log,
    opening: Opening,
    told: BTreeMap<BatchId, Vec<Fate>>,
    state: RefCell<State>,
    firsts: RefCell<BTreeMap<BatchId, BTreeMap<u64, Fate>>>,
    position: Cell<u64>,
    /// The entry that the fold looks at.
    looking: Cell<u64>,
    judged: Cell<bool>,
    pub differing: RefCell<Vec<(RecordKey, Fate, Fate)>>,
    pub asked: Cell<u64>,
}

impl Memory {
    pub fn of(log: Log) -> Self {
        Self::with(log, Opening::InItsTurn, BTreeMap::new())
    }

    pub fn with(log: Log, opening: Opening, told: BTreeMap<BatchId, Vec<Fate>>) -> Self {
        Self {
            log,
            opening,
            told,
            state: RefCell::default(),
            firsts: RefCell::default(),
            position: Cell::new(0),
            looking: Cell::new(0),
            judged: Cell::new(false),
            differing: RefCell::default(),
            asked: Cell::new(0),
        }
    }

    /// Folds to the end; whatever waits for its outcome to be logged finds it logged.
    pub fn fold(&self) -> &Self {
        loop {
            match advance(self, 7).unwrap_or_else(|problem| panic!("{problem} at {}{:?}", self.position.get(), self.log)) {
                Advanced::Done => return self,
                Advanced::Waits => assert!(self.judged.get(), "only an outcome is waited for"),
                Advanced::More => {}
            }
        }
    }

    /// The first entry that is not folded.
    pub fn position(&self) -> u64 {
        self.position.get()
    }

    pub fn state(&self) -> State {
        self.state.borrow().clone()
    }

    pub fn peek<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.state.borrow())
    }

    pub fn fate(&self, key: &RecordKey) -> Fate {
        self.peek(|state| state.records.get(key).expect("the record is known").fate.clone())
    }

    /// First outcomes, as they would be logged.
    pub fn told(&self) -> BTreeMap<BatchId, Vec<Fate>> {
        self.firsts.borrow().iter().map(|(id, fates)| (*id, fates.values().cloned().collect())).collect()
    }

    pub fn fates(&self) -> BTreeMap<RecordKey, Fate> {
        self.peek(|state| state.records.iter().map(|(key, record)| (key.clone(), record.fate.clone())).collect())
    }

    pub fn digest(&self) -> Digest {
        let residents = self.peek(|state| state.residents.iter().map(|(r, s)| (r.clone(), s.resident.clone())).collect());
        registry_digest(&Registry { residents, fates: self.fates() })
    }

    fn count(&self) {
        self.asked.set(self.asked.get() + 1);
    }

    fn sent(&self, id: BatchId) -> Option<&crate::log::Sent> {
        self.log.batches.get(&id)
    }

    fn is_gone(&self, key: &RecordKey) -> bool {
        let erased = |what: &What| matches!(what, What::Erase(erased) if erased == key);
        let ever = self.opening == Opening::Again && self.log.entries.iter().any(|entry| erased(&entry.what));
        ever || self.state.borrow().erased.contains(key)
    }

    fn found(&self, sent: &crate::log::Sent, line: &Delivered) -> Found {
        let opened = self.log.opened(sent.batch.id);
        let open = opened.is_some_and(|opened| self.opening != Opening::InItsTurn || opened.0 <= self.looking.get());
        match () {
            () if self.is_gone(&line.key) => Found::Erased,
            () if sent.broken.contains(&line.line) && !open => Found::Unopened,
            // newer software reads it
            () if line.found == Found::Refused(Code::UpgradeNeeded) && open => Found::Signed,
            () => line.found,
        }
    }
}

impl Engine for Memory {
    fn next(&self) -> Result<Option<Event>, Problem> {
        let kind = |what: &What| match what {
            What::Batch(id) => Some(Kind::Batch(*id)),
            What::Roster(facts) => Some(Kind::Roster(facts.version)),
            What::Decision(_, note) => Some(Kind::Decision(note.blob())),
            What::Opened(id) => Some(Kind::Opened(*id)),
            What::Erase(key) => Some(Kind::Erase(key.clone())),
            What::Head(..) | What::Freeze(_) | What::Rules(_) | What::Time => None,
        };
        let at = usize::try_from(self.position.get()).expect("small");
        let left = self.log.entries.iter().enumerate().skip(at);
        let mut events = left.filter_map(|(n, entry)| Some((n, entry.received, kind(&entry.what)?)));
        let event = events.next().map(|(n, received, kind)| Event { index: LogIndex(n as u64), received, kind });
        if let Some(event) = &event {
            self.looking.set(event.index.0);
        }
        Ok(event)
    }
    fn passed(&self, index: LogIndex) -> Result<(), Problem> {
        self.position.set(index.0 + 1);
        self.judged.set(false);
        Ok(())
    }
    fn judged(&self) -> Result<bool, Problem> {
        Ok(self.judged.get())
    }
    fn set_judged(&self) -> Result<(), Problem> {
        self.judged.set(true);
        Ok(())
    }
    fn rules(&self, at: LogIndex) -> Result<Rules, Problem> {
        self.count();
        Ok(self.log.rules(at))
    }
    fn logged(&self, id: BatchId) -> Result<Option<Batch>, Problem> {
        self.count();
        Ok(self.sent(id).map(|sent| sent.batch.clone()))
    }
    fn lines(&self, id: BatchId) -> Result<Option<Vec<Line>>, Problem> {
        self.count();
        let Some(sent) = self.sent(id) else { return Ok(None) };
        let seen = |line: &Line| match line {
            Line::Record(line) => Line::Record(Delivered { found: self.found(sent, line), ..line.clone() }),
            Line::Withdrawn(line) => Line::Withdrawn(line.clone()),
        };
        Ok(Some(sent.lines.iter().map(seen).collect()))
    }
    fn first_outcome(&self, id: BatchId) -> Result<Option<Vec<Fate>>, Problem> {
        self.count();
        if self.judged.get() {
            return Ok(self.told().remove(&id));
        }
        Ok(self.told.get(&id).cloned())
    }
    fn differs(&self, key: &RecordKey, told: &Fate, judged: &Fate) {
        self.differing.borrow_mut().push((key.clone(), told.clone(), judged.clone()));
    }
    fn first(&self, batch: BatchId, line: u64) -> Result<Option<Fate>, Problem> {
        self.count();
        Ok(self.firsts.borrow().get(&batch).and_then(|lines| lines.get(&line)).cloned())
    }
    fn opened(&self, batch: BatchId) -> Result<Option<LogIndex>, Problem> {
        self.count();
        Ok(self.log.opened(batch))
    }
    fn set_first(&self, batch: BatchId, line: u64, fate: &Fate) -> Result<(), Problem> {
        self.firsts.borrow_mut().entry(batch).or_default().insert(line, fate.clone());
        Ok(())
    }
    fn life(&self, key: &KeyRef, known: LogIndex) -> Result<Life, Problem> {
        self.count();
        Ok(self.log.life(key, known))
    }
    fn linked(&self, batch: BatchId, known: LogIndex) -> Result<Option<LogIndex>, Problem> {
        self.count();
        Ok(self.log.linked(batch, known))
    }
    fn frozen(&self, key: &KeyRef) -> Result<Option<LogIndex>, Problem> {
        self.count();
        Ok(self.log.frozen(key))
    }
    fn linked_by(&self, index: LogIndex) -> Result<Vec<BatchId>, Problem> {
        self.count();
        Ok(self.log.linked_by(index))
    }
    fn roster(&self, version: RosterVersion) -> Result<RosterAt, Problem> {
        self.count();
        self.log.roster(version).ok_or_else(|| Problem::new(Code::RosterUnknown, version.to_string()))
    }
    fn newest_roster(&self, before: LogIndex, by: Option<Second>) -> Result<Option<RosterVersion>, Problem> {
        self.count();
        Ok(self.log.newest_roster(before, by))
    }
    fn batches_signed(&self, key: &KeyRef, from: LogIndex, to: LogIndex) -> Result<Vec<Batch>, Problem> {
        self.count();
        let signed = |batch: &Batch| batch.unit_key == *key || batch.approver.as_ref() == Some(key);
        Ok(self.log.batches_in(from, to).iter().map(|sent| &sent.batch).filter(|batch| signed(batch)).cloned().collect())
    }
    fn lines_signed(&self, key: &KeyRef, from: LogIndex, to: LogIndex) -> Result<Vec<(BatchId, Delivered)>, Problem> {
        self.count();
        let mut signed = Vec::new();
        for sent in self.log.batches_in(from, to) {
            signed.extend(sent.lines.iter().filter_map(|line| match line {
                Line::Record(line) if line.agent == *key => {
                    Some((sent.batch.id, Delivered { found: self.found(sent, line), ..line.clone() }))
                }
                _ => None,
            }));
        }
        Ok(signed)
    }
    fn withdrawals_signed(&self, key: &KeyRef, from: LogIndex, to: LogIndex) -> Result<Vec<(BatchId, Withdrawal)>, Problem> {
        self.count();
        let mut signed = Vec::new();
        for sent in self.log.batches_in(from, to) {
            signed.extend(sent.lines.iter().filter_map(|line| match line {
                Line::Withdrawn(line) if line.by == *key => Some((sent.batch.id, line.clone())),
                _ => None,
            }));
        }
        Ok(signed)
    }
    fn deliveries(&self, key: &RecordKey, to: LogIndex) -> Result<Vec<(BatchId, u64)>, Problem> {
        self.count();
        let mut found = Vec::new();
        for sent in self.log.batches_in(LogIndex(0), to) {
            found.extend(sent.lines.iter().filter_map(|line| match line {
                Line::Record(line) if line.key == *key => Some((sent.batch.id, line.line)),
                _ => None,
            }));
        }
        Ok(found)
    }
    fn enrolled_by(&self, batch: BatchId, name: &str) -> Result<bool, Problem> {
        self.count();
        let own = |line: &Line| matches!(line, Line::Record(line) if line.agent.name.as_str() == name);
        Ok(self.sent(batch).is_some_and(|sent| sent.lines.iter().any(own)))
    }

    fn record(&self, key: &RecordKey) -> Result<Option<Record>, Problem> {
        self.count();
        Ok(self.peek(|state| state.records.get(key).cloned()))
    }
    fn set_record(&self, key: &RecordKey, record: &Record) -> Result<(), Problem> {
        self.count();
        let mut state = self.state.borrow_mut();
        let id = (key.unit.clone(), key.record);
        if let Some(before) = state.records.insert(key.clone(), record.clone()) {
            state.ids.entry(id.clone()).or_default().remove(key);
            state.numbers.entry((key.unit.clone(), before.number)).or_default().remove(key);
            let (batch, line) = before.delivery;
            state.of_batch.entry(batch).or_default().remove(&(line, key.clone()));
        }
        state.of_id.entry(id.clone()).or_default().insert(key.clone());
        state.of_batch.entry(record.delivery.0).or_default().insert((record.delivery.1, key.clone()));
        if record.holds_id {
            state.ids.entry(id).or_default().insert(key.clone());
        }
        if record.holds_number {
            state.numbers.entry((key.unit.clone(), record.number)).or_default().insert(key.clone());
        }
        Ok(())
    }
    fn essence(&self, key: &RecordKey) -> Result<Option<Essence>, Problem> {
        self.count();
        if self.is_gone(key) {
            return Ok(None);
        }
        // what nobody could open yet says nothing
        let delivered = |sent: &crate::log::Sent| {
            sent.lines.iter().any(|line| matches!(line, Line::Record(line) if line.key == *key && self.found(sent, line) == Found::Signed))
        };
        let open =
            !self.log.broken.contains(key) || self.log.batches_in(LogIndex(0), LogIndex(self.looking.get() + 1)).into_iter().any(delivered);
        Ok(self.log.says.get(key).filter(|_| open).cloned())
    }
    fn erase(&self, key: &RecordKey) -> Result<(), Problem> {
        self.state.borrow_mut().erased.insert(key.clone());
        Ok(())
    }
    fn id_holder(&self, unit: &Member, record: RecordId) -> Result<Option<RecordKey>, Problem> {
        self.count();
        Ok(self.peek(|state| state.ids.get(&(unit.clone(), record)).and_then(|held| held.first()).cloned()))
    }
    fn number_holder(&self, unit: &Member, number: Number) -> Result<Option<Holder>, Problem> {
        self.count();
        self.peek(|state| {
            let at = (unit.clone(), number);
            if let Some(key) = state.numbers.get(&at).and_then(|held| held.first()) {
                return Ok(Some(Holder::Record(key.clone())));
            }
            let withdrawn = state.withdrawn.iter().any(|(of, which, _)| (of, which) == (&at.0, &at.1));
            Ok(withdrawn.then_some(Holder::Withdrawn))
        })
    }
    fn withdraw(&self, withdrawal: &Withdrawal, batch: BatchId) -> Result<(), Problem> {
        let holder = self.number_holder(&withdrawal.unit, withdrawal.number)?;
        if !matches!(holder, Some(Holder::Record(_))) {
            self.state.borrow_mut().withdrawn.insert((withdrawal.unit.clone(), withdrawal.number, batch));
        }
        Ok(())
    }
    fn withdraw_not(&self, withdrawal: &Withdrawal, batch: BatchId) -> Result<(), Problem> {
        self.count();
        self.state.borrow_mut().withdrawn.remove(&(withdrawal.unit.clone(), withdrawal.number, batch));
        Ok(())
    }
    fn any_of_id(&self, unit: &Member, record: RecordId) -> Result<Option<RecordKey>, Problem> {
        self.count();
        self.peek(|state| {
            let of_id = state.of_id.get(&(unit.clone(), record)).into_iter().flatten();
            Ok(of_id.filter(|key| state.records[key].place.is_some()).max_by_key(|key| state.records[key].holds_id).cloned())
        })
    }
    fn wait(&self, target: (&Member, RecordId), key: &RecordKey) -> Result<(), Problem> {
        let mut state = self.state.borrow_mut();
        let waiting = state.waiting.entry((target.0.clone(), target.1)).or_default();
        waiting.retain(|other| other != key);
        waiting.push(key.clone());
        Ok(())
    }
    fn take_waiting(&self, target: (&Member, RecordId)) -> Result<Vec<RecordKey>, Problem> {
        self.count();
        Ok(self.state.borrow_mut().waiting.remove(&(target.0.clone(), target.1)).unwrap_or_default())
    }

    fn resident(&self, reference: &ResidentRef) -> Result<Option<Standing>, Problem> {
        self.count();
        Ok(self.peek(|state| state.residents.get(reference).cloned()))
    }
    fn set_resident(&self, reference: &ResidentRef, standing: &Standing) -> Result<(), Problem> {
        self.remove_resident(reference)?;
        let mut state = self.state.borrow_mut();
        for key in standing.keys.values().flatten() {
            state.by_match.entry(key.clone()).or_default().insert(reference.clone());
        }
        for part in &standing.captures {
            state.by_part.entry(part.clone()).or_default().insert(reference.clone());
        }
        state.residents.insert(reference.clone(), standing.clone());
        Ok(())
    }
    fn remove_resident(&self, reference: &ResidentRef) -> Result<(), Problem> {
        self.count();
        let mut state = self.state.borrow_mut();
        let before = state.residents.remove(reference);
        for key in before.iter().flat_map(|before| before.keys.values().flatten()) {
            state.by_match.entry(key.clone()).or_default().remove(reference);
        }
        for part in before.iter().flat_map(|before| &before.captures) {
            state.by_part.entry(part.clone()).or_default().remove(reference);
        }
        Ok(())
    }
    fn standing(&self, key: &MatchKey) -> Result<Vec<ResidentRef>, Problem> {
        self.count();
        Ok(self.peek(|state| state.by_match.get(key).into_iter().flatten().cloned().collect()))
    }
    fn captured(&self, part: &str) -> Result<Vec<ResidentRef>, Problem> {
        self.count();
        Ok(self.peek(|state| state.by_part.get(part).into_iter().flatten().cloned().collect()))
    }

    fn decision_note(&self, blob: Blob) -> Result<DecisionAt, Problem> {
        self.count();
        let found = self.log.decisions().find(|(_, _, note)| note.blob() == blob);
        let found = found.ok_or_else(|| Problem::new(Code::NotFound, "decision"))?;
        Ok(DecisionAt { index: found.0, key: found.1.clone(), note: Arc::clone(found.2) })
    }
    fn decision(&self, id: NoteId) -> Result<Option<DecisionAt>, Problem> {
        self.count();
        let found = self.log.decisions().find(|(_, _, note)| note.id() == id);
        Ok(found.map(|(index, key, note)| DecisionAt { index, key: key.clone(), note: Arc::clone(note) }))
    }
    fn decisions_signed(&self, key: &KeyRef, from: LogIndex, to: LogIndex) -> Result<Vec<DecisionAt>, Problem> {
        self.count();
        let signed = self.log.decisions().filter(|(at, by, _)| (from..to).contains(at) && *by == key);
        Ok(signed.map(|(index, key, note)| DecisionAt { index, key: key.clone(), note: Arc::clone(note) }).collect())
    }
    fn decided(&self, id: NoteId) -> Result<Vec<LineState>, Problem> {
        self.count();
        Ok(self.peek(|state| state.decided.get(&id).map(|lines| lines.values().copied().collect()).unwrap_or_default()))
    }
    fn set_decided(&self, id: NoteId, line: usize, now: LineState) -> Result<(), Problem> {
        self.state.borrow_mut().decided.entry(id).or_default().insert(line, now);
        Ok(())
    }
    fn batch_decided(&self, batch: BatchId) -> Result<Option<BatchDecided>, Problem> {
        self.count();
        let of = |(decision, accepted): &(NoteId, Option<Vec<Code>>)| BatchDecided { decision: *decision, accepted: accepted.clone() };
        Ok(self.peek(|state| state.batches_decided.get(&batch).map(of)))
    }
    fn set_batch_decided(&self, batch: BatchId, decided: Option<BatchDecided>) -> Result<(), Problem> {
        let mut state = self.state.borrow_mut();
        match decided {
            Some(decided) => state.batches_decided.insert(batch, (decided.decision, decided.accepted)),
            None => state.batches_decided.remove(&batch),
        };
        Ok(())
    }
    fn records_of(&self, batch: BatchId) -> Result<Vec<RecordKey>, Problem> {
        self.count();
        Ok(self.peek(|state| state.of_batch.get(&batch).into_iter().flatten().map(|(_, key)| key.clone()).collect()))
    }
}
