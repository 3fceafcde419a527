//! A laptop that enrols and closes batches; everything is a function of its name and what it was told.

use shared::{
    batch::{Facts as BatchFacts, Line, LineFacts, Manifest, RecordLine, WithdrawReason, WithdrawnLine},
    form::{FIRST, Form},
    id::{BatchId, Digest, Number, Place, RecordId, ResidentRef, RosterVersion, Transaction},
    log::Head,
    record::{ClockReading, Consent, Target},
    roster::TrustedRoster,
    sample::{Kind, Sample, Size},
    seal::{Recipient, Recipients, seal},
    time::Second,
};

use super::centre::{member, signer};

/// A closed batch.
pub struct Made {
    pub manifest: Manifest,
    pub payload: Vec<u8>,
}

pub struct Van {
    name: &'static str,
    /// Which of its keys signs: 1 in epoch 1, and so on.
    pub epoch: u32,
    roster: TrustedRoster,
    sequence: u64,
    number: u64,
    previous: Option<BatchId>,
    lines: Vec<(Line, Vec<u8>)>,
}

fn form() -> Form {
    let forms = FIRST.iter().map(|bytes| Form::parse(bytes).expect("one of the first forms"));
    forms.into_iter().find(|f| f.name().as_str().starts_with("residence-certificate")).expect("there")
}

impl Van {
    pub fn new(name: &'static str, roster: TrustedRoster) -> Self {
        Self { name, epoch: 1, roster, sequence: 0, number: 0, previous: None, lines: Vec::new() }
    }

    pub fn record_id(&self, number: u64) -> RecordId {
        let digest = Digest::of(format!("{} {number}", self.name).as_bytes());
        RecordId::from_random(digest.as_bytes()[..16].try_into().expect("16"))
    }

    /// The resident that a record of this number founds.
    pub fn founds(&self, number: u64) -> ResidentRef {
        ResidentRef::founded_by(&member(self.name), self.record_id(number))
    }

    /// Enrols a person, or renews the document of somebody as this person; gives the number.
    pub fn enrol(&mut self, person: u64, target: Option<Target>) -> u64 {
        self.number += 1;
        let (form, now) = (form(), self.roster.facts().published);
        let transaction = if target.is_some() { Transaction::Renewal } else { Transaction::New };
        let sample = Sample::new(7, now, Size::Tiny);
        let mut resident = sample.take(person, self.number, &form, transaction, Kind::Complete).expect("a resident");
        if let Some(target) = target {
            resident = resident.applying_to(target);
        }
        let (draft, parts) = resident.draft(&form).expect("a draft");
        let facts = shared::draft::Facts {
            record_id: self.record_id(self.number),
            unit: member(self.name),
            agent: member("agent-1"),
            finished: now,
            clock: ClockReading { raw: now, boot: "b6f4a3a0-9f43-4a0e-9d3c-7d1f0c5a2b11".into(), boot_ms: 5 },
            slip: Digest::of(b"slip"),
            consent: Consent { text: form.newest_consent().to_owned(), at: now },
            fix: None,
        };
        let record = draft.finish(&form, facts, parts).expect("complete");
        let sealed = seal(&record, &self.recipients(), form.pad()).expect("sealed");
        let facts = LineFacts {
            number: Number::new(self.epoch, self.number).expect("from 1"),
            record: sealed.record_id(),
            size: sealed.as_bytes().len() as u64,
            digest: sealed.digest(),
            plain: sealed.plain(),
            transaction: sealed.transaction(),
            form: sealed.form().clone(),
            roster: self.version(),
            finished: sealed.finished(),
            seen: 0,
            agent: sealed.agent().clone(),
        };
        let line = RecordLine::sign(facts, &member(self.name), &signer("agent-1", 1));
        self.lines.push((Line::Record(line), sealed.into_bytes()));
        self.number
    }

    fn recipients(&self) -> Recipients {
        let named = &self.roster.facts().recipients;
        let recipient = |of| Recipient::try_from(of).expect("a recipient");
        Recipients::new(recipient(&named.working), recipient(&named.recovery)).expect("of one kind")
    }

    fn version(&self) -> RosterVersion {
        self.roster.version()
    }

    /// Withdraws a number that another batch may bear.
    pub fn withdraw(&mut self, number: u64) {
        let (at, record) = (Number::new(self.epoch, number).expect("from 1"), self.record_id(number));
        let line = WithdrawnLine { number: at, record, reason: WithdrawReason::Other, by: member("supervisor-1") };
        self.lines.push((Line::Withdrawn(line), Vec::new()));
    }

    /// A number of which nothing comes.
    pub fn skip_number(&mut self) {
        self.number += 1;
    }

    pub fn close(&mut self) -> Made {
        self.close_approved(true)
    }

    pub fn close_approved(&mut self, approved: bool) -> Made {
        self.sequence += 1;
        let mut lines = std::mem::take(&mut self.lines);
        lines.sort_by_key(|(line, _)| line.number());
        let (lines, sealed): (Vec<Line>, Vec<Vec<u8>>) = lines.into_iter().unzip();
        let payload = sealed.concat();
        let facts = BatchFacts {
            unit: member(self.name),
            place: Place::new(self.epoch, self.sequence).expect("from 1"),
            previous: self.previous,
            roster: self.version(),
            seen: Head::EMPTY,
            closed: Second::from_unix(self.roster.facts().published.unix() + 600).minute(),
            approved: approved.then(|| member("supervisor-1")),
            payload_size: payload.len() as u64,
            payload: Digest::of(&payload),
            lines,
        };
        let supervisor = signer("supervisor-1", 1);
        let cosigners: Vec<_> = facts.cosigners().iter().map(|_| &supervisor).collect();
        let own = signer(self.name, u8::try_from(self.epoch).expect("few"));
        let manifest = Manifest::close(facts, &own, &cosigners).expect("canonical");
        self.previous = Some(manifest.id());
        Made { manifest, payload }
    }
}
