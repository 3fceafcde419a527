//! `serve`: runs the centre until it is told to stop.
//!
//! ```text
//! {"message_type":"listening","url":"https://127.0.0.1:8443"}
//! ```

use clap::Args;
use serde_json::json;
use shared::problem::{Code, Problem};
use tokio::signal::unix::{SignalKind, signal};

use super::{Exit, Global, Out};
use crate::{
    centre::Centre,
    serving::{self, Options, Security},
    settings::Settings,
};

/// `serve`
#[derive(Debug, Args)]
pub struct Serve {
    /// Address and port to listen on; port 0 takes a free one [default: from the configuration, else 127.0.0.1:8443]
    #[arg(long, env = "SYNC_SERVER_LISTEN", value_name = "ADDRESS")]
    listen: Option<String>,
    /// Speak plain HTTP, to this machine only
    #[arg(long)]
    plain_http: bool,
    /// Speak plain HTTP to anybody, because a proxy in front speaks TLS
    #[arg(long, requires = "plain_http")]
    behind_proxy: bool,
}

impl Serve {
    /// Serves until SIGTERM or SIGINT.
    pub async fn run(&self, global: &Global, out: &Out) -> Result<Exit, Problem> {
        let settings = Settings::load(global.data_dir.as_deref(), global.config.as_deref())?;
        let security = match (self.plain_http, self.behind_proxy) {
            (false, _) => Security::Tls,
            (true, false) => Security::PlainHere,
            (true, true) => Security::PlainAnywhere,
        };
        let listen = self.listen.clone().unwrap_or_else(|| settings.listen().to_owned());
        let limits = settings.file.limits;
        // Heard from here on: a signal while starting ends it as soon as it has started.
        let failed = |e: std::io::Error| Problem::new(Code::IoFailed, format!("signals: {e}"));
        let (mut terminate, mut interrupt) =
            (signal(SignalKind::terminate()).map_err(failed)?, signal(SignalKind::interrupt()).map_err(failed)?);
        let mut running = serving::start(Centre::open(settings)?, Options { listen, security, limits }).await?;
        out.line("listening", json!({ "url": running.url }), format!("listening on {}", running.url));
        if let Some(problem) = &running.cannot_log {
            out.warning(problem);
        }
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            problem = running.broken() => return Err(problem),
        }
        out.note("stopping: open requests end, nothing is lost");
        running.stop().await;
        out.summary(json!({ "stopped": true }), "stopped");
        Ok(Exit::Done)
    }
}
