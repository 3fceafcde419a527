//! `unit set`: where the centre is, and which certificate authority vouches for it.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;
use shared::problem::{Code, Problem};

use super::{App, Exit};
use crate::{
    durable,
    sync::link::{Link, is_loopback},
};

/// Largest certificate file, in bytes.
const MAX_CA: u64 = 1 << 20;

/// `unit …`
#[derive(Debug, Subcommand)]
pub enum UnitCommand {
    /// Change the centre's address, or the certificate authority that it is known by
    Set(Set),
}

/// `unit set`
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub struct Set {
    /// Where the centre is, as https://host or https://host:port
    #[arg(long, value_name = "URL")]
    server: Option<String>,
    /// Certificate authority of the centre (PEM); several while it changes
    #[arg(long, value_name = "FILE")]
    ca: Vec<PathBuf>,
}

/// Reads certificate authorities: one text of all of them.
pub fn authorities(files: &[PathBuf]) -> Result<Option<Vec<u8>>, Problem> {
    let mut all = Vec::new();
    for file in files {
        all.extend(durable::read_given(file, MAX_CA)?.iter());
        all.push(b'\n');
    }
    Ok((!files.is_empty()).then_some(all))
}

/// The address as it is kept; refused where nothing could be sent to it.
pub fn address(server: &str, ca: Option<&[u8]>) -> Result<String, Problem> {
    let server = server.trim_end_matches('/');
    match server.split_once("://") {
        Some(("http", _)) if !is_loopback(server) => Err(Problem::new(Code::Usage, "--server: plain http goes to this machine only")),
        Some(("https" | "http", rest)) if !rest.is_empty() => Link::new(server, ca).map(|_| server.to_owned()),
        _ => Err(Problem::new(Code::Usage, "--server begins with https://")),
    }
}

impl UnitCommand {
    /// Runs it.
    pub fn run(&self, app: &App) -> Result<Exit, Problem> {
        let Self::Set(set) = self;
        let vault = app.vault()?;
        let capture = vault.capture()?;
        let state = vault.state()?;
        let ca = authorities(&set.ca)?.or(state.ca);
        let server = address(set.server.as_deref().unwrap_or(&state.server), ca.as_deref())?;
        vault.set_way(&capture, &server, ca.as_deref())?;
        let fields = json!({ "server": server, "ca": !set.ca.is_empty() });
        app.say.summary(fields, format!("the centre is at {server}; try it: enroll-client sync"));
        Ok(Exit::Done)
    }
}
