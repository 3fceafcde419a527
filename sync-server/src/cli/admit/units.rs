//! `unit`: laptops.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};
use shared::{
    id::Member,
    problem::Problem,
    roster::{Crew, Role},
};

use super::{Admit, lists, publish, revoke::Revoke, say_changed, word};
use crate::{
    cli::{Exit, Global, Out, secrets::Unlock},
    joining::admitting::{UnitTraits, change_unit},
};

/// Admit, revoke, move and list units.
#[derive(Debug, Subcommand)]
pub enum Unit {
    /// Admit a unit by its request file
    Admit {
        /// The file that `enroll-client init` or `enroll-client new-key` has written
        request: PathBuf,
        /// Region code [default: that of the epoch before, else 00]
        #[arg(long, value_parser = word)]
        region: Option<String>,
        /// One person works in it: supervisors may approve their own records
        #[arg(long)]
        alone: bool,
        #[command(flatten)]
        admit: Admit,
    },
    /// End a unit's key; what was logged before stays good
    Revoke(Revoke),
    /// A unit works in another region from now on
    Move {
        /// Whose
        name: Member,
        /// Region code
        #[arg(long, value_parser = word)]
        region: String,
        #[command(flatten)]
        passphrase: Unlock,
    },
    /// One person works in a unit, or several
    Alone {
        /// Whose
        name: Member,
        /// May supervisors approve their own records there?
        alone: YesNo,
        #[command(flatten)]
        passphrase: Unlock,
    },
    /// List every key that a unit ever had
    List,
}

/// An answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum YesNo {
    /// Yes.
    Yes,
    /// No.
    No,
}

impl Unit {
    /// Runs the command.
    pub async fn run(self, global: &Global, out: &Out) -> Result<Exit, Problem> {
        match self {
            Self::Admit { request, region, alone, admit } => {
                let traits = UnitTraits { region, crew: alone.then_some(Crew::Alone) };
                admit.run(global, out, &request, Role::Unit, traits).await?;
            }
            Self::Revoke(revoke) => revoke.run(global, out, &[Role::Unit]).await?,
            Self::Move { name, region, passphrase } => {
                let what = format!("region {region}");
                let traits = UnitTraits { region: Some(region), crew: None };
                let published = publish(global, &passphrase, |facts, _| change_unit(facts, &name, &traits)).await?;
                say_changed(out, &published, &name, &what);
            }
            Self::Alone { name, alone, passphrase } => {
                let (crew, what) = match alone {
                    YesNo::Yes => (Crew::Alone, "one person works in it"),
                    YesNo::No => (Crew::Several, "several work in it"),
                };
                let traits = UnitTraits { region: None, crew: Some(crew) };
                let published = publish(global, &passphrase, |facts, _| change_unit(facts, &name, &traits)).await?;
                say_changed(out, &published, &name, what);
            }
            Self::List => {
                lists::open_of_units(global, out).await?;
                lists::list(global, out, "unit", &[Role::Unit]).await?;
            }
        }
        Ok(Exit::Done)
    }
}
