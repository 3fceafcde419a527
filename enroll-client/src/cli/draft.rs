//! `draft new|set|attach|detach|except|unexcept|import-cbeff|show|list|discard`.

use std::{
    path::{Path, PathBuf},
    rc::Rc,
};

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use shared::{
    draft::{Capture, Draft},
    form::Form,
    id::{FormName, Transaction},
    image::{self, ImageKind},
    problem::{Code, Problem},
    record::{ExceptionReason, Part, Target},
};
use zeroize::Zeroizing;

use super::{App, Exit};
use crate::{
    capture::{Desk, draft_part},
    cbeff, clock, durable,
    rights::Act,
    vault::{
        Vault,
        drafts::{DraftId, OpenDraft},
    },
};

/// Largest part that is read, in bytes.
const PART_MAX: u64 = 16 << 20;

/// Most codes that are shown for a value that is none.
const MEANT: usize = 8;

/// `draft …`
#[derive(Debug, Subcommand)]
pub enum DraftCommand {
    /// Begin a draft
    New(New),
    /// Write fields; from standard input they stay out of the list of processes
    Set(Set),
    /// Attach a picture or document at a position
    Attach(Attach),
    /// Take a picture or document out again
    Detach {
        /// Which draft
        draft: DraftId,
        /// Where it is, as finger-left-ring
        position: String,
    },
    /// Say why something cannot be captured; said again, the last reason counts
    Except(Except),
    /// Take such a reason back
    Unexcept {
        /// Which draft
        draft: DraftId,
        /// Where
        position: String,
    },
    /// Attach what a CBEFF file (XML) holds
    ImportCbeff {
        /// Which draft
        draft: DraftId,
        /// The file, or - for standard input
        file: PathBuf,
    },
    /// What a draft says, and what is missing
    Show {
        /// Which draft
        draft: DraftId,
    },
    /// Drafts of this laptop
    List,
    /// Discard a draft; its key is destroyed. A supervisor discards the draft of somebody who does not work here any more
    Discard {
        /// Which draft
        draft: DraftId,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

/// `draft new`
#[derive(Debug, Args)]
pub struct New {
    /// Form, as national-id/1
    #[arg(value_parser = form_name)]
    form: FormName,
    /// new, renewal, replacement or correction
    #[arg(long, default_value = "new", value_parser = transaction)]
    transaction: Transaction,
    /// Whom it applies to: resident:REFERENCE, record:UNIT/ID or national-number:NUMBER
    #[arg(long, value_parser = target)]
    applies_to: Option<Target>,
}

/// `draft set`
#[derive(Debug, Args)]
pub struct Set {
    /// Which draft
    draft: DraftId,
    /// Fields and values; an empty value forgets the field
    #[arg(value_name = "FIELD=VALUE")]
    fields: Vec<String>,
    /// Read lines FIELD=VALUE from standard input
    #[arg(long)]
    stdin: bool,
    /// Clear a field in the registry (corrections)
    #[arg(long, value_name = "FIELD")]
    clear: Vec<String>,
    /// Whom it applies to: resident:REFERENCE, record:UNIT/ID or national-number:NUMBER
    #[arg(long, value_parser = target)]
    applies_to: Option<Target>,
}

/// `draft attach`
#[derive(Debug, Args)]
pub struct Attach {
    /// Which draft
    draft: DraftId,
    /// Where it belongs, as finger-left-ring
    position: String,
    /// The file, or - for standard input
    file: PathBuf,
    /// What it is [default: by the file's ending]
    #[arg(long, value_name = "TYPE")]
    media_type: Option<String>,
    /// What captured it
    #[arg(long)]
    device: Option<String>,
}

/// `draft except`
#[derive(Debug, Args)]
pub struct Except {
    /// Which draft
    draft: DraftId,
    /// missing, injured, illness or child-under-12
    #[arg(value_parser = reason)]
    reason: ExceptionReason,
    /// Where; without it, everything that is still empty and that the reason may excuse
    position: Option<String>,
}

pub(super) fn form_name(text: &str) -> Result<FormName, String> {
    text.parse().map_err(|_| "a form is written name/version".to_owned())
}
fn transaction(text: &str) -> Result<Transaction, String> {
    text.parse().map_err(|_| "new, renewal, replacement or correction".to_owned())
}
fn reason(text: &str) -> Result<ExceptionReason, String> {
    serde_json::from_value(json!(text)).map_err(|_| "missing, injured, illness or child-under-12".to_owned())
}
fn target(text: &str) -> Result<Target, String> {
    let how = || "resident:REFERENCE, record:UNIT/ID or national-number:NUMBER".to_owned();
    let (kind, value) = text.split_once(':').ok_or_else(how)?;
    match kind {
        "resident" => Ok(Target::Resident { resident: value.parse().map_err(|_| how())? }),
        "record" => {
            let (unit, record) = value.split_once('/').ok_or_else(how)?;
            Ok(Target::Record { unit: unit.parse().map_err(|_| how())?, record: record.parse().map_err(|_| how())? })
        }
        "national-number" => Ok(Target::NationalNumber { national_number: value.to_owned() }),
        _ => Err(how()),
    }
}

impl DraftCommand {
    /// Runs it.
    pub fn run(&self, app: &App) -> Result<Exit, Problem> {
        if matches!(self, Self::List) {
            return list(app);
        }
        let vault = app.vault()?;
        // reading needs no lock: another process may be capturing
        if let Self::Show { draft } = self {
            let roster = vault.demand_roster()?;
            let agent = app.member(&vault)?;
            let open = vault.open_draft(&agent, draft)?;
            let draft = Draft::parse(&open.plain)?;
            let listed = roster.facts().form(draft.form()).ok_or_else(|| Problem::new(Code::FormUnknown, draft.form().to_string()))?;
            return show(app, &open, &draft, &Form::named(listed, &vault.form(listed)?)?);
        }
        if let Self::Discard { draft, yes } = self {
            return discard(app, &vault, draft, *yes);
        }
        // before a passphrase is typed, and before the resident sits down
        app.rights(&vault)?.unit(Act::Capture)?;
        let session = vault.capture()?;
        let agent = app.member(&vault)?;
        app.show_slips(&vault, &session, &agent)?;
        if let (Self::New(_), Some(told)) = (self, vault.state()?.clock_is_wrong(clock::now())) {
            app.say.note(told);
        }
        let desk = Desk::open(&vault, &session, &agent)?;
        match self {
            Self::New(new) => new.run(app, &desk),
            Self::Set(set) => set.run(app, &desk),
            Self::Attach(attach) => attach.run(app, &desk),
            Self::Except(except) => except.run(app, &desk),
            Self::Detach { draft, position } => changed(app, &desk, draft, |draft| draft.detach(position).is_some(), position),
            Self::Unexcept { draft, position } => changed(app, &desk, draft, |draft| draft.unexcept(position), position),
            Self::ImportCbeff { draft, file } => import_cbeff(app, &desk, draft, file),
            Self::Show { .. } | Self::List | Self::Discard { .. } => Ok(Exit::Done),
        }
    }
}

/// The owner discards a draft, also one that nobody opens any more. Of somebody who does not work here any more, a supervisor does.
fn discard(app: &App, vault: &Vault, id: &DraftId, yes: bool) -> Result<Exit, Problem> {
    let row = vault.draft(id)?;
    let session = vault.capture()?;
    let member = app.member(vault)?;
    if row.agent == member.name {
        app.show_slips(vault, &session, &member)?;
    } else {
        // somebody else's is unknown to an agent
        app.as_supervisor(vault, member).map_err(|_| Problem::new(Code::DraftUnknown, id.to_string()))?;
        let owner = vault.member(&row.agent)?;
        if app.rights(vault)?.member(&owner.name, &owner.key, owner.role.into()).is_ok() {
            return Err(Problem::new(Code::DraftUnknown, format!("{id} is of {}, who works here and discards it", row.agent)));
        }
    }
    if !yes {
        app.say.note(format!("draft {id} of {}, begun {}: what it says is lost for good", row.agent, row.started));
        super::agent::confirm()?;
    }
    vault.discard_draft(&session, &row)?;
    app.say.summary(json!({ "discarded": id.to_string() }), format!("draft {id} is discarded, its key destroyed"));
    Ok(Exit::Done)
}

/// One thing of a draft is taken back.
fn changed(app: &App, desk: &Desk<'_>, id: &DraftId, change: impl FnOnce(&mut Draft) -> bool, position: &str) -> Result<Exit, Problem> {
    let (open, mut draft, form) = opened(desk, id)?;
    if !change(&mut draft) {
        return Err(Problem::new(Code::NothingToDo, format!("{position} holds nothing of this kind")));
    }
    desk.save(&open, &draft, &[])?;
    saved(app, &open, &draft, &form)
}

fn opened(desk: &Desk<'_>, id: &DraftId) -> Result<(OpenDraft, Draft, Rc<Form>), Problem> {
    let open = desk.vault.open_draft(desk.agent, id)?;
    let draft = Draft::parse(&open.plain)?;
    let form = desk.form(draft.form())?;
    Ok((open, draft, form))
}

/// After each step: saved, and what is still missing.
fn saved(app: &App, open: &OpenDraft, draft: &Draft, form: &Form) -> Result<Exit, Problem> {
    let missing: Vec<String> = draft.missing(form)?.iter().map(ToString::to_string).collect();
    let id = open.row.id.to_string();
    let text = if missing.is_empty() {
        format!("draft {id} is complete: enroll-client finish {id}")
    } else {
        format!("draft {id} is saved; still to do: {}", missing.join(", "))
    };
    app.say.summary(json!({ "draft": id, "missing": missing }), &text);
    Ok(Exit::Done)
}

impl New {
    fn run(&self, app: &App, desk: &Desk<'_>) -> Result<Exit, Problem> {
        let form = desk.form(&self.form)?;
        let mut draft = Draft::new(&form, self.transaction)?;
        if let Some(target) = &self.applies_to {
            draft.apply_to(target.clone())?;
        }
        let open = desk.begin(&draft)?;
        saved(app, &open, &draft, &form)
    }
}

impl Set {
    fn run(&self, app: &App, desk: &Desk<'_>) -> Result<Exit, Problem> {
        let (open, mut draft, form) = opened(desk, &self.draft)?;
        let typed = if self.stdin { Zeroizing::new(durable::read_given(Path::new("-"), 64 << 10)?) } else { Zeroizing::default() };
        let typed = std::str::from_utf8(&typed).map_err(|_| Problem::new(Code::InputUnreadable, "standard input is not UTF-8"))?;
        let lines = typed.lines().filter(|l| !l.is_empty());
        let pairs = self.fields.iter().map(String::as_str).chain(lines);
        let usage = || Problem::new(Code::Usage, "a field is set as FIELD=VALUE");
        let pairs = pairs.map(|pair| pair.split_once('=').ok_or_else(usage)).collect::<Result<Vec<_>, _>>()?;
        self.clear.iter().try_for_each(|field| draft.clear(&form, field))?;
        if let Some(target) = &self.applies_to {
            draft.apply_to(target.clone())?;
        }
        // a field that is refused keeps no other out
        let mut refused = Vec::new();
        for &(field, value) in &pairs {
            if value.is_empty() {
                draft.unset(field);
            } else {
                let (before, sound) = (draft.clone(), desk.check_day(&draft).is_ok());
                let set = draft.set(&form, field, value);
                if let Err(problem) = set.and_then(|()| if sound { desk.check_day(&draft) } else { Ok(()) }) {
                    draft = before;
                    refused.push((field, value, problem));
                }
            }
        }
        let exit = if refused.is_empty() { Exit::Done } else { Exit::Partly };
        let unchanged = refused.len() == pairs.len() && self.clear.is_empty() && self.applies_to.is_none();
        let last = if unchanged { refused.pop() } else { None };
        for (field, value, problem) in &refused {
            app.say.warning(problem);
            meant(app, &form, field, value);
        }
        if let Some((field, value, problem)) = last {
            meant(app, &form, field, value);
            return Err(problem);
        }
        desk.save(&open, &draft, &[])?;
        saved(app, &open, &draft, &form)?;
        Ok(exit)
    }
}

/// What a value may have meant that is no code of its field's lists.
fn meant(app: &App, form: &Form, field: &str, value: &str) {
    if form.lists(field).is_none() {
        return;
    }
    let found = form.search(field, value, app.say.lang);
    for one in found.iter().take(MEANT) {
        app.say.note(format!("  {field}={}  {}", one.code, one.told));
    }
    app.say.note(format!("  search: enroll-client form codes {} {field} TEXT", form.name()));
}

impl Attach {
    fn run(&self, app: &App, desk: &Desk<'_>) -> Result<Exit, Problem> {
        let (open, mut draft, form) = opened(desk, &self.draft)?;
        let bytes = durable::read_given(&self.file, PART_MAX)?;
        let media_type = match &self.media_type {
            Some(given) => given.as_str(),
            None => kind(&self.file, &bytes).ok_or_else(|| Problem::new(Code::Usage, "say what it is: --media-type"))?,
        };
        let capture = Capture { quality: None, device: self.device.clone() };
        let part = draft.attach(&form, &self.position, media_type, &bytes, capture)?;
        told(app, &self.position, &part, &bytes);
        desk.save(&open, &draft, &[draft_part(part.name.as_str(), bytes)])?;
        saved(app, &open, &draft, &form)
    }
}

/// By the first bytes, or else by the file's ending: then it is refused with what is wrong with it.
fn kind(file: &Path, bytes: &[u8]) -> Option<&'static str> {
    if let Some(kind) = ImageKind::of(bytes) {
        return Some(kind.media_type());
    }
    let ending = file.extension()?.to_str()?.to_ascii_lowercase();
    Some(match ending.as_str() {
        "jpg" | "jpeg" => "image/jpeg",
        "png" | "tif" | "tiff" | "bmp" | "pgm" | "ppm" | "gif" | "webp" | "heic" => "image/png",
        "jp2" => "image/jp2",
        "wsq" => "image/wsq",
        "pdf" => "application/pdf",
        _ => return None,
    })
}

/// Where an image names another finger or eye than the agent, and the form says who is right: that is said.
fn told(app: &App, claimed: &str, part: &Part, bytes: &[u8]) {
    let said = image::read(&part.media_type, bytes).ok().and_then(|header| header.says.other_than(claimed));
    match said {
        Some(said) if part.position == said => app.say.note(format!("{claimed}: the image says that it is {said}, and is attached there")),
        Some(said) => app.say.note(format!("{claimed}: the image says that it is {said}; this form takes your word")),
        None => {}
    }
}

impl Except {
    fn run(&self, app: &App, desk: &Desk<'_>) -> Result<Exit, Problem> {
        let (open, mut draft, form) = opened(desk, &self.draft)?;
        match &self.position {
            Some(position) => draft.except(&form, position, self.reason)?,
            None => draft.except_rest(&form, self.reason)?,
        }
        desk.check_day(&draft)?;
        desk.save(&open, &draft, &[])?;
        saved(app, &open, &draft, &form)
    }
}

/// What is good in the file is attached; what is odd is named, each with its reason.
fn import_cbeff(app: &App, desk: &Desk<'_>, id: &DraftId, file: &Path) -> Result<Exit, Problem> {
    let (open, mut draft, form) = opened(desk, id)?;
    let found = cbeff::read(&durable::read_given(file, PART_MAX)?)?;
    let mut odd: Vec<Problem> = found.odd.into_iter().map(|why| Problem::new(Code::CbeffInvalid, why)).collect();
    let mut parts = Vec::new();
    for mut one in found.parts {
        // a file may hold more than the form knows of (a photograph of an exception): said, not refused
        if form.modality(one.position).is_none() {
            app.say.note(format!("{}: {} has no such position, left out", one.position, form.name()));
            continue;
        }
        let capture = Capture { quality: one.quality.take(), device: None };
        match draft.attach(&form, one.position, one.media_type, &one.bytes, capture) {
            Ok(part) => {
                told(app, one.position, &part, &one.bytes);
                parts.push(draft_part(part.name.as_str(), std::mem::take(&mut *one.bytes)));
            }
            Err(problem) => odd.push(problem),
        }
    }
    for problem in &odd {
        app.say.warning(problem);
    }
    // nothing could be taken: that is the first problem's code
    if let (true, Some(first)) = (parts.is_empty(), odd.first()) {
        return Err(first.clone());
    }
    desk.save(&open, &draft, &parts)?;
    let exit = saved(app, &open, &draft, &form)?;
    Ok(if odd.is_empty() { exit } else { Exit::Partly })
}

fn list(app: &App) -> Result<Exit, Problem> {
    let drafts = app.vault()?.drafts()?;
    let rows: Vec<Vec<Value>> =
        drafts.iter().map(|d| vec![json!(d.id.to_string()), json!(d.agent), json!(d.started), json!(d.changed)]).collect();
    app.say.table("draft", &["draft", "agent", "started", "changed"], &rows);
    app.say.summary(json!({ "drafts": rows.len() }), "");
    Ok(Exit::Done)
}

fn show(app: &App, open: &OpenDraft, draft: &Draft, form: &Form) -> Result<Exit, Problem> {
    shown(app, draft, form);
    saved(app, open, draft, form)
}

/// Everything that a draft says, in the order of its form and the person's language.
pub fn shown(app: &App, draft: &Draft, form: &Form) {
    let lang = app.say.lang;
    let mut rows = vec![vec![json!("form"), json!(form.title().say(lang))], vec![json!("transaction"), json!(draft.transaction())]];
    if let Some(target) = draft.applies_to() {
        rows.push(vec![json!("applies to"), json!(serde_json::to_string(target).unwrap_or_default())]);
    }
    for field in form.layout().iter().flat_map(|g| &g.fields) {
        if let (Some(value), Some(label)) = (draft.person().get(field), form.label(field)) {
            let told = value.as_deref().and_then(|code| Some(format!("{} ({code})", form.told(field, code, lang)?)));
            let shown = told.as_deref().or(value.as_deref()).unwrap_or("(cleared)");
            rows.push(vec![json!(label.say(lang)), json!(shown)]);
        }
    }
    for part in draft.parts() {
        rows.push(vec![json!(part.position), json!(format!("{}, {} bytes", part.media_type, part.size))]);
    }
    for exception in draft.exceptions() {
        rows.push(vec![json!(exception.position), json!(exception.reason)]);
    }
    app.say.table("content", &["what", "value"], &rows);
}
