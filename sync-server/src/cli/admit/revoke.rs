//! Ending keys: since when, what they had merged since, which of them. Without a terminal it wants `--yes`: a cut never moves later.

use clap::Args;
use serde_json::json;
use shared::{
    id::{LogIndex, Member},
    keys::{KeyId, KeyRef},
    problem::{Code, Problem},
    roster::Role,
    time::Second,
};

use super::open;
use crate::{
    centre::Centre,
    cli::{
        Global, Out,
        asking::{self, Yes},
        reading::Provenance,
        secrets::Unlock,
    },
    clock,
    founding::roster_key,
    joining::{
        self,
        ending::{self, Which},
        lives::{self, KeyLife},
    },
    pipeline::Idle,
    registry::Signed,
    store::Ledger as _,
};

/// End a key.
#[derive(Debug, Args)]
pub struct Revoke {
    /// Whose
    name: Member,
    /// Why, in one word: `stolen`, `lost`, `left`, …
    #[arg(long, default_value = "revoked", value_parser = super::word)]
    reason: String,
    /// Work logged from this time on does not count: `2026-11-20T08:00:00Z`, or `now` [asked for on a terminal; else now]
    #[arg(long, value_name = "TIME", value_parser = since)]
    since: Option<Since>,
    /// The same by log index, for experts
    #[arg(long, value_name = "INDEX", conflicts_with = "since")]
    cut: Option<u64>,
    /// Which of the keys of the name: 8 hex digits
    #[arg(long, value_name = "ID")]
    key: Option<KeyId>,
    /// All keys of the name
    #[arg(long, conflicts_with = "key")]
    all: bool,
    #[command(flatten)]
    yes: Yes,
    #[command(flatten)]
    passphrase: Unlock,
}

/// Since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Since {
    /// From the next entry on.
    Now,
    /// From the first entry that was logged then or later.
    Time(Second),
}

fn since(text: &str) -> Result<Since, String> {
    match text {
        "now" => Ok(Since::Now),
        _ => text.parse().map(Since::Time).map_err(|_| "a time as in 2026-11-20T08:00:00Z, or now".to_owned()),
    }
}

impl Revoke {
    /// Shows what the keys had merged, asks, and publishes the roster that ends them.
    pub(super) async fn run(self, global: &Global, out: &Out, roles: &[Role]) -> Result<(), Problem> {
        let centre = open(global)?;
        let (sequencer, _) = centre.sequencer(Idle::Quiet).await?;
        let which = match (self.key, self.all) {
            (Some(id), _) => Which::Key(id),
            (None, true) => Which::All,
            (None, false) => Which::Only,
        };
        let keys = self.keys(&centre, out, roles, which).await?;
        let cut = self.from(&centre, out).await?;
        let registry = Provenance::of(&centre);
        for key in &keys {
            let from = cut.unwrap_or(LogIndex(centre.stores.ledger.position().await?.line.head.size));
            show(out, key, from, &registry.signed(key, from).await?);
        }
        self.yes.or_ask("End it?")?;
        let signer = roster_key(&centre.settings, || self.passphrase.read("the roster key"))?;
        let mut ended = Vec::new();
        let published = joining::publish(&centre, &sequencer, &signer, |facts, moment| {
            let keys = ending::keys(facts, &self.name, roles, which)?;
            let cut = cut.unwrap_or(moment.next).min(moment.next);
            ended = ending::cut(facts, &keys, cut, &self.reason)?;
            Ok(())
        })
        .await?;
        let (version, index) = (published.facts.version, published.logged.index());
        let at = ended.first().and_then(|key| published.facts.revocation(key)).map_or(index, |r| r.cut);
        let value = json!({ "done": "revoked", "name": self.name, "key": ended.first(), "keys": ended, "cut": at.0,
            "roster": version, "log_index": index.0 });
        let names: Vec<String> = ended.iter().map(ToString::to_string).collect();
        out.answer(
            value,
            format!("revoked {} ({}) from entry {at} on by roster {version}, log entry {index}", self.name, names.join(", ")),
        );
        Ok(())
    }

    /// The keys that are meant; a name that has had several is listed before the choice is asked for.
    async fn keys(&self, centre: &Centre, out: &Out, roles: &[Role], which: Which) -> Result<Vec<KeyRef>, Problem> {
        let roster = centre.roster().await?;
        let keys = ending::keys(roster.facts(), &self.name, roles, which);
        if let Err(problem) = &keys
            && problem.code == Code::KeyChoice
        {
            let all = lives::all(&centre.stores.ledger, roster.facts(), roles).await?;
            all.iter().filter(|life| life.name == self.name).for_each(|life| choice(out, life));
        }
        keys
    }

    /// The first entry that does not count any more; none: the roster's own.
    async fn from(&self, centre: &Centre, out: &Out) -> Result<Option<LogIndex>, Problem> {
        if let Some(cut) = self.cut {
            // what is not logged yet cannot be spared
            let next = centre.stores.ledger.position().await?.line.head.size;
            return Ok(Some(LogIndex(cut.min(next))));
        }
        let since = match self.since {
            Some(said) => said,
            None if asking::terminal() => {
                let answer = asking::line("Since when does its work not count (log time, 2026-11-20T08:00:00Z, or now)?")?;
                since(&answer).map_err(|why| Problem::new(Code::Usage, why))?
            }
            None => {
                out.note("no --since: from now on");
                Since::Now
            }
        };
        match since {
            Since::Now => Ok(None),
            Since::Time(time) if time > clock::now().max(centre.stores.ledger.position().await?.received) => {
                Err(Problem::new(Code::Usage, format!("{time} lies in the future")))
            }
            Since::Time(time) => lives::first_since(&centre.stores.ledger, time).await.map(Some),
        }
    }
}

fn choice(out: &Out, life: &KeyLife) {
    let place = life.unit.as_ref().map(|unit| format!(" at {unit}")).unwrap_or_default();
    let epoch = life.laptop.as_ref().map(|(epoch, ..)| format!(" epoch {epoch}")).unwrap_or_default();
    let value = json!({ "name": life.name, "key_id": life.key.id().to_string(), "unit": life.unit, "state": life.state.word() });
    out.line("key", value, format!("--key {}  {}{place}{epoch}: {}", life.key.id(), life.role, life.state));
}

/// What would be taken out.
fn show(out: &Out, key: &KeyRef, from: LogIndex, signed: &Signed) {
    let units: Vec<_> =
        signed.merged.iter().map(|(unit, (batches, records))| json!({ "unit": unit, "batches": batches, "records": records })).collect();
    let value = json!({ "key": key, "from": from.0, "merged": units, "decisions": signed.decisions });
    let mut human = vec![format!("{key} from entry {from} on:")];
    if signed.merged.is_empty() && signed.decisions == 0 {
        human.push("  nothing of it is merged".to_owned());
    }
    for (unit, (batches, records)) in &signed.merged {
        human.push(format!("  {unit}: {records} records of {batches} batches are merged, and will be held, but for what another delivery or two persons' decision keeps"));
    }
    if signed.decisions > 0 {
        human.push(format!("  {} decisions and confirmations: what they decided will be held again", signed.decisions));
    }
    out.line("signed", value, human.join("\n"));
}
