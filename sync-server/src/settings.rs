//! What the centre is configured to: flags > environment > file > defaults.
//!
//! ```toml
//! # sync-server.toml in the data folder; paths are relative to that folder
//! centre = "registry.example"
//! url = "https://registry.example:8443"
//! listen = "0.0.0.0:8443"
//! guard = "/mnt/guard"
//! roster_key = "/media/roster.key"
//! scrub = 2592000
//! ```
//!
//! **Invariants:** an unknown key is refused, so that a mistyped path is never silently a default.
#![allow(clippy::disallowed_methods, reason = "this file owns the configuration file")]

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use shared::{
    id::Centre as CentreName,
    problem::{Code, Problem},
};

use crate::{durable, http::Limits, sabotage};

/// Name of the configuration file in the data folder.
pub const FILE: &str = "sync-server.toml";

/// The configuration file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Name of the centre.
    pub centre: CentreName,
    /// Where units reach it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Where `serve` listens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listen: Option<String>,
    /// Folder of the archive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archive: Option<PathBuf>,
    /// Folder of uploads in progress.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub staging: Option<PathBuf>,
    /// Folder of the guard, meant for its own volume.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guard: Option<PathBuf>,
    /// The roster key's file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roster_key: Option<PathBuf>,
    /// The TLS certificate chain (PEM).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_cert: Option<PathBuf>,
    /// The TLS key (PEM).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_key: Option<PathBuf>,
    /// Seconds within which every file of the archive is read again.
    #[serde(default = "thirty_days", skip_serializing)]
    pub scrub: u64,
    /// What `serve` admits (a table, after all else).
    #[serde(default, skip_serializing)]
    pub limits: Limits,
}

impl File {
    /// Everything by default.
    pub fn of(centre: CentreName) -> Self {
        Self {
            centre,
            url: None,
            listen: None,
            archive: None,
            staging: None,
            guard: None,
            roster_key: None,
            tls_cert: None,
            tls_key: None,
            scrub: thirty_days(),
            limits: Limits::default(),
        }
    }

    /// Writes the file, unless there is one.
    pub fn create(&self, path: &Path) -> Result<durable::Created, Problem> {
        let text = toml_text(self)?;
        durable::create(path, text.as_bytes()).map_err(durable::problem("configuration"))
    }
}

const fn thirty_days() -> u64 {
    30 * 86_400
}

/// Strings only: printed as TOML basic strings, which spell these like JSON does.
fn toml_text(file: &File) -> Result<String, Problem> {
    let value = serde_json::to_value(file).map_err(|e| Problem::new(Code::ConfigInvalid, e.to_string()))?;
    let fields = value.as_object().into_iter().flatten();
    Ok(fields.fold(String::new(), |text, (key, value)| text + key + " = " + &value.to_string() + "\n"))
}

/// All settings, every path absolute or relative to the working folder.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The data folder.
    pub data: PathBuf,
    /// The configuration file's content.
    pub file: File,
}

impl Settings {
    /// Reads the settings of an initialised centre.
    pub fn load(data: Option<&Path>, config: Option<&Path>) -> Result<Self, Problem> {
        let beside = || config.and_then(Path::parent).map(Path::to_owned);
        let data = data.map(Path::to_owned).or_else(beside).unwrap_or_else(default_data);
        let path = config.map_or_else(|| data.join(FILE), Path::to_owned);
        let bytes = durable::read(&path).map_err(durable::problem("configuration"))?;
        let bytes = bytes.ok_or_else(|| Problem::new(Code::NotInitialised, path.display().to_string()))?;
        let text = String::from_utf8(bytes).map_err(|_| Problem::new(Code::ConfigInvalid, "not UTF-8"))?;
        let file = toml::from_str(&text).map_err(|e| Problem::new(Code::ConfigInvalid, e.message().to_owned()))?;
        Ok(Self { data, file })
    }

    fn path(&self, configured: Option<&PathBuf>, default: &str) -> PathBuf {
        self.data.join(configured.map_or(Path::new(default), PathBuf::as_path))
    }

    /// Folder of the archive.
    pub fn archive(&self) -> PathBuf {
        self.path(self.file.archive.as_ref(), "archive")
    }
    /// Folder of uploads in progress.
    pub fn staging(&self) -> PathBuf {
        self.path(self.file.staging.as_ref(), "staging")
    }
    /// Folder of the guard.
    pub fn guard(&self) -> PathBuf {
        if sabotage::on("guard-in-backup") {
            return self.archive().join("guard");
        }
        self.path(self.file.guard.as_ref(), "guard")
    }
    /// Folder of keys.
    pub fn keys(&self) -> PathBuf {
        self.data.join("keys")
    }
    /// The roster key's file.
    pub fn roster_key(&self) -> PathBuf {
        self.path(self.file.roster_key.as_ref(), "keys/roster.key")
    }
    /// The TLS certificate chain.
    pub fn tls_cert(&self) -> PathBuf {
        self.path(self.file.tls_cert.as_ref(), "keys/tls.crt")
    }
    /// The TLS key.
    pub fn tls_key(&self) -> PathBuf {
        self.path(self.file.tls_key.as_ref(), "keys/tls.key")
    }
    /// The database.
    pub fn database(&self) -> PathBuf {
        self.data.join("centre.db")
    }
    /// Held while one round of sequencing runs.
    pub fn sequencer_lock(&self) -> PathBuf {
        self.data.join("sequencer.lock")
    }
    /// Where `serve` listens.
    pub fn listen(&self) -> &str {
        self.file.listen.as_deref().unwrap_or("127.0.0.1:8443")
    }
}

/// Where a centre's data lies when nothing else is said.
pub fn default_data() -> PathBuf {
    PathBuf::from("/var/lib/sync-server")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let dir = tempfile::tempdir().expect("a folder");
        assert_eq!(Settings::load(Some(dir.path()), None).err().map(|p| p.code), Some(Code::NotInitialised));
        let mut file = File::of("registry.example".parse().expect("a name"));
        file.guard = Some("/mnt/a \"strange\" \\ place/é".into());
        file.create(&dir.path().join(FILE)).expect("written");
        let settings = Settings::load(Some(dir.path()), None).expect("read");
        assert_eq!(settings.file, file);
        assert_eq!(settings.guard(), Path::new("/mnt/a \"strange\" \\ place/é"));
        assert_eq!(settings.archive(), dir.path().join("archive"));
        let by_file = Settings::load(None, Some(&dir.path().join(FILE))).expect("read");
        assert_eq!(by_file.data, dir.path());
    }

    #[test]
    fn a_mistyped_key_is_refused() {
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::write(dir.path().join(FILE), "centre = \"a.example\"\ngard = \"/mnt/guard\"\n").expect("written");
        assert_eq!(Settings::load(Some(dir.path()), None).err().map(|p| p.code), Some(Code::ConfigInvalid));
    }
}
