//! Joining and leaving: every change of who may do what is a new roster, signed, archived and logged.
//!
//! 1. Read the newest roster.
//! 2. Change what it says; version one higher.
//! 3. Sign with the roster key.
//! 4. Archive forms and note.
//! 5. Log it.
//!
//! **Trust:** a request proves possession of its key; that it should be admitted is the administrator's word, and the
//! roster key is what that word is worth. **Invariants:** who is revoked stays in the list: what a key signed before stays
//! verifiable, and what it signs after its cut stays recognisable.
//!
//! | file | does |
//! |---|---|
//! | `admitting` | reads requests, adds keys, says what becomes of older keys of the same name |
//! | `ending` | which keys a name has, and their cuts |
//! | `lives` | every key that ever was, with its state |
//! | `export` | the newest roster with its proofs and forms, for units without a network |

pub mod admitting;
pub mod ending;
pub mod export;
pub mod lives;

use shared::{
    form::Form,
    id::{Blob, LogIndex, RosterVersion},
    keys::{KeyRef, Signer},
    problem::{Code, Problem},
    roster::{Facts, FormRef, Roster, StaffEntry},
    time::Second,
};

use crate::{
    centre::Centre,
    clock,
    durable::Lock,
    pipeline::{Logged, Proposal, Sequencer},
    store::{Archive, Ledger, Whole, blocking, ledger_sqlite::LedgerSqlite},
};

/// A newer roster is expected after so many seconds.
pub const EXPIRES: i64 = 90 * 86_400;

/// A roster that is in the log.
#[derive(Debug, Clone)]
pub struct PublishedRoster {
    /// What it says.
    pub facts: Facts,
    /// Its entry.
    pub logged: Logged,
}

/// Where the log stands when a roster is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// The roster's entry has at least this index.
    pub next: LogIndex,
    /// The later of the clock and of log time: the roster's entry is not dated earlier.
    pub now: Second,
}

/// Publishes the next roster: the newest one, changed.
pub async fn publish(
    centre: &Centre,
    sequencer: &Sequencer<LedgerSqlite>,
    key: &Signer,
    change: impl FnOnce(&mut Facts, Moment) -> Result<(), Problem>,
) -> Result<PublishedRoster, Problem> {
    // Two administrators at once: the second waits, and changes what the first has published.
    let path = centre.settings.data.join("roster.lock");
    let _lock = blocking(move || Lock::wait(&path)).await?;
    let newest = centre.roster().await?;
    let position = centre.stores.ledger.position().await?;
    let moment = Moment { next: LogIndex(position.line.head.size), now: clock::now().max(position.received) };
    let mut facts = newest.facts().clone();
    dated(&mut facts, moment.now);
    change(&mut facts, moment)?;
    facts.version = RosterVersion(newest.version().0 + 1);
    let roster = signed(facts, key)?.trust_after(&newest)?;
    let note = roster.note().as_bytes().to_vec();
    // A crash before the entry leaves a blob that nothing names.
    centre.stores.archive.put(Blob::of(&note), Whole::new(note)).await?;
    let facts = roster.facts().clone();
    let logged = sequencer.log(Proposal::Roster(Box::new(roster))).await?;
    Ok(PublishedRoster { facts, logged })
}

/// Published now, a newer one expected in time.
pub fn dated(facts: &mut Facts, now: Second) {
    facts.published = now;
    facts.expires = Second::from_unix(now.unix() + EXPIRES);
}

/// Puts members and forms in order and signs.
pub fn signed(mut facts: Facts, key: &Signer) -> Result<Roster, Problem> {
    if !facts.signers.keys.contains(key.public()) {
        return Err(Problem::new(Code::KeyWrong, "the roster key is not among the signers"));
    }
    facts.units.sort_by(|a, b| (&a.name, a.epoch).cmp(&(&b.name, b.epoch)));
    facts.agents.sort_by_key(|a| KeyRef::from(&a.key));
    facts.supervisors.sort_by_key(|s| KeyRef::from(&s.key));
    for staff in [&mut facts.carriers, &mut facts.adjudicators, &mut facts.administrators] {
        staff.sort_by_key(|s: &StaffEntry| KeyRef::from(&s.key));
    }
    facts.forms.sort_by(|a, b| a.name.cmp(&b.name));
    facts.kept.sort_by(|a, b| a.key.cmp(&b.key));
    facts.revoked.sort_by(|a, b| a.key.cmp(&b.key));
    Roster::sign(facts, &[key])
}

/// Stores a form and says how the roster names it.
pub async fn store_form(archive: &impl Archive, bytes: &[u8]) -> Result<FormRef, Problem> {
    let form = Form::parse(bytes)?;
    archive.put(form.blob(), Whole::new(bytes)).await?;
    Ok(FormRef { name: form.name().clone(), size: form.size(), blob: form.blob() })
}

/// Puts forms in force; a newer version stands beside the older, the same version is replaced.
pub fn enforce(facts: &mut Facts, forms: Vec<FormRef>) {
    for form in forms {
        facts.forms.retain(|f| f.name != form.name);
        facts.forms.push(form);
    }
}
