//! `agent` and `supervisor`: whoever signs on a laptop. They are listed and revoked together; each has an `admit` of their own.

use std::path::PathBuf;

use clap::Subcommand;
use shared::{problem::Problem, roster::Role};

use super::{Admit, lists, revoke::Revoke};
use crate::{
    cli::{Exit, Global, Out},
    joining::admitting::UnitTraits,
};

/// Admit, revoke and list agents.
#[derive(Debug, Subcommand)]
pub enum Agent {
    /// Admit an agent by their request file
    Admit {
        /// The file that `enroll-client agent add` has written
        request: PathBuf,
        #[command(flatten)]
        admit: Admit,
    },
    /// End an agent's key; what was logged before stays good
    Revoke(Revoke),
    /// List every key that an agent or a supervisor ever had
    List,
}

/// Admit, revoke and list supervisors.
#[derive(Debug, Subcommand)]
pub enum Supervisor {
    /// Admit a supervisor by their request file
    Admit {
        /// The file that `enroll-client agent add --supervisor` has written
        request: PathBuf,
        #[command(flatten)]
        admit: Admit,
    },
    /// End a supervisor's key; what was logged before stays good
    Revoke(Revoke),
    /// List every key that an agent or a supervisor ever had
    List,
}

/// Both.
const PEOPLE: &[Role] = &[Role::Agent, Role::Supervisor];

impl Agent {
    /// Runs the command.
    pub async fn run(self, global: &Global, out: &Out) -> Result<Exit, Problem> {
        match self {
            Self::Admit { request, admit } => admit.run(global, out, &request, Role::Agent, UnitTraits::default()).await?,
            Self::Revoke(revoke) => revoke.run(global, out, &[Role::Agent]).await?,
            Self::List => lists::list(global, out, "agent", PEOPLE).await?,
        }
        Ok(Exit::Done)
    }
}

impl Supervisor {
    /// Runs the command.
    pub async fn run(self, global: &Global, out: &Out) -> Result<Exit, Problem> {
        match self {
            Self::Admit { request, admit } => admit.run(global, out, &request, Role::Supervisor, UnitTraits::default()).await?,
            Self::Revoke(revoke) => revoke.run(global, out, &[Role::Supervisor]).await?,
            Self::List => lists::list(global, out, "agent", PEOPLE).await?,
        }
        Ok(Exit::Done)
    }
}
