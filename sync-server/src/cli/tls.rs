//! `tls`: the certificate with which the server answers.

use clap::Subcommand;
use serde_json::json;
use shared::problem::{Code, Problem};

use super::{Exit, Global, Out, asking::Yes};
use crate::{durable, settings::Settings, tls};

/// The certificate with which the server answers.
#[derive(Debug, Subcommand)]
pub enum Tls {
    /// Make a new key and certificate where the old ones are lost; each unit is then given the certificate
    New {
        #[command(flatten)]
        yes: Yes,
    },
}

impl Tls {
    /// Runs the command.
    pub fn run(self, global: &Global, out: &Out) -> Result<Exit, Problem> {
        let Self::New { yes } = self;
        let settings = Settings::load(global.data_dir.as_deref(), global.config.as_deref())?;
        if settings.file.tls_cert.is_some() || settings.file.tls_key.is_some() {
            let why = "tls_cert and tls_key in sync-server.toml name files that others make";
            return Err(Problem::new(Code::ConfigInvalid, why));
        }
        if durable::is_there(&settings.tls_cert()) && durable::is_there(&settings.tls_key()) {
            yes.or_ask("There are a key and a certificate. No unit reaches the centre until it has the new one. Replace them?")?;
        }
        tls::replace(&settings)?;
        let certificate = settings.tls_cert();
        let human = format!(
            "new certificate: {}\nstart `sync-server serve` again, and on each unit: enroll-client unit set --ca FILE",
            certificate.display()
        );
        out.summary(json!({ "certificate": certificate }), human);
        Ok(Exit::Done)
    }
}
