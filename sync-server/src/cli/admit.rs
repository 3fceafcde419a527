//! `unit` and `agent`: admit, revoke, list. Each change is a new roster.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use shared::{
    id::{LogIndex, Member},
    keys::{KeyRef, Signer, VerifierKey},
    problem::{Code, Problem},
    roster::{
        Crew, Facts,
        request::{AgentRequest, UnitRequest},
    },
};

use super::{Exit, Global, Out, secrets::Unlock};
use crate::{
    centre::Centre,
    durable,
    founding::roster_key,
    joining::{self, Known, PublishedRoster},
    pipeline::Idle,
    settings::Settings,
};

/// Largest request that is read, in bytes.
const MAX_REQUEST: u64 = 64 << 10;

/// Admit, revoke and list units.
#[derive(Debug, Subcommand)]
pub enum Unit {
    /// Admit a unit by its request file
    Admit {
        /// The file that `enroll-client init` has written
        request: PathBuf,
        /// Region code
        #[arg(long, default_value = "00")]
        region: String,
        /// One person works in it: supervisors may approve their own records
        #[arg(long)]
        alone: bool,
        #[command(flatten)]
        change: Change,
    },
    /// End a unit's key; what was logged before stays good
    Revoke(Revoke),
    /// List units
    List,
}

/// Admit, revoke and list agents and supervisors.
#[derive(Debug, Subcommand)]
pub enum Agent {
    /// Admit an agent or a supervisor by their request file
    Admit {
        /// The file that `enroll-client agent add` has written
        request: PathBuf,
        #[command(flatten)]
        change: Change,
    },
    /// End an agent's or supervisor's key; what was logged before stays good
    Revoke(Revoke),
    /// List agents and supervisors
    List,
}

/// What every change of the roster takes.
#[derive(Debug, Args)]
pub struct Change {
    /// The name is known: this key takes over
    #[arg(long)]
    new_key: bool,
    #[command(flatten)]
    passphrase: Unlock,
}

/// End a key.
#[derive(Debug, Args)]
pub struct Revoke {
    /// Whose
    name: Member,
    /// Why, in one word: `stolen`, `lost`, `left`, …
    #[arg(long, default_value = "revoked")]
    reason: String,
    /// Work logged at or after this index is quarantined [default: from now on]
    #[arg(long, value_name = "INDEX")]
    cut: Option<u64>,
    #[command(flatten)]
    passphrase: Unlock,
}

/// Opens the centre and publishes a changed roster.
pub(super) async fn publish(
    global: &Global,
    passphrase: &Unlock,
    change: impl FnOnce(&mut Facts, LogIndex) -> Result<(), Problem>,
) -> Result<PublishedRoster, Problem> {
    let centre = open(global)?;
    let key: Signer = roster_key(&centre.settings, || passphrase.read("the roster key"))?;
    let (sequencer, _) = centre.sequencer(Idle::Quiet).await?;
    joining::publish(&centre, &sequencer, &key, change).await
}

/// Opens the centre that the flags name.
pub(super) fn open(global: &Global) -> Result<Centre, Problem> {
    Centre::open(Settings::load(global.data_dir.as_deref(), global.config.as_deref())?)
}

fn known(new_key: bool) -> Known {
    if new_key { Known::Replace } else { Known::Refuse }
}

fn say(out: &Out, published: &PublishedRoster, what: &str, name: &Member, key: &str) {
    let (version, index) = (published.facts.version, published.logged.index());
    let value = serde_json::json!({ "done": what, "name": name, "key": key, "roster": version, "log_index": index.0 });
    out.answer(value, format!("{what} {name} ({key}) by roster {version}, log entry {index}"));
}

impl Unit {
    /// Runs the command.
    pub async fn run(self, global: &Global, out: &Out) -> Result<Exit, Problem> {
        match self {
            Self::Admit { request, region, alone, change } => {
                let request = UnitRequest::parse(&durable::read_given(&request, MAX_REQUEST)?)?;
                let crew = if alone { Crew::Alone } else { Crew::Several };
                let published = publish(global, &change.passphrase, |facts, _| {
                    joining::admit_unit(facts, &request, &region, crew, known(change.new_key)).map(|_| ())
                })
                .await?;
                say(out, &published, "admitted", &request.unit, &KeyRef::from(&request.key).to_string());
                Ok(Exit::Done)
            }
            Self::Revoke(revoke) => revoke.run(global, out, unit_key).await,
            Self::List => list_units(global, out).await,
        }
    }
}

impl Agent {
    /// Runs the command.
    pub async fn run(self, global: &Global, out: &Out) -> Result<Exit, Problem> {
        match self {
            Self::Admit { request, change } => {
                let request = AgentRequest::parse(&durable::read_given(&request, MAX_REQUEST)?)?;
                let published =
                    publish(global, &change.passphrase, |facts, _| joining::admit_agent(facts, &request, known(change.new_key))).await?;
                say(out, &published, "admitted", &request.name, &KeyRef::from(&request.key).to_string());
                Ok(Exit::Done)
            }
            Self::Revoke(revoke) => revoke.run(global, out, any_key).await,
            Self::List => list_agents(global, out).await,
        }
    }
}

impl Revoke {
    async fn run(
        self,
        global: &Global,
        out: &Out,
        of_this_kind: for<'a> fn(&'a Facts, &Member) -> Option<&'a VerifierKey>,
    ) -> Result<Exit, Problem> {
        let mut ended = None;
        let published = publish(global, &self.passphrase, |facts, next| {
            if of_this_kind(facts, &self.name).is_none() {
                return Err(Problem::new(Code::NotFound, format!("{} is not in the roster", self.name)));
            }
            let cut = self.cut.map_or(next, LogIndex);
            ended = Some(joining::revoke(facts, &self.name, cut, &self.reason)?);
            Ok(())
        })
        .await?;
        let key = ended.map(|k| k.to_string()).unwrap_or_default();
        say(out, &published, "revoked", &self.name, &key);
        Ok(Exit::Done)
    }
}

fn any_key<'a>(facts: &'a Facts, name: &Member) -> Option<&'a VerifierKey> {
    facts.members().into_iter().filter(|m| m.name == name).last().map(|m| m.key)
}

fn unit_key<'a>(facts: &'a Facts, name: &Member) -> Option<&'a VerifierKey> {
    facts.newest_epoch(name).map(|u| &u.key)
}

fn ended(facts: &Facts, key: &VerifierKey) -> Option<String> {
    facts.revocation(&KeyRef::from(key)).map(|r| format!("revoked from entry {} on: {}", r.cut, r.reason))
}

async fn list_units(global: &Global, out: &Out) -> Result<Exit, Problem> {
    let roster = open(global)?.roster().await?;
    let facts = roster.facts();
    for unit in &facts.units {
        let state = ended(facts, &unit.key);
        let value = serde_json::json!({ "name": unit.name, "epoch": unit.epoch, "key": unit.key, "region": unit.region,
            "alone": unit.crew == Crew::Alone, "revoked": state });
        let human = format!(
            "{:<20} epoch {:<3} region {:<6} {}",
            unit.name.as_str(),
            unit.epoch,
            unit.region,
            state.as_deref().unwrap_or("active")
        );
        out.line("unit", value, human);
    }
    out.summary(serde_json::json!({ "units": facts.units.len(), "roster": facts.version }), format!("{} units", facts.units.len()));
    Ok(Exit::Done)
}

async fn list_agents(global: &Global, out: &Out) -> Result<Exit, Problem> {
    let roster = open(global)?.roster().await?;
    let facts = roster.facts();
    let agents = facts.agents.iter().map(|a| (&a.name, &a.key, "agent"));
    let supervisors = facts.supervisors.iter().map(|s| (&s.name, &s.key, "supervisor"));
    for (name, key, role) in agents.chain(supervisors) {
        let state = ended(facts, key);
        let value = serde_json::json!({ "name": name, "role": role, "key": key, "revoked": state });
        out.line("agent", value, format!("{:<20} {role:<11} {}", name.as_str(), state.as_deref().unwrap_or("active")));
    }
    let (agents, supervisors) = (facts.agents.len(), facts.supervisors.len());
    let value = serde_json::json!({ "agents": agents, "supervisors": supervisors, "roster": facts.version });
    out.summary(value, format!("{agents} agents, {supervisors} supervisors"));
    Ok(Exit::Done)
}
