//! `bench [--json] [--quick] [--scale] [--only TEXT]`: what the road costs, beside bare loops over the same disk.

use std::{path::PathBuf, process::ExitCode};

use clap::Parser;
use tests::{
    bench::{self, Wishes, sink},
    world::bins,
};

/// What the road costs, beside bare loops over the same disk.
#[derive(Debug, Parser)]
#[command(name = "bench", version)]
struct Cli {
    /// JSON Lines on standard output, the last one the summary
    #[arg(long)]
    json: bool,
    /// A third of the work a run
    #[arg(long)]
    quick: bool,
    /// Ingest and merge against a large registry, too: this takes long
    #[arg(long)]
    scale: bool,
    /// Residents of the large registry
    #[arg(long, default_value_t = 1_000_000, value_name = "N", requires = "scale")]
    residents: u64,
    /// Only rows whose names contain this
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// Work in a new folder below this one [default: the folder for temporary files]
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
    /// Keep the large registry here for the next run [default: bench, beside the folder of the programs]
    #[arg(long, value_name = "FOLDER", requires = "scale")]
    cache: Option<PathBuf>,
    /// Be the bare server that ingest is compared with
    #[arg(long, hide = true, value_name = "FOLDER")]
    sink: Option<PathBuf>,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let ended = match &cli.sink {
        Some(folder) => sink::serve(folder),
        None => benches(&cli),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(broken) => {
            eprintln!("{broken}");
            ExitCode::FAILURE
        }
    }
}

fn benches(cli: &Cli) -> tests::world::Sure<()> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("enrolment-bench-");
    let folder = match &cli.folder {
        Some(folder) => builder.tempdir_in(folder)?,
        None => builder.tempdir()?,
    };
    let cache = match &cli.cache {
        Some(cache) => cache.clone(),
        None => bins()?.with_file_name("bench"),
    };
    let Cli { json, quick, scale, residents, .. } = *cli;
    let wishes = Wishes { json, quick, scale, only: cli.only.clone(), residents, cache };
    bench::run(&wishes, folder.path())
}
