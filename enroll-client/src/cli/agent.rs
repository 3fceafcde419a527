//! `agent add|list` and `passphrase change`.

use std::{io::IsTerminal as _, path::PathBuf};

use clap::{Args, Subcommand};
use ground::passphrase::{self, Source};
use serde_json::json;
use shared::{
    id::Member,
    keys::VerifierKey,
    problem::{Code, Problem},
    roster::request::AgentRequest,
};

use super::{App, Exit, settings::member};
use crate::{
    durable,
    streams::{self, Stream},
    vault::{
        Vault,
        members::{Known, Role, Unlocked},
        reset::Lost,
    },
};

/// By which measure a passphrase of that role is judged.
fn measure(role: Role) -> passphrase::Role {
    match role {
        Role::Supervisor => passphrase::Role::Supervisor,
        Role::Agent => passphrase::Role::Agent,
    }
}

fn choose(app: &App, name: &Member, role: Role, unit: &Member) -> Result<passphrase::Chosen, Problem> {
    app.settings.passphrase.choose(name.as_str(), measure(role), &[name.as_str(), unit.as_str()])
}

/// `agent …`
#[derive(Debug, Subcommand)]
pub enum AgentCommand {
    /// Make the keys of an agent or supervisor, and the request that the centre admits
    Add(Add),
    /// Who works on this laptop
    List,
}

/// `agent add`
#[derive(Debug, Args)]
pub struct Add {
    /// Their name on the road, never their own
    #[arg(value_parser = member)]
    name: Member,
    /// Also reviews, withdraws and approves
    #[arg(long, conflicts_with = "new_key")]
    supervisor: bool,
    /// New keys for somebody who is here and forgot the passphrase; what only the old keys open is named first, and lost
    #[arg(long)]
    new_key: bool,
    /// Go on without being asked about what is lost
    #[arg(long, short, requires = "new_key")]
    yes: bool,
}

impl AgentCommand {
    /// Runs it.
    pub fn run(&self, app: &App) -> Result<Exit, Problem> {
        match self {
            Self::Add(add) if add.new_key => add.anew(app),
            Self::Add(add) => add.first(app),
            Self::List => list(app),
        }
    }
}

impl Add {
    fn first(&self, app: &App) -> Result<Exit, Problem> {
        let (name, role) = (&self.name, if self.supervisor { Role::Supervisor } else { Role::Agent });
        let vault = app.vault()?;
        let _capture = vault.capture()?;
        let state = vault.state()?;
        if state.unit == *name || vault.members()?.iter().any(|m| m.name == *name) {
            return Err(Problem::new(Code::AlreadyInitialised, format!("{name} is on this laptop already")));
        }
        let chosen = choose(app, name, role, &state.unit)?;
        let (keys, secret) = Unlocked::generate(name, role)?;
        // the request first: a crash leaves a request for keys that are not here, and the name is still free
        let request = write_request(app, &state.unit, &keys)?;
        vault.add_member(&keys, &secret, chosen.passphrase().as_bytes(), state.cost)?;
        told(app, &keys, &request, "is added", "");
        Ok(Exit::Done)
    }

    /// Says what is lost, asks, replaces the keys, and only then writes the request: given again after a crash, it makes new ones.
    fn anew(&self, app: &App) -> Result<Exit, Problem> {
        if app.is_session() {
            return Err(Problem::new(Code::Usage, "a session holds the old keys: give this command outside of it"));
        }
        let (vault, name) = (app.vault()?, &self.name);
        let capture = vault.capture()?;
        let (state, role) = (vault.state()?, vault.member(name)?.role);
        let lost = vault.lost_with(name)?;
        tell_lost(app, name, role, lost);
        if !self.yes {
            confirm()?;
        }
        let chosen = choose(app, name, role, &state.unit)?;
        let (keys, secret) = Unlocked::generate(name, role)?;
        vault.replace_member(&capture, &keys, &secret, chosen.passphrase().as_bytes(), state.cost)?;
        let request = write_request(app, &state.unit, &keys)?;
        told(app, &keys, &request, "has new keys", " --new-key --keep-old");
        Ok(Exit::Done)
    }
}

fn tell_lost(app: &App, name: &Member, role: Role, lost: Lost) {
    let cards = match role {
        Role::Agent => String::new(),
        Role::Supervisor => format!(", the review and contact cards of {} records that nobody else opens", lost.cards),
    };
    let text = format!(
        "with the old keys of {name} these are lost: {} open drafts, {} slip codes not shown yet{cards}. No finished record is lost",
        lost.drafts, lost.slips
    );
    app.say.line("lost", json!({ "name": name, "drafts": lost.drafts, "slips": lost.slips, "cards": lost.cards }), &text);
}

/// Waits for a yes, now that what is lost was said.
pub(super) fn confirm() -> Result<(), Problem> {
    if !std::io::stdin().is_terminal() {
        return Err(Code::NotConfirmed.into());
    }
    streams::say(Stream::Err, "Go on? [yes/no] ");
    match streams::typed_line()?.as_deref().map(|answer| answer.trim()) {
        Some("yes" | "y" | "oui" | "نعم") => Ok(()),
        _ => Err(Code::NotConfirmed.into()),
    }
}

/// Writes what the centre admits: the key lies on this laptop, so it counts for this unit.
fn write_request(app: &App, unit: &Member, keys: &Unlocked) -> Result<PathBuf, Problem> {
    let recipient = keys.identity.as_ref().map(|i| i.recipient().parse()).transpose();
    let request = AgentRequest {
        role: keys.role.into(),
        name: keys.name.clone(),
        unit: Some(unit.clone()),
        key: keys.signer.public().clone(),
        recipient: recipient.map_err(|_| Problem::new(Code::VaultDamaged, "new recipient"))?,
    };
    let path = app.settings.places.data.join(format!("{}.request", keys.name));
    durable::write(&path, request.sign(&keys.signer).as_bytes())?;
    Ok(path)
}

fn told(app: &App, keys: &Unlocked, request: &PathBuf, what: &str, how: &str) {
    let (name, role, key) = (&keys.name, keys.role.word(), keys.signer.public());
    let fields = json!({ "name": name, "role": role, "key": key, "fingerprint": key.fingerprint(), "request": request });
    let shown = request.display();
    let next = format!("{role} {name} {what}. Give {shown} to the centre: sync-server {role} admit {shown}{how}");
    app.say.summary(fields, format!("{next}\nfingerprint, to compare by phone: {}", key.fingerprint()));
}

fn list(app: &App) -> Result<Exit, Problem> {
    let vault = app.vault()?;
    let rights = if vault.roster()?.is_some() { Some(app.rights(&vault)?) } else { None };
    let members = vault.members()?;
    let admitted = |m: &Known| rights.as_ref().map_or_else(|| "no roster yet".to_owned(), |r| r.admission_of(m).to_string());
    let fingerprint = |key: &VerifierKey| json!(key.fingerprint());
    let row = |m: &Known| vec![json!(m.name), json!(m.role.word()), json!(admitted(m)), fingerprint(&m.key), json!(m.key)];
    let rows: Vec<_> = members.iter().map(row).collect();
    app.say.table("member", &["name", "role", "roster", "fingerprint", "key"], &rows);
    app.say.summary(json!({ "members": members.len() }), "");
    Ok(Exit::Done)
}

/// `passphrase …`
#[derive(Debug, Subcommand)]
pub enum PassphraseCommand {
    /// Put the keys of an agent or supervisor under another passphrase; drafts and cards stay readable
    Change(Change),
}

/// `passphrase change`
#[derive(Debug, Args)]
pub struct Change {
    /// Whose
    #[arg(value_parser = member)]
    name: Member,
    /// Read the new passphrase from the first line of this file
    #[arg(long, value_name = "FILE")]
    new_passphrase_file: Option<PathBuf>,
    /// Read the new passphrase from this file descriptor
    #[arg(long, value_name = "N")]
    new_passphrase_fd: Option<u32>,
}

impl PassphraseCommand {
    /// Runs it.
    pub fn run(&self, app: &App) -> Result<Exit, Problem> {
        let Self::Change(change) = self;
        change.run(app, &app.vault()?)
    }
}

impl Change {
    /// Asks for the old one, then for the new one.
    fn run(&self, app: &App, vault: &Vault) -> Result<Exit, Problem> {
        // an unknown name is told before a passphrase is typed
        let known = vault.member(&self.name)?;
        let old = app.settings.passphrase.read(self.name.as_str())?;
        // and a wrong one before the next is chosen
        drop(vault.unlock(&self.name, old.as_bytes())?);
        let new = Source {
            fd: self.new_passphrase_fd,
            file: self.new_passphrase_file.clone(),
            credential: None,
            nobody: (Code::SessionNeeded, "--new-passphrase-file or --new-passphrase-fd"),
        };
        let chosen = new.choose(self.name.as_str(), measure(known.role), &[self.name.as_str(), vault.state()?.unit.as_str()])?;
        if chosen.passphrase().as_bytes() == old.as_bytes() {
            return Err(Problem::new(Code::NothingToDo, "the new passphrase is the present one"));
        }
        vault.change_passphrase(&self.name, old.as_bytes(), chosen.passphrase().as_bytes())?;
        app.say.summary(json!({ "changed": self.name }), format!("{} has another passphrase", self.name));
        Ok(Exit::Done)
    }
}
