//! Hello: where a unit says that it stands, judged and answered.
//!
//! Steps: size and syntax → 1. it is for this centre → 2. its sender stands in the newest roster → 3. signature; it claims no more than
//! a key may have done → 4. counter and id are kept (durable before the answer leaves) → 5. state → 6. a contradiction freezes, news
//! about the head is logged → 7. answer, proofs, token.
//!
//! **Invariants:** a hello moves nothing before its signature is checked, and nothing at all when its key has ended; only a
//! contradiction of one key freezes, and only that key; at most [`HEADS_A_DAY`] heads of a key are logged a day.

use shared::{
    hello::{Answer, AnswerFacts, Hello, Known, MAX_HOLD, Path, Sender, State, UnitStand},
    id::{BatchId, Blob, LogIndex, Member, Place},
    keys::{KeyRef, VerifierKey},
    log::{Consistency, HeadEntry},
    problem::{Code, Problem},
    roster::Facts as RosterFacts,
    time::Second,
};

use super::{
    super::{Proposal, sequencer::Published},
    Intake,
};
use crate::store::{Archive, HeadWitness, HelloFacts, Ledger, Staging, Whole, Word, blocking};

/// Most `head` entries of one key in a day.
const HEADS_A_DAY: u64 = 24;
const DAY: i64 = 86_400;
/// A key may be so many batches ahead of the log.
const AHEAD_BATCHES: u64 = 10_000;
/// And so many numbers.
const AHEAD_NUMBERS: u64 = 1_000_000;
/// Most `want` lines of an answer.
const WANT: usize = 64;
/// Most `outcome` lines of an answer: the next hello brings the rest.
const OUTCOMES: usize = 512;

/// What a hello is answered with.
#[derive(Debug, Clone)]
pub struct HelloReply {
    /// The signed answer.
    pub answer: Vec<u8>,
    /// tlog-proof of the log's last entry.
    pub proof: Vec<u8>,
    /// Body of C2SP add-checkpoint, from the head that the unit has seen.
    pub consistency: Vec<u8>,
    /// For the other calls; only for state `ok` over the network.
    pub token: Option<String>,
}

impl<S: Staging, A: Archive, L: Ledger> Intake<S, A, L> {
    /// Takes a hello in and answers it.
    pub async fn hello(&self, bytes: Vec<u8>) -> Result<HelloReply, Problem> {
        let parts = &self.inner.parts;
        let now = (parts.clock)();
        let newest = self.inner.rosters.newest(&parts.ledger).await?;
        let (centre, roster) = (parts.centre.clone(), newest.clone());
        let (hello, key) = blocking(move || {
            let hello = Hello::parse(&bytes)?;
            // 1.
            if hello.facts().centre != centre {
                return Err(Problem::new(Code::CentreWrong, "another centre's hello"));
            }
            // 2. and 3.
            let key = sender_key(&hello, roster.facts())?;
            hello.verify(key)?;
            let key = KeyRef::from(key);
            Ok((hello, key))
        })
        .await?;
        self.within_reach(&hello).await?;
        let word = self.word(&key, now).await?.unwrap_or(Word::Heard);
        let caller = Caller { key, word };
        // 4. A crash after this: the same hello again is a `repeat`, the unit's next one is answered as usual.
        let known = parts.ledger.hello(facts(&hello, &caller, now)).await?;
        // 5.
        let state = State::judge(&hello, &known);
        // 6.
        if let Sender::Unit(unit) = &hello.facts().sender
            && word == Word::Counts
        {
            match state {
                State::Frozen if !known.frozen => self.freeze(&hello, unit, &caller.key).await?,
                State::Ok => self.log_head(&hello, unit, &caller.key, now).await,
                _ => {}
            }
        }
        // 7.
        self.answer(&hello, &caller, &known, state, now).await
    }

    /// Nobody does ten thousand batches between two visits: such a claim is damage, or made to hurt.
    async fn within_reach(&self, hello: &Hello) -> Result<(), Problem> {
        let Sender::Unit(unit) = &hello.facts().sender else { return Ok(()) };
        let ledger = &self.inner.parts.ledger;
        let far = |what: String| Err(Problem::new(Code::HeadTooFar, what));
        if let Some((place, _)) = unit.head
            && place.sequence > ledger.extent(&unit.unit, place.epoch).await?.sequence + AHEAD_BATCHES
        {
            return far(format!("batch {place}"));
        }
        if let Some(number) = unit.number
            && number.number > ledger.extent(&unit.unit, number.epoch).await?.number + AHEAD_NUMBERS
        {
            return far(format!("number {number}"));
        }
        Ok(())
    }

    /// Both notes that contradict each other are archived, then the log says so.
    async fn freeze(&self, hello: &Hello, unit: &UnitStand, key: &KeyRef) -> Result<(), Problem> {
        let parts = &self.inner.parts;
        let second = hello.note().as_bytes().to_vec();
        let place = unit.head.map(|(place, _)| place);
        let first = match place {
            Some(place) => self.other_note(unit, key, place).await?,
            None => None,
        };
        // of a hello that the log does not name nothing is left after a rebuild; then this one stands for both
        let first = first.unwrap_or_else(|| second.clone());
        let (first_blob, second_blob) = (Blob::of(&first), Blob::of(&second));
        parts.archive.put(first_blob, Whole::new(first)).await?;
        parts.archive.put(second_blob, Whole::new(second)).await?;
        let freeze = Proposal::Freeze { unit: unit.unit.clone(), key: key.clone(), first: first_blob, second: second_blob };
        parts.sequencer.log(freeze).await?;
        tracing::warn!("key {key} of unit {} contradicts itself and is frozen", unit.unit);
        Ok(())
    }

    /// The note of this key that says something else about this place.
    async fn other_note(&self, unit: &UnitStand, key: &KeyRef, place: Place) -> Result<Option<Vec<u8>>, Problem> {
        let parts = &self.inner.parts;
        match parts.ledger.head_witness(key, &unit.unit, place).await? {
            Some(HeadWitness::Logged(manifest)) => parts.archive.get(manifest).await.map(Some),
            Some(HeadWitness::Announced(batch)) => parts.staging.manifest(batch).await,
            Some(HeadWitness::Hello(note)) => Ok(Some(note)),
            None => Ok(None),
        }
    }

    /// Logs where the unit stands, when that is news. The unit is answered even if the log can't go on.
    async fn log_head(&self, hello: &Hello, unit: &UnitStand, key: &KeyRef, now: Second) {
        let entry =
            HeadEntry { key: key.clone(), head: unit.head, number: unit.number, hello: hello.facts().counter, note: hello.note().blob() };
        if let Err(problem) = self.log_news(unit, entry, hello.note().as_bytes(), now).await {
            tracing::warn!("the head of unit {} is not logged: {problem}", unit.unit);
        }
    }

    async fn log_news(&self, unit: &UnitStand, entry: HeadEntry, note: &[u8], now: Second) -> Result<(), Problem> {
        let parts = &self.inner.parts;
        let last = parts.ledger.logged_head(&entry.key).await?.map(|(_, last)| (last.head, last.number));
        let since = Second::from_unix(now.unix() - DAY);
        if last.unwrap_or((None, None)) == (unit.head, unit.number) || parts.ledger.heads_since(&entry.key, since).await? >= HEADS_A_DAY {
            return Ok(());
        }
        // A crash after this leaves a blob that nobody names.
        parts.archive.put(entry.note, Whole::new(note)).await?;
        parts.sequencer.log(Proposal::Head(unit.unit.clone(), entry)).await.map(|_| ())
    }

    async fn answer(&self, hello: &Hello, caller: &Caller, known: &Known, state: State, now: Second) -> Result<HelloReply, Problem> {
        let parts = &self.inner.parts;
        let published = parts.sequencer.published().await?;
        let facts = hello.facts();
        let mut answer = AnswerFacts {
            unit: facts.sender_name().clone(),
            epoch: 1,
            hello: (facts.counter, hello.note().id()),
            state,
            time: now,
            counter: known.counter.max(facts.counter),
            head: None,
            want: Vec::new(),
            outcomes: Vec::new(),
            hold: Vec::new(),
            roster: parts.ledger.newest_roster().await?.map(|r| r.version),
        };
        let mut seen = 0;
        if let Sender::Unit(unit) = &facts.sender {
            seen = unit.seen.size;
            answer.epoch = unit.epoch;
            answer.head = self.newest_batch(&unit.unit, unit.epoch).await?;
            answer.want = self.wanted(&unit.unit, unit.epoch).await?;
            answer.outcomes = parts.ledger.outcomes_since(&unit.unit, LogIndex(unit.settled), OUTCOMES).await?;
            answer.hold = parts.ledger.in_doubt(&unit.unit, MAX_HOLD).await?;
        }
        let (proof, consistency) = self.proofs(&published, seen).await?;
        let token = self.token(hello, caller, known, state, now);
        let signer = parts.signer.clone();
        let answer = blocking(move || Answer::sign(answer, &signer).note().as_bytes().to_vec()).await;
        Ok(HelloReply { answer, proof, consistency, token })
    }

    /// The newest batch of the epoch, or of the last one before it that has any.
    async fn newest_batch(&self, unit: &Member, epoch: u32) -> Result<Option<(Place, BatchId)>, Problem> {
        for epoch in (1..=epoch).rev() {
            if let Some(batch) = self.inner.parts.ledger.chain_head(unit, epoch).await? {
                return Ok(Some((batch.place, batch.id)));
            }
        }
        Ok(None)
    }

    /// Announced batches, each with the offset from which its payload is wanted: those of the key that asks first, so that another key
    /// of the unit can't fill the list; oldest first.
    async fn wanted(&self, unit: &Member, epoch: u32) -> Result<Vec<(Place, u64)>, Problem> {
        let parts = &self.inner.parts;
        let mut announced = parts.ledger.announced(unit).await?;
        announced.sort_by_key(|batch| (batch.place.epoch != epoch, batch.place));
        let mut wanted: Vec<(Place, u64)> = Vec::new();
        for batch in announced {
            // both sides of a fork are wanted, but a place is named once
            if wanted.last().is_some_and(|(place, _)| *place == batch.place) {
                continue;
            }
            if wanted.len() == WANT {
                break;
            }
            // known by name, gone in fact: the unit announces it again
            if self.staged(batch.id).await?.is_none() {
                continue;
            }
            wanted.push((batch.place, parts.staging.offset(batch.id).await?));
        }
        wanted.sort_by_key(|(place, _)| *place);
        Ok(wanted)
    }

    /// Proof of the last entry, and that the log begins with what the unit has seen.
    async fn proofs(&self, published: &Published, seen: u64) -> Result<(Vec<u8>, Vec<u8>), Problem> {
        let size = published.head().size;
        if seen > size {
            // Nothing that this centre can prove: it has lost entries, or somebody else showed the unit another log.
            return Err(Problem::new(Code::LogInconsistent, format!("seen {seen}, this log has {size}")));
        }
        let last = size.checked_sub(1).ok_or_else(|| Problem::new(Code::NotInitialised, "the log is empty"))?;
        let proof = published.prove(&self.inner.parts.ledger, LogIndex(last)).await?.to_bytes();
        let hashes = self.inner.parts.ledger.consistency(seen, size).await?;
        let checkpoint = published.checkpoint.as_bytes().to_vec();
        Ok((proof, Consistency { old: seen, hashes, checkpoint }.to_bytes()))
    }

    fn token(&self, hello: &Hello, caller: &Caller, known: &Known, state: State, now: Second) -> Option<String> {
        let facts = hello.facts();
        let epoch = match &facts.sender {
            Sender::Unit(unit) => unit.epoch,
            Sender::Carrier(_) => 0,
        };
        // A carrier has no state: for it too, a counter is good for one token.
        let fresh = known.same_counter.is_none() && facts.counter > known.counter;
        (state == State::Ok && fresh && facts.by == Path::Network).then(|| self.inner.tokens.give(&caller.key, epoch, now))
    }
}

/// Whose hello it is, and whether their word counts.
struct Caller {
    key: KeyRef,
    word: Word,
}

/// The key that must have signed, by the newest roster.
fn sender_key<'a>(hello: &Hello, newest: &'a RosterFacts) -> Result<&'a VerifierKey, Problem> {
    match &hello.facts().sender {
        Sender::Unit(unit) => {
            if newest.newest_epoch(&unit.unit).is_none() {
                return Err(Problem::new(Code::KeyUnknown, "unit"));
            }
            Ok(&newest.unit(&unit.unit, unit.epoch).ok_or(Code::EpochUnknown)?.key)
        }
        Sender::Carrier(name) => {
            let claimed = hello.note().claimed_keys().first().copied();
            let of_name = || newest.carriers.iter().filter(|c| c.name == *name);
            let entry = of_name().find(|c| Some(c.key.id()) == claimed).or_else(|| of_name().next());
            Ok(&entry.ok_or_else(|| Problem::new(Code::KeyUnknown, "carrier"))?.key)
        }
    }
}

fn facts(hello: &Hello, caller: &Caller, now: Second) -> HelloFacts {
    let (epoch, head, number) = match &hello.facts().sender {
        Sender::Unit(unit) => (unit.epoch, unit.head, unit.number),
        Sender::Carrier(_) => (0, None, None),
    };
    HelloFacts {
        sender: hello.facts().sender_name().clone(),
        key: caller.key.clone(),
        epoch,
        word: caller.word,
        counter: hello.facts().counter,
        id: hello.note().id(),
        head,
        number,
        first: now,
        note: hello.note().as_bytes().to_vec(),
    }
}
