//! Shell completions and manual pages, made from the command line's own definition.

use std::{io::stdout, path::PathBuf};

use clap::{Args, CommandFactory as _};
use shared::problem::Problem;

use super::{Cli, Exit};
use crate::durable;

/// `completions bash|zsh|fish|…`
#[derive(Debug, Args)]
pub struct Completions {
    shell: clap_complete::Shell,
}

impl Completions {
    /// Prints the script.
    pub fn run(&self) -> Exit {
        clap_complete::generate(self.shell, &mut Cli::command(), "sync-server", &mut stdout());
        Exit::Done
    }
}

/// `man FOLDER`
#[derive(Debug, Args)]
pub struct Man {
    folder: PathBuf,
}

impl Man {
    /// Writes one page a command.
    pub fn run(&self) -> Result<Exit, Problem> {
        durable::folder(&self.folder)
            .and_then(|()| clap_mangen::generate_to(Cli::command(), &self.folder))
            .map_err(durable::problem("pages"))?;
        Ok(Exit::Done)
    }
}
