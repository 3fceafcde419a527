//! `form list|show|codes`: what the forms of the roster ask for. Read only; nobody logs in for it.

use clap::Subcommand;
use serde_json::{Value, json};
use shared::{
    form::Form,
    id::FormName,
    problem::{Code, Problem},
};

use super::{App, Exit, draft::form_name};

/// `form …`
#[derive(Debug, Subcommand)]
pub enum FormCommand {
    /// The forms of the roster
    List,
    /// What a form asks for: fields, positions, exceptions, code lists
    Show {
        /// Form, as national-id/1
        #[arg(value_parser = form_name)]
        form: FormName,
    },
    /// The codes that a field takes; with a text, those that it may mean, in any script
    Codes {
        /// Form, as national-id/1
        #[arg(value_parser = form_name)]
        form: FormName,
        /// Field, as place_of_birth
        field: String,
        /// Words of a name, of what it lies in, or the beginning of a code
        text: Vec<String>,
    },
}

impl FormCommand {
    /// Runs it.
    pub fn run(&self, app: &App) -> Result<Exit, Problem> {
        match self {
            Self::List => list(app),
            Self::Show { form } => show(app, &named(app, form)?),
            Self::Codes { form, field, text } => codes(app, &named(app, form)?, field, &text.join(" ")),
        }
    }
}

fn named(app: &App, name: &FormName) -> Result<Form, Problem> {
    let vault = app.vault()?;
    let roster = vault.demand_roster()?;
    let listed = roster.facts().form(name).ok_or_else(|| Problem::new(Code::FormUnknown, name.to_string()))?;
    Form::named(listed, &vault.form(listed)?)
}

fn list(app: &App) -> Result<Exit, Problem> {
    let vault = app.vault()?;
    let mut rows = Vec::new();
    for listed in &vault.demand_roster()?.facts().forms {
        let form = Form::named(listed, &vault.form(listed)?)?;
        let transactions: Vec<String> = form.transactions().map(|t| t.to_string()).collect();
        rows.push(vec![json!(form.name().to_string()), json!(form.title().say(app.say.lang)), json!(transactions.join(", "))]);
    }
    app.say.table("form", &["form", "title", "transactions"], &rows);
    app.say.summary(json!({ "forms": rows.len() }), "");
    Ok(Exit::Done)
}

fn show(app: &App, form: &Form) -> Result<Exit, Problem> {
    let lang = app.say.lang;
    let demanded = |wanted: &dyn Fn(&shared::form::Demands) -> bool| {
        let of = |t| form.demands(t).is_ok_and(wanted);
        form.transactions().filter(|t| of(*t)).map(|t| t.to_string()).collect::<Vec<_>>().join(", ")
    };
    let mut fields = Vec::new();
    for group in form.layout() {
        for field in &group.fields {
            let label = form.label(field).map(|words| words.say(lang));
            let asks = match form.lists(field) {
                Some(lists) => format!("a code of {}", lists.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")),
                None => form.asks(field).unwrap_or_default().to_owned(),
            };
            fields.push(vec![json!(field), json!(label), json!(asks), json!(demanded(&|d| d.fields.contains(field)))]);
        }
    }
    app.say.table("field", &["field", "label", "asks", "demanded by"], &fields);
    let positions: Vec<Vec<Value>> = form
        .all_positions()
        .map(|(position, modality)| {
            let types = modality.media_types.join(", ");
            let may = demanded(&|d| d.optional.iter().any(|p| p == position));
            vec![
                json!(position),
                json!(types),
                json!(modality.max_bytes),
                json!(demanded(&|d| d.parts.iter().any(|p| p == position))),
                json!(may),
            ]
        })
        .collect();
    app.say.table("position", &["position", "takes", "most bytes", "demanded by", "may be in"], &positions);
    let mut exceptions = Vec::new();
    for transaction in form.transactions() {
        for (reason, modalities) in &form.demands(transaction)?.exceptions {
            exceptions.push(vec![json!(transaction.to_string()), json!(reason), json!(modalities.join(", "))]);
        }
    }
    app.say.table("exception", &["transaction", "exception", "excuses"], &exceptions);
    let lists: Vec<Vec<Value>> =
        form.all_lists().map(|(name, list)| vec![json!(name), json!(list.iter().count()), json!(list.credit())]).collect();
    app.say.table("list", &["list", "codes", "credit"], &lists);
    let value =
        json!({ "form": form.name().to_string(), "title": form.title().say(lang), "fields": fields.len(), "positions": positions.len() });
    app.say.summary(value, format!("{} {}", form.name(), form.title().say(lang)));
    Ok(Exit::Done)
}

fn codes(app: &App, form: &Form, field: &str, text: &str) -> Result<Exit, Problem> {
    let lists = form.lists(field).ok_or_else(|| match form.label(field) {
        Some(_) => Problem::new(Code::NothingToDo, format!("{field} takes no code: {}", form.asks(field).unwrap_or_default())),
        None => Problem::new(Code::FieldUnknown, if shared::form::is_field_name(field) { field } else { "" }),
    })?;
    let found = if text.trim().is_empty() { form.all_codes(field, app.say.lang) } else { form.search(field, text, app.say.lang) };
    let rows: Vec<Vec<Value>> = found.iter().map(|one| vec![json!(one.code), json!(one.told)]).collect();
    app.say.table("code", &["code", "name"], &rows);
    let names: Vec<&str> = lists.iter().map(|(name, _)| *name).collect();
    app.say.summary(json!({ "codes": rows.len(), "lists": names }), format!("{} codes of {}", rows.len(), names.join(", ")));
    Ok(Exit::Done)
}
