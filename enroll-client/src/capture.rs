//! Capture: from a draft at the keyboard to a finished record that nobody on this laptop can open again.
//!
//! Finishing: 1. the roster, the unit and the agent are in force. 2. The draft and its parts are complete
//! under their form. 3. Time, place in time and slip code are set. 4. The record is made, which its form
//! checks, and sealed in memory; 5. while the keys of the cards for the supervisors become durable. 6. One
//! transaction gives the number, signs the line, stores it all and deletes the draft; then the draft's key is destroyed.
//!
//! 7. The slip code waits in the vault until the screen has it ([`Desk::shown`]).
//!
//! **Invariants:** nothing of a resident reaches a file unencrypted; what the screen calls finished is
//! durable when it says so.

pub mod source;

use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

use shared::{
    batch::{LineFacts, RecordLine},
    draft::{Draft, Facts, card::ContactCard, card::ReviewCard},
    form::Form,
    id::{FormName, Number, RecordId},
    keys::KeyRef,
    problem::{Code, Problem},
    record::{ClockReading, Consent, MAX_PLAIN, Record},
    roster::{Facts as RosterFacts, Limits},
    seal::{Recipient, Recipients, SealedRecord, seal},
    slip::SlipCode,
    time::Second,
};
use zeroize::Zeroizing;

use crate::{
    clock, entropy,
    rights::{Act, Admission, Rights},
    vault::{
        CaptureSession, Vault,
        drafts::{DraftPart, OpenDraft},
        keyslots::Slot,
        members::{Known, Role, Unlocked},
        records::{Finished, Origin, Reader, Stored},
    },
};

/// The agent at work: everything that says they may.
pub struct Desk<'a> {
    /// The vault.
    pub vault: &'a Vault,
    /// This is the capture process.
    pub session: &'a CaptureSession,
    /// The agent.
    pub agent: &'a Unlocked,
    rights: Rights,
    recipients: Recipients,
    forms: RefCell<BTreeMap<FormName, Rc<Form>>>,
}

/// A finished record.
pub struct Done {
    /// Its number.
    pub number: Number,
    /// Its id.
    pub record: RecordId,
    /// The code for the resident's slip.
    pub slip: SlipCode,
    /// Where it waits until it was shown.
    pub slot: Slot,
    /// Bytes, sealed.
    pub size: usize,
}

impl<'a> Desk<'a> {
    /// Sits down: refuses when the unit may not capture, or this agent not here.
    pub fn open(vault: &'a Vault, session: &'a CaptureSession, agent: &'a Unlocked) -> Result<Self, Problem> {
        let rights = Rights::of(vault, clock::now())?;
        rights.unit(Act::Capture)?;
        rights.member(&agent.name, agent.signer.public(), agent.role.into())?;
        let recipients = recipients(rights.roster().facts())?;
        Ok(Self { vault, session, agent, rights, recipients, forms: RefCell::default() })
    }

    /// A form of the roster in force; read and parsed once.
    pub fn form(&self, name: &FormName) -> Result<Rc<Form>, Problem> {
        if let Some(form) = self.forms.borrow().get(name) {
            return Ok(form.clone());
        }
        let listed = self.rights.roster().facts().form(name).ok_or_else(|| Problem::new(Code::FormUnknown, name.to_string()))?;
        let form = Rc::new(Form::named(listed, &self.vault.form(listed)?)?);
        self.forms.borrow_mut().insert(name.clone(), form.clone());
        Ok(form)
    }

    /// Begins a draft.
    pub fn begin(&self, draft: &Draft) -> Result<OpenDraft, Problem> {
        self.vault.room_for(0)?;
        self.vault.begin_draft(self.session, self.agent, &draft.to_json(), clock::now())
    }

    /// Saves a draft after a step, with the parts that came; parts that the draft no longer has go.
    pub fn save(&self, open: &OpenDraft, draft: &Draft, added: &[DraftPart]) -> Result<(), Problem> {
        // more could not be finished, and finishing has all of it in memory
        if draft.parts().iter().map(|p| p.size).sum::<u64>() > MAX_PLAIN {
            return Err(Problem::new(Code::RecordTooLarge, format!("more than {MAX_PLAIN} bytes in all parts")));
        }
        let before = Draft::parse(&open.plain)?;
        let still = |name: &str| draft.parts().iter().any(|p| p.name.as_str() == name);
        let removed: Vec<String> = before.parts().iter().map(|p| p.name.to_string()).filter(|n| !still(n)).collect();
        self.vault.save_draft(self.session, open, &draft.to_json(), added, &removed, clock::now())
    }

    /// The parts of a draft of the vault, in its order.
    pub fn parts(&self, open: &OpenDraft, draft: &Draft) -> Result<Zeroizing<Vec<Vec<u8>>>, Problem> {
        let mut kept = self.vault.draft_parts(open)?;
        let mut parts = Zeroizing::new(Vec::with_capacity(kept.len()));
        for part in draft.parts() {
            let found = kept.iter_mut().find(|p| p.name == part.name.as_str());
            let bytes = found.map(|p| std::mem::take(&mut *p.bytes));
            parts.push(bytes.ok_or_else(|| Problem::new(Code::VaultDamaged, format!("part {}", part.name)))?);
        }
        Ok(parts)
    }

    /// Would this be finished? Asked before the resident is: after their yes nothing may be refused that can be known before.
    pub fn would_finish(&self, draft: &Draft, parts: &[Vec<u8>]) -> Result<(), Problem> {
        let reading = clock::reading()?;
        let unit_time = self.rights.state().unit_time(reading.raw);
        self.rights.unit_at(Act::Capture, unit_time)?;
        let size = parts.iter().map(|p| p.len() as u64).sum();
        self.vault.room_for(size)?;
        let limits = self.rights.roster().facts().limits;
        if size > limits.record.min(limits.batch) {
            return Err(Problem::new(Code::RecordTooLarge, format!("{size} bytes")));
        }
        let form = self.form(draft.form())?;
        let slip = SlipCode::from_random(entropy::bytes()?);
        draft.check(&form, self.facts(&form, &reading, unit_time, &slip)?, parts)
    }

    /// What the day makes wrong of a draft so far.
    pub fn check_day(&self, draft: &Draft) -> Result<(), Problem> {
        draft.check_day(&*self.form(draft.form())?, self.rights.state().unit_time(clock::reading()?.raw))
    }

    /// Finishes a draft whose parts are at hand.
    pub fn finish_with(&self, draft: Draft, parts: Vec<Vec<u8>>, origin: Origin<'_>) -> Result<Done, Problem> {
        // 1. in force now
        let reading = clock::reading()?;
        let unit_time = self.rights.state().unit_time(reading.raw);
        self.rights.unit_at(Act::Capture, unit_time)?;
        // 2. complete under its form
        let form = self.form(draft.form())?;
        self.vault.room_for(parts.iter().map(|p| p.len() as u64).sum())?;
        // 3. and 4.
        let slip = SlipCode::from_random(entropy::bytes()?);
        let facts = self.facts(&form, &reading, unit_time, &slip)?;
        let record = draft.finish(&form, facts, parts).map_err(|unfinished| unfinished.problem)?;
        // 5. and 6.
        let stored = self.store(&record, &form, &slip, origin)?;
        Ok(Done { number: stored.number, record: record.content().record_id, slip, slot: stored.slip, size: stored.size })
    }

    /// 7. The screen has shown the slip code.
    pub fn shown(&self, done: &Done) -> Result<(), Problem> {
        self.vault.slip_shown(self.session, done.record, done.slot)
    }

    fn facts(&self, form: &Form, reading: &clock::Reading, unit_time: Second, slip: &SlipCode) -> Result<Facts, Problem> {
        Ok(Facts {
            record_id: RecordId::from_random(entropy::bytes()?),
            unit: self.rights.state().unit.clone(),
            agent: self.agent.name.clone(),
            finished: unit_time,
            clock: ClockReading { raw: reading.raw, boot: reading.boot.clone(), boot_ms: reading.boot_ms },
            slip: slip.digest(),
            consent: Consent { text: form.newest_consent().to_owned(), at: unit_time },
            fix: None,
        })
    }

    fn store(&self, record: &Record, form: &Form, slip: &SlipCode, origin: Origin<'_>) -> Result<Stored, Problem> {
        let content = record.content();
        let (recipients, limits, pad) = (&self.recipients, self.rights.roster().facts().limits, form.pad());
        let finished = Finished {
            record: content.record_id,
            agent: &self.agent.name,
            form: &content.form,
            transaction: content.transaction,
            finished: content.finished.minute(),
            seal: &|| sealed(record, recipients, pad, limits),
            slip,
            review: ReviewCard::of(record).to_json(),
            contact: ContactCard::of(record).to_json(),
            supervisors: &self.supervisors()?,
        };
        self.vault.finish(self.session, self.agent, origin, &finished, |number, sealed| {
            // a sync may have taken a roster with a new epoch since this desk was opened
            if Some(number.epoch) != self.rights.state().epoch {
                return Err(Problem::new(Code::LockedElsewhere, "a new roster came in meanwhile"));
            }
            let facts = LineFacts {
                number,
                record: finished.record,
                size: sealed.as_bytes().len() as u64,
                digest: sealed.digest(),
                plain: sealed.plain(),
                transaction: finished.transaction,
                form: finished.form.clone(),
                roster: self.rights.roster().version(),
                finished: finished.finished,
                seen: self.rights.state().seen.size,
                agent: self.agent.name.clone(),
            };
            Ok(RecordLine::sign(facts, &self.rights.state().unit, &self.agent.signer))
        })
    }

    /// Who may open the cards: the supervisors of this laptop whose keys count here.
    fn supervisors(&self) -> Result<Vec<Reader>, Problem> {
        let (roster, unit) = (self.rights.roster().facts(), &self.rights.state().unit);
        let counts = |m: &Known| matches!(self.rights.admission_of(m), Admission::Admitted | Admission::KeptUntil(_));
        // the recipient that the roster names: what lies in the vault, whoever has the laptop may have changed
        let reader = |m: Known| {
            let entry = roster.supervisor(&m.name, unit, m.key.id()).filter(|s| s.key == m.key)?;
            Some(Reader { key: KeyRef::from(&m.key), recipient: entry.recipient.to_string() })
        };
        let here = self.vault.members()?.into_iter().filter(|m| m.role == Role::Supervisor && counts(m));
        Ok(here.filter_map(reader).collect())
    }
}

fn recipients(roster: &RosterFacts) -> Result<Recipients, Problem> {
    let working = Recipient::try_from(&roster.recipients.working)?;
    Recipients::new(working, Recipient::try_from(&roster.recipients.recovery)?)
}

/// Seals a record within the roster's limits.
fn sealed(record: &Record, recipients: &Recipients, pad: u64, limits: Limits) -> Result<SealedRecord, Problem> {
    let sealed = seal(record, recipients, pad)?;
    let size = sealed.as_bytes().len() as u64;
    if size > limits.record.min(limits.batch) {
        return Err(Problem::new(Code::RecordTooLarge, format!("{size} bytes")));
    }
    Ok(sealed)
}

/// A part that came in, for the vault.
pub fn draft_part(name: &str, bytes: Vec<u8>) -> DraftPart {
    DraftPart { name: name.to_owned(), bytes: Zeroizing::new(bytes) }
}
