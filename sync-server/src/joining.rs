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

use shared::{
    form::Form,
    id::{Blob, LogIndex, Member, RosterVersion},
    keys::{KeyRef, Signer},
    problem::{Code, Problem},
    roster::{
        AgentEntry, Crew, Facts, FormRef, Revocation, Roster, SupervisorEntry, UnitEntry,
        request::{AgentRequest, UnitRequest},
    },
    time::Second,
};

use crate::{
    centre::Centre,
    clock,
    durable::{self, Lock},
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

/// Publishes the next roster: the newest one, changed. `change` is told at which index its entry will stand at least.
pub async fn publish(
    centre: &Centre,
    sequencer: &Sequencer<LedgerSqlite>,
    key: &Signer,
    change: impl FnOnce(&mut Facts, LogIndex) -> Result<(), Problem>,
) -> Result<PublishedRoster, Problem> {
    // Two administrators at once: the second waits, and changes what the first has published.
    let path = centre.settings.data.join("roster.lock");
    let _lock = blocking(move || Lock::wait(&path)).await.map_err(durable::problem("roster lock"))?;
    let newest = centre.roster().await?;
    let next = LogIndex(centre.stores.ledger.position().await?.line.head.size);
    let mut facts = newest.facts().clone();
    change(&mut facts, next)?;
    facts.version = RosterVersion(newest.version().0 + 1);
    dated(&mut facts, clock::now());
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
    facts.forms.sort_by(|a, b| a.name.cmp(&b.name));
    facts.revoked.sort_by(|a, b| a.key.cmp(&b.key));
    Roster::sign(facts, &[key])
}

/// Stores a form and says how the roster names it.
pub async fn store_form(archive: &impl Archive, bytes: &[u8]) -> Result<FormRef, Problem> {
    let form = Form::parse(bytes)?;
    archive.put(form.blob(), Whole::new(bytes)).await?;
    Ok(FormRef { name: form.name().clone(), size: form.size(), blob: form.blob() })
}

/// What an admitted key does to a name that is known already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// The new key takes over; of a unit, it opens the next epoch (a new laptop, a rewound vault).
    Replace,
    /// A known name with another key is refused.
    Refuse,
}

/// Adds a unit, or the next epoch of one.
pub fn admit_unit(facts: &mut Facts, request: &UnitRequest, region: &str, crew: Crew, known: Known) -> Result<u32, Problem> {
    let newest = facts.newest_epoch(&request.unit).map(|u| (u.epoch, u.key == request.key));
    let epoch = match (newest, known) {
        (Some((_, true)), _) => return Err(Problem::new(Code::NothingToDo, "this key is admitted already")),
        (Some((epoch, false)), Known::Replace) => epoch + 1,
        (Some(_), Known::Refuse) => return Err(Problem::new(Code::RosterRefused, "the name has another key: --new-key replaces it")),
        (None, _) => 1,
    };
    let entry = UnitEntry { name: request.unit.clone(), epoch, key: request.key.clone(), region: region.to_owned(), crew };
    facts.units.push(entry);
    Ok(epoch)
}

/// Adds an agent or a supervisor. A key that was replaced stays good for rosters that named it.
pub fn admit_agent(facts: &mut Facts, request: &AgentRequest, known: Known) -> Result<(), Problem> {
    let AgentRequest { role: _, name, unit, key, recipient } = request.clone();
    match facts.keys_of(&name).last().map(|listed| listed.key.clone()) {
        Some(present) if present == key => return Err(Problem::new(Code::NothingToDo, "this key is admitted already")),
        Some(_) if known == Known::Refuse => {
            return Err(Problem::new(Code::RosterRefused, "the name has another key: --new-key replaces it"));
        }
        _ => {}
    }
    if let Some(recipient) = recipient {
        facts.supervisors.push(SupervisorEntry { name, key, unit, recipient });
    } else {
        facts.agents.push(AgentEntry { name, key, unit });
    }
    Ok(())
}

/// Ends the newest key of a unit, agent or supervisor from `cut` on.
pub fn revoke(facts: &mut Facts, name: &Member, cut: LogIndex, reason: &str) -> Result<KeyRef, Problem> {
    let listed = facts.keys_of(name).last().map(|listed| KeyRef::from(listed.key));
    let key = listed.ok_or_else(|| Problem::new(Code::NotFound, format!("{name} is not in the roster")))?;
    if facts.revocation(&key).is_some() {
        return Err(Problem::new(Code::NothingToDo, format!("{key} was revoked before")));
    }
    facts.revoked.push(Revocation { key: key.clone(), cut, reason: reason.to_owned() });
    Ok(key)
}

/// Puts forms in force; a newer version stands beside the older, the same version is replaced.
pub fn enforce(facts: &mut Facts, forms: Vec<FormRef>) {
    for form in forms {
        facts.forms.retain(|f| f.name != form.name);
        facts.forms.push(form);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{member, roster_facts, signer};

    fn code<T>(result: Result<T, Problem>) -> Option<Code> {
        result.err().map(|p| p.code)
    }

    #[test]
    fn a_unit_is_admitted_once_and_gets_an_epoch_a_key() {
        let mut facts = roster_facts(1);
        let again = UnitRequest { unit: member("van-1"), key: signer("van-1").public().clone() };
        let admit = |facts: &mut Facts, request, known| admit_unit(facts, request, "04", Crew::Several, known);
        assert_eq!(code(admit(&mut facts, &again, Known::Replace)), Some(Code::NothingToDo));
        let other_key = Signer::from_seed("van-1".parse().expect("name"), &[9; 32]);
        let other = UnitRequest { unit: member("van-1"), key: other_key.public().clone() };
        assert_eq!(code(admit(&mut facts, &other, Known::Refuse)), Some(Code::RosterRefused));
        assert_eq!(admit(&mut facts, &other, Known::Replace), Ok(2));
        let fresh = UnitRequest { unit: member("van-0"), key: signer("van-0").public().clone() };
        assert_eq!(admit(&mut facts, &fresh, Known::Refuse), Ok(1));
        let roster = signed(facts, &signer("registry.example/roster-1")).expect("in canonical order");
        assert_eq!(roster.facts().units.len(), 4);
    }

    #[test]
    fn a_name_has_one_role() {
        let mut facts = roster_facts(1);
        admit_agent(
            &mut facts,
            &AgentRequest {
                role: shared::roster::Role::Agent,
                name: member("van-1"),
                unit: None,
                key: signer("van-1").public().clone(),
                recipient: None,
            },
            Known::Refuse,
        )
        .expect("the roster itself refuses");
        assert_eq!(code(signed(facts, &signer("registry.example/roster-1"))), Some(Code::RosterRefused));
        assert_eq!(code(signed(roster_facts(1), &signer("registry.example/roster-2"))), Some(Code::KeyWrong));
    }

    #[test]
    fn who_is_revoked_stays_in_the_list() {
        let mut facts = roster_facts(1);
        assert_eq!(code(revoke(&mut facts, &member("nobody"), LogIndex(3), "left")), Some(Code::NotFound));
        let key = revoke(&mut facts, &member("agent-1"), LogIndex(3), "left").expect("known");
        assert_eq!(code(revoke(&mut facts, &member("agent-1"), LogIndex(4), "left")), Some(Code::NothingToDo));
        let roster = signed(facts, &signer("registry.example/roster-1")).expect("canonical");
        assert_eq!(roster.facts().revocation(&key).map(|r| r.cut), Some(LogIndex(3)));
        assert!(roster.facts().enrols(&member("agent-1")));
    }
}
