//! The small questions of the rules, answered in the transaction that folds.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex},
};

use rusqlite::{Connection, OptionalExtension as _, params};
use shared::{
    decision::RecordKey,
    force::Life,
    id::{BatchId, Blob, Digest, LogIndex, Member, NoteId, Number, RecordId, ResidentRef, RosterVersion},
    keys::KeyRef,
    log::{Body, Entry},
    merge::{Essence, MatchKey, Resident},
    outcome::{Fate, Outcome},
    problem::{Code, Problem},
    roster::Roster,
    rules::Rules,
    time::Second,
};

use super::rows::{self, Word as _};
use crate::{
    rules::{
        Batch, Delivered, Engine, Event, Found, Holder, Kind, Line, Mode, Record, Standing, Withdrawal,
        engine::{BatchDecided, DecisionAt, LineState, RosterAt},
    },
    store::{
        BatchFacts, DecisionFacts,
        ledger_sqlite::{
            batches,
            columns::{Column, Row, all, damaged, int, maybe, number, parsed, put, text},
            keys, links, papers, units,
        },
        sqlite::failed,
    },
};

/// Rosters that were parsed once: a logged roster never changes.
#[derive(Clone, Default)]
pub(super) struct Rosters(Arc<Mutex<HashMap<RosterVersion, RosterAt>>>);

/// Most rosters that are kept parsed.
const KEPT: usize = 64;

/// Where what is folded is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Into the centre's database.
    Within,
    /// Into a database of its own, from what the centre's has.
    Beside,
}

/// The rules' view of one transaction.
pub(super) struct Sql<'c> {
    c: &'c Connection,
    place: Place,
    rosters: Rosters,
    lives: RefCell<HashMap<(KeyRef, LogIndex), Life>>,
    /// What today's rules judge otherwise than the log says.
    pub(super) differing: RefCell<Vec<Problem>>,
}

impl<'c> Sql<'c> {
    pub(super) fn of(c: &'c Connection, place: Place, rosters: &Rosters) -> Self {
        Self { c, place, rosters: rosters.clone(), lives: RefCell::default(), differing: RefCell::default() }
    }
}

fn batch_of(facts: BatchFacts) -> Batch {
    let BatchFacts { id, index, received, unit, place, state, roster, unit_key, approver, .. } = facts;
    Batch { id, index, received, unit, place, state, roster, unit_key, approver }
}

fn delivered(row: &Row<'_>) -> Result<Delivered, Problem> {
    Ok(Delivered {
        line: u64::read(row, 0)?,
        key: rows::key(row, 1)?,
        number: number(row, 4)?,
        roster: RosterVersion(u64::read(row, 6)?),
        agent: parsed(row, 7)?,
        found: Found::of_word(&String::read(row, 8)?)?,
    })
}

const DELIVERED: &str = "SELECT l.line, l.unit, l.record, l.sealed, l.epoch, l.number, l.roster, l.key, d.found, l.batch
                         FROM lines l JOIN deliveries d ON d.batch = l.batch AND d.line = l.line";

const RESIDENT: &str = "SELECT fields, parts, sources, documents, identity, founded, captures FROM residents WHERE reference = ?1";

fn standing(row: &Row<'_>) -> Result<Standing, Problem> {
    Ok(Standing {
        resident: rows::resident(row, 0)?,
        documents: rows::from_json(row, 3)?,
        identity: rows::from_json(row, 4)?,
        founded: Second::read(row, 5)?,
        captures: rows::from_json(row, 6)?,
        keys: BTreeMap::new(),
    })
}

/// The version of the rules that holds for what is judged at an entry.
pub(super) fn rules(c: &Connection, at: LogIndex) -> Result<Rules, Problem> {
    if at.0 == 0 {
        return Ok(Rules::FIRST);
    }
    let newest = maybe(c, "SELECT max(version) FROM rules WHERE idx < ?1", [int(at.0)], Option::<u64>::read_first)?.flatten();
    let named = newest.map(|number| Rules::of_number(number).ok_or_else(damaged)).transpose()?;
    Ok(named.map_or(Rules::FIRST, |named| named.max(Rules::FIRST)))
}

/// Under what a resident stands.
fn keys_of(c: &Connection, reference: &ResidentRef) -> Result<BTreeMap<Rules, BTreeSet<MatchKey>>, Problem> {
    let mut keys: BTreeMap<Rules, BTreeSet<MatchKey>> = BTreeMap::new();
    let sql = "SELECT rules, key FROM resident_keys WHERE reference = ?1";
    for (rules, key) in all(c, sql, [text(reference)], |row| Ok((u64::read(row, 0)?, parsed(row, 1)?)))? {
        keys.entry(Rules::of_number(rules).ok_or_else(damaged)?).or_default().insert(key);
    }
    Ok(keys)
}

/// Half of the digest of a part.
fn half(part: &str) -> Result<[u8; 16], Problem> {
    let digest: Digest = format!("sha256:{part}").parse().map_err(|_| damaged())?;
    digest.as_bytes().first_chunk().copied().ok_or_else(damaged)
}

/// Writes what was captured of a resident, beside the row that still says what it was.
fn set_captures(c: &Connection, reference: &ResidentRef, captures: &BTreeSet<String>) -> Result<(), Problem> {
    let sql = "SELECT captures FROM residents WHERE reference = ?1";
    let before: BTreeSet<String> = maybe(c, sql, [text(reference)], |row| rows::from_json(row, 0))?.unwrap_or_default();
    for gone in before.difference(captures) {
        put(c, "DELETE FROM resident_parts WHERE part = ?1 AND reference = ?2", params![half(gone)?, text(reference)])?;
    }
    for came in captures.difference(&before) {
        put(c, "INSERT OR IGNORE INTO resident_parts (part, reference) VALUES (?1, ?2)", params![half(came)?, text(reference)])?;
    }
    Ok(())
}

impl Engine for Sql<'_> {
    fn next(&self) -> Result<Option<Event>, Problem> {
        let sql = "SELECT e.idx, e.received, e.leaf FROM events v JOIN entries e ON e.idx = v.idx
                   WHERE v.idx >= (SELECT next FROM fold) ORDER BY v.idx LIMIT 1";
        let found = maybe(self.c, sql, [], |row| Ok((LogIndex::read(row, 0)?, Second::read(row, 1)?, Vec::read(row, 2)?)))?;
        let Some((index, received, leaf)) = found else { return Ok(None) };
        let kind = match Entry::parse(&leaf)?.body {
            Body::Batch(batch) => Kind::Batch(batch.batch),
            Body::Roster { version, .. } => Kind::Roster(version),
            Body::Decision(blob) => Kind::Decision(blob),
            Body::Opened(batch) => Kind::Opened(batch),
            Body::Erase { record, .. } => Kind::Erase(record),
            Body::Time | Body::Outcome { .. } | Body::Access(_) | Body::Head(_) | Body::Freeze { .. } | Body::Rules(_) => {
                return Err(damaged());
            }
        };
        Ok(Some(Event { index, received, kind }))
    }
    fn passed(&self, index: LogIndex) -> Result<(), Problem> {
        put(self.c, "UPDATE fold SET next = ?1 + 1, judged = 0", [int(index.0)])?;
        put(self.c, "UPDATE merge_work SET state = 'folded', due = 1 WHERE idx = ?1 AND state <> 'folded'", [int(index.0)])
    }
    fn judged(&self) -> Result<bool, Problem> {
        Ok(maybe(self.c, "SELECT judged FROM fold", [], u64::read_first)? == Some(1))
    }
    fn set_judged(&self) -> Result<(), Problem> {
        let sql = "UPDATE merge_work SET state = 'folded', due = 1
                   WHERE idx = (SELECT min(idx) FROM events WHERE idx >= (SELECT next FROM fold))";
        put(self.c, "UPDATE fold SET judged = 1", []).and_then(|()| put(self.c, sql, []))
    }
    fn rules(&self, at: LogIndex) -> Result<Rules, Problem> {
        rules(self.c, at)
    }
    fn logged(&self, id: BatchId) -> Result<Option<Batch>, Problem> {
        Ok(batches::one(self.c, id)?.map(batch_of))
    }
    fn lines(&self, id: BatchId) -> Result<Option<Vec<Line>>, Problem> {
        let opened = "SELECT 1 FROM merge_work WHERE batch = ?1 AND state <> 'open'";
        if maybe(self.c, opened, [id.as_bytes()], |_| Ok(()))?.is_none() {
            return Ok(None);
        }
        let sql = "SELECT l.line, l.unit, l.record, l.sealed, l.epoch, l.number, l.roster, l.key, d.found
                   FROM lines l LEFT JOIN deliveries d ON d.batch = l.batch AND d.line = l.line WHERE l.batch = ?1 ORDER BY l.line";
        let line = |row: &Row<'_>| match row.get_ref(3).map_err(failed)? {
            rusqlite::types::ValueRef::Null => {
                Ok(Line::Withdrawn(Withdrawal { unit: Member::read(row, 1)?, number: number(row, 4)?, by: parsed(row, 7)? }))
            }
            _ => delivered(row).map(Line::Record),
        };
        all(self.c, sql, [id.as_bytes()], line).map(Some)
    }
    fn first_outcome(&self, id: BatchId) -> Result<Option<Vec<Fate>>, Problem> {
        let Some(note) = papers::first_outcome(self.c, id)? else { return Ok(None) };
        Ok(Some(Outcome::parse(&note)?.lines().iter().map(|line| line.fate.clone()).collect()))
    }
    fn differs(&self, key: &RecordKey, told: &Fate, judged: &Fate) {
        let what = format!("record {} {}: the log says {told}, today's rules say {judged}", key.unit, key.record);
        self.differing.borrow_mut().push(Problem::new(Code::RegistryWrong, what));
    }
    fn first(&self, batch: BatchId, line: u64) -> Result<Option<Fate>, Problem> {
        let sql = "SELECT fate FROM firsts WHERE batch = ?1 AND line = ?2";
        maybe(self.c, sql, params![batch.as_bytes(), int(line)], |row| parsed(row, 0))
    }
    fn opened(&self, batch: BatchId) -> Result<Option<LogIndex>, Problem> {
        links::opened(self.c, batch)
    }
    fn set_first(&self, batch: BatchId, line: u64, fate: &Fate) -> Result<(), Problem> {
        let sql = "INSERT OR REPLACE INTO firsts (batch, line, fate) VALUES (?1, ?2, ?3)";
        put(self.c, sql, params![batch.as_bytes(), int(line), text(fate)])
    }
    fn life(&self, key: &KeyRef, known: LogIndex) -> Result<Life, Problem> {
        let at = (key.clone(), known);
        if let Some(life) = self.lives.borrow().get(&at) {
            return Ok(*life);
        }
        let life = keys::life(self.c, key, known)?;
        self.lives.borrow_mut().insert(at, life);
        Ok(life)
    }
    fn linked(&self, batch: BatchId, known: LogIndex) -> Result<Option<LogIndex>, Problem> {
        links::known(self.c, batch, known)
    }
    fn frozen(&self, key: &KeyRef) -> Result<Option<LogIndex>, Problem> {
        units::frozen(self.c, key)
    }
    fn linked_by(&self, index: LogIndex) -> Result<Vec<BatchId>, Problem> {
        links::made_by(self.c, index)
    }
    fn roster(&self, version: RosterVersion) -> Result<RosterAt, Problem> {
        if let Some(known) = self.rosters.0.lock().expect("nobody panics while holding it").get(&version) {
            return Ok(known.clone());
        }
        let found = papers::roster(self.c, version)?.ok_or_else(damaged)?;
        let facts = Arc::new(Roster::parse(&found.note)?.facts().clone());
        let at = RosterAt { index: found.index, received: found.received, facts };
        let mut kept = self.rosters.0.lock().expect("nobody panics while holding it");
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert(version, at.clone());
        Ok(at)
    }
    fn newest_roster(&self, before: LogIndex, by: Option<Second>) -> Result<Option<RosterVersion>, Problem> {
        papers::newest_before(self.c, before, by)
    }
    fn batches_signed(&self, key: &KeyRef, from: LogIndex, to: LogIndex) -> Result<Vec<Batch>, Problem> {
        Ok(batches::signed(self.c, key, from, to)?.into_iter().map(batch_of).collect())
    }
    fn lines_signed(&self, key: &KeyRef, from: LogIndex, to: LogIndex) -> Result<Vec<(BatchId, Delivered)>, Problem> {
        let sql = format!("{DELIVERED} WHERE l.key = ?1 AND l.idx >= ?2 AND l.idx < ?3 ORDER BY l.idx, l.line");
        all(self.c, &sql, params![text(key), int(from.0), int(to.0)], |row| Ok((BatchId::read(row, 9)?, delivered(row)?)))
    }
    fn withdrawals_signed(&self, key: &KeyRef, from: LogIndex, to: LogIndex) -> Result<Vec<(BatchId, Withdrawal)>, Problem> {
        let sql = "SELECT batch, unit, epoch, number, key FROM lines
                   WHERE key = ?1 AND idx >= ?2 AND idx < ?3 AND sealed IS NULL ORDER BY idx, line";
        all(self.c, sql, params![text(key), int(from.0), int(to.0)], |row| {
            let withdrawal = Withdrawal { unit: Member::read(row, 1)?, number: number(row, 2)?, by: parsed(row, 4)? };
            Ok((BatchId::read(row, 0)?, withdrawal))
        })
    }
    fn deliveries(&self, key: &RecordKey, to: LogIndex) -> Result<Vec<(BatchId, u64)>, Problem> {
        let sql = "SELECT batch, line FROM lines WHERE unit = ?1 AND record = ?2 AND sealed = ?3 AND idx < ?4 ORDER BY idx, line";
        let at = params![text(&key.unit), text(&key.record), key.digest.as_bytes(), int(to.0)];
        all(self.c, sql, at, |row| Ok((BatchId::read(row, 0)?, u64::read(row, 1)?)))
    }
    fn enrolled_by(&self, batch: BatchId, name: &str) -> Result<bool, Problem> {
        let sql = "SELECT 1 FROM lines WHERE batch = ?1 AND sealed IS NOT NULL AND key >= ?2 || '+' AND key < ?2 || ',' LIMIT 1";
        Ok(maybe(self.c, sql, params![batch.as_bytes(), name], |_| Ok(()))?.is_some())
    }

    fn record(&self, key: &RecordKey) -> Result<Option<Record>, Problem> {
        rows::record(self.c, key)
    }
    fn set_record(&self, key: &RecordKey, record: &Record) -> Result<(), Problem> {
        rows::set_record(self.c, key, record)
    }
    fn essence(&self, key: &RecordKey) -> Result<Option<Essence>, Problem> {
        rows::essence(self.c, key)
    }
    fn erase(&self, key: &RecordKey) -> Result<(), Problem> {
        if self.place == Place::Beside {
            return Ok(()); // what was opened is another's
        }
        let at = params![text(&key.unit), text(&key.record), key.digest.as_bytes()];
        put(self.c, "UPDATE deliveries SET found = 'erased' WHERE unit = ?1 AND record = ?2 AND sealed = ?3", at)?;
        put(self.c, "DELETE FROM essences WHERE unit = ?1 AND record = ?2 AND sealed = ?3", at)
    }
    fn id_holder(&self, unit: &Member, record: RecordId) -> Result<Option<RecordKey>, Problem> {
        let sql = "SELECT unit, record, sealed FROM records WHERE unit = ?1 AND record = ?2 AND holds_id = 1";
        maybe(self.c, sql, [text(unit), text(&record)], |row| rows::key(row, 0))
    }
    fn number_holder(&self, unit: &Member, number: Number) -> Result<Option<Holder>, Problem> {
        let at = params![text(unit), number.epoch, int(number.number)];
        let sql = "SELECT unit, record, sealed FROM records WHERE unit = ?1 AND epoch = ?2 AND number = ?3 AND holds_number = 1";
        if let Some(key) = maybe(self.c, sql, at, |row| rows::key(row, 0))? {
            return Ok(Some(Holder::Record(key)));
        }
        let sql = "SELECT 1 FROM withdrawn WHERE unit = ?1 AND epoch = ?2 AND number = ?3 LIMIT 1";
        Ok(maybe(self.c, sql, at, |_| Ok(()))?.map(|()| Holder::Withdrawn))
    }
    fn withdraw(&self, withdrawal: &Withdrawal, batch: BatchId) -> Result<(), Problem> {
        let Withdrawal { unit, number, .. } = withdrawal;
        // after its record it changes nothing: that is an open fact
        if self.number_holder(unit, *number)?.is_some_and(|holder| matches!(holder, Holder::Record(_))) {
            return Ok(());
        }
        let sql = "INSERT OR IGNORE INTO withdrawn (unit, epoch, number, batch) VALUES (?1, ?2, ?3, ?4)";
        put(self.c, sql, params![text(unit), number.epoch, int(number.number), batch.as_bytes()])
    }
    fn withdraw_not(&self, withdrawal: &Withdrawal, batch: BatchId) -> Result<(), Problem> {
        let Withdrawal { unit, number, .. } = withdrawal;
        let sql = "DELETE FROM withdrawn WHERE unit = ?1 AND epoch = ?2 AND number = ?3 AND batch = ?4";
        put(self.c, sql, params![text(unit), number.epoch, int(number.number), batch.as_bytes()])
    }
    fn any_of_id(&self, unit: &Member, record: RecordId) -> Result<Option<RecordKey>, Problem> {
        let sql = "SELECT unit, record, sealed FROM records WHERE unit = ?1 AND record = ?2 AND place IS NOT NULL
                   ORDER BY holds_id DESC, sealed LIMIT 1";
        maybe(self.c, sql, [text(unit), text(&record)], |row| rows::key(row, 0))
    }
    fn wait(&self, target: (&Member, RecordId), key: &RecordKey) -> Result<(), Problem> {
        let sql = "INSERT INTO waiting (unit, target, turn, record, sealed)
                   SELECT ?1, ?2, coalesce(max(turn), 0) + 1, ?3, ?4 FROM waiting WHERE unit = ?1 AND target = ?2";
        put(self.c, sql, params![text(target.0), text(&target.1), text(&key.record), key.digest.as_bytes()])
    }
    fn take_waiting(&self, target: (&Member, RecordId)) -> Result<Vec<RecordKey>, Problem> {
        let at = || [text(target.0), text(&target.1)];
        let sql = "SELECT unit, record, sealed FROM waiting WHERE unit = ?1 AND target = ?2 ORDER BY turn";
        let waiting = all(self.c, sql, at(), |row| rows::key(row, 0))?;
        if !waiting.is_empty() {
            put(self.c, "DELETE FROM waiting WHERE unit = ?1 AND target = ?2", at())?;
        }
        Ok(waiting)
    }

    fn resident(&self, reference: &ResidentRef) -> Result<Option<Standing>, Problem> {
        match maybe(self.c, RESIDENT, [text(reference)], standing)? {
            Some(standing) => Ok(Some(Standing { keys: keys_of(self.c, reference)?, ..standing })),
            None => Ok(None),
        }
    }
    fn set_resident(&self, reference: &ResidentRef, standing: &Standing) -> Result<(), Problem> {
        let Standing { resident: Resident { fields, parts, sources }, documents, identity, captures, founded, keys } = standing;
        set_captures(self.c, reference, captures)?;
        let named = |values| rows::json(&rows::named(values));
        let sources: Vec<String> = sources.iter().map(ToString::to_string).collect();
        put(
            self.c,
            "INSERT OR REPLACE INTO residents (reference, fields, parts, sources, documents, identity, founded, captures)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            params![
                text(reference),
                named(fields),
                named(parts),
                rows::json(&sources),
                rows::json(documents),
                rows::json(identity),
                founded.unix(),
                rows::json(captures),
            ],
        )?;
        put(self.c, "DELETE FROM resident_keys WHERE reference = ?1", [text(reference)])?;
        for (rules, key) in keys.iter().flat_map(|(rules, keys)| keys.iter().map(move |key| (rules, key))) {
            let sql = "INSERT INTO resident_keys (key, reference, rules) VALUES (?1, ?2, ?3)";
            put(self.c, sql, params![text(key), text(reference), int(rules.number())])?;
        }
        Ok(())
    }
    fn remove_resident(&self, reference: &ResidentRef) -> Result<(), Problem> {
        set_captures(self.c, reference, &BTreeSet::new())?;
        put(self.c, "DELETE FROM resident_keys WHERE reference = ?1", [text(reference)])?;
        put(self.c, "DELETE FROM residents WHERE reference = ?1", [text(reference)])
    }
    fn standing(&self, key: &MatchKey) -> Result<Vec<ResidentRef>, Problem> {
        let sql = "SELECT reference FROM resident_keys WHERE key = ?1 ORDER BY reference LIMIT 64";
        all(self.c, sql, [text(key)], |row| parsed(row, 0))
    }
    fn captured(&self, part: &str) -> Result<Vec<ResidentRef>, Problem> {
        let sql = "SELECT reference FROM resident_parts WHERE part = ?1 ORDER BY reference LIMIT 64";
        all(self.c, sql, [half(part)?], |row| parsed(row, 0))
    }

    fn decision_note(&self, blob: Blob) -> Result<DecisionAt, Problem> {
        papers::decision_at(self.c, blob)?.map(decision_at).ok_or_else(damaged)
    }
    fn decision(&self, id: NoteId) -> Result<Option<DecisionAt>, Problem> {
        Ok(papers::decision(self.c, id)?.map(decision_at))
    }
    fn decisions_signed(&self, key: &KeyRef, from: LogIndex, to: LogIndex) -> Result<Vec<DecisionAt>, Problem> {
        Ok(papers::decisions_signed(self.c, key, from, to)?.into_iter().map(decision_at).collect())
    }
    fn decided(&self, id: NoteId) -> Result<Vec<LineState>, Problem> {
        let sql = "SELECT state FROM decided WHERE id = ?1 ORDER BY line";
        all(self.c, sql, [id.as_bytes()], |row| LineState::of_word(&String::read(row, 0)?))
    }
    fn set_decided(&self, id: NoteId, line: usize, state: LineState) -> Result<(), Problem> {
        let sql = "INSERT OR REPLACE INTO decided (id, line, state) VALUES (?1, ?2, ?3)";
        put(self.c, sql, params![id.as_bytes(), int(line as u64), state.word()])
    }
    fn batch_decided(&self, batch: BatchId) -> Result<Option<BatchDecided>, Problem> {
        let sql = "SELECT decision, accepted FROM batches_decided WHERE batch = ?1";
        maybe(self.c, sql, [batch.as_bytes()], |row| {
            let accepted: Option<String> = Option::read(row, 1)?;
            let codes = |text: String| text.split(' ').map(str::parse).collect::<Result<Vec<Code>, _>>();
            let accepted = accepted.map(codes).transpose().map_err(|_| damaged())?;
            Ok(BatchDecided { decision: Column::read(row, 0)?, accepted })
        })
    }
    fn set_batch_decided(&self, batch: BatchId, decided: Option<BatchDecided>) -> Result<(), Problem> {
        put(self.c, "UPDATE merge_work SET due = 1 WHERE batch = ?1", [batch.as_bytes()])?;
        let Some(BatchDecided { decision, accepted }) = decided else {
            return put(self.c, "DELETE FROM batches_decided WHERE batch = ?1", [batch.as_bytes()]);
        };
        let sql = "INSERT OR REPLACE INTO batches_decided (batch, decision, accepted) VALUES (?1, ?2, ?3)";
        let accepted = accepted.map(|codes| codes.iter().map(text).collect::<Vec<_>>().join(" "));
        put(self.c, sql, params![batch.as_bytes(), decision.as_bytes(), accepted])
    }
    fn records_of(&self, batch: BatchId) -> Result<Vec<RecordKey>, Problem> {
        let sql = "SELECT unit, record, sealed FROM records WHERE batch = ?1 ORDER BY line";
        all(self.c, sql, [batch.as_bytes()], |row| rows::key(row, 0))
    }
}

fn decision_at(facts: DecisionFacts) -> DecisionAt {
    DecisionAt { index: facts.index, key: facts.key, note: Arc::new(facts.note) }
}

/// Where the fold stands.
pub(super) fn position(c: &Connection) -> Result<LogIndex, Problem> {
    c.query_row("SELECT next FROM fold", [], |row| row.get::<_, i64>(0))
        .optional()
        .map_err(failed)?
        .and_then(|next| u64::try_from(next).ok())
        .map(LogIndex)
        .ok_or_else(damaged)
}

/// Rows of records and residents, with their keys, as they are: only for what is broken on purpose.
pub(super) type Dump = Vec<(&'static str, Vec<rusqlite::types::Value>)>;

/// Broken on purpose: all that was judged so far.
pub(super) fn dump(c: &Connection) -> Result<Dump, Problem> {
    let mut rows = Dump::new();
    for table in ["records", "residents", "resident_keys", "resident_parts"] {
        let read = |row: &Row<'_>| (0..row.as_ref().column_count()).map(|i| row.get(i).map_err(failed)).collect();
        rows.extend(all(c, &format!("SELECT * FROM {table}"), [], read)?.into_iter().map(|row| (table, row)));
    }
    Ok(rows)
}

/// Broken on purpose: writes what was judged in another transaction over what is.
pub(super) fn load(c: &Connection, dump: &Dump) -> Result<(), Problem> {
    for table in ["records", "residents", "resident_keys", "resident_parts"] {
        put(c, &format!("DELETE FROM {table}"), [])?;
    }
    for (table, row) in dump {
        let marks = vec!["?"; row.len()].join(", ");
        put(c, &format!("INSERT OR REPLACE INTO {table} VALUES ({marks})"), rusqlite::params_from_iter(row))?;
    }
    Ok(())
}

/// Modes of a record, as they are written.
impl super::rows::Word for Mode {
    fn word(&self) -> String {
        match self {
            Self::Founded => "founded",
            Self::Applied { parts: false } => "applied",
            Self::Applied { parts: true } => "applied-parts",
            Self::Joined { parts: false } => "joined",
            Self::Joined { parts: true } => "joined-parts",
            Self::Same => "same",
        }
        .to_owned()
    }
    fn of_word(word: &str) -> Result<Self, Problem> {
        Ok(match word {
            "founded" => Self::Founded,
            "applied" => Self::Applied { parts: false },
            "applied-parts" => Self::Applied { parts: true },
            "joined" => Self::Joined { parts: false },
            "joined-parts" => Self::Joined { parts: true },
            "same" => Self::Same,
            _ => return Err(damaged()),
        })
    }
}
