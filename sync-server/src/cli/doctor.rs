//! `doctor`: what `serve` would do, what may go wrong soon, and what to do. Exit 1 when something must be done, 7 when something that
//! was acknowledged may be in danger.

use std::path::PathBuf;

use clap::Args;
use shared::problem::{Code, Problem};

use super::{Exit, Global, Out, admit::open, secrets::Unlock};
use crate::{
    clock,
    doctor::{Finding, Health, examine, prove_recovery},
    durable, serving,
};

/// Largest identity file that is read, in bytes.
const MAX_IDENTITY: u64 = 64 << 10;

/// Check keys, guard, archive, disk and roster, and say what to do.
#[derive(Debug, Args)]
pub struct Doctor {
    /// Prove that this recovery identity opens what is sealed today
    #[arg(long, value_name = "FILE")]
    recovery: Option<PathBuf>,
    #[command(flatten)]
    passphrase: Unlock,
}

impl Doctor {
    /// Looks at everything and prints it.
    pub async fn run(self, global: &Global, out: &Out) -> Result<Exit, Problem> {
        let centre = match open(global) {
            Ok(centre) => centre,
            Err(problem) => return closed(out, &problem),
        };
        if let Some(path) = &self.recovery {
            let locked = durable::read_given(path, MAX_IDENTITY)?;
            prove_recovery(&centre, &locked, &self.passphrase.read("the recovery identity")?).await?;
        }
        let (findings, serves) = (examine(&centre, clock::now()).await, serving::would_start(&centre, clock::now()).await);
        print(out, &findings);
        if let Err(problem) = &serves {
            refused(out, problem);
        }
        let count = |health| findings.iter().filter(|f| f.health == health).count();
        let (ill, warnings) = (count(Health::Ill), count(Health::Warning));
        // that it would not serve is one more
        let (checks, errors) = (findings.len() + usize::from(serves.is_err()), ill + usize::from(serves.is_err()));
        let value = serde_json::json!({ "checks": checks, "errors": errors, "warnings": warnings });
        out.summary(value, format!("{checks} checks, {errors} errors, {warnings} warnings"));
        Ok(match serves {
            Err(problem) if Exit::of(problem.code) == Exit::Integrity => Exit::Integrity,
            Ok(()) if ill == 0 => Exit::Done,
            _ => Exit::Error,
        })
    }
}

fn print(out: &Out, findings: &[Finding]) {
    for f in findings {
        let value = serde_json::json!({ "about": f.about, "health": f.health.as_str(), "seen": f.seen, "next": f.next });
        let next = if f.next.is_empty() { String::new() } else { format!("\n{:20} → {}", "", f.next) };
        out.line("check", value, format!("{:<8} {:<18} {}{next}", f.health.as_str(), f.about, f.seen));
    }
}

/// What `serve` would say.
fn refused(out: &Out, problem: &Problem) {
    let text = problem.row().text(out.lang);
    let value = serde_json::json!({ "about": "serve", "health": "error", "code": problem.row().code, "seen": problem.to_string(), "next": text.next });
    out.line("check", value, format!("{:<8} {:<18} {problem}: {}\n{:20} → {}", "error", "serve", text.what, "", text.next));
}

/// The centre does not open: what `serve` would say is all that can be said.
fn closed(out: &Out, problem: &Problem) -> Result<Exit, Problem> {
    if problem.code == Code::NotInitialised || Exit::of(problem.code) == Exit::Usage {
        return Err(problem.clone());
    }
    refused(out, problem);
    out.summary(serde_json::json!({ "checks": 1, "errors": 1, "warnings": 0 }), "1 check, 1 error: the centre does not open");
    Ok(if Exit::of(problem.code) == Exit::Integrity { Exit::Integrity } else { Exit::Error })
}
