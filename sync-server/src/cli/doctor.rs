//! `doctor`: what may go wrong soon, and what to do. Exit 1 when something must be done.

use std::path::PathBuf;

use clap::Args;
use shared::problem::Problem;

use super::{Exit, Global, Out, admit::open, secrets::Unlock};
use crate::{
    clock,
    doctor::{Health, examine, prove_recovery},
    durable,
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
        let centre = open(global)?;
        if let Some(path) = &self.recovery {
            let locked = durable::read_given(path, MAX_IDENTITY)?;
            prove_recovery(&centre, &locked, &self.passphrase.read("the recovery identity")?).await?;
        }
        let findings = examine(&centre, clock::now()).await?;
        for f in &findings {
            let value = serde_json::json!({ "about": f.about, "health": f.health.as_str(), "seen": f.seen, "next": f.next });
            let next = if f.next.is_empty() { String::new() } else { format!("\n{:20} → {}", "", f.next) };
            out.line("check", value, format!("{:<8} {:<18} {}{next}", f.health.as_str(), f.about, f.seen));
        }
        let count = |health| findings.iter().filter(|f| f.health == health).count();
        let (ill, warnings) = (count(Health::Ill), count(Health::Warning));
        let value = serde_json::json!({ "checks": findings.len(), "errors": ill, "warnings": warnings });
        out.summary(value, format!("{} checks, {ill} errors, {warnings} warnings", findings.len()));
        Ok(if ill == 0 { Exit::Done } else { Exit::Error })
    }
}
