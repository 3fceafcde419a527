//! `new-key` and `resign`: the unit goes on under a new key.

use clap::Args;
use serde_json::json;
use shared::{
    problem::{Code, Problem},
    roster::request::UnitRequest,
};

use super::{App, Exit};
use crate::{
    again,
    durable::{self, Mode},
    rights::Act,
    status,
    vault::{
        Vault,
        machine::{MachineSecret, UnitKeys},
        state::Standing,
    },
};

/// `new-key`
#[derive(Debug, Args)]
pub struct NewKey {
    /// The disk was put back from a copy: numbers may have been given twice, so what is not closed is signed again
    #[arg(long)]
    restored: bool,
}

impl NewKey {
    /// Makes the key and, last, its request. A crash before the request is there leaves the old key in use and the new one
    /// waiting; given again, the command writes the request of that same key.
    pub fn run(&self, app: &App) -> Result<Exit, Problem> {
        let vault = app.vault()?;
        let capture = app.capture(&vault)?;
        let state = vault.state()?;
        if state.epoch.is_none() {
            return Err(Problem::new(Code::UnitNotAdmitted, "its first key waits until the centre admits it"));
        }
        if self.restored {
            vault.stand(Standing::Rewound)?;
        }
        if state.next.is_none() {
            let (signer, wrapped) = UnitKeys::renew(&state.unit, &MachineSecret::open(&app.settings.places.machine)?)?;
            vault.offer_key(&capture, signer.public(), &wrapped)?;
        }
        request(app, &vault)
    }
}

fn request(app: &App, vault: &Vault) -> Result<Exit, Problem> {
    let state = vault.state()?;
    let signer = vault.unit_keys()?.next.ok_or_else(|| Problem::new(Code::LockedElsewhere, "the new key is in force already"))?;
    let request = app.settings.places.data.join("unit.request");
    durable::write(&request, UnitRequest::sign(&state.unit, &signer).as_bytes(), Mode::Public)?;
    let (key, shown) = (signer.public(), request.display());
    let again = state.standing == Standing::Rewound;
    let fields = json!({ "unit": state.unit, "key": key, "fingerprint": key.fingerprint(), "request": request, "sign_again": again });
    let mut text = format!(
        "{} has a new key. Give {shown} to the centre: sync-server unit admit {shown} --new-key --cut-old, \
         or --keep-old where nobody else can have the old key. Then: enroll-client sync\n\
         fingerprint, to compare by phone: {}",
        state.unit,
        key.fingerprint()
    );
    if again {
        text.push_str("\nwhat is finished and not closed is then signed again by its agents: enroll-client resign");
    }
    app.say.summary(fields, &text);
    Ok(Exit::Done)
}

/// `resign`
#[derive(Debug, Args)]
pub struct Resign {}

impl Resign {
    /// Signs again what waits for the member at the keyboard; names for whom the rest waits.
    #[expect(clippy::unused_self, reason = "as every command")]
    pub fn run(&self, app: &App) -> Result<Exit, Problem> {
        let vault = app.vault()?;
        app.rights(&vault)?.unit(Act::Capture)?;
        if vault.to_sign_again()?.is_empty() {
            return Err(Code::NothingToDo.into());
        }
        let session = app.capture(&vault)?;
        let agent = app.member(&vault)?;
        let signed = again::sign(&vault, &session, &agent, &app.rights(&vault)?)?;
        for (old, new) in &signed {
            app.say.result("signed", json!({ "was": old, "number": new }), &format!("{old} is {new} now"));
        }
        let waiting = status::unsigned(&vault)?;
        let named: Vec<String> = waiting.iter().map(|(agent, n)| format!("{n} of {agent}")).collect();
        let rest = if named.is_empty() { String::new() } else { format!("; still to be signed: {}", named.join(", ")) };
        app.say.summary(json!({ "signed": signed.len(), "waiting": waiting }), &format!("{} records signed again{rest}", signed.len()));
        Ok(match (signed.is_empty(), waiting.is_empty()) {
            (true, _) => Exit::Nothing,
            (false, true) => Exit::Done,
            (false, false) => Exit::Partly,
        })
    }
}
