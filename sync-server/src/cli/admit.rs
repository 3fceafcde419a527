//! `unit`, `agent`, `supervisor`, `staff`: admit, revoke, list. Each change is a new roster.
//!
//! | file | does |
//! |---|---|
//! | `units`, `people`, `staff` | one command group each |
//! | `revoke` | ends keys: since when, what they had merged since, which of them |
//! | `lists` | every key that ever was, with its state |

mod lists;
mod people;
mod revoke;
mod staff;
mod units;

use std::path::Path;

use clap::Args;
use serde_json::json;
use shared::{
    id::Member,
    keys::{KeyRef, Signer},
    problem::Problem,
    roster::{Facts, Role},
    text::plain_word,
};

pub use self::{
    people::{Agent, Supervisor},
    staff::Staff,
    units::Unit,
};
use super::{Global, Out, secrets::Unlock};
use crate::{
    centre::Centre,
    durable,
    founding::roster_key,
    joining::{
        self, Moment, PublishedRoster,
        admitting::{Admitted, Older, Request, UnitTraits, admit},
        lives::{self, KeyLife},
    },
    pipeline::Idle,
    settings::Settings,
};

/// Largest request that is read, in bytes.
const MAX_REQUEST: u64 = 64 << 10;

/// What admitting a key takes.
#[derive(Debug, Args)]
pub struct Admit {
    /// The name is known: this is a new key of it. Say what becomes of the older ones
    #[arg(long)]
    new_key: bool,
    /// The older keys end now: the laptop was stolen, or all its work is here
    #[arg(long, requires = "new_key")]
    cut_old: bool,
    /// The older keys go on for the roster's grace: work under them is still on its way
    #[arg(long, requires = "new_key")]
    keep_old: bool,
    #[command(flatten)]
    passphrase: Unlock,
}

impl Admit {
    const fn older(&self) -> Older {
        match (self.cut_old, self.keep_old) {
            (true, false) => Older::Cut,
            (false, true) => Older::Keep,
            // both is no answer either
            _ => Older::Unsaid,
        }
    }

    /// Reads a request, admits it in the role that the command expects, and says so.
    async fn run(&self, global: &Global, out: &Out, file: &Path, expected: Role, traits: UnitTraits) -> Result<(), Problem> {
        let request = Request::parse(&durable::read_given(file, MAX_REQUEST)?)?;
        let centre = open(global)?;
        let mut admitted = None;
        let published = publish_at(&centre, &self.passphrase, |facts, moment| {
            let done = admit(facts, &request, expected, self.older(), &traits, moment)?;
            admitted = Some(done);
            Ok(())
        })
        .await?;
        if let Some(unit) = request.unit().filter(|unit| published.facts.newest_epoch(unit).is_none()) {
            out.note(format!("{unit} is not in the roster yet: this key counts when it is"));
        }
        let Some(admitted) = admitted else { return Ok(()) };
        let all = lives::all(&centre.stores.ledger, &published.facts, &[expected]).await?;
        let others: Vec<KeyLife> = all.into_iter().filter(|life| life.name == *request.name() && life.key != *request.key()).collect();
        say_admitted(out, &published, &request, &admitted, &others);
        Ok(())
    }
}

fn say_admitted(out: &Out, published: &PublishedRoster, request: &Request, admitted: &Admitted, others: &[KeyLife]) {
    let (version, index) = (published.facts.version, published.logged.index());
    let (name, role, key) = (request.name(), request.role(), KeyRef::from(request.key()));
    let fingerprint = request.key().fingerprint();
    let kept: Vec<_> = admitted.kept.iter().map(|(key, until)| json!({ "key": key, "until": until })).collect();
    let beside: Vec<_> =
        others.iter().map(|life| json!({ "key": life.key_ref(), "unit": life.unit, "state": life.state.word() })).collect();
    let value = json!({
        "done": "admitted", "others": beside, "name": name, "role": role.as_str(), "key": key, "fingerprint": fingerprint, "unit": request.unit(),
        "epoch": admitted.epoch, "cut": admitted.cut, "kept": kept, "roster": version, "log_index": index.0,
    });
    let mut human = vec![
        format!("admitted {role} {name} ({key}) by roster {version}, log entry {index}"),
        format!("  fingerprint {fingerprint}: compare it by phone"),
    ];
    for life in others {
        let laptop = life.unit.as_ref().map(|unit| format!(" at {unit}")).unwrap_or_default();
        let since = life.admitted.map(|(_, time)| format!(", admitted {time}")).unwrap_or_default();
        human.push(format!("  other key {}{laptop}{since}: {}", life.key_ref(), life.state));
    }
    let ends = admitted.cut.iter().chain(admitted.kept.iter().map(|(key, _)| key)).map(ToString::to_string).collect::<Vec<_>>();
    if role == Role::Unit && !ends.is_empty() {
        human.push(format!(
            "  The laptop with {} ends by this. If it works and nobody there asked for a new key, end the new one: \
             `sync-server unit revoke {name} --key {}`",
            ends.join(", "),
            key.id
        ));
    }
    out.answer(value, human.join("\n"));
}

/// Opens the centre and publishes a changed roster.
pub(super) async fn publish(
    global: &Global,
    passphrase: &Unlock,
    change: impl FnOnce(&mut Facts, Moment) -> Result<(), Problem>,
) -> Result<PublishedRoster, Problem> {
    publish_at(&open(global)?, passphrase, change).await
}

/// The same at a centre that is open.
async fn publish_at(
    centre: &Centre,
    passphrase: &Unlock,
    change: impl FnOnce(&mut Facts, Moment) -> Result<(), Problem>,
) -> Result<PublishedRoster, Problem> {
    let key: Signer = roster_key(&centre.settings, || passphrase.read("the roster key"))?;
    let (sequencer, _) = centre.sequencer(Idle::Quiet).await?;
    joining::publish(centre, &sequencer, &key, change).await
}

/// Opens the centre that the flags name.
pub(super) fn open(global: &Global) -> Result<Centre, Problem> {
    Centre::open(Settings::load(global.data_dir.as_deref(), global.config.as_deref())?)
}

/// One word as a roster writes it.
fn word(text: &str) -> Result<String, String> {
    if plain_word(text) { Ok(text.to_owned()) } else { Err("one word of small letters, digits and dashes".to_owned()) }
}

fn say_changed(out: &Out, published: &PublishedRoster, name: &Member, what: &str) {
    let (version, index) = (published.facts.version, published.logged.index());
    let value = json!({ "done": "changed", "name": name, "roster": version, "log_index": index.0 });
    out.answer(value, format!("{name}: {what} by roster {version}, log entry {index}"));
}
