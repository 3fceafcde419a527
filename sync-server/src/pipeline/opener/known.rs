//! Rosters and forms that lines name, read once from the log and the archive.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use shared::{
    form::Form,
    id::{Blob, RosterVersion},
    problem::{Code, Problem},
    roster::{FormRef, Roster, TrustedRoster},
    time::Second,
};

use crate::store::{Archive, Ledger};

/// What is known of rosters and forms. Clones share it.
#[derive(Clone)]
pub(super) struct Known<A, L> {
    archive: A,
    ledger: L,
    /// As rosters spell them. There is one spelling, and to read a key of 1,216 bytes for each record is work.
    recipients: Arc<Vec<String>>,
    cache: Arc<Mutex<Cache>>,
}

#[derive(Default)]
struct Cache {
    rosters: HashMap<RosterVersion, (Arc<TrustedRoster>, Second)>,
    forms: HashMap<Blob, Arc<Form>>,
}

impl<A: Archive, L: Ledger> Known<A, L> {
    pub(super) fn new(archive: A, ledger: L, recipients: Vec<String>) -> Self {
        Self { archive, ledger, recipients: Arc::new(recipients), cache: Arc::default() }
    }

    /// A logged roster.
    pub(super) async fn roster(&self, version: RosterVersion) -> Result<Arc<TrustedRoster>, Problem> {
        self.entry(version).await.map(|(roster, _)| roster)
    }

    /// When it was logged.
    pub(super) async fn logged(&self, version: RosterVersion) -> Result<Second, Problem> {
        self.entry(version).await.map(|(_, logged)| logged)
    }

    async fn entry(&self, version: RosterVersion) -> Result<(Arc<TrustedRoster>, Second), Problem> {
        if let Some(entry) = self.cache().rosters.get(&version) {
            return Ok(entry.clone());
        }
        let unknown = || Problem::new(Code::RosterUnknown, format!("roster {version}"));
        let facts = self.ledger.roster(version).await?.ok_or_else(unknown)?;
        let roster = Arc::new(TrustedRoster::from_own_log(Roster::parse(&facts.note)?));
        Ok(self.cache().rosters.entry(version).or_insert((roster, facts.received)).clone())
    }

    /// A form's file, checked against the roster that names it.
    pub(super) async fn form(&self, wanted: &FormRef) -> Result<Arc<Form>, Problem> {
        if let Some(form) = self.cache().forms.get(&wanted.blob).filter(|form| *form.name() == wanted.name) {
            return Ok(form.clone());
        }
        let form = Arc::new(Form::named(wanted, &self.archive.get(wanted.blob).await?)?);
        Ok(self.cache().forms.entry(wanted.blob).or_insert(form).clone())
    }

    /// `recipient-unknown` is a verdict only where the identity for that roster's recipient is here.
    pub(super) fn can_open(&self, roster: &TrustedRoster) -> Result<(), Problem> {
        let working = roster.facts().recipients.working.as_str();
        if self.recipients.iter().any(|here| here == working) {
            Ok(())
        } else {
            Err(Problem::new(Code::KeyUnreadable, format!("no identity for the recipient of roster {}", roster.version())))
        }
    }

    fn cache(&self) -> std::sync::MutexGuard<'_, Cache> {
        self.cache.lock().expect("nothing that can panic runs while this is held")
    }
}
