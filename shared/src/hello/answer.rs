//! The centre's answer to a hello.

use std::fmt::Write as _;

use super::{
    State,
    text::{epoch, head, none_or, number, shown, shown_head},
};
use crate::{
    id::{BatchId, Member, NoteId, Place, RosterVersion},
    keys::{Signer, VerifierKey},
    note::Note,
    problem::{Code, Problem},
    text::{Lines, TextError, decimal},
    time::Second,
};

/// Most `want` lines in an answer.
const MAX_WANT: usize = 64;
/// Most `hold-prune` lines in an answer.
pub const MAX_HOLD: usize = 512;

/// What an answer says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerFacts {
    /// To which unit (or carrier).
    pub unit: Member,
    /// In which epoch; 1 for a carrier.
    pub epoch: u32,
    /// Counter and id of the hello that it answers.
    pub hello: (u64, NoteId),
    /// How the centre sees the unit.
    pub state: State,
    /// The centre's clock: informs only.
    pub time: Second,
    /// Highest counter that the centre has.
    pub counter: u64,
    /// Newest batch of the unit that the centre has.
    pub head: Option<(Place, BatchId)>,
    /// Announced batches whose payload is wanted from this offset, oldest first.
    pub want: Vec<(Place, u64)>,
    /// Outcomes logged since `settled`: place and version.
    pub outcomes: Vec<(Place, u64)>,
    /// Batches of which the unit deletes nothing for now, oldest first: the centre's own copy is in doubt.
    pub hold: Vec<Place>,
    /// Newest roster.
    pub roster: Option<RosterVersion>,
}

/// A well-formed answer with the bytes that it came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    note: Note,
    facts: AnswerFacts,
}

impl Answer {
    /// Reads a signed note. The signature is checked by [`Answer::check`].
    pub fn parse(bytes: &[u8]) -> Result<Self, Problem> {
        let note = Note::parse(bytes)?;
        let facts = read(note.text())?;
        if print(&facts) == note.text() { Ok(Self { note, facts }) } else { Err(Code::TextMalformed.into()) }
    }

    /// Signs an answer with the centre's key.
    pub fn sign(facts: AnswerFacts, centre: &Signer) -> Self {
        Self { note: Note::sign(&print(&facts), &[centre]), facts }
    }

    /// Signed by the centre, and an answer to this very hello: nobody can answer with an old one.
    pub fn check(self, centre: &VerifierKey, hello: &super::Hello) -> Result<AnswerFacts, Problem> {
        self.note.verify(&[centre])?;
        let asked = (hello.facts().counter, hello.note().id());
        if self.facts.hello == asked && self.facts.unit == *hello.facts().sender_name() {
            Ok(self.facts)
        } else {
            Err(Problem::new(Code::SignatureInvalid, "answers another hello"))
        }
    }

    /// The note.
    pub fn note(&self) -> &Note {
        &self.note
    }
    /// What it says (not yet checked).
    pub fn facts(&self) -> &AnswerFacts {
        &self.facts
    }
}

fn print(facts: &AnswerFacts) -> String {
    let mut out = String::from("enroll-answer/v1\n");
    write(facts, &mut out).expect("writing to a String does not fail");
    out
}

fn write(facts: &AnswerFacts, out: &mut String) -> std::fmt::Result {
    writeln!(out, "unit {}\nepoch {}\nhello {} {}", facts.unit, facts.epoch, facts.hello.0, facts.hello.1)?;
    writeln!(out, "state {}\ntime {}\ncounter {}\nhead {}", facts.state, facts.time, facts.counter, shown_head(facts.head))?;
    facts.want.iter().try_for_each(|(place, offset)| writeln!(out, "want {place} {offset}"))?;
    facts.outcomes.iter().try_for_each(|(place, version)| writeln!(out, "outcome {place} {version}"))?;
    facts.hold.iter().try_for_each(|place| writeln!(out, "hold-prune {place}"))?;
    writeln!(out, "roster {}", shown(facts.roster))
}

fn read(text: &str) -> Result<AnswerFacts, TextError> {
    let mut lines = Lines::new(text)?;
    lines.header("enroll-answer")?;
    let unit = lines.field("unit")?;
    let unit = lines.parse(unit)?;
    let epoch = epoch(&mut lines)?;
    let hello = lines.field("hello")?;
    let [counter, id] = lines.words(hello)?;
    let hello = (decimal(counter).ok_or_else(|| lines.bad())?, lines.parse(id)?);
    let state = lines.field("state")?;
    let state = lines.parse(state)?;
    let time = lines.field("time")?;
    let time = lines.parse(time)?;
    let counter = number(&mut lines, "counter")?;
    let head = head(&mut lines)?;
    let want = pairs(&mut lines, "want")?;
    let outcomes = pairs(&mut lines, "outcome")?;
    let mut hold: Vec<Place> = Vec::new();
    while let Some(value) = lines.optional("hold-prune")? {
        let place = lines.parse(value)?;
        if hold.last().is_some_and(|last| *last >= place) {
            return Err(lines.bad());
        }
        hold.push(place);
    }
    if want.len() > MAX_WANT || hold.len() > MAX_HOLD {
        return Err(lines.bad());
    }
    let roster = lines.field("roster")?;
    let roster = none_or(&lines, roster)?;
    lines.end()?;
    Ok(AnswerFacts { unit, epoch, hello, state, time, counter, head, want, outcomes, hold, roster })
}

fn pairs(lines: &mut Lines<'_>, word: &str) -> Result<Vec<(Place, u64)>, TextError> {
    let mut found = Vec::new();
    while let Some(value) = lines.optional(word)? {
        let [place, count] = lines.words(value)?;
        found.push((lines.parse(place)?, decimal(count).ok_or_else(|| lines.bad())?));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{hello::tests::hello, roster::tests::signer};

    #[test]
    fn answers_one_hello_only() {
        let (centre, asked, other) = (signer("registry.example", 3), hello(7, None), hello(8, None));
        let facts = AnswerFacts {
            unit: "van-1".parse().expect("name"),
            epoch: 1,
            hello: (7, asked.note().id()),
            state: State::Ok,
            time: Second::from_unix(1_790_000_000),
            counter: 7,
            head: None,
            want: vec![(Place::new(1, 2).expect("place"), 0)],
            outcomes: vec![(Place::new(1, 1).expect("place"), 2)],
            hold: vec![Place::new(1, 1).expect("place"), Place::new(1, 2).expect("place")],
            roster: Some(RosterVersion(1)),
        };
        let answer = Answer::sign(facts, &centre);
        assert_eq!(Answer::parse(answer.note().as_bytes()), Ok(answer.clone()));
        assert!(answer.clone().check(centre.public(), &asked).is_ok());
        assert!(answer.clone().check(centre.public(), &other).is_err());
        assert!(answer.check(signer("registry.example", 4).public(), &asked).is_err());
    }
}
