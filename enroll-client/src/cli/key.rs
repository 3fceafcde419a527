//! `new-key` and `resign`: the unit goes on under a new key.

use clap::Args;
use serde_json::json;
use shared::{
    problem::{Code, Problem},
    roster::request::UnitRequest,
};

use super::{App, Exit, agent::confirm};
use crate::{
    again, clock, durable,
    rights::Act,
    status,
    vault::{
        CaptureSession, Vault,
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
    /// The machine secret is lost: everybody's keys are lost with it, finished records are not
    #[arg(long)]
    machine_secret_lost: bool,
    /// Go on without being asked about what is lost
    #[arg(long, short)]
    yes: bool,
}

impl NewKey {
    /// Makes the key and, last, its request. A crash before the request is there leaves the old key in use and the new one
    /// waiting; given again, the command writes the request of that same key.
    pub fn run(&self, app: &App) -> Result<Exit, Problem> {
        let vault = app.vault()?;
        let capture = vault.capture()?;
        if self.restored {
            vault.stand(Standing::Rewound, clock::now())?;
        }
        let state = vault.state()?;
        if self.machine_secret_lost {
            self.begin_again(app, &vault, &capture)?;
        } else if state.epoch.is_some() && state.next.is_none() {
            let (signer, wrapped) = UnitKeys::renew(&state.unit, &MachineSecret::open(&app.settings.places.machine)?)?;
            vault.offer_key(&capture, signer.public(), &wrapped)?;
        }
        request(app, &vault)
    }

    /// Says what is lost, asks, makes a machine secret where there is none, then all keys of the unit under it.
    fn begin_again(&self, app: &App, vault: &Vault, capture: &CaptureSession) -> Result<(), Problem> {
        if vault.unit_keys().is_ok() {
            return Err(Problem::new(Code::Usage, "the machine secret is here and opens the unit's keys"));
        }
        let (drafts, members) = (vault.drafts()?.len(), vault.members()?);
        let text = format!(
            "with the machine secret these are lost: {drafts} open drafts, every review and contact card, slip codes not shown yet, \
             and the keys of {} members, who each need new ones (enroll-client agent add NAME --new-key). Folders that were \
             enrolled before are not known again. No finished record is lost",
            members.len()
        );
        app.say.line("lost", json!({ "drafts": drafts, "members": members.len() }), &text);
        if !self.yes {
            confirm()?;
        }
        let machine = MachineSecret::create(&app.settings.places.machine)?;
        let (keys, wrapped) = UnitKeys::generate(&vault.state()?.unit, &machine)?;
        vault.found_again(capture, keys.signer.public(), &wrapped)
    }
}

fn request(app: &App, vault: &Vault) -> Result<Exit, Problem> {
    let (state, keys) = (vault.state()?, vault.unit_keys()?);
    // a unit that was not admitted yet still has its first key to offer
    let signer = keys.next.unwrap_or(keys.signer);
    let request = app.settings.places.data.join("unit.request");
    durable::write(&request, UnitRequest::sign(&state.unit, &signer).as_bytes())?;
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
        let session = vault.capture()?;
        let agent = app.member(&vault)?;
        let signed = again::sign(&vault, &session, &agent, &app.rights(&vault)?)?;
        for (old, new) in &signed {
            app.say.line("signed", json!({ "was": old, "number": new }), format!("{old} is {new} now"));
        }
        let waiting = status::unsigned(&vault)?;
        let named: Vec<String> = waiting.iter().map(|(agent, n)| format!("{n} of {agent}")).collect();
        let rest = if named.is_empty() { String::new() } else { format!("; still to be signed: {}", named.join(", ")) };
        app.say.summary(json!({ "signed": signed.len(), "waiting": waiting }), format!("{} records signed again{rest}", signed.len()));
        Ok(match (signed.is_empty(), waiting.is_empty()) {
            (true, _) => Exit::Nothing,
            (false, true) => Exit::Done,
            (false, false) => Exit::Partly,
        })
    }
}
