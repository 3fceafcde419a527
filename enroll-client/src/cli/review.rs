//! `review list|show|withdraw` and `close`: the supervisor's end of the day.

use std::collections::BTreeMap;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use shared::{
    batch::WithdrawReason,
    draft::card::{ContactCard, ReviewCard},
    id::{Member, Number},
    problem::{Code, Problem},
};

use super::{App, Exit, settings::member};
use crate::{
    clock,
    close::{self, Approver, Left},
    rights::Act,
    status,
    vault::{
        Vault,
        members::{Role, Supervisor},
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
        #[arg(value_parser = number, required_unless_present = "unsigned_of")]
        number: Option<Number>,
        /// All that waits until this agent signs it again, when the agent has left
        #[arg(long, value_name = "NAME", value_parser = member, conflicts_with = "number")]
        unsigned_of: Option<Member>,
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
            Self::Withdraw { number, unsigned_of, reason } => withdraw(app, &vault, *number, unsigned_of.as_ref(), reason),
        }
    }
}

fn list(app: &App, vault: &Vault) -> Result<Exit, Problem> {
    let supervisor = app.supervisor(vault)?;
    let waiting = vault.unbatched()?;
    let mut rows = Vec::new();
    for record in &waiting {
        rows.push(review_row(vault, &supervisor, record)?);
    }
    app.say.table(
        "review",
        &["number", "finished", "agent", "form", "transaction", "name", "exceptions", "parts", "withdrawn", "card"],
        &rows,
    );
    let next = if waiting.is_empty() { "nothing waits for close" } else { "then: enroll-client close" };
    app.say.summary(json!({ "waiting": waiting.len() }), next);
    Ok(Exit::Done)
}

fn review_row(vault: &Vault, supervisor: &Supervisor, record: &RecordRow) -> Result<Vec<Value>, Problem> {
    // a card that this supervisor cannot open, or nobody any more, must not hide the others
    let opened = vault.card(supervisor, record, Card::Review).and_then(|card| card.map(|c| ReviewCard::parse(&c)).transpose());
    let (card, problem) = match opened {
        Ok(card) => (card, None),
        Err(problem) if is_of_one_card(&problem) => (None, Some(problem.code)),
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
        json!(record.withdrawn.as_ref().map(|w| w.reason.as_str())),
        json!(problem.map(|code| code.row().code)),
    ])
}

/// What stops one card and says nothing of the next.
fn is_of_one_card(problem: &Problem) -> bool {
    matches!(problem.code, Code::ReviewNeeded | Code::KeyFileDamaged | Code::VaultDamaged)
}

/// What waits for close and whose card this supervisor cannot open: mostly, it was finished before their key was here.
fn unseen(vault: &Vault, supervisor: &Supervisor) -> Result<Vec<Number>, Problem> {
    let waiting = vault.unbatched()?;
    let closes = waiting.iter().filter(|record| record.withdrawn.is_none());
    // a card that cannot be read stops no close
    Ok(closes.filter(|record| vault.card(supervisor, record, Card::Review).is_err()).map(|record| record.number).collect())
}

fn show(app: &App, vault: &Vault, number: Number) -> Result<Exit, Problem> {
    let supervisor = app.supervisor(vault)?;
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

fn withdraw(app: &App, vault: &Vault, number: Option<Number>, unsigned_of: Option<&Member>, reason: &str) -> Result<Exit, Problem> {
    let reason: WithdrawReason = reason.parse().map_err(|_| Code::ReasonUnknown)?;
    let session = vault.capture()?;
    let supervisor = app.supervisor(vault)?;
    let left = vault.to_sign_again()?.into_iter().filter(|record| Some(&record.agent) == unsigned_of).map(|record| record.number);
    let numbers: Vec<Number> = number.into_iter().chain(left).collect();
    if numbers.is_empty() {
        return Err(Problem::new(Code::NothingToDo, "no record waits until this agent signs it again"));
    }
    let mut withdrawn = Vec::new();
    for number in numbers {
        withdrawn.push(vault.withdraw(&session, number, reason, &supervisor)?.to_string());
    }
    let text = format!("withdrawn: {}; the manifest will say so", withdrawn.join(", "));
    app.say.summary(json!({ "withdrawn": withdrawn, "reason": reason.as_str() }), text);
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
        app.rights(&vault)?.unit(Act::Close)?;
        let session = vault.capture()?;
        let supervisor = self.supervisor(app, &vault)?;
        let approver = match &supervisor {
            Some(s) if !self.unreviewed => Approver::Supervisor(s),
            other => Approver::Nobody(other.as_ref()),
        };
        let unseen = match approver {
            Approver::Supervisor(supervisor) => unseen(&vault, supervisor)?,
            Approver::Nobody(_) => Vec::new(),
        };
        if !unseen.is_empty() {
            let numbers = unseen.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            app.say.note(format!(
                "this supervisor's key opens no review card of {numbers}: look at the papers, or let another supervisor close"
            ));
        }
        vault.make_room()?;
        let closed = close::close(&vault, &session, approver, clock::now())?;
        for (id, place, records, bytes) in &closed.batches {
            let fields = json!({ "batch": place, "id": id, "records": records, "bytes": bytes });
            app.say.line("batch", fields, format!("batch {place}: {records} records, {bytes} bytes"));
        }
        left_behind(app, &closed.left);
        Ok(told(app, &closed, &unseen))
    }

    /// The supervisor at the keyboard; nobody where none is needed or wanted.
    fn supervisor(&self, app: &App, vault: &Vault) -> Result<Option<Supervisor>, Problem> {
        let waiting = vault.unbatched()?;
        if waiting.is_empty() {
            return Err(Code::NothingToDo.into());
        }
        let named = match &app.settings.who {
            Some(name) => vault.member(name)?.role == Role::Supervisor,
            None => app.is_session(),
        };
        let withdrawn = waiting.iter().any(|r| r.withdrawn.is_some());
        let demanded = !close::may_close_unapproved(&vault.demand_roster()?, &waiting);
        if named && (!self.unreviewed || withdrawn) {
            // in a session an agent may sit here: then nobody approves
            match app.supervisor(vault) {
                Err(problem) if problem.code == Code::ReviewNeeded => {}
                supervisor => return supervisor.map(Some),
            }
        }
        match (self.unreviewed, demanded) {
            (false, true) => Err(Problem::new(Code::ReviewNeeded, "a supervisor closes: --as SUPERVISOR")),
            _ => Ok(None),
        }
    }
}

/// Each record that stays behind is named, with what it waits for.
fn left_behind(app: &App, left: &Left) {
    let say = |code: Code, number: &Number, why: &str| app.say.warning(&Problem::new(code, format!("record {number} {why}")));
    left.rotten.iter().for_each(|n| say(Code::VaultDamaged, n, "stays behind: its sealed bytes changed"));
    left.oversize.iter().for_each(|n| say(Code::RecordTooLarge, n, "stays behind: it is larger than a batch may be"));
    left.own.iter().for_each(|n| say(Code::SelfApproval, n, "waits for another supervisor"));
    let mut waiting: BTreeMap<&Member, Vec<String>> = BTreeMap::new();
    left.unsigned.iter().for_each(|(number, agent)| waiting.entry(agent).or_default().push(number.to_string()));
    for (agent, numbers) in waiting {
        let why = format!("{}: {}", numbers.join(", "), status::waits_for(agent));
        app.say.warning(&Problem::new(Code::SessionNeeded, why));
    }
}

fn told(app: &App, closed: &close::Closed, unseen: &[Number]) -> Exit {
    let fields = json!({
        "batches": closed.batches.len(),
        "records": closed.batches.iter().map(|b| b.2).sum::<usize>(),
        "approved": closed.approved,
        "will_wait": closed.will_wait,
        "unseen": unseen,
        "rotten": closed.left.rotten,
        "oversize": closed.left.oversize,
        "own": closed.left.own,
        "unsigned": closed.left.unsigned.iter().map(|(number, agent)| json!({ "number": number, "agent": agent })).collect::<Vec<_>>(),
    });
    let text = match (&closed.approved, closed.will_wait) {
        (Some(by), _) => format!("closed, approved by {by}. Send when there is a network: enroll-client sync"),
        (None, false) => "closed. Send when there is a network: enroll-client sync".to_owned(),
        (None, true) => "closed without approval: the centre will hold these records until an adjudicator decides".to_owned(),
    };
    app.say.summary(fields, &text);
    if closed.left.is_empty() { Exit::Done } else { Exit::Partly }
}
