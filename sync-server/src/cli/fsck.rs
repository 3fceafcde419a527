//! `fsck`: checks everything again from nothing. Exit 7 when anything is off.

use clap::Args;
use serde_json::json;
use shared::problem::{Code, Problem};

use super::{Exit, Global, Out, admit, open, rebuild::registry};
use crate::{
    facts,
    fsck::{self, Contents, Report},
    rebuilding,
    store::Ledger as _,
};

/// Check everything again from nothing.
#[derive(Debug, Args)]
pub struct Fsck {}

impl Fsck {
    /// Runs the checks and prints what they found.
    pub async fn run(self, global: &Global, out: &Out) -> Result<Exit, Problem> {
        let centre = admit::open(global)?;
        let stores = fsck::stores(&centre.stores, &centre.settings.sequencer_lock()).await;
        let mut report = stores.or_else(|problem| damage(problem).map(|found| Report { findings: vec![found], ..Report::default() }))?;
        if rebuilding::is_broken_off(&centre.settings) && centre.stores.ledger.position().await?.line.head.size == 0 {
            told_as_behind(&mut report);
        }
        if let Err(problem) = centre.db.integrity().await {
            report.findings.push(damage(problem)?);
        }
        let contents = fsck::contents(&centre).await;
        let contents = contents.or_else(|problem| damage(problem).map(|found| Contents { off: vec![found], ..Contents::default() }))?;
        report.findings.extend(contents.off.iter().cloned());
        report.open.extend(contents.open.iter().cloned());
        for finding in &report.findings {
            out.line("finding", value(finding, out), finding.told(out.lang));
        }
        for fact in &report.open {
            out.line("open", value(fact, out), fact.told(out.lang));
        }
        let facts = match facts::open(&centre).await {
            Ok(facts) => facts,
            // a database that is lost or damaged answers nothing, nor does one that has nothing yet; what was found says so
            Err(problem) if !report.is_clean() || problem.code == Code::NoRoster => Vec::new(),
            Err(problem) => return Err(problem),
        };
        open::print(out, &facts);
        let open = report.open.len() + facts.len();
        let clean = report.is_clean();
        out.answer(summary(&report, &contents, open), human(&report, &contents, open));
        Ok(if clean { Exit::Done } else { Exit::Integrity })
    }
}

/// A crash between the two names of a rebuild leaves no database in its place: the next start makes it again, and so does `rebuild`.
fn told_as_behind(report: &mut Report) {
    let (behind, findings) = std::mem::take(&mut report.findings).into_iter().partition(|found| found.code == Code::DatabaseDiffers);
    report.findings = findings;
    report.open.extend(Vec::into_iter(behind).map(|found| Problem::new(Code::DatabaseBehind, found.detail)));
}

/// What cannot be read of the database is a finding; what the disk or another process refuses ends the check.
fn damage(problem: Problem) -> Result<Problem, Problem> {
    match problem.code {
        Code::DatabaseDamaged => Ok(problem),
        Code::DatabaseFailed | Code::TextMalformed | Code::NoteMalformed | Code::RegistryWrong => {
            Ok(Problem::new(Code::DatabaseDamaged, problem.to_string()))
        }
        _ => Err(problem),
    }
}

fn value(problem: &Problem, out: &Out) -> serde_json::Value {
    let row = problem.row();
    json!({ "code": row.code, "detail": problem.detail, "next": row.text(out.lang).next })
}

fn word(report: &Report) -> &'static str {
    if report.is_clean() { "clean" } else { "damaged" }
}

fn summary(report: &Report, contents: &Contents, open: usize) -> serde_json::Value {
    let mut value = contents.registry.as_ref().map_or_else(|| json!({}), registry);
    let rest = json!({
        "fsck": word(report), "findings": report.findings.len(), "open_facts": open,
        "entries": report.entries, "segments": report.segments, "orphan_segments": report.orphan_segments,
        "blobs": report.blobs, "bytes": report.bytes, "unnamed_blobs": report.unnamed_blobs,
        "batches": contents.batches, "records": contents.records, "outcomes": contents.outcomes,
    });
    if let (Some(value), serde_json::Value::Object(rest)) = (value.as_object_mut(), rest) {
        value.extend(rest);
    }
    value
}

fn human(report: &Report, contents: &Contents, open: usize) -> String {
    let digest = contents.registry.filter(|r| r.open == 0).map_or_else(|| "incomplete".to_owned(), |r| r.digest.to_string());
    format!(
        "fsck: {}; {} entries in {} segments, {} blobs of {} bytes ({} segments and {} blobs that nothing names: no alarm)\n\
         {} batches, {} records, {} outcomes; {} open facts\nregistry digest {digest}",
        word(report),
        report.entries,
        report.segments,
        report.blobs,
        report.bytes,
        report.orphan_segments,
        report.unnamed_blobs,
        contents.batches,
        contents.records,
        contents.outcomes,
        open
    )
}
