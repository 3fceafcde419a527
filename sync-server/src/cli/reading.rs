//! What commands that show personal data share: who asks, the centre opened, the access recorded before the answer.

use clap::Args;
use shared::problem::Problem;

use super::{Global, admit::open};
use crate::{
    access::{self, Access},
    centre::Centre,
    clock, durable,
    pipeline::{Idle, Sequencer},
    store::{ledger_sqlite::LedgerSqlite, registry_sqlite::RegistrySqlite},
};

/// Why somebody looks.
#[derive(Debug, Clone, Args)]
pub struct Reason {
    /// Why you look: kept for the auditors, encrypted, before anything is shown
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

/// A centre whose registry is read by a person.
pub struct Reading {
    centre: Centre,
    sequencer: Sequencer<LedgerSqlite>,
    reason: String,
    /// Residents and cases.
    pub registry: RegistrySqlite,
}

impl Reading {
    /// Opens the centre and brings it to the guard's head: what can't be recorded is not read.
    pub async fn open(global: &Global, reason: &Reason) -> Result<Self, Problem> {
        let reason = access::reason(&reason.reason)?;
        let centre = open(global)?;
        let (sequencer, _) = centre.sequencer(Idle::Quiet).await?;
        let registry = RegistrySqlite::new(centre.db.clone());
        Ok(Self { centre, sequencer, reason, registry })
    }

    /// Records that these residents and cases are about to be shown. Show nothing before it returns.
    pub async fn record(&self, command: &'static str, subjects: Vec<String>) -> Result<(), Problem> {
        let uid = rustix::process::getuid().as_raw();
        let access = Access { account: account(uid), uid, at: clock::now(), command, reason: self.reason.clone(), subjects };
        let roster = self.centre.roster().await?;
        access::record(&self.centre.stores.archive, &self.sequencer, roster.facts(), &access).await.map(|_| ())
    }
}

/// The account's name, as the operating system's own list has it.
fn account(uid: u32) -> String {
    let list = durable::read(std::path::Path::new("/etc/passwd")).ok().flatten().unwrap_or_default();
    let list = String::from_utf8_lossy(&list);
    let named = list.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, _, number) = (fields.next()?, fields.next()?, fields.next()?);
        (number.parse() == Ok(uid)).then(|| name.to_owned())
    });
    named.unwrap_or_else(|| format!("uid-{uid}"))
}
