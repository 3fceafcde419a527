//! Finished records: sealed as they will travel, with the line that their agent signed.
//!
//! **Invariants:** a number is given in the same transaction that stores the record under it and deletes
//! its draft, so no number is lost or given twice; nobody on the laptop can open the sealed bytes.

mod row;

use std::{panic::resume_unwind, thread};

use rusqlite::{OptionalExtension as _, params};
use shared::{
    batch::{RecordLine, WithdrawReason},
    id::{BatchId, Digest, FormName, Member, Number, RecordId, Transaction},
    keys::KeyRef,
    outcome::Fate,
    problem::{Code, Problem},
    seal::SealedRecord,
    slip::SlipCode,
    time::Minute,
};
use zeroize::Zeroizing;

pub(super) use self::row::rows;
pub use self::row::{Numbering, RecordRow, Withdrawn};
use super::{
    CaptureSession, Db as _, Vault,
    columns::{Column as _, Row, maybe},
    damaged,
    drafts::{self, OpenDraft},
    epoch, int,
    keyslots::{Held, KeyFile, Kind, Slot},
    members::{Readers, Supervisor, Unlocked},
    slips, wrap,
};
use crate::{cards, entropy};

/// What `finish` stores.
pub struct Finished<'a> {
    /// Its id.
    pub record: RecordId,
    /// Who enrolled.
    pub agent: &'a Member,
    /// By which form.
    pub form: &'a FormName,
    /// What for.
    pub transaction: Transaction,
    /// When, in unit time.
    pub finished: Minute,
    /// Makes the age file.
    pub seal: &'a (dyn Fn() -> Result<SealedRecord, Problem> + Sync),
    /// The code for the resident's slip.
    pub slip: &'a SlipCode,
    /// Review card, JSON.
    pub review: Zeroizing<Vec<u8>>,
    /// Contact card, JSON.
    pub contact: Zeroizing<Vec<u8>>,
    /// The supervisors who may open the cards; without any there are no cards.
    pub supervisors: &'a [Reader],
}

/// A supervisor who may open the cards of a record.
#[derive(Debug, Clone)]
pub struct Reader {
    /// Their key.
    pub key: KeyRef,
    /// Their age recipient.
    pub recipient: String,
}

/// A record that is stored.
#[derive(Debug, Clone, Copy)]
pub struct Stored {
    /// Its number.
    pub number: Number,
    /// Where its slip code waits until it was shown.
    pub slip: Slot,
    /// Bytes, sealed.
    pub size: usize,
}

/// What a record was made of.
#[derive(Clone, Copy)]
pub enum Origin<'a> {
    /// A draft, which goes in the same transaction.
    Draft(&'a OpenDraft),
    /// A folder or tar with this salted digest, which is never enrolled twice.
    Source(Digest),
}

impl Origin<'_> {
    fn source(self) -> Option<Digest> {
        match self {
            Self::Draft(_) => None,
            Self::Source(digest) => Some(digest),
        }
    }
}

/// Which of the two cards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Card {
    /// Until the batch is closed.
    Review,
    /// Until the outcome is `merged`, or retention ends.
    Contact,
}

impl Card {
    const fn kind(self) -> Kind {
        match self {
            Self::Review => Kind::Review,
            Self::Contact => Kind::Contact,
        }
    }
}

impl Vault {
    /// Stores a finished record under the next number, whose line `sign` makes, and deletes its draft: one
    /// transaction. A crash before the commit leaves the draft, and slots that the sweep erases; a crash
    /// after it leaves the finished record with its slip code, and the draft's slot for the sweep.
    pub fn finish(
        &self,
        _: &CaptureSession,
        owner: &Unlocked,
        origin: Origin<'_>,
        record: &Finished<'_>,
        sign: impl FnOnce(Number, &SealedRecord) -> Result<RecordLine, Problem>,
    ) -> Result<Stored, Problem> {
        // the keys wait for the disk while the record keeps the processor busy: neither of the two needs the other
        let keys = &self.keys;
        let (sealed, put) = thread::scope(|scope| {
            let putting = scope.spawn(|| put(keys, owner, record));
            ((record.seal)(), putting.join().unwrap_or_else(|panic| resume_unwind(panic)))
        });
        let (held, slip, cards) = put?;
        let sealed = match sealed {
            Ok(sealed) => sealed,
            // no row will name them
            Err(problem) => return held.erase_all(&cards.slots(slip, record.record)).and(Err(problem)),
        };
        let tx = self.begin()?;
        let number = epoch::next_number(&tx)?;
        let line = sign(number, &sealed)?;
        insert(&tx, number, &line, record, &sealed, origin.source(), &cards)?;
        if let Origin::Draft(draft) = origin {
            drafts::delete(&tx, &draft.row.id)?;
        }
        tx.commit().db()?;
        drop(held);
        if let Origin::Draft(draft) = origin {
            self.erase_draft_key(&draft.row)?;
        }
        Ok(Stored { number, slip, size: sealed.as_bytes().len() })
    }

    /// The finished records that are in no batch yet, in order of number.
    pub fn unbatched(&self) -> Result<Vec<RecordRow>, Problem> {
        rows(&self.db, "WHERE r.batch IS NULL ORDER BY r.epoch, r.number", [])
    }
    /// The records of a batch, in its order.
    pub fn records_of(&self, batch: &BatchId) -> Result<Vec<RecordRow>, Problem> {
        rows(&self.db, "WHERE r.batch = ?1 ORDER BY r.epoch, r.number", [batch.to_string()])
    }
    /// Every record that this vault knows.
    pub fn records(&self) -> Result<Vec<RecordRow>, Problem> {
        rows(&self.db, "ORDER BY r.epoch, r.number", [])
    }
    /// The record of a number.
    pub fn record(&self, number: Number) -> Result<RecordRow, Problem> {
        let found = rows(&self.db, "WHERE r.epoch = ?1 AND r.number = ?2", (number.epoch, int(number.number)))?;
        found.into_iter().next().ok_or_else(|| Problem::new(Code::RecordUnknown, number.to_string()))
    }
    /// The record of a slip.
    pub fn record_of_slip(&self, slip: &Digest) -> Result<RecordRow, Problem> {
        let found = rows(&self.db, "WHERE r.slip = ?1", [slip.to_string()])?;
        found.into_iter().next().ok_or_else(|| Code::SlipUnknown.into())
    }

    /// The live record that was enrolled from a source of this salted digest: one that was withdrawn or refused holds nobody's data
    /// for the centre, so its source may be enrolled again.
    pub fn record_of_source(&self, source: &Digest) -> Result<Option<RecordRow>, Problem> {
        let found = rows(&self.db, "WHERE r.source = ?1", [source.to_string()])?;
        Ok(found.into_iter().find(|row| row.withdrawn.is_none() && !matches!(row.fate, Some(Fate::Refused(_)))))
    }

    pub(super) fn record_of_id(&self, record: &str) -> Result<Option<RecordRow>, Problem> {
        Ok(rows(&self.db, "WHERE r.record = ?1", [record])?.into_iter().next())
    }

    /// The sealed bytes of a record; none once they were pruned.
    pub fn sealed(&self, number: Number) -> Result<Option<Vec<u8>>, Problem> {
        let sql = "SELECT bytes FROM sealed WHERE epoch = ?1 AND number = ?2";
        self.db.query_row(sql, (number.epoch, int(number.number)), |r| r.get(0)).optional().db()
    }

    /// Opens a card; none when its time is over.
    pub fn card(&self, supervisor: &Supervisor, row: &RecordRow, card: Card) -> Result<Option<Zeroizing<Vec<u8>>>, Problem> {
        let (name, column) = (row.record.to_string(), card.kind().word());
        let sql = format!("SELECT {column}_slot, {column} FROM records WHERE record = ?1");
        let read = |r: &Row<'_>| Ok((Option::<Slot>::read(r, 0)?, Option::<Vec<u8>>::read(r, 1)?));
        let Some((Some(slot), Some(blob))) = maybe(&self.db, &sql, [&name], read)? else { return Ok(None) };
        let sealed = match self.keys.look()?.get(slot, card.kind(), &name) {
            Ok(sealed) => sealed,
            // erased meanwhile, or damaged
            Err(problem) => {
                return match maybe(&self.db, &sql, [&name], read)? {
                    Some((Some(still), _)) if still == slot => Err(problem),
                    _ => Ok(None),
                };
            }
        };
        // enrolled before this supervisor was added: only the others open it
        let not_theirs = || Problem::new(Code::ReviewNeeded, format!("the card of {} is for other supervisors", row.number));
        let key = supervisor.identity().open(&sealed).ok_or_else(not_theirs)?;
        wrap::unwrap(&key, &place(card, row.record), &blob).map(Some).ok_or_else(|| damaged("card"))
    }

    /// Takes a finished record out before its batch is closed; the manifest will say so. Its cards stay
    /// until then, so that the supervisor can still look. One that waits for a fresh number gets it: no agent signs this.
    pub fn withdraw(&self, _: &CaptureSession, number: Number, reason: WithdrawReason, by: &Supervisor) -> Result<Number, Problem> {
        let tx = self.begin()?;
        let gone = || Problem::new(Code::RecordUnknown, format!("{number} is not among the records that wait for close"));
        let which = "WHERE r.epoch = ?1 AND r.number = ?2 AND r.batch IS NULL";
        let row = rows(&tx, which, (number.epoch, int(number.number)))?.pop().ok_or_else(gone)?;
        let sql = "UPDATE records SET withdrawn = ?2, by = ?3 WHERE record = ?1";
        tx.execute(sql, params![row.record.to_string(), reason.as_str(), by.name().as_str()]).db()?;
        let number = if row.numbering == Numbering::Twice {
            let fresh = epoch::next_number(&tx)?;
            epoch::renumber(&tx, &row, fresh, None)?;
            fresh
        } else {
            number
        };
        tx.commit().db()?;
        Ok(number)
    }

    pub(super) fn erase_cards(&self, records: &[RecordRow], card: Card) -> Result<(), Problem> {
        let slot = |r: &RecordRow| if card == Card::Review { r.review_slot } else { r.contact_slot };
        let slots: Vec<_> = records.iter().filter_map(|r| Some((slot(r)?, card.kind(), r.record.to_string()))).collect();
        if slots.is_empty() { Ok(()) } else { self.keys.hold()?.erase_all(&slots) }
    }

    /// Deletes the sealed bytes of these records, and with them their contact cards: retention has ended. One
    /// transaction, then the keys; a crash between leaves slots for the sweep. Only `prune` calls it, after its checks.
    pub fn drop_sealed(&self, _: &CaptureSession, records: &[RecordRow]) -> Result<(), Problem> {
        let tx = self.begin()?;
        for record in records {
            tx.execute("DELETE FROM sealed WHERE epoch = ?1 AND number = ?2", (record.number.epoch, int(record.number.number))).db()?;
            forget_contact(&tx, record.number)?;
        }
        tx.commit().db()?;
        self.erase_cards(records, Card::Contact)
    }
}

/// The row names its contact card no more. The caller commits, then erases the key.
pub(super) fn forget_contact(tx: &rusqlite::Transaction<'_>, number: Number) -> Result<(), Problem> {
    let sql = "UPDATE records SET contact = NULL, contact_slot = NULL WHERE epoch = ?1 AND number = ?2";
    tx.execute(sql, (number.epoch, int(number.number))).db().map(drop)
}

/// The two cards of a record, each with its slot; none without supervisors.
struct Cards {
    review: Option<(Slot, Vec<u8>)>,
    contact: Option<(Slot, Vec<u8>)>,
}

impl Cards {
    /// Every slot that was taken for a record, with that of its slip code.
    fn slots(&self, slip: Slot, record: RecordId) -> Vec<(Slot, Kind, String)> {
        let cards = [(Kind::Review, &self.review), (Kind::Contact, &self.contact)];
        let cards = cards.into_iter().filter_map(|(kind, card)| card.as_ref().map(|(slot, _)| (*slot, kind)));
        std::iter::once((slip, Kind::Slip)).chain(cards).map(|(slot, kind)| (slot, kind, record.to_string())).collect()
    }
}

fn insert(
    tx: &rusqlite::Transaction<'_>,
    number: Number,
    line: &RecordLine,
    record: &Finished<'_>,
    sealed: &SealedRecord,
    source: Option<Digest>,
    cards: &Cards,
) -> Result<(), Problem> {
    if let Some(source) = &source {
        // what was withdrawn or refused gives its source up
        let sql = "UPDATE records SET source = NULL WHERE source = ?1 AND (withdrawn IS NOT NULL OR EXISTS (
                       SELECT 1 FROM effects e WHERE e.epoch = records.epoch AND e.number = records.number AND e.fate GLOB 'refused *'))";
        tx.execute(sql, [source.to_string()]).db()?;
    }
    tx.execute(
        "INSERT INTO records (epoch, number, record, agent, form, kind, finished, size, digest, line, slip,
                              source, review_slot, review, contact_slot, contact, readers)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)",
        params![
            number.epoch,
            int(number.number),
            record.record.to_string(),
            record.agent.as_str(),
            record.form.as_str(),
            record.transaction.as_str(),
            record.finished.unix_minutes(),
            int(sealed.as_bytes().len() as u64),
            sealed.digest().to_string(),
            line.to_string(),
            record.slip.digest().to_string(),
            source.map(|d| d.to_string()),
            cards.review.as_ref().map(|c| c.0.0),
            cards.review.as_ref().map(|c| &c.1),
            cards.contact.as_ref().map(|c| c.0.0),
            cards.contact.as_ref().map(|c| &c.1),
            Readers(record.supervisors.iter().map(|s| s.key.clone()).collect()).to_string(),
        ],
    )
    .db()?;
    let sealed = params![number.epoch, int(number.number), sealed.as_bytes()];
    tx.execute("INSERT INTO sealed (epoch, number, bytes) VALUES (?1, ?2, ?3)", sealed).db().map(drop)
}

fn place(card: Card, record: RecordId) -> String {
    format!("enroll-vault/v1 {} card of {record}", card.kind().word())
}

/// A card under a key of its own, and that key to the supervisors, as its slot will hold it.
struct SealedCard {
    card: Card,
    blob: Vec<u8>,
    key: Vec<u8>,
}

impl SealedCard {
    fn seal(card: Card, record: RecordId, plain: &[u8], supervisors: &[Reader]) -> Result<Option<Self>, Problem> {
        if supervisors.is_empty() {
            return Ok(None);
        }
        let key = entropy::secret::<32>()?;
        let blob = wrap::wrap(&key, &place(card, record), plain)?;
        let recipients: Vec<String> = supervisors.iter().map(|s| s.recipient.clone()).collect();
        Ok(Some(Self { card, blob, key: cards::seal_key(&key, &recipients)? }))
    }
}

/// Seals the cards, and puts slip code and keys of cards into their slots, durable at once; the key file stays held.
fn put(keys: &KeyFile, owner: &Unlocked, finished: &Finished<'_>) -> Result<(Held, Slot, Cards), Problem> {
    let record = finished.record;
    let slip = slips::wrapped(owner, record, finished.slip)?;
    let review = SealedCard::seal(Card::Review, record, &finished.review, finished.supervisors)?;
    let contact = SealedCard::seal(Card::Contact, record, &finished.contact, finished.supervisors)?;
    let held = keys.hold()?;
    let sealed = [review.as_ref(), contact.as_ref()].into_iter().flatten().map(|c| (c.card.kind(), &c.key[..]));
    let keys: Vec<_> = std::iter::once((Kind::Slip, &slip[..])).chain(sealed).collect();
    let slots = held.put_all(&record.to_string(), &keys)?;
    let mut of_cards = slots[1..].iter().copied();
    let mut with_slot = |card: Option<SealedCard>| card.and_then(|c| Some((of_cards.next()?, c.blob)));
    let cards = Cards { review: with_slot(review), contact: with_slot(contact) };
    Ok((held, slots[0], cards))
}
