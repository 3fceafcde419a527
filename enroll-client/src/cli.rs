//! The command line: flags > environment > configuration file > defaults.
//!
//! ```text
//! enroll-client init --server https://registry.example --roster-key KEY --unit van-017
//! enroll-client --as agent-007 enrol /media/camera/resident-12
//! enroll-client --as supervisor-003 close
//! ```
//!
//! One file a command group. `session` unlocks once and takes the same commands without the prefix.

mod agent;
mod alarm;
mod app;
mod batch;
mod draft;
mod enrol;
mod finish;
mod form;
mod join;
mod key;
mod review;
mod session;
mod settings;
mod status;
mod sync;
mod unit;
mod watch;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};
use shared::problem::{Code, Problem};

pub use self::{app::App, settings::Global, sync::exit_of_sync};
use crate::{say::Say, streams};
pub use shared::problem::exit::Exit;

/// The unit: enrols residents where there is no network, and loses nothing.
#[derive(Debug, Parser)]
#[command(name = "enroll-client", version, about, propagate_version = true, disable_help_subcommand = true)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// Every command; in a session they come without the program's name.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make this laptop a unit: its key, and the request that the centre admits
    Init(join::Init),
    /// Where the centre is, and by which certificate authority it is known
    #[command(subcommand)]
    Unit(unit::UnitCommand),
    /// Agents and supervisors of this laptop
    #[command(subcommand)]
    Agent(agent::AgentCommand),
    /// Passphrases of agents and supervisors
    #[command(subcommand)]
    Passphrase(agent::PassphraseCommand),
    /// Make a new key for this unit, and the request that the centre admits; what is sealed goes on under it
    NewKey(key::NewKey),
    /// Sign your finished records again, after the laptop was put back to an older copy and has a new key
    Resign(key::Resign),
    /// The roster: who may enrol, by which forms
    #[command(subcommand)]
    Roster(join::RosterCommand),
    /// The forms: fields, positions, exceptions, codes
    #[command(subcommand)]
    Form(form::FormCommand),
    /// Fill in a draft, step by step; each step is saved
    #[command(subcommand)]
    Draft(draft::DraftCommand),
    /// Finish a draft: show it for consent, seal it, print number and slip code
    Finish(finish::Finish),
    /// Enrol residents from folders or archives; what is not taken is named
    Enrol(enrol::Enrol),
    /// Look over the day's finished records (supervisors)
    #[command(subcommand)]
    Review(review::ReviewCommand),
    /// Close the day into signed batches
    Close(review::Close),
    /// Closed batches as files
    #[command(subcommand)]
    Batch(batch::BatchCommand),
    /// Send what waits to the centre, take receipts, outcomes and rosters
    Sync(sync::Sync),
    /// Where everything stands
    Status(status::Status),
    /// Alarms of this unit: what stands, and clearing one by name
    #[command(subcommand)]
    Alarm(alarm::AlarmCommand),
    /// Receipts: the centre's proof that it holds a batch
    #[command(subcommand)]
    Receipt(watch::ReceiptCommand),
    /// Outcomes: what became of each record
    #[command(subcommand)]
    Outcome(watch::OutcomeCommand),
    /// Delete sealed records that the centre has for good
    Prune(watch::Prune),
    /// Unlock once, then take the same commands without the prefix
    Session(session::Session),
    /// Lock the running session
    Lock,
    /// Look at everything that this laptop can see of itself
    Doctor,
    /// Print completions for a shell
    Completions(ground::pages::Completions),
    /// Write manual pages into a folder
    Man(ground::pages::Man),
}

/// Reads the arguments, runs the command, says how it ended.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(e) => return usage(&e),
    };
    let early = cli.global.say();
    let app = match cli.global.settings() {
        Ok(settings) => App::new(settings),
        Err(problem) => return ended(&early, Err(problem)).into(),
    };
    let outcome = run(&app, cli.command);
    let exit = ended(&app.say, outcome);
    // what was shown may be why it was asked
    streams::lost().map_or(exit, |lost| ended(&app.say, Err(lost))).into()
}

/// Runs one command.
fn run(app: &App, command: Command) -> Result<Exit, Problem> {
    act(app, command).map_err(|problem| app.settings.places.with_writer(problem))
}

fn act(app: &App, command: Command) -> Result<Exit, Problem> {
    match command {
        Command::Init(init) => init.run(app),
        Command::Unit(unit) => unit.run(app),
        Command::Agent(agent) => agent.run(app),
        Command::Passphrase(passphrase) => passphrase.run(app),
        Command::NewKey(new_key) => new_key.run(app),
        Command::Resign(resign) => resign.run(app),
        Command::Roster(roster) => roster.run(app),
        Command::Form(form) => form.run(app),
        Command::Draft(draft) => draft.run(app),
        Command::Finish(finish) => finish.run(app),
        Command::Enrol(enrol) => enrol.run(app),
        Command::Review(review) => review.run(app),
        Command::Close(close) => close.run(app),
        Command::Batch(batch) => batch.run(app),
        Command::Sync(sync) => sync.run(app),
        Command::Status(status) => status.run(app),
        Command::Alarm(alarm) => alarm.run(app),
        Command::Receipt(receipt) => receipt.run(app),
        Command::Outcome(outcome) => outcome.run(app),
        Command::Prune(prune) => prune.run(app),
        Command::Session(session) => session.run(app),
        Command::Lock => session::lock(app),
        Command::Doctor => session::doctor(app),
        Command::Completions(completions) => {
            completions.run(Cli::command());
            Ok(Exit::Done)
        }
        Command::Man(man) => man.run(Cli::command()).map(|()| Exit::Done),
    }
}

fn ended(say: &Say, outcome: Result<Exit, Problem>) -> Exit {
    outcome.unwrap_or_else(|problem| {
        let exit = Exit::of(problem.code);
        say.problem(&problem, exit);
        exit
    })
}

/// Wrong arguments: exit 2, and one JSON line where JSON was asked for.
fn usage(e: &clap::Error) -> ExitCode {
    let _ = e.print();
    if !e.use_stderr() {
        return Exit::Done.into(); // --help, --version
    }
    if settings::arguments_hold("--json") {
        let problem = Problem::new(Code::Usage, e.kind().to_string());
        Say { json: true, ..Say::default() }.problem(&problem, Exit::Usage);
    }
    Exit::Usage.into()
}
