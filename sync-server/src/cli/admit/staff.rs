//! `staff`: whoever works at the centre or carries for it, each with a key of their own.

use std::path::{Path, PathBuf};

use clap::{Subcommand, ValueEnum};
use serde_json::json;
use shared::{
    id::Member,
    problem::{Code, Problem},
    roster::{Role, request::AgentRequest},
    seal::passphrase_lock,
};
use zeroize::Zeroizing;

use super::{Admit, lists, revoke::Revoke};
use crate::{
    cli::{Exit, Global, Out, secrets::Unlock},
    durable::{self, Created},
    joining::admitting::UnitTraits,
    keys,
    store::blocking,
};

/// Make keys of staff; admit, revoke and list them.
#[derive(Debug, Subcommand)]
pub enum Staff {
    /// Make a key under its own passphrase, and the request to admit it
    Add {
        /// Name of the role on the road, never the person's own
        name: Member,
        /// What they are to do
        #[arg(long)]
        role: StaffRole,
        /// Write the key here; the request goes beside it as NAME.request, or NAME-KEYID.request where that is taken
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
        #[command(flatten)]
        passphrase: Unlock,
    },
    /// Admit somebody by their request file
    Admit {
        /// The file that `sync-server staff add` has written
        request: PathBuf,
        /// What they are to do
        #[arg(long)]
        role: StaffRole,
        #[command(flatten)]
        admit: Admit,
    },
    /// End a key; what was decided before stays
    Revoke(Revoke),
    /// List every key that staff ever had
    List,
}

/// What staff may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum StaffRole {
    /// Decides cases.
    Adjudicator,
    /// Clears alarms and changes the roster.
    Administrator,
    /// Brings what units gave.
    Carrier,
}

impl From<StaffRole> for Role {
    fn from(role: StaffRole) -> Self {
        match role {
            StaffRole::Adjudicator => Self::Adjudicator,
            StaffRole::Administrator => Self::Administrator,
            StaffRole::Carrier => Self::Carrier,
        }
    }
}

const STAFF: &[Role] = &[Role::Adjudicator, Role::Administrator, Role::Carrier];

impl Staff {
    /// Runs the command.
    pub async fn run(self, global: &Global, out: &Out) -> Result<Exit, Problem> {
        match self {
            Self::Add { name, role, key, passphrase } => add(out, &name, role.into(), &key, &passphrase).await?,
            Self::Admit { request, role, admit } => admit.run(global, out, &request, role.into(), UnitTraits::default()).await?,
            Self::Revoke(revoke) => revoke.run(global, out, STAFF).await?,
            Self::List => lists::list(global, out, "staff", STAFF).await?,
        }
        Ok(Exit::Done)
    }
}

/// Needs no centre: a person may make their key on a machine of their own.
async fn add(out: &Out, name: &Member, role: Role, path: &Path, passphrase: &Unlock) -> Result<(), Problem> {
    let there = |path: &Path| Problem::new(Code::AlreadyInitialised, format!("{} is there", path.display()));
    if durable::is_there(path) {
        return Err(there(path));
    }
    let chosen = passphrase.choose("the new key", name.as_str())?;
    let (key_name, at) = (name.into(), path.to_owned());
    // a passphrase costs about a second of work: not on a thread that others wait for
    let signer =
        blocking(move || keys::create(&at, key_name, |text| passphrase_lock(text, chosen.passphrase().as_str()).map(Zeroizing::new)))
            .await?;
    let key = signer.public().clone();
    let request = AgentRequest { role, name: name.clone(), unit: None, key: key.clone(), recipient: None };
    let request = request.sign(&signer);
    let write = |path: &Path| durable::create(path, request.as_bytes()).map_err(durable::problem("request"));
    // A crash before this leaves a key without a request: it is made again under another file's name.
    let mut request_path = path.with_file_name(format!("{name}.request"));
    if write(&request_path)? == Created::There {
        // another key of the same name
        request_path = path.with_file_name(format!("{name}-{}.request", key.id()));
        if write(&request_path)? == Created::There {
            return Err(there(&request_path));
        }
    }
    let fingerprint = key.fingerprint();
    let value = json!({ "done": "made", "name": name, "role": role.as_str(), "key": key, "fingerprint": fingerprint,
        "key_file": path, "request": request_path });
    let human = format!(
        "made the key of {role} {name}: {}\n  request {}\n  fingerprint {fingerprint}: compare it by phone\n\
         An administrator admits it: `sync-server staff admit {} --role {role}`",
        path.display(),
        request_path.display(),
        request_path.display(),
    );
    out.answer(value, human);
    Ok(())
}
