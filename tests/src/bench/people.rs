//! People to enrol: each another person, their pictures from a small stock, because drawing takes longer than sealing.

use std::collections::BTreeMap;

use shared::{
    draft::{Draft, Facts, input::FileName},
    form::Form,
    id::{Member, Number, RecordId, RosterVersion, SealedDigest, Transaction},
    record::{ClockReading, Consent, Record},
    sample::{Kind, Sample, Size, forms},
    seal::{Recipients, seal},
    slip::SlipCode,
    time::Second,
};

use crate::{defects::Forged, world::Sure};

/// Sets of pictures in stock.
const STOCK: u64 = 6;

/// A source of people.
pub struct People {
    /// The form that all are enrolled under.
    pub form: Form,
    seed: u64,
    sample: Sample,
    stock: Vec<BTreeMap<FileName, Vec<u8>>>,
    next: u64,
}

impl People {
    /// People whose records have this size; another seed gives other people.
    pub fn new(seed: u64, now: Second, size: Size) -> Sure<Self> {
        let [form, ..] = forms();
        let drawn = Sample::new(seed, now, size);
        let set = |n| drawn.take(n, 0, &form, Transaction::New, Kind::Complete).map(|r| r.files.into_iter().collect());
        let stock = (0..STOCK).map(set).collect::<Result<_, _>>()?;
        Ok(Self { form, seed, sample: Sample::new(seed, now, Size::Tiny), stock, next: 0 })
    }

    /// The next person: a complete draft, and the bytes of its parts.
    pub fn next(&mut self) -> Sure<(Draft, Vec<Vec<u8>>)> {
        self.next += 1;
        let resident = self.sample.take(self.next, 0, &self.form, Transaction::New, Kind::Complete)?;
        let mut files = self.stock[usize::try_from(self.next % STOCK)?].clone();
        // behind their end, so that nobody has the pictures of another
        let own = SealedDigest::of(format!("{} {}", self.seed, self.next).as_bytes());
        for bytes in files.values_mut() {
            bytes.extend_from_slice(own.as_bytes());
        }
        Ok(resident.input.into_draft(&self.form, files)?)
    }

    /// The next person's record.
    pub fn record(&mut self, unit: &Member, agent: &Member, finished: Second) -> Sure<Record> {
        let (draft, parts) = self.next()?;
        let random: [u8; 16] = SealedDigest::of(format!("{unit} {}", self.next).as_bytes()).as_bytes()[..16].try_into()?;
        let facts = Facts {
            record_id: RecordId::from_random(random),
            unit: unit.clone(),
            agent: agent.clone(),
            finished,
            clock: ClockReading { raw: finished, boot: "0b5e3f0e-7c39-4b43-9d0e-0f6d0a4c2a11".into(), boot_ms: self.next },
            slip: SlipCode::from_random(random).digest(),
            consent: Consent { text: self.form.newest_consent().to_owned(), at: finished },
            fix: None,
        };
        draft.finish(&self.form, facts, parts).map_err(|unfinished| unfinished.problem.into())
    }

    /// The next person's record, sealed, with what its line will say.
    pub fn sealed(&mut self, unit: &Member, agent: &Member, finished: Second, to: &Recipients, roster: RosterVersion) -> Sure<Forged> {
        let record = self.record(unit, agent, finished)?;
        let sealed = seal(&record, to, self.form.pad())?;
        let facts = shared::batch::LineFacts {
            number: Number::new(1, 1)?,
            record: sealed.record_id(),
            size: sealed.as_bytes().len() as u64,
            digest: sealed.digest(),
            plain: sealed.plain(),
            transaction: Transaction::New,
            form: self.form.name().clone(),
            roster,
            finished: finished.minute(),
            seen: 0,
            agent: agent.clone(),
        };
        Ok(Forged { name: "good", code: None, sealed: sealed.into_bytes(), facts })
    }
}
