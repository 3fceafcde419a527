//! Founding a centre: keys, identities, stores, an empty log, roster 1.
//!
//! 1. Nothing may be there yet. 2. Keys and identities. 3. TLS certificate. 4. Archive; guard of the empty log.
//! 5. Roster 1 with the three first forms, logged. 6. The configuration file: from here on there is a centre.
//!
//! **Invariants:** a log is never made where the guard or the archive already holds one; nothing that is there is
//! overwritten; the recovery identity is never written into the data folder. A crash before 6 leaves a folder that
//! no command takes for a centre and that `init` refuses to touch: nothing has been enrolled, it can be removed.
#![allow(clippy::disallowed_methods, reason = "this file looks where the new centre's files will lie")]

use std::path::{Path, PathBuf};

use ground::passphrase::{Chosen, Passphrase};
use shared::{
    form,
    id::Centre as CentreName,
    keys::{Signer, VerifierKey},
    problem::{Code, Problem},
    roster::{
        AMEND, AgeRecipient, Approval, Facts, Limits, Persons, Quorum, RecipientKind, Recipients as RosterRecipients, Renewals,
        SoftwareVersion, TrustedRoster, UnknownTargets,
    },
    seal::{Identity, passphrase_lock},
};
use zeroize::Zeroizing;

use crate::{
    centre::{Centre, identity_text},
    clock,
    durable::{self, Created},
    entropy, joining, keys,
    pipeline::{Idle, Proposal},
    settings::{self, FILE, Settings},
    store::{
        Archive as _, Guard as _, Whole,
        archive_files::ArchiveFiles,
        empty_log,
        guard_file::{GuardFile, Make},
    },
    tls,
};

/// What a new centre is to be.
pub struct Plan {
    /// The data folder.
    pub data: PathBuf,
    /// Its configuration.
    pub file: settings::File,
    /// Where the recovery identity goes, and its passphrase.
    pub recovery: (PathBuf, Chosen),
    /// Where the auditor identity goes, and its passphrase.
    pub auditor: (PathBuf, Chosen),
    /// The roster key's passphrase, if it is to have one.
    pub roster_passphrase: Option<Chosen>,
    /// Kind of recipients.
    pub kind: RecipientKind,
    /// Must batches be approved?
    pub approval: Approval,
    /// Seconds of log time that a unit keeps a merged record.
    pub retention: u64,
    /// What else is said of the first roster.
    pub rules: Box<dyn Fn(&mut Facts) + Send + Sync>,
}

/// A new centre.
pub struct Founded {
    /// The key that every unit is given.
    pub roster_key: VerifierKey,
    /// The log's key.
    pub log_key: VerifierKey,
    /// The certificate that units are given with `--ca`.
    pub certificate: PathBuf,
}

/// Makes a new centre.
pub async fn found(plan: Plan) -> Result<Founded, Problem> {
    let settings = Settings { data: plan.data.clone(), file: plan.file.clone() };
    nothing_there(&plan, &settings)?;
    durable::folder(&plan.data).map_err(durable::problem("data folder"))?;
    outside(&plan, &settings)?;
    durable::folder(&settings.keys()).map_err(durable::problem("data folder"))?;
    let archive = ArchiveFiles::create(&settings.archive())?;
    if !archive.segments_from(0).await?.is_empty() {
        return Err(Problem::new(Code::AlreadyInitialised, "the archive holds a log"));
    }
    let guard = GuardFile::open(&settings.guard(), Make::Folder)?;
    if guard.read().await?.is_some() {
        return Err(Problem::new(Code::AlreadyInitialised, "the guard holds a log"));
    }
    let facts = keys_and_facts(&plan, &settings).await?;
    certificate(&settings)?;
    guard.swap(None, empty_log()).await?;
    let centre = Centre::with(settings, archive, guard)?;
    let roster_key = first_roster(&centre, &plan, facts).await?;
    plan.file.create(&plan.data.join(FILE))?;
    Ok(Founded { roster_key, log_key: centre.log_key()?.public().clone(), certificate: centre.settings.tls_cert() })
}

fn nothing_there(plan: &Plan, settings: &Settings) -> Result<(), Problem> {
    let there = |why: String| Err(Problem::new(Code::AlreadyInitialised, why));
    let names = durable::names(&plan.data).map_err(durable::problem("data folder"))?;
    // the root of a fresh volume has a folder of its own
    if names.iter().any(|name| name != "lost+found") {
        return there(format!("{} is not empty", plan.data.display()));
    }
    for path in [&plan.recovery.0, &plan.auditor.0, &settings.roster_key()] {
        if path.exists() {
            return there(format!("{} is there", path.display()));
        }
    }
    Ok(())
}

/// Whoever has the data folder must not have these: they open everything, or may change who signs.
fn outside(plan: &Plan, settings: &Settings) -> Result<(), Problem> {
    let real = |path: &Path| {
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        folder.canonicalize().map_err(|e| Problem::new(Code::Usage, format!("{}: {}", folder.display(), e.kind())))
    };
    let data = plan.data.canonicalize().map_err(|e| durable::failed(&plan.data, &e))?;
    for path in [&plan.recovery.0, &plan.auditor.0, &settings.roster_key()] {
        if real(path)?.starts_with(&data) {
            return Err(Problem::new(Code::Usage, format!("{} lies in the data folder", path.display())));
        }
    }
    Ok(())
}

async fn keys_and_facts(plan: &Plan, settings: &Settings) -> Result<Facts, Problem> {
    let centre = &plan.file.centre;
    let folder = settings.keys();
    let log = keys::create(&folder.join("log.key"), centre.log_name(), keys::plain)?;
    let own = keys::create(&folder.join("centre.key"), centre.key_name(), keys::plain)?;
    let roster = keys::create(&settings.roster_key(), centre.roster_name(1), |text| match &plan.roster_passphrase {
        None => keys::plain(text),
        Some(chosen) => passphrase_lock(text, chosen.passphrase().as_str()).map(Zeroizing::new),
    })?;
    let identity = || Ok::<_, Problem>(Identity::from_seed(plan.kind, &*entropy::secret::<32>()?));
    let (working, recovery, auditor) = (identity()?, identity()?, identity()?);
    write(&folder.join("working.identity"), identity_text(&working).as_bytes())?;
    for (identity, (path, chosen)) in [(&recovery, &plan.recovery), (&auditor, &plan.auditor)] {
        let (text, chosen) = (identity_text(identity), chosen.clone());
        // a passphrase costs about a second of work: not on a thread that others wait for
        let locked = crate::store::blocking(move || passphrase_lock(text.as_bytes(), chosen.passphrase().as_str())).await?;
        write(path, &locked)?;
    }
    let recipients = [&working, &recovery, &auditor].map(|i| AgeRecipient::from(&i.recipient()));
    Ok(facts(plan, centre, &[&log, &own, &roster], recipients))
}

fn facts(plan: &Plan, centre: &CentreName, [log, own, roster]: &[&Signer; 3], recipients: [AgeRecipient; 3]) -> Facts {
    let [working, recovery, auditor] = recipients;
    let mut facts = Facts {
        centre: centre.clone(),
        version: shared::id::RosterVersion(1),
        published: clock::now(),
        expires: clock::now(),
        grace: 30 * 86_400,
        retention: plan.retention,
        software: SoftwareVersion(0, 1, 0),
        recipients: RosterRecipients { working, recovery, auditors: vec![auditor] },
        log: log.public().clone(),
        centre_key: own.public().clone(),
        signers: Quorum { needed: 1, keys: vec![roster.public().clone()] },
        witnesses: Quorum { needed: 0, keys: vec![] },
        forms: vec![],
        limits: Limits::MOST,
        approval: plan.approval,
        renewals: Renewals::Hold,
        unknown_targets: UnknownTargets::Hold,
        amend: AMEND,
        persons: Persons::ByEffect,
        units: vec![],
        agents: vec![],
        supervisors: vec![],
        carriers: vec![],
        adjudicators: vec![],
        administrators: vec![],
        kept: vec![],
        revoked: vec![],
    };
    (plan.rules)(&mut facts);
    joining::dated(&mut facts, clock::now());
    facts
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Problem> {
    match durable::create(path, bytes).map_err(durable::problem("identity"))? {
        Created::New => Ok(()),
        Created::There => Err(Problem::new(Code::AlreadyInitialised, format!("{} is there", path.display()))),
    }
}

async fn first_roster(centre: &Centre, plan: &Plan, mut facts: Facts) -> Result<VerifierKey, Problem> {
    let key = roster_key(&centre.settings, || {
        let chosen = plan.roster_passphrase.as_ref().map(|chosen| chosen.passphrase().clone());
        chosen.ok_or(Code::WrongPassphrase.into())
    })?;
    for bytes in form::FIRST {
        facts.forms.push(joining::store_form(&centre.stores.archive, bytes).await?);
    }
    let roster: TrustedRoster = joining::signed(facts, &key)?.trust_anchored(key.public())?;
    let note = roster.note();
    centre.stores.archive.put(note.blob(), Whole::new(note.as_bytes())).await?;
    let (sequencer, task) = centre.sequencer(Idle::Quiet).await?;
    sequencer.log(Proposal::Roster(Box::new(roster))).await?;
    drop(sequencer);
    let _ = task.await;
    Ok(key.public().clone())
}

/// Reads the roster key; `passphrase` is asked only when the file is under one.
pub fn roster_key(settings: &Settings, passphrase: impl FnOnce() -> Result<Passphrase, Problem>) -> Result<Signer, Problem> {
    keys::read(&settings.roster_key(), |locked| shared::seal::passphrase_open(locked, passphrase()?.as_str()))
}

/// Makes a certificate for the centre's name and this machine, unless one is configured.
fn certificate(settings: &Settings) -> Result<(), Problem> {
    if settings.file.tls_cert.is_some() {
        return Ok(());
    }
    let (key, certificate) = tls::make(settings)?;
    write(&settings.tls_key(), key.as_bytes())?;
    write(&settings.tls_cert(), certificate.as_bytes())
}
