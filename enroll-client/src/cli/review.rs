//! `review list|show|withdraw` and `close`: the supervisor's end of the day.

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use shared::{
    batch::WithdrawReason,
    draft::card::{ContactCard, ReviewCard},
    id::Number,
    problem::{Code, Problem},
};

use super::{App, Exit};
use crate::{
    clock,
    close::{self, Approver},
    joining,
    vault::{
        Vault,
        members::{Role, Unlocked},
        records::{Card, RecordRow},
    },
};

/// `review …`
#[derive(Debug, Subcommand)]
pub enum ReviewCommand {
    /// The finished records that wait for close
    List,
    /// What may still be seen of a record: its review card until close, its contact card until it is merged
    Show {
        /// Its number, as 1.12
        #[arg(value_parser = number)]
        number: Number,
    },
    /// Take a finished record out before it is closed
    Withdraw {
        /// Its number, as 1.12
        #[arg(value_parser = number)]
        number: Number,
        /// captured-twice, wrong-person, consent-withdrawn, bad-capture or other
        #[arg(long)]
        reason: String,
    },
}

/// Reads a number from the command line.
pub fn number(text: &str) -> Result<Number, String> {
    text.parse().map_err(|_| "a record's number is written epoch.number, as 1.12".to_owned())
}

impl ReviewCommand {
    /// Runs it.
    pub fn run(&self, app: &App) -> Result<Exit, Problem> {
        let vault = app.vault()?;
        match self {
            Self::List => list(app, &vault),
            Self::Show { number } => show(app, &vault, *number),
            Self::Withdraw { number, reason } => withdraw(app, &vault, *number, reason),
        }
    }
}

fn list(app: &App, vault: &Vault) -> Result<Exit, Problem> {
    let supervisor = app.member(vault)?;
    supervisor.supervisor()?;
    let waiting = vault.unbatched()?;
    let mut rows = Vec::new();
    for record in &waiting {
        rows.push(review_row(vault, &supervisor, record)?);
    }
    app.say.table("review", &["number", "finished", "agent", "form", "transaction", "name", "exceptions", "parts", "withdrawn"], &rows);
    let next = if waiting.is_empty() { "nothing waits for close" } else { "then: enroll-client close" };
    app.say.summary(json!({ "waiting": waiting.len() }), next);
    Ok(Exit::Done)
}

fn review_row(vault: &Vault, supervisor: &Unlocked, record: &RecordRow) -> Result<Vec<Value>, Problem> {
    // a card that this supervisor cannot open must not hide the others
    let card = match vault.card(supervisor, record, Card::Review) {
        Ok(card) => card.map(|c| ReviewCard::parse(&c)).transpose()?,
        Err(problem) if problem.code == Code::ReviewNeeded => None,
        Err(problem) => return Err(problem),
    };
    let name = card.as_ref().map(|c| format!("{} / {}", c.name_latin, c.name_ar));
    Ok(vec![
        json!(record.number),
        json!(record.finished),
        json!(record.agent),
        json!(record.form),
        json!(record.transaction),
        json!(name),
        json!(card.as_ref().map(|c| c.exceptions.len())),
        json!(card.as_ref().map(|c| c.parts)),
        json!(record.withdrawn.as_ref().map(|(reason, _)| reason)),
    ])
}

fn show(app: &App, vault: &Vault, number: Number) -> Result<Exit, Problem> {
    let supervisor = app.member(vault)?;
    let record = vault.record(number)?;
    let mut rows = Vec::new();
    if let Some(card) = vault.card(&supervisor, &record, Card::Review)? {
        let card = ReviewCard::parse(&card)?;
        rows.extend([("name", json!(card.name_latin)), ("name in Arabic", json!(card.name_ar)), ("form", json!(card.form))]);
        rows.extend([("transaction", json!(card.transaction)), ("parts", json!(card.parts))]);
        rows.extend(card.exceptions.iter().map(|e| ("exception", json!(format!("{} {}", e.position, json!(e.reason))))));
        rows.extend(card.quality.iter().map(|(position, value)| ("quality", json!(format!("{position} {value}")))));
        let portrait = card.portrait.as_ref().map(|p| format!("{}, {} bytes", p.media_type, p.bytes.len()));
        rows.push(("portrait", json!(portrait)));
    }
    if let Some(card) = vault.card(&supervisor, &record, Card::Contact)? {
        let card = ContactCard::parse(&card)?;
        rows.extend([("phone", json!(card.phone)), ("village", json!(card.village)), ("contact", json!(card.name_latin))]);
    }
    if rows.is_empty() {
        return Err(Problem::new(Code::RecordUnknown, format!("nothing of {number} may be seen here any more")));
    }
    app.say.table("card", &["what", "value"], &rows.into_iter().map(|(k, v)| vec![json!(k), v]).collect::<Vec<_>>());
    app.say.summary(json!({ "number": number }), "");
    Ok(Exit::Done)
}

fn withdraw(app: &App, vault: &Vault, number: Number, reason: &str) -> Result<Exit, Problem> {
    let reason: WithdrawReason = reason.parse().map_err(|_| Code::ReasonUnknown)?;
    let session = app.capture(vault)?;
    let supervisor = app.member(vault)?;
    supervisor.supervisor()?;
    vault.withdraw(&session, number, reason.as_str(), &supervisor.name)?;
    app.say.summary(json!({ "withdrawn": number, "reason": reason.as_str() }), format!("{number} is withdrawn; the manifest will say so"));
    Ok(Exit::Done)
}

/// `close`
#[derive(Debug, Args)]
pub struct Close {
    /// Without a supervisor's approval; where the roster demands it, the records wait at the centre
    #[arg(long)]
    unreviewed: bool,
}

impl Close {
    /// Closes everything that waits.
    pub fn run(&self, app: &App) -> Result<Exit, Problem> {
        let vault = app.vault()?;
        vault.demand_roster()?;
        let session = app.capture(&vault)?;
        let now = clock::now();
        let supervisor = self.supervisor(app, &vault, now)?;
        let approver = match &supervisor {
            Some(s) if !self.unreviewed => Approver::Supervisor(s),
            other => Approver::Nobody(other.as_deref()),
        };
        vault.make_room()?;
        let closed = close::close(&vault, &session, approver, now)?;
        for (id, place, records, bytes) in &closed.batches {
            let fields = json!({ "batch": place, "id": id, "records": records, "bytes": bytes });
            app.say.line("batch", fields, format!("batch {place}: {records} records, {bytes} bytes"));
        }
        for number in &closed.rotten {
            let why = format!("record {number}: its sealed bytes changed; it stays behind");
            app.say.warning(&Problem::new(Code::VaultDamaged, why));
        }
        for number in &closed.oversize {
            let why = format!("record {number} is larger than a batch may be; it stays behind");
            app.say.warning(&Problem::new(Code::RecordTooLarge, why));
        }
        Ok(told(app, &closed))
    }

    /// The supervisor at the keyboard; nobody where none is needed or wanted.
    fn supervisor(&self, app: &App, vault: &Vault, now: shared::time::Second) -> Result<Option<std::sync::Arc<Unlocked>>, Problem> {
        let waiting = vault.unbatched()?;
        if waiting.is_empty() {
            return Err(Code::NothingToDo.into());
        }
        let roster = vault.demand_roster()?;
        joining::demand_unit(&roster, &vault.state()?)?;
        let named = match &app.settings.who {
            Some(name) => vault.member(name)?.role == Role::Supervisor,
            None => app.is_session(),
        };
        let withdrawn = waiting.iter().any(|r| r.withdrawn.is_some());
        let demanded = !close::may_close_unapproved(&roster, &waiting, vault.state()?.unit_time(now).minute());
        if named && (!self.unreviewed || withdrawn) {
            let member = app.member(vault)?;
            if member.role == Role::Supervisor {
                return Ok(Some(member));
            }
        }
        match (self.unreviewed, demanded) {
            (false, true) => Err(Problem::new(Code::ReviewNeeded, "a supervisor closes: --as SUPERVISOR")),
            _ => Ok(None),
        }
    }
}

fn told(app: &App, closed: &close::Closed) -> Exit {
    let fields = json!({
        "batches": closed.batches.len(),
        "records": closed.batches.iter().map(|b| b.2).sum::<usize>(),
        "approved": closed.approved,
        "will_wait": closed.will_wait,
        "rotten": closed.rotten,
        "oversize": closed.oversize,
    });
    let text = match (&closed.approved, closed.will_wait) {
        (Some(by), _) => format!("closed, approved by {by}. Send when there is a network: enroll-client sync"),
        (None, false) => "closed. Send when there is a network: enroll-client sync".to_owned(),
        (None, true) => "closed without approval: the centre will hold these records until a supervisor decides".to_owned(),
    };
    app.say.summary(fields, &text);
    if closed.rotten.is_empty() && closed.oversize.is_empty() { Exit::Done } else { Exit::Partly }
}
