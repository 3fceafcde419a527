//! Random logs: few units, keys, numbers, ids and people, so that everything meets everything.

use proptest::prelude::*;
use rules::Found;
use shared::{
    decision::{BatchVerdict, RecordKey, Said, Subject, Verdict},
    id::{BatchId, Digest, LogIndex, NoteId, ResidentRef, Transaction},
    keys::KeyRef,
    problem::Code,
    record::Target,
    roster::{Approval, Kept, Persons, Renewals, Revocation, UnknownTargets},
    rules::Rules,
    time::Second,
};

use crate::{
    drafts::{Draft, Sending, batch, draft, key, member, number_target, record_id, signer},
    log::What,
    memory::Memory,
    world::{World, line_in},
};

/// What an act is made from, byte by byte.
pub type Act = [u8; 32];

/// What happens in a log.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Happens {
    Everything,
    /// No record is erased.
    NoErasure,
}

pub fn acts(most: usize) -> impl Strategy<Value = Vec<Act>> {
    proptest::collection::vec(any::<Act>(), 1..most)
}

struct Dice<'a>(std::slice::Iter<'a, u8>);

impl Dice<'_> {
    /// Below `sides`.
    fn roll(&mut self, sides: u8) -> u8 {
        self.0.next().copied().unwrap_or_default() % sides
    }
    /// Once in `sides` times.
    fn hit(&mut self, sides: u8) -> bool {
        self.roll(sides) == sides - 1
    }
    fn of<'t, T>(&mut self, some: &'t [T]) -> Option<&'t T> {
        let n = usize::from(self.roll(255));
        some.get(n.checked_rem(some.len())?)
    }
}

struct Play {
    world: World,
    happens: Happens,
    /// What is on its way on a stick.
    pocket: Vec<Sending>,
    /// The newest key of each name.
    newest: std::collections::BTreeMap<&'static str, u8>,
    notes: Vec<NoteId>,
}

const CREW: [&str; 6] = ["van-1", "van-2", "agent-1", "agent-2", "supervisor-1", "supervisor-2"];
const JUDGES: [&str; 3] = ["amina", "brahim", "chadi"];

/// The log of these acts.
pub fn play(acts: &[Act], happens: Happens) -> World {
    let mut world = World::with(|facts| facts.renewals = Renewals::Apply);
    // every other log begins under the version before
    world.log.first_rules = acts.first().and_then(|act| act.last()).filter(|byte| *byte % 2 == 0).map(|_| Rules::V2);
    let mut play = Play { world, happens, pocket: Vec::new(), newest: CREW.map(|name| (name, 1)).into(), notes: Vec::new() };
    for act in acts {
        play.act(&mut Dice(act.iter()));
    }
    play.world
}

impl Play {
    fn act(&mut self, dice: &mut Dice<'_>) {
        let act = dice.roll(25);
        match act {
            0..=9 => self.batch(dice),
            10 => self.arrives(dice),
            11 | 12 => self.head(dice),
            13 | 14 => self.cut(dice),
            15 => self.replace(dice),
            16..=18 => self.decide(dice),
            19 => self.confirm(dice),
            20 => self.opens(dice),
            21 => self.erase(dice),
            22 => self.policy(dice),
            23 => drop(self.world.rules(Rules::V3)),
            _ => self.again(dice),
        }
    }

    fn key(&self, name: &'static str, dice: &mut Dice<'_>) -> KeyRef {
        let newest = self.newest.get(name).copied().unwrap_or(1);
        key(name, if dice.hit(4) { 1 } else { newest })
    }

    fn batch(&mut self, dice: &mut Dice<'_>) {
        let unit = ["van-1", "van-2"][usize::from(dice.roll(2))];
        let records = (0..=dice.roll(2)).map(|_| self.record(unit, dice)).collect();
        let epoch = if dice.hit(4) { 1 } else { u32::from(self.newest[unit]) };
        let supervisor = ["supervisor-1", "supervisor-2"][usize::from(dice.roll(2))];
        let approver = (!dice.hit(5)).then(|| self.key(supervisor, dice));
        let mut sending = Sending { unit: member(unit), epoch, approver, ..batch(records) };
        if dice.hit(5) {
            sending = sending.withdraws(u64::from(1 + dice.roll(6)), self.key("supervisor-1", dice));
        }
        sending.fork = dice.hit(10);
        if dice.hit(4) {
            sending = self.world.placed(sending);
            self.pocket.push(sending);
        } else {
            self.world.send(sending);
        }
    }

    fn record(&self, unit: &'static str, dice: &mut Dice<'_>) -> Draft {
        let n = 1 + dice.roll(6);
        let national = ["N1", "N2", "N3", ""][usize::from(dice.roll(4))];
        let mut record = draft(unit, n, national).sets(&[("date_of_birth", "1980-05-17"), ("sex", "f"), ("place_of_birth", "04")]);
        // without a number, spellings that the versions fold otherwise, and a second script
        if national.is_empty() {
            record = record.sets(&[("family_latin", ["Haddad", "El Haddad", "Elhaddad"][usize::from(dice.roll(3))])]);
            if dice.hit(3) {
                record = record.sets(&[("given_ar", "إيطو"), ("family_ar", "حداد")]);
            }
        }
        if dice.hit(5) {
            record = record.number(u64::from(1 + dice.roll(6)));
        }
        let agent = ["agent-1", "agent-2", "agent-3"][usize::from(dice.roll(3))];
        record = record.by(self.key(agent, dice));
        if dice.hit(4) {
            record = record.form("residence/1").sets(&[("residence_id", "R")]);
        }
        let target = Self::target(unit, dice);
        let (phone, other) = (["1", "2"][usize::from(dice.roll(2))], ["N1", "N2", "N3", "N4"][usize::from(dice.roll(4))]);
        record = match dice.roll(8) {
            0..=3 => record,
            4 => record.only(&[("phone", phone)]).to(Transaction::Correction, target),
            5 => record.only(&[("national_number", other)]).to(Transaction::Correction, target),
            6 => record.only(&[("phone", phone)]).to(Transaction::Renewal, target),
            _ => record.to(Transaction::Replacement, target),
        };
        record = if dice.hit(6) { record.version(1) } else { record };
        // two captures among all of them: some are somebody else's
        if dice.hit(4) {
            record = record.shows("face", dice.roll(2));
        }
        record.broken = dice.hit(8);
        record.found = if dice.hit(12) { Found::Refused(Code::LineMismatch) } else { Found::Signed };
        record
    }

    fn target(unit: &str, dice: &mut Dice<'_>) -> Target {
        let record = record_id(1 + dice.roll(6));
        let other = if unit == "van-1" { "van-2" } else { "van-1" };
        match dice.roll(6) {
            0..=2 => Target::Record { unit: member(unit), record },
            3 => Target::Record { unit: member(other), record },
            4 => Target::Resident { resident: ResidentRef::founded_by(&member("van-2"), record) },
            _ => number_target(["N1", "N2", "N3"][usize::from(dice.roll(3))]),
        }
    }

    fn arrives(&mut self, dice: &mut Dice<'_>) {
        if !self.pocket.is_empty() {
            let n = usize::from(dice.roll(255)) % self.pocket.len();
            let sending = self.pocket.remove(n);
            self.world.deliver(&sending);
        }
    }

    /// The same batch, or its records in another one.
    fn again(&mut self, dice: &mut Dice<'_>) {
        let ids: Vec<BatchId> = self.world.log.batches.keys().copied().collect();
        let Some(id) = dice.of(&ids) else { return };
        self.world.send_again(*id, &key("agent-3", 1));
    }

    fn head(&mut self, dice: &mut Dice<'_>) {
        let unit = ["van-1", "van-2"][usize::from(dice.roll(2))];
        let epoch = if dice.hit(4) { 1 } else { self.newest[unit] };
        if let Some(id) = self.world.newest_place(unit, u32::from(epoch)) {
            self.world.head(unit, epoch, id);
        }
    }

    fn past(&self, dice: &mut Dice<'_>) -> LogIndex {
        let next = self.world.log.next().0;
        LogIndex(next.saturating_sub(u64::from(dice.roll(14))).max(1))
    }

    fn cut(&mut self, dice: &mut Dice<'_>) {
        let names = [&CREW[..], &JUDGES[..]].concat();
        let name = *dice.of(&names).expect("some");
        let nth = 1 + dice.roll(self.newest.get(name).copied().unwrap_or(1));
        let cut = self.past(dice);
        self.world.cut(&key(name, nth), cut);
    }

    /// A new key beside an old one, which ends here or goes on for a while.
    fn replace(&mut self, dice: &mut Dice<'_>) {
        let name = CREW[usize::from(dice.roll(6))];
        let nth = self.newest[name] + 1;
        let (new, old) = (signer(name, nth).public().clone(), key(name, nth - 1));
        let until = dice.hit(2).then(|| Second::from_unix(self.world.now + i64::from(dice.roll(5))));
        let next = self.world.log.next();
        self.world.roster(|facts| {
            match until {
                Some(until) if facts.kept_until(&old).is_none() => facts.kept.push(Kept { key: old, until }),
                _ if facts.revocation(&old).is_none() => facts.revoked.push(Revocation { key: old, cut: next, reason: "replaced".into() }),
                _ => {}
            }
            World::admit(facts, name, nth, new);
        });
        self.newest.insert(name, nth);
    }

    fn decide(&mut self, dice: &mut Dice<'_>) {
        let memory = self.world.memory();
        let mut lines = Vec::new();
        for _ in 0..=dice.roll(2) {
            let Some(subject) = self.subject(&memory, dice) else { return };
            let mut line = line_in(&memory, subject);
            match dice.roll(10) {
                8 => line.case = Digest::of(b"another"),
                9 => line.replaces = Some(NoteId::of(b"another")),
                _ => {}
            }
            lines.push(line);
        }
        let said = self.world.says(JUDGES[usize::from(dice.roll(3))], 1, Said::Lines(lines));
        self.notes.extend(said);
        if dice.hit(2) {
            self.confirm(dice);
        }
    }

    fn subject(&self, memory: &Memory, dice: &mut Dice<'_>) -> Option<Subject> {
        if dice.hit(3) {
            let ids: Vec<BatchId> = self.world.log.batches.keys().copied().collect();
            let id = *dice.of(&ids)?;
            let code = rules::force::code(memory, &memory.log.batches[&id].batch, memory.log.next()).ok()?;
            let refuse = code.is_none() || dice.hit(3);
            return Some(Subject::Batch(id, if refuse { BatchVerdict::Refuse } else { BatchVerdict::Accept(code?) }));
        }
        let (records, residents) = memory.peek(|state| {
            (state.records.keys().cloned().collect::<Vec<RecordKey>>(), state.residents.keys().cloned().collect::<Vec<ResidentRef>>())
        });
        let record = dice.of(&records)?.clone();
        let verdict = match dice.roll(5) {
            0 => Verdict::Found,
            1 => Verdict::Same(dice.of(&residents)?.clone()),
            2 => Verdict::Apply(dice.of(&residents)?.clone()),
            _ => Verdict::Refuse,
        };
        Some(Subject::Record(record, verdict))
    }

    fn confirm(&mut self, dice: &mut Dice<'_>) {
        let newest = self.notes.len().saturating_sub(1 + usize::from(dice.hit(4)));
        if let Some(note) = self.notes.get(newest).copied() {
            let said = if dice.hit(6) { Said::Reject(note) } else { Said::Confirm(note) };
            self.world.says(JUDGES[usize::from(dice.roll(3))], 1, said);
        }
    }

    fn opens(&mut self, dice: &mut Dice<'_>) {
        let log = &self.world.log;
        let unopened = log.batches.values().filter(|sent| !sent.broken.is_empty() && log.opened(sent.batch.id).is_none());
        let ids: Vec<BatchId> = unopened.map(|sent| sent.batch.id).collect();
        if let Some(id) = dice.of(&ids) {
            self.world.opened(*id);
        }
    }

    fn erase(&mut self, dice: &mut Dice<'_>) {
        if self.happens == Happens::NoErasure {
            return;
        }
        let records: Vec<RecordKey> = self.world.memory().fates().into_keys().collect();
        if let Some(key) = dice.of(&records) {
            self.world.erase(key);
        }
    }

    fn policy(&mut self, dice: &mut Dice<'_>) {
        let version = self.world.facts.version;
        match dice.roll(7) {
            0 => drop(self.world.roster(|facts| facts.approval = Approval::None)),
            1 => drop(self.world.roster(|facts| facts.approval = Approval::Required)),
            2 => drop(self.world.roster(|facts| facts.renewals = Renewals::Hold)),
            3 => drop(self.world.roster(|facts| facts.unknown_targets = UnknownTargets::Found)),
            4 => drop(self.world.roster(|facts| facts.persons = Persons::Two)),
            5 => self.world.wait(40 * 86_400),
            _ => self.world.freeze(&key("van-1", 1)),
        }
        debug_assert!(self.world.facts.version >= version);
    }
}

/// The keys that an entry's roster ends otherwise than the one before.
pub fn newly_ended(world: &World, at: LogIndex) -> Vec<KeyRef> {
    let What::Roster(facts) = &world.log.entries[usize::try_from(at.0).expect("small")].what else { return Vec::new() };
    let before = world.log.newest_roster(at, None).and_then(|version| world.log.roster(version));
    let ended = facts.revoked.iter().map(|r| &r.key).chain(facts.kept.iter().map(|k| &k.key));
    let same = |key: &&KeyRef| {
        before.as_ref().is_some_and(|before| shared::force::End::of(&before.facts, key) == shared::force::End::of(facts, key))
    };
    ended.filter(|key| !same(key)).cloned().collect()
}
