//! `status`: where everything stands.

use std::collections::BTreeMap;

use clap::Args;
use serde_json::{Value, json};
use shared::{
    id::Number,
    keys::{KeyRef, VerifierKey},
    problem::{Code, Problem},
    slip::SlipCode,
};

use super::{App, Exit};
use crate::{
    alarms, clock,
    rights::{Act, Admission, Rights},
    status::{self, Stand},
    vault::{LOW_ROOM, Vault, outbox::BatchRow, records::RecordRow},
};

/// `status`
#[derive(Debug, Args)]
pub struct Status {
    /// A resident's slip code, or a record's number
    slip: Option<String>,
    /// Every record, one a line
    #[arg(long)]
    records: bool,
}

impl Status {
    /// Answers from the vault, with no network and no passphrase.
    pub fn run(&self, app: &App) -> Result<Exit, Problem> {
        let vault = app.vault()?;
        match &self.slip {
            Some(slip) => one(app, &vault, slip),
            None => all(app, &vault, self.records),
        }
    }
}

fn one(app: &App, vault: &Vault, given: &str) -> Result<Exit, Problem> {
    let record = if let Ok(number) = given.parse::<Number>() {
        vault.record(number)?
    } else {
        let code = SlipCode::from_typed(given).map_err(|_| Problem::new(Code::SlipUnknown, "its check symbol does not fit"))?;
        vault.record_of_slip(&code.digest())?
    };
    let batch = record.batch.map(|id| vault.batch(&id)).transpose()?;
    let stand = Stand::of(&record, batch.as_ref());
    let fields = json!({
        "number": record.number, "state": stand.word(), "told": stand.told(), "next": stand.next(),
        "finished": record.finished, "received": batch.as_ref().and_then(|b| b.receipt.map(|r| r.at)),
    });
    app.say.summary(fields, format!("{}: {}\n  → {}", record.number, stand.told(), stand.next()));
    Ok(Exit::Done)
}

fn all(app: &App, vault: &Vault, each: bool) -> Result<Exit, Problem> {
    let counts = records(app, vault, each)?;
    let batches = batches(app, vault)?;
    let open = alarms::open(vault, clock::now())?;
    for alarm in &open {
        app.say.warning(&alarm.problem());
    }
    let slips = vault.unshown()?;
    for record in &slips {
        app.say.note(format!("the slip code of {} was not shown yet: the next command of {} shows it", record.number, record.agent));
    }
    let (drafts, unit) = (vault.drafts()?.len(), unit(app, vault, &open)?);
    let named: Vec<Value> = open.iter().map(|a| json!({ "code": a.alarm.to_string(), "since": a.since, "seen": a.seen })).collect();
    let mut fields = json!({ "drafts": drafts, "records": counts, "batches": batches, "slips": slips.len(), "alarms": named });
    if let (Value::Object(all), Value::Object(more)) = (&mut fields, unit.fields) {
        all.extend(more);
    }
    let told: Vec<String> = counts.iter().map(|(word, n)| format!("{n} {word}")).collect();
    let told = if told.is_empty() { "no records yet".to_owned() } else { told.join(", ") };
    app.say.summary(fields, format!("{drafts} drafts; {told}\nunit: {}", unit.text));
    Ok(if open.is_empty() { unit.exit } else { alarms::exit(&open) })
}

/// How many records stand where; each of them as a line where that is asked for.
fn records(app: &App, vault: &Vault, each: bool) -> Result<BTreeMap<&'static str, usize>, Problem> {
    let stands = status::stands(vault)?;
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, stand) in &stands {
        *counts.entry(stand.word()).or_default() += 1;
    }
    if each {
        let row = |(r, s): &(RecordRow, Stand)| {
            vec![json!(r.number), json!(r.finished), json!(r.agent), json!(r.form), json!(s.word()), json!(s.told())]
        };
        app.say.table("record", &["number", "finished", "agent", "form", "state", "told"], &stands.iter().map(row).collect::<Vec<_>>());
    }
    Ok(counts)
}

fn batches(app: &App, vault: &Vault) -> Result<usize, Problem> {
    let batches = vault.batches()?;
    let row = |b: &BatchRow| {
        let (received, problem) = (b.receipt.map(|r| r.at), b.problem.as_ref().map(ToString::to_string));
        vec![json!(b.place), json!(b.closed), json!(b.records), json!(b.payload), json!(b.sent), json!(received), json!(problem)]
    };
    let headings = ["batch", "closed", "records", "bytes", "sent", "received", "problem"];
    app.say.table("batch", &headings, &batches.iter().map(row).collect::<Vec<_>>());
    Ok(batches.len())
}

/// How the unit stands, in a sentence and for machines.
struct Told {
    text: String,
    fields: Value,
    exit: Exit,
}

/// Says what nobody may overlook, each time until it is settled, and early when capture will end.
fn unit(app: &App, vault: &Vault, open: &[alarms::Standing]) -> Result<Told, Problem> {
    let state = vault.state()?;
    let fingerprint = state.key.fingerprint();
    let next = state.next.as_ref().map(VerifierKey::fingerprint);
    let mut fields = json!({ "key": state.key, "fingerprint": fingerprint, "next_fingerprint": next });
    if vault.roster()?.is_none() {
        let told = "no roster yet: enroll-client sync, or enroll-client roster import FILE".to_owned();
        fields["unit"] = json!(told);
        return Ok(Told { text: format!("{told}\nkey: {fingerprint}"), fields, exit: Exit::Done });
    }
    let rights = app.rights(vault)?;
    let capture = rights
        .unit(Act::Capture)
        .map(drop)
        .and_then(|()| vault.unit_keys().map(drop))
        .and_then(|()| vault.may_write())
        .and_then(|()| vault.room_for(0));
    let mut exit = Exit::Done;
    if let Err(problem) = &capture
        && open.iter().all(|alarm| alarm.alarm.code() != problem.code)
    {
        app.say.warning(problem);
        // to wait for the centre is no alarm
        exit = if problem.code == Code::UnitNotAdmitted { Exit::Done } else { Exit::of(problem.code) };
    }
    let notes = notes(vault, &rights)?;
    for note in &notes {
        app.say.note(note);
    }
    let days = rights.days_left();
    let late = if rights.in_grace() || rights.expires_soon() || days < 7 { " — sync soon" } else { "" };
    let able = match &capture {
        Ok(()) => format!("capture possible for {days} more days{late}"),
        Err(problem) => format!("no capture: {}", problem.code),
    };
    let told = format!("{} {}, roster {}, {able}", state.unit, rights.admission_of_unit(), rights.roster().version());
    let kept: Vec<Value> = rights.kept(&vault.members()?).iter().map(|(key, until)| json!({ "key": key, "until": until })).collect();
    fields["unit"] = json!(told);
    fields["capture"] = json!(capture.err().map_or_else(|| "ok".to_owned(), |p| p.code.to_string()));
    fields["days_left"] = json!(days);
    fields["kept"] = json!(kept);
    fields["unsigned"] = json!(status::unsigned(vault)?);
    fields["notes"] = json!(notes);
    fields["seen"] = json!(state.seen.size);
    Ok(Told { text: format!("{told}\nkey: {fingerprint}\nlog seen up to {}", state.seen.size), fields, exit })
}

/// What people should do in the next days.
fn notes(vault: &Vault, rights: &Rights) -> Result<Vec<String>, Problem> {
    let (mut notes, facts) = (Vec::new(), rights.roster().facts());
    notes.extend(rights.state().clock_is_wrong(clock::now()));
    if vault.room_for(0).is_ok() && vault.room_for(LOW_ROOM).is_err() {
        notes.push("the disk is nearly full: `enroll-client close`, `enroll-client sync`, then `enroll-client prune`".to_owned());
    }
    let asked: Vec<String> = vault.holds()?.iter().map(ToString::to_string).collect();
    if !asked.is_empty() {
        notes.push(format!(
            "the centre looks for files of its own and asks to keep the batches {}: prune passes over them until a sync says otherwise",
            asked.join(", ")
        ));
    }
    let newest = "take the newest: `enroll-client sync` or `enroll-client roster import FILE`";
    if rights.days_left() >= 0 && rights.in_grace() {
        notes.push(format!("the roster is past its date; capture ends {}: {newest}", rights.end_of_capture()));
    } else if rights.days_left() >= 0 && rights.expires_soon() {
        notes.push(format!("the roster expires {}; capture ends {}: {newest}", facts.expires, rights.end_of_capture()));
    }
    if let Admission::KeptUntil(until) = rights.admission_of_unit() {
        notes.push(format!("the key of this unit was replaced and goes on until {until}: close and send before then"));
    }
    let own = KeyRef::from(&rights.state().key);
    for (key, until) in rights.kept(&vault.members()?).into_iter().filter(|(key, _)| *key != own) {
        notes.push(format!("the old key {key} goes on until {until}: close and send what it signed before then"));
    }
    if let Some(next) = &rights.state().next {
        notes.push(format!("a new key waits until the centre admits it: {}; then `enroll-client sync`", next.fingerprint()));
    }
    for (agent, n) in status::unsigned(vault)? {
        notes.push(format!("{n} records wait: {}", status::waits_for(&agent)));
    }
    Ok(notes)
}
