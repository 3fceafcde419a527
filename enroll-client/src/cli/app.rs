//! What a command has at hand: settings, a voice, the vault, and the member at the keyboard.

use std::sync::{Arc, Mutex};

use serde_json::json;
use shared::{
    id::Member,
    problem::{Code, Problem},
};

use super::settings::Settings;
use crate::{
    clock,
    rights::Rights,
    say::Say,
    vault::{
        CaptureSession, Vault,
        members::{Role, Supervisor, Unlocked},
    },
};

/// The keys of a session, gone once it is locked.
pub type SessionKeys = Arc<Mutex<Option<Arc<Unlocked>>>>;

/// What a command has at hand.
pub struct App {
    /// What the program goes by.
    pub settings: Settings,
    /// How it speaks.
    pub say: Say,
    session: Option<SessionKeys>,
}

impl App {
    /// For a single command.
    pub fn new(settings: Settings) -> Self {
        let say = settings.say.clone();
        Self { settings, say, session: None }
    }

    /// For the commands of a session.
    #[must_use]
    pub fn in_session(&self, keys: SessionKeys) -> Self {
        Self { settings: self.settings.clone(), say: self.say.clone(), session: Some(keys) }
    }

    /// Whether this is a session.
    pub fn is_session(&self) -> bool {
        self.session.is_some()
    }

    /// Opens the vault.
    pub fn vault(&self) -> Result<Vault, Problem> {
        Vault::open(&self.settings.places)
    }

    /// What unit and people may do now.
    pub fn rights(&self, vault: &Vault) -> Result<Rights, Problem> {
        Rights::of(vault, clock::now())
    }

    /// The supervisor at the keyboard, whose key counts here: one that has ended opens no card and lets nothing go.
    pub fn supervisor(&self, vault: &Vault) -> Result<Supervisor, Problem> {
        self.as_supervisor(vault, self.member(vault)?)
    }

    /// The same of a member who is unlocked.
    pub fn as_supervisor(&self, vault: &Vault, member: Arc<Unlocked>) -> Result<Supervisor, Problem> {
        let supervisor = member.into_supervisor()?;
        self.rights(vault)?.member(supervisor.name(), supervisor.signer().public(), Role::Supervisor.into())?;
        Ok(supervisor)
    }

    /// The member at the keyboard, with their keys.
    pub fn member(&self, vault: &Vault) -> Result<Arc<Unlocked>, Problem> {
        if let Some(keys) = &self.session {
            let keys = keys.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            return keys.clone().ok_or_else(|| Problem::new(Code::SessionNeeded, "the session is locked: `unlock`"));
        }
        self.unlock(vault).map(Arc::new)
    }

    /// Asks for the passphrase of the member at the keyboard.
    pub fn unlock(&self, vault: &Vault) -> Result<Unlocked, Problem> {
        let name = self.who(vault)?;
        // an unknown name is told before a passphrase is typed
        vault.member(&name)?;
        let passphrase = self.settings.passphrase.read(name.as_str())?;
        vault.unlock(&name, passphrase.as_bytes())
    }

    /// Shows the slip codes of this member that an earlier run could not show any more: it was ended between finish
    /// and its screen. A code that was shown goes.
    pub fn show_slips(&self, vault: &Vault, session: &CaptureSession, member: &Unlocked) -> Result<(), Problem> {
        for unshown in vault.unshown_slips(member)? {
            let unshown = match unshown {
                Ok(unshown) => unshown,
                // no reason to turn the next resident away
                Err(problem) => {
                    self.say.warning(&problem);
                    continue;
                }
            };
            let (record, code) = (&unshown.record, unshown.code.shown());
            let fields = json!({ "number": record.number, "record": record.record, "slip": *code });
            if self.say.line("slip", fields, format!("finished before {}  slip {}", record.number, *code)) {
                vault.slip_shown(session, record.record, unshown.slot())?;
            }
        }
        Ok(())
    }

    fn who(&self, vault: &Vault) -> Result<Member, Problem> {
        if let Some(name) = &self.settings.who {
            return Ok(name.clone());
        }
        let members = vault.members()?;
        let mut agents = members.iter().filter(|m| m.role == Role::Agent);
        match (agents.next(), agents.next()) {
            (Some(only), None) => Ok(only.name.clone()),
            _ => Err(Problem::new(Code::SessionNeeded, "say who you are: --as NAME")),
        }
    }
}
