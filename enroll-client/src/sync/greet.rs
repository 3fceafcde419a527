//! Hello: where this unit stands, and the answer that proves where the centre's log stands.
//!
//! 1. The counter is raised durably; only then the note leaves. A note is never sent twice.
//! 2. The answer is the centre's, and answers this very hello.
//! 3. The log goes on from the head seen: the consistency proof is checked before `seen` is written.
//! 4. Its last entry is proven: `received` in it is the log time.
//!
//! When step 3 fails somebody shows two histories. Both are kept as files under `evidence/`, `seen` stays
//! as it was, nothing else is sent or taken, and `status` goes on saying it.
//!
//! **Invariants:** a crash after 1 skips a counter, which is harmless; a crash before `seen` is written
//! asks again for the same proof.

use serde_json::json;
use shared::{
    hello::{Answer, AnswerFacts, Facts, Hello, Path, Sender, State, UnitStand},
    id::Number,
    log::{CheckedHead, Consistency, Head, TlogProof},
    problem::{Code, Problem},
    roster::TrustedRoster,
    time::Second,
};

use super::{
    Run, SOFTWARE, Which,
    link::{HelloReply, Source, Trouble},
};
use crate::{
    alarms, clock, durable,
    vault::{Places, state::Standing},
};

/// The checkpoint of the head that was seen last, kept as evidence of what the centre has signed.
const SEEN: &str = "seen.checkpoint";
/// Where contradictions are kept.
const EVIDENCE: &str = "evidence";
/// Most bytes that are read of one.
const EVIDENCE_MAX: u64 = 16 << 20;

impl Run<'_> {
    /// Says hello until an answer tells how this unit stands.
    pub(super) async fn greet(&mut self) -> Result<(), Trouble> {
        let mut n = 0;
        loop {
            match self.greet_once().await {
                // an old counter: raised above what the centre knows, so the next one is not
                Ok(State::Late | State::Repeat) => self.pause(&mut n, 3, Trouble::new(Source::Centre, Code::HelloLate)).await?,
                Ok(state) => return self.stand(state),
                Err(trouble) if trouble.is_temporary() => {
                    let tries = self.options.backoff.tries;
                    self.pause(&mut n, tries, trouble).await?;
                }
                Err(trouble) => return self.refused(trouble),
            }
        }
    }

    /// Keeps what the centre says of this unit's key, beside what it signs in answers.
    fn refused(&self, trouble: Trouble) -> Result<(), Trouble> {
        if trouble.source == Source::Centre
            && matches!(trouble.problem.code, Code::EpochNeeded | Code::EpochUnknown)
            && self.speaks() == Which::Present
        {
            self.vault.stand(Standing::EpochNeeded, clock::now())?;
        }
        Err(trouble)
    }

    /// Which key says hello.
    fn speaks(&self) -> Which {
        self.joining.map_or(Which::Present, |j| j.key)
    }

    async fn greet_once(&mut self) -> Result<State, Trouble> {
        let roster = self.roster()?;
        // 1. durable before it leaves
        let signer = match (self.speaks(), &self.keys.next) {
            (Which::Next, Some(next)) => next,
            _ => &self.keys.signer,
        };
        let hello = Hello::sign(self.facts(&roster)?, signer)?;
        let reply = match self.link.hello(hello.note().as_bytes()).await {
            Err(trouble) if trouble.problem.code == Code::LogInconsistent => {
                // the centre itself says that its log does not hold what this unit has seen
                self.keep_evidence(self.vault.state()?.seen, &[trouble.problem.to_string().as_bytes()])?;
                return Err(trouble);
            }
            other => other?,
        };
        let (answer, head, received) = self.check(&hello, &reply, &roster)?;
        self.keep_checkpoint(&reply)?;
        self.vault.advance_seen(head.head(), received)?;
        self.vault.raise_hello(answer.counter)?;
        self.clock(answer.time)?;
        self.vault.hold(&answer.hold)?;
        self.link.take_token(reply.token.filter(|_| answer.state == State::Ok));
        let state = answer.state;
        self.answer = Some(answer);
        Ok(state)
    }

    fn facts(&self, roster: &TrustedRoster) -> Result<Facts, Problem> {
        alarms::notice(self.vault, clock::now())?;
        let counter = self.vault.next_hello()?;
        let state = self.vault.state()?;
        let epoch = self.joining.map(|j| j.epoch).or(state.epoch).ok_or(Code::UnitNotAdmitted)?;
        let head = state.head.map(|id| self.vault.batch(&id).map(|b| (b.place, b.id))).transpose()?;
        let waiting = self.vault.waiting()?;
        // the last number was given in the epoch of the present key
        let number = state.epoch.filter(|_| state.last_number > 0).map(|epoch| Number::new(epoch, state.last_number)).transpose();
        let stand = UnitStand {
            unit: state.unit.clone(),
            epoch,
            head,
            number: number.map_err(|_| Code::VaultDamaged)?,
            waiting: [waiting.len() as u64, waiting.iter().map(|b| b.records).sum(), waiting.iter().map(|b| b.payload).sum()],
            seen: state.seen,
            settled: state.settled,
            alarms: alarms::open(self.vault, clock::now())?.into_iter().map(|alarm| (alarm.alarm, alarm.since)).collect(),
        };
        Ok(Facts {
            centre: roster.facts().centre.clone(),
            sender: Sender::Unit(stand),
            counter,
            by: Path::Network,
            roster: Some(roster.version()),
            software: SOFTWARE.to_owned(),
            clock: clock::now(),
            free: durable::free_space(&self.vault.places().data)?,
        })
    }

    /// Steps 2 to 4.
    fn check(&self, hello: &Hello, reply: &HelloReply, roster: &TrustedRoster) -> Result<(AnswerFacts, CheckedHead, Second), Trouble> {
        let facts = roster.facts();
        let seen = self.vault.state()?.seen;
        let checked = (|| {
            // 2.
            let answer = Answer::parse(reply.answer.as_bytes())?.check(&facts.centre_key, hello).map_err(as_signature)?;
            // 3.
            let head = Consistency::parse(reply.consistency.as_bytes())?.check(seen, &facts.log)?;
            // 4.
            let last = TlogProof::parse(reply.proof.as_bytes())?.check(&facts.log)?;
            if last.head() != head || last.index().0 + 1 != head.head().size {
                return Err(Problem::new(Code::ProofInvalid, "not the last entry of the log that the answer speaks of"));
            }
            Ok((answer, head, last.entry().received))
        })();
        checked.map_err(|problem| {
            if problem.code == Code::LogInconsistent {
                let shown = [&reply.answer, &reply.consistency, &reply.proof].map(String::as_bytes);
                if let Err(failed) = self.keep_evidence(seen, &shown) {
                    return failed.into();
                }
            }
            Trouble::forged(problem)
        })
    }

    /// Keeps how this clock stands to the centre's, and says so when it is wrong.
    fn clock(&self, centre: Second) -> Result<(), Problem> {
        let now = clock::now();
        let ahead = now.unix().saturating_sub(centre.unix());
        self.vault.keep_ahead(u64::try_from(ahead).unwrap_or(0))?;
        if let Some(told) = self.vault.state()?.clock_is_wrong(now) {
            self.voice.done("clock", json!({ "ahead": ahead }), &told);
        }
        Ok(())
    }

    /// Beside the vault, not in it: only ever read by people. A crash between this file and `seen` leaves
    /// a checkpoint that is newer than `seen`, which is as good.
    fn keep_checkpoint(&self, reply: &HelloReply) -> Result<(), Problem> {
        let checkpoint = Consistency::parse(reply.consistency.as_bytes())?.checkpoint;
        Ok(durable::write(&self.vault.places().data.join(SEEN), &checkpoint)?)
    }

    /// Keeps both histories: the head seen with its checkpoint, and all that contradicts it.
    pub(super) fn keep_evidence(&self, seen: Head, shown: &[&[u8]]) -> Result<(), Problem> {
        let data = &self.vault.places().data;
        let mut file = format!("{}\nseen {seen}\n\n", clock::now()).into_bytes();
        if let Some(checkpoint) = durable::read_at_most(&data.join(SEEN), 64 << 10)? {
            file.extend_from_slice(&checkpoint);
        }
        for bytes in shown {
            file.push(b'\n');
            file.extend_from_slice(bytes);
        }
        let digest = shared::id::Digest::of(&shown.concat()).hex();
        durable::folder(&data.join(EVIDENCE))?;
        // the same contradiction again replaces itself
        durable::write(&data.join(EVIDENCE).join(format!("log-{}-{}.txt", seen.size, &digest[..12])), &file)?;
        alarms::notice(self.vault, clock::now())
    }

    /// Takes over how the centre sees this vault. It only gets worse: a new epoch makes it good again.
    fn stand(&mut self, state: State) -> Result<(), Trouble> {
        let standing = match state {
            State::VaultRewound => Standing::Rewound,
            State::Frozen => Standing::Frozen,
            State::Ok | State::Repeat | State::Late => return Ok(()),
        };
        // an answer to the new key says nothing about the old one
        if self.speaks() == Which::Present {
            self.vault.stand(standing, clock::now())?;
        }
        let code = standing.code().unwrap_or(Code::VaultRewound);
        self.note(Trouble::new(Source::Centre, code))
    }
}

/// Whatever is wrong with its signature: it is not the centre's answer.
fn as_signature(problem: Problem) -> Problem {
    match problem.code {
        Code::KeyWrong | Code::NoteSignatures | Code::CosignatureMissing => {
            Problem::new(Code::SignatureInvalid, format!("answer: {}", problem.row().code))
        }
        _ => problem,
    }
}

/// Files of contradictions that this unit was shown, and when the last one was; none where there are none.
pub fn evidence(places: &Places, now: Second) -> Result<Option<(Second, Vec<String>)>, Problem> {
    let folder = places.data.join(EVIDENCE);
    let mut last = None;
    let mut files = Vec::new();
    for name in durable::names(&folder)? {
        let path = folder.join(name);
        let text = durable::read_at_most(&path, EVIDENCE_MAX)?.unwrap_or_default();
        // one that somebody has changed counts from now on
        let at = std::str::from_utf8(&text).ok().and_then(|text| text.lines().next()?.parse().ok()).unwrap_or(now);
        last = last.max(Some(at));
        files.push(path.display().to_string());
    }
    Ok(last.map(|last| (last, files)))
}
