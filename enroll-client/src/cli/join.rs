//! Joining: `init`, `roster import|show`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;
use shared::{
    id::Member,
    keys::VerifierKey,
    problem::{Code, Problem},
    roster::request::UnitRequest,
};

use super::{App, Exit, settings::member, unit};
use crate::{
    clock, durable, joining,
    vault::{
        Vault,
        machine::{MachineSecret, UnitKeys},
        state::Founding,
        wrap::Cost,
    },
};

/// `init`
#[derive(Debug, Args)]
pub struct Init {
    /// Where the centre is, as https://host or https://host:port
    #[arg(long, value_name = "URL")]
    server: String,
    /// The key that signs the first roster, as `sync-server init` printed it
    #[arg(long, value_name = "KEY", value_parser = verifier_key)]
    roster_key: VerifierKey,
    /// Name of this unit
    #[arg(long, value_name = "NAME", value_parser = member)]
    unit: Member,
    /// Certificate authority of the centre (PEM), when it is not a public one; several while it changes
    #[arg(long, value_name = "FILE")]
    ca: Vec<PathBuf>,
    /// Memory that guessing a passphrase costs, in MiB; less than 64 is weaker, and `doctor` says so
    #[arg(long, hide = true, value_name = "MIB", default_value_t = Cost::USUAL.mib)]
    argon2_mib: u32,
}

fn verifier_key(text: &str) -> Result<VerifierKey, String> {
    text.parse().map_err(|_| "a key is written name+id+base64".to_owned())
}

impl Init {
    /// Makes vault and keys, writes the request, and only then founds the unit: whatever a crash leaves,
    /// `init` can be given again, and the newest request is the one that counts.
    pub fn run(&self, app: &App) -> Result<Exit, Problem> {
        let ca = unit::authorities(&self.ca)?;
        let server = unit::address(&self.server, ca.as_deref())?;
        let places = &app.settings.places;
        let vault = Vault::create(places)?;
        // of two at once one would write the request and the other found the unit
        let _capture = vault.capture()?;
        if vault.is_initialised()? {
            return Err(Problem::new(Code::AlreadyInitialised, places.data.display().to_string()));
        }
        let machine = MachineSecret::create(&places.machine)?;
        let (keys, wrapped) = UnitKeys::generate(&self.unit, &machine)?;
        let request = places.data.join("unit.request");
        durable::write(&request, UnitRequest::sign(&self.unit, &keys.signer).as_bytes())?;
        vault.found(&Founding {
            key: keys.signer.public(),
            wrapped: &wrapped,
            server: &server,
            ca: ca.as_deref(),
            roster_key: &self.roster_key,
            cost: Cost { mib: self.argon2_mib.clamp(1, 4096), ..Cost::USUAL },
        })?;
        let (key, shown) = (keys.signer.public(), request.display());
        let fields = json!({ "unit": self.unit, "key": key, "fingerprint": key.fingerprint(), "request": request });
        let next = format!("unit {} is made. Give {shown} to the centre: sync-server unit admit {shown}", self.unit);
        app.say.summary(fields, format!("{next}\nfingerprint, to compare by phone: {}", key.fingerprint()));
        Ok(Exit::Done)
    }
}

/// `roster …`
#[derive(Debug, Subcommand)]
pub enum RosterCommand {
    /// Take a roster with its proofs and forms from files or folders
    Import {
        /// Roster notes, proofs of their log entries, consistency proofs and forms, or folders of them
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// The roster in force
    Show {
        /// Its exact text
        #[arg(long)]
        text: bool,
    },
}

impl RosterCommand {
    /// Runs it.
    pub fn run(&self, app: &App) -> Result<Exit, Problem> {
        match self {
            Self::Import { files } => import(app, files),
            Self::Show { text } => show(app, *text),
        }
    }
}

fn import(app: &App, files: &[PathBuf]) -> Result<Exit, Problem> {
    let vault = app.vault()?;
    let mut bundle = joining::Bundle::default();
    files.iter().try_for_each(|f| bundle.read(f))?;
    let taken = joining::import(&vault, &bundle, clock::now())?;
    for change in &taken.changes {
        app.say.line("change", json!({ "change": change }), format!("note: {change}"));
    }
    let fields = json!({ "version": taken.version.0, "rosters": taken.count });
    app.say.summary(fields, format!("roster {} is in force", taken.version));
    Ok(Exit::Done)
}

fn show(app: &App, text: bool) -> Result<Exit, Problem> {
    let vault = app.vault()?;
    let rights = app.rights(&vault)?;
    let (roster, facts) = (rights.roster(), rights.roster().facts());
    if text {
        app.say.line("roster", json!({ "text": roster.note().text() }), roster.note().text().trim_end());
    } else {
        let rows = [
            ("centre", json!(facts.centre)),
            ("version", json!(facts.version.0)),
            ("published", json!(facts.published)),
            ("expires", json!(facts.expires)),
            ("last day of grace", json!(rights.end_of_grace())),
            ("approval", json!(format!("{:?}", facts.approval).to_lowercase())),
            ("this unit", json!(rights.admission_of_unit().to_string())),
            ("forms", json!(facts.forms.iter().map(|f| f.name.to_string()).collect::<Vec<_>>().join(", "))),
        ];
        app.say.table("roster", &["what", "value"], &rows.map(|(k, v)| vec![json!(k), v]));
    }
    app.say.summary(json!({ "version": facts.version.0 }), "");
    Ok(Exit::Done)
}
