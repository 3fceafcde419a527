//! Shell completions and manual pages, made from the definition of a command line.

use std::{io::stdout, path::PathBuf};

use clap::{Args, Command};
use shared::problem::Problem;

use crate::durable;

/// `completions bash|zsh|fish|…`
#[derive(Debug, Args)]
pub struct Completions {
    shell: clap_complete::Shell,
}

impl Completions {
    /// Prints the script.
    pub fn run(&self, mut program: Command) {
        let name = program.get_name().to_owned();
        clap_complete::generate(self.shell, &mut program, name, &mut stdout());
    }
}

/// `man FOLDER`
#[derive(Debug, Args)]
pub struct Man {
    folder: PathBuf,
}

impl Man {
    /// Writes one page per command.
    pub fn run(&self, program: Command) -> Result<(), Problem> {
        durable::folder_given(&self.folder)?;
        clap_mangen::generate_to(program, &self.folder).map_err(|e| durable::failed(&self.folder, &e))
    }
}
