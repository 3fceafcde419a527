//! Hello: where a unit says that it stands, judged and answered.
//!
//! Steps: size and syntax → 1. it is for this centre → 2. its sender stands in the newest roster → 3. signature →
//! 4. counter and id are kept (durable before the answer leaves) → 5. state → 6. a contradiction freezes, news about
//! the head is logged → 7. answer, proofs, token.
//!
//! **Invariants:** a hello moves nothing before its signature is checked; only a contradiction freezes; at most
//! [`HEADS_A_DAY`] heads of a unit are logged a day.

use shared::{
    hello::{Answer, AnswerFacts, Hello, Known, Path, Sender, State, UnitStand},
    id::{BatchId, Blob, LogIndex, Member, Place},
    keys::VerifierKey,
    log::{Body, Consistency, Entry, HeadEntry},
    problem::{Code, Problem},
    roster::Facts as RosterFacts,
    time::Second,
};

use super::{
    super::{Proposal, sequencer::Published},
    Intake,
    session::{Stand, stand},
};
use crate::store::{Archive, HeadWitness, HelloFacts, Ledger, Staging, Whole, blocking};

/// Most `head` entries of one unit in a day.
const HEADS_A_DAY: u64 = 24;
const DAY: i64 = 86_400;
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
        let (hello, stand) = blocking(move || {
            let hello = Hello::parse(&bytes)?;
            // 1.
            if hello.facts().centre != centre {
                return Err(Problem::new(Code::CentreWrong, "another centre's hello"));
            }
            // 2. and 3.
            let (key, stand) = sender_key(&hello, roster.facts())?;
            hello.verify(key)?;
            Ok((hello, stand))
        })
        .await?;
        // 4. A crash after this: the same hello again is a `repeat`, the unit's next one is answered as usual.
        let known = parts.ledger.hello(facts(&hello, now)).await?;
        // 5.
        let state = State::judge(&hello, &known);
        // 6.
        if let Sender::Unit(unit) = &hello.facts().sender
            && stand == Stand::Good
        {
            match state {
                State::Frozen if !known.frozen => self.freeze(&hello, unit).await?,
                State::Ok => self.log_head(&hello, unit, now).await,
                _ => {}
            }
        }
        // 7.
        self.answer(&hello, &known, state, now).await
    }

    /// Both notes that contradict each other are archived, then the log says so.
    async fn freeze(&self, hello: &Hello, unit: &UnitStand) -> Result<(), Problem> {
        let parts = &self.inner.parts;
        let second = hello.note().as_bytes().to_vec();
        let place = unit.head.map(|(place, _)| place);
        let first = match place {
            Some(place) => self.other_note(unit, place).await?,
            None => None,
        };
        // After a rebuild nothing may be left of the other note; then this one stands for both.
        let first = first.unwrap_or_else(|| second.clone());
        let (first_blob, second_blob) = (Blob::of(&first), Blob::of(&second));
        parts.archive.put(first_blob, Whole::new(first)).await?;
        parts.archive.put(second_blob, Whole::new(second)).await?;
        let freeze = Proposal::Freeze { unit: unit.unit.clone(), epoch: unit.epoch, first: first_blob, second: second_blob };
        parts.sequencer.log(freeze).await?;
        tracing::warn!("unit {} epoch {} contradicts itself and is frozen", unit.unit, unit.epoch);
        Ok(())
    }

    /// The note that says something else about this place.
    async fn other_note(&self, unit: &UnitStand, place: Place) -> Result<Option<Vec<u8>>, Problem> {
        let parts = &self.inner.parts;
        match parts.ledger.head_witness(&unit.unit, place).await? {
            Some(HeadWitness::Logged(manifest)) => parts.archive.get(manifest).await.map(Some),
            Some(HeadWitness::Announced(batch)) => parts.staging.manifest(batch).await,
            Some(HeadWitness::Hello(Some(note))) => Ok(Some(note)),
            // of a hello before a rebuild only the log's own word is left
            Some(HeadWitness::Hello(None)) => {
                let logged = parts.ledger.logged_head(&unit.unit, unit.epoch).await?;
                Ok(logged.map(|(received, head)| Entry { received, body: Body::Head(head) }.to_bytes()))
            }
            None => Ok(None),
        }
    }

    /// Logs where the unit stands, when that is news. The unit is answered even if the log can't go on.
    async fn log_head(&self, hello: &Hello, unit: &UnitStand, now: Second) {
        let entry = HeadEntry {
            unit: unit.unit.clone(),
            head: unit.head,
            number: unit.number,
            hello: hello.facts().counter,
            hello_id: hello.note().id(),
        };
        if let Err(problem) = self.log_news(unit, entry, now).await {
            tracing::warn!("the head of unit {} is not logged: {problem}", unit.unit);
        }
    }

    async fn log_news(&self, unit: &UnitStand, entry: HeadEntry, now: Second) -> Result<(), Problem> {
        let parts = &self.inner.parts;
        let last = parts.ledger.logged_head(&unit.unit, unit.epoch).await?.map(|(_, last)| (last.head, last.number));
        let since = Second::from_unix(now.unix() - DAY);
        if last.unwrap_or((None, None)) == (unit.head, unit.number) || parts.ledger.heads_since(&unit.unit, since).await? >= HEADS_A_DAY {
            return Ok(());
        }
        parts.sequencer.log(Proposal::Head(entry)).await.map(|_| ())
    }

    async fn answer(&self, hello: &Hello, known: &Known, state: State, now: Second) -> Result<HelloReply, Problem> {
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
            roster: parts.ledger.newest_roster().await?.map(|r| r.version),
        };
        let mut seen = 0;
        if let Sender::Unit(unit) = &facts.sender {
            seen = unit.seen.size;
            answer.epoch = unit.epoch;
            answer.head = self.newest_batch(&unit.unit, unit.epoch).await?;
            answer.want = self.wanted(&unit.unit).await?;
            answer.outcomes = parts.ledger.outcomes_since(&unit.unit, LogIndex(unit.settled), OUTCOMES).await?;
        }
        let (proof, consistency) = self.proofs(&published, seen).await?;
        let token = self.token(hello, known, state, now);
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

    /// Announced batches, each with the offset from which its payload is wanted, oldest first.
    async fn wanted(&self, unit: &Member) -> Result<Vec<(Place, u64)>, Problem> {
        let parts = &self.inner.parts;
        let mut wanted: Vec<(Place, u64)> = Vec::new();
        for batch in parts.ledger.announced(unit).await? {
            // both sides of a fork are wanted, but a place is named once
            if wanted.last().is_some_and(|(place, _)| *place == batch.place) {
                continue;
            }
            if wanted.len() == WANT {
                break;
            }
            wanted.push((batch.place, parts.staging.offset(batch.id).await?));
        }
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
        let proof = self.proof(published, LogIndex(last)).await?.to_bytes();
        let hashes = self.inner.parts.ledger.consistency(seen, size).await?;
        let checkpoint = published.checkpoint.as_bytes().to_vec();
        Ok((proof, Consistency { old: seen, hashes, checkpoint }.to_bytes()))
    }

    fn token(&self, hello: &Hello, known: &Known, state: State, now: Second) -> Option<String> {
        let facts = hello.facts();
        let epoch = match &facts.sender {
            Sender::Unit(unit) => unit.epoch,
            Sender::Carrier(_) => 0,
        };
        // A carrier has no state: for it too, a counter is good for one token.
        let fresh = known.same_counter.is_none() && facts.counter > known.counter;
        (state == State::Ok && fresh && facts.by == Path::Network).then(|| self.inner.tokens.give(facts.sender_name(), epoch, now))
    }
}

/// The key that must have signed, by the newest roster.
fn sender_key<'a>(hello: &Hello, newest: &'a RosterFacts) -> Result<(&'a VerifierKey, Stand), Problem> {
    let key = match &hello.facts().sender {
        Sender::Unit(unit) => {
            if newest.newest_epoch(&unit.unit).is_none() {
                return Err(Problem::new(Code::KeyUnknown, "unit"));
            }
            let entry = newest.unit(&unit.unit, unit.epoch).ok_or(Code::EpochUnknown)?;
            (&entry.key, stand(&unit.unit, unit.epoch, newest))
        }
        Sender::Carrier(name) => {
            let entry = newest.carrier(name).ok_or_else(|| Problem::new(Code::KeyUnknown, "carrier"))?;
            (&entry.key, stand(name, 0, newest))
        }
    };
    Ok((key.0, key.1.unwrap_or(Stand::Revoked)))
}

fn facts(hello: &Hello, now: Second) -> HelloFacts {
    let (epoch, head, number) = match &hello.facts().sender {
        Sender::Unit(unit) => (unit.epoch, unit.head, unit.number),
        Sender::Carrier(_) => (0, None, None),
    };
    HelloFacts {
        sender: hello.facts().sender_name().clone(),
        epoch,
        counter: hello.facts().counter,
        id: hello.note().id(),
        head,
        number,
        first: now,
        note: hello.note().as_bytes().to_vec(),
    }
}
