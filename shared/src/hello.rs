//! Hello and answer: a unit says where it stands, the centre says what it has, and each can prove the other wrong.
//!
//! ```text
//! enroll-hello/v1                               enroll-answer/v1
//! centre registry.example                       unit van-017
//! unit van-017                                  epoch 1
//! epoch 1                                       hello 391 sha256:…
//! counter 391                                   state ok
//! by network                                    time 2026-11-20T21:30:02Z
//! head 1.42 sha256:…                            counter 391
//! number 1.1215                                 head 1.42 sha256:…
//! waiting 3 91 28311552                         want 1.40 0
//! seen 20852963 uDPLk…=                         want 1.41 1048576
//! settled 20852000                              outcome 1.39 2
//! alarm disk-full 2026-11-19T16:02:11Z          hold-prune 1.17
//! roster 12                                     roster 13
//! software enroll-client/0.1.0
//! clock 2026-11-20T21:30:00Z
//! free 81234567890
//! ```
//! A carrier's hello has `carrier office-04` in place of unit, epoch, head, number, waiting, seen, settled and alarms.
//! A unit that has no roster yet says `roster none`.
//!
//! **Trust:** a [`Hello`] is well-formed; [`Hello::verify`] checks its signature. **Invariants:** the counter is raised
//! durably before the note leaves the unit, one series a key over all paths.

mod alarm;
mod answer;
mod text;

pub use alarm::Alarm;
pub use answer::{Answer, AnswerFacts, MAX_HOLD};

use crate::{
    id::{BatchId, Centre, Member, NoteId, Number, Place, RosterVersion},
    keys::{Signer, VerifierKey},
    log::Head,
    note::{Note, NoteError},
    problem::{Code, Problem},
    time::Second,
};

/// Largest hello, in bytes.
pub const MAX_HELLO: usize = 64 << 10;

/// How a hello travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Path {
    /// Over the network.
    Network,
    /// On a stick.
    Stick,
}

/// What a unit says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitStand {
    /// Which unit.
    pub unit: Member,
    /// In which epoch.
    pub epoch: u32,
    /// Newest batch of the current epoch, before its first the last of the former.
    pub head: Option<(Place, BatchId)>,
    /// Newest record number.
    pub number: Option<Number>,
    /// Batches, records and bytes without a receipt.
    pub waiting: [u64; 3],
    /// Newest log head that the unit has verified.
    pub seen: Head,
    /// Log size up to which it holds all its receipts and outcomes.
    pub settled: u64,
    /// What is wrong with it and since when, each alarm once, in the order of [`Alarm::ALL`].
    pub alarms: Vec<(Alarm, Second)>,
}

/// Who says hello.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sender {
    /// A unit.
    Unit(UnitStand),
    /// A carrier, who hands in what units gave them.
    Carrier(Member),
}

/// What a hello says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// To which centre.
    pub centre: Centre,
    /// From whom.
    pub sender: Sender,
    /// One more with each hello of this key, from 1.
    pub counter: u64,
    /// How it travels.
    pub by: Path,
    /// Newest roster held; a new unit has none.
    pub roster: Option<RosterVersion>,
    /// Name and version of the software, `enroll-client/0.1.0`.
    pub software: String,
    /// The sender's clock: informs only.
    pub clock: Second,
    /// Free bytes on the sender's disk.
    pub free: u64,
}

impl Facts {
    /// Who signs it.
    pub fn sender_name(&self) -> &Member {
        match &self.sender {
            Sender::Unit(stand) => &stand.unit,
            Sender::Carrier(name) => name,
        }
    }
}

/// A well-formed hello with the bytes that it came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    note: Note,
    facts: Facts,
}

impl Hello {
    /// Reads a signed note. The signature is checked by [`Hello::verify`].
    pub fn parse(bytes: &[u8]) -> Result<Self, Problem> {
        if bytes.len() > MAX_HELLO {
            return Err(Code::BodyTooLarge.into());
        }
        let note = Note::parse(bytes)?;
        let facts = text::read(note.text())?;
        if let Sender::Unit(stand) = &facts.sender
            && (stand.head.is_some_and(|(place, _)| place.epoch > stand.epoch) || stand.number.is_some_and(|n| n.epoch > stand.epoch))
        {
            return Err(Problem::new(Code::HeadTooFar, "of a later epoch than its signer's"));
        }
        Ok(Self { note, facts })
    }

    /// Signs a hello.
    pub fn sign(facts: Facts, signer: &Signer) -> Result<Self, Problem> {
        let text = text::print(&facts);
        if text::read(&text)? != facts {
            return Err(Code::TextMalformed.into());
        }
        Ok(Self { note: Note::sign(&text, &[signer]), facts })
    }

    /// Signed by this key.
    pub fn verify(&self, key: &VerifierKey) -> Result<(), NoteError> {
        self.note.verify(&[key])
    }

    /// What it says.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }
    /// The note.
    pub fn note(&self) -> &Note {
        &self.note
    }
}

/// How the centre sees a unit after its hello.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// All is well; over the network it gets a token.
    Ok,
    /// The same hello again.
    Repeat,
    /// An older hello, by a slower path; its head counts.
    Late,
    /// The unit has forgotten something that it signed: it closes no more batches in this epoch.
    VaultRewound,
    /// Two notes of the unit contradict each other.
    Frozen,
}

/// What the centre knows of a unit's epoch when a hello comes.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// Is the unit frozen already?
    pub frozen: bool,
    /// Id of the hello that had this counter, if one had.
    pub same_counter: Option<NoteId>,
    /// Highest counter so far, 0 for none.
    pub counter: u64,
    /// Batch known at the place that the hello's head names: logged, announced or named by another hello.
    pub at_head: Option<BatchId>,
    /// Newest place of this epoch that a hello or a batch has shown.
    pub newest: Option<Place>,
}

impl State {
    /// The first that fits (FORMATS: contradiction, known counter, lower counter, older head, else ok).
    pub fn judge(hello: &Hello, known: &Known) -> Self {
        match &hello.facts.sender {
            Sender::Unit(stand) => Self::of_unit(hello.facts.counter, hello.note.id(), stand.head, known),
            Sender::Carrier(_) => Self::Ok,
        }
    }

    /// The same of a unit's hello: its counter, its id, and the newest batch that it names.
    pub fn of_unit(counter: u64, id: NoteId, head: Option<(Place, BatchId)>, known: &Known) -> Self {
        let contradicts = head.is_some_and(|(_, id)| known.at_head.is_some_and(|other| other != id));
        if known.frozen || contradicts {
            return Self::Frozen;
        }
        match known.same_counter {
            Some(same) if same == id => return Self::Repeat,
            Some(_) => return Self::VaultRewound,
            None => {}
        }
        if counter < known.counter {
            return Self::Late;
        }
        // before the first batch of an epoch the head is one of the former epoch: older only if this epoch has begun
        let older = match (head.map(|(place, _)| place), known.newest) {
            (Some(own), Some(newest)) => own < newest,
            (None, Some(_)) => true,
            (_, None) => false,
        };
        if older { Self::VaultRewound } else { Self::Ok }
    }

    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Repeat => "repeat",
            Self::Late => "late",
            Self::VaultRewound => "vault-rewound",
            Self::Frozen => "frozen",
        }
    }
}

impl std::fmt::Display for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
impl std::str::FromStr for State {
    type Err = crate::id::IdError;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        [Self::Ok, Self::Repeat, Self::Late, Self::VaultRewound, Self::Frozen]
            .into_iter()
            .find(|v| v.as_str() == s)
            .ok_or(crate::id::IdError("state"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::roster::tests::signer;

    pub(super) fn hello(counter: u64, head: Option<(&str, &[u8])>) -> Hello {
        let facts = Facts {
            centre: "registry.example".parse().expect("centre"),
            sender: Sender::Unit(UnitStand {
                unit: "van-1".parse().expect("name"),
                epoch: 1,
                head: head.map(|(place, text)| (place.parse().expect("place"), BatchId::of(text))),
                number: None,
                waiting: [0, 0, 0],
                seen: Head::EMPTY,
                settled: 0,
                alarms: vec![(Alarm::Frozen, Second::from_unix(1_789_990_000)), (Alarm::DiskFull, Second::from_unix(1_789_000_000))],
            }),
            counter,
            by: Path::Network,
            roster: None,
            software: "enroll-client/0.1.0".into(),
            clock: Second::from_unix(1_790_000_000),
            free: 1,
        };
        Hello::sign(facts, &signer("van-1", 10)).expect("canonical")
    }

    #[test]
    fn reads_what_it_prints_for_units_and_carriers() {
        let unit = hello(391, Some(("1.42", b"x")));
        assert_eq!(Hello::parse(unit.note().as_bytes()), Ok(unit.clone()));
        let carrier =
            Facts { sender: Sender::Carrier("office-04".parse().expect("name")), roster: Some(RosterVersion(3)), ..unit.facts().clone() };
        let carrier = Hello::sign(carrier, &signer("office-04", 5)).expect("canonical");
        assert_eq!(Hello::parse(carrier.note().as_bytes()), Ok(carrier.clone()));
        assert!(carrier.verify(signer("office-04", 5).public()).is_ok());
        for other in [signer("office-04", 6), signer("office-05", 5)] {
            assert!(carrier.verify(other.public()).is_err(), "a name or a key alone is nobody");
        }
    }

    #[test]
    fn nobody_speaks_of_a_later_epoch_than_their_own() {
        let ours = hello(391, Some(("1.42", b"x")));
        let text = ours.note().text();
        let said = |text: &str| Hello::parse(Note::sign(text, &[&signer("van-1", 10)]).as_bytes()).map(drop).map_err(|p| p.code);
        assert_eq!(said(text), Ok(()));
        assert_eq!(said(&text.replace("head 1.42", "head 2.42")), Err(Code::HeadTooFar));
        assert_eq!(said(&text.replace("number none", "number 2.1")), Err(Code::HeadTooFar));
        assert_eq!(said(&text.replace("number none", "number 1.7")), Ok(()));
    }

    #[test]
    fn alarms_are_of_a_closed_list_each_once_in_its_order() {
        let ours = hello(391, None);
        let text = ours.note().text();
        let said = |text: &str| Hello::parse(Note::sign(text, &[&signer("van-1", 10)]).as_bytes()).map(drop).map_err(|p| p.code);
        assert_eq!(said(text), Ok(()));
        let line = text.lines().find(|line| line.starts_with("alarm frozen ")).expect("said");
        for wrong in [
            text.replace("alarm frozen", "alarm slow"),
            text.replace(line, &format!("{line}\n{line}")),
            text.replace("alarm frozen", "alarm disk-full"),
            text.replace(line, "alarm frozen"),
        ] {
            assert!(said(&wrong).is_err(), "{wrong}");
        }
        for alarm in Alarm::ALL {
            assert_eq!(alarm.to_string().parse(), Ok(alarm));
        }
    }

    #[test]
    fn a_hello_has_a_largest_size() {
        let code = |size: usize| Hello::parse(&vec![b'x'; size]).map_err(|p| p.code).map(drop);
        assert_eq!(code(MAX_HELLO + 1), Err(Code::BodyTooLarge));
        assert_eq!(code(2 * MAX_HELLO), Err(Code::BodyTooLarge));
        assert!(code(MAX_HELLO).is_err_and(|code| code != Code::BodyTooLarge), "it is looked at");
    }

    #[test]
    fn states_are_spelled_as_the_specification_does() {
        let states = [State::Ok, State::Repeat, State::Late, State::VaultRewound, State::Frozen];
        assert_eq!(states.map(State::as_str), ["ok", "repeat", "late", "vault-rewound", "frozen"]);
        assert_eq!("frozen".parse(), Ok(State::Frozen));
    }

    #[test]
    fn the_first_state_that_fits() {
        let place = |p: &str| p.parse::<Place>().expect("place");
        let known = Known { counter: 5, newest: Some(place("1.3")), ..Known::default() };
        let judge = |hello: &Hello, known: &Known| State::judge(hello, known);
        let fresh = hello(6, Some(("1.3", b"c")));
        assert_eq!(judge(&fresh, &known), State::Ok);
        assert_eq!(judge(&fresh, &Known { at_head: Some(BatchId::of(b"other")), ..known.clone() }), State::Frozen);
        assert_eq!(judge(&fresh, &Known { frozen: true, ..known.clone() }), State::Frozen);
        assert_eq!(judge(&fresh, &Known { same_counter: Some(fresh.note().id()), counter: 6, ..known.clone() }), State::Repeat);
        assert_eq!(judge(&fresh, &Known { same_counter: Some(NoteId::of(b"other")), counter: 6, ..known.clone() }), State::VaultRewound);
        assert_eq!(judge(&hello(4, Some(("1.2", b"b"))), &known), State::Late);
        assert_eq!(judge(&hello(6, Some(("1.2", b"b"))), &known), State::VaultRewound);
        assert_eq!(judge(&hello(6, None), &known), State::VaultRewound);
        assert_eq!(judge(&hello(1, None), &Known::default()), State::Ok);
    }
}
