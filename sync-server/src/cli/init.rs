//! `init`: a new centre.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use shared::{
    id::Centre as CentreName,
    problem::{Code, Problem},
    roster::{Approval, RecipientKind},
};

use super::{Exit, Global, Out, secrets::Secrets};
use crate::{
    founding::{Plan, found},
    settings::{File, default_data},
};

/// Make a new centre: log, keys, identities and the first roster.
#[derive(Debug, Args)]
pub struct Init {
    /// Name of the centre: a DNS name
    #[arg(long, value_name = "NAME")]
    centre: CentreName,
    /// Where units reach it
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Where `serve` listens [default: 127.0.0.1:8443]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
    /// Write the offline recovery identity here, outside the data folder
    #[arg(long, value_name = "FILE")]
    recovery: PathBuf,
    /// Write the auditors' identity here, outside the data folder
    #[arg(long, value_name = "FILE")]
    auditor: PathBuf,
    /// Write the roster key here, outside the data folder
    #[arg(long, value_name = "FILE")]
    roster_key: PathBuf,
    #[command(flatten)]
    secrets: Secrets,
    /// Folder of the guard, best on a volume of its own
    #[arg(long, value_name = "FOLDER")]
    guard: Option<PathBuf>,
    /// Folder of the archive
    #[arg(long, value_name = "FOLDER")]
    archive: Option<PathBuf>,
    /// Folder of uploads in progress
    #[arg(long, value_name = "FOLDER")]
    staging: Option<PathBuf>,
    /// TLS certificate chain (PEM); one is made when none is given
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// TLS key (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Kind of age recipients that records are sealed to
    #[arg(long, value_enum, default_value_t = Kind::Hybrid)]
    recipient_kind: Kind,
    /// Must a supervisor approve each batch? `required` or `none`
    #[arg(long, value_name = "RULE", default_value = "required", value_parser = super::roster::approval)]
    approval: Approval,
    /// Seconds of log time for which units keep merged records
    #[arg(long, value_name = "SECONDS", default_value_t = 14 * 86_400, value_parser = clap::value_parser!(u64).range(shared::roster::LEAST_RETENTION..))]
    retention: u64,
    #[command(flatten)]
    rules: super::roster::Rules,
}

/// Kind of age recipients.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    /// ML-KEM-768 with X25519: safe against a later quantum computer
    Hybrid,
    /// X25519: opens with any age
    X25519,
}

impl Init {
    /// Founds the centre and prints what units are given.
    pub async fn run(self, global: &Global, out: &Out) -> Result<Exit, Problem> {
        let data = absolute(&global.data_dir.clone().unwrap_or_else(default_data))?;
        let (recovery, auditor) = (absolute(&self.recovery)?, absolute(&self.auditor)?);
        let (secret, file) = (self.secrets.choose(self.centre.as_str())?, self.file()?);
        let rules = self.rules.clone();
        let plan = Plan {
            recovery: (recovery.clone(), secret.recovery),
            auditor: (auditor.clone(), secret.auditor),
            roster_passphrase: secret.roster,
            kind: match self.recipient_kind {
                Kind::Hybrid => RecipientKind::Hybrid,
                Kind::X25519 => RecipientKind::X25519,
            },
            approval: self.approval,
            retention: self.retention,
            rules: Box::new(move |facts| rules.apply(facts)),
            data: data.clone(),
            file,
        };
        let founded = found(plan).await?;
        let value = serde_json::json!({
            "centre": self.centre, "data_dir": data, "roster_key": founded.roster_key, "log_key": founded.log_key,
            "certificate": founded.certificate, "recovery": recovery, "auditor": auditor,
        });
        let human = format!(
            "Centre {} is ready in {}.\n  roster key   {}\n  log key      {}\n  certificate  {}\n\
             Give every unit the roster key and the certificate. Take {} and {} to two safe places; \
             then run `sync-server doctor --recovery FILE` to prove that it opens.",
            self.centre,
            data.display(),
            founded.roster_key,
            founded.log_key,
            founded.certificate.display(),
            recovery.display(),
            auditor.display(),
        );
        out.answer(value, human);
        Ok(Exit::Done)
    }

    fn file(&self) -> Result<File, Problem> {
        let path = |path: &Option<PathBuf>| path.as_deref().map(absolute).transpose();
        Ok(File {
            url: self.url.clone(),
            listen: self.listen.clone(),
            archive: path(&self.archive)?,
            staging: path(&self.staging)?,
            guard: path(&self.guard)?,
            roster_key: Some(absolute(&self.roster_key)?),
            tls_cert: path(&self.tls_cert)?,
            tls_key: path(&self.tls_key)?,
            ..File::of(self.centre.clone())
        })
    }
}

/// Settings outlive the folder that a command was started in.
fn absolute(path: &Path) -> Result<PathBuf, Problem> {
    std::path::absolute(path).map_err(|e| Problem::new(Code::Usage, format!("{}: {}", path.display(), e.kind())))
}
