//! The command line: flags > environment > configuration file > defaults.
//!
//! ```text
//! sync-server init --centre registry.example --recovery /media/safe/recovery.age …
//! sync-server serve
//! sync-server unit admit unit.request
//! ```
//!
//! One file a command group. Each command returns what it did; this file turns that into lines and an exit code.
#![allow(clippy::disallowed_methods, reason = "this file owns the arguments")]

mod admit;
mod archive;
mod asking;
mod batch;
mod case;
mod deciding;
mod doctor;
mod form;
mod fsck;
mod init;
mod log;
mod open;
mod passphrase;
mod reading;
mod rebuild;
mod record;
mod resident;
mod roster;
mod scrub;
mod secrets;
mod serve;
mod tls;

use std::{io::stderr, path::PathBuf, process::ExitCode, time::Duration};

use clap::{Args, CommandFactory as _, Parser, Subcommand};
use ground::{
    pages,
    say::{Say, no_colour},
    streams,
};
use shared::problem::{Lang, Problem};

use crate::pipeline::opener::child;
/// Where a command's results go.
pub use ground::say::Say as Out;
pub use shared::problem::exit::Exit;

/// How long threads that hang may keep the process from ending.
const LAST: Duration = Duration::from_secs(5);

/// The centre of trustworthy enrolment where there is no network.
#[derive(Debug, Parser)]
#[command(name = "sync-server", version, about, propagate_version = true, disable_help_subcommand = true)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// Under what the options stand that every command takes: its own come first.
const EVERYWHERE: &str = "Options of every command";

/// What every command takes.
#[derive(Debug, Clone, Args)]
pub struct Global {
    /// Configuration file (TOML) [default: sync-server.toml in the data folder]
    #[arg(long, global = true, help_heading = EVERYWHERE, env = "SYNC_SERVER_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Folder of keys, database and, unless configured elsewhere, archive, staging and guard
    #[arg(long, global = true, help_heading = EVERYWHERE, env = "SYNC_SERVER_DATA_DIR", value_name = "FOLDER")]
    pub data_dir: Option<PathBuf>,
    /// Print JSON Lines on standard output; the last one is a summary or an error
    #[arg(long, global = true, help_heading = EVERYWHERE)]
    pub json: bool,
    /// Print results only
    #[arg(long, short, global = true, help_heading = EVERYWHERE, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Say more on standard error
    #[arg(long, short, global = true, help_heading = EVERYWHERE, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Language of problem texts: ar, fr or en
    #[arg(long, global = true, help_heading = EVERYWHERE, env = "SYNC_SERVER_LANG", value_name = "LANG", value_parser = language)]
    pub lang: Option<Lang>,
}

impl Global {
    /// How to speak.
    fn say(&self) -> Say {
        let lang = self.lang.unwrap_or_default();
        Say { json: self.json, quiet: self.quiet, verbose: self.verbose > 0, lang, no_colour: no_colour() }
    }

    /// Sends the program's own log to standard error: JSON when asked for, else lines.
    fn log_to_stderr(&self) {
        let level = match (self.quiet, self.verbose) {
            (true, _) => "error",
            (_, 0) => "warn,sync_server=info",
            (_, 1) => "info,sync_server=debug",
            _ => "debug,sync_server=trace",
        };
        // a line that cannot be written, on a full disk for instance, is lost: nothing is said of it where nothing can be said, which
        // would end the thread that works
        let log = tracing_subscriber::fmt().with_writer(stderr).with_env_filter(level).with_target(false).log_internal_errors(false);
        if self.json {
            log.json().init();
        } else {
            log.with_ansi(false).init();
        }
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a new centre: log, keys, identities and the first roster
    Init(Box<init::Init>),
    /// Run the centre: take batches in, log, merge, answer
    Serve(serve::Serve),
    /// Admit, revoke, move and list units
    #[command(subcommand)]
    Unit(admit::Unit),
    /// Admit, revoke and list agents
    #[command(subcommand)]
    Agent(admit::Agent),
    /// Admit, revoke and list supervisors
    #[command(subcommand)]
    Supervisor(admit::Supervisor),
    /// Make keys of adjudicators, administrators and carriers; admit, revoke and list them
    #[command(subcommand)]
    Staff(admit::Staff),
    /// Change the passphrase of an identity, the roster key or a key of staff
    #[command(subcommand)]
    Passphrase(passphrase::Passphrase),
    /// Show the roster, publish a new one, change its lines, write it for units without a network
    #[command(subcommand)]
    Roster(roster::Roster),
    /// Make form files: put code lists into one
    #[command(subcommand)]
    Form(form::Form),
    /// List, show and decide batches
    #[command(subcommand)]
    Batch(batch::Batch),
    /// Follow records, and decide about them
    #[command(subcommand)]
    Record(record::Record),
    /// Find and show residents; each reading is recorded first
    #[command(subcommand)]
    Resident(resident::Resident),
    /// List, show and decide cases; each reading is recorded first
    #[command(subcommand)]
    Case(case::Case),
    /// Show the log
    #[command(subcommand)]
    Log(log::Log),
    /// What is open: missing, quarantined, kept, frozen, alarming, damaged, or waiting for a person
    #[command(subcommand)]
    Open(open::Open),
    /// Check everything again from nothing: archive, segments, guard, log
    Fsck(fsck::Fsck),
    /// Check keys, guard, archive, disk and roster, and say what to do
    Doctor(doctor::Doctor),
    /// Put back files that the archive has lost
    #[command(subcommand)]
    Archive(archive::Archive),
    /// Make a new certificate where the old one is lost
    #[command(subcommand)]
    Tls(tls::Tls),
    /// Read the whole archive again now, as `serve` does slowly
    Scrub,
    /// Make the database again from archive and guard, and compare
    Rebuild(rebuild::Rebuild),
    /// Open one record that standard input brings; started by `serve` and `rebuild`
    #[command(hide = true)]
    OpenRecord,
    /// Print completions for a shell
    Completions(pages::Completions),
    /// Write manual pages into a folder
    Man(pages::Man),
}

fn language(text: &str) -> Result<Lang, String> {
    text.parse().map_err(|_| "ar, fr or en".to_owned())
}

/// Reads the arguments, runs the command, says how it ended.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(e) => return usage(&e),
    };
    if matches!(cli.command, Command::OpenRecord) {
        return child::main();
    }
    let out = cli.global.say();
    cli.global.log_to_stderr();
    rustls::crypto::ring::default_provider().install_default().expect("the first and only provider of this process");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("threads can be started");
    let ended = runtime.block_on(run(cli, &out));
    // all that had to end has ended; a record that hangs its opener would keep us for ever
    runtime.shutdown_timeout(LAST);
    let said = |problem: Problem| {
        let exit = Exit::of(problem.code);
        out.problem(&problem, exit);
        exit
    };
    let exit = ended.unwrap_or_else(said);
    // what was shown may be why it was asked
    streams::lost().map_or(exit, said).into()
}

async fn run(cli: Cli, out: &Out) -> Result<Exit, Problem> {
    let global = &cli.global;
    match cli.command {
        Command::Init(init) => init.run(global, out).await,
        Command::Serve(serve) => serve.run(global, out).await,
        Command::Unit(unit) => unit.run(global, out).await,
        Command::Agent(agent) => agent.run(global, out).await,
        Command::Supervisor(supervisor) => supervisor.run(global, out).await,
        Command::Staff(staff) => staff.run(global, out).await,
        Command::Passphrase(passphrase) => passphrase.run(out).await,
        Command::Roster(roster) => roster.run(global, out).await,
        Command::Form(form) => form.run(out),
        Command::Batch(batch) => batch.run(global, out).await,
        Command::Record(record) => record.run(global, out).await,
        Command::Resident(resident) => resident.run(global, out).await,
        Command::Case(case) => case.run(global, out).await,
        Command::Log(log) => log.run(global, out).await,
        Command::Open(open) => open.run(global, out).await,
        Command::Fsck(fsck) => fsck.run(global, out).await,
        Command::Doctor(doctor) => doctor.run(global, out).await,
        Command::Archive(archive) => archive.run(global, out).await,
        Command::Tls(tls) => tls.run(global, out),
        Command::Scrub => scrub::run(global, out).await,
        Command::Rebuild(rebuild) => rebuild.run(global, out).await,
        Command::OpenRecord => Ok(Exit::Usage), // `main` has done it
        Command::Completions(completions) => {
            completions.run(Cli::command());
            Ok(Exit::Done)
        }
        Command::Man(man) => man.run(Cli::command()).map(|()| Exit::Done),
    }
}

/// Wrong arguments: exit 2, and one JSON line where JSON was asked for.
fn usage(e: &clap::Error) -> ExitCode {
    let _ = e.print();
    if !e.use_stderr() {
        return Exit::Done.into(); // --help, --version
    }
    if std::env::args_os().any(|a| a == "--json") {
        let problem = Problem::new(shared::problem::Code::Usage, e.kind().to_string());
        Say { json: true, ..Say::default() }.problem(&problem, Exit::Usage);
    }
    Exit::Usage.into()
}
