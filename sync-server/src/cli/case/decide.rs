//! `case decide` and `record decide`: shows each record with both sides, asks, and signs what a person said about them.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::json;
use shared::{
    decision::{Decision, DecisionLine, Reason, RecordKey, Said, Subject, Verdict},
    id::{CaseRef, RecordId, ResidentRef, SealedDigest},
    merge::Resident,
    outcome::Fate,
    problem::{Code, Problem},
};

use super::{lines, show};
use crate::{
    cli::{
        Exit, Global, Out,
        admit::open,
        asking::Yes,
        deciding::{Signing, announce, decide},
        reading::{Provenance, Reading, Seen},
    },
    durable,
};

/// Largest file of decisions, in bytes.
const MAX_FILE: u64 = 1 << 20;

/// What becomes of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Verb {
    /// It founds a resident of its own
    Found,
    /// It is one more source of this resident and changes nothing
    Same,
    /// It applies to this resident
    Apply,
    /// It is out
    Refuse,
}

impl Verb {
    /// As it is written.
    pub(super) fn of(text: &str) -> Option<Self> {
        Self::from_str(text, false).ok()
    }
    pub(super) const fn wants_reference(self) -> bool {
        matches!(self, Self::Same | Self::Apply)
    }
    fn verdict(self, reference: Option<ResidentRef>) -> Result<Verdict, Problem> {
        match (self, reference) {
            (Self::Found, None) => Ok(Verdict::Found),
            (Self::Refuse, None) => Ok(Verdict::Refuse),
            (Self::Same, Some(reference)) => Ok(Verdict::Same(reference)),
            (Self::Apply, Some(reference)) => Ok(Verdict::Apply(reference)),
            (Self::Same | Self::Apply, None) => Err(Problem::new(Code::Usage, "whose? give the reference of a resident")),
            _ => Err(Problem::new(Code::Usage, "no reference is needed here")),
        }
    }
}

/// Reads a reason of the list.
pub(in crate::cli) fn reason(text: &str) -> Result<Reason, String> {
    let known = || Reason::ALL.map(Reason::as_str).join(", ");
    text.parse().map_err(|_| format!("one of {}", known()))
}

/// How a decision is given.
#[derive(Debug, Args)]
pub struct Giving {
    /// Show everything, print the note that would be signed, and stop
    #[arg(long)]
    note_only: bool,
    #[command(flatten)]
    yes: Yes,
    #[command(flatten)]
    signing: Signing,
}

/// `case decide`
#[derive(Debug, Args)]
pub struct Decide {
    /// Reference of a case: 32 hex digits
    #[arg(required_unless_present = "file")]
    case: Option<CaseRef>,
    /// What becomes of its record
    #[arg(required_unless_present = "file")]
    verdict: Option<Verb>,
    /// Reference of a resident, for `same` and `apply`
    reference: Option<ResidentRef>,
    /// Why: different-person, same-person, identity-checked, capture-checked, wrong-data, fraud, work-checked, mistake, order
    #[arg(long, value_name = "WORD", value_parser = reason, required_unless_present = "file")]
    reason: Option<Reason>,
    /// Which of several records of the case: its digest
    #[arg(long, value_name = "DIGEST", conflicts_with = "file")]
    digest: Option<SealedDigest>,
    /// Decide about many cases in one note: a file of `CASE verb [REFERENCE] reason` or of JSON Lines
    #[arg(long, value_name = "FILE", conflicts_with_all = ["case", "verdict", "reference", "reason"])]
    file: Option<PathBuf>,
    #[command(flatten)]
    giving: Giving,
}

/// `record decide`
#[derive(Debug, Args)]
pub struct DecideRecord {
    /// Id of the record (a UUID)
    id: RecordId,
    /// What becomes of it
    verdict: Verb,
    /// Reference of a resident, for `same` and `apply`
    reference: Option<ResidentRef>,
    /// Why: different-person, same-person, identity-checked, capture-checked, wrong-data, fraud, work-checked, mistake, order
    #[arg(long, value_name = "WORD", value_parser = reason)]
    reason: Reason,
    /// Which of several records with this id: its digest
    #[arg(long, value_name = "DIGEST")]
    digest: Option<SealedDigest>,
    #[command(flatten)]
    giving: Giving,
}

/// A record, and what is to become of it.
struct Wanted {
    key: RecordKey,
    verdict: Verdict,
    reason: Reason,
}

impl Decide {
    /// Runs the command.
    pub async fn run(self, global: &Global, out: &Out) -> Result<Exit, Problem> {
        let wishes = match (self.file, self.case, self.verdict, self.reason) {
            (Some(file), ..) => lines::parse(&durable::read_given(&file, MAX_FILE)?)?,
            (None, Some(case), Some(verb), Some(reason)) => vec![lines::Wish { case, verb, reference: self.reference, reason }],
            _ => return Err(Problem::new(Code::Usage, "a case, a verdict and a reason, or --file")),
        };
        let centre = open(global)?;
        let provenance = Provenance::of(&centre);
        let mut wanted = Vec::with_capacity(wishes.len());
        for wish in wishes {
            let records = provenance.case(&wish.case).await?;
            let key = only(records, self.digest, &wish.case.to_string(), Code::ResidentUnknown)?;
            wanted.push(Wanted { key, verdict: wish.verb.verdict(wish.reference)?, reason: wish.reason });
        }
        self.giving.run(global, out, "case decide", wanted).await
    }
}

impl DecideRecord {
    /// Runs the command.
    pub async fn run(self, global: &Global, out: &Out) -> Result<Exit, Problem> {
        let records = Provenance::of(&open(global)?).records_of_id(self.id).await?;
        let key = only(records, self.digest, &self.id.to_string(), Code::RecordUnknown)?;
        let wanted = Wanted { key, verdict: self.verdict.verdict(self.reference)?, reason: self.reason };
        self.giving.run(global, out, "record decide", vec![wanted]).await
    }
}

/// The record that is meant; several are named, never guessed.
fn only(records: Vec<RecordKey>, digest: Option<SealedDigest>, about: &str, unknown: Code) -> Result<RecordKey, Problem> {
    let several = records.len() > 1;
    let named: Vec<String> = records.iter().map(|key| format!("{} --digest {}", key.unit, key.digest)).collect();
    let mut fit = records.into_iter().filter(|key| digest.is_none_or(|digest| key.digest == digest));
    match (fit.next(), fit.next()) {
        (Some(one), None) => Ok(one),
        (None, _) if several => Err(Problem::new(Code::NotFound, format!("{about} has {}", named.join(", ")))),
        (None, _) => Err(Problem::new(unknown, about)),
        _ => Err(Problem::new(Code::Usage, format!("{about} has several records, say which: {}", named.join(", ")))),
    }
}

impl Giving {
    async fn run(self, global: &Global, out: &Out, command: &'static str, wanted: Vec<Wanted>) -> Result<Exit, Problem> {
        let centre = open(global)?;
        // whoever may not decide is shown nothing
        let signer = self.signing.adjudicator(&centre).await?;
        let mut words: Vec<&str> = wanted.iter().map(|wanted| wanted.reason.as_str()).collect();
        words.dedup();
        let reading =
            Reading::of(centre, command, format!("to decide: {}", words.join(", ").chars().take(900).collect::<String>())).await?;
        let keys: Vec<RecordKey> = wanted.iter().map(|wanted| wanted.key.clone()).collect();
        let seen = reading.seen(&keys).await?;
        show::print(out, &seen);
        let lines = wanted.iter().map(|wanted| line(&seen, wanted)).collect::<Result<Vec<_>, _>>()?;
        for wanted in &wanted {
            if let Verdict::Same(to) | Verdict::Apply(to) = &wanted.verdict
                && reading.resident(to).await?.is_none()
            {
                return Err(Problem::new(Code::ResidentUnknown, to.to_string()));
            }
        }
        announce(out, &reading.provenance(), &lines).await?;
        let said = Said::Lines(lines);
        if self.note_only {
            let decision = Decision::sign(&reading.centre().settings.file.centre, said, &signer)?;
            let text = decision.note().text();
            out.answer(json!({ "note": text, "decision": decision.id() }), text.trim_end());
            return Ok(Exit::Done);
        }
        self.yes.or_ask(&format!("Sign {} as {}?", if keys.len() == 1 { "this" } else { "all of this" }, signer.public().name()))?;
        decide(&reading, out, said, &signer).await
    }
}

/// The line that says so, about the case as it was shown.
fn line(seen: &[Seen], wanted: &Wanted) -> Result<DecisionLine, Problem> {
    let about = || format!("{} {}", wanted.key.unit, wanted.key.record);
    let seen = seen.iter().find(|seen| seen.content.side.record == wanted.key);
    let content = &seen.ok_or_else(|| Problem::new(Code::NotFound, about()))?.content;
    let case = match (content.digest, &content.side.fate) {
        (Some(digest), _) => digest,
        // its own signed content is wrong, or its bytes are gone: nobody can decide
        (None, Fate::Refused(code)) => return Err(Problem::new(*code, about())),
        (None, _) => return Err(Problem::new(Code::CaseChanged, about())),
    };
    if content.side.essence.is_none() && wanted.verdict != Verdict::Refuse {
        return Err(Problem::new(Code::Unopened, format!("{}: only refuse is possible", about())));
    }
    // other bytes under the same id may have founded that resident
    let others = |resident: &Resident| resident.sources.iter().any(|source| *source != wanted.key);
    let founded = |to: &ResidentRef| content.residents.iter().any(|(reference, resident)| reference == to && others(resident));
    if let Verdict::Same(to) | Verdict::Apply(to) = &wanted.verdict
        && *to == ResidentRef::founded_by(&wanted.key.unit, wanted.key.record)
        && !founded(to)
    {
        return Err(Problem::new(Code::Usage, format!("{to} is whom this record founds itself: say found")));
    }
    let subject = Subject::Record(wanted.key.clone(), wanted.verdict.clone());
    Ok(DecisionLine { subject, replaces: content.decision, case, reason: wanted.reason })
}
