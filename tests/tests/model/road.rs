//! What can happen, and what must hold whatever happens.

use stateright::{Model, Property};

use super::state::{COUNT, Copy, State};

/// A rule of the protocol that is broken on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sabotage {
    /// A receipt leaves when the segment is written, before the guard holds it.
    ReceiptBeforeGuard,
    /// A fold's effects and its done-mark are two transactions.
    FoldAndMarkApart,
    /// Batches are folded as they were opened, not in the log's order.
    FoldAsOpened,
    /// The unit prunes with a receipt alone, whatever becomes of the record.
    PruneOnReceipt,
    /// The same, and payloads lie in the database: no archive that restores leave alone.
    PruneWithoutArchive,
    /// Payloads lie in the database; the unit prunes what the latest backup holds.
    PruneOnLatestBackup,
    /// A backup copies the guard, a restore puts it back.
    GuardInBackup,
    /// The centre knows a batch by its sequence, whatever its digest.
    DedupBySequence,
}

/// The road: its bounds, and the rule that is broken.
#[derive(Debug, Clone, Copy)]
pub struct Road {
    /// Sequence of each batch; two with the same are a fork (a cloned or rewound laptop).
    pub sequences: [u8; COUNT as usize],
    /// Most copies of the database that are kept.
    pub copies: usize,
    pub sabotage: Option<Sabotage>,
}

impl Road {
    pub const TRUE: Self = Self { sequences: [1, 2, 3], copies: 2, sabotage: None };

    pub fn with(sabotage: Sabotage) -> Self {
        Self { sabotage: Some(sabotage), ..Self::TRUE }
    }

    fn broken(&self, sabotage: Sabotage) -> bool {
        self.sabotage == Some(sabotage)
    }

    fn has_archive(&self) -> bool {
        !self.broken(Sabotage::PruneWithoutArchive) && !self.broken(Sabotage::PruneOnLatestBackup)
    }

    /// Does the database know this batch? By its id, which is a digest.
    fn knows(&self, s: &State, batch: u8) -> bool {
        let same = |other: u8| match self.sabotage {
            Some(Sabotage::DedupBySequence) => self.sequences[usize::from(other)] == self.sequences[usize::from(batch)],
            _ => other == batch,
        };
        s.db.log.entries().iter().any(|&other| same(other))
    }

    /// The first logged batch of a sequence may merge, later ones are quarantined `fork`.
    fn accepted(&self, s: &State, batch: u8) -> bool {
        let sequence = |b: u8| self.sequences[usize::from(b)];
        s.db.log.entries().iter().find(|&&b| sequence(b) == sequence(batch)) == Some(&batch)
    }

    /// Everything that was logged before it is folded: opening goes as it likes, folding in turn.
    fn in_turn(&self, s: &State, batch: u8) -> bool {
        self.broken(Sabotage::FoldAsOpened) || s.db.log.entries().iter().take_while(|&&b| b != batch).all(|&b| s.db.done.has(b))
    }

    /// Payload and manifest lie where the sequencer and the opener look for them.
    fn stored(&self, s: &State, batch: u8) -> bool {
        if self.has_archive() { s.centre.archived.has(batch) } else { s.db.payloads.has(batch) }
    }
}

/// An act, a crash, or a disaster; the number is the batch, or the copy of the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    Close(u8),
    Arrive(u8),
    Archive(u8),
    Segment(u8),
    Swap,
    Apply,
    Fold(u8),
    Mark,
    Receipt(u8),
    Outcome(u8),
    Prune(u8),
    CentreDies,
    Backup,
    Restore(u8),
}

/// The acts that bring a batch on, in the order of the road; `Swap`, `Apply` and `Mark` are about no batch in particular.
const ON: [fn(u8) -> Act; 10] = [
    Act::Arrive,
    Act::Archive,
    Act::Segment,
    |_| Act::Swap,
    |_| Act::Apply,
    Act::Fold,
    |_| Act::Mark,
    Act::Receipt,
    Act::Outcome,
    Act::Prune,
];

impl Model for Road {
    type State = State;
    type Action = Act;

    fn init_states(&self) -> Vec<State> {
        vec![State::default()]
    }

    fn actions(&self, s: &State, acts: &mut Vec<Act>) {
        for batch in 0..COUNT {
            acts.push(Act::Close(batch));
            acts.extend(ON.iter().map(|act| act(batch)).filter(|a| batch == 0 || !matches!(a, Act::Swap | Act::Apply | Act::Mark)));
        }
        acts.extend([Act::CentreDies, Act::Backup]);
        acts.extend((0..COUNT).filter(|&n| usize::from(n) < s.copies.len()).map(Act::Restore));
    }

    fn next_state(&self, s: &State, act: Act) -> Option<State> {
        let mut next = s.clone();
        self.happens(&mut next, act).filter(|()| next != *s)?;
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(LOST, |road, s: &State| s.unit.closed.each().all(|b| !s.unit.pruned.has(b) || road.stored(s, b))),
            Property::always(EXACTLY_ONCE, |_, s: &State| {
                (0..COUNT).all(|b| s.db.effects[usize::from(b)] <= 1 && (s.db.effects[usize::from(b)] == 0 || s.centre.guard.has(b)))
            }),
            Property::always(IN_ORDER, |_, s: &State| {
                s.db.log.entries().iter().skip_while(|&&b| s.db.done.has(b)).all(|&b| !s.db.done.has(b))
            }),
            Property::always(RECEIPT, |road, s: &State| s.unit.receipts.each().all(|b| s.centre.guard.has(b) && road.stored(s, b))),
            Property::always(PRUNE, |_, s: &State| s.unit.pruned.within(s.unit.receipts) && s.unit.pruned.within(s.unit.merged)),
            Property::always(GUARD, |_, s: &State| s.centre.guard.begins_with(s.longest)),
            Property::always(SAFE_IN_CALM, |road, s: &State| road.safe(&road.calm(s))),
            // a model in which nothing gets anywhere would hold all of the above
            Property::sometimes("all went the whole road, after each restore", |road, s: &State| s.restored && road.whole(s)),
            Property::sometimes("the database is behind the guard", |_, s: &State| s.db.log.len() + 2 <= s.centre.guard.len()),
        ]
    }
}

pub const IN_ORDER: &str = "what is folded is the beginning of the log, also after a restore";
pub const LOST: &str = "a finished record is on the unit or with the centre for good";
pub const EXACTLY_ONCE: &str = "a batch takes effect once at most, and only when it is logged";
pub const RECEIPT: &str = "what has a receipt is stored, and logged under the guard";
pub const PRUNE: &str = "only what has a receipt and an outcome that says merged is pruned";
pub const GUARD: &str = "the guard never goes back, nor another way";
pub const SAFE_IN_CALM: &str = "once all is calm, everything gets in, once, and the unit knows";

impl Road {
    /// Does an act to a state; none when it cannot happen now.
    fn happens(&self, s: &mut State, act: Act) -> Option<()> {
        match act {
            Act::Close(b) => s.unit.closed = s.unit.closed.with(b),
            Act::Arrive(_) | Act::Archive(_) | Act::Segment(_) | Act::Swap | Act::Apply => self.take_in(s, act)?,
            Act::Fold(_) | Act::Mark => self.merge(s, act)?,
            Act::Receipt(_) | Act::Outcome(_) | Act::Prune(_) => self.answer(s, act)?,
            Act::CentreDies => (s.centre.segment, s.centre.unmarked) = (None, None),
            Act::Backup | Act::Restore(_) => self.disaster(s, act)?,
        }
        Some(())
    }

    /// Intake and sequencer. While the database is behind the guard, the centre only catches up.
    fn take_in(&self, s: &mut State, act: Act) -> Option<()> {
        let caught_up = s.db.log == s.centre.guard;
        match act {
            Act::Apply if !caught_up && s.centre.guard.begins_with(s.db.log) => {
                let next = s.centre.guard.entries()[s.db.log.len()];
                s.db.log.push(next);
                // a crash before staging forgets it leaves bytes that nobody looks at again
                s.centre.staged = s.centre.staged.without(next);
            }
            _ if !caught_up => return None,
            Act::Arrive(b) if s.unit.closed.has(b) && !self.knows(s, b) => s.centre.staged = s.centre.staged.with(b),
            Act::Archive(b) if s.centre.staged.has(b) && !self.knows(s, b) => {
                if self.has_archive() {
                    s.centre.archived = s.centre.archived.with(b);
                } else {
                    s.db.payloads = s.db.payloads.with(b);
                }
            }
            Act::Segment(b) if s.centre.staged.has(b) && self.stored(s, b) && !self.knows(s, b) && s.centre.segment.is_none() => {
                s.centre.segment = Some(b);
            }
            Act::Swap => {
                s.centre.guard.push(s.centre.segment.take()?);
                if s.centre.guard.len() > s.longest.len() {
                    s.longest = s.centre.guard;
                }
            }
            _ => return None,
        }
        Some(())
    }

    fn merge(&self, s: &mut State, act: Act) -> Option<()> {
        match act {
            Act::Fold(b) => {
                let due = s.db.log.has(b) && !s.db.done.has(b) && s.centre.unmarked.is_none() && self.stored(s, b) && self.in_turn(s, b);
                if !due {
                    return None;
                }
                // quarantined work is opened and held: it takes no effect
                s.db.effects[usize::from(b)] += u8::from(self.accepted(s, b));
                if self.broken(Sabotage::FoldAndMarkApart) {
                    s.centre.unmarked = Some(b);
                } else {
                    s.db.done = s.db.done.with(b);
                }
            }
            _ => s.db.done = s.db.done.with(s.centre.unmarked.take()?),
        }
        Some(())
    }

    fn answer(&self, s: &mut State, act: Act) -> Option<()> {
        match act {
            Act::Receipt(b) => {
                let early = self.broken(Sabotage::ReceiptBeforeGuard) && s.centre.segment == Some(b);
                let logged = s.db.log == s.centre.guard && s.db.log.has(b);
                (logged || early).then(|| s.unit.receipts = s.unit.receipts.with(b))?;
            }
            Act::Outcome(b) => {
                let merged = s.db.log == s.centre.guard && s.db.done.has(b) && self.accepted(s, b);
                merged.then(|| s.unit.merged = s.unit.merged.with(b))?;
            }
            Act::Prune(b) if self.may_prune(s, b) => s.unit.pruned = s.unit.pruned.with(b),
            _ => return None,
        }
        Some(())
    }

    fn may_prune(&self, s: &State, batch: u8) -> bool {
        let receipt = s.unit.receipts.has(batch);
        match self.sabotage {
            Some(Sabotage::PruneOnReceipt | Sabotage::PruneWithoutArchive) => receipt,
            Some(Sabotage::PruneOnLatestBackup) => receipt && s.copies.last().is_some_and(|copy| copy.db.payloads.has(batch)),
            _ => receipt && s.unit.merged.has(batch),
        }
    }

    fn disaster(&self, s: &mut State, act: Act) -> Option<()> {
        match act {
            Act::Backup => {
                let guard = self.broken(Sabotage::GuardInBackup).then_some(s.centre.guard);
                let copy = Copy { db: s.db, guard };
                (s.copies.len() < self.copies && s.copies.last() != Some(&copy)).then(|| s.copies.push(copy))?;
            }
            Act::Restore(n) => {
                let Copy { db, guard } = s.copies[usize::from(n)];
                s.db = db;
                s.centre.guard = guard.unwrap_or(s.centre.guard);
                (s.centre.segment, s.centre.unmarked) = (None, None);
                s.restored = true;
            }
            _ => return None,
        }
        Some(())
    }

    /// From here on no crash, no loss, no restore: every act happens until none changes anything.
    fn calm(&self, s: &State) -> State {
        let mut s = s.clone();
        loop {
            let before = s.clone();
            for batch in 0..COUNT {
                for act in ON {
                    let mut next = s.clone();
                    if self.happens(&mut next, act(batch)).is_some() {
                        s = next;
                    }
                }
            }
            if s == before {
                return s;
            }
        }
    }

    /// Every closed batch is logged and the unit has its receipt; what may merge has merged, once, and the unit knows.
    fn safe(&self, s: &State) -> bool {
        s.unit.closed.each().all(|b| {
            let merged = s.db.effects[usize::from(b)] == 1 && s.unit.merged.has(b);
            s.centre.guard.has(b) && s.db.log.has(b) && s.unit.receipts.has(b) && (merged || !self.accepted(s, b))
        })
    }

    fn whole(&self, s: &State) -> bool {
        (0..COUNT).all(|b| s.unit.pruned.has(b) || (s.unit.receipts.has(b) && !self.accepted(s, b)))
    }
}
