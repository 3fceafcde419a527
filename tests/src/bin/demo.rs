//! `demo [--seed N] [--residents N] [--json]`: the whole road with real processes, told and counted.

use std::process::ExitCode;

use clap::Parser;
use tests::demo::{self, Wishes};

/// The whole road, end to end: enrolled with no server in reach, sent, logged, merged, proven.
#[derive(Debug, Parser)]
#[command(name = "demo", version)]
struct Cli {
    /// Other people and other bytes, the same story
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many people
    #[arg(long, default_value_t = 89, value_parser = clap::value_parser!(u64).range(9..=5_000))]
    residents: u64,
    /// JSON Lines on standard output, the last one the summary
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    if demo::run(&Wishes { seed: cli.seed, residents: cli.residents, json: cli.json }) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
