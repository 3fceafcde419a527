//! Properties over random logs (rules 2, section 3).

use std::collections::{BTreeMap, BTreeSet};

use proptest::{prelude::*, test_runner::Config};
use rules::{Batch, Delivered, Found, Line, Mode, Record, Standing, engine::LineState};
use shared::{
    decision::{Decision, RecordKey, Said, Subject},
    id::{BatchId, LogIndex, Member, NoteId, Number},
    keys::KeyRef,
    log::BatchState,
    merge::MatchKey,
    outcome::Fate,
    problem::Code,
    roster::Approval,
};

use crate::{
    log::{Log, Sent, What},
    memory::{Memory, Opening, State},
    random::{Happens, acts, newly_ended, play},
    world::World,
};

/// What two runs of one log have to agree on.
type Core = (
    BTreeMap<RecordKey, Record>,
    BTreeMap<shared::id::ResidentRef, Standing>,
    BTreeSet<(Member, Number, BatchId)>,
    BTreeMap<NoteId, BTreeMap<usize, LineState>>,
);

fn core(state: &State) -> Core {
    (state.records.clone(), state.residents.clone(), state.withdrawn.clone(), state.decided.clone())
}

/// The states behind each entry, folded one entry at a time.
fn by_steps(world: &World) -> (Memory, Vec<State>) {
    let mut memory = Memory::of(world.log.prefix(0));
    let mut states = Vec::new();
    for entry in &world.log.entries {
        memory.log.follow(&world.log, entry);
        memory.fold();
        states.push(memory.state());
    }
    (memory, states)
}

fn config() -> Config {
    // PROPTEST_CASES asks for more than 256 each
    Config { failure_persistence: None, max_shrink_iters: 20_000, ..Config::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn step_by_step_is_from_scratch(acts in acts(40)) {
        let world = play(&acts, Happens::Everything);
        let (steps, states) = by_steps(&world);
        agree(&world, &core(states.last().expect("a roster")), &core(&world.memory().state()))?;
        // the ledger, the openings and the outcomes that say `held unopened` are ahead of the fold
        let broken = |id: &BatchId| !world.log.batches[id].broken.is_empty();
        let told = steps.told().into_iter().filter(|(id, _)| broken(id)).collect();
        let ahead = Memory::with(world.log.clone(), Opening::Ahead, told);
        agree(&world, &core(states.last().expect("a roster")), &core(&ahead.fold().state()))?;
    }

    #[test]
    fn a_rebuild_gives_the_same(acts in acts(40)) {
        let world = play(&acts, Happens::NoErasure);
        let first = world.memory();
        let again = Memory::with(world.log.clone(), Opening::Again, first.told());
        again.fold();
        agree(&world, &core(&first.state()), &core(&again.state()))?;
        prop_assert_eq!(again.differing.borrow().clone(), vec![]);
        prop_assert_eq!(again.digest(), first.digest());
    }

    #[test]
    fn the_registry_is_consistent_at_each_entry(acts in acts(40)) {
        let world = play(&acts, Happens::Everything);
        let (_, states) = by_steps(&world);
        let mut decided = false;
        for (at, state) in states.iter().enumerate() {
            consistent(state).map_err(|wrong| TestCaseError::fail(format!("entry {at}: {wrong}{:?}", world.log)))?;
            let acts = matches!(world.log.entries[at].what, What::Decision(..) | What::Erase(_)) || !newly_ended(&world, LogIndex(at as u64)).is_empty();
            decided |= acts;
            if !decided {
                one_a_match_key(&world, LogIndex(at as u64), state).map_err(TestCaseError::fail)?;
            }
        }
    }

    #[test]
    fn what_is_merged_stays_merged(acts in acts(40)) {
        let world = play(&acts, Happens::Everything);
        let (_, states) = by_steps(&world);
        for (n, pair) in states.windows(2).enumerate() {
            for (key, record) in &pair[0].records {
                let Fate::Merged(_) = &record.fate else { continue };
                if pair[1].records[key].fate != record.fate {
                    prop_assert!(is_named(&world, n + 1, &pair[0], key), "entry {} took out {key}{:?}", n + 1, world.log);
                }
            }
        }
    }

    #[test]
    fn what_never_came_in_force_changes_nothing_else(acts in acts(40)) {
        let world = play(&acts, Happens::Everything);
        let (_, states) = by_steps(&world);
        let (log, left) = without(&world, &states);
        let (with, without) = (states.last().expect("a roster"), Memory::of(log).fold().state());
        // what was in force at any time; of the rest each delivery says for itself why it is held
        let was = |key: &RecordKey| states.iter().any(|state| state.records.get(key).is_some_and(|record| record.place.is_some()));
        for (key, record) in without.records.iter().filter(|(key, _)| was(key)) {
            let full = &with.records[key];
            let same = record.fate == full.fate && record.against == full.against;
            prop_assert!(same, "{key}: {} against {:?}, without {} against {:?}{:?}", full.fate, full.against, record.fate, record.against, world.log);
        }
        prop_assert_eq!(&without.residents, &with.residents, "{:?}", world.log);
        prop_assert_eq!(&without.withdrawn, &with.withdrawn, "{:?}", world.log);
        prop_assert!(without.records.keys().all(|key| !left.contains(key)));
    }
}

/// Two runs of a log; the first difference is shown with the log.
fn agree(world: &World, one: &Core, other: &Core) -> Result<(), TestCaseError> {
    for (key, record) in &one.0 {
        prop_assert_eq!(Some(record), other.0.get(key), "{}{:?}", key, world.log);
    }
    prop_assert_eq!(&one.1, &other.1, "{:?}", world.log);
    prop_assert_eq!(&one.2, &other.2, "{:?}", world.log);
    prop_assert_eq!(&one.3, &other.3, "{:?}", world.log);
    prop_assert_eq!(one.0.len(), other.0.len(), "{:?}", world.log);
    Ok(())
}

/// Who stands, who holds, and what fates say of it.
fn consistent(state: &State) -> Result<(), String> {
    let mut sources = BTreeMap::new();
    for (reference, standing) in &state.residents {
        let founder = standing.resident.sources.first().ok_or("a resident without a source")?;
        if shared::id::ResidentRef::founded_by(&founder.unit, founder.record) != *reference {
            return Err(format!("{founder} did not found {reference}"));
        }
        if state.records[founder].mode != Some(Mode::Founded) {
            return Err(format!("{founder} founded nobody"));
        }
        for source in &standing.resident.sources {
            if sources.insert(source, reference).is_some() {
                return Err(format!("{source} is a source twice"));
            }
        }
    }
    for (key, record) in &state.records {
        let merged = match &record.fate {
            Fate::Merged(reference) => Some(reference),
            _ => None,
        };
        if sources.get(key).copied() != merged || merged.is_some() != record.mode.is_some() {
            return Err(format!("{key} is {} and a source of {:?}", record.fate, sources.get(key)));
        }
        if record.place.is_none() && (record.holds_id || record.holds_number || merged.is_some()) {
            return Err(format!("{key} is not in force and holds something"));
        }
        if record.place.is_none() && record.decision.is_some() {
            return Err(format!("{key} is not in force and decided about"));
        }
        if record.holds_number && !record.holds_id {
            return Err(format!("{key} holds its number and not its id"));
        }
        if matches!(record.fate, Fate::Refused(_)) && (record.holds_id || record.holds_number) {
            return Err(format!("{key} is refused and holds something"));
        }
    }
    unique(state.records.iter().filter(|(_, r)| r.holds_id).map(|(key, _)| (key.unit.clone(), key.record)))?;
    unique(state.records.iter().filter(|(_, r)| r.holds_number).map(|(key, r)| (key.unit.clone(), r.number)))?;
    waits(state)
}

/// Whoever waits is in a list, and waits for a record that is not judged.
fn waits(state: &State) -> Result<(), String> {
    for (key, record) in state.records.iter().filter(|(_, record)| matches!(record.fate, Fate::Held(Code::Waiting, _))) {
        let mut lists = state.waiting.iter().filter(|(_, waiting)| waiting.contains(key));
        let Some(((unit, id), _)) = lists.next() else { return Err(format!("{key} waits for nobody")) };
        let judged = state.records.iter().any(|(key, r)| (&key.unit, &key.record) == (unit, id) && r.place.is_some());
        if judged && record.place.is_some() {
            return Err(format!("{key} waits for {unit} {id}, which is judged"));
        }
    }
    Ok(())
}

fn unique<T: Ord + std::fmt::Debug>(held: impl Iterator<Item = T>) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    for one in held {
        let text = format!("{one:?} is held twice");
        if !seen.insert(one) {
            return Err(text);
        }
    }
    Ok(())
}

/// Nobody meets anybody by the rules in force, as long as these have not changed.
fn one_a_match_key(world: &World, at: LogIndex, state: &State) -> Result<(), String> {
    let in_force = world.log.rules(at);
    if in_force != world.log.rules(LogIndex(0)) {
        return Ok(());
    }
    let keys = |standing: &rules::Standing| standing.keys.get(&in_force).cloned().unwrap_or_default();
    for (one, standing) in &state.residents {
        let meets: Vec<_> = keys(standing).iter().flat_map(MatchKey::meets).collect();
        let met = |(other, standing): &(_, &rules::Standing)| *other != one && keys(standing).iter().any(|key| meets.contains(key));
        if let Some((other, _)) = state.residents.iter().find(met) {
            return Err(format!("{one} meets {other}"));
        }
    }
    Ok(())
}

/// Does this entry name the record, or what it rests on: by a key that it ends, a decision, an erasure?
fn is_named(world: &World, at: usize, before: &State, key: &RecordKey) -> bool {
    let record = &before.records[key];
    let Fate::Merged(reference) = &record.fate else { return false };
    let rests = [key, &before.residents[reference].resident.sources[0]];
    match &world.log.entries[at].what {
        What::Erase(erased) => rests.contains(&erased),
        What::Decision(_, note) => rests.iter().any(|key| decides(&world.log, note, before, key)),
        What::Roster(_) => {
            let ended = newly_ended(world, LogIndex(at as u64));
            rests.iter().any(|key| signers(&world.log, before, key).iter().any(|signer| ended.contains(signer)))
        }
        _ => false,
    }
}

fn decides(log: &Log, note: &Decision, before: &State, key: &RecordKey) -> bool {
    match note.said() {
        Said::Lines(lines) => lines.iter().any(|line| match &line.subject {
            Subject::Record(subject, _) => subject == key,
            Subject::Batch(batch, _) => before.records[key].delivery.0 == *batch,
        }),
        // it changes nothing but what waits
        Said::Reject(_) => false,
        Said::Confirm(first) => log.decisions().any(|(_, _, note)| note.id() == *first && decides(log, note, before, key)),
    }
}

/// Everybody whose key a record rests on: unit, agent, approver, and who decided about it or its batch.
fn signers(log: &Log, state: &State, key: &RecordKey) -> Vec<KeyRef> {
    let record = &state.records[key];
    let sent = &log.batches[&record.delivery.0];
    let agent = sent.lines.iter().find_map(|line| match line {
        Line::Record(line) if line.line == record.delivery.1 => Some(line.agent.clone()),
        _ => None,
    });
    let notes: Vec<NoteId> = record.decision.into_iter().chain(state.batches_decided.get(&sent.batch.id).map(|(id, _)| *id)).collect();
    let of_note = |note: &Decision| notes.contains(&note.id()) || matches!(note.said(), Said::Confirm(first) if notes.contains(first));
    let judges = log.decisions().filter(|(_, _, note)| of_note(note)).map(|(_, by, _)| by.clone());
    let own = [Some(sent.batch.unit_key.clone()), sent.batch.approver.clone(), agent];
    own.into_iter().flatten().chain(judges).collect()
}

/// The log with the same entries, without lines and notes that never came in force; and the records that are left out.
fn without(world: &World, states: &[State]) -> (Log, BTreeSet<RecordKey>) {
    let mut stripped = world.log.clone();
    let mut kept = BTreeSet::new();
    for sent in stripped.batches.values_mut() {
        let batch = sent.batch.clone();
        let ever = |line: &Line| (batch.index.0..world.log.next().0).any(|at| in_force(&world.log, &batch, line, states, at));
        sent.lines.retain(|line| ever(line));
        kept.extend(sent.lines.iter().filter_map(|line| match line {
            Line::Record(line) => Some(line.key.clone()),
            Line::Withdrawn(_) => None,
        }));
    }
    for entry in &mut stripped.entries {
        if let What::Decision(_, note) = &entry.what
            && !acted(note, states)
        {
            entry.what = What::Time;
        }
    }
    let all: BTreeSet<RecordKey> = states.last().expect("a roster").records.keys().cloned().collect();
    (stripped.prefix(stripped.entries.len()), all.difference(&kept).cloned().collect())
}

/// Did a line of the note ever act, or of the note that it confirms?
fn acted(note: &Decision, states: &[State]) -> bool {
    let id = match note.said() {
        Said::Lines(_) => note.id(),
        Said::Confirm(first) | Said::Reject(first) => *first,
    };
    let acts = |state: &State| state.decided.get(&id).is_some_and(|lines| lines.values().any(|line| matches!(line, LineState::Acts(_))));
    states.iter().any(acts)
}

/// Said once more, from the rules' text: is this line in force when the entry `at` is taken in?
fn in_force(log: &Log, batch: &Batch, line: &Line, states: &[State], at: u64) -> bool {
    let state = &states[usize::try_from(at).expect("small")];
    let counts = |key: &KeyRef| log.life(key, LogIndex(at + 1)).counts(batch.index, linked(log, batch.id, at)).counts();
    let decided = state.batches_decided.get(&batch.id);
    if decided.is_some() {
        return true; // a decision about it acts on all of it
    }
    let demanded = log.roster(batch.roster).expect("logged").facts.approval == Approval::Required;
    let standing = match batch.state {
        BatchState::Quarantined(Code::Frozen) => {
            linked(log, batch.id, at).is_some_and(|head| log.frozen(&batch.unit_key).is_some_and(|at| head < at))
        }
        BatchState::Quarantined(code) => matches!(code, Code::Revoked | Code::ApproverRevoked),
        BatchState::Accepted => true,
    };
    let whole = standing && counts(&batch.unit_key) && (!demanded || batch.approver.as_ref().is_some_and(counts));
    match line {
        Line::Withdrawn(line) => whole && counts(&line.by),
        Line::Record(line) => about(log, state, batch, line, at) || whole && counts(&line.agent) && opened(log, batch, line, at),
    }
}

/// A person, or an erasure, spoke of the record.
fn about(log: &Log, state: &State, batch: &Batch, line: &Delivered, at: u64) -> bool {
    let erased = |(index, entry): (LogIndex, &crate::log::Entry)| {
        index.0 <= at && batch.index < index && matches!(&entry.what, What::Erase(key) if *key == line.key)
    };
    log.numbered().any(erased)
        || state.erased.contains(&line.key)
        || state.records.get(&line.key).is_some_and(|record| record.decision.is_some())
}

fn opened(log: &Log, batch: &Batch, line: &Delivered, at: u64) -> bool {
    let Sent { broken, .. } = &log.batches[&batch.id];
    line.found == Found::Signed && (!broken.contains(&line.line) || log.opened(batch.id).is_some_and(|opened| opened.0 <= at))
}

/// The lowest index of a head, up to `at`, from which `previous` leads to the batch over batches that are logged up to then.
fn linked(log: &Log, batch: BatchId, at: u64) -> Option<LogIndex> {
    let key = &log.batches[&batch].batch.unit_key;
    let logged = |id: &BatchId| log.batches.get(id).is_some_and(|sent| sent.batch.index.0 <= at && sent.batch.unit_key == *key);
    let leads = |head: BatchId| {
        let walk = std::iter::successors(Some(head).filter(logged), |id| log.batches[id].previous.filter(logged));
        walk.into_iter().any(|id| id == batch)
    };
    log.numbered().take_while(|(index, _)| index.0 <= at).find_map(|(index, entry)| match &entry.what {
        What::Head(by, id) if by == key && leads(*id) => Some(index),
        _ => None,
    })
}
