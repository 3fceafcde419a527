//! A log as the rules see it: entries in order, batches with their lines, what records say, and the marks of links.
//!
//! **Invariants:** what is asked with an entry is answered from the entries before it, by plain loops: no index, no memory.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use rules::{
    Batch, Line,
    engine::RosterAt,
    force::{Links, link_batch, link_head},
};
use shared::{
    decision::{Decision, RecordKey},
    force::{End, Life},
    id::{BatchId, LogIndex, RosterVersion},
    keys::KeyRef,
    merge::Essence,
    problem::{Code, Problem},
    roster::Facts,
    rules::Rules,
    time::Second,
};

/// What an entry says.
#[derive(Clone)]
pub enum What {
    Roster(Arc<Facts>),
    Batch(BatchId),
    Head(KeyRef, BatchId),
    Decision(KeyRef, Arc<Decision>),
    Opened(BatchId),
    Erase(RecordKey),
    Freeze(KeyRef),
    Rules(Rules),
    /// Nothing that a fold looks at.
    Time,
}

/// An entry.
#[derive(Clone)]
pub struct Entry {
    pub received: Second,
    pub what: What,
}

/// A batch as it was sent.
#[derive(Clone)]
pub struct Sent {
    pub batch: Batch,
    pub previous: Option<BatchId>,
    pub lines: Vec<Line>,
    /// Lines that could not be opened before an `opened` entry.
    pub broken: Vec<u64>,
}

/// A log.
#[derive(Clone, Default)]
pub struct Log {
    pub entries: Vec<Entry>,
    pub batches: BTreeMap<BatchId, Sent>,
    pub says: BTreeMap<RecordKey, Essence>,
    /// Records of which a delivery could not be opened at first.
    pub broken: BTreeSet<RecordKey>,
    /// What holds before an entry names another.
    pub first_rules: Option<Rules>,
    /// Of each linked batch: since which entry, by the head of which entry.
    marks: RefCell<BTreeMap<BatchId, BTreeMap<LogIndex, LogIndex>>>,
}

impl Log {
    pub fn next(&self) -> LogIndex {
        LogIndex(self.entries.len() as u64)
    }

    /// Appends an entry; a batch has its place in `batches` already.
    pub fn push(&mut self, entry: Entry) -> LogIndex {
        let at = self.next();
        self.entries.push(entry.clone());
        match entry.what {
            What::Batch(id) => link_batch(self, id, &self.batches[&id].batch.unit_key, at).expect("marked"),
            What::Head(by, id) if self.is_logged(id) && self.batches[&id].batch.unit_key == by => link_head(self, id, at).expect("marked"),
            _ => {}
        }
        at
    }

    /// The first entries of this log.
    pub fn prefix(&self, len: usize) -> Self {
        let mut log = Self { says: self.says.clone(), broken: self.broken.clone(), first_rules: self.first_rules, ..Self::default() };
        self.entries[..len].iter().for_each(|entry| {
            log.follow(self, entry);
        });
        log
    }

    /// Appends an entry of another log, with its batch.
    pub fn follow(&mut self, other: &Self, entry: &Entry) -> LogIndex {
        if let What::Batch(id) = entry.what {
            self.batches.insert(id, other.batches[&id].clone());
        }
        self.push(entry.clone())
    }

    fn is_logged(&self, id: BatchId) -> bool {
        self.batches.get(&id).is_some_and(|sent| sent.batch.index < self.next())
    }

    /// Entries with their indexes.
    pub fn numbered(&self) -> impl DoubleEndedIterator<Item = (LogIndex, &Entry)> {
        self.entries.iter().enumerate().map(|(n, entry)| (LogIndex(n as u64), entry))
    }

    fn rosters(&self, before: LogIndex) -> impl DoubleEndedIterator<Item = (LogIndex, Second, &Arc<Facts>)> {
        self.numbered().filter(move |(at, _)| *at < before).filter_map(|(at, entry)| match &entry.what {
            What::Roster(facts) => Some((at, entry.received, facts)),
            _ => None,
        })
    }

    pub fn roster(&self, version: RosterVersion) -> Option<RosterAt> {
        let (index, received, facts) = self.rosters(self.next()).find(|(_, _, facts)| facts.version == version)?;
        Some(RosterAt { index, received, facts: facts.clone() })
    }

    pub fn newest_roster(&self, before: LogIndex, by: Option<Second>) -> Option<RosterVersion> {
        let fits = |received: &Second| by.is_none_or(|by| *received <= by);
        self.rosters(before).rfind(|(_, received, _)| fits(received)).map(|(_, _, facts)| facts.version)
    }

    /// From first principles: the first roster that lists a key, and what the last says of it.
    pub fn life(&self, key: &KeyRef, known: LogIndex) -> Life {
        let lists = |facts: &Facts| facts.members().iter().any(|member| KeyRef::from(member.key) == *key);
        let admitted = self.rosters(known).find(|(_, _, facts)| lists(facts)).map(|(at, ..)| at);
        let end = self.rosters(known).next_back().map(|(_, _, facts)| End::of(facts, key)).unwrap_or_default();
        let after = |until| self.numbered().find(|(_, entry)| entry.received > until).map(|(at, _)| at);
        let end: Result<_, std::convert::Infallible> = end.index(|until| Ok(after(until)));
        Life { admitted, end: end.unwrap_or_default() }
    }

    pub fn linked(&self, batch: BatchId, known: LogIndex) -> Option<LogIndex> {
        let marks = self.marks.borrow();
        marks.get(&batch)?.range(..=known).next_back().map(|(_, head)| *head)
    }

    pub fn linked_by(&self, index: LogIndex) -> Vec<BatchId> {
        let marks = self.marks.borrow();
        let made = marks.iter().filter(|(_, marks)| marks.contains_key(&index)).map(|(id, _)| &self.batches[id].batch);
        let mut made: Vec<&Batch> = made.filter(|batch| batch.index < index).collect();
        made.sort_by_key(|batch| batch.index);
        made.iter().map(|batch| batch.id).collect()
    }

    /// Batches with an index in this range.
    pub fn batches_in(&self, from: LogIndex, to: LogIndex) -> Vec<&Sent> {
        let of = |entry: &Entry| match entry.what {
            What::Batch(id) => Some(&self.batches[&id]),
            _ => None,
        };
        let place = |index: LogIndex| usize::try_from(index.0).map_or(self.entries.len(), |at| at.min(self.entries.len()));
        let (from, to) = (place(from), place(to));
        self.entries[from.min(to)..to].iter().filter_map(of).collect()
    }

    /// The newest version of the rules that is named before an entry.
    pub fn rules(&self, before: LogIndex) -> Rules {
        let named = self.numbered().filter(|(at, _)| *at < before).filter_map(|(_, entry)| match entry.what {
            What::Rules(rules) => Some(rules),
            _ => None,
        });
        named.chain([self.first_rules.unwrap_or(Rules::FIRST)]).max().expect("one at least")
    }

    /// Decision notes with their entries and signers.
    pub fn decisions(&self) -> impl Iterator<Item = (LogIndex, &KeyRef, &Arc<Decision>)> {
        self.numbered().filter_map(|(at, entry)| match &entry.what {
            What::Decision(key, note) => Some((at, key, note)),
            _ => None,
        })
    }

    /// The first entry that froze a key.
    pub fn frozen(&self, key: &KeyRef) -> Option<LogIndex> {
        self.numbered().find(|(_, entry)| matches!(&entry.what, What::Freeze(frozen) if frozen == key)).map(|(at, _)| at)
    }

    /// The first `opened` entry of a batch.
    pub fn opened(&self, batch: BatchId) -> Option<LogIndex> {
        self.numbered().find(|(_, entry)| matches!(entry.what, What::Opened(id) if id == batch)).map(|(at, _)| at)
    }
}

impl Links for Log {
    fn named_by(&self, batch: BatchId, key: &KeyRef) -> Result<Option<LogIndex>, Problem> {
        let names = |entry: &Entry| matches!(&entry.what, What::Head(by, id) if *id == batch && by == key);
        Ok(self.numbered().find(|(_, entry)| names(entry)).map(|(at, _)| at))
    }
    fn mark(&self, batch: BatchId) -> Result<Option<LogIndex>, Problem> {
        Ok(self.linked(batch, LogIndex(u64::MAX)))
    }
    fn set_mark(&self, batch: BatchId, head: LogIndex, since: LogIndex) -> Result<(), Problem> {
        self.marks.borrow_mut().entry(batch).or_default().insert(since, head);
        Ok(())
    }
    fn after(&self, batch: BatchId, key: &KeyRef) -> Result<Vec<BatchId>, Problem> {
        let next = |sent: &&Sent| sent.previous == Some(batch) && sent.batch.unit_key == *key && self.is_logged(sent.batch.id);
        Ok(self.batches.values().filter(next).map(|sent| sent.batch.id).collect())
    }
    fn before(&self, batch: BatchId) -> Result<Option<BatchId>, Problem> {
        let sent = self.batches.get(&batch).ok_or_else(|| Problem::new(Code::NotFound, "batch"))?;
        let same = |previous: &BatchId| self.is_logged(*previous) && self.batches[previous].batch.unit_key == sent.batch.unit_key;
        Ok(sent.previous.filter(same))
    }
}

/// As somebody reads it who looks at a failing case.
impl std::fmt::Debug for Log {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (at, entry) in self.numbered() {
            write!(f, "\n{at:>3} {} ", entry.received.unix() % 100_000)?;
            match &entry.what {
                What::Roster(r) => write!(
                    f,
                    "roster {} {:?} {:?} {:?} {:?} revoked {:?} kept {:?}",
                    r.version, r.approval, r.renewals, r.unknown_targets, r.persons, r.revoked, r.kept
                )?,
                What::Batch(id) => self.show(f, &self.batches[id])?,
                What::Head(by, id) => write!(f, "head {by} {}", &id.hex()[..6])?,
                What::Decision(by, note) => write!(f, "decision {} of {by} {:?}", &note.id().hex()[..6], note.said())?,
                What::Opened(id) => write!(f, "opened {}", &id.hex()[..6])?,
                What::Erase(key) => write!(f, "erase {key}")?,
                What::Freeze(key) => write!(f, "freeze {key}")?,
                What::Rules(rules) => write!(f, "rules {rules}")?,
                What::Time => write!(f, "time")?,
            }
        }
        Ok(())
    }
}

impl Log {
    fn show(&self, f: &mut std::fmt::Formatter<'_>, sent: &Sent) -> std::fmt::Result {
        let Sent { batch, previous, lines, broken } = sent;
        let previous = previous.map_or_else(String::new, |id| id.hex()[..6].to_owned());
        let (id, approver) = (&batch.id.hex()[..6], &batch.approver);
        write!(f, "batch {id} {}.{} after {previous} {:?} by {} {approver:?}", batch.unit, batch.place, batch.state, batch.unit_key)?;
        for line in lines {
            match line {
                Line::Withdrawn(line) => write!(f, "\n        withdrawn {} by {}", line.number, line.by)?,
                Line::Record(line) => {
                    let broken = if broken.contains(&line.line) { "broken" } else { "" };
                    write!(f, "\n        {} {} by {} {:?} {broken}", line.key, line.number, line.agent, line.found)?;
                    let says = &self.says[&line.key];
                    write!(f, "\n            {} {} to {:?} {:?}", says.transaction, says.form, says.target, says.fields)?;
                }
            }
        }
        Ok(())
    }
}
